/* SPDX-License-Identifier: MIT */
/* Memory that does not fail, and dying. */
#include "config.h"

#include "proftop/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/error.h"
#include "tests/harness/testing.h"

static void sizes_of_zero_give_memory(void **state)
{
    void *plain = xmalloc(0), *zeroed = xcalloc(0, 8), *grown = xrealloc(NULL, 0);

    (void)state;
    assert_non_null(plain);
    assert_non_null(zeroed);
    assert_non_null(grown);
    free(plain);
    free(zeroed);
    free(grown);
}

static void copies_are_copies(void **state)
{
    char text[] = "abcdef";
    char *whole = xstrdup(text), *part = xstrndup(text, 3), *bytes = xmemdup(text, 2);
    char *formatted = xasprintf("%s-%d", text, 7);

    (void)state;
    text[0] = 'X';
    assert_string_equal(whole, "abcdef");
    assert_string_equal(part, "abc");
    assert_memory_equal(bytes, "ab", 2);
    assert_string_equal(formatted, "abcdef-7");
    free(whole);
    free(part);
    free(bytes);
    free(formatted);
}

static void an_array_grows_by_half_and_keeps_its_items(void **state)
{
    size_t capacity = 0, growths = 0;
    int *items = NULL;

    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        size_t before = capacity;

        items = array_reserve(items, &capacity, i + 1, sizeof(*items));
        growths += capacity != before;
        assert_true(capacity > i);
        items[i] = (int)i;
    }
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(items[i], i);
    assert_in_range(growths, 5, 30);
    free(items);
}

static void hook_writes(void)
{
    if (write(STDOUT_FILENO, "hook", 4) != 4)
        _exit(99);
}

static void too_large(void)
{
    size_t capacity = 0;

    array_reserve(NULL, &capacity, SIZE_MAX / 4, 16);
}

static void plain(void)
{
    die("a %s with %d", "reason", 3);
}

/* Runs DOOMED in a child with its output caught in SAID; returns its exit status. */
static int death_of(void (*doomed)(void), bool hooked, char *said, size_t size)
{
    int pipes[2], status;
    size_t length = 0;
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        dup2(pipes[1], STDERR_FILENO);
        die_hook(hooked ? hook_writes : NULL);
        doomed();
        _exit(98);
    }
    close(pipes[1]);
    while ((got = read(pipes[0], said + length, size - 1 - length)) > 0)
        length += (size_t)got;
    said[length] = '\0';
    close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A sanitizer has an allocator of its own, which keeps what was freed for a while. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
static void large_blocks_go_back_to_the_system_again_and_again(void **state)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    unsigned char there;

    (void)state;
    memory_begin();
    for (int i = 0; i < 3; i++) {
        uintptr_t block = (uintptr_t)xmalloc(8 << 20), inside = (block + page) / page * page;

        assert_int_equal(mincore((void *)inside, 1, &there), 0);
        free((void *)block);
        assert_int_equal(mincore((void *)inside, 1, &there), -1);
        assert_int_equal(errno, ENOMEM);
    }
}
#endif

static void dying_runs_the_hook_first_and_says_why(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(death_of(plain, true, said, sizeof(said)), STATUS_FAILED);
    assert_string_equal(said, "hookproftop: a reason with 3\n");
    assert_int_equal(death_of(plain, false, said, sizeof(said)), STATUS_FAILED);
    assert_string_equal(said, "proftop: a reason with 3\n");
}

static void an_impossible_array_dies_instead_of_wrapping(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(death_of(too_large, false, said, sizeof(said)), STATUS_FAILED);
    assert_non_null(strstr(said, "an array of"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_of_zero_give_memory),
        cmocka_unit_test(copies_are_copies),
        cmocka_unit_test(an_array_grows_by_half_and_keeps_its_items),
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
        cmocka_unit_test(large_blocks_go_back_to_the_system_again_and_again),
#endif
        cmocka_unit_test(dying_runs_the_hook_first_and_says_why),
        cmocka_unit_test(an_impossible_array_dies_instead_of_wrapping),
    };

    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
