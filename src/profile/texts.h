/* SPDX-License-Identifier: MIT */
/* Interned texts: the same words are kept once, and their address stays.  One thread at a time. */
#ifndef PROFTOP_PROFILE_TEXTS_H
#define PROFTOP_PROFILE_TEXTS_H

#include "proftop/arena.h"
#include "proftop/chunks.h"
#include "proftop/index.h"

struct texts {
    struct arena *arena;
    struct index index;
    struct chunks table; /* of const char * */
};

void texts_init(struct texts *texts);
void texts_fini(struct texts *texts);
/* NULL is kept as "". */
const char *texts_add(struct texts *texts, const char *text);
size_t texts_bytes(const struct texts *texts);

#endif
