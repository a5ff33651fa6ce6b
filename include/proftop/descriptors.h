/* SPDX-License-Identifier: MIT */
/*
 * How many files may stay open.  Whoever keeps one for each thread or process asks for a share, so
 * that there is always room for files that are read once.
 */
#ifndef PROFTOP_DESCRIPTORS_H
#define PROFTOP_DESCRIPTORS_H

#include <stddef.h>

/*
 * WANTED, but no more than a PART-th of all that this process may have.  Raises that limit as far
 * as it goes: it is 1,024 on most systems and can be many more.  Any thread.
 */
size_t descriptors_share(size_t wanted, unsigned part);

#endif
