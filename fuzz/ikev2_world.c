/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "ikev2_world.h"

#include "image.h"

const uint8_t world_psk[5] = "fuzz";

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
    p.local_psk = world_psk;
    p.local_psk_len = sizeof(world_psk);
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

/* A peer "asker" has no key here, and whom no profile matches is asked for. */
static void world_open_asking(world *w, bool victim_initiates)
{
    uint64_t id;
    ikev2_peer asker = peer_config("victim", "asker", &w->to_victim);
    world_open(w);
    asker.path.peer = (ikev2_addr){0};
    asker.local_psk_len = 0;
    (void)ikev2_engine_add_profile(w->victim, 0, &asker, &id);
    w->victim->cfg.ask_peer = 1;
    if (!victim_initiates) {
        const ikev2_peer p = peer_config("other", "victim", &w->to_other);
        (void)ikev2_engine_initiate(w->other, 0, &p, &w->other_sa);
        (void)carry(w, w->other, w->victim, &w->to_victim);
        (void)carry(w, w->victim, w->other, &w->to_other);
        return;
    }
    ikev2_peer profile = peer_config("other", "victim", &w->to_other);
    const ikev2_peer p = peer_config("victim", "other", &w->to_victim);
    profile.path.peer = (ikev2_addr){0};
    (void)ikev2_engine_add_profile(w->other, 0, &profile, &id);
    (void)ikev2_engine_initiate(w->victim, 0, &p, &id);
    (void)carry(w, w->victim, w->other, &w->to_other);
    (void)carry(w, w->other, w->victim, &w->to_victim);
    world_drain_victim(w);
    const ikev2__sa *sa = ikev2__sa_by_id(w->victim, id);
    const ikev2__sa *mine = sa ? ikev2__sa_by_spi(w->other, sa->spi_r) : NULL;
    w->other_sa = mine ? mine->id : 0;
}

void world_begin_keyed(world *w, bool victim_initiates)
{
    static world start[2];
    for (int i = 0; i < 2 && !image_kept(); i++)
        if (WORLD_IS_KEPT || i == victim_initiates)
            world_open_asking(&start[i], i);
    if (WORLD_IS_KEPT && !image_kept())
        image_keep();
    image_restore();
    *w = start[victim_initiates];
}

static void answer(world *w, const ikev2_event *ev)
{
    static const uint8_t wrong[] = "wrong";
    const bool right = w->answers == WORLD_ANSWERS_RIGHT;
    const ikev2_peer peer = peer_config("victim", right ? "*" : "other", &w->to_victim);
    if (w->answers == WORLD_ANSWERS_NOTHING)
        return;
    if (ev->kind == IKEV2_EVENT_ASK_PSK)
        (void)ikev2_engine_answer_psk(w->victim, w->now_ms, ev->ask_id, right ? world_psk : wrong,
                                      sizeof(world_psk), NULL, 0);
    else if (ev->kind == IKEV2_EVENT_ASK_PEER)
        (void)ikev2_engine_answer_peer(w->victim, w->now_ms, ev->ask_id, &peer);
}

ikev2__sa *world_mine(const world *w)
{
    return ikev2__sa_by_id(w->other, w->other_sa);
}

ikev2__sa *world_victims(const world *w, const ikev2__sa *mine)
{
    return ikev2__sa_by_spi(w->victim, mine->initiator ? mine->spi_r : mine->spi_i);
}

void world_give(world *w, const uint8_t *bytes, size_t len)
{
    (void)ikev2_engine_input(w->victim, w->now_ms, &w->to_victim, bytes, len);
    world_drain_victim(w);
}

void world_send_sealed(world *w, ikev2__sa *mine, uint8_t exchange, bool response, uint32_t id,
                       uint8_t first, const uint8_t *text, size_t len)
{
    ikev2__builder b = {.w = wire_writer_make(w->other->plain, w->other->cfg.max_message_bytes),
                        .first = first};
    ikev2__flight flight;
    wire_put_bytes(&b.w, text, len);
    if (ikev2__protect(mine, exchange, response, id, &b, &flight) != IKEV2_OK)
        return;
    for (size_t at = 0; at + 2 <= flight.len;) {
        const size_t n = (size_t)(flight.bytes[at] << 8 | flight.bytes[at + 1]);
        world_give(w, flight.bytes + at + 2, n);
        at += 2 + n;
    }
    ikev2__flight_free(w->other, &flight);
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
        w->installed += ev.kind == IKEV2_EVENT_CHILD_IN;
        if (ev.ask_id)
            answer(w, &ev);
    }
    while (ikev2_engine_poll_output(w->victim, w->now_ms, buf, sizeof(buf), &out) == IKEV2_YES)
        ;
}
