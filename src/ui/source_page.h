/* SPDX-License-Identifier: MIT */
/*
 * A source file read once and shared by the results that show it: the fold worker reads, the main
 * thread lets go.
 */
#ifndef UI_SOURCE_PAGE_H
#define UI_SOURCE_PAGE_H

#include "proftop/profile.h"
#include "proftop/source_text.h"

struct source_page;

/*
 * The page of PATH with a reference for the caller: BEFORE again where it is the same file.  What
 * is not on this machine may have come with PROFILE.
 */
struct source_page *source_page_get(struct source_page *before, const struct profile *profile,
                                    const char *path);
struct source_page *source_page_ref(struct source_page *page);
void source_page_unref(struct source_page *page);

/* NULL when it could not be read; then why not, in words. */
const struct source_text *source_page_text(const struct source_page *page);
const char *source_page_trouble(const struct source_page *page);

#endif
