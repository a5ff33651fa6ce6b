/* SPDX-License-Identifier: MIT */
/*
 * Merging by address, never by symbol: the interpreter keeps a structure on the C stack of every
 * native frame that evaluates Python code, and its address, the anchor, says which frame that is.
 *
 *     native frame i spans [sp i, sp i+1)        run k, anchor A
 *     sp i <= A < sp i+1   ⇒   the run stands in place of frame i
 *
 * A run whose frame was not unwound is put where its address belongs, or, without an anchor, after
 * the run before it; nothing is dropped.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "interpreter.h"

#include "proftop/memory.h"

struct output {
    struct frame *frames;
    uint64_t *stacks;
    uint32_t count, limit;
};

static void emit(struct output *output, struct frame frame, uint64_t stack)
{
    if (output->count == output->limit)
        return;
    output->frames[output->count] = frame;
    output->stacks[output->count] = stack;
    output->count++;
}

static void emit_run(struct output *output, const struct python_run *run,
                     const struct frame *resolved, uint64_t stack)
{
    for (uint32_t i = run->first; i < run->end; i++) {
        if (resolved[i].kind == FRAME_PYTHON)
            emit(output, resolved[i], stack);
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

/* The outermost native frame has no end to its span: it holds no run if what follows is a break. */
static bool holds(const uint64_t *stacks, uint32_t count, uint32_t at, uint64_t anchor)
{
    return stacks[at] != 0 && stacks[at] <= anchor && anchor < span_end(stacks, count, at);
}

static bool broken(const struct frame *frames, uint32_t count)
{
    return count > 0 && frames[count - 1].kind == FRAME_MARK &&
           frames[count - 1].module == MARK_BROKEN;
}

struct merge_result merge_runs(const struct python_run *runs, uint32_t run_count,
                               const struct frame *resolved, struct frame *frames, uint64_t *stacks,
                               uint32_t count, uint32_t limit)
{
    static const struct frame cut_mark = { .kind = FRAME_MARK, .module = MARK_NATIVE_CUT };
    struct frame *native = xmalloc((size_t)(count + 1) * sizeof(*native));
    uint64_t *native_stacks = xmalloc((size_t)(count + 1) * sizeof(*native_stacks));
    struct output output = { frames, stacks, 0, limit };
    struct merge_result result = { count, 0 };
    uint32_t run = 0;
    bool cut = broken(frames, count);

    memcpy(native, frames, count * sizeof(*native));
    memcpy(native_stacks, stacks, count * sizeof(*native_stacks));
    for (uint32_t i = 0; i < count; i++) {
        uint64_t end = span_end(native_stacks, count, i);
        bool last_known = end == UINT64_MAX && cut, taken = false;

        if (last_known && native[i].kind == FRAME_MARK) {
            /* The break: what was not placed yet lies beyond it. */
            for (; run < run_count; run++, result.cut++)
                emit_run(&output, &runs[run], resolved, runs[run].anchor);
        }
        /* Runs that lie before this frame: their own was lost in the middle. */
        while (run < run_count && native_stacks[i] != 0 && runs[run].anchor != 0 &&
               runs[run].anchor < native_stacks[i]) {
            emit_run(&output, &runs[run], resolved, runs[run].anchor);
            result.cut++;
            run++;
        }
        while (run < run_count && !last_known && runs[run].anchor != 0 &&
               holds(native_stacks, count, i, runs[run].anchor)) {
            emit_run(&output, &runs[run], resolved, native_stacks[i]);
            taken = true;
            run++;
        }
        if (!taken)
            emit(&output, native[i], native_stacks[i]);
    }
    for (; run < run_count; run++, result.cut++)
        emit_run(&output, &runs[run], resolved, runs[run].anchor);
    if (result.cut != 0)
        emit(&output, cut_mark, 0);
    result.count = output.count;
    free(native);
    free(native_stacks);
    return result;
}
