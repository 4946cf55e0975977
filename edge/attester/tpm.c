/* SPDX-License-Identifier: Apache-2.0 */
/* tpm.c: evidence of a TPM 2.0, from opening it to the bytes that go out: in our own form, or in Constellation's. */
#include "tpm.h"

#include <string.h>

#include "evidence.h"
#include "tpm_voucher.h"

#define HCL_REPORT_AT 0x01400001u
#define ALL_PCRS      0xffffffu

static bool check_banks(const atls_tpm_options *o, atls_error *err)
{
    if (o->n_banks > ATLS_TPM_MAX_BANKS) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attester.tpm.banks", "at most %d banks", ATLS_TPM_MAX_BANKS);
    }
    for (size_t i = 0; i < o->n_banks; i++) {
        if (o->banks[i].pcrs == 0 || (o->banks[i].pcrs & ~ALL_PCRS) != 0) {
            return atls_fail(err, ATLS_E_CONFIGURATION, "attester.tpm.banks", "a bank wants PCRs from 0 to 23");
        }
        for (size_t k = 0; k < i; k++) {
            if (o->banks[k].algorithm == o->banks[i].algorithm) {
                return atls_fail(err, ATLS_E_CONFIGURATION, "attester.tpm.banks", "a bank is given twice");
            }
        }
    }
    return true;
}

static bool quote_all(const atls_tpm *t, const atls_tpm_signer *s, const uint8_t data[32], atls_tpm_document *out)
{
    static const atls_tpm_bank usual = {TPM2_ALG_SHA256, ALL_PCRS};
    const atls_tpm_bank *banks = t->o->n_banks > 0 ? t->o->banks : &usual;
    out->n_quotes = t->o->n_banks > 0 ? t->o->n_banks : 1;
    for (size_t i = 0; i < out->n_quotes; i++) {
        if (!atls_tpm_quote_bank(t, s, &banks[i], data, &out->quotes[i])) {
            return false;
        }
    }
    return true;
}

/* The key's certificate. An index that was named must be there. */
static bool take_certificate(const atls_tpm *t, const atls_tpm_signer *s, atls_tpm_document *out)
{
    const TPM2_HANDLE at = t->o->certificate_index != 0 ? t->o->certificate_index : s->certificate_at;
    atls_bytes nv = atls_bytes_empty();
    if (at != 0 && !atls_tpm_nv_read(t, at, &nv)) {
        return false;
    }
    out->certificate = atls_tpm_first_der(nv);
    return t->o->certificate_index == 0 || out->certificate.len > 0
           || atls_fail(t->err, ATLS_E_CONFIGURATION, "attester.tpm.certificate", "there is no certificate in 0x%08x",
                        (unsigned)at);
}

/* The hardware around the key, as far as this machine has it. */
static bool take_hardware(const atls_tpm *t, const atls_tpm_signer *s, atls_tpm_document *out)
{
    atls_bytes nv = atls_bytes_empty();
    if (s->is_azure
        && (!atls_tpm_nv_read(t, HCL_REPORT_AT, &nv) || !atls_tpm_voucher_hcl(t->o, nv, t->arena, out, t->err))) {
        return false;
    }
    return out->hardware.len > 0 || t->o->hardware == NULL || atls_tpm_voucher_snp(t->o, NULL, t->arena, out, t->err);
}

/* ---- our own form ------------------------------------------------------------------------------------------------- */

static bool make_own(const atls_tpm *t, const atls_tpm_signer *s, const uint8_t data[32], atls_tpm_document *d,
                     atls_bytes *out)
{
    return quote_all(t, s, data, d) && take_certificate(t, s, d) && take_hardware(t, s, d)
           && atls_tpm_document_write(d, t->arena, out, t->err);
}

/* ---- Constellation's ---------------------------------------------------------------------------------------------- */

static bool lacks(const atls_tpm *t, const char *field, const char *what)
{
    return atls_fail(t->err, ATLS_E_CONFIGURATION, field, "the variant %s wants %s", t->o->variant, what);
}

static bool take_azure(const atls_tpm *t, bool is_tdx, atls_tpm_document *out)
{
    atls_bytes nv = atls_bytes_empty();
    if (is_tdx && t->o->td_quote == NULL) {
        return lacks(t, "attester.tpm.td_quote", "a function that makes a quote of the TDREPORT in NV");
    }
    if (!atls_tpm_nv_read(t, HCL_REPORT_AT, &nv) || !atls_tpm_voucher_hcl(t->o, nv, t->arena, out, t->err)) {
        return false;
    }
    if (out->hardware.len == 0 || out->is_tdx != is_tdx) {
        return atls_fail_unsupported(t->err, ATLS_E_UNSUPPORTED, "attester.tpm.variant", t->o->variant, NULL,
                                     "what NV index 0x01400001 of this machine holds is no report of this hardware");
    }
    return true;
}

/* What the instance info of the variant is made of. */
static bool take_variant(const atls_tpm *t, atls_tpm_source source, const uint8_t report_data[64],
                         atls_tpm_document *out)
{
    switch (source) {
    case ATLS_TPM_INFO_NULL:
    case ATLS_TPM_INFO_GIVEN:
        return true;
    case ATLS_TPM_INFO_CERTIFICATE:
        return out->certificate.len > 0 || lacks(t, "attester.tpm.certificate", "a certificate of the key");
    case ATLS_TPM_INFO_SNP_KEY:
    case ATLS_TPM_INFO_SNP_VALUE:
        return t->o->hardware != NULL ? atls_tpm_voucher_snp(t->o, source == ATLS_TPM_INFO_SNP_KEY ? NULL : report_data,
                                                             t->arena, out, t->err)
                                      : lacks(t, "attester.tpm.hardware", "a function that makes reports of SEV-SNP");
    case ATLS_TPM_INFO_HCL_SNP:
    case ATLS_TPM_INFO_HCL_TDX:
        break;
    }
    return take_azure(t, source == ATLS_TPM_INFO_HCL_TDX, out);
}

static bool make_variant(const atls_tpm *t, const atls_tpm_signer *s, const uint8_t report_data[64],
                         atls_tpm_document *d, atls_bytes *out)
{
    atls_tpm_source source;
    atls_bytes info;
    uint8_t data[32];
    return atls_tpm_source_of(t->o->variant, &source, t->err) && take_certificate(t, s, d)
           && take_variant(t, source, report_data, d)
           && atls_tpm_instance_write(source, d, t->o->instance_info, t->arena, &info, t->err)
           && atls_tpm_bound_value(info, report_data, data, t->err) && quote_all(t, s, data, d)
           && atls_tpm_variant_write(source, d, info, t->arena, out, t->err);
}

static bool make(const atls_tpm *t, const atls_tpm_signer *s, const uint8_t report_data[64], atls_bytes *out)
{
    atls_tpm_document *d = atls_arena_alloc(t->arena, sizeof *d, t->err);
    if (d == NULL) {
        return false;
    }
    d->public_area = s->public_area;
    return atls_event_log_file(t->o->event_log_path, ATLS_TPM_LOG_PATH, "attester.tpm.event_log", ATLS_TPM_MAX_LOG,
                               t->arena, &d->event_log, t->err)
           && (t->o->variant == NULL ? make_own(t, s, report_data, d, out) : make_variant(t, s, report_data, d, out));
}

bool atls_attest_tpm(void *options, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                     atls_error *err)
{
    static const atls_tpm_options defaults = {0};
    atls_tpm t = {.o = options != NULL ? options : &defaults, .arena = arena};
    atls_tpm_signer signer = {.handle = ESYS_TR_NONE};
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    if (!check_banks(t.o, err)) {
        return false;
    }
    bool ok =
        atls_tpm_open(&t, err) && atls_tpm_signer_take(&t, &signer) && make(&t, &signer, report_data, &out->quote);
    if (t.esys != NULL) {
        atls_tpm_signer_give(&t, &signer);
    }
    atls_tpm_close(&t);
    if (!ok) {
        out->quote = atls_bytes_empty();
    }
    return ok;
}
