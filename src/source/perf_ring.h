/* SPDX-License-Identifier: MIT */
/*
 * The kernel's ring of one CPU: every event of that CPU writes into it.
 *
 *     page 0              2^n pages
 *     struct              |······tail████ records ████head······|
 *     perf_event_mmap_page
 *
 * The ring belongs to an event of our own that counts nothing (PERF_COUNT_SW_DUMMY), which never
 * ends: an event of a thread that exits would keep poll() awake with POLLHUP.  Private to source/.
 */
#ifndef PROFTOP_SOURCE_PERF_RING_H
#define PROFTOP_SOURCE_PERF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/perf_event.h>

struct perf_ring {
    int cpu;
    int fd; /* of the dummy event */
    struct perf_event_mmap_page *page;
    const uint8_t *data;
    size_t size;         /* of the data, a power of two */
    uint64_t head, tail; /* of what is being read */
    uint8_t *bounce;     /* a record that wraps is put together here */
};

enum { RECORD_BYTES_MAX = 1 << 16 };

/*
 * At most SIZE_BYTES (rounded to a power of two of pages), less when the locked memory that we are
 * allowed does not reach.  False with errno when even the smallest is refused.
 */
bool perf_ring_open(struct perf_ring *ring, int cpu, size_t size_bytes);
void perf_ring_close(struct perf_ring *ring);

/* Looks how far the kernel has written; perf_ring_next() then gives records up to there. */
void perf_ring_begin(struct perf_ring *ring);
/* The oldest record or NULL; valid until perf_ring_pop(). */
const struct perf_event_header *perf_ring_next(struct perf_ring *ring);
void perf_ring_pop(struct perf_ring *ring, const struct perf_event_header *header);
/* Gives what was read back to the kernel. */
void perf_ring_end(struct perf_ring *ring);

#endif
