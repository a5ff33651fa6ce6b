/* SPDX-License-Identifier: MIT */
/* Names and paths as they are kept. */
#include "config.h"

#include "naming.h"

#include <stdbool.h>
#include <string.h>

#include "demangle.h"

static const char *make(struct intern *intern, const char *raw)
{
    char plain[DEMANGLED_MAX];
    const char *version = strchr(raw, '@');

    /* "puts@plt" is another function than puts(); "memcpy@@GLIBC_2.14" is memcpy(). */
    bool plt = version != NULL && strcmp(version, "@plt") == 0;

    if (demangle(raw, plain))
        return intern_printf(intern, "%s%s", plain, plt ? version : "");
    if (version != NULL && version > raw && !plt)
        return intern_printf(intern, "%.*s", (int)(version - raw), raw);
    return raw;
}

const char *naming_of(struct intern *intern, const char *raw)
{
    const char *name = intern_other(intern, raw);

    if (name != NULL)
        return name;
    name = make(intern, raw);
    intern_set_other(intern, raw, name);
    return name;
}

const char *naming_path(struct intern *intern, const char *folder, const char *file)
{
    if (file == NULL)
        return "";
    if (file[0] == '/' || folder == NULL)
        return intern_text(intern, file);
    return intern_printf(intern, "%s/%s", folder, file);
}
