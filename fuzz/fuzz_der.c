/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_der.c: every reader of der.h on every element, down to the limit. Integers, OIDs and BIT STRINGs that are
 * accepted are written again by OpenSSL to the bytes that were read: nothing has two spellings. */
#include "base/der.h"
#include "base/limits.h"

#include <openssl/asn1.h>

#include <string.h>

#include "fuzz.h"

static void check_same(uint8_t *encoded, int len, atls_bytes whole)
{
    FUZZ_ASSERT(len > 0 && (size_t)len == whole.len && memcmp(encoded, whole.ptr, whole.len) == 0);
    OPENSSL_free(encoded);
}

/* The readers that know a type, each over the same element. */
static void read_typed(atls_bytes whole, const ASN1_ITEM *const items[3])
{
    bool ok[6];
    for (int i = 0; i < 6; i++) {
        atls_error err = {0};
        atls_cur c;
        atls_bytes value;
        uint64_t number = 0;
        uint8_t unused;
        bool flag;
        atls_time t;
        atls_cur_init(&c, whole, "", &err);
        ok[i] = i == 0   ? atls_der_unsigned(&c, "f", &value)
                : i == 1 ? atls_der_oid(&c, "f", &value)
                : i == 2 ? atls_der_bits(&c, "f", &unused, &value)
                : i == 3 ? atls_der_uint(&c, "f", ATLS_DER_INTEGER, 1000, &number)
                : i == 4 ? atls_der_bool(&c, "f", &flag)
                         : atls_der_time(&c, "f", &t);
        FUZZ_ASSERT(ok[i] == (err.code == ATLS_OK) && c.rest.len == (ok[i] ? 0 : whole.len) && number <= 1000);
        if (ok[i] && i < 3) {
            const uint8_t *p = whole.ptr;
            uint8_t *encoded = NULL;
            ASN1_VALUE *read = ASN1_item_d2i(NULL, &p, (long)whole.len, items[i]);
            int len = ASN1_item_i2d(read, &encoded, items[i]);
            check_same(encoded, len, whole);
            ASN1_item_free(read, items[i]);
        }
    }
    FUZZ_ASSERT(ok[0] + ok[1] + ok[2] + ok[4] + ok[5] <= 1 && (ok[0] || !ok[3]));
}

static void walk(atls_bytes in, unsigned depth)
{
    const ASN1_ITEM *const items[3] = {ASN1_ITEM_rptr(ASN1_INTEGER), ASN1_ITEM_rptr(ASN1_OBJECT),
                                       ASN1_ITEM_rptr(ASN1_BIT_STRING)};
    atls_error err = {0};
    atls_cur c;
    atls_der_tag tag;
    atls_bytes content;
    atls_bytes whole;
    atls_cur_init(&c, in, "", &err);
    while (depth < ATLS_MAX_DER_DEPTH && atls_der_any(&c, "f", &tag, &content, &whole)) {
        FUZZ_ASSERT(whole.len > content.len && content.ptr + content.len == c.rest.ptr);
        read_typed(whole, items);
        walk(content, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    walk(atls_bytes_of(data, size < 4096 ? size : 4096), 0);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT(
            "\x30\x1e\x02\x03\x00\x80\xff\x06\x09\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01\x03\x02\x04\x80\x01\x01\xff\x0a"
            "\x01\x01\x05\x00\x0c\x01\x61"),
        FUZZ_TEXT("\x30\x20\x17\x0d"
                  "240229235959Z"
                  "\x18\x0f"
                  "20500101000000Z"),
        FUZZ_TEXT("\xa3\x0c\xbf\x85\x3d\x05\x31\x03\x02\x01\x02\x9f\x1f\x00\x04\x81\x80"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
