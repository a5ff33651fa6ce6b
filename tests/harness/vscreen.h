/* SPDX-License-Identifier: MIT */
/* What a terminal shows after the bytes it was fed, as libvterm understands them. */
#ifndef HARNESS_VSCREEN_H
#define HARNESS_VSCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct vscreen;

struct vscreen *vscreen_new(int columns, int rows);
void vscreen_free(struct vscreen *screen);

/* Interprets BYTES; what the terminal answers goes to ANSWER, its size is returned. */
size_t vscreen_feed(struct vscreen *screen, const char *bytes, size_t size, char *answer,
                    size_t answer_size);

void vscreen_resize(struct vscreen *screen, int columns, int rows);
int vscreen_columns(const struct vscreen *screen);
int vscreen_rows(const struct vscreen *screen);

/* Rows [FIRST, END) and the runs that are not plain: see terminal.h.  The caller frees. */
char *vscreen_text(const struct vscreen *screen, int first, int end);
char *vscreen_attributes(const struct vscreen *screen);

void vscreen_cursor(const struct vscreen *screen, int *column, int *row, bool *visible);
bool vscreen_is_alternate(const struct vscreen *screen);
bool vscreen_has_mouse(const struct vscreen *screen);

#endif
