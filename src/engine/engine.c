/* SPDX-License-Identifier: MIT */
/*
 * The engine puts the rooms together and owns the threads between them; see engine.h for the
 * drawing.  The builder thread alone touches the builder; everybody else holds a profile.
 *
 * The end comes from one of two sides: the sampling source ends because the target is gone, or
 * engine_stop().  Either way the builder thread stops the sources, reads their rings empty, gives
 * the last names and seals.
 */
#include "config.h"

#include "proftop/engine.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "namer.h"
#include "runner.h"

#include "proftop/builder.h"
#include "proftop/clock.h"
#include "proftop/code.h"
#include "proftop/gettext.h"
#include "proftop/lane.h"
#include "proftop/memory.h"
#include "proftop/module.h"
#include "proftop/session.h"
#include "proftop/symbols.h"
#include "proftop/target.h"
#include "proftop/unwind.h"

enum { SAMPLES_RING_BYTES = 8 << 20, STATS_RING_BYTES = 1 << 20, REASON_MAX = 256 };

#define SLICE_NS (100 * NS_PER_MS)
/* The builder looks at the rings this often, oftener while the first screen is awaited. */
#define STEP_MS 100
#define FIRST_STEP_MS 10
#define FIRST_NS NS_PER_S
/* While nobody draws: a wake-up costs more than what there is to do. */
#define UNWATCHED_STEP_MS 350
/* How long the end waits for names that are still being looked up. */
#define LAST_NAMES_NS (10 * NS_PER_S)

struct engine {
    struct engine_config config;
    struct target *target;
    struct modules *modules;
    struct codes *codes;
    struct lanes *lanes;
    struct symbols *symbols;
    struct unwinder *unwinder;
    struct runner *sampler, *stats;
    struct builder *builder;
    struct namer *namer;
    struct session_writer *writer;
    char reason[REASON_MAX];
    uint64_t start_ns;
    uint32_t warned; /* of the symbols' warnings; builder thread */
    bool troubled;   /* the session's trouble was told; builder thread */
    pthread_t thread;
    bool running; /* the thread exists */
    _Atomic bool stopping;
    _Atomic unsigned events;
    _Atomic int32_t exit_status;
    int event_fd; /* to whoever draws */
    int wake_fd;  /* to the builder thread */
    int named_fd; /* from the namer */
};

static void tell(struct engine *engine, unsigned events)
{
    atomic_fetch_or(&engine->events, events);
    if (engine->config.unwatched && (events & (ENGINE_ENDED | ENGINE_TROUBLE)) == 0)
        return;
    eventfd_write(engine->event_fd, 1);
}

static void write_slice(void *context, const struct slice *slice)
{
    struct engine *engine = context;
    struct profile *profile = builder_profile(engine->builder);

    session_add(engine->writer, profile, slice);
    profile_unref(profile);
}

static void drain(int fd)
{
    eventfd_t count;

    (void)eventfd_read(fd, &count);
}

/* What is found wrong with the names of a file is told once, as it is found. */
static void tell_of_names(struct engine *engine)
{
    char text[256];

    for (; symbols_warning(engine->symbols, engine->warned, text, sizeof(text)); engine->warned++)
        builder_note(engine->builder, NOTE_WARNING, text);
}

/* Hands over what was sealed.  When it cannot be written that is told once, and at once. */
static void write_sealed(struct engine *engine)
{
    struct error error = { 0 };

    session_flush(engine->writer);
    if (engine->troubled || !session_trouble(engine->writer, &error))
        return;
    engine->troubled = true;
    builder_note(engine->builder, NOTE_ALARM, error.message);
    tell(engine, ENGINE_TROUBLE);
}

/* One turn: records into slices, new locations named, those who watch told. */
static void turn(struct engine *engine)
{
    bool sealed = builder_step(engine->builder, clock_now_ns());

    namer_quick(engine->namer);
    tell_of_names(engine);
    if (sealed)
        tell(engine, ENGINE_PROFILE);
    if (engine->writer != NULL)
        write_sealed(engine);
}

static void finish_source(struct engine *engine, struct runner *runner)
{
    if (runner == NULL)
        return;
    runner_stop(runner);
    builder_detach(engine->builder, runner_ring(runner));
}

static void finish(struct engine *engine)
{
    int status;

    finish_source(engine, engine->sampler);
    finish_source(engine, engine->stats);
    if (!target_reap(engine->target, &status))
        status = -1;
    atomic_store(&engine->exit_status, status);
    turn(engine);
    builder_finish(engine->builder, status);
    namer_quick(engine->namer);
    namer_stop(engine->namer, clock_now_ns() + LAST_NAMES_NS);
    engine->namer = NULL;
    tell(engine, ENGINE_PROFILE | ENGINE_NAMES | ENGINE_ENDED);
}

static int step_ms(const struct engine *engine)
{
    if (engine->config.unwatched)
        return UNWATCHED_STEP_MS;
    return clock_now_ns() - engine->start_ns < FIRST_NS ? FIRST_STEP_MS : STEP_MS;
}

static void *build(void *argument)
{
    struct engine *engine = argument;
    struct pollfd fds[] = { { .fd = engine->wake_fd, .events = POLLIN },
                            { .fd = engine->config.unwatched ? -1 : engine->named_fd,
                              .events = POLLIN } };

    pthread_setname_np(pthread_self(), "builder");
    while (!atomic_load(&engine->stopping) && !runner_ended(engine->sampler)) {
        poll(fds, 2, step_ms(engine));
        drain(engine->wake_fd);
        if (fds[1].revents & POLLIN) {
            drain(engine->named_fd);
            tell(engine, ENGINE_NAMES);
        }
        turn(engine);
    }
    finish(engine);
    return NULL;
}

static void settle(void *context, struct frame *frames, uint32_t count)
{
    symbols_settle(context, frames, count);
}

static struct builder *make_builder(struct engine *engine, const char *source_name)
{
    char host[256] = "";
    struct builder_config config = {
        .info = {
            .command = (char *)target_command(engine->target),
            .pid = target_pid(engine->target),
            .start_ns = engine->start_ns,
            .realtime_offset_ns = clock_realtime_offset_ns(),
            .source = (char *)source_name,
            .source_reason = engine->reason,
            .event = (char *)(engine->config.event != NULL ? engine->config.event : "cpu-clock"),
            .note = (char *)"",
            .rate_hz = engine->config.rate_hz,
            .cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
            .exit_status = -1,
            .host = host,
            .version = (char *)PACKAGE_VERSION,
        },
        .lanes = engine->lanes,
        .slice_ns = SLICE_NS,
        .settle = settle,
        .settle_context = engine->symbols,
    };

    gethostname(host, sizeof(host) - 1);
    return builder_new(&config);
}

static bool start_writer(struct engine *engine, struct error *error)
{
    struct session_config config = { .path = engine->config.session_path,
                                     .force = engine->config.force,
                                     .max_bytes = engine->config.session_max_bytes };
    struct profile *profile = builder_profile(engine->builder);

    engine->writer = session_create(&config, profile_info(profile), error);
    profile_unref(profile);
    if (engine->writer == NULL)
        return false;
    builder_on_sealed(engine->builder, write_slice, engine);
    return true;
}

static bool start_sources(struct engine *engine, const struct source_ops *ops, struct error *error)
{
    struct source_config config = {
        .rate_hz = engine->config.rate_hz,
        .event = engine->config.event,
        .kernel = engine->config.kernel,
        .python = engine->config.python,
        .hands_over = engine->config.source == NULL && engine->config.event == NULL,
        .waiting = engine->config.waiting,
        .period_ns =
            engine->config.stats_period_ns != 0 ? engine->config.stats_period_ns : NS_PER_S,
        .modules = engine->modules,
        .codes = engine->codes,
        .lanes = engine->lanes,
        .unwinder = engine->unwinder,
    };

    engine->sampler =
        runner_start(ops, engine->target, &config, SAMPLES_RING_BYTES, engine->wake_fd, error);
    if (engine->sampler == NULL)
        return false;
    builder_attach(engine->builder, runner_ring(engine->sampler), true);
    if (!engine->config.stats)
        return true;
    engine->stats = runner_start(&source_stats, engine->target, &config, STATS_RING_BYTES,
                                 engine->wake_fd, error);
    if (engine->stats == NULL)
        return false;
    builder_attach(engine->builder, runner_ring(engine->stats), false);
    return true;
}

static const struct source_ops *choose(struct engine *engine, struct error *error)
{
    struct source_config config = { .rate_hz = engine->config.rate_hz,
                                    .event = engine->config.event,
                                    .kernel = engine->config.kernel,
                                    .python = engine->config.python };

    if (engine->config.source == NULL)
        return source_choose(engine->target, &config, engine->reason, sizeof(engine->reason),
                             error);
    if (!engine->config.source->probe(engine->target, &config, error))
        return NULL;
    snprintf(engine->reason, sizeof(engine->reason), _("%s was asked for"),
             engine->config.source->name);
    return engine->config.source;
}

static bool open_eventfds(struct engine *engine, struct error *error)
{
    engine->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    engine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    engine->named_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (engine->event_fd < 0 || engine->wake_fd < 0 || engine->named_fd < 0)
        return error_set(error, STATUS_FAILED, _("no descriptors left for the engine"));
    return true;
}

static void make_tables(struct engine *engine)
{
    struct symbols_config config = { .inlines = engine->config.inlines,
                                     .debuginfod = engine->config.debuginfod };

    engine->modules = modules_new();
    engine->codes = codes_new();
    engine->lanes = lanes_new();
    engine->symbols = symbols_new(&config, engine->modules, engine->codes);
    engine->unwinder = unwinder_new();
}

struct engine *engine_start(const struct engine_config *config, struct error *error)
{
    struct engine *engine = xcalloc(1, sizeof(*engine));
    const struct source_ops *ops;
    struct profile *profile;

    engine->config = *config;
    engine->target = config->target;
    engine->start_ns = clock_now_ns();
    engine->exit_status = -1;
    make_tables(engine);
    if (!open_eventfds(engine, error))
        goto fail;
    ops = choose(engine, error);
    if (ops == NULL)
        goto fail;
    engine->builder = make_builder(engine, ops->name);
    profile = builder_profile(engine->builder);
    names_describe(profile_names(profile), engine->modules, engine->codes);
    engine->namer = namer_start(profile_names(profile), engine->symbols, engine->named_fd);
    profile_unref(profile);
    if (config->session_path != NULL && !start_writer(engine, error))
        goto fail;
    if (!start_sources(engine, ops, error) || !target_release(engine->target, error))
        goto fail;
    if (pthread_create(&engine->thread, NULL, build, engine) != 0)
        die("no thread for the builder");
    engine->running = true;
    return engine;
fail:
    engine_free(engine);
    return NULL;
}

struct profile *engine_profile(struct engine *engine)
{
    return builder_profile(engine->builder);
}

struct target *engine_target(struct engine *engine)
{
    return engine->target;
}

struct symbols *engine_symbols(struct engine *engine)
{
    return engine->symbols;
}

int engine_event_fd(const struct engine *engine)
{
    return engine->event_fd;
}

unsigned engine_events(struct engine *engine)
{
    drain(engine->event_fd);
    return atomic_exchange(&engine->events, 0);
}

uint64_t engine_cpu_ns(const struct engine *engine)
{
    (void)engine;
    return clock_process_cpu_ns();
}

bool engine_trouble(const struct engine *engine, struct error *error)
{
    return engine->writer != NULL && session_trouble(engine->writer, error);
}

uint64_t engine_session_bytes(const struct engine *engine)
{
    return engine->writer != NULL ? session_bytes(engine->writer) : 0;
}

void engine_hold(struct engine *engine, bool hold)
{
    if (engine->running)
        runner_hold(engine->sampler, hold);
}

static void join(struct engine *engine)
{
    if (!engine->running)
        return;
    atomic_store(&engine->stopping, true);
    eventfd_write(engine->wake_fd, 1);
    pthread_join(engine->thread, NULL);
    engine->running = false;
}

bool engine_stop(struct engine *engine, struct error *error)
{
    struct profile *profile;
    bool written;

    join(engine);
    if (engine->writer == NULL)
        return true;
    profile = builder_profile(engine->builder);
    written = session_finish(engine->writer, profile, error);
    profile_unref(profile);
    engine->writer = NULL;
    return written;
}

int32_t engine_exit_status(const struct engine *engine)
{
    return atomic_load(&engine->exit_status);
}

static void close_fd(int fd)
{
    if (fd > 0)
        close(fd);
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    engine_stop(engine, NULL);
    namer_stop(engine->namer, 0);
    runner_free(engine->sampler);
    runner_free(engine->stats);
    builder_free(engine->builder);
    unwinder_free(engine->unwinder);
    symbols_free(engine->symbols);
    lanes_free(engine->lanes);
    codes_free(engine->codes);
    modules_free(engine->modules);
    target_free(engine->target);
    close_fd(engine->event_fd);
    close_fd(engine->wake_fd);
    close_fd(engine->named_fd);
    free(engine);
}
