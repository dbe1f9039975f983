labelmesh_fuzz(ikev2_decode ikev2)
labelmesh_fuzz(ikev2_engine ikev2 SOURCES ikev2_world.c)
labelmesh_fuzz(ikev2_peer ikev2 SOURCES ikev2_world.c)
