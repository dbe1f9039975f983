#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The first process of a guest, which must never end. The kernel's command line gives it SHARE, a
# directory of the host that it may write to, HERE, the host's directory of this file, and variables
# that keep programs from using AVX. SHARE/setup makes the guest what the test wants.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for place in /run /tmp /var/tmp /var/log /mnt; do mount -t tmpfs tmpfs $place; done
mkdir -p /mnt/share /mnt/here /run/lock
mount -t hostfs none /mnt/share -o "$SHARE"
mount -r -t hostfs none /mnt/here -o "$HERE"

# The modules are not where modprobe looks, and the kernel starts it without our variables.
release=$(uname -r)
mkdir -p /run/modules/lib/modules
ln -s "/usr/lib/uml/modules/$release" "/run/modules/lib/modules/$release"
cat >/run/load-modules <<END
#!/bin/sh
export GLIBC_TUNABLES='$GLIBC_TUNABLES'
exec /sbin/modprobe -d /run/modules "\$@"
END
chmod +x /run/load-modules
echo /run/load-modules >/proc/sys/kernel/modprobe
# What the kernel would ask for under names that the wrapper finds only now and then.
/run/load-modules -a ip_gre ip6_gre vrf dummy mpls_router mpls_iptunnel mpls_gso esp4 esp6 xfrm_user xfrm_algo \
    gcm ctr ghash-generic seqiv echainiv drbg jitterentropy_rng chacha20poly1305 hmac \
    iptable_filter ip6table_filter xt_NFLOG nf_log_syslog nfnetlink_log udp_diag 2>&1

ip link set lo up
. /mnt/share/setup
python3 -B /mnt/here/guest.py serve &
echo up >/mnt/share/ready
sync -f /mnt/share/ready
while :; do wait; sleep 60; done
