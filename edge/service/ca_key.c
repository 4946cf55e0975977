/* SPDX-License-Identifier: Apache-2.0 */
/* ca_key.c: public keys, and private ones that come from a file. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "ca_internal.h"

#define MAX_PASSPHRASE 1024

/* ---- algorithms ---- */

const EVP_MD *ca_algorithm_digest(ca_algorithm alg)
{
    return alg == CA_ECDSA_SHA384 ? EVP_sha384() : EVP_sha256();
}

void ca_algorithm_put(ca_der *d, ca_algorithm alg)
{
    static const uint8_t ecdsa_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    static const uint8_t ecdsa_sha384[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
    static const uint8_t rsa_sha256[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b};
    const bool is_rsa = alg == CA_RSA_SHA256;
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_put(d, ATLS_DER_OID,
               is_rsa                   ? atls_bytes_of(rsa_sha256, sizeof rsa_sha256)
               : alg == CA_ECDSA_SHA384 ? atls_bytes_of(ecdsa_sha384, sizeof ecdsa_sha384)
                                        : atls_bytes_of(ecdsa_sha256, sizeof ecdsa_sha256));
    if (is_rsa) {
        ca_der_put(d, ATLS_DER_NULL, atls_bytes_empty()); /* RFC 4055, 5 */
    }
    ca_der_close(d);
}

static bool find_algorithm(const EVP_PKEY *key, ca_algorithm *out)
{
    char group[32] = "";
    size_t n = 0;
    *out = 0;
    if (EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= 2048 && EVP_PKEY_get_bits(key) <= 8192) {
        *out = CA_RSA_SHA256;
    } else if (EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1) {
        *out = strcmp(group, "prime256v1") == 0  ? CA_ECDSA_SHA256
               : strcmp(group, "secp384r1") == 0 ? CA_ECDSA_SHA384
                                                 : 0;
    }
    return *out != 0;
}

bool ca_public_key_open(atls_bytes spki, const char *field, EVP_PKEY **out, ca_algorithm *alg, atls_error *err)
{
    const unsigned char *at = spki.ptr;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    const bool ok = key != NULL && at == spki.ptr + spki.len && find_algorithm(key, alg);
    ERR_clear_error();
    if (!ok) {
        EVP_PKEY_free(key);
        *out = NULL;
        return atls_fail(err, ATLS_E_CONFIGURATION, field, "the key is none of P-256, P-384, RSA of 2048 to 8192 bits");
    }
    *out = key;
    return true;
}

bool ca_signature_holds(EVP_PKEY *key, ca_algorithm alg, atls_bytes tbs, const ca_signature *s)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool ok = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, ca_algorithm_digest(alg), NULL, key) == 1
                    && EVP_DigestVerify(ctx, s->bytes, s->len, tbs.ptr, tbs.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

/* ---- a key in memory ---- */

static bool sign_with_key(void *self, ca_algorithm alg, atls_bytes tbs, ca_signature *out, atls_error *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    out->len = sizeof out->bytes;
    const bool ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, ca_algorithm_digest(alg), NULL, self) == 1
                    && EVP_DigestSign(ctx, out->bytes, &out->len, tbs.ptr, tbs.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_ENROL_ISSUE, "key", "the key of the CA does not sign");
}

static void free_key(void *self)
{
    EVP_PKEY_free(self);
}

bool ca_key_signer(EVP_PKEY *key, ca_signer *out, atls_error *err)
{
    *out = (ca_signer){.source = "file", .self = key, .sign = sign_with_key, .free = free_key, .is_shared = true};
    return key != NULL || atls_fail(err, ATLS_E_CONFIGURATION, "ca.key", "there is no key");
}

/* ---- PEM ---- */

typedef struct passphrase {
    char text[MAX_PASSPHRASE];
    bool is_given;
    bool was_asked;
} passphrase;

/* Never a prompt: who starts a service is not there to answer. */
static int on_passphrase(char *buf, int size, int is_writing, void *arg)
{
    passphrase *p = arg;
    (void)is_writing;
    p->was_asked = true;
    const size_t n = strlen(p->text);
    if (!p->is_given || size < 0 || n > (size_t)size) {
        return -1;
    }
    memcpy(buf, p->text, n);
    return (int)n;
}

static EVP_PKEY *parse(atls_bytes pem, passphrase *p)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, p);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

static bool open_pem(const char *path, passphrase *p, atls_arena *a, ca_signer *out, atls_error *err)
{
    atls_bytes pem;
    if (!ca_file_read(path, "ca.key", true, a, &pem, err)) {
        return false;
    }
    EVP_PKEY *key = parse(pem, p);
    if (key == NULL && p->was_asked) {
        return atls_fail(
            err, ATLS_E_CONFIGURATION, "ca.passphrase",
            p->is_given ? "the passphrase does not open %s" : "%s is encrypted, and no passphrase is given", path);
    }
    if (key == NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca.key", "%s holds no private key in PEM", path);
    }
    return ca_key_signer(key, out, err);
}

bool ca_file_signer_open(const char *path, const char *passphrase_file, ca_signer *out, atls_error *err)
{
    passphrase p = {.is_given = passphrase_file != NULL};
    atls_arena a = {0};
    const bool ok =
        (passphrase_file == NULL || ca_file_line(passphrase_file, "ca.passphrase", p.text, sizeof p.text, err))
        && atls_arena_new(&a, 2 * CA_MAX_FILE_LEN, err) && open_pem(path, &p, &a, out, err);
    atls_arena_free(&a); /* wipes */
    atls_wipe(&p, sizeof p);
    return ok;
}
