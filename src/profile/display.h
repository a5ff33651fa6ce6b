/* SPDX-License-Identifier: MIT */
/*
 * What a scope shows of the stacks: functions instead of locations, without the frames it hides.
 *
 *     stacks of locations        display nodes of functions
 *     main+12 ─ run+4 ─ f+1      root ─ main ─ run ─ f
 *     main+12 ─ run+9 ─ f+7        (both are the same node)
 *
 * Every stack leads to one node.  Nodes are only ever added; a stack whose frames get other names
 * moves to another node.  One thread updates a display; others may read it at the same time, for
 * the folds that hold it.
 */
#ifndef PROFTOP_PROFILE_DISPLAY_H
#define PROFTOP_PROFILE_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "proftop/chunks.h"
#include "proftop/error.h"
#include "proftop/names.h"
#include "proftop/scope.h"

/* The node that stands for "[N hidden: …]" has no function of its own until it is drawn. */
#define FUNCTION_RUN (UINT32_MAX - 1)
#define FUNCTION_ROOT UINT32_MAX

struct display_node {
    function_id function; /* or FUNCTION_RUN, FUNCTION_ROOT */
    uint32_t parent;
    uint32_t depth : 31;
    uint32_t recursive : 1; /* an ancestor is of the same function */
};

/* Where a stack leads. */
struct shown {
    uint32_t node : 30;
    uint32_t excluded : 1; /* the filter matches none of its frames */
    uint32_t python : 1;   /* its innermost frame is Python code */
};

struct display;

/* NULL and an error for a bad filter. */
struct display *display_new(struct names *names, const struct scope *scope, struct error *error);
struct display *display_ref(struct display *display);
void display_unref(struct display *display);
/* Whether DISPLAY shows what SCOPE asks for. */
bool display_fits(const struct display *display, const struct names *names,
                  const struct scope *scope);

/* Takes in new stacks and names; true when stacks that were known lead elsewhere now. */
bool display_update(struct display *display);

uint32_t display_stacks(const struct display *display);    /* as far as it is up to date */
uint32_t display_functions(const struct display *display); /* above all it leads to */
uint32_t display_nodes(const struct display *display);
struct shown display_stack(const struct display *display, stack_id stack);
const struct display_node *display_node(const struct display *display, uint32_t node);
/* The function to draw NODE with: FUNCTION_RUN gets its name here.  The updating thread's. */
function_id display_function(struct display *display, uint32_t node);
/* The line of STACK's innermost frame that is shown; 0 unknown. */
uint32_t display_line(const struct display *display, stack_id stack);

#endif
