/* SPDX-License-Identifier: MIT */
/* Debug files from debuginfod: Debian's own server, on the loopback interface. */
#include "config.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "tests/harness/testing.h"
#include "tests/symbols_fixture.h"

enum { DEADLINE_S = 60 };

/* A port that nobody uses at the moment. */
static int free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* Starts a server for the files in the world's served/ and waits until it has read them. */
static pid_t start_server(const struct world *world, int port)
{
    char *served = xasprintf("%s/served", world->folder), *argument = xasprintf("%d", port);
    char line[1024];
    int ends[2];
    FILE *words;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("debuginfod", "debuginfod", "-v", "-d", ":memory:", "-F", "-p", argument, served,
               (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    words = fdopen(ends[0], "r");
    do
        assert_non_null(fgets(line, sizeof(line), words));
    while (strstr(line, "fts traversed") == NULL);
    /* It goes on talking, to nobody. */
    signal(SIGPIPE, SIG_IGN);
    free(served);
    free(argument);
    return pid;
}

/* World with debuginfod allowed, asking URLS. */
static void allow(struct world *world, const char *urls)
{
    struct symbols_config config = { .inlines = true, .debuginfod = true };
    char *cache = xasprintf("%s/cache", world->folder);

    config.debug_dirs = world->folder;
    setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
    setenv("DEBUGINFOD_URLS", urls, 1);
    setenv("no_proxy", "127.0.0.1", 1);
    symbols_free(world->symbols);
    world->symbols = symbols_new(&config, world->modules, world->codes);
    free(cache);
}

static bool has_library(void)
{
    void *library = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);

    if (library != NULL)
        dlclose(library);
    return library != NULL;
}

static void build(const struct world *world)
{
    if (!world_has("debuginfod"))
        skip_because("no debuginfod");
    /* Nothing links it, so an emulator's folder of libraries need not have it. */
    if (!has_library())
        skip_because("no debuginfod library");
    assert_true(world_run(world, "cc -g -O2 -o plain \"$CALLS\" && strip -o stripped plain"
                                 " && mkdir served && cp plain served/"));
}

static void a_debug_file_is_fetched_in_the_background(void **state)
{
    struct world *world = *state;
    struct symbols_counts counts;
    struct symbol chain[8];
    struct frame frame;
    int port = free_port();
    char *url = xasprintf("http://127.0.0.1:%d", port);
    uint32_t version;
    pid_t server;

    build(world);
    alarm(DEADLINE_S);
    server = start_server(world, port);
    allow(world, url);
    version = symbols_version(world->symbols);
    frame =
        world_frame_like(world, world_module(world, "stripped", O_RDONLY), "plain", "at_innermost");
    symbols_fast(world->symbols, &frame, chain);
    while (symbols_version(world->symbols) == version)
        sched_yield();
    symbols_fast(world->symbols, &frame, chain);
    assert_string_equal(symbols_name(world->symbols, &chain[0]), "outer");
    assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 3);
    assert_string_equal(symbols_name(world->symbols, &chain[0]), "innermost");
    assert_null(symbols_trouble(world->symbols, frame.module));
    symbols_counts(world->symbols, &counts);
    assert_int_equal(counts.fetched, 1);
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    alarm(0);
    free(url);
}

static void nothing_is_fetched_unless_allowed(void **state)
{
    struct world *world = *state;

    assert_null(symbols_fetching(world->symbols));
}

static void a_missing_server_is_told(void **state)
{
    struct world *world = *state;

    if (!world_has("debuginfod"))
        skip_because("no debuginfod");
    allow(world, " ");
    assert_string_equal(symbols_fetching(world->symbols), "debuginfod: DEBUGINFOD_URLS is not set");
}

/* A server that accepts and then says nothing: ending does not wait for it. */
static void a_silent_server_does_not_hold_up_the_end(void **state)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    struct world *world = *state;
    struct frame frame;
    struct symbol symbol;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
    char *url;

    build(world);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    url = xasprintf("http://127.0.0.1:%d", ntohs(address.sin_port));
    alarm(DEADLINE_S);
    allow(world, url);
    frame =
        world_frame_like(world, world_module(world, "stripped", O_RDONLY), "plain", "at_innermost");
    symbols_fast(world->symbols, &frame, &symbol);
    client = accept(fd, NULL, NULL);
    assert_true(client >= 0);
    assert_string_equal(symbols_fetching(world->symbols), "fetching debug files");
    /* Meanwhile names are given as ever. */
    symbols_fast(world->symbols, &frame, &symbol);
    assert_false(symbol.known);
    symbols_free(world->symbols);
    world->symbols = NULL;
    alarm(0);
    close(client);
    close(fd);
    free(url);
}

#define each(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(a_debug_file_is_fetched_in_the_background),
        each(nothing_is_fetched_unless_allowed),
        each(a_missing_server_is_told),
        each(a_silent_server_does_not_hold_up_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
