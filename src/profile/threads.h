/* SPDX-License-Identifier: MIT */
/* Which thread of the profile a tid means at a time: tids are used again.  The builder's thread. */
#ifndef PROFTOP_PROFILE_THREADS_H
#define PROFTOP_PROFILE_THREADS_H

#include "proftop/history.h"
#include "proftop/record.h"

struct threads;

struct threads *threads_new(struct history *history);
void threads_free(struct threads *threads);

/* The index of the thread that had TID at TIME; an unknown one is added. */
uint32_t threads_find(struct threads *threads, int32_t pid, int32_t tid, uint64_t time_ns);
/* Takes in what RECORD tells; true when it changed something. */
bool threads_event(struct threads *threads, const struct record_thread *record);

#endif
