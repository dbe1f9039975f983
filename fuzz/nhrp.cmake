labelmesh_fuzz(nhrp_decode nhrp)
labelmesh_fuzz_variant(nhrp nhrp_untraced)
labelmesh_fuzz(nhrp_engine nhrp_untraced SOURCES image.c)
labelmesh_fuzz(nhrp_label nhrp)
