/* SPDX-License-Identifier: Apache-2.0 */
/* kinds.h: one machine of every kind of evidence, all alive at once, so that each can be held against the others' policies. */
#ifndef ATLS_TESTS_VERIFY_KINDS_H
#define ATLS_TESTS_VERIFY_KINDS_H

#include "tap.h"

#include "atls/atls.h"
#include "sim/sim.h"
#include "sim/sim_nitro.h"
#include "sim/sim_sevsnp.h"
#include "sim/sim_tpm.h"

typedef enum kind_id {
    KIND_TDX, /* a quote alone */
    KIND_SGX,
    KIND_DSTACK, /* a TDX quote and the event log */
    KIND_SEV_SNP,
    KIND_TPM,           /* our own form, the key certified */
    KIND_CONSTELLATION, /* the same machine, in Constellation's document */
    KIND_NITRO,
    KIND_NITROTPM,
    KIND_AZURE_SNP, /* a TPM whose key a report of SEV-SNP vouches for, through runtime data */
    KIND_AZURE_TDX, /* the same, a TDX quote */
    N_KINDS,
} kind_id;

/* How evidence holds the value that it is bound to. */
typedef enum kind_holds {
    HOLDS_64,     /* a field of 64 bytes, filled up with zeros */
    HOLDS_ANY,    /* TPM: as many bytes as were given, at most 64; of a session's the first 32 */
    HOLDS_HASH,   /* Constellation: SHA-256(instance info || 32 bytes) */
    HOLDS_ANY_64, /* Nitro: as many bytes as were given, of a session's all 64 */
    N_HOLDS,
} kind_holds;

typedef struct kinds {
    atls_arena arena;
    sim *td;
    sim *enclave;
    sim_snp *snp;
    sim_nitro *nitro;
    sim_nitro *nitrotpm;
    sim_tpm *tpm;
    sim_tpm *azure_snp;
    sim_tpm *azure_tdx;
    const char *policies[N_KINDS]; /* each accepts its own kind of evidence */
    uint8_t report_data[64];       /* of the hardware around both Azure machines */
} kinds;

void kinds_open(kinds *k);
void kinds_close(kinds *k);

const char *kind_name(kind_id id);
kind_holds kind_holds_of(kind_id id);
/* kind_field gives the field that a binding is compared with. */
const char *kind_field(kind_id id);

/* kind_make makes evidence over a value, in k's arena. A field of 64 bytes is filled up with zeros. */
void kind_make(kinds *k, kind_id id, atls_bytes value, atls_appraisal *out);

/* kinds_endorse is an atls_endorse_fn with what all the machines need; ctx is the kinds. */
bool kinds_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                   atls_error *err);

#endif
