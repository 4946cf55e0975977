/* SPDX-License-Identifier: Apache-2.0 */
/* write.c: the form that cbor.c reads, for attesters. Whatever is written here is read back the same. */
#include "base/cbor_write.h"
#include "tpm.h"

static void put_bank(atls_cw *w, const tpm_bank *b)
{
    uint64_t n = 0;
    for (size_t i = 0; i < TPM_N_PCRS; i++) {
        n += b->mask >> i & 1u;
    }
    atls_cw_uint(w, b->alg);
    atls_cw_map(w, n);
    for (size_t i = 0; i < TPM_N_PCRS; i++) {
        if ((b->mask >> i & 1u) != 0) {
            atls_cw_uint(w, i);
            atls_cw_bytes(w, b->values[i]);
        }
    }
}

/* Banks in ascending order, whatever order they came in: the smallest above the one before. */
static const tpm_bank *next_bank(const tpm_quote *q, const tpm_bank *previous)
{
    const tpm_bank *best = NULL;
    for (size_t i = 0; i < q->n_banks; i++) {
        const tpm_bank *b = &q->banks[i];
        if ((previous == NULL || b->alg > previous->alg) && (best == NULL || b->alg < best->alg)) {
            best = b;
        }
    }
    return best;
}

static void put_quote(atls_cw *w, const tpm_quote *q)
{
    atls_cw_array(w, 3);
    atls_cw_bytes(w, q->message);
    atls_cw_bytes(w, q->signature);
    atls_cw_map(w, q->n_banks);
    for (const tpm_bank *b = next_bank(q, NULL); b != NULL; b = next_bank(q, b)) {
        put_bank(w, b);
    }
}

static void put_certs(atls_cw *w, const atls_bytes *certs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        atls_cw_bytes(w, certs[i]);
    }
}

static void put_hardware(atls_cw *w, const tpm_hardware *h)
{
    atls_cw_array(w, 4);
    atls_cw_text(w, atls_bytes_str(h->platform == ATLS_PLATFORM_TDX ? "tdx" : "sev-snp"));
    atls_cw_bytes(w, h->report);
    atls_cw_bytes(w, h->runtime_data);
    atls_cw_array(w, h->n_certs);
    put_certs(w, h->certs, h->n_certs);
}

static void put_evidence(atls_cw *w, const tpm_evidence *e)
{
    const bool has_log = e->event_log.len > 0;
    const bool has_cert = e->ak_cert.len > 0;
    const bool has_hardware = e->hardware.platform != ATLS_PLATFORM_NONE;
    atls_cw_map(w, 2u + (has_log ? 1u : 0u) + (has_cert ? 1u : 0u) + (has_hardware ? 1u : 0u));
    atls_cw_uint(w, 0);
    atls_cw_bytes(w, e->ak_pub);
    atls_cw_uint(w, 1);
    atls_cw_array(w, e->n_quotes);
    for (size_t i = 0; i < e->n_quotes; i++) {
        put_quote(w, &e->quotes[i]);
    }
    if (has_log) {
        atls_cw_uint(w, 2);
        atls_cw_bytes(w, e->event_log);
    }
    if (has_cert) {
        atls_cw_uint(w, 3);
        atls_cw_array(w, 1 + e->n_certs);
        atls_cw_bytes(w, e->ak_cert);
        put_certs(w, e->certs, e->n_certs);
    }
    if (has_hardware) {
        atls_cw_uint(w, 4);
        put_hardware(w, &e->hardware);
    }
}

bool tpm_write(const tpm_evidence *in, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_cw w;
    *out = atls_bytes_empty();
    if (in->ak_pub.len == 0 || in->n_quotes == 0) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, in->ak_pub.len == 0 ? "ak_pub" : "quotes",
                         "evidence needs a key and a quote");
    }
    if (in->ak_cert.len == 0 && in->n_certs > 0) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "certificates", "intermediates without the key's certificate");
    }
    atls_buf_init(&b, a, err);
    atls_cw_init(&w, &b);
    put_evidence(&w, in);
    return atls_buf_done(&b, out);
}
