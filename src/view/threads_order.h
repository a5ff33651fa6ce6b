/* SPDX-License-Identifier: MIT */
/*
 * The rows of the Threads view in their order: threads, and where there are several processes a row
 * for each that has more than one, its threads below it.
 *
 *     row 0   process 8968, 65 threads   ─► groups[0]
 *     row 1     thread 8970              ─► fold->threads[12]
 *     row 2   thread 9100, alone in its process
 */
#ifndef VIEW_THREADS_ORDER_H
#define VIEW_THREADS_ORDER_H

#include "proftop/view.h"
#include "resort.h"

enum thread_sort {
    SORT_BY_CPU,
    SORT_BY_WAIT,
    SORT_BY_GIL,
    SORT_BY_TID,
    SORT_BY_NAME,
    THREAD_SORTS
};

/* A process: its threads' times together. */
struct thread_group {
    struct fold_thread sum; /* .thread: its first one; no top and no waits */
    int32_t pid;
    uint32_t count, living;
    uint32_t rank; /* of the groups, in the order shown */
    bool closed;   /* its threads have no rows */
};

struct thread_row {
    uint32_t thread; /* index in fold->threads; of a process's row THREAD_NONE */
    uint32_t group;
};
#define THREAD_NONE UINT32_MAX

/* What a row is, from fold to fold. */
typedef uint64_t thread_key;
#define THREAD_KEY_NONE UINT64_C(0)

struct thread_order {
    struct thread_row *rows;
    thread_key *keys; /* of the rows */
    struct thread_group *groups;
    size_t row_room, key_room, group_room;
    uint32_t count, group_count;
    bool several; /* processes */
    int32_t *closed;
    size_t closed_count, closed_room;
    uint64_t version;
    struct resort resort;
    uint32_t sorted_by;
    bool held, changed; /* CHANGED: another process is open or closed */
};

/* Brings the rows up to INPUT's fold; sorted anew only when nobody would lose a row by it. */
void thread_order_update(struct thread_order *order, const struct screen_input *input,
                         enum thread_sort sort, bool inverted);
void thread_order_fini(struct thread_order *order);
/* The rows wait for the person's keys to rest. */
bool thread_order_held(const struct thread_order *order, const struct screen_input *input);

/* The row with KEY, or -1. */
int thread_order_find(const struct thread_order *order, thread_key key);
/* Shows the threads of PID or hides them. */
void thread_order_open(struct thread_order *order, int32_t pid, bool open);

#endif
