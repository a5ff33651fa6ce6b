/* SPDX-License-Identifier: MIT */
/*
 * An entry may leave out what the one that it was made from, or declared by, tells.  libdw follows
 * that way anew for every attribute; here it is walked once, but left to libdw where it leads out
 * of the unit.
 */
#include "config.h"

#include "name.h"

#include <dwarf.h>
#include <string.h>

#include "entry.h"

enum { HOPS_MAX = 16 }; /* from one entry to another: two or three are usual */

/* The function at OFFSET, which the walk did not come by. */
static bool read_function(struct dwarf_function *function, const struct dwarf_tree *tree,
                          struct dwarf_lookup *lookup, uint64_t offset)
{
    const struct dwarf_abbrev *abbrev;
    struct dwarf_entry entry;

    if (lookup->tree != tree)
        dwarf_tree_abbrevs(tree, &lookup->abbrevs);
    lookup->tree = tree;
    abbrev = dwarf_entry_at(&entry, tree, &lookup->abbrevs, offset);
    return abbrev != NULL && abbrev->tag == DW_TAG_subprogram &&
           dwarf_function_of(function, &entry);
}

static bool read_here(struct dwarf_name *name, const struct dwarf_tree *tree,
                      const struct dwarf_scopes *scopes, struct dwarf_lookup *lookup,
                      uint64_t offset)
{
    struct dwarf_text text = { 0 };
    bool linkage = false;

    for (unsigned hops = 0; offset != 0; hops++) {
        const struct dwarf_function *function = dwarf_scopes_function(scopes, offset);
        struct dwarf_function read;

        if (hops == HOPS_MAX)
            return false;
        if (function == NULL) {
            if (!read_function(&read, tree, lookup, offset))
                return false;
            function = &read;
        }
        if (text.form == 0 || (!linkage && function->has_linkage_name)) {
            text = function->name;
            linkage = function->has_linkage_name;
        }
        if (!name->has_file) {
            name->has_file = function->has_decl_file;
            name->file = function->decl_file;
        }
        if (name->line == 0)
            name->line = function->decl_line;
        offset = function->next;
    }
    name->text = dwarf_entry_text(tree, &text);
    return true;
}

/* ---- by libdw ---- */

/* Of DIE or, for a call, of the function it calls. */
static bool number_of(Dwarf_Die *die, unsigned what, uint32_t *number, Dwarf_Attribute *attribute)
{
    Dwarf_Word value;

    if (dwarf_formudata(dwarf_attr_integrate(die, what, attribute), &value) != 0 ||
        value > UINT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

static const char *text_of(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));

    if (name == NULL)
        name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute));
    return name != NULL ? name : dwarf_diename(die);
}

/*
 * Where the function at DIE is declared, which another unit may tell: each counts its own files.
 * Not dwarf_decl_file(): that one ends the program when a table is damaged.
 */
static void ask_file(struct dwarf_name *name, const struct dwarf_tree *tree, Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Files *files;
    Dwarf_Die unit;
    size_t count;

    if (!number_of(die, DW_AT_decl_file, &name->file, &attribute) ||
        dwarf_cu_die(attribute.cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) == NULL)
        return;
    if (dwarf_cu_getdwarf(attribute.cu) == tree->asking.dwarf &&
        dwarf_dieoffset(&unit) == tree->first)
        name->has_file = true;
    else if (dwarf_getsrcfiles(&unit, &files, &count) == 0 && name->file < count)
        name->path = dwarf_filesrc(files, name->file, NULL, NULL);
}

/* The entry that WHAT of DIE refers to. */
static bool follow(Dwarf_Die *die, unsigned what, Dwarf_Die *out)
{
    Dwarf_Attribute attribute;

    return dwarf_formref_die(dwarf_attr_integrate(die, what, &attribute), out) != NULL;
}

static bool may_be_lambda(const struct dwarf_name *name)
{
    return name->line == 0 && name->text != NULL && strcmp(name->text, "operator()") == 0;
}

/*
 * gcc gives the body of a lambda neither a linker's name nor a place.  But the object it is called
 * for is of a class, itself without a name, that has one.
 */
static void ask_lambda(struct dwarf_name *name, const struct dwarf_tree *tree, Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Die type;
    unsigned hops = 0;

    if (!may_be_lambda(name) || !follow(die, DW_AT_object_pointer, &type))
        return;
    do {
        if (!follow(&type, DW_AT_type, &type))
            return;
    } while (dwarf_tag(&type) != DW_TAG_structure_type && ++hops < HOPS_MAX);
    if (dwarf_diename(&type) != NULL || !number_of(&type, DW_AT_decl_line, &name->line, &attribute))
        return;
    ask_file(name, tree, &type);
    number_of(&type, DW_AT_decl_column, &name->column, &attribute);
}

static void ask(struct dwarf_name *name, const struct dwarf_tree *tree, uint64_t offset)
{
    Dwarf_Attribute attribute;
    Dwarf_Die die;

    pthread_mutex_lock(tree->asking.lock);
    if (dwarf_offdie(tree->asking.dwarf, offset, &die) != NULL) {
        name->text = text_of(&die);
        ask_file(name, tree, &die);
        number_of(&die, DW_AT_decl_line, &name->line, &attribute);
        ask_lambda(name, tree, &die);
    }
    pthread_mutex_unlock(tree->asking.lock);
}

void dwarf_name_read(struct dwarf_name *name, const struct dwarf_tree *tree,
                     const struct dwarf_scopes *scopes, struct dwarf_lookup *lookup,
                     uint64_t offset)
{
    *name = (struct dwarf_name){ 0 };
    if (read_here(name, tree, scopes, lookup, offset) && !may_be_lambda(name))
        return;
    *name = (struct dwarf_name){ 0 };
    ask(name, tree, offset);
}
