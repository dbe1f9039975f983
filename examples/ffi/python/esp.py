#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ESP: a packet sealed by one SA and opened by its twin; again, it is a replay."""
import labelmesh

esp = labelmesh.load("esp")


def sa(direction):
    keymat = bytes(range(16)) + bytes.fromhex("cafebabe")  # AES-128 key, then salt: RFC 4106 8.1
    return esp.new("sa", esp.struct("sa_config", direction=direction, spi=0x1000, keymat=keymat,
                                    algorithm=esp.ALGORITHM_AES128_GCM16))


def attempt(what, packet):
    try:
        opened = receiver.open(0, packet, len(packet))
        payload = packet[opened.offset:][: opened.len].decode()
        print(f"{what}: {payload}, protocol {opened.next_header}")
    except labelmesh.Error as error:
        print(f"{what}: {error}")


with sa(esp.DIRECTION_OUT) as sender, sa(esp.DIRECTION_IN) as receiver:
    payload = b"a GRE packet"
    buffer = bytearray(sender.get_sealed_len(len(payload)))
    span = sender.seal(0, buffer, len(buffer), payload, len(payload), esp.NEXT_GRE)
    sealed = bytes(buffer[span.offset:][: span.len])
    print("sealed:", sealed.hex())

    damaged = bytearray(sealed)
    damaged[-1] ^= 1
    attempt("damaged", damaged)
    attempt("opened", bytearray(sealed))  # in place, so in a copy
    attempt("again", bytearray(sealed))
    attempt("another SA's", bytearray(b"\0\0\x20\0") + sealed[4:])

    counters = receiver.get_counters()
    print(f"counters: {counters.packets} packet, {counters.replay} replay, {counters.auth} forged, "
          f"{counters.spi} of another SPI")
