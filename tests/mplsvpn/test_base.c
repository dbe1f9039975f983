/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <mplsvpn/base.h>

static void the_library_reports_the_version_of_its_headers(void **state)
{
    (void)state;
    assert_int_equal(mplsvpn_version(), MPLSVPN_VERSION_MAJOR << 16 | MPLSVPN_VERSION_MINOR << 8 |
                                            MPLSVPN_VERSION_PATCH);
}

static void results_have_names(void **state)
{
    (void)state;
    assert_string_equal(mplsvpn_rc_name(MPLSVPN_OK), "MPLSVPN_OK");
    assert_string_equal(mplsvpn_rc_name(MPLSVPN_ERR_ABSENT), "MPLSVPN_ERR_ABSENT");
    assert_string_equal(mplsvpn_rc_name(12345), "MPLSVPN_UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_reports_the_version_of_its_headers),
        cmocka_unit_test(results_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
