/* SPDX-License-Identifier: MIT */
/* The source files that go along with a session, so that Source works where they are not. */
#ifndef PROFTOP_SESSION_SOURCES_H
#define PROFTOP_SESSION_SOURCES_H

#include "proftop/fold.h"
#include "store.h"

enum { SOURCE_BYTES_MAX = 1 << 19 /* of one file */ };

/* Stores those of FOLD's functions, the heaviest first, as far as a bound allows. */
bool store_sources(struct session_store *store, const struct profile *profile,
                   const struct fold *fold, struct error *error);

#endif
