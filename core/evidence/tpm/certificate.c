/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c: the attestation key's certificate (section 4).
 *
 * Its issuers come along, or are at hand, in no order, and their number differs from cloud to cloud. So a path is looked for:
 * names and key ids lead from the leaf to a pinned root, and only then signatures are checked, over a bounded number of
 * paths. What a path is worth is decided by pki/chain.h. Two things are understood here that are not there: a critical
 * subjectAltName that holds directory names only (what the TPM is, for those who ask), and a critical extendedKeyUsage. */
#include <stdio.h>

#include "base/der.h"
#include "pki/chain.h"
#include "tpm.h"

#define MAX_PATH   6u   /* the key's certificate, four intermediates, a root */
#define MAX_PATHS  8u   /* that are verified before we give up */
#define MAX_STEPS  512u /* certificates looked at on the way: names that all issue each other lead nowhere for long */
#define MAX_CERTS  (1u + TPM_MAX_CERTS + ATLS_MAX_PILE_CERTIFICATES)
#define LEAF_FIELD "ak_cert"

typedef struct path {
    atls_cert *certs[MAX_PATH]; /* leaf first */
    size_t n;
    const atls_anchor *anchor; /* of the last one */
} path;

typedef struct search {
    const atls_authority *auth;
    atls_cert_pool pool;
    const atls_anchor *anchors[MAX_CERTS]; /* of each certificate of the pool, NULL: none */
    path path;
    size_t n_paths; /* verified so far */
    size_t n_steps;
    bool is_dead_end; /* a certificate was met that was not issued by itself, and whose issuer is not there */
    tpm_chain *out;
    atls_error first; /* why the first path was not good */
} search;

/* ---- purposes and critical extensions of the key's certificate ---- */

static bool is_id_ce(atls_bytes oid, uint8_t arc)
{
    const uint8_t id[] = {0x55, 0x1d, arc};
    return atls_bytes_equal(oid, atls_bytes_of(id, sizeof id));
}

#define CE_SUBJECT_KEY_ID    14
#define CE_KEY_USAGE         15
#define CE_SUBJECT_ALT_NAME  17
#define CE_BASIC_CONSTRAINTS 19
#define CE_AUTHORITY_KEY_ID  35
#define CE_EXT_KEY_USAGE     37
#define DIRECTORY_NAME       4

static bool only_directory_names(atls_bytes value)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cur c;
    atls_cur names;
    atls_cur_init(&c, value, "", &ignored);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &names) || !atls_cur_end(&c)) {
        return false;
    }
    while (names.rest.len > 0) {
        atls_der_tag tag;
        if (!atls_der_any(&names, "", &tag, NULL, NULL) || tag != ATLS_DER_CONTEXT_CONS(DIRECTORY_NAME)) {
            return false;
        }
    }
    return true;
}

static bool is_understood(const atls_extension *e)
{
    static const uint8_t arcs[] = {CE_SUBJECT_KEY_ID, CE_KEY_USAGE, CE_BASIC_CONSTRAINTS, CE_AUTHORITY_KEY_ID,
                                   CE_EXT_KEY_USAGE};
    for (size_t i = 0; i < sizeof arcs; i++) {
        if (is_id_ce(e->oid, arcs[i])) {
            return true;
        }
    }
    return is_id_ce(e->oid, CE_SUBJECT_ALT_NAME) && only_directory_names(e->value);
}

static void understand_extensions(atls_cert *leaf)
{
    bool unknown = false;
    for (size_t i = 0; i < leaf->n_extensions; i++) {
        unknown = unknown || (leaf->extensions[i].critical && !is_understood(&leaf->extensions[i]));
    }
    leaf->has_unknown_critical = unknown;
}

/* tcg-kp-EKCertificate 2.23.133.8.1 (Google's attestation keys have it), tcg-kp-AIKCertificate 2.23.133.8.3 */
static bool names_tpm_key(atls_bytes value)
{
    static const uint8_t ek[] = {0x67, 0x81, 0x05, 0x08, 0x01};
    static const uint8_t aik[] = {0x67, 0x81, 0x05, 0x08, 0x03};
    atls_error ignored = {.code = ATLS_OK};
    atls_cur c;
    atls_cur list;
    bool found = false;
    atls_cur_init(&c, value, "", &ignored);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &list) || !atls_cur_end(&c)) {
        return false;
    }
    while (list.rest.len > 0) {
        atls_bytes oid;
        if (!atls_der_oid(&list, "", &oid)) {
            return false;
        }
        found = found || atls_bytes_equal(oid, atls_bytes_of(ek, sizeof ek))
                || atls_bytes_equal(oid, atls_bytes_of(aik, sizeof aik));
    }
    return found;
}

/* A CA may certify other keys as well; whoever has one of those could write any attributes he likes beside it. */
static bool check_purpose(const atls_cert *leaf, const atls_tpm_gce *gce, atls_error *err)
{
    for (size_t i = 0; i < leaf->n_extensions; i++) {
        if (is_id_ce(leaf->extensions[i].oid, CE_EXT_KEY_USAGE)) {
            return names_tpm_key(leaf->extensions[i].value)
                   || atls_fail_values(err, ATLS_E_CERTIFICATE_CHAIN, LEAF_FIELD ".ext_key_usage",
                                       "2.23.133.8.1 or 2.23.133.8.3", "others", "not a certificate for keys of a TPM");
        }
    }
    return gce->present
           || atls_fail(err, ATLS_E_CERTIFICATE_CHAIN, LEAF_FIELD ".ext_key_usage",
                        "nothing says that this certificate is for keys of a TPM");
}

/* Whether the certificate is of a kind that vouches for keys of a TPM. */
static bool check_kind(const atls_cert *leaf, const atls_tpm_gce *gce, atls_error *err)
{
    if (leaf->has_basic_constraints && leaf->is_ca) {
        return atls_fail(err, ATLS_E_CERTIFICATE_CHAIN, LEAF_FIELD ".basic_constraints",
                         "the certificate of an attestation key is a CA");
    }
    if (leaf->has_key_usage && (leaf->key_usage & ATLS_KU_DIGITAL_SIGNATURE) == 0) {
        return atls_fail(err, ATLS_E_CERTIFICATE_CHAIN, LEAF_FIELD ".key_usage", "the key is not for signatures");
    }
    return check_purpose(leaf, gce, err);
}

/* What no certificate may be, whatever else vouches for the key. */
static bool check_leaf(const tpm_evidence *e, atls_cert *leaf, tpm_chain *out, atls_error *err)
{
    if (leaf->key.kind != e->key.key.kind || !atls_bytes_equal(leaf->key.point, e->key.key.point)) {
        return atls_fail(err, ATLS_E_CERTIFICATE_MISMATCH, LEAF_FIELD ".public_key",
                         "the certificate is about another key than the one that signed");
    }
    understand_extensions(leaf);
    if (!tpm_gce_read(leaf, &out->gce, err)) {
        return false;
    }
    return !out->gce.present || out->gce.is_production
           || atls_fail_values(err, ATLS_E_CERTIFICATE_CHAIN, LEAF_FIELD ".gce_instance.is_production", "true", "false",
                               "the instance is not a production machine");
}

/* ---- lists ---- */

/* A list about this certificate that its issuer signed, in date or not: what was revoked stays revoked. Lists that are about
 * others, of this issuer or another one, or that nobody signed, count as absent; one that could not be looked at does not. */
static bool check_list(search *s, atls_bytes der, const atls_cert *cert, atls_signer *issuer, const char *field,
                       bool *fresh, atls_error *err)
{
    atls_crl crl;
    atls_error why = {.code = ATLS_OK};
    if (!atls_crl_decode(der, "", &crl, &why) || !atls_bytes_equal(crl.issuer, cert->issuer)) {
        return true;
    }
    const bool good = atls_links_verify_crl(s->auth->links, s->auth->crypto, &crl, issuer, s->auth->now, field, &why);
    if (why.code == ATLS_E_MEMORY || why.code == ATLS_E_INTERNAL) {
        *err = why;
        return false;
    }
    if (!good && why.code != ATLS_E_EXPIRED && why.code != ATLS_E_NOT_YET_VALID) {
        return true;
    }
    why = (atls_error){.code = ATLS_OK};
    if (!atls_crl_check(&crl, cert, field, &why)) {
        if (why.code == ATLS_E_REVOKED) {
            *err = why;
        }
        return why.code != ATLS_E_REVOKED;
    }
    *fresh = *fresh || good;
    return true;
}

static bool check_revocation(search *s, const atls_cert *cert, atls_signer *issuer, const char *field, atls_error *err)
{
    const atls_certificate_pile *pile = &s->auth->endorsements->pile;
    bool fresh = false;
    if (s->auth->policy->revocation == ATLS_REVOCATION_OFF) {
        return true;
    }
    if (pile->n_crls > ATLS_MAX_PILE_CRLS) { /* one that is not looked at could be the one that revokes */
        return atls_fail(err, ATLS_E_LIMIT, "endorsements.crls", "more than %u", ATLS_MAX_PILE_CRLS);
    }
    for (size_t i = 0; i < pile->n_crls; i++) {
        if (!check_list(s, pile->crls[i], cert, issuer, field, &fresh, err)) {
            return false;
        }
    }
    s->out->n_revocation += fresh ? 1 : 0;
    return fresh || s->auth->policy->revocation != ATLS_REVOCATION_REQUIRE
           || atls_fail(err, ATLS_E_CRL, field, "the policy requires a revocation list, and none in date is at hand");
}

/* ---- one path ---- */

static const char *name_of(size_t i, size_t n, char out[static 48])
{
    if (i + 1 == n) {
        snprintf(out, 48, "ak_cert.root");
    } else if (i == 0) {
        snprintf(out, 48, LEAF_FIELD);
    } else {
        snprintf(out, 48, "ak_cert.intermediate[%zu]", i - 1);
    }
    return out;
}

static bool verify_link(search *s, size_t i, atls_error *err)
{
    char field[48];
    atls_cert *cert = s->path.certs[i];
    atls_signer issuer = {.cert = s->path.certs[i + 1], .code = ATLS_E_CERTIFICATE_CHAIN, .field = field};
    (void)name_of(i, s->path.n, field);
    const bool ok = atls_links_verify(s->auth->links, s->auth->crypto, cert, &issuer, (uint32_t)i,
                                      ATLS_E_CERTIFICATE_CHAIN, field, err)
                    && check_revocation(s, cert, &issuer, field, err);
    atls_signer_close(&issuer);
    return ok;
}

static bool verify_path(search *s, atls_error *err)
{
    s->out->n_revocation = 0;
    s->out->not_after = s->path.certs[0]->not_after;
    for (size_t i = s->path.n; i > 0; i--) {
        char field[48];
        const atls_cert *cert = s->path.certs[i - 1];
        if (!atls_validity_check(cert->not_before, cert->not_after, s->auth->now, name_of(i - 1, s->path.n, field),
                                 err)) {
            return false;
        }
        s->out->not_after = cert->not_after < s->out->not_after ? cert->not_after : s->out->not_after;
    }
    for (size_t i = s->path.n - 1; i > 0; i--) {
        if (!verify_link(s, i - 1, err)) {
            return false;
        }
    }
    s->out->n_links = s->path.n - 1;
    s->out->anchor = s->path.anchor;
    s->out->is_complete = true;
    return true;
}

/* ---- looking for one ---- */

static bool may_issue(const atls_cert *issuer, const atls_cert *cert)
{
    return issuer != cert && atls_bytes_equal(issuer->subject, cert->issuer)
           && (cert->authority_key_id.len == 0 || atls_bytes_equal(cert->authority_key_id, issuer->subject_key_id));
}

static bool is_on_path(const path *p, const atls_cert *cert)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->certs[i] == cert) {
            return true;
        }
    }
    return false;
}

/* A path that ends in a root is verified at once; the search goes on when it is no good, another one may be. */
static bool try_path(search *s, const atls_anchor *anchor)
{
    atls_error why = {.code = ATLS_OK};
    s->path.anchor = anchor;
    s->n_paths++;
    if (verify_path(s, &why)) {
        return true;
    }
    if (s->first.code == ATLS_OK) {
        s->first = why;
    }
    return false;
}

/* Depth first, at most MAX_PATH deep. True when a path was verified. */
static bool look(search *s)
{
    const atls_cert *top = s->path.certs[s->path.n - 1];
    bool any = false;
    for (size_t i = 0; i < s->pool.n && s->path.n < MAX_PATH && s->n_paths < MAX_PATHS && s->n_steps < MAX_STEPS; i++) {
        atls_cert *next = s->pool.certs[i];
        if (is_on_path(&s->path, next) || !may_issue(next, top)) {
            continue;
        }
        any = true;
        s->n_steps++;
        s->path.certs[s->path.n++] = next;
        const bool found = s->anchors[i] != NULL ? try_path(s, s->anchors[i]) : look(s);
        if (found) {
            return true;
        }
        s->path.n--;
    }
    s->is_dead_end = s->is_dead_end || (!any && !atls_bytes_equal(top->issuer, top->subject));
    return false;
}

/* Of what is at hand, anything may be of no use here: only the memory must be there. */
static bool add(search *s, atls_bytes der, atls_error *err)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cert *cert;
    if (!atls_cert_pool_add(&s->pool, der, ATLS_E_CERTIFICATE_CHAIN, "", &cert, &ignored)) {
        return ignored.code != ATLS_E_MEMORY || atls_fail(err, ATLS_E_MEMORY, LEAF_FIELD, NULL);
    }
    return true;
}

static bool fill_pool(search *s, const tpm_evidence *e, atls_error *err)
{
    const atls_certificate_pile *pile = &s->auth->endorsements->pile;
    for (size_t i = 0; i < e->n_certs; i++) {
        if (!add(s, e->certs[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < pile->n_certificates && i < ATLS_MAX_PILE_CERTIFICATES; i++) {
        if (!add(s, pile->certificates[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < s->pool.n; i++) {
        if (!atls_anchor_find(s->auth->crypto, s->auth->policy->anchors, s->auth->policy->n_anchors, s->pool.certs[i],
                              &s->anchors[i], err)) {
            return false;
        }
    }
    return true;
}

static void explain(search *s)
{
    if (s->is_dead_end) {
        (void)atls_fail(&s->out->why, ATLS_E_ENDORSEMENTS_MISSING, LEAF_FIELD ".issuer",
                        "the certificate of an issuer neither came along nor is at hand");
        return;
    }
    (void)atls_fail(&s->out->why, ATLS_E_CERTIFICATE_CHAIN, "ak_cert.root",
                    "the chain of the key's certificate does not lead to a root that is trusted");
}

bool tpm_chain_verify(const tpm_evidence *e, const atls_authority *auth, atls_arena *a, tpm_chain *out, atls_error *err)
{
    search s = {.auth = auth, .out = out};
    *out = (tpm_chain){0};
    if (!atls_cert_pool_init(&s.pool, MAX_CERTS, a, err)
        || !atls_cert_pool_add(&s.pool, e->ak_cert, ATLS_E_CERTIFICATE_CHAIN, LEAF_FIELD, &out->leaf, err)
        || !check_leaf(e, out->leaf, out, err) || !fill_pool(&s, e, err)) {
        return false;
    }
    if (!check_kind(out->leaf, &out->gce, &out->why)) {
        return true;
    }
    s.path.certs[0] = out->leaf;
    s.path.n = 1;
    if (look(&s)) {
        return true;
    }
    if (s.n_paths > 0) {
        *err = s.first;
        return false;
    }
    explain(&s);
    return true;
}
