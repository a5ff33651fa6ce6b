/* SPDX-License-Identifier: MIT */
/*
 * A module is kept as its build id and the places that its code is loaded to.  No path: nothing in
 * a session file ever says which file is to be opened.
 */
#include "config.h"

#include "modules.h"

#include <string.h>

#include "proftop/module.h"

bool store_modules(struct session_store *store, const struct names *names, struct error *error)
{
    sqlite3_stmt *statement = store->statements[STORE_MODULE];

    for (uint32_t count = names_kept_modules(names); store->modules < count; store->modules++) {
        const struct module *module = names_kept_module(names, store->modules);

        bytes_clear(&store->bytes);
        for (uint32_t i = 0; i < module->segment_count; i++)
            encode_segment(&store->bytes, &module->segments[i]);
        sqlite3_bind_int64(statement, 1, store->modules);
        sqlite3_bind_int64(statement, 2, module->id);
        sqlite3_bind_text(statement, 3, module->name, -1, SQLITE_STATIC);
        sqlite3_bind_blob(statement, 4, module->build_id, module->build_id_size, SQLITE_STATIC);
        sqlite3_bind_blob64(statement, 5, store->bytes.data, store->bytes.size, SQLITE_STATIC);
        if (!database_step(store->database, statement, error))
            return false;
    }
    return true;
}

static bool read_segments(sqlite3_stmt *statement, int column, struct module *module,
                          struct segment segments[SEGMENTS_MAX])
{
    struct reading reading;
    const void *blob;
    size_t size;

    blob = column_blob(statement, column, &size);
    for (reading = reading_of(blob, size); reading.at < reading.end;) {
        if (module->segment_count == SEGMENTS_MAX ||
            !decode_segment(&reading, &segments[module->segment_count++]))
            return false;
    }
    module->segments = segments;
    return module->segment_count != 0;
}

bool read_module(sqlite3_stmt *statement, struct names *names)
{
    struct module module = { .kind = MODULE_FILE, .path = "", .fd = -1 };
    struct segment segments[SEGMENTS_MAX];
    int64_t number = sqlite3_column_int64(statement, 1);
    const void *id;
    size_t size;

    id = column_blob(statement, 3, &size);
    if (sqlite3_column_int64(statement, 0) != names_kept_modules(names) || number < 0 ||
        number > UINT32_MAX || size == 0 || size > BUILD_ID_MAX ||
        !read_segments(statement, 4, &module, segments))
        return false;
    module.id = (module_id)number;
    module.name = column_text(statement, 2);
    module.build_id_size = (uint8_t)size;
    memcpy(module.build_id, id, size);
    names_keep_module(names, &module);
    return true;
}
