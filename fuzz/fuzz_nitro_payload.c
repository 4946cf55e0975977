/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_nitro_payload.c: nitro_payload_decode. What decodes is complete and of one kind, and nothing of it is taken from
 * outside; every byte belongs to it. */
#include "nitro_seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_bytes in = atls_bytes_of(data, size);
    atls_error err = {0};
    nitro_document d = {0};
    nitro_document again = {0};
    if (!nitro_payload_decode(in, &d, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_ENCODING || err.code == ATLS_E_TRUNCATED || err.code == ATLS_E_TRAILING
                    || err.code == ATLS_E_LIMIT);
        FUZZ_ASSERT(strncmp(err.field, "payload", 7) == 0);
        return 0;
    }
    FUZZ_ASSERT(d.module_id.len > 0 && d.digest.len > 0 && d.pcrs != 0 && d.n_cabundle > 0);
    FUZZ_ASSERT(d.user_data.value.len <= NITRO_MAX_DATA_LEN && d.nonce.value.len <= NITRO_MAX_DATA_LEN);
    FUZZ_ASSERT(fuzz_nitro_within(d.certificate, in) && fuzz_nitro_within(d.cabundle[d.n_cabundle - 1], in));
    FUZZ_ASSERT(!d.nonce.present || d.nonce.value.len == 0 || fuzz_nitro_within(d.nonce.value, in));
    err = (atls_error){0};
    FUZZ_ASSERT(!nitro_payload_decode(atls_bytes_of(data, size - 1), &again, &err));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_nitro_seed(index, true, out, cap);
}
