/* SPDX-License-Identifier: MIT */
/*
 * Reads the text of perf script, ours too:
 *
 *     busy main  8968/8970  [001]  1234.567890:   10101010 cpu-clock:pppH:
 *             55d0c1 hash1+0x12 (/usr/bin/busy)
 *             55d0d4 main+0x40 (/usr/bin/busy)
 *                                                    (an empty line ends a sample)
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "importer.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/text.h"
#include "stacks.h"

struct header {
    char name[64];
    int32_t pid, tid;
    uint64_t time_ns, period;
    char event[64];
};

/* "1234.567890:" as nanoseconds; 0 when WORD is none. */
static uint64_t read_time(const char *word)
{
    char *end;
    uint64_t seconds, fraction = 0, unit = NS_PER_S;

    if (!isdigit((unsigned char)word[0]))
        return 0;
    seconds = strtoull(word, &end, 10);
    if (*end != '.' || seconds > UINT64_MAX / NS_PER_S / 2)
        return 0;
    for (end++; isdigit((unsigned char)*end) && unit > 1; end++) {
        unit /= 10;
        fraction += (uint64_t)(*end - '0') * unit;
    }
    return *end == ':' ? seconds * NS_PER_S + fraction + 1 : 0;
}

/* "8968/8970" or "8970" at AT; the place behind it, or NULL. */
static const char *read_ids(const char *at, struct header *header)
{
    char *end;
    unsigned long first;

    if (!isdigit((unsigned char)*at))
        return NULL;
    first = strtoul(at, &end, 10);
    header->pid = header->tid = (int32_t)(first & INT32_MAX);
    if (*end == '/' && isdigit((unsigned char)end[1]))
        header->tid = (int32_t)(strtoul(end + 1, &end, 10) & INT32_MAX);
    return isspace((unsigned char)*end) ? end : NULL;
}

/* What follows the time: an optional period and the event with its colon. */
static void read_event(const char *at, struct header *header)
{
    char *end;
    size_t length;

    at += strspn(at, " \t");
    header->period = strtoull(at, &end, 10);
    if (end == at || !isspace((unsigned char)*end))
        header->period = 1;
    else
        at = end + strspn(end, " \t");
    length = strcspn(at, " \t");
    while (length > 0 && at[length - 1] == ':')
        length--;
    if (memchr(at, '/', length) == NULL) /* "cpu-clock:u" but not "cpu/event=1/" */
        length = strcspn(at, ": \t") < length ? strcspn(at, ": \t") : length;
    snprintf(header->event, sizeof(header->event), "%.*s", (int)(length < 63 ? length : 63), at);
}

/* The name may hold blanks and digits: it ends where ids, an optional CPU and a time follow. */
static bool read_header(const char *line, struct header *header)
{
    for (const char *at = line; *at != '\0'; at++) {
        const char *behind;
        size_t length = (size_t)(at - line);

        if (at == line || !isspace((unsigned char)at[-1]) ||
            (behind = read_ids(at, header)) == NULL)
            continue;
        behind += strspn(behind, " \t");
        if (*behind == '[') {
            behind += strcspn(behind, "]");
            behind += *behind == ']';
            behind += strspn(behind, " \t");
        }
        header->time_ns = read_time(behind);
        if (header->time_ns == 0)
            continue;
        while (length > 0 && isspace((unsigned char)line[length - 1]))
            length--;
        snprintf(header->name, sizeof(header->name), "%.*s", (int)(length < 63 ? length : 63),
                 line);
        behind = strchr(behind, ':') + 1;
        read_event(behind, header);
        return true;
    }
    return false;
}

bool looks_perf_script(const char *line)
{
    struct header header;

    return read_header(line, &header);
}

static enum frame_kind kind_of(const char *module)
{
    size_t length = strlen(module);

    if (strncmp(module, "[kernel", 7) == 0 || strncmp(module, "[guest.kernel", 13) == 0 ||
        (length > 3 && strcmp(module + length - 3, ".ko") == 0))
        return FRAME_KERNEL;
    if (strcmp(module, "inlined") == 0)
        return FRAME_INLINE;
    if (strncmp(text_base_name(module), "perf-", 5) == 0)
        return FRAME_JIT;
    return FRAME_NATIVE;
}

/* "  55d0c1 hash1+0x12 (/usr/bin/busy)"; cuts LINE. */
static void read_frame(struct importer *importer, char *line)
{
    struct function function = { .module = "", .file = "" };
    char *name, *open, *plus;
    size_t length;

    line += strspn(line, " \t");
    name = line + strspn(line, "0123456789abcdefABCDEF");
    if (name == line || !isspace((unsigned char)*name))
        name = line; /* no address */
    name += strspn(name, " \t");
    length = strlen(name);
    open = strrchr(name, '(');
    if (open != NULL && open > name && open[-1] == ' ' && name[length - 1] == ')') {
        name[length - 1] = open[-1] = '\0';
        function.module = text_base_name(open + 1);
        function.kind = kind_of(open + 1);
    }
    plus = strstr(name, "+0x");
    while (plus != NULL && plus[3 + strspn(plus + 3, "0123456789abcdef")] != '\0')
        plus = strstr(plus + 1, "+0x");
    if (plus != NULL && plus > name)
        *plus = '\0';
    if (function.kind == FRAME_INLINE)
        function.module = "";
    function.name = function.raw_name = name[0] != '\0' ? name : "[unknown]";
    importer_frame(importer, &function, 0);
}

static enum metric metric_of_event(const char *event)
{
    return strcmp(event, "cpu-clock") == 0 || strcmp(event, "task-clock") == 0 ? METRIC_TIME
                                                                               : METRIC_EVENT;
}

static bool take(struct importer *importer, const struct header *header, struct error *error)
{
    struct import_sample sample = {
        .pid = header->pid,
        .tid = header->tid,
        .thread_name = header->name,
        .time_ns = header->time_ns,
        .weight = header->period < IMPORT_WEIGHT_MAX ? header->period : IMPORT_WEIGHT_MAX,
        .count = 1,
        .metric = metric_of_event(header->event),
        .leaf_first = true,
    };

    return importer_sample(importer, &sample, error);
}

bool import_perf_script(struct importer *importer, FILE *stream, struct error *error)
{
    struct header header;
    bool inside = false;
    char *line;

    while ((line = importer_line(importer, stream)) != NULL) {
        if (line[0] == '#')
            continue;
        if (line[strspn(line, " \t")] == '\0') {
            if (inside && !take(importer, &header, error))
                return false;
            inside = false;
        } else if (!inside && read_header(line, &header)) {
            importer_begin(importer, header.event);
            importer_clear(importer);
            inside = true;
        } else if (inside) {
            read_frame(importer, line);
        }
    }
    return !inside || take(importer, &header, error);
}
