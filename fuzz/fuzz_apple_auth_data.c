/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_apple_auth_data.c: apple_auth_data_decode. What decodes is all of the input, and begins with the members that have fixed
 * places; one byte less is refused. */
#include "apple_seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_bytes in = atls_bytes_of(data, size);
    atls_error err = {0};
    apple_auth_data d;
    apple_auth_data again;
    if (!apple_auth_data_decode(in, &d, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_ENCODING || err.code == ATLS_E_TRUNCATED || err.code == ATLS_E_TRAILING
                    || err.code == ATLS_E_LIMIT);
        FUZZ_ASSERT(strncmp(err.field, "authData", 8) == 0);
        return 0;
    }
    FUZZ_ASSERT(size >= APPLE_AUTH_DATA_LEN && d.rp_id_hash.ptr == data && d.rp_id_hash.len == 32);
    FUZZ_ASSERT(d.flags == data[32] && d.has_credential == ((d.flags & APPLE_FLAG_CREDENTIAL) != 0));
    FUZZ_ASSERT(
        d.sign_count
        == ((uint32_t)data[33] << 24 | (uint32_t)data[34] << 16 | (uint32_t)data[35] << 8 | (uint32_t)data[36]));
    FUZZ_ASSERT(d.has_credential ? d.aaguid.ptr == data + 37 && d.aaguid.len == 16 && d.point[0] == 0x04
                                       && fuzz_apple_within(d.credential_id, in)
                                 : d.aaguid.len == 0);
    FUZZ_ASSERT(!apple_auth_data_decode(atls_bytes_of(data, size - 1), &again, &err));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_apple_seed(index, FUZZ_APPLE_AUTH_DATA, out, cap);
}
