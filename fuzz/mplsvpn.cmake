labelmesh_fuzz(mplsvpn_label mplsvpn SOURCES image.c)
labelmesh_fuzz_variant(mplsvpn mplsvpn_untraced)
labelmesh_fuzz(mplsvpn_fib mplsvpn_untraced)
