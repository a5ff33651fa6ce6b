/* SPDX-License-Identifier: MIT */
/*
 * Whole stacks: the victim "shapes" has one of every kind, each with a known chain of functions.
 * Built three ways (dynamic, static, static-PIE), taken at rest with all registers, with those that
 * /proc gives, and instruction by instruction.
 */
#include "config.h"

#include "proftop/unwind.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/maps.h"
#include "proftop/memory.h"
#include "tests/harness/freeze.h"
#include "tests/harness/oracle.h"
#include "tests/harness/testing.h"

/* How a breakpoint instruction differs from a step. */
#if defined(__aarch64__)
#define BREAKPOINT_CODE TRAP_BRKPT
#else
#define BREAKPOINT_CODE SI_KERNEL
#endif

enum { LIMIT = 2048, STACK_MAX_BYTES = 1 << 20, EXTRA_BYTES = 64 << 10 };

struct victim {
    pid_t pid, tid;
    int in, out; /* its standard input and output */
};

/* What a test works with: a victim at rest, frozen, and its unwound stack. */
struct scene {
    struct modules *modules;
    struct unwinder *unwinder;
    struct victim victim;
    struct freeze freeze;
    struct frame frames[LIMIT];
    uint64_t stacks[LIMIT];
    struct unwound unwound;
};

static void launch(struct victim *victim, const char *path, const char *shape)
{
    int in[2], out[2];
    char byte;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    victim->pid = fork();
    if (victim->pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl(path, path, shape, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    victim->in = in[1];
    victim->out = out[0];
    victim->tid = victim->pid;
    assert_int_equal(read(victim->out, &byte, 1), 1);
}

/* Threads that are traced must be waited for before their process ends. */
static void end(struct victim *victim)
{
    int status;
    pid_t pid;

    close(victim->in);
    close(victim->out);
    kill(victim->pid, SIGKILL);
    do {
        pid = waitpid(-1, &status, __WALL);
    } while (pid > 0 && (pid != victim->pid || WIFSTOPPED(status)));
}

/* The thread that is not the first one. */
static pid_t other_thread(pid_t pid)
{
    for (pid_t tid = pid + 1; tid < pid + 100; tid++) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)pid, (int)tid);
        if (access(path, F_OK) == 0)
            return tid;
    }
    return pid;
}

/* With a program whose path is given. */
static struct scene *scene_of(const char *path, const char *shape)
{
    struct scene *scene = xcalloc(1, sizeof(*scene));
    struct victim *victim = &scene->victim;

    scene->modules = modules_new();
    scene->unwinder = unwinder_new();
    freeze_init(&scene->freeze, STACK_MAX_BYTES);
    launch(victim, path, shape);
    if (strcmp(shape, "thread") == 0)
        victim->tid = other_thread(victim->pid);
    assert_true(freeze_attach(victim->tid));
    assert_true(freeze_take(&scene->freeze, victim->pid, victim->tid, scene->modules, true));
    unwinder_prepare(scene->unwinder, scene->freeze.maps);
    unwinder_wait(scene->unwinder);
    return scene;
}

/* With one of this build. */
static struct scene *scene_new(const char *program, const char *shape)
{
    char *path = testing_built(program);
    struct scene *scene = scene_of(path, shape);

    free(path);
    return scene;
}

static void scene_free(struct scene *scene)
{
    end(&scene->victim);
    freeze_fini(&scene->freeze);
    oracle_fini();
    unwinder_free(scene->unwinder);
    modules_free(scene->modules);
    free(scene);
}

static void scene_unwind(struct scene *scene)
{
    assert_true(unwind_frozen(scene->unwinder, &scene->freeze.frozen, scene->frames, scene->stacks,
                              LIMIT, &scene->unwound));
}

static void scene_print(struct scene *scene)
{
    print_message("%s at %#llx\n", stack_end_text(scene->unwound.end),
                  (unsigned long long)scene->unwound.end_address);
    for (uint32_t i = 0; i < scene->unwound.count && i < 60; i++)
        print_message("  %2u %#llx %s\n", i, (unsigned long long)scene->stacks[i],
                      oracle_name(&scene->freeze.frozen, &scene->frames[i]));
}

/* The first frame from FROM on that is in the function NAME, or the count of frames. */
static uint32_t find_name(struct scene *scene, const char *name, uint32_t from)
{
    while (from < scene->unwound.count &&
           strcmp(oracle_name(&scene->freeze.frozen, &scene->frames[from]), name) != 0)
        from++;
    return from;
}

/* CHAIN is functions from the inside out, one behind the other; "…" stands for any number. */
static void expect_chain(struct scene *scene, const char *const *chain)
{
    uint32_t at = 0;
    bool any = true;

    for (; *chain != NULL; chain++) {
        uint32_t found;

        if (strcmp(*chain, "…") == 0) {
            any = true;
            continue;
        }
        found = find_name(scene, *chain, at);
        if (found == scene->unwound.count || (!any && found != at)) {
            scene_print(scene);
            fail_msg("%s is not where it should be", *chain);
        }
        at = found + 1;
        any = false;
    }
    if (scene->unwound.end != STACK_COMPLETE) {
        scene_print(scene);
        fail_msg("the stack is not whole: %s", stack_end_text(scene->unwound.end));
    }
}

struct shape {
    const char *name;
    const char *chain[10];
};

static const struct shape shapes[] = {
    { "plain", { "pause_here", "shape_plain", "main", NULL } },
    { "signal", { "pause_here", "on_signal", "…", "shape_signal", "main", NULL } },
    { "altstack", { "pause_here", "on_signal", "…", "shape_altstack", "main", NULL } },
    { "fault", { "pause_here", "on_fault", "…", "shape_fault", "main", NULL } },
    { "alloca", { "pause_here", "shape_alloca", "main", NULL } },
    { "aligned", { "pause_here", "shape_aligned", "main", NULL } },
    { "callback", { "pause_here", "compare_pausing", "…", "shape_callback", "main", NULL } },
    { "thread", { "pause_here", "thread_main", NULL } },
    { "coroutine", { "pause_here", "coroutine_main", NULL } },
    { "assembly", { "pause_here", "asm_framed", "shape_assembly", "main", NULL } },
    { "bare", { "pause_here", "asm_bare", "shape_bare", "main", NULL } },
    { "odd", { "pause_here", "asm_odd", "shape_odd", "main", NULL } },
    { "kept", { "pause_here", "asm_kept", "shape_kept", "main", NULL } },
    { "jit", { "pause_here", "?", "shape_jit", "main", NULL } },
    { "nowhere", { "pause_here", "on_fault", "…", "shape_nowhere", "main", NULL } },
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static void one_shape(struct scene *scene, const struct shape *shape, bool peeked)
{
    struct frozen *frozen = &scene->freeze.frozen;

    print_message("%s\n", shape->name);
    frozen->peek = freeze_peek;
    frozen->peek_context = &scene->freeze;
    frozen->peeked = peeked;
    if (peeked)
        frozen->registers.known = KNOWN_IP | KNOWN_SP;
    scene_unwind(scene);
    expect_chain(scene, shape->chain);
    scene_free(scene);
}

static void all_shapes(const char *program, bool peeked)
{
    for (unsigned i = 0; i < SHAPES; i++)
        one_shape(scene_new(program, shapes[i].name), &shapes[i], peeked);
}

static void every_shape_is_whole(void **state)
{
    (void)state;
    all_shapes("tests/victims/shapes", false);
}

static void every_shape_is_whole_when_static(void **state)
{
    (void)state;
    all_shapes("tests/victims/shapes-static", false);
}

static void every_shape_is_whole_when_static_pie(void **state)
{
    (void)state;
    all_shapes("tests/victims/shapes-static-pie", false);
}

static void a_peeked_thread_lacks_its_frame_pointer(void **state)
{
    (void)state;
    all_shapes("tests/victims/shapes", true);
}

/* musl is built without unwind information and without frame pointers. */
static void musl_is_walked_by_its_calls(void **state)
{
    char *folder, *source, *path, *command;

    (void)state;
    if (system("command -v musl-gcc >/dev/null") != 0)
        skip_because("musl-gcc is not installed");
    folder = testing_folder_new();
    source = testing_source("tests/victims/shapes.c");
    path = xasprintf("%s/shapes", folder);
    command = xasprintf("musl-gcc -std=gnu11 -g -O2 -fomit-frame-pointer -pthread -o %s %s", path,
                        source);
    assert_int_equal(system(command), 0);
    for (unsigned i = 0; i < SHAPES; i++) {
        if (strcmp(shapes[i].name, "coroutine") != 0)
            one_shape(scene_of(path, shapes[i].name), &shapes[i], false);
    }
    free(command);
    free(path);
    free(source);
    testing_folder_remove(folder);
}

/* Go tells in a table of its own, that no stripping takes away. */
static void go_is_walked_by_its_table(void **state)
{
    static const struct shape shape = { "go",
                                        { "main.pauseHere", "main.deep.run.func1", "…",
                                          "main.deep.run", "…", "main.shapeGo", "main.main",
                                          "runtime.main", "…", NULL } };
    char *folder, *source, *path, *command;
    struct scene *scene;
    uint32_t count;

    (void)state;
    if (system("command -v go >/dev/null") != 0)
        skip_because("go is not installed");
    folder = testing_folder_new();
    source = testing_source("tests/victims/goroutine.go");
    path = xasprintf("%s/goroutine", folder);
    command = xasprintf("go build -o %s %s && go build -ldflags='-s -w' -o %s-stripped %s", path,
                        source, path, source);
    assert_int_equal(system(command), 0);
    scene = scene_of(path, "");
    scene_unwind(scene);
    expect_chain(scene, shape.chain);
    count = scene->unwound.count;
    scene_free(scene);
    free(command);
    command = xasprintf("%s-stripped", path);
    scene = scene_of(command, "");
    scene_unwind(scene);
    assert_int_equal(scene->unwound.end, STACK_COMPLETE);
    assert_int_equal(scene->unwound.count, count);
    scene_free(scene);
    free(command);
    free(path);
    free(source);
    testing_folder_remove(folder);
}

/* As perf delivers it: no look at the target, only the copy. */
static void the_copy_alone_is_enough(void **state)
{
    static const char *const names[] = {
        "plain", "signal", "aligned", "callback", "assembly", "jit"
    };

    (void)state;
    for (unsigned i = 0; i < SHAPES; i++) {
        for (unsigned k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            struct scene *scene;

            if (strcmp(shapes[i].name, names[k]) != 0)
                continue;
            scene = scene_new("tests/victims/shapes", names[k]);
            scene_unwind(scene);
            expect_chain(scene, shapes[i].chain);
            scene_free(scene);
        }
    }
}

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
    expect_chain(scene, chain);
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
    assert_int_equal(scene->unwound.count, LIMIT - 1);
    while (scene->frames[mark].kind != FRAME_MARK)
        mark++;
    assert_int_equal(scene->frames[mark].module, MARK_SKIPPED);
    assert_int_equal(scene->frames[mark].address, scene->unwound.skipped);
    assert_true(scene->unwound.skipped > 5000 - LIMIT && scene->unwound.skipped < 5100 - LIMIT);
    for (uint32_t i = 10; i < LIMIT - 10; i++) {
        if (i != mark)
            assert_string_equal(oracle_name(&scene->freeze.frozen, &scene->frames[i]), "recurse");
        assert_true(scene->stacks[i] > scene->stacks[i - 1]);
    }
    assert_true(find_name(scene, "shape_deep", mark) < scene->unwound.count);
    assert_true(find_name(scene, "main", mark) < scene->unwound.count);
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
    assert_false(unwind_frozen(fresh, &scene->freeze.frozen, scene->frames, NULL, LIMIT, &unwound));
    assert_int_equal(unwound.end, STACK_NOT_READY);
    do {
        unwinder_wait(fresh);
    } while (!unwind_frozen(fresh, &scene->freeze.frozen, scene->frames, NULL, LIMIT, &unwound));
    assert_int_equal(unwound.end, STACK_COMPLETE);
    unwinder_free(fresh);
    scene_free(scene);
}

/* Frame by frame the same as libdwfl, registers too; libunwind finds the same frames. */
static void others_agree(void **state)
{
    static const char *const names[] = { "plain", "aligned", "callback", "thread", "alloca" };
    struct unwind_saved *ours = xcalloc(LIMIT, sizeof(*ours)),
                        *theirs = xcalloc(LIMIT, sizeof(*ours));
    struct frame *frames = xcalloc(LIMIT, sizeof(*frames));
    uint64_t *stacks = xcalloc(LIMIT, sizeof(*stacks));

    (void)state;
    for (unsigned k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        struct scene *scene = scene_new("tests/victims/shapes", names[k]);
        struct frozen *frozen = &scene->freeze.frozen;
        struct unwound unwound;

        assert_true(unwind_full(scene->unwinder, frozen, scene->frames, scene->stacks, ours, LIMIT,
                                &scene->unwound));
        unwind_slowly(scene->unwinder, frozen, frames, stacks, LIMIT, &unwound);
        assert_int_equal(unwound.count, scene->unwound.count);
        assert_memory_equal(frames, scene->frames, unwound.count * sizeof(*frames));
        oracle_dwfl(frozen, frames, stacks, theirs, LIMIT, &unwound);
        assert_int_equal(unwound.count, scene->unwound.count);
        assert_memory_equal(frames, scene->frames, unwound.count * sizeof(*frames));
        for (uint32_t i = 0; i < unwound.count; i++) {
            assert_int_equal(stacks[i], scene->stacks[i]);
            if (ours[i].bp_known && theirs[i].bp_known)
                assert_int_equal(ours[i].bp, theirs[i].bp);
            for (unsigned r = 0; r < 5; r++) {
                if ((ours[i].callee_known & theirs[i].callee_known) >> r & 1)
                    assert_int_equal(ours[i].callee[r], theirs[i].callee[r]);
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
    struct frame outer[LIMIT];
    uint64_t main_stack;
    uint32_t main_at, outer_count;
    unsigned steps = 0, wrong = 0;

    (void)state;
    scene_unwind(scene);
    main_at = find_name(scene, "main", 0);
    assert_true(main_at < scene->unwound.count);
    outer_count = scene->unwound.count - main_at;
    main_stack = scene->stacks[main_at];
    memcpy(outer, scene->frames + main_at, outer_count * sizeof(*outer));
    assert_int_equal(write(scene->victim.in, ".", 1), 1);
    while (single_step(scene->victim.tid)) {
        uint32_t at;

        steps++;
        assert_true(freeze_refresh(&scene->freeze, scene->modules));
        frozen->peek = freeze_peek;
        frozen->peek_context = &scene->freeze;
        unwinder_prepare(scene->unwinder, frozen->maps);
        unwinder_wait(scene->unwinder);
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
    unwind_frozen(scene->unwinder, &frozen, scene->frames, scene->stacks, LIMIT, &scene->unwound);
    assert_int_equal(scene->unwound.end, STACK_CYCLE);
    assert_true(scene->unwound.count < 100);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_is_whole),
        cmocka_unit_test(every_shape_is_whole_when_static),
        cmocka_unit_test(every_shape_is_whole_when_static_pie),
        cmocka_unit_test(a_peeked_thread_lacks_its_frame_pointer),
        cmocka_unit_test(musl_is_walked_by_its_calls),
        cmocka_unit_test(go_is_walked_by_its_table),
        cmocka_unit_test(the_copy_alone_is_enough),
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
