/* SPDX-License-Identifier: MIT */
/*
 * Headers of units.  Written by hand because libdw makes a structure, a hash table and a place in a
 * tree of each unit it comes by: ten of the milliseconds that libc's 1,700 units take to be found.
 */
#include "config.h"

#include "tree.h"

#include <dwarf.h>

bool dwarf_tree_read(struct dwarf_tree *tree)
{
    const struct dwarf_bytes *info = &tree->sections->info;
    struct dwarf_bytes bytes = *info;
    uint64_t length, type = DW_UT_compile;

    dwarf_bytes_skip(&bytes, tree->unit);
    tree->next = 0;
    tree->offset_size = 4;
    length = dwarf_bytes_fixed(&bytes, 4);
    if (length == UINT32_MAX) {
        tree->offset_size = 8;
        length = dwarf_bytes_fixed(&bytes, 8);
    }
    if (length == 0 || length > (uint64_t)(bytes.end - bytes.at))
        return false;
    bytes.end = bytes.at + length;
    tree->next = (uint64_t)(bytes.end - info->at);
    tree->version = (uint8_t)dwarf_bytes_fixed(&bytes, 2);
    if (tree->version >= 5) {
        type = dwarf_bytes_fixed(&bytes, 1);
        tree->address_size = (uint8_t)dwarf_bytes_fixed(&bytes, 1);
    }
    tree->abbrev = dwarf_bytes_fixed(&bytes, tree->offset_size);
    if (tree->version < 5)
        tree->address_size = (uint8_t)dwarf_bytes_fixed(&bytes, 1);
    if (type == DW_UT_skeleton || type == DW_UT_split_compile)
        dwarf_bytes_skip(&bytes, 8); /* which goes with which */
    tree->typed = type != DW_UT_compile && type != DW_UT_skeleton && type != DW_UT_split_compile;
    tree->first = (uint64_t)(bytes.at - info->at);
    return tree->version >= 2 && tree->version <= 5 && dwarf_bytes_more(&bytes) &&
           (tree->address_size == 4 || tree->address_size == 8);
}

struct dwarf_bytes dwarf_tree_sized(const struct dwarf_tree *tree, struct dwarf_bytes bytes)
{
    bytes.address_size = tree->address_size;
    bytes.offset_size = tree->offset_size;
    bytes.version = tree->version;
    return bytes;
}

struct dwarf_bytes dwarf_tree_at(const struct dwarf_tree *tree, uint64_t offset)
{
    struct dwarf_bytes bytes = dwarf_tree_sized(tree, tree->sections->info);
    const uint8_t *start = bytes.at;

    bytes.at = bytes.end = start + tree->next;
    if (offset >= tree->first && offset < tree->next)
        bytes.at = start + offset;
    return bytes;
}

void dwarf_tree_abbrevs(const struct dwarf_tree *tree, struct dwarf_abbrevs *abbrevs)
{
    struct dwarf_bytes bytes = dwarf_tree_sized(tree, tree->sections->abbrev);

    dwarf_bytes_skip(&bytes, tree->abbrev);
    dwarf_abbrevs_read(abbrevs, bytes);
}
