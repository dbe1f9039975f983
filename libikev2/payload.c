/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The payloads but for SA, TS and CP, decoded and written.
 */
#include "message.h"

static ikev2_rc tagged_decode(const uint8_t *body, size_t len, bool wide, ikev2_tagged *out)
{
    if (!body || !out)
        return IKEV2_ERR_ARG;
    wire_reader r = wire_reader_make(body, len);
    ikev2_tagged t = {0};
    t.tag = wide ? wire_get_u16(&r) : wire_get_u8(&r);
    (void)wire_get_bytes(&r, wide ? 2 : 3); /* reserved */
    t.len = r.left;
    t.bytes = wire_get_bytes(&r, r.left);
    if (!wire_done(&r))
        return IKEV2_ERR_SYNTAX;
    *out = t;
    return IKEV2_OK;
}

/* RFC 7296 3.4 */
ikev2_rc ikev2_ke_decode(const uint8_t *body, size_t len, ikev2_tagged *out)
{
    return tagged_decode(body, len, true, out);
}

/* RFC 7296 3.8 */
ikev2_rc ikev2_auth_decode(const uint8_t *body, size_t len, ikev2_tagged *out)
{
    return tagged_decode(body, len, false, out);
}

/* RFC 7296 3.15 */
ikev2_rc ikev2_cp_decode(const uint8_t *body, size_t len, ikev2_tagged *out)
{
    return tagged_decode(body, len, false, out);
}

/* RFC 7296 3.5 */
ikev2_rc ikev2_id_decode(const uint8_t *body, size_t len, ikev2_identity *out)
{
    ikev2_tagged t;
    const ikev2_rc rc = tagged_decode(body, len, false, &t);
    if (rc < 0)
        return rc;
    if (!out)
        return IKEV2_ERR_ARG;
    if (t.len == 0 || t.len > IKEV2_MAX_IDENTITY_BYTES || t.tag == IKEV2_ID_ANY)
        return IKEV2_ERR_SYNTAX;
    if ((t.tag == IKEV2_ID_IPV4_ADDR && t.len != 4) || (t.tag == IKEV2_ID_IPV6_ADDR && t.len != 16))
        return IKEV2_ERR_SYNTAX;
    *out = (ikev2_identity){.bytes = t.bytes, .len = t.len, .type = (uint8_t)t.tag};
    return IKEV2_OK;
}

static bool names_child(const ikev2_notify *n)
{
    return (n->protocol == IKEV2_PROTOCOL_ID_ESP || n->protocol == IKEV2_PROTOCOL_ID_AH) &&
           n->spi_len == 4;
}

static bool notify_length_ok(const ikev2_notify *n)
{
    switch (n->type) {
    case IKEV2__N_NAT_DETECTION_SOURCE_IP:
    case IKEV2__N_NAT_DETECTION_DESTINATION_IP:
        return n->len == IKEV2__NAT_HASH_BYTES; /* RFC 7296 2.23 */
    case IKEV2__N_COOKIE:
        return n->len >= 1 && n->len <= IKEV2__MAX_COOKIE; /* RFC 7296 2.6 */
    case IKEV2__N_INVALID_KE_PAYLOAD:
        return n->len == 2; /* RFC 7296 1.3 */
    case IKEV2__N_REKEY_SA:
        return names_child(n); /* RFC 7296 1.3.3: else the notification means nothing. */
    case IKEV2__N_CHILD_SA_NOT_FOUND:
        /* RFC 7296 2.25, 3.10: strongSwan leaves the SPI out; the request tells which child. */
        return n->spi_len == 0 || names_child(n);
    case IKEV2__N_UNSUPPORTED_CRITICAL_PAYLOAD:
        return n->len == 1; /* RFC 7296 2.5 */
    case IKEV2__N_SET_WINDOW_SIZE:
        return n->len == 4; /* RFC 7296 2.3 */
    case IKEV2__N_SIGNATURE_HASH_ALGORITHMS:
        return n->len >= 2 && n->len % 2 == 0; /* RFC 7427 4 */
    default:
        return true;
    }
}

/* RFC 7296 3.10 */
ikev2_rc ikev2_notify_decode(const uint8_t *body, size_t len, ikev2_notify *out)
{
    if (!body || !out)
        return IKEV2_ERR_ARG;
    wire_reader r = wire_reader_make(body, len);
    ikev2_notify n = {0};
    n.protocol = wire_get_u8(&r);
    n.spi_len = wire_get_u8(&r);
    n.type = wire_get_u16(&r);
    n.spi = wire_get_bytes(&r, n.spi_len);
    n.len = r.left;
    n.data = wire_get_bytes(&r, r.left);
    if (!wire_done(&r) || !notify_length_ok(&n))
        return IKEV2_ERR_SYNTAX;
    *out = n;
    return IKEV2_OK;
}

/* RFC 7296 3.11 */
ikev2_rc ikev2_delete_decode(const uint8_t *body, size_t len, ikev2_delete *out)
{
    if (!body || !out)
        return IKEV2_ERR_ARG;
    wire_reader r = wire_reader_make(body, len);
    ikev2_delete d = {0};
    d.protocol = wire_get_u8(&r);
    d.spi_size = wire_get_u8(&r);
    d.count = wire_get_u16(&r);
    const uint8_t expected = d.protocol == IKEV2_PROTOCOL_ID_IKE ? 0 : 4;
    d.spis = wire_get_bytes(&r, (size_t)d.count * d.spi_size);
    if (!wire_done(&r) || d.protocol < IKEV2_PROTOCOL_ID_IKE ||
        d.protocol > IKEV2_PROTOCOL_ID_ESP || d.spi_size != expected ||
        (expected == 0 && d.count != 0))
        return IKEV2_ERR_SYNTAX;
    *out = d;
    return IKEV2_OK;
}

/* RFC 7383 2.5 */
ikev2_rc ikev2_fragment_decode(const uint8_t *body, size_t len, ikev2_fragment *out)
{
    if (!body || !out)
        return IKEV2_ERR_ARG;
    wire_reader r = wire_reader_make(body, len);
    ikev2_fragment f = {0};
    f.number = wire_get_u16(&r);
    f.total = wire_get_u16(&r);
    f.len = r.left;
    f.bytes = wire_get_bytes(&r, r.left);
    if (!wire_done(&r))
        return IKEV2_ERR_SYNTAX;
    if (f.number == 0 || f.number > f.total)
        return IKEV2_ERR_FRAGMENT;
    *out = f;
    return IKEV2_OK;
}

ikev2__builder ikev2__builder_make(uint8_t *buf, size_t cap)
{
    ikev2__builder b = {.w = wire_writer_make(buf, cap)};
    return b;
}

void ikev2__payload_begin(ikev2__builder *b, uint8_t type)
{
    if (!b->chained)
        b->first = type;
    else if (wire_fits(&b->w))
        b->w.buf[b->next_at] = type;
    b->chained = true;
    b->start_at = b->next_at = b->w.len;
    wire_put_zeros(&b->w, IKEV2__GENERIC_BYTES);
}

void ikev2__payload_end(ikev2__builder *b)
{
    const size_t len = b->w.len - b->start_at;
    /* A payload that no length field can tell must not be sent: as if the buffer were full. */
    if (len > UINT16_MAX)
        b->w.len = b->w.cap + 1;
    wire_patch_u16(&b->w, b->start_at + 2, (uint16_t)len);
}

void ikev2__header_put(wire_writer *w, const ikev2_header *h)
{
    wire_put_u64(w, h->spi_i);
    wire_put_u64(w, h->spi_r);
    wire_put_u8(w, h->next_payload);
    wire_put_u8(w, h->version);
    wire_put_u8(w, h->exchange);
    wire_put_u8(w, h->flags);
    wire_put_u32(w, h->message_id);
    wire_put_u32(w, h->length);
}

void ikev2__put_bytes(ikev2__builder *b, uint8_t type, const uint8_t *bytes, size_t len)
{
    ikev2__payload_begin(b, type);
    wire_put_bytes(&b->w, bytes, len);
    ikev2__payload_end(b);
}

void ikev2__put_ke(ikev2__builder *b, uint16_t group, const uint8_t *bytes, size_t len)
{
    ikev2__payload_begin(b, IKEV2_PAYLOAD_KE);
    wire_put_u16(&b->w, group);
    wire_put_u16(&b->w, 0);
    wire_put_bytes(&b->w, bytes, len);
    ikev2__payload_end(b);
}

static void put_tagged(ikev2__builder *b, uint8_t type, uint8_t tag, const uint8_t *bytes,
                       size_t len)
{
    ikev2__payload_begin(b, type);
    wire_put_u8(&b->w, tag);
    wire_put_zeros(&b->w, 3);
    wire_put_bytes(&b->w, bytes, len);
    ikev2__payload_end(b);
}

void ikev2__put_id(ikev2__builder *b, uint8_t type, const ikev2_identity *id)
{
    put_tagged(b, type, id->type, id->bytes, id->len);
}

void ikev2__put_auth(ikev2__builder *b, uint8_t method, const uint8_t *bytes, size_t len)
{
    put_tagged(b, IKEV2_PAYLOAD_AUTH, method, bytes, len);
}

void ikev2__put_notify(ikev2__builder *b, uint8_t protocol, const uint8_t *spi, size_t spi_len,
                       uint16_t type, const uint8_t *data, size_t len)
{
    ikev2__payload_begin(b, IKEV2_PAYLOAD_NOTIFY);
    wire_put_u8(&b->w, protocol);
    wire_put_u8(&b->w, (uint8_t)spi_len);
    wire_put_u16(&b->w, type);
    wire_put_bytes(&b->w, spi, spi_len);
    wire_put_bytes(&b->w, data, len);
    ikev2__payload_end(b);
}

void ikev2__put_status(ikev2__builder *b, uint16_t type)
{
    ikev2__put_notify(b, 0, NULL, 0, type, NULL, 0);
}

void ikev2__put_delete(ikev2__builder *b, uint8_t protocol, const uint32_t *spis, size_t count)
{
    ikev2__payload_begin(b, IKEV2_PAYLOAD_DELETE);
    wire_put_u8(&b->w, protocol);
    wire_put_u8(&b->w, protocol == IKEV2_PROTOCOL_ID_IKE ? 0 : 4);
    wire_put_u16(&b->w, (uint16_t)count);
    for (size_t i = 0; i < count; i++)
        wire_put_u32(&b->w, spis[i]);
    ikev2__payload_end(b);
}

const char *ikev2_notify_name(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *name;
    } names[] = {
        {IKEV2__N_UNSUPPORTED_CRITICAL_PAYLOAD, "UNSUPPORTED_CRITICAL_PAYLOAD"},
        {IKEV2__N_INVALID_IKE_SPI, "INVALID_IKE_SPI"},
        {IKEV2__N_INVALID_MAJOR_VERSION, "INVALID_MAJOR_VERSION"},
        {IKEV2__N_INVALID_SYNTAX, "INVALID_SYNTAX"},
        {IKEV2__N_INVALID_MESSAGE_ID, "INVALID_MESSAGE_ID"},
        {IKEV2__N_INVALID_SPI, "INVALID_SPI"},
        {IKEV2__N_NO_PROPOSAL_CHOSEN, "NO_PROPOSAL_CHOSEN"},
        {IKEV2__N_INVALID_KE_PAYLOAD, "INVALID_KE_PAYLOAD"},
        {IKEV2__N_AUTHENTICATION_FAILED, "AUTHENTICATION_FAILED"},
        {IKEV2__N_SINGLE_PAIR_REQUIRED, "SINGLE_PAIR_REQUIRED"},
        {IKEV2__N_NO_ADDITIONAL_SAS, "NO_ADDITIONAL_SAS"},
        {IKEV2__N_INTERNAL_ADDRESS_FAILURE, "INTERNAL_ADDRESS_FAILURE"},
        {IKEV2__N_FAILED_CP_REQUIRED, "FAILED_CP_REQUIRED"},
        {IKEV2__N_TS_UNACCEPTABLE, "TS_UNACCEPTABLE"},
        {IKEV2__N_INVALID_SELECTORS, "INVALID_SELECTORS"},
        {IKEV2__N_TEMPORARY_FAILURE, "TEMPORARY_FAILURE"},
        {IKEV2__N_CHILD_SA_NOT_FOUND, "CHILD_SA_NOT_FOUND"},
        {IKEV2__N_INITIAL_CONTACT, "INITIAL_CONTACT"},
        {IKEV2__N_SET_WINDOW_SIZE, "SET_WINDOW_SIZE"},
        {IKEV2__N_ADDITIONAL_TS_POSSIBLE, "ADDITIONAL_TS_POSSIBLE"},
        {IKEV2__N_IPCOMP_SUPPORTED, "IPCOMP_SUPPORTED"},
        {IKEV2__N_NAT_DETECTION_SOURCE_IP, "NAT_DETECTION_SOURCE_IP"},
        {IKEV2__N_NAT_DETECTION_DESTINATION_IP, "NAT_DETECTION_DESTINATION_IP"},
        {IKEV2__N_COOKIE, "COOKIE"},
        {IKEV2__N_USE_TRANSPORT_MODE, "USE_TRANSPORT_MODE"},
        {IKEV2__N_HTTP_CERT_LOOKUP_SUPPORTED, "HTTP_CERT_LOOKUP_SUPPORTED"},
        {IKEV2__N_REKEY_SA, "REKEY_SA"},
        {IKEV2__N_ESP_TFC_PADDING_NOT_SUPPORTED, "ESP_TFC_PADDING_NOT_SUPPORTED"},
        {IKEV2__N_NON_FIRST_FRAGMENTS_ALSO, "NON_FIRST_FRAGMENTS_ALSO"},
        {IKEV2__N_FRAGMENTATION_SUPPORTED, "IKEV2_FRAGMENTATION_SUPPORTED"},
        {IKEV2__N_SIGNATURE_HASH_ALGORITHMS, "SIGNATURE_HASH_ALGORITHMS"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].type == type)
            return names[i].name;
    return "UNKNOWN";
}
