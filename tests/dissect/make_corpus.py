#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_corpus.py CAPTURE KEYS FOLDER: seeds for fuzz/dissect_packet.c from the lab's walk.

CAPTURE is the walk as classic pcap of raw IP (editcap -F pcap -T rawip WALK.pcapng CAPTURE). Each
seed is a list of records: kind, length, bytes (see the target). ESP and IKE are decrypted with
python3-cryptography; the target seals what it makes of them.
"""
import csv
import os
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RAW, ETHERNET, NULL, LOOP, SLL, SLL2, IPV4, IPV6, ESP, SK, IKE, GRE, NHRP, SEGMENT, BGP, FRAGMENT = range(16)


def frames(path):
    data = open(path, "rb").read()
    at = 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def record(kind, data):
    return bytes([kind]) + struct.pack(">H", len(data)) + data


def main():
    capture, keys, folder = sys.argv[1:]
    esp_keys = {int(r[3], 16): bytes.fromhex(r[5][2:])
                for r in csv.reader(open(keys + "/wireshark/esp_sa"))}
    ike_keys = {bytes.fromhex(r[0]): (bytes.fromhex(r[2]), bytes.fromhex(r[3]))
                for r in csv.reader(open(keys + "/wireshark/ikev2_decryption_table"))}
    seeds, bgp = {}, b""

    def seed(name, data):
        seeds.setdefault(name, data)

    for frame in frames(capture):
        if frame[0] >> 4 != 4:
            continue
        if frame[9] == 6:  # TCP on a TUN: BGP messages
            payload = frame[40:] if frame[32] >> 4 == 5 else b""
            back = 0x80 if frame[20:22] == b"\0\xb3" else 0
            while len(payload) >= 19:
                length = struct.unpack_from(">H", payload, 16)[0]
                message = payload[:length]
                bgp += record(BGP, bytes([back | message[18]]) + message[19:])
                seed("bgp-%d-%d" % (message[18], len(message)),
                     record(BGP, bytes([message[18]]) + message[19:]))
                payload = payload[length:]
            if len(frame) > 60:
                seed("segments", record(SEGMENT, b"\0\0\x01\x18" + frame[40:60])
                     + record(SEGMENT, b"\0\0\x40\x18" + frame[60:])
                     + record(SEGMENT, b"\0\0\x15\x18" + frame[60:]))
                seed("ethernet", record(ETHERNET, bytes(12) + b"\x81\0\0\x05\x08\0" + frame))
                seed("null", record(NULL, b"\x02\0\0\0" + frame))
                seed("sll", record(SLL, bytes(14) + b"\x08\0" + frame))
                seed("sll2", record(SLL2, b"\x08\0" + bytes(18) + frame))
            continue
        if frame[9] != 17:
            seed("ip-%d" % frame[9], record(RAW, frame))
            continue
        port, payload = struct.unpack_from(">H", frame, 22)[0], frame[28:]
        if port == 4500 and payload[:4] != bytes(4):
            spi, sequence = struct.unpack_from(">II", payload)
            key = esp_keys[spi]
            plain = AESGCM(key[:-4]).decrypt(key[-4:] + payload[8:16], payload[16:],
                                             payload[:4] + bytes(4) + payload[4:8])
            inner = plain[:-2 - plain[-2]]
            seed("esp-%04x-%d" % (struct.unpack_from(">H", inner, 2)[0], len(inner)),
                 record(ESP, plain[-1:] + inner))
            if inner[2:4] == b"\x20\x01":
                seed("nhrp-%d" % inner[4 + 17], record(NHRP, inner[4:]))
            seed("gre-%02x%02x" % (inner[2], inner[3]), record(GRE, inner))
            seed("frame-esp", record(RAW, frame))
            seed("fragments", record(FRAGMENT, b"\x05\x11\x01" + frame[60:])
                 + record(FRAGMENT, b"\0\x11\x81" + frame[20:60]))
        elif port in (500, 4500):
            message = payload[4:] if port == 4500 else payload
            if message[16] == 46:
                ei, er = ike_keys[message[:8]]
                key = ei if message[19] & 8 else er
                text = AESGCM(key[:-4]).decrypt(key[-4:] + message[32:40], message[40:], message[:32])
                text = text[:-1 - text[-1]]
                seed("sk-%d-%d" % (message[18], message[19]),
                     record(SK, message[28:29] + text))
                half = len(text) // 2
                seed("skf-%d-%d" % (message[18], message[19]),
                     record(SK, bytes([message[28] | 0x80, 0, 1, 0, 2]) + text[:half])
                     + record(SK, bytes([0x80, 0, 2, 0, 2]) + text[half:]))
            else:
                seed("ike-%d-%d" % (message[18], message[19]),
                     record(IKE, message[16:17] + message[28:]))
                seed("frame-ike", record(RAW, frame))
    seed("bgp-session", bgp[:3000])
    os.makedirs(folder, exist_ok=True)
    for name, data in seeds.items():
        open(os.path.join(folder, name), "wb").write(data)
    print("%d seeds" % len(seeds))


main()
