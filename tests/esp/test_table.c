/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "esp_test.h"

static esp_table *make_table(uint32_t max_entries)
{
    esp_table_config cfg;
    esp_table *t = NULL;
    esp_table_config_init(&cfg);
    if (max_entries)
        cfg.max_entries = max_entries;
    assert_int_equal(esp_table_new(&cfg, &t), ESP_OK);
    return t;
}

static esp_sa *make_sa(uint32_t spi)
{
    esp_sa_config cfg = test_config(ESP_DIRECTION_IN, ESP_ALGORITHM_AES128_GCM16);
    cfg.spi = spi;
    cfg.replay_window = 32;
    return test_sa(&cfg);
}

static void an_sa_is_found_by_its_spi_until_it_is_removed(void **state)
{
    (void)state;
    esp_table *t = make_table(0);
    esp_sa *a = make_sa(256);
    esp_sa *b = make_sa(0xffffffff);
    esp_sa *found = NULL;
    uint64_t cookie = 0;
    assert_int_equal(esp_table_lookup(t, 256, &found, &cookie), ESP_ERR_ABSENT);
    assert_int_equal(esp_table_add(t, a, 11), ESP_OK);
    assert_int_equal(esp_table_add(t, b, UINT64_MAX), ESP_OK);
    assert_int_equal(esp_table_get_count(t), 2);
    assert_int_equal(esp_table_lookup(t, 256, &found, &cookie), ESP_OK);
    assert_true(found == a && cookie == 11);
    assert_int_equal(esp_table_lookup(t, 0xffffffff, &found, &cookie), ESP_OK);
    assert_true(found == b && cookie == UINT64_MAX);

    assert_int_equal(esp_table_add(t, a, 12), ESP_ERR_STATE);
    assert_int_equal(esp_table_lookup(t, 256, &found, &cookie), ESP_OK);
    assert_true(cookie == 11);

    assert_int_equal(esp_table_remove(t, 256), ESP_OK);
    assert_int_equal(esp_table_remove(t, 256), ESP_ERR_ABSENT);
    found = NULL;
    assert_int_equal(esp_table_lookup(t, 256, &found, &cookie), ESP_ERR_ABSENT);
    assert_null(found);
    assert_int_equal(esp_table_get_count(t), 1);
    esp_table_free(t);
    esp_sa_free(a);
    esp_sa_free(b);
}

/* RFC 4303 2.1 */
static void reserved_spis_are_refused(void **state)
{
    (void)state;
    esp_table *t = make_table(0);
    esp_sa *found = NULL;
    uint64_t cookie = 0;
    for (uint32_t spi = 0; spi <= 255; spi++)
        assert_int_equal(esp_table_lookup(t, spi, &found, &cookie), ESP_ERR_SPI);
    esp_table_free(t);
}

static void arguments_are_checked(void **state)
{
    (void)state;
    esp_table_config cfg;
    esp_table *t = NULL;
    esp_sa *found = NULL;
    uint64_t cookie;
    esp_table_config_init(NULL);
    esp_table_config_init(&cfg);
    assert_int_equal(esp_table_new(NULL, &t), ESP_ERR_ARG);
    assert_int_equal(esp_table_new(&cfg, NULL), ESP_ERR_ARG);
    cfg.max_entries = 0;
    assert_int_equal(esp_table_new(&cfg, &t), ESP_ERR_ARG);
    cfg.max_entries = 1;
    cfg.struct_size = 4;
    assert_int_equal(esp_table_new(&cfg, &t), ESP_ERR_ARG);
    esp_table_free(NULL);

    t = make_table(1);
    esp_sa *in = make_sa(300);
    esp_sa *more = make_sa(301);
    esp_sa *out = test_sa_plain(ESP_DIRECTION_OUT);
    assert_int_equal(esp_table_add(NULL, in, 0), ESP_ERR_ARG);
    assert_int_equal(esp_table_add(t, NULL, 0), ESP_ERR_ARG);
    assert_int_equal(esp_table_add(t, out, 0), ESP_ERR_ARG);
    assert_int_equal(esp_table_add(t, in, 0), ESP_OK);
    assert_int_equal(esp_table_add(t, more, 0), ESP_ERR_LIMIT);
    assert_int_equal(esp_table_remove(NULL, 300), ESP_ERR_ARG);
    assert_int_equal(esp_table_lookup(NULL, 300, &found, &cookie), ESP_ERR_ARG);
    assert_int_equal(esp_table_lookup(t, 300, NULL, &cookie), ESP_ERR_ARG);
    assert_int_equal(esp_table_lookup(t, 300, &found, NULL), ESP_ERR_ARG);
    assert_int_equal(esp_table_get_count(NULL), 0);
    esp_table_free(t);
    esp_sa_free(in);
    esp_sa_free(more);
    esp_sa_free(out);
}

#define MANY 20000

static void many_thousands_of_sas_come_and_go(void **state)
{
    (void)state;
    esp_table *t = make_table(0);
    static esp_sa *sas[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        sas[i] = make_sa(0x10000 + i * 3);
        assert_int_equal(esp_table_add(t, sas[i], i), ESP_OK);
    }
    for (uint32_t i = 0; i < MANY; i += 2)
        assert_int_equal(esp_table_remove(t, 0x10000 + i * 3), ESP_OK);
    assert_int_equal(esp_table_get_count(t), MANY / 2);
    for (uint32_t i = 0; i < MANY; i++) {
        esp_sa *found = NULL;
        uint64_t cookie = 0;
        const esp_rc rc = esp_table_lookup(t, 0x10000 + i * 3, &found, &cookie);
        assert_int_equal(rc, i % 2 ? ESP_OK : ESP_ERR_ABSENT);
        if (i % 2)
            assert_true(found == sas[i] && cookie == i);
        assert_int_equal(esp_table_lookup(t, 0x10001 + i * 3, &found, &cookie), ESP_ERR_ABSENT);
    }
    esp_table_free(t);
    for (uint32_t i = 0; i < MANY; i++)
        esp_sa_free(sas[i]);
}

static void fill(fail_alloc *f, void *user)
{
    esp_sa *const *sas = user;
    esp_table_config cfg;
    esp_table *t = NULL;
    esp_table_config_init(&cfg);
    cfg.allocator = (esp_allocator){fail_alloc_resize, f};
    if (esp_table_new(&cfg, &t) != ESP_OK) {
        assert_null(t);
        return;
    }
    for (uint32_t i = 0; i < 40; i++) {
        esp_sa *found = NULL;
        uint64_t cookie;
        const esp_rc rc = esp_table_add(t, sas[i], i);
        assert_true(rc == ESP_OK || rc == ESP_ERR_NOMEM);
        assert_int_equal(esp_table_lookup(t, 1000 + i, &found, &cookie),
                         rc == ESP_OK ? ESP_OK : ESP_ERR_ABSENT);
    }
    esp_table_free(t);
}

static void every_failed_allocation_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    esp_sa *sas[40];
    for (uint32_t i = 0; i < 40; i++)
        sas[i] = make_sa(1000 + i);
    assert_survives_every_allocation_failure(fill, sas);
    for (uint32_t i = 0; i < 40; i++)
        esp_sa_free(sas[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_sa_is_found_by_its_spi_until_it_is_removed),
        cmocka_unit_test(reserved_spis_are_refused),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(many_thousands_of_sas_come_and_go),
        cmocka_unit_test(every_failed_allocation_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
