/* SPDX-License-Identifier: MIT */
/* JSON: the punctuation, hostile texts, numbers under a locale with a decimal comma. */
#include "config.h"

#include "proftop/json_writer.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/testing.h"

static char *text;
static size_t size;

static void begin(struct json *json)
{
    json_begin(json, open_memstream(&text, &size));
    json->compact = true;
}

static void expect(struct json *json, const char *wanted)
{
    fclose(json->stream);
    assert_string_equal(text, wanted);
    free(text);
}

static void nests(void **state)
{
    struct json json;

    (void)state;
    begin(&json);
    json_object(&json, NULL);
    json_string(&json, "a", "x");
    json_array(&json, "b");
    json_unsigned(&json, NULL, UINT64_MAX);
    json_integer(&json, NULL, -1);
    json_object(&json, NULL);
    json_end(&json);
    json_end(&json);
    json_bool(&json, "c", false);
    json_null(&json, "d");
    json_string(&json, "e", NULL);
    json_end(&json);
    expect(&json, "{\"a\":\"x\",\"b\":[18446744073709551615,-1,{}],\"c\":false,\"d\":null,"
                  "\"e\":null}\n");
}

static void escapes_what_strangers_chose(void **state)
{
    struct json json;

    (void)state;
    begin(&json);
    json_array(&json, NULL);
    json_string(&json, NULL, "\"\\\n\t\x1b\x7f");
    json_string(&json, NULL, "é\xff\xc0\x80\xed\xa0\x80|\xe2\x82");
    json_end(&json);
    expect(&json, "[\"\\\"\\\\\\n\\u0009\\u001b\\u007f\","
                  "\"é\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd|\ufffd\ufffd\"]\n");
}

static void ends_no_script(void **state)
{
    struct json json;

    (void)state;
    begin(&json);
    json.inside_html = true;
    json_array(&json, NULL);
    json_string(&json, NULL, "</script>");
    json_end(&json);
    expect(&json, "[\"\\u003c/script>\"]\n");
}

static void numbers_know_no_locale(void **state)
{
    char buffer[40];

    (void)state;
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL && setlocale(LC_NUMERIC, "de_DE") == NULL)
        setlocale(LC_NUMERIC, "C");
    assert_string_equal(plain_number(buffer, 1.5), "1.5");
    assert_string_equal(plain_number(buffer, -0.25e-10), "-2.5e-11");
    assert_string_equal(plain_number(buffer, 1e300), "1e+300");
    assert_string_equal(plain_number(buffer, 3), "3");
    assert_string_equal(plain_number(buffer, NAN), "null");
    assert_string_equal(plain_number(buffer, -INFINITY), "null");
    setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nests),
        cmocka_unit_test(escapes_what_strangers_chose),
        cmocka_unit_test(ends_no_script),
        cmocka_unit_test(numbers_know_no_locale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
