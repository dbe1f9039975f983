# labelmesh_library(NAME SOURCES file... [PACKAGES pkg-config-module...])
#
# One library of the family: NAME::NAME (shared), NAME::NAME_static, a pkg-config file and a CMake
# package. PACKAGES are what it links privately. Tests and fuzz targets link the static one, which
# shows them the private functions too.

find_package(PkgConfig REQUIRED)
include(CMakePackageConfigHelpers)

add_library(labelmesh_flags INTERFACE)
target_compile_options(labelmesh_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  -Wstrict-prototypes -Wmissing-prototypes -Wvla
  $<$<BOOL:${LABELMESH_WERROR}>:-Werror>)
if(LABELMESH_SANITIZE)
  target_compile_options(labelmesh_flags INTERFACE -fsanitize=${LABELMESH_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(labelmesh_flags INTERFACE -fsanitize=${LABELMESH_SANITIZE})
endif()
if(LABELMESH_FUZZ)
  target_compile_options(labelmesh_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(labelmesh_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PACKAGES")

  set(packages "")
  foreach(package IN LISTS arg_PACKAGES)
    pkg_check_modules(${package} REQUIRED IMPORTED_TARGET GLOBAL ${package})
    list(APPEND packages PkgConfig::${package})
  endforeach()

  add_library(${name}_objects OBJECT ${arg_SOURCES})
  set_target_properties(${name}_objects PROPERTIES
    POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
  target_include_directories(${name}_objects PUBLIC ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(${name}_objects PRIVATE labelmesh_flags ${packages})

  foreach(target ${name} ${name}_static)
    if("${target}" STREQUAL "${name}")
      add_library(${target} SHARED $<TARGET_OBJECTS:${name}_objects>)
      if(NOT LABELMESH_SANITIZE)
        target_link_options(${target} PRIVATE -Wl,--no-undefined)
      endif()
    else()
      add_library(${target} STATIC $<TARGET_OBJECTS:${name}_objects>)
    endif()
    add_library(${name}::${target} ALIAS ${target})
    target_include_directories(${target} INTERFACE
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${target} PRIVATE ${packages} $<BUILD_INTERFACE:labelmesh_flags>)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} LINKER_LANGUAGE C
      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  endforeach()

  install(TARGETS ${name} ${name}_static EXPORT ${name}Targets)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/${name} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/${name})
  install(EXPORT ${name}Targets NAMESPACE ${name}:: DESTINATION ${config_dir})

  string(JOIN " " requires_private ${arg_PACKAGES})
  # As the CMake package does, the pkg-config file finds the prefix from its own place, so that a
  # prefix may be moved, staged with DESTDIR, or chosen by cmake --install --prefix.
  set(prefix_from_pkgconfig ${CMAKE_INSTALL_PREFIX})
  cmake_path(RELATIVE_PATH prefix_from_pkgconfig
    BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/library.pc.in ${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/library-config.cmake.in
    ${name}-config.cmake INSTALL_DESTINATION ${config_dir})
  write_basic_package_version_file(${name}-config-version.cmake COMPATIBILITY SameMajorVersion)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}-config.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/${name}-config-version.cmake DESTINATION ${config_dir})

  # What the link-alone gate needs to build the library from a copy of its own folders.
  set_property(GLOBAL APPEND PROPERTY labelmesh_packages "${name}=${requires_private}")
endfunction()
