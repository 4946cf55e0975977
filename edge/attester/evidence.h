/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.h: what the attesters of machines do alike with what a device gave them. */
#ifndef ATLS_EDGE_ATTESTER_EVIDENCE_H
#define ATLS_EDGE_ATTESTER_EVIDENCE_H

#include "atls/attester.h"

#define ATLS_SNP_REPORT_LEN 1184u

/* atls_made_quote fails with QUOTE when `quote` is a TDX or SGX quote over other report data. What cannot be decoded is
 * not judged here: a verifier says why. */
ATLS_MUST_USE bool atls_made_quote(atls_bytes quote, const uint8_t report_data[64], const char *field, atls_error *err);

/* atls_made_report puts an SEV-SNP report and a certificate table (perhaps empty, perhaps padded) behind each other.
 * Errors: QUOTE (not 1184 bytes, other report data), IO (a table that points outside itself), MEMORY. */
ATLS_MUST_USE bool atls_made_report(atls_bytes report, atls_bytes table, const uint8_t report_data[64],
                                    const char *field, atls_arena *arena, atls_bytes *out, atls_error *err);

/* atls_certificate_table_len gives the bytes of a table that are in use: 0 when it has no entry. False when an entry or
 * what it points at lies outside, or more than 32 are there. Pure. Source: sev-snp.md section 5. */
ATLS_MUST_USE bool atls_certificate_table_len(atls_bytes table, size_t *len);

/* atls_snp_response_report takes the report out of a MSG_REPORT_RSP: status, size, 24 reserved bytes, report. Errors: IO
 * (a status of the firmware, in words), QUOTE (a size that is no report's). Pure. Source: AMD 56860, table 24. */
ATLS_MUST_USE bool atls_snp_response_report(atls_bytes response, atls_bytes *report, atls_error *err);

/* atls_event_log_file reads an event log: `path` as the caller gave it, NULL for the default, which may be absent. */
ATLS_MUST_USE bool atls_event_log_file(const char *path, const char *default_path, const char *field, size_t max,
                                       atls_arena *arena, atls_bytes *out, atls_error *err);

#endif
