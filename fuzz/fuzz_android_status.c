/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_android_status.c: atls_android_list_compile, and a look-up. What compiles is an object with an object `entries`, of as
 * many entries as that has members; each key that is hexadecimal and has no zero in front is found again. */
#include "android_seed.h"
#include "base/json.h"
#include "base/text.h"

#define ARENA_SIZE ((size_t)16 * 1024 * 1024)

/* A serial whose rendering is the key: its digits, with a zero byte in front. */
static bool serial_of(atls_bytes key, uint8_t out[33], atls_bytes *serial)
{
    uint8_t digits[64];
    if (key.len == 0 || key.len > 64 || (key.len > 1 && key.ptr[0] == '0')) {
        return false;
    }
    const size_t pad = key.len % 2;
    digits[0] = '0';
    memcpy(digits + pad, key.ptr, key.len - (pad == 1 && key.len == 64 ? 1 : 0));
    out[0] = 0;
    *serial = atls_bytes_of(out, 1 + (key.len + pad) / 2);
    return atls_hex_fixed(atls_bytes_of(digits, key.len + pad), out + 1, (key.len + pad) / 2);
}

static bool says_ok(const atls_json *v)
{
    const atls_json *status = atls_json_find(v, "status");
    return status != NULL && status->type == ATLS_JSON_STRING && atls_bytes_equal_str(status->text, "OK");
}

static void check_list(const atls_android_list *list, atls_bytes json, atls_arena *a)
{
    const atls_json *tree = NULL;
    atls_error err = {0};
    FUZZ_ASSERT(atls_json_parse_wide(json, "", a, &tree, &err));
    const atls_json *entries = atls_json_find(tree, "entries");
    FUZZ_ASSERT(entries != NULL && entries->n == atls_android_list_len(list));
    for (const atls_json *v = entries->child; v != NULL; v = v->next) {
        uint8_t bytes[33];
        atls_bytes serial;
        android_status found;
        if (serial_of(v->name, bytes, &serial)) {
            FUZZ_ASSERT(android_list_find(list, serial, true, &found, &err) && (found.is_revoked || says_ok(v)));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atls_crypto *crypto; /* fetched once */
    const atls_bytes in = atls_bytes_of(data, size);
    const atls_android_list *list = NULL;
    atls_arena a;
    atls_error err = {0};
    FUZZ_ASSERT((crypto != NULL || atls_crypto_new(&crypto, &err)) && atls_arena_new(&a, ARENA_SIZE, &err));
    if (android_list_compile(crypto, in, &a, &list, &err)) {
        check_list(list, in, &a);
    } else {
        FUZZ_ASSERT(err.code == ATLS_E_ANDROID_LIST_UNAVAILABLE && list == NULL);
    }
    atls_arena_free(&a);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("{\"entries\":{}}"),
        FUZZ_TEXT(
            "{\"entries\":{\"abc\":{\"status\":\"REVOKED\",\"reason\":\"KEY_COMPROMISE\"},\"DEF\":{\"status\":\"OK\"},"
            "\"123\":{\"status\":\"SUSPENDED\",\"comment\":\"x\",\"expires\":\"2030-01-01\"}},\"more\":[]}"),
        FUZZ_TEXT("{\"entries\":{\"6681152659205225093\":{\"status\":\"REVOKED\"},\"-1\":{}}}"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
