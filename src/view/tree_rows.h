/* SPDX-License-Identifier: MIT */
/*
 * The rows of a tree that are in sight: those whose ancestors are all open.
 *
 *     fold nodes          rows                     a run of direct recursion is one row, its
 *     a ─ b ─ b ─ b ─ c   a                        children those of all its calls:
 *                  └─ d     b  ×3                  total of the outermost, self of all
 *                             c
 *                             d
 *
 * A row is known by its path, a hash of the functions from the root: it survives from fold to fold,
 * where node numbers don't.
 */
#ifndef VIEW_TREE_ROWS_H
#define VIEW_TREE_ROWS_H

#include <stddef.h>

#include "proftop/index.h"
#include "resort.h"
#include "proftop/view.h"

#define PATH_NONE UINT64_C(0)

struct tree_row {
    uint64_t path;
    uint64_t self, total, self_samples, total_samples;
    function_id function;
    uint32_t process; /* pid where the row is a process */
    uint32_t times;   /* calls of a recursion in this row; 1 when plain */
    uint32_t line;
    int parent, indent; /* parent: a row, -1 for the root */
    bool has_children, open;
    bool
        chain; /* the only child of its parent, which did nothing itself: drawn below, not inside */
};

/* Which rows were opened or closed; what nobody touched opens by itself when it is hot. */
struct tree_folding {
    struct index index;
    struct tree_choice {
        uint64_t path;
        bool open;
    } * choices;
    size_t count, room;
    double open_from; /* share of the root from which rows open by themselves */
};

struct tree_rows {
    struct tree_row *rows;
    size_t count, room;
    struct index by_path; /* of ROWS */
    struct tree_folding folding;
    uint64_t version;
    struct resort resort;
    bool valid, touched;
    bool held; /* sorting would move a row */
};

/* Brings ROWS up to FOLD, in the order shown before when HOLD. */
void tree_rows_update(struct tree_rows *rows, const struct fold *fold, bool hold);
void tree_rows_fini(struct tree_rows *rows);
/* The row of PATH, or -1. */
int tree_rows_find(const struct tree_rows *rows, uint64_t path);

void tree_rows_set(struct tree_rows *rows, uint64_t path, bool open);
/* Everything opens that has at least SHARE of the root (0: all; 2: nothing). */
void tree_rows_set_all(struct tree_rows *rows, double share);
/* Opens what lies above the heaviest node of FUNCTION; its path, PATH_NONE when it has none. */
uint64_t tree_rows_reveal(struct tree_rows *rows, const struct fold *fold, function_id function);
/* Opens the heaviest child at every step down from the row AT; the path of the last. */
uint64_t tree_rows_hottest(struct tree_rows *rows, const struct fold *fold, uint64_t path);

#endif
