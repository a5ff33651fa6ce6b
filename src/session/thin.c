/* SPDX-License-Identifier: MIT */
/* Merging old slices of a session file. */
#include "config.h"

#include "thin.h"

#include "proftop/clock.h"
#include "proftop/memory.h"

static const uint64_t lengths_ns[THIN_STEPS] = {
    NS_PER_S,        10 * NS_PER_S,       60 * NS_PER_S,        600 * NS_PER_S,
    3600 * NS_PER_S, 6 * 3600 * NS_PER_S, 24 * 3600 * NS_PER_S, 7 * 24 * 3600 * NS_PER_S,
};

/* The newest two minutes keep all they have. */
#define FRESH_NS (120 * NS_PER_S)
/* What the write-ahead log may take beside the file itself. */
#define LOG_BYTES (UINT64_C(1) << 20)

void thinner_init(struct thinner *thinner, uint64_t max_bytes)
{
    *thinner = (struct thinner){ .max_bytes = max_bytes };
    draft_init(&thinner->draft);
}

void thinner_fini(struct thinner *thinner)
{
    sqlite3_finalize(thinner->select);
    sqlite3_finalize(thinner->delete);
    draft_fini(&thinner->draft);
}

static bool used_bytes(sqlite3 *database, uint64_t *bytes, struct error *error)
{
    int64_t pages, free_pages, page_bytes;

    if (!database_number(database, "PRAGMA page_count", 0, &pages, error) ||
        !database_number(database, "PRAGMA freelist_count", 0, &free_pages, error) ||
        !database_number(database, "PRAGMA page_size", 0, &page_bytes, error))
        return false;
    *bytes = (uint64_t)((pages - free_pages) * page_bytes);
    return true;
}

static bool prepare(struct thinner *thinner, sqlite3 *database, struct error *error)
{
    if (thinner->delete != NULL)
        return true;
    if (!database_run(database, "CREATE INDEX IF NOT EXISTS slices_start ON slices (start_ns)",
                      error))
        return false;
    thinner->select = database_prepare(database,
                                       "SELECT entries, counters FROM slices "
                                       "WHERE start_ns >= ?1 AND start_ns < ?2",
                                       error);
    thinner->delete = database_prepare(
        database, "DELETE FROM slices WHERE start_ns >= ?1 AND start_ns < ?2", error);
    return thinner->select != NULL && thinner->delete != NULL;
}

static void bind_range(sqlite3_stmt *statement, uint64_t start_ns, uint64_t end_ns)
{
    sqlite3_bind_int64(statement, 1, (int64_t)start_ns);
    sqlite3_bind_int64(statement, 2, (int64_t)end_ns);
}

/* Reads one slice of the file into the draft; one that makes no sense is left out. */
static void gather(struct thinner *thinner, const struct session_store *store)
{
    struct slice_draft part;
    struct slice *slice;
    struct reading reading;
    size_t size;
    const void *blob;

    draft_init(&part);
    blob = column_blob(thinner->select, 1, &size);
    reading = reading_of(blob, size);
    decode_counters(&reading, store->lanes, &part);
    blob = column_blob(thinner->select, 0, &size);
    if (!slice_check(blob, size, store->stacks, store->thread_count))
        size = 0;
    slice = draft_seal_packed(&part, blob, size, 0, 1);
    draft_add_slice(&thinner->draft, slice);
    slice_unref(slice);
    draft_fini(&part);
}

/* Makes one slice of those in [START, END). */
static bool merge(struct thinner *thinner, struct session_store *store, uint64_t start_ns,
                  uint64_t end_ns, struct error *error)
{
    struct slice *slice;
    unsigned count = 0;
    bool good;
    int row;

    bind_range(thinner->select, start_ns, end_ns);
    while ((row = database_next(store->database, thinner->select, error)) == 1) {
        gather(thinner, store);
        count++;
    }
    sqlite3_reset(thinner->select);
    slice = draft_seal(&thinner->draft, store->start_ns + start_ns, store->start_ns + end_ns);
    good = row == 0;
    if (good && count > 1) {
        bind_range(thinner->delete, start_ns, end_ns);
        good = database_step(store->database, thinner->delete, error) &&
               store_slice_again(store, slice, error);
        thinner->merged = true;
    }
    slice_unref(slice);
    return good;
}

/* One more stretch of the shortest length that is not done up to END; false in ANY when none is. */
static bool thin_once(struct thinner *thinner, struct session_store *store, uint64_t end_ns,
                      bool *any, struct error *error)
{
    *any = false;
    for (unsigned i = 0; i < THIN_STEPS; i++) {
        uint64_t start_ns = thinner->done_ns[i],
                 limit_ns = i == 0 ? end_ns : thinner->done_ns[i - 1];

        if (start_ns + lengths_ns[i] > limit_ns)
            continue;
        *any = true;
        thinner->done_ns[i] += lengths_ns[i];
        return merge(thinner, store, start_ns, thinner->done_ns[i], error);
    }
    return true;
}

bool thinner_run(struct thinner *thinner, struct session_store *store, uint64_t end_ns,
                 struct error *error)
{
    uint64_t bytes, limit = thinner->max_bytes > 2 * LOG_BYTES ? thinner->max_bytes - LOG_BYTES
                                                               : thinner->max_bytes / 2;
    bool any = true;

    if (thinner->max_bytes == 0 || !used_bytes(store->database, &bytes, error))
        return thinner->max_bytes == 0;
    if (bytes <= limit || end_ns < FRESH_NS)
        return true;
    if (!prepare(thinner, store->database, error))
        return false;
    thinner->merged = false;
    while (bytes > limit - limit / 16 && any) {
        if (!thin_once(thinner, store, end_ns - FRESH_NS, &any, error) ||
            !used_bytes(store->database, &bytes, error))
            return false;
    }
    return !thinner->merged || store_thinned(store, store->start_ns + end_ns, thinner->max_bytes,
                                             ++thinner->times, error);
}
