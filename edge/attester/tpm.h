/* SPDX-License-Identifier: Apache-2.0 */
/* tpm.h: what the files of the TPM attester share. Only they include tpm2-tss.
 *
 * tpm.c         the attester: key, PCRs and quotes, and what lies beside them
 * tpm_open.c    the connection, and the TPM's codes in words       tpm_none.c  in place of all this without tpm2-tss
 * tpm_key.c     which key quotes                                   tpm_nv.c    what NV indices hold
 * tpm_quote.c   PCRs and a quote over exactly these values         tpm_document.c  the bytes that go out (no tpm2-tss)
 * tpm_voucher.c hardware around the key (no tpm2-tss)              tpm_variant.c   the same as Constellation's (no tpm2-tss) */
#ifndef ATLS_EDGE_ATTESTER_TPM_H
#define ATLS_EDGE_ATTESTER_TPM_H

#include <tss2/tss2_esys.h>

#include "tpm_document.h"

typedef struct atls_tpm {
    const atls_tpm_options *o;
    atls_arena *arena;
    atls_error *err;
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
} atls_tpm;

/* atls_tpm_open connects; close it also when it failed. Errors: IO with the field "attester.tpm". */
ATLS_MUST_USE bool atls_tpm_open(atls_tpm *t, atls_error *err);
void atls_tpm_close(atls_tpm *t);

/* atls_tpm_fail says IO with what failed and the TPM's code in words. Returns false. */
bool atls_tpm_fail(const atls_tpm *t, const char *what, TSS2_RC rc);

/* atls_tpm_has tells whether there is an object or index of this handle. Errors: IO. */
ATLS_MUST_USE bool atls_tpm_has(const atls_tpm *t, TPM2_HANDLE handle, bool *there);

/* atls_tpm_nv_read reads an index as a whole, at most 16 KiB; empty when it is not there, was never written, or may not
 * be read without a secret. Errors: IO, LIMIT, MEMORY. */
ATLS_MUST_USE bool atls_tpm_nv_read(const atls_tpm *t, TPM2_HANDLE index, atls_bytes *out);

/* The key that quotes. */
typedef struct atls_tpm_signer {
    ESYS_TR handle;
    bool made_here;             /* to be flushed */
    TPM2_HANDLE certificate_at; /* where its certificate belongs; 0: nowhere */
    bool is_azure;              /* the hardware report in NV is over this key */
    atls_bytes public_area;     /* TPMT_PUBLIC, in the arena */
} atls_tpm_signer;

/* atls_tpm_signer_take finds or makes the key that the options ask for; give it back also when that failed. Errors: IO,
 * KEY_ATTRIBUTES (it may sign other things than the TPM's own statements). */
ATLS_MUST_USE bool atls_tpm_signer_take(const atls_tpm *t, atls_tpm_signer *out);
void atls_tpm_signer_give(const atls_tpm *t, atls_tpm_signer *s);

/* atls_tpm_quote_bank reads PCRs and has them quoted over 32 bytes. Errors: IO, QUOTE, CONFIGURATION (a bank or PCR that
 * this TPM does not have). */
ATLS_MUST_USE bool atls_tpm_quote_bank(const atls_tpm *t, const atls_tpm_signer *s, const atls_tpm_bank *bank,
                                       const uint8_t data[32], atls_tpm_quote *out);

#endif
