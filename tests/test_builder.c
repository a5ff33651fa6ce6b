/* SPDX-License-Identifier: MIT */
/* The builder: what is sealed when, late records, threads, broken stacks and bounded memory. */
#include "config.h"

#include "proftop/builder.h"

#include <stdio.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/fold.h"
#include "proftop/history.h"
#include "proftop/record.h"
#include "proftop/ring.h"
#include "tests/harness/recording.h"
#include "tests/harness/testing.h"

static struct recorded_sample sample_at(uint64_t time_ns)
{
    return (struct recorded_sample){
        .time_ns = time_ns, .weight = 10, .pid = 100, .tid = 100, .depth = 2, .syscall = -1
    };
}

static uint64_t samples_in(const struct recording *recording)
{
    struct profile *profile = builder_profile(recording->builder);
    struct folder *folder = folder_new();
    struct scope scope;
    struct fold *fold;
    uint64_t samples;

    scope_init(&scope);
    scope.state = SCOPE_ALL;
    fold = fold_update(folder, profile, &scope, NULL);
    samples = fold->samples;
    fold_free(fold);
    folder_free(folder);
    profile_unref(profile);
    return samples;
}

static void the_slowest_watermark_holds_back_sealing(void **state)
{
    struct recorded_sample sample = sample_at(RECORDING_START_NS + 50 * NS_PER_MS);
    struct ring *slow = ring_new(4096);
    struct recording recording;

    (void)state;
    recording_init(&recording, 1, 0);
    builder_attach(recording.builder, slow, true);
    recording_push(&recording, &sample);
    recording_step(&recording, RECORDING_START_NS + NS_PER_S);
    assert_int_equal(samples_in(&recording), 0);
    /* At most two seconds behind. */
    builder_step(recording.builder, RECORDING_START_NS + 3 * NS_PER_S);
    assert_int_equal(samples_in(&recording), 1);
    builder_detach(recording.builder, slow);
    ring_free(slow);
    recording_fini(&recording);
}

static void late_records_have_their_own_time(void **state)
{
    struct recorded_sample early = sample_at(RECORDING_START_NS + 3 * NS_PER_S);
    struct recording recording;
    struct slice_cursor cursor;
    struct profile *profile;
    unsigned slices = 0;

    (void)state;
    recording_init(&recording, 1, 0);
    recording_push(&recording, &early);
    recording_step(&recording, RECORDING_START_NS + 200 * NS_PER_S);
    recording_push(&recording, &early);
    recording_step(&recording, RECORDING_START_NS + 201 * NS_PER_S);
    assert_int_equal(samples_in(&recording), 2);
    profile = builder_profile(recording.builder);
    profile_slices(profile, early.time_ns, early.time_ns + NS_PER_MS, 0, &cursor);
    for (const struct slice *slice; (slice = profile_next_slice(&cursor)) != NULL; slices++)
        assert_int_equal(slice_start_ns(slice), early.time_ns);
    assert_int_equal(slices, 2);
    profile_unref(profile);
    recording_fini(&recording);
}

static void threads_have_names_ends_and_used_again_tids(void **state)
{
    struct recorded_sample sample = sample_at(RECORDING_START_NS);
    struct recording recording;
    struct profile *profile;

    (void)state;
    recording_init(&recording, 1, 0);
    recording_thread(&recording, RECORDING_START_NS, 100, 100, THREAD_SEEN, "main");
    recording_push(&recording, &sample);
    recording_thread(&recording, RECORDING_START_NS + NS_PER_S, 100, 100, THREAD_NAMED, "worker");
    recording_thread(&recording, RECORDING_START_NS + 2 * NS_PER_S, 100, 100, THREAD_ENDED, "");
    recording_thread(&recording, RECORDING_START_NS + 9 * NS_PER_S, 100, 100, THREAD_BEGAN, "new");
    sample = sample_at(RECORDING_START_NS + 10 * NS_PER_S);
    sample.tid = 101;
    recording_push(&recording, &sample);
    recording_step(&recording, RECORDING_START_NS + 11 * NS_PER_S);
    profile = builder_profile(recording.builder);
    assert_int_equal(profile_threads(profile), 3);
    assert_string_equal(profile_thread(profile, 0)->name, "worker");
    assert_int_equal(profile_thread(profile, 0)->ended_ns, RECORDING_START_NS + 2 * NS_PER_S);
    assert_string_equal(profile_thread(profile, 1)->name, "new");
    assert_true(profile_thread(profile, 1)->ended_ns == UINT64_MAX);
    assert_string_equal(profile_thread(profile, 2)->name, "new"); /* its process's */
    profile_unref(profile);
    recording_fini(&recording);
}

static void broken_stacks_have_a_row_with_the_reason(void **state)
{
    struct recorded_sample sample = sample_at(RECORDING_START_NS);
    struct folder *folder = folder_new();
    struct recording recording;
    struct profile *profile;
    struct scope scope;
    struct fold *fold;
    bool found = false;

    (void)state;
    sample.end = STACK_NO_ROWS;
    recording_init(&recording, 1, 0);
    recording_push(&recording, &sample);
    recording_step(&recording, RECORDING_START_NS + NS_PER_S);
    profile = builder_profile(recording.builder);
    scope_init(&scope);
    fold = fold_update(folder, profile, &scope, NULL);
    for (uint32_t i = 0; i < fold->row_count; i++) {
        const struct function *function = names_get(fold->names, fold->rows[i].function);

        if (function->kind == FRAME_MARK && function->mark == MARK_BROKEN) {
            assert_string_equal(function->name, "[broken: no unwind information]");
            assert_int_equal(fold->rows[i].total, 10);
            assert_int_equal(fold->rows[i].self, 0);
            found = true;
        }
    }
    assert_true(found);
    fold_free(fold);
    folder_free(folder);
    profile_unref(profile);
    recording_fini(&recording);
}

static void several_processes_are_a_level_of_the_tree(void **state)
{
    struct folder *folder = folder_new();
    struct recording recording;
    struct profile *profile;
    struct scope scope;
    struct fold *fold;
    uint64_t total = 0;
    unsigned processes = 0;

    (void)state;
    recording_init(&recording, 1, 0);
    for (int32_t pid = 100; pid < 103; pid++) {
        struct recorded_sample sample = sample_at(RECORDING_START_NS + NS_PER_MS);

        sample.pid = sample.tid = pid;
        recording_push(&recording, &sample);
    }
    recording_step(&recording, RECORDING_START_NS + NS_PER_S);
    recording_name(&recording);
    profile = builder_profile(recording.builder);
    scope_init(&scope);
    fold = fold_update(folder, profile, &scope, NULL);
    for (node_id i = fold->nodes[NODE_ROOT].child; i != NODE_END; i = fold->nodes[i].next) {
        assert_true(fold->nodes[i].process >= 100 && fold->nodes[i].process < 103);
        total += fold->nodes[i].total;
        processes++;
    }
    assert_int_equal(processes, 3);
    assert_int_equal(total, 30);
    assert_int_equal(fold->nodes[NODE_ROOT].total, 30);
    assert_int_equal(fold->rows[0].threads, 3);
    fold_free(fold);
    scope.processes[0] = 101;
    fold = fold_update(folder, profile, &scope, NULL);
    assert_int_equal(fold->weight, 10);
    assert_int_equal(fold->nodes[fold->nodes[NODE_ROOT].child].process, 0);
    fold_free(fold);
    folder_free(folder);
    profile_unref(profile);
    recording_fini(&recording);
}

static void memory_is_bounded_and_sums_stay(void **state)
{
    const size_t bound = 300 << 10;
    struct recording recording;
    struct profile *profile;
    uint64_t pushed = 0;

    (void)state;
    recording_init(&recording, 4, bound);
    for (unsigned second = 0; second < 4000; second++) {
        for (unsigned i = 0; i < 10; i++, pushed++) {
            struct recorded_sample sample = recording_invent(
                &recording, RECORDING_START_NS + second * NS_PER_S + i * NS_PER_S / 10, 6, 2);

            sample.depth = sample.depth % 3 + 1;
            recording_push(&recording, &sample);
        }
        recording_step(&recording, RECORDING_START_NS + (second + 1) * NS_PER_S);
    }
    assert_int_equal(samples_in(&recording), pushed);
    profile = builder_profile(recording.builder);
    assert_true(profile_bytes(profile) - names_bytes(profile_names(profile)) < 2 * bound);
    profile_unref(profile);
    recording_fini(&recording);
}

/* What a source tells of time in the kernel that it may not sample: no stack, a mark alone. */
static void push_unseen_kernel(struct recording *recording, int32_t tid, uint64_t weight)
{
    size_t size = sizeof(struct record_sample) + sizeof(struct frame);
    struct record_sample *record =
        (struct record_sample *)ring_reserve(recording->ring, size, false);

    assert_non_null(record);
    memset(&record->head + 1, 0, size - sizeof(record->head));
    record->head.type = RECORD_SAMPLE;
    record->head.time_ns = RECORDING_START_NS;
    record->pid = 100;
    record->tid = tid;
    record->weight = weight;
    record->syscall = -1;
    record->end = STACK_NONE;
    record->count = 1;
    record->frames[0] = (struct frame){ .kind = FRAME_MARK, .module = MARK_KERNEL };
    ring_commit(recording->ring, &record->head);
}

static void push_stack(struct recording *recording, uint32_t inner)
{
    struct recorded_sample sample = sample_at(RECORDING_START_NS);

    sample.depth = 4;
    sample.functions[0] = 0;
    sample.functions[1] = 1;
    sample.functions[2] = 2;
    sample.functions[3] = inner;
    recording_push(recording, &sample);
}

/* Where the time of WEIGHT, a bit of the sums, in the kernel was put: the functions above it,
 * outermost first. */
static void assert_kernel_below(const struct recording *recording, uint64_t weight,
                                const char *path)
{
    struct profile *profile = builder_profile(recording->builder);
    struct folder *folder = folder_new();
    struct scope scope;
    struct fold *fold;
    char found[128] = "";

    scope_init(&scope);
    fold = fold_update(folder, profile, &scope, NULL);
    for (node_id i = 1; i < fold->node_count; i++) {
        if ((fold->nodes[i].self & weight) == 0)
            continue;
        for (node_id at = fold->nodes[i].parent; at != NODE_ROOT; at = fold->nodes[at].parent) {
            char inner[sizeof(found)];

            strcpy(inner, found);
            snprintf(found, sizeof(found), "%s %.90s",
                     names_get(fold->names, fold->nodes[at].function)->name, inner);
        }
    }
    assert_string_equal(found, path);
    fold_free(fold);
    folder_free(folder);
    profile_unref(profile);
}

static void time_in_the_kernel_goes_below_what_its_thread_was_in(void **state)
{
    struct recording recording;

    (void)state;
    recording_init(&recording, 1, 0);
    push_unseen_kernel(&recording, 100, 1u << 20); /* nothing is known of the thread yet */
    for (unsigned i = 0; i < 200; i++)
        push_stack(&recording, i % 2 ? 3 : 5);
    builder_step(recording.builder, RECORDING_START_NS);
    recording_name(&recording);

    push_unseen_kernel(&recording, 100, 1u << 21); /* drops what came before the names */
    for (unsigned i = 0; i < 9; i++)
        push_stack(&recording, 3); /* other places of the same functions */
    push_unseen_kernel(&recording, 100, 1u << 22);
    push_unseen_kernel(&recording, 100, 1u << 23); /* since the last time: the last stack alone */
    push_stack(&recording, 5);
    push_stack(&recording, 3);
    push_unseen_kernel(&recording, 101, 1u << 24); /* another thread has no part in it */
    push_unseen_kernel(&recording, 100, 1u << 25);
    recording_step(&recording, RECORDING_START_NS + 2 * NS_PER_S);
    recording_name(&recording);
    assert_kernel_below(&recording, 1u << 20, "[broken: no stack taken] ");
    assert_kernel_below(&recording, 1u << 22, "f0 f1 f2 f3 ");
    assert_kernel_below(&recording, 1u << 23, "f0 f1 f2 f3 ");
    assert_kernel_below(&recording, 1u << 24, "[broken: no stack taken] ");
    assert_kernel_below(&recording, 1u << 25, "f0 f1 f2 ");
    recording_fini(&recording);
}

/* As the sources take them: both ends of a deeper one, and a mark between. */
static void a_deep_stack_keeps_its_outermost_frame(void **state)
{
    enum { FRAMES = 2048 };
    size_t size = sizeof(struct record_sample) + FRAMES * sizeof(struct frame);
    struct recorded_sample sample = sample_at(RECORDING_START_NS);
    struct folder *folder = folder_new();
    struct record_sample *record;
    struct recording recording;
    struct profile *profile;
    struct scope scope;
    struct fold *fold;
    unsigned deepest = 0;

    (void)state;
    recording_init(&recording, 1, 0);
    record = (struct record_sample *)ring_reserve(recording.ring, size, false);
    assert_non_null(record);
    memset(&record->head + 1, 0, size - sizeof(record->head));
    record->head.type = RECORD_SAMPLE;
    record->head.time_ns = RECORDING_START_NS;
    record->pid = sample.pid;
    record->tid = sample.tid;
    record->weight = sample.weight;
    record->syscall = -1;
    record->end = STACK_COMPLETE;
    record->count = FRAMES;
    for (uint32_t i = 0; i < FRAMES; i++)
        record->frames[i] = (struct frame){ .kind = FRAME_KERNEL, .address = i };
    ring_commit(recording.ring, &record->head);
    recording_step(&recording, RECORDING_START_NS + NS_PER_S);
    profile = builder_profile(recording.builder);
    scope_init(&scope);
    fold = fold_update(folder, profile, &scope, NULL);
    for (node_id i = 1; i < fold->node_count; i++) {
        unsigned depth = 0;

        for (node_id at = i; at != NODE_ROOT; at = fold->nodes[at].parent)
            depth++;
        if (depth > deepest)
            deepest = depth;
    }
    assert_int_equal(deepest, FRAMES);
    fold_free(fold);
    folder_free(folder);
    profile_unref(profile);
    recording_fini(&recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slowest_watermark_holds_back_sealing),
        cmocka_unit_test(late_records_have_their_own_time),
        cmocka_unit_test(threads_have_names_ends_and_used_again_tids),
        cmocka_unit_test(broken_stacks_have_a_row_with_the_reason),
        cmocka_unit_test(a_deep_stack_keeps_its_outermost_frame),
        cmocka_unit_test(several_processes_are_a_level_of_the_tree),
        cmocka_unit_test(memory_is_bounded_and_sums_stay),
        cmocka_unit_test(time_in_the_kernel_goes_below_what_its_thread_was_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
