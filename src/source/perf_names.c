/* SPDX-License-Identifier: MIT */
/* Event names: see perf_names.h.  The caches' names are made from their parts, as perf does. */
#include "config.h"

#include "perf_names.h"

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "proftop/gettext.h"
#include "proftop/metric.h"
#include "proftop/source.h"

#define SOFTWARE(name, id, metric, in_kernel)                                                      \
    {                                                                                              \
        name, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##id, metric, in_kernel                            \
    }
#define HARDWARE(name, id, metric)                                                                 \
    {                                                                                              \
        name, PERF_TYPE_HARDWARE, PERF_COUNT_HW_##id, metric, false                                \
    }

const struct perf_name perf_names_beside[PERF_NAMES_BESIDE] = {
    HARDWARE("instructions", INSTRUCTIONS, METRIC_INSTRUCTIONS),
    HARDWARE("cache-misses", CACHE_MISSES, METRIC_CACHE_MISSES),
    HARDWARE("branch-misses", BRANCH_MISSES, METRIC_BRANCH_MISSES),
};
const struct perf_name perf_name_cycles = HARDWARE("cycles", CPU_CYCLES, METRIC_TIME);
const struct perf_name perf_name_cpu_clock = SOFTWARE("cpu-clock", CPU_CLOCK, METRIC_TIME, false);

static const struct perf_name names[] = {
    SOFTWARE("cpu-clock", CPU_CLOCK, METRIC_TIME, false),
    SOFTWARE("task-clock", TASK_CLOCK, METRIC_TIME, false),
    SOFTWARE("page-faults", PAGE_FAULTS, METRIC_FAULTS, false),
    SOFTWARE("faults", PAGE_FAULTS, METRIC_FAULTS, false),
    SOFTWARE("minor-faults", PAGE_FAULTS_MIN, METRIC_FAULTS, false),
    SOFTWARE("major-faults", PAGE_FAULTS_MAJ, METRIC_FAULTS, false),
    SOFTWARE("context-switches", CONTEXT_SWITCHES, METRIC_EVENT, true),
    SOFTWARE("cs", CONTEXT_SWITCHES, METRIC_EVENT, true),
    SOFTWARE("cpu-migrations", CPU_MIGRATIONS, METRIC_EVENT, true),
    SOFTWARE("migrations", CPU_MIGRATIONS, METRIC_EVENT, true),
    SOFTWARE("alignment-faults", ALIGNMENT_FAULTS, METRIC_EVENT, false),
    SOFTWARE("emulation-faults", EMULATION_FAULTS, METRIC_EVENT, false),
    HARDWARE("cycles", CPU_CYCLES, METRIC_TIME),
    HARDWARE("cpu-cycles", CPU_CYCLES, METRIC_TIME),
    HARDWARE("instructions", INSTRUCTIONS, METRIC_INSTRUCTIONS),
    HARDWARE("cache-references", CACHE_REFERENCES, METRIC_EVENT),
    HARDWARE("cache-misses", CACHE_MISSES, METRIC_CACHE_MISSES),
    HARDWARE("branches", BRANCH_INSTRUCTIONS, METRIC_EVENT),
    HARDWARE("branch-instructions", BRANCH_INSTRUCTIONS, METRIC_EVENT),
    HARDWARE("branch-misses", BRANCH_MISSES, METRIC_BRANCH_MISSES),
    HARDWARE("bus-cycles", BUS_CYCLES, METRIC_EVENT),
    HARDWARE("stalled-cycles-frontend", STALLED_CYCLES_FRONTEND, METRIC_EVENT),
    HARDWARE("stalled-cycles-backend", STALLED_CYCLES_BACKEND, METRIC_EVENT),
    HARDWARE("ref-cycles", REF_CPU_CYCLES, METRIC_EVENT),
};

/* CACHE-OPERATIONs and CACHE-OPERATION-misses, "LLC-load-misses". */
static const struct {
    const char *name;
    uint64_t id;
} caches[] = {
    { "L1-dcache", PERF_COUNT_HW_CACHE_L1D },  { "L1-icache", PERF_COUNT_HW_CACHE_L1I },
    { "LLC", PERF_COUNT_HW_CACHE_LL },         { "dTLB", PERF_COUNT_HW_CACHE_DTLB },
    { "iTLB", PERF_COUNT_HW_CACHE_ITLB },      { "branch", PERF_COUNT_HW_CACHE_BPU },
    { "node", PERF_COUNT_HW_CACHE_NODE },
}, operations[] = {
    { "load", PERF_COUNT_HW_CACHE_OP_READ },
    { "store", PERF_COUNT_HW_CACHE_OP_WRITE },
    { "prefetch", PERF_COUNT_HW_CACHE_OP_PREFETCH },
};

static bool find_cache(const char *wanted, struct perf_name *found)
{
    char all[64], misses[64];

    for (size_t c = 0; c < sizeof(caches) / sizeof(caches[0]); c++) {
        for (size_t o = 0; o < sizeof(operations) / sizeof(operations[0]); o++) {
            const char *plural = strcmp(operations[o].name, "prefetch") == 0 ? "es" : "s";
            uint64_t result = PERF_COUNT_HW_CACHE_RESULT_ACCESS;

            snprintf(all, sizeof(all), "%s-%s%s", caches[c].name, operations[o].name, plural);
            snprintf(misses, sizeof(misses), "%s-%s-misses", caches[c].name, operations[o].name);
            if (strcmp(wanted, misses) == 0)
                result = PERF_COUNT_HW_CACHE_RESULT_MISS;
            else if (strcmp(wanted, all) != 0)
                continue;
            found->type = PERF_TYPE_HW_CACHE;
            found->config = caches[c].id | operations[o].id << 8 | result << 16;
            found->metric = METRIC_EVENT;
            found->in_kernel = false;
            return true;
        }
    }
    return false;
}

enum metric source_metric(const char *event)
{
    struct perf_list list;

    return event != NULL && perf_list_parse(event, &list, NULL) ? list.names[0].metric
                                                                : METRIC_TIME;
}

bool perf_name_find(const char *name, struct perf_name *found, struct error *error)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, name) == 0) {
            *found = names[i];
            return true;
        }
    }
    snprintf(found->name, sizeof(found->name), "%s", name);
    if (find_cache(name, found))
        return true;
    error_set(error, STATUS_USAGE, _("there is no event named %s"), name);
    error_hint(error, "%s",
               _("software events: cpu-clock, task-clock, page-faults, minor-faults, major-faults, "
                 "context-switches, cpu-migrations; hardware events, where the machine has them: "
                 "cycles, instructions, cache-misses, branch-misses, LLC-load-misses…"));
    return false;
}

enum counted perf_name_counted(const struct perf_name *name)
{
    if (name->type == PERF_TYPE_HARDWARE && name->config == PERF_COUNT_HW_CPU_CYCLES)
        return COUNTED_CYCLES;
    return metric_counted(name->metric);
}

/* Adds the event of LENGTH bytes at TEXT. */
static bool add_name(struct perf_list *list, const char *text, size_t length, struct error *error)
{
    struct perf_name *name = &list->names[list->count];
    char copy[64];

    if (list->count == PERF_LIST_MAX)
        return error_set(error, STATUS_USAGE, _("too many events: %s"), text);
    snprintf(copy, sizeof(copy), "%.*s", length < sizeof(copy) ? (int)length : 63, text);
    if (!perf_name_find(copy, name, error))
        return false;
    list->count++;
    if (list->count == 1)
        return true;
    if (list->names[0].metric != METRIC_TIME) {
        error_set(error, STATUS_USAGE, _("nothing can be counted beside samples of %s"),
                  list->names[0].name);
        error_hint(error, "%s", _("the first event has to be cpu-clock, task-clock or cycles"));
        return false;
    }
    for (unsigned i = 1; i < list->count - 1; i++)
        if (perf_name_counted(&list->names[i]) == perf_name_counted(name))
            return error_set(error, STATUS_USAGE, _("%s and %s cannot both be counted"),
                             list->names[i].name, name->name);
    if (perf_name_counted(name) != COUNTED)
        return true;
    error_set(error, STATUS_USAGE, _("%s cannot be counted beside samples"), name->name);
    error_hint(error, "%s",
               _("cycles, instructions, cache-misses, branch-misses and page-faults can; -e with a "
                 "single event samples any"));
    return false;
}

bool perf_list_parse(const char *text, struct perf_list *list, struct error *error)
{
    list->count = 0;
    for (;; text++) {
        size_t length = strcspn(text, ",");

        if (!add_name(list, text, length, error))
            return false;
        text += length;
        if (*text == '\0')
            return true;
    }
}
