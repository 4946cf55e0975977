/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_nitro_document.c: nitro_document_decode and nitro_signed_bytes. What decodes lies inside the input; it is refused with
 * one byte less and with one byte more; and the bytes that are signed hold header and payload as they were received. */
#include "nitro_seed.h"

static void check_parts(const nitro_document *d, atls_bytes in)
{
    const atls_bytes parts[] = {d->protected_header, d->payload,          d->signature,       d->module_id,  d->digest,
                                d->certificate,      d->public_key.value, d->user_data.value, d->nonce.value};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        FUZZ_ASSERT(parts[i].ptr != NULL && (parts[i].len == 0 || fuzz_nitro_within(parts[i], in)));
    }
    FUZZ_ASSERT(d->signature.len == 96 && d->n_cabundle >= 1 && d->n_cabundle <= NITRO_MAX_CABUNDLE);
    FUZZ_ASSERT(d->pcrs != 0 && d->timestamp_ms > 0 && d->certificate.len <= NITRO_MAX_CERT_LEN);
    for (size_t i = 0; i < ATLS_NITRO_PCRS; i++) {
        FUZZ_ASSERT(d->pcr[i].len == ((d->pcrs >> i & 1u) != 0 ? 48u : 0u));
    }
}

static void check_signed(const nitro_document *d, size_t size)
{
    static uint8_t room[4 * NITRO_MAX_DOCUMENT_LEN];
    atls_arena a;
    atls_bytes whole;
    atls_error err = {0};
    atls_arena_init(&a, room, sizeof room);
    FUZZ_ASSERT(nitro_signed_bytes(d, &a, &whole, &err));
    FUZZ_ASSERT(whole.len > d->payload.len + d->protected_header.len + 13 && whole.len < size + 32);
    FUZZ_ASSERT(memcmp(whole.ptr, "\x84\x6aSignature1", 12) == 0);
    FUZZ_ASSERT(memcmp(whole.ptr + whole.len - d->payload.len, d->payload.ptr, d->payload.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t longer[NITRO_MAX_DOCUMENT_LEN + 1];
    const atls_bytes in = atls_bytes_of(data, size);
    atls_error err = {0};
    nitro_document d;
    nitro_document again;
    if (!nitro_document_decode(in, &d, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_EVIDENCE_FORMAT && strncmp(err.field, "document", 8) == 0);
        return 0;
    }
    check_parts(&d, in);
    check_signed(&d, size);
    FUZZ_ASSERT(!nitro_document_decode(atls_bytes_of(data, size - 1), &again, &err));
    memcpy(longer, data, size);
    longer[size] = 0;
    err = (atls_error){0};
    FUZZ_ASSERT(!nitro_document_decode(atls_bytes_of(longer, size + 1), &again, &err));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_nitro_seed(index, false, out, cap);
}
