/* SPDX-License-Identifier: MIT */
/* One source on its thread: open, step until told to stop, stop; and closed when that has ended. */
#include "config.h"

#include "runner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/ring.h"

struct runner {
    const struct source_ops *ops;
    struct target *target;
    struct source_config config;
    struct ring *ring;
    int event_fd;
    _Atomic bool stopping, holding, ended;

    pthread_mutex_t control; /* guards the thread's beginning and end */
    pthread_t thread;
    bool joined;
    struct source *left; /* by the thread, to be closed; or NULL */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool tried, open;
    struct error error;
};

static void tell_opened(struct runner *runner, bool open)
{
    pthread_mutex_lock(&runner->lock);
    runner->tried = true;
    runner->open = open;
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->lock);
}

/* The source that takes over; the same once more when the other does not open. */
static struct source *hand_over(struct runner *runner, struct source *source)
{
    const struct source_ops *before = runner->ops;

    before->stop(source);
    before->close(source);
    runner->config.hands_over = false;
    runner->ops = before->successor;
    source = runner->ops->open(runner->target, &runner->config, &runner->error);
    if (source == NULL) {
        runner->ops = before;
        source = before->open(runner->target, &runner->config, &runner->error);
    }
    pthread_setname_np(pthread_self(), runner->ops->name);
    return source;
}

static void tell_ended(struct runner *runner)
{
    atomic_store(&runner->ended, true);
    eventfd_write(runner->event_fd, 1);
}

static bool wanted(struct runner *runner)
{
    return !atomic_load(&runner->stopping) && !atomic_load(&runner->holding);
}

/* Steps SOURCE until it ends or is not wanted for now; what is to be closed. */
static struct source *step_on(struct runner *runner, struct source *source, bool *ended)
{
    while (!*ended && wanted(runner)) {
        int stepped = runner->ops->step(source, runner->ring);

        if (stepped == SOURCE_HANDS_OVER)
            source = hand_over(runner, source);
        *ended = stepped < 0 || source == NULL;
        if (ring_half_full(runner->ring))
            eventfd_write(runner->event_fd, 1);
    }
    return source;
}

static void *run(void *argument)
{
    struct runner *runner = argument;
    struct source *source;
    bool ended = false;

    pthread_setname_np(pthread_self(), runner->ops->name);
    source = runner->ops->open(runner->target, &runner->config, &runner->error);
    tell_opened(runner, source != NULL);
    if (source != NULL)
        source = step_on(runner, source, &ended);
    else
        ended = true;
    if (source != NULL)
        runner->ops->stop(source);
    runner->left = source;
    if (ended)
        tell_ended(runner);
    return NULL;
}

struct runner *runner_start(const struct source_ops *ops, struct target *target,
                            const struct source_config *config, size_t ring_bytes, int event_fd,
                            struct error *error)
{
    struct runner *runner = xcalloc(1, sizeof(*runner));
    bool open = false;

    runner->ops = ops;
    runner->target = target;
    runner->config = *config;
    runner->config.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    runner->event_fd = event_fd;
    runner->ring = ring_new(ring_bytes);
    pthread_mutex_init(&runner->control, NULL);
    pthread_mutex_init(&runner->lock, NULL);
    pthread_cond_init(&runner->changed, NULL);
    if (runner->config.wake_fd < 0 || pthread_create(&runner->thread, NULL, run, runner) != 0) {
        error_set(error, STATUS_FAILED, _("cannot start a thread for the %s source"), ops->name);
        runner->joined = true;
    } else {
        pthread_mutex_lock(&runner->lock);
        while (!runner->tried)
            pthread_cond_wait(&runner->changed, &runner->lock);
        open = runner->open;
        pthread_mutex_unlock(&runner->lock);
        if (!open && error != NULL)
            *error = runner->error;
    }
    if (!open) {
        runner_free(runner);
        return NULL;
    }
    return runner;
}

struct ring *runner_ring(struct runner *runner)
{
    return runner->ring;
}

bool runner_ended(const struct runner *runner)
{
    return atomic_load(&runner->ended);
}

/* Wakes the thread and waits until it is gone, with all that was bound to it. */
static void join(struct runner *runner)
{
    eventfd_t count;

    if (runner->joined)
        return;
    eventfd_write(runner->config.wake_fd, 1);
    pthread_join(runner->thread, NULL);
    (void)eventfd_read(runner->config.wake_fd, &count);
    if (runner->left != NULL)
        runner->ops->close(runner->left);
    runner->left = NULL;
    runner->joined = true;
}

/*
 * Not only the source is closed, its thread ends: what ptrace(2) seized is let go of with the
 * thread alone, and a signal for a seized thread would stop it for as long as we are stopped
 * ourselves.
 */
void runner_hold(struct runner *runner, bool hold)
{
    pthread_mutex_lock(&runner->control);
    atomic_store(&runner->holding, hold);
    if (hold)
        join(runner);
    else if (runner->joined && !atomic_load(&runner->stopping) && !atomic_load(&runner->ended)) {
        if (pthread_create(&runner->thread, NULL, run, runner) == 0)
            runner->joined = false;
        else
            tell_ended(runner);
    }
    pthread_mutex_unlock(&runner->control);
}

void runner_stop(struct runner *runner)
{
    atomic_store(&runner->stopping, true);
    pthread_mutex_lock(&runner->control);
    join(runner);
    pthread_mutex_unlock(&runner->control);
}

void runner_free(struct runner *runner)
{
    if (runner == NULL)
        return;
    runner_stop(runner);
    if (runner->config.wake_fd >= 0)
        close(runner->config.wake_fd);
    pthread_mutex_destroy(&runner->control);
    pthread_mutex_destroy(&runner->lock);
    pthread_cond_destroy(&runner->changed);
    ring_free(runner->ring);
    free(runner);
}
