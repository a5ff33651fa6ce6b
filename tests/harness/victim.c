/* SPDX-License-Identifier: MIT */
/* Victims: see victim.h. */
#include "config.h"

#include "tests/harness/victim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/memory.h"
#include "tests/harness/testing.h"

void victim_start(struct victim *victim, const char *name, const char *argument)
{
    char *file = xasprintf("tests/victims/%s", name);
    char *path = testing_built(file);

    victim_start_path(victim, path, argument);
    free(file);
    free(path);
}

void victim_start_path(struct victim *victim, const char *path, const char *argument)
{
    int in[2], out[2];
    char byte;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    victim->pid = fork();
    if (victim->pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        execl(path, path, argument, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    victim->gate = in[1];
    victim->told = out[0];
    assert_int_equal(read(victim->told, &byte, 1), 1);
}

int victim_end(struct victim *victim, char *text, size_t size)
{
    char all[4096];
    size_t have = 0;
    ssize_t got;
    int status = 0;

    close(victim->gate);
    while (have < sizeof(all) - 1 &&
           (got = read(victim->told, all + have, sizeof(all) - 1 - have)) > 0)
        have += (size_t)got;
    all[have] = '\0';
    if (text != NULL)
        snprintf(text, size, "%s", all);
    close(victim->told);
    while (waitpid(victim->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}
