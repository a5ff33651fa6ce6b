/* SPDX-License-Identifier: MIT */
/* Names and paths as they are kept. */
#include "config.h"

#include "naming.h"

#include <stdbool.h>
#include <string.h>

#include "demangle.h"

void naming_of(struct intern *intern, const char *raw, const char **raw_name, const char **name)
{
    char plain[DEMANGLED_MAX];
    const char *version = strchr(raw, '@');

    /* "puts@plt" is another function than puts(); "memcpy@@GLIBC_2.14" is memcpy(). */
    bool plt = version != NULL && strcmp(version, "@plt") == 0;

    *name = *raw_name = intern_text(intern, raw);
    if (demangle(raw, plain))
        *name = intern_printf(intern, "%s%s", plain, plt ? version : "");
    else if (version != NULL && version > raw && !plt)
        *name = intern_printf(intern, "%.*s", (int)(version - raw), raw);
}

const char *naming_path(struct intern *intern, const char *folder, const char *file)
{
    if (file == NULL)
        return "";
    if (file[0] == '/' || folder == NULL)
        return intern_text(intern, file);
    return intern_printf(intern, "%s/%s", folder, file);
}
