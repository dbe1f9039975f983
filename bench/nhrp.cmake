add_executable(bench_nhrp nhrp.c)
target_link_libraries(bench_nhrp PRIVATE labelmesh_flags nhrp_static)
