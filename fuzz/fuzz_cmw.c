/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cmw.c: atls_cmw_read. A record is one deterministic item, is of one kind, and is written to the bytes that were
 * read; a failure moves nothing. */
#include "base/cmw.h"

#include <string.h>

#include "fuzz.h"

static void check_written(const atls_cmw_record *record, uint64_t indicator, const uint8_t *data, size_t size)
{
    static uint8_t block[4 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    atls_buf buf;
    atls_cw w;
    atls_bytes out;
    atls_arena_init(&a, block, sizeof block);
    atls_buf_init(&buf, &a, &err);
    atls_cw_init(&w, &buf);
    atls_cmw_write(&w, indicator, record);
    FUZZ_ASSERT(atls_buf_done(&buf, &out) && out.len == size && memcmp(out.ptr, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned kinds = 0;
    for (uint64_t indicator = ATLS_CMW_ENDORSEMENT; indicator <= ATLS_CMW_EVIDENCE; indicator += 2) {
        atls_error err = {0};
        atls_cur c;
        atls_cur whole;
        atls_cmw_record record;
        atls_cur_init(&c, atls_bytes_of(data, size), "t", &err);
        whole = c;
        if (!atls_cmw_read(&c, "cmw", indicator, &record)) {
            FUZZ_ASSERT(c.rest.len == size && strncmp(err.field, "t.cmw", 5) == 0);
            FUZZ_ASSERT(err.code == ATLS_E_ENCODING || err.code == ATLS_E_TRUNCATED || err.code == ATLS_E_LIMIT);
            continue;
        }
        kinds++;
        FUZZ_ASSERT(record.type.len > 0 && record.value.len > 0);
        FUZZ_ASSERT(atls_cbor_skip(&whole, "cmw", true, NULL) && whole.rest.len == c.rest.len);
        check_written(&record, indicator, data, atls_cur_offset(&c));
    }
    FUZZ_ASSERT(kinds <= 1);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("\x83\x78\x1f"
                  "application/vnd.atls.dcap-quote\x45quote\x04"),
        FUZZ_TEXT("\x83\x78\x18"
                  "application/pkix-crl+der\x43one\x02"),
        FUZZ_TEXT("\x83\x63\x61/b\x41\x00\x06"), /* two kinds at once */
        FUZZ_TEXT("\x82\x63\x61/b\x41\x00"),     /* no indicator, as RFC 9999 allows */
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
