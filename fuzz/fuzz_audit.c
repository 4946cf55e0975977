/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_audit.c: the check of an audit log, over any bytes, and over the same with the digest of each line set right, to get behind it.
 * What is found good ends with a newline, counts by one, and is not good any more when a byte of its last line is another one. */
#include <string.h>

#include "base/text.h"
#include "edge/service/audit_line.h"
#include "fuzz.h"

#define SUFFIX_LEN ((size_t)11 + 64 + 2) /* ,"digest":"…"} */
#define FLIPPED    0x04u                 /* makes no newline of anything that stands in a good line */

typedef struct world {
    atls_crypto *crypto;
    atls_arena arena;
} world;

static bool check(world *w, atls_bytes in, atls_audit_report *out)
{
    atls_audit_chain c;
    atls_error err = {.code = ATLS_OK};
    bool ok = true;
    atls_audit_chain_init(&c, w->crypto, &w->arena, false);
    const uint8_t *end = NULL;
    while (ok && in.len > 0 && (end = memchr(in.ptr, '\n', in.len)) != NULL) {
        const size_t n = (size_t)(end - in.ptr);
        ok = atls_audit_chain_add(&c, atls_bytes_of(in.ptr, n), &err);
        in = atls_bytes_of(end + 1, in.len - n - 1);
    }
    ok = ok && atls_audit_chain_end(&c, in, &err);
    FUZZ_ASSERT(ok == (err.code == ATLS_OK));
    *out = c.report;
    return ok;
}

static void seal(world *w, uint8_t *line, size_t len)
{
    uint8_t digest[32];
    char hex[65];
    atls_error err = {.code = ATLS_OK};
    if (len <= SUFFIX_LEN) {
        return;
    }
    const atls_bytes body = atls_bytes_of(line, len - SUFFIX_LEN);
    FUZZ_ASSERT(atls_digest(w->crypto, ATLS_SHA256, &body, 1, digest, &err));
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), hex);
    memcpy(line + len - SUFFIX_LEN, ",\"digest\":\"", 11);
    memcpy(line + len - 66, hex, 64);
    memcpy(line + len - 2, "\"}", 2);
}

static void seal_all(world *w, uint8_t *text, size_t len)
{
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            seal(w, text + from, i - from);
            from = i + 1;
        }
    }
}

static void check_properties(world *w, uint8_t *text, size_t len)
{
    atls_audit_report report;
    atls_audit_report changed;
    if (!check(w, atls_bytes_of(text, len), &report)) {
        FUZZ_ASSERT(report.bad_line > 0 || len == 0);
        return;
    }
    FUZZ_ASSERT(len > 0 && text[len - 1] == '\n' && report.n_lines > 0 && report.bad_line == 0 && !report.is_torn);
    FUZZ_ASSERT(report.last_seq == report.first_seq + report.n_lines - 1);
    text[len - 2 - len % SUFFIX_LEN] ^= FLIPPED;
    FUZZ_ASSERT(!check(w, atls_bytes_of(text, len), &changed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w;
    atls_error err = {.code = ATLS_OK};
    if (w.crypto == NULL) {
        FUZZ_ASSERT(atls_crypto_new(&w.crypto, &err) && atls_arena_new(&w.arena, ATLS_AUDIT_READ_SIZE, &err));
    }
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    check_properties(&w, copy, size);
    seal_all(&w, copy, size);
    check_properties(&w, copy, size);
    free(copy);
    return 0;
}

static size_t put(uint8_t *out, size_t at, atls_bytes in)
{
    memcpy(out + at, in.ptr, in.len);
    return at + in.len;
}

/* 0: a log; 1: one with a torn line; 2: one that goes on after another one; 3: one whose first line was torn */
size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const atls_audit_entry entry = {.time_ms = 1800000000000,
                                           .request = "r",
                                           .app = {(const uint8_t *)"a\"b", 3},
                                           .class_name = "Content.iOS",
                                           .reason = "SIG_CTR"};
    world w;
    atls_bytes line;
    atls_error err = {.code = ATLS_OK};
    atls_audit_place at = {.is_known = index == 2, .seq = 6};
    size_t len = 0;
    if (index > 3 || cap < (size_t)16 * 1024) {
        return 0;
    }
    FUZZ_ASSERT(atls_crypto_new(&w.crypto, &err) && atls_arena_new(&w.arena, (size_t)256 * 1024, &err));
    if (index != 3) {
        FUZZ_ASSERT(atls_audit_line_begin(w.crypto, 1800000000000, &at, &w.arena, &line, &at, &err));
        len = put(out, len, line);
    }
    for (size_t i = 0; i < 3; i++) {
        FUZZ_ASSERT(index == 3 || atls_audit_line_request(w.crypto, &entry, &at, &w.arena, &line, &at, &err));
        len = index == 3 ? len : put(out, len, line);
        if (i == 1 && index % 2 == 1) {
            const atls_bytes torn = atls_bytes_str("{\"v\":1,\"ty");
            len = put(out, put(out, len, torn), atls_bytes_str("\n"));
            FUZZ_ASSERT(atls_audit_line_torn(w.crypto, 1800000000000, torn, &at, &w.arena, &line, &at, &err));
            len = put(out, len, line);
        }
    }
    atls_arena_free(&w.arena);
    atls_crypto_free(w.crypto);
    return len;
}
