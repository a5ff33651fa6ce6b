/* SPDX-License-Identifier: MIT */
/*
 * A runner: one source on a thread of its own, from open to close, and the ring it fills.
 */
#ifndef PROFTOP_ENGINE_RUNNER_H
#define PROFTOP_ENGINE_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include "proftop/error.h"
#include "proftop/ring.h"
#include "proftop/source.h"

struct runner;

/*
 * Starts OPS on TARGET (borrowed) and waits until it is open.  WAKE_FD of CONFIG is set by the
 * runner; EVENT_FD is written when the source ends by itself.
 */
struct runner *runner_start(const struct source_ops *ops, struct target *target,
                            const struct source_config *config, size_t ring_bytes, int event_fd,
                            struct error *error);

struct ring *runner_ring(struct runner *runner);
/* The source ended by itself: its target is gone, or it failed for good. */
bool runner_ended(const struct runner *runner);

/*
 * HOLD: the source is closed and the target runs on alone until it is let go of again; returns when
 * that is so.  For when the whole program is about to be stopped.
 */
void runner_hold(struct runner *runner, bool hold);

/* Asks it to end, and waits until the source is closed.  The ring stays. */
void runner_stop(struct runner *runner);
void runner_free(struct runner *runner);

#endif
