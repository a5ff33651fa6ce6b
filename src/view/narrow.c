/* SPDX-License-Identifier: MIT */
/* Requests that narrow the scope: to one thread or one process, or back to all of them. */
#include "config.h"

#include <string.h>

#include "views.h"

/* CHOSEN becomes ID alone; or nothing, when it is ID alone already. */
static void toggle(int32_t chosen[SCOPE_THREADS_MAX], int32_t id)
{
    bool alone = chosen[0] == id && chosen[1] == 0;

    memset(chosen, 0, sizeof(chosen[0]) * SCOPE_THREADS_MAX);
    if (!alone)
        chosen[0] = id;
}

struct request request_thread(const struct screen_input *input, int32_t tid)
{
    struct request request = { .kind = REQUEST_SCOPE, .scope = *input->scope };

    toggle(request.scope.threads, tid);
    request.scope.thread_name[0] = '\0';
    return request;
}

struct request request_process(const struct screen_input *input, int32_t pid)
{
    struct request request = { .kind = REQUEST_SCOPE, .scope = *input->scope };

    toggle(request.scope.processes, pid);
    return request;
}
