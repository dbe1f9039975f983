/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An authenticated peer gone hostile: the fuzzer's payload chains are encrypted with the right
 * keys. The input is a row of records: what to do, an argument, type of the first payload, length
 * in two bytes, payloads.
 */
#include "ikev2_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    REQUEST,
    RESPONSE,
    REKEY_CHILD,
    REKEY_IKE,
    NEW_CHILD,
    DELETE_CHILD,
    LATER,
    FRAGMENT,
    ACTIONS
};

/* The victim's SA that the other one's keys belong to. */
static ikev2__sa *victims(const world *w, const ikev2__sa *mine)
{
    return ikev2__sa_by_spi(w->victim, mine->spi_r);
}

static void send_sealed(world *w, ikev2__sa *mine, uint8_t exchange, bool response, uint32_t id,
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
        (void)ikev2_engine_input(w->victim, w->now_ms, &w->to_victim, flight.bytes + at + 2, n);
        world_drain_victim(w);
        at += 2 + n;
    }
    ikev2__flight_free(w->other, &flight);
}

static void act(world *w, uint8_t action, uint8_t argument)
{
    ikev2__sa *mine = ikev2__sa_by_id(w->other, w->other_sa);
    ikev2__sa *sa = mine ? victims(w, mine) : NULL;
    uint64_t child = 0;
    uint64_t id;
    if (!sa)
        return;
    for (uint8_t i = 0; i <= argument % 4; i++)
        if (ikev2_engine_next_child(w->victim, sa->id, &child) != IKEV2_YES)
            break;
    switch (action) {
    case REKEY_CHILD:
        (void)ikev2_engine_rekey_child(w->victim, w->now_ms, child);
        break;
    case REKEY_IKE:
        (void)ikev2_engine_rekey_ike(w->victim, w->now_ms, sa->id);
        break;
    case NEW_CHILD:
        (void)ikev2_engine_initiate_child(w->victim, w->now_ms, sa->id, NULL, &id);
        break;
    case DELETE_CHILD:
        (void)ikev2_engine_delete_child(w->victim, w->now_ms, child);
        break;
    default:
        w->now_ms += (uint64_t)argument * 100;
        (void)ikev2_engine_timeout(w->victim, w->now_ms);
        break;
    }
    world_drain_victim(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t exchanges[] = {36, 37, 35, 34};
    world w;
    wire_reader r = wire_reader_make(data, size);
    world_begin(&w);
    ikev2__sa *mine = ikev2__sa_by_id(w.other, w.other_sa);
    while (r.left > 0 && wire_ok(&r)) {
        const uint8_t action = wire_get_u8(&r) % ACTIONS;
        const uint8_t argument = wire_get_u8(&r);
        const ikev2__sa *sa = victims(&w, mine);
        if (!sa)
            break;
        if (action != REQUEST && action != RESPONSE && action != FRAGMENT) {
            act(&w, action, argument);
            continue;
        }
        const uint8_t first = wire_get_u8(&r);
        size_t len = wire_get_u16(&r);
        if (len > r.left)
            len = r.left;
        const uint8_t *text = wire_get_bytes(&r, len);
        const bool response = action == RESPONSE;
        w.other->cfg.fragment_bytes = action == FRAGMENT ? 128 : 0;
        const uint32_t id = response ? sa->next_send - 1 : sa->next_recv;
        send_sealed(&w, mine, exchanges[argument % 4], response, id, first, text, len);
    }
    world_close(&w);
    return 0;
}
