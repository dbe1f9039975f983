/*
 * SPDX-License-Identifier: Apache-2.0
 */
#include "harness.h"

#include <nhrp/base.h>
#include <nhrp/packet.h>

#include <string.h>

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

static void every_reason_to_drop_a_packet_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (nhrp_rc a = NHRP_ERR_QUOTED; a <= NHRP_ERR_TRUNCATED; a++) {
        assert_memory_equal(nhrp_rc_name(a), "NHRP_ERR_", 9);
        for (nhrp_rc b = NHRP_ERR_QUOTED; b < a; b++)
            assert_string_not_equal(nhrp_rc_name(a), nhrp_rc_name(b));
    }
    assert_string_equal(nhrp_rc_name(NHRP_ERR_LOOP), "NHRP_ERR_LOOP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_library_reports_the_version_of_its_headers),
        cmocka_unit_test(results_have_names),
        cmocka_unit_test(every_reason_to_drop_a_packet_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
