/* SPDX-License-Identifier: MIT */
/*
 * The demo: a program worth looking at.  Phases follow one another, each with one behaviour, on
 * threads with names, with shares that are known beforehand: they follow from counts of steps, not
 * from clocks, so that they hold on any machine.
 */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

#include <stdint.h>

/* One run of a phase. */
struct run {
    uint64_t until_ns;  /* on the clock of demo_now_ns(): begin no new round after it */
    unsigned depth;     /* of the recursion */
    const char *folder; /* for the file that the disk phase writes */
};

struct phase {
    const char *name;
    const char *summary; /* a line of --help */
    const char *shares;  /* what a profile of it must show */
    double seconds;      /* unless --seconds says otherwise */
    /* Runs it; how much was done (rounds, faults, bytes), in UNIT. */
    uint64_t (*run)(const struct run *run);
    const char *unit;
};

uint64_t demo_now_ns(void);

uint64_t phase_cpu(const struct run *run);
uint64_t phase_lock(const struct run *run);
uint64_t phase_faults(const struct run *run);
uint64_t phase_disk(const struct run *run);
uint64_t phase_idle(const struct run *run);
uint64_t phase_deep(const struct run *run);

/*
 * STEPS steps of a chain in which each waits for the one before: the same time a step wherever the
 * code lies.  A macro, so that each function that burns is itself the innermost one.
 */
#define BURN(seed, steps)                                                                          \
    do {                                                                                           \
        for (uint64_t burn_ = (steps); burn_ != 0; burn_--)                                        \
            (seed) = (seed)*UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);         \
    } while (0)

/* A function that stays a function of its own, with a frame of its own. */
#define APART __attribute__((noinline, noclone))

/* Where the burnt numbers go, so that no compiler leaves the burning out. */
extern volatile uint64_t demo_sink;

#endif
