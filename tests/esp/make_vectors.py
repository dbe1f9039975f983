#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes vectors/aead.txt and vectors/scapy.txt: ESP packets that independent code has made, and the
seeds of the fuzz targets esp_open and esp_udp.

aead.txt is laid out here by RFC 4303 2 and enciphered by the Python package cryptography. scapy.txt
comes out of scapy.layers.ipsec whole. Run it only to renew the files; the tests read them.
"""
import os
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from scapy.all import IP, IPv6, ICMP, UDP, GRE, Raw, raw
from scapy.layers.ipsec import ESP, SecurityAssociation

HERE = os.path.dirname(os.path.abspath(__file__))
ALGORITHMS = {1: (AESGCM, 16, "AES-GCM"), 2: (AESGCM, 32, "AES-GCM"),
              3: (ChaCha20Poly1305, 32, "CHACHA20-POLY1305")}
TRANSPORT, TUNNEL = 1, 2


def filler(n, start):
    """Bytes that repeat late, so that an offset shows."""
    return bytes((start + i * 7 + i // 256) & 0xff for i in range(n))


def record(f, **fields):
    for name, value in fields.items():
        f.write(f"{name} = {value.hex() if isinstance(value, bytes) else value}\n")
    f.write("\n")


def aead_packet(algorithm, keymat, spi, esn, sequence, next_header, payload):
    """RFC 4303 2, RFC 4106 3 to 6, RFC 7634 2, written down once more."""
    aead = ALGORITHMS[algorithm][0](keymat[:-4])
    pad_len = -(len(payload) + 2) % 4
    plain = payload + bytes(range(1, pad_len + 1)) + bytes([pad_len, next_header])
    iv = struct.pack("!Q", sequence)
    header = struct.pack("!II", spi, sequence & 0xffffffff)
    aad = struct.pack("!IQ", spi, sequence) if esn else header
    return header + iv + aead.encrypt(keymat[-4:] + iv, plain, aad)


def make_aead(path):
    with open(path, "w", encoding="ascii") as f:
        f.write("# ESP packets laid out by RFC 4303 2 and enciphered by the Python package\n"
                "# cryptography: tests/esp/make_vectors.py.\n\n")
        for algorithm, (_, key_len, _) in ALGORITHMS.items():
            keymat = filler(key_len + 4, algorithm)
            for esn, sequence in ((0, 1), (0, 0xffffffff), (1, 1), (1, 0xffffffff),
                                  (1, 0x100000000), (1, 0x123456789abcdef0)):
                for length in (0, 1, 2, 3, 4, 15, 16, 17, 63, 64, 65):
                    payload = filler(length, 9)
                    record(f, algorithm=algorithm, keymat=keymat, mode=TRANSPORT, spi=0x12345678,
                           esn=esn, sequence=sequence, next_header=47, payload=payload,
                           packet=aead_packet(algorithm, keymat, 0x12345678, esn, sequence, 47,
                                              payload))
            payload = filler(1400, 3)
            record(f, algorithm=algorithm, keymat=keymat, mode=TUNNEL, spi=256, esn=1,
                   sequence=77, next_header=4, payload=payload,
                   packet=aead_packet(algorithm, keymat, 256, 1, 77, 4, payload))


def make_scapy(path):
    with open(path, "w", encoding="ascii") as f:
        f.write("# ESP packets made by scapy.layers.ipsec: tests/esp/make_vectors.py.\n\n")
        for algorithm, (_, key_len, name) in ALGORITHMS.items():
            keymat = filler(key_len + 4, 0x40 + algorithm)
            for esn, high in ((0, 0), (1, 0), (1, 5)):
                for v6 in (False, True):
                    ip = IPv6(src="2001:db8::1", dst="2001:db8::2") if v6 else \
                        IP(src="192.0.2.1", dst="192.0.2.2")
                    inner = IP(src="10.1.1.101", dst="10.2.2.102") / ICMP(id=7, seq=1) / Raw(filler(33, 1))
                    carried = GRE(proto=0x0800) / inner
                    low = 0x01020304
                    iv = struct.pack("!II", high if esn else 0, low)
                    sa = SecurityAssociation(ESP, spi=0xc0ffee01, crypt_algo=name,
                                             crypt_key=keymat, esn_en=bool(esn), esn=high)
                    out = sa.encrypt(ip / carried, seq_num=low, iv=iv)
                    record(f, algorithm=algorithm, keymat=keymat, mode=TRANSPORT, spi=0xc0ffee01,
                           esn=esn, sequence=(high << 32 | low) if esn else low, next_header=47,
                           payload=raw(carried), packet=raw(out[ESP]))

                    sa = SecurityAssociation(ESP, spi=0xc0ffee02, crypt_algo=name,
                                             crypt_key=keymat, esn_en=bool(esn), esn=high,
                                             tunnel_header=ip)
                    out = sa.encrypt(inner, seq_num=low, iv=iv)
                    # The inner IP header passes through scapy's own hands: take it from there.
                    plain = sa.decrypt(out.__class__(raw(out)))
                    record(f, algorithm=algorithm, keymat=keymat, mode=TUNNEL, spi=0xc0ffee02,
                           esn=esn, sequence=(high << 32 | low) if esn else low, next_header=4,
                           payload=raw(plain), packet=raw(out[ESP]), outer=raw(out)[:40 if v6 else 20])


def seed(target, name, data):
    folder = os.path.join(HERE, "..", "..", "fuzz", "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def make_seeds():
    """The formats are in fuzz/esp_open.c and fuzz/esp_udp.c."""
    sealed, raw_packet, again, broken = range(4)

    def rec(kind, argument, data=b""):
        return struct.pack("!BHB", kind, argument & 0xffff, len(data)) + data

    good = b"GRE\0\0\x01\x01\x2f"
    dummy = b"noise\x01\x01\x3b"
    inner = raw(IP(src="10.1.1.101", dst="10.2.2.102") / ICMP()) + b"\x01\x02\x02\x04"
    bad_pad = b"GRE\0\0\x02\x01\x2f"
    long_pad = b"GRE\0\0\0\xff\x2f"
    all_pad = bytes(range(1, 255)) [:250] + b"\xfa\x2f"
    for algorithm in range(3):
        for window in range(8):
            for esn in (0, 1):
                head = struct.pack("!BBQ", algorithm, esn | window << 2, 0xfffffff0 if esn else 40)
                seed("esp_open", f"walk-{algorithm}-{window}-{esn}",
                     head + rec(sealed, 1, good) + rec(again, 0) + rec(sealed, 30, good) +
                     rec(sealed, -20, good) + rec(broken, 77, good) + rec(sealed, 5, dummy) +
                     rec(sealed, 1, bad_pad) + rec(sealed, 1, long_pad) + rec(sealed, 900, all_pad))
    seed("esp_open", "tunnel", struct.pack("!BBQ", 0, 2 | 5 << 2, 0) + rec(sealed, 1, inner) +
         rec(sealed, 1, good) + rec(sealed, 1, dummy))
    packet = aead_packet(1, filler(20, 1), 0x1000, 0, 1, 47, b"x")
    seed("esp_open", "raw", struct.pack("!BBQ", 0, 5 << 2, 0) + rec(raw_packet, 0, packet) +
         rec(raw_packet, 1, packet[4:]) + rec(raw_packet, 1, b"") + rec(raw_packet, 0, packet[:35]))
    esp = ESP(spi=0x01020304, seq=5, data=filler(40, 0))
    for name, data in {
            "keepalive": b"\xff", "esp": raw(esp), "reserved": bytes([0, 0, 0, 255, 0, 0, 0, 1]),
            "ike": bytes(4) + filler(28, 1), "short": b"\0\0\0",
            "ipv4": raw(IP(src="192.0.2.1", dst="192.0.2.2", flags="DF") / esp),
            "ipv4-options": raw(IP(src="192.0.2.1", dst="192.0.2.2", options=[b"\x94\x04\0\0"]) / esp),
            "ipv4-fragment": raw(IP(src="192.0.2.1", dst="192.0.2.2", flags="MF", proto=50) / Raw(raw(esp))),
            "ipv6": raw(IPv6(src="2001:db8::1", dst="2001:db8::2", fl=7, tc=0xb8) / esp)}.items():
        seed("esp_udp", name, data)


if __name__ == "__main__":
    make_seeds()
    make_aead(os.path.join(HERE, "vectors", "aead.txt"))
    make_scapy(os.path.join(HERE, "vectors", "scapy.txt"))
