/* SPDX-License-Identifier: MIT */
/*
 * One thread goes over the locations that lack a name or a line, again whenever a debug file came:
 *
 *     location ─ frame (number of a module, address) ─► link ─► module_id of our own ─► symbols
 *                                                          │
 *                               kept module of the session ┘ added when a frame first needs it
 *
 * Each file that comes changes the names of one module only, but finding out is cheap for the rest.
 */
#include "config.h"

#include "proftop/late_names.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "namer.h"
#include "proftop/clock.h"
#include "proftop/code.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"
#include "proftop/symbols.h"
#include "proftop/text.h"

/* How often whoever draws is told while names come. */
#define TELL_NS (200 * NS_PER_MS)
/* A stranger's session shall fill nobody's disk: more than most large programs' debug files. */
#define FETCHED_MAX_BYTES (UINT64_C(4) << 30)

enum {
    MODULES_ASKED_MAX = 256, /* a program has some dozens; what a stranger's file has is its own */
    LISTED_MAX = 3,
    NAME_COLUMNS = 40,
    LIST_BYTES = LISTED_MAX * (4 * NAME_COLUMNS + 2),
    REFUSED = UINT32_MAX
};

struct late_names {
    struct modules *modules; /* module 0 apart, those that names are looked for in */
    struct codes *codes;
    struct symbols *symbols;
    int fd;
    pthread_t thread;

    struct profile *named; /* this and what follows: the thread's own while it runs */
    struct index links;    /* number of a module in frames → kept module */
    module_id *ids;        /* by kept module; MODULE_NONE: not needed so far, or REFUSED */
    size_t count, capacity;
    _Atomic uint32_t refused; /* modules above the bound */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work;  /* a newer profile, or the end */
    pthread_cond_t idle;
    struct profile *newest; /* that was given and not taken */
    bool stopping, done;
    bool nothing_kept; /* by what was taken: a file of before, or an imported one */
};

/* ---- modules --------------------------------------------------------------------------------- */

static void forget_links(struct late_names *late)
{
    index_fini(&late->links);
    index_init(&late->links);
    late->count = 0;
}

static void add_links(struct late_names *late, const struct names *names)
{
    uint32_t count = names_kept_modules(names);

    late->ids = array_reserve(late->ids, &late->capacity, count, sizeof(*late->ids));
    for (; late->count < count; late->count++) {
        const struct module *kept = names_kept_module(names, (uint32_t)late->count);

        late->ids[late->count] = MODULE_NONE;
        index_add(&late->links, hash_u64(kept->id), (uint32_t)late->count);
    }
}

static module_id add_module(struct late_names *late, const struct module *kept)
{
    if (modules_find(late->modules, kept) == NULL &&
        modules_count(late->modules) > MODULES_ASKED_MAX) {
        atomic_fetch_add(&late->refused, 1);
        return REFUSED;
    }
    return modules_add(late->modules, kept)->id;
}

/* FRAME as our symbols know it; false when nothing is kept of its module. */
static bool link_frame(struct late_names *late, const struct names *names, struct frame *frame)
{
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&late->links, hash_u64(frame->module), &cursor);
    while ((item = index_next(&late->links, &cursor)) != INDEX_END) {
        const struct module *kept = names_kept_module(names, item);

        if (kept->id != frame->module)
            continue;
        if (late->ids[item] == MODULE_NONE)
            late->ids[item] = add_module(late, kept);
        frame->module = late->ids[item];
        return frame->module != REFUSED;
    }
    return false;
}

/* ---- naming ---------------------------------------------------------------------------------- */

struct pass {
    struct late_names *late;
    struct names *names;
    struct frame *frames;
    location_id *locations;
    size_t count, frames_capacity, locations_capacity;
    uint64_t told_ns;
};

static bool is_stopping(struct late_names *late)
{
    bool stopping;

    pthread_mutex_lock(&late->lock);
    stopping = late->stopping;
    pthread_mutex_unlock(&late->lock);
    return stopping;
}

static void tell(struct late_names *late)
{
    eventfd_write(late->fd, 1);
}

static const struct placed *outermost(const struct naming *naming)
{
    return &naming->frames[naming->count - 1];
}

/* Where there are lines, inlined calls have been looked for as well. */
static void collect(struct pass *pass)
{
    uint32_t count = names_locations(pass->names);

    for (location_id i = 0; i < count; i++) {
        struct frame frame = *names_frame(pass->names, i);

        if (frame.kind != FRAME_NATIVE || outermost(names_of(pass->names, i))->line != 0 ||
            !link_frame(pass->late, pass->names, &frame))
            continue;
        pass->frames = array_reserve(pass->frames, &pass->frames_capacity, pass->count + 1,
                                     sizeof(*pass->frames));
        pass->locations = array_reserve(pass->locations, &pass->locations_capacity, pass->count + 1,
                                        sizeof(*pass->locations));
        pass->frames[pass->count] = frame;
        pass->locations[pass->count++] = i;
    }
}

static bool name_one(void *context, size_t index, const struct symbol *chain, size_t count)
{
    struct pass *pass = context;
    location_id location = pass->locations[index];
    function_id before = outermost(names_of(pass->names, location))->function;
    const struct symbol *real = &chain[count - 1];
    struct placed placed[SYMBOLS_CHAIN_MAX];

    if (real->known && (real->line != 0 || function_is_nameless(names_get(pass->names, before)))) {
        for (size_t i = 0; i < count; i++)
            placed[i] =
                (struct placed){ namer_function(pass->names, pass->late->symbols, &chain[i]),
                                 chain[i].line };
        names_set(pass->names, location, NAMING_FULL, placed, (uint32_t)count);
    }
    if (clock_now_ns() - pass->told_ns > TELL_NS) {
        tell(pass->late);
        pass->told_ns = clock_now_ns();
    }
    return !is_stopping(pass->late);
}

static void name_all(struct late_names *late)
{
    struct pass pass = { .late = late,
                         .names = profile_names(late->named),
                         .told_ns = clock_now_ns() };
    uint32_t version = names_version(pass.names);

    add_links(late, pass.names);
    collect(&pass);
    symbols_many(late->symbols, pass.frames, pass.count, name_one, &pass);
    free(pass.frames);
    free(pass.locations);
    if (names_version(pass.names) != version)
        tell(late);
}

/* Waits for a profile to name; false when it is time to end. */
static bool take_profile(struct late_names *late)
{
    struct profile *newest;

    pthread_mutex_lock(&late->lock);
    while (!late->stopping && late->newest == NULL) {
        if (!late->done) {
            late->done = true;
            pthread_cond_broadcast(&late->idle);
            tell(late);
        }
        pthread_cond_wait(&late->work, &late->lock);
    }
    newest = late->newest;
    late->newest = NULL;
    if (newest != NULL)
        late->nothing_kept = names_kept_modules(profile_names(newest)) == 0;
    pthread_mutex_unlock(&late->lock);
    if (newest == NULL)
        return false;
    /* A file that was read anew has other names, and gives other numbers to its modules. */
    if (late->named != NULL && profile_names(late->named) != profile_names(newest))
        forget_links(late);
    profile_unref(late->named);
    late->named = newest;
    return true;
}

static void *work(void *argument)
{
    struct late_names *late = argument;
    uint32_t version;

    pthread_setname_np(pthread_self(), "late names");
    while (take_profile(late)) {
        do {
            version = symbols_version(late->symbols);
            name_all(late);
        } while (!is_stopping(late) && symbols_await(late->symbols, version));
    }
    return NULL;
}

/* ---- everyone else's ------------------------------------------------------------------------- */

struct late_names *late_names_start(struct profile *profile)
{
    struct symbols_config config = { .inlines = true,
                                     .debuginfod = true,
                                     .fetch_max_bytes = FETCHED_MAX_BYTES };
    struct late_names *late = xcalloc(1, sizeof(*late));

    late->modules = modules_new();
    late->codes = codes_new();
    late->symbols = symbols_new(&config, late->modules, late->codes);
    late->newest = profile_ref(profile);
    index_init(&late->links);
    late->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&late->lock, NULL);
    pthread_cond_init(&late->work, NULL);
    clock_cond_init(&late->idle);
    if (pthread_create(&late->thread, NULL, work, late) != 0)
        die("no thread for names");
    return late;
}

void late_names_follow(struct late_names *late, struct profile *profile)
{
    pthread_mutex_lock(&late->lock);
    profile_unref(late->newest);
    late->newest = profile_ref(profile);
    late->done = false;
    pthread_cond_signal(&late->work);
    pthread_mutex_unlock(&late->lock);
}

int late_names_fd(const struct late_names *late)
{
    return late->fd;
}

void late_names_clear(struct late_names *late)
{
    eventfd_t count;

    (void)eventfd_read(late->fd, &count);
}

bool late_names_wait(struct late_names *late, uint64_t deadline_ns)
{
    bool done;

    pthread_mutex_lock(&late->lock);
    while (!late->done && clock_cond_wait(&late->idle, &late->lock, deadline_ns))
        ;
    done = late->done;
    pthread_mutex_unlock(&late->lock);
    return done;
}

/* The first modules without a debug file; how many there are. */
static uint32_t list_missing(struct late_names *late, char list[LIST_BYTES])
{
    uint32_t missing = 0, count = modules_count(late->modules);
    char name[4 * NAME_COLUMNS];
    size_t length = 0;

    for (module_id id = MODULE_NONE + 1; id < count; id++) {
        if (symbols_trouble(late->symbols, id) == NULL)
            continue;
        if (missing++ >= LISTED_MAX)
            continue;
        text_fit(name, sizeof(name), modules_get(late->modules, id)->name, NAME_COLUMNS, false);
        length += (size_t)snprintf(list + length, LIST_BYTES - length, "%s%s",
                                   missing > 1 ? ", " : "", name);
    }
    return missing;
}

bool late_names_missing(struct late_names *late, char *text, size_t size_bytes)
{
    const char *why = symbols_fetching(late->symbols);
    char list[LIST_BYTES];
    uint32_t missing = list_missing(late, list), more = atomic_load(&late->refused);
    bool done, nothing_kept;

    pthread_mutex_lock(&late->lock);
    done = late->done;
    nothing_kept = late->nothing_kept;
    pthread_mutex_unlock(&late->lock);
    if (nothing_kept) {
        snprintf(text, size_bytes, "%s",
                 _("debuginfod: the recording has no build ids of its modules to ask for"));
        return true;
    }
    if (missing == 0)
        return false;
    if (missing > LISTED_MAX)
        more += missing - LISTED_MAX;
    if (!done)
        why = _("debuginfod: the servers take too long");
    else if (why == NULL)
        why = "debuginfod";
    if (more == 0)
        snprintf(text, size_bytes, _("%s: no debug file for %s"), why, list);
    else
        snprintf(text, size_bytes, _("%s: no debug file for %s and %u more"), why, list, more);
    return true;
}

void late_names_end(struct late_names *late)
{
    if (late == NULL)
        return;
    pthread_mutex_lock(&late->lock);
    late->stopping = true;
    pthread_cond_signal(&late->work);
    pthread_mutex_unlock(&late->lock);
    symbols_fetch_no_more(late->symbols);
    pthread_join(late->thread, NULL);
    symbols_free(late->symbols);
    codes_free(late->codes);
    modules_free(late->modules);
    profile_unref(late->named);
    profile_unref(late->newest);
    index_fini(&late->links);
    free(late->ids);
    pthread_mutex_destroy(&late->lock);
    pthread_cond_destroy(&late->work);
    pthread_cond_destroy(&late->idle);
    close(late->fd);
    free(late);
}
