/* SPDX-License-Identifier: MIT */
/*
 * Reading a session.  Ids in the file are those of its recorder, dense and in order; the tables
 * here give out the same ones, and where they would not, the file is damaged.  Functions alone may
 * get other ids: views add to that table while a file is followed.
 */
#include "config.h"

#include "reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "codec.h"
#include "proftop/clock.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "modules.h"
#include "schema.h"
#include "sources.h"

/* No clock says more than that since its machine started, and no recording is longer. */
#define TIME_MAX_NS (INT64_C(3650) * 24 * 3600 * INT64_C(1000000000))
#define LENGTH_MAX_NS (INT64_C(366) * 24 * 3600 * INT64_C(1000000000))

struct look {
    off_t size, log_size;
    struct timespec changed, log_changed;
};

struct session_reader {
    struct session_file file; /* open while it loads */
    char *path;
    bool live;
    struct look look; /* before the last load */
    struct history *history;
    struct lanes *lanes; /* the history's */
    struct names *names; /* the history's */
    uint64_t start_ns;
    function_id *functions; /* id in the file → id here */
    size_t function_count, function_capacity;
    uint32_t thread_count;
    int64_t last_naming, last_slice, last_note, last_source, thinned;
    bool ended;
    struct slice_draft draft;
};

static bool damaged(const struct session_reader *reader, const char *what, struct error *error)
{
    return error_set(error, STATUS_DAMAGED, _("%s is damaged: its %s make no sense"), reader->path,
                     what);
}

/* ---- info ------------------------------------------------------------------------------------ */

/* The value of KEY as text into a copy, or as a number. */
static bool info_value(struct session_reader *reader, const char *key, char **text, int64_t *number,
                       struct error *error)
{
    sqlite3_stmt *statement =
        database_prepare(reader->file.database, "SELECT value FROM info WHERE key = ?", error);
    int got;

    if (statement == NULL)
        return false;
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    got = database_next(reader->file.database, statement, error);
    if (text != NULL)
        *text = xstrdup(got == 1 ? column_text(statement, 0) : "");
    if (number != NULL && got == 1)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return got >= 0;
}

static void free_info(struct profile_info *info)
{
    free(info->command);
    free(info->source);
    free(info->source_reason);
    free(info->event);
    free(info->note);
    free(info->host);
    free(info->version);
}

static bool read_info(struct session_reader *reader, struct profile_info *info, struct error *error)
{
    int64_t start_ns = 0, pid = 0, rate_hz = 0, cpus = 0, exit_status = -1;
    bool good = info_value(reader, "command", &info->command, NULL, error) &&
                info_value(reader, "source", &info->source, NULL, error) &&
                info_value(reader, "source_reason", &info->source_reason, NULL, error) &&
                info_value(reader, "event", &info->event, NULL, error) &&
                info_value(reader, "note", &info->note, NULL, error) &&
                info_value(reader, "host", &info->host, NULL, error) &&
                info_value(reader, "version", &info->version, NULL, error) &&
                info_value(reader, "pid", NULL, &pid, error) &&
                info_value(reader, "rate_hz", NULL, &rate_hz, error) &&
                info_value(reader, "cpus", NULL, &cpus, error) &&
                info_value(reader, "exit_status", NULL, &exit_status, error) &&
                info_value(reader, "start_ns", NULL, &start_ns, error) &&
                info_value(reader, "realtime_offset_ns", NULL, &info->realtime_offset_ns, error);

    if (!good)
        return false;
    if (start_ns < 0 || start_ns > TIME_MAX_NS || rate_hz < 0 || rate_hz > UINT32_MAX || cpus < 0 ||
        cpus > UINT32_MAX || pid < 0 || pid > INT32_MAX ||
        info->realtime_offset_ns < -TIME_MAX_NS || info->realtime_offset_ns > INT64_MAX / 2)
        return damaged(reader, _("facts"), error);
    info->start_ns = (uint64_t)start_ns;
    info->pid = (int32_t)pid;
    info->rate_hz = (uint32_t)rate_hz;
    info->cpus = (uint32_t)cpus;
    info->exit_status = (int32_t)exit_status;
    return true;
}

static bool make_history(struct session_reader *reader, struct error *error)
{
    struct profile_info info = { 0 };
    struct history_config config = { .info = &info, .own_lanes = true, .memory_max = SIZE_MAX };
    bool good = read_info(reader, &info, error);

    if (good) {
        config.lanes = reader->lanes = lanes_new();
        reader->history = history_new(&config);
        reader->names = history_names(reader->history);
        reader->start_ns = info.start_ns;
    }
    free_info(&info);
    return good;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Calls ROW for each row of SQL, whose one parameter is AFTER. */
static bool for_each(struct session_reader *reader, const char *sql, int64_t after,
                     bool (*row)(struct session_reader *reader, sqlite3_stmt *statement,
                                 struct error *error),
                     struct error *error)
{
    sqlite3_stmt *statement = database_prepare(reader->file.database, sql, error);
    int got = -1;

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, after);
    while ((got = database_next(reader->file.database, statement, error)) == 1) {
        if (!row(reader, statement, error)) {
            got = -1;
            break;
        }
    }
    sqlite3_finalize(statement);
    return got == 0;
}

/* An integer column that has to be in [0, MAX]. */
static bool column_u32(sqlite3_stmt *statement, int column, int64_t max, uint32_t *value)
{
    int64_t wide = sqlite3_column_int64(statement, column);

    *value = (uint32_t)wide;
    return sqlite3_column_type(statement, column) == SQLITE_INTEGER && wide >= 0 && wide <= max;
}

static bool read_function(struct session_reader *reader, sqlite3_stmt *statement,
                          struct error *error)
{
    struct function function = { 0 };
    uint32_t kind, internal;

    if (sqlite3_column_int64(statement, 0) != (int64_t)reader->function_count ||
        !column_u32(statement, 1, FRAME_KINDS - 1, &kind) ||
        !column_u32(statement, 6, UINT32_MAX, &function.line) ||
        !column_u32(statement, 7, UINT32_MAX, &function.mark) ||
        !column_u32(statement, 8, 1, &internal))
        return damaged(reader, _("functions"), error);
    function.kind = (enum frame_kind)kind;
    function.internal = internal;
    function.name = column_text(statement, 2);
    if (sqlite3_column_type(statement, 3) != SQLITE_NULL)
        function.raw_name = column_text(statement, 3);
    function.module = column_text(statement, 4);
    function.file = column_text(statement, 5);
    reader->functions = array_reserve(reader->functions, &reader->function_capacity,
                                      reader->function_count + 1, sizeof(*reader->functions));
    reader->functions[reader->function_count++] = names_function(reader->names, &function);
    return true;
}

static bool read_kept_module(struct session_reader *reader, sqlite3_stmt *statement,
                             struct error *error)
{
    return read_module(statement, reader->names) || damaged(reader, _("modules"), error);
}

static bool read_locations(struct session_reader *reader, sqlite3_stmt *statement,
                           struct error *error)
{
    uint32_t next = names_locations(reader->names);
    struct reading reading;
    struct frame frame;
    const void *blob;
    size_t size;

    if (sqlite3_column_int64(statement, 0) != next)
        return damaged(reader, _("locations"), error);
    blob = column_blob(statement, 1, &size);
    for (reading = reading_of(blob, size); reading.at < reading.end; next++) {
        if (!decode_frame(&reading, &frame) || names_locate(reader->names, &frame) != next)
            return damaged(reader, _("locations"), error);
    }
    return true;
}

static bool read_stacks(struct session_reader *reader, sqlite3_stmt *statement, struct error *error)
{
    uint32_t next = names_stacks(reader->names), locations = names_locations(reader->names);
    struct reading reading;
    location_id location;
    stack_id parent;
    const void *blob;
    size_t size;

    if (sqlite3_column_int64(statement, 0) != next)
        return damaged(reader, _("stacks"), error);
    blob = column_blob(statement, 1, &size);
    for (reading = reading_of(blob, size); reading.at < reading.end; next++) {
        if (!decode_node(&reading, next, &parent, &location) || location >= locations ||
            names_push(reader->names, parent, location) != next)
            return damaged(reader, _("stacks"), error);
    }
    return true;
}

static bool read_namings(struct session_reader *reader, sqlite3_stmt *statement,
                         struct error *error)
{
    struct placed frames[UINT8_MAX];
    enum naming_state state;
    struct reading reading;
    location_id location;
    const void *blob;
    uint32_t count;
    size_t size;

    reader->last_naming = sqlite3_column_int64(statement, 0);
    blob = column_blob(statement, 1, &size);
    for (reading = reading_of(blob, size); reading.at < reading.end;) {
        if (!decode_naming(&reading, &location, &state, frames, &count) ||
            location >= names_locations(reader->names))
            return damaged(reader, _("names"), error);
        for (uint32_t i = 0; i < count; i++) {
            if (frames[i].function >= reader->function_count)
                return damaged(reader, _("names"), error);
            frames[i].function = reader->functions[frames[i].function];
        }
        names_set(reader->names, location, state, frames, count);
    }
    return true;
}

static bool time_column(const struct session_reader *reader, sqlite3_stmt *statement, int column,
                        uint64_t *time_ns)
{
    int64_t relative = sqlite3_column_int64(statement, column);

    if (relative < -TIME_MAX_NS || relative > LENGTH_MAX_NS)
        return false;
    *time_ns = reader->start_ns + (uint64_t)relative;
    if (relative < 0 && (uint64_t)-relative > reader->start_ns)
        *time_ns = 0;
    return true;
}

static bool read_thread(struct session_reader *reader, sqlite3_stmt *statement, struct error *error)
{
    struct profile_thread thread = { .ended_ns = UINT64_MAX };
    int64_t id = sqlite3_column_int64(statement, 0);

    thread.pid = sqlite3_column_int(statement, 1);
    thread.tid = sqlite3_column_int(statement, 2);
    thread.ppid = sqlite3_column_int(statement, 3);
    thread.exit_status = sqlite3_column_int(statement, 6);
    thread.process = thread.pid == thread.tid;
    strncpy(thread.name, column_text(statement, 7), sizeof(thread.name) - 1);
    if (id < 0 || id > reader->thread_count || !time_column(reader, statement, 4, &thread.began_ns))
        return damaged(reader, _("threads"), error);
    if (sqlite3_column_type(statement, 5) != SQLITE_NULL &&
        !time_column(reader, statement, 5, &thread.ended_ns))
        return damaged(reader, _("threads"), error);
    if (id == reader->thread_count) {
        history_add_thread(reader->history, &thread);
        reader->thread_count++;
    } else if (memcmp(&thread, history_thread(reader->history, (uint32_t)id), sizeof(thread)) !=
               0) {
        history_set_thread(reader->history, (uint32_t)id, &thread);
    }
    return true;
}

static bool read_lane(struct session_reader *reader, sqlite3_stmt *statement, struct error *error)
{
    struct lane lane = { 0 };
    uint32_t group, unit, alarming;

    if (sqlite3_column_int64(statement, 0) != lanes_count(reader->lanes) ||
        !column_u32(statement, 1, LANE_GROUPS - 1, &group) ||
        !column_u32(statement, 2, UNIT_RATIO, &unit) || !column_u32(statement, 8, 1, &alarming))
        return damaged(reader, _("lanes"), error);
    lane.id = lanes_count(reader->lanes);
    lane.group = (enum lane_group)group;
    lane.unit = (enum lane_unit)unit;
    lane.key = column_text(statement, 3);
    lane.label = column_text(statement, 4);
    lane.pid = sqlite3_column_int(statement, 5);
    lane.tid = sqlite3_column_int(statement, 6);
    lane.ceiling = sqlite3_column_double(statement, 7);
    lane.alarming = alarming;
    if (sqlite3_column_type(statement, 9) != SQLITE_NULL)
        lane.absent = column_text(statement, 9);
    if (lanes_add(reader->lanes, &lane) != lane.id)
        return damaged(reader, _("lanes"), error);
    return true;
}

static bool read_slice(struct session_reader *reader, sqlite3_stmt *statement, struct error *error)
{
    uint64_t start_ns, end_ns;
    struct reading reading;
    const void *blob;
    size_t size;

    reader->last_slice = sqlite3_column_int64(statement, 0);
    if (!time_column(reader, statement, 1, &start_ns) ||
        !time_column(reader, statement, 2, &end_ns) || start_ns < reader->start_ns ||
        end_ns <= start_ns)
        return damaged(reader, _("slices"), error);
    blob = column_blob(statement, 4, &size);
    reading = reading_of(blob, size);
    if (!decode_counters(&reading, lanes_count(reader->lanes), &reader->draft))
        return damaged(reader, _("counters"), error);
    blob = column_blob(statement, 3, &size);
    if (size > UINT32_MAX ||
        !slice_check(blob, size, names_stacks(reader->names), reader->thread_count))
        return damaged(reader, _("slices"), error);
    history_add(reader->history, draft_seal_packed(&reader->draft, blob, size, start_ns, end_ns));
    return true;
}

static bool read_note(struct session_reader *reader, sqlite3_stmt *statement, struct error *error)
{
    uint64_t time_ns;
    uint32_t level;

    reader->last_note = sqlite3_column_int64(statement, 0);
    if (!time_column(reader, statement, 1, &time_ns) ||
        !column_u32(statement, 2, NOTE_ALARM, &level))
        return damaged(reader, _("notes"), error);
    history_add_note(reader->history, time_ns, (enum note_level)level, column_text(statement, 3));
    return true;
}

static bool read_source(struct session_reader *reader, sqlite3_stmt *statement, struct error *error)
{
    const void *text;
    size_t size;

    reader->last_source = sqlite3_column_int64(statement, 0);
    text = column_blob(statement, 2, &size);
    if (size > SOURCE_BYTES_MAX)
        return damaged(reader, _("sources"), error);
    history_add_source(reader->history, column_text(statement, 1), text, size);
    return true;
}

/* ---- loading --------------------------------------------------------------------------------- */

static bool load_rows(struct session_reader *reader, struct error *error)
{
    return for_each(reader, "SELECT * FROM lanes WHERE id >= ? ORDER BY id",
                    lanes_count(reader->lanes), read_lane, error) &&
           for_each(reader, "SELECT * FROM functions WHERE id >= ? ORDER BY id",
                    (int64_t)reader->function_count, read_function, error) &&
           (reader->file.version < SESSION_VERSION_MODULES ||
            for_each(reader, "SELECT * FROM modules WHERE id >= ? ORDER BY id",
                     names_kept_modules(reader->names), read_kept_module, error)) &&
           for_each(reader, "SELECT * FROM locations WHERE first >= ? ORDER BY first",
                    names_locations(reader->names), read_locations, error) &&
           for_each(reader, "SELECT * FROM stacks WHERE first >= ? ORDER BY first",
                    names_stacks(reader->names), read_stacks, error) &&
           for_each(reader, "SELECT * FROM namings WHERE id > ? ORDER BY id", reader->last_naming,
                    read_namings, error) &&
           for_each(reader, "SELECT * FROM threads WHERE id >= ? ORDER BY id", 0, read_thread,
                    error) &&
           for_each(reader, "SELECT * FROM notes WHERE id > ? ORDER BY id", reader->last_note,
                    read_note, error) &&
           for_each(reader, "SELECT * FROM sources WHERE id > ? ORDER BY id", reader->last_source,
                    read_source, error) &&
           for_each(reader, "SELECT * FROM slices WHERE id > ? ORDER BY id", reader->last_slice,
                    read_slice, error);
}

static bool load_end(struct session_reader *reader, struct error *error)
{
    int64_t end_ns = 0, ended = 0, exit_status = -1;

    if (!info_value(reader, "end_ns", NULL, &end_ns, error) ||
        !info_value(reader, "ended", NULL, &ended, error) ||
        !info_value(reader, "exit_status", NULL, &exit_status, error) ||
        !info_value(reader, "thinned", NULL, &reader->thinned, error))
        return false;
    if (end_ns < 0 || end_ns > LENGTH_MAX_NS)
        return damaged(reader, _("facts"), error);
    reader->ended = ended != 0;
    history_set_exit(reader->history, (int32_t)exit_status);
    history_advance(reader->history, reader->start_ns + (uint64_t)end_ns);
    return true;
}

/* Whether slices that were read before have been merged since: all is to be read again. */
static bool outdated(struct session_reader *reader)
{
    int64_t thinned = 0;

    return reader->history != NULL && info_value(reader, "thinned", NULL, &thinned, NULL) &&
           thinned != reader->thinned;
}

static void start_over(struct session_reader *reader)
{
    history_free(reader->history);
    reader->history = NULL;
    reader->function_count = 0;
    reader->thread_count = 0;
    reader->last_naming = reader->last_slice = reader->last_note = 0;
    reader->last_source = reader->thinned = 0;
}

static bool load(struct session_reader *reader, struct error *error)
{
    bool good;

    /* One snapshot, even while somebody writes. */
    if (!database_run(reader->file.database, "BEGIN", error))
        return false;
    if (outdated(reader))
        start_over(reader);
    good = (reader->history != NULL || make_history(reader, error)) && load_rows(reader, error) &&
           load_end(reader, error);
    database_run(reader->file.database, "ROLLBACK", NULL);
    return good;
}

/* What the file and its log look like from outside. */
static void look(const struct session_reader *reader, struct look *look)
{
    char *log = xasprintf("%s-wal", reader->path);
    struct stat file;

    memset(look, 0, sizeof(*look));
    if (stat(reader->path, &file) == 0) {
        look->size = file.st_size;
        look->changed = file.st_mtim;
    }
    if (stat(log, &file) == 0) {
        look->log_size = file.st_size;
        look->log_changed = file.st_mtim;
    }
    free(log);
}

bool reader_load(struct session_reader *reader, bool *any, struct error *error)
{
    struct look now;
    bool good;

    look(reader, &now);
    *any = reader->history == NULL || memcmp(&now, &reader->look, sizeof(now)) != 0;
    if (!*any)
        return true;
    good = file_open(&reader->file, reader->path, reader->live, error) && load(reader, error);
    file_close(&reader->file);
    reader->look = now;
    return good;
}

struct session_reader *reader_new(const char *path, bool live)
{
    struct session_reader *reader = xcalloc(1, sizeof(*reader));

    reader->path = xstrdup(path);
    reader->live = live;
    draft_init(&reader->draft);
    return reader;
}

void reader_free(struct session_reader *reader)
{
    if (reader == NULL)
        return;
    history_free(reader->history);
    draft_fini(&reader->draft);
    free(reader->functions);
    free(reader->path);
    free(reader);
}

struct profile *reader_profile(struct session_reader *reader)
{
    return history_profile(reader->history, reader->ended);
}
