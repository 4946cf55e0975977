/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sgx_extension.c: dcap_pck_decode on the value of an extension. What decodes has one length: the values in
 * canonical DER, in whatever order of entries. */
#include "dcap_seed.h"
#include "evidence/dcap/dcap.h"

static const uint8_t sgx_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

/* header and content of something of n bytes */
static size_t tlv(size_t n)
{
    return n + (n < 128 ? 2u : n < 256 ? 3u : 4u);
}

static size_t integer(unsigned value)
{
    return tlv(value < 0x80 ? 1u : value < 0x8000 ? 2u : 3u);
}

static size_t pair(size_t arcs, size_t value)
{
    return tlv(tlv(sizeof sgx_oid + arcs) + value);
}

static size_t expected_len(const dcap_pck *p)
{
    size_t tcb = pair(2, integer(p->pcesvn)) + pair(2, tlv(16));
    for (size_t i = 0; i < 16; i++) {
        tcb += pair(2, integer(p->comp[i]));
    }
    size_t n = pair(1, tlv(16)) + pair(1, tlv(tcb)) + pair(1, tlv(2)) + pair(1, tlv(6)) + pair(1, tlv(1));
    return tlv(p->has_platform_info ? n + pair(1, tlv(16)) + pair(1, tlv(3 * pair(2, tlv(1)))) : n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atls_cert cert;
    dcap_pck pck;
    atls_error err = {0};
    cert.n_extensions = 1;
    cert.extensions[0] =
        (atls_extension){.oid = atls_bytes_of(sgx_oid, sizeof sgx_oid), .value = atls_bytes_of(data, size)};
    if (dcap_pck_decode(&cert, &pck, &err)) {
        FUZZ_ASSERT(size == expected_len(&pck) && pck.sgx_type <= 2);
        return 0;
    }
    FUZZ_ASSERT(err.code == ATLS_E_PCK_CHAIN && strncmp(err.field, "pck.sgx_extension", 17) == 0);
    return 0;
}

static atls_bytes pick(atls_bytes quote, const atls_endorsements *e, atls_arena *a)
{
    (void)e;
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    atls_error err = {0};
    dcap_quote q;
    size_t n;
    atls_cert *leaf = atls_arena_alloc(a, sizeof *leaf, &err);
    FUZZ_ASSERT(
        leaf != NULL && dcap_quote_decode(quote, &q, &err)
        && atls_pem_certificates(q.cert_data, true, ATLS_E_PCK_CHAIN, "pck", a, ders, ATLS_MAX_PEM_CERTS, &n, &err)
        && atls_cert_decode(ders[0], "pck", leaf, &err));
    return atls_cert_extension(leaf, atls_bytes_of(sgx_oid, sizeof sgx_oid))->value;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_room_seed(index, pick, out, cap);
}
