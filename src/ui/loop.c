/* SPDX-License-Identifier: MIT */
/* Waiting and painting. */
#include "config.h"

#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/engine.h"
#include "proftop/gettext.h"
#include "proftop/late_names.h"
#include "proftop/session.h"
#include "proftop/signals.h"
#include "proftop/target.h"
#include "src/view/output.h"
#include "src/view/screen.h"

enum {
    OUTPUT_TURN = 16384, /* bytes of the command's output taken in one turn … */
    OUTPUT_REST = 7,     /* … after which it waits so many times as long as they took */
    PAINT_MS = 33,       /* between two paints that no key asked for */
    FLOOD_MS = 100,      /* likewise, when the command prints more than anybody can read */
    FOLLOW_MS = 1000,
    OVERHEAD_MS = 2000,
    KEYS_TURN = 256
};

enum { FD_TTY, FD_ENGINE, FD_WORKER, FD_SAVER, FD_MASTER, FD_NAMES, FDS };

struct loop {
    const struct loop_config *config;
    struct grid *grid;
    int master;              /* the command's pty, or -1 */
    uint64_t output_from_ns; /* its output is left alone until then */
    uint64_t output_version;
    bool names_told; /* which names are missing */
    bool flooded;    /* a turn of it was not enough */
    uint64_t paint_ns, follow_ns;
    uint64_t end_ns;                /* when it ends by itself; UINT64_MAX: never */
    uint64_t cost_ns, cost_time_ns; /* own CPU time, and when it was read */
    bool dirty, urgent, ended;      /* URGENT: a key wants its answer */
    enum loop_end end;
};

void loop_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT };

    signal(SIGPIPE, SIG_IGN);
    signals_begin(numbers, sizeof(numbers) / sizeof(numbers[0]));
}

bool loop_signal_stays(struct tty *tty)
{
    struct signal_news news;

    if (!signals_take(&news))
        return true;
    if (news.number == SIGWINCH)
        tty_resized(tty);
    return news.number == SIGWINCH || news.number == SIGCONT || news.number == SIGTSTP;
}

static void finish(struct loop *loop, enum loop_end end)
{
    if (!loop->ended)
        loop->end = end;
    loop->ended = true;
}

/* ---- size ---------------------------------------------------------------------------------------
 */

/* The command's terminal is as large as the part of the screen that shows it. */
static void fit_output(struct loop *loop)
{
    const struct loop_config *config = loop->config;
    const struct view_ops *view = view_find("output");
    struct target_terminal terminal;
    struct screen_layout layout;
    int columns, rows;

    if (config->output == NULL || view == NULL)
        return;
    layout = screen_lay_out(loop->grid->columns, loop->grid->rows, view);
    columns = layout.body_columns;
    rows = layout.body_rows - 1;
    if (columns < 1 || rows < 1)
        return;
    output_resize(config->output, columns, rows);
    terminal = (struct target_terminal){ (uint16_t)columns, (uint16_t)rows };
    if (loop->master >= 0)
        target_resize(engine_target(config->engine), &terminal);
}

static void fit(struct loop *loop)
{
    int columns, rows;

    tty_size(loop->config->tty, &columns, &rows);
    if (loop->grid != NULL && loop->grid->columns == columns && loop->grid->rows == rows)
        return;
    grid_free(loop->grid);
    loop->grid = grid_new(columns, rows, tty_ascii(loop->config->tty));
    fit_output(loop);
    loop->dirty = loop->urgent = true;
}

/* ---- signals ------------------------------------------------------------------------------------
 */

static void suspend(struct loop *loop)
{
    tty_leave(loop->config->tty);
    if (loop->config->engine != NULL)
        engine_hold(loop->config->engine, true); /* no thread of the target is held meanwhile */
    kill(getpid(), SIGSTOP);
    if (loop->config->engine != NULL)
        engine_hold(loop->config->engine, false);
    tty_return(loop->config->tty);
    fit(loop);
    loop->dirty = loop->urgent = true;
}

static void read_signal(struct loop *loop)
{
    struct signal_news news;

    if (!signals_take(&news))
        return;
    switch (news.number) {
    case SIGWINCH:
        tty_resized(loop->config->tty);
        fit(loop);
        break;
    case SIGTSTP:
        suspend(loop);
        break;
    case SIGCONT:
        tty_redraw(loop->config->tty);
        loop->dirty = true;
        break;
    default: /* SIGINT too: ^C is a key here, this one came from elsewhere */
        finish(loop, LOOP_HANGUP);
        break;
    }
}

/* ---- wishes and keys ----------------------------------------------------------------------------
 */

static void grant(struct loop *loop, enum app_wish wish)
{
    const struct loop_config *config = loop->config;
    const struct settings *settings = app_settings(config->app);

    switch (wish) {
    case WISH_QUIT:
        finish(loop, LOOP_QUIT);
        break;
    case WISH_TERMINATE:
        finish(loop, LOOP_TERMINATE);
        break;
    case WISH_RUN_AGAIN:
        finish(loop, LOOP_RUN_AGAIN);
        break;
    case WISH_SUSPEND:
        suspend(loop);
        break;
    case WISH_REDRAW:
        tty_resized(config->tty);
        tty_redraw(config->tty);
        fit(loop);
        break;
    case WISH_COPY:
        tty_copy(config->tty, app_copied(config->app));
        break;
    case WISH_SETTINGS:
        tty_set_theme(config->tty, settings->theme);
        tty_set_mouse(config->tty, settings->mouse != 0);
        break;
    default:
        break;
    }
}

static void grant_all(struct loop *loop)
{
    enum app_wish wish;

    while ((wish = app_wish(loop->config->app)) != WISH_NONE)
        grant(loop, wish);
}

static void read_keys(struct loop *loop)
{
    struct key_event event;

    for (int i = 0; i < KEYS_TURN && tty_key(loop->config->tty, &event); i++) {
        if (event.code == KEYCODE_RESIZE) {
            fit(loop);
            continue;
        }
        app_key(loop->config->app, &event, loop->grid->columns, loop->grid->rows, clock_now_ns());
        grant_all(loop);
        loop->dirty = loop->urgent = true;
    }
}

/* ---- samples and output -------------------------------------------------------------------------
 */

static void read_engine(struct loop *loop, uint64_t now_ns)
{
    struct profile *profile;

    engine_events(loop->config->engine);
    profile = engine_profile(loop->config->engine);
    if (app_profile(loop->config->app) == NULL || profile_ended(profile))
        loop->dirty = true;
    app_set_profile(loop->config->app, profile, now_ns);
    profile_unref(profile);
}

static void follow(struct loop *loop, uint64_t now_ns)
{
    struct profile *profile;
    struct error error = { 0 };

    if (loop->config->follower == NULL || now_ns < loop->follow_ns)
        return;
    loop->follow_ns = now_ns + FOLLOW_MS * NS_PER_MS;
    profile = session_follow_next(loop->config->follower, &error);
    if (profile == NULL)
        return;
    app_set_profile(loop->config->app, profile, now_ns);
    if (loop->config->late != NULL)
        late_names_follow(loop->config->late, profile);
    profile_unref(profile);
    loop->dirty = true;
}

/* Names have come; when all have, those that could not be had are told once. */
static void read_names(struct loop *loop, uint64_t now_ns)
{
    struct late_names *late = loop->config->late;
    char missing[1024];

    late_names_clear(late);
    app_names_came(loop->config->app);
    if (loop->names_told || !late_names_wait(late, now_ns))
        return;
    loop->names_told = true;
    if (late_names_missing(late, missing, sizeof(missing)))
        app_say(loop->config->app, "%s", missing);
    loop->dirty = true;
}

static void measure_cost(struct loop *loop, uint64_t now_ns)
{
    uint64_t cost;

    if (loop->config->engine == NULL || now_ns < loop->cost_time_ns + OVERHEAD_MS * NS_PER_MS)
        return;
    cost = engine_cpu_ns(loop->config->engine);
    if (loop->cost_time_ns != 0 && cost >= loop->cost_ns)
        app_set_overhead(loop->config->app, 100 * (double)(cost - loop->cost_ns) /
                                                (double)(now_ns - loop->cost_time_ns));
    loop->cost_ns = cost;
    loop->cost_time_ns = now_ns;
}

/*
 * What the command printed, in bounded turns: a flood of it must neither keep keys waiting nor cost
 * more than a part of a core.
 */
static void read_output(struct loop *loop, uint64_t now_ns)
{
    uint64_t before_ns = clock_thread_cpu_ns();
    char bytes[4096];
    size_t total = 0;
    ssize_t count = -1;

    while (total < OUTPUT_TURN && (count = read(loop->master, bytes, sizeof(bytes))) > 0) {
        output_feed(loop->config->output, bytes, (size_t)count, now_ns);
        total += (size_t)count;
    }
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        loop->master = -1; /* the last of it: nobody holds the other side */
    loop->flooded = total >= OUTPUT_TURN;
    if (loop->flooded)
        loop->output_from_ns = clock_now_ns() + OUTPUT_REST * (clock_thread_cpu_ns() - before_ns);
}

static void type_to_command(struct loop *loop)
{
    char bytes[1024];
    size_t count;

    if (loop->config->output == NULL)
        return;
    while ((count = output_take(loop->config->output, bytes, sizeof(bytes))) > 0)
        if (loop->master >= 0 && write(loop->master, bytes, count) < 0)
            return; /* its queue is full, as a terminal's may be: what does not fit is lost */
}

static void note_output(struct loop *loop)
{
    uint64_t version;

    if (loop->config->output == NULL)
        return;
    version = output_version(loop->config->output);
    if (version == loop->output_version)
        return;
    loop->output_version = version;
    loop->dirty |= app_news(loop->config->app);
}

/* ---- painting -----------------------------------------------------------------------------------
 */

/* The soonest that a paint may come which no key asked for. */
static uint64_t next_paint_ns(const struct loop *loop)
{
    return loop->paint_ns + (uint64_t)(loop->flooded ? FLOOD_MS : PAINT_MS) * NS_PER_MS;
}

static void paint(struct loop *loop, uint64_t now_ns)
{
    if (!loop->dirty || (!loop->urgent && now_ns < next_paint_ns(loop)))
        return;
    app_render(loop->config->app, loop->grid, now_ns);
    tty_paint(loop->config->tty, loop->grid);
    loop->paint_ns = now_ns;
    loop->dirty = loop->urgent = false;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static int timeout_ms(const struct loop *loop, uint64_t now_ns)
{
    uint64_t next = app_next_tick_ns(loop->config->app, now_ns);

    if (loop->dirty)
        next = earlier(next, next_paint_ns(loop));
    if (loop->master >= 0 && loop->output_from_ns > now_ns)
        next = earlier(next, loop->output_from_ns);
    if (loop->config->follower != NULL)
        next = earlier(next, loop->follow_ns);
    next = earlier(next, loop->end_ns);
    if (next == UINT64_MAX)
        return -1;
    return next > now_ns ? (int)((next - now_ns) / NS_PER_MS) + 1 : 0;
}

static void set_fds(const struct loop *loop, struct pollfd fds[FDS], uint64_t now_ns)
{
    int app[2];

    app_fds(loop->config->app, app);
    for (int i = 0; i < FDS; i++)
        fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
    fds[FD_TTY].fd = tty_fd(loop->config->tty);
    if (loop->config->engine != NULL)
        fds[FD_ENGINE].fd = engine_event_fd(loop->config->engine);
    fds[FD_WORKER].fd = app[0];
    fds[FD_SAVER].fd = app[1];
    if (loop->config->late != NULL)
        fds[FD_NAMES].fd = late_names_fd(loop->config->late);
    if (loop->output_from_ns <= now_ns)
        fds[FD_MASTER].fd = loop->master;
}

static void turn(struct loop *loop)
{
    uint64_t now_ns = clock_now_ns();
    struct pollfd fds[FDS];
    bool ticked;

    set_fds(loop, fds, now_ns);
    ticked = signals_poll(fds, FDS, timeout_ms(loop, now_ns)) == 0;
    now_ns = clock_now_ns();
    read_signal(loop);
    if (fds[FD_TTY].revents & POLLIN)
        read_keys(loop);
    else if (fds[FD_TTY].revents & (POLLHUP | POLLERR | POLLNVAL))
        finish(loop, LOOP_HANGUP);
    if (fds[FD_ENGINE].revents != 0)
        read_engine(loop, now_ns);
    if (fds[FD_NAMES].revents != 0)
        read_names(loop, now_ns);
    if (fds[FD_MASTER].revents != 0)
        read_output(loop, now_ns);
    type_to_command(loop);
    note_output(loop);
    follow(loop, now_ns);
    measure_cost(loop, now_ns);
    if (now_ns >= loop->end_ns)
        finish(loop, LOOP_QUIT);
    loop->dirty |= app_step(loop->config->app, now_ns);
    if (ticked && !app_folding(loop->config->app))
        loop->dirty = true; /* else what it folds is painted together with the clock */
    if (!loop->ended)
        paint(loop, clock_now_ns());
}

enum loop_end loop_run(const struct loop_config *config)
{
    struct loop loop = { .config = config, .master = -1, .end_ns = UINT64_MAX };

    if (config->duration_s > 0)
        loop.end_ns = clock_now_ns() + (uint64_t)(config->duration_s * 1e9);
    if (config->output != NULL && config->engine != NULL) {
        loop.master = target_master_fd(engine_target(config->engine));
        fcntl(loop.master, F_SETFL, fcntl(loop.master, F_GETFL) | O_NONBLOCK);
    }
    fit(&loop);
    if (config->engine != NULL)
        read_engine(&loop, clock_now_ns());
    while (!loop.ended)
        turn(&loop);
    grid_free(loop.grid);
    return loop.end;
}
