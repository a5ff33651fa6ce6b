/* SPDX-License-Identifier: MIT */
/* The words for why a module has no names. */
#include "config.h"

#include "trouble.h"

#include <errno.h>

#include "proftop/gettext.h"

static const char *const texts[TROUBLES] = {
    [TROUBLE_NONE] = N_("nothing"),
    [TROUBLE_MISSING] = N_("the file is gone"),
    [TROUBLE_DENIED] = N_("no permission to read the file"),
    [TROUBLE_NOT_REGULAR] = N_("not a regular file"),
    [TROUBLE_TOO_LARGE] = N_("too large to read"),
    [TROUBLE_NOT_ELF] = N_("not an ELF file"),
    [TROUBLE_DAMAGED] = N_("the file is damaged"),
    [TROUBLE_MISMATCH] = N_("the file on disk is another build than the one that runs"),
    [TROUBLE_DEBUG_MISMATCH] = N_("stripped, and its separate debug file is of another build"),
    [TROUBLE_STRIPPED] = N_("stripped, and no separate debug file was found"),
    [TROUBLE_NO_ALT] = N_("its debug file needs another one (of dwz) that is not there"),
    [TROUBLE_FOREIGN] = N_("the perf map belongs to somebody else"),
    [TROUBLE_HIDDEN] = N_("kernel addresses are hidden from this user (kernel.kptr_restrict)"),
    [TROUBLE_NO_MAP] = N_("the program writes no perf map"),
};

const char *trouble_text(enum trouble trouble)
{
    return _(texts[(unsigned)trouble < TROUBLES ? trouble : TROUBLE_DAMAGED]);
}

enum trouble trouble_of_errno(int saved_errno)
{
    switch (saved_errno) {
    case 0:
        return TROUBLE_NONE;
    case EACCES:
    case EPERM:
        return TROUBLE_DENIED;
    case ELOOP: /* O_NOFOLLOW met a link */
    case ENXIO: /* a socket or a device without a driver */
        return TROUBLE_NOT_REGULAR;
    default:
        return TROUBLE_MISSING;
    }
}
