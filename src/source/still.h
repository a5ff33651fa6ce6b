/* SPDX-License-Identifier: MIT */
/*
 * Whether a thread is still in the frames that a copy of its stack ended before: then what the copy
 * lacks may be read in the target now, although the thread was not held.
 *
 *     deeper than the copy,
 *     or on another stack       it blocks just where the copy was taken, and all of that is there
 *     a signal's own stack      it is still in that signal's handler
 *
 * Private to source/.
 */
#ifndef PROFTOP_SOURCE_STILL_H
#define PROFTOP_SOURCE_STILL_H

#include <stdbool.h>

#include "proftop/unwind.h"
#include "roster.h"

/*
 * To be asked before and after the reading.  FROZEN is the copy, CUT how its walk ended; nothing
 * that ended otherwise than in these ways is ever there still.
 */
bool still_there(struct roster *roster, const struct frozen *frozen, const struct unwound *cut);

#endif
