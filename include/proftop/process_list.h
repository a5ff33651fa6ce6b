/* SPDX-License-Identifier: MIT */
/*
 * The processes of this machine, for a person to choose one from: what they cost and whether they
 * can be sampled.  One thread at a time.
 */
#ifndef PROFTOP_PROCESS_LIST_H
#define PROFTOP_PROCESS_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/proc.h"

struct process_row {
    int32_t pid;
    uint32_t uid;
    char user[16]; /* its name, cut; or the number */
    char name[PROC_NAME_MAX];
    char command[256]; /* with arguments; a kernel thread's name in brackets */
    char state;
    uint32_t threads;
    double cpu_pct; /* 100 = one core; since the last update, at first since its start */
    uint64_t rss_bytes;
    bool mine;       /* of our own user */
    bool can;        /* it can be sampled, as far as can be told without trying */
    const char *why; /* why not, translated; or NULL */
    uint64_t cpu_ticks, start_ticks;
};

struct process_list;

struct process_list *process_list_new(const char *proc_root); /* NULL: "/proc" */
void process_list_free(struct process_list *list);

/* Reads /proc again; NOW_NS tells how long the last reading is ago. */
void process_list_update(struct process_list *list, uint64_t now_ns);

/* By falling CPU use; the list's own until the next update. */
const struct process_row *process_list_rows(const struct process_list *list, size_t *count);

#endif
