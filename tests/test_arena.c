/* SPDX-License-Identifier: MIT */
/* Arenas: alignment, growth, and texts. */
#include "config.h"

#include "proftop/arena.h"

#include <string.h>

#include "tests/harness/testing.h"

static void memory_is_aligned_and_apart(void **state)
{
    struct arena *arena = arena_new();
    unsigned char *first = arena_alloc(arena, 1), *second = arena_alloc(arena, 17);

    (void)state;
    assert_int_equal((uintptr_t)first % 16, 0);
    assert_int_equal((uintptr_t)second % 16, 0);
    assert_true(second >= first + 1);
    memset(second, 0xaa, 17);
    *first = 1;
    assert_int_equal(second[0], 0xaa);
    arena_free(arena);
}

static void big_pieces_stay_whole(void **state)
{
    struct arena *arena = arena_new();
    char *pieces[64];

    (void)state;
    for (size_t i = 0; i < 64; i++) {
        pieces[i] = arena_alloc(arena, i * 1000 + 1);
        memset(pieces[i], (int)i, i * 1000 + 1);
    }
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(pieces[i][0], i);
        assert_int_equal(pieces[i][i * 1000], i);
    }
    arena_free(arena);
}

static void zalloc_is_zero(void **state)
{
    struct arena *arena = arena_new();
    static const char zeros[5000];

    (void)state;
    memset(arena_alloc(arena, 5000), 0xff, 5000);
    assert_memory_equal(arena_zalloc(arena, 5000), zeros, 5000);
    arena_free(arena);
}

static void texts_are_copied_and_formatted(void **state)
{
    struct arena *arena = arena_new();
    char text[] = "before";
    char *copy = arena_strdup(arena, text);

    (void)state;
    text[0] = 'B';
    assert_string_equal(copy, "before");
    assert_string_equal(arena_printf(arena, "%s %d", "x", 42), "x 42");
    assert_string_equal(arena_printf(arena, "%s", ""), "");
    arena_free(arena);
}

static void used_counts_what_was_handed_out(void **state)
{
    struct arena *arena = arena_new();

    (void)state;
    assert_int_equal(arena_used(arena), 0);
    arena_alloc(arena, 16);
    arena_alloc(arena, 1);
    assert_int_equal(arena_used(arena), 32);
    arena_strdup(arena, "four");
    arena_strdup(arena, "");
    assert_int_equal(arena_used(arena), 38);
    assert_int_equal((uintptr_t)arena_alloc(arena, 1) % 16, 0);
    assert_int_equal(arena_used(arena), 64);
    arena_free(arena);
    arena_free(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_apart),
        cmocka_unit_test(big_pieces_stay_whole),
        cmocka_unit_test(zalloc_is_zero),
        cmocka_unit_test(texts_are_copied_and_formatted),
        cmocka_unit_test(used_counts_what_was_handed_out),
    };

    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
