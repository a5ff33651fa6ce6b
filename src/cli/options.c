/* SPDX-License-Identifier: MIT */
/*
 * The parser of the command line: getopt_long(3), its arguments generated from option_table, so
 * that abbreviations, "--name=value" and bundled letters work as everywhere else.
 */
#include "config.h"

#include "proftop/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proftop/gettext.h"
#include "proftop/memory.h"

/* Long-only options return this plus their enum option_id. */
enum { LONG_BASE = 1000, OPTIONS_MAX = 64 };

const char *command_title(enum command command)
{
    static const char *const titles[COMMANDS] = {
        [COMMAND_LIVE] = PACKAGE,
        [COMMAND_OPEN] = PACKAGE " open",
        [COMMAND_RECORD] = PACKAGE " record",
        [COMMAND_REPORT] = PACKAGE " report",
        [COMMAND_DIFF] = PACKAGE " diff",
        [COMMAND_DUMP] = PACKAGE " dump",
        [COMMAND_DOCTOR] = PACKAGE " doctor",
    };

    return titles[command];
}

/* A mistake on the command line; the hint names the help that answers it. */
#define usage(options, error, ...)                                                                 \
    (error_set(error, STATUS_USAGE, __VA_ARGS__),                                                  \
     error_hint(error, _("see \"%s --help\""), command_title((options)->command)), false)

static bool parse_number(const struct options *options, const struct option_info *option,
                         const char *text, double low, double high, double *value,
                         struct error *error)
{
    char *end;

    errno = 0;
    *value = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !isfinite(*value))
        return usage(options, error, _("--%s wants a number, not \"%s\""), option->name, text);
    if (*value < low || *value > high)
        return usage(options, error, _("--%s must lie between %.10g and %.10g, not be %s"),
                     option->name, low, high, text);
    return true;
}

/* "12,34" appended to IDS. */
static bool parse_ids(const struct options *options, const struct option_info *option,
                      const char *text, int32_t *ids, unsigned *count, unsigned room,
                      struct error *error)
{
    const char *at = text;

    for (;;) {
        char *end;
        long id;

        errno = 0;
        id = strtol(at, &end, 10);
        if (end == at || errno != 0 || id < 1 || id > INT32_MAX || (*end != ',' && *end != '\0'))
            return usage(options, error, _("--%s wants process ids, not \"%s\""), option->name,
                         text);
        if (*count == room)
            return usage(options, error, _("--%s takes at most %u ids"), option->name, room);
        ids[(*count)++] = (int32_t)id;
        if (*end == '\0')
            return true;
        at = end + 1;
    }
}

/* A thread is named by tids or by a name, which may be a pattern. */
static bool parse_thread(struct options *options, const struct option_info *option,
                         const char *text, struct error *error)
{
    if (strspn(text, "0123456789,") == strlen(text) && *text != '\0')
        return parse_ids(options, option, text, options->threads, &options->thread_count,
                         SCOPE_THREADS_MAX - 1, error);
    if (strlen(text) >= SCOPE_TEXT_MAX)
        return usage(options, error, _("--%s takes at most %d bytes"), option->name,
                     SCOPE_TEXT_MAX - 1);
    options->thread_name = text;
    return true;
}

static bool parse_size(struct options *options, const char *text, struct error *error)
{
    char *end;
    long columns = strtol(text, &end, 10), rows = 0;

    if (end != text && *end == 'x')
        rows = strtol(end + 1, &end, 10);
    if (*end != '\0' || columns < 1 || rows < 1 || columns > 1000 || rows > 1000)
        return usage(options, error, _("--size wants COLUMNSxROWS such as 80x24, not \"%s\""),
                     text);
    options->columns = (int)columns;
    options->rows = (int)rows;
    return true;
}

static enum scope_state state_of(const char *text)
{
    static const char *const states[SCOPE_STATES] = {
        [SCOPE_ON_CPU] = "on",
        [SCOPE_WAITING] = "waiting",
        [SCOPE_GIL] = "gil",
        [SCOPE_ALL] = "all",
    };
    unsigned state = 0;

    while (state < SCOPE_ALL && strcmp(states[state], text) != 0)
        state++;
    return state;
}

/* TEXT is one of "a|b|c". */
static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);

    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (length > 0 && strcspn(text, "|") == length && strncmp(at, text, length) == 0 &&
            (at[length] == '|' || at[length] == '\0'))
            return true;
    }
    return false;
}

static bool add_view(struct options *options, const char *view, struct error *error)
{
    for (unsigned i = 0; i < options->view_count; i++)
        if (strcmp(options->views[i], view) == 0)
            return true;
    if (options->view_count == OPTION_VIEWS_MAX)
        return usage(options, error, _("--view may be repeated %d times"), OPTION_VIEWS_MAX);
    options->views[options->view_count++] = view;
    return true;
}

static bool set_numeric(struct options *options, const struct option_info *option, const char *text,
                        struct error *error)
{
    static const struct {
        enum option_id id;
        double low, high;
    } bounds[] = {
        { OPTION_RATE, 1, 10000 }, { OPTION_DURATION, 0.01, 1e7 }, { OPTION_MAX_SIZE, 1, 1e6 },
        { OPTION_TOP, 1, 1e9 },    { OPTION_FAIL_ABOVE, 0, 1e6 },  { OPTION_LANES_PERIOD, 0.1, 60 },
    };
    double value = 0;

    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
        if (bounds[i].id == option->id &&
            !parse_number(options, option, text, bounds[i].low, bounds[i].high, &value, error))
            return false;
    switch (option->id) {
    case OPTION_RATE:
        options->rate_hz = (uint32_t)value;
        options->rate_given = true;
        break;
    case OPTION_DURATION:
        options->duration_s = value;
        break;
    case OPTION_LANES_PERIOD:
        options->lanes_period_s = value;
        break;
    case OPTION_MAX_SIZE:
        options->max_bytes = (uint64_t)(value * 1e6);
        break;
    case OPTION_TOP:
        options->top = (unsigned)value;
        break;
    default:
        options->fail_above = value;
    }
    return true;
}

static void set_flag(struct options *options, enum option_id id)
{
    switch (id) {
    case OPTION_NO_KERNEL:
        options->kernel = false;
        break;
    case OPTION_NO_PYTHON:
        options->python = false;
        break;
    case OPTION_NO_CHILDREN:
        options->children = false;
        break;
    case OPTION_CHILDREN:
        options->children = true;
        break;
    case OPTION_NO_INLINE:
        options->inlines = false;
        break;
    case OPTION_NO_WAITING:
        options->waiting = false;
        break;
    case OPTION_JSON:
        options->format = "json";
        break;
    case OPTION_FORCE:
        options->force = true;
        break;
    case OPTION_PER_SECOND:
        options->per_second = true;
        break;
    case OPTION_DEBUGINFOD:
        options->debuginfod = true;
        break;
    case OPTION_ASCII:
        options->ascii = true;
        break;
    case OPTION_NO_COLOR:
        options->color = false;
        break;
    case OPTION_NO_MOUSE:
        options->mouse = false;
        break;
    case OPTION_VERSION:
        options->version = true;
        break;
    default:
        options->help = true;
    }
}

static bool set_option(struct options *options, const struct option_info *option, const char *text,
                       struct error *error)
{
    if (option->argument == NULL) {
        set_flag(options, option->id);
        return true;
    }
    if (option->choices != NULL && !is_choice(option->choices, text))
        return usage(options, error, _("--%s is one of %s, not \"%s\""), option->name,
                     option->choices, text);
    switch (option->id) {
    case OPTION_PID:
        return parse_ids(options, option, text, options->pids, &options->pid_count, OPTION_PIDS_MAX,
                         error);
    case OPTION_PROCESS:
        return parse_ids(options, option, text, options->processes, &options->process_count,
                         SCOPE_THREADS_MAX - 1, error);
    case OPTION_THREAD:
        return parse_thread(options, option, text, error);
    case OPTION_VIEW:
        return add_view(options, text, error);
    case OPTION_SIZE:
        return parse_size(options, text, error);
    case OPTION_STATE:
        options->state = state_of(text);
        options->state_given = true;
        return true;
    case OPTION_EVENT:
        options->event = text;
        return true;
    case OPTION_SOURCE:
        options->source = text;
        return true;
    case OPTION_OUTPUT:
        options->output = text;
        return true;
    case OPTION_FORMAT:
        options->format = text;
        return true;
    case OPTION_METRIC:
        options->metric = text;
        return true;
    case OPTION_RANGE:
        options->range = text;
        return true;
    case OPTION_AGAINST:
        options->against = text;
        return true;
    case OPTION_FILTER:
        options->filter = text;
        return true;
    case OPTION_FUNCTION:
        options->function = text;
        return true;
    case OPTION_THEME:
        options->theme = text;
        return true;
    case OPTION_SCRIPT:
        options->script = text;
        return true;
    default:
        return set_numeric(options, option, text, error);
    }
}

static const struct option_info *find_option(int id)
{
    for (unsigned i = 0; i < option_count; i++)
        if (id == option_table[i].letter || id == LONG_BASE + (int)option_table[i].id)
            return &option_table[i];
    return NULL;
}

/* The options of COMMAND as getopt_long wants them.  '-': operands come in their place. */
static void generate(enum command command, char *letters, struct option *longs)
{
    *letters++ = '-';
    *letters++ = ':';
    for (unsigned i = 0; i < option_count; i++) {
        const struct option_info *option = &option_table[i];

        if ((option->commands & 1u << command) == 0)
            continue;
        if (option->letter != 0) {
            *letters++ = option->letter;
            if (option->argument != NULL)
                *letters++ = ':';
        }
        *longs++ = (struct option){
            .name = option->name,
            .has_arg = option->argument != NULL ? required_argument : no_argument,
            .val = LONG_BASE + (int)option->id,
        };
    }
    *letters = '\0';
    *longs = (struct option){ 0 };
}

/* Says what is wrong with WORD, which getopt did not know: foreign to this command, or to all. */
static bool refuse_option(const struct options *options, const char *word, struct error *error)
{
    size_t length = strcspn(word, "=");

    for (unsigned i = 0; i < option_count; i++) {
        const struct option_info *option = &option_table[i];
        bool same = strncmp(word, "--", 2) == 0
                        ? length - 2 == strlen(option->name) &&
                              strncmp(word + 2, option->name, length - 2) == 0
                        : optopt != 0 && optopt == option->letter;

        if (same && (option->commands & 1u << options->command) == 0)
            return usage(options, error, _("--%s is no option of \"%s\""), option->name,
                         command_title(options->command));
    }
    if (optopt > 0 && optopt < LONG_BASE && strncmp(word, "--", 2) != 0)
        return usage(options, error, _("unknown option \"-%c\""), optopt);
    if (optopt >= LONG_BASE)
        return usage(options, error, _("\"%s\" takes no argument"), word);
    return usage(options, error, _("unknown or ambiguous option \"%s\""), word);
}

static bool take_operand(struct options *options, char *word, struct error *error)
{
    if (options->command == COMMAND_LIVE || options->command == COMMAND_RECORD) {
        bool number = *word != '\0' && strspn(word, "0123456789") == strlen(word);

        error_set(error, STATUS_USAGE, _("\"%s\" is neither an option nor a subcommand"), word);
        error_hint(error,
                   number ? _("to attach to process %2$s: %1$s -p %2$s")
                          : _("to launch it: %1$s -- %2$s"),
                   command_title(options->command), word);
        return false;
    }
    options->files[options->file_count++] = word;
    return true;
}

/* What getopt can't know: how many operands each command wants, and what must not meet. */
static bool check(const struct options *options, struct error *error)
{
    unsigned files = options->file_count;

    switch (options->command) {
    case COMMAND_OPEN:
        if (files != 1)
            return usage(options, error, _("which file is to be opened?"));
        break;
    case COMMAND_REPORT:
        if (files == 0)
            return usage(options, error, _("which file is the report about?"));
        break;
    case COMMAND_DIFF:
        if (options->range != NULL ? files != 1 : files != 2)
            return usage(options, error,
                         _("diff wants two files, or one file and --range (%u were given)"), files);
        if (options->against != NULL && options->range == NULL)
            return usage(options, error, _("--against needs --range"));
        break;
    default:
        if (files > 0)
            return usage(options, error, _("\"%s\" takes no operand, not \"%s\""),
                         command_title(options->command), options->files[0]);
    }
    if (options->launch != NULL && options->pid_count > 0)
        return usage(options, error, _("either attach with -p or launch a command, not both"));
    if (options->command == COMMAND_RECORD && options->launch == NULL && options->pid_count == 0)
        return usage(options, error, _("what is to be recorded? Give -p PID or -- COMMAND"));
    if (options->command == COMMAND_DUMP && options->pid_count != 1)
        return usage(options, error, _("dump wants one -p PID"));
    if (options->command == COMMAND_DOCTOR && options->pid_count > 1)
        return usage(options, error, _("doctor takes one -p PID"));
    return true;
}

/* What follows "--": a command to launch, or operands that may begin with a dash. */
static bool take_rest(struct options *options, int argc, char **argv, struct error *error)
{
    if (options->command == COMMAND_LIVE || options->command == COMMAND_RECORD) {
        if (optind == argc)
            return usage(options, error, _("no command follows \"--\""));
        options->launch = argv + optind;
        return true;
    }
    for (int i = optind; i < argc; i++)
        options->files[options->file_count++] = argv[i];
    return true;
}

static bool parse_words(struct options *options, int argc, char **argv, struct error *error)
{
    char letters[2 * OPTIONS_MAX + 3];
    struct option longs[OPTIONS_MAX + 1];

    generate(options->command, letters, longs);
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    for (;;) {
        int before = optind == 0 ? 1 : optind;
        int id = getopt_long(argc, argv, letters, longs, NULL);

        if (id == -1)
            return before < argc && strcmp(argv[before], "--") == 0
                       ? take_rest(options, argc, argv, error)
                       : true;
        if (id == 1) {
            if (!take_operand(options, optarg, error))
                return false;
            continue;
        }
        if (id == ':')
            return usage(options, error, _("\"%s\" wants an argument"), argv[optind - 1]);
        if (id == '?')
            return refuse_option(options, argv[before], error);
        if (!set_option(options, find_option(id), optarg, error))
            return false;
    }
}

static enum command command_of(const char *word)
{
    enum command command = COMMAND_LIVE + 1;

    while (command < COMMANDS && strcmp(command_table[command].name, word) != 0)
        command++;
    return command < COMMANDS ? command : COMMAND_LIVE;
}

bool options_parse(struct options *options, int argc, char **argv, struct error *error)
{
    *options = (struct options){
        .rate_hz = 99,
        .source = "auto",
        .kernel = true,
        .python = true,
        .children = true,
        .inlines = true,
        .waiting = true,
        .lanes_period_s = 1,
        .color = true,
        .mouse = true,
        .fail_above = -1,
        .files = xcalloc((size_t)argc + 1, sizeof(char *)),
    };
    if (argc > 1)
        options->command = command_of(argv[1]);
    if (options->command != COMMAND_LIVE) {
        argc--;
        argv++;
    }
    if (!parse_words(options, argc, argv, error))
        return false;
    return options->help || options->version || check(options, error);
}

void options_fini(struct options *options)
{
    free(options->files);
    options->files = NULL;
}
