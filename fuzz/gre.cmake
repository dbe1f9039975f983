# labelmesh_fuzz(gre_decode gre)
