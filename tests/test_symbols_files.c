/* SPDX-License-Identifier: MIT */
/* Names from every place that debug information can be in: programs built here, then taken apart.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"
#include "tests/harness/testing.h"
#include "tests/symbols_fixture.h"

#define PLAIN "cc -g -O2 -o plain \"$CALLS\""
#define STRIPPED PLAIN " && strip -o stripped plain"
#define LINKED                                                                                     \
    PLAIN " && objcopy --only-keep-debug plain plain.debug"                                        \
          " && strip -o stripped plain && objcopy --add-gnu-debuglink=plain.debug stripped"

static void build(const struct world *world, const char *command)
{
    if (!world_has("cc") || !world_has("objcopy"))
        skip_because("no compiler");
    assert_true(world_run(world, command));
}

/* outer() in the file NAME, located with the help of the unstripped "plain". */
static const char *name_of_outer(struct world *world, const char *name)
{
    struct frame frame =
        world_frame_like(world, world_module(world, name, O_RDONLY), "plain", "at_innermost");
    struct symbol symbol;

    symbols_fast(world->symbols, &frame, &symbol);
    return symbols_name(world->symbols, &symbol);
}

static const char *trouble_of(struct world *world, const char *name)
{
    return symbols_trouble(world->symbols, world_module(world, name, O_RDONLY));
}

static void a_stripped_program_says_so(void **state)
{
    struct world *world = *state;

    build(world, STRIPPED);
    assert_non_null(strstr(name_of_outer(world, "stripped"), "stripped+0x"));
    assert_string_equal(trouble_of(world, "stripped"),
                        "stripped, and no separate debug file was found");
}

/* All of a nameless function is called by where it begins. */
static void the_parts_of_a_nameless_function_come_together(void **state)
{
    struct world *world = *state;
    struct frame frame, inside;
    struct symbol symbol;
    char wanted[64];

    build(world, "cc -g -O2 -fno-inline -o plain \"$CALLS\" && strip -o stripped plain");
    frame = world_frame_like(world, world_module(world, "stripped", O_RDONLY), "plain", "outer");
    inside = frame;
    inside.address += 3;
    snprintf(wanted, sizeof(wanted), "stripped+0x%llx", (unsigned long long)frame.address);
    symbols_fast(world->symbols, &inside, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), wanted);
    assert_int_equal(symbol.address, frame.address);
    assert_false(symbol.known);
}

static void a_debug_link_beside_the_file_is_followed(void **state)
{
    struct world *world = *state;

    build(world, LINKED);
    assert_string_equal(name_of_outer(world, "stripped"), "outer");
    assert_null(trouble_of(world, "stripped"));
}

/* The path of a process in a chroot is not ours. */
static void a_debug_link_is_followed_from_where_the_file_is(void **state)
{
    struct world *world = *state;
    struct module module = { .kind = MODULE_FILE, .path = "/app/stripped", .name = "stripped" };
    char *path = xasprintf("%s/stripped", world->folder);
    struct symbol chain[8];
    struct frame frame;

    build(world, LINKED " && mkdir .debug && mv plain.debug .debug");
    module.fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    frame =
        world_frame_like(world, modules_add(world->modules, &module)->id, "plain", "at_innermost");
    symbols_fast(world->symbols, &frame, chain);
    assert_string_equal(symbols_name(world->symbols, &chain[0]), "outer");
    assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 3);
}

static void a_debug_link_without_build_ids_is_checked_by_crc(void **state)
{
    struct world *world = *state;

    build(world, "cc -g -O2 -Wl,--build-id=none -o plain \"$CALLS\""
                 " && objcopy --only-keep-debug plain plain.debug && strip -o stripped plain"
                 " && objcopy --add-gnu-debuglink=plain.debug stripped"
                 " && cp stripped other && mkdir .debug && mv plain.debug .debug/");
    assert_string_equal(name_of_outer(world, "stripped"), "outer");
    assert_true(world_run(world, "printf x >>.debug/plain.debug"));
    assert_non_null(strstr(name_of_outer(world, "other"), "other+0x"));
    assert_string_equal(trouble_of(world, "other"),
                        "stripped, and its separate debug file is of another build");
}

#define BY_BUILD_ID                                                                                \
    LINKED " && id=$(readelf -n plain | sed -n 's/.*Build ID: //p')"                               \
           " && folder=debug/.build-id/$(echo $id | cut -c1-2) && mkdir -p $folder"                \
           " && mv plain.debug $folder/$(echo $id | cut -c3-).debug"

static void a_debug_file_is_found_by_build_id(void **state)
{
    struct world *world = *state;

    build(world, BY_BUILD_ID);
    assert_string_equal(name_of_outer(world, "stripped"), "outer");
}

/* Of a process in another mount namespace all is below its own root. */
static void debug_files_are_found_below_the_root_of_the_process(void **state)
{
    static const char *const commands[] = {
        LINKED " && mkdir -p root/app/.debug && mv plain.debug root/app/.debug",
        BY_BUILD_ID " && mkdir -p root\"$PWD\" && mv debug root\"$PWD\"",
    };
    struct world *world = *state;
    char *path = xasprintf("%s/stripped", world->folder);
    char *root = xasprintf("%s/root", world->folder);
    struct symbol chain[8];

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        struct module module = { .kind = MODULE_FILE, .path = "/app/stripped", .inode = i };
        struct frame frame;

        build(world, commands[i]);
        module.name = "stripped";
        module.fd = open(path, O_RDONLY | O_CLOEXEC);
        module.root = open(root, O_PATH | O_CLOEXEC);
        frame = world_frame_like(world, modules_add(world->modules, &module)->id, "plain",
                                 "at_innermost");
        symbols_fast(world->symbols, &frame, chain);
        assert_string_equal(symbols_name(world->symbols, &chain[0]), "outer");
        assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 3);
        assert_true(world_run(world, "rm -rf root"));
    }
    free(root);
    free(path);
}

/* As when a session is looked at elsewhere. */
static void a_file_that_is_not_here_is_named_by_its_build_id(void **state)
{
    struct world *world = *state;
    struct segment segments[SEGMENTS_MAX];
    struct symbol chain[8];
    struct module module;
    struct frame frame;

    build(world, BY_BUILD_ID);
    frame =
        world_frame_like(world, world_module(world, "stripped", O_RDONLY), "plain", "at_innermost");
    assert_true(symbols_describe(world->symbols, frame.module, &module, segments));
    assert_string_equal(module.path, "");
    assert_true(world_run(world, "rm stripped plain"));
    frame.module = modules_add(world->modules, &module)->id;
    assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 3);
    assert_string_equal(symbols_name(world->symbols, &chain[0]), "innermost");
    assert_string_equal(symbols_name(world->symbols, &chain[2]), "outer");
    assert_int_not_equal(chain[2].line, 0);
    symbols_fast(world->symbols, &frame, chain);
    assert_string_equal(symbols_name(world->symbols, &chain[0]), "outer");
    assert_null(symbols_trouble(world->symbols, frame.module));
    /* With a build id that nobody knows it has no names, and says so. */
    module.build_id[0] ^= 1;
    frame.module = modules_add(world->modules, &module)->id;
    symbols_fast(world->symbols, &frame, chain);
    assert_false(chain[0].known);
    assert_non_null(strstr(symbols_name(world->symbols, &chain[0]), "stripped+0x"));
    assert_string_equal(symbols_trouble(world->symbols, frame.module),
                        "stripped, and no separate debug file was found");
}

static void a_debug_file_of_another_build_is_refused(void **state)
{
    struct world *world = *state;
    struct symbols_counts counts;

    build(world, LINKED " && cc -g -O0 -o plain2 \"$CALLS\""
                        " && objcopy --only-keep-debug plain2 plain.debug");
    assert_non_null(strstr(name_of_outer(world, "stripped"), "stripped+0x"));
    assert_string_equal(trouble_of(world, "stripped"),
                        "stripped, and its separate debug file is of another build");
    symbols_counts(world->symbols, &counts);
    assert_int_equal(counts.mismatched, 1);
}

static void a_fifo_as_debug_file_is_not_waited_for(void **state)
{
    struct world *world = *state;

    build(world, LINKED " && rm plain.debug && mkfifo plain.debug");
    assert_non_null(strstr(name_of_outer(world, "stripped"), "stripped+0x"));
}

#define PACKED                                                                                     \
    PLAIN " && nm -D plain --format=posix --defined-only | cut -d' ' -f1 | sort >dynamic"          \
          " && nm plain --format=posix --defined-only | grep ' [Tt] ' | cut -d' ' -f1 | sort"      \
          " | comm -13 dynamic - >keep"                                                            \
          " && objcopy --only-keep-debug plain mini"                                               \
          " && objcopy -S --remove-section .gdb_index --remove-section .comment"                   \
          " --keep-symbols=keep mini mini.o && xz -k mini.o"                                       \
          " && strip -o stripped plain && objcopy --add-section .gnu_debugdata=mini.o.xz stripped"

static void packed_names_are_read(void **state)
{
    struct world *world = *state;

    if (!world_has("xz"))
        skip_because("no xz");
    build(world, PACKED);
    assert_string_equal(name_of_outer(world, "stripped"), "outer");
    assert_null(trouble_of(world, "stripped"));
}

static void damaged_packed_names_do_no_harm(void **state)
{
    struct world *world = *state;

    if (!world_has("xz"))
        skip_because("no xz");
    build(world, PACKED " && head -c 100 mini.o.xz >cut && strip -o cutfile plain"
                        " && objcopy --add-section .gnu_debugdata=cut cutfile"
                        " && head -c 600 /dev/zero | xz >zero && strip -o zerofile plain"
                        " && objcopy --add-section .gnu_debugdata=zero zerofile");
    assert_non_null(strstr(name_of_outer(world, "cutfile"), "cutfile+0x"));
    assert_non_null(strstr(name_of_outer(world, "zerofile"), "zerofile+0x"));
}

/* The PLT entry that the call of puts() goes through, found by asking for every address there is.
 */
static void plt_entries_have_the_name_of_what_they_call(void **state)
{
    static const char *const ways[] = { "", "-fcf-protection=none", "-Wl,-z,now", "-no-pie" };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct frame frame = { .kind = FRAME_NATIVE };
        struct symbol symbol = { .given_name = "" };
        char command[256];

        snprintf(command, sizeof(command), "cc -g -O2 %s -o plain%zu \"$CALLS\"", ways[i], i);
        build(world, command);
        snprintf(command, sizeof(command), "plain%zu", i);
        frame.module = world_module(world, command, O_RDONLY);
        for (; frame.address < 0x4000 &&
               strcmp(symbols_name(world->symbols, &symbol), "puts@plt") != 0;
             frame.address++)
            symbols_fast(world->symbols, &frame, &symbol);
        assert_string_equal(symbols_name(world->symbols, &symbol), "puts@plt");
    }
}

/* What an indirect function chooses is called through an entry, even in a static program. */
static void chosen_functions_have_plt_entries(void **state)
{
    static const char *const ways[] = { "-O2 -static", "-O2",
                                        "-O2 -static && strip -o plain2 program2"
                                        " && objcopy --only-keep-debug program2 plain.debug"
                                        " && objcopy --add-gnu-debuglink=plain.debug plain2"
                                        " && mv plain2 program2" };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct frame frame = { .kind = FRAME_NATIVE };
        struct symbol symbol = { .given_name = "" };
        char *command = xasprintf("cc -o program%zu \"$FIXTURES/chosen.c\" %s", i, ways[i]);
        char name[16];

        build(world, command);
        free(command);
        snprintf(name, sizeof(name), "program%zu", i);
        frame.module = world_module(world, name, O_RDONLY);
        for (; frame.address < 0x4000 &&
               strcmp(symbols_name(world->symbols, &symbol), "fastest@plt") != 0;
             frame.address++)
            symbols_fast(world->symbols, &frame, &symbol);
        assert_string_equal(symbols_name(world->symbols, &symbol), "fastest@plt");
        /* All of it: its neighbours are of others. */
        assert_int_equal(symbol.address, frame.address - 1);
    }
}

static void static_programs_are_named(void **state)
{
    static const char *const ways[] = { "-static", "-static-pie" };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char command[256];

        snprintf(command, sizeof(command), "cc -g -O2 %s -o plain \"$CALLS\" && cp plain copy%zu",
                 ways[i], i);
        build(world, command);
        snprintf(command, sizeof(command), "copy%zu", i);
        assert_string_equal(name_of_outer(world, command), "outer");
    }
}

static void a_replaced_binary_keeps_its_names(void **state)
{
    struct world *world = *state;
    struct frame frame;
    struct symbol symbol;

    build(world, PLAIN);
    frame = world_frame(world, world_module(world, "plain", O_RDONLY), "at_innermost");
    assert_true(world_run(world, "rm plain && echo another >plain"));
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "outer");
}

static void the_build_id_is_read_from_the_file(void **state)
{
    struct world *world = *state;
    uint8_t id[BUILD_ID_MAX];
    static const uint8_t wanted[] = { 0xca, 0xfe, 0x01 };

    build(world, "cc -g -O2 -Wl,--build-id=0xcafe01 -o plain \"$CALLS\"");
    assert_int_equal(symbols_build_id(world->symbols, world_module(world, "plain", O_RDONLY), id),
                     3);
    assert_memory_equal(id, wanted, 3);
}

#define each(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(a_stripped_program_says_so),
        each(the_parts_of_a_nameless_function_come_together),
        each(a_debug_link_beside_the_file_is_followed),
        each(a_debug_link_is_followed_from_where_the_file_is),
        each(a_debug_link_without_build_ids_is_checked_by_crc),
        each(a_debug_file_is_found_by_build_id),
        each(debug_files_are_found_below_the_root_of_the_process),
        each(a_file_that_is_not_here_is_named_by_its_build_id),
        each(a_debug_file_of_another_build_is_refused),
        each(a_fifo_as_debug_file_is_not_waited_for),
        each(packed_names_are_read),
        each(damaged_packed_names_do_no_harm),
        each(plt_entries_have_the_name_of_what_they_call),
        each(chosen_functions_have_plt_entries),
        each(static_programs_are_named),
        each(a_replaced_binary_keeps_its_names),
        each(the_build_id_is_read_from_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
