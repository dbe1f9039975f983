#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# Writes the vector files of libgre with scapy, which is the oracle: it encodes every header and
# computes every checksum. Run it in this folder: /usr/bin/python3 make.py
import logging

logging.getLogger("scapy").setLevel(logging.ERROR)
import scapy
from scapy.all import (GRE, ICMP, IP, TCP, UDP, IPOption, IPv6, Raw, conf, fragment, raw)
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PadN)

DATA = bytes(range(1, 38))


def write(path, what, records):
    with open(path, "w") as out:
        out.write(f"# {what}\n# Made by scapy {conf.version}: /usr/bin/python3 make.py\n")
        for record in records:
            out.write("\n")
            for name, value in record.items():
                out.write(f"{name} = {value.hex() if isinstance(value, bytes) else value}\n")


def header(name, **fields):
    payload = fields.pop("payload", DATA)
    packet = raw(GRE(**fields) / Raw(payload))
    return {
        "name": name, "protocol": fields["proto"], "flags":
        (0x80 if fields.get("chksum_present") else 0) | (0x20 if fields.get("key_present") else 0) |
        (0x10 if fields.get("seqnum_present") else 0), "key": fields.get("key", 0), "sequence":
        fields.get("seqence_number", 0), "payload": payload, "packet": packet
    }


write("header.txt", "GRE packets, and the fields that they hold.", [
    header("plain IPv4", proto=0x0800),
    header("plain IPv6", proto=0x86DD),
    header("MPLS", proto=0x8847),
    header("NHRP with key", proto=0x2001, key_present=1, key=100000),
    header("key of all ones", proto=0x8848, key_present=1, key=0xFFFFFFFF),
    header("sequence", proto=0x0800, seqnum_present=1, seqence_number=7),
    header("checksum over an odd payload", proto=0x0800, chksum_present=1),
    header("checksum over an even payload", proto=0x86DD, chksum_present=1, payload=DATA[:20]),
    header("checksum over no payload", proto=0x8847, chksum_present=1, payload=b""),
    header("checksum, key and sequence", proto=0x8847, chksum_present=1, key_present=1, key=42,
           seqnum_present=1, seqence_number=0xFFFFFFFF),
])


def outer4(name, **fields):
    gre = raw(GRE(proto=0x0800) / Raw(DATA))
    packet = raw(IP(proto=47, **fields) / Raw(gre))
    return {
        "name": name, "family": 4, "source": bytes(map(int, fields["src"].split("."))), "destination":
        bytes(map(int, fields["dst"].split("."))), "ttl": fields["ttl"], "tos": fields["tos"], "df":
        1 if fields["flags"] else 0, "id": fields["id"], "flow": 0, "packet": packet, "header_len": 20
    }


def outer6(name, **fields):
    import ipaddress
    gre = raw(GRE(proto=0x86DD) / Raw(DATA))
    packet = raw(IPv6(nh=47, **fields) / Raw(gre))
    return {
        "name": name, "family": 6, "source": ipaddress.ip_address(fields["src"]).packed,
        "destination": ipaddress.ip_address(fields["dst"]).packed, "ttl": fields["hlim"], "tos":
        fields["tc"], "df": 0, "id": 0, "flow": fields["fl"], "packet": packet, "header_len": 40
    }


write("outer.txt", "Outer headers in front of GRE packets.", [
    outer4("IPv4 with DF", src="192.168.1.1", dst="192.168.1.2", ttl=255, tos=0, flags="DF", id=0),
    outer4("IPv4 without DF", src="203.0.113.9", dst="198.51.100.200", ttl=64, tos=0xB8, flags=0,
           id=0xBEEF),
    outer6("IPv6", src="2001:db8::1", dst="2001:db8::2", hlim=255, tc=0, fl=0),
    outer6("IPv6 with class and flow", src="2001:db8:1:2:3:4:5:6", dst="fd00::ffff", hlim=3,
           tc=0xB9, fl=0xABCDE),
])


def mss(name, build, limit, before=1460, changed=True):
    """The same packet with the option before and after; scapy computes both checksums."""
    return {
        "name": name, "max": limit, "before": raw(build(before)),
        "after": raw(build(limit if changed else before)), "changed": int(changed)
    }


IP4 = dict(src="10.1.1.101", dst="10.2.2.102")
IP6 = dict(src="2001:db8::101", dst="2001:db8::102")


def syn(m, flags="S", first=()):
    return TCP(sport=40000, dport=443, seq=0x01020304, flags=flags,
               options=list(first) + [("MSS", m), ("NOP", None), ("WScale", 7), ("SAckOK", b""),
                                      ("Timestamp", (1, 0))])


router_alert = IPOption(b"\x94\x04\x00\x00")
write("mss.txt", "TCP packets before and after an MSS clamp.", [
    mss("IPv4 SYN", lambda m: IP(**IP4) / syn(m), 1360),
    mss("IPv4 SYN-ACK", lambda m: IP(**IP4) / syn(m, "SA"), 536),
    mss("IPv6 SYN", lambda m: IPv6(**IP6) / syn(m), 1220, 1440),
    mss("IPv4 with an IP option", lambda m: IP(options=[router_alert], **IP4) / syn(m), 1360),
    mss("IPv6 with extension headers", lambda m: IPv6(**IP6) / IPv6ExtHdrHopByHop(
        options=[PadN(optdata=b"\0" * 4)]) / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)]) /
        syn(m), 1220),
    mss("option at an odd offset", lambda m: IP(**IP4) / syn(m, first=[("NOP", None)]), 1000),
    mss("option at an odd offset, both bytes change",
        lambda m: IP(**IP4) / syn(m, first=[("NOP", None)]), 0x01FE, 0xFF01),
    mss("no SYN", lambda m: IP(**IP4) / syn(m, "A"), 1360, changed=False),
    mss("an MSS that is small already", lambda m: IP(**IP4) / syn(m), 1360, 1200, False),
    mss("an MSS that is just right", lambda m: IP(**IP4) / syn(m), 1360, 1360, False),
    mss("a SYN without options", lambda m: IP(**IP4) / TCP(flags="S"), 1360, changed=False),
    mss("UDP", lambda m: IP(**IP4) / UDP(dport=53) / Raw(DATA), 1360, changed=False),
    mss("a later fragment", lambda m: IP(frag=10, proto=6, **IP4) / Raw(raw(syn(m))), 1360,
        changed=False),
])

BIG = bytes(i & 0xFF for i in range(1472))


def icmp4(name, kind, mtu, packet, layer, source="172.16.1.1"):
    packet = raw(packet)
    quoted = packet[:576 - 28]
    error = IP(src=source, dst=IP(packet).src, tos=0xC0, ttl=64, id=0, flags="DF") / layer / Raw(quoted)
    return {
        "name": name, "family": 4, "kind": kind, "mtu": mtu, "source":
        bytes(map(int, source.split("."))), "packet": packet, "error": raw(error)
    }


def icmp6(name, kind, mtu, packet, layer, source="2001:db8::fe"):
    import ipaddress
    packet = raw(packet)
    quoted = packet[:1280 - 48]
    error = IPv6(src=source, dst=IPv6(packet).src, hlim=64) / layer / Raw(quoted)
    return {
        "name": name, "family": 6, "kind": kind, "mtu": mtu, "source":
        ipaddress.ip_address(source).packed, "packet": packet, "error": raw(error)
    }


udp4 = IP(flags="DF", ttl=63, **IP4) / UDP(sport=1, dport=2) / Raw(BIG)
udp6 = IPv6(hlim=63, **IP6) / UDP(sport=1, dport=2) / Raw(BIG)
write("icmp.txt", "ICMP errors about packets.", [
    icmp4("IPv4 too big", 1, 1400, udp4, ICMP(type=3, code=4, nexthopmtu=1400)),
    icmp4("IPv4 time exceeded", 2, 0, IP(ttl=1, **IP4) / UDP() / Raw(DATA), ICMP(type=11, code=0)),
    icmp4("IPv4 time exceeded, odd length", 2, 0, IP(ttl=1, **IP4) / UDP() / Raw(DATA[:36]),
          ICMP(type=11, code=0)),
    icmp4("IPv4 no route", 3, 0, IP(**IP4) / ICMP() / Raw(DATA), ICMP(type=3, code=0)),
    icmp4("IPv4 host unreachable", 4, 0, IP(**IP4) / TCP(), ICMP(type=3, code=1)),
    icmp4("IPv4 prohibited", 5, 0, IP(options=[router_alert], **IP4) / TCP(), ICMP(type=3, code=13)),
    icmp4("IPv4 port unreachable", 6, 0, IP(**IP4) / UDP(), ICMP(type=3, code=3)),
    icmp6("IPv6 too big", 1, 1400, udp6, ICMPv6PacketTooBig(mtu=1400)),
    icmp6("IPv6 time exceeded", 2, 0, IPv6(hlim=1, **IP6) / UDP() / Raw(DATA), ICMPv6TimeExceeded()),
    icmp6("IPv6 no route", 3, 0, IPv6(**IP6) / TCP(), ICMPv6DestUnreach(code=0)),
    icmp6("IPv6 address unreachable", 4, 0, IPv6(**IP6) / TCP(), ICMPv6DestUnreach(code=3)),
    icmp6("IPv6 prohibited", 5, 0, IPv6(**IP6) / TCP(), ICMPv6DestUnreach(code=1)),
    icmp6("IPv6 port unreachable", 6, 0, IPv6(**IP6) / UDP(), ICMPv6DestUnreach(code=4)),
])


def fragments(name, packet, mtu):
    packet = IP(raw(packet))
    record = {"name": name, "mtu": mtu, "packet": raw(packet)}
    parts = fragment(packet, mtu - 4 * packet.ihl)
    record["count"] = len(parts)
    for i, part in enumerate(parts):
        record[f"part{i}"] = raw(part)
    return record


write("fragment.txt", "IPv4 packets and their fragments.", [
    fragments("three parts", IP(id=77, **IP4) / UDP(sport=1, dport=2) / Raw(BIG[:1000]), 420),
    fragments("an MTU that is no multiple of 8", IP(id=78, **IP4) / UDP() / Raw(BIG[:700]), 603),
    fragments("a copied option", IP(id=79, options=[router_alert], **IP4) / UDP() / Raw(BIG[:600]), 400),
    fragments("what fits stays whole", IP(id=80, **IP4) / UDP() / Raw(DATA), 576),
])
