/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The life of a Child SA.
 */
#include "engine.h"

#define TO(state) (1u << IKEV2__CHILD_##state)

static const unsigned allowed[IKEV2__CHILD_STATES] = {
    [IKEV2__CHILD_WANTED] = TO(PENDING) | TO(IN_ONLY) | TO(DEAD),
    [IKEV2__CHILD_PENDING] = TO(WANTED) | TO(IN_ONLY) | TO(UP) | TO(DEAD),
    [IKEV2__CHILD_IN_ONLY] = TO(UP) | TO(REPLACED) | TO(DELETING) | TO(DEAD),
    [IKEV2__CHILD_UP] = TO(REPLACED) | TO(DELETING) | TO(DEAD),
    [IKEV2__CHILD_REPLACED] = TO(UP) | TO(DELETING) | TO(DEAD),
    [IKEV2__CHILD_DELETING] = TO(DEAD),
    [IKEV2__CHILD_DEAD] = 0,
};

void ikev2__child_set_state(ikev2__child *c, uint8_t state)
{
    if (c->state != state && (allowed[c->state] & 1u << state))
        c->state = state;
}

static uint64_t hash_u64(const ikev2_engine *e, uint64_t v)
{
    return drbg_hash(e->hash_key, &v, sizeof(v));
}

static ikev2__child *by_spi_in(const ikev2_engine *e, uint32_t spi)
{
    for (map_node *n = map_first(&e->children_by_spi, hash_u64(e, spi)); n; n = map_next(n)) {
        ikev2__child *c = CONTAINER_OF(n, ikev2__child, by_spi);
        if (c->spi_in == spi)
            return c;
    }
    return NULL;
}

ikev2__child *ikev2__child_by_id(const ikev2_engine *e, uint64_t id)
{
    for (map_node *n = map_first(&e->children_by_id, hash_u64(e, id)); n; n = map_next(n)) {
        ikev2__child *c = CONTAINER_OF(n, ikev2__child, by_id);
        if (c->id == id)
            return c;
    }
    return NULL;
}

ikev2__child *ikev2__child_by_spi_out(const ikev2__sa *sa, uint32_t spi)
{
    for (ikev2__child *c = sa->children; c; c = c->next)
        if (c->spi_out == spi && c->announced && c->state != IKEV2__CHILD_DEAD)
            return c;
    return NULL;
}

/* A free SPI of the configured range; 0 where the range is as good as full. */
static uint32_t draw_spi(ikev2_engine *e)
{
    enum { DRAWS = 64 };
    const uint32_t range = e->cfg.spi_max - e->cfg.spi_min;
    for (int i = 0; i < DRAWS; i++) {
        const uint32_t offset =
            range == UINT32_MAX ? drbg_u32(&e->random) : drbg_below(&e->random, range + 1);
        if (!by_spi_in(e, e->cfg.spi_min + offset))
            return e->cfg.spi_min + offset;
    }
    return 0;
}

/* NULL: no memory, too many children or no SPI. */
ikev2__child *ikev2__child_new(ikev2__sa *sa, ikev2__policy *policy)
{
    ikev2_engine *e = sa->e;
    const uint32_t spi = draw_spi(e);
    /* As many again may be there while they are being replaced. */
    if (sa->child_count >= 2 * e->cfg.max_children_per_sa || spi == 0)
        return NULL;
    ikev2__child *c = alloc_zero(&e->mem, sizeof(*c));
    if (!c)
        return NULL;
    c->sa = sa;
    c->policy = policy;
    policy->refs++;
    c->id = ikev2__new_id(e);
    c->spi_in = spi;
    c->mode = policy->mode;
    c->soft_ms = c->hard_ms = IKEV2_NEVER;
    c->dead_seq = UINT64_MAX;
    c->next = sa->children;
    sa->children = c;
    sa->child_count++;
    e->counters.children++;
    map_insert(&e->children_by_id, &e->mem, &c->by_id, hash_u64(e, c->id));
    map_insert(&e->children_by_spi, &e->mem, &c->by_spi, hash_u64(e, spi));
    return c;
}

static void wipe_keys(ikev2__child *c)
{
    sodium_memzero(c->key_in, sizeof(c->key_in));
    sodium_memzero(c->key_out, sizeof(c->key_out));
    sodium_memzero(c->integ_in, sizeof(c->integ_in));
    sodium_memzero(c->integ_out, sizeof(c->integ_out));
}

static void leave(ikev2__child *c)
{
    map_remove(&c->sa->e->children_by_spi, &c->by_spi);
    c->sa->child_count--;
    c->sa->e->counters.children--;
}

static void unlink_child(ikev2__child *c)
{
    ikev2__child **link = &c->sa->children;
    while (*link != c)
        link = &(*link)->next;
    *link = c->next;
}

void ikev2__child_free(ikev2__child *c)
{
    ikev2_engine *e = c->sa->e;
    if (c->state != IKEV2__CHILD_DEAD)
        leave(c);
    unlink_child(c);
    map_remove(&e->children_by_id, &c->by_id);
    ikev2__policy_release(e, c->policy);
    wipe_keys(c);
    alloc_free(&e->mem, c->ts);
    alloc_free(&e->mem, c);
}

void ikev2__child_move(ikev2__child *c, ikev2__sa *to)
{
    unlink_child(c);
    c->sa->child_count--;
    c->sa = to;
    c->next = to->children;
    to->children = c;
    to->child_count++;
}

ikev2_rc ikev2__child_set_selectors(ikev2__child *c, const ikev2__selectors *local,
                                    const ikev2__selectors *peer)
{
    ikev2_engine *e = c->sa->e;
    ikev2_selector *ts = alloc_array(&e->mem, local->count + peer->count, sizeof(*ts));
    if (!ts)
        return IKEV2_ERR_NOMEM;
    memcpy(ts, local->list, local->count * sizeof(*ts));
    memcpy(ts + local->count, peer->list, peer->count * sizeof(*ts));
    alloc_free(&e->mem, c->ts);
    c->ts = ts;
    c->local_count = local->count;
    c->peer_count = peer->count;
    return IKEV2_OK;
}

void ikev2__child_install(ikev2__child *c, bool outbound)
{
    ikev2_engine *e = c->sa->e;
    if (e->cfg.child_lifetime_s > 0) {
        const uint64_t life = (uint64_t)e->cfg.child_lifetime_s * 1000;
        c->soft_ms = e->now_ms + ikev2__jittered(e, life);
        c->hard_ms = e->now_ms + life + life / 10;
    }
    c->announced = true;
    if (c->replaces)
        e->counters.rekeys++;
    ikev2_event ev = {.kind = IKEV2_EVENT_CHILD_IN, .replaces = c->replaces};
    ikev2__emit(e, &ev, c->sa, c);
    ikev2__child_set_state(c, IKEV2__CHILD_IN_ONLY);
    if (outbound)
        ikev2__child_start(c);
    ikev2__sa_arm(c->sa);
}

void ikev2__child_start(ikev2__child *c)
{
    if (c->state != IKEV2__CHILD_IN_ONLY)
        return;
    ikev2__child_set_state(c, IKEV2__CHILD_UP);
    ikev2_event ev = {.kind = IKEV2_EVENT_CHILD_OUT, .replaces = c->replaces};
    ikev2__emit(c->sa->e, &ev, c->sa, c);
}

void ikev2__child_remove(ikev2__child *c, uint16_t reason)
{
    ikev2__sa *sa = c->sa;
    if (c->state == IKEV2__CHILD_DEAD)
        return;
    if (c->announced) {
        ikev2_event ev = {.kind = IKEV2_EVENT_CHILD_REMOVE, .reason = reason};
        ikev2__emit(sa->e, &ev, sa, c);
    }
    c->dead_seq = sa->e->events_pushed;
    leave(c);
    wipe_keys(c);
    c->soft_ms = c->hard_ms = IKEV2_NEVER;
    ikev2__child_set_state(c, IKEV2__CHILD_DEAD);
    ikev2__sa_set_timer(sa, IKEV2__T_REAP, sa->e->now_ms);
}

/* RFC 7296 2.8: when the old one goes, the peer has the new one. */
void ikev2__child_retire(ikev2__child *gone, uint16_t reason)
{
    for (ikev2__child *c = gone->sa->children; c; c = c->next)
        if (c->replaces == gone->id)
            ikev2__child_start(c);
    ikev2__child_remove(gone, reason);
}

ikev2__offer ikev2__child_offer(const ikev2__child *c, const uint8_t spi[4], bool with_group)
{
    return (ikev2__offer){.transforms = c->policy->transforms,
                          .count = c->policy->transform_count,
                          .protocol = IKEV2_PROTOCOL_ID_ESP,
                          .with_group = with_group,
                          .spi = spi,
                          .spi_len = 4};
}
