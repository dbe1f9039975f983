/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "state.h"

interface *mplsvpn__interface_find(const mplsvpn_table *t, uint32_t id)
{
    return (interface *)mplsvpn__idmap_find(&t->interfaces, id);
}

static uint32_t value(const permissions *p, uint32_t i)
{
    return atomic_load_explicit(&p->vrfs[i], memory_order_relaxed);
}

/* The first place whose value is not below a VRF. */
static uint32_t lower_bound(const permissions *p, uint32_t vrf_id)
{
    uint32_t low = 0;
    uint32_t high = p->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (value(p, middle) < vrf_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool mplsvpn__interface_may(const interface *i, uint32_t vrf_id)
{
    const permissions *p = atomic_load_explicit(&i->allowed, memory_order_acquire);
    if (!p)
        return false;
    const uint32_t at = lower_bound(p, vrf_id);
    return at < p->count && value(p, at) == vrf_id;
}

static void set_own_vrf(mplsvpn_table *t, interface *i, uint32_t id)
{
    vrf *old = mplsvpn__vrf_find(t, atomic_load_explicit(&i->vrf, memory_order_relaxed));
    old->interfaces--;
    mplsvpn__vrf_find(t, id)->interfaces++;
    atomic_store_explicit(&i->vrf, id, memory_order_release);
}

mplsvpn_rc mplsvpn_interface_set(mplsvpn_table *t, uint32_t interface_id, uint32_t vrf_id)
{
    if (!t)
        return MPLSVPN_ERR_ARG;
    vrf *own = mplsvpn__vrf_find(t, vrf_id);
    if (!own)
        return MPLSVPN_ERR_ABSENT;
    interface *i = mplsvpn__interface_find(t, interface_id);
    if (i) {
        set_own_vrf(t, i, vrf_id);
        return MPLSVPN_OK;
    }
    if (t->interfaces.count >= t->cfg.max_interfaces)
        return MPLSVPN_ERR_LIMIT;
    if (!mplsvpn__idmap_reserve(&t->interfaces, &t->epoch))
        return MPLSVPN_ERR_NOMEM;
    i = alloc_zero(&t->memory, sizeof(*i));
    if (!i)
        return MPLSVPN_ERR_NOMEM;
    i->item.id = interface_id;
    atomic_init(&i->vrf, vrf_id);
    own->interfaces++;
    mplsvpn__idmap_insert(&t->interfaces, &i->item);
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_interface_remove(mplsvpn_table *t, uint32_t interface_id)
{
    if (!t)
        return MPLSVPN_ERR_ARG;
    interface *i = mplsvpn__interface_find(t, interface_id);
    if (!i)
        return MPLSVPN_ERR_ABSENT;
    mplsvpn__idmap_remove(&t->interfaces, &i->item);
    mplsvpn__vrf_find(t, atomic_load_explicit(&i->vrf, memory_order_relaxed))->interfaces--;
    permissions *p = atomic_load_explicit(&i->allowed, memory_order_relaxed);
    if (p)
        mplsvpn__epoch_retire(&t->epoch, &p->retired);
    mplsvpn__epoch_retire(&t->epoch, &i->item.retired);
    return MPLSVPN_OK;
}

mplsvpn_rc mplsvpn_interface_allow(mplsvpn_table *t, uint32_t interface_id, uint32_t vrf_id)
{
    if (!t)
        return MPLSVPN_ERR_ARG;
    interface *i = mplsvpn__interface_find(t, interface_id);
    if (!i || !mplsvpn__vrf_find(t, vrf_id))
        return MPLSVPN_ERR_ABSENT;
    if (mplsvpn__interface_may(i, vrf_id))
        return MPLSVPN_OK;

    permissions *old = atomic_load_explicit(&i->allowed, memory_order_relaxed);
    const uint32_t old_count = old ? old->count : 0;
    permissions *p =
        alloc_zero(&t->memory, sizeof(*p) + ((size_t)old_count + 1) * sizeof(p->vrfs[0]));
    if (!p)
        return MPLSVPN_ERR_NOMEM;
    const uint32_t at = old ? lower_bound(old, vrf_id) : 0;
    for (uint32_t from = 0; from <= old_count; from++) {
        if (from == at)
            atomic_init(&p->vrfs[p->count++], vrf_id);
        /* Denied ones left a repetition behind. */
        if (from < old_count && (p->count == 0 || value(p, p->count - 1) != value(old, from)))
            atomic_init(&p->vrfs[p->count++], value(old, from));
    }
    atomic_store_explicit(&i->allowed, p, memory_order_release);
    if (old)
        mplsvpn__epoch_retire(&t->epoch, &old->retired);
    return MPLSVPN_OK;
}

/*
 * Overwrites a VRF in place by its neighbour, so that denying needs no memory. The order of the
 * writes keeps the array ascending for those who search it meanwhile.
 */
static void deny(mplsvpn_table *t, interface *i, uint32_t vrf_id)
{
    permissions *p = atomic_load_explicit(&i->allowed, memory_order_relaxed);
    const uint32_t first = lower_bound(p, vrf_id);
    uint32_t end = first;
    while (end < p->count && value(p, end) == vrf_id)
        end++;
    if (first > 0) {
        const uint32_t below = value(p, first - 1);
        for (uint32_t at = first; at < end; at++)
            atomic_store_explicit(&p->vrfs[at], below, memory_order_relaxed);
    } else if (end < p->count) {
        const uint32_t above = value(p, end);
        for (uint32_t at = end; at-- > first;)
            atomic_store_explicit(&p->vrfs[at], above, memory_order_relaxed);
    } else {
        atomic_store_explicit(&i->allowed, NULL, memory_order_release);
        mplsvpn__epoch_retire(&t->epoch, &p->retired);
    }
}

mplsvpn_rc mplsvpn_interface_deny(mplsvpn_table *t, uint32_t interface_id, uint32_t vrf_id)
{
    if (!t)
        return MPLSVPN_ERR_ARG;
    interface *i = mplsvpn__interface_find(t, interface_id);
    if (!i || !mplsvpn__interface_may(i, vrf_id))
        return MPLSVPN_ERR_ABSENT;
    deny(t, i, vrf_id);
    return MPLSVPN_OK;
}

void mplsvpn__interface_forget_vrf(mplsvpn_table *t, uint32_t vrf_id)
{
    size_t slot = 0;
    for (idmap_item *item; (item = mplsvpn__idmap_walk(&t->interfaces, &slot)) != NULL;) {
        interface *i = (interface *)item;
        if (mplsvpn__interface_may(i, vrf_id))
            deny(t, i, vrf_id);
    }
}

void mplsvpn__interface_close(mplsvpn_table *t)
{
    size_t slot = 0;
    for (idmap_item *item; (item = mplsvpn__idmap_walk(&t->interfaces, &slot)) != NULL;) {
        interface *i = (interface *)item;
        alloc_free(&t->memory, atomic_load_explicit(&i->allowed, memory_order_relaxed));
        alloc_free(&t->memory, i);
    }
    mplsvpn__idmap_free(&t->interfaces, &t->memory);
}
