/* SPDX-License-Identifier: MIT */
/* Control groups as they are mounted on real machines: version 1, 2, both, and in a container. */
#include "config.h"

#include "proftop/cgroup.h"

#include <stdio.h>

#include "tests/harness/testing.h"

static void version_2_with_a_quota_above(void **state)
{
    char *root = testing_folder_new();
    char proc[512];
    struct cgroup cgroup;
    struct cgroup_figures figures;

    (void)state;
    snprintf(proc, sizeof(proc), "%s/proc", root);
    testing_write(root, "proc/7/cgroup", "0::/pods/pod1/main\n");
    testing_write(
        root, "proc/self/mountinfo",
        "24 1 0:22 / /proc rw - proc proc rw\n"
        "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
    testing_write(root, "sys/fs/cgroup/cpu.stat", "usage_usec 99\n");
    testing_write(root, "sys/fs/cgroup/pods/pod1/cpu.max", "150000 100000\n");
    testing_write(root, "sys/fs/cgroup/pods/pod1/cpu.stat",
                  "usage_usec 900\nnr_periods 40\nnr_throttled 4\nthrottled_usec 1234\n");
    testing_write(root, "sys/fs/cgroup/pods/pod1/memory.max", "1048576\n");
    testing_write(root, "sys/fs/cgroup/pods/pod1/main/cpu.max", "max 100000\n");
    testing_write(root, "sys/fs/cgroup/pods/pod1/main/cpu.stat", "usage_usec 500\nnr_periods 0\n");
    testing_write(root, "sys/fs/cgroup/pods/pod1/main/memory.current", "4096\n");
    testing_write(root, "sys/fs/cgroup/pods/pod1/main/memory.max", "max\n");
    testing_write(root, "sys/fs/cgroup/pods/pod1/main/memory.events",
                  "low 0\nhigh 3\nmax 2\noom 1\noom_kill 1\n");
    testing_write(root, "sys/fs/cgroup/pods/pod1/main/cpu.pressure",
                  "some avg10=0.00 avg60=0.00 avg300=0.00 total=77\n");

    assert_true(cgroup_find(proc, root, 7, &cgroup));
    assert_int_equal(cgroup.cpu.version, CGROUP_V2);
    cgroup_read(&cgroup, &figures);
    assert_true(figures.quota_cpus == 1.5);
    assert_int_equal(figures.periods, 40);
    assert_int_equal(figures.throttled_periods, 4);
    assert_int_equal(figures.throttled_us, 1234);
    assert_int_equal(figures.usage_us, 500);
    assert_int_equal(figures.memory_bytes, 4096);
    assert_int_equal(figures.memory_limit_bytes, 1048576);
    assert_int_equal(figures.memory_high, 3);
    assert_int_equal(figures.memory_max, 2);
    assert_int_equal(figures.oom_kills, 1);
    assert_int_equal(figures.swap_bytes, -1);
    assert_int_equal(figures.cpu_some_us, 77);
    assert_int_equal(figures.io_full_us, -1);

    /* It vanishes with its process: nothing is known, nothing breaks. */
    testing_folder_remove(root);
    cgroup_read(&cgroup, &figures);
    assert_int_equal(figures.memory_bytes, -1);
    assert_true(figures.quota_cpus < 0);
}

static void version_1_beside_an_empty_version_2(void **state)
{
    char *root = testing_folder_new();
    char proc[512];
    struct cgroup cgroup;
    struct cgroup_figures figures;

    (void)state;
    snprintf(proc, sizeof(proc), "%s/proc", root);
    testing_write(root, "proc/7/cgroup",
                  "5:memory:/jobs\n4:cpu,cpuacct:/jobs/quick\n1:name=systemd:/\n0::/\n");
    testing_write(
        root, "proc/self/mountinfo",
        "30 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        "31 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
        "32 23 0:27 /jobs /sys/fs/cgroup/mem\\040ory rw - cgroup cgroup rw,memory\n");
    testing_write(root, "sys/fs/cgroup/unified/cpu.stat", "usage_usec 1\n");
    testing_write(root, "sys/fs/cgroup/cpu,cpuacct/jobs/quick/cpu.cfs_quota_us", "50000\n");
    testing_write(root, "sys/fs/cgroup/cpu,cpuacct/jobs/quick/cpu.cfs_period_us", "100000\n");
    testing_write(root, "sys/fs/cgroup/cpu,cpuacct/jobs/quick/cpu.stat",
                  "nr_periods 9\nnr_throttled 8\nthrottled_time 7000000\n");
    testing_write(root, "sys/fs/cgroup/cpu,cpuacct/jobs/quick/cpuacct.usage", "5000000\n");
    testing_write(root, "sys/fs/cgroup/mem ory/memory.usage_in_bytes", "8192\n");
    testing_write(root, "sys/fs/cgroup/mem ory/memory.limit_in_bytes", "9223372036854771712\n");
    testing_write(root, "sys/fs/cgroup/mem ory/memory.failcnt", "6\n");
    testing_write(root, "sys/fs/cgroup/mem ory/memory.oom_control",
                  "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");

    assert_true(cgroup_find(proc, root, 7, &cgroup));
    assert_int_equal(cgroup.cpu.version, CGROUP_V1);
    assert_int_equal(cgroup.memory.version, CGROUP_V1);
    cgroup_read(&cgroup, &figures);
    assert_true(figures.quota_cpus == 0.5);
    assert_int_equal(figures.throttled_periods, 8);
    assert_int_equal(figures.throttled_us, 7000);
    assert_int_equal(figures.usage_us, 5000);
    assert_int_equal(figures.memory_bytes, 8192);
    assert_int_equal(figures.memory_limit_bytes, -1);
    assert_int_equal(figures.memory_max, 6);
    assert_int_equal(figures.oom_kills, 2);
    testing_folder_remove(root);
}

/* Inside a container the path is the host's, or begins with "/..": what is mounted is ours. */
static void a_container_sees_its_own_group_as_the_mount(void **state)
{
    static const char *const groups[] = { "0::/../../elsewhere\n", "0::/docker/0123abc\n" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *root = testing_folder_new();
        char proc[512];
        struct cgroup cgroup;
        struct cgroup_figures figures;

        snprintf(proc, sizeof(proc), "%s/proc", root);
        testing_write(root, "proc/7/cgroup", groups[i]);
        testing_write(root, "proc/self/mountinfo",
                      "35 24 0:30 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
        testing_write(root, "sys/fs/cgroup/cpu.stat", "usage_usec 5\n");
        testing_write(root, "sys/fs/cgroup/cpu.max", "20000 100000\n");
        testing_write(root, "sys/fs/cgroup/memory.current", "1\n");
        assert_true(cgroup_find(proc, root, 7, &cgroup));
        cgroup_read(&cgroup, &figures);
        assert_true(figures.quota_cpus == 0.2);
        assert_int_equal(figures.memory_bytes, 1);
        testing_folder_remove(root);
    }
}

static void no_groups_to_be_seen(void **state)
{
    char *root = testing_folder_new();
    char proc[512];
    struct cgroup cgroup;

    (void)state;
    snprintf(proc, sizeof(proc), "%s/proc", root);
    assert_false(cgroup_find(proc, root, 7, &cgroup));
    testing_write(root, "proc/7/cgroup", "nonsense\n:::\n0::\n");
    testing_write(root, "proc/self/mountinfo", " - cgroup\n35 - cgroup2 a b\n");
    assert_false(cgroup_find(proc, root, 7, &cgroup));
    testing_folder_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_2_with_a_quota_above),
        cmocka_unit_test(version_1_beside_an_empty_version_2),
        cmocka_unit_test(a_container_sees_its_own_group_as_the_mount),
        cmocka_unit_test(no_groups_to_be_seen),
    };

    return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
