/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Opening packets whose ICV is right, so that fuzzing goes past authentication: the input is the
 * plaintext, and the target seals it under the key that the SA has. Input:
 *
 *     algorithm (1), flags (1): ESN, tunnel mode, 3 bits of window size, expires after a few
 *     packets; last sequence number (8)
 *     records: kind (1), argument (2), length (1), that many bytes
 *         SEALED: the bytes are a plaintext; the argument moves the sequence number from the top
 *         RAW:    the bytes are a packet, behind the right SPI where the argument is odd
 *         AGAIN:  the packet before, once more
 *         BROKEN: as SEALED, with the bit flipped that the argument names
 *         BATCH:  as SEALED, opened as one of a batch
 *         RESYNC: the packet of a peer that is some subspaces of numbers ahead, argument says where
 */
#include "libesp/cipher.h"

#include <esp/esp.h>
#include <internal/wire.h>
#include <stdlib.h>

#define SPI          0x1000
#define MAX_RECORDS  64
#define RESYNC_TRIES 3
#define FEW_PACKETS  3
#define PACKET_BYTES (255 + ESP_HEADER_MAX + ESP_TRAILER_MAX)

enum {
    RECORD_SEALED,
    RECORD_RAW,
    RECORD_AGAIN,
    RECORD_BROKEN,
    RECORD_BATCH,
    RECORD_RESYNC,
    RECORD_KINDS
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t keymat[ESP_KEYMAT_MAX] = {1, 2, 3, 4, 5, 6, 7, 8};

static const esp__suite choices[] = {
    {.algorithm = ESP_ALGORITHM_AES128_GCM16},
    {.algorithm = ESP_ALGORITHM_AES256_GCM16},
    {.algorithm = ESP_ALGORITHM_CHACHA20_POLY1305},
    {.algorithm = ESP_ALGORITHM_AES128_CBC, .integrity = ESP_INTEGRITY_HMAC_SHA2_256_128},
    {.algorithm = ESP_ALGORITHM_AES256_CBC, .integrity = ESP_INTEGRITY_HMAC_SHA2_512_256},
    {.algorithm = ESP_ALGORITHM_NULL, .integrity = ESP_INTEGRITY_HMAC_SHA2_384_192},
};

enum { CHOICES = sizeof(choices) / sizeof(choices[0]) };

typedef struct packet {
    uint8_t bytes[PACKET_BYTES];
    size_t len;
    uint64_t sequence;
    uint8_t kind;
    bool forged; /* not as it was sealed: no SA may open it */
    const uint8_t *plain;
    size_t plain_len;
} packet;

typedef struct target {
    esp_sa *sa;
    esp_sa_config cfg;
    esp__suite suite;
    const esp__cipher_backend *backend;
    esp__cipher *sealer;
    alloc alloc;
    uint64_t accepted[MAX_RECORDS];
    size_t accepted_count;
} target;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static esp_sa_counters counters_of(const esp_sa *sa)
{
    esp_sa_counters c = {.struct_size = sizeof(c)};
    require(esp_sa_get_counters(sa, &c) == ESP_OK);
    return c;
}

static void seal(const target *t, packet *p)
{
    uint8_t nonce[ESP__NONCE_BYTES] = {0};
    uint8_t aad[12];
    const size_t header_len = t->suite.header_len;
    wire_writer w = wire_writer_make(p->bytes, sizeof(p->bytes));
    wire_put_u32(&w, SPI);
    wire_put_u32(&w, (uint32_t)p->sequence);
    if (t->suite.aead) {
        wire_put_u64(&w, p->sequence);
        memcpy(nonce, t->cfg.keymat + t->suite.key_bytes, ESP__SALT_BYTES);
        memcpy(nonce + ESP__SALT_BYTES, p->bytes + 8, ESP__IV_BYTES);
    }
    wire_writer a = wire_writer_make(aad, sizeof(aad));
    wire_put_u32(&a, SPI);
    if (t->cfg.esn)
        wire_put_u64(&a, p->sequence);
    else
        wire_put_u32(&a, (uint32_t)p->sequence);
    memcpy(p->bytes + header_len, p->plain, p->plain_len);
    const esp__cipher_job job = {
        .nonce = nonce,
        .aad = aad,
        .aad_len = a.len,
        .text = p->bytes + header_len,
        .len = p->plain_len,
        .icv = p->bytes + header_len + p->plain_len,
    };
    require(t->backend->seal(t->sealer, &job) == ESP_OK);
    p->len = header_len + p->plain_len + t->suite.icv_len;
}

static bool was_accepted(const target *t, uint64_t sequence)
{
    for (size_t i = 0; i < t->accepted_count; i++)
        if (t->accepted[i] == sequence)
            return true;
    return false;
}

static esp_rc open_as_asked(const target *t, const packet *p, uint8_t *copy, esp_opened *o)
{
    if (p->kind == RECORD_RESYNC)
        return esp_sa_resync(t->sa, 0, p->bytes, p->len, RESYNC_TRIES, copy, p->len, o);
    if (p->kind != RECORD_BATCH)
        return esp_sa_open(t->sa, 0, copy, p->len, o);
    const esp_open_item items[] = {{.buf = NULL, .len = p->len}, {.buf = copy, .len = p->len}};
    esp_opened opened[2];
    require(esp_sa_open_batch(t->sa, 0, items, 2, opened) == ESP_OK);
    require(opened[0].result == ESP_ERR_ARG);
    *o = opened[1];
    return o->result;
}

static void open_one(target *t, const packet *p)
{
    uint8_t *copy = malloc(p->len ? p->len : 1); /* exact: one byte too far is seen */
    require(copy != NULL);
    memcpy(copy, p->bytes, p->len);
    const esp_sa_counters before = counters_of(t->sa);
    esp_opened o;
    const esp_rc rc = open_as_asked(t, p, copy, &o);
    const esp_sa_counters after = counters_of(t->sa);

    if (rc == ESP_OK || rc == ESP_ERR_DUMMY) {
        require(!p->forged && (p->sequence != 0 || t->cfg.replay_window == 0));
        require(after.packets == before.packets + 1 && after.sequence >= before.sequence);
        require(t->cfg.replay_window == 0 || !was_accepted(t, p->sequence));
        t->accepted[t->accepted_count++] = p->sequence;
    } else {
        require(after.packets == before.packets && after.sequence == before.sequence);
    }
    if (rc == ESP_OK) {
        require(o.sequence == p->sequence && o.offset == t->suite.header_len);
        require(p->plain && o.len + 2 <= p->plain_len &&
                o.next_header == p->plain[p->plain_len - 1]);
        require(memcmp(copy + o.offset, p->plain, o.len) == 0);
    }
    free(copy);
}

static bool set_up(target *t, wire_reader *r)
{
    static const uint32_t windows[] = {0, 32, 64, 128, 192, 1024, 2048, 4096};
    esp_sa_config_init(&t->cfg);
    t->cfg.direction = ESP_DIRECTION_IN;
    t->cfg.spi = SPI;
    const esp__suite *choice = &choices[wire_get_u8(r) % CHOICES];
    t->cfg.algorithm = choice->algorithm;
    t->cfg.integrity = choice->integrity;
    require(esp__suite_get(choice->algorithm, choice->integrity, &t->suite));
    const uint8_t flags = wire_get_u8(r);
    t->cfg.esn = flags & 1;
    t->cfg.mode = flags & 2 ? ESP_MODE_TUNNEL : ESP_MODE_TRANSPORT;
    t->cfg.replay_window = windows[flags >> 2 & 7];
    t->cfg.hard_packets = flags & 0x20 ? FEW_PACKETS : 0;
    t->cfg.last_sequence = wire_get_u64(r);
    t->cfg.keymat = keymat;
    t->cfg.keymat_len = (size_t)t->suite.key_bytes + t->suite.salt_bytes + t->suite.integrity_bytes;
    if (!wire_ok(r) || esp_sa_new(&t->cfg, &t->sa) != ESP_OK)
        return false;
    t->alloc = alloc_make(NULL, NULL);
    t->backend = t->suite.aead ? &esp__cipher_openssl : &esp__cipher_openssl_hmac;
    require(t->backend->create(&t->alloc, &t->suite, true, keymat, &t->sealer) == ESP_OK);
    return true;
}

/* One record into a packet; AGAIN leaves it as it is. */
static void make_packet(const target *t, wire_reader *r, packet *p)
{
    const uint8_t kind = wire_get_u8(r) % RECORD_KINDS;
    const uint16_t argument = wire_get_u16(r);
    const size_t len = wire_get_u8(r);
    const uint8_t *bytes = wire_get_bytes(r, len);
    if (kind == RECORD_AGAIN || !bytes)
        return;
    *p = (packet){
        .plain = bytes, .plain_len = len, .forged = kind == RECORD_RAW || kind == RECORD_BROKEN};
    p->kind = kind;
    if (kind == RECORD_RAW) {
        wire_writer w = wire_writer_make(p->bytes, sizeof(p->bytes));
        if (argument & 1)
            wire_put_u32(&w, SPI);
        wire_put_bytes(&w, bytes, len);
        p->len = w.len;
        return;
    }
    int64_t delta = kind == RECORD_BROKEN ? 1 : (int16_t)argument;
    if (kind == RECORD_RESYNC)
        delta = (int64_t)(argument % (RESYNC_TRIES + 1)) * ((int64_t)1 << 32) + argument;
    p->sequence = counters_of(t->sa).sequence + (uint64_t)delta;
    if (!t->cfg.esn)
        p->sequence = (uint32_t)p->sequence;
    seal(t, p);
    if (kind == RECORD_BROKEN)
        p->bytes[argument / 8 % p->len] ^= (uint8_t)(1u << argument % 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target t = {0};
    packet p = {0};
    wire_reader r = wire_reader_make(data, size);
    if (!set_up(&t, &r))
        return 0;
    for (size_t n = 0; n < MAX_RECORDS && r.left > 0; n++) {
        make_packet(&t, &r, &p);
        open_one(&t, &p);
    }
    t.backend->destroy(&t.alloc, t.sealer);
    esp_sa_free(t.sa);
    return 0;
}
