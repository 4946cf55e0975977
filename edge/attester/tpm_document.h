/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_document.h: the evidence of a TPM as bytes, and Azure's hardware report taken apart. Knows no tpm2-tss. */
#ifndef ATLS_EDGE_ATTESTER_TPM_DOCUMENT_H
#define ATLS_EDGE_ATTESTER_TPM_DOCUMENT_H

#include "atls/attester.h"

#define ATLS_TPM_DEVICE   "/dev/tpmrm0"
#define ATLS_TPM_LOG_PATH "/sys/kernel/security/tpm0/binary_bios_measurements"
#define ATLS_TPM_N_PCRS   24u
#define ATLS_TPM_MAX_LOG  (1024u * 1024) /* tpm.md section 6 */

#define ATLS_TPM_MAX_HARDWARE_CERTS 3u

typedef struct atls_tpm_quote {
    atls_bytes message;   /* TPMS_ATTEST */
    atls_bytes signature; /* TPMT_SIGNATURE */
    uint16_t bank;
    uint32_t pcrs; /* bit i: PCR i */
    atls_bytes values[ATLS_TPM_N_PCRS];
} atls_tpm_quote;

typedef struct atls_tpm_document {
    atls_bytes public_area; /* TPMT_PUBLIC */
    atls_tpm_quote quotes[ATLS_TPM_MAX_BANKS];
    size_t n_quotes;
    atls_bytes event_log;       /* empty: none */
    atls_bytes certificate;     /* DER; empty: none */
    bool is_tdx;                /* what hardware is */
    atls_bytes hardware;        /* SEV-SNP report or TDX quote that vouches for the key; empty: none */
    atls_bytes hardware_framed; /* the same with what Azure has behind it; empty: not of Azure */
    atls_bytes runtime_data;    /* what its report data are the hash of; empty: they are made of the key */
    atls_bytes hardware_certificates[ATLS_TPM_MAX_HARDWARE_CERTS]; /* DER, the signer's first */
    size_t n_hardware_certificates;
} atls_tpm_document;

/* atls_tpm_document_write gives deterministic CBOR: {0: public area, 1: [[message, signature, {bank: {index: value}}]],
 * ? 2: event log, ? 3: [certificate], ? 4: ["sev-snp" or "tdx", report, runtime data, [certificates]]}. Errors: MEMORY. */
ATLS_MUST_USE bool atls_tpm_document_write(const atls_tpm_document *in, atls_arena *arena, atls_bytes *out,
                                           atls_error *err);

/* What Azure leaves in NV 0x01400001. */
typedef struct atls_tpm_hcl {
    bool is_tdx;
    atls_bytes report;       /* SEV-SNP, 1184 bytes; TDREPORT, 1024 */
    atls_bytes with_header;  /* SEV-SNP: and the 20 bytes behind it, as Constellation carries it */
    atls_bytes runtime_data; /* the JSON that names the key */
} atls_tpm_hcl;

/* atls_tpm_hcl_read takes that apart. False when it is none, or of another hardware or hash. Borrows in. Pure.
 * Source: constellation.md section 8. */
ATLS_MUST_USE bool atls_tpm_hcl_read(atls_bytes in, atls_tpm_hcl *out);

/* atls_tpm_first_der gives the first DER element of what an index holds: certificates stand there with padding. Empty
 * when it does not begin with a SEQUENCE. */
atls_bytes atls_tpm_first_der(atls_bytes in);

/* atls_tpm_look connects to a TPM and asks for its banks; what it is goes to text. Without tpm2-tss: UNSUPPORTED. */
ATLS_MUST_USE bool atls_tpm_look(const char *tcti, char text[96], atls_error *err);

#endif
