/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "proposal.h"

enum {
    TRANSFORM_HEADER_BYTES = 8,
    LAST = 0,
    MORE_PROPOSALS = 2,
    MORE_TRANSFORMS = 3,
    ATTRIBUTE_TV = 0x8000, /* attribute format: type and value, without a length */
    ATTRIBUTE_KEY_LENGTH = 14,
    MAX_TYPES = 6
};

/* RFC 7296 3.3.1 */
ikev2_rc ikev2_proposal_next(const uint8_t *body, size_t len, size_t *it, ikev2_proposal *out)
{
    if (!body || !it || !out || *it > len)
        return IKEV2_ERR_ARG;
    if (*it == len)
        return *it > 0 ? IKEV2_OK : IKEV2_ERR_SYNTAX;
    wire_reader r = wire_reader_make(body + *it, len - *it);
    ikev2_proposal p = {0};
    const uint8_t more = wire_get_u8(&r);
    (void)wire_get_u8(&r);
    const uint16_t length = wire_get_u16(&r);
    p.number = wire_get_u8(&r);
    p.protocol = wire_get_u8(&r);
    p.spi_len = wire_get_u8(&r);
    p.transform_count = wire_get_u8(&r);
    const size_t head = 8 + p.spi_len;
    p.spi = wire_get_bytes(&r, p.spi_len);
    if (!wire_ok(&r) || length < head)
        return IKEV2_ERR_SYNTAX;
    p.transforms_len = length - head;
    p.transforms = wire_get_bytes(&r, p.transforms_len);
    const bool spi_ok = p.spi_len == 0 || p.spi_len == 4 || p.spi_len == IKEV2__SPI_BYTES;
    const bool last = *it + length == len;
    if (!wire_ok(&r) || !spi_ok || more != (last ? LAST : MORE_PROPOSALS))
        return IKEV2_ERR_SYNTAX;
    if (p.spi_len == 0)
        p.spi = NULL;
    *it += length;
    *out = p;
    return IKEV2_YES;
}

/* RFC 7296 3.3.5 */
static bool attributes_decode(wire_reader *r, ikev2_transform *t)
{
    while (r->left > 0 && wire_ok(r)) {
        const uint16_t type = wire_get_u16(r);
        const uint16_t value = wire_get_u16(r);
        if (type == (ATTRIBUTE_TV | ATTRIBUTE_KEY_LENGTH)) {
            /* Twice, or 0: the transform cannot be chosen. */
            if (t->key_bits != 0 || value == 0)
                t->reserved2 = 1;
            t->key_bits = value;
        } else {
            t->reserved2 = 1;
            if (!(type & ATTRIBUTE_TV))
                (void)wire_get_bytes(r, value);
        }
    }
    return wire_done(r);
}

/* Are there as many transforms as the proposal claims? */
static bool transforms_counted(const ikev2_proposal *p)
{
    wire_reader r = wire_reader_make(p->transforms, p->transforms_len);
    size_t count = 0;
    for (; r.left > 0; count++) {
        (void)wire_get_u16(&r);
        const uint16_t length = wire_get_u16(&r);
        (void)wire_get_bytes(&r, length < 4 ? SIZE_MAX : length - 4u);
    }
    return wire_ok(&r) && count == p->transform_count;
}

/* RFC 7296 3.3.2 */
ikev2_rc ikev2_transform_next(const ikev2_proposal *proposal, size_t *it, ikev2_transform *out)
{
    if (!proposal || !it || !out || *it > proposal->transforms_len)
        return IKEV2_ERR_ARG;
    if (*it == proposal->transforms_len)
        return transforms_counted(proposal) ? IKEV2_OK : IKEV2_ERR_SYNTAX;
    wire_reader r = wire_reader_make(proposal->transforms + *it, proposal->transforms_len - *it);
    ikev2_transform t = {0};
    const uint8_t more = wire_get_u8(&r);
    (void)wire_get_u8(&r);
    const uint16_t length = wire_get_u16(&r);
    t.type = wire_get_u8(&r);
    (void)wire_get_u8(&r);
    t.id = wire_get_u16(&r);
    if (!wire_ok(&r) || length < TRANSFORM_HEADER_BYTES)
        return IKEV2_ERR_SYNTAX;
    wire_reader attributes = wire_sub(&r, length - TRANSFORM_HEADER_BYTES);
    const bool last = *it + length == proposal->transforms_len;
    if (!attributes_decode(&attributes, &t) || more != (last ? LAST : MORE_TRANSFORMS))
        return IKEV2_ERR_SYNTAX;
    *it += length;
    *out = t;
    return IKEV2_YES;
}

static bool is_aead(uint16_t encr)
{
    return encr == IKEV2_ENCR_AES_GCM_16 || encr == IKEV2_ENCR_CHACHA20_POLY1305;
}

/* Weak algorithms are refused by not being here. */
static bool transform_valid(const ikev2_transform *t)
{
    if (t->reserved != 0 || t->reserved2 != 0)
        return false;
    if (t->type != IKEV2_TRANSFORM_ENCR && t->key_bits != 0)
        return false;
    switch (t->type) {
    case IKEV2_TRANSFORM_ENCR:
        if (t->id == IKEV2_ENCR_CHACHA20_POLY1305)
            return t->key_bits == 0; /* RFC 7634 2.1: no key length attribute */
        return (t->id == IKEV2_ENCR_AES_CBC || t->id == IKEV2_ENCR_AES_GCM_16) &&
               (t->key_bits == 128 || t->key_bits == 256);
    case IKEV2_TRANSFORM_PRF:
        return t->id >= IKEV2_PRF_HMAC_SHA2_256 && t->id <= IKEV2_PRF_HMAC_SHA2_512;
    case IKEV2_TRANSFORM_INTEG:
        return t->id >= IKEV2_INTEG_HMAC_SHA2_256_128 && t->id <= IKEV2_INTEG_HMAC_SHA2_512_256;
    case IKEV2_TRANSFORM_GROUP:
        return t->id == IKEV2_GROUP_NONE ||
               (t->id >= IKEV2_GROUP_MODP_2048 && t->id <= IKEV2_GROUP_MODP_4096) ||
               (t->id >= IKEV2_GROUP_P256 && t->id <= IKEV2_GROUP_P521) ||
               t->id == IKEV2_GROUP_X25519;
    case IKEV2_TRANSFORM_ESN:
        return t->id <= IKEV2_ESN_YES;
    default:
        return false;
    }
}

bool ikev2__has_transform(const ikev2_transform *t, size_t count, uint8_t type, uint16_t id)
{
    for (size_t i = 0; i < count; i++)
        if (t[i].type == type && t[i].id == id)
            return true;
    return false;
}

uint16_t ikev2__first_group(const ikev2_transform *t, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (t[i].type == IKEV2_TRANSFORM_GROUP)
            return t[i].id;
    return IKEV2_GROUP_NONE;
}

bool ikev2__transforms_valid(const ikev2_transform *t, size_t count, uint8_t protocol)
{
    unsigned types = 0;
    bool wants_integ = false;
    if (count == 0 || count > IKEV2_MAX_TRANSFORMS)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!transform_valid(&t[i]))
            return false;
        types |= 1u << t[i].type;
        if (t[i].type == IKEV2_TRANSFORM_ENCR && !is_aead(t[i].id))
            wants_integ = true;
    }
    unsigned wanted = 1u << IKEV2_TRANSFORM_ENCR;
    unsigned unwanted = 0;
    if (protocol == IKEV2_PROTOCOL_ID_IKE) {
        wanted |= 1u << IKEV2_TRANSFORM_PRF | 1u << IKEV2_TRANSFORM_GROUP;
        unwanted = 1u << IKEV2_TRANSFORM_ESN;
        if (ikev2__has_transform(t, count, IKEV2_TRANSFORM_GROUP, IKEV2_GROUP_NONE))
            return false;
    } else {
        wanted |= 1u << IKEV2_TRANSFORM_ESN;
        unwanted = 1u << IKEV2_TRANSFORM_PRF;
    }
    if (wants_integ)
        wanted |= 1u << IKEV2_TRANSFORM_INTEG;
    return (types & wanted) == wanted && !(types & unwanted);
}

static void put_transform(wire_writer *w, const ikev2_transform *t, bool last)
{
    wire_put_u8(w, last ? LAST : MORE_TRANSFORMS);
    wire_put_u8(w, 0);
    wire_put_u16(w, t->key_bits ? TRANSFORM_HEADER_BYTES + 4 : TRANSFORM_HEADER_BYTES);
    wire_put_u8(w, t->type);
    wire_put_u8(w, 0);
    wire_put_u16(w, t->id);
    if (t->key_bits) {
        wire_put_u16(w, ATTRIBUTE_TV | ATTRIBUTE_KEY_LENGTH);
        wire_put_u16(w, t->key_bits);
    }
}

static void put_proposal(ikev2__builder *b, const ikev2__offer *offer, uint8_t number, bool last,
                         const ikev2_transform *list, size_t count)
{
    const size_t start = b->w.len;
    wire_put_u8(&b->w, last ? LAST : MORE_PROPOSALS);
    wire_put_u8(&b->w, 0);
    wire_put_u16(&b->w, 0);
    wire_put_u8(&b->w, number);
    wire_put_u8(&b->w, offer->protocol);
    wire_put_u8(&b->w, (uint8_t)offer->spi_len);
    wire_put_u8(&b->w, (uint8_t)count);
    wire_put_bytes(&b->w, offer->spi, offer->spi_len);
    for (size_t i = 0; i < count; i++)
        put_transform(&b->w, &list[i], i + 1 == count);
    wire_patch_u16(&b->w, start + 2, (uint16_t)(b->w.len - start));
}

/* The part of the list that goes into the proposal of AEAD ciphers, or of the others. */
static size_t offer_part(const ikev2__offer *offer, bool aead, ikev2_transform *out)
{
    size_t n = 0;
    bool ciphers = false;
    for (size_t i = 0; i < offer->count; i++) {
        const ikev2_transform *t = &offer->transforms[i];
        if (t->type == IKEV2_TRANSFORM_ENCR && is_aead(t->id) != aead)
            continue;
        if (t->type == IKEV2_TRANSFORM_INTEG && aead)
            continue;
        if (t->type == IKEV2_TRANSFORM_GROUP && !offer->with_group)
            continue;
        ciphers |= t->type == IKEV2_TRANSFORM_ENCR;
        out[n++] = *t;
    }
    return ciphers ? n : 0;
}

/* RFC 7296 3.3: combined-mode ciphers and others go in proposals of their own. */
void ikev2__put_offer(ikev2__builder *b, const ikev2__offer *offer)
{
    ikev2_transform aead[IKEV2_MAX_TRANSFORMS];
    ikev2_transform other[IKEV2_MAX_TRANSFORMS];
    const size_t n_aead = offer_part(offer, true, aead);
    const size_t n_other = offer_part(offer, false, other);
    ikev2__payload_begin(b, IKEV2_PAYLOAD_SA);
    if (n_aead > 0)
        put_proposal(b, offer, 1, n_other == 0, aead, n_aead);
    if (n_other > 0)
        put_proposal(b, offer, n_aead > 0 ? 2 : 1, true, other, n_other);
    ikev2__payload_end(b);
}

void ikev2__put_choice(ikev2__builder *b, const ikev2__offer *offer, const ikev2__choice *choice)
{
    const ikev2__suite *s = &choice->suite;
    const bool ike = offer->protocol == IKEV2_PROTOCOL_ID_IKE;
    ikev2_transform list[MAX_TYPES];
    size_t n = 0;
    list[n++] =
        (ikev2_transform){.type = IKEV2_TRANSFORM_ENCR, .id = s->encr, .key_bits = s->key_bits};
    if (ike)
        list[n++] = (ikev2_transform){.type = IKEV2_TRANSFORM_PRF, .id = s->prf};
    if (s->integ != IKEV2_INTEG_NONE)
        list[n++] = (ikev2_transform){.type = IKEV2_TRANSFORM_INTEG, .id = s->integ};
    if (s->group != IKEV2_GROUP_NONE)
        list[n++] = (ikev2_transform){.type = IKEV2_TRANSFORM_GROUP, .id = s->group};
    if (!ike)
        list[n++] = (ikev2_transform){.type = IKEV2_TRANSFORM_ESN, .id = s->esn};
    ikev2__payload_begin(b, IKEV2_PAYLOAD_SA);
    put_proposal(b, offer, choice->number, true, list, n);
    ikev2__payload_end(b);
}

/* What one proposal offers, by type. */
typedef struct offered {
    ikev2_transform list[IKEV2_MAX_TRANSFORMS * 2];
    size_t count;
    size_t of_type[MAX_TYPES];
    bool unknown_type;
} offered;

static ikev2_rc collect(const ikev2_proposal *p, offered *out)
{
    ikev2_transform t;
    size_t it = 0;
    ikev2_rc rc;
    memset(out, 0, sizeof(*out));
    while ((rc = ikev2_transform_next(p, &it, &t)) == IKEV2_YES) {
        if (t.type == 0 || t.type >= MAX_TYPES) {
            out->unknown_type = true;
            continue;
        }
        out->of_type[t.type]++;
        /* What is beyond any sensible list is passed over, as an unknown transform is. */
        if (out->count < IKEV2_MAX_TRANSFORMS * 2)
            out->list[out->count++] = t;
    }
    return rc;
}

static const ikev2_transform *find_common(const ikev2__offer *offer, const offered *theirs,
                                          uint8_t type, bool need_integ)
{
    for (size_t i = 0; i < offer->count; i++) {
        const ikev2_transform *t = &offer->transforms[i];
        if (t->type != type)
            continue;
        if (type == IKEV2_TRANSFORM_ENCR && need_integ == is_aead(t->id))
            continue;
        for (size_t k = 0; k < theirs->count; k++) {
            const ikev2_transform *o = &theirs->list[k];
            if (o->type == type && o->id == t->id && o->key_bits == t->key_bits &&
                o->reserved2 == 0)
                return t;
        }
    }
    return NULL;
}

static bool offers_value(const offered *theirs, uint8_t type, uint16_t id)
{
    return ikev2__has_transform(theirs->list, theirs->count, type, id);
}

/* RFC 7296 3.3.6: one transform of every type that is in the proposal. */
static bool match(const ikev2__offer *offer, const offered *theirs, ikev2__suite *out)
{
    const bool ike = offer->protocol == IKEV2_PROTOCOL_ID_IKE;
    ikev2__suite s = {0};
    const size_t *of_type = theirs->of_type;
    if (theirs->unknown_type)
        return false;

    /* RFC 5282 8: with a combined-mode cipher there is no INTEG, or only NONE. */
    const bool integ_none = of_type[IKEV2_TRANSFORM_INTEG] == 0 ||
                            offers_value(theirs, IKEV2_TRANSFORM_INTEG, IKEV2_INTEG_NONE);
    const ikev2_transform *encr = NULL;
    const ikev2_transform *integ = NULL;
    if (integ_none)
        encr = find_common(offer, theirs, IKEV2_TRANSFORM_ENCR, false);
    if (!encr) {
        encr = find_common(offer, theirs, IKEV2_TRANSFORM_ENCR, true);
        integ = find_common(offer, theirs, IKEV2_TRANSFORM_INTEG, true);
        if (!encr || !integ)
            return false;
        s.integ = integ->id;
    }
    s.encr = encr->id;
    s.key_bits = encr->key_bits;

    if (ike) {
        const ikev2_transform *prf = find_common(offer, theirs, IKEV2_TRANSFORM_PRF, false);
        if (!prf || of_type[IKEV2_TRANSFORM_ESN] > 0)
            return false;
        s.prf = prf->id;
    } else {
        if (of_type[IKEV2_TRANSFORM_PRF] > 0)
            return false;
        /* RFC 7296 3.3.3 makes ESN mandatory; where it is missing, it means what it always did. */
        const ikev2_transform *esn = find_common(offer, theirs, IKEV2_TRANSFORM_ESN, false);
        const bool no_esn = of_type[IKEV2_TRANSFORM_ESN] == 0 &&
                            ikev2__has_transform(offer->transforms, offer->count,
                                                 IKEV2_TRANSFORM_ESN, IKEV2_ESN_NO);
        if (!esn && !no_esn)
            return false;
        s.esn = esn ? esn->id : IKEV2_ESN_NO;
    }

    if (offer->with_group) {
        const ikev2_transform *group = find_common(offer, theirs, IKEV2_TRANSFORM_GROUP, false);
        const uint16_t preferred = ikev2__first_group(offer->transforms, offer->count);
        const bool may_lack = preferred == IKEV2_GROUP_NONE ||
                              ikev2__has_transform(offer->transforms, offer->count,
                                                   IKEV2_TRANSFORM_GROUP, IKEV2_GROUP_NONE);
        const bool lacks = of_type[IKEV2_TRANSFORM_GROUP] == 0 ||
                           offers_value(theirs, IKEV2_TRANSFORM_GROUP, IKEV2_GROUP_NONE);
        if (!group && (ike || !may_lack || !lacks))
            return false;
        s.group = group ? group->id : IKEV2_GROUP_NONE;
    }
    /* RFC 7296 1.2: IKE_AUTH has no KE, so the groups of its proposals say nothing. */
    *out = s;
    return true;
}

ikev2_rc ikev2__choose(const ikev2__offer *offer, const ikev2_payload *sa, bool exact,
                       ikev2__choice *out)
{
    ikev2_proposal p;
    offered theirs;
    size_t it = 0;
    unsigned expected = 1;
    bool found = false;
    ikev2_rc rc;
    while ((rc = ikev2_proposal_next(sa->body, sa->len, &it, &p)) == IKEV2_YES) {
        const ikev2_rc inner = collect(&p, &theirs);
        if (inner < 0)
            return inner;
        if (exact) {
            /* RFC 7296 2.7: an answer is one proposal with one transform of each type. */
            if (found || expected > 1)
                return IKEV2_ERR_PROPOSAL;
            for (size_t i = 0; i < MAX_TYPES; i++)
                if (theirs.of_type[i] > 1)
                    return IKEV2_ERR_PROPOSAL;
        } else if (p.number != expected) {
            return IKEV2_ERR_SYNTAX; /* RFC 7296 3.3.1: numbers go 1, 2, 3 */
        }
        expected++;
        ikev2__suite suite;
        if (found || p.protocol != offer->protocol || p.spi_len != offer->spi_len ||
            !match(offer, &theirs, &suite))
            continue;
        found = true;
        *out = (ikev2__choice){.suite = suite, .number = p.number, .spi_len = p.spi_len};
        if (p.spi_len > 0)
            memcpy(out->spi, p.spi, p.spi_len);
    }
    if (rc < 0)
        return rc;
    return found ? IKEV2_OK : IKEV2_ERR_PROPOSAL;
}
