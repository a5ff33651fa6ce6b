/* SPDX-License-Identifier: MIT */
/*
 * Launching a command.  Between fork and exec the child waits for a byte:
 *
 *     proftop                         child
 *     fork ─────────────────────────► terminal, signals
 *     sources attach                  read(go) …
 *     target_release: write(go) ────► exec
 *     read(exec) = end of file ◄───── … worked: the pipe closed on exec
 *     read(exec) = errno       ◄───── … failed
 *
 * When proftop ends before it wrote, the child reads end of file and leaves.
 */
#include "config.h"

#include "target_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "proftop/gettext.h"
#include "proftop/memory.h"

static char *join(char *const argv[])
{
    char *joined = xstrdup(argv[0]);

    for (size_t i = 1; argv[i] != NULL; i++) {
        char *longer = xasprintf("%s %s", joined, argv[i]);

        free(joined);
        joined = longer;
    }
    return joined;
}

static bool set_size(int fd, const struct target_terminal *terminal)
{
    struct winsize size = { .ws_col = terminal->columns, .ws_row = terminal->rows };

    return ioctl(fd, TIOCSWINSZ, &size) == 0;
}

/* A pty; the side for the child is returned in SLAVE_FD. */
static int open_pty(const struct target_terminal *terminal, int *slave_fd)
{
    int master_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];

    if (master_fd < 0)
        return -1;
    if (grantpt(master_fd) != 0 || unlockpt(master_fd) != 0 ||
        ptsname_r(master_fd, name, sizeof(name)) != 0 || !set_size(master_fd, terminal) ||
        (*slave_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) {
        int saved_errno = errno;

        close(master_fd);
        errno = saved_errno;
        return -1;
    }
    return master_fd;
}

/* The child's side.  Only async-signal-safe calls: other threads may have held locks. */
static void run_child(char *const argv[], int slave_fd, int go_fd, int exec_fd)
    __attribute__((noreturn));

static void run_child(char *const argv[], int slave_fd, int go_fd, int exec_fd)
{
    static const int reset[] = { SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGCHLD, SIGTSTP, SIGTTOU };
    sigset_t none;
    char go;
    int failure;

    if (slave_fd >= 0) {
        setsid();
        ioctl(slave_fd, TIOCSCTTY, 0);
        dup2(slave_fd, STDIN_FILENO);
        dup2(slave_fd, STDOUT_FILENO);
        dup2(slave_fd, STDERR_FILENO);
        for (size_t i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
            signal(reset[i], SIG_DFL);
        if (signal(SIGHUP, SIG_DFL) == SIG_IGN)
            signal(SIGHUP, SIG_IGN); /* nohup(1) */
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    while (read(go_fd, &go, 1) != 1)
        if (errno != EINTR)
            _exit(125);
    execvp(argv[0], argv);
    failure = errno;
    if (write(exec_fd, &failure, sizeof(failure)) != sizeof(failure))
        _exit(125);
    _exit(failure == ENOENT ? 127 : 126);
}

struct target *target_launch(char *const argv[], const struct target_terminal *terminal,
                             const struct target_options *options, struct error *error)
{
    struct target *target = target_new(options);
    int go[2] = { -1, -1 }, exec[2] = { -1, -1 };
    int slave_fd = -1;
    struct target_process *process;
    pid_t pid;

    target->command = join(argv);
    if (terminal != NULL && (target->master_fd = open_pty(terminal, &slave_fd)) < 0)
        goto fail;
    if (pipe2(go, O_CLOEXEC) != 0 || pipe2(exec, O_CLOEXEC) != 0)
        goto fail;
    pid = fork();
    if (pid < 0)
        goto fail;
    if (pid == 0) {
        close(go[1]);
        close(exec[0]);
        run_child(argv, slave_fd, go[0], exec[1]);
    }
    close(go[0]);
    close(exec[1]);
    if (slave_fd >= 0)
        close(slave_fd);
    target->go_fd = go[1];
    target->exec_fd = exec[0];
    target->pid = target->launched = pid;
    process = target_append(target, pid);
    if (process == NULL) {
        error_set(error, STATUS_FAILED, _("cannot read %s: is it mounted?"), target->proc_root);
        target_free(target);
        return NULL;
    }
    process->asked = true;
    return target;
fail:
    error_errno(error, errno, _("cannot launch %s: %s"), argv[0], strerror(errno));
    for (int i = 0; i < 2; i++) {
        if (go[i] >= 0)
            close(go[i]);
        if (exec[i] >= 0)
            close(exec[i]);
    }
    if (slave_fd >= 0)
        close(slave_fd);
    target_free(target);
    return NULL;
}

bool target_release(struct target *target, struct error *error)
{
    int failure = 0;
    ssize_t got;

    if (target->go_fd < 0)
        return true;
    if (write(target->go_fd, "g", 1) != 1)
        failure = errno;
    close(target->go_fd);
    target->go_fd = -1;
    do
        got = read(target->exec_fd, &failure, sizeof(failure));
    while (got < 0 && errno == EINTR);
    close(target->exec_fd);
    target->exec_fd = -1;
    if (failure == 0)
        return true;
    return error_set(error, failure == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE,
                     _("cannot run %s: %s"), target->command, strerror(failure));
}

int32_t target_launched(const struct target *target)
{
    return target->launched;
}

int target_master_fd(const struct target *target)
{
    return target->master_fd;
}

bool target_resize(struct target *target, const struct target_terminal *terminal)
{
    return target->master_fd >= 0 && set_size(target->master_fd, terminal);
}
