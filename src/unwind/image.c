/* SPDX-License-Identifier: MIT */
/*
 * Finds .eh_frame, .eh_frame_hdr, .debug_frame and .gopclntab in an ELF file by its section
 * headers, or, where those were stripped, .eh_frame by the program header of .eh_frame_hdr.
 * (Section headers and everything they say are elf(5).)
 */
#include "config.h"

#include "image.h"

#include <dwarf.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "proftop/memory.h"
#include "proftop/module.h"

enum {
    SECTION_MAX_BYTES = 256 << 20,
    HEADERS_MAX_BYTES = 4 << 20,
    HDR_MIN_BYTES = 12, /* version, encodings, pointer to .eh_frame, count; then the table */
    HDR_ENTRY_BYTES = 8,
    HDR_VERSION = 1,
    PAGE_MAX_BYTES = 64 << 10,
};

size_t image_peek(const struct module *module, uint64_t offset, void *to, size_t size)
{
    size_t done = 0;

    if (module->image != NULL) {
        if (offset >= module->image_size)
            return 0;
        if (size > module->image_size - offset)
            size = module->image_size - offset;
        memcpy(to, module->image + offset, size);
        return size;
    }
    while (module->fd >= 0 && done < size && offset + done <= INT64_MAX) {
        ssize_t got = pread(module->fd, (char *)to + done, size - done, (off_t)(offset + done));

        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

/* SIZE bytes at OFFSET, or NULL when the file does not have them all. */
static uint8_t *copy(const struct module *module, uint64_t offset, uint64_t size, uint64_t max)
{
    uint64_t available = module->image != NULL ? module->image_size : module->size_bytes;
    uint8_t *bytes;

    if (size == 0 || size > max || offset > available || size > available - offset)
        return NULL;
    bytes = xmalloc(size);
    if (image_peek(module, offset, bytes, size) == size)
        return bytes;
    free(bytes);
    return NULL;
}

/* A compressed section: its header, then a zlib stream. */
static bool inflate_section(struct image_section *section)
{
    Elf64_Chdr header;
    uint8_t *bytes;
    uLongf size;

    if (section->size < sizeof(header))
        return false;
    memcpy(&header, section->bytes, sizeof(header));
    if (header.ch_type != ELFCOMPRESS_ZLIB || header.ch_size > SECTION_MAX_BYTES)
        return false;
    size = header.ch_size;
    bytes = xmalloc(size);
    if (uncompress(bytes, &size, section->bytes + sizeof(header), section->size - sizeof(header)) !=
            Z_OK ||
        size != header.ch_size) {
        free(bytes);
        return false;
    }
    free(section->bytes);
    section->bytes = bytes;
    section->size = size;
    return true;
}

static void section_drop(struct image_section *section)
{
    free(section->bytes);
    *section = (struct image_section){ 0 };
}

static void section_take(struct image_section *section, const struct module *module,
                         const Elf64_Shdr *header)
{
    if (section->bytes != NULL || header->sh_type == SHT_NOBITS)
        return;
    section->bytes = copy(module, header->sh_offset, header->sh_size, SECTION_MAX_BYTES);
    if (section->bytes == NULL)
        return;
    section->size = header->sh_size;
    section->address = header->sh_addr;
    if ((header->sh_flags & SHF_COMPRESSED) != 0 && !inflate_section(section))
        section_drop(section);
}

static void read_sections(struct image *image, const struct module *module, const Elf64_Ehdr *elf)
{
    uint64_t table_bytes = (uint64_t)elf->e_shnum * sizeof(Elf64_Shdr);
    Elf64_Shdr *table = NULL;
    char *names = NULL;
    uint64_t names_size;

    if (elf->e_shentsize != sizeof(Elf64_Shdr) || elf->e_shstrndx >= elf->e_shnum)
        return;
    table = (Elf64_Shdr *)copy(module, elf->e_shoff, table_bytes, HEADERS_MAX_BYTES);
    if (table == NULL)
        return;
    names_size = table[elf->e_shstrndx].sh_size;
    names = (char *)copy(module, table[elf->e_shstrndx].sh_offset, names_size, HEADERS_MAX_BYTES);
    for (unsigned i = 0; names != NULL && i < elf->e_shnum; i++) {
        const char *name = names + table[i].sh_name;

        if (table[i].sh_name >= names_size ||
            memchr(name, '\0', names_size - table[i].sh_name) == NULL)
            continue;
        if (strcmp(name, ".eh_frame") == 0)
            section_take(&image->eh_frame, module, &table[i]);
        else if (strcmp(name, ".eh_frame_hdr") == 0)
            section_take(&image->eh_frame_hdr, module, &table[i]);
        else if (strcmp(name, ".debug_frame") == 0)
            section_take(&image->debug_frame, module, &table[i]);
        else if (strcmp(name, ".gopclntab") == 0 || strcmp(name, ".data.rel.ro.gopclntab") == 0)
            section_take(&image->gopclntab, module, &table[i]);
        else if (strcmp(name, ".dynsym") == 0)
            section_take(&image->dynsym, module, &table[i]);
        else if (strcmp(name, ".text") == 0)
            image->text = table[i].sh_addr;
    }
    free(names);
    free(table);
}

/* Without section headers: .eh_frame_hdr says where .eh_frame starts; it ends with its segment. */
static void read_by_header(struct image *image, const struct module *module,
                           const Elf64_Phdr *table, unsigned count, const Elf64_Phdr *hdr)
{
    uint8_t *bytes = copy(module, hdr->p_offset, hdr->p_filesz, SECTION_MAX_BYTES);
    int32_t relative;
    uint64_t address;

    if (bytes == NULL)
        return;
    section_drop(&image->eh_frame_hdr);
    image->eh_frame_hdr = (struct image_section){ bytes, hdr->p_filesz, hdr->p_vaddr };
    if (hdr->p_filesz < HDR_MIN_BYTES || bytes[0] != HDR_VERSION ||
        bytes[1] != (DW_EH_PE_pcrel | DW_EH_PE_sdata4))
        return;
    memcpy(&relative, bytes + 4, sizeof(relative));
    address = hdr->p_vaddr + 4 + (uint64_t)(int64_t)relative;
    for (unsigned i = 0; i < count; i++) {
        const Elf64_Phdr *load = &table[i];
        uint64_t into = address - load->p_vaddr;

        if (load->p_type != PT_LOAD || address < load->p_vaddr || into >= load->p_filesz)
            continue;
        bytes = copy(module, load->p_offset + into, load->p_filesz - into, SECTION_MAX_BYTES);
        if (bytes != NULL)
            image->eh_frame = (struct image_section){ bytes, load->p_filesz - into, address };
        return;
    }
}

static bool read_segments(struct image *image, const struct module *module, const Elf64_Ehdr *elf)
{
    uint64_t table_bytes = (uint64_t)elf->e_phnum * sizeof(Elf64_Phdr);
    Elf64_Phdr *table;

    if (elf->e_phentsize != sizeof(Elf64_Phdr))
        return false;
    table = (Elf64_Phdr *)copy(module, elf->e_phoff, table_bytes, HEADERS_MAX_BYTES);
    if (table == NULL)
        return false;
    for (unsigned i = 0; i < elf->e_phnum; i++) {
        if (table[i].p_type == PT_LOAD && (table[i].p_flags & PF_X) != 0 &&
            image->segment_count < IMAGE_SEGMENTS_MAX)
            image->segments[image->segment_count++] =
                (struct image_segment){ table[i].p_offset, table[i].p_filesz, table[i].p_vaddr };
        if (table[i].p_type == PT_GNU_EH_FRAME && image->eh_frame.bytes == NULL)
            read_by_header(image, module, table, elf->e_phnum, &table[i]);
    }
    free(table);
    return image->segment_count > 0;
}

bool image_read(struct image *image, const struct module *module)
{
    Elf64_Ehdr elf;

    *image = (struct image){ 0 };
    if (image_peek(module, 0, &elf, sizeof(elf)) != sizeof(elf) ||
        memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != ELFCLASS64 ||
        elf.e_ident[EI_DATA] != ELFDATA2LSB ||
        (elf.e_machine != EM_X86_64 && elf.e_machine != EM_AARCH64))
        return false;
    image->machine = elf.e_machine;
    image->entry = elf.e_entry;
    read_sections(image, module, &elf);
    return read_segments(image, module, &elf);
}

void image_forget_tables(struct image *image)
{
    section_drop(&image->debug_frame);
    section_drop(&image->gopclntab);
}

void image_fini(struct image *image)
{
    image_forget_tables(image);
    section_drop(&image->eh_frame);
    section_drop(&image->eh_frame_hdr);
    section_drop(&image->dynsym);
    image->segment_count = 0;
}

bool image_offset(const struct image *image, uint64_t address, uint64_t *offset)
{
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segments[i];

        if (address >= segment->address && address - segment->address < segment->size) {
            *offset = segment->offset + (address - segment->address);
            return true;
        }
    }
    return false;
}

bool image_bias(const struct image *image, uint64_t start, uint64_t offset, uint64_t *bias)
{
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segments[i];

        /* A mapping starts at a page, at or before its piece, or in the middle of it. */
        if (offset + PAGE_MAX_BYTES > segment->offset && offset < segment->offset + segment->size) {
            *bias = start - offset + segment->offset - segment->address;
            return true;
        }
    }
    return false;
}

uint64_t image_function(const struct image *image, uint64_t address)
{
    const struct image_section *hdr = &image->eh_frame_hdr;
    uint32_t low = 0, high;
    int32_t start, wanted = (int32_t)(address - hdr->address);

    if (hdr->bytes == NULL || hdr->size < HDR_MIN_BYTES || hdr->bytes[2] != DW_EH_PE_udata4 ||
        hdr->bytes[3] != (DW_EH_PE_datarel | DW_EH_PE_sdata4) ||
        hdr->address + (uint64_t)(int64_t)wanted != address)
        return 0;
    memcpy(&high, hdr->bytes + 8, sizeof(high));
    if (high > (hdr->size - HDR_MIN_BYTES) / HDR_ENTRY_BYTES)
        return 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        memcpy(&start, hdr->bytes + HDR_MIN_BYTES + (size_t)middle * HDR_ENTRY_BYTES,
               sizeof(start));
        if (start <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return 0;
    memcpy(&start, hdr->bytes + HDR_MIN_BYTES + (size_t)(low - 1) * HDR_ENTRY_BYTES, sizeof(start));
    return hdr->address + (uint64_t)(int64_t)start;
}

uint64_t image_exported(const struct image *image, uint64_t address)
{
    const struct image_section *dynsym = &image->dynsym;
    Elf64_Sym symbol;

    for (size_t at = 0; dynsym->size - at >= sizeof(symbol); at += sizeof(symbol)) {
        memcpy(&symbol, dynsym->bytes + at, sizeof(symbol));
        if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF &&
            address - symbol.st_value < symbol.st_size)
            return symbol.st_value;
    }
    return 0;
}
