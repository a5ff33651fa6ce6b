/* SPDX-License-Identifier: MIT */
/* tests/python/parked.py on some interpreter, and its blocked threads frozen without a stop. */
#ifndef HARNESS_PARKED_H
#define HARNESS_PARKED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "proftop/python.h"
#include "proftop/unwind.h"

enum { PARKED_LINE_MAX = 1024, PARKED_STACK_BYTES = 256 * 1024, PARKED_THREADS = 9 };

/* A Python that parked its threads and tells where. */
struct parked {
    pid_t pid;
    FILE *told;
    int gate; /* closing it lets the program end */
    struct modules *modules;
    struct codes *codes;
    struct maps *maps; /* these and what follows: from the first line on */
    struct python *python;
    struct python_sample *sample;
    uint8_t *stack;
};

/* Fails the test when the interpreter does not run, or is none. */
void parked_start(struct parked *parked, const char *interpreter);
void parked_end(struct parked *parked);

/* The next line in LINE, without its end; false behind the last. */
bool parked_line(struct parked *parked, char line[PARKED_LINE_MAX]);

/* The registers and stack of a thread, and its Python frames in SAMPLE. */
void parked_freeze(struct parked *parked, int32_t tid, struct frozen *frozen);

#endif
