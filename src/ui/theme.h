/* SPDX-License-Identifier: MIT */
/* Themes: what each role looks like on a terminal of so many colours. */
#ifndef UI_THEME_H
#define UI_THEME_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/grid.h"

struct theme;

struct look {
    int16_t foreground, background; /* -1: the terminal's own */
    uint8_t style;                  /* STYLE_ bits */
    bool dim;
};

/* NULL when there is none of that name. */
const struct theme *theme_find(const char *name);
/* The names by number, NULL after the last. */
const char *theme_name(unsigned index);

/* ROLE on a terminal of COLORS colours: 0 (or NO_COLOR), 8, 16, 256. */
struct look theme_look(const struct theme *theme, int colors, enum role role);

#endif
