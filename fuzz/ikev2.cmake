# labelmesh_fuzz(ikev2_decode ikev2)
