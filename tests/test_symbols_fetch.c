/* SPDX-License-Identifier: MIT */
/* Debug files from debuginfod: Debian's own server, on the loopback interface. */
#include "config.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "tests/harness/debuginfod.h"
#include "tests/harness/testing.h"
#include "tests/symbols_fixture.h"

enum { DEADLINE_S = 60 };

/* World with debuginfod allowed, asking URLS. */
static void allow(struct world *world, const char *urls, uint64_t max_bytes)
{
    struct symbols_config config = { .inlines = true,
                                     .debuginfod = true,
                                     .fetch_max_bytes = max_bytes };
    char *cache = xasprintf("%s/cache", world->folder);

    config.debug_dirs = world->folder;
    debuginfod_use(urls, cache);
    symbols_free(world->symbols);
    world->symbols = symbols_new(&config, world->modules, world->codes);
    free(cache);
}

static void build(const struct world *world)
{
    debuginfod_need();
    assert_true(world_run(world, "cc -g -O2 -o plain \"$CALLS\" && strip -o stripped plain"
                                 " && mkdir served && cp plain served/"));
}

static void serve(const struct world *world, struct debuginfod *server)
{
    char *folder = xasprintf("%s/served", world->folder);

    debuginfod_start(server, folder);
    free(folder);
}

static void a_debug_file_is_fetched_in_the_background(void **state)
{
    struct world *world = *state;
    struct symbols_counts counts;
    struct symbol chain[8];
    struct frame frame;
    struct debuginfod server;
    uint32_t version;

    build(world);
    alarm(DEADLINE_S);
    serve(world, &server);
    allow(world, server.url, 0);
    version = symbols_version(world->symbols);
    frame =
        world_frame_like(world, world_module(world, "stripped", O_RDONLY), "plain", "at_innermost");
    symbols_fast(world->symbols, &frame, chain);
    assert_true(symbols_await(world->symbols, version));
    assert_false(symbols_await(world->symbols, symbols_version(world->symbols)));
    symbols_fast(world->symbols, &frame, chain);
    assert_string_equal(symbols_name(world->symbols, &chain[0]), "outer");
    assert_int_equal(symbols_full(world->symbols, &frame, chain, 8), 3);
    assert_string_equal(symbols_name(world->symbols, &chain[0]), "innermost");
    assert_null(symbols_trouble(world->symbols, frame.module));
    symbols_counts(world->symbols, &counts);
    assert_int_equal(counts.fetched, 1);
    debuginfod_stop(&server);
    alarm(0);
}

/* 64 MB where 1 MB may be fetched. */
static void what_is_too_large_is_broken_off(void **state)
{
    struct world *world = *state;
    struct debuginfod server;
    struct symbols_counts counts;
    struct symbol symbol;
    struct frame frame;

    build(world);
    assert_true(world_run(world, "head -c 64M /dev/zero >zeros"
                                 " && objcopy --add-section .pad=zeros served/plain"));
    alarm(DEADLINE_S);
    serve(world, &server);
    allow(world, server.url, 1 << 20);
    frame =
        world_frame_like(world, world_module(world, "stripped", O_RDONLY), "plain", "at_innermost");
    symbols_fast(world->symbols, &frame, &symbol);
    assert_false(symbols_await(world->symbols, symbols_version(world->symbols)));
    symbols_counts(world->symbols, &counts);
    assert_int_equal(counts.fetched, 0);
    debuginfod_stop(&server);
    alarm(0);
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
    allow(world, " ", 0);
    assert_string_equal(symbols_fetching(world->symbols), "debuginfod: DEBUGINFOD_URLS is not set");
}

/* A server that accepts and then says nothing: ending does not wait for it. */
static void a_silent_server_does_not_hold_up_the_end(void **state)
{
    struct world *world = *state;
    struct frame frame;
    struct symbol symbol;
    int fd, client;
    char *url;

    build(world);
    fd = debuginfod_silent(&url);
    alarm(DEADLINE_S);
    allow(world, url, 0);
    frame =
        world_frame_like(world, world_module(world, "stripped", O_RDONLY), "plain", "at_innermost");
    symbols_fast(world->symbols, &frame, &symbol);
    client = accept(fd, NULL, NULL);
    assert_true(client >= 0);
    assert_string_equal(symbols_fetching(world->symbols), "fetching debug files");
    /* Meanwhile names are given as ever. */
    symbols_fast(world->symbols, &frame, &symbol);
    assert_false(symbol.known);
    symbols_fetch_no_more(world->symbols);
    assert_false(symbols_await(world->symbols, symbols_version(world->symbols)));
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
        each(a_debug_file_is_fetched_in_the_background), each(what_is_too_large_is_broken_off),
        each(nothing_is_fetched_unless_allowed),         each(a_missing_server_is_told),
        each(a_silent_server_does_not_hold_up_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
