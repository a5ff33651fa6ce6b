/* SPDX-License-Identifier: MIT */
/* Hash indexes: nothing is lost in growing, collisions are proposed, not decided. */
#include "config.h"

#include "proftop/index.h"

#include <stdbool.h>

#include "proftop/hash.h"
#include "tests/harness/testing.h"

/* How often the index proposes ITEM for HASH, and how many proposals there were in all. */
static uint32_t proposals(const struct index *index, uint64_t hash, uint32_t item, uint32_t *all)
{
    struct index_cursor cursor;
    uint32_t found = 0, next;

    *all = 0;
    index_probe(index, hash, &cursor);
    while ((next = index_next(index, &cursor)) != INDEX_END) {
        found += next == item;
        (*all)++;
    }
    return found;
}

static void an_empty_index_proposes_nothing(void **state)
{
    struct index index;
    uint32_t all;

    (void)state;
    index_init(&index);
    assert_int_equal(proposals(&index, 1234, 0, &all), 0);
    assert_int_equal(all, 0);
    assert_int_equal(index_bytes(&index), 0);
    index_fini(&index);
}

static void every_item_is_found_after_growing(void **state)
{
    enum { ITEMS = 50000 };
    struct index index;
    uint32_t all;

    (void)state;
    index_init(&index);
    for (uint32_t i = 0; i < ITEMS; i++)
        index_add(&index, hash_u64(i), i);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_int_equal(proposals(&index, hash_u64(i), i, &all), 1);
    for (uint32_t i = ITEMS; i < ITEMS + 1000; i++)
        assert_int_equal(proposals(&index, hash_u64(i), i, &all), 0);
    assert_in_range(index_bytes(&index), ITEMS * 8, ITEMS * 8 * 3);
    index_fini(&index);
}

static void equal_hashes_are_all_proposed(void **state)
{
    struct index index;
    uint32_t all;

    (void)state;
    index_init(&index);
    for (uint32_t i = 0; i < 200; i++)
        index_add(&index, UINT64_MAX, i);
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(proposals(&index, UINT64_MAX, i, &all), 1);
        assert_int_equal(all, 200);
    }
    index_fini(&index);
}

static void hashes_spread(void **state)
{
    uint32_t buckets[256] = { 0 };

    (void)state;
    for (uint32_t i = 0; i < 25600; i++)
        buckets[hash_pair(i, 7) >> 56]++;
    for (size_t i = 0; i < 256; i++)
        assert_in_range(buckets[i], 50, 160);
    assert_int_not_equal(hash_pair(1, 2), hash_pair(2, 1));
    assert_int_not_equal(hash_bytes(0, "ab", 2), hash_bytes(0, "ba", 2));
    assert_int_not_equal(hash_bytes(0, "ab", 2), hash_bytes(1, "ab", 2));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_index_proposes_nothing),
        cmocka_unit_test(every_item_is_found_after_growing),
        cmocka_unit_test(equal_hashes_are_all_proposed),
        cmocka_unit_test(hashes_spread),
    };

    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
