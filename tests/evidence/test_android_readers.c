/* SPDX-License-Identifier: Apache-2.0 */
/* test_android_readers.c: what is read differently for phones, and only for them: every lenience is one that the strict reader
 * does not have. */
#include "android_scene.h"
#include "base/der.h"
#include "base/text.h"
#include "evidence/android/android.h"
#include "vectors.h"

/* A certificate of the simulator that was changed, as the second one of its chain. */
typedef struct lenience {
    const char *name;
    const char *settings[3];
    const char *field; /* of the strict reader's refusal; NULL: it reads the certificate, but knows its algorithm not */
} lenience;

static const lenience leniences[] = {
    {"GeneralizedTime before 2050", {"cert.attestation.time=generalized"}, "c.tbs.validity.not_before"},
    {"a negative serial", {"cert.attestation.serial=ff01"}, "c.tbs.serial"},
    {"a serial of 64 bytes",
     {"cert.attestation.serial=0102030405060708010203040506070801020304050607080102030405060708"
      "0102030405060708010203040506070801020304050607080102030405060708"},
     "c.tbs.serial"},
    {"another algorithm outside", {"cert.attestation.outer_hash=384"}, "c.signature_algorithm"},
    {"basic constraints that are none",
     {"cert.attestation.basic_constraints=0500"},
     "c.tbs.extensions.basic_constraints"},
    {"SHA-512", {"cert.attestation.hash=512"}, NULL},
};

static void test_lenience(void **state)
{
    const lenience *l = *state;
    atls_bytes ders[ANDROID_MAX_CERTIFICATES];
    atls_cert cert;
    size_t n = 0;
    atls_error err = {0};
    scene s;
    scene_open(&s, SIM_ANDROID_FACTORY, l->settings);
    assert_true(android_chain_split(s.in.evidence, &s.arena, ders, &n, &s.err) && n == 4);
    assert_true(atls_cert_decode_of_phone(ders[1], "c", &cert, &s.err));
    assert_false(cert.has_basic_constraints || cert.has_key_usage); /* listed, and no more */
    assert_int_equal(cert.n_extensions, 2);
    const bool strict = atls_cert_decode(ders[1], "c", &cert, &err);
    assert_int_equal(strict, l->field == NULL);
    if (strict) {
        assert_int_equal(cert.sig_alg, ATLS_SIG_UNKNOWN);
    } else {
        assert_string_equal(err.field, l->field);
    }
    scene_close(&s);
}

static void test_serial_limit(void **state)
{
    static const char *const settings[] = {
        "cert.attestation.serial=010203040506070801020304050607080102030405060708010203040506070801"
        "02030405060708010203040506070801020304050607080102030405060708ff",
        NULL};
    scene s;
    (void)state;
    scene_open(&s, SIM_ANDROID_FACTORY, settings);
    scene_run(&s);
    scene_expect(&s, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "chain[1].tbs.serial");
    scene_close(&s);
}

/* The software root's key, of 1024 bits: for chains of phones alone. */
static void test_short_rsa(void **state)
{
    atls_arena arena;
    atls_crypto *crypto = NULL;
    atls_bytes pem;
    atls_bytes der;
    bool is_crl;
    atls_cert cert;
    atls_key *key = NULL;
    atls_error err = {0};
    (void)state;
    assert_true(atls_arena_new(&arena, (size_t)1024 * 1024, &err) && atls_crypto_new(&crypto, &err));
    const bool found = vectors_read("android/roots/google-sw-rsa-2016.pem", &arena, &pem);
    if (found) {
        assert_true(atls_pem_next(&pem, ATLS_E_OTHER, "root", &arena, &is_crl, &der, &err));
        assert_true(atls_cert_decode_of_phone(der, "root", &cert, &err));
        assert_true(atls_key_open_insecure_rsa1024(crypto, &cert.key, ATLS_E_OTHER, "key", &key, &err));
        assert_true(atls_verify_der(crypto, key, ATLS_SHA256, cert.tbs, cert.signature, ATLS_E_OTHER, "sig", &err));
        atls_key_close(key);
        assert_false(atls_key_open(crypto, &cert.key, ATLS_E_OTHER, "key", &key, &err));
        assert_int_equal(err.code, ATLS_E_OTHER);
    }
    atls_crypto_free(crypto);
    atls_arena_free(&arena);
    if (!found) {
        skip();
    }
}

/* ---- texts ---- */

static void test_base64url(void **state)
{
    static const struct {
        const char *text;
        const char *out; /* NULL: refused */
    } rows[] = {{"", ""},
                {"YQ", "a"},
                {"YQ==", "a"},
                {"YWI", "ab"},
                {"YWI=", "ab"},
                {"YWJj", "abc"},
                {"-_-_", "\xfb\xff\xbf"},
                {"+/+/", NULL},
                {"YQ=", NULL},
                {"Y", NULL},
                {"YWJjZ", NULL},
                {"YR", NULL},
                {"Y Q", NULL},
                {"YQ===", NULL},
                {"=", NULL}};
    atls_arena arena;
    atls_error err = {0};
    (void)state;
    assert_true(atls_arena_new(&arena, 65536, &err));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_bytes out = atls_bytes_empty();
        atls_error why = {0};
        const bool ok = atls_base64url_decode(atls_bytes_str(rows[i].text), "f", &arena, &out, &why);
        if (ok != (rows[i].out != NULL) || (ok && !atls_bytes_equal_str(out, rows[i].out))) {
            fail_msg("%s", rows[i].text);
        }
    }
    atls_arena_free(&arena);
}

static bool read_time(const char *der, size_t n, bool any, atls_time *out)
{
    atls_error why = {0};
    atls_cur c;
    atls_cur_init(&c, atls_bytes_of(der, n), "", &why);
    return any ? atls_der_time_any(&c, "t", out) : atls_der_time(&c, "t", out);
}

static void test_times(void **state)
{
    static const char early[] = "\x18\x0f"
                                "19700101000000Z";
    static const char utc[] = "\x17\x0d"
                              "691231235959Z";
    static const char fraction[] = "\x18\x11"
                                   "20200101000000.0Z";
    atls_time t = 1;
    (void)state;
    assert_true(read_time(early, sizeof early - 1, true, &t) && t == 0);
    assert_false(read_time(early, sizeof early - 1, false, &t));
    assert_true(read_time(utc, sizeof utc - 1, true, &t) && t == -1);
    assert_false(read_time(fraction, sizeof fraction - 1, true, &t));
}

/* ---- forms of a chain ---- */

static const char *base64_of(scene *s, atls_bytes der, bool url)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char *out = atls_arena_alloc(&s->arena, der.len * 4 / 3 + 8, &s->err);
    size_t n = 0;
    assert_non_null(out);
    for (size_t i = 0; i < der.len; i += 3) {
        const size_t left = der.len - i;
        const uint32_t group = (uint32_t)der.ptr[i] << 16 | (left > 1 ? (uint32_t)der.ptr[i + 1] << 8 : 0)
                               | (left > 2 ? (uint32_t)der.ptr[i + 2] : 0);
        for (size_t k = 0; k < 4; k++) {
            const uint32_t digit = group >> (18 - 6 * k) & 63;
            const char c = digit < 62 ? digits[digit] : digit == 62 ? (url ? '-' : '+') : (url ? '_' : '/');
            if (k <= left) {
                out[n++] = c;
            } else if (!url) {
                out[n++] = '=';
            }
        }
    }
    return out;
}

/* The same chain in each form; and what each form does not take. */
static void test_forms(void **state)
{
    atls_bytes ders[ANDROID_MAX_CERTIFICATES];
    size_t n = 0;
    scene s;
    (void)state;
    scene_open(&s, SIM_ANDROID_FACTORY, NULL);
    assert_true(android_chain_split(s.in.evidence, &s.arena, ders, &n, &s.err));
    for (unsigned form = 0; form < 4; form++) {
        atls_buf b;
        atls_buf_init(&b, &s.arena, &s.err);
        atls_buf_str(&b, form == 2 ? "{\"typ\":\"android-key\",\"x5c\":[" : form == 3 ? "" : " [");
        for (size_t i = 0; i < n; i++) {
            atls_bytes pem;
            assert_true(atls_pem_encode(ders[i], "CERTIFICATE", &s.arena, &pem, &s.err));
            if (form == 3) {
                atls_buf_put(&b, pem);
            } else {
                atls_buf_format(&b, "%s\"%s\"", i == 0 ? "" : ",", base64_of(&s, ders[i], form != 0));
            }
        }
        atls_buf_str(&b, form == 2 ? "]}" : form == 3 ? "" : "]");
        assert_true(atls_buf_done(&b, &s.in.evidence));
        scene_run(&s);
        scene_expect(&s, ATLS_OK, NULL);
    }
    static const char *const refused[] = {"[]",
                                          "{}",
                                          "[1]",
                                          "[\"*\"]",
                                          "{\"typ\":\"ios-appattest\",\"x5c\":[]}",
                                          "{\"typ\":\"android-key\"}",
                                          "{\"typ\":\"android-key\",\"x5c\":[\"MA+A\"]}",
                                          "[\"MAA\",",
                                          "-----BEGIN CERTIFICATE-----\n"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        s.in.evidence = atls_bytes_str(refused[i]);
        scene_run(&s);
        assert_int_equal(s.err.code, ATLS_E_ANDROID_CHAIN_UNPARSABLE);
    }
    scene_close(&s);
}

int main(void)
{
    tap_list list = {0};
    for (size_t i = 0; i < sizeof leniences / sizeof leniences[0]; i++) {
        tap_add(&list, leniences[i].name, test_lenience, &leniences[i]);
    }
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_serial_limit), cmocka_unit_test(test_short_rsa), cmocka_unit_test(test_base64url),
        cmocka_unit_test(test_times),        cmocka_unit_test(test_forms),
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        tap_add(&list, others[i].name, others[i].test_func, NULL);
    }
    return tap_run("android_readers", &list);
}
