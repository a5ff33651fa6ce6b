/* SPDX-License-Identifier: MIT */
/* Opening and keeping perf events: see perf_events.h. */
#include "config.h"

#include "perf_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "perf_record.h"
#include "proftop/clock.h"
#include "proftop/descriptors.h"
#include "proftop/memory.h"
#include "random.h"

enum {
    RING_BUFFER_MS = 200, /* of samples, at the asked rate; we are woken when most of it is full */
    JITTER_AT_ONCE = 2,   /* events; each is a call, which may interrupt a CPU */
    /* A new period starts afresh, half of one is lost each time: a part in 256. */
    JITTER_PERIODS = 128,
    JITTER_PART = 64, /* of a period */
    RING_SIZE_MAX = 16 << 20,
    SAMPLE_BYTES = 512, /* beside the stack */
    EVENTS_SHARE = 2,   /* events are at most this part of our descriptors */
};

/* LEADER: of the group it joins, or -1. */
static int open_event(const struct perf_event_attr *attr, int32_t tid, int cpu, int leader)
{
    int fd = (int)syscall(SYS_perf_event_open, attr, tid, cpu, leader,
                          (unsigned long)PERF_FLAG_FD_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

/* Events whose period is known in advance; of the others the kernel adjusts it to the rate. */
static bool counts_time(const struct perf_name *event)
{
    return event->type == PERF_TYPE_SOFTWARE && event->metric == METRIC_TIME;
}

uint64_t perf_wish_layout(const struct perf_wish *wish)
{
    uint64_t layout = PERF_SAMPLES;

    if (wish->kernel)
        layout |= PERF_SAMPLE_CALLCHAIN;
    /* A software event that is asked for its period fires each time, whatever the period is. */
    if (wish->period != 0)
        layout &= ~(uint64_t)PERF_SAMPLE_PERIOD;
    if (wish->groups)
        layout |= PERF_SAMPLE_READ;
    return layout;
}

/*
 * Beside the nominal one by a 64th to a 32nd of it: what the target does as often as it is sampled
 * is met at all points within a second, and still as many samples come as are due.
 */
static uint64_t jittered_period(struct perf_events *events)
{
    uint64_t period = perf_events_period(events), aside;
    uint64_t x = random_next(&events->random);

    aside = period / JITTER_PART + x % (period / JITTER_PART + 1);
    return x >> 63 ? period + aside : period - aside;
}

static void fill_attr(struct perf_event_attr *attr, const struct perf_wish *wish)
{
    memset(attr, 0, sizeof(*attr));
    attr->size = sizeof(*attr);
    attr->type = wish->event.type;
    attr->config = wish->event.config;
    if (counts_time(&wish->event)) {
        attr->sample_period = NS_PER_S / wish->rate_hz;
    } else if (wish->period != 0) {
        attr->sample_period = wish->period;
    } else {
        attr->freq = 1;
        attr->sample_freq = wish->rate_hz;
    }
    attr->sample_type = perf_wish_layout(wish);
    attr->sample_regs_user = perf_user_registers;
    attr->sample_stack_user = wish->stack_bytes;
    attr->exclude_hv = 1;
    if (wish->groups)
        attr->read_format = PERF_FORMAT_GROUP;
    if (wish->kernel)
        attr->exclude_callchain_user = 1;
    else
        attr->exclude_kernel = 1;
    attr->mmap = attr->mmap2 = 1;
    attr->comm = attr->comm_exec = 1;
    attr->task = 1;
    attr->sample_id_all = 1;
    attr->use_clockid = 1;
    attr->clockid = CLOCK_MONOTONIC;
}

/* As fill_attr(), for an event on one thread. */
static void fill_thread_attr(struct perf_event_attr *attr, const struct perf_wish *wish)
{
    fill_attr(attr, wish);
    attr->inherit = 1;
    attr->inherit_thread = !wish->children;
    /* Groups take turns where the CPU has too few counters; this one also takes the samples. */
    attr->pinned = wish->beside_count > 0;
}

/* What NAME's event is in the group that LEADER leads: counted, never sampled. */
static struct perf_event_attr beside_attr(const struct perf_event_attr *leader,
                                          const struct perf_name *name)
{
    return (struct perf_event_attr){ .size = sizeof(*leader),
                                     .type = name->type,
                                     .config = name->config,
                                     .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_READ,
                                     .read_format = leader->read_format,
                                     .exclude_hv = 1,
                                     .exclude_kernel = leader->exclude_kernel,
                                     .inherit = 1,
                                     .inherit_thread = leader->inherit_thread,
                                     .use_clockid = 1,
                                     .clockid = leader->clockid };
}

/* inherit_thread came with 5.13: before, children are sampled too and left out by their pid. */
static int open_thread_event(struct perf_event_attr *attr, int32_t tid, int cpu)
{
    int fd = open_event(attr, tid, cpu, -1);

    if (fd == -EINVAL && attr->inherit_thread) {
        attr->inherit_thread = 0;
        fd = open_event(attr, tid, cpu, -1);
    }
    return fd;
}

int perf_events_try_beside(const struct perf_wish *wish, int32_t tid, unsigned *refused)
{
    struct perf_event_attr attr;
    int fds[1 + COUNTED], failure = 0;
    unsigned opened = 1;

    fill_thread_attr(&attr, wish);
    fds[0] = open_thread_event(&attr, tid, -1);
    *refused = 0;
    if (fds[0] < 0)
        return fds[0];
    for (; opened <= wish->beside_count && failure == 0; opened++) {
        const struct perf_event_attr beside = beside_attr(&attr, &wish->beside[opened - 1]);

        *refused = opened - 1;
        fds[opened] = open_event(&beside, tid, -1, fds[0]);
        if (fds[opened] < 0)
            failure = fds[opened];
    }
    while (opened-- > 0)
        if (fds[opened] >= 0)
            close(fds[opened]);
    return failure;
}

int perf_events_try(struct perf_wish *wish, int32_t tid)
{
    struct perf_event_attr attr;
    int fd;

    fill_thread_attr(&attr, wish);
    fd = open_thread_event(&attr, tid, -1);
    if ((fd == -EACCES || fd == -EPERM) && wish->kernel && !wish->event.in_kernel) {
        wish->kernel = false;
        fill_thread_attr(&attr, wish);
        fd = open_thread_event(&attr, tid, -1);
    }
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

bool perf_events_system_allowed(const struct perf_wish *wish)
{
    struct perf_event_attr attr;
    int fd;

    fill_attr(&attr, wish);
    fd = open_event(&attr, -1, 0, -1);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

bool perf_events_have_room(size_t threads)
{
    return threads * (size_t)sysconf(_SC_NPROCESSORS_CONF) <=
           descriptors_share(PERF_EVENTS_MAX, EVENTS_SHARE);
}

static size_t ring_size(const struct perf_wish *wish)
{
    size_t size =
        (size_t)(wish->stack_bytes + SAMPLE_BYTES) * wish->rate_hz / 1000 * RING_BUFFER_MS;

    return size < RING_SIZE_MAX ? size : RING_SIZE_MAX;
}

int perf_events_init(struct perf_events *events, const struct perf_wish *wish)
{
    long cpus = sysconf(_SC_NPROCESSORS_CONF);

    memset(events, 0, sizeof(*events));
    events->wish = *wish;
    events->random = clock_now_ns() | 1;
    events->most = descriptors_share(PERF_EVENTS_MAX, EVENTS_SHARE);
    events->rings = xcalloc((size_t)cpus, sizeof(*events->rings));
    for (int cpu = 0; cpu < cpus; cpu++) {
        int failure;

        if (perf_ring_open(&events->rings[events->ring_count], cpu, ring_size(wish))) {
            events->ring_count++;
            continue;
        }
        failure = errno;
        if (failure == ENODEV)
            continue; /* offline */
        perf_events_fini(events);
        return -failure;
    }
    return 0;
}

static void close_from(struct perf_events *events, size_t count, size_t members)
{
    while (events->members.count > members)
        close(events->members.fds[--events->members.count]);
    while (events->count > count)
        close(events->fds[--events->count]);
}

/* Closes all, and forgets where they were. */
static void drop_events(struct perf_events *events)
{
    close_from(events, 0, 0);
    free(events->fds);
    free(events->members.fds);
    events->fds = NULL;
    events->capacity = 0;
    events->members = (struct perf_members){ 0 };
}

void perf_events_fini(struct perf_events *events)
{
    drop_events(events);
    for (size_t i = 0; i < events->ring_count; i++)
        perf_ring_close(&events->rings[i]);
    free(events->rings);
    memset(events, 0, sizeof(*events));
}

/* Connects a new event with its CPU's ring and keeps it; closes it on failure. */
static int keep_event(struct perf_events *events, int fd, const struct perf_ring *ring)
{
    if (fd < 0)
        return fd;
    if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd) != 0) {
        int failure = errno;

        close(fd);
        return -failure;
    }
    events->fds =
        array_reserve(events->fds, &events->capacity, events->count + 1, sizeof(*events->fds));
    events->fds[events->count++] = fd;
    return 0;
}

/* What is counted beside the event that was kept last. */
static int open_members(struct perf_events *events, const struct perf_event_attr *attr, int32_t tid,
                        int cpu)
{
    struct perf_members *members = &events->members;
    int leader = events->fds[events->count - 1];

    for (unsigned i = 0; i < events->wish.beside_count; i++) {
        const struct perf_event_attr beside = beside_attr(attr, &events->wish.beside[i]);
        int fd = open_event(&beside, tid, cpu, leader);

        if (fd < 0)
            return fd;
        members->fds = array_reserve(members->fds, &members->capacity, members->count + 1,
                                     sizeof(*members->fds));
        members->fds[members->count++] = fd;
    }
    return 0;
}

int perf_events_attach(struct perf_events *events, int32_t tid)
{
    struct perf_event_attr attr;
    size_t count = events->count, members = events->members.count;
    size_t more = events->ring_count * (1 + events->wish.beside_count);

    if (events->system)
        return 0;
    if (count + members + more > events->most)
        return -EMFILE;
    fill_thread_attr(&attr, &events->wish);
    for (size_t i = 0; i < events->ring_count; i++) {
        const struct perf_ring *ring = &events->rings[i];
        int failure;

        if (counts_time(&events->wish.event))
            attr.sample_period = jittered_period(events);
        failure = keep_event(events, open_thread_event(&attr, tid, ring->cpu), ring);
        if (failure == 0)
            failure = open_members(events, &attr, tid, ring->cpu);
        if (failure != 0) {
            close_from(events, count, members);
            return failure;
        }
    }
    return 0;
}

static int open_system(struct perf_events *events)
{
    struct perf_event_attr attr;

    fill_attr(&attr, &events->wish);
    attr.exclude_idle = 1;
    for (size_t i = 0; i < events->ring_count; i++) {
        const struct perf_ring *ring = &events->rings[i];
        int failure = keep_event(events, open_event(&attr, -1, ring->cpu, -1), ring);

        if (failure != 0)
            return failure;
    }
    events->system = true;
    return 0;
}

static int attach_those(struct perf_events *events, const int32_t *tids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int failure = perf_events_attach(events, tids[i]);

        if (failure != 0 && failure != -ESRCH)
            return failure;
    }
    return 0;
}

/* New events run before the old ones end: nothing is missed, a few samples come twice. */
static int replace(struct perf_events *events, bool system, const int32_t *tids, size_t count)
{
    struct perf_events old = *events;
    int failure;

    events->fds = NULL;
    events->count = events->capacity = 0;
    events->members = (struct perf_members){ 0 };
    failure = system ? open_system(events) : attach_those(events, tids, count);
    if (failure == 0) {
        drop_events(&old);
        return 0;
    }
    drop_events(events);
    events->fds = old.fds;
    events->count = old.count;
    events->capacity = old.capacity;
    events->members = old.members;
    return failure;
}

int perf_events_go_system(struct perf_events *events)
{
    return replace(events, true, NULL, 0);
}

int perf_events_reopen(struct perf_events *events, const int32_t *tids, size_t count)
{
    int failure = replace(events, events->system, tids, count);

    if (failure != -EMFILE || events->system)
        return failure;
    /* No descriptors for both at a time. */
    close_from(events, 0, 0);
    return attach_those(events, tids, count);
}

uint64_t perf_events_period(const struct perf_events *events)
{
    return NS_PER_S / events->wish.rate_hz;
}

void perf_events_jitter(struct perf_events *events, uint64_t elapsed_ns)
{
    uint64_t due_ns = JITTER_PERIODS * perf_events_period(events);
    uint64_t most_ns = JITTER_AT_ONCE * due_ns;

    if (!counts_time(&events->wish.event))
        return;
    events->jitter_passed_ns += elapsed_ns * events->count;
    if (events->jitter_passed_ns > most_ns)
        events->jitter_passed_ns = most_ns;
    for (; events->jitter_passed_ns >= due_ns; events->jitter_passed_ns -= due_ns) {
        uint64_t period = jittered_period(events);

        events->jittered = (events->jittered + 1) % events->count;
        ioctl(events->fds[events->jittered], PERF_EVENT_IOC_PERIOD, &period);
    }
}

uint64_t perf_events_total(const struct perf_events *events)
{
    uint64_t total = 0, value;

    for (size_t i = 0; i < events->count; i++)
        if (read(events->fds[i], &value, sizeof(value)) == sizeof(value))
            total += value;
    return total;
}
