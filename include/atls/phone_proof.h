/* SPDX-License-Identifier: Apache-2.0 */
/* phone_proof.h: what a phone shows in a session of atls/1, for an atls_attest_fn that runs on one.
 *
 *   { 0: [ certificate, ... ], 1: signature }         Android: DER, leaf first; attestationChallenge is the report
 *   { 0: attestation object, 1: assertion }           Apple: clientDataHash is SHA-256 of the report, and of the message
 *
 * Deterministic CBOR; everything inside is a byte string. An attestation alone is no proof: whoever enrols a key picks its challenge,
 * and could pick the report of a session of his own. So the attested key signs the message as well, and an app signs nothing else that
 * begins like it, nor an outsider's raw bytes.
 *
 * Source: docs/protocol.md, "Where `report` goes". */
#ifndef ATLS_PHONE_PROOF_H
#define ATLS_PHONE_PROOF_H

#include "arena.h"
#include "bytes.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_PHONE_MESSAGE_LEN 74u /* "atls/1 key", 10 bytes, and the report, 64 */

/* atls_phone_message writes what the attested key signs: with SHA-256 on Android, as client data of an assertion on Apple's. `report` is
 * what atls_attest_fn was given. Pure, thread-safe. */
void atls_phone_message(const uint8_t report[64], uint8_t out[ATLS_PHONE_MESSAGE_LEN]);

/* atls_phone_android writes the value for atls_evidence.quote: n certificates in DER, leaf first, 1 to 10 as the key store gives
 * them, and the DER signature (ECDSA, SHA-256) of the message. Nothing is checked but that all of it is there. *out is in the arena.
 * Errors: USAGE with the part as field, MEMORY. Thread-safe. */
ATLS_MUST_USE bool atls_phone_android(const atls_bytes *certificates, size_t n, atls_bytes signature, atls_arena *arena,
                                      atls_bytes *out, atls_error *err);

/* atls_phone_apple does the same with the attestation object and the assertion, both as App Attest gives them. */
ATLS_MUST_USE bool atls_phone_apple(atls_bytes attestation, atls_bytes assertion, atls_arena *arena, atls_bytes *out,
                                    atls_error *err);

#ifdef __cplusplus
}
#endif

#endif
