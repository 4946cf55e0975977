/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c: the steps of section 7 that need nothing but the certificate, in their order. */
#include "certificate.h"

#include <stdio.h>
#include <string.h>

#include "base/der.h"

/* ---- validity, extensions, key ----------------------------------------------------------------------------------- */

static bool check_time(const atls_cert *c, atls_time now, atls_error *err)
{
    const bool is_early = now < c->not_before;
    char bound[ATLS_TIME_TEXT_SIZE];
    char at[ATLS_TIME_TEXT_SIZE];
    if (!is_early && now <= c->not_after) {
        return true;
    }
    atls_time_format(now, at);
    atls_time_format(is_early ? c->not_before : c->not_after, bound);
    if (is_early) {
        return atls_fail_values(err, ATLS_E_NOT_YET_VALID, "certificate.tbs.validity.not_before", bound, at,
                                "the peer's certificate is not valid yet; compare the clocks");
    }
    return atls_fail_values(err, ATLS_E_EXPIRED, "certificate.tbs.validity.not_after", bound, at,
                            "the peer's certificate has expired; it was made for another connection, or clocks differ");
}

static bool serves(atls_bytes usage)
{
    static const uint8_t server_auth[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
    static const uint8_t any[] = {0x55, 0x1d, 0x25, 0x00};
    return atls_bytes_equal(usage, atls_bytes_of(server_auth, sizeof server_auth))
           || atls_bytes_equal(usage, atls_bytes_of(any, sizeof any));
}

/* RFC 5280 4.2.1.12. Peers in Go ask for serverAuth in client certificates, too (section 3), so everybody has it or has
 * no such extension at all. */
static bool check_usage(const atls_cert *cert, atls_error *err)
{
    static const char field[] = "certificate.tbs.extensions.extended_key_usage";
    static const uint8_t oid[] = {0x55, 0x1d, 0x25};
    const atls_extension *e = atls_cert_extension(cert, atls_bytes_of(oid, sizeof oid));
    atls_cur c;
    atls_cur list;
    if (e == NULL) {
        return true;
    }
    atls_cur_init(&c, e->value, field, err);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &list) || !atls_cur_end(&c)) {
        return false;
    }
    bool found = false;
    while (list.rest.len > 0) {
        atls_bytes usage;
        if (!atls_der_oid(&list, "", &usage)) {
            return false;
        }
        found = found || serves(usage);
    }
    return found
           || atls_fail_values(err, ATLS_E_UNSUPPORTED, field, "serverAuth or any", "neither",
                               "the certificate's key is not meant for this");
}

/* An extension that its issuer calls critical and that we do not understand may say anything (RFC 5280 4.2). */
static bool check_critical(const atls_cert *c, atls_error *err)
{
    return !c->has_unknown_critical
           || atls_fail_values(err, ATLS_E_UNSUPPORTED, "certificate.tbs.extensions", "not critical", "critical",
                               "a critical extension that is not understood");
}

/* Peers in Go let any signature pass, because the leaf is its own root there. */
static bool check_self_signature(const atls_crypto *crypto, const atls_cert *c, atls_error *err)
{
    atls_key *key;
    atls_error why = {.code = ATLS_OK};
    if (c->key.kind != ATLS_KEY_P256 || c->sig_alg != ATLS_SIG_ECDSA_SHA256) {
        return atls_fail_values(err, ATLS_E_UNSUPPORTED, "certificate.tbs.public_key", "P-256 and ecdsa-with-SHA256",
                                "something else", "this is no certificate of the profile");
    }
    if (!atls_key_open(crypto, &c->key, ATLS_E_IDENTITY, "certificate.tbs.public_key", &key, err)) {
        return false;
    }
    bool ok =
        atls_verify_der(crypto, key, ATLS_SHA256, c->tbs, c->signature, ATLS_E_IDENTITY, "certificate.signature", &why);
    atls_key_close(key);
    if (!ok && why.code == ATLS_E_IDENTITY) {
        return atls_fail(
            err, ATLS_E_IDENTITY, "certificate.signature",
            "not signed by its own key: an ordinary certificate, which carries no evidence, or a damaged one");
    }
    if (!ok) {
        *err = why;
    }
    return ok;
}

static bool check(const atls_crypto *crypto, atls_bytes der, atls_time now, constellation_certificate *out,
                  atls_error *err)
{
    return atls_cert_decode_at_most(der, CONSTELLATION_MAX_CERT_LEN, "certificate", &out->cert, err)
           && check_time(&out->cert, now, err) && check_critical(&out->cert, err) && check_usage(&out->cert, err)
           && check_self_signature(crypto, &out->cert, err)
           && atls_digest(crypto, ATLS_SHA256, &out->cert.spki, 1, out->user_data, err);
}

bool constellation_certificate_check(const atls_crypto *c, atls_bytes der, atls_time now,
                                     constellation_certificate *out, atls_error *err)
{
    memset(out, 0, sizeof *out);
    if (!check(c, der, now, out, err)) {
        memset(out, 0, sizeof *out);
        return false;
    }
    return true;
}

/* ---- the document ------------------------------------------------------------------------------------------------ */

static bool is_one_of(const char *oid, const char *const *oids, size_t n, size_t *which)
{
    for (size_t i = 0; i < n && oid[0] != '\0'; i++) {
        if (strcmp(oid, oids[i]) == 0) {
            *which = i;
            return true;
        }
    }
    return false;
}

/* "1.3.9900.2.2 (aws-sev-snp), 2.5.29.17", as many as there is room for. */
static void list_oids(const atls_cert *cert, char *out, size_t size)
{
    size_t used = 0;
    snprintf(out, size, "none");
    for (size_t i = 0; i < cert->n_extensions && used < size; i++) {
        char oid[CONSTELLATION_OID_TEXT_SIZE];
        bool is_document;
        constellation_oid_text(cert->extensions[i].oid, oid);
        const char *name = constellation_oid_name(oid, &is_document);
        int n = snprintf(out + used, size - used, "%s%s%s%s%s", i == 0 ? "" : ", ", oid[0] == '\0' ? "(long)" : oid,
                         name == NULL ? "" : " (", name == NULL ? "" : name, name == NULL ? "" : ")");
        used += n > 0 ? (size_t)n : 0;
    }
}

static bool none_found(const atls_cert *cert, const char *const *oids, size_t n, atls_error *err)
{
    char found[128];
    char wanted[128] = "";
    size_t used = 0;
    list_oids(cert, found, sizeof found);
    for (size_t i = 0; i < n && used < sizeof wanted; i++) {
        int len = snprintf(wanted + used, sizeof wanted - used, "%s%s", i == 0 ? "" : ", ", oids[i]);
        used += len > 0 ? (size_t)len : 0;
    }
    return atls_fail_unsupported(err, ATLS_E_UNSUPPORTED, "certificate.tbs.extensions", wanted, found,
                                 "no compatible attestation document; OIDs found: %s", found);
}

bool constellation_certificate_find(const atls_cert *cert, const char *const *oids, size_t n, size_t *which,
                                    atls_bytes *document, atls_error *err)
{
    bool found = false;
    size_t n_documents = 0;
    *document = atls_bytes_empty();
    *which = 0;
    for (size_t i = 0; i < cert->n_extensions; i++) {
        char oid[CONSTELLATION_OID_TEXT_SIZE];
        size_t at;
        bool is_document = false;
        constellation_oid_text(cert->extensions[i].oid, oid);
        (void)constellation_oid_name(oid, &is_document);
        bool is_ours = is_one_of(oid, oids, n, &at);
        n_documents += is_ours || is_document ? 1 : 0;
        if (is_ours && !found) {
            found = true;
            *which = at;
            *document = cert->extensions[i].value;
        }
    }
    if (found && n_documents == 1) {
        return true;
    }
    *document = atls_bytes_empty();
    *which = 0;
    if (found) { /* one could be verified, and another be shown to somebody else */
        char text[128];
        list_oids(cert, text, sizeof text);
        return atls_fail_values(err, ATLS_E_PROTOCOL, "certificate.tbs.extensions", "one attestation document", text,
                                "more than one attestation document");
    }
    return none_found(cert, oids, n, err);
}
