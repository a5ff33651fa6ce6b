/* SPDX-License-Identifier: MIT */
/* Errors in words, and the status each becomes. */
#include "config.h"

#include "proftop/error.h"

#include <errno.h>
#include <string.h>

#include "tests/harness/testing.h"

static void setting_fills_code_and_words_and_is_false(void **state)
{
    struct error error;

    (void)state;
    memset(&error, 0xff, sizeof(error));
    assert_false(error_set(&error, STATUS_DAMAGED, "file %s, byte %d", "x", 12));
    assert_int_equal(error.code, STATUS_DAMAGED);
    assert_string_equal(error.message, "file x, byte 12");
    assert_string_equal(error.hint, "");
    error_hint(&error, "try %s", "y");
    assert_string_equal(error.hint, "try y");
}

static void errno_chooses_the_status(void **state)
{
    static const struct {
        int number;
        enum status status;
    } expected[] = {
        { ENOENT, STATUS_MISSING }, { ESRCH, STATUS_MISSING }, { ENOTDIR, STATUS_MISSING },
        { EPERM, STATUS_DENIED },   { EACCES, STATUS_DENIED }, { ENOSPC, STATUS_FAILED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
        struct error error = { 0 };

        assert_false(error_errno(&error, expected[i].number, "no"));
        assert_int_equal(error.code, expected[i].status);
    }
}

static void nobody_listening_is_fine(void **state)
{
    (void)state;
    assert_false(error_set(NULL, STATUS_FAILED, "x"));
    assert_false(error_errno(NULL, ENOENT, "x"));
    error_hint(NULL, "x");
}

static void long_words_are_cut(void **state)
{
    struct error error;
    char words[3000];

    (void)state;
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    error_set(&error, STATUS_FAILED, "%s", words);
    error_hint(&error, "%s", words);
    assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
    assert_int_equal(strlen(error.hint), sizeof(error.hint) - 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_fills_code_and_words_and_is_false),
        cmocka_unit_test(errno_chooses_the_status),
        cmocka_unit_test(nobody_listening_is_fine),
        cmocka_unit_test(long_words_are_cut),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
