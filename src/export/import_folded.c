/* SPDX-License-Identifier: MIT */
/*
 * Reads folded stacks:  main;work;read_[k] 42
 *
 * The number may have a fraction (some tools write one), which is dropped.  Our own suffixes and
 * those of stackcollapse-perf.pl give the kind of a frame.
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "importer.h"
#include "proftop/gettext.h"

/* The count at the end of LINE, and where the blank before it is; NULL when there is none. */
static const char *find_count(const char *line, uint64_t *count)
{
    const char *blank = strrchr(line, ' ');
    char *end;

    if (blank == NULL || blank == line || !isdigit((unsigned char)blank[1]))
        return NULL;
    *count = strtoull(blank + 1, &end, 10);
    if (*end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    return *end == '\0' ? blank : NULL;
}

bool looks_folded(const char *line)
{
    uint64_t count;

    return !isspace((unsigned char)line[0]) && find_count(line, &count) != NULL;
}

/* "run (app.py:12)": a Python function; cuts NAME. */
static void split_python(char *name, struct function *function)
{
    char *open = strrchr(name, '('), *colon = strrchr(name, ':');
    size_t length = strlen(name);

    if (open == NULL || colon == NULL || colon < open || open == name || open[-1] != ' ' ||
        name[length - 1] != ')' || colon - open < 4 || strncmp(colon - 3, ".py", 3) != 0)
        return;
    name[length - 1] = *colon = open[-1] = '\0';
    function->kind = FRAME_PYTHON;
    function->file = open + 1;
    function->line = (uint32_t)strtoul(colon + 1, NULL, 10);
}

static void add_frame(struct importer *importer, char *name)
{
    static const struct {
        const char *suffix;
        enum frame_kind kind;
    } suffixes[] = {
        { "_[k]", FRAME_KERNEL },
        { "_[j]", FRAME_JIT },
        { "_[i]", FRAME_INLINE },
    };
    struct function function = { .kind = FRAME_NATIVE, .module = "", .file = "" };
    size_t length = strlen(name);

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        if (length > 4 && strcmp(name + length - 4, suffixes[i].suffix) == 0) {
            function.kind = suffixes[i].kind;
            name[length - 4] = '\0';
            break;
        }
    }
    if (function.kind == FRAME_NATIVE)
        split_python(name, &function);
    function.name = function.raw_name = name;
    importer_frame(importer, &function, 0);
}

bool import_folded(struct importer *importer, FILE *stream, struct error *error)
{
    char *line;
    uint64_t number = 0;

    importer_begin(importer, "samples");
    while ((line = importer_line(importer, stream)) != NULL) {
        struct import_sample sample = {
            .pid = 1, .tid = 1, .thread_name = "", .metric = METRIC_EVENT
        };
        const char *blank = find_count(line, &sample.weight);
        char *save = NULL;

        number++;
        if (line[0] == '\0' || line[0] == '#')
            continue;
        if (blank == NULL || sample.weight > IMPORT_WEIGHT_MAX)
            return error_set(error, STATUS_DAMAGED, _("line %llu does not end with a count"),
                             (unsigned long long)number);
        if (sample.weight == 0)
            continue;
        sample.count = sample.weight > UINT32_MAX ? UINT32_MAX : (uint32_t)sample.weight;
        line[blank - line] = '\0';
        for (char *name = strtok_r(line, ";", &save); name != NULL;
             name = strtok_r(NULL, ";", &save))
            add_frame(importer, name);
        if (!importer_sample(importer, &sample, error))
            return false;
    }
    return true;
}
