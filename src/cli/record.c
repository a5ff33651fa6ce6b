/* SPDX-License-Identifier: MIT */
/*
 * proftop record: the engine without a screen.
 *
 *     target ─► engine ─► session file while it runs,   ─► what was recorded, on stderr
 *                    └──► or an export when it ends
 *
 * A signal, the end of the target or --duration ends the recording; the file is finished first, and
 * only then a launched command that still runs is told to end.  A file that cannot be written any
 * further, as on a full disk, ends it too, but never the command.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "begin.h"
#include "cli.h"
#include "proftop/clock.h"
#include "proftop/engine.h"
#include "proftop/figures.h"
#include "proftop/gettext.h"
#include "proftop/memory.h"
#include "proftop/signals.h"
#include "proftop/target.h"
#include "proftop/text.h"

/* Why a recording ended. */
enum ended { ENDED_TARGET, ENDED_DURATION, ENDED_SIGNAL, ENDED_TROUBLE };

enum { PROGRESS_MS = 500, GRACE_MS = 3000 };

struct recording {
    const struct options *options;
    const struct export_ops *ops; /* what is written at the end; NULL: the session as it goes */
    char *path;                   /* NULL: standard output */
    char *session_path;           /* what the engine writes; NULL: nothing */
    struct engine *engine;
    struct target *target;
    uint64_t start_ns;
    bool progress; /* a line on the terminal that is ours to write over */
    int signal;    /* that ended it; 0: none */
    bool typed;    /* … from the keyboard, so that the command got it too */
};

/* ---- names of files -------------------------------------------------------------------------- */

/* "proftop-busy-8968-20260131-123021.proftop", what is odd in a command's name left out. */
static char *default_path(const struct recording *recording)
{
    const char *command = target_command(recording->target);
    const char *word_end = command + strcspn(command, " ");
    const char *extension =
        recording->ops != NULL ? recording->ops->extension : export_find("session")->extension;
    time_t now = time(NULL);
    char name[33] = "", date[32] = "";
    size_t length = 0;
    struct tm tm;

    for (const char *at = command; at < word_end; at++) {
        bool plain = (*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= 'a' && *at <= 'z') || (length > 0 && strchr("-._+", *at) != NULL);

        if (*at == '/')
            length = 0;
        else if (plain && length < sizeof(name) - 1)
            name[length++] = *at;
    }
    name[length] = '\0';
    if (localtime_r(&now, &tm) != NULL)
        strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
    return xasprintf("proftop-%s-%d-%s%s", length > 0 ? name : "target",
                     (int)target_pid(recording->target), date, extension);
}

/* A session for standard output is written to a file first: SQLite needs one. */
static bool choose_paths(struct recording *recording, struct error *error)
{
    const struct options *options = recording->options;

    if (options->output == NULL)
        recording->path = default_path(recording);
    else if (strcmp(options->output, "-") != 0)
        recording->path = xstrdup(options->output);
    if (recording->path == NULL && isatty(STDOUT_FILENO) &&
        (recording->ops == NULL || recording->ops->binary))
        return error_set(error, STATUS_USAGE, _("this format is not for a terminal"));
    if (recording->ops == NULL && recording->path != NULL)
        recording->session_path = xstrdup(recording->path);
    else if (recording->ops == NULL)
        recording->ops = export_find("session");
    if (recording->path != NULL && !options->force && access(recording->path, F_OK) == 0 &&
        recording->session_path == NULL)
        return export_refuse_existing(recording->path, error);
    return true;
}

/* ---- the target and the engine --------------------------------------------------------------- */

/* Before the engine's threads begin, and after the command was forked, which keeps its own. */
static void begin_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

    signal(SIGPIPE, SIG_IGN);
    signals_begin(numbers, sizeof(numbers) / sizeof(numbers[0]));
}

static bool start(struct recording *recording, struct error *error)
{
    const struct options *options = recording->options;
    struct engine_config config = begin_config(options);
    bool existed;

    recording->target = begin_target(options, NULL, error);
    if (recording->target == NULL || !choose_paths(recording, error))
        return false;
    begin_signals();
    existed = recording->session_path != NULL && access(recording->session_path, F_OK) == 0;
    config.target = recording->target;
    config.unwatched = true;
    config.session_path = recording->session_path;
    recording->engine = engine_start(&config, error);
    recording->target = NULL; /* the engine's now, also when it failed */
    if (recording->engine == NULL && recording->session_path != NULL && !existed)
        unlink(recording->session_path);
    recording->start_ns = clock_now_ns();
    return recording->engine != NULL;
}

/* ---- while it runs --------------------------------------------------------------------------- */

static void show_progress(struct recording *recording)
{
    struct profile *profile = engine_profile(recording->engine);
    char elapsed[24], bytes[16];
    struct figures figures;

    if (profile == NULL)
        return;
    figures_of(profile, 0, UINT64_MAX, &figures);
    fprintf(stderr, "\r\033[K%s  ", text_elapsed(elapsed, clock_now_ns() - recording->start_ns));
    fprintf(stderr, ngettext("%" PRIu64 " sample", "%" PRIu64 " samples", figures.samples),
            figures.samples);
    fprintf(stderr, _("  %.0f of %u Hz  %u lost"), figures.achieved_hz,
            profile_info(profile)->rate_hz, figures.tally.lost);
    if (recording->session_path != NULL)
        fprintf(stderr, "  %s", text_bytes(bytes, (double)engine_session_bytes(recording->engine)));
    fputs(_("  (Ctrl-C ends)"), stderr);
    fflush(stderr);
    profile_unref(profile);
}

static bool take_signal(struct recording *recording)
{
    struct signal_news news;

    if (!signals_take(&news))
        return false;
    recording->signal = news.number;
    recording->typed = news.typed;
    return true;
}

/* Milliseconds until DEADLINE_NS, at most MOST. */
static int wait_ms(uint64_t deadline_ns, int most)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t left_ms = deadline_ns > now_ns ? (deadline_ns - now_ns) / NS_PER_MS + 1 : 0;

    return left_ms < (uint64_t)most ? (int)left_ms : most;
}

static enum ended run(struct recording *recording)
{
    double duration_s = recording->options->duration_s;
    uint64_t deadline_ns = duration_s > 0
                               ? recording->start_ns + (uint64_t)(duration_s * (double)NS_PER_S)
                               : UINT64_MAX;
    uint64_t shown_ns = 0;

    for (;;) {
        struct pollfd fd = { .fd = engine_event_fd(recording->engine), .events = POLLIN };
        uint64_t now_ns;
        unsigned events;

        signals_poll(&fd, 1, wait_ms(deadline_ns, PROGRESS_MS));
        now_ns = clock_now_ns();
        if (take_signal(recording))
            return ENDED_SIGNAL;
        events = engine_events(recording->engine);
        if ((events & ENGINE_ENDED) != 0)
            return ENDED_TARGET;
        if ((events & ENGINE_TROUBLE) != 0)
            return ENDED_TROUBLE;
        if (now_ns >= deadline_ns)
            return ENDED_DURATION;
        if (recording->progress && now_ns - shown_ns >= PROGRESS_MS * NS_PER_MS) {
            show_progress(recording);
            shown_ns = now_ns;
        }
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

static bool write_export(struct recording *recording, struct profile *profile, struct error *error)
{
    struct scope scope;
    struct fold *fold;
    bool done;

    if (!load_scope(recording->options, profile, &scope, error))
        return false;
    fold = load_fold(profile, &scope, error);
    done = fold != NULL &&
           load_write(recording->options, recording->ops, fold, recording->path, error);
    fold_free(fold);
    return done;
}

/* What went otherwise than asked for. */
static void say_warnings(const struct profile *profile)
{
    for (uint32_t i = 0; i < profile_notes(profile); i++) {
        const struct profile_note *note = profile_note(profile, i);

        if (note->level >= NOTE_WARNING)
            fprintf(stderr, "%s: %s\n", PACKAGE, note->text);
    }
}

static void say_done(const struct recording *recording, const struct profile *profile)
{
    struct figures figures;
    struct stat status;
    char bytes[16];

    figures_of(profile, 0, UINT64_MAX, &figures);
    fprintf(stderr, "%s%s: ", recording->progress ? "\r\033[K" : "", PACKAGE);
    fprintf(
        stderr,
        ngettext("%" PRIu64 " sample in %.1f s", "%" PRIu64 " samples in %.1f s", figures.samples),
        figures.samples,
        (double)(profile_end_ns(profile) - profile_start_ns(profile)) / (double)NS_PER_S);
    fprintf(stderr, _(", %u lost"), figures.tally.lost);
    if (recording->path != NULL && stat(recording->path, &status) == 0)
        fprintf(stderr, _(", written to %s (%s)"), recording->path,
                text_bytes(bytes, (double)status.st_size));
    putc('\n', stderr);
    say_warnings(profile);
}

static bool finish(struct recording *recording, struct error *error)
{
    bool done = engine_stop(recording->engine, error);
    struct profile *profile = engine_profile(recording->engine);

    if (done && recording->ops != NULL)
        done = write_export(recording, profile, error);
    if (done)
        say_done(recording, profile);
    profile_unref(profile);
    return done;
}

/*
 * Waits for the launched command; true once its status is known.  A PATIENT wait, for one that was
 * told by the keyboard or not at all, lasts until the keyboard speaks again.
 */
static bool wait_for_command(struct recording *recording, bool patient, int *wait_status)
{
    struct target *target = engine_target(recording->engine);
    uint64_t deadline_ns = clock_now_ns() + GRACE_MS * NS_PER_MS;
    bool said = false;

    *wait_status = engine_exit_status(recording->engine);
    while (*wait_status < 0 && !target_reap(target, wait_status)) {
        if (clock_now_ns() >= deadline_ns) {
            if (!patient)
                return false;
            if (!said)
                fprintf(stderr, _("%s: waiting for process %d to end; Ctrl-C leaves it\n"), PACKAGE,
                        (int)target_launched(target));
            said = true;
        }
        signals_poll(NULL, 0, 20);
        if (take_signal(recording))
            return false;
    }
    return true;
}

/*
 * The command's own status.  One that still runs when the recording is over is told to end, unless
 * the keyboard has told it already; one that does not is left running.
 */
static int command_status(struct recording *recording, enum ended ended)
{
    int32_t pid = target_launched(engine_target(recording->engine));
    bool typed = recording->typed;
    int wait_status;

    if (engine_exit_status(recording->engine) < 0) {
        if (ended == ENDED_DURATION)
            kill(pid, SIGTERM);
        else if (ended == ENDED_SIGNAL && !typed)
            kill(pid, recording->signal);
    }
    if (!wait_for_command(recording, (ended == ENDED_SIGNAL && typed) || ended == ENDED_TROUBLE,
                          &wait_status)) {
        fprintf(stderr, _("%s: process %d runs on\n"), PACKAGE, (int)pid);
        return STATUS_OK;
    }
    if (ended == ENDED_DURATION && WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGTERM)
        return STATUS_OK; /* as asked */
    return figures_exit_status(wait_status);
}

static void recording_fini(struct recording *recording)
{
    engine_free(recording->engine);
    target_free(recording->target);
    free(recording->path);
    free(recording->session_path);
}

int cli_record(const struct options *options, struct error *error)
{
    struct recording recording = { .options = options };
    enum ended ended;
    int status = -1;
    bool done;

    if (options->format != NULL && strcmp(options->format, "session") != 0) {
        recording.ops = load_format(options->format, error);
        if (recording.ops == NULL)
            return -1;
    }
    /* A launched command writes to the same terminal. */
    recording.progress =
        isatty(STDERR_FILENO) && (options->launch == NULL || !isatty(STDOUT_FILENO));
    if (!start(&recording, error))
        goto done;
    ended = run(&recording);
    done = finish(&recording, error);
    if (!done && ended == ENDED_TROUBLE && options->launch != NULL) /* now, not when it has ended */
        fprintf(stderr, "%s: %s\n", PACKAGE, error->message);
    status = options->launch != NULL ? command_status(&recording, ended) : STATUS_OK;
    if (!done)
        status = -1; /* the command was seen to its end all the same */
done:
    recording_fini(&recording);
    return status;
}
