/* SPDX-License-Identifier: MIT */
/* A hostile name: demangled within bounds, and shortened to every width. */
#include "config.h"

#include <string.h>

#include "proftop/memory.h"
#include "proftop/symbols.h"
#include "src/symbols/demangle.h"
#include "tests/fuzz/fuzz.h"

static size_t characters(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *raw = xstrndup((const char *)data, size), plain[DEMANGLED_MAX];
    const char *name = raw;
    char *out;
    size_t out_size;

    if (demangle(raw, plain)) {
        FUZZ_CHECK(strlen(plain) < DEMANGLED_MAX);
        name = plain;
    }
    out_size = strlen(name) + sizeof("…");
    out = xmalloc(out_size);
    for (size_t columns = 0; columns < 100; columns += 7) {
        symbol_shorten(name, columns, out, out_size);
        FUZZ_CHECK(characters(out) <= columns);
    }
    free(out);
    free(raw);
    return 0;
}
