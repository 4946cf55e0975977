/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ccel.c: dstack_log_decode (TCG2). What was read, written again with nothing but its SHA-384 digests, is the same
 * log. */
#include <string.h>

#include "base/text.h"
#include "evidence/dstack/dstack.h"
#include "fuzz.h"
#include "sim/sim.h"

static void put_u32(atls_buf *b, size_t v)
{
    const uint8_t le[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};
    atls_buf_put(b, atls_bytes_of(le, sizeof le));
}

static void put_header(atls_buf *b)
{
    static const uint8_t header[65] = "\1\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x21\0\0\0"
                                      "Spec ID Event03\0\0\0\0\0\0\2\0\2\1\0\0\0\x0c\0\x30\0";
    atls_buf_put(b, atls_bytes_of(header, sizeof header));
}

static void put_record(atls_buf *b, const atls_event *e)
{
    put_u32(b, e->imr + 1);
    put_u32(b, e->type);
    put_u32(b, 1);
    atls_buf_put(b, atls_bytes_of("\x0c\0", 2));
    atls_buf_put(b, atls_bytes_of(e->digest, 48));
    put_u32(b, e->payload.len);
    atls_buf_put(b, e->payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[16 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    atls_buf buf;
    atls_bytes text;
    dstack_log log;
    dstack_log again;
    atls_arena_init(&a, block, sizeof block);
    if (size > 64 * 1024 || !dstack_log_decode(atls_bytes_of(data, size), &a, &log, &err) || !log.is_ccel) {
        return 0;
    }
    atls_buf_init(&buf, &a, &err);
    put_header(&buf);
    for (size_t i = 0; i < log.n_events; i++) {
        FUZZ_ASSERT(log.events[i].imr <= 3 && log.events[i].type != DSTACK_RUNTIME_EVENT && log.has_digest[i]);
        put_record(&buf, &log.events[i]);
    }
    FUZZ_ASSERT(atls_buf_done(&buf, &text) && dstack_log_decode(text, &a, &again, &err));
    FUZZ_ASSERT(again.is_ccel && again.n_events == log.n_events);
    for (size_t i = 0; i < log.n_events; i++) {
        FUZZ_ASSERT(memcmp(log.events[i].digest, again.events[i].digest, 48) == 0);
        FUZZ_ASSERT(atls_bytes_equal(log.events[i].payload, again.events[i].payload));
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    sim_options options = {0};
    sim *room;
    atls_error err = {0};
    atls_arena a;
    atls_bytes text;
    FUZZ_ASSERT(sim_new(&options, &room, &err) && atls_arena_new(&a, FUZZ_MAX_SEED, &err));
    FUZZ_ASSERT(sim_ccel(room, &a, &text, &err) && text.len <= cap);
    memcpy(out, text.ptr, text.len);
    atls_arena_free(&a);
    sim_free(room);
    return index == 0 ? text.len : 0;
}
