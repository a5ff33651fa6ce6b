/* SPDX-License-Identifier: MIT */
/* Parked Python threads: see parked.h. */
#include "config.h"

#include "tests/harness/parked.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/harness/testing.h"

#include "proftop/memory.h"
#include "proftop/proc.h"

static void launch(struct parked *parked, const char *interpreter)
{
    char *script = testing_source("tests/python/parked.py");
    int in[2], out[2];

    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    parked->pid = fork();
    if (parked->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        setenv("PYTHONIOENCODING", "utf-8", 1);
        execlp(interpreter, interpreter, script, (char *)NULL);
        _exit(127);
    }
    assert_true(parked->pid > 0);
    free(script);
    close(in[0]);
    close(out[1]);
    parked->gate = in[1];
    parked->told = fdopen(out[0], "r");
}

void parked_start(struct parked *parked, const char *interpreter)
{
    *parked = (struct parked){ .modules = modules_new(),
                               .codes = codes_new(),
                               .sample = python_sample_new(),
                               .stack = xmalloc(PARKED_STACK_BYTES) };
    launch(parked, interpreter);
}

void parked_end(struct parked *parked)
{
    kill(parked->pid, SIGKILL);
    waitpid(parked->pid, NULL, 0);
    fclose(parked->told);
    close(parked->gate);
    python_close(parked->python);
    if (parked->maps != NULL)
        maps_unref(parked->maps);
    python_sample_free(parked->sample);
    codes_free(parked->codes);
    modules_free(parked->modules);
    free(parked->stack);
}

/* Once it has told a line all of it is there to be read. */
static void open_python(struct parked *parked)
{
    struct error error = { 0 };

    parked->maps = maps_read("/proc", parked->pid, 1, parked->modules, &error);
    if (parked->maps == NULL)
        fail_msg("%s", error.message);
    assert_true(python_suspected(parked->maps));
    parked->python = python_open("/proc", parked->maps, parked->codes, &error);
    if (parked->python == NULL)
        fail_msg("%s", error.message);
}

bool parked_line(struct parked *parked, char line[PARKED_LINE_MAX])
{
    if (fgets(line, PARKED_LINE_MAX, parked->told) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    if (parked->python == NULL)
        open_python(parked);
    return true;
}

/* What a thread's registers and stack are while it is blocked: no stop is needed. */
static bool freeze_blocked(struct parked *parked, int32_t tid, struct frozen *frozen)
{
    struct proc_syscall call;

    if (!proc_syscall("/proc", parked->pid, tid, &call) || call.running)
        return false;
    *frozen = (struct frozen){ .pid = parked->pid,
                               .tid = tid,
                               .maps = parked->maps,
                               .stack = parked->stack,
                               .stack_start = call.sp,
                               .peeked = true };
    frozen->registers.ip = call.pc;
    frozen->registers.sp = call.sp;
    frozen->registers.known = KNOWN_IP | KNOWN_SP;
    for (size_t size = PARKED_STACK_BYTES; size >= 4096; size /= 2) {
        struct iovec local = { parked->stack, size };
        struct iovec remote = { (void *)(uintptr_t)call.sp, size };
        ssize_t got = process_vm_readv(parked->pid, &local, 1, &remote, 1, 0);

        if (got > 0) {
            frozen->stack_size = (size_t)got;
            return true;
        }
    }
    return false;
}

void parked_freeze(struct parked *parked, int32_t tid, struct frozen *frozen)
{
    python_prepare(parked->python, tid);
    assert_true(freeze_blocked(parked, tid, frozen));
    if (!python_freeze(parked->python, frozen, parked->sample))
        fail_msg("thread %d: %s", tid, python_end_name(python_sample_end(parked->sample)));
    assert_int_equal(python_sample_end(parked->sample), PYTHON_COMPLETE);
}
