/* SPDX-License-Identifier: MIT */
/*
 * Fetching debug files.  libdebuginfod is loaded when it is first needed, as libdw does it: it
 * brings a whole HTTP client along, which nobody should pay for who did not ask.
 */
#include "config.h"

#include "fetch.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/memory.h"

enum { ASKED_MAX = 4096 };

struct wanted {
    module_id module;
    uint8_t id[BUILD_ID_MAX];
    size_t size;
};

/* What we call of libdebuginfod; see debuginfod_find_debuginfo(3). */
struct library {
    void *(*begin)(void);
    void (*end)(void *client);
    int (*find)(void *client, const unsigned char *id, int size, char **path);
    void (*set_user_data)(void *client, void *data);
    void *(*get_user_data)(void *client);
    void (*set_progress)(void *client, int (*progress)(void *client, long done, long all));
};

struct fetch {
    void (*arrived)(void *context, module_id module, const char *path);
    void *context;
    pthread_t thread;
    bool running;
    _Atomic bool stopping;
    uint64_t max_bytes;
    uint64_t took_bytes, taking_bytes; /* of files before, of this one; the thread's own */

    pthread_mutex_t lock;          /* guards what follows */
    pthread_cond_t work, progress; /* something was asked for; something was done */
    struct wanted *wanted;         /* in the order asked; those below NEXT are done */
    size_t count, capacity, next;
    enum fetch_state state;
};

static const char library_name[] = "libdebuginfod.so.1";

static bool load(struct library *library)
{
    const struct {
        const char *name;
        void *function;
    } wanted[] = {
        { "debuginfod_begin", &library->begin },
        { "debuginfod_end", &library->end },
        { "debuginfod_find_debuginfo", &library->find },
        { "debuginfod_set_user_data", &library->set_user_data },
        { "debuginfod_get_user_data", &library->get_user_data },
        { "debuginfod_set_progressfn", &library->set_progress },
    };
    void *handle = dlopen(library_name, RTLD_LAZY | RTLD_LOCAL);

    if (handle == NULL)
        return false;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        void *found = dlsym(handle, wanted[i].name);

        if (found == NULL)
            return false;
        memcpy(wanted[i].function, &found, sizeof(found));
    }
    return true;
}

/*
 * libdebuginfod asks now and then whether to go on: not 0 when not.  DONE are bytes once a server
 * sends some, before that it is how often we were asked, far fewer than any bound.
 */
static int progress(void *client, long done, long all)
{
    struct library library;
    struct fetch *fetch;

    (void)all;
    if (!load(&library)) /* it is there already: this only finds it */
        return 1;
    fetch = library.get_user_data(client);
    fetch->taking_bytes = (uint64_t)done;
    return atomic_load(&fetch->stopping) ||
           (fetch->max_bytes != 0 && fetch->took_bytes + fetch->taking_bytes > fetch->max_bytes);
}

static void set_state(struct fetch *fetch, enum fetch_state state)
{
    pthread_mutex_lock(&fetch->lock);
    fetch->state = state;
    pthread_cond_broadcast(&fetch->progress);
    pthread_mutex_unlock(&fetch->lock);
}

static bool next_wanted(struct fetch *fetch, struct wanted *wanted)
{
    pthread_mutex_lock(&fetch->lock);
    pthread_cond_broadcast(&fetch->progress); /* what was taken before is done */
    while (!atomic_load(&fetch->stopping) && fetch->next == fetch->count) {
        fetch->state = FETCH_IDLE;
        pthread_cond_wait(&fetch->work, &fetch->lock);
    }
    if (!atomic_load(&fetch->stopping)) {
        fetch->state = FETCH_BUSY;
        *wanted = fetch->wanted[fetch->next++];
    }
    pthread_mutex_unlock(&fetch->lock);
    return !atomic_load(&fetch->stopping);
}

static void fetch_one(struct fetch *fetch, const struct library *library, void *client,
                      const struct wanted *wanted)
{
    char *path = NULL;
    int fd = library->find(client, wanted->id, (int)wanted->size, &path);

    fetch->took_bytes += fetch->taking_bytes;
    fetch->taking_bytes = 0;
    if (fd < 0)
        return;
    close(fd);
    fetch->arrived(fetch->context, wanted->module, path);
    free(path);
}

static void *run(void *argument)
{
    struct fetch *fetch = argument;
    struct library library;
    struct wanted wanted;
    void *client;

    pthread_setname_np(pthread_self(), "debuginfod");
    client = load(&library) ? library.begin() : NULL;
    if (client == NULL) {
        set_state(fetch, FETCH_NO_LIBRARY);
        return NULL;
    }
    library.set_user_data(client, fetch);
    library.set_progress(client, progress);
    while (next_wanted(fetch, &wanted))
        fetch_one(fetch, &library, client, &wanted);
    library.end(client);
    return NULL;
}

struct fetch *fetch_new(void (*arrived)(void *context, module_id module, const char *path),
                        void *context, uint64_t max_bytes)
{
    struct fetch *fetch = xcalloc(1, sizeof(*fetch));
    const char *urls = getenv("DEBUGINFOD_URLS");

    fetch->arrived = arrived;
    fetch->context = context;
    fetch->max_bytes = max_bytes;
    pthread_mutex_init(&fetch->lock, NULL);
    pthread_cond_init(&fetch->work, NULL);
    pthread_cond_init(&fetch->progress, NULL);
    if (urls == NULL || urls[strspn(urls, " ")] == '\0')
        fetch->state = FETCH_NO_SERVER;
    else if (pthread_create(&fetch->thread, NULL, run, fetch) == 0)
        fetch->running = true;
    return fetch;
}

void fetch_stop(struct fetch *fetch)
{
    pthread_mutex_lock(&fetch->lock);
    atomic_store(&fetch->stopping, true);
    pthread_cond_signal(&fetch->work);
    pthread_cond_broadcast(&fetch->progress);
    pthread_mutex_unlock(&fetch->lock);
}

void fetch_free(struct fetch *fetch)
{
    if (fetch == NULL)
        return;
    fetch_stop(fetch);
    if (fetch->running)
        pthread_join(fetch->thread, NULL);
    pthread_mutex_destroy(&fetch->lock);
    pthread_cond_destroy(&fetch->work);
    pthread_cond_destroy(&fetch->progress);
    free(fetch->wanted);
    free(fetch);
}

void fetch_ask(struct fetch *fetch, module_id module, const uint8_t *id, size_t size)
{
    struct wanted wanted = { .module = module, .size = size };
    bool known = false;

    if (size == 0 || size > BUILD_ID_MAX)
        return;
    memcpy(wanted.id, id, size);
    pthread_mutex_lock(&fetch->lock);
    for (size_t i = 0; i < fetch->count; i++)
        known |= fetch->wanted[i].module == module;
    if (!known && fetch->count < ASKED_MAX) {
        fetch->wanted = array_reserve(fetch->wanted, &fetch->capacity, fetch->count + 1,
                                      sizeof(*fetch->wanted));
        fetch->wanted[fetch->count++] = wanted;
        pthread_cond_signal(&fetch->work);
    }
    pthread_mutex_unlock(&fetch->lock);
}

enum fetch_state fetch_state(struct fetch *fetch)
{
    enum fetch_state state;

    pthread_mutex_lock(&fetch->lock);
    state = fetch->state;
    pthread_mutex_unlock(&fetch->lock);
    return state;
}

/* With the lock held. */
static bool is_under_way(const struct fetch *fetch)
{
    return fetch->running && !atomic_load(&fetch->stopping) && fetch->state != FETCH_NO_LIBRARY &&
           (fetch->next < fetch->count || fetch->state == FETCH_BUSY);
}

void fetch_await(struct fetch *fetch, const _Atomic uint32_t *version, uint32_t seen)
{
    pthread_mutex_lock(&fetch->lock);
    while (atomic_load(version) == seen && is_under_way(fetch))
        pthread_cond_wait(&fetch->progress, &fetch->lock);
    pthread_mutex_unlock(&fetch->lock);
}
