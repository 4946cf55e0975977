/* SPDX-License-Identifier: Apache-2.0 */
/* authenticate.c: an attestation becomes claims: steps 3 to 5, the credential data of step 6, and what of step 7 is a proof.
 *
 * Section 9 puts comparisons of steps 6 and 7 before the proofs of step 7. When one of those fails, the comparisons that come
 * before it are made and listed first, so that the error is the first failure in the order of the specification. */
#include <string.h>

#include "apple.h"

typedef struct proof {
    const apple_attestation *attestation;
    const atls_authority *auth;
    const atls_apple_policy *policy;
    atls_arena *arena;
    atls_trace *trace;
    atls_error *err;
    int64_t at_ms;
    atls_cert *leaf;
    const atls_root *root;
    apple_extensions said; /* by the leaf */
    uint8_t key_id[32];
    apple_roots roots;
} proof;

/* ---- the instant ---- */

/* t = now + offsets, in milliseconds. */
static bool set_time(proof *p)
{
    const int64_t max = INT32_MAX;
    const int64_t own = p->policy->offset_s;
    const int64_t given = p->auth->offset_s;
    if (p->auth->now_ms > 999) {
        return atls_fail(p->err, ATLS_E_USAGE, "now_ms", "milliseconds are 0 to 999");
    }
    if (given < -max || given > max || own + given < -max || own + given > max || p->auth->now > INT64_MAX / 2000) {
        return atls_fail(p->err, ATLS_E_USAGE, "offset_s", "the offset is longer than 68 years");
    }
    p->at_ms = (p->auth->now + own + given) * 1000 + (int64_t)p->auth->now_ms;
    return true;
}

/* ---- step 3 ---- */

static bool read_certificate(proof *p, size_t i, const char *field, atls_cert **out)
{
    *out = atls_arena_alloc(p->arena, sizeof **out, p->err);
    if (*out == NULL) {
        return false;
    }
    return atls_cert_decode(p->attestation->x5c[i], "", *out, p->err)
           || atls_error_relabel(p->err, ATLS_E_CERTIFICATE_CHAIN, field);
}

static bool check_chain(proof *p)
{
    static const char leaf_field[] = "attestation.x5c[0]";
    apple_path path = {
        .fields = {leaf_field, "attestation.x5c[1]"},
        .n = 2,
        .root_field = "attestation.root",
        .code = ATLS_E_CERTIFICATE_CHAIN,
    };
    if (!read_certificate(p, 0, path.fields[0], &path.certs[0])
        || !read_certificate(p, 1, path.fields[1], &path.certs[1])
        || !apple_path_walk(&path, p->auth->crypto, p->roots.items, p->roots.n, p->at_ms, p->arena, &p->root, p->err)) {
        return false;
    }
    p->leaf = path.certs[0];
    apple_extensions_read(p->leaf, &p->said);
    return (p->leaf->key.kind == ATLS_KEY_P256 && p->leaf->key.point.len == ATLS_APPLE_POINT_SIZE)
           || atls_fail_unsupported(p->err, ATLS_E_CERTIFICATE_CHAIN, leaf_field, "a key of P-256", "another key",
                                    "App Attest's keys are on another curve");
}

/* ---- step 4 ---- */

static const char nonce_field[] = "attestation.x5c[0].nonce";

/* nonce = SHA-256(authData || clientDataHash) */
static bool make_nonce(const proof *p, atls_bytes client_data_hash, uint8_t out[32], atls_error *err)
{
    const atls_bytes parts[2] = {p->attestation->auth_data_raw, client_data_hash};
    return atls_digest(p->auth->crypto, ATLS_SHA256, parts, 2, out, err);
}

static bool check_nonce(proof *p)
{
    uint8_t hash[32];
    uint8_t nonce[32];
    if (!p->said.has_nonce) {
        return atls_fail(p->err, ATLS_E_APPLE_CHALLENGE, nonce_field,
                         "the certificate has no nonce: it was not made for any client data");
    }
    if (p->auth->challenge.len == 0) {
        return true;
    }
    if (!atls_digest(p->auth->crypto, ATLS_SHA256, &p->auth->challenge, 1, hash, p->err)
        || !make_nonce(p, atls_bytes_of(hash, sizeof hash), nonce, p->err)) {
        return false;
    }
    const atls_bytes wanted = atls_bytes_of(nonce, sizeof nonce);
    return atls_bytes_equal(wanted, p->said.nonce)
           || atls_fail_bytes(p->err, ATLS_E_APPLE_CHALLENGE, nonce_field, wanted, p->said.nonce,
                              "the certificate's nonce is not that of this authData and client data");
}

static bool list_nonce(proof *p)
{
    static const char id[] = "apple.nonce";
    if (!check_nonce(p)) {
        return atls_trace_fail(p->trace, id, p->err);
    }
    return p->auth->challenge.len > 0
               ? atls_trace_pass(p->trace, id, nonce_field, NULL, p->err)
               : atls_trace_skip(p->trace, id, nonce_field,
                                 "no client data was given: it may be the attestation of another challenge or key",
                                 p->err);
}

/* ---- step 5 ---- */

static bool list_key_id(proof *p)
{
    static const char id[] = "apple.key_id";
    static const char field[] = "keyId";
    const atls_bytes said = p->auth->key_id;
    const atls_bytes own = atls_bytes_of(p->key_id, sizeof p->key_id);
    if (said.len == 0) {
        return atls_trace_na(p->trace, id, field, "nobody says what the key is called", p->err);
    }
    if (atls_bytes_equal(said, own)) {
        return atls_trace_pass(p->trace, id, field, NULL, p->err);
    }
    (void)atls_fail_bytes(p->err, ATLS_E_APPLE_APP_UNEXPECTED, field, own, said,
                          "the app names another key than the certified one");
    return atls_trace_fail(p->trace, id, p->err);
}

/* ---- step 6, as far as it is no comparison ---- */

static bool check_credential(proof *p)
{
    const apple_attestation *a = p->attestation;
    if (!a->has_auth_data) {
        *p->err = a->auth_data_error;
        return atls_error_relabel(p->err, ATLS_E_APPLE_APP_UNEXPECTED, "attestation");
    }
    return a->auth_data.has_credential
           || atls_fail_values(p->err, ATLS_E_APPLE_APP_UNEXPECTED, "attestation.authData.flags", "bit 6 set",
                               "not set", "the authenticator data has no credential");
}

/* ---- claims ---- */

static void claim_auth_data(const apple_auth_data *d, atls_apple_claims *out)
{
    memcpy(out->rp_id_hash, d->rp_id_hash.ptr, sizeof out->rp_id_hash);
    out->flags = d->flags;
    out->sign_count = d->sign_count;
    memcpy(out->aaguid, d->aaguid.ptr, sizeof out->aaguid);
    out->is_sandbox = memcmp(out->aaguid, "appattestdevelop", sizeof out->aaguid) == 0;
    out->credential_id = d->credential_id;
    memcpy(out->credential_key, d->point, sizeof out->credential_key);
}

static bool claim_certificate(const proof *p, atls_apple_claims *out)
{
    memcpy(out->public_key, p->leaf->key.point.ptr, sizeof out->public_key);
    memcpy(out->key_id, p->key_id, sizeof out->key_id);
    memcpy(out->nonce, p->said.nonce.ptr, sizeof out->nonce);
    out->certified_app_id = p->said.app_id;
    out->os_version = p->said.os_version;
    out->os_build = p->said.os_build;
    out->leaf_serial = p->leaf->serial;
    out->leaf_not_before = p->leaf->not_before;
    out->leaf_not_after = p->leaf->not_after;
    return atls_digest(p->auth->crypto, ATLS_SHA256, &p->leaf->spki, 1, out->spki_sha256, p->err);
}

static bool claim_receipt(const proof *p, atls_apple_claims *out)
{
    out->receipt = p->attestation->receipt.payload;
    return !p->attestation->has_receipt
           || atls_digest(p->auth->crypto, ATLS_SHA256, &p->attestation->receipt.spki, 1, out->receipt.spki_sha256,
                          p->err);
}

static bool make_claims(const proof *p, atls_claims *out)
{
    atls_apple_claims *c = &out->apple;
    const atls_bytes none = atls_bytes_empty();
    c->team_identifier = none;
    c->bundle_identifier = none;
    c->app_id = none;
    c->verified_ms = p->at_ms;
    claim_auth_data(&p->attestation->auth_data, c);
    out->platform = ATLS_PLATFORM_APPLE;
    out->report_data_field = nonce_field;
    out->report_data_len = sizeof c->nonce;
    out->is_bound = p->auth->challenge.len > 0; /* step 4 has passed */
    out->root_is_production = p->root->anchor->production;
    memcpy(out->root_sha256, p->root->anchor->sha256, sizeof out->root_sha256);
    if (!claim_certificate(p, c) || !claim_receipt(p, c)) {
        return false;
    }
    memcpy(out->report_data, c->nonce, sizeof c->nonce);
    return true;
}

/* ---- step 7, the proofs ---- */

/* A proof failed: what the specification compares before it comes first. */
static bool fail_late(proof *p, const atls_apple_claims *c, apple_stage before, const char *id, const atls_error *late)
{
    (void)apple_list_applications(c, p->policy, before, p->arena, p->trace, p->err);
    (void)atls_trace_fail(p->trace, id, late);
    if (p->err->code == ATLS_OK) {
        *p->err = *late;
    }
    return false;
}

/* The receipt's own clientHash, with authData, must give the certified nonce; where client data was given, that makes it their
 * hash (step 4). */
static bool check_client_hash(const proof *p, const atls_apple_receipt *r, atls_error *err)
{
    static const char field[] = "receipt.clientHash";
    uint8_t nonce[32];
    if (!make_nonce(p, r->client_hash, nonce, err)) {
        return false;
    }
    return atls_bytes_equal(atls_bytes_of(nonce, sizeof nonce), p->said.nonce)
           || atls_fail_bytes(err, ATLS_E_APPLE_RECEIPT, field, p->said.nonce, atls_bytes_of(nonce, sizeof nonce),
                              "the receipt was made for other client data");
}

static bool list_client_hash(proof *p, const atls_apple_claims *c)
{
    static const char id[] = "apple.receipt_client_hash";
    static const char field[] = "receipt.clientHash";
    atls_error late = {0};
    if (c->receipt.is_renewed) {
        return atls_trace_na(p->trace, id, field, "Apple spoils the hash in receipts that are renewed", p->err);
    }
    return check_client_hash(p, &c->receipt, &late) ? atls_trace_pass(p->trace, id, field, NULL, p->err)
                                                    : fail_late(p, c, APPLE_BEFORE_SIGNATURE, id, &late);
}

static bool prove_receipt(proof *p, const atls_apple_claims *c)
{
    const apple_receipt *r = &p->attestation->receipt;
    const atls_cert *signer;
    apple_roots roots;
    atls_error late = p->attestation->receipt_error;
    if (!p->attestation->has_receipt) {
        return fail_late(p, c, APPLE_BEFORE_RECEIPT, "apple.receipt", &late);
    }
    if (!atls_trace_pass(p->trace, "apple.receipt", "receipt", NULL, p->err)) {
        return false;
    }
    apple_receipt_roots(p->policy, &roots);
    if (!apple_receipt_signature(r, p->auth->crypto, p->arena, &signer, &late)) {
        return fail_late(p, c, APPLE_BEFORE_SIGNATURE, "apple.receipt_signature", &late);
    }
    if (!atls_trace_pass(p->trace, "apple.receipt_signature", "receipt.signerInfo.signature", NULL, p->err)) {
        return false;
    }
    if (!apple_receipt_chain(r, signer, p->auth->crypto, roots.items, roots.n, p->at_ms, p->arena, &late)) {
        return fail_late(p, c, APPLE_BEFORE_SIGNATURE, "apple.receipt_chain", &late);
    }
    return atls_trace_pass(p->trace, "apple.receipt_chain", "receipt.certificates", NULL, p->err)
           && list_client_hash(p, c);
}

/* ---- which application ---- */

static bool copy(const proof *p, atls_bytes in, atls_bytes *out)
{
    return atls_arena_copy(p->arena, in, out, p->err);
}

/* The policy may be gone before the claims are. */
static bool claim_application(const proof *p, atls_apple_claims *out)
{
    size_t i;
    if (!apple_find_application(out, p->policy, p->arena, &i, p->err)) {
        return false;
    }
    if (i == p->policy->n_applications) {
        return true;
    }
    const atls_apple_application *app = &p->policy->applications[i];
    out->is_matched = true;
    out->application = (uint32_t)i;
    return copy(p, app->team_identifier, &out->team_identifier)
           && copy(p, app->bundle_identifier, &out->bundle_identifier) && copy(p, app->app_id, &out->app_id);
}

/* ---- the order ---- */

bool apple_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                        atls_trace *trace, atls_error *err)
{
    proof p = {
        .attestation = evidence,
        .auth = auth,
        .policy = &auth->policy->apple,
        .arena = arena,
        .trace = trace,
        .err = err,
    };
    apple_attestation_roots(p.policy, &p.roots);
    if (!set_time(&p) || !atls_trace_step(trace, check_chain(&p), "apple.chain", "attestation.x5c", err)
        || !list_nonce(&p) || !atls_digest(auth->crypto, ATLS_SHA256, &p.leaf->key.point, 1, p.key_id, err)
        || !list_key_id(&p)
        || !atls_trace_step(trace, check_credential(&p), "apple.credential", "attestation.authData", err)
        || !make_claims(&p, claims) || !prove_receipt(&p, &claims->apple)) {
        return false;
    }
    claims->apple.present = true;
    return claim_application(&p, &claims->apple) && apple_session_check(p.attestation, auth, claims, trace, err);
}
