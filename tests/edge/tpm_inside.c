/* SPDX-License-Identifier: Apache-2.0 */
#include "tpm_inside.h"

#include "tap.h"

#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

inside inside_open(const swtpm *t)
{
    inside d = {NULL, NULL};
    assert_int_equal(Tss2_TctiLdr_Initialize(t->tcti, &d.tcti), 0);
    assert_int_equal(Esys_Initialize(&d.esys, d.tcti, NULL), 0);
    return d;
}

void inside_close(inside *d)
{
    Esys_Finalize(&d->esys);
    Tss2_TctiLdr_Finalize(&d->tcti);
}

/* ---- keys ---- */

static void put_ecc(TPMT_PUBLIC *p, bool is_384)
{
    p->type = TPM2_ALG_ECC;
    p->parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
    p->parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
    p->parameters.eccDetail.scheme.details.ecdsa.hashAlg = is_384 ? TPM2_ALG_SHA384 : TPM2_ALG_SHA256;
    p->parameters.eccDetail.curveID = is_384 ? TPM2_ECC_NIST_P384 : TPM2_ECC_NIST_P256;
    p->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
}

static void put_rsa(TPMT_PUBLIC *p, TPM2_ALG_ID scheme)
{
    p->type = TPM2_ALG_RSA;
    p->parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
    p->parameters.rsaDetail.scheme.scheme = scheme;
    p->parameters.rsaDetail.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
    p->parameters.rsaDetail.keyBits = 2048;
}

TPM2B_PUBLIC inside_template(inside_kind kind)
{
    TPM2B_PUBLIC p = {0};
    p.publicArea.nameAlg = TPM2_ALG_SHA256;
    p.publicArea.objectAttributes = 0x00050072;
    if (kind == INSIDE_ECC || kind == INSIDE_P384) {
        put_ecc(&p.publicArea, kind == INSIDE_P384);
    } else {
        put_rsa(&p.publicArea, kind == INSIDE_RSAPSS ? TPM2_ALG_RSAPSS : TPM2_ALG_RSASSA);
    }
    return p;
}

void inside_put_key(const swtpm *t, TPM2_HANDLE at, const TPM2B_PUBLIC *template)
{
    inside d = inside_open(t);
    const TPM2B_SENSITIVE_CREATE sensitive = {0};
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};
    ESYS_TR made = ESYS_TR_NONE, kept = ESYS_TR_NONE;
    assert_int_equal(Esys_CreatePrimary(d.esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                        &sensitive, template, &outside, &pcrs, &made, NULL, NULL, NULL, NULL),
                     0);
    assert_int_equal(
        Esys_EvictControl(d.esys, ESYS_TR_RH_OWNER, made, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, at, &kept), 0);
    assert_int_equal(Esys_FlushContext(d.esys, made), 0);
    inside_close(&d);
}

void inside_take_key(const swtpm *t, TPM2_HANDLE at)
{
    inside d = inside_open(t);
    ESYS_TR key = ESYS_TR_NONE, gone = ESYS_TR_NONE;
    assert_int_equal(Esys_TR_FromTPMPublic(d.esys, at, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &key), 0);
    assert_int_equal(
        Esys_EvictControl(d.esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, 0, &gone), 0);
    inside_close(&d);
}

size_t inside_read_key(const swtpm *t, TPM2_HANDLE at, uint8_t *out, size_t size)
{
    inside d = inside_open(t);
    TPM2B_PUBLIC *p = NULL;
    ESYS_TR key = ESYS_TR_NONE;
    size_t n = 0;
    assert_int_equal(Esys_TR_FromTPMPublic(d.esys, at, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &key), 0);
    assert_int_equal(Esys_ReadPublic(d.esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &p, NULL, NULL), 0);
    assert_int_equal(Tss2_MU_TPMT_PUBLIC_Marshal(&p->publicArea, out, size, &n), 0);
    Esys_Free(p);
    inside_close(&d);
    return n;
}

/* ---- indices ---- */

/* Indices of 0x01c and 0x014 are read by anybody. */
void inside_put_index(const swtpm *t, TPM2_HANDLE at, const uint8_t *data, uint16_t len, TPMA_NV read)
{
    inside d = inside_open(t);
    const TPM2B_AUTH none = {0};
    TPM2B_NV_PUBLIC p = {0};
    ESYS_TR index = ESYS_TR_NONE;
    p.nvPublic.nvIndex = at;
    p.nvPublic.nameAlg = TPM2_ALG_SHA256;
    p.nvPublic.attributes = TPMA_NV_OWNERWRITE | read;
    p.nvPublic.dataSize = len;
    assert_int_equal(
        Esys_NV_DefineSpace(d.esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &none, &p, &index),
        0);
    for (uint16_t done = 0; data != NULL && done < len;) {
        TPM2B_MAX_NV_BUFFER piece = {.size = (uint16_t)(len - done < 512 ? len - done : 512)};
        memcpy(piece.buffer, data + done, piece.size);
        assert_int_equal(
            Esys_NV_Write(d.esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &piece, done),
            0);
        done = (uint16_t)(done + piece.size);
    }
    inside_close(&d);
}

void inside_take_index(const swtpm *t, TPM2_HANDLE at)
{
    inside d = inside_open(t);
    ESYS_TR index = ESYS_TR_NONE;
    assert_int_equal(Esys_TR_FromTPMPublic(d.esys, at, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &index), 0);
    assert_int_equal(
        Esys_NV_UndefineSpace(d.esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE), 0);
    inside_close(&d);
}

/* ---- measurements ---- */

void inside_extend(const swtpm *t, uint32_t pcr, const uint8_t digest[32])
{
    inside d = inside_open(t);
    TPML_DIGEST_VALUES values = {.count = 1};
    values.digests[0].hashAlg = TPM2_ALG_SHA256;
    memcpy(values.digests[0].digest.sha256, digest, 32);
    assert_int_equal(Esys_PCR_Extend(d.esys, pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &values), 0);
    inside_close(&d);
}
