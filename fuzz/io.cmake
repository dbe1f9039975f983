labelmesh_fuzz(io_config SOURCES ${PROJECT_SOURCE_DIR}/examples/io/config.c
  ${PROJECT_SOURCE_DIR}/examples/io/config_value.c)
target_include_directories(fuzz_io_config PRIVATE ${PROJECT_SOURCE_DIR}/examples)
target_compile_definitions(fuzz_io_config PRIVATE _GNU_SOURCE)
