/* SPDX-License-Identifier: MIT */
/* The thread that writes what is saved from the screen. */
#include "config.h"

#include "saver.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app_private.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/session.h"
#include "proftop/text.h"

struct saver {
    bool synchronous;
    int fd;
    pthread_t thread;
    bool started;         /* THREAD is to be joined */
    struct save_job job;  /* the thread's while it runs */
    pthread_mutex_t lock; /* guards what follows */
    bool working, done;
    char message[1536];
};

static bool write_export(const struct save_job *job, struct error *error)
{
    struct export_options options = { .function = UINT32_MAX };
    struct folder *folder = folder_new();
    struct fold *fold = fold_update(folder, job->profile, &job->scope, error);
    bool done = fold != NULL && export_file(job->format, fold, &options, job->path, false, error);

    fold_free(fold);
    folder_free(folder);
    return done;
}

static bool write_job(const struct save_job *job, struct error *error)
{
    struct session_config config = { .path = job->path };

    if (job->format != NULL)
        return write_export(job, error);
    return session_save(&config, job->profile, job->scope.start_ns, job->scope.end_ns, error);
}

static void do_job(struct saver *saver)
{
    struct error error = { 0 };
    bool done = write_job(&saver->job, &error);
    uint64_t one = 1;
    struct stat stat_;
    char size[16];

    profile_unref(saver->job.profile);
    pthread_mutex_lock(&saver->lock);
    if (!done)
        snprintf(saver->message, sizeof(saver->message), "%s", error.message);
    else if (stat(saver->job.path, &stat_) == 0)
        snprintf(saver->message, sizeof(saver->message), _("saved %s (%s)"), saver->job.path,
                 text_bytes(size, (double)stat_.st_size));
    else
        snprintf(saver->message, sizeof(saver->message), _("saved %s"), saver->job.path);
    saver->working = false;
    saver->done = true;
    pthread_mutex_unlock(&saver->lock);
    if (saver->fd >= 0 && write(saver->fd, &one, sizeof(one)) < 0)
        return; /* readable already */
}

static void *run(void *saver)
{
    pthread_setname_np(pthread_self(), "save");
    do_job(saver);
    return NULL;
}

struct saver *saver_new(bool synchronous)
{
    struct saver *saver = xcalloc(1, sizeof(*saver));

    saver->synchronous = synchronous;
    saver->fd = synchronous ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&saver->lock, NULL);
    return saver;
}

static void join(struct saver *saver)
{
    if (saver->started)
        pthread_join(saver->thread, NULL);
    saver->started = false;
}

void saver_free(struct saver *saver)
{
    if (saver == NULL)
        return;
    join(saver);
    if (saver->fd >= 0)
        close(saver->fd);
    pthread_mutex_destroy(&saver->lock);
    free(saver);
}

bool saver_start(struct saver *saver, const struct save_job *job)
{
    sigset_t all, before;
    bool working;

    pthread_mutex_lock(&saver->lock);
    working = saver->working;
    if (!working)
        saver->working = true;
    pthread_mutex_unlock(&saver->lock);
    if (working)
        return false;
    join(saver);
    saver->job = *job;
    saver->job.profile = profile_ref(job->profile);
    if (saver->synchronous) {
        do_job(saver);
        return true;
    }
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    saver->started = pthread_create(&saver->thread, NULL, run, saver) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!saver->started)
        do_job(saver); /* no thread to be had: then it takes the time it takes */
    return true;
}

bool saver_take(struct saver *saver, char *message, size_t size_bytes)
{
    uint64_t count;
    bool done;

    pthread_mutex_lock(&saver->lock);
    done = saver->done;
    if (done)
        snprintf(message, size_bytes, "%s", saver->message);
    saver->done = false;
    pthread_mutex_unlock(&saver->lock);
    if (done && saver->fd >= 0 && read(saver->fd, &count, sizeof(count)) < 0)
        return done; /* the message was faster than its signal */
    return done;
}

int saver_fd(const struct saver *saver)
{
    return saver->fd;
}

/* TITLE ("busy[8968]") as part of a file's name: "busy-8968". */
static void plain_name(char *name, size_t size_bytes, const char *title)
{
    size_t used = 0;

    for (; *title != '\0' && used + 1 < size_bytes; title++)
        if (isalnum((unsigned char)*title) || *title == '_' || *title == '.')
            name[used++] = *title;
        else if (used > 0 && name[used - 1] != '-' && title[1] != '\0')
            name[used++] = '-';
    name[used] = '\0';
}

void saver_name(char *path, size_t size_bytes, const struct profile *profile, const char *title,
                const char *extension)
{
    int64_t date_ns = (int64_t)profile_end_ns(profile) + profile_info(profile)->realtime_offset_ns;
    time_t date = (time_t)(date_ns / 1000000000);
    char name[128], when[32] = "";
    struct tm broken_down;

    plain_name(name, sizeof(name), title);
    if (localtime_r(&date, &broken_down) != NULL)
        strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &broken_down);
    snprintf(path, size_bytes, "./proftop-%s-%s%s", name, when, extension);
}

void save_now(struct app *app)
{
    struct save_job job = { .profile = app_visible(app) };

    if (job.profile == NULL) {
        app_say(app, _("nothing has been recorded yet"));
        return;
    }
    scope_init(&job.scope);
    saver_name(job.path, sizeof(job.path), job.profile, app->config.title, ".proftop");
    if (saver_start(app->saver, &job))
        app_say(app, _("saving %s…"), job.path);
    else
        app_say(app, _("still saving; this one has not been begun"));
}
