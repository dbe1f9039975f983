/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * IKE_SA_INIT (RFC 7296 1.2), both roles, with cookies and other groups.
 */
#include "engine.h"

enum { COOKIE_BYTES = 33 };

bool ikev2__nonce_ok(const ikev2_payload *nonce)
{
    return nonce->len >= IKEV2__MIN_NONCE && nonce->len <= IKEV2__MAX_NONCE;
}

static bool keep_bytes(ikev2_engine *e, ikev2__bytes *to, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = alloc_zero(&e->mem, len);
    if (!copy)
        return false;
    memcpy(copy, bytes, len);
    alloc_free(&e->mem, to->bytes);
    *to = (ikev2__bytes){copy, len};
    return true;
}

static ikev2__part nonce_part(const uint8_t *bytes, size_t len)
{
    return (ikev2__part){bytes, len};
}

static void put_header(ikev2_engine *e, uint64_t spi_i, uint64_t spi_r, uint8_t flags,
                       const ikev2__builder *b)
{
    const ikev2_header h = {.spi_i = spi_i,
                            .spi_r = spi_r,
                            .next_payload = b->first,
                            .version = IKEV2__VERSION,
                            .exchange = IKEV2_EXCHANGE_IKE_SA_INIT,
                            .flags = flags,
                            .length = (uint32_t)(IKEV2_HEADER_BYTES + b->w.len)};
    wire_writer w = wire_writer_make(e->plain, IKEV2_HEADER_BYTES);
    ikev2__header_put(&w, &h);
}

static ikev2__builder init_builder(ikev2_engine *e)
{
    return ikev2__builder_make(e->plain + IKEV2_HEADER_BYTES,
                               e->cfg.max_message_bytes - IKEV2_HEADER_BYTES);
}

/* Writes the request anew from the handshake's group, nonce and cookie. */
ikev2_rc ikev2__init_build(ikev2__sa *sa)
{
    ikev2_engine *e = sa->e;
    ikev2__handshake *hs = sa->hs;
    const ikev2_peer *peer = &sa->ctx->peer->pub;
    uint8_t priv[IKEV2__MAX_PRIVATE] = {0};
    uint8_t pub[IKEV2__MAX_PUBLIC];
    const ikev2__offer offer = {.transforms = peer->ike_transforms,
                                .count = peer->ike_transform_count,
                                .protocol = IKEV2_PROTOCOL_ID_IKE,
                                .with_group = true};
    /* With a cookie the key stays: an answer to what was sent before must fit, too. */
    const bool keeps_key = hs->pub_group == hs->group;
    if (keeps_key)
        memcpy(pub, hs->pub, sizeof(pub));
    else if (!ikev2__dh_generate(e->crypto, hs->group, &e->random, priv, pub))
        return IKEV2_ERR_CRYPTO;
    ikev2__builder b = init_builder(e);
    /* RFC 7296 2.6: the cookie comes first, all other payloads unchanged. */
    if (hs->cookie_len > 0)
        ikev2__put_notify(&b, 0, NULL, 0, IKEV2__N_COOKIE, hs->cookie, hs->cookie_len);
    ikev2__put_offer(&b, &offer);
    ikev2__put_ke(&b, hs->group, pub, ikev2__group_public_bytes(hs->group));
    ikev2__put_bytes(&b, IKEV2_PAYLOAD_NONCE, hs->ni, hs->ni_len);
    ikev2__put_nat_detection(&b, e, sa->spi_i, 0, &sa->path);
    if (e->cfg.fragment_bytes > 0)
        ikev2__put_status(&b, IKEV2__N_FRAGMENTATION_SUPPORTED);
    if (peer->credentials)
        ikev2__put_hashes(&b);
    ikev2_rc rc = wire_fits(&b.w) ? IKEV2_OK : IKEV2_ERR_LIMIT;
    ikev2__flight flight = {0};
    put_header(e, sa->spi_i, 0, IKEV2_FLAG_INITIATOR, &b);
    const size_t len = IKEV2_HEADER_BYTES + b.w.len;
    if (rc == IKEV2_OK)
        rc = ikev2__flight_plain(e, e->plain, len, &flight);
    if (rc == IKEV2_OK && !keep_bytes(e, &hs->init_request, e->plain, len)) {
        ikev2__flight_free(e, &flight);
        rc = IKEV2_ERR_NOMEM;
    }
    if (rc == IKEV2_OK && !keeps_key) {
        memcpy(hs->priv, priv, sizeof(priv));
        memcpy(hs->pub, pub, sizeof(pub));
        hs->pub_group = hs->group;
    }
    sodium_memzero(priv, sizeof(priv));
    if (rc == IKEV2_OK) {
        ikev2__flight_free(e, &sa->request);
        sa->request = flight;
        sa->tries = 0;
        sa->next_send = 1;
        ikev2__sa_set_timer(sa, IKEV2__T_RETRANSMIT, e->now_ms + e->cfg.retransmit_ms);
        ikev2__queue(sa);
    }
    return rc;
}

/* ---- Responder ---- */

static uint64_t hash_init(const ikev2_engine *e, const ikev2_path *path, uint64_t spi_i)
{
    uint8_t key[8 + 16 + 2 + 4];
    wire_writer w = wire_writer_make(key, sizeof(key));
    wire_put_u64(&w, spi_i);
    wire_put_bytes(&w, path->peer.bytes, 16);
    wire_put_u16(&w, path->peer.port);
    wire_put_u32(&w, path->peer.scope);
    return drbg_hash(e->hash_key, key, sizeof(key));
}

/* The same request again gets the same answer, and makes no second SA (RFC 7296 2.1). */
static bool repeat_answer(ikev2_engine *e, uint64_t key, uint64_t message)
{
    for (map_node *n = map_first(&e->sas_by_init, key); n; n = map_next(n)) {
        ikev2__sa *sa = CONTAINER_OF(n, ikev2__sa, by_init);
        if (sa->init_hash != message)
            continue;
        e->counters.repeated++;
        if (sa->state == IKEV2__STATE_HALF_OPEN) {
            sa->response.cursor = 0;
            ikev2__queue(sa);
        }
        return true;
    }
    return false;
}

/* What a refused request is told; events of strangers leave half of the ring to others. */
static ikev2_rc refuse(ikev2_engine *e, const ikev2_path *path, const ikev2_header *h,
                       uint16_t notify, const uint8_t *data, size_t len, ikev2_rc rc)
{
    if (notify)
        ikev2__send_reply(e, path, h, notify, data, len);
    if (ring_free(&e->events) > e->events.cap / 2) {
        ikev2_event ev = {.kind = IKEV2_EVENT_REFUSED,
                          .reason = rc == IKEV2_ERR_KEY || notify == IKEV2__N_INVALID_KE_PAYLOAD
                                        ? IKEV2_REASON_KEY_EXCHANGE
                                        : IKEV2_REASON_NO_PROPOSAL};
        ikev2__emit(e, &ev, NULL, NULL);
    }
    return rc;
}

/* Before any state: cookie, proposal, group (RFC 7296 2.6, 2.7, 1.2). */
static ikev2_rc admit(ikev2_engine *e, const ikev2_path *path, const ikev2_header *h,
                      const ikev2__message *msg, ikev2__choice *choice, ikev2_tagged *ke)
{
    const ikev2_payload *nonce = ikev2__message_get(msg, IKEV2_PAYLOAD_NONCE);
    const ikev2_payload *sa = ikev2__message_get(msg, IKEV2_PAYLOAD_SA);
    const ikev2_payload *kep = ikev2__message_get(msg, IKEV2_PAYLOAD_KE);
    ikev2_notify n;
    uint8_t cookie[COOKIE_BYTES];
    if (!ikev2__nonce_ok(nonce))
        return IKEV2_ERR_SYNTAX;
    if (e->counters.half_open >= e->cfg.cookie_threshold &&
        !(ikev2__message_notify(msg, IKEV2__N_COOKIE, &n) &&
          ikev2__cookie_valid(e, path, h->spi_i, nonce, &n))) {
        ikev2__cookie_make(e, path, h->spi_i, nonce, cookie);
        ikev2__send_reply(e, path, h, IKEV2__N_COOKIE, cookie, sizeof(cookie));
        return IKEV2_ERR_COOKIE;
    }
    const ikev2__offer offer = {.transforms = e->cfg.ike_transforms,
                                .count = e->cfg.ike_transform_count,
                                .protocol = IKEV2_PROTOCOL_ID_IKE,
                                .with_group = true};
    ikev2_rc rc = ikev2__choose(&offer, sa, false, choice);
    if (rc == IKEV2_ERR_PROPOSAL)
        return refuse(e, path, h, IKEV2__N_NO_PROPOSAL_CHOSEN, NULL, 0, rc);
    if (rc < 0)
        return rc;
    rc = ikev2_ke_decode(kep->body, kep->len, ke);
    if (rc < 0)
        return rc;
    if (ke->tag != choice->suite.group) {
        uint8_t group[2];
        wire_set_u16(group, choice->suite.group);
        return refuse(e, path, h, IKEV2__N_INVALID_KE_PAYLOAD, group, sizeof(group),
                      IKEV2_ERR_PROPOSAL);
    }
    return ke->len == ikev2__group_public_bytes(ke->tag)
               ? IKEV2_OK
               : refuse(e, path, h, 0, NULL, 0, IKEV2_ERR_KEY);
}

static ikev2_rc answer_init(ikev2__sa *sa, const ikev2__choice *choice, const uint8_t *pub)
{
    ikev2_engine *e = sa->e;
    ikev2__handshake *hs = sa->hs;
    const ikev2__offer offer = {.protocol = IKEV2_PROTOCOL_ID_IKE};
    ikev2__builder b = init_builder(e);
    ikev2__put_choice(&b, &offer, choice);
    ikev2__put_ke(&b, choice->suite.group, pub, ikev2__group_public_bytes(choice->suite.group));
    ikev2__put_bytes(&b, IKEV2_PAYLOAD_NONCE, hs->nr, hs->nr_len);
    ikev2__put_nat_detection(&b, e, sa->spi_i, sa->spi_r, &sa->path);
    if (sa->peer_fragments)
        ikev2__put_status(&b, IKEV2__N_FRAGMENTATION_SUPPORTED);
    if (hs->peer_hashes)
        ikev2__put_hashes(&b);
    /* Which profile it will be is not known yet. */
    if (e->judging_profiles > 0)
        ikev2__put_cert_request(&b, e->ca_hashes[0], e->ca_count);
    if (!wire_fits(&b.w))
        return IKEV2_ERR_LIMIT;
    put_header(e, sa->spi_i, sa->spi_r, IKEV2_FLAG_RESPONSE, &b);
    const size_t len = IKEV2_HEADER_BYTES + b.w.len;
    if (!keep_bytes(e, &hs->init_response, e->plain, len))
        return IKEV2_ERR_NOMEM;
    return ikev2__flight_plain(e, e->plain, len, &sa->response);
}

/* Keys and the answer of a new SA; the caller frees it when this fails. */
static ikev2_rc begin_responder(ikev2__sa *sa, const ikev2__message *msg,
                                const ikev2__choice *choice, const ikev2_tagged *ke,
                                const uint8_t *buf, size_t len)
{
    ikev2_engine *e = sa->e;
    const ikev2_payload *nonce = ikev2__message_get(msg, IKEV2_PAYLOAD_NONCE);
    ikev2_notify n;
    uint8_t priv[IKEV2__MAX_PRIVATE] = {0};
    uint8_t pub[IKEV2__MAX_PUBLIC];
    uint8_t secret[IKEV2__MAX_PUBLIC];
    sa->hs = alloc_zero(&e->mem, sizeof(*sa->hs));
    if (!sa->hs || !keep_bytes(e, &sa->hs->init_request, buf, len))
        return IKEV2_ERR_NOMEM;
    ikev2__handshake *hs = sa->hs;
    memcpy(hs->ni, nonce->body, nonce->len);
    hs->ni_len = nonce->len;
    hs->nr_len = IKEV2__NONCE_BYTES;
    drbg_get(&e->random, hs->nr, hs->nr_len);
    sa->suite = choice->suite;
    sa->next_recv = 1;
    sa->peer_fragments = e->cfg.fragment_bytes > 0 &&
                         ikev2__message_notify(msg, IKEV2__N_FRAGMENTATION_SUPPORTED, &n);
    ikev2__note_hashes(sa, msg);
    ikev2__check_nat(sa, msg, sa->spi_i, 0, &sa->path);

    ikev2_rc rc = IKEV2_ERR_CRYPTO;
    if (ikev2__dh_generate(e->crypto, sa->suite.group, &e->random, priv, pub))
        rc = ikev2__dh_shared(e->crypto, sa->suite.group, priv, ke->bytes, ke->len, secret);
    if (rc == IKEV2_OK) {
        const ikev2__part ni = nonce_part(hs->ni, hs->ni_len);
        const ikev2__part nr = nonce_part(hs->nr, hs->nr_len);
        rc = ikev2__derive_ike(sa, &ni, &nr, secret, NULL);
    }
    sodium_memzero(priv, sizeof(priv));
    sodium_memzero(secret, sizeof(secret));
    return rc == IKEV2_OK ? answer_init(sa, choice, pub) : rc;
}

ikev2_rc ikev2__init_request(ikev2_engine *e, const ikev2_path *path, const ikev2_header *h,
                             const uint8_t *buf, size_t len)
{
    const uint64_t key = hash_init(e, path, h->spi_i);
    const uint64_t message = drbg_hash(e->hash_key, buf, len);
    if (repeat_answer(e, key, message))
        return IKEV2_OK;
    if (e->counters.half_open >= e->cfg.max_half_open || e->counters.sas >= e->cfg.max_sas)
        return IKEV2_ERR_LIMIT;

    ikev2__message msg;
    ikev2__choice choice;
    ikev2_tagged ke;
    ikev2_rc rc = ikev2__message_parse(buf + IKEV2_HEADER_BYTES, len - IKEV2_HEADER_BYTES,
                                       h->next_payload, &msg);
    if (rc == IKEV2_ERR_CRITICAL)
        ikev2__send_reply(e, path, h, IKEV2__N_UNSUPPORTED_CRITICAL_PAYLOAD, &msg.critical, 1);
    if (rc == IKEV2_OK)
        rc = ikev2__exchange_check(h->exchange, false, IKEV2__STATE_NEW, &msg);
    if (rc == IKEV2_OK)
        rc = admit(e, path, h, &msg, &choice, &ke);
    if (rc < 0)
        return rc;

    ikev2__context *ctx = ikev2__context_new(e);
    ikev2__sa *sa = ctx ? ikev2__sa_new(e, false, path, ctx) : NULL;
    ikev2__context_release(e, ctx); /* the SA has its own reference */
    if (!sa)
        return IKEV2_ERR_NOMEM;
    sa->spi_i = h->spi_i;
    sa->spi_r = ikev2__new_ike_spi(e);
    rc = begin_responder(sa, &msg, &choice, &ke, buf, len);
    if (rc < 0) {
        ikev2__sa_free(sa);
        return rc == IKEV2_ERR_KEY ? refuse(e, path, h, 0, NULL, 0, rc) : rc;
    }
    ikev2__sa_index_spi(sa);
    sa->init_hash = message;
    map_insert(&e->sas_by_init, &e->mem, &sa->by_init, key);
    sa->in_init = true;
    ikev2__sa_set_state(sa, IKEV2__STATE_HALF_OPEN);
    ikev2__sa_set_timer(sa, IKEV2__T_SETUP, e->now_ms + e->cfg.half_open_ms);
    ikev2__queue(sa);
    return IKEV2_OK;
}

/* ---- Initiator ---- */

static ikev2_rc give_up(ikev2__sa *sa, uint16_t reason, uint32_t detail)
{
    ikev2__refused(sa, NULL, reason, detail);
    ikev2__sa_close(sa, reason);
    return IKEV2_OK;
}

/* What it asks for has been sent, and is sent again by the timer. */
static ikev2_rc repeated_cookie(ikev2__sa *sa)
{
    sa->e->counters.repeated++;
    return IKEV2_OK;
}

/* RFC 7296 2.6, 1.2: the same once more with a cookie, or with the group that is wanted. */
static ikev2_rc retry_init(ikev2__sa *sa, const ikev2__message *msg)
{
    ikev2__handshake *hs = sa->hs;
    const ikev2_peer *peer = &sa->ctx->peer->pub;
    ikev2_notify n;
    if (ikev2__message_notify(msg, IKEV2__N_COOKIE, &n)) {
        if (n.len == hs->cookie_len && memcmp(n.data, hs->cookie, n.len) == 0)
            return repeated_cookie(sa);
        if (hs->retries >= IKEV2__INIT_RETRIES)
            return give_up(sa, IKEV2_REASON_NOTIFY, IKEV2__N_COOKIE);
        memcpy(hs->cookie, n.data, n.len);
        hs->cookie_len = n.len;
    } else if (ikev2__message_notify(msg, IKEV2__N_INVALID_KE_PAYLOAD, &n)) {
        const uint16_t group = (uint16_t)(n.data[0] << 8 | n.data[1]);
        /* A downgrade to a group that we did not offer, or to the one that we sent, is refused. */
        if (hs->retries >= IKEV2__INIT_RETRIES || group == hs->group ||
            !ikev2__has_transform(peer->ike_transforms, peer->ike_transform_count,
                                  IKEV2_TRANSFORM_GROUP, group))
            return give_up(sa, IKEV2_REASON_KEY_EXCHANGE, group);
        hs->group = group;
    } else {
        const uint16_t error = ikev2__message_error(msg);
        return error ? give_up(sa, ikev2__reason_of(error), error) : IKEV2_ERR_PAYLOADS;
    }
    hs->retries++;
    return ikev2__init_build(sa);
}

ikev2_rc ikev2__init_response(ikev2__sa *sa, const ikev2_path *path, const ikev2_header *h,
                              const uint8_t *buf, size_t len)
{
    ikev2_engine *e = sa->e;
    ikev2__handshake *hs = sa->hs;
    const ikev2_peer *peer = &sa->ctx->peer->pub;
    ikev2__message msg;
    ikev2__choice choice;
    ikev2_tagged ke;
    ikev2_notify n;
    ikev2_rc rc = ikev2__message_parse(buf + IKEV2_HEADER_BYTES, len - IKEV2_HEADER_BYTES,
                                       h->next_payload, &msg);
    if (rc == IKEV2_OK)
        rc = ikev2__exchange_check(h->exchange, true, sa->state, &msg);
    if (rc < 0)
        return rc;
    if (msg.form == IKEV2__FORM_ERROR)
        return retry_init(sa, &msg);

    const ikev2_payload *sap = ikev2__message_get(&msg, IKEV2_PAYLOAD_SA);
    const ikev2_payload *kep = ikev2__message_get(&msg, IKEV2_PAYLOAD_KE);
    const ikev2_payload *nonce = ikev2__message_get(&msg, IKEV2_PAYLOAD_NONCE);
    const ikev2__offer offer = {.transforms = peer->ike_transforms,
                                .count = peer->ike_transform_count,
                                .protocol = IKEV2_PROTOCOL_ID_IKE,
                                .with_group = true};
    if (h->spi_r == 0 || !ikev2__nonce_ok(nonce))
        return IKEV2_ERR_SYNTAX;
    rc = ikev2__choose(&offer, sap, true, &choice);
    if (rc == IKEV2_OK)
        rc = ikev2_ke_decode(kep->body, kep->len, &ke);
    if (rc < 0)
        return rc;
    if (choice.suite.group != hs->group || ke.tag != hs->group)
        return IKEV2_ERR_PROPOSAL;
    uint8_t secret[IKEV2__MAX_PUBLIC];
    rc = ikev2__dh_shared(e->crypto, hs->group, hs->priv, ke.bytes, ke.len, secret);
    if (rc < 0)
        return rc;
    if (!keep_bytes(e, &hs->init_response, buf, len)) {
        sodium_memzero(secret, sizeof(secret));
        return IKEV2_ERR_NOMEM;
    }
    memcpy(hs->nr, nonce->body, nonce->len);
    hs->nr_len = nonce->len;
    sa->suite = choice.suite;
    sa->spi_r = h->spi_r;
    const ikev2__part ni = nonce_part(hs->ni, hs->ni_len);
    const ikev2__part nr = nonce_part(hs->nr, hs->nr_len);
    rc = ikev2__derive_ike(sa, &ni, &nr, secret, NULL);
    sodium_memzero(secret, sizeof(secret));
    if (rc < 0)
        return give_up(sa, IKEV2_REASON_CRYPTO, 0);
    sa->peer_fragments = e->cfg.fragment_bytes > 0 &&
                         ikev2__message_notify(&msg, IKEV2__N_FRAGMENTATION_SUPPORTED, &n);
    ikev2__note_hashes(sa, &msg);
    ikev2__check_nat(sa, &msg, sa->spi_i, sa->spi_r, path);
    /* RFC 7296 2.23: all that follows goes to port 4500. */
    if (sa->encapsulated && !ikev2__uses_marker(e, &sa->path)) {
        sa->path.local.port = e->cfg.natt_port;
        sa->path.peer.port = e->cfg.natt_port;
        ikev2_event ev = {.kind = IKEV2_EVENT_PATH_CHANGED};
        ikev2__emit(e, &ev, sa, NULL);
    }
    ikev2__sa_request_done(sa);
    ikev2__sa_set_state(sa, IKEV2__STATE_KEYED);
    return IKEV2_OK;
}
