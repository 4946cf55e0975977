/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_android_chain.c: android_chain_decode, in each of its forms, and android_inspect over what decodes. The number and the
 * size of certificates are bounded; of DER, what decodes is what was there, in its order. */
#include "android_seed.h"
#include "base/json.h"
#include "base/text.h"

#define ARENA_SIZE ((size_t)4 * 1024 * 1024)

static void check_chain(const android_evidence *e, atls_bytes in)
{
    size_t total = 0;
    FUZZ_ASSERT(e->n >= 1 && e->n <= ANDROID_MAX_CERTIFICATES && e->described <= e->n);
    for (size_t i = 0; i < e->n; i++) {
        total += e->certs[i].der.len;
        FUZZ_ASSERT(fuzz_android_within(e->certs[i].spki, e->certs[i].der));
        FUZZ_ASSERT(in.ptr[0] != 0x30 || fuzz_android_within(e->certs[i].der, in));
    }
    FUZZ_ASSERT(total <= ANDROID_MAX_CHAIN_LEN && (in.ptr[0] != 0x30 || total == in.len));
    FUZZ_ASSERT((e->n_described > 0) == (e->described < e->n));
    FUZZ_ASSERT(e->why.code == ATLS_OK || e->why.code == ATLS_E_ANDROID_APP_UNEXPECTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_bytes in = atls_bytes_of(data, size);
    atls_arena a;
    atls_error err = {0};
    android_evidence e;
    FUZZ_ASSERT(atls_arena_new(&a, ARENA_SIZE, &err));
    if (android_chain_decode(in, &a, &e, &err)) {
        atls_buf b;
        atls_jw w;
        atls_bytes text;
        check_chain(&e, in);
        atls_buf_init(&b, &a, &err);
        atls_jw_init(&w, &b);
        atls_jw_open(&w, NULL, '{');
        FUZZ_ASSERT(android_inspect(&e, &w, &a, &err));
        atls_jw_close(&w, '}');
        FUZZ_ASSERT(atls_buf_done(&b, &text) && atls_utf8_valid(text));
    } else {
        FUZZ_ASSERT(err.code == ATLS_E_ANDROID_CHAIN_UNPARSABLE && strncmp(err.field, "chain", 5) == 0);
    }
    atls_arena_free(&a);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal texts[] = {
        FUZZ_TEXT("[\"MAA=\",\"MAA\"]"),
        FUZZ_TEXT("{\"typ\":\"android-key\",\"x5c\":[\"MAA\"]}"),
        FUZZ_TEXT("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
    };
    return index < FUZZ_ANDROID_SHAPES ? fuzz_android_seed(index, false, out, cap)
                                       : fuzz_seed_of(texts, 3, index - FUZZ_ANDROID_SHAPES, out, cap);
}
