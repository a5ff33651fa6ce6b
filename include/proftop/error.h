/* SPDX-License-Identifier: MIT */
/*
 * What went wrong outside, in words for the person at the terminal.
 *
 * A function that can fail because of the world takes a struct error * last, fills it and returns
 * false, NULL or a negative number.  The message is one translated sentence: what was asked and
 * what the system answered.  The hint, when there is one, is the way on.
 */
#ifndef PROFTOP_ERROR_H
#define PROFTOP_ERROR_H

#include <stdbool.h>

/* The exit statuses of proftop, documented in the man page. */
enum status {
    STATUS_OK = 0,
    STATUS_REGRESSION = 1, /* diff found one */
    STATUS_USAGE = 2,
    STATUS_MISSING = 3, /* no such process or file */
    STATUS_DAMAGED = 4, /* a damaged or foreign file */
    STATUS_FAILED = 5,  /* anything else: full disk, out of descriptors… */
    STATUS_DENIED = 77, /* not permitted */
    /* launching, as env(1) */
    STATUS_NOT_EXECUTABLE = 126,
    STATUS_NOT_FOUND = 127,
};

struct error {
    enum status code;
    char message[1024];
    char hint[1024];
};

/* Fills ERROR (which may be NULL) and returns false, so that "return error_set(…)" reads well. */
bool error_set(struct error *error, enum status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set(), with the code chosen from errno: ENOENT, ESRCH → MISSING, EPERM, EACCES → DENIED.
 */
bool error_errno(struct error *error, int saved_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds the way on. */
void error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
