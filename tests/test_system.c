/* SPDX-License-Identifier: MIT */
/* Parsers of the machine's counters: recorded lines, old kernels, nonsense, counters that wrap. */
#include "config.h"

#include "proftop/system.h"

#include <math.h>
#include <string.h>

#include "tests/harness/testing.h"

static void stat_gives_cpus_that_are_online(void **state)
{
    static const char text[] = "cpu  15635 7 6355 356322 1508 3 114 12 5 1\n"
                               "cpu0 7221 0 2694 179905 96 0 34 4 0 0\n"
                               "cpu3 8414 7 3660 176417 1412 3 79 8 5 1\n"
                               "intr 414782 0 0 9 1\n"
                               "ctxt 890138\nbtime 1795195832\nprocesses 62965\n"
                               "procs_running 2\nprocs_blocked 1\nsoftirq 382590 0 45440 4\n";
    struct system_stat stat = { 0 };

    (void)state;
    assert_true(system_parse_stat(text, &stat));
    assert_int_equal(stat.all.id, -1);
    assert_int_equal(stat.all.ticks[CPU_USER], 15635);
    assert_int_equal(stat.all.ticks[CPU_STEAL], 12);
    assert_int_equal(stat.all.ticks[CPU_GUEST_NICE], 1);
    assert_int_equal(stat.cpu_count, 2);
    assert_int_equal(stat.cpus[1].id, 3);
    assert_int_equal(stat.cpus[1].ticks[CPU_IOWAIT], 1412);
    assert_int_equal(stat.interrupts, 414782);
    assert_int_equal(stat.context_switches, 890138);
    assert_int_equal(stat.forks, 62965);
    assert_int_equal(stat.running, 2);
    assert_int_equal(stat.blocked, 1);
    assert_int_equal(stat.softirqs, 382590);
    /* Again into the same: the list starts anew. */
    assert_true(system_parse_stat(text, &stat));
    assert_int_equal(stat.cpu_count, 2);
    system_stat_fini(&stat);
}

/* Kernels before 2.6.11 have no steal; a text that was cut has half a line. */
static void stat_survives_less(void **state)
{
    struct system_stat stat = { 0 };

    (void)state;
    assert_true(system_parse_stat("cpu  1 2 3 4\ncpu0 1 2\ncpu99999999 1\ncpux 1\nintr", &stat));
    assert_int_equal(stat.all.ticks[CPU_IDLE], 4);
    assert_int_equal(stat.all.ticks[CPU_STEAL], 0);
    assert_int_equal(stat.cpu_count, 1);
    assert_int_equal(stat.interrupts, 0);
    assert_false(system_parse_stat("", &stat));
    assert_false(system_parse_stat("ctxt 5\n", &stat));
    system_stat_fini(&stat);
}

static void loadavg_is_read_in_any_locale(void **state)
{
    struct system_load load;

    (void)state;
    assert_true(system_parse_loadavg("0.25 1.50 12.07 3/187 30513\n", &load));
    assert_true(fabs(load.load_1 - 0.25) < 1e-9);
    assert_true(fabs(load.load_15 - 12.07) < 1e-9);
    assert_int_equal(load.running, 3);
    assert_int_equal(load.tasks, 187);
    assert_false(system_parse_loadavg("0.25 1.50\n", &load));
    assert_false(system_parse_loadavg("", &load));
}

static void pairs_with_and_without_colons(void **state)
{
    static const char text[] = "MemTotal:       24684084 kB\npgfault 17324071\nName:\tbash\n"
                               "Active(anon):       1568 kB\nmax 7\n";
    const char *at = text;
    char key[SYSTEM_KEY_MAX];
    uint64_t value;

    (void)state;
    assert_non_null(at = system_next_pair(at, key, &value));
    assert_string_equal(key, "MemTotal");
    assert_int_equal(value, 24684084);
    assert_non_null(at = system_next_pair(at, key, &value));
    assert_string_equal(key, "pgfault");
    assert_non_null(at = system_next_pair(at, key, &value)); /* the name is not a number */
    assert_string_equal(key, "Active(anon)");
    assert_non_null(at = system_next_pair(at, key, &value));
    assert_string_equal(key, "max");
    assert_int_equal(value, 7);
    assert_null(system_next_pair(at, key, &value));
    assert_true(system_find_pair(text, "pgfault", &value));
    assert_int_equal(value, 17324071);
    assert_false(system_find_pair(text, "pgf", &value));
    assert_false(system_find_pair("", "x", &value));
}

static void disks_of_old_and_new_kernels(void **state)
{
    static const char text[] =
        "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n"
        " 254       0 vda 143681 27749 5448170 67947 9892 15392 513864 7426 3 18140 76158 6596 109 "
        "218360 736 706 48\n"
        "   8       1 sda1 5\n"
        " 104       0 cciss/c0d0 10 0 80 5 20 0 160 7 0 9 12\n";
    const char *at = text;
    struct system_disk disk;

    (void)state;
    assert_non_null(at = system_next_disk(at, &disk));
    assert_string_equal(disk.name, "loop0");
    assert_non_null(at = system_next_disk(at, &disk));
    assert_string_equal(disk.name, "vda");
    assert_int_equal(disk.reads, 143681);
    assert_int_equal(disk.read_bytes, UINT64_C(5448170) * 512);
    assert_int_equal(disk.read_ms, 67947);
    assert_int_equal(disk.writes, 9892);
    assert_int_equal(disk.write_ms, 7426);
    assert_int_equal(disk.in_flight, 3);
    assert_int_equal(disk.busy_ms, 18140);
    assert_int_equal(disk.discards, 6596);
    assert_int_equal(disk.discard_ms, 736);
    assert_int_equal(disk.flushes, 706);
    assert_int_equal(disk.flush_ms, 48);
    assert_non_null(at = system_next_disk(at, &disk)); /* the short line is left out */
    assert_string_equal(disk.name, "cciss/c0d0");
    assert_int_equal(disk.write_bytes, 160 * 512);
    assert_int_equal(disk.flushes, 0);
    assert_null(system_next_disk(at, &disk));
}

static void nets_without_their_titles(void **state)
{
    static const char text[] =
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
        "    lo:    3319      30    0    0    0     0          0         0     3319      30    0 0 "
        "0 0 0 0\n"
        "eth0.100:26458499     719    1    2    0     0          0         0    33568     403    3 "
        "4 0 0 0 0\n";
    const char *at = text;
    struct system_net net;

    (void)state;
    assert_non_null(at = system_next_net(at, &net));
    assert_string_equal(net.name, "lo");
    assert_int_equal(net.rx_bytes, 3319);
    assert_non_null(at = system_next_net(at, &net));
    assert_string_equal(net.name, "eth0.100");
    assert_int_equal(net.rx_bytes, 26458499);
    assert_int_equal(net.rx_drops, 2);
    assert_int_equal(net.tx_bytes, 33568);
    assert_int_equal(net.tx_errors, 3);
    assert_null(system_next_net(at, &net));
}

static void pressure_with_and_without_full(void **state)
{
    struct system_pressure pressure;

    (void)state;
    assert_true(system_parse_pressure("some avg10=1.73 avg60=0.62 avg300=0.63 total=7862523\n"
                                      "full avg10=0.00 avg60=0.00 avg300=0.00 total=12\n",
                                      &pressure));
    assert_int_equal(pressure.some_us, 7862523);
    assert_int_equal(pressure.full_us, 12);
    /* Before Linux 5.13 the CPU has no full line. */
    assert_true(
        system_parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n", &pressure));
    assert_true(pressure.has_some);
    assert_false(pressure.has_full);
    assert_false(system_parse_pressure("", &pressure));
    assert_false(system_parse_pressure("some avg10=0.00\nfull\n", &pressure));
}

static void counters_wrap_and_go_back(void **state)
{
    uint64_t advance;

    (void)state;
    assert_true(system_advance(10, 15, &advance));
    assert_int_equal(advance, 5);
    assert_true(system_advance(UINT32_MAX - 4, 5, &advance));
    assert_int_equal(advance, 10);
    assert_false(system_advance(100, 99, &advance));
    assert_int_equal(advance, 0);
    assert_false(system_advance(UINT64_C(1) << 40, 5, &advance));
    assert_false(system_advance(UINT64_C(1) << 31, 5, &advance)); /* too far from the top */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stat_gives_cpus_that_are_online),
        cmocka_unit_test(stat_survives_less),
        cmocka_unit_test(loadavg_is_read_in_any_locale),
        cmocka_unit_test(pairs_with_and_without_colons),
        cmocka_unit_test(disks_of_old_and_new_kernels),
        cmocka_unit_test(nets_without_their_titles),
        cmocka_unit_test(pressure_with_and_without_full),
        cmocka_unit_test(counters_wrap_and_go_back),
    };

    return cmocka_run_group_tests_name("system", tests, NULL, NULL);
}
