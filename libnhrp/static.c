/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Static mappings: what the operator says of a peer stands until the operator takes it away.
 */
#include "core.h"

#include <internal/versioned.h>

nhrp_rc nhrp_mapping_config_init(nhrp_mapping_config *cfg)
{
    if (!cfg)
        return NHRP_ERR_ARG;
    memset(cfg, 0, sizeof(*cfg));
    cfg->struct_size = sizeof(*cfg);
    return NHRP_OK;
}

/* Fills in what may be left out; false where something that is needed is missing or wrong. */
static bool complete(const nhrp_engine *e, const nhrp__link *l, nhrp_mapping_config *c)
{
    const bool multipoint = (l->cfg.flags & NHRP_LINK_MULTIPOINT) != 0;
    if ((c->flags & ~(uint32_t)NHRP_MAPPING_UNIQUE) || c->reserved != 0 ||
        !prefix_valid(&c->prefix) || !addr_valid(&c->next_hop) || !addr_valid(&c->nbma))
        return false;
    const bool host = c->prefix.prefix_len == nhrp__family_bits(c->prefix.family);
    if (!addr_given(&c->next_hop) && host)
        c->next_hop = c->prefix;
    if (!addr_given(&c->nbma) && !multipoint)
        c->nbma = l->cfg.peer_nbma;
    if (!addr_given(&c->next_hop) || !addr_given(&c->nbma) ||
        (host && nhrp__address_ours(e, &c->prefix)) || nhrp__address_ours(e, &c->next_hop))
        return false;
    return c->nbma.family == l->cfg.local_nbma.family &&
           (multipoint || addr_equal(&c->nbma, &l->cfg.peer_nbma));
}

nhrp_rc nhrp_engine_mapping_add(nhrp_engine *e, uint64_t now_ms, const nhrp_mapping_config *cfg,
                                uint64_t *id)
{
    nhrp_mapping_config c;
    nhrp__mapping *m;
    if (!e || !cfg || !id)
        return NHRP_ERR_ARG;
    nhrp__time_set(e, now_ms);
    (void)nhrp_mapping_config_init(&c);
    if (!versioned_read(&c, sizeof(c), sizeof(c), cfg))
        return NHRP_ERR_ARG;
    nhrp__link *l = nhrp__link_find(e, c.link);
    if (!l)
        return NHRP_ERR_ABSENT;
    if (!complete(e, l, &c))
        return NHRP_ERR_ARG;
    const nhrp_addr prefix = addr_prefix(&c.prefix, l->cfg.vrf, c.prefix.prefix_len);
    nhrp__mapping *learned = nhrp__mapping_exact(e, &prefix);
    if (learned && learned->kind == NHRP_MAPPING_STATIC)
        return NHRP_ERR_STATE;
    const nhrp_rc rc = nhrp__mapping_new(e, &prefix, NHRP_MAPPING_STATIC, &m);
    if (rc != NHRP_OK)
        return rc;
    if (learned)
        nhrp__mapping_end(e, learned);
    nhrp__mapping_set_link(m, l);
    m->flags = NHRP_MAPPING_AUTHORITATIVE | c.flags;
    m->destination = m->next_hop = addr_bare(&c.next_hop, 0);
    m->nbma = m->claimed_nbma = addr_bare(&c.nbma, 0);
    m->mtu = c.mtu;
    m->preference = c.preference;
    m->told = true;
    nhrp__mapping_touch(e, m);
    *id = m->id;
    return NHRP_OK;
}
