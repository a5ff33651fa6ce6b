/* SPDX-License-Identifier: MIT */
/*
 * .eh_frame_hdr as every linker writes it:
 *
 *     version 1 | encodings: frame, count, table | frame pointer, 4 bytes | count, 4 bytes |
 *     (where a function begins, its FDE), 4 bytes each, both from the section's own address …
 */
#include "config.h"

#include "outline.h"

#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

enum {
    HEAD_BYTES = 12,
    ENTRY_BYTES = 8,
    COUNT_UDATA4 = 0x03,
    TABLE_DATAREL_SDATA4 = 0x3b,
    FUNCTION_MAX = 1 << 22 /* further behind an entry is no part of that function */
};

static int compare(const void *left, const void *right)
{
    int32_t a, b;

    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    return a < b ? -1 : a > b;
}

void outline_load(struct outline *outline, const struct elf_file *file)
{
    GElf_Shdr header;
    Elf_Scn *section = elf_file_section(file, ".eh_frame_hdr", &header);
    Elf_Data *data = section != NULL ? elf_file_data(file, section) : NULL;
    const uint8_t *bytes;
    uint32_t count;

    *outline = (struct outline){ 0 };
    if (data == NULL || data->d_size < HEAD_BYTES)
        return;
    bytes = data->d_buf;
    memcpy(&count, bytes + 8, sizeof(count));
    if (bytes[0] != 1 || bytes[2] != COUNT_UDATA4 || bytes[3] != TABLE_DATAREL_SDATA4 ||
        count > (data->d_size - HEAD_BYTES) / ENTRY_BYTES)
        return;
    outline->base = header.sh_addr;
    outline->count = count;
    outline->starts = xcalloc(count, sizeof(*outline->starts));
    for (uint32_t i = 0; i < count; i++)
        memcpy(&outline->starts[i], bytes + HEAD_BYTES + (size_t)i * ENTRY_BYTES,
               sizeof(*outline->starts));
    qsort(outline->starts, count, sizeof(*outline->starts), compare); /* do not trust its order */
}

void outline_fini(struct outline *outline)
{
    free(outline->starts);
    *outline = (struct outline){ 0 };
}

bool outline_find(const struct outline *outline, uint64_t address, uint64_t *start)
{
    size_t low = 0, high = outline->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (outline->base + (uint64_t)(int64_t)outline->starts[middle] <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return false;
    *start = outline->base + (uint64_t)(int64_t)outline->starts[low - 1];
    return address - *start < FUNCTION_MAX;
}
