/* SPDX-License-Identifier: MIT */
/* The stack of a held thread is copied whole, whether or not it is where it was expected. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/source/ptrace_private.h"
#include "tests/harness/testing.h"

enum {
    STACK_BYTES = 256 << 10,
    MORE = 1 << 10, /* above where the stack begins */
    SHALLOW = 1 << 10,
    DEEP = 8 << 10,
    VERY_DEEP = 100 << 10,
};

struct scene {
    uint8_t stack[STACK_BYTES], copy[TRACER_STACK_MAX];
    struct tracer tracer;
    struct tracked process;
    struct thread thread;
    struct frozen frozen;
};

static uint64_t base_of(const struct scene *scene)
{
    return (uint64_t)(uintptr_t)(scene->stack + STACK_BYTES) - MORE;
}

/* This process in place of a target: a thread whose stack is in STACK. */
static struct scene *scene_new(void)
{
    struct scene *scene = calloc(1, sizeof(*scene));

    assert_non_null(scene);
    for (size_t i = 0; i < STACK_BYTES; i++)
        scene->stack[i] = (uint8_t)(i * 7 + i / 256);
    scene->tracer.stack = scene->copy;
    scene->thread = (struct thread){ .pid = getpid(), .tid = getpid(), .process = &scene->process };
    return scene;
}

/* A stop with a stack that is DEPTH bytes deep; returns the bytes known before its registers. */
static size_t stop_at(struct scene *scene, size_t depth)
{
    struct frozen *frozen = &scene->frozen;
    size_t before;

    *frozen = (struct frozen){ .pid = getpid(), .tid = getpid(), .stack = scene->copy };
    memset(scene->copy, 0, sizeof(scene->copy));
    tracer_copy_expected(&scene->tracer, &scene->thread, frozen);
    before = frozen->stack_size;
    frozen->registers.sp = base_of(scene) - depth;
    tracer_copy_stack(&scene->tracer, &scene->thread, frozen);
    tracer_learn_stack(&scene->thread, NULL, frozen);
    return before;
}

static void expect_whole(const struct scene *scene, size_t depth)
{
    const struct frozen *frozen = &scene->frozen;
    uint64_t sp = base_of(scene) - depth;

    assert_int_equal(frozen->stack_start, sp);
    assert_in_range(frozen->stack_size, depth, depth + MORE);
    assert_memory_equal(frozen->stack, (const void *)(uintptr_t)sp, frozen->stack_size);
}

/* As if all stops before had found it whole. */
static struct scene *scene_known(size_t depth)
{
    struct scene *scene = scene_new();

    stop_at(scene, depth);
    scene->thread.tracee.stack_base = base_of(scene);
    return scene;
}

static void where_it_was_it_is_copied_at_once(void **state)
{
    struct scene *scene = scene_known(DEEP);

    (void)state;
    for (size_t less = 0; less < 512; less += 8) {
        assert_in_range(stop_at(scene, DEEP - less), DEEP - less, DEEP + 2 * MORE);
        expect_whole(scene, DEEP - less);
    }
    free(scene);
}

static void deeper_than_expected_it_is_copied_again(void **state)
{
    struct scene *scene = scene_known(DEEP);

    (void)state;
    assert_in_range(stop_at(scene, 3 * DEEP), DEEP, 2 * DEEP);
    expect_whole(scene, 3 * DEEP);
    assert_in_range(stop_at(scene, 3 * DEEP), 3 * DEEP, 4 * DEEP); /* and expected there then */
    expect_whole(scene, 3 * DEEP);
    free(scene);
}

static void what_was_deep_once_is_forgotten(void **state)
{
    struct scene *scene = scene_known(6 * DEEP);
    size_t known = 0;

    (void)state;
    for (int i = 0; i < 64; i++) {
        known = stop_at(scene, SHALLOW);
        expect_whole(scene, SHALLOW);
    }
    assert_in_range(known, SHALLOW, 2 * SHALLOW);
    free(scene);
}

/* A stop may give no sample, and is not to take long then. */
static void what_is_very_deep_waits_for_the_registers(void **state)
{
    struct scene *scene = scene_known(VERY_DEEP);

    (void)state;
    assert_int_equal(stop_at(scene, VERY_DEEP), 0);
    expect_whole(scene, VERY_DEEP);
    free(scene);
}

/* As of coroutines. */
static void one_that_moves_is_not_expected(void **state)
{
    struct scene *scene = scene_known(DEEP);

    (void)state;
    scene->thread.tracee.stack_moves = true;
    scene->thread.tracee.stack_bytes = DEEP;
    assert_int_equal(stop_at(scene, DEEP), 0);
    expect_whole(scene, DEEP);
    free(scene);
}

/* What is expected may be gone, as a thread ends its stack. */
static void what_cannot_be_read_is_no_stack(void **state)
{
    struct scene *scene = scene_known(DEEP);

    (void)state;
    scene->thread.tracee.stack_expected = 4096;
    scene->thread.tracee.stack_base = 2 * 4096;
    scene->thread.tracee.stack_bytes = DEEP;
    assert_int_equal(stop_at(scene, DEEP), 0);
    expect_whole(scene, DEEP);
    free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_it_was_it_is_copied_at_once),
        cmocka_unit_test(deeper_than_expected_it_is_copied_again),
        cmocka_unit_test(what_was_deep_once_is_forgotten),
        cmocka_unit_test(what_is_very_deep_waits_for_the_registers),
        cmocka_unit_test(one_that_moves_is_not_expected),
        cmocka_unit_test(what_cannot_be_read_is_no_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
