/* SPDX-License-Identifier: MIT */
/* Phases that show in the machine's counters: a lock convoy, page faults, disk writes, and rest. */
#include "config.h"

#include "demo/demo.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CONVOY = 4, HOLD_STEPS = 2000000 };
enum { ARENA_BYTES = 64 << 20, CHUNK_BYTES = 1 << 20, FILE_CHUNKS = 32, PAUSE_MS = 100 };

struct convoy {
    pthread_mutex_t lock;
    const struct run *run;
    uint64_t holds; /* guarded by lock */
};

static APART uint64_t hold_lock(uint64_t seed)
{
    BURN(seed, HOLD_STEPS);
    return seed;
}

static void *queue_for_lock(void *context)
{
    struct convoy *convoy = context;

    while (demo_now_ns() < convoy->run->until_ns) {
        pthread_mutex_lock(&convoy->lock);
        demo_sink = hold_lock(demo_sink);
        convoy->holds++;
        pthread_mutex_unlock(&convoy->lock);
    }
    return NULL;
}

/* A lock with priority inheritance is handed to whoever waits longest: each thread gets its turn,
 * which an ordinary mutex does not promise. */
uint64_t phase_lock(const struct run *run)
{
    struct convoy convoy = { .run = run };
    pthread_mutexattr_t kind;
    pthread_t threads[CONVOY];
    int started = 0;

    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&convoy.lock, &kind);
    for (; started < CONVOY; started++) {
        char name[16];

        if (pthread_create(&threads[started], NULL, queue_for_lock, &convoy) != 0)
            break;
        snprintf(name, sizeof(name), "convoy-%d", started + 1);
        pthread_setname_np(threads[started], name);
    }
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&convoy.lock);
    pthread_mutexattr_destroy(&kind);
    return convoy.holds;
}

static APART uint64_t touch_pages(volatile char *memory, size_t size_bytes, size_t page_bytes)
{
    uint64_t touched = 0;

    for (size_t at = 0; at < size_bytes; at += page_bytes) {
        memory[at] = 1;
        touched++;
    }
    return touched;
}

/* Fresh memory each round, and small pages, so that every touch is a fault. */
uint64_t phase_faults(const struct run *run)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    uint64_t faults = 0;

    do {
        char *memory =
            mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
            break;
        madvise(memory, ARENA_BYTES, MADV_NOHUGEPAGE);
        faults += touch_pages(memory, ARENA_BYTES, page_bytes);
        munmap(memory, ARENA_BYTES);
    } while (demo_now_ns() < run->until_ns);
    return faults;
}

static APART uint64_t write_file(int fd, const char *chunk)
{
    uint64_t written = 0;

    for (int i = 0; i < FILE_CHUNKS; i++) {
        ssize_t put = write(fd, chunk, CHUNK_BYTES);

        if (put <= 0)
            break;
        written += (uint64_t)put;
    }
    fdatasync(fd);
    return written;
}

uint64_t phase_disk(const struct run *run)
{
    char path[4096], *chunk = malloc(CHUNK_BYTES);
    uint64_t written = 0;
    int fd;

    snprintf(path, sizeof(path), "%s/proftop-demo-XXXXXX", run->folder);
    fd = mkstemp(path);
    if (fd < 0 || chunk == NULL)
        goto out;
    unlink(path);
    memset(chunk, 'x', CHUNK_BYTES);
    do {
        uint64_t more = write_file(fd, chunk);

        written += more;
        if (more == 0 || lseek(fd, 0, SEEK_SET) != 0)
            break;
        poll(NULL, 0, PAUSE_MS); /* a burst, not an attempt to wear the disk out */
    } while (demo_now_ns() < run->until_ns);
out:
    if (fd >= 0)
        close(fd);
    free(chunk);
    return written;
}

/* The waiting is the point: poll(2) with nothing to wait for. */
uint64_t phase_idle(const struct run *run)
{
    uint64_t waits = 0, now;

    while ((now = demo_now_ns()) < run->until_ns) {
        uint64_t left_ms = (run->until_ns - now) / 1000000 + 1;

        poll(NULL, 0, left_ms < 100 ? (int)left_ms : 100);
        waits++;
    }
    return waits;
}
