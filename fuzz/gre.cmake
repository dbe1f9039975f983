labelmesh_fuzz(gre_decode gre)
labelmesh_fuzz(gre_mtu gre)
