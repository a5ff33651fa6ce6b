/* SPDX-License-Identifier: MIT */
/* What the tests of symbols/ share: a struct symbols with its tables, and programs to name. */
#ifndef SYMBOLS_FIXTURE_H
#define SYMBOLS_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/code.h"
#include "proftop/symbols.h"

struct world {
    struct modules *modules;
    struct codes *codes;
    struct symbols *symbols;
    char *folder; /* for the case's files; its debug/ is where debug files are looked for */
};

/* For cmocka_unit_test_setup_teardown(). */
int world_set_up(void **state);
int world_tear_down(void **state);

/* Begins anew, with no module known. */
void world_renew(struct world *world);

/*
 * Runs a shell command in the world's folder; true when it succeeded.  $CALLS and $FIXTURES are
 * tests/fixtures/calls.c and its folder.
 */
bool world_run(const struct world *world, const char *command);
/* Whether a program is installed. */
bool world_has(const char *program);

/* The module for the file NAME in the world's folder (absolute: there), opened with FLAGS. */
module_id world_module(struct world *world, const char *name, int flags);

/* The frame at the symbol NAME of MODULE, which has a .symtab; fails the test when it has not. */
struct frame world_frame(struct world *world, module_id module, const char *name);
/* The same with the symbol looked up in the file ELSEWHERE, as the module's own was stripped. */
struct frame world_frame_like(struct world *world, module_id module, const char *elsewhere,
                              const char *name);

#endif
