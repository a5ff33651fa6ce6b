/* SPDX-License-Identifier: MIT */
/* What people write for a range of time: refused in words, or a range that begins before it ends.
 */
#include "config.h"

#include <string.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "proftop/scope.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xstrndup((const char *)data, size);
    struct error error = { 0 };
    struct scope scope;

    scope_init(&scope);
    if (scope_parse_range(&scope, text, 5 * NS_PER_S, INT64_C(1700000000) * 1000000000, &error))
        FUZZ_CHECK(scope.start_ns < scope.end_ns);
    else
        FUZZ_CHECK(error.message[0] != '\0' && scope.end_ns == UINT64_MAX);
    free(text);
    return 0;
}
