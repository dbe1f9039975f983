/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The NAT address extension as deployed: type 9, not compulsory, a list of CIEs that say under
 * which NBMA address others see a station. Who claims an address in the mandatory part goes on to
 * claim it; the extension tells the one that reaches it.
 *
 *   registration   the client names its server; the server adds the client where its packet came
 *                  from elsewhere than it claims
 *   resolution     the requester names itself where it knows to be translated, or sends the
 *                  extension empty; the responder or server adds whom it answers for
 */
#include "core.h"

static bool find(const nhrp_packet *p, nhrp_extension *x)
{
    size_t it = 0;
    while (nhrp_extension_next(p, &it, x) == NHRP_YES)
        if (x->kind == NHRP_KIND_NAT)
            return true;
    return false;
}

bool nhrp__nat_understood(const nhrp_packet *p)
{
    nhrp_extension x;
    return find(p, &x);
}

/* Where a station is reached: as the extension says, else as it claims itself. */
nhrp_addr nhrp__nat_outer(const nhrp_packet *p, const nhrp_addr *protocol, const nhrp_addr *claimed)
{
    nhrp_extension x;
    nhrp_cie cie;
    size_t it = 0;
    const nhrp_addr plain = addr_unmapped(protocol);
    if (!find(p, &x))
        return addr_bare(claimed, 0);
    while (nhrp_extension_next_cie(p, &x, &it, &cie) == NHRP_YES) {
        const nhrp_addr named = addr_unmapped(&cie.protocol);
        if (addr_given(&cie.nbma) && addr_equal(&named, &plain))
            return addr_bare(&cie.nbma, 0);
    }
    return addr_bare(claimed, 0);
}

/* Who sent a request, as others reach it. */
nhrp_addr nhrp__nat_requester(const nhrp_packet *p)
{
    return nhrp__nat_outer(p, &p->source_protocol, &p->source_nbma);
}

nhrp_cie nhrp__nat_cie(const nhrp_addr *nbma, const nhrp_addr *protocol)
{
    nhrp_cie cie;
    memset(&cie, 0, sizeof(cie));
    cie.prefix_len = nhrp__family_bits(protocol->family);
    cie.nbma = addr_bare(nbma, 0);
    cie.protocol = addr_bare(protocol, 0);
    return cie;
}

/* What an answer says of a station: to whom knows the extension, the truth; else what reaches it.
 */
void nhrp__nat_answer(const nhrp_packet *request, const nhrp_addr *claimed, const nhrp_addr *outer,
                      nhrp_cie *cie, nhrp_cie *nat)
{
    memset(nat, 0, sizeof(*nat));
    cie->nbma = addr_bare(outer, 0);
    if (addr_equal(claimed, outer) || !nhrp__nat_understood(request))
        return;
    cie->nbma = addr_bare(claimed, 0);
    *nat = nhrp__nat_cie(outer, &cie->protocol);
}

/* The extension of a request of ours; empty where the entry has no NBMA address. */
void nhrp__nat_put(nhrp_writer *w, const nhrp_cie *cie)
{
    const nhrp_extension x = {.type = NHRP_EXTENSION_NAT};
    (void)nhrp_writer_put_extension(w, &x);
    if (addr_given(&cie->nbma))
        (void)nhrp_writer_put_extension_cie(w, cie);
}

static bool same_station(const nhrp__link *a, const nhrp__link *b)
{
    return a->interface == b->interface && addr_equal(&a->cfg.local_nbma, &b->cfg.local_nbma);
}

/* How others reach us by a link: as a server told, by this link or one from the same address. */
const nhrp_addr *nhrp__link_outer(const nhrp_engine *e, const nhrp__link *l)
{
    for (list_node *n = e->servers.next; n != &e->servers; n = n->next) {
        const nhrp__link *told = CONTAINER_OF(n, nhrp__server, node)->link;
        if (same_station(told, l) && addr_given(&told->translated))
            return &told->translated;
    }
    return &l->cfg.local_nbma;
}

/* Those who were told how to reach us before are told that it is so no more. */
void nhrp__nat_outdated(nhrp_engine *e, const nhrp__link *l)
{
    for (list_node *n = e->links.next; n != &e->links; n = n->next) {
        nhrp__link *other = CONTAINER_OF(n, nhrp__link, node);
        if (same_station(other, l))
            nhrp__answers_outdated(e, other);
    }
}

/*
 * A server has told how it sees us. One of several is believed, as long as it knows us: were they
 * to disagree, what we answer would never stand.
 */
bool nhrp__nat_learn(nhrp__link *l, const nhrp__server *by, const nhrp_packet *reply)
{
    for (list_node *n = l->servers.next; n != &l->servers; n = n->next) {
        const nhrp__server *s = CONTAINER_OF(n, nhrp__server, link_node);
        if (s != by && s->id == l->translator && s->state == NHRP_SERVER_REGISTERED)
            return false;
    }
    nhrp_addr outer = nhrp__nat_requester(reply);
    if (addr_equal(&outer, &l->cfg.local_nbma) || outer.family != l->cfg.local_nbma.family)
        memset(&outer, 0, sizeof(outer));
    l->translator = by->id;
    if (addr_equal(&outer, &l->translated))
        return false;
    l->translated = outer;
    return true;
}
