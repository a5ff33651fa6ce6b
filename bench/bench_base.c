/* SPDX-License-Identifier: MIT */
/* What the base costs where it runs a sample: the ring, and interning by hash. */
#include "config.h"

#include "bench/bench.h"

#include <string.h>

#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/record.h"
#include "proftop/ring.h"

/* A sample of 60 frames through the ring, in and out. */
static void pass_records(void *context, uint64_t count)
{
    struct ring *ring = context;

    for (uint64_t i = 0; i < count; i++) {
        size_t size = sizeof(struct record_sample) + 60 * sizeof(struct frame);
        struct record *record = ring_reserve(ring, size, false);

        record->type = RECORD_SAMPLE;
        record->time_ns = i;
        ring_commit(ring, record);
        ring_peek(ring);
        ring_pop(ring);
    }
}

static void copy_records(void *context, uint64_t count)
{
    unsigned char from[sizeof(struct record_sample) + 60 * sizeof(struct frame)] = { 0 };
    struct record *record = (struct record *)from;
    struct ring *ring = context;

    record->size = sizeof(from);
    for (uint64_t i = 0; i < count; i++) {
        record->time_ns = i;
        ring_push(ring, record, false);
        ring_peek(ring);
        ring_pop(ring);
    }
}

static void look_up(void *context, uint64_t count)
{
    const struct index *index = context;
    uint64_t found = 0;

    for (uint64_t i = 0; i < count; i++) {
        struct index_cursor cursor;

        index_probe(index, hash_u64(i % 100000), &cursor);
        found += index_next(index, &cursor) != INDEX_END;
    }
    if (found != count)
        bench_figure("lost in the index", (double)(count - found), "items");
}

int main(void)
{
    struct ring *ring = ring_new(1 << 20);
    struct index index;

    bench_title("base: a sample of 60 frames through the ring");
    bench_compare(&(struct bench_way){ "written in place", pass_records, ring },
                  &(struct bench_way){ "copied in", copy_records, ring }, 200000, 15);

    index_init(&index);
    for (uint32_t i = 0; i < 100000; i++)
        index_add(&index, hash_u64(i), i);
    bench_title("base: one of 100,000 items by hash");
    bench_one(&(struct bench_way){ "found", look_up, &index }, 1000000, 15);
    index_fini(&index);
    ring_free(ring);
    return 0;
}
