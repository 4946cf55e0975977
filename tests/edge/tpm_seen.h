/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_seen.h: evidence of a TPM read back by others than who wrote it: our CBOR reader, tpm2-tss' unmarshalling, OpenSSL. */
#ifndef ATLS_TESTS_EDGE_TPM_SEEN_H
#define ATLS_TESTS_EDGE_TPM_SEEN_H

#include "tap.h"

#include <openssl/evp.h>
#include <tss2/tss2_tpm2_types.h>

#include "atls/bytes.h"

#define MAX_QUOTES 4

typedef struct seen_quote {
    atls_bytes message, signature;
    uint64_t bank;
    uint32_t pcrs;
    atls_bytes values[24];
} seen_quote;

typedef struct seen {
    atls_bytes public_area, event_log, certificate, report, runtime_data;
    seen_quote quotes[MAX_QUOTES];
    size_t n_quotes;
} seen;

/* seen_read reads all of it; the test fails when it is not as docs/attesters.md says. */
void seen_read(atls_bytes in, seen *s);
void seen_public(const seen *s, TPMT_PUBLIC *out);
/* The caller's (EVP_PKEY_free). */
EVP_PKEY *seen_key(const TPMT_PUBLIC *p);
/* seen_check_signature: by this key. seen_check_message: a quote over wanted, of exactly the values beside it. */
void seen_check_signature(EVP_PKEY *key, const seen_quote *q);
void seen_check_message(const seen_quote *q, const uint8_t wanted[32]);

#endif
