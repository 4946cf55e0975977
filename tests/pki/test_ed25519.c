/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519: the answers of RFC 8032, section 7.1; that every bit counts; and keys in their files, to the byte. */
#include "base/text.h"
#include "pki/ed25519.h"
#include "tap.h"

typedef struct fact {
    const char *name;
    const char *seed;
    const char *key;
    const char *message;
    const char *signature;
} fact;

/* RFC 8032, section 7.1, tests 1 to 3 */
static const fact facts[] = {
    {"no message", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
     "5"
     "5141438e7a100b"},
    {"one byte", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
     "0"
     "0d291612bb0c00"},
    {"two bytes", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
     "0"
     "27beceea1ec40a"},
};

typedef struct decoded {
    uint8_t seed[32];
    uint8_t key[32];
    uint8_t message[8];
    size_t message_len;
    uint8_t signature[64];
} decoded;

static decoded decode(const fact *f)
{
    decoded d = {.message_len = strlen(f->message) / 2};
    assert_true(atls_hex_fixed(atls_bytes_str(f->seed), d.seed, sizeof d.seed));
    assert_true(atls_hex_fixed(atls_bytes_str(f->key), d.key, sizeof d.key));
    assert_true(atls_hex_fixed(atls_bytes_str(f->message), d.message, d.message_len));
    assert_true(atls_hex_fixed(atls_bytes_str(f->signature), d.signature, sizeof d.signature));
    return d;
}

static void test_fact(void **state)
{
    const decoded d = decode(*state);
    const atls_bytes message = atls_bytes_of(d.message, d.message_len);
    uint8_t out[64];
    atls_error err = {0};
    assert_true(atls_ed25519_public(d.seed, out, &err));
    assert_memory_equal(out, d.key, 32);
    assert_true(atls_ed25519_sign(d.seed, message, out, &err));
    assert_memory_equal(out, d.signature, 64);
    assert_true(atls_ed25519_verify(d.key, message, d.signature, ATLS_E_EVIDENCE_SIGNATURE, "s", &err));
}

static bool holds(const decoded *d)
{
    atls_error err = {0};
    const bool ok = atls_ed25519_verify(d->key, atls_bytes_of(d->message, d->message_len), d->signature,
                                        ATLS_E_EVIDENCE_SIGNATURE, "bundle.signature", &err);
    assert_true(ok || (err.code == ATLS_E_EVIDENCE_SIGNATURE && strcmp(err.field, "bundle.signature") == 0));
    return ok;
}

static void flip(decoded *d, uint8_t *at, size_t len)
{
    for (size_t i = 0; i < 8 * len; i++) {
        at[i / 8] = (uint8_t)(at[i / 8] ^ 1u << i % 8);
        assert_false(holds(d));
        at[i / 8] = (uint8_t)(at[i / 8] ^ 1u << i % 8);
    }
    assert_true(holds(d));
}

static void test_flips(void **state)
{
    (void)state;
    decoded d = decode(&facts[2]);
    flip(&d, d.signature, sizeof d.signature);
    flip(&d, d.message, d.message_len);
    flip(&d, d.key, sizeof d.key);
    d.message_len--;
    assert_false(holds(&d));
}

/* s + L is the same number to who does not look (RFC 8032, 5.1.7): one signature must not have two spellings. */
static void test_malleable(void **state)
{
    (void)state;
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                      0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    decoded d = decode(&facts[1]);
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)d.signature[32 + i] + order[i];
        d.signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(carry, 0);
    assert_false(holds(&d));
}

/* As openssl pkey writes them, for the first key above. */
#define PUBLIC_PEM                                                                                                     \
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC "       \
    "KEY-----\n"
#define PRIVATE_PEM                                                                                                    \
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE " \
    "KEY-----\n"

static void test_files(void **state)
{
    (void)state;
    uint8_t block[1024];
    atls_arena a;
    atls_error err = {0};
    uint8_t out[32];
    const decoded d = decode(&facts[0]);
    atls_bytes pem;
    atls_arena_init(&a, block, sizeof block);
    assert_true(atls_ed25519_write_public(d.key, &a, &pem, &err));
    assert_true(atls_bytes_equal_str(pem, PUBLIC_PEM));
    assert_true(atls_ed25519_read_public(pem, "key", out, &err));
    assert_memory_equal(out, d.key, 32);
    assert_true(atls_ed25519_read_public(atls_bytes_str("\n " PUBLIC_PEM "\r\n"), "key", out, &err));
    assert_true(atls_ed25519_read_public(atls_bytes_of(d.key, 32), "key", out, &err));
    assert_memory_equal(out, d.key, 32);
    assert_true(atls_ed25519_write_seed(d.seed, &a, &pem, &err));
    assert_true(atls_bytes_equal_str(pem, PRIVATE_PEM));
    assert_true(atls_ed25519_read_seed(pem, "key", out, &err));
    assert_memory_equal(out, d.seed, 32);
}

static const struct {
    const char *name;
    const char *text;
} refused[] = {
    {"nothing", ""},
    {"words", "key"},
    {"no end", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"},
    {"no base64", "-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----\n"},
    {"X25519", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END "
               "PUBLIC KEY-----\n"},
    {"a byte more",
     "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURoA\n-----END PUBLIC "
     "KEY-----\n"},
    {"two blocks", PUBLIC_PEM PUBLIC_PEM},
};

static void test_refused(void **state)
{
    (void)state;
    uint8_t out[32];
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        atls_error err = {0};
        assert_false(atls_ed25519_read_public(atls_bytes_str(refused[i].text), "--bundle-key", out, &err));
        assert_int_equal(err.code, ATLS_E_USAGE);
        assert_string_equal(err.field, "--bundle-key");
        atls_error_clear(&err);
        assert_false(atls_ed25519_read_seed(atls_bytes_str(refused[i].text), "--key", out, &err));
        assert_int_equal(err.code, ATLS_E_USAGE);
    }
    atls_error err = {0};
    assert_false(atls_ed25519_read_seed(atls_bytes_str(PUBLIC_PEM), "--key", out, &err)); /* the wrong half */
    atls_error_clear(&err);
    assert_false(atls_ed25519_read_public(atls_bytes_str(PRIVATE_PEM), "--bundle-key", out, &err));
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        tap_add(&l, facts[i].name, test_fact, &facts[i]);
    }
    tap_add(&l, "every bit of signature, message and key counts", test_flips, NULL);
    tap_add(&l, "a signature has one spelling", test_malleable, NULL);
    tap_add(&l, "keys in files, to the byte", test_files, NULL);
    tap_add(&l, "files that are no such key", test_refused, NULL);
    return tap_run("pki/ed25519", &l);
}
