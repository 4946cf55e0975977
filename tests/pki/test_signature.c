/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures: what is accepted, and every way to be refused that an attacker can choose. */
#include "pki/signature.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <pthread.h>

#include "make.h"
#include "tap.h"

static const uint8_t message[] = "one quote, 632 bytes of it";

static make_keys *keys;
static atls_crypto *crypto;

static atls_bytes data(void)
{
    return atls_bytes_of(message, sizeof message);
}

static atls_key *open_key(make_key which)
{
    atls_error err = {0};
    atls_key *key;
    atls_public_key k = make_public_key(keys, which);
    assert_true(atls_key_open(crypto, &k, ATLS_E_QUOTE_FORMAT, "key", &key, &err));
    return key;
}

static size_t sign_der(make_key which, const char *md, uint8_t out[600])
{
    size_t len = 600;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_MD *digest = EVP_MD_fetch(NULL, md, NULL);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, digest, NULL, keys->pkey[which]), 1);
    assert_int_equal(EVP_DigestSign(ctx, out, &len, message, sizeof message), 1);
    EVP_MD_free(digest);
    EVP_MD_CTX_free(ctx);
    return len;
}

static void sign_raw(make_key which, const char *md, uint8_t *out, size_t field_len)
{
    uint8_t der[600];
    const uint8_t *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)sign_der(which, md, der));
    assert_non_null(sig);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)field_len), (int)field_len);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + field_len, (int)field_len), (int)field_len);
    ECDSA_SIG_free(sig);
}

/* n and its negation, from OpenSSL and not from our own table */
static void order_of(make_key which, BIGNUM *n)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(which == MAKE_P384 ? NID_secp384r1 : NID_X9_62_prime256v1);
    assert_non_null(BN_copy(n, EC_GROUP_get0_order(group)));
    EC_GROUP_free(group);
}

/* ---- raw signatures: one change of a good one each, for both curves ---- */

typedef struct raw_row {
    const char *name;
    void (*change)(make_key which, uint8_t *rs, size_t field_len, size_t *len);
    bool ok;
} raw_row;

static void nothing(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)which, (void)rs, (void)field_len, (void)len;
}
static void r_zero(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)which, (void)len;
    memset(rs, 0, field_len);
}
static void s_zero(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)which, (void)len;
    memset(rs + field_len, 0, field_len);
}
static void both_zero(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)which, (void)len;
    memset(rs, 0, 2 * field_len);
}
static void put_order(make_key which, uint8_t *at, size_t field_len, BN_ULONG add)
{
    BIGNUM *n = BN_new();
    order_of(which, n);
    BN_add_word(n, add);
    assert_int_equal(BN_bn2binpad(n, at, (int)field_len), (int)field_len);
    BN_free(n);
}
static void r_order(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)len;
    put_order(which, rs, field_len, 0);
}
static void s_order(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)len;
    put_order(which, rs + field_len, field_len, 0);
}
static void r_above(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)len;
    put_order(which, rs, field_len, 1);
}
static void all_ones(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)which, (void)len;
    memset(rs, 0xff, 2 * field_len);
}
static void r_and_s_one(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)which, (void)len;
    memset(rs, 0, 2 * field_len);
    rs[field_len - 1] = 1;
    rs[2 * field_len - 1] = 1;
}
static void negate_s(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)len;
    BIGNUM *n = BN_new();
    BIGNUM *s = BN_bin2bn(rs + field_len, (int)field_len, NULL);
    order_of(which, n);
    BN_sub(s, n, s);
    assert_int_equal(BN_bn2binpad(s, rs + field_len, (int)field_len), (int)field_len);
    BN_free(n);
    BN_free(s);
}
static void swap_halves(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)which, (void)len;
    uint8_t r[48];
    memcpy(r, rs, field_len);
    memmove(rs, rs + field_len, field_len);
    memcpy(rs + field_len, r, field_len);
}
static void one_short(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)which, (void)rs, (void)field_len;
    *len -= 1;
}
static void one_long(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)which, (void)field_len;
    rs[*len] = 0;
    *len += 1;
}
static void empty(make_key which, uint8_t *rs, size_t field_len, size_t *len)
{
    (void)which, (void)rs, (void)field_len;
    *len = 0;
}

static const raw_row raw_rows[] = {
    {"raw: a good signature", nothing, true},
    {"raw: s negated, the other half of the curve, is as good", negate_s, true},
    {"raw: r = 0", r_zero, false},
    {"raw: s = 0", s_zero, false},
    {"raw: r = s = 0", both_zero, false},
    {"raw: r = n", r_order, false},
    {"raw: s = n", s_order, false},
    {"raw: r = n + 1", r_above, false},
    {"raw: all ones", all_ones, false},
    {"raw: r = s = 1", r_and_s_one, false},
    {"raw: halves swapped", swap_halves, false},
    {"raw: one byte short", one_short, false},
    {"raw: one byte long", one_long, false},
    {"raw: empty", empty, false},
};

static void run_raw_on(const raw_row *row, make_key which, atls_hash h, const char *md, size_t field_len)
{
    uint8_t rs[97];
    size_t len = 2 * field_len;
    atls_error err = {0};
    sign_raw(which, md, rs, field_len);
    row->change(which, rs, field_len, &len);
    atls_key *key = open_key(which);
    bool ok = atls_verify_raw(crypto, key, h, data(), atls_bytes_of(rs, len), ATLS_E_QUOTE_SIGNATURE, "quote.signature",
                              &err);
    atls_key_close(key);
    assert_int_equal(ok, row->ok);
    assert_int_equal(err.code, row->ok ? ATLS_OK : ATLS_E_QUOTE_SIGNATURE);
    assert_string_equal(err.field, row->ok ? "" : "quote.signature");
    assert_int_equal(ERR_peek_error(), 0);
}

static void run_raw(void **state)
{
    const raw_row *row = *state;
    run_raw_on(row, MAKE_ROOT, ATLS_SHA256, "SHA256", 32);
    run_raw_on(row, MAKE_P384, ATLS_SHA384, "SHA384", 48);
}

static void every_bit_of_a_raw_signature(void **state)
{
    (void)state;
    uint8_t rs[64];
    sign_raw(MAKE_ROOT, "SHA256", rs, 32);
    atls_key *key = open_key(MAKE_ROOT);
    for (size_t bit = 0; bit < 512; bit++) {
        atls_error err = {0};
        rs[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(atls_verify_raw(crypto, key, ATLS_SHA256, data(), atls_bytes_of(rs, 64), ATLS_E_QUOTE_SIGNATURE,
                                     "s", &err));
        rs[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    atls_key_close(key);
}

/* Small r and s have leading zeros: their DER must come out minimal, or OpenSSL refuses. Every one of these verifies.
 */
static void short_halves(void **state)
{
    (void)state;
    atls_key *key = open_key(MAKE_ROOT);
    size_t n_short = 0;
    for (int i = 0; i < 2000 && n_short < 4; i++) {
        uint8_t rs[64];
        atls_error err = {0};
        sign_raw(MAKE_ROOT, "SHA256", rs, 32);
        bool is_short = rs[0] == 0 || rs[32] == 0;
        n_short += is_short ? 1 : 0;
        if (is_short || i < 4) {
            assert_true(atls_verify_raw(crypto, key, ATLS_SHA256, data(), atls_bytes_of(rs, 64), ATLS_E_QUOTE_SIGNATURE,
                                        "s", &err));
        }
    }
    assert_true(n_short > 0);
    atls_key_close(key);
}

/* ---- DER signatures ---- */

typedef struct der_row {
    const char *name;
    const char *hex; /* replaces the signature */
} der_row;

static const der_row der_rows[] = {
    {"der: empty", ""},
    {"der: an empty sequence", "3000"},
    {"der: one integer", "3003020101"},
    {"der: three integers", "3009020101020101020101"},
    {"der: r = 0", "3006020100020101"},
    {"der: s = 0", "3006020101020100"},
    {"der: negative r", "30060201ff020101"},
    {"der: r = s = 1 does not verify", "3006020101020101"},
    {"der: r = n", "3026022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551020101"},
    {"der: s = n", "3026020101022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
    {"der: r of 33 bytes", "302602210100000000000000000000000000000000000000000000000000000000000000000201"
                           "01"},
};

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return n;
}

static void refuse_der(make_key which, atls_bytes sig)
{
    atls_error err = {0};
    atls_key *key = open_key(which);
    assert_false(atls_verify_der(crypto, key, ATLS_SHA256, data(), sig, ATLS_E_PCK_CHAIN, "leaf.signature", &err));
    atls_key_close(key);
    assert_int_equal(err.code, ATLS_E_PCK_CHAIN);
    assert_string_equal(err.field, "leaf.signature");
    assert_int_equal(ERR_peek_error(), 0);
}

static void run_der(void **state)
{
    const der_row *row = *state;
    uint8_t sig[128];
    refuse_der(MAKE_ROOT, atls_bytes_of(sig, from_hex(row->hex, sig)));
}

static bool accept_der(make_key which, atls_hash h, atls_bytes sig)
{
    atls_error err = {0};
    atls_key *key = open_key(which);
    bool ok = atls_verify_der(crypto, key, h, data(), sig, ATLS_E_PCK_CHAIN, "leaf.signature", &err);
    atls_key_close(key);
    return ok;
}

/* Any curve with any hash, when the caller says so: phones sign with P-256 and SHA-384. */
static void der_good(void **state)
{
    (void)state;
    static const struct {
        make_key key;
        atls_hash h;
        const char *md;
    } rows[] = {
        {MAKE_ROOT, ATLS_SHA256, "SHA256"}, {MAKE_ROOT, ATLS_SHA384, "SHA384"}, {MAKE_ROOT, ATLS_SHA512, "SHA512"},
        {MAKE_P384, ATLS_SHA256, "SHA256"}, {MAKE_P384, ATLS_SHA384, "SHA384"}, {MAKE_RSA, ATLS_SHA256, "SHA256"},
        {MAKE_RSA, ATLS_SHA384, "SHA384"},  {MAKE_RSA, ATLS_SHA512, "SHA512"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t sig[600];
        size_t len = sign_der(rows[i].key, rows[i].md, sig);
        assert_true(accept_der(rows[i].key, rows[i].h, atls_bytes_of(sig, len)));
        atls_hash other = rows[i].h == ATLS_SHA256 ? ATLS_SHA384 : ATLS_SHA256;
        assert_false(accept_der(rows[i].key, other, atls_bytes_of(sig, len)));
    }
}

static void der_spelt_otherwise(void **state)
{
    (void)state;
    uint8_t sig[600];
    uint8_t changed[700];
    size_t len = sign_der(MAKE_ROOT, "SHA256", sig);
    memcpy(changed, sig, len);
    changed[len] = 0;
    refuse_der(MAKE_ROOT, atls_bytes_of(changed, len + 1)); /* after the end */
    changed[1] = (uint8_t)(changed[1] + 1);
    refuse_der(MAKE_ROOT, atls_bytes_of(changed, len + 1)); /* inside the sequence */
    changed[0] = 0x30;
    changed[1] = 0x81;
    changed[2] = (uint8_t)(len - 2);
    memcpy(changed + 3, sig + 2, len - 2);
    refuse_der(MAKE_ROOT, atls_bytes_of(changed, len + 1)); /* a long length that need not be */
    changed[1] = (uint8_t)(len - 1);
    changed[2] = 0x02;
    changed[3] = (uint8_t)(sig[3] + 1);
    changed[4] = 0x00;
    memcpy(changed + 5, sig + 4, len - 4);
    refuse_der(MAKE_ROOT,
               atls_bytes_of(changed, len + 1)); /* r with a zero too many (two, where r has its sign byte) */
}

static void every_bit_of_a_der_signature(void **state)
{
    (void)state;
    uint8_t sig[600];
    size_t len = sign_der(MAKE_ROOT, "SHA256", sig);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
        refuse_der(MAKE_ROOT, atls_bytes_of(sig, len));
        sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void rsa_changed(void **state)
{
    (void)state;
    uint8_t sig[601] = {0};
    size_t len = sign_der(MAKE_RSA, "SHA256", sig);
    refuse_der(MAKE_RSA, atls_bytes_of(sig, len - 1));
    refuse_der(MAKE_RSA, atls_bytes_of(sig, len + 1));
    refuse_der(MAKE_RSA, atls_bytes_empty());
    for (size_t bit = 0; bit < 8 * len; bit += 37) {
        sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
        refuse_der(MAKE_RSA, atls_bytes_of(sig, len));
        sig[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    atls_error err = {0};
    atls_key *key = open_key(MAKE_RSA);
    assert_false(atls_verify_raw(crypto, key, ATLS_SHA256, data(), atls_bytes_of(sig, 64), ATLS_E_QUOTE_SIGNATURE, "s",
                                 &err)); /* r and s mean nothing to RSA */
    atls_key_close(key);
}

/* What is refused by its range or its DER costs no verification and is not counted; the rest counts once each. */
static void counter(void **state)
{
    (void)state;
    uint8_t rs[64];
    uint8_t zero[64] = {0};
    atls_error err = {0};
    sign_raw(MAKE_ROOT, "SHA256", rs, 32);
    atls_key *key = open_key(MAKE_ROOT);
    uint64_t before = atls_crypto_verifications(crypto);
    assert_true(atls_verify_raw(crypto, key, ATLS_SHA256, data(), atls_bytes_of(rs, 64), ATLS_E_OTHER, "s", &err));
    assert_int_equal(atls_crypto_verifications(crypto), before + 1);
    assert_false(atls_verify_raw(crypto, key, ATLS_SHA256, data(), atls_bytes_of(zero, 64), ATLS_E_OTHER, "s", &err));
    assert_int_equal(atls_crypto_verifications(crypto), before + 1);
    memcpy(zero, rs, 32);
    put_order(MAKE_ROOT, zero + 32, 32, 0); /* s = n */
    assert_false(atls_verify_raw(crypto, key, ATLS_SHA256, data(), atls_bytes_of(zero, 64), ATLS_E_OTHER, "s", &err));
    static const uint8_t trailing[] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00};
    atls_bytes der = atls_bytes_of(trailing, sizeof trailing);
    assert_false(atls_verify_der(crypto, key, ATLS_SHA256, data(), der, ATLS_E_OTHER, "s", &err));
    assert_int_equal(atls_crypto_verifications(crypto), before + 1);
    atls_key_close(key);
}

static bool verifies(atls_key *key, const uint8_t rs[static 64])
{
    atls_error err = {0};
    return atls_verify_raw(crypto, key, ATLS_SHA256, data(), atls_bytes_of(rs, 64), ATLS_E_OTHER, "s", &err);
}

/* A closed key lends its memory to the next one of its curve, and nothing else: neither its point nor its verdicts. */
static void spares(void **state)
{
    (void)state;
    uint8_t by_root[64];
    uint8_t by_ca[64];
    sign_raw(MAKE_ROOT, "SHA256", by_root, 32);
    sign_raw(MAKE_CA, "SHA256", by_ca, 32);
    for (int round = 0; round < 3; round++) {
        atls_key *key = open_key(MAKE_ROOT);
        assert_true(verifies(key, by_root));
        assert_false(verifies(key, by_ca));
        atls_key_close(key);

        uint8_t bytes[65];
        atls_public_key broken = make_public_key(keys, MAKE_ROOT);
        assert_int_equal(broken.point.len, sizeof bytes);
        memcpy(bytes, broken.point.ptr, sizeof bytes);
        bytes[64] ^= 1;
        broken.point.ptr = bytes;
        atls_error err = {0};
        assert_false(atls_key_open(crypto, &broken, ATLS_E_OTHER, "key", &key, &err));
        assert_null(key);
        atls_key_close(open_key(MAKE_ROOT));

        key = open_key(MAKE_CA);
        assert_true(verifies(key, by_ca));
        assert_false(verifies(key, by_root));
        atls_key_close(key);
    }
}

/* More keys open at once than spares are kept, in two rounds: each stays what it is. */
static void many_keys_at_once(void **state)
{
    (void)state;
    enum { N = 12 };
    uint8_t rs[4][64];
    for (make_key k = MAKE_ROOT; k <= MAKE_OTHER; k++) {
        sign_raw(k, "SHA256", rs[k], 32);
    }
    for (int round = 0; round < 2; round++) {
        atls_key *open[N];
        for (size_t i = 0; i < N; i++) {
            open[i] = open_key((make_key)(i % 4));
        }
        for (size_t i = 0; i < N; i++) {
            for (size_t k = 0; k < 4; k++) {
                assert_int_equal(verifies(open[i], rs[k]), i % 4 == k);
            }
        }
        for (size_t i = 0; i < N; i++) {
            atls_key_close(open[i]);
        }
    }
}

/* One atls_crypto, as a verifier has it, under four threads that make their own keys, different ones in turn. */
#define N_THREADS 4
#define N_ROUNDS  50

typedef struct worker {
    pthread_t id;
    make_key which;
    uint8_t mine[64];
    uint8_t others[64];
    size_t n_right;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    atls_public_key k = make_public_key(keys, w->which);
    for (int i = 0; i < N_ROUNDS; i++) {
        atls_error err = {0};
        atls_key *key;
        if (atls_key_open(crypto, &k, ATLS_E_OTHER, "key", &key, &err) && verifies(key, w->mine)
            && !verifies(key, w->others)) {
            w->n_right++;
        }
        atls_key_close(key);
    }
    return NULL;
}

static void threads(void **state)
{
    (void)state;
    worker workers[N_THREADS] = {{.n_right = 0}};
    uint64_t before = atls_crypto_verifications(crypto);
    for (int i = 0; i < N_THREADS; i++) {
        workers[i].which = (make_key)i;
        sign_raw(workers[i].which, "SHA256", workers[i].mine, 32);
        sign_raw((make_key)((i + 1) % N_THREADS), "SHA256", workers[i].others, 32);
        assert_int_equal(pthread_create(&workers[i].id, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].id, NULL), 0);
        assert_int_equal(workers[i].n_right, N_ROUNDS);
    }
    assert_int_equal(atls_crypto_verifications(crypto) - before, 2 * N_THREADS * N_ROUNDS);
}

int main(void)
{
    tap_list l = {0};
    atls_error err = {0};
    keys = make_keys_new();
    if (!atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    for (size_t i = 0; i < sizeof raw_rows / sizeof raw_rows[0]; i++) {
        tap_add(&l, raw_rows[i].name, run_raw, &raw_rows[i]);
    }
    for (size_t i = 0; i < sizeof der_rows / sizeof der_rows[0]; i++) {
        tap_add(&l, der_rows[i].name, run_der, &der_rows[i]);
    }
    tap_add(&l, "raw: every bit of a signature matters", every_bit_of_a_raw_signature, NULL);
    tap_add(&l, "raw: halves with leading zeros verify", short_halves, NULL);
    tap_add(&l, "der: EC and RSA with every hash, and not with another", der_good, NULL);
    tap_add(&l, "der: the same numbers spelt otherwise", der_spelt_otherwise, NULL);
    tap_add(&l, "der: every bit of a signature matters", every_bit_of_a_der_signature, NULL);
    tap_add(&l, "rsa: length and bits matter", rsa_changed, NULL);
    tap_add(&l, "verifications are counted", counter, NULL);
    tap_add(&l, "a closed key lends its memory, not its point", spares, NULL);
    tap_add(&l, "many keys open at once stay what they are", many_keys_at_once, NULL);
    tap_add(&l, "threads share one atls_crypto", threads, NULL);
    int failed = tap_run("signature", &l);
    atls_crypto_free(crypto);
    make_keys_free(keys);
    return failed;
}
