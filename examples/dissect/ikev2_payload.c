/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The payloads of IKEv2, one after the other.
 */
#include "core.h"

#include <stdio.h>
#include <string.h>

enum { PAYLOADS_MAX = 128 };

/* The payload's name, and the section that says how it looks. */
static const struct payload_name {
    uint8_t type;
    const char *text;
    const char *rule;
} payloads[] = {
    {IKEV2_PAYLOAD_SA, "SA", "RFC 7296 3.3"},
    {IKEV2_PAYLOAD_KE, "KE", "RFC 7296 3.4"},
    {IKEV2_PAYLOAD_IDI, "IDi", "RFC 7296 3.5"},
    {IKEV2_PAYLOAD_IDR, "IDr", "RFC 7296 3.5"},
    {IKEV2_PAYLOAD_CERT, "CERT", "RFC 7296 3.6"},
    {IKEV2_PAYLOAD_CERTREQ, "CERTREQ", "RFC 7296 3.7"},
    {IKEV2_PAYLOAD_AUTH, "AUTH", "RFC 7296 3.8"},
    {IKEV2_PAYLOAD_NONCE, "Nonce", "RFC 7296 3.9"},
    {IKEV2_PAYLOAD_NOTIFY, "N", "RFC 7296 3.10"},
    {IKEV2_PAYLOAD_DELETE, "D", "RFC 7296 3.11"},
    {IKEV2_PAYLOAD_VENDOR, "V", "RFC 7296 3.12"},
    {IKEV2_PAYLOAD_TSI, "TSi", "RFC 7296 3.13"},
    {IKEV2_PAYLOAD_TSR, "TSr", "RFC 7296 3.13"},
    {IKEV2_PAYLOAD_SK, "SK", "RFC 7296 3.14"},
    {IKEV2_PAYLOAD_CP, "CP", "RFC 7296 3.15"},
    {IKEV2_PAYLOAD_EAP, "EAP", "RFC 7296 3.16"},
    {IKEV2_PAYLOAD_SKF, "SKF", "RFC 7383 2.5"},
};

static const struct payload_name *find_payload(uint8_t type)
{
    static const struct payload_name unknown = {0, "unknown", "RFC 7296 3.2"};
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
        if (payloads[i].type == type)
            return &payloads[i];
    return &unknown;
}

static const name protocols[] = {{IKEV2_PROTOCOL_ID_IKE, "IKE"},
                                 {IKEV2_PROTOCOL_ID_AH, "AH"},
                                 {IKEV2_PROTOCOL_ID_ESP, "ESP"},
                                 {0, NULL}};

/* IANA's IKEv2 parameters. */
static const name encr[] = {{2, "DES"},
                            {3, "3DES"},
                            {11, "NULL"},
                            {IKEV2_ENCR_AES_CBC, "AES_CBC"},
                            {13, "AES_CTR"},
                            {14, "AES_CCM_8"},
                            {16, "AES_CCM_16"},
                            {18, "AES_GCM_8"},
                            {19, "AES_GCM_12"},
                            {IKEV2_ENCR_AES_GCM_16, "AES_GCM_16"},
                            {IKEV2_ENCR_CHACHA20_POLY1305, "CHACHA20_POLY1305"},
                            {0, NULL}};
static const name prf[] = {{1, "HMAC_MD5"},
                           {2, "HMAC_SHA1"},
                           {4, "AES128_XCBC"},
                           {IKEV2_PRF_HMAC_SHA2_256, "HMAC_SHA2_256"},
                           {IKEV2_PRF_HMAC_SHA2_384, "HMAC_SHA2_384"},
                           {IKEV2_PRF_HMAC_SHA2_512, "HMAC_SHA2_512"},
                           {8, "AES128_CMAC"},
                           {0, NULL}};
static const name integ[] = {{IKEV2_INTEG_NONE, "NONE"},
                             {1, "HMAC_MD5_96"},
                             {2, "HMAC_SHA1_96"},
                             {5, "AES_XCBC_96"},
                             {8, "AES_CMAC_96"},
                             {IKEV2_INTEG_HMAC_SHA2_256_128, "HMAC_SHA2_256_128"},
                             {IKEV2_INTEG_HMAC_SHA2_384_192, "HMAC_SHA2_384_192"},
                             {IKEV2_INTEG_HMAC_SHA2_512_256, "HMAC_SHA2_512_256"},
                             {0, NULL}};
static const name groups[] = {{IKEV2_GROUP_NONE, "NONE"},
                              {2, "MODP_1024"},
                              {5, "MODP_1536"},
                              {IKEV2_GROUP_MODP_2048, "MODP_2048"},
                              {IKEV2_GROUP_MODP_3072, "MODP_3072"},
                              {IKEV2_GROUP_MODP_4096, "MODP_4096"},
                              {IKEV2_GROUP_P256, "ECP_256"},
                              {IKEV2_GROUP_P384, "ECP_384"},
                              {IKEV2_GROUP_P521, "ECP_521"},
                              {IKEV2_GROUP_X25519, "CURVE25519"},
                              {32, "CURVE448"},
                              {35, "ML_KEM_512"},
                              {36, "ML_KEM_768"},
                              {37, "ML_KEM_1024"},
                              {0, NULL}};
static const name esn[] = {{IKEV2_ESN_NO, "NO"}, {IKEV2_ESN_YES, "YES"}, {0, NULL}};
static const name none[] = {{0, NULL}};

static const struct transform_name {
    uint8_t type;
    const char *text;
    const name *ids;
} transforms[] = {{IKEV2_TRANSFORM_ENCR, "ENCR", encr},
                  {IKEV2_TRANSFORM_PRF, "PRF", prf},
                  {IKEV2_TRANSFORM_INTEG, "INTEG", integ},
                  {IKEV2_TRANSFORM_GROUP, "KE", groups},
                  {IKEV2_TRANSFORM_ESN, "ESN", esn}};

static void put_transform(dissector *d, node *list, const ikev2_transform *x)
{
    tree *t = &d->tree;
    node *entry = tree_object(t, list, NULL);
    const name *ids = none;
    for (size_t i = 0; i < sizeof(transforms) / sizeof(transforms[0]); i++)
        if (transforms[i].type == x->type) {
            tree_text(t, entry, "type", transforms[i].text);
            ids = transforms[i].ids;
        }
    if (ids == none)
        tree_number(t, entry, "type", x->type);
    ds_name(d, entry, "id", ids, x->id);
    if (x->key_bits)
        tree_number(t, entry, "key_bits", x->key_bits);
    if (x->reserved2)
        tree_true(t, entry, "unknown_attribute");
}

/* RFC 7296 3.3 */
static ikev2_rc put_sa(dissector *d, node *entry, const ikev2_payload *p, size_t *at)
{
    tree *t = &d->tree;
    node *list = tree_array(t, entry, "proposals");
    ikev2_proposal proposal;
    ikev2_rc rc;
    size_t before = 0;
    while ((rc = ikev2_proposal_next(p->body, p->len, at, &proposal)) == IKEV2_YES) {
        node *one = tree_object(t, list, NULL);
        tree_number(t, one, "number", proposal.number);
        ds_name(d, one, "protocol", protocols, proposal.protocol);
        if (proposal.spi_len)
            tree_hex(t, one, "spi", proposal.spi, proposal.spi_len);
        node *each = tree_array(t, one, "transforms");
        ikev2_transform transform;
        size_t it = 0;
        while ((rc = ikev2_transform_next(&proposal, &it, &transform)) == IKEV2_YES)
            put_transform(d, each, &transform);
        if (rc < 0) {
            *at = before;
            return rc;
        }
        before = *at;
    }
    return rc;
}

/* RFC 7296 3.5 */
static ikev2_rc put_id(dissector *d, node *entry, const ikev2_payload *p)
{
    static const name types[] = {
        {IKEV2_ID_IPV4_ADDR, "IPV4_ADDR"},     {IKEV2_ID_FQDN, "FQDN"},
        {IKEV2_ID_RFC822_ADDR, "RFC822_ADDR"}, {IKEV2_ID_IPV6_ADDR, "IPV6_ADDR"},
        {IKEV2_ID_DER_ASN1_DN, "DER_ASN1_DN"}, {10, "DER_ASN1_GN"},
        {IKEV2_ID_KEY_ID, "KEY_ID"},           {0, NULL}};
    tree *t = &d->tree;
    ikev2_identity id;
    const ikev2_rc rc = ikev2_id_decode(p->body, p->len, &id);
    if (rc != IKEV2_OK)
        return rc;
    ds_name(d, entry, "id_type", types, id.type);
    if (id.type == IKEV2_ID_IPV4_ADDR)
        tree_ipv4(t, entry, "id", id.bytes);
    else if (id.type == IKEV2_ID_IPV6_ADDR)
        tree_ipv6(t, entry, "id", id.bytes);
    else if (id.type == IKEV2_ID_FQDN || id.type == IKEV2_ID_RFC822_ADDR)
        tree_string(t, entry, "id", id.bytes, id.len);
    else
        tree_hex(t, entry, "id", id.bytes, id.len);
    return rc;
}

/* RFC 7296 3.10 */
static ikev2_rc put_notify(dissector *d, node *entry, const ikev2_payload *p)
{
    tree *t = &d->tree;
    ikev2_notify n;
    const ikev2_rc rc = ikev2_notify_decode(p->body, p->len, &n);
    if (rc != IKEV2_OK)
        return rc;
    tree_text(t, entry, "notify", ikev2_notify_name(n.type));
    tree_number(t, entry, "notify_type", n.type);
    if (n.protocol)
        ds_name(d, entry, "protocol", protocols, n.protocol);
    if (n.spi_len)
        tree_hex(t, entry, "spi", n.spi, n.spi_len);
    if (n.len)
        tree_hex(t, entry, "data", n.data, n.len);
    return rc;
}

/* RFC 7296 3.11 */
static ikev2_rc put_delete(dissector *d, node *entry, const ikev2_payload *p)
{
    tree *t = &d->tree;
    ikev2_delete del;
    const ikev2_rc rc = ikev2_delete_decode(p->body, p->len, &del);
    if (rc != IKEV2_OK)
        return rc;
    ds_name(d, entry, "protocol", protocols, del.protocol);
    node *list = tree_array(t, entry, "spis");
    for (uint32_t i = 0; i < del.count && ds_more(d, list, i); i++)
        tree_hex(t, list, NULL, del.spis + (size_t)i * del.spi_size, del.spi_size);
    return rc;
}

/* RFC 7296 3.13 */
enum { SELECTORS_AT = 4 }; /* RFC 7296 3.13: their number, and three bytes */

static ikev2_rc put_selectors(dissector *d, node *entry, const ikev2_payload *p, size_t *at)
{
    tree *t = &d->tree;
    node *list = tree_array(t, entry, "selectors");
    ikev2_selector ts;
    ikev2_rc rc;
    while ((rc = ikev2_selector_next(p->body, p->len, at, &ts)) == IKEV2_YES) {
        node *one = tree_object(t, list, NULL);
        tree_number(t, one, "protocol", ts.protocol);
        tree_number(t, one, "start_port", ts.start_port);
        tree_number(t, one, "end_port", ts.end_port);
        ds_address(d, one, "start_address", ts.family, ts.start);
        ds_address(d, one, "end_address", ts.family, ts.end);
    }
    if (rc < 0 && *at == 0 && p->len >= SELECTORS_AT)
        *at = SELECTORS_AT; /* the first one, and not the head before it */
    return rc;
}

static void put_attribute(dissector *d, node *list, const ikev2_tagged *a)
{
    static const name types[] = {{IKEV2_ATTR_INTERNAL_IP4_ADDRESS, "INTERNAL_IP4_ADDRESS"},
                                 {2, "INTERNAL_IP4_NETMASK"},
                                 {3, "INTERNAL_IP4_DNS"},
                                 {6, "INTERNAL_IP4_DHCP"},
                                 {7, "APPLICATION_VERSION"},
                                 {IKEV2_ATTR_INTERNAL_IP6_ADDRESS, "INTERNAL_IP6_ADDRESS"},
                                 {10, "INTERNAL_IP6_DNS"},
                                 {12, "INTERNAL_IP6_DHCP"},
                                 {IKEV2_ATTR_INTERNAL_IP4_SUBNET, "INTERNAL_IP4_SUBNET"},
                                 {14, "SUPPORTED_ATTRIBUTES"},
                                 {IKEV2_ATTR_INTERNAL_IP6_SUBNET, "INTERNAL_IP6_SUBNET"},
                                 {0, NULL}};
    tree *t = &d->tree;
    node *one = tree_object(t, list, NULL);
    ds_name(d, one, "type", types, a->tag);
    const uint8_t *b = a->bytes;
    if (a->tag == IKEV2_ATTR_INTERNAL_IP4_ADDRESS && a->len == 4)
        tree_ipv4(t, one, "value", b);
    else if (a->tag == IKEV2_ATTR_INTERNAL_IP4_SUBNET && a->len == 8)
        tree_format(t, one, "value", "%u.%u.%u.%u/%u.%u.%u.%u", b[0], b[1], b[2], b[3], b[4], b[5],
                    b[6], b[7]);
    else if ((a->tag == IKEV2_ATTR_INTERNAL_IP6_ADDRESS ||
              a->tag == IKEV2_ATTR_INTERNAL_IP6_SUBNET) &&
             a->len == 17)
        ds_prefix(d, one, "value", IKEV2_FAMILY_IPV6, b, b[16]);
    else
        tree_hex(t, one, "value", b, a->len);
}

/* RFC 7296 3.15 */
static ikev2_rc put_cp(dissector *d, node *entry, const ikev2_payload *p, size_t *at)
{
    static const name types[] = {{IKEV2_CFG_REQUEST, "CFG_REQUEST"},
                                 {IKEV2_CFG_REPLY, "CFG_REPLY"},
                                 {IKEV2_CFG_SET, "CFG_SET"},
                                 {IKEV2_CFG_ACK, "CFG_ACK"},
                                 {0, NULL}};
    ikev2_tagged cp;
    ikev2_tagged attribute;
    ikev2_rc rc = ikev2_cp_decode(p->body, p->len, &cp);
    if (rc != IKEV2_OK)
        return rc;
    ds_name(d, entry, "cfg_type", types, cp.tag);
    node *list = tree_array(&d->tree, entry, "attributes");
    while ((rc = ikev2_attribute_next(&cp, at, &attribute)) == IKEV2_YES)
        put_attribute(d, list, &attribute);
    *at += (size_t)(cp.bytes - p->body);
    return rc;
}

static ikev2_rc put_tagged(dissector *d, node *entry, const ikev2_payload *p)
{
    static const name methods[] = {{1, "RSA digital signature"},
                                   {IKEV2_AUTH_SHARED_KEY, "shared key"},
                                   {3, "DSS digital signature"},
                                   {9, "ECDSA-256"},
                                   {10, "ECDSA-384"},
                                   {11, "ECDSA-521"},
                                   {13, "NULL"},
                                   {14, "digital signature"},
                                   {0, NULL}};
    tree *t = &d->tree;
    ikev2_tagged x;
    const ikev2_rc rc = p->type == IKEV2_PAYLOAD_KE ? ikev2_ke_decode(p->body, p->len, &x)
                                                    : ikev2_auth_decode(p->body, p->len, &x);
    if (rc != IKEV2_OK)
        return rc;
    if (p->type == IKEV2_PAYLOAD_KE)
        ds_name(d, entry, "group", groups, x.tag);
    else
        ds_name(d, entry, "method", methods, x.tag);
    tree_hex(t, entry, "data", x.bytes, x.len);
    return rc;
}

static ikev2_rc put_fragment(dissector *d, node *entry, const ikev2_payload *p)
{
    ikev2_fragment f;
    const ikev2_rc rc = ikev2_fragment_decode(p->body, p->len, &f);
    if (rc != IKEV2_OK)
        return rc;
    tree_number(&d->tree, entry, "fragment", f.number);
    tree_number(&d->tree, entry, "fragments", f.total);
    return rc;
}

/* at: how far the body was understood, where it was not. */
static ikev2_rc put_body(dissector *d, node *entry, const ikev2_payload *p, size_t *at)
{
    switch (p->type) {
    case IKEV2_PAYLOAD_SA:
        return put_sa(d, entry, p, at);
    case IKEV2_PAYLOAD_KE:
    case IKEV2_PAYLOAD_AUTH:
        return put_tagged(d, entry, p);
    case IKEV2_PAYLOAD_IDI:
    case IKEV2_PAYLOAD_IDR:
        return put_id(d, entry, p);
    case IKEV2_PAYLOAD_NOTIFY:
        return put_notify(d, entry, p);
    case IKEV2_PAYLOAD_DELETE:
        return put_delete(d, entry, p);
    case IKEV2_PAYLOAD_TSI:
    case IKEV2_PAYLOAD_TSR:
        return put_selectors(d, entry, p, at);
    case IKEV2_PAYLOAD_CP:
        return put_cp(d, entry, p, at);
    case IKEV2_PAYLOAD_SKF:
        return put_fragment(d, entry, p);
    case IKEV2_PAYLOAD_SK:
        return IKEV2_OK;
    case IKEV2_PAYLOAD_VENDOR:
        tree_string(&d->tree, entry, "text", p->body, p->len);
        /* fall through */
    default:
        tree_hex(&d->tree, entry, "data", p->body, p->len);
        return IKEV2_OK;
    }
}

void ds_ikev2_payloads(dissector *d, node *layer, const char *key, uint8_t first, const span *s)
{
    tree *t = &d->tree;
    node *list = tree_array(t, layer, key);
    /* Faults name the layer; payloads may be inside an encrypted one. */
    node *whole = d->layers->last ? d->layers->last : layer;
    ikev2_chain chain;
    ikev2_payload p;
    ikev2_rc rc = ikev2_chain_begin(s->bytes, s->len, first, &chain);
    size_t start = 0;
    for (size_t n = 0; rc >= 0 && (rc = ikev2_chain_next(&chain, &p)) == IKEV2_YES; n++) {
        const struct payload_name *what = find_payload(p.type);
        if (n == PAYLOADS_MAX) {
            tree_text(t, list, NULL, "...");
            return;
        }
        node *entry = tree_object(t, list, NULL);
        tree_text(t, entry, "type", what->text);
        tree_number(t, entry, "type_number", p.type);
        tree_number(t, entry, "length", p.len);
        if (p.critical)
            tree_true(t, entry, "critical");
        size_t at = 0;
        const ikev2_rc inner = put_body(d, entry, &p, &at);
        const size_t body_at = (size_t)(p.body - s->bytes);
        if (inner < 0)
            ds_fault_at(d, whole, s, body_at + at, what->rule, RULES_IKEV2, inner);
        /* RFC 7296 2.5 */
        if (p.critical && what->type == 0)
            ds_fault_at(d, whole, s, start, NULL, RULES_IKEV2, IKEV2_ERR_CRITICAL);
        start = chain.offset;
    }
    if (rc < 0)
        ds_fault_at(d, whole, s, start, NULL, RULES_IKEV2,
                    rc == IKEV2_ERR_LENGTH ? IKE_FAULT_CHAIN : rc);
}
