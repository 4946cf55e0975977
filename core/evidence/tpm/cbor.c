/* SPDX-License-Identifier: Apache-2.0 */
/* cbor.c: our own form, "tpm2-quote+cbor", for sessions of atls/1 (docs/protocol.md): deterministic CBOR,
 *
 *   {0: ak_pub, 1: [[message, signature, {bank: {index: value}}], ...], ? 2: event log, ? 3: [key's certificate, others ...],
 *    ? 4: ["sev-snp" / "tdx", report, runtime data, [certificate, ...]]}
 *
 * Keys ascend everywhere, so that none comes twice; there are no others. */
#include <stdio.h>

#include "base/cbor.h"
#include "tpm.h"

#define MAX_KEYS 5u

/* The next key of a map, above the one before. previous is -1 before the first. */
static bool read_key(atls_cur *c, const char *field, uint64_t max, int64_t *previous, uint64_t *out)
{
    if (!atls_cbor_uint(c, field, max, out)) {
        return false;
    }
    if ((int64_t)*out <= *previous) {
        return atls_cur_fail(c, ATLS_E_ENCODING, field, "ascending keys", NULL,
                             "a key is repeated, or out of its order");
    }
    *previous = (int64_t)*out;
    return true;
}

static bool read_bank(atls_cur *c, tpm_quote *q, uint64_t alg, atls_arena *a)
{
    uint64_t n;
    tpm_bank *bank;
    int64_t previous = -1;
    if (!atls_cbor_map(c, "pcrs", TPM_N_PCRS, &n) || !tpm_bank_add(q, a, alg, &bank, c->err)) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        uint64_t index;
        atls_bytes value;
        if (!read_key(c, "pcrs", TPM_N_PCRS - 1, &previous, &index) || !atls_cbor_bytes(c, "pcrs", &value)
            || !tpm_pcr_add(bank, index, value, c->err)) {
            return false;
        }
    }
    return true;
}

static bool read_banks(atls_cur *c, tpm_quote *q, atls_arena *a)
{
    uint64_t n;
    int64_t previous = -1;
    if (!atls_cbor_map(c, "pcrs", TPM_MAX_QUOTES, &n)) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        uint64_t alg;
        if (!read_key(c, "pcrs.hash", UINT16_MAX, &previous, &alg) || !read_bank(c, q, alg, a)) {
            return false;
        }
    }
    return true;
}

static bool read_members(atls_cur *c, const char *field, uint64_t wanted)
{
    uint64_t n;
    if (!atls_cbor_array(c, field, wanted, &n)) {
        return false;
    }
    return n == wanted || atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "the array has too few elements");
}

static bool read_quote(atls_cur *c, tpm_evidence *e, atls_arena *a)
{
    tpm_quote *q;
    return tpm_quote_add(e, a, &q, c->err) && read_members(c, "", 3) && atls_cbor_bytes(c, "quote", &q->message)
           && atls_cbor_bytes(c, "raw_sig", &q->signature) && read_banks(c, q, a);
}

static bool read_quotes(atls_cur *c, tpm_evidence *e, atls_arena *a)
{
    uint64_t n;
    char path[24];
    if (!atls_cbor_array(c, "quotes", TPM_MAX_QUOTES, &n)) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "quotes[%u]", (unsigned)i);
        c->prefix = path;
        const bool ok = read_quote(c, e, a);
        c->prefix = "";
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool read_certs(atls_cur *c, const char *field, atls_bytes *first, atls_bytes *certs, size_t *n_certs)
{
    uint64_t n;
    if (!atls_cbor_array(c, field, TPM_MAX_CERTS + (first == NULL ? 0 : 1), &n)) {
        return false;
    }
    if (first != NULL && (n == 0 || !atls_cbor_bytes(c, field, first) || first->len == 0)) {
        return atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "there is no certificate in it");
    }
    for (uint64_t i = first == NULL ? 0 : 1; i < n; i++) {
        atls_bytes der;
        if (!atls_cbor_bytes(c, field, &der) || !tpm_cert_add(certs, n_certs, der, field, c->err)) {
            return false;
        }
    }
    return true;
}

static bool read_hardware(atls_cur *c, tpm_hardware *out)
{
    atls_bytes kind;
    if (!read_members(c, "hardware", 4) || !atls_cbor_text(c, "hardware.kind", &kind)) {
        return false;
    }
    out->platform = atls_bytes_equal_str(kind, "sev-snp") ? ATLS_PLATFORM_SEV_SNP
                    : atls_bytes_equal_str(kind, "tdx")   ? ATLS_PLATFORM_TDX
                                                          : ATLS_PLATFORM_NONE;
    if (out->platform == ATLS_PLATFORM_NONE) {
        return atls_fail_unsupported(c->err, ATLS_E_EVIDENCE_FORMAT, "hardware.kind", "sev-snp or tdx",
                                     "something else", "hardware evidence of this kind is not supported");
    }
    out->names_key = true;
    return atls_cbor_bytes(c, "hardware.report", &out->report)
           && atls_cbor_bytes(c, "hardware.runtime_data", &out->runtime_data)
           && read_certs(c, "hardware.certificates", NULL, out->certs, &out->n_certs);
}

static bool read_member(atls_cur *c, uint64_t key, tpm_evidence *e, atls_arena *a)
{
    switch (key) {
    case 0:
        return atls_cbor_bytes(c, "ak_pub", &e->ak_pub);
    case 1:
        return read_quotes(c, e, a);
    case 2:
        return atls_cbor_bytes(c, "event_log", &e->event_log);
    case 3:
        return read_certs(c, "certificates", &e->ak_cert, e->certs, &e->n_certs);
    default:
        return read_hardware(c, &e->hardware);
    }
}

bool tpm_cbor_decode(atls_bytes in, atls_arena *a, tpm_evidence *out, atls_error *err)
{
    atls_cur c;
    uint64_t n;
    int64_t previous = -1;
    atls_cur_init(&c, in, "", err);
    if (!atls_cbor_map(&c, "", MAX_KEYS, &n)) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        uint64_t key;
        if (!read_key(&c, "key", MAX_KEYS - 1, &previous, &key) || !read_member(&c, key, out, a)) {
            return false;
        }
    }
    return atls_cur_end(&c);
}
