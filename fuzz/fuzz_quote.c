/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_quote.c: dcap_quote_decode. What decodes accounts for every byte: signed span, authentication data, trailing
 * bytes; it does so without its trailing bytes as well, and never with one byte less. */
#include "dcap_seed.h"
#include "evidence/dcap/dcap.h"

static void check(const dcap_quote *q, atls_bytes in)
{
    static const size_t body[] = {0, 384, 584, 648};
    FUZZ_ASSERT(q->version >= 3 && q->version <= 5 && q->body_type >= 1 && q->body_type <= 3);
    FUZZ_ASSERT((q->tee_type == DCAP_TEE_SGX) == (q->body_type == 1));
    FUZZ_ASSERT(q->cert_type >= 1 && q->cert_type <= 5);
    FUZZ_ASSERT(q->signed_span.len == (q->version == 5 ? 54u : 48u) + body[q->body_type]);
    size_t outer = q->version == 3 ? 0 : 6;
    FUZZ_ASSERT(in.len
                == q->signed_span.len + 4 + 128 + outer + 448 + 2 + q->qe_auth.len + 6 + q->cert_data.len
                       + q->trailing_len);
    const atls_bytes parts[] = {q->signed_span,  q->signature, q->att_key,  q->qe_report,
                                q->qe_signature, q->qe_auth,   q->cert_data};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        FUZZ_ASSERT(parts[i].ptr != NULL && fuzz_is_within(parts[i], in));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_bytes in = atls_bytes_of(data, size);
    atls_error err = {0};
    dcap_quote q;
    dcap_quote again;
    if (!dcap_quote_decode(in, &q, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_QUOTE_FORMAT && strncmp(err.field, "quote", 5) == 0);
        return 0;
    }
    check(&q, in);
    FUZZ_ASSERT(dcap_quote_decode(atls_bytes_of(data, size - q.trailing_len), &again, &err));
    FUZZ_ASSERT(again.trailing_len == 0 && memcmp(&again.td, &q.td, sizeof q.td) == 0);
    FUZZ_ASSERT(!dcap_quote_decode(atls_bytes_of(data, size - q.trailing_len - 1), &again, &err));
    return 0;
}

static atls_bytes pick(atls_bytes quote, const atls_endorsements *e, atls_arena *a)
{
    (void)e;
    (void)a;
    return quote;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_room_seed(index, pick, out, cap);
}
