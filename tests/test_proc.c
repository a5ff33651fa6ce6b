/* SPDX-License-Identifier: MIT */
/* Readers of /proc: what the kernel writes, what a hostile name does to it, and ourselves. */
#include "config.h"

#include "proftop/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proftop/clock.h"
#include "proftop/proc_file.h"

static void stat_survives_a_name_with_brackets(void **state)
{
    static const char text[] =
        "4242 (a) R 1 (b) S 17 4242 4240 34816 4242 4194560 1111 0 22 0 314 159 26 53 20 0 3 0 "
        "987654 123456789 4321 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 5 0 0 66 0 0 0\n";
    struct proc_stat stat;

    (void)state;
    assert_true(proc_parse_stat(text, &stat));
    assert_string_equal(stat.name, "a) R 1 (b");
    assert_int_equal(stat.state, 'S');
    assert_int_equal(stat.ppid, 17);
    assert_int_equal(stat.tty, 34816);
    assert_int_equal(stat.minflt, 1111);
    assert_int_equal(stat.majflt, 22);
    assert_int_equal(stat.utime_ticks, 314);
    assert_int_equal(stat.stime_ticks, 159);
    assert_int_equal(stat.cutime_ticks, 26);
    assert_int_equal(stat.cstime_ticks, 53);
    assert_int_equal(stat.threads, 3);
    assert_int_equal(stat.start_ticks, 987654);
    assert_int_equal(stat.vsize_bytes, 123456789);
    assert_int_equal(stat.rss_pages, 4321);
    assert_int_equal(stat.cpu, 5);
    assert_int_equal(stat.blkio_ticks, 66);
}

static void stat_that_makes_no_sense_is_refused(void **state)
{
    struct proc_stat stat;

    (void)state;
    assert_false(proc_parse_stat("", &stat));
    assert_false(proc_parse_stat("12 )name( S 1", &stat));
    assert_false(proc_parse_stat("12 (name) S 1", &stat));
}

static void syscall_has_three_forms(void **state)
{
    struct proc_syscall syscall;

    (void)state;
    assert_true(proc_parse_syscall("running\n", &syscall));
    assert_true(syscall.running);
    assert_true(proc_parse_syscall("-1 0x7ffd0000 0x401000\n", &syscall));
    assert_false(syscall.running);
    assert_int_equal(syscall.number, -1);
    assert_int_equal(syscall.sp, 0x7ffd0000);
    assert_int_equal(syscall.pc, 0x401000);
    assert_true(proc_parse_syscall("202 0x1 0x80 0x2 0x0 0x0 0xf 0x7f00 0x7e00\n", &syscall));
    assert_int_equal(syscall.number, 202);
    assert_int_equal(syscall.arguments[1], 0x80);
    assert_int_equal(syscall.arguments[5], 0xf);
    assert_int_equal(syscall.sp, 0x7f00);
    assert_int_equal(syscall.pc, 0x7e00);
    assert_false(proc_parse_syscall("", &syscall));
    assert_false(proc_parse_syscall("0 0x1 0x2\n", &syscall));
}

static void the_test_itself_is_found(void **state)
{
    struct proc_ids tids = { 0 }, pids = { 0 };
    struct proc_stat stat;
    struct proc_schedstat schedstat;
    char text[256];
    uint32_t uid;
    bool found = false;

    (void)state;
    assert_true(proc_stat("/proc", getpid(), 0, &stat));
    assert_int_equal(stat.ppid, getppid());
    assert_true(proc_schedstat("/proc", getpid(), getpid(), &schedstat));
    assert_true(schedstat.cpu_ns > 0);
    assert_true(proc_cmdline("/proc", getpid(), text, sizeof(text)));
    assert_non_null(strstr(text, "test_proc"));
    assert_true(proc_uid("/proc", getpid(), &uid));
    assert_int_equal(uid, geteuid());
    assert_true(proc_tids("/proc", getpid(), &tids));
    assert_int_equal(tids.count, 1);
    assert_int_equal(tids.ids[0], getpid());
    assert_true(proc_pids("/proc", &pids));
    for (size_t i = 0; i < pids.count; i++)
        found = found || pids.ids[i] == getpid();
    assert_true(found);
    assert_true(proc_start_ns(stat.start_ticks) > 0);
    assert_true(proc_start_ns(stat.start_ticks) <= clock_now_ns());
    proc_ids_fini(&tids);
    proc_ids_fini(&pids);
}

/* A fixture without task/TID/children, as kernels without CONFIG_PROC_CHILDREN have it. */
static void children_are_found_by_their_parent(void **state)
{
    char root[] = "/tmp/proftop-proc-XXXXXX";
    struct proc_ids children = { 0 };
    static const char *const folders[] = { "10", "10/task", "10/task/10", "11", "12" };
    static const struct {
        const char *path, *text;
    } files[] = {
        { "10/stat", "10 (p) S 1 10 10 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0 0\n" },
        { "11/stat", "11 (c) S 10 10 10 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0 0\n" },
        { "12/stat", "12 (x) S 1 10 10 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0 0\n" },
    };
    char path[128];

    (void)state;
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", root, files[i].path);
        assert_non_null(file = fopen(path, "w"));
        fputs(files[i].text, file);
        fclose(file);
    }
    assert_true(proc_children(root, 10, &children));
    assert_int_equal(children.count, 1);
    assert_int_equal(children.ids[0], 11);
    proc_ids_fini(&children);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, files[i].path);
        unlink(path);
    }
    for (size_t i = sizeof(folders) / sizeof(folders[0]); i-- > 0;) {
        snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
        rmdir(path);
    }
    rmdir(root);
}

/* The kernel gives such a file a page at a time, each of them shorter than what is asked for. */
static void a_file_of_many_pages_is_read_to_its_end(void **state)
{
    struct proc_file file = { 0 };
    size_t mappings = 0, described = 0;
    const char *text;

    (void)state;
    assert_true(proc_file_open(&file, "/proc", "self/smaps"));
    text = proc_file_read(&file);
    assert_non_null(text);
    assert_true(file.length > 2 * 4096);
    for (const char *at = text; (at = strstr(at, "\nRss:")) != NULL; at++)
        mappings++;
    for (const char *at = text; (at = strstr(at, "\nVmFlags:")) != NULL; at++)
        described++;
    assert_int_equal(mappings, described);
    assert_non_null(strstr(text, "[stack]"));
    assert_int_equal(text[file.length - 1], '\n');
    proc_file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stat_survives_a_name_with_brackets),
        cmocka_unit_test(stat_that_makes_no_sense_is_refused),
        cmocka_unit_test(syscall_has_three_forms),
        cmocka_unit_test(the_test_itself_is_found),
        cmocka_unit_test(children_are_found_by_their_parent),
        cmocka_unit_test(a_file_of_many_pages_is_read_to_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
