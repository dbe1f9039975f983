# The core of examples/dissect; its sources, since the fuzz preset builds no example.
set(dissect ${PROJECT_SOURCE_DIR}/examples/dissect)
set(dissect_sources "")
foreach(name core tree rules keys streams fragments text ethernet ip udp tcp gre mpls nhrp ikev2
    ikev2_payload esp bgp bgp_attribute)
  list(APPEND dissect_sources ${dissect}/${name}.c)
endforeach()
labelmesh_fuzz(dissect_packet ${LABELMESH_LIBRARIES} SOURCES ${dissect_sources})
target_include_directories(fuzz_dissect_packet PRIVATE ${PROJECT_SOURCE_DIR}/examples)
target_compile_definitions(fuzz_dissect_packet PRIVATE _GNU_SOURCE)
target_link_libraries(fuzz_dissect_packet PRIVATE PkgConfig::libsodium PkgConfig::libcrypto)
