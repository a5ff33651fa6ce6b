/* SPDX-License-Identifier: MIT */
/* Code records: interned by content, also from two threads. */
#include "config.h"

#include "proftop/code.h"

#include <pthread.h>
#include <stdio.h>

#include "tests/harness/testing.h"

static void equal_content_is_one_record(void **state)
{
    struct codes *codes = codes_new();
    char name[] = "f";
    struct code wanted = { name, "a.py", 10, 0 };
    code_id first = codes_add(codes, &wanted);

    (void)state;
    assert_int_equal(codes_add(codes, &wanted), first);
    name[0] = 'g';
    assert_string_equal(codes_get(codes, first)->name, "f");
    assert_int_not_equal(codes_add(codes, &wanted), first);
    assert_int_equal(codes_count(codes), 2);
    codes_free(codes);
    codes_free(NULL);
}

static void every_field_tells_apart(void **state)
{
    struct codes *codes = codes_new();
    const struct code all[] = {
        { "f", "a.py", 10, 0 },
        { "f", "b.py", 10, 0 },
        { "f", "a.py", 11, 0 },
        { "f", "a.py", 10, CODE_INTERNAL },
        { "g", "a.py", 10, 0 },
        /* the same letters, cut elsewhere */
        { "fa", ".py", 10, 0 },
    };

    (void)state;
    for (code_id i = 0; i < sizeof(all) / sizeof(*all); i++)
        assert_int_equal(codes_add(codes, &all[i]), i);
    assert_null(codes_get(codes, sizeof(all) / sizeof(*all)));
    codes_free(codes);
}

enum { NAMES = 2000 };

static void *add_all(void *context)
{
    for (uint32_t i = 0; i < NAMES; i++) {
        char name[32];
        struct code code = { name, "x.py", i, 0 };

        snprintf(name, sizeof(name), "function_%u", i);
        codes_add(context, &code);
    }
    return NULL;
}

static void two_threads_agree(void **state)
{
    struct codes *codes = codes_new();
    pthread_t other;

    (void)state;
    assert_int_equal(pthread_create(&other, NULL, add_all, codes), 0);
    add_all(codes);
    pthread_join(other, NULL);
    assert_int_equal(codes_count(codes), NAMES);
    codes_free(codes);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_content_is_one_record),
        cmocka_unit_test(every_field_tells_apart),
        cmocka_unit_test(two_threads_agree),
    };

    return cmocka_run_group_tests_name("code", tests, NULL, NULL);
}
