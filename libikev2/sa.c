/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The life of an IKE SA: states, timers, requests and responses.
 */
#include "engine.h"

#define TO(state) (1u << IKEV2__STATE_##state)

static const unsigned allowed[IKEV2__STATE_COUNT] = {
    [IKEV2__STATE_NEW] = TO(INIT_SENT) | TO(HALF_OPEN) | TO(ESTABLISHED) | TO(CLOSED),
    [IKEV2__STATE_INIT_SENT] = TO(KEYED) | TO(CLOSED),
    [IKEV2__STATE_KEYED] = TO(AUTH_SENT) | TO(CLOSED),
    [IKEV2__STATE_AUTH_SENT] = TO(JUDGING) | TO(ESTABLISHED) | TO(DELETING) | TO(CLOSED),
    [IKEV2__STATE_JUDGING] = TO(ESTABLISHED) | TO(DELETING) | TO(CLOSED),
    [IKEV2__STATE_HALF_OPEN] = TO(ASKING) | TO(ESTABLISHED) | TO(CLOSED),
    [IKEV2__STATE_ASKING] = TO(ESTABLISHED) | TO(CLOSED),
    [IKEV2__STATE_ESTABLISHED] = TO(REPLACED) | TO(DELETING) | TO(CLOSED),
    [IKEV2__STATE_REPLACED] = TO(DELETING) | TO(CLOSED),
    [IKEV2__STATE_DELETING] = TO(CLOSED),
    [IKEV2__STATE_CLOSED] = 0,
};

/* Counts against max_half_open from the first message until authenticated, or forgotten. */
static void count_half_open(ikev2__sa *sa, bool counts)
{
    if (counts && !sa->counts_half_open)
        sa->e->counters.half_open++;
    if (!counts && sa->counts_half_open)
        sa->e->counters.half_open--;
    sa->counts_half_open = counts;
}

void ikev2__sa_set_state(ikev2__sa *sa, uint8_t state)
{
    if (state == sa->state || !(allowed[sa->state] & 1u << state))
        return;
    if (state == IKEV2__STATE_HALF_OPEN)
        count_half_open(sa, true);
    else if (state == IKEV2__STATE_ESTABLISHED)
        count_half_open(sa, false);
    sa->state = state;
}

static uint64_t hash_u64(const ikev2_engine *e, uint64_t v)
{
    return drbg_hash(e->hash_key, &v, sizeof(v));
}

static uint64_t local_spi(const ikev2__sa *sa)
{
    return sa->initiator ? sa->spi_i : sa->spi_r;
}

uint64_t ikev2__new_ike_spi(ikev2_engine *e)
{
    uint64_t spi;
    do
        spi = (uint64_t)drbg_u32(&e->random) << 32 | drbg_u32(&e->random);
    while (spi == 0 || ikev2__sa_by_spi(e, spi));
    return spi;
}

uint64_t ikev2__jittered(ikev2_engine *e, uint64_t ms)
{
    return ms - drbg_below(&e->random, (uint32_t)(ms / 10) + 1);
}

/* NULL: no memory. The caller indexes the SPI when it is known. */
ikev2__sa *ikev2__sa_new(ikev2_engine *e, bool initiator, const ikev2_path *path,
                         ikev2__context *ctx)
{
    ikev2__sa *sa = alloc_zero(&e->mem, sizeof(*sa));
    if (!sa)
        return NULL;
    if (!heap_join(&e->timers, &e->mem, &sa->timer)) {
        alloc_free(&e->mem, sa);
        return NULL;
    }
    sa->e = e;
    sa->ctx = ctx;
    ctx->refs++;
    sa->id = ikev2__new_id(e);
    sa->initiator = initiator;
    sa->path = *path;
    sa->last_seen_ms = e->now_ms;
    sa->dead_seq = UINT64_MAX;
    for (int i = 0; i < IKEV2__T_COUNT; i++)
        sa->deadlines[i] = IKEV2_NEVER;
    map_insert(&e->sas_by_id, &e->mem, &sa->by_id, hash_u64(e, sa->id));
    e->counters.sas++;
    return sa;
}

void ikev2__sa_index_spi(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    map_insert(&e->sas_by_spi, &e->mem, &sa->by_spi, hash_u64(e, local_spi(sa)));
}

ikev2__sa *ikev2__sa_by_spi(const ikev2_engine *e, uint64_t spi)
{
    for (map_node *n = map_first(&e->sas_by_spi, hash_u64(e, spi)); n; n = map_next(n)) {
        ikev2__sa *sa = CONTAINER_OF(n, ikev2__sa, by_spi);
        if (local_spi(sa) == spi)
            return sa;
    }
    return NULL;
}

ikev2__sa *ikev2__sa_by_id(const ikev2_engine *e, uint64_t id)
{
    for (map_node *n = map_first(&e->sas_by_id, hash_u64(e, id)); n; n = map_next(n)) {
        ikev2__sa *sa = CONTAINER_OF(n, ikev2__sa, by_id);
        if (sa->id == id)
            return sa;
    }
    return NULL;
}

void ikev2__sa_set_ask(ikev2__sa *sa, uint64_t ask_id)
{
    ikev2_engine *e = sa->e;
    if (sa->ask_id != 0)
        map_remove(&e->sas_by_ask, &sa->by_ask);
    sa->ask_id = ask_id;
    if (ask_id != 0)
        map_insert(&e->sas_by_ask, &e->mem, &sa->by_ask, hash_u64(e, ask_id));
}

ikev2__sa *ikev2__sa_by_ask(const ikev2_engine *e, uint64_t ask_id)
{
    for (map_node *n = map_first(&e->sas_by_ask, hash_u64(e, ask_id)); n; n = map_next(n)) {
        ikev2__sa *sa = CONTAINER_OF(n, ikev2__sa, by_ask);
        if (sa->ask_id == ask_id)
            return sa;
    }
    return NULL;
}

static uint64_t hash_identity(const ikev2_engine *e, const ikev2_identity *id)
{
    return drbg_hash(e->hash_key, id->bytes, id->len) + id->type;
}

ikev2__sa *ikev2__sa_by_identity(const ikev2_engine *e, const ikev2_identity *id)
{
    for (map_node *n = map_first(&e->sas_by_identity, hash_identity(e, id)); n; n = map_next(n)) {
        ikev2__sa *sa = CONTAINER_OF(n, ikev2__sa, by_identity);
        if (ikev2__identity_equal(&sa->ctx->peer_id, id))
            return sa;
    }
    return NULL;
}

void ikev2__sa_index_identity(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    const ikev2_identity *id = &sa->ctx->peer_id;
    if (sa->in_identity || id->len == 0)
        return;
    ikev2__sa *first = ikev2__sa_by_identity(e, id);
    if (first) {
        sa->same_prev = first;
        sa->same_next = first->same_next;
        first->same_next = sa;
        if (sa->same_next)
            sa->same_next->same_prev = sa;
    } else {
        map_insert(&e->sas_by_identity, &e->mem, &sa->by_identity, hash_identity(e, id));
    }
    sa->in_identity = true;
}

bool ikev2__identity_known(const ikev2_engine *e, const ikev2_identity *id, const ikev2__sa *but)
{
    const ikev2__sa *first = ikev2__sa_by_identity(e, id);
    return first && (first != but || first->same_next);
}

static void leave_identity(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    ikev2__sa *next = sa->same_next;
    if (!sa->in_identity)
        return;
    if (sa->same_prev) {
        sa->same_prev->same_next = next;
    } else {
        map_remove(&e->sas_by_identity, &sa->by_identity);
        if (next)
            map_insert(&e->sas_by_identity, &e->mem, &next->by_identity, sa->by_identity.hash);
    }
    if (next)
        next->same_prev = sa->same_prev;
    sa->same_next = sa->same_prev = NULL;
    sa->in_identity = false;
}

static void leave_indexes(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    leave_identity(sa);
    if (sa->in_init)
        map_remove(&e->sas_by_init, &sa->by_init);
    sa->in_init = false;
    ikev2__sa_set_ask(sa, 0);
}

static void free_bytes(ikev2_engine *e, ikev2__bytes *b)
{
    if (b->bytes)
        sodium_memzero(b->bytes, b->len);
    alloc_free(&e->mem, b->bytes);
    *b = (ikev2__bytes){0};
}

void ikev2__sa_free_handshake(ikev2__sa *sa)
{
    ikev2__handshake *hs = sa->hs;
    if (!hs)
        return;
    free_bytes(sa->e, &hs->init_request);
    free_bytes(sa->e, &hs->init_response);
    free_bytes(sa->e, &hs->stash);
    free_bytes(sa->e, &hs->octets);
    free_bytes(sa->e, &hs->signature);
    alloc_free(&sa->e->mem, hs->shown);
    alloc_free(&sa->e->mem, hs->expected);
    sodium_memzero(hs, sizeof(*hs));
    alloc_free(&sa->e->mem, hs);
    sa->hs = NULL;
}

static void free_task(ikev2__sa *sa)
{
    if (sa->task)
        sodium_memzero(sa->task, sizeof(*sa->task));
    alloc_free(&sa->e->mem, sa->task);
    sa->task = NULL;
}

void ikev2__sa_request_done(ikev2__sa *sa)
{
    free_task(sa);
    ikev2__flight_free(sa->e, &sa->request);
    sa->tries = 0;
    ikev2__sa_set_timer(sa, IKEV2__T_RETRANSMIT, IKEV2_NEVER);
}

void ikev2__sa_unqueue(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    if (!sa->queued)
        return;
    if (sa->out_prev)
        sa->out_prev->out_next = sa->out_next;
    else
        e->out_head = sa->out_next;
    if (sa->out_next)
        sa->out_next->out_prev = sa->out_prev;
    else
        e->out_tail = sa->out_prev;
    sa->out_next = sa->out_prev = NULL;
    sa->queued = false;
}

void ikev2__sa_free(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    while (sa->children)
        ikev2__child_free(sa->children);
    leave_indexes(sa);
    ikev2__sa_unqueue(sa);
    count_half_open(sa, false);
    if (ikev2__sa_by_spi(e, local_spi(sa)) == sa)
        map_remove(&e->sas_by_spi, &sa->by_spi);
    map_remove(&e->sas_by_id, &sa->by_id);
    ikev2__reassembly_free(sa);
    ikev2__sa_free_handshake(sa);
    ikev2__sa_request_done(sa);
    ikev2__flight_free(e, &sa->response);
    ikev2__context_release(e, sa->ctx);
    heap_leave(&e->timers, &sa->timer);
    e->counters.sas--;
    sodium_memzero(sa, sizeof(*sa));
    alloc_free(&e->mem, sa);
}

void ikev2__sa_arm(ikev2__sa *sa)
{
    uint64_t first = IKEV2_NEVER;
    for (int i = 0; i < IKEV2__T_COUNT; i++)
        if (sa->deadlines[i] < first)
            first = sa->deadlines[i];
    for (const ikev2__child *c = sa->children; c; c = c->next) {
        if (c->soft_ms < first)
            first = c->soft_ms;
        if (c->hard_ms < first)
            first = c->hard_ms;
    }
    heap_set(&sa->e->timers, &sa->timer, first);
}

void ikev2__sa_set_timer(ikev2__sa *sa, int timer, uint64_t at_ms)
{
    if (sa->deadlines[timer] == at_ms)
        return;
    sa->deadlines[timer] = at_ms;
    ikev2__sa_arm(sa);
}

/* Children go, keys go; what is left repeats the last response for a while. */
void ikev2__sa_close(ikev2__sa *sa, uint16_t reason)
{
    ikev2_engine *e = sa->e;
    if (sa->state == IKEV2__STATE_CLOSED)
        return;
    for (ikev2__child *c = sa->children; c; c = c->next)
        ikev2__child_remove(c, reason);
    if (sa->announced || sa->initiator) {
        ikev2_event ev = {.kind = IKEV2_EVENT_IKE_SA_DOWN, .reason = reason};
        ikev2__emit(e, &ev, sa, NULL);
    }
    sa->dead_seq = e->events_pushed;
    leave_indexes(sa);
    ikev2__reassembly_free(sa);
    ikev2__sa_free_handshake(sa);
    ikev2__sa_request_done(sa);
    sodium_memzero(&sa->keys, sizeof(sa->keys));
    ikev2__sa_set_state(sa, IKEV2__STATE_CLOSED);
    for (int i = 0; i < IKEV2__T_COUNT; i++)
        sa->deadlines[i] = IKEV2_NEVER;
    ikev2__sa_set_timer(sa, IKEV2__T_LINGER,
                        e->now_ms + (sa->response.bytes ? e->cfg.linger_ms : 0));
}

void ikev2__sa_doom(ikev2__sa *sa, uint16_t reason, uint64_t at_ms)
{
    sa->doomed = true;
    sa->close_reason = reason;
    ikev2__sa_set_timer(sa, IKEV2__T_EXPIRE, at_ms);
}

void ikev2__sa_establish(ikev2__sa *sa, uint64_t replaces)
{
    ikev2_engine *e = sa->e;
    ikev2__sa_set_state(sa, IKEV2__STATE_ESTABLISHED);
    sa->announced = true;
    sa->last_seen_ms = e->now_ms;
    ikev2__sa_index_identity(sa);
    ikev2__sa_set_timer(sa, IKEV2__T_SETUP, IKEV2_NEVER);
    if (e->cfg.ike_lifetime_s > 0) {
        const uint64_t life = (uint64_t)e->cfg.ike_lifetime_s * 1000;
        ikev2__sa_set_timer(sa, IKEV2__T_REKEY, e->now_ms + ikev2__jittered(e, life));
        ikev2__sa_set_timer(sa, IKEV2__T_EXPIRE, e->now_ms + life + life / 10);
    }
    if (e->cfg.liveness_ms > 0)
        ikev2__sa_set_timer(sa, IKEV2__T_LIVENESS, e->now_ms + e->cfg.liveness_ms);
    if (sa->nat_local && e->cfg.keepalive_ms > 0)
        ikev2__sa_set_timer(sa, IKEV2__T_KEEPALIVE, e->now_ms + e->cfg.keepalive_ms);
    ikev2_event ev = {.kind = IKEV2_EVENT_IKE_SA_UP, .replaces = replaces};
    ikev2__emit(e, &ev, sa, NULL);
    if (replaces)
        e->counters.rekeys++;
    else
        e->counters.handshakes++;
}

void ikev2__sa_heard(ikev2__sa *sa)
{
    sa->last_seen_ms = sa->e->now_ms;
}

/* RFC 7296 2.23: the one who is not behind a NAT follows the other's new address. */
void ikev2__sa_move_path(ikev2__sa *sa, const ikev2_path *path)
{
    const bool same = ikev2__addr_equal(&sa->path.local, &path->local) &&
                      ikev2__addr_equal(&sa->path.peer, &path->peer);
    const bool may_move = !sa->nat_local && (sa->nat_peer || !sa->announced);
    if (same || !may_move)
        return;
    sa->path = *path;
    if (sa->announced) {
        ikev2_event ev = {.kind = IKEV2_EVENT_PATH_CHANGED};
        ikev2__emit(sa->e, &ev, sa, NULL);
    }
}

ikev2__builder ikev2__sa_builder(ikev2__sa *sa)
{
    return ikev2__builder_make(sa->e->plain, sa->e->cfg.max_message_bytes);
}

/* Takes the task; on failure it stays the caller's. */
ikev2_rc ikev2__sa_request(ikev2__sa *sa, ikev2__task *task, uint8_t exchange,
                           const ikev2__builder *b)
{
    ikev2_engine *e = sa->e;
    ikev2__flight flight;
    const ikev2_rc rc = ikev2__protect(sa, exchange, false, sa->next_send, b, &flight);
    if (rc < 0)
        return rc;
    ikev2__flight_free(e, &sa->request);
    sa->request = flight;
    sa->task = task;
    sa->tries = 0;
    sa->next_send++;
    ikev2__sa_set_timer(sa, IKEV2__T_RETRANSMIT, e->now_ms + e->cfg.retransmit_ms);
    ikev2__queue(sa);
    return IKEV2_OK;
}

void ikev2__sa_respond(ikev2__sa *sa, ikev2__flight *flight, uint64_t hash)
{
    ikev2__flight_free(sa->e, &sa->response);
    sa->response = *flight;
    sa->request_hash = hash;
    sa->next_recv++;
    ikev2__queue(sa);
}

/* RFC 7296 2.3: one exchange at a time; the next in order of urgency. */
static ikev2_rc next_exchange(ikev2__sa *sa)
{
    ikev2__child *c;
    if (ikev2__rekey_contested(sa))
        return IKEV2_OK;
    if (sa->want_delete)
        return ikev2__info_build(sa, IKEV2__TASK_IKE_DELETE, NULL);
    if (sa->state != IKEV2__STATE_ESTABLISHED)
        return IKEV2_OK;
    for (c = sa->children; c; c = c->next)
        if (c->want_delete && c->state >= IKEV2__CHILD_IN_ONLY && c->state <= IKEV2__CHILD_REPLACED)
            return ikev2__info_build(sa, IKEV2__TASK_CHILD_DELETE, c);
    if (sa->want_liveness)
        return ikev2__info_build(sa, IKEV2__TASK_LIVENESS, NULL);
    if (sa->deadlines[IKEV2__T_RETRY] != IKEV2_NEVER)
        return IKEV2_OK;
    if (sa->want_config)
        return ikev2__info_build(sa, IKEV2__TASK_CONFIG, NULL);
    for (c = sa->children; c; c = c->next)
        if (c->want_rekey && (c->state == IKEV2__CHILD_UP || c->state == IKEV2__CHILD_IN_ONLY))
            return ikev2__create_build(sa, c);
    for (c = sa->children; c; c = c->next)
        if (c->state == IKEV2__CHILD_WANTED)
            return ikev2__create_build(sa, c);
    if (sa->want_rekey)
        return ikev2__rekey_build(sa);
    return IKEV2_OK;
}

void ikev2__sa_pump(ikev2__sa *sa)
{
    ikev2_rc rc = IKEV2_OK;
    if (sa->request.bytes)
        return;
    if (sa->state == IKEV2__STATE_KEYED)
        rc = ikev2__auth_build(sa);
    else if (sa->state == IKEV2__STATE_ESTABLISHED || sa->state == IKEV2__STATE_REPLACED)
        rc = next_exchange(sa);
    /* Memory ran out: the wish stays, and is tried again later. */
    if (rc < 0)
        ikev2__sa_set_timer(sa, IKEV2__T_RETRY, sa->e->now_ms + sa->e->cfg.retry_ms);
}

/* RFC 7296 2.1, 2.4 */
static void retransmit(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    if (sa->tries >= e->cfg.retransmit_tries) {
        const bool deleting = sa->state == IKEV2__STATE_DELETING;
        (void)ikev2__rekey_yield(sa);
        ikev2_event ev = {.kind = IKEV2_EVENT_RETRANSMIT_TIMEOUT, .reason = IKEV2_REASON_TIMEOUT};
        ikev2__emit(e, &ev, sa, NULL);
        ikev2__sa_close(sa, deleting ? sa->close_reason : IKEV2_REASON_TIMEOUT);
        return;
    }
    sa->tries++;
    uint64_t wait = (uint64_t)e->cfg.retransmit_ms << (sa->tries < 32 ? sa->tries : 32);
    if (wait > e->cfg.retransmit_max_ms)
        wait = e->cfg.retransmit_max_ms;
    sa->request.cursor = 0;
    e->counters.retransmitted++;
    ikev2__sa_set_timer(sa, IKEV2__T_RETRANSMIT, e->now_ms + wait);
    ikev2__queue(sa);
}

static void reap(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    bool left = false;
    for (ikev2__child *c = sa->children, *next; c; c = next) {
        next = c->next;
        if (c->state != IKEV2__CHILD_DEAD)
            continue;
        if (c->dead_seq <= e->events_polled)
            ikev2__child_free(c);
        else
            left = true;
    }
    ikev2__sa_set_timer(sa, IKEV2__T_REAP, left ? e->now_ms + e->cfg.retry_ms : IKEV2_NEVER);
}

static void setup_ended(ikev2__sa *sa)
{
    ikev2__sa_set_timer(sa, IKEV2__T_SETUP, IKEV2_NEVER);
    if (sa->ask_id != 0) {
        ikev2__ask_refuse(sa, ikev2__reason_unanswered(sa->ask_kind), 0);
    } else {
        /* Nobody was authenticated: nothing is owed to whoever it was. */
        ikev2__flight_free(sa->e, &sa->response);
        ikev2__sa_close(sa, IKEV2_REASON_TIMEOUT);
    }
}

static void expired(ikev2__sa *sa)
{
    ikev2__sa_set_timer(sa, IKEV2__T_EXPIRE, IKEV2_NEVER);
    if (sa->doomed) {
        ikev2__sa_close(sa, sa->close_reason);
    } else if (sa->state == IKEV2__STATE_REPLACED) {
        ikev2__sa_close(sa, IKEV2_REASON_REKEYED);
    } else {
        sa->want_delete = true;
        sa->close_reason = IKEV2_REASON_LIFETIME;
    }
}

static void liveness_due(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    const uint64_t due = sa->last_seen_ms + e->cfg.liveness_ms;
    if (due > e->now_ms) {
        ikev2__sa_set_timer(sa, IKEV2__T_LIVENESS, due);
        return;
    }
    /* A request that is out proves life as well. */
    sa->want_liveness = sa->request.bytes == NULL;
    ikev2__sa_set_timer(sa, IKEV2__T_LIVENESS, e->now_ms + e->cfg.liveness_ms);
}

static void children_due(ikev2__sa *sa)
{
    const uint64_t now = sa->e->now_ms;
    for (ikev2__child *c = sa->children; c; c = c->next) {
        if (c->soft_ms <= now) {
            c->soft_ms = IKEV2_NEVER;
            c->want_rekey |= c->state == IKEV2__CHILD_UP || c->state == IKEV2__CHILD_IN_ONLY;
        }
        if (c->hard_ms <= now) {
            c->hard_ms = IKEV2_NEVER;
            c->want_delete = true;
            c->delete_reason = IKEV2_REASON_LIFETIME;
        }
    }
}

static bool due(const ikev2__sa *sa, int timer)
{
    return sa->deadlines[timer] <= sa->e->now_ms;
}

/* Everything of one SA that is due; may free it. */
void ikev2__sa_timeout(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    if (due(sa, IKEV2__T_LINGER)) {
        if (sa->dead_seq <= e->events_polled) {
            ikev2__sa_free(sa);
            return;
        }
        ikev2__sa_set_timer(sa, IKEV2__T_LINGER, e->now_ms + e->cfg.retry_ms);
    }
    if (due(sa, IKEV2__T_REAP))
        reap(sa);
    if (due(sa, IKEV2__T_REASSEMBLY))
        ikev2__reassembly_free(sa);
    if (due(sa, IKEV2__T_RETRY))
        ikev2__sa_set_timer(sa, IKEV2__T_RETRY, IKEV2_NEVER);
    if (due(sa, IKEV2__T_RETRANSMIT))
        retransmit(sa);
    if (due(sa, IKEV2__T_SETUP))
        setup_ended(sa);
    if (due(sa, IKEV2__T_EXPIRE))
        expired(sa);
    if (due(sa, IKEV2__T_REKEY)) {
        ikev2__sa_set_timer(sa, IKEV2__T_REKEY, IKEV2_NEVER);
        sa->want_rekey = sa->state == IKEV2__STATE_ESTABLISHED;
    }
    if (due(sa, IKEV2__T_LIVENESS))
        liveness_due(sa);
    if (due(sa, IKEV2__T_KEEPALIVE)) {
        sa->want_keepalive = true;
        ikev2__queue(sa);
        ikev2__sa_set_timer(sa, IKEV2__T_KEEPALIVE, e->now_ms + e->cfg.keepalive_ms);
    }
    children_due(sa);
    ikev2__sa_arm(sa);
    ikev2__sa_pump(sa);
}
