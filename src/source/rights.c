/* SPDX-License-Identifier: MIT */
/*
 * Rights that are lost while we look: see rights.h.
 *
 * The kernel tells nobody.  Its events just end with the exec of a set-user-ID program, and memory
 * can no longer be read; without a word the screen would look like that of an idle program.
 */
#include "config.h"

#include "rights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emit.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/proc.h"
#include "roster.h"

#define CHECK_NS (NS_PER_S / 2)

/* Opening the maps asks for the right to trace (proc(5)), as reading stacks does. */
static bool may_look(const char *proc_root, int32_t pid)
{
    char path[PROC_PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%s/%d/maps", proc_root, proc_living_thread(proc_root, pid));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0 || (errno != EACCES && errno != EPERM);
}

static void tell_lost(struct roster *roster, int32_t pid, uint64_t now_ns)
{
    const char *proc_root = target_proc_root(roster->target);
    struct proc_stat stat;
    uint32_t uid;

    if (!proc_stat(proc_root, pid, 0, &stat) || !proc_uid(proc_root, pid, &uid))
        return; /* it ended */
    if (uid != geteuid())
        emit_note(
            roster->emit, now_ns, NOTE_ALARM,
            _("%s[%d] runs as uid %u now and may not be looked at: what was recorded is kept, "
              "the rest needs proftop as root, or with cap_perfmon and cap_sys_ptrace"),
            stat.name, (int)pid, uid);
    else
        emit_note(roster->emit, now_ns, NOTE_ALARM,
                  _("%s[%d] does not let others look at it (it is not dumpable): what was recorded "
                    "is kept, the rest needs proftop as root, or with cap_sys_ptrace"),
                  stat.name, (int)pid);
}

void rights_check(struct roster *roster, uint64_t now_ns)
{
    int32_t first = target_pid(roster->target);

    if (now_ns < roster->rights_due_ns)
        return;
    roster->rights_due_ns = now_ns + CHECK_NS;
    for (struct tracked *process = roster->processes; process != NULL; process = process->next) {
        bool *told = process->pid == first ? &roster->told_first_lost : &roster->told_child_lost;
        bool was_ours = process->maps != NULL || process->unsampled;

        if (process->lost || !was_ours || may_look(target_proc_root(roster->target), process->pid))
            continue;
        process->lost = true;
        if (!*told)
            tell_lost(roster, process->pid, now_ns);
        *told = true;
    }
}

void rights_left_out(struct roster *roster, int32_t pid, uint64_t now_ns)
{
    const char *proc_root = target_proc_root(roster->target);
    char path[PROC_PATH_MAX];
    struct proc_stat process;
    struct stat program;
    uint32_t uid;

    snprintf(path, sizeof(path), "%s/%d/exe", proc_root, pid);
    if (stat(path, &program) != 0 || (program.st_mode & S_ISUID) == 0 ||
        !proc_uid(proc_root, pid, &uid) || uid == program.st_uid ||
        !proc_stat(proc_root, pid, 0, &process))
        return;
    emit_note(roster->emit, now_ns, NOTE_ALARM,
              _("%s[%d] runs without the rights of uid %u that it has by itself: the kernel leaves "
                "them out while a plain user traces; --source perf does not trace, root may"),
              process.name, (int)pid, (unsigned)program.st_uid);
}
