/* SPDX-License-Identifier: Apache-2.0 */
/* queue.h: requests for evidence, for whoever runs a session: ask, come back, take.
 *
 * A ticket is one request. Its owner is one thread at a time; the attester's thread only ever looks at what the queue
 * holds. A batch's evidence is shared by its tickets and freed with the last of them. */
#ifndef ATLS_EDGE_ATTESTER_QUEUE_H
#define ATLS_EDGE_ATTESTER_QUEUE_H

#include "atls/attester.h"
#include "pki/hash_tree.h"

typedef struct atls_ticket atls_ticket;

typedef enum atls_ticket_kind {
    ATLS_TICKET_REPORT_DATA = 1, /* value is the report data: a quote of its own */
    ATLS_TICKET_LEAF,            /* value is a leaf of atls/1: under one quote with others, report data is `report` */
} atls_ticket_kind;

/* What a ticket yields: borrowed, until atls_ticket_free. */
typedef struct atls_attested {
    atls_evidence evidence;
    uint8_t report_data[64]; /* what was quoted */
    atls_tree_path path;     /* LEAF: of this ticket's leaf; size 1 when it is alone */
} atls_attested;

/* atls_attester_crypto lends the attester's algorithms, which any number of threads may share. */
const atls_crypto *atls_attester_crypto(const atls_attester *a);

/* atls_attester_platform tells whose evidence it makes. */
atls_platform atls_attester_platform(const atls_attester *a);

/* atls_ticket_new puts a request in the queue; value is copied, *out is the caller's. Errors: LIMIT (max_waiting), MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_ticket_new(atls_attester *a, atls_ticket_kind kind, const uint8_t value[64], atls_ticket **out,
                                   atls_error *err);

/* atls_ticket_poll tells how far it is, without waiting. READY: *out is set. FAILED: err is set (the attester's own
 * reason, MEMORY, or INTERNAL: no reason given, no quote, attester freed). *out is NULL unless READY. */
typedef enum atls_ticket_state { ATLS_TICKET_FAILED = 0, ATLS_TICKET_WAITING, ATLS_TICKET_READY } atls_ticket_state;
ATLS_MUST_USE atls_ticket_state atls_ticket_poll(atls_ticket *t, const atls_attested **out, atls_error *err);

/* atls_ticket_wait waits at most timeout_ms, and no longer than the ticket does. */
void atls_ticket_wait(atls_ticket *t, uint32_t timeout_ms);

/* atls_ticket_fd gives a descriptor that is readable as soon as the ticket is no longer WAITING; made at the first call,
 * the ticket's own, nobody reads from it. -1: none can be made. */
int atls_ticket_fd(atls_ticket *t);

/* atls_ticket_free takes a request back or gives up what it yielded; NULL is fine. A leaf that is taken back before the
 * tree is made is not in it. A ticket may outlive its attester. */
void atls_ticket_free(atls_ticket *t);

#endif
