/* SPDX-License-Identifier: MIT */
/*
 * The perf source: the kernel takes the samples (perf_event_open), with registers and a copy of the
 * stack; we unwind and tell them.
 *
 *     step:  epoll ─► rings (perf_take.c) ─► threads that wait (waiting.c) ─► watch (perf_watch.c)
 *
 * Everything runs on the source's thread.
 */
#include "config.h"

#include "perf_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"

enum { STACK_BYTES = 16 << 10, READY_MAX = 64 };

/* A record is in its ring within this time of what it tells. */
#define RECORD_DELAY_NS (2 * NS_PER_MS)

static bool make_wish(const struct target *target, const struct source_config *config,
                      struct perf_wish *wish, struct error *error)
{
    memset(wish, 0, sizeof(*wish));
    wish->rate_hz = config->rate_hz;
    wish->stack_bytes = STACK_BYTES;
    wish->kernel = true;
    wish->children = target_follows_children(target);
    if (config->event != NULL) {
        struct perf_list list;

        if (!perf_list_parse(config->event, &list, error))
            return false;
        wish->event = list.names[0];
        wish->period = wish->event.type == PERF_TYPE_SOFTWARE && wish->event.metric != METRIC_TIME;
        wish->beside_count = list.count - 1;
        memcpy(wish->beside, &list.names[1], wish->beside_count * sizeof(wish->beside[0]));
        return true;
    }
    wish->event = perf_name_cycles;
    wish->beside_count = PERF_NAMES_BESIDE;
    memcpy(wish->beside, perf_names_beside, sizeof(perf_names_beside));
    return true;
}

static bool refused(const struct target *target, const char *name, int failure, struct error *error)
{
    char call[128];

    snprintf(call, sizeof(call), "perf_event_open(%s, pid %" PRId32 ")", name, target_pid(target));
    switch (failure) {
    case -EACCES:
    case -EPERM:
        return target_denied(target, target_pid(target), call, -failure, error);
    case -ENOENT:
    case -ENODEV:
    case -EOPNOTSUPP:
        error_set(error, STATUS_FAILED, _("this machine does not count %s"), name);
        error_hint(
            error, "%s",
            _("hardware events need a PMU, which many virtual machines lack; cpu-clock works "
              "everywhere"));
        return false;
    case -EINVAL:
        error_set(error, STATUS_FAILED, _("this kernel does not count %s beside samples"), name);
        error_hint(error, "%s", _("Linux 6.13 and later do"));
        return false;
    case -ENOSYS:
        error_set(error, STATUS_FAILED, "%s", _("this kernel has no perf events"));
        error_hint(error, "%s", _("--source ptrace works without them"));
        return false;
    default:
        return error_errno(error, -failure, "%s: %s", call, strerror(-failure));
    }
}

/* What is asked for beside the samples has to be there; of what usually is, what can be. */
static bool try_beside(const struct target *target, const struct source_config *config, int32_t tid,
                       struct perf_wish *wish, struct error *error)
{
    while (wish->beside_count > 0) {
        unsigned which;
        int failure;

        wish->groups = true;
        failure = perf_events_try_beside(wish, tid, &which);
        if (failure == 0)
            return true;
        if (config->event != NULL)
            return refused(target, wish->beside[which].name, failure, error);
        wish->beside_count--;
        memmove(&wish->beside[which], &wish->beside[which + 1],
                (wish->beside_count - which) * sizeof(wish->beside[0]));
    }
    wish->groups = false;
    return true;
}

/* Opens one event as a trial; without -e cpu-clock stands in for a PMU. */
static bool try_wish(const struct target *target, const struct source_config *config,
                     struct perf_wish *wish, struct error *error)
{
    int32_t tid = proc_living_thread(target_proc_root(target), target_pid(target));
    int failure;

    if (!make_wish(target, config, wish, error))
        return false;
    failure = perf_events_try(wish, tid);
    if (failure != 0 && config->event == NULL) {
        wish->event = perf_name_cpu_clock;
        wish->beside_count = 0;
        wish->kernel = true;
        failure = perf_events_try(wish, tid);
    }
    if (failure != 0)
        return refused(target, wish->event.name, failure, error);
    return try_beside(target, config, tid, wish, error);
}

/* Every thread there is. */
static void list_threads(struct target *target, struct proc_ids *tids)
{
    struct target_process processes[256];
    size_t count = target_processes(target, processes, 256, false);

    for (size_t i = 0; i < count && i < 256; i++)
        proc_tids(target_proc_root(target), processes[i].pid, tids);
}

static bool refuse_many(struct error *error)
{
    error_set(error, STATUS_FAILED, "%s",
              _("the target has too many threads for an event each, and sampling system-wide is "
                "not permitted"));
    error_hint(error, "%s", _("--source ptrace needs no descriptor a thread"));
    return false;
}

static bool perf_probe(const struct target *target, const struct source_config *config,
                       struct error *error)
{
    struct perf_wish wish;
    struct proc_ids tids = { 0 };
    bool room;

    if (!try_wish(target, config, &wish, error))
        return false;
    list_threads((struct target *)target, &tids);
    room = perf_events_have_room(tids.count) || perf_events_system_allowed(&wish);
    proc_ids_fini(&tids);
    return room || refuse_many(error);
}

/* Events on every thread there is; threads they start inherit them. */
static int attach_all(struct perf *perf)
{
    struct proc_ids *tids = &perf->watch.suspects;
    int failure = 0;

    tids->count = 0;
    list_threads(perf->target, tids);
    for (size_t i = 0; i < tids->count && failure == 0; i++) {
        failure = perf_events_attach(&perf->events, tids->ids[i]);
        if (failure == -ESRCH)
            failure = 0;
    }
    return failure;
}

/* Thread events, or system-wide ones where there are too many threads. */
static bool open_events(struct perf *perf, const struct perf_wish *wish, struct error *error)
{
    int failure = perf_events_init(&perf->events, wish);

    if (failure != 0) {
        error_errno(error, -failure, _("cannot map the kernel's sample buffers: %s"),
                    strerror(-failure));
        error_hint(error, "%s",
                   _("the locked memory is bounded by kernel.perf_event_mlock_kb and ulimit -l"));
        return false;
    }
    perf->system_allowed = perf_events_system_allowed(wish);
    failure = attach_all(perf);
    if (failure == -EMFILE && wish->beside_count > 0) {
        perf->events.wish.beside_count = 0;
        perf->beside_dropped = true;
        failure = perf_events_reopen(&perf->events, NULL, 0);
        if (failure == 0)
            failure = attach_all(perf);
    }
    if (failure == -EMFILE) {
        if (perf->system_allowed)
            failure = perf_events_go_system(&perf->events);
        if (failure != 0)
            return refuse_many(error);
    }
    return failure == 0 || refused(perf->target, wish->event.name, failure, error);
}

/* What came since the last step, and what waits for its tables. */
static void tell_the_rest(struct perf *perf)
{
    uint64_t now_ns = clock_now_ns();

    perf_take(perf, now_ns);
    perf_watch_tally(perf, now_ns);
    pending_end(&perf->pending);
    emit_tally(&perf->emit, now_ns);
}

static void perf_stop(struct source *source)
{
    struct perf *perf = (struct perf *)source;

    if (perf->started)
        tell_the_rest(perf);
}

static void perf_close(struct source *source)
{
    struct perf *perf = (struct perf *)source;

    if (perf->exit_fd >= 0)
        close(perf->exit_fd);
    if (perf->ready_fd >= 0)
        close(perf->ready_fd);
    perf_events_fini(&perf->events);
    pending_fini(&perf->pending);
    roster_fini(&perf->roster);
    perf_watch_fini(perf);
    free(perf->leaving.threads);
    free(perf);
}

/* FD −1: nothing to wait for. */
static bool wait_for(struct perf *perf, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

    return fd < 0 || epoll_ctl(perf->ready_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_ready(struct perf *perf, struct error *error)
{
    bool good;

    perf->ready_fd = epoll_create1(EPOLL_CLOEXEC);
    good = perf->ready_fd >= 0 && wait_for(perf, perf->config.wake_fd) &&
           wait_for(perf, perf->exit_fd);
    for (size_t i = 0; i < perf->events.ring_count; i++)
        good = good && wait_for(perf, perf->events.rings[i].fd);
    return good || error_errno(error, errno, _("cannot wait for samples: %s"), strerror(errno));
}

static struct source *perf_open(struct target *target, const struct source_config *config,
                                struct error *error)
{
    struct perf *perf;
    struct perf_wish wish;

    if (!try_wish(target, config, &wish, error))
        return NULL;
    perf = xcalloc(1, sizeof(*perf));
    perf->config = *config;
    perf->target = target;
    perf->show_kernel = config->kernel;
    perf->beside_dropped = config->event == NULL && wish.event.type == PERF_TYPE_HARDWARE &&
                           wish.beside_count < PERF_NAMES_BESIDE;
    perf->ready_fd = -1;
    perf->exit_fd = (int)syscall(SYS_pidfd_open, target_pid(target), 0);
    roster_init(&perf->roster, target, config, &perf->emit);
    perf->roster.maps_told = true;
    pending_init(&perf->pending, config->unwinder, &perf->roster);
    waiting_init(&perf->waiting, &perf->roster, &perf->pending, config);
    if (!open_events(perf, &wish, error) || !open_ready(perf, error)) {
        perf_close((struct source *)perf);
        return NULL;
    }
    return (struct source *)perf;
}

/* Of the threads that were attached to, the first time. */
static void found_at_start(void *context, int32_t pid, int32_t tid)
{
    struct perf *perf = context;

    for (size_t i = 0; i < perf->watch.suspects.count; i++) {
        if (perf->watch.suspects.ids[i] == tid) {
            roster_add(&perf->roster, pid, tid, THREAD_SEEN, perf->watch.checked_ns);
            return;
        }
    }
    proc_ids_add(&perf->watch.strangers, tid);
}

static void start(struct perf *perf, uint64_t now_ns)
{
    perf->started = true;
    perf_watch_start(perf, now_ns);
    roster_scan(&perf->roster, now_ns, found_at_start, perf);
    perf->watch.suspects.count = 0;
    perf->watch.scanned_ns = now_ns;
    for (size_t i = 0; i < perf->roster.count; i++)
        roster_maps(&perf->roster, perf->roster.threads[i]->process, now_ns);
    if (perf->events.system)
        emit_note(&perf->emit, now_ns, NOTE_INFO, "%s",
                  _("sampling every CPU and keeping the target's samples: it has too many threads "
                    "for events of their own"));
    if (perf->beside_dropped)
        emit_note(&perf->emit, now_ns, NOTE_INFO, "%s",
                  _("not all that was wanted is counted beside the samples: that takes Linux 6.13, "
                    "a CPU that counts it, and not too many threads"));
    if (!perf->events.wish.kernel)
        emit_note(&perf->emit, now_ns, NOTE_INFO, "%s",
                  _("time in the kernel is told without its frames: sampling there needs "
                    "kernel.perf_event_paranoid ≤ 1 or cap_perfmon"));
}

static void wait_for_work(struct perf *perf)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t due_ns =
        perf->pending.first != NULL ? now_ns + 10 * NS_PER_MS : waiting_due(&perf->waiting, now_ns);
    int timeout_ms = due_ns > now_ns ? (int)((due_ns - now_ns) / NS_PER_MS) + 1 : 1;
    struct epoll_event events[READY_MAX];
    int count = epoll_wait(perf->ready_fd, events, READY_MAX, timeout_ms);

    /* One that ended stays readable, and the target's other processes may run on. */
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd == perf->exit_fd)
            epoll_ctl(perf->ready_fd, EPOLL_CTL_DEL, perf->exit_fd, NULL);
    }
}

static int perf_step(struct source *source, struct ring *ring)
{
    struct perf *perf = (struct perf *)source;
    uint64_t now_ns, finished_ns;

    perf->emit.ring = ring;
    if (!perf->started)
        start(perf, clock_now_ns());
    wait_for_work(perf);
    now_ns = clock_now_ns();
    perf_take(perf, now_ns);
    finished_ns = pending_retry(&perf->pending, now_ns);
    waiting_look(&perf->waiting, now_ns);
    if (perf->events.wish.event.metric == METRIC_TIME)
        perf_settle(perf, now_ns);
    perf_watch(perf, now_ns);
    emit_watermark(&perf->emit, (finished_ns < now_ns ? finished_ns : now_ns) - RECORD_DELAY_NS);
    if (perf_hand_over(perf, now_ns))
        return SOURCE_HANDS_OVER;
    return roster_over(&perf->roster, true, now_ns) && perf->pending.first == NULL ? -ESRCH : 0;
}

const struct source_ops source_perf = {
    .name = "perf",
    .successor = &source_ptrace,
    .probe = perf_probe,
    .open = perf_open,
    .step = perf_step,
    .stop = perf_stop,
    .close = perf_close,
};
