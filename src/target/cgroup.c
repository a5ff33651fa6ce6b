/* SPDX-License-Identifier: MIT */
/*
 * Finding control groups: /proc/PID/cgroup says which group, mountinfo says where groups are seen.
 *
 *     cgroup:     4:memory:/kubepods/pod7/main          0::/user.slice
 *     mountinfo:  … /kubepods /sys/fs/cgroup/memory … - cgroup cgroup rw,memory
 *                   └ root      └ mount point
 *     folder:     /sys/fs/cgroup/memory + /pod7/main     (the path without the mount's root)
 */
#include "config.h"

#include "proftop/cgroup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/proc_file.h"
#include "proftop/system.h"

/* One mount of a control group file system, as a line of mountinfo tells it. */
struct cgroup_mount {
    char root[PATH_MAX], point[PATH_MAX], type[32], options[512];
};

/* Blanks in paths are written \040. */
static void unescape(char *path)
{
    char *to = path;

    for (const char *from = path; *from != '\0'; to++) {
        unsigned code;

        if (*from == '\\' && sscanf(from, "\\%3o", &code) == 1 && code < 256) {
            *to = (char)code;
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

static bool parse_mount(const char *line, size_t length, struct cgroup_mount *mount)
{
    char text[2 * PATH_MAX + 1024];
    const char *dash;

    if (length >= sizeof(text))
        return false;
    memcpy(text, line, length);
    text[length] = '\0';
    dash = strstr(text, " - cgroup");
    if (dash == NULL || sscanf(dash, " - %31s %*s %511s", mount->type, mount->options) != 2)
        return false;
    /* PATH_MAX is 4096. */
    if (sscanf(text, "%*s %*s %*s %4095s %4095s", mount->root, mount->point) != 2)
        return false;
    unescape(mount->root);
    unescape(mount->point);
    return true;
}

/* WORD is one of the words in LIST, which commas separate. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, length) == 0 &&
            (at[length] == '\0' || at[length] == ',' || at[length] == ':'))
            return true;
    }
    return false;
}

/* The group of the process for CONTROLLER ("" is version 2's). */
static bool find_path(const char *groups, const char *controller, char path[PATH_MAX])
{
    for (const char *line = groups; line != NULL && *line != '\0';) {
        size_t length = strcspn(line, "\n");
        const char *list = memchr(line, ':', length);
        const char *colon =
            list != NULL ? memchr(list + 1, ':', (size_t)(line + length - list - 1)) : NULL;

        if (colon != NULL && line + length - colon - 1 < PATH_MAX) {
            char controllers[256];

            snprintf(controllers, sizeof(controllers), "%.*s", (int)(colon - list - 1), list + 1);
            if (*controller == '\0' ? *controllers == '\0' : has_word(controllers, controller)) {
                snprintf(path, PATH_MAX, "%.*s", (int)(line + length - colon - 1), colon + 1);
                return true;
            }
        }
        line = line[length] == '\n' ? line + length + 1 : NULL;
    }
    return false;
}

static bool join(char path[PATH_MAX], const char *a, const char *b, const char *c)
{
    int length = snprintf(path, PATH_MAX, "%s%s%s", a, b, strcmp(c, "/") == 0 ? "" : c);

    return length > 0 && length < PATH_MAX;
}

/* MOUNT shows the group PATH, or (seen from inside a container) only something above it. */
static bool place_in(const struct cgroup_mount *mount, const char *files_root, const char *path,
                     enum cgroup_version version, struct cgroup_place *place)
{
    size_t root = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);

    if (!join(place->mount, files_root, mount->point, ""))
        return false;
    place->version = version;
    if (strncmp(path, mount->root, root) == 0 && strstr(path, "/..") == NULL &&
        join(place->folder, files_root, mount->point, path + root) &&
        access(place->folder, X_OK) == 0)
        return true;
    snprintf(place->folder, sizeof(place->folder), "%s", place->mount);
    return access(place->folder, X_OK) == 0;
}

static bool place_has(const struct cgroup_place *place, const char *name)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof(path), "%s/%s", place->folder, name);
    return access(path, R_OK) == 0;
}

static void find_place(const char *mounts, const char *files_root, const char *groups,
                       const char *controller, const char *v2_file, struct cgroup_place *place)
{
    struct cgroup_mount mount;
    struct cgroup_place found;
    char path[PATH_MAX];

    place->version = CGROUP_NONE;
    for (const char *line = mounts; line != NULL && *line != '\0';) {
        size_t length = strcspn(line, "\n");

        if (parse_mount(line, length, &mount)) {
            bool v2 = strcmp(mount.type, "cgroup2") == 0;

            if ((v2 || has_word(mount.options, controller)) &&
                find_path(groups, v2 ? "" : controller, path) &&
                place_in(&mount, files_root, path, v2 ? CGROUP_V2 : CGROUP_V1, &found) &&
                (!v2 || place_has(&found, v2_file))) {
                *place = found;
                if (!v2)
                    return; /* where both are mounted, a controller is bound to version 1 */
            }
        }
        line = line[length] == '\n' ? line + length + 1 : NULL;
    }
}

bool cgroup_find(const char *proc_root, const char *files_root, int32_t pid, struct cgroup *cgroup)
{
    struct proc_file groups = { 0 }, mounts = { 0 };
    const char *groups_text = NULL, *mounts_text = NULL;

    memset(cgroup, 0, sizeof(*cgroup));
    if (proc_file_open(&groups, proc_root, "%" PRId32 "/cgroup", pid))
        groups_text = proc_file_read(&groups);
    if (proc_file_open(&mounts, proc_root, "self/mountinfo"))
        mounts_text = proc_file_read(&mounts);
    if (groups_text != NULL && mounts_text != NULL) {
        find_place(mounts_text, files_root, groups_text, "cpu", "cpu.stat", &cgroup->cpu);
        find_place(mounts_text, files_root, groups_text, "cpuacct", "cpu.stat", &cgroup->cpuacct);
        find_place(mounts_text, files_root, groups_text, "memory", "memory.current",
                   &cgroup->memory);
    }
    proc_file_close(&groups);
    proc_file_close(&mounts);
    return cgroup->cpu.version != CGROUP_NONE || cgroup->memory.version != CGROUP_NONE;
}

/* The text of FOLDER/NAME in TEXT, or false. */
static bool read_text(const char *folder, const char *name, char *text, size_t size)
{
    struct proc_file file = { 0 };
    const char *found = NULL;

    if (proc_file_open(&file, folder, "%s", name))
        found = proc_file_read(&file);
    if (found != NULL)
        snprintf(text, size, "%s", found);
    proc_file_close(&file);
    return found != NULL;
}

/* A file with one number; -1 for "max", for v1's "no limit" and for none. */
static int64_t read_number(const char *folder, const char *name)
{
    char text[64], *end;
    unsigned long long number;

    if (!read_text(folder, name, text, sizeof(text)) || text[0] == '-')
        return -1;
    number = strtoull(text, &end, 10);
    /* Version 1 says "no limit" by the largest page-aligned number. */
    return end == text || number > (unsigned long long)INT64_MAX / 2 ? -1 : (int64_t)number;
}

static int64_t find_number(const char *text, const char *key)
{
    uint64_t value;

    return system_find_pair(text, key, &value) ? (int64_t)value : -1;
}

/* Turns FOLDER into the one above it; false at MOUNT. */
static bool go_up(char *folder, const char *mount)
{
    char *slash = strrchr(folder, '/');

    if (strlen(folder) <= strlen(mount) || slash == NULL)
        return false;
    *slash = '\0';
    return strlen(folder) >= strlen(mount);
}

/* CPUs' worth in FOLDER, or -1. */
static double read_quota(const char *folder, enum cgroup_version version)
{
    char text[64];
    int64_t quota, period;

    if (version == CGROUP_V2) {
        if (!read_text(folder, "cpu.max", text, sizeof(text)) ||
            sscanf(text, "%" SCNd64 " %" SCNd64, &quota, &period) != 2)
            return -1;
    } else {
        quota = read_number(folder, "cpu.cfs_quota_us");
        period = read_number(folder, "cpu.cfs_period_us");
    }
    return quota > 0 && period > 0 ? (double)quota / (double)period : -1;
}

static void read_cpu(const struct cgroup *cgroup, struct cgroup_figures *figures)
{
    char folder[PATH_MAX], text[2048];
    bool v2 = cgroup->cpu.version == CGROUP_V2;

    snprintf(folder, sizeof(folder), "%s", cgroup->cpu.folder);
    do
        figures->quota_cpus = read_quota(folder, cgroup->cpu.version);
    while (figures->quota_cpus < 0 && go_up(folder, cgroup->cpu.mount));
    if (figures->quota_cpus < 0)
        snprintf(folder, sizeof(folder), "%s", cgroup->cpu.folder);

    /* Who has the quota counts the throttling. */
    if (read_text(folder, "cpu.stat", text, sizeof(text))) {
        figures->periods = find_number(text, "nr_periods");
        figures->throttled_periods = find_number(text, "nr_throttled");
        figures->throttled_us = find_number(text, v2 ? "throttled_usec" : "throttled_time");
        if (!v2 && figures->throttled_us >= 0)
            figures->throttled_us /= 1000;
    }
    if (v2 && read_text(cgroup->cpu.folder, "cpu.stat", text, sizeof(text)))
        figures->usage_us = find_number(text, "usage_usec");
    if (cgroup->cpuacct.version == CGROUP_V1) {
        int64_t usage_ns = read_number(cgroup->cpuacct.folder, "cpuacct.usage");

        figures->usage_us = usage_ns < 0 ? -1 : usage_ns / 1000;
    }
}

static void read_memory(const struct cgroup_place *place, struct cgroup_figures *figures)
{
    char folder[PATH_MAX], text[2048];
    bool v2 = place->version == CGROUP_V2;

    figures->memory_bytes =
        read_number(place->folder, v2 ? "memory.current" : "memory.usage_in_bytes");
    snprintf(folder, sizeof(folder), "%s", place->folder);
    do
        figures->memory_limit_bytes =
            read_number(folder, v2 ? "memory.max" : "memory.limit_in_bytes");
    while (figures->memory_limit_bytes < 0 && go_up(folder, place->mount));

    if (v2) {
        figures->swap_bytes = read_number(place->folder, "memory.swap.current");
        if (read_text(place->folder, "memory.events", text, sizeof(text))) {
            figures->memory_high = find_number(text, "high");
            figures->memory_max = find_number(text, "max");
            figures->oom = find_number(text, "oom");
            figures->oom_kills = find_number(text, "oom_kill");
        }
        return;
    }
    figures->memory_max = read_number(place->folder, "memory.failcnt");
    if (read_text(place->folder, "memory.oom_control", text, sizeof(text)))
        figures->oom_kills = find_number(text, "oom_kill");
}

static void read_pressure(const char *folder, const char *name, int64_t *some_us, int64_t *full_us)
{
    struct system_pressure pressure;
    char text[512];

    if (!read_text(folder, name, text, sizeof(text)) || !system_parse_pressure(text, &pressure))
        return;
    if (some_us != NULL && pressure.has_some)
        *some_us = (int64_t)pressure.some_us;
    if (pressure.has_full)
        *full_us = (int64_t)pressure.full_us;
}

void cgroup_read(const struct cgroup *cgroup, struct cgroup_figures *figures)
{
    *figures = (struct cgroup_figures){ .quota_cpus = -1,
                                        .usage_us = -1,
                                        .periods = -1,
                                        .throttled_periods = -1,
                                        .throttled_us = -1,
                                        .memory_bytes = -1,
                                        .memory_limit_bytes = -1,
                                        .swap_bytes = -1,
                                        .memory_high = -1,
                                        .memory_max = -1,
                                        .oom = -1,
                                        .oom_kills = -1,
                                        .cpu_some_us = -1,
                                        .cpu_full_us = -1,
                                        .memory_full_us = -1,
                                        .io_full_us = -1 };
    if (cgroup->cpu.version != CGROUP_NONE)
        read_cpu(cgroup, figures);
    if (cgroup->memory.version != CGROUP_NONE)
        read_memory(&cgroup->memory, figures);
    if (cgroup->cpu.version == CGROUP_V2) {
        const char *folder = cgroup->cpu.folder;

        read_pressure(folder, "cpu.pressure", &figures->cpu_some_us, &figures->cpu_full_us);
        read_pressure(folder, "memory.pressure", NULL, &figures->memory_full_us);
        read_pressure(folder, "io.pressure", NULL, &figures->io_full_us);
    }
}
