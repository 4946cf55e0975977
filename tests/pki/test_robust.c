/* SPDX-License-Identifier: Apache-2.0 */
/* Two properties that every parser of signed things has: a proper prefix is refused, and so is every single flipped
 * bit. What still decodes after a flip has its slices inside the input, and its signature fails. */
#include "tap.h"
#include "walk.h"

static make_keys *keys;
static atls_crypto *crypto;

static bool inside(atls_bytes part, const made *m)
{
    atls_bytes empty = atls_bytes_empty();
    return part.ptr == empty.ptr
           || (part.ptr >= m->der && part.ptr <= m->der + m->len && part.len <= (size_t)(m->der + m->len - part.ptr));
}

static void check_slices_of_cert(const atls_cert *c, const made *m)
{
    const atls_bytes all[] = {
        c->der,       c->tbs,           c->serial,           c->issuer,           c->subject,
        c->spki,      c->signature,     c->authority_key_id, c->authority_issuer, c->authority_serial,
        c->key.point, c->subject_key_id};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_true(inside(all[i], m));
    }
    for (size_t i = 0; i < c->n_extensions; i++) {
        assert_true(inside(c->extensions[i].oid, m) && inside(c->extensions[i].value, m));
    }
}

static void check_slices_of_crl(const atls_crl *c, const made *m)
{
    const atls_bytes all[] = {c->der, c->tbs, c->issuer, c->signature, c->revoked, c->authority_key_id};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_true(inside(all[i], m));
    }
}

/* A prefix in memory of its own, so that a sanitizer sees the first byte read beyond it. */
static uint8_t *cut(const made *m, size_t len)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    assert_non_null(copy);
    memcpy(copy, m->der, len);
    return copy;
}

static void make_with_everything(make_key which, made *out)
{
    make_cert spec = make_cert_default(which);
    spec.aki_issuer = "Test Root";
    spec.aki_serial = which == MAKE_LEAF ? "0a02" : "01";
    spec.extra = "300c"
                 "06082a03040506070809"
                 "0400";
    make_cert_write(keys, &spec, out);
}

static void prefixes_of_a_certificate(void **state)
{
    (void)state;
    made m;
    atls_cert out;
    make_with_everything(MAKE_LEAF, &m);
    for (size_t len = 0; len < m.len; len++) {
        atls_error err = {0};
        uint8_t *copy = cut(&m, len);
        assert_false(atls_cert_decode(atls_bytes_of(copy, len), "certificate", &out, &err));
        assert_int_equal(err.code, ATLS_E_TRUNCATED);
        free(copy);
    }
}

static void prefixes_of_a_list(void **state)
{
    (void)state;
    made m;
    atls_crl out;
    make_crl spec = make_crl_default(MAKE_CA);
    spec.revoked = "01 02 0a02";
    spec.entry_extensions = "300a"
                            "0603551d15"
                            "04030a0101";
    make_crl_write(keys, &spec, &m);
    for (size_t len = 0; len < m.len; len++) {
        atls_error err = {0};
        uint8_t *copy = cut(&m, len);
        assert_false(atls_crl_decode(atls_bytes_of(copy, len), "crl", &out, &err));
        assert_int_equal(err.code, ATLS_E_TRUNCATED);
        free(copy);
    }
}

/* The issuer of both below, decoded and with its key open. */
typedef struct issuer {
    made file;
    atls_cert cert;
    atls_key *key;
} issuer;

static void open_issuer(issuer *ca)
{
    atls_error err = {0};
    make_cert spec = make_cert_default(MAKE_CA);
    make_cert_write(keys, &spec, &ca->file);
    assert_true(atls_cert_decode(made_bytes(&ca->file), "ca", &ca->cert, &err));
    assert_true(atls_key_open(crypto, &ca->cert.key, ATLS_E_PCK_CHAIN, "ca", &ca->key, &err));
}

static void bits_of_a_certificate(void **state)
{
    (void)state;
    issuer ca;
    made m;
    atls_cert out;
    atls_error err = {0};
    open_issuer(&ca);
    make_with_everything(MAKE_LEAF, &m);
    assert_true(atls_cert_decode(made_bytes(&m), "leaf", &out, &err));
    assert_true(atls_link_verify(crypto, &out, &ca.cert, ca.key, 0, ATLS_E_PCK_CHAIN, "leaf", &err));
    size_t decoded = 0;
    for (size_t bit = 0; bit < 8 * m.len; bit++) {
        atls_error again = {0};
        m.der[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (atls_cert_decode(made_bytes(&m), "leaf", &out, &again)) {
            decoded++;
            check_slices_of_cert(&out, &m);
            assert_false(atls_link_verify(crypto, &out, &ca.cert, ca.key, 0, ATLS_E_PCK_CHAIN, "leaf", &again));
        }
        assert_int_not_equal(again.code, ATLS_OK);
        m.der[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    printf("# %zu of %zu flips decode, none verifies\n", decoded, 8 * m.len);
    assert_true(decoded > 0 && decoded < 8 * m.len);
    atls_key_close(ca.key);
}

static void bits_of_a_list(void **state)
{
    (void)state;
    issuer ca;
    made m;
    atls_crl out;
    atls_error err = {0};
    const atls_time now = 1717200000;
    make_crl spec = make_crl_default(MAKE_CA);
    spec.revoked = "01 02 0a02";
    spec.entry_extensions = "300a"
                            "0603551d15"
                            "04030a0101";
    open_issuer(&ca);
    make_crl_write(keys, &spec, &m);
    assert_true(atls_crl_decode(made_bytes(&m), "crl", &out, &err));
    assert_true(atls_crl_verify(crypto, &out, &ca.cert, ca.key, now, "crl", &err));
    size_t decoded = 0;
    for (size_t bit = 0; bit < 8 * m.len; bit++) {
        atls_error again = {0};
        m.der[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (atls_crl_decode(made_bytes(&m), "crl", &out, &again)) {
            decoded++;
            check_slices_of_crl(&out, &m);
            assert_false(atls_crl_verify(crypto, &out, &ca.cert, ca.key, now, "crl", &again));
            assert_true(again.code == ATLS_E_CRL); /* never a date, which an attacker could choose: those come last */
        }
        assert_int_not_equal(again.code, ATLS_OK);
        m.der[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    printf("# %zu of %zu flips decode, none verifies\n", decoded, 8 * m.len);
    assert_true(decoded > 0 && decoded < 8 * m.len);
    atls_key_close(ca.key);
}

/* ---- PEM ---- */

static uint8_t block[512 * 1024];

static atls_bytes make_pem(atls_arena *a, made *m)
{
    atls_bytes text;
    atls_error err = {0};
    make_with_everything(MAKE_LEAF, m);
    assert_true(atls_pem_encode(made_bytes(m), "CERTIFICATE", a, &text, &err));
    return text;
}

static bool read_pem(atls_bytes text, atls_arena *a, atls_bytes *der)
{
    size_t n;
    atls_error err = {0};
    return atls_pem_certificates(text, true, ATLS_E_PCK_CHAIN, "pem", a, der, 1, &n, &err);
}

static void prefixes_of_pem(void **state)
{
    (void)state;
    atls_arena a;
    made m;
    atls_bytes der;
    atls_arena_init(&a, block, sizeof block);
    atls_bytes text = make_pem(&a, &m);
    size_t mark = a.used;
    for (size_t len = 0; len + 1 < text.len; len++) {
        uint8_t *copy = malloc(len == 0 ? 1 : len);
        assert_non_null(copy);
        memcpy(copy, text.ptr, len);
        a.used = mark;
        assert_false(read_pem(atls_bytes_of(copy, len), &a, &der));
        free(copy);
    }
    assert_true(read_pem(atls_bytes_of(text.ptr, text.len - 1), &a, &der)); /* the last newline may go */
}

/* A flip is refused, or changes the certificate, which its signature then shows, or was in white space. */
static void bits_of_pem(void **state)
{
    (void)state;
    atls_arena a;
    made m;
    atls_bytes der;
    atls_arena_init(&a, block, sizeof block);
    atls_bytes text = make_pem(&a, &m);
    uint8_t *copy = malloc(text.len);
    assert_non_null(copy);
    memcpy(copy, text.ptr, text.len);
    size_t mark = a.used;
    size_t unchanged = 0;
    for (size_t bit = 0; bit < 8 * text.len; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        a.used = mark;
        if (read_pem(atls_bytes_of(copy, text.len), &a, &der) && atls_bytes_equal(der, made_bytes(&m))) {
            unchanged++;
        }
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(copy);
    assert_int_equal(unchanged, 0); /* no white space is one bit away from a newline */
}

int main(void)
{
    tap_list l = {0};
    atls_error err = {0};
    keys = make_keys_new();
    if (!atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    tap_add(&l, "every proper prefix of a certificate is refused", prefixes_of_a_certificate, NULL);
    tap_add(&l, "every proper prefix of a list is refused", prefixes_of_a_list, NULL);
    tap_add(&l, "every flipped bit of a certificate is refused", bits_of_a_certificate, NULL);
    tap_add(&l, "every flipped bit of a list is refused", bits_of_a_list, NULL);
    tap_add(&l, "every proper prefix of PEM is refused", prefixes_of_pem, NULL);
    tap_add(&l, "no flipped bit of PEM gives the same certificate", bits_of_pem, NULL);
    int failed = tap_run("robust", &l);
    atls_crypto_free(crypto);
    make_keys_free(keys);
    return failed;
}
