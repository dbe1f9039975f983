# labelmesh_fuzz(bgpvpn_decode bgpvpn)
