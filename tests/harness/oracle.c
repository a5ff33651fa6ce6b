/* SPDX-License-Identifier: MIT */
/*
 * libdwfl over a frozen sample: modules are reported from our mappings, memory and registers come
 * from the copy.  The Dwfl is kept while the mappings stay the same.
 */
#include "config.h"

#include "tests/harness/oracle.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proftop/maps.h"

struct opinion {
    const struct frozen *frozen;
    struct frame *frames;
    uint64_t *stacks;
    struct unwind_saved *saved;
    uint32_t limit;
    struct unwound *unwound;
};

/* libdwfl calls back with what it was attached with: one process at a time. */
static struct {
    Dwfl *dwfl;
    uint64_t key;
    struct opinion opinion;
} oracle;

static int find_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                    char **file_name, Elf **elf)
{
    (void)module, (void)data, (void)name, (void)base, (void)file_name, (void)elf;
    return -1;
}

static int find_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                          const char *file, const char *link, GElf_Word crc, char **found)
{
    (void)module, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc;
    (void)found;
    return -1;
}

static const Dwfl_Callbacks callbacks = { .find_elf = find_elf, .find_debuginfo = find_debuginfo };

static pid_t next_thread(Dwfl *dwfl, void *context, void **thread)
{
    struct opinion *opinion = context;

    (void)dwfl;
    if (*thread != NULL)
        return 0;
    *thread = opinion;
    return opinion->frozen->tid;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word, void *context)
{
    const struct frozen *frozen = ((struct opinion *)context)->frozen;
    uint64_t at = address - frozen->stack_start;

    (void)dwfl;
    if (at >= frozen->stack_size || frozen->stack_size - at < sizeof(*word))
        return frozen->peek != NULL &&
               frozen->peek(frozen->peek_context, address, word, sizeof(*word));
    memcpy(word, frozen->stack + at, sizeof(*word));
    return true;
}

/* DWARF's numbers: rbx, r12–r15, rax, rdx, rcx, rsi, rdi, r10, r11. */
static const unsigned general[UNWIND_GENERAL] = { 3, 12, 13, 14, 15, 0, 1, 2, 4, 5, 10, 11 };

static bool set_registers(Dwfl_Thread *thread, void *context)
{
    const struct registers *registers = &((struct opinion *)context)->frozen->registers;
    Dwarf_Word words[17] = { 0 };

    words[6] = registers->bp;
    words[7] = registers->sp;
    for (int i = 0; i < UNWIND_GENERAL; i++)
        words[general[i]] = registers->general[i];
    words[16] = registers->ip;
    return dwfl_thread_state_registers(thread, 0, 17, words);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
    .next_thread = next_thread,
    .memory_read = read_memory,
    .set_initial_registers = set_registers,
};

static uint64_t maps_key(const struct maps *maps)
{
    uint64_t key = (uint64_t)maps->pid;

    for (uint32_t i = 0; i < maps->count; i++)
        key = key * 31 + maps->mappings[i].start * 7 + maps->mappings[i].module->id;
    return key;
}

/* A descriptor of its own of the module's file; the vdso's image becomes one. */
static int open_module(const struct module *module)
{
    int fd;

    if (module->fd >= 0)
        return fcntl(module->fd, F_DUPFD_CLOEXEC, 0);
    fd = module->image != NULL ? memfd_create(module->name, MFD_CLOEXEC) : -1;
    if (fd >= 0 && write(fd, module->image, module->image_size) != (ssize_t)module->image_size) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void report_mapping(Dwfl *dwfl, const struct mapping *mapping)
{
    Elf *elf;
    int fd = open_module(mapping->module);
    size_t count = 0;
    GElf_Addr address = 0;

    if (fd < 0)
        return;
    elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    if (elf == NULL || elf_getphdrnum(elf, &count) != 0)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;

        if (gelf_getphdr(elf, (int)i, &header) != NULL && header.p_type == PT_LOAD &&
            (header.p_offset & ~UINT64_C(4095)) <= mapping->offset &&
            mapping->offset < header.p_offset + header.p_filesz && (header.p_flags & PF_X) != 0)
            address = header.p_vaddr - header.p_offset + mapping->offset;
    }
    elf_end(elf);
    if (count == 0 || dwfl_report_elf(dwfl, mapping->module->name, mapping->module->name, fd,
                                      mapping->start - address, true) == NULL)
        close(fd);
}

/* A module with several executable pieces is reported once. */
static bool is_first(const struct maps *maps, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (maps->mappings[i].module == maps->mappings[index].module)
            return false;
    }
    return true;
}

static void attach(const struct frozen *frozen)
{
    uint64_t key = maps_key(frozen->maps);

    if (oracle.dwfl != NULL && oracle.key == key)
        return;
    oracle_fini();
    oracle.key = key;
    oracle.dwfl = dwfl_begin(&callbacks);
    dwfl_report_begin(oracle.dwfl);
    for (uint32_t i = 0; i < frozen->maps->count; i++) {
        if (is_first(frozen->maps, i))
            report_mapping(oracle.dwfl, &frozen->maps->mappings[i]);
    }
    dwfl_report_end(oracle.dwfl, NULL, NULL);
    dwfl_attach_state(oracle.dwfl, NULL, frozen->pid, &thread_callbacks, &oracle.opinion);
}

void oracle_fini(void)
{
    if (oracle.dwfl != NULL)
        dwfl_end(oracle.dwfl);
    oracle.dwfl = NULL;
}

static void take_saved(Dwfl_Frame *state, struct unwind_saved *saved)
{
    *saved = (struct unwind_saved){ 0 };
    saved->bp_known = dwfl_frame_reg(state, 6, &saved->bp) == 0;
    for (unsigned i = 0; i < UNWIND_KEPT; i++) {
        if (dwfl_frame_reg(state, general[i], &saved->general[i]) == 0)
            saved->general_known |= (uint16_t)(1u << i);
    }
}

static int take_frame(Dwfl_Frame *state, void *context)
{
    struct opinion *opinion = context;
    const struct mapping *mapping;
    Dwarf_Addr ip;
    Dwarf_Word sp = 0;
    bool exact;
    struct frame frame = { .kind = FRAME_NATIVE };

    if (!dwfl_frame_pc(state, &ip, &exact) || ip == 0 || opinion->unwound->count == opinion->limit)
        return DWARF_CB_ABORT;
    if (!exact)
        ip--;
    dwfl_frame_reg(state, 7, &sp);
    mapping = maps_find(opinion->frozen->maps, ip);
    frame.address = ip;
    if (mapping != NULL) {
        frame.module = mapping->module->id;
        if (mapping->module->kind != MODULE_JIT && mapping->module->kind != MODULE_UNKNOWN)
            frame.address = ip - mapping->start + mapping->offset;
    }
    if (opinion->saved != NULL)
        take_saved(state, &opinion->saved[opinion->unwound->count]);
    opinion->stacks[opinion->unwound->count] = sp;
    opinion->frames[opinion->unwound->count++] = frame;
    return DWARF_CB_OK;
}

void oracle_dwfl(const struct frozen *frozen, struct frame *frames, uint64_t *stacks,
                 struct unwind_saved *saved, uint32_t limit, struct unwound *unwound)
{
    *unwound = (struct unwound){ 0 };
    oracle.opinion = (struct opinion){ frozen, frames, stacks, saved, limit, unwound };
    attach(frozen);
    if (dwfl_getthread_frames(oracle.dwfl, frozen->tid, take_frame, &oracle.opinion) != 0)
        unwound->end = STACK_NO_ROWS;
}

const char *oracle_name(const struct frozen *frozen, const struct frame *frame)
{
    const struct maps *maps = frozen->maps;

    attach(frozen);
    for (uint32_t i = 0; i < maps->count; i++) {
        const struct mapping *mapping = &maps->mappings[i];
        uint64_t at = mapping->start + frame->address - mapping->offset;
        Dwfl_Module *module;
        const char *name;

        if (mapping->module->id != frame->module || at < mapping->start || at >= mapping->end)
            continue;
        module = dwfl_addrmodule(oracle.dwfl, at);
        name = module != NULL ? dwfl_module_addrname(module, at) : NULL;
        return name != NULL ? name : "?";
    }
    return "?";
}
