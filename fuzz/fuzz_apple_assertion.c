/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_apple_assertion.c: apple_assertion_decode. What decodes has 37 bytes of data inside the input; one byte less or more is
 * refused. */
#include "apple_seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t longer[APPLE_MAX_OBJECT_LEN + 1];
    const atls_bytes in = atls_bytes_of(data, size);
    atls_error err = {0};
    apple_assertion d;
    apple_assertion again;
    if (!apple_assertion_decode(in, &d, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_APPLE_ASSERTION && strncmp(err.field, "assertion", 9) == 0);
        return 0;
    }
    FUZZ_ASSERT(d.auth_data.len == APPLE_AUTH_DATA_LEN && d.rp_id_hash.ptr == d.auth_data.ptr
                && d.rp_id_hash.len == 32);
    FUZZ_ASSERT(fuzz_apple_within(d.auth_data, in) && fuzz_apple_within(d.signature, in));
    FUZZ_ASSERT(!apple_assertion_decode(atls_bytes_of(data, size - 1), &again, &err));
    memcpy(longer, data, size);
    longer[size] = 0;
    err = (atls_error){0};
    FUZZ_ASSERT(!apple_assertion_decode(atls_bytes_of(longer, size + 1), &again, &err));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    atls_arena a;
    atls_bytes assertion;
    atls_error err = {0};
    if (index > 0) {
        return 0;
    }
    sim_apple *s = fuzz_apple_room(0);
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)256 * 1024, &err));
    FUZZ_ASSERT(sim_apple_assertion(s, atls_bytes_str(fuzz_apple_client_data), 1, &a, &assertion, &err));
    const size_t n = fuzz_apple_copy(assertion, out, cap);
    atls_arena_free(&a);
    sim_apple_free(s);
    return n;
}
