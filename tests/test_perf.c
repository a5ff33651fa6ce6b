/* SPDX-License-Identifier: MIT */
/* The perf source: events by name, coverage of short lives, losses, deep stacks. */
#include "config.h"

#include "proftop/source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/harness/sampling.h"
#include "tests/harness/testing.h"

#include "proftop/clock.h"
#include "src/source/perf_private.h"

enum { DUE_SAMPLES = 2000, DIVER_DEPTH = 96 };

static struct sampling *begin(const char *event, uint32_t rate_hz)
{
    struct sampling *sampling = calloc(1, sizeof(*sampling));

    assert_non_null(sampling);
    sampling_init(sampling, &source_perf);
    sampling->config.event = event;
    sampling->config.rate_hz = rate_hz;
    return sampling;
}

static void finish(struct sampling *sampling)
{
    sampling_fini(sampling);
    free(sampling);
}

static bool system_wide_allowed(void)
{
    const struct perf_wish wish = {
        .event = perf_name_cpu_clock, .rate_hz = 99, .stack_bytes = 8192, .kernel = true
    };

    return perf_events_system_allowed(&wish);
}

/* Linux 6.13 and later tell in a sample what an inherited group has counted. */
static bool perf_counts_beside(void)
{
    struct perf_wish wish = {
        .event = perf_name_cpu_clock, .rate_hz = 99, .groups = true, .beside_count = 1
    };
    unsigned refused;

    assert_true(perf_name_find("page-faults", &wish.beside[0], NULL));
    return perf_events_try_beside(&wish, 0, &refused) == 0;
}

static bool never(const struct sampling *sampling)
{
    (void)sampling;
    return false;
}

static bool has_note(const struct sampling *sampling)
{
    return sampling->note[0] != '\0';
}

static bool enough_is_due(const struct sampling *sampling)
{
    return sampling->total.expected >= DUE_SAMPLES;
}

/*
 * A life of 0.8 ms ends before an inherited event fires: once that shows, every CPU is sampled.
 * Four of five lives are met, which is a matter of chance: 98 %, less four standard deviations.
 */
static void expect_coverage(const char *lives)
{
    struct sampling *sampling = begin(NULL, 999);
    struct victim victim;
    double least;

    victim_start(&victim, "churn", lives);
    sampling_attach(sampling, victim.pid);
    assert_true(sampling_until(sampling, has_note, 200));
    assert_non_null(strstr(sampling->note, "every CPU"));
    sampling_for(sampling, 500); /* events of both kinds have run */
    memset(&sampling->total, 0, sizeof(sampling->total));
    assert_true(sampling_until(sampling, enough_is_due, 100));
    least = 0.98 * sampling->total.expected - 4 * sqrt(0.2 * sampling->total.expected);
    if (sampling->total.received < least)
        fail_msg("%u samples of %u", sampling->total.received, sampling->total.expected);
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

static void short_lived_threads_are_seen(void **state)
{
    (void)state;
    if (!system_wide_allowed())
        skip_because("system-wide events are not permitted");
    expect_coverage("threads");
}

static void short_lived_processes_are_seen(void **state)
{
    (void)state;
    if (!system_wide_allowed())
        skip_because("system-wide events are not permitted");
    expect_coverage("forks");
}

static void check_event(struct sampling *sampling, const struct record_sample *sample)
{
    if (sample->state == STATE_RUNNING) {
        assert_int_equal(sample->metric, METRIC_FAULTS);
        assert_true(sample->weight > 0);
        *(uint64_t *)sampling->context += sample->weight;
    }
}

static bool has_samples(const struct sampling *sampling)
{
    return sampling->running_samples > 20;
}

static uint64_t faults_of_children(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return (uint64_t)(usage.ru_minflt + usage.ru_majflt);
}

/* All samples together stand for no more faults than there were. */
static void page_faults_can_be_sampled(void **state)
{
    struct sampling *sampling = begin("page-faults", 999);
    uint64_t before = faults_of_children(), told = 0;
    struct victim victim;

    (void)state;
    victim_start(&victim, "churn", "forks");
    sampling->on_sample = check_event;
    sampling->context = &told;
    sampling_attach(sampling, victim.pid);
    assert_true(sampling_until(sampling, has_samples, 200));
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
    assert_in_range(told, 1, faults_of_children() - before);
}

static void an_unknown_event_is_refused_with_names(void **state)
{
    static const struct target_options options = { .children = true };
    struct sampling *sampling = begin("page-falts", 99);
    char *argv[] = { "true", NULL };
    struct error error;
    struct target *target = target_launch(argv, NULL, &options, &error);

    (void)state;
    assert_non_null(target);
    sampling->target = target;
    assert_false(source_perf.probe(target, &sampling->config, &error));
    assert_int_equal(error.code, STATUS_USAGE);
    assert_non_null(strstr(error.message, "page-falts"));
    assert_non_null(strstr(error.hint, "page-faults"));
    finish(sampling);
}

static void names_of_caches_are_made_of_parts(void **state)
{
    struct perf_name name;

    (void)state;
    assert_true(perf_name_find("LLC-load-misses", &name, NULL));
    assert_int_equal(name.type, PERF_TYPE_HW_CACHE);
    assert_int_equal(name.config, PERF_COUNT_HW_CACHE_LL | PERF_COUNT_HW_CACHE_RESULT_MISS << 16);
    assert_true(perf_name_find("dTLB-stores", &name, NULL));
    assert_int_equal(name.config, PERF_COUNT_HW_CACHE_DTLB | PERF_COUNT_HW_CACHE_OP_WRITE << 8);
    assert_false(perf_name_find("LLC-load-miss", &name, NULL));
}

struct counted_faults {
    uint64_t all, in_storm, samples;
};

static void add_faults(struct sampling *sampling, const struct record_sample *sample)
{
    struct counted_faults *faults = sampling->context;

    assert_int_equal(sample->metric, METRIC_TIME);
    faults->all += sample->counted[COUNTED_FAULTS];
    if (sampling_has(sampling, sample, "fault_storm"))
        faults->in_storm += sample->counted[COUNTED_FAULTS];
    for (int i = 0; i < COUNTED; i++)
        if (i != COUNTED_FAULTS)
            assert_int_equal(sample->counted[i], 0);
}

/* All faults but the last period's reach the samples of who caused them, none twice. */
static void page_faults_are_counted_beside_samples(void **state)
{
    struct counted_faults faults = { 0 };
    uint64_t before = faults_of_children(), true_faults;
    char *argv[] = { NULL, "quiet:1", "faults:1", "quiet:1", NULL };
    struct sampling *sampling;

    (void)state;
    if (!perf_counts_beside())
        skip_because("this kernel counts nothing beside samples of inherited events");
    argv[0] = testing_built("tests/victims/bursts");
    sampling = begin("cpu-clock,page-faults", 999);
    sampling->on_sample = add_faults;
    sampling->context = &faults;
    sampling_launch(sampling, argv);
    assert_false(sampling_until(sampling, never, 30));
    finish(sampling);
    free(argv[0]);
    true_faults = faults_of_children() - before;
    assert_in_range(faults.all, true_faults * 90 / 100, true_faults);
    assert_in_range(faults.in_storm, faults.all * 90 / 100, faults.all);
}

static void a_list_of_events_is_one_and_what_is_counted(void **state)
{
    static const struct {
        const char *list, *why_not;
    } bad[] = { { "page-faults,instructions", "beside samples of page-faults" },
                { "cpu-clock,context-switches", "cannot be counted" },
                { "cycles,minor-faults,page-faults", "cannot both" },
                { "cpu-clock,", "no event named" },
                { "cpu-clock,cycles,instructions,cache-misses,branch-misses,faults,faults",
                  "too many" } };
    struct perf_list list;
    struct error error;

    (void)state;
    assert_true(perf_list_parse("cpu-clock,cycles,instructions,faults", &list, &error));
    assert_int_equal(list.count, 4);
    assert_int_equal(perf_name_counted(&list.names[1]), COUNTED_CYCLES);
    assert_int_equal(perf_name_counted(&list.names[2]), COUNTED_INSTRUCTIONS);
    assert_int_equal(perf_name_counted(&list.names[3]), COUNTED_FAULTS);
    assert_true(perf_list_parse("LLC-load-misses", &list, &error));
    assert_int_equal(list.count, 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(perf_list_parse(bad[i].list, &list, &error));
        if (strstr(error.message, bad[i].why_not) == NULL)
            fail_msg("%s: %s", bad[i].list, error.message);
    }
}

/* As a kernel with a PMU writes them: cycles lead instructions, cache and branch misses. */
struct group_record {
    struct perf_event_header header;
    uint64_t ip;
    int32_t pid, tid;
    uint64_t time_ns, period, count, values[4], abi, asked;
};

static struct group_record group_record(uint64_t time_ns, uint64_t cycles, uint64_t instructions,
                                        uint64_t cache_misses)
{
    return (struct group_record){ .header = { .type = PERF_RECORD_SAMPLE,
                                              .size = sizeof(struct group_record) },
                                  .pid = 70,
                                  .tid = 71,
                                  .time_ns = time_ns,
                                  .count = 4,
                                  .values = { cycles, instructions, cache_misses, 5 } };
}

/* What COUNTED gets of RECORD, which came from the ring of a CPU. */
static void take_group(struct perf *perf, struct thread *thread, size_t ring,
                       const struct group_record *record, uint64_t counted[COUNTED])
{
    struct perf_sample sample;

    memset(counted, 0, COUNTED * sizeof(*counted));
    assert_true(perf_parse_sample(&record->header, perf_wish_layout(&perf->events.wish), &sample));
    perf_beside_take(perf, thread, ring, &sample, counted);
}

static void groups_grow_by_thread_and_cpu(void **state)
{
    struct perf *perf = calloc(1, sizeof(*perf));
    struct thread thread = { .tid = 71 };
    struct thread *threads[] = { &thread };
    uint64_t counted[COUNTED];
    struct group_record record;
    struct perf_sample sample;

    (void)state;
    assert_non_null(perf);
    perf->events.ring_count = 2;
    perf->events.wish = (struct perf_wish){ .event = perf_name_cycles, .groups = true };
    perf->events.wish.beside_count = PERF_NAMES_BESIDE;
    memcpy(perf->events.wish.beside, perf_names_beside, sizeof(perf_names_beside));
    record = group_record(1000, 3000, 6000, 40);
    take_group(perf, &thread, 0, &record, counted);
    assert_int_equal(counted[COUNTED_CYCLES], 3000);
    assert_int_equal(counted[COUNTED_INSTRUCTIONS], 6000);
    assert_int_equal(counted[COUNTED_CACHE_MISSES], 40);
    assert_int_equal(counted[COUNTED_BRANCH_MISSES], 5);
    assert_int_equal(counted[COUNTED_FAULTS], 0);
    /* On the other CPU it has counters of its own; back on the first they go on. */
    record = group_record(2000, 100, 50, 1);
    take_group(perf, &thread, 1, &record, counted);
    assert_int_equal(counted[COUNTED_CYCLES], 100);
    record = group_record(3000, 4000, 6500, 40);
    take_group(perf, &thread, 0, &record, counted);
    assert_int_equal(counted[COUNTED_CYCLES], 1000);
    assert_int_equal(counted[COUNTED_INSTRUCTIONS], 500);
    assert_int_equal(counted[COUNTED_CACHE_MISSES], 0);
    /* Events that were opened anew begin at 0; what the old ones still had to say is left out. */
    perf->roster.threads = threads;
    perf->roster.count = 1;
    perf_beside_restart(perf);
    record = group_record(perf->beside_since_ns, 9000, 9000, 90);
    take_group(perf, &thread, 0, &record, counted);
    assert_int_equal(counted[COUNTED_CYCLES], 0);
    record = group_record(perf->beside_since_ns + 1, 7, 8, 9);
    take_group(perf, &thread, 0, &record, counted);
    assert_int_equal(counted[COUNTED_INSTRUCTIONS], 8);
    /* A group of another size, as of all CPUs: nothing is told; a count beyond the record: bad. */
    record.count = 1;
    memmove(&record.values[1], &record.abi, 2 * sizeof(uint64_t));
    take_group(perf, &thread, 0, &record, counted);
    assert_int_equal(counted[COUNTED_INSTRUCTIONS], 0);
    record.count = UINT64_MAX / 8;
    assert_false(perf_parse_sample(&record.header, perf_wish_layout(&perf->events.wish), &sample));
    free(thread.beside);
    free(perf);
}

/* What the samples weigh together is the CPU time used, whatever the rate. */
static void weights_are_cpu_time(void **state)
{
    struct sampling *sampling = begin(NULL, 4999);
    struct victim victim;
    struct proc_schedstat before, after;

    (void)state;
    victim_start(&victim, "chain", NULL);
    sampling_attach(sampling, victim.pid);
    sampling_for(sampling, 300);
    sampling->running_ns = 0;
    assert_true(proc_schedstat("/proc", victim.pid, victim.pid, &before));
    sampling_for(sampling, 2000);
    assert_true(proc_schedstat("/proc", victim.pid, victim.pid, &after));
    assert_in_range(sampling->running_ns,
                    (after.cpu_ns - before.cpu_ns) * 96 / 100 - 50 * NS_PER_MS,
                    (after.cpu_ns - before.cpu_ns) * 104 / 100 + 50 * NS_PER_MS);
    assert_int_equal(sampling->total.lost, 0);
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

/* Frames of dive() in a stack: one has its own kilobyte. */
static void look_for_depth(struct sampling *sampling, const struct record_sample *sample)
{
    uint32_t *whole = sampling->context;

    *whole += sample->state == STATE_RUNNING && sample->end == STACK_COMPLETE &&
              sample->count > DIVER_DEPTH && sampling_has(sampling, sample, "fill_pipe");
}

static bool some_whole(const struct sampling *sampling)
{
    return *(const uint32_t *)sampling->context >= 3;
}

/*
 * A record holds 64 KiB of a stack at most.  Who sleeps still in the system call that it was
 * sampled in has the rest in its memory.
 */
static void a_stack_deeper_than_its_copy_is_read_on(void **state)
{
    struct sampling *sampling = begin(NULL, 4999);
    struct victim victim;
    uint32_t whole = 0;

    (void)state;
    if (!system_wide_allowed()) {
        finish(sampling);
        skip_because("system-wide events are not permitted");
    }
    victim_start(&victim, "diver", "deep");
    sampling->on_sample = look_for_depth;
    sampling->context = &whole;
    sampling_attach(sampling, victim.pid);
    assert_true(sampling_until(sampling, some_whole, 100));
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_lived_threads_are_seen),
        cmocka_unit_test(short_lived_processes_are_seen),
        cmocka_unit_test(page_faults_can_be_sampled),
        cmocka_unit_test(an_unknown_event_is_refused_with_names),
        cmocka_unit_test(names_of_caches_are_made_of_parts),
        cmocka_unit_test(page_faults_are_counted_beside_samples),
        cmocka_unit_test(a_list_of_events_is_one_and_what_is_counted),
        cmocka_unit_test(groups_grow_by_thread_and_cpu),
        cmocka_unit_test(weights_are_cpu_time),
        cmocka_unit_test(a_stack_deeper_than_its_copy_is_read_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
