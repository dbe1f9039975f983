/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Strangers' datagrams at an engine that has an established SA with someone else. The input is a
 * row of records: flags, length in two bytes, datagram. Header lengths are repaired, and where a
 * flag says so the SPIs of the established or of the newest half-open SA are put in.
 */
#include "ikev2_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPAIR_LENGTH = 1, KNOWN_SPI = 2, PORT_4500 = 4, LATER = 8, TO_INITIATOR = 16 };

static void put_spis(const ikev2_engine *e, uint64_t id, uint8_t *message)
{
    const ikev2__sa *sa = ikev2__sa_by_id(e, id);
    if (!sa)
        return;
    wire_writer w = wire_writer_make(message, 16);
    wire_put_u64(&w, sa->spi_i);
    wire_put_u64(&w, sa->spi_r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w;
    wire_reader r = wire_reader_make(data, size);
    world_begin(&w);
    while (r.left > 0 && wire_ok(&r)) {
        uint8_t message[2048] = {0};
        const uint8_t flags = wire_get_u8(&r);
        size_t len = wire_get_u16(&r) % (sizeof(message) - 4);
        if (len > r.left)
            len = r.left;
        const size_t head = flags & PORT_4500 ? 4 : 0;
        wire_get_copy(&r, message + head, len);
        if ((flags & REPAIR_LENGTH) && len >= IKEV2_HEADER_BYTES)
            wire_set_u32(message + head + 24, (uint32_t)len);
        if ((flags & KNOWN_SPI) && len >= IKEV2_HEADER_BYTES)
            put_spis(w.victim, w.victim->next_id - (flags >> 5), message + head);
        ikev2_path path = w.to_victim;
        if (flags & PORT_4500)
            path.local.port = 4500;
        if (flags & TO_INITIATOR) {
            /* An SA of the victim's own that waits for its first answer. */
            ikev2_peer peer = w.victim->profiles[0]->pub;
            uint64_t id;
            peer.path = w.to_victim;
            (void)ikev2_engine_initiate(w.victim, w.now_ms, &peer, &id);
            if (len >= IKEV2_HEADER_BYTES) {
                const ikev2__sa *sa = ikev2__sa_by_id(w.victim, id);
                wire_writer put = wire_writer_make(message + head, 8);
                if (sa)
                    wire_put_u64(&put, sa->spi_i);
            }
        }
        (void)ikev2_engine_input(w.victim, w.now_ms, &path, message, head + len);
        world_drain_victim(&w);
        if (flags & LATER) {
            w.now_ms += 5000;
            (void)ikev2_engine_timeout(w.victim, w.now_ms);
            world_drain_victim(&w);
        }
    }
    world_close(&w);
    return 0;
}
