/* SPDX-License-Identifier: MIT */
/* Recognising the few instructions that matter: calls, prologues, returns, signal trampolines. */
#include "config.h"

#include "calls.h"

#include <elf.h>
#include <string.h>
#include <sys/uio.h>

#include "image.h"
#include "proftop/maps.h"
#include "proftop/unwind.h"

size_t calls_code(const void *context, uint64_t address, void *to, size_t size)
{
    const struct frozen *frozen = context;
    const struct mapping *mapping = maps_find(frozen->maps, address);
    const struct module *module;

    if (mapping == NULL)
        return 0;
    if (size > mapping->end - address)
        size = mapping->end - address;
    module = mapping->module;
    if (module->kind == MODULE_FILE || module->kind == MODULE_VDSO)
        return image_peek(module, address - mapping->start + mapping->offset, to, size);
    return frozen->peek != NULL && frozen->peek(frozen->peek_context, address, to, size) ? size : 0;
}

/* Copies SIZE bytes of code at ADDRESS; false when they are in no code or can't be had. */
static bool code_read(const struct frozen *frozen, uint64_t address, void *to, size_t size)
{
    return calls_code(frozen, address, to, size) == size;
}

/* Without a file and without the target, code in memory must be believed. */
static bool code_unreadable(const struct frozen *frozen, uint64_t address)
{
    const struct mapping *mapping = maps_find(frozen->maps, address);

    return mapping != NULL && mapping->module->kind == MODULE_JIT && frozen->peek == NULL;
}

/* Loading the number of rt_sigreturn, and the system call. */
bool calls_is_trampoline(unsigned machine, const uint8_t code[CALLS_CODE_BYTES])
{
    static const uint8_t wide[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
    static const uint8_t narrow[] = { 0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05 };
    static const uint8_t arm[] = { 0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4 };

    if (machine == EM_AARCH64)
        return memcmp(code, arm, sizeof(arm)) == 0;
    return memcmp(code, wide, sizeof(wide)) == 0 || memcmp(code, narrow, sizeof(narrow)) == 0;
}

/* sub $8,%rsp; call *%rcx; add $8,%rsp; ret: 3.12 and 3.13, without unwind rows.  Later versions,
 * and those for aarch64, keep frame pointers. */
bool calls_are_perf_trampolines(const struct frozen *frozen, uint64_t start)
{
#ifdef __x86_64__
    static const uint8_t trampoline[] = { 0x48, 0x83, 0xec, 0x08, 0xff, 0xd1,
                                          0x48, 0x83, 0xc4, 0x08, 0xc3 };
    uint8_t code[sizeof(trampoline)];
    struct iovec ours = { code, sizeof(code) };
    struct iovec theirs = { (void *)(uintptr_t)start, sizeof(code) };

    return process_vm_readv(frozen->pid, &ours, 1, &theirs, 1, 0) == sizeof(code) &&
           memcmp(code, trampoline, sizeof(code)) == 0;
#else
    (void)frozen;
    (void)start;
    return false;
#endif
}

/* Passing on what the thread's function returned, and the system call exit. */
bool calls_is_thread_end(unsigned machine, const uint8_t code[CALLS_CODE_BYTES])
{
    static const uint8_t x86[] = { 0x89, 0xc7, 0x31, 0xc0, 0xb0, 0x3c, 0x0f, 0x05 };
    static const uint8_t arm[] = { 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0, 0, 0xd4 };

    return memcmp(code, machine == EM_AARCH64 ? arm : x86, sizeof(x86)) == 0;
}

#if defined(__aarch64__)

enum {
    BL_MASK = 0xfc000000u,
    BL = 0x94000000u,
    BLR_MASK = 0xfefff800u, /* also the signed forms */
    BLR = 0xd63f0000u,
    RET = 0xd65f03c0u,
    PACIASP = 0xd503233fu,
    BTI_C = 0xd503245fu,
    STP_FP_LR_MASK = 0xffc07fffu, /* stp x29, x30, [sp, #-n]! */
    STP_FP_LR = 0xa9807bfdu,
    ADRP_X16_MASK = 0x9f00001fu,
    ADRP_X16 = 0x90000010u,
    LDR_X17_MASK = 0xffc003ffu, /* ldr x17, [x16, #n] */
    LDR_X17 = 0xf9400211u,
};

enum calls_kind calls_before(const struct frozen *frozen, uint64_t address, uint64_t *target)
{
    uint32_t code;

    if (!code_read(frozen, address - sizeof(code), &code, sizeof(code)))
        return CALLS_NOTHING;
    if ((code & BLR_MASK) == BLR)
        return CALLS_INDIRECT;
    if ((code & BL_MASK) != BL)
        return CALLS_NOTHING;
    *target = address - sizeof(code) + (uint64_t)((int64_t)(int32_t)(code << 6) >> 4);
    return CALLS_DIRECT;
}

bool calls_through_plt(const struct frozen *frozen, uint64_t target, uint64_t *slot)
{
    uint32_t code[3];
    unsigned at = 0;
    int64_t page;

    /* [bti c]; adrp x16, page; ldr x17, [x16, #offset] */
    if (!code_read(frozen, target, code, sizeof(code)))
        return false;
    if (code[at] == BTI_C)
        at++;
    if ((code[at] & ADRP_X16_MASK) != ADRP_X16 || (code[at + 1] & LDR_X17_MASK) != LDR_X17)
        return false;
    page = (int64_t)(int32_t)(code[at] << 8 & 0xffffe000u) >> 11 | (code[at] >> 29 & 3);
    *slot = ((target + 4 * at) & ~UINT64_C(0xfff)) + ((uint64_t)page << 12) +
            (uint64_t)(code[at + 1] >> 10 & 0xfff) * 8;
    return true;
}

enum calls_frame calls_frame_at(const struct frozen *frozen, uint64_t ip)
{
    uint32_t code;

    if (!code_read(frozen, ip, &code, sizeof(code)))
        return CALLS_UNKNOWN;
    if (code == RET || code == PACIASP || code == BTI_C || (code & STP_FP_LR_MASK) == STP_FP_LR)
        return CALLS_LINK_REGISTER;
    return CALLS_UNKNOWN;
}

#else

enum {
    CALL_MAX_BYTES = 7,
    CALL_RELATIVE = 0xe8,
    CALL_RELATIVE_BYTES = 5,
    GROUP_5 = 0xff, /* call and jump through a register or memory: /2 is a call */
    GROUP_5_CALL_MASK = 0x38,
    GROUP_5_CALL = 0x10,
    RIP_RELATIVE_CALL = 0x15, /* its ModRM byte */
    BND_PREFIX = 0xf2,
};

/* The length of the indirect call whose ModRM byte is this. */
static unsigned indirect_length(uint8_t modrm)
{
    unsigned mod = modrm >> 6, rm = modrm & 7;
    unsigned length = 2;

    if (mod == 3)
        return length;
    if (rm == 4)
        length++; /* SIB */
    if (mod == 1)
        length += 1;
    else if (mod == 2 || (mod == 0 && rm == 5))
        length += 4;
    return length;
}

/* Whether the last LENGTH bytes before END are a call through a register or memory. */
static bool is_indirect(const uint8_t *end, unsigned length)
{
    const uint8_t *code = end - length;

    return code[0] == GROUP_5 && (code[1] & GROUP_5_CALL_MASK) == GROUP_5_CALL &&
           indirect_length(code[1]) == length;
}

enum calls_kind calls_before(const struct frozen *frozen, uint64_t address, uint64_t *target)
{
    uint8_t code[CALL_MAX_BYTES];
    const uint8_t *end = code + sizeof(code);
    int32_t relative;

    if (!code_read(frozen, address - sizeof(code), code, sizeof(code)))
        return CALLS_NOTHING;
    if (end[-CALL_RELATIVE_BYTES] == CALL_RELATIVE) {
        memcpy(&relative, end - sizeof(relative), sizeof(relative));
        *target = address + (uint64_t)(int64_t)relative;
        return CALLS_DIRECT;
    }
    for (unsigned length = 2; length <= CALL_MAX_BYTES; length++) {
        if (!is_indirect(end, length))
            continue;
        if (end[1 - (int)length] != RIP_RELATIVE_CALL)
            return CALLS_INDIRECT;
        memcpy(&relative, end - sizeof(relative), sizeof(relative));
        *target = address + (uint64_t)(int64_t)relative;
        return CALLS_SLOT;
    }
    return CALLS_NOTHING;
}

bool calls_through_plt(const struct frozen *frozen, uint64_t target, uint64_t *slot)
{
    /* [endbr64] [bnd] jmp *displacement(%rip) */
    static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa }, jmp[] = { 0xff, 0x25 };
    uint8_t code[12];
    unsigned at = 0;
    int32_t relative;

    if (!code_read(frozen, target, code, sizeof(code)))
        return false;
    if (memcmp(code, endbr, sizeof(endbr)) == 0)
        at += sizeof(endbr);
    if (code[at] == BND_PREFIX)
        at++;
    if (memcmp(code + at, jmp, sizeof(jmp)) != 0)
        return false;
    at += sizeof(jmp);
    memcpy(&relative, code + at, sizeof(relative));
    *slot = target + at + sizeof(relative) + (uint64_t)(int64_t)relative;
    return true;
}

/* SIZE bytes of CODE start with PATTERN. */
#define STARTS_WITH(code, size, pattern)                                                           \
    ((size) >= sizeof(pattern) && memcmp(code, pattern, sizeof(pattern)) == 0)

/*
 * At one of test %rax,%rax; jl ERROR; je CHILD, which is next but one; before a ret: glibc's clone
 * and clone3.
 */
static bool is_behind_clone(const uint8_t *code, size_t size)
{
    enum { ERROR_AT = 4, JL = 3, JE = 5 };
    static const uint8_t behind[] = { 0x48, 0x85, 0xc0, 0x7c, 0, 0x74, 0x01, 0xc3 };
    static const unsigned starts[] = { 0, JL, JE };

    for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        unsigned at = starts[i];

        if (size < sizeof(behind) - at)
            continue;
        while (at < sizeof(behind) && (at == ERROR_AT || code[at - starts[i]] == behind[at]))
            at++;
        if (at == sizeof(behind))
            return true;
    }
    return false;
}

enum calls_frame calls_frame_at(const struct frozen *frozen, uint64_t ip)
{
    static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
    static const uint8_t push_rbp[] = { 0x55 };
    static const uint8_t ret[] = { 0xc3 }, ret_pop[] = { 0xc2 }, rep_ret[] = { 0xf3, 0xc3 };
    static const uint8_t mov[] = { 0x48, 0x89, 0xe5 }, mov_other[] = { 0x48, 0x8b, 0xec };
    uint8_t code[8];
    const uint8_t *at = code;
    size_t size = sizeof(code);

    while (size > 0 && !code_read(frozen, ip, code, size))
        size--;
    if (STARTS_WITH(at, size, endbr)) {
        at += sizeof(endbr);
        size -= sizeof(endbr);
    }
    if (STARTS_WITH(at, size, push_rbp) || STARTS_WITH(at, size, ret) ||
        STARTS_WITH(at, size, ret_pop) || STARTS_WITH(at, size, rep_ret))
        return CALLS_NO_FRAME;
    if (STARTS_WITH(at, size, mov) || STARTS_WITH(at, size, mov_other))
        return CALLS_FP_PUSHED;
    return is_behind_clone(code, size) ? CALLS_CLONED : CALLS_UNKNOWN;
}

#endif

bool calls_precede(const struct frozen *frozen, uint64_t address)
{
    uint64_t target;

    return code_unreadable(frozen, address - 1) ||
           calls_before(frozen, address, &target) != CALLS_NOTHING;
}
