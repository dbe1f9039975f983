/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pair.h"

#include <string.h>

enum { STEPS = 200000, LATE_MS = 2500 };

ikev2_identity pair_fqdn(const char *name)
{
    return (ikev2_identity){
        .bytes = (const uint8_t *)name, .len = strlen(name), .type = IKEV2_ID_FQDN};
}

void pair_configs(ikev2_config cfg[2])
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ikev2_config_init(&cfg[i]), IKEV2_OK);
        cfg[i].ike_lifetime_s = 0;
        cfg[i].child_lifetime_s = 0;
        cfg[i].liveness_ms = 0;
    }
}

void pair_open(pair *p, uint64_t seed, const vnet_rules *rules, const ikev2_config cfg[2])
{
    static const char *const names[2] = {"a.test", "b.test"};
    memset(p, 0, sizeof(*p));
    p->now = 1000;
    p->net = vnet_new(seed, rules);
    for (int i = 0; i < 2; i++) {
        pair_node *n = &p->n[i];
        ikev2_config c = cfg[i];
        prng r = {.state = seed * 2 + (uint64_t)i + 77};
        prng_bytes(&r, c.seed, sizeof(c.seed));
        c.allocator.resize = fail_alloc_resize;
        c.allocator.user = &n->memory;
        n->name = names[i];
        n->addr = (ikev2_addr){.family = IKEV2_FAMILY_IPV4, .port = 500};
        n->addr.bytes[0] = 10;
        n->addr.bytes[3] = (uint8_t)(i + 1);
        assert_int_equal(ikev2_engine_new(&c, p->now, &n->e), IKEV2_OK);
    }
}

void pair_close(pair *p)
{
    for (int i = 0; i < 2; i++) {
        ikev2_engine_free(p->n[i].e);
        assert_int_equal(p->n[i].memory.live, 0);
    }
    vnet_free(p->net);
}

ikev2_peer pair_peer(const pair *p, int i)
{
    static const uint8_t key_a[] = "the key of a";
    static const uint8_t key_b[] = "another key, of b";
    ikev2_peer peer = {.struct_size = sizeof(peer)};
    peer.user = (uint64_t)i + 100;
    peer.path.local = p->n[i].addr;
    peer.path.peer = p->n[1 - i].addr;
    peer.local_id = pair_fqdn(p->n[i].name);
    peer.peer_id = pair_fqdn(p->n[1 - i].name);
    peer.local_psk = i == 0 ? key_a : key_b;
    peer.local_psk_len = i == 0 ? sizeof(key_a) : sizeof(key_b);
    peer.peer_psk = i == 0 ? key_b : key_a;
    peer.peer_psk_len = i == 0 ? sizeof(key_b) : sizeof(key_a);
    return peer;
}

void pair_profile(pair *p, int i, const ikev2_peer *peer)
{
    ikev2_peer profile = *peer;
    profile.path.peer = (ikev2_addr){0};
    assert_int_equal(ikev2_engine_add_profile(p->n[i].e, p->now, &profile, &p->n[i].profile),
                     IKEV2_OK);
}

static pair_child *find(pair_node *n, uint64_t id)
{
    for (size_t i = 0; i < n->child_count; i++)
        if (n->children[i].id == id)
            return &n->children[i];
    return NULL;
}

static void apply(pair *p, pair_node *n, const ikev2_event *ev)
{
    pair_child *c = find(n, ev->child_id);
    (void)p;
    if (n->event_count < PAIR_MAX_EVENTS)
        n->events[n->event_count++] = *ev;
    switch (ev->kind) {
    case IKEV2_EVENT_IKE_SA_UP:
        n->sa = ev->sa_id;
        break;
    case IKEV2_EVENT_IKE_SA_DOWN:
        if (n->sa == ev->sa_id)
            n->sa = 0;
        break;
    case IKEV2_EVENT_CHILD_IN:
        assert_null(c);
        assert_true(n->child_count < PAIR_MAX_CHILDREN);
        n->children[n->child_count++] = (pair_child){
            .id = ev->child_id, .spi_in = ev->spi_in, .spi_out = ev->spi_out, .in = true};
        break;
    case IKEV2_EVENT_CHILD_OUT:
        assert_non_null(c);
        assert_false(c->out);
        c->out = true;
        break;
    case IKEV2_EVENT_CHILD_REMOVE:
        assert_non_null(c);
        *c = n->children[--n->child_count];
        break;
    default:
        break;
    }
}

static uint16_t natted(const pair *p, uint16_t port)
{
    return (uint16_t)(port + 10000 + p->nat_shift);
}

static void drain(pair *p, int i)
{
    pair_node *n = &p->n[i];
    uint8_t buf[4096];
    ikev2_event ev;
    ikev2_output out;
    while (ikev2_engine_poll_event(n->e, &ev) == IKEV2_YES)
        apply(p, n, &ev);
    while (ikev2_engine_poll_output(n->e, p->now, buf, sizeof(buf), &out) == IKEV2_YES) {
        uint16_t from = out.path.local.port;
        uint16_t to = out.path.peer.port;
        if (p->nat && i == 0)
            from = natted(p, from);
        /* What goes to a mapping that the NAT has no more is lost. */
        if (p->nat && i == 1) {
            if (to != natted(p, 500) && to != natted(p, 4500))
                continue;
            to = (uint16_t)(to - 10000 - p->nat_shift);
        }
        const uint64_t tag = (uint64_t)from << 16 | to;
        p->sent++;
        p->sent_to[1 - i]++;
        if (out.len > p->max_len)
            p->max_len = out.len;
        if (out.len <= sizeof(p->last[i])) {
            memcpy(p->last[i], buf, out.len);
            p->last_len[i] = out.len;
        }
        if (p->sent == p->drop_at)
            continue;
        vnet_send(p->net, p->now + (p->sent == p->late_at ? LATE_MS : 0), (uint32_t)i,
                  (uint32_t)(1 - i), tag, buf, out.len);
        if (p->sent == p->dup_at)
            vnet_send(p->net, p->now, (uint32_t)i, (uint32_t)(1 - i), tag, buf, out.len);
    }
}

static void deliver(pair *p)
{
    vnet_datagram d;
    while (vnet_receive(p->net, p->now, &d)) {
        ikev2_path path = {.local = p->n[d.to].addr, .peer = p->n[d.from].addr};
        path.peer.port = (uint16_t)(d.tag >> 16);
        path.local.port = (uint16_t)d.tag;
        if (p->nat && d.from == 0)
            path.peer.bytes[3] = 99;
        (void)ikev2_engine_input(p->n[d.to].e, p->now, &path, d.bytes, d.len);
        vnet_release(&d);
        drain(p, 0);
        drain(p, 1);
        if (p->had_child)
            for (int i = 0; i < 2; i++) {
                bool usable = false;
                for (size_t k = 0; k < p->n[i].child_count; k++)
                    usable |= p->n[i].children[k].out;
                assert_true(usable);
            }
    }
}

void pair_run(pair *p, uint64_t ms)
{
    const uint64_t end = p->now + ms;
    for (int step = 0; step < STEPS; step++) {
        drain(p, 0);
        drain(p, 1);
        uint64_t next = vnet_deadline(p->net);
        for (int i = 0; i < 2; i++) {
            const uint64_t at = ikev2_engine_deadline(p->n[i].e);
            if (at < next)
                next = at;
        }
        if (next > end) {
            p->now = end;
            return;
        }
        if (next > p->now)
            p->now = next;
        deliver(p);
        for (int i = 0; i < 2; i++) {
            (void)ikev2_engine_timeout(p->n[i].e, p->now);
            drain(p, i);
        }
    }
    fail_msg("the engines never come to rest");
}

void pair_connect(pair *p, int i)
{
    const ikev2_peer initiator = pair_peer(p, i);
    const ikev2_peer responder = pair_peer(p, 1 - i);
    uint64_t id;
    pair_profile(p, 1 - i, &responder);
    assert_int_equal(ikev2_engine_initiate(p->n[i].e, p->now, &initiator, &id), IKEV2_OK);
    pair_run(p, 60000);
}

uint64_t pair_first_child(const pair *p, int i)
{
    assert_true(p->n[i].child_count > 0);
    return p->n[i].children[0].id;
}

size_t pair_live_children(const pair *p, int i)
{
    uint64_t id = 0;
    size_t count = 0;
    if (p->n[i].sa == 0)
        return 0;
    while (ikev2_engine_next_child(p->n[i].e, p->n[i].sa, &id) == IKEV2_YES)
        count++;
    return count;
}

size_t pair_count_events(const pair *p, int i, uint16_t kind, uint16_t reason)
{
    size_t count = 0;
    for (size_t k = 0; k < p->n[i].event_count; k++)
        count +=
            p->n[i].events[k].kind == kind && (reason == 0 || p->n[i].events[k].reason == reason);
    return count;
}

void pair_assert_agree(const pair *p, size_t children)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p->n[i].child_count, children);
        assert_int_equal(pair_live_children(p, i), children);
    }
    if (children > 0) {
        ikev2_sa_info a = {.struct_size = sizeof(a)};
        ikev2_sa_info b = {.struct_size = sizeof(b)};
        assert_int_equal(ikev2_engine_get_sa(p->n[0].e, p->n[0].sa, &a), IKEV2_OK);
        assert_int_equal(ikev2_engine_get_sa(p->n[1].e, p->n[1].sa, &b), IKEV2_OK);
        assert_true(a.spi_i == b.spi_i && a.spi_r == b.spi_r);
        assert_int_equal(a.initiator, !b.initiator);
    }
    for (size_t i = 0; i < children; i++) {
        ikev2_child_info a = {.struct_size = sizeof(a)};
        ikev2_child_info b = {.struct_size = sizeof(b)};
        const pair_child *c = &p->n[0].children[i];
        const pair_child *d = NULL;
        assert_true(c->in && c->out);
        for (size_t k = 0; k < children; k++)
            if (p->n[1].children[k].spi_in == c->spi_out)
                d = &p->n[1].children[k];
        assert_non_null(d);
        assert_true(d->in && d->out && d->spi_out == c->spi_in);
        assert_int_equal(ikev2_engine_get_child(p->n[0].e, c->id, &a), IKEV2_OK);
        assert_int_equal(ikev2_engine_get_child(p->n[1].e, d->id, &b), IKEV2_OK);
        assert_int_equal(a.state, IKEV2_CHILD_ESTABLISHED);
        assert_int_equal(b.state, IKEV2_CHILD_ESTABLISHED);
        assert_bytes(a.key_in, a.key_in_len, b.key_out, b.key_out_len);
        assert_bytes(a.key_out, a.key_out_len, b.key_in, b.key_in_len);
        assert_int_equal(a.integ_key_in_len, b.integ_key_out_len);
        if (a.integ_key_in_len > 0) {
            assert_bytes(a.integ_key_in, a.integ_key_in_len, b.integ_key_out, b.integ_key_out_len);
            assert_bytes(a.integ_key_out, a.integ_key_out_len, b.integ_key_in, b.integ_key_in_len);
        }
        assert_memory_not_equal(a.key_in, a.key_out, a.key_in_len);
        assert_int_equal(a.esn, b.esn);
        assert_int_equal(a.mode, b.mode);
        assert_int_equal(a.encapsulated, b.encapsulated);
    }
}
