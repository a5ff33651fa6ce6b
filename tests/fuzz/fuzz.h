/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target is tests/fuzz/fuzz_NAME.c with one function, and its seeds in
 * tests/fuzz/corpus/NAME/.
 *
 *     ./configure && make check                        replays the seeds, and each of them cut and
 *                                                      changed in a few hundred fixed ways
 *     CC=clang ./configure --enable-fuzz && make       links libFuzzer instead:
 *     tests/fuzz/fuzz_NAME corpus/                     looks for more until stopped
 *
 * A target checks with FUZZ_CHECK what must hold for every input, besides not crashing.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer calls it; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
