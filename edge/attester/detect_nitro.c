/* SPDX-License-Identifier: Apache-2.0 */
/* detect_nitro.c: evidence of an AWS Nitro enclave. */
#include "detect.h"
#include "nsm.h"

bool atls_attest_nitro(const char *device, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                       atls_error *err)
{
    atls_nsm_options options = {.device = device};
    return atls_nsm_attest(&options, report_data, arena, out, err);
}
