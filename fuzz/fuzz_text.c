/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_text.c: atls_hex_decode, atls_base64_decode, atls_utf8_valid, atls_time_parse. What decodes is encoded again to
 * what was read, so nothing has two spellings; a text that the writer quotes comes back from the reader. */
#include "base/json.h"

#include "atls/time.h"

#include <openssl/evp.h>

#include "fuzz.h"

static void quote_and_read(atls_bytes in, atls_arena *a)
{
    atls_error err = {0};
    atls_buf buf;
    atls_jw writer;
    atls_bytes text;
    const atls_json *value;
    atls_buf_init(&buf, a, &err);
    atls_jw_init(&writer, &buf);
    atls_jw_string(&writer, NULL, in);
    FUZZ_ASSERT(atls_buf_done(&buf, &text));
    FUZZ_ASSERT(atls_json_parse(text, "quoted", a, &value, &err) && value->type == ATLS_JSON_STRING);
    FUZZ_ASSERT(atls_utf8_valid(value->text));
    FUZZ_ASSERT(atls_bytes_equal(value->text, in) == atls_utf8_valid(in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[1024 * 1024];
    static uint8_t encoded[64 * 1024];
    if (size > 32 * 1024) {
        return 0;
    }
    atls_arena a;
    atls_arena_init(&a, block, sizeof block);
    atls_error err = {0};
    atls_bytes in = atls_bytes_of(data, size);
    atls_bytes out;
    if (atls_hex_decode(in, "hex", &a, &out, &err) && atls_is_lower_hex(in)) {
        const char *again = atls_hex_text(out, &a, &err);
        FUZZ_ASSERT(again != NULL && atls_bytes_equal_str(in, again));
    }
    atls_error_clear(&err);
    if (atls_base64_decode(in, false, "base64", &a, &out, &err)) {
        int n = EVP_EncodeBlock(encoded, out.ptr, (int)out.len);
        FUZZ_ASSERT(atls_bytes_equal(in, atls_bytes_of(encoded, (size_t)n)));
    }
    atls_time t;
    char text[ATLS_TIME_TEXT_SIZE];
    if (atls_time_parse(in, &t) && t != ATLS_TIME_UNSET) {
        atls_time_format(t, text);
        FUZZ_ASSERT(atls_bytes_equal_str(in, text));
    }
    quote_and_read(in, &a);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("00ff10ABcd"),
        FUZZ_TEXT("Zm9vYmFyYmF6"),
        FUZZ_TEXT("Zm9vYg=="),
        FUZZ_TEXT("Zm9vYmE="),
        FUZZ_TEXT("2024-02-29T23:59:59Z"),
        FUZZ_TEXT("\"\\\x01\x7f\t"),
        FUZZ_TEXT("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
