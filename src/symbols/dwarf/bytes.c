/* SPDX-License-Identifier: MIT */
/* The forms of DWARF 2 to 5 and GNU's: how long each is, and which are numbers. */
#include "config.h"

#include "bytes.h"

#include <dwarf.h>
#include <gelf.h>

enum { VARIES = -1, OFFSET = -2, ADDRESS = -3, REFERENCE = -4 };

/* The standard ones, without gaps; a table, as reading abbreviations is all about it. */
const int8_t dwarf_form_sizes[DWARF_FORMS] = {
    [0] = VARIES,
    [DW_FORM_addr] = ADDRESS,
    [2] = VARIES,
    [DW_FORM_block2] = VARIES,
    [DW_FORM_block4] = VARIES,
    [DW_FORM_data2] = 2,
    [DW_FORM_data4] = 4,
    [DW_FORM_data8] = 8,
    [DW_FORM_string] = VARIES,
    [DW_FORM_block] = VARIES,
    [DW_FORM_block1] = VARIES,
    [DW_FORM_data1] = 1,
    [DW_FORM_flag] = 1,
    [DW_FORM_sdata] = VARIES,
    [DW_FORM_strp] = OFFSET,
    [DW_FORM_udata] = VARIES,
    [DW_FORM_ref_addr] = REFERENCE,
    [DW_FORM_ref1] = 1,
    [DW_FORM_ref2] = 2,
    [DW_FORM_ref4] = 4,
    [DW_FORM_ref8] = 8,
    [DW_FORM_ref_udata] = VARIES,
    [DW_FORM_indirect] = VARIES,
    [DW_FORM_sec_offset] = OFFSET,
    [DW_FORM_exprloc] = VARIES,
    [DW_FORM_flag_present] = 0,
    [DW_FORM_strx] = VARIES,
    [DW_FORM_addrx] = VARIES,
    [DW_FORM_ref_sup4] = 4,
    [DW_FORM_strp_sup] = OFFSET,
    [DW_FORM_data16] = 16,
    [DW_FORM_line_strp] = OFFSET,
    [DW_FORM_ref_sig8] = 8,
    [DW_FORM_implicit_const] = 0,
    [DW_FORM_loclistx] = VARIES,
    [DW_FORM_rnglistx] = VARIES,
    [DW_FORM_ref_sup8] = 8,
    [DW_FORM_strx1] = 1,
    [DW_FORM_strx2] = 2,
    [DW_FORM_strx3] = 3,
    [DW_FORM_strx4] = 4,
    [DW_FORM_addrx1] = 1,
    [DW_FORM_addrx2] = 2,
    [DW_FORM_addrx3] = 3,
    [DW_FORM_addrx4] = 4,
};

uint64_t dwarf_bytes_long_uleb(struct dwarf_bytes *bytes)
{
    uint64_t value = 0;

    for (unsigned shift = 0; bytes->at < bytes->end; shift += 7) {
        uint8_t byte = *bytes->at++;

        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

int dwarf_bytes_odd_form_size(const struct dwarf_bytes *bytes, uint64_t form)
{
    int size = form < DWARF_FORMS ? dwarf_form_sizes[form] : VARIES;

    if (size == ADDRESS || (size == REFERENCE && bytes->version <= 2))
        return bytes->address_size;
    if (size == OFFSET || size == REFERENCE || form == DW_FORM_GNU_ref_alt ||
        form == DW_FORM_GNU_strp_alt)
        return bytes->offset_size;
    return -1;
}

bool dwarf_bytes_skip_form(struct dwarf_bytes *bytes, uint64_t form)
{
    int size = dwarf_bytes_form_size(bytes, form);

    if (size >= 0) {
        dwarf_bytes_skip(bytes, (uint64_t)size);
        return true;
    }
    switch (form) {
    case DW_FORM_sdata:
    case DW_FORM_udata:
    case DW_FORM_ref_udata:
    case DW_FORM_strx:
    case DW_FORM_addrx:
    case DW_FORM_loclistx:
    case DW_FORM_rnglistx:
    case DW_FORM_GNU_addr_index:
    case DW_FORM_GNU_str_index:
        dwarf_bytes_uleb(bytes);
        return true;
    case DW_FORM_string:
        dwarf_bytes_text(bytes);
        return true;
    case DW_FORM_exprloc:
    case DW_FORM_block:
        dwarf_bytes_skip(bytes, dwarf_bytes_uleb(bytes));
        return true;
    case DW_FORM_block1:
        dwarf_bytes_skip(bytes, dwarf_bytes_fixed(bytes, 1));
        return true;
    case DW_FORM_block2:
        dwarf_bytes_skip(bytes, dwarf_bytes_fixed(bytes, 2));
        return true;
    case DW_FORM_block4:
        dwarf_bytes_skip(bytes, dwarf_bytes_fixed(bytes, 4));
        return true;
    case DW_FORM_indirect:
        form = dwarf_bytes_uleb(bytes);
        /* Nothing makes it, and one could lead to the next without end. */
        return form != DW_FORM_indirect && dwarf_bytes_skip_form(bytes, form);
    default:
        return false;
    }
}

uint64_t dwarf_bytes_number(struct dwarf_bytes *bytes, uint64_t form, bool *is_number)
{
    *is_number = true;
    switch (form) {
    case DW_FORM_udata:
    case DW_FORM_ref_udata:
        return dwarf_bytes_uleb(bytes);
    case DW_FORM_sdata:
        return (uint64_t)dwarf_bytes_sleb(bytes);
    case DW_FORM_data1:
    case DW_FORM_data2:
    case DW_FORM_data4:
    case DW_FORM_data8:
    case DW_FORM_ref1:
    case DW_FORM_ref2:
    case DW_FORM_ref4:
    case DW_FORM_ref8:
    case DW_FORM_addr:
    case DW_FORM_ref_addr:
    case DW_FORM_sec_offset:
    case DW_FORM_strp:
    case DW_FORM_line_strp:
        return dwarf_bytes_fixed(bytes, (unsigned)dwarf_bytes_form_size(bytes, form));
    default:
        *is_number = false;
        if (!dwarf_bytes_skip_form(bytes, form))
            bytes->at = bytes->end;
        return 0;
    }
}

static void take_section(struct dwarf_sections *sections, const char *name, const Elf_Data *data)
{
    const struct {
        const char *name;
        struct dwarf_bytes *bytes;
    } wanted[] = {
        { ".debug_info", &sections->info },         { ".debug_abbrev", &sections->abbrev },
        { ".debug_line", &sections->line },         { ".debug_line_str", &sections->line_str },
        { ".debug_str", &sections->str },           { ".debug_ranges", &sections->ranges },
        { ".debug_rnglists", &sections->rnglists }, { ".debug_aranges", &sections->aranges }
    };

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        size_t length = strlen(wanted[i].name);

        if (strncmp(name, wanted[i].name, length) != 0 || dwarf_bytes_more(wanted[i].bytes) ||
            (name[length] != '\0' && strcmp(name + length, ".dwo") != 0))
            continue;
        wanted[i].bytes->at = data->d_buf;
        wanted[i].bytes->end = wanted[i].bytes->at + data->d_size;
    }
}

void dwarf_bytes_sections(struct dwarf_sections *sections, Elf *elf)
{
    static const uint8_t nothing[1];
    struct dwarf_bytes empty = { .at = nothing, .end = nothing };
    size_t names;

    *sections = (struct dwarf_sections){ empty, empty, empty, empty, empty, empty, empty, empty };
    if (elf_getshdrstrndx(elf, &names) != 0)
        return;
    for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn)) != NULL;) {
        GElf_Shdr shdr;
        const char *name =
            gelf_getshdr(scn, &shdr) != NULL ? elf_strptr(elf, names, shdr.sh_name) : NULL;
        Elf_Data *data;

        if (name == NULL || strncmp(name, ".debug_", 7) != 0 || shdr.sh_type == SHT_NOBITS ||
            (shdr.sh_flags & SHF_COMPRESSED) != 0)
            continue;
        data = elf_rawdata(scn, NULL);
        if (data != NULL && data->d_buf != NULL)
            take_section(sections, name, data);
    }
}
