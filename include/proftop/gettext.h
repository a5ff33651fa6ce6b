/* SPDX-License-Identifier: MIT */
/* _() translates, N_() marks a table's text for translation where it is shown. */
#ifndef PROFTOP_GETTEXT_H
#define PROFTOP_GETTEXT_H

#include <libintl.h>

#define _(text) gettext(text)
#define N_(text) text

#endif
