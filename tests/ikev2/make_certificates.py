#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
#
# make_certificates.py DIR: writes DIR/certificates.txt and DIR/signatures.txt with
# python3-cryptography. The keys are new each time. certificates.txt holds keys (PKCS #8),
# certificates and lists of revoked ones, good and bad, for a test time of 2030-01-01;
# signatures.txt holds AUTH payloads of RFC 7427 over known octets.
import datetime, hashlib, ipaddress, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.x509.oid import NameOID

OUT = sys.argv[1]
BEGIN, END = datetime.datetime(2020, 1, 1), datetime.datetime(2120, 1, 1)
PAST, FUTURE = datetime.datetime(2025, 1, 1), datetime.datetime(2040, 1, 1)
KEYS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
fields = {}


def name(cn):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "LabelMesh tests"),
                      x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def digest_of(key):
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def keep_key(label, key):
    fields[label] = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption())


def certify(label, key, cn, issuer, issuer_key, sans=(), ca=False, begin=BEGIN, end=END, usage=None,
            constraints=None, digest=None, serial=None):
    b = (x509.CertificateBuilder().subject_name(name(cn)).issuer_name(issuer)
         .public_key(key.public_key()).serial_number(serial or x509.random_serial_number())
         .not_valid_before(begin).not_valid_after(end)
         .add_extension(x509.BasicConstraints(ca, None), True)
         .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
         .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
    sign = usage != "encipher"
    b = b.add_extension(x509.KeyUsage(sign and not ca, False, not sign, False, False, ca, ca, False, False), True)
    if sans:
        b = b.add_extension(x509.SubjectAlternativeName(sans), False)
    if constraints:
        b = b.add_extension(constraints, True)
    cert = b.sign(issuer_key, digest or digest_of(issuer_key))
    fields[label] = cert.public_bytes(serialization.Encoding.DER)
    return cert


def dns(n):
    return [x509.DNSName(n)]


# Two roots. Of RSA: root, intermediate, leaf, so that a whole chain is long. Of P-256: leaves.
rsa_root = KEYS["rsa"]()
root1 = certify("rsa_root", rsa_root, "rsa root", name("rsa root"), rsa_root, ca=True)
rsa_int = KEYS["rsa"]()
int1 = certify("rsa_intermediate", rsa_int, "rsa intermediate", root1.subject, rsa_root, ca=True)
ec_root = KEYS["p256"]()
root2 = certify("ec_root", ec_root, "ec root", name("ec root"), ec_root, ca=True)

for node in "a", "b":
    for kind in KEYS:
        key = KEYS[kind]()
        keep_key(f"{node}_{kind}_key", key)
        fqdn = f"{node}.test"
        if kind == "rsa":
            certify(f"{node}_rsa", key, fqdn, int1.subject, rsa_int, dns(fqdn))
        else:
            certify(f"{node}_{kind}", key, fqdn, root2.subject, ec_root, dns(fqdn))

# What must be refused: leaves of a.test with one thing wrong.
bad = KEYS["p256"]()
keep_key("bad_key", bad)
a = dns("a.test")
certify("bad_expired", bad, "a.test", root2.subject, ec_root, a, end=PAST)
certify("bad_not_yet", bad, "a.test", root2.subject, ec_root, a, begin=FUTURE)
certify("bad_name", bad, "a.test", root2.subject, ec_root, dns("c.test"))
certify("bad_no_name", bad, "a.test", root2.subject, ec_root)
certify("bad_self_signed", bad, "a.test", name("a.test"), bad, a)
certify("bad_usage", bad, "a.test", root2.subject, ec_root, a, usage="encipher")
certify("bad_revoked", bad, "a.test", root2.subject, ec_root, a, serial=4711)
stranger = KEYS["p256"]()
certify("bad_issuer", bad, "a.test", root2.subject, stranger, a)
# A leaf that signs another leaf; an intermediate whose constraints leave a.test out.
leaf = KEYS["p256"]()
leaf_cert = certify("bad_ca_leaf", leaf, "leaf", root2.subject, ec_root, dns("leaf.test"))
certify("bad_under_leaf", bad, "a.test", leaf_cert.subject, leaf, a)
narrow = KEYS["p256"]()
narrow_cert = certify("bad_ca_narrow", narrow, "narrow", root2.subject, ec_root, ca=True,
                      constraints=x509.NameConstraints(None, dns("a.test")))
certify("bad_excluded", bad, "a.test", narrow_cert.subject, narrow, a)
sha1_root = KEYS["p256"]()
sha1_int = certify("bad_ca_sha1", sha1_root, "sha1", root2.subject, ec_root, ca=True, digest=hashes.SHA1())
certify("bad_under_sha1", bad, "a.test", sha1_int.subject, sha1_root, a)
for label, key in (("bad_rsa1024", rsa.generate_private_key(65537, 1024)),
                   ("bad_rsa_e3", rsa.generate_private_key(3, 2048)),
                   ("bad_curve", ec.generate_private_key(ec.SECP256K1()))):
    keep_key(label + "_key", key)
    certify(label, key, "a.test", root2.subject, ec_root, a)
# Names of every other type.
certify("names", bad, "a.test", root2.subject, ec_root,
        [x509.RFC822Name("a@test"), x509.IPAddress(ipaddress.ip_address("10.0.0.1")),
         x509.IPAddress(ipaddress.ip_address("2001:db8::1")), x509.DNSName("A.Test")])
fields["names_subject"] = name("a.test").public_bytes()


def crl(label, issuer, key, serials, end=END):
    b = x509.CertificateRevocationListBuilder().issuer_name(issuer).last_update(BEGIN).next_update(end)
    for serial in serials:
        b = b.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial)
                                      .revocation_date(BEGIN).build())
    fields[label] = b.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


crl("ec_crl", root2.subject, ec_root, [4711])
crl("ec_crl_old", root2.subject, ec_root, [], PAST)
crl("rsa_crl", root1.subject, rsa_root, [])

# RFC 7296 3.7: what CERTREQ names an authority by.
for label, root in ("rsa", root1), ("ec", root2):
    spki_of_root = root.public_key().public_bytes(serialization.Encoding.DER,
                                                  serialization.PublicFormat.SubjectPublicKeyInfo)
    fields[f"{label}_root_key_hash"] = hashlib.sha1(spki_of_root).digest()

with open(f"{OUT}/certificates.txt", "w") as f:
    f.write("# python3-cryptography: tests/ikev2/make_certificates.py\n")
    for label, value in fields.items():
        f.write(f"{label} = {value.hex()}\n")

# AUTH payloads: RFC 7427 3, AlgorithmIdentifiers of its appendix A and of RFC 8420 as they stand
# there (PSS also as DER wants it, without the default trailer, with and without NULL).
OCTETS = bytes(range(256)) * 3
SHA2 = {"sha256": (hashes.SHA256(), 1, 32), "sha384": (hashes.SHA384(), 2, 48), "sha512": (hashes.SHA512(), 3, 64)}


def tlv(tag, body):
    return bytes([tag, len(body)]) + body


def oid(hexes):
    return tlv(6, bytes.fromhex(hexes))


def pss_identifier(n, salt, null, trailer):
    h = tlv(0x30, oid("6086480165030402%02x" % n) + (b"\5\0" if null else b""))
    mgf = tlv(0x30, oid("2a864886f70d010108") + h)
    params = tlv(0xa0, h) + tlv(0xa1, mgf) + tlv(0xa2, tlv(2, bytes([salt])))
    if trailer:
        params += tlv(0xa3, b"\2\1\1")
    return tlv(0x30, oid("2a864886f70d01010a") + tlv(0x30, params))


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


records = []


def payload(label, key, identifier, signature, ok=1, method=14):
    head = bytes([len(identifier)]) + identifier if method == 14 else b""
    records.append(dict(name=label, spki=spki(key), method=method, auth=head + signature, ok=ok))


rk = KEYS["rsa"]()
for label, (h, n, size) in SHA2.items():
    sig = rk.sign(OCTETS, padding.PKCS1v15(), h)
    ident = tlv(0x30, oid("2a864886f70d0101%02x" % {1: 0xb, 2: 0xc, 3: 0xd}[n]) + b"\5\0")
    payload(f"rsa pkcs1 {label}", rk, ident, sig)
    payload(f"rsa pkcs1 {label}, a byte short", rk, ident, sig[:-1], 0)
    payload(f"rsa pkcs1 {label}, a zero byte before", rk, ident, b"\0" + sig, 0)
    pss = rk.sign(OCTETS, padding.PSS(padding.MGF1(h), size), h)
    for null in 0, 1:
        for trailer in 0, 1:
            payload(f"rsa pss {label}, null {null}, trailer {trailer}", rk, pss_identifier(n, size, null, trailer), pss)
    # CVE-2021-41990: a salt length that is not the hash's.
    payload(f"rsa pss {label}, salt of 20", rk, pss_identifier(n, 20, 1, 0),
            rk.sign(OCTETS, padding.PSS(padding.MGF1(h), 20), h), 0)
    payload(f"rsa pss {label}, salt of 20 under the right identifier", rk, pss_identifier(n, size, 1, 0),
            rk.sign(OCTETS, padding.PSS(padding.MGF1(h), 20), h), 0)
    other = hashes.SHA512() if n == 1 else hashes.SHA256()
    payload(f"rsa pss {label}, mgf1 with another hash", rk, pss_identifier(n, size, 1, 0),
            rk.sign(OCTETS, padding.PSS(padding.MGF1(other), size), h), 0)
    payload(f"rsa pkcs1 {label} under the pss identifier", rk, pss_identifier(n, size, 1, 0), sig, 0)
    for kind in "p256", "p384", "p521":
        k = KEYS[kind]()
        payload(f"ecdsa {kind} {label}", k, tlv(0x30, oid("2a8648ce3d0403%02x" % (n + 1))), k.sign(OCTETS, ec.ECDSA(h)))
# CVE-2018-6459: PSS without parameters, which means SHA-1.
payload("rsa pss without parameters", rk, tlv(0x30, oid("2a864886f70d01010a")),
        rk.sign(OCTETS, padding.PSS(padding.MGF1(hashes.SHA1()), 20), hashes.SHA1()), 0)
payload("rsa sha1", rk, tlv(0x30, oid("2a864886f70d010105") + b"\5\0"), rk.sign(OCTETS, padding.PKCS1v15(), hashes.SHA1()), 0)
payload("no identifier", rk, b"", rk.sign(OCTETS, padding.PKCS1v15(), hashes.SHA256()), 0)
ek = KEYS["ed25519"]()
payload("ed25519", ek, tlv(0x30, oid("2b6570")), ek.sign(OCTETS))
k = KEYS["p256"]()
payload("ed25519 identifier with another key", k, tlv(0x30, oid("2b6570")), ek.sign(OCTETS), 0)
payload("ecdsa r and s of zero", k, tlv(0x30, oid("2a8648ce3d040302")), bytes.fromhex("3006020100020100"), 0)
payload("rsa signature of zeros", rk, tlv(0x30, oid("2a864886f70d01010b") + b"\5\0"), bytes(256), 0)
# RFC 4754 7
for kind, label, method, n in (("p256", "sha256", 9, 32), ("p384", "sha384", 10, 48), ("p521", "sha512", 11, 66)):
    k = KEYS[kind]()
    r, s = utils.decode_dss_signature(k.sign(OCTETS, ec.ECDSA(SHA2[label][0])))
    raw = r.to_bytes(n, "big") + s.to_bytes(n, "big")
    payload(f"rfc4754 {kind}", k, b"", raw, 1, method)
    payload(f"rfc4754 {kind}, a byte short", k, b"", raw[:-1], 0, method)
    payload(f"rfc4754 {kind} as another method", k, b"", raw, 0, 9 if method == 11 else method + 1)

with open(f"{OUT}/signatures.txt", "w") as f:
    f.write("# python3-cryptography: tests/ikev2/make_certificates.py; octets are 0 to 255, three times\n")
    for record in records:
        for key, value in record.items():
            f.write("%s = %s\n" % (key, value.hex() if isinstance(value, bytes) else value))
        f.write("\n")
