/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cbor_open.c: atls_cbor_skip_open. What it passes is one item: it is passed again alone, and no proper prefix of it is.
 * What atls_cbor_skip passes is passed here too, unless it repeats a key, is deeper, or has a large map. */
#include <string.h>

#include "base/cbor_open.h"
#include "fuzz.h"

#define DEPTH 8u

static bool skip_open(atls_bytes in, atls_bytes *whole, atls_error *err)
{
    atls_cur c;
    *err = (atls_error){0};
    atls_cur_init(&c, in, "", err);
    const bool ok = atls_cbor_skip_open(&c, "f", DEPTH, whole);
    FUZZ_ASSERT(ok == (err->code == ATLS_OK) && atls_cur_offset(&c) == (ok ? whole->len : 0));
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_bytes in = atls_bytes_of(data, size);
    atls_bytes whole;
    atls_bytes again;
    atls_error err;
    atls_error strict_err = {0};
    atls_cur c;
    atls_cur_init(&c, in, "", &strict_err);
    const bool strict = atls_cbor_skip(&c, "f", false, NULL);
    if (!skip_open(in, &whole, &err)) {
        FUZZ_ASSERT(!strict || err.code == ATLS_E_LIMIT || strstr(err.message, "a key twice") != NULL);
        return 0;
    }
    FUZZ_ASSERT(whole.len > 0 && whole.ptr == in.ptr && whole.len <= size);
    FUZZ_ASSERT(!strict || atls_cur_offset(&c) == whole.len);
    FUZZ_ASSERT(skip_open(whole, &again, &err) && again.len == whole.len);
    FUZZ_ASSERT(!skip_open(atls_bytes_of(in.ptr, whole.len - 1), &again, &err));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("\xbf\x61\x61\x9f\x01\xa1\x02\x03\xff\x61\x62\x42\x01\x02\xff"),
        FUZZ_TEXT("\xa2\x01\xbf\xff\x02\x9f\x9f\x9f\x80\xff\xff\xff"),
        FUZZ_TEXT("\xd2\x84\x44\xa1\x01\x38\x22\xa0\x48payload!\x44sign"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
