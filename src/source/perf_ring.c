/* SPDX-License-Identifier: MIT */
/* The kernel's rings: see perf_ring.h. */
#include "config.h"

#include "perf_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "proftop/memory.h"

enum { RING_MIN = 1 << 16 };

bool perf_ring_open(struct perf_ring *ring, int cpu, size_t size_bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = RING_MIN;
    struct perf_event_attr attr;

    while (size < size_bytes)
        size *= 2;
    memset(ring, 0, sizeof(*ring));
    ring->cpu = cpu;
    for (;;) {
        void *page;

        /*
         * The watermark is taken from the event that is mapped, hence anew for each size.  Every so
         * many bytes the kernel wakes us, read or not: rarely, where the ring is as large as asked.
         */
        memset(&attr, 0, sizeof(attr));
        attr.size = sizeof(attr);
        attr.type = PERF_TYPE_SOFTWARE;
        attr.config = PERF_COUNT_SW_DUMMY;
        attr.exclude_kernel = 1;
        attr.watermark = 1;
        attr.wakeup_watermark = (uint32_t)(size < size_bytes ? size / 4 : size / 4 * 3);
        attr.use_clockid = 1;
        attr.clockid = CLOCK_MONOTONIC;
        ring->fd = (int)syscall(SYS_perf_event_open, &attr, 0, cpu, -1,
                                (unsigned long)PERF_FLAG_FD_CLOEXEC);
        if (ring->fd < 0)
            return false;
        page = mmap(NULL, page_bytes + size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
        if (page != MAP_FAILED) {
            ring->page = page;
            ring->data = (const uint8_t *)page + page_bytes;
            ring->size = size;
            ring->bounce = xmalloc(RECORD_BYTES_MAX);
            return true;
        }
        close(ring->fd);
        if ((errno != EPERM && errno != ENOMEM) || size == RING_MIN)
            return false;
        size /= 2;
    }
}

void perf_ring_close(struct perf_ring *ring)
{
    if (ring->page == NULL)
        return;
    munmap(ring->page, (size_t)(ring->data - (const uint8_t *)ring->page) + ring->size);
    close(ring->fd);
    free(ring->bounce);
    ring->page = NULL;
}

void perf_ring_begin(struct perf_ring *ring)
{
    ring->head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
}

const struct perf_event_header *perf_ring_next(struct perf_ring *ring)
{
    size_t at = ring->tail & (ring->size - 1);
    const struct perf_event_header *header = (const void *)(ring->data + at);
    size_t first;

    /* Records are multiples of 8 bytes: a header never wraps. */
    if (ring->head - ring->tail < sizeof(*header))
        return NULL;
    if (header->size < sizeof(*header) || header->size > ring->head - ring->tail) {
        ring->tail = ring->head; /* not ours to make sense of: start afresh */
        return NULL;
    }
    first = ring->size - at;
    if (header->size <= first)
        return header;
    memcpy(ring->bounce, header, first);
    memcpy(ring->bounce + first, ring->data, header->size - first);
    return (const struct perf_event_header *)ring->bounce;
}

void perf_ring_pop(struct perf_ring *ring, const struct perf_event_header *header)
{
    ring->tail += header->size;
}

void perf_ring_end(struct perf_ring *ring)
{
    __atomic_store_n(&ring->page->data_tail, ring->tail, __ATOMIC_RELEASE);
}
