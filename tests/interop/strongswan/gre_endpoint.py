#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The GRE endpoint on strongSwan's side, in user space: a raw socket of protocol 47.

gre_endpoint.py LOCAL REMOTE

Routing sends its packets to charon's device, whose userspace ESP protects them. It answers echo
requests in GRE, plain and behind an MPLS label, and sends its own. Standard input takes the lines
start, stop, report and quit; it ends with 0 when every request of its own was answered, once.
"""
import select
import socket
import struct
import sys
import time

INTERVAL = 0.003
GRE_IPV4, GRE_MPLS = 0x0800, 0x8847
LABEL_OURS, LABEL_PEERS = 200, 100
OURS, PEERS = bytes([172, 16, 0, 2]), bytes([172, 16, 0, 1])
IDENTIFIER, BODY_MAX = 0x5357, 1320
BOTTOM, TTL = 0x100, 64


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def body_of(sequence):
    """Its own length and content for each request."""
    length = sequence * 577 % (BODY_MAX + 1)
    return (bytes([sequence & 0xFF, sequence >> 8, 0x5A]) * (length // 3 + 1))[:length]


def packet(protocol, kind, identifier, sequence, body):
    """GRE, the label if any, IPv4 and ICMP: from us to the peer."""
    icmp = struct.pack("!BBHHH", kind, 0, 0, identifier, sequence) + body
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), 0, 0, TTL, 1, 0, OURS, PEERS)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    label = struct.pack("!I", LABEL_PEERS << 12 | BOTTOM | TTL) if protocol == GRE_MPLS else b""
    return struct.pack("!HH", 0, protocol) + label + ip + icmp


class Endpoint:
    def __init__(self, local, remote):
        self.remote = remote
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_GRE)
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.raw.bind((local, 0))
        self.sent = self.duplicates = self.answered = self.labelled = self.bad = self.unsent = 0
        self.back = set()

    def send(self, data):
        try:
            self.raw.sendto(data, (self.remote, 0))
        except OSError as error:
            self.unsent += 1
            print("sendto:", error, flush=True)

    def request(self):
        protocol = GRE_MPLS if self.sent % 2 else GRE_IPV4
        self.send(packet(protocol, 8, IDENTIFIER, self.sent, body_of(self.sent)))
        self.sent += 1

    def take(self, data):
        """False: not what it should be."""
        gre = data[(data[0] & 15) * 4:]
        if len(gre) < 4 or gre[:2] != b"\0\0":
            return False
        protocol, inner = struct.unpack("!H", gre[2:4])[0], gre[4:]
        if protocol == GRE_MPLS:
            entry = struct.unpack("!I", inner[:4])[0]
            if entry >> 12 != LABEL_OURS or not entry & BOTTOM:
                return False
            self.labelled += 1
            inner = inner[4:]
        elif protocol != GRE_IPV4:
            return False
        if len(inner) < 28 or inner[0] != 0x45 or checksum(inner[:20]) or checksum(inner[20:]) or \
                inner[12:16] != PEERS or inner[16:20] != OURS or \
                struct.unpack("!H", inner[2:4])[0] != len(inner):
            return False
        kind, _, _, identifier, sequence = struct.unpack("!BBHHH", inner[20:28])
        if kind == 8:
            self.answered += 1
            self.send(packet(protocol, 0, identifier, sequence, inner[28:]))
            return True
        if kind != 0 or identifier != IDENTIFIER or sequence >= self.sent or \
                inner[28:] != body_of(sequence):
            return False
        self.duplicates += sequence in self.back
        self.back.add(sequence)
        return True

    def report(self):
        print("report sent=%d returned=%d duplicates=%d answered=%d labelled=%d bad=%d dropped=%d" %
              (self.sent, len(self.back), self.duplicates, self.answered, self.labelled, self.bad,
               self.unsent), flush=True)

    def run(self):
        started, due, lines = False, 0.0, b""
        print("ready", flush=True)
        while True:
            wait = max(0.0, due - time.monotonic()) if started else None
            ready = select.select([self.raw, sys.stdin], [], [], wait)[0]
            if self.raw in ready:
                self.bad += not self.take(self.raw.recv(65536))
            if sys.stdin in ready:
                got = sys.stdin.buffer.raw.read(4096)
                lines += got
                while b"\n" in lines:
                    line, lines = lines.split(b"\n", 1)
                    if line == b"report":
                        self.report()
                    elif line in (b"start", b"stop"):
                        started = line == b"start"
                    elif line == b"quit":
                        got = b""
                if not got:
                    return
            if started and time.monotonic() >= due:
                due = time.monotonic() + INTERVAL
                self.request()


endpoint = Endpoint(*sys.argv[1:3])
endpoint.run()
endpoint.report()
sys.exit(0 if len(endpoint.back) == endpoint.sent and not endpoint.duplicates and
         not endpoint.bad and not endpoint.unsent else 1)
