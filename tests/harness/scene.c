/* SPDX-License-Identifier: MIT */
/* Victims at rest: see scene.h. */
#include "config.h"

#include "tests/harness/scene.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proftop/maps.h"
#include "proftop/memory.h"
#include "tests/harness/oracle.h"
#include "tests/harness/testing.h"

/* Threads that are traced must be waited for before their process ends. */
static void end(const struct victim *victim)
{
    int status;
    pid_t pid;

    close(victim->gate);
    close(victim->told);
    kill(victim->pid, SIGKILL);
    do {
        pid = waitpid(-1, &status, __WALL);
    } while (pid > 0 && (pid != victim->pid || WIFSTOPPED(status)));
}

/* The thread that is not the first one. */
static pid_t other_thread(pid_t pid)
{
    for (pid_t tid = pid + 1; tid < pid + 100; tid++) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)pid, (int)tid);
        if (access(path, F_OK) == 0)
            return tid;
    }
    return pid;
}

struct scene *scene_of(const char *path, const char *shape)
{
    struct scene *scene = xcalloc(1, sizeof(*scene));
    struct victim *victim = &scene->victim;

    scene->modules = modules_new();
    scene->unwinder = unwinder_new();
    freeze_init(&scene->freeze, SCENE_STACK_BYTES);
    victim_start_path(victim, path, shape);
    scene->tid = strcmp(shape, "thread") == 0 ? other_thread(victim->pid) : victim->pid;
    assert_true(freeze_attach(scene->tid));
    assert_true(freeze_take(&scene->freeze, victim->pid, scene->tid, scene->modules, true));
    unwinder_prepare(scene->unwinder, scene->freeze.maps);
    unwinder_wait(scene->unwinder, UINT64_MAX);
    return scene;
}

struct scene *scene_new(const char *program, const char *shape)
{
    char *path = testing_built(program);
    struct scene *scene = scene_of(path, shape);

    free(path);
    return scene;
}

void scene_free(struct scene *scene)
{
    end(&scene->victim);
    freeze_fini(&scene->freeze);
    oracle_fini();
    unwinder_free(scene->unwinder);
    modules_free(scene->modules);
    free(scene);
}

void scene_unwind(struct scene *scene)
{
    assert_true(unwind_frozen(scene->unwinder, &scene->freeze.frozen, scene->frames, scene->stacks,
                              SCENE_LIMIT, &scene->unwound));
}

void scene_print(struct scene *scene)
{
    print_message("%s at %#llx\n", stack_end_text(scene->unwound.end),
                  (unsigned long long)scene->unwound.end_address);
    for (uint32_t i = 0; i < scene->unwound.count && i < 60; i++)
        print_message("  %2u %#llx %s\n", i, (unsigned long long)scene->stacks[i],
                      oracle_name(&scene->freeze.frozen, &scene->frames[i]));
}

uint32_t scene_find(struct scene *scene, const char *name, uint32_t from)
{
    while (from < scene->unwound.count &&
           strcmp(oracle_name(&scene->freeze.frozen, &scene->frames[from]), name) != 0)
        from++;
    return from;
}

void scene_expect(struct scene *scene, const char *const *chain)
{
    uint32_t at = 0;
    bool any = true;

    for (; *chain != NULL; chain++) {
        uint32_t found;

        if (strcmp(*chain, "…") == 0) {
            any = true;
            continue;
        }
        found = scene_find(scene, *chain, at);
        if (found == scene->unwound.count || (!any && found != at)) {
            scene_print(scene);
            fail_msg("%s is not where it should be", *chain);
        }
        at = found + 1;
        any = false;
    }
    if (scene->unwound.end != STACK_COMPLETE) {
        scene_print(scene);
        fail_msg("the stack is not whole: %s", stack_end_text(scene->unwound.end));
    }
}
