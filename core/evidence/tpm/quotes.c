/* SPDX-License-Identifier: Apache-2.0 */
/* quotes.c: every quote, and what may be claimed once all of them verified (step 4; sections 1 and 2). */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proof.h"

/* ---- 4: quotes ---- */

static const char *quote_field(tpm_proof *p, size_t i, const char *member)
{
    return atls_text_format(p->arena, p->err, "quotes[%zu].%s", i, member);
}

/* The scheme stands in the key where it is restricted; a TPM signs in no other. */
static bool check_scheme(tpm_proof *p, const tpm_quote *q, const char *field)
{
    const tpm_public *ak = &p->e->ak;
    if (q->sig.scheme == TPM_ALG_RSAPSS && !p->policy->tpm.allow_rsapss) {
        return atls_fail_unsupported(p->err, ATLS_E_EVIDENCE_SIGNATURE, field, "RSASSA or ECDSA", "RSAPSS",
                                     "signatures by RSAPSS are accepted only where the policy says allow_rsapss");
    }
    return ak->scheme == TPM_ALG_NULL || (ak->scheme == q->sig.scheme && ak->scheme_hash == q->sig.hash)
           || atls_fail(p->err, ATLS_E_EVIDENCE_SIGNATURE, field, "the key does not sign with this scheme and hash");
}

const tpm_bank *tpm_find_bank(const tpm_quote *q, uint16_t alg)
{
    for (size_t i = 0; i < q->n_banks; i++) {
        if (q->banks[i].alg == alg) {
            return &q->banks[i];
        }
    }
    return NULL;
}

/* The values that were given are exactly those that were selected. */
static bool check_selection(const tpm_quote *q, const char *field, atls_error *err)
{
    size_t n_matched = 0;
    for (size_t i = 0; i < q->attest.n_selections; i++) {
        const tpm_selection *s = &q->attest.selections[i];
        const tpm_bank *b = tpm_find_bank(q, s->alg);
        if ((b == NULL ? 0 : b->mask) != s->mask) {
            char expected[16];
            char actual[16];
            snprintf(expected, sizeof expected, "%06x", s->mask & 0xffffffu);
            snprintf(actual, sizeof actual, "%06x", b == NULL ? 0 : b->mask & 0xffffffu);
            return atls_fail_values(err, ATLS_E_PCR_DIGEST, field, expected, actual,
                                    "the PCRs that are given are not those that were quoted (bank %s)",
                                    tpm_hash_of(s->alg).name);
        }
        n_matched += b == NULL ? 0 : 1;
    }
    for (size_t i = 0; i < q->n_banks; i++) {
        n_matched += q->banks[i].mask == 0 ? 1 : 0;
    }
    return n_matched >= q->n_banks
           || atls_fail(err, ATLS_E_PCR_DIGEST, field, "PCRs of a bank are given that was not quoted");
}

/* The digest is made with the hash of the signature, whatever the bank (section 1). */
static bool check_digest(tpm_proof *p, const tpm_quote *q, const char *field)
{
    atls_bytes parts[TPM_MAX_QUOTES * TPM_N_PCRS];
    size_t n = 0;
    uint8_t digest[64];
    const tpm_hash h = tpm_hash_of(q->sig.hash);
    if (!check_selection(q, field, p->err)) {
        return false;
    }
    for (size_t i = 0; i < q->attest.n_selections; i++) {
        const tpm_bank *b = tpm_find_bank(q, q->attest.selections[i].alg);
        for (size_t k = 0; b != NULL && k < TPM_N_PCRS; k++) {
            if ((b->mask >> k & 1u) != 0) {
                parts[n++] = b->values[k];
            }
        }
    }
    if (!atls_digest(p->auth->crypto, h.hash, parts, n, digest, p->err)) {
        return false;
    }
    return atls_bytes_equal(atls_bytes_of(digest, h.len), q->attest.pcr_digest)
           || atls_fail_bytes(p->err, ATLS_E_PCR_DIGEST, field, q->attest.pcr_digest, atls_bytes_of(digest, h.len),
                              "the PCR values are not those that were quoted");
}

/* One value for all: the policy looks at one bank, the binding at one extraData, and they must belong together. */
static bool check_extra_data(tpm_proof *p, const tpm_quote *q, const char *field)
{
    const atls_bytes first = p->e->quotes[0].attest.extra_data;
    if (q->attest.extra_data.len == 0) {
        return atls_fail(p->err, ATLS_E_REPORT_DATA_MISMATCH, field,
                         "the quote was made for nobody: its qualifying data is empty");
    }
    return atls_bytes_equal(first, q->attest.extra_data)
           || atls_fail_bytes(p->err, ATLS_E_REPORT_DATA_MISMATCH, field, first, q->attest.extra_data,
                              "the quotes were made for different values");
}

static bool check_quote(tpm_proof *p, size_t i)
{
    const tpm_quote *q = &p->e->quotes[i];
    const char *signature = quote_field(p, i, "raw_sig");
    const char *pcrs = quote_field(p, i, "pcrs");
    const char *extra = quote_field(p, i, "extra_data");
    if (signature == NULL || pcrs == NULL || extra == NULL) {
        return false;
    }
    const bool verified = check_scheme(p, q, signature)
                          && tpm_quote_verify(p->auth->crypto, &p->e->key, &q->sig, q->message, signature, p->err);
    return tpm_step(p, verified, "tpm.quote_signature", signature)
           && tpm_step(p, check_extra_data(p, q, extra), "tpm.extra_data", extra)
           && tpm_step(p, check_digest(p, q, pcrs), "tpm.pcr_digest", pcrs);
}

static bool check_each(tpm_proof *p)
{
    for (size_t i = 0; i < p->e->n_quotes; i++) {
        if (!check_quote(p, i)) {
            return false;
        }
    }
    return true;
}

/* ---- claims of the quotes ---- */

static void take_clock(tpm_proof *p, const tpm_attest *a)
{
    p->out->qualified_signer = a->qualified_signer;
    p->out->clock_ms = a->clock_ms;
    p->out->reset_count = a->reset_count;
    p->out->restart_count = a->restart_count;
    p->out->firmware_version = a->firmware_version;
    p->out->clock_is_safe = a->safe;
}

static void take_bank(tpm_proof *p, const tpm_quote *q, const tpm_bank *b)
{
    take_clock(p, &q->attest);
    p->out->has_bank = true;
    p->out->pcr_mask = b->mask;
    for (size_t i = 0; i < TPM_N_PCRS; i++) {
        p->out->pcr[i] = (b->mask >> i & 1u) != 0 ? b->values[i] : atls_bytes_empty();
    }
}

static void take_quotes(tpm_proof *p)
{
    const uint16_t wanted = tpm_policy_bank(p->policy);
    const atls_bytes extra = p->e->quotes[0].attest.extra_data;
    p->out->bank = tpm_hash_of(wanted).name;
    p->out->pcr_len = tpm_hash_of(wanted).len;
    take_clock(p, &p->e->quotes[0].attest);
    for (size_t i = 0; i < p->e->n_quotes; i++) {
        const tpm_quote *q = &p->e->quotes[i];
        for (size_t k = 0; k < q->n_banks; k++) {
            if (q->banks[k].mask == 0) {
                continue;
            }
            if (p->out->n_banks < ATLS_TPM_MAX_QUOTES) {
                p->out->banks[p->out->n_banks++] = tpm_hash_of(q->banks[k].alg).name;
            }
            if (q->banks[k].alg == wanted) {
                take_bank(p, q, &q->banks[k]);
            }
        }
    }
    p->claims->report_data_len = extra.len;
    memcpy(p->claims->report_data, extra.ptr, extra.len);
}

bool tpm_check_quotes(tpm_proof *p)
{
    if (!check_each(p)) {
        return false;
    }
    take_quotes(p);
    return true;
}
