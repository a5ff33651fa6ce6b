/* SPDX-License-Identifier: MIT */
/* Opens files of a target by the target's own idea of "/", whatever links it has laid out. */
#ifndef PROFTOP_OPEN_BELOW_H
#define PROFTOP_OPEN_BELOW_H

/*
 * Opens NAME for reading below the folder ROOT (a descriptor, O_PATH will do) as if ROOT were "/":
 * no link, absolute or with "..", leads out of it.  The last part itself must not be a link.
 * O_NONBLOCK: a FIFO does not hold us.  -1 with errno.
 */
int open_below(int root, const char *name);

/* The same without openat2(2), part by part: for kernels before 5.6, and for tests. */
int open_below_by_hand(int root, const char *name);

#endif
