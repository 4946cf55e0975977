/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ber.c: atls_ber_any and atls_ber_octets. What DER reads, BER reads alike; what only BER reads is open; contents lie inside
 * the element; strings are no longer than it; a failure moves nothing. */
#include <string.h>

#include "base/ber.h"
#include "fuzz.h"

static void check_octets(atls_bytes in)
{
    static uint8_t room[256 * 1024];
    atls_arena a;
    atls_error err = {0};
    atls_cur c;
    atls_bytes out;
    atls_arena_init(&a, room, sizeof room);
    atls_cur_init(&c, in, "", &err);
    if (atls_ber_octets(&c, "x", &a, &out, &err)) {
        FUZZ_ASSERT(out.len < in.len && c.rest.len < in.len);
    } else {
        FUZZ_ASSERT(err.code != ATLS_OK && c.rest.len == in.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_bytes in = atls_bytes_of(data, size);
    atls_error ber_err = {0};
    atls_error der_err = {0};
    atls_cur ber;
    atls_cur der;
    atls_der_tag tag;
    atls_der_tag der_tag;
    atls_bytes content;
    atls_bytes der_content;
    atls_bytes whole;
    atls_cur_init(&ber, in, "", &ber_err);
    atls_cur_init(&der, in, "", &der_err);
    check_octets(in);
    const bool is_ber = atls_ber_any(&ber, "x", &tag, &content, &whole);
    const bool is_der = atls_der_any(&der, "x", &der_tag, &der_content, NULL);
    FUZZ_ASSERT(is_ber || (!is_der && ber_err.code != ATLS_OK && ber.rest.len == size));
    if (!is_ber) {
        return 0;
    }
    FUZZ_ASSERT(whole.ptr == data && whole.len + ber.rest.len == size && content.len < whole.len);
    FUZZ_ASSERT(content.ptr > data && content.ptr + content.len <= data + whole.len);
    if (is_der) {
        FUZZ_ASSERT(tag == der_tag && content.ptr == der_content.ptr && content.len == der_content.len);
    } else {
        FUZZ_ASSERT(data[1] == 0x80 && (data[0] & 0x20) != 0 && data[whole.len - 1] == 0 && data[whole.len - 2] == 0);
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("\x30\x80\x02\x01\x05\x31\x80\x05\x00\x00\x00\x00\x00"),
        FUZZ_TEXT("\x24\x80\x04\x01\x41\x04\x02\x42\x43\x00\x00"),
        FUZZ_TEXT("\x24\x06\x04\x01\x41\x04\x01\x42"),
        FUZZ_TEXT("\x30\x03\x02\x01\x05"),
        FUZZ_TEXT("\x04\x02\x41\x42\xa0\x80\x00\x00"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
