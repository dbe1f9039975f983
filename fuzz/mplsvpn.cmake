# labelmesh_fuzz(mplsvpn_decode mplsvpn)
