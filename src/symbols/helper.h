/* SPDX-License-Identifier: MIT */
/*
 * A thread beside its owner's, which waits for the next piece of work when it has done one: made
 * anew for each, it would often queue behind who made it, and begin 2 ms late.
 *
 *     owner    helper_begin │ works on         │ helper_end
 *     helper                │ works … done, waits │
 *
 * Only its owner calls these.  Private to symbols/.
 */
#ifndef SYMBOLS_HELPER_H
#define SYMBOLS_HELPER_H

#include <stdbool.h>

struct helper;

typedef void helper_work(void *argument);

/* Without a thread until there is work. */
struct helper *helper_new(void);
/* Waits for what was begun. */
void helper_free(struct helper *helper);

/* Has WORK done, with nothing else under way; false when there is no thread for it. */
bool helper_begin(struct helper *helper, helper_work *work, void *argument);
/* Waits until it is done, if any was begun. */
void helper_end(struct helper *helper);

#endif
