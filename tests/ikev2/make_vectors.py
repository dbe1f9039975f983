#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# make_vectors.py DIR: writes DIR/keys.txt and DIR/messages.txt. Key derivation, AUTH and encrypted
# payloads computed from the RFCs with python3-cryptography, independent of the library.
import hashlib, sys
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

HASH = {5: hashes.SHA256, 6: hashes.SHA384, 7: hashes.SHA512}
INTEG = {12: hashes.SHA256, 13: hashes.SHA384, 14: hashes.SHA512}


def raw(label, n):
    """n bytes that depend on a label alone."""
    return hashlib.shake_128(label.encode()).digest(n)


def mac(alg, key, data):
    h = hmac.HMAC(key, alg())
    h.update(data)
    return h.finalize()


def prf(p, key, data):
    return mac(HASH[p], key, data)


def prf_plus(p, key, seed, n):  # RFC 7296 2.13
    out, t, i = b"", b"", 1
    while len(out) < n:
        t = prf(p, key, t + seed + bytes([i]))
        out, i = out + t, i + 1
    return out[:n]


def sizes(encr, bits, integ):
    key = {20: bits // 8 + 4, 28: 36, 12: bits // 8}[encr]
    return key, (INTEG[integ].digest_size if integ else 0)


def cut(stream, *lengths):
    at = 0
    for n in lengths:
        yield stream[at:at + n]
        at += n


def record(f, **fields):
    for k, v in fields.items():
        f.write("%s = %s\n" % (k, v.hex() if isinstance(v, bytes) else v))
    f.write("\n")


def seal(encr, integ, key, integ_key, iv, head, inner_type, text):
    """An IKE message with one SK payload (RFC 7296 3.14, RFC 5282, RFC 7634)."""
    block = 16 if encr == 12 else 1
    pad = -(len(text) + 1) % block
    plain = text + bytes(pad) + bytes([pad])
    icv = 16 if encr != 12 else INTEG[integ].digest_size // 2
    body = len(iv) + len(plain) + icv
    total = 28 + 4 + body
    aad = head[:24] + total.to_bytes(4, "big") + bytes([inner_type, 0]) + (4 + body).to_bytes(2, "big")
    if encr == 12:
        c = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        sealed = aad + iv + c.update(plain) + c.finalize()
        return sealed + mac(INTEG[integ], integ_key, sealed)[:icv]
    aead = AESGCM(key[:-4]) if encr == 20 else ChaCha20Poly1305(key[:-4])
    return aad + iv + aead.encrypt(key[-4:] + iv, plain, aad)


SUITES = [(20, 128, 0, 5, 31), (20, 256, 0, 6, 20), (28, 0, 0, 5, 31), (12, 128, 12, 5, 19),
          (12, 256, 13, 6, 14), (12, 256, 14, 7, 21)]
SECRET = {31: 32, 20: 48, 19: 32, 14: 256, 21: 66}

with open(sys.argv[1] + "/keys.txt", "w") as keys, open(sys.argv[1] + "/messages.txt", "w") as msgs:
    for f in keys, msgs:
        f.write("# Made by tests/ikev2/make_vectors.py with python3-cryptography from RFC 7296, 5282, 7634, 4868.\n\n")
    for n, (encr, bits, integ, p, group) in enumerate(SUITES):
        ni, nr = raw("ni%d" % n, 16 + 8 * n), raw("nr%d" % n, 32)
        secret = raw("g%d" % n, SECRET[group])
        spi_i, spi_r = raw("spii%d" % n, 8), raw("spir%d" % n, 8)
        old_d = raw("old%d" % n, HASH[p].digest_size)
        key, ikey = sizes(encr, bits, integ)
        plen = HASH[p].digest_size
        shape = (plen, ikey, ikey, key, key, plen, plen)
        for rekey in (0, 1):
            seed = prf(p, old_d, secret + ni + nr) if rekey else prf(p, ni + nr, secret)
            stream = prf_plus(p, seed, ni + nr + spi_i + spi_r, sum(shape))
            d, ai, ar, ei, er, pi, pr = cut(stream, *shape)
            request, response, psk = raw("req%d" % n, 300), raw("resp%d" % n, 250), raw("psk%d" % n, 20)
            ident = b"\x02\0\0\0" + b"peer%d.test" % n
            shared = prf(p, psk, b"Key Pad for IKEv2")
            auth_i = prf(p, shared, request + nr + prf(p, pi, ident))
            auth_r = prf(p, shared, response + ni + prf(p, pr, ident))
            child = prf_plus(p, d, secret + ni + nr, 2 * (key + ikey))
            ck_i, ca_i, ck_r, ca_r = cut(child, key, ikey, key, ikey)
            record(keys, encr=encr, key_bits=bits, integ=integ, prf=p, group=group, rekey=rekey, ni=ni, nr=nr,
                   secret=secret, spi_i=spi_i, spi_r=spi_r, old_d=old_d, sk_d=d, sk_ai=ai, sk_ar=ar, sk_ei=ei,
                   sk_er=er, sk_pi=pi, sk_pr=pr, request=request, response=response, psk=psk, id=ident[4:],
                   auth_i=auth_i, auth_r=auth_r, child_key_i=ck_i, child_integ_i=ca_i, child_key_r=ck_r,
                   child_integ_r=ca_r)
        iv = raw("iv%d" % n, 16 if encr == 12 else 8)
        text = bytes.fromhex("0000000c") + bytes.fromhex("000040010000000a")
        head = spi_i + spi_r + bytes.fromhex("2e202508") + (7).to_bytes(4, "big") + bytes(4)
        record(msgs, encr=encr, key_bits=bits, integ=integ, prf=p, group=group, spi_i=spi_i, spi_r=spi_r, key=ei,
               integ_key=ai, text=text, message=seal(encr, integ, ei, ai, iv, head, 41, text))
