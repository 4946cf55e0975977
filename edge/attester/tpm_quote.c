/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_quote.c: PCR values and a quote that covers exactly them. Other programs extend PCRs while we read: the TPM counts
 * that, and the quote's digest says whether the values are those that were quoted. */
#include <stdio.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "pki/signature.h"
#include "system.h"
#include "tpm.h"

#define MAX_TRIES 5u
#define PAUSE_MS  10u

typedef enum outcome { FAILED = 0, MOVED, DONE } outcome;

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static TPML_PCR_SELECTION selection_of(uint16_t bank, uint32_t pcrs)
{
    TPML_PCR_SELECTION s = {.count = 1};
    s.pcrSelections[0].hash = bank;
    s.pcrSelections[0].sizeofSelect = 3;
    for (size_t i = 0; i < 3; i++) {
        s.pcrSelections[0].pcrSelect[i] = (BYTE)(pcrs >> (8 * i));
    }
    return s;
}

static uint32_t pcrs_of(const TPML_PCR_SELECTION *s, uint16_t bank)
{
    uint32_t pcrs = 0;
    if (s->count != 1 || s->pcrSelections[0].hash != bank) {
        return 0;
    }
    for (size_t i = 0; i < 3 && i < s->pcrSelections[0].sizeofSelect; i++) {
        pcrs |= (uint32_t)s->pcrSelections[0].pcrSelect[i] << (8 * i);
    }
    return pcrs;
}

/* Digests come in the order of their PCRs. Gives those that are still to be read. */
static bool keep_values(const atls_tpm *t, uint32_t pcrs, const TPML_DIGEST *digests, atls_tpm_quote *out)
{
    size_t n = 0;
    for (size_t i = 0; i < ATLS_TPM_N_PCRS; i++) {
        if ((pcrs >> i & 1u) == 0) {
            continue;
        }
        if (n == digests->count) {
            return atls_fail(t->err, ATLS_E_IO, "attester.tpm.pcrs", "the TPM gave fewer values than PCRs");
        }
        const TPM2B_DIGEST *d = &digests->digests[n++];
        if (!atls_arena_copy(t->arena, atls_bytes_of(d->buffer, d->size), &out->values[i], t->err)) {
            return false;
        }
    }
    return n == digests->count
           || atls_fail(t->err, ATLS_E_IO, "attester.tpm.pcrs", "the TPM gave more values than PCRs");
}

/* One call gives 8 values at most. */
static bool read_some(const atls_tpm *t, uint16_t bank, uint32_t *left, uint32_t *counter, atls_tpm_quote *out)
{
    const TPML_PCR_SELECTION wanted = selection_of(bank, *left);
    TPML_PCR_SELECTION *got = NULL;
    TPML_DIGEST *digests = NULL;
    const TSS2_RC rc =
        Esys_PCR_Read(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted, counter, &got, &digests);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, "reading PCRs", rc);
    }
    const uint32_t pcrs = pcrs_of(got, bank);
    bool ok = pcrs != 0 && (pcrs & ~*left) == 0;
    if (!ok) {
        (void)atls_fail(t->err, ATLS_E_CONFIGURATION, "attester.tpm.pcrs",
                        "this TPM has no bank 0x%04x with PCR mask 0x%06x", (unsigned)bank, (unsigned)*left);
    }
    ok = ok && keep_values(t, pcrs, digests, out);
    *left &= ~pcrs;
    Esys_Free(got);
    Esys_Free(digests);
    return ok;
}

static outcome read_all(const atls_tpm *t, const atls_tpm_bank *bank, atls_tpm_quote *out)
{
    uint32_t left = bank->pcrs, first = 0;
    for (bool begun = false; left != 0; begun = true) {
        uint32_t counter = 0;
        if (!read_some(t, bank->algorithm, &left, &counter, out)) {
            return FAILED;
        }
        if (begun && counter != first) {
            return MOVED;
        }
        first = counter;
    }
    return DONE;
}

/* ---- quoting ------------------------------------------------------------------------------------------------------ */

static atls_hash hash_of(const TPMT_SIGNATURE *s)
{
    const uint16_t alg = s->sigAlg == TPM2_ALG_RSASSA   ? s->signature.rsassa.hash
                         : s->sigAlg == TPM2_ALG_RSAPSS ? s->signature.rsapss.hash
                         : s->sigAlg == TPM2_ALG_ECDSA  ? s->signature.ecdsa.hash
                                                        : TPM2_ALG_NULL;
    switch (alg) {
    case TPM2_ALG_SHA256:
        return ATLS_SHA256;
    case TPM2_ALG_SHA384:
        return ATLS_SHA384;
    case TPM2_ALG_SHA512:
        return ATLS_SHA512;
    default:
        return (atls_hash)0;
    }
}

/* The digest is of the signature's hash, not of the bank's (tpm.md section 1). */
static bool digest_values(const atls_tpm *t, const atls_tpm_quote *q, atls_hash hash, uint8_t out[64])
{
    atls_bytes values[ATLS_TPM_N_PCRS];
    atls_crypto *crypto = NULL;
    size_t n = 0;
    for (size_t i = 0; i < ATLS_TPM_N_PCRS; i++) {
        if ((q->pcrs >> i & 1u) != 0) {
            values[n++] = q->values[i];
        }
    }
    if (!atls_crypto_new(&crypto, t->err)) {
        return false;
    }
    const bool ok = atls_digest(crypto, hash, values, n, out, t->err);
    atls_crypto_free(crypto);
    return ok;
}

static outcome compare(const atls_tpm *t, const atls_tpm_quote *q, const TPMT_SIGNATURE *signature,
                       const uint8_t data[32])
{
    TPMS_ATTEST attest = {0};
    uint8_t digest[64];
    size_t at = 0;
    const atls_hash hash = hash_of(signature);
    if (hash == 0) {
        (void)atls_fail_unsupported(t->err, ATLS_E_UNSUPPORTED, "attester.tpm.key", "SHA-256, SHA-384 or SHA-512", NULL,
                                    "the key signs with a scheme or hash that no verifier accepts");
        return FAILED;
    }
    const TSS2_RC rc = Tss2_MU_TPMS_ATTEST_Unmarshal(q->message.ptr, q->message.len, &at, &attest);
    if (rc != TSS2_RC_SUCCESS || at != q->message.len || attest.type != TPM2_ST_ATTEST_QUOTE) {
        (void)atls_fail(t->err, ATLS_E_QUOTE, "attester.tpm.quote", "what the TPM signed is no quote");
        return FAILED;
    }
    const atls_bytes extra = atls_bytes_of(attest.extraData.buffer, attest.extraData.size);
    if (!atls_bytes_equal(extra, atls_bytes_of(data, 32))) {
        (void)atls_fail_bytes(t->err, ATLS_E_QUOTE, "attester.tpm.quote.extraData", atls_bytes_of(data, 32), extra,
                              "what was made is not over the report data that was asked for");
        return FAILED;
    }
    if (!digest_values(t, q, hash, digest)) {
        return FAILED;
    }
    const TPM2B_DIGEST *quoted = &attest.attested.quote.pcrDigest;
    return atls_bytes_equal(atls_bytes_of(quoted->buffer, quoted->size), atls_bytes_of(digest, atls_hash_len(hash)))
               ? DONE
               : MOVED;
}

static bool keep_quote(const atls_tpm *t, const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *signature,
                       atls_tpm_quote *out)
{
    uint8_t bytes[sizeof(TPMT_SIGNATURE)];
    size_t n = 0;
    const TSS2_RC rc = Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof bytes, &n);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, "signature of the quote", rc);
    }
    return atls_arena_copy(t->arena, atls_bytes_of(bytes, n), &out->signature, t->err)
           && atls_arena_copy(t->arena, atls_bytes_of(attest->attestationData, attest->size), &out->message, t->err);
}

static outcome quote(const atls_tpm *t, const atls_tpm_signer *s, const uint8_t data[32], atls_tpm_quote *out)
{
    const TPML_PCR_SELECTION pcrs = selection_of(out->bank, out->pcrs);
    TPMT_SIG_SCHEME scheme = {0};
    TPM2B_DATA qualifying = {.size = 32};
    TPM2B_ATTEST *attest = NULL;
    TPMT_SIGNATURE *signature = NULL;
    memcpy(qualifying.buffer, data, 32);
    scheme.scheme = TPM2_ALG_NULL; /* the key's own */
    const TSS2_RC rc = Esys_Quote(t->esys, s->handle, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &qualifying,
                                  &scheme, &pcrs, &attest, &signature);
    if (rc != TSS2_RC_SUCCESS) {
        (void)atls_tpm_fail(t, "quote", rc);
        return FAILED;
    }
    const outcome end = keep_quote(t, attest, signature, out) ? compare(t, out, signature, data) : FAILED;
    Esys_Free(attest);
    Esys_Free(signature);
    return end;
}

bool atls_tpm_quote_bank(const atls_tpm *t, const atls_tpm_signer *s, const atls_tpm_bank *bank, const uint8_t data[32],
                         atls_tpm_quote *out)
{
    for (unsigned n = 0; n < MAX_TRIES; n++) {
        *out = (atls_tpm_quote){.bank = bank->algorithm, .pcrs = bank->pcrs};
        outcome end = read_all(t, bank, out);
        end = end == DONE ? quote(t, s, data, out) : end;
        if (end != MOVED) {
            return end == DONE;
        }
        atls_pause_ms(PAUSE_MS);
    }
    return atls_fail(t->err, ATLS_E_IO, "attester.tpm.pcrs", "PCRs kept changing while they were read and quoted");
}
