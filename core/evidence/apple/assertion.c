/* SPDX-License-Identifier: Apache-2.0 */
/* assertion.c: assertions (section 6), and second keys that one vouches for (section 7, legacy). */
#include <string.h>

#include "apple.h"

/* ---- decode ---- */

static bool wrong(const atls_cur *c, const char *field, const char *expected, const char *message)
{
    (void)atls_cur_fail(c, ATLS_E_ENCODING, field, expected, NULL, message);
    return false;
}

static bool read_members(atls_cur *c, apple_assertion *out)
{
    apple_map m;
    bool more = false;
    atls_bytes name;
    atls_bytes key;
    bool has_signature = false;
    bool has_data = false;
    bool ok = apple_map_begin(c, "", &m);
    while (ok && apple_map_next(c, "", &m, &more, &name, &key)) {
        if (atls_bytes_equal_str(name, "signature")) {
            has_signature = true;
            ok = atls_cbor_bytes(c, "signature", &out->signature);
        } else if (atls_bytes_equal_str(name, "authenticatorData")) {
            has_data = true;
            ok = atls_cbor_bytes(c, "authenticatorData", &out->auth_data);
        } else {
            ok = apple_cbor_skip(c, "", APPLE_MAX_DEPTH - 1, NULL);
        }
    }
    if (!ok || more || !atls_cur_end(c)) {
        return false;
    }
    return (has_signature && has_data)
           || wrong(c, has_signature ? "authenticatorData" : "signature", "present", "a member is missing");
}

/* Apple sets bit 6 although no credential follows, so flags say nothing about the form: it is always these 37 bytes. */
static bool read_auth_data(apple_assertion *out, atls_error *err)
{
    atls_cur c;
    uint8_t flags;
    atls_cur_init(&c, out->auth_data, "authenticatorData", err);
    return atls_cur_bytes(&c, "rpIdHash", 32, &out->rp_id_hash) && atls_cur_u8(&c, "flags", &flags)
           && atls_cur_u32be(&c, "signCount", &out->sign_count) && atls_cur_end(&c);
}

bool apple_assertion_decode(atls_bytes in, apple_assertion *out, atls_error *err)
{
    const atls_bytes none = atls_bytes_empty();
    atls_cur c;
    *out = (apple_assertion){.signature = none, .auth_data = none, .rp_id_hash = none};
    if (in.len > APPLE_MAX_OBJECT_LEN) {
        return atls_fail(err, ATLS_E_APPLE_ASSERTION, "assertion", "%zu bytes; at most %u", in.len,
                         APPLE_MAX_OBJECT_LEN);
    }
    atls_cur_init(&c, in, "", err);
    return (read_members(&c, out) && read_auth_data(out, err))
           || atls_error_relabel(err, ATLS_E_APPLE_ASSERTION, "assertion");
}

/* ---- verify ---- */

typedef struct check {
    const atls_apple_assertion *in;
    const atls_crypto *crypto;
    atls_key *key;
    apple_assertion assertion;
    atls_error *err;
} check;

/* The nonce, SHA-256(authenticatorData || SHA-256(client data)), is the message: it is hashed once more. */
bool apple_assertion_signature(const apple_assertion *a, atls_bytes client_data, const atls_crypto *crypto,
                               atls_key *key, atls_error *err)
{
    uint8_t hash[32];
    uint8_t nonce[32];
    const atls_bytes parts[2] = {a->auth_data, {hash, sizeof hash}};
    return atls_digest(crypto, ATLS_SHA256, &client_data, 1, hash, err)
           && atls_digest(crypto, ATLS_SHA256, parts, 2, nonce, err)
           && atls_verify_der(crypto, key, ATLS_SHA256, atls_bytes_of(nonce, sizeof nonce), a->signature,
                              ATLS_E_APPLE_ASSERTION, "assertion.signature", err);
}

static bool check_signature(const check *k, atls_bytes client_data, atls_error *err)
{
    return apple_assertion_signature(&k->assertion, client_data, k->crypto, k->key, err);
}

static bool check_app(const check *k)
{
    uint8_t hash[32];
    if (!atls_digest(k->crypto, ATLS_SHA256, &k->in->app_id, 1, hash, k->err)) {
        return false;
    }
    const atls_bytes wanted = atls_bytes_of(hash, sizeof hash);
    return atls_bytes_equal(wanted, k->assertion.rp_id_hash)
           || atls_fail_bytes(k->err, ATLS_E_APPLE_ASSERTION, "assertion.authenticatorData.rpIdHash", wanted,
                              k->assertion.rp_id_hash, "the assertion is of another app");
}

static const char counter_field[] = "assertion.authenticatorData.signCount";

static bool check_counter(const check *k)
{
    return k->assertion.sign_count > k->in->last_counter
           || atls_fail(k->err, ATLS_E_APPLE_ASSERTION, counter_field,
                        "the counter is %lu, and was %lu already: the assertion was used before",
                        (unsigned long)k->assertion.sign_count, (unsigned long)k->in->last_counter);
}

static bool check_assertion(const check *k)
{
    return check_signature(k, k->in->client_data, k->err) && check_app(k) && check_counter(k);
}

/* Everything that is made here is gone when `run` has answered. */
static bool with_key(const atls_apple_assertion *in, bool (*run)(const check *k, void *ctx), void *ctx, atls_error *err)
{
    check k = {.in = in, .err = err};
    atls_crypto *crypto;
    const atls_public_key key = {ATLS_KEY_P256, {in->public_key, sizeof in->public_key}};
    if (!apple_assertion_decode(in->assertion, &k.assertion, err) || !atls_crypto_new(&crypto, err)) {
        return false;
    }
    k.crypto = crypto;
    const bool ok = atls_key_open(crypto, &key, ATLS_E_APPLE_ASSERTION, "public_key", &k.key, err) && run(&k, ctx);
    atls_key_close(k.key);
    atls_crypto_free(crypto);
    return ok;
}

static bool run_assertion(const check *k, void *ctx)
{
    uint32_t *counter = ctx;
    if (!check_assertion(k)) {
        return false;
    }
    *counter = k->assertion.sign_count;
    return true;
}

bool atls_apple_assertion_verify(const atls_apple_assertion *in, uint32_t *counter, atls_error *err)
{
    *counter = 0;
    return with_key(in, run_assertion, counter, err);
}

/* ---- a second key ---- */

#define SPKI_PREFIX_LEN 26u

typedef struct second_key {
    uint8_t spki[SPKI_PREFIX_LEN + ATLS_APPLE_POINT_SIZE]; /* ends with the uncompressed point */
    uint8_t compressed[33];
    atls_apple_key_form form;
} second_key;

static void encode(const uint8_t point[ATLS_APPLE_POINT_SIZE], second_key *out)
{
    /* SEQUENCE { SEQUENCE { ecPublicKey, prime256v1 }, BIT STRING } up to the point */
    static const uint8_t prefix[SPKI_PREFIX_LEN] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                                    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    memcpy(out->spki, prefix, sizeof prefix);
    memcpy(out->spki + sizeof prefix, point, ATLS_APPLE_POINT_SIZE);
    out->compressed[0] = (uint8_t)(0x02 | (point[ATLS_APPLE_POINT_SIZE - 1] & 1));
    memcpy(out->compressed + 1, point + 1, 32);
    out->form = ATLS_APPLE_KEY_NONE;
}

/* The first encoding that verifies. What cannot be found out is no answer. */
static bool find_form(const check *k, second_key *key)
{
    const struct {
        atls_apple_key_form form;
        atls_bytes encoding;
    } forms[] = {
        {ATLS_APPLE_KEY_SPKI, {key->spki, sizeof key->spki}},
        {ATLS_APPLE_KEY_UNCOMPRESSED, {key->spki + SPKI_PREFIX_LEN, ATLS_APPLE_POINT_SIZE}},
        {ATLS_APPLE_KEY_COMPRESSED, {key->compressed, sizeof key->compressed}},
    };
    atls_error why = {0};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        why = (atls_error){0};
        if (check_signature(k, forms[i].encoding, &why)) {
            key->form = forms[i].form;
            return true;
        }
        if (why.code != ATLS_E_APPLE_ASSERTION) {
            break;
        }
    }
    *k->err = why;
    return false;
}

static bool run_key_proof(const check *k, void *ctx)
{
    second_key *key = ctx;
    if (!find_form(k, key) || !check_app(k) || !check_counter(k)) {
        return false;
    }
    return k->assertion.sign_count == 1
           || atls_fail(k->err, ATLS_E_APPLE_SIG_CTR, counter_field,
                        "the counter is %lu and not 1: the key that vouches has signed other things",
                        (unsigned long)k->assertion.sign_count);
}

bool atls_apple_key_proof_verify(const atls_apple_assertion *in, const uint8_t key[ATLS_APPLE_POINT_SIZE],
                                 atls_apple_key_form *form, atls_error *err)
{
    second_key second;
    uint8_t point[ATLS_APPLE_POINT_SIZE];
    *form = ATLS_APPLE_KEY_NONE;
    if (!atls_p256_point(atls_bytes_of(key, ATLS_APPLE_POINT_SIZE), point, ATLS_E_APPLE_ASSERTION, "key", err)) {
        return false;
    }
    encode(point, &second);
    if (!with_key(in, run_key_proof, &second, err)) {
        return false;
    }
    *form = second.form;
    return true;
}
