/* SPDX-License-Identifier: MIT */
/* The module behind one line of /proc/PID/maps: private to target/. */
#ifndef PROFTOP_TARGET_MAPPED_H
#define PROFTOP_TARGET_MAPPED_H

#include <stdint.h>

#include "proftop/maps.h"
#include "proftop/module.h"

/* Whose mapping it is, and where its /proc is. */
struct mapped_by {
    const char *proc_root;
    int32_t pid, tid; /* tid: whose folder in /proc shows it */
    uint32_t generation;
    struct modules *modules;
};

/* The module of LINE, opened now unless it is known.  Never fails: a module may lack its file. */
const struct module *mapped_module(const struct mapped_by *by, const struct maps_line *line);

#endif
