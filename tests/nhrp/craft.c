/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Packets by hand, right ones to begin with: what a test changes in them is what it breaks.
 */
#include "craft.h"

#include <stdlib.h>
#include <string.h>

size_t craft_make(const craft *c, uint8_t *buf, size_t cap)
{
    nhrp_writer w;
    size_t len = 0;
    assert_int_equal(nhrp_writer_begin(&w, buf, cap, &c->h), NHRP_OK);
    if (c->has_cie)
        assert_int_equal(nhrp_writer_put_cie(&w, &c->cie), NHRP_OK);
    if (c->contents)
        assert_int_equal(nhrp_writer_put_contents(&w, c->contents, c->contents_len), NHRP_OK);
    if (c->record.protocol.family) {
        const nhrp_extension x = {.type = NHRP_EXTENSION_FORWARD, .compulsory = 1};
        assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
        assert_int_equal(nhrp_writer_put_extension_cie(&w, &c->record), NHRP_OK);
    }
    for (int i = 0; c->label_count && i < (c->twice ? 2 : 1); i++) {
        uint8_t value[256];
        nhrp_extension x = {.type = NHRP_EXTENSION_VENDOR, .value = value};
        assert_int_equal(nhrp_label_encode(c->labels, c->label_count, NHRP_OUI_DEFAULT, value,
                                           sizeof(value), &x.len),
                         NHRP_OK);
        assert_int_equal(nhrp_writer_put_extension(&w, &x), NHRP_OK);
    }
    for (size_t i = 0; i < 3 && c->extra[i].type; i++)
        assert_int_equal(nhrp_writer_put_extension(&w, &c->extra[i]), NHRP_OK);
    assert_int_equal(nhrp_writer_end(&w, &len), NHRP_OK);
    return len;
}

nhrp_rc inject(node *d, uint32_t link, const craft *c)
{
    uint8_t buf[2048];
    const size_t len = craft_make(c, buf, sizeof(buf));
    uint8_t *exact = malloc(len);
    memcpy(exact, buf, len);
    const nhrp_rc rc = nhrp_engine_input(d->engine, d->net->now_ms, link, NULL, exact, len);
    free(exact);
    return rc;
}

void craft_bind(craft *c, uint8_t role, uint32_t label, nhrp_addr prefix)
{
    nhrp_label_binding *b = &c->labels[c->label_count++];
    *b = (nhrp_label_binding){.role = role, .label_count = 1, .labels = {label}, .prefix = prefix};
}

/* The Error Indication that waits at a node, or 0. */
uint16_t error_code(node *d)
{
    uint8_t buf[2048];
    nhrp_output out;
    nhrp_packet p;
    uint16_t code = 0;
    while (nhrp_engine_poll_output(d->engine, d->net->now_ms, buf, sizeof(buf), &out) == NHRP_YES)
        if (nhrp_packet_decode(buf, (size_t)out.len, &p) == NHRP_OK &&
            p.type == NHRP_ERROR_INDICATION)
            code = p.error_code;
    return code;
}

uint8_t quoted[64] = {0x45, 0, 0, 84, 0, 0, 0x40, 0, 64, 1, 0, 0, 10, 1, 1, 101, 10, 2, 2, 102};

craft redirect(void)
{
    craft c = {.contents = quoted, .contents_len = sizeof(quoted)};
    c.h.type = NHRP_TRAFFIC_INDICATION;
    c.h.hop_count = 255;
    c.h.source_nbma = ip4(192, 168, 1, 100);
    c.h.source_protocol = ip4(172, 16, 1, 100);
    c.h.destination_protocol = ip4(10, 1, 1, 101);
    craft_bind(&c, NHRP_ROLE_CONTEXT, 101, prefix4(10, 1, 1, 0, 24));
    return c;
}

void start(net *n)
{
    net_init(n, 1, NULL);
    walk_build(n, NULL, NULL);
    net_settle(n);
}

craft request(uint8_t spoke)
{
    craft c = {.has_cie = true};
    c.h.type = NHRP_RESOLUTION_REQUEST;
    c.h.hop_count = 255;
    c.h.flags = NHRP_FLAG_ROUTER;
    c.h.request_id = 0xabcd;
    c.h.source_nbma = ip4(192, 168, 1, spoke);
    c.h.source_protocol = ip4(172, 16, 1, spoke);
    c.h.destination_protocol = ip4(10, 2, 2, 102);
    c.cie.prefix_len = 8;
    craft_bind(&c, NHRP_ROLE_CONTEXT, 1000, prefix4(10, 0, 0, 0, 8));
    return c;
}

/* The code of the last reply that went out anywhere. */
int reply_code(const net *n)
{
    nhrp_packet p;
    nhrp_cie cie;
    size_t it = 0;
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, &p), NHRP_OK);
    assert_int_equal(p.type, NHRP_RESOLUTION_REPLY);
    assert_int_equal(nhrp_cie_next(&p, &it, &cie), NHRP_YES);
    return cie.code;
}

/* Spoke1 has asked; fills in the reply that would be right. */
craft asked(net *n)
{
    nhrp_packet p;
    start(n);
    n->watch = NHRP_RESOLUTION_REQUEST;
    n->nodes[2].answers = false; /* nobody else replies */
    assert_int_equal(walk_packet(n), NHRP_OK);
    for (int i = 0; i < 10 && n->sent[NHRP_RESOLUTION_REQUEST] == 0; i++)
        net_run(n, n->now_ms + 5);
    assert_int_equal(nhrp_packet_decode(n->last, n->last_len, &p), NHRP_OK);
    craft c = {.has_cie = true};
    c.h = p;
    c.h.type = NHRP_RESOLUTION_REPLY;
    c.cie.prefix_len = 24;
    c.cie.holding_time_s = 600;
    c.cie.nbma = ip4(192, 168, 1, 2);
    c.cie.protocol = ip4(172, 16, 1, 2);
    craft_bind(&c, NHRP_ROLE_RESPONDER_VPN, 202, prefix4(10, 2, 2, 0, 24));
    return c;
}
