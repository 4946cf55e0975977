/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_inside.h: what tests put into a swtpm before somebody quotes: keys, NV indices, measurements. All of it asserts. */
#ifndef ATLS_TESTS_EDGE_TPM_INSIDE_H
#define ATLS_TESTS_EDGE_TPM_INSIDE_H

#include <stdint.h>

#include <tss2/tss2_esys.h>

#include "swtpm.h"

typedef struct inside {
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
} inside;

inside inside_open(const swtpm *t);
void inside_close(inside *d);

typedef enum inside_kind {
    INSIDE_ECC,    /* P-256, ECDSA with SHA-256 */
    INSIDE_P384,   /* ECDSA with SHA-384 */
    INSIDE_RSA,    /* 2048 bits, RSASSA with SHA-256 */
    INSIDE_RSAPSS, /* RSAPSS with SHA-256 */
} inside_kind;

/* inside_template gives the public area of a restricted signing key. */
TPM2B_PUBLIC inside_template(inside_kind kind);

/* inside_put_key makes a key from a template and keeps it at a handle. */
void inside_put_key(const swtpm *t, TPM2_HANDLE at, const TPM2B_PUBLIC *template);
void inside_take_key(const swtpm *t, TPM2_HANDLE at);
/* inside_read_key gives the TPMT_PUBLIC of the key at a handle and its length. */
size_t inside_read_key(const swtpm *t, TPM2_HANDLE at, uint8_t *out, size_t size);

/* inside_put_index defines an index and writes data, NULL: leaves it unwritten. Large ones are written in pieces. */
void inside_put_index(const swtpm *t, TPM2_HANDLE at, const uint8_t *data, uint16_t len, TPMA_NV read);
void inside_take_index(const swtpm *t, TPM2_HANDLE at);

/* inside_extend extends a PCR of the SHA-256 bank. */
void inside_extend(const swtpm *t, uint32_t pcr, const uint8_t digest[32]);

#endif
