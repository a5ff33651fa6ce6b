/* SPDX-License-Identifier: MIT */
/*
 * Where the entries of a unit are, from the unit's header:
 *
 *     .debug_info   … │ header │ first entry (the unit) │ entries … │ next unit's header …
 *                     ↑ unit   ↑ first                              ↑ next
 */
#ifndef SYMBOLS_DWARF_TREE_H
#define SYMBOLS_DWARF_TREE_H

#include <elfutils/libdw.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "abbrev.h"
#include "bytes.h"

/* What libdw is asked for is rare: what we do not read ourselves. */
struct dwarf_asking {
    Dwarf *dwarf;
    pthread_mutex_t *lock; /* to be held while it is asked, as it is of no use to two threads */
};

struct dwarf_tree {
    const struct dwarf_sections *sections;
    struct dwarf_asking asking;
    uint64_t unit, first, next; /* in .debug_info */
    uint64_t abbrev;            /* in .debug_abbrev */
    uint8_t version, address_size, offset_size;
    bool split; /* in a .dwo file */
    bool typed; /* of types only */
};

/*
 * Reads the header at TREE's UNIT, with SECTIONS given; false at the end of the section, or when
 * there is nothing that makes sense.  NEXT then is 0 if what comes after cannot be found either.
 */
bool dwarf_tree_read(struct dwarf_tree *tree);

/* BYTES with the sizes of TREE's values. */
struct dwarf_bytes dwarf_tree_sized(const struct dwarf_tree *tree, struct dwarf_bytes bytes);
/* From OFFSET in .debug_info to the end of the unit; empty when that is in another one. */
struct dwarf_bytes dwarf_tree_at(const struct dwarf_tree *tree, uint64_t offset);

/* Reads the abbreviations of TREE in place of what was in ABBREVS. */
void dwarf_tree_abbrevs(const struct dwarf_tree *tree, struct dwarf_abbrevs *abbrevs);

#endif
