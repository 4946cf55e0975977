/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_enrol_csr.c: atls_enrol_csr_read, _nonce, _statement, _verify, _write. What is read has its slices inside the input, and
 * OpenSSL sees the same subject and key; a nonce and a statement that are found can be written into a request where they are
 * found again. A signature that is good to us is good to OpenSSL. */
#include <openssl/asn1.h>

#include "atls/enrol.h"
#include "pki.h"
#include "tests/pki/make.h"

static const uint8_t proof_oid[] = {0x69, 0x83, 0x91, 0x93, 0xdb, 0xc0, 0xc5, 0x8f, 0xb2, 0xb1,
                                    0xa1, 0x85, 0xbc, 0xb4, 0xba, 0xfa, 0x8a, 0xe0, 0x8e, 0x29};
static const uint8_t algorithm_der[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

static bool no_signature(void *ctx, atls_bytes tbs, atls_arena *a, atls_bytes *algorithm, atls_bytes *signature,
                         atls_error *err)
{
    (void)ctx;
    (void)tbs;
    (void)a;
    (void)err;
    *algorithm = atls_bytes_of(algorithm_der, sizeof algorithm_der);
    *signature = *algorithm;
    return true;
}

static void check_slices(const atls_enrol_csr *csr, atls_bytes in)
{
    const atls_bytes all[] = {csr->der, csr->tbs, csr->subject, csr->spki, csr->signature_algorithm, csr->signature};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        FUZZ_ASSERT(fuzz_inside(all[i], in));
    }
    FUZZ_ASSERT(csr->n_attributes <= ATLS_ENROL_MAX_ATTRIBUTES && csr->subject.len <= ATLS_ENROL_MAX_SUBJECT_LEN);
    for (size_t i = 0; i < csr->n_attributes; i++) {
        FUZZ_ASSERT(fuzz_inside(csr->attributes[i].oid, in) && fuzz_inside(csr->attributes[i].values, in));
    }
}

static void check_written(const atls_enrol_csr *csr, atls_bytes nonce, atls_bytes statement, atls_arena *a)
{
    const atls_enrol_csr_template t = {.nonce = nonce,
                                       .proof_oid = atls_bytes_of(proof_oid, sizeof proof_oid),
                                       .statement = statement,
                                       .spki = csr->spki,
                                       .sign = no_signature};
    atls_error err = {0};
    atls_enrol_csr again;
    atls_bytes der;
    atls_bytes found;
    FUZZ_ASSERT(atls_enrol_csr_write(&t, a, &der, &err) && atls_enrol_csr_read(der, &again, &err));
    FUZZ_ASSERT(atls_enrol_csr_nonce(&again, a, &found, &err) && atls_bytes_equal(found, nonce));
    FUZZ_ASSERT(atls_enrol_csr_statement(&again, t.proof_oid, &found, &err) && atls_bytes_equal(found, statement));
    FUZZ_ASSERT(atls_bytes_equal(again.spki, csr->spki) && again.n_attributes == 1);
}

static void compare(const atls_enrol_csr *csr, bool is_verified)
{
    const uint8_t *p = csr->der.ptr;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)csr->der.len);
    if (req != NULL) {
        FUZZ_ASSERT(fuzz_same_name(X509_REQ_get_subject_name(req), csr->subject));
        FUZZ_ASSERT(X509_REQ_get_attr_count(req) == (int)csr->n_attributes && X509_REQ_get_version(req) == 0);
    }
    FUZZ_ASSERT(!is_verified || fuzz_name_is_odd(csr->subject)
                || (req != NULL && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1));
    X509_REQ_free(req);
    ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[4 * 1024 * 1024];
    const atls_bytes in = atls_bytes_of(data, size);
    atls_arena a;
    atls_error err = {0};
    atls_enrol_csr csr;
    atls_bytes nonce;
    atls_bytes statement;
    atls_arena_init(&a, room, sizeof room);
    if (!atls_enrol_csr_read(in, &csr, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_ENROL_CSR && strncmp(err.field, "csr", 3) == 0 && csr.der.len == 0);
        return 0;
    }
    check_slices(&csr, in);
    const bool has_nonce = atls_enrol_csr_nonce(&csr, &a, &nonce, &err);
    FUZZ_ASSERT(has_nonce || err.code == ATLS_E_ENROL_CHALLENGE_MISSING);
    err = (atls_error){0};
    const bool has_statement =
        atls_enrol_csr_statement(&csr, atls_bytes_of(proof_oid, sizeof proof_oid), &statement, &err);
    FUZZ_ASSERT(has_statement || err.code == ATLS_E_ENROL_STATEMENT);
    if (has_nonce && has_statement) {
        FUZZ_ASSERT(nonce.len >= 1 && nonce.len <= ATLS_ENROL_MAX_NONCE_LEN);
        check_written(&csr, nonce, statement, &a);
    }
    err = (atls_error){0};
    const bool is_verified = atls_enrol_csr_verify(&csr, &err);
    FUZZ_ASSERT(is_verified || err.code == ATLS_E_ENROL_CSR_SIGNATURE || err.code == ATLS_E_UNSUPPORTED);
    compare(&csr, is_verified);
    return 0;
}

/* ---- seeds: as OpenSSL writes them, one for each kind of key ---- */

static bool add_name(X509_NAME *name, const char *type, const char *value)
{
    return X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const uint8_t *)value, -1, -1, 0) == 1;
}

static bool fill(X509_REQ *req, EVP_PKEY *key, size_t index)
{
    static const char text[] = "{\"typ\":\"android-key\",\"x5c\":[\"MAA\"]}";
    static const char *const oid = "2.25.266612578647278744056060545794611611433";
    X509_NAME *name = X509_REQ_get_subject_name(req);
    return (index % 2 == 0 || add_name(name, "CN", "phone"))
           && add_name(name, "serialNumber", "CAC4307080875C418BEB668E825649DC") && X509_REQ_set_pubkey(req, key) == 1
           && X509_REQ_add1_attr_by_txt(req, oid, V_ASN1_UTF8STRING, (const uint8_t *)text, (int)sizeof text - 1) == 1
           && (index % 2 == 0
               || X509_REQ_add1_attr_by_txt(req, "challengePassword", V_ASN1_UTF8STRING, (const uint8_t *)"a", 1) == 1)
           && X509_REQ_sign(req, key, index < 2 ? EVP_sha256() : EVP_sha512()) > 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const make_key which[] = {MAKE_LEAF, MAKE_P384, MAKE_RSA, MAKE_LEAF};
    static make_keys *keys;
    if (index >= sizeof which / sizeof which[0] || cap < 4096) {
        return 0;
    }
    keys = keys == NULL ? make_keys_new() : keys;
    X509_REQ *req = X509_REQ_new();
    FUZZ_ASSERT(req != NULL && fill(req, keys->pkey[which[index]], index));
    const int len = i2d_X509_REQ(req, &out);
    X509_REQ_free(req);
    FUZZ_ASSERT(len > 0 && len <= 4096);
    return (size_t)len;
}
