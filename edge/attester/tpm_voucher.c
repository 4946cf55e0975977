/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_voucher.c: hardware that vouches for the key (tpm.md section 4). */
#include "tpm_voucher.h"

#include <string.h>

#include "evidence.h"
#include "evidence/sevsnp/sevsnp.h"
#include "evidence/tpm/tpm.h"

#define TDX_REPORT_DATA_AT 128u /* of a TDREPORT: REPORTMACSTRUCT.REPORTDATA */
#define FIELD              "attester.tpm.hardware"

/* ---- Azure -------------------------------------------------------------------------------------------------------- */

static bool quote_report(const atls_tpm_options *o, atls_bytes report, atls_arena *arena, atls_bytes *out,
                         atls_error *err)
{
    *out = atls_bytes_empty();
    if (!o->td_quote(o->td_quote_ctx, report, arena, out, err) || out->len == 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "attester.tpm.td_quote", "no quote, and no reason why");
    }
    return atls_made_quote(*out, report.ptr + TDX_REPORT_DATA_AT, "attester.tpm.td_quote", err);
}

bool atls_tpm_voucher_hcl(const atls_tpm_options *o, atls_bytes nv, atls_arena *arena, atls_tpm_document *out,
                          atls_error *err)
{
    atls_tpm_hcl hcl;
    if (!atls_tpm_hcl_read(nv, &hcl) || (hcl.is_tdx && o->td_quote == NULL)) {
        return true;
    }
    out->is_tdx = hcl.is_tdx;
    out->runtime_data = hcl.runtime_data;
    out->hardware_framed = hcl.is_tdx ? atls_bytes_empty() : hcl.with_header;
    out->hardware = hcl.report;
    return !hcl.is_tdx || quote_report(o, hcl.report, arena, &out->hardware, err);
}

/* ---- SEV-SNP ------------------------------------------------------------------------------------------------------ */

static bool report_data_of_key(const atls_tpm_document *d, atls_arena *arena, uint8_t out[64], atls_error *err)
{
    tpm_public public;
    tpm_key key;
    atls_crypto *crypto = NULL;
    if (!tpm_public_decode(d->public_area, "attester.tpm.key", &public, err) || !tpm_key_make(&public, arena, &key, err)
        || !atls_crypto_new(&crypto, err)) {
        return false;
    }
    const bool ok = atls_digest(crypto, ATLS_SHA512, &key.spki, 1, out, err);
    atls_crypto_free(crypto);
    return ok;
}

/* As DER; a host may have put PEM into its table. */
static bool add_certificate(atls_bytes in, atls_arena *arena, atls_tpm_document *out, atls_error *err)
{
    size_t n = 0;
    atls_bytes der[1] = {in};
    if (in.len == 0 || out->n_hardware_certificates == ATLS_TPM_MAX_HARDWARE_CERTS) {
        return true;
    }
    if (in.ptr[0] == '-' && !atls_pem_certificates(in, false, ATLS_E_EVIDENCE_FORMAT, FIELD, arena, der, 1, &n, err)) {
        return false;
    }
    out->hardware_certificates[out->n_hardware_certificates++] = der[0];
    return true;
}

static bool take_table(const sevsnp_table *t, bool is_vlek, atls_arena *arena, atls_tpm_document *out, atls_error *err)
{
    const atls_bytes leaf = sevsnp_table_find(t, is_vlek ? SEVSNP_TABLE_VLEK : SEVSNP_TABLE_VCEK);
    return leaf.len == 0
           || (add_certificate(leaf, arena, out, err)
               && add_certificate(sevsnp_table_find(t, SEVSNP_TABLE_ASK), arena, out, err)
               && add_certificate(sevsnp_table_find(t, SEVSNP_TABLE_ARK), arena, out, err));
}

bool atls_tpm_voucher_snp(const atls_tpm_options *o, const uint8_t *report_data, atls_arena *arena,
                          atls_tpm_document *out, atls_error *err)
{
    atls_evidence made = {atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    sevsnp_evidence *seen = atls_arena_alloc(arena, sizeof *seen, err);
    uint8_t wanted[64];
    if (seen == NULL || (report_data == NULL && !report_data_of_key(out, arena, wanted, err))) {
        return false;
    }
    if (report_data != NULL) {
        memcpy(wanted, report_data, sizeof wanted);
    }
    if (!o->hardware(o->hardware_ctx, wanted, arena, &made, err)) {
        return atls_fail(err, ATLS_E_INTERNAL, FIELD, "no report, and no reason why");
    }
    if (!sevsnp_evidence_decode(made.quote, seen, err)) {
        return atls_error_relabel(err, ATLS_E_QUOTE, FIELD);
    }
    out->is_tdx = false;
    out->hardware = atls_bytes_of(made.quote.ptr, ATLS_SNP_REPORT_LEN);
    atls_bytes ignored;
    return atls_made_report(out->hardware, atls_bytes_empty(), wanted, FIELD, arena, &ignored, err)
           && take_table(&seen->table, seen->report.body.signing_key == 1, arena, out, err);
}
