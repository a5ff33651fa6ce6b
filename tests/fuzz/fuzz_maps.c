/* SPDX-License-Identifier: MIT */
/* /proc/PID/maps of a hostile process: mappings come out sorted and apart. */
#include "config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proftop/maps.h"
#include "proftop/memory.h"
#include "tests/fuzz/fuzz.h"
#include "tests/harness/testing.h"

/* The fixture's folder, made once. */
static char *root;

static void remove_root(void)
{
    testing_folder_remove(root);
}

static void make_root(void)
{
    char *process;

    if (root != NULL)
        return;
    root = testing_folder_new();
    process = xasprintf("%s/7", root);
    FUZZ_CHECK(mkdir(process, 0700) == 0);
    free(process);
    atexit(remove_root);
}

static void write_maps(const uint8_t *data, size_t size)
{
    char *path = xasprintf("%s/7/maps", root);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct modules *modules = modules_new();
    struct error error;
    struct maps *maps;

    make_root();
    write_maps(data, size);
    maps = maps_read(root, 7, 1, modules, &error);
    if (maps != NULL) {
        for (uint32_t i = 0; i < maps->count; i++) {
            const struct mapping *mapping = &maps->mappings[i];

            FUZZ_CHECK(mapping->start < mapping->end);
            FUZZ_CHECK(i == 0 || mapping[-1].end <= mapping->start);
            FUZZ_CHECK(maps_find(maps, mapping->start) == mapping);
            FUZZ_CHECK(maps_find(maps, mapping->end - 1) == mapping);
        }
        maps_unref(maps);
    }
    modules_free(modules);
    return 0;
}
