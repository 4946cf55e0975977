/* SPDX-License-Identifier: Apache-2.0 */
/* attester.h: evidence made on request, one quote at a time.
 *
 * A function (atls_attest_fn) makes evidence over 64 bytes of report data and takes its time. An atls_attester calls it
 * from a thread of its own, so that sessions never block, and lets one quote answer every `atls/1` session that asked
 * while the last one was being made. Source: specification of atls/1, "Batching". */
#ifndef ATLS_ATTESTER_H
#define ATLS_ATTESTER_H

#include "arena.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an attester gives for 64 bytes of report data. */
typedef struct atls_evidence {
    atls_bytes quote; /* in the arena */
    /* JSON array text, or empty. atls/1 leaves out what is no such array (a raw CCEL), and the peer's policy may then
     * refuse; constellation sends none. */
    atls_bytes event_log;
    atls_bytes vm_config; /* JSON text or empty; sent with dstack only */
} atls_evidence;

/* atls_attest_fn produces evidence over report_data. It may block for as long as the hardware needs (10 to 100 ms).
 * Everything it returns lives in the arena. False with err set: the session fails with that error, and the peer gets
 * no detail: 503 (dstack), a refusing `done` with the error's category, which is 4, internal, for most (atls/1; for
 * IO and TIMEOUT the connection just ends), an alert (constellation). Called by an atls_attester it runs with nearly
 * all signals blocked, holds no lock, and must not free the attester. */
typedef bool (*atls_attest_fn)(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                               atls_error *err);

typedef struct atls_attester atls_attester;

typedef struct atls_attester_options {
    atls_attest_fn attest;  /* required; called by the attester's own thread, one call at a time */
    void *attest_ctx;       /* outlives the attester */
    atls_platform platform; /* whose evidence attest makes; NONE: a quote of DCAP */
    uint32_t max_waiting;   /* requests that wait, beyond which more are refused at once; 0: 4096 */
    uint32_t max_batch;     /* leaves under one quote, at most 65536; 0: 65536; 1: one quote a session */
    size_t arena_size;      /* bytes for the evidence of one quote; 0: 4 MiB */
} atls_attester_options;

/* What an attester has done so far. */
typedef struct atls_attester_counts {
    uint64_t quotes;   /* calls of attest that succeeded */
    uint64_t failed;   /* calls that failed, or that memory did not suffice for */
    uint64_t answered; /* requests that a quote answered; not those given up while it was being made */
    uint64_t dropped;  /* requests whose session went away before a quote was begun for them */
    uint64_t refused;  /* requests beyond max_waiting */
    uint32_t waiting;  /* requests that wait now */
} atls_attester_counts;

/* atls_attester_new starts the thread. *out is the caller's (atls_attester_free); any number of sessions and threads
 * share it. The thread does not come along into a child of fork: a process that forks makes its attesters afterwards.
 * Signals of the program are not delivered to it. Errors: CONFIGURATION (no attest, a size that makes no sense),
 * MEMORY, INTERNAL (no thread). A session that is freed takes its request back. Source: docs/batching.md. */
ATLS_MUST_USE bool atls_attester_new(const atls_attester_options *options, atls_attester **out, atls_error *err);

/* atls_attester_free ends the thread, after the quote that is being made; requests that still wait fail. Sessions that
 * use the attester must have been freed. NULL is fine. */
void atls_attester_free(atls_attester *a);

/* atls_attester_count reads the counters, all at one moment. Any thread may call it at any time until
 * atls_attester_free; it waits for no quote. */
atls_attester_counts atls_attester_count(atls_attester *a);

#ifdef __cplusplus
}
#endif
#endif
