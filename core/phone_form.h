/* SPDX-License-Identifier: Apache-2.0 */
/* phone_form.h: the map { 0: attestation, 1: proof } in which a phone shows itself to atls/1, for the rooms of phones. Deterministic CBOR;
 * what stands under the keys is theirs. Its writer is phone_proof.c. */
#ifndef ATLS_PHONE_FORM_H
#define ATLS_PHONE_FORM_H

#include "base/cbor.h"

/* atls_phone_open reads the head of a map of exactly these two, and the first key. Errors: those of the cursor, field "members" or
 * "key". */
ATLS_MUST_USE bool atls_phone_open(atls_cur *c);

/* atls_phone_key reads a key that must be `wanted`. Errors: those of the cursor, field "key". */
ATLS_MUST_USE bool atls_phone_key(atls_cur *c, uint64_t wanted);

#endif
