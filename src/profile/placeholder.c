/* SPDX-License-Identifier: MIT */
/* Names made from frames alone.  They go into files for machines, so they stay untranslated. */
#include "config.h"

#include "placeholder.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const mark_names[] = {
    [MARK_BROKEN] = "[broken stack]",          [MARK_SKIPPED] = "[skipped frames]",
    [MARK_SYSCALL] = "[system call]",          [MARK_KERNEL] = "[kernel]",
    [MARK_NATIVE_CUT] = "[native frames cut]", [MARK_PYTHON_CUT] = "[Python frames cut]",
};

enum { MARKS = sizeof(mark_names) / sizeof(mark_names[0]) };

static void describe_mark(const struct frame *frame, struct function *function,
                          char text[PLACEHOLDER_MAX])
{
    uint32_t mark = frame->module;

    function->mark = mark;
    if (mark == MARK_BROKEN)
        snprintf(text, PLACEHOLDER_MAX, "[broken: %s]",
                 stack_end_name((enum stack_end)frame->address));
    else if (mark == MARK_PYTHON_CUT)
        snprintf(text, PLACEHOLDER_MAX, "[Python frames cut: %s]",
                 python_end_name((enum python_end)frame->address));
    else if (mark == MARK_SYSCALL)
        snprintf(text, PLACEHOLDER_MAX, "[system call %" PRIu64 "]", frame->address);
    else
        snprintf(text, PLACEHOLDER_MAX, "%s", mark < MARKS ? mark_names[mark] : "[mark]");
}

static bool describe_code(const struct codes *codes, const struct frame *frame,
                          struct function *function, char text[PLACEHOLDER_MAX])
{
    const struct code *code = codes != NULL ? codes_get(codes, frame->module) : NULL;

    if (code == NULL) {
        snprintf(text, PLACEHOLDER_MAX, "[python code %" PRIu32 "]", frame->module);
        return false;
    }
    function->name = function->raw_name = code->name;
    function->file = code->file;
    function->line = code->first_line;
    function->internal = (code->flags & CODE_INTERNAL) != 0;
    return true;
}

static void describe_address(const struct modules *modules, const struct frame *frame,
                             struct function *function, char text[PLACEHOLDER_MAX])
{
    const struct module *module = modules != NULL && frame->module != MODULE_NONE
                                      ? modules_get(modules, frame->module)
                                      : NULL;

    if (module != NULL)
        function->module = module->name;
    if (module != NULL && (module->kind == MODULE_FILE || module->kind == MODULE_VDSO))
        snprintf(text, PLACEHOLDER_MAX, "%.255s+0x%" PRIx64, module->name, frame->address);
    else
        snprintf(text, PLACEHOLDER_MAX, "0x%" PRIx64, frame->address);
}

enum naming_state placeholder_describe(const struct modules *modules, const struct codes *codes,
                                       const struct frame *frame, struct function *function,
                                       uint32_t *line, char text[PLACEHOLDER_MAX])
{
    *function = (struct function){
        .kind = frame->kind, .name = text, .raw_name = text, .module = "", .file = ""
    };
    *line = 0;
    switch ((enum frame_kind)frame->kind) {
    case FRAME_MARK:
        describe_mark(frame, function, text);
        return NAMING_FULL;
    case FRAME_PYTHON:
        *line = (uint32_t)frame->address;
        return describe_code(codes, frame, function, text) ? NAMING_FULL : NAMING_NONE;
    default:
        describe_address(modules, frame, function, text);
        return NAMING_NONE;
    }
}
