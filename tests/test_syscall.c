/* SPDX-License-Identifier: MIT */
/* The names of system calls. */
#include "config.h"

#include "proftop/syscall.h"

#include <sys/syscall.h>

#include "harness/testing.h"

static void knows_names(void **state)
{
    (void)state;
    assert_string_equal(syscall_name(SYS_read), "read");
    assert_string_equal(syscall_name(SYS_futex), "futex");
    assert_string_equal(syscall_name(SYS_epoll_pwait), "epoll_pwait");
}

static void knows_no_others(void **state)
{
    (void)state;
    assert_null(syscall_name(-1));
    assert_null(syscall_name(100000));
    assert_null(syscall_name(INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_names),
        cmocka_unit_test(knows_no_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
