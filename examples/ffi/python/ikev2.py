#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""IKEv2: two engines make a Child SA with a pre-shared key; its keys go to ESP, and are renewed.

Virtual time: a datagram arrives in the moment in which it is sent.
"""
import struct

import labelmesh

ikev2, esp = labelmesh.load("ikev2"), labelmesh.load("esp")
PSK = b"a key that both know"


class Node:
    def __init__(self, name, ip):
        self.name, self.ip, self.log = name, ip, []
        self.children = {}  # id: the ESP SAs, inbound and outbound
        # In earnest the seed is os.urandom(32); here the run shall repeat.
        self.engine = ikev2.new("engine", ikev2.struct("config", seed=name.encode().ljust(32)), now)

    def peer(self, other):
        """How this node meets the other: names, key, path."""
        def identity(node):
            return ikev2.struct("identity", type=ikev2.ID_FQDN, bytes=node.name.encode())
        path = ikev2.struct("path", local=ikev2.address(self.ip, port=500),
                            peer=ikev2.address(other.ip, port=500))
        return ikev2.struct("peer", local_id=identity(self), peer_id=identity(other),
                            local_psk=PSK, path=path)

    def apply(self, event):
        self.log.append(event.kind)
        if event.kind == ikev2.EVENT_CHILD_IN:  # a view of the keys: use it before the next call
            child = self.engine.get_child(event.child_id)
            assert (child.encr, child.key_bits) == (ikev2.ENCR_AES_GCM_16, 128)
            self.newest = event.child_id
            self.children[event.child_id] = (
                self.esp_sa(esp.DIRECTION_IN, child.spi_in, child.esn, child.key_in,
                            child.key_in_len),
                self.esp_sa(esp.DIRECTION_OUT, child.spi_out, child.esn, child.key_out,
                            child.key_out_len))
        elif event.kind == ikev2.EVENT_CHILD_REMOVE:
            del self.children[event.child_id]  # and its ESP SAs are freed
        elif event.kind == ikev2.EVENT_IKE_SA_UP:
            self.sa = event.sa_id

    def esp_sa(self, direction, spi, esn, key, key_len):
        return esp.new("sa", esp.struct("sa_config", direction=direction, spi=spi, esn=esn,
                                        keymat=ikev2.bytes(key, key_len),
                                        algorithm=esp.ALGORITHM_AES128_GCM16))


def exchange():
    """Events first, then outputs, until nobody has any."""
    busy = True
    while busy:
        busy = False
        for node in nodes.values():
            for event in node.engine.events():
                node.apply(event)
            for output, datagram in node.engine.outputs(now):
                busy = True
                arrived = ikev2.struct("path", local=output.path.peer, peer=output.path.local)
                if receiver := nodes.get(ikev2.text(output.path.peer)):
                    receiver.engine.input(now, arrived, datagram, len(datagram))


def send(payload):
    """From a to b over the newest Child SA."""
    _, sender = a.children[a.newest]
    packet = bytearray(sender.get_sealed_len(len(payload)))
    span = sender.seal(0, packet, len(packet), payload, len(payload), esp.NEXT_GRE)
    receiver, _ = b.children[b.newest]
    opened = receiver.open(0, packet, span.len)
    return bytes(packet[opened.offset:][: opened.len]).decode()


now = 0
a, b = Node("a.example.net", "192.0.2.1"), Node("b.example.net", "192.0.2.2")
nodes = {a.ip: a, b.ip: b}
b.engine.add_profile(now, b.peer(a))
a.engine.initiate(now, a.peer(b))
exchange()
assert ikev2.EVENT_IKE_SA_UP in a.log and ikev2.EVENT_IKE_SA_UP in b.log
print("IKE SA and Child SA are up:", send(b"from a to b by ESP"))

first = a.newest
a.engine.rekey_child(now, first)
exchange()
assert a.newest != first and len(a.children) == len(b.children) == 1, "the old one is removed"
print("the Child SA was rekeyed:", send(b"with new keys"))

# From elsewhere: a message of IKEv3 (RFC 7296 2.5), and one for an SA that a does not have.
origin = ikev2.struct("path", local=ikev2.address(a.ip, port=500),
                      peer=ikev2.address("192.0.2.66", port=500))
for major in 3, 2:
    informational = struct.pack("!QQ4BLL", 1, 2, 0, major << 4, 37, 0x08, 0, 28)
    try:
        a.engine.input(now, origin, informational, len(informational))
    except labelmesh.Error as error:
        print(f"a stranger's message, version {major}:", error)

a.engine.delete_ike(now, a.sa)
exchange()
assert b.log[-1] == ikev2.EVENT_IKE_SA_DOWN and not b.children
print("the IKE SA was deleted, and its Child SAs with it")
