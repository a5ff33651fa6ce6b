/* SPDX-License-Identifier: MIT */
/*
 * proftop: watch a process live.
 *
 *     no target ─► picker ─┐
 *     -p PID ──────────────┼─► target ─► engine ─► screen until quit ─► last.proftop
 *     -- COMMAND ──────────┘                └─ R: run the command again
 *
 * What can go wrong before the first screen is told on stderr, as any command would.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "begin.h"
#include "cli.h"
#include "proftop/clock.h"
#include "proftop/figures.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/process_list.h"
#include "proftop/signals.h"
#include "proftop/source.h"
#include "screens.h"
#include "src/ui/loop.h"
#include "src/ui/picker.h"
#include "src/view/output.h"
#include "src/view/screen.h"

enum {
    PICKER_MS = 1500,
    GRACE_MS = 3000, /* a command that was told to end has so long */
    LAST_MAX_BYTES = 256 << 20
};

struct live {
    struct options options; /* what was asked, completed by the picker */
    struct settings settings;
    char *typed;     /* a command line of the picker … */
    char *launch[4]; /* … as a shell's arguments */
    bool system;     /* the picker wants the machine's counters alone */
    struct tty *tty;
    struct engine *engine;
    struct output *output;
    struct app *app;
    char *last_path;  /* where the recording is kept; NULL: nowhere … */
    int last_lock_fd; /* … by nobody else */
};

/* ---- the command's terminal ---------------------------------------------------------------------
 */

/* As large as the part of the screen that will show it. */
static struct target_terminal terminal_for_output(void)
{
    struct target_terminal terminal = { 80, 20 };
    const struct view_ops *view = view_find("output");
    struct screen_layout layout;
    struct winsize size;

    if (view == NULL || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return terminal;
    layout = screen_lay_out(size.ws_col, size.ws_row, view);
    if (layout.body_columns > 0 && layout.body_rows > 1)
        terminal = (struct target_terminal){ (uint16_t)layout.body_columns,
                                             (uint16_t)(layout.body_rows - 1) };
    return terminal;
}

/*
 * The command outlives us: somebody has to hold its terminal and read what it prints, or it would
 * be hung up on, or stand still when the terminal is full.  Nothing else of ours is held: whoever
 * waits for the end of a pipe that we were given is not to wait for the command's.
 */
static void leave_running(int master)
{
    char bytes[4096];
    pid_t keeper = fork();

    if (keeper != 0)
        return;
    setsid();
    signal(SIGHUP, SIG_IGN);
    dup2(master, STDIN_FILENO);
    closefrom(STDIN_FILENO + 1);
    for (;;) {
        struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
        ssize_t count;

        poll(&fd, 1, -1);
        count = read(STDIN_FILENO, bytes, sizeof(bytes));
        if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN))
            _exit(0);
    }
}

/* ---- starting -----------------------------------------------------------------------------------
 */

static bool start_engine(struct live *live, struct error *error)
{
    struct engine_config config = begin_config(&live->options);
    struct target_terminal terminal = terminal_for_output();
    struct target *target = begin_target(&live->options, &terminal, error);

    if (target == NULL)
        return false;
    config.target = target;
    if (live->system) {
        config.source = &source_system;
        config.stats = false; /* that source has them */
    }
    config.session_max_bytes =
        live->options.max_bytes != 0 ? live->options.max_bytes : LAST_MAX_BYTES;
    config.force = true; /* the recording before is let go of */
    config.session_path = live->last_path;
    live->engine = engine_start(&config, error);
    return live->engine != NULL;
}

/* "busy[8968]", or with how many others. */
static char *title_of(struct target *target)
{
    const char *command = target_command(target);
    size_t length = strcspn(command, " ");
    const char *word = command;
    size_t more = target_processes(target, NULL, 0, false);

    for (const char *at = command; at < command + length; at++)
        if (*at == '/')
            word = at + 1;
    length -= (size_t)(word - command);
    if (more > 1)
        return xasprintf("%.*s[%d]+%zu", (int)length, word, target_pid(target), more - 1);
    return xasprintf("%.*s[%d]", (int)length, word, target_pid(target));
}

static void start_app(struct live *live)
{
    char *title = title_of(engine_target(live->engine));
    struct app_config config = { .title = title,
                                 .settings = live->settings,
                                 .live = true,
                                 .launched = live->options.launch != NULL,
                                 .view = live->system ? "system" : NULL,
                                 .ascii = tty_ascii(live->tty),
                                 .keep_settings = true };

    scope_init(&config.scope);
    config.scope.metric = source_metric(live->options.event);
    config.scope.last_ns = live->settings.window_s * NS_PER_S;
    config.scope.hide_kernel = live->settings.hide_kernel != 0;
    config.scope.fold_libraries = live->settings.fold_libraries != 0;
    live->app = app_new(&config);
    if (live->options.launch != NULL) {
        struct target_terminal terminal = terminal_for_output();

        live->output = output_new(terminal.columns, terminal.rows);
        app_set_output(live->app, live->output);
    }
    free(title);
}

/* ---- the picker ---------------------------------------------------------------------------------
 */

struct picking {
    struct live *live;
    struct picker *picker;
    struct process_list *list;
    struct grid *grid;
    uint64_t read_ns;
};

/* Waits for a key, keeping the list fresh; false when the terminal is gone. */
static bool await_key(struct picking *picking, struct key_event *event)
{
    struct tty *tty = picking->live->tty;

    while (!tty_key(tty, event)) {
        struct pollfd fd = { .fd = tty_fd(tty), .events = POLLIN };
        const struct process_row *rows;
        int width, height;
        size_t count;

        if (clock_now_ns() >= picking->read_ns + PICKER_MS * NS_PER_MS || picking->read_ns == 0) {
            picking->read_ns = clock_now_ns();
            process_list_update(picking->list, picking->read_ns);
        }
        tty_size(tty, &width, &height);
        if (picking->grid == NULL || picking->grid->columns != width ||
            picking->grid->rows != height) {
            grid_free(picking->grid);
            picking->grid = grid_new(width, height, tty_ascii(tty));
        }
        rows = process_list_rows(picking->list, &count);
        picker_render(picking->picker, picking->grid, rows, count);
        tty_paint(tty, picking->grid);
        if (signals_poll(&fd, 1, PICKER_MS) < 0 && errno != EINTR)
            return false;
        if (fd.revents & (POLLHUP | POLLERR) || !loop_signal_stays(tty))
            return false;
    }
    return true;
}

static enum picker_answer pick(struct picking *picking)
{
    enum picker_answer answer = PICKER_NONE;
    struct key_event event;

    while (answer == PICKER_NONE) {
        const struct process_row *rows;
        size_t count;

        if (!await_key(picking, &event))
            return PICKER_QUIT;
        rows = process_list_rows(picking->list, &count);
        answer = picker_key(picking->picker, &event,
                            picking->grid != NULL ? picking->grid->rows : 24, rows, count);
    }
    return answer;
}

static void take_answer(struct picking *picking, enum picker_answer answer)
{
    struct live *live = picking->live;

    live->options.launch = NULL;
    live->options.pid_count = 0;
    live->system = answer == PICKER_SYSTEM;
    if (answer == PICKER_ATTACH || answer == PICKER_SYSTEM) {
        live->options.pids[0] = picker_pid(picking->picker);
        live->options.pid_count = 1;
    } else {
        live->launch[0] = (char *)"/bin/sh";
        live->launch[1] = (char *)"-c";
        free(live->typed);
        live->typed = xasprintf("exec %s", picker_text(picking->picker));
        live->launch[2] = live->typed;
        live->launch[3] = NULL;
        live->options.launch = live->launch;
    }
}

/* Asks until something could be started; false when the person leaves or opens a session. */
static bool pick_target(struct live *live, int *status, struct error *error)
{
    struct picking picking = { .live = live };
    enum picker_answer answer;
    bool started = false;

    picking.picker = picker_new(tty_ascii(live->tty));
    picking.list = process_list_new(NULL);
    *status = STATUS_OK;
    while (!started && (answer = pick(&picking)) != PICKER_QUIT) {
        if (answer == PICKER_OPEN) {
            const char *path = picker_text(picking.picker);
            struct profile *profile = load_profile(&path, 1, error);

            if (profile != NULL) {
                *status = screens_of_session(&live->options, live->tty, profile, path, error);
                break;
            }
        } else {
            take_answer(&picking, answer);
            started = start_engine(live, error);
        }
        if (!started)
            picker_say(picking.picker, error->message, error->hint);
    }
    process_list_free(picking.list);
    picker_free(picking.picker);
    grid_free(picking.grid);
    return started;
}

/* ---- ending -------------------------------------------------------------------------------------
 */

static bool wait_for_end(struct target *target, int *wait_status)
{
    uint64_t deadline_ns = clock_now_ns() + GRACE_MS * NS_PER_MS;

    while (!target_reap(target, wait_status)) {
        if (clock_now_ns() >= deadline_ns)
            return false;
        poll(NULL, 0, 20);
    }
    return true;
}

/* The launched command's status as ours; what lives is left running unless it is to END. */
static int command_status(struct live *live, bool end)
{
    struct target *target = engine_target(live->engine);
    int wait_status = engine_exit_status(live->engine);

    if (wait_status >= 0 || target_reap(target, &wait_status))
        return figures_exit_status(wait_status);
    if (end) {
        target_signal(target, SIGTERM, NULL);
        if (wait_for_end(target, &wait_status))
            return figures_exit_status(wait_status);
        target_signal(target, SIGKILL, NULL);
        if (wait_for_end(target, &wait_status))
            return figures_exit_status(wait_status);
    }
    fprintf(stderr, _("%s: process %d runs on\n"), PACKAGE, (int)target_launched(target));
    leave_running(target_master_fd(target));
    return STATUS_OK;
}

/* It is written: the next proftop may have the name, whoever outlives us by a fork. */
static void release_last(struct live *live)
{
    if (live->last_lock_fd >= 0)
        close(live->last_lock_fd);
    live->last_lock_fd = -1;
}

static void say_kept(const struct live *live)
{
    struct profile *profile = engine_profile(live->engine);

    if (live->last_path != NULL && profile_end_ns(profile) > profile_start_ns(profile))
        fprintf(stderr, _("%s: the recording is kept: proftop open %s\n"), PACKAGE,
                live->last_path);
    profile_unref(profile);
}

static void free_run(struct live *live)
{
    app_free(live->app);
    output_free(live->output);
    engine_free(live->engine);
    live->app = NULL;
    live->output = NULL;
    live->engine = NULL;
}

/* From a running engine to its end; true when the command is to run again. */
static bool watch(struct live *live, int *status, struct error *error)
{
    struct loop_config config = { .tty = live->tty,
                                  .engine = live->engine,
                                  .duration_s = live->options.duration_s };
    enum loop_end end;

    start_app(live);
    config.app = live->app;
    config.output = live->output;
    end = loop_run(&config);
    live->settings = *app_settings(live->app);
    if (end != LOOP_RUN_AGAIN) {
        tty_close(live->tty);
        live->tty = NULL;
    }
    if (!engine_stop(live->engine, error) && end != LOOP_RUN_AGAIN)
        fprintf(stderr, "%s: %s\n", PACKAGE, error->message);
    if (end == LOOP_RUN_AGAIN)
        return true;
    release_last(live);
    *status =
        live->options.launch != NULL ? command_status(live, end == LOOP_TERMINATE) : STATUS_OK;
    say_kept(live);
    return false;
}

static int run(struct live *live, struct error *error)
{
    struct terminal_options looks;
    bool picked = live->options.pid_count == 0 && live->options.launch == NULL, again = true;
    int status = -1;

    if (!tty_check(error))
        return -1;
    if (!picked && !start_engine(live, error))
        return -1;
    looks = screens_looks(&live->options, &live->settings);
    live->tty = tty_open(&looks, error);
    if (live->tty == NULL)
        return -1;
    if (picked && !pick_target(live, &status, error))
        return status;
    while (again) {
        again = watch(live, &status, error);
        if (again) {
            free_run(live);
            if (!start_engine(live, error))
                return -1;
        }
    }
    return status;
}

int cli_live(const struct options *options, struct error *error)
{
    struct live live = { .options = *options, .last_lock_fd = -1 };
    int status;

    settings_init(&live.settings);
    settings_load(&live.settings);
    if (!screens_apply(options, &live.settings, error))
        return -1;
    if (live.settings.save_last != 0)
        live.last_path = settings_last_path(&live.last_lock_fd);
    loop_signals();
    status = run(&live, error);
    tty_close(live.tty);
    free_run(&live);
    release_last(&live);
    free(live.last_path);
    free(live.typed);
    return status;
}
