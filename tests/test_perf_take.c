/* SPDX-License-Identifier: MIT */
/* Records of the kernel, made by hand, as the perf source takes them from a ring. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/code.h"
#include "proftop/module.h"
#include "proftop/ring.h"
#include "proftop/unwind.h"
#include "src/source/perf_private.h"
#include "tests/harness/testing.h"

enum {
    LEADER = 5000000, /* no machine gives such a number */
    OTHER,
    RING_BYTES = 1 << 16,
    CODE_AT = 0x400000,
    CODE_BYTES = 0x1000,
    STACK_BYTES = 64,
    THREADS = 2,
};

static const uint64_t start_ns = 1000 * NS_PER_S;

/* A source in system mode that reads one ring; /proc is a fixture. */
struct bench {
    char *root;
    struct target *target;
    struct ring *told;
    struct perf_event_mmap_page page;
    uint8_t records[RING_BYTES];
    struct perf *perf;
    struct told {
        uint32_t events[THREAD_CONTINUED + 1];
        uint32_t samples, with_stack;
    } threads[THREADS]; /* LEADER, OTHER */
};

/* The process as /proc shows it, the leader in STATE: a zombie once it has ended. */
static void write_process(const struct bench *bench, char state)
{
    char path[64], text[256];

    snprintf(path, sizeof(path), "%d/stat", LEADER);
    snprintf(text, sizeof(text),
             "%d (victim) %c 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 2 0 100 1000000 50 0 0 0 0 0 0 0 "
             "0 0 0 0 0 17 0 0 0 0 0 0\n",
             LEADER, state);
    testing_write(bench->root, path, text);
    snprintf(path, sizeof(path), "%d/maps", LEADER);
    snprintf(text, sizeof(text), "%x-%x r-xp 00000000 00:00 0\n", CODE_AT, CODE_AT + CODE_BYTES);
    testing_write(bench->root, path, text);
}

static struct bench *bench_new(void)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    struct target_options options = { 0 };
    struct perf *perf = calloc(1, sizeof(*perf));
    struct error error;
    int32_t pid = LEADER;

    assert_non_null(bench);
    assert_non_null(perf);
    bench->root = testing_folder_new();
    write_process(bench, 'R');
    options.proc_root = bench->root;
    bench->target = target_attach(&pid, 1, &options, &error);
    assert_non_null(bench->target);
    bench->told = ring_new(1 << 20);
    bench->perf = perf;
    perf->target = bench->target;
    perf->config.modules = modules_new();
    perf->config.unwinder = unwinder_new();
    perf->emit.ring = bench->told;
    perf->events.system = true;
    perf->events.wish = (struct perf_wish){ .event = perf_name_cpu_clock, .rate_hz = 99 };
    perf->events.ring_count = 1;
    perf->events.rings = calloc(1, sizeof(*perf->events.rings));
    assert_non_null(perf->events.rings);
    perf->events.rings[0] = (struct perf_ring){
        .fd = -1, .page = &bench->page, .data = bench->records, .size = RING_BYTES
    };
    roster_init(&perf->roster, perf->target, &perf->config, &perf->emit);
    perf->roster.maps_told = true;
    pending_init(&perf->pending, perf->config.unwinder, &perf->roster);
    return bench;
}

static void bench_free(struct bench *bench)
{
    struct perf *perf = bench->perf;

    pending_fini(&perf->pending);
    roster_fini(&perf->roster);
    free(perf->leaving.threads);
    free(perf->events.rings);
    unwinder_free(perf->config.unwinder);
    modules_free(perf->config.modules);
    free(perf);
    ring_free(bench->told);
    target_free(bench->target);
    testing_folder_remove(bench->root);
    free(bench);
}

/* ---- records --------------------------------------------------------------------------------- */

static void push(struct bench *bench, const void *record, size_t size)
{
    assert_true(bench->page.data_head + size <= RING_BYTES);
    memcpy(bench->records + bench->page.data_head, record, size);
    bench->page.data_head += size;
}

/* What ends a record that is no sample. */
struct sample_id {
    int32_t pid, tid;
    uint64_t time_ns;
};

static void push_exit(struct bench *bench, uint64_t time_ns, int32_t tid)
{
    struct {
        struct perf_event_header header;
        int32_t pid, ppid, tid, ptid;
        uint64_t time_ns;
        struct sample_id id;
    } record = { .header = { .type = PERF_RECORD_EXIT, .size = sizeof(record) },
                 .pid = LEADER,
                 .ppid = LEADER,
                 .tid = tid,
                 .ptid = LEADER,
                 .time_ns = time_ns,
                 .id = { LEADER, tid, time_ns } };

    push(bench, &record, sizeof(record));
}

/* Whoever called it has the leader's number by then. */
static void push_exec(struct bench *bench, uint64_t time_ns)
{
    struct {
        struct perf_event_header header;
        int32_t pid, tid;
        char name[8];
        struct sample_id id;
    } record = { .header = { .type = PERF_RECORD_COMM,
                             .misc = PERF_RECORD_MISC_COMM_EXEC,
                             .size = sizeof(record) },
                 .pid = LEADER,
                 .tid = LEADER,
                 .name = "another",
                 .id = { LEADER, LEADER, time_ns } };

    push(bench, &record, sizeof(record));
}

static void push_mapping(struct bench *bench, uint64_t time_ns)
{
    struct {
        struct perf_event_header header;
        int32_t pid, tid;
        uint64_t address, length, offset;
        uint32_t major, minor;
        uint64_t inode, inode_generation;
        uint32_t protection, flags;
        char path[8];
        struct sample_id id;
    } record = { .header = { .type = PERF_RECORD_MMAP2, .size = sizeof(record) },
                 .pid = LEADER,
                 .tid = LEADER,
                 .address = CODE_AT,
                 .length = CODE_BYTES,
                 .protection = 5,
                 .path = "//anon",
                 .id = { LEADER, LEADER, time_ns } };

    push(bench, &record, sizeof(record));
}

/* Every register points into the code. */
static void push_sample(struct bench *bench, uint64_t time_ns, int32_t tid)
{
    uint64_t words[64] = { 0 };
    struct perf_event_header header = { .type = PERF_RECORD_SAMPLE };
    size_t count = 1;
    int32_t ids[2] = { LEADER, tid };

    words[count++] = CODE_AT;
    memcpy(&words[count++], ids, sizeof(ids));
    words[count++] = time_ns;
    words[count++] = NS_PER_S / 99;
    words[count++] = PERF_SAMPLE_REGS_ABI_64;
    for (int i = 0; i < __builtin_popcountll(perf_user_registers); i++)
        words[count++] = CODE_AT + 8;
    words[count++] = STACK_BYTES;
    count += STACK_BYTES / sizeof(uint64_t);
    words[count++] = STACK_BYTES;
    assert_true(count <= sizeof(words) / sizeof(words[0]));
    header.size = (uint16_t)(count * sizeof(uint64_t));
    memcpy(words, &header, sizeof(header));
    push(bench, words, header.size);
}

/* Takes all up to NOW_NS and counts what is told. */
static void take(struct bench *bench, uint64_t now_ns)
{
    const struct record *record;

    perf_take(bench->perf, now_ns);
    pending_retry(&bench->perf->pending, UINT64_MAX);
    while ((record = ring_peek(bench->told)) != NULL) {
        const struct record_sample *sample = (const struct record_sample *)record;
        const struct record_thread *thread = (const struct record_thread *)record;

        if (record->type == RECORD_SAMPLE) {
            assert_in_range(sample->tid, LEADER, OTHER);
            bench->threads[sample->tid - LEADER].samples++;
            bench->threads[sample->tid - LEADER].with_stack += sample->count > 0;
        } else if (record->type == RECORD_THREAD) {
            assert_in_range(thread->tid, LEADER, OTHER);
            bench->threads[thread->tid - LEADER].events[thread->event]++;
        }
        ring_pop(bench->told);
    }
}

static uint64_t at_ms(uint64_t milliseconds)
{
    return start_ns + milliseconds * NS_PER_MS;
}

/* Two threads were sampled. */
static struct bench *bench_begin(void)
{
    struct bench *bench = bench_new();

    push_sample(bench, at_ms(1), LEADER);
    push_sample(bench, at_ms(2), OTHER);
    take(bench, at_ms(3));
    assert_int_equal(bench->threads[0].with_stack, 1);
    assert_int_equal(bench->threads[1].with_stack, 1);
    return bench;
}

/* The exit of the leader is known. */
static void let_leader_leave(struct bench *bench)
{
    write_process(bench, 'Z');
    push_exit(bench, at_ms(4), LEADER);
    take(bench, at_ms(5));
    assert_int_equal(bench->threads[0].events[THREAD_ENDED], 0);
}

/* A thread calls exec(): the kernel ends the leader for it and gives its number to that thread. */
static void let_other_exec(struct bench *bench)
{
    write_process(bench, 'R');
    push_exec(bench, at_ms(6));
    push_mapping(bench, at_ms(7));
    push_sample(bench, at_ms(8), LEADER);
    take(bench, at_ms(9));
    assert_int_equal(bench->threads[0].events[THREAD_EXEC], 1);
    assert_int_equal(bench->threads[0].with_stack, 2);
    assert_int_equal(bench->threads[1].events[THREAD_ENDED], 1); /* under its old number */
}

/* It is sampled on, long after whoever left then is seen off, and leaves like any other. */
static void check_that_it_stays(struct bench *bench)
{
    struct told *leader = &bench->threads[0];

    for (uint64_t now = 30; now <= 180; now += 50) {
        push_sample(bench, at_ms(now - 1), LEADER);
        take(bench, at_ms(now));
    }
    assert_int_equal(leader->with_stack, 6);
    assert_int_equal(leader->samples, 6);
    assert_int_equal(leader->events[THREAD_ENDED], 0);
    assert_int_equal(leader->events[THREAD_SEEN], 1);
    assert_non_null(roster_find(&bench->perf->roster, LEADER));
    assert_true(target_alive(bench->target));
    write_process(bench, 'Z');
    push_exit(bench, at_ms(200), LEADER);
    take(bench, at_ms(300));
    assert_int_equal(leader->events[THREAD_ENDED], 1);
    assert_false(target_alive(bench->target));
}

/* ---- cases ----------------------------------------------------------------------------------- */

/* Its memory is taken apart for a while: that is sampled, but has no stack of the program. */
static void who_leaves_is_told_so_a_little_later(void **state)
{
    struct bench *bench = bench_begin();
    struct told *leader = &bench->threads[0];

    (void)state;
    let_leader_leave(bench);
    push_sample(bench, at_ms(10), LEADER);
    take(bench, at_ms(11));
    assert_int_equal(leader->samples, 2);
    assert_int_equal(leader->with_stack, 1);
    assert_int_equal(leader->events[THREAD_ENDED], 0);
    take(bench, at_ms(100));
    assert_int_equal(leader->events[THREAD_ENDED], 1);
    assert_int_equal(bench->threads[1].events[THREAD_ENDED], 0);
    assert_null(roster_find(&bench->perf->roster, LEADER));
    bench_free(bench);
}

static void who_execs_with_a_leaver_s_number_stays(void **state)
{
    struct bench *bench = bench_begin();

    (void)state;
    let_leader_leave(bench);
    let_other_exec(bench);
    check_that_it_stays(bench);
    bench_free(bench);
}

/* /proc shows the new program already when the exit is read. */
static void an_exit_that_is_read_with_the_exec_is_none(void **state)
{
    struct bench *bench = bench_begin();

    (void)state;
    push_exit(bench, at_ms(4), LEADER);
    let_other_exec(bench);
    check_that_it_stays(bench);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_leaves_is_told_so_a_little_later),
        cmocka_unit_test(who_execs_with_a_leaver_s_number_stays),
        cmocka_unit_test(an_exit_that_is_read_with_the_exec_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
