/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Getters.
 */
#include "engine.h"

static uint8_t sa_state(const ikev2__sa *sa)
{
    switch (sa->state) {
    case IKEV2__STATE_ESTABLISHED:
        return IKEV2_SA_ESTABLISHED;
    case IKEV2__STATE_REPLACED:
    case IKEV2__STATE_DELETING:
        return IKEV2_SA_CLOSING;
    case IKEV2__STATE_CLOSED:
        return IKEV2_SA_DEAD;
    default:
        return IKEV2_SA_CONNECTING;
    }
}

ikev2_rc ikev2_engine_get_sa(const ikev2_engine *e, uint64_t sa_id, ikev2_sa_info *out)
{
    if (!e || !out)
        return IKEV2_ERR_ARG;
    const ikev2__sa *sa = ikev2__sa_by_id(e, sa_id);
    if (!sa)
        return IKEV2_ERR_ABSENT;
    const ikev2__context *ctx = sa->ctx;
    ikev2_sa_info info = {.struct_size = sizeof(info)};
    info.state = sa_state(sa);
    info.initiator = sa->initiator;
    info.nat_local = sa->nat_local;
    info.nat_peer = sa->nat_peer;
    info.id = sa->id;
    info.spi_i = sa->spi_i;
    info.spi_r = sa->spi_r;
    info.path = sa->path;
    info.peer_id = ctx->peer_id;
    info.asked_id = ctx->asked_id;
    info.assigned_address = ctx->assigned;
    info.encr = sa->suite.encr;
    info.key_bits = sa->suite.key_bits;
    info.integ = sa->suite.integ;
    info.prf = sa->suite.prf;
    info.group = sa->suite.group;
    info.child_count = sa->child_count;
    if (ctx->peer) {
        info.user = ctx->peer->pub.user;
        info.profile_id = ctx->peer->profile_id;
        info.local_id = ctx->peer->pub.local_id;
    }
    return versioned_write(out, &info, sizeof(info), sizeof(info)) ? IKEV2_OK : IKEV2_ERR_ARG;
}

static uint8_t child_state(const ikev2__child *c)
{
    switch (c->state) {
    case IKEV2__CHILD_IN_ONLY:
        return IKEV2_CHILD_INSTALLED;
    case IKEV2__CHILD_UP:
        return c->announced ? IKEV2_CHILD_ESTABLISHED : IKEV2_CHILD_CLOSING;
    case IKEV2__CHILD_REPLACED:
    case IKEV2__CHILD_DELETING:
        return IKEV2_CHILD_CLOSING;
    case IKEV2__CHILD_DEAD:
        return IKEV2_CHILD_DEAD;
    default:
        return IKEV2_CHILD_CONNECTING;
    }
}

ikev2_rc ikev2_engine_get_child(const ikev2_engine *e, uint64_t child_id, ikev2_child_info *out)
{
    if (!e || !out)
        return IKEV2_ERR_ARG;
    const ikev2__child *c = ikev2__child_by_id(e, child_id);
    if (!c)
        return IKEV2_ERR_ABSENT;
    const ikev2__sa *sa = c->sa;
    ikev2_child_info info = {.struct_size = sizeof(info)};
    ikev2__cipher cipher = {0};
    info.state = child_state(c);
    info.mode = c->mode;
    info.esn = (uint8_t)c->suite.esn;
    info.encapsulated = sa->encapsulated;
    info.id = c->id;
    info.sa_id = sa->id;
    info.replaces = c->replaces;
    info.user = sa->ctx->peer ? sa->ctx->peer->pub.user : 0;
    info.path = sa->path;
    info.spi_in = c->spi_in;
    info.spi_out = c->spi_out;
    info.encr = c->suite.encr;
    info.key_bits = c->suite.key_bits;
    info.integ = c->suite.integ;
    info.group = c->suite.group;
    const bool keyed = c->state != IKEV2__CHILD_DEAD &&
                       ikev2__cipher_get(c->suite.encr, c->suite.key_bits, c->suite.integ, &cipher);
    if (keyed) {
        info.key_in = c->key_in;
        info.key_out = c->key_out;
        info.key_in_len = info.key_out_len = cipher.key_bytes;
        info.integ_key_in_len = info.integ_key_out_len = cipher.integ_bytes;
    }
    if (keyed && cipher.integ_bytes > 0) {
        info.integ_key_in = c->integ_in;
        info.integ_key_out = c->integ_out;
    }
    if (c->ts) {
        info.local_ts = c->ts;
        info.local_ts_count = c->local_count;
        info.peer_ts = c->ts + c->local_count;
        info.peer_ts_count = c->peer_count;
    }
    return versioned_write(out, &info, sizeof(info), sizeof(info)) ? IKEV2_OK : IKEV2_ERR_ARG;
}

ikev2_rc ikev2_engine_next_child(const ikev2_engine *e, uint64_t sa_id, uint64_t *child_id)
{
    if (!e || !child_id)
        return IKEV2_ERR_ARG;
    const ikev2__sa *sa = ikev2__sa_by_id(e, sa_id);
    if (!sa)
        return IKEV2_ERR_ABSENT;
    const ikev2__child *c = sa->children;
    if (*child_id != 0) {
        while (c && c->id != *child_id)
            c = c->next;
        if (!c)
            return IKEV2_ERR_ABSENT;
        c = c->next;
    }
    while (c && c->state == IKEV2__CHILD_DEAD)
        c = c->next;
    if (!c)
        return IKEV2_OK;
    *child_id = c->id;
    return IKEV2_YES;
}

ikev2_rc ikev2_engine_get_routes(const ikev2_engine *e, uint64_t sa_id, const ikev2_addr **routes,
                                 size_t *count)
{
    if (!e || !routes || !count)
        return IKEV2_ERR_ARG;
    const ikev2__sa *sa = ikev2__sa_by_id(e, sa_id);
    if (!sa)
        return IKEV2_ERR_ABSENT;
    *routes = sa->ctx->routes;
    *count = sa->ctx->route_count;
    return IKEV2_OK;
}

ikev2_rc ikev2_engine_get_counters(const ikev2_engine *e, ikev2_counters *out)
{
    if (!e || !out)
        return IKEV2_ERR_ARG;
    ikev2_counters c = e->counters;
    c.struct_size = sizeof(c);
    return versioned_write(out, &c, sizeof(c), sizeof(c)) ? IKEV2_OK : IKEV2_ERR_ARG;
}
