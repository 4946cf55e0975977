/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_apple_receipt.c: apple_receipt_decode, apple_cms_decode and apple_payload_decode. What decodes has every mandatory field;
 * the same content on its own decodes to the same; one byte less or more of a receipt is refused. */
#include "apple_seed.h"

#define ROOM ((size_t)512 * 1024)

static void check_payload(const atls_apple_receipt *p, atls_bytes content)
{
    const atls_bytes parts[] = {p->app_id, p->certificate, p->client_hash, p->token, p->environment, p->risk_metric};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        FUZZ_ASSERT(parts[i].ptr != NULL && fuzz_apple_within(parts[i], content));
    }
    FUZZ_ASSERT(p->app_id.len > 0 && p->token.len > 0 && (p->is_renewed || p->client_hash.len == 32));
    FUZZ_ASSERT(!p->is_renewed || (p->has_not_before && p->risk_metric.len > 0));
    FUZZ_ASSERT(p->creation_ms >= 0 && p->expiration_ms >= 0 && p->creation_ms < INT64_C(253402300800000));
}

/* A receipt, or a payload by itself. */
static void try_payload(atls_bytes in, atls_arena *a)
{
    atls_error err = {0};
    atls_apple_receipt p;
    if (apple_payload_decode(in, a, &p, &err)) {
        check_payload(&p, in);
        FUZZ_ASSERT(!apple_payload_decode(atls_bytes_of(in.ptr, in.len - 1), a, &p, &err));
    } else {
        FUZZ_ASSERT(err.code != ATLS_OK && strncmp(err.field, "receipt", 7) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t longer[APPLE_MAX_RECEIPT_LEN + 1];
    static uint8_t room[ROOM];
    const atls_bytes in = atls_bytes_of(data, size);
    atls_arena a;
    atls_error err = {0};
    apple_receipt r;
    apple_receipt again;
    atls_arena_init(&a, room, sizeof room);
    try_payload(in, &a);
    if (!apple_receipt_decode(in, &a, &r, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_APPLE_RECEIPT && strncmp(err.field, "receipt", 7) == 0);
        return 0;
    }
    FUZZ_ASSERT(r.cms.content.len < size && r.cms.n_certificates <= APPLE_MAX_CERTIFICATES);
    FUZZ_ASSERT(fuzz_apple_within(r.cms.signature, in) && fuzz_apple_within(r.cms.issuer, in));
    check_payload(&r.payload, r.cms.content);
    FUZZ_ASSERT(!apple_receipt_decode(atls_bytes_of(data, size - 1), &a, &again, &err));
    memcpy(longer, data, size);
    longer[size] = 0;
    err = (atls_error){0};
    FUZZ_ASSERT(!apple_receipt_decode(atls_bytes_of(longer, size + 1), &a, &again, &err));
    return 0;
}

/* The receipts of attestations, a renewed one in both forms, and the payload of one. */
size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    atls_arena a;
    atls_bytes receipt;
    apple_cms cms;
    atls_error err = {0};
    if (index < FUZZ_APPLE_SHAPES) {
        return fuzz_apple_seed(index, FUZZ_APPLE_RECEIPT, out, cap);
    }
    if (index > FUZZ_APPLE_SHAPES + 2) {
        return 0;
    }
    sim_apple *s = fuzz_apple_room(index == FUZZ_APPLE_SHAPES ? 0 : 1);
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)1024 * 1024, &err));
    FUZZ_ASSERT(sim_apple_receipt(s, atls_bytes_str(fuzz_apple_client_data), true, &a, &receipt, &err)
                && apple_cms_decode(receipt, &a, &cms, &err));
    const size_t n = fuzz_apple_copy(index == FUZZ_APPLE_SHAPES + 2 ? cms.content : receipt, out, cap);
    atls_arena_free(&a);
    sim_apple_free(s);
    return n;
}
