labelmesh_fuzz(nhrp_decode nhrp)
labelmesh_fuzz(nhrp_engine nhrp)
labelmesh_fuzz(nhrp_label nhrp)
