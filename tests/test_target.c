/* SPDX-License-Identifier: MIT */
/* Attaching and launching: who is in the target, how it ends, and what errors say. */
#include "config.h"

#include "proftop/target.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proftop/proc.h"
#include "proftop/process_list.h"
#include "tests/harness/testing.h"

static const struct target_options with_children = { .children = true };

/* Waits for the launched child without taking its status. */
static void wait_for_end(const struct target *target)
{
    siginfo_t info;

    assert_int_equal(waitid(P_PID, (id_t)target_launched(target), &info, WEXITED | WNOWAIT), 0);
}

static void a_launched_command_waits_to_be_released(void **state)
{
    char *argv[] = { "sh", "-c", "exit 7", NULL };
    struct error error;
    struct target *target = target_launch(argv, NULL, &with_children, &error);
    int status;

    (void)state;
    assert_non_null(target);
    assert_string_equal(target_command(target), "sh -c exit 7");
    assert_true(target_alive(target));
    assert_false(target_reap(target, &status));
    assert_true(target_release(target, &error));
    wait_for_end(target);
    assert_true(target_reap(target, &status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_false(target_alive(target));
    assert_true(target_reap(target, &status)); /* and again */
    assert_false(target_signal(target, SIGTERM, &error));
    assert_int_equal(error.code, STATUS_MISSING);
    target_free(target);
}

static void an_exec_that_fails_tells_why(void **state)
{
    char *missing[] = { "/nonexistent/command", NULL };
    char *folder[] = { "/tmp", NULL };
    struct error error;
    struct target *target = target_launch(missing, NULL, &with_children, &error);

    (void)state;
    assert_non_null(target);
    assert_false(target_release(target, &error));
    assert_int_equal(error.code, STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "/nonexistent/command"));
    wait_for_end(target);
    target_free(target);
    target = target_launch(folder, NULL, &with_children, &error);
    assert_non_null(target);
    assert_false(target_release(target, &error));
    assert_int_equal(error.code, STATUS_NOT_EXECUTABLE);
    wait_for_end(target);
    target_free(target);
}

static void a_target_never_released_ends(void **state)
{
    char *argv[] = { "sh", "-c", "exit 7", NULL };
    struct error error;
    struct target *target = target_launch(argv, NULL, &with_children, &error);
    int32_t pid;
    int status;

    (void)state;
    assert_non_null(target);
    pid = target_launched(target);
    target_free(target);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 125);
}

static void a_pty_has_the_size_asked_for(void **state)
{
    char *argv[] = { "stty", "size", NULL };
    static const struct target_terminal terminal = { .columns = 132, .rows = 43 };
    struct error error;
    struct target *target = target_launch(argv, &terminal, &with_children, &error);
    char text[64] = "";
    ssize_t got;
    int status;

    (void)state;
    assert_non_null(target);
    assert_true(target_master_fd(target) >= 0);
    assert_true(target_release(target, &error));
    got = read(target_master_fd(target), text, sizeof(text) - 1);
    assert_true(got > 0);
    assert_string_equal(text, "43 132\r\n");
    wait_for_end(target);
    assert_true(target_reap(target, &status));
    assert_int_equal(status, 0);
    target_free(target);
}

static void a_signal_reaches_the_whole_group(void **state)
{
    char *argv[] = { "sh", "-c", "echo ready; exec cat", NULL };
    static const struct target_terminal terminal = { .columns = 80, .rows = 24 };
    struct error error;
    struct target *target = target_launch(argv, &terminal, &with_children, &error);
    char text[16];
    int status;

    (void)state;
    assert_non_null(target);
    assert_true(target_release(target, &error));
    assert_true(read(target_master_fd(target), text, sizeof(text)) > 0);
    assert_true(target_signal(target, SIGTERM, &error));
    wait_for_end(target);
    assert_true(target_reap(target, &status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
    target_free(target);
}

/* A child that forks a child; both wait until the pipe closes. */
static pid_t fork_family(int *hold_fd, pid_t *grandchild)
{
    int hold[2], tell[2];
    pid_t child;
    char byte;

    assert_int_equal(pipe(hold), 0);
    assert_int_equal(pipe(tell), 0);
    child = fork();
    if (child == 0) {
        pid_t inner;

        close(hold[1]);
        inner = fork();
        if (inner != 0 && write(tell[1], &inner, sizeof(inner)) != sizeof(inner))
            _exit(1);
        while (read(hold[0], &byte, 1) < 0 && errno == EINTR)
            ;
        if (inner != 0)
            waitpid(inner, NULL, 0);
        _exit(0);
    }
    close(hold[0]);
    assert_int_equal(read(tell[0], grandchild, sizeof(*grandchild)), sizeof(*grandchild));
    close(tell[0]);
    close(tell[1]);
    *hold_fd = hold[1];
    return child;
}

static void children_belong_to_it_when_asked(void **state)
{
    static const struct target_options alone = { .children = false };
    struct target_process process;
    pid_t child, grandchild;
    struct error error;
    struct target *target;
    int hold_fd;

    (void)state;
    child = fork_family(&hold_fd, &grandchild);
    target = target_attach(&child, 1, &with_children, &error);
    assert_non_null(target);
    assert_int_equal(target_processes(target, NULL, 0, false), 2);
    assert_true(target_process(target, child, &process));
    assert_true(process.asked);
    assert_true(target_process(target, grandchild, &process));
    assert_false(process.asked);
    assert_int_equal(process.ppid, child);
    assert_false(target_add(target, grandchild, child));   /* known */
    assert_false(target_add(target, getpid(), getppid())); /* no child of it */
    assert_false(target_holds(target, getpid()));
    close(hold_fd);
    assert_int_equal(waitpid(child, NULL, 0), child);
    target_refresh(target);
    assert_false(target_alive(target));
    assert_int_equal(target_processes(target, NULL, 0, true), 2);
    target_free(target);

    child = fork_family(&hold_fd, &grandchild);
    target = target_attach(&child, 1, &alone, &error);
    assert_non_null(target);
    assert_int_equal(target_processes(target, NULL, 0, false), 1);
    assert_false(target_add(target, grandchild, child));
    close(hold_fd);
    assert_int_equal(waitpid(child, NULL, 0), child);
    target_free(target);
}

/* Where a process has used no CPU time its children are not listed again. */
static void a_child_after_a_rest_is_found(void **state)
{
    int hold[2], tell[2];
    struct target_process process;
    struct target *target;
    struct error error;
    pid_t child, grandchild;
    char byte;

    (void)state;
    assert_int_equal(pipe(hold), 0);
    assert_int_equal(pipe(tell), 0);
    child = fork();
    if (child == 0) {
        close(hold[1]);
        while (read(hold[0], &byte, 1) == 1)
            if ((grandchild = fork()) == 0) {
                while (read(hold[0], &byte, 1) < 0 && errno == EINTR)
                    ;
                _exit(0);
            } else if (write(tell[1], &grandchild, sizeof(grandchild)) != sizeof(grandchild)) {
                _exit(1);
            }
        waitpid(-1, NULL, 0);
        _exit(0);
    }
    target = target_attach(&child, 1, &with_children, &error);
    assert_non_null(target);
    for (int rests = 0; rests < 3; rests++)
        target_refresh(target);
    assert_int_equal(target_processes(target, NULL, 0, false), 1);
    assert_int_equal(write(hold[1], "f", 1), 1);
    assert_int_equal(read(tell[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
    target_refresh(target);
    assert_true(target_process(target, grandchild, &process));
    assert_int_equal(process.ppid, child);
    target_free(target);
    close(hold[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(hold[0]);
    close(tell[0]);
    close(tell[1]);
}

/* A child whose child ends when it has told of a child of its own, which CHILD then adopts. */
static pid_t fork_adopter(const int go[2], const int hold[2], int tell_fd)
{
    pid_t child = fork(), orphan;
    char byte;

    if (child != 0)
        return child;
    close(go[1]);
    close(hold[1]);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        _exit(1);
    if (fork() != 0) {
        while (read(hold[0], &byte, 1) < 0 && errno == EINTR)
            ;
        _exit(0);
    }
    if (read(go[0], &byte, 1) != 1)
        _exit(1);
    orphan = fork();
    if (orphan == 0 && read(hold[0], &byte, 1) == 0)
        _exit(0);
    _exit(write(tell_fd, &orphan, sizeof(orphan)) != sizeof(orphan));
}

/* Who adopts uses no CPU time for it. */
static void an_adopted_child_is_found(void **state)
{
    struct target_process process, all[3];
    int go[2], hold[2], tell[2];
    struct target *target;
    struct proc_stat stat;
    struct error error;
    pid_t child, middle, orphan;

    (void)state;
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(hold), 0);
    assert_int_equal(pipe(tell), 0);
    child = fork_adopter(go, hold, tell[1]);
    target = target_attach(&child, 1, &with_children, &error);
    assert_non_null(target);
    while (target_processes(target, all, 3, false) < 2)
        target_refresh(target);
    middle = all[1].pid;
    for (int rests = 0; rests < 3; rests++)
        target_refresh(target);
    assert_int_equal(write(go[1], "f", 1), 1);
    assert_int_equal(read(tell[0], &orphan, sizeof(orphan)), sizeof(orphan));
    do
        assert_true(proc_stat("/proc", middle, 0, &stat));
    while (stat.state != 'Z');
    target_refresh(target);
    assert_true(target_process(target, orphan, &process));
    assert_int_equal(process.ppid, child);
    target_free(target);
    close(hold[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(hold[0]);
    for (int end = 0; end < 2; end++) {
        close(go[end]);
        close(tell[end]);
    }
}

static void a_missing_pid_names_the_nearest(void **state)
{
    struct error error;
    pid_t gone = fork();

    (void)state;
    if (gone == 0)
        _exit(0);
    assert_int_equal(waitpid(gone, NULL, 0), gone);
    assert_null(target_attach(&gone, 1, &with_children, &error));
    assert_int_equal(error.code, STATUS_MISSING);
    assert_true(error.hint[0] != '\0');
}

static void ourselves_we_refuse(void **state)
{
    int32_t self = getpid();
    struct error error;

    (void)state;
    assert_null(target_attach(&self, 1, &with_children, &error));
    assert_int_equal(error.code, STATUS_USAGE);
}

static void a_refusal_names_both_sides_and_the_ways_on(void **state)
{
    char *argv[] = { "true", NULL };
    struct error error;
    struct target *target = target_launch(argv, NULL, &with_children, &error);

    (void)state;
    assert_non_null(target);
    assert_false(target_denied(target, 1, "perf_event_open(cpu-clock, pid 1)", EACCES, &error));
    assert_int_equal(error.code, STATUS_DENIED);
    assert_non_null(strstr(error.message, "pid 1"));
    assert_non_null(strstr(error.hint, "perf_event_open(cpu-clock, pid 1) = EACCES"));
    assert_non_null(strstr(error.hint, "perf_event_paranoid"));
    assert_non_null(strstr(error.hint, "cap_perfmon"));
    assert_true(target_release(target, &error));
    wait_for_end(target);
    target_free(target);
}

/* What PID's stat is for the list: a leader that has ended, and so many threads in all. */
static void write_ended(const char *root, int pid, int threads)
{
    char path[64], text[256];

    snprintf(path, sizeof(path), "%d/stat", pid);
    snprintf(text, sizeof(text),
             "%d (x) Z 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 %d 0 100 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 "
             "0 0 0 0 0\n",
             pid, threads);
    testing_write(root, path, text);
    snprintf(path, sizeof(path), "%d/status", pid);
    snprintf(text, sizeof(text), "Uid:\t%u\t%u\t%u\t%u\n", getuid(), geteuid(), getuid(), getuid());
    testing_write(root, path, text);
}

static void a_process_ends_with_its_last_thread(void **state)
{
    char *root = testing_folder_new();
    struct process_list *list = process_list_new(root);
    const struct target_options options = { .proc_root = root };
    const int32_t outlived = 42;
    struct error error;
    struct target *target;
    const struct process_row *rows;
    size_t count;

    (void)state;
    write_ended(root, outlived, 2);
    write_ended(root, outlived + 1, 1);
    process_list_update(list, 0);
    rows = process_list_rows(list, &count);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].can, rows[i].pid == outlived);
    process_list_free(list);
    target = target_attach(&outlived, 1, &options, &error);
    assert_true(target_alive(target));
    write_ended(root, outlived, 1);
    target_refresh(target);
    assert_false(target_alive(target));
    target_free(target);
    testing_folder_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_launched_command_waits_to_be_released),
        cmocka_unit_test(an_exec_that_fails_tells_why),
        cmocka_unit_test(a_target_never_released_ends),
        cmocka_unit_test(a_pty_has_the_size_asked_for),
        cmocka_unit_test(a_signal_reaches_the_whole_group),
        cmocka_unit_test(children_belong_to_it_when_asked),
        cmocka_unit_test(a_child_after_a_rest_is_found),
        cmocka_unit_test(an_adopted_child_is_found),
        cmocka_unit_test(a_missing_pid_names_the_nearest),
        cmocka_unit_test(ourselves_we_refuse),
        cmocka_unit_test(a_refusal_names_both_sides_and_the_ways_on),
        cmocka_unit_test(a_process_ends_with_its_last_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
