/* SPDX-License-Identifier: MIT */
/*
 * Comparing: the distributions against tables, quiet streams that must stay unmarked (independent
 * samples, and programs with phases), and changes that must be marked.
 */
#include "config.h"

#include "proftop/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proftop/clock.h"
#include "proftop/hash.h"
#include "src/profile/statistics.h"

enum { FUNCTIONS = 30, BLOCKS_A_SECOND = 10, SAMPLE_NS = 10000000 };

/* A stream of numbers that is the same on every machine. */
struct dice {
    uint64_t state;
};

static double roll(struct dice *dice)
{
    return (double)(hash_u64(++dice->state) >> 11) / (double)(UINT64_C(1) << 53);
}

/* A program: it stays in a phase for a while (mean PHASE_S; 0: each sample is independent). */
struct program {
    double phase_s;
    double busy; /* CPUs */
};

/* A function under a Zipf law; each phase prefers others. */
static uint32_t pick(struct dice *dice, uint32_t phase)
{
    double u = roll(dice), sum = 0, all = 0;

    for (uint32_t f = 0; f < FUNCTIONS; f++)
        all += 1.0 / (1 + (f + 7 * phase) % FUNCTIONS);
    for (uint32_t f = 0; f < FUNCTIONS; f++) {
        sum += 1.0 / (1 + (f + 7 * phase) % FUNCTIONS) / all;
        if (u < sum)
            return f;
    }
    return FUNCTIONS - 1;
}

static struct blocks *record(struct dice *dice, const struct program *program, double seconds)
{
    struct blocks *blocks = blocks_new();
    uint64_t block_ns = NS_PER_S / BLOCKS_A_SECOND;
    double left = 0;
    uint32_t phase = 0;

    for (uint32_t f = 0; f < FUNCTIONS; f++)
        blocks_set_functions(blocks, f, &f, 1);
    for (uint32_t i = 0; i < seconds * BLOCKS_A_SECOND; i++) {
        uint32_t due = (uint32_t)((double)block_ns / SAMPLE_NS * program->busy);

        blocks_begin(blocks, i * block_ns, (i + 1) * block_ns);
        for (uint32_t k = 0; k < due; k++) {
            left -= (double)block_ns / due / (double)NS_PER_S;
            if (program->phase_s > 0 && left < 0) {
                phase = (uint32_t)(roll(dice) * 3);
                left = -log(1 - roll(dice)) * program->phase_s;
            }
            blocks_add(blocks, pick(dice, phase), SAMPLE_NS, 1);
        }
    }
    return blocks;
}

/* Flags [from, to) seconds. */
static bool *choose(const struct blocks *blocks, double from, double to)
{
    bool *chosen = calloc(blocks_count(blocks), sizeof(*chosen));

    assert_non_null(chosen);
    for (uint32_t i = 0; i < blocks_count(blocks); i++)
        chosen[i] = i >= from * BLOCKS_A_SECOND && i < to * BLOCKS_A_SECOND;
    return chosen;
}

static bool *complement(const bool *chosen, uint32_t count)
{
    bool *others = calloc(count, sizeof(*others));

    assert_non_null(others);
    for (uint32_t i = 0; i < count; i++)
        others[i] = !chosen[i];
    return others;
}

static struct comparison *against_rest(struct blocks *blocks, bool *chosen, enum compare_what what)
{
    bool *rest = complement(chosen, blocks_count(blocks));
    struct compare_side a = { blocks, chosen }, b = { blocks, rest };
    struct comparison *comparison =
        compare_sides(&a, &b, &(struct compare_options){ .what = what });

    free(rest);
    free(chosen);
    return comparison;
}

/* How many of RECORDINGS quiet ones get a mark when a random range is held against the rest. */
static unsigned false_marks(const struct program *program, double seconds, unsigned recordings,
                            enum compare_what what, uint64_t seed)
{
    struct dice dice = { seed << 32 };
    unsigned marked = 0;

    for (unsigned i = 0; i < recordings; i++) {
        struct blocks *blocks = record(&dice, program, seconds);
        double length = seconds * (0.05 + 0.4 * roll(&dice));
        double from = (seconds - length) * roll(&dice);
        struct comparison *comparison =
            against_rest(blocks, choose(blocks, from, from + length), what);

        assert_true(comparison->enough);
        marked += comparison->significant > 0;
        comparison_free(comparison);
        blocks_free(blocks);
    }
    return marked;
}

static void distributions_agree_with_tables(void **state)
{
    double odd[] = { 5, 1, 3 }, even[] = { 4, 1, 3, 2 };

    (void)state;
    assert_true(fabs(statistics_student(2.228, 10) - 0.05) < 1e-4);
    assert_true(fabs(statistics_student(3.291, 1e6) - 0.001) < 1e-5);
    assert_true(fabs(statistics_student(12.706, 1) - 0.05) < 1e-4);
    assert_true(fabs(statistics_student(0, 5) - 1) < 1e-9);
    assert_true(fabs(statistics_student_quantile(0.05, 10) - 2.228) < 1e-3);
    assert_true(fabs(statistics_student_quantile(0.01, 30) - 2.750) < 1e-3);
    /* Fisher's tea: 3 of 4 against 1 of 4 is 17/70 one-sided. */
    assert_true(fabs(statistics_fisher(3, 4, 1, 4) - 2.0 * 17 / 70) < 1e-9);
    assert_true(fabs(statistics_fisher(1, 4, 3, 4) - 2.0 * 17 / 70) < 1e-9);
    assert_true(fabs(statistics_fisher(10, 10, 0, 10) - 2.0 / 184756) < 1e-12);
    assert_true(statistics_fisher(5, 50, 50, 500) == 1);
    assert_true(statistics_fisher(0, 0, 3, 10) == 1);
    assert_true(statistics_median(odd, 3) == 3);
    assert_true(statistics_median(even, 4) == 2.5);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void medians_are_those_of_sorting(void **state)
{
    struct dice dice = { 31 };
    double values[64], sorted[64];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t count = 1 + (size_t)(roll(&dice) * 63);
        int kinds = 1 + (int)(roll(&dice) * 20); /* few: many values are the same */
        double expected;

        for (size_t i = 0; i < count; i++)
            values[i] = sorted[i] = floor(roll(&dice) * kinds);
        qsort(sorted, count, sizeof(*sorted), by_value);
        expected = (sorted[count / 2] + sorted[(count - 1) / 2]) / 2;
        assert_true(statistics_median(values, count) == expected);
    }
}

static void quiet_streams_stay_unmarked(void **state)
{
    (void)state;
    assert_in_range(false_marks(&(struct program){ 0, 1 }, 30, 100, COMPARE_SHARE, 1), 0, 5);
    assert_in_range(false_marks(&(struct program){ 0, 2 }, 120, 100, COMPARE_SHARE, 2), 0, 5);
    assert_in_range(false_marks(&(struct program){ 0, 1 }, 30, 100, COMPARE_RATE, 3), 0, 5);
}

/* Phases of up to a second are noise; a range of many seconds sees through longer ones too. */
static void programs_with_phases_stay_unmarked(void **state)
{
    static const struct {
        double phase_s, seconds;
    } cases[] = { { 0.05, 30 }, { 0.3, 60 }, { 1, 60 }, { 3, 240 } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct program program = { cases[i].phase_s, 1 };

        assert_in_range(false_marks(&program, cases[i].seconds, 100, COMPARE_SHARE, 10 + i), 0, 5);
        assert_in_range(false_marks(&program, cases[i].seconds, 100, COMPARE_RATE, 20 + i), 0, 5);
    }
}

/* Without the correction for correlation the same streams are marked nearly always. */
static void phases_are_what_the_correction_is_for(void **state)
{
    struct dice dice = { 77 };
    struct blocks *blocks = record(&dice, &(struct program){ 1, 1 }, 60);
    struct blocks *shuffled = blocks_new();
    struct comparison *comparison;

    (void)state;
    /* The same samples as if they were independent: each block a mix of the side's. */
    for (uint32_t f = 0; f < FUNCTIONS; f++)
        blocks_set_functions(shuffled, f, &f, 1);
    for (uint32_t i = 0; i < blocks_count(blocks); i++) {
        const struct block *block = blocks_get(blocks, i);

        blocks_begin(shuffled, block->start_ns, block->end_ns);
        for (uint32_t k = 0; k < 60; k++) {
            uint32_t from = i < 100 ? k * 100 / 60 + i % 2 : 100 + k * 500 / 60 + i % 8;
            const struct block *other = blocks_get(blocks, from);
            const struct block_cell *cells = blocks_cells(blocks, other);

            blocks_add(shuffled, cells[i % other->cells].stack, SAMPLE_NS, 1);
        }
    }
    comparison = against_rest(shuffled, choose(shuffled, 0, 10), COMPARE_SHARE);
    assert_true(comparison->significant > 0);
    comparison_free(comparison);
    comparison = against_rest(blocks, choose(blocks, 0, 10), COMPARE_SHARE);
    assert_int_equal(comparison->significant, 0);
    comparison_free(comparison);
    blocks_free(shuffled);
    blocks_free(blocks);
}

/* 60 s; between FROM and TO, function 29 takes over half of the samples. */
static struct blocks *record_burst(double from, double to)
{
    struct dice dice = { 5 };
    struct blocks *blocks = blocks_new();
    uint64_t block_ns = NS_PER_S / BLOCKS_A_SECOND;

    for (uint32_t f = 0; f < FUNCTIONS; f++)
        blocks_set_functions(blocks, f, &f, 1);
    for (uint32_t i = 0; i < 60 * BLOCKS_A_SECOND; i++) {
        bool burst = i >= from * BLOCKS_A_SECOND && i < to * BLOCKS_A_SECOND;

        blocks_begin(blocks, i * block_ns, (i + 1) * block_ns);
        for (uint32_t k = 0; k < 10; k++)
            blocks_add(blocks, burst && roll(&dice) < 0.5 ? 29 : pick(&dice, 0), SAMPLE_NS, 1);
    }
    return blocks;
}

static void a_burst_leads_the_rows(void **state)
{
    struct blocks *blocks = record_burst(20, 25);
    struct comparison *comparison = against_rest(blocks, choose(blocks, 20, 25), COMPARE_SHARE);
    const struct compare_row *row = &comparison->rows[0];

    (void)state;
    assert_int_equal(row->function, 29);
    assert_true(row->significant);
    assert_true(row->delta_pt > 40 && row->delta_pt < 60);
    assert_true(row->lo > 30 && row->hi < 70 && row->lo < row->delta_pt);
    assert_true(fabs(row->a_pct - row->b_pct - row->delta_pt) < 1e-9);
    assert_true(fabs(comparison->a_seconds - 5) < 1e-6);
    assert_true(fabs(comparison->b_seconds - 55) < 1e-6);
    assert_ptr_equal(comparison_find(comparison, 29), row);
    assert_null(comparison_find(comparison, 4711));
    comparison_free(comparison);

    /* A range that misses it by a second still finds it. */
    comparison = against_rest(blocks, choose(blocks, 21, 26), COMPARE_SHARE);
    assert_int_equal(comparison->rows[0].function, 29);
    assert_true(comparison->rows[0].significant);
    comparison_free(comparison);
    blocks_free(blocks);
}

/* Twice the CPU at the same shares: no share differs, every frequent function's rate does. */
static void rates_see_what_shares_do_not(void **state)
{
    struct dice dice = { 9 };
    struct blocks *one = record(&dice, &(struct program){ 0, 1 }, 40);
    struct blocks *two = record(&dice, &(struct program){ 0, 2 }, 40);
    struct compare_side a = { two, NULL }, b = { one, NULL };
    struct comparison *shares =
        compare_sides(&a, &b, &(struct compare_options){ COMPARE_SHARE, false });
    struct comparison *rates =
        compare_sides(&a, &b, &(struct compare_options){ COMPARE_RATE, false });

    (void)state;
    assert_int_equal(shares->significant, 0);
    assert_true(rates->significant > 5);
    assert_int_equal(rates->rows[0].function, 0);
    assert_true(fabs(rates->rows[0].a_pct - 2 * rates->rows[0].b_pct) < 5);
    comparison_free(shares);
    comparison_free(rates);
    blocks_free(one);
    blocks_free(two);
}

static void totals_count_every_function_of_a_stack(void **state)
{
    static const function_id leaf[] = { 1, 0 }, other[] = { 2, 0 };
    struct blocks *blocks = blocks_new();
    struct comparison *comparison;
    bool chosen[40] = { false }, rest[40];

    (void)state;
    blocks_set_functions(blocks, 0, leaf, 2);
    blocks_set_functions(blocks, 1, other, 2);
    for (uint32_t i = 0; i < 40; i++) {
        blocks_begin(blocks, i * NS_PER_S, (i + 1) * NS_PER_S);
        blocks_add(blocks, i < 10 ? 0 : 1, SAMPLE_NS, 20);
        chosen[i] = i < 10;
        rest[i] = !chosen[i];
    }
    comparison = compare_sides(&(struct compare_side){ blocks, chosen },
                               &(struct compare_side){ blocks, rest },
                               &(struct compare_options){ COMPARE_SHARE, true });
    assert_int_equal(comparison->count, 3);
    assert_true(comparison_find(comparison, 0)->a_pct == 100);
    assert_true(comparison_find(comparison, 0)->b_pct == 100);
    assert_false(comparison_find(comparison, 0)->significant);
    assert_true(comparison_find(comparison, 1)->significant);
    assert_true(comparison_find(comparison, 2)->significant);
    comparison_free(comparison);
    blocks_free(blocks);
}

static void too_little_marks_nothing(void **state)
{
    struct blocks *empty = blocks_new(), *blocks = record_burst(0, 60);
    struct compare_side a = { empty, NULL }, b = { blocks, NULL };
    struct comparison *comparison = compare_sides(&a, &b, &(struct compare_options){ 0 });

    (void)state;
    assert_false(comparison->enough);
    assert_int_equal(comparison->significant, 0);
    assert_int_equal(comparison->count, FUNCTIONS);
    comparison_free(comparison);
    comparison = compare_sides(&a, &a, &(struct compare_options){ 0 });
    assert_int_equal(comparison->count, 0);
    comparison_free(comparison);
    /* One burst of three samples in a row is one event, however short the range around it. */
    for (int i = 0; i < 3; i++)
        blocks_add(blocks, 28, SAMPLE_NS, 1);
    comparison = against_rest(blocks, choose(blocks, 59, 60), COMPARE_SHARE);
    assert_false(comparison_find(comparison, 28)->significant);
    comparison_free(comparison);
    blocks_free(empty);
    blocks_free(blocks);
}

static void merging_keeps_every_weight(void **state)
{
    struct blocks *blocks = record_burst(20, 25);
    uint64_t weight = 0, cells = 0;

    (void)state;
    blocks_begin(blocks, 60 * NS_PER_S, 61 * NS_PER_S); /* an odd one */
    blocks_add(blocks, 3, 5, 1);
    blocks_merge(blocks, 2);
    assert_int_equal(blocks_count(blocks), 301);
    for (uint32_t i = 0; i < blocks_count(blocks); i++) {
        const struct block *block = blocks_get(blocks, i);

        weight += block->weight;
        for (uint32_t k = 0; k < block->cells; k++) {
            cells += blocks_cells(blocks, block)[k].weight;
            for (uint32_t j = 0; j < k; j++)
                assert_int_not_equal(blocks_cells(blocks, block)[j].stack,
                                     blocks_cells(blocks, block)[k].stack);
        }
    }
    assert_int_equal(weight, UINT64_C(6000) * SAMPLE_NS + 5);
    assert_int_equal(cells, weight);
    assert_int_equal(blocks_at(blocks, 0), 0);
    assert_int_equal(blocks_at(blocks, 200 * NS_PER_MS), 1);
    assert_int_equal(blocks_at(blocks, 70 * NS_PER_S), 301);
    blocks_free(blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distributions_agree_with_tables),
        cmocka_unit_test(medians_are_those_of_sorting),
        cmocka_unit_test(quiet_streams_stay_unmarked),
        cmocka_unit_test(programs_with_phases_stay_unmarked),
        cmocka_unit_test(phases_are_what_the_correction_is_for),
        cmocka_unit_test(a_burst_leads_the_rows),
        cmocka_unit_test(rates_see_what_shares_do_not),
        cmocka_unit_test(totals_count_every_function_of_a_stack),
        cmocka_unit_test(too_little_marks_nothing),
        cmocka_unit_test(merging_keeps_every_weight),
    };

    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
