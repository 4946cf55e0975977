/* SPDX-License-Identifier: Apache-2.0 */
/* ed25519.c: Ed25519 over OpenSSL, and its keys as files.
 *
 * Both files are fixed bytes around 32 of the key (RFC 8410), and so they are compared, not parsed: whatever differs is
 * another kind of key, or an encoding that nobody needs. */
#include "ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"
#include "cert.h"

#define SCRATCH_LEN 256u /* one key, decoded from its base64 */

typedef struct form {
    uint8_t head[16];
    size_t head_len;
    const char *label; /* of PEM */
    const char *begin;
    const char *end;
} form;

/* SEQUENCE { SEQUENCE { id-Ed25519 }, BIT STRING of 32 bytes } */
static const form spki = {
    .head = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00},
    .head_len = 12,
    .label = "PUBLIC KEY",
    .begin = "-----BEGIN PUBLIC KEY-----",
    .end = "-----END PUBLIC KEY-----",
};
/* SEQUENCE { INTEGER 0, SEQUENCE { id-Ed25519 }, OCTET STRING { OCTET STRING of 32 bytes } } */
static const form pkcs8 = {
    .head = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20},
    .head_len = 16,
    .label = "PRIVATE KEY",
    .begin = "-----BEGIN PRIVATE KEY-----",
    .end = "-----END PRIVATE KEY-----",
};

/* ---- signatures ---- */

bool atls_ed25519_verify(const uint8_t key[static 32], atls_bytes data, const uint8_t signature[static 64],
                         atls_code code, const char *field, atls_error *err)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, key, ATLS_ED25519_KEY_LEN);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ready = pkey != NULL && ctx != NULL && EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) == 1;
    bool ok = ready && EVP_DigestVerify(ctx, signature, ATLS_ED25519_SIGNATURE_LEN, data.ptr, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    if (!ready) {
        return atls_fail(err, ATLS_E_INTERNAL, field, "OpenSSL could not prepare an Ed25519 check");
    }
    return ok || atls_fail(err, code, field, "the signature does not verify");
}

static EVP_PKEY *open_seed(const uint8_t seed[static 32])
{
    return EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, ATLS_ED25519_KEY_LEN);
}

bool atls_ed25519_sign(const uint8_t seed[static 32], atls_bytes data, uint8_t out[static 64], atls_error *err)
{
    size_t len = ATLS_ED25519_SIGNATURE_LEN;
    EVP_PKEY *pkey = open_seed(seed);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = pkey != NULL && ctx != NULL && EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) == 1
              && EVP_DigestSign(ctx, out, &len, data.ptr, data.len) == 1 && len == ATLS_ED25519_SIGNATURE_LEN;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey); /* wipes the seed */
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "signature", "OpenSSL could not sign with Ed25519");
}

bool atls_ed25519_public(const uint8_t seed[static 32], uint8_t out[static 32], atls_error *err)
{
    size_t len = ATLS_ED25519_KEY_LEN;
    EVP_PKEY *pkey = open_seed(seed);
    bool ok = pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, out, &len) == 1 && len == ATLS_ED25519_KEY_LEN;
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "key", "OpenSSL could not make an Ed25519 key");
}

/* ---- files ---- */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static atls_bytes trimmed(atls_bytes in)
{
    while (in.len > 0 && is_space(in.ptr[0])) {
        in.ptr++;
        in.len--;
    }
    while (in.len > 0 && is_space(in.ptr[in.len - 1])) {
        in.len--;
    }
    return in;
}

/* The base64 between the lines of a form; false when it is no such block. */
static bool between(const form *f, atls_bytes text, atls_bytes *out)
{
    const size_t head = strlen(f->begin);
    const size_t tail = strlen(f->end);
    const atls_bytes in = trimmed(text);
    if (in.len < head + tail || memcmp(in.ptr, f->begin, head) != 0
        || memcmp(in.ptr + in.len - tail, f->end, tail) != 0) {
        return false;
    }
    *out = atls_bytes_of(in.ptr + head, in.len - head - tail);
    return true;
}

static bool read_der(const form *f, atls_bytes der, uint8_t out[static 32])
{
    if (der.len != f->head_len + ATLS_ED25519_KEY_LEN || memcmp(der.ptr, f->head, f->head_len) != 0) {
        return false;
    }
    memcpy(out, der.ptr + f->head_len, ATLS_ED25519_KEY_LEN);
    return true;
}

/* The decoded key lives in a block of our own, which is wiped: it may be a secret. */
static bool read_pem(const form *f, atls_bytes text, uint8_t out[static 32])
{
    uint8_t block[SCRATCH_LEN];
    atls_arena scratch;
    atls_bytes base64;
    atls_bytes der;
    atls_error why = {.code = ATLS_OK};
    atls_arena_init(&scratch, block, sizeof block);
    const bool ok = between(f, text, &base64) && atls_base64_decode(base64, true, "key", &scratch, &der, &why)
                    && read_der(f, der, out);
    atls_arena_free(&scratch);
    atls_wipe(block, sizeof block);
    return ok;
}

bool atls_ed25519_read_public(atls_bytes file, const char *field, uint8_t out[static 32], atls_error *err)
{
    if (file.len == ATLS_ED25519_KEY_LEN) {
        memcpy(out, file.ptr, ATLS_ED25519_KEY_LEN);
        return true;
    }
    return read_der(&spki, file, out) || read_pem(&spki, file, out)
           || atls_fail(err, ATLS_E_USAGE, field,
                        "not an Ed25519 public key: 32 bytes, or a SubjectPublicKeyInfo in DER or PEM");
}

bool atls_ed25519_read_seed(atls_bytes pem, const char *field, uint8_t out[static 32], atls_error *err)
{
    return read_pem(&pkcs8, pem, out)
           || atls_fail(err, ATLS_E_USAGE, field, "not an unencrypted Ed25519 private key in PEM (PKCS #8)");
}

static bool write_pem(const form *f, const uint8_t key[static 32], atls_arena *a, atls_bytes *out, atls_error *err)
{
    uint8_t der[sizeof f->head + ATLS_ED25519_KEY_LEN];
    memcpy(der, f->head, f->head_len);
    memcpy(der + f->head_len, key, ATLS_ED25519_KEY_LEN);
    const bool ok = atls_pem_encode(atls_bytes_of(der, f->head_len + ATLS_ED25519_KEY_LEN), f->label, a, out, err);
    atls_wipe(der, sizeof der);
    return ok;
}

bool atls_ed25519_write_seed(const uint8_t seed[static 32], atls_arena *a, atls_bytes *out, atls_error *err)
{
    return write_pem(&pkcs8, seed, a, out, err);
}

bool atls_ed25519_write_public(const uint8_t key[static 32], atls_arena *a, atls_bytes *out, atls_error *err)
{
    return write_pem(&spki, key, a, out, err);
}
