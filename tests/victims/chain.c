/* SPDX-License-Identifier: MIT */
/*
 * A known call chain with known shares.
 *
 *     main ─ chain_outer ─ chain_middle ─┬─ chain_six    6 of 10 parts
 *                                        ├─ chain_three  3 of 10
 *                                        └─ chain_one    1 of 10
 *
 * Runs until its standard input ends, so that a victim never outlives its test; writes one byte to
 * standard output when it is running.
 */
#include <poll.h>
#include <stdint.h>
#include <unistd.h>

enum { PART = 20000 };

static volatile uint64_t sink;

#define APART __attribute__((noinline, noclone))

/* Each leaf burns on its own: a shared helper would be the leaf of all three. */
static APART void chain_six(uint64_t seed)
{
    for (int i = 0; i < 6 * PART; i++)
        seed = seed * 6364136223846793005u + 1442695040888963407u;
    sink = seed;
}

static APART void chain_three(uint64_t seed)
{
    for (int i = 0; i < 3 * PART; i++)
        seed = seed * 6364136223846793005u + 1442695040888963407u;
    sink = seed;
}

static APART void chain_one(uint64_t seed)
{
    for (int i = 0; i < 1 * PART; i++)
        seed = seed * 6364136223846793005u + 1442695040888963407u;
    sink = seed;
}

static APART void chain_middle(uint64_t seed)
{
    chain_six(seed);
    chain_three(seed);
    chain_one(seed);
    sink++;
}

static APART void chain_outer(uint64_t seed)
{
    chain_middle(seed);
    sink++;
}

int main(void)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    char byte = '!';

    if (write(STDOUT_FILENO, &byte, 1) != 1)
        return 1;
    for (uint64_t seed = 1;; seed++) {
        chain_outer(seed);
        if (seed % 64 == 0 && poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0)
            return 0;
    }
}
