add_executable(bench_esp esp.c)
target_link_libraries(bench_esp PRIVATE labelmesh_flags esp_static PkgConfig::libcrypto
  PkgConfig::libsodium)
