/* SPDX-License-Identifier: MIT */
/*
 * Keeping blocks up to date with a profile.
 *
 *     the scope is the last one's but for its range, the recording is the same,
 *         and the new slices are still held as fine ones   → add those
 *         known stacks have other names now                → set their functions again
 *     else                                                 → all slices anew
 *
 * Blocks begin as long as slices are.  When there are too many of them, several become one: their
 * length goes 0.1, 0.5, 1, 5, 10 s, 1 min, so that blocks end with whole seconds.
 */
#include "config.h"

#include "proftop/contrast.h"

#include <stdlib.h>
#include <string.h>

#include "display.h"
#include "proftop/clock.h"
#include "proftop/hash.h"
#include "proftop/history.h"
#include "proftop/index.h"
#include "proftop/memory.h"
#include "proftop/slice.h"
#include "proftop/text.h"
#include "proftop/timeline.h"
#include "selection.h"

enum { BLOCKS_MAX = 4096, CELLS_MAX = 4 << 20, DEPTH_MAX = 4096 };

struct contrast {
    struct profile *profile;
    struct scope scope;
    struct display *display;
    struct blocks *blocks;
    unsigned step; /* in block_steps */
    uint64_t serial;
    bool *occurs; /* by stack_id: it is in SEEN */
    size_t occurs_count, occurs_capacity;
    stack_id *seen; /* the stacks in blocks: inner nodes of the tree of stacks are not */
    size_t seen_count, seen_capacity;
    size_t stacks;                  /* of seen, whose functions are set */
    const struct names *translated; /* the names whose ids the functions have, when not our own */
};

static const struct {
    uint64_t block_ns;
    uint32_t factor; /* over the one before */
} block_steps[] = {
    { NS_PER_S / 10, 1 }, { NS_PER_S / 2, 5 },  { NS_PER_S, 2 },        { 5 * NS_PER_S, 5 },
    { 10 * NS_PER_S, 2 }, { 60 * NS_PER_S, 6 }, { 600 * NS_PER_S, 10 }, { 3600 * NS_PER_S, 6 },
};
enum { BLOCK_STEPS = sizeof(block_steps) / sizeof(block_steps[0]) };

struct contrast *contrast_new(void)
{
    struct contrast *contrast = xcalloc(1, sizeof(*contrast));

    contrast->blocks = blocks_new();
    return contrast;
}

void contrast_free(struct contrast *contrast)
{
    if (contrast == NULL)
        return;
    profile_unref(contrast->profile);
    display_unref(contrast->display);
    blocks_free(contrast->blocks);
    free(contrast->occurs);
    free(contrast->seen);
    free(contrast);
}

const struct blocks *contrast_blocks(const struct contrast *contrast)
{
    return contrast->blocks;
}

/* ---- keeping up ------------------------------------------------------------------------------ */

static void grow_coarser(struct contrast *contrast)
{
    while (contrast->step + 1 < BLOCK_STEPS && (blocks_count(contrast->blocks) >= BLOCKS_MAX ||
                                                blocks_cell_count(contrast->blocks) >= CELLS_MAX)) {
        contrast->step++;
        blocks_merge(contrast->blocks, block_steps[contrast->step].factor);
    }
}

/*
 * Makes the block that TIME_NS lies in the newest; what is late counts in the newest there is.
 * Blocks begin at whole multiples of their length from the profile's start, also when nothing ran.
 */
static void begin_block(struct contrast *contrast, uint64_t time_ns)
{
    for (;;) {
        uint64_t block_ns = block_steps[contrast->step].block_ns;
        uint32_t count = blocks_count(contrast->blocks);
        uint64_t next_ns = profile_start_ns(contrast->profile) + count * block_ns;

        if (count > 0 && time_ns < next_ns)
            break;
        if (count >= BLOCKS_MAX && contrast->step + 1 < BLOCK_STEPS) {
            grow_coarser(contrast);
            continue;
        }
        blocks_begin(contrast->blocks, next_ns, next_ns + block_ns);
    }
}

static void note_stack(struct contrast *contrast, stack_id stack)
{
    size_t wanted = (size_t)stack + 1;

    if (wanted > contrast->occurs_count) {
        contrast->occurs = array_reserve(contrast->occurs, &contrast->occurs_capacity, wanted,
                                         sizeof(*contrast->occurs));
        memset(contrast->occurs + contrast->occurs_count, 0, wanted - contrast->occurs_count);
        contrast->occurs_count = wanted;
    }
    if (contrast->occurs[stack])
        return;
    contrast->occurs[stack] = true;
    contrast->seen = array_reserve(contrast->seen, &contrast->seen_capacity,
                                   contrast->seen_count + 1, sizeof(*contrast->seen));
    contrast->seen[contrast->seen_count++] = stack;
}

static void add_entry(struct contrast *contrast, const struct selection *selection,
                      const struct slice_entry *entry)
{
    if (!selection_has_thread(selection, entry->thread) ||
        display_stack(contrast->display, entry->stack).excluded)
        return;
    note_stack(contrast, entry->stack);
    blocks_add(contrast->blocks, entry->stack, entry->weight, entry->count);
}

static void add_slice(struct contrast *contrast, const struct selection *selection,
                      const struct slice *slice)
{
    uint64_t start_ns = slice_start_ns(slice);
    struct slice_walk walk;
    struct slice_entry entry;

    begin_block(contrast, start_ns + (slice_end_ns(slice) - start_ns) / 2);
    slice_entries(slice, &walk);
    while (slice_next_group(&walk)) {
        if (!selection_has_group(selection, &walk.last)) {
            slice_skip_group(&walk);
            continue;
        }
        while (walk.at < walk.group_end && slice_next_entry(&walk, &entry))
            add_entry(contrast, selection, &entry);
    }
    grow_coarser(contrast);
}

/* The functions on STACK as the display shows it, innermost first, none twice. */
static void set_functions(struct contrast *contrast, stack_id stack)
{
    function_id functions[DEPTH_MAX];
    uint32_t count = 0, node = display_stack(contrast->display, stack).node;
    const struct display_node *at;

    for (; (at = display_node(contrast->display, node))->function != FUNCTION_ROOT;
         node = at->parent) {
        /* A recursive function is taken where it is innermost (its own self time), once. */
        function_id function = display_function(contrast->display, node);
        bool known = false;

        for (uint32_t i = 0; i < count && !known; i++)
            known = functions[i] == function;
        if (!known && count < DEPTH_MAX)
            functions[count++] = function;
    }
    blocks_set_functions(contrast->blocks, stack, functions, count);
}

static void set_all_functions(struct contrast *contrast)
{
    blocks_forget_functions(contrast->blocks);
    contrast->stacks = 0;
    contrast->translated = NULL;
}

static void set_new_functions(struct contrast *contrast)
{
    for (; contrast->stacks < contrast->seen_count; contrast->stacks++)
        set_functions(contrast, contrast->seen[contrast->stacks]);
}

static void add_all(struct contrast *contrast, const struct selection *selection)
{
    struct slice_cursor cursor;
    const struct slice *slice;

    blocks_clear(contrast->blocks);
    contrast->step = 0;
    contrast->stacks = contrast->seen_count = contrast->occurs_count = 0;
    profile_slices(contrast->profile, profile_start_ns(contrast->profile), UINT64_MAX,
                   block_steps[0].block_ns, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL)
        add_slice(contrast, selection, slice);
}

/* Whether A and B differ in their range at most. */
static bool same_but_range(const struct scope *a, const struct scope *b)
{
    struct scope other = *b;

    other.start_ns = a->start_ns;
    other.end_ns = a->end_ns;
    other.last_ns = a->last_ns;
    return scope_equal(a, &other);
}

bool contrast_update(struct contrast *contrast, struct profile *profile, const struct scope *scope,
                     struct error *error)
{
    bool same = contrast->profile != NULL && profile_same_history(contrast->profile, profile);
    bool extends = same && same_but_range(&contrast->scope, scope) && scope->thread_name[0] == '\0';
    bool moved = !extends;
    struct scope whole = *scope;
    struct selection selection;
    struct fresh_cursor fresh;
    const struct slice *slice;

    if (!same || contrast->display == NULL ||
        !display_fits(contrast->display, profile_names(profile), scope)) {
        struct display *display = display_new(profile_names(profile), scope, error);

        if (display == NULL)
            return false;
        display_unref(contrast->display);
        contrast->display = display;
        moved = true;
    }
    moved |= display_update(contrast->display);
    if (moved || contrast->translated != NULL)
        set_all_functions(contrast);
    extends &= !(moved && scope->filter[0] != '\0');

    profile_ref(profile);
    profile_unref(contrast->profile);
    contrast->profile = profile;
    contrast->scope = *scope;
    whole.start_ns = 0;
    whole.end_ns = UINT64_MAX;
    whole.last_ns = 0;
    selection_init(&selection, profile, &whole);
    if (extends && profile_fresh(profile, contrast->serial, &fresh)) {
        while ((slice = profile_next_fresh(&fresh)) != NULL)
            add_slice(contrast, &selection, slice);
    } else {
        add_all(contrast, &selection);
    }
    set_new_functions(contrast);
    contrast->serial = profile_serial(profile);
    selection_fini(&selection);
    return true;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static bool inside(const struct block *block, uint64_t start_ns, uint64_t end_ns)
{
    uint64_t length_ns = block->end_ns - block->start_ns;
    uint64_t middle_ns = block->start_ns + length_ns / 2;

    if (end_ns - start_ns < length_ns) {
        uint64_t wanted_ns = start_ns + (end_ns - start_ns) / 2;

        return wanted_ns >= block->start_ns && wanted_ns < block->end_ns;
    }
    return middle_ns >= start_ns && middle_ns < end_ns;
}

/* A flag a block: inside of [START, END). */
static bool *choose(const struct blocks *blocks, uint64_t start_ns, uint64_t end_ns)
{
    uint32_t count = blocks_count(blocks);
    bool *chosen = xcalloc((size_t)count + 1, sizeof(*chosen));

    for (uint32_t i = 0; i < count; i++)
        chosen[i] = inside(blocks_get(blocks, i), start_ns, end_ns);
    return chosen;
}

static struct comparison *compare_flags(struct blocks *blocks, const bool *a, const bool *b,
                                        const struct compare_options *options)
{
    return compare_sides(&(struct compare_side){ blocks, a }, &(struct compare_side){ blocks, b },
                         options);
}

struct comparison *contrast_rest(const struct contrast *contrast, uint64_t start_ns,
                                 uint64_t end_ns, const struct compare_options *options)
{
    uint32_t count = blocks_count(contrast->blocks);
    bool *chosen = choose(contrast->blocks, start_ns, end_ns);
    bool *rest = xcalloc((size_t)count + 1, sizeof(*rest));
    struct comparison *comparison;

    for (uint32_t i = 0; i < count; i++)
        rest[i] = !chosen[i];
    comparison = compare_flags(contrast->blocks, chosen, rest, options);
    free(chosen);
    free(rest);
    return comparison;
}

/* What a function is, whatever its file: two builds of a program have theirs in two folders. */
static uint64_t identity_hash(const struct function *function)
{
    uint64_t hash = hash_bytes(function->kind, function->name, strlen(function->name));

    return hash_bytes(hash, function->module, strlen(function->module));
}

/* How sure it is that two functions are one, the surest first. */
enum likeness { LIKE_EXACTLY, LIKE_IN_FILE, LIKE_BY_NAME, LIKENESSES };

static bool alike(const struct function *a, const struct function *b, enum likeness likeness)
{
    if (a->kind != b->kind || strcmp(a->name, b->name) != 0 || strcmp(a->module, b->module) != 0)
        return false;
    switch (likeness) {
    case LIKE_EXACTLY:
        return strcmp(a->raw_name, b->raw_name) == 0 && strcmp(a->file, b->file) == 0;
    case LIKE_IN_FILE:
        return strcmp(text_base_name(a->file), text_base_name(b->file)) == 0;
    default:
        return true;
    }
}

/* How many bytes two paths have in common at their ends. */
static size_t common_end(const char *a, const char *b)
{
    size_t i = strlen(a), k = strlen(b), common = 0;

    while (i > 0 && k > 0 && a[--i] == b[--k])
        common++;
    return common;
}

/* Which functions of CONTRAST's names are in its blocks: a name that came late leaves others. */
static bool *occurring(const struct contrast *contrast, uint32_t count)
{
    bool *occurs = xcalloc((size_t)count + 1, sizeof(*occurs));

    for (size_t k = 0; k < contrast->seen_count; k++) {
        uint32_t depth;
        const function_id *functions =
            blocks_functions(contrast->blocks, contrast->seen[k], &depth);

        for (uint32_t i = 0; i < depth; i++)
            occurs[functions[i]] = true;
    }
    return occurs;
}

/* Among the functions in INDEX that are still UNPAIRED. */
static function_id find_like(const struct names *names, const struct index *index,
                             const bool *unpaired, const struct function *wanted,
                             enum likeness likeness)
{
    function_id best = UINT32_MAX;
    size_t best_end = 0;
    struct index_cursor cursor;
    uint32_t item;

    index_probe(index, identity_hash(wanted), &cursor);
    while ((item = index_next(index, &cursor)) != INDEX_END) {
        const struct function *function = names_get(names, item);
        size_t end = common_end(function->file, wanted->file);

        if (!unpaired[item] || !alike(function, wanted, likeness) ||
            (best != UINT32_MAX && end <= best_end))
            continue;
        best = item;
        best_end = end;
    }
    return best;
}

/*
 * Which function of A each of B's is, one each at most: the surest are found first, so that a
 * parse() in one file is not taken for the parse() in another while its own is there.
 */
static function_id *pair_up(const struct contrast *b, const struct contrast *a)
{
    struct names *from = profile_names(b->profile), *to = profile_names(a->profile);
    uint32_t known = names_functions(to), count = names_functions(from);
    function_id *same = xmalloc(((size_t)count + 1) * sizeof(*same));
    bool *wanted = occurring(b, count), *unpaired = occurring(a, known);
    struct index index;

    index_init(&index);
    for (function_id i = 0; i < known; i++)
        if (unpaired[i])
            index_add(&index, identity_hash(names_get(to, i)), i);
    for (int likeness = 0; likeness < LIKENESSES; likeness++)
        for (function_id i = 0; i < count; i++) {
            if (!wanted[i])
                continue;
            same[i] = find_like(to, &index, unpaired, names_get(from, i), (enum likeness)likeness);
            if (same[i] == UINT32_MAX)
                continue;
            wanted[i] = unpaired[same[i]] = false;
        }
    for (function_id i = 0; i < count; i++)
        if (wanted[i])
            same[i] = names_function(to, names_get(from, i));
    index_fini(&index);
    free(unpaired);
    free(wanted);
    return same;
}

/* B's stacks lead to functions of A's names from now on. */
static void translate(struct contrast *b, const struct contrast *a)
{
    const struct names *to = profile_names(a->profile);
    function_id *same;

    if (profile_names(b->profile) == to || b->translated == to)
        return;
    set_all_functions(b);
    set_new_functions(b);
    same = pair_up(b, a);
    for (size_t k = 0; k < b->seen_count; k++) {
        stack_id stack = b->seen[k];
        function_id functions[DEPTH_MAX];
        uint32_t depth;
        const function_id *old = blocks_functions(b->blocks, stack, &depth);

        for (uint32_t i = 0; i < depth; i++)
            functions[i] = same[old[i]];
        blocks_set_functions(b->blocks, stack, functions, depth);
    }
    b->translated = to;
    free(same);
}

struct comparison *contrast_ranges(const struct contrast_range *a, const struct contrast_range *b,
                                   const struct compare_options *options)
{
    bool *in_a, *in_b;
    struct comparison *comparison;

    translate(b->contrast, a->contrast);
    in_a = choose(a->contrast->blocks, a->start_ns, a->end_ns);
    in_b = choose(b->contrast->blocks, b->start_ns, b->end_ns);
    comparison = compare_sides(&(struct compare_side){ a->contrast->blocks, in_a },
                               &(struct compare_side){ b->contrast->blocks, in_b }, options);
    free(in_a);
    free(in_b);
    return comparison;
}

struct comparison *contrast_lift(const struct contrast *contrast, const struct timeline *timeline,
                                 lane_id lane, const struct compare_options *options)
{
    uint32_t count = blocks_count(contrast->blocks);
    bool *high, *low;
    double *values, threshold;
    struct comparison *comparison;

    if (count == 0 || !timeline_top_decile(timeline, lane, &threshold))
        return NULL;
    high = xcalloc(count, sizeof(*high));
    low = xcalloc(count, sizeof(*low));
    values = xcalloc(count, sizeof(*values));
    timeline_series(timeline, lane, blocks_get(contrast->blocks, 0)->start_ns,
                    block_steps[contrast->step].block_ns, count, values);
    for (uint32_t i = 0; i < count; i++) {
        high[i] = values[i] >= threshold;
        low[i] = values[i] < threshold; /* neither, where nothing is known */
    }
    comparison = compare_flags(contrast->blocks, high, low, options);
    free(high);
    free(low);
    free(values);
    return comparison;
}

static bool stack_has(const struct blocks *blocks, uint32_t stack, function_id function, bool total)
{
    uint32_t count;
    const function_id *functions = blocks_functions(blocks, stack, &count);

    for (uint32_t i = 0; i < count && (i == 0 || total); i++)
        if (functions[i] == function)
            return true;
    return false;
}

void contrast_series(const struct contrast *contrast, function_id function, bool total,
                     uint64_t start_ns, uint64_t bucket_ns, uint32_t count, double *cores)
{
    const struct blocks *blocks = contrast->blocks;
    uint64_t end_ns = start_ns + count * bucket_ns;

    memset(cores, 0, count * sizeof(*cores));
    for (uint32_t i = blocks_at(blocks, start_ns); i < blocks_count(blocks); i++) {
        const struct block *block = blocks_get(blocks, i);
        const struct block_cell *cells = blocks_cells(blocks, block);
        double length_ns = (double)(block->end_ns - block->start_ns), weight = 0;

        if (block->start_ns >= end_ns)
            break;
        for (uint32_t k = 0; k < block->cells; k++)
            if (stack_has(blocks, cells[k].stack, function, total))
                weight += (double)cells[k].weight;
        for (uint64_t at_ns = block->start_ns > start_ns ? block->start_ns : start_ns;
             at_ns < block->end_ns && at_ns < end_ns;) {
            uint64_t bucket = (at_ns - start_ns) / bucket_ns;
            uint64_t next_ns = start_ns + (bucket + 1) * bucket_ns;
            uint64_t until_ns = next_ns < block->end_ns ? next_ns : block->end_ns;

            cores[bucket] += weight * (double)(until_ns - at_ns) / length_ns / (double)bucket_ns;
            at_ns = until_ns;
        }
    }
}
