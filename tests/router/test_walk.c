/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The walk: a hub, two spokes, two customers. Each of its twenty steps is looked for in the events.
 */
#include "mesh.h"

#include <stdlib.h>
#include <string.h>

enum { HUB = 0, SPOKE1 = 1, SPOKE2 = 2, VRF = 1, CE_BYTES = 100 };

static void send_ce1(mesh *m)
{
    uint8_t packet[1600];
    const router_addr ce1 = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    mesh_send(m, SPOKE1, VRF, packet, mesh_udp(packet, &ce1, &ce2, 64, false, CE_BYTES));
}

static void send_ce2(mesh *m)
{
    uint8_t packet[1600];
    const router_addr ce1 = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    mesh_send(m, SPOKE2, VRF, packet, mesh_udp(packet, &ce2, &ce1, 64, false, CE_BYTES));
}

/* Until BGP has told each end what it needs. */
static mesh *up(uint64_t seed)
{
    mesh *m = mesh_walk(seed);
    mesh_run(m, 10000);
    if (mesh_count(m, HUB, ROUTER_EVENT_BGP_UP) < 2) {
        mesh_print(m);
        fail_msg("BGP did not come up");
    }
    return m;
}

/* The event of a kind with this prefix, of a source (0: any), in order from *from on. */
static const router_event *find(const mesh *m, size_t node, uint32_t kind, const router_addr *want,
                                uint8_t source)
{
    for (size_t i = 0; i < m->nodes[node].event_count; i++) {
        const router_event *ev = &m->nodes[node].events[i];
        if (ev->kind == kind && (source == 0 || ev->source == source) &&
            (!want || (memcmp(ev->prefix.bytes, want->bytes, 16) == 0 &&
                       ev->prefix.prefix_len == want->prefix_len)))
            return ev;
    }
    return NULL;
}

#define STEP(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            mesh_print(m);                                                                         \
            fail_msg("step not observed: %s", #condition);                                         \
        }                                                                                          \
    } while (0)

static void the_walk_has_all_its_twenty_steps(void **state)
{
    (void)state;
    mesh *m = up(1);
    const router_addr lan1 = mesh_ipv4(10, 1, 1, 0, 24);
    const router_addr lan2 = mesh_ipv4(10, 2, 2, 0, 24);
    const router_addr summary = mesh_ipv4(10, 0, 0, 0, 8);

    /* 1, 2: IKE, ESP, pushed tunnel addresses, implicit null. */
    STEP(mesh_count(m, HUB, ROUTER_EVENT_IKE_UP) == 2);
    STEP(mesh_count(m, HUB, ROUTER_EVENT_TUNNEL_UP) == 2);
    STEP(mesh_count(m, SPOKE1, ROUTER_EVENT_TUNNEL_UP) == 1);
    STEP(mesh_count(m, SPOKE1, ROUTER_EVENT_PUSHED_ROUTE) == 1);
    STEP(mesh_count(m, HUB, ROUTER_EVENT_PUSHED_ROUTE) == 2);
    STEP(mesh_count(m, SPOKE1, ROUTER_EVENT_IMPLICIT_NULL) == 1);
    STEP(mesh_count(m, HUB, ROUTER_EVENT_IMPLICIT_NULL) == 2);

    /* 3: MP-BGP. */
    const router_event *label1 = find(m, SPOKE1, ROUTER_EVENT_LOCAL_LABEL, &lan1, 0);
    const router_event *label2 = find(m, SPOKE2, ROUTER_EVENT_LOCAL_LABEL, &lan2, 0);
    const router_event *hub_label = find(m, HUB, ROUTER_EVENT_LOCAL_LABEL, &summary, 0);
    STEP(label1 && label2 && hub_label);
    const router_event *at_spoke =
        find(m, SPOKE1, ROUTER_EVENT_ROUTE_UP, &summary, ROUTER_SOURCE_BGP);
    STEP(at_spoke && at_spoke->label == hub_label->label);
    const router_event *at_hub = find(m, HUB, ROUTER_EVENT_ROUTE_UP, &lan2, ROUTER_SOURCE_BGP);
    STEP(at_hub && at_hub->label == label2->label);

    /* 4 to 7: the first packet, by the hub. */
    send_ce1(m);
    assert_int_equal(m->nodes[SPOKE1].last.verdict, ROUTER_VERDICT_UNDERLAY);
    mesh_run(m, 100);
    const router_event *first = mesh_last(m, SPOKE1, ROUTER_EVENT_FIRST_PACKET);
    STEP(first && first->direction == ROUTER_DIRECTION_TO_TUNNEL &&
         first->label == hub_label->label && first->protocol == 0x8847);
    const router_event *transit = mesh_last(m, HUB, ROUTER_EVENT_FIRST_PACKET);
    STEP(transit && transit->direction == ROUTER_DIRECTION_TRANSIT &&
         transit->label == label2->label);
    mesh_packet got;
    STEP(mesh_take(m, SPOKE2, VRF, &got));
    assert_int_equal(got.len, CE_BYTES);
    assert_int_equal(got.bytes[8], 64 - 2); /* the last hop is who stands behind the TUN */
    assert_memory_equal(got.bytes + 28, MESH_MARKER, strlen(MESH_MARKER));

    mesh_run(m, 5000);
    /* 8: the redirect, with the label that spoke 1 itself advertised. */
    const router_event *sent = mesh_last(m, HUB, ROUTER_EVENT_REDIRECT_SENT);
    STEP(sent && sent->label == label1->label && sent->vrf == VRF);
    const router_event *heard = mesh_last(m, SPOKE1, ROUTER_EVENT_REDIRECT_HEARD);
    STEP(heard && heard->label == label1->label && heard->vrf == VRF);
    /* 9 to 11. */
    const router_event *incomplete = mesh_last(m, SPOKE1, ROUTER_EVENT_MAPPING_INCOMPLETE);
    STEP(incomplete && incomplete->vrf == VRF && incomplete->address.bytes[3] == 102);
    const router_event *request = mesh_last(m, SPOKE1, ROUTER_EVENT_REQUEST_SENT);
    STEP(request && request->label == hub_label->label && request->vrf == VRF);
    /* 12. */
    const router_event *forwarded = mesh_last(m, HUB, ROUTER_EVENT_REQUEST_FORWARDED);
    STEP(forwarded && forwarded->label == hub_label->label && forwarded->label2 == label2->label &&
         forwarded->vrf == VRF);
    /* 13 to 15. */
    const router_event *arrived = mesh_last(m, SPOKE2, ROUTER_EVENT_REQUEST_HEARD);
    STEP(arrived && arrived->label == label2->label && arrived->remote.bytes[3] == 1);
    STEP(mesh_count(m, SPOKE2, ROUTER_EVENT_TUNNEL_WANTED) == 1);
    STEP(mesh_count(m, SPOKE2, ROUTER_EVENT_TUNNEL_UP) == 2);
    STEP(mesh_last(m, SPOKE2, ROUTER_EVENT_IMPLICIT_NULL)->address.bytes[3] == 1);
    /* 16, 17. */
    const router_event *reply = mesh_last(m, SPOKE2, ROUTER_EVENT_REPLY_SENT);
    STEP(reply && reply->label == label2->label && reply->label2 == 3);
    STEP(reply->tunnel == mesh_last(m, SPOKE2, ROUTER_EVENT_TUNNEL_UP)->tunnel);
    /* 18 to 20. */
    const router_event *answered = mesh_last(m, SPOKE1, ROUTER_EVENT_REPLY_HEARD);
    STEP(answered && answered->request_id == request->request_id && answered->vrf == VRF);
    const router_event *mapping = mesh_last(m, SPOKE1, ROUTER_EVENT_MAPPING_UP);
    STEP(mapping && mapping->prefix.prefix_len == 24 && mapping->label == label2->label);
    const router_event *shortcut =
        find(m, SPOKE1, ROUTER_EVENT_ROUTE_UP, &lan2, ROUTER_SOURCE_NHRP);
    STEP(shortcut && shortcut->label == label2->label && shortcut->tunnel == mapping->tunnel);

    const uint64_t by_hub = m->between[SPOKE1][HUB];
    const uint64_t direct = m->between[SPOKE1][SPOKE2];
    send_ce1(m);
    mesh_run(m, 100);
    STEP(mesh_take(m, SPOKE2, VRF, &got));
    assert_int_equal(got.bytes[8], 64 - 1);
    assert_int_equal(m->between[SPOKE1][HUB], by_hub);
    assert_int_equal(m->between[SPOKE1][SPOKE2], direct + 1);
    assert_int_equal(m->leaks, 0);
    mesh_free(m);
}

static void every_event_has_a_line(void **state)
{
    (void)state;
    mesh *m = up(2);
    char line[1024];
    char small[8];
    for (size_t i = 0; i < m->nodes[SPOKE1].event_count; i++) {
        const size_t len = router_event_format(&m->nodes[SPOKE1].events[i], line, sizeof(line));
        assert_in_range(len, strlen("event="), sizeof(line) - 1);
        assert_int_equal(strlen(line), len);
        assert_int_equal(router_event_format(&m->nodes[SPOKE1].events[i], small, sizeof(small)),
                         len);
        assert_memory_equal(small, "event=", 6);
    }
    mesh_free(m);
}

static void the_same_seeds_make_the_same_run(void **state)
{
    (void)state;
    mesh *a = up(3);
    mesh *b = up(3);
    assert_int_equal(a->now, b->now);
    assert_int_equal(a->datagrams, b->datagrams);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(a->nodes[i].event_count, b->nodes[i].event_count);
        for (size_t e = 0; e < a->nodes[i].event_count; e++) {
            char left[1024];
            char right[1024];
            (void)router_event_format(&a->nodes[i].events[e], left, sizeof(left));
            (void)router_event_format(&b->nodes[i].events[e], right, sizeof(right));
            assert_string_equal(left, right);
        }
    }
    mesh_free(a);
    mesh_free(b);
}

static void both_customers_starting_at_once_end_in_one_tunnel_in_use(void **state)
{
    (void)state;
    mesh *m = up(4);
    for (int i = 0; i < 20; i++) { /* both ways, all the time */
        send_ce1(m);
        send_ce2(m);
        mesh_run(m, 1000);
    }
    router_stats stats;
    for (size_t spoke = SPOKE1; spoke <= SPOKE2; spoke++) {
        router_get_stats(m->nodes[spoke].r, &stats);
        assert_int_equal(stats.tunnels, 2); /* the hub and the other */
        assert_int_equal(stats.ike_sas, 2);
        mesh_packet got;
        size_t n = 0;
        while (mesh_take(m, spoke, VRF, &got))
            n++;
        assert_int_equal(n, 20); /* nothing was lost on the way there */
    }
    const uint64_t by_hub = m->between[SPOKE1][HUB] + m->between[SPOKE2][HUB];
    const uint64_t direct = m->between[SPOKE1][SPOKE2];
    const uint64_t back = m->between[SPOKE2][SPOKE1];
    send_ce1(m);
    send_ce2(m);
    mesh_run(m, 100);
    assert_int_equal(m->between[SPOKE1][HUB] + m->between[SPOKE2][HUB], by_hub);
    assert_int_equal(m->between[SPOKE1][SPOKE2], direct + 1);
    assert_int_equal(m->between[SPOKE2][SPOKE1], back + 1);
    mesh_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_walk_has_all_its_twenty_steps),
        cmocka_unit_test(every_event_has_a_line),
        cmocka_unit_test(the_same_seeds_make_the_same_run),
        cmocka_unit_test(both_customers_starting_at_once_end_in_one_tunnel_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
