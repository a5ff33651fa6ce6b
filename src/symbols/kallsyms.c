/* SPDX-License-Identifier: MIT */
/*
 *     ffffffff81000000 T _stext
 *     ffffffffc0203000 t nf_hook	[nf_tables]
 *
 * Sizes are not told: a function reaches to the next symbol of any type.  Without permission every
 * address is 0 (kernel.kptr_restrict, proc(5)).
 */
#include "config.h"

#include "kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "line_reader.h"
#include "proftop/memory.h"

static const uint64_t file_max_bytes = UINT64_C(256) << 20;

/* The last function before a gap between modules would otherwise reach across it. */
enum { SYMBOLS_MAX = 1 << 22, REACH_MAX = 1 << 16 };

struct kernel_symbol {
    uint64_t address;
    uint32_t name;
    bool code;
};

struct kernel_symbols {
    struct kernel_symbol *items;
    size_t count, capacity;
};

static void add_line(struct symbol_table *table, struct kernel_symbols *symbols, char *line)
{
    char *rest;
    uint64_t address = strtoull(line, &rest, 16);
    struct kernel_symbol symbol = { .address = address };

    if (address == 0 || rest[0] != ' ' || rest[1] == '\0' || rest[2] != ' ' || rest[3] == '\0')
        return;
    symbol.code = strchr("tTwW", rest[1]) != NULL;
    if (symbol.code)
        symbol.name = symbol_table_strings(table, rest + 3, strlen(rest + 3));
    symbols->items = array_reserve(symbols->items, &symbols->capacity, symbols->count + 1,
                                   sizeof(*symbols->items));
    symbols->items[symbols->count++] = symbol;
}

static int compare(const void *left, const void *right)
{
    const struct kernel_symbol *a = left, *b = right;

    return a->address < b->address ? -1 : a->address > b->address;
}

static void add_functions(struct symbol_table *table, const struct kernel_symbols *symbols)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = symbols->count; i-- > 0;) {
        const struct kernel_symbol *symbol = &symbols->items[i];

        if (i + 1 < symbols->count && symbol[1].address != symbol->address)
            next = symbol[1].address;
        if (next - symbol->address > REACH_MAX)
            next = symbol->address + REACH_MAX;
        if (symbol->code)
            symbol_table_add(table, symbol->address, next - symbol->address, symbol->name,
                             BINDING_GLOBAL);
    }
}

enum trouble kallsyms_load(struct symbol_table *table, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct kernel_symbols symbols = { 0 };
    struct line_reader *reader;
    struct stat st;
    bool any = false;
    char *line;

    if (fd < 0)
        return trouble_of_errno(errno);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return TROUBLE_NOT_REGULAR;
    }
    reader = xmalloc(sizeof(*reader));
    line_reader_init(reader, fd, file_max_bytes);
    while (symbols.count < SYMBOLS_MAX && (line = line_reader_next(reader)) != NULL) {
        any = true;
        add_line(table, &symbols, line);
    }
    if (symbols.count != 0)
        qsort(symbols.items, symbols.count, sizeof(*symbols.items), compare);
    add_functions(table, &symbols);
    free(reader);
    close(fd);
    free(symbols.items);
    if (symbols.count == 0)
        return any ? TROUBLE_HIDDEN : TROUBLE_DENIED;
    return TROUBLE_NONE;
}
