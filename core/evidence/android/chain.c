/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c: whom a chain leads to: section 7 of the specification, as steps 3 to 8 of section 11. A chain is walked from the
 * root down, so that nothing is looked at that nobody vouched for. */
#include <stdio.h>

#include "android.h"
#include "base/text.h"

#define MIN_CERTIFICATES 3u

typedef struct walk {
    const android_evidence *e;
    const android_path *path;
    const atls_crypto *crypto;
    atls_arena *arena;
    atls_error *err;
} walk;

static const atls_cert *root_of(const walk *w)
{
    return &w->e->certs[w->e->n - 1];
}

static const char *field_of(const walk *w, size_t i, const char *what, char out[64])
{
    (void)w;
    (void)snprintf(out, 64, "chain[%zu].%s", i, what);
    return out;
}

bool android_is_factory_chain(const android_evidence *e)
{
    return e->provisioning == ATLS_ANDROID_FACTORY_PROVISIONED
           || (e->provisioning == ATLS_ANDROID_PROVISIONING_UNKNOWN && e->n == 4);
}

/* ---- dates ---- */

static bool outside(const walk *w, atls_code code, size_t i, const char *what, const char *relation, atls_time bound,
                    const char *message)
{
    char field[64];
    char limit[ATLS_TIME_TEXT_SIZE];
    char expected[ATLS_TIME_TEXT_SIZE + 16];
    char actual[ATLS_TIME_TEXT_SIZE];
    atls_time_format(bound, limit);
    if (bound == ATLS_TIME_UNSET) { /* a date like others here (Q6) */
        (void)snprintf(limit, sizeof limit, "1970-01-01T00:00:00Z");
    }
    atls_time_format(w->path->at_ms / 1000, actual);
    (void)snprintf(expected, sizeof expected, "%s %s", relation, limit);
    return atls_fail_values(w->err, code, field_of(w, i, what, field), expected, actual, "%s", message);
}

/* Both ends included. Keys of the factory cannot be replaced when their certificates end (D1); a leaf of them can. */
static bool check_dates(const walk *w, size_t i, atls_code code)
{
    const atls_cert *cert = &w->e->certs[i];
    const bool any_end = w->path->ignore_factory_expiry && i > 0 && android_is_factory_chain(w->e);
    if (w->path->at_ms < cert->not_before * 1000) {
        return outside(w, code, i, "not_before", "not before", cert->not_before, "a certificate is not valid yet");
    }
    return any_end || w->path->at_ms <= cert->not_after * 1000
           || outside(w, code, i, "not_after", "not after", cert->not_after, "a certificate has expired");
}

/* ---- signatures ---- */

/* Any hash with any key of its kind (Q15). */
static bool hash_of(const atls_cert *cert, atls_key_kind signer, atls_hash *out)
{
    static const struct {
        atls_sig_alg alg;
        atls_hash hash;
        bool is_rsa;
    } algorithms[] = {
        {ATLS_SIG_ECDSA_SHA256, ATLS_SHA256, false}, {ATLS_SIG_ECDSA_SHA384, ATLS_SHA384, false},
        {ATLS_SIG_ECDSA_SHA512, ATLS_SHA512, false}, {ATLS_SIG_RSA_SHA256, ATLS_SHA256, true},
        {ATLS_SIG_RSA_SHA384, ATLS_SHA384, true},    {ATLS_SIG_RSA_SHA512, ATLS_SHA512, true},
    };
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (algorithms[i].alg == cert->sig_alg && algorithms[i].is_rsa == (signer == ATLS_KEY_RSA)) {
            *out = algorithms[i].hash;
            return true;
        }
    }
    return false;
}

static bool check_signature(const walk *w, size_t i, size_t signer, atls_code code)
{
    char field[64];
    const atls_cert *cert = &w->e->certs[i];
    const atls_public_key *public_key = &w->e->certs[signer].key;
    atls_key *key;
    atls_hash hash;
    (void)field_of(w, i, "signature", field);
    if (!atls_key_open_insecure_rsa1024(w->crypto, public_key, code, field, &key, w->err)) {
        return false;
    }
    bool ok = hash_of(cert, public_key->kind, &hash);
    if (!ok) {
        (void)atls_fail_unsupported(w->err, code, field, "ECDSA or RSA PKCS #1 with SHA-256, SHA-384 or SHA-512",
                                    "another algorithm, or another kind of key", NULL);
    }
    ok = ok && atls_verify_der(w->crypto, key, hash, cert->tbs, cert->signature, code, field, w->err);
    atls_key_close(key);
    return ok;
}

/* ---- steps 3 to 5: the root ---- */

static bool check_root_dates(walk *w)
{
    return check_dates(w, w->e->n - 1, ATLS_E_ANDROID_ROOT_TIME);
}

static bool check_anchor(walk *w)
{
    static const char expected[] = "a key that this policy trusts for this";
    uint8_t hash[32];
    char field[64];
    (void)field_of(w, w->e->n - 1, "public_key", field);
    if (!atls_digest(w->crypto, ATLS_SHA256, &root_of(w)->spki, 1, hash, w->err)) {
        return false;
    }
    for (size_t i = 0; i < w->path->n_anchors; i++) {
        if (atls_bytes_equal(atls_bytes_of(hash, sizeof hash),
                             atls_bytes_of(w->path->anchors[i].spki_sha256, sizeof hash))) {
            return true;
        }
    }
    const atls_key_anchor *known = atls_anchor_android_find(hash);
    const char *actual =
        known != NULL ? known->label : atls_hex_text(atls_bytes_of(hash, sizeof hash), w->arena, w->err);
    return actual != NULL
           && atls_fail_values(w->err,
                               known != NULL ? ATLS_E_ANDROID_OTHER_MATCHING_ROOT : ATLS_E_ANDROID_NO_MATCHING_ROOT,
                               field, expected, actual, NULL);
}

static bool check_root_signature(walk *w)
{
    const size_t root = w->e->n - 1;
    return check_signature(w, root, root, ATLS_E_ANDROID_ROOT_INVALID);
}

/* ---- steps 6 and 7 ---- */

static bool check_list(walk *w)
{
    if (w->path->list != NULL) {
        return true;
    }
    *w->err = *w->path->list_why;
    return false;
}

static bool check_revoked(const walk *w, size_t i)
{
    char field[64];
    android_status status;
    const atls_cert *cert = &w->e->certs[i];
    if (!android_list_find(w->path->list, cert->serial, w->path->match_decimal, &status, w->err)) {
        return false;
    }
    if (!status.is_revoked) {
        return true;
    }
    const char *serial = atls_hex_text(cert->serial, w->arena, w->err);
    return serial != NULL
           && atls_fail_values(w->err, ATLS_E_ANDROID_REVOKED, field_of(w, i, "serial", field), "not on the list",
                               serial, "%s%s%s", status.status[0] != '\0' ? status.status : "listed without a status",
                               status.reason[0] != '\0' ? ": " : "", status.reason);
}

static bool check_certificates(walk *w)
{
    for (size_t i = w->e->n - 1; i-- > 0;) {
        const bool any_date = i == 0 && w->path->ignore_leaf_validity;
        if ((!any_date && !check_dates(w, i, ATLS_E_ANDROID_CERTIFICATE_TIME))
            || !check_signature(w, i, i + 1, ATLS_E_ANDROID_CERTIFICATE_INVALID) || !check_revoked(w, i)) {
            return false;
        }
    }
    return true;
}

/* ---- step 8: the rules of the path ---- */

/* `why` is the reference's word for it. */
static bool bad_path(const walk *w, const char *field, const char *expected, const char *why, const char *message)
{
    return atls_fail_values(w->err, ATLS_E_ANDROID_PATH_VALIDATION, field, expected, why, "%s", message);
}

static bool check_names(const walk *w)
{
    char field[64];
    if (w->e->n < MIN_CERTIFICATES) {
        return bad_path(w, "chain", "at least 3 certificates", "TOO_SHORT", "the chain is too short");
    }
    if (!atls_bytes_equal(root_of(w)->issuer, root_of(w)->subject)) {
        return bad_path(w, field_of(w, w->e->n - 1, "issuer", field), "its own subject", "ROOT_NOT_SELF_ISSUED",
                        "the last certificate was not issued by itself");
    }
    for (size_t i = 0; i + 1 < w->e->n; i++) {
        if (!android_names_equal(w->e->certs[i].issuer, w->e->certs[i + 1].subject)) {
            return bad_path(w, field_of(w, i, "issuer", field), "the subject of the next certificate", "NAME_CHAINING",
                            "a certificate names another issuer than the one that signed it");
        }
    }
    return true;
}

static bool check_algorithms(const walk *w)
{
    char field[64];
    for (size_t i = 0; i < w->e->n; i++) {
        if (w->e->certs[i].algorithms_differ) {
            return bad_path(w, field_of(w, i, "signature_algorithm", field), "the algorithm that was signed",
                            "SIGNATURE_ALGORITHM", "the algorithm outside is not the one inside");
        }
    }
    return true;
}

/* The attested key must not vouch for others: a description that such a key signed would be anybody's invention. */
static bool check_extensions(const walk *w)
{
    static const char expected[] = "the key description in the leaf alone";
    const android_evidence *e = w->e;
    if (e->n_described == 0) {
        return bad_path(w, "chain", expected, "TARGET_MISSING_ATTESTATION_EXTENSION", "there is no key description");
    }
    if (e->n_described > 1) {
        return bad_path(w, "chain", expected, "CHAIN_EXTENDED_WITH_FAKE_ATTESTATION_EXTENSION",
                        "a second key description: the attested key was made to sign one");
    }
    return e->described == 0
           || bad_path(w, "chain", expected, "CHAIN_EXTENDED_FOR_KEY",
                       "the attested key has signed a further certificate");
}

static bool check_shape(const walk *w)
{
    const android_evidence *e = w->e;
    switch (e->provisioning) {
    case ATLS_ANDROID_FACTORY_PROVISIONED:
        return e->n == 4 || bad_path(w, "chain", "4 certificates", "SHAPE", "no chain of the factory has this length");
    case ATLS_ANDROID_REMOTELY_PROVISIONED:
        return (e->n == 5 && e->is_droid_ca3)
               || bad_path(w, "chain", "leaf, attestation, Droid CA3, Droid CA2, root", "SHAPE",
                           "no chain of remote provisioning has this form");
    case ATLS_ANDROID_PROVISIONING_UNKNOWN:
        break;
    }
    return e->n <= 4 || bad_path(w, "chain", "3 or 4 certificates", "SHAPE", "no chain of phones has this form");
}

static bool check_path(walk *w)
{
    return check_names(w) && check_algorithms(w) && check_extensions(w) && check_shape(w);
}

/* ---- the steps ---- */

bool android_path_check(const android_evidence *e, const android_path *path, const atls_crypto *crypto,
                        atls_arena *arena, atls_trace *trace, atls_error *err)
{
    static const struct {
        const char *id;
        const char *field;
        bool (*check)(walk *w);
    } steps[] = {
        {"android.root_time", "chain.root.validity", check_root_dates},
        {"android.root", "chain.root.public_key", check_anchor},
        {"android.root_signature", "chain.root.signature", check_root_signature},
        {"android.list", "status", check_list},
        {"android.certificates", "chain", check_certificates},
        {"android.path", "chain", check_path},
    };
    walk w = {.e = e, .path = path, .crypto = crypto, .arena = arena, .err = err};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (!atls_trace_step(trace, steps[i].check(&w), steps[i].id, steps[i].field, err)) {
            return false;
        }
    }
    return true;
}
