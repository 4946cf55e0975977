/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h: workers with a queue that has an end.
 *
 * A job goes in by svc_pool_put, is run by one of the threads, each with an arena of its own, and comes out by svc_pool_done, in no
 * order. A byte into a pipe says that something has come out. */
#ifndef ATLS_EDGE_SERVICE_POOL_H
#define ATLS_EDGE_SERVICE_POOL_H

#include "atls/arena.h"

typedef enum svc_job_kind {
    SVC_JOB_CHALLENGE,
    SVC_JOB_ATTEST,
} svc_job_kind;

#define SVC_REQUEST_ID_SIZE 17

typedef struct svc_job {
    struct svc_job *next;
    svc_job_kind kind;
    char id[SVC_REQUEST_ID_SIZE]; /* names the request in logs */
    uint8_t *body;                /* of the request; malloc */
    size_t body_len;
    uint64_t begun_us; /* monotonic: when the request was complete */
    void *owner;       /* the connection; the loop's */
    /* what came out */
    unsigned status;
    unsigned retry_s;  /* 0: nothing is said */
    uint8_t *response; /* malloc; NULL: empty */
    size_t response_len;
} svc_job;

/* svc_job_free frees a job with its bodies; the request's is wiped. NULL is fine. */
void svc_job_free(svc_job *job);

typedef void (*svc_run_fn)(void *ctx, svc_job *job, atls_arena *arena);

typedef struct svc_pool svc_pool;

/* svc_pool_new starts n threads. Errors: MEMORY, INTERNAL. */
ATLS_MUST_USE bool svc_pool_new(size_t n, size_t max_queue, size_t arena_size, svc_run_fn run, void *ctx, int wake_fd,
                                svc_pool **out, atls_error *err);
/* svc_pool_put queues a job; false when the queue is full. */
ATLS_MUST_USE bool svc_pool_put(svc_pool *p, svc_job *job);
/* svc_pool_done takes everything that has come out, a list by `next`; NULL: nothing. */
svc_job *svc_pool_done(svc_pool *p);
size_t svc_pool_queued(svc_pool *p);
/* svc_pool_free lets the threads finish what is queued, and waits for them. NULL is fine. */
void svc_pool_free(svc_pool *p);

#endif
