# SPDX-License-Identifier: Apache-2.0
# Sourced in the guest: a DMVPN router out of the kernel and FRR.
#
#   vec0   198.51.100.1/24                        the NBMA network
#   gre1   10.0.0.1, 2001:db8::1, mGRE key 42     the tunnel
#   lan0   192.168.1.1/24, 2001:db8:1::1/64       a customer network, in VRF red
#   label 100 leads into VRF red
nbma=198.51.100.1

router_network() {
    # An IPv6 address of vec0 would come late, and make nhrpd forget all that it knows.
    sysctl -qw net.ipv6.conf.vec0.disable_ipv6=1
    ip addr add $nbma/24 dev vec0
    ip link set vec0 up
    # Without a remote address: where packets go is in the neighbour table.
    ip tunnel add gre1 mode gre key 42 ttl 64 local $nbma
    ip addr add 10.0.0.1/32 dev gre1
    ip addr add 2001:db8::1/128 dev gre1
    ip link set gre1 mtu 1400 up
    # Where there is an IPv6 address that is not a host, such as fe80::/64, nhrpd wants none of them.
    ip -6 addr flush dev gre1 scope link
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
        net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.gre1.rp_filter=0
}

# The same over IPv6, where vec0 is 2001:db8:ffff::1; to one peer, since over IPv6 the kernel finds no
# neighbour for anything but IPv6.
router_network6() {
    nbma=2001:db8:ffff::1
    ip addr add 198.51.100.1/24 dev vec0
    ip addr add $nbma/64 dev vec0 nodad
    ip link set vec0 up
    ip link add gre1 type ip6gre key 42 ttl 64 local $nbma remote 2001:db8:ffff::2 encaplimit none
    ip addr add 10.0.0.1/32 dev gre1
    ip addr add 2001:db8::1/128 dev gre1
    ip link set gre1 mtu 1400 up
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0
}

router_mpls() {
    sysctl -qw net.mpls.platform_labels=100000 net.mpls.conf.gre1.input=1 net.mpls.conf.lo.input=1
    ip link add red type vrf table 10
    ip link set red up
    ip link add lan0 type dummy
    ip link set lan0 master red
    ip addr add 192.168.1.1/24 dev lan0
    ip addr add 2001:db8:1::1/64 dev lan0 nodad
    ip link set lan0 up
    ip -f mpls route add 100 dev red
}

# VRF red by BGP with 10.0.0.2, whose routes lead into the tunnel; the session itself goes beside it,
# by this NBMA address.
router_bgpd() { # NBMA
    ip route add 10.0.0.2/32 via "$1" dev vec0 table 100
    ip rule add to 10.0.0.2 ipproto tcp sport 179 lookup 100
    cat >/run/frr/bgpd.conf <<END
route-map TUNNEL permit 10
 set l3vpn next-hop encapsulation gre
exit
router bgp 65000
 bgp router-id 10.0.0.1
 no bgp default ipv4-unicast
 neighbor 10.0.0.2 remote-as 65000
 neighbor 10.0.0.2 passive
 neighbor 10.0.0.2 timers 3 9
 address-family ipv4 vpn
  neighbor 10.0.0.2 activate
  neighbor 10.0.0.2 route-map TUNNEL in
 exit-address-family
exit
router bgp 65000 vrf red
 address-family ipv4 unicast
  redistribute connected
  label vpn export auto
  rd vpn export 65000:10
  rt vpn both 65000:10
  export vpn
  import vpn
 exit-address-family
exit
END
    chown frr:frr /run/frr/bgpd.conf
    /usr/lib/frr/bgpd -d -f /run/frr/bgpd.conf -i /run/frr/bgpd.pid -A 127.0.0.1
}

# Reports, to nhrpd, packets that leave by the tunnel that they came in by.
router_redirects() {
    local tables
    for tables in iptables-legacy ip6tables-legacy; do
        $tables -A FORWARD -i gre1 -o gre1 -j NFLOG --nflog-group 1 --nflog-size 128
    done
}

router_daemon() { # DAEMON
    /usr/lib/frr/"$1" -d -f /run/frr/frr.conf -i "/run/frr/$1.pid" -A 127.0.0.1
}

# nhrpd with these lines of the tunnel's configuration; once more: anew.
router_nhrpd() { # line...
    mkdir -p /run/frr
    if [ -s /run/frr/nhrpd.pid ]; then
        kill -9 "$(cat /run/frr/nhrpd.pid)"
        ip neigh flush dev gre1
    fi
    {
        printf '%s\n' "log file /run/frr/frr.log debugging" "debug nhrp all" "nhrp nflog-group 1" \
            "interface gre1"
        printf ' %s\n' "$@"
        echo exit
    } >/run/frr/frr.conf
    chown -R frr:frr /run/frr
    [ -s /run/frr/zebra.pid ] || router_daemon zebra
    router_daemon nhrpd
}

# What belongs to UDP port 4500 decides that ESP is in it: nobody else does, where there is no IKE.
router_nat_port() {
    setsid python3 -c 'import socket, time
UDP_ENCAP, UDP_ENCAP_ESPINUDP = 100, 2
address = "'$nbma'"
family = socket.AF_INET6 if ":" in address else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
s.bind((address, 4500))
s.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
time.sleep(3600)' </dev/null >/dev/null 2>&1 &
}

# GRE with the peer, and nothing else, goes in ESP, and comes in it. Keys with the salt, in hex.
router_esp() { # PEER raw|udp ALGORITHM KEY_IN KEY_OUT [option...]
    local peer=$1 carriage=$2 algorithm=$3 key_in=$4 key_out=$5 encapsulation= aead icv=128
    local any=0.0.0.0 bits=32
    shift 5
    [[ $peer != *:* ]] || any=:: bits=128
    case $algorithm in
    gcm*) aead='rfc4106(gcm(aes))' ;;
    chacha20) aead='rfc7539esp(chacha20,poly1305)' ;;
    esac
    [ "$carriage" = raw ] || encapsulation="encap espinudp 4500 4500 $any"
    ip xfrm state flush
    ip xfrm policy flush
    ip xfrm state add src "$peer" dst $nbma proto esp spi 0x1001 reqid 1 mode transport "$@" \
        aead "$aead" "0x$key_in" $icv $encapsulation
    ip xfrm state add src $nbma dst "$peer" proto esp spi 0x2001 reqid 1 mode transport "$@" \
        aead "$aead" "0x$key_out" $icv $encapsulation
    ip xfrm policy add src $nbma/$bits dst "$peer/$bits" proto gre dir out \
        tmpl src $nbma dst "$peer" proto esp reqid 1 mode transport
    ip xfrm policy add src "$peer/$bits" dst $nbma/$bits proto gre dir in \
        tmpl src "$peer" dst $nbma proto esp reqid 1 mode transport
}

# strongSwan's charon, for GRE in transport mode; the kernel does the ESP.
router_charon() {
    cat >/run/strongswan.conf <<END
charon {
  load = random nonce openssl sha1 sha2 hmac kdf curve25519 kernel-netlink socket-default vici updown
  install_routes = no
  plugins {
    vici {
      socket = unix:///run/charon.vici
    }
  }
  filelog {
    log {
      path = /run/charon.log
      default = 1
      ike = 2
      chd = 2
      flush_line = yes
    }
  }
}
END
    cat >/run/swanctl.conf <<END
connections {
  dmvpn {
    version = 2
    local_addrs = $nbma
    remote_addrs = 198.51.100.2
    proposals = aes128gcm16-prfsha256-x25519
    local {
      auth = psk
      id = router.test
    }
    remote {
      auth = psk
      id = a.test
    }
    children {
      gre {
        mode = transport
        local_ts = dynamic[gre]
        remote_ts = dynamic[gre]
        esp_proposals = aes128gcm16-esn-noesn
        start_action = none
      }
    }
  }
}
secrets {
  ike-1 {
    id-a = a.test
    id-b = router.test
    secret = "an interop key"
  }
}
END
    STRONGSWAN_CONF=/run/strongswan.conf setsid /usr/lib/ipsec/charon </dev/null >/run/charon.out 2>&1 &
    for _ in $(seq 100); do [ ! -S /run/charon.vici ] || break; sleep 0.1; done
    router_swan --load-all --noprompt --file /run/swanctl.conf
}
router_swan() { # VERB option...
    local verb=$1
    shift
    STRONGSWAN_CONF=/run/strongswan.conf swanctl "$verb" --uri unix:///run/charon.vici "$@"
}
