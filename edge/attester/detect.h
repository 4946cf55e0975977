/* SPDX-License-Identifier: Apache-2.0 */
/* detect.h: what the survey's files share: places of a machine, and findings.
 *
 * detect.c        the kinds, their order, the choice, and evidence of any of them
 * detect_nitro.c  Nitro's security module
 * detect_look.c   what each kind's device says of itself, and what an administrator does about it */
#ifndef ATLS_EDGE_ATTESTER_DETECT_H
#define ATLS_EDGE_ATTESTER_DETECT_H

#include "atls/attester.h"

/* A machine with every place filled in. The texts live in the arena or are the caller's. */
typedef struct atls_places {
    atls_tsm_options tsm;
    atls_sev_guest_options sev_guest;
    atls_tpm_options tpm;
    atls_dstack_agent_options dstack_agent; /* socket_path may be NULL: none of the usual ones is there */
    const char *nsm_device;
    const char *root;
    bool only_device; /* SEV-SNP: a device was named and no folder: not configfs-tsm */
} atls_places;

/* atls_has_snp_folder tells whether configfs-tsm gives SEV-SNP reports, unless a device was named in its place. */
bool atls_has_snp_folder(const atls_places *p);

/* atls_places_of fills in the defaults below machine->root. Errors: MEMORY. */
ATLS_MUST_USE bool atls_places_of(const atls_machine *machine, atls_arena *arena, atls_places *out, atls_error *err);

/* atls_look finds out what can be seen of one kind without making evidence. Errors: MEMORY. */
ATLS_MUST_USE bool atls_look(const atls_places *p, atls_attester_kind kind, atls_arena *arena,
                             atls_attester_finding *out, atls_error *err);

/* atls_attest_kind makes evidence with one kind. */
ATLS_MUST_USE bool atls_attest_kind(atls_places *p, atls_attester_kind kind, const uint8_t report_data[64],
                                    atls_arena *arena, atls_evidence *out, atls_error *err);

/* atls_attest_nitro has the security module at `device` attest. detect_nitro.c is the one place that knows how. */
ATLS_MUST_USE bool atls_attest_nitro(const char *device, const uint8_t report_data[64], atls_arena *arena,
                                     atls_evidence *out, atls_error *err);

#endif
