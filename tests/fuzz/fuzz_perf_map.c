/* SPDX-License-Identifier: MIT */
/* A hostile perf map: what is read of it answers, and names are taken apart without a step too far.
 */
#include "config.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proftop/arena.h"
#include "proftop/memory.h"
#include "src/symbols/line_reader.h"
#include "src/symbols/perf_map.h"
#include "tests/fuzz/fuzz.h"

static void add_line(struct jit_table *table, struct arena *texts, const char *line)
{
    char text[JIT_NAME_MAX];
    struct jit_code code;
    const char *file;
    unsigned number;

    if (!perf_map_parse(line, &code))
        return;
    code.name = arena_strdup(texts, code.name);
    jit_table_add(table, &code);
    perf_map_name(code.name, text, &file, &number);
    FUZZ_CHECK(strlen(text) + 1 + strlen(file) + 1 <= JIT_NAME_MAX);
    FUZZ_CHECK(jit_table_find(table, code.start) == jit_table_count(table) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line_reader *reader = xmalloc(sizeof(*reader));
    struct jit_table *table = jit_table_new();
    struct arena *texts = arena_new();
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    char *line;

    FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
    line_reader_init(reader, fd, UINT64_MAX);
    while ((line = line_reader_next(reader)) != NULL)
        add_line(table, texts, line);
    close(fd);
    jit_table_free(table);
    arena_free(texts);
    free(reader);
    return 0;
}
