labelmesh_fuzz(ikev2_decode ikev2)
labelmesh_fuzz(ikev2_cert ikev2)
labelmesh_fuzz_variant(ikev2 ikev2_standin WITHOUT crypto_kdf.c crypto_cipher.c crypto_dh.c
  SOURCES ikev2_standin.c)
labelmesh_fuzz(ikev2_engine ikev2_standin SOURCES ikev2_world.c image.c)
labelmesh_fuzz(ikev2_peer ikev2_standin SOURCES ikev2_world.c image.c)
labelmesh_fuzz(ikev2_auth ikev2_standin SOURCES ikev2_world.c image.c)
foreach(target ikev2_engine ikev2_peer ikev2_auth)
  labelmesh_fuzz_replay(${target}_real ${target} ikev2 SOURCES ikev2_world.c image.c
    DEFINITIONS IKEV2_REAL_CRYPTO)
endforeach()
