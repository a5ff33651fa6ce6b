/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks, the input of flamegraph.pl and of many others: a line a stack, root first, a
 * number last.
 *
 *     main;work;read_[k] 42
 *
 * Suffixes as stackcollapse-perf.pl --all writes them: _[k] kernel, _[j] JIT, _[i] inlined.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "formats.h"
#include "proftop/gettext.h"
#include "stacks.h"

static void write_frame(const struct fold *fold, const struct fold_node *node, FILE *stream)
{
    static const char *const suffixes[FRAME_KINDS] = {
        [FRAME_KERNEL] = "_[k]",
        [FRAME_JIT] = "_[j]",
        [FRAME_INLINE] = "_[i]",
    };
    char buffer[512];
    const char *suffix = node->process != 0 ? NULL : suffixes[node_function(fold, node)->kind];

    for (const char *at = node_name(fold, node, buffer, sizeof(buffer)); *at != '\0'; at++)
        putc(*at == ';' ? ':' : (unsigned char)*at < ' ' ? '?' : *at, stream);
    if (suffix != NULL)
        fputs(suffix, stream);
}

static bool write_folded(const struct fold *fold, const struct export_options *options,
                         FILE *stream, struct error *error)
{
    struct measure measure = measure_of(fold);
    struct path path = { 0 };

    (void)options;
    (void)error;
    for (node_id id = 0; id < fold->node_count; id++) {
        uint64_t self = measure_self(&measure, &fold->nodes[id]);

        if (self == 0)
            continue;
        path_to(&path, fold, id);
        for (size_t i = 0; i < path.count; i++) {
            if (i > 0)
                putc(';', stream);
            write_frame(fold, &fold->nodes[path.nodes[i]], stream);
        }
        fprintf(stream, "%s %" PRIu64 "\n", path.count == 0 ? "[no stack]" : "", self);
    }
    path_fini(&path);
    return true;
}

const struct export_ops export_folded = {
    .name = "folded",
    .extension = ".folded",
    .label = N_("folded stacks, for flamegraph.pl and others"),
    .write = write_folded,
};
