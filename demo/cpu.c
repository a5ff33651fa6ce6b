/* SPDX-License-Identifier: MIT */
/*
 * CPU work over a known call tree, and a deep recursion.  The number behind a function is its own
 * share of the steps, in percent.
 *
 *     cpu_round ─┬─ draw_frame ─┬─ shade_pixels   40
 *                │              └─ blend_layers   20
 *                ├─ read_input ─┬─ split_words    20
 *                │              └─ look_up_names  10
 *                └─ pack_result                   10
 */
#include "config.h"

#include "demo/demo.h"

enum { PERCENT = 40000 }; /* steps: a round is some 5 ms */

volatile uint64_t demo_sink;

/* No two are alike, or the compiler would make them one. */
static APART uint64_t shade_pixels(uint64_t seed)
{
    BURN(seed, 40 * PERCENT);
    return seed;
}

static APART uint64_t blend_layers(uint64_t seed)
{
    BURN(seed, 20 * PERCENT);
    return seed + 1;
}

static APART uint64_t split_words(uint64_t seed)
{
    BURN(seed, 20 * PERCENT);
    return seed + 2;
}

static APART uint64_t look_up_names(uint64_t seed)
{
    BURN(seed, 10 * PERCENT);
    return seed + 3;
}

static APART uint64_t pack_result(uint64_t seed)
{
    BURN(seed, 10 * PERCENT);
    return seed + 4;
}

/* What a caller does with the result keeps the call from becoming a jump, and the caller a frame.
 */
static APART uint64_t draw_frame(uint64_t seed)
{
    seed = shade_pixels(seed);
    return blend_layers(seed) ^ 1;
}

static APART uint64_t read_input(uint64_t seed)
{
    seed = split_words(seed);
    return look_up_names(seed) ^ 2;
}

static APART uint64_t cpu_round(uint64_t seed)
{
    seed = draw_frame(seed);
    seed = read_input(seed);
    return pack_result(seed) ^ 3;
}

uint64_t phase_cpu(const struct run *run)
{
    uint64_t rounds = 0;

    do {
        demo_sink = cpu_round(demo_sink);
        rounds++;
    } while (demo_now_ns() < run->until_ns);
    return rounds;
}

static APART uint64_t deep_bottom(uint64_t seed)
{
    BURN(seed, 100 * PERCENT);
    return seed;
}

static APART uint64_t deep_step(uint64_t seed, unsigned left)
{
    return (left == 0 ? deep_bottom(seed) : deep_step(seed, left - 1)) ^ left;
}

uint64_t phase_deep(const struct run *run)
{
    uint64_t rounds = 0;

    do {
        demo_sink = deep_step(demo_sink, run->depth);
        rounds++;
    } while (demo_now_ns() < run->until_ns);
    return rounds;
}
