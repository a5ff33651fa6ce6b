/* SPDX-License-Identifier: MIT */
/*
 * A small file of /proc or /sys that is read again and again: its descriptor is kept, its text ends
 * in NUL.  One thread at a time.  Starts zeroed, ends with proc_file_close().
 */
#ifndef PROFTOP_PROC_FILE_H
#define PROFTOP_PROC_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The longest file that is read: beyond it the text is cut. */
enum { PROC_FILE_MAX = 4 << 20 };

/* Of fewer bytes, and of fewer than were asked for, no line was left out. */
enum { PROC_FILE_LINES = 2 << 10 };

struct proc_file {
    int fd_plus_1; /* 0: closed */
    char *text;
    size_t length, capacity;
};

/* Opens ROOT/FORMAT…; false with errno set when that fails.  Nothing is read yet. */
bool proc_file_open(struct proc_file *file, const char *root, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool proc_file_is_open(const struct proc_file *file);

/*
 * Whether GOT bytes, where ASKED were asked for, were the rest: the kernel gives as many lines as
 * fit into a page at once, or a file of one line whole.
 */
static inline bool proc_file_ended(size_t got, size_t asked)
{
    return got < asked && got < PROC_FILE_LINES;
}

/* All of it, as it is now; NULL with errno set when it is gone.  Valid until the next reading. */
const char *proc_file_read(struct proc_file *file);
void proc_file_close(struct proc_file *file);

#endif
