/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * UPDATE: attributes with the grades of RFC 7606.
 */
#include "codec.h"

enum {
    FLAGS_WELL_KNOWN = BGPVPN_FLAG_TRANSITIVE,
    FLAGS_OPTIONAL = BGPVPN_FLAG_OPTIONAL,
    FLAGS_OPTIONAL_TRANSITIVE = BGPVPN_FLAG_OPTIONAL | BGPVPN_FLAG_TRANSITIVE,
    FLAGS_CHECKED = BGPVPN_FLAG_OPTIONAL | BGPVPN_FLAG_TRANSITIVE,
    KNOWN_TYPES = 33,
    HAS_TYPES = 64,
    REACH_MIN = 5,
    UNREACH_MIN = 3,
    ORIGIN_MAX = 2,
    EXTENDED_ABOVE = 255
};

/* What is right for an attribute, and what follows if it is not (RFC 7606 7, RFC 6793 6). */
typedef struct attribute_rule {
    uint8_t flags;     /* 0: the type is not known here */
    uint8_t unit;      /* its length is a multiple of this; 0: anything */
    uint8_t once;      /* ... and exactly once this */
    uint8_t malformed; /* BGPVPN_TREAT_... */
    uint8_t internal;  /* only from internal peers; else discarded */
} attribute_rule;

static const attribute_rule rules[KNOWN_TYPES] = {
    [BGPVPN_ATTR_ORIGIN] = {FLAGS_WELL_KNOWN, 1, 1, BGPVPN_TREAT_WITHDRAW, 0},
    [BGPVPN_ATTR_AS_PATH] = {FLAGS_WELL_KNOWN, 0, 0, BGPVPN_TREAT_WITHDRAW, 0},
    [BGPVPN_ATTR_NEXT_HOP] = {FLAGS_WELL_KNOWN, 4, 1, BGPVPN_TREAT_WITHDRAW, 0},
    [BGPVPN_ATTR_MED] = {FLAGS_OPTIONAL, 4, 1, BGPVPN_TREAT_WITHDRAW, 0},
    [BGPVPN_ATTR_LOCAL_PREF] = {FLAGS_WELL_KNOWN, 4, 1, BGPVPN_TREAT_WITHDRAW, 1},
    [BGPVPN_ATTR_ATOMIC_AGGREGATE] = {FLAGS_WELL_KNOWN, 0, 0, BGPVPN_TREAT_DISCARD, 0},
    [BGPVPN_ATTR_AGGREGATOR] = {FLAGS_OPTIONAL_TRANSITIVE, 0, 0, BGPVPN_TREAT_DISCARD, 0},
    [BGPVPN_ATTR_COMMUNITIES] = {FLAGS_OPTIONAL_TRANSITIVE, 4, 0, BGPVPN_TREAT_WITHDRAW, 0},
    [BGPVPN_ATTR_ORIGINATOR_ID] = {FLAGS_OPTIONAL, 4, 1, BGPVPN_TREAT_WITHDRAW, 1},
    [BGPVPN_ATTR_CLUSTER_LIST] = {FLAGS_OPTIONAL, 4, 0, BGPVPN_TREAT_WITHDRAW, 1},
    [BGPVPN_ATTR_EXTENDED_COMMUNITIES] = {FLAGS_OPTIONAL_TRANSITIVE, 8, 0, BGPVPN_TREAT_WITHDRAW,
                                          0},
    [BGPVPN_ATTR_AS4_PATH] = {FLAGS_OPTIONAL_TRANSITIVE, 0, 0, BGPVPN_TREAT_DISCARD, 0},
    [BGPVPN_ATTR_AS4_AGGREGATOR] = {FLAGS_OPTIONAL_TRANSITIVE, 8, 1, BGPVPN_TREAT_DISCARD, 0},
    [BGPVPN_ATTR_IPV6_EXT_COMMUNITIES] = {FLAGS_OPTIONAL_TRANSITIVE, 20, 0, BGPVPN_TREAT_WITHDRAW,
                                          0},
    [BGPVPN_ATTR_LARGE_COMMUNITIES] = {FLAGS_OPTIONAL_TRANSITIVE, 12, 0, BGPVPN_TREAT_WITHDRAW, 0},
};

bgpvpn_rc bgpvpn_attribute_next(const uint8_t *buf, size_t len, size_t *it, bgpvpn_attribute *out)
{
    if (!it || !out || (!buf && len > 0))
        return BGPVPN_ERR_ARG;
    if (*it >= len)
        return BGPVPN_OK;
    wire_reader r = wire_reader_make(buf + *it, len - *it);
    bgpvpn_attribute a = {0};
    a.flags = wire_get_u8(&r);
    a.type = wire_get_u8(&r);
    a.len = a.flags & BGPVPN_FLAG_EXTENDED ? wire_get_u16(&r) : wire_get_u8(&r);
    a.value = wire_get_bytes(&r, a.len);
    if (!wire_ok(&r))
        return BGPVPN_ERR_TRUNCATED;
    *it = len - r.left;
    *out = a;
    return BGPVPN_YES;
}

void bgpvpn__put_attribute(wire_writer *w, uint8_t flags, uint8_t type, size_t len)
{
    const uint8_t rest = flags & (uint8_t)~BGPVPN_FLAG_EXTENDED;
    wire_put_u8(w, len > EXTENDED_ABOVE ? rest | BGPVPN_FLAG_EXTENDED : rest);
    wire_put_u8(w, type);
    if (len > EXTENDED_ABOVE)
        wire_put_u16(w, (uint16_t)len);
    else
        wire_put_u8(w, (uint8_t)len);
}

bgpvpn_rc bgpvpn_attribute_encode(const bgpvpn_attribute *attribute, uint8_t *buf, size_t cap,
                                  size_t *len)
{
    if (!attribute || !buf || !len || (!attribute->value && attribute->len > 0) ||
        attribute->len > UINT16_MAX)
        return BGPVPN_ERR_ARG;
    wire_writer w = wire_writer_make(buf, cap);
    bgpvpn__put_attribute(&w, attribute->flags, attribute->type, attribute->len);
    wire_put_bytes(&w, attribute->value, attribute->len);
    *len = w.len;
    return wire_fits(&w) ? BGPVPN_OK : BGPVPN_ERR_BUFFER;
}

/* Whether every segment is whole and of a known type (RFC 7606 7.2). */
static int as_path_ok(const uint8_t *path, size_t len, uint8_t as_size)
{
    wire_reader r = wire_reader_make(path, len);
    while (r.left > 0) {
        const uint8_t type = wire_get_u8(&r);
        const size_t count = wire_get_u8(&r);
        if (count == 0 || (type != BGPVPN_AS_SET && type != BGPVPN_AS_SEQ))
            return 0;
        for (size_t i = 0; i < count && wire_ok(&r); i++) {
            const uint32_t as = as_size == 4 ? wire_get_u32(&r) : wire_get_u16(&r);
            /* RFC 7607 2: AS 0 makes a path malformed. */
            if (as == 0)
                return 0;
        }
    }
    return wire_done(&r);
}

/* A next hop field as each family wants it (RFC 4760 3, RFC 2545 3, RFC 4364 4.3.4, RFC 4659 3.2).
 */
static int next_hop_len_ok(uint32_t table, size_t len)
{
    switch (table) {
    case BGPVPN_TABLE_IPV4:
        return len == 4;
    case BGPVPN_TABLE_IPV6:
        return len == 16 || len == 32;
    case BGPVPN_TABLE_VPNV4:
        return len == BGPVPN_RD_LEN + 4;
    case BGPVPN_TABLE_TARGETS: /* RFC 4684 4 */
        return len == 4 || len == 16;
    default:
        return len == BGPVPN_RD_LEN + 16 || len == 2 * (BGPVPN_RD_LEN + 16);
    }
}

static int nlri_ok(uint32_t table, uint8_t withdraw, const uint8_t *buf, size_t len)
{
    size_t it = 0;
    bgpvpn_nlri nlri;
    bgpvpn_rc rc;
    do
        rc = bgpvpn_nlri_next(table, withdraw, buf, len, &it, &nlri);
    while (rc == BGPVPN_YES);
    return rc == BGPVPN_OK;
}

/* RFC 7606 5.3, 7.11: what is wrong here hides the NLRI, and ends the session. */
static bgpvpn_rc read_reach(const bgpvpn_attribute *a, bgpvpn_update *u)
{
    wire_reader r = wire_reader_make(a->value, a->len);
    if ((a->flags & FLAGS_CHECKED) != FLAGS_OPTIONAL || a->len < REACH_MIN)
        return BGPVPN_ERR_MULTIPROTOCOL;
    u->reach_afi = wire_get_u16(&r);
    u->reach_safi = wire_get_u8(&r);
    u->reach_next_hop_len = wire_get_u8(&r);
    u->reach_next_hop = wire_get_bytes(&r, u->reach_next_hop_len);
    (void)wire_get_u8(&r); /* reserved */
    const uint32_t table = bgpvpn__table(u->reach_afi, u->reach_safi);
    if (!wire_ok(&r) || (table && !next_hop_len_ok(table, u->reach_next_hop_len)))
        return BGPVPN_ERR_MULTIPROTOCOL;
    u->reach_len = r.left;
    u->reach = wire_get_bytes(&r, r.left);
    return table && !nlri_ok(table, 0, u->reach, u->reach_len) ? BGPVPN_ERR_MULTIPROTOCOL
                                                               : BGPVPN_OK;
}

static bgpvpn_rc read_unreach(const bgpvpn_attribute *a, bgpvpn_update *u)
{
    wire_reader r = wire_reader_make(a->value, a->len);
    if ((a->flags & FLAGS_CHECKED) != FLAGS_OPTIONAL || a->len < UNREACH_MIN)
        return BGPVPN_ERR_MULTIPROTOCOL;
    u->unreach_afi = wire_get_u16(&r);
    u->unreach_safi = wire_get_u8(&r);
    u->unreach_len = r.left;
    u->unreach = wire_get_bytes(&r, r.left);
    const uint32_t table = bgpvpn__table(u->unreach_afi, u->unreach_safi);
    return table && !nlri_ok(table, 1, u->unreach, u->unreach_len) ? BGPVPN_ERR_MULTIPROTOCOL
                                                                   : BGPVPN_OK;
}

static int attribute_ok(const bgpvpn_attribute *a, const attribute_rule *rule, uint8_t as_size)
{
    if ((a->flags & FLAGS_CHECKED) != rule->flags)
        return 0;
    switch (a->type) {
    case BGPVPN_ATTR_AS_PATH:
        return as_path_ok(a->value, a->len, as_size);
    case BGPVPN_ATTR_AS4_PATH:
        return a->len > 0 && as_path_ok(a->value, a->len, 4);
    case BGPVPN_ATTR_ATOMIC_AGGREGATE:
        return a->len == 0;
    case BGPVPN_ATTR_AGGREGATOR:
        return a->len == (as_size == 4 ? 8u : 6u);
    case BGPVPN_ATTR_ORIGIN:
        return a->len == 1 && a->value[0] <= ORIGIN_MAX;
    default:
        return rule->once ? a->len == rule->unit : a->len > 0 && a->len % rule->unit == 0;
    }
}

static uint32_t number(const bgpvpn_attribute *a)
{
    wire_reader r = wire_reader_make(a->value, a->len);
    return wire_get_u32(&r);
}

static void take(const bgpvpn_attribute *a, bgpvpn_update *u)
{
    switch (a->type) {
    case BGPVPN_ATTR_ORIGIN:
        u->origin = a->value[0];
        break;
    case BGPVPN_ATTR_AS_PATH:
        u->as_path = a->value;
        u->as_path_len = a->len;
        break;
    case BGPVPN_ATTR_NEXT_HOP:
        u->next_hop = number(a);
        break;
    case BGPVPN_ATTR_MED:
        u->med = number(a);
        break;
    case BGPVPN_ATTR_LOCAL_PREF:
        u->local_pref = number(a);
        break;
    case BGPVPN_ATTR_COMMUNITIES:
        u->communities = a->value;
        u->communities_len = a->len;
        break;
    case BGPVPN_ATTR_ORIGINATOR_ID:
        u->originator_id = number(a);
        break;
    case BGPVPN_ATTR_CLUSTER_LIST:
        u->cluster_list = a->value;
        u->cluster_list_len = a->len;
        break;
    case BGPVPN_ATTR_EXTENDED_COMMUNITIES:
        u->ext_communities = a->value;
        u->ext_communities_len = a->len;
        break;
    default:
        break;
    }
}

/* The stronger treatment counts (RFC 7606 3 h); the first culprit is named. */
static void grade(bgpvpn_update *u, uint8_t treat, uint8_t type)
{
    if (treat > u->treat)
        u->treat = treat;
    if (u->fault == 0)
        u->fault = type;
}

static void read_attribute(const bgpvpn_attribute *a, uint8_t as_size, uint8_t external,
                           bgpvpn_update *u)
{
    const attribute_rule *rule = a->type < KNOWN_TYPES ? &rules[a->type] : NULL;
    if (!rule || rule->flags == 0) {
        /* Not read any deeper. One that claims to be well-known cannot be ignored. */
        if (!(a->flags & BGPVPN_FLAG_OPTIONAL))
            grade(u, BGPVPN_TREAT_WITHDRAW, a->type);
        else if (a->type < HAS_TYPES)
            u->has |= UINT64_C(1) << a->type;
        return;
    }
    if (rule->internal && external) {
        grade(u, BGPVPN_TREAT_DISCARD, a->type);
        return;
    }
    /* RFC 6793 4.1: between two four-octet speakers these have no meaning. */
    if (as_size == 4 &&
        (a->type == BGPVPN_ATTR_AS4_PATH || a->type == BGPVPN_ATTR_AS4_AGGREGATOR)) {
        grade(u, BGPVPN_TREAT_DISCARD, a->type);
        return;
    }
    if (!attribute_ok(a, rule, as_size)) {
        grade(u, rule->malformed, a->type);
        return;
    }
    u->has |= UINT64_C(1) << a->type;
    take(a, u);
}

static int has(const bgpvpn_update *u, uint8_t type)
{
    return (u->has >> type & 1) != 0;
}

static bgpvpn_rc read_attributes(bgpvpn_update *u, uint8_t as_size, uint8_t external)
{
    uint64_t seen[4] = {0};
    uint32_t others = 0; /* attributes that are not MP_UNREACH_NLRI */
    size_t it = 0;
    bgpvpn_attribute a;
    bgpvpn_rc rc;
    while ((rc = bgpvpn_attribute_next(u->attributes, u->attributes_len, &it, &a)) == BGPVPN_YES) {
        const uint64_t bit = UINT64_C(1) << (a.type % 64);
        const int again = (seen[a.type / 64] & bit) != 0;
        seen[a.type / 64] |= bit;
        others += a.type != BGPVPN_ATTR_MP_UNREACH;
        if (a.type == BGPVPN_ATTR_MP_REACH || a.type == BGPVPN_ATTR_MP_UNREACH) {
            /* RFC 7606 3 g */
            if (again)
                return BGPVPN_ERR_ATTRIBUTES;
            rc = a.type == BGPVPN_ATTR_MP_REACH ? read_reach(&a, u) : read_unreach(&a, u);
            if (rc != BGPVPN_OK)
                return rc;
            u->has |= bit;
        } else if (again) {
            grade(u, BGPVPN_TREAT_DISCARD, a.type);
        } else {
            read_attribute(&a, as_size, external, u);
        }
    }
    /* RFC 7606 4: an attribute beyond the list, or a rest too short for one. */
    if (rc != BGPVPN_OK)
        grade(u, BGPVPN_TREAT_WITHDRAW, it + 1 < u->attributes_len ? u->attributes[it + 1] : 0);

    /* RFC 7606 3 d */
    const int reaches = u->nlri_len > 0 || (has(u, BGPVPN_ATTR_MP_REACH) && u->reach_len > 0);
    if (reaches && !has(u, BGPVPN_ATTR_ORIGIN))
        grade(u, BGPVPN_TREAT_WITHDRAW, BGPVPN_ATTR_ORIGIN);
    if (reaches && !has(u, BGPVPN_ATTR_AS_PATH))
        grade(u, BGPVPN_TREAT_WITHDRAW, BGPVPN_ATTR_AS_PATH);
    if (u->nlri_len > 0 && !has(u, BGPVPN_ATTR_NEXT_HOP))
        grade(u, BGPVPN_TREAT_WITHDRAW, BGPVPN_ATTR_NEXT_HOP);

    /* RFC 7606 5.2: with nothing reachable in it, whether all NLRI were found is not known. */
    if (u->treat == BGPVPN_TREAT_WITHDRAW && !reaches && (others > 0 || rc != BGPVPN_OK))
        return BGPVPN_ERR_ATTRIBUTES;
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_update_decode(const uint8_t *buf, size_t len, uint8_t as_size, uint8_t external,
                               bgpvpn_update *out)
{
    if (!buf || !out || (as_size != 2 && as_size != 4))
        return BGPVPN_ERR_ARG;
    bgpvpn_header h;
    bgpvpn_rc rc = bgpvpn_extended_header_decode(buf, len, &h);
    if (rc != BGPVPN_OK)
        return rc;
    if (h.type != BGPVPN_MESSAGE_UPDATE)
        return BGPVPN_ERR_TYPE;
    if (h.length != len)
        return h.length > len ? BGPVPN_ERR_TRUNCATED : BGPVPN_ERR_LENGTH;

    wire_reader r = wire_reader_make(buf + BGPVPN_HEADER_LEN, len - BGPVPN_HEADER_LEN);
    bgpvpn_update u = {0};
    u.as_size = as_size;
    u.withdrawn_len = wire_get_u16(&r);
    u.withdrawn = wire_get_bytes(&r, u.withdrawn_len);
    u.attributes_len = wire_get_u16(&r);
    u.attributes = wire_get_bytes(&r, u.attributes_len);
    /* RFC 7606 3 b */
    if (!wire_ok(&r))
        return BGPVPN_ERR_ATTRIBUTES;
    u.nlri_len = r.left;
    u.nlri = wire_get_bytes(&r, r.left);
    if (!nlri_ok(BGPVPN_TABLE_IPV4, 1, u.withdrawn, u.withdrawn_len) ||
        !nlri_ok(BGPVPN_TABLE_IPV4, 0, u.nlri, u.nlri_len))
        return BGPVPN_ERR_NLRI;
    rc = read_attributes(&u, as_size, external);
    if (rc == BGPVPN_OK)
        *out = u;
    return rc;
}

bgpvpn_rc bgpvpn_update_encode(const bgpvpn_update *u, uint8_t *buf, size_t cap, size_t *len)
{
    if (!u || !buf || !len || (!u->withdrawn && u->withdrawn_len > 0) ||
        (!u->attributes && u->attributes_len > 0) || (!u->nlri && u->nlri_len > 0) ||
        (!u->reach && u->reach_len > 0) || (!u->reach_next_hop && u->reach_next_hop_len > 0) ||
        (!u->unreach && u->unreach_len > 0) || u->reach_next_hop_len > UINT8_MAX ||
        u->withdrawn_len > BGPVPN_EXTENDED_MAX || u->reach_len > BGPVPN_EXTENDED_MAX ||
        u->unreach_len > BGPVPN_EXTENDED_MAX)
        return BGPVPN_ERR_ARG;
    wire_writer w = wire_writer_make(buf, cap);
    bgpvpn__put_header(&w, BGPVPN_MESSAGE_UPDATE);
    wire_put_u16(&w, (uint16_t)u->withdrawn_len);
    wire_put_bytes(&w, u->withdrawn, u->withdrawn_len);
    const size_t length_at = w.len;
    wire_put_u16(&w, 0);
    if (u->unreach_afi != 0) {
        bgpvpn__put_attribute(&w, FLAGS_OPTIONAL, BGPVPN_ATTR_MP_UNREACH,
                              UNREACH_MIN + u->unreach_len);
        wire_put_u16(&w, u->unreach_afi);
        wire_put_u8(&w, u->unreach_safi);
        wire_put_bytes(&w, u->unreach, u->unreach_len);
    }
    if (u->reach_afi != 0) {
        bgpvpn__put_attribute(&w, FLAGS_OPTIONAL, BGPVPN_ATTR_MP_REACH,
                              REACH_MIN + u->reach_next_hop_len + u->reach_len);
        wire_put_u16(&w, u->reach_afi);
        wire_put_u8(&w, u->reach_safi);
        wire_put_u8(&w, (uint8_t)u->reach_next_hop_len);
        wire_put_bytes(&w, u->reach_next_hop, u->reach_next_hop_len);
        wire_put_u8(&w, 0);
        wire_put_bytes(&w, u->reach, u->reach_len);
    }
    wire_put_bytes(&w, u->attributes, u->attributes_len);
    wire_patch_u16(&w, length_at, (uint16_t)(w.len - length_at - 2));
    wire_put_bytes(&w, u->nlri, u->nlri_len);
    return bgpvpn__end_message(&w, len);
}

bgpvpn_rc bgpvpn_update_end_of_rib(const bgpvpn_update *u, uint32_t *table)
{
    if (!u || !table)
        return BGPVPN_ERR_ARG;
    /* RFC 4724 2: nothing at all ends IPv4 unicast, an empty MP_UNREACH_NLRI alone its family. */
    if (u->withdrawn_len > 0 || u->nlri_len > 0)
        return BGPVPN_OK;
    if (u->attributes_len == 0) {
        *table = BGPVPN_TABLE_IPV4;
        return BGPVPN_YES;
    }
    size_t it = 0;
    bgpvpn_attribute a;
    if (bgpvpn_attribute_next(u->attributes, u->attributes_len, &it, &a) != BGPVPN_YES ||
        it != u->attributes_len || a.type != BGPVPN_ATTR_MP_UNREACH || a.len != UNREACH_MIN)
        return BGPVPN_OK;
    *table = bgpvpn__table(u->unreach_afi, u->unreach_safi);
    return BGPVPN_YES;
}
