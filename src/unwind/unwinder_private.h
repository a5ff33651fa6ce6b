/* SPDX-License-Identifier: MIT */
/* What the parts of the unwinder share: a module's table and, for libunwind, its sections. */
#ifndef PROFTOP_UNWIND_UNWINDER_PRIVATE_H
#define PROFTOP_UNWIND_UNWINDER_PRIVATE_H

#include "proftop/unwind.h"

struct image;
struct module;
struct table;

/* The table of MODULE, or NULL (and it is asked for) while it is not built. */
const struct table *unwinder_table(struct unwinder *unwinder, const struct module *module);

/* The sections of MODULE, read the first time they are needed; NULL when it has none. */
const struct image *unwinder_image(struct unwinder *unwinder, const struct module *module);

#endif
