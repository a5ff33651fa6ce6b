/* SPDX-License-Identifier: MIT */
/*
 * Writing the tables.  Each is append-only in memory too, so that a count says what the file has:
 *
 *     functions  |0 … in the file … 412|413 … new … 430|
 *
 * Namings and threads change as well: what the file has is remembered by address, because a changed
 * one is another object.
 */
#include "config.h"

#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/history.h"
#include "proftop/memory.h"
#include "modules.h"
#include "schema.h"
#include "sources.h"
#include "totals.h"

enum { BLOB_ITEMS_MAX = 1 << 16 /* of one row, so that blobs stay small */ };

static const char *const statement_texts[STORE_STATEMENTS] = {
    [STORE_INFO] = "INSERT OR REPLACE INTO info VALUES (?, ?)",
    [STORE_FUNCTION] = "INSERT INTO functions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STORE_MODULE] = "INSERT INTO modules VALUES (?, ?, ?, ?, ?)",
    [STORE_LOCATIONS] = "INSERT INTO locations VALUES (?, ?)",
    [STORE_NAMINGS] = "INSERT INTO namings (named) VALUES (?)",
    [STORE_STACKS] = "INSERT INTO stacks VALUES (?, ?)",
    [STORE_THREAD] = "INSERT OR REPLACE INTO threads VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    [STORE_LANE] = "INSERT INTO lanes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STORE_SLICE] = "INSERT INTO slices (start_ns, end_ns, entries, counters) VALUES (?, ?, ?, ?)",
    [STORE_NOTE] = "INSERT INTO notes (time_ns, level, text) VALUES (?, ?, ?)",
    [STORE_SECOND] =
        "INSERT INTO seconds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (second) DO UPDATE SET "
        "samples = samples + excluded.samples, running_ns = running_ns + excluded.running_ns, "
        "waiting_ns = waiting_ns + excluded.waiting_ns, expected = expected + excluded.expected, "
        "received = received + excluded.received, lost = lost + excluded.lost, "
        "target_cpu_pct = coalesce(excluded.target_cpu_pct, target_cpu_pct), "
        "target_rss_bytes = coalesce(excluded.target_rss_bytes, target_rss_bytes)",
    [STORE_TOTAL] = "INSERT OR REPLACE INTO function_totals VALUES (?, ?, ?, ?, ?)",
    [STORE_SOURCE] = "INSERT INTO sources (file, text) VALUES (?, ?)",
};

/* ---- life ------------------------------------------------------------------------------------ */

static bool make_tables(sqlite3 *database, struct error *error)
{
    char *pragmas = xasprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;",
                              SESSION_APPLICATION_ID, SESSION_VERSION);
    bool good = database_run(database, "BEGIN", error) && database_run(database, pragmas, error);

    free(pragmas);
    for (unsigned i = 0; i < schema_table_count && good; i++)
        good = database_run(database, schema_tables[i].sql, error);
    for (unsigned i = 0; i < schema_view_count && good; i++)
        good = database_run(database, schema_views[i].sql, error);
    return good && database_run(database, "COMMIT", error);
}

static bool put_number(struct session_store *store, const char *key, int64_t number,
                       struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_INFO];

    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, number);
    return database_step(store->database, statement, error);
}

static bool put_text(struct session_store *store, const char *key, const char *text,
                     struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_INFO];

    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, text != NULL ? text : "", -1, SQLITE_TRANSIENT);
    return database_step(store->database, statement, error);
}

static bool put_info(struct session_store *store, const struct profile_info *info,
                     struct error *error)
{
    int64_t start_unix_ns = (int64_t)info->start_ns + info->realtime_offset_ns;

    return put_text(store, "command", info->command, error) &&
           put_text(store, "source", info->source, error) &&
           put_text(store, "source_reason", info->source_reason, error) &&
           put_text(store, "event", info->event, error) &&
           put_text(store, "note", info->note, error) &&
           put_text(store, "host", info->host, error) &&
           put_text(store, "version", info->version, error) &&
           put_number(store, "pid", info->pid, error) &&
           put_number(store, "rate_hz", info->rate_hz, error) &&
           put_number(store, "cpus", info->cpus, error) &&
           put_number(store, "exit_status", info->exit_status, error) &&
           put_number(store, "start_ns", (int64_t)info->start_ns, error) &&
           put_number(store, "realtime_offset_ns", info->realtime_offset_ns, error) &&
           put_number(store, "start_unix_s", start_unix_ns / (int64_t)NS_PER_S, error) &&
           put_number(store, "end_ns", 0, error) && put_number(store, "ended", 0, error) &&
           put_number(store, "totals_weight", 0, error);
}

bool store_init(struct session_store *store, sqlite3 *database, const struct profile_info *info,
                struct error *error)
{
    *store = (struct session_store){ .database = database,
                                     .start_ns = info->start_ns,
                                     .cpu_lane = UINT32_MAX,
                                     .rss_lane = UINT32_MAX };
    store->stacks = 1; /* the empty stack needs no telling */
    store->totals = totals_new();
    if (!make_tables(database, error))
        return false;
    for (unsigned i = 0; i < STORE_STATEMENTS; i++) {
        store->statements[i] = database_prepare(database, statement_texts[i], error);
        if (store->statements[i] == NULL)
            return false;
    }
    return store_begin(store, error) && put_info(store, info, error) && store_commit(store, error);
}

void store_fini(struct session_store *store)
{
    for (unsigned i = 0; i < STORE_STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
    free(store->seen);
    free(store->threads);
    bytes_fini(&store->bytes);
    totals_free(store->totals);
}

bool store_begin(struct session_store *store, struct error *error)
{
    return database_run(store->database, "BEGIN IMMEDIATE", error);
}

bool store_commit(struct session_store *store, struct error *error)
{
    return database_run(store->database, "COMMIT", error);
}

void store_rollback(struct session_store *store)
{
    database_run(store->database, "ROLLBACK", NULL);
}

/* ---- slices ---------------------------------------------------------------------------------- */

/* What the "seconds" table shows of a slice. */
struct second_sum {
    uint64_t samples, running_ns, waiting_ns;
};

static struct second_sum sum_of(const struct slice *slice)
{
    struct second_sum sum = { .samples = slice_running(slice) };
    struct slice_walk walk;
    struct slice_entry entry;

    slice_entries(slice, &walk);
    while (slice_next_entry(&walk, &entry)) {
        bool time = entry.metric == METRIC_TIME;

        if (time && entry.state == STATE_RUNNING)
            sum.running_ns += entry.weight;
        if (time && entry.state == STATE_WAITING)
            sum.waiting_ns += entry.weight;
    }
    return sum;
}

static void find_lanes(struct session_store *store, const struct lanes *lanes)
{
    for (lane_id i = 0; lanes != NULL && i < lanes_count(lanes); i++) {
        const struct lane *lane = lanes_get(lanes, i);

        if (lane->group != LANE_TARGET || lane->pid != 0)
            continue;
        if (strcmp(lane->key, "cpu_pct") == 0)
            store->cpu_lane = i;
        else if (strcmp(lane->key, "rss_bytes") == 0)
            store->rss_lane = i;
    }
}

static void bind_lane(sqlite3_stmt *statement, int column, const struct slice *slice, lane_id lane)
{
    double value;

    if (lane != UINT32_MAX && slice_lane(slice, lane, &value))
        sqlite3_bind_double(statement, column, value);
    else
        sqlite3_bind_null(statement, column);
}

static bool store_second(struct session_store *store, const struct slice *slice,
                         struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_SECOND];
    const struct record_tally *tally = slice_tally(slice);
    struct second_sum sum = sum_of(slice);
    uint64_t second = (slice_start_ns(slice) - store->start_ns) / NS_PER_S;

    sqlite3_bind_int64(statement, 1, (int64_t)second);
    sqlite3_bind_int64(statement, 2, (int64_t)sum.samples);
    sqlite3_bind_int64(statement, 3, (int64_t)sum.running_ns);
    sqlite3_bind_int64(statement, 4, (int64_t)sum.waiting_ns);
    sqlite3_bind_int64(statement, 5, tally != NULL ? tally->expected : 0);
    sqlite3_bind_int64(statement, 6, tally != NULL ? tally->received : 0);
    sqlite3_bind_int64(statement, 7, tally != NULL ? tally->lost : 0);
    bind_lane(statement, 8, slice, store->cpu_lane);
    bind_lane(statement, 9, slice, store->rss_lane);
    return database_step(store->database, statement, error);
}

bool store_slice_again(struct session_store *store, const struct slice *slice, struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_SLICE];
    const uint8_t *packed;
    size_t size;

    packed = slice_packed(slice, &size);
    bytes_clear(&store->bytes);
    encode_counters(&store->bytes, slice);
    sqlite3_bind_int64(statement, 1, (int64_t)(slice_start_ns(slice) - store->start_ns));
    sqlite3_bind_int64(statement, 2, (int64_t)(slice_end_ns(slice) - store->start_ns));
    sqlite3_bind_blob64(statement, 3, size > 0 ? packed : (const uint8_t *)"", size, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 4, store->bytes.data, store->bytes.size, SQLITE_STATIC);
    return database_step(store->database, statement, error);
}

bool store_slice(struct session_store *store, const struct profile *profile,
                 const struct slice *slice, struct error *error)
{
    if (store->cpu_lane == UINT32_MAX || store->rss_lane == UINT32_MAX)
        find_lanes(store, profile_lanes(profile));
    return store_slice_again(store, slice, error) && store_second(store, slice, error);
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool store_functions(struct session_store *store, const struct names *names,
                            struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_FUNCTION];

    for (uint32_t count = names_functions(names); store->functions < count; store->functions++) {
        const struct function *function = names_get(names, store->functions);

        sqlite3_bind_int64(statement, 1, store->functions);
        sqlite3_bind_int64(statement, 2, function->kind);
        sqlite3_bind_text(statement, 3, function->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 4,
                          function->raw_name != function->name ? function->raw_name : NULL, -1,
                          SQLITE_STATIC);
        sqlite3_bind_text(statement, 5, function->module, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 6, function->file, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 7, function->line);
        sqlite3_bind_int64(statement, 8, function->mark);
        sqlite3_bind_int64(statement, 9, function->internal);
        if (!database_step(store->database, statement, error))
            return false;
    }
    return true;
}

static bool put_blob(struct session_store *store, enum store_statement which, int64_t first,
                     struct error *error)
{
    sqlite3_stmt *statement = store->statements[which];
    int column = 1;

    if (first >= 0)
        sqlite3_bind_int64(statement, column++, first);
    sqlite3_bind_blob64(statement, column, store->bytes.data, store->bytes.size, SQLITE_STATIC);
    return database_step(store->database, statement, error);
}

static bool store_locations(struct session_store *store, const struct names *names, uint32_t count,
                            struct error *error)
{
    while (store->locations < count) {
        uint32_t first = store->locations;

        bytes_clear(&store->bytes);
        while (store->locations < count && store->locations - first < BLOB_ITEMS_MAX)
            encode_frame(&store->bytes, names_frame(names, store->locations++));
        if (!put_blob(store, STORE_LOCATIONS, first, error))
            return false;
    }
    return true;
}

static bool store_stacks(struct session_store *store, const struct names *names, uint32_t count,
                         struct error *error)
{
    while (store->stacks < count) {
        uint32_t first = store->stacks;

        bytes_clear(&store->bytes);
        for (; store->stacks < count && store->stacks - first < BLOB_ITEMS_MAX; store->stacks++)
            encode_node(&store->bytes, store->stacks, names_parent(names, store->stacks),
                        names_location(names, store->stacks));
        if (!put_blob(store, STORE_STACKS, first, error))
            return false;
    }
    return true;
}

/* Encodes what COUNT locations are called now where the file does not say so yet. */
static bool store_namings(struct session_store *store, const struct names *names, uint32_t known,
                          uint32_t count, uint32_t version, struct error *error)
{
    uint32_t from = version == store->names_version ? known : 0;

    store->seen = array_reserve(store->seen, &store->seen_capacity, count, sizeof(*store->seen));
    bytes_clear(&store->bytes);
    for (location_id i = from; i < count; i++) {
        const struct naming *naming = names_of(names, i);

        if (i < known && naming == store->seen[i])
            continue;
        store->seen[i] = naming;
        encode_naming(&store->bytes, i, naming);
    }
    store->names_version = version;
    return store->bytes.size == 0 || put_blob(store, STORE_NAMINGS, -1, error);
}

static bool store_names(struct session_store *store, const struct names *names, struct error *error)
{
    uint32_t version = names_version(names), stacks = names_stacks(names);
    uint32_t locations = names_locations(names), known = store->locations;

    /* Functions last: by then the others have named all that they refer to. */
    return store_namings(store, names, known, locations, version, error) &&
           store_locations(store, names, locations, error) &&
           store_stacks(store, names, stacks, error) && store_functions(store, names, error) &&
           store_modules(store, names, error);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static int64_t relative(const struct session_store *store, uint64_t time_ns)
{
    return (int64_t)(time_ns - store->start_ns);
}

static bool store_thread(struct session_store *store, uint32_t index,
                         const struct profile_thread *thread, struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_THREAD];

    sqlite3_bind_int64(statement, 1, index);
    sqlite3_bind_int64(statement, 2, thread->pid);
    sqlite3_bind_int64(statement, 3, thread->tid);
    sqlite3_bind_int64(statement, 4, thread->ppid);
    sqlite3_bind_int64(statement, 5, relative(store, thread->began_ns));
    if (thread->ended_ns == UINT64_MAX)
        sqlite3_bind_null(statement, 6);
    else
        sqlite3_bind_int64(statement, 6, relative(store, thread->ended_ns));
    sqlite3_bind_int64(statement, 7, thread->exit_status);
    sqlite3_bind_text(statement, 8, thread->name, -1, SQLITE_STATIC);
    return database_step(store->database, statement, error);
}

static bool store_threads(struct session_store *store, const struct profile *profile,
                          struct error *error)
{
    uint32_t count = profile_threads_now(profile);

    store->threads =
        array_reserve(store->threads, &store->thread_capacity, count, sizeof(*store->threads));
    while (store->thread_count < count)
        store->threads[store->thread_count++] = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct profile_thread *thread = profile_thread(profile, i);

        if (thread == store->threads[i])
            continue;
        if (!store_thread(store, i, thread, error))
            return false;
        store->threads[i] = thread;
    }
    return true;
}

static bool store_lanes(struct session_store *store, const struct lanes *lanes, struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_LANE];
    uint32_t count = lanes != NULL ? lanes_count(lanes) : 0;

    for (; store->lanes < count; store->lanes++) {
        const struct lane *lane = lanes_get(lanes, store->lanes);

        sqlite3_bind_int64(statement, 1, store->lanes);
        sqlite3_bind_int64(statement, 2, lane->group);
        sqlite3_bind_int64(statement, 3, lane->unit);
        sqlite3_bind_text(statement, 4, lane->key, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 5, lane->label, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 6, lane->pid);
        sqlite3_bind_int64(statement, 7, lane->tid);
        sqlite3_bind_double(statement, 8, lane->ceiling);
        sqlite3_bind_int64(statement, 9, lane->alarming);
        sqlite3_bind_text(statement, 10, lane->absent, -1, SQLITE_STATIC);
        if (!database_step(store->database, statement, error))
            return false;
    }
    return true;
}

static bool store_note(struct session_store *store, const struct profile_note *note,
                       struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_NOTE];

    sqlite3_bind_int64(statement, 1, relative(store, note->time_ns));
    sqlite3_bind_int64(statement, 2, note->level);
    sqlite3_bind_text(statement, 3, note->text, -1, SQLITE_TRANSIENT);
    return database_step(store->database, statement, error);
}

static bool store_notes(struct session_store *store, const struct profile *profile,
                        struct error *error)
{
    for (; store->notes < profile_notes(profile); store->notes++) {
        if (!store_note(store, profile_note(profile, store->notes), error))
            return false;
    }
    return true;
}

bool store_thinned(struct session_store *store, uint64_t time_ns, uint64_t max_bytes,
                   uint32_t times, struct error *error)
{
    char *text = xasprintf(_("older detail was merged to keep the session below %llu MB"),
                           (unsigned long long)(max_bytes >> 20));
    struct profile_note note = { time_ns, NOTE_WARNING, text };
    bool good = put_number(store, "thinned", times, error) &&
                (times != 1 || store_note(store, &note, error));

    free(text);
    return good;
}

bool store_tables(struct session_store *store, struct profile *profile, struct error *error)
{
    const struct profile_info *info = profile_info(profile);

    return store_names(store, profile_names(profile), error) &&
           store_threads(store, profile, error) &&
           store_lanes(store, profile_lanes(profile), error) &&
           store_notes(store, profile, error) &&
           put_number(store, "end_ns", relative(store, profile_end_ns(profile)), error) &&
           put_number(store, "exit_status", info->exit_status, error) &&
           put_number(store, "ended", profile_ended(profile), error);
}

static bool store_rows(struct session_store *store, struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_TOTAL];
    const struct fold_row *row;

    if (totals_started_over(store->totals) &&
        !database_run(store->database, "DELETE FROM function_totals", error))
        return false;
    while ((row = totals_next_changed(store->totals)) != NULL) {
        sqlite3_bind_int64(statement, 1, row->function);
        sqlite3_bind_int64(statement, 2, (int64_t)row->self);
        sqlite3_bind_int64(statement, 3, (int64_t)row->total);
        sqlite3_bind_int64(statement, 4, (int64_t)row->self_samples);
        sqlite3_bind_int64(statement, 5, (int64_t)row->total_samples);
        if (!database_step(store->database, statement, error))
            return false;
    }
    return true;
}

bool store_totals(struct session_store *store, struct profile *profile, bool last,
                  struct error *error)
{
    const struct fold *fold = totals_update(store->totals, profile);
    bool good = store_rows(store, error) &&
                put_number(store, "totals_weight", (int64_t)fold->weight, error) &&
                put_number(store, "totals_samples", (int64_t)fold->samples, error) &&
                put_number(store, "totals_until_ns", relative(store, fold->end_ns), error) &&
                put_text(store, "totals_metric", totals_metric(store->totals), error);

    good = good && (!last || store_sources(store, profile, fold, error));
    totals_release(store->totals);
    return good;
}
