/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <nhrp/base.h>

static void the_library_reports_the_version_of_its_headers(void **state)
{
    (void)state;
    assert_int_equal(nhrp_version(),
                     NHRP_VERSION_MAJOR << 16 | NHRP_VERSION_MINOR << 8 | NHRP_VERSION_PATCH);
}

static void results_have_names(void **state)
{
    (void)state;
    assert_string_equal(nhrp_rc_name(NHRP_OK), "NHRP_OK");
    assert_string_equal(nhrp_rc_name(NHRP_ERR_ABSENT), "NHRP_ERR_ABSENT");
    assert_string_equal(nhrp_rc_name(12345), "NHRP_UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_reports_the_version_of_its_headers),
        cmocka_unit_test(results_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
