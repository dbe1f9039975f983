#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""NHRP: a hub redirects spoke1 to spoke2, with the labels of a VRF; three engines, virtual time.

spoke1 has 10.1.1.0/24 behind it (its label 100), spoke2 10.2.2.0/24 (label 200), and the hub
advertises 10.0.0.0/8 (label 10000), all in one VRF. docs/nhrp.md draws the exchange.
"""
import labelmesh

nhrp = labelmesh.load("nhrp")
CUSTOMER = 7  # the VRF
# UDP from 10.1.1.101 to 10.2.2.102, as the hub has seen it go back where it came from.
PACKET = bytes.fromhex("4500001c00000000401163040a0101650a020266") + bytes(8)
TYPES = {nhrp.RESOLUTION_REQUEST: "Resolution Request", nhrp.RESOLUTION_REPLY: "Resolution Reply",
         nhrp.TRAFFIC_INDICATION: "Traffic Indication"}


class Node:
    """An engine, and the peer at the other end of each of its links."""

    def __init__(self, name, tunnel, nbma):
        self.name, self.tunnel, self.nbma, self.peers = name, tunnel, nbma, {}
        # In earnest the seed is os.urandom(32); here the run shall repeat.
        self.engine = nhrp.new("engine", nhrp.struct("config", seed=name.encode().ljust(32)), now)
        self.engine.interface_add(now, 1, nhrp.struct("interface_config"))

    def connect(self, link, peer):
        self.peers[link] = peer
        self.engine.link_up(now, link, nhrp.struct(
            "link_config", interface=1,
            local_nbma=nhrp.address(self.nbma), peer_nbma=nhrp.address(peer.nbma),
            local_protocol_ipv4=nhrp.address(self.tunnel),
            peer_protocol_ipv4=nhrp.address(peer.tunnel)))

    def link_to(self, peer):
        return next(link for link, other in self.peers.items() if other is peer)

    def route(self, question):
        """What the node's routing tables say: the answer to a route question."""
        match self.name, question.purpose:
            case "hub", nhrp.PURPOSE_REDIRECT:  # the route of the packet's source
                kind, to, prefix, label = nhrp.ROUTE_FORWARD, spoke1, "10.1.1.0/24", 100
            case "spoke1", nhrp.PURPOSE_INDICATION:  # the way that packets have taken so far
                kind, to, prefix, label = nhrp.ROUTE_FORWARD, hub, "10.0.0.0/8", 10000
            case "hub", nhrp.PURPOSE_REQUEST:  # on, with the label of the next hop
                kind, to, prefix, label = nhrp.ROUTE_FORWARD, spoke2, "10.2.2.0/24", 200
            case "spoke2", nhrp.PURPOSE_REQUEST:  # here it is
                kind, to, prefix, label = nhrp.ROUTE_LOCAL, None, "10.2.2.0/24", 200
            case "spoke1", nhrp.PURPOSE_REPLY:  # take what is offered
                kind, to, prefix, label = nhrp.ROUTE_LOCAL, None, "10.2.2.0/24", 0
            case _:
                return nhrp.struct("route")  # none
        return nhrp.struct("route", kind=kind, link=self.link_to(to) if to else 0, vrf=CUSTOMER,
                           flags=nhrp.ROUTE_SOURCE_LOCAL | nhrp.ROUTE_RECENT,
                           labels=[label], label_count=1 if label else 0,
                           prefix=nhrp.address(prefix, scope=CUSTOMER))

    def apply(self, event):
        if event.kind == nhrp.EVENT_ASK_ROUTE:
            question = self.engine.get_question(event.ask_id)
            self.engine.answer_route(now, event.ask_id, self.route(question))
        elif event.kind == nhrp.EVENT_ASK_TUNNEL:  # IKEv2's work; here it is up at once
            print(self.name, "brings a tunnel up to",
                  nhrp.text(self.engine.get_question(event.ask_id).nbma))
            spoke1.connect(2, spoke2)
            spoke2.connect(2, spoke1)
        elif event.kind == nhrp.EVENT_MAPPING_UP:
            mapping = self.engine.get_mapping(event.id)
            print(f"{self.name} maps {nhrp.text(mapping.prefix)} to {nhrp.text(mapping.nbma)},",
                  "labels", *mapping.labels[0:mapping.label_count])
        elif event.kind == nhrp.EVENT_MAPPING_DOWN:
            prefix = self.engine.get_mapping(event.id).prefix
            print(f"{self.name} forgets {nhrp.text(prefix)} after {now // 1000} s")


def show(node, peer, packet):
    """A packet's type and its label extensions: type, length, value."""
    decoded = nhrp.packet_decode(packet, len(packet))
    print(f"{node.name} to {peer.name}: {TYPES[decoded.type]}")
    position = nhrp.ffi.new("size_t *")
    while extension := nhrp.extension_next(decoded, position):
        if nhrp.label_check(extension, nhrp.OUI_DEFAULT) == nhrp.YES:
            value = nhrp.bytes(extension.value, extension.len)
            print(f"    {extension.type:04x}{extension.len:04x}{value.hex()}")


def deliver(node, link, packet):
    """The wire."""
    peer = node.peers[link]
    show(node, peer, packet)
    sent.append(packet)
    peer.engine.input(now, peer.link_to(node), None, packet, len(packet))


def exchange():
    """Events first, then outputs, until nobody sends any more."""
    before = -1
    while before != len(sent):
        before = len(sent)
        for node in nodes:
            for event in node.engine.events():
                node.apply(event)
            for output, packet in node.engine.outputs(now):
                deliver(node, output.link, packet)


def run(until):
    """The loop of docs/loop.md, with deadlines in place of a clock."""
    global now
    exchange()
    while (due := min(node.engine.deadline() for node in nodes)) <= until:
        now = max(now, due)
        for node in nodes:
            node.engine.timeout(now)
        exchange()
    now = until


now, sent = 0, []
hub = Node("hub", "172.16.1.1", "192.168.1.1")
spoke1 = Node("spoke1", "172.16.1.11", "192.168.1.11")
spoke2 = Node("spoke2", "172.16.1.12", "192.168.1.12")
nodes = [hub, spoke1, spoke2]
for number, spoke in enumerate((spoke1, spoke2), 1):
    hub.connect(number, spoke)
    spoke.connect(1, hub)

hub.engine.hairpin(now, 1, 2, nhrp.ffi.new("uint32_t[]", [10000]), 1, PACKET, len(PACKET))
run(until=600_000)

damaged = bytearray(sent[0])
damaged[-1] ^= 1
try:
    hub.engine.input(now, 1, None, damaged, len(damaged))
except labelmesh.Error as error:
    print("a damaged packet:", error)
