/* SPDX-License-Identifier: MIT */
/* The table "modules": what names native code later, where its files are not. */
#ifndef PROFTOP_SESSION_MODULES_H
#define PROFTOP_SESSION_MODULES_H

#include "store.h"

/* Writes the modules of NAMES that the file does not have yet. */
bool store_modules(struct session_store *store, const struct names *names, struct error *error);
/* Adds the row at STATEMENT to NAMES; false when it makes no sense. */
bool read_module(sqlite3_stmt *statement, struct names *names);

#endif
