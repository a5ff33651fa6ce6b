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

/* A difference that is none at the finest scale is none at any: the others are not looked at. */
#define CLEARLY_NONE 0.2

/* The blocks of one side in groups of one length. */
struct groups {
    uint32_t count;
    double *exposure;  /* of each */
    double square_sum; /* of exposures */
};

struct side {
    const struct block_terms *terms;
    uint32_t *number_of; /* by function_id: its number in TERMS + 1 */
    uint32_t functions;  /* how long that is */
    uint32_t *place_of;  /* by block: which of the chosen ones it is + 1, 0 when it is not */
    double exposure, weight, seconds;
    uint64_t samples;
    struct groups scales[SCALES_MAX];
};

struct work {
    struct compare_options options;
    struct side sides[SIDES];
    int scales;                   /* how many of them are worth testing */
    double degrees[SCALES_MAX];   /* of freedom, by scale … */
    double quantiles[SCALES_MAX]; /* … and how many errors 95 % of differences lie within */
    double sample_weight;         /* mean weight of a sample, both sides */
};

/* One function while it is tested. */
struct candidate {
    function_id function;
    uint64_t samples[SIDES];
    double weight[SIDES];
    double squares[SIDES][SCALES_MAX]; /* Σ w² - 2 p w E of the groups it occurs in */
    double t_p, worst_p, phi;          /* of the scale with the largest p so far … */
    int scale;                         /* … which is this one */
};

/* ---- what is compared ------------------------------------------------------------------------ */

static void choose_blocks(struct work *work, int s, const struct compare_side *from)
{
    struct side *side = &work->sides[s];
    struct groups *finest = &side->scales[0];
    uint32_t count = blocks_count(from->blocks);

    finest->exposure = xcalloc((size_t)count + 1, sizeof(double));
    side->place_of = xcalloc((size_t)count + 1, sizeof(*side->place_of));
    for (uint32_t i = 0; i < count; i++) {
        const struct block *block = blocks_get(from->blocks, i);
        double length = (double)(block->end_ns - block->start_ns);

        if (from->chosen != NULL && !from->chosen[i])
            continue;
        finest->exposure[finest->count++] =
            work->options.what == COMPARE_RATE ? length : (double)block->weight;
        side->place_of[i] = finest->count;
        side->exposure += finest->exposure[finest->count - 1];
        side->weight += (double)block->weight;
        side->samples += block->samples;
        side->seconds += length / (double)NS_PER_S;
    }
}

static void number_functions(struct side *side)
{
    const struct block_terms *terms = side->terms;

    for (uint32_t i = 0; i < terms->count; i++)
        if (terms->functions[i] >= side->functions)
            side->functions = terms->functions[i] + 1;
    side->number_of = xcalloc((size_t)side->functions + 1, sizeof(*side->number_of));
    for (uint32_t i = 0; i < terms->count; i++)
        side->number_of[terms->functions[i]] = i + 1;
}

static void measure_groups(struct groups *groups)
{
    groups->square_sum = 0;
    for (uint32_t i = 0; i < groups->count; i++)
        groups->square_sum += groups->exposure[i] * groups->exposure[i];
}

/* Groups of SCALE + 1: each two neighbours of SCALE in one. */
static void double_groups(struct side *side, int scale)
{
    const struct groups *fine = &side->scales[scale];
    struct groups *coarse = &side->scales[scale + 1];

    coarse->count = (fine->count + 1) / 2;
    coarse->exposure = xcalloc((size_t)coarse->count + 1, sizeof(double));
    for (uint32_t i = 0; i < fine->count; i++)
        coarse->exposure[i / 2] += fine->exposure[i];
}

static bool enough(const struct work *work, int scale)
{
    const struct side *a = &work->sides[0], *b = &work->sides[1];

    return a->samples >= SIDE_SAMPLES_MIN && b->samples >= SIDE_SAMPLES_MIN && a->exposure > 0 &&
           b->exposure > 0 && a->scales[scale].count + b->scales[scale].count >= GROUPS_MIN;
}

/*
 * Groups of up to a second always, longer ones only while the shorter side has a few of them: a
 * range that holds a burst of seconds but is off by one must not drown in its own edges.
 */
static bool scale_is_useful(const struct work *work, int scale)
{
    const struct side *a = &work->sides[0], *b = &work->sides[1];
    const struct side *shorter = a->scales[scale].count < b->scales[scale].count ? a : b;
    uint32_t count = shorter->scales[scale].count;

    return enough(work, scale) && (count >= SIDE_GROUPS_MIN || shorter->seconds <= GROUP_S * count);
}

static void make_scales(struct work *work)
{
    while (work->scales < SCALES_MAX && scale_is_useful(work, work->scales)) {
        for (int s = 0; s < SIDES; s++) {
            measure_groups(&work->sides[s].scales[work->scales]);
            if (work->scales + 1 < SCALES_MAX)
                double_groups(&work->sides[s], work->scales);
        }
        work->degrees[work->scales] = work->sides[0].scales[work->scales].count +
                                      work->sides[1].scales[work->scales].count - 2;
        /* Found by bisection: too slow for each of thousands of functions. */
        work->quantiles[work->scales] =
            statistics_student_quantile(0.05, work->degrees[work->scales]);
        work->scales++;
    }
}

/* ---- one function ---------------------------------------------------------------------------- */

/* FUNCTION's terms on a side, NULL and 0 when it has none. */
static const struct block_term *terms_of(const struct side *side, function_id function,
                                         uint32_t *count)
{
    uint32_t number = function < side->functions ? side->number_of[function] : 0;

    *count = number > 0 ? side->terms->first[number] - side->terms->first[number - 1] : 0;
    return number > 0 ? side->terms->terms + side->terms->first[number - 1] : NULL;
}

static void sum_up(const struct work *work, struct candidate *candidate)
{
    for (int s = 0; s < SIDES; s++) {
        const struct side *side = &work->sides[s];
        uint32_t count;
        const struct block_term *terms = terms_of(side, candidate->function, &count);

        for (uint32_t i = 0; i < count; i++) {
            if (side->place_of[terms[i].block] == 0)
                continue;
            candidate->samples[s] += terms[i].samples;
            candidate->weight[s] += (double)terms[i].weight;
        }
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

/*
 * Σ w² - 2 p w E over the groups of one scale: terms come in order of blocks, so that a group is
 * complete when the next one begins.
 */
static void add_squares(const struct work *work, struct candidate *candidate, int s, int scale)
{
    const struct side *side = &work->sides[s];
    const double *exposure = side->scales[scale].exposure;
    double p = level(work, candidate, s), weight = 0, sum = 0;
    uint32_t count, group = UINT32_MAX;
    const struct block_term *terms = terms_of(side, candidate->function, &count);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = side->place_of[terms[i].block];

        if (place == 0)
            continue;
        if ((place - 1) >> scale != group) {
            if (group != UINT32_MAX)
                sum += weight * (weight - 2 * p * exposure[group]);
            group = (place - 1) >> scale;
            weight = 0;
        }
        weight += (double)terms[i].weight;
    }
    if (group != UINT32_MAX)
        sum += weight * (weight - 2 * p * exposure[group]);
    candidate->squares[s][scale] = sum;
}

static double overdispersion(const struct work *work, struct candidate *candidate, int scale)
{
    double squares = 0, exposure = 0, expected;

    for (int s = 0; s < SIDES; s++) {
        const struct side *side = &work->sides[s];
        double p = level(work, candidate, s), sum;

        add_squares(work, candidate, s, scale);
        sum = p * p * side->scales[scale].square_sum + candidate->squares[s][scale];
        squares += sum > 0 ? sum : 0;
        exposure += side->exposure - side->scales[scale].square_sum / side->exposure;
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

/* At every scale; the worst counts. */
static void test(const struct work *work, struct candidate *candidate)
{
    bool markable = candidate->samples[0] + candidate->samples[1] >= SAMPLES_MIN;

    for (int scale = 0; scale < work->scales; scale++) {
        double phi = overdispersion(work, candidate, scale);
        double p = student_p(work, candidate, phi, work->degrees[scale]);

        if (scale == 0 || p >= candidate->t_p) {
            candidate->t_p = p;
            candidate->phi = phi;
            candidate->scale = scale;
        }
        candidate->worst_p = fmax(candidate->worst_p, p);
        if (candidate->worst_p > CLEARLY_NONE)
            break;
        if (markable)
            candidate->worst_p = fmax(candidate->worst_p, exact_p(work, candidate, phi));
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
                work->quantiles[candidate->scale];
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

/* The row of FUNCTION, if it occurs on a side at all. */
static void add_row(const struct work *work, struct comparison *comparison, function_id function)
{
    struct candidate candidate = { .function = function };

    sum_up(work, &candidate);
    if (candidate.samples[0] + candidate.samples[1] == 0)
        return;
    test(work, &candidate);
    fill_row(work, &candidate, work->scales > 0, &comparison->rows[comparison->count++]);
}

struct comparison *compare_sides(const struct compare_side *a, const struct compare_side *b,
                                 const struct compare_options *options)
{
    const struct compare_side *from[SIDES] = { a, b };
    struct work work = { .options = *options };
    struct comparison *comparison = xcalloc(1, sizeof(*comparison));
    struct side *sides = work.sides;
    uint32_t functions;
    double weight, samples;

    for (int s = 0; s < SIDES; s++) {
        sides[s].terms = blocks_terms(from[s]->blocks, options->total);
        number_functions(&sides[s]);
        choose_blocks(&work, s, from[s]);
    }
    weight = sides[0].weight + sides[1].weight;
    samples = (double)(sides[0].samples + sides[1].samples);
    work.sample_weight = samples > 0 && weight > 0 ? weight / samples : 1;
    make_scales(&work);

    functions = sides[0].functions > sides[1].functions ? sides[0].functions : sides[1].functions;
    comparison->rows = xcalloc((size_t)sides[0].terms->count + sides[1].terms->count + 1,
                               sizeof(*comparison->rows));
    for (function_id function = 0; function < functions; function++)
        add_row(&work, comparison, function);
    comparison->enough = work.scales > 0;
    comparison->a_samples = sides[0].samples;
    comparison->b_samples = sides[1].samples;
    comparison->a_seconds = sides[0].seconds;
    comparison->b_seconds = sides[1].seconds;
    mark(comparison);

    for (int s = 0; s < SIDES; s++) {
        for (int scale = 0; scale < SCALES_MAX; scale++)
            free(sides[s].scales[scale].exposure);
        free(sides[s].number_of);
        free(sides[s].place_of);
    }
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
