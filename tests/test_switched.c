/* SPDX-License-Identifier: MIT */
/* The copy of a second stack, which the saved frame pointers of the first lead to. */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "src/source/ptrace_private.h"
#include "tests/harness/testing.h"

enum { WORDS = 32, OTHER_WORDS = 4096, MIDDLE = OTHER_WORDS / 2 };

static uint8_t second[TRACER_SWITCHED_BYTES];
static uint64_t first[WORDS], other[OTHER_WORDS];

/* What was copied of a thread of ours whose frame pointer is BP. */
static struct frozen freeze_from(uint64_t bp)
{
    const struct tracer tracer = { .switched = second };
    struct frozen frozen = {
        .pid = getpid(),
        .tid = getpid(),
        .registers = { .bp = bp, .known = KNOWN_BP },
        .stack = (const uint8_t *)first,
        .stack_start = (uint64_t)(uintptr_t)first,
        .stack_size = sizeof(first),
    };

    tracer_freeze_switched(&tracer, &frozen);
    return frozen;
}

static uint64_t address_of(const uint64_t *word)
{
    return (uint64_t)(uintptr_t)word;
}

static void the_frame_pointers_lead_to_it(void **state)
{
    struct frozen frozen;
    uint64_t at, word;

    (void)state;
    other[MIDDLE] = 0x1234;
    other[MIDDLE - 1] = 0x5678;
    first[2] = address_of(&first[9]);
    first[9] = address_of(&other[MIDDLE]);
    frozen = freeze_from(address_of(&first[2]));
    assert_non_null(frozen.extra);
    at = address_of(&other[MIDDLE]) - frozen.extra_start;
    assert_true(at >= sizeof(word) && at + sizeof(word) <= frozen.extra_size);
    memcpy(&word, frozen.extra + at, sizeof(word));
    assert_int_equal(word, 0x1234);
    /* The frame that it is of lies below it. */
    memcpy(&word, frozen.extra + at - sizeof(word), sizeof(word));
    assert_int_equal(word, 0x5678);
}

static void they_end_in_the_first_one(void **state)
{
    struct frozen frozen;

    (void)state;
    first[2] = address_of(&first[9]);
    first[9] = 0;
    frozen = freeze_from(address_of(&first[2]));
    assert_null(frozen.extra);
    first[9] = address_of(&first[2]); /* for ever */
    frozen = freeze_from(address_of(&first[2]));
    assert_null(frozen.extra);
    frozen = freeze_from(address_of(&first[WORDS]) - 4); /* half a word */
    assert_null(frozen.extra);
}

static void they_lead_nowhere(void **state)
{
    static const uint64_t nowhere[] = { 8, 4096, UINT64_MAX - 7, 0x7ffffffff001 };
    struct frozen frozen;

    (void)state;
    for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        first[2] = nowhere[i];
        frozen = freeze_from(address_of(&first[2]));
        assert_null(frozen.extra);
        assert_int_equal(frozen.extra_size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frame_pointers_lead_to_it),
        cmocka_unit_test(they_end_in_the_first_one),
        cmocka_unit_test(they_lead_nowhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
