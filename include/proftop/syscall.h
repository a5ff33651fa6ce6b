/* SPDX-License-Identifier: MIT */
/* The names of system calls, of the architecture that we were built for. */
#ifndef PROFTOP_SYSCALL_H
#define PROFTOP_SYSCALL_H

#include <stdint.h>

/* "read"; NULL for a number without a name. */
const char *syscall_name(int64_t number);

#endif
