/* SPDX-License-Identifier: MIT */
/*
 * Watches how well the perf source does, at most twice a second, and changes what can be changed:
 *
 *     a thread nobody told about         gets events of its own
 *     short-lived tasks go unseen        system-wide events, where allowed; else it is said
 *     many stacks are truncated          larger copies
 *     records are lost, or we are slow   a lower rate; later the asked one again
 */
#include "config.h"

#include "perf_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"

enum {
    STACK_BYTES_MAX = 60 << 10, /* a record is under 64 KiB */
    CUT_MIN = 3,                /* stacks, between two checks */
    RATE_MIN = 20,
    COVERAGE_MIN = 90, /* per cent */
    COVERAGE_ROUNDS = 4,
    BLIND_ROUNDS = 2,
    OWN_CPU_MAX = 30, /* per cent of a core */
    SCAN_SHARE = 300, /* a scan takes at most this part of the time */
};

#define JITTER_NS (100 * NS_PER_MS)
#define CHECK_NS (500 * NS_PER_MS)
#define SCAN_NS (2 * NS_PER_S)

void perf_watch_start(struct perf *perf, uint64_t now_ns)
{
    struct perf_watch *watch = &perf->watch;

    watch->checked_ns = watch->jittered_ns = now_ns;
    watch->scanned_ns = 0;
    rate_init(&watch->rate, &perf->emit, perf->config.rate_hz, RATE_MIN);
    watch->target_cpu_ns = target_cpu_ns(perf->target);
    watch->thread_cpu_ns = clock_thread_cpu_ns();
}

void perf_watch_fini(struct perf *perf)
{
    proc_ids_fini(&perf->watch.strangers);
    proc_ids_fini(&perf->watch.suspects);
}

static bool contains(const struct proc_ids *ids, int32_t id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (ids->ids[i] == id)
            return true;
    return false;
}

/*
 * A thread that /proc shows and no record told of was either started by one that had no events yet,
 * and needs its own, or its record is still on the way: the next scan tells them apart.
 */
static void found_stranger(void *context, int32_t pid, int32_t tid)
{
    struct perf *perf = context;
    struct perf_watch *watch = &perf->watch;
    int failure;

    if (!contains(&watch->suspects, tid)) {
        proc_ids_add(&watch->strangers, tid);
        return;
    }
    failure = perf_events_attach(&perf->events, tid);
    if (failure == -EMFILE && perf->events.wish.beside_count > 0) {
        perf_beside_stop(perf, watch->scanned_ns, _("there are too many threads"));
        perf_watch_reopen(perf);
        failure = perf_events_attach(&perf->events, tid);
    }
    if (failure == 0)
        roster_add(&perf->roster, pid, tid, THREAD_SEEN, watch->scanned_ns);
}

void perf_watch_attach_again(struct perf *perf, struct tracked *process)
{
    process->unsampled = perf_events_attach(&perf->events, process->pid) != 0;
    process->lost &= process->unsampled;
    process->stale = true; /* what it mapped meanwhile nobody told */
}

/* What exec'd a program with more rights may have exec'd one of ours since. */
static void attach_unsampled(struct perf *perf)
{
    for (struct tracked *process = perf->roster.processes; process != NULL; process = process->next)
        if (process->unsampled)
            perf_watch_attach_again(perf, process);
}

static void scan(struct perf *perf, uint64_t now_ns)
{
    struct perf_watch *watch = &perf->watch;
    struct proc_ids last = watch->suspects;

    watch->suspects = watch->strangers;
    watch->strangers = last;
    watch->strangers.count = 0;
    watch->scanned_ns = now_ns;
    roster_scan(&perf->roster, now_ns, found_stranger, perf);
    attach_unsampled(perf);
    watch->scan_every_ns = (clock_now_ns() - now_ns) * SCAN_SHARE;
    if (watch->scan_every_ns < SCAN_NS)
        watch->scan_every_ns = SCAN_NS;
}

/* Makes the events what perf->events.wish has become. */
void perf_watch_reopen(struct perf *perf)
{
    struct proc_ids tids = { 0 };

    for (size_t i = 0; i < perf->roster.count; i++)
        proc_ids_add(&tids, perf->roster.threads[i]->tid);
    perf_events_reopen(&perf->events, tids.ids, tids.count);
    perf_beside_restart(perf);
    proc_ids_fini(&tids);
}

static void use_rate(struct perf *perf)
{
    perf->events.wish.rate_hz = perf->watch.rate.hz;
    perf_watch_reopen(perf);
}

static void check_rate(struct perf *perf, uint64_t now_ns, uint64_t own_cpu_ns, uint64_t period_ns)
{
    struct perf_watch *watch = &perf->watch;
    const char *why = NULL;

    if (watch->lost * 50 > watch->received + watch->lost)
        why = _("samples were being lost");
    else if (own_cpu_ns * 100 > period_ns * OWN_CPU_MAX && perf->pending.first == NULL)
        why = _("unwinding took too much of a core");
    else if (watch->lost > 0 || own_cpu_ns * 400 > period_ns * OWN_CPU_MAX)
        rate_strained(&watch->rate, now_ns);
    if (why != NULL ? rate_lower(&watch->rate, &perf->emit, now_ns, why)
                    : rate_raise(&watch->rate, &perf->emit, now_ns))
        use_rate(perf);
}

/* One in two hundred may be deeper than what is copied. */
static void check_stacks(struct perf *perf)
{
    uint32_t *bytes = &perf->events.wish.stack_bytes, cut = perf->pending.cut;

    if (cut < CUT_MIN || cut * 200 < perf->watch.received || *bytes == STACK_BYTES_MAX)
        return;
    perf->pending.cut = 0;
    *bytes = *bytes * 2 < STACK_BYTES_MAX ? *bytes * 2 : STACK_BYTES_MAX;
    perf_watch_reopen(perf);
}

/* Every CPU is sampled from here on, of all tasks. */
static void go_system(struct perf *perf, uint64_t now_ns)
{
    if (perf_events_go_system(&perf->events) != 0)
        return;
    if (perf->events.wish.beside_count > 0)
        perf_beside_stop(perf, now_ns, _("a CPU's counters do not tell threads apart"));
    emit_note(&perf->emit, now_ns, NOTE_INFO, "%s",
              _("sampling every CPU and keeping the target's samples: its short-lived "
                "threads and processes are missed otherwise"));
}

/*
 * Short lives go unseen and this source cannot help it.  Twice in a row: the time of a child comes
 * all at once when it is waited for.
 */
static void stay_blind(struct perf *perf, uint64_t now_ns)
{
    struct perf_watch *watch = &perf->watch;
    bool most = watch->covered_ns * 2 < watch->due_ns;

    perf->unseen_pct = (unsigned)((watch->due_ns - watch->covered_ns) * 100 / watch->due_ns);
    if (!most || !perf->config.hands_over)
        perf_tell_unseen(perf, now_ns);
    else if (++watch->blind_rounds >= BLIND_ROUNDS)
        perf->blind = true;
}

/*
 * Most is missed, and too much of it for chance; or nearly all, and more than the periods that each
 * thread has not come to the end of.
 */
static bool is_hopeless(const struct perf *perf, uint64_t covered_ns, uint64_t due_ns)
{
    uint64_t period_ns = perf_events_period(&perf->events);
    uint64_t missed_ns = due_ns > covered_ns ? due_ns - covered_ns : 0;

    return (covered_ns * 2 < due_ns && missed_ns > 40 * period_ns) ||
           (covered_ns * 10 < due_ns && missed_ns > (10 + perf->roster.count) * period_ns);
}

/* What does nothing but start short-lived tasks shows before the first check is due. */
static void check_early(struct perf *perf, uint64_t now_ns)
{
    const struct perf_watch *watch = &perf->watch;
    const struct perf_wish *wish = &perf->events.wish;

    if (watch->checked || !perf->system_allowed || perf->events.system ||
        wish->event.metric != METRIC_TIME || wish->beside_count > 0)
        return;
    if (is_hopeless(perf, watch->received * perf_events_period(&perf->events),
                    target_cpu_ns(perf->target) - watch->target_cpu_ns))
        go_system(perf, now_ns);
}

/*
 * Below 90 % over two seconds, or far below at once: short-lived tasks end before an inherited
 * event can fire.
 */
static void check_coverage(struct perf *perf, uint64_t now_ns)
{
    struct perf_watch *watch = &perf->watch;
    uint64_t period_ns = perf_events_period(&perf->events);
    bool low = watch->covered_ns * 100 < watch->due_ns * COVERAGE_MIN &&
               watch->due_ns - watch->covered_ns > 8 * period_ns;
    bool lost_rights = perf->roster.told_first_lost || perf->roster.told_child_lost;
    bool hopeless = is_hopeless(perf, watch->covered_ns, watch->due_ns);

    if (++watch->rounds < COVERAGE_ROUNDS && !hopeless)
        return;
    if (!low)
        watch->blind_rounds = 0;
    if (low && perf->events.wish.beside_count > 0 &&
        perf->events.wish.event.type == PERF_TYPE_HARDWARE) {
        perf_beside_stop(perf, now_ns, _("the CPU has too few counters for it"));
        perf_watch_reopen(perf);
    } else if (low && perf->system_allowed && !perf->events.system)
        go_system(perf, now_ns);
    else if (low && !perf->system_allowed && !lost_rights)
        stay_blind(perf, now_ns);
    watch->rounds = 0;
    watch->covered_ns = watch->due_ns = 0;
}

/*
 * CPU time comes and goes with processes that are waited for late: more than there are CPUs for is
 * of another time.
 */
static void settle_short_lives(struct perf *perf, int64_t used_ns, uint64_t now_ns)
{
    struct perf_watch *watch = &perf->watch;
    int64_t most_ns = (int64_t)((now_ns - watch->checked_ns) * perf->events.ring_count);
    int64_t tolerated_ns = 0;

    for (size_t i = 0; i < perf->roster.count; i++)
        if (perf->roster.threads[i]->account.looked)
            tolerated_ns += ACCOUNT_TOLERATED * (int64_t)perf_events_period(&perf->events);
    if (watch->all_seen && watch->lost == 0 && used_ns < most_ns && used_ns > -most_ns)
        short_lives_settle(&watch->lives, used_ns, watch->told_ns, tolerated_ns);
    watch->all_seen = perf->events.system && perf->events.wish.event.metric == METRIC_TIME;
}

/* What samples stood for and what was used, since the last check; tells the tally. */
static void check_tally(struct perf *perf, uint64_t now_ns)
{
    struct perf_watch *watch = &perf->watch;
    struct record_tally *tally = &perf->emit.tally;
    uint64_t period_ns = perf_events_period(&perf->events);
    uint64_t cpu_ns = target_cpu_ns(perf->target);
    uint64_t used_ns = cpu_ns > watch->target_cpu_ns ? cpu_ns - watch->target_cpu_ns : 0;
    uint64_t covered_ns = watch->received * period_ns + watch->kernel_unseen_ns;

    /* What a process used last is gone with it, but for its samples. */
    if (used_ns < covered_ns && perf->events.wish.event.metric == METRIC_TIME &&
        !target_alive(perf->target))
        used_ns = covered_ns;
    settle_short_lives(perf, (int64_t)(cpu_ns - watch->target_cpu_ns), now_ns);
    watch->target_cpu_ns = cpu_ns;
    watch->covered_ns += covered_ns;
    watch->due_ns += used_ns;
    tally->target_cpu_ns += used_ns;
    if (perf->events.wish.event.metric != METRIC_TIME)
        tally->expected = tally->received + tally->lost;
    else if (used_ns > watch->kernel_unseen_ns)
        emit_due(&perf->emit, used_ns - watch->kernel_unseen_ns, period_ns);
}

uint64_t perf_watch_tally(struct perf *perf, uint64_t now_ns)
{
    struct perf_watch *watch = &perf->watch;
    uint64_t own_cpu_ns = clock_thread_cpu_ns() - watch->thread_cpu_ns;

    watch->thread_cpu_ns += own_cpu_ns;
    perf->emit.tally.source_cpu_ns += own_cpu_ns;
    check_tally(perf, now_ns);
    emit_tally(&perf->emit, now_ns);
    return own_cpu_ns;
}

void perf_watch(struct perf *perf, uint64_t now_ns)
{
    struct perf_watch *watch = &perf->watch;
    uint64_t period_ns = now_ns - watch->checked_ns;
    uint64_t own_cpu_ns;

    if (now_ns - watch->scanned_ns >= watch->scan_every_ns)
        scan(perf, now_ns);
    if (now_ns - watch->jittered_ns >= JITTER_NS) {
        perf_events_jitter(&perf->events, now_ns - watch->jittered_ns);
        watch->jittered_ns = now_ns;
    }
    check_early(perf, now_ns);
    check_stacks(perf);
    if (period_ns < CHECK_NS)
        return;
    own_cpu_ns = perf_watch_tally(perf, now_ns);
    check_rate(perf, now_ns, own_cpu_ns, period_ns);
    if (perf->events.wish.event.metric == METRIC_TIME)
        check_coverage(perf, now_ns);
    watch->checked_ns = now_ns;
    watch->checked = true;
    watch->received = watch->lost = watch->told_ns = watch->kernel_unseen_ns = 0;
    perf->pending.cut = 0;
}
