/* SPDX-License-Identifier: MIT */
/*
 * Stands in for libFuzzer in a plain build: runs a target over the seeds of its corpus, or over the
 * files that its arguments name, each as it is and changed in fixed ways.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "tests/fuzz/fuzz.h"
#include "tests/harness/testing.h"

enum { CHANGED = 300, SEED_MAX_BYTES = 16 << 20, DEADLINE_S = 120 };

/* xorshift64: the same changes on every machine. */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* One to eight changes: a bit flipped, a byte of a kind that breaks parsers, a piece cut out. */
static size_t change(uint8_t *data, size_t size, uint64_t *state)
{
    static const uint8_t nasty[] = { 0, 0xff, 0x7f, 0x80, '\n', '"', '\033', 0xed };
    unsigned changes = 1 + draw(state) % 8;

    for (unsigned i = 0; i < changes && size != 0; i++) {
        size_t at = draw(state) % size;

        switch (draw(state) % 4) {
        case 0:
            data[at] ^= (uint8_t)(1 << draw(state) % 8);
            break;
        case 1:
            data[at] = nasty[draw(state) % sizeof(nasty)];
            break;
        case 2:
            data[at] = (uint8_t)draw(state);
            break;
        default:
            if (draw(state) % 4 == 0) {
                size = at;
            } else {
                size_t cut = draw(state) % (size - at) % 16 + 1;

                memmove(data + at, data + at + cut, size - at - cut);
                size -= cut;
            }
        }
    }
    return size;
}

/* An exact copy on the heap, so that a sanitizer sees a step beyond either end. */
static void try_input(const uint8_t *data, size_t size)
{
    uint8_t *copy = xmemdup(data, size);

    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *seed = xmalloc(SEED_MAX_BYTES), *changed;
    uint64_t state = 88172645463325252;
    size_t size;

    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        free(seed);
        return 1;
    }
    size = fread(seed, 1, SEED_MAX_BYTES, file);
    fclose(file);
    alarm(DEADLINE_S); /* a hang is a failure: SIGALRM kills */
    try_input(seed, size);
    changed = xmalloc(size + 1);
    for (int i = 0; i < CHANGED; i++) {
        memcpy(changed, seed, size);
        try_input(changed, change(changed, size, &state));
    }
    alarm(0);
    free(changed);
    free(seed);
    printf("%s: %zu bytes and %d variants\n", path, size, CHANGED);
    return 0;
}

static int replay_corpus(const char *target)
{
    const char *name = strncmp(target, "fuzz_", 5) == 0 ? target + 5 : target;
    char *below = xasprintf("tests/fuzz/corpus/%s", name), *folder = testing_source(below);
    DIR *entries = opendir(folder);
    int failed = 0, seeds = 0;

    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        char *path = xasprintf("%s/%s", folder, entry->d_name);

        if (entry->d_name[0] != '.') {
            failed |= replay(path);
            seeds++;
        }
        free(path);
    }
    if (entries != NULL)
        closedir(entries);
    if (seeds == 0) {
        fprintf(stderr, "%s: no seed there\n", folder);
        failed = 1;
    }
    free(folder);
    free(below);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;

    if (argc == 1)
        return replay_corpus(program_invocation_short_name);
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    return failed;
}
