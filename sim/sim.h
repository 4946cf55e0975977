/* SPDX-License-Identifier: Apache-2.0 */
/* sim.h: a software TEE: its own PKI in Intel's shape, real formats, real signatures, from a seed.
 *
 * A sim is one machine room: a root, PCK CAs, a PCK certificate with the SGX extension, a TCB signer, collateral, a quoting
 * enclave, a TD (or an enclave) with an event log, and an ordinary TLS certificate. The same options give the same bytes,
 * signatures included. Any field can be overridden with "path=value" settings (sim/README.md is the list), before
 * whatever covers it is signed; "raw." paths change bytes after signing. So that a case of a table is the honest room plus
 * one setting.
 *
 * Nothing made here is trusted by anything unless a policy names its root. It is a library of its own and never in libatls. */
#ifndef ATLS_SIM_H
#define ATLS_SIM_H

#include "atls/atls.h"

/* A room. It belongs to one thread at a time. */
typedef struct sim sim;

/* A memo remembers, across the rooms that are made with it, what is dear to compute and always the same: multiples of a
 * generator, RSA powers. It changes no byte of what a room makes. It belongs to one thread at a time, as its rooms do, and
 * outlives them. Errors: MEMORY. */
typedef struct sim_memo sim_memo;
ATLS_MUST_USE bool sim_memo_new(sim_memo **out, atls_error *err);
void sim_memo_free(sim_memo *m);

/* The instant at which everything in a default room is valid: 2026-06-15T12:00:00Z. */
#define SIM_NOW ((atls_time)1781524800)

typedef enum sim_kind {
    SIM_SGX_V3 = 3, /* SGX quote version 3 */
    SIM_TDX_V4,     /* TD report 1.0 in a version 4 quote */
    SIM_TDX_V5,     /* TD report 1.5 in a version 5 quote (set quote.body_type=2 for 1.0) */
} sim_kind;

typedef struct sim_options {
    sim_kind kind;               /* default (0): SIM_TDX_V4 */
    const char *seed;            /* any text; NULL: "atls" */
    const char *const *settings; /* NULL-terminated "path=value"; NULL: none */
    atls_time now;               /* dates are laid around it; 0: SIM_NOW */
    sim_memo *memo;              /* borrowed; NULL: none */
} sim_options;

/* sim_new makes a room. A setting that names no field is CONFIGURATION with the path as field. sim_free frees it. */
ATLS_MUST_USE bool sim_new(const sim_options *options, sim **out, atls_error *err);
void sim_free(sim *s);

/* sim_root gives the root certificate's DER, borrowed. sim_now the room's instant. */
atls_bytes sim_root(const sim *s);
/* sim_certificate gives the DER of a certificate by its id in sim/README.md ("pck", "tcb"), empty when there is none. */
atls_bytes sim_certificate(const sim *s, const char *id);
atls_time sim_now(const sim *s);

/* sim_quote makes a quote over report_data; log registers and all settings included. In the arena. */
ATLS_MUST_USE bool sim_quote(sim *s, const uint8_t report_data[64], atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_collateral gives all endorsements. In the arena. */
ATLS_MUST_USE bool sim_collateral(sim *s, atls_arena *a, atls_endorsements *out, atls_error *err);

/* sim_event_log gives dstack's JSON array (a TD's room), as it stands now. sim_ccel gives the boot part as raw CCEL. */
ATLS_MUST_USE bool sim_event_log(sim *s, atls_arena *a, atls_bytes *out, atls_error *err);
ATLS_MUST_USE bool sim_ccel(sim *s, atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_emit appends a runtime event to RTMR3, as the guest agent does. */
ATLS_MUST_USE bool sim_emit(sim *s, const char *name, atls_bytes payload, atls_error *err);
/* sim_measure_certificate emits "New TLS Certificate" for a leaf. */
ATLS_MUST_USE bool sim_measure_certificate(sim *s, atls_bytes leaf_der, atls_error *err);

/* sim_response gives the body that /tdx_quote answers with, over report_data. */
ATLS_MUST_USE bool sim_response(sim *s, const uint8_t report_data[64], atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_policy writes a policy document that accepts this room and names its root: kind "dstack_tdx", "tdx" or "sgx". */
ATLS_MUST_USE bool sim_policy(sim *s, const char *kind, atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_tls makes an ordinary TLS identity for a server name (P-256), under a private CA of the room that has nothing to do with
 * the attestation root: PEM certificate chain, PEM key, PEM CA. Also the leaf's DER. */
typedef struct sim_tls {
    atls_bytes chain_pem;
    atls_bytes key_pem;
    atls_bytes ca_pem;
    atls_bytes leaf_der;
} sim_tls;
ATLS_MUST_USE bool sim_tls_identity(sim *s, const char *server_name, atls_arena *a, sim_tls *out, atls_error *err);

/* sim_attest is an atls_attest_fn, sim_endorse an atls_endorse_fn; ctx is the sim. */
bool sim_attest(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err);
bool sim_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                 atls_error *err);

#endif
