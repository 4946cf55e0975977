/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_crl: atls_crl_decode, atls_crl_lists. What decodes has its slices inside the input and decodes again to the
 * same; OpenSSL reads it too, and whatever serial it finds there, we find. */
#include "pki.h"
#include "pki/cert.h"
#include "tests/pki/make.h"

static void compare(const atls_crl *c, X509_CRL *x)
{
    STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(x);
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(x);
    int n = revoked == NULL ? 0 : sk_X509_REVOKED_num(revoked);
    FUZZ_ASSERT((size_t)n == c->n_revoked && fuzz_same_name(X509_CRL_get_issuer(x), c->issuer));
    FUZZ_ASSERT(fuzz_same_time(X509_CRL_get0_lastUpdate(x), c->this_update));
    FUZZ_ASSERT(next == NULL ? c->next_update == ATLS_TIME_UNSET : fuzz_same_time(next, c->next_update));
    for (int i = 0; i < n && i < 64; i++) {
        const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i));
        size_t len = (size_t)ASN1_STRING_length(serial);
        FUZZ_ASSERT(atls_crl_lists(c, atls_bytes_of(ASN1_STRING_get0_data(serial), len)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_crl c;
    atls_crl again;
    atls_error err = {0};
    const uint8_t *p = data;
    if (!atls_crl_decode(atls_bytes_of(data, size), "crl", &c, &err)) {
        FUZZ_ASSERT(err.code != ATLS_OK && c.der.len == 0);
        return 0;
    }
    FUZZ_ASSERT(fuzz_inside(c.tbs, c.der) && fuzz_inside(c.issuer, c.der) && fuzz_inside(c.signature, c.der)
                && fuzz_inside(c.revoked, c.der) && fuzz_inside(c.authority_key_id, c.der));
    FUZZ_ASSERT(atls_crl_decode(c.der, "crl", &again, &err) && memcmp(&c, &again, sizeof c) == 0);
    FUZZ_ASSERT(c.n_revoked > 0 || !atls_crl_lists(&c, atls_bytes_of(data, 1)));
    X509_CRL *x = d2i_X509_CRL(NULL, &p, (long)size);
    FUZZ_ASSERT(x != NULL || c.sig_alg == ATLS_SIG_UNKNOWN || fuzz_name_is_odd(c.issuer));
    if (x != NULL) {
        compare(&c, x);
    }
    X509_CRL_free(x);
    ERR_clear_error();
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static make_keys *keys;
    made m;
    make_crl spec = make_crl_default(index == 0 ? MAKE_ROOT : MAKE_CA);
    if (index >= 4 || cap < sizeof m.der) {
        return 0;
    }
    keys = keys == NULL ? make_keys_new() : keys;
    spec.revoked = index == 0 ? NULL : "01 0a02 00f00ba4";
    spec.entry_extensions = index < 2 ? NULL : "300a0603551d1504030a0101";
    spec.extra = index < 3 ? NULL : "300c0603551d1c0101ff04023000";
    make_crl_write(keys, &spec, &m);
    memcpy(out, m.der, m.len);
    return m.len;
}
