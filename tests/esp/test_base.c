/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <esp/base.h>
#include <esp/result.h>
#include <string.h>

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
    assert_string_equal(esp_rc_name(ESP_ERR_PROTOCOL), "ESP_ERR_PROTOCOL");
    assert_string_equal(esp_rc_name(12345), "ESP_UNKNOWN");
    for (esp_rc rc = ESP_ERR_PROTOCOL - 3; rc <= ESP_YES + 1; rc++) {
        const bool known = (rc >= ESP_ERR_PROTOCOL && rc <= ESP_ERR_TRUNCATED) ||
                           (rc >= ESP_ERR_ABSENT && rc <= ESP_YES);
        assert_int_equal(strcmp(esp_rc_name(rc), "ESP_UNKNOWN") != 0, known);
        for (esp_rc other = ESP_ERR_PROTOCOL; known && other < rc; other++)
            assert_string_not_equal(esp_rc_name(rc), esp_rc_name(other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_reports_the_version_of_its_headers),
        cmocka_unit_test(results_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
