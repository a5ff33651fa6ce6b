/* SPDX-License-Identifier: MIT */
/* Mappings of a process: from recorded and hostile /proc folders, and from this very process. */
#include "config.h"

#include "proftop/maps.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "proftop/memory.h"
#include "tests/harness/testing.h"

enum { PID = 42 };

/* A recorded /proc with one process, in a folder of its own. */
struct fixture {
    char root[64];
    struct modules *modules;
};

static int set_up(void **state)
{
    struct fixture *fixture = xcalloc(1, sizeof(*fixture));
    char path[128];

    strcpy(fixture->root, "maps.XXXXXX");
    assert_non_null(mkdtemp(fixture->root));
    snprintf(path, sizeof(path), "%s/%d", fixture->root, PID);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/%d/root", fixture->root, PID);
    assert_int_equal(mkdir(path, 0700), 0);
    fixture->modules = modules_new();
    *state = fixture;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *ftw)
{
    (void)status, (void)flag, (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    nftw(fixture->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    modules_free(fixture->modules);
    free(fixture);
    return 0;
}

static void put(struct fixture *fixture, const char *name, const void *bytes, size_t size)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%d/%s", fixture->root, PID, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static struct maps *read_maps(struct fixture *fixture, const char *text)
{
    struct error error;
    struct maps *maps;

    put(fixture, "maps", text, strlen(text));
    maps = maps_read(fixture->root, PID, 1, fixture->modules, &error);
    assert_non_null(maps);
    for (uint32_t i = 0; i < maps->count; i++) {
        assert_true(maps->mappings[i].start < maps->mappings[i].end);
        if (i > 0)
            assert_true(maps->mappings[i - 1].end <= maps->mappings[i].start);
    }
    return maps;
}

static uint64_t inode_at(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_ino;
}

static uint64_t inode_of(struct fixture *fixture, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%d/%s", fixture->root, PID, name);
    return inode_at(path);
}

static void executable_lines_only(void **state)
{
    struct maps *maps = read_maps(*state, "1000-2000 r--p 00000000 08:01 7   /a/b\n"
                                          "2000-3000 r-xp 00001000 08:01 7   /a/b\n"
                                          "3000-4000 r-xp 00002000 08:01 7   /a/b\n"
                                          "5000-6000 rw-p 00000000 00:00 0   [heap]\n");

    assert_int_equal(maps->count, 1); /* the two joined */
    assert_int_equal(maps->mappings[0].start, 0x2000);
    assert_int_equal(maps->mappings[0].end, 0x4000);
    assert_int_equal(maps->mappings[0].offset, 0x1000);
    assert_int_equal(maps->mappings[0].module->kind, MODULE_FILE);
    assert_string_equal(maps->mappings[0].module->name, "b");
    assert_null(maps_find(maps, 0x1fff));
    assert_ptr_equal(maps_find(maps, 0x2000), &maps->mappings[0]);
    assert_ptr_equal(maps_find(maps, 0x3fff), &maps->mappings[0]);
    assert_null(maps_find(maps, 0x4000));
    maps_unref(maps);
}

static void hostile_lines_are_skipped(void **state)
{
    struct maps *maps = read_maps(*state, "garbage\n"
                                          "\n"
                                          "1000\n"
                                          "9000-8000 r-xp 00000000 08:01 7   /backwards\n"
                                          "1000-1000 r-xp 00000000 08:01 7   /empty\n"
                                          "4000-6000 r-xp 00000000 00:00 0 \n"
                                          "4800-5000 r-xp 00000000 08:01 7   /inside\n"
                                          "5000-7000 r-xp 00010000 08:01 7   /over\n"
                                          "2000-3000 r-xp 00000000 08:01 7   /late\n"
                                          "8000-9000 r-xp zzz 08:01 7   /no-offset\n"
                                          "a000-b000 r-xp 00000000 08:01 7   /last\n"
                                          "ffffffffffffff00-fffffffffffffffff r-xp 0 0:0 0");

    assert_true(maps->count >= 3);
    assert_int_equal(maps_find(maps, 0x4800)->module->kind, MODULE_JIT);
    assert_string_equal(maps_find(maps, 0x6000)->module->path, "/over");
    assert_int_equal(maps_find(maps, 0x6000)->offset, 0x11000);
    assert_null(maps_find(maps, 0x2000));
    assert_null(maps_find(maps, 0x8000));
    assert_string_equal(maps_find(maps, 0xafff)->module->name, "last");
    maps_unref(maps);
}

static void odd_names(void **state)
{
    struct maps *maps =
        read_maps(*state, "1000-2000 r-xp 0 08:01 7   /new\\012line\n"
                          "2000-3000 r-xp 0 08:01 8   /with  two spaces\n"
                          "3000-4000 r-xp 0 08:01 9   /gone (deleted)\n"
                          "4000-5000 --xp 0 00:00 0   [vsyscall]\n"
                          "5000-6000 r-xp 0 00:00 0   [anon:code]\n"
                          "6000-7000 r-xp 0 00:00 0   [stack]\n"
                          "7000-8000 r-xs 0 00:05 3   /memfd:doublemapper (deleted)\n");

    assert_string_equal(maps_find(maps, 0x1000)->module->path, "/new\nline");
    assert_string_equal(maps_find(maps, 0x2000)->module->path, "/with  two spaces");
    assert_string_equal(maps_find(maps, 0x3000)->module->path, "/gone");
    assert_true(maps_find(maps, 0x3000)->module->deleted);
    assert_non_null(maps_find(maps, 0x3000)->module->trouble);
    assert_int_equal(maps_find(maps, 0x3000)->module->fd, -1);
    assert_int_equal(maps_find(maps, 0x4000)->module->kind, MODULE_UNKNOWN);
    assert_int_equal(maps_find(maps, 0x5000)->module->kind, MODULE_JIT);
    assert_int_equal(maps_find(maps, 0x5000)->module->pid, PID);
    assert_ptr_equal(maps_find(maps, 0x5000)->module, maps_find(maps, 0x6000)->module);
    assert_ptr_equal(maps_find(maps, 0x5000)->module, maps_find(maps, 0x7000)->module);
    maps_unref(maps);
}

static void an_exec_makes_new_code(void **state)
{
    struct fixture *fixture = *state;
    struct maps *before = read_maps(fixture, "1000-2000 r-xp 0 00:00 0 \n");
    struct maps *after = maps_read(fixture->root, PID, 2, fixture->modules, NULL);

    assert_ptr_not_equal(before->mappings[0].module, after->mappings[0].module);
    assert_int_equal(after->mappings[0].module->generation, 2);
    maps_unref(before);
    maps_unref(after);
}

/* A file is opened once, found again, opened anew when it changed, and never when it is another. */
static void files_are_opened_once(void **state)
{
    struct fixture *fixture = *state;
    char text[256];
    char byte;
    struct maps *maps;
    const struct module *first, *second;

    put(fixture, "root/lib", "one", 3);
    snprintf(text, sizeof(text), "1000-2000 r-xp 0 08:01 %" PRIu64 "   /lib\n",
             inode_of(fixture, "root/lib"));
    maps = read_maps(fixture, text);
    first = maps->mappings[0].module;
    assert_true(first->fd >= 0);
    assert_true(first->root > 0); /* it is not our "/" */
    assert_int_equal(first->size_bytes, 3);
    assert_int_equal(pread(first->fd, &byte, 1, 1), 1);
    assert_int_equal(byte, 'n');
    maps_unref(maps);

    maps = read_maps(fixture, text);
    assert_ptr_equal(maps->mappings[0].module, first);
    maps_unref(maps);

    put(fixture, "root/lib", "three", 5);
    maps = read_maps(fixture, text);
    second = maps->mappings[0].module;
    assert_ptr_not_equal(second, first);
    assert_int_equal(second->size_bytes, 5);
    maps_unref(maps);

    /* Deleted after it was opened: the module stays, with its descriptor. */
    snprintf(text, sizeof(text), "1000-2000 r-xp 0 08:01 %" PRIu64 "   /lib (deleted)\n",
             inode_of(fixture, "root/lib"));
    snprintf(text + 128, 128, "%s/%d/root/lib", fixture->root, PID);
    assert_int_equal(unlink(text + 128), 0);
    maps = read_maps(fixture, text);
    assert_ptr_equal(maps->mappings[0].module, second);
    maps_unref(maps);
}

static void a_pipe_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    char text[256];
    struct maps *maps;

    snprintf(text, sizeof(text), "%s/%d/root/pipe", fixture->root, PID);
    assert_int_equal(mkfifo(text, 0600), 0);
    snprintf(text, sizeof(text), "1000-2000 r-xp 0 08:01 %" PRIu64 "   /pipe\n",
             inode_of(fixture, "root/pipe"));
    maps = read_maps(fixture, text);
    assert_int_equal(maps->mappings[0].module->fd, -1);
    assert_non_null(maps->mappings[0].module->trouble);
    maps_unref(maps);
}

static void a_large_table(void **state)
{
    enum { LINES = 200000 };
    struct fixture *fixture = *state;
    char *text = xmalloc((size_t)LINES * 80);
    size_t length = 0;
    struct maps *maps;

    for (unsigned i = 0; i < LINES; i++)
        length += (size_t)sprintf(text + length, "%x000-%x000 r%cxp %x000 00:00 0 \n", 2 * i + 16,
                                  2 * i + 17, i % 2 ? 'w' : '-', i);
    maps = read_maps(fixture, text);
    assert_int_equal(maps->count, LINES);
    for (unsigned i = 0; i < LINES; i += 997)
        assert_ptr_equal(maps_find(maps, (uint64_t)(2 * i + 16) << 12 | 0xfff), &maps->mappings[i]);
    maps_unref(maps);
    free(text);
}

static void no_process_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct error error = { 0 };

    assert_null(maps_read(fixture->root, PID + 1, 1, fixture->modules, &error));
    assert_int_equal(error.code, STATUS_MISSING);
    assert_non_null(strstr(error.message, "43"));
}

static void a_mapping_made_over_others(void **state)
{
    struct fixture *fixture = *state;
    struct maps *old = read_maps(fixture, "1000-4000 r-xp 00001000 08:01 7   /a\n"
                                          "6000-8000 r-xp 00000000 08:01 8   /b\n");
    struct maps_line line = {
        .start = 0x2000, .end = 0x7000, .path = "/c", .inode = 9, .executable = true
    };
    struct maps *maps = maps_with(old, fixture->root, PID, 1, fixture->modules, &line);

    assert_int_equal(maps->count, 3);
    assert_string_equal(maps_find(maps, 0x1fff)->module->path, "/a");
    assert_string_equal(maps_find(maps, 0x2000)->module->path, "/c");
    assert_string_equal(maps_find(maps, 0x6fff)->module->path, "/c");
    assert_string_equal(maps_find(maps, 0x7000)->module->path, "/b");
    assert_int_equal(maps_find(maps, 0x7000)->offset, 0x1000);
    maps_unref(maps);

    line = (struct maps_line){ .start = 0x2000, .end = 0x3000, .path = "" };
    maps = maps_with(old, fixture->root, PID, 1, fixture->modules, &line);
    assert_null(maps_find(maps, 0x2800));
    assert_int_equal(maps_find(maps, 0x3000)->offset, 0x3000);
    maps_unref(maps);
    maps_unref(old);
    maps = maps_with(NULL, fixture->root, PID, 1, fixture->modules, &line);
    assert_int_equal(maps->count, 0);
    maps_unref(maps);
}

/* A record may be read when who made the mapping has ended, and so has every way over its /proc. */
static void a_file_of_a_process_that_has_ended(void **state)
{
    struct fixture *fixture = *state;
    char relative[128], path[PATH_MAX];
    struct maps_line line = { .start = 0x1000, .end = 0x2000, .executable = true };
    const struct module *module;
    struct stat status;
    struct maps *maps;

    put(fixture, "program", "\177ELF", 4);
    snprintf(relative, sizeof(relative), "%s/%d/program", fixture->root, PID);
    assert_non_null(realpath(relative, path));
    assert_int_equal(stat(path, &status), 0);
    line.path = path;
    line.inode = status.st_ino;
    line.device = (uint64_t)major(status.st_dev) << 32 | minor(status.st_dev);
    maps = maps_with(NULL, fixture->root, PID + 1, 1, fixture->modules, &line);
    module = maps_find(maps, 0x1000)->module;
    assert_true(module->fd >= 0);
    maps_unref(maps);
    assert_int_equal(unlink(path), 0);
    maps = maps_with(NULL, fixture->root, PID + 2, 1, fixture->modules, &line);
    assert_ptr_equal(maps_find(maps, 0x1000)->module, module);
    maps_unref(maps);
    line.inode++;
    maps = maps_with(NULL, fixture->root, PID + 2, 1, fixture->modules, &line);
    assert_true(maps_find(maps, 0x1000)->module->fd < 0);
    maps_unref(maps);
}

/* Where the leader has ended a thread that goes on shows the mappings, and the files of them. */
static void a_leader_that_has_ended_shows_none(void **state)
{
    static const char stat[] = "(x) %c 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 100 0 0 0 0 0 0 0 0 "
                               "0 0 0 0 0 17 0 0 0 0 0 0\n";
    struct fixture *fixture = *state;
    struct maps_line line = { .start = 0x6000, .end = 0x7000, .path = "/b", .executable = true };
    char text[256], path[256];
    struct maps *maps, *with;

    for (int32_t tid = PID; tid <= PID + 2; tid++) {
        snprintf(text, sizeof(text), stat, tid == PID + 2 ? 'S' : 'Z');
        snprintf(path, sizeof(path), "%d/task/%d/stat", PID, tid);
        testing_write(fixture->root, path, text);
    }
    snprintf(path, sizeof(path), "%d/root/b", PID + 2);
    testing_write(fixture->root, path, "code");
    snprintf(path, sizeof(path), "%s/%d/root/b", fixture->root, PID + 2);
    line.inode = inode_at(path);
    snprintf(path, sizeof(path), "%d/maps", PID + 2);
    testing_write(fixture->root, path, "1000-2000 r-xp 00000000 00:00 0 \n");
    maps = read_maps(fixture, "");
    assert_int_equal(maps->count, 1);
    assert_int_equal(maps->pid, PID);
    assert_int_equal(maps->mappings[0].module->pid, PID);
    with = maps_with(maps, fixture->root, PID, 1, fixture->modules, &line);
    assert_int_equal(with->count, 2);
    assert_true(with->mappings[1].module->fd >= 0);
    maps_unref(with);
    maps_unref(maps);
}

static void this_process(void **state)
{
    struct fixture *fixture = *state;
    struct error error;
    struct maps *maps = maps_read("/proc", getpid(), 1, fixture->modules, &error);
    uint32_t modules;
    const struct mapping *here;
    bool vdso = false;

    assert_non_null(maps);
    here = maps_find(maps, (uint64_t)(uintptr_t)this_process);
    assert_non_null(here);
    assert_int_equal(here->module->kind, MODULE_FILE);
    assert_true(here->module->fd >= 0);
    for (uint32_t i = 0; i < maps->count; i++) {
        if (maps->mappings[i].module->kind == MODULE_VDSO) {
            vdso = true;
            assert_memory_equal(maps->mappings[i].module->image, "\177ELF", 4);
        }
    }
    assert_true(vdso);
    modules = modules_count(fixture->modules);
    maps_unref(maps);
    maps = maps_read("/proc", getpid(), 1, fixture->modules, &error);
    assert_int_equal(modules_count(fixture->modules), modules);
    maps_unref(maps);
}

/* Deleted while mapped, and seen for the first time then. */
static void a_deleted_file_of_this_process(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    int fd;
    void *code;
    struct maps *maps;
    const struct module *module;

    snprintf(path, sizeof(path), "%s/gone", fixture->root);
    fd = open(path, O_RDWR | O_CREAT, 0700);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 4096), 0);
    code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(code, MAP_FAILED);
    close(fd);
    assert_int_equal(unlink(path), 0);
    maps = maps_read("/proc", getpid(), 1, fixture->modules, NULL);
    module = maps_find(maps, (uint64_t)(uintptr_t)code)->module;
    assert_string_equal(module->name, "gone");
    assert_true(module->deleted);
    assert_true(module->fd >= 0 || module->trouble != NULL);
    if (geteuid() == 0)
        assert_int_equal(module->size_bytes, 4096);
    maps_unref(maps);
    munmap(code, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(executable_lines_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_lines_are_skipped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_exec_makes_new_code, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_opened_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pipe_is_not_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_process_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mapping_made_over_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_of_a_process_that_has_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_leader_that_has_ended_shows_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(this_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_deleted_file_of_this_process, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
