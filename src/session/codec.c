/* SPDX-License-Identifier: MIT */
/* The bytes inside a session's blobs. */
#include "config.h"

#include "codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/varint.h"

enum { NAMING_FRAMES_MAX = 255, TABLE_MAX = 1 << 16 };

/* Whole numbers up to here are kept as varints, exactly. */
#define WHOLE_MAX 9007199254740992.0

void bytes_fini(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){ 0 };
}

void bytes_clear(struct bytes *bytes)
{
    bytes->size = 0;
}

static uint8_t *room(struct bytes *bytes, size_t size)
{
    bytes->data = array_reserve(bytes->data, &bytes->capacity, bytes->size + size, 1);
    return bytes->data + bytes->size;
}

void bytes_varint(struct bytes *bytes, uint64_t value)
{
    uint8_t *at = room(bytes, VARINT_MAX);

    bytes->size += (size_t)(varint_put(at, value) - at);
}

static void put_raw(struct bytes *bytes, const void *data, size_t size)
{
    memcpy(room(bytes, size), data, size);
    bytes->size += size;
}

static void put_text(struct bytes *bytes, const char *text, size_t size_bytes)
{
    size_t length = strnlen(text, size_bytes - 1);

    bytes_varint(bytes, length);
    put_raw(bytes, text, length);
}

struct reading reading_of(const void *data, size_t size_bytes)
{
    const uint8_t *bytes = data != NULL ? data : (const uint8_t *)"";

    return (struct reading){ bytes, bytes + (data != NULL ? size_bytes : 0) };
}

static bool get(struct reading *reading, uint64_t max, uint64_t *value)
{
    return varint_read(&reading->at, reading->end, value) && *value <= max;
}

static bool get_u32(struct reading *reading, uint32_t *value)
{
    uint64_t wide = 0;
    bool good = get(reading, UINT32_MAX, &wide);

    *value = (uint32_t)wide;
    return good;
}

static bool get_text(struct reading *reading, char *text, size_t size_bytes)
{
    uint64_t length;

    if (!get(reading, size_bytes - 1, &length) || length > (uint64_t)(reading->end - reading->at))
        return false;
    memset(text, 0, size_bytes);
    memcpy(text, reading->at, length);
    reading->at += length;
    return true;
}

/* ---- doubles --------------------------------------------------------------------------------- */

/* A varint whose lowest bit says that it is a whole number, or the eight bytes behind a 0. */
static void put_double(struct bytes *bytes, double value)
{
    uint64_t raw;

    if (fabs(value) < WHOLE_MAX && value == trunc(value) && !(value == 0 && signbit(value))) {
        bytes_varint(bytes, varint_zigzag((int64_t)value) << 1 | 1);
        return;
    }
    memcpy(&raw, &value, sizeof(raw));
    bytes_varint(bytes, 0);
    for (unsigned i = 0; i < 8; i++)
        put_raw(bytes, &(uint8_t){ (uint8_t)(raw >> 8 * i) }, 1);
}

/* More than anything counts, and room to add many of them up. */
#define DOUBLE_MAX 1e200

static bool get_double(struct reading *reading, double *value)
{
    uint64_t head, raw = 0;

    if (!get(reading, UINT64_MAX, &head))
        return false;
    if (head & 1) {
        *value = (double)varint_zagzig(head >> 1);
        return true;
    }
    if (head != 0 || reading->end - reading->at < 8)
        return false;
    for (unsigned i = 0; i < 8; i++)
        raw |= (uint64_t)*reading->at++ << 8 * i;
    memcpy(value, &raw, sizeof(raw));
    return fabs(*value) <= DOUBLE_MAX; /* no NAN either */
}

/* ---- names ----------------------------------------------------------------------------------- */

void encode_segment(struct bytes *bytes, const struct segment *segment)
{
    bytes_varint(bytes, segment->offset);
    bytes_varint(bytes, segment->size);
    bytes_varint(bytes, segment->address);
}

bool decode_segment(struct reading *reading, struct segment *segment)
{
    segment->executable = true;
    return get(reading, UINT64_MAX, &segment->offset) &&
           get(reading, UINT64_MAX - segment->offset, &segment->size) &&
           get(reading, UINT64_MAX - segment->size, &segment->address);
}

void encode_frame(struct bytes *bytes, const struct frame *frame)
{
    bytes_varint(bytes, frame->kind);
    bytes_varint(bytes, frame->module);
    bytes_varint(bytes, frame->address);
}

bool decode_frame(struct reading *reading, struct frame *frame)
{
    return get_u32(reading, &frame->kind) && frame->kind < FRAME_KINDS &&
           get_u32(reading, &frame->module) && get(reading, UINT64_MAX, &frame->address);
}

void encode_naming(struct bytes *bytes, location_id location, const struct naming *naming)
{
    bytes_varint(bytes, location);
    bytes_varint(bytes, naming->state);
    bytes_varint(bytes, naming->count);
    for (unsigned i = 0; i < naming->count; i++) {
        bytes_varint(bytes, naming->frames[i].function);
        bytes_varint(bytes, naming->frames[i].line);
    }
}

bool decode_naming(struct reading *reading, location_id *location, enum naming_state *state,
                   struct placed frames[255], uint32_t *count)
{
    uint64_t wide;

    if (!get_u32(reading, location) || !get(reading, NAMING_FULL, &wide))
        return false;
    *state = (enum naming_state)wide;
    if (!get(reading, NAMING_FRAMES_MAX, &wide) || wide == 0)
        return false;
    *count = (uint32_t)wide;
    for (uint32_t i = 0; i < *count; i++) {
        if (!get_u32(reading, &frames[i].function) || !get_u32(reading, &frames[i].line))
            return false;
    }
    return true;
}

void encode_node(struct bytes *bytes, stack_id stack, stack_id parent, location_id location)
{
    bytes_varint(bytes, stack - parent);
    bytes_varint(bytes, location);
}

bool decode_node(struct reading *reading, stack_id stack, stack_id *parent, location_id *location)
{
    uint32_t below;

    if (!get_u32(reading, &below) || below == 0 || below > stack)
        return false;
    *parent = stack - below;
    return get_u32(reading, location);
}

/* ---- counters -------------------------------------------------------------------------------- */

/* The tally's fields in the order they are stored; only ever added to at the end. */
#define TALLY_COUNTS(X)                                                                            \
    X(expected)                                                                                    \
    X(received)                                                                                    \
    X(lost)                                                                                        \
    X(throttled)                                                                                   \
    X(truncated) X(broken) X(deferred) X(unseen) X(rate_hz) X(stops) X(eintr_repaired) X(behind)
#define TALLY_TIMES(X) X(stopped_ns) X(stopped_max_ns) X(target_cpu_ns) X(source_cpu_ns)

enum { TALLY_BUCKETS = 24 };

static void encode_tally(struct bytes *bytes, const struct record_tally *tally)
{
#define PUT(field) bytes_varint(bytes, tally->field);
    TALLY_COUNTS(PUT)
    TALLY_TIMES(PUT)
#undef PUT
    for (unsigned i = 0; i < TALLY_BUCKETS; i++)
        bytes_varint(bytes, tally->stopped_log2[i]);
}

static bool decode_tally(struct reading *reading, struct record_tally *tally)
{
    bool good = true;

    *tally = (struct record_tally){ .head = { .type = RECORD_TALLY } };
#define GET_COUNT(field) good = good && get_u32(reading, &tally->field);
#define GET_TIME(field) good = good && get(reading, INT64_MAX, &tally->field);
    TALLY_COUNTS(GET_COUNT)
    TALLY_TIMES(GET_TIME)
#undef GET_COUNT
#undef GET_TIME
    for (unsigned i = 0; i < TALLY_BUCKETS; i++)
        good = good && get_u32(reading, &tally->stopped_log2[i]);
    return good;
}

static void encode_others(struct bytes *bytes, const struct slice *slice)
{
    uint32_t count;
    const struct other_process *others = slice_others(slice, &count);

    bytes_varint(bytes, count);
    if (count == 0)
        return;
    bytes_varint(bytes, slice_other_parts(slice));
    for (uint32_t i = 0; i < count; i++) {
        bytes_varint(bytes, (uint32_t)others[i].pid);
        bytes_varint(bytes, others[i].majflt);
        put_double(bytes, others[i].cpu_pct);
        bytes_varint(bytes, others[i].read_bytes);
        bytes_varint(bytes, others[i].write_bytes);
        put_text(bytes, others[i].name, sizeof(others[i].name));
    }
}

static bool decode_others(struct reading *reading, struct slice_draft *draft)
{
    struct other_process others[SLICE_OTHERS_MAX];
    uint32_t parts = 0;
    uint64_t count;

    if (!get(reading, SLICE_OTHERS_MAX, &count))
        return false;
    if (count > 0 && (!get_u32(reading, &parts) || parts == 0))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct other_process *other = &others[i];
        uint32_t pid;

        if (!get_u32(reading, &pid) || !get_u32(reading, &other->majflt) ||
            !get_double(reading, &other->cpu_pct) || !get(reading, INT64_MAX, &other->read_bytes) ||
            !get(reading, INT64_MAX, &other->write_bytes) ||
            !get_text(reading, other->name, sizeof(other->name)))
            return false;
        other->pid = (int32_t)pid;
    }
    if (count > 0)
        draft_add_others(draft, others, (uint32_t)count, parts);
    return true;
}

static void encode_syscalls(struct bytes *bytes, const struct slice *slice)
{
    uint32_t count;
    const struct syscall_tally *syscalls = slice_syscalls(slice, &count);

    bytes_varint(bytes, count);
    for (uint32_t i = 0; i < count; i++) {
        bytes_varint(bytes, (uint32_t)syscalls[i].tid);
        bytes_varint(bytes, varint_zigzag(syscalls[i].number));
        bytes_varint(bytes, syscalls[i].count);
        bytes_varint(bytes, syscalls[i].errors);
        bytes_varint(bytes, syscalls[i].total_ns);
        bytes_varint(bytes, syscalls[i].p99_ns);
        bytes_varint(bytes, syscalls[i].exact != 0);
    }
}

static bool decode_syscalls(struct reading *reading, struct slice_draft *draft)
{
    uint64_t count, number;

    if (!get(reading, TABLE_MAX, &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct syscall_tally tally = { 0 };
        uint32_t tid;

        if (!get_u32(reading, &tid) || !get(reading, UINT32_MAX, &number) ||
            !get_u32(reading, &tally.count) || !get_u32(reading, &tally.errors) ||
            !get(reading, INT64_MAX, &tally.total_ns) || !get(reading, INT64_MAX, &tally.p99_ns) ||
            !get_u32(reading, &tally.exact))
            return false;
        tally.tid = (int32_t)tid;
        tally.number = (int32_t)varint_zagzig(number);
        if (!draft_append_syscall(draft, &tally))
            return false;
    }
    return true;
}

static void encode_lanes(struct bytes *bytes, const struct slice *slice)
{
    uint32_t count;
    const struct lane_sum *lanes = slice_lanes(slice, &count);

    bytes_varint(bytes, count);
    for (uint32_t i = 0; i < count; i++) {
        bytes_varint(bytes, lanes[i].lane);
        bytes_varint(bytes, lanes[i].parts);
        put_double(bytes, lanes[i].sum);
    }
}

static bool decode_lanes(struct reading *reading, uint32_t lanes, struct slice_draft *draft)
{
    uint64_t count;

    if (!get(reading, TABLE_MAX, &count))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct lane_sum lane;

        if (!get_u32(reading, &lane.lane) || lane.lane >= lanes || !get_u32(reading, &lane.parts) ||
            lane.parts == 0 || !get_double(reading, &lane.sum))
            return false;
        if (!draft_append_lane(draft, &lane))
            return false;
    }
    return true;
}

void encode_counters(struct bytes *bytes, const struct slice *slice)
{
    const struct record_tally *tally = slice_tally(slice);

    encode_lanes(bytes, slice);
    encode_others(bytes, slice);
    encode_syscalls(bytes, slice);
    bytes_varint(bytes, tally != NULL);
    if (tally != NULL)
        encode_tally(bytes, tally);
}

bool decode_counters(struct reading *reading, uint32_t lanes, struct slice_draft *draft)
{
    struct record_tally tally;
    uint64_t tallied;

    if (reading->at == reading->end)
        return true;
    if (!decode_lanes(reading, lanes, draft) || !decode_others(reading, draft) ||
        !decode_syscalls(reading, draft) || !get(reading, 1, &tallied))
        return false;
    if (tallied == 0)
        return reading->at == reading->end;
    if (!decode_tally(reading, &tally) || reading->at != reading->end)
        return false;
    draft_add_tally(draft, &tally);
    return true;
}
