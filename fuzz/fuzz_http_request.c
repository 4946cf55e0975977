/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http_request.c: atls_http_request, atls_http_feed, atls_http_header_read, over what a client may send first. */
#include "http_property.h"

static bool start(atls_http *h, atls_arena *arena, atls_error *err)
{
    return atls_http_request(h, "/tdx_quote", arena, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= FUZZ_MAX_SEED) {
        http_check(start, data, size);
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT(
            "POST /tdx_quote HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"),
        FUZZ_TEXT("POST /tdx_quote HTTP/1.1\r\nHost: a\r\nContent-Type: application/json; charset=utf-8\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
        FUZZ_TEXT("GET /index.html HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: h2c\r\n\r\n"),
        FUZZ_TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
