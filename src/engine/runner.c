/* SPDX-License-Identifier: MIT */
/* One source on its thread: open, step until told to stop, close. */
#include "config.h"

#include "runner.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proftop/gettext.h"
#include "proftop/memory.h"

struct runner {
    const struct source_ops *ops;
    struct target *target;
    struct source_config config;
    struct ring *ring;
    int event_fd;
    pthread_t thread;
    bool joined;
    _Atomic bool stopping, ended;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool tried, open;
    bool hold, held; /* asked to let go of the target for a while; has */
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

/* Lets go of the target for as long as is asked; the source afterwards, NULL when it is no more. */
static struct source *let_go(struct runner *runner, struct source *source)
{
    eventfd_t count;

    runner->ops->close(source);
    pthread_mutex_lock(&runner->lock);
    runner->held = true;
    pthread_cond_broadcast(&runner->changed);
    while (runner->hold && !atomic_load(&runner->stopping))
        pthread_cond_wait(&runner->changed, &runner->lock);
    runner->held = false;
    pthread_mutex_unlock(&runner->lock);
    if (atomic_load(&runner->stopping))
        return NULL;
    eventfd_read(runner->config.wake_fd, &count);
    return runner->ops->open(runner->target, &runner->config, &runner->error);
}

/* The source that takes over; the same once more when the other does not open. */
static struct source *hand_over(struct runner *runner, struct source *source)
{
    const struct source_ops *before = runner->ops;

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

static bool hold_wanted(struct runner *runner)
{
    bool hold;

    pthread_mutex_lock(&runner->lock);
    hold = runner->hold;
    pthread_mutex_unlock(&runner->lock);
    return hold;
}

static void *run(void *argument)
{
    struct runner *runner = argument;
    struct source *source;
    int stepped;

    pthread_setname_np(pthread_self(), runner->ops->name);
    source = runner->ops->open(runner->target, &runner->config, &runner->error);
    tell_opened(runner, source != NULL);
    if (source == NULL)
        return NULL;
    while (!atomic_load(&runner->stopping)) {
        if (hold_wanted(runner))
            source = let_go(runner, source);
        else if ((stepped = runner->ops->step(source, runner->ring)) == SOURCE_HANDS_OVER)
            source = hand_over(runner, source);
        else if (stepped < 0)
            atomic_store(&runner->ended, true);
        if (source == NULL && !atomic_load(&runner->stopping))
            atomic_store(&runner->ended, true);
        if (source == NULL || atomic_load(&runner->ended))
            break;
    }
    if (source != NULL)
        runner->ops->close(source);
    if (atomic_load(&runner->ended)) {
        pthread_mutex_lock(&runner->lock);
        pthread_cond_broadcast(&runner->changed);
        pthread_mutex_unlock(&runner->lock);
        eventfd_write(runner->event_fd, 1);
    }
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

void runner_hold(struct runner *runner, bool hold)
{
    pthread_mutex_lock(&runner->lock);
    runner->hold = hold;
    pthread_cond_broadcast(&runner->changed);
    if (hold)
        eventfd_write(runner->config.wake_fd, 1);
    while (hold && !runner->held && !atomic_load(&runner->stopping) && !atomic_load(&runner->ended))
        pthread_cond_wait(&runner->changed, &runner->lock);
    pthread_mutex_unlock(&runner->lock);
}

void runner_stop(struct runner *runner)
{
    if (runner->joined)
        return;
    pthread_mutex_lock(&runner->lock);
    atomic_store(&runner->stopping, true);
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->lock);
    eventfd_write(runner->config.wake_fd, 1);
    pthread_join(runner->thread, NULL);
    runner->joined = true;
}

void runner_free(struct runner *runner)
{
    if (runner == NULL)
        return;
    runner_stop(runner);
    if (runner->config.wake_fd >= 0)
        close(runner->config.wake_fd);
    pthread_mutex_destroy(&runner->lock);
    pthread_cond_destroy(&runner->changed);
    ring_free(runner->ring);
    free(runner);
}
