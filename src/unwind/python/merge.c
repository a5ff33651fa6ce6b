/* SPDX-License-Identifier: MIT */
/*
 * Merging by address, never by symbol: the interpreter keeps a structure on the C stack of every
 * native frame that evaluates Python code, and its address, the anchor, says which frame that is.
 *
 *     native frame i spans [sp i, sp i+1)        run k, anchor A
 *     sp i <= A < sp i+1   ⇒   the run stands in place of frame i
 *
 * A run whose native frame was not unwound is put where its address belongs; one without an anchor
 * goes with its neighbour.  Nothing is dropped.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "interpreter.h"

#include "proftop/memory.h"

struct merger {
    const struct python_run *runs;
    uint32_t run_count, next; /* runs below NEXT are placed */
    uint64_t *anchors;        /* of the runs, a neighbour's where one has none */
    const struct frame *resolved;
    struct frame *frames; /* the output */
    uint64_t *stacks;
    uint32_t count, limit, cut;
    bool ran; /* the last native frame was replaced by a run */
};

static void emit(struct merger *merger, struct frame frame, uint64_t stack)
{
    if (merger->count == merger->limit)
        return;
    merger->frames[merger->count] = frame;
    merger->stacks[merger->count] = stack;
    merger->count++;
}

static void emit_run(struct merger *merger, uint64_t stack)
{
    const struct python_run *run = &merger->runs[merger->next++];

    for (uint32_t i = run->first; i < run->end; i++)
        emit(merger, merger->resolved[i], stack);
    merger->cut += run->anchor == 0;
}

/* A run with no anchor stands with the one inside it, the first of all with the one outside it. */
static void borrow_anchors(struct merger *merger)
{
    uint64_t anchor = 0;

    for (uint32_t i = 0; i < merger->run_count && anchor == 0; i++)
        anchor = merger->runs[i].anchor;
    for (uint32_t i = 0; i < merger->run_count; i++) {
        if (merger->runs[i].anchor != 0)
            anchor = merger->runs[i].anchor;
        merger->anchors[i] = anchor;
    }
}

/* The next frame outwards that has a stack pointer ends frame AT's span. */
static uint64_t span_end(const uint64_t *stacks, uint32_t count, uint32_t at)
{
    for (uint32_t i = at + 1; i < count; i++) {
        if (stacks[i] != 0)
            return stacks[i];
    }
    return UINT64_MAX;
}

static bool is_break(const struct frame *frame)
{
    return frame->kind == FRAME_MARK && frame->module == MARK_BROKEN;
}

/* Runs that lie inside the frame that begins at STACK, or anywhere: their own frame was lost. */
static void emit_lost(struct merger *merger, uint64_t stack)
{
    while (merger->next < merger->run_count && merger->anchors[merger->next] < stack) {
        merger->cut += merger->runs[merger->next].anchor != 0;
        emit_run(merger, merger->anchors[merger->next]);
    }
}

/*
 * One native frame, or the runs that stand in its place.  Code made at run time that calls the
 * evaluation is the trampoline of python -X perf: it would name the same function twice.
 */
static void place(struct merger *merger, struct frame frame, uint64_t stack, uint64_t end)
{
    uint32_t before = merger->next;
    bool trampoline = merger->ran && frame.kind == FRAME_JIT;

    if (stack != 0) {
        emit_lost(merger, stack);
        before = merger->next;
        while (merger->next < merger->run_count && merger->anchors[merger->next] < end)
            emit_run(merger, stack);
    } else if (is_break(&frame)) {
        emit_lost(merger, UINT64_MAX);
        before = merger->next;
    }
    merger->ran = merger->next != before;
    if (!merger->ran && !trampoline)
        emit(merger, frame, stack);
}

struct merge_result python_merge_runs(const struct python_run *runs, uint32_t run_count,
                                      const struct frame *resolved, struct frame *frames,
                                      uint64_t *stacks, uint32_t count, uint32_t limit)
{
    static const struct frame cut_mark = { .kind = FRAME_MARK, .module = MARK_NATIVE_CUT };
    struct frame *native = xmemdup(frames, count * sizeof(*frames));
    uint64_t *native_stacks = xmemdup(stacks, count * sizeof(*stacks));
    struct merger merger = { .runs = runs,
                             .run_count = run_count,
                             .anchors = xcalloc(run_count, sizeof(uint64_t)),
                             .resolved = resolved,
                             .frames = frames,
                             .stacks = stacks,
                             .limit = limit };
    bool broken = count > 0 && is_break(&frames[count - 1]);

    borrow_anchors(&merger);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t end = span_end(native_stacks, count, i);

        /* Where the unwind broke, the last frame's end is not known: it holds no run. */
        if (end == UINT64_MAX && broken)
            end = native_stacks[i];
        place(&merger, native[i], native_stacks[i], end);
    }
    emit_lost(&merger, UINT64_MAX);
    if (merger.cut != 0)
        emit(&merger, cut_mark, 0);
    free(native);
    free(native_stacks);
    free(merger.anchors);
    return (struct merge_result){ .count = merger.count, .cut = merger.cut };
}
