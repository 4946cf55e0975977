/* SPDX-License-Identifier: Apache-2.0 */
/* phone.h: the client of attested enrolment: fetch a challenge, look at the clock, have a request made, post it, read what
 * comes back. It works against any server of this wire format. What attests is the caller's: a phone's own hardware, or the
 * simulator's.
 *
 * Only https, and http to this machine; no redirect; an address to post to that would leave TLS behind is refused. Source:
 * the project's specification of attested enrolment, sections 1 to 5 and 8. */
#ifndef ATLS_EDGE_SERVICE_PHONE_H
#define ATLS_EDGE_SERVICE_PHONE_H

#include "atls/enrol.h"

/* atls_phone_csr_fn makes a key for a challenge, attests it, and gives the certification request and the key's whole
 * SubjectPublicKeyInfo, in the arena. False with err set otherwise. */
typedef bool (*atls_phone_csr_fn)(void *ctx, const atls_enrol_challenge *challenge, atls_arena *arena, atls_bytes *csr,
                                  atls_bytes *spki, atls_error *err);

typedef struct atls_phone {
    const char *url;       /* of the challenge */
    const char *ca_file;   /* PEM: trust these for TLS; NULL: the system's */
    bool insecure_http;    /* http to any machine: whoever stands between can hand out certificates of his own */
    uint32_t timeout_ms;   /* for each of the two requests; 0: 30,000 */
    int64_t now_ms;        /* the phone's clock, since 1970; 0: the system's */
    atls_phone_csr_fn csr; /* called once, when the challenge is good */
    void *ctx;
} atls_phone;

typedef struct atls_phone_outcome {
    atls_enrol_challenge challenge;
    atls_enrol_response response;
    uint32_t retry_after_s; /* what a server that was too busy asked for; 0: nothing. Also when the function failed */
} atls_phone_outcome;

/* atls_phone_enrol enrols once; a failed attempt starts over with a new challenge and a new key, which is the caller's to
 * do. True: the server has answered, with success or failure, in out->response; the certificates of a success fit together,
 * are valid now, and the first is for our key (who signed them is for others to judge). Slices are in the arena.
 * Errors: CONFIGURATION (url, ca_file), IO, TIMEOUT, LIMIT; ENROL_CHALLENGE (also for an address to post to that cannot be
 * used), NOT_YET_VALID, EXPIRED (our clock against the challenge's, or the certificate's); those of csr; ENROL_RESPONSE;
 * MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_phone_enrol(const atls_phone *p, atls_arena *arena, atls_phone_outcome *out, atls_error *err);

/* atls_phone_check_chain checks what atls_phone_enrol says of a success. Errors: ENROL_RESPONSE with field
 * "response.certificateChain[i]", NOT_YET_VALID, EXPIRED. */
ATLS_MUST_USE bool atls_phone_check_chain(const atls_enrol_response *response, atls_bytes spki, atls_time now,
                                          atls_error *err);

#endif
