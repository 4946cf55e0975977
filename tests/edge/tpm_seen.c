/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_seen.c: see tpm_seen.h. */
#include "tpm_seen.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <tss2/tss2_mu.h>

#include "base/cbor.h"

static void read_quote(atls_cur *c, seen_quote *q)
{
    uint64_t n = 0, index = 0;
    assert_true(atls_cbor_array(c, "quote", 3, &n) && n == 3);
    assert_true(atls_cbor_bytes(c, "message", &q->message) && atls_cbor_bytes(c, "signature", &q->signature));
    assert_true(atls_cbor_map(c, "banks", 1, &n) && n == 1 && atls_cbor_uint(c, "bank", UINT16_MAX, &q->bank));
    assert_true(atls_cbor_map(c, "pcrs", 24, &n));
    for (uint64_t i = 0; i < n; i++) {
        assert_true(atls_cbor_uint(c, "index", 23, &index) && atls_cbor_bytes(c, "value", &q->values[index]));
        assert_true(q->pcrs >> index == 0); /* ascending */
        q->pcrs |= 1u << index;
    }
}

static void read_member(atls_cur *c, uint64_t key, seen *s)
{
    uint64_t n = 0;
    atls_bytes kind = atls_bytes_empty();
    switch (key) {
    case 0:
        assert_true(atls_cbor_bytes(c, "public", &s->public_area));
        break;
    case 1:
        assert_true(atls_cbor_array(c, "quotes", MAX_QUOTES, &n));
        s->n_quotes = (size_t)n;
        for (size_t i = 0; i < s->n_quotes; i++) {
            read_quote(c, &s->quotes[i]);
        }
        break;
    case 2:
        assert_true(atls_cbor_bytes(c, "log", &s->event_log));
        break;
    case 3:
        assert_true(atls_cbor_array(c, "certificates", 1, &n) && n == 1 && atls_cbor_bytes(c, "der", &s->certificate));
        break;
    default:
        assert_int_equal(key, 4);
        assert_true(atls_cbor_array(c, "hardware", 4, &n) && n == 4 && atls_cbor_text(c, "kind", &kind));
        assert_true(atls_bytes_equal_str(kind, "sev-snp") && atls_cbor_bytes(c, "report", &s->report)
                    && atls_cbor_bytes(c, "runtime", &s->runtime_data) && atls_cbor_array(c, "certs", 0, &n));
    }
}

void seen_read(atls_bytes in, seen *s)
{
    atls_error err = {0};
    atls_cur c;
    uint64_t n = 0, key = 0, before = 0;
    *s = (seen){.n_quotes = 0};
    atls_cur_init(&c, in, "", &err);
    assert_true(atls_cbor_map(&c, "", 5, &n));
    for (uint64_t i = 0; i < n; i++) {
        assert_true(atls_cbor_uint(&c, "key", 4, &key) && (i == 0 || key > before));
        read_member(&c, key, s);
        before = key;
    }
    assert_true(atls_cur_end(&c));
}

/* ---- its signature ------------------------------------------------------------------------------------------------ */

void seen_public(const seen *s, TPMT_PUBLIC *out)
{
    size_t at = 0;
    assert_int_equal(Tss2_MU_TPMT_PUBLIC_Unmarshal(s->public_area.ptr, s->public_area.len, &at, out), 0);
    assert_int_equal(at, s->public_area.len);
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM_BLD *b)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    assert_true(EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    return key;
}

EVP_PKEY *seen_key(const TPMT_PUBLIC *p)
{
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    if (p->type == TPM2_ALG_RSA) {
        BIGNUM *n = BN_bin2bn(p->unique.rsa.buffer, p->unique.rsa.size, NULL), *e = BN_new();
        assert_true(BN_set_word(e, 65537) == 1 && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) == 1
                    && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e) == 1);
        EVP_PKEY *key = key_from("RSA", b);
        BN_free(n);
        BN_free(e);
        return key;
    }
    uint8_t point[65] = {4};
    const TPMS_ECC_POINT *at = &p->unique.ecc;
    assert_int_equal(p->parameters.eccDetail.curveID, TPM2_ECC_NIST_P256);
    memcpy(point + 33 - at->x.size, at->x.buffer, at->x.size);
    memcpy(point + 65 - at->y.size, at->y.buffer, at->y.size);
    assert_int_equal(OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point), 1);
    return key_from("EC", b);
}

static size_t der_signature(const TPMT_SIGNATURE *s, uint8_t out[600])
{
    if (s->sigAlg == TPM2_ALG_RSASSA) {
        memcpy(out, s->signature.rsassa.sig.buffer, s->signature.rsassa.sig.size);
        return s->signature.rsassa.sig.size;
    }
    const TPMS_SIGNATURE_ECDSA *e = &s->signature.ecdsa;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    assert_int_equal(s->sigAlg, TPM2_ALG_ECDSA);
    assert_int_equal(ECDSA_SIG_set0(sig, BN_bin2bn(e->signatureR.buffer, e->signatureR.size, NULL),
                                    BN_bin2bn(e->signatureS.buffer, e->signatureS.size, NULL)),
                     1);
    uint8_t *at = out;
    const int n = i2d_ECDSA_SIG(sig, &at);
    ECDSA_SIG_free(sig);
    assert_true(n > 0);
    return (size_t)n;
}

void seen_check_signature(EVP_PKEY *key, const seen_quote *q)
{
    TPMT_SIGNATURE s;
    uint8_t sig[600];
    size_t at = 0;
    assert_int_equal(Tss2_MU_TPMT_SIGNATURE_Unmarshal(q->signature.ptr, q->signature.len, &at, &s), 0);
    assert_int_equal(at, q->signature.len);
    const size_t len = der_signature(&s, sig);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(md, sig, len, q->message.ptr, q->message.len), 1);
    EVP_MD_CTX_free(md);
}

void seen_check_message(const seen_quote *q, const uint8_t wanted[32])
{
    TPMS_ATTEST m;
    uint8_t digest[32];
    unsigned len = 0;
    size_t at = 0;
    assert_int_equal(Tss2_MU_TPMS_ATTEST_Unmarshal(q->message.ptr, q->message.len, &at, &m), 0);
    assert_int_equal(at, q->message.len);
    assert_int_equal(m.magic, TPM2_GENERATED_VALUE);
    assert_int_equal(m.type, TPM2_ST_ATTEST_QUOTE);
    assert_int_equal(m.extraData.size, 32);
    assert_memory_equal(m.extraData.buffer, wanted, 32);
    const TPMS_QUOTE_INFO *info = &m.attested.quote;
    assert_int_equal(info->pcrSelect.count, 1);
    const TPMS_PCR_SELECTION *sel = &info->pcrSelect.pcrSelections[0];
    assert_int_equal(sel->hash, q->bank);
    assert_int_equal(sel->pcrSelect[0] | sel->pcrSelect[1] << 8 | sel->pcrSelect[2] << 16, q->pcrs);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestInit_ex(md, EVP_sha256(), NULL), 1);
    for (size_t i = 0; i < 24; i++) {
        if ((q->pcrs >> i & 1) != 0) {
            assert_int_equal(EVP_DigestUpdate(md, q->values[i].ptr, q->values[i].len), 1);
        }
    }
    assert_int_equal(EVP_DigestFinal_ex(md, digest, &len), 1);
    EVP_MD_CTX_free(md);
    assert_int_equal(info->pcrDigest.size, 32);
    assert_memory_equal(info->pcrDigest.buffer, digest, 32);
}
