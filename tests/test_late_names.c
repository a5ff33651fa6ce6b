/* SPDX-License-Identifier: MIT */
/*
 * Names that a saved session gets later: from debug files of the build ids in it, which only a
 * server has, and never from a file that the session names.
 */
#include "config.h"

#include "proftop/late_names.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proftop/clock.h"
#include "proftop/history.h"
#include "proftop/memory.h"
#include "proftop/session.h"
#include "proftop/text.h"
#include "tests/harness/debuginfod.h"
#include "tests/harness/terminal.h"
#include "tests/harness/testing.h"
#include "tests/symbols_fixture.h"

enum { DEADLINE_S = 60, MANY = 1000, MANY_MAX = 256, NUMBER = 77 };

/* ---- a saved session, made up ---------------------------------------------------------------- */

/* One whose frames are in modules of which only the build ids are known. */
struct saved {
    struct history *history;
    struct names *names;
    struct profile *profile;
};

static void saved_init(struct saved *saved)
{
    struct profile_info info = { .command = "saved" };
    struct history_config config = { .info = &info, .lanes = lanes_new(), .own_lanes = true };

    saved->history = history_new(&config);
    saved->names = history_names(saved->history);
    saved->profile = history_profile(saved->history, true);
}

static void saved_fini(struct saved *saved)
{
    profile_unref(saved->profile);
    history_free(saved->history);
}

/* The file "stripped" of WORLD as module NUMBER, called NAME or as it is; the point's location. */
static location_id saved_point(struct saved *saved, struct world *world, const char *name)
{
    module_id id = world_module(world, "stripped", O_RDONLY);
    struct frame frame = world_frame_like(world, id, "plain", "at_innermost");
    struct segment segments[SEGMENTS_MAX];
    struct module module;

    assert_true(symbols_describe(world->symbols, id, &module, segments));
    module.id = frame.module = NUMBER;
    if (name != NULL)
        module.name = name;
    names_keep_module(saved->names, &module);
    return names_locate(saved->names, &frame);
}

static const struct function *function_at(const struct saved *saved, location_id location,
                                          unsigned depth)
{
    const struct naming *naming = names_of(saved->names, location);

    assert_true(depth < naming->count);
    return names_get(saved->names, naming->frames[depth].function);
}

/* What a recorder that had no debug file called LOCATION. */
static void call_it(const struct saved *saved, location_id location, const char *name,
                    uint32_t line)
{
    struct function function = { .name = name, .raw_name = name, .module = "stripped", .file = "" };
    struct placed placed = { names_function(saved->names, &function), line };

    names_set(saved->names, location, NAMING_FULL, &placed, 1);
}

/* ---- servers --------------------------------------------------------------------------------- */

static char *inside(const struct world *world, const char *name)
{
    return xasprintf("%s/%s", world->folder, name);
}

static void use(const struct world *world, const char *urls)
{
    char *cache = inside(world, "cache");

    debuginfod_use(urls, cache);
    free(cache);
}

/* Compiles what is needed; the debug file of "stripped" is at SERVER alone. */
static void build(const struct world *world, struct debuginfod *server, const char *source)
{
    char *command = xasprintf("cc -g -O2 -o plain \"$FIXTURES/%s\" && strip -o stripped plain"
                              " && mkdir served && cp plain served/",
                              source);
    char *served = inside(world, "served");

    debuginfod_need();
    alarm(DEADLINE_S);
    assert_true(world_run(world, command));
    debuginfod_start(server, served);
    use(world, server->url);
    free(command);
    free(served);
}

static void end_server(struct debuginfod *server)
{
    debuginfod_stop(server);
    alarm(0);
}

static bool wait_for(struct late_names *late)
{
    return late_names_wait(late, clock_now_ns() + DEADLINE_S * NS_PER_S);
}

/* Names all that can be; the sentence about the rest is MISSING, NULL: there is none. */
static void name_late(const struct saved *saved, const char *missing)
{
    struct late_names *late = late_names_start(saved->profile);
    char text[1024] = "";

    assert_true(wait_for(late));
    if (late_names_missing(late, text, sizeof(text)) != (missing != NULL))
        fail_msg("missing: \"%s\"", text);
    assert_string_equal(text, missing != NULL ? missing : "");
    late_names_end(late);
}

/* ---- names that come ------------------------------------------------------------------------- */

static void a_name_its_line_and_inlined_calls_come(void **state)
{
    struct world *world = *state;
    struct debuginfod server;
    struct saved saved;
    location_id point;

    build(world, &server, "calls.c");
    saved_init(&saved);
    point = saved_point(&saved, world, NULL);
    call_it(&saved, point, "stripped+0x1139", 0);
    name_late(&saved, NULL);
    assert_int_equal(names_of(saved.names, point)->count, 3);
    assert_string_equal(function_at(&saved, point, 0)->name, "innermost");
    assert_int_equal(function_at(&saved, point, 0)->kind, FRAME_INLINE);
    assert_string_equal(function_at(&saved, point, 1)->name, "middle");
    assert_string_equal(function_at(&saved, point, 2)->name, "outer");
    assert_non_null(strstr(function_at(&saved, point, 2)->file, "calls.c"));
    assert_int_not_equal(names_of(saved.names, point)->frames[2].line, 0);
    saved_fini(&saved);
    end_server(&server);
}

/* The cache that all clients share, without asking again. */
static void what_was_fetched_before_needs_no_server(void **state)
{
    struct world *world = *state;
    struct debuginfod server;
    struct saved saved;
    location_id point;

    build(world, &server, "calls.c");
    saved_init(&saved);
    saved_point(&saved, world, NULL);
    name_late(&saved, NULL);
    saved_fini(&saved);
    end_server(&server);
    alarm(DEADLINE_S);
    saved_init(&saved);
    point = saved_point(&saved, world, NULL);
    name_late(&saved, NULL);
    assert_string_equal(function_at(&saved, point, 0)->name, "innermost");
    saved_fini(&saved);
    alarm(0);
}

static void names_with_lines_stay_as_they_were_recorded(void **state)
{
    struct world *world = *state;
    struct debuginfod server;
    struct saved saved;
    location_id point;

    build(world, &server, "calls.c");
    saved_init(&saved);
    point = saved_point(&saved, world, NULL);
    call_it(&saved, point, "as_it_was_then", 12);
    name_late(&saved, NULL);
    assert_int_equal(names_of(saved.names, point)->count, 1);
    assert_string_equal(function_at(&saved, point, 0)->name, "as_it_was_then");
    saved_fini(&saved);
    end_server(&server);
}

static void a_session_that_grows_is_followed(void **state)
{
    struct world *world = *state;
    struct debuginfod server;
    struct late_names *late;
    struct profile *newer;
    struct saved saved;
    location_id point;

    build(world, &server, "calls.c");
    saved_init(&saved);
    late = late_names_start(saved.profile);
    assert_true(wait_for(late));
    point = saved_point(&saved, world, NULL);
    newer = history_profile(saved.history, true);
    late_names_follow(late, newer);
    assert_true(wait_for(late));
    assert_string_equal(function_at(&saved, point, 0)->name, "innermost");
    late_names_end(late);
    profile_unref(newer);
    saved_fini(&saved);
    end_server(&server);
}

/* ---- what is missing ------------------------------------------------------------------------- */

static void what_could_not_be_had_is_told(void **state)
{
    struct world *world = *state;
    struct debuginfod server;
    struct saved saved;

    build(world, &server, "calls.c");
    end_server(&server);
    use(world, "");
    saved_init(&saved);
    name_late(&saved, "debuginfod: the recording has no build ids of its modules to ask for");
    saved_point(&saved, world, "\033]0;a name\a");
    name_late(&saved, "debuginfod: DEBUGINFOD_URLS is not set: no debug file for ?]0;a name?");
    saved_fini(&saved);
}

static void ending_does_not_wait_for_a_silent_server(void **state)
{
    struct world *world = *state;
    struct debuginfod server;
    struct late_names *late;
    struct saved saved;
    char *url, text[1024];
    int fd, client;

    build(world, &server, "calls.c");
    end_server(&server);
    fd = debuginfod_silent(&url);
    use(world, url);
    alarm(DEADLINE_S);
    saved_init(&saved);
    saved_point(&saved, world, NULL);
    late = late_names_start(saved.profile);
    client = accept(fd, NULL, NULL);
    assert_true(client >= 0);
    assert_false(late_names_wait(late, clock_now_ns()));
    assert_true(late_names_missing(late, text, sizeof(text)));
    assert_string_equal(text, "debuginfod: the servers take too long: no debug file for stripped");
    late_names_end(late);
    alarm(0);
    close(client);
    close(fd);
    saved_fini(&saved);
    free(url);
}

/* ---- strangers' sessions --------------------------------------------------------------------- */

/* A module that is called as a file here, with its own build id: that file is never opened. */
static void no_file_that_the_session_names_is_opened(void **state)
{
    struct world *world = *state;
    struct debuginfod server;
    struct pollfd opened;
    struct saved saved;
    location_id point;
    char *plain = inside(world, "plain"), *missing, shown[256];

    build(world, &server, "calls.c");
    end_server(&server);
    use(world, "");
    saved_init(&saved);
    point = saved_point(&saved, world, plain);
    opened = (struct pollfd){ .fd = inotify_init1(IN_CLOEXEC), .events = POLLIN };
    assert_true(inotify_add_watch(opened.fd, plain, IN_OPEN | IN_ACCESS) >= 0);
    text_fit(shown, sizeof(shown), plain, 40, false);
    missing = xasprintf("debuginfod: DEBUGINFOD_URLS is not set: no debug file for %s", shown);
    name_late(&saved, missing);
    free(missing);
    assert_int_equal(poll(&opened, 1, 0), 0);
    assert_true(function_is_nameless(function_at(&saved, point, 0)));
    close(opened.fd);
    saved_fini(&saved);
    free(plain);
}

/* Answers that nothing is here, and counts how often it was asked. */
struct counting {
    int fd;
    _Atomic unsigned asked;
};

static void *answer(void *argument)
{
    static const char nothing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
                                  "Connection: close\r\n\r\n";
    struct counting *counting = argument;
    char request[4096];
    int client;

    while ((client = accept(counting->fd, NULL, NULL)) >= 0) {
        if (recv(client, request, sizeof(request), 0) > 0) {
            atomic_fetch_add(&counting->asked, 1);
            send(client, nothing, sizeof(nothing) - 1, MSG_NOSIGNAL);
        }
        close(client);
    }
    return NULL;
}

static void save_many(struct saved *saved)
{
    struct segment code = { .size = 4096, .executable = true };

    for (uint32_t i = 1; i <= MANY; i++) {
        struct module module = {
            .id = i, .kind = MODULE_FILE, .path = "", .name = "many", .fd = -1, .segments = &code
        };
        struct frame frame = { .kind = FRAME_NATIVE, .module = i, .address = 16 };

        module.segment_count = 1;
        module.build_id_size = 20;
        memcpy(module.build_id, &i, sizeof(i));
        names_keep_module(saved->names, &module);
        names_locate(saved->names, &frame);
    }
}

static void a_bounded_number_of_modules_is_asked_for(void **state)
{
    struct counting counting = { 0 };
    struct world *world = *state;
    struct saved saved;
    pthread_t thread;
    char *url;

    debuginfod_need();
    counting.fd = debuginfod_silent(&url);
    use(world, url);
    alarm(DEADLINE_S);
    assert_int_equal(pthread_create(&thread, NULL, answer, &counting), 0);
    saved_init(&saved);
    save_many(&saved);
    name_late(&saved, "debuginfod: no debug file for many, many, many and 997 more");
    assert_int_equal(atomic_load(&counting.asked), MANY_MAX);
    shutdown(counting.fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(counting.fd);
    saved_fini(&saved);
    free(url);
    alarm(0);
}

/* Segments that no linker makes, on a debug file that is really there. */
static void absurd_segments_do_no_harm(void **state)
{
    static const struct segment absurd[] = {
        { UINT64_MAX - 1, 1, UINT64_MAX - 1, true },
        { 0, UINT64_MAX, 0, true },
        { 1, UINT64_MAX - 1, 1, true },
        { 0, 0, 0, true },
        { 0, 1 << 20, UINT64_MAX - (1 << 20), true },
    };
    static const uint64_t addresses[] = { 0, 1, 0x1139, 1 << 20, UINT64_MAX / 2, UINT64_MAX };
    struct world *world = *state;
    struct debuginfod server;
    struct segment segments[SEGMENTS_MAX];
    struct module module;
    struct saved saved;
    uint32_t number = 0;

    build(world, &server, "calls.c");
    assert_true(symbols_describe(world->symbols, world_module(world, "stripped", O_RDONLY), &module,
                                 segments));
    saved_init(&saved);
    for (unsigned i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++) {
        module.id = ++number;
        module.pid = (int32_t)number; /* else it would be taken for the same as the last */
        module.segments = &absurd[i];
        module.segment_count = 1;
        names_keep_module(saved.names, &module);
        for (unsigned k = 0; k < sizeof(addresses) / sizeof(addresses[0]); k++) {
            struct frame frame = { .kind = FRAME_NATIVE, .module = number };

            frame.address = addresses[k];
            names_locate(saved.names, &frame);
        }
    }
    name_late(&saved, NULL);
    saved_fini(&saved);
    end_server(&server);
}

/* ---- the program ----------------------------------------------------------------------------- */

/* Records the program "stripped" into turns.proftop. */
static void record(const struct world *world)
{
    if (!world_run(world, "\"$PROFTOP\" record -F 250 -o turns.proftop -- ./stripped"))
        skip_because("nothing may be sampled");
}

/* What COMMAND prints in the world's folder; the caller frees. */
static char *output_of(const struct world *world, const char *command)
{
    char *text = xcalloc(1, 1 << 16), *full = xasprintf("cd '%s' && %s", world->folder, command);
    FILE *pipe = popen(full, "re");

    assert_non_null(pipe);
    assert_true(fread(text, 1, (1 << 16) - 1, pipe) > 0);
    assert_int_equal(pclose(pipe), 0);
    free(full);
    return text;
}

static void assert_output(const struct world *world, const char *command, const char *has,
                          const char *lacks)
{
    char *text = output_of(world, command);

    if (strstr(text, has) == NULL || strstr(text, lacks) != NULL)
        fail_msg("not \"%s\", or \"%s\", in:\n%s", has, lacks, text);
    free(text);
}

#define REPORT "\"$PROFTOP\" report "
#define SCREEN "echo screen | \"$PROFTOP\" open turns.proftop --script - "

static void report_names_what_was_recorded_without_names(void **state)
{
    struct world *world = *state;
    struct debuginfod server;

    build(world, &server, "turns.c");
    record(world);
    assert_output(world, REPORT "turns.proftop", "stripped+0x", "innermost");
    assert_output(world, REPORT "turns.proftop --debuginfod", "innermost", "stripped+0x");
    assert_output(world, REPORT "turns.proftop --debuginfod", "turns.c:", "stripped+0x");
    assert_output(world, REPORT "turns.proftop --debuginfod --view tree", "outer", "stripped+0x");
    assert_output(world, REPORT "turns.proftop turns.proftop --debuginfod", "outer", "stripped+0x");
    /* The file itself stays as it was; another one may have the names. */
    assert_output(world, REPORT "turns.proftop", "stripped+0x", "innermost");
    assert_true(world_run(world, REPORT "turns.proftop --debuginfod --format session"
                                        " -o named.proftop"));
    assert_output(world, REPORT "named.proftop", "innermost", "stripped+0x");
    end_server(&server);
}

static void a_replayed_screen_waits_for_the_names(void **state)
{
    struct world *world = *state;
    struct debuginfod server;

    build(world, &server, "turns.c");
    record(world);
    assert_output(world, SCREEN, "stripped+0x", "innermost");
    assert_output(world, SCREEN "--debuginfod", "innermost", "stripped+0x");
    end_server(&server);
}

/* Nobody is asked before the person allows it. */
static void without_the_option_no_server_is_asked(void **state)
{
    struct world *world = *state;
    struct debuginfod server;
    struct pollfd asked;
    char *url;

    build(world, &server, "turns.c");
    end_server(&server);
    record(world);
    asked = (struct pollfd){ .fd = debuginfod_silent(&url), .events = POLLIN };
    use(world, url);
    assert_output(world, REPORT "turns.proftop 2>&1", "stripped+0x", "debuginfod");
    assert_output(world, SCREEN "2>&1", "stripped+0x", "debuginfod");
    assert_int_equal(poll(&asked, 1, 0), 0);
    close(asked.fd);
    free(url);
}

static struct terminal *open_session(const struct world *world)
{
    char *proftop = testing_built("proftop"), *path = inside(world, "turns.proftop");
    char *urls = xasprintf("DEBUGINFOD_URLS=%s", getenv("DEBUGINFOD_URLS"));
    const char *argv[] = { proftop, "open", path, "--debuginfod", NULL };
    const char *environment[] = { urls, "no_proxy=127.0.0.1", NULL };
    struct terminal_config config = { .environment = environment };
    struct terminal *terminal = terminal_open(argv, &config);

    free(proftop);
    free(path);
    free(urls);
    return terminal;
}

static void open_shows_names_as_they_come(void **state)
{
    struct world *world = *state;
    struct terminal *terminal;
    struct debuginfod server;

    build(world, &server, "turns.c");
    record(world);
    terminal = open_session(world);
    assert_true(terminal_wait_text(terminal, "innermost"));
    terminal_type(terminal, "q");
    assert_int_equal(terminal_wait_exit(terminal), 0);
    terminal_close(terminal);
    end_server(&server);
}

static void open_waits_for_no_server(void **state)
{
    struct world *world = *state;
    struct terminal *terminal;
    struct debuginfod server;
    int fd, client;
    char *url;

    build(world, &server, "turns.c");
    end_server(&server);
    record(world);
    fd = debuginfod_silent(&url);
    use(world, url);
    alarm(DEADLINE_S);
    terminal = open_session(world);
    client = accept(fd, NULL, NULL);
    assert_true(terminal_wait_text(terminal, "stripped+0x"));
    terminal_type(terminal, "2");
    assert_true(terminal_wait_text(terminal, "stripped+0x"));
    terminal_type(terminal, "q");
    assert_int_equal(terminal_wait_exit(terminal), 0);
    terminal_close(terminal);
    alarm(0);
    close(client);
    close(fd);
    free(url);
}

#define each(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(a_name_its_line_and_inlined_calls_come),
        each(what_was_fetched_before_needs_no_server),
        each(names_with_lines_stay_as_they_were_recorded),
        each(a_session_that_grows_is_followed),
        each(what_could_not_be_had_is_told),
        each(ending_does_not_wait_for_a_silent_server),
        each(no_file_that_the_session_names_is_opened),
        each(a_bounded_number_of_modules_is_asked_for),
        each(absurd_segments_do_no_harm),
        each(report_names_what_was_recorded_without_names),
        each(a_replayed_screen_waits_for_the_names),
        each(without_the_option_no_server_is_asked),
        each(open_shows_names_as_they_come),
        each(open_waits_for_no_server),
    };
    char *proftop = testing_built("proftop");

    setenv("PROFTOP", proftop, 1);
    free(proftop);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
