/* SPDX-License-Identifier: MIT */
/*
 * The whole program on a terminal: it shows what it should, and however it ends, the terminal is as
 * it was and the target runs on.
 */
#include "config.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/terminal.h"
#include "tests/harness/testing.h"

struct session {
    struct terminal *terminal;
    char *settings; /* the terminal's, before */
    pid_t target;
};

/* A target of our own that computes until it is killed. */
static pid_t start_target(void)
{
    char *path = testing_built("demo/demo");
    pid_t pid = fork();

    if (pid == 0) {
        execl(path, path, "--quiet", "--loop", "--phase", "cpu", (char *)NULL);
        _exit(127);
    }
    free(path);
    assert_true(pid > 0);
    return pid;
}

static void stop_target(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static struct session open_at_home(const char *home, const char *const *arguments, int columns,
                                   int rows)
{
    struct terminal_config config = { .columns = columns, .rows = rows, .home = home };
    struct session session = { .target = 0 };
    const char *argv[12] = { testing_built("proftop") };

    for (int i = 0; arguments[i] != NULL && i < 10; i++)
        argv[i + 1] = arguments[i];
    session.terminal = terminal_open(argv, &config);
    free((char *)argv[0]);
    return session;
}

static struct session open_session(const char *const *arguments, int columns, int rows)
{
    return open_at_home(NULL, arguments, columns, rows);
}

static struct session attach_by(const char *source, int columns, int rows)
{
    pid_t target = start_target();
    char pid[16];
    const char *arguments[] = { "-p", pid, "--source", source, NULL };
    struct session session;

    snprintf(pid, sizeof(pid), "%d", target);
    session = open_session(arguments, columns, rows);
    session.target = target;
    session.settings = terminal_settings(session.terminal);
    return session;
}

static struct session attach(int columns, int rows)
{
    return attach_by("auto", columns, rows);
}

static void close_session(struct session *session)
{
    terminal_close(session->terminal);
    free(session->settings);
    if (session->target > 0)
        stop_target(session->target);
}

/* 'R', 'S', 'T'…; 0 when there is no such process. */
static char state_of(pid_t pid)
{
    char path[64], text[512], *end;
    FILE *file;
    size_t count;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (file == NULL)
        return 0;
    count = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[count] = '\0';
    end = strrchr(text, ')');
    return end != NULL ? end[2] : 0;
}

static void check_restored(const struct session *session)
{
    assert_false(terminal_is_alternate(session->terminal));
    assert_false(terminal_has_mouse(session->terminal));
}

static void top_shows_the_functions(void **state)
{
    struct session session = attach(80, 24);

    (void)state;
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    assert_true(terminal_is_alternate(session.terminal));
    terminal_type(session.terminal, "2");
    assert_true(terminal_wait_text(session.terminal, "draw_frame"));
    terminal_type(session.terminal, "?");
    assert_true(terminal_wait_text(session.terminal, "Keys of every view"));
    terminal_type(session.terminal, "qq");
    assert_int_equal(terminal_wait_exit(session.terminal), 0);
    check_restored(&session);
    assert_int_equal(state_of(session.target) == 'T', 0);
    close_session(&session);
}

/* The functions of the first screens are those of the event: this target waits for nothing else. */
static void an_event_drives_every_view(void **state)
{
    char *victim = testing_built("tests/victims/bursts"), pid[16];
    const char *arguments[] = { "-p", pid, "-e", "page-faults", NULL };
    struct session session;
    pid_t target = fork();

    (void)state;
    if (target == 0) {
        execl(victim, victim, "faults:300", (char *)NULL);
        _exit(127);
    }
    free(victim);
    assert_true(target > 0);
    snprintf(pid, sizeof(pid), "%d", target);
    session = open_session(arguments, 80, 24);
    session.target = target;
    assert_true(terminal_wait_text(session.terminal, "fault_storm"));
    terminal_type(session.terminal, "2");
    assert_true(terminal_wait_text(session.terminal, "[2Tree]"));
    assert_true(terminal_wait_text(session.terminal, "fault_storm"));
    terminal_type(session.terminal, "4");
    assert_true(terminal_wait_text(session.terminal, "[4Flame]"));
    assert_true(terminal_wait_text(session.terminal, "fault_storm"));
    terminal_type(session.terminal, "Q");
    assert_int_equal(terminal_wait_exit(session.terminal), 0);
    close_session(&session);
}

static void a_resize_is_followed(void **state)
{
    struct session session = attach(80, 24);

    (void)state;
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    terminal_resize(session.terminal, 140, 40);
    assert_true(terminal_wait_text(session.terminal, "SYSTEM"));
    terminal_resize(session.terminal, 30, 5);
    assert_true(terminal_wait_text(session.terminal, "too small"));
    terminal_resize(session.terminal, 80, 24);
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    terminal_type(session.terminal, "Q");
    assert_int_equal(terminal_wait_exit(session.terminal), 0);
    close_session(&session);
}

/* Ended from outside: the terminal is given back, the target runs on. */
static void signals_restore_the_terminal(void **state)
{
    static const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGSEGV, SIGABRT };

    (void)state;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct session session = attach(80, 24);

        assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
        assert_true(terminal_is_alternate(session.terminal));
        kill(terminal_pid(session.terminal), signals[i]);
        terminal_wait_exit(session.terminal);
        check_restored(&session);
        assert_true(state_of(session.target) == 'R' || state_of(session.target) == 'S');
        close_session(&session);
    }
}

/* A broken connection: the target runs on, and what was recorded is there to be opened. */
static void a_terminal_that_goes_away_leaves_the_recording(void **state)
{
    char *home = testing_folder_new(), text[16], path[512];
    pid_t target = start_target();
    const char *const attaching[] = { "-p", text, NULL };
    const char *const opening[] = { "open", path, NULL };
    struct session session;

    (void)state;
    snprintf(text, sizeof(text), "%d", target);
    snprintf(path, sizeof(path), "%s/.local/state/proftop/last.proftop", home);
    session = open_at_home(home, attaching, 80, 24);
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    terminal_hang_up(session.terminal);
    assert_true(state_of(target) == 'R' || state_of(target) == 'S');
    close_session(&session);
    session = open_at_home(home, opening, 80, 24);
    session.target = target;
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    terminal_type(session.terminal, "q");
    assert_int_equal(terminal_wait_exit(session.terminal), 0);
    close_session(&session);
    testing_folder_remove(home);
}

/* Two at once keep a recording each. */
static void two_at_once_keep_two_recordings(void **state)
{
    static const char *const names[] = { "last", "last-2" };
    char *home = testing_folder_new(), text[16], path[512];
    pid_t target = start_target();
    const char *const attaching[] = { "-p", text, NULL };
    const char *const opening[] = { "open", path, NULL };
    struct session sessions[2];

    (void)state;
    snprintf(text, sizeof(text), "%d", target);
    for (int i = 0; i < 2; i++) {
        sessions[i] = open_at_home(home, attaching, 80, 24);
        assert_true(terminal_wait_text(sessions[i].terminal, "shade_pixels"));
    }
    for (int i = 0; i < 2; i++) {
        terminal_type(sessions[i].terminal, "Q");
        assert_int_equal(terminal_wait_exit(sessions[i].terminal), 0);
        close_session(&sessions[i]);
    }
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/.local/state/proftop/%s.proftop", home, names[i]);
        sessions[i] = open_at_home(home, opening, 80, 24);
        assert_true(terminal_wait_text(sessions[i].terminal, "shade_pixels"));
        terminal_type(sessions[i].terminal, "q");
        assert_int_equal(terminal_wait_exit(sessions[i].terminal), 0);
        close_session(&sessions[i]);
    }
    stop_target(target);
    testing_folder_remove(home);
}

static void suspending_gives_the_terminal_back(void **state)
{
    struct session session = attach(80, 24);

    (void)state;
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    terminal_type(session.terminal, "\032");
    assert_true(terminal_wait_gone(session.terminal, "shade_pixels"));
    assert_false(terminal_is_alternate(session.terminal));
    assert_true(state_of(session.target) == 'R' || state_of(session.target) == 'S');
    while (state_of(terminal_pid(session.terminal)) != 'T')
        sched_yield();
    kill(terminal_pid(session.terminal), SIGCONT);
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    assert_true(terminal_is_alternate(session.terminal));
    terminal_type(session.terminal, "q");
    assert_int_equal(terminal_wait_exit(session.terminal), 0);
    close_session(&session);
}

/* A seized thread stops for a signal until its tracer says otherwise: there must be none then. */
static void suspended_we_hold_no_signal_back(void **state)
{
    struct session session = attach_by("ptrace", 80, 24);
    char target_state;

    (void)state;
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    terminal_type(session.terminal, "\032");
    while (state_of(terminal_pid(session.terminal)) != 'T')
        sched_yield();
    kill(session.target, SIGUSR1);
    while ((target_state = state_of(session.target)) != 'Z') {
        assert_int_not_equal(target_state, 't');
        sched_yield();
    }
    kill(terminal_pid(session.terminal), SIGCONT);
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    terminal_type(session.terminal, "q");
    terminal_wait_exit(session.terminal);
    close_session(&session);
}

static void a_command_s_status_is_ours(void **state)
{
    const char *const arguments[] = { "--", "/bin/sh", "-c", "echo said-so; exit 7", NULL };
    struct session session = open_session(arguments, 80, 24);
    int status;

    (void)state;
    assert_true(terminal_wait_text(session.terminal, "EXITED 7"));
    terminal_type(session.terminal, ":view output\r");
    assert_true(terminal_wait_text(session.terminal, "said-so"));
    terminal_type(session.terminal, "q");
    status = terminal_wait_exit(session.terminal);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    check_restored(&session);
    close_session(&session);
}

static void typing_reaches_the_command(void **state)
{
    const char *const arguments[] = { "--", "/bin/cat", NULL };
    struct session session = open_session(arguments, 80, 24);
    int status;

    (void)state;
    assert_true(terminal_wait_text(session.terminal, "Output"));
    terminal_type(session.terminal, "9");
    assert_true(terminal_wait_text(session.terminal, "Enter types into it"));
    terminal_type(session.terminal, "\r");
    assert_true(terminal_wait_text(session.terminal, "keys go to the command"));
    terminal_type(session.terminal, "hello q there\r");
    assert_true(terminal_wait_text(session.terminal, "hello q there"));
    terminal_type(session.terminal, "\035");
    assert_true(terminal_wait_text(session.terminal, "proftop's again"));
    terminal_type(session.terminal, "q");
    assert_true(terminal_wait_text(session.terminal, "terminate it"));
    terminal_type(session.terminal, "2");
    status = terminal_wait_exit(session.terminal);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    close_session(&session);
}

/* Every key that is typed while a command floods its terminal arrives, and in order. */
static void a_flood_of_output_loses_no_key(void **state)
{
    const char *const arguments[] = { "--", "/usr/bin/yes", NULL };
    static const char typed[] = "the quick brown fox jumps over the lazy dog";
    struct session session = open_session(arguments, 80, 24);
    int status;

    (void)state;
    assert_true(terminal_wait_text(session.terminal, "Output"));
    terminal_type(session.terminal, "9");
    assert_true(terminal_wait_text(session.terminal, "of 50")); /* all that is kept */
    terminal_type(session.terminal, ":");
    for (const char *at = typed; *at != '\0'; at++) {
        char key[] = { *at, '\0' };

        terminal_type(session.terminal, key);
        assert_true(terminal_wait_paint(session.terminal));
    }
    assert_true(terminal_wait_text(session.terminal, typed));
    terminal_type(session.terminal, "\003q");
    assert_true(terminal_wait_text(session.terminal, "terminate it"));
    terminal_type(session.terminal, "2");
    status = terminal_wait_exit(session.terminal);
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    close_session(&session);
}

/* The picker with a target of its own, the only one that its filter leaves. */
static struct session pick_target(void)
{
    const char *const arguments[] = { NULL };
    pid_t target = start_target();
    struct session session = open_session(arguments, 100, 30);
    char pid[16];

    session.target = target;
    snprintf(pid, sizeof(pid), "%d", target);
    assert_true(terminal_wait_text(session.terminal, "choose a process"));
    terminal_type(session.terminal, pid);
    assert_true(terminal_wait_text(session.terminal, "filter:"));
    return session;
}

static void the_picker_finds_and_attaches(void **state)
{
    struct session session = pick_target();

    (void)state;
    terminal_type(session.terminal, "\r");
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    terminal_type(session.terminal, "Q");
    assert_int_equal(terminal_wait_exit(session.terminal), 0);
    close_session(&session);
}

/* What may not be sampled can be watched all the same, until it ends. */
static void the_picker_shows_the_machine_alone(void **state)
{
    struct session session = pick_target();

    (void)state;
    terminal_type(session.terminal, "\033[18~"); /* F7 */
    assert_true(terminal_wait_text(session.terminal, "[7System]"));
    terminal_type(session.terminal, "1");
    assert_true(terminal_wait_text(session.terminal, "Only counters are recorded"));
    kill(session.target, SIGKILL);
    assert_true(terminal_wait_text(session.terminal, "EXITED"));
    terminal_type(session.terminal, "Q");
    assert_int_equal(terminal_wait_exit(session.terminal), 0);
    close_session(&session);
}

/* A second terminal on the file that "record" is still writing sees it grow. */
static void a_recording_in_progress_is_followed(void **state)
{
    char *folder = testing_folder_new(), *proftop = testing_built("proftop"), *first, *now;
    char file[512], text[16];
    const char *const arguments[] = { "open", file, NULL };
    struct session session;
    pid_t target = start_target(), recorder;

    (void)state;
    snprintf(file, sizeof(file), "%s/growing.proftop", folder);
    snprintf(text, sizeof(text), "%d", target);
    recorder = fork();
    if (recorder == 0) {
        execl(proftop, proftop, "record", "-o", file, "-p", text, (char *)NULL);
        _exit(127);
    }
    do { /* until it has written something that can be shown */
        session = open_session(arguments, 80, 24);
        if (terminal_wait_paint(session.terminal))
            break;
        terminal_close(session.terminal);
    } while (waitpid(recorder, NULL, WNOHANG) == 0);
    session.target = target;
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    first = terminal_row(session.terminal, 0);
    now = terminal_row(session.terminal, 0);
    while (strcmp(first, now) == 0) { /* its length stands there */
        assert_true(terminal_wait_paint(session.terminal));
        free(now);
        now = terminal_row(session.terminal, 0);
    }
    free(first);
    free(now);
    kill(recorder, SIGINT);
    assert_int_equal(waitpid(recorder, NULL, 0), recorder);
    terminal_type(session.terminal, "q");
    assert_int_equal(terminal_wait_exit(session.terminal), 0);
    close_session(&session);
    testing_folder_remove(folder);
    free(proftop);
}

/* Whatever is pressed, at whatever size: it stays on the screen until it is told to end. */
static void random_keys_and_sizes_are_survived(void **state)
{
    static const char *const keys[] = {
        "\033[A", "\033[B", "\033[C", "\033[D", "\033[5~", "\033[6~", "\033OP", "\033OQ",
        "\r",     "\t",     "\033",   "\014",   "/a",      "\\e",     "1",      "2",
        "3",      "4",      "5",      "6",      "7",       "8",       "{",      "}",
        "o",      "p",      "%",      "K",      "L",       "t",       "#",      "m",
        " ",      "[",      "]",      "v",      "<",       "I",       "e",      "C",
    };
    enum { ROUNDS = 250, KEYS = sizeof(keys) / sizeof(keys[0]) };
    struct session session = attach(80, 24);
    uint32_t seed = 4711;

    (void)state;
    assert_true(terminal_wait_text(session.terminal, "shade_pixels"));
    for (int i = 0; i < ROUNDS; i++) {
        seed = seed * 1664525 + 1013904223;
        if (seed >> 28 == 0)
            terminal_resize(session.terminal, 1 + (int)(seed >> 8 & 255),
                            1 + (int)(seed >> 16 & 63));
        else
            terminal_type(session.terminal, keys[(seed >> 8) % KEYS]);
        if (i % 8 == 0)
            assert_true(terminal_wait_paint(session.terminal));
    }
    terminal_resize(session.terminal, 80, 24);
    terminal_type(session.terminal, "\003\003Q"); /* out of whatever is being typed */
    assert_int_equal(terminal_wait_exit(session.terminal), 0);
    check_restored(&session);
    assert_true(state_of(session.target) == 'R' || state_of(session.target) == 'S');
    close_session(&session);
}

static void a_dumb_terminal_is_refused(void **state)
{
    struct terminal_config config = { .term = "dumb" };
    char *program = testing_built("proftop");
    const char *argv[] = { program, "-p", "1", NULL };
    struct terminal *terminal = terminal_open(argv, &config);
    int status = terminal_wait_exit(terminal);

    (void)state;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
    terminal_close(terminal);
    free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_shows_the_functions),
        cmocka_unit_test(an_event_drives_every_view),
        cmocka_unit_test(a_resize_is_followed),
        cmocka_unit_test(signals_restore_the_terminal),
        cmocka_unit_test(a_terminal_that_goes_away_leaves_the_recording),
        cmocka_unit_test(two_at_once_keep_two_recordings),
        cmocka_unit_test(suspending_gives_the_terminal_back),
        cmocka_unit_test(suspended_we_hold_no_signal_back),
        cmocka_unit_test(a_command_s_status_is_ours),
        cmocka_unit_test(typing_reaches_the_command),
        cmocka_unit_test(a_flood_of_output_loses_no_key),
        cmocka_unit_test(the_picker_finds_and_attaches),
        cmocka_unit_test(the_picker_shows_the_machine_alone),
        cmocka_unit_test(a_recording_in_progress_is_followed),
        cmocka_unit_test(random_keys_and_sizes_are_survived),
        cmocka_unit_test(a_dumb_terminal_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
