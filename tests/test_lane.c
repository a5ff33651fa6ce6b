/* SPDX-License-Identifier: MIT */
/* Lanes: known by group, key and owner. */
#include "config.h"

#include "proftop/lane.h"

#include <string.h>

#include "tests/harness/testing.h"

static void a_lane_is_known_by_group_key_and_owner(void **state)
{
    struct lanes *lanes = lanes_new();
    struct lane wanted = { .group = LANE_SYSTEM, .key = "cpu.us", .label = "user" };
    lane_id first = lanes_add(lanes, &wanted);

    (void)state;
    assert_int_equal(lanes_add(lanes, &wanted), first);
    wanted.label = "another label";
    assert_int_equal(lanes_add(lanes, &wanted), first);
    wanted.tid = 5;
    assert_int_not_equal(lanes_add(lanes, &wanted), first);
    wanted.tid = 0;
    wanted.group = LANE_TARGET;
    assert_int_not_equal(lanes_add(lanes, &wanted), first);
    wanted.group = LANE_SYSTEM;
    wanted.key = "cpu.sy";
    assert_int_not_equal(lanes_add(lanes, &wanted), first);
    assert_int_equal(lanes_count(lanes), 4);
    lanes_free(lanes);
    lanes_free(NULL);
}

static void texts_are_copied_and_the_id_is_set(void **state)
{
    struct lanes *lanes = lanes_new();
    char text[] = "why";
    struct lane wanted = { .key = text, .label = text, .absent = text, .ceiling = 100, .id = 77 };
    const struct lane *lane = lanes_get(lanes, lanes_add(lanes, &wanted));

    (void)state;
    memset(text, 'x', 3);
    assert_int_equal(lane->id, 0);
    assert_string_equal(lane->key, "why");
    assert_string_equal(lane->label, "why");
    assert_string_equal(lane->absent, "why");
    assert_true(lane->ceiling == 100);
    assert_null(lanes_get(lanes, 1));
    lanes_free(lanes);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_is_known_by_group_key_and_owner),
        cmocka_unit_test(texts_are_copied_and_the_id_is_set),
    };

    return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
