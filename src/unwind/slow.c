/* SPDX-License-Identifier: MIT */
/*
 * libunwind over the copy, for what rows cannot say: its accessors read the copied stack, the
 * modules' sections from their files, and the registers of the walk's place.
 *
 * It gets the whole expression machine of DWARF, at a hundred times the price of a row.  Nothing is
 * cached between stacks: its cache knows addresses only, and those mean other code in each process.
 */
#include "config.h"

#include <libunwind.h>

#include <dwarf.h>
#include <string.h>

#include "image.h"
#include "proftop/maps.h"
#include "unwinder_private.h"
#include "walk.h"

/* Exported by libunwind for other implementations of find_proc_info; in none of its headers. */
#define search_unwind_table UNW_OBJ(dwarf_search_unwind_table)
int search_unwind_table(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *info,
                        unw_proc_info_t *found, int need_unwind_info, void *context);

enum {
    HDR_TABLE = 12, /* .eh_frame_hdr: version, 3 encodings, pointer, count, then the table */
    HDR_COUNT = 8,
    HDR_ENTRY_BYTES = 8,
    SLOW_MAX = 1 << 14, /* frames */
};

#if defined(__aarch64__)
enum { REG_IP = UNW_AARCH64_PC, REG_SP = UNW_AARCH64_SP, REG_FP = UNW_AARCH64_X29 };
static const int general_numbers[UNWIND_GENERAL] = {
    UNW_AARCH64_X19,
    UNW_AARCH64_X20,
    UNW_AARCH64_X21,
    UNW_AARCH64_X22,
    UNW_AARCH64_X23,
    UNW_AARCH64_X24,
    UNW_AARCH64_X25,
    UNW_AARCH64_X26,
    UNW_AARCH64_X27,
    UNW_AARCH64_X28,
    -1,
    -1,
};
#else
enum { REG_IP = UNW_X86_64_RIP, REG_SP = UNW_X86_64_RSP, REG_FP = UNW_X86_64_RBP };
static const int general_numbers[UNWIND_GENERAL] = {
    UNW_X86_64_RBX, UNW_X86_64_R12, UNW_X86_64_R13, UNW_X86_64_R14, UNW_X86_64_R15, UNW_X86_64_RAX,
    UNW_X86_64_RDX, UNW_X86_64_RCX, UNW_X86_64_RSI, UNW_X86_64_RDI, UNW_X86_64_R10, UNW_X86_64_R11,
};
#endif

/* A module in the process: its sections and by how much they moved. */
struct loaded {
    const struct image *image;
    const struct mapping *mapping;
    uint64_t bias;
};

struct slow {
    struct walk *walk;
    struct loaded loaded; /* the last one looked at */
    struct place start;
    bool searching; /* for a function's information, not for its caller */
};

static bool load(struct slow *slow, uint64_t ip)
{
    struct loaded *loaded = &slow->loaded;
    const struct mapping *mapping = maps_find(slow->walk->frozen->maps, ip);

    if (mapping == NULL)
        return false;
    if (loaded->mapping == mapping)
        return loaded->image != NULL;
    loaded->mapping = mapping;
    loaded->image = unwinder_image(slow->walk->unwinder, mapping->module);
    return loaded->image != NULL &&
           image_bias(loaded->image, mapping->start, mapping->offset, &loaded->bias);
}

/* The word at ADDRESS where it overlaps SECTION: libunwind reads aligned words, sections are not.
 */
static bool section_word(const struct loaded *loaded, const struct image_section *section,
                         uint64_t address, unw_word_t *word)
{
    uint64_t start = section->address + loaded->bias, end = start + section->size;
    uint8_t bytes[sizeof(*word)] = { 0 };

    if (section->bytes == NULL || address >= end || address + sizeof(bytes) <= start)
        return false;
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        if (address + i >= start && address + i < end)
            bytes[i] = section->bytes[address + i - start];
    }
    memcpy(word, bytes, sizeof(bytes));
    return true;
}

static int access_mem(unw_addr_space_t space, unw_word_t address, unw_word_t *word, int write,
                      void *context)
{
    struct slow *slow = context;
    const struct loaded *loaded = &slow->loaded;
    uint8_t code[sizeof(*word)];
    const struct mapping *mapping;

    (void)space;
    if (write)
        return -UNW_EREADONLYREG;
    if (loaded->image != NULL &&
        (section_word(loaded, &loaded->image->eh_frame, address, word) ||
         section_word(loaded, &loaded->image->eh_frame_hdr, address, word)))
        return 0;
    mapping = maps_find(slow->walk->frozen->maps, address);
    if (mapping != NULL && image_peek(mapping->module, address - mapping->start + mapping->offset,
                                      code, sizeof(code)) == sizeof(code)) {
        memcpy(word, code, sizeof(code));
        return 0;
    }
    if (copies_read(&slow->walk->copies, address, word, sizeof(*word)))
        return 0;
    /* The personality routine's address lies in data nobody copied; it does not matter here. */
    *word = 0;
    return slow->searching ? 0 : -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value, int write,
                      void *context)
{
    const struct slow *slow = context;
    const struct place *place = &slow->start;

    (void)space;
    if (write)
        return -UNW_EREADONLYREG;
    if (number == REG_IP || number == REG_SP) {
        *value = number == REG_IP ? place->ip : place->sp;
        return 0;
    }
    if (number == REG_FP) {
        *value = place->fp;
        return place->fp_known ? 0 : -UNW_EBADREG;
    }
#if defined(__aarch64__)
    if (number == UNW_AARCH64_X30) {
        *value = place->lr;
        return place->lr_known ? 0 : -UNW_EBADREG;
    }
#endif
    for (unsigned i = 0; i < UNWIND_GENERAL; i++) {
        if (number == general_numbers[i] && (place->general_known >> i & 1) != 0) {
            *value = place->general[i];
            return 0;
        }
    }
    return -UNW_EBADREG;
}

static int access_fpreg(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value, int write,
                        void *context)
{
    (void)space, (void)number, (void)value, (void)write, (void)context;
    return -UNW_EBADREG;
}

static int find_proc_info(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *found,
                          int need_unwind_info, void *context)
{
    struct slow *slow = context;
    const struct image_section *hdr;
    unw_dyn_info_t info = { .format = UNW_INFO_FORMAT_REMOTE_TABLE };
    uint32_t count;
    int status;

    if (!load(slow, ip))
        return -UNW_ENOINFO;
    hdr = &slow->loaded.image->eh_frame_hdr;
    if (hdr->bytes == NULL || hdr->size < HDR_TABLE || hdr->bytes[2] != DW_EH_PE_udata4 ||
        hdr->bytes[3] != (DW_EH_PE_datarel | DW_EH_PE_sdata4))
        return -UNW_ENOINFO;
    memcpy(&count, hdr->bytes + HDR_COUNT, sizeof(count));
    if (count > (hdr->size - HDR_TABLE) / HDR_ENTRY_BYTES)
        return -UNW_ENOINFO;
    info.start_ip = slow->loaded.mapping->start;
    info.end_ip = slow->loaded.mapping->end;
    info.u.rti.segbase = hdr->address + slow->loaded.bias;
    info.u.rti.table_data = info.u.rti.segbase + HDR_TABLE;
    info.u.rti.table_len = (uint64_t)count * HDR_ENTRY_BYTES / sizeof(unw_word_t);
    slow->searching = true;
    status = search_unwind_table(space, ip, &info, found, need_unwind_info, context);
    slow->searching = false;
    return status;
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *found, void *context)
{
    (void)space, (void)found, (void)context;
}

static int get_dyn_info_list_addr(unw_addr_space_t space, unw_word_t *address, void *context)
{
    (void)space, (void)address, (void)context;
    return -UNW_ENOINFO;
}

static int resume(unw_addr_space_t space, unw_cursor_t *cursor, void *context)
{
    (void)space, (void)cursor, (void)context;
    return -UNW_EINVAL;
}

static int get_proc_name(unw_addr_space_t space, unw_word_t address, char *name, size_t size,
                         unw_word_t *offset, void *context)
{
    (void)space, (void)address, (void)name, (void)size, (void)offset, (void)context;
    return -UNW_ENOINFO;
}

static unw_addr_space_t space_new(void)
{
    unw_accessors_t accessors = {
        .find_proc_info = find_proc_info,
        .put_unwind_info = put_unwind_info,
        .get_dyn_info_list_addr = get_dyn_info_list_addr,
        .access_mem = access_mem,
        .access_reg = access_reg,
        .access_fpreg = access_fpreg,
        .resume = resume,
        .get_proc_name = get_proc_name,
    };

    return unw_create_addr_space(&accessors, 0);
}

/* Takes over the registers CURSOR has reached. */
static void place_from(struct place *place, unw_cursor_t *cursor)
{
    unw_word_t value;

    place->fp_known = unw_get_reg(cursor, REG_FP, &value) == 0;
    if (place->fp_known)
        place->fp = value;
    place->lr_known = false;
    place->general_known = 0;
    for (unsigned i = 0; i < UNWIND_KEPT; i++) {
        if (unw_get_reg(cursor, general_numbers[i], &value) != 0)
            continue;
        place->general[i] = value;
        place->general_known |= (uint16_t)(1u << i);
    }
}

/*
 * One step of libunwind, taken over by the walk; false when it can't.  It also calls it the end of
 * the stack where it has no information and no frame pointer.
 */
static bool slow_advance(struct walk *walk, unw_cursor_t *cursor, bool *going)
{
    bool signal = walk_in_trampoline(walk);
    unw_word_t ip, sp;

    if (unw_step(cursor) <= 0 || unw_get_reg(cursor, UNW_REG_IP, &ip) != 0 ||
        unw_get_reg(cursor, UNW_REG_SP, &sp) != 0)
        return false;
    place_from(&walk->place, cursor);
    *going = walk_to(walk, sp, ip, true);
    walk->place.exact = signal;
    return true;
}

bool slow_step(struct walk *walk, bool *going)
{
    struct slow slow = { .walk = walk, .start = walk->place };
    unw_addr_space_t space = space_new();
    unw_cursor_t cursor;
    bool stepped;

    stepped = unw_init_remote(&cursor, space, &slow) == 0 && slow_advance(walk, &cursor, going);
    unw_destroy_addr_space(space);
    return stepped;
}

bool slow_run(struct walk *walk)
{
    struct slow slow = { .walk = walk, .start = walk->place };
    unw_addr_space_t space = space_new();
    unw_cursor_t cursor;
    bool going = unw_init_remote(&cursor, space, &slow) == 0;

    unw_set_caching_policy(space, UNW_CACHE_PER_THREAD);
    if (!going)
        walk_end(walk, STACK_BAD_ROW, walk->place.ip);
    while (going) {
        uint64_t at = place_code(&walk->place);

        walk->mapping = maps_find(walk->frozen->maps, at);
        walk->place.exact = walk->place.exact || walk_in_trampoline(walk);
        trail_add(&walk->trail, walk);
        if (walk->trail.walked == SLOW_MAX)
            going = walk_end(walk, STACK_LIMIT, at);
        else if (!slow_advance(walk, &cursor, &going))
            going = walk_end(walk, STACK_COMPLETE, 0); /* as far as it knows */
    }
    unw_destroy_addr_space(space);
    return true;
}
