#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two IKEv2 engines on virtual time, through the installed headers and shared object.

They set up an IKE SA and a Child SA for GRE with a pre-shared key, rekey the Child SA, and delete
all; both ends must hold the same keys at each stage.
"""
import hashlib
import ipaddress

from labelmesh import load

ikev2 = load("ikev2")
ffi, lib = ikev2.ffi, ikev2.lib
PSK = b"a key that both know"


def check(rc):
    if rc < 0:
        raise RuntimeError(ffi.string(lib.ikev2_rc_name(rc)).decode())
    return rc


def address(text, port=0):
    a = ffi.new("ikev2_addr *", {"family": lib.IKEV2_FAMILY_IPV4, "port": port})
    ffi.buffer(a.bytes)[:4] = ipaddress.ip_address(text).packed
    return a[0]


class Node:
    def __init__(self, name, ip):
        self.name, self.ip, self.log, self.keys = name, ip, [], {}
        config = ffi.new("ikev2_config *")
        check(lib.ikev2_config_init(config))
        ffi.buffer(config.seed)[:] = hashlib.sha256(name.encode()).digest()
        out = ffi.new("ikev2_engine **")
        check(lib.ikev2_engine_new(config, 0, out))
        self.engine = ffi.gc(out[0], lib.ikev2_engine_free)

    def peer(self, other):
        """How this node meets the other: names, key, path. Kept alive by self."""
        p = ffi.new("ikev2_peer *", {"struct_size": ffi.sizeof("ikev2_peer")})
        names = [ffi.from_buffer("uint8_t[]", n.name.encode()) for n in (self, other)]
        psk = ffi.from_buffer("uint8_t[]", PSK)
        self.kept = names, psk
        for identity, name in zip((p.local_id, p.peer_id), names):
            identity.type, identity.bytes, identity.len = lib.IKEV2_ID_FQDN, name, len(name)
        p.local_psk, p.local_psk_len = psk, len(psk)
        return p

    def events(self):
        event = ffi.new("ikev2_event *")
        while check(lib.ikev2_engine_poll_event(self.engine, event)) == lib.IKEV2_YES:
            self.log.append(event.kind)
            if event.kind in (lib.IKEV2_EVENT_CHILD_IN, lib.IKEV2_EVENT_CHILD_OUT):
                child = ffi.new("ikev2_child_info *",
                                {"struct_size": ffi.sizeof("ikev2_child_info")})
                check(lib.ikev2_engine_get_child(self.engine, event.child_id, child))
                self.child = event.child_id
                self.keys[child.spi_in] = bytes(ffi.buffer(child.key_in, child.key_in_len))
                self.keys[child.spi_out] = bytes(ffi.buffer(child.key_out, child.key_out_len))
            elif event.kind == lib.IKEV2_EVENT_IKE_SA_UP:
                self.sa = event.sa_id

    def outputs(self):
        sent = False
        buf, out = ffi.new("uint8_t[4096]"), ffi.new("ikev2_output *")
        while check(lib.ikev2_engine_poll_output(self.engine, now, buf, 4096, out)):
            other = next(n for n in nodes if n is not self)
            path = ffi.new("ikev2_path *", {"local": out.path.peer, "peer": out.path.local})
            lib.ikev2_engine_input(other.engine, now, path, buf, out.len)
            sent = True
        return sent


def run(ms):
    global now
    end = now + ms
    while now < end:
        busy = True
        while busy:
            for node in nodes:
                node.events()
            busy = any([node.outputs() for node in nodes])
        now = min(max(min(lib.ikev2_engine_deadline(n.engine) for n in nodes), now + 1), end)
        for node in nodes:
            check(lib.ikev2_engine_timeout(node.engine, now))


now = 0
a, b = nodes = Node("a.example.net", "192.0.2.1"), Node("b.example.net", "192.0.2.2")

profile, number = b.peer(a), ffi.new("uint64_t *")
check(lib.ikev2_engine_add_profile(b.engine, now, profile, number))
request = a.peer(b)
request.path.local, request.path.peer = address(a.ip, 500), address(b.ip, 500)
check(lib.ikev2_engine_initiate(a.engine, now, request, number))
run(1000)
assert lib.IKEV2_EVENT_IKE_SA_UP in a.log and lib.IKEV2_EVENT_IKE_SA_UP in b.log
assert len(a.keys) == 2 and a.keys == b.keys, "both ends hold the same two keys"

check(lib.ikev2_engine_rekey_child(a.engine, now, a.child))
run(1000)
assert len(a.keys) == 4 and a.keys == b.keys, "and the same two new ones after a rekey"

check(lib.ikev2_engine_delete_ike(a.engine, now, a.sa))
run(1000)
assert b.log[-1] == lib.IKEV2_EVENT_IKE_SA_DOWN, "the peer heard of the end"
print(f"two Child SAs, keys equal at both ends: SPIs {', '.join(f'{s:08x}' for s in sorted(a.keys))}")
