/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <ikev2/ikev2.h>

static void the_library_reports_the_version_of_its_headers(void **state)
{
    (void)state;
    assert_int_equal(ikev2_version(),
                     IKEV2_VERSION_MAJOR << 16 | IKEV2_VERSION_MINOR << 8 | IKEV2_VERSION_PATCH);
}

static void results_have_names(void **state)
{
    (void)state;
    assert_string_equal(ikev2_rc_name(IKEV2_OK), "IKEV2_OK");
    assert_string_equal(ikev2_rc_name(IKEV2_ERR_ABSENT), "IKEV2_ERR_ABSENT");
    assert_string_equal(ikev2_rc_name(IKEV2_ERR_INTEGRITY), "IKEV2_ERR_INTEGRITY");
    /* Every code of the library has one. */
    for (ikev2_rc rc = IKEV2_ERR_CRYPTO; rc <= IKEV2_ERR_TRUNCATED; rc++)
        assert_string_not_equal(ikev2_rc_name(rc), "IKEV2_UNKNOWN");
    assert_string_equal(ikev2_rc_name(12345), "IKEV2_UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_reports_the_version_of_its_headers),
        cmocka_unit_test(results_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
