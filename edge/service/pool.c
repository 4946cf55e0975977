/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c: workers. */
#include "pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct worker {
    svc_pool *pool;
    pthread_t thread;
    atls_arena arena;
} worker;

struct svc_pool {
    pthread_mutex_t lock;
    pthread_cond_t there_is_work;
    svc_job *first; /* queue */
    svc_job *last;
    size_t n_queued;
    size_t max_queue;
    svc_job *done;
    bool is_ending;
    svc_run_fn run;
    void *ctx;
    int wake_fd;
    worker *workers;
    size_t n_workers; /* that run */
};

void svc_job_free(svc_job *job)
{
    if (job == NULL) {
        return;
    }
    if (job->body != NULL) {
        atls_wipe(job->body, job->body_len);
    }
    free(job->body);
    free(job->response);
    free(job);
}

static svc_job *next_job(svc_pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    while (p->first == NULL && !p->is_ending) {
        (void)pthread_cond_wait(&p->there_is_work, &p->lock);
    }
    svc_job *job = p->first;
    if (job != NULL) {
        p->first = job->next;
        p->last = p->first == NULL ? NULL : p->last;
        p->n_queued--;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return job;
}

static void finish(svc_pool *p, svc_job *job)
{
    (void)pthread_mutex_lock(&p->lock);
    job->next = p->done;
    p->done = job;
    (void)pthread_mutex_unlock(&p->lock);
    /* A pipe that is full has woken the loop already. */
    const ssize_t n = write(p->wake_fd, "", 1);
    (void)n;
}

static void *work(void *arg)
{
    worker *w = arg;
    for (;;) {
        svc_job *job = next_job(w->pool);
        if (job == NULL) {
            return NULL;
        }
        atls_arena_reset(&w->arena);
        w->pool->run(w->pool->ctx, job, &w->arena);
        atls_arena_reset(&w->arena); /* nothing of a phone stays while the thread waits */
        finish(w->pool, job);
    }
}

/* Signals belong to the loop's thread. */
static bool start(svc_pool *p, worker *w, size_t arena_size, atls_error *err)
{
    sigset_t all;
    sigset_t before;
    w->pool = p;
    if (!atls_arena_new(&w->arena, arena_size, err)) {
        return false;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    const int failed = pthread_create(&w->thread, NULL, work, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        atls_arena_free(&w->arena);
        return atls_fail(err, ATLS_E_INTERNAL, "workers", "a thread cannot be started");
    }
    p->n_workers++;
    return true;
}

bool svc_pool_new(size_t n, size_t max_queue, size_t arena_size, svc_run_fn run, void *ctx, int wake_fd, svc_pool **out,
                  atls_error *err)
{
    svc_pool *p = calloc(1, sizeof *p);
    worker *workers = calloc(n, sizeof *workers);
    *out = NULL;
    if (p == NULL || workers == NULL || pthread_mutex_init(&p->lock, NULL) != 0) {
        free(workers);
        free(p);
        return atls_fail(err, ATLS_E_MEMORY, "workers", NULL);
    }
    (void)pthread_cond_init(&p->there_is_work, NULL);
    p->max_queue = max_queue;
    p->run = run;
    p->ctx = ctx;
    p->wake_fd = wake_fd;
    p->workers = workers;
    for (size_t i = 0; i < n; i++) {
        if (!start(p, &workers[i], arena_size, err)) {
            svc_pool_free(p);
            return false;
        }
    }
    *out = p;
    return true;
}

bool svc_pool_put(svc_pool *p, svc_job *job)
{
    (void)pthread_mutex_lock(&p->lock);
    const bool fits = p->n_queued < p->max_queue && !p->is_ending;
    if (fits) {
        job->next = NULL;
        if (p->last != NULL) {
            p->last->next = job;
        } else {
            p->first = job;
        }
        p->last = job;
        p->n_queued++;
        (void)pthread_cond_signal(&p->there_is_work);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return fits;
}

svc_job *svc_pool_done(svc_pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    svc_job *done = p->done;
    p->done = NULL;
    (void)pthread_mutex_unlock(&p->lock);
    return done;
}

size_t svc_pool_queued(svc_pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    const size_t n = p->n_queued;
    (void)pthread_mutex_unlock(&p->lock);
    return n;
}

void svc_pool_free(svc_pool *p)
{
    if (p == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    p->is_ending = true;
    (void)pthread_cond_broadcast(&p->there_is_work);
    (void)pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->n_workers; i++) {
        (void)pthread_join(p->workers[i].thread, NULL);
        atls_arena_free(&p->workers[i].arena);
    }
    for (svc_job *job = p->done; job != NULL;) {
        svc_job *next = job->next;
        svc_job_free(job);
        job = next;
    }
    (void)pthread_cond_destroy(&p->there_is_work);
    (void)pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p);
}
