/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ikev2_world.h"

#include "image.h"

static const uint8_t psk[] = "fuzz";

/* What is agreed on comes first; the rest is there to be chosen by a peer. */
static const ikev2_transform ike_transforms[] = {
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_GCM_16, .key_bits = 128},
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_CBC, .key_bits = 256},
    {.type = IKEV2_TRANSFORM_INTEG, .id = IKEV2_INTEG_HMAC_SHA2_256_128},
    {.type = IKEV2_TRANSFORM_PRF, .id = IKEV2_PRF_HMAC_SHA2_256},
    {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_X25519},
    {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_P256},
};
static const ikev2_transform child_transforms[] = {
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_GCM_16, .key_bits = 128},
    {.type = IKEV2_TRANSFORM_ENCR, .id = IKEV2_ENCR_AES_CBC, .key_bits = 128},
    {.type = IKEV2_TRANSFORM_INTEG, .id = IKEV2_INTEG_HMAC_SHA2_256_128},
    {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_NONE},
    {.type = IKEV2_TRANSFORM_GROUP, .id = IKEV2_GROUP_X25519},
    {.type = IKEV2_TRANSFORM_ESN, .id = IKEV2_ESN_YES},
    {.type = IKEV2_TRANSFORM_ESN, .id = IKEV2_ESN_NO},
};

static ikev2_identity fqdn(const char *name)
{
    return (ikev2_identity){
        .bytes = (const uint8_t *)name, .len = strlen(name), .type = IKEV2_ID_FQDN};
}

static ikev2_peer peer_config(const char *local, const char *remote, const ikev2_path *path)
{
    static const ikev2_addr routes[] = {
        {.family = IKEV2_FAMILY_IPV4, .prefix_len = 32, .bytes = {172, 16, 1, 1}},
        {.family = IKEV2_FAMILY_IPV6, .prefix_len = 48, .bytes = {0x20, 1, 13, 0xb8}},
    };
    static const ikev2_addr accepted[] = {
        {.family = IKEV2_FAMILY_IPV4, .prefix_len = 8, .bytes = {172}},
        {.family = IKEV2_FAMILY_IPV6, .prefix_len = 16, .bytes = {0x20, 1}},
    };
    static const ikev2_addr inner = {
        .family = IKEV2_FAMILY_IPV4, .prefix_len = 32, .bytes = {172, 16, 9, 9}};
    ikev2_peer p = {.struct_size = sizeof(p)};
    p.path = *path;
    p.local_id = fqdn(local);
    p.peer_id = fqdn(remote);
    p.local_psk = psk;
    p.local_psk_len = sizeof(psk);
    p.request = IKEV2_REQUEST_SUBNETS | IKEV2_REQUEST_ADDRESS;
    p.push_routes = routes;
    p.push_route_count = sizeof(routes) / sizeof(routes[0]);
    p.accept_routes = accepted;
    p.accept_route_count = sizeof(accepted) / sizeof(accepted[0]);
    p.assign_address = inner;
    return p;
}

enum {
    VICTIM_MESSAGE = 1280, /* the least that is allowed, so that inputs reach the limit */
    OTHER_MESSAGE = 4096
};

static void world_open(world *w)
{
    ikev2_config cfg;
    uint64_t id;
    memset(w, 0, sizeof(*w));
    w->to_victim.local =
        (ikev2_addr){.family = IKEV2_FAMILY_IPV4, .port = 500, .bytes = {10, 0, 0, 2}};
    w->to_victim.peer =
        (ikev2_addr){.family = IKEV2_FAMILY_IPV4, .port = 500, .bytes = {10, 0, 0, 1}};
    w->to_other.local = w->to_victim.peer;
    w->to_other.peer = w->to_victim.local;
    (void)ikev2_config_init(&cfg);
    cfg.ike_transforms = ike_transforms;
    cfg.ike_transform_count = sizeof(ike_transforms) / sizeof(ike_transforms[0]);
    cfg.child_transforms = child_transforms;
    cfg.child_transform_count = sizeof(child_transforms) / sizeof(child_transforms[0]);
    cfg.max_sas = 64;
    cfg.cookie_threshold = 4;
    cfg.max_events = 64;
    cfg.max_message_bytes = VICTIM_MESSAGE;
    cfg.allocator.resize = WORLD_IS_KEPT ? image_resize : NULL;
    cfg.seed[0] = 1;
    (void)ikev2_engine_new(&cfg, 0, &w->victim);
    cfg.max_message_bytes = OTHER_MESSAGE;
    cfg.seed[0] = 2;
    (void)ikev2_engine_new(&cfg, 0, &w->other);
    ikev2_peer profile = peer_config("victim", "other", &w->to_victim);
    profile.path.peer = (ikev2_addr){0};
    (void)ikev2_engine_add_profile(w->victim, 0, &profile, &id);
}

void world_close(world *w)
{
    ikev2_engine_free(w->victim);
    ikev2_engine_free(w->other);
}

static bool carry(world *w, ikev2_engine *from, ikev2_engine *to, const ikev2_path *path)
{
    uint8_t buf[4096];
    ikev2_output out;
    ikev2_event ev;
    bool any = false;
    while (ikev2_engine_poll_event(from, &ev) == IKEV2_YES)
        ;
    while (ikev2_engine_poll_output(from, w->now_ms, buf, sizeof(buf), &out) == IKEV2_YES) {
        (void)ikev2_engine_input(to, w->now_ms, path, buf, out.len);
        any = true;
    }
    return any;
}

/* The other initiates; both come to rest, authenticated. */
static void world_connect(world *w)
{
    const ikev2_peer p = peer_config("other", "victim", &w->to_other);
    (void)ikev2_engine_initiate(w->other, 0, &p, &w->other_sa);
    while (carry(w, w->other, w->victim, &w->to_victim) ||
           carry(w, w->victim, w->other, &w->to_other))
        ;
}

void world_begin(world *w)
{
    static world start;
    if (!image_kept()) {
        world_open(&start);
        world_connect(&start);
        if (WORLD_IS_KEPT)
            image_keep();
    }
    image_restore();
    *w = start;
}

void world_drain_victim(world *w)
{
    uint8_t buf[4096];
    ikev2_output out;
    ikev2_event ev;
    while (ikev2_engine_poll_event(w->victim, &ev) == IKEV2_YES) {
        ikev2_sa_info sa = {.struct_size = sizeof(sa)};
        ikev2_child_info child = {.struct_size = sizeof(child)};
        const ikev2_addr *routes;
        size_t count;
        (void)ikev2_engine_get_sa(w->victim, ev.sa_id, &sa);
        (void)ikev2_engine_get_child(w->victim, ev.child_id, &child);
        (void)ikev2_engine_get_routes(w->victim, ev.sa_id, &routes, &count);
    }
    while (ikev2_engine_poll_output(w->victim, w->now_ms, buf, sizeof(buf), &out) == IKEV2_YES)
        ;
}
