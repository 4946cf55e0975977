/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cbor.c: atls_cbor_head and atls_cbor_skip. What is read is written again, by the few lines of a deterministic
 * encoder, to the bytes that were read: nothing has two spellings. What passes in order passes without asking for it.
 */
#include "base/cbor.h"

#include "fuzz.h"

#include <string.h>

/* The only head that RFC 8949 4.2.1 allows for a type and a number. */
static size_t encode_head(unsigned major, uint64_t n, uint8_t *out)
{
    unsigned size = n < 24 ? 0 : n <= 0xff ? 1 : n <= 0xffff ? 2 : n <= 0xffffffff ? 4 : 8;
    unsigned info = size == 0 ? (unsigned)n : size == 1 ? 24 : size == 2 ? 25 : size == 4 ? 26 : 27;
    out[0] = (uint8_t)(major << 5 | info);
    for (unsigned i = 0; i < size; i++) {
        out[1 + i] = (uint8_t)(n >> (8 * (size - 1 - i)));
    }
    return 1 + size;
}

/* Reads heads one after another, whatever they mean together. */
static void walk(atls_bytes in)
{
    atls_error err = {0};
    atls_cur c;
    atls_cbor_item item;
    atls_cur_init(&c, in, "", &err);
    atls_bytes before = c.rest;
    for (; before.len > 0 && atls_cbor_head(&c, "f", &item); before = c.rest) {
        size_t taken = before.len - c.rest.len;
        uint8_t head[9];
        FUZZ_ASSERT(taken > 0 && (item.type != ATLS_CBOR_TEXT || item.bytes.len < taken));
        if (item.type <= ATLS_CBOR_TAG) {
            bool string = item.type == ATLS_CBOR_BYTES || item.type == ATLS_CBOR_TEXT;
            size_t n = encode_head((unsigned)item.type, string ? item.bytes.len : item.n, head);
            FUZZ_ASSERT(n + item.bytes.len == taken && memcmp(head, before.ptr, n) == 0);
        }
    }
    FUZZ_ASSERT(c.rest.ptr == before.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_bytes in = atls_bytes_of(data, size);
    atls_error err = {0};
    atls_error ordered_err = {0};
    atls_cur c;
    atls_cur ordered;
    atls_bytes whole;
    walk(in);
    atls_cur_init(&c, in, "", &err);
    atls_cur_init(&ordered, in, "", &ordered_err);
    bool ok = atls_cbor_skip(&c, "f", false, &whole);
    FUZZ_ASSERT(ok == (err.code == ATLS_OK) && (ok ? whole.len == atls_cur_offset(&c) : c.rest.len == size));
    FUZZ_ASSERT(!atls_cbor_skip(&ordered, "f", true, NULL) || (ok && ordered.rest.len == c.rest.len));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("\x83\x01\x82\x02\x03\x82\x04\x05"),
        FUZZ_TEXT("\xa4\x0a\x20\x18\x64\x43\x01\x02\x03\x61\x7a\x62\xc3\xa9\x62\x61\x61\xa1\xf4\xf6"),
        FUZZ_TEXT("\xd2\x84\x44\xa1\x01\x38\x22\xa0\x48payload!\x44sign"), /* the shape of COSE_Sign1 */
        FUZZ_TEXT("\x86\xf9\x3e\x00\xfa\x47\xc3\x50\x00\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a\xf5\xf7\x1b\x7f\xff\xff\xff"
                  "\xff\xff\xff\xff"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
