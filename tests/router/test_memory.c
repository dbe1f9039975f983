/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each allocation of a node fails once, wherever it is on the walk. The node leaks nothing and
 * finds its way back: three minutes later the customers' packets arrive.
 */
#include "mesh.h"

#include <stdlib.h>
#include <string.h>

enum { HUB = 0, SPOKE1 = 1, SPOKE2 = 2, VRF = 1, SIZE = 100 };

static void send_ce1(mesh *m)
{
    uint8_t packet[1600];
    const router_addr ce1 = mesh_ipv4(10, 1, 1, 101, 0);
    const router_addr ce2 = mesh_ipv4(10, 2, 2, 102, 0);
    mesh_send(m, SPOKE1, VRF, packet, mesh_udp(packet, &ce1, &ce2, 64, false, SIZE));
}

static void walk_without_memory(fail_alloc *f, void *user)
{
    const size_t failing = *(const size_t *)user;
    mesh *m = mesh_new(51);
    router_config *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    for (size_t i = 0; i < 3; i++) {
        mesh_config(c, i);
        c->flows = 8;
        if (i == failing) {
            c->resize = fail_alloc_resize;
            c->resize_user = f;
        }
        const int32_t rc = mesh_try(m, c);
        if (rc != ROUTER_OK) {
            assert_int_equal(i, failing);
            assert_int_equal(rc, ROUTER_ERR_NOMEM);
            free(c);
            mesh_free(m);
            return;
        }
    }
    free(c);
    mesh_run(m, 8000);
    for (int i = 0; i < 4; i++) {
        send_ce1(m);
        mesh_run(m, 1500);
    }
    mesh_run(m, 180000);
    mesh_empty(m, SPOKE2);
    mesh_packet got;
    send_ce1(m);
    mesh_run(m, 100);
    if (!mesh_take(m, SPOKE2, VRF, &got)) {
        mesh_print(m);
        fail_msg("no way back after allocation %llu failed", (unsigned long long)f->fail_at);
    }
    assert_int_equal(m->leaks, 0);
    mesh_free(m);
}

static void any_allocation_of_the_hub_may_fail_once(void **state)
{
    (void)state;
    size_t node = HUB;
    assert_survives_every_allocation_failure(walk_without_memory, &node);
}

static void any_allocation_of_the_requester_may_fail_once(void **state)
{
    (void)state;
    size_t node = SPOKE1;
    assert_survives_every_allocation_failure(walk_without_memory, &node);
}

static void any_allocation_of_the_responder_may_fail_once(void **state)
{
    (void)state;
    size_t node = SPOKE2;
    assert_survives_every_allocation_failure(walk_without_memory, &node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_of_the_hub_may_fail_once),
        cmocka_unit_test(any_allocation_of_the_requester_may_fail_once),
        cmocka_unit_test(any_allocation_of_the_responder_may_fail_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
