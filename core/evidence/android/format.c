/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: the room's row in the registry, and the doors that are too small for a file of their own. */
#include "android.h"

static bool decode(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err)
{
    android_evidence *e = atls_arena_alloc(arena, sizeof *e, err);
    if (e == NULL || !android_chain_decode(in, arena, e, err)) {
        return false;
    }
    *evidence = e;
    return true;
}

static bool decode_session(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err)
{
    android_evidence *e = atls_arena_alloc(arena, sizeof *e, err);
    if (e == NULL || !android_session_decode(in, arena, e, err)) {
        return false;
    }
    *evidence = e;
    return true;
}

/* The chain comes whole; what may be fetched is the status list. Without one the answer is LIST_UNAVAILABLE, in its place
 * among the checks, so that nothing is complained about here. */
static bool request(const void *evidence, atls_arena *arena, atls_endorsement_request *out, atls_error *err)
{
    (void)evidence;
    (void)arena;
    (void)err;
    *out = (atls_endorsement_request){.platform = ATLS_PLATFORM_ANDROID, .pck_ca = ""};
    return true;
}

const atls_format *android_format(void)
{
    static const atls_format row = {
        .name = "android",
        .decode = decode,
        .decode_session = decode_session,
        .request = request,
        .authenticate = android_authenticate,
        .binds_itself = true,
        .appraise = android_appraise,
        .names_code = android_names_code,
        .inspect = android_inspect,
        .put_claims = android_put_claims,
    };
    return &row;
}
