/* SPDX-License-Identifier: MIT */
/*
 * Builds a table: functions with their rows as the sections deliver them, sorted by address, laid
 * one behind the other.
 *
 *     functions   [start, end) → rows     .eh_frame first, then .gopclntab and .debug_frame where
 *                                         those before have nothing
 *
 * Where functions overlap the one that starts later wins, as a binary search of .eh_frame_hdr would
 * have it.  A function's end is a row too ("no information"), unless another starts there.
 */
#include "config.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cfi.h"
#include "go.h"
#include "image.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"
#include "state.h"
#include "table_private.h"

enum { RULES_MAX = UINT16_MAX };

struct function {
    uint32_t start, end; /* offsets in the file */
    uint32_t row;        /* its first one */
    uint32_t rows;
};

struct raw_row {
    uint32_t key;
    uint16_t name;
};

struct builder {
    struct cfi_sink sink;
    const struct image *image;
    struct table *table;
    struct function *functions;
    size_t function_count, function_capacity;
    struct raw_row *rows;
    size_t row_count, row_capacity;
    size_t rule_capacity;
    struct index index;            /* rules by content */
    uint64_t address, address_end; /* of the function being delivered … */
    uint64_t offset;               /* … and where it starts in the file */
    bool skipped;                  /* it lies in no executable piece */
};

static uint64_t rule_hash(const struct rule *rule)
{
    uint64_t words[4] = { 0 };

    memcpy(words, rule, sizeof(*rule));
    return hash_pair(hash_pair(words[0], words[1]), hash_pair(words[2], words[3]));
}

static uint16_t rule_add(struct builder *builder, const struct rule *rule, uint64_t hash)
{
    struct table *table = builder->table;

    table->rules = array_reserve(table->rules, &builder->rule_capacity, table->rule_count + 1,
                                 sizeof(*table->rules));
    table->rules[table->rule_count] = *rule;
    index_add(&builder->index, hash, table->rule_count);
    return (uint16_t)table->rule_count++;
}

static uint16_t rule_name(struct builder *builder, const struct rule *rule)
{
    struct table *table = builder->table;
    uint64_t hash = rule_hash(rule);
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&builder->index, hash, &cursor);
    while ((item = index_next(&builder->index, &cursor)) != INDEX_END) {
        if (memcmp(&table->rules[item], rule, sizeof(*rule)) == 0)
            return (uint16_t)item;
    }
    if (table->rule_count == RULES_MAX)
        return RULE_NAME_ASK;
    return rule_add(builder, rule, hash);
}

static void begin(struct cfi_sink *sink, uint64_t start, uint64_t end, uint64_t entry)
{
    struct builder *builder = (struct builder *)sink;
    uint64_t last;

    (void)entry;
    builder->address = start;
    builder->address_end = end;
    /* A function must lie in one piece, and in the first 4 GiB of its file. */
    builder->skipped = !image_offset(builder->image, start, &builder->offset) ||
                       !image_offset(builder->image, end - 1, &last) ||
                       last - builder->offset != end - 1 - start || last >= UINT32_MAX;
    if (builder->skipped)
        return;
    builder->functions = array_reserve(builder->functions, &builder->function_capacity,
                                       builder->function_count + 1, sizeof(*builder->functions));
    builder->functions[builder->function_count++] = (struct function){
        .start = (uint32_t)builder->offset,
        .end = (uint32_t)last + 1,
        .row = (uint32_t)builder->row_count,
    };
}

static void row(struct cfi_sink *sink, uint64_t address, const struct rule *rule)
{
    struct builder *builder = (struct builder *)sink;
    struct function *function;

    if (builder->skipped || address >= builder->address_end)
        return;
    builder->rows = array_reserve(builder->rows, &builder->row_capacity, builder->row_count + 1,
                                  sizeof(*builder->rows));
    builder->rows[builder->row_count++] = (struct raw_row){
        .key = (uint32_t)(builder->offset + (address - builder->address)),
        .name = rule_name(builder, rule),
    };
    function = &builder->functions[builder->function_count - 1];
    function->rows++;
}

static int by_start(const void *left, const void *right)
{
    const struct function *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static void sort_functions(struct builder *builder)
{
    for (size_t i = 1; i < builder->function_count; i++) {
        if (builder->functions[i - 1].start > builder->functions[i].start) {
            qsort(builder->functions, builder->function_count, sizeof(*builder->functions),
                  by_start);
            return;
        }
    }
}

/* Drops functions from FIRST on that overlap one of the sorted ones before it. */
static void drop_covered(struct builder *builder, size_t first)
{
    size_t kept = first;

    for (size_t i = first; i < builder->function_count; i++) {
        const struct function *function = &builder->functions[i];
        size_t low = 0, high = first; /* the first one that ends behind our start */

        while (low < high) {
            size_t middle = low + (high - low) / 2;

            if (builder->functions[middle].end <= function->start)
                low = middle + 1;
            else
                high = middle;
        }
        if (low == first || builder->functions[low].start >= function->end)
            builder->functions[kept++] = *function;
    }
    builder->function_count = kept;
}

static void push(struct table *table, uint32_t key, uint16_t name)
{
    if (table->count > 0 && table->keys[table->count - 1] == key)
        table->count--;
    if (table->count > 0 && table->names[table->count - 1] == name)
        return;
    table->keys[table->count] = key;
    table->names[table->count++] = name;
}

/* Lays the functions' rows out one behind the other. */
static void lay_out(struct builder *builder)
{
    struct table *table = builder->table;
    size_t most = builder->row_count + builder->function_count;

    table->keys = xmalloc(most * sizeof(*table->keys));
    table->names = xmalloc(most * sizeof(*table->names));
    for (size_t i = 0; i < builder->function_count; i++) {
        const struct function *function = &builder->functions[i];
        uint64_t next = i + 1 < builder->function_count ? function[1].start : UINT64_MAX;

        for (uint32_t k = 0; k < function->rows; k++) {
            const struct raw_row *raw = &builder->rows[function->row + k];

            if (raw->key < next)
                push(table, raw->key, raw->name);
        }
        if (function->end < next)
            push(table, function->end, RULE_NAME_NONE);
    }
    /* What merging saved is given back. */
    table->keys = xrealloc(table->keys, table->count * sizeof(*table->keys));
    table->names = xrealloc(table->names, table->count * sizeof(*table->names));
    table->rules = xrealloc(table->rules, table->rule_count * sizeof(*table->rules));
}

static void add_cfi(struct builder *builder, const struct image_section *from, bool debug_frame)
{
    struct cfi_section section = {
        .bytes = from->bytes,
        .size = from->size,
        .address = from->address,
        .debug_frame = debug_frame,
        .machine = builder->image->machine,
    };
    size_t before = builder->function_count;

    if (section.bytes == NULL)
        return;
    cfi_parse(&section, &builder->sink);
    drop_covered(builder, before);
    sort_functions(builder);
}

static void add_go(struct builder *builder)
{
    const struct image *image = builder->image;
    struct go_table table = {
        .bytes = image->gopclntab.bytes,
        .size = image->gopclntab.size,
        .text = image->text,
        .machine = image->machine,
    };
    size_t before = builder->function_count;

    if (table.bytes == NULL)
        return;
    go_parse(&table, &builder->sink);
    drop_covered(builder, before);
    sort_functions(builder);
}

struct table *table_from_image(const struct image *image)
{
    struct rule fixed[RULE_NAMES_FIXED] = {
        [RULE_NAME_NONE] = { .cfa = RULE_NONE },
        [RULE_NAME_ASK] = { .cfa = RULE_ASK },
        [RULE_NAME_END] = { .cfa = RULE_END },
        [RULE_NAME_SIGNAL] = state_signal_rule(image->machine),
        [RULE_NAME_FRAME] = { .cfa = RULE_FP,
                              .fp = SAVE_CFA,
                              .ra = SAVE_CFA,
                              .cfa_offset = 16,
                              .fp_offset = -16,
                              .ra_offset = -8 },
    };
    struct builder builder = {
        .sink = { begin, row },
        .image = image,
        .table = xcalloc(1, sizeof(struct table)),
    };

    index_init(&builder.index);
    builder.table->machine = image->machine;
    for (unsigned i = 0; i < RULE_NAMES_FIXED; i++)
        rule_add(&builder, &fixed[i], rule_hash(&fixed[i]));
    for (unsigned i = 0; i < image->segment_count; i++)
        builder.table->code_bytes += image->segments[i].size;
    if (!image_offset(image, image->entry, &builder.table->entry))
        builder.table->entry = 0;
    add_cfi(&builder, &image->eh_frame, false);
    add_go(&builder);
    add_cfi(&builder, &image->debug_frame, true);
    lay_out(&builder);
    table_finish(builder.table);
    index_fini(&builder.index);
    free(builder.functions);
    free(builder.rows);
    return builder.table;
}

struct table *table_build(const struct module *module)
{
    struct image image;
    struct table *table;

    if (!image_read(&image, module)) {
        image_fini(&image);
        image = (struct image){ .machine = EM_NONE };
    }
    table = table_from_image(&image);
    table->module = module;
    image_fini(&image);
    return table;
}
