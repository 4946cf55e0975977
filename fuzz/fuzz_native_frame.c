/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_native_frame.c: atls_native_peek and every atls_native_read_ over any body. What is read is written to the same
 * bytes; at most one reader takes a body, the one that peek names; every refusal is a breach of the protocol. */
#include "edge/tls/native_frame.h"

#include <string.h>

#include "fuzz.h"

static uint8_t block[8 * 1024 * 1024];

static bool read_and_write(atls_native_message m, atls_bytes body, atls_arena *a, atls_bytes *frame, atls_error *err)
{
    static atls_native_hello hello;
    static atls_native_evidence evidence;
    static atls_native_done done;
    atls_error write_err = {0};
    bool ok;
    switch (m) {
    case ATLS_NATIVE_EVIDENCE:
        ok = atls_native_read_evidence(body, &evidence, err);
        FUZZ_ASSERT(!ok || atls_native_write_evidence(&evidence, a, frame, &write_err));
        return ok;
    case ATLS_NATIVE_DONE:
        ok = atls_native_read_done(body, &done, err);
        FUZZ_ASSERT(!ok || atls_native_write_done(&done, a, frame, &write_err));
        return ok;
    default:
        ok = atls_native_read_hello(m == ATLS_NATIVE_SERVER_HELLO, body, &hello, err);
        FUZZ_ASSERT(!ok || atls_native_write_hello(m == ATLS_NATIVE_SERVER_HELLO, &hello, a, frame, &write_err));
        return ok;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_bytes body = atls_bytes_of(data, size);
    atls_error err = {0};
    atls_native_message peeked = ATLS_NATIVE_CLIENT_HELLO;
    bool known = atls_native_peek(body, &peeked, &err);
    FUZZ_ASSERT(known || err.code == ATLS_E_PROTOCOL);
    for (atls_native_message m = ATLS_NATIVE_CLIENT_HELLO; m <= ATLS_NATIVE_DONE; m++) {
        atls_arena a;
        atls_bytes frame;
        atls_arena_init(&a, block, sizeof block);
        atls_error_clear(&err);
        if (!read_and_write(m, body, &a, &frame, &err)) {
            FUZZ_ASSERT(err.code == ATLS_E_PROTOCOL && err.field[0] != '\0');
            continue;
        }
        FUZZ_ASSERT(known && peeked == m && size <= atls_native_max_len(m));
        FUZZ_ASSERT(frame.len == size + 4 && memcmp(frame.ptr + 4, data, size) == 0);
        FUZZ_ASSERT(((uint32_t)frame.ptr[1] << 16 | (uint32_t)frame.ptr[2] << 8 | frame.ptr[3]) == size);
    }
    return 0;
}

static bool write_seed(size_t index, atls_arena *a, atls_bytes *out, atls_error *err)
{
    static const uint8_t siblings[2 * 64] = {1};
    const atls_bytes names[] = {atls_bytes_str("application/vnd.atls.dcap-quote"), atls_bytes_str("h2"),
                                atls_bytes_str("http/1.1"),
                                atls_bytes_str("application/vnd.atls.dstack-event-log+json")};
    const atls_native_hello hellos[] = {
        {.types = {{names[0]}, 1}, .protocols = {{names[1], names[2]}, 2}, .staple = true},
        {.types = {{names[0]}, 1}, .protocols = {{names[2]}, 1}},
        {.protocols = {{names[1]}, 1}, .has_wait = true, .wait_ms = 30000}};
    const atls_native_evidence evidence[] = {{.evidence = {names[0], names[1]}, .path = {.size = 1}},
                                             {.evidence = {names[0], names[1]},
                                              .has_companion = true,
                                              .companion = {names[3], names[2]},
                                              .path = {.size = 1}},
                                             {.evidence = {names[0], names[1]},
                                              .staples = {{names[1], names[0]}, {names[2], names[0]}},
                                              .n_staples = 2,
                                              .path = {1, 3, atls_bytes_of(siblings, sizeof siblings)}}};
    const atls_native_done dones[] = {{.refusal = ATLS_CATEGORY_NONE}, {.refusal = ATLS_CATEGORY_TRUST}};
    return index < 3   ? atls_native_write_hello(index == 1, &hellos[index], a, out, err)
           : index < 6 ? atls_native_write_evidence(&evidence[index - 3], a, out, err)
                       : atls_native_write_done(&dones[index - 6], a, out, err);
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    atls_arena a;
    atls_error err = {0};
    atls_bytes frame;
    atls_arena_init(&a, block, sizeof block);
    if (index >= 8) {
        return 0;
    }
    FUZZ_ASSERT(write_seed(index, &a, &frame, &err) && frame.len <= cap);
    memcpy(out, frame.ptr + 4, frame.len - 4);
    return frame.len - 4;
}
