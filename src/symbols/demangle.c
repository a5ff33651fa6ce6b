/* SPDX-License-Identifier: MIT */
/*
 * Demangling with libiberty, which knows C++ and both schemes of Rust.
 *
 * A name is input from a stranger.  A short one can stand for gigabytes (substitutions of
 * substitutions), so the text is taken piece by piece and the demangler is left, by longjmp, when
 * it gets too long: its callback interface keeps its state on the stack.  Nesting is bounded by
 * libiberty for names up to 1024 characters, and longer ones it refuses outright, though real
 * templates are longer: those run without its limit, up to a length whose deepest nesting still
 * fits a thread's stack.
 *
 * This file does without proftop/memory.h: libiberty declares some of the same names.
 */
#include "config.h"

#include "demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <string.h>

enum { RAW_LIMITED = 1023, RAW_MAX = 4096 };

struct taker {
    jmp_buf enough;
    char *text;
    size_t length;
};

static void take(const char *piece, size_t length, void *opaque)
{
    struct taker *taker = opaque;

    if (length == 0) /* a piece of nothing has no place either */
        return;
    if (length >= DEMANGLED_MAX - taker->length)
        longjmp(taker->enough, 1);
    memcpy(taker->text + taker->length, piece, length);
    taker->length += length;
    taker->text[taker->length] = '\0';
}

static bool run(const char *raw, int options, struct taker *taker)
{
    if (setjmp(taker->enough) != 0)
        return false;
    /* Rust first: its older scheme is valid C++ with a hash at the end. */
    if (rust_demangle_callback(raw, options, take, taker) != 0 && taker->length > 0)
        return true;
    taker->length = 0;
    return cplus_demangle_v3_callback(raw, options, take, taker) != 0 && taker->length > 0;
}

bool demangle(const char *raw, char out[DEMANGLED_MAX])
{
    struct taker taker = { .text = out };
    size_t length = strcspn(raw, "@");
    int options = DMGL_PARAMS | DMGL_ANSI;
    char plain[RAW_MAX + 1];

    if (length < 3 || length > RAW_MAX || raw[0] != '_' ||
        (raw[1] != 'Z' && raw[1] != 'R' && raw[1] != '_'))
        return false;
    memcpy(plain, raw, length);
    plain[length] = '\0';
    if (length > RAW_LIMITED)
        options |= DMGL_NO_RECURSE_LIMIT;
    return run(plain, options, &taker);
}
