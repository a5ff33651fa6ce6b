/* SPDX-License-Identifier: MIT */
/*
 * Folds of random recordings, against sums made sample by sample, and the rules that every fold
 * obeys: self ≤ total, children ≤ parent, shares of one N, recursion counted once.
 */
#include "config.h"

#include "proftop/fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/ratio.h"
#include "proftop/record.h"
#include "tests/harness/recording.h"
#include "tests/harness/testing.h"

enum { FUNCTIONS = 20, SAMPLES_MAX = 20000, THREADS = 6 };

/* What was pushed, to sum by hand. */
struct pushed {
    struct recorded_sample *samples;
    uint32_t count;
};

static void push_random(struct recording *recording, struct pushed *pushed, uint64_t from_ns,
                        uint64_t length_ns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t time_ns = from_ns + length_ns * i / count;
        struct recorded_sample sample = recording_invent(recording, time_ns, FUNCTIONS, THREADS);

        if (sample.state == STATE_RUNNING)
            for (unsigned k = 0; k < COUNTED; k++)
                sample.counted[k] = sample.weight / (k + 2);
        recording_push(recording, &sample);
        pushed->samples[pushed->count++] = sample;
    }
}

/* ---- by hand --------------------------------------------------------------------------------- */

struct expected {
    uint64_t weight, samples;
    uint64_t self[FUNCTIONS], total[FUNCTIONS], self_samples[FUNCTIONS], total_samples[FUNCTIONS];
    uint32_t threads[FUNCTIONS];
    uint64_t waiting_ns[THREADS];
    uint64_t counted[FUNCTIONS][COUNTED], counted_all[COUNTED];
};

static bool hidden(const struct scope *scope, uint32_t function)
{
    return function % 5 == 4 ? scope->hide_kernel : scope->hide_user;
}

static bool chosen(const struct scope *scope, const struct recorded_sample *sample)
{
    uint64_t slice_ns = NS_PER_S / 10;
    uint64_t middle_ns = RECORDING_START_NS +
                         (sample->time_ns - RECORDING_START_NS) / slice_ns * slice_ns +
                         slice_ns / 2;

    return middle_ns >= scope->start_ns && middle_ns < scope->end_ns &&
           (scope->threads[0] == 0 || scope->threads[0] == sample->tid) &&
           (scope->state == SCOPE_ALL ||
            (scope->state == SCOPE_ON_CPU) == (sample->state == STATE_RUNNING));
}

static struct expected *sum_by_hand(const struct pushed *pushed, const struct scope *scope)
{
    struct expected *expected = calloc(1, sizeof(*expected));
    static uint32_t on[FUNCTIONS];

    memset(on, 0, sizeof(on));
    for (uint32_t i = 0; i < pushed->count; i++) {
        const struct recorded_sample *sample = &pushed->samples[i];
        bool seen[FUNCTIONS] = { false };
        uint32_t leaf = UINT32_MAX;

        if (!chosen(scope, sample))
            continue;
        expected->weight += sample->weight;
        expected->samples++;
        for (unsigned k = 0; k < COUNTED; k++)
            expected->counted_all[k] += sample->counted[k];
        for (uint32_t k = 0; k < sample->depth; k++) {
            uint32_t function = sample->functions[k];

            if (hidden(scope, function))
                continue;
            leaf = function;
            on[function] |= 1u << (sample->tid - 100);
            if (seen[function])
                continue;
            seen[function] = true;
            expected->total[function] += sample->weight;
            expected->total_samples[function]++;
        }
        if (leaf == UINT32_MAX)
            continue;
        expected->self[leaf] += sample->weight;
        expected->self_samples[leaf]++;
        for (unsigned k = 0; k < COUNTED; k++)
            expected->counted[leaf][k] += sample->counted[k];
    }
    for (unsigned i = 0; i < FUNCTIONS; i++)
        expected->threads[i] = (uint32_t)__builtin_popcount(on[i]);
    return expected;
}

static void assert_as_expected(const struct recording *recording, const struct fold *fold,
                               const struct expected *expected)
{
    assert_int_equal(fold->weight, expected->weight);
    assert_int_equal(fold->samples, expected->samples);
    for (uint32_t i = 0; i < FUNCTIONS; i++) {
        const struct fold_row *row = fold_find(fold, recording_function(recording, i));

        if (expected->total_samples[i] == 0) {
            assert_null(row);
            continue;
        }
        assert_non_null(row);
        assert_int_equal(row->self, expected->self[i]);
        assert_int_equal(row->total, expected->total[i]);
        assert_int_equal(row->self_samples, expected->self_samples[i]);
        assert_int_equal(row->total_samples, expected->total_samples[i]);
        assert_int_equal(row->threads, expected->threads[i]);
    }
}

static void assert_counts_as_expected(const struct recording *recording, const struct fold *fold,
                                      const struct expected *expected)
{
    const struct fold_counts *all = fold_counts(fold, UINT32_MAX);

    assert_int_equal(all != NULL, expected->counted_all[0] != 0);
    for (uint32_t i = 0; all != NULL && i < FUNCTIONS; i++) {
        const struct fold_counts *counts = fold_counts(fold, recording_function(recording, i));

        if (expected->total_samples[i] == 0)
            assert_null(counts);
        else
            assert_memory_equal(counts->of, expected->counted[i], sizeof(counts->of));
    }
    if (all != NULL)
        assert_memory_equal(all->of, expected->counted_all, sizeof(all->of));
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void assert_tree_rules(const struct fold *fold)
{
    uint64_t self = 0, samples = 0;

    for (node_id i = 0; i < fold->node_count; i++) {
        const struct fold_node *node = &fold->nodes[i];
        uint64_t children = 0, last = UINT64_MAX;

        for (node_id k = node->child; k != NODE_END; k = fold->nodes[k].next) {
            assert_true(k > i && k < fold->node_count);
            assert_int_equal(fold->nodes[k].parent, i);
            assert_int_equal(fold->nodes[k].depth, node->depth + 1);
            assert_true(fold->nodes[k].total <= last);
            last = fold->nodes[k].total;
            children += last;
        }
        assert_int_equal(node->self + children, node->total);
        self += node->self;
        samples += node->self_samples;
    }
    assert_int_equal(self, fold->weight);
    assert_int_equal(samples, fold->samples);
    assert_int_equal(fold->nodes[NODE_ROOT].total, fold->weight);
}

static void assert_row_rules(const struct fold *fold)
{
    uint64_t self = fold->nodes[NODE_ROOT].self, last = UINT64_MAX;

    for (uint32_t i = 0; i < fold->row_count; i++) {
        const struct fold_row *row = &fold->rows[i];

        assert_true(row->self <= row->total);
        assert_true(row->total <= fold->weight);
        assert_true(row->self <= last);
        assert_true(row->threads >= 1 && row->threads <= fold->thread_count);
        assert_true(row->python_self <= row->self);
        last = row->self;
        self += row->self;
    }
    assert_int_equal(self, fold->weight);
}

/* Callers and callees of every function add up to its total. */
static void assert_caller_rules(const struct fold *fold)
{
    for (uint32_t i = 0; i < fold->row_count; i++) {
        const struct fold_row *row = &fold->rows[i];
        struct fold_callers *callers = fold_callers(fold, row->function);
        uint64_t into = 0, out = 0, own = 0;

        for (uint32_t k = 0; k < callers->caller_count; k++)
            into += callers->callers[k].weight;
        for (uint32_t k = 0; k < callers->callee_count; k++) {
            out += callers->callees[k].weight;
            if (callers->callees[k].function == row->function)
                own = callers->callees[k].weight;
        }
        assert_true(into <= row->total);
        assert_int_equal(out, row->total);
        assert_int_equal(own, row->self);
        fold_callers_free(callers);
    }
}

static void assert_same_rows(const struct fold *a, const struct fold *b)
{
    assert_int_equal(a->weight, b->weight);
    assert_int_equal(a->samples, b->samples);
    assert_int_equal(a->row_count, b->row_count);
    for (uint32_t i = 0; i < a->row_count; i++) {
        const struct fold_row *other = fold_find(b, a->rows[i].function);

        assert_non_null(other);
        assert_int_equal(a->rows[i].self, other->self);
        assert_int_equal(a->rows[i].total, other->total);
        assert_int_equal(a->rows[i].threads, other->threads);
    }
}

static void assert_same_fold(const struct fold *a, const struct fold *b)
{
    assert_same_rows(a, b);
    assert_int_equal(a->node_count, b->node_count);
    assert_int_equal(a->thread_count, b->thread_count);
    for (node_id i = 0; i < a->node_count; i++)
        assert_int_equal(a->nodes[i].total, b->nodes[i].total);
    for (uint32_t i = 0; i < a->thread_count; i++) {
        assert_int_equal(a->threads[i].waiting_ns, b->threads[i].waiting_ns);
        assert_int_equal(a->threads[i].weight, b->threads[i].weight);
        assert_int_equal(a->threads[i].top_weight, b->threads[i].top_weight);
        assert_int_equal(a->threads[i].wait_count, b->threads[i].wait_count);
    }
}

/* ---- cases ----------------------------------------------------------------------------------- */

static struct fold *fold_once(struct profile *profile, const struct scope *scope)
{
    struct folder *folder = folder_new();
    struct fold *fold = fold_update(folder, profile, scope, NULL);

    folder_free(folder);
    assert_non_null(fold);
    return fold;
}

static bool ratio_named(const char *key, const struct fold *fold, function_id function,
                        double *value)
{
    for (unsigned i = 0; i < ratio_count; i++)
        if (strcmp(ratio_table[i].key, key) == 0)
            return ratio_of(&ratio_table[i], fold, function, value);
    fail_msg("no ratio %s", key);
    return false;
}

static void assert_rows_alone_are_the_same(struct profile *profile, const struct fold *whole)
{
    struct folder *folder = folder_new_rows();
    struct fold *fold = fold_update(folder, profile, &whole->scope, NULL);

    assert_non_null(fold);
    assert_same_rows(whole, fold);
    assert_int_equal(fold->node_count, 0);
    assert_int_equal(fold->thread_count, 0);
    fold_free(fold);
    folder_free(folder);
}

static struct scope random_scope(struct recording *recording, uint64_t length_ns)
{
    struct scope scope;

    scope_init(&scope);
    scope.state = recording_random(recording, 2) ? SCOPE_ON_CPU : SCOPE_ALL;
    scope.hide_kernel = recording_random(recording, 3) == 0;
    scope.hide_user = recording_random(recording, 6) == 0;
    if (recording_random(recording, 2)) {
        scope.start_ns = RECORDING_START_NS +
                         recording_random(recording, (uint32_t)(length_ns / 2000)) * 1000ull;
        scope.end_ns = scope.start_ns + NS_PER_S +
                       recording_random(recording, (uint32_t)(length_ns / 1000)) * 1000ull;
    }
    if (recording_random(recording, 3) == 0)
        scope.threads[0] = 100 + (int32_t)recording_random(recording, THREADS);
    return scope;
}

static void random_recordings_fold_as_summed_by_hand(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t length_ns = 10 * NS_PER_S + seed * 20 * NS_PER_S;
        struct recording recording;
        struct pushed pushed = { calloc(SAMPLES_MAX, sizeof(struct recorded_sample)), 0 };
        struct profile *profile;

        recording_init(&recording, seed, 0);
        push_random(&recording, &pushed, RECORDING_START_NS, length_ns, 3000);
        recording_step(&recording, RECORDING_START_NS + length_ns);
        recording_name(&recording);
        profile = builder_profile(recording.builder);
        for (unsigned i = 0; i < 12; i++) {
            struct scope scope = random_scope(&recording, length_ns);
            struct expected *expected = sum_by_hand(&pushed, &scope);
            struct fold *fold = fold_once(profile, &scope), *turned;

            assert_as_expected(&recording, fold, expected);
            assert_counts_as_expected(&recording, fold, expected);
            assert_tree_rules(fold);
            assert_row_rules(fold);
            assert_caller_rules(fold);
            turned = fold_bottom_up(fold, UINT32_MAX);
            assert_int_equal(turned->nodes[NODE_ROOT].total, fold->weight - fold->nodes[0].self);
            assert_rows_alone_are_the_same(profile, fold);
            fold_free(fold);
            fold_free(turned);
            free(expected);
        }
        profile_unref(profile);
        recording_fini(&recording);
        free(pushed.samples);
    }
}

static void a_fold_that_grew_is_the_fold_made_at_once(void **state)
{
    struct recording recording;
    struct pushed pushed = { calloc(SAMPLES_MAX, sizeof(struct recorded_sample)), 0 };
    struct folder *folder = folder_new();
    uint64_t now_ns = RECORDING_START_NS;
    struct scope scope;

    (void)state;
    scope_init(&scope);
    recording_init(&recording, 77, 0);
    for (unsigned step = 0; step < 60; step++) {
        struct profile *profile;
        struct fold *grown, *once;

        push_random(&recording, &pushed, now_ns, 3 * NS_PER_S, 200);
        now_ns += 3 * NS_PER_S;
        if (step % 7 == 6) /* comes late, into what is sealed and merged */
            push_random(&recording, &pushed, now_ns - 40 * NS_PER_S / (1 + step % 3), NS_PER_S, 20);
        recording_step(&recording, now_ns);
        profile = builder_profile(recording.builder);
        grown = fold_update(folder, profile, &scope, NULL);
        once = fold_once(profile, &scope);
        assert_same_fold(grown, once);
        assert_tree_rules(grown);
        fold_free(grown);
        fold_free(once);
        if (step % 3 == 0) { /* names come after the first fold */
            recording_name(&recording);
            grown = fold_update(folder, profile, &scope, NULL);
            once = fold_once(profile, &scope);
            assert_same_fold(grown, once);
            fold_free(grown);
            fold_free(once);
        }
        profile_unref(profile);
    }
    folder_free(folder);
    recording_fini(&recording);
    free(pushed.samples);
}

/* Two functions of one thread, 3 million cycles each; what is asked of one of them. */
static void ratios_are_of_a_function_s_own_time(void **state)
{
    struct recording recording;
    struct recorded_sample sample = { .time_ns = RECORDING_START_NS,
                                      .weight = NS_PER_MS,
                                      .pid = 100,
                                      .tid = 100,
                                      .depth = 2,
                                      .functions = { 0, 1 },
                                      .syscall = -1 };
    struct profile *profile;
    struct scope scope;
    struct fold *fold;
    double value;

    (void)state;
    scope_init(&scope);
    recording_init(&recording, 1, 0);
    sample.counted[COUNTED_CYCLES] = 3000000;
    sample.counted[COUNTED_INSTRUCTIONS] = 6000000;
    sample.counted[COUNTED_CACHE_MISSES] = 9000;
    recording_push(&recording, &sample);
    sample.functions[1] = 2;
    sample.counted[COUNTED_INSTRUCTIONS] = 1500000;
    sample.counted[COUNTED_CACHE_MISSES] = 0;
    sample.counted[COUNTED_FAULTS] = 5;
    recording_push(&recording, &sample);
    recording_step(&recording, RECORDING_START_NS + NS_PER_S);
    recording_name(&recording);
    profile = builder_profile(recording.builder);
    fold = fold_once(profile, &scope);
    assert_true(ratio_named("ipc", fold, recording_function(&recording, 1), &value));
    assert_true(fabs(value - 2) < 1e-6);
    assert_true(ratio_named("ipc", fold, recording_function(&recording, 2), &value));
    assert_true(fabs(value - 0.5) < 1e-6);
    assert_true(ratio_named("ipc", fold, UINT32_MAX, &value));
    assert_true(fabs(value - 1.25) < 1e-6);
    assert_true(
        ratio_named("cache_misses_per_1000", fold, recording_function(&recording, 1), &value));
    assert_true(fabs(value - 1.5) < 1e-6);
    assert_true(
        ratio_named("cache_misses_per_1000", fold, recording_function(&recording, 2), &value));
    assert_true(fabs(value - 0) < 1e-6);
    assert_true(ratio_named("faults_per_s", fold, recording_function(&recording, 2), &value));
    assert_true(fabs(value - 5000) < 1e-6);
    /* No time of its own, never counted, not there. */
    assert_false(ratio_named("ipc", fold, recording_function(&recording, 0), &value));
    assert_false(ratio_named("branch_misses_per_1000", fold, UINT32_MAX, &value));
    assert_false(ratio_named("ipc", fold, 9999, &value));
    fold_free(fold);
    scope.state = SCOPE_WAITING;
    fold = fold_once(profile, &scope);
    assert_null(fold_counts(fold, UINT32_MAX));
    fold_free(fold);
    scope.metric = METRIC_INSTRUCTIONS;
    fold = fold_once(profile, &scope);
    assert_int_equal(fold->weight, 7500000);
    fold_free(fold);
    profile_unref(profile);
    recording_fini(&recording);
}

static void recursion_counts_once(void **state)
{
    struct recording recording;
    struct recorded_sample sample = { .time_ns = RECORDING_START_NS,
                                      .weight = 10,
                                      .pid = 100,
                                      .tid = 100,
                                      .depth = 5,
                                      .functions = { 0, 1, 2, 1, 3 },
                                      .syscall = -1 };
    struct profile *profile;
    struct scope scope;
    struct fold *fold;
    struct fold_callers *callers;

    (void)state;
    scope_init(&scope);
    recording_init(&recording, 1, 0);
    recording_push(&recording, &sample);
    recording_step(&recording, RECORDING_START_NS + NS_PER_S);
    recording_name(&recording);
    profile = builder_profile(recording.builder);
    fold = fold_once(profile, &scope);
    assert_int_equal(fold_find(fold, recording_function(&recording, 1))->total, 10);
    assert_int_equal(fold->node_count, 6);
    callers = fold_callers(fold, recording_function(&recording, 1));
    assert_int_equal(callers->caller_count, 1);
    assert_int_equal(callers->callers[0].function, recording_function(&recording, 0));
    assert_int_equal(callers->callee_count, 1);
    assert_int_equal(callers->callees[0].function, recording_function(&recording, 3));
    fold_callers_free(callers);
    fold_free(fold);
    profile_unref(profile);
    recording_fini(&recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_recordings_fold_as_summed_by_hand),
        cmocka_unit_test(a_fold_that_grew_is_the_fold_made_at_once),
        cmocka_unit_test(ratios_are_of_a_function_s_own_time),
        cmocka_unit_test(recursion_counts_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
