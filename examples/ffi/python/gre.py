#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GRE: a header there and back, a tunnel with a key, and the MSS clamp."""
import struct

import labelmesh

gre = labelmesh.load("gre")

# A header is written in front of a payload that lies behind some headroom.
payload = bytes.fromhex("0006413f") + b"a labelled packet"
headroom = gre.HEADER_MAX_BYTES
buffer = bytearray(headroom) + payload
header = gre.struct("header", protocol=gre.PROTOCOL_MPLS, flags=gre.FLAG_KEY, key=42)
offset = gre.header_encode(header, buffer, headroom, len(payload))
print("header:", buffer[offset:headroom].hex())

packet = bytes(buffer[offset:])
back = gre.header_decode(packet, len(packet))
assert packet[back.header_len:] == payload
print(f"back: protocol {back.protocol:04x} key {back.key} payload at {back.header_len}")

# A tunnel takes the packets of its own key, and counts why it drops others.
with gre.new("tunnel", gre.struct("config", use_key=1, key=43)) as tunnel:
    try:
        tunnel.decode(packet, len(packet))
    except labelmesh.Error as error:
        print("another tunnel's:", error)
    assert tunnel.get_counters().drop_key_mismatch == 1

# Version 1 is PPTP's (RFC 2637), not ours.
pptp = bytes([packet[0], packet[1] | 1]) + packet[2:]
try:
    gre.header_decode(pptp, len(pptp))
except labelmesh.Error as error:
    print("version 1:", error)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# The SYN of a host that believes in 1500 bytes, on its way into a tunnel of 1400.
source, destination = bytes([10, 1, 1, 101]), bytes([10, 2, 2, 102])
pseudo = source + destination + struct.pack("!2H", 6, 24)
tcp = struct.pack("!2H2I4H2BH", 49152, 80, 1, 0, 0x6002, 65535, 0, 0, 2, 4, 1460)
tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
ip = struct.pack("!2B3H2BH", 0x45, 0, 44, 0, 0, 64, 6, 0) + source + destination
syn = bytearray(ip + tcp)
mss = gre.mss_get(1400, gre.FAMILY_IPV4)
assert gre.mss_clamp(syn, len(syn), mss) == gre.YES
assert checksum(pseudo + syn[20:]) == 0, "the TCP checksum was adjusted"
print(f"MSS: 1460 clamped to {struct.unpack_from('!H', syn, 42)[0]} for an MTU of 1400")
assert gre.mss_clamp(syn, len(syn), mss) == gre.OK, "it fits now"
