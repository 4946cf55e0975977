/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_enrol_statement.c: atls_enrol_statement_read, _write. What is read is within its bounds, its chain is its certificates one
 * behind the other, and it is the same after writing and reading it again, if that is not longer. */
#include <string.h>

#include "atls/enrol.h"
#include "fuzz.h"

static void check_chain(const atls_enrol_statement *s)
{
    size_t at = 0;
    FUZZ_ASSERT(s->n_x5c <= ATLS_ENROL_MAX_CERTIFICATES);
    for (size_t i = 0; i < s->n_x5c; i++) {
        FUZZ_ASSERT(s->x5c[i].len >= 2 && s->x5c[i].ptr[0] == 0x30 && s->x5c[i].len <= s->chain.len - at);
        FUZZ_ASSERT(memcmp(s->chain.ptr + at, s->x5c[i].ptr, s->x5c[i].len) == 0);
        at += s->x5c[i].len;
    }
    FUZZ_ASSERT(at == s->chain.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[64 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    atls_enrol_statement s;
    atls_enrol_statement again;
    atls_bytes json;
    atls_arena_init(&a, room, sizeof room);
    if (!atls_enrol_statement_read(atls_bytes_of(data, size), &a, &s, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_ENROL_STATEMENT || err.code == ATLS_E_UNSUPPORTED);
        FUZZ_ASSERT(err.category == ATLS_CATEGORY_CONTENT && strncmp(err.field, "statement", 9) == 0);
        FUZZ_ASSERT(s.kind == 0 && s.n_x5c == 0 && s.chain.len == 0 && s.attestation.len == 0);
        return 0;
    }
    FUZZ_ASSERT(size <= ATLS_ENROL_MAX_STATEMENT_LEN);
    FUZZ_ASSERT((s.kind == ATLS_ENROL_IOS_APPATTEST) == (s.attestation.len > 0 && s.client_data.len > 0));
    check_chain(&s);
    FUZZ_ASSERT(atls_enrol_statement_write(&s, &a, &json, &err) && json.len <= size);
    FUZZ_ASSERT(atls_enrol_statement_read(json, &a, &again, &err) && again.kind == s.kind);
    FUZZ_ASSERT(again.n_x5c == s.n_x5c && atls_bytes_equal(again.chain, s.chain));
    FUZZ_ASSERT(atls_bytes_equal(again.attestation, s.attestation));
    FUZZ_ASSERT(atls_bytes_equal(again.client_data, s.client_data));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("{\"typ\":\"android-key\",\"x5c\":[\"MAA\",\"MAMCAQE\",\"MAMCAQE=\"]}"),
        FUZZ_TEXT("{\"typ\":\"android-key\",\"x5c\":[]}"),
        FUZZ_TEXT("{\"clientDataJSON\":\"eyJwdXJwb3NlIjoiIn0\",\"attestation\":\"o2NmbXQ_-A==\","
                  "\"typ\":\"ios-appattest\",\"more\":{\"a\":[1]}}"),
        FUZZ_TEXT("{\"typ\":\"self\"}"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
