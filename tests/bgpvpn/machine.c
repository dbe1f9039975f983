/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const bgpvpn_addr us = {.family = BGPVPN_FAMILY_IPV4, .bytes = {10, 0, 0, 1}};
const bgpvpn_addr them = {.family = BGPVPN_FAMILY_IPV4, .bytes = {10, 0, 0, 2}};

enum { FEED_MAX = 65536, CREDIT = 1 << 20 };

static void take_events(machine *m)
{
    bgpvpn_event ev;
    while (bgpvpn_engine_poll_event(m->e, &ev) == BGPVPN_YES) {
        m->kinds |= UINT64_C(1) << ev.kind;
        if (ev.kind == BGPVPN_EVENT_CONNECT)
            m->stream = ev.parent_id;
        if (ev.kind == BGPVPN_EVENT_UP || ev.kind == BGPVPN_EVENT_DOWN ||
            ev.kind == BGPVPN_EVENT_FAILED)
            m->last = ev;
    }
}

static void take_output(machine *m)
{
    static uint8_t buf[MACHINE_SENT];
    bgpvpn_output out;
    while (bgpvpn_engine_poll_output(m->e, m->now_ms, buf, sizeof(buf), &out) == BGPVPN_YES) {
        for (size_t at = 0; at + BGPVPN_HEADER_LEN <= out.len;) {
            const size_t len = (size_t)buf[at + 16] << 8 | buf[at + 17];
            m->count[buf[at + 18]]++;
            if (buf[at + 18] == BGPVPN_MESSAGE_NOTIFICATION)
                m->note = (uint16_t)(buf[at + 19] << 8 | buf[at + 20]);
            at += len;
        }
        assert_true(m->sent_len + out.len <= sizeof(m->sent));
        memcpy(m->sent + m->sent_len, buf, out.len);
        m->sent_len += out.len;
    }
}

void machine_pump(machine *m)
{
    for (int turn = 0; turn < 4; turn++) {
        take_events(m);
        (void)bgpvpn_engine_set_credit(m->e, m->now_ms, m->stream, CREDIT);
        take_output(m);
    }
}

void machine_feed(machine *m, const char *hex)
{
    uint8_t *buf = malloc(FEED_MAX);
    size_t used;
    assert_non_null(buf);
    const size_t len = hex_bytes(hex, buf, FEED_MAX);
    (void)bgpvpn_engine_input(m->e, m->now_ms, m->stream, buf, len, &used);
    free(buf);
    machine_pump(m);
}

void machine_route(machine *m, uint32_t n, uint32_t label)
{
    char hex[256];
    if (label == BGPVPN_LABEL_NONE)
        (void)snprintf(hex, sizeof(hex),
                       HEADER "002c02 0000 0015 800f12 000180 70800000 0000fde800000001 0a%04x",
                       (unsigned)n);
    else
        (void)snprintf(hex, sizeof(hex),
                       HEADER "005302 0000 003c 800e20 0001800c0000000000000000 0a000002 00"
                              "70%05x1 0000fde800000001 0a%04x"
                              "400101 00 400200 400504 00000064 c01008 0002fde800000064",
                       (unsigned)label, (unsigned)n);
    machine_feed(m, hex);
}

uint32_t machine_paths(const machine *m)
{
    bgpvpn_path_info p = {.struct_size = sizeof(p)};
    uint64_t it = 0;
    uint32_t count = 0;
    while (bgpvpn_engine_get_next_path(m->e, &it, &p) == BGPVPN_YES)
        count += p.neighbor == m->id && p.usable;
    return count;
}

void machine_wait(machine *m, uint64_t ms)
{
    const uint64_t end = m->now_ms + ms;
    while (m->now_ms < end) {
        const uint64_t at = bgpvpn_engine_deadline(m->e);
        m->now_ms = at > m->now_ms && at < end ? at : at <= m->now_ms ? m->now_ms + 1 : end;
        (void)bgpvpn_engine_timeout(m->e, m->now_ms);
        machine_pump(m);
    }
}

uint32_t machine_state(const machine *m)
{
    bgpvpn_neighbor_info info = {.struct_size = sizeof(info)};
    assert_int_equal(bgpvpn_engine_get_neighbor(m->e, m->id, &info), BGPVPN_OK);
    return info.state;
}

void machine_neighbor(bgpvpn_neighbor_config *out)
{
    (void)bgpvpn_neighbor_config_init(out);
    out->address = them;
    out->remote_as = 65000;
}

void machine_new(machine *m, const bgpvpn_config *cfg, const bgpvpn_neighbor_config *neighbor)
{
    bgpvpn_config ours;
    bgpvpn_neighbor_config n;
    memset(m, 0, sizeof(*m));
    net_config(0, &ours);
    machine_neighbor(&n);
    m->now_ms = 1000;
    assert_int_equal(bgpvpn_engine_new(cfg ? cfg : &ours, m->now_ms, &m->e), BGPVPN_OK);
    assert_int_equal(bgpvpn_engine_neighbor_add(m->e, m->now_ms, neighbor ? neighbor : &n, &m->id),
                     BGPVPN_OK);
    machine_pump(m);
}

void machine_establish(machine *m, const char *open)
{
    assert_int_equal(bgpvpn_engine_stream_up(m->e, m->now_ms, m->stream, &us), BGPVPN_OK);
    machine_pump(m);
    machine_feed(m, open);
    machine_feed(m, KEEPALIVE);
    assert_int_equal(machine_state(m), BGPVPN_STATE_ESTABLISHED);
}

void machine_in(machine *m, uint32_t state)
{
    bgpvpn_neighbor_config n;
    machine_neighbor(&n);
    n.flags = state == BGPVPN_STATE_ACTIVE ? BGPVPN_NEIGHBOR_PASSIVE : 0;
    machine_new(m, NULL, &n);
    if (state == BGPVPN_STATE_IDLE)
        (void)bgpvpn_engine_neighbor_shutdown(m->e, m->now_ms, m->id, NULL, 0);
    if (state >= BGPVPN_STATE_OPEN_SENT)
        assert_int_equal(bgpvpn_engine_stream_up(m->e, m->now_ms, m->stream, &us), BGPVPN_OK);
    machine_pump(m);
    if (state >= BGPVPN_STATE_OPEN_CONFIRM)
        machine_feed(m, OPEN);
    if (state == BGPVPN_STATE_ESTABLISHED)
        machine_feed(m, KEEPALIVE);
    assert_int_equal(machine_state(m), state);
}
