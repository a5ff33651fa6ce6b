/* SPDX-License-Identifier: MIT */
/* Images of DWARF: see image.h. */
#include "config.h"

#include "image.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#else
#include <zlib.h>
#endif

#include "proftop/memory.h"

enum {
    ALIGNMENT = 16,
    PAGE_MOST = 1 << 16, /* of any machine that we run on */
    HUGE_PAGE = 2 << 20,
    NAMES_BYTES = 256,
    THREAD_MIN = 1 << 20
};

static const uint64_t image_max_bytes = UINT64_C(4) << 30;

/* What names and lines come from. */
static const char *const wanted_names[] = {
    ".debug_info",     ".debug_abbrev", ".debug_line",        ".debug_str",
    ".debug_line_str", ".debug_ranges", ".debug_rnglists",    ".debug_addr",
    ".debug_aranges",  ".debug_types",  ".debug_str_offsets",
};

enum { WANTED = sizeof(wanted_names) / sizeof(wanted_names[0]) };

struct piece {
    const char *name;
    Elf_Scn *scn;
    GElf_Shdr shdr; /* in the file */
    bool packed;
    uint64_t packed_at; /* behind the image, with its header */
    uint64_t at, size;  /* in the image, unpacked */
    bool good;
};

struct layout {
    struct piece pieces[WANTED];
    size_t count;
    uint64_t names_at, headers_at, size;
    uint64_t all_size; /* with what is still packed behind it */
};

/* ---- what there is ---- */

static bool is_wanted(const char *name)
{
    for (size_t i = 0; i < WANTED; i++) {
        if (strcmp(name, wanted_names[i]) == 0)
            return true;
    }
    return false;
}

/* How large the section at PIECE is once unpacked; false when we cannot unpack it. */
static bool measure(const struct elf_file *file, struct piece *piece)
{
    GElf_Chdr chdr;

    piece->size = piece->shdr.sh_size;
    piece->packed = (piece->shdr.sh_flags & SHF_COMPRESSED) != 0;
    if (!piece->packed)
        return true;
    if (!elf_file_chdr(file, piece->scn, &chdr) || chdr.ch_type != ELFCOMPRESS_ZLIB ||
        piece->shdr.sh_size < sizeof(Elf64_Chdr))
        return false;
    piece->size = chdr.ch_size;
    return true;
}

/*
 * The pieces of FILE.  False for what is better left to libdw: a unit whose tree is in a .dwo file
 * (which uses .debug_addr) may have it beside FILE, and an image lies beside nothing.
 */
static bool find_pieces(const struct elf_file *file, struct layout *layout)
{
    bool has_info = false, has_addresses = false;
    Elf_Scn *scn = NULL;
    size_t names;

    if (elf_getshdrstrndx(file->elf, &names) != 0)
        return false;
    while ((scn = elf_nextscn(file->elf, scn)) != NULL && layout->count < WANTED) {
        struct piece piece = { .scn = scn };

        if (gelf_getshdr(scn, &piece.shdr) == NULL || piece.shdr.sh_type == SHT_NOBITS)
            continue;
        piece.name = elf_strptr(file->elf, names, piece.shdr.sh_name);
        if (piece.name == NULL || !is_wanted(piece.name))
            continue;
        if (!measure(file, &piece))
            return false;
        has_info |= strcmp(piece.name, ".debug_info") == 0;
        has_addresses |= strcmp(piece.name, ".debug_addr") == 0;
        layout->pieces[layout->count++] = piece;
    }
    return has_info && !has_addresses;
}

static int by_size(const void *left, const void *right)
{
    const struct piece *a = left, *b = right;

    return a->size > b->size ? -1 : a->size < b->size;
}

static uint64_t round_up(uint64_t at, uint64_t to)
{
    return (at + to - 1) & ~(to - 1);
}

/* Takes SIZE bytes at *AT, which it moves on; false when that is too much. */
static bool take_place(uint64_t *at, uint64_t size, uint64_t *place)
{
    *place = round_up(*at, ALIGNMENT);
    if (size > image_max_bytes || *place + size > image_max_bytes)
        return false;
    *at = *place + size;
    return true;
}

/* The largest first, as what is begun last should be over soon. */
static bool lay_out(struct layout *layout)
{
    uint64_t at = sizeof(Elf64_Ehdr);

    qsort(layout->pieces, layout->count, sizeof(layout->pieces[0]), by_size);
    for (size_t i = 0; i < layout->count; i++) {
        if (!take_place(&at, layout->pieces[i].size, &layout->pieces[i].at))
            return false;
    }
    layout->names_at = at;
    layout->headers_at = round_up(at + NAMES_BYTES, ALIGNMENT);
    /* A null header in front, and the names' own behind. */
    layout->size = layout->headers_at + (layout->count + 2) * sizeof(Elf64_Shdr);
    at = round_up(layout->size, PAGE_MOST);
    for (size_t i = 0; i < layout->count; i++) {
        struct piece *piece = &layout->pieces[i];

        if (piece->packed && !take_place(&at, piece->shdr.sh_size, &piece->packed_at))
            return false;
    }
    layout->all_size = round_up(at, HUGE_PAGE); /* or the kernel begins it within one */
    return true;
}

/* ---- filling it ---- */

/* libdeflate takes a third of zlib's time, which for libc is a third of naming 100,000 addresses.
 */
#ifdef HAVE_LIBDEFLATE
static bool inflate_piece(const struct piece *piece, const uint8_t *from, uint8_t *to)
{
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    enum libdeflate_result result = LIBDEFLATE_BAD_DATA;

    if (inflater != NULL)
        result = libdeflate_zlib_decompress(inflater, from + sizeof(Elf64_Chdr),
                                            piece->shdr.sh_size - sizeof(Elf64_Chdr), to,
                                            piece->size, NULL);
    libdeflate_free_decompressor(inflater);
    return result == LIBDEFLATE_SUCCESS;
}
#else
static bool inflate_piece(const struct piece *piece, const uint8_t *from, uint8_t *to)
{
    uint64_t from_size = piece->shdr.sh_size - sizeof(Elf64_Chdr);
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)(from + sizeof(Elf64_Chdr)),
                        .next_out = to };
    int status;

    if (piece->size > UINT32_MAX || from_size > UINT32_MAX || inflateInit(&stream) != Z_OK)
        return false;
    stream.avail_in = (uInt)from_size;
    stream.avail_out = (uInt)piece->size;
    status = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return status == Z_STREAM_END && stream.avail_out == 0;
}
#endif

/* As it is in the file. */
static bool read_piece(const struct elf_file *file, const struct piece *piece, uint8_t *to)
{
    uint64_t size = piece->shdr.sh_size, done = 0;
    ssize_t count = 0;

    if (file->fd < 0) {
        Elf_Data *data = elf_rawdata(piece->scn, NULL);

        if (data == NULL || data->d_buf == NULL || data->d_size != size)
            return size == 0;
        memcpy(to, data->d_buf, size);
        return true;
    }
    while (done < size && (count = pread(file->fd, to + done, size - done,
                                         (off_t)(piece->shdr.sh_offset + done))) > 0)
        done += (uint64_t)count;
    return done == size;
}

struct filling {
    const struct elf_file *file;
    struct layout *layout;
    uint8_t *bytes;
    atomic_size_t next; /* piece that nobody has begun with */
};

static void *fill_pieces(void *argument)
{
    struct filling *filling = argument;
    size_t at;

    while ((at = atomic_fetch_add(&filling->next, 1)) < filling->layout->count) {
        struct piece *piece = &filling->layout->pieces[at];
        uint8_t *to = filling->bytes + piece->at, *packed = filling->bytes + piece->packed_at;

        piece->good = piece->packed ? read_piece(filling->file, piece, packed) &&
                                          inflate_piece(piece, packed, to)
                                    : read_piece(filling->file, piece, to);
    }
    return NULL;
}

static bool fill_all(struct filling *filling)
{
    const struct layout *layout = filling->layout;
    pthread_t thread;
    bool good = true;
    /* Two threads may read one descriptor, but not ask libelf for one image. */
    bool shared = filling->file->fd >= 0 && layout->size >= THREAD_MIN &&
                  pthread_create(&thread, NULL, fill_pieces, filling) == 0;

    fill_pieces(filling);
    if (shared)
        pthread_join(thread, NULL);
    for (size_t i = 0; i < layout->count; i++)
        good &= layout->pieces[i].good;
    return good;
}

static void write_headers(const struct elf_file *file, const struct layout *layout, uint8_t *bytes)
{
    Elf64_Ehdr header = {
        .e_type = ET_EXEC,
        .e_machine = file->header.e_machine,
        .e_version = EV_CURRENT,
        .e_shoff = layout->headers_at,
        .e_ehsize = sizeof(header),
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = (Elf64_Half)(layout->count + 2),
        .e_shstrndx = (Elf64_Half)(layout->count + 1),
    };
    Elf64_Shdr *sections = (Elf64_Shdr *)(void *)(bytes + layout->headers_at);
    char *names = (char *)bytes + layout->names_at;
    uint32_t name_at = 1;

    memcpy(header.e_ident, file->header.e_ident, EI_NIDENT);
    memcpy(bytes, &header, sizeof(header));
    for (size_t i = 0; i < layout->count; i++) {
        const struct piece *piece = &layout->pieces[i];

        sections[i + 1] = (Elf64_Shdr){ .sh_name = name_at,
                                        .sh_type = SHT_PROGBITS,
                                        .sh_offset = piece->at,
                                        .sh_size = piece->size,
                                        .sh_addralign = 1 };
        strcpy(names + name_at, piece->name);
        name_at += (uint32_t)strlen(piece->name) + 1;
    }
    sections[layout->count + 1] = (Elf64_Shdr){ .sh_type = SHT_STRTAB,
                                                .sh_offset = layout->names_at,
                                                .sh_size = NAMES_BYTES,
                                                .sh_addralign = 1 };
}

bool dwarf_image_open(struct dwarf_image *image, const struct elf_file *file)
{
    struct layout layout = { .count = 0 };
    struct filling filling = { .file = file, .layout = &layout };
    void *bytes;
    bool good;

    *image = (struct dwarf_image){ .elf = { .fd = -1 } };
    if (file->header.e_ident[EI_CLASS] != ELFCLASS64 ||
        file->header.e_ident[EI_DATA] != ELFDATA2LSB || !find_pieces(file, &layout) ||
        !lay_out(&layout))
        return false;
    bytes = mmap(NULL, layout.all_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return false;
    madvise(bytes, layout.all_size, MADV_HUGEPAGE); /* or it is half the cost of reading */
    image->bytes = filling.bytes = bytes;
    image->size = round_up(layout.size, PAGE_MOST);
    good = fill_all(&filling);
    munmap(image->bytes + image->size, layout.all_size - image->size);
    if (good) {
        write_headers(file, &layout, bytes);
        if (elf_file_open_image(&image->elf, bytes, layout.size) == TROUBLE_NONE)
            return true;
    }
    dwarf_image_close(image);
    return false;
}

void dwarf_image_close(struct dwarf_image *image)
{
    elf_file_close(&image->elf);
    if (image->bytes != NULL)
        munmap(image->bytes, image->size);
    *image = (struct dwarf_image){ .elf = { .fd = -1 } };
}
