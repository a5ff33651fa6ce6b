/* SPDX-License-Identifier: MIT */
/* Inline chains and lines from DWARF of every make: programs built here from sources we know. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "tests/harness/testing.h"
#include "tests/symbols_fixture.h"

/* The line of tests/fixtures/NAME that holds WORDS. */
static uint32_t line_with(const char *name, const char *words)
{
    char *relative = xasprintf("tests/fixtures/%s", name), *path = testing_source(relative);
    FILE *file = fopen(path, "r");
    uint32_t line = 0;
    char text[512] = "";

    assert_non_null(file);
    while (strstr(text, words) == NULL) {
        assert_non_null(fgets(text, sizeof(text), file));
        line++;
    }
    fclose(file);
    free(path);
    free(relative);
    return line;
}

static void expect(struct world *world, const struct symbol *symbol, enum frame_kind kind,
                   const char *name, const char *file, uint32_t line)
{
    const char *slash = strrchr(symbol->file, '/');

    assert_int_equal(symbol->kind, kind);
    assert_string_equal(symbols_name(world->symbols, symbol), name);
    assert_non_null(slash);
    assert_int_equal(symbol->file[0], '/');
    assert_string_equal(slash + 1, file);
    assert_int_equal(symbol->line, line);
}

/* The chain at at_innermost of PROGRAM, which was built from calls.c. */
static void expect_calls(struct world *world, const char *program, const char *unstripped)
{
    struct frame frame =
        world_frame_like(world, world_module(world, program, O_RDONLY), unstripped, "at_innermost");
    struct symbol chain[8], fast;

    assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 3);
    expect(world, &chain[0], FRAME_INLINE, "innermost", "calls.c",
           line_with("calls.c", "the point"));
    expect(world, &chain[1], FRAME_INLINE, "middle", "calls.c",
           line_with("calls.c", "middle calls"));
    expect(world, &chain[2], FRAME_NATIVE, "outer", "calls.c", line_with("calls.c", "outer calls"));
    assert_int_equal(chain[2].first_line, line_with("calls.c", "outer begins"));
    symbols_fast(world->symbols, &frame, &fast);
    assert_ptr_equal(chain[2].raw_name, fast.raw_name);
    assert_int_equal(chain[2].address, fast.address);
    /* Cut at the inner end: the real function is always there. */
    assert_int_equal(symbols_full(world->symbols, &frame, chain, 2), 2);
    assert_string_equal(symbols_name(world->symbols, &chain[0]), "middle");
    assert_string_equal(symbols_name(world->symbols, &chain[1]), "outer");
}

static void build(const struct world *world, const char *tool, const char *command)
{
    if (!world_has(tool))
        skip_because(tool);
    assert_true(world_run(world, command));
}

static void dwarf_4_and_5_and_compressed(void **state)
{
    static const char *const ways[] = { "-gdwarf-4", "-gdwarf-5", "-g -gz=zlib",
                                        "-g -static -pie -fPIE", "-g -no-pie" };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char *command = xasprintf("cc %s -O2 -o program%zu \"$CALLS\"", ways[i], i), name[16];

        build(world, "cc", command);
        snprintf(name, sizeof(name), "program%zu", i);
        expect_calls(world, name, name);
        free(command);
    }
}

static void another_compiler_without_address_table(void **state)
{
    build(*state, "clang", "clang -g -O2 -o program \"$CALLS\"");
    expect_calls(*state, "program", "program");
}

static void split_into_dwo_files(void **state)
{
    struct world *world = *state;

    build(world, "cc",
          "cc -gsplit-dwarf -gdwarf-5 -O2 -c -o five.o \"$CALLS\" && cc -o five five.o");
    expect_calls(world, "five", "five");
    build(world, "cc",
          "cc -gsplit-dwarf -gdwarf-4 -O2 -c -o four.o \"$CALLS\" && cc -o four four.o");
    expect_calls(world, "four", "four");
}

static void a_missing_dwo_file_leaves_the_line(void **state)
{
    static const char *const ways[] = { "rm $O.dwo", "rm $O.dwo && mkfifo $O.dwo",
                                        "head -c 200 $O.dwo >cut && mv cut $O.dwo" };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct symbol chain[8];
        struct frame frame;
        char *command =
            xasprintf("O=part%zu && cc -gsplit-dwarf -gdwarf-5 -O2 -c -o $O.o \"$CALLS\""
                      " && cc -o program%zu $O.o && %s",
                      i, i, ways[i]);
        char name[16];

        build(world, "cc", command);
        snprintf(name, sizeof(name), "program%zu", i);
        frame = world_frame(world, world_module(world, name, O_RDONLY), "at_innermost");
        assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 1);
        expect(world, &chain[0], FRAME_NATIVE, "outer", "calls.c",
               line_with("calls.c", "the point"));
        free(command);
    }
}

static void in_a_separate_file(void **state)
{
    build(*state, "objcopy",
          "cc -g -O2 -o plain \"$CALLS\" && objcopy --only-keep-debug plain plain.debug"
          " && strip -o stripped plain && objcopy --add-gnu-debuglink=plain.debug stripped");
    expect_calls(*state, "stripped", "plain");
}

/* dwz wants two files to share from, and names the shared one by its absolute path. */
#define SHARED                                                                                     \
    "cc -g -O2 -o plain \"$CALLS\" && cc -g -O1 -o other \"$CALLS\""                               \
    " && dwz -m \"$PWD/common.debug\" -M \"$PWD/common.debug\" plain other"

static void partly_in_a_shared_file(void **state)
{
    build(*state, "dwz", SHARED " && readelf -SW plain | grep -q debugaltlink");
    expect_calls(*state, "plain", "plain");
}

/* As most run dwz, whatever folder we are in; the debug file is found by a link from elsewhere. */
static void a_shared_file_is_looked_for_beside_the_file(void **state)
{
    build(
        *state, "dwz",
        "mkdir .debug && cc -g -O2 -o plain \"$CALLS\" && cc -g -O1 -o other \"$CALLS\""
        " && dwz -m common.debug plain other && strip -o stripped plain && mv plain common.debug"
        " .debug && objcopy --add-gnu-debuglink=.debug/plain stripped && mkdir sub"
        " && mv .debug/common.debug sub && mv .debug/plain sub && ln -s ../sub/plain .debug/plain");
    expect_calls(*state, "stripped", "sub/plain");
}

static void a_missing_shared_file_is_told(void **state)
{
    struct world *world = *state;
    struct symbol chain[8];
    struct frame frame;

    build(world, "dwz", SHARED " && rm common.debug && mkfifo common.debug");
    frame = world_frame(world, world_module(world, "plain", O_RDONLY), "at_innermost");
    assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 1);
    assert_string_equal(symbols_name(world->symbols, &chain[0]), "outer");
    assert_string_equal(chain[0].file, "");
}

static void cpp_names_are_as_written(void **state)
{
    struct world *world = *state;
    struct symbol chain[8];
    struct frame frame;

    build(world, "c++", "c++ -g -O2 -o program \"$FIXTURES/calls.cc\"");
    frame = world_frame(world, world_module(world, "program", O_RDONLY), "at_innermost");
    assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 2);
    expect(world, &chain[0], FRAME_INLINE, "acme::Table<int>::innermost(int) const", "calls.cc",
           line_with("calls.cc", "the point"));
    expect(world, &chain[1], FRAME_NATIVE, "acme::Table<int>::outer(int) const", "calls.cc",
           line_with("calls.cc", "outer calls"));
    /* Made once, beside the raw one. */
    assert_memory_equal(chain[1].raw_name, "_ZN", 3);
    assert_ptr_equal(symbols_name(world->symbols, &chain[1]),
                     symbols_name(world->symbols, &chain[1]));
    assert_string_equal(chain[1].raw_name, "_ZNK4acme5TableIiE5outerEi");
}

/* gcc describes the body of a lambda inside the function that it is written in. */
static void code_within_a_function_that_is_only_inlined(void **state)
{
    struct world *world = *state;
    struct symbol chain[8];
    struct frame frame;

    build(world, "c++", "c++ -g -O2 -o program \"$FIXTURES/lambda.cc\"");
    frame = world_frame(world, world_module(world, "program", O_RDONLY), "at_innermost");
    assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 2);
    expect(world, &chain[0], FRAME_INLINE, "innermost(int)", "lambda.cc",
           line_with("lambda.cc", "the point"));
    expect(world, &chain[1], FRAME_NATIVE, "around(int)::{lambda(int)#1}::operator()(int) const",
           "lambda.cc", line_with("lambda.cc", "body calls"));
}

/* gcc has one name for all of them, and no place. */
static void inlined_lambdas_are_told_apart(void **state)
{
    static const char *const ways[] = { "-g", "-gdwarf-4 -gsplit-dwarf", "-g -flto" };
    static const char *const symbols[] = { "at_first", "at_other" };
    static const char *const lines[] = { "first begins", "other begins" };
    struct world *world = *state;

    for (size_t i = 0; i < 2 * sizeof(ways) / sizeof(ways[0]); i++) {
        uint32_t line = line_with("lambda.cc", lines[i % 2]);
        char *command =
            xasprintf("c++ %s -O2 -o program%zu \"$FIXTURES/lambda.cc\"", ways[i / 2], i);
        char *name = xasprintf("program%zu", i);
        char *wanted = xasprintf("{lambda at lambda.cc:%u:19}::operator()", line);
        struct symbol chain[8];
        struct frame frame;

        build(world, "c++", command);
        frame = world_frame(world, world_module(world, name, O_RDONLY), symbols[i % 2]);
        assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 2);
        assert_string_equal(symbols_name(world->symbols, &chain[0]), wanted);
        assert_int_equal(chain[0].first_line, line);
        assert_non_null(strstr(chain[0].first_file, "/lambda.cc"));
        assert_string_equal(symbols_name(world->symbols, &chain[1]), "main");
        free(command);
        free(name);
        free(wanted);
    }
}

static void rust_names_are_as_written(void **state)
{
    static const char *const schemes[] = { "legacy", "v0" };
    struct world *world = *state;

    for (size_t i = 0; i < 2; i++) {
        struct symbol chain[8];
        struct frame frame;
        char *command = xasprintf("rustc -g -O -C symbol-mangling-version=%s -Z unstable-options"
                                  " -o %s \"$FIXTURES/calls.rs\"",
                                  schemes[i], schemes[i]);

        if (!world_has("rustc"))
            skip_because("rustc");
        /* Nightly alone lets one choose the old scheme where the new one is the default. */
        setenv("RUSTC_BOOTSTRAP", "1", 1);
        build(world, "rustc", command);
        frame = world_frame(world, world_module(world, schemes[i], O_RDONLY), "at_innermost");
        assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 2);
        expect(world, &chain[0], FRAME_INLINE, "calls::acme::innermost", "calls.rs",
               line_with("calls.rs", "the point"));
        expect(world, &chain[1], FRAME_NATIVE, "calls::acme::outer", "calls.rs",
               line_with("calls.rs", "outer calls"));
        free(command);
    }
}

/* Bytes of the debug sections turned over, one at a time, at places chosen at random. */
static void damaged_dwarf_does_no_harm(void **state)
{
    enum { rounds = 300 };
    struct world *world = *state;
    struct frame place;
    unsigned seed = 4;
    char *bytes = xmalloc(1 << 20), *path = xasprintf("%s/program", world->folder);
    size_t size;
    FILE *file;

    build(world, "cc", "cc -g -O2 -o program \"$CALLS\"");
    place = world_frame(world, world_module(world, "program", O_RDONLY), "at_innermost");
    file = fopen(path, "r");
    size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    free(path);
    for (int round = 0; round < rounds; round++) {
        struct symbol chain[8];
        struct frame frame = place;
        /* The debug sections are behind everything that is loaded. */
        size_t at = size / 2 + (size_t)rand_r(&seed) % (size / 2);
        char saved = bytes[at], name[32];

        bytes[at] = (char)rand_r(&seed);
        snprintf(name, sizeof(name), "damaged%d", round);
        path = xasprintf("%s/%s", world->folder, name);
        file = fopen(path, "w");
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        fclose(file);
        frame.module = world_module(world, name, O_RDONLY);
        assert_true(symbols_full(world->symbols, &frame, chain, 8) >= 1);
        assert_int_equal(unlink(path), 0);
        free(path);
        bytes[at] = saved;
    }
    free(bytes);
}

/* Writes PATH anew, shorter and whole by turns, until it is killed. */
static pid_t start_writer(const char *path)
{
    size_t size;
    char *bytes = xmalloc(1 << 20);
    FILE *file = fopen(path, "r");
    pid_t pid;
    int fd;

    assert_non_null(file);
    size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        fd = open(path, O_RDWR | O_CLOEXEC);
        for (size_t keep = 0;; keep = (keep + 4099) % size) {
            if (ftruncate(fd, (off_t)keep) != 0 || pwrite(fd, bytes, size, 0) < 0)
                _exit(1);
        }
    }
    free(bytes);
    return pid;
}

static void a_file_that_changes_while_read_does_no_harm(void **state)
{
    enum { rounds = 100 };
    struct world *world = *state;
    struct frame frame;
    char *path = xasprintf("%s/changing", world->folder);
    pid_t writer;

    build(world, "cc", "cc -g -O2 -o program \"$CALLS\" && cp program changing");
    writer = start_writer(path);
    for (int round = 0; round < rounds; round++) {
        module_id module = world_module(world, "changing", O_RDONLY);
        struct symbol chain[8];

        frame = world_frame_like(world, module, "program", "at_innermost");
        symbols_fast(world->symbols, &frame, chain);
        assert_non_null(symbols_name(world->symbols, &chain[0]));
        assert_true(symbols_full(world->symbols, &frame, chain, 8) >= 1);
        /* What was read of the file is forgotten with all that was made of it. */
        world_renew(world);
    }
    assert_int_equal(waitpid(writer, NULL, WNOHANG), 0); /* it went on all the while */
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    free(path);
}

#define each(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(dwarf_4_and_5_and_compressed),
        each(another_compiler_without_address_table),
        each(split_into_dwo_files),
        each(a_missing_dwo_file_leaves_the_line),
        each(in_a_separate_file),
        each(partly_in_a_shared_file),
        each(a_shared_file_is_looked_for_beside_the_file),
        each(a_missing_shared_file_is_told),
        each(cpp_names_are_as_written),
        each(code_within_a_function_that_is_only_inlined),
        each(inlined_lambdas_are_told_apart),
        each(rust_names_are_as_written),
        each(damaged_dwarf_does_no_harm),
        each(a_file_that_changes_while_read_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
