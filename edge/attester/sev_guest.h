/* SPDX-License-Identifier: Apache-2.0 */
/* sev_guest.h: where the device of SEV-SNP guests is. */
#ifndef ATLS_EDGE_ATTESTER_SEV_GUEST_H
#define ATLS_EDGE_ATTESTER_SEV_GUEST_H

#define ATLS_SEV_GUEST_DEVICE "/dev/sev-guest"

#endif
