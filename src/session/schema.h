/* SPDX-License-Identifier: MIT */
/* The tables of a session file; doc/session-format.md says what is in them. */
#ifndef PROFTOP_SESSION_SCHEMA_H
#define PROFTOP_SESSION_SCHEMA_H

enum {
    SESSION_APPLICATION_ID = 0x70724674, /* "prFt" */
    SESSION_VERSION = 3,
    SESSION_VERSION_OLDEST = 2,  /* that is read */
    SESSION_VERSION_MODULES = 3, /* the first with the table "modules" */
};

struct schema_item {
    const char *name;
    const char *sql; /* as it has to stand in sqlite_schema, to the letter */
};

/* The tables that are read: a file whose tables differ is not read. */
extern const struct schema_item schema_tables[];
extern const unsigned schema_table_count;
/* How many of them, from the first, a file of VERSION has. */
unsigned schema_tables_of(int version);
/* For people with other SQLite clients. */
extern const struct schema_item schema_views[];
extern const unsigned schema_view_count;

#endif
