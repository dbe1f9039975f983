#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""libesp (by way of espcat, the first argument) and scapy.layers.ipsec open each other's packets."""
import random
import struct
import subprocess
import sys

try:
    from scapy.all import IP, IPv6, UDP, GRE, Raw, raw
    from scapy.layers.ipsec import ESP, SecurityAssociation
except ImportError as missing:
    print(f"skipped: python3-scapy with python3-cryptography is needed ({missing})")
    sys.exit(77)

AEADS = {"1": ("AES-GCM", 20), "2": ("AES-GCM", 36), "3": ("CHACHA20-POLY1305", 36)}  # with salt
CIPHERS = {"4": ("AES-CBC", 16), "5": ("AES-CBC", 32), "6": ("NULL", 0)}
INTEGRITIES = {"1": ("SHA2-256-128", 32), "2": ("SHA2-384-192", 48), "3": ("SHA2-512-256", 64)}
TRANSPORT, TUNNEL = 1, 2
rng = random.Random(4303)
espcat = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(*fields):
    espcat.stdin.write(" ".join(f.hex() or "-" if isinstance(f, bytes) else str(f)
                                for f in fields) + "\n")
    espcat.stdin.flush()
    return espcat.stdout.readline().strip()


def check(what, actual, expected):
    if actual != expected:
        print(f"{what}: got {actual}, expected {expected}")
        sys.exit(1)


def once():
    esn = rng.randrange(2)
    if esn or rng.random() < 0.5:   # scapy does not know extended numbers with an HMAC
        algorithm = rng.choice(list(AEADS))
        (name, key_len), auth_name, auth_len, iv_len = AEADS[algorithm], None, 0, 8
    else:
        cipher, integrity = rng.choice(list(CIPHERS)), rng.choice(list(INTEGRITIES))
        algorithm = f"{cipher}/{integrity}"
        (name, key_len), (auth_name, auth_len) = CIPHERS[cipher], INTEGRITIES[integrity]
        iv_len = 16 if key_len else 0
    key, auth_key = rng.randbytes(key_len), rng.randbytes(auth_len)
    keymat = key + auth_key
    spi = rng.randrange(256, 1 << 32)
    sequence = rng.randrange(1, 1 << (48 if esn else 32))
    mode = rng.choice((TRANSPORT, TUNNEL))
    udp = rng.random() < 0.5
    low, high = sequence & 0xffffffff, sequence >> 32
    data = rng.randbytes(rng.randrange(0, 1300))
    inner = IP(src="10.1.1.101", dst="10.2.2.102") / UDP(sport=9, dport=9) / Raw(data)
    ip = IP(src="192.0.2.1", dst="192.0.2.2") if rng.random() < 0.5 else \
        IPv6(src="2001:db8::1", dst="2001:db8::2")
    if udp and ip.version == 6:
        udp = False     # scapy encapsulates IPv4 only

    def scapy_sa():
        return SecurityAssociation(
            ESP, spi=spi, crypt_algo=name, crypt_key=key or None, auth_algo=auth_name,
            auth_key=auth_key or None, esn_en=bool(esn), esn=high,
            tunnel_header=ip if mode == TUNNEL else None,
            nat_t_header=UDP(sport=4500, dport=4500) if udp else None)

    carried = raw(GRE(proto=0x0800) / inner) if mode == TRANSPORT else raw(inner)
    next_header = 47 if mode == TRANSPORT else 4
    plain = ip / GRE(carried) if mode == TRANSPORT else inner

    # scapy seals, libesp opens.
    packet = scapy_sa().encrypt(plain, seq_num=low, iv=rng.randbytes(iv_len) if iv_len else None)
    sealed = raw(packet[ESP])
    answer = ask("open", algorithm, keymat, mode, spi, esn, sequence - 1, sealed)
    fields = answer.split()
    check("open", fields[:2], [str(next_header), str(sequence)])
    if mode == TRANSPORT:
        check("payload", fields[2], carried.hex())
    else:
        check("payload", IP(bytes.fromhex(fields[2]))[Raw].load if data else b"", data)

    # A damaged packet is refused.
    at = rng.randrange(8, len(sealed))
    bad = sealed[:at] + bytes([sealed[at] ^ 1 << rng.randrange(8)]) + sealed[at + 1:]
    check("damaged", ask("open", algorithm, keymat, mode, spi, esn, sequence - 1, bad),
          "ESP_ERR_AUTH")

    # libesp seals, scapy opens.
    sealed = bytes.fromhex(ask("seal", algorithm, keymat, mode, spi, esn, sequence - 1,
                               next_header, carried))
    check("header", sealed[:8], struct.pack("!II", spi, low))
    outer = ip.copy()
    if ip.version == 4:
        outer.proto = 17 if udp else 50
    else:
        outer.nh = 50
    outer = outer / UDP(sport=4500, dport=4500, chksum=0) / Raw(sealed) if udp else \
        outer / Raw(sealed)
    opened = scapy_sa().decrypt(outer.__class__(raw(outer)))
    check("opened by scapy", raw(opened)[-len(carried):], carried)
    return algorithm, mode, "UDP" if udp else f"IPv{ip.version}"


ROUNDS = 150
met = {once() for _ in range(ROUNDS)}
espcat.stdin.close()
check("espcat", espcat.wait(), 0)
# Every AEAD in each mode, as protocol 50 under IPv4 and IPv6, and in UDP under IPv4; every cipher with
# every HMAC.
aeads = {(algorithm, mode, carriage) for algorithm in AEADS for mode in (TRANSPORT, TUNNEL)
         for carriage in ("IPv4", "IPv6", "UDP")}
check("kinds of packets with an AEAD", {kind for kind in met if kind[0] in AEADS}, aeads)
check("suites with an HMAC", {algorithm for algorithm, _, _ in met if algorithm not in AEADS},
      {f"{cipher}/{integrity}" for cipher in CIPHERS for integrity in INTEGRITIES})
print(f"{ROUNDS} rounds, each way: {len(met)} kinds of packets")
