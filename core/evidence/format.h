/* SPDX-License-Identifier: Apache-2.0 */
/* format.h: the doors of a room.
 *
 * Every kind of evidence is a folder with decode.c, authenticate.c, appraise.c, one header and one README, and one row in
 * the table of verify/registry.c. Rooms do not know each other. */
#ifndef ATLS_EVIDENCE_FORMAT_H
#define ATLS_EVIDENCE_FORMAT_H

#include "atls/endorse.h"
#include "base/cache.h"
#include "claims.h"
#include "pki/signature.h"
#include "policy.h"

struct atls_jw;

/* What authenticate needs besides the evidence. */
typedef struct atls_authority {
    const atls_crypto *crypto;
    const atls_policy *policy; /* anchors; options on what is understood */
    const atls_endorsements *endorsements;
    atls_time now;
    const atls_caches *caches; /* of this policy's verifier alone; NULL: nothing is remembered */
} atls_authority;

typedef struct atls_format {
    const char *name; /* "dcap" */
    /* decode turns untrusted bytes into the format's own structure, in the arena, borrowing in. Knows no cryptography. */
    bool (*decode)(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err);
    /* recall looks up what is remembered of the evidence, so that request and authenticate need not check it again; it
     * cannot fail. Whoever called it calls settle at the end of the appraisal, in any case: to remember, if that accepted
     * the evidence, and to give back what recall and authenticate hold. Both are NULL in a room that remembers nothing. */
    void (*recall)(const void *evidence, const atls_authority *auth);
    void (*settle)(const void *evidence, const atls_authority *auth, bool accepted);
    /* request says which endorsements the decoded evidence needs. */
    bool (*request)(const void *evidence, atls_arena *arena, atls_endorsement_request *out, atls_error *err);
    /* authenticate proves who signed it, and alone makes claims. */
    bool (*authenticate)(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                         atls_trace *trace, atls_error *err);
    /* appraise compares claims with the policy: every mismatch goes to the trace, the first one to err. */
    bool (*appraise)(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                     atls_trace *trace, atls_error *err);
    /* inspect writes the decoded evidence as JSON members, unverified. */
    bool (*inspect)(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err);
} atls_format;

#endif
