/* SPDX-License-Identifier: MIT */
/* What holds for every sampling source: shares, time, threads, exec, exit; each case runs with
 * each. */
#include "config.h"

#include "proftop/source.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/sampling.h"
#include "tests/harness/testing.h"

#include "proftop/clock.h"
#include "proftop/memory.h"

enum { SHARE_SAMPLES = 1000, ONE_PART = 3, NOBODY = 65534 };

/* The case's source is its initial state. */
static void begin(struct sampling **sampling, void **state)
{
    *sampling = calloc(1, sizeof(**sampling));
    assert_non_null(*sampling);
    sampling_init(*sampling, *state);
}

static const struct sampled_thread *thread_called(const struct sampling *sampling, const char *name)
{
    for (uint32_t i = 0; i < sampling->thread_count; i++)
        if (strcmp(sampling->threads[i].name, name) == 0)
            return &sampling->threads[i];
    return NULL;
}

static void finish(struct sampling *sampling)
{
    sampling_fini(sampling);
    free(sampling);
}

struct shares {
    uint64_t weight[ONE_PART], all;
};

static void count_shares(struct sampling *sampling, const struct record_sample *sample)
{
    static const char *const names[ONE_PART] = { "chain_six", "chain_three", "chain_one" };
    struct shares *shares = sampling->context;

    if (sample->state != STATE_RUNNING || !sampling_has(sampling, sample, "chain_outer"))
        return;
    for (int i = 0; i < ONE_PART; i++) {
        if (sampling_has(sampling, sample, names[i])) {
            shares->weight[i] += sample->weight;
            shares->all += sample->weight;
        }
    }
}

static bool enough_samples(const struct sampling *sampling)
{
    return sampling->running_samples >= SHARE_SAMPLES;
}

/* 6 : 3 : 1, within four standard deviations of a share (0.6, 1,000 samples: 6.2 %). */
static void known_shares_come_out(void **state)
{
    struct shares shares = { 0 };
    struct sampling *sampling;
    struct victim victim;

    begin(&sampling, state);
    victim_start(&victim, "chain", NULL);
    sampling->on_sample = count_shares;
    sampling->context = &shares;
    sampling_attach(sampling, victim.pid);
    assert_true(sampling_until(sampling, enough_samples, 200));
    assert_in_range(shares.weight[0] * 1000 / shares.all, 538, 662);
    assert_in_range(shares.weight[1] * 1000 / shares.all, 242, 358);
    assert_in_range(shares.weight[2] * 1000 / shares.all, 62, 138);
    /* Whole stacks, but for the few taken before the tables were there. */
    assert_true(sampling->ends[STACK_COMPLETE] * 100 >= sampling->running_samples * 98);
    assert_int_equal(sampling->late, 0);
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

static bool a_few_samples(const struct sampling *sampling)
{
    return sampling->running_samples >= 30;
}

/*
 * It ends before the tally is due for the first time.  By ptrace, who has to share a CPU is met
 * more often than is due until that is known.
 */
static void a_short_recording_is_told_whole(void **state)
{
    struct sampling *sampling;
    struct victim victim;

    begin(&sampling, state);
    victim_start(&victim, "chain", NULL);
    sampling_attach(sampling, victim.pid);
    assert_true(sampling_until(sampling, a_few_samples, 60));
    sampling_stop(sampling);
    assert_int_equal(sampling->total.received, sampling->running_samples);
    assert_true(sampling->total.expected * 2 >= sampling->total.received);
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

static void all_of_a_threads_time_is_told(void **state)
{
    static const struct {
        const char *name;
        enum wait_reason reason;
    } asleep[] = { { "poll", WAIT_POLL }, { "lock", WAIT_LOCK } };
    struct sampling *sampling;
    struct victim victim;

    begin(&sampling, state);
    victim_start(&victim, "sleepers", NULL);
    sampling_attach(sampling, victim.pid);
    sampling_for(sampling, 2500);
    assert_int_equal(sampling->thread_count, 6);
    for (uint32_t i = 0; i < sampling->thread_count; i++) {
        const struct sampled_thread *thread = &sampling->threads[i];
        uint64_t wall_ns = thread->last_ns - thread->seen_ns; /* of which it was told */
        uint64_t told_ns = 0;

        for (int each = 0; each < STATES; each++)
            told_ns += thread->weight[each];
        /*
         * Of one that runs and waits the last look is up to 100 ms old, and the time in a run queue
         * is known once it is over: on a loaded machine that is long.
         */
        assert_in_range(told_ns, wall_ns * 2 / 3, wall_ns + 50 * NS_PER_MS);
        if (strcmp(thread->name, "burn") == 0)
            assert_true(thread->weight[STATE_WAITING] < wall_ns / 20);
        for (size_t k = 0; k < sizeof(asleep) / sizeof(asleep[0]); k++)
            if (strcmp(thread->name, asleep[k].name) == 0)
                assert_in_range(sampling->reasons_ns[asleep[k].reason], wall_ns * 9 / 10,
                                wall_ns + 50 * NS_PER_MS);
    }
    /* How much it naps is for the machine's load to say. */
    assert_true(sampling->reasons_ns[WAIT_SLEEP] > 0);
    assert_int_equal(sampling->late, 0);
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

static bool has_nap(const struct sampling *sampling)
{
    return thread_called(sampling, "nap") != NULL;
}

static bool has_renamed(const struct sampling *sampling)
{
    return thread_called(sampling, "renamed") != NULL;
}

static void a_later_name_is_told(void **state)
{
    struct sampling *sampling;
    struct victim victim;
    int32_t tid;

    begin(&sampling, state);
    victim_start(&victim, "sleepers", NULL);
    sampling_attach(sampling, victim.pid);
    assert_true(sampling_until(sampling, has_nap, 30));
    tid = thread_called(sampling, "nap")->tid;
    assert_int_equal(write(victim.gate, "n", 1), 1);
    assert_true(sampling_until(sampling, has_renamed, 30));
    assert_int_equal(thread_called(sampling, "renamed")->tid, tid);
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

/* One stack a sleep: a thread that never moves keeps the stack of its only peek. */
static void look_for_lock(struct sampling *sampling, const struct record_sample *sample)
{
    uint64_t *found = sampling->context;

    if (sample->state == STATE_WAITING && sample->reason == WAIT_LOCK &&
        sampling_has(sampling, sample, "wait_for_lock"))
        *found += sample->weight;
}

static void a_sleeping_threads_stack_is_whole(void **state)
{
    struct sampling *sampling;
    struct victim victim;
    uint64_t found_ns = 0;

    begin(&sampling, state);
    victim_start(&victim, "sleepers", NULL);
    sampling->on_sample = look_for_lock;
    sampling->context = &found_ns;
    sampling_attach(sampling, victim.pid);
    sampling_for(sampling, 1500);
    assert_true(found_ns > NS_PER_S);
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

static void look_for_interrupted(struct sampling *sampling, const struct record_sample *sample)
{
    uint64_t *whole = sampling->context;

    *whole += sample->state == STATE_RUNNING && sample->end == STACK_COMPLETE &&
              sampling_has(sampling, sample, "burn_in_handler") &&
              sampling_has(sampling, sample, "dive") && sampling_has(sampling, sample, "main");
}

static bool ran_enough(const struct sampling *sampling)
{
    return sampling->running_samples >= 100;
}

/* A handler that has a stack of its own: what it interrupted is on another one. */
static void what_a_signal_interrupted_is_seen(void **state)
{
    struct sampling *sampling;
    struct victim victim;
    uint64_t whole = 0;

    begin(&sampling, state);
    victim_start(&victim, "diver", "signal");
    sampling->on_sample = look_for_interrupted;
    sampling->context = &whole;
    sampling_attach(sampling, victim.pid);
    assert_true(sampling_until(sampling, ran_enough, 100));
    /* But for the first ones, taken before the signal or the tables. */
    assert_true(whole * 100 >= sampling->running_samples * 90);
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

static void an_exit_status_travels(void **state)
{
    char *argv[] = { "sh", "-c", "exit 7", NULL };
    struct sampling *sampling;
    struct sampled_thread *thread;

    begin(&sampling, state);
    sampling_launch(sampling, argv);
    sampling_until(sampling, NULL, 30);
    assert_int_equal(sampling->ended, -ESRCH);
    thread = sampling_thread(sampling, target_launched(sampling->target));
    assert_int_equal(WEXITSTATUS(thread->exit_status), 7);
    assert_int_equal(thread->events[THREAD_EXEC], 1);
    assert_true(thread->events[THREAD_ENDED] >= 1);
    finish(sampling);
}

static void look_for_chain(struct sampling *sampling, const struct record_sample *sample)
{
    uint64_t *found = sampling->context;

    *found += sample->state == STATE_RUNNING && sampling_has(sampling, sample, "chain_outer");
}

static bool found_some(const struct sampling *sampling)
{
    return *(uint64_t *)sampling->context >= 20;
}

/* The thread takes the leader's number, and its frames the new program's names. */
static void an_exec_in_a_thread_is_followed(void **state)
{
    struct sampling *sampling;
    struct victim victim;
    uint64_t found = 0, samples, used_ns;

    begin(&sampling, state);
    victim_start(&victim, "churn", "exec");
    sampling->on_sample = look_for_chain;
    sampling->context = &found;
    sampling_attach(sampling, victim.pid);
    assert_true(sampling_until(sampling, found_some, 100));
    assert_true(sampling_thread(sampling, victim.pid)->events[THREAD_EXEC] >= 1);
    assert_string_equal(sampling_thread(sampling, victim.pid)->name, "chain");
    /* And is sampled once. */
    samples = sampling->running_samples;
    used_ns = sampling->running_ns;
    sampling_for(sampling, 1000);
    samples = sampling->running_samples - samples;
    used_ns = sampling->running_ns - used_ns;
    assert_true(samples * NS_PER_S / sampling->config.rate_hz < used_ns * 3 / 2);
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

static bool a_child_was_sampled(const struct sampling *sampling)
{
    int32_t child = *(int32_t *)sampling->context;

    for (uint32_t i = 0; i < sampling->thread_count; i++)
        if (sampling->threads[i].pid != child && sampling->threads[i].samples[STATE_RUNNING] > 20)
            return true;
    return false;
}

static void children_are_followed(void **state)
{
    char *chain = testing_built("tests/victims/chain");
    struct sampling *sampling;
    char *gate_path;
    int gate[2];
    int32_t shell;

    begin(&sampling, state);
    /* The shell waits for the victim, whose input is a pipe that we hold open. */
    assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
    gate_path = xasprintf("/proc/%d/fd/%d", getpid(), gate[0]);
    sampling_launch(sampling,
                    (char *[]){ "sh", "-c", "\"$0\" <\"$1\"; exit 3", chain, gate_path, NULL });
    shell = target_launched(sampling->target);
    sampling->context = &shell;
    assert_true(sampling_until(sampling, a_child_was_sampled, 100));
    close(gate[1]);
    sampling_until(sampling, NULL, 30);
    assert_int_equal(WEXITSTATUS(sampling_thread(sampling, shell)->exit_status), 3);
    close(gate[0]);
    finish(sampling);
    free(gate_path);
    free(chain);
}

/* Where system-wide events are not permitted, perf sees too little of them and says so. */
static bool tens_of_threads(const struct sampling *sampling)
{
    return sampling->thread_count > 200 &&
           (sampling->running_samples > 200 || strstr(sampling->note, "unseen") != NULL);
}

static void threads_that_come_and_go_do_no_harm(void **state)
{
    struct sampling *sampling;
    struct victim victim;

    begin(&sampling, state);
    victim_start(&victim, "churn", "threads");
    sampling_attach(sampling, victim.pid);
    assert_true(sampling_until(sampling, tens_of_threads, 60));
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

/* With that MODE where anyone may run it: a build folder need not be open to others. */
static char *copy_victim(const char *folder, const char *name, const char *mode)
{
    char *relative = xasprintf("tests/victims/%s", name);
    char *from = testing_built(relative);
    char *to = xasprintf("%s/%s", folder, name);
    char *command =
        xasprintf("cp '%s' '%s' && chmod 755 '%s' && chmod %s '%s'", from, to, folder, mode, to);

    assert_int_equal(system(command), 0);
    free(command);
    free(from);
    free(relative);
    return to;
}

/* Runs CHECK in a child that is UID: what it gives is the status to leave with, 0 is well. */
static void as_user(uid_t uid, int (*check)(const struct source_ops *ops, const char *path),
                    const struct source_ops *ops, const char *victim, const char *mode)
{
    char *folder = testing_folder_new();
    char *path = copy_victim(folder, victim, mode);
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (uid != geteuid() && (setgroups(0, NULL) != 0 || setgid(uid) != 0 || setuid(uid) != 0))
            _exit(2);
        prctl(PR_SET_DUMPABLE, 1); /* setuid() closed us, and so a launched child, to ourselves */
        _exit(check(ops, path));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    free(path);
    testing_folder_remove(folder);
}

/* A plain user: whoever runs this, or nobody instead of root. */
static void as_plain_user(int (*check)(const struct source_ops *ops, const char *path),
                          const struct source_ops *ops, const char *victim)
{
    as_user(geteuid() == 0 ? NOBODY : geteuid(), check, ops, victim, "755");
}

static int sample_own_process(const struct source_ops *ops, const char *path)
{
    struct sampling *sampling = calloc(1, sizeof(*sampling));
    struct shares shares = { 0 };
    struct victim victim;

    victim_start_path(&victim, path, NULL);
    sampling_init(sampling, ops);
    sampling->on_sample = count_shares;
    sampling->context = &shares;
    sampling_attach(sampling, victim.pid);
    if (!sampling_until(sampling, enough_samples, 200))
        return 3;
    sampling_fini(sampling);
    if (victim_end(&victim, NULL, 0) != 0)
        return 4;
    return shares.weight[0] > shares.weight[1] && shares.weight[1] > shares.weight[2] ? 0 : 5;
}

static void a_plain_user_samples_its_own_process(void **state)
{
    as_plain_user(sample_own_process, *state, "chain");
}

/* What the threads did that go on without their leader. */
struct headless {
    uint64_t running, whole; /* samples */
    uint64_t resting_ns;     /* with a whole stack */
};

static void look_for_headless(struct sampling *sampling, const struct record_sample *sample)
{
    struct headless *headless = sampling->context;
    bool whole = sample->end == STACK_COMPLETE;

    if (sample->state == STATE_RUNNING) {
        headless->running++;
        headless->whole += whole && sampling_has(sampling, sample, "burn_headless");
    } else if (sample->state == STATE_WAITING && whole && sample->reason == WAIT_LOCK &&
               sampling_has(sampling, sample, "rest_headless")) {
        headless->resting_ns += sample->weight;
    }
}

static bool rested_a_second(const struct sampling *sampling)
{
    const struct headless *headless = sampling->context;

    return headless->whole >= 50 && headless->resting_ns >= NS_PER_S;
}

/* But for the first stacks, taken before the tables were there. */
static bool nearly_all_whole(const struct headless *headless)
{
    return headless->whole * 100 >= headless->running * 90;
}

static int attach_without_leader(const struct source_ops *ops, const char *path)
{
    struct sampling *sampling = calloc(1, sizeof(*sampling));
    struct headless headless = { 0 };
    struct victim victim;

    victim_start_path(&victim, path, NULL);
    sampling_init(sampling, ops);
    sampling->on_sample = look_for_headless;
    sampling->context = &headless;
    sampling_attach(sampling, victim.pid);
    if (!sampling_until(sampling, rested_a_second, 60))
        return 3;
    if (!nearly_all_whole(&headless))
        return 4;
    if (sampling_thread(sampling, victim.pid)->weight[STATE_WAITING] != 0)
        return 5;
    if (victim_end(&victim, NULL, 0) != 0)
        return 6;
    sampling_until(sampling, NULL, 30);
    if (sampling->ended != -ESRCH)
        return 7;
    sampling_fini(sampling);
    free(sampling);
    return 0;
}

static void who_lost_its_leader_is_attached_to(void **state)
{
    char *path = testing_built("tests/victims/headless");

    assert_int_equal(attach_without_leader(*state, path), 0);
    free(path);
}

static void a_plain_user_attaches_to_who_lost_its_leader(void **state)
{
    as_plain_user(attach_without_leader, *state, "headless");
}

/* It ends with the last of its threads. */
static void a_leader_that_ends_is_outlived(void **state)
{
    char *argv[] = { testing_built("tests/victims/headless"), "3000", NULL };
    struct headless headless = { 0 };
    struct sampling *sampling;
    struct sampled_thread *leader;

    begin(&sampling, state);
    sampling->on_sample = look_for_headless;
    sampling->context = &headless;
    sampling_launch(sampling, argv);
    sampling_until(sampling, NULL, 30);
    assert_int_equal(sampling->ended, -ESRCH);
    leader = sampling_thread(sampling, target_launched(sampling->target));
    assert_int_equal(leader->exit_status, 0);
    assert_true(leader->weight[STATE_WAITING] < NS_PER_S / 2);
    assert_true(nearly_all_whole(&headless));
    assert_true(headless.resting_ns > 2 * NS_PER_S);
    finish(sampling);
    free(argv[0]);
}

/* Its number is given to the thread that execs, long after it ended. */
static void an_exec_without_a_leader_is_followed(void **state)
{
    struct sampling *sampling;
    struct victim victim;
    uint64_t found = 0;
    char byte;

    begin(&sampling, state);
    victim_start(&victim, "headless", NULL);
    sampling->on_sample = look_for_chain;
    sampling->context = &found;
    sampling_attach(sampling, victim.pid);
    assert_true(sampling_until(sampling, ran_enough, 60));
    assert_int_equal(write(victim.gate, "e", 1), 1);
    assert_int_equal(read(victim.told, &byte, 1), 1);
    assert_true(sampling_until(sampling, found_some, 60));
    assert_int_equal(sampling_thread(sampling, victim.pid)->events[THREAD_EXEC], 1);
    assert_string_equal(sampling_thread(sampling, victim.pid)->name, "chain");
    finish(sampling);
    assert_int_equal(victim_end(&victim, NULL, 0), 0);
}

static bool has_samples(const struct sampling *sampling)
{
    return sampling->running_samples > 0;
}

static bool says_not_dumpable(const struct sampling *sampling)
{
    return strstr(sampling->note, "recluse") != NULL &&
           strstr(sampling->note, "not dumpable") != NULL;
}

static int lose_rights(const struct source_ops *ops, const char *path)
{
    struct sampling *sampling = calloc(1, sizeof(*sampling));
    struct victim victim;

    victim_start_path(&victim, path, NULL);
    sampling_init(sampling, ops);
    sampling_attach(sampling, victim.pid);
    if (!sampling_until(sampling, has_samples, 100) || says_not_dumpable(sampling))
        return 3;
    kill(victim.pid, SIGUSR1);
    if (!sampling_until(sampling, says_not_dumpable, 100))
        return 4;
    sampling_fini(sampling);
    return victim_end(&victim, NULL, 0) == 0 ? 0 : 5;
}

static void lost_rights_are_told(void **state)
{
    as_plain_user(lose_rights, *state, "recluse");
}

static bool says_rights_of_root(const struct sampling *sampling)
{
    return strstr(sampling->note, sampling->ops == &source_perf ? "runs as uid 0 now"
                                                                : "without the rights of uid 0");
}

/* A shell execs PATH, whose input ends with this process. */
static void launch_by_shell(struct sampling *sampling, const char *path)
{
    char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"exec \"$0\"", (char *)path, NULL };
    int gate[2];

    assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
    assert_int_equal(dup2(gate[0], STDIN_FILENO), STDIN_FILENO);
    sampling_launch(sampling, argv);
}

static int exec_with_rights(const struct source_ops *ops, const char *path)
{
    struct sampling *sampling = calloc(1, sizeof(*sampling));

    sampling_init(sampling, ops);
    launch_by_shell(sampling, path);
    if (!sampling_until(sampling, says_rights_of_root, 100))
        return 3;
    sampling_fini(sampling);
    return 0;
}

static bool has_shares(const struct sampling *sampling)
{
    return ((struct shares *)sampling->context)->all > 0;
}

/* The kernel takes the events away from root's as well. */
static int exec_with_other_rights(const struct source_ops *ops, const char *path)
{
    struct sampling *sampling = calloc(1, sizeof(*sampling));
    struct shares shares = { 0 };

    if (chown(path, NOBODY, NOBODY) != 0 || chmod(path, 04755) != 0)
        return 2;
    sampling_init(sampling, ops);
    sampling->on_sample = count_shares;
    sampling->context = &shares;
    launch_by_shell(sampling, path);
    if (!sampling_until(sampling, has_shares, 100))
        return 3;
    sampling_fini(sampling);
    return 0;
}

static void need_set_user_id(void)
{
    char *folder = testing_folder_new();
    struct statvfs mount;

    assert_int_equal(statvfs(folder, &mount), 0);
    testing_folder_remove(folder);
    if (geteuid() != 0)
        skip_because("not root: cannot make a set-user-ID program");
    if ((mount.f_flag & ST_NOSUID) != 0)
        skip_because("the temporary folder knows no set-user-ID programs");
}

static void rights_gained_by_exec_are_told(void **state)
{
    need_set_user_id();
    as_user(NOBODY, exec_with_rights, *state, "chain", "4755");
}

static void rights_changed_by_exec_do_not_end_samples(void **state)
{
    need_set_user_id();
    as_user(0, exec_with_other_rights, *state, "chain", "4755");
}

enum { MANY_THREADS = 100 };

static bool all_have_waited(const struct sampling *sampling)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < sampling->thread_count; i++)
        count += sampling->threads[i].samples[STATE_WAITING] > 0;
    return count >= MANY_THREADS;
}

/* Half of our descriptors are too few for an event a thread and CPU, an eighth for a thread each.
 */
static int watch_many_threads(const struct source_ops *ops, const char *path)
{
    static const struct target_options options = { .children = true };
    rlim_t most = (rlim_t)(MANY_THREADS * sysconf(_SC_NPROCESSORS_CONF) * 2);
    const struct rlimit few = { most, most };
    struct sampling *sampling = calloc(1, sizeof(*sampling));
    struct target *target;
    struct victim victim;
    struct error error;
    char reason[256];

    victim_start_path(&victim, path, "100");
    sampling_init(sampling, ops);
    target = target_attach(&victim.pid, 1, &options, &error);
    if (target == NULL || setrlimit(RLIMIT_NOFILE, &few) != 0)
        return 3;
    sampling->ops =
        source_choose(target, &sampling->config, reason, sizeof(reason), &sampling->error);
    if (sampling->ops == &source_ptrace ? strstr(reason, "too many threads") == NULL
                                        : sampling->ops != &source_perf)
        return 4;
    sampling_open(sampling, target);
    if (!sampling_until(sampling, all_have_waited, 100))
        return 5;
    if (sampling->ops == &source_perf && strstr(sampling->note, "too many threads") == NULL)
        return 6;
    sampling_fini(sampling);
    return victim_end(&victim, NULL, 0) == 0 ? 0 : 7;
}

static void many_threads_need_no_descriptor_each(void **state)
{
    as_plain_user(watch_many_threads, *state, "sleepers");
}

static bool lives_are_seen_or_told(const struct sampling *sampling)
{
    return strstr(sampling->note, "every CPU") != NULL || strstr(sampling->note, "unseen") != NULL;
}

/* Threads of 0.8 ms end before an event fires that they inherit. */
static int watch_short_lives(const struct source_ops *ops, const char *path, bool hands_over)
{
    struct sampling *sampling = calloc(1, sizeof(*sampling));
    struct victim victim;
    bool system_wide;

    victim_start_path(&victim, path, "threads");
    sampling_init(sampling, ops);
    sampling->config.hands_over = hands_over;
    sampling_attach(sampling, victim.pid);
    if (!sampling_until(sampling, lives_are_seen_or_told, 100))
        return 3;
    system_wide = strstr(sampling->note, "every CPU") != NULL;
    if (hands_over && !system_wide)
        sampling_until(sampling, NULL, 10); /* until it ends */
    if (sampling->ended != (hands_over && !system_wide ? SOURCE_HANDS_OVER : 0))
        return 4;
    sampling_fini(sampling);
    return victim_end(&victim, NULL, 0) == 0 ? 0 : 5;
}

static int tell_short_lives(const struct source_ops *ops, const char *path)
{
    return watch_short_lives(ops, path, false);
}

static int hand_over_short_lives(const struct source_ops *ops, const char *path)
{
    return watch_short_lives(ops, path, true);
}

static void a_plain_user_learns_what_goes_unseen(void **state)
{
    as_plain_user(tell_short_lives, *state, "churn");
}

static void lives_unseen_by_perf_are_handed_over(void **state)
{
    as_plain_user(hand_over_short_lives, *state, "churn");
}

int main(void)
{
#define WITH(test, ops)                                                                            \
    {                                                                                              \
#test " (" #ops ")", test, NULL, NULL, (void *)&ops                                        \
    }
#define EACH(test) WITH(test, source_perf), WITH(test, source_ptrace)
    const struct CMUnitTest tests[] = {
        EACH(known_shares_come_out),
        EACH(a_short_recording_is_told_whole),
        EACH(all_of_a_threads_time_is_told),
        EACH(a_later_name_is_told),
        EACH(a_sleeping_threads_stack_is_whole),
        EACH(what_a_signal_interrupted_is_seen),
        EACH(an_exit_status_travels),
        EACH(an_exec_in_a_thread_is_followed),
        EACH(children_are_followed),
        EACH(threads_that_come_and_go_do_no_harm),
        EACH(a_plain_user_samples_its_own_process),
        EACH(who_lost_its_leader_is_attached_to),
        EACH(a_plain_user_attaches_to_who_lost_its_leader),
        EACH(a_leader_that_ends_is_outlived),
        EACH(an_exec_without_a_leader_is_followed),
        EACH(lost_rights_are_told),
        EACH(rights_gained_by_exec_are_told),
        EACH(rights_changed_by_exec_do_not_end_samples),
        WITH(many_threads_need_no_descriptor_each, source_perf),
        WITH(a_plain_user_learns_what_goes_unseen, source_perf),
        WITH(lives_unseen_by_perf_are_handed_over, source_perf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
