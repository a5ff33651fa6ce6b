/* SPDX-License-Identifier: MIT */
/*
 * What the kernel lets us do, found out by doing it: events are opened and closed again, a child of
 * ours looks at another child of ours.
 */
#include "config.h"

#include "doctor.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/gettext.h"
#include "proftop/proc.h"

static int64_t setting(const char *path)
{
    return proc_number("/proc", path, -99);
}

/* ---- perf_event_open ------------------------------------------------------------------------- */

struct event {
    uint32_t type;
    uint64_t config;
    bool kernel;
    int32_t pid, cpu;
};

/* The descriptor, or -errno. */
static int open_event(const struct event *event)
{
    struct perf_event_attr attr = {
        .type = event->type,
        .size = sizeof(attr),
        .config = event->config,
        .sample_period = 1000000,
        .sample_type = PERF_SAMPLE_IP,
        .disabled = 1,
        .exclude_kernel = !event->kernel,
        .exclude_hv = 1,
    };
    long fd = syscall(SYS_perf_event_open, &attr, event->pid, event->cpu, -1, PERF_FLAG_FD_CLOEXEC);

    return fd >= 0 ? (int)fd : -errno;
}

/* Somebody else's process: no setting short of their rights helps. */
static bool fix_foreign(int32_t pid, struct finding *finding)
{
    uint32_t uid = geteuid();

    if (pid <= 0 || !proc_uid("/proc", pid, &uid) || uid == geteuid())
        return false;
    snprintf(finding->fix, sizeof(finding->fix),
             _("the process belongs to uid %u: sudo proftop -p %d"), uid, (int)pid);
    return true;
}

/* FIX: what helps with a process of one's own. */
static bool try_event(const struct event *event, const char *fix, struct finding *finding)
{
    int fd = open_event(event);

    finding->works = fd >= 0;
    if (fd >= 0) {
        close(fd);
        return true;
    }
    snprintf(finding->why, sizeof(finding->why),
             _("perf_event_open: %s (perf_event_paranoid = %lld)"), strerror(-fd),
             (long long)setting("sys/kernel/perf_event_paranoid"));
    if (!fix_foreign(event->pid, finding))
        snprintf(finding->fix, sizeof(finding->fix), "%s", fix);
    return false;
}

void probe_perf_user(int32_t pid, struct finding *finding)
{
    struct event event = { PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, false, pid, -1 };

    try_event(&event,
              _("sudo sysctl kernel.perf_event_paranoid=2 (until then the ptrace source is "
                "used)"),
              finding);
}

void probe_perf_kernel(int32_t pid, struct finding *finding)
{
    struct event event = { PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, true, pid, -1 };

    try_event(&event, _("sudo sysctl kernel.perf_event_paranoid=1"), finding);
}

void probe_perf_system(int32_t pid, struct finding *finding)
{
    struct event event = { PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, true, -1, 0 };

    (void)pid;
    try_event(&event, _("sudo sysctl kernel.perf_event_paranoid=0"), finding);
}

void probe_counters(int32_t pid, struct finding *finding)
{
    struct event event = { PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, false, pid, -1 };
    int fd = open_event(&event);

    finding->works = fd >= 0;
    if (fd >= 0) {
        close(fd);
    } else if (fd == -ENOENT || fd == -EOPNOTSUPP || fd == -ENODEV) {
        finding_set(finding, false,
                    _("this machine shows no performance counters; virtual machines often don't"),
                    _("none here: cpu-clock drives the samples instead"));
    } else {
        try_event(&event, _("sudo sysctl kernel.perf_event_paranoid=2"), finding);
    }
}

/* A ring such as the perf source maps, on top of what the user may lock. */
void probe_perf_memory(int32_t pid, struct finding *finding)
{
    struct event event = { PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, false, 0, -1 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = page * (1 + 128);
    int fd = open_event(&event);
    void *ring;

    (void)pid;
    if (fd < 0) {
        try_event(&event, _("sudo sysctl kernel.perf_event_paranoid=2"), finding);
        return;
    }
    ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    finding->works = ring != MAP_FAILED;
    if (finding->works) {
        munmap(ring, size);
    } else {
        snprintf(finding->why, sizeof(finding->why),
                 _("mapping a ring of %zu kB: %s (perf_event_mlock_kb = %lld)"), size >> 10,
                 strerror(errno), (long long)setting("sys/kernel/perf_event_mlock_kb"));
        snprintf(finding->fix, sizeof(finding->fix), "%s",
                 _("sudo sysctl kernel.perf_event_mlock_kb=2048"));
    }
    close(fd);
}

/* ---- looking at another process -------------------------------------------------------------- */

/* What a child of ours can do to PID: 0 or an errno.  Its end lets go of everything. */
static int in_child(int (*act)(int32_t pid), int32_t pid)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(act(pid));
    if (child < 0)
        return errno;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int seize(int32_t pid)
{
    return ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 ? 0 : errno;
}

/* The system call a sleeping thread is in, and a word of its stack. */
static int peek(int32_t pid)
{
    struct proc_syscall syscall;
    char text[256];
    ssize_t got = proc_read("/proc", pid, 0, "syscall", text, sizeof(text));

    if (got < 0)
        return (int)-got;
    if (!proc_parse_syscall(text, &syscall) || syscall.running)
        return 0; /* it runs: there is nothing to peek at, and we were let in */
    return ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 ? 0 : errno;
}

/* Tries ACT on PID, or on a second child of ours, which is as strange to the first as any other
 * process of this user. */
static int try_on(int (*act)(int32_t pid), int32_t pid)
{
    pid_t other;
    int result;

    if (pid != 0)
        return in_child(act, pid);
    other = fork();
    if (other == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    if (other < 0)
        return errno;
    result = in_child(act, other);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    return result;
}

static void explain_ptrace(int32_t pid, int code, const char *what, struct finding *finding)
{
    int64_t scope = setting("sys/kernel/yama/ptrace_scope");

    finding->works = code == 0;
    if (code == 0)
        return;
    snprintf(finding->why, sizeof(finding->why), "%s: %s", what, strerror(code));
    if (fix_foreign(pid, finding))
        return;
    if (scope > 0)
        snprintf(finding->fix, sizeof(finding->fix),
                 _("sudo sysctl kernel.yama.ptrace_scope=0 (it is %lld), or launch the command: "
                   "proftop -- COMMAND"),
                 (long long)scope);
    else
        snprintf(finding->fix, sizeof(finding->fix), "%s",
                 _("in a container: give it the SYS_PTRACE capability"));
}

void probe_ptrace(int32_t pid, struct finding *finding)
{
    explain_ptrace(pid, try_on(seize, pid), "PTRACE_SEIZE", finding);
}

void probe_peek(int32_t pid, struct finding *finding)
{
    explain_ptrace(pid, try_on(peek, pid), "/proc/PID/syscall", finding);
}

/* ---- names of the kernel --------------------------------------------------------------------- */

/* Without the right to see addresses every one of them reads as 0. */
void probe_kernel_names(int32_t pid, struct finding *finding)
{
    FILE *stream = fopen("/proc/kallsyms", "r");
    char line[512];

    (void)pid;
    if (stream == NULL) {
        finding_set(finding, false, _("/proc/kallsyms can't be read"), "");
        return;
    }
    while (!finding->works && fgets(line, sizeof(line), stream) != NULL)
        finding->works = strtoull(line, NULL, 16) != 0;
    fclose(stream);
    if (!finding->works) {
        snprintf(
            finding->why, sizeof(finding->why),
            _("/proc/kallsyms hides addresses (kptr_restrict = %lld, perf_event_paranoid = %lld)"),
            (long long)setting("sys/kernel/kptr_restrict"),
            (long long)setting("sys/kernel/perf_event_paranoid"));
        snprintf(finding->fix, sizeof(finding->fix), "sudo sysctl %skernel.perf_event_paranoid=1",
                 setting("sys/kernel/kptr_restrict") > 0 ? "kernel.kptr_restrict=0 " : "");
    }
}
