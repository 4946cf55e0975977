/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_none.c: in place of the TPM attester where tpm2-tss is not there, or not wanted. */
#include "tpm_document.h"

static bool fail(atls_error *err)
{
    return atls_fail_unsupported(err, ATLS_E_UNSUPPORTED, "attester.tpm", NULL, NULL,
                                 "this build has no TPM attester (tpm2-tss was missing)");
}

bool atls_attest_tpm(void *options, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                     atls_error *err)
{
    (void)options;
    (void)report_data;
    (void)arena;
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    return fail(err);
}

bool atls_tpm_look(const char *tcti, char text[96], atls_error *err)
{
    (void)tcti;
    text[0] = '\0';
    return fail(err);
}
