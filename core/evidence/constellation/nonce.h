/* SPDX-License-Identifier: Apache-2.0 */
/* nonce.h: how a verifier's 32 random bytes travel inside a TLS handshake.
 *
 * To the server: as server_name, 44 characters of base64. To the client: as the common name of the one acceptable CA, the
 * same 44 characters. Both readers accept exactly what a writer here makes, the string type of the name apart.
 * Source: specification of constellation, sections 2, 4, 5. */
#ifndef ATLS_CONSTELLATION_NONCE_H
#define ATLS_CONSTELLATION_NONCE_H

#include "atls/bytes.h"
#include "atls/error.h"

#define CONSTELLATION_NONCE_LEN      32u
#define CONSTELLATION_NONCE_TEXT_LEN 44u
#define CONSTELLATION_NAME_LEN       57u

/* constellation_nonce_write writes the text form and a NUL. */
void constellation_nonce_write(const uint8_t nonce[CONSTELLATION_NONCE_LEN],
                               char out[CONSTELLATION_NONCE_TEXT_LEN + 1]);

/* constellation_nonce_read reads exactly 44 characters of standard base64 with padding (RFC 4648 section 4, canonical).
 * Errors: PROTOCOL with field; out is then zero. */
ATLS_MUST_USE bool constellation_nonce_read(atls_bytes text, const char *field, uint8_t out[CONSTELLATION_NONCE_LEN],
                                            atls_error *err);

/* constellation_name_write writes a DER DistinguishedName with one attribute, CN, a PrintableString. */
void constellation_name_write(const uint8_t nonce[CONSTELLATION_NONCE_LEN], uint8_t out[CONSTELLATION_NAME_LEN]);

/* constellation_name_read reads such a name: one RDN, one attribute, CN, as PrintableString, UTF8String or IA5String,
 * nothing behind it. Errors: PROTOCOL with field "certificate_authorities..."; out is then zero. */
ATLS_MUST_USE bool constellation_name_read(atls_bytes der, uint8_t out[CONSTELLATION_NONCE_LEN], atls_error *err);

#endif
