/* SPDX-License-Identifier: MIT */
/* The stack of a held thread is copied whole, whether or not it is where it was expected. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/source/ptrace_private.h"
#include "tests/harness/testing.h"

enum { STACK_BYTES = 64 << 10, DEEP = 8 << 10, SHALLOW = 1 << 10 };

struct scene {
    uint8_t stack[STACK_BYTES], copy[TRACER_STACK_MAX];
    struct tracer tracer;
    struct tracked process;
    struct thread thread;
    struct frozen frozen;
};

static uint64_t base_of(const struct scene *scene)
{
    return (uint64_t)(uintptr_t)(scene->stack + STACK_BYTES) - 1024;
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
    return before;
}

/* All of it is in the copy, and what is below is of the stack, too. */
static void expect_whole(const struct scene *scene, size_t depth)
{
    const struct frozen *frozen = &scene->frozen;
    uint64_t sp = base_of(scene) - depth, bottom = (uint64_t)(uintptr_t)scene->stack;

    assert_in_range(frozen->stack_start, bottom, sp);
    assert_in_range(frozen->stack_start + frozen->stack_size, base_of(scene),
                    base_of(scene) + 1024);
    assert_memory_equal(frozen->stack, scene->stack + (frozen->stack_start - bottom),
                        frozen->stack_size);
}

/* As if all stops before had found it whole. */
static void know_base(struct scene *scene)
{
    stop_at(scene, DEEP);
    scene->thread.tracee.stack_base = base_of(scene);
}

static void where_it_was_it_is_copied_at_once(void **state)
{
    struct scene *scene = scene_new();

    (void)state;
    know_base(scene);
    for (size_t less = 0; less < 512; less += 8) {
        size_t known = stop_at(scene, DEEP - less);

        assert_int_equal(scene->frozen.stack_size, known);
        expect_whole(scene, DEEP - less);
    }
    free(scene);
}

static void deeper_than_expected_it_is_copied_again(void **state)
{
    struct scene *scene = scene_new();

    (void)state;
    know_base(scene);
    assert_in_range(stop_at(scene, 3 * DEEP), DEEP, 2 * DEEP);
    assert_in_range(scene->frozen.stack_size, 3 * DEEP, 3 * DEEP + 1024);
    expect_whole(scene, 3 * DEEP);
    assert_in_range(stop_at(scene, 3 * DEEP), 3 * DEEP, 4 * DEEP); /* and expected there then */
    free(scene);
}

static void what_was_deep_once_is_forgotten(void **state)
{
    struct scene *scene = scene_new();
    size_t known = 0;

    (void)state;
    know_base(scene);
    stop_at(scene, 6 * DEEP);
    for (int i = 0; i < 64; i++) {
        known = stop_at(scene, SHALLOW);
        expect_whole(scene, SHALLOW);
    }
    assert_in_range(known, SHALLOW, 2 * SHALLOW);
    free(scene);
}

/* As of coroutines. */
static void one_that_moves_is_not_expected(void **state)
{
    struct scene *scene = scene_new();

    (void)state;
    know_base(scene);
    scene->thread.tracee.stack_moves = true;
    scene->thread.tracee.stack_bytes = DEEP;
    assert_int_equal(stop_at(scene, DEEP), 0);
    assert_int_equal(scene->frozen.stack_start, base_of(scene) - DEEP);
    assert_int_equal(scene->frozen.stack_size, DEEP);
    free(scene);
}

/* What is expected may be gone, as a thread ends its stack. */
static void what_cannot_be_read_is_no_stack(void **state)
{
    struct scene *scene = scene_new();

    (void)state;
    know_base(scene);
    scene->thread.tracee.stack_expected = 4096;
    scene->thread.tracee.stack_base = 2 * 4096;
    assert_int_equal(stop_at(scene, DEEP), 0);
    assert_int_equal(scene->frozen.stack_start, base_of(scene) - DEEP);
    free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_it_was_it_is_copied_at_once),
        cmocka_unit_test(deeper_than_expected_it_is_copied_again),
        cmocka_unit_test(what_was_deep_once_is_forgotten),
        cmocka_unit_test(one_that_moves_is_not_expected),
        cmocka_unit_test(what_cannot_be_read_is_no_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
