/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Header and payload chain, and the check of a message against the table of exchanges.
 */
#include "message.h"

/* RFC 7296 3.1 */
ikev2_rc ikev2_header_decode(const uint8_t *buf, size_t len, ikev2_header *out)
{
    if (!buf || !out)
        return IKEV2_ERR_ARG;
    wire_reader r = wire_reader_make(buf, len);
    ikev2_header h = {0};
    h.spi_i = wire_get_u64(&r);
    h.spi_r = wire_get_u64(&r);
    h.next_payload = wire_get_u8(&r);
    h.version = wire_get_u8(&r);
    h.exchange = wire_get_u8(&r);
    h.flags = wire_get_u8(&r);
    h.message_id = wire_get_u32(&r);
    h.length = wire_get_u32(&r);
    if (!wire_ok(&r))
        return IKEV2_ERR_TRUNCATED;
    const bool known = h.version >> 4 == 2;
    if (known && h.length != len)
        return IKEV2_ERR_LENGTH;
    *out = h;
    return known ? IKEV2_OK : IKEV2_ERR_VERSION;
}

ikev2_rc ikev2_chain_begin(const uint8_t *bytes, size_t len, uint8_t first_type, ikev2_chain *out)
{
    if (!out || (!bytes && len > 0))
        return IKEV2_ERR_ARG;
    *out = (ikev2_chain){.bytes = bytes, .len = len, .next_payload = first_type};
    return IKEV2_OK;
}

/* RFC 7296 3.2 */
ikev2_rc ikev2_chain_next(ikev2_chain *chain, ikev2_payload *out)
{
    if (!chain || !out || chain->offset > chain->len)
        return IKEV2_ERR_ARG;
    const size_t left = chain->len - chain->offset;
    if (chain->next_payload == IKEV2_PAYLOAD_NONE)
        return left == 0 ? IKEV2_OK : IKEV2_ERR_LENGTH;

    wire_reader r = wire_reader_make(chain->bytes ? chain->bytes + chain->offset : NULL, left);
    ikev2_payload p = {.type = chain->next_payload};
    const uint8_t next = wire_get_u8(&r);
    p.critical = wire_get_u8(&r) >> 7;
    const uint16_t length = wire_get_u16(&r);
    if (!wire_ok(&r) || length < IKEV2__GENERIC_BYTES)
        return IKEV2_ERR_LENGTH;
    p.len = length - IKEV2__GENERIC_BYTES;
    p.body = wire_get_bytes(&r, p.len);
    if (!wire_ok(&r))
        return IKEV2_ERR_LENGTH;

    /* RFC 7296 3.14, RFC 7383 2.5: these are last, and their next payload is the one inside. */
    const bool last = p.type == IKEV2_PAYLOAD_SK || p.type == IKEV2_PAYLOAD_SKF;
    if (last && r.left > 0)
        return IKEV2_ERR_LENGTH;
    p.inner = last ? next : 0;
    chain->next_payload = last ? IKEV2_PAYLOAD_NONE : next;
    chain->offset += length;
    *out = p;
    return IKEV2_YES;
}

static bool is_known(uint8_t type)
{
    return (type >= IKEV2_PAYLOAD_SA && type <= IKEV2_PAYLOAD_EAP) || type == IKEV2_PAYLOAD_SKF;
}

static bool may_repeat(uint8_t type)
{
    return type == IKEV2_PAYLOAD_NOTIFY || type == IKEV2_PAYLOAD_DELETE ||
           type == IKEV2_PAYLOAD_VENDOR || type == IKEV2_PAYLOAD_CERT ||
           type == IKEV2_PAYLOAD_CERTREQ;
}

ikev2_rc ikev2__message_parse(const uint8_t *bytes, size_t len, uint8_t first, ikev2__message *msg)
{
    ikev2_chain chain;
    ikev2_payload p;
    ikev2_rc rc = ikev2_chain_begin(bytes, len, first, &chain);
    msg->count = 0;
    msg->present = 0;
    while (rc >= 0 && (rc = ikev2_chain_next(&chain, &p)) == IKEV2_YES) {
        if (!is_known(p.type)) {
            /* RFC 7296 2.5: an unknown payload is passed over, unless it is critical. */
            if (p.critical) {
                msg->critical = p.type;
                return IKEV2_ERR_CRITICAL;
            }
            /* They are bounded too: a long chain of them costs no more than any message. */
            continue;
        }
        if (msg->count == IKEV2__MAX_PAYLOADS)
            return IKEV2_ERR_PAYLOADS;
        if ((msg->present & IKEV2__BIT(p.type)) && !may_repeat(p.type))
            return IKEV2_ERR_PAYLOADS;
        msg->present |= IKEV2__BIT(p.type);
        msg->payloads[msg->count++] = p;
    }
    return rc;
}

const ikev2_payload *ikev2__message_get(const ikev2__message *msg, uint8_t type)
{
    if (!(msg->present & IKEV2__BIT(type)))
        return NULL;
    for (size_t i = 0; i < msg->count; i++)
        if (msg->payloads[i].type == type)
            return &msg->payloads[i];
    return NULL;
}

bool ikev2__message_notify(const ikev2__message *msg, uint16_t type, ikev2_notify *out)
{
    size_t it = 0;
    while (ikev2__message_next_notify(msg, &it, out))
        if (out->type == type)
            return true;
    return false;
}

bool ikev2__message_next_notify(const ikev2__message *msg, size_t *it, ikev2_notify *out)
{
    while (*it < msg->count) {
        const ikev2_payload *p = &msg->payloads[(*it)++];
        if (p->type == IKEV2_PAYLOAD_NOTIFY &&
            ikev2_notify_decode(p->body, p->len, out) == IKEV2_OK)
            return true;
    }
    return false;
}

/* RFC 7296 3.10.1: types below 16384 are errors. */
uint16_t ikev2__message_error(const ikev2__message *msg)
{
    ikev2_notify n;
    size_t it = 0;
    while (ikev2__message_next_notify(msg, &it, &n))
        if (n.type < IKEV2__N_FIRST_STATUS)
            return n.type;
    return 0;
}

/* Every Notify and Delete must decode: a handler then need not look at results twice. */
static ikev2_rc check_repeated(const ikev2__message *msg)
{
    for (size_t i = 0; i < msg->count; i++) {
        const ikev2_payload *p = &msg->payloads[i];
        ikev2_notify n;
        ikev2_delete d;
        ikev2_rc rc = IKEV2_OK;
        if (p->type == IKEV2_PAYLOAD_NOTIFY)
            rc = ikev2_notify_decode(p->body, p->len, &n);
        else if (p->type == IKEV2_PAYLOAD_DELETE)
            rc = ikev2_delete_decode(p->body, p->len, &d);
        if (rc < 0)
            return rc;
    }
    return IKEV2_OK;
}

/* Which form of its exchange a message has. */
static uint8_t classify(const ikev2__message *msg, uint8_t exchange, bool response)
{
    const ikev2_payload *sa = ikev2__message_get(msg, IKEV2_PAYLOAD_SA);
    ikev2_proposal p;
    size_t it = 0;
    if (exchange == IKEV2_EXCHANGE_INFORMATIONAL)
        return IKEV2__FORM_PLAIN;
    if (response && exchange == IKEV2_EXCHANGE_IKE_AUTH)
        return msg->present & IKEV2__BIT(IKEV2_PAYLOAD_AUTH) ? IKEV2__FORM_PLAIN
                                                             : IKEV2__FORM_ERROR;
    if (response && !sa)
        return IKEV2__FORM_ERROR;
    if (exchange != IKEV2_EXCHANGE_CREATE_CHILD_SA)
        return IKEV2__FORM_PLAIN;
    if (sa && ikev2_proposal_next(sa->body, sa->len, &it, &p) == IKEV2_YES &&
        p.protocol == IKEV2_PROTOCOL_ID_IKE)
        return IKEV2__FORM_IKE;
    return IKEV2__FORM_CHILD;
}

#define BIT(name) IKEV2__BIT(IKEV2_PAYLOAD_##name)
#define ANY       (BIT(NOTIFY) | BIT(VENDOR) | BIT(CERT) | BIT(CERTREQ))

/*
 * RFC 7296 1.2 to 1.4, appendix C. What a message must hold, and may hold; a payload that is
 * neither is not shown to the handler. No row: no such message.
 */
static const struct rule {
    uint8_t exchange;
    bool response;
    uint8_t form;
    uint32_t states;
    uint32_t required;
    uint32_t optional;
} rules[] = {
    {IKEV2_EXCHANGE_IKE_SA_INIT, false, IKEV2__FORM_PLAIN, IKEV2__IN(NEW),
     BIT(SA) | BIT(KE) | BIT(NONCE), ANY},
    {IKEV2_EXCHANGE_IKE_SA_INIT, true, IKEV2__FORM_PLAIN, IKEV2__IN(INIT_SENT),
     BIT(SA) | BIT(KE) | BIT(NONCE), ANY},
    {IKEV2_EXCHANGE_IKE_SA_INIT, true, IKEV2__FORM_ERROR, IKEV2__IN(INIT_SENT), BIT(NOTIFY), ANY},
    {IKEV2_EXCHANGE_IKE_AUTH, false, IKEV2__FORM_PLAIN, IKEV2__IN(HALF_OPEN),
     BIT(IDI) | BIT(SA) | BIT(TSI) | BIT(TSR), ANY | BIT(IDR) | BIT(AUTH) | BIT(CP)},
    {IKEV2_EXCHANGE_IKE_AUTH, true, IKEV2__FORM_PLAIN, IKEV2__IN(AUTH_SENT), BIT(IDR) | BIT(AUTH),
     ANY | BIT(SA) | BIT(TSI) | BIT(TSR) | BIT(CP)},
    {IKEV2_EXCHANGE_IKE_AUTH, true, IKEV2__FORM_ERROR, IKEV2__IN(AUTH_SENT), BIT(NOTIFY), ANY},
    {IKEV2_EXCHANGE_CREATE_CHILD_SA, false, IKEV2__FORM_CHILD, IKEV2__IN_AUTHENTICATED,
     BIT(SA) | BIT(NONCE) | BIT(TSI) | BIT(TSR), ANY | BIT(KE) | BIT(CP)},
    {IKEV2_EXCHANGE_CREATE_CHILD_SA, false, IKEV2__FORM_IKE, IKEV2__IN_AUTHENTICATED,
     BIT(SA) | BIT(NONCE) | BIT(KE), ANY},
    {IKEV2_EXCHANGE_CREATE_CHILD_SA, true, IKEV2__FORM_CHILD, IKEV2__IN_AUTHENTICATED,
     BIT(SA) | BIT(NONCE) | BIT(TSI) | BIT(TSR), ANY | BIT(KE) | BIT(CP)},
    {IKEV2_EXCHANGE_CREATE_CHILD_SA, true, IKEV2__FORM_IKE, IKEV2__IN_AUTHENTICATED,
     BIT(SA) | BIT(NONCE) | BIT(KE), ANY},
    {IKEV2_EXCHANGE_CREATE_CHILD_SA, true, IKEV2__FORM_ERROR, IKEV2__IN_AUTHENTICATED, BIT(NOTIFY),
     ANY},
    {IKEV2_EXCHANGE_INFORMATIONAL, false, IKEV2__FORM_PLAIN, IKEV2__IN_AUTHENTICATED, 0,
     ANY | BIT(DELETE) | BIT(CP)},
    {IKEV2_EXCHANGE_INFORMATIONAL, true, IKEV2__FORM_PLAIN, IKEV2__IN_AUTHENTICATED, 0,
     ANY | BIT(DELETE) | BIT(CP)},
};

bool ikev2__exchange_allowed(uint8_t exchange, bool response, uint8_t state)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].exchange == exchange && rules[i].response == response &&
            (rules[i].states & 1u << state))
            return true;
    return false;
}

ikev2_rc ikev2__exchange_check(uint8_t exchange, bool response, uint8_t state, ikev2__message *msg)
{
    const uint8_t form = classify(msg, exchange, response);
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *rule = &rules[i];
        if (rule->exchange != exchange || rule->response != response || rule->form != form ||
            !(rule->states & 1u << state))
            continue;
        if ((msg->present & rule->required) != rule->required)
            return IKEV2_ERR_PAYLOADS;
        msg->present &= rule->required | rule->optional;
        msg->form = form;
        return check_repeated(msg);
    }
    return IKEV2_ERR_EXCHANGE;
}
