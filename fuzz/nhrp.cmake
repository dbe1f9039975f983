# labelmesh_fuzz(nhrp_decode nhrp)
