/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Labels of our own for routes of others whose next hop we become. A dest asks when the first
 * update group needs it, keeps its label while it lives, and gives it back when every peer has been
 * told the withdrawal.
 */
#include "engine.h"

static void queue(bgpvpn_engine *e, uint32_t handle)
{
    dest *d = bgpvpn__dest(e, handle);
    if (d->flags & DEST_LABEL_QUEUED)
        return;
    d->flags |= DEST_LABEL_QUEUED;
    d->label_next = 0;
    if (e->label_tail)
        bgpvpn__dest(e, e->label_tail)->label_next = handle;
    else
        e->label_head = handle;
    e->label_tail = handle;
}

void bgpvpn__label_want(bgpvpn_engine *e, uint32_t handle)
{
    dest *d = bgpvpn__dest(e, handle);
    if (d->label_state != LABEL_IDLE)
        return;
    d->label_state = LABEL_WANTED;
    queue(e, handle);
}

static const path *remote_best(const bgpvpn_engine *e, const dest *d)
{
    const path *best = bgpvpn__best(e, d);
    return best && best->source != SOURCE_LOCAL ? best : NULL;
}

void bgpvpn__label_stale(bgpvpn_engine *e, uint32_t handle)
{
    dest *d = bgpvpn__dest(e, handle);
    if (d->label_state == LABEL_ASKED)
        d->flags |= DEST_LABEL_MOVED;
    if ((d->label_state != LABEL_HELD && d->label_state != LABEL_FREEING) || !remote_best(e, d))
        return;
    d->label_state = LABEL_STALE;
    queue(e, handle);
}

bool bgpvpn__label_drop(bgpvpn_engine *e, uint32_t handle)
{
    dest *d = bgpvpn__dest(e, handle);
    if (d->label_state == LABEL_HELD || d->label_state == LABEL_STALE) {
        d->label_state = LABEL_FREEING;
        queue(e, handle);
    }
    return (d->flags & DEST_LABEL_QUEUED) != 0;
}

/* Decides what is to be told about a dest that was queued: false, nothing. */
static bool tell(bgpvpn_engine *e, dest *d, bgpvpn_label *out)
{
    const path *best = remote_best(e, d);
    if (d->label_state == LABEL_FREEING) {
        out->kind = BGPVPN_LABEL_FREE;
        out->label = d->label;
        d->label = BGPVPN_LABEL_NONE;
        d->label_state = LABEL_IDLE;
        return true;
    }
    const bool held = d->label_state == LABEL_STALE;
    if (!best) {
        d->label_state = held ? LABEL_HELD : LABEL_IDLE;
        return false;
    }
    out->kind = held ? BGPVPN_LABEL_CHANGED : BGPVPN_LABEL_ASK;
    out->label = d->label;
    out->out_label = best->label;
    out->next_hop = best->attrs->hop->addr;
    out->neighbor = e->by_index[best->source]->id;
    d->label_state = held ? LABEL_HELD : LABEL_ASKED;
    return true;
}

bgpvpn_rc bgpvpn_engine_poll_label(bgpvpn_engine *e, bgpvpn_label *out)
{
    if (!e || !out || !bgpvpn__size_known(out->struct_size, sizeof(*out)))
        return BGPVPN_ERR_ARG;
    while (e->label_head) {
        const uint32_t handle = e->label_head;
        dest *d = bgpvpn__dest(e, handle);
        e->label_head = d->label_next;
        if (!e->label_head)
            e->label_tail = 0;
        d->flags &= (uint8_t)~DEST_LABEL_QUEUED;

        bgpvpn_label l = {.struct_size = sizeof(l), .out_label = BGPVPN_LABEL_NONE};
        l.route_id = bgpvpn__dest_id(e, handle);
        bgpvpn__dest_prefix(d, &l.prefix);
        memcpy(l.rd, d->rd->bytes, sizeof(l.rd));
        const bool told = tell(e, d, &l);
        /* The reaper left it here: nobody else will free it. */
        if (!d->paths && d->version <= e->reaped && !bgpvpn__label_drop(e, handle))
            bgpvpn__rib_release(e, handle);
        if (told) {
            (void)versioned_write(out, &l, sizeof(l), sizeof(l));
            return BGPVPN_YES;
        }
    }
    return BGPVPN_OK;
}

bgpvpn_rc bgpvpn_engine_answer_label(bgpvpn_engine *e, uint64_t now_ms, uint64_t route_id,
                                     uint32_t label)
{
    if (!e || label < LABEL_FIRST || label > BGPVPN_LABEL_MAX)
        return BGPVPN_ERR_ARG;
    (void)bgpvpn__now(e, now_ms);
    const uint32_t handle = bgpvpn__dest_by_id(e, route_id);
    if (!handle)
        return BGPVPN_ERR_ABSENT;
    dest *d = bgpvpn__dest(e, handle);
    if (d->label_state != LABEL_ASKED)
        return BGPVPN_ERR_STATE;
    d->label = label;
    d->label_state = LABEL_HELD;
    /* What was asked about may not be what the label must lead to now. */
    if (d->flags & DEST_LABEL_MOVED) {
        d->flags &= (uint8_t)~DEST_LABEL_MOVED;
        bgpvpn__label_stale(e, handle);
    }
    bgpvpn__rib_touch(e, handle);
    return BGPVPN_OK;
}
