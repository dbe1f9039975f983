/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sa.h"

#include <esp/table.h>
#include <internal/container.h>
#include <internal/map.h>
#include <internal/versioned.h>

#define DEFAULT_MAX_ENTRIES 1000000
#define CONFIG_FIRST_SIZE   sizeof(esp_table_config)

typedef struct entry {
    map_node node;
    esp_sa *sa;
    uint64_t cookie;
} entry;

struct esp_table {
    alloc alloc;
    map map;
    uint32_t max_entries;
};

/* Spreads SPIs over the buckets. One to one, so that equal hashes are equal SPIs. */
static uint64_t hash_spi(uint32_t spi)
{
    uint32_t h = spi;
    h = (h ^ h >> 16) * UINT32_C(0x7feb352d);
    h = (h ^ h >> 15) * UINT32_C(0x846ca68b);
    return h ^ h >> 16;
}

static entry *find(const esp_table *t, uint32_t spi)
{
    map_node *node = map_first(&t->map, hash_spi(spi));
    return node ? CONTAINER_OF(node, entry, node) : NULL;
}

void esp_table_config_init(esp_table_config *cfg)
{
    if (!cfg)
        return;
    memset(cfg, 0, sizeof(*cfg));
    cfg->struct_size = sizeof(*cfg);
    cfg->max_entries = DEFAULT_MAX_ENTRIES;
}

esp_rc esp_table_new(const esp_table_config *config, esp_table **out)
{
    esp_table_config cfg;
    esp_table_config_init(&cfg);
    if (!config || !out || !versioned_read(&cfg, sizeof(cfg), CONFIG_FIRST_SIZE, config) ||
        cfg.max_entries == 0)
        return ESP_ERR_ARG;

    const alloc a = alloc_make(cfg.allocator.resize, cfg.allocator.user);
    esp_table *t = alloc_zero(&a, sizeof(*t));
    if (!t)
        return ESP_ERR_NOMEM;
    t->alloc = a;
    t->max_entries = cfg.max_entries;
    if (!map_init(&t->map, &t->alloc)) {
        alloc_free(&a, t);
        return ESP_ERR_NOMEM;
    }
    *out = t;
    return ESP_OK;
}

void esp_table_free(esp_table *t)
{
    if (!t)
        return;
    const alloc a = t->alloc;
    size_t bucket = 0;
    map_node *node = map_walk(&t->map, &bucket, NULL);
    while (node) {
        map_node *next = map_walk(&t->map, &bucket, node);
        alloc_free(&a, CONTAINER_OF(node, entry, node));
        node = next;
    }
    map_free(&t->map, &a);
    alloc_free(&a, t);
}

esp_rc esp_table_add(esp_table *t, esp_sa *sa, uint64_t cookie)
{
    if (!t || !sa || sa->direction != ESP_DIRECTION_IN)
        return ESP_ERR_ARG;
    if (find(t, sa->spi))
        return ESP_ERR_STATE;
    if (t->map.count >= t->max_entries)
        return ESP_ERR_LIMIT;
    entry *e = alloc_zero(&t->alloc, sizeof(*e));
    if (!e)
        return ESP_ERR_NOMEM;
    e->sa = sa;
    e->cookie = cookie;
    map_insert(&t->map, &t->alloc, &e->node, hash_spi(sa->spi));
    return ESP_OK;
}

esp_rc esp_table_remove(esp_table *t, uint32_t spi)
{
    if (!t)
        return ESP_ERR_ARG;
    entry *e = find(t, spi);
    if (!e)
        return ESP_ERR_ABSENT;
    map_remove(&t->map, &e->node);
    alloc_free(&t->alloc, e);
    return ESP_OK;
}

esp_rc esp_table_lookup(const esp_table *t, uint32_t spi, esp_sa **sa, uint64_t *cookie)
{
    if (!t || !sa || !cookie)
        return ESP_ERR_ARG;
    if (spi < ESP_SPI_MIN)
        return ESP_ERR_SPI;
    const entry *e = find(t, spi);
    if (!e)
        return ESP_ERR_ABSENT;
    *sa = e->sa;
    *cookie = e->cookie;
    return ESP_OK;
}

uint32_t esp_table_get_count(const esp_table *t)
{
    return t ? (uint32_t)t->map.count : 0;
}
