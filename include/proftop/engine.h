/* SPDX-License-Identifier: MIT */
/*
 * The engine: a target, its sources, the builder, the names and the session writer put together and
 * running, without a screen.  Live views and "record" both stand on it.
 *
 *     source thread ─ring─┐
 *     source thread ─ring─┼─► builder thread ─► profile ──► whoever asks (engine_profile)
 *     stats thread  ─ring─┘        │     └─► session writer
 *                                  └─► namer thread (symbols)
 */
#ifndef PROFTOP_ENGINE_H
#define PROFTOP_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/profile.h"
#include "proftop/source.h"

struct target;
struct symbols;

struct engine_config {
    struct target *target;           /* given over */
    const struct source_ops *source; /* NULL: chosen */
    uint32_t rate_hz;
    const char *event;
    bool kernel, python, waiting, inlines, debuginfod;
    bool stats;                 /* system and target lanes */
    uint64_t stats_period_ns;   /* of their readings; 0: a second */
    bool unwatched;             /* nobody draws: the end alone is told, and steps are longer */
    const char *session_path;   /* write a session file while recording; NULL: none */
    uint64_t session_max_bytes; /* 0: no bound */
    bool force;                 /* overwrite */
};

struct engine;

/* Starts everything; samples flow when it returns. */
struct engine *engine_start(const struct engine_config *config, struct error *error);

/* The newest profile; the caller unrefs it. */
struct profile *engine_profile(struct engine *engine);
struct target *engine_target(struct engine *engine);
struct symbols *engine_symbols(struct engine *engine);

/*
 * Readable when the profile or a name changed, the target ended or the session file can be written
 * no further; engine_events() clears it.
 */
int engine_event_fd(const struct engine *engine);
enum engine_event { ENGINE_PROFILE = 1, ENGINE_NAMES = 2, ENGINE_ENDED = 4, ENGINE_TROUBLE = 8 };
unsigned engine_events(struct engine *engine);

/*
 * HOLD lets go of the target until called again without: nothing of it is stopped when we are.  A
 * program that gets a SIGSTOP in the middle of a sample would leave a thread of its target held.
 */
void engine_hold(struct engine *engine, bool hold);

/* CPU time of everything the tool does, for the overhead figure. */
uint64_t engine_cpu_ns(const struct engine *engine);

/* Whether the session file can be written no further: what ENGINE_TROUBLE tells of. */
bool engine_trouble(const struct engine *engine, struct error *error);

/* Bytes of the session file so far; 0 without one. */
uint64_t engine_session_bytes(const struct engine *engine);

/* Stops sampling, seals, completes names, ends the session file.  The target runs on. */
bool engine_stop(struct engine *engine, struct error *error);
/* The wait status of a launched target that ended, else -1. */
int32_t engine_exit_status(const struct engine *engine);
void engine_free(struct engine *engine);

#endif
