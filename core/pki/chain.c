/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c: our few path rules. docs/pki.md says how they differ from RFC 5280's and OpenSSL's, and why. */
#include "chain.h"

#include <stdio.h>

#include "base/der.h"
#include "read.h"

#define DIRECTORY_NAME 4 /* the choice of GeneralName, RFC 5280 4.2.1.6 */

/* Where a rule failed: "<field>.<rule>", or "<field>.issuer.<rule>". Written only when it did. */
typedef struct place {
    atls_code code;
    const char *field;
    bool of_issuer;
} place;

typedef struct place_text {
    char text[128]; /* atls_error keeps the first 63 */
} place_text;

static place_text join(const place *p, const char *rule)
{
    place_text out;
    snprintf(out.text, sizeof out.text, "%.80s%s.%.36s", p->field, p->of_issuer ? ".issuer" : "", rule);
    return out;
}

static bool fail(atls_error *err, const place *p, const char *rule, const char *message)
{
    return atls_fail(err, p->code, join(p, rule).text, "%s", message);
}

static bool fail_bytes(atls_error *err, const place *p, const char *rule, atls_bytes expected, atls_bytes actual,
                       const char *message)
{
    return atls_fail_bytes(err, p->code, join(p, rule).text, expected, actual, "%s", message);
}

/* Names are compared as bytes; people see the common names. */
static void show_name(atls_bytes name, char out[static 64])
{
    atls_bytes cn;
    if (!atls_name_common_name(name, &cn)) {
        snprintf(out, 64, "a name without one common name");
        return;
    }
    snprintf(out, 64, "%.*s", (int)(cn.len < 63 ? cn.len : 63), (const char *)cn.ptr);
}

static bool check_names(atls_bytes issuer_name, const atls_cert *issuer, const place *p, atls_error *err)
{
    if (atls_bytes_equal(issuer_name, issuer->subject)) {
        return true;
    }
    char expected[64];
    char actual[64];
    show_name(issuer->subject, expected);
    show_name(issuer_name, actual);
    return atls_fail_values(err, p->code, join(p, "issuer").text, expected, actual,
                            "the issuer's name is not the subject of the issuing certificate");
}

/* authorityCertIssuer: GeneralNames, of which one is the directory name that issued the issuer. */
static bool names_issuer_of(atls_bytes general_names, const atls_cert *issuer)
{
    atls_error why = {0};
    atls_cur c;
    atls_cur_init(&c, general_names, "", &why);
    while (c.rest.len > 0) {
        atls_der_tag tag;
        atls_bytes name;
        if (!atls_der_any(&c, "", &tag, &name, NULL)) {
            return false;
        }
        if (tag == ATLS_DER_CONTEXT_CONS(DIRECTORY_NAME) && atls_bytes_equal(name, issuer->issuer)) {
            return true;
        }
    }
    return false;
}

static bool check_authority(const atls_cert *cert, const atls_cert *issuer, const place *p, atls_error *err)
{
    if (cert->authority_key_id.len > 0 && !atls_bytes_equal(cert->authority_key_id, issuer->subject_key_id)) {
        return fail_bytes(err, p, "authority_key_id", issuer->subject_key_id, cert->authority_key_id,
                          "the authority key id is not the issuer's subject key id");
    }
    if (cert->authority_serial.len > 0
        && (!atls_bytes_equal(cert->authority_serial, issuer->serial)
            || !names_issuer_of(cert->authority_issuer, issuer))) {
        return fail_bytes(err, p, "authority_key_id", issuer->serial, cert->authority_serial,
                          "the authority's issuer and serial are not the issuing certificate's");
    }
    return true;
}

/* What a certificate needs in order to issue others, n_below of them intermediates in a row. */
static bool check_ca(const atls_cert *ca, uint32_t n_below, const place *p, atls_error *err)
{
    if (!ca->has_basic_constraints || !ca->is_ca) {
        return fail(err, p, "basic_constraints", "not a CA certificate");
    }
    if (!ca->has_key_usage || (ca->key_usage & ATLS_KU_KEY_CERT_SIGN) == 0) {
        return fail(err, p, "key_usage", "not allowed to sign certificates");
    }
    if (ca->has_path_len && n_below > ca->path_len) {
        return fail(err, p, "path_len", "more intermediate certificates than the path length allows");
    }
    return true;
}

static bool check_critical(const atls_cert *cert, const place *p, atls_error *err)
{
    const bool reads_names = (cert->understood & ATLS_UNDERSTOOD_DIRECTORY_NAME) != 0;
    return !(reads_names ? cert->has_critical_beside_names : cert->has_unknown_critical)
           || fail(err, p, "critical_extension", "a critical extension that is not understood");
}

typedef struct sig_rule {
    bool is_rsa;
    bool is_pss;
    atls_hash hash;
} sig_rule;

/* ECDSA with either curve and either hash (phones mix them); RSA with RSA. */
static bool find_sig_rule(atls_sig_alg alg, sig_rule *out)
{
    switch (alg) {
    case ATLS_SIG_ECDSA_SHA256:
        *out = (sig_rule){false, false, ATLS_SHA256};
        return true;
    case ATLS_SIG_ECDSA_SHA384:
        *out = (sig_rule){false, false, ATLS_SHA384};
        return true;
    case ATLS_SIG_RSA_SHA256:
        *out = (sig_rule){true, false, ATLS_SHA256};
        return true;
    case ATLS_SIG_RSA_SHA384:
        *out = (sig_rule){true, false, ATLS_SHA384};
        return true;
    case ATLS_SIG_RSA_SHA512:
        *out = (sig_rule){true, false, ATLS_SHA512};
        return true;
    case ATLS_SIG_RSA_PSS_SHA384:
        *out = (sig_rule){true, true, ATLS_SHA384};
        return true;
    case ATLS_SIG_ECDSA_SHA512: /* of phones: their room has rules of its own */
    case ATLS_SIG_UNKNOWN:
        break;
    }
    return false;
}

/* What a link and a list have in common: some bytes, signed by an issuer. */
typedef struct signed_part {
    atls_sig_alg alg;
    atls_bytes tbs;
    atls_bytes signature;
} signed_part;

static bool check_signature(const atls_crypto *c, const signed_part *s, const atls_cert *issuer, atls_key *issuer_key,
                            const place *p, atls_error *err)
{
    sig_rule rule;
    bool ok;
    if (!find_sig_rule(s->alg, &rule)) {
        return atls_fail_unsupported(err, p->code, join(p, "signature").text, "ECDSA or RSA with SHA-2",
                                     "something else", "the signature algorithm is not supported");
    }
    if (rule.is_rsa != (issuer->key.kind == ATLS_KEY_RSA)) {
        return fail(err, p, "signature", "the signature algorithm does not fit the issuer's key");
    }
    if (rule.is_pss) {
        ok = atls_verify_pss(c, issuer_key, rule.hash, s->tbs, s->signature, p->code, "signature", err);
    } else {
        ok = atls_verify_der(c, issuer_key, rule.hash, s->tbs, s->signature, p->code, "signature", err);
    }
    return ok || atls_error_relabel(err, p->code, p->field);
}

bool atls_self_signature_verify(const atls_crypto *c, const atls_cert *root, atls_code code, const char *field,
                                atls_error *err)
{
    const place p = {code, field, false};
    const signed_part s = {root->sig_alg, root->tbs, root->signature};
    atls_key *key;
    if (!atls_key_open(c, &root->key, code, field, &key, err)) {
        return false;
    }
    const bool ok = check_signature(c, &s, root, key, &p, err);
    atls_key_close(key);
    return ok;
}

bool atls_link_verify(const atls_crypto *c, atls_cert *cert, const atls_cert *issuer, atls_key *issuer_key,
                      uint32_t n_below, atls_code code, const char *field, atls_error *err)
{
    const place here = {code, field, false};
    const place above = {code, field, true};
    if (!check_names(cert->issuer, issuer, &here, err) || !check_authority(cert, issuer, &here, err)
        || !check_ca(issuer, n_below, &above, err) || (n_below > 0 && !check_ca(cert, n_below - 1, &here, err))
        || !check_critical(issuer, &above, err) || !check_critical(cert, &here, err)) {
        return false;
    }
    if (cert->verified_by == issuer) {
        return true;
    }
    const signed_part s = {cert->sig_alg, cert->tbs, cert->signature};
    if (!check_signature(c, &s, issuer, issuer_key, &here, err)) {
        return false;
    }
    cert->verified_by = issuer;
    return true;
}

bool atls_bare_leaf_check(const atls_cert *cert, uint32_t usage, atls_code code, const char *field, atls_error *err)
{
    const place p = {code, field, false};
    if (cert->is_ca) {
        return fail(err, &p, "basic_constraints", "a CA certificate where a leaf belongs");
    }
    if (cert->has_key_usage && (cert->key_usage & usage) != usage) {
        return fail(err, &p, "key_usage", "not allowed for this use");
    }
    return check_critical(cert, &p, err);
}

bool atls_leaf_check(const atls_cert *cert, uint32_t usage, atls_code code, const char *field, atls_error *err)
{
    const place p = {code, field, false};
    if (!cert->has_basic_constraints || cert->is_ca) {
        return fail(err, &p, "basic_constraints", "basicConstraints must be there and say that this is no CA");
    }
    if (!cert->has_key_usage || (cert->key_usage & usage) != usage) {
        return fail(err, &p, "key_usage", "not allowed for this use");
    }
    return check_critical(cert, &p, err);
}

static bool fail_time(atls_error *err, const place *p, const char *rule, const char *relation, atls_time limit,
                      atls_time now)
{
    char limit_text[ATLS_TIME_TEXT_SIZE];
    char expected[ATLS_TIME_TEXT_SIZE + 16];
    char actual[ATLS_TIME_TEXT_SIZE];
    atls_time_format(limit, limit_text);
    atls_time_format(now, actual);
    snprintf(expected, sizeof expected, "%s %s", relation, limit_text);
    return atls_fail_values(err, p->code, join(p, rule).text, expected, actual, NULL);
}

static bool check_window(atls_time from, const char *from_rule, atls_time to, const char *to_rule, atls_time now,
                         const char *field, atls_error *err)
{
    if (now == ATLS_TIME_UNSET) {
        return atls_fail(err, ATLS_E_USAGE, "time", "the time of the appraisal is not set");
    }
    if (now < from) {
        return fail_time(err, &(place){ATLS_E_NOT_YET_VALID, field, false}, from_rule, "not before", from, now);
    }
    return now <= to || fail_time(err, &(place){ATLS_E_EXPIRED, field, false}, to_rule, "not after", to, now);
}

bool atls_validity_check(atls_time not_before, atls_time not_after, atls_time now, const char *field, atls_error *err)
{
    return check_window(not_before, "not_before", not_after, "not_after", now, field, err);
}

static bool fail_scope(atls_error *err, const char *field, const char *member)
{
    char rule[64];
    (void)snprintf(rule, sizeof rule, "scope.%s", member);
    return fail(err, &(place){ATLS_E_CRL, field, false}, rule,
                "the list is about other certificates, or about a part of "
                "what is to be known of them");
}

/* What a list must say of itself; its signature and dates come after. */
static bool check_crl_profile(const atls_crl *crl, const atls_cert *issuer, const char *field, atls_error *err)
{
    const place p = {ATLS_E_CRL, field, false};
    if (!check_names(crl->issuer, issuer, &p, err)) {
        return false;
    }
    if (!crl->has_crl_number) {
        return fail(err, &p, "crl_number", "the list has no number");
    }
    if (crl->authority_key_id.len == 0 || !atls_bytes_equal(crl->authority_key_id, issuer->subject_key_id)) {
        return fail_bytes(err, &p, "authority_key_id", issuer->subject_key_id, crl->authority_key_id,
                          "the authority key id is not the issuer's subject key id");
    }
    if (crl->has_unknown_critical) {
        return fail(err, &p, "critical_extension",
                    "a critical extension that is not understood, or not a complete list");
    }
    if (crl->scope.refused != NULL) {
        return fail_scope(err, field, crl->scope.refused);
    }
    if (!issuer->has_key_usage || (issuer->key_usage & ATLS_KU_CRL_SIGN) == 0) {
        return fail(err, &(place){ATLS_E_CRL, field, true}, "key_usage", "the issuer is not allowed to sign lists");
    }
    return crl->next_update != ATLS_TIME_UNSET
           || fail(err, &p, "next_update", "the list does not say how long it holds");
}

bool atls_crl_verify(const atls_crypto *c, const atls_crl *crl, const atls_cert *issuer, atls_key *issuer_key,
                     atls_time now, const char *field, atls_error *err)
{
    const place p = {ATLS_E_CRL, field, false};
    const signed_part s = {crl->sig_alg, crl->tbs, crl->signature};
    return check_crl_profile(crl, issuer, field, err) && check_signature(c, &s, issuer, issuer_key, &p, err)
           && check_window(crl->this_update, "this_update", crl->next_update, "next_update", now, field, err);
}

bool atls_crl_verify_known(const atls_crl *crl, const atls_cert *issuer, atls_time now, const char *field,
                           atls_error *err)
{
    return check_crl_profile(crl, issuer, field, err)
           && check_window(crl->this_update, "this_update", crl->next_update, "next_update", now, field, err);
}

static bool check_listed(const atls_crl *crl, atls_bytes issuer, atls_bytes serial, const char *field, atls_error *err)
{
    if (!atls_bytes_equal(crl->issuer, issuer)) {
        return fail(err, &(place){ATLS_E_CRL, field, false}, "issuer",
                    "the list is not about certificates of this issuer");
    }
    return !atls_crl_lists(crl, serial)
           || atls_fail_bytes(err, ATLS_E_REVOKED, field, atls_bytes_empty(), serial,
                              "the certificate with this serial is revoked");
}

bool atls_crl_check_serial(const atls_crl *crl, atls_bytes issuer, atls_bytes serial, const char *field,
                           atls_error *err)
{
    return check_listed(crl, issuer, serial, field, err)
           && (!crl->scope.present || fail_scope(err, field, "certificate"));
}

bool atls_crl_is_about(const atls_crl *crl, const atls_cert *cert)
{
    return atls_crl_scope_excludes(&crl->scope, cert) == NULL || atls_crl_lists(crl, cert->serial);
}

/* Listed first: what a list of this issuer revokes is revoked, whatever the list says that it is about. */
bool atls_crl_check(const atls_crl *crl, const atls_cert *cert, const char *field, atls_error *err)
{
    if (!check_listed(crl, cert->issuer, cert->serial, field, err)) {
        return false;
    }
    const char *member = atls_crl_scope_excludes(&crl->scope, cert);
    return member == NULL || fail_scope(err, field, member);
}
