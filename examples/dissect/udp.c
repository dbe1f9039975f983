/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * UDP, and who lives on its ports.
 */
#include "core.h"
#include "internal/checksum.h"
#include "internal/wire.h"
#include "transport.h"

#include <esp/esp.h>

enum { UDP_BYTES = 8, PROTOCOL_UDP = 17, PORT_IKE = 500, PORT_NAT_TRAVERSAL = 4500 };

const char *ds_checksum(const dissector *d, const span *s, uint8_t protocol)
{
    if (ds_is_cut(s) || d->quoting > 0)
        return "unverified";
    const uint8_t pseudo[8] = {(uint8_t)(s->len >> 24),
                               (uint8_t)(s->len >> 16),
                               (uint8_t)(s->len >> 8),
                               (uint8_t)s->len,
                               0,
                               0,
                               0,
                               protocol};
    const size_t len = d->ends.family == ESP_FAMILY_IPV4 ? 4 : 16;
    uint64_t sum = checksum_add(0, pseudo, sizeof pseudo);
    sum = checksum_add(sum, d->ends.source, len);
    sum = checksum_add(sum, d->ends.destination, len);
    return checksum_end(checksum_add(sum, s->bytes, s->len)) == 0 ? "good" : "bad";
}

/* RFC 3948 2 */
static void nat_traversal(dissector *d, node *layer, span s)
{
    uint32_t kind;
    const esp_rc rc = esp_udp_classify(s.bytes, s.len, &kind);
    if (rc != ESP_OK) {
        ds_fault_at(d, layer, &s, 0, "RFC 3948 2", RULES_ESP, rc);
    } else if (kind == ESP_UDP_KEEPALIVE) {
        tree_text(&d->tree, layer, "payload", "NAT keepalive");
    } else if (kind == ESP_UDP_IKE) {
        tree_true(&d->tree, layer, "non_esp_marker");
        ds_enter(d, ds_ikev2, ds_from(&s, ESP_UDP_MARKER_BYTES));
    } else {
        ds_enter(d, ds_esp, s);
    }
}

static bool is_port(const dissector *d, uint16_t port)
{
    return d->ends.source_port == port || d->ends.destination_port == port;
}

void ds_udp(dissector *d, span s)
{
    tree *t = &d->tree;
    node *layer = ds_layer(d, "udp", &s);
    wire_reader r = wire_reader_make(s.bytes, s.len);
    d->ends.source_port = wire_get_u16(&r);
    d->ends.destination_port = wire_get_u16(&r);
    const uint16_t length = wire_get_u16(&r);
    const uint16_t checksum = wire_get_u16(&r);
    if (!wire_ok(&r)) {
        ds_fault(d, layer, &s, RULES_UDP, UDP_ERR_TRUNCATED);
        return;
    }
    tree_number(t, layer, "source_port", d->ends.source_port);
    tree_number(t, layer, "destination_port", d->ends.destination_port);
    tree_number(t, layer, "length", length);
    if (length < UDP_BYTES || (length > s.wire_len && d->quoting == 0)) {
        ds_fault(d, layer, &s, RULES_UDP, UDP_ERR_LENGTH);
        return;
    }
    const span whole = ds_first(&s, length);
    const span payload = ds_from(&whole, UDP_BYTES);
    /* A wrong one is no error: cards that compute it are handed packets without. */
    tree_text(t, layer, "checksum", checksum == 0 ? "none" : ds_checksum(d, &whole, PROTOCOL_UDP));
    if (is_port(d, PORT_NAT_TRAVERSAL))
        nat_traversal(d, layer, payload);
    else if (is_port(d, PORT_IKE))
        ds_enter(d, ds_ikev2, payload);
    else
        ds_payload(d, layer, &payload);
}
