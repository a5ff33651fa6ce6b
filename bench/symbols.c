/* SPDX-License-Identifier: MIT */
/*
 * Names and lines of addresses in a file, from standard input, the way addr2line -a -i -f prints
 * them:
 *
 *     symbols FILE < addresses           function, file:line for each inlined call; "??" if unknown
 *     symbols -C FILE < addresses        functions demangled
 *     symbols --time FILE < addresses    only what it took, to compare with others
 *
 * Addresses are hexadecimal, the program's own (not offsets in the file).
 */
#include "config.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "proftop/clock.h"
#include "proftop/code.h"
#include "proftop/memory.h"
#include "proftop/symbols.h"
#include "src/symbols/elf_file.h"

enum {
    OUTPUT_BYTES = 1 << 16,
    TEXT_MAX_BYTES = 1 << 14, /* of a name or a path that is printed */
    ADDRESS_BYTES = 19,       /* "0x", digits, a newline */
    NUMBERS_BYTES = 16,       /* a line's number and what is around it */
    SHORTEST_ADDRESS = 2,     /* a digit and a newline */
    LINES_LIKELY = 1,         /* for each address, beside those of its neighbours */
    AHEAD = 8
};

#define LINE_NONE UINT32_MAX

/* What is printed of a frame; the texts are the symbols' own. */
struct line {
    const char *name, *file;
    uint16_t name_size, file_size;
    uint32_t number;
    uint32_t caller; /* the line behind it, LINE_NONE for the outermost; neighbours share theirs */
};

struct bench {
    struct modules *modules;
    struct codes *codes;
    struct symbols *symbols;
    struct elf_segments segments;
    module_id module;
    bool demangled;
    struct frame *frames;
    uint64_t *addresses;
    uint32_t *answers; /* the innermost line of each */
    size_t count;
    struct line *lines; /* in the order they were given */
    size_t lines_count, lines_capacity;
    struct {
        uint32_t line;
        const char *raw_name;
    } last[SYMBOLS_CHAIN_MAX]; /* the chain before, from the outermost on */
    size_t last_count;
    size_t frames_given, output_size;
    char output[OUTPUT_BYTES];
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

static void add_address(struct bench *bench, uint64_t address)
{
    struct frame frame = { .kind = FRAME_NATIVE, .module = bench->module };

    if (!elf_segments_offset(&bench->segments, address, &frame.address))
        frame.address = UINT64_MAX;
    bench->addresses[bench->count] = address;
    bench->frames[bench->count++] = frame;
}

/* Digits, each 1 more than it is: of random ones no processor guesses which are letters. */
static const uint8_t digit_of[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* "0x12ab", with or without the 0x; *END is AT when it is none. */
static uint64_t parse_address(char *at, char **end)
{
    uint64_t address = 0;
    uint8_t digit;

    *end = at;
    if (at[0] == '0' && at[1] == 'x')
        at += 2;
    for (; (digit = digit_of[(uint8_t)*at]) != 0; *end = ++at)
        address = address << 4 | (digit - 1u);
    return address;
}

/* COUNT addresses at most. */
static void reserve_all(struct bench *bench, size_t count)
{
    bench->frames = xmalloc(count * sizeof(*bench->frames));
    bench->addresses = xmalloc(count * sizeof(*bench->addresses));
    bench->lines_capacity = count * LINES_LIKELY;
    bench->lines = xmalloc(bench->lines_capacity * sizeof(*bench->lines));
}

/* On a thread of its own: the file's names and lines are opened while addresses are read. */
static void *open_names(void *argument)
{
    struct bench *bench = argument;
    const struct frame frame = { .kind = FRAME_NATIVE,
                                 .module = bench->module,
                                 .address = bench->segments.items[0].offset };
    struct symbol chain[SYMBOLS_CHAIN_MAX];

    symbols_full(bench->symbols, &frame, chain, SYMBOLS_CHAIN_MAX);
    return NULL;
}

static void read_addresses(struct bench *bench)
{
    char *input = NULL, *at, *end;
    size_t size = 0, capacity = 0;
    ssize_t count;

    do {
        input = array_reserve(input, &capacity, size + (1 << 20), 1);
        count = read(STDIN_FILENO, input + size, capacity - size - 1);
        size += count > 0 ? (size_t)count : 0;
    } while (count > 0);
    input[size] = '\0';
    reserve_all(bench, size / SHORTEST_ADDRESS + 1);
    for (at = input; *at != '\0'; at = end + (*end == '\n')) {
        uint64_t address = parse_address(at, &end);

        if (end == at)
            die("%.20s: not an address", at);
        add_address(bench, address);
    }
    free(input);
    bench->answers = xcalloc(bench->count + 1, sizeof(*bench->answers));
}

/* ---- printing: 100,000 chains by printf() cost more than finding them ---- */

static void write_all(const char *bytes, size_t size)
{
    ssize_t count;

    for (; size > 0; bytes += count, size -= (size_t)count) {
        count = write(STDOUT_FILENO, bytes, size);
        if (count < 0)
            die("cannot write");
    }
}

/* Where SIZE bytes of output may be written, at most OUTPUT_BYTES. */
static char *room(struct bench *bench, size_t size)
{
    if (size > sizeof(bench->output) - bench->output_size) {
        write_all(bench->output, bench->output_size);
        bench->output_size = 0;
    }
    return bench->output + bench->output_size;
}

static char digits_of[256][2];   /* of a byte */
static char decimals_of[100][2]; /* of two decimal digits */

static void begin_digits(void)
{
    for (unsigned i = 0; i < 256; i++) {
        digits_of[i][0] = "0123456789abcdef"[i >> 4];
        digits_of[i][1] = "0123456789abcdef"[i & 0xf];
    }
    for (unsigned i = 0; i < 100; i++) {
        decimals_of[i][0] = (char)('0' + i / 10);
        decimals_of[i][1] = (char)('0' + i % 10);
    }
}

/* To its place at once: a copy of what was just written as single bytes waits for them. */
static char *put_number(char *to, uint32_t number)
{
    char *end = to + 1;

    for (uint64_t power = 10; power <= number; power *= 10)
        end++;
    for (to = end; number >= 100; number /= 100)
        memcpy(to -= 2, decimals_of[number % 100], 2);
    if (number >= 10)
        memcpy(to - 2, decimals_of[number], 2);
    else
        to[-1] = decimals_of[number][1];
    return end;
}

static void put_address(struct bench *bench, uint64_t address)
{
    char *to = room(bench, ADDRESS_BYTES);

    memcpy(to, "0x", 2);
    for (int i = 0; i < 8; i++)
        memcpy(to + 2 + 2 * i, digits_of[address >> (56 - 8 * i) & 0xff], 2);
    to[18] = '\n';
    bench->output_size += ADDRESS_BYTES;
}

static void put_line(struct bench *bench, const struct line *line)
{
    char *to = room(bench, (size_t)line->name_size + line->file_size + NUMBERS_BYTES), *start = to;

    memcpy(to, line->name, line->name_size);
    to += line->name_size;
    *to++ = '\n';
    memcpy(to, line->file, line->file_size);
    to += line->file_size;
    *to++ = ':';
    to = put_number(to, line->number);
    *to++ = '\n';
    bench->output_size += (size_t)(to - start);
}

static struct line line_of(struct bench *bench, const struct symbol *symbol, uint32_t caller)
{
    const char *name = bench->demangled ? symbols_name(bench->symbols, symbol) : symbol->raw_name;
    struct line line = { .name = symbol->known ? name : "??",
                         .file = symbol->file[0] != '\0' ? symbol->file : "??",
                         .number = symbol->line,
                         .caller = caller };

    line.name_size = (uint16_t)strnlen(line.name, TEXT_MAX_BYTES);
    line.file_size = (uint16_t)strnlen(line.file, TEXT_MAX_BYTES);
    return line;
}

/* How many of the COUNT frames of CHAIN are, from the outermost on, those of the chain before. */
static size_t same_as_last(const struct bench *bench, const struct symbol *chain, size_t count)
{
    size_t same = 0;

    while (same < count && same < bench->last_count) {
        const struct symbol *now = &chain[count - 1 - same];
        const struct line *then = &bench->lines[bench->last[same].line];

        if (then->number != now->line || then->file != now->file ||
            bench->last[same].raw_name != now->raw_name)
            break;
        same++;
    }
    return same;
}

static bool keep_chain(void *context, size_t index, const struct symbol *chain, size_t count)
{
    struct bench *bench = context;
    size_t same = same_as_last(bench, chain, count);
    uint32_t caller = same > 0 ? bench->last[same - 1].line : LINE_NONE;

    bench->lines = array_reserve(bench->lines, &bench->lines_capacity, bench->lines_count + count,
                                 sizeof(*bench->lines));
    for (size_t i = same; i < count; i++) {
        const struct symbol *symbol = &chain[count - 1 - i];

        bench->lines[bench->lines_count] = line_of(bench, symbol, caller);
        caller = (uint32_t)bench->lines_count++;
        bench->last[i].line = caller;
        bench->last[i].raw_name = symbol->raw_name;
    }
    bench->last_count = count;
    bench->answers[index] = caller;
    bench->frames_given += count;
    return true;
}

static void print_answer(struct bench *bench, size_t index)
{
    put_address(bench, bench->addresses[index]);
    for (uint32_t at = bench->answers[index]; at != LINE_NONE; at = bench->lines[at].caller)
        put_line(bench, &bench->lines[at]);
}

static void print_all(struct bench *bench)
{
    symbols_many(bench->symbols, bench->frames, bench->count, keep_chain, bench);
    begin_digits();
    for (size_t i = 0; i < bench->count; i++) {
        /* In the order asked for, the lines are all over memory. */
        if (i + AHEAD < bench->count)
            __builtin_prefetch(bench->lines + bench->answers[i + AHEAD]);
        print_answer(bench, i);
    }
    write_all(bench->output, bench->output_size);
}

/* ---- only what it took ---- */

static double ms_since(uint64_t began_ns)
{
    return (double)(clock_thread_cpu_ns() - began_ns) / 1e6;
}

/* What .symtab and .strtab of FILE take. */
static double symtab_bytes(const char *path)
{
    struct elf_file file;
    GElf_Shdr shdr;
    double bytes = 0;

    if (elf_file_open_path(&file, path) != TROUBLE_NONE)
        return 0;
    if (elf_file_section(&file, ".symtab", &shdr) != NULL)
        bytes += (double)shdr.sh_size;
    if (elf_file_section(&file, ".strtab", &shdr) != NULL)
        bytes += (double)shdr.sh_size;
    elf_file_close(&file);
    return bytes;
}

struct cached {
    struct bench *bench;
    size_t count; /* no more than the cache holds */
};

static void look_up_cached(void *context, uint64_t count)
{
    struct cached *cached = context;
    struct symbols *symbols = cached->bench->symbols;
    struct symbol symbol;

    for (uint64_t i = 0; i < count; i++) {
        symbols_fast(symbols, &cached->bench->frames[i % cached->count], &symbol);
        symbols_name(symbols, &symbol);
    }
}

static void time_all(struct bench *bench, const char *path)
{
    struct cached cached = { bench, bench->count < 1000 ? bench->count : 1000 };
    struct bench_way way = { "a name, cached", look_up_cached, &cached };
    uint64_t began_ns = clock_thread_cpu_ns();
    double table = symtab_bytes(path);
    struct symbols_counts counts;
    struct symbol symbol;

    symbols_fast(bench->symbols, &bench->frames[0], &symbol);
    symbols_name(bench->symbols, &symbol);
    bench_figure("first name, file opened to named", ms_since(began_ns), "ms");
    symbols_counts(bench->symbols, &counts);
    bench_figure("memory for names", (double)counts.bytes / 1e6, "MB");
    if (table != 0)
        bench_figure("  over .symtab + .strtab", (double)counts.bytes / table, "times");
    began_ns = clock_thread_cpu_ns();
    for (size_t i = 0; i < bench->count; i++) {
        symbols_fast(bench->symbols, &bench->frames[i], &symbol);
        symbols_name(bench->symbols, &symbol);
    }
    bench_figure("a name, not cached", ms_since(began_ns) * 1e6 / (double)bench->count, "ns");
    bench_one(&way, 100000, 100);
    symbols_counts(bench->symbols, &counts);
    bench_figure("memory once all are named", (double)counts.bytes / 1e6, "MB");
    if (table != 0)
        bench_figure("  over .symtab + .strtab", (double)counts.bytes / table, "times");
    began_ns = clock_now_ns(); /* of all threads, from here on */
    symbols_many(bench->symbols, bench->frames, bench->count, keep_chain, bench);
    bench_figure("all chains with lines", (double)(clock_now_ns() - began_ns) / 1e6, "ms");
    bench_figure("  frames in them", (double)bench->frames_given, "");
    began_ns = clock_now_ns();
    symbols_many(bench->symbols, bench->frames, bench->count, keep_chain, bench);
    bench_figure("all once more", (double)(clock_now_ns() - began_ns) / 1e6, "ms");
}

int main(int argc, char **argv)
{
    bool timed = argc == 3 && strcmp(argv[1], "--time") == 0;
    bool demangled = argc == 3 && strcmp(argv[1], "-C") == 0;
    const char *path = argv[argc - 1];
    static struct bench bench;
    pthread_t opener;

    if (argc != (timed || demangled ? 3 : 2)) {
        fprintf(stderr, "usage: symbols [-C | --time] FILE < ADDRESSES\n");
        return 2;
    }
    bench.demangled = demangled;
    if (!open_file(&bench, path)) {
        fprintf(stderr, "symbols: cannot read %s\n", path);
        return 3;
    }
    if (!timed && pthread_create(&opener, NULL, open_names, &bench) != 0)
        die("no thread to open names with");
    read_addresses(&bench);
    if (timed && bench.count > 0)
        time_all(&bench, path);
    else
        print_all(&bench);
    return 0; /* the kernel frees faster */
}
