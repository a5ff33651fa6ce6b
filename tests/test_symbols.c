/* SPDX-License-Identifier: MIT */
/* Names of real addresses: of this very program, the C library and the vdso. */
#include "config.h"

#include "proftop/symbols.h"

#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/maps.h"
#include "tests/harness/testing.h"
#include "tests/symbols_fixture.h"

extern const char __executable_start[], etext[]; /* by the linker: this program's code */

enum { ASKED = 512 };

/* The frame of CODE, an address in this process. */
static struct frame frame_here(struct world *world, const void *code)
{
    uint64_t address = (uint64_t)(uintptr_t)code;
    struct maps *maps = maps_read("/proc", getpid(), 1, world->modules, NULL);
    const struct mapping *mapping = maps_find(maps, address);
    struct frame frame = { .kind = FRAME_NATIVE };

    assert_non_null(mapping);
    frame.module = mapping->module->id;
    frame.address = address - mapping->start + mapping->offset;
    maps_unref(maps);
    return frame;
}

static void a_static_function_of_this_program_is_named(void **state)
{
    struct world *world = *state;
    struct frame frame = frame_here(world, (const char *)(uintptr_t)frame_here + 1);
    struct symbol symbol;

    symbols_fast(world->symbols, &frame, &symbol);
    assert_true(symbol.known);
    assert_string_equal(symbols_name(world->symbols, &symbol), "frame_here");
    assert_ptr_equal(symbol.raw_name, symbols_name(world->symbols, &symbol));
    assert_string_equal(symbol.module, "test_symbols");
    assert_int_equal(symbol.address, frame.address - 1);
    assert_null(symbols_trouble(world->symbols, frame.module));
    assert_true(symbols_full(world->symbols, &frame, &symbol, 1) == 1);
    assert_string_equal(symbols_name(world->symbols, &symbol), "frame_here");
}

static void an_exported_function_of_a_stripped_library_is_named(void **state)
{
    struct world *world = *state;
    struct frame frame = frame_here(world, (const void *)(uintptr_t)getenv);
    struct symbol symbol;

    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "getenv");
}

static void code_outside_every_symbol_is_module_plus_offset(void **state)
{
    struct world *world = *state;
    struct frame frame = frame_here(world, (const void *)(uintptr_t)getenv);
    struct symbols_counts counts;
    struct symbol symbol;
    char wanted[64];

    frame.address = 0x10; /* in the file's header */
    symbols_fast(world->symbols, &frame, &symbol);
    assert_false(symbol.known);
    snprintf(wanted, sizeof(wanted), "%s+0x10", symbol.module);
    assert_string_equal(symbols_name(world->symbols, &symbol), wanted);
    symbols_counts(world->symbols, &counts);
    assert_int_equal(counts.unnamed, 1);
}

static void the_vdso_is_named(void **state)
{
    struct world *world = *state;
    const char *vdso = (const char *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
    struct frame frame = { .kind = FRAME_NATIVE };
    struct symbol symbol;
    bool found = false, alike = false;

    if (vdso == NULL)
        skip_because("no vdso");
    frame.module = frame_here(world, vdso + 0x100).module;
    /* Where exactly its functions lie is the kernel's business. */
    for (frame.address = 0; frame.address < 8192; frame.address++) {
        symbols_fast(world->symbols, &frame, &symbol);
        found |=
            symbol.known && strstr(symbols_name(world->symbols, &symbol), "clock_gettime") != NULL;
        alike |= strcmp(symbols_name(world->symbols, &symbol), "clock_gettime") == 0;
    }
    assert_true(found);
    /* The C library's function of that name, which calls it, is another. */
    assert_false(alike);
}

static void python_and_mark_frames_speak_for_themselves(void **state)
{
    struct world *world = *state;
    struct code code = { .name = "Tree.insert", .file = "/srv/tree.py", .first_line = 10 };
    struct frame python = { .kind = FRAME_PYTHON, .address = 14 };
    struct frame broken = { .kind = FRAME_MARK, .module = MARK_BROKEN, .address = STACK_NO_ROWS };
    struct symbol symbol;

    python.module = codes_add(world->codes, &code);
    symbols_fast(world->symbols, &python, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "Tree.insert");
    assert_string_equal(symbol.file, "/srv/tree.py");
    assert_int_equal(symbol.line, 14);
    assert_int_equal(symbol.first_line, 10);
    symbols_fast(world->symbols, &broken, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "[no unwind information]");
}

/* Some address in the file at PATH. */
static struct frame frame_of(struct world *world, const char *path, int flags)
{
    struct frame frame = { .kind = FRAME_NATIVE, .address = 0x1000 };

    frame.module = world_module(world, path, flags);
    return frame;
}

static void odd_files_give_a_reason_and_no_name(void **state)
{
    struct world *world = *state;
    struct symbol symbol;
    struct frame frame;
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/fifo", world->folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    frame = frame_of(world, path, O_RDONLY | O_NONBLOCK);
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "fifo+0x1000");
    assert_string_equal(symbols_trouble(world->symbols, frame.module), "not a regular file");

    frame = frame_of(world, "/dev/zero", O_RDONLY);
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_trouble(world->symbols, frame.module), "not a regular file");

    snprintf(path, sizeof(path), "%s/text", world->folder);
    file = fopen(path, "w");
    fputs("not an ELF file, though long enough to hold the header of one, and then some more.",
          file);
    fclose(file);
    frame = frame_of(world, path, O_RDONLY);
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_trouble(world->symbols, frame.module), "not an ELF file");

    frame = frame_of(world, "/no/such/file", O_RDONLY);
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_trouble(world->symbols, frame.module), "the file is gone");
}

/* Every prefix of a real file: nothing may crash, and no name may be wrong. */
static void a_truncated_file_does_no_harm(void **state)
{
    struct world *world = *state;
    char *self = testing_built("tests/victims/chain");
    char path[256], *bytes;
    FILE *file = fopen(self, "r");
    size_t size;

    assert_non_null(file);
    bytes = malloc(1 << 20);
    size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    for (size_t keep = 0; keep < size; keep += size / 50 + 1) {
        struct symbol symbol;
        struct frame frame;

        snprintf(path, sizeof(path), "%s/cut%zu", world->folder, keep);
        file = fopen(path, "w");
        fwrite(bytes, 1, keep, file);
        fclose(file);
        frame = frame_of(world, path, O_RDONLY);
        symbols_fast(world->symbols, &frame, &symbol);
        assert_non_null(symbols_name(world->symbols, &symbol));
    }
    free(bytes);
    free(self);
}

static void another_build_at_the_same_path_is_told(void **state)
{
    struct world *world = *state;
    struct module module = { .kind = MODULE_FILE, .name = "libc.so.6", .fd = -1 };
    struct frame frame = frame_here(world, (const void *)(uintptr_t)getenv);
    struct symbol symbol;
    char text[256];

    /* As a saved session knows it: no descriptor, another build id. */
    module.path = modules_get(world->modules, frame.module)->path;
    module.build_id_size = 20;
    frame.module = modules_add(world->modules, &module)->id;
    symbols_fast(world->symbols, &frame, &symbol);
    assert_false(symbol.known);
    assert_string_equal(symbols_trouble(world->symbols, frame.module),
                        "the file on disk is another build than the one that runs");
    assert_true(symbols_warning(world->symbols, 0, text, sizeof(text)));
    assert_string_equal(text, "names of libc.so.6: the file on disk is another build than the one "
                              "that runs");
    symbols_fast(world->symbols, &frame, &symbol);
    assert_false(symbols_warning(world->symbols, 1, text, sizeof(text)));
}

struct asked {
    struct symbols *many, *alone; /* asked for at once, and one after the other */
    const struct frame *frames;
    size_t given[ASKED], count, limit;
};

/* The same as asking for this one alone. */
static bool expect_alone(void *context, size_t index, const struct symbol *chain, size_t count)
{
    struct asked *asked = context;
    struct symbol alone[SYMBOLS_CHAIN_MAX];

    assert_int_equal(count,
                     symbols_full(asked->alone, &asked->frames[index], alone, SYMBOLS_CHAIN_MAX));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(chain[i].kind, alone[i].kind);
        assert_string_equal(symbols_name(asked->many, &chain[i]),
                            symbols_name(asked->alone, &alone[i]));
        assert_string_equal(chain[i].module, alone[i].module);
        assert_string_equal(chain[i].file, alone[i].file);
        assert_int_equal(chain[i].line, alone[i].line);
    }
    asked->given[index]++;
    return ++asked->count < asked->limit;
}

/* All over this program, which has many units, and the C library; some in no module. */
static void many_are_named_as_each_alone(void **state)
{
    struct world *world = *state;
    struct symbols_config config = { .inlines = true, .debug_dirs = world->folder };
    struct frame frames[ASKED], here = frame_here(world, (const void *)(uintptr_t)frame_here);
    struct frame libc = frame_here(world, (const void *)(uintptr_t)getenv);
    struct asked asked = { .many = world->symbols, .frames = frames, .limit = SIZE_MAX };
    uint64_t random = 1;

    here.address += (uint64_t)(uintptr_t)etext - (uint64_t)(uintptr_t)frame_here; /* the end */
    asked.alone = symbols_new(&config, world->modules, world->codes);
    for (size_t i = 0; i < ASKED; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        frames[i] = i % 4 == 0 ? libc : here;
        /* Every other one close to the one before: both may be told at once. */
        if (i % 4 != 0 && i % 2 == 0)
            frames[i].address = frames[i - 1].address + 1;
        else if (i % 4 != 0)
            frames[i].address -= (random >> 33) % (uint64_t)(etext - __executable_start);
        if (i % 64 == 0)
            frames[i].address = UINT64_MAX - i;
    }
    symbols_many(world->symbols, frames, ASKED, expect_alone, &asked);
    for (size_t i = 0; i < ASKED; i++)
        assert_int_equal(asked.given[i], 1);
    asked.count = 0;
    asked.limit = 5;
    symbols_many(world->symbols, frames, ASKED, expect_alone, &asked);
    assert_int_equal(asked.count, 5);
    symbols_many(world->symbols, NULL, 0, expect_alone, &asked);
    assert_int_equal(asked.count, 5);
    symbols_free(asked.alone);
}

#define each(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(a_static_function_of_this_program_is_named),
        each(an_exported_function_of_a_stripped_library_is_named),
        each(code_outside_every_symbol_is_module_plus_offset),
        each(the_vdso_is_named),
        each(python_and_mark_frames_speak_for_themselves),
        each(odd_files_give_a_reason_and_no_name),
        each(a_truncated_file_does_no_harm),
        each(another_build_at_the_same_path_is_told),
        each(many_are_named_as_each_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
