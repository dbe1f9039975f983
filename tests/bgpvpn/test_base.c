/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <bgpvpn/message.h>

#include <stdbool.h>
#include <string.h>

static void the_library_reports_the_version_of_its_headers(void **state)
{
    (void)state;
    assert_int_equal(bgpvpn_version(),
                     BGPVPN_VERSION_MAJOR << 16 | BGPVPN_VERSION_MINOR << 8 | BGPVPN_VERSION_PATCH);
}

static void results_have_names(void **state)
{
    (void)state;
    assert_string_equal(bgpvpn_rc_name(BGPVPN_OK), "BGPVPN_OK");
    assert_string_equal(bgpvpn_rc_name(BGPVPN_ERR_ABSENT), "BGPVPN_ERR_ABSENT");
    assert_string_equal(bgpvpn_rc_name(BGPVPN_ERR_MARKER), "BGPVPN_ERR_MARKER");
    assert_string_equal(bgpvpn_rc_name(12345), "BGPVPN_UNKNOWN");
    for (bgpvpn_rc rc = BGPVPN_ERR_REFRESH - 3; rc <= BGPVPN_YES + 1; rc++) {
        const bool known = (rc >= BGPVPN_ERR_REFRESH && rc <= BGPVPN_ERR_TRUNCATED) ||
                           (rc >= BGPVPN_ERR_ABSENT && rc <= BGPVPN_YES);
        assert_int_equal(strcmp(bgpvpn_rc_name(rc), "BGPVPN_UNKNOWN") != 0, known);
        for (bgpvpn_rc other = BGPVPN_ERR_REFRESH; known && other < rc; other++)
            assert_string_not_equal(bgpvpn_rc_name(rc), bgpvpn_rc_name(other));
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
