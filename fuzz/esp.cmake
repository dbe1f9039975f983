# labelmesh_fuzz(esp_decode esp)
