add_executable(bench_ikev2 ikev2.c)
target_link_libraries(bench_ikev2 PRIVATE labelmesh_flags ikev2_static PkgConfig::libcrypto
  PkgConfig::libsodium)
