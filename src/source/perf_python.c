/* SPDX-License-Identifier: MIT */
/*
 * Python that appears below a target that had none when its source was chosen: "make test",
 * "./run.sh".  Its frames must be read while a thread stands still, which this source cannot do, so
 * it hands the target over to the one that can.
 */
#include "config.h"

#include "perf_private.h"

#include <inttypes.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/python.h"

/* CPU time that an interpreter has used before it is worth it: a build runs many that end soon. */
#define WORTH_NS (100 * NS_PER_MS)

void perf_python_count(struct perf *perf, struct tracked *process, uint64_t weight_ns)
{
    if (!perf->config.hands_over || process->maps == NULL || !python_suspected(process->maps))
        return;
    process->python_ns += weight_ns;
    if (process->python_ns >= WORTH_NS)
        perf->python_pid = process->pid;
}

bool perf_python_hand_over(struct perf *perf, uint64_t now_ns)
{
    struct error error;

    if (perf->python_pid == 0)
        return false;
    perf->config.hands_over = false;
    if (!source_ptrace.probe(perf->target, &perf->config, &error)) {
        emit_note(&perf->emit, now_ns, NOTE_WARNING,
                  _("process %" PRId32 " runs Python, whose functions are not shown: %s"),
                  perf->python_pid, error.message);
        perf->python_pid = 0;
        return false;
    }
    emit_note(&perf->emit, now_ns, NOTE_INFO,
              _("process %" PRId32
                " runs Python: threads are stopped briefly from here on (ptrace), "
                "so that its functions are shown"),
              perf->python_pid);
    return true;
}
