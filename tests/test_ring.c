/* SPDX-License-Identifier: MIT */
/* Rings: order, wrapping, what happens when they are full, and two threads. */
#include "config.h"

#include "proftop/ring.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "proftop/record.h"
#include "tests/harness/testing.h"

/* A record of SIZE bytes whose bytes all tell NUMBER. */
static bool push_numbered(struct ring *ring, uint32_t number, size_t size, bool urgent)
{
    struct record *record = ring_reserve(ring, size, urgent);

    if (record == NULL)
        return false;
    record->type = RECORD_SAMPLE;
    record->time_ns = number;
    memset(record + 1, (int)(number & 0xff), size - sizeof(*record));
    ring_commit(ring, record);
    return true;
}

static bool is_numbered(const struct record *record, uint32_t number, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)(record + 1);

    if (record->time_ns != number || record->size != record_round(size))
        return false;
    for (size_t i = 0; i < size - sizeof(*record); i++) {
        if (bytes[i] != (number & 0xff))
            return false;
    }
    return true;
}

/* Sizes from 16 to 215 bytes, in no order. */
static size_t size_of(uint32_t number)
{
    return sizeof(struct record) + number * 37 % 200;
}

static void an_empty_ring_has_nothing(void **state)
{
    struct ring *ring = ring_new(1);

    (void)state;
    assert_null(ring_peek(ring));
    ring_free(ring);
    ring_free(NULL);
}

static void records_come_out_whole_and_in_order_over_many_wraps(void **state)
{
    struct ring *ring = ring_new(4096);
    uint32_t in = 0, out = 0;

    (void)state;
    while (out < 5000) {
        const struct record *record;

        while (in < 5000 && push_numbered(ring, in, size_of(in), false))
            in++;
        for (int i = 0; i < 7 && (record = ring_peek(ring)) != NULL; i++) {
            assert_true(is_numbered(record, out, size_of(out)));
            ring_pop(ring);
            out++;
        }
    }
    assert_null(ring_peek(ring));
    ring_free(ring);
}

static void what_is_read_at_once_needs_little_memory(void **state)
{
    enum { size = 1 << 16 };
    struct ring *ring = ring_new(size);
    const char *lowest = NULL, *highest = NULL;

    (void)state;
    for (uint32_t number = 0; number < 5000; number++) {
        const char *record;

        assert_true(push_numbered(ring, number, size_of(number), false));
        record = (const char *)ring_peek(ring);
        assert_true(is_numbered((const struct record *)record, number, size_of(number)));
        if (lowest == NULL || record < lowest)
            lowest = record;
        if (highest == NULL || record > highest)
            highest = record;
        ring_pop(ring);
    }
    assert_true(highest - lowest < size / 3);
    ring_free(ring);
}

static void an_eighth_is_kept_for_urgent_records(void **state)
{
    struct ring *ring = ring_new(4096);
    size_t plain = 0, urgent = 0;

    (void)state;
    while (push_numbered(ring, 0, 64, false)) {
        plain++;
        assert_int_equal(ring_half_full(ring), plain * 64 > 2048);
    }
    while (push_numbered(ring, 0, 64, true))
        urgent++;
    assert_int_equal(plain, (4096 - 512) / 64);
    assert_int_equal(urgent, 512 / 64);
    ring_free(ring);
}

static void a_record_larger_than_the_ring_is_refused(void **state)
{
    struct ring *ring = ring_new(4096);

    (void)state;
    assert_null(ring_reserve(ring, 5000, true));
    assert_null(ring_reserve(ring, 4096, false));
    assert_true(push_numbered(ring, 1, 4096, true));
    ring_free(ring);
}

static void pushing_copies_and_rounds_the_size(void **state)
{
    struct {
        struct record head;
        char text[5];
    } note = { { sizeof(struct record) + 5, RECORD_NOTE, 9 }, "text" };
    struct ring *ring = ring_new(4096);
    const struct record *record;

    (void)state;
    assert_true(ring_push(ring, &note.head, false));
    record = ring_peek(ring);
    assert_non_null(record);
    assert_int_equal(record->size, sizeof(struct record) + 8);
    assert_int_equal(record->type, RECORD_NOTE);
    assert_string_equal((const char *)(record + 1), "text");
    ring_free(ring);
}

enum { EXCHANGED = 200000 };

static void *produce(void *context)
{
    struct ring *ring = context;

    for (uint32_t number = 0; number < EXCHANGED;) {
        if (push_numbered(ring, number, size_of(number), number % 2 != 0))
            number++;
        else
            sched_yield();
    }
    return NULL;
}

static void two_threads_lose_and_mix_nothing(void **state)
{
    struct ring *ring = ring_new(8192);
    uint32_t number = 0, wrong = 0;
    pthread_t producer;

    (void)state;
    assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
    while (number < EXCHANGED) {
        const struct record *record = ring_peek(ring);

        if (record == NULL) {
            sched_yield();
            continue;
        }
        wrong += !is_numbered(record, number, size_of(number));
        ring_pop(ring);
        number++;
    }
    pthread_join(producer, NULL);
    assert_int_equal(wrong, 0);
    assert_null(ring_peek(ring));
    ring_free(ring);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_ring_has_nothing),
        cmocka_unit_test(records_come_out_whole_and_in_order_over_many_wraps),
        cmocka_unit_test(what_is_read_at_once_needs_little_memory),
        cmocka_unit_test(an_eighth_is_kept_for_urgent_records),
        cmocka_unit_test(a_record_larger_than_the_ring_is_refused),
        cmocka_unit_test(pushing_copies_and_rounds_the_size),
        cmocka_unit_test(two_threads_lose_and_mix_nothing),
    };

    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
