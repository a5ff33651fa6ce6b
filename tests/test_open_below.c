/* SPDX-License-Identifier: MIT */
/*
 * Files below a folder that others may fill with links: the kernel's way and the one by hand give
 * the same answer for every path.
 */
#include "config.h"

#include "proftop/open_below.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/harness/testing.h"

/* Beside the root lies a file of the same name as one in it: "out" must never be read. */
static const char make_tree[] =
    "mkdir -p root/a/b root/deep && echo out >secret && echo in >root/secret && "
    "echo in >root/a/file && cd root && "
    "ln -s a/file link && ln -s a/b inner && ln -s /a/b absolute && ln -s ../../.. up && "
    "ln -s .. a/b/back && ln -s \"$PWD/..\" out && ln -s loop2 loop1 && ln -s loop1 loop2 && "
    "ln -s /a/b/back/b/back chain && mkfifo fifo && "
    "d=deep; for i in $(seq 80); do d=$d/d; done && mkdir -p $d && echo in >$d/file";

static const struct {
    const char *name;
    int failure; /* 0: "in" is read */
} cases[] = {
    { "secret", 0 },
    { "/secret", 0 },
    { "a/file", 0 },
    { "//a///./file", 0 },
    { "a/../a/b/../file", 0 },
    { "../secret", 0 },
    { "../../../../../secret", 0 },
    { "a/../../secret", 0 },
    { "up/secret", 0 },
    { "inner/../file", 0 },
    { "absolute/back/file", 0 },
    { "chain/file", 0 },
    { "out/secret", ENOENT },
    { "link", ELOOP }, /* a link itself */
    { "loop1/file", ELOOP },
    { "a/file/secret", ENOTDIR },
    { "a/file/", ENOTDIR },
    { "nowhere/file", ENOENT },
    { "a/nowhere", ENOENT },
    { "", ENOENT },
};

static char folder[] = "/tmp/proftop-below-XXXXXX";
static int root = -1;

static int make(void **state)
{
    char command[1024];

    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(command, sizeof(command), "cd %s && %s", folder, make_tree);
    if (system(command) != 0 || chdir(folder) != 0)
        return -1;
    root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? -1 : 0;
}

static int remove_all(void **state)
{
    char command[64];

    (void)state;
    close(root);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

static void each_leads_where_the_target_sees_it(int (*how)(int, const char *))
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[8] = "";
        int fd = how(root, cases[i].name);
        int failure = fd >= 0 ? 0 : errno;

        if (failure != cases[i].failure)
            fail_msg("%s: %s", cases[i].name, strerror(failure));
        if (fd < 0)
            continue;
        assert_int_equal(read(fd, text, sizeof(text) - 1), 3);
        assert_string_equal(text, "in\n");
        close(fd);
    }
}

static void no_path_leads_out(void **state)
{
    (void)state;
    each_leads_where_the_target_sees_it(open_below);
}

static void no_path_leads_out_by_hand(void **state)
{
    (void)state;
    each_leads_where_the_target_sees_it(open_below_by_hand);
}

static void a_fifo_does_not_hold_us(void **state)
{
    int fd = open_below_by_hand(root, "fifo");

    (void)state;
    assert_true(fd >= 0);
    close(fd);
}

/* Descriptors are bounded: nobody has files that deep. */
static void depth_and_length_are_bounded(void **state)
{
    char name[8192] = "deep";

    (void)state;
    for (int i = 0; i < 80; i++)
        strcat(name, "/d");
    strcat(name, "/file");
    assert_int_equal(open_below_by_hand(root, name), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    memset(name, 'a', sizeof(name) - 1);
    assert_int_equal(open_below_by_hand(root, name), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    name[400] = '\0';
    assert_int_equal(open_below_by_hand(root, name), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

/* What was opened by the caller is the caller's still. */
static void no_descriptor_is_left(void **state)
{
    int next = dup(0), after;

    (void)state;
    close(next);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        close(open_below_by_hand(root, cases[i].name));
    after = dup(0);
    assert_int_equal(after, next);
    close(after);
    assert_true(fcntl(root, F_GETFD) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_path_leads_out),       cmocka_unit_test(no_path_leads_out_by_hand),
        cmocka_unit_test(a_fifo_does_not_hold_us), cmocka_unit_test(depth_and_length_are_bounded),
        cmocka_unit_test(no_descriptor_is_left),
    };

    return cmocka_run_group_tests(tests, make, remove_all);
}
