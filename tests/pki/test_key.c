/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and digests: a key that is not what it says never opens. */
#include <openssl/err.h>

#include "make.h"
#include "pki/signature.h"
#include "tap.h"

static make_keys *keys;
static atls_crypto *crypto;

typedef struct key_row {
    const char *name;
    void (*change)(atls_public_key *k, uint8_t *bytes);
    bool unsupported;
} key_row;

static void off_curve(atls_public_key *k, uint8_t *bytes)
{
    bytes[k->point.len - 1] ^= 1;
}
static void zero_point(atls_public_key *k, uint8_t *bytes)
{
    memset(bytes + 1, 0, k->point.len - 1);
}
static void beyond_field(atls_public_key *k, uint8_t *bytes)
{
    memset(bytes + 1, 0xff, k->point.len - 1);
}
static void infinity(atls_public_key *k, uint8_t *bytes)
{
    bytes[0] = 0;
    k->point.len = 1;
}
static void infinity_padded(atls_public_key *k, uint8_t *bytes)
{
    memset(bytes, 0, k->point.len);
}
static void hybrid(atls_public_key *k, uint8_t *bytes)
{
    bytes[0] = (uint8_t)(0x06 | (bytes[k->point.len - 1] & 1));
}
static void compressed(atls_public_key *k, uint8_t *bytes)
{
    bytes[0] = (uint8_t)(0x02 | (bytes[k->point.len - 1] & 1));
    k->point.len = 33;
}
static void too_short(atls_public_key *k, uint8_t *bytes)
{
    (void)bytes;
    k->point.len--;
}
static void too_long(atls_public_key *k, uint8_t *bytes)
{
    bytes[k->point.len++] = 0;
}
static void no_bytes(atls_public_key *k, uint8_t *bytes)
{
    (void)bytes;
    k->point.len = 0;
}
static void other_curve(atls_public_key *k, uint8_t *bytes)
{
    (void)bytes;
    k->kind = ATLS_KEY_P384;
}
static void called_rsa(atls_public_key *k, uint8_t *bytes)
{
    (void)bytes;
    k->kind = ATLS_KEY_RSA;
}
static void unknown_kind(atls_public_key *k, uint8_t *bytes)
{
    (void)bytes;
    k->kind = ATLS_KEY_UNKNOWN;
}
static void rsa(atls_public_key *k, uint8_t *bytes)
{
    *k = make_public_key(keys, MAKE_RSA);
    memcpy(bytes, k->point.ptr, k->point.len);
}
static void rsa_trailing(atls_public_key *k, uint8_t *bytes)
{
    rsa(k, bytes);
    bytes[k->point.len++] = 0;
}
static void rsa_exponent_even(atls_public_key *k, uint8_t *bytes)
{
    rsa(k, bytes);
    bytes[k->point.len - 1] = 0x02;
}
static void rsa_modulus_even(atls_public_key *k, uint8_t *bytes)
{
    rsa(k, bytes);
    bytes[k->point.len - 6] ^= 1; /* 02 03 01 00 01 ends it */
}
static void rsa_exponent_one(atls_public_key *k, uint8_t *bytes)
{
    rsa(k, bytes);
    bytes[1] = 0x82;
    bytes[3] = (uint8_t)(bytes[3] - 2);
    memcpy(bytes + k->point.len - 5, "\x02\x01\x01", 3);
    k->point.len -= 2;
}
static void rsa_small(atls_public_key *k, uint8_t *bytes)
{
    static const uint8_t head[] = {0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00};
    k->kind = ATLS_KEY_RSA;
    memcpy(bytes, head, sizeof head);
    memset(bytes + sizeof head, 0xff, 128); /* 1024 bits */
    memcpy(bytes + sizeof head + 128, "\x02\x03\x01\x00\x01", 5);
    k->point.len = sizeof head + 133;
}

static const key_row key_rows[] = {
    {"key: a point beside the curve", off_curve, false},
    {"key: the point (0, 0)", zero_point, false},
    {"key: coordinates beyond the field", beyond_field, false},
    {"key: infinity", infinity, false},
    {"key: infinity padded to full length", infinity_padded, false},
    {"key: hybrid form", hybrid, false},
    {"key: compressed form", compressed, false},
    {"key: one byte short", too_short, false},
    {"key: one byte long", too_long, false},
    {"key: no bytes", no_bytes, false},
    {"key: a P-256 point called P-384", other_curve, false},
    {"key: a P-256 point called RSA", called_rsa, false},
    {"key: an unknown kind is unsupported", unknown_kind, true},
    {"key: RSA with trailing bytes", rsa_trailing, false},
    {"key: RSA with an even exponent", rsa_exponent_even, false},
    {"key: RSA with an even modulus", rsa_modulus_even, false},
    {"key: RSA with exponent 1", rsa_exponent_one, false},
    {"key: RSA of 1024 bits", rsa_small, false},
};

static void run_key(void **state)
{
    const key_row *row = *state;
    uint8_t bytes[600];
    atls_error err = {0};
    atls_public_key k = make_public_key(keys, MAKE_LEAF);
    memcpy(bytes, k.point.ptr, k.point.len);
    row->change(&k, bytes);
    k.point.ptr = bytes;
    atls_key *key;
    assert_false(atls_key_open(crypto, &k, ATLS_E_QUOTE_FORMAT, "quote.attestation_key", &key, &err));
    assert_null(key);
    assert_int_equal(err.code, ATLS_E_QUOTE_FORMAT);
    assert_string_equal(err.field, "quote.attestation_key");
    assert_int_equal(err.unsupported, row->unsupported);
    assert_int_equal(ERR_peek_error(), 0);
}

static void key_from_coordinates(void **state)
{
    (void)state;
    uint8_t xy[64];
    atls_error err = {0};
    atls_key *key;
    memcpy(xy, make_public_key(keys, MAKE_LEAF).point.ptr + 1, sizeof xy);
    assert_true(atls_key_open_p256(crypto, xy, ATLS_E_QUOTE_FORMAT, "k", &key, &err));
    atls_key_close(key);
    xy[0] ^= 1;
    assert_false(atls_key_open_p256(crypto, xy, ATLS_E_QUOTE_FORMAT, "k", &key, &err));
    assert_int_equal(err.code, ATLS_E_QUOTE_FORMAT);
    atls_key_close(NULL);
}

static void digests(void **state)
{
    (void)state;
    static const struct {
        atls_hash h;
        const char *md;
    } rows[] = {{ATLS_SHA256, "SHA256"}, {ATLS_SHA384, "SHA384"}, {ATLS_SHA512, "SHA512"}};
    const atls_bytes parts[3] = {atls_bytes_str("one"), atls_bytes_empty(), atls_bytes_str("two")};
    for (size_t i = 0; i < 3; i++) {
        uint8_t ours[64];
        uint8_t theirs[64];
        size_t len;
        atls_error err = {0};
        assert_true(atls_digest(crypto, rows[i].h, parts, 3, ours, &err));
        assert_int_equal(EVP_Q_digest(NULL, rows[i].md, NULL, "onetwo", 6, theirs, &len), 1);
        assert_int_equal(len, atls_hash_len(rows[i].h));
        assert_memory_equal(ours, theirs, len);
    }
    uint8_t out[64];
    atls_error err = {0};
    atls_hash none = (atls_hash)0;
    assert_false(atls_digest(crypto, none, parts, 3, out, &err));
    assert_int_equal(err.code, ATLS_E_INTERNAL);
    assert_int_equal(atls_hash_len(none), 0);
}

int main(void)
{
    tap_list l = {0};
    atls_error err = {0};
    keys = make_keys_new();
    if (!atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    for (size_t i = 0; i < sizeof key_rows / sizeof key_rows[0]; i++) {
        tap_add(&l, key_rows[i].name, run_key, &key_rows[i]);
    }
    tap_add(&l, "key: from raw coordinates", key_from_coordinates, NULL);
    tap_add(&l, "digests agree with OpenSSL's", digests, NULL);
    int failed = tap_run("key", &l);
    atls_crypto_free(crypto);
    make_keys_free(keys);
    return failed;
}
