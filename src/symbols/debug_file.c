/* SPDX-License-Identifier: MIT */
/*
 * Separate debug files.  libdwfl finds the same ones, but it maps what it opens and waits for a
 * fifo; see elf_file.h for why that is not good enough here.
 */
#include "config.h"

#include "debug_file.h"

#include <limits.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "proftop/memory.h"

static const size_t unpacked_max_bytes = (size_t)256 << 20;
static const uint64_t lzma_memory_max_bytes = (uint64_t)128 << 20;

static enum trouble open_place(int root, const char *path, struct elf_file *out)
{
    return root != 0 ? elf_file_open_below(out, root, path) : elf_file_open_path(out, path);
}

/* The next of the folders in *DIRS into FOLDER; false after the last. */
static bool next_folder(const char **dirs, char folder[PATH_MAX])
{
    size_t length;

    while (**dirs == ':')
        (*dirs)++;
    length = strcspn(*dirs, ":");
    if (length == 0 || length >= PATH_MAX)
        return false;
    memcpy(folder, *dirs, length);
    folder[length] = '\0';
    *dirs += length;
    return true;
}

static bool has_build_id(const struct elf_file *file, const uint8_t *id, size_t size)
{
    uint8_t found[BUILD_ID_MAX];

    return elf_file_build_id(file, found) == size && memcmp(found, id, size) == 0;
}

static enum trouble find_by_id(int root, const uint8_t *id, size_t size, const char *dirs,
                               struct elf_file *out)
{
    char folder[PATH_MAX], path[PATH_MAX + 2 * BUILD_ID_MAX + 32], *end;
    enum trouble trouble = TROUBLE_MISSING;

    if (size < 2)
        return TROUBLE_MISSING;
    while (next_folder(&dirs, folder)) {
        end = path + sprintf(path, "%s/.build-id/%02x/", folder, id[0]);
        for (size_t i = 1; i < size; i++)
            end += sprintf(end, "%02x", id[i]);
        strcpy(end, ".debug");
        if (open_place(root, path, out) != TROUBLE_NONE)
            continue;
        if (has_build_id(out, id, size))
            return TROUBLE_NONE;
        elf_file_close(out);
        trouble = TROUBLE_MISMATCH;
    }
    return trouble;
}

static enum trouble open_by_id(const uint8_t *id, size_t size, const struct debug_places *places,
                               struct elf_file *out)
{
    if (places->root != 0 && find_by_id(places->root, id, size, places->dirs, out) == TROUBLE_NONE)
        return TROUBLE_NONE;
    return find_by_id(0, id, size, places->dirs, out);
}

/* CRC of the whole file, as .gnu_debuglink has it. */
static bool has_crc(const struct elf_file *file, uint32_t wanted)
{
    enum { chunk = 1 << 16 };
    uint8_t *buffer = xmalloc(chunk);
    uLong crc = crc32(0, NULL, 0);
    off_t at = 0;
    ssize_t count;

    while ((count = pread(file->fd, buffer, chunk, at)) > 0) {
        crc = crc32(crc, buffer, (uInt)count);
        at += count;
    }
    free(buffer);
    return count == 0 && crc == wanted;
}

/* A build id decides where both have one: it is cheaper than reading a gigabyte for the CRC. */
static bool fits(const struct elf_file *file, const struct elf_file *debug, uint32_t crc)
{
    uint8_t id[BUILD_ID_MAX], other[BUILD_ID_MAX];
    size_t size = elf_file_build_id(file, id), other_size = elf_file_build_id(debug, other);

    if (size != 0 && other_size != 0)
        return size == other_size && memcmp(id, other, size) == 0;
    return has_crc(debug, crc);
}

static enum trouble try_link(int root, const struct elf_file *file, const char *path, uint32_t crc,
                             struct elf_file *out)
{
    if (open_place(root, path, out) != TROUBLE_NONE)
        return TROUBLE_MISSING;
    if (fits(file, out, crc))
        return TROUBLE_NONE;
    elf_file_close(out);
    return TROUBLE_MISMATCH;
}

/* Where NAME in FILE leads: from FILE itself, however it was found; false when that is nowhere. */
static bool follow(const struct elf_file *file, const char *name, char path[PATH_MAX])
{
    char link[32], folder[PATH_MAX];
    ssize_t length;

    if (name[0] == '/')
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file->fd);
    length = readlink(link, folder, sizeof(folder));
    while (length > 0 && folder[length - 1] != '/')
        length--;
    return length > 0 && snprintf(path, PATH_MAX, "%.*s%s", (int)length, folder, name) < PATH_MAX;
}

/*
 * Where the link may lead: beside the file, in .debug/ there, both also where the file is for us
 * when PATH is that of a chroot, and in the same place below DIRS.
 */
static enum trouble find_by_link(int root, const struct elf_file *file, const char *path,
                                 const char *dirs, struct elf_file *out)
{
    Elf_Data *link = elf_file_named(file, ".gnu_debuglink");
    char candidate[3 * PATH_MAX], folder[PATH_MAX], beside[NAME_MAX + sizeof(".debug/")];
    enum trouble trouble, worst = TROUBLE_MISSING;
    const char *slash = strrchr(path, '/'), *name;
    size_t length, crc_at;
    uint32_t crc;

    if (link == NULL || slash == NULL || strlen(path) >= PATH_MAX)
        return TROUBLE_MISSING;
    name = link->d_buf;
    length = strnlen(name, link->d_size);
    crc_at = (length + 4) & ~(size_t)3;
    /* By the rules a bare name; anything else would lead where nobody asked us to go. */
    if (length == 0 || length > NAME_MAX || crc_at + 4 > link->d_size || strchr(name, '/') != NULL)
        return TROUBLE_DAMAGED;
    memcpy(&crc, name + crc_at, sizeof(crc));
    for (int way = 0; way < 4; way++) {
        snprintf(beside, sizeof(beside), "%s%s", way % 2 == 0 ? "" : ".debug/", name);
        snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)(slash - path), path, beside);
        if (way >= 2 && (root != 0 || !follow(file, beside, candidate)))
            continue;
        trouble = strcmp(beside, slash + 1) == 0 ? TROUBLE_MISSING
                                                 : try_link(root, file, candidate, crc, out);
        if (trouble == TROUBLE_NONE)
            return trouble;
        if (trouble == TROUBLE_MISMATCH)
            worst = trouble;
    }
    while (next_folder(&dirs, folder)) {
        snprintf(candidate, sizeof(candidate), "%s%.*s/%s", folder, (int)(slash - path), path,
                 name);
        trouble = try_link(root, file, candidate, crc, out);
        if (trouble == TROUBLE_NONE)
            return trouble;
        if (trouble == TROUBLE_MISMATCH)
            worst = trouble;
    }
    return worst;
}

static enum trouble open_by_link(const struct elf_file *file, const struct debug_places *places,
                                 struct elf_file *out)
{
    if (places->root != 0 &&
        find_by_link(places->root, file, places->path, places->dirs, out) == TROUBLE_NONE)
        return TROUBLE_NONE;
    return find_by_link(0, file, places->path, places->dirs, out);
}

enum trouble debug_file_open_id(const uint8_t *id, size_t size, const struct debug_places *places,
                                struct elf_file *out)
{
    enum trouble trouble;

    *out = (struct elf_file){ .fd = -1 };
    trouble = open_by_id(id, size, places, out);
    if (trouble == TROUBLE_NONE)
        return trouble;
    if (places->fetched != NULL && elf_file_open_path(out, places->fetched) == TROUBLE_NONE) {
        if (has_build_id(out, id, size))
            return TROUBLE_NONE;
        elf_file_close(out);
    }
    return trouble;
}

enum trouble debug_file_open(const struct elf_file *file, const struct debug_places *places,
                             struct elf_file *out)
{
    uint8_t id[BUILD_ID_MAX];
    size_t size = elf_file_build_id(file, id);
    enum trouble trouble = debug_file_open_id(id, size, places, out), by_link;

    if (trouble == TROUBLE_NONE)
        return trouble;
    by_link = open_by_link(file, places, out);
    return by_link == TROUBLE_MISSING ? trouble : by_link;
}

/* Where the alternate NAME of FILE leads, which for FILE's process may be elsewhere than for us. */
static enum trouble open_alt(const struct elf_file *file, const struct debug_places *places,
                             const char *name, struct elf_file *out)
{
    char path[PATH_MAX];

    if (places->root != 0 && name[0] == '/' &&
        elf_file_open_below(out, places->root, name) == TROUBLE_NONE)
        return TROUBLE_NONE;
    return follow(file, name, path) ? elf_file_open_path(out, path) : TROUBLE_MISSING;
}

enum trouble debug_file_open_alt(const struct elf_file *file, const struct debug_places *places,
                                 struct elf_file *out)
{
    Elf_Data *link = elf_file_named(file, ".gnu_debugaltlink");
    const char *name;
    const uint8_t *id;
    size_t length, size;
    enum trouble trouble;

    *out = (struct elf_file){ .fd = -1 };
    if (link == NULL)
        return TROUBLE_NONE;
    name = link->d_buf;
    length = strnlen(name, link->d_size);
    if (length == link->d_size || link->d_size - length - 1 > BUILD_ID_MAX)
        return TROUBLE_DAMAGED;
    id = (const uint8_t *)link->d_buf + length + 1;
    size = link->d_size - length - 1;
    if (open_by_id(id, size, places, out) == TROUBLE_NONE)
        return TROUBLE_NONE;
    trouble = open_alt(file, places, name, out);
    if (trouble == TROUBLE_NONE && !has_build_id(out, id, size)) {
        elf_file_close(out);
        trouble = TROUBLE_MISMATCH;
    }
    return trouble;
}

void *debug_file_unpack(const struct elf_file *file, size_t *size_bytes)
{
    Elf_Data *packed = elf_file_named(file, ".gnu_debugdata");
    lzma_stream stream = LZMA_STREAM_INIT;
    size_t capacity = 0, count = 0;
    uint8_t *image = NULL;
    lzma_ret status = LZMA_OK;

    if (packed == NULL ||
        lzma_stream_decoder(&stream, lzma_memory_max_bytes, LZMA_CONCATENATED) != LZMA_OK)
        return NULL;
    stream.next_in = packed->d_buf;
    stream.avail_in = packed->d_size;
    while (status == LZMA_OK && count < unpacked_max_bytes) {
        image = array_reserve(image, &capacity, count + (1 << 18), 1);
        stream.next_out = image + count;
        stream.avail_out = capacity - count;
        status = lzma_code(&stream, LZMA_FINISH);
        count = capacity - stream.avail_out;
    }
    lzma_end(&stream);
    if (status != LZMA_STREAM_END) {
        free(image);
        return NULL;
    }
    *size_bytes = count;
    return image;
}
