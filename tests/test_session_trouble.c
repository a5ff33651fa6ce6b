/* SPDX-License-Identifier: MIT */
/*
 * What a kill, a full disk or a stranger leaves of a session: it opens with what was committed, or
 * is refused in words, and never does harm.
 */
#include "config.h"

#include "proftop/session.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/fold.h"
#include "proftop/memory.h"
#include "tests/harness/session.h"
#include "tests/harness/testing.h"

enum { KILLS = 50, CHANGES = 400, CUTS = 60, NOBODY = 65534 };

static uint64_t count_samples(struct profile *profile)
{
    struct folder *folder = folder_new();
    struct scope scope;
    struct fold *fold;
    uint64_t samples;

    scope_init(&scope);
    scope.state = SCOPE_ALL;
    fold = fold_update(folder, profile, &scope, NULL);
    samples = fold->samples;
    for (uint32_t i = 0; i < fold->row_count; i++)
        assert_non_null(names_get(fold->names, fold->rows[i].function)->name);
    fold_free(fold);
    folder_free(folder);
    return samples;
}

/* ---- kills ----------------------------------------------------------------------------------- */

/* Records until it is killed; tells how far the file has it all. */
static void record_forever(const char *path, _Atomic uint64_t *written_ns)
{
    struct session_config config = { .path = path, .period_ns = NS_PER_MS };
    struct written written;

    written_begin(&written, &config, 1);
    for (;;) {
        written_seconds(&written, 1);
        atomic_store(written_ns, session_written_ns(written.writer));
    }
}

static pid_t start_recorder(const char *path, _Atomic uint64_t *written_ns)
{
    pid_t pid;

    atomic_store(written_ns, 0);
    pid = fork();
    if (pid == 0) {
        record_forever(path, written_ns);
        _exit(0);
    }
    assert_true(pid > 0);
    return pid;
}

/* Kills the recorder once it has told of at least SECONDS more. */
static void kill_recorder(pid_t pid, _Atomic uint64_t *written_ns, unsigned seconds)
{
    while (atomic_load(written_ns) < RECORDING_START_NS + seconds * NS_PER_S)
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static _Atomic uint64_t *shared_number(void)
{
    void *memory =
        mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(memory != MAP_FAILED);
    return memory;
}

static void a_killed_recorder_loses_nothing_it_committed(void **state)
{
    _Atomic uint64_t *written_ns = shared_number();

    (void)state;
    for (unsigned i = 0; i < KILLS; i++) {
        struct place place = place_new();
        pid_t pid = start_recorder(place.path, written_ns);
        struct profile *profile;
        uint64_t seconds;

        kill_recorder(pid, written_ns, 1 + i * 7 % 40);
        profile = written_open(place.path);
        assert_true(profile_end_ns(profile) >= atomic_load(written_ns));
        seconds = (atomic_load(written_ns) - RECORDING_START_NS) / NS_PER_S;
        assert_true(count_samples(profile) >= seconds * WRITTEN_PER_SECOND);
        assert_false(profile_ended(profile));
        profile_unref(profile);
        place_free(&place);
    }
    munmap((void *)written_ns, sizeof(uint64_t));
}

/* In a child: opens the session as somebody else. */
static int open_as_nobody(const char *path)
{
    struct error error = { 0 };
    struct profile *profile;

    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
        return 2;
    profile = session_open(path, &error);
    if (profile == NULL) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    profile_unref(profile);
    return 0;
}

static void let_all_read(const struct place *place, const char *suffix)
{
    char *path = xasprintf("%s%s", place->path, suffix);

    chmod(path, 0644);
    free(path);
}

static void a_killed_recording_opens_for_others_in_a_folder_they_cannot_write(void **state)
{
    _Atomic uint64_t *written_ns = shared_number();
    struct place place = place_new();
    int status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip_because("not root: cannot become somebody else");
    kill_recorder(start_recorder(place.path, written_ns), written_ns, 3);
    assert_true(place_has(&place, "-wal"));
    let_all_read(&place, "");
    let_all_read(&place, "-wal");
    chmod(place.folder, 0555);
    pid = fork();
    if (pid == 0)
        _exit(open_as_nobody(place.path));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    chmod(place.folder, 0755);
    place_free(&place);
    munmap((void *)written_ns, sizeof(uint64_t));
}

/* ---- a full disk ----------------------------------------------------------------------------- */

/* In a child whose files may not grow: what the session says at its end. */
static int record_without_room(const char *path)
{
    struct session_config config = { .path = path, .period_ns = NS_PER_MS };
    struct rlimit limit = { 512 << 10, 512 << 10 };
    struct error error = { 0 };
    struct written written;
    struct profile *profile;
    bool good;

    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 3;
    written_begin(&written, &config, 2);
    while (!session_trouble(written.writer, NULL))
        written_seconds(&written, 1);
    builder_finish(written.recording.builder, 0);
    profile = written_profile(&written);
    good = session_finish(written.writer, profile, &error);
    profile_unref(profile);
    return !good && error.code != STATUS_OK && strstr(error.message, path) != NULL ? 0 : 1;
}

static void a_full_disk_is_told_and_what_was_written_stays(void **state)
{
    struct place place = place_new();
    struct profile *profile;
    int status;
    pid_t pid;

    (void)state;
    pid = fork();
    if (pid == 0)
        _exit(record_without_room(place.path));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    profile = written_open(place.path);
    assert_true(count_samples(profile) >= WRITTEN_PER_SECOND);
    profile_unref(profile);
    place_free(&place);
}

/* ---- strangers' files ------------------------------------------------------------------------ */

static void assert_refused(const char *path, enum status code, const char *word)
{
    struct error error = { 0 };

    assert_null(session_open(path, &error));
    assert_int_equal(error.code, code);
    assert_non_null(strstr(error.message, path));
    assert_non_null(strstr(error.message, word));
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *database;

    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void record_file(const char *path, unsigned seconds)
{
    struct session_config config = { .path = path, .force = true };
    struct written written;

    written_begin(&written, &config, 8);
    written_seconds(&written, seconds);
    written_end(&written);
    written_fini(&written);
}

static void what_is_no_session_is_refused_in_words(void **state)
{
    struct place place = place_new();

    (void)state;
    assert_refused(place.path, STATUS_MISSING, "cannot open");
    write_text(place.path, "");
    assert_refused(place.path, STATUS_DAMAGED, "not a proftop session");
    write_text(place.path, "main;run 12\nmain;walk 7\n");
    assert_refused(place.path, STATUS_DAMAGED, "not a proftop session");
    unlink(place.path);
    run_sql(place.path, "CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    assert_refused(place.path, STATUS_DAMAGED, "database");
    assert_refused(place.folder, STATUS_DAMAGED, "not a file");
    place_free(&place);
}

static void a_session_that_was_tampered_with_is_refused(void **state)
{
    static const struct {
        const char *sql, *word;
    } changes[] = {
        { "PRAGMA user_version = 4", "newer" },
        { "PRAGMA user_version = 1", "older" },
        { "PRAGMA user_version = 0", "damaged" },
        { "DROP TABLE notes", "notes" },
        { "ALTER TABLE notes ADD COLUMN more", "notes" },
        { "DROP TABLE slices; CREATE VIEW slices AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL "
          "SELECT i + 1 FROM n) SELECT i, 0, 0, x'', x'' FROM n",
          "slices" },
        { "UPDATE slices SET entries = x'ffffffffffffffffffff01' WHERE id = 3", "slices" },
        { "UPDATE slices SET start_ns = -5 WHERE id = 3", "slices" },
        { "UPDATE slices SET end_ns = 9223372036854775807 WHERE id = 3", "slices" },
        { "UPDATE slices SET counters = x'01' WHERE id = 3", "counters" },
        { "DROP TABLE modules", "modules" },
        { "UPDATE modules SET id = 5", "modules" },
        { "UPDATE modules SET module = -1", "modules" },
        { "UPDATE modules SET module = 4294967296", "modules" },
        { "UPDATE modules SET build_id = x''", "modules" },
        { "UPDATE modules SET build_id = zeroblob(65)", "modules" },
        { "UPDATE modules SET build_id = zeroblob(100000000)", "modules" },
        { "UPDATE modules SET code = x''", "modules" },
        { "UPDATE modules SET code = x'80'", "modules" },
        { "UPDATE modules SET code = x'0100'", "modules" },
        { "UPDATE modules SET code = x'01ffffffffffffffffff0100'", "modules" },
        { "UPDATE modules SET code = zeroblob(3 * 65)", "modules" },
        { "UPDATE modules SET name = '/dev/zero', module = 4294967295", "" },
        { "UPDATE stacks SET nodes = x'0500'", "stacks" },
        { "UPDATE locations SET frames = x'09'", "locations" },
        { "UPDATE namings SET named = x'000201ffff7f00' WHERE id = 1", "names" },
        { "DELETE FROM functions WHERE id = 2", "functions" },
        { "UPDATE functions SET kind = 77", "functions" },
        { "UPDATE threads SET id = 9 WHERE id = 0", "threads" },
        { "UPDATE lanes SET grp = 12", "lanes" },
        { "UPDATE notes SET level = 3", "notes" },
        { "UPDATE info SET value = -1 WHERE key = 'start_ns'", "facts" },
        { "UPDATE info SET value = 'x' WHERE key = 'end_ns'", "" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct place place = place_new();

        record_file(place.path, 3);
        run_sql(place.path, "INSERT INTO notes VALUES (NULL, 0, 1, 'a note')");
        run_sql(place.path, changes[i].sql);
        if (changes[i].word[0] != '\0')
            assert_refused(place.path, STATUS_DAMAGED, changes[i].word);
        else
            profile_unref(written_open(place.path));
        place_free(&place);
    }
}

/* Before version 3 there were no modules. */
static void a_session_of_the_version_before_opens(void **state)
{
    struct place place = place_new();
    struct profile *profile;
    uint64_t samples;

    (void)state;
    record_file(place.path, 3);
    profile = written_open(place.path);
    samples = count_samples(profile);
    profile_unref(profile);
    run_sql(place.path, "DROP TABLE modules; PRAGMA user_version = 2");
    profile = written_open(place.path);
    assert_int_equal(count_samples(profile), samples);
    assert_int_equal(names_kept_modules(profile_names(profile)), 0);
    profile_unref(profile);
    place_free(&place);
}

/* Opens a changed file, which may well fail, and looks at all of what it gives. */
static void try_to_open(const char *path, unsigned *opened)
{
    struct error error = { 0 };
    struct profile *profile = session_open(path, &error);

    if (profile == NULL) {
        assert_string_not_equal(error.message, "");
        return;
    }
    count_samples(profile);
    profile_unref(profile);
    ++*opened;
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes;

    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    bytes = xmalloc(*size);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void damage_never_does_harm(void **state)
{
    struct place place = place_new();
    struct recording dice = { .random = 99 };
    unsigned opened = 0, whole = 0;
    uint8_t *bytes;
    size_t size;

    (void)state;
    record_file(place.path, 20);
    bytes = read_file(place.path, &size);
    for (unsigned i = 0; i < CHANGES; i++) {
        size_t at = recording_random(&dice, (uint32_t)size);
        uint8_t before = bytes[at];

        bytes[at] ^= (uint8_t)(1 << recording_random(&dice, 8));
        write_file(place.path, bytes, size);
        try_to_open(place.path, &opened);
        bytes[at] = before;
    }
    for (unsigned i = 0; i < CUTS; i++) {
        write_file(place.path, bytes, recording_random(&dice, (uint32_t)size));
        try_to_open(place.path, &opened);
    }
    /* Damage may hit what is free or only a name; the file itself has to be fine. */
    assert_true(opened < CHANGES);
    write_file(place.path, bytes, size);
    try_to_open(place.path, &whole);
    assert_int_equal(whole, 1);
    free(bytes);
    place_free(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_recorder_loses_nothing_it_committed),
        cmocka_unit_test(a_killed_recording_opens_for_others_in_a_folder_they_cannot_write),
        cmocka_unit_test(a_full_disk_is_told_and_what_was_written_stays),
        cmocka_unit_test(what_is_no_session_is_refused_in_words),
        cmocka_unit_test(a_session_that_was_tampered_with_is_refused),
        cmocka_unit_test(a_session_of_the_version_before_opens),
        cmocka_unit_test(damage_never_does_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
