/* SPDX-License-Identifier: MIT */
/* Drafts: what a slice will hold while it is still gathered.  One thread a draft. */
#include "config.h"

#include "slice_private.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/sorting.h"
#include "proftop/varint.h"

enum {
    GROUP_BYTES_MAX = 3 * VARINT_MAX, /* packed */
    ENTRY_BYTES_MAX = 4 * VARINT_MAX, /* packed */
    TABLE_ALIGNMENT = 8,
    SETTLE_MIN = 1 << 16, /* entries */
};

void draft_init(struct slice_draft *draft)
{
    *draft = (struct slice_draft){ 0 };
}

void draft_fini(struct slice_draft *draft)
{
    free(draft->entries);
    free(draft->lanes);
    free(draft->others);
    free(draft->syscalls);
}

bool draft_empty(const struct slice_draft *draft)
{
    return draft->entry_count == 0 && draft->lane_count == 0 && draft->other_count == 0 &&
           draft->syscall_count == 0 && !draft->tallied;
}

/* Empty again, with its memory kept for the next slice. */
static void draft_reset(struct slice_draft *draft)
{
    draft->entry_count = draft->lane_count = draft->other_count = draft->syscall_count = 0;
    draft->other_parts = 0;
    draft->tallied = false;
    draft->settled = 0;
}

/* ---- entries --------------------------------------------------------------------------------- */

/* What entries of one group share. */
static uint64_t group_of(const struct slice_entry *entry)
{
    return (uint64_t)attributes_pack(entry) << 16 | (uint16_t)entry->syscall;
}

static int compare_entries(const void *left, const void *right)
{
    const struct slice_entry *a = left, *b = right;
    uint64_t group_a = group_of(a), group_b = group_of(b);

    if (group_a != group_b)
        return group_a < group_b ? -1 : 1;
    if (a->stack != b->stack)
        return a->stack < b->stack ? -1 : 1;
    return (a->thread > b->thread) - (a->thread < b->thread);
}

static int compare_numbers(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* The groups that entries are in, sorted; few, because neighbours mostly share theirs. */
struct groups {
    uint64_t *values;
    size_t count, capacity;
};

static size_t find_group(const struct groups *groups, uint64_t value)
{
    size_t low = 0, high = groups->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (groups->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void gather_groups(const struct slice_draft *draft, struct groups *groups)
{
    size_t kept = 0;

    for (size_t i = 0; i < draft->entry_count; i++) {
        uint64_t value = group_of(&draft->entries[i]);

        if (i > 0 && value == group_of(&draft->entries[i - 1]))
            continue;
        groups->values = array_reserve(groups->values, &groups->capacity, groups->count + 1,
                                       sizeof(*groups->values));
        groups->values[groups->count++] = value;
    }
    qsort(groups->values, groups->count, sizeof(*groups->values), compare_numbers);
    for (size_t i = 0; i < groups->count; i++) {
        if (i == 0 || groups->values[i] != groups->values[kept - 1])
            groups->values[kept++] = groups->values[i];
    }
    groups->count = kept;
}

static unsigned bits_for(uint64_t largest)
{
    return largest == 0 ? 0 : 64 - (unsigned)__builtin_clzll(largest);
}

/* Sorts the entries by group, stack and thread packed into one number; false when they don't fit.
 */
static bool sort_packed(struct slice_draft *draft, const struct groups *groups)
{
    size_t count = draft->entry_count;
    unsigned stack_bits, thread_bits;
    struct slice_entry *sorted;
    struct sort_key *keys;
    stack_id stack = 0;
    uint32_t thread = 0;

    for (size_t i = 0; i < count; i++) {
        stack = draft->entries[i].stack > stack ? draft->entries[i].stack : stack;
        thread = draft->entries[i].thread > thread ? draft->entries[i].thread : thread;
    }
    stack_bits = bits_for(stack);
    thread_bits = bits_for(thread);
    if (bits_for(groups->count) + stack_bits + thread_bits > 64)
        return false;
    keys = xmalloc(count * sizeof(*keys));
    for (size_t i = 0; i < count; i++) {
        const struct slice_entry *entry = &draft->entries[i];
        uint64_t group = groups->count > 1 ? find_group(groups, group_of(entry)) : 0;

        keys[i].key = (group << stack_bits | entry->stack) << thread_bits | entry->thread;
        keys[i].item = (uint32_t)i;
    }
    sort_keys(keys, count);
    sorted = xmalloc(draft->entry_capacity * sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = draft->entries[keys[i].item];
    free(draft->entries);
    draft->entries = sorted;
    free(keys);
    return true;
}

/* Sorts the entries and makes one of those that have the same key. */
static void settle_entries(struct slice_draft *draft)
{
    struct groups groups = { 0 };
    size_t kept = 0;

    if (draft->entry_count > 1) {
        gather_groups(draft, &groups);
        if (!sort_packed(draft, &groups))
            qsort(draft->entries, draft->entry_count, sizeof(*draft->entries), compare_entries);
        free(groups.values);
    }
    for (size_t i = 0; i < draft->entry_count; i++) {
        struct slice_entry *last = &draft->entries[kept > 0 ? kept - 1 : 0];

        if (kept > 0 && compare_entries(last, &draft->entries[i]) == 0) {
            last->weight += draft->entries[i].weight;
            last->count += draft->entries[i].count;
        } else {
            draft->entries[kept++] = draft->entries[i];
        }
    }
    draft->entry_count = draft->settled = kept;
}

void draft_add_entry(struct slice_draft *draft, const struct slice_entry *entry)
{
    /* So that memory is bounded by what differs, not by what was added. */
    if (draft->entry_count >= SETTLE_MIN && draft->entry_count >= 2 * draft->settled)
        settle_entries(draft);
    draft->entries = array_reserve(draft->entries, &draft->entry_capacity, draft->entry_count + 1,
                                   sizeof(*draft->entries));
    draft->entries[draft->entry_count++] = *entry;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void push_lane(struct slice_draft *draft, const struct lane_sum *lane)
{
    draft->lanes = array_reserve(draft->lanes, &draft->lane_capacity, draft->lane_count + 1,
                                 sizeof(*draft->lanes));
    draft->lanes[draft->lane_count++] = *lane;
}

void draft_add_lane(struct slice_draft *draft, const struct lane_sum *lane)
{
    for (size_t i = 0; i < draft->lane_count; i++) {
        if (draft->lanes[i].lane == lane->lane) {
            draft->lanes[i].sum += lane->sum;
            draft->lanes[i].parts += lane->parts;
            return;
        }
    }
    push_lane(draft, lane);
}

bool draft_append_lane(struct slice_draft *draft, const struct lane_sum *lane)
{
    if (draft->lane_count > 0 && draft->lanes[draft->lane_count - 1].lane >= lane->lane)
        return false;
    push_lane(draft, lane);
    return true;
}

void draft_add_tally(struct slice_draft *draft, const struct record_tally *tally)
{
    if (draft->tallied) {
        tally_add(&draft->tally, tally);
        return;
    }
    draft->tally = *tally;
    draft->tallied = true;
}

/* A file's numbers may be anyone's: what is added up stays what a file can hold. */
static void add(uint64_t *sum, uint64_t more)
{
    *sum = more < INT64_MAX - *sum ? *sum + more : INT64_MAX;
}

void draft_add_others(struct slice_draft *draft, const struct other_process *others, uint32_t count,
                      uint32_t parts)
{
    draft->other_parts += parts;
    for (uint32_t i = 0; i < count; i++) {
        struct other_process *known = NULL;

        for (size_t k = 0; k < draft->other_count && known == NULL; k++) {
            if (draft->others[k].pid == others[i].pid)
                known = &draft->others[k];
        }
        if (known != NULL) {
            known->cpu_pct += others[i].cpu_pct * parts;
            known->majflt += others[i].majflt;
            add(&known->read_bytes, others[i].read_bytes);
            add(&known->write_bytes, others[i].write_bytes);
            continue;
        }
        draft->others = array_reserve(draft->others, &draft->other_capacity, draft->other_count + 1,
                                      sizeof(*draft->others));
        draft->others[draft->other_count] = others[i];
        draft->others[draft->other_count++].cpu_pct *= parts; /* a mean again when sealed */
    }
}

static void push_syscall(struct slice_draft *draft, const struct syscall_tally *tally)
{
    draft->syscalls = array_reserve(draft->syscalls, &draft->syscall_capacity,
                                    draft->syscall_count + 1, sizeof(*draft->syscalls));
    draft->syscalls[draft->syscall_count++] = *tally;
}

static int compare_syscalls(const void *left, const void *right)
{
    const struct syscall_tally *a = left, *b = right;

    if (a->tid != b->tid)
        return a->tid < b->tid ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

bool draft_append_syscall(struct slice_draft *draft, const struct syscall_tally *tally)
{
    if (draft->syscall_count > 0 &&
        compare_syscalls(&draft->syscalls[draft->syscall_count - 1], tally) >= 0)
        return false;
    push_syscall(draft, tally);
    return true;
}

void draft_add_syscalls(struct slice_draft *draft, const struct syscall_tally *tallies,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct syscall_tally *tally = &tallies[i];
        struct syscall_tally *known = NULL;

        for (size_t k = 0; k < draft->syscall_count && known == NULL; k++) {
            if (draft->syscalls[k].tid == tally->tid && draft->syscalls[k].number == tally->number)
                known = &draft->syscalls[k];
        }
        if (known != NULL) {
            known->count += tally->count;
            known->errors += tally->errors;
            add(&known->total_ns, tally->total_ns);
            known->exact &= tally->exact;
            if (known->p99_ns < tally->p99_ns)
                known->p99_ns = tally->p99_ns;
            continue;
        }
        push_syscall(draft, tally);
    }
}

void draft_add_slice(struct slice_draft *draft, const struct slice *slice)
{
    struct slice_walk walk;
    struct slice_entry entry;

    slice_entries(slice, &walk);
    while (slice_next_entry(&walk, &entry))
        draft_add_entry(draft, &entry);
    for (uint32_t i = 0; i < slice->lane_count; i++)
        draft_add_lane(draft, &slice->lanes[i]);
    if (slice->tally != NULL)
        draft_add_tally(draft, slice->tally);
    draft_add_others(draft, slice->others, slice->other_count, slice->other_parts);
    draft_add_syscalls(draft, slice->syscalls, slice->syscall_count);
}

/* ---- sealing --------------------------------------------------------------------------------- */

static uint8_t *pack_entry(uint8_t *at, const struct slice_entry *entry, stack_id *stack,
                           uint64_t *mean)
{
    uint64_t head = (uint64_t)(entry->stack - *stack) << ENTRY_SHIFT;
    int64_t change = (int64_t)(entry->weight - *mean * entry->count);

    head |= entry->count != 1 ? ENTRY_COUNTED : 0;
    head |= change != 0 ? ENTRY_WEIGHED : 0;
    at = varint_put(at, head);
    at = varint_put(at, entry->thread);
    if (entry->count != 1)
        at = varint_put(at, entry->count);
    if (change != 0) {
        at = varint_put(at, varint_zigzag(change));
        *mean = entry->weight / entry->count;
    }
    *stack = entry->stack;
    return at;
}

/* Packs the entries from FIRST that share a key; where they end. */
static size_t pack_group(const struct slice_draft *draft, size_t first, uint8_t *scratch,
                         uint8_t **out)
{
    const struct slice_entry *head = &draft->entries[first];
    uint8_t *at = scratch;
    stack_id stack = 0;
    uint64_t mean = 0;
    size_t i;

    for (i = first; i < draft->entry_count && group_of(&draft->entries[i]) == group_of(head); i++)
        at = pack_entry(at, &draft->entries[i], &stack, &mean);
    *out = varint_put(*out, attributes_pack(head));
    *out = varint_put(*out, varint_zigzag(head->syscall));
    *out = varint_put(*out, (uint64_t)(at - scratch));
    memcpy(*out, scratch, (size_t)(at - scratch));
    *out += at - scratch;
    return i;
}

static int compare_lanes(const void *left, const void *right)
{
    const struct lane_sum *a = left, *b = right;

    return (a->lane > b->lane) - (a->lane < b->lane);
}

static int compare_others(const void *left, const void *right)
{
    const struct other_process *a = left, *b = right;

    return (a->cpu_pct < b->cpu_pct) - (a->cpu_pct > b->cpu_pct);
}

static void settle_tables(struct slice_draft *draft)
{
    if (draft->lane_count > 1)
        qsort(draft->lanes, draft->lane_count, sizeof(*draft->lanes), compare_lanes);
    if (draft->syscall_count > 1)
        qsort(draft->syscalls, draft->syscall_count, sizeof(*draft->syscalls), compare_syscalls);
    for (size_t i = 0; i < draft->other_count; i++)
        draft->others[i].cpu_pct /= draft->other_parts > 0 ? draft->other_parts : 1;
    if (draft->other_count > 1)
        qsort(draft->others, draft->other_count, sizeof(*draft->others), compare_others);
    if (draft->other_count > SLICE_OTHERS_MAX)
        draft->other_count = SLICE_OTHERS_MAX;
}

/* Copies a table behind the last one; where it lies, or NULL for an empty one. */
static const void *place_table(uint8_t **at, const void *table, size_t size_bytes)
{
    void *place = *at;

    if (size_bytes == 0)
        return NULL;
    memcpy(place, table, size_bytes);
    *at += (size_bytes + TABLE_ALIGNMENT - 1) & ~(size_t)(TABLE_ALIGNMENT - 1);
    return place;
}

struct slice *draft_seal_packed(struct slice_draft *draft, const uint8_t *packed,
                                size_t packed_bytes, uint64_t start_ns, uint64_t end_ns)
{
    size_t lanes, others, syscalls, size;
    struct slice *slice;
    uint8_t *at;

    settle_tables(draft);
    lanes = draft->lane_count * sizeof(*draft->lanes);
    others = draft->other_count * sizeof(*draft->others);
    syscalls = draft->syscall_count * sizeof(*draft->syscalls);
    size = sizeof(*slice) + lanes + others + syscalls + packed_bytes + 4 * TABLE_ALIGNMENT;
    size += draft->tallied ? sizeof(draft->tally) : 0;
    slice = xmalloc(size);
    *slice = (struct slice){ .refs = 1,
                             .lane_count = (uint32_t)draft->lane_count,
                             .other_count = (uint32_t)draft->other_count,
                             .other_parts = draft->other_parts,
                             .syscall_count = (uint32_t)draft->syscall_count,
                             .packed_bytes = (uint32_t)packed_bytes,
                             .start_ns = start_ns,
                             .end_ns = end_ns,
                             .size_bytes = size };
    at = (uint8_t *)(slice + 1);
    slice->lanes = place_table(&at, draft->lanes, lanes);
    slice->others = place_table(&at, draft->others, others);
    slice->syscalls = place_table(&at, draft->syscalls, syscalls);
    slice->tally = place_table(&at, &draft->tally, draft->tallied ? sizeof(draft->tally) : 0);
    slice->packed = at;
    if (packed_bytes != 0)
        memcpy(at, packed, packed_bytes);
    draft_reset(draft);
    return slice;
}

struct slice *draft_seal(struct slice_draft *draft, uint64_t start_ns, uint64_t end_ns)
{
    uint8_t *scratch, *packed, *at;
    struct slice *slice;
    size_t room;

    settle_entries(draft);
    room = draft->entry_count * (ENTRY_BYTES_MAX + GROUP_BYTES_MAX);
    scratch = xmalloc(2 * room + 1);
    packed = at = scratch + room;
    for (size_t i = 0; i < draft->entry_count;)
        i = pack_group(draft, i, scratch, &at);
    slice = draft_seal_packed(draft, packed, (size_t)(at - packed), start_ns, end_ns);
    free(scratch);
    return slice;
}
