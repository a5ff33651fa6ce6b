/* SPDX-License-Identifier: MIT */
/* The thread that folds.  One lock guards what is handed over; folding holds none. */
#include "config.h"

#include "fold_worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/contrast.h"
#include "proftop/memory.h"
#include "proftop/timeline.h"
#include "source_page.h"

struct fold_worker {
    struct folder *folder; /* this and the next two are the worker's own */
    struct contrast *contrast;
    struct timeline *timeline;
    struct source_page *page; /* the last one read, or NULL */
    bool synchronous;
    int fd;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    struct fold_job job;
    bool waiting, working, ending;
    struct fold_result *result;
};

static void make_series(struct fold_result *result)
{
    struct view_extra *extra = &result->extra;
    const struct fold *fold = result->fold;
    const struct view_wants *wants = &extra->wants;
    size_t cells = (size_t)wants->series_count * wants->buckets;
    uint64_t *weights, *samples;

    if (cells == 0)
        return;
    extra->end_ns = fold->end_ns;
    extra->start_ns = wants->span_ns == 0             ? fold->start_ns
                      : fold->end_ns > wants->span_ns ? fold->end_ns - wants->span_ns
                                                      : 0;
    weights = xcalloc(cells, sizeof(*weights));
    samples = xcalloc(cells, sizeof(*samples));
    for (uint32_t i = 0; i < wants->series_count; i++)
        fold_series(fold, wants->series[i].function, wants->series[i].thread, extra->start_ns,
                    extra->end_ns, wants->buckets, weights + (size_t)i * wants->buckets,
                    samples + (size_t)i * wants->buckets);
    extra->weights = weights;
    extra->samples = samples;
}

static int heavier_line(const void *a, const void *b)
{
    const struct fold_line *first = a, *second = b;

    if (first->self != second->self)
        return first->self > second->self ? -1 : 1;
    return first->line < second->line ? -1 : first->line > second->line;
}

/* The range against the rest, or a lane's high seconds against the others. */
static void make_contrast(struct fold_worker *worker, struct fold_result *result)
{
    struct view_extra *extra = &result->extra;
    const struct view_contrast *wants = &extra->wants.contrast;
    struct compare_options options = { .what = COMPARE_SHARE, .total = wants->total };
    double *cores;

    if (!wants->wanted ||
        !contrast_update(worker->contrast, result->profile, &result->scope, &result->error))
        return;
    if (wants->lift == UINT32_MAX) {
        extra->comparison =
            contrast_rest(worker->contrast, result->fold->start_ns, result->fold->end_ns, &options);
    } else {
        timeline_update(worker->timeline, result->profile);
        extra->comparison =
            contrast_lift(worker->contrast, worker->timeline, wants->lift, &options);
    }
    if (wants->function == FUNCTION_NONE || wants->buckets == 0)
        return;
    cores = xcalloc(wants->buckets, sizeof(*cores));
    contrast_series(worker->contrast, wants->function, true, wants->start_ns, wants->bucket_ns,
                    wants->buckets, cores);
    extra->cores = cores;
}

/* The file of the function, read when it is another than the last one. */
static void make_source(struct fold_worker *worker, struct fold_result *result)
{
    const struct function *function = names_get(result->fold->names, result->extra.wants.function);
    struct source_page *page;

    if (function->file[0] == '\0')
        return;
    page = source_page_get(worker->page, result->profile, function->file);
    source_page_unref(worker->page);
    worker->page = page;
    result->page = source_page_ref(page);
    result->extra.source = source_page_text(page);
    if (result->extra.source == NULL)
        result->extra.source_trouble = source_page_trouble(page);
}

static void make_extras(struct fold_worker *worker, struct fold_result *result)
{
    struct view_extra *extra = &result->extra;
    function_id function = extra->wants.function;

    extra->version = result->fold->version;
    make_series(result);
    make_contrast(worker, result);
    if (extra->wants.bottom_up)
        extra->bottom_up = fold_bottom_up(result->fold, function);
    if (function != FUNCTION_NONE) {
        struct fold_line *lines = fold_lines(result->fold, function, &extra->line_count);

        qsort(lines, extra->line_count, sizeof(*lines), heavier_line);
        extra->lines = lines;
        extra->callers = fold_callers(result->fold, function);
        if (extra->wants.source)
            make_source(worker, result);
    }
}

static struct fold_result *do_job(struct fold_worker *worker, const struct fold_job *job)
{
    struct fold_result *result = xcalloc(1, sizeof(*result));
    uint64_t before = clock_thread_cpu_ns();

    result->asked = job->asked;
    result->scope = job->scope;
    result->profile = job->profile; /* the job's reference */
    result->extra.wants = job->wants;
    result->fold = fold_update(worker->folder, job->profile, &job->scope, &result->error);
    if (result->fold != NULL)
        make_extras(worker, result);
    if (!worker->synchronous) /* a script's screens say the same every time */
        result->cost_ns = clock_thread_cpu_ns() - before;
    return result;
}

static void publish(struct fold_worker *worker, struct fold_result *result)
{
    uint64_t one = 1;

    fold_result_free(worker->result);
    worker->result = result;
    if (worker->fd >= 0 && write(worker->fd, &one, sizeof(one)) < 0)
        return; /* full: it is readable already */
}

static void *run(void *opaque)
{
    struct fold_worker *worker = opaque;

    pthread_setname_np(pthread_self(), "fold");
    pthread_mutex_lock(&worker->lock);
    while (!worker->ending) {
        struct fold_job job;
        struct fold_result *result;

        if (!worker->waiting) {
            pthread_cond_wait(&worker->wake, &worker->lock);
            continue;
        }
        job = worker->job;
        worker->waiting = false;
        worker->working = true;
        pthread_mutex_unlock(&worker->lock);
        result = do_job(worker, &job);
        pthread_mutex_lock(&worker->lock);
        worker->working = false;
        publish(worker, result);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

struct fold_worker *worker_new(bool synchronous)
{
    struct fold_worker *worker = xcalloc(1, sizeof(*worker));
    sigset_t all, before;

    worker->folder = folder_new();
    worker->contrast = contrast_new();
    worker->timeline = timeline_new();
    worker->synchronous = synchronous;
    worker->fd = -1;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->wake, NULL);
    if (synchronous)
        return worker;
    worker->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (worker->fd < 0 || pthread_create(&worker->thread, NULL, run, worker) != 0)
        die("no thread for folding");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return worker;
}

void worker_free(struct fold_worker *worker)
{
    if (worker == NULL)
        return;
    if (!worker->synchronous) {
        pthread_mutex_lock(&worker->lock);
        worker->ending = true;
        pthread_cond_signal(&worker->wake);
        pthread_mutex_unlock(&worker->lock);
        pthread_join(worker->thread, NULL);
        close(worker->fd);
    }
    if (worker->waiting)
        profile_unref(worker->job.profile);
    fold_result_free(worker->result);
    folder_free(worker->folder);
    contrast_free(worker->contrast);
    timeline_free(worker->timeline);
    source_page_unref(worker->page);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

void worker_submit(struct fold_worker *worker, const struct fold_job *job)
{
    struct fold_job mine = *job;

    profile_ref(mine.profile);
    if (worker->synchronous) {
        publish(worker, do_job(worker, &mine));
        return;
    }
    pthread_mutex_lock(&worker->lock);
    if (worker->waiting)
        profile_unref(worker->job.profile);
    worker->job = mine;
    worker->waiting = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
}

bool worker_busy(struct fold_worker *worker)
{
    bool busy;

    pthread_mutex_lock(&worker->lock);
    busy = worker->waiting || worker->working;
    pthread_mutex_unlock(&worker->lock);
    return busy;
}

bool worker_owes(struct fold_worker *worker)
{
    bool owes;

    pthread_mutex_lock(&worker->lock);
    owes = worker->waiting || worker->working || worker->result != NULL;
    pthread_mutex_unlock(&worker->lock);
    return owes;
}

struct fold_result *worker_take(struct fold_worker *worker)
{
    struct fold_result *result;
    uint64_t count;

    pthread_mutex_lock(&worker->lock);
    result = worker->result;
    worker->result = NULL;
    if (worker->fd >= 0 && read(worker->fd, &count, sizeof(count)) < 0)
        count = 0; /* nothing was there */
    pthread_mutex_unlock(&worker->lock);
    return result;
}

int worker_fd(const struct fold_worker *worker)
{
    return worker->fd;
}

void fold_result_free(struct fold_result *result)
{
    struct view_extra *extra;

    if (result == NULL)
        return;
    extra = &result->extra;
    fold_callers_free((struct fold_callers *)extra->callers);
    fold_free((struct fold *)extra->bottom_up);
    free((void *)extra->lines);
    free((void *)extra->weights);
    free((void *)extra->samples);
    free((void *)extra->cores);
    comparison_free((struct comparison *)extra->comparison);
    source_page_unref(result->page);
    fold_free(result->fold);
    profile_unref(result->profile);
    free(result);
}
