/* SPDX-License-Identifier: MIT */
/*
 * Where the time goes that a thread is not on a CPU, for both sampling sources.
 *
 *     wall time since the last look
 *     |── on a CPU (schedstat) ──|── in the run queue (schedstat) ──|── the rest: asleep ──|
 *         RUNNING samples            RUNNABLE, at its last stack       WAITING
 *
 * A thread that sleeps is peeked once a sleep (peek.h) and that stack weighs the whole of it.  A
 * thread that does not move is looked at 10 times a second, one that does nothing but run 4 to 10
 * times, one that runs and sleeps in turn as often as it is sampled.  The source's thread; private
 * to source/.
 */
#ifndef PROFTOP_SOURCE_WAITING_H
#define PROFTOP_SOURCE_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "peek.h"
#include "pending.h"
#include "roster.h"

struct pythons;

struct waiting {
    struct roster *roster;
    struct pending *pending;
    struct pythons *pythons; /* NULL: no Python frames */
    bool wanted;             /* else the accounts are kept and nothing is told */
    bool denied;             /* stacks may not be read: told once */
    uint32_t dear_looks;     /* in a row; RARELY of them: told, once */
    uint64_t fast_ns;        /* between looks at a thread that runs and sleeps */
    uint64_t rested_ns;      /* not before that: the last look was dear */
    uint64_t random;
    struct peek peek;
};

void waiting_init(struct waiting *waiting, struct roster *roster, struct pending *pending,
                  const struct source_config *config);

/* Looks at every thread that is due. */
void waiting_look(struct waiting *waiting, uint64_t now_ns);

/* When it wants to look next; at most 250 ms from now. */
uint64_t waiting_due(const struct waiting *waiting, uint64_t now_ns);

#endif
