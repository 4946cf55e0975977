/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_apple_attestation.c: apple_attestation_decode. What decodes lies inside the input; it is refused with one byte less and with
 * one byte more. */
#include "apple_seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t longer[APPLE_MAX_OBJECT_LEN + 1];
    static uint8_t room[1024 * 1024];
    const atls_bytes in = atls_bytes_of(data, size);
    atls_arena a;
    atls_error err = {0};
    apple_attestation d;
    atls_arena_init(&a, room, sizeof room);
    if (!apple_attestation_decode(in, &a, &d, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_EVIDENCE_FORMAT && strncmp(err.field, "attestation", 11) == 0);
        return 0;
    }
    FUZZ_ASSERT(fuzz_apple_within(d.x5c[0], in) && fuzz_apple_within(d.x5c[1], in)
                && fuzz_apple_within(d.receipt_der, in) && fuzz_apple_within(d.auth_data_raw, in));
    FUZZ_ASSERT(d.has_auth_data == (d.auth_data_error.code == ATLS_OK)
                && d.has_receipt == (d.receipt_error.code == ATLS_OK));
    FUZZ_ASSERT(d.has_receipt || d.receipt_error.code == ATLS_E_APPLE_RECEIPT);
    atls_arena_reset(&a);
    FUZZ_ASSERT(!apple_attestation_decode(atls_bytes_of(data, size - 1), &a, &d, &err));
    memcpy(longer, data, size);
    longer[size] = 0;
    err = (atls_error){0};
    FUZZ_ASSERT(!apple_attestation_decode(atls_bytes_of(longer, size + 1), &a, &d, &err));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_apple_seed(index, FUZZ_APPLE_OBJECT, out, cap);
}
