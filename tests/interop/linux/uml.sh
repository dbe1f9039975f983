# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh. Guests: user-mode Linux kernels that see this machine's files, read-only,
# and nothing of it but a TAP in a namespace.
here_linux=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
declare -A guest_pid guest_address

guest_impossible() { # program...
    local program
    [ "$(uname -m)" = x86_64 ] || { echo "user-mode Linux runs on x86-64 only"; return; }
    [ -x /usr/bin/linux.uml ] || { echo "needs package user-mode-linux"; return; }
    for program in python3 pgrep modprobe "$@"; do
        [ -n "$(PATH=$PATH:/usr/sbin:/sbin command -v "$program")" ] ||
            { echo "needs $program"; return; }
    done
}

# Only x87 and SSE survive a switch between the guest's processes (uml_launch.c).
no_avx=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX512CD,-AVX512DQ,-AVX_Fast_Unaligned_Load
no_avx+=,-ERMS,-FSRM,-FMA,-BMI2,-XSAVE,-XSAVEC,-RTM

# Boots a guest, which then takes commands. SETUP, on standard input, is sourced in it; its first
# network device, vec0, is the TAP.
guest_start() { # NAME NAMESPACE BRIDGE ADDRESS
    local name=$1 namespace=$2 bridge=$3 share=$dir/$1.guest
    guest_address[$name]="$prefix$namespace $4"
    mkdir "$share"
    cat >"$share/setup"
    ip -n "$prefix$namespace" tuntap add "t-$name" mode tap
    ip -n "$prefix$namespace" link set "t-$name" master "$bridge" up
    # Its memory is a file, which is best in memory.
    TMPDIR=$([ -w /dev/shm ] && echo /dev/shm || echo "$dir") ip netns exec "$prefix$namespace" "$uml_launch" /usr/bin/linux.uml mem=256M \
        rootfstype=hostfs rootflags=/ ro quiet init="$here_linux/guest-init.sh" \
        SHARE="$share" HERE="$here_linux" umid="$name" uml_dir="$dir/uml" noreboot \
        GLIBC_TUNABLES="glibc.cpu.hwcaps=$no_avx" \
        OPENSSL_ia32cap="~0x1000000000000000:~0xffffffffffffffff" con=null con0=null,fd:1 \
        "vec0:transport=tap,ifname=t-$name,depth=128,gro=0" \
        </dev/null >"$dir/$name-console.log" 2>&1 &
    guest_pid[$name]=$!
    until_true 60 guest_is_settled "$name" && guest_is_up "$name" ||
        fail "guest $name does not start"
}
guest_is_up() { [ -e "$dir/$1.guest/ready" ] && guest "$1" true >/dev/null 2>&1; }
guest_is_settled() { guest_is_up "$1" || ! kill -0 "${guest_pid[$1]}" 2>/dev/null; }

guest() { # NAME shell...
    local name=$1 at
    shift
    read -ra at <<<"${guest_address[$name]}"
    ip netns exec "${at[0]}" python3 -B "$here_linux/guest.py" ask "${at[1]}" "$*"
}
guest_shows() { # NAME PATTERN shell...
    local name=$1 pattern=$2
    shift 2
    shows "$pattern" guest "$name" "$@"
}

# A guest's processes are the kernel's children.
guest_stop() { # NAME
    local pid=${guest_pid[$1]:-} children
    [ -n "$pid" ] || return 0
    children=$(pgrep -P "$pid")
    kill -9 "$pid" $children
    wait "$pid"
    unset "guest_pid[$1]"
} 2>/dev/null

# In place of namespaces_end, so that guests end too.
guests_begin() {
    namespaces_begin
    trap guests_end EXIT
}
guests_end() {
    local status=$? name
    set +e
    for name in "${!guest_pid[@]}"; do guest_stop "$name"; done
    (exit $status)
    namespaces_end
}
