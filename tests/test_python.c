/* SPDX-License-Identifier: MIT */
/*
 * Python frames from outside against what the interpreter says of itself, on every Python named in
 * PROFTOP_PYTHONS (or Debian's), and the merge rule on stacks made by hand.
 */
#include "config.h"

#include "proftop/python.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/testing.h"

#include "tests/harness/parked.h"

#include "src/unwind/python/interpreter.h"
#include "src/unwind/python/lines.h"

#include "proftop/memory.h"

/* Compares one thread, whose told frames follow; the number compared. */
static unsigned compare_thread(struct parked *parked, int32_t tid)
{
    struct frame *frames = xcalloc(PYTHON_FRAMES_MAX, sizeof(*frames));
    uint64_t *stacks = xcalloc(PYTHON_FRAMES_MAX, sizeof(*stacks));
    char line[PARKED_LINE_MAX], ours[PARKED_LINE_MAX];
    uint32_t count, at = 0;
    struct frozen frozen;

    parked_freeze(parked, tid, &frozen);
    count = python_merge(parked->python, parked->sample, frames, stacks, 0, PYTHON_FRAMES_MAX);
    while (parked_line(parked, line) && line[0] != '\0') {
        const struct code *code;

        while (at < count && frames[at].kind != FRAME_PYTHON)
            at++;
        if (at == count)
            fail_msg("thread %d ends after %u frames, before %s", tid, at, line);
        code = codes_get(parked->codes, frames[at].module);
        snprintf(ours, sizeof(ours), "%s|%s|%u", code->file, code->name,
                 (unsigned)frames[at].address);
        assert_string_equal(ours, line);
        at++;
    }
    while (at < count && frames[at].kind != FRAME_PYTHON)
        at++;
    assert_int_equal(at, count);
    free(frames);
    free(stacks);
    return count;
}

static void compare_all(const char *name)
{
    unsigned threads = 0, compared = 0;
    char line[PARKED_LINE_MAX];
    struct parked parked;

    parked_start(&parked, name);
    while (parked_line(&parked, line) && strcmp(line, "ready") != 0) {
        compared += compare_thread(&parked, (int32_t)strtol(line, NULL, 10));
        threads++;
    }
    assert_non_null(parked.python);
    print_message("%s (%s): %u threads, %u frames alike\n", name, python_version(parked.python),
                  threads, compared);
    assert_int_equal(threads, PARKED_THREADS);
    assert_true(compared > 450);
    parked_end(&parked);
}

/* A stack with its native frames, merged as a source does it. */
struct merged {
    struct frame frames[PYTHON_FRAMES_MAX];
    uint64_t stacks[PYTHON_FRAMES_MAX];
    struct unwind_saved saved[PYTHON_FRAMES_MAX];
    uint32_t count;
};

static void merge_thread(struct parked *parked, struct unwinder *unwinder, int32_t tid,
                         struct merged *merged)
{
    struct unwound unwound;
    struct frozen frozen;

    parked_freeze(parked, tid, &frozen);
    unwind_full(unwinder, &frozen, merged->frames, merged->stacks, merged->saved, PYTHON_FRAMES_MAX,
                &unwound);
    assert_int_equal(unwound.end, STACK_COMPLETE);
    if (python_needs_registers(parked->python))
        python_anchor(parked->sample, merged->stacks, merged->saved, unwound.count);
    merged->count = python_merge(parked->python, parked->sample, merged->frames, merged->stacks,
                                 unwound.count, PYTHON_FRAMES_MAX);
    for (uint32_t i = 0; i < merged->count; i++)
        assert_int_not_equal(merged->frames[i].kind, FRAME_MARK);
}

/* Who calls whom through which files, by how their names begin; the inner one first. */
struct passage {
    const char *inner, *outer;
    const char *files[4];
};

static const struct passage passages[] = {
    { "compare", "through_c", { "libffi", "libc.so", "libffi" } },
    { "<lambda>", "inner", { "python" } },
    { "replace", "sub", { "" } },
    { "add", "fold", { "" } },
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), size = strlen(end);

    return length >= size && strcmp(text + length - size, end) == 0 &&
           (length == size || text[length - size - 1] == '.');
}

static const char *python_name(struct parked *parked, const struct frame *frame)
{
    return frame->kind == FRAME_PYTHON ? codes_get(parked->codes, frame->module)->name : "";
}

/* Whether the stack has PASSAGE: its two functions, and between them all of its files in order. */
static bool has_passage(struct parked *parked, const struct merged *merged,
                        const struct passage *passage)
{
    for (uint32_t i = 0; i < merged->count; i++) {
        size_t file = 0;
        uint32_t at = i + 1;

        if (!ends_with(python_name(parked, &merged->frames[i]), passage->inner))
            continue;
        for (; at < merged->count && merged->frames[at].kind == FRAME_NATIVE; at++) {
            const char *name = modules_get(parked->modules, merged->frames[at].module)->name;

            if (passage->files[file] != NULL && strstr(name, passage->files[file]) != NULL)
                file++;
        }
        if (at < merged->count && passage->files[file] == NULL &&
            ends_with(python_name(parked, &merged->frames[at]), passage->outer))
            return true;
    }
    return false;
}

/* Python calls of Python have the evaluation of each between them up to 3.10, nothing since. */
static void check_recursion(struct parked *parked, const struct merged *merged)
{
    bool native = strncmp(python_version(parked->python), "3.1", 3) != 0 ||
                  strncmp(python_version(parked->python), "3.10", 4) == 0;

    for (uint32_t i = 1; i + 1 < merged->count; i++) {
        if (ends_with(python_name(parked, &merged->frames[i - 1]), "recurse") &&
            ends_with(python_name(parked, &merged->frames[i]), "recurse"))
            assert_false(native);
        if (merged->frames[i].kind == FRAME_NATIVE &&
            ends_with(python_name(parked, &merged->frames[i - 1]), "recurse") &&
            ends_with(python_name(parked, &merged->frames[i + 1]), "recurse"))
            assert_true(native);
    }
}

static void check_order(const char *name)
{
    enum { PASSAGES = sizeof(passages) / sizeof(passages[0]) };
    struct unwinder *unwinder = unwinder_new();
    struct merged *merged = xcalloc(1, sizeof(*merged));
    unsigned found[PASSAGES] = { 0 };
    char line[PARKED_LINE_MAX];
    struct parked parked;

    parked_start(&parked, name);
    while (parked_line(&parked, line) && strcmp(line, "ready") != 0) {
        int32_t tid = (int32_t)strtol(line, NULL, 10);

        unwinder_prepare(unwinder, parked.maps);
        unwinder_wait(unwinder, UINT64_MAX);
        merge_thread(&parked, unwinder, tid, merged);
        for (size_t i = 0; i < PASSAGES; i++)
            found[i] += has_passage(&parked, merged, &passages[i]);
        check_recursion(&parked, merged);
        while (parked_line(&parked, line) && line[0] != '\0')
            continue;
    }
    for (size_t i = 0; i < PASSAGES; i++) {
        if (found[i] != 1)
            fail_msg("%s: %s below %s in %u stacks", name, passages[i].inner, passages[i].outer,
                     found[i]);
    }
    parked_end(&parked);
    free(merged);
    unwinder_free(unwinder);
}

/* Does CHECK with each Python there is; skips where there is none. */
static void with_each(void (*check)(const char *name))
{
    const char *named = getenv("PROFTOP_PYTHONS");
    char *list = xstrdup(named != NULL ? named : "/usr/bin/python3"), *rest = list, *name;
    unsigned tried = 0;

    while ((name = strsep(&rest, ":")) != NULL) {
        if (access(name, X_OK) != 0)
            continue;
        check(name);
        tried++;
    }
    free(list);
    if (tried == 0)
        skip_because("no Python 3.8 to 3.15 here");
}

static void test_frames_equal_the_interpreters_own(void **state)
{
    (void)state;
    with_each(compare_all);
}

static void test_c_between_python_is_in_its_place(void **state)
{
    (void)state;
    with_each(check_order);
}

enum { NATIVE = 7 };

static uint32_t native_stack(struct frame *frames, uint64_t *stacks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        frames[i] = (struct frame){ .address = i, .module = NATIVE, .kind = FRAME_NATIVE };
        stacks[i] = 1000 + 100 * i;
    }
    return count;
}

static const struct frame resolved[] = {
    { .address = 10, .module = 0, .kind = FRAME_PYTHON },
    { .address = 11, .module = 1, .kind = FRAME_PYTHON },
    { .address = 12, .module = 2, .kind = FRAME_PYTHON },
};

static void test_a_run_replaces_the_frame_that_holds_its_anchor(void **state)
{
    static const struct python_run runs[] = { { 0, 2, 1150 }, { 2, 3, 1399 } };
    struct frame frames[16];
    uint64_t stacks[16];
    struct merge_result result;

    (void)state;
    native_stack(frames, stacks, 5);
    result = python_merge_runs(runs, 2, resolved, frames, stacks, 5, 16);
    assert_int_equal(result.cut, 0);
    assert_int_equal(result.count, 6);
    assert_int_equal(frames[0].address, 0);
    assert_int_equal(frames[1].address, 10);
    assert_int_equal(frames[2].address, 11);
    assert_int_equal(frames[3].address, 2);
    assert_int_equal(frames[4].address, 12);
    assert_int_equal(frames[5].address, 4);
}

static void test_a_trampoline_around_a_run_is_hidden(void **state)
{
    static const struct python_run runs[] = { { 0, 1, 1150 } };
    struct frame frames[16];
    uint64_t stacks[16];
    struct merge_result result;

    (void)state;
    native_stack(frames, stacks, 5);
    frames[2].kind = frames[4].kind = FRAME_JIT; /* the second is somebody's own */
    result = python_merge_runs(runs, 1, resolved, frames, stacks, 5, 16);
    assert_int_equal(result.count, 4);
    assert_int_equal(frames[1].address, 10);
    assert_int_equal(frames[2].address, 3);
    assert_int_equal(frames[3].kind, FRAME_JIT);
}

static void test_a_cut_unwind_keeps_every_run(void **state)
{
    static const struct python_run runs[] = { { 0, 1, 1150 }, { 1, 3, 9000 } };
    struct frame frames[16];
    uint64_t stacks[16];
    struct merge_result result;

    (void)state;
    native_stack(frames, stacks, 3);
    frames[3] = (struct frame){ .kind = FRAME_MARK, .module = MARK_BROKEN };
    stacks[3] = 0;
    result = python_merge_runs(runs, 2, resolved, frames, stacks, 4, 16);
    assert_int_equal(result.cut, 1);
    assert_int_equal(frames[1].address, 10);
    assert_int_equal(frames[2].kind, FRAME_NATIVE);
    assert_int_equal(frames[3].address, 11);
    assert_int_equal(frames[4].address, 12);
    assert_int_equal(frames[result.count - 1].module, MARK_NATIVE_CUT);
}

static void test_the_limit_holds(void **state)
{
    static const struct python_run runs[] = { { 0, 3, 1000 } };
    struct frame frames[4];
    uint64_t stacks[4];
    struct merge_result result;

    (void)state;
    native_stack(frames, stacks, 4);
    result = python_merge_runs(runs, 1, resolved, frames, stacks, 4, 4);
    assert_int_equal(result.count, 4);
}

static void test_line_tables_survive_any_bytes(void **state)
{
    uint8_t table[64];
    uint32_t random = 12345;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof(table); i++) {
            random = random * 1103515245 + 12345;
            table[i] = (uint8_t)(random >> 16);
        }
        for (int kind = LINES_LNOTAB; kind <= LINES_LOCATIONS; kind++)
            python_line((enum python_lines)kind, table, round % sizeof(table), 100, round % 300);
    }
    assert_int_equal(python_line(LINES_LOCATIONS, NULL, 0, 7, 3), 7);
    assert_int_equal(python_line(LINES_LNOTAB, (const uint8_t[]){ 4, 1, 4, 2 }, 4, 10, 5), 11);
    assert_int_equal(python_line(LINES_DELTAS, (const uint8_t[]){ 4, 1, 4, 2 }, 4, 10, 3), 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_equal_the_interpreters_own),
        cmocka_unit_test(test_c_between_python_is_in_its_place),
        cmocka_unit_test(test_a_run_replaces_the_frame_that_holds_its_anchor),
        cmocka_unit_test(test_a_trampoline_around_a_run_is_hidden),
        cmocka_unit_test(test_a_cut_unwind_keeps_every_run),
        cmocka_unit_test(test_the_limit_holds),
        cmocka_unit_test(test_line_tables_survive_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
