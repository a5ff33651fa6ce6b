/* SPDX-License-Identifier: MIT */
/* The names of system calls; the makefile takes the table from the C library's headers. */
#include "config.h"

#include "proftop/syscall.h"

#include <stddef.h>
#include <sys/syscall.h>

static const struct {
    int number;
    const char *name;
} table[] = {
#include "src/base/syscall_table.h"
};

const char *syscall_name(int64_t number)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].number == number)
            return table[i].name;
    return NULL;
}
