/* SPDX-License-Identifier: MIT */
/*
 * The thread that adds up, so that keys are answered while it does.
 *
 *     main thread ──worker_submit(job)──► newest job ──► fold_update(), extras ──► newest result
 *          ▲                                                                          │
 *          └───────────── worker_fd() readable, worker_take() ◄───────────────────────┘
 *
 * Only the newest job counts: one that nobody has begun is replaced.  A result belongs to whoever
 * took it.
 */
#ifndef UI_FOLD_WORKER_H
#define UI_FOLD_WORKER_H

#include "proftop/error.h"
#include "proftop/view.h"

struct fold_worker;
struct source_page;

struct fold_job {
    struct profile *profile; /* kept by a reference */
    struct scope scope;
    struct view_wants wants;
    uint32_t asked; /* as in struct screen_input */
};

struct fold_result {
    struct fold *fold; /* NULL: ERROR says why */
    struct error error;
    uint32_t asked;
    struct scope scope; /* as asked for */
    struct view_extra extra;
    struct source_page *page; /* what extra.source is of, or NULL */
    struct profile *profile;
    uint64_t cost_ns;
};

/* SYNCHRONOUS: no thread; worker_submit() does the job itself (scripts, tests). */
struct fold_worker *worker_new(bool synchronous);
void worker_free(struct fold_worker *worker);

void worker_submit(struct fold_worker *worker, const struct fold_job *job);
/* A job is waiting or being done. */
bool worker_busy(struct fold_worker *worker);
/* Or has been done, and nobody has taken what it gave. */
bool worker_owes(struct fold_worker *worker);
/* The newest result since the last call, or NULL. */
struct fold_result *worker_take(struct fold_worker *worker);
/* Readable when there is a result to take; -1 when SYNCHRONOUS. */
int worker_fd(const struct fold_worker *worker);

void fold_result_free(struct fold_result *result);

#endif
