/* SPDX-License-Identifier: MIT */
/* What the tests of symbols/ share. */
#include "config.h"

#include "tests/symbols_fixture.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "tests/harness/testing.h"

static void begin(struct world *world)
{
    struct symbols_config config = { .inlines = true };
    char *debug = xasprintf("%s/debug", world->folder);

    config.debug_dirs = debug;
    world->modules = modules_new();
    world->codes = codes_new();
    world->symbols = symbols_new(&config, world->modules, world->codes);
    free(debug);
}

static void end(struct world *world)
{
    symbols_free(world->symbols);
    codes_free(world->codes);
    modules_free(world->modules);
}

int world_set_up(void **state)
{
    struct world *world = xcalloc(1, sizeof(*world));

    world->folder = testing_folder_new();
    begin(world);
    *state = world;
    return 0;
}

int world_tear_down(void **state)
{
    struct world *world = *state;

    end(world);
    testing_folder_remove(world->folder);
    free(world);
    return 0;
}

void world_renew(struct world *world)
{
    end(world);
    begin(world);
}

bool world_run(const struct world *world, const char *command)
{
    char *fixtures = testing_source("tests/fixtures"), *full;
    int status;

    full = xasprintf("cd '%s' && exec >out.log 2>&1 && FIXTURES='%s' CALLS='%s/calls.c' && %s",
                     world->folder, fixtures, fixtures, command);
    status = system(full);
    free(full);
    free(fixtures);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool world_has(const char *program)
{
    char *command = xasprintf("command -v %s >/dev/null 2>&1", program);
    bool has = system(command) == 0;

    free(command);
    return has;
}

static char *path_of(const struct world *world, const char *name)
{
    return name[0] == '/' ? xstrdup(name) : xasprintf("%s/%s", world->folder, name);
}

module_id world_module(struct world *world, const char *name, int flags)
{
    char *path = path_of(world, name);
    const char *slash = strrchr(path, '/');
    struct module module = { .kind = MODULE_FILE, .path = path, .name = slash + 1 };
    module_id id;

    module.fd = open(path, flags | O_CLOEXEC);
    id = modules_add(world->modules, &module)->id;
    free(path);
    return id;
}

/* The value of the symbol NAME in ELF's .symtab. */
static uint64_t value_of(Elf *elf, const char *name)
{
    Elf_Scn *scn = NULL;
    GElf_Shdr shdr;

    while ((scn = elf_nextscn(elf, scn)) != NULL) {
        Elf_Data *data = elf_getdata(scn, NULL);
        GElf_Sym symbol;

        if (gelf_getshdr(scn, &shdr) == NULL || shdr.sh_type != SHT_SYMTAB)
            continue;
        for (int i = 0; gelf_getsym(data, i, &symbol) != NULL; i++) {
            const char *found = elf_strptr(elf, shdr.sh_link, symbol.st_name);

            if (found != NULL && strcmp(found, name) == 0)
                return symbol.st_value;
        }
    }
    fail_msg("no symbol %s", name);
    return 0;
}

static uint64_t offset_of(Elf *elf, uint64_t address)
{
    GElf_Phdr phdr;

    for (int i = 0; gelf_getphdr(elf, i, &phdr) != NULL; i++) {
        if (phdr.p_type == PT_LOAD && address >= phdr.p_vaddr &&
            address - phdr.p_vaddr < phdr.p_filesz)
            return address - phdr.p_vaddr + phdr.p_offset;
    }
    fail_msg("no segment for 0x%llx", (unsigned long long)address);
    return 0;
}

struct frame world_frame_like(struct world *world, module_id module, const char *elsewhere,
                              const char *name)
{
    struct frame frame = { .kind = FRAME_NATIVE, .module = module };
    char *path = path_of(world, elsewhere);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    Elf *elf;

    assert_true(fd >= 0);
    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ, NULL);
    assert_non_null(elf);
    frame.address = offset_of(elf, value_of(elf, name));
    elf_end(elf);
    close(fd);
    free(path);
    return frame;
}

struct frame world_frame(struct world *world, module_id module, const char *name)
{
    return world_frame_like(world, module, modules_get(world->modules, module)->path, name);
}
