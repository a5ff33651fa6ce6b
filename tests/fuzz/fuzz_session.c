/* SPDX-License-Identifier: MIT */
/*
 * The blobs of a session file: whatever the bytes are, decoding stays inside them, and what is
 * accepted can be walked within the bounds that were checked.
 */
#include "config.h"

#include "src/session/codec.h"

#include "proftop/slice.h"
#include "tests/fuzz/fuzz.h"

enum { STACKS = 1000, THREADS = 50, LANES = 20 };

static void walk_entries(const uint8_t *data, size_t size)
{
    struct slice_draft draft;
    struct slice_entry entry;
    struct slice_walk walk;
    struct slice *slice;

    if (!slice_check(data, size, STACKS, THREADS))
        return;
    draft_init(&draft);
    slice = draft_seal_packed(&draft, data, size, 0, 1);
    slice_entries(slice, &walk);
    while (slice_next_entry(&walk, &entry)) {
        FUZZ_CHECK(entry.stack < STACKS);
        FUZZ_CHECK(entry.thread < THREADS);
        FUZZ_CHECK(entry.count > 0);
        FUZZ_CHECK(entry.weight <= UINT64_C(1) << 50);
        FUZZ_CHECK(entry.metric < METRICS && entry.state < STATES && entry.reason < WAIT_REASONS);
        draft_add_entry(&draft, &entry);
    }
    FUZZ_CHECK(walk.at == walk.end);
    slice_unref(slice);
    slice_unref(draft_seal(&draft, 0, 1));
    draft_fini(&draft);
}

static void decode_tables(const uint8_t *data, size_t size)
{
    struct reading reading = reading_of(data, size);
    struct placed frames[UINT8_MAX];
    enum naming_state state;
    location_id location;
    struct segment segment;
    struct frame frame;
    stack_id parent;
    uint32_t count;

    while (decode_segment(&reading, &segment))
        FUZZ_CHECK(segment.offset + segment.size >= segment.offset &&
                   segment.address + segment.size >= segment.address);
    reading = reading_of(data, size);
    while (decode_frame(&reading, &frame))
        FUZZ_CHECK(frame.kind < FRAME_KINDS);
    reading = reading_of(data, size);
    while (decode_naming(&reading, &location, &state, frames, &count))
        FUZZ_CHECK(count > 0 && count <= UINT8_MAX && state <= NAMING_FULL);
    reading = reading_of(data, size);
    for (stack_id stack = 1; decode_node(&reading, stack, &parent, &location); stack++)
        FUZZ_CHECK(parent < stack);
}

static void decode_all_counters(const uint8_t *data, size_t size)
{
    struct reading reading = reading_of(data, size);
    struct slice_draft draft;
    struct slice *slice;
    struct bytes again = { 0 };

    draft_init(&draft);
    if (decode_counters(&reading, LANES, &draft)) {
        slice = draft_seal(&draft, 0, 1);
        encode_counters(&again, slice);
        reading = reading_of(again.data, again.size);
        FUZZ_CHECK(decode_counters(&reading, LANES, &draft));
        slice_unref(slice);
        bytes_fini(&again);
    }
    draft_fini(&draft);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    walk_entries(data, size);
    decode_tables(data, size);
    decode_all_counters(data, size);
    return 0;
}
