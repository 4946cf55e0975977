/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http_response.c: atls_http_response, atls_http_feed, atls_http_header_read, over what a server may answer. */
#include "http_property.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= FUZZ_MAX_SEED) {
        http_check(atls_http_response, data, size);
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1"),
        FUZZ_TEXT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nA:\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n0a\r\n{\"a\":\"bcd\"\r\n1\r\n}\r\n0\r\n\r\n"),
        FUZZ_TEXT("HTTP/1.1 302 Found\r\nLocation: https://b/\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"),
        FUZZ_TEXT("HTTP/1.1 200\r\nContent-Encoding: identity\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
