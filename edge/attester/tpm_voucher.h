/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_voucher.h: hardware reports that vouch for a TPM's key, from the machine itself. Knows no tpm2-tss. */
#ifndef ATLS_EDGE_ATTESTER_TPM_VOUCHER_H
#define ATLS_EDGE_ATTESTER_TPM_VOUCHER_H

#include "tpm_variant.h"

/* atls_tpm_voucher_hcl puts what Azure left in NV into the document: a report of SEV-SNP as it is, a TDREPORT as the quote
 * that td_quote makes of it. Without td_quote, and of other hardware, there is none. Errors: td_quote's, QUOTE (of other
 * report data). */
ATLS_MUST_USE bool atls_tpm_voucher_hcl(const atls_tpm_options *o, atls_bytes nv, atls_arena *arena,
                                        atls_tpm_document *out, atls_error *err);

/* atls_tpm_voucher_snp asks the options' `hardware` for a report over report_data, NULL: over the document's key. Errors:
 * its own, QUOTE (no report of SEV-SNP, or of other report data), EVIDENCE_FORMAT (the key, its certificates). */
ATLS_MUST_USE bool atls_tpm_voucher_snp(const atls_tpm_options *o, const uint8_t *report_data, atls_arena *arena,
                                        atls_tpm_document *out, atls_error *err);

#endif
