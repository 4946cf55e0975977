/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_attested_extension.c: atls_enrolled_extension_read. What is read is written to the same bytes; what is not leaves nothing. */
#include "atls/enrolled.h"

#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t block[8192];
    atls_arena a;
    atls_enrolled e;
    atls_bytes out;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    if (!atls_enrolled_extension_read(atls_bytes_of(data, size), &e, &err)) {
        FUZZ_ASSERT(strncmp(err.field, "attested_key", 12) == 0 && e.app.len == 0 && e.platform == ATLS_PLATFORM_NONE);
        return 0;
    }
    FUZZ_ASSERT(e.app.len > 0 && e.app.len <= ATLS_ENROLLED_MAX_APP_LEN && size <= ATLS_ENROLLED_MAX_LEN);
    FUZZ_ASSERT(atls_enrolled_extension_write(&e, &a, &out, &err));
    FUZZ_ASSERT(out.len == size && memcmp(out.ptr, data, size) == 0);
    return 0;
}

#define DIGEST "\x04\x20@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"
size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("\x30\x30\x02\x01\x01\x0a\x01\x01\x0c\x03o.a\x0a\x01\x02" DIGEST),
        FUZZ_TEXT("\x30\x30\x02\x01\x01\x0a\x01\x02\x0c\x03o.a\x0a\x01\x03" DIGEST),
        FUZZ_TEXT("\x30\x31\x02\x01\x01\x0a\x01\x01\x0c\x04o.\xc3\xa4\x0a\x01\x00" DIGEST),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
