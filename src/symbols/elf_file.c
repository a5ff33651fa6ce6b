/* SPDX-License-Identifier: MIT */
/* ELF files read through libelf without mapping them: see elf_file.h for why. */
#include "config.h"

#include "elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/open_below.h"

/* libelf allocates what a section header asks for, as long as the file is that large, and a sparse
 * file is as large as its owner likes. */
static const uint64_t section_max_bytes = UINT64_C(2) << 30;

static enum trouble start(struct elf_file *file)
{
    if (file->elf != NULL && elf_kind(file->elf) == ELF_K_ELF &&
        gelf_getehdr(file->elf, &file->header) != NULL)
        return TROUBLE_NONE;
    elf_file_close(file);
    return TROUBLE_NOT_ELF;
}

enum trouble elf_file_open_fd(struct elf_file *file, int fd)
{
    struct stat st;

    *file = (struct elf_file){ .fd = fd };
    if (fstat(fd, &st) != 0)
        return trouble_of_errno(errno);
    if (!S_ISREG(st.st_mode))
        return TROUBLE_NOT_REGULAR;
    elf_version(EV_CURRENT);
    file->elf = elf_begin(fd, ELF_C_READ, NULL);
    return start(file);
}

/* FD is the file's own from now on; below 0 it could not be opened. */
static enum trouble open_own(struct elf_file *file, int fd)
{
    enum trouble trouble;

    *file = (struct elf_file){ .fd = -1 };
    if (fd < 0)
        return trouble_of_errno(errno);
    trouble = elf_file_open_fd(file, fd);
    if (trouble != TROUBLE_NONE)
        close(fd);
    else
        file->owns_fd = true;
    return trouble;
}

enum trouble elf_file_open_path(struct elf_file *file, const char *path)
{
    return open_own(file, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

enum trouble elf_file_open_below(struct elf_file *file, int root, const char *path)
{
    return open_own(file, open_below(root, path));
}

enum trouble elf_file_open_image(struct elf_file *file, const void *image, size_t size_bytes)
{
    *file = (struct elf_file){ .fd = -1 };
    elf_version(EV_CURRENT);
    /* libelf only reads an image that it is given with elf_memory(). */
    file->elf = elf_memory((char *)(uintptr_t)image, size_bytes);
    return start(file);
}

void elf_file_close(struct elf_file *file)
{
    if (file->elf != NULL)
        elf_end(file->elf);
    if (file->owns_fd)
        close(file->fd);
    *file = (struct elf_file){ .fd = -1 };
}

Elf_Scn *elf_file_section(const struct elf_file *file, const char *name, GElf_Shdr *shdr)
{
    Elf_Scn *scn = NULL;
    size_t names;

    if (elf_getshdrstrndx(file->elf, &names) != 0)
        return NULL;
    while ((scn = elf_nextscn(file->elf, scn)) != NULL) {
        const char *found;

        if (gelf_getshdr(scn, shdr) == NULL)
            continue;
        found = elf_strptr(file->elf, names, shdr->sh_name);
        if (found != NULL && strcmp(found, name) == 0)
            return scn;
    }
    return NULL;
}

Elf_Scn *elf_file_section_of(const struct elf_file *file, uint32_t type, GElf_Shdr *shdr)
{
    Elf_Scn *scn = NULL;

    while ((scn = elf_nextscn(file->elf, scn)) != NULL) {
        if (gelf_getshdr(scn, shdr) != NULL && shdr->sh_type == type)
            return scn;
    }
    return NULL;
}

bool elf_file_chdr(const struct elf_file *file, Elf_Scn *scn, GElf_Chdr *chdr)
{
    GElf_Shdr shdr;
    Elf64_Chdr bytes;

    if (file->fd < 0 || file->header.e_ident[EI_CLASS] != ELFCLASS64 ||
        file->header.e_ident[EI_DATA] != ELFDATA2LSB)
        return gelf_getchdr(scn, chdr) != NULL;
    if (gelf_getshdr(scn, &shdr) == NULL || shdr.sh_size < sizeof(bytes) ||
        pread(file->fd, &bytes, sizeof(bytes), (off_t)shdr.sh_offset) != sizeof(bytes))
        return false;
    *chdr = (GElf_Chdr){ bytes.ch_type, 0, bytes.ch_size, bytes.ch_addralign };
    return true;
}

Elf_Data *elf_file_data(const struct elf_file *file, Elf_Scn *scn)
{
    GElf_Shdr shdr;
    GElf_Chdr chdr;
    Elf_Data *data;

    if (scn == NULL || gelf_getshdr(scn, &shdr) == NULL || shdr.sh_type == SHT_NOBITS ||
        shdr.sh_size == 0 || shdr.sh_size > section_max_bytes)
        return NULL;
    if ((shdr.sh_flags & SHF_COMPRESSED) != 0) {
        if (!elf_file_chdr(file, scn, &chdr) || chdr.ch_size > section_max_bytes ||
            elf_compress(scn, 0, 0) < 0)
            return NULL;
    }
    data = elf_getdata(scn, NULL);
    return data != NULL && data->d_buf != NULL && data->d_size != 0 ? data : NULL;
}

Elf_Data *elf_file_named(const struct elf_file *file, const char *name)
{
    GElf_Shdr shdr;

    return elf_file_data(file, elf_file_section(file, name, &shdr));
}

/* The build id among the notes in DATA; 0 when it is not there. */
static size_t find_build_id(Elf_Data *data, uint8_t id[BUILD_ID_MAX])
{
    size_t at = 0, next, name, desc;
    GElf_Nhdr note;

    while ((next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
        const char *bytes = data->d_buf;

        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(bytes + name, "GNU", 4) == 0 && note.n_descsz > 0 &&
            note.n_descsz <= BUILD_ID_MAX) {
            memcpy(id, bytes + desc, note.n_descsz);
            return note.n_descsz;
        }
        at = next;
    }
    return 0;
}

size_t elf_file_build_id(const struct elf_file *file, uint8_t id[BUILD_ID_MAX])
{
    enum { notes_max = 1 << 20 };
    size_t count = 0, size;
    GElf_Phdr phdr;

    /* Segments first: they are there when the section headers were stripped. */
    if (elf_getphdrnum(file->elf, &count) != 0)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        Elf_Data *data;

        if (gelf_getphdr(file->elf, (int)i, &phdr) == NULL || phdr.p_type != PT_NOTE ||
            phdr.p_filesz > notes_max)
            continue;
        data = elf_getdata_rawchunk(file->elf, (int64_t)phdr.p_offset, phdr.p_filesz,
                                    phdr.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
        if (data != NULL && (size = find_build_id(data, id)) != 0)
            return size;
    }
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(file->elf, scn)) != NULL;) {
        GElf_Shdr shdr;
        Elf_Data *data;

        if (gelf_getshdr(scn, &shdr) == NULL || shdr.sh_type != SHT_NOTE ||
            shdr.sh_size > notes_max)
            continue;
        data = elf_getdata(scn, NULL);
        if (data != NULL && (size = find_build_id(data, id)) != 0)
            return size;
    }
    return 0;
}

void elf_file_segments(const struct elf_file *file, struct elf_segments *segments)
{
    size_t count = 0;
    GElf_Phdr phdr;

    segments->count = 0;
    if (elf_getphdrnum(file->elf, &count) != 0)
        return;
    for (size_t i = 0; i < count && segments->count < SEGMENTS_MAX; i++) {
        if (gelf_getphdr(file->elf, (int)i, &phdr) == NULL || phdr.p_type != PT_LOAD ||
            phdr.p_filesz == 0 || phdr.p_offset + phdr.p_filesz < phdr.p_offset)
            continue;
        segments->items[segments->count++] =
            (struct segment){ .offset = phdr.p_offset,
                              .size = phdr.p_filesz,
                              .address = phdr.p_vaddr,
                              .executable = (phdr.p_flags & PF_X) != 0 };
    }
}

const struct segment *elf_segments_find(const struct elf_segments *segments, uint64_t offset)
{
    const struct segment *found = NULL;

    /* Two segments may share a page, and overlapping ones a byte: code wants the executable one. */
    for (uint32_t i = 0; i < segments->count; i++) {
        const struct segment *segment = &segments->items[i];

        if (offset < segment->offset || offset - segment->offset >= segment->size)
            continue;
        if (found == NULL || (segment->executable && !found->executable))
            found = segment;
    }
    return found;
}

bool elf_segments_address(const struct elf_segments *segments, uint64_t offset, uint64_t *address)
{
    const struct segment *found = elf_segments_find(segments, offset);

    if (found != NULL)
        *address = found->address + (offset - found->offset);
    return found != NULL;
}

bool elf_segments_offset(const struct elf_segments *segments, uint64_t address, uint64_t *offset)
{
    for (uint32_t i = 0; i < segments->count; i++) {
        const struct segment *segment = &segments->items[i];

        if (address < segment->address || address - segment->address >= segment->size)
            continue;
        *offset = segment->offset + (address - segment->address);
        return true;
    }
    return false;
}
