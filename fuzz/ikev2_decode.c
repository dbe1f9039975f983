/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every decoder over the same bytes: a whole message, then each payload. What an SA payload offers
 * is chosen from, selectors are narrowed, subnets are read, as an engine would; what comes out of
 * that is written and must be read back.
 */
#include "libikev2/engine.h"

#include <ikev2/ikev2.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUFFER_BYTES = 4096, MAX_ROUTES = 16 };

static const ikev2_transform ike_list[] = {
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_GCM_16, .key_bits = 128},
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_CHACHA20_POLY1305},
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_CBC, .key_bits = 256},
    {.type = IKEV2_TRANSFORM_INTEG, .id = IKEV2_INTEG_HMAC_SHA2_256_128},
    {.type = IKEV2_TRANSFORM_PRF, .id = IKEV2_PRF_HMAC_SHA2_256},
    {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_X25519},
    {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_P256},
};
static const ikev2_transform esp_list[] = {
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_GCM_16, .key_bits = 128},
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_CBC, .key_bits = 128},
    {.type = IKEV2_TRANSFORM_INTEG, .id = IKEV2_INTEG_HMAC_SHA2_512_256},
    {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_X25519},
    {.type = IKEV2_TRANSFORM_ESN, .id = IKEV2_ESN_YES},
    {.type = IKEV2_TRANSFORM_ESN, .id = IKEV2_ESN_NO},
};
static const uint8_t spi[4] = {1, 2, 3, 4};
static const ikev2__offer offers[] = {
    {.transforms = ike_list, .count = 7, .protocol = IKEV2_PROTOCOL_ID_IKE, .with_group = true},
    {.transforms = esp_list,
     .count = 6,
     .protocol = IKEV2_PROTOCOL_ID_ESP,
     .with_group = true,
     .spi = spi,
     .spi_len = sizeof(spi)},
    {.transforms = esp_list,
     .count = 6,
     .protocol = IKEV2_PROTOCOL_ID_ESP,
     .spi = spi,
     .spi_len = sizeof(spi)},
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The body of the one payload that was built. */
static ikev2_payload built(const ikev2__builder *b)
{
    ikev2_chain chain;
    ikev2_payload p;
    require(wire_fits(&b->w));
    require(ikev2_chain_begin(b->w.buf, b->w.len, b->first, &chain) == IKEV2_OK);
    require(ikev2_chain_next(&chain, &p) == IKEV2_YES);
    return p;
}

/* A choice is of what was offered, and as an answer it is accepted. */
static void choose(const ikev2_payload *p)
{
    uint8_t buf[BUFFER_BYTES];
    ikev2__choice choice, again;
    for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
        const ikev2__offer *offer = &offers[i];
        ikev2__builder b = ikev2__builder_make(buf, sizeof(buf));
        (void)ikev2__choose(offer, p, true, &choice);
        if (ikev2__choose(offer, p, false, &choice) != IKEV2_OK)
            continue;
        ikev2__put_choice(&b, offer, &choice);
        const ikev2_payload answer = built(&b);
        require(ikev2__choose(offer, &answer, true, &again) == IKEV2_OK);
        require(memcmp(&again.suite, &choice.suite, sizeof(again.suite)) == 0);
    }
}

/* Our own offer answers itself. */
static void offer_all(void)
{
    uint8_t buf[BUFFER_BYTES];
    ikev2__choice choice;
    for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
        ikev2__builder b = ikev2__builder_make(buf, sizeof(buf));
        ikev2__put_offer(&b, &offers[i]);
        const ikev2_payload sa = built(&b);
        require(ikev2__choose(&offers[i], &sa, false, &choice) == IKEV2_OK);
    }
}

/* Whatever the transforms of a proposal are, as a configuration they are accepted or refused. */
static void as_configuration(const ikev2_proposal *proposal)
{
    ikev2_transform list[IKEV2_MAX_TRANSFORMS + 1];
    size_t count = 0, at = 0;
    while (count <= IKEV2_MAX_TRANSFORMS &&
           ikev2_transform_next(proposal, &at, &list[count]) == IKEV2_YES)
        count++;
    if (ikev2__transforms_valid(list, count, proposal->protocol))
        require(count > 0 && count <= IKEV2_MAX_TRANSFORMS);
}

static void narrow(const ikev2_payload *p)
{
    static const ikev2_addr here = {.family = IKEV2_FAMILY_IPV4, .bytes = {10, 0, 0, 1}};
    static const ikev2_selector wide[] = {
        {.family = IKEV2_FAMILY_IPV4, .end_port = UINT16_MAX, .start = {10}, .end = {10, 255, 255}},
        {.family = IKEV2_FAMILY_IPV6,
         .protocol = 6,
         .start_port = 100,
         .end_port = 200,
         .start = {0x20},
         .end = {0x3f, 0xff}},
        {.end_port = UINT16_MAX},
    };
    ikev2__selectors theirs, ours, both;
    if (ikev2__selectors_decode(p, &theirs) != IKEV2_OK)
        return;
    ikev2__selectors_resolve(wide, 3, &here, &ours);
    ikev2__selectors_narrow(&theirs, &ours, &both);
    require(both.count <= IKEV2_MAX_SELECTORS);
    if (both.count > 0)
        require(ikev2__selectors_within(&both, &ours));
    ikev2__selectors_narrow(&theirs, &theirs, &both);
    require(both.count <= IKEV2_MAX_SELECTORS);
    (void)ikev2__selectors_within(&theirs, &ours);
    for (size_t i = 0; i < theirs.count; i++)
        (void)ikev2__selector_valid(&theirs.list[i]);
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        require(ikev2__selector_valid(&wide[i]));
    ikev2__selectors_substitute(&theirs, &here);
    ikev2__selectors_resolve(NULL, 0, &here, &ours);
    ikev2__selectors_narrow(&theirs, &ours, &both);
}

/* What an engine keeps of a configuration payload can be told to another. */
static void configure(const ikev2_tagged *cp)
{
    static const ikev2_addr accepted[] = {
        {.family = IKEV2_FAMILY_IPV4, .prefix_len = 1},
        {.family = IKEV2_FAMILY_IPV6, .prefix_len = 3, .bytes = {0x20}},
    };
    static ikev2_engine engine;
    static ikev2__peer peer;
    static ikev2__context context = {.peer = &peer};
    static ikev2__sa sa = {.e = &engine, .ctx = &context};
    uint8_t buf[BUFFER_BYTES];
    ikev2__pushed pushed, again;
    ikev2_tagged told;
    engine.mem = alloc_make(NULL, NULL);
    engine.cfg.max_routes = MAX_ROUTES;
    peer.pub.request = IKEV2_REQUEST_ADDRESS | IKEV2_REQUEST_SUBNETS;
    peer.pub.accept_routes = accepted;
    peer.pub.accept_route_count = sizeof(accepted) / sizeof(accepted[0]);
    (void)ikev2__config_asks(cp, IKEV2_ATTR_INTERNAL_IP4_ADDRESS);
    if (ikev2__config_read(&sa, cp, true, &pushed) != IKEV2_OK)
        return;
    require(pushed.count <= MAX_ROUTES);
    ikev2__builder b = ikev2__builder_make(buf, sizeof(buf));
    ikev2__put_config(&b, IKEV2_CFG_REPLY, pushed.routes, pushed.count, &pushed.assigned);
    const ikev2_payload reply = built(&b);
    require(ikev2_cp_decode(reply.body, reply.len, &told) == IKEV2_OK);
    require(ikev2__config_read(&sa, &told, true, &again) == IKEV2_OK);
    require(again.count == pushed.count && again.refused == 0 &&
            memcmp(&again.assigned, &pushed.assigned, sizeof(again.assigned)) == 0 &&
            (again.count == 0 ||
             memcmp(again.routes, pushed.routes, again.count * sizeof(*again.routes)) == 0));
    ikev2__config_drop(&sa, &again);
    ikev2__config_drop(&sa, &pushed);
    b = ikev2__builder_make(buf, sizeof(buf));
    ikev2__put_config_ack(&b, cp);
    b = ikev2__builder_make(buf, sizeof(buf));
    ikev2__put_config_request(&b, peer.pub.request);
    (void)built(&b);
}

/* RFC 7296 1.2 to 1.4: whatever the payloads are, a message is of some exchange or refused. */
static void as_message(const uint8_t *data, size_t size)
{
    ikev2__message msg;
    const uint8_t *payloads = data + IKEV2_HEADER_BYTES;
    const uint8_t exchange = data[18];
    const bool response = data[19] & IKEV2_FLAG_RESPONSE;
    ikev2_notify notify;
    size_t it = 0;
    for (uint8_t state = 0; state < IKEV2__STATE_COUNT; state++) {
        if (ikev2__message_parse(payloads, size - IKEV2_HEADER_BYTES, data[16], &msg) < 0)
            return;
        (void)ikev2__exchange_allowed(exchange, response, state);
        (void)ikev2__exchange_check(exchange, response, state, &msg);
        require(!ikev2__message_get(&msg, IKEV2_PAYLOAD_SA) ||
                (msg.present & IKEV2__BIT(IKEV2_PAYLOAD_SA)));
        (void)ikev2__message_error(&msg);
        for (it = 0; ikev2__message_next_notify(&msg, &it, &notify);)
            ;
    }
}

static void payload(const ikev2_payload *p)
{
    ikev2_proposal proposal;
    ikev2_transform transform;
    ikev2_selector selector;
    ikev2_tagged tagged;
    ikev2_tagged attribute;
    ikev2_identity id;
    ikev2_notify notify;
    ikev2_delete del;
    ikev2_fragment fragment;
    size_t it = 0;
    while (ikev2_proposal_next(p->body, p->len, &it, &proposal) == IKEV2_YES) {
        for (size_t at = 0; ikev2_transform_next(&proposal, &at, &transform) == IKEV2_YES;)
            ;
        as_configuration(&proposal);
    }
    choose(p);
    narrow(p);
    it = 0;
    while (ikev2_selector_next(p->body, p->len, &it, &selector) == IKEV2_YES)
        ;
    (void)ikev2_ke_decode(p->body, p->len, &tagged);
    (void)ikev2_auth_decode(p->body, p->len, &tagged);
    (void)ikev2_id_decode(p->body, p->len, &id);
    if (ikev2_notify_decode(p->body, p->len, &notify) == IKEV2_OK)
        require(ikev2_notify_name(notify.type) != NULL);
    (void)ikev2_delete_decode(p->body, p->len, &del);
    (void)ikev2_fragment_decode(p->body, p->len, &fragment);
    it = 0;
    if (ikev2_cp_decode(p->body, p->len, &tagged) != IKEV2_OK)
        return;
    configure(&tagged);
    while (ikev2_attribute_next(&tagged, &it, &attribute) == IKEV2_YES)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ikev2_header h;
    ikev2_chain chain;
    ikev2_payload p;
    if (size == 0)
        offer_all();
    /* Whatever its header says of the length: the payloads are what is of interest. */
    if (size == 0 || ikev2_header_decode(data, size, &h) == IKEV2_ERR_TRUNCATED)
        return 0;
    (void)ikev2_chain_begin(data + IKEV2_HEADER_BYTES, size - IKEV2_HEADER_BYTES, data[16], &chain);
    while (ikev2_chain_next(&chain, &p) == IKEV2_YES)
        payload(&p);
    as_message(data, size);
    p = (ikev2_payload){.body = data, .len = size};
    payload(&p);
    return 0;
}
