/* SPDX-License-Identifier: MIT */
/*
 * Makes the .eh_frame_hdr that a file lacks (static programs without PIE have none): libunwind
 * finds nothing without its table, and neither does who asks where a function starts.
 *
 *     version, 3 encodings, → .eh_frame, count | start, FDE | start, FDE | …   relative to itself
 */
#include "config.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "cfi.h"
#include "image.h"
#include "proftop/memory.h"

enum { HDR_BYTES = 12, ENTRY_ALIGN = 8 };

struct entry {
    int32_t start, fde; /* relative to the header */
};

struct collector {
    struct cfi_sink sink;
    uint64_t base; /* of the header that is being made */
    struct entry *entries;
    size_t count, capacity;
};

static void begin(struct cfi_sink *sink, uint64_t start, uint64_t end, uint64_t fde)
{
    struct collector *collector = (struct collector *)sink;
    struct entry entry = { (int32_t)(start - collector->base), (int32_t)(fde - collector->base) };

    (void)end;
    /* What is out of reach for 32 bits cannot be named in the table. */
    if (collector->base + (uint64_t)(int64_t)entry.start != start ||
        collector->base + (uint64_t)(int64_t)entry.fde != fde)
        return;
    collector->entries = array_reserve(collector->entries, &collector->capacity,
                                       collector->count + 1, sizeof(*collector->entries));
    collector->entries[collector->count++] = entry;
}

static void row(struct cfi_sink *sink, uint64_t address, const struct rule *rule)
{
    (void)sink, (void)address, (void)rule;
}

static int by_start(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    return a->start < b->start ? -1 : a->start > b->start;
}

void image_make_hdr(struct image *image)
{
    const struct image_section *frame = &image->eh_frame;
    struct collector collector = {
        .sink = { begin, row },
        .base = (frame->address + frame->size + ENTRY_ALIGN - 1) & ~(uint64_t)(ENTRY_ALIGN - 1),
    };
    struct cfi_section section = {
        .bytes = frame->bytes,
        .size = frame->size,
        .address = frame->address,
        .machine = image->machine,
    };
    uint8_t head[HDR_BYTES] = { 1, DW_EH_PE_pcrel | DW_EH_PE_sdata4, DW_EH_PE_udata4,
                                DW_EH_PE_datarel | DW_EH_PE_sdata4 };
    int32_t to_frame = (int32_t)(frame->address - (collector.base + 4));
    uint32_t count;
    uint8_t *bytes;

    if (frame->bytes == NULL || image->eh_frame_hdr.bytes != NULL)
        return;
    cfi_parse(&section, &collector.sink);
    if (collector.count > 0)
        qsort(collector.entries, collector.count, sizeof(*collector.entries), by_start);
    count = (uint32_t)collector.count;
    memcpy(head + 4, &to_frame, sizeof(to_frame));
    memcpy(head + 8, &count, sizeof(count));
    bytes = xmalloc(HDR_BYTES + collector.count * sizeof(struct entry));
    memcpy(bytes, head, HDR_BYTES);
    if (collector.count > 0)
        memcpy(bytes + HDR_BYTES, collector.entries, collector.count * sizeof(struct entry));
    image->eh_frame_hdr =
        (struct image_section){ bytes, HDR_BYTES + collector.count * sizeof(struct entry),
                                collector.base };
    free(collector.entries);
}
