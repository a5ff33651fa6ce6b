/* SPDX-License-Identifier: MIT */
/* The statements that make a session file. */
#include "config.h"

#include "schema.h"

const struct schema_item schema_tables[] = {
    { "info", "CREATE TABLE info (key TEXT PRIMARY KEY, value) WITHOUT ROWID" },
    { "functions", "CREATE TABLE functions (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, "
                   "name TEXT NOT NULL, raw_name TEXT, module TEXT NOT NULL, file TEXT NOT NULL, "
                   "line INTEGER NOT NULL, mark INTEGER NOT NULL, internal INTEGER NOT NULL)" },
    { "locations", "CREATE TABLE locations (first INTEGER PRIMARY KEY, frames BLOB NOT NULL)" },
    { "namings", "CREATE TABLE namings (id INTEGER PRIMARY KEY, named BLOB NOT NULL)" },
    { "stacks", "CREATE TABLE stacks (first INTEGER PRIMARY KEY, nodes BLOB NOT NULL)" },
    { "threads", "CREATE TABLE threads (id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, "
                 "tid INTEGER NOT NULL, ppid INTEGER NOT NULL, began_ns INTEGER NOT NULL, "
                 "ended_ns INTEGER, exit_status INTEGER NOT NULL, name TEXT NOT NULL)" },
    { "lanes", "CREATE TABLE lanes (id INTEGER PRIMARY KEY, grp INTEGER NOT NULL, "
               "unit INTEGER NOT NULL, key TEXT NOT NULL, label TEXT NOT NULL, "
               "pid INTEGER NOT NULL, tid INTEGER NOT NULL, ceiling REAL NOT NULL, "
               "alarming INTEGER NOT NULL, absent TEXT)" },
    { "slices", "CREATE TABLE slices (id INTEGER PRIMARY KEY, start_ns INTEGER NOT NULL, "
                "end_ns INTEGER NOT NULL, entries BLOB NOT NULL, counters BLOB NOT NULL)" },
    { "notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, "
               "level INTEGER NOT NULL, text TEXT NOT NULL)" },
    { "sources",
      "CREATE TABLE sources (id INTEGER PRIMARY KEY, file TEXT NOT NULL, text BLOB NOT NULL)" },
    { "function_totals", "CREATE TABLE function_totals (function INTEGER PRIMARY KEY, "
                         "self INTEGER NOT NULL, total INTEGER NOT NULL, "
                         "self_samples INTEGER NOT NULL, total_samples INTEGER NOT NULL)" },
    { "seconds", "CREATE TABLE seconds (second INTEGER PRIMARY KEY, samples INTEGER NOT NULL, "
                 "running_ns INTEGER NOT NULL, waiting_ns INTEGER NOT NULL, "
                 "expected INTEGER NOT NULL, received INTEGER NOT NULL, lost INTEGER NOT NULL, "
                 "target_cpu_pct REAL, target_rss_bytes REAL)" },
    /* Since version 3. */
    { "modules", "CREATE TABLE modules (id INTEGER PRIMARY KEY, module INTEGER NOT NULL, "
                 "name TEXT NOT NULL, build_id BLOB NOT NULL, code BLOB NOT NULL)" },
};

const unsigned schema_table_count = sizeof(schema_tables) / sizeof(schema_tables[0]);

const struct schema_item schema_views[] = {
    { "top_functions",
      "CREATE VIEW top_functions AS SELECT f.name AS name, f.module AS module, f.file AS file, "
      "f.line AS line, t.self_samples AS self_samples, t.total_samples AS total_samples, "
      "t.self AS self, t.total AS total, "
      "round(100.0 * t.self / nullif(n.value, 0), 2) AS self_pct, "
      "round(100.0 * t.total / nullif(n.value, 0), 2) AS total_pct "
      "FROM function_totals AS t JOIN functions AS f ON f.id = t.function "
      "JOIN info AS n ON n.key = 'totals_weight' ORDER BY t.self DESC, t.total DESC, f.name" },
    { "timeline", "CREATE VIEW timeline AS SELECT second AS t_s, "
                  "strftime('%Y-%m-%dT%H:%M:%SZ', second + (SELECT value FROM info WHERE key = "
                  "'start_unix_s'), "
                  "'unixepoch') AS time, samples, expected, received, lost, "
                  "round(running_ns / 1e9, 6) AS cpu_s, round(waiting_ns / 1e9, 6) AS waiting_s, "
                  "target_cpu_pct, target_rss_bytes FROM seconds ORDER BY second" },
};

const unsigned schema_view_count = sizeof(schema_views) / sizeof(schema_views[0]);

unsigned schema_tables_of(int version)
{
    return schema_table_count - (version < SESSION_VERSION_MODULES ? 1 : 0);
}
