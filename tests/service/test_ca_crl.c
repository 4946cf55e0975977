/* SPDX-License-Identifier: Apache-2.0 */
/* test_ca_crl.c: lists that OpenSSL and our own reader believe, and that name what was named. */
#include <openssl/x509v3.h>

#include "ca_scene.h"
#include "pki/chain.h"
#include "tap.h"

#define MANY 20000

static atls_arena room;
static atls_bytes serials[MANY];
static uint8_t numbers[MANY][ATLS_CA_SERIAL_LEN];

static void verify_with_ours(const ca_scene *s, atls_bytes der, atls_time at, const uint8_t *listed, bool is_listed)
{
    static atls_cert issuer;
    atls_crl crl;
    atls_crypto *crypto;
    atls_key *key;
    atls_error err = {.code = ATLS_OK};
    atls_ca_facts f;
    atls_ca_describe(s->ca, SCENE_NOW, &f);
    assert_true(atls_crypto_new(&crypto, &err));
    assert_true(atls_cert_decode(f.chain[0], "c", &issuer, &err) && atls_crl_decode(der, "l", &crl, &err));
    assert_true(atls_key_open(crypto, &issuer.key, ATLS_E_CRL, "c", &key, &err));
    const bool ok = atls_crl_verify(crypto, &crl, &issuer, key, at, "l", &err);
    atls_key_close(key);
    atls_crypto_free(crypto);
    assert_true(ok);
    if (listed != NULL) {
        const uint8_t *at_digit = listed;
        size_t n = ATLS_CA_SERIAL_LEN;
        while (n > 1 && *at_digit == 0) {
            at_digit++;
            n--;
        }
        assert_int_equal(atls_crl_lists(&crl, atls_bytes_of(at_digit, n)), is_listed);
    }
}

static X509_CRL *parse(atls_bytes der)
{
    const unsigned char *at = der.ptr;
    X509_CRL *out = d2i_X509_CRL(NULL, &at, (long)der.len);
    assert_true(out != NULL && at == der.ptr + der.len);
    return out;
}

static void revokes(void **state)
{
    ca_scene s;
    atls_bytes der;
    uint8_t serial[ATLS_CA_SERIAL_LEN];
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    X509 *c = ca_scene_issued(&s);
    assert_true(atls_ca_serial(s.ca, s.nonce_sha256, serial, &s.err));
    const atls_bytes one = atls_bytes_of(serial, sizeof serial);
    assert_true(atls_ca_crl(s.ca, &one, 1, SCENE_NOW, 604800, &s.arena, &der, &s.err));
    X509_CRL *l = parse(der);
    X509_REVOKED *entry;
    assert_int_equal(X509_CRL_get0_by_cert(l, &entry, c), 1);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_lastUpdate(l), (time_t)SCENE_NOW), 0);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_CRL_get0_nextUpdate(l), (time_t)(SCENE_NOW + 604800)), 0);
    verify_with_ours(&s, der, SCENE_NOW + 604800, serial, true);
    X509_CRL_free(l);
    X509_free(c);
    ca_scene_end(&s);
}

static void lists_nothing(void **state)
{
    ca_scene s;
    atls_bytes der;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    assert_true(atls_ca_crl(s.ca, NULL, 0, SCENE_NOW, 60, &s.arena, &der, &s.err));
    X509_CRL *l = parse(der);
    assert_null(X509_CRL_get_REVOKED(l));
    ASN1_INTEGER *number = X509_CRL_get_ext_d2i(l, NID_crl_number, NULL, NULL);
    assert_int_equal(ASN1_INTEGER_get(number), SCENE_NOW);
    ASN1_INTEGER_free(number);
    verify_with_ours(&s, der, SCENE_NOW, (const uint8_t[ATLS_CA_SERIAL_LEN]){1}, false);
    X509_CRL_free(l);
    ca_scene_end(&s);
}

static void lists_many(void **state)
{
    ca_scene s;
    atls_bytes der;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    assert_true(atls_arena_new(&room, (size_t)16 * 1024 * 1024, &s.err));
    for (unsigned i = 0; i < MANY; i++) {
        numbers[i][0] = 0x80;
        numbers[i][14] = (uint8_t)(i >> 8);
        numbers[i][15] = (uint8_t)i;
        serials[i] = atls_bytes_of(numbers[i], ATLS_CA_SERIAL_LEN);
    }
    assert_true(atls_ca_crl(s.ca, serials, MANY, SCENE_NOW, 60, &room, &der, &s.err));
    assert_true(der.len > 0x10000);
    verify_with_ours(&s, der, SCENE_NOW, numbers[MANY - 1], true);
    verify_with_ours(&s, der, SCENE_NOW, (const uint8_t[ATLS_CA_SERIAL_LEN]){0x80, 1}, false);
    X509_CRL *l = parse(der);
    assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(l)), MANY);
    X509_CRL_free(l);
    atls_arena_free(&room);
    ca_scene_end(&s);
}

typedef struct row {
    const char *name;
    size_t len;
    uint8_t first;
    atls_time now;
    int64_t seconds;
    const char *field; /* NULL: made */
} row;

static const row rows[] = {
    {"a serial of 20 bytes", 20, 1, SCENE_NOW, 60, NULL},
    {"one of 21", 21, 1, SCENE_NOW, 60, "serials"},
    {"one of none", 0, 1, SCENE_NOW, 60, "serials"},
    {"zero", 20, 0, SCENE_NOW, 60, "serials"},
    {"no time to live", 20, 1, SCENE_NOW, 0, "seconds"},
    {"more than a year", 20, 1, SCENE_NOW, 366 * 86400 + 1, "seconds"},
    {"a year", 20, 1, SCENE_NOW, 366 * 86400, NULL},
    {"after the issuer", 20, 1, SCENE_NOW + (atls_time)2000 * 86400, 60, "issuer.not_after"},
    {"before it", 20, 1, SCENE_NOW - 2 * 86400, 60, "issuer.not_before"},
};

static void lists_or_fails(void **state)
{
    const row *r = *state;
    ca_scene s;
    atls_bytes der;
    uint8_t serial[21] = {r->first};
    const atls_bytes one = atls_bytes_of(serial, r->len);
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    assert_int_equal(atls_ca_crl(s.ca, &one, 1, r->now, r->seconds, &s.arena, &der, &s.err), r->field == NULL);
    assert_string_equal(s.err.field, r->field == NULL ? "" : r->field);
    ca_scene_end(&s);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "a certificate is revoked", revokes, NULL);
    tap_add(&l, "nothing is", lists_nothing, NULL);
    tap_add(&l, "twenty thousand are", lists_many, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, lists_or_fails, &rows[i]);
    }
    return tap_run("ca_crl", &l);
}
