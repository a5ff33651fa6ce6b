/* SPDX-License-Identifier: MIT */
/*
 * Interpreters that are not installed here, and hostile ones: this very program lays out a runtime
 * that publishes its offsets as 3.13, 3.14 and 3.15 do, and is read like any other process.
 *
 *     _PyRuntime ─► interpreter ─► thread state ─► leaf ─► generator ─► shim ─► root ─► shim
 *                                                  (data stack) (heap)  ("C stack")    ("C stack")
 */
#include "config.h"

#include "proftop/python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/harness/testing.h"

#include "proftop/memory.h"

enum { RUNTIME_BYTES = 1024, STACK_WORDS = 64 };

/*
 * In place of libc's: an emulator has no such call, but all that is read here is our own.  What is
 * not mapped makes write() fail where a plain copy would crash.
 */
static ssize_t read_ourselves(const struct iovec *to, const struct iovec *from)
{
    int ends[2];
    ssize_t got = 0;

    if (pipe(ends) != 0)
        return -1;
    while ((size_t)got < from->iov_len) {
        size_t rest = from->iov_len - (size_t)got, step = rest < 4096 ? rest : 4096;

        if (write(ends[1], (const char *)from->iov_base + got, step) != (ssize_t)step ||
            read(ends[0], (char *)to->iov_base + got, step) != (ssize_t)step)
            break;
        got += (ssize_t)step;
    }
    close(ends[0]);
    close(ends[1]);
    return got;
}

ssize_t process_vm_readv(pid_t pid, const struct iovec *to, unsigned long to_count,
                         const struct iovec *from, unsigned long from_count, unsigned long flags)
{
    ssize_t got = syscall(SYS_process_vm_readv, pid, to, to_count, from, from_count, flags);

    if (got >= 0 || errno != ENOSYS || pid != getpid())
        return got;
    got = 0;
    for (unsigned long i = 0; i < from_count; i++) {
        ssize_t part = read_ourselves(&to[i], &from[i]);

        got += part > 0 ? part : 0;
        if (part != (ssize_t)from[i].iov_len)
            break;
    }
    return got > 0 ? got : -1;
}

extern uint8_t _PyRuntime[RUNTIME_BYTES];
uint8_t _PyRuntime[RUNTIME_BYTES];

/* Where each version publishes what, as its headers say. */
struct positions {
    uint32_t version;
    uint16_t interpreters_head, interpreter_next, threads_head;
    uint16_t gil, own_gil, locked, holder;
    uint16_t thread_next, current_frame, thread_id, native_id, chunk;
    uint16_t previous, executable, instruction, owner;
    uint16_t file, name, qualified, lines, first_line, bytecode;
};

static const struct positions versions[] = {
    { 0x030d0000, 40,  64,  72,  112, 120, 136, 144, 168, 184, 192, 200,
      208,        232, 240, 248, 264, 280, 288, 296, 304, 312, 344 },
    { 0x030e0a00, 40,  64,  72,  120, 128, 144, 152, 192, 208, 216, 224,
      232,        256, 264, 272, 288, 320, 328, 336, 344, 352, 384 },
    { 0x030f0200, 40,  64,  72,  120, 128, 144, 152, 192, 208, 240, 248,
      256,        320, 328, 336, 352, 384, 392, 400, 408, 416, 448 },
};

/* The offsets of our own structures: any will do, since they are published. */
enum {
    INTERPRETERS_HEAD = 832,
    INTERPRETER_NEXT = 8,
    THREADS_HEAD = 16,
    GIL = 24,
    OWN_GIL = 600,
    GIL_LOCKED = 8,
    GIL_HOLDER = 0,
    THREAD_NEXT = 8,
    CURRENT_FRAME = 72,
    THREAD_ID = 136,
    NATIVE_ID = 144,
    CHUNK = 232,
    EXECUTABLE = 0,
    PREVIOUS = 8,
    INSTRUCTION = 56,
    OWNER = 74,
    FIRST_LINE = 68,
    FILE_NAME = 112,
    NAME = 120,
    QUALIFIED = 128,
    LINES = 136,
    BYTECODE = 208,
    OWNER_THREAD = 0,
    OWNER_GENERATOR = 1,
    OWNER_SHIM = 3,
};

struct fake {
    uint64_t interpreter[128], thread[128], gil[16];
    uint64_t chunk[2048]; /* the data stack */
    uint64_t heap[16];    /* a generator's frame */
    uint64_t stack[STACK_WORDS];
    uint64_t code[4][64];
    uint64_t texts[4][64];
    uint64_t table[16];
};

struct fixture {
    struct fake fake;
    struct modules *modules;
    struct codes *codes;
    struct maps *maps;
    struct python *python;
    struct python_sample *sample;
    struct frozen frozen;
    struct frame frames[64];
    uint64_t stacks[64];
};

static void put(void *base, size_t offset, uint64_t value, size_t size)
{
    memcpy((uint8_t *)base + offset, &value, size);
}

static uint64_t address_of(const void *thing)
{
    return (uint64_t)(uintptr_t)thing;
}

static void publish(const struct positions *at)
{
    uint8_t *to = _PyRuntime;

    memset(to, 0, RUNTIME_BYTES);
    memcpy(to, "xdebugpy", 8);
    put(to, 8, at->version, 8);
    put(to, at->interpreters_head, INTERPRETERS_HEAD, 8);
    put(to, at->interpreter_next, INTERPRETER_NEXT, 8);
    put(to, at->threads_head, THREADS_HEAD, 8);
    put(to, at->gil, GIL, 8);
    put(to, at->own_gil, OWN_GIL, 8);
    put(to, at->locked, OWN_GIL + GIL_LOCKED, 8);
    put(to, at->holder, OWN_GIL + GIL_HOLDER, 8);
    put(to, at->thread_next, THREAD_NEXT, 8);
    put(to, at->current_frame, CURRENT_FRAME, 8);
    put(to, at->thread_id, THREAD_ID, 8);
    put(to, at->native_id, NATIVE_ID, 8);
    put(to, at->chunk, CHUNK, 8);
    put(to, at->previous, PREVIOUS, 8);
    put(to, at->executable, EXECUTABLE, 8);
    put(to, at->instruction, INSTRUCTION, 8);
    put(to, at->owner, OWNER, 8);
    put(to, at->file, FILE_NAME, 8);
    put(to, at->name, NAME, 8);
    put(to, at->qualified, QUALIFIED, 8);
    put(to, at->lines, LINES, 8);
    put(to, at->first_line, FIRST_LINE, 8);
    put(to, at->bytecode, BYTECODE, 8);
}

static void put_text(uint64_t *to, const char *text)
{
    enum { ASCII_COMPACT = 1 << 6 | 1 << 5 | 1 << 2 };

    put(to, 16, strlen(text), 8);
    put(to, 32, ASCII_COMPACT, 4);
    memcpy((uint8_t *)to + 40, text, strlen(text));
}

static void put_code(struct fake *fake, int which, const char *name, uint32_t first_line)
{
    uint64_t *code = fake->code[which];

    put_text(fake->texts[which], name);
    put(code, FIRST_LINE, first_line, 4);
    put(code, FILE_NAME, address_of(fake->texts[3]), 8);
    put(code, NAME, address_of(fake->texts[which]), 8);
    put(code, QUALIFIED, address_of(fake->texts[which]), 8);
    put(code, LINES, address_of(fake->table), 8);
}

static void put_frame(void *frame, const void *code, uint64_t unit, const void *previous, int owner)
{
    put(frame, EXECUTABLE, code != NULL ? address_of(code) | 1 : 0, 8); /* a tagged reference */
    put(frame, INSTRUCTION, code != NULL ? address_of(code) + BYTECODE + unit * 2 : 0, 8);
    put(frame, PREVIOUS, previous != NULL ? address_of(previous) : 0, 8);
    put(frame, OWNER, (uint64_t)owner, 1);
}

static void lay_out(struct fake *fake)
{
    /* Units 0–3: the first line + 1; units 4–7: two lines further. */
    static const uint8_t lines[] = { 0x80 | 13 << 3 | 3, 2, 0x80 | 13 << 3 | 3, 4 };
    uint64_t *leaf = fake->chunk + 8, *root = fake->chunk + 40;
    uint64_t *inner_shim = fake->stack + 10, *outer_shim = fake->stack + 40;

    memset(fake, 0, sizeof(*fake));
    put(_PyRuntime, INTERPRETERS_HEAD, address_of(fake->interpreter), 8);
    put(fake->interpreter, THREADS_HEAD, address_of(fake->thread), 8);
    put(fake->interpreter, GIL, address_of(fake->gil), 8);
    put(fake->gil, GIL_LOCKED, 1, 4);
    put(fake->gil, GIL_HOLDER, address_of(fake->thread), 8);
    put(fake->thread, CURRENT_FRAME, address_of(leaf), 8);
    put(fake->thread, NATIVE_ID, (uint64_t)getpid(), 8);
    put(fake->thread, CHUNK, address_of(fake->chunk), 8);
    put_text(fake->texts[3], "app.py");
    put(fake->table, 16, sizeof(lines), 8);
    memcpy((uint8_t *)fake->table + 32, lines, sizeof(lines));
    put_code(fake, 0, "Shop.leaf", 10);
    put_code(fake, 1, "items", 20);
    put_code(fake, 2, "<module>", 1);
    put_frame(leaf, fake->code[0], 1, fake->heap, OWNER_THREAD);
    put_frame(fake->heap, fake->code[1], 5, inner_shim, OWNER_GENERATOR);
    put_frame(inner_shim, NULL, 0, root, OWNER_SHIM);
    put_frame(root, fake->code[2], 2, outer_shim, OWNER_THREAD);
    put_frame(outer_shim, NULL, 0, NULL, OWNER_SHIM);
}

/* Puts the generator's frame where memory ends right behind the last that is known of it. */
static void move_to_the_edge(struct fake *fake, uint8_t *pages, size_t page_bytes)
{
    void *edge = pages + page_bytes - (OWNER + 1);

    memcpy(edge, fake->heap, OWNER + 1);
    put(fake->chunk + 8, PREVIOUS, address_of(edge), 8);
}

/* Five native frames; the second and the fourth hold the shims. */
static uint32_t native_frames(struct fixture *fixture)
{
    static const int first_word[] = { 0, 8, 24, 36, 60 };

    for (int i = 0; i < 5; i++) {
        fixture->frames[i] = (struct frame){ .address = (uint64_t)i, .kind = FRAME_NATIVE };
        fixture->stacks[i] = address_of(fixture->fake.stack + first_word[i]);
    }
    return 5;
}

static int set_up(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof(*fixture));
    struct error error;

    fixture->modules = modules_new();
    fixture->codes = codes_new();
    fixture->sample = python_sample_new();
    fixture->maps = maps_read("/proc", getpid(), 1, fixture->modules, &error);
    fixture->frozen = (struct frozen){ .pid = getpid(),
                                       .tid = getpid(),
                                       .stack = (const uint8_t *)fixture->fake.stack,
                                       .stack_start = address_of(fixture->fake.stack),
                                       .stack_size = sizeof(fixture->fake.stack) };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    python_close(fixture->python);
    python_sample_free(fixture->sample);
    maps_unref(fixture->maps);
    codes_free(fixture->codes);
    modules_free(fixture->modules);
    free(fixture);
    return 0;
}

static uint32_t sample(struct fixture *fixture)
{
    struct error error = { 0 };

    if (fixture->python == NULL)
        fixture->python = python_open("/proc", fixture->maps, fixture->codes, &error);
    if (fixture->python == NULL)
        fail_msg("%s", error.message);
    python_freeze(fixture->python, &fixture->frozen, fixture->sample);
    return python_merge(fixture->python, fixture->sample, fixture->frames, fixture->stacks,
                        native_frames(fixture), 64);
}

static void expect_python(const struct fixture *fixture, uint32_t at, const char *name,
                          uint32_t line)
{
    const struct code *code = codes_get(fixture->codes, fixture->frames[at].module);

    assert_int_equal(fixture->frames[at].kind, FRAME_PYTHON);
    assert_string_equal(code->name, name);
    assert_string_equal(code->file, "app.py");
    assert_int_equal(fixture->frames[at].address, line);
}

static void test_memory_may_end_behind_a_frame(void **state)
{
    struct fixture *fixture = *state;
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *pages =
        mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(pages, MAP_FAILED);
    assert_int_equal(munmap(pages + page_bytes, page_bytes), 0);
    publish(&versions[0]);
    lay_out(&fixture->fake);
    move_to_the_edge(&fixture->fake, pages, page_bytes);
    assert_int_equal(sample(fixture), 6);
    assert_int_equal(python_sample_end(fixture->sample), PYTHON_COMPLETE);
    expect_python(fixture, 2, "items", 23);
    munmap(pages, page_bytes);
}

static void test_published_offsets_give_the_frames(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        publish(&versions[i]);
        lay_out(&fixture->fake);
        assert_int_equal(sample(fixture), 6);
        assert_int_equal(python_sample_end(fixture->sample), PYTHON_COMPLETE);
        assert_int_equal(python_sample_gil(fixture->sample), GIL_HELD);
        assert_int_equal(fixture->frames[0].kind, FRAME_NATIVE);
        expect_python(fixture, 1, "Shop.leaf", 11);
        expect_python(fixture, 2, "items", 23);
        assert_int_equal(fixture->frames[3].kind, FRAME_NATIVE);
        expect_python(fixture, 4, "<module>", 2);
        assert_int_equal(fixture->frames[5].kind, FRAME_NATIVE);
        assert_int_equal(python_gil_holder(fixture->python), getpid());
        assert_true(python_waits_for_gil(fixture->python, address_of(fixture->fake.gil) + 32));
        assert_false(python_waits_for_gil(fixture->python, address_of(fixture->fake.stack)));
        python_close(fixture->python);
        fixture->python = NULL;
    }
}

static void test_a_code_object_that_changed_gets_its_new_name(void **state)
{
    struct fixture *fixture = *state;

    publish(&versions[1]);
    lay_out(&fixture->fake);
    sample(fixture);
    expect_python(fixture, 1, "Shop.leaf", 11);
    put(fixture->fake.code[0], NAME, address_of(fixture->fake.texts[2]), 8);
    put(fixture->fake.code[0], QUALIFIED, address_of(fixture->fake.texts[2]), 8);
    sample(fixture);
    expect_python(fixture, 1, "<module>", 11);
}

/* A frame in place of a Python one, or behind the last, that says why it is not there. */
static void expect_cut(const struct fixture *fixture, uint32_t at, enum python_end end)
{
    assert_int_equal(fixture->frames[at].kind, FRAME_MARK);
    assert_int_equal(fixture->frames[at].module, MARK_PYTHON_CUT);
    assert_int_equal(fixture->frames[at].address, end);
}

/* What hostile or half-made memory says: native frames stay, and the stack has the reason in it. */
static void test_hostile_memory_costs_no_native_frame(void **state)
{
    struct fixture *fixture = *state;
    struct fake *fake = &fixture->fake;
    uint64_t *leaf = fake->chunk + 8;
    uint32_t count;

    publish(&versions[2]);
    lay_out(fake);
    put(leaf, PREVIOUS, address_of(leaf), 8); /* a circle */
    count = sample(fixture);
    expect_cut(fixture, count - 1, PYTHON_CYCLE);

    lay_out(fake);
    put(fake->heap, PREVIOUS, address_of(leaf),
        8); /* a longer one: as many frames as there is room for */
    assert_int_equal(sample(fixture), 64);
    assert_int_equal(python_sample_end(fixture->sample), PYTHON_CYCLE);

    lay_out(fake);
    put(leaf, PREVIOUS, 0x10, 8); /* nowhere */
    count = sample(fixture);
    expect_cut(fixture, count - 1, PYTHON_BAD_FRAME);

    lay_out(fake);
    put(fake->texts[0], 16, UINT64_MAX / 2, 8); /* a huge name */
    put(fake->code[0], FIRST_LINE, 77, 4);
    assert_int_equal(sample(fixture), 6);
    expect_cut(fixture, 1, PYTHON_BAD_CODE);
    expect_python(fixture, 2, "items", 23);

    lay_out(fake);
    put(fake->texts[0], 32, 0, 4); /* not a str */
    put(fake->code[0], FIRST_LINE, 78, 4);
    assert_int_equal(sample(fixture), 6);
    expect_cut(fixture, 1, PYTHON_BAD_CODE);

    lay_out(fake);
    put(fake->thread, CURRENT_FRAME, UINT64_MAX - 7, 8);
    assert_int_equal(sample(fixture), 6);
    expect_cut(fixture, 5, PYTHON_BAD_FRAME);

    lay_out(fake);
    put(fake->thread, NATIVE_ID, 1, 8); /* another thread's state now: that happens, no failure */
    assert_int_equal(sample(fixture), 5);
    assert_int_equal(python_sample_end(fixture->sample), PYTHON_STRANGER);
}

static void test_what_is_not_supported_says_so(void **state)
{
    /* Further than what is read of a thread state, a frame, a code object. */
    const struct {
        uint16_t at;
        uint64_t offset;
    } beyond[] = { { versions[1].threads_head, UINT64_MAX }, { versions[1].native_id, 505 },
                   { versions[1].current_frame, 4000 },      { versions[1].owner, 121 },
                   { versions[1].instruction, 4000 },        { versions[1].name, 249 } };
    struct fixture *fixture = *state;
    struct error error = { 0 };

    publish(&versions[1]);
    lay_out(&fixture->fake);
    put(_PyRuntime, 16, 1, 8);
    assert_null(python_open("/proc", fixture->maps, fixture->codes, &error));
    assert_string_equal(error.message, "a free-threaded Python is not supported");
    put(_PyRuntime, 16, 0, 8);
    put(_PyRuntime, 8, 0x03200000, 8);
    assert_null(python_open("/proc", fixture->maps, fixture->codes, &error));
    assert_string_equal(error.message, "Python 3.32 is not known");
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        publish(&versions[1]);
        put(_PyRuntime, beyond[i].at, beyond[i].offset, 8);
        assert_null(python_open("/proc", fixture->maps, fixture->codes, &error));
        assert_string_equal(error.message, "the interpreter's offsets make no sense");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_published_offsets_give_the_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_memory_may_end_behind_a_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_code_object_that_changed_gets_its_new_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_memory_costs_no_native_frame, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_not_supported_says_so, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
