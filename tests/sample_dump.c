/* SPDX-License-Identifier: MIT */
/*
 * Prints what a sampling source tells, without builder, symbols or screen:
 *
 *     sample_dump [-s perf|ptrace|auto] [-F HZ] [-d MS] [-e EVENT] [-q] (-p PID | COMMAND…)
 *
 * -q prints the sums alone: time by state for each thread, the tallies, how stacks ended.
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/clock.h"
#include "proftop/code.h"
#include "proftop/lane.h"
#include "proftop/module.h"
#include "proftop/record.h"
#include "proftop/ring.h"
#include "proftop/source.h"
#include "proftop/target.h"
#include "proftop/unwind.h"

enum { THREADS_MAX = 4096 };

struct sums {
    int32_t tid;
    char name[64];
    uint64_t weight[STATES], samples[STATES];
};

struct dump {
    struct modules *modules;
    struct codes *codes;
    bool quiet;
    struct sums threads[THREADS_MAX];
    size_t thread_count;
    struct record_tally total;
    uint64_t ends[STACK_ENDS], reasons[WAIT_REASONS];
};

static struct sums *sums_of(struct dump *dump, int32_t tid)
{
    for (size_t i = 0; i < dump->thread_count; i++)
        if (dump->threads[i].tid == tid)
            return &dump->threads[i];
    if (dump->thread_count < THREADS_MAX - 1)
        dump->thread_count++;
    dump->threads[dump->thread_count - 1].tid = tid;
    return &dump->threads[dump->thread_count - 1];
}

static void print_sample(const struct dump *dump, const struct record_sample *sample)
{
    static const char *const states[] = { "running", "runnable", "waiting" };

    printf("%.6f %d/%d %s %.3f ms", (double)sample->head.time_ns / 1e9, sample->pid, sample->tid,
           states[sample->state], (double)sample->weight / 1e6);
    if (sample->state == STATE_WAITING)
        printf(" syscall %d %s", sample->syscall, wait_reason_text(sample->reason));
    printf(" (%s)\n", stack_end_text(sample->end));
    for (uint32_t i = 0; i < sample->count; i++) {
        const struct frame *frame = &sample->frames[i];
        const struct code *code =
            frame->kind == FRAME_PYTHON ? codes_get(dump->codes, frame->module) : NULL;
        const struct module *module = frame->kind == FRAME_MARK || code != NULL
                                          ? NULL
                                          : modules_get(dump->modules, frame->module);

        if (code != NULL) {
            printf("    %s %s:%" PRIu64 "\n", code->name, code->file, frame->address);
            continue;
        }

        printf("    %" PRIx64 " %s\n", frame->address, module != NULL ? module->name : "mark");
    }
}

static void take_sample(struct dump *dump, const struct record_sample *sample)
{
    struct sums *sums = sums_of(dump, sample->tid);

    sums->weight[sample->state] += sample->weight;
    sums->samples[sample->state]++;
    dump->ends[sample->end]++;
    if (sample->state == STATE_WAITING)
        dump->reasons[sample->reason] += sample->weight;
    if (!dump->quiet)
        print_sample(dump, sample);
}

static void take_thread(struct dump *dump, const struct record_thread *thread)
{
    static const char *const events[] = { "began", "named",   "exec",     "ended",
                                          "seen",  "stopped", "continued" };

    memcpy(sums_of(dump, thread->tid)->name, thread->name, sizeof(thread->name));
    if (!dump->quiet)
        printf("%.6f %d/%d %s %s status %d\n", (double)thread->head.time_ns / 1e9, thread->pid,
               thread->tid, events[thread->event], thread->name, thread->exit_status);
}

static void take_all(struct dump *dump, struct ring *ring)
{
    const struct record *record;

    while ((record = ring_peek(ring)) != NULL) {
        if (record->type == RECORD_SAMPLE)
            take_sample(dump, (const struct record_sample *)record);
        else if (record->type == RECORD_THREAD)
            take_thread(dump, (const struct record_thread *)record);
        else if (record->type == RECORD_TALLY)
            tally_add(&dump->total, (const struct record_tally *)record);
        else if (record->type == RECORD_NOTE)
            printf("note: %s\n", ((const struct record_note *)record)->text);
        ring_pop(ring);
    }
}

static void print_sums(const struct dump *dump, uint64_t wall_ns)
{
    const struct record_tally *total = &dump->total;

    for (size_t i = 0; i < dump->thread_count && i < 40; i++) {
        const struct sums *sums = &dump->threads[i];

        printf("%7d %-16s running %8.3f s (%" PRIu64 ") runnable %8.3f waiting %8.3f (%" PRIu64
               ") sum %8.3f of %.3f\n",
               sums->tid, sums->name, (double)sums->weight[0] / 1e9, sums->samples[0],
               (double)sums->weight[1] / 1e9, (double)sums->weight[2] / 1e9, sums->samples[2],
               (double)(sums->weight[0] + sums->weight[1] + sums->weight[2]) / 1e9,
               (double)wall_ns / 1e9);
    }
    printf(
        "threads %zu rate %u expected %u received %u lost %u throttled %u truncated %u broken %u "
        "deferred %u unseen %u behind %u\n",
        dump->thread_count, total->rate_hz, total->expected, total->received, total->lost,
        total->throttled, total->truncated, total->broken, total->deferred, total->unseen,
        total->behind);
    printf("target cpu %.3f s, source cpu %.4f s = %.2f us a sample, %.2f %% of a core; stops %u, "
           "held %.1f us mean %.1f max, eintr repaired %u\n",
           (double)total->target_cpu_ns / 1e9, (double)total->source_cpu_ns / 1e9,
           (double)total->source_cpu_ns / 1e3 / (total->received ? total->received : 1),
           (double)total->source_cpu_ns * 100 / (double)wall_ns, total->stops,
           total->stops ? (double)total->stopped_ns / 1e3 / total->stops : 0.0,
           (double)total->stopped_max_ns / 1e3, total->eintr_repaired);
    for (size_t i = 0; i < sizeof(total->stopped_log2) / sizeof(total->stopped_log2[0]); i++)
        if (total->stopped_log2[i] > 0)
            printf("  held below %.1f us: %u\n", (double)(2ull << i) / 10, total->stopped_log2[i]);
    for (int end = 0; end < STACK_ENDS; end++)
        if (dump->ends[end] > 0)
            printf("  %" PRIu64 " %s\n", dump->ends[end], stack_end_text(end));
    for (int reason = 0; reason < WAIT_REASONS; reason++)
        if (dump->reasons[reason] > 0)
            printf("  %.3f s %s\n", (double)dump->reasons[reason] / 1e9, wait_reason_text(reason));
}

static int complain(const struct error *error)
{
    fprintf(stderr, "%s\n%s\n", error->message, error->hint);
    return error->code;
}

static struct target *find_target(int32_t pid, char **command, struct error *error)
{
    static const struct target_options options = { .children = true };

    return pid != 0 ? target_attach(&pid, 1, &options, error)
                    : target_launch(command, NULL, &options, error);
}

int main(int argc, char **argv)
{
    struct source_config config = {
        .rate_hz = 99, .kernel = true, .python = true, .waiting = true, .wake_fd = -1
    };
    const struct source_ops *ops = NULL;
    char reason[256];
    static struct dump dump;
    struct error error;
    struct ring *ring = ring_new(32 << 20);
    struct target *target;
    struct source *source;
    uint64_t start_ns, duration_ns = UINT64_MAX;
    int32_t pid = 0;
    int option, status = 0;

    while ((option = getopt(argc, argv, "+s:F:d:e:p:q")) != -1) {
        switch (option) {
        case 's':
            ops = strcmp(optarg, "ptrace") == 0 ? &source_ptrace
                  : strcmp(optarg, "perf") == 0 ? &source_perf
                                                : NULL;
            break;
        case 'F':
            config.rate_hz = (uint32_t)atoi(optarg);
            break;
        case 'd':
            duration_ns = (uint64_t)atoll(optarg) * NS_PER_MS;
            break;
        case 'e':
            config.event = optarg;
            break;
        case 'p':
            pid = atoi(optarg);
            break;
        case 'q':
            dump.quiet = true;
            break;
        default:
            return 2;
        }
    }
    config.modules = dump.modules = modules_new();
    config.codes = dump.codes = codes_new();
    config.lanes = lanes_new();
    config.unwinder = unwinder_new();
    if ((target = find_target(pid, argv + optind, &error)) == NULL)
        return complain(&error);
    if (ops == NULL) {
        ops = source_choose(target, &config, reason, sizeof(reason), &error);
        if (ops == NULL)
            return complain(&error);
        printf("%s\n", reason);
    }
    if ((source = ops->open(target, &config, &error)) == NULL)
        return complain(&error);
    if (!target_release(target, &error))
        return complain(&error);
    start_ns = clock_now_ns();
    while (status == 0 && clock_now_ns() - start_ns < duration_ns) {
        status = ops->step(source, ring);
        take_all(&dump, ring);
    }
    print_sums(&dump, clock_now_ns() - start_ns);
    ops->stop(source);
    ops->close(source);
    target_free(target);
    unwinder_free(config.unwinder);
    return 0;
}
