/* SPDX-License-Identifier: MIT */
/* Why a module has no names, or poor ones. */
#ifndef SYMBOLS_TROUBLE_H
#define SYMBOLS_TROUBLE_H

enum trouble {
    TROUBLE_NONE,
    TROUBLE_MISSING,     /* no such file, any more */
    TROUBLE_DENIED,      /* not permitted */
    TROUBLE_NOT_REGULAR, /* a fifo, a device… */
    TROUBLE_TOO_LARGE,   /* beyond a cap of ours */
    TROUBLE_NOT_ELF,
    TROUBLE_DAMAGED,
    TROUBLE_MISMATCH,       /* another build than the target runs */
    TROUBLE_DEBUG_MISMATCH, /* stripped, and its debug file is of another build */
    TROUBLE_STRIPPED,       /* no symbol table, or only the exported names */
    TROUBLE_NO_ALT,  /* dwz moved a part of the debug information to a file that is not there */
    TROUBLE_FOREIGN, /* a perf map that neither the target's user nor root owns */
    TROUBLE_HIDDEN,  /* kernel addresses are hidden from us */
    TROUBLE_NO_MAP,  /* JIT code whose program writes no perf map */
    TROUBLES
};

/* In words, translated. */
const char *trouble_text(enum trouble trouble);
/* From errno of an open(). */
enum trouble trouble_of_errno(int saved_errno);

#endif
