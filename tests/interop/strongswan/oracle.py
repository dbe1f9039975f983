#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What others make of the capture: charon's keys, python's ciphers, tshark's dissectors.

oracle.py CHARON-LOG CAPTURE FOLDER

Every encrypted IKE message and every ESP packet must open with a key that charon logged. tshark
must decrypt all that has AES-GCM by itself, and dissect the inside of all of it, without a
malformed packet. ESP under ChaCha20-Poly1305, which tshark 4.0 cannot decrypt, is decrypted here
and dissected there. Prints a summary; ends with 0 when all of that is so.
"""
import collections
import os
import re
import struct
import subprocess
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

AES_KEY, CHACHA_KEY = 20, 36  # Bytes of key and salt.
AES_HANDSHAKES = 8  # Those of data.sh whose IKE messages tshark can decrypt.
SEVERITY_ERROR, CHECKSUM_BAD = "8388608", "0"
PAYLOAD_SK, SK_HEADER, IV, FLAG_INITIATOR = 46, 4, 8, 0x08


def log_keys(path):
    """Of each Child SA, by SPI and addresses, the keys that it may have; of each IKE SA the pair."""
    lines = open(path).read().splitlines()
    children, ikes, last = {}, [], {}
    for i, line in enumerate(lines):
        dump = re.search(r"\] (Sk_ei|Sk_er|encryption initiator|encryption responder) "
                         r"(?:secret|key) => (\d+) bytes", line)
        if dump:
            text, at = "", i + 1
            while len(text) < 2 * int(dump.group(2)):
                text += re.match(r".*?\]\s+\d+: ((?:[0-9A-F]{2} )+)", lines[at]).group(1)
                text, at = text.replace(" ", ""), at + 1
            last[dump.group(1)] = bytes.fromhex(text)
            if dump.group(1) == "Sk_er":
                ikes.append((last["Sk_ei"], last["Sk_er"]))
        spi = re.search(r"SPI 0x([0-9a-f]+), src (\S+) dst (\S+)", line)
        if spi:
            # The outbound SA of a rekeyed child is named again when it is put to use.
            children.setdefault((int(spi.group(1), 16), *spi.groups()[1:]),
                                (last["encryption initiator"], last["encryption responder"]))
    return children, ikes


def datagrams(path):
    """(source, destination, UDP payload) of a capture in the classic format, Ethernet."""
    data = open(path, "rb").read()
    at = 24
    while at + 16 <= len(data):
        captured = struct.unpack_from("<I", data, at + 8)[0]
        ip = data[at + 16 + 14:at + 16 + captured]
        at += 16 + captured
        udp = ip[(ip[0] & 15) * 4:]
        length, = struct.unpack("!H", udp[4:6])
        source, destination = (".".join(map(str, ip[o:o + 4])) for o in (12, 16))
        yield source, destination, 500 in struct.unpack("!HH", udp[:4]), udp[8:length]


def opened(key, iv, aad, sealed):
    """The plaintext, or None where the ICV is wrong."""
    cipher = AESGCM if len(key) == AES_KEY else ChaCha20Poly1305
    try:
        return cipher(key[:-4]).decrypt(key[-4:] + iv, sealed, aad)
    except InvalidTag:
        return None


def check(good, what):
    if not good:
        print("FAILED:", what)
        sys.exit(1)


def read_capture(children, ikes, path):
    """The key of each IKE SA and of each ESP SA, the inner packets under ChaCha20, and counts."""
    ike_of, esp_of, inner, counts = {}, {}, [], collections.Counter()
    for source, destination, plain, payload in datagrams(path):
        if payload == b"\xff":
            continue
        if plain or payload[:4] == bytes(4):
            message = payload if plain else payload[4:]
            if message[16] != PAYLOAD_SK:
                continue
            start = 28 + SK_HEADER
            spis, side = message[:16], 0 if message[19] & FLAG_INITIATOR else 1
            sealed = message[start:start + IV], message[:start], message[start + IV:]
            for pair in [ike_of[spis]] if spis in ike_of else ikes:
                if opened(pair[side], *sealed) is not None:
                    ike_of[spis] = pair
                    break
            else:
                check(False, "an IKE message does not open with charon's keys")
            counts["ike"] += 1
            continue
        name = struct.unpack("!I", payload[:4])[0], source, destination
        check(name in children, "charon knows no SPI %08x from %s to %s" % name)
        for key in [esp_of[name]] if name in esp_of else children[name]:
            text = opened(key, payload[8:16], payload[:8], payload[16:])
            if text is not None:
                esp_of[name] = key
                break
        else:
            check(False, "an ESP packet does not open with charon's keys")
        check(text[-1] == 4, "the next header is not IPv4")
        padding = text[-2 - text[-2]:-2]
        check(padding == bytes(range(1, len(padding) + 1)), "padding is not 1, 2, 3, ...")
        counts[len(key), source] += 1
        if len(key) == CHACHA_KEY:
            inner.append(text[:-2 - text[-2]])
    return ike_of, esp_of, inner, counts


def write_tables(folder, ike_of, esp_of):
    """The two key tables in the form that Wireshark's preferences have."""
    folder = os.path.join(folder, "wireshark")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "ikev2_decryption_table"), "w") as table:
        for spis, (initiator, responder) in ike_of.items():
            if len(initiator) == AES_KEY:
                table.write('%s,%s,%s,%s,"%s",,,"NONE [RFC4306]"\n' %
                            (spis[:8].hex(), spis[8:].hex(), initiator.hex(), responder.hex(),
                             "AES-GCM-128 with 16 octet ICV [RFC5282]"))
    with open(os.path.join(folder, "esp_sa"), "w") as table:
        for (spi, source, destination), key in esp_of.items():
            if len(key) == AES_KEY:
                table.write('"IPv4","%s","%s","0x%08x","%s","0x%s","NULL",""\n' %
                            (source, destination, spi, "AES-GCM with 16 octet ICV [RFC4106]",
                             key.hex()))


def write_inner(path, packets):
    """A capture of link type raw IP."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for packet in packets:
            out.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)


def tshark(folder, capture):
    """A dictionary of field: values for each packet, as tshark dissects it with the two tables."""
    fields = ["ip.src", "ip.proto", "icmp.type", "icmp.checksum.status", "ip.checksum.status",
              "mpls.label", "mpls.bottom", "isakmp.auth.data", "_ws.malformed",
              "_ws.expert.severity"]
    wanted = [word for field in fields for word in ("-e", field)]
    got = subprocess.run(
        ["tshark", "-o", "esp.enable_encryption_decode:TRUE", "-o", "ip.check_checksum:TRUE",
         "-n", "-r", capture, "-T", "fields", *wanted],
        env={**os.environ, "XDG_CONFIG_HOME": folder}, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, check=True, text=True)
    for line in got.stdout.splitlines():
        yield {f: v.split(",") if v else [] for f, v in zip(fields, line.split("\t"))}


def dissect(folder, capture):
    """What tshark saw: pings of each side in GRE, those behind its label, and AUTH payloads."""
    seen = collections.Counter()
    for packet in tshark(folder, capture):
        check(not packet["_ws.malformed"], "tshark calls a packet malformed: %s" % packet)
        check(SEVERITY_ERROR not in packet["_ws.expert.severity"],
              "tshark sees an error: %s" % packet)
        check(CHECKSUM_BAD not in packet["icmp.checksum.status"] + packet["ip.checksum.status"],
              "a checksum is wrong: %s" % packet)
        seen["auth"] += len(packet["isakmp.auth.data"])
        if packet["ip.proto"][-2:] == ["47", "1"] and packet["icmp.type"] in (["0"], ["8"]):
            side = tuple(packet["ip.src"][-2:])
            seen["ping", side] += 1
            seen[tuple(packet["mpls.label"]), side] += packet["mpls.bottom"] == ["1"]
    return seen


def main(log, capture, folder):
    children, ikes = log_keys(log)
    ike_of, esp_of, inner, counts = read_capture(children, ikes, capture)
    write_tables(folder, ike_of, esp_of)
    decrypted = os.path.join(folder, "inner.pcap")
    write_inner(decrypted, inner)
    ours, theirs = "10.99.0.1", "10.99.0.2"
    aes = {a: counts[AES_KEY, a] for a in (ours, theirs)}
    chacha = {a: counts[CHACHA_KEY, a] for a in (ours, theirs)}
    print("charon's keys open %d IKE messages of %d SAs, ESP of %d SAs: AES-GCM %d out, %d in; "
          "ChaCha20-Poly1305 %d out, %d in" %
          (counts["ike"], len(ike_of), len(esp_of), aes[ours], aes[theirs],
           chacha[ours], chacha[theirs]))
    check(all(aes.values()) and all(chacha.values()), "a cipher was not seen in both directions")

    auths = 0
    for file, sent in ((capture, aes), (decrypted, chacha)):
        seen = dissect(folder, file)
        auths += seen["auth"]
        for outer, side, label in ((ours, ("10.1.0.1", "172.16.0.1"), "200"),
                                   (theirs, ("10.2.0.1", "172.16.0.2"), "100")):
            check(seen["ping", side] == sent[outer],
                  "tshark shows a ping in %d of %d packets of %s" %
                  (seen["ping", side], sent[outer], outer))
            check(seen[(label,), side] > 0, "no packet of %s has label %s" % (outer, label))
            print("tshark shows a ping in GRE in all %d packets of %s, %d of them behind label %s" %
                  (sent[outer], outer, seen[(label,), side], label))
    check(auths == 2 * AES_HANDSHAKES, "tshark shows %d AUTH payloads" % auths)
    print("tshark shows %d AUTH payloads; nothing is malformed, no checksum wrong" % auths)


main(*sys.argv[1:4])
