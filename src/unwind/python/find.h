/* SPDX-License-Identifier: MIT */
/* Where the interpreter is in a process: its runtime structure and its version. */
#ifndef PROFTOP_UNWIND_PYTHON_FIND_H
#define PROFTOP_UNWIND_PYTHON_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/maps.h"

struct python_place {
    uint64_t runtime; /* address of _PyRuntime */
    uint64_t version; /* address of Py_Version, 0 when there is none (before 3.11) */
    uint16_t named;   /* the version that the file's name tells, 0 when it does not */
    const struct module *module;
};

/* The mapping's module looks like an interpreter by its name. */
bool python_named(const struct module *module);

bool python_find(const struct maps *maps, struct python_place *place, struct error *error);

#endif
