/* SPDX-License-Identifier: MIT */
/* The words for how a stack ended and why a thread waits. */
#include "config.h"

#include "proftop/frame.h"

#include "proftop/gettext.h"
#include "proftop/record.h"

static const char *const end_texts[STACK_ENDS] = {
    [STACK_COMPLETE] = N_("complete"),
    [STACK_TRUNCATED] = N_("deeper than the copy of the stack"),
    [STACK_NO_MAPPING] = N_("return address outside every mapping"),
    [STACK_NO_ROWS] = N_("no unwind information"),
    [STACK_NOT_READY] = N_("unwind tables not ready"),
    [STACK_BAD_ROW] = N_("unwind information makes no sense"),
    [STACK_BAD_MEMORY] = N_("stack memory unreadable"),
    [STACK_CYCLE] = N_("stack pointer goes in a circle"),
    [STACK_LIMIT] = N_("too many frames"),
    [STACK_NONE] = N_("no stack taken"),
    [STACK_ELSEWHERE] = N_("interrupted by a signal on another stack than was copied"),
};

static const char *const wait_texts[WAIT_REASONS] = {
    [WAIT_UNKNOWN] = N_("unknown"), [WAIT_LOCK] = N_("lock"),       [WAIT_SLEEP] = N_("sleep"),
    [WAIT_POLL] = N_("poll"),       [WAIT_PIPE] = N_("pipe"),       [WAIT_NETWORK] = N_("network"),
    [WAIT_DISK] = N_("disk"),       [WAIT_CHILD] = N_("child"),     [WAIT_SIGNAL] = N_("signal"),
    [WAIT_GIL] = N_("GIL"),         [WAIT_STOPPED] = N_("stopped"), [WAIT_PAGE] = N_("page fault"),
    [WAIT_OTHER] = N_("other"),
};

const char *stack_end_name(enum stack_end end)
{
    return end_texts[(unsigned)end < STACK_ENDS ? end : STACK_NONE];
}

const char *stack_end_text(enum stack_end end)
{
    return _(stack_end_name(end));
}

const char *python_end_name(enum python_end end)
{
    static const char *const names[PYTHON_ENDS] = {
        [PYTHON_COMPLETE] = "complete",
        [PYTHON_STRANGER] = "thread state of another thread",
        [PYTHON_BAD_STATE] = "thread state unreadable",
        [PYTHON_BAD_FRAME] = "frame memory unreadable",
        [PYTHON_BAD_CODE] = "code object makes no sense",
        [PYTHON_CYCLE] = "too many frames, or a circle",
    };

    return names[(unsigned)end < PYTHON_ENDS ? end : PYTHON_BAD_STATE];
}

const char *wait_reason_name(enum wait_reason reason)
{
    return wait_texts[(unsigned)reason < WAIT_REASONS ? reason : WAIT_UNKNOWN];
}

const char *wait_reason_text(enum wait_reason reason)
{
    return _(wait_reason_name(reason));
}
