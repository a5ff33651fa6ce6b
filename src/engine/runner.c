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
    pthread_cond_t opened;
    bool tried, open;
    struct error error;
};

static void tell_opened(struct runner *runner, bool open)
{
    pthread_mutex_lock(&runner->lock);
    runner->tried = true;
    runner->open = open;
    pthread_cond_signal(&runner->opened);
    pthread_mutex_unlock(&runner->lock);
}

static void *run(void *argument)
{
    struct runner *runner = argument;
    struct source *source;

    pthread_setname_np(pthread_self(), runner->ops->name);
    source = runner->ops->open(runner->target, &runner->config, &runner->error);
    tell_opened(runner, source != NULL);
    if (source == NULL)
        return NULL;
    while (!atomic_load(&runner->stopping)) {
        if (runner->ops->step(source, runner->ring) < 0) {
            atomic_store(&runner->ended, true);
            break;
        }
    }
    runner->ops->close(source);
    if (atomic_load(&runner->ended))
        eventfd_write(runner->event_fd, 1);
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
    pthread_cond_init(&runner->opened, NULL);
    if (runner->config.wake_fd < 0 || pthread_create(&runner->thread, NULL, run, runner) != 0) {
        error_set(error, STATUS_FAILED, _("cannot start a thread for the %s source"), ops->name);
        runner->joined = true;
    } else {
        pthread_mutex_lock(&runner->lock);
        while (!runner->tried)
            pthread_cond_wait(&runner->opened, &runner->lock);
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

void runner_stop(struct runner *runner)
{
    if (runner->joined)
        return;
    atomic_store(&runner->stopping, true);
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
    pthread_cond_destroy(&runner->opened);
    ring_free(runner->ring);
    free(runner);
}
