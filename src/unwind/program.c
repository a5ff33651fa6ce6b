/* SPDX-License-Identifier: MIT */
/*
 * The machine of call frame instructions.
 *
 * Instructions change a state; each one that advances the location first delivers the state so far
 * as a row.  Registers that do not lead to callers are read over.
 */
#include "config.h"

#include "program.h"

#include <dwarf.h>
#include <stddef.h>

enum {
    PRIMARY_MASK = 0xc0,
    OPERAND_MASK = 0x3f,
    /* Vendor codes that elfutils' dwarf.h does not name. */
    CFA_NEGATE_RA_STATE_WITH_PC = 0x2c,
    CFA_NEGATE_RA_STATE = 0x2d, /* also GNU_window_save: return addresses are stripped anyway */
    /* Pointer encodings (DW_EH_PE_…). */
    FORMAT_MASK = 0x0f,
    BASE_MASK = 0x70,
};

bool program_address(const struct cfi_section *section, struct cursor *cursor, uint8_t encoding,
                     uint64_t *address)
{
    uint64_t here = section->address + (uint64_t)(cursor->at - section->bytes);

    switch (encoding & FORMAT_MASK) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8:
        *address = cursor_u64(cursor);
        break;
    case DW_EH_PE_uleb128:
        *address = cursor_uleb(cursor);
        break;
    case DW_EH_PE_sleb128:
        *address = (uint64_t)cursor_sleb(cursor);
        break;
    case DW_EH_PE_udata2:
        *address = cursor_u16(cursor);
        break;
    case DW_EH_PE_sdata2:
        *address = (uint64_t)(int64_t)(int16_t)cursor_u16(cursor);
        break;
    case DW_EH_PE_udata4:
        *address = cursor_u32(cursor);
        break;
    case DW_EH_PE_sdata4:
        *address = (uint64_t)(int64_t)(int32_t)cursor_u32(cursor);
        break;
    default:
        return false;
    }
    if (cursor->failed || (encoding & DW_EH_PE_indirect) != 0)
        return false;
    if ((encoding & BASE_MASK) == DW_EH_PE_pcrel)
        *address += here;
    return (encoding & BASE_MASK) == DW_EH_PE_absptr || (encoding & BASE_MASK) == DW_EH_PE_pcrel;
}

/* The register an instruction is about, or somewhere to write what nobody reads. */
static struct saved *saved_at(struct program *program, uint64_t number, struct saved *nobody)
{
    int tracked = state_tracked(program->section->machine, number);

    if (tracked < 0)
        return nobody;
    program->changed = true;
    return &program->state.saved[tracked];
}

/* Times the data alignment; hostile numbers wrap. */
static int64_t data_factored(const struct program *program, int64_t factored)
{
    return (int64_t)((uint64_t)factored * (uint64_t)program->data_align);
}

static void set_offset(struct program *program, uint64_t number, int64_t factored)
{
    struct saved nobody, *saved = saved_at(program, number, &nobody);

    saved->how = HOW_OFFSET;
    saved->offset = data_factored(program, factored);
}

static void set_how(struct program *program, uint64_t number, enum how how)
{
    struct saved nobody, *saved = saved_at(program, number, &nobody);

    saved->how = (uint8_t)how;
}

static void restore(struct program *program, uint64_t number)
{
    int tracked = state_tracked(program->section->machine, number);

    if (tracked < 0)
        return;
    program->changed = true;
    if (program->initial != NULL)
        program->state.saved[tracked] = program->initial->saved[tracked];
    else
        program->state.saved[tracked].how = HOW_DEFAULT;
}

static void set_expression(struct program *program, struct cursor *cursor, bool value)
{
    uint64_t number = cursor_uleb(cursor), size = cursor_uleb(cursor);
    struct saved nobody, *saved = saved_at(program, number, &nobody);

    saved->how = value ? HOW_OTHER : HOW_EXPRESSION;
    saved->expression = cursor->at;
    saved->size = (uint32_t)size;
    cursor_skip(cursor, size);
}

static void set_cfa(struct program *program, uint64_t number, int64_t offset)
{
    program->state.cfa_expression = NULL;
    program->state.cfa_register = number;
    program->state.cfa_offset = offset;
    program->changed = true;
}

static void set_cfa_offset(struct program *program, int64_t offset)
{
    program->state.cfa_offset = offset;
    program->changed = true;
}

static void set_cfa_expression(struct program *program, struct cursor *cursor)
{
    uint64_t size = cursor_uleb(cursor);

    program->state.cfa_expression = cursor->at;
    program->state.cfa_size = (uint32_t)size;
    program->changed = true;
    cursor_skip(cursor, size);
}

static void deliver(struct program *program)
{
    struct rule rule;

    if (!program->changed)
        return;
    state_rule(&program->state, program->section->machine, program->signal, &rule);
    program->sink->row(program->sink, program->location, &rule);
    program->changed = false;
}

/* Goes on to LOCATION; false at the end of the function or where it would go back. */
static bool advance_to(struct program *program, uint64_t location)
{
    if (program->sink == NULL || location < program->location)
        return false;
    if (location != program->location)
        deliver(program);
    program->location = location;
    return location < program->end;
}

static bool advance(struct program *program, uint64_t factored)
{
    return advance_to(program, program->location + factored * program->code_align);
}

static bool remember(struct program *program)
{
    if (program->remembered_count == REMEMBERED_MAX)
        return false;
    program->remembered[program->remembered_count++] = program->state;
    return true;
}

static bool recall(struct program *program)
{
    if (program->remembered_count == 0)
        return false;
    program->state = program->remembered[--program->remembered_count];
    program->changed = true;
    return true;
}

static bool set_location(struct program *program, struct cursor *cursor)
{
    uint64_t location;

    return program_address(program->section, cursor, program->encoding, &location) &&
           advance_to(program, location);
}

/* The instructions that follow registers or the CFA; false when OP is none of them. */
static bool run_rule(struct program *program, uint8_t op, struct cursor *cursor)
{
    uint64_t number;

    switch (op) {
    case DW_CFA_offset_extended:
        number = cursor_uleb(cursor);
        set_offset(program, number, (int64_t)cursor_uleb(cursor));
        return true;
    case DW_CFA_offset_extended_sf:
        number = cursor_uleb(cursor);
        set_offset(program, number, cursor_sleb(cursor));
        return true;
    case DW_CFA_GNU_negative_offset_extended:
        number = cursor_uleb(cursor);
        set_offset(program, number, -(int64_t)(cursor_uleb(cursor) & INT64_MAX));
        return true;
    case DW_CFA_restore_extended:
        restore(program, cursor_uleb(cursor));
        return true;
    case DW_CFA_undefined:
        set_how(program, cursor_uleb(cursor), HOW_UNDEFINED);
        return true;
    case DW_CFA_same_value:
        set_how(program, cursor_uleb(cursor), HOW_SAME);
        return true;
    case DW_CFA_register:
    case DW_CFA_val_offset:
    case DW_CFA_val_offset_sf:
        set_how(program, cursor_uleb(cursor), HOW_OTHER);
        cursor_uleb(cursor);
        return true;
    case DW_CFA_expression:
    case DW_CFA_val_expression:
        set_expression(program, cursor, op == DW_CFA_val_expression);
        return true;
    case DW_CFA_def_cfa:
        number = cursor_uleb(cursor);
        set_cfa(program, number, (int64_t)cursor_uleb(cursor));
        return true;
    case DW_CFA_def_cfa_sf:
        number = cursor_uleb(cursor);
        set_cfa(program, number, data_factored(program, cursor_sleb(cursor)));
        return true;
    case DW_CFA_def_cfa_register:
        set_cfa(program, cursor_uleb(cursor), program->state.cfa_offset);
        return true;
    case DW_CFA_def_cfa_offset:
        set_cfa_offset(program, (int64_t)cursor_uleb(cursor));
        return true;
    case DW_CFA_def_cfa_offset_sf:
        set_cfa_offset(program, data_factored(program, cursor_sleb(cursor)));
        return true;
    case DW_CFA_def_cfa_expression:
        set_cfa_expression(program, cursor);
        return true;
    default:
        return false;
    }
}

/* One instruction without an operand in its own byte. */
static bool run_extended(struct program *program, uint8_t op, struct cursor *cursor)
{
    switch (op) {
    case DW_CFA_nop:
    case CFA_NEGATE_RA_STATE:
    case CFA_NEGATE_RA_STATE_WITH_PC:
        return true;
    case DW_CFA_GNU_args_size:
        cursor_uleb(cursor);
        return true;
    case DW_CFA_set_loc:
        return set_location(program, cursor);
    case DW_CFA_advance_loc1:
        return advance(program, cursor_u8(cursor));
    case DW_CFA_advance_loc2:
        return advance(program, cursor_u16(cursor));
    case DW_CFA_advance_loc4:
        return advance(program, cursor_u32(cursor));
    case DW_CFA_remember_state:
        return remember(program);
    case DW_CFA_restore_state:
        return recall(program);
    default:
        return run_rule(program, op, cursor);
    }
}

static bool run_one(struct program *program, struct cursor *cursor)
{
    uint8_t op = cursor_u8(cursor);

    switch (op & PRIMARY_MASK) {
    case DW_CFA_advance_loc:
        return advance(program, op & OPERAND_MASK);
    case DW_CFA_offset:
        set_offset(program, op & OPERAND_MASK, (int64_t)cursor_uleb(cursor));
        return true;
    case DW_CFA_restore:
        restore(program, op & OPERAND_MASK);
        return true;
    default:
        return run_extended(program, op, cursor);
    }
}

bool program_run(struct program *program, struct cursor instructions)
{
    struct rule ask = { .cfa = RULE_ASK };
    bool sane = true;

    program->changed = true;
    while (sane && cursor_left(&instructions) > 0)
        sane = run_one(program, &instructions) && !instructions.failed;
    if (program->sink == NULL)
        return sane;
    /* Leaving the function early is how padding ends it; anything else was nonsense. */
    if (program->location >= program->end)
        return true;
    if (sane)
        deliver(program);
    else
        program->sink->row(program->sink, program->location, &ask);
    return sane;
}
