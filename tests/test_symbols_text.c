/* SPDX-License-Identifier: MIT */
/* What the Source view shows: lines of source files and instructions. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/assembly.h"
#include "proftop/memory.h"
#include "proftop/source_text.h"
#include "tests/harness/testing.h"
#include "tests/symbols_fixture.h"

static struct source_text *read_file(const struct world *world, const char *name,
                                     const struct module *module, struct error *error)
{
    char *path = xasprintf("%s/%s", world->folder, name);
    struct source_text *text = source_text_read(path, module, error);

    free(path);
    return text;
}

static void lines_are_counted_from_one(void **state)
{
    struct world *world = *state;
    struct source_text *text;

    assert_true(world_run(world, "printf 'one\\n\\nthree\\r\\nfour' >a.c"));
    text = read_file(world, "a.c", NULL, NULL);
    assert_non_null(text);
    assert_int_equal(text->count, 4);
    assert_string_equal(text->lines[0], "one");
    assert_string_equal(text->lines[1], "");
    assert_string_equal(text->lines[2], "three");
    assert_string_equal(text->lines[3], "four");
    source_text_free(text);
    assert_true(world_run(world, ": >empty.c"));
    text = read_file(world, "empty.c", NULL, NULL);
    assert_int_equal(text->count, 0);
    source_text_free(text);
}

static void a_source_newer_than_its_program_is_told(void **state)
{
    struct world *world = *state;
    struct module module = { .mtime_ns = UINT64_C(1000000000) * 1000000000 };
    struct source_text *text;

    assert_true(world_run(world, "echo x >old.c && touch -d @999999999 old.c &&"
                                 " echo x >new.c && touch -d @1000000001 new.c"));
    text = read_file(world, "old.c", &module, NULL);
    assert_false(text->newer);
    source_text_free(text);
    text = read_file(world, "new.c", &module, NULL);
    assert_true(text->newer);
    source_text_free(text);
}

static void what_is_no_source_file_is_refused(void **state)
{
    struct world *world = *state;
    struct error error;

    assert_true(world_run(world, "mkfifo fifo && truncate -s 1G sparse"));
    assert_null(read_file(world, "fifo", NULL, &error));
    assert_non_null(strstr(error.message, "not a regular file"));
    assert_null(read_file(world, "sparse", NULL, &error));
    assert_non_null(strstr(error.message, "too large"));
    assert_null(read_file(world, "nothing", NULL, &error));
    assert_int_equal(error.code, STATUS_MISSING);
    assert_null(source_text_read("relative.c", NULL, &error));
    assert_null(source_text_read("/dev/zero", NULL, &error));
}

static void instructions_have_lines_and_names(void **state)
{
#ifdef HAVE_CAPSTONE
    struct world *world = *state;
    struct assembly *assembly;
    struct frame frame;
    bool nop = false, call = false;
    uint64_t next;

    assert_true(world_run(world, "cc -g -O2 -o plain \"$CALLS\""));
    frame = world_frame(world, world_module(world, "plain", O_RDONLY), "at_innermost");
    assembly = assembly_read(world->symbols, &frame, NULL);
    assert_non_null(assembly);
    assert_true(assembly->count >= 3);
    next = assembly->instructions[0].address;
    for (uint32_t i = 0; i < assembly->count; i++) {
        const struct instruction *instruction = &assembly->instructions[i];

        /* Without a gap from the first to the last. */
        assert_int_equal(instruction->address, next);
        next += instruction->size;
        if (instruction->address == frame.address) {
            nop = strncmp(instruction->text, "nop", 3) == 0;
            assert_non_null(strstr(instruction->file, "calls.c"));
            assert_true(instruction->line > 0);
        }
    }
    assert_true(nop);
    assembly_free(assembly);

    frame = world_frame(world, frame.module, "main");
    assembly = assembly_read(world->symbols, &frame, NULL);
    assert_non_null(assembly);
    for (uint32_t i = 0; i < assembly->count; i++)
        call |= strstr(assembly->instructions[i].text, "puts@plt") != NULL;
    assert_true(call);
    assembly_free(assembly);
#else
    (void)state;
    skip_because("built without capstone");
#endif
}

static void code_outside_functions_has_no_assembly(void **state)
{
    struct world *world = *state;
    struct frame frame = { .kind = FRAME_NATIVE, .address = 0x10 };
    struct frame python = { .kind = FRAME_PYTHON };
    struct error error;

    assert_true(world_run(world, "cc -g -O2 -o plain \"$CALLS\""));
    frame.module = world_module(world, "plain", O_RDONLY);
    assert_null(assembly_read(world->symbols, &frame, &error));
    assert_non_null(strstr(error.message, "no function is known there"));
    assert_null(assembly_read(world->symbols, &python, &error));
    assert_non_null(strstr(error.message, "only native code"));
}

#define each(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(lines_are_counted_from_one),
        each(a_source_newer_than_its_program_is_told),
        each(what_is_no_source_file_is_refused),
        each(instructions_have_lines_and_names),
        each(code_outside_functions_has_no_assembly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
