/* SPDX-License-Identifier: MIT */
/* A hostile ELF file with hostile call frame information: a table comes out that answers. */
#include "config.h"

#include "proftop/module.h"
#include "src/unwind/image.h"
#include "src/unwind/table.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct module module = {
        .kind = MODULE_VDSO, .fd = -1, .image = data, .image_size = size, .size_bytes = size
    };
    struct table *table = table_build(&module);
    struct image image;

    for (uint64_t offset = 0; offset < size + 64; offset += 7)
        FUZZ_CHECK(table_find(table, offset, offset % 2 != 0) != NULL);
    FUZZ_CHECK(table_find(table, UINT64_MAX, true) != NULL);
    /* A row is told by at least one byte of the section, an end by a whole function. */
    FUZZ_CHECK(table_rows(table) <= 2 * size);
    table_free(table);
    if (image_read(&image, &module))
        image_make_hdr(&image);
    for (uint64_t address = 0; address < size; address += 61)
        image_function(&image, address);
    image_fini(&image);
    return 0;
}
