#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py DISSECT CAPTURE KEYS [LAYER...]: what dissect and tshark say of a capture, frame by frame.

Both get the same keys. Each LAYER must be there; without any, all that the walk has. Compared are the number of frames, the protocols one within the other, IP
addresses, UDP and TCP ports, SPIs and sequence numbers of ESP, MPLS labels, types and request ids of
NHRP, exchange types, message ids and payload types of IKEv2 (decrypted ones too), types of BGP
messages with prefixes, RDs and labels, and ICMP types.

A stream that a capture shows twice (on a TUN device and within a tunnel) is one to tshark, and two
to dissect; so what one takes for a repeat may be new to the other, and the messages in it are
compared only where both look into them. How many dissect alone looked into is printed.
"""
import json
import os
import re
import subprocess
import sys

FIELDS = """frame.number frame.protocols ip.src ip.dst ipv6.src ipv6.dst udp.srcport tcp.srcport
tcp.dstport esp.spi esp.sequence mpls.label nhrp.hdr.op.type nhrp.reqid isakmp.exchangetype
isakmp.messageid isakmp.typepayload bgp.type bgp.mp_reach_nlri_ipv4_prefix
bgp.mp_unreach_nlri_ipv4_prefix bgp.mp_reach_nlri_ipv6_prefix bgp.mp_unreach_nlri_ipv6_prefix
bgp.nlri_prefix bgp.withdrawn_prefix bgp.rd bgp.label_stack
icmp.type tcp.analysis.retransmission tcp.analysis.spurious_retransmission
tcp.analysis.fast_retransmission tcp.analysis.out_of_order tcp.len _ws.malformed frame.len
frame.cap_len frame.interface_name frame.time_epoch""".split()

# What tshark calls the layers that both know; others are left out.
LAYERS = {"eth": "ethernet", "vlan": "vlan", "ip": "ipv4", "ipv6": "ipv6", "udp": "udp", "tcp": "tcp",
          "esp": "esp", "gre": "gre", "mpls": "mpls", "nhrp": "nhrp", "isakmp": "ikev2", "bgp": "bgp",
          "icmp": "icmp", "icmpv6": "icmpv6", "sll": "sll", "null": "null", "ieee8021ad": "vlan"}
BGP = {"OPEN": "1", "UPDATE": "2", "NOTIFICATION": "3", "KEEPALIVE": "4", "ROUTE-REFRESH": "5"}
ICMP = {"echo reply": "0", "unreachable": "3", "redirect": "5", "echo request": "8",
        "time exceeded": "11", "parameter problem": "12"}


def tshark(capture, keys):
    command = ["tshark", "-n", "-r", capture, "-T", "fields", "-E", "separator=|",
               "-E", "aggregator=;"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, env=dict(os.environ, XDG_CONFIG_HOME=keys), check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    for line in out.splitlines():
        yield {f: v.split(";") if v else [] for f, v in zip(FIELDS, line.split("|"))}


def vpnv6(capture, keys):
    """Prefixes and RDs of VPNv6 by frame: of these tshark has no fields, only a text."""
    out = subprocess.run(["tshark", "-n", "-r", capture, "-V", "-Y", "bgp.type == 2"],
                         env=dict(os.environ, XDG_CONFIG_HOME=keys), check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    found, number = {}, "0"
    for line in out.splitlines():
        frame = re.match(r"Frame (\d+):", line)
        route = re.search(r"Label Stack=.* RD=(\S+), IPv6=(\S+)/\d+", line)
        number = frame.group(1) if frame else number
        if route:
            found.setdefault(number, []).append(route.groups())
    return found


def flat(layers):
    """Layers with those that they quote, in order."""
    for layer in layers:
        yield layer
        yield from flat(layer.get("quoted", []))


def once(protos):
    """Several BGP messages in a segment are one layer to tshark, as is NHRP that NHRP quotes."""
    return [p for i, p in enumerate(protos) if p not in ("bgp", "nhrp") or protos[i - 1] != p]


def payload_types(payloads):
    """As tshark counts them: a proposal is a payload of type 2, a transform one of type 3."""
    for p in payloads:
        yield str(p["type_number"])
        for proposal in p.get("proposals", []):
            yield "2"
            yield from ["3"] * len(proposal["transforms"])
        yield from payload_types(p.get("payloads", []))


def routes(message):
    for holder in message, message.get("mp_reach", {}), message.get("mp_unreach", {}):
        for key in "withdrawn", "nlri":
            yield from holder.get(key, [])


def ours(packet):
    layers = list(flat(packet["layers"]))
    protos = [l["proto"] for l in layers]
    of = lambda proto, key: [str(l[key]) for l in layers if l["proto"] == proto and key in l]
    bgp = [l for l in layers if l["proto"] == "bgp"]
    protos = ["sll" if p == "sll2" else p for p in protos]
    prefixes = [r for m in bgp for r in routes(m)]
    return {
        "frame": [packet["length"], packet.get("captured", packet["length"]),
                  packet.get("interface", ""), packet["time"]],
        "protocols": once(protos),
        "ipv4": of("ipv4", "source") + of("ipv4", "destination"),
        "ipv6": of("ipv6", "source") + of("ipv6", "destination"),
        "ports": of("udp", "source_port") + of("tcp", "source_port") + of("tcp", "destination_port"),
        "esp": of("esp", "spi") + of("esp", "sequence"),
        "mpls": [str(e["label"]) for l in layers if l["proto"] == "mpls" for e in l["labels"]],
        "nhrp": of("nhrp", "op_type") + of("nhrp", "request_id"),
        "ike": of("ikev2", "exchange_type") + of("ikev2", "message_id")
               + [t for l in layers if l["proto"] == "ikev2" for t in payload_types(l["payloads"])],
        "bgp": [BGP[m["type"]] for m in bgp],
        "prefixes": sorted(r["prefix"].split("/")[0] for r in prefixes),
        "rds": [r["rd"] for r in prefixes if "rd" in r],
        "labels": [str(r["label"]) for r in prefixes if "label" in r],
        "icmp": [ICMP.get(l["type"], l["type"]) for l in layers if l["proto"] == "icmp"],
    }


def theirs(t):
    protos = [LAYERS[p] for p in t["frame.protocols"][0].split(":") if p in LAYERS]
    name = "".join(t["frame.interface_name"])
    return {
        "frame": [int(t["frame.len"][0]), int(t["frame.cap_len"][0]), name,
                  t["frame.time_epoch"][0][:-3]],
        "protocols": once(protos),
        "ipv4": t["ip.src"] + t["ip.dst"],
        "ipv6": t["ipv6.src"] + t["ipv6.dst"],
        "ports": t["udp.srcport"] + t["tcp.srcport"] + t["tcp.dstport"],
        "esp": t["esp.spi"] + t["esp.sequence"],
        "mpls": t["mpls.label"],
        "nhrp": t["nhrp.hdr.op.type"] + [str(int(x, 0)) for x in t["nhrp.reqid"]],
        "ike": t["isakmp.exchangetype"] + [str(int(x, 0)) for x in t["isakmp.messageid"]]
               + t["isakmp.typepayload"],
        "bgp": t["bgp.type"],
        "prefixes": sorted(t["bgp.mp_reach_nlri_ipv4_prefix"] + t["bgp.mp_unreach_nlri_ipv4_prefix"]
                           + t["bgp.mp_reach_nlri_ipv6_prefix"] + t["bgp.mp_unreach_nlri_ipv6_prefix"]
                           + t["bgp.nlri_prefix"] + t["bgp.withdrawn_prefix"]),
        "rds": t["bgp.rd"],
        # RFC 8277 2.4: of a withdrawal it means nothing.
        "labels": [] if t["bgp.mp_unreach_nlri_ipv4_prefix"] else
                  [x.split()[0] for x in t["bgp.label_stack"]],
        "icmp": t["icmp.type"],
    }


def repeated(t):
    return any(t["tcp.analysis." + why] for why in
               ("retransmission", "spurious_retransmission", "fast_retransmission", "out_of_order"))


def main():
    dissect, capture, keys = sys.argv[1:4]
    needed = sys.argv[4:] or ["esp", "gre", "mpls", "nhrp", "ikev2", "bgp"]
    out = subprocess.run([dissect, "--json", "--keys", keys, capture], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    packets = [json.loads(line) for line in out.splitlines()]
    frames = list(tshark(capture, keys))
    for number, found in vpnv6(capture, keys).items():
        frame = frames[int(number) - 1]
        frame["bgp.rd"] += [rd for rd, _ in found]
        frame["bgp.mp_reach_nlri_ipv6_prefix"] += [prefix for _, prefix in found]
    problems = []
    seen = {}
    by_us_alone = 0
    if len(packets) != len(frames):
        problems.append(f"{len(packets)} packets, but tshark has {len(frames)} frames")
    for packet, frame in zip(packets, frames):
        number = packet["number"]
        for bad in "error", "truncated", "stopped", "incomplete":
            if bad in packet:
                problems.append(f"frame {number}: {bad}: {packet[bad]}")
        if frame["_ws.malformed"]:
            problems.append(f"frame {number}: malformed, says tshark")
        a, b = ours(packet), theirs(frame)
        if repeated(frame) and bool(a["bgp"]) != bool(b["bgp"]):
            by_us_alone += bool(a["bgp"])
            for key in "bgp", "prefixes", "rds", "labels":
                a[key] = b[key]
            for side in a, b:
                side["protocols"] = [p for p in side["protocols"] if p != "bgp"]
        for key in a:
            if a[key] != b[key]:
                problems.append(f"frame {number}: {key}: {a[key]}, but tshark says {b[key]}")
        for proto in a["protocols"]:
            seen[proto] = seen.get(proto, 0) + 1
    print("\n".join(problems[:40]))
    print(f"{len(frames)} frames, {len(problems)} differences; streams read by dissect alone: "
          f"{by_us_alone}; layers: " + ", ".join(f"{k} {n}" for k, n in sorted(seen.items())))
    for proto in needed:
        if not seen.get(proto):
            print(f"no {proto} in it: nothing was compared")
            return 1
    return 1 if problems else 0


sys.exit(main())
