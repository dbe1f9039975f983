/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <gre/base.h>

static void the_library_reports_the_version_of_its_headers(void **state)
{
    (void)state;
    assert_int_equal(gre_version(),
                     GRE_VERSION_MAJOR << 16 | GRE_VERSION_MINOR << 8 | GRE_VERSION_PATCH);
}

static void results_have_names(void **state)
{
    (void)state;
    assert_string_equal(gre_rc_name(GRE_OK), "GRE_OK");
    assert_string_equal(gre_rc_name(GRE_ERR_ABSENT), "GRE_ERR_ABSENT");
    assert_string_equal(gre_rc_name(12345), "GRE_UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_reports_the_version_of_its_headers),
        cmocka_unit_test(results_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
