/* SPDX-License-Identifier: MIT */
/* Debug files for tests: see debuginfod.h. */
#include "config.h"

#include "tests/harness/debuginfod.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "tests/harness/testing.h"

/* A socket on a port that nobody uses at the moment. */
static int bind_somewhere(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

void debuginfod_need(void)
{
    void *library = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);

    if (system("command -v debuginfod >/dev/null 2>&1") != 0)
        skip_because("no debuginfod");
    /* Nothing links it, so an emulator's folder of libraries need not have it. */
    if (library == NULL)
        skip_because("no debuginfod library");
    dlclose(library);
}

void debuginfod_start(struct debuginfod *server, const char *folder)
{
    char line[1024], *argument;
    bool recorded = false, groomed = false;
    int ends[2], port;
    FILE *words;

    close(bind_somewhere(&port));
    server->url = xasprintf("http://127.0.0.1:%d", port);
    argument = xasprintf("%d", port);
    assert_int_equal(pipe(ends), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a case that fails leaves none behind */
        execlp("debuginfod", "debuginfod", "-vvv", "-d", ":memory:", "-F", "-p", argument, folder,
               (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    words = fdopen(ends[0], "r");
    /* While it grooms its database it answers nobody, which a thread does when it comes to it. */
    while (!recorded || !groomed) {
        assert_non_null(fgets(line, sizeof(line), words));
        recorded |= strstr(line, "atype=ED") != NULL;
        groomed |= strstr(line, "groomed database") != NULL;
    }
    fclose(words); /* it goes on talking, to nobody */
    free(argument);
}

void debuginfod_stop(struct debuginfod *server)
{
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
    free(server->url);
}

void debuginfod_use(const char *urls, const char *cache)
{
    setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
    setenv("DEBUGINFOD_URLS", urls, 1);
    setenv("no_proxy", "127.0.0.1", 1);
}

int debuginfod_silent(char **url)
{
    int port, fd = bind_somewhere(&port);

    assert_int_equal(listen(fd, 16), 0);
    *url = xasprintf("http://127.0.0.1:%d", port);
    return fd;
}
