/* SPDX-License-Identifier: MIT */
/* Whether the target's processes may still be looked at. */
#ifndef PROFTOP_SOURCE_RIGHTS_H
#define PROFTOP_SOURCE_RIGHTS_H

#include <stdint.h>

struct roster;

/*
 * Says, once for the target's first process and once for its children, when one has become
 * somebody else's (a set-user-ID program, setuid()) or has closed itself to others, and what to do.
 */
void rights_check(struct roster *roster, uint64_t now_ns);

/* Says when PID, which we trace, is a set-user-ID program whose rights the kernel left out. */
void rights_left_out(struct roster *roster, int32_t pid, uint64_t now_ns);

#endif
