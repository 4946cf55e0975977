/* SPDX-License-Identifier: Apache-2.0 */
/* test_ca_once.c: one certificate for one nonce, and one number for one certificate. */
#include <pthread.h>

#include "ca_scene.h"
#include "tap.h"

#ifndef CA_MANY /* fewer where sanitizers are */
#define CA_MANY 10000
#endif
#define MANY    CA_MANY
#define THREADS 8

static atls_bytes keep(uint8_t *block, atls_bytes der)
{
    memcpy(block, der.ptr, der.len);
    return atls_bytes_of(block, der.len);
}

static void gives_it_again(void **state)
{
    static uint8_t block[8192];
    ca_scene s;
    atls_ca_facts f;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    assert_true(ca_scene_issue(&s));
    const atls_bytes first = keep(block, s.chain[0]);
    s.grant.now += 60;
    assert_true(ca_scene_issue(&s));
    assert_true(atls_bytes_equal(first, s.chain[0]));
    assert_int_equal(s.n, 3);
    atls_ca_describe(s.ca, SCENE_NOW, &f);
    assert_int_equal(f.n_issued, 1);
    assert_int_equal(f.n_repeated, 1);
    assert_int_equal(f.n_failed, 0);
    ca_scene_end(&s);
}

static void refuses_another_key(void **state)
{
    ca_scene s;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    assert_true(ca_scene_issue(&s));
    ca_scene_key(&s, "P-256");
    assert_false(ca_scene_issue(&s));
    assert_int_equal(s.err.code, ATLS_E_ENROL_ISSUE);
    assert_string_equal(s.err.field, "grant.nonce");
    ca_scene_end(&s);
}

/* What could not be issued leaves no trace: the enroller may come again. */
static void forgets_failures(void **state)
{
    ca_scene s;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    s.grant.security_level = "UNKNOWN";
    assert_false(ca_scene_issue(&s));
    assert_string_equal(s.err.field, "attested_key");
    s.grant.security_level = "STRONG_BOX";
    ca_scene_key(&s, "P-384");
    assert_true(ca_scene_issue(&s));
    ca_scene_end(&s);
}

/* Where nobody remembers, the number is the same one, and a list that revokes one revokes both. */
static void keeps_the_serial(void **state)
{
    static uint8_t block[8192];
    uint8_t serial[2][ATLS_CA_SERIAL_LEN];
    ca_scene s;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    X509 *first = ca_scene_issued(&s);
    const atls_bytes der = keep(block, s.chain[0]);
    assert_true(atls_ca_serial(s.ca, s.nonce_sha256, serial[0], &s.err));
    assert_true(ca_scene_reopen(&s, NULL));
    X509 *second = ca_scene_issued(&s);
    assert_true(atls_ca_serial(s.ca, s.nonce_sha256, serial[1], &s.err));
    assert_memory_equal(serial[0], serial[1], sizeof serial[0]);
    assert_int_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(first), X509_get0_serialNumber(second)), 0);
    assert_false(atls_bytes_equal(der, s.chain[0]));
    X509_free(first);
    X509_free(second);
    ca_scene_end(&s);
}

/* Another CA's secret makes other numbers. */
static void depends_on_the_secret(void **state)
{
    uint8_t serial[2][ATLS_CA_SERIAL_LEN];
    ca_scene s;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    assert_true(atls_ca_serial(s.ca, s.nonce_sha256, serial[0], &s.err));
    ca_scene_put(&s, "serial.key", "00000000000000000000000000000000000000000000000000000000000000ff\n", 0600);
    assert_true(ca_scene_reopen(&s, NULL));
    assert_true(atls_ca_serial(s.ca, s.nonce_sha256, serial[1], &s.err));
    assert_memory_not_equal(serial[0], serial[1], sizeof serial[0]);
    ca_scene_end(&s);
}

static int order(const void *a, const void *b)
{
    return memcmp(a, b, ATLS_CA_SERIAL_LEN + 1);
}

/* The number as it stands in the certificate, from the right of 17 bytes. */
static void take_serial(atls_bytes der, uint8_t out[ATLS_CA_SERIAL_LEN + 1])
{
    const unsigned char *at = der.ptr;
    X509 *c = d2i_X509(NULL, &at, (long)der.len);
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(c), NULL);
    assert_false(BN_is_negative(n) || BN_is_zero(n));
    assert_int_equal(BN_bn2binpad(n, out, ATLS_CA_SERIAL_LEN + 1), ATLS_CA_SERIAL_LEN + 1);
    BN_free(n);
    X509_free(c);
}

static void numbers_are_unique(void **state)
{
    static uint8_t serials[MANY][ATLS_CA_SERIAL_LEN + 1];
    unsigned bits[8 * ATLS_CA_SERIAL_LEN] = {0};
    ca_scene s;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    for (unsigned i = 0; i < MANY; i++) {
        ca_scene_nonce(&s, i);
        assert_true(ca_scene_issue(&s));
        take_serial(s.chain[0], serials[i]);
        for (size_t b = 0; b < sizeof bits / sizeof bits[0]; b++) {
            bits[b] += ((unsigned)serials[i][1 + b / 8] >> (7 - b % 8)) & 1u;
        }
    }
    for (size_t b = 0; b < sizeof bits / sizeof bits[0];
         b++) { /* each of 128 bits is a fair coin: twenty sigmas, or eleven of 3000 */
        assert_in_range(bits[b], MANY / 2 - MANY / 10, MANY / 2 + MANY / 10);
    }
    qsort(serials, MANY, sizeof serials[0], order);
    for (size_t i = 1; i < MANY; i++) {
        assert_true(order(serials[i - 1], serials[i]) != 0);
    }
    ca_scene_nonce(&s, 0); /* long forgotten, and made anew */
    assert_true(ca_scene_issue(&s));
    atls_ca_facts f;
    atls_ca_describe(s.ca, SCENE_NOW, &f);
    assert_int_equal(f.n_issued, MANY + 1);
    ca_scene_end(&s);
}

/* ---- many at the same time ---- */

typedef struct caller {
    const ca_scene *s;
    bool own_nonce;
    uint8_t nonce_sha256[32];
    bool ok;
    uint8_t der[8192];
    size_t len;
    atls_error err;
} caller;

static void *call(void *arg)
{
    caller *c = arg;
    atls_enrol_grant grant = c->s->grant;
    atls_arena a = {0};
    atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES];
    size_t n;
    if (c->own_nonce) {
        grant.nonce_sha256 = c->nonce_sha256;
    }
    c->ok = atls_arena_new(&a, (size_t)512 * 1024, &c->err) && atls_ca_issue(c->s->ca, &grant, &a, chain, &n, &c->err);
    if (c->ok) {
        c->len = chain[0].len;
        memcpy(c->der, chain[0].ptr, chain[0].len);
    }
    atls_arena_free(&a);
    return NULL;
}

static void run_callers(const ca_scene *s, caller *callers, bool own_nonce)
{
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        callers[i] = (caller){.s = s, .own_nonce = own_nonce, .nonce_sha256 = {(uint8_t)i, 1}};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static void one_of_many(void **state)
{
    static caller callers[THREADS];
    ca_scene s;
    atls_ca_facts f;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    for (unsigned round = 0; round < 50; round++) {
        const caller *winner = NULL;
        ca_scene_nonce(&s, round);
        run_callers(&s, callers, false);
        for (unsigned i = 0; i < THREADS; i++) {
            assert_true(callers[i].ok || strcmp(callers[i].err.field, "grant.nonce") == 0);
            if (!callers[i].ok) {
                continue;
            }
            winner = winner == NULL ? &callers[i] : winner;
            assert_int_equal(winner->len, callers[i].len);
            assert_memory_equal(winner->der, callers[i].der, winner->len);
        }
        assert_non_null(winner);
        atls_ca_describe(s.ca, SCENE_NOW, &f);
        assert_int_equal(f.n_issued, round + 1);
    }
    run_callers(&s, callers, true);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_true(callers[i].ok);
    }
    ca_scene_end(&s);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "asked again, it gives the same certificate, byte for byte", gives_it_again, NULL);
    tap_add(&l, "the same nonce with another key is refused", refuses_another_key, NULL);
    tap_add(&l, "what failed can be asked for again", forgets_failures, NULL);
    tap_add(&l, "beyond memory the number stays", keeps_the_serial, NULL);
    tap_add(&l, "numbers depend on the secret", depends_on_the_secret, NULL);
    tap_add(&l, "of many calls for one nonce one signs", one_of_many, NULL);
    tap_add(&l, "many numbers are different, positive, and of 128 fair bits", numbers_are_unique, NULL);
    return tap_run("ca_once", &l);
}
