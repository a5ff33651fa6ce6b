/* SPDX-License-Identifier: MIT */
/*
 * pprof's profile.proto, compressed with gzip.
 *
 *     fold node ─► sample {locations leaf first; values: samples, the metric}
 *                     └─► location {mapping, line} ─► function {names, file, first line}
 *                                                        └─► string table, "" first
 *
 * Every frame, also an inlined one, is a location of its own, because a fold has no addresses.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "formats.h"
#include "proftop/gettext.h"
#include "proftop/hash.h"
#include "proftop/index.h"
#include "proftop/memory.h"
#include "proftop/profile.h"
#include "protobuf.h"
#include "stacks.h"

/* Fields of the messages, as profile.proto numbers them. */
enum {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_MAPPING = 3,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING = 6,
    PROFILE_TIME_NS = 9,
    PROFILE_DURATION_NS = 10,
    PROFILE_PERIOD_TYPE = 11,
    PROFILE_PERIOD = 12,
    PROFILE_COMMENT = 13,
    PROFILE_DEFAULT_TYPE = 14,
    TYPE_TYPE = 1,
    TYPE_UNIT = 2,
    SAMPLE_LOCATIONS = 1,
    SAMPLE_VALUES = 2,
    MAPPING_ID = 1,
    MAPPING_FILE = 5,
    MAPPING_HAS_FUNCTIONS = 7,
    MAPPING_HAS_FILES = 8,
    MAPPING_HAS_LINES = 9,
    LOCATION_ID = 1,
    LOCATION_MAPPING = 2,
    LOCATION_LINE = 4,
    LINE_FUNCTION = 1,
    LINE_LINE = 2,
    FUNCTION_ID = 1,
    FUNCTION_NAME = 2,
    FUNCTION_SYSTEM_NAME = 3,
    FUNCTION_FILE = 4,
    FUNCTION_LINE = 5,
};

/* What a location stands for: a function at a line, or a process. */
struct place {
    function_id function;
    uint32_t line, process;
};

struct writer {
    const struct fold *fold;
    struct protobuf out;
    struct protobuf message, part; /* used again and again */
    const char **strings;          /* copies */
    size_t string_count, string_capacity;
    struct index string_index;
    struct place *places; /* location ids less 1 */
    size_t place_count, place_capacity;
    struct index place_index;
    uint32_t *mappings; /* string numbers of modules; mapping ids less 1 */
    size_t mapping_count, mapping_capacity;
};

static uint32_t intern(struct writer *writer, const char *text)
{
    uint64_t hash = hash_bytes(0, text, strlen(text));
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&writer->string_index, hash, &cursor);
    while ((item = index_next(&writer->string_index, &cursor)) != INDEX_END)
        if (strcmp(writer->strings[item], text) == 0)
            return item;
    item = (uint32_t)writer->string_count;
    writer->strings = array_reserve(writer->strings, &writer->string_capacity,
                                    writer->string_count + 1, sizeof(writer->strings[0]));
    writer->strings[writer->string_count++] = xstrdup(text);
    index_add(&writer->string_index, hash, item);
    return item;
}

static uint64_t location_of(struct writer *writer, const struct fold_node *node)
{
    struct place place = { node->function, node->line, node->process };
    uint64_t hash = hash_pair((uint64_t)place.function << 32 | place.line, place.process);
    struct index_cursor cursor;
    uint32_t item;

    index_probe(&writer->place_index, hash, &cursor);
    while ((item = index_next(&writer->place_index, &cursor)) != INDEX_END)
        if (memcmp(&writer->places[item], &place, sizeof(place)) == 0)
            return item + 1;
    item = (uint32_t)writer->place_count;
    writer->places = array_reserve(writer->places, &writer->place_capacity, writer->place_count + 1,
                                   sizeof(writer->places[0]));
    writer->places[writer->place_count++] = place;
    index_add(&writer->place_index, hash, item);
    return item + 1;
}

static uint64_t mapping_of(struct writer *writer, const char *module)
{
    uint32_t text = intern(writer, module);

    for (size_t i = 0; i < writer->mapping_count; i++)
        if (writer->mappings[i] == text)
            return i + 1;
    writer->mappings = array_reserve(writer->mappings, &writer->mapping_capacity,
                                     writer->mapping_count + 1, sizeof(writer->mappings[0]));
    writer->mappings[writer->mapping_count++] = text;
    return writer->mapping_count;
}

static void put_type(struct writer *writer, unsigned field, const char *type, const char *unit)
{
    writer->message.size_bytes = 0;
    protobuf_number(&writer->message, TYPE_TYPE, intern(writer, type));
    protobuf_number(&writer->message, TYPE_UNIT, intern(writer, unit));
    protobuf_message(&writer->out, field, &writer->message);
}

static void put_sample(struct writer *writer, struct path *path, node_id id)
{
    const struct fold_node *nodes = writer->fold->nodes;

    path_to(path, writer->fold, id);
    writer->message.size_bytes = 0;
    writer->part.size_bytes = 0;
    for (size_t i = path->count; i-- > 0;)
        protobuf_varint(&writer->part, location_of(writer, &nodes[path->nodes[i]]));
    protobuf_message(&writer->message, SAMPLE_LOCATIONS, &writer->part);
    writer->part.size_bytes = 0;
    protobuf_varint(&writer->part, nodes[id].self_samples);
    protobuf_varint(&writer->part, nodes[id].self);
    protobuf_message(&writer->message, SAMPLE_VALUES, &writer->part);
    protobuf_message(&writer->out, PROFILE_SAMPLE, &writer->message);
}

static void put_samples(struct writer *writer)
{
    struct path path = { 0 };

    for (node_id id = 0; id < writer->fold->node_count; id++)
        if (writer->fold->nodes[id].self > 0 || writer->fold->nodes[id].self_samples > 0)
            put_sample(writer, &path, id);
    path_fini(&path);
}

/* Function ids are function_id + 1; a process gets one above them all. */
static uint64_t function_number(const struct writer *writer, const struct place *place)
{
    return place->process != 0 ? (uint64_t)names_functions(writer->fold->names) + place->process + 1
                               : (uint64_t)place->function + 1;
}

static void put_function(struct writer *writer, const struct place *place)
{
    struct fold_node node = { .function = place->function, .process = place->process };
    char buffer[512];
    const char *name = node_name(writer->fold, &node, buffer, sizeof(buffer));

    writer->message.size_bytes = 0;
    protobuf_number(&writer->message, FUNCTION_ID, function_number(writer, place));
    if (place->process == 0) {
        const struct function *function = node_function(writer->fold, &node);

        protobuf_number(&writer->message, FUNCTION_NAME, intern(writer, function->name));
        protobuf_number(&writer->message, FUNCTION_SYSTEM_NAME, intern(writer, function->raw_name));
        protobuf_number(&writer->message, FUNCTION_FILE, intern(writer, function->file));
        protobuf_number(&writer->message, FUNCTION_LINE, function->line);
    } else {
        protobuf_number(&writer->message, FUNCTION_NAME, intern(writer, name));
    }
    protobuf_message(&writer->out, PROFILE_FUNCTION, &writer->message);
}

static void put_location(struct writer *writer, uint64_t id, const struct place *place)
{
    const char *module =
        place->process != 0 ? "" : names_get(writer->fold->names, place->function)->module;

    writer->part.size_bytes = 0;
    protobuf_number(&writer->part, LINE_FUNCTION, function_number(writer, place));
    protobuf_number(&writer->part, LINE_LINE, place->line);
    writer->message.size_bytes = 0;
    protobuf_number(&writer->message, LOCATION_ID, id);
    if (module[0] != '\0')
        protobuf_number(&writer->message, LOCATION_MAPPING, mapping_of(writer, module));
    protobuf_message(&writer->message, LOCATION_LINE, &writer->part);
    protobuf_message(&writer->out, PROFILE_LOCATION, &writer->message);
}

/* A function once, however many lines of it were seen. */
static void put_places(struct writer *writer)
{
    uint32_t functions = names_functions(writer->fold->names);
    bool *written = xcalloc((size_t)functions + 1, sizeof(*written));

    for (size_t i = 0; i < writer->place_count; i++) {
        const struct place *place = &writer->places[i];

        put_location(writer, i + 1, place);
        if (place->process == 0 && written[place->function])
            continue;
        if (place->process == 0)
            written[place->function] = true;
        put_function(writer, place);
    }
    free(written);
}

static void put_mappings(struct writer *writer)
{
    for (size_t i = 0; i < writer->mapping_count; i++) {
        writer->message.size_bytes = 0;
        protobuf_number(&writer->message, MAPPING_ID, i + 1);
        protobuf_number(&writer->message, MAPPING_FILE, writer->mappings[i]);
        protobuf_number(&writer->message, MAPPING_HAS_FUNCTIONS, 1);
        protobuf_number(&writer->message, MAPPING_HAS_FILES, 1);
        protobuf_number(&writer->message, MAPPING_HAS_LINES, 1);
        protobuf_message(&writer->out, PROFILE_MAPPING, &writer->message);
    }
}

static void put_header(struct writer *writer)
{
    const struct fold *fold = writer->fold;
    const struct profile_info *info = profile_info(fold->profile);
    struct measure weight = weight_of(fold);

    put_type(writer, PROFILE_SAMPLE_TYPE, "samples", "count");
    put_type(writer, PROFILE_SAMPLE_TYPE, weight.name, weight.unit);
    protobuf_number(&writer->out, PROFILE_TIME_NS,
                    fold->start_ns + (uint64_t)info->realtime_offset_ns);
    protobuf_number(&writer->out, PROFILE_DURATION_NS, fold->end_ns - fold->start_ns);
    if (info->rate_hz > 0) {
        put_type(writer, PROFILE_PERIOD_TYPE, "cpu", "nanoseconds");
        protobuf_number(&writer->out, PROFILE_PERIOD, 1000000000 / info->rate_hz);
    }
    if (info->command != NULL)
        protobuf_number(&writer->out, PROFILE_COMMENT, intern(writer, info->command));
    protobuf_number(&writer->out, PROFILE_DEFAULT_TYPE, intern(writer, weight.name));
}

/* gzip without a time or a name in its header: the same profile gives the same bytes. */
static bool compress_to(FILE *stream, const struct protobuf *out, struct error *error)
{
    enum { CHUNK = 1 << 16, GZIP_WINDOW = 15 + 16 };
    z_stream zip = { .next_in = out->bytes, .avail_in = (uInt)out->size_bytes };
    unsigned char chunk[CHUNK];
    int status;

    if (out->size_bytes > UINT32_MAX)
        return error_set(error, STATUS_FAILED, _("the profile is too large for pprof"));
    if (deflateInit2(&zip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return error_set(error, STATUS_FAILED, _("zlib cannot compress here"));
    do {
        zip.next_out = chunk;
        zip.avail_out = CHUNK;
        status = deflate(&zip, Z_FINISH);
        fwrite(chunk, 1, CHUNK - zip.avail_out, stream);
    } while (status == Z_OK || status == Z_BUF_ERROR);
    deflateEnd(&zip);
    return true;
}

static void writer_fini(struct writer *writer)
{
    for (size_t i = 0; i < writer->string_count; i++)
        free((char *)writer->strings[i]);
    free(writer->strings);
    free(writer->places);
    free(writer->mappings);
    index_fini(&writer->string_index);
    index_fini(&writer->place_index);
    protobuf_fini(&writer->out);
    protobuf_fini(&writer->message);
    protobuf_fini(&writer->part);
}

static bool write_pprof(const struct fold *fold, const struct export_options *options, FILE *stream,
                        struct error *error)
{
    struct writer writer = { .fold = fold };
    bool done;

    (void)options;
    index_init(&writer.string_index);
    index_init(&writer.place_index);
    intern(&writer, "");
    put_header(&writer);
    put_samples(&writer);
    put_places(&writer);
    put_mappings(&writer);
    for (size_t i = 0; i < writer.string_count; i++)
        protobuf_bytes(&writer.out, PROFILE_STRING, writer.strings[i], strlen(writer.strings[i]));
    done = compress_to(stream, &writer.out, error);
    writer_fini(&writer);
    return done;
}

const struct export_ops export_pprof = {
    .name = "pprof",
    .extension = ".pb.gz",
    .label = N_("pprof"),
    .binary = true,
    .write = write_pprof,
};
