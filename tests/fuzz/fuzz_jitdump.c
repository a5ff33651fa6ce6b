/* SPDX-License-Identifier: MIT */
/* A hostile jitdump: what it tells of can be found again. */
#include "config.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/symbols/jitdump.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jitdump dump = { .fd = memfd_create("fuzz", MFD_CLOEXEC) };
    struct jit_table *table = jit_table_new();
    struct arena *texts = arena_new();

    FUZZ_CHECK(write(dump.fd, data, size) == (ssize_t)size);
    jitdump_read(&dump, table, texts);
    for (uint32_t i = 0; i < jit_table_count(table); i++) {
        const struct jit_code *code = jit_table_get(table, i);

        FUZZ_CHECK(strlen(code->name) < size);
        FUZZ_CHECK(jit_table_find(table, code->start) >= i);
        for (uint32_t k = 1; k < code->line_count; k++)
            FUZZ_CHECK(code->lines[k - 1].offset <= code->lines[k].offset);
    }
    close(dump.fd);
    jit_table_free(table);
    arena_free(texts);
    return 0;
}
