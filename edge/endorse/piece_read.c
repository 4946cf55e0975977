/* SPDX-License-Identifier: Apache-2.0 */
/* piece_read.c: answers as parts. */
#include <string.h>

#include "base/text.h"
#include "evidence/dcap/dcap.h"
#include "evidence/sevsnp/sevsnp.h"
#include "pcs.h"
#include "piece.h"
#include "pki/chain.h"

#define MAX_SIGNERS 4u /* of a chain: signer and root, perhaps what is between */

typedef struct reading {
    const atls_piece_id *id;
    const atls_crypto *crypto;
    const atls_answer *in;
    atls_arena *arena;
    atls_piece_parts *out;
    atls_error *err;
} reading;

/* A chain that came beside a piece. */
typedef struct signers {
    atls_cert *certs[MAX_SIGNERS];
    size_t n;
    atls_cert *signer; /* the one that is not its own issuer; the first, where all are */
} signers;

static bool refuse(const reading *r, const char *why)
{
    (void)atls_fail(r->err, ATLS_E_COLLATERAL_FORMAT, atls_piece_name(r->id->kind), "%s", why);
    return false;
}

static void note_date(const reading *r, atls_time t)
{
    if (t != ATLS_TIME_UNSET && t < r->out->valid_until) {
        r->out->valid_until = t;
    }
}

/* ---- the chain beside it ---------------------------------------------------------------------------------------------- */

static bool read_signers(const reading *r, signers *out)
{
    const char *field = atls_piece_name(r->id->kind);
    atls_bytes ders[MAX_SIGNERS];
    atls_cert_pool pool;
    if (!atls_pcs_percent_decode(r->in->chain, field, r->arena, &r->out->chain, r->err)
        || !atls_pem_certificates(r->out->chain, true, ATLS_E_COLLATERAL_FORMAT, field, r->arena, ders, MAX_SIGNERS,
                                  &out->n, r->err)
        || !atls_cert_pool_init(&pool, MAX_SIGNERS, r->arena, r->err)) {
        return false;
    }
    out->signer = NULL;
    for (size_t i = 0; i < out->n; i++) {
        if (!atls_cert_pool_add(&pool, ders[i], ATLS_E_COLLATERAL_FORMAT, field, &out->certs[i], r->err)) {
            return false;
        }
        note_date(r, out->certs[i]->not_after);
        if (out->signer == NULL && !atls_bytes_equal(out->certs[i]->issuer, out->certs[i]->subject)) {
            out->signer = out->certs[i];
        }
    }
    out->signer = out->signer == NULL ? out->certs[0] : out->signer;
    return true;
}

/* The certificate that the signer names as its issuer signed it; the others are nobody's business here. */
static bool check_link(const reading *r, const signers *s)
{
    const char *field = atls_piece_name(r->id->kind);
    for (size_t i = 0; i < s->n; i++) {
        if (s->certs[i] == s->signer || !atls_bytes_equal(s->certs[i]->subject, s->signer->issuer)) {
            continue;
        }
        atls_key *key = NULL;
        const bool ok =
            atls_key_open(r->crypto, &s->certs[i]->key, ATLS_E_COLLATERAL_FORMAT, field, &key, r->err)
            && atls_link_verify(r->crypto, s->signer, s->certs[i], key, 0, ATLS_E_COLLATERAL_FORMAT, field, r->err);
        atls_key_close(key);
        return ok;
    }
    return true;
}

/* ---- signed documents -------------------------------------------------------------------------------------------------- */

static bool check_tcb_info(const reading *r)
{
    dcap_tcb_info info;
    if (!dcap_tcb_info_decode(r->out->content, r->arena, &info, r->err)) {
        return false;
    }
    note_date(r, info.next_update);
    if (info.is_tdx != r->id->is_tdx) {
        return refuse(r, "a TCB info of the other kind of TEE");
    }
    return memcmp(info.fmspc, r->id->fmspc, sizeof info.fmspc) == 0 || refuse(r, "a TCB info of another FMSPC");
}

static bool check_identity(const reading *r)
{
    dcap_qe_identity identity;
    if (!dcap_qe_identity_decode(r->out->content, r->arena, &identity, r->err)) {
        return false;
    }
    note_date(r, identity.next_update);
    return identity.is_td_qe == r->id->is_tdx || refuse(r, "the identity of another quoting enclave");
}

static bool check_signature(const reading *r)
{
    uint8_t rs[64];
    signers s;
    atls_key *key = NULL;
    const char *field = atls_piece_name(r->id->kind);
    if (r->in->chain.len == 0) {
        return refuse(r, "the answer has no chain of certificates in its headers");
    }
    if (!atls_hex_fixed(r->out->signature, rs, sizeof rs)) {
        return refuse(r, "the signature is not 128 hex digits");
    }
    if (!read_signers(r, &s) || !check_link(r, &s)) {
        return false;
    }
    const bool ok = atls_key_open(r->crypto, &s.signer->key, ATLS_E_COLLATERAL_FORMAT, field, &key, r->err)
                    && atls_verify_raw(r->crypto, key, ATLS_SHA256, r->out->content, atls_bytes_of(rs, sizeof rs),
                                       ATLS_E_COLLATERAL_FORMAT, field, r->err);
    atls_key_close(key);
    return ok;
}

static bool read_document(const reading *r)
{
    const bool is_tcb = r->id->kind == ATLS_FETCHED_TCB_INFO;
    return atls_pcs_signed(r->in->body, atls_piece_name(r->id->kind), is_tcb ? "tcbInfo" : "enclaveIdentity", r->arena,
                           &r->out->content, &r->out->signature, r->err)
           && (is_tcb ? check_tcb_info(r) : check_identity(r)) && check_signature(r);
}

/* ---- revocation lists -------------------------------------------------------------------------------------------------- */

static bool check_issuer(const reading *r, const atls_crl *crl)
{
    atls_bytes cn;
    if (r->id->kind != ATLS_FETCHED_PCK_CRL) {
        return true;
    }
    const char *wanted = r->id->is_platform_ca ? "Intel SGX PCK Platform CA" : "Intel SGX PCK Processor CA";
    return (atls_name_common_name(crl->issuer, &cn) && atls_bytes_equal_str(cn, wanted))
           || refuse(r, "a list of another issuer");
}

/* The list's own date stands in for the clock: dates are somebody else's question. */
static bool check_list_signature(const reading *r, const atls_crl *crl)
{
    signers s;
    atls_key *key = NULL;
    const char *field = atls_piece_name(r->id->kind);
    if (r->in->chain.len == 0) {
        return true; /* it is optional, and the appraisal does not look at it */
    }
    if (!read_signers(r, &s) || !check_link(r, &s)) {
        return false;
    }
    const bool ok = atls_key_open(r->crypto, &s.signer->key, ATLS_E_COLLATERAL_FORMAT, field, &key, r->err)
                    && atls_crl_verify(r->crypto, crl, s.signer, key, crl->this_update, field, r->err);
    atls_key_close(key);
    return ok;
}

static bool read_list(const reading *r)
{
    atls_crl crl;
    const char *name = atls_piece_name(r->id->kind);
    if (!atls_pcs_list(r->in->body, name, r->arena, &r->out->content, r->err)
        || !atls_crl_decode(r->out->content, name, &crl, r->err)) {
        return false;
    }
    note_date(r, crl.next_update);
    return check_issuer(r, &crl) && check_list_signature(r, &crl);
}

/* ---- AMD --------------------------------------------------------------------------------------------------------------- */

static bool decode_certificate(const reading *r, atls_bytes der, atls_cert *out)
{
    if (!atls_cert_decode(der, atls_piece_name(r->id->kind), out, r->err)) {
        return false;
    }
    note_date(r, out->not_after);
    return true;
}

/* The part of the chip's name that certificates hold is as long as the request's. */
static bool is_of_chip(const reading *r, const sevsnp_leaf *leaf)
{
    char hex[2 * sizeof leaf->hwid + 1];
    atls_hex_encode(atls_bytes_of(leaf->hwid, strlen(r->id->chip_id) / 2), hex);
    return strcmp(hex, r->id->chip_id) == 0;
}

static bool is_of_tcb(const reading *r, const sevsnp_leaf *leaf, atls_snp_product product)
{
    atls_snp_tcb t = {{0}, false, 0, 0, 0, 0, 0};
    memcpy(t.raw, leaf->tcb, sizeof t.raw);
    sevsnp_tcb_read(product, &t);
    const char *fmc = t.has_fmc ? atls_text_format(r->arena, r->err, "fmcSPL=%u&", (unsigned)t.fmc) : "";
    const char *text =
        fmc == NULL ? NULL
                    : atls_text_format(r->arena, r->err, "%sblSPL=%u&teeSPL=%u&snpSPL=%u&ucodeSPL=%u", fmc,
                                       (unsigned)t.bootloader, (unsigned)t.tee, (unsigned)t.snp, (unsigned)t.microcode);
    return text != NULL && strcmp(text, r->id->tcb) == 0;
}

/* A certificate is kept for years: one of another chip must not be. */
static bool read_leaf(const reading *r)
{
    const atls_snp_product product = sevsnp_product_of_name(atls_bytes_str(r->id->product));
    atls_cert cert;
    sevsnp_leaf leaf;
    r->out->content = r->in->body;
    if (!decode_certificate(r, r->in->body, &cert) || !sevsnp_leaf_decode(&cert, product, &leaf, r->err)) {
        return false;
    }
    if (leaf.is_vlek || !is_of_chip(r, &leaf)) {
        return refuse(r, "the certificate of another chip");
    }
    return is_of_tcb(r, &leaf, product) || refuse(r, "the certificate of another TCB");
}

static bool read_chain(const reading *r)
{
    atls_piece_parts *out = r->out;
    if (!atls_pem_certificates(r->in->body, true, ATLS_E_COLLATERAL_FORMAT, atls_piece_name(r->id->kind), r->arena,
                               out->certificates, ATLS_PIECE_CERTS, &out->n_certificates, r->err)) {
        return false;
    }
    for (size_t i = 0; i < out->n_certificates; i++) {
        atls_cert cert;
        if (!decode_certificate(r, out->certificates[i], &cert)) {
            return false;
        }
    }
    return out->n_certificates >= 2 || refuse(r, "a chain is the intermediate and the root");
}

/* ---- anything else ----------------------------------------------------------------------------------------------------- */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whole, at least. What is in it is for those who know what it is. */
static bool read_opaque(const reading *r)
{
    atls_bytes b = r->in->body;
    while (b.len > 0 && is_space(b.ptr[0])) {
        b.ptr++;
        b.len--;
    }
    while (b.len > 0 && is_space(b.ptr[b.len - 1])) {
        b.len--;
    }
    r->out->content = r->in->body;
    return (b.len >= 2 && b.ptr[0] == '{' && b.ptr[b.len - 1] == '}') || refuse(r, "the answer is no JSON object");
}

/* ---- the door ---------------------------------------------------------------------------------------------------------- */

static bool read_parts(const reading *r)
{
    switch (r->id->kind) {
    case ATLS_FETCHED_TCB_INFO:
    case ATLS_FETCHED_QE_IDENTITY:
        return read_document(r);
    case ATLS_FETCHED_PCK_CRL:
    case ATLS_FETCHED_ROOT_CA_CRL:
    case ATLS_FETCHED_SNP_CRL:
        return read_list(r);
    case ATLS_FETCHED_SNP_LEAF:
        return read_leaf(r);
    case ATLS_FETCHED_SNP_CHAIN:
        return read_chain(r);
    case ATLS_FETCHED_DOCUMENT:
        return read_opaque(r);
    }
    return refuse(r, "no such piece");
}

bool atls_piece_read(const atls_piece_id *id, const atls_crypto *crypto, const atls_answer *in, atls_arena *arena,
                     atls_piece_parts *out, atls_error *err)
{
    atls_error why = {0};
    const reading r = {.id = id, .crypto = crypto, .in = in, .arena = arena, .out = out, .err = &why};
    *out = (atls_piece_parts){
        .content = atls_bytes_empty(),
        .signature = atls_bytes_empty(),
        .chain = atls_bytes_empty(),
        .valid_until = ATLS_PIECE_FOR_EVER,
    };
    if (read_parts(&r)) {
        return true;
    }
    const bool keeps = why.code == ATLS_E_MEMORY || why.code == ATLS_E_INTERNAL || why.code == ATLS_E_LIMIT;
    (void)atls_fail(err, keeps ? why.code : ATLS_E_COLLATERAL_FORMAT, atls_piece_field(id->kind), "%s",
                    why.message[0] == '\0' ? atls_code_text(why.code) : why.message);
    return false;
}
