/* SPDX-License-Identifier: Apache-2.0 */
/* format.h: the doors of a room.
 *
 * Every kind of evidence is a folder with decode.c, authenticate.c, appraise.c, one header and one README, and one row in
 * the table of verify/registry.c. Rooms do not know each other. */
#ifndef ATLS_EVIDENCE_FORMAT_H
#define ATLS_EVIDENCE_FORMAT_H

#include "atls/endorse.h"
#include "atls/verifier.h"
#include "base/cache.h"
#include "claims.h"
#include "pki/links.h"
#include "pki/signature.h"
#include "policy.h"

struct atls_jw;

/* Evidence inside evidence: a hardware report that vouches for a TPM's key. */
typedef struct atls_nested {
    atls_platform platform; /* whose it is */
    atls_bytes evidence;
    uint8_t report_data[64];    /* what it must hold in order to vouch */
    atls_certificate_pile pile; /* endorsements that came along, as untrusted as any */
} atls_nested;

/* The nested evidence passed its own policy and holds the report data. */
typedef struct atls_vouched {
    atls_platform platform;
    bool root_is_production;
    uint8_t root_sha256[32];
} atls_vouched;

/* What authenticate needs besides the evidence. */
typedef struct atls_authority {
    const atls_crypto *crypto;
    const atls_policy *policy; /* anchors; options on what is understood */
    const atls_endorsements *endorsements;
    atls_bytes event_log; /* what came beside the evidence, for rooms that read it themselves; empty: none */
    atls_time now;
    uint32_t now_ms;  /* atls_appraisal's, for phones */
    int64_t offset_s; /* same */
    atls_bytes
        challenge; /* what the evidence must be made for, for rooms that compare it themselves; empty: nobody says */
    atls_bytes key_id;           /* atls_appraisal's; empty: none */
    const atls_vouched *vouched; /* by hardware evidence inside this one, already appraised; NULL: none */
    atls_key_fn trust_key;       /* the caller's own word on attestation keys; NULL: none */
    void *trust_key_ctx;
    const atls_caches *caches; /* of this policy's verifier alone; NULL: nothing is remembered */
    atls_links *links;         /* signatures that earlier appraisals found good; NULL: none */
} atls_authority;

/* What the evidence was made for, as the caller has it. */
typedef struct atls_binding_value {
    const uint8_t *value;
    size_t len;      /* 1 to 64; 64 in a session */
    bool is_session; /* of a TLS profile */
} atls_binding_value;

/* A door that is NULL says: nothing of the kind here. */
typedef struct atls_format {
    const char *name; /* "dcap" */
    /* decode turns untrusted bytes into the format's own structure, in the arena, borrowing in. Knows no cryptography. */
    bool (*decode)(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err);
    /* decode_session reads what such evidence is in a session of atls/1, where not everything that decode reads is evidence: a
     * phone's has a form of its own there, which is none elsewhere, and sets claims.is_session_signed; a TPM's is one of those
     * that decode reads. NULL: the same everywhere. */
    bool (*decode_session)(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err);
    /* recall looks up what is remembered of the evidence, so that request and authenticate need not check it again; it
     * cannot fail. Whoever called it calls settle at the end of the appraisal, in any case: to remember, if that accepted
     * the evidence, and to give back what recall and authenticate hold. Both are NULL in a room that remembers nothing. */
    void (*recall)(const void *evidence, const atls_authority *auth);
    void (*settle)(const void *evidence, const atls_authority *auth, bool accepted);
    /* request says which endorsements the decoded evidence needs. */
    bool (*request)(const void *evidence, atls_arena *arena, atls_endorsement_request *out, atls_error *err);
    /* complete fails with ENDORSEMENTS_MISSING and the piece as field when something indispensable is neither in the
     * evidence nor among the endorsements. NULL: nothing is indispensable. */
    bool (*complete)(const void *evidence, const atls_endorsements *endorsements, atls_error *err);
    /* nested finds evidence of another kind inside this one that should vouch for its key. *found is false when there is
     * none. Optional. */
    bool (*nested)(const void *evidence, const atls_crypto *c, atls_arena *arena, atls_nested *out, bool *found,
                   atls_error *err);
    /* authenticate proves who signed it, and alone makes claims. */
    bool (*authenticate)(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                         atls_trace *trace, atls_error *err);
    /* A room whose specification has the binding in the middle of its checks compares authority.challenge itself, at its
     * place, and says so in claims.is_bound. */
    bool binds_itself;
    /* bind says what the evidence's own field must hold for a value. NULL: the value, and zeros up to 64 bytes. */
    bool (*bind)(const void *evidence, const atls_crypto *c, const atls_binding_value *in, uint8_t expected[64],
                 size_t *len, atls_error *err);
    /* appraise compares claims with the policy: every mismatch goes to the trace, the first one to err. */
    bool (*appraise)(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                     atls_trace *trace, atls_error *err);
    /* names_code tells whether a policy says which code must run, and not only on what hardware. */
    bool (*names_code)(const atls_policy *policy);
    /* inspect writes the decoded evidence as JSON members, unverified. */
    bool (*inspect)(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err);
    /* put_claims writes what was authenticated as members of the result's "claims". */
    void (*put_claims)(struct atls_jw *w, const atls_claims *claims);
} atls_format;

#endif
