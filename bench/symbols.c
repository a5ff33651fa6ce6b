/* SPDX-License-Identifier: MIT */
/*
 * Names and lines of addresses in a file, from standard input, the way addr2line prints them:
 *
 *     symbols FILE < addresses          function, file:line, for each inlined call; "??" when
 * unknown symbols --time FILE < addresses   only what it took, to compare with others
 *
 * Addresses are hexadecimal, the program's own (not offsets in the file).
 */
#include "config.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/code.h"
#include "proftop/memory.h"
#include "proftop/symbols.h"
#include "src/symbols/elf_file.h"

struct bench {
    struct modules *modules;
    struct codes *codes;
    struct symbols *symbols;
    struct elf_segments segments;
    module_id module;
    struct frame *frames;
    uint64_t *addresses;
    size_t count, capacity, addresses_capacity;
};

static bool open_file(struct bench *bench, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct module module = { .kind = MODULE_FILE, .path = path };
    struct symbols_config config = { .inlines = true };
    struct elf_file file;

    module.name = slash != NULL ? slash + 1 : path;
    module.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (module.fd < 0 || elf_file_open_fd(&file, module.fd) != TROUBLE_NONE)
        return false;
    elf_file_segments(&file, &bench->segments);
    elf_file_close(&file);
    bench->modules = modules_new();
    bench->codes = codes_new();
    bench->symbols = symbols_new(&config, bench->modules, bench->codes);
    bench->module = modules_add(bench->modules, &module)->id;
    return true;
}

static void read_addresses(struct bench *bench)
{
    char line[64];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        uint64_t offset, address = strtoull(line, NULL, 16);
        struct frame frame = { .kind = FRAME_NATIVE, .module = bench->module };

        if (!elf_segments_offset(&bench->segments, address, &offset))
            offset = UINT64_MAX;
        frame.address = offset;
        bench->frames = array_reserve(bench->frames, &bench->capacity, bench->count + 1,
                                      sizeof(*bench->frames));
        bench->addresses = array_reserve(bench->addresses, &bench->addresses_capacity,
                                         bench->count + 1, sizeof(*bench->addresses));
        bench->addresses[bench->count] = address;
        bench->frames[bench->count++] = frame;
    }
}

static void print_all(struct bench *bench)
{
    for (size_t i = 0; i < bench->count; i++) {
        struct symbol chain[SYMBOLS_CHAIN_MAX];
        size_t count = symbols_full(bench->symbols, &bench->frames[i], chain, SYMBOLS_CHAIN_MAX);

        printf("0x%016" PRIx64 "\n", bench->addresses[i]);
        for (size_t k = 0; k < count; k++)
            printf("%s\n%s:%" PRIu32 "\n", chain[k].known ? chain[k].name : "??",
                   chain[k].file[0] != '\0' ? chain[k].file : "??", chain[k].line);
    }
}

static void time_all(struct bench *bench)
{
    enum { rounds = 20 };
    struct symbol chain[SYMBOLS_CHAIN_MAX];
    struct symbols_counts counts;
    uint64_t began_ns = clock_thread_cpu_ns(), first_ns, fast_ns, again_ns, full_ns, more_ns;
    size_t frames = 0;

    symbols_fast(bench->symbols, &bench->frames[0], &chain[0]);
    first_ns = clock_thread_cpu_ns() - began_ns;
    began_ns = clock_thread_cpu_ns();
    for (size_t i = 0; i < bench->count; i++)
        symbols_fast(bench->symbols, &bench->frames[i], &chain[0]);
    fast_ns = clock_thread_cpu_ns() - began_ns;
    began_ns = clock_thread_cpu_ns();
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < 1000 && i < bench->count; i++)
            symbols_fast(bench->symbols, &bench->frames[i], &chain[0]);
    }
    again_ns = clock_thread_cpu_ns() - began_ns;
    symbols_counts(bench->symbols, &counts);
    began_ns = clock_thread_cpu_ns();
    for (size_t i = 0; i < bench->count; i++)
        frames += symbols_full(bench->symbols, &bench->frames[i], chain, SYMBOLS_CHAIN_MAX);
    full_ns = clock_thread_cpu_ns() - began_ns;
    began_ns = clock_thread_cpu_ns();
    for (size_t i = 0; i < bench->count; i++)
        symbols_full(bench->symbols, &bench->frames[i], chain, SYMBOLS_CHAIN_MAX);
    more_ns = clock_thread_cpu_ns() - began_ns;
    printf("first name            %9.1f ms\n", (double)first_ns / 1e6);
    printf("a name, not cached    %9.0f ns\n", (double)fast_ns / (double)bench->count);
    printf("a name, cached        %9.0f ns\n",
           (double)again_ns / rounds / (double)(bench->count < 1000 ? bench->count : 1000));
    printf("memory for names      %9.2f MB\n", (double)counts.bytes / 1e6);
    printf("all chains with lines %9.1f ms (%zu addresses, %zu frames)\n", (double)full_ns / 1e6,
           bench->count, frames);
    printf("all once more         %9.1f ms\n", (double)more_ns / 1e6);
}

int main(int argc, char **argv)
{
    bool timed = argc == 3 && strcmp(argv[1], "--time") == 0;
    struct bench bench = { 0 };

    if (argc != (timed ? 3 : 2)) {
        fprintf(stderr, "usage: symbols [--time] FILE < ADDRESSES\n");
        return 2;
    }
    if (!open_file(&bench, argv[argc - 1])) {
        fprintf(stderr, "symbols: cannot read %s\n", argv[argc - 1]);
        return 3;
    }
    read_addresses(&bench);
    if (timed && bench.count > 0)
        time_all(&bench);
    else
        print_all(&bench);
    symbols_free(bench.symbols);
    codes_free(bench.codes);
    modules_free(bench.modules);
    free(bench.frames);
    free(bench.addresses);
    return 0;
}
