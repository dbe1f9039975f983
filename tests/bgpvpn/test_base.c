/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <bgpvpn/message.h>

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
    /* Every code of the library has one. */
    for (bgpvpn_rc rc = BGPVPN_ERR_REFRESH; rc <= BGPVPN_ERR_TRUNCATED; rc++)
        assert_string_not_equal(bgpvpn_rc_name(rc), "BGPVPN_UNKNOWN");
    assert_string_equal(bgpvpn_rc_name(12345), "BGPVPN_UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_reports_the_version_of_its_headers),
        cmocka_unit_test(results_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
