/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cert: atls_cert_decode, atls_name_common_name. What decodes has its slices inside the input and decodes again to
 * the same; OpenSSL reads it too, and sees the same serial, names, dates and key. */
#include "pki.h"
#include "pki/cert.h"
#include "tests/pki/make.h"

static void compare(const atls_cert *c, const X509 *x)
{
    const uint8_t *key;
    int key_len;
    FUZZ_ASSERT(fuzz_same_integer(X509_get0_serialNumber(x), c->serial));
    FUZZ_ASSERT(fuzz_same_name(X509_get_issuer_name(x), c->issuer));
    FUZZ_ASSERT(fuzz_same_name(X509_get_subject_name(x), c->subject));
    FUZZ_ASSERT(fuzz_same_time(X509_get0_notBefore(x), c->not_before));
    FUZZ_ASSERT(fuzz_same_time(X509_get0_notAfter(x), c->not_after));
    FUZZ_ASSERT(X509_get_ext_count(x) == (int)c->n_extensions && X509_get_version(x) == X509_VERSION_3);
    FUZZ_ASSERT(X509_PUBKEY_get0_param(NULL, &key, &key_len, NULL, X509_get_X509_PUBKEY(x)) == 1);
    FUZZ_ASSERT(atls_bytes_equal(atls_bytes_of(key, (size_t)key_len), c->key.point));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atls_cert c;
    static atls_cert again;
    atls_error err = {0};
    atls_bytes cn;
    const uint8_t *p = data;
    if (!atls_cert_decode(atls_bytes_of(data, size), "certificate", &c, &err)) {
        FUZZ_ASSERT(err.code != ATLS_OK && c.der.len == 0);
        return 0;
    }
    const atls_bytes all[] = {c.tbs,
                              c.serial,
                              c.issuer,
                              c.subject,
                              c.spki,
                              c.key.point,
                              c.signature,
                              c.subject_key_id,
                              c.authority_key_id,
                              c.authority_issuer,
                              c.authority_serial};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        FUZZ_ASSERT(fuzz_inside(all[i], c.der));
    }
    FUZZ_ASSERT(atls_cert_decode(c.der, "certificate", &again, &err) && memcmp(&c, &again, sizeof c) == 0);
    FUZZ_ASSERT(!atls_name_common_name(c.subject, &cn) || fuzz_inside(cn, c.subject));
    X509 *x = d2i_X509(NULL, &p, (long)size);
    /* it also looks into parameters of algorithms that we do not know */
    bool is_known = c.key.kind != ATLS_KEY_UNKNOWN && c.sig_alg != ATLS_SIG_UNKNOWN;
    FUZZ_ASSERT(x != NULL || !is_known || fuzz_name_is_odd(c.issuer) || fuzz_name_is_odd(c.subject));
    if (x != NULL) {
        compare(&c, x);
    }
    X509_free(x);
    ERR_clear_error();
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static make_keys *keys;
    made m;
    make_cert spec = make_cert_default(index % 3 == 0 ? MAKE_LEAF : index % 3 == 1 ? MAKE_CA : MAKE_ROOT);
    if (index >= 6 || cap < sizeof m.der) {
        return 0;
    }
    keys = keys == NULL ? make_keys_new() : keys;
    spec.key = index < 3 ? spec.key : (make_key)(MAKE_P384 + (int)index - 3);
    spec.aki_issuer = index < 3 ? NULL : "Test Root";
    spec.aki_serial = "0080";
    make_cert_write(keys, &spec, &m);
    memcpy(out, m.der, m.len);
    return m.len;
}
