labelmesh_fuzz(esp_open esp)
labelmesh_fuzz(esp_udp esp)
