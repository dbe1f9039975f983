/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The engine: making it, datagrams in and out, time, events.
 */
#include "engine.h"

static const ikev2_transform default_ike[] = {
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_GCM_16, .key_bits = 128},
    {.type = IKEV2_TRANSFORM_PRF, .id = IKEV2_PRF_HMAC_SHA2_256},
    {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_X25519},
};

static const ikev2_transform default_child[] = {
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_GCM_16, .key_bits = 128},
    {.type = IKEV2_TRANSFORM_ESN, .id = IKEV2_ESN_YES},
    {.type = IKEV2_TRANSFORM_ESN, .id = IKEV2_ESN_NO},
};

enum {
    MAX_CHILDREN = 64,
    MIN_MESSAGE = 1280, /* RFC 7296 2 */
    MIN_FRAGMENT = 128, /* less than this holds nothing but overhead */
    KEEPALIVE = 0xff    /* RFC 3948 2.3 */
};

ikev2_rc ikev2_config_init(ikev2_config *cfg)
{
    if (!cfg)
        return IKEV2_ERR_ARG;
    *cfg = (ikev2_config){
        .struct_size = sizeof(*cfg),
        .ike_port = 500,
        .natt_port = 4500,
        .spi_min = 0x100,
        .spi_max = UINT32_MAX,
        .fragment_bytes = 1232,
        .max_message_bytes = 16384,
        .max_fragments = 64,
        .max_sas = 65536,
        .max_half_open = 1000,
        .cookie_threshold = 100,
        .max_children_per_sa = 8,
        .max_routes = 64,
        .max_profiles = 4096,
        .max_replies = 64,
        .max_events = 1024,
        .max_work = 64,
        .retransmit_ms = 1000,
        .retransmit_max_ms = 16000,
        .retransmit_tries = 6,
        .half_open_ms = 30000,
        .ask_ms = 5000,
        .linger_ms = 30000,
        .cookie_ms = 60000,
        .retry_ms = 3000,
        .ike_lifetime_s = 14400,
        .child_lifetime_s = 3600,
        .liveness_ms = 30000,
        .keepalive_ms = 20000,
        .max_certs = 8,
        .max_cert_bytes = 4096,
    };
    return IKEV2_OK;
}

static bool config_ok(const ikev2_config *c)
{
    const bool limits = c->max_sas && c->max_half_open && c->max_children_per_sa && c->max_routes &&
                        c->max_profiles && c->max_replies && c->max_work && c->max_fragments &&
                        c->max_children_per_sa <= MAX_CHILDREN && c->max_fragments <= UINT16_MAX &&
                        c->max_message_bytes >= MIN_MESSAGE && c->max_message_bytes <= UINT16_MAX;
    const bool times = c->retransmit_ms && c->retransmit_max_ms && c->half_open_ms && c->ask_ms &&
                       c->cookie_ms && c->retry_ms && c->ike_lifetime_s <= UINT32_MAX / 1100 &&
                       c->child_lifetime_s <= UINT32_MAX / 1100;
    const bool fragments = c->fragment_bytes == 0 || c->fragment_bytes >= MIN_FRAGMENT;
    const bool lists = (c->ike_transforms || c->ike_transform_count == 0) &&
                       (c->child_transforms || c->child_transform_count == 0);
    return limits && times && fragments && lists && c->spi_min > UINT8_MAX &&
           c->spi_min <= c->spi_max && c->ike_port != c->natt_port && c->force_encapsulation <= 1 &&
           c->ask_peer <= 1 && c->max_certs && c->max_certs <= IKEV2_MAX_CERTS && c->max_cert_bytes;
}

static bool copy_transforms(ikev2_engine *e)
{
    ikev2_config *c = &e->cfg;
    if (!c->ike_transforms) {
        c->ike_transforms = default_ike;
        c->ike_transform_count = sizeof(default_ike) / sizeof(default_ike[0]);
    }
    if (!c->child_transforms) {
        c->child_transforms = default_child;
        c->child_transform_count = sizeof(default_child) / sizeof(default_child[0]);
    }
    const size_t n = c->ike_transform_count;
    const size_t m = c->child_transform_count;
    e->transforms = alloc_array(&e->mem, n + m, sizeof(*e->transforms));
    if (!e->transforms)
        return false;
    memcpy(e->transforms, c->ike_transforms, n * sizeof(*e->transforms));
    memcpy(e->transforms + n, c->child_transforms, m * sizeof(*e->transforms));
    c->ike_transforms = e->transforms;
    c->child_transforms = e->transforms + n;
    return true;
}

static bool transforms_ok(const ikev2_config *c)
{
    return (!c->ike_transforms || ikev2__transforms_valid(c->ike_transforms, c->ike_transform_count,
                                                          IKEV2_PROTOCOL_ID_IKE)) &&
           (!c->child_transforms ||
            ikev2__transforms_valid(c->child_transforms, c->child_transform_count,
                                    IKEV2_PROTOCOL_ID_ESP));
}

static bool make_tables(ikev2_engine *e)
{
    const alloc *a = &e->mem;
    e->plain = alloc_zero(a, e->cfg.max_message_bytes);
    e->opened = alloc_zero(a, e->cfg.max_message_bytes);
    return copy_transforms(e) && e->plain && e->opened && map_init(&e->sas_by_id, a) &&
           map_init(&e->sas_by_spi, a) && map_init(&e->sas_by_init, a) &&
           map_init(&e->sas_by_identity, a) && map_init(&e->sas_by_ask, a) &&
           map_init(&e->children_by_id, a) && map_init(&e->children_by_spi, a) &&
           ring_init(&e->events, a, e->cfg.max_events, sizeof(ikev2_event)) &&
           ring_init(&e->replies, a, e->cfg.max_replies, sizeof(ikev2__reply));
}

ikev2_rc ikev2_engine_new(const ikev2_config *cfg, uint64_t now_ms, ikev2_engine **out)
{
    ikev2_config c;
    (void)ikev2_config_init(&c);
    if (!cfg || !out || !versioned_read(&c, sizeof(c), offsetof(ikev2_config, unix_time_s), cfg) ||
        !config_ok(&c) || !transforms_ok(&c))
        return IKEV2_ERR_ARG;
    /* The most that one call emits: an IKE SA goes with all its children, another one comes. */
    const size_t reserve = 4 * (size_t)c.max_children_per_sa + 8;
    if (c.max_events < reserve)
        return IKEV2_ERR_ARG;
    const alloc mem = alloc_make(c.allocator.resize, c.allocator.user);
    ikev2_engine *e = alloc_zero(&mem, sizeof(*e));
    if (!e)
        return IKEV2_ERR_NOMEM;
    e->mem = mem;
    e->cfg = c;
    e->now_ms = now_ms;
    e->event_reserve = reserve;
    e->unix_time_s = c.unix_time_s;
    e->unix_time_ms = now_ms;
    const ikev2_rc rc = ikev2__crypto_new(&mem, &e->crypto);
    if (rc < 0 || !make_tables(e)) {
        ikev2_engine_free(e);
        return rc < 0 ? rc : IKEV2_ERR_NOMEM;
    }
    drbg_init(&e->random, c.seed);
    sodium_memzero(e->cfg.seed, sizeof(e->cfg.seed));
    sodium_memzero(c.seed, sizeof(c.seed));
    drbg_get(&e->random, e->hash_key, sizeof(e->hash_key));
    drbg_get(&e->random, e->cookie_secret[0], sizeof(e->cookie_secret));
    *out = e;
    return IKEV2_OK;
}

void ikev2_engine_free(ikev2_engine *e)
{
    if (!e)
        return;
    const alloc mem = e->mem;
    size_t bucket = 0;
    map_node *n = e->sas_by_id.buckets ? map_walk(&e->sas_by_id, &bucket, NULL) : NULL;
    while (n) {
        ikev2__sa *sa = CONTAINER_OF(n, ikev2__sa, by_id);
        n = map_walk(&e->sas_by_id, &bucket, n);
        ikev2__sa_free(sa);
    }
    for (size_t i = 0; i < e->profile_count; i++)
        ikev2__peer_release(e, e->profiles[i]);
    alloc_free(&mem, e->profiles);
    map_free(&e->sas_by_id, &mem);
    map_free(&e->sas_by_spi, &mem);
    map_free(&e->sas_by_init, &mem);
    map_free(&e->sas_by_identity, &mem);
    map_free(&e->sas_by_ask, &mem);
    map_free(&e->children_by_id, &mem);
    map_free(&e->children_by_spi, &mem);
    heap_free(&e->timers, &mem);
    ring_end(&e->events, &mem);
    ring_end(&e->replies, &mem);
    ikev2__crypto_free(e->crypto, &mem);
    if (e->plain)
        sodium_memzero(e->plain, e->cfg.max_message_bytes);
    if (e->opened)
        sodium_memzero(e->opened, e->cfg.max_message_bytes);
    alloc_free(&mem, e->plain);
    alloc_free(&mem, e->opened);
    alloc_free(&mem, e->transforms);
    sodium_memzero(e, sizeof(*e));
    alloc_free(&mem, e);
}

ikev2_rc ikev2_engine_reseed(ikev2_engine *e, uint64_t now_ms, const uint8_t *seed)
{
    if (!e || !seed)
        return IKEV2_ERR_ARG;
    (void)ikev2__enter(e, now_ms, false);
    drbg_reseed(&e->random, seed);
    return IKEV2_OK;
}

/* Every mutator begins here: time moves on, and where it may emit, there must be room. */
ikev2_rc ikev2__enter(ikev2_engine *e, uint64_t now_ms, bool emits)
{
    if (now_ms > e->now_ms)
        e->now_ms = now_ms;
    return emits && ring_free(&e->events) < e->event_reserve ? IKEV2_ERR_LIMIT : IKEV2_OK;
}

uint64_t ikev2__new_id(ikev2_engine *e)
{
    return ++e->next_id;
}

void ikev2__emit(ikev2_engine *e, ikev2_event *ev, const ikev2__sa *sa, const ikev2__child *child)
{
    if (sa) {
        ev->sa_id = sa->id;
        if (sa->ctx->peer)
            ev->user = sa->ctx->peer->pub.user;
    }
    if (child) {
        ev->child_id = child->id;
        ev->spi_in = child->spi_in;
        ev->spi_out = child->spi_out;
    }
    if (ring_push(&e->events, ev))
        e->events_pushed++;
}

void ikev2__refused(ikev2__sa *sa, const ikev2__child *child, uint16_t reason, uint32_t detail)
{
    ikev2_event ev = {.kind = IKEV2_EVENT_REFUSED, .reason = reason, .detail = detail};
    ikev2__emit(sa->e, &ev, sa, child);
}

/* An answer that leaves no state: RFC 7296 2.6, 2.21.1. Lost where many wait already. */
void ikev2__send_reply(ikev2_engine *e, const ikev2_path *path, const ikev2_header *to,
                       uint16_t type, const uint8_t *data, size_t len)
{
    ikev2__reply reply = {.path = *path};
    ikev2__builder b = ikev2__builder_make(reply.bytes + IKEV2_HEADER_BYTES,
                                           sizeof(reply.bytes) - IKEV2_HEADER_BYTES);
    ikev2__put_notify(&b, 0, NULL, 0, type, data, len);
    if (!wire_fits(&b.w))
        return;
    reply.len = IKEV2_HEADER_BYTES + b.w.len;
    const ikev2_header h = {.spi_i = to->spi_i,
                            .spi_r = to->spi_r,
                            .next_payload = b.first,
                            .version = IKEV2__VERSION,
                            .exchange = to->exchange,
                            .flags = IKEV2_FLAG_RESPONSE,
                            .message_id = to->message_id,
                            .length = (uint32_t)reply.len};
    wire_writer w = wire_writer_make(reply.bytes, IKEV2_HEADER_BYTES);
    ikev2__header_put(&w, &h);
    (void)ring_push(&e->replies, &reply);
}

void ikev2__queue(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    if (sa->queued)
        return;
    sa->queued = true;
    sa->out_next = NULL;
    sa->out_prev = e->out_tail;
    if (e->out_tail)
        e->out_tail->out_next = sa;
    else
        e->out_head = sa;
    e->out_tail = sa;
}

bool ikev2__uses_marker(const ikev2_engine *e, const ikev2_path *path)
{
    return path->local.port != e->cfg.ike_port;
}

/* A request that was answered before: the same bytes again (RFC 7296 2.1). */
static ikev2_rc repeated(ikev2__sa *sa, const uint8_t *buf, size_t len)
{
    if (!sa->response.bytes || drbg_hash(sa->e->hash_key, buf, len) != sa->request_hash)
        return IKEV2_ERR_MESSAGE_ID;
    sa->e->counters.repeated++;
    sa->response.cursor = 0;
    ikev2__queue(sa);
    return IKEV2_OK;
}

static ikev2_rc handle_request(ikev2__sa *sa, const ikev2_header *h, ikev2__message *msg,
                               const uint8_t *plain, size_t len, uint8_t first, uint64_t hash)
{
    if (h->exchange == IKEV2_EXCHANGE_IKE_AUTH)
        return ikev2__auth_request(sa, msg, plain, len, first, hash);
    if (h->exchange == IKEV2_EXCHANGE_INFORMATIONAL)
        return ikev2__info_request(sa, msg, hash);
    if (msg->form == IKEV2__FORM_IKE)
        return ikev2__rekey_request(sa, msg, hash);
    return ikev2__create_request(sa, msg, hash);
}

static ikev2_rc handle_response(ikev2__sa *sa, const ikev2_header *h, ikev2__message *msg,
                                const uint8_t *plain, size_t len, uint8_t first)
{
    if (h->exchange == IKEV2_EXCHANGE_IKE_AUTH)
        return ikev2__auth_response(sa, msg, plain, len, first);
    if (h->exchange == IKEV2_EXCHANGE_INFORMATIONAL)
        return ikev2__info_response(sa, msg);
    if (sa->task->kind == IKEV2__TASK_IKE_REKEY)
        return ikev2__rekey_response(sa, msg);
    return ikev2__create_response(sa, msg);
}

/* RFC 7296 2.5, 2.21: errors in a message that is authentic. */
static ikev2_rc refuse_message(ikev2__sa *sa, const ikev2_header *h, const ikev2__message *msg,
                               ikev2_rc rc, uint64_t hash)
{
    if (h->flags & IKEV2_FLAG_RESPONSE)
        return rc;
    if (rc == IKEV2_ERR_CRITICAL) {
        sa->e->counters.critical++;
        if (sa->announced)
            return ikev2__respond_error(sa, h->exchange, IKEV2__N_UNSUPPORTED_CRITICAL_PAYLOAD,
                                        &msg->critical, 1, hash);
        return ikev2__fatal_error(sa, h->exchange, IKEV2__N_UNSUPPORTED_CRITICAL_PAYLOAD,
                                  &msg->critical, 1, hash, IKEV2_REASON_CRITICAL);
    }
    return ikev2__fatal_error(sa, h->exchange, IKEV2__N_INVALID_SYNTAX, NULL, 0, hash,
                              IKEV2_REASON_SYNTAX);
}

/* A next request proves that the peer has our last response: its new SAs can be used. */
static void peer_has_answer(ikev2__sa *sa)
{
    for (ikev2__child *c = sa->children; c; c = c->next)
        if (c->state == IKEV2__CHILD_IN_ONLY)
            ikev2__child_start(c);
}

static ikev2_rc protected_input(ikev2__sa *sa, const ikev2_path *path, const ikev2_header *h,
                                const uint8_t *buf, size_t len)
{
    const bool response = h->flags & IKEV2_FLAG_RESPONSE;
    /* RFC 7296 2.3 */
    if (!response && h->message_id + 1 == sa->next_recv && sa->next_recv > 0)
        return repeated(sa, buf, len);
    if (response ? !sa->request.bytes || h->message_id + 1 != sa->next_send
                 : h->message_id != sa->next_recv)
        return IKEV2_ERR_MESSAGE_ID;
    if (!response && sa->state == IKEV2__STATE_ASKING)
        return IKEV2_OK; /* the same request again: the answer is on its way */
    if (!ikev2__exchange_allowed(h->exchange, response, sa->state))
        return IKEV2_ERR_EXCHANGE;

    const uint8_t *plain = NULL;
    size_t plain_len = 0;
    uint8_t first = 0;
    uint64_t hash = 0;
    ikev2__message msg;
    ikev2_rc rc = ikev2__unprotect(sa, h, buf, len, &plain, &plain_len, &first, &hash);
    if (rc != IKEV2_YES)
        return rc;
    const uint64_t id = sa->id;
    ikev2_engine *e = sa->e;
    rc = ikev2__message_parse(plain, plain_len, first, &msg);
    if (rc >= 0)
        rc = ikev2__exchange_check(h->exchange, response, sa->state, &msg);
    if (rc >= 0) {
        if (!response) {
            ikev2__sa_move_path(sa, path);
            ikev2__rekey_settle(sa, h->exchange, &msg);
            peer_has_answer(sa);
        }
        ikev2__sa_heard(sa);
        rc = response ? handle_response(sa, h, &msg, plain, plain_len, first)
                      : handle_request(sa, h, &msg, plain, plain_len, first, hash);
    } else {
        rc = refuse_message(sa, h, &msg, rc, hash);
    }
    sa = ikev2__sa_by_id(e, id);
    if (sa)
        ikev2__sa_pump(sa);
    return rc;
}

static ikev2_rc dispatch(ikev2_engine *e, const ikev2_path *path, const ikev2_header *h,
                         const uint8_t *buf, size_t len)
{
    const bool from_initiator = h->flags & IKEV2_FLAG_INITIATOR;
    const bool response = h->flags & IKEV2_FLAG_RESPONSE;
    if (h->exchange == IKEV2_EXCHANGE_IKE_SA_INIT && !response)
        return from_initiator && h->message_id == 0 && h->spi_r == 0 && h->spi_i != 0
                   ? ikev2__init_request(e, path, h, buf, len)
                   : IKEV2_ERR_EXCHANGE;
    ikev2__sa *sa = ikev2__sa_by_spi(e, from_initiator ? h->spi_r : h->spi_i);
    /* Who says that it is the initiator must be; so our own messages do not come back to us. */
    if (!sa || sa->initiator == from_initiator)
        return IKEV2_ERR_UNKNOWN_SPI;
    if (h->exchange == IKEV2_EXCHANGE_IKE_SA_INIT) {
        if (sa->state != IKEV2__STATE_INIT_SENT || h->message_id != 0)
            return IKEV2_ERR_EXCHANGE;
        const uint64_t id = sa->id;
        const ikev2_rc rc = ikev2__init_response(sa, path, h, buf, len);
        sa = ikev2__sa_by_id(e, id);
        if (sa)
            ikev2__sa_pump(sa);
        return rc;
    }
    if (sa->spi_i != h->spi_i || sa->spi_r != h->spi_r)
        return IKEV2_ERR_UNKNOWN_SPI;
    return protected_input(sa, path, h, buf, len);
}

static void count(ikev2_counters *c, ikev2_rc rc)
{
    switch (rc) {
    case IKEV2_ERR_TRUNCATED:
    case IKEV2_ERR_LENGTH:
    case IKEV2_ERR_SYNTAX:
    case IKEV2_ERR_PAYLOADS:
        c->bad_syntax++;
        break;
    case IKEV2_ERR_VERSION:
        c->bad_version++;
        break;
    case IKEV2_ERR_CRITICAL:
        c->critical++;
        break;
    case IKEV2_ERR_UNKNOWN_SPI:
        c->unknown_spi++;
        break;
    case IKEV2_ERR_MESSAGE_ID:
        c->message_id++;
        break;
    case IKEV2_ERR_INTEGRITY:
        c->integrity++;
        break;
    case IKEV2_ERR_EXCHANGE:
        c->exchange++;
        break;
    case IKEV2_ERR_COOKIE:
        c->cookies++;
        break;
    case IKEV2_ERR_FRAGMENT:
        c->fragments++;
        break;
    case IKEV2_ERR_PROPOSAL:
    case IKEV2_ERR_KEY:
        c->refused++;
        break;
    case IKEV2_ERR_LIMIT:
    case IKEV2_ERR_NOMEM:
        c->limited++;
        break;
    default:
        break;
    }
}

static bool endpoint_ok(const ikev2_addr *a)
{
    return a->family == IKEV2_FAMILY_IPV4 || a->family == IKEV2_FAMILY_IPV6;
}

ikev2_rc ikev2_engine_input(ikev2_engine *e, uint64_t now_ms, const ikev2_path *path,
                            const uint8_t *buf, size_t len)
{
    static const uint8_t marker[IKEV2__MARKER_BYTES] = {0};
    ikev2_header h;
    if (!e || !path || (!buf && len > 0) || !endpoint_ok(&path->local) || !endpoint_ok(&path->peer))
        return IKEV2_ERR_ARG;
    ikev2_rc rc = ikev2__enter(e, now_ms, true);
    if (rc < 0)
        return rc;
    e->counters.received++;
    if (ikev2__uses_marker(e, path)) {
        if (len == 1 && buf[0] == KEEPALIVE)
            return IKEV2_OK;
        rc = len < sizeof(marker)                       ? IKEV2_ERR_TRUNCATED
             : memcmp(buf, marker, sizeof(marker)) != 0 ? IKEV2_ERR_SYNTAX
                                                        : IKEV2_OK;
        if (rc == IKEV2_OK) {
            buf += sizeof(marker);
            len -= sizeof(marker);
        }
    } else if (len == 0) {
        rc = IKEV2_ERR_TRUNCATED;
    }
    if (rc == IKEV2_OK && len > e->cfg.max_message_bytes)
        rc = IKEV2_ERR_LIMIT;
    if (rc == IKEV2_OK)
        rc = ikev2_header_decode(buf, len, &h);
    if (rc == IKEV2_ERR_VERSION && h.version >> 4 > 2 && !(h.flags & IKEV2_FLAG_RESPONSE))
        /* RFC 7296 2.5 */
        ikev2__send_reply(e, path, &h, IKEV2__N_INVALID_MAJOR_VERSION, NULL, 0);
    if (rc == IKEV2_OK)
        rc = dispatch(e, path, &h, buf, len);
    count(&e->counters, rc);
    return rc;
}

ikev2_rc ikev2_engine_timeout(ikev2_engine *e, uint64_t now_ms)
{
    if (!e)
        return IKEV2_ERR_ARG;
    (void)ikev2__enter(e, now_ms, false);
    for (uint32_t work = 0;; work++) {
        heap_node *first = heap_first(&e->timers);
        if (!first || first->deadline > e->now_ms)
            return IKEV2_OK;
        if (work == e->cfg.max_work || ring_free(&e->events) < e->event_reserve)
            return IKEV2_YES;
        ikev2__sa_timeout(CONTAINER_OF(first, ikev2__sa, timer));
    }
}

uint64_t ikev2_engine_deadline(const ikev2_engine *e)
{
    const heap_node *first = e ? heap_first(&e->timers) : NULL;
    return first ? first->deadline : IKEV2_NEVER;
}

ikev2_rc ikev2_engine_poll_event(ikev2_engine *e, ikev2_event *ev)
{
    if (!e || !ev)
        return IKEV2_ERR_ARG;
    if (!ring_pop(&e->events, ev))
        return IKEV2_OK;
    e->events_polled++;
    return IKEV2_YES;
}

/* Copies one datagram out; YES, OK (it did not fit) or ERR_BUFFER. */
static ikev2_rc write_out(ikev2_engine *e, const ikev2_path *path, uint64_t sa_id,
                          const uint8_t *bytes, size_t len, bool marker, uint8_t *buf, size_t cap,
                          ikev2_output *out)
{
    const size_t head = marker ? IKEV2__MARKER_BYTES : 0;
    if (head + len > cap) {
        out->len = head + len;
        return IKEV2_ERR_BUFFER;
    }
    memset(buf, 0, head);
    memcpy(buf + head, bytes, len);
    *out = (ikev2_output){.path = *path, .sa_id = sa_id, .len = head + len};
    e->counters.sent++;
    return IKEV2_YES;
}

static ikev2_rc flight_out(ikev2__sa *sa, ikev2__flight *f, uint8_t *buf, size_t cap,
                           ikev2_output *out)
{
    if (f->cursor >= f->len)
        return IKEV2_OK;
    wire_reader r = wire_reader_make(f->bytes + f->cursor, f->len - f->cursor);
    const uint16_t len = wire_get_u16(&r);
    const uint8_t *bytes = wire_get_bytes(&r, len);
    const ikev2_rc rc = write_out(sa->e, &sa->path, sa->id, bytes, len,
                                  ikev2__uses_marker(sa->e, &sa->path), buf, cap, out);
    if (rc == IKEV2_YES)
        f->cursor += sizeof(len) + len;
    return rc;
}

static ikev2_rc sa_out(ikev2__sa *sa, uint8_t *buf, size_t cap, ikev2_output *out)
{
    static const uint8_t keepalive = KEEPALIVE;
    ikev2_rc rc = flight_out(sa, &sa->response, buf, cap, out);
    if (rc == IKEV2_OK)
        rc = flight_out(sa, &sa->request, buf, cap, out);
    if (rc == IKEV2_OK && sa->want_keepalive) {
        rc = write_out(sa->e, &sa->path, sa->id, &keepalive, 1, false, buf, cap, out);
        if (rc == IKEV2_YES)
            sa->want_keepalive = false;
    }
    return rc;
}

ikev2_rc ikev2_engine_poll_output(ikev2_engine *e, uint64_t now_ms, uint8_t *buf, size_t cap,
                                  ikev2_output *out)
{
    if (!e || !out || (!buf && cap > 0))
        return IKEV2_ERR_ARG;
    (void)ikev2__enter(e, now_ms, false);
    if (e->replies.count > 0) {
        const ikev2__reply *r =
            (const ikev2__reply *)(const void *)(e->replies.items +
                                                 e->replies.head * e->replies.item_size);
        const ikev2_rc rc = write_out(e, &r->path, 0, r->bytes, r->len,
                                      ikev2__uses_marker(e, &r->path), buf, cap, out);
        ikev2__reply sent;
        if (rc == IKEV2_YES)
            (void)ring_pop(&e->replies, &sent);
        return rc;
    }
    while (e->out_head) {
        ikev2__sa *sa = e->out_head;
        const ikev2_rc rc = sa_out(sa, buf, cap, out);
        if (rc != IKEV2_OK)
            return rc;
        ikev2__sa_unqueue(sa);
    }
    return IKEV2_OK;
}
