/* SPDX-License-Identifier: MIT */
/* The words for "not permitted": what was refused, by which settings, and the ways on. */
#include "config.h"

#include "target_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proftop/gettext.h"

enum { SETTING_MISSING = -99 };

static void setting_text(const struct target *target, const char *path, char *text, size_t size)
{
    int64_t value = proc_number(target->proc_root, path, SETTING_MISSING);

    if (value == SETTING_MISSING)
        snprintf(text, size, "%s", _("none"));
    else
        snprintf(text, size, "%" PRId64, value);
}

/* Where our own binary is, for the command that grants it rights. */
static void own_path(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);

    if (length < 0)
        length = snprintf(path, size, "/usr/bin/proftop");
    path[length] = '\0';
}

bool target_denied(const struct target *target, int32_t pid, const char *call, int saved_errno,
                   struct error *error)
{
    struct proc_stat stat = { .name = "?" };
    char paranoid[32], ptrace_scope[32], exe[256];
    uint32_t uid = 0;
    bool owned;

    proc_stat(target->proc_root, pid, 0, &stat);
    owned = proc_uid(target->proc_root, pid, &uid) && uid == geteuid();
    setting_text(target, "sys/kernel/perf_event_paranoid", paranoid, sizeof(paranoid));
    setting_text(target, "sys/kernel/yama/ptrace_scope", ptrace_scope, sizeof(ptrace_scope));
    own_path(exe, sizeof(exe));
    error_set(error, STATUS_DENIED, _("cannot sample pid %" PRId32 " (%s): %s"), pid, stat.name,
              strerror(saved_errno));
    error_hint(error,
               _("  %s = %s\n"
                 "  you are uid %u, pid %" PRId32 " is uid %u\n"
                 "  perf_event_paranoid = %s   ptrace_scope = %s\n"
                 "\n"
                 "Ways on, least privilege first:\n"
                 "  %s\n"
                 "  grant this binary what it needs:\n"
                 "      sudo setcap cap_perfmon,cap_sys_ptrace=ep %s\n"
                 "  this once as root:\n"
                 "      sudo %s -p %" PRId32 "\n"
                 "  or the machine's counters alone, without privilege:  proftop, then F7"),
               call, strerrorname_np(saved_errno), geteuid(), pid, uid, paranoid, ptrace_scope,
               owned ? _("launch the command under proftop:  proftop -- COMMAND")
                     : _("profile a process of your own:  proftop"),
               exe, exe, pid);
    return false;
}
