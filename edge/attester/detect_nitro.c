/* SPDX-License-Identifier: Apache-2.0 */
/* detect_nitro.c: evidence of an AWS Nitro enclave. */
#include "detect.h"

bool atls_attest_nitro(const char *device, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                       atls_error *err)
{
    (void)device;
    (void)report_data;
    (void)arena;
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    return atls_fail_unsupported(err, ATLS_E_UNSUPPORTED, "attester.nitro", NULL, NULL,
                                 "this build has no Nitro attester");
}
