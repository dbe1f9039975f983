#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the vectors, ESP packets that independent code has made, and the seeds of the fuzz targets
esp_open and esp_udp.

aead.txt and hmac.txt are laid out here by RFC 4303 2, enciphered by the Python package cryptography
and signed by Python's hmac. rfc3602.txt has the packets of RFC 3602 4, which carry no ICV, with one.
scapy.txt and scapy_hmac.txt come out of scapy.layers.ipsec whole. Run it only to renew the files; the
tests read them.
"""
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from scapy.all import IP, IPv6, ICMP, UDP, GRE, Raw, raw
from scapy.layers.ipsec import ESP, SecurityAssociation

HERE = os.path.dirname(os.path.abspath(__file__))
ALGORITHMS = {1: (AESGCM, 16, "AES-GCM"), 2: (AESGCM, 32, "AES-GCM"),
              3: (ChaCha20Poly1305, 32, "CHACHA20-POLY1305")}
CIPHERS = {4: ("AES-CBC", 16, 16), 5: ("AES-CBC", 32, 16), 6: ("NULL", 0, 4)}  # key, alignment
INTEGRITIES = {1: (hashlib.sha256, 32, 16, "SHA2-256-128"), 2: (hashlib.sha384, 48, 24, "SHA2-384-192"),
               3: (hashlib.sha512, 64, 32, "SHA2-512-256")}  # key, ICV
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


def signed(integrity, key, packet, esn, sequence):
    """RFC 4868 2, RFC 4303 2.8: the high half of an extended number is signed and not sent."""
    digest, _, icv_len, _ = INTEGRITIES[integrity]
    high = struct.pack("!I", sequence >> 32) if esn else b""
    return packet + hmac.new(key, packet + high, digest).digest()[:icv_len]


def hmac_packet(algorithm, integrity, keymat, spi, esn, sequence, next_header, payload, iv=None):
    """RFC 4303 2, RFC 3602 2, 3. Without an IV: the sequence number, enciphered as one block."""
    name, key_len, alignment = CIPHERS[algorithm]
    pad_len = -(len(payload) + 2) % alignment
    text = payload + bytes(range(1, pad_len + 1)) + bytes([pad_len, next_header])
    header = struct.pack("!II", spi, sequence & 0xffffffff)
    if name == "AES-CBC":
        aes = algorithms.AES(keymat[:key_len])
        if iv is None:
            iv = Cipher(aes, modes.ECB()).encryptor().update(sequence.to_bytes(16, "big"))
        text = iv + Cipher(aes, modes.CBC(iv)).encryptor().update(text)
    return signed(integrity, keymat[key_len:], header + text, esn, sequence)


def make_hmac(path):
    with open(path, "w", encoding="ascii") as f:
        f.write("# ESP packets laid out by RFC 4303 2, enciphered by the Python package cryptography and\n"
                "# signed by Python's hmac: tests/esp/make_vectors.py.\n\n")
        for algorithm, (_, key_len, _) in CIPHERS.items():
            for integrity, (_, integrity_len, _, _) in INTEGRITIES.items():
                keymat = filler(key_len + integrity_len, algorithm + integrity)
                for esn, sequence in ((0, 1), (0, 0xffffffff), (1, 1), (1, 0x123456789abcdef0)):
                    for length in (0, 1, 13, 14, 15, 16, 17, 63, 64, 65):
                        payload = filler(length, 9)
                        record(f, algorithm=algorithm, integrity=integrity, keymat=keymat,
                               mode=TRANSPORT, spi=0x12345678, esn=esn, sequence=sequence,
                               next_header=47, payload=payload,
                               packet=hmac_packet(algorithm, integrity, keymat, 0x12345678, esn,
                                                  sequence, 47, payload))


def make_rfc3602(path):
    """RFC 3602 4, cases 5 to 8, without the outer IP header; the ICV is ours to add."""
    cases = [
        (TRANSPORT, "90d382b410eeba7ad938c46cec1a82bf", 0x4321, 1, 1,
         "08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f1011121314151617"
         "18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
         "e96e8c08ab465763fd098d45dd3ff893"
         "f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856"
         "a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874a"
         "a269add047ad2d5913ac19b7cfbad4a6"),
        (TRANSPORT, "90d382b410eeba7ad938c46cec1a82bf", 0x4321, 8, 1,
         "0800b5e8a80a0500a69c083d0b660e00777777777777777777777777",
         "69d08df7d203329db093fc4924e5bd80"
         "f51995881ec4e0c4488987ce742e8109689bb379d2d750c0d915dca346a89f75"),
        (TUNNEL, "0123456789abcdef0123456789abcdef", 0x8765, 2, 4,
         "45000054090400004001f988c0a87b03c0a87bc8"
         "08009f76a90a0100b49c083d02a2040008090a0b0c0d0e0f1011121314151617"
         "18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637",
         "f4e765244f6407adf13dc1380f673f37"
         "773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a93013c1b0ea1a0cf70f8"
         "e4ecaec78ac53aad7a0f022b859243c647752e94a859352b8a4d4d2decd136e5"
         "c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d"),
        (TUNNEL, "0123456789abcdef0123456789abcdef", 0x8765, 5, 4,
         "45000044090c00004001f990c0a87b03c0a87bc8"
         "0800d63caa0a0200c69c083da3de0300ffffffffffffffffffffffffffffffff"
         "ffffffffffffffffffffffffffffffff",
         "85d47224b5f3dd5d2101d4ea8dffab22"
         "15b92683819596a8047232cc00f7048fe45318e11f8a0f62ede3c3fc61203bb5"
         "0f980a08c9843fd3a1b06d5c07ff9639b7eb7dfb3512e5de435e7207ed971ef3"
         "d2726d9b5ef6affc6d17a0decbb13892"),
    ]
    with open(path, "w", encoding="ascii") as f:
        f.write("# RFC 3602 4, cases 5 to 8, without the outer IP header. Their packets carry no ICV; the one\n"
                "# here is by Python's hmac: tests/esp/make_vectors.py.\n\n")
        for mode, key, spi, sequence, next_header, payload, ciphertext in cases:
            packet = struct.pack("!II", spi, sequence) + bytes.fromhex(ciphertext)
            integrity_key = filler(32, sequence)
            record(f, algorithm=4, integrity=1, keymat=bytes.fromhex(key) + integrity_key, mode=mode,
                   spi=spi, esn=0, sequence=sequence, next_header=next_header,
                   payload=bytes.fromhex(payload),
                   packet=signed(1, integrity_key, packet, 0, sequence))


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


def make_scapy_hmac(path):
    with open(path, "w", encoding="ascii") as f:
        f.write("# ESP packets made by scapy.layers.ipsec: tests/esp/make_vectors.py. Its IVs are its own;\n# it leaves the high half of an extended number out of an HMAC, so there is none here.\n\n")
        for algorithm, (name, key_len, _) in CIPHERS.items():
            for integrity, (_, integrity_len, _, auth_name) in INTEGRITIES.items():
                key, auth_key = filler(key_len, 0x40), filler(integrity_len, 0x80)
                for length in (33, 40, 47):
                    carried = GRE(proto=0x0800) / IP(src="10.1.1.101", dst="10.2.2.102") / \
                        ICMP(id=7, seq=1) / Raw(filler(length, integrity))
                    sa = SecurityAssociation(ESP, spi=0xc0ffee01, crypt_algo=name,
                                             crypt_key=key or None, auth_algo=auth_name,
                                             auth_key=auth_key)
                    iv = filler(16, 0xa0 + algorithm + integrity) if key else None
                    out = sa.encrypt(IP(src="192.0.2.1", dst="192.0.2.2") / carried, seq_num=9, iv=iv)
                    record(f, algorithm=algorithm, integrity=integrity, keymat=key + auth_key,
                           mode=TRANSPORT, spi=0xc0ffee01, esn=0, sequence=9, next_header=47,
                           payload=raw(carried), packet=raw(out[ESP]))


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
    def padded(payload, alignment):
        pad_len = -(len(payload) + 2) % alignment
        return payload + bytes(range(1, pad_len + 1)) + bytes([pad_len, 47])

    for algorithm in range(3, 6):   # those with an HMAC; AES-CBC aligns to 16
        for esn in (0, 1):
            head = struct.pack("!BBQ", algorithm, esn | 5 << 2, 0xfffffff0 if esn else 40)
            seed("esp_open", f"hmac-{algorithm}-{esn}",
                 head + rec(sealed, 1, padded(b"GRE", 16)) + rec(again, 0) +
                 rec(sealed, 30, padded(b"", 16)) + rec(broken, 77, padded(b"GRE", 16)) +
                 rec(sealed, 1, good) + rec(sealed, 1, padded(bytes(200), 16)))
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
    make_hmac(os.path.join(HERE, "vectors", "hmac.txt"))
    make_rfc3602(os.path.join(HERE, "vectors", "rfc3602.txt"))
    make_scapy_hmac(os.path.join(HERE, "vectors", "scapy_hmac.txt"))
    make_scapy(os.path.join(HERE, "vectors", "scapy.txt"))
