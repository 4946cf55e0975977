/* SPDX-License-Identifier: Apache-2.0 */
/* native_binding.h: what an atls/1 session is, in 64 bytes. Pure.
 *
 * Source: specification of atls/1, "The binding value"; docs/protocol.md has the same in our words. */
#ifndef ATLS_VERIFY_NATIVE_BINDING_H
#define ATLS_VERIFY_NATIVE_BINDING_H

#include "pki/hash_tree.h"

#define ATLS_NATIVE_PROFILE      "atls/1" /* its name in bindings */
#define ATLS_NATIVE_EXPORTER_LEN 64u
#define ATLS_NATIVE_LABEL_CLIENT "EXPORTER-atls-1-client"
#define ATLS_NATIVE_LABEL_SERVER "EXPORTER-atls-1-server"

typedef enum atls_native_role { ATLS_NATIVE_CLIENT = 1, ATLS_NATIVE_SERVER = 2 } atls_native_role;

/* atls_native_context hashes both hellos as they crossed the wire, lengths and all. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_native_context(const atls_crypto *c, atls_bytes client_hello, atls_bytes server_hello,
                                       uint8_t context[32], atls_error *err);

/* What goes into a leaf. */
typedef struct atls_native_leaf_input {
    atls_native_role role;    /* the prover's */
    const uint8_t *exporter;  /* 64 bytes, by the prover's label */
    const uint8_t *nonce;     /* 32 bytes, the verifier's */
    atls_bytes prover_spki;   /* SHA-256 of the leaf's SPKI, 32 bytes; empty: a client without certificate */
    atls_bytes verifier_spki; /* same */
} atls_native_leaf_input;

/* atls_native_leaf: USAGE when a length or role is impossible (a server without key), INTERNAL. */
ATLS_MUST_USE bool atls_native_leaf(const atls_crypto *c, const atls_native_leaf_input *in, uint8_t leaf[64],
                                    atls_error *err);

/* atls_native_report: the value that evidence carries for a tree. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_native_report(const atls_crypto *c, uint64_t tree_size, const uint8_t root[64],
                                      uint8_t report[64], atls_error *err);

#endif
