/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tpm_structures.c: TPMS_ATTEST, TPMT_SIGNATURE and TPMT_PUBLIC by themselves, and what is made of a key. Slices stay within
 * the input, and nothing that is accepted has bytes to spare. */
#include <string.h>

#include "evidence/tpm/tpm.h"
#include "fuzz.h"
#include "sim/sim_tpm.h"

static bool is_within(atls_bytes whole, atls_bytes part)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[1024 * 1024];
    const atls_bytes in = atls_bytes_of(data, size);
    atls_arena a;
    atls_error err = {0};
    tpm_attest attest;
    tpm_signature signature;
    tpm_public public;
    tpm_key key;
    atls_arena_init(&a, block, sizeof block);
    if (tpm_attest_decode(in, "x", &attest, &err)) {
        FUZZ_ASSERT(is_within(in, attest.extra_data) && attest.extra_data.len <= 64);
        FUZZ_ASSERT(is_within(in, attest.pcr_digest) && is_within(in, attest.qualified_signer));
        FUZZ_ASSERT(attest.n_selections <= TPM_MAX_QUOTES);
        atls_error_clear(&err);
        FUZZ_ASSERT(!tpm_attest_decode(atls_bytes_of(data, size - 1), "x", &attest, &err));
    }
    FUZZ_ASSERT(err.code == ATLS_OK || err.code == ATLS_E_EVIDENCE_FORMAT);
    atls_error_clear(&err);
    if (tpm_signature_decode(in, "x", &signature, &err)) {
        FUZZ_ASSERT(is_within(in, signature.rsa) && is_within(in, signature.r) && is_within(in, signature.s));
    }
    FUZZ_ASSERT(err.code == ATLS_OK || err.code == ATLS_E_EVIDENCE_FORMAT);
    atls_error_clear(&err);
    if (tpm_public_decode(in, "x", &public, &err) && tpm_key_make(&public, &a, &key, &err)) {
        FUZZ_ASSERT(key.key.point.len > 0 && key.spki.len > key.key.point.len && key.key.kind != ATLS_KEY_UNKNOWN);
    }
    FUZZ_ASSERT(err.code == ATLS_OK || err.code == ATLS_E_EVIDENCE_FORMAT);
    return 0;
}

/* Out of two machines: the key, and the message and signature of their quotes. */
size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const char *const settings[2][3] = {{"quotes=sha256", NULL}, {"quotes=sha256", "ak.type=p384", NULL}};
    static const uint8_t value[32] = {1};
    sim_tpm *machine;
    atls_arena a;
    atls_error err = {0};
    atls_bytes text;
    tpm_evidence e;
    if (index >= 6) {
        return 0;
    }
    const sim_tpm_options options = {.settings = settings[index / 3]};
    FUZZ_ASSERT(sim_tpm_new(&options, &machine, &err) && atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &err));
    FUZZ_ASSERT(sim_tpm_document(machine, SIM_TPM_CBOR, atls_bytes_of(value, sizeof value), &a, &text, &err)
                && tpm_decode(text, &a, &e, &err));
    const atls_bytes parts[] = {e.ak_pub, e.quotes[0].message, e.quotes[0].signature};
    const atls_bytes part = parts[index % 3];
    FUZZ_ASSERT(part.len <= cap);
    memcpy(out, part.ptr, part.len);
    const size_t n = part.len;
    atls_arena_free(&a);
    sim_tpm_free(machine);
    return n;
}
