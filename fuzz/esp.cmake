labelmesh_fuzz_variant(esp esp_standin WITHOUT crypto_openssl.c crypto_openssl_hmac.c
  SOURCES esp_standin.c)
labelmesh_fuzz(esp_open esp_standin)
labelmesh_fuzz_replay(esp_open_real esp_open esp)
labelmesh_fuzz(esp_udp esp)
