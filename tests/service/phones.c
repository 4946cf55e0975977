/* SPDX-License-Identifier: Apache-2.0 */
/* phones.c: see phones.h. */
#include "phones.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

bool phones_open(phones *p, atls_time now, atls_error *err)
{
    const sim_android_options android = {.now = now};
    const sim_apple_options apple = {.now = now};
    *p = (phones){.android = NULL};
    return atls_arena_new(&p->arena, 4096, err)
           && atls_enrol_oid_der(atls_bytes_str(PHONES_PROOF_OID), "oid", &p->arena, &p->proof_oid, err)
           && sim_android_new(&android, &p->android, err) && sim_apple_new(&apple, &p->apple, err);
}

void phones_close(phones *p)
{
    sim_android_free(p->android);
    sim_apple_free(p->apple);
    atls_arena_free(&p->arena);
}

bool phones_policy(phones *p, bool is_apple, atls_arena *a, atls_bytes *out, atls_error *err)
{
    return is_apple ? sim_apple_policy(p->apple, a, out, err) : sim_android_policy(p->android, a, out, err);
}

/* ---- statements ---- */

static bool android_statement(phones *p, atls_bytes challenge, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const sim_android_request request = {.challenge = challenge};
    atls_enrol_statement statement = {.kind = ATLS_ENROL_ANDROID_KEY};
    atls_bytes chain;
    if (!sim_android_chain(p->android, &request, a, &chain, err)) {
        return false;
    }
    while (chain.len > 4 && statement.n_x5c < ATLS_ENROL_MAX_CERTIFICATES) {
        const size_t len = 4 + ((size_t)chain.ptr[2] << 8 | chain.ptr[3]); /* certificates have 256 bytes and more */
        statement.x5c[statement.n_x5c++] = atls_bytes_of(chain.ptr, len);
        chain = atls_bytes_of(chain.ptr + len, chain.len - len);
    }
    return atls_enrol_statement_write(&statement, a, out, err);
}

static bool apple_statement(phones *p, atls_bytes challenge, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_enrol_statement statement = {.kind = ATLS_ENROL_IOS_APPATTEST};
    return sim_apple_client_data(p->apple, challenge, a, &statement.client_data, err)
           && sim_apple_attestation(p->apple, statement.client_data, a, &statement.attestation, err)
           && atls_enrol_statement_write(&statement, a, out, err);
}

static bool make_statement(phones *p, bool is_apple, atls_bytes nonce, const phones_lie *lie, atls_arena *a,
                           atls_bytes *out, atls_error *err)
{
    uint8_t challenge[ATLS_ENROL_MAX_NONCE_LEN];
    memcpy(challenge, nonce.ptr, nonce.len);
    challenge[0] ^= lie->other_challenge;
    if (lie->no_statement) {
        *out = atls_bytes_str("{}");
        return true;
    }
    return (is_apple ? apple_statement : android_statement)(p, atls_bytes_of(challenge, nonce.len), a, out, err);
}

/* ---- keys ---- */

static EVP_PKEY *load(atls_bytes der)
{
    const uint8_t *at = der.ptr;
    return d2i_AutoPrivateKey(NULL, &at, (long)der.len);
}

static EVP_PKEY *android_key(phones *p, bool is_other, atls_arena *a, atls_error *err)
{
    atls_bytes der;
    const sim_android_request request = {.challenge = atls_bytes_str("any"), .key = is_other ? "another" : NULL};
    return sim_android_private_key(p->android, &request, a, &der, err) ? load(der) : NULL;
}

/* ECPrivateKey of P-256, around the two numbers of the simulator. */
static EVP_PKEY *apple_key(phones *p, bool is_other, atls_error *err)
{
    static const uint8_t head[] = {0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20};
    static const uint8_t middle[] = {0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
                                     0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00};
    uint8_t der[sizeof head + 32 + sizeof middle + ATLS_APPLE_POINT_SIZE];
    sim_apple_key key;
    if (!(is_other ? sim_apple_attested_key : sim_apple_second_key)(p->apple, &key, err)) {
        return NULL;
    }
    memcpy(der, head, sizeof head);
    memcpy(der + sizeof head, key.d, sizeof key.d);
    memcpy(der + sizeof head + sizeof key.d, middle, sizeof middle);
    memcpy(der + sizeof head + sizeof key.d + sizeof middle, key.point, sizeof key.point);
    return load(atls_bytes_of(der, sizeof der));
}

static bool sign(void *ctx, atls_bytes tbs, atls_arena *a, atls_bytes *algorithm, atls_bytes *signature,
                 atls_error *err)
{
    static const uint8_t ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    uint8_t out[160];
    size_t len = sizeof out;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    const bool ok = EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, ctx) == 1
                    && EVP_DigestSign(md, out, &len, tbs.ptr, tbs.len) == 1;
    EVP_MD_CTX_free(md);
    *algorithm = atls_bytes_of(ecdsa_sha256, sizeof ecdsa_sha256);
    return (ok || atls_fail(err, ATLS_E_INTERNAL, "phone", "signing failed"))
           && atls_arena_copy(a, atls_bytes_of(out, len), signature, err);
}

bool phones_request(phones *p, bool is_apple, atls_bytes nonce, const phones_lie *lie, atls_arena *a, atls_bytes *out,
                    atls_error *err)
{
    static const phones_lie honest = {false};
    const atls_enrol_name name = {"CN", atls_bytes_str("a phone")};
    uint8_t *spki = NULL;
    lie = lie == NULL ? &honest : lie;
    EVP_PKEY *key = is_apple ? apple_key(p, lie->other_key, err) : android_key(p, lie->other_key, a, err);
    const int len = key == NULL ? 0 : i2d_PUBKEY(key, &spki);
    atls_enrol_csr_template csr = {
        .names = &name,
        .n_names = 1,
        .nonce = nonce,
        .proof_oid = p->proof_oid,
        .spki = atls_bytes_of(spki, len > 0 ? (size_t)len : 0),
        .sign = sign,
        .ctx = key,
    };
    const bool ok = len > 0 && make_statement(p, is_apple, nonce, lie, a, &csr.statement, err)
                    && atls_enrol_csr_write(&csr, a, out, err);
    OPENSSL_free(spki);
    EVP_PKEY_free(key);
    return ok;
}
