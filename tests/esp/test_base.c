/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <esp/base.h>

static void the_library_reports_the_version_of_its_headers(void **state)
{
    (void)state;
    assert_int_equal(esp_version(),
                     ESP_VERSION_MAJOR << 16 | ESP_VERSION_MINOR << 8 | ESP_VERSION_PATCH);
}

static void results_have_names(void **state)
{
    (void)state;
    assert_string_equal(esp_rc_name(ESP_OK), "ESP_OK");
    assert_string_equal(esp_rc_name(ESP_ERR_ABSENT), "ESP_ERR_ABSENT");
    assert_string_equal(esp_rc_name(12345), "ESP_UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_reports_the_version_of_its_headers),
        cmocka_unit_test(results_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
