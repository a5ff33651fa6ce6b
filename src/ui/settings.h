/* SPDX-License-Identifier: MIT */
/*
 * What a person chooses once: kept in $XDG_CONFIG_HOME/proftop/settings, a "name = value" a line.
 * One table makes the file, the setup screen and ":set" of the same rows.
 */
#ifndef UI_SETTINGS_H
#define UI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/error.h"

struct settings {
    char theme[32];
    uint32_t names;      /* enum name_style */
    uint32_t units;      /* enum unit_style */
    uint32_t window_s;   /* the range a live view begins with; 0: everything */
    uint32_t refresh_ms; /* between two folds of a live view */
    uint32_t save_last;  /* keep the recording as last.proftop */
    uint32_t mouse, follow, ascii;
    uint32_t fold_libraries, hide_kernel;
};

void settings_init(struct settings *settings);

/* Reads the kept choices over SETTINGS; a file that makes no sense is left out line by line. */
void settings_load(struct settings *settings);
bool settings_save(const struct settings *settings, struct error *error);

/* The rows of the setup screen. */
unsigned settings_count(void);
const char *settings_name(unsigned index);  /* stable: "window" */
const char *settings_label(unsigned index); /* translated */
const char *settings_value(const struct settings *settings, unsigned index, char *buffer,
                           size_t size_bytes);
/* The next choice, or the one before. */
void settings_step(struct settings *settings, unsigned index, int step);
/* Sets NAME to VALUE as written in the file; false when either is unknown. */
bool settings_set(struct settings *settings, const char *name, const char *value);

/*
 * "$XDG_STATE_HOME/proftop/last.proftop", its folder made; "last-2.proftop" and so on while another
 * proftop writes that one.  The caller frees it, and closes *LOCK_FD (-1: none) when it has written
 * it.  NULL without HOME, or where LAST_MAX are being written.
 */
enum { LAST_MAX = 9 };
char *settings_last_path(int *lock_fd);

#endif
