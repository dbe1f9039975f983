labelmesh_fuzz(bgpvpn_decode bgpvpn)
labelmesh_fuzz(bgpvpn_engine bgpvpn)
