/* SPDX-License-Identifier: MIT */
/* Names from strangers, made printable: what comes out fits, is whole, and holds no control byte.
 */
#include "config.h"

#include <locale.h>
#include <string.h>

#include "proftop/memory.h"
#include "proftop/text.h"
#include "tests/fuzz/fuzz.h"

static void check_printable(const char *text, bool ascii)
{
    for (const char *at = text; *at != '\0';) {
        int length;
        int32_t code = text_decode(at, &length);

        FUZZ_CHECK(code != TEXT_INVALID);
        FUZZ_CHECK(code >= ' ' && code != 0x7f && (code < 0x80 || code > 0x9f));
        FUZZ_CHECK(!ascii || code < 0x80);
        at += length;
    }
}

static void check_fit(const char *text, int columns, bool ascii)
{
    char buffer[256];

    text_fit(buffer, sizeof(buffer), text, columns, ascii);
    FUZZ_CHECK(memchr(buffer, '\0', sizeof(buffer)) != NULL);
    FUZZ_CHECK(text_width(buffer) <= columns);
    check_printable(buffer, ascii);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup((const char *)data, size), buffer[64];
    const char *rest = text;
    int columns = 0, width;

    setlocale(LC_CTYPE, "C.UTF-8");
    while ((width = text_next(&rest, buffer, sizeof(buffer), false)) >= 0) {
        FUZZ_CHECK(rest <= text + strlen(text));
        check_printable(buffer, false);
        columns += width;
    }
    FUZZ_CHECK(columns == text_width(text));
    check_fit(text, 0, false);
    check_fit(text, 7, false);
    check_fit(text, 40, true);
    free(text);
    return 0;
}
