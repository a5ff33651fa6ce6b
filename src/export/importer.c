/* SPDX-License-Identifier: MIT */
/*
 * A profile from samples that were read as text.
 *
 *     sample ─► stack of locations, one a function and line
 *          └──► part of its 100 ms: a draft; drafts become slices at the end, in order of time
 */
#include "config.h"

#include "importer.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/history.h"
#include "proftop/index.h"
#include "proftop/memory.h"
#include "proftop/slice.h"

#define SLICE_NS (100 * NS_PER_MS)

/* A day of slices; what claims to span more is no recording. */
enum { SLICES_MAX = 864000 };

struct part {
    uint64_t number; /* time / SLICE_NS */
    struct slice_draft draft;
};

struct importer {
    char *name;
    struct history *history; /* NULL before importer_begin() */
    struct part *parts;
    size_t part_count, part_capacity;
    struct index part_index;
    struct index thread_index; /* the history's threads by pid and tid */
    uint32_t thread_count;
    location_id frames[IMPORT_FRAMES_MAX];
    size_t frame_count;
    uint64_t file_start_ns; /* of this file's first sample; UINT64_MAX before it */
    unsigned file_metrics;  /* that it has: a bit each */
    char line[IMPORT_LINE_MAX];
};

struct importer *importer_new(const char *name)
{
    struct importer *importer = xcalloc(1, sizeof(*importer));

    importer->name = xstrdup(name);
    index_init(&importer->part_index);
    index_init(&importer->thread_index);
    importer_begin_file(importer);
    return importer;
}

void importer_free(struct importer *importer)
{
    if (importer == NULL)
        return;
    for (size_t i = 0; i < importer->part_count; i++)
        draft_fini(&importer->parts[i].draft);
    free(importer->parts);
    index_fini(&importer->part_index);
    index_fini(&importer->thread_index);
    history_free(importer->history);
    free(importer->name);
    free(importer);
}

void importer_begin_file(struct importer *importer)
{
    importer->file_start_ns = UINT64_MAX;
    importer->file_metrics = 0;
    importer->frame_count = 0;
}

unsigned importer_file_metrics(const struct importer *importer)
{
    return importer->file_metrics;
}

void importer_begin(struct importer *importer, const char *event)
{
    char source[] = "imported";
    struct profile_info info = {
        .command = importer->name,
        .source = source,
        .event = (char *)event,
        .exit_status = -1,
    };
    struct history_config config = { .info = &info, .own_lanes = true, .slice_ns = SLICE_NS };

    if (importer->history != NULL)
        return;
    config.lanes = lanes_new();
    importer->history = history_new(&config);
}

/* ---- frames ---------------------------------------------------------------------------------- */

void importer_frame(struct importer *importer, const struct function *function, uint32_t line)
{
    struct names *names = history_names(importer->history);
    struct placed placed = { names_function(names, function), line };
    /* Nothing has an address here: the function and the line stand in for one. */
    struct frame frame = {
        .address = (uint64_t)placed.function << 32 | line,
        .kind = function->kind == FRAME_INLINE ? FRAME_NATIVE : function->kind,
        .module = function->kind == FRAME_INLINE,
    };
    location_id location;

    if (importer->frame_count == IMPORT_FRAMES_MAX)
        return;
    location = names_locate(names, &frame);
    if (names_known(names, location) == NULL)
        names_set(names, location, NAMING_FULL, &placed, 1);
    importer->frames[importer->frame_count++] = location;
}

void importer_clear(struct importer *importer)
{
    importer->frame_count = 0;
}

static stack_id stack_of(struct importer *importer, bool leaf_first)
{
    struct names *names = history_names(importer->history);
    size_t count = importer->frame_count;
    stack_id stack = STACK_ROOT;

    for (size_t i = 0; i < count; i++)
        stack = names_push(names, stack, importer->frames[leaf_first ? count - 1 - i : i]);
    return stack;
}

/* ---- samples --------------------------------------------------------------------------------- */

static uint32_t thread_of(struct importer *importer, const struct import_sample *sample,
                          uint64_t time_ns)
{
    uint64_t hash = hash_pair((uint32_t)sample->pid, (uint32_t)sample->tid);
    struct profile_thread thread = {
        .pid = sample->pid,
        .tid = sample->tid,
        .began_ns = time_ns,
        .ended_ns = UINT64_MAX,
        .exit_status = -1,
        .process = sample->pid == sample->tid,
    };
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&importer->thread_index, hash, &cursor);
    while ((item = index_next(&importer->thread_index, &cursor)) != INDEX_END) {
        const struct profile_thread *known = history_thread(importer->history, item);

        if (known->pid == sample->pid && known->tid == sample->tid)
            return item;
    }
    snprintf(thread.name, sizeof(thread.name), "%s", sample->thread_name);
    item = history_add_thread(importer->history, &thread);
    index_add(&importer->thread_index, hash, item);
    return item;
}

static struct part *part_of(struct importer *importer, uint64_t number)
{
    uint64_t hash = hash_u64(number);
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&importer->part_index, hash, &cursor);
    while ((item = index_next(&importer->part_index, &cursor)) != INDEX_END)
        if (importer->parts[item].number == number)
            return &importer->parts[item];
    item = (uint32_t)importer->part_count;
    importer->parts = array_reserve(importer->parts, &importer->part_capacity,
                                    importer->part_count + 1, sizeof(importer->parts[0]));
    importer->parts[item].number = number;
    draft_init(&importer->parts[item].draft);
    importer->part_count++;
    index_add(&importer->part_index, hash, item);
    return &importer->parts[item];
}

bool importer_sample(struct importer *importer, const struct import_sample *sample,
                     struct error *error)
{
    struct slice_entry entry = {
        .weight = sample->weight,
        .count = sample->count,
        .syscall = -1,
        .state = STATE_RUNNING,
        .metric = (uint8_t)sample->metric,
    };
    uint64_t time_ns;

    if (importer->file_start_ns == UINT64_MAX)
        importer->file_start_ns = sample->time_ns;
    /* Lines of several CPUs may be a little out of order. */
    time_ns =
        sample->time_ns > importer->file_start_ns ? sample->time_ns - importer->file_start_ns : 0;
    if (time_ns / SLICE_NS >= SLICES_MAX)
        return error_set(error, STATUS_DAMAGED, _("its samples span more than a day"));
    entry.thread = thread_of(importer, sample, time_ns);
    entry.stack = stack_of(importer, sample->leaf_first);
    draft_add_entry(&part_of(importer, time_ns / SLICE_NS)->draft, &entry);
    importer->file_metrics |= 1u << sample->metric;
    importer->frame_count = 0;
    return true;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const struct part *first = a, *second = b;

    return (first->number > second->number) - (first->number < second->number);
}

struct profile *importer_finish(struct importer *importer)
{
    uint64_t end_ns = 0;

    if (importer->part_count == 0)
        return NULL;
    qsort(importer->parts, importer->part_count, sizeof(importer->parts[0]), by_number);
    for (size_t i = 0; i < importer->part_count; i++) {
        struct part *part = &importer->parts[i];
        uint64_t start_ns = part->number * SLICE_NS;

        end_ns = start_ns + SLICE_NS;
        history_add(importer->history, draft_seal(&part->draft, start_ns, end_ns));
        history_advance(importer->history, end_ns);
    }
    return history_profile(importer->history, true);
}

/* ---- lines ----------------------------------------------------------------------------------- */

char *importer_line(struct importer *importer, FILE *stream)
{
    size_t used = 0;
    int byte;

    while ((byte = getc_unlocked(stream)) != EOF && byte != '\n')
        if (used < sizeof(importer->line) - 1)
            importer->line[used++] = byte == '\0' ? '?' : (char)byte;
    if (used > 0 && importer->line[used - 1] == '\r')
        used--;
    importer->line[used] = '\0';
    return byte == EOF && used == 0 ? NULL : importer->line;
}
