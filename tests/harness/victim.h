/* SPDX-License-Identifier: MIT */
/* Programs to look at, launched and ended. */
#ifndef HARNESS_VICTIM_H
#define HARNESS_VICTIM_H

#include <stddef.h>
#include <sys/types.h>

/* A program of tests/victims that tells "r" when it runs and ends when its input does. */
struct victim {
    pid_t pid;
    int gate; /* closing it lets the victim end */
    int told; /* its standard output */
};

/* ARGUMENT may be NULL. */
void victim_start(struct victim *victim, const char *name, const char *argument);
/* The same, the program at PATH. */
void victim_start_path(struct victim *victim, const char *path, const char *argument);
/* Lets it end; its wait status, and what it wrote in TEXT (may be NULL). */
int victim_end(struct victim *victim, char *text, size_t size);

#endif
