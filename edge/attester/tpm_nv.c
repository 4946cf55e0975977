/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_nv.c: reading an NV index, in pieces as large as the TPM gives. */
#include "tpm.h"

#define MAX_INDEX_LEN (16u * 1024)
#define LEAST_PIECE   512u
#define MOST_PIECE    2048u

static TSS2_RC piece_size(const atls_tpm *t, uint16_t *out)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    TPMI_YES_NO more = 0;
    *out = LEAST_PIECE;
    const TSS2_RC rc = Esys_GetCapability(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
                                          TPM2_PT_NV_BUFFER_MAX, 1, &more, &data);
    if (rc != TSS2_RC_SUCCESS) {
        return rc;
    }
    const TPML_TAGGED_TPM_PROPERTY *p = &data->data.tpmProperties;
    if (p->count > 0 && p->tpmProperty[0].property == TPM2_PT_NV_BUFFER_MAX && p->tpmProperty[0].value > 0) {
        *out = (uint16_t)(p->tpmProperty[0].value < MOST_PIECE ? p->tpmProperty[0].value : MOST_PIECE);
    }
    Esys_Free(data);
    return TSS2_RC_SUCCESS;
}

/* Who may read it without a secret: the index itself, else the owner. */
static ESYS_TR reader_of(TPMA_NV attributes, ESYS_TR index)
{
    if ((attributes & TPMA_NV_WRITTEN) == 0) {
        return ESYS_TR_NONE;
    }
    if ((attributes & TPMA_NV_AUTHREAD) != 0) {
        return index;
    }
    return (attributes & TPMA_NV_OWNERREAD) != 0 ? ESYS_TR_RH_OWNER : ESYS_TR_NONE;
}

static bool read_piece(const atls_tpm *t, ESYS_TR reader, ESYS_TR index, uint16_t len, uint16_t offset, atls_bytes *out)
{
    TPM2B_MAX_NV_BUFFER *data = NULL;
    const TSS2_RC rc =
        Esys_NV_Read(t->esys, reader, index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, len, offset, &data);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, "NV index", rc);
    }
    const bool ok = data->size == len
                        ? atls_arena_copy(t->arena, atls_bytes_of(data->buffer, data->size), out, t->err)
                        : atls_fail(t->err, ATLS_E_IO, "attester.tpm", "an NV index is shorter than it says");
    Esys_Free(data);
    return ok;
}

/* Pieces lie in a row: each is copied to the end of the arena, and nothing else is. */
static bool read_pieces(const atls_tpm *t, ESYS_TR reader, ESYS_TR index, uint16_t size, atls_bytes *out)
{
    uint16_t step = 0;
    const TSS2_RC rc = piece_size(t, &step);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, "list of properties", rc);
    }
    for (uint16_t at = 0; at < size;) {
        const uint16_t left = (uint16_t)(size - at), n = left < step ? left : step;
        atls_bytes piece = atls_bytes_empty();
        if (!read_piece(t, reader, index, n, at, &piece)) {
            *out = atls_bytes_empty();
            return false;
        }
        *out = atls_bytes_of(at == 0 ? piece.ptr : out->ptr, (size_t)at + n);
        at = (uint16_t)(at + n);
    }
    return true;
}

static bool read_open(const atls_tpm *t, ESYS_TR index, atls_bytes *out)
{
    TPM2B_NV_PUBLIC *public = NULL;
    const TSS2_RC rc = Esys_NV_ReadPublic(t->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public, NULL);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, "NV index", rc);
    }
    const ESYS_TR reader = reader_of(public->nvPublic.attributes, index);
    const uint16_t size = public->nvPublic.dataSize;
    Esys_Free(public);
    if (reader == ESYS_TR_NONE) {
        return true;
    }
    if (size > MAX_INDEX_LEN) {
        return atls_fail(t->err, ATLS_E_LIMIT, "attester.tpm", "an NV index of %u bytes", (unsigned)size);
    }
    return read_pieces(t, reader, index, size, out);
}

bool atls_tpm_nv_read(const atls_tpm *t, TPM2_HANDLE index, atls_bytes *out)
{
    ESYS_TR handle = ESYS_TR_NONE;
    bool there = false;
    *out = atls_bytes_empty();
    if (!atls_tpm_has(t, index, &there) || !there) {
        return !there && t->err->code == ATLS_OK;
    }
    const TSS2_RC rc = Esys_TR_FromTPMPublic(t->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &handle);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, "NV index", rc);
    }
    const bool ok = read_open(t, handle, out);
    (void)Esys_TR_Close(t->esys, &handle);
    return ok;
}
