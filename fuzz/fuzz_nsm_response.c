/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_nsm_response.c: atls_nsm_response. A document lies inside the response, and every byte of a response belongs to it. */
#include <string.h>

#include "edge/attester/nsm.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_error err = {0};
    atls_bytes document;
    atls_bytes again;
    if (!atls_nsm_response(atls_bytes_of(data, size), &document, &err)) {
        FUZZ_ASSERT((err.code == ATLS_E_QUOTE || err.code == ATLS_E_IO) && strncmp(err.field, "attester.nsm", 12) == 0);
        return 0;
    }
    FUZZ_ASSERT(document.len > 0 && document.ptr > data && document.ptr + document.len <= data + size);
    FUZZ_ASSERT(!atls_nsm_response(atls_bytes_of(data, size - 1), &again, &err));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("\xa1\x6b"
                  "Attestation\xa1\x68"
                  "document\x44\x84\x40\xa0\x40"),
        FUZZ_TEXT("\xbf\x6b"
                  "Attestation\xbf\x68"
                  "document\x41\x00\xff\xff"),
        FUZZ_TEXT("\xa1\x65"
                  "Error\x6f"
                  "InvalidArgument"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
