/* SPDX-License-Identifier: MIT */
/*
 * The session writer: a queue of sealed slices and a thread that writes them, in two transactions
 * a second: a slice is sealed some tenths of a second after its end, and no more than the last
 * second may be lost.
 *
 *     builder thread ─ session_add() ─► queue ─► writer thread ─► database
 *                                                    └─ names, threads, lanes: what is new
 *
 * When writing fails, what was committed stays in the file, the rest is let go of, and
 * session_finish() tells.
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/history.h"
#include "proftop/memory.h"
#include "proftop/session.h"
#include "store.h"
#include "thin.h"
#include "totals.h"

/*
 * The builder gives about as often what it sealed, and with that a transaction begins.  A kill
 * costs one such wait, a slice, and what the source holds: less than a second.
 */
enum { PERIOD_NS = 350000000 };

struct session_writer {
    char *path;
    sqlite3 *database;
    struct session_store store; /* the writer thread's own */
    struct thinner thinner;
    pthread_t thread;
    uint64_t period_ns;
    _Atomic uint64_t bytes, written_ns;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    const struct slice **queue;
    size_t count, capacity;
    struct profile *profile; /* the newest that was given */
    uint64_t taken_ns;       /* when the writer's thread took the last batch */
    bool flush;              /* it shall take the next one now */
    bool ending;
    struct error trouble; /* code STATUS_OK while all is well */
};

struct batch {
    const struct slice **slices;
    size_t count;
    struct profile *profile;
    bool ending;
};

/* ---- the writer's thread --------------------------------------------------------------------- */

static void measure(struct session_writer *writer)
{
    char *log = xasprintf("%s-wal", writer->path);
    uint64_t bytes = 0;
    struct stat file;

    if (stat(writer->path, &file) == 0)
        bytes += (uint64_t)file.st_size;
    if (stat(log, &file) == 0)
        bytes += (uint64_t)file.st_size;
    free(log);
    atomic_store(&writer->bytes, bytes);
}

/* Waits for what was given to be all for now, or for the end, then takes it. */
static struct batch take_batch(struct session_writer *writer)
{
    struct batch batch = { 0 };
    uint64_t until_ns = clock_now_ns() + 2 * writer->period_ns;

    pthread_mutex_lock(&writer->lock);
    while (!writer->ending && !writer->flush &&
           clock_cond_wait(&writer->wake, &writer->lock, until_ns))
        ;
    batch.slices = writer->queue;
    batch.count = writer->count;
    batch.profile = writer->profile != NULL ? profile_ref(writer->profile) : NULL;
    batch.ending = writer->ending;
    writer->taken_ns = clock_now_ns();
    writer->flush = false;
    writer->queue = NULL;
    writer->count = writer->capacity = 0;
    pthread_mutex_unlock(&writer->lock);
    return batch;
}

static bool write_batch(struct session_writer *writer, const struct batch *batch,
                        struct error *error)
{
    struct session_store *store = &writer->store;
    uint64_t end_ns = profile_end_ns(batch->profile) - store->start_ns;
    bool good;

    if (!store_begin(store, error))
        return false;
    if ((batch->ending || totals_due(store->totals, clock_now_ns())) &&
        !store_totals(store, batch->profile, batch->ending, error))
        return false;
    if (!store_tables(store, batch->profile, error))
        return false;
    for (size_t i = 0; i < batch->count; i++) {
        if (!store_slice(store, batch->profile, batch->slices[i], error))
            return false;
    }
    good = thinner_run(&writer->thinner, store, end_ns, error) && store_commit(store, error);
    if (good)
        atomic_store(&writer->written_ns, store->start_ns + end_ns);
    return good;
}

static bool is_fine(struct session_writer *writer)
{
    bool fine;

    pthread_mutex_lock(&writer->lock);
    fine = writer->trouble.code == STATUS_OK;
    pthread_mutex_unlock(&writer->lock);
    return fine;
}

static void note_trouble(struct session_writer *writer, const struct error *error)
{
    pthread_mutex_lock(&writer->lock);
    writer->trouble = *error;
    pthread_mutex_unlock(&writer->lock);
}

static void free_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        slice_unref((struct slice *)batch->slices[i]);
    free(batch->slices);
    profile_unref(batch->profile);
}

/* Ends the file as one plain one, here where a full disk cannot kill us by a signal. */
static void close_file(struct session_writer *writer)
{
    struct error error = { 0 };

    thinner_fini(&writer->thinner);
    store_fini(&writer->store);
    if (!file_close_whole(writer->database, &error) && is_fine(writer))
        note_trouble(writer, &error);
}

static void *write_all(void *context)
{
    struct session_writer *writer = context;
    bool ending = false;

    pthread_setname_np(pthread_self(), "writer");
    while (!ending) {
        struct batch batch = take_batch(writer);
        struct error error = { 0 };

        ending = batch.ending;
        if (batch.profile != NULL && is_fine(writer) && !write_batch(writer, &batch, &error)) {
            store_rollback(&writer->store);
            note_trouble(writer, &error);
        }
        measure(writer);
        free_batch(&batch);
    }
    close_file(writer);
    return NULL;
}

/* ---- everyone else's ------------------------------------------------------------------------- */

static void writer_free(struct session_writer *writer)
{
    for (size_t i = 0; i < writer->count; i++)
        slice_unref((struct slice *)writer->queue[i]);
    free(writer->queue);
    profile_unref(writer->profile);
    pthread_mutex_destroy(&writer->lock);
    pthread_cond_destroy(&writer->wake);
    free(writer->path);
    free(writer);
}

static struct session_writer *writer_new(const struct session_config *config, sqlite3 *database)
{
    struct session_writer *writer = xcalloc(1, sizeof(*writer));

    writer->path = xstrdup(config->path);
    writer->database = database;
    writer->period_ns = config->period_ns != 0 ? config->period_ns : PERIOD_NS;
    pthread_mutex_init(&writer->lock, NULL);
    clock_cond_init(&writer->wake);
    thinner_init(&writer->thinner, config->max_bytes);
    return writer;
}

static struct session_writer *create(const struct session_config *config,
                                     const struct profile_info *info, struct error *error)
{
    sqlite3 *database = file_create(config->path, config->force, error);
    struct session_writer *writer;

    if (database == NULL)
        return NULL;
    writer = writer_new(config, database);
    if (!store_init(&writer->store, database, info, error))
        goto failed;
    if (pthread_create(&writer->thread, NULL, write_all, writer) != 0) {
        error_set(error, STATUS_FAILED, _("cannot start a thread to write %s"), config->path);
        goto failed;
    }
    return writer;
failed:
    thinner_fini(&writer->thinner);
    store_fini(&writer->store);
    sqlite3_close(database);
    file_remove(config->path);
    writer_free(writer);
    return NULL;
}

/* Signals are never the thread's, and not ours while the file is made: a full disk then answers
 * write() instead of killing us. */
struct session_writer *session_create(const struct session_config *config,
                                      const struct profile_info *info, struct error *error)
{
    struct session_writer *writer;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    writer = create(config, info, error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return writer;
}

void session_add(struct session_writer *writer, struct profile *profile, const struct slice *slice)
{
    pthread_mutex_lock(&writer->lock);
    if (writer->trouble.code == STATUS_OK) {
        writer->queue = array_reserve(writer->queue, &writer->capacity, writer->count + 1,
                                      sizeof(*writer->queue));
        writer->queue[writer->count++] = slice_ref(slice);
        if (profile != writer->profile) {
            profile_unref(writer->profile);
            writer->profile = profile_ref(profile);
        }
    }
    pthread_mutex_unlock(&writer->lock);
}

void session_flush(struct session_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    /* Who steps once a period does so a little early at times. */
    if (writer->count > 0 && clock_now_ns() - writer->taken_ns >= writer->period_ns / 5 * 4) {
        writer->flush = true;
        pthread_cond_signal(&writer->wake);
    }
    pthread_mutex_unlock(&writer->lock);
}

uint64_t session_written_ns(const struct session_writer *writer)
{
    return atomic_load(&writer->written_ns);
}

uint64_t session_bytes(const struct session_writer *writer)
{
    return atomic_load(&writer->bytes);
}

bool session_trouble(struct session_writer *writer, struct error *error)
{
    bool any;

    pthread_mutex_lock(&writer->lock);
    any = writer->trouble.code != STATUS_OK;
    if (any && error != NULL)
        *error = writer->trouble;
    pthread_mutex_unlock(&writer->lock);
    return any;
}

bool session_finish(struct session_writer *writer, struct profile *profile, struct error *error)
{
    bool good;

    pthread_mutex_lock(&writer->lock);
    profile_unref(writer->profile);
    writer->profile = profile_ref(profile);
    writer->ending = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    good = !session_trouble(writer, error);
    writer_free(writer);
    return good;
}

/* ---- a whole profile at once ----------------------------------------------------------------- */

/* Adds the finest slices that PROFILE holds. */
static void add_all(struct session_writer *writer, struct profile *profile)
{
    struct slice_cursor cursor;
    const struct slice *slice;

    profile_slices(profile, 0, UINT64_MAX, 0, &cursor);
    while ((slice = profile_next_slice(&cursor)) != NULL)
        session_add(writer, profile, slice);
}

bool session_save(const struct session_config *config, struct profile *profile, uint64_t start_ns,
                  uint64_t end_ns, struct error *error)
{
    struct profile *part = profile_extract(profile, start_ns, end_ns);
    struct session_writer *writer = session_create(config, profile_info(part), error);
    bool good = false;

    if (writer != NULL) {
        add_all(writer, part);
        good = session_finish(writer, part, error);
    }
    profile_unref(part);
    return good;
}
