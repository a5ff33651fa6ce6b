/* SPDX-License-Identifier: MIT */
/* Parsers of the machine's counters: see system.h.  No state, any thread. */
#include "config.h"

#include "proftop/system.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

enum { SECTOR_BYTES = 512 };

/* The line after the one that TEXT is in; NULL at the end. */
static const char *next_line(const char *text)
{
    const char *end = strchr(text, '\n');

    return end != NULL && end[1] != '\0' ? end + 1 : NULL;
}

/* Up to COUNT numbers that follow each other in one line; how many there were. */
static size_t read_numbers(const char *text, uint64_t *numbers, size_t count)
{
    size_t found = 0;

    while (found < count) {
        uint64_t number = 0;

        while (*text == ' ' || *text == '\t')
            text++;
        if (*text < '0' || *text > '9')
            break;
        for (; *text >= '0' && *text <= '9'; text++)
            number = number * 10 + (uint64_t)(*text - '0');
        numbers[found++] = number;
    }
    return found;
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* "cpu  1 2 3…" or "cpu17 1 2 3…". */
static void parse_cpu(const char *line, struct system_stat *stat)
{
    struct system_cpu cpu = { .id = -1 };
    const char *numbers = line + 3;

    if (*numbers != ' ') {
        char *end;
        long id = strtol(numbers, &end, 10);

        if (end == numbers || id < 0 || id >= SYSTEM_CPUS_MAX || stat->cpu_count >= SYSTEM_CPUS_MAX)
            return;
        cpu.id = (int32_t)id;
        numbers = end;
    }
    read_numbers(numbers, cpu.ticks, CPU_COLUMNS);
    if (cpu.id < 0) {
        stat->all = cpu;
        return;
    }
    stat->cpus =
        array_reserve(stat->cpus, &stat->cpu_capacity, stat->cpu_count + 1, sizeof(*stat->cpus));
    stat->cpus[stat->cpu_count++] = cpu;
}

bool system_parse_stat(const char *text, struct system_stat *stat)
{
    struct system_stat found = { .cpus = stat->cpus, .cpu_capacity = stat->cpu_capacity };
    const struct {
        const char *key;
        uint64_t *value;
    } lines[] = {
        { "intr ", &found.interrupts },       { "softirq ", &found.softirqs },
        { "ctxt ", &found.context_switches }, { "processes ", &found.forks },
        { "procs_running ", &found.running }, { "procs_blocked ", &found.blocked },
    };
    bool any = false;

    for (const char *line = text; line != NULL; line = next_line(line)) {
        if (starts_with(line, "cpu")) {
            parse_cpu(line, &found);
            any = true;
            continue;
        }
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
            if (starts_with(line, lines[i].key))
                read_numbers(line + strlen(lines[i].key), lines[i].value, 1);
    }
    *stat = found;
    return any;
}

void system_stat_fini(struct system_stat *stat)
{
    free(stat->cpus);
    memset(stat, 0, sizeof(*stat));
}

/* strtod() would want the locale's decimal point. */
static const char *read_decimal(const char *text, double *number)
{
    uint64_t whole = 0, part = 0, scale = 1;

    while (*text == ' ')
        text++;
    if (*text < '0' || *text > '9')
        return NULL;
    for (; *text >= '0' && *text <= '9'; text++)
        whole = whole * 10 + (uint64_t)(*text - '0');
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9' && scale < 1000000; text++, scale *= 10)
            part = part * 10 + (uint64_t)(*text - '0');
    *number = (double)whole + (double)part / (double)scale;
    return text;
}

bool system_parse_loadavg(const char *text, struct system_load *load)
{
    double *const loads[] = { &load->load_1, &load->load_5, &load->load_15 };

    memset(load, 0, sizeof(*load));
    for (size_t i = 0; i < 3; i++)
        if ((text = read_decimal(text, loads[i])) == NULL)
            return false;
    return sscanf(text, " %" SCNu64 "/%" SCNu64 " %" SCNu64, &load->running, &load->tasks,
                  &load->newest_pid) >= 2;
}

const char *system_next_pair(const char *text, char key[SYSTEM_KEY_MAX], uint64_t *value)
{
    for (const char *line = text; line != NULL && *line != '\0'; line = next_line(line)) {
        size_t length = strcspn(line, ": \t\n");
        const char *after = line + length;

        while (*after == ':' || *after == ' ' || *after == '\t')
            after++;
        if (length == 0 || length >= SYSTEM_KEY_MAX || read_numbers(after, value, 1) != 1)
            continue;
        memcpy(key, line, length);
        key[length] = '\0';
        line = next_line(line);
        return line != NULL ? line : "";
    }
    return NULL;
}

bool system_find_pair(const char *text, const char *key, uint64_t *value)
{
    char found[SYSTEM_KEY_MAX];

    while ((text = system_next_pair(text, found, value)) != NULL)
        if (strcmp(found, key) == 0)
            return true;
    return false;
}

/* A name that ends at one of STOPS. */
static bool read_name(const char **text, const char *stops, char name[SYSTEM_NAME_MAX])
{
    size_t length;

    *text += strspn(*text, " \t");
    length = strcspn(*text, stops);
    if (length == 0 || length >= SYSTEM_NAME_MAX)
        return false;
    memcpy(name, *text, length);
    name[length] = '\0';
    *text += length;
    return true;
}

const char *system_next_disk(const char *text, struct system_disk *disk)
{
    for (const char *line = text; line != NULL && *line != '\0'; line = next_line(line)) {
        uint64_t device[2], n[17] = { 0 };
        const char *at = line;

        memset(disk, 0, sizeof(*disk));
        if (read_numbers(at, device, 2) != 2)
            continue;
        for (int i = 0; i < 2; i++) {
            at += strspn(at, " \t");
            at += strspn(at, "0123456789");
        }
        /* 11 columns before Linux 4.18, 15 before 5.5, then 17. */
        if (!read_name(&at, " \t\n", disk->name) || read_numbers(at, n, 17) < 11)
            continue;
        disk->reads = n[0];
        disk->read_bytes = n[2] * SECTOR_BYTES;
        disk->read_ms = n[3];
        disk->writes = n[4];
        disk->write_bytes = n[6] * SECTOR_BYTES;
        disk->write_ms = n[7];
        disk->in_flight = n[8];
        disk->busy_ms = n[9];
        disk->discards = n[11];
        disk->discard_ms = n[14];
        disk->flushes = n[15];
        disk->flush_ms = n[16];
        line = next_line(line);
        return line != NULL ? line : "";
    }
    return NULL;
}

const char *system_next_net(const char *text, struct system_net *net)
{
    for (const char *line = text; line != NULL && *line != '\0'; line = next_line(line)) {
        uint64_t n[16] = { 0 };
        const char *at = line;

        memset(net, 0, sizeof(*net));
        /* The titles hold bars instead of a colon after one word. */
        if (!read_name(&at, ": \t\n|", net->name) || *at != ':' || read_numbers(at + 1, n, 16) < 12)
            continue;
        net->rx_bytes = n[0];
        net->rx_packets = n[1];
        net->rx_errors = n[2];
        net->rx_drops = n[3];
        net->tx_bytes = n[8];
        net->tx_packets = n[9];
        net->tx_errors = n[10];
        net->tx_drops = n[11];
        line = next_line(line);
        return line != NULL ? line : "";
    }
    return NULL;
}

bool system_parse_pressure(const char *text, struct system_pressure *pressure)
{
    memset(pressure, 0, sizeof(*pressure));
    for (const char *line = text; line != NULL; line = next_line(line)) {
        const char *total = strstr(line, "total=");
        const char *end = strchr(line, '\n');

        if (total == NULL || (end != NULL && total > end))
            continue;
        if (starts_with(line, "some "))
            pressure->has_some = read_numbers(total + 6, &pressure->some_us, 1) == 1;
        else if (starts_with(line, "full "))
            pressure->has_full = read_numbers(total + 6, &pressure->full_us, 1) == 1;
    }
    return pressure->has_some || pressure->has_full;
}

bool system_advance(uint64_t before, uint64_t now, uint64_t *advance)
{
    const uint64_t wrap = UINT64_C(1) << 32;

    if (now >= before) {
        *advance = now - before;
        return true;
    }
    /* Some fields (times in diskstats, 32-bit kernels) are 32 bits wide: near their top, wrapped.
     */
    if (before < wrap && before > wrap / 4 * 3 && now < wrap / 4) {
        *advance = wrap - before + now;
        return true;
    }
    *advance = 0;
    return false;
}
