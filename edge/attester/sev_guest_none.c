/* SPDX-License-Identifier: Apache-2.0 */
/* sev_guest_none.c: in place of sev_guest.c where linux/sev-guest.h is not there, or older than Linux 6.3. */
#include "atls/attester.h"

bool atls_attest_sev_guest(void *options, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    (void)options;
    (void)report_data;
    (void)arena;
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    return atls_fail_unsupported(err, ATLS_E_UNSUPPORTED, "attester.sev_guest", NULL, NULL,
                                 "this build has no attester for /dev/sev-guest (linux/sev-guest.h was missing)");
}
