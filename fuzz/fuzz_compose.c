/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_compose.c: dstack_compose_canonical. The canonical form is never longer than what it was made of, is JSON, and
 * is its own canonical form. */
#include "evidence/dstack/dstack.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[16 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    atls_bytes once;
    atls_bytes twice;
    atls_arena_init(&a, block, sizeof block);
    if (size > 32 * 1024) {
        return 0;
    }
    if (!dstack_compose_canonical(atls_bytes_of(data, size), &a, &once, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_CONFIGURATION && once.len == 0);
        return 0;
    }
    FUZZ_ASSERT(once.len > 0 && once.len <= size);
    FUZZ_ASSERT(dstack_compose_canonical(once, &a, &twice, &err));
    FUZZ_ASSERT(atls_bytes_equal(once, twice));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT(
            "{\"manifest_version\":2,\"name\":\"x\",\"docker_compose_file\":\"a:\\n  b: \\\"c\\\"\\n\",\"z\":[]}"),
        FUZZ_TEXT("{ \"b\" : { \"z\" : [ true , null , -1 ] } , \"a\" : 18446744073709551615 }"),
        FUZZ_TEXT("[\"\\u0000\\u001f\\b\\f\\n\\r\\t\\/\\\\\\\"\\u00e9\\ud83e\\udd80\",\"\xe4\xbd\xa0\x7f\"]"),
        FUZZ_TEXT("-9223372036854775808"),
        FUZZ_TEXT("[-0,1.0,1e3,18446744073709551616]"),
        FUZZ_TEXT("{\"a\":{},\"\\u0061\":[]}"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
