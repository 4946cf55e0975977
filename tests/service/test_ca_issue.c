/* SPDX-License-Identifier: Apache-2.0 */
/* test_ca_issue.c: what is issued is what was meant, in the eyes of OpenSSL and in ours. */
#include <openssl/x509v3.h>

#include "atls/enrolled.h"
#include "base/text.h"
#include "ca_scene.h"
#include "pki/chain.h"
#include "tap.h"

/* ---- chains ---- */

typedef struct kind {
    const char *name;
    const char *phone;
    atls_ca_key_kind ca;
    bool without_intermediate;
    int nid; /* of the signature */
} kind;

static const kind kinds[] = {
    {"P-256 by P-256", "P-256", ATLS_CA_P256, false, NID_ecdsa_with_SHA256},
    {"P-384 by P-256", "P-384", ATLS_CA_P256, false, NID_ecdsa_with_SHA256},
    {"RSA by P-384", "RSA", ATLS_CA_P384, false, NID_ecdsa_with_SHA384},
    {"P-256 by a P-384 root alone", "P-256", ATLS_CA_P384, true, NID_ecdsa_with_SHA384},
    {"RSA by a P-256 root alone", "RSA", ATLS_CA_P256, true, NID_ecdsa_with_SHA256},
};

/* The chain as core/pki judges chains: each link, each date, the leaf. */
static void verify_with_ours(const ca_scene *s)
{
    static atls_cert c[ATLS_CA_MAX_CHAIN + 1];
    atls_crypto *crypto;
    atls_error err = {.code = ATLS_OK};
    assert_true(atls_crypto_new(&crypto, &err));
    for (size_t i = 0; i < s->n; i++) {
        assert_true(atls_cert_decode(s->chain[i], "c", &c[i], &err));
        assert_true(atls_validity_check(c[i].not_before, c[i].not_after, SCENE_NOW, "c", &err));
    }
    for (size_t i = 0; i < s->n; i++) {
        const size_t by = i + 1 < s->n ? i + 1 : i;
        const uint32_t below = by == 0 ? 0 : (uint32_t)(by - 1);
        atls_key *key;
        assert_true(atls_key_open(crypto, &c[by].key, ATLS_E_OTHER, "c", &key, &err));
        const bool ok = atls_link_verify(crypto, &c[i], &c[by], key, below, ATLS_E_OTHER, "c", &err);
        atls_key_close(key);
        assert_true(ok);
    }
    assert_true(atls_leaf_check(&c[0], ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_OTHER, "c", &err));
    assert_true(atls_bytes_equal(c[0].spki, s->grant.spki));
    atls_crypto_free(crypto);
}

static void verifies(void **state)
{
    const kind *k = *state;
    ca_scene s;
    ca_scene_begin(&s);
    s.init.key = k->ca;
    s.init.without_intermediate = k->without_intermediate;
    ca_scene_make(&s, NULL);
    ca_scene_key(&s, k->phone);
    X509 *leaf = ca_scene_issued(&s);
    assert_int_equal(s.n, k->without_intermediate ? 2 : 3);
    assert_int_equal(ca_scene_verify(&s, SCENE_NOW), X509_V_OK);
    assert_int_equal(ca_scene_verify(&s, SCENE_NOW - 300), X509_V_OK);
    assert_int_equal(ca_scene_verify(&s, SCENE_NOW - 301), X509_V_ERR_CERT_NOT_YET_VALID);
    assert_int_equal(ca_scene_verify(&s, SCENE_NOW + 863999), X509_V_OK); /* OpenSSL leaves the last second out */
    assert_int_equal(ca_scene_verify(&s, SCENE_NOW + 864001), X509_V_ERR_CERT_HAS_EXPIRED);
    assert_int_equal(X509_get_signature_nid(leaf), k->nid);
    verify_with_ours(&s);
    X509_free(leaf);
    ca_scene_end(&s);
}

/* ---- fields ---- */

static void check_extension(const X509 *c, int at, int nid, bool critical)
{
    X509_EXTENSION *e = X509_get_ext(c, at);
    assert_non_null(e);
    assert_int_equal(OBJ_obj2nid(X509_EXTENSION_get_object(e)), nid);
    assert_int_equal(X509_EXTENSION_get_critical(e), critical);
}

static void check_key_ids(const ca_scene *s, X509 *leaf)
{
    const unsigned char *at = s->chain[1].ptr;
    X509 *issuer = d2i_X509(NULL, &at, (long)s->chain[1].len);
    const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id(leaf);
    assert_int_equal(ASN1_OCTET_STRING_cmp(aki, X509_get0_subject_key_id(issuer)), 0);
    assert_int_equal(X509_NAME_cmp(X509_get_issuer_name(leaf), X509_get_subject_name(issuer)), 0);
    /* RFC 7093: the first 160 bits of SHA-256 of the key's bits */
    uint8_t digest[32];
    unsigned n;
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(leaf);
    assert_int_equal(EVP_Digest(bits->data, (size_t)bits->length, digest, &n, EVP_sha256(), NULL), 1);
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(leaf);
    assert_int_equal(ASN1_STRING_length(ski), 20);
    assert_memory_equal(ASN1_STRING_get0_data(ski), digest, 20);
    X509_free(issuer);
}

static void check_usage(X509 *leaf)
{
    assert_int_equal(X509_get_key_usage(leaf), X509v3_KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(leaf), XKU_SSL_CLIENT);
    assert_int_equal(X509_check_ca(leaf), 0);
    assert_int_equal(X509_get_extension_flags(leaf) & (EXFLAG_CRITICAL | EXFLAG_INVALID | EXFLAG_CA), 0);
    assert_int_not_equal(X509_get_extension_flags(leaf) & EXFLAG_BCONS, 0);
}

static void check_attested(const ca_scene *s)
{
    static atls_cert c;
    atls_enrolled e;
    atls_error err = {.code = ATLS_OK};
    assert_true(atls_cert_decode(s->chain[0], "c", &c, &err));
    const atls_extension *x = atls_cert_extension(&c, atls_enrolled_oid());
    assert_non_null(x);
    assert_false(x->critical);
    assert_true(atls_enrolled_extension_read(x->value, &e, &err));
    assert_int_equal(e.version, 1);
    assert_int_equal(e.platform, ATLS_PLATFORM_ANDROID);
    assert_true(atls_bytes_equal_str(e.app, "org.example.wallet"));
    assert_string_equal(e.security_level, "STRONG_BOX");
    assert_memory_equal(e.policy_sha256, s->policy_sha256, 32);
}

static void says_what_is_meant(void **state)
{
    ca_scene s;
    uint8_t serial[ATLS_CA_SERIAL_LEN];
    char text[128];
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    X509 *c = ca_scene_issued(&s);
    assert_int_equal(X509_get_version(c), X509_VERSION_3);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(c), NULL);
    assert_true(atls_ca_serial(s.ca, s.nonce_sha256, serial, &s.err));
    BIGNUM *expected = BN_bin2bn(serial, sizeof serial, NULL);
    assert_int_equal(BN_cmp(number, expected), 0);
    assert_false(BN_is_negative(number));
    BN_free(number);
    BN_free(expected);
    assert_string_equal(X509_NAME_oneline(X509_get_subject_name(c), text, sizeof text), "/CN=org.example.wallet");
    time_t at = SCENE_NOW - 300;
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(c), at), 0);
    at = SCENE_NOW + 864000;
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(c), at), 0);
    assert_int_equal(X509_get_ext_count(c), 6);
    check_extension(c, 0, NID_basic_constraints, true);
    check_extension(c, 1, NID_key_usage, true);
    check_extension(c, 2, NID_ext_key_usage, false);
    check_extension(c, 3, NID_subject_key_identifier, false);
    check_extension(c, 4, NID_authority_key_identifier, false);
    check_extension(c, 5, NID_undef, false);
    assert_int_equal(OBJ_obj2txt(text, sizeof text, X509_EXTENSION_get_object(X509_get_ext(c, 5)), 1),
                     strlen(ATLS_ENROLLED_OID));
    assert_string_equal(text, ATLS_ENROLLED_OID);
    check_usage(c);
    check_key_ids(&s, c);
    check_attested(&s);
    X509_free(c);
    ca_scene_end(&s);
}

static void holds_no_nonce(void **state)
{
    ca_scene s;
    char hex[65];
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s,
                  "{\"subject_from_csr\":[\"CN\",\"OU\",\"O\"],\"subject\":[{\"type\":\"L\",\"value\":\"{key}\"}]}");
    atls_hex_encode(atls_bytes_of(s.nonce, sizeof s.nonce), hex);
    const ca_wish names[] = {{"2.5.4.11", 0x0c, hex, 0}, {"2.5.4.10", 0x0c, "Example", 0}, {.oid = NULL}};
    ca_scene_names(&s, names);
    X509_free(ca_scene_issued(&s));
    for (size_t i = 0; i < s.n; i++) {
        assert_false(ca_scene_contains(s.chain[i], atls_bytes_of(s.nonce, sizeof s.nonce)));
        assert_false(ca_scene_contains(s.chain[i], atls_bytes_of(s.nonce_sha256, sizeof s.nonce_sha256)));
        assert_false(ca_scene_contains(s.chain[i], atls_bytes_str(hex)));
        assert_false(ca_scene_contains(s.chain[i], atls_bytes_str("\x55\x04\x05"))); /* serialNumber */
    }
    assert_true(ca_scene_contains(s.chain[0], atls_bytes_str("Example")));
    ca_scene_end(&s);
}

/* ---- keys that are not certified ---- */

typedef struct bad_key {
    const char *name;
    const char *hex; /* NULL: P-521 */
} bad_key;

#define POINT                                                                                                          \
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"                                                 \
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define P256 "301306072a8648ce3d020106082a8648ce3d030107"
static const bad_key bad_keys[] = {
    {"P-521", NULL},
    {"nothing", ""},
    {"a NULL", "0500"},
    {"a point that is not on the curve", "3059" P256 "034200"
                                         "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                                         "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f6"},
    {"a compressed point", "3039" P256 "032200"
                           "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"},
    {"a byte behind the key", "3059" P256 "034200"
                              "04" POINT "00"},
    {"a byte behind the bits", "305a" P256 "034200"
                               "04" POINT "00"},
    {"a long length", "308159" P256 "034200"
                      "04" POINT},
    {"unused bits", "3059" P256 "034201"
                    "04" POINT},
    {"a key of Ed25519", "302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},
};

static void refuses_key(void **state)
{
    const bad_key *row = *state;
    ca_scene s;
    uint8_t spki[256];
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    if (row->hex == NULL) {
        ca_scene_key(&s, "P-521");
    } else {
        const size_t n = strlen(row->hex) / 2;
        assert_true(atls_hex_fixed(atls_bytes_str(row->hex), spki, n));
        s.grant.spki = atls_bytes_of(spki, n);
    }
    assert_false(ca_scene_issue(&s));
    assert_int_equal(s.err.code, ATLS_E_ENROL_ISSUE);
    assert_int_equal(s.err.category, ATLS_CATEGORY_INTERNAL);
    assert_string_equal(s.err.field, "grant.spki");
    assert_int_equal(s.n, 0);
    ca_scene_end(&s);
}

/* the key that the rows above spoil */
static void takes_key(void **state)
{
    static const char hex[] = "3059" P256 "034200"
                              "04" POINT;
    ca_scene s;
    uint8_t spki[91];
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    assert_true(atls_hex_fixed(atls_bytes_str(hex), spki, sizeof spki));
    s.grant.spki = atls_bytes_of(spki, sizeof spki);
    X509_free(ca_scene_issued(&s));
    ca_scene_end(&s);
}

/* ---- dates of the CA ---- */

static void keeps_within_the_issuer(void **state)
{
    ca_scene s;
    (void)state;
    ca_scene_begin(&s);
    s.init.issuer_days = 5; /* until SCENE_NOW + 4 days */
    ca_scene_make(&s, NULL);
    X509 *c = ca_scene_issued(&s);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(c), (time_t)(SCENE_NOW + 4 * 86400)), 0);
    assert_int_equal(ca_scene_verify(&s, SCENE_NOW + 4 * 86400 - 1), X509_V_OK);
    X509_free(c);
    ca_scene_nonce(&s, 2);
    s.grant.now = s.init.now - 100; /* the issuer is valid from 300 seconds before */
    c = ca_scene_issued(&s);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(c), (time_t)(s.init.now - 300)), 0);
    X509_free(c);
    ca_scene_end(&s);
}

typedef struct moment {
    const char *name;
    int64_t from_init; /* seconds */
    const char *field; /* NULL: issued */
} moment;

static const moment moments[] = {
    {"at the issuer's first second", -300, NULL},
    {"a second before it", -301, "issuer.not_before"},
    {"at its last second", 5 * 86400, NULL},
    {"a second after it", 5 * 86400 + 1, "issuer.not_after"},
};

static void minds_the_clock(void **state)
{
    const moment *m = *state;
    ca_scene s;
    ca_scene_begin(&s);
    s.init.issuer_days = 5;
    ca_scene_make(&s, NULL);
    s.grant.now = s.init.now + m->from_init;
    assert_int_equal(ca_scene_issue(&s), m->field == NULL);
    assert_string_equal(s.err.field, m->field == NULL ? "" : m->field);
    assert_int_equal(s.err.code, m->field == NULL ? ATLS_OK : ATLS_E_ENROL_ISSUE);
    ca_scene_end(&s);
}

static void tells_days(void **state)
{
    ca_scene s;
    atls_ca_facts f;
    (void)state;
    ca_scene_begin(&s);
    s.init.issuer_days = 5;
    ca_scene_make(&s, NULL);
    const atls_time end = s.init.now + 5 * 86400;
    static const struct {
        int64_t before;
        int64_t days;
    } rows[] = {{86400, 1}, {86399, 0}, {0, 0}, {-1, -1}, {-86400, -1}, {-86401, -2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_ca_describe(s.ca, end - rows[i].before, &f);
        assert_int_equal(f.days_left, rows[i].days);
    }
    assert_int_equal(f.not_after, end);
    assert_string_equal(f.key_source, "file");
    ca_scene_end(&s);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        tap_add(&l, kinds[i].name, verifies, &kinds[i]);
    }
    tap_add(&l, "every field is what was meant", says_what_is_meant, NULL);
    tap_add(&l, "no certificate holds the nonce", holds_no_nonce, NULL);
    tap_add(&l, "a key of the standard's base point", takes_key, NULL);
    for (size_t i = 0; i < sizeof bad_keys / sizeof bad_keys[0]; i++) {
        tap_add(&l, bad_keys[i].name, refuses_key, &bad_keys[i]);
    }
    tap_add(&l, "no certificate outlives its issuer, or was there before it", keeps_within_the_issuer, NULL);
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        tap_add(&l, moments[i].name, minds_the_clock, &moments[i]);
    }
    tap_add(&l, "days are rounded down", tells_days, NULL);
    return tap_run("ca_issue", &l);
}
