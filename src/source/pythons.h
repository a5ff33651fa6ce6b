/* SPDX-License-Identifier: MIT */
/*
 * The interpreters of the target's processes, for the ptrace source: opened when a process first
 * has one, closed with its program.  Between a stop and the resume pythons_freeze() only reads; the
 * frames are put in place afterwards.  Private to source/.
 */
#ifndef PROFTOP_SOURCE_PYTHONS_H
#define PROFTOP_SOURCE_PYTHONS_H

#include <stdbool.h>
#include <stdint.h>

#include "pending.h"
#include "proftop/python.h"
#include "roster.h"

struct pythons {
    bool wanted;
    struct roster *roster;
    struct codes *codes;
    struct python_sample *sample; /* of the last freeze */
    struct python *frozen;        /* whose it is; NULL: no Python frames were taken */
    struct unwind_saved *saved;   /* the registers of each native frame, for 3.8 and 3.9 */
};

void pythons_init(struct pythons *pythons, struct roster *roster,
                  const struct source_config *config);
void pythons_fini(struct pythons *pythons);

/* Before a stop, or a peek: has what a freeze will need.  Whether that took a look at the process.
 */
bool pythons_prepare(struct pythons *pythons, struct thread *thread, uint64_t now_ns);
/* Shortly before it: brings what the freeze will read into the caches. */
void pythons_warm_up(struct pythons *pythons, const struct thread *thread);
/* In it. */
void pythons_freeze(struct pythons *pythons, const struct thread *thread,
                    const struct frozen *frozen);
/*
 * Afterwards: puts the Python frames into what PENDING has just unwound from FROZEN, behind its
 * KERNEL frames.  Where the GIL was.
 */
enum gil pythons_merge(struct pythons *pythons, struct pending *pending,
                       const struct frozen *frozen, uint32_t kernel);

#endif
