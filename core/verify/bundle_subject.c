/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_subject.c: what a piece is about, read from what it holds. Nothing is verified: a subject only says where to look. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "bundle_kinds.h"
#include "evidence/dcap/dcap.h"
#include "evidence/sevsnp/sevsnp.h"
#include "pki/cert.h"

typedef struct subject {
    const atls_crypto *crypto;
    atls_bytes content; /* of the first part */
    atls_arena *arena;
    atls_error *err;
} subject;

static bool starts_with(atls_bytes text, const char *prefix, atls_bytes *rest)
{
    const size_t n = strlen(prefix);
    if (text.len < n || memcmp(text.ptr, prefix, n) != 0) {
        return false;
    }
    *rest = atls_bytes_of(text.ptr + n, text.len - n);
    return true;
}

static bool ends_with(atls_bytes text, const char *suffix)
{
    const size_t n = strlen(suffix);
    return text.len >= n && memcmp(text.ptr + text.len - n, suffix, n) == 0;
}

static const char *digest_text(const subject *s)
{
    uint8_t digest[32];
    return atls_digest(s->crypto, ATLS_SHA256, &s->content, 1, digest, s->err)
               ? atls_hex_text(atls_bytes_of(digest, sizeof digest), s->arena, s->err)
               : NULL;
}

/* "<prefix>/<sha256>": two pieces that differ in a byte are two. */
static const char *with_digest(const subject *s, const char *prefix)
{
    const char *digest = prefix == NULL ? NULL : digest_text(s);
    return digest == NULL ? NULL : atls_text_format(s->arena, s->err, "%s/%s", prefix, digest);
}

/* ---- DCAP ---- */

static const char *tcb_info(const subject *s)
{
    dcap_tcb_info info;
    if (!dcap_tcb_info_decode(s->content, s->arena, &info, s->err)) {
        return NULL;
    }
    const char *fmspc = atls_hex_text(atls_bytes_of(info.fmspc, sizeof info.fmspc), s->arena, s->err);
    return fmspc == NULL ? NULL : atls_text_format(s->arena, s->err, "%s/%s", info.is_tdx ? "tdx" : "sgx", fmspc);
}

static const char *qe_identity(const subject *s)
{
    dcap_qe_identity identity;
    if (!dcap_qe_identity_decode(s->content, s->arena, &identity, s->err)) {
        return NULL;
    }
    return identity.is_td_qe ? "tdx" : "sgx";
}

/* "processor" or "platform", NULL when a name is of neither CA. */
static const char *pck_ca(atls_bytes name)
{
    atls_bytes cn;
    if (!atls_name_common_name(name, &cn)) {
        return NULL;
    }
    return atls_bytes_equal_str(cn, "Intel SGX PCK Processor CA")  ? "processor"
           : atls_bytes_equal_str(cn, "Intel SGX PCK Platform CA") ? "platform"
                                                                   : NULL;
}

static const char *pck_crl(const subject *s)
{
    atls_crl crl;
    if (!atls_crl_decode(s->content, "pck_crl", &crl, s->err)) {
        return NULL;
    }
    const char *ca = pck_ca(crl.issuer);
    if (ca == NULL) {
        (void)atls_fail(s->err, ATLS_E_COLLATERAL_FORMAT, "pck_crl.issuer", "the list is of none of Intel's PCK CAs");
    }
    return ca;
}

static const char *root_ca_crl(const subject *s)
{
    atls_crl crl;
    return atls_crl_decode(s->content, "root_ca_crl", &crl, s->err) ? "root" : NULL;
}

static const char *pck_chain(const subject *s)
{
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    if (!atls_pem_certificates(s->content, true, ATLS_E_COLLATERAL_FORMAT, "pck_certificate_chain", s->arena, ders,
                               ATLS_MAX_PEM_CERTS, &n, s->err)) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        atls_cert cert;
        dcap_pck pck;
        atls_error why = {.code = ATLS_OK};
        const char *ca = atls_cert_decode(ders[i], "pck", &cert, &why) ? pck_ca(cert.issuer) : NULL;
        if (ca == NULL || !dcap_pck_decode(&cert, &pck, &why)) {
            continue;
        }
        const char *fmspc = atls_hex_text(atls_bytes_of(pck.fmspc, sizeof pck.fmspc), s->arena, s->err);
        return fmspc == NULL ? NULL : with_digest(s, atls_text_format(s->arena, s->err, "%s/%s", fmspc, ca));
    }
    (void)atls_fail(s->err, ATLS_E_COLLATERAL_FORMAT, "pck_certificate_chain", "there is no PCK certificate in it");
    return NULL;
}

/* ---- certificates and lists ---- */

/* The product behind a prefix of a name, "" when it is none. */
static const char *product_behind(atls_bytes cn, const char *prefix)
{
    atls_bytes rest;
    return starts_with(cn, prefix, &rest) ? atls_snp_product_name(sevsnp_product_of_name(rest)) : "";
}

static const char *snp_leaf(const subject *s, const atls_cert *cert, bool is_vlek)
{
    atls_bytes issuer;
    sevsnp_leaf leaf;
    const char *product = "";
    if (atls_name_common_name(cert->issuer, &issuer)) {
        product = product_behind(issuer, is_vlek ? "SEV-VLEK-" : "SEV-");
    }
    const atls_snp_product p = sevsnp_product_of_name(atls_bytes_str(product));
    if (p == ATLS_SNP_UNKNOWN) {
        (void)atls_fail(s->err, ATLS_E_COLLATERAL_FORMAT, "certificate.issuer", "the product is not known");
        return NULL;
    }
    if (!sevsnp_leaf_decode(cert, p, &leaf, s->err)) {
        return NULL;
    }
    const char *tcb = atls_hex_text(atls_bytes_of(leaf.tcb, sizeof leaf.tcb), s->arena, s->err);
    const size_t id_len = p == ATLS_SNP_TURIN ? 8 : sizeof leaf.hwid;
    const char *chip = is_vlek ? "any" : atls_hex_text(atls_bytes_of(leaf.hwid, id_len), s->arena, s->err);
    return tcb == NULL || chip == NULL
               ? NULL
               : with_digest(s, atls_text_format(s->arena, s->err, "sev_snp/%s/%s/%s/%s", product,
                                                 is_vlek ? "vlek" : "vcek", chip, tcb));
}

/* Where a name that is not a leaf's belongs. */
static const char *owner(const subject *s, atls_bytes cn)
{
    static const struct {
        const char *prefix;
        const char *role;
    } amd[] = {{"ARK-", "ark"}, {"SEV-VLEK-", "asvk"}, {"SEV-", "ask"}};
    atls_bytes rest;
    for (size_t i = 0; i < sizeof amd / sizeof amd[0]; i++) {
        const char *product = product_behind(cn, amd[i].prefix);
        if (product[0] != '\0') {
            return atls_text_format(s->arena, s->err, "sev_snp/%s/%s", product, amd[i].role);
        }
    }
    if (ends_with(cn, "aws.nitro-enclaves")) {
        return "nitro";
    }
    return starts_with(cn, "Apple App Attest", &rest) ? "apple" : "other";
}

static const char *certificate(const subject *s)
{
    atls_cert cert;
    atls_bytes cn;
    if (!atls_cert_decode(s->content, "certificate", &cert, s->err)) {
        return NULL;
    }
    if (!atls_name_common_name(cert.subject, &cn)) {
        cn = atls_bytes_empty();
    }
    const bool is_vlek = atls_bytes_equal_str(cn, "SEV-VLEK");
    if (is_vlek || atls_bytes_equal_str(cn, "SEV-VCEK")) {
        return snp_leaf(s, &cert, is_vlek);
    }
    return with_digest(s, owner(s, cn));
}

static const char *crl(const subject *s)
{
    atls_crl list;
    atls_bytes cn;
    if (!atls_crl_decode(s->content, "crl", &list, s->err)) {
        return NULL;
    }
    return with_digest(s, atls_name_common_name(list.issuer, &cn) ? owner(s, cn) : "other");
}

/* Nothing in a list says whose it is; that it is one does. */
static const char *status(const subject *s)
{
    const atls_json *tree;
    const atls_json *entries;
    return atls_json_parse_wide(s->content, "status", s->arena, &tree, s->err)
                   && atls_json_member(tree, "status", "entries", ATLS_JSON_OBJECT, &entries, s->err)
               ? "google"
               : NULL;
}

bool atls_bundle_subject_of(const atls_crypto *c, const atls_bundle_piece *p, atls_arena *arena, const char **out,
                            atls_error *err)
{
    static const struct {
        const char *kind;
        const char *(*read)(const subject *s);
    } readers[] = {
        {BUNDLE_TCB_INFO, tcb_info},
        {BUNDLE_QE_IDENTITY, qe_identity},
        {BUNDLE_PCK_CRL, pck_crl},
        {BUNDLE_ROOT_CA_CRL, root_ca_crl},
        {BUNDLE_PCK_CHAIN, pck_chain},
        {BUNDLE_CERTIFICATE, certificate},
        {BUNDLE_CRL, crl},
        {BUNDLE_STATUS, status},
    };
    const subject s = {.crypto = c, .content = p->parts[0], .arena = arena, .err = err};
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (strcmp(readers[i].kind, p->kind) != 0) {
            continue;
        }
        *out = readers[i].read(&s);
        if (*out == NULL && err->code != ATLS_E_MEMORY && err->code != ATLS_E_INTERNAL) {
            (void)atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "");
        }
        return *out != NULL;
    }
    (void)atls_fail(err, ATLS_E_INTERNAL, "bundle", "no reader for a kind of piece");
    return false;
}
