/* SPDX-License-Identifier: MIT */
/* Parsing of the kernel's records: perf_event_open(2), "MMAP layout". */
#include "config.h"

#include "perf_record.h"

#include <asm/perf_regs.h>
#include <string.h>

#ifdef __x86_64__
static const uint8_t general[] = { PERF_REG_X86_BX,  PERF_REG_X86_R12, PERF_REG_X86_R13,
                                   PERF_REG_X86_R14, PERF_REG_X86_R15, PERF_REG_X86_AX,
                                   PERF_REG_X86_DX,  PERF_REG_X86_CX,  PERF_REG_X86_SI,
                                   PERF_REG_X86_DI,  PERF_REG_X86_R10, PERF_REG_X86_R11 };
enum { REG_IP = PERF_REG_X86_IP, REG_SP = PERF_REG_X86_SP, REG_BP = PERF_REG_X86_BP, REG_LR = -1 };
/* All but the flags, the segments, r8 and r9. */
const uint64_t perf_user_registers = 1ull << PERF_REG_X86_AX | 1ull << PERF_REG_X86_BX |
                                     1ull << PERF_REG_X86_CX | 1ull << PERF_REG_X86_DX |
                                     1ull << PERF_REG_X86_SI | 1ull << PERF_REG_X86_DI |
                                     1ull << PERF_REG_X86_BP | 1ull << PERF_REG_X86_SP |
                                     1ull << PERF_REG_X86_IP | 0x3full << PERF_REG_X86_R10;
#elif defined(__aarch64__)
static const uint8_t general[] = { PERF_REG_ARM64_X19, PERF_REG_ARM64_X20, PERF_REG_ARM64_X21,
                                   PERF_REG_ARM64_X22, PERF_REG_ARM64_X23, PERF_REG_ARM64_X24,
                                   PERF_REG_ARM64_X25, PERF_REG_ARM64_X26, PERF_REG_ARM64_X27,
                                   PERF_REG_ARM64_X28 };
enum {
    REG_IP = PERF_REG_ARM64_PC,
    REG_SP = PERF_REG_ARM64_SP,
    REG_BP = PERF_REG_ARM64_X29,
    REG_LR = PERF_REG_ARM64_LR
};
const uint64_t perf_user_registers = 0x3ffull << PERF_REG_ARM64_X19 | 1ull << PERF_REG_ARM64_X29 |
                                     1ull << PERF_REG_ARM64_LR | 1ull << PERF_REG_ARM64_SP |
                                     1ull << PERF_REG_ARM64_PC;
#else
#error "proftop knows the registers of x86-64 and aarch64"
#endif

/* A record is shorter than 64 KiB: more than these it cannot hold. */
enum { CHAIN_MAX = 8192, STACK_MAX = 1 << 16, GROUP_MAX = 64 };

/* Takes words and pieces off a record without ever passing its end. */
struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static struct reader reader_of(const struct perf_event_header *header)
{
    const uint8_t *bytes = (const uint8_t *)header;

    return (struct reader){ bytes + sizeof(*header), bytes + header->size, false };
}

static const void *take(struct reader *reader, size_t size)
{
    const uint8_t *at = reader->at;

    if (reader->bad || size > (size_t)(reader->end - at)) {
        reader->bad = true;
        return NULL;
    }
    reader->at += size;
    return at;
}

static uint64_t take_u64(struct reader *reader)
{
    uint64_t value = 0;
    const void *at = take(reader, sizeof(value));

    if (at != NULL)
        memcpy(&value, at, sizeof(value));
    return value;
}

static int32_t take_i32(struct reader *reader)
{
    int32_t value = 0;
    const void *at = take(reader, sizeof(value));

    if (at != NULL)
        memcpy(&value, at, sizeof(value));
    return value;
}

/* A text that ends inside the record, or NULL. */
static const char *take_text(struct reader *reader)
{
    const char *text = (const char *)reader->at;

    if (reader->bad || memchr(text, '\0', (size_t)(reader->end - reader->at)) == NULL)
        return NULL;
    return text;
}

static void take_group(struct reader *reader, struct perf_sample *sample)
{
    sample->group_count = take_u64(reader);
    if (sample->group_count > GROUP_MAX)
        reader->bad = true;
    sample->group = take(reader, sample->group_count * sizeof(*sample->group));
}

/* The kernel's part of the call chain stands between its marker and the next. */
static void take_callchain(struct reader *reader, struct perf_sample *sample)
{
    uint64_t count = take_u64(reader);
    const uint64_t *ips;

    if (count > CHAIN_MAX) {
        reader->bad = true;
        return;
    }
    ips = take(reader, count * sizeof(*ips));
    if (ips == NULL || count == 0 || ips[0] != (uint64_t)PERF_CONTEXT_KERNEL)
        return;
    sample->kernel = ips + 1;
    while (sample->kernel_count < count - 1 &&
           sample->kernel[sample->kernel_count] < (uint64_t)PERF_CONTEXT_MAX)
        sample->kernel_count++;
}

static uint64_t register_at(const uint64_t *values, int wanted)
{
    uint64_t below = perf_user_registers & ((1ull << wanted) - 1);

    return values[__builtin_popcountll(below)];
}

static void take_registers(struct reader *reader, struct perf_sample *sample)
{
    uint64_t abi = take_u64(reader);
    struct registers *registers = &sample->registers;
    const uint64_t *values;

    if (abi == PERF_SAMPLE_REGS_ABI_NONE)
        return;
    values = take(reader, (size_t)__builtin_popcountll(perf_user_registers) * sizeof(*values));
    if (values == NULL)
        return;
    sample->compat = abi != PERF_SAMPLE_REGS_ABI_64;
    registers->ip = register_at(values, REG_IP);
    registers->sp = register_at(values, REG_SP);
    registers->bp = register_at(values, REG_BP);
    registers->known = KNOWN_IP | KNOWN_SP | KNOWN_BP | KNOWN_GENERAL;
    for (size_t i = 0; i < sizeof(general); i++)
        registers->general[i] = register_at(values, general[i]);
    if (REG_LR >= 0) {
        registers->lr = register_at(values, REG_LR >= 0 ? REG_LR : 0);
        registers->known |= KNOWN_LR;
    }
}

static void take_stack(struct reader *reader, struct perf_sample *sample)
{
    uint64_t asked = take_u64(reader);
    uint64_t size;

    if (asked == 0)
        return;
    if (asked > STACK_MAX) {
        reader->bad = true;
        return;
    }
    sample->stack = take(reader, asked);
    size = take_u64(reader);
    if (sample->stack == NULL || size > asked)
        return;
    sample->stack_asked = asked;
    sample->stack_size = size;
}

bool perf_parse_sample(const struct perf_event_header *header, uint64_t layout,
                       struct perf_sample *sample)
{
    struct reader reader = reader_of(header);

    memset(sample, 0, sizeof(*sample));
    sample->ip = take_u64(&reader);
    sample->pid = take_i32(&reader);
    sample->tid = take_i32(&reader);
    sample->time_ns = take_u64(&reader);
    sample->period = (layout & PERF_SAMPLE_PERIOD) != 0 ? take_u64(&reader) : 1;
    if ((layout & PERF_SAMPLE_READ) != 0)
        take_group(&reader, sample);
    if ((layout & PERF_SAMPLE_CALLCHAIN) != 0)
        take_callchain(&reader, sample);
    take_registers(&reader, sample);
    take_stack(&reader, sample);
    return !reader.bad;
}

uint64_t perf_record_time(const struct perf_event_header *header)
{
    const uint8_t *bytes = (const uint8_t *)header;
    uint64_t time_ns = 0;

    /* Of the others the time is the last word: sample_id_all with TID and TIME. */
    if (header->type == PERF_RECORD_SAMPLE && header->size >= 32)
        memcpy(&time_ns, bytes + 24, sizeof(time_ns));
    else if (header->type != PERF_RECORD_SAMPLE && header->size >= 24)
        memcpy(&time_ns, bytes + header->size - sizeof(time_ns), sizeof(time_ns));
    return time_ns;
}

bool perf_parse_mmap(const struct perf_event_header *header, int32_t *pid, struct maps_line *line)
{
    struct reader reader = reader_of(header);
    uint64_t address, length;
    uint32_t major, minor, protection;

    memset(line, 0, sizeof(*line));
    *pid = take_i32(&reader);
    take_i32(&reader); /* tid */
    address = take_u64(&reader);
    length = take_u64(&reader);
    line->offset = take_u64(&reader);
    major = (uint32_t)take_i32(&reader);
    minor = (uint32_t)take_i32(&reader);
    line->inode = take_u64(&reader);
    take_u64(&reader); /* inode generation */
    protection = (uint32_t)take_i32(&reader);
    take_i32(&reader); /* flags */
    line->path = take_text(&reader);
    if (reader.bad || line->path == NULL || address + length < address)
        return false;
    line->start = address;
    line->end = address + length;
    line->device = (uint64_t)major << 32 | minor;
    line->readable = protection & 1;
    line->writable = protection & 2;
    line->executable = protection & 4;
    return true;
}

bool perf_parse_task(const struct perf_event_header *header, struct perf_task *task)
{
    struct reader reader = reader_of(header);

    task->pid = take_i32(&reader);
    task->ppid = take_i32(&reader);
    task->tid = take_i32(&reader);
    task->ptid = take_i32(&reader);
    return !reader.bad;
}

bool perf_parse_comm(const struct perf_event_header *header, int32_t *pid, int32_t *tid,
                     const char **name)
{
    struct reader reader = reader_of(header);

    *pid = take_i32(&reader);
    *tid = take_i32(&reader);
    *name = take_text(&reader);
    return !reader.bad && *name != NULL;
}

uint64_t perf_parse_lost(const struct perf_event_header *header)
{
    struct reader reader = reader_of(header);

    if (header->type == PERF_RECORD_LOST)
        take_u64(&reader); /* id */
    return take_u64(&reader);
}
