/* SPDX-License-Identifier: Apache-2.0 */
/* document.h: the attestation document of a TDX machine, as it stands in a certificate's extension.
 *
 *     {"RawQuote":"<base64>","UserData":"<base64>"}        report data = SHA-256(UserData || nonce), then 32 zero bytes
 *
 * A decoded document is a rumour: UserData counts once the quote is genuine and holds the report data made from it.
 * Source: specification of constellation, section 8. */
#ifndef ATLS_CONSTELLATION_DOCUMENT_H
#define ATLS_CONSTELLATION_DOCUMENT_H

#include "atls/arena.h"
#include "nonce.h"
#include "pki/signature.h"

#define CONSTELLATION_USER_DATA_LEN     32u
#define CONSTELLATION_MAX_DOCUMENT_LEN  (1024u * 1024)
#define CONSTELLATION_MAX_DOCUMENT_SENT (60u * 1024) /* older peers read handshake messages of 64 KiB */

/* constellation_base64_len gives the length of n bytes as base64 with padding, without a NUL. */
size_t constellation_base64_len(size_t n);

/* constellation_base64 writes constellation_base64_len(in.len) characters and a NUL (RFC 4648 section 4). */
void constellation_base64(atls_bytes in, char *out);

typedef struct constellation_document {
    atls_bytes quote;
    uint8_t user_data[CONSTELLATION_USER_DATA_LEN];
} constellation_document;

/* constellation_document_read reads at most 1 MiB of strict JSON: exact names, unknown members ignored, repeated ones
 * refused, strict padded base64, UserData exactly 32 bytes, a quote that is not empty. out->quote is in the arena; out is
 * zeroed on failure. Errors: LIMIT, QUOTE with field "document", "document.RawQuote", "document.UserData"; MEMORY. */
ATLS_MUST_USE bool constellation_document_read(atls_bytes json, atls_arena *a, constellation_document *out,
                                               atls_error *err);

/* constellation_user_data_read reads the member UserData, exactly 32 bytes, of a document of another variant (vTPM), by the
 * same rules. Errors: as above. */
ATLS_MUST_USE bool constellation_user_data_read(atls_bytes json, atls_arena *a,
                                                uint8_t out[CONSTELLATION_USER_DATA_LEN], atls_error *err);

/* constellation_document_write writes the same, compact, RawQuote first, into the arena. Errors: LIMIT above 60 KiB, QUOTE
 * for an empty quote, MEMORY. */
ATLS_MUST_USE bool constellation_document_write(const constellation_document *in, atls_arena *a, atls_bytes *out,
                                                atls_error *err);

/* constellation_report_data makes what a quote is bound to. The two parts carry no lengths of their own, so both must be
 * exactly 32 bytes. Errors: INTERNAL; out is then zero, which no appraisal accepts. */
ATLS_MUST_USE bool constellation_report_data(const atls_crypto *c, atls_bytes user_data, atls_bytes nonce,
                                             uint8_t out[64], atls_error *err);

#endif
