/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The caller's side of libikev2: one peer, Child SAs in transport mode around GRE.
 */
#define _DEFAULT_SOURCE
#include "node.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { MESSAGE_BYTES = 16384 };

static ikev2_addr endpoint(const nhrp_addr *a, uint16_t port)
{
    ikev2_addr to = {.family = a->family, .port = port};
    memcpy(to.bytes, a->bytes, sizeof(to.bytes));
    return to;
}

static nhrp_addr address_of(const ikev2_addr *endpoint)
{
    nhrp_addr a = {.family = endpoint->family};
    memcpy(a.bytes, endpoint->bytes, sizeof(a.bytes));
    return a;
}

static ikev2_identity name(const char *fqdn)
{
    return (ikev2_identity){(const uint8_t *)fqdn, strlen(fqdn), IKEV2_ID_FQDN, {0}};
}

void ike_init(node *n, const char *peer_nbma, const char *local, const char *remote,
              const char *psk, bool force_udp)
{
    ikev2_config cfg;
    uint64_t id;
    must(ikev2_config_init(&cfg), "ikev2_config_init");
    if (getrandom(cfg.seed, sizeof(cfg.seed), 0) != sizeof(cfg.seed))
        must(IKEV2_ERR_STATE, "getrandom");
    cfg.force_encapsulation = force_udp;
    must(ikev2_engine_new(&cfg, now_ms(), &n->ike), "ikev2_engine_new");

    /* The policy that is left out is this one: transport mode, GRE between the ends of the path. */
    ikev2_peer p = {.struct_size = sizeof(p),
                    .local_id = name(local),
                    .peer_id = name(remote),
                    .local_psk = (const uint8_t *)psk,
                    .local_psk_len = strlen(psk)};
    if (strcmp(peer_nbma, "any") == 0) {
        must(ikev2_engine_add_profile(n->ike, now_ms(), &p, &id), "ikev2_engine_add_profile");
        return;
    }
    const nhrp_addr to = address(peer_nbma);
    p.path.local = endpoint(&n->nbma, PORT_IKE);
    p.path.peer = endpoint(&to, PORT_IKE);
    must(ikev2_engine_initiate(n->ike, now_ms(), &p, &id), "ikev2_engine_initiate");
}

static security security_of(const ikev2_child_info *c)
{
    security s = {.carriage = c->encapsulated ? ESP_UDP : ESP_RAW,
                  .algorithm = c->encr == IKEV2_ENCR_CHACHA20_POLY1305
                                   ? ESP_ALGORITHM_CHACHA20_POLY1305
                               : c->key_bits == 256 ? ESP_ALGORITHM_AES256_GCM16
                                                    : ESP_ALGORITHM_AES128_GCM16,
                  .esn = c->esn == IKEV2_ESN_YES,
                  .child = c->id,
                  .spi_in = c->spi_in,
                  .spi_out = c->spi_out,
                  .key_len = c->key_in_len};
    memcpy(s.key_in, c->key_in, c->key_in_len);
    memcpy(s.key_out, c->key_out, c->key_out_len);
    return s;
}

static void child_in(node *n, uint64_t child_id)
{
    ikev2_child_info c = {.struct_size = sizeof(c)};
    must(ikev2_engine_get_child(n->ike, child_id, &c), "ikev2_engine_get_child");
    const nhrp_addr nbma = address_of(&c.path.peer);
    const security s = security_of(&c);
    (void)data_add_sas(n, peer_at(n, &nbma), &s);
    printf("child-in mode=%u encapsulated=%u esn=%u\n", c.mode, c.encapsulated, c.esn);
}

static void take_event(node *n, const ikev2_event *ev)
{
    sas *s = data_find_sas(n, ev->child_id);
    switch (ev->kind) {
    case IKEV2_EVENT_IKE_SA_UP:
        n->ike_sa = ev->sa_id;
        printf("ike-up\n");
        break;
    case IKEV2_EVENT_IKE_SA_DOWN:
        printf("ike-down reason=%u\n", ev->reason);
        break;
    case IKEV2_EVENT_CHILD_IN:
        child_in(n, ev->child_id);
        break;
    case IKEV2_EVENT_CHILD_OUT:
        data_seal_with(n, s);
        n->ike_child = ev->child_id;
        printf("child-out\n");
        break;
    case IKEV2_EVENT_CHILD_REMOVE:
        if (s)
            data_remove_sas(n, s);
        printf("child-remove reason=%u\n", ev->reason);
        break;
    case IKEV2_EVENT_REFUSED:
        printf("ike-refused reason=%u detail=%u\n", ev->reason, ev->detail);
        break;
    default:
        break;
    }
}

void ike_drain(node *n)
{
    static uint8_t buf[MESSAGE_BYTES];
    ikev2_event ev;
    ikev2_output out;
    while (ikev2_engine_poll_event(n->ike, &ev) == IKEV2_YES)
        take_event(n, &ev);
    while (ikev2_engine_poll_output(n->ike, now_ms(), buf, sizeof(buf), &out) == IKEV2_YES) {
        const nhrp_addr to = address_of(&out.path.peer);
        underlay_send(out.path.local.port == PORT_IKE ? n->fd_ike : n->fd_udp, &to,
                      out.path.peer.port, buf, out.len);
    }
}

void ike_input(node *n, uint16_t port, const nhrp_addr *from, const uint8_t *packet, size_t len)
{
    const ikev2_path path = {endpoint(&n->nbma, port), endpoint(from, from->port)};
    if (!n->ike)
        return;
    const ikev2_rc rc = ikev2_engine_input(n->ike, now_ms(), &path, packet, len);
    if (rc < 0)
        printf("ike-dropped reason=%s\n", ikev2_rc_name(rc));
    ike_drain(n);
}

void ike_obey(node *n, const char *command)
{
    ikev2_rc rc;
    if (strcmp(command, "rekey-child") == 0)
        rc = ikev2_engine_rekey_child(n->ike, now_ms(), n->ike_child);
    else if (strcmp(command, "rekey-ike") == 0)
        rc = ikev2_engine_rekey_ike(n->ike, now_ms(), n->ike_sa);
    else
        rc = ikev2_engine_delete_ike(n->ike, now_ms(), n->ike_sa);
    printf("%s rc=%s\n", command, ikev2_rc_name(rc));
}
