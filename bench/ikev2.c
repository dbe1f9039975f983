/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Handshakes beside the bare primitives: what IKE_SA_INIT and IKE_AUTH with X25519, AES-128-GCM,
 * PRF-HMAC-SHA2-256 and a pre-shared key cannot do without, by the same libraries: two scalar
 * multiplications, the pseudorandom functions of RFC 7296 2.14 to 2.17, two SHA-1 over NAT
 * addresses twice, and the cipher over one message in and one out.
 * Then what one idle IKE SA with one Child SA keeps of memory, and what a request costs an engine
 * with few SAs and one with many.
 *
 * Runs alternate in one process; CPU time of the thread; the ratio of medians.
 * One line each: name, ours, the peer's name, the peer's, ratio (above 1: ours is better), unit.
 */
#define _POSIX_C_SOURCE 200809L
#include "measure.h"

#include <ikev2/ikev2.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 15,
    HANDSHAKES = 200, /* in a round */
    FEW = 50,
    MANY = 50000,
    REQUESTS = 500, /* in a round of the flat row */
    LINGER_MS = 40000,
    MTU = 2048,
    HASH_BYTES = 32,
    SHA1_BYTES = 20,
    GCM_KEY_BYTES = 16,
    ICV_BYTES = 16
};

static size_t held; /* by both engines */

/* ---- Two engines. ---- */

typedef struct side {
    ikev2_engine *engine;
    ikev2_addr addr;
    double ns;       /* CPU time in its calls */
    size_t messages; /* that it sent */
    size_t up;       /* IKE SAs */
    uint64_t last_child;
} side;

typedef struct bench {
    side initiator, responder;
    uint64_t now_ms;
    uint32_t begun; /* each handshake has an identity of its own */
} bench;

static const uint8_t psk[] = "a key that both know";

static void side_open(side *s, uint8_t number)
{
    ikev2_config cfg;
    memset(s, 0, sizeof(*s));
    require(ikev2_config_init(&cfg) == IKEV2_OK, "ikev2_config_init");
    cfg.allocator.resize = counted_resize;
    cfg.allocator.user = &held;
    cfg.seed[0] = number;
    cfg.liveness_ms = cfg.ike_lifetime_s = cfg.child_lifetime_s = 0;
    cfg.cookie_threshold = cfg.max_half_open = MANY;
    require(ikev2_engine_new(&cfg, 0, &s->engine) == IKEV2_OK, "ikev2_engine_new");
    s->addr = (ikev2_addr){.family = IKEV2_FAMILY_IPV4, .port = 500};
    s->addr.bytes[0] = 10;
    s->addr.bytes[3] = number;
}

static ikev2_peer peer_of(const ikev2_identity *local, const ikev2_identity *peer)
{
    return (ikev2_peer){.struct_size = sizeof(ikev2_peer),
                        .local_id = *local,
                        .peer_id = *peer,
                        .local_psk = psk,
                        .local_psk_len = sizeof(psk)};
}

static const ikev2_identity hub_name = {
    .bytes = (const uint8_t *)"hub.test", .len = 8, .type = IKEV2_ID_FQDN};

static void bench_open(bench *b)
{
    static const ikev2_identity spokes = {
        .bytes = (const uint8_t *)"*.spoke.test", .len = 12, .type = IKEV2_ID_FQDN};
    const ikev2_peer profile = peer_of(&hub_name, &spokes);
    uint64_t id;
    memset(b, 0, sizeof(*b));
    side_open(&b->initiator, 1);
    side_open(&b->responder, 2);
    require(ikev2_engine_add_profile(b->responder.engine, 0, &profile, &id) == IKEV2_OK,
            "ikev2_engine_add_profile");
}

static void bench_close(bench *b)
{
    ikev2_engine_free(b->initiator.engine);
    ikev2_engine_free(b->responder.engine);
}

/* Applies events and carries one datagram to the other side; false: there was none. */
static bool step(bench *b, side *from, side *to)
{
    uint8_t buf[MTU];
    ikev2_event ev;
    ikev2_output out;
    const double begin = cpu_ns();
    while (ikev2_engine_poll_event(from->engine, &ev) == IKEV2_YES) {
        from->up += ev.kind == IKEV2_EVENT_IKE_SA_UP;
        if (ev.kind == IKEV2_EVENT_CHILD_OUT)
            from->last_child = ev.child_id;
        require(ev.kind != IKEV2_EVENT_REFUSED, "a handshake");
    }
    const ikev2_rc rc = ikev2_engine_poll_output(from->engine, b->now_ms, buf, sizeof(buf), &out);
    const double middle = cpu_ns();
    from->ns += middle - begin;
    if (rc != IKEV2_YES)
        return false;
    from->messages++;
    const ikev2_path path = {.local = out.path.peer, .peer = out.path.local};
    require(ikev2_engine_input(to->engine, b->now_ms, &path, buf, out.len) == IKEV2_OK,
            "ikev2_engine_input");
    to->ns += cpu_ns() - middle;
    return true;
}

static void settle(bench *b)
{
    while (step(b, &b->initiator, &b->responder) || step(b, &b->responder, &b->initiator))
        continue;
}

static void handshake(bench *b)
{
    char name[32];
    const int len = snprintf(name, sizeof(name), "s%u.spoke.test", b->begun++);
    const ikev2_identity own = {
        .bytes = (const uint8_t *)name, .len = (size_t)len, .type = IKEV2_ID_FQDN};
    ikev2_peer peer = peer_of(&own, &hub_name);
    peer.path.local = b->initiator.addr;
    peer.path.peer = b->responder.addr;
    uint64_t id;
    const double begin = cpu_ns();
    require(ikev2_engine_initiate(b->initiator.engine, b->now_ms, &peer, &id) == IKEV2_OK,
            "ikev2_engine_initiate");
    b->initiator.ns += cpu_ns() - begin;
    settle(b);
}

/* ---- The bare primitives. ---- */

typedef struct bare {
    EVP_MAC *hmac;
    EVP_MAC_CTX *mac;
    EVP_MD *sha1;
    EVP_CIPHER *gcm;
    EVP_CIPHER_CTX *cipher;
} bare;

static void bare_open(bare *p)
{
    char digest[] = "SHA2-256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    p->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    p->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    p->gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    p->cipher = EVP_CIPHER_CTX_new();
    require(p->hmac && p->sha1 && p->gcm && p->cipher, "libcrypto");
    p->mac = EVP_MAC_CTX_new(p->hmac);
    require(p->mac && EVP_MAC_CTX_set_params(p->mac, params) == 1, "EVP_MAC_CTX_set_params");
}

static void bare_close(bare *p)
{
    EVP_MAC_CTX_free(p->mac);
    EVP_MAC_free(p->hmac);
    EVP_MD_free(p->sha1);
    EVP_CIPHER_free(p->gcm);
    EVP_CIPHER_CTX_free(p->cipher);
}

static void bare_prf(bare *p, const uint8_t *key, size_t key_len, const uint8_t *text, size_t len,
                     uint8_t out[HASH_BYTES])
{
    size_t n;
    require(EVP_MAC_init(p->mac, key, key_len, NULL) == 1 &&
                EVP_MAC_update(p->mac, text, len) == 1 &&
                EVP_MAC_final(p->mac, out, &n, HASH_BYTES) == 1,
            "EVP_MAC");
}

static void bare_cipher(bare *p, int seal, uint8_t *text, int len)
{
    static const uint8_t key[GCM_KEY_BYTES] = {1}, nonce[12] = {2}, aad[32] = {3};
    uint8_t tag[ICV_BYTES] = {0};
    int n;
    require(EVP_CipherInit_ex(p->cipher, p->gcm, NULL, key, nonce, seal) == 1 &&
                EVP_CipherUpdate(p->cipher, NULL, &n, aad, sizeof(aad)) == 1 &&
                EVP_CipherUpdate(p->cipher, text, &n, text, len) == 1,
            "EVP_Cipher");
    if (seal)
        require(EVP_CipherFinal_ex(p->cipher, text + len, &n) == 1 &&
                    EVP_CIPHER_CTX_ctrl(p->cipher, EVP_CTRL_AEAD_GET_TAG, ICV_BYTES, tag) == 1,
                "EVP_CipherFinal_ex");
    else /* whatever the verdict: it costs the same */
        require(EVP_CIPHER_CTX_ctrl(p->cipher, EVP_CTRL_AEAD_SET_TAG, ICV_BYTES, tag) == 1 &&
                    EVP_CipherFinal_ex(p->cipher, text + len, &n) <= 1,
                "EVP_CipherFinal_ex");
}

/* One end of one handshake. */
static void bare_handshake(bare *p, const uint8_t peer_public[32])
{
    uint8_t private[32] = {9}, public[32], shared[32], text[1024] = {0}, out[HASH_BYTES];
    require(crypto_scalarmult_curve25519_base(public, private) == 0 &&
                crypto_scalarmult_curve25519(shared, private, peer_public) == 0,
            "X25519");
    /* SKEYSEED; SK_d, two of SK_e with salts, two of SK_p are 136 bytes: 5 blocks of prf+. */
    bare_prf(p, text, 64, shared, sizeof(shared), out);
    for (int i = 0; i < 5; i++)
        bare_prf(p, out, HASH_BYTES, text, 32 + 64 + 16 + 1, out);
    /* AUTH of both: MACed identity, key pad, signed octets (first message, nonce, MACed identity).
     */
    for (int i = 0; i < 2; i++) {
        bare_prf(p, out, HASH_BYTES, text, 16, out);
        bare_prf(p, psk, sizeof(psk), text, 17, out);
        bare_prf(p, out, HASH_BYTES, text, 250 + 32 + 32, out);
    }
    /* Keys of the Child SA, 40 bytes. */
    for (int i = 0; i < 2; i++)
        bare_prf(p, out, HASH_BYTES, text, 32 + 64 + 1, out);
    /* NAT detection: two of ours, two of the peer's. */
    for (int i = 0; i < 4; i++) {
        unsigned int n;
        require(EVP_Digest(text, 22, out, &n, p->sha1, NULL) == 1 && n == SHA1_BYTES, "SHA-1");
    }
    bare_cipher(p, 1, text, 220);
    bare_cipher(p, 0, text, 220);
}

/* ---- Rows. ---- */

static void row(const char *name, double ours, const char *peer, double peers, double ratio,
                const char *unit)
{
    printf("%s\t%.1f\t%s\t%.1f\t%.2f\t%s\n", name, ours, peer, peers, ratio, unit);
}

static void handshakes(void)
{
    static double ours[2][ROUNDS], peers[ROUNDS];
    bare p;
    uint8_t peer_public[32], scalar[32] = {7};
    bare_open(&p);
    require(crypto_scalarmult_curve25519_base(peer_public, scalar) == 0, "X25519");
    for (int i = 0; i < ROUNDS; i++) {
        bench b;
        bench_open(&b);
        for (int k = 0; k < HANDSHAKES; k++)
            handshake(&b);
        require(b.initiator.up == HANDSHAKES && b.responder.up == HANDSHAKES &&
                    b.initiator.messages == 2 * HANDSHAKES,
                "handshakes in two exchanges");
        ours[0][i] = b.initiator.ns / HANDSHAKES;
        ours[1][i] = b.responder.ns / HANDSHAKES;
        bench_close(&b);
        const double begin = cpu_ns();
        for (int k = 0; k < HANDSHAKES; k++)
            bare_handshake(&p, peer_public);
        peers[i] = (cpu_ns() - begin) / HANDSHAKES;
    }
    bare_close(&p);
    const double bare_ns = median(peers, ROUNDS);
    static const char *const names[2] = {"ikev2-initiator-bare", "ikev2-responder-bare"};
    for (int s = 0; s < 2; s++) {
        const double ns = median(ours[s], ROUNDS);
        row(names[s], 1e9 / ns, "bare primitives", 1e9 / bare_ns, bare_ns / ns,
            "handshakes/CPU-second");
    }
}

/* Nanoseconds that one rekey of a child costs the responder: input, output, timeout, deadline. */
static double rekey_ns(bench *b)
{
    const uint64_t child = b->initiator.last_child;
    const double before = b->responder.ns;
    for (int i = 0; i < REQUESTS; i++) {
        b->now_ms += LINGER_MS; /* the one before is forgotten */
        require(ikev2_engine_rekey_child(b->initiator.engine, b->now_ms, b->initiator.last_child) ==
                    IKEV2_OK,
                "ikev2_engine_rekey_child");
        settle(b);
        require(ikev2_engine_timeout(b->initiator.engine, b->now_ms) == IKEV2_OK,
                "ikev2_engine_timeout");
        const double begin = cpu_ns();
        require(ikev2_engine_timeout(b->responder.engine, b->now_ms) == IKEV2_OK &&
                    ikev2_engine_deadline(b->responder.engine) > b->now_ms,
                "ikev2_engine_timeout");
        b->responder.ns += cpu_ns() - begin;
    }
    require(b->initiator.last_child != child, "a rekey");
    return (b->responder.ns - before) / REQUESTS;
}

static void many(void)
{
    static const int sizes[2] = {FEW, MANY};
    static double rounds[2][ROUNDS];
    static bench b[2];
    for (int s = 0; s < 2; s++) {
        bench_open(&b[s]);
        for (int i = 0; i < sizes[s]; i++)
            handshake(&b[s]);
        b[s].now_ms = LINGER_MS;
    }
    for (int i = 0; i < ROUNDS; i++)
        for (int s = 0; s < 2; s++)
            rounds[s][i] = rekey_ns(&b[s]);
    bench_close(&b[0]);
    ikev2_engine_free(b[1].initiator.engine);
    const double bytes = (double)held / MANY;
    ikev2_engine_free(b[1].responder.engine);
    require(held == 0, "freeing it all");
    row("ikev2-memory", bytes, "limit", 4096, 4096 / bytes, "bytes/idle SA with a child");
    const double few = median(rounds[0], ROUNDS), many = median(rounds[1], ROUNDS);
    row("ikev2-rekey-50000", many, "50 SAs", few, few / many, "ns/rekey of a child");
}

int main(void)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    require(sodium_init() >= 0, "sodium_init");
    handshakes();
    many();
    return 0;
}
