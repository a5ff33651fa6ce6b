/* SPDX-License-Identifier: MIT */
/*
 * Unwinding: deep, cut, hostile and second stacks, libunwind and libdwfl beside it, and every
 * single instruction of a busy function.
 */
#include "config.h"

#include "proftop/unwind.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/maps.h"
#include "proftop/memory.h"
#include "tests/harness/oracle.h"
#include "tests/harness/scene.h"
#include "tests/harness/testing.h"

/* How a breakpoint instruction differs from a step. */
#if defined(__aarch64__)
#define BREAKPOINT_CODE TRAP_BRKPT
#else
#define BREAKPOINT_CODE SI_KERNEL
#endif

enum { EXTRA_BYTES = 64 << 10 };

static void a_second_piece_continues_a_signal_stack(void **state)
{
    static const char *const chain[] = { "pause_here",     "on_signal", "…",
                                         "shape_altstack", "main",      NULL };
    struct scene *scene = scene_new("tests/victims/shapes", "altstack");
    struct frozen *frozen = &scene->freeze.frozen;
    uint8_t *extra = xmalloc(EXTRA_BYTES);
    uint32_t handler;

    (void)state;
    scene_unwind(scene);
    assert_int_not_equal(scene->unwound.end, STACK_COMPLETE);
    assert_int_equal(scene->frames[scene->unwound.count - 1].kind, FRAME_MARK);
    handler = scene->unwound.count - 2; /* the interrupted frame: its stack was not copied */
    frozen->extra_start = scene->stacks[handler];
    frozen->extra = extra;
    while (frozen->extra_size < EXTRA_BYTES &&
           freeze_peek(&scene->freeze, frozen->extra_start + frozen->extra_size,
                       extra + frozen->extra_size, 8))
        frozen->extra_size += 8;
    scene_unwind(scene);
    scene_expect(scene, chain);
    free(extra);
    scene_free(scene);
}

static void a_deep_stack_keeps_both_ends(void **state)
{
    struct scene *scene = scene_new("tests/victims/shapes", "deep");
    uint32_t mark = 0;

    (void)state;
    scene_unwind(scene);
    assert_int_equal(scene->unwound.end, STACK_COMPLETE);
    assert_int_equal(scene->unwound.count, SCENE_LIMIT - 1);
    while (scene->frames[mark].kind != FRAME_MARK)
        mark++;
    assert_int_equal(scene->frames[mark].module, MARK_SKIPPED);
    assert_int_equal(scene->frames[mark].address, scene->unwound.skipped);
    assert_true(scene->unwound.skipped > 5000 - SCENE_LIMIT &&
                scene->unwound.skipped < 5100 - SCENE_LIMIT);
    for (uint32_t i = 10; i < SCENE_LIMIT - 10; i++) {
        if (i != mark)
            assert_string_equal(oracle_name(&scene->freeze.frozen, &scene->frames[i]), "recurse");
        assert_true(scene->stacks[i] > scene->stacks[i - 1]);
    }
    assert_true(scene_find(scene, "shape_deep", mark) < scene->unwound.count);
    assert_true(scene_find(scene, "main", mark) < scene->unwound.count);
    scene_free(scene);
}

static void a_cut_copy_is_told(void **state)
{
    struct scene *scene = scene_new("tests/victims/shapes", "deep");
    const struct frame *last;

    (void)state;
    scene->freeze.frozen.stack_size = 4096;
    scene_unwind(scene);
    assert_int_equal(scene->unwound.end, STACK_TRUNCATED);
    assert_true(scene->unwound.count > 50);
    last = &scene->frames[scene->unwound.count - 1];
    assert_int_equal(last->kind, FRAME_MARK);
    assert_int_equal(last->module, MARK_BROKEN);
    assert_int_equal(last->address, STACK_TRUNCATED);
    scene_free(scene);
}

static void tables_that_are_not_ready_are_told(void **state)
{
    struct scene *scene = scene_new("tests/victims/shapes", "plain");
    struct unwinder *fresh = unwinder_new();
    struct unwound unwound;

    (void)state;
    assert_false(
        unwind_frozen(fresh, &scene->freeze.frozen, scene->frames, NULL, SCENE_LIMIT, &unwound));
    assert_int_equal(unwound.end, STACK_NOT_READY);
    do {
        unwinder_wait(fresh, UINT64_MAX);
    } while (
        !unwind_frozen(fresh, &scene->freeze.frozen, scene->frames, NULL, SCENE_LIMIT, &unwound));
    assert_int_equal(unwound.end, STACK_COMPLETE);
    unwinder_free(fresh);
    scene_free(scene);
}

/* Frame by frame the same as libdwfl, registers too; libunwind finds the same frames. */
static void others_agree(void **state)
{
    static const char *const names[] = { "plain", "aligned", "callback", "thread", "alloca" };
    struct unwind_saved *ours = xcalloc(SCENE_LIMIT, sizeof(*ours)),
                        *theirs = xcalloc(SCENE_LIMIT, sizeof(*ours));
    struct frame *frames = xcalloc(SCENE_LIMIT, sizeof(*frames));
    uint64_t *stacks = xcalloc(SCENE_LIMIT, sizeof(*stacks));

    (void)state;
    for (unsigned k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        struct scene *scene = scene_new("tests/victims/shapes", names[k]);
        struct frozen *frozen = &scene->freeze.frozen;
        struct unwound unwound;

        assert_true(unwind_full(scene->unwinder, frozen, scene->frames, scene->stacks, ours,
                                SCENE_LIMIT, &scene->unwound));
        unwind_slowly(scene->unwinder, frozen, frames, stacks, SCENE_LIMIT, &unwound);
        assert_int_equal(unwound.count, scene->unwound.count);
        assert_memory_equal(frames, scene->frames, unwound.count * sizeof(*frames));
        oracle_dwfl(frozen, frames, stacks, theirs, SCENE_LIMIT, &unwound);
        assert_int_equal(unwound.count, scene->unwound.count);
        assert_memory_equal(frames, scene->frames, unwound.count * sizeof(*frames));
        for (uint32_t i = 0; i < unwound.count; i++) {
            assert_int_equal(stacks[i], scene->stacks[i]);
            if (ours[i].bp_known && theirs[i].bp_known)
                assert_int_equal(ours[i].bp, theirs[i].bp);
            for (unsigned r = 0; r < UNWIND_KEPT; r++) {
                if ((ours[i].general_known & theirs[i].general_known) >> r & 1)
                    assert_int_equal(ours[i].general[r], theirs[i].general[r]);
            }
        }
        scene_free(scene);
    }
    free(ours);
    free(theirs);
    free(frames);
    free(stacks);
}

/* Steps one instruction; false at the victim's breakpoint.  Its own signals are handed on. */
static bool single_step(pid_t tid)
{
    int signal = 0;

    for (;;) {
        siginfo_t info;
        int status;

        assert_int_equal(ptrace(PTRACE_SINGLESTEP, tid, NULL, (void *)(long)signal), 0);
        assert_int_equal(waitpid(tid, &status, __WALL), tid);
        assert_true(WIFSTOPPED(status));
        if (WSTOPSIG(status) == SIGTRAP) {
            assert_int_equal(ptrace(PTRACE_GETSIGINFO, tid, NULL, &info), 0);
            return info.si_code != BREAKPOINT_CODE;
        }
        signal = WSTOPSIG(status);
    }
}

/* The frame of main and everything outside it stay where they are at every single instruction. */
static void every_instruction(void **state)
{
    struct scene *scene = scene_new("tests/victims/shapes", "steps");
    struct frozen *frozen = &scene->freeze.frozen;
    struct frame outer[SCENE_LIMIT];
    uint64_t main_stack;
    uint32_t main_at, outer_count;
    unsigned steps = 0, wrong = 0;

    (void)state;
    scene_unwind(scene);
    main_at = scene_find(scene, "main", 0);
    assert_true(main_at < scene->unwound.count);
    outer_count = scene->unwound.count - main_at;
    main_stack = scene->stacks[main_at];
    memcpy(outer, scene->frames + main_at, outer_count * sizeof(*outer));
    assert_int_equal(write(scene->victim.gate, ".", 1), 1);
    while (single_step(scene->tid)) {
        uint32_t at;

        steps++;
        assert_true(freeze_refresh(&scene->freeze, scene->modules));
        frozen->peek = freeze_peek;
        frozen->peek_context = &scene->freeze;
        unwinder_prepare(scene->unwinder, frozen->maps);
        unwinder_wait(scene->unwinder, UINT64_MAX);
        scene_unwind(scene);
        at = scene->unwound.count - outer_count;
        if (scene->unwound.end == STACK_COMPLETE && scene->unwound.count > outer_count &&
            scene->stacks[at] == main_stack &&
            memcmp(scene->frames + at, outer, outer_count * sizeof(*outer)) == 0)
            continue;
        if (++wrong <= 3)
            scene_print(scene);
    }
    print_message("%u instructions, %u wrong\n", steps, wrong);
    assert_true(steps > 1000);
    assert_int_equal(wrong, 0);
    scene_free(scene);
}

/* Whatever registers and stack say, a walk ends, within its room. */
static void hostile_stacks_end(void **state)
{
    enum { WORDS = 512, ROUNDS = 20000 };
    struct scene *scene = scene_new("tests/victims/shapes", "jit");
    struct frozen frozen = scene->freeze.frozen;
    const struct maps *maps = frozen.maps;
    uint64_t *stack = xcalloc(WORDS, sizeof(*stack));
    uint64_t ends[STACK_ENDS] = { 0 };

    (void)state;
    srandom(1);
    frozen.stack = (const uint8_t *)stack;
    frozen.stack_start = 0x7f0000000000;
    frozen.stack_size = WORDS * sizeof(*stack);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < WORDS; i++) {
            const struct mapping *mapping = &maps->mappings[(unsigned)random() % maps->count];

            switch (random() % 4) {
            case 0:
                stack[i] = mapping->start + (uint64_t)random() % (mapping->end - mapping->start);
                break;
            case 1:
                stack[i] = frozen.stack_start + (uint64_t)random() % frozen.stack_size;
                break;
            case 2:
                stack[i] = (uint64_t)random() << 33 ^ (uint64_t)random();
                break;
            default:
                stack[i] = 0;
            }
        }
        frozen.registers.ip = stack[0];
        frozen.registers.sp = frozen.stack_start + 8 * ((uint64_t)random() % 16);
        frozen.registers.bp = stack[1];
        unwind_frozen(scene->unwinder, &frozen, scene->frames, scene->stacks,
                      UNWIND_LIMIT_MIN + (uint32_t)random() % 100, &scene->unwound);
        assert_true(scene->unwound.count <= UNWIND_LIMIT_MIN + 100);
        assert_true(scene->unwound.end < STACK_ENDS);
        ends[scene->unwound.end]++;
    }
    assert_true(ends[STACK_BAD_MEMORY] + ends[STACK_TRUNCATED] > 0);
    assert_true(ends[STACK_NO_MAPPING] > 0);
    free(stack);
    scene_free(scene);
}

/* A chain of frame pointers that leads back to itself. */
static void a_circle_is_left(void **state)
{
    struct scene *scene = scene_new("tests/victims/shapes", "jit");
    struct frozen frozen = scene->freeze.frozen;
    uint64_t stack[64] = { 0 };

    (void)state;
    for (uint32_t i = 0; i < frozen.maps->count; i++) {
        if (frozen.maps->mappings[i].module->kind == MODULE_JIT)
            frozen.registers.ip = frozen.maps->mappings[i].start + 10;
    }
    frozen.stack = (const uint8_t *)stack;
    frozen.stack_start = 0x7f0000000000;
    frozen.stack_size = sizeof(stack);
    frozen.registers.sp = frozen.stack_start;
    frozen.registers.bp = frozen.stack_start + 8;
    stack[1] = frozen.registers.bp; /* its caller is itself */
    stack[2] = frozen.registers.ip;
    unwind_frozen(scene->unwinder, &frozen, scene->frames, scene->stacks, SCENE_LIMIT,
                  &scene->unwound);
    assert_int_equal(scene->unwound.end, STACK_CYCLE);
    assert_true(scene->unwound.count < 100);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_piece_continues_a_signal_stack),
        cmocka_unit_test(a_deep_stack_keeps_both_ends),
        cmocka_unit_test(a_cut_copy_is_told),
        cmocka_unit_test(tables_that_are_not_ready_are_told),
        cmocka_unit_test(others_agree),
        cmocka_unit_test(every_instruction),
        cmocka_unit_test(hostile_stacks_end),
        cmocka_unit_test(a_circle_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
