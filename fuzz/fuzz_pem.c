/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pem: atls_pem_certificates, atls_pem_encode. What decodes can be written again, and then both we and OpenSSL
 * read the same bytes; allowing NULs at the end never changes what was accepted without. */
#include <openssl/pem.h>

#include "pki.h"
#include "pki/cert.h"

static void read_with_openssl(atls_bytes text, atls_bytes der)
{
    char *name = NULL;
    char *header = NULL;
    uint8_t *bytes = NULL;
    long len = 0;
    BIO *bio = BIO_new_mem_buf(text.ptr, (int)text.len);
    FUZZ_ASSERT(bio != NULL && PEM_read_bio(bio, &name, &header, &bytes, &len) == 1);
    FUZZ_ASSERT(strcmp(name, "CERTIFICATE") == 0 && header[0] == '\0');
    FUZZ_ASSERT(atls_bytes_equal(atls_bytes_of(bytes, (size_t)len), der));
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(bytes);
    BIO_free(bio);
}

static void write_again(atls_bytes der, atls_arena *a)
{
    atls_bytes text;
    atls_bytes back;
    size_t n;
    atls_error err = {0};
    FUZZ_ASSERT(der.len > 0 && atls_pem_encode(der, "CERTIFICATE", a, &text, &err));
    FUZZ_ASSERT(atls_pem_certificates(text, false, ATLS_E_OTHER, "pem", a, &back, 1, &n, &err) && n == 1);
    FUZZ_ASSERT(atls_bytes_equal(back, der));
    read_with_openssl(text, der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[16 * FUZZ_MAX_SEED];
    atls_arena a;
    atls_bytes der[2];
    atls_bytes same[2];
    size_t n;
    size_t n_same;
    atls_error err = {0};
    atls_bytes in = atls_bytes_of(data, size);
    atls_arena_init(&a, block, sizeof block);
    if (size > FUZZ_MAX_SEED || !atls_pem_certificates(in, false, ATLS_E_OTHER, "pem", &a, der, 2, &n, &err)) {
        return 0;
    }
    FUZZ_ASSERT(atls_pem_certificates(in, true, ATLS_E_OTHER, "pem", &a, same, 2, &n_same, &err) && n_same == n);
    for (size_t i = 0; i < n; i++) {
        FUZZ_ASSERT(atls_bytes_equal(der[i], same[i]));
        write_again(der[i], &a);
    }
    return 0;
}

#define ONE "-----BEGIN CERTIFICATE-----\nMIGfMA0GCSqGSIb3DQEB\nAQUAA4GNADCBiQ==\n-----END CERTIFICATE-----"
static const fuzz_literal seeds[] = {FUZZ_TEXT(ONE), FUZZ_TEXT(ONE "\r\n\r\n" ONE "\n"), FUZZ_TEXT(ONE "\n\0\0"),
                                     FUZZ_TEXT("text\n" ONE)};

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
