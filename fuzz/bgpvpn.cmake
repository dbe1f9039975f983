labelmesh_fuzz(bgpvpn_decode bgpvpn)
labelmesh_fuzz_variant(bgpvpn bgpvpn_untraced)
labelmesh_fuzz(bgpvpn_engine bgpvpn_untraced SOURCES image.c)
