/* SPDX-License-Identifier: MIT */
/*
 * The process picker: what proftop shows when it was not told what to look at.  Like the app it
 * knows no terminal: keys go in, a grid and an answer come out.
 */
#ifndef UI_PICKER_H
#define UI_PICKER_H

#include "keys.h"
#include "proftop/grid.h"
#include "proftop/process_list.h"

struct picker;

struct picker *picker_new(bool ascii);
void picker_free(struct picker *picker);

enum picker_answer {
    PICKER_NONE,
    PICKER_ATTACH, /* picker_pid() */
    PICKER_SYSTEM, /* likewise, without sampling it */
    PICKER_RUN,    /* picker_text(): a command line */
    PICKER_OPEN,   /* picker_text(): a file */
    PICKER_QUIT
};

enum picker_answer picker_key(struct picker *picker, const struct key_event *event, int rows,
                              const struct process_row *processes, size_t count);
void picker_render(struct picker *picker, struct grid *grid, const struct process_row *processes,
                   size_t count);
int32_t picker_pid(const struct picker *picker);
const char *picker_text(const struct picker *picker);
/* Why the last answer could not be followed; shown until the next key. */
void picker_say(struct picker *picker, const char *message, const char *hint);

#endif
