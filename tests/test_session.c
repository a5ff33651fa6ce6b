/* SPDX-License-Identifier: MIT */
/*
 * Session files: what was recorded comes back, by itself, merged, followed and cut out; what a
 * kill, a full disk or a stranger leaves is opened or refused in words.
 */
#include "config.h"

#include "proftop/session.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/fold.h"
#include "proftop/history.h"
#include "proftop/memory.h"
#include "proftop/module.h"
#include "proftop/record.h"
#include "tests/harness/session.h"
#include "tests/harness/testing.h"

/* ---- comparing ------------------------------------------------------------------------------- */

static struct fold *fold_all(struct profile *profile, enum scope_state state)
{
    struct folder *folder = folder_new();
    struct scope scope;
    struct fold *fold;

    scope_init(&scope);
    scope.state = state;
    fold = fold_update(folder, profile, &scope, NULL);
    folder_free(folder);
    assert_non_null(fold);
    return fold;
}

static const struct fold_row *row_called(const struct fold *fold, const struct function *like)
{
    for (uint32_t i = 0; i < fold->row_count; i++) {
        const struct function *function = names_get(fold->names, fold->rows[i].function);

        if (strcmp(function->name, like->name) == 0 &&
            strcmp(function->module, like->module) == 0 && function->kind == like->kind)
            return &fold->rows[i];
    }
    return NULL;
}

static void assert_same_sums(struct profile *a, struct profile *b)
{
    for (unsigned state = SCOPE_ON_CPU; state < SCOPE_STATES; state++) {
        struct fold *left = fold_all(a, (enum scope_state)state);
        struct fold *right = fold_all(b, (enum scope_state)state);

        assert_int_equal(left->weight, right->weight);
        assert_int_equal(left->samples, right->samples);
        assert_int_equal(left->row_count, right->row_count);
        assert_int_equal(left->node_count, right->node_count);
        assert_int_equal(left->thread_count, right->thread_count);
        assert_int_equal(left->tally.expected, right->tally.expected);
        assert_int_equal(left->tally.lost, right->tally.lost);
        assert_int_equal(left->tally.stopped_log2[3], right->tally.stopped_log2[3]);
        for (uint32_t i = 0; i < left->row_count; i++) {
            const struct fold_row *row = &left->rows[i];
            const struct fold_row *other = row_called(right, names_get(left->names, row->function));

            assert_non_null(other);
            assert_int_equal(row->self, other->self);
            assert_int_equal(row->total, other->total);
            assert_int_equal(row->line, other->line);
            assert_int_equal(row->threads, other->threads);
        }
        fold_free(left);
        fold_free(right);
    }
}

/* The module that every recording here keeps, under the number ID. */
static void assert_keeps(const struct profile *profile, uint32_t index, module_id id)
{
    const struct names *names = profile_names(profile);
    const struct module *module;

    assert_true(index < names_kept_modules(names));
    module = names_kept_module(names, index);
    assert_int_equal(module->id, id);
    assert_int_equal(module->kind, MODULE_FILE);
    assert_string_equal(module->name, "program");
    assert_string_equal(module->path, ""); /* of the machine that recorded */
    assert_int_equal(module->fd, -1);
    assert_int_equal(module->build_id_size, 4);
    assert_memory_equal(module->build_id, "\xca\xfe\x00\x01", 4);
    assert_int_equal(module->segment_count, 2);
    assert_int_equal(module->segments[0].offset, 0x1000);
    assert_int_equal(module->segments[0].size, 0x2345);
    assert_int_equal(module->segments[0].address, 0x401000);
    assert_int_equal(module->segments[1].address, 0x7fff0000);
    assert_true(module->segments[1].executable);
}

/* COUNT times the module that every recording here keeps, each under a number of its own. */
static void assert_modules_differ(const struct profile *profile, uint32_t count)
{
    const struct names *names = profile_names(profile);

    assert_int_equal(names_kept_modules(names), count);
    for (uint32_t i = 0; i < count; i++) {
        module_id id = names_kept_module(names, i)->id;

        assert_keeps(profile, i, id);
        for (uint32_t k = 0; k < i; k++)
            assert_int_not_equal(names_kept_module(names, k)->id, id);
    }
}

static uint32_t native_locations(const struct profile *profile)
{
    const struct names *names = profile_names(profile);
    uint32_t count = 0;

    for (location_id i = 0; i < names_locations(names); i++)
        count += names_frame(names, i)->kind == FRAME_NATIVE;
    return count;
}

/* ---- cases ----------------------------------------------------------------------------------- */

static void what_was_recorded_comes_back(void **state)
{
    struct place place = place_new();
    struct written written;
    struct profile *before, *after;
    struct stat file;

    (void)state;
    written_begin(&written, &(struct session_config){ .path = place.path }, 3);
    written_seconds(&written, 150);
    written_end(&written);
    before = written_profile(&written);
    after = written_open(place.path);
    assert_same_sums(before, after);
    assert_int_equal(profile_start_ns(after), profile_start_ns(before));
    assert_int_equal(profile_end_ns(after), profile_end_ns(before));
    assert_true(profile_ended(after));
    assert_string_equal(profile_info(after)->command, "made up");
    assert_string_equal(profile_thread(after, 0)->name, "main");
    assert_int_equal(lanes_count(profile_lanes(after)), 2);
    assert_int_equal(names_kept_modules(profile_names(after)), 1);
    assert_keeps(after, 0, WRITTEN_MODULE);
    assert_int_equal(stat(place.path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_false(place_has(&place, "-wal"));
    assert_false(place_has(&place, "-shm"));
    profile_unref(before);
    profile_unref(after);
    written_fini(&written);
    place_free(&place);
}

static void nothing_is_overwritten_unasked(void **state)
{
    struct place place = place_new();
    struct session_config config = { .path = place.path };
    struct profile_info info = { .command = "x" };
    struct session_writer *writer;
    struct error error = { 0 };
    char text[8] = "";
    FILE *file;

    (void)state;
    file = fopen(place.path, "w");
    fputs("mine", file);
    fclose(file);
    assert_null(session_create(&config, &info, &error));
    assert_non_null(strstr(error.message, place.path));
    assert_non_null(strstr(error.hint, "--force"));
    file = fopen(place.path, "r");
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "mine");
    config.force = true;
    writer = session_create(&config, &info, &error);
    assert_non_null(writer);
    {
        struct recording recording;
        struct profile *profile;

        recording_init(&recording, 1, 0);
        profile = builder_profile(recording.builder);
        assert_true(session_finish(writer, profile, &error));
        profile_unref(profile);
        recording_fini(&recording);
    }
    profile_unref(written_open(place.path));
    place_free(&place);
}

static void what_the_system_answered_is_told(void **state)
{
    struct session_config config = { .path = "/nowhere/x.proftop" };
    struct profile_info info = { 0 };
    struct error error = { 0 };

    (void)state;
    assert_null(session_create(&config, &info, &error));
    assert_int_equal(error.code, STATUS_MISSING);
    assert_non_null(strstr(error.message, "/nowhere/x.proftop: No such file"));
}

/* The number that any other SQLite client reads. */
static int64_t query(const char *path, const char *sql)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    int64_t number;

    assert_int_equal(sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}

static void views_agree_with_the_fold(void **state)
{
    struct place place = place_new();
    struct written written;
    struct profile *profile;
    struct fold *fold;

    (void)state;
    written_begin(&written, &(struct session_config){ .path = place.path }, 9);
    written_seconds(&written, 30);
    written_end(&written);
    profile = written_profile(&written);
    fold = fold_all(profile, SCOPE_ON_CPU);
    assert_int_equal(query(place.path, "SELECT count(*) FROM top_functions"), fold->row_count);
    assert_int_equal(query(place.path, "SELECT sum(self) FROM top_functions"), fold->weight);
    assert_int_equal(query(place.path, "SELECT self FROM top_functions LIMIT 1"),
                     fold->rows[0].self);
    assert_int_equal(query(place.path, "SELECT total FROM top_functions LIMIT 1 OFFSET 4"),
                     fold->rows[4].total);
    assert_int_equal(query(place.path, "SELECT sum(samples) FROM timeline"), fold->samples);
    assert_int_equal(query(place.path, "SELECT sum(expected) FROM timeline"), 3000);
    assert_int_equal(query(place.path, "SELECT sum(lost) FROM timeline"), fold->tally.lost);
    assert_int_equal(query(place.path, "SELECT 10 * max(target_cpu_pct) FROM timeline"), 125);
    assert_int_equal(query(place.path, "SELECT count(*) FROM timeline"), 30);
    fold_free(fold);
    profile_unref(profile);
    written_fini(&written);
    place_free(&place);
}

static void a_range_is_saved_with_what_is_in_it_alone(void **state)
{
    struct place place = place_new();
    struct session_config config = { .path = place.path };
    struct written written = { 0 };
    struct profile *whole, *part;
    struct error error = { 0 };
    struct folder *folder = folder_new();
    struct fold *expected, *saved;
    struct scope scope;

    (void)state;
    recording_init(&written.recording, 5, 0);
    written.now_ns = RECORDING_START_NS;
    for (unsigned i = 0; i < 4000; i++) {
        uint64_t time_ns = RECORDING_START_NS + i * NS_PER_S / 50;
        struct recorded_sample sample = recording_invent(
            &written.recording, time_ns, i < 2000 ? 5 : WRITTEN_FUNCTIONS, WRITTEN_THREADS);

        recording_push(&written.recording, &sample);
    }
    recording_step(&written.recording, RECORDING_START_NS + 80 * NS_PER_S);
    recording_name(&written.recording);
    written_keep_module(&written);
    whole = written_profile(&written);
    scope_init(&scope);
    scope.start_ns = RECORDING_START_NS + 10 * NS_PER_S;
    scope.end_ns = RECORDING_START_NS + 30 * NS_PER_S;
    expected = fold_update(folder, whole, &scope, &error);
    assert_true(session_save(&config, whole, scope.start_ns, scope.end_ns, &error));
    part = written_open(place.path);
    saved = fold_all(part, SCOPE_ON_CPU);
    assert_int_equal(saved->weight, expected->weight);
    assert_int_equal(saved->row_count, expected->row_count);
    assert_int_equal(profile_start_ns(part), scope.start_ns);
    assert_true(names_stacks(profile_names(part)) < names_stacks(profile_names(whole)));
    assert_true(names_functions(profile_names(part)) <= 6);
    assert_keeps(part, 0, WRITTEN_MODULE);
    fold_free(expected);
    fold_free(saved);
    folder_free(folder);
    profile_unref(whole);
    profile_unref(part);
    written_fini(&written);
    place_free(&place);
}

static void write_random(const char *path, unsigned seed, unsigned seconds)
{
    struct written written;

    written_begin(&written, &(struct session_config){ .path = path }, seed);
    written_seconds(&written, seconds);
    written_end(&written);
    written_fini(&written);
}

static void several_sessions_are_one(void **state)
{
    struct place places[2] = { place_new(), place_new() };
    const char *paths[2] = { places[0].path, places[1].path };
    struct error error = { 0 };
    struct profile *parts[2], *all;
    struct fold *folds[2], *sum;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        write_random(paths[i], 20 + i, 20 + 60 * i);
        parts[i] = written_open(paths[i]);
        folds[i] = fold_all(parts[i], SCOPE_ON_CPU);
    }
    all = session_open_all(paths, 2, &error);
    assert_non_null(all);
    sum = fold_all(all, SCOPE_ON_CPU);
    assert_int_equal(sum->weight, folds[0]->weight + folds[1]->weight);
    assert_modules_differ(all, 2);
    assert_int_equal(sum->tally.expected, folds[0]->tally.expected + folds[1]->tally.expected);
    for (uint32_t i = 0; i < sum->row_count; i++) {
        const struct function *function = names_get(sum->names, sum->rows[i].function);
        uint64_t self = 0;

        for (unsigned k = 0; k < 2; k++) {
            const struct fold_row *row = row_called(folds[k], function);

            self += row != NULL ? row->self : 0;
        }
        assert_int_equal(sum->rows[i].self, self);
    }
    fold_free(sum);
    profile_unref(all);
    for (unsigned i = 0; i < 2; i++) {
        fold_free(folds[i]);
        profile_unref(parts[i]);
        place_free(&places[i]);
    }
}

/* What was merged and saved keeps the modules of its files apart when it is merged once more. */
static void a_merged_session_merges_again(void **state)
{
    struct place places[4] = { place_new(), place_new(), place_new(), place_new() };
    const char *first[] = { places[0].path, places[1].path };
    const char *again[] = { places[3].path, places[2].path };
    struct session_config config = { .path = places[3].path };
    struct error error = { 0 };
    struct profile *merged, *part, *all;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        write_random(places[i].path, 30 + i, 5);
    merged = session_open_all(first, 2, &error);
    assert_non_null(merged);
    assert_true(session_save(&config, merged, 0, UINT64_MAX, &error));
    part = written_open(places[2].path);
    for (unsigned i = 0; i < 2; i++) {
        all = session_open_all(again, 2, &error);
        assert_non_null(all);
        assert_modules_differ(all, 3);
        assert_int_equal(native_locations(all), native_locations(merged) + native_locations(part));
        profile_unref(all);
        again[0] = places[2].path; /* and the other way round */
        again[1] = places[3].path;
    }
    profile_unref(merged);
    profile_unref(part);
    for (unsigned i = 0; i < 4; i++)
        place_free(&places[i]);
}

/* Waits until the writer's second has passed and FOLLOWER sees SAMPLES; how often it looked. */
static void follow_until(struct session_follower *follower, uint64_t samples)
{
    uint64_t seen = 0, until_ns = clock_now_ns() + 20 * NS_PER_S;

    while (seen < samples) {
        struct error error = { 0 };
        struct profile *profile = session_follow_next(follower, &error);

        assert_string_equal(error.message, "");
        assert_true(clock_now_ns() < until_ns);
        if (profile != NULL) {
            struct fold *fold = fold_all(profile, SCOPE_ALL);

            seen = fold->samples;
            fold_free(fold);
            profile_unref(profile);
        }
    }
    assert_int_equal(seen, samples);
}

static void a_recording_is_followed_while_it_is_written(void **state)
{
    struct place place = place_new();
    struct session_follower *follower;
    struct written written;
    struct error error = { 0 };

    (void)state;
    written_begin(&written, &(struct session_config){ .path = place.path }, 4);
    written_seconds(&written, 3);
    follower = session_follow(place.path, &error);
    assert_string_equal(error.message, "");
    assert_non_null(follower);
    follow_until(follower, 300);
    written_seconds(&written, 70);
    follow_until(follower, 7300);
    written_end(&written);
    session_follow_end(follower);
    assert_false(place_has(&place, "-wal"));
    written_fini(&written);
    place_free(&place);
}

static void a_bounded_file_thins_its_oldest_detail(void **state)
{
    const uint64_t bound = 4 << 20;
    struct place place = place_new();
    struct written written;
    struct profile *before, *after;
    struct fold *left, *right;
    struct stat file;

    (void)state;
    written_begin(&written, &(struct session_config){ .path = place.path, .max_bytes = bound }, 6);
    written_seconds(&written, 1500);
    written_end(&written);
    assert_int_equal(stat(place.path, &file), 0);
    assert_true((uint64_t)file.st_size <= bound);
    before = written_profile(&written);
    after = written_open(place.path);
    left = fold_all(before, SCOPE_ALL);
    right = fold_all(after, SCOPE_ALL);
    assert_int_equal(left->weight, right->weight);
    assert_int_equal(left->samples, right->samples);
    assert_int_equal(profile_notes(after), 1);
    fold_free(left);
    fold_free(right);
    profile_unref(before);
    profile_unref(after);
    written_fini(&written);
    place_free(&place);
}

/* Makes all of a recording one function of that file. */
static void place_in_file(struct written *written, const char *file)
{
    struct names *names = written->recording.names;
    struct function function = {
        .kind = FRAME_NATIVE, .name = "placed", .module = "m", .file = file
    };
    struct placed placed = { names_function(names, &function), 2 };

    for (location_id i = 0; i < names_locations(names); i++)
        names_set(names, i, NAMING_FULL, &placed, 1);
}

static void write_source(const char *path, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs("one\ntwo\n", file);
    fclose(file);
    chmod(path, mode);
}

static void sources_go_along(void **state)
{
    struct place place = place_new();
    struct session_config again = { .force = true };
    char *source = xasprintf("%s/placed.c", place.folder);
    struct error error = { 0 };
    struct written written;
    struct profile *profile;
    size_t size = 0;

    (void)state;
    again.path = place.path;
    for (unsigned secret = 0; secret < 2; secret++) {
        written_begin(&written, &(struct session_config){ .path = place.path, .force = true }, 1);
        written_seconds(&written, 2);
        place_in_file(&written, source);
        write_source(source, secret && geteuid() == 0 ? 0600 : 0644);
        written_end(&written);
        written_fini(&written);
        unlink(source);
        profile = written_open(place.path);
        if (secret && geteuid() == 0) {
            assert_null(profile_source(profile, source, &size));
        } else {
            assert_non_null(profile_source(profile, source, &size));
            assert_int_equal(size, 8);
            assert_memory_equal(profile_source(profile, source, &size), "one\ntwo\n", 8);
            assert_true(session_save(&again, profile, 0, UINT64_MAX, &error));
            profile_unref(profile);
            profile = written_open(place.path);
            assert_non_null(profile_source(profile, source, &size));
        }
        assert_null(profile_source(profile, "/another.c", &size));
        profile_unref(profile);
    }
    free(source);
    place_free(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_recorded_comes_back),
        cmocka_unit_test(nothing_is_overwritten_unasked),
        cmocka_unit_test(what_the_system_answered_is_told),
        cmocka_unit_test(views_agree_with_the_fold),
        cmocka_unit_test(a_range_is_saved_with_what_is_in_it_alone),
        cmocka_unit_test(several_sessions_are_one),
        cmocka_unit_test(a_merged_session_merges_again),
        cmocka_unit_test(a_recording_is_followed_while_it_is_written),
        cmocka_unit_test(sources_go_along),
        cmocka_unit_test(a_bounded_file_thins_its_oldest_detail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
