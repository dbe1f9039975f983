/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "state.h"

#include <internal/container.h>
#include <internal/versioned.h>

#define MAX_VRFS_DEFAULT       4096
#define MAX_ROUTES_DEFAULT     4000000
#define MAX_INTERFACES_DEFAULT 100000
#define MAX_READERS_DEFAULT    256
#define PIPE_TTL_DEFAULT       255
#define TC_MAX                 7

mplsvpn_rc mplsvpn_config_init(mplsvpn_config *cfg)
{
    if (!cfg)
        return MPLSVPN_ERR_ARG;
    *cfg = (mplsvpn_config){.struct_size = sizeof(*cfg),
                            .first_label = MPLSVPN_LABEL_FIRST,
                            .last_label = MPLSVPN_LABEL_LAST,
                            .max_labels = MPLSVPN_LABEL_LAST - MPLSVPN_LABEL_FIRST + 1,
                            .max_vrfs = MAX_VRFS_DEFAULT,
                            .max_routes = MAX_ROUTES_DEFAULT,
                            .max_interfaces = MAX_INTERFACES_DEFAULT,
                            .max_readers = MAX_READERS_DEFAULT,
                            .ttl_model = MPLSVPN_TTL_UNIFORM,
                            .pipe_ttl = PIPE_TTL_DEFAULT};
    return MPLSVPN_OK;
}

static bool config_is_good(const mplsvpn_config *c)
{
    for (size_t i = 0; i < sizeof(c->reserved); i++)
        if (c->reserved[i])
            return false;
    return c->first_label >= MPLSVPN_LABEL_FIRST && c->first_label <= c->last_label &&
           c->last_label <= MPLSVPN_LABEL_LAST && c->ttl_model <= MPLSVPN_TTL_SHORT_PIPE &&
           c->pipe_ttl > 0 && c->pipe_tc <= TC_MAX;
}

mplsvpn_rc mplsvpn_table_new(const mplsvpn_config *cfg, mplsvpn_table **out)
{
    if (!cfg || !out)
        return MPLSVPN_ERR_ARG;
    mplsvpn_config c;
    (void)mplsvpn_config_init(&c);
    if (!versioned_read(&c, sizeof(c), sizeof(c), cfg) || !config_is_good(&c))
        return MPLSVPN_ERR_ARG;
    const alloc memory = alloc_make(c.allocator.resize, c.allocator.user);
    mplsvpn_table *t = alloc_zero(&memory, sizeof(*t));
    if (!t)
        return MPLSVPN_ERR_NOMEM;
    t->memory = memory;
    t->cfg = c;
    mplsvpn__epoch_init(&t->epoch, &memory);
    if (!mplsvpn__lfib_init(t)) {
        alloc_free(&memory, t);
        return MPLSVPN_ERR_NOMEM;
    }
    *out = t;
    return MPLSVPN_OK;
}

void mplsvpn_table_free(mplsvpn_table *t)
{
    if (!t)
        return;
    while (t->epoch.readers)
        mplsvpn_reader_free(CONTAINER_OF(t->epoch.readers, mplsvpn_reader, epoch));
    mplsvpn__lfib_close(t);
    mplsvpn__vrf_close(t);
    mplsvpn__interface_close(t);
    mplsvpn__epoch_close(&t->epoch);
    const alloc memory = t->memory;
    alloc_free(&memory, t);
}

mplsvpn_rc mplsvpn_table_collect(mplsvpn_table *t)
{
    if (!t)
        return MPLSVPN_ERR_ARG;
    const bool blocks = mplsvpn__epoch_collect(&t->epoch);
    const bool entries = mplsvpn__lfib_collect(t);
    return blocks && entries ? MPLSVPN_OK : MPLSVPN_YES;
}

mplsvpn_rc mplsvpn_table_get_usage(const mplsvpn_table *t, mplsvpn_usage *out)
{
    if (!t || !out)
        return MPLSVPN_ERR_ARG;
    const mplsvpn_usage u = {.struct_size = sizeof(u),
                             .labels = t->lfib.taken,
                             .draining = t->lfib.draining,
                             .vrfs = (uint32_t)t->vrfs.count,
                             .routes = t->routes,
                             .interfaces = (uint32_t)t->interfaces.count,
                             .readers = t->readers,
                             .pending = (uint32_t)t->epoch.pending + t->lfib.retired_count};
    return versioned_write(out, &u, sizeof(u), sizeof(u)) ? MPLSVPN_OK : MPLSVPN_ERR_ARG;
}

/* ---- Readers. ---- */

mplsvpn_rc mplsvpn_reader_new(mplsvpn_table *t, mplsvpn_reader **out)
{
    if (!t || !out)
        return MPLSVPN_ERR_ARG;
    if (t->readers >= t->cfg.max_readers)
        return MPLSVPN_ERR_LIMIT;
    mplsvpn_reader *r = alloc_zero(&t->memory, sizeof(*r));
    if (!r)
        return MPLSVPN_ERR_NOMEM;
    r->table = t;
    mplsvpn__epoch_join(&t->epoch, &r->epoch);
    t->readers++;
    *out = r;
    return MPLSVPN_OK;
}

void mplsvpn_reader_free(mplsvpn_reader *r)
{
    if (!r)
        return;
    mplsvpn_table *t = r->table;
    mplsvpn__epoch_leave(&t->epoch, &r->epoch);
    t->readers--;
    alloc_free(&t->memory, r);
}

mplsvpn_rc mplsvpn_reader_quiesce(mplsvpn_reader *r)
{
    if (!r)
        return MPLSVPN_ERR_ARG;
    mplsvpn__epoch_quiesce(&r->table->epoch, &r->epoch);
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_reader_idle(mplsvpn_reader *r)
{
    if (!r)
        return MPLSVPN_ERR_ARG;
    mplsvpn__epoch_idle(&r->epoch);
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn__count(mplsvpn_reader *r, mplsvpn_rc rc)
{
    if (rc <= DROP_FIRST && rc >= DROP_LAST)
        counter_add(&r->counters.drops[DROP_FIRST - rc]);
    else if (rc == MPLSVPN_ERR_BUFFER)
        counter_add(&r->counters.no_headroom);
    return rc;
}

static uint64_t read_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static uint64_t drops(const mplsvpn_reader *r, mplsvpn_rc rc)
{
    return read_counter(&r->counters.drops[DROP_FIRST - rc]);
}

mplsvpn_rc mplsvpn_reader_get_counters(const mplsvpn_reader *r, mplsvpn_counters *out)
{
    if (!r || !out)
        return MPLSVPN_ERR_ARG;
    const mplsvpn_counters c = {.struct_size = sizeof(c),
                                .ip_packets = read_counter(&r->counters.ip_packets),
                                .labeled_packets = read_counter(&r->counters.labeled_packets),
                                .pushed_packets = read_counter(&r->counters.pushed_packets),
                                .drop_truncated = drops(r, MPLSVPN_ERR_TRUNCATED),
                                .drop_checksum = drops(r, MPLSVPN_ERR_CHECKSUM),
                                .drop_version = drops(r, MPLSVPN_ERR_VERSION),
                                .drop_malformed = drops(r, MPLSVPN_ERR_MALFORMED),
                                .drop_ttl = drops(r, MPLSVPN_ERR_TTL),
                                .drop_no_bottom = drops(r, MPLSVPN_ERR_NO_BOTTOM),
                                .drop_depth = drops(r, MPLSVPN_ERR_DEPTH),
                                .drop_reserved = drops(r, MPLSVPN_ERR_RESERVED),
                                .drop_no_label = drops(r, MPLSVPN_ERR_NO_LABEL),
                                .drop_draining = drops(r, MPLSVPN_ERR_DRAINING),
                                .drop_not_allowed = drops(r, MPLSVPN_ERR_NOT_ALLOWED),
                                .drop_no_route = drops(r, MPLSVPN_ERR_NO_ROUTE),
                                .drop_discard = drops(r, MPLSVPN_ERR_DISCARD),
                                .drop_no_vrf = drops(r, MPLSVPN_ERR_NO_VRF),
                                .drop_not_bottom = drops(r, MPLSVPN_ERR_NOT_BOTTOM),
                                .drop_address = drops(r, MPLSVPN_ERR_ADDRESS),
                                .drop_no_headroom = read_counter(&r->counters.no_headroom)};
    return versioned_write(out, &c, sizeof(c), sizeof(c)) ? MPLSVPN_OK : MPLSVPN_ERR_ARG;
}
