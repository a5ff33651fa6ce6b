/* SPDX-License-Identifier: MIT */
/*
 * Which source samples a target, and why, in one sentence.
 *
 *     an event is asked for      perf, nothing else counts events
 *     Python, and its frames     ptrace: they must be read while the thread stands still
 *     else                       perf where it is permitted, ptrace where only that is
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/gettext.h"
#include "proftop/maps.h"
#include "proftop/module.h"
#include "proftop/python.h"
#include "proftop/source.h"
#include "proftop/target.h"

enum { PROCESSES_LOOKED_AT = 64 };

static bool process_runs_python(const char *proc_root, int32_t pid)
{
    struct modules *modules = modules_new();
    struct maps *maps = maps_read(proc_root, pid, 0, modules, NULL);
    bool python = maps != NULL && python_suspected(maps);

    if (maps != NULL)
        maps_unref(maps);
    modules_free(modules);
    return python;
}

/* Any of the processes: a wrapper may have started the interpreter. */
static bool runs_python(const struct target *target)
{
    struct target_process processes[PROCESSES_LOOKED_AT];
    size_t count = target_processes((struct target *)target, processes, PROCESSES_LOOKED_AT, false);
    bool python = false;

    for (size_t i = 0; i < count && i < PROCESSES_LOOKED_AT && !python; i++)
        python = process_runs_python(target_proc_root(target), processes[i].pid);
    return python;
}

/* A script whose first line names an interpreter of Python. */
static bool is_python_script(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char line[128];
    ssize_t length;

    if (fd < 0)
        return false;
    length = read(fd, line, sizeof(line) - 1);
    close(fd);
    if (length < 2 || line[0] != '#' || line[1] != '!')
        return false;
    line[length] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return strstr(line, "python") != NULL;
}

/* "python3", "/usr/bin/python3.11"; LENGTH of WORD count. */
static bool names_python(const char *word, size_t length)
{
    const char *slash = memrchr(word, '/', length);
    const char *name = slash != NULL ? slash + 1 : word;

    return (size_t)(word + length - name) >= 6 && strncmp(name, "python", 6) == 0;
}

/* Wrappers have the interpreter among their arguments: "env python3 app.py". */
static bool some_word_names_python(const char *command)
{
    while (*command != '\0') {
        size_t length = strcspn(command, " ");

        if (names_python(command, length))
            return true;
        command += length;
        command += strspn(command, " ");
    }
    return false;
}

/* Of a command that has yet to exec: by its words, or by the first line of its script. */
static bool will_run_python(const char *command)
{
    const char *path = getenv("PATH");
    size_t length = strcspn(command, " ");
    char word[512], file[1024];
    const char *name;

    if (length >= sizeof(word))
        return false;
    memcpy(word, command, length);
    word[length] = '\0';
    name = strrchr(word, '/');
    if (some_word_names_python(command))
        return true;
    if (name != NULL)
        return is_python_script(word);
    while (path != NULL && *path != '\0') {
        size_t folder = strcspn(path, ":");

        snprintf(file, sizeof(file), "%.*s/%s", (int)folder, path, word);
        if (access(file, X_OK) == 0)
            return is_python_script(file);
        path += folder + (path[folder] == ':');
    }
    return false;
}

static bool wants_python(const struct target *target, const struct source_config *config)
{
    if (!config->python)
        return false;
    return target_launched(target) != 0 ? will_run_python(target_command(target))
                                        : runs_python(target);
}

const struct source_ops *source_choose(const struct target *target,
                                       const struct source_config *config, char *reason,
                                       unsigned reason_size, struct error *error)
{
    struct error refused = { 0 };

    if (config->event == NULL && wants_python(target, config) &&
        source_ptrace.probe(target, config, NULL)) {
        snprintf(reason, reason_size, "%s",
                 _("stopping threads briefly (ptrace): Python's frames must be read while a thread "
                   "stands still"));
        return &source_ptrace;
    }
    if (source_perf.probe(target, config, &refused)) {
        snprintf(reason, reason_size, "%s",
                 config->event != NULL
                     ? _("perf events: they count what was asked for")
                     : _("perf events: the kernel takes the samples, nothing is stopped"));
        return &source_perf;
    }
    if (config->event != NULL || !source_ptrace.probe(target, config, NULL)) {
        *error = refused;
        return NULL;
    }
    if (refused.code == STATUS_DENIED)
        snprintf(reason, reason_size, "%s",
                 _("stopping threads briefly (ptrace): perf events are not permitted here"));
    else
        snprintf(reason, reason_size, _("stopping threads briefly (ptrace): %s"), refused.message);
    return &source_ptrace;
}
