#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MPLS VPN forwarding: a customer's packet gets its label at one node and loses it at the next."""
import labelmesh

mplsvpn = labelmesh.load("mplsvpn")
CUSTOMER = 7  # a VRF
TUNNEL = 1  # the interface between the two nodes
LABEL = 200  # what spoke2 advertised for 10.2.2.0/24
HEADROOM = mplsvpn.LABEL_BYTES
# UDP from 10.1.1.101 to 10.2.2.102, TTL 64.
PACKET = bytes.fromhex("4500001c00000000401163040a0101650a020266") + bytes(8)


def new_node(seed):
    table = mplsvpn.new("table", mplsvpn.struct("config", seed=seed))
    mplsvpn.vrf_add(table, CUSTOMER)
    mplsvpn.interface_set(table, TUNNEL, CUSTOMER)
    return table, mplsvpn.new("reader", table)


def add_route(table, prefix, **hop):
    mplsvpn.route_set(table, CUSTOMER, mplsvpn.address(prefix), mplsvpn.struct("hop", **hop))


# What each has learned: spoke1 pushes the label into the tunnel; at spoke2 it names the VRF, which
# packets from the tunnel may enter.
table1, reader1 = new_node(bytes([1] * 32))
add_route(table1, "10.2.2.0/24", kind=mplsvpn.HOP_TUNNEL, interface_id=TUNNEL, label_count=1,
          labels=[LABEL])
table2, reader2 = new_node(bytes([2] * 32))
add_route(table2, "10.2.2.0/24", kind=mplsvpn.HOP_LOCAL)
mplsvpn.interface_allow(table2, TUNNEL, CUSTOMER)
mplsvpn.label_reserve(table2, 0, LABEL)
mplsvpn.label_bind(table2, LABEL, mplsvpn.struct("hop", kind=mplsvpn.HOP_VRF, vrf=CUSTOMER))
print("LFIB: label", LABEL, "leads to VRF", table2.lookup(TUNNEL, LABEL).vrf)

# spoke1: the customer's route, then its label in front of the packet.
buffer = bytearray(HEADROOM) + PACKET
hop = mplsvpn.ip_input(reader1, CUSTOMER, PACKET, len(PACKET))
sent = mplsvpn.packet_push(reader1, hop, buffer, HEADROOM, len(PACKET))
wire = bytes(buffer[sent.offset:][: sent.len])
top = mplsvpn.label_decode(wire, len(wire))
print(f"sent on interface {hop.interface_id}: {wire[:HEADROOM].hex()}, "
      f"label {top.value} class {top.tc} bottom {top.bottom} TTL {top.ttl}")

# spoke2: the label names the VRF, the VRF has the route.
buffer = bytearray(wire)
got, hop = mplsvpn.label_input(reader2, TUNNEL, buffer, 0, len(buffer))
inner = bytes(buffer[got.offset:][: got.len])
assert hop.kind == mplsvpn.HOP_VRF
route = mplsvpn.ip_input(reader2, hop.vrf, inner, len(inner))
assert route.kind == mplsvpn.HOP_LOCAL
print(f"label {got.label} popped, delivered in VRF {route.vrf}: {inner[:20].hex()}")


def refused(what, interface, entry):
    buffer = bytearray.fromhex(entry) + PACKET
    try:
        mplsvpn.label_input(reader2, interface, buffer, 0, len(buffer))
    except labelmesh.Error as error:
        print(f"{what}: {error}")


refused("label 201", TUNNEL, "000c913f")
refused("interface 2", 2, "000c813f")
refused("17 labels", TUNNEL, "000c803f" * 17)
drops = reader2.get_counters()
print(f"dropped: {drops.drop_no_label} no label, {drops.drop_not_allowed} not allowed, "
      f"{drops.drop_depth} too deep")
