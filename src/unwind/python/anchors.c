/* SPDX-License-Identifier: MIT */
/*
 * 3.8 and 3.9 keep nothing on the C stack that tells which native frame runs which Python frame.
 * But the evaluation loop holds the address of its frame object in a register that its callees must
 * preserve, and the unwinder recovers those: the native frame in which one of them holds the
 * address is the one.  Callees that do not use the register still hold it, so the outermost frame
 * counts.
 */
#include "config.h"

#include "interpreter.h"

bool python_needs_registers(const struct python *python)
{
    return python->offsets.layout == LAYOUT_OBJECTS;
}

static bool holds_address(const struct unwind_saved *saved, uint64_t address)
{
    if (saved->bp_known && saved->bp == address)
        return true;
    for (int i = 0; i < UNWIND_KEPT; i++) {
        if ((saved->general_known >> i & 1) && saved->general[i] == address)
            return true;
    }
    return false;
}

void python_anchor(struct python_sample *sample, const uint64_t *stacks,
                   const struct unwind_saved *saved, uint32_t count)
{
    uint32_t at = 0;

    for (uint32_t run = 0; run < sample->run_count; run++) {
        uint64_t address = sample->frames[sample->runs[run].first].address;
        uint32_t best = UINT32_MAX;

        for (uint32_t i = at; i < count; i++) {
            if (stacks[i] != 0 && holds_address(&saved[i], address))
                best = i;
        }
        if (best == UINT32_MAX)
            continue;
        sample->runs[run].anchor = stacks[best];
        at = best + 1;
    }
}
