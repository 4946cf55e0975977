/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_facts.c: what a piece says of itself: what it is about, who issued it, from when until when. Unverified. */
#include <string.h>

#include "base/text.h"
#include "bundle_kinds.h"
#include "evidence/dcap/dcap.h"
#include "pki/cert.h"

typedef struct facts {
    const atls_bundle_piece *piece;
    atls_arena *arena;
    atls_piece_facts *out;
    atls_error *err;
} facts;

static bool keep(const char *text, const char **out)
{
    *out = text == NULL ? "" : text;
    return text != NULL;
}

/* The part of a subject behind its first slash. */
static const char *behind_slash(const char *subject)
{
    const char *slash = strchr(subject, '/');
    return slash == NULL ? "" : slash + 1;
}

/* ---- certificates that came along ---- */

static bool name_of(const facts *f, atls_bytes name, const char **out)
{
    atls_bytes cn;
    if (atls_name_common_name(name, &cn)) {
        return keep(atls_text_copy(cn, f->arena, f->err), out);
    }
    return keep(atls_name_text(name, f->arena, f->err), out);
}

static bool note_chain(const facts *f, atls_bytes pem, bool is_signer)
{
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    if (pem.len == 0) {
        return true;
    }
    if (!atls_pem_certificates(pem, true, ATLS_E_COLLATERAL_FORMAT, "chain", f->arena, ders, ATLS_MAX_PEM_CERTS, &n,
                               f->err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        atls_cert cert;
        if (!atls_cert_decode(ders[i], "chain", &cert, f->err)
            || (i == 0 && is_signer && !name_of(f, cert.subject, &f->out->issuer))) {
            return false;
        }
        if (f->out->chain_until == ATLS_TIME_UNSET || cert.not_after < f->out->chain_until) {
            f->out->chain_until = cert.not_after;
            if (!name_of(f, cert.subject, &f->out->chain_until_who)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- kinds ---- */

static bool put_window(const facts *f, atls_time from, atls_time until, const char *until_name)
{
    f->out->from = from;
    f->out->until = until;
    f->out->until_name = until_name;
    return true;
}

static bool put_evaluation(const facts *f, uint32_t number)
{
    return keep(atls_text_format(f->arena, f->err, "evaluation data number %u", (unsigned)number), &f->out->number);
}

static bool tcb_info(const facts *f)
{
    dcap_tcb_info info;
    if (!dcap_tcb_info_decode(f->piece->parts[0], f->arena, &info, f->err)) {
        return false;
    }
    const char *fmspc = atls_hex_text(atls_bytes_of(info.fmspc, sizeof info.fmspc), f->arena, f->err);
    return fmspc != NULL
           && keep(atls_text_format(f->arena, f->err, "TCB info for %s, FMSPC %s", info.is_tdx ? "TDX" : "SGX", fmspc),
                   &f->out->what)
           && put_window(f, info.issue_date, info.next_update, "nextUpdate")
           && put_evaluation(f, info.evaluation_data_number) && note_chain(f, f->piece->parts[2], true);
}

static bool qe_identity(const facts *f)
{
    dcap_qe_identity q;
    if (!dcap_qe_identity_decode(f->piece->parts[0], f->arena, &q, f->err)) {
        return false;
    }
    f->out->what = q.is_td_qe ? "identity of the quoting enclave for TDX" : "identity of the quoting enclave for SGX";
    return put_window(f, q.issue_date, q.next_update, "nextUpdate") && put_evaluation(f, q.evaluation_data_number)
           && note_chain(f, f->piece->parts[2], true);
}

static bool list(const facts *f)
{
    atls_crl crl;
    if (!atls_crl_decode(f->piece->parts[0], "crl", &crl, f->err) || !name_of(f, crl.issuer, &f->out->issuer)) {
        return false;
    }
    if (crl.has_crl_number) {
        const char *number = atls_hex_text(crl.crl_number, f->arena, f->err);
        if (number == NULL || !keep(atls_text_format(f->arena, f->err, "crlNumber %s", number), &f->out->number)) {
            return false;
        }
    }
    return keep(atls_text_format(f->arena, f->err, "revocation list of %s", f->out->issuer), &f->out->what)
           && put_window(f, crl.this_update, crl.next_update, "nextUpdate")
           && (f->piece->n_parts < 2 || note_chain(f, f->piece->parts[1], false));
}

static bool certificate(const facts *f)
{
    atls_cert cert;
    const char *subject;
    if (!atls_cert_decode(f->piece->parts[0], "certificate", &cert, f->err) || !name_of(f, cert.issuer, &f->out->issuer)
        || !name_of(f, cert.subject, &subject)) {
        return false;
    }
    return keep(atls_text_format(f->arena, f->err, "certificate of %s", subject), &f->out->what)
           && put_window(f, cert.not_before, cert.not_after, "notAfter");
}

/* A chain lasts as long as the first of its certificates, and from when the last of them began. */
static bool pck_chain(const facts *f)
{
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    if (!note_chain(f, f->piece->parts[0], false)
        || !atls_pem_certificates(f->piece->parts[0], true, ATLS_E_COLLATERAL_FORMAT, "chain", f->arena, ders,
                                  ATLS_MAX_PEM_CERTS, &n, f->err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        atls_cert cert;
        if (!atls_cert_decode(ders[i], "chain", &cert, f->err)) {
            return false;
        }
        f->out->from = i == 0 || cert.not_before > f->out->from ? cert.not_before : f->out->from;
    }
    f->out->until = f->out->chain_until;
    f->out->until_name = "notAfter";
    return keep(atls_text_format(f->arena, f->err, "PCK chain, FMSPC %.12s", f->piece->subject), &f->out->what);
}

static bool status(const facts *f)
{
    f->out->what = "status list of Android attestation keys";
    f->out->issuer = "Google";
    bundle_dates dates;
    return atls_bundle_dates(f->piece, &dates)
               ? put_window(f, dates.fetched, dates.expires, dates.expires == ATLS_TIME_UNSET ? "" : "expiry")
               : atls_fail(f->err, ATLS_E_COLLATERAL_FORMAT, "status", "its dates cannot be read");
}

bool atls_bundle_piece_describe(const atls_bundle_piece *piece, atls_arena *arena, atls_piece_facts *out,
                                atls_error *err)
{
    static const struct {
        const char *kind;
        bool (*read)(const facts *f);
    } readers[] = {
        {BUNDLE_TCB_INFO, tcb_info}, {BUNDLE_QE_IDENTITY, qe_identity}, {BUNDLE_PCK_CRL, list},
        {BUNDLE_ROOT_CA_CRL, list},  {BUNDLE_PCK_CHAIN, pck_chain},     {BUNDLE_CERTIFICATE, certificate},
        {BUNDLE_CRL, list},          {BUNDLE_STATUS, status},
    };
    const facts f = {.piece = piece, .arena = arena, .out = out, .err = err};
    *out = (atls_piece_facts){.what = "", .issuer = "", .number = "", .until_name = "", .chain_until_who = ""};
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        if (strcmp(readers[i].kind, piece->kind) != 0) {
            continue;
        }
        if (!readers[i].read(&f)) {
            return atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "");
        }
        if (strcmp(piece->kind, BUNDLE_CERTIFICATE) == 0 && strncmp(piece->subject, "sev_snp/", 8) == 0) {
            return keep(atls_text_format(arena, err, "%s (%.24s...)", out->what, behind_slash(piece->subject)),
                        &out->what);
        }
        return true;
    }
    return atls_fail_unsupported(err, ATLS_E_UNSUPPORTED, "bundle.pieces.kind", NULL, piece->kind,
                                 "a kind of piece that this program does not know");
}
