/* SPDX-License-Identifier: MIT */
/*
 * Whole stacks: the victim "shapes" has one of every kind, each with a known chain of functions.
 * Built four ways (dynamic, static, static-PIE, musl), taken at rest with all registers and with
 * those that /proc gives; and Go's.
 */
#include "config.h"

#include "proftop/unwind.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "proftop/memory.h"
#include "tests/harness/scene.h"
#include "tests/harness/testing.h"

struct shape {
    const char *name;
    const char *chain[10];
};

static const struct shape shapes[] = {
    { "plain", { "pause_here", "shape_plain", "main", NULL } },
    { "noreturn", { "pause_here", "never_return", "shape_noreturn", "main", NULL } },
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
#ifdef __x86_64__
    { "scratch", { "pause_here", "on_fault", "…", "asm_scratch", "shape_scratch", "main", NULL } },
#endif
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

/* Leaves what /proc tells of a blocked thread; the rest must not be believed. */
static void forget_registers(struct registers *registers)
{
    uint64_t ip = registers->ip, sp = registers->sp;

    memset(registers, 0x5a, sizeof(*registers));
    registers->ip = ip;
    registers->sp = sp;
    registers->known = KNOWN_IP | KNOWN_SP;
}

static void one_shape(struct scene *scene, const struct shape *shape, bool peeked)
{
    struct frozen *frozen = &scene->freeze.frozen;

    print_message("%s\n", shape->name);
    frozen->peek = freeze_peek;
    frozen->peek_context = &scene->freeze;
    frozen->peeked = peeked;
    if (peeked)
        forget_registers(&frozen->registers);
    scene_unwind(scene);
    scene_expect(scene, shape->chain);
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

/* Of each frame's registers, a peek knows fewer, and those alike. */
static void what_a_peek_does_not_know_is_not_made_up(void **state)
{
    struct scene *scene = scene_new("tests/victims/shapes", "kept");
    struct frozen *frozen = &scene->freeze.frozen;
    struct unwind_saved held[SCENE_LIMIT], peeked[SCENE_LIMIT];
    uint32_t count, known = 0;

    (void)state;
    assert_true(unwind_full(scene->unwinder, frozen, scene->frames, scene->stacks, held,
                            SCENE_LIMIT, &scene->unwound));
    count = scene->unwound.count;
    frozen->peeked = true;
    forget_registers(&frozen->registers);
    assert_true(unwind_full(scene->unwinder, frozen, scene->frames, scene->stacks, peeked,
                            SCENE_LIMIT, &scene->unwound));
    assert_int_equal(scene->unwound.count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(held[i].general_known, (1 << UNWIND_KEPT) - 1);
        for (unsigned k = 0; k < UNWIND_KEPT; k++) {
            if ((peeked[i].general_known >> k & 1) == 0)
                continue;
            assert_int_equal(peeked[i].general[k], held[i].general[k]);
            known++;
        }
    }
    assert_int_equal(peeked[0].general_known, 0);
    assert_true(known != 0);
    scene_free(scene);
}

/* As the sources have it of a thread that runs on: its stack's copy, and its linkage tables. */
static void one_shape_from_its_copy(struct scene *scene, const struct shape *shape)
{
    struct frozen *frozen = &scene->freeze.frozen;

    print_message("%s, copied\n", shape->name);
    frozen->peek_linkage = freeze_peek;
    frozen->peek_context = &scene->freeze;
    scene_unwind(scene);
    scene_expect(scene, shape->chain);
    scene_free(scene);
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
        if (strcmp(shapes[i].name, "coroutine") == 0)
            continue;
        one_shape(scene_of(path, shapes[i].name), &shapes[i], false);
        if (strcmp(shapes[i].name, "altstack") != 0)
            one_shape_from_its_copy(scene_of(path, shapes[i].name), &shapes[i]);
    }
    free(command);
    free(path);
    free(source);
    testing_folder_remove(folder);
}

/* Builds the victim of Go, and the same stripped, in a new folder. */
static char *go_victims(void)
{
    char *folder, *source, *command;

    if (system("command -v go >/dev/null") != 0)
        skip_because("go is not installed");
    folder = testing_folder_new();
    source = testing_source("tests/victims/goroutine.go");
    command = xasprintf("go build -o %s/go %s && go build -ldflags='-s -w' -o %s/go-stripped %s",
                        folder, source, folder, source);
    assert_int_equal(system(command), 0);
    free(command);
    free(source);
    return folder;
}

static struct scene *go_scene(const char *folder, const char *program, const char *shape)
{
    char *path = xasprintf("%s/%s", folder, program);
    struct scene *scene = scene_of(path, shape);

    free(path);
    return scene;
}

/* Go tells in a table of its own, that no stripping takes away. */
static void go_is_walked_by_its_table(void **state)
{
    static const char *const chain[] = { "main.pauseHere",
                                         "main.deep.run.func1",
                                         "…",
                                         "main.deep.run",
                                         "…",
                                         "main.shapeGo",
                                         "main.main",
                                         "runtime.main",
                                         "…",
                                         NULL };
    char *folder = go_victims();
    struct scene *scene = go_scene(folder, "go", "");
    uint32_t count;

    (void)state;
    scene_unwind(scene);
    scene_expect(scene, chain);
    assert_false(scene->unwound.switched);
    count = scene->unwound.count;
    scene_free(scene);
    scene = go_scene(folder, "go-stripped", "");
    scene_unwind(scene);
    assert_int_equal(scene->unwound.end, STACK_COMPLETE);
    assert_int_equal(scene->unwound.count, count);
    scene_free(scene);
    testing_folder_remove(folder);
}

/* Behind systemstack the goroutine's own stack goes on, where that can be seen. */
static void go_switches_stacks(void **state)
{
    enum { GOROUTINE_BYTES = 16 << 10 };
    static const char *const chain[] = { "runtime.systemstack.abi0",
                                         "runtime/debug.WriteHeapDump",
                                         "main.shapeSwitch",
                                         "main.main",
                                         "…",
                                         NULL };
    static const char *const seen[] = { "…", "runtime.systemstack.abi0", NULL };
    static uint8_t goroutine[GOROUTINE_BYTES];
    char *folder = go_victims();
    struct scene *scene = go_scene(folder, "go-stripped", "switch");
    struct frozen *frozen = &scene->freeze.frozen;
    uint32_t copied, whole;

    (void)state;
    scene_unwind(scene);
    copied = scene->unwound.count;
    assert_int_equal(scene->unwound.end, STACK_COMPLETE);
    assert_true(scene->unwound.switched);
    frozen->peek = freeze_peek;
    frozen->peek_context = &scene->freeze;
    scene_unwind(scene);
    whole = scene->unwound.count;
    assert_int_equal(scene->unwound.end, STACK_COMPLETE);
    assert_false(scene->unwound.switched);
    assert_true(whole > copied + 3);
    /* The same with a second piece, of the goroutine's stack alone. */
    frozen->extra_start = scene->stacks[copied];
    frozen->extra = goroutine;
    while (frozen->extra_size < GOROUTINE_BYTES &&
           freeze_peek(&scene->freeze, frozen->extra_start + frozen->extra_size,
                       goroutine + frozen->extra_size, 8))
        frozen->extra_size += 8;
    frozen->peek = NULL;
    scene_unwind(scene);
    assert_int_equal(scene->unwound.end, STACK_COMPLETE);
    assert_false(scene->unwound.switched);
    scene_free(scene);
    scene = go_scene(folder, "go", "switch");
    scene_unwind(scene);
    scene_expect(scene, seen);
    scene->freeze.frozen.peek = freeze_peek;
    scene->freeze.frozen.peek_context = &scene->freeze;
    scene_unwind(scene);
    scene_expect(scene, chain);
    scene_free(scene);
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
            scene_expect(scene, shapes[i].chain);
            scene_free(scene);
        }
    }
}

/* It and its parent are behind the system call that made it, where there are no rows. */
static void a_thread_is_whole_at_its_first_instructions(void **state)
{
    enum { INSTRUCTIONS = 4 }; /* test, jl, je, and one of its own */
    static const char *const parent[] = { "pthread_create", "main", NULL };
    struct scene *scene = scene_new("tests/victims/churn", "threads");
    struct frozen *frozen = &scene->freeze.frozen;
    pid_t pid = scene->tid;
    unsigned long tid;
    int status;

    (void)state;
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACECLONE), 0);
    freeze_continue(pid);
    assert_int_equal(waitpid(pid, &status, __WALL), pid);
    assert_int_equal(status >> 8, SIGTRAP | PTRACE_EVENT_CLONE << 8);
    assert_int_equal(ptrace(PTRACE_GETEVENTMSG, pid, NULL, &tid), 0);
    assert_int_equal(waitpid((pid_t)tid, &status, __WALL), tid);
    frozen->tid = (pid_t)tid;
    for (int i = 0; i < INSTRUCTIONS; i++) {
        assert_true(freeze_refresh(&scene->freeze, scene->modules));
        scene_unwind(scene);
        assert_int_equal(scene->unwound.end, STACK_COMPLETE);
        assert_int_equal(scene->unwound.count, 1);
        assert_int_equal(ptrace(PTRACE_SINGLESTEP, tid, NULL, NULL), 0);
        assert_int_equal(waitpid((pid_t)tid, &status, __WALL), tid);
    }
    frozen->tid = pid;
    assert_true(freeze_refresh(&scene->freeze, scene->modules));
    scene_unwind(scene);
    scene_expect(scene, parent);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_is_whole),
        cmocka_unit_test(every_shape_is_whole_when_static),
        cmocka_unit_test(every_shape_is_whole_when_static_pie),
        cmocka_unit_test(a_peeked_thread_lacks_its_frame_pointer),
        cmocka_unit_test(what_a_peek_does_not_know_is_not_made_up),
        cmocka_unit_test(musl_is_walked_by_its_calls),
        cmocka_unit_test(go_is_walked_by_its_table),
        cmocka_unit_test(go_switches_stacks),
        cmocka_unit_test(the_copy_alone_is_enough),
        cmocka_unit_test(a_thread_is_whole_at_its_first_instructions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
