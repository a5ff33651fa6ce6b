/* SPDX-License-Identifier: MIT */
/* The program on the pty, and waiting for it.  What its output means: vscreen.c. */
#include "config.h"

#include "tests/harness/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "tests/harness/testing.h"
#include "tests/harness/vscreen.h"

enum { DEADLINE_S = 30 };

struct terminal {
    struct vscreen *screen;
    pid_t pid;
    int master, slave; /* ours of the slave keeps the settings readable after the program's end */
    int painted;       /* the reading end */
    bool ended;        /* all of its output is read */
    bool exited;
    int status;
    uint64_t deadline_ns;
    char *home; /* to remove */
    char *bytes;
    size_t bytes_size, bytes_capacity;
};

/* The variables that the program sees: few, so that a person's own do not change a golden file. */
static char **environment_of(const struct terminal_config *config, const char *home, int painted)
{
    static const char *const kept[] = { "PATH",          "ASAN_OPTIONS", "UBSAN_OPTIONS",
                                        "TSAN_OPTIONS",  "LSAN_OPTIONS", "PROFTOP_BUILT",
                                        "PROFTOP_SOURCE" };
    char **variables = NULL;
    size_t capacity = 0, count = 0, extra = 0;

    while (config->environment != NULL && config->environment[extra] != NULL)
        extra++;
    variables = array_reserve(variables, &capacity, extra + 16, sizeof(*variables));
    for (size_t i = 0; i < extra; i++) /* of two with one name, programs see the first */
        variables[count++] = xstrdup(config->environment[i]);
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
        if (getenv(kept[i]) != NULL)
            variables[count++] = xasprintf("%s=%s", kept[i], getenv(kept[i]));
    }
    variables[count++] =
        xasprintf("TERM=%s", config->term != NULL ? config->term : "xterm-256color");
    variables[count++] = xstrdup("LC_ALL=C.UTF-8");
    variables[count++] = xstrdup("TZ=UTC");
    variables[count++] = xasprintf("HOME=%s", home);
    variables[count++] = xasprintf("PROFTOP_PAINTED_FD=%d", painted);
    variables[count] = NULL;
    return variables;
}

static void free_environment(char **variables)
{
    for (char **variable = variables; *variable != NULL; variable++)
        free(*variable);
    free(variables);
}

static void start(struct terminal *terminal, const char *const *argv,
                  const struct terminal_config *config, const char *home)
{
    struct winsize size = { .ws_col = (unsigned short)vscreen_columns(terminal->screen),
                            .ws_row = (unsigned short)vscreen_rows(terminal->screen) };
    int painted[2];
    char **variables;

    if (pipe(painted) != 0 || openpty(&terminal->master, &terminal->slave, NULL, NULL, &size) != 0)
        die("no pty for a test: %s", strerror(errno));
    terminal->painted = painted[0];
    variables = environment_of(config, home, painted[1]);
    terminal->pid = fork();
    if (terminal->pid == 0) {
        close(painted[0]);
        close(terminal->master);
        if (login_tty(terminal->slave) == 0)
            execve(argv[0], (char *const *)argv, variables);
        _exit(127);
    }
    if (terminal->pid < 0)
        die("no process for a test: %s", strerror(errno));
    close(painted[1]);
    free_environment(variables);
    fcntl(terminal->master, F_SETFD, FD_CLOEXEC);
    fcntl(terminal->slave, F_SETFD, FD_CLOEXEC);
    fcntl(terminal->master, F_SETFL, O_NONBLOCK);
    fcntl(terminal->painted, F_SETFL, O_NONBLOCK);
}

struct terminal *terminal_open(const char *const *argv, const struct terminal_config *config)
{
    static const struct terminal_config plain;
    struct terminal *terminal = xcalloc(1, sizeof(*terminal));

    if (config == NULL)
        config = &plain;
    terminal->screen = vscreen_new(config->columns != 0 ? config->columns : 80,
                                   config->rows != 0 ? config->rows : 24);
    terminal->deadline_ns = NS_PER_S * (config->deadline_s != 0 ? config->deadline_s : DEADLINE_S);
    if (config->home == NULL)
        terminal->home = testing_folder_new();
    start(terminal, argv, config, config->home != NULL ? config->home : terminal->home);
    return terminal;
}

void terminal_close(struct terminal *terminal)
{
    if (terminal == NULL)
        return;
    if (!terminal->exited) {
        kill(terminal->pid, SIGKILL);
        waitpid(terminal->pid, NULL, 0);
    }
    if (terminal->master >= 0) {
        close(terminal->master);
        close(terminal->slave);
    }
    close(terminal->painted);
    vscreen_free(terminal->screen);
    if (terminal->home != NULL)
        testing_folder_remove(terminal->home);
    free(terminal->bytes);
    free(terminal);
}

/* Writes all of it, reading along so that neither side waits for the other. */
static void drain(struct terminal *terminal);

static void send_bytes(struct terminal *terminal, const char *bytes, size_t size)
{
    while (size != 0) {
        ssize_t put = write(terminal->master, bytes, size);

        if (put > 0) {
            bytes += put;
            size -= (size_t)put;
        } else if (errno == EAGAIN) {
            struct pollfd room = { .fd = terminal->master, .events = POLLOUT | POLLIN };

            poll(&room, 1, 1000);
            drain(terminal);
        } else if (errno != EINTR) {
            return;
        }
    }
}

/* Reads what the pty holds now; what the terminal answers (its status reports) goes back. */
static void drain(struct terminal *terminal)
{
    char buffer[16384];
    ssize_t got;
    struct pollfd readable = { .fd = terminal->master, .events = POLLIN };

    while (poll(&readable, 1, 0) > 0 && (readable.revents & POLLIN) != 0 &&
           (got = read(terminal->master, buffer, sizeof(buffer))) > 0) {
        size_t answer;

        terminal->bytes =
            array_reserve(terminal->bytes, &terminal->bytes_capacity,
                          terminal->bytes_size + (size_t)got + 1, sizeof(*terminal->bytes));
        memcpy(terminal->bytes + terminal->bytes_size, buffer, (size_t)got);
        terminal->bytes_size += (size_t)got;
        terminal->bytes[terminal->bytes_size] = '\0';
        answer = vscreen_feed(terminal->screen, buffer, (size_t)got, buffer, sizeof(buffer));
        if (answer != 0)
            send_bytes(terminal, buffer, answer);
    }
}

enum event { EVENT_PAINTED, EVENT_WROTE, EVENT_ENDED, EVENT_DEADLINE };

/* One paint is one byte; bytes that came together are one event. */
static bool take_painted(struct terminal *terminal)
{
    char bytes[64];
    bool any = false;

    while (read(terminal->painted, bytes, sizeof(bytes)) > 0)
        any = true;
    return any;
}

static enum event next_event(struct terminal *terminal, uint64_t until_ns)
{
    for (;;) {
        uint64_t now = clock_now_ns();
        size_t before = terminal->bytes_size;
        struct pollfd ends[2] = { { .fd = terminal->master, .events = POLLIN },
                                  { .fd = terminal->painted, .events = POLLIN } };

        if (terminal->ended)
            return EVENT_ENDED;
        if (now >= until_ns)
            return EVENT_DEADLINE;
        if (poll(ends, 2, (int)((until_ns - now) / NS_PER_MS) + 1) <= 0)
            continue;
        if ((ends[1].revents & POLLIN) != 0 && take_painted(terminal)) {
            drain(terminal);
            return EVENT_PAINTED;
        }
        drain(terminal);
        /* Only the program holds the writing end: its closing is the program's end. */
        if ((ends[1].revents & POLLHUP) != 0) {
            drain(terminal);
            terminal->ended = true;
        }
        if (terminal->bytes_size != before)
            return EVENT_WROTE;
    }
}

void terminal_type(struct terminal *terminal, const char *bytes)
{
    send_bytes(terminal, bytes, strlen(bytes));
}

void terminal_resize(struct terminal *terminal, int columns, int rows)
{
    struct winsize size = { .ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows };

    drain(terminal);
    vscreen_resize(terminal->screen, columns, rows);
    ioctl(terminal->master, TIOCSWINSZ, &size);
}

bool terminal_wait_paint(struct terminal *terminal)
{
    uint64_t until = clock_now_ns() + terminal->deadline_ns;

    for (;;) {
        switch (next_event(terminal, until)) {
        case EVENT_PAINTED:
            return true;
        case EVENT_WROTE:
            break;
        case EVENT_ENDED:
        case EVENT_DEADLINE:
            return false;
        }
    }
}

static bool wait_until(struct terminal *terminal, const char *text, bool wanted)
{
    uint64_t until = clock_now_ns() + terminal->deadline_ns;
    enum event event = EVENT_WROTE;

    drain(terminal);
    for (;;) {
        char *now = terminal_text(terminal);
        bool there = strstr(now, text) != NULL;

        if (there == wanted) {
            free(now);
            return true;
        }
        if (event == EVENT_ENDED || event == EVENT_DEADLINE) {
            print_error("%s: \"%s\" is %s the screen:\n%s",
                        event == EVENT_ENDED ? "the program ended" : "deadline", text,
                        wanted ? "not on" : "still on", now);
            free(now);
            return false;
        }
        free(now);
        event = next_event(terminal, until);
    }
}

bool terminal_wait_text(struct terminal *terminal, const char *text)
{
    return wait_until(terminal, text, true);
}

bool terminal_wait_gone(struct terminal *terminal, const char *text)
{
    return wait_until(terminal, text, false);
}

int terminal_wait_exit(struct terminal *terminal)
{
    uint64_t until = clock_now_ns() + terminal->deadline_ns;
    enum event event;

    if (terminal->exited)
        return terminal->status;
    do {
        event = next_event(terminal, until);
        if (event == EVENT_DEADLINE)
            fail_msg("the program has not ended at the deadline");
    } while (event != EVENT_ENDED);
    if (waitpid(terminal->pid, &terminal->status, 0) != terminal->pid)
        fail_msg("the program's status is lost: %s", strerror(errno));
    terminal->exited = true;
    return terminal->status;
}

int terminal_hang_up(struct terminal *terminal)
{
    uint64_t until = clock_now_ns() + terminal->deadline_ns;
    struct pollfd painted = { .fd = terminal->painted, .events = POLLIN };

    close(terminal->master);
    close(terminal->slave);
    terminal->master = terminal->slave = -1;
    do { /* only the program holds the other end of the pipe */
        take_painted(terminal);
        poll(&painted, 1, 100);
    } while ((painted.revents & POLLHUP) == 0 && clock_now_ns() < until);
    if ((painted.revents & POLLHUP) == 0)
        fail_msg("the program has not ended without its terminal");
    if (waitpid(terminal->pid, &terminal->status, 0) != terminal->pid)
        fail_msg("the program's status is lost: %s", strerror(errno));
    terminal->exited = terminal->ended = true;
    return terminal->status;
}

pid_t terminal_pid(const struct terminal *terminal)
{
    return terminal->pid;
}

char *terminal_settings(const struct terminal *terminal)
{
    struct termios settings;

    if (tcgetattr(terminal->slave, &settings) != 0)
        return xasprintf("unreadable: %s", strerror(errno));
    return xasprintf("input %#x output %#x control %#x local %#x", settings.c_iflag,
                     settings.c_oflag, settings.c_cflag, settings.c_lflag);
}

char *terminal_text(const struct terminal *terminal)
{
    return vscreen_text(terminal->screen, 0, vscreen_rows(terminal->screen));
}

char *terminal_row(const struct terminal *terminal, int row)
{
    char *text = vscreen_text(terminal->screen, row, row + 1);

    text[strcspn(text, "\n")] = '\0';
    return text;
}

char *terminal_attributes(const struct terminal *terminal)
{
    return vscreen_attributes(terminal->screen);
}

void terminal_cursor(const struct terminal *terminal, int *column, int *row, bool *visible)
{
    vscreen_cursor(terminal->screen, column, row, visible);
}

bool terminal_is_alternate(const struct terminal *terminal)
{
    return vscreen_is_alternate(terminal->screen);
}

bool terminal_has_mouse(const struct terminal *terminal)
{
    return vscreen_has_mouse(terminal->screen);
}

size_t terminal_bytes(const struct terminal *terminal, const char **bytes)
{
    *bytes = terminal->bytes != NULL ? terminal->bytes : "";
    return terminal->bytes_size;
}
