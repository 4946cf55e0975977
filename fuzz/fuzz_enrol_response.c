/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_enrol_response.c: atls_enrol_response_read, _write. What is read is a success or a failure, never both and never neither,
 * and is the same after writing and reading it again. */
#include <string.h>

#include "atls/enrol.h"
#include "fuzz.h"

static void check_one(const atls_enrol_response *r)
{
    FUZZ_ASSERT(r->is_success == (r->n_chain > 0) && r->is_success == (r->kind == ATLS_CATEGORY_NONE));
    FUZZ_ASSERT(r->n_chain <= ATLS_ENROL_MAX_CERTIFICATES && r->explanation.len <= ATLS_ENROL_MAX_EXPLANATION_LEN);
    FUZZ_ASSERT(!(r->is_success && r->has_explanation) && (r->has_explanation || r->explanation.len == 0));
    for (size_t i = 0; i < r->n_chain; i++) {
        FUZZ_ASSERT(r->chain[i].len > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[16 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    atls_enrol_response r;
    atls_enrol_response again;
    atls_bytes json;
    atls_arena_init(&a, room, sizeof room);
    if (!atls_enrol_response_read(atls_bytes_of(data, size), &a, &r, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_ENROL_RESPONSE && strncmp(err.field, "response", 8) == 0);
        FUZZ_ASSERT(!r.is_success && r.n_chain == 0 && r.kind == ATLS_CATEGORY_NONE && r.explanation.len == 0);
        return 0;
    }
    FUZZ_ASSERT(size <= ATLS_ENROL_MAX_MESSAGE_LEN);
    check_one(&r);
    FUZZ_ASSERT(atls_enrol_response_write(&r, &a, &json, &err));
    FUZZ_ASSERT(atls_enrol_response_read(json, &a, &again, &err));
    check_one(&again);
    FUZZ_ASSERT(again.kind == r.kind && again.n_chain == r.n_chain && again.has_explanation == r.has_explanation);
    FUZZ_ASSERT(atls_bytes_equal(again.explanation, r.explanation));
    for (size_t i = 0; i < r.n_chain; i++) {
        FUZZ_ASSERT(atls_bytes_equal(again.chain[i], r.chain[i]));
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("{\"type\":\"Success\",\"certificateChain\":[\"MAA\",\"-_-_\",\"MAA=\"]}"),
        FUZZ_TEXT("{\"type\":\"Failure\",\"kind\":\"TRUST\",\"explanation\":null}"),
        FUZZ_TEXT("{\"type\":\"Failure\",\"kind\":\"TIME\",\"explanation\":\"a\\u0000\\ud834\\udd1e\"}"),
        FUZZ_TEXT("{\"explanation\":\"android.challenge\",\"kind\":\"CONTENT\",\"type\":\"Failure\",\"x\":[]}"),
        FUZZ_TEXT("{\"type\":\"Failure\",\"kind\":\"INTERNAL\",\"explanation\":\"\"}"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
