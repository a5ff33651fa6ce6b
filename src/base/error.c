/* SPDX-License-Identifier: MIT */
/* What went wrong outside, in words. */
#include "config.h"

#include "proftop/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

bool error_set(struct error *error, enum status code, const char *format, ...)
{
    va_list arguments;

    if (error == NULL)
        return false;
    error->code = code;
    error->hint[0] = '\0';
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    return false;
}

bool error_errno(struct error *error, int saved_errno, const char *format, ...)
{
    va_list arguments;

    if (error == NULL)
        return false;
    switch (saved_errno) {
    case ENOENT:
    case ESRCH:
    case ENOTDIR:
        error->code = STATUS_MISSING;
        break;
    case EPERM:
    case EACCES:
        error->code = STATUS_DENIED;
        break;
    default:
        error->code = STATUS_FAILED;
    }
    error->hint[0] = '\0';
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    return false;
}

void error_hint(struct error *error, const char *format, ...)
{
    va_list arguments;

    if (error == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(error->hint, sizeof(error->hint), format, arguments);
    va_end(arguments);
}
