/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sas.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * An inbound SA outlives its removal a little. The peer stops sending on it before it says so, but
 * its ESP and its IKE messages overtake each other, in its threads and on the way.
 */
enum { RETIRE_MS = 1000 };

static void must(int32_t rc, const char *what)
{
    if (rc == ESP_OK)
        return;
    printf("FATAL %s rc=%d\n", what, rc);
    exit(1);
}

static child *find(sas *s, uint64_t child_id)
{
    for (size_t i = 0; i < SAS_MAX; i++)
        if (s->slots[i].id == child_id)
            return &s->slots[i];
    return NULL;
}

void sas_init(sas *s, uint64_t soft_packets)
{
    esp_table_config cfg;
    *s = (sas){.soft_packets = soft_packets};
    esp_table_config_init(&cfg);
    must(esp_table_new(&cfg, &s->table), "esp_table_new");
}

static uint8_t algorithm(const ikev2_child_info *c)
{
    if (c->encr == IKEV2_ENCR_CHACHA20_POLY1305)
        return ESP_ALGORITHM_CHACHA20_POLY1305;
    return c->key_bits == 256 ? ESP_ALGORITHM_AES256_GCM16 : ESP_ALGORITHM_AES128_GCM16;
}

static esp_sa *make(const ikev2_child_info *c, uint8_t direction, uint64_t soft_packets)
{
    const int in = direction == ESP_DIRECTION_IN;
    esp_sa_config cfg;
    esp_sa *sa;
    esp_sa_config_init(&cfg);
    cfg.spi = in ? c->spi_in : c->spi_out;
    cfg.direction = direction;
    cfg.mode = c->mode == IKEV2_MODE_TUNNEL ? ESP_MODE_TUNNEL : ESP_MODE_TRANSPORT;
    cfg.algorithm = algorithm(c);
    cfg.esn = c->esn;
    cfg.keymat = in ? c->key_in : c->key_out;
    cfg.keymat_len = in ? c->key_in_len : c->key_out_len;
    cfg.soft_packets = in ? 0 : soft_packets;
    must(esp_sa_new(&cfg, &sa), "esp_sa_new");
    return sa;
}

static ikev2_child_info describe(const ikev2_engine *e, uint64_t child_id)
{
    ikev2_child_info c = {.struct_size = sizeof(c)};
    must(ikev2_engine_get_child(e, child_id, &c), "ikev2_engine_get_child");
    return c;
}

void sas_install_in(sas *s, const ikev2_engine *e, uint64_t child_id)
{
    const ikev2_child_info c = describe(e, child_id);
    child *slot = find(s, 0);
    must(slot ? ESP_OK : ESP_ERR_LIMIT, "children");
    *slot = (child){.id = child_id, .spi_in = c.spi_in, .spi_out = c.spi_out, .path = c.path};
    slot->in = make(&c, ESP_DIRECTION_IN, 0);
    must(esp_table_add(s->table, slot->in, (uint64_t)(slot - s->slots)), "esp_table_add");
}

void sas_install_out(sas *s, const ikev2_engine *e, uint64_t child_id)
{
    const ikev2_child_info c = describe(e, child_id);
    child *slot = find(s, child_id);
    must(slot ? ESP_OK : ESP_ERR_ABSENT, "outbound before inbound");
    slot->out = make(&c, ESP_DIRECTION_OUT, s->soft_packets);
    s->sending = slot;
}

void sas_remove(sas *s, uint64_t now_ms, uint64_t child_id)
{
    child *slot = find(s, child_id);
    if (!slot)
        return;
    if (s->sending == slot)
        s->sending = NULL;
    slot->retire_ms = now_ms + RETIRE_MS;
}

void sas_follow_path(sas *s, const ikev2_engine *e)
{
    for (size_t i = 0; i < SAS_MAX; i++) {
        ikev2_child_info c = {.struct_size = sizeof(c)};
        if (s->slots[i].id && ikev2_engine_get_child(e, s->slots[i].id, &c) == IKEV2_OK)
            s->slots[i].path = c.path;
    }
}

static void release(sas *s, child *slot)
{
    esp_sa_counters in = {.struct_size = sizeof(in)};
    esp_sa_counters out = {.struct_size = sizeof(out)};
    must(esp_sa_get_counters(slot->in, &in), "esp_sa_get_counters");
    if (slot->out)
        must(esp_sa_get_counters(slot->out, &out), "esp_sa_get_counters");
    printf("child-done child=%" PRIu64 " spi_in=%08x opened=%" PRIu64
           " spi_out=%08x sealed=%" PRIu64 "\n",
           slot->id, slot->spi_in, in.packets, slot->spi_out, out.packets);
    must(esp_table_remove(s->table, slot->spi_in), "esp_table_remove");
    esp_sa_free(slot->in);
    esp_sa_free(slot->out);
    *slot = (child){0};
}

uint64_t sas_retire(sas *s, uint64_t now_ms)
{
    uint64_t next = IKEV2_NEVER;
    for (size_t i = 0; i < SAS_MAX; i++) {
        child *slot = &s->slots[i];
        if (slot->retire_ms == 0)
            continue;
        if (slot->retire_ms <= now_ms)
            release(s, slot);
        else if (slot->retire_ms < next)
            next = slot->retire_ms;
    }
    return next;
}

void sas_free(sas *s)
{
    for (size_t i = 0; i < SAS_MAX; i++)
        if (s->slots[i].id)
            release(s, &s->slots[i]);
    esp_table_free(s->table);
}
