/* SPDX-License-Identifier: MIT */
/*
 * When the perf source gives the target to the ptrace source, which sees what this one cannot:
 *
 *     Python that appears below a target that had none when its source was chosen ("make test",
 *     "./run.sh"): its frames must be read while a thread stands still
 *
 *     threads or processes that end before an event they inherit fires, where system-wide events,
 *     which would see them, are not permitted
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
    if (!perf->config.hands_over || !perf->config.python || process->maps == NULL ||
        !python_suspected(process->maps))
        return;
    process->python_ns += weight_ns;
    if (process->python_ns >= WORTH_NS)
        perf->python_pid = process->pid;
}

void perf_tell_unseen(struct perf *perf, uint64_t now_ns)
{
    if (perf->watch.told_unseen)
        return;
    perf->watch.told_unseen = true;
    emit_note(&perf->emit, now_ns, NOTE_WARNING,
              _("%u %% of the CPU time is unseen: short-lived threads and processes; "
                "system-wide sampling (cap_perfmon) would see them"),
              perf->unseen_pct);
}

static void tell_why(struct perf *perf, uint64_t now_ns)
{
    if (perf->python_pid != 0)
        emit_note(&perf->emit, now_ns, NOTE_INFO,
                  _("process %" PRId32
                    " runs Python: threads are stopped briefly from here on (ptrace), "
                    "so that its functions are shown"),
                  perf->python_pid);
    else
        emit_note(&perf->emit, now_ns, NOTE_INFO,
                  _("%u %% of the CPU time was unseen, short-lived threads and processes: threads "
                    "are stopped briefly from here on (ptrace), so that those are met; "
                    "system-wide sampling (cap_perfmon) would see them without"),
                  perf->unseen_pct);
}

static void tell_impossible(struct perf *perf, uint64_t now_ns, const struct error *error)
{
    if (perf->python_pid != 0)
        emit_note(&perf->emit, now_ns, NOTE_WARNING,
                  _("process %" PRId32 " runs Python, whose functions are not shown: %s"),
                  perf->python_pid, error->message);
    else
        perf_tell_unseen(perf, now_ns);
}

bool perf_hand_over(struct perf *perf, uint64_t now_ns)
{
    struct error error;
    bool possible;

    /* What waits for its tables is unwound first. */
    if ((perf->python_pid == 0 && !perf->blind) || perf->pending.first != NULL)
        return false;
    perf->config.hands_over = false;
    possible = source_ptrace.probe(perf->target, &perf->config, &error);
    if (possible)
        tell_why(perf, now_ns);
    else
        tell_impossible(perf, now_ns, &error);
    perf->python_pid = 0;
    perf->blind = false;
    return possible;
}
