/* SPDX-License-Identifier: MIT */
/* Which functions are CPython's machinery, hidden behind the Python frames they serve. */
#include "config.h"

#include "src/profile/interpreter.h"

#include "tests/harness/testing.h"

static bool is_machinery(enum frame_kind kind, const char *module, const char *name)
{
    struct function function = { .kind = kind, .module = module, .name = name, .file = "" };

    return function_is_interpreter(&function);
}

static void test_evaluation_calls_and_allocation_are(void **state)
{
    (void)state;
    assert_true(is_machinery(FRAME_NATIVE, "python3.11", "_PyEval_EvalFrameDefault"));
    assert_true(is_machinery(FRAME_INLINE, "libpython3.13.so.1.0", "pymalloc_alloc"));
    assert_true(is_machinery(FRAME_NATIVE, "python3.11", "run_mod.lto_priv.0"));
    assert_true(is_machinery(FRAME_NATIVE, "libpython3.9.so.1.0", "memcpy@plt"));
}

static void test_code_without_a_name_is(void **state)
{
    (void)state;
    assert_true(is_machinery(FRAME_NATIVE, "python3.14", "python3.14+0x1d3f20"));
    assert_false(is_machinery(FRAME_NATIVE, "libz.so.1", "libz.so.1+0x6067"));
}

static void test_what_a_program_asked_for_is_not(void **state)
{
    (void)state;
    assert_false(is_machinery(FRAME_NATIVE, "python3.11", "builtin_sorted.lto_priv.0"));
    assert_false(is_machinery(FRAME_NATIVE, "python3.11", "list_sort_impl.lto_priv.0"));
    assert_false(is_machinery(FRAME_NATIVE, "python3.11", "zlib_compress_impl"));
    assert_false(is_machinery(FRAME_NATIVE, "_json.cpython-311.so", "scan_once_unicode"));
    assert_false(is_machinery(FRAME_PYTHON, "", "main"));
    assert_false(is_machinery(FRAME_NATIVE, "app", "PyEval_EvalCode"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluation_calls_and_allocation_are),
        cmocka_unit_test(test_code_without_a_name_is),
        cmocka_unit_test(test_what_a_program_asked_for_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
