/* SPDX-License-Identifier: MIT */
/*
 * The bytes inside a session's blobs: made of varints, read with every bound checked, because a
 * file may come from anywhere.
 *
 *     modules.code       offset, size, address …
 *     locations.frames   kind, module, address …
 *     namings.named      location, state, count, (function, line) × count …
 *     stacks.nodes       how far below the parent is, location …
 *     slices.counters    lanes, others, system calls, tally
 *
 * The decoders are also what the fuzz targets call.
 */
#ifndef PROFTOP_SESSION_CODEC_H
#define PROFTOP_SESSION_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/frame.h"
#include "proftop/module.h"
#include "proftop/names.h"
#include "proftop/slice.h"

struct bytes {
    uint8_t *data;
    size_t size, capacity;
};

void bytes_fini(struct bytes *bytes);
void bytes_clear(struct bytes *bytes);
void bytes_varint(struct bytes *bytes, uint64_t value);

/* What is still to be read of a blob. */
struct reading {
    const uint8_t *at, *end;
};

struct reading reading_of(const void *data, size_t size_bytes);

/* Code: the segments that are executable. */
void encode_segment(struct bytes *bytes, const struct segment *segment);
bool decode_segment(struct reading *reading, struct segment *segment);

void encode_frame(struct bytes *bytes, const struct frame *frame);
bool decode_frame(struct reading *reading, struct frame *frame);

void encode_naming(struct bytes *bytes, location_id location, const struct naming *naming);
/* Into FRAMES, room for 255; ids are not checked against any table. */
bool decode_naming(struct reading *reading, location_id *location, enum naming_state *state,
                   struct placed frames[255], uint32_t *count);

void encode_node(struct bytes *bytes, stack_id stack, stack_id parent, location_id location);
bool decode_node(struct reading *reading, stack_id stack, stack_id *parent, location_id *location);

void encode_counters(struct bytes *bytes, const struct slice *slice);
/* Adds what it reads to DRAFT; lanes must be below LANES. */
bool decode_counters(struct reading *reading, uint32_t lanes, struct slice_draft *draft);

#endif
