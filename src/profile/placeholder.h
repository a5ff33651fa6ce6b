/* SPDX-License-Identifier: MIT */
/* What a location is called before anybody has looked: from its frame alone. */
#ifndef PROFTOP_PROFILE_PLACEHOLDER_H
#define PROFTOP_PROFILE_PLACEHOLDER_H

#include "proftop/code.h"
#include "proftop/module.h"
#include "proftop/names.h"

enum { PLACEHOLDER_MAX = 320 };

/*
 * Fills FUNCTION and LINE for FRAME, the name in TEXT where it has to be made.  Marks and known
 * code records are NAMING_FULL at once; MODULES and CODES may be NULL.
 */
enum naming_state placeholder_describe(const struct modules *modules, const struct codes *codes,
                                       const struct frame *frame, struct function *function,
                                       uint32_t *line, char text[PLACEHOLDER_MAX]);

#endif
