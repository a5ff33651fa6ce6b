/* SPDX-License-Identifier: MIT */
/*
 * Decoding x86-64 as far as x86.h needs it (Intel's manual, volume 2, chapter 2 and appendix A):
 *
 *     prefixes | REX | opcode, of one of four maps | ModRM | SIB | displacement | immediate
 *     VEX, EVEX, XOP: they say the map | opcode    | the same
 */
#include "config.h"

#include "x86.h"

#include <string.h>

#include "cursor.h"

enum map { MAP_1, MAP_0F, MAP_0F38, MAP_0F3A };

enum { SP = 4, FP = 5, NO_REGISTER = -1, REX_W = 8, REX_R = 4, REX_X = 2, REX_B = 1 };

/* One instruction taken apart. */
struct parts {
    struct cursor cursor;
    bool operand_16, address_32;
    uint8_t rex;
    enum map map;
    bool vector; /* VEX and its kin */
    uint8_t opcode;
    bool has_modrm;
    uint8_t mod, reg, rm; /* of ModRM; registers with their fourth bit */
    int base;             /* of a place in memory that is BASE + DISPLACEMENT, or NO_REGISTER */
    int32_t displacement;
    int64_t immediate;
};

/* Sets of opcodes, a bit each. */
typedef uint32_t opcodes[8];

static bool holds(const opcodes set, uint8_t opcode)
{
    return (set[opcode / 32] >> opcode % 32 & 1) != 0;
}

/* Opcodes of the first map with a ModRM byte. */
static const opcodes modrm_1 = { 0x0f0f0f0f, 0x0f0f0f0f, 0,          0x00000a08,
                                 0x0000ffff, 0,          0xff0f00c3, 0xc0c00000 };
/* … without one of the second. */
static const opcodes plain_0f = { 0x00004be0, 0x00ff0000, 0,          0x00800000,
                                  0x0000ffff, 0x00000707, 0x0000ff00, 0 };
/* With a byte behind all that. */
static const opcodes byte_1 = { 0x10101010, 0x10101010, 0,          0xffff0c00,
                                0x0000000d, 0x00ff0100, 0x00002043, 0x000008ff };
static const opcodes byte_0f = { 0, 0, 0, 0x000f0000, 0, 0x04001010, 0x00000074, 0 };
/* … or with as many bytes as the operand is large, four at most. */
static const opcodes word_1 = { 0x20202020, 0x20202020, 0,          0x00000300,
                                0x00000002, 0x00000200, 0x00000080, 0 };

/* A REX counts only where it is the last of them. */
static void take_prefixes(struct parts *parts)
{
    for (;;) {
        uint8_t byte = cursor_u8(&parts->cursor), rex = 0;

        if ((byte & 0xf0) == 0x40)
            rex = byte & 0x0f;
        else if (byte == 0x66)
            parts->operand_16 = true;
        else if (byte == 0x67)
            parts->address_32 = true;
        else if (memchr("\x26\x2e\x36\x3e\x64\x65\xf0\xf2\xf3", byte, 9) == NULL) {
            parts->opcode = byte;
            return;
        }
        parts->rex = rex;
    }
}

/* Whether what was taken for an opcode starts one of the newer prefixes. */
static bool is_vector_prefix(const struct parts *parts)
{
    const struct cursor *cursor = &parts->cursor;

    switch (parts->opcode) {
    case 0x62:
    case 0xc4:
    case 0xc5:
        return true;
    default: /* XOP, or a pop */
        return parts->opcode == 0x8f && cursor_left(cursor) > 0 && (*cursor->at & 0x1f) >= 8;
    }
}

static void take_vector_prefix(struct parts *parts)
{
    struct cursor *cursor = &parts->cursor;
    uint8_t first = cursor_u8(cursor), map = 1;

    parts->vector = true;
    if (parts->opcode != 0xc5) {
        map = first & (parts->opcode == 0x62 ? 7 : 0x1f);
        cursor_skip(cursor, parts->opcode == 0x62 ? 2 : 1);
        parts->rex = (uint8_t)(~first >> 5 & 7);
    }
    parts->map = map == 3 || map == 8 ? MAP_0F3A : map == 1 ? MAP_0F : MAP_0F38;
    parts->opcode = cursor_u8(cursor);
}

static void take_opcode(struct parts *parts)
{
    uint8_t opcode = parts->opcode;

    if (is_vector_prefix(parts)) {
        take_vector_prefix(parts);
        return;
    }
    if (opcode != 0x0f)
        return;
    opcode = cursor_u8(&parts->cursor);
    parts->map = opcode == 0x38 ? MAP_0F38 : opcode == 0x3a ? MAP_0F3A : MAP_0F;
    parts->opcode = parts->map == MAP_0F ? opcode : cursor_u8(&parts->cursor);
}

static bool wants_modrm(const struct parts *parts)
{
    if (parts->map == MAP_1)
        return holds(modrm_1, parts->opcode);
    return parts->map != MAP_0F || !holds(plain_0f, parts->opcode);
}

static void take_modrm(struct parts *parts)
{
    struct cursor *cursor = &parts->cursor;
    uint8_t modrm = cursor_u8(cursor), low = modrm & 7;

    parts->has_modrm = true;
    parts->mod = modrm >> 6;
    parts->reg = (uint8_t)((modrm >> 3 & 7) | (parts->rex & REX_R) << 1);
    parts->rm = (uint8_t)(low | (parts->rex & REX_B) << 3);
    if (parts->mod == 3)
        return;
    parts->base = parts->rm;
    if (low == 4) {
        uint8_t sib = cursor_u8(cursor);

        low = sib & 7;
        parts->base = low | (parts->rex & REX_B) << 3;
        if ((sib >> 3 & 7) != 4 || (parts->rex & REX_X) != 0)
            parts->base = NO_REGISTER; /* + an index */
    }
    if (parts->mod == 0 && low == 5)
        parts->base = NO_REGISTER; /* an address, or one counted from here */
    if (parts->mod == 1)
        parts->displacement = (int8_t)cursor_u8(cursor);
    else if (parts->mod == 2 || (parts->mod == 0 && low == 5))
        parts->displacement = (int32_t)cursor_u32(cursor);
}

static void take_word(struct parts *parts)
{
    parts->immediate = parts->operand_16 && (parts->rex & REX_W) == 0
                           ? (int16_t)cursor_u16(&parts->cursor)
                           : (int32_t)cursor_u32(&parts->cursor);
}

/* Immediates of the first map that the sets do not tell. */
static void take_odd_immediate(struct parts *parts)
{
    uint8_t opcode = parts->opcode;

    if ((opcode & 0xfc) == 0xa0)
        cursor_skip(&parts->cursor, parts->address_32 ? 4 : 8);
    else if ((opcode & 0xf8) == 0xb8 && (parts->rex & REX_W) != 0)
        cursor_skip(&parts->cursor, 8);
    else if ((opcode & 0xf8) == 0xb8 || (opcode == 0xf7 && (parts->reg & 7) < 2))
        take_word(parts);
    else if (opcode == 0xf6 && (parts->reg & 7) < 2)
        cursor_skip(&parts->cursor, 1);
    else if (opcode == 0xc2 || opcode == 0xca)
        cursor_skip(&parts->cursor, 2);
    else if (opcode == 0xc8)
        cursor_skip(&parts->cursor, 3);
}

static void take_immediate(struct parts *parts)
{
    uint8_t opcode = parts->opcode;
    bool jump = parts->map == MAP_0F && !parts->vector && (opcode & 0xf0) == 0x80;

    if (parts->map == MAP_0F3A || (parts->map == MAP_0F && holds(byte_0f, opcode)) ||
        (parts->map == MAP_1 && holds(byte_1, opcode)))
        parts->immediate = (int8_t)cursor_u8(&parts->cursor);
    else if (jump || (parts->map == MAP_1 && (opcode == 0xe8 || opcode == 0xe9)))
        parts->immediate = (int32_t)cursor_u32(&parts->cursor);
    else if (parts->map == MAP_1 && holds(word_1, opcode))
        take_word(parts);
    else if (parts->map == MAP_1)
        take_odd_immediate(parts);
}

/* The general register that PARTS overwrites, for the instructions that are used on sp and fp. */
static int overwritten(const struct parts *parts)
{
    uint8_t opcode = parts->opcode;
    int direct = parts->mod == 3 ? parts->rm : NO_REGISTER;

    if (parts->vector || parts->map > MAP_0F)
        return NO_REGISTER;
    if (parts->map == MAP_0F) /* cmov, imul, movzx, movsx */
        return (opcode & 0xf0) == 0x40 || opcode == 0xaf || (opcode & 0xf6) == 0xb6 ? parts->reg
                                                                                    : NO_REGISTER;
    if (opcode < 0x38) /* arithmetic, but for comparing */
        return (opcode & 7) == 1 ? direct : (opcode & 7) == 3 ? parts->reg : NO_REGISTER;
    if ((opcode & 0xf8) == 0xb8)
        return (opcode & 7) | (parts->rex & REX_B) << 3;
    switch (opcode) {
    case 0x63:
    case 0x69:
    case 0x6b:
    case 0x8b:
    case 0x8d:
        return parts->reg;
    case 0x81:
    case 0x83:
        return (parts->reg & 7) == 7 ? NO_REGISTER : direct;
    case 0x89:
    case 0xc1:
    case 0xc7:
    case 0xd1:
    case 0xd3:
        return direct;
    case 0x87:
        return parts->reg == SP || parts->reg == FP ? parts->reg : direct;
    case 0xf7:
        return (parts->reg & 7) == 2 || (parts->reg & 7) == 3 ? direct : NO_REGISTER;
    case 0xff:
        return (parts->reg & 7) < 2 ? direct : NO_REGISTER;
    default:
        return NO_REGISTER;
    }
}

/*
 * The register that sp or fp is set from, plus the displacement; or NO_REGISTER.  *LOADED: not from
 * that, but from the word in memory there.
 */
static int set_from(const struct parts *parts, bool *loaded)
{
    uint8_t opcode = parts->opcode;

    *loaded = opcode == 0x8b && parts->mod != 3;
    if (parts->map != MAP_1 || (parts->rex & REX_W) == 0)
        return NO_REGISTER;
    if (parts->mod == 3 && (opcode == 0x89 || opcode == 0x8b))
        return opcode == 0x89 ? parts->reg : parts->rm;
    return opcode == 0x8d || opcode == 0x8b ? parts->base : NO_REGISTER;
}

static enum x86_kind sp_written(const struct parts *parts, int32_t *value)
{
    uint8_t opcode = parts->opcode, operation = parts->reg & 7;
    bool loaded;
    int from = set_from(parts, &loaded);

    if (parts->map == MAP_1 && (opcode == 0x81 || opcode == 0x83) &&
        (operation == 0 || operation == 5) && parts->immediate > INT32_MIN) {
        *value = (int32_t)(operation == 0 ? parts->immediate : -parts->immediate);
        return X86_ADD_SP;
    }
    *value = parts->displacement;
    if (from == SP)
        return loaded ? X86_SP_FROM_STACK : X86_ADD_SP;
    return from == FP && !loaded ? X86_SP_FROM_FP : X86_LOSE_SP;
}

static enum x86_kind fp_written(const struct parts *parts, int32_t *value)
{
    bool loaded;
    int from = set_from(parts, &loaded);

    *value = parts->displacement;
    if (from != SP)
        return X86_LOSE_FP;
    return loaded ? X86_LOAD_FP : X86_FP_FROM_SP;
}

/* Instructions of the group FF, other than inc and dec. */
static enum x86_kind group_5(const struct parts *parts, int32_t *value)
{
    switch (parts->reg & 7) {
    case 4:
    case 5:
        return X86_JUMP_INDIRECT;
    case 6:
        *value = -8;
        return X86_ADD_SP;
    default:
        return X86_OTHER;
    }
}

/* What one of the first map does that is about the stack or the path by its opcode alone. */
static enum x86_kind by_opcode(const struct parts *parts, int32_t *value)
{
    uint8_t opcode = parts->opcode;
    int number = (opcode & 7) | (parts->rex & REX_B) << 3;

    *value = (int32_t)parts->immediate;
    if ((opcode & 0xf0) == 0x70 || (opcode & 0xfc) == 0xe0)
        return X86_BRANCH;
    if ((opcode & 0xf8) == 0x58 && (number == SP || number == FP))
        return number == FP ? X86_POP_FP : X86_LOSE_SP;
    switch (opcode) {
    case 0xe9:
    case 0xeb:
        return X86_JUMP;
    case 0xc2:
    case 0xc3:
        return X86_RETURN;
    case 0xc9:
        return X86_LEAVE;
    case 0xcc:
    case 0xf4:
    case 0xcf:
        return X86_STOP;
    case 0xff:
        return group_5(parts, value);
    default:
        break;
    }
    *value = opcode == 0x8f || opcode == 0x9d || (opcode & 0xf8) == 0x58 ? 8 : -8;
    return (opcode & 0xf0) == 0x50 || memchr("\x68\x6a\x8f\x9c\x9d", opcode, 5) != NULL ? X86_ADD_SP
                                                                                        : X86_OTHER;
}

static enum x86_kind classify(const struct parts *parts, int32_t *value)
{
    enum x86_kind kind = X86_OTHER;
    int written = overwritten(parts);

    if (written == SP)
        return sp_written(parts, value);
    if (written == FP)
        return fp_written(parts, value);
    if (parts->vector || parts->map > MAP_0F)
        return X86_OTHER;
    if (parts->map == MAP_1)
        return by_opcode(parts, value);
    *value = (int32_t)parts->immediate;
    if ((parts->opcode & 0xf0) == 0x80)
        kind = X86_BRANCH;
    else if (parts->opcode == 0x0b)
        kind = X86_STOP;
    return kind;
}

bool x86_decode(const uint8_t *code, size_t size, struct x86_instruction *instruction)
{
    struct parts parts = { .base = NO_REGISTER };

    if (size > X86_LENGTH_MAX)
        size = X86_LENGTH_MAX;
    parts.cursor = (struct cursor){ code, code + size, false };
    take_prefixes(&parts);
    take_opcode(&parts);
    if (wants_modrm(&parts))
        take_modrm(&parts);
    take_immediate(&parts);
    if (parts.cursor.failed)
        return false;
    *instruction = (struct x86_instruction){ .length = (unsigned)(parts.cursor.at - code) };
    instruction->kind = classify(&parts, &instruction->value);
    return true;
}
