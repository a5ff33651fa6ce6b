/* SPDX-License-Identifier: MIT */
/*
 * CPython's machinery, known by the module it is in and how its names begin.  A reader of a Python
 * program wants the weight of these on the Python line that caused it.
 */
#include "config.h"

#include "interpreter.h"

#include <string.h>

static const char *const beginnings[] = {
    "Py",
    "_Py",
    "address_in_range",
    "allocate_from_",
    "arena_map_",
    "binary_",
    "bool_",
    "builtin___build_class__",
    "builtin_exec",
    "call_",
    "cell_",
    "cfunction_",
    "check_",
    "classmethod_",
    "clear_",
    "descr_",
    "dict_lookup",
    "dictkeys_",
    "do_call",
    "do_raise",
    "do_richcompare",
    "drop_gil",
    "eval_",
    "fill_",
    "find_keyword",
    "float_",
    "frame_",
    "free_",
    "func_",
    "function_code_fastcall",
    "gen_",
    "get_small_int",
    "get_state",
    "getset_",
    "hashtable_",
    "import_",
    "init_",
    "insert_to_",
    "insertdict",
    "is_unicode",
    "k_mul",
    "long_",
    "lookdict",
    "lookup_",
    "main",
    "map_next",
    "maybe_",
    "member_",
    "method_",
    "new_",
    "object_",
    "property_",
    "pymain_",
    "pymalloc_",
    "pyrun_",
    "pythread_",
    "rangeiter",
    "resize_",
    "run_eval_code_obj",
    "run_mod",
    "set_lookkey",
    "slice_",
    "slot_",
    "stack_",
    "subtype_",
    "super_",
    "t_bootstrap",
    "take_gil",
    "thread_run",
    "trip_signal",
    "tuple",
    "type_",
    "unicodekeys_",
    "unlink_",
    "unpack_",
    "vectorcall_",
    "visit_",
    "wrap_",
    "write_size",
    "x_add",
    "x_mul",
    "x_sub",
};

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), size = strlen(end);

    return length >= size && strcmp(text + length - size, end) == 0;
}

/* "python3.11+0x1234": code of the interpreter that has no name. */
static bool is_nameless(const struct function *function)
{
    size_t length = strlen(function->module);

    return strncmp(function->name, function->module, length) == 0 &&
           starts_with(function->name + length, "+0x");
}

bool function_is_interpreter(const struct function *function)
{
    if (function->kind != FRAME_NATIVE && function->kind != FRAME_INLINE)
        return false;
    if (!starts_with(function->module, "python") && !starts_with(function->module, "libpython"))
        return false;
    if (is_nameless(function) || ends_with(function->name, "@plt"))
        return true;
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        if (starts_with(function->name, beginnings[i]))
            return true;
    }
    return false;
}
