/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pile: atls_endorsements_add. Twice the same file gives twice the same pieces (or the bound), a text of certificates
 * alone is what atls_pem_certificates reads, and a refusal says why. */
#include "atls/endorse.h"
#include "fuzz.h"
#include "pki/cert.h"

static void compare_with_pem(atls_bytes in, const atls_certificate_pile *p, atls_arena *a)
{
    atls_bytes der[ATLS_MAX_PEM_CERTS];
    size_t n;
    atls_error err = {0};
    if (!atls_pem_certificates(in, false, ATLS_E_OTHER, "pem", a, der, ATLS_MAX_PEM_CERTS, &n, &err)) {
        return;
    }
    FUZZ_ASSERT(p->n_crls == 0 && p->n_certificates == n);
    for (size_t i = 0; i < n; i++) {
        FUZZ_ASSERT(atls_bytes_equal(der[i], p->certificates[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[256 * FUZZ_MAX_SEED];
    atls_arena a;
    atls_endorsements e = {0};
    atls_error err = {0};
    const atls_bytes in = atls_bytes_of(data, size);
    atls_arena_init(&a, block, sizeof block);
    if (size > FUZZ_MAX_SEED) {
        return 0;
    }
    if (!atls_endorsements_add(in, &a, &e, &err)) {
        FUZZ_ASSERT(err.code != ATLS_OK && err.field[0] != 0);
        return 0;
    }
    const atls_certificate_pile once = e.pile;
    const bool is_list = e.android.list.len > 0;
    FUZZ_ASSERT(once.n_certificates + once.n_crls > 0 || e.platform != ATLS_PLATFORM_NONE || is_list);
    if (is_list) {
        FUZZ_ASSERT(!atls_endorsements_add(in, &a, &e, &err) && err.code == ATLS_E_COLLATERAL_FORMAT);
        return 0;
    }
    compare_with_pem(in, &once, &a);
    if (e.platform == ATLS_PLATFORM_NONE && atls_endorsements_add(in, &a, &e, &err)) {
        FUZZ_ASSERT(e.pile.n_certificates == 2 * once.n_certificates && e.pile.n_crls == 2 * once.n_crls);
    }
    return 0;
}

#define CERT "-----BEGIN CERTIFICATE-----\nMIGfMA0GCSqGSIb3DQEB\nAQUAA4GNADCBiQ==\n-----END CERTIFICATE-----\n"
#define LIST "-----BEGIN X509 CRL-----\nMIGfMA0GCSqGSIb3DQEB\nAQUAA4GNADCBiQ==\n-----END X509 CRL-----\n"
static const fuzz_literal seeds[] = {FUZZ_TEXT(CERT),
                                     FUZZ_TEXT(CERT LIST CERT),
                                     FUZZ_TEXT(LIST "\r\n"),
                                     FUZZ_TEXT("{\"tcb_info\":\"{}\"}"),
                                     FUZZ_TEXT("{\"entries\":{}}"),
                                     FUZZ_TEXT("-{\"entries\":{}}"),
                                     FUZZ_TEXT("\x30\x00")};

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
