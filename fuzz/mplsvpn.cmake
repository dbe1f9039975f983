labelmesh_fuzz(mplsvpn_label mplsvpn)
labelmesh_fuzz(mplsvpn_fib mplsvpn)
