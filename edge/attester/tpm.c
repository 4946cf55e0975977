/* SPDX-License-Identifier: Apache-2.0 */
/* tpm.c: evidence of a TPM 2.0, from opening it to the bytes that go out. */
#include "tpm.h"

#include <string.h>

#include "evidence.h"

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

/* What vouches for the key, as far as this machine holds it. An index that was named must be there. */
static bool take_vouchers(const atls_tpm *t, const atls_tpm_signer *s, atls_tpm_document *out)
{
    const TPM2_HANDLE at = t->o->certificate_index != 0 ? t->o->certificate_index : s->certificate_at;
    atls_bytes nv = atls_bytes_empty();
    if (at != 0 && !atls_tpm_nv_read(t, at, &nv)) {
        return false;
    }
    out->certificate = atls_tpm_first_der(nv);
    if (t->o->certificate_index != 0 && out->certificate.len == 0) {
        return atls_fail(t->err, ATLS_E_CONFIGURATION, "attester.tpm.certificate", "there is no certificate in 0x%08x",
                         (unsigned)at);
    }
    if (!s->is_azure || !atls_tpm_nv_read(t, HCL_REPORT_AT, &nv)) {
        return !s->is_azure;
    }
    if (!atls_tpm_hcl_read(nv, &out->snp_report, &out->runtime_data)) {
        out->snp_report = out->runtime_data = atls_bytes_empty();
    }
    return true;
}

static bool make(const atls_tpm *t, const atls_tpm_signer *s, const uint8_t data[32], atls_bytes *out)
{
    atls_tpm_document *d = atls_arena_alloc(t->arena, sizeof *d, t->err);
    if (d == NULL) {
        return false;
    }
    d->public_area = s->public_area;
    return quote_all(t, s, data, d) && take_vouchers(t, s, d)
           && atls_event_log_file(t->o->event_log_path, ATLS_TPM_LOG_PATH, "attester.tpm.event_log", ATLS_TPM_MAX_LOG,
                                  t->arena, &d->event_log, t->err)
           && atls_tpm_document_write(d, t->arena, out, t->err);
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
