/* SPDX-License-Identifier: MIT */
/* Recording at a terminal: progress, Ctrl-C, and a target that runs on. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/figures.h"
#include "proftop/proc.h"
#include "proftop/profile.h"
#include "proftop/session.h"
#include "tests/harness/terminal.h"
#include "tests/harness/testing.h"

static pid_t start_busy(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            __asm__ volatile("");
    }
    assert_true(pid > 0);
    return pid;
}

static struct terminal *open_recorder(pid_t pid, const char *file)
{
    char *path = testing_built("proftop"), number[16];
    const char *argv[] = { path, "record", "-p", number, "-F", "250", "-o", file, NULL };
    struct terminal *terminal;

    snprintf(number, sizeof(number), "%d", (int)pid);
    terminal = terminal_open(argv, NULL);
    free(path);
    return terminal;
}

/* Some machines let nobody look at a process that is not their child. */
static bool is_denied(struct terminal *terminal)
{
    const char *bytes;

    return terminal_bytes(terminal, &bytes) > 0 && strstr(bytes, "cannot sample") != NULL;
}

static void check_session(const char *file)
{
    struct error error = { 0 };
    struct profile *profile = session_open(file, &error);
    struct figures figures;

    assert_non_null(profile);
    figures_of(profile, 0, UINT64_MAX, &figures);
    assert_true(figures.samples > 0);
    assert_true(profile_ended(profile));
    profile_unref(profile);
}

static void shows_progress_and_ends_with_control_c(void **state)
{
    char *folder = testing_folder_new(), file[512];
    pid_t busy = start_busy();
    struct terminal *terminal;
    struct proc_stat stat;
    int status;

    (void)state;
    snprintf(file, sizeof(file), "%s/busy.proftop", folder);
    terminal = open_recorder(busy, file);
    if (!terminal_wait_text(terminal, "of 250 Hz") && is_denied(terminal)) {
        terminal_close(terminal);
        kill(busy, SIGKILL);
        testing_folder_remove(folder);
        skip_because("processes of the same user may not be sampled");
    }
    assert_true(terminal_wait_text(terminal, "Ctrl-C ends"));
    assert_true(terminal_wait_gone(terminal, "  0 samples"));
    terminal_type(terminal, "\003");
    status = terminal_wait_exit(terminal);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(terminal_wait_text(terminal, "written to"));
    check_session(file);

    /* The target runs on, neither stopped nor traced. */
    assert_true(proc_stat("/proc", busy, 0, &stat));
    assert_int_equal(stat.state, 'R');
    terminal_close(terminal);
    kill(busy, SIGKILL);
    waitpid(busy, NULL, 0);
    testing_folder_remove(folder);
}

static void ends_with_its_target(void **state)
{
    char *folder = testing_folder_new(), file[512];
    pid_t busy = start_busy();
    struct terminal *terminal;
    int status;

    (void)state;
    snprintf(file, sizeof(file), "%s/gone.proftop", folder);
    terminal = open_recorder(busy, file);
    if (!terminal_wait_text(terminal, "of 250 Hz") && is_denied(terminal)) {
        terminal_close(terminal);
        kill(busy, SIGKILL);
        testing_folder_remove(folder);
        skip_because("processes of the same user may not be sampled");
    }
    kill(busy, SIGKILL);
    waitpid(busy, NULL, 0);
    status = terminal_wait_exit(terminal);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(access(file, R_OK), 0);
    terminal_close(terminal);
    testing_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_progress_and_ends_with_control_c),
        cmocka_unit_test(ends_with_its_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
