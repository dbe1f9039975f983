# SPDX-License-Identifier: Apache-2.0
# OpenBGPD 7.7, which needs root. On Linux it has no VRF to originate from, and shows no labels.
binary=/usr/sbin/bgpd package=openbgpd
stale="7.7 finds no VPN route that it has, its own withdrawals apart"
cannot=([targets]="does not speak it" [graceful]="originates nothing"
    [announce4]="nothing to originate from on Linux" [announce6]="nothing to originate from on Linux"
    [relabel_in]="originates nothing" [withdraw_in]="originates nothing"
    [relabel_out]="shows no labels"
    [refresh_out]="originates nothing"
    [withdraw_out]="$stale" [reflect_relabel]="$stale" [reflect_withdraw]="$stale")

start() { # client|reflector
    local address=10.8.0.4 who=10.8.0.1 role
    [ "$1" != six ] || address=2001:db8:8::4 who=2001:db8:8::1
    role="port 1790
  local-address $address"
    [ "$1" != reflector ] || address=10.8.0.1 who=10.8.0.0/24 role="passive
  route-reflector 10.8.0.1"
    cat >"$dir/bgpd.conf" <<END
AS 65000
router-id 10.8.0.${address##*[.:]}
listen on $address port 1790
fib-update no
socket "$dir/bgpd.sock"
neighbor $who {
  remote-as 65000
  announce IPv4 none
  announce IPv6 none
  announce IPv4 vpn
  announce IPv6 vpn
  $role
}
allow from any
allow to any
END
    chmod 600 "$dir/bgpd.conf"
    mkdir -p /run/openbgpd # where it locks itself in
    background daemon "$binary" -d -f "$dir/bgpd.conf"
    daemon_pid=$pid
    within 20 ask show
}
ask() { bgpctl -s "$dir/bgpd.sock" "$@"; }
knows() { ask show rib detail | tr -s '\n\t ' '   ' | grep -qE "rd 65000:$1 $2 [^/]*rt 65000:100"; }
lacks() { without "rd 65000:$1 $2" ask show rib detail; }
ask_again() { ask neighbor 10.8.0.1 refresh; }
