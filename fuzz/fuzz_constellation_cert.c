/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_constellation_cert: constellation_certificate_check and _find, with signatures that are taken as good
 * (stub_signature.c). What passes has a time, a key and a document inside the input; OpenSSL hashes the same key, and
 * knows of no other critical extension. */
#include <openssl/evp.h>

#include "evidence/constellation/certificate.h"
#include "pki.h"
#include "tests/pki/make.h"

static const char *const oids[] = {"1.3.9900.1.1", "1.3.9900.5.99"};

static void compare(const constellation_certificate *c, atls_bytes der)
{
    const uint8_t *p = der.ptr;
    uint8_t *spki = NULL;
    uint8_t digest[32];
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    ERR_clear_error();
    if (x == NULL) {
        FUZZ_ASSERT(fuzz_name_is_odd(c->cert.issuer) || fuzz_name_is_odd(c->cert.subject));
        return;
    }
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
    FUZZ_ASSERT(len > 0 && EVP_Digest(spki, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1);
    FUZZ_ASSERT(memcmp(digest, c->user_data, sizeof digest) == 0);
    OPENSSL_free(spki);
    for (int i = 0; i < X509_get_ext_count(x); i++) {
        X509_EXTENSION *e = X509_get_ext(x, i);
        FUZZ_ASSERT(X509_EXTENSION_get_critical(e) == 0 || OBJ_obj2nid(X509_EXTENSION_get_object(e)) != NID_undef);
    }
    X509_free(x);
}

static void find(const constellation_certificate *c)
{
    size_t which = 7;
    atls_bytes document;
    atls_error err = {0};
    if (constellation_certificate_find(&c->cert, oids, 2, &which, &document, &err)) {
        FUZZ_ASSERT(which < 2 && fuzz_inside(document, c->cert.der));
        return;
    }
    FUZZ_ASSERT(which == 0 && document.len == 0);
    FUZZ_ASSERT(err.code == ATLS_E_UNSUPPORTED || err.code == ATLS_E_PROTOCOL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atls_crypto *crypto;
    static constellation_certificate c;
    static atls_cert plain;
    atls_error err = {0};
    atls_bytes der = atls_bytes_of(data, size);
    FUZZ_ASSERT(crypto != NULL || atls_crypto_new(&crypto, &err));
    if (!atls_cert_decode_at_most(der, CONSTELLATION_MAX_CERT_LEN, "certificate", &plain, &err)) {
        atls_error_clear(&err);
        FUZZ_ASSERT(!constellation_certificate_check(crypto, der, 1, &c, &err) && err.code != ATLS_OK);
        return 0;
    }
    if (constellation_certificate_check(crypto, der, plain.not_before, &c, &err)) {
        FUZZ_ASSERT(c.cert.key.kind == ATLS_KEY_P256 && !c.cert.has_unknown_critical);
        compare(&c, der);
        find(&c);
    } else {
        FUZZ_ASSERT(err.code != ATLS_OK && c.cert.der.len == 0);
    }
    return 0;
}

#define DUMMY                                                                                                          \
    "3012"                                                                                                             \
    "06052bcd2c0101"                                                                                                   \
    "0409"                                                                                                             \
    "7b7d20202020202020"
#define TDX                                                                                                            \
    "300b"                                                                                                             \
    "06052bcd2c0563"                                                                                                   \
    "0402"                                                                                                             \
    "7b7d"
#define CRITICAL                                                                                                       \
    "300e"                                                                                                             \
    "06052bcd2c0101"                                                                                                   \
    "0101ff"                                                                                                           \
    "0402"                                                                                                             \
    "7b7d"
#define SERVER                                                                                                         \
    "3013"                                                                                                             \
    "0603551d25"                                                                                                       \
    "040c"                                                                                                             \
    "300a06082b06010505070301"
#define BOTH                                                                                                           \
    "301d"                                                                                                             \
    "0603551d25"                                                                                                       \
    "0416"                                                                                                             \
    "301406082b0601050507030206082b06010505070301"

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const char *const extras[] = {DUMMY, TDX, DUMMY TDX, CRITICAL, SERVER TDX, BOTH DUMMY};
    static make_keys *keys;
    made m;
    make_cert spec = make_cert_default(MAKE_LEAF);
    if (index >= sizeof extras / sizeof extras[0] || cap < sizeof m.der) {
        return 0;
    }
    keys = keys == NULL ? make_keys_new() : keys;
    spec.signer = MAKE_LEAF;
    spec.extra = extras[index];
    make_cert_write(keys, &spec, &m);
    memcpy(out, m.der, m.len);
    return m.len;
}
