# SPDX-License-Identifier: Apache-2.0
# BIRD 2. With "next hop self" all its routes have label 3, so they have a gateway, and its label.
binary=/usr/sbin/bird package=bird2
cannot=([targets]="does not speak it" [read6]="wants an IPv6 next hop" [reflect6]="wants an IPv6 next hop")

start() { # client|reflector
    role=$1
    : >"$dir/routes4"
    : >"$dir/routes6"
    write_configuration
    rm -f "$dir/ctl"
    background daemon "$binary" -f $([ "$1" != again ] || echo -R) -c "$dir/bird.conf" -s "$dir/ctl"
    daemon_pid=$pid
    within 20 ask show status
}
write_configuration() {
    local address=10.8.0.4 reflector=10.8.0.1
    case $role in
    six) address=2001:db8:8::4 reflector=2001:db8:8::1 ;;
    reflector) address=10.8.0.1 ;;
    esac
    {
        cat <<END
log stderr all;
graceful restart wait 5;
router id 10.8.0.${address##*[.:]};
vpn4 table routes4;
vpn6 table routes6;
protocol device {}
protocol static own4 {
    vpn4 { table routes4; };
$(cat "$dir/routes4")
}
protocol static own6 {
    vpn6 { table routes6; };
$(cat "$dir/routes6")
}
protocol bgp session {
    local $address port 1790 as 65000;
    strict bind yes;
    vpn4 mpls { table routes4; import all; export all; };
    vpn6 mpls { table routes6; import all; export all; };
END
        if [ "$role" != reflector ]; then
            cat <<END
    neighbor $reflector port 1790 as 65000;
    multihop;
    connect delay time 1;
    connect retry time 1;
    error wait time 1, 2;
    $([ "$role" != graceful ] && [ "$role" != again ] || echo "graceful restart yes;")
}
END
        else
            cat <<END
    neighbor range 10.8.0.0/24 as 65000;
    multihop;
    passive;
    rr client;
    rr cluster id 10.8.0.1;
    dynamic name "client";
}
END
        fi
    } >"$dir/bird.conf"
}
ask() { birdc -s "$dir/ctl" "$@"; }
number() { case $1 in *:*) echo 6 ;; *) echo 4 ;; esac; }
gateway() { case $1 in *:*) echo 2001:db8:9::9 ;; *) echo 10.9.0.9 ;; esac; }
show() { ask show route all table "routes$(number "$1")" | tr -s '\n\t ' '   '; }
knows() {
    show "$2" | grep -qE \
        "65000:$1 $2 [^*]*\* [^*]*\(rt, 65000, 100\) +BGP.mpls_label_stack: $3( |$)"
}
lacks() { without "65000:$1 $2" show "$2"; }
originate() { # PREFIX LABEL
    echo "    route 65000:4 $1 via $(gateway "$1") mpls $2" \
        "{ bgp_ext_community.add((rt, 65000, 100)); };" >"$dir/routes$(number "$1")"
    write_configuration
    ask configure
}
unoriginate() {
    : >"$dir/routes$(number "$1")"
    write_configuration
    ask configure
}
ask_again() { ask reload in session; }
