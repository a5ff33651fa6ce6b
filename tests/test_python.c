/* SPDX-License-Identifier: MIT */
/*
 * Python frames from outside against what the interpreter says of itself, on every Python named in
 * PROFTOP_PYTHONS (or Debian's), and the merge rule on stacks made by hand.
 */
#include "config.h"

#include "proftop/python.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/testing.h"

#include "src/unwind/python/interpreter.h"
#include "src/unwind/python/lines.h"

#include "proftop/memory.h"
#include "proftop/proc.h"

enum { LINE_MAX_BYTES = 1024, STACK_BYTES = 256 * 1024 };

/* A Python that parked its threads and told where. */
struct parked {
    pid_t pid;
    FILE *told;
    int gate; /* closing it lets the program end */
};

static bool launch(struct parked *parked, const char *python)
{
    char *script = testing_source("tests/python/parked.py");
    int in[2], out[2];

    if (pipe(in) != 0 || pipe(out) != 0)
        return false;
    parked->pid = fork();
    if (parked->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        setenv("PYTHONIOENCODING", "utf-8", 1);
        execlp(python, python, script, (char *)NULL);
        _exit(127);
    }
    free(script);
    close(in[0]);
    close(out[1]);
    parked->gate = in[1];
    parked->told = fdopen(out[0], "r");
    return parked->pid > 0;
}

static void end(struct parked *parked)
{
    kill(parked->pid, SIGKILL);
    waitpid(parked->pid, NULL, 0);
    fclose(parked->told);
    close(parked->gate);
}

/* What a thread's registers and stack are while it is blocked: no stop is needed. */
static bool freeze_blocked(int32_t pid, int32_t tid, struct frozen *frozen, uint8_t *stack)
{
    struct proc_syscall call;
    struct iovec local, remote;
    ssize_t got;

    if (!proc_syscall("/proc", pid, tid, &call) || call.running)
        return false;
    *frozen = (struct frozen){
        .pid = pid, .tid = tid, .stack = stack, .stack_start = call.sp, .peeked = true
    };
    frozen->registers.ip = call.pc;
    frozen->registers.sp = call.sp;
    frozen->registers.known = KNOWN_IP | KNOWN_SP;
    for (size_t size = STACK_BYTES; size >= 4096; size /= 2) {
        local = (struct iovec){ stack, size };
        remote = (struct iovec){ (void *)(uintptr_t)call.sp, size };
        got = process_vm_readv(pid, &local, 1, &remote, 1, 0);
        if (got > 0) {
            frozen->stack_size = (size_t)got;
            return true;
        }
    }
    return false;
}

static char *next_line(struct parked *parked, char *line)
{
    if (fgets(line, LINE_MAX_BYTES, parked->told) == NULL)
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    return line;
}

/* Compares one thread, whose told frames follow; the number compared. */
static unsigned compare_thread(struct parked *parked, struct python *python, struct codes *codes,
                               struct python_sample *sample, uint8_t *stack, int32_t tid)
{
    struct frame *frames = xcalloc(PYTHON_FRAMES_MAX, sizeof(*frames));
    uint64_t *stacks = xcalloc(PYTHON_FRAMES_MAX, sizeof(*stacks));
    char line[LINE_MAX_BYTES], ours[LINE_MAX_BYTES];
    uint32_t count, at = 0;
    struct frozen frozen;

    python_prepare(python, tid);
    assert_true(freeze_blocked(parked->pid, tid, &frozen, stack));
    if (!python_freeze(python, &frozen, sample))
        fail_msg("thread %d: %s", tid, python_sample_trouble(sample));
    assert_null(python_sample_trouble(sample));
    count = python_merge(python, sample, frames, stacks, 0, PYTHON_FRAMES_MAX);
    while (next_line(parked, line) != NULL && line[0] != '\0') {
        const struct code *code;

        while (at < count && frames[at].kind != FRAME_PYTHON)
            at++;
        if (at == count)
            fail_msg("thread %d ends after %u frames, before %s", tid, at, line);
        code = codes_get(codes, frames[at].module);
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
    struct parked parked = { 0 };
    struct modules *modules = modules_new();
    struct codes *codes = codes_new();
    struct python_sample *sample = python_sample_new();
    uint8_t *stack = xmalloc(STACK_BYTES);
    unsigned threads = 0, compared = 0;
    char line[LINE_MAX_BYTES];
    struct error error = { 0 };
    struct python *python;
    struct maps *maps;

    assert_true(launch(&parked, name));
    maps = NULL;
    python = NULL;
    while (next_line(&parked, line) != NULL && strcmp(line, "ready") != 0) {
        if (python == NULL) {
            maps = maps_read("/proc", parked.pid, 1, modules, &error);
            assert_non_null(maps);
            assert_true(python_suspected(maps));
            python = python_open("/proc", maps, codes, &error);
            if (python == NULL)
                fail_msg("%s: %s", name, error.message);
        }
        compared +=
            compare_thread(&parked, python, codes, sample, stack, (int32_t)strtol(line, NULL, 10));
        threads++;
    }
    print_message("%s (%s): %u threads, %u frames alike\n", name, python_version(python), threads,
                  compared);
    assert_int_equal(threads, 8);
    assert_true(compared > 450);
    end(&parked);
    python_close(python);
    maps_unref(maps);
    python_sample_free(sample);
    codes_free(codes);
    modules_free(modules);
    free(stack);
}

static void test_frames_equal_the_interpreters_own(void **state)
{
    const char *named = getenv("PROFTOP_PYTHONS");
    char *list = xstrdup(named != NULL ? named : "/usr/bin/python3"), *rest = list, *name;
    unsigned tried = 0;

    (void)state;
    while ((name = strsep(&rest, ":")) != NULL) {
        if (access(name, X_OK) != 0)
            continue;
        compare_all(name);
        tried++;
    }
    free(list);
    if (tried == 0)
        skip_because("no Python 3.8 to 3.15 here");
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
        cmocka_unit_test(test_a_run_replaces_the_frame_that_holds_its_anchor),
        cmocka_unit_test(test_a_cut_unwind_keeps_every_run),
        cmocka_unit_test(test_the_limit_holds),
        cmocka_unit_test(test_line_tables_survive_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
