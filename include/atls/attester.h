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
    atls_bytes quote;     /* in the arena */
    atls_bytes event_log; /* JSON array text */
    atls_bytes vm_config; /* JSON text or empty */
} atls_evidence;

/* atls_attest_fn produces evidence over report_data. It may block for as long as the hardware needs (10 to 100 ms).
 * Everything it returns lives in the arena. False with err set: the peer gets 503 and no detail. Called by an
 * atls_attester it runs with nearly all signals blocked, holds no lock, and must not free the attester. */
typedef bool (*atls_attest_fn)(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                               atls_error *err);

typedef struct atls_attester atls_attester;

typedef struct atls_attester_options {
    atls_attest_fn attest; /* required; called by the attester's own thread, one call at a time */
    void *attest_ctx;      /* outlives the attester */
    uint32_t max_waiting;  /* requests that wait, beyond which more are refused at once; 0: 4096 */
    uint32_t max_batch;    /* leaves under one quote, at most 65536; 0: 65536; 1: one quote a session */
    size_t arena_size;     /* bytes for the evidence of one quote; 0: 4 MiB */
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
 * MEMORY, INTERNAL (no thread). */
ATLS_MUST_USE bool atls_attester_new(const atls_attester_options *options, atls_attester **out, atls_error *err);

/* atls_attester_free ends the thread, after the quote that is being made; requests that still wait fail. Sessions that
 * use the attester must have been freed. NULL is fine. */
void atls_attester_free(atls_attester *a);

/* atls_attester_count reads the counters, all at one moment. */
atls_attester_counts atls_attester_count(atls_attester *a);

#ifdef __cplusplus
}
#endif
#endif
