/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_fetch_header.c: atls_answer_header, over the headers of an answer, line by line. What is kept came out of a line; no
 * more is taken than may be. */
#include <string.h>

#include "edge/endorse/download_header.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_arena a;
    atls_error err = {0};
    if (size > FUZZ_MAX_SEED) {
        return 0;
    }
    FUZZ_ASSERT(atls_arena_new(&a, 2 * FUZZ_MAX_SEED, &err));
    atls_answer_headers h = {.max_len = 4096, .arena = &a, .chain = atls_bytes_empty()};
    size_t at = 0;
    bool ok = true;
    while (ok && at < size) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        const size_t n = end == NULL ? size - at : (size_t)(end - data) - at + 1;
        ok = atls_answer_header(&h, atls_bytes_of(data + at, n), &err);
        at += n;
    }
    FUZZ_ASSERT(ok == (err.code == ATLS_OK));
    FUZZ_ASSERT(h.len <= h.max_len);
    FUZZ_ASSERT(h.chain.len <= h.len);
    FUZZ_ASSERT(h.chain.len == 0 || h.has_chain);
    FUZZ_ASSERT(h.max_age_s == 0 || h.has_max_age);
    atls_arena_free(&a);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("HTTP/1.1 200 OK\r\nTCB-Info-Issuer-Chain: -----BEGIN%20CERT\r\nCache-Control: max-age=60\r\n\r\n"),
        FUZZ_TEXT("HTTP/1.1 100 Continue\r\n\r\nHTTP/2 200\r\nsgx-tcb-info-issuer-chain:a\r\n"
                  "SGX-Enclave-Identity-Issuer-Chain: a\r\ncache-control: public, max-age=1 ,no-store\r\n\r\n"),
        FUZZ_TEXT("HTTP/1.1 200\nSGX-PCK-CRL-Issuer-Chain : %0A\ncache-control: max-age=99999999999, max-age = 3"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
