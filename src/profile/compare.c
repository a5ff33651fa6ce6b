/* SPDX-License-Identifier: MIT */
/*
 * The test behind the mark.  For a function f and a side with blocks j:
 *
 *     E_j  exposure: the weight of the block (shares) or its length (rates)
 *     w_j  f's weight in it;  p = Σw / ΣE;  r_j = w_j - p E_j, which would average 0
 *     c E_j  the variance w_j would have if samples were independent, at both sides' common level
 *     φ = Σ R² / Σ c E (1 - E / ΣE), never under 1: how much less samples are worth than that
 *
 * where R and E are sums over groups of 1, 2, 4… neighbouring blocks: correlation that lasts longer
 * than a block shows in the longer groups.  Each length gives a Student t; and, with counts divided
 * by φ, Fisher's exact test, because t sees differences that are none where counts are small.  The
 * largest p of all of them counts.
 *
 * Only blocks where f occurs are visited: ΣR² = Σ((w - pE)² - (pE)²) + p² ΣE², whose last sum is
 * the same for all functions.
 */
#include "config.h"

#include "proftop/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/memory.h"
#include "statistics.h"

enum {
    SIDES = 2,
    SCALES_MAX = 24,
    GROUP_S = 1,
    SIDE_GROUPS_MIN = 3,
    GROUPS_MIN = 10, /* fewer groups than this measure no variance */
    SAMPLES_MIN = 5, /* a function with fewer can never be marked: left out of the correction */
    SIDE_SAMPLES_MIN = 10
};

/* A function's weight in one group of blocks. */
struct term {
    uint32_t candidate, group;
    double weight;
};

struct terms {
    struct term *list;
    size_t count, capacity;
};

/* The blocks of one side at one scale. */
struct groups {
    uint32_t count;
    double *exposure;  /* of each */
    double square_sum; /* of exposures */
};

struct side {
    double exposure, weight, seconds;
    uint64_t samples;
    struct terms terms; /* by candidate, then group */
    struct groups groups;
};

struct candidate {
    function_id function;
    uint64_t samples[SIDES];
    double weight[SIDES];
    size_t first[SIDES], terms[SIDES];
    double t_p, worst_p, phi, degrees; /* of the scale with the largest p so far */
};

struct work {
    struct compare_options options;
    struct side sides[SIDES];
    struct candidate *candidates;
    size_t count, capacity;
    uint32_t *by_function; /* candidate + 1 */
    size_t by_function_count, by_function_capacity;
    double sample_weight; /* mean weight of a sample, both sides */
};

static uint32_t candidate_of(struct work *work, function_id function)
{
    size_t wanted = (size_t)function + 1;

    if (wanted > work->by_function_count) {
        work->by_function = array_reserve(work->by_function, &work->by_function_capacity, wanted,
                                          sizeof(*work->by_function));
        memset(work->by_function + work->by_function_count, 0,
               (wanted - work->by_function_count) * sizeof(*work->by_function));
        work->by_function_count = wanted;
    }
    if (work->by_function[function] == 0) {
        work->candidates = array_reserve(work->candidates, &work->capacity, work->count + 1,
                                         sizeof(*work->candidates));
        work->candidates[work->count] = (struct candidate){ .function = function };
        work->by_function[function] = (uint32_t)++work->count;
    }
    return work->by_function[function] - 1;
}

static void add_cell(struct work *work, int s, const struct blocks *blocks,
                     const struct block_cell *cell, uint32_t group)
{
    struct terms *terms = &work->sides[s].terms;
    uint32_t count;
    const function_id *functions = blocks_functions(blocks, cell->stack, &count);

    for (uint32_t i = 0; i < count && (i == 0 || work->options.total); i++) {
        uint32_t index = candidate_of(work, functions[i]);

        work->candidates[index].samples[s] += cell->samples;
        work->candidates[index].weight[s] += (double)cell->weight;
        terms->list =
            array_reserve(terms->list, &terms->capacity, terms->count + 1, sizeof(*terms->list));
        terms->list[terms->count++] = (struct term){ index, group, (double)cell->weight };
    }
}

static void collect(struct work *work, int s, const struct compare_side *from)
{
    struct side *side = &work->sides[s];
    uint32_t count = blocks_count(from->blocks);

    side->groups.exposure = xcalloc(count > 0 ? count : 1, sizeof(double));
    for (uint32_t i = 0; i < count; i++) {
        const struct block *block = blocks_get(from->blocks, i);
        const struct block_cell *cells = blocks_cells(from->blocks, block);
        double length = (double)(block->end_ns - block->start_ns);

        if (from->chosen != NULL && !from->chosen[i])
            continue;
        side->groups.exposure[side->groups.count] =
            work->options.what == COMPARE_RATE ? length : (double)block->weight;
        side->exposure += side->groups.exposure[side->groups.count];
        side->weight += (double)block->weight;
        side->samples += block->samples;
        side->seconds += length / (double)NS_PER_S;
        for (uint32_t k = 0; k < block->cells; k++)
            add_cell(work, s, from->blocks, &cells[k], side->groups.count);
        side->groups.count++;
    }
}

/* Sorts the terms by candidate (they come in order of group) and adds up those of one group. */
static void sort_terms(struct work *work, int s)
{
    struct terms *terms = &work->sides[s].terms;
    size_t *at = xcalloc(work->count + 1, sizeof(*at));
    struct term *sorted = xmalloc((terms->count > 0 ? terms->count : 1) * sizeof(*sorted));

    for (size_t i = 0; i < terms->count; i++)
        at[terms->list[i].candidate + 1]++;
    for (size_t i = 0; i < work->count; i++) {
        at[i + 1] += at[i];
        work->candidates[i].first[s] = at[i];
    }
    for (size_t i = 0; i < terms->count; i++) {
        struct candidate *candidate = &work->candidates[terms->list[i].candidate];
        struct term *last = sorted + candidate->first[s] + candidate->terms[s];

        if (candidate->terms[s] > 0 && last[-1].group == terms->list[i].group)
            last[-1].weight += terms->list[i].weight;
        else {
            *last = terms->list[i];
            candidate->terms[s]++;
        }
    }
    free(at);
    free(terms->list);
    terms->list = sorted;
}

static void measure_groups(struct groups *groups)
{
    groups->square_sum = 0;
    for (uint32_t i = 0; i < groups->count; i++)
        groups->square_sum += groups->exposure[i] * groups->exposure[i];
}

/* Each two neighbouring groups become one, in the exposures and in every candidate's terms. */
static void double_groups(struct work *work, int s)
{
    struct groups *groups = &work->sides[s].groups;

    for (uint32_t i = 0; i < groups->count; i++) {
        double exposure = groups->exposure[i];

        groups->exposure[i / 2] = i % 2 == 0 ? exposure : groups->exposure[i / 2] + exposure;
    }
    groups->count = (groups->count + 1) / 2;
    for (size_t i = 0; i < work->count; i++) {
        struct candidate *candidate = &work->candidates[i];
        struct term *terms = work->sides[s].terms.list + candidate->first[s];
        size_t kept = 0;

        for (size_t k = 0; k < candidate->terms[s]; k++) {
            uint32_t group = terms[k].group / 2;

            if (kept > 0 && terms[kept - 1].group == group)
                terms[kept - 1].weight += terms[k].weight;
            else
                terms[kept++] = (struct term){ (uint32_t)i, group, terms[k].weight };
        }
        candidate->terms[s] = kept;
    }
}

/* CANDIDATE's share or rate on side S. */
static double level(const struct work *work, const struct candidate *candidate, int s)
{
    return work->sides[s].exposure > 0 ? candidate->weight[s] / work->sides[s].exposure : 0;
}

/* c: the variance of independent samples for one unit of exposure, at level P. */
static double unit_variance(const struct work *work, double p)
{
    return work->options.what == COMPARE_RATE ? p * work->sample_weight
                                              : p * (1 - p) * work->sample_weight;
}

static double pooled_level(const struct work *work, const struct candidate *candidate)
{
    return (candidate->weight[0] + candidate->weight[1]) /
           (work->sides[0].exposure + work->sides[1].exposure);
}

static double overdispersion(const struct work *work, const struct candidate *candidate)
{
    double squares = 0, exposure = 0, expected;

    for (int s = 0; s < SIDES; s++) {
        const struct side *side = &work->sides[s];
        const struct term *terms = side->terms.list + candidate->first[s];
        double p = level(work, candidate, s), sum = p * p * side->groups.square_sum;

        for (size_t k = 0; k < candidate->terms[s]; k++)
            sum +=
                terms[k].weight * (terms[k].weight - 2 * p * side->groups.exposure[terms[k].group]);
        squares += sum > 0 ? sum : 0;
        exposure += side->exposure - side->groups.square_sum / side->exposure;
    }
    expected = unit_variance(work, pooled_level(work, candidate)) * exposure;
    return expected > 0 && squares > expected ? squares / expected : 1;
}

/* Standard error of the difference of the two levels, at levels PA and PB. */
static double standard_error(const struct work *work, double phi, double pa, double pb)
{
    return sqrt(phi * (unit_variance(work, pa) / work->sides[0].exposure +
                       unit_variance(work, pb) / work->sides[1].exposure));
}

static double student_p(const struct work *work, const struct candidate *candidate, double phi,
                        double degrees)
{
    double pooled = pooled_level(work, candidate);
    double error = standard_error(work, phi, pooled, pooled);
    double delta = level(work, candidate, 0) - level(work, candidate, 1);

    return error > 0 ? statistics_student(delta / error, degrees) : 1;
}

/* The side with the higher level is rounded down, the other up: rounding never makes a difference.
 */
static double exact_p(const struct work *work, const struct candidate *candidate, double phi)
{
    bool a_more = level(work, candidate, 0) >= level(work, candidate, 1);
    double fine = work->options.what == COMPARE_RATE ? 1000 : 1; /* rates have no most */
    uint64_t hits[SIDES], trials[SIDES];

    for (int s = 0; s < SIDES; s++) {
        double hit = (double)candidate->samples[s] / phi;
        double trial = work->sides[s].exposure / work->sample_weight / phi * fine;

        hits[s] = (uint64_t)((s == 0) == a_more ? floor(hit + 1e-9) : ceil(hit - 1e-9));
        trials[s] = (uint64_t)ceil(trial - 1e-9);
        if (hits[s] > trials[s])
            hits[s] = trials[s];
    }
    if (((double)hits[0] * (double)trials[1] > (double)hits[1] * (double)trials[0]) != a_more)
        return 1;
    return statistics_fisher(hits[0], trials[0], hits[1], trials[1]);
}

static bool enough(const struct work *work)
{
    const struct side *a = &work->sides[0], *b = &work->sides[1];

    return a->samples >= SIDE_SAMPLES_MIN && b->samples >= SIDE_SAMPLES_MIN && a->exposure > 0 &&
           b->exposure > 0 && a->groups.count + b->groups.count >= GROUPS_MIN;
}

/*
 * Groups of up to a second always, longer ones only while the shorter side has a few of them: a
 * range that holds a burst of seconds but is off by one must not drown in its own edges.
 */
static bool scale_is_useful(const struct work *work)
{
    const struct side *a = &work->sides[0], *b = &work->sides[1];
    const struct side *shorter = a->groups.count < b->groups.count ? a : b;

    return enough(work) && (shorter->groups.count >= SIDE_GROUPS_MIN ||
                            shorter->seconds <= GROUP_S * shorter->groups.count);
}

/* Every scale that leaves enough groups; each candidate keeps the worst. */
static void test_all(struct work *work)
{
    for (int scale = 0; scale < SCALES_MAX && scale_is_useful(work); scale++) {
        double degrees = work->sides[0].groups.count + work->sides[1].groups.count - 2;

        for (int s = 0; s < SIDES; s++)
            measure_groups(&work->sides[s].groups);
        for (size_t i = 0; i < work->count; i++) {
            struct candidate *candidate = &work->candidates[i];
            double phi = overdispersion(work, candidate);
            double p = student_p(work, candidate, phi, degrees);

            if (scale == 0 || p >= candidate->t_p) {
                candidate->t_p = p;
                candidate->phi = phi;
                candidate->degrees = degrees;
            }
            if (candidate->samples[0] + candidate->samples[1] >= SAMPLES_MIN)
                candidate->worst_p =
                    fmax(candidate->worst_p, fmax(p, exact_p(work, candidate, phi)));
        }
        for (int s = 0; s < SIDES; s++)
            double_groups(work, s);
    }
}

static void fill_row(const struct work *work, const struct candidate *candidate, bool tested,
                     struct compare_row *row)
{
    double a = level(work, candidate, 0), b = level(work, candidate, 1), width = INFINITY;

    *row = (struct compare_row){ .function = candidate->function,
                                 .a_pct = 100 * a,
                                 .b_pct = 100 * b,
                                 .delta_pt = 100 * (a - b),
                                 .p = 1,
                                 .a_samples = candidate->samples[0],
                                 .b_samples = candidate->samples[1] };
    if (tested) {
        /* One hit and one miss more on each side: no interval of width 0 where none was seen. */
        double unit = work->sample_weight;
        double near_a = (candidate->weight[0] + unit) / (work->sides[0].exposure + 2 * unit);
        double near_b = (candidate->weight[1] + unit) / (work->sides[1].exposure + 2 * unit);

        width = 100 * standard_error(work, candidate->phi, near_a, near_b) *
                statistics_student_quantile(0.05, candidate->degrees);
        if (candidate->samples[0] + candidate->samples[1] >= SAMPLES_MIN)
            row->p = candidate->worst_p;
    }
    if (work->options.what == COMPARE_SHARE)
        width = fmin(width, 200);
    row->lo = row->delta_pt - width;
    row->hi = row->delta_pt + width;
}

static int by_p(const void *a, const void *b)
{
    const struct compare_row *x = a, *y = b;

    return (x->p > y->p) - (x->p < y->p);
}

/*
 * What rose beyond noise comes first, then what fell, then the rest by the size of the difference;
 * ties by function, so that rows hold still.
 */
static int by_delta(const void *a, const void *b)
{
    const struct compare_row *x = a, *y = b;
    double dx = fabs(x->delta_pt), dy = fabs(y->delta_pt);

    if (x->significant != y->significant)
        return y->significant - x->significant;
    if (x->significant && (x->delta_pt > 0) != (y->delta_pt > 0))
        return x->delta_pt > 0 ? -1 : 1;
    if (dx != dy)
        return dx < dy ? 1 : -1;
    return (x->function > y->function) - (x->function < y->function);
}

/* Holm: the smallest p must pass the level shared by all, the next by one less, … */
static void mark(struct comparison *comparison)
{
    uint32_t family = 0;

    for (uint32_t i = 0; i < comparison->count; i++)
        family += comparison->rows[i].a_samples + comparison->rows[i].b_samples >= SAMPLES_MIN;
    qsort(comparison->rows, comparison->count, sizeof(*comparison->rows), by_p);
    for (uint32_t i = 0; i < comparison->count && i < family; i++) {
        struct compare_row *row = &comparison->rows[i];

        if (row->p > COMPARE_LEVEL / (family - i))
            break;
        row->significant = row->lo > 0 || row->hi < 0;
        comparison->significant += row->significant;
    }
    qsort(comparison->rows, comparison->count, sizeof(*comparison->rows), by_delta);
}

struct comparison *compare_sides(const struct compare_side *a, const struct compare_side *b,
                                 const struct compare_options *options)
{
    struct work work = { .options = *options };
    struct comparison *comparison = xcalloc(1, sizeof(*comparison));
    double weight, samples;

    collect(&work, 0, a);
    collect(&work, 1, b);
    sort_terms(&work, 0);
    sort_terms(&work, 1);
    weight = work.sides[0].weight + work.sides[1].weight;
    samples = (double)(work.sides[0].samples + work.sides[1].samples);
    work.sample_weight = samples > 0 && weight > 0 ? weight / samples : 1;

    comparison->enough = enough(&work);
    test_all(&work);
    comparison->count = (uint32_t)work.count;
    comparison->rows = xcalloc(work.count > 0 ? work.count : 1, sizeof(*comparison->rows));
    for (size_t i = 0; i < work.count; i++)
        fill_row(&work, &work.candidates[i], comparison->enough, &comparison->rows[i]);
    comparison->a_samples = work.sides[0].samples;
    comparison->b_samples = work.sides[1].samples;
    comparison->a_seconds = work.sides[0].seconds;
    comparison->b_seconds = work.sides[1].seconds;
    mark(comparison);

    for (int s = 0; s < SIDES; s++) {
        free(work.sides[s].terms.list);
        free(work.sides[s].groups.exposure);
    }
    free(work.candidates);
    free(work.by_function);
    return comparison;
}

void comparison_free(struct comparison *comparison)
{
    if (comparison == NULL)
        return;
    free(comparison->rows);
    free(comparison);
}

const struct compare_row *comparison_find(const struct comparison *comparison, function_id function)
{
    for (uint32_t i = 0; i < comparison->count; i++)
        if (comparison->rows[i].function == function)
            return &comparison->rows[i];
    return NULL;
}
