/* SPDX-License-Identifier: MIT */
/*
 * Tables of real libraries, beside libdw: the C library, the dynamic linker, and what else is
 * installed here, at random addresses and at the first and last one of every function.
 */
#include "config.h"

#include "src/unwind/table.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/module.h"
#include "src/unwind/image.h"
#include "tests/harness/oracle.h"
#include "tests/harness/testing.h"

enum { ADDRESSES = 2000, BYTES_A_ROW_MAX = 12, SMALL_TABLE_ROWS = 5000 };

struct counts {
    unsigned looked, wrong, none, ask;
};

static void look(struct counts *counts, const struct table *table, struct oracle_cfi *cfi,
                 const struct image_segment *segment, uint64_t into)
{
    const struct rule *rule = table_find(table, segment->offset + into, true);
    char why[64];

    counts->looked++;
    counts->none += rule->cfa == RULE_NONE;
    counts->ask += rule->cfa == RULE_ASK;
    if (oracle_rule_agrees(cfi, table_machine(table), segment->address + into, rule, why,
                           sizeof(why)))
        return;
    if (counts->wrong++ < 5)
        print_message("  %#llx: %s\n", (unsigned long long)(segment->address + into), why);
}

/* Every row's first address is the most likely one to be wrong by one. */
static void look_at_edges(struct counts *counts, const struct table *table, struct oracle_cfi *cfi,
                          const struct image *image)
{
    for (unsigned i = 0; i < ADDRESSES; i++) {
        const struct image_segment *segment = &image->segments[i % image->segment_count];
        uint64_t into = (uint64_t)random() % segment->size;
        const struct rule *here = table_find(table, segment->offset + into, true);

        while (into + 1 < segment->size &&
               table_find(table, segment->offset + into + 1, true) == here)
            into++;
        look(counts, table, cfi, segment, into);
        if (into + 1 < segment->size)
            look(counts, table, cfi, segment, into + 1);
    }
}

static void compare_file(const char *path)
{
    struct stat status;
    struct module module = { .kind = MODULE_FILE, .fd = open(path, O_RDONLY | O_CLOEXEC) };
    struct image image;
    struct table *table;
    struct oracle_cfi *cfi;
    struct counts counts = { 0 };

    assert_true(module.fd >= 0);
    assert_int_equal(fstat(module.fd, &status), 0);
    module.size_bytes = (uint64_t)status.st_size;
    assert_true(image_read(&image, &module));
    table = table_from_image(&image);
    cfi = oracle_cfi_open(module.fd);
    assert_non_null(cfi);
    for (unsigned i = 0; i < ADDRESSES; i++) {
        const struct image_segment *segment = &image.segments[i % image.segment_count];

        look(&counts, table, cfi, segment, (uint64_t)random() % segment->size);
    }
    look_at_edges(&counts, table, cfi, &image);
    print_message("%s: %u rows, %.1f bytes each; %u addresses, %u wrong, %u ask, %u without\n",
                  path, table_rows(table), (double)table_bytes(table) / table_rows(table),
                  counts.looked, counts.wrong, counts.ask, counts.none);
    assert_true(table_rows(table) > 100);
    assert_int_equal(counts.wrong, 0);
    assert_true(counts.none < counts.looked / 2);
    assert_true(counts.ask < counts.looked / 20);
    assert_true(table_rows(table) < SMALL_TABLE_ROWS ||
                table_bytes(table) <= (size_t)table_rows(table) * BYTES_A_ROW_MAX);
    oracle_cfi_close(cfi);
    table_free(table);
    image_fini(&image);
    close(module.fd);
}

/* The file that holds ADDRESS in this very process. */
static void compare_loaded(const void *address)
{
    Dl_info info;

    assert_int_not_equal(dladdr(address, &info), 0);
    compare_file(info.dli_fname);
}

static void the_c_library(void **state)
{
    (void)state;
    compare_loaded((const void *)(uintptr_t)malloc);
}

static void the_dynamic_linker(void **state)
{
    (void)state;
    compare_loaded((const void *)(uintptr_t)getauxval(AT_BASE));
}

/* Files that match PATTERN, or a word that there are none. */
static void compare_installed(const char *pattern, const char *missing)
{
    glob_t found;

    if (glob(pattern, 0, NULL, &found) != 0) {
        globfree(&found);
        skip_because(missing);
    }
    compare_file(found.gl_pathv[0]);
    globfree(&found);
}

static void the_cpp_library(void **state)
{
    (void)state;
    compare_installed("/usr/lib/*/libstdc++.so.6", "libstdc++ is not installed");
}

static void the_python_library(void **state)
{
    (void)state;
    compare_installed("/usr/lib/*/libpython3*.so.1.0", "libpython3 is not installed");
}

/* Its hand-written assembly saves stack pointers on the stack. */
static void the_crypto_library(void **state)
{
    (void)state;
    compare_installed("/usr/lib/*/libcrypto.so.3", "libcrypto is not installed");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_c_library),      cmocka_unit_test(the_dynamic_linker),
        cmocka_unit_test(the_cpp_library),    cmocka_unit_test(the_python_library),
        cmocka_unit_test(the_crypto_library),
    };

    srandom(1);
    /* Started by hand with files, also of other machines: only those. */
    for (int i = 1; i < argc; i++)
        compare_file(argv[i]);
    return argc > 1 ? 0 : cmocka_run_group_tests(tests, NULL, NULL);
}
