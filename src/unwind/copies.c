/* SPDX-License-Identifier: MIT */
/* Reading beyond the copied stack. */
#include "config.h"

#include "copies.h"

enum {
    PAGES_MAX = 16384,            /* 64 MiB of stack */
    STACK_REACH_BYTES = 64 << 20, /* no thread's stack goes on further than this */
    NO_PAGE = 1,                  /* no page starts there */
};

void copies_init(struct copies *copies, const struct frozen *frozen)
{
    copies->frozen = frozen;
    copies->page_start = NO_PAGE;
    copies->pages_looked = 0;
    copies->page_read = false;
}

static bool page_hold(struct copies *copies, uint64_t address)
{
    const struct frozen *frozen = copies->frozen;
    uint64_t start = address & ~(uint64_t)(COPIES_PAGE_BYTES - 1);

    if (copies->page_start == start)
        return copies->page_read;
    if (copies->pages_looked == PAGES_MAX)
        return false;
    copies->pages_looked++;
    copies->page_start = start;
    copies->page_read =
        frozen->peek(frozen->peek_context, start, copies->page, sizeof(copies->page));
    return copies->page_read;
}

bool copies_peek(struct copies *copies, uint64_t address, void *to, size_t size)
{
    uint8_t *out = to;

    if (copies->frozen->peek == NULL || address + size < address)
        return false;
    while (size > 0) {
        size_t into = address % COPIES_PAGE_BYTES, part = COPIES_PAGE_BYTES - into;

        if (part > size)
            part = size;
        if (!page_hold(copies, address))
            return false;
        memcpy(out, copies->page + into, part);
        out += part;
        address += part;
        size -= part;
    }
    return true;
}

bool copies_linkage(struct copies *copies, uint64_t slot, uint64_t *target)
{
    const struct frozen *frozen = copies->frozen;

    return copies_word(copies, slot, target) ||
           (frozen->peek_linkage != NULL &&
            frozen->peek_linkage(frozen->peek_context, slot, target, sizeof(*target)));
}

/* A word that the END of a copy cuts in two counts, too. */
static bool is_behind(uint64_t address, uint64_t end)
{
    return address + sizeof(uint64_t) > end && address < end + STACK_REACH_BYTES;
}

bool copies_truncated(const struct copies *copies, uint64_t address)
{
    const struct frozen *frozen = copies->frozen;
    uint64_t end = frozen->stack_start + frozen->stack_size;
    uint64_t extra_end = frozen->extra_start + frozen->extra_size;

    if (frozen->peek != NULL)
        return false;
    if (is_behind(address, end))
        return true;
    return frozen->extra != NULL && is_behind(address, extra_end);
}
