/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The observer of the walk believes lines that fit together, and no others. All lines are written
 * by hand in the form that router_event_format documents.
 */
#include "harness.h"

#include "walk.h"

#include <stdio.h>
#include <string.h>

/* Labels: hub 9000, spoke1 10100, spoke2 20200. Tunnels: spokes 1 hub, 2 each other. */
static const char *const good[] = {
    "node=spoke1 event=ike_up local=192.168.1.1:4500 remote=192.168.1.254:4500 peer=hub.x",
    "node=hub event=ike_up local=192.168.1.254:4500 remote=192.168.1.1:4500 peer=spoke1.x",
    "node=spoke2 event=ike_up local=192.168.1.2:4500 remote=192.168.1.254:4500 peer=hub.x",
    "node=hub event=ike_up local=192.168.1.254:4500 remote=192.168.1.2:4500 peer=spoke2.x",
    "node=spoke1 event=tunnel_up tunnel=1 remote=192.168.1.254 address=172.16.1.254 peer=hub.x",
    "node=spoke2 event=tunnel_up tunnel=1 remote=192.168.1.254 address=172.16.1.254 peer=hub.x",
    "node=hub event=tunnel_up tunnel=1 remote=192.168.1.1 address=172.16.1.1 peer=spoke1.x",
    "node=hub event=tunnel_up tunnel=2 remote=192.168.1.2 address=172.16.1.2 peer=spoke2.x",
    "node=spoke1 event=pushed_route tunnel=1 prefix=172.16.1.254/32 peer=hub.x",
    "node=spoke2 event=pushed_route tunnel=1 prefix=172.16.1.254/32 peer=hub.x",
    "node=hub event=pushed_route tunnel=1 prefix=172.16.1.1/32 peer=spoke1.x",
    "node=hub event=pushed_route tunnel=2 prefix=172.16.1.2/32 peer=spoke2.x",
    "node=spoke1 event=implicit_null tunnel=1 address=172.16.1.254",
    "node=spoke2 event=implicit_null tunnel=1 address=172.16.1.254",
    "node=hub event=implicit_null tunnel=1 address=172.16.1.1",
    "node=hub event=implicit_null tunnel=2 address=172.16.1.2",
    "node=hub event=local_label vrf=5 label=9000 prefix=10.0.0.0/8",
    "node=spoke1 event=local_label vrf=1 label=10100 prefix=10.1.1.0/24",
    "node=spoke2 event=local_label vrf=7 label=20200 prefix=10.2.2.0/24",
    "node=spoke1 event=bgp_up stream=1 address=172.16.1.254",
    "node=spoke2 event=bgp_up stream=1 address=172.16.1.254",
    "node=hub event=bgp_up stream=1 address=172.16.1.1",
    "node=hub event=bgp_up stream=2 address=172.16.1.2",
    "node=hub event=route_up vrf=5 tunnel=1 label=10100 source=bgp prefix=10.1.1.0/24 "
    "via=172.16.1.1",
    "node=hub event=route_up vrf=5 tunnel=2 label=20200 source=bgp prefix=10.2.2.0/24 "
    "via=172.16.1.2",
    "node=spoke1 event=route_up vrf=1 tunnel=1 label=9000 source=bgp prefix=10.0.0.0/8 "
    "via=172.16.1.254",
    "node=spoke2 event=route_up vrf=7 tunnel=1 label=9000 source=bgp prefix=10.0.0.0/8 "
    "via=172.16.1.254",
    "node=spoke1 event=first_packet vrf=1 tunnel=1 label=9000 direction=to_tunnel protocol=0x8847 "
    "local=10.1.1.101 remote=10.2.2.102",
    "node=hub event=first_packet vrf=5 tunnel=2 label=20200 direction=transit protocol=0x8847 "
    "local=10.1.1.101 remote=10.2.2.102",
    "node=spoke2 event=first_packet vrf=7 tunnel=1 label=20200 direction=from_tunnel "
    "protocol=0x8847 local=10.2.2.102 remote=10.1.1.101",
    "node=hub event=redirect_sent vrf=5 tunnel=1 label=10100 local=10.1.1.101 remote=10.2.2.102",
    "node=spoke1 event=redirect_heard vrf=1 tunnel=1 label=10100 local=10.1.1.101 "
    "remote=10.2.2.102",
    "node=spoke1 event=mapping_incomplete vrf=1 address=10.2.2.102",
    "node=spoke1 event=request_sent vrf=1 tunnel=1 label=9000 request_id=3735928559 "
    "address=10.2.2.102",
    "node=hub event=request_forwarded vrf=5 tunnel=2 label=9000 label2=20200 "
    "request_id=3735928559 address=10.2.2.102",
    "node=spoke2 event=request_heard vrf=7 tunnel=1 label=20200 remote=192.168.1.1 "
    "address=10.2.2.102",
    "node=spoke2 event=tunnel_wanted remote=192.168.1.1",
    "node=spoke2 event=ike_up local=192.168.1.2:500 remote=192.168.1.1:500 peer=spoke1.x",
    "node=spoke1 event=ike_up local=192.168.1.1:500 remote=192.168.1.2:500 peer=spoke2.x",
    "node=spoke2 event=tunnel_up tunnel=2 remote=192.168.1.1 address=172.16.1.1 peer=spoke1.x",
    "node=spoke1 event=tunnel_up tunnel=2 remote=192.168.1.2 address=172.16.1.2 peer=spoke2.x",
    "node=spoke2 event=pushed_route tunnel=2 prefix=172.16.1.1/32 peer=spoke1.x",
    "node=spoke2 event=reply_sent vrf=7 tunnel=2 label=20200 label2=implicit-null "
    "request_id=3735928559 prefix=10.2.2.0/24",
    "node=spoke1 event=reply_heard vrf=1 tunnel=2 label=20200 label2=implicit-null "
    "request_id=3735928559 prefix=10.2.2.0/24",
    "node=spoke1 event=mapping_up vrf=1 tunnel=2 label=20200 remote=192.168.1.2 "
    "prefix=10.2.2.0/24",
    "node=spoke1 event=route_up vrf=1 tunnel=2 label=20200 source=nhrp prefix=10.2.2.0/24 "
    "via=172.16.1.2",
    "node=spoke1 event=first_packet vrf=1 tunnel=2 label=20200 direction=to_tunnel "
    "protocol=0x8847 local=10.1.1.101 remote=10.2.2.102",
    "node=spoke2 event=first_packet vrf=7 tunnel=2 label=20200 direction=from_tunnel "
    "protocol=0x8847 local=10.2.2.102 remote=10.1.1.101",
};
enum { LINES = sizeof(good) / sizeof(good[0]), LINE_BYTES = 512 };

static walk *begin(void)
{
    walk_config config;
    walk_config_init(&config);
    walk *w = walk_new(&config);
    assert_non_null(w);
    return w;
}

static void say(walk *w, const char *line)
{
    assert_true(walk_line(w, line, strlen(line)));
}

/* The good lines, with each that contains what replaced, in it, by instead; NULL: left out. */
static walk *begin_with(const char *which, const char *what, const char *instead)
{
    walk *w = begin();
    size_t changed = 0;
    for (size_t i = 0; i < LINES; i++) {
        const char *at = strstr(good[i], which) ? strstr(good[i], what) : NULL;
        char line[LINE_BYTES];
        if (!at) {
            say(w, good[i]);
            continue;
        }
        changed++;
        if (!instead)
            continue;
        snprintf(line, sizeof(line), "%.*s%s%s", (int)(at - good[i]), good[i], instead,
                 at + strlen(what));
        say(w, line);
    }
    assert_int_equal(changed, 1);
    return w;
}

/* Of the steps, exactly these are missing; the list ends with 0. */
static void assert_missing(walk *w, const uint32_t *steps)
{
    for (uint32_t step = 1; step <= WALK_STEPS; step++) {
        const bool missing = *steps == step;
        if (walk_observed(w, step) == missing)
            fail_msg("step %u should be %s", step, missing ? "missing" : "observed");
        steps += missing;
    }
    walk_free(w);
}

#define MISSING(w, ...) assert_missing((w), (const uint32_t[]){__VA_ARGS__, 0})

static void lines_that_fit_together_are_the_whole_walk_in_order(void **state)
{
    (void)state;
    walk *w = begin();
    uint32_t step = 0;
    for (size_t i = 0; i < LINES; i++) {
        say(w, good[i]);
        char text[WALK_TEXT_BYTES], number[16];
        while (walk_poll_step(w, text)) {
            snprintf(number, sizeof(number), "step %-2u ", ++step);
            assert_memory_equal(text, number, strlen(number));
        }
    }
    assert_int_equal(step, WALK_STEPS);
    assert_int_equal(walk_count(w), WALK_STEPS);
    walk_free(w);
}

static void a_step_is_told_once_and_in_words(void **state)
{
    (void)state;
    walk *w = begin();
    for (size_t i = 0; i < LINES; i++)
        say(w, good[i]);
    for (size_t i = 0; i < LINES; i++)
        say(w, good[i]);
    char text[WALK_TEXT_BYTES];
    size_t told = 0;
    bool redirect = false;
    while (walk_poll_step(w, text)) {
        told++;
        redirect |= strcmp(text, "step 8  hub -> spoke1: NHRP redirect, label 10100 names VRF "
                                 "CUSTOMER (10.1.1.101 -> 10.2.2.102)") == 0;
    }
    assert_int_equal(told, WALK_STEPS);
    assert_true(redirect);
    walk_free(w);
}

static void lines_of_different_nodes_may_come_in_any_order(void **state)
{
    (void)state;
    static const char *const nodes[] = {"node=spoke2 ", "node=hub ", "node=spoke1 "};
    walk *w = begin();
    for (size_t n = 0; n < 3; n++)
        for (size_t i = 0; i < LINES; i++)
            if (strncmp(good[i], nodes[n], strlen(nodes[n])) == 0)
                say(w, good[i]);
    assert_int_equal(walk_count(w), WALK_STEPS);
    walk_free(w);
}

static void without_any_one_line_the_walk_is_not_whole(void **state)
{
    (void)state;
    for (size_t without = 0; without < LINES; without++) {
        walk *w = begin();
        for (size_t i = 0; i < LINES; i++)
            if (i != without)
                say(w, good[i]);
        if (walk_count(w) == WALK_STEPS)
            fail_msg("all steps without: %s", good[without]);
        walk_free(w);
    }
}

static void a_line_of_another_node_shows_nothing(void **state)
{
    (void)state;
    MISSING(begin_with("event=redirect_sent", "node=hub", "node=hub2"), 8);
    MISSING(begin_with("event=redirect_sent", "node=hub", "node=spoke1"), 8);
    MISSING(begin_with("event=request_forwarded", "node=hub", "node=spoke2"), 12);
}

static void a_redirect_with_a_label_that_spoke1_did_not_advertise_does_not_count(void **state)
{
    (void)state;
    MISSING(begin_with("event=redirect_sent", "label=10100", "label=10101"), 8);
    MISSING(begin_with("event=redirect_sent", "label=10100", "label=20200"), 8);
    /* Without a redirect that it may believe, spoke1 has no reason for what follows. */
    MISSING(begin_with("event=redirect_heard", "label=10100", "label=9000"), 9, 10, 11, 18, 19);
}

static void a_redirect_for_other_packets_or_of_another_vrf_does_not_count(void **state)
{
    (void)state;
    MISSING(begin_with("event=redirect_sent", "10.2.2.102", "10.2.2.103"), 8);
    MISSING(begin_with("event=redirect_sent", "vrf=5", "vrf=6"), 8);
    MISSING(begin_with("event=redirect_heard", "vrf=1", "vrf=2"), 9, 10, 11, 18, 19);
    MISSING(begin_with("event=redirect_heard", "tunnel=1", "tunnel=2"), 9, 10, 11, 18, 19);
}

static void a_redirect_before_the_packet_that_causes_it_does_not_count(void **state)
{
    (void)state;
    walk *w = begin();
    say(w, "node=hub event=redirect_sent vrf=5 tunnel=1 label=10100 local=10.1.1.101 "
           "remote=10.2.2.102");
    for (size_t i = 0; i < LINES; i++)
        if (!strstr(good[i], "event=redirect_sent"))
            say(w, good[i]);
    MISSING(w, 8);
}

static void a_mapping_before_the_redirect_does_not_count(void **state)
{
    (void)state;
    walk *w = begin();
    say(w, "node=spoke1 event=mapping_incomplete vrf=1 address=10.2.2.102");
    for (size_t i = 0; i < LINES; i++)
        if (!strstr(good[i], "event=mapping_incomplete"))
            say(w, good[i]);
    MISSING(w, 10, 11, 18, 19);
}

static void an_incomplete_mapping_for_the_prefix_or_in_another_vrf_does_not_count(void **state)
{
    (void)state;
    MISSING(begin_with("mapping_incomplete", "10.2.2.102", "10.2.2.0/24"), 10, 11, 18, 19);
    MISSING(begin_with("mapping_incomplete", "vrf=1", "vrf=7"), 10, 11, 18, 19);
}

static void a_request_with_another_label_than_the_hubs_does_not_count(void **state)
{
    (void)state;
    MISSING(begin_with("event=request_sent", "label=9000", "label=20200"), 11, 18, 19);
    MISSING(begin_with("event=request_sent", "tunnel=1", "tunnel=2"), 11, 18, 19);
    MISSING(begin_with("event=request_forwarded", "label2=20200", "label2=9000"), 12);
    MISSING(begin_with("event=request_forwarded", "label2=20200 ", ""), 12);
    MISSING(begin_with("event=request_forwarded", "label=9000", "label=20200"), 12);
    MISSING(begin_with("event=request_forwarded", "tunnel=2", "tunnel=1"), 12);
}

static void a_request_heard_with_another_label_vrf_or_requester_does_not_count(void **state)
{
    (void)state;
    MISSING(begin_with("event=request_heard", "label=20200", "label=9000"), 13, 16, 17);
    MISSING(begin_with("event=request_heard", "vrf=7", "vrf=1"), 13, 16, 17);
    MISSING(begin_with("event=request_heard", "192.168.1.1 ", "192.168.1.254 "), 13, 16, 17);
    MISSING(begin_with("event=tunnel_wanted", "192.168.1.1", "192.168.1.254"), 13);
}

static void a_packet_with_another_label_protocol_or_tunnel_does_not_count(void **state)
{
    (void)state;
    static const char to_hub[] = "vrf=1 tunnel=1 label=9000 direction=to_tunnel";
    MISSING(begin_with(to_hub, "label=9000", "label=9001"), 4, 5);
    MISSING(begin_with(to_hub, "0x8847", "0x0800"), 5);
    MISSING(begin_with(to_hub, "tunnel=1", "tunnel=2"), 4, 5);
    MISSING(begin_with("direction=transit", "label=20200", "label=9000"), 7);
    MISSING(begin_with("direction=transit", "vrf=5", "vrf=1"), 6, 7);
    MISSING(begin_with("vrf=7 tunnel=1 label=20200 direction", "label=20200", "label=20201"), 7);
    MISSING(begin_with("vrf=7 tunnel=2 label=20200 direction", "label=20200", "label=1"), 20);
    MISSING(begin_with("vrf=7 tunnel=2 label=20200 direction", "tunnel=2", "tunnel=1"), 20);
    MISSING(begin_with("vrf=1 tunnel=2 label=20200 direction", "label=20200", "label=9000"), 20);
    MISSING(begin_with("vrf=1 tunnel=2 label=20200 direction", "to_tunnel", "from_tunnel"), 20);
}

static void a_reply_by_the_hub_is_not_the_walk(void **state)
{
    (void)state;
    MISSING(begin_with("event=reply_sent", "tunnel=2", "tunnel=1"), 16, 17);
    MISSING(begin_with("event=reply_heard", "tunnel=2", "tunnel=1"), 18, 19);
}

static void an_overlay_label_other_than_implicit_null_does_not_count(void **state)
{
    (void)state;
    MISSING(begin_with("event=reply_sent", "label2=implicit-null", "label2=16"), 17);
    MISSING(begin_with("event=reply_sent", "label2=implicit-null ", ""), 17);
    MISSING(begin_with("event=reply_heard", "label2=implicit-null", "label2=16"), 18, 19);
    walk *w = begin_with("event=reply_sent", "label2=implicit-null", "label2=3");
    assert_int_equal(walk_count(w), WALK_STEPS);
    walk_free(w);
}

static void a_reply_counts_only_with_the_request_id_that_was_sent_in_that_vrf(void **state)
{
    (void)state;
    MISSING(begin_with("event=reply_heard", "request_id=3735928559", "request_id=1"), 18, 19);
    MISSING(begin_with("event=reply_heard", "request_id=3735928559 ", ""), 18, 19);
    MISSING(begin_with("event=reply_heard", "vrf=1", "vrf=2"), 18, 19);
    walk *w = begin();
    say(w, "node=spoke1 event=reply_heard vrf=1 tunnel=2 label=20200 label2=3 "
           "request_id=3735928559 prefix=10.2.2.0/24");
    for (size_t i = 0; i < LINES; i++)
        if (!strstr(good[i], "event=reply_heard"))
            say(w, good[i]);
    MISSING(w, 18, 19);
}

static void a_mapping_or_route_that_is_not_the_replys_does_not_count(void **state)
{
    (void)state;
    MISSING(begin_with("event=mapping_up", "label=20200", "label=9000"), 19);
    MISSING(begin_with("event=mapping_up", "192.168.1.2", "192.168.1.254"), 19);
    MISSING(begin_with("source=nhrp", "label=20200", "label=9000"), 19);
    MISSING(begin_with("source=nhrp", "source=nhrp", "source=bgp"), 19);
    MISSING(begin_with("source=nhrp", "tunnel=2", "tunnel=1"), 19);
    MISSING(begin_with("source=nhrp", "10.2.2.0/24", "10.2.2.0/25"), 19);
    MISSING(begin_with("source=nhrp", "vrf=1", "vrf=2"), 19);
}

static void a_pushed_route_that_is_not_the_tunnel_address_does_not_count(void **state)
{
    (void)state;
    MISSING(begin_with("node=spoke1 event=pushed_route", "172.16.1.254/32", "172.16.1.0/24"), 1);
    MISSING(begin_with("node=spoke2 event=pushed_route tunnel=2", "172.16.1.1/32", "172.16.1.2/32"),
            15);
    MISSING(begin_with("node=spoke2 event=pushed_route tunnel=2", "tunnel=2", "tunnel=1"), 15);
}

static void bgp_with_a_label_that_nobody_owns_does_not_count(void **state)
{
    (void)state;
    MISSING(begin_with("node=hub event=route_up vrf=5 tunnel=1", "label=10100", "label=20200"), 3);
    MISSING(begin_with("node=hub event=route_up vrf=5 tunnel=1", "source=bgp", "source=static"), 3);
    MISSING(begin_with("node=spoke2 event=route_up", "tunnel=1", "tunnel=2"), 3);
}

static void what_is_quoted_or_malformed_is_not_a_field(void **state)
{
    (void)state;
    walk *w = begin_with("event=redirect_sent", "label=10100", "why=\"not label=10100 \"");
    MISSING(w, 8);
    MISSING(begin_with("event=redirect_sent", "label=10100", "label=-10100"), 8);
    MISSING(begin_with("event=redirect_sent", "label=10100", "label=10100x"), 8);
    MISSING(begin_with("event=redirect_sent", "label=10100", "label=4294977396"), 8);
    MISSING(begin_with("event=redirect_sent", "label=10100", "label2=10100"), 8);
}

static void noise_neither_counts_nor_breaks(void **state)
{
    (void)state;
    walk *w = begin();
    prng random = {.state = 1};
    for (int i = 0; i < 20000; i++) {
        char line[LINE_BYTES];
        const char *from = good[prng_below(&random, LINES)];
        const size_t len = strlen(from);
        memcpy(line, from, len);
        /* Cut, and one byte changed: labels then differ from what was advertised. */
        const size_t cut = prng_below(&random, (uint32_t)len);
        line[prng_below(&random, (uint32_t)len)] = (char)prng_u64(&random);
        assert_true(walk_line(w, line, cut < 20 ? cut : 20));
    }
    assert_true(walk_line(w, "", 0));
    assert_true(walk_line(w, "\n", 1));
    assert_true(walk_line(w, "====", 4));
    assert_int_equal(walk_count(w), 0);
    for (size_t i = 0; i < LINES; i++)
        say(w, good[i]);
    assert_int_equal(walk_count(w), WALK_STEPS);
    walk_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_fit_together_are_the_whole_walk_in_order),
        cmocka_unit_test(a_step_is_told_once_and_in_words),
        cmocka_unit_test(lines_of_different_nodes_may_come_in_any_order),
        cmocka_unit_test(without_any_one_line_the_walk_is_not_whole),
        cmocka_unit_test(a_line_of_another_node_shows_nothing),
        cmocka_unit_test(a_redirect_with_a_label_that_spoke1_did_not_advertise_does_not_count),
        cmocka_unit_test(a_redirect_for_other_packets_or_of_another_vrf_does_not_count),
        cmocka_unit_test(a_redirect_before_the_packet_that_causes_it_does_not_count),
        cmocka_unit_test(a_mapping_before_the_redirect_does_not_count),
        cmocka_unit_test(an_incomplete_mapping_for_the_prefix_or_in_another_vrf_does_not_count),
        cmocka_unit_test(a_request_with_another_label_than_the_hubs_does_not_count),
        cmocka_unit_test(a_request_heard_with_another_label_vrf_or_requester_does_not_count),
        cmocka_unit_test(a_packet_with_another_label_protocol_or_tunnel_does_not_count),
        cmocka_unit_test(a_reply_by_the_hub_is_not_the_walk),
        cmocka_unit_test(an_overlay_label_other_than_implicit_null_does_not_count),
        cmocka_unit_test(a_reply_counts_only_with_the_request_id_that_was_sent_in_that_vrf),
        cmocka_unit_test(a_mapping_or_route_that_is_not_the_replys_does_not_count),
        cmocka_unit_test(a_pushed_route_that_is_not_the_tunnel_address_does_not_count),
        cmocka_unit_test(bgp_with_a_label_that_nobody_owns_does_not_count),
        cmocka_unit_test(what_is_quoted_or_malformed_is_not_a_field),
        cmocka_unit_test(noise_neither_counts_nor_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
