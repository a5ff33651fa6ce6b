/* SPDX-License-Identifier: MIT */
/* What is said of functions beside their names. */
#include "config.h"

#include "proftop/names.h"

#include <string.h>

#include "proftop/text.h"
#include "tests/harness/testing.h"

static void machine_code_without_a_name_is_known_as_such(void **state)
{
    static const struct {
        enum frame_kind kind;
        const char *name, *module;
        bool nameless;
    } cases[] = {
        { FRAME_NATIVE, "libx.so+0x12", "libx.so", true },
        { FRAME_NATIVE, "libx.sort", "libx.so", false },
        { FRAME_NATIVE, "0x7f00", "", true },
        { FRAME_JIT, FRAME_JIT_NAMELESS, "[jit]", true },
        { FRAME_JIT, "[inner] run", "[jit]", false },
        { FRAME_PYTHON, "0x", "app.py", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct function function = { .kind = cases[i].kind,
                                     .name = cases[i].name,
                                     .module = cases[i].module };

        assert_int_equal(function_is_nameless(&function), cases[i].nameless);
        assert_int_equal(function_footnote(&function) != NULL,
                         cases[i].nameless && cases[i].kind == FRAME_JIT);
    }
}

/* It is told beside the name of what it is said of, on 80 columns. */
static void code_without_a_name_has_a_way_on(void **state)
{
    const struct function function = { .kind = FRAME_JIT,
                                       .name = FRAME_JIT_NAMELESS,
                                       .module = "[jit]" };
    const char *way_on = function_footnote(&function);

    (void)state;
    assert_non_null(strstr(way_on, "node --perf-basic-prof"));
    assert_non_null(strstr(way_on, "jcmd PID Compiler.perfmap"));
    assert_true(text_width(function.name) + 2 + text_width(way_on) <= 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine_code_without_a_name_is_known_as_such),
        cmocka_unit_test(code_without_a_name_has_a_way_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
