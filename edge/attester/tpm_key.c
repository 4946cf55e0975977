/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_key.c: the key that quotes: one that is there, or one made for the quote. */
#include <string.h>
#include <tss2/tss2_mu.h>

#include "tpm.h"

#define AZURE_KEY         0x81000003u
#define AZURE_CERTIFICATE 0x01c101d0u
#define TOOLS_KEY_ECC     0x81008f00u
#define TOOLS_KEY_RSA     0x81008f01u

#define AK_ATTRIBUTES                                                                                                  \
    (TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH       \
     | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT)

/* Google's templates, and where the certificates of their keys belong. The stronger first. */
static const struct {
    TPM2_HANDLE template_at;
    TPM2_HANDLE certificate_at;
} templates[] = {{0x01c10003u, 0x01c10002u}, {0x01c10001u, 0x01c10000u}};

#define N_TEMPLATES (sizeof templates / sizeof templates[0])

/* ---- public areas ------------------------------------------------------------------------------------------------- */

/* A key that may also sign bytes of others could sign a quote that no TPM made (tpm.md section 1). */
static bool is_attestation_key(const TPMT_PUBLIC *p)
{
    const TPMA_OBJECT wanted = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
    return (p->objectAttributes & wanted) == wanted && (p->objectAttributes & TPMA_OBJECT_DECRYPT) == 0;
}

static bool keep_public(const atls_tpm *t, const TPMT_PUBLIC *p, atls_tpm_signer *out)
{
    uint8_t bytes[sizeof(TPMT_PUBLIC)];
    size_t n = 0;
    const TSS2_RC rc = Tss2_MU_TPMT_PUBLIC_Marshal(p, bytes, sizeof bytes, &n);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, "public area of the key", rc);
    }
    return atls_arena_copy(t->arena, atls_bytes_of(bytes, n), &out->public_area, t->err);
}

static bool accept(const atls_tpm *t, const TPMT_PUBLIC *p, const char *what, atls_tpm_signer *out)
{
    if (!is_attestation_key(p)) {
        return atls_fail(t->err, ATLS_E_KEY_ATTRIBUTES, "attester.tpm.key",
                         "%s: not a restricted signing key that is fixed to this TPM", what);
    }
    return keep_public(t, p, out);
}

/* ---- keys that are there ------------------------------------------------------------------------------------------ */

static bool open_key(const atls_tpm *t, TPM2_HANDLE handle, atls_tpm_signer *out, TPM2B_PUBLIC **public)
{
    TSS2_RC rc = Esys_TR_FromTPMPublic(t->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &out->handle);
    if (rc == TSS2_RC_SUCCESS) {
        rc = Esys_ReadPublic(t->esys, out->handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, public, NULL, NULL);
    }
    out->is_azure = handle == AZURE_KEY;
    out->certificate_at = out->is_azure ? AZURE_CERTIFICATE : 0;
    if (rc != TSS2_RC_SUCCESS || *public == NULL) {
        (void)atls_tpm_fail(t, "key", rc);
        return false;
    }
    return true;
}

static bool take_handle(const atls_tpm *t, TPM2_HANDLE handle, atls_tpm_signer *out)
{
    TPM2B_PUBLIC *public = NULL;
    bool there = false;
    if (!atls_tpm_has(t, handle, &there)) {
        return false;
    }
    if (!there) {
        return atls_fail(t->err, ATLS_E_CONFIGURATION, "attester.tpm.key", "there is no key at 0x%08x",
                         (unsigned)handle);
    }
    if (!open_key(t, handle, out, &public)) {
        return false;
    }
    const bool ok = accept(t, &public->publicArea, "the key at this handle", out);
    Esys_Free(public);
    return ok;
}

/* *found: it is there and fit to quote. One that is not is passed over. */
static bool find_handle(const atls_tpm *t, TPM2_HANDLE handle, atls_tpm_signer *out, bool *found)
{
    TPM2B_PUBLIC *public = NULL;
    bool there = false;
    if (!atls_tpm_has(t, handle, &there) || !there) {
        return !there && t->err->code == ATLS_OK;
    }
    if (!open_key(t, handle, out, &public)) {
        return false;
    }
    *found = is_attestation_key(&public->publicArea);
    const bool ok = !*found || keep_public(t, &public->publicArea, out);
    Esys_Free(public);
    if (!*found) {
        atls_tpm_signer_give(t, out);
    }
    return ok;
}

/* ---- keys made for the quote -------------------------------------------------------------------------------------- */

static bool create(const atls_tpm *t, ESYS_TR hierarchy, const TPM2B_PUBLIC *template, atls_tpm_signer *out)
{
    const TPM2B_SENSITIVE_CREATE sensitive = {0};
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};
    TPM2B_PUBLIC *public = NULL;
    const TSS2_RC rc = Esys_CreatePrimary(t->esys, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                                          template, &outside, &pcrs, &out->handle, &public, NULL, NULL, NULL);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t,
                             hierarchy == ESYS_TR_RH_OWNER ? "making a key under the owner hierarchy"
                                                           : "making a key under the endorsement hierarchy",
                             rc);
    }
    out->made_here = true;
    const bool ok = accept(t, &public->publicArea, "the key that was made", out);
    Esys_Free(public);
    return ok;
}

/* The usual templates: the same on every machine, so that the key is the same every time (tpm.md section 1). */
static bool create_ecc(const atls_tpm *t, atls_tpm_signer *out)
{
    TPM2B_PUBLIC p = {0};
    p.publicArea.type = TPM2_ALG_ECC;
    p.publicArea.nameAlg = TPM2_ALG_SHA256;
    p.publicArea.objectAttributes = AK_ATTRIBUTES;
    p.publicArea.parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
    p.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
    p.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
    p.publicArea.parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
    p.publicArea.parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    return create(t, ESYS_TR_RH_OWNER, &p, out);
}

static bool create_rsa(const atls_tpm *t, atls_tpm_signer *out)
{
    TPM2B_PUBLIC p = {0};
    p.publicArea.type = TPM2_ALG_RSA;
    p.publicArea.nameAlg = TPM2_ALG_SHA256;
    p.publicArea.objectAttributes = AK_ATTRIBUTES;
    p.publicArea.parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
    p.publicArea.parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
    p.publicArea.parameters.rsaDetail.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
    p.publicArea.parameters.rsaDetail.keyBits = 2048;
    return create(t, ESYS_TR_RH_OWNER, &p, out);
}

static TPM2_HANDLE certificate_of_template(TPM2_HANDLE index)
{
    for (size_t i = 0; i < N_TEMPLATES; i++) {
        if (templates[i].template_at == index) {
            return templates[i].certificate_at;
        }
    }
    return 0;
}

/* *found: the index holds a template. */
static bool create_from_template(const atls_tpm *t, TPM2_HANDLE index, atls_tpm_signer *out, bool *found)
{
    atls_bytes nv;
    TPM2B_PUBLIC p = {0};
    size_t at = 0;
    if (!atls_tpm_nv_read(t, index, &nv) || nv.len == 0) {
        return t->err->code == ATLS_OK;
    }
    const TSS2_RC rc = Tss2_MU_TPMT_PUBLIC_Unmarshal(nv.ptr, nv.len, &at, &p.publicArea);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, "template of a key in NV", rc);
    }
    *found = true;
    out->certificate_at = certificate_of_template(index);
    return create(t, ESYS_TR_RH_ENDORSEMENT, &p, out);
}

/* ---- which one ---------------------------------------------------------------------------------------------------- */

static bool take_any(const atls_tpm *t, atls_tpm_signer *out)
{
    bool found = false;
    bool ok = find_handle(t, AZURE_KEY, out, &found);
    for (size_t i = 0; i < N_TEMPLATES && ok && !found; i++) {
        ok = create_from_template(t, templates[i].template_at, out, &found);
    }
    if (ok && !found) {
        ok = find_handle(t, TOOLS_KEY_ECC, out, &found);
    }
    if (ok && !found) {
        ok = find_handle(t, TOOLS_KEY_RSA, out, &found);
    }
    return ok && (found || create_ecc(t, out));
}

static bool take_template(const atls_tpm *t, atls_tpm_signer *out)
{
    bool found = false;
    return create_from_template(t, t->o->key_handle, out, &found)
           && (found
               || atls_fail(t->err, ATLS_E_CONFIGURATION, "attester.tpm.key", "there is no template in 0x%08x",
                            (unsigned)t->o->key_handle));
}

bool atls_tpm_signer_take(const atls_tpm *t, atls_tpm_signer *out)
{
    *out = (atls_tpm_signer){.handle = ESYS_TR_NONE, .public_area = atls_bytes_empty()};
    switch (t->o->key) {
    case ATLS_TPM_KEY_AUTO:
        return take_any(t, out);
    case ATLS_TPM_KEY_HANDLE:
        return take_handle(t, t->o->key_handle, out);
    case ATLS_TPM_KEY_ECC:
        return create_ecc(t, out);
    case ATLS_TPM_KEY_RSA:
        return create_rsa(t, out);
    case ATLS_TPM_KEY_TEMPLATE:
        return take_template(t, out);
    }
    return atls_fail(t->err, ATLS_E_CONFIGURATION, "attester.tpm.key", "there is no such kind of key");
}

void atls_tpm_signer_give(const atls_tpm *t, atls_tpm_signer *s)
{
    if (s->handle == ESYS_TR_NONE) {
        return;
    }
    if (s->made_here) {
        (void)Esys_FlushContext(t->esys, s->handle);
    } else {
        (void)Esys_TR_Close(t->esys, &s->handle);
    }
    *s = (atls_tpm_signer){.handle = ESYS_TR_NONE, .public_area = atls_bytes_empty()};
}
