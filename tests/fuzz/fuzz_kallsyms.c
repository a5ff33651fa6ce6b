/* SPDX-License-Identifier: MIT */
/* A hostile kallsyms, as a recorded /proc may hold one. */
#include "config.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "src/symbols/kallsyms.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct symbol_table *table = symbol_table_new();
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    char path[64];

    FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    kallsyms_load(table, path);
    symbol_table_finish(table);
    for (size_t i = 0; i < symbol_table_count(table); i++) {
        const struct range *range = symbol_table_at(table, i);

        FUZZ_CHECK(symbol_table_find(table, range->start) == range);
        FUZZ_CHECK(symbol_table_name(table, range)[0] != '\0');
    }
    close(fd);
    symbol_table_free(table);
    return 0;
}
