/* SPDX-License-Identifier: MIT */
/*
 * The text of perf script, for everything that reads it: a paragraph a sample, in order of time.
 *
 *     busy main 8968/8970 [000] 12.300000:   10101010 cpu-clock:
 *     <tab>           1f work (busy)
 *     <tab>           1a main (busy)
 *
 * A sample's time is that of its slice.  A fold has no addresses: a number for each function stands
 * in for one.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "formats.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/profile.h"
#include "proftop/text.h"
#include "stacks.h"

/* BLANK replaces what would end a word or a line. */
static void put_text(FILE *stream, const char *text, bool word)
{
    for (; *text != '\0'; text++)
        putc((unsigned char)*text < ' ' ? '?' : word && *text == ' ' ? '_' : *text, stream);
}

static const char *module_of(const struct function *function)
{
    if (function->kind == FRAME_KERNEL)
        return "[kernel.kallsyms]";
    if (function->kind == FRAME_INLINE)
        return "inlined";
    if (function->module[0] != '\0')
        return function->module;
    return function->file[0] != '\0' ? text_base_name(function->file) : "[unknown]";
}

/* Leaf first.  Processes are no frames here: every sample names its own. */
static void put_frames(const struct fold *fold, node_id leaf, FILE *stream)
{
    for (node_id id = leaf; id != NODE_ROOT; id = fold->nodes[id].parent) {
        const struct fold_node *node = &fold->nodes[id];
        char buffer[512];

        if (node->process != 0)
            continue;
        fprintf(stream, "\t%16" PRIx32 " ", node->function + 1);
        put_text(stream, node_name(fold, node, buffer, sizeof(buffer)), false);
        fputs(" (", stream);
        put_text(stream, module_of(node_function(fold, node)), true);
        fputs(")\n", stream);
    }
}

static void put_sample(const struct fold *fold, const struct fold_sample *sample, const char *event,
                       FILE *stream)
{
    const struct profile_thread *thread = profile_thread(fold->profile, sample->thread);

    put_text(stream, thread->name[0] != '\0' ? thread->name : "thread", false);
    fprintf(stream, " %d/%d [000] %" PRIu64 ".%06" PRIu64 ": %10" PRIu64 " %s:\n", (int)thread->pid,
            (int)thread->tid, sample->start_ns / NS_PER_S, sample->start_ns % NS_PER_S / NS_PER_US,
            sample->weight / sample->samples, event);
    put_frames(fold, sample->node, stream);
    putc('\n', stream);
}

static bool write_perf_script(const struct fold *fold, const struct export_options *options,
                              FILE *stream, struct error *error)
{
    const struct profile_info *info = profile_info(fold->profile);
    struct fold_walk *walk = fold_walk_new(fold, 0);
    struct measure weight = weight_of(fold);
    const char *event = weight.name;
    struct fold_sample sample;

    (void)options;
    (void)error;
    if (strcmp(event, "cpu") == 0)
        event = "cpu-clock";
    else if (strcmp(event, "event") == 0 && info->event != NULL && info->event[0] != '\0')
        event = info->event;
    while (fold_walk_next(walk, &sample))
        for (uint32_t i = 0; i < sample.samples; i++)
            put_sample(fold, &sample, event, stream);
    fold_walk_free(walk);
    return true;
}

const struct export_ops export_perf_script = {
    .name = "perf-script",
    .extension = ".perf.txt",
    .label = N_("the text of perf script"),
    .write = write_perf_script,
};
