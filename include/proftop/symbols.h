/* SPDX-License-Identifier: MIT */
/*
 * Symbols: which function, file and line a struct frame lies in.
 *
 *     struct frame ──► symbols_fast() ──► one symbol, from the symbol table   (≤ 100 ns when known)
 *                 └──► symbols_full() ──► inlined calls, innermost first, then the real function
 *                                         last, with files and lines from DWARF (slow, cached)
 *
 * An address has a name only when it lies inside [st_value, st_value + st_size) of a symbol;
 * otherwise it is shown as "module+0xoffset", never by its neighbour's name.
 *
 * symbols_fast() belongs to one thread, symbols_full() and symbols_many() to one, which may be
 * another: each has its own cache, what they share is behind a lock.  Everything else may be called
 * by any thread. Texts in a struct symbol are owned by the struct symbols and stay until
 * symbols_free().
 */
#ifndef PROFTOP_SYMBOLS_H
#define PROFTOP_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proftop/error.h"
#include "proftop/frame.h"
#include "proftop/module.h"

struct codes;
struct symbols;

struct symbols_config {
    bool inlines;             /* symbols_full() gives inlined calls as frames of their own */
    bool debuginfod;          /* missing debug files may be fetched, on a thread of its own */
    uint64_t fetch_max_bytes; /* of all debug files that are fetched; 0: no bound */
    const char *proc_root;    /* where kallsyms and perf maps are found; NULL: "/proc" */
    const char *debug_dirs;   /* separate debug files, ':' between; NULL: "/usr/lib/debug" */
};

struct symbol {
    enum frame_kind kind;   /* FRAME_INLINE for an inlined call, else the frame's own */
    bool known;             /* false: its name is only "module+0xoffset" and the like */
    const char *raw_name;   /* as the symbol table has it */
    const char *given_name; /* NULL: its name is made of RAW_NAME; see symbols_name() */
    const char *module;     /* the module's name, "" when none */
    const char *file;       /* the source file of this point, "" when unknown */
    uint32_t line;          /* in FILE; 0 when unknown */
    uint32_t first_line;    /* where the function is declared, 0 when unknown */
    const char *first_file;
    uint64_t address; /* where the function begins, in the frame's terms; not for FRAME_INLINE */
};

/* More inlined calls than this at one address are cut at the innermost. */
enum { SYMBOLS_CHAIN_MAX = 64 };

/* MODULES and CODES are borrowed and must outlive the result.  CONFIG's texts are copied. */
struct symbols *symbols_new(const struct symbols_config *config, struct modules *modules,
                            struct codes *codes);
void symbols_free(struct symbols *symbols);

/* The physical function of FRAME.  The first call for a module reads its symbol table. */
void symbols_fast(struct symbols *symbols, const struct frame *frame, struct symbol *out);

/*
 * The inline chain at FRAME into OUT, at most LIMIT (at least 1), innermost first; the count.  The
 * last is the function symbols_fast() gives, with its file and line added.
 */
size_t symbols_full(struct symbols *symbols, const struct frame *frame, struct symbol *out,
                    size_t limit);

/*
 * SYMBOL's name for a person: demangled, whole; the same pointer as RAW_NAME where it is the same.
 * Made when it is first asked for.
 */
const char *symbols_name(struct symbols *symbols, const struct symbol *symbol);

/* What symbols_many() gives of frame INDEX; false: enough, leave the rest. */
typedef bool symbols_give(void *context, size_t index, const struct symbol *chain, size_t count);

/*
 * As symbols_full() for each of COUNT frames, but those whose addresses are close together after
 * each other, as they are named by the same debug information, and a second thread reads ahead:
 * three times faster for many.  GIVE must not ask for other chains.
 */
void symbols_many(struct symbols *symbols, const struct frame *frames, size_t count,
                  symbols_give *give, void *context);

/*
 * JIT code moves and its addresses are used again.  Call this when a sample arrives: it marks the
 * JIT frames among the COUNT so that they keep the name their address has now.
 */
void symbols_settle(struct symbols *symbols, struct frame *frames, uint32_t count);

/*
 * Goes up when what was not known before may be known now (a debug file arrived, a perf map grew):
 * ask again for the frames whose symbol had KNOWN false.
 */
uint32_t symbols_version(const struct symbols *symbols);

/*
 * Why MODULE has no names, or poor ones, in one translated sentence; NULL when nothing is amiss or
 * nobody asked for its names yet.
 */
const char *symbols_trouble(struct symbols *symbols, module_id module);

/*
 * The troubles a person must know of while looking at names: a file of another build, a damaged
 * one…, in translated sentences counted from 0.  False when there is no such sentence, or not yet.
 */
bool symbols_warning(struct symbols *symbols, uint32_t number, char *text, size_t size_bytes);

/* What debuginfod is doing, or why it cannot, translated; NULL: nothing to tell. */
const char *symbols_fetching(struct symbols *symbols);

/* The module's build id, read from the file when the module does not hold one; bytes, 0 if none. */
size_t symbols_build_id(struct symbols *symbols, module_id id, uint8_t bytes[BUILD_ID_MAX]);

/*
 * What names the code of module ID when its file is not at hand, into OUT, whose segments are in
 * SEGMENTS: a module that modules_add() takes elsewhere.  False when its file has no build id.
 */
bool symbols_describe(struct symbols *symbols, module_id id, struct module *out,
                      struct segment segments[SEGMENTS_MAX]);

/*
 * Waits while debug files are fetched, until one has come since VERSION was the symbols': true.
 * False when nothing is under way any more.  Other threads go on meanwhile.
 */
bool symbols_await(struct symbols *symbols, uint32_t version);
/* Fetches no more: who awaits is told at once. */
void symbols_fetch_no_more(struct symbols *symbols);

/* What happened so far, for the session's information page. */
struct symbols_counts {
    uint32_t modules;    /* looked at */
    uint32_t nameless;   /* … that gave no symbol at all */
    uint32_t mismatched; /* files on disk that are not what the target runs */
    uint32_t damaged; /* ELF, DWARF, perf maps and jitdumps that make no sense, in part or whole */
    uint32_t refused; /* files not opened: not regular, too large, not the target's */
    uint32_t unnamed; /* distinct addresses outside every symbol */
    uint32_t fetched; /* debug files that debuginfod gave */
    size_t bytes;     /* memory held */
    uint64_t load_ns; /* spent reading symbol tables */
};
void symbols_counts(struct symbols *symbols, struct symbols_counts *counts);

/*
 * NAME in at most COLUMNS characters: first the arguments go, then template arguments, then the
 * left end.  Pure.  Two different names can become the same; the caller, who sees both, then shows
 * the longer forms.  Returns OUT.
 */
char *symbol_shorten(const char *name, size_t columns, char *out, size_t size_bytes);

/*
 * NAME in at most COLUMNS (4 or more) characters, cut where it is least like OTHER: where the two
 * begin to differ stays.  Made of OTHER and NAME the other way round, it is never the same, unless
 * they are.  Pure.  Returns OUT.
 */
char *symbol_apart(const char *name, const char *other, size_t columns, char *out,
                   size_t size_bytes);

#endif
