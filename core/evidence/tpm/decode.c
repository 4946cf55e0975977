/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: which form the evidence has, and the structures that are the same in all of them.
 *
 * Forms are told apart by their first byte, in which they differ, and never by trial: evidence that would be read by two
 * readers could say two things. */
#include <stdio.h>

#include "tpm.h"

/* ---- places for what the forms bring ---- */

bool tpm_quote_add(tpm_evidence *e, atls_arena *a, tpm_quote **out, atls_error *err)
{
    const atls_bytes empty = atls_bytes_empty();
    if (e->n_quotes == TPM_MAX_QUOTES) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "quotes", "more than %u quotes", TPM_MAX_QUOTES);
    }
    tpm_quote *q = &e->quotes[e->n_quotes];
    *q = (tpm_quote){.message = empty, .signature = empty};
    q->banks = atls_arena_array(a, TPM_MAX_QUOTES, sizeof *q->banks, err);
    if (q->banks == NULL) {
        return false;
    }
    e->n_quotes++;
    *out = q;
    return true;
}

bool tpm_bank_add(tpm_quote *q, atls_arena *a, uint64_t alg, tpm_bank **out, atls_error *err)
{
    (void)a;
    if (tpm_hash_of(alg).len == 0) {
        char actual[24];
        snprintf(actual, sizeof actual, "0x%llx", (unsigned long long)alg);
        return atls_fail_unsupported(err, ATLS_E_EVIDENCE_FORMAT, "pcrs.hash", "a hash algorithm of TPMs", actual,
                                     "PCR banks of this algorithm are not supported");
    }
    for (size_t i = 0; i < q->n_banks; i++) {
        if (q->banks[i].alg == alg) {
            return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "pcrs.hash", "one bank's values are given twice");
        }
    }
    if (q->n_banks == TPM_MAX_QUOTES) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "pcrs", "more than %u banks", TPM_MAX_QUOTES);
    }
    *out = &q->banks[q->n_banks++];
    **out = (tpm_bank){.alg = (uint16_t)alg};
    return true;
}

bool tpm_pcr_add(tpm_bank *b, uint64_t index, atls_bytes value, atls_error *err)
{
    if (index >= TPM_N_PCRS) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "pcrs", "PCR %llu: the last one is 23",
                         (unsigned long long)index);
    }
    if ((b->mask >> index & 1u) != 0) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "pcrs", "PCR %u is given twice", (unsigned)index);
    }
    const size_t len = tpm_hash_of(b->alg).len;
    if (value.len != len) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "pcrs", "PCR %u has %zu bytes, its bank's have %zu",
                         (unsigned)index, value.len, len);
    }
    b->mask |= 1u << index;
    b->values[index] = value;
    return true;
}

bool tpm_cert_add(atls_bytes *certs, size_t *n, atls_bytes der, const char *field, atls_error *err)
{
    if (*n == TPM_MAX_CERTS) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, field, "more than %u certificates", TPM_MAX_CERTS);
    }
    if (der.len == 0 || der.len > ATLS_MAX_CERT_LEN) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, field, "a certificate of %zu bytes; at most %u", der.len,
                         ATLS_MAX_CERT_LEN);
    }
    certs[(*n)++] = der;
    return true;
}

/* ---- what is the same in all forms ---- */

static bool read_quote(tpm_quote *q, size_t i, atls_error *err)
{
    char path[40];
    snprintf(path, sizeof path, "quotes[%zu].raw_sig", i);
    if (!tpm_signature_decode(q->signature, path, &q->sig, err)) {
        return false;
    }
    snprintf(path, sizeof path, "quotes[%zu].quote", i);
    return tpm_attest_decode(q->message, path, &q->attest, err);
}

static uint32_t selected(const tpm_quote *q, uint16_t alg)
{
    for (size_t i = 0; i < q->attest.n_selections; i++) {
        if (q->attest.selections[i].alg == alg) {
            return q->attest.selections[i].mask;
        }
    }
    return 0;
}

/* Upstream verifies one bank and then believes the values of another: here a bank is quoted once, and verified. */
static bool check_banks(const tpm_evidence *e, atls_error *err)
{
    for (size_t i = 0; i < e->n_quotes; i++) {
        for (size_t k = 0; k < e->quotes[i].attest.n_selections; k++) {
            const tpm_selection *s = &e->quotes[i].attest.selections[k];
            for (size_t j = 0; s->mask != 0 && j < i; j++) {
                if (selected(&e->quotes[j], s->alg) != 0) {
                    return atls_fail_values(err, ATLS_E_EVIDENCE_FORMAT, "quotes", "each bank once",
                                            tpm_hash_of(s->alg).name, "two quotes are of one bank");
                }
            }
        }
    }
    return true;
}

static bool read_structures(tpm_evidence *e, atls_arena *a, atls_error *err)
{
    if (!tpm_public_decode(e->ak_pub, "ak_pub", &e->ak, err) || !tpm_key_make(&e->ak, a, &e->key, err)) {
        return false;
    }
    if (e->n_quotes == 0) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "quotes", "there is no quote");
    }
    for (size_t i = 0; i < e->n_quotes; i++) {
        if (!read_quote(&e->quotes[i], i, err)) {
            return false;
        }
    }
    if (e->event_log.len > TPM_MAX_LOG_LEN) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "event_log", "an event log of %zu bytes; at most %zu",
                         e->event_log.len, TPM_MAX_LOG_LEN);
    }
    return check_banks(e, err);
}

static bool read_form(atls_bytes in, atls_arena *a, tpm_evidence *e, atls_error *err)
{
    const uint8_t first = in.len == 0 ? 0 : in.ptr[0];
    if (first == '{' || first == ' ' || first == '\t' || first == '\r') {
        return tpm_json_decode(in, a, e, err);
    }
    /* tags of fields 1 to 7 with a length: a line feed is among them, so JSON does not begin with one here */
    if (first < 0x40 && (first & 0x07) == 2 && first >> 3 >= 1 && first >> 3 <= 7) {
        e->form = TPM_FORM_PROTOBUF;
        return tpm_protobuf_decode(in, a, e, err);
    }
    if (first >= 0xa2 && first <= 0xa5) {
        e->form = TPM_FORM_CBOR;
        return tpm_cbor_decode(in, a, e, err);
    }
    return atls_fail_unsupported(err, ATLS_E_EVIDENCE_FORMAT, "", "JSON, a protobuf message or a CBOR map",
                                 in.len == 0 ? "nothing" : "something else", "not a form of TPM evidence");
}

bool tpm_decode(atls_bytes in, atls_arena *a, tpm_evidence *out, atls_error *err)
{
    const atls_bytes empty = atls_bytes_empty();
    *out = (tpm_evidence){.ak_pub = empty,
                          .event_log = empty,
                          .ak_cert = empty,
                          .instance_info = empty,
                          .user_data = empty,
                          .variant = ""};
    out->hardware = (tpm_hardware){.report = empty, .runtime_data = empty};
    if (in.len > TPM_MAX_EVIDENCE_LEN) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "", "%zu bytes, at most %zu are read", in.len,
                         TPM_MAX_EVIDENCE_LEN);
    }
    return (read_form(in, a, out, err) && read_structures(out, a, err))
           || atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "");
}
