/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * SK and SKF payloads opened: with the keys of an IKE SA, or with keys that a dissector was given.
 */
#include "message.h"

#include "crypto.h"
#include <ikev2/opener.h>

enum { FRAGMENT_HEAD_BYTES = 4 /* number and total */ };

ikev2_rc ikev2__sealed_find(const ikev2__cipher *cipher, const uint8_t *buf, size_t len,
                            uint8_t first_payload, ikev2__sealed *out)
{
    ikev2_chain chain;
    ikev2_payload p = {0};
    ikev2_fragment f = {0};
    ikev2_rc rc = ikev2_chain_begin(buf + IKEV2_HEADER_BYTES, len - IKEV2_HEADER_BYTES,
                                    first_payload, &chain);
    /* What comes before SK is not protected, and not looked at; a few are enough. */
    for (size_t n = 0; rc >= 0 && p.type != IKEV2_PAYLOAD_SK && p.type != IKEV2_PAYLOAD_SKF; n++) {
        rc = n < IKEV2__MAX_PAYLOADS ? ikev2_chain_next(&chain, &p) : IKEV2_ERR_PAYLOADS;
        if (rc == IKEV2_OK)
            return IKEV2_ERR_PAYLOADS;
    }
    if (rc < 0)
        return rc;
    size_t head = 0;
    if (p.type == IKEV2_PAYLOAD_SKF) {
        rc = ikev2_fragment_decode(p.body, p.len, &f);
        if (rc < 0)
            return rc;
        head = FRAGMENT_HEAD_BYTES;
    }
    const size_t fixed = head + cipher->iv_bytes + cipher->icv_bytes;
    if (p.len < fixed + 1 || (p.len - fixed) % cipher->block_bytes != 0)
        return IKEV2_ERR_LENGTH;
    const size_t aad = (size_t)(p.body - buf) + head;
    *out = (ikev2__sealed){.aad_len = aad,
                           .text_at = aad + cipher->iv_bytes,
                           .text_len = p.len - fixed,
                           .number = f.number,
                           .total = f.total,
                           .first = p.inner};
    return IKEV2_OK;
}

ikev2_rc ikev2__sealed_open(ikev2__crypto *c, const ikev2__cipher *cipher, const uint8_t *key,
                            const uint8_t *integ_key, uint8_t *message, const ikev2__sealed *sealed,
                            size_t *used)
{
    if (!ikev2__open(c, cipher, key, integ_key, message, sealed->aad_len, sealed->text_len))
        return IKEV2_ERR_INTEGRITY;
    const size_t pad = message[sealed->text_at + sealed->text_len - 1];
    if (pad + 1 > sealed->text_len)
        return IKEV2_ERR_LENGTH;
    *used = sealed->text_len - pad - 1;
    return IKEV2_OK;
}

struct ikev2_opener {
    alloc mem;
    ikev2__crypto *crypto;
};

ikev2_rc ikev2_opener_new(const ikev2_allocator *allocator, ikev2_opener **out)
{
    if (!out)
        return IKEV2_ERR_ARG;
    const alloc mem =
        allocator ? alloc_make(allocator->resize, allocator->user) : alloc_make(NULL, NULL);
    ikev2_opener *o = alloc_zero(&mem, sizeof(*o));
    if (!o)
        return IKEV2_ERR_NOMEM;
    o->mem = mem;
    const ikev2_rc rc = ikev2__crypto_new(&mem, &o->crypto);
    if (rc < 0) {
        alloc_free(&mem, o);
        return rc;
    }
    *out = o;
    return IKEV2_OK;
}

void ikev2_opener_free(ikev2_opener *opener)
{
    if (!opener)
        return;
    const alloc mem = opener->mem;
    ikev2__crypto_free(opener->crypto, &mem);
    alloc_free(&mem, opener);
}

/* The cipher that the lengths of the keys belong to. */
static bool cipher_of(const ikev2_message_key *key, ikev2__cipher *out)
{
    static const uint16_t sizes[] = {128, 256};
    for (size_t i = 0; key->key && i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (ikev2__cipher_get(key->encr, sizes[i], key->integ, out) &&
            out->key_bytes == key->key_len)
            return out->integ_bytes == key->integ_key_len && (key->integ_key || !out->integ_bytes);
    return false;
}

ikev2_rc ikev2_opener_open(ikev2_opener *opener, const ikev2_message_key *key, uint8_t *buf,
                           size_t len, ikev2_opened *opened)
{
    ikev2__cipher cipher;
    ikev2_header h;
    ikev2__sealed sealed = {0};
    size_t used = 0;
    if (!opener || !key || !buf || !opened || !cipher_of(key, &cipher))
        return IKEV2_ERR_ARG;
    if (len > IKEV2_OPENER_MAX)
        return IKEV2_ERR_LIMIT;
    ikev2_rc rc = ikev2_header_decode(buf, len, &h);
    if (rc == IKEV2_OK)
        rc = ikev2__sealed_find(&cipher, buf, len, h.next_payload, &sealed);
    if (rc == IKEV2_OK)
        rc = ikev2__sealed_open(opener->crypto, &cipher, key->key, key->integ_key, buf, &sealed,
                                &used);
    if (rc < 0)
        return rc;
    *opened = (ikev2_opened){.offset = sealed.text_at,
                             .len = used,
                             .number = sealed.number,
                             .total = sealed.total,
                             .first_payload = sealed.first};
    return IKEV2_OK;
}
