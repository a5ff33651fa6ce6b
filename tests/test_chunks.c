/* SPDX-License-Identifier: MIT */
/* Tables whose items never move, also while another thread appends. */
#include "config.h"

#include "proftop/chunks.h"

#include <pthread.h>

#include "tests/harness/testing.h"

struct item {
    uint32_t number, twice;
};

enum { ITEMS = 100000 };

static void append(struct chunks *chunks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct item item = { i, 2 * i };
        uint32_t at = chunks_add(chunks, &item);

        assert_int_equal(at, i);
    }
}

static void items_never_move(void **state)
{
    struct chunks chunks;
    struct item first = { 0, 0 };
    const struct item *at;

    (void)state;
    chunks_init(&chunks, sizeof(first));
    assert_int_equal(chunks_count(&chunks), 0);
    assert_int_equal(chunks_bytes(&chunks), 0);
    chunks_add(&chunks, &first);
    at = chunks_get(&chunks, 0);
    for (uint32_t i = 1; i < ITEMS; i++) {
        struct item item = { i, 2 * i };

        chunks_add(&chunks, &item);
    }
    assert_ptr_equal(chunks_get(&chunks, 0), at);
    assert_int_equal(chunks_count(&chunks), ITEMS);
    for (uint32_t i = 0; i < ITEMS; i++) {
        at = chunks_get(&chunks, i);
        assert_int_equal(at->number, i);
        assert_int_equal(at->twice, 2 * i);
    }
    chunks_fini(&chunks);
}

static void edges_of_chunks_are_apart(void **state)
{
    static const uint32_t edges[] = { 255, 256, 511, 512, 1023, 1024, 2047, 2048 };
    struct chunks chunks;

    (void)state;
    chunks_init(&chunks, sizeof(struct item));
    append(&chunks, 3000);
    for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++) {
        const struct item *item = chunks_get(&chunks, edges[i]);

        assert_int_equal(item->number, edges[i]);
    }
    chunks_fini(&chunks);
}

static void bytes_cover_the_items_and_not_twice_more(void **state)
{
    struct chunks chunks;

    (void)state;
    chunks_init(&chunks, sizeof(struct item));
    append(&chunks, 5000);
    assert_in_range(chunks_bytes(&chunks), 5000 * sizeof(struct item),
                    2 * 5000 * sizeof(struct item));
    chunks_fini(&chunks);
}

static void *read_along(void *context)
{
    struct chunks *chunks = context;
    uintptr_t wrong = 0;
    uint32_t count;

    do {
        count = chunks_count(chunks);
        for (uint32_t i = count > 300 ? count - 300 : 0; i < count; i++) {
            const struct item *item = chunks_get(chunks, i);

            wrong += item->number != i || item->twice != 2 * i;
        }
    } while (count < ITEMS);
    return (void *)wrong;
}

static void a_reader_sees_only_complete_items(void **state)
{
    struct chunks chunks;
    pthread_t reader;
    void *wrong;

    (void)state;
    chunks_init(&chunks, sizeof(struct item));
    assert_int_equal(pthread_create(&reader, NULL, read_along, &chunks), 0);
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct item item = { i, 2 * i };

        chunks_add(&chunks, &item);
    }
    pthread_join(reader, &wrong);
    assert_null(wrong);
    chunks_fini(&chunks);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_never_move),
        cmocka_unit_test(edges_of_chunks_are_apart),
        cmocka_unit_test(bytes_cover_the_items_and_not_twice_more),
        cmocka_unit_test(a_reader_sees_only_complete_items),
    };

    return cmocka_run_group_tests_name("chunks", tests, NULL, NULL);
}
