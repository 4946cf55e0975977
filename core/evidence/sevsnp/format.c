/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: the room's row in the registry. */
#include "proof.h"

static bool decode(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err)
{
    sevsnp_evidence *e = atls_arena_alloc(arena, sizeof *e, err);
    if (e == NULL || !sevsnp_evidence_decode(in, e, err)) {
        return false;
    }
    *evidence = e;
    return true;
}

const atls_format *sevsnp_format(void)
{
    static const atls_format row = {
        .name = "sevsnp",
        .decode = decode,
        .request = sevsnp_request,
        .complete = sevsnp_complete,
        .authenticate = sevsnp_authenticate,
        .appraise = sevsnp_appraise, /* bind: REPORT_DATA has 64 bytes and holds the value as it is */
        .names_code = sevsnp_names_code,
        .inspect = sevsnp_inspect,
        .put_claims = sevsnp_put_claims,
    };
    return &row;
}
