/* SPDX-License-Identifier: MIT */
/* Shared source files. */
#include "config.h"

#include "source_page.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/memory.h"

struct source_page {
    _Atomic unsigned references;
    char *path;
    struct source_text *text;
    struct error error;
};

struct source_page *source_page_ref(struct source_page *page)
{
    atomic_fetch_add(&page->references, 1);
    return page;
}

void source_page_unref(struct source_page *page)
{
    if (page == NULL || atomic_fetch_sub(&page->references, 1) != 1)
        return;
    source_text_free(page->text);
    free(page->path);
    free(page);
}

struct source_page *source_page_get(struct source_page *before, const struct profile *profile,
                                    const char *path)
{
    struct source_page *page;
    const char *kept;
    size_t size;

    if (before != NULL && strcmp(before->path, path) == 0)
        return source_page_ref(before);
    page = xcalloc(1, sizeof(*page));
    atomic_store(&page->references, 1);
    page->path = xstrdup(path);
    page->text = source_text_read(path, NULL, &page->error);
    kept = page->text == NULL ? profile_source(profile, path, &size) : NULL;
    if (kept != NULL)
        page->text = source_text_of(kept, size);
    return page;
}

const struct source_text *source_page_text(const struct source_page *page)
{
    return page->text;
}

const char *source_page_trouble(const struct source_page *page)
{
    return page->error.message;
}
