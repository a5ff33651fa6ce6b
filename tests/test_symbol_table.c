/* SPDX-License-Identifier: MIT */
/* The sorted symbol array: who wins where symbols overlap, and who is never named. */
#include "config.h"

#include "src/symbols/symbol_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/harness/testing.h"

static void add(struct symbol_table *table, uint64_t start, uint64_t size, const char *name,
                enum symbol_binding binding)
{
    symbol_table_add(table, start, size, symbol_table_strings(table, name, strlen(name)), binding);
}

static const char *at(const struct symbol_table *table, uint64_t address)
{
    const struct range *range = symbol_table_find(table, address);

    return range != NULL ? symbol_table_name(table, range) : "-";
}

static void an_address_is_named_only_inside_a_symbol(void **state)
{
    struct symbol_table *table = symbol_table_new();

    (void)state;
    add(table, 100, 10, "first", BINDING_GLOBAL);
    add(table, 120, 5, "second", BINDING_GLOBAL);
    add(table, 110, 0, "label", BINDING_GLOBAL);
    symbol_table_finish(table);
    assert_string_equal(at(table, 99), "-");
    assert_string_equal(at(table, 100), "first");
    assert_string_equal(at(table, 109), "first");
    assert_string_equal(at(table, 110), "-");
    assert_string_equal(at(table, 119), "-");
    assert_string_equal(at(table, 124), "second");
    assert_string_equal(at(table, 125), "-");
    assert_string_equal(at(table, UINT64_MAX), "-");
    symbol_table_free(table);
}

static void the_inner_symbol_wins_and_the_outer_goes_on(void **state)
{
    struct symbol_table *table = symbol_table_new();
    const struct range *rest;

    (void)state;
    add(table, 10, 80, "outer", BINDING_GLOBAL);
    add(table, 20, 20, "inner", BINDING_LOCAL);
    add(table, 80, 40, "overlapping", BINDING_LOCAL);
    symbol_table_finish(table);
    assert_string_equal(at(table, 15), "outer");
    assert_string_equal(at(table, 20), "inner");
    assert_string_equal(at(table, 39), "inner");
    assert_string_equal(at(table, 40), "outer");
    assert_string_equal(at(table, 80), "overlapping");
    assert_string_equal(at(table, 119), "overlapping");
    rest = symbol_table_find(table, 50);
    assert_int_equal(symbol_table_start(table, rest), 10);
    symbol_table_free(table);
}

static void of_aliases_the_public_name_is_chosen(void **state)
{
    static const char *const names[] = { "__libc_read", "read", "__read", "read@@V_2" };
    enum { count = 4 };

    (void)state;
    /* In whatever order they come. */
    for (int first = 0; first < count; first++) {
        struct symbol_table *table = symbol_table_new();

        for (int i = 0; i < count; i++)
            add(table, 10, 5, names[(first + i) % count],
                (first + i) % count == 1 ? BINDING_WEAK : BINDING_GLOBAL);
        symbol_table_finish(table);
        assert_int_equal(symbol_table_count(table), 1);
        assert_string_equal(at(table, 12), "read");
        symbol_table_free(table);
    }
}

static void a_wrapping_or_endless_symbol_does_no_harm(void **state)
{
    struct symbol_table *table = symbol_table_new();

    (void)state;
    add(table, UINT64_MAX - 4, 10, "wraps", BINDING_GLOBAL);
    add(table, 10, UINT64_MAX - 10, "endless", BINDING_GLOBAL);
    add(table, 20, 5, "small", BINDING_GLOBAL);
    symbol_table_add(table, 20, 5, 1 << 30, BINDING_GLOBAL);
    symbol_table_finish(table);
    assert_string_equal(at(table, UINT64_MAX - 2), "-");
    assert_string_equal(at(table, 22), "small");
    assert_string_equal(at(table, 30), "endless");
    symbol_table_free(table);
}

/* The lookup against the obvious one, on tables made at random. */
static void it_agrees_with_a_plain_search(void **state)
{
    enum { rounds = 200, symbols = 40, space = 400 };
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < rounds; round++) {
        struct symbol_table *table = symbol_table_new();
        uint64_t start[symbols], size[symbols];
        char name[symbols][8];

        for (int i = 0; i < symbols; i++) {
            start[i] = (uint64_t)(rand_r(&seed) % space);
            size[i] = (uint64_t)(rand_r(&seed) % 30);
            snprintf(name[i], sizeof(name[i]), "n%d", i);
            add(table, start[i], size[i], name[i], BINDING_GLOBAL);
        }
        symbol_table_finish(table);
        for (uint64_t address = 0; address < space + 40; address++) {
            int best = -1;

            /* The nearest start; of those the smallest; of those the preferred name. */
            for (int i = 0; i < symbols; i++) {
                if (address < start[i] || address - start[i] >= size[i])
                    continue;
                if (best < 0 || start[i] > start[best] ||
                    (start[i] == start[best] &&
                     (size[i] < size[best] ||
                      (size[i] == size[best] && (strlen(name[i]) < strlen(name[best]) ||
                                                 (strlen(name[i]) == strlen(name[best]) &&
                                                  strcmp(name[i], name[best]) < 0))))))
                    best = i;
            }
            assert_string_equal(at(table, address), best < 0 ? "-" : name[best]);
        }
        symbol_table_free(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_named_only_inside_a_symbol),
        cmocka_unit_test(the_inner_symbol_wins_and_the_outer_goes_on),
        cmocka_unit_test(of_aliases_the_public_name_is_chosen),
        cmocka_unit_test(a_wrapping_or_endless_symbol_does_no_harm),
        cmocka_unit_test(it_agrees_with_a_plain_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
