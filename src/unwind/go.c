/* SPDX-License-Identifier: MIT */
/*
 * Reads .gopclntab as the Go linker writes it since 1.16 (src/internal/abi/symtab.go,
 * src/runtime/symtab.go, src/runtime/runtime2.go):
 *
 *     header    magic, sizes, where the parts are
 *     functab   entry, offset | entry, offset | … | end
 *        └► func      …, pcsp, …, flag
 *                         └► pctab   value delta, pc delta | …     zigzag, in LEB128
 *
 * pcsp is how far sp lies below where it was on entry.  Functions that set sp themselves are
 * crossed by the frame pointer: their own; or, where they have no frame, their caller's, like
 * systemstack, which goes on with the system's stack and comes back to the goroutine's.
 */
#include "config.h"

#include "go.h"

#include <elf.h>
#include <string.h>

#include "cursor.h"
#include "state.h"

enum {
    MAGIC_1_16 = 0xfffffffa,
    MAGIC_1_18 = 0xfffffff0,
    MAGIC_1_20 = 0xfffffff1,
    POINTER_BYTES = 8,
    FLAG_TOP_FRAME = 1, /* outermost */
    FLAG_SP_WRITE = 2,
    STEPS_MAX = 1 << 14, /* of sp in one function */
    WORK_PER_BYTE = 64,
};

struct go {
    const struct go_table *table;
    struct cfi_sink *sink;
    uint32_t magic;
    uint8_t quantum; /* pc deltas count these */
    uint64_t count;  /* functions */
    uint64_t text;
    uint64_t names, pctab, functab; /* offsets of the parts */
    uint64_t work_left;
};

struct go_function {
    uint64_t start, end;
    uint32_t name, pcsp;
    uint8_t flag;
};

static struct cursor cursor_at(const struct go *go, uint64_t offset)
{
    const uint8_t *end = go->table->bytes + go->table->size;

    if (offset > go->table->size)
        return (struct cursor){ end, end, true };
    return (struct cursor){ go->table->bytes + offset, end, false };
}

static bool read_header(struct go *go)
{
    struct cursor cursor = cursor_at(go, 0);

    go->magic = cursor_u32(&cursor);
    if (go->magic != MAGIC_1_16 && go->magic != MAGIC_1_18 && go->magic != MAGIC_1_20)
        return false;
    cursor_u16(&cursor);
    go->quantum = cursor_u8(&cursor);
    if (cursor_u8(&cursor) != POINTER_BYTES)
        return false;
    go->count = cursor_u64(&cursor);
    cursor_u64(&cursor); /* files */
    go->text = go->magic == MAGIC_1_16 ? 0 : cursor_u64(&cursor);
    /* In a PIE it is filled in when the program starts. */
    if (go->magic != MAGIC_1_16 && go->text == 0)
        go->text = go->table->text;
    go->names = cursor_u64(&cursor);
    cursor_u64(&cursor); /* compilation units */
    cursor_u64(&cursor); /* files */
    go->pctab = cursor_u64(&cursor);
    go->functab = cursor_u64(&cursor);
    return !cursor.failed && go->count < go->table->size;
}

/* A pair of functab: where a function starts, and where its description is. */
static uint64_t read_entry(const struct go *go, struct cursor *cursor, uint64_t *description)
{
    uint64_t start;

    if (go->magic == MAGIC_1_16) {
        start = cursor_u64(cursor);
        *description = cursor_u64(cursor);
        return start;
    }
    start = go->text + cursor_u32(cursor);
    *description = cursor_u32(cursor);
    return start;
}

static bool read_function(const struct go *go, uint64_t description, struct go_function *function)
{
    struct cursor cursor = cursor_at(go, go->functab + description);

    cursor_skip(&cursor, go->magic == MAGIC_1_16 ? 8 : 4); /* its start again */
    function->name = cursor_u32(&cursor);
    cursor_skip(&cursor, 4 + 4); /* arguments, deferreturn */
    function->pcsp = cursor_u32(&cursor);
    cursor_skip(&cursor, 4 * 4); /* files, lines, tables, compilation unit */
    if (go->magic == MAGIC_1_20)
        cursor_skip(&cursor, 4); /* first line */
    cursor_skip(&cursor, 1);     /* id */
    function->flag = cursor_u8(&cursor);
    return !cursor.failed;
}

static bool is_named(const struct go *go, const struct go_function *function, const char *name)
{
    struct cursor cursor = cursor_at(go, go->names + function->name);
    size_t size = strlen(name);

    /* Names of assembly functions may end in ".abi0". */
    return cursor_left(&cursor) > size && memcmp(cursor.at, name, size) == 0 &&
           (cursor.at[size] == '\0' || cursor.at[size] == '.');
}

/* The rule where sp is DEPTH below where it was on entry. */
static struct rule rule_at(const struct go *go, int32_t depth)
{
    if (go->table->machine == EM_AARCH64)
        return (struct rule){
            .cfa = RULE_SP,
            .cfa_offset = depth,
            .ra = depth == 0 ? SAVE_SAME : SAVE_SP,
            .fp = depth == 0 ? SAVE_SAME : SAVE_SP,
            .fp_offset = depth == 0 ? 0 : -8,
        };
    return (struct rule){
        .cfa = RULE_SP,
        .cfa_offset = (int32_t)((uint32_t)depth + 8), /* a hostile one wraps */
        .ra = SAVE_CFA,
        .ra_offset = -8,
        .fp = depth == 0 ? SAVE_SAME : SAVE_CFA,
        .fp_offset = depth == 0 ? 0 : -16,
    };
}

static int32_t unzigzag(uint64_t value)
{
    return (int32_t)((uint32_t)value >> 1 ^ (0u - ((uint32_t)value & 1)));
}

/* The rows of a function that moves sp as compilers do. */
static bool deliver_depths(struct go *go, const struct go_function *function)
{
    struct cursor cursor = cursor_at(go, go->pctab + function->pcsp);
    uint64_t at = function->start;
    uint32_t depth = UINT32_MAX; /* tables start from −1 */

    for (unsigned step = 0; at < function->end; step++) {
        uint64_t delta = cursor_uleb(&cursor), length = cursor_uleb(&cursor);
        struct rule rule;

        if (cursor.failed || (delta == 0 && step > 0) || step == STEPS_MAX || go->work_left == 0)
            return false;
        go->work_left--;
        depth += (uint32_t)unzigzag(delta);
        rule = rule_at(go, (int32_t)depth);
        go->sink->row(go->sink, at, &rule);
        length *= go->quantum;
        at = length < function->end - at ? at + length : function->end;
    }
    return true;
}

/* Whether a function has no frame, and so the frame pointer of its caller, as its table says. */
static bool is_frameless(const struct go *go, const struct go_function *function)
{
    struct cursor cursor = cursor_at(go, go->pctab + function->pcsp);
    uint64_t delta = cursor_uleb(&cursor);

    cursor_uleb(&cursor); /* how far */
    /* Tables start from −1, and end behind a function's code: 0 is the depth of all of it. */
    return unzigzag(delta) == 1 && cursor_uleb(&cursor) == 0 && !cursor.failed;
}

/*
 * Go's own walks start anew behind a signal handler; here it leads on to what was interrupted.
 * Behind mcall and morestack a goroutine may run on elsewhere by now, so nothing is certain there.
 */
static bool is_outermost(const struct go *go, const struct go_function *function)
{
    if ((function->flag & FLAG_TOP_FRAME) != 0)
        return !is_named(go, function, "runtime.sigtramp");
    return is_named(go, function, "runtime.mcall") || is_named(go, function, "runtime.morestack");
}

static bool deliver(struct go *go, const struct go_function *function)
{
    static const struct rule outermost = { .cfa = RULE_END }, ask = { .cfa = RULE_ASK };
    struct rule rule = { .cfa = RULE_SWITCH,
                         .cfa_offset = 16,
                         .fp = SAVE_CFA,
                         .fp_offset = -16,
                         .ra = SAVE_CFA,
                         .ra_offset = -8 };

    /* Signal handlers return to its very start, one byte behind what precedes it. */
    if (function->start > 0 && (is_named(go, function, "runtime.sigreturn") ||
                                is_named(go, function, "runtime.sigreturn__sigaction"))) {
        rule = state_signal_rule(go->table->machine);
        go->sink->begin(go->sink, function->start - 1, function->end, function->start);
        go->sink->row(go->sink, function->start - 1, &rule);
        return true;
    }
    go->sink->begin(go->sink, function->start, function->end, function->start);
    if (is_outermost(go, function))
        go->sink->row(go->sink, function->start, &outermost);
    else if ((function->flag & FLAG_SP_WRITE) != 0) {
        if (is_frameless(go, function))
            rule.flags = RULE_FRAMELESS;
        go->sink->row(go->sink, function->start, &rule);
    } else if (function->pcsp == 0)
        go->sink->row(go->sink, function->start, &ask); /* assembly that says nothing */
    else
        return deliver_depths(go, function);
    return true;
}

bool go_parse(const struct go_table *table, struct cfi_sink *sink)
{
    struct go go = { .table = table, .sink = sink, .work_left = table->size * WORK_PER_BYTE };
    struct cursor cursor;
    uint64_t start, description, next;
    bool sane = true;

    if (!read_header(&go))
        return false;
    cursor = cursor_at(&go, go.functab);
    start = read_entry(&go, &cursor, &description);
    for (uint64_t i = 0; i < go.count && !cursor.failed; i++) {
        struct go_function function = { .start = start };
        uint64_t here = description;

        function.end = next = read_entry(&go, &cursor, &description);
        if (next <= start || !read_function(&go, here, &function) || !deliver(&go, &function))
            sane = false;
        start = next;
    }
    return sane;
}
