/* SPDX-License-Identifier: MIT */
/* Turning blocks round: see blocks_terms(). */
#ifndef PROFTOP_PROFILE_BLOCK_TERMS_H
#define PROFTOP_PROFILE_BLOCK_TERMS_H

#include "proftop/blocks.h"

struct block_terms *block_terms_new(const struct blocks *blocks, bool total);
void block_terms_free(struct block_terms *terms);

#endif
