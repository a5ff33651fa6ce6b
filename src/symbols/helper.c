/* SPDX-License-Identifier: MIT */
/* The helper: see helper.h. */
#include "config.h"

#include "helper.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "proftop/memory.h"

struct helper {
    pthread_t thread;
    bool made; /* the thread runs */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* only one of the two ever waits */
    helper_work *work;      /* NULL: there is none */
    void *argument;
    bool leaving;
};

struct helper *helper_new(void)
{
    struct helper *helper = xcalloc(1, sizeof(*helper));

    pthread_mutex_init(&helper->lock, NULL);
    pthread_cond_init(&helper->changed, NULL);
    return helper;
}

static void *run(void *argument)
{
    struct helper *helper = argument;

    pthread_setname_np(pthread_self(), "symbols");
    pthread_mutex_lock(&helper->lock);
    while (!helper->leaving) {
        if (helper->work == NULL) {
            pthread_cond_wait(&helper->changed, &helper->lock);
            continue;
        }
        pthread_mutex_unlock(&helper->lock);
        helper->work(helper->argument);
        pthread_mutex_lock(&helper->lock);
        helper->work = NULL;
        pthread_cond_signal(&helper->changed);
    }
    pthread_mutex_unlock(&helper->lock);
    return NULL;
}

bool helper_begin(struct helper *helper, helper_work *work, void *argument)
{
    if (!helper->made)
        helper->made = pthread_create(&helper->thread, NULL, run, helper) == 0;
    if (!helper->made)
        return false;
    pthread_mutex_lock(&helper->lock);
    assert(helper->work == NULL);
    helper->work = work;
    helper->argument = argument;
    pthread_cond_signal(&helper->changed);
    pthread_mutex_unlock(&helper->lock);
    return true;
}

void helper_end(struct helper *helper)
{
    pthread_mutex_lock(&helper->lock);
    while (helper->work != NULL)
        pthread_cond_wait(&helper->changed, &helper->lock);
    pthread_mutex_unlock(&helper->lock);
}

void helper_free(struct helper *helper)
{
    if (helper == NULL)
        return;
    helper_end(helper);
    pthread_mutex_lock(&helper->lock);
    helper->leaving = true;
    pthread_cond_signal(&helper->changed);
    pthread_mutex_unlock(&helper->lock);
    if (helper->made)
        pthread_join(helper->thread, NULL);
    pthread_cond_destroy(&helper->changed);
    pthread_mutex_destroy(&helper->lock);
    free(helper);
}
