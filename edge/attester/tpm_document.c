/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_document.c: a quote, what it covers and what vouches for its key, as one piece of CBOR. */
#include "tpm_document.h"

#include "base/cbor_write.h"
#include "base/cursor.h"
#include "base/der.h"
#include "evidence.h"
#include "evidence/tpm/tpm.h"

#define HCL_DATA_LEN 20u

static void put_quote(atls_cw *w, const atls_tpm_quote *q)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < ATLS_TPM_N_PCRS; i++) {
        n += q->pcrs >> i & 1u;
    }
    atls_cw_array(w, 3);
    atls_cw_bytes(w, q->message);
    atls_cw_bytes(w, q->signature);
    atls_cw_map(w, 1);
    atls_cw_uint(w, q->bank);
    atls_cw_map(w, n);
    for (uint32_t i = 0; i < ATLS_TPM_N_PCRS; i++) {
        if ((q->pcrs >> i & 1u) != 0) {
            atls_cw_uint(w, i);
            atls_cw_bytes(w, q->values[i]);
        }
    }
}

static void put_rest(atls_cw *w, const atls_tpm_document *d)
{
    if (d->event_log.len > 0) {
        atls_cw_uint(w, 2);
        atls_cw_bytes(w, d->event_log);
    }
    if (d->certificate.len > 0) {
        atls_cw_uint(w, 3);
        atls_cw_array(w, 1);
        atls_cw_bytes(w, d->certificate);
    }
    if (d->hardware.len > 0) {
        atls_cw_uint(w, 4);
        atls_cw_array(w, 4);
        atls_cw_text(w, atls_bytes_str(d->is_tdx ? "tdx" : "sev-snp"));
        atls_cw_bytes(w, d->hardware);
        atls_cw_bytes(w, d->runtime_data);
        atls_cw_array(w, d->n_hardware_certificates);
        for (size_t i = 0; i < d->n_hardware_certificates; i++) {
            atls_cw_bytes(w, d->hardware_certificates[i]);
        }
    }
}

bool atls_tpm_document_write(const atls_tpm_document *in, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_cw w;
    const uint64_t n =
        2u + (in->event_log.len > 0 ? 1u : 0u) + (in->certificate.len > 0 ? 1u : 0u) + (in->hardware.len > 0 ? 1u : 0u);
    atls_buf_init(&b, arena, err);
    atls_cw_init(&w, &b);
    atls_cw_map(&w, n);
    atls_cw_uint(&w, 0);
    atls_cw_bytes(&w, in->public_area);
    atls_cw_uint(&w, 1);
    atls_cw_array(&w, in->n_quotes);
    for (size_t i = 0; i < in->n_quotes; i++) {
        put_quote(&w, &in->quotes[i]);
    }
    put_rest(&w, in);
    return atls_buf_done(&b, out);
}

/* ---- what indices hold -------------------------------------------------------------------------------------------- */

bool atls_tpm_hcl_read(atls_bytes in, atls_tpm_hcl *out)
{
    atls_error ignored = {0};
    tpm_hcl hcl;
    *out = (atls_tpm_hcl){false, atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    if (!tpm_hcl_decode(in, &hcl, &ignored)) {
        return false;
    }
    *out = (atls_tpm_hcl){.is_tdx = hcl.is_tdx,
                          .report = hcl.report,
                          .with_header = atls_bytes_of(hcl.report.ptr, ATLS_SNP_REPORT_LEN + HCL_DATA_LEN),
                          .runtime_data = hcl.runtime_data};
    return true;
}

atls_bytes atls_tpm_first_der(atls_bytes in)
{
    atls_error ignored = {0};
    atls_cur c;
    atls_der_tag tag = 0;
    atls_bytes whole = atls_bytes_empty();
    atls_cur_init(&c, in, "nv", &ignored);
    if (!atls_der_any(&c, "certificate", &tag, NULL, &whole) || tag != ATLS_DER_SEQUENCE) {
        return atls_bytes_empty();
    }
    return whole;
}
