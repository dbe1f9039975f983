# SPDX-License-Identifier: Apache-2.0
# FRR's bgpd alone, without zebra, as nobody.
binary=/usr/lib/frr/bgpd package=frr
cannot=([targets]="does not speak it")

start() { # client|reflector
    local address=10.8.0.4 neighbor=10.8.0.1 role= about
    [ "$1" != six ] || address=2001:db8:8::4 neighbor=2001:db8:8::1
    about="neighbor $neighbor remote-as 65000
 neighbor $neighbor port 1790
 neighbor $neighbor update-source $address
 neighbor $neighbor timers connect 1"
    if [ "$1" = reflector ]; then
        address=10.8.0.1 neighbor=CLIENTS role="neighbor CLIENTS route-reflector-client"
        about="neighbor CLIENTS peer-group
 neighbor CLIENTS remote-as 65000
 neighbor CLIENTS update-source 10.8.0.1
 neighbor CLIENTS passive
 bgp listen range 10.8.0.0/24 peer-group CLIENTS"
    fi
    rm -rf "$dir/run"
    mkdir -p "$dir/run"
    # A route that only changes its label counts as a duplicate, unless told otherwise.
    cat >"$dir/bgpd.conf" <<END
frr defaults traditional
hostname $1
router bgp 65000
 bgp router-id 10.8.0.${address##*[.:]}
 no bgp default ipv4-unicast
 no bgp network import-check
 no bgp suppress-duplicates
 coalesce-time 0
 $([ "$1" != graceful ] && [ "$1" != again ] || printf '%s\n' 'bgp graceful-restart' \
    ' bgp graceful-restart preserve-fw-state' ' bgp graceful-restart select-defer-time 3')
 $about
 address-family ipv4 vpn
  neighbor $neighbor activate
  neighbor $neighbor send-community both
  $role
 exit-address-family
 address-family ipv6 vpn
  neighbor $neighbor activate
  neighbor $neighbor send-community both
  $role
 exit-address-family
exit
router bgp 65000 vrf red
 no bgp network import-check
 address-family ipv4 unicast
  rd vpn export 65000:4
  rt vpn export 65000:100
  nexthop vpn export 10.8.0.4
  export vpn
 exit-address-family
 address-family ipv6 unicast
  rd vpn export 65000:4
  rt vpn export 65000:100
  export vpn
 exit-address-family
exit
END
    chmod 644 "$dir/bgpd.conf"
    chown nobody:nogroup "$dir/run"
    background daemon setpriv --reuid=nobody --regid=nogroup --clear-groups "$binary" -S -n -Z \
        -f "$dir/bgpd.conf" -i "$dir/run/bgpd.pid" -p 1790 -l $address --vty_socket "$dir/run" -P 0
    daemon_pid=$pid
    within 20 test -S "$dir/run/bgpd.vty"
}
vty() { vtysh --vty_socket "$dir/run" -d bgpd "$@"; }
family() { case $1 in *:*) echo ipv6 ;; *) echo ipv4 ;; esac; }
configure() { # PREFIX LINE...
    local lines=(-c 'configure terminal' -c 'router bgp 65000 vrf red')
    lines+=(-c "address-family $(family "$1") unicast")
    shift
    for line in "$@"; do lines+=(-c "$line"); done
    vty "${lines[@]}"
}
show() { vty -c "show bgp $(family "$1") vpn" | tr -s '\n ' '  '; }
knows() { show "$2" | grep -qE "Distinguisher: 65000:$1 [^D]*$2[^D]*EC\{65000:100\} label=$3 "; }
lacks() { without "$2" show "$2"; }
originate() { configure "$1" "label vpn export $2" "network $1"; } # PREFIX LABEL
unoriginate() { configure "$1" "no network $1"; }
# After a restart it may keep End-of-RIB back until it has something to send.
nudge() { originate 10.4.0.0/24 $((4004 + $1)); }
ask_again() { vty -c 'clear bgp ipv4 vpn 10.8.0.1 soft in'; }
