/* SPDX-License-Identifier: MIT */
/* JIT code: the table of what is where, and what perf maps and jitdumps say. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "src/symbols/jit_table.h"
#include "src/symbols/jitdump.h"
#include "src/symbols/perf_map.h"
#include "tests/harness/testing.h"
#include "tests/symbols_fixture.h"

/* ---- the table ---- */

static void add(struct jit_table *table, uint64_t start, uint32_t size, const char *name)
{
    struct jit_code code = { .start = start, .size = size, .name = name };

    jit_table_add(table, &code);
}

static const char *at(struct jit_table *table, uint64_t address)
{
    const struct jit_code *code = jit_table_get(table, jit_table_find(table, address));

    return code != NULL ? code->name : "-";
}

static void what_was_said_last_holds(void **state)
{
    struct jit_table *table = jit_table_new();
    uint32_t first;

    (void)state;
    add(table, 100, 80, "fold");
    first = jit_table_find(table, 150);
    add(table, 200, 60, "parse");
    add(table, 100, 40, "fold2");
    assert_string_equal(at(table, 139), "fold2");
    assert_string_equal(at(table, 140), "fold");
    assert_string_equal(at(table, 179), "fold");
    assert_string_equal(at(table, 180), "-");
    assert_string_equal(at(table, 259), "parse");
    assert_string_equal(jit_table_get(table, first)->name, "fold");
    jit_table_move(table, 200, 1000);
    assert_string_equal(at(table, 1059), "parse");
    jit_table_move(table, 77, 2000);
    assert_string_equal(at(table, 2000), "-");
    jit_table_free(table);
}

static void it_agrees_with_a_plain_array(void **state)
{
    enum { space = 500, rounds = 100, steps = 60 };
    unsigned seed = 7;

    (void)state;
    for (int round = 0; round < rounds; round++) {
        struct jit_table *table = jit_table_new();
        uint32_t owner[space + 64];

        memset(owner, 0xff, sizeof(owner));
        for (uint32_t step = 0; step < steps; step++) {
            uint32_t start = (uint32_t)rand_r(&seed) % space;
            uint32_t size = 1 + (uint32_t)rand_r(&seed) % 60;

            add(table, start, size, "x");
            for (uint32_t i = 0; i < size; i++)
                owner[start + i] = step;
            /* Sometimes asked in between, so that batches have every size. */
            if (rand_r(&seed) % 4 != 0)
                continue;
            for (uint32_t i = 0; i < space + 64; i++)
                assert_int_equal(jit_table_find(table, i), owner[i]);
        }
        jit_table_free(table);
    }
}

/* ---- perf maps ---- */

static void lines_of_every_producer_are_read(void **state)
{
    struct jit_code code;

    (void)state;
    assert_true(perf_map_parse("7f0010 20 JS:*fold /a/b.js:1:2", &code));
    assert_int_equal(code.start, 0x7f0010);
    assert_int_equal(code.size, 0x20);
    assert_string_equal(code.name, "JS:*fold /a/b.js:1:2");
    assert_true(perf_map_parse("0x00007f12a4000000 0x28 void Foo.bar(int, long)", &code));
    assert_int_equal(code.start, 0x7f12a4000000);
    assert_string_equal(code.name, "void Foo.bar(int, long)");
}

static void lines_that_make_no_sense_are_left_out(void **state)
{
    static const char *const lines[] = { "",
                                         "x",
                                         "10",
                                         "10 20",
                                         "10 20 ",
                                         "10 0 empty",
                                         "-10 20 negative",
                                         "+10 20 signed",
                                         "10 -20 negative",
                                         "10 100000000 large",
                                         "ffffffffffffffff 20 wraps",
                                         "10g 20 no number",
                                         "10 20 JS:~interpreted /a.js:1:1" };
    struct jit_code code;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_false(perf_map_parse(lines[i], &code));
}

static void expect_name(const char *raw, const char *name, const char *wanted_file,
                        unsigned wanted_line)
{
    char text[JIT_NAME_MAX];
    const char *file;
    unsigned line;

    perf_map_name(raw, text, &file, &line);
    assert_string_equal(text, name);
    assert_string_equal(file, wanted_file);
    assert_int_equal(line, wanted_line);
}

static void names_of_known_form_are_taken_apart(void **state)
{
    (void)state;
    expect_name("JS:*fold /home/me/tree.js:12:3", "fold", "/home/me/tree.js", 12);
    expect_name("JS:^fold /home/me/tree.js:12:3", "fold", "/home/me/tree.js", 12);
    expect_name("LazyCompile:*fold /home/me/tree.js:12", "fold", "/home/me/tree.js", 12);
    expect_name("JS:* file:///a b.mjs:3:9", "file:///a b.mjs:3:9", "file:///a b.mjs", 3);
    expect_name("py::Tree.insert:/srv/tree.py", "Tree.insert", "/srv/tree.py", 0);
    expect_name("Builtin:ArrayMap", "Builtin:ArrayMap", "", 0);
    expect_name("JS:*", "JS:*", "", 0);
    expect_name("JS:*a b", "JS:*a b", "", 0);
    expect_name("JS:*a :1:2", "JS:*a :1:2", "", 0);
    expect_name("py::", "py::", "", 0);
    expect_name("", "", "", 0);
}

/* ---- jitdumps ---- */

struct bytes {
    uint8_t data[4096];
    size_t size;
};

static void put(struct bytes *bytes, const void *data, size_t size)
{
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static void put32(struct bytes *bytes, uint32_t value)
{
    put(bytes, &value, sizeof(value));
}

static void put64(struct bytes *bytes, uint64_t value)
{
    put(bytes, &value, sizeof(value));
}

static void put_header(struct bytes *bytes)
{
    put32(bytes, 0x4a695444);
    put32(bytes, 1);
    put32(bytes, 40);
    for (int i = 0; i < 3; i++)
        put32(bytes, 0);
    put64(bytes, 0);
    put64(bytes, 0);
}

static void put_load(struct bytes *bytes, uint64_t start, uint64_t size, const char *name)
{
    put32(bytes, 0);
    put32(bytes, (uint32_t)(56 + strlen(name) + 1));
    put64(bytes, 0);
    put64(bytes, 0); /* pid, tid */
    put64(bytes, start);
    put64(bytes, start);
    put64(bytes, size);
    put64(bytes, 0);
    put(bytes, name, strlen(name) + 1);
}

static void put_lines(struct bytes *bytes, uint64_t start)
{
    put32(bytes, 2);
    put32(bytes, 32 + 16 + 5 + 16 + 2);
    put64(bytes, 0);
    put64(bytes, start);
    put64(bytes, 2);
    put64(bytes, start);
    put32(bytes, 10);
    put32(bytes, 0);
    put(bytes, "a.js", 5);
    put64(bytes, start + 8);
    put32(bytes, 12);
    put32(bytes, 0);
    put(bytes, "\xff", 2);
}

static void put_move(struct bytes *bytes, uint64_t from, uint64_t to)
{
    put32(bytes, 1);
    put32(bytes, 64);
    put64(bytes, 0);
    put64(bytes, 0);
    put64(bytes, to);
    put64(bytes, from);
    put64(bytes, to);
    put64(bytes, 16);
    put64(bytes, 0);
}

static struct bytes sample_dump(void)
{
    struct bytes bytes = { .size = 0 };

    put_header(&bytes);
    put_lines(&bytes, 0x1000);
    put_load(&bytes, 0x1000, 0x20, "fold");
    put_load(&bytes, 0x2000, 0x10, "parse");
    put_move(&bytes, 0x2000, 0x3000);
    return bytes;
}

/* Read in two pieces cut anywhere: the same in the end. */
static void a_jitdump_is_followed_as_it_grows(void **state)
{
    struct bytes bytes = sample_dump();

    (void)state;
    for (size_t cut = 0; cut <= bytes.size; cut++) {
        FILE *file = tmpfile();
        struct jitdump dump = { .fd = fileno(file) };
        struct jit_table *table = jit_table_new();
        struct arena *texts = arena_new();
        const struct jit_code *code;

        assert_int_equal(write(dump.fd, bytes.data, cut), cut);
        jitdump_read(&dump, table, texts);
        assert_int_equal(write(dump.fd, bytes.data + cut, bytes.size - cut), bytes.size - cut);
        jitdump_read(&dump, table, texts);
        assert_false(dump.damaged);
        assert_string_equal(at(table, 0x1000), "fold");
        assert_string_equal(at(table, 0x3008), "parse");
        code = jit_table_get(table, jit_table_find(table, 0x1004));
        assert_int_equal(code->line_count, 2);
        assert_int_equal(code->lines[1].line, 12);
        assert_int_equal(code->lines[1].offset, 8);
        assert_string_equal(code->lines[1].file, "a.js");
        jit_table_free(table);
        arena_free(texts);
        fclose(file);
    }
}

static void a_damaged_jitdump_does_no_harm(void **state)
{
    enum { rounds = 2000 };
    unsigned seed = 3;

    (void)state;
    for (int round = 0; round < rounds; round++) {
        struct bytes bytes = sample_dump();
        FILE *file = tmpfile();
        struct jitdump dump = { .fd = fileno(file) };
        struct jit_table *table = jit_table_new();
        struct arena *texts = arena_new();

        bytes.data[(size_t)rand_r(&seed) % bytes.size] = (uint8_t)rand_r(&seed);
        assert_int_equal(write(dump.fd, bytes.data, bytes.size), bytes.size);
        jitdump_read(&dump, table, texts);
        assert_true(jit_table_count(table) <= 3);
        jit_table_free(table);
        arena_free(texts);
        fclose(file);
    }
}

/* ---- a process ---- */

enum { PID = 42, INNER = 7 };

/* A recorded /proc in the world's folder: a process that is 7 in its own namespace. */
static struct frame make_process(struct world *world, uint64_t address)
{
    struct module module = {
        .kind = MODULE_JIT, .path = "", .name = "[jit]", .fd = -1, .pid = PID, .generation = 1
    };
    struct frame frame = { .kind = FRAME_JIT, .address = address };

    assert_true(world_run(world, "mkdir -p proc/42/root/tmp &&"
                                 " printf 'Name:\\tx\\nNSpid:\\t42\\t7\\n' >proc/42/status"));
    frame.module = modules_add(world->modules, &module)->id;
    return frame;
}

/* World with PROC_ROOT in its folder. */
static int set_up(void **state)
{
    struct symbols_config config = { .inlines = true };
    struct world *world;
    char *root;

    world_set_up(state);
    world = *state;
    root = xasprintf("%s/proc", world->folder);
    config.proc_root = root;
    symbols_free(world->symbols);
    world->symbols = symbols_new(&config, world->modules, world->codes);
    free(root);
    return 0;
}

/* The name of FRAME, asked until it is WANTED: files are looked at now and then only. */
static void expect_in_the_end(struct world *world, const struct frame *frame, const char *wanted)
{
    struct symbol symbol;

    do
        symbols_fast(world->symbols, frame, &symbol);
    while (strcmp(symbols_name(world->symbols, &symbol), wanted) != 0);
}

static void a_perf_map_is_followed(void **state)
{
    struct world *world = *state;
    struct frame frame = make_process(world, 0x1010), settled = frame;
    struct symbol symbol;
    uint32_t version = symbols_version(world->symbols);

    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "[code without a name]");
    assert_string_equal(symbols_trouble(world->symbols, frame.module),
                        "the program writes no perf map");
    assert_true(world_run(world, "echo '1000 40 JS:*fold /a.js:3:1' >proc/42/root/tmp/perf-7.map"));
    do
        symbols_settle(world->symbols, &settled, 1);
    while (settled.address == frame.address);
    assert_int_not_equal(symbols_version(world->symbols), version);
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "fold");
    assert_string_equal(symbol.file, "/a.js");
    assert_null(symbols_trouble(world->symbols, frame.module));

    /* The address is used again: what was sampled before keeps its name. */
    assert_true(
        world_run(world, "echo '1000 40 JS:*parse /a.js:9:1' >>proc/42/root/tmp/perf-7.map"));
    frame.address = 0x1020;
    expect_in_the_end(world, &frame, "parse");
    symbols_fast(world->symbols, &settled, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "fold");
    assert_int_equal(symbol.address, 0x1000);
    symbols_settle(world->symbols, &settled, 1);
    symbols_fast(world->symbols, &settled, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "fold");
}

static void odd_perf_maps_are_refused(void **state)
{
    static const struct {
        const char *make, *trouble;
    } cases[] = {
        { "mkfifo $M", "not a regular file" },
        { "rm $M && mkdir $M", "not a regular file" },
        { "rmdir $M && echo '1000 40 x' >other && ln -s \"$PWD/other\" $M", "not a regular file" },
    };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *command = xasprintf("M=proc/42/root/tmp/perf-7.map && %s", cases[i].make);
        struct frame frame = make_process(world, 0x1010);
        struct symbol symbol;

        assert_true(world_run(world, command));
        /* Another process each time: this one would look again only later. */
        frame.module =
            modules_add(world->modules, &(struct module){ .kind = MODULE_JIT,
                                                          .path = "",
                                                          .name = "[jit]",
                                                          .fd = -1,
                                                          .pid = PID,
                                                          .generation = 10 + (uint32_t)i })
                ->id;
        symbols_fast(world->symbols, &frame, &symbol);
        assert_string_equal(symbols_name(world->symbols, &symbol), "[code without a name]");
        assert_string_equal(symbols_trouble(world->symbols, frame.module), cases[i].trouble);
        free(command);
    }
}

static void a_strangers_perf_map_is_refused(void **state)
{
    struct world *world = *state;
    struct frame frame = make_process(world, 0x1010);
    struct symbol symbol;

    if (getuid() != 0)
        skip_because("not root: cannot give files away");
    assert_true(world_run(world, "echo '1000 40 fold' >proc/42/root/tmp/perf-7.map &&"
                                 " chown 12345 proc/42/root/tmp/perf-7.map"));
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "[code without a name]");
    assert_string_equal(symbols_trouble(world->symbols, frame.module),
                        "the perf map belongs to somebody else");
}

static void a_link_does_not_lead_out_of_the_root(void **state)
{
    struct world *world = *state;
    struct frame frame = make_process(world, 0x1010);
    struct symbol symbol;

    assert_true(world_run(world, "mkdir outside && echo '1000 40 stolen' >outside/perf-7.map &&"
                                 " rmdir proc/42/root/tmp &&"
                                 " ln -s \"$PWD/outside\" proc/42/root/tmp"));
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "[code without a name]");
}

static void a_jitdump_is_found_where_it_is_mapped(void **state)
{
    struct world *world = *state;
    struct frame frame = make_process(world, 0x1008);
    struct bytes bytes = sample_dump();
    char *path = xasprintf("%s/jit-7.dump", world->folder);
    FILE *file = fopen(path, "w");
    struct symbol symbol;

    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
    free(path);
    world_module(world, "jit-7.dump", O_RDONLY);
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "fold");
    assert_string_equal(symbol.file, "a.js");
    assert_int_equal(symbol.line, 12);
}

/* ---- the kernel ---- */

static struct frame kernel_frame(struct world *world, uint64_t address)
{
    struct module module = {
        .kind = MODULE_KERNEL, .path = "[kernel]", .name = "[kernel]", .fd = -1
    };
    struct frame frame = { .kind = FRAME_KERNEL, .address = address };

    frame.module = modules_add(world->modules, &module)->id;
    return frame;
}

static void kernel_functions_and_modules_are_named(void **state)
{
    struct world *world = *state;
    struct frame frame;
    struct symbol symbol;

    assert_true(world_run(world, "mkdir proc && printf '%s\\n'"
                                 " 'ffffffff81000000 T _text'"
                                 " 'ffffffff81000100 T do_syscall_64'"
                                 " 'ffffffff81000180 D jiffies'"
                                 " 'ffffffffc0203000 t nf_hook\t[nf_tables]' >proc/kallsyms"));
    frame = kernel_frame(world, 0xffffffff8100017f);
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "do_syscall_64");
    assert_string_equal(symbol.module, "[kernel]");
    frame.address = 0xffffffff81000180;
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "[kernel]");
    assert_false(symbol.known);
    frame.address = 0xffffffffc0203004;
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "nf_hook");
    assert_string_equal(symbol.module, "[nf_tables]");
    frame.address = 0xffffffffe0000000;
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "[kernel]");
}

static void hidden_kernel_addresses_are_told(void **state)
{
    struct world *world = *state;
    char text[256];
    struct frame frame = kernel_frame(world, 0xffffffff81000010);
    struct symbol symbol;

    assert_true(world_run(world, "mkdir proc && echo '0000000000000000 T _text' >proc/kallsyms"));
    symbols_fast(world->symbols, &frame, &symbol);
    assert_string_equal(symbols_name(world->symbols, &symbol), "[kernel]");
    assert_string_equal(symbols_trouble(world->symbols, frame.module),
                        "kernel addresses are hidden from this user (kernel.kptr_restrict)");
    assert_true(symbols_warning(world->symbols, 0, text, sizeof(text)));
    assert_non_null(strstr(text, "kernel.kptr_restrict"));
}

#define each(test) cmocka_unit_test_setup_teardown(test, set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_last_holds),
        cmocka_unit_test(it_agrees_with_a_plain_array),
        cmocka_unit_test(lines_of_every_producer_are_read),
        cmocka_unit_test(lines_that_make_no_sense_are_left_out),
        cmocka_unit_test(names_of_known_form_are_taken_apart),
        cmocka_unit_test(a_jitdump_is_followed_as_it_grows),
        cmocka_unit_test(a_damaged_jitdump_does_no_harm),
        each(a_perf_map_is_followed),
        each(odd_perf_maps_are_refused),
        each(a_strangers_perf_map_is_refused),
        each(a_link_does_not_lead_out_of_the_root),
        each(a_jitdump_is_found_where_it_is_mapped),
        each(kernel_functions_and_modules_are_named),
        each(hidden_kernel_addresses_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
