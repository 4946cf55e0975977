/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.c: which certificates belong to a report, and the chain from the pinned ARK (specification sections 3, 7.3).
 *
 * Roles are known by names: ARK-<product> signs SEV-<product>, which signs SEV-VCEK, and SEV-VLEK-<product>, which signs
 * SEV-VLEK. Every signature is RSASSA-PSS with SHA-384. */
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "base/text.h"
#include "proof.h"

#define VCEK_NAME       "SEV-VCEK"
#define VLEK_NAME       "SEV-VLEK"
#define ARK_PREFIX      "ARK-"
#define ASK_PREFIX      "SEV-"
#define ASVK_PREFIX     "SEV-VLEK-"
#define PEM_FIRST_BYTES "-----"

/* ---- reading what was given ---- */

static void keep_unread(sevsnp_given *given, const atls_error *why)
{
    if (given->unread.code == ATLS_OK) {
        given->unread = *why;
    }
}

/* False only when memory is short: what cannot be read is not there. */
static bool add_der(sevsnp_given *given, atls_bytes der, atls_error *err)
{
    atls_error why = {.code = ATLS_OK};
    atls_cert *cert;
    if (atls_cert_pool_add(&given->pool, der, ATLS_E_CERTIFICATE_CHAIN, "certificate", &cert, &why)) {
        return true;
    }
    if (why.code == ATLS_E_MEMORY) {
        *err = why;
        return false;
    }
    keep_unread(given, &why);
    return true;
}

static bool add_pem(sevsnp_given *given, atls_bytes text, atls_error *err)
{
    atls_error why = {.code = ATLS_OK};
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    if (!atls_pem_certificates(text, true, ATLS_E_CERTIFICATE_CHAIN, "certificate_table", given->pool.arena, ders,
                               ATLS_MAX_PEM_CERTS, &n, &why)) {
        if (why.code == ATLS_E_MEMORY) {
            *err = why;
            return false;
        }
        keep_unread(given, &why);
    }
    for (size_t i = 0; i < n; i++) {
        if (!add_der(given, ders[i], err)) {
            return false;
        }
    }
    return true;
}

/* A host may round an entry up: zeros after the certificate are not part of it. */
static atls_bytes without_padding(atls_bytes der)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cur c;
    atls_bytes whole;
    atls_cur_init(&c, der, "", &ignored);
    return atls_der_any(&c, "", NULL, NULL, &whole) && atls_bytes_is_zero(c.rest) ? whole : der;
}

static bool add_entry(sevsnp_given *given, atls_bytes data, atls_error *err)
{
    const size_t n = sizeof PEM_FIRST_BYTES - 1;
    const bool is_pem = data.len > n && memcmp(data.ptr, PEM_FIRST_BYTES, n) == 0;
    return data.len == 0 || (is_pem ? add_pem(given, data, err) : add_der(given, without_padding(data), err));
}

bool sevsnp_gather(const sevsnp_evidence *e, const atls_endorsements *endorsements, atls_arena *arena,
                   sevsnp_given *out, atls_error *err)
{
    static const sevsnp_table_kind kinds[] = {SEVSNP_TABLE_VCEK, SEVSNP_TABLE_VLEK, SEVSNP_TABLE_ASK, SEVSNP_TABLE_ARK};
    const size_t n = endorsements == NULL ? 0 : endorsements->pile.n_certificates;
    memset(out, 0, sizeof *out);
    if (n > ATLS_MAX_PILE_CERTIFICATES) {
        return atls_fail(err, ATLS_E_LIMIT, "endorsements.certificates", "more than %u", ATLS_MAX_PILE_CERTIFICATES);
    }
    if (!atls_cert_pool_init(&out->pool, SEVSNP_MAX_CERTS, arena, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!add_der(out, endorsements->pile.certificates[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!add_entry(out, sevsnp_table_find(&e->table, kinds[i]), err)) {
            return false;
        }
    }
    return true;
}

/* ---- names ---- */

bool sevsnp_is_leaf_name(atls_bytes subject, bool *is_vlek)
{
    atls_bytes cn;
    if (!atls_name_common_name(subject, &cn)) {
        return false;
    }
    *is_vlek = atls_bytes_equal_str(cn, VLEK_NAME);
    return *is_vlek || atls_bytes_equal_str(cn, VCEK_NAME);
}

static atls_snp_product product_after(atls_bytes name, const char *prefix)
{
    const size_t n = strlen(prefix);
    atls_bytes cn;
    if (!atls_name_common_name(name, &cn) || cn.len <= n || memcmp(cn.ptr, prefix, n) != 0) {
        return ATLS_SNP_UNKNOWN;
    }
    return sevsnp_product_of_name(atls_bytes_of(cn.ptr + n, cn.len - n));
}

atls_snp_product sevsnp_issuer_product(atls_bytes issuer_name, bool is_vlek)
{
    return product_after(issuer_name, is_vlek ? ASVK_PREFIX : ASK_PREFIX);
}

/* ---- picking ---- */

/* The kind weighs most, then the TCB, then the chip: a machine's older VCEK is as wrong as another machine's, but the
 * refusal should be about the nearest one. */
static unsigned suits(const atls_cert *cert, const sevsnp_report *report)
{
    atls_error ignored = {.code = ATLS_OK};
    sevsnp_leaf leaf;
    bool is_vlek;
    if (!sevsnp_is_leaf_name(cert->subject, &is_vlek)) {
        return 0;
    }
    unsigned points = 1;
    points += is_vlek == (report->body.signing_key == SEVSNP_KEY_VLEK) ? 8 : 0;
    if (sevsnp_leaf_decode(cert, sevsnp_issuer_product(cert->issuer, is_vlek), &leaf, &ignored)) {
        points += memcmp(leaf.tcb, report->body.reported_tcb.raw, sizeof leaf.tcb) == 0 ? 4 : 0;
        points += memcmp(leaf.hwid, report->body.chip_id, sizeof leaf.hwid) == 0 ? 2 : 0;
    }
    return points;
}

atls_cert *sevsnp_pick_leaf(const sevsnp_given *given, const sevsnp_report *report)
{
    atls_cert *best = NULL;
    unsigned most = 0;
    for (size_t i = 0; i < given->pool.n; i++) {
        const unsigned points = suits(given->pool.certs[i], report);
        if (points > most) {
            most = points;
            best = given->pool.certs[i];
        }
    }
    return best;
}

static atls_cert *next_of_subject(const sevsnp_given *given, atls_bytes subject, size_t *at)
{
    while (*at < given->pool.n) {
        atls_cert *cert = given->pool.certs[(*at)++];
        if (atls_bytes_equal(cert->subject, subject)) {
            return cert;
        }
    }
    return NULL;
}

/* ---- the chain ---- */

static const char *issuer_field(const sevsnp_proof *p)
{
    return p->leaf_is_vlek ? "asvk" : "ask";
}

static const char *leaf_field(const sevsnp_proof *p)
{
    return p->leaf_is_vlek ? "vlek" : "vcek";
}

static bool fail(const sevsnp_proof *p, const char *field, const char *rule, const char *expected, const char *actual,
                 const char *message)
{
    char full[sizeof p->err->field];
    (void)snprintf(full, sizeof full, "%s%s%s", field, rule[0] == '\0' ? "" : ".", rule);
    return atls_fail_values(p->err, ATLS_E_CERTIFICATE_CHAIN, full, expected, actual, "%s", message);
}

/* A certificate that is not there may be one that could not be read. */
static bool fail_absent(const sevsnp_proof *p, const char *field, const char *message)
{
    char full[sizeof p->err->field];
    if (p->given.unread.code != ATLS_OK) {
        *p->err = p->given.unread;
        return false;
    }
    (void)snprintf(full, sizeof full, "endorsements.%s", field);
    return atls_fail(p->err, ATLS_E_ENDORSEMENTS_MISSING, full, "%s", message);
}

static bool find_leaf(sevsnp_proof *p)
{
    const bool wants_vlek = p->report->body.signing_key == SEVSNP_KEY_VLEK;
    p->leaf_cert = sevsnp_pick_leaf(&p->given, p->report);
    if (p->leaf_cert == NULL) {
        return fail_absent(p, wants_vlek ? "vlek" : "vcek", "no certificate of the key that signs such reports");
    }
    return sevsnp_is_leaf_name(p->leaf_cert->subject, &p->leaf_is_vlek);
}

static void show_name(atls_bytes name, char out[static 64])
{
    atls_bytes cn = atls_bytes_empty();
    (void)!atls_name_common_name(name, &cn);
    (void)snprintf(out, 64, "%.*s", cn.len < 63 ? (int)cn.len : 63, (const char *)cn.ptr);
}

/* An intermediate of another product or kind is a wrong chain, and not a missing one. Sets no error when there is none. */
static bool fail_other_issuer(const sevsnp_proof *p)
{
    const size_t n = sizeof ASK_PREFIX - 1;
    for (size_t i = 0; i < p->given.pool.n; i++) {
        const atls_bytes subject = p->given.pool.certs[i]->subject;
        atls_bytes cn;
        bool is_vlek;
        if (atls_name_common_name(subject, &cn) && cn.len > n && memcmp(cn.ptr, ASK_PREFIX, n) == 0
            && !sevsnp_is_leaf_name(subject, &is_vlek)) {
            char expected[64];
            char actual[64];
            show_name(p->leaf_cert->issuer, expected);
            show_name(subject, actual);
            return fail(p, leaf_field(p), "issuer", expected, actual, "the chain is not that of the leaf");
        }
    }
    return false;
}

/* The issuer by name: SEV-<product> for a VCEK, SEV-VLEK-<product> for a VLEK, and never the other one. */
static bool find_issuer(sevsnp_proof *p)
{
    size_t at = 0;
    p->issuer_product = sevsnp_issuer_product(p->leaf_cert->issuer, p->leaf_is_vlek);
    if (p->issuer_product == ATLS_SNP_UNKNOWN) {
        return fail(p, leaf_field(p), "issuer", p->leaf_is_vlek ? "SEV-VLEK-<product>" : "SEV-<product>",
                    "another name", "the certificate was not issued by who issues such certificates");
    }
    p->issuer = next_of_subject(&p->given, p->leaf_cert->issuer, &at);
    return p->issuer != NULL || fail_other_issuer(p)
           || fail_absent(p, issuer_field(p), "the intermediate certificate that issued the leaf is not there");
}

/* Of the certificates with the issuer's issuer's name, the one that is pinned. */
static bool find_ark(sevsnp_proof *p)
{
    const atls_policy *policy = p->auth->policy;
    size_t at = 0;
    bool seen = false;
    for (;;) {
        p->ark = next_of_subject(&p->given, p->issuer->issuer, &at);
        if (p->ark == NULL) {
            break;
        }
        seen = true;
        if (!atls_anchor_find(p->auth->crypto, policy->anchors, policy->n_anchors, p->ark, &p->anchor, p->err)) {
            return false;
        }
        if (p->anchor != NULL) {
            return true;
        }
    }
    if (!seen) {
        return fail_absent(p, "ark", "the root certificate is not there; it is pinned by its hash");
    }
    return fail(p, "ark", "", policy->n_anchors > 0 ? "a trusted root" : "no root is trusted", "another certificate",
                "the chain does not end in a trusted root");
}

static bool check_ark_name(const sevsnp_proof *p)
{
    return product_after(p->ark->subject, ARK_PREFIX) == p->issuer_product
           || fail(p, "ark", "subject", atls_snp_product_name(p->issuer_product), "another name",
                   "the root is not that of this product");
}

static bool check_algorithm(const sevsnp_proof *p, const atls_cert *c, const char *field)
{
    return c->sig_alg == ATLS_SIG_RSA_PSS_SHA384
           || fail(p, field, "signature_algorithm", "RSASSA-PSS with SHA-384 and a salt of 48 bytes",
                   "another algorithm", "AMD signs its certificates in one way only");
}

static bool check_dates(const sevsnp_proof *p)
{
    const atls_time now = p->auth->now;
    return atls_validity_check(p->ark->not_before, p->ark->not_after, now, "ark", p->err)
           && atls_validity_check(p->issuer->not_before, p->issuer->not_after, now, issuer_field(p), p->err)
           && atls_validity_check(p->leaf_cert->not_before, p->leaf_cert->not_after, now, leaf_field(p), p->err);
}

static bool take_key(const sevsnp_proof *p, const atls_cert *c, const char *field, const char *key_field,
                     atls_signer *out)
{
    *out = (atls_signer){.cert = c, .code = ATLS_E_CERTIFICATE_CHAIN, .field = key_field};
    return c->key.kind == ATLS_KEY_RSA
           || fail(p, field, "key", "RSA", "another kind of key", "AMD's issuers have RSA keys");
}

static bool check_link(const sevsnp_proof *p, atls_cert *cert, atls_signer *issuer, uint32_t n_below, const char *field)
{
    return atls_links_verify(p->auth->links, p->auth->crypto, cert, issuer, n_below, ATLS_E_CERTIFICATE_CHAIN, field,
                             p->err);
}

static bool check_links(sevsnp_proof *p)
{
    return take_key(p, p->ark, "ark", "ark.key", &p->ark_key)
           && (p->anchor->self_checked || check_link(p, p->ark, &p->ark_key, 1, "ark"))
           && check_link(p, p->issuer, &p->ark_key, 1, issuer_field(p))
           && take_key(p, p->issuer, issuer_field(p), p->leaf_is_vlek ? "asvk.key" : "ask.key", &p->issuer_key)
           && atls_bare_leaf_check(p->leaf_cert, ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_CERTIFICATE_CHAIN, leaf_field(p),
                                   p->err)
           && check_link(p, p->leaf_cert, &p->issuer_key, 0, leaf_field(p));
}

bool sevsnp_check_chain(sevsnp_proof *p)
{
    return find_leaf(p) && find_issuer(p) && find_ark(p) && check_ark_name(p) && check_algorithm(p, p->ark, "ark")
           && check_algorithm(p, p->issuer, issuer_field(p)) && check_algorithm(p, p->leaf_cert, leaf_field(p))
           && check_links(p) && check_dates(p);
}
