/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A stranger who has agreed on keys and now must say who he is: what can be reached before anyone
 * is authenticated, on either side. The first octet: bit 0, the victim is the initiator; bits 1 and
 * 2, what its caller answers when it is asked; the rest, which allocation fails. Then a row of
 * records: what to do, type of the first
 * payload, length in two bytes, payloads. In PROVED the AUTH payload is made right for whatever
 * identity the message claims. Without it no SA is ever established, no Child SA installed.
 */
#include "ikev2_world.h"
#include "image.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PROVED, CLAIMED, OTHER_EXCHANGE, BACKWARDS, LATER, IN_PIECES, KINDS };
enum { TEXT_BYTES = 2048, STEP_MS = 3000, PIECE_BYTES = 128, AUTH_HEAD = 4 };

/* Puts the value that belongs to the identity into the AUTH payload; false: there is none. */
static bool prove(const ikev2__sa *mine, uint8_t first, uint8_t *text, size_t len)
{
    ikev2_chain chain;
    ikev2_payload p;
    ikev2_identity id = {0};
    uint8_t value[IKEV2__MAX_PRF_BYTES];
    uint8_t *auth = NULL;
    const size_t n = ikev2__prf_bytes(mine->suite.prf);
    const uint8_t whose = mine->initiator ? IKEV2_PAYLOAD_IDI : IKEV2_PAYLOAD_IDR;
    if (len == 0 || ikev2_chain_begin(text, len, first, &chain) != IKEV2_OK)
        return false;
    while (ikev2_chain_next(&chain, &p) == IKEV2_YES) {
        if (p.type == whose)
            (void)ikev2_id_decode(p.body, p.len, &id);
        if (p.type == IKEV2_PAYLOAD_AUTH && p.len == AUTH_HEAD + n)
            auth = text + (p.body - text);
    }
    if (!auth || id.len == 0 || !mine->hs ||
        !ikev2__auth_value(mine, mine->initiator, world_psk, sizeof(world_psk), &id, value))
        return false;
    auth[0] = IKEV2_AUTH_SHARED_KEY;
    memcpy(auth + AUTH_HEAD, value, n);
    return true;
}

/* True: it held a proof of identity. */
static bool record(world *w, ikev2__sa *mine, wire_reader *r)
{
    static const uint8_t others[] = {IKEV2_EXCHANGE_IKE_SA_INIT, IKEV2_EXCHANGE_CREATE_CHILD_SA,
                                     IKEV2_EXCHANGE_INFORMATIONAL};
    uint8_t text[TEXT_BYTES];
    const uint8_t kind = wire_get_u8(r) % KINDS;
    const uint8_t first = wire_get_u8(r);
    if (kind == LATER) {
        w->now_ms += (uint64_t)first * STEP_MS;
        (void)ikev2_engine_timeout(w->victim, w->now_ms);
        world_drain_victim(w);
        return false;
    }
    size_t len = wire_get_u16(r) % sizeof(text);
    if (len > r->left)
        len = r->left;
    wire_get_copy(r, text, len);
    const bool proof = kind != CLAIMED && prove(mine, first, text, len);
    const uint8_t exchange =
        kind == OTHER_EXCHANGE ? others[len % sizeof(others)] : IKEV2_EXCHANGE_IKE_AUTH;
    const bool response = mine->initiator == (kind == BACKWARDS);
    w->other->cfg.fragment_bytes = kind == IN_PIECES ? PIECE_BYTES : 0;
    world_send_sealed(w, mine, exchange, response, 1, first, text, len);
    return proof;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w;
    wire_reader r = wire_reader_make(data, size);
    const uint8_t flags = wire_get_u8(&r);
    world_begin_keyed(&w, flags & 1);
    w.answers = flags >> 1 & 3;
    image_starve(flags >> 3);
    ikev2__sa *mine = world_mine(&w);
    bool proved = false;
    while (mine && r.left > 0 && wire_ok(&r) && world_victims(&w, mine)) {
        proved |= record(&w, mine, &r);
        const ikev2__sa *sa = world_victims(&w, mine);
        if (!proved && ((sa && (1u << sa->state & IKEV2__IN(ESTABLISHED))) || w.installed > 0))
            abort();
    }
    world_close(&w);
    return 0;
}
