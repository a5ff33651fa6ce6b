/* SPDX-License-Identifier: MIT */
/* Disassembles one function with capstone, where it was built in. */
#include "config.h"

#include "proftop/assembly.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>
#endif

#include "proftop/arena.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "symbols_private.h"

enum { FUNCTION_MAX_BYTES = 1 << 20 };

struct listing {
    struct assembly assembly; /* first: what is given out */
    struct arena *texts;
    struct instruction *instructions;
    size_t capacity;
};

/* The bytes of a function. */
struct function_code {
    uint8_t *bytes;
    uint64_t address, offset; /* of the first byte: the program's own, and in the file */
    size_t size;
    uint16_t machine;
};

/* Where the symbol that holds ADDRESS begins and ends. */
static bool find_bounds(struct symbols *symbols, const struct frame *frame, uint64_t *start,
                        uint64_t *end)
{
    struct module_names *names;
    uint64_t address;
    bool found = false;

    pthread_mutex_lock(&symbols->lock);
    names = resolve_module(symbols, frame->module);
    if (names != NULL && elf_segments_address(&names->segments, frame->address, &address))
        found = symbol_table_bounds(names->table, address, start, end);
    pthread_mutex_unlock(&symbols->lock);
    return found;
}

static bool read_bytes(const struct elf_file *file, struct function_code *code)
{
    Elf_Data *data = elf_getdata_rawchunk(file->elf, (int64_t)code->offset, code->size, ELF_T_BYTE);

    if (data == NULL || data->d_buf == NULL || data->d_size != code->size)
        return false;
    code->bytes = xmemdup(data->d_buf, code->size);
    code->machine = file->header.e_machine;
    return true;
}

static bool read_code(struct symbols *symbols, const struct frame *frame,
                      struct function_code *code, struct error *error)
{
    const struct module *module = modules_get(symbols->modules, frame->module);
    struct elf_segments segments;
    struct elf_file file;
    enum trouble trouble;
    uint64_t end;
    bool done;

    if (frame->kind != FRAME_NATIVE || module == NULL)
        return error_set(error, STATUS_FAILED, _("only native code has assembly to show"));
    if (!find_bounds(symbols, frame, &code->address, &end))
        return error_set(error, STATUS_FAILED, _("%s: no function is known there"), module->name);
    trouble = module_open(module, &file);
    if (trouble != TROUBLE_NONE)
        return error_set(error, STATUS_FAILED, "%s: %s", module->name, trouble_text(trouble));
    elf_file_segments(&file, &segments);
    code->size =
        end - code->address < FUNCTION_MAX_BYTES ? end - code->address : FUNCTION_MAX_BYTES;
    done = elf_segments_offset(&segments, code->address, &code->offset) && read_bytes(&file, code);
    elf_file_close(&file);
    if (!done)
        return error_set(error, STATUS_FAILED, _("%s: the code cannot be read"), module->name);
    return true;
}

#ifdef HAVE_CAPSTONE
static bool open_capstone(uint16_t machine, csh *handle)
{
    cs_arch arch = machine == EM_AARCH64 ? CS_ARCH_ARM64 : CS_ARCH_X86;
    cs_mode mode = machine == EM_AARCH64 ? CS_MODE_ARM : CS_MODE_64;

    if ((machine != EM_X86_64 && machine != EM_AARCH64) || cs_open(arch, mode, handle) != CS_ERR_OK)
        return false;
    if (arch == CS_ARCH_X86)
        cs_option(*handle, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    cs_option(*handle, CS_OPT_SKIPDATA, CS_OPT_ON);
    return true;
}

/* Where a jump or call leads, by name; NULL when its operand is no address of a symbol. */
static const char *target_of(struct symbols *symbols, const struct function_code *code,
                             module_id module, const cs_insn *insn)
{
    const char *operand = insn->op_str[0] == '#' ? insn->op_str + 1 : insn->op_str;
    struct frame frame = { .kind = FRAME_NATIVE, .module = module };
    struct symbol symbol;
    char *end;

    if (strncmp(operand, "0x", 2) != 0)
        return NULL;
    frame.address = strtoull(operand, &end, 16) - code->address + code->offset;
    if (*end != '\0')
        return NULL;
    resolve_frame(symbols, &frame, &symbol);
    return symbol.known && symbol.address == frame.address ? symbols_name(symbols, &symbol) : NULL;
}

static void add(struct listing *listing, struct symbols *symbols, const struct function_code *code,
                module_id module, const cs_insn *insn)
{
    uint32_t at = listing->assembly.count++;
    const char *target = target_of(symbols, code, module, insn);
    struct frame frame = { .kind = FRAME_NATIVE, .module = module };
    struct symbol chain[SYMBOLS_CHAIN_MAX];

    frame.address = insn->address - code->address + code->offset;
    symbols_full(symbols, &frame, chain, SYMBOLS_CHAIN_MAX);
    listing->instructions = array_reserve(listing->instructions, &listing->capacity, at + 1,
                                          sizeof(*listing->instructions));
    listing->instructions[at] = (struct instruction){
        .address = frame.address,
        .size = insn->size,
        .line = chain[0].line,
        .file = chain[0].file,
        .text = arena_printf(listing->texts, "%-7s %s", insn->mnemonic,
                             target != NULL ? target : insn->op_str),
    };
}

static bool disassemble(struct listing *listing, struct symbols *symbols,
                        const struct function_code *code, module_id module, struct error *error)
{
    const uint8_t *bytes = code->bytes;
    uint64_t address = code->address;
    size_t left = code->size;
    cs_insn *insn;
    csh handle;

    if (!open_capstone(code->machine, &handle))
        return error_set(error, STATUS_FAILED, _("no disassembler for this kind of machine"));
    insn = cs_malloc(handle);
    while (cs_disasm_iter(handle, &bytes, &left, &address, insn))
        add(listing, symbols, code, module, insn);
    cs_free(insn, 1);
    cs_close(&handle);
    return true;
}
#else
static bool disassemble(struct listing *listing, struct symbols *symbols,
                        const struct function_code *code, module_id module, struct error *error)
{
    (void)listing, (void)symbols, (void)code, (void)module;
    return error_set(error, STATUS_FAILED, _("this proftop was built without a disassembler"));
}
#endif

struct assembly *assembly_read(struct symbols *symbols, const struct frame *frame,
                               struct error *error)
{
    struct listing *listing = xcalloc(1, sizeof(*listing));
    struct function_code code = { 0 };
    bool done;

    listing->texts = arena_new();
    done = read_code(symbols, frame, &code, error) &&
           disassemble(listing, symbols, &code, frame->module, error);
    free(code.bytes);
    listing->assembly.instructions = listing->instructions;
    if (done)
        return &listing->assembly;
    assembly_free(&listing->assembly);
    return NULL;
}

void assembly_free(struct assembly *assembly)
{
    struct listing *listing = (struct listing *)assembly;

    if (listing == NULL)
        return;
    arena_free(listing->texts);
    free(listing->instructions);
    free(listing);
}
