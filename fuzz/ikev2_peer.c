/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * An authenticated peer gone hostile: the fuzzer's payload chains are encrypted with the right
 * keys. The input is a row of records: what to do, an argument, type of the first payload, length
 * in two bytes, payloads. MANGLE flips one bit of what was sealed; PIECE seals a fragment whose
 * number, total and padding are the input's. The top bit of the argument puts the SPI of a Child SA
 * that exists into the payloads that name one. STARVE makes an allocation of either end fail.
 */
#include "ikev2_world.h"
#include "image.h"

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
    MANGLE,
    PIECE,
    STARVE,
    ACTIONS
};
enum { NAMED = 0x80, TEXT_BYTES = 2048 };

/* first says where, the high bits of the argument which bit. */
static void send_mangled(world *w, ikev2__sa *mine, uint8_t exchange, uint32_t id, uint8_t first,
                         uint8_t bit, const uint8_t *text, size_t len)
{
    ikev2__builder b = {.w = wire_writer_make(w->other->plain, w->other->cfg.max_message_bytes),
                        .first = first};
    ikev2__flight flight;
    wire_put_bytes(&b.w, text, len);
    if (ikev2__protect(mine, exchange, false, id, &b, &flight) != IKEV2_OK)
        return;
    flight.bytes[2 + first % (flight.len - 2)] ^= (uint8_t)(1u << bit);
    world_give(w, flight.bytes + 2, flight.len - 2);
    ikev2__flight_free(w->other, &flight);
}

/* RFC 7383 2.5. The text is number, total, then what is encrypted, its pad length included. */
static void send_piece(world *w, ikev2__sa *mine, uint8_t exchange, uint32_t id, uint8_t first,
                       const uint8_t *text, size_t len)
{
    const ikev2__cipher *c = &mine->cipher;
    wire_reader r = wire_reader_make(text, len);
    const uint8_t number = wire_get_u8(&r);
    const uint8_t total = wire_get_u8(&r);
    wire_writer m = wire_writer_make(w->other->plain, w->other->cfg.max_message_bytes);
    const size_t size = IKEV2_HEADER_BYTES + 8 + c->iv_bytes + r.left + c->icv_bytes;
    const ikev2_header h = {.spi_i = mine->spi_i,
                            .spi_r = mine->spi_r,
                            .next_payload = IKEV2_PAYLOAD_SKF,
                            .version = IKEV2__VERSION,
                            .exchange = exchange,
                            .flags = mine->initiator ? IKEV2_FLAG_INITIATOR : 0,
                            .message_id = id,
                            .length = (uint32_t)size};
    ikev2__header_put(&m, &h);
    wire_put_u8(&m, first);
    wire_put_u8(&m, 0);
    wire_put_u16(&m, (uint16_t)(size - IKEV2_HEADER_BYTES));
    wire_put_u16(&m, number);
    wire_put_u16(&m, total);
    const size_t aad = m.len;
    wire_put_zeros(&m, c->iv_bytes);
    wire_put_bytes(&m, r.next, r.left);
    wire_put_zeros(&m, c->icv_bytes);
    if (!wire_fits(&m) ||
        !ikev2__seal(w->other->crypto, c, mine->initiator ? mine->keys.ei : mine->keys.er,
                     mine->initiator ? mine->keys.ai : mine->keys.ar, &w->other->random,
                     mine->iv_counter++, m.buf, aad, r.left))
        return;
    world_give(w, m.buf, m.len);
}

/* In REKEY_SA and in Delete payloads for ESP; whose turn it is, the argument says. */
static void name_child(const world *w, uint8_t first, uint8_t *text, size_t len, uint8_t turn)
{
    ikev2_chain chain;
    ikev2_payload p;
    ikev2_notify n;
    ikev2_delete d;
    uint64_t id = 0;
    for (uint8_t i = 0; i <= turn; i++)
        (void)ikev2_engine_next_child(w->other, w->other_sa, &id);
    const ikev2__child *child = ikev2__child_by_id(w->other, id);
    if (!child || len == 0 || ikev2_chain_begin(text, len, first, &chain) != IKEV2_OK)
        return;
    while (ikev2_chain_next(&chain, &p) == IKEV2_YES) {
        const uint8_t *spi = NULL;
        if (p.type == IKEV2_PAYLOAD_NOTIFY && ikev2_notify_decode(p.body, p.len, &n) == IKEV2_OK &&
            n.spi_len == 4)
            spi = n.spi;
        if (p.type == IKEV2_PAYLOAD_DELETE && ikev2_delete_decode(p.body, p.len, &d) == IKEV2_OK &&
            d.protocol == IKEV2_PROTOCOL_ID_ESP && d.count > 0)
            spi = d.spis;
        if (spi)
            wire_set_u32(text + (spi - text), child->spi_in);
    }
}

static void act(world *w, uint8_t action, uint8_t argument)
{
    ikev2__sa *mine = world_mine(w);
    ikev2__sa *sa = mine ? world_victims(w, mine) : NULL;
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
    case STARVE:
        image_starve(argument);
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
    ikev2__sa *mine = world_mine(&w);
    while (r.left > 0 && wire_ok(&r)) {
        const uint8_t action = wire_get_u8(&r) % ACTIONS;
        const uint8_t argument = wire_get_u8(&r);
        const ikev2__sa *sa = world_victims(&w, mine);
        if (!sa)
            break;
        if ((action > RESPONSE && action < FRAGMENT) || action == STARVE) {
            act(&w, action, argument);
            continue;
        }
        const uint8_t first = wire_get_u8(&r);
        size_t len = wire_get_u16(&r);
        if (len > r.left)
            len = r.left;
        const uint8_t *text = wire_get_bytes(&r, len);
        uint8_t named[TEXT_BYTES];
        if ((argument & NAMED) && len > 0 && len <= sizeof(named)) {
            memcpy(named, text, len);
            name_child(&w, first, named, len, argument >> 5 & 3);
            text = named;
        }
        const bool response = action == RESPONSE;
        w.other->cfg.fragment_bytes = action == FRAGMENT ? 128 : 0;
        const uint32_t id = response ? sa->next_send - 1 : sa->next_recv;
        const uint8_t exchange = exchanges[argument % 4];
        if (action == MANGLE)
            send_mangled(&w, mine, exchange, id, first, argument >> 2 & 7, text, len);
        else if (action == PIECE)
            send_piece(&w, mine, exchange, id, first, text, len);
        else
            world_send_sealed(&w, mine, exchange, response, id, first, text, len);
    }
    world_close(&w);
    return 0;
}
