# SPDX-License-Identifier: Apache-2.0
# GoBGP, asked by its own command over gRPC.
binary=/usr/bin/gobgpd package=gobgpd
cannot=([refresh_in]="resets softly from a copy of its own")

start() { # client|reflector
    local address=10.8.0.4 reflector=10.8.0.1
    case $1 in
    six) address=2001:db8:8::4 reflector=2001:db8:8::1 ;;
    reflector) address=10.8.0.1 ;;
    esac
    {
        cat <<END
[global.config]
  as = 65000
  router-id = "10.8.0.${address##*[.:]}"
  port = 1790
  local-address-list = ["$address"]
END
        if [ "$1" != reflector ]; then
            cat <<END
[[neighbors]]
  [neighbors.config]
    neighbor-address = "$reflector"
    peer-as = 65000
  [neighbors.transport.config]
    local-address = "$address"
    remote-port = 1790
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  [neighbors.graceful-restart.config]
    enabled = true
    restart-time = 60
    deferral-time = 3
END
            families neighbors "$1"
        else
            cat <<END
[[dynamic-neighbors]]
  [dynamic-neighbors.config]
    prefix = "10.8.0.0/24"
    peer-group = "clients"
[[peer-groups]]
  [peer-groups.config]
    peer-group-name = "clients"
    peer-as = 65000
  [peer-groups.transport.config]
    passive-mode = true
  [peer-groups.route-reflector.config]
    route-reflector-client = true
    route-reflector-cluster-id = "10.8.0.1"
END
            families peer-groups "$1"
        fi
    } >"$dir/gobgpd.toml"
    background daemon "$binary" $([ "$1" != again ] || echo -r) -f "$dir/gobgpd.toml" --api-hosts 127.0.0.1:50051 -l info
    daemon_pid=$pid
    within 20 ask global
    # What a VRF imports it asks for.
    [ "$1" != targets ] || ask vrf add red rd 65000:40 rt import 65000:100 export 65000:100
}
families() { # SECTION MODE
    local name names="l3vpn-ipv4-unicast l3vpn-ipv6-unicast"
    [ "$2" != targets ] || names="l3vpn-ipv4-unicast rtc"
    for name in $names; do
        printf '  [[%s.afi-safis]]\n    [%s.afi-safis.config]\n      afi-safi-name = "%s"\n' \
            "$1" "$1" $name
        printf '    [%s.afi-safis.mp-graceful-restart.config]\n      enabled = true\n' "$1"
    done
}
ask() { inside gobgp -p 50051 "$@"; }
table() { case $1 in *:*) echo vpnv6 ;; *) echo vpnv4 ;; esac; }
next_hop() { case $1 in *:*) echo 2001:db8:9::4 ;; *) echo 10.8.0.4 ;; esac; }
show() { ask global rib -a "$(table "$1")" | tr -s '\n ' '  '; }
knows() { show "$2" | grep -qE "65000:$1:$2 +\[$3\] [^*]*Extcomms: \[65000:100\]"; }
lacks() { without "65000:$1:$2" show "$2"; }
originate() { # PREFIX LABEL
    ask global rib add -a "$(table "$1")" "$1" label "$2" rd 65000:4 rt 65000:100 \
        nexthop "$(next_hop "$1")"
    echo "$2" >"$dir/label"
}
unoriginate() {
    ask global rib del -a "$(table "$1")" "$1" label "$(cat "$dir/label")" rd 65000:4
}
