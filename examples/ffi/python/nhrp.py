#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three NHRP engines on virtual time, through the installed headers and shared object.

Two spokes register with a hub; spoke 1 resolves a prefix behind spoke 2 and gets its NBMA address
and label. The caller's loop is docs/loop.md's; this file only answers what the engines ask.
"""
import hashlib
import ipaddress
import sys

from labelmesh import load

nhrp = load("nhrp")
ffi, lib = nhrp.ffi, nhrp.lib
NEVER = 2**64 - 1
VRF = 7
HUB_LABEL, SPOKE2_LABEL = 10001, 20002  # what each advertised by BGP for 10.0.0.0/8, 10.2.2.0/24


def check(rc):
    if rc < 0:
        raise RuntimeError(ffi.string(lib.nhrp_rc_name(rc)).decode())
    return rc


def address(text, scope=0):
    network = ipaddress.ip_interface(text)
    raw = network.ip.packed
    a = ffi.new("nhrp_addr *", {"family": 4 if len(raw) == 4 else 6, "scope": scope})
    if "/" in text:
        a.prefix_len = network.network.prefixlen
    ffi.buffer(a.bytes)[: len(raw)] = raw
    return a[0]


def text(a):
    return str(ipaddress.ip_address(bytes(ffi.buffer(a.bytes))[: 4 if a.family == 4 else 16]))


class Node:
    """An engine and the answers that its router would give."""

    def __init__(self, name, tunnel, nbma, flags):
        self.name, self.tunnel, self.nbma = name, tunnel, nbma
        self.peers, self.mappings, self.registered = {}, [], 0
        config = ffi.new("nhrp_config *")
        check(lib.nhrp_config_init(config))
        ffi.buffer(config.seed)[:] = hashlib.sha256(name.encode()).digest()
        out = ffi.new("nhrp_engine **")
        check(lib.nhrp_engine_new(config, 0, out))
        self.engine = ffi.gc(out[0], lib.nhrp_engine_free)
        interface = ffi.new("nhrp_interface_config *")
        check(lib.nhrp_interface_config_init(interface))
        interface.flags = flags
        check(lib.nhrp_engine_interface_add(self.engine, 0, 1, interface))

    def connect(self, link, peer, flags=0):
        self.peers[link] = peer
        config = ffi.new("nhrp_link_config *")
        check(lib.nhrp_link_config_init(config))
        config.interface, config.flags, config.vrf = 1, flags, VRF
        config.local_nbma, config.peer_nbma = address(self.nbma), address(peer.nbma)
        config.local_protocol_ipv4 = address(self.tunnel)
        config.peer_protocol_ipv4 = address(peer.tunnel)
        check(lib.nhrp_engine_link_up(self.engine, now, link, config))

    def link_to(self, peer):
        return next(link for link, other in self.peers.items() if other is peer)

    def answer(self, event):
        question = ffi.new("nhrp_question *", {"struct_size": ffi.sizeof("nhrp_question")})
        check(lib.nhrp_engine_get_question(self.engine, event.ask_id, question))
        route = ffi.new("nhrp_route *")
        check(lib.nhrp_route_init(route))
        route.vrf, route.prefix = VRF, address("10.2.2.0/24", VRF)
        if question.purpose == lib.NHRP_PURPOSE_RESOLVE:
            route.kind, route.link = lib.NHRP_ROUTE_FORWARD, self.link_to(hub)
            route.label_count, route.labels[0] = 1, HUB_LABEL
        elif question.purpose == lib.NHRP_PURPOSE_REQUEST and self is hub:
            assert list(question.labels[0:1]) == [HUB_LABEL], "the label names the VRF"
            route.kind, route.link = lib.NHRP_ROUTE_FORWARD, self.link_to(spoke2)
            route.label_count, route.labels[0] = 1, SPOKE2_LABEL
        elif question.purpose == lib.NHRP_PURPOSE_REQUEST:
            assert list(question.labels[0:1]) == [SPOKE2_LABEL], "the hub swapped the label"
            route.kind, route.label_count, route.labels[0] = lib.NHRP_ROUTE_LOCAL, 1, SPOKE2_LABEL
        elif question.purpose == lib.NHRP_PURPOSE_REPLY:
            route.kind = lib.NHRP_ROUTE_LOCAL
        elif question.purpose == lib.NHRP_PURPOSE_TRANSIT:
            peer = next(p for p in self.peers.values() if p.tunnel == text(question.destination))
            route.kind, route.link = lib.NHRP_ROUTE_FORWARD, self.link_to(peer)
        check(lib.nhrp_engine_answer_route(self.engine, now, event.ask_id, route))

    def bring_up(self):
        """A tunnel between the spokes: each end gets a link."""
        peer = spoke1 if self is spoke2 else spoke2
        for a, b in ((self, peer), (peer, self)):
            if b not in a.peers.values():
                a.connect(2, b)

    def events(self):
        event = ffi.new("nhrp_event *")
        while check(lib.nhrp_engine_poll_event(self.engine, event)) == lib.NHRP_YES:
            if event.kind == lib.NHRP_EVENT_ASK_ROUTE:
                self.answer(event)
            elif event.kind == lib.NHRP_EVENT_ASK_TUNNEL:
                self.bring_up()
            elif event.kind == lib.NHRP_EVENT_REGISTERED:
                self.registered += 1
            elif event.kind == lib.NHRP_EVENT_MAPPING_UP:
                m = ffi.new("nhrp_mapping *", {"struct_size": ffi.sizeof("nhrp_mapping")})
                check(lib.nhrp_engine_get_mapping(self.engine, event.id, m))
                self.mappings.append((f"{text(m.prefix)}/{m.prefix.prefix_len}", text(m.nbma),
                                      list(m.labels[0 : m.label_count])))

    def outputs(self):
        sent = False
        buf, out = ffi.new("uint8_t[2048]"), ffi.new("nhrp_output *")
        while check(lib.nhrp_engine_poll_output(self.engine, now, buf, 2048, out)) == lib.NHRP_YES:
            peer = self.peers[out.link]
            origin = ffi.new("nhrp_addr *", address(self.nbma))
            lib.nhrp_engine_input(peer.engine, now, peer.link_to(self), origin, buf, out.len)
            sent = True
        return sent


def run(until):
    """The loop: events, outputs, then the next deadline."""
    global now
    while now < until:
        busy = True
        while busy:
            for node in nodes:
                node.events()
            busy = any([node.outputs() for node in nodes])
        due = min(lib.nhrp_engine_deadline(node.engine) for node in nodes)
        now = min(max(due, now + 1), until)
        for node in nodes:
            check(lib.nhrp_engine_timeout(node.engine, now))


now = 0
client = lib.NHRP_INTERFACE_SHORTCUT | lib.NHRP_INTERFACE_TUNNEL_FIRST
hub = Node("hub", "172.16.1.1", "192.168.1.1", lib.NHRP_INTERFACE_SERVER)
spoke1 = Node("spoke1", "172.16.1.11", "192.168.1.11", client)
spoke2 = Node("spoke2", "172.16.1.12", "192.168.1.12", client)
nodes = [hub, spoke1, spoke2]
for number, spoke in enumerate((spoke1, spoke2), 1):
    hub.connect(number, spoke)
    spoke.connect(1, hub, lib.NHRP_LINK_REGISTER)
run(5_000)
assert spoke1.registered == spoke2.registered == 1, "both spokes are registered"

mapping = ffi.new("uint64_t *")
target = ffi.new("nhrp_addr *", address("10.2.2.102", VRF))
check(lib.nhrp_engine_resolve(spoke1.engine, now, target, mapping))
run(10_000)
assert spoke1.mappings == [("10.2.2.0/24", "192.168.1.12", [SPOKE2_LABEL])], spoke1.mappings
print("spoke1 resolved 10.2.2.102:", spoke1.mappings[0])
sys.exit(0)
