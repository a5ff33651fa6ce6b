/* SPDX-License-Identifier: MIT */
/*
 * How long a key takes until its answer is painted, with 100,000 distinct stacks and 10,000 samples
 * a second coming in, while the fold worker folds: from the key to the last byte written to a pty,
 * less the time that the thread stood in the run queue, which is the machine's.
 */
#include "config.h"

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "proftop/clock.h"
#include "proftop/history.h"
#include "proftop/memory.h"
#include "src/ui/app.h"
#include "src/ui/screen.h"

enum {
    FUNCTIONS = 5000,
    STACKS = 100000,
    DEPTH = 24,
    THREADS = 64,
    SECONDS = 12,
    PER_SLICE = 1000,
    COLUMNS = 140,
    ROWS = 40,
    KEYS = 600,
    KEY_MS = 5 /* between two: faster than any repeats */
};

#define START_NS (1000 * NS_PER_S)

struct load {
    struct history *history;
    struct lanes *lanes;
    location_id locations[FUNCTIONS];
    stack_id *stacks;
    uint64_t random;
    unsigned slices;
};

static uint32_t below(struct load *load, uint32_t limit)
{
    load->random = load->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(load->random >> 33) % limit;
}

static void make_names(struct load *load)
{
    struct names *names = history_names(load->history);

    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        char name[64];
        struct frame frame = { .address = 0x1000 + i * 64, .module = 1, .kind = FRAME_NATIVE };
        struct function function = { .kind = FRAME_NATIVE,
                                     .name = name,
                                     .raw_name = name,
                                     .module = i % 3 ? "server" : "libbase.so.1",
                                     .file = "" };
        struct placed placed;

        snprintf(name, sizeof(name), "ns%u::worker_%u<int>::call(std::string const&)", i % 17, i);
        load->locations[i] = names_locate(names, &frame);
        placed = (struct placed){ names_function(names, &function), 0 };
        names_set(names, load->locations[i], NAMING_FULL, &placed, 1);
    }
    load->stacks = xcalloc(STACKS, sizeof(load->stacks[0]));
    for (uint32_t i = 0; i < STACKS; i++) {
        stack_id stack = STACK_ROOT;

        for (int depth = 0; depth < DEPTH; depth++)
            stack =
                names_push(names, stack,
                           load->locations[depth < 6 ? (uint32_t)depth : below(load, FUNCTIONS)]);
        load->stacks[i] = stack;
    }
}

static void begin(struct load *load)
{
    struct profile_info info = { .command = (char *)"server",
                                 .pid = 1,
                                 .start_ns = START_NS,
                                 .source = (char *)"perf",
                                 .event = (char *)"cpu-clock",
                                 .source_reason = (char *)"",
                                 .note = (char *)"",
                                 .rate_hz = 10000,
                                 .cpus = 16,
                                 .exit_status = -1,
                                 .host = (char *)"",
                                 .version = (char *)"" };
    struct history_config config = { .info = &info };

    load->random = 42;
    load->lanes = config.lanes = lanes_new();
    load->history = history_new(&config);
    for (int i = 0; i < THREADS; i++) {
        struct profile_thread thread = { .pid = 1,
                                         .tid = 1 + i,
                                         .began_ns = START_NS,
                                         .ended_ns = UINT64_MAX,
                                         .exit_status = -1,
                                         .process = i == 0,
                                         .name = "server" };

        history_add_thread(load->history, &thread);
    }
    make_names(load);
}

/* A tenth of a second more. */
static struct profile *more(struct load *load)
{
    uint64_t start = START_NS + load->slices++ * 100 * NS_PER_MS;
    struct slice_draft draft;

    draft_init(&draft);
    for (int i = 0; i < PER_SLICE; i++) {
        struct slice_entry entry = { .thread = below(load, THREADS),
                                     .stack = load->stacks[below(load, STACKS)],
                                     .weight = NS_PER_MS,
                                     .count = 1,
                                     .syscall = -1,
                                     .state = STATE_RUNNING,
                                     .metric = METRIC_TIME };

        draft_add_entry(&draft, &entry);
    }
    history_add(load->history, draft_seal(&draft, start, start + 100 * NS_PER_MS));
    history_advance(load->history, start + 100 * NS_PER_MS);
    draft_fini(&draft);
    return history_profile(load->history, false);
}

static void give(struct load *load, struct app *app)
{
    struct profile *profile = more(load);

    app_set_profile(app, profile, clock_now_ns());
    profile_unref(profile);
}

/* ---- a terminal that nobody looks at -----------------------------------------------------------
 */

static void *swallow(void *master)
{
    char bytes[16384];

    while (read(*(int *)master, bytes, sizeof(bytes)) > 0)
        continue;
    return NULL;
}

/* Stdin and stdout become a terminal; figures go to what stdout was. */
static struct tty *open_terminal(int *master)
{
    struct winsize size = { .ws_col = COLUMNS, .ws_row = ROWS };
    struct terminal_options looks = { .theme = "default", .color = true };
    struct error error = { 0 };
    struct tty *tty;
    pthread_t reader;
    int slave;

    if (openpty(master, &slave, NULL, NULL, &size) != 0)
        die("no pty");
    setenv("TERM", "xterm-256color", 1);
    dup2(slave, STDIN_FILENO);
    dup2(slave, STDOUT_FILENO);
    pthread_create(&reader, NULL, swallow, master);
    pthread_detach(reader);
    tty = tty_open(&looks, &error);
    if (tty == NULL)
        die("%s", error.message);
    return tty;
}

/* How long the calling thread has stood in the run queue. */
static uint64_t queued_ns(void)
{
    unsigned long long ran, queued = 0;
    FILE *from = fopen("/proc/thread-self/schedstat", "re");

    if (from != NULL && fscanf(from, "%llu %llu", &ran, &queued) != 2)
        queued = 0;
    if (from != NULL)
        fclose(from);
    return queued;
}

struct times {
    double grid[KEYS], painted[KEYS];
};

/* Keys that people hold down, in every view. */
static void measure(struct load *load, struct app *app, struct tty *tty, struct grid *grid,
                    struct times *times)
{
    static const char *const keys[] = { "Down", "Down", "PgDn", "2", "Down", "Right", "3",
                                        "Down", "4",    "Down", "5", "Down", "6",     "Right",
                                        "1",    "Up",   ">",    "I", "End",  "g" };
    uint64_t given_ns = clock_now_ns();

    for (int i = 0; i < KEYS; i++) {
        struct key_event event = { .code = keys_parse(keys[i % (sizeof(keys) / sizeof(keys[0]))]) };
        uint64_t before, queued, cpu;

        poll(NULL, 0, KEY_MS);
        while (clock_now_ns() >= given_ns + 100 * NS_PER_MS) {
            give(load, app);
            given_ns += 100 * NS_PER_MS;
        }
        app_step(app, clock_now_ns());
        queued = queued_ns();
        before = clock_now_ns();
        cpu = clock_thread_cpu_ns();
        app_key(app, &event, COLUMNS, ROWS, clock_now_ns());
        app_render(app, grid, clock_now_ns());
        times->grid[i] = (double)(clock_thread_cpu_ns() - cpu) / 1e6;
        tty_paint(tty, grid);
        before = clock_now_ns() - before;
        queued = queued_ns() - queued;
        times->painted[i] = (double)(before > queued ? before - queued : 0) / 1e6;
    }
}

int main(void)
{
    struct app_config config = { .title = "server[1]", .live = true };
    struct grid *grid = grid_new(COLUMNS, ROWS, false);
    struct load load = { .slices = 0 };
    struct times times;
    struct app *app;
    struct tty *tty;
    int out = dup(STDOUT_FILENO), master;

    setlocale(LC_ALL, "C.UTF-8");
    bench_title("screen: 100,000 stacks, 10,000 samples/s, 140x40");
    begin(&load);
    settings_init(&config.settings);
    scope_init(&config.scope);
    config.scope.last_ns = 10 * NS_PER_S;
    app = app_new(&config);
    for (int i = 0; i < SECONDS * 10; i++)
        give(&load, app);
    while (!app_step(app, clock_now_ns()) || app_view(app) == NULL)
        continue;
    fflush(stdout);
    tty = open_terminal(&master);
    measure(&load, app, tty, grid, &times);
    tty_close(tty);
    dup2(out, STDOUT_FILENO);
    bench_figure("key to grid, median", bench_median(times.grid, KEYS), "ms of CPU");
    bench_figure("key to grid, p99", bench_percentile(times.grid, KEYS, 99), "ms of CPU");
    bench_figure("key to painted, median", bench_median(times.painted, KEYS), "ms");
    bench_figure("key to painted, p99", bench_percentile(times.painted, KEYS, 99), "ms");
    app_free(app);
    grid_free(grid);
    history_free(load.history);
    lanes_free(load.lanes);
    free(load.stacks);
    return 0;
}
