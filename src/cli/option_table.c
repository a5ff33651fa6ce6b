/* SPDX-License-Identifier: MIT */
/*
 * Every subcommand and every option, once.  A new option is one entry here, one member of struct
 * options and one case in options.c.
 */
#include "config.h"

#include "proftop/options.h"

#include <stddef.h>

#include "proftop/gettext.h"

#define IN_LIVE_RECORD (IN(LIVE) | IN(RECORD))
#define IN_SCOPED (IN(REPORT) | IN(DIFF) | IN(OPEN))

const struct command_info command_table[COMMANDS] = {
    [COMMAND_LIVE] =
        {
            .name = "",
            .brief = N_("watch a process live"),
            .synopses = {"[OPTION]... [-p PID[,PID]... | -- COMMAND [ARG]...]"},
            .text = N_("Shows which functions a process runs, and beside them what the machine did "
                       "at the same time.  Without a process and a command it lists the processes "
                       "to pick one.  A launched command runs on a terminal of its own, shown in "
                       "the Output view."),
            .examples = {"proftop -p 1234", "proftop -- make -j4"},
        },
    [COMMAND_OPEN] =
        {
            .name = "open",
            .brief = N_("the same screens on a saved session"),
            .synopses = {"open FILE [OPTION]..."},
            .text = N_("Shows a session file, folded stacks or the text of perf script.  A session "
                       "that is still being recorded is followed."),
            .examples = {"proftop open slow.proftop"},
        },
    [COMMAND_RECORD] =
        {
            .name = "record",
            .brief = N_("record without a screen"),
            .synopses = {"record [OPTION]... -p PID[,PID]...",
                         "record [OPTION]... -- COMMAND [ARG]..."},
            .text = N_("Writes a session file, or an export when --format asks for one.  A "
                       "launched command keeps our standard input, output and error, and its exit "
                       "status becomes ours.  Ctrl-C, SIGTERM, the end of the target and "
                       "--duration all end the recording cleanly."),
            .examples = {"proftop record -p 1234 -d 30",
                         "proftop record --format svg -o flame.svg -- ./program"},
        },
    [COMMAND_REPORT] =
        {
            .name = "report",
            .brief = N_("text, JSON or an export from a session"),
            .synopses = {"report FILE... [OPTION]..."},
            .text = N_("Prints a recording, or writes it in another format.  Several files are "
                       "merged.  Folded stacks and the text of perf script are read too, also from "
                       "standard input (-)."),
            .examples = {"proftop report slow.proftop --view tree",
                         "proftop report slow.proftop --range 2..5 --json"},
        },
    [COMMAND_DIFF] =
        {
            .name = "diff",
            .brief = N_("what changed, with noise judged"),
            .synopses = {"diff BASE NEW [OPTION]...",
                         "diff FILE --range A..B [--against C..D] [OPTION]..."},
            .text = N_("Compares two recordings, or two ranges of one (without --against: the rest "
                       "of it), and tells differences from sampling noise: the test holds for all "
                       "functions together.  With --fail-above it is a gate for a build: exit "
                       "status 1 when a function grew."),
            .examples = {"proftop diff old.proftop new.proftop",
                         "proftop diff old.proftop new.proftop --fail-above 2"},
        },
    [COMMAND_DUMP] =
        {
            .name = "dump",
            .brief = N_("every thread's stack once, then leave"),
            .synopses = {"dump -p PID [OPTION]..."},
            .text = N_("Prints what every thread of a process is doing, its state and what it "
                       "waits for; native and Python frames, innermost first."),
            .examples = {"proftop dump -p 1234"},
        },
    [COMMAND_DOCTOR] =
        {
            .name = "doctor",
            .brief = N_("what works here, and the smallest fix"),
            .synopses = {"doctor [-p PID] [OPTION]..."},
            .text = N_("Tries each ability and says whether it works, why it does not, and the "
                       "smallest change that would make it work."),
            .examples = {"proftop doctor"},
        },
};

const struct option_info option_table[] = {
    { .id = OPTION_PID,
      .letter = 'p',
      .name = "pid",
      .argument = "PID[,PID]",
      .brief = N_("attach to these processes"),
      .commands = IN_LIVE_RECORD | IN(DUMP) | IN(DOCTOR) },
    { .id = OPTION_RATE,
      .letter = 'F',
      .name = "rate",
      .argument = "HZ",
      .brief = N_("samples a second of CPU time (99)"),
      .more = N_("From 1 to 10000.  Lowered by itself, visibly, when it can't be held, and raised "
                 "again."),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_EVENT,
      .letter = 'e',
      .name = "event",
      .argument = N_("NAME[,NAME...]"),
      .brief = N_("what drives the samples (cpu-clock)"),
      .more = N_("cycles, page-faults, cache-misses, context-switches, or any other software or "
                 "hardware event that perf list shows.  What follows the first, which must then "
                 "be a clock or cycles, is counted beside its samples and told of each function: "
                 "page-faults, cycles, instructions, cache-misses, branch-misses.  The last three "
                 "are counted unasked where cycles drive the samples, and give IPC and misses in "
                 "1,000 instructions."),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_SOURCE,
      .name = "source",
      .argument = "auto|perf|ptrace",
      .choices = "auto|perf|ptrace",
      .brief = N_("who takes the samples (auto)"),
      .more = N_("auto is perf where that is permitted and no Python runs, else ptrace; it goes "
                 "over to ptrace when Python appears, and when most time goes unseen in short "
                 "lives that only system-wide perf events would see."),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_NO_KERNEL,
      .name = "no-kernel",
      .brief = N_("leave that part out"),
      .more = N_("Leaves kernel frames out.  Time in the kernel that was not sampled is one frame, "
                 "[kernel], below what the thread's samples around it have in common."),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_NO_PYTHON,
      .name = "no-python",
      .brief = N_("leave that part out"),
      .more = N_("Leaves Python frames out."),
      .commands = IN_LIVE_RECORD | IN(DUMP) },
    { .id = OPTION_NO_CHILDREN,
      .name = "no-children",
      .brief = N_("leave that part out"),
      .more = N_("Does not follow forked children."),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_CHILDREN,
      .name = "children",
      .brief = N_("follow forked children (the default)"),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_NO_INLINE,
      .name = "no-inline",
      .brief = N_("leave that part out"),
      .more = N_("Leaves inlined calls out."),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_NO_WAITING,
      .name = "no-waiting",
      .brief = N_("leave that part out"),
      .more = N_("Takes no samples of waiting threads."),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_DURATION,
      .letter = 'd',
      .name = "duration",
      .argument = N_("SECONDS"),
      .brief = N_("stop by itself"),
      .more = N_("record then terminates what it launched, and its exit status is 0."),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_LANES_PERIOD,
      .name = "lanes-period",
      .argument = N_("SECONDS"),
      .brief = N_("between readings of the counters (1)"),
      .more = N_("From 0.1 to 60.  What the kernel itself counts more slowly, such as the load, "
                 "gets no finer by it."),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_OUTPUT,
      .letter = 'o',
      .name = "output",
      .argument = N_("FILE"),
      .brief = N_("where to; - is standard output"),
      .more = N_("An existing file is left alone unless --force is given."),
      .commands = IN(RECORD) | IN(REPORT) },
    { .id = OPTION_FORMAT,
      .name = "format",
      .argument = N_("NAME"),
      .brief = N_("session, text, json, folded, speedscope, pprof, callgrind, perf-script, svg, "
                  "html or csv"),
      .more = N_("For diff, dump and doctor: text or json."),
      .commands = IN(RECORD) | IN(REPORT) | IN(DIFF) | IN(DUMP) | IN(DOCTOR) },
    { .id = OPTION_JSON,
      .name = "json",
      .brief = N_("the same as --format json"),
      .commands = IN(RECORD) | IN(REPORT) | IN(DIFF) | IN(DUMP) | IN(DOCTOR) },
    { .id = OPTION_VIEW,
      .name = "view",
      .argument = N_("NAME"),
      .choices = "top|tree|callers|threads|time|waits|syscalls",
      .brief = N_("top, tree, callers, threads, time, waits or syscalls"),
      .more =
          N_("Which table text and csv print.  JSON holds those that are asked for by repeating "
             "it, all of them otherwise."),
      .commands = IN(REPORT) },
    { .id = OPTION_METRIC,
      .name = "metric",
      .argument = N_("NAME"),
      .brief = N_("what the shares are shares of (cpu)"),
      .more = N_("cpu, wait, event, faults, read, write, syscalls, lock, mapped, cycles, "
                 "instructions, cache-misses or branch-misses."),
      .commands = IN_SCOPED },
    { .id = OPTION_MAX_SIZE,
      .name = "max-size",
      .argument = "MB",
      .brief = N_("bound of the session file"),
      .more = N_("The oldest detail is thinned first, and the recording says so."),
      .commands = IN_LIVE_RECORD },
    { .id = OPTION_FORCE,
      .name = "force",
      .brief = N_("overwrite the output file"),
      .commands = IN(RECORD) | IN(REPORT) },
    { .id = OPTION_RANGE,
      .name = "range",
      .argument = "A..B",
      .brief = N_("seconds from the start, or clock times"),
      .more = N_("Either end may be left out."),
      .commands = IN_SCOPED },
    { .id = OPTION_AGAINST,
      .name = "against",
      .argument = "C..D",
      .brief = N_("the range to compare with (the rest)"),
      .commands = IN(DIFF) },
    { .id = OPTION_THREAD,
      .name = "thread",
      .argument = N_("NAME|TID"),
      .brief = N_("only these threads"),
      .more = N_("A name may be a pattern such as 'worker-*'; ids are separated by commas."),
      .commands = IN_SCOPED },
    { .id = OPTION_PROCESS,
      .name = "process",
      .argument = "PID[,PID]",
      .brief = N_("only these processes"),
      .commands = IN_SCOPED },
    { .id = OPTION_FILTER,
      .name = "filter",
      .argument = "REGEX",
      .brief = N_("only stacks with a matching frame"),
      .more = N_("An extended regular expression, tried on function, module and file."),
      .commands = IN_SCOPED },
    { .id = OPTION_STATE,
      .name = "state",
      .argument = "on|waiting|gil|all",
      .choices = "on|waiting|gil|all",
      .brief = N_("on a CPU, waiting, holding the GIL, all (on)"),
      .commands = IN_SCOPED },
    { .id = OPTION_TOP,
      .letter = 'n',
      .name = "top",
      .argument = "N",
      .brief = N_("at most so many rows"),
      .commands = IN(REPORT) | IN(DIFF) },
    { .id = OPTION_FAIL_ABOVE,
      .name = "fail-above",
      .argument = "PT",
      .brief = N_("exit 1 when a share grew by more points"),
      .more = N_("Growth within sampling noise never fails."),
      .commands = IN(DIFF) },
    { .id = OPTION_FUNCTION,
      .name = "function",
      .argument = "REGEX",
      .brief = N_("the functions it is about"),
      .more =
          N_("diff: the only ones compared.  report: whose callers are shown, the busiest match; "
             "without it the busiest function."),
      .commands = IN(DIFF) | IN(REPORT) },
    { .id = OPTION_PER_SECOND,
      .name = "per-second",
      .brief = N_("compare cost a second, not shares"),
      .commands = IN(DIFF) },
    { .id = OPTION_DEBUGINFOD,
      .name = "debuginfod",
      .brief = N_("allow fetching debug files"),
      .more =
          N_("Off by default; in the background, from the servers in DEBUGINFOD_URLS.  report and "
             "open so name what a session has without a name or a line, by the build ids in "
             "it, also from debug files that are installed here; other names stay as they "
             "were recorded.  report waits for at most a minute."),
      .commands = IN_LIVE_RECORD | IN(REPORT) | IN(OPEN) },
    { .id = OPTION_THEME,
      .name = "theme",
      .argument = N_("NAME"),
      .brief = N_("looks"),
      .more = N_("default, light, mono or colour-blind."),
      .commands = IN(LIVE) | IN(OPEN) },
    { .id = OPTION_ASCII,
      .name = "ascii",
      .brief = N_("looks"),
      .more = N_("Draws with ASCII only."),
      .commands = IN(LIVE) | IN(OPEN) },
    { .id = OPTION_NO_COLOR,
      .name = "no-color",
      .brief = N_("looks"),
      .more = N_("No colours; so does NO_COLOR in the environment."),
      .commands = IN(LIVE) | IN(OPEN) },
    { .id = OPTION_NO_MOUSE,
      .name = "no-mouse",
      .brief = N_("looks"),
      .more = N_("Leaves the mouse to the terminal."),
      .commands = IN(LIVE) | IN(OPEN) },
    { .id = OPTION_SCRIPT,
      .name = "script",
      .argument = N_("FILE"),
      .brief = N_("replay keys and save screens"),
      .commands = IN(OPEN) },
    { .id = OPTION_SIZE,
      .name = "size",
      .argument = "CxR",
      .brief = N_("columns and rows of a replayed screen"),
      .commands = IN(OPEN) },
    { .id = OPTION_VERSION,
      .letter = 'V',
      .name = "version",
      .brief = N_("print that and leave"),
      .commands = IN_ALL },
    { .id = OPTION_HELP,
      .letter = 'h',
      .name = "help",
      .brief = N_("print that and leave"),
      .commands = IN_ALL },
};

const unsigned option_count = sizeof(option_table) / sizeof(option_table[0]);
