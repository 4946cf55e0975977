/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c: our few path rules. docs/pki.md says how they differ from RFC 5280's and OpenSSL's, and why. */
#include "chain.h"

#include <stdio.h>

#include "base/der.h"

#define DIRECTORY_NAME 4 /* the choice of GeneralName, RFC 5280 4.2.1.6 */

typedef struct rule_text {
    char text[128]; /* atls_error keeps the first 63 */
} rule_text;

/* "pck_chain.leaf" and "issuer" make "pck_chain.leaf.issuer". */
static rule_text join(const char *field, const char *rule)
{
    rule_text out;
    snprintf(out.text, sizeof out.text, "%.80s.%.40s", field, rule);
    return out;
}

static bool fail(atls_error *err, atls_code code, const char *field, const char *rule, const char *message)
{
    return atls_fail(err, code, join(field, rule).text, "%s", message);
}

static bool fail_bytes(atls_error *err, atls_code code, const char *field, const char *rule, atls_bytes expected,
                       atls_bytes actual, const char *message)
{
    return atls_fail_bytes(err, code, join(field, rule).text, expected, actual, "%s", message);
}

/* Names are compared as bytes. For people the error shows the common names, or a note that there is none. */
static void show_name(atls_bytes name, char out[static 64])
{
    atls_bytes cn;
    bool has = atls_name_common_name(name, &cn);
    snprintf(out, 64, "%.*s", has ? (int)(cn.len < 63 ? cn.len : 63) : 16,
             has ? (const char *)cn.ptr : "no common name ");
}

static bool check_names(atls_bytes issuer_name, const atls_cert *issuer, atls_code code, const char *field,
                        atls_error *err)
{
    if (atls_bytes_equal(issuer_name, issuer->subject)) {
        return true;
    }
    char expected[64];
    char actual[64];
    show_name(issuer->subject, expected);
    show_name(issuer_name, actual);
    return atls_fail_values(err, code, join(field, "issuer").text, expected, actual,
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

static bool check_authority(const atls_cert *cert, const atls_cert *issuer, atls_code code, const char *field,
                            atls_error *err)
{
    if (cert->authority_key_id.len > 0 && !atls_bytes_equal(cert->authority_key_id, issuer->subject_key_id)) {
        return fail_bytes(err, code, field, "authority_key_id", issuer->subject_key_id, cert->authority_key_id,
                          "the authority key id is not the issuer's subject key id");
    }
    if (cert->authority_serial.len > 0
        && (!atls_bytes_equal(cert->authority_serial, issuer->serial)
            || !names_issuer_of(cert->authority_issuer, issuer))) {
        return fail_bytes(err, code, field, "authority_key_id", issuer->serial, cert->authority_serial,
                          "the authority's issuer and serial are not the issuing certificate's");
    }
    return true;
}

/* What a certificate needs in order to issue others, n_below of them intermediates in a row. */
static bool check_ca(const atls_cert *ca, uint32_t n_below, atls_code code, const char *field, atls_error *err)
{
    if (!ca->has_basic_constraints || !ca->is_ca) {
        return fail(err, code, field, "basic_constraints", "not a CA certificate");
    }
    if (!ca->has_key_usage || (ca->key_usage & ATLS_KU_KEY_CERT_SIGN) == 0) {
        return fail(err, code, field, "key_usage", "not allowed to sign certificates");
    }
    if (ca->has_path_len && n_below > ca->path_len) {
        return fail(err, code, field, "path_len", "more intermediate certificates than the path length allows");
    }
    return true;
}

static bool check_critical(const atls_cert *cert, atls_code code, const char *field, atls_error *err)
{
    return !cert->has_unknown_critical
           || fail(err, code, field, "critical_extension", "a critical extension that is not understood");
}

typedef struct sig_rule {
    bool is_rsa;
    atls_hash hash;
} sig_rule;

/* ECDSA with either curve and either hash (phones mix them); RSA with RSA. */
static bool find_sig_rule(atls_sig_alg alg, sig_rule *out)
{
    switch (alg) {
    case ATLS_SIG_ECDSA_SHA256:
        *out = (sig_rule){false, ATLS_SHA256};
        return true;
    case ATLS_SIG_ECDSA_SHA384:
        *out = (sig_rule){false, ATLS_SHA384};
        return true;
    case ATLS_SIG_RSA_SHA256:
        *out = (sig_rule){true, ATLS_SHA256};
        return true;
    case ATLS_SIG_RSA_SHA384:
        *out = (sig_rule){true, ATLS_SHA384};
        return true;
    case ATLS_SIG_RSA_SHA512:
        *out = (sig_rule){true, ATLS_SHA512};
        return true;
    case ATLS_SIG_UNKNOWN:
        break;
    }
    return false;
}

static bool check_signature(const atls_crypto *c, atls_sig_alg alg, atls_bytes tbs, atls_bytes signature,
                            const atls_cert *issuer, atls_key *issuer_key, atls_code code, const char *field,
                            atls_error *err)
{
    sig_rule rule;
    rule_text where = join(field, "signature");
    if (!find_sig_rule(alg, &rule)) {
        return atls_fail_unsupported(err, code, where.text, "ECDSA or RSA with SHA-2", "something else",
                                     "the signature algorithm is not supported");
    }
    if (rule.is_rsa != (issuer->key.kind == ATLS_KEY_RSA)) {
        return atls_fail(err, code, where.text, "the signature algorithm does not fit the issuer's key");
    }
    return atls_verify_der(c, issuer_key, rule.hash, tbs, signature, code, where.text, err);
}

bool atls_link_verify(const atls_crypto *c, atls_cert *cert, const atls_cert *issuer, atls_key *issuer_key,
                      uint32_t n_below, atls_code code, const char *field, atls_error *err)
{
    if (!check_names(cert->issuer, issuer, code, field, err) || !check_authority(cert, issuer, code, field, err)
        || !check_ca(issuer, n_below, code, join(field, "issuer").text, err)
        || (n_below > 0 && !check_ca(cert, n_below - 1, code, field, err))
        || !check_critical(issuer, code, join(field, "issuer").text, err) || !check_critical(cert, code, field, err)) {
        return false;
    }
    if (cert->verified_by == issuer) {
        return true;
    }
    if (!check_signature(c, cert->sig_alg, cert->tbs, cert->signature, issuer, issuer_key, code, field, err)) {
        return false;
    }
    cert->verified_by = issuer;
    return true;
}

bool atls_leaf_check(const atls_cert *cert, uint32_t usage, atls_code code, const char *field, atls_error *err)
{
    if (!cert->has_basic_constraints || cert->is_ca) {
        return fail(err, code, field, "basic_constraints", "basicConstraints must be there and say that this is no CA");
    }
    if (!cert->has_key_usage || (cert->key_usage & usage) != usage) {
        return fail(err, code, field, "key_usage", "not allowed for this use");
    }
    return check_critical(cert, code, field, err);
}

static bool fail_time(atls_error *err, atls_code code, const char *field, const char *rule, const char *relation,
                      atls_time limit, atls_time now)
{
    char limit_text[ATLS_TIME_TEXT_SIZE];
    char expected[ATLS_TIME_TEXT_SIZE + 16];
    char actual[ATLS_TIME_TEXT_SIZE];
    atls_time_format(limit, limit_text);
    atls_time_format(now, actual);
    snprintf(expected, sizeof expected, "%s %s", relation, limit_text);
    return atls_fail_values(err, code, join(field, rule).text, expected, actual, NULL);
}

static bool check_window(atls_time from, const char *from_rule, atls_time to, const char *to_rule, atls_time now,
                         const char *field, atls_error *err)
{
    if (now == ATLS_TIME_UNSET) {
        return atls_fail(err, ATLS_E_USAGE, "time", "the time of the appraisal is not set");
    }
    if (now < from) {
        return fail_time(err, ATLS_E_NOT_YET_VALID, field, from_rule, "not before", from, now);
    }
    return now <= to || fail_time(err, ATLS_E_EXPIRED, field, to_rule, "not after", to, now);
}

bool atls_validity_check(atls_time not_before, atls_time not_after, atls_time now, const char *field, atls_error *err)
{
    return check_window(not_before, "not_before", not_after, "not_after", now, field, err);
}

/* What a list must say of itself; its signature and dates come after. */
static bool check_crl_profile(const atls_crl *crl, const atls_cert *issuer, const char *field, atls_error *err)
{
    if (!check_names(crl->issuer, issuer, ATLS_E_CRL, field, err)) {
        return false;
    }
    if (!crl->has_crl_number) {
        return fail(err, ATLS_E_CRL, field, "crl_number", "the list has no number");
    }
    if (crl->authority_key_id.len == 0 || !atls_bytes_equal(crl->authority_key_id, issuer->subject_key_id)) {
        return fail_bytes(err, ATLS_E_CRL, field, "authority_key_id", issuer->subject_key_id, crl->authority_key_id,
                          "the authority key id is not the issuer's subject key id");
    }
    if (crl->has_unknown_critical) {
        return fail(err, ATLS_E_CRL, field, "critical_extension",
                    "a critical extension that is not understood, or not a complete list");
    }
    if (!issuer->has_key_usage || (issuer->key_usage & ATLS_KU_CRL_SIGN) == 0) {
        return fail(err, ATLS_E_CRL, field, "issuer.key_usage", "the issuer is not allowed to sign lists");
    }
    return crl->next_update != ATLS_TIME_UNSET
           || fail(err, ATLS_E_CRL, field, "next_update", "the list does not say how long it holds");
}

bool atls_crl_verify(const atls_crypto *c, const atls_crl *crl, const atls_cert *issuer, atls_key *issuer_key,
                     atls_time now, const char *field, atls_error *err)
{
    return check_crl_profile(crl, issuer, field, err)
           && check_signature(c, crl->sig_alg, crl->tbs, crl->signature, issuer, issuer_key, ATLS_E_CRL, field, err)
           && check_window(crl->this_update, "this_update", crl->next_update, "next_update", now, field, err);
}

bool atls_crl_check(const atls_crl *crl, const atls_cert *cert, const char *field, atls_error *err)
{
    if (!atls_bytes_equal(crl->issuer, cert->issuer)) {
        return fail(err, ATLS_E_CRL, field, "issuer", "the list is not about certificates of this issuer");
    }
    return !atls_crl_lists(crl, cert->serial)
           || atls_fail_bytes(err, ATLS_E_REVOKED, field, atls_bytes_empty(), cert->serial,
                              "the certificate with this serial is revoked");
}
