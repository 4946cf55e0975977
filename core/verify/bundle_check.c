/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_check.c: what can be said of each piece of a bundle without any evidence.
 *
 * This is for the operator who made the bundle, or is about to use it. An appraisal does not come here: it verifies what it
 * uses in its own room, by that room's rules, which are stricter (names, extensions, which root for what). */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "bundle_index.h"
#include "bundle_kinds.h"
#include "evidence/dcap/dcap.h"
#include "pki/chain.h"
#include "policy_android.h"

#define MAX_DEPTH 6u
#define MAX_ROOTS 32u

typedef struct checker {
    const atls_bundle *b;
    atls_crypto *crypto;
    atls_time now;
    atls_arena *arena;
    bundle_index index;
    uint8_t roots[MAX_ROOTS][32];
    size_t n_roots;
    atls_error *err; /* of our own side */
} checker;

/* What is being looked at. */
typedef struct look {
    checker *k;
    const atls_bundle_piece *piece;
    atls_piece_trust trust;
    atls_error *err;
} look;

/* ---- certificates of the whole bundle ---- */

static bool collect_chain(checker *k, atls_bytes pem)
{
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    atls_error why = {.code = ATLS_OK};
    if (pem.len == 0
        || !atls_pem_certificates(pem, true, ATLS_E_COLLATERAL_FORMAT, "chain", k->arena, ders, ATLS_MAX_PEM_CERTS, &n,
                                  &why)) {
        return true;
    }
    for (size_t i = 0; i < n; i++) {
        if (!atls_bundle_index_put(&k->index, ders[i], k->err)) {
            return false;
        }
    }
    return true;
}

static bool has_chain(const atls_bundle_piece *p, atls_bytes *out)
{
    if (strcmp(p->kind, BUNDLE_TCB_INFO) == 0 || strcmp(p->kind, BUNDLE_QE_IDENTITY) == 0) {
        *out = p->parts[2];
        return true;
    }
    *out = p->parts[strcmp(p->kind, BUNDLE_PCK_CRL) == 0 ? 1 : 0];
    return strcmp(p->kind, BUNDLE_PCK_CRL) == 0 || strcmp(p->kind, BUNDLE_PCK_CHAIN) == 0;
}

static bool collect_all(checker *k, const atls_bytes *roots, size_t n_roots)
{
    if (n_roots > MAX_ROOTS) {
        return atls_fail(k->err, ATLS_E_USAGE, "roots", "more than %u", MAX_ROOTS);
    }
    for (size_t i = 0; i < n_roots; i++) {
        if (!atls_bundle_index_put(&k->index, roots[i], k->err)
            || !atls_digest(k->crypto, ATLS_SHA256, &roots[i], 1, k->roots[i], k->err)) {
            return false;
        }
    }
    k->n_roots = n_roots;
    for (size_t i = 0; i < k->b->n_pieces; i++) {
        const atls_bundle_piece *p = &k->b->pieces[i];
        atls_bytes chain;
        if (has_chain(p, &chain)
                ? !collect_chain(k, chain)
                : strcmp(p->kind, BUNDLE_CERTIFICATE) == 0 && !atls_bundle_index_put(&k->index, p->parts[0], k->err)) {
            return false;
        }
    }
    return atls_bundle_index_build(&k->index, k->arena, k->err);
}

static bool is_trusted_root(const checker *k, const atls_cert *cert, bool *out, atls_error *err)
{
    uint8_t digest[32];
    if (!atls_digest(k->crypto, ATLS_SHA256, &cert->der, 1, digest, err)) {
        return false;
    }
    *out = atls_anchor_of_vendor(digest) != NULL;
    for (size_t i = 0; i < k->n_roots; i++) {
        *out = *out || memcmp(digest, k->roots[i], sizeof digest) == 0;
    }
    return true;
}

/* ---- up to a root ---- */

static bool could_have_issued(const atls_cert *issuer, atls_bytes name, atls_bytes key_id)
{
    return atls_bytes_equal(issuer->subject, name)
           && (key_id.len == 0 || issuer->subject_key_id.len == 0 || atls_bytes_equal(issuer->subject_key_id, key_id));
}

static bool check_revoked(const look *l, const atls_cert *cert, const char *field)
{
    atls_crl *const *lists;
    const size_t n = atls_bundle_index_issuer(&l->k->index, cert->issuer, &lists);
    if (n > BUNDLE_MAX_SAME_ISSUER) {
        return atls_fail(l->err, ATLS_E_LIMIT, field, "more than %u lists of its issuer", BUNDLE_MAX_SAME_ISSUER);
    }
    for (size_t i = 0; i < n; i++) {
        if (atls_crl_is_about(lists[i], cert) && !atls_crl_check(lists[i], cert, field, l->err)) {
            return false;
        }
    }
    return true;
}

static bool link_to(const look *l, atls_cert *cert, const atls_cert *issuer, uint32_t n_below, const char *field,
                    atls_error *err)
{
    atls_key *key = NULL;
    const bool ok = atls_key_open(l->k->crypto, &issuer->key, ATLS_E_CERTIFICATE_CHAIN, field, &key, err)
                    && atls_link_verify(l->k->crypto, cert, issuer, key, n_below, ATLS_E_CERTIFICATE_CHAIN, field, err);
    atls_key_close(key);
    return ok;
}

/* Who could have issued what names this issuer and this key. False: more than anybody would have. */
static bool find_candidates(checker *k, atls_bytes name, atls_bytes key_id, atls_cert *out[BUNDLE_MAX_CANDIDATES],
                            size_t *n, const char *field, atls_error *err)
{
    atls_cert *const *same;
    const size_t n_same = atls_bundle_index_subject(&k->index, name, &same);
    *n = 0;
    if (n_same > BUNDLE_MAX_SAME_SUBJECT) {
        return atls_fail(err, ATLS_E_LIMIT, field, "more than %u certificates have the name of its issuer",
                         BUNDLE_MAX_SAME_SUBJECT);
    }
    for (size_t i = 0; i < n_same; i++) {
        if (!could_have_issued(same[i], name, key_id)) {
            continue;
        }
        if (*n == BUNDLE_MAX_CANDIDATES) {
            return atls_fail(err, ATLS_E_LIMIT, field, "more than %u certificates could be that of its issuer",
                             BUNDLE_MAX_CANDIDATES);
        }
        out[(*n)++] = same[i];
    }
    return true;
}

/* The issuer of a certificate, NULL when it is not here; err says why one that could be it is not. */
static atls_cert *find_issuer(const look *l, atls_cert *cert, uint32_t n_below, const char *field, atls_error *err)
{
    atls_cert *candidates[BUNDLE_MAX_CANDIDATES];
    size_t n;
    if (!find_candidates(l->k, cert->issuer, cert->authority_key_id, candidates, &n, field, err)) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (candidates[i] == cert) {
            continue;
        }
        atls_error why = {.code = ATLS_OK};
        if (link_to(l, cert, candidates[i], n_below, field, &why)) {
            atls_error_clear(err);
            return candidates[i];
        }
        if (err->code == ATLS_OK) {
            *err = why;
        }
    }
    return NULL;
}

/* From a certificate up: dates, lists and signatures, to a root that is trusted or to where nothing more is known. */
static bool climb(look *l, atls_cert *cert, const char *field)
{
    for (uint32_t depth = 0; depth < MAX_DEPTH; depth++) {
        bool is_root;
        atls_error why = {.code = ATLS_OK};
        if (!atls_validity_check(cert->not_before, cert->not_after, l->k->now, field, l->err)
            || !is_trusted_root(l->k, cert, &is_root, l->err)) {
            return false;
        }
        if (is_root) {
            l->trust = ATLS_PIECE_ANCHORED;
            return true;
        }
        if (atls_bytes_equal(cert->issuer, cert->subject)) {
            return atls_fail(l->err, ATLS_E_CERTIFICATE_CHAIN, field, "the root is none of those that are trusted");
        }
        if (!check_revoked(l, cert, field)) {
            return false;
        }
        atls_cert *issuer = find_issuer(l, cert, depth, field, &why);
        if (issuer == NULL) {
            *l->err = why; /* ATLS_OK: nobody here could have issued it */
            return why.code == ATLS_OK;
        }
        cert = issuer;
    }
    return atls_fail(l->err, ATLS_E_CERTIFICATE_CHAIN, field, "the chain is too long");
}

/* ---- pieces ---- */

static bool pooled(const look *l, atls_bytes der, const char *field, atls_cert **out)
{
    atls_cert unreadable;
    *out = atls_bundle_index_find(&l->k->index, der);
    if (*out != NULL) {
        return true;
    }
    return atls_cert_decode(der, "", &unreadable, l->err)
               ? atls_fail(l->err, ATLS_E_INTERNAL, field, "a certificate of the bundle is not in the bundle")
               : atls_error_relabel(l->err, ATLS_E_COLLATERAL_FORMAT, field);
}

static bool check_certificate(look *l)
{
    atls_cert *cert;
    return pooled(l, l->piece->parts[0], "certificate", &cert) && climb(l, cert, "certificate");
}

static bool check_pck_chain(look *l)
{
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    if (!atls_pem_certificates(l->piece->parts[0], true, ATLS_E_COLLATERAL_FORMAT, "pck_certificate_chain", l->k->arena,
                               ders, ATLS_MAX_PEM_CERTS, &n, l->err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        atls_cert *cert;
        if (!pooled(l, ders[i], "pck_certificate_chain", &cert) || !climb(l, cert, "pck_certificate_chain")) {
            return false;
        }
    }
    return true;
}

/* Who of those who could have signed a list did, by its own date or by ours; NULL: nobody, and why says why. */
static atls_cert *signer_of_list(checker *k, const atls_crl *list, atls_time now, atls_error *why)
{
    atls_cert *candidates[BUNDLE_MAX_CANDIDATES];
    size_t n;
    if (!find_candidates(k, list->issuer, list->authority_key_id, candidates, &n, "crl", why)) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        atls_key *key = NULL;
        atls_error_clear(why);
        const bool ok = atls_key_open(k->crypto, &candidates[i]->key, ATLS_E_CRL, "crl", &key, why)
                        && atls_crl_verify(k->crypto, list, candidates[i], key, now, "crl", why);
        atls_key_close(key);
        if (ok) {
            return candidates[i];
        }
        if (why->code == ATLS_E_MEMORY || why->code == ATLS_E_INTERNAL) {
            return NULL;
        }
    }
    return NULL;
}

/* A list is its issuer's. Where that is not here, its dates are all that can be looked at. */
static bool check_list(look *l)
{
    atls_crl list;
    atls_error why = {.code = ATLS_OK};
    if (!atls_crl_decode(l->piece->parts[0], "crl", &list, l->err)) {
        return atls_error_relabel(l->err, ATLS_E_COLLATERAL_FORMAT, "");
    }
    atls_cert *issuer = signer_of_list(l->k, &list, l->k->now, &why);
    if (issuer != NULL) {
        return climb(l, issuer, "crl.issuer");
    }
    if (why.code != ATLS_OK) {
        *l->err = why;
        return false;
    }
    return atls_validity_check(list.this_update, list.next_update, l->k->now, "crl", l->err);
}

static bool signer_of(const look *l, atls_code code, atls_cert **out)
{
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    if (!atls_pem_certificates(l->piece->parts[2], true, ATLS_E_COLLATERAL_FORMAT, "chain", l->k->arena, ders,
                               ATLS_MAX_PEM_CERTS, &n, l->err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        atls_bytes cn;
        if (!pooled(l, ders[i], "chain", out)) {
            return false;
        }
        if (atls_name_common_name((*out)->subject, &cn) && atls_bytes_equal_str(cn, "Intel SGX TCB Signing")) {
            return true;
        }
    }
    (void)atls_fail(l->err, code, "chain", "there is no certificate of Intel SGX TCB Signing in it");
    return false;
}

static bool fail_date(look *l, atls_code code, const char *name, const char *relation, atls_time limit)
{
    char field[64];
    char expected[64];
    char at[ATLS_TIME_TEXT_SIZE];
    char actual[ATLS_TIME_TEXT_SIZE];
    atls_time_format(limit, at);
    atls_time_format(l->k->now, actual);
    (void)snprintf(field, sizeof field, "%s.%s", strchr(l->piece->kind, '.') + 1, name);
    (void)snprintf(expected, sizeof expected, "%s%s", relation, at);
    return atls_fail_values(l->err, code, field, expected, actual, NULL);
}

static bool check_window(look *l, atls_time issued, atls_time next)
{
    if (l->k->now < issued) {
        return fail_date(l, ATLS_E_NOT_YET_VALID, "issueDate", "not before ", issued);
    }
    return l->k->now <= next || fail_date(l, ATLS_E_EXPIRED, "nextUpdate", "not after ", next);
}

static bool check_document(look *l, atls_code code, atls_time issued, atls_time next)
{
    uint8_t rs[64];
    atls_cert *signer;
    atls_key *key = NULL;
    if (!signer_of(l, code, &signer) || !climb(l, signer, "chain")) {
        return false;
    }
    if (!atls_hex_fixed(l->piece->parts[1], rs, sizeof rs)) {
        return atls_fail(l->err, code, "signature", "not 128 hex digits");
    }
    const bool ok = atls_key_open(l->k->crypto, &signer->key, code, "chain", &key, l->err)
                    && atls_verify_raw(l->k->crypto, key, ATLS_SHA256, l->piece->parts[0], atls_bytes_of(rs, sizeof rs),
                                       code, "signature", l->err);
    atls_key_close(key);
    return ok && check_window(l, issued, next);
}

static bool check_tcb_info(look *l)
{
    dcap_tcb_info info;
    return dcap_tcb_info_decode(l->piece->parts[0], l->k->arena, &info, l->err)
           && check_document(l, ATLS_E_TCB_INFO_SIGNATURE, info.issue_date, info.next_update);
}

static bool check_qe_identity(look *l)
{
    dcap_qe_identity identity;
    return dcap_qe_identity_decode(l->piece->parts[0], l->k->arena, &identity, l->err)
           && check_document(l, ATLS_E_QE_IDENTITY_SIGNATURE, identity.issue_date, identity.next_update);
}

/* Stale is a matter of policy: a list is refused here when a policy that does not speak of it would refuse it. That it is one
 * was seen when its subject was compared. */
static bool check_status(look *l)
{
    bundle_dates dates;
    l->trust = ATLS_PIECE_UNSIGNED;
    if (!atls_bundle_dates(l->piece, &dates)) {
        return atls_fail(l->err, ATLS_E_COLLATERAL_FORMAT, "status", "its dates cannot be read");
    }
    if (l->k->now < dates.fetched) {
        return fail_date(l, ATLS_E_NOT_YET_VALID, "fetched", "not before ", dates.fetched);
    }
    const atls_time until = dates.expires != ATLS_TIME_UNSET   ? dates.expires
                            : dates.fetched != ATLS_TIME_UNSET ? dates.fetched + (atls_time)ATLS_ANDROID_LIST_LIFE_S
                                                               : ATLS_TIME_UNSET;
    const atls_time last = until + (atls_time)ATLS_ANDROID_DEFAULT_MAX_STALE_S;
    return until == ATLS_TIME_UNSET || l->k->now <= last || fail_date(l, ATLS_E_EXPIRED, "expires", "not after ", last);
}

static bool check_subject(const look *l)
{
    const char *actual;
    if (!atls_bundle_subject_of(l->k->crypto, l->piece, l->k->arena, &actual, l->err)) {
        return false;
    }
    return strcmp(actual, l->piece->subject) == 0
           || atls_fail_values(l->err, ATLS_E_COLLATERAL_FORMAT, "subject", l->piece->subject, actual,
                               "the piece is not about what it says");
}

static void check_piece(checker *k, const atls_bundle_piece *piece, atls_piece_finding *out)
{
    static const struct {
        const char *kind;
        bool (*check)(look *l);
    } rows[] = {
        {BUNDLE_TCB_INFO, check_tcb_info},
        {BUNDLE_QE_IDENTITY, check_qe_identity},
        {BUNDLE_PCK_CRL, check_list},
        {BUNDLE_ROOT_CA_CRL, check_list},
        {BUNDLE_PCK_CHAIN, check_pck_chain},
        {BUNDLE_CERTIFICATE, check_certificate},
        {BUNDLE_CRL, check_list},
        {BUNDLE_STATUS, check_status},
    };
    *out = (atls_piece_finding){.trust = ATLS_PIECE_UNKNOWN};
    look l = {.k = k, .piece = piece, .err = &out->error};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].kind, piece->kind) == 0) {
            const bool ok = check_subject(&l) && rows[i].check(&l);
            out->trust = l.trust;
            if (!ok && out->error.code == ATLS_OK) {
                (void)atls_fail(&out->error, ATLS_E_INTERNAL, piece->kind, "a check failed, and nobody said so");
            }
            return;
        }
    }
    (void)atls_fail(&out->error, ATLS_E_INTERNAL, piece->kind, "no check for a kind of piece");
}

/* ---- lists that revoke ---- */

static bool is_list(const atls_bundle_piece *p)
{
    return strcmp(p->kind, BUNDLE_CRL) == 0 || strcmp(p->kind, BUNDLE_PCK_CRL) == 0
           || strcmp(p->kind, BUNDLE_ROOT_CA_CRL) == 0;
}

/* An old list that is genuine still revokes, and so its dates are not asked here. */
static bool find_lists(checker *k)
{
    for (size_t i = 0; i < k->b->n_pieces; i++) {
        const atls_bundle_piece *p = &k->b->pieces[i];
        atls_error why = {.code = ATLS_OK};
        atls_crl *list = is_list(p) ? atls_arena_alloc(k->arena, sizeof *list, k->err) : NULL;
        if (!is_list(p)) {
            continue;
        }
        if (list == NULL) {
            return false;
        }
        if (!atls_crl_decode(p->parts[0], "crl", list, &why)) {
            continue;
        }
        if (signer_of_list(k, list, list->this_update, &why) != NULL) {
            atls_bundle_index_add_list(&k->index, list);
        } else if (why.code == ATLS_E_MEMORY || why.code == ATLS_E_INTERNAL) { /* it may be one that revokes */
            *k->err = why;
            return false;
        }
    }
    return atls_bundle_index_order_lists(&k->index, k->arena, k->err);
}

bool atls_bundle_check_counted(const atls_bundle *b, const atls_bytes *roots, size_t n_roots, atls_time now,
                               atls_arena *arena, atls_piece_finding *out, bundle_cost *cost, atls_error *err)
{
    checker k = {.b = b, .now = now, .arena = arena, .err = err};
    const size_t most = n_roots + b->n_pieces * ATLS_MAX_PEM_CERTS;
    *cost = (bundle_cost){.n_compared = 0};
    if (now <= ATLS_TIME_UNSET) {
        return atls_fail(err, ATLS_E_USAGE, "now", "the time of the check is not set");
    }
    if (!atls_bundle_index_init(&k.index, most, b->n_pieces, arena, err) || !atls_crypto_new(&k.crypto, err)) {
        return false;
    }
    const bool ok = collect_all(&k, roots, n_roots) && find_lists(&k);
    for (size_t i = 0; ok && i < b->n_pieces; i++) {
        check_piece(&k, &b->pieces[i], &out[i]);
    }
    *cost = (bundle_cost){.n_compared = k.index.n_compared, .n_verified = atls_crypto_verifications(k.crypto)};
    atls_crypto_free(k.crypto);
    return ok;
}

bool atls_bundle_check(const atls_bundle *b, const atls_bytes *roots, size_t n_roots, atls_time now, atls_arena *arena,
                       atls_piece_finding *out, atls_error *err)
{
    bundle_cost ignored;
    return atls_bundle_check_counted(b, roots, n_roots, now, arena, out, &ignored, err);
}
