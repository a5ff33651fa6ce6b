/* SPDX-License-Identifier: MIT */
/* Numbers and names as every view writes them. */
#include "config.h"

#include "format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/metric.h"
#include "proftop/symbols.h"
#include "proftop/text.h"
#include "src/profile/library.h"

double format_part(const struct fold *fold, uint64_t weight)
{
    return fold->weight == 0 ? 0 : (double)weight / (double)fold->weight;
}

double format_floor(const struct fold *fold)
{
    if (fold->samples <= FEW_SAMPLES)
        return 100;
    return ceil(1000.0 * FEW_SAMPLES / (double)fold->samples) / 10;
}

const char *format_share(char buffer[FORMAT_MAX], const struct fold *fold, uint64_t weight,
                         uint64_t samples)
{
    if (samples == 0)
        snprintf(buffer, FORMAT_MAX, "-");
    else if (samples < FEW_SAMPLES && fold->samples >= FEW_SAMPLES)
        snprintf(buffer, FORMAT_MAX, "<%.1f", format_floor(fold));
    else
        snprintf(buffer, FORMAT_MAX, "%.1f", 100 * format_part(fold, weight));
    return buffer;
}

static double seconds(const struct fold *fold)
{
    return fold->end_ns > fold->start_ns ? (double)(fold->end_ns - fold->start_ns) / 1e9 : 0;
}

static enum metric_unit unit_of(const struct scope *scope)
{
    return metric_of(scope)->unit;
}

const char *format_amount(char buffer[FORMAT_MAX], const struct scope *scope, uint64_t weight)
{
    char number[16];

    switch (unit_of(scope)) {
    case METRIC_NANOSECONDS:
        snprintf(buffer, FORMAT_MAX, weight < 100 * NS_PER_S ? "%.2f" : "%.0f",
                 (double)weight / 1e9);
        break;
    case METRIC_BYTES:
        snprintf(buffer, FORMAT_MAX, "%s", text_bytes(number, (double)weight));
        break;
    default:
        snprintf(buffer, FORMAT_MAX, "%s", text_count(number, (double)weight));
    }
    return buffer;
}

const char *format_cores(char buffer[FORMAT_MAX], const struct fold *fold, uint64_t weight)
{
    double cores = seconds(fold) > 0 ? (double)weight / 1e9 / seconds(fold) : 0;

    if (weight != 0 && unit_of(&fold->scope) != METRIC_NANOSECONDS)
        return format_amount(buffer, &fold->scope, (uint64_t)(cores * 1e9 + 0.5));
    if (weight == 0 || cores < 0.005)
        snprintf(buffer, FORMAT_MAX, "-");
    else
        snprintf(buffer, FORMAT_MAX, cores < 99.995 ? "%.2f" : "%.0f", cores);
    return buffer;
}

const char *format_weight(char buffer[FORMAT_MAX], const struct screen_input *input,
                          const struct fold *fold, uint64_t weight, uint64_t samples)
{
    char number[16];

    switch (samples == 0 ? UNITS_SHARE : input->units) {
    case UNITS_CORES:
        return format_cores(buffer, fold, weight);
    case UNITS_SAMPLES:
        snprintf(buffer, FORMAT_MAX, "%s", text_count(number, (double)samples));
        return buffer;
    case UNITS_SECONDS:
        return format_amount(buffer, &fold->scope, weight);
    default:
        return format_share(buffer, fold, weight, samples);
    }
}

const char *format_unit(const struct screen_input *input)
{
    enum metric_unit unit = unit_of(input->scope);

    switch (input->units) {
    case UNITS_CORES:
        return unit == METRIC_NANOSECONDS ? _(" c") : "/s";
    case UNITS_SAMPLES:
        return " n";
    case UNITS_SECONDS:
        return unit == METRIC_NANOSECONDS ? " s" : unit == METRIC_BYTES ? " B" : " #";
    default:
        return "%";
    }
}

/* A C++ function's name ends in its arguments, which tell rows apart only seldom. */
static bool has_arguments(const char *name, size_t length)
{
    static const char after[] = " const";

    if (length > sizeof(after) && strcmp(name + length - (sizeof(after) - 1), after) == 0)
        length -= sizeof(after) - 1;
    if (length < 3 || name[length - 1] != ')')
        return false;
    return length < sizeof("operator()") - 1 ||
           strncmp(name + length - (sizeof("operator()") - 1), "operator()",
                   sizeof("operator()") - 1) != 0;
}

const char *format_name(char buffer[NAME_MAX_BYTES], const struct screen_input *input,
                        const struct function *function, int columns)
{
    const char *name = input->names == NAME_RAW ? function->raw_name : function->name;
    size_t length = strlen(name), room = columns > 1 ? (size_t)columns : 1;
    char place[NAME_MAX_BYTES];

    if (function->kind == FRAME_PYTHON && function->file[0] != '\0') {
        format_place(place, function, function->line);
        snprintf(buffer, NAME_MAX_BYTES, "%.500s (%.500s)", name, place);
    } else if (input->names != NAME_SHORT || function->kind == FRAME_MARK ||
               (strstr(name, "::") == NULL && !has_arguments(name, length))) {
        /* a plain name is known by how it begins, a qualified one by how it ends */
        snprintf(buffer, NAME_MAX_BYTES, "%s", name);
    } else {
        if (has_arguments(name, length) && room > length - 1)
            room = length - 1;
        symbol_shorten(name, room, buffer, NAME_MAX_BYTES);
    }
    if (buffer[0] == '\0')
        snprintf(buffer, NAME_MAX_BYTES, "?");
    return buffer;
}

const char *format_scrolled(const char *text, int columns)
{
    const char *at = text;
    char character[CELL_TEXT_MAX];
    int width;

    while (columns > 0 && (width = text_next(&at, character, sizeof(character), false)) >= 0)
        columns -= width;
    return columns > 0 ? text : at;
}

struct name_set {
    int count;
    char **names;
};

/* NAME whole, cut on the left where it is wider than COLUMNS. */
static char *tail_of(const struct screen_input *input, const char *name, int columns)
{
    int width = text_width(name);

    if (width <= columns || columns < 2)
        return xstrdup(name);
    return xasprintf("%s%s", input->ascii ? "~" : "\u2026",
                     format_scrolled(name, width - columns + 1));
}

/* Which other function of SET has the same text as INDEX; −1: none. */
static int find_same(const struct name_set *set, const function_id *functions, int index)
{
    for (int i = 0; i < set->count; i++)
        if (i != index && functions[i] != functions[index] &&
            strcmp(set->names[i], set->names[index]) == 0)
            return i;
    return -1;
}

/* Those whose ends are the same as well show where they differ. */
static void tell_apart(struct name_set *set, const function_id *functions,
                       const struct names *names, int columns)
{
    int *same = xcalloc((size_t)set->count, sizeof(same[0]));
    char buffer[NAME_MAX_BYTES];

    for (int i = 0; i < set->count; i++)
        same[i] = find_same(set, functions, i);
    for (int i = 0; i < set->count; i++) {
        if (same[i] < 0 || columns < 4)
            continue;
        symbol_apart(names_get(names, functions[i])->name,
                     names_get(names, functions[same[i]])->name, (size_t)columns, buffer,
                     sizeof(buffer));
        free(set->names[i]);
        set->names[i] = xstrdup(buffer);
    }
    free(same);
}

struct name_set *format_names(const struct screen_input *input, const function_id *functions,
                              int count, int columns)
{
    struct name_set *set = xcalloc(1, sizeof(*set));
    const struct names *names = input->fold->names;
    char buffer[NAME_MAX_BYTES];
    bool *same;

    set->count = count > 0 ? count : 0;
    set->names = xcalloc((size_t)set->count, sizeof(set->names[0]));
    same = xcalloc((size_t)set->count, sizeof(same[0]));
    for (int i = 0; i < set->count; i++)
        set->names[i] =
            xstrdup(format_name(buffer, input, names_get(names, functions[i]), columns));
    for (int i = 0; i < set->count; i++)
        same[i] = find_same(set, functions, i) >= 0;
    for (int i = 0; i < set->count; i++) {
        if (!same[i])
            continue;
        free(set->names[i]);
        set->names[i] = tail_of(input, names_get(names, functions[i])->name, columns);
    }
    free(same);
    tell_apart(set, functions, names, columns);
    return set;
}

const char *name_set_get(const struct name_set *names, int index)
{
    return index >= 0 && index < names->count ? names->names[index] : "";
}

void name_set_free(struct name_set *names)
{
    for (int i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    free(names);
}

const char *format_process(char buffer[NAME_MAX_BYTES], const struct profile *profile, int32_t pid)
{
    uint32_t count = profile_threads(profile);

    for (uint32_t i = 0; i < count; i++) {
        const struct profile_thread *thread = profile_thread(profile, i);

        if (thread->process && thread->pid == pid) {
            snprintf(buffer, NAME_MAX_BYTES, "%s[%d]", thread->name, pid);
            return buffer;
        }
    }
    snprintf(buffer, NAME_MAX_BYTES, "[%d]", pid);
    return buffer;
}

const char *format_target(char buffer[NAME_MAX_BYTES], const struct screen_input *input)
{
    const int32_t *processes = input->fold != NULL ? input->fold->scope.processes : NULL;

    if (processes != NULL && processes[0] != 0 && processes[1] == 0)
        return format_process(buffer, input->profile, processes[0]);
    snprintf(buffer, NAME_MAX_BYTES, "%s", input->title);
    return buffer;
}

const char *format_module(char buffer[FORMAT_LONG], const struct function *function)
{
    const char *name = strrchr(function->module, '/');
    char *end;

    name = name != NULL && name[1] != '\0' ? name + 1 : function->module;
    if (name[0] == '\0')
        name = function->kind == FRAME_PYTHON ? "python" : "-";
    snprintf(buffer, FORMAT_LONG, "%s", name);
    end = strstr(buffer, ".so");
    if (end != NULL && end != buffer && (end[3] == '\0' || end[3] == '.'))
        *end = '\0';
    end = strstr(buffer, ".cpython-"); /* an extension: which interpreter it is for goes without */
    if (end != NULL && end != buffer)
        *end = '\0';
    if (strcmp(buffer, "[kernel]") == 0)
        snprintf(buffer, FORMAT_LONG, "kernel");
    return buffer;
}

enum role format_role(const struct screen_input *input, const struct function *function)
{
    if (input->marked != FUNCTION_NONE && input->fold != NULL &&
        names_get(input->fold->names, input->marked) == function)
        return ROLE_MATCH;
    if (function->kind == FRAME_MARK)
        return function->mark == MARK_BROKEN || function->mark == MARK_NATIVE_CUT ||
                       function->mark == MARK_PYTHON_CUT
                   ? ROLE_WARN
                   : ROLE_DIM;
    if (function->kind == FRAME_KERNEL)
        return ROLE_KERNEL;
    if (function_is_library(function))
        return ROLE_LIBRARY;
    switch (function->kind) {
    case FRAME_PYTHON:
        return ROLE_PYTHON;
    case FRAME_JIT:
        return ROLE_JIT;
    case FRAME_INLINE:
        return ROLE_INLINE;
    default:
        return ROLE_NORMAL;
    }
}

const char *format_place(char buffer[NAME_MAX_BYTES], const struct function *function,
                         uint32_t line)
{
    const char *file = strrchr(function->file, '/');

    file = file != NULL && file[1] != '\0' ? file + 1 : function->file;
    if (line == 0)
        line = function->line;
    if (file[0] == '\0')
        buffer[0] = '\0';
    else if (line == 0)
        snprintf(buffer, NAME_MAX_BYTES, "%s", file);
    else
        snprintf(buffer, NAME_MAX_BYTES, "%s:%u", file, line);
    return buffer;
}

const char *format_footnote(const struct function *function)
{
    if (function->kind == FRAME_KERNEL && strstr(function->name, "_irqrestore") != NULL)
        return _("interrupts-off time is charged here");
    if (function->kind == FRAME_JIT && function->name[0] == '[')
        return _("no map: node --perf-basic-prof, jcmd PID Compiler.perfmap");
    return NULL;
}

const char *format_clock(char buffer[FORMAT_MAX], const struct profile *profile, uint64_t time_ns)
{
    int64_t date_ns = (int64_t)time_ns + profile_info(profile)->realtime_offset_ns;
    time_t date = (time_t)(date_ns / (int64_t)NS_PER_S);
    struct tm broken_down;

    if (localtime_r(&date, &broken_down) == NULL)
        snprintf(buffer, FORMAT_MAX, "?");
    else
        strftime(buffer, FORMAT_MAX, "%H:%M:%S", &broken_down);
    return buffer;
}

static const char *format_span(char buffer[FORMAT_MAX], uint64_t span_ns)
{
    char elapsed[24];

    if (span_ns < 60 * NS_PER_S && span_ns % NS_PER_S != 0)
        snprintf(buffer, FORMAT_MAX, "%.1fs", (double)span_ns / 1e9);
    else if (span_ns < 60 * NS_PER_S)
        snprintf(buffer, FORMAT_MAX, "%us", (unsigned)(span_ns / NS_PER_S));
    else
        snprintf(buffer, FORMAT_MAX, "%s", text_elapsed(elapsed, span_ns));
    return buffer;
}

const char *format_range(char buffer[FORMAT_LONG], const struct screen_input *input, bool brief)
{
    const struct scope *scope = input->scope;
    const struct profile *profile = input->profile;
    char span[FORMAT_MAX], start[FORMAT_MAX], end[FORMAT_MAX];
    uint64_t from_ns, to_ns;

    if (scope->last_ns != 0) {
        snprintf(buffer, FORMAT_LONG, _("last %s"), format_span(span, scope->last_ns));
        return buffer;
    }
    from_ns = scope->start_ns != 0 ? scope->start_ns : profile_start_ns(profile);
    to_ns = scope->end_ns != UINT64_MAX ? scope->end_ns : profile_end_ns(profile);
    if (to_ns < from_ns)
        to_ns = from_ns;
    format_clock(start, profile, from_ns);
    if (scope->start_ns == 0 && scope->end_ns == UINT64_MAX) {
        snprintf(buffer, FORMAT_LONG, _("all %s"), text_elapsed(span, to_ns - from_ns));
    } else if (scope->end_ns == UINT64_MAX) {
        snprintf(buffer, FORMAT_LONG, _("%s-now"), start);
    } else {
        format_clock(end, profile, to_ns);
        format_span(span, to_ns - from_ns);
        if (brief && strncmp(start, end, 6) == 0) /* the same minute: say it once */
            snprintf(buffer, FORMAT_LONG, "%s-%s (%s)", start, end + 6, span);
        else
            snprintf(buffer, FORMAT_LONG, "%s-%s (%s)", start, end, span);
    }
    return buffer;
}

const char *format_state(enum scope_state state)
{
    static const char *const texts[SCOPE_STATES] = { [SCOPE_ON_CPU] = N_("on-CPU"),
                                                     [SCOPE_WAITING] = N_("waiting"),
                                                     [SCOPE_GIL] = N_("GIL held"),
                                                     [SCOPE_ALL] = N_("on-CPU+waiting") };

    return _(texts[(unsigned)state < SCOPE_STATES ? state : SCOPE_ON_CPU]);
}

const char *format_exit(char buffer[FORMAT_LONG], int32_t exit_status)
{
    if (exit_status < 0)
        snprintf(buffer, FORMAT_LONG, "%s", _("EXITED"));
    else if (WIFSIGNALED(exit_status))
        snprintf(buffer, FORMAT_LONG, _("KILLED by SIG%s"),
                 sigabbrev_np(WTERMSIG(exit_status)) ?: "?");
    else
        snprintf(buffer, FORMAT_LONG, _("EXITED %d"), WEXITSTATUS(exit_status));
    return buffer;
}

bool format_matches(const struct screen_input *input, const char *text)
{
    return input->search != NULL && input->search[0] != '\0' &&
           strcasestr(text, input->search) != NULL;
}
