/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: the room's row in the registry, and the doors that are too small for a file of their own. */
#include "apple.h"

static bool decode(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err)
{
    apple_attestation *a = atls_arena_alloc(arena, sizeof *a, err);
    if (a == NULL || !apple_attestation_decode(in, arena, a, err)) {
        return false;
    }
    *evidence = a;
    return true;
}

static bool decode_session(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err)
{
    apple_attestation *a = atls_arena_alloc(arena, sizeof *a, err);
    if (a == NULL || !apple_session_decode(in, arena, a, err)) {
        return false;
    }
    *evidence = a;
    return true;
}

/* Everything comes along but the root, which is pinned. */
static bool request(const void *evidence, atls_arena *arena, atls_endorsement_request *out, atls_error *err)
{
    (void)evidence;
    (void)arena;
    (void)err;
    *out = (atls_endorsement_request){.platform = ATLS_PLATFORM_APPLE, .pck_ca = ""};
    return true;
}

/* An App ID says whose code it is, and no policy of this type is without one. */
static bool names_code(const atls_policy *policy)
{
    return policy->apple.n_applications > 0;
}

void apple_attestation_roots(const atls_apple_policy *p, apple_roots *out)
{
    const bool has_own = p->n_attestation_roots > 0;
    out->own = atls_root_apple_attestation();
    out->items = has_own ? p->attestation_roots : &out->own;
    out->n = has_own ? p->n_attestation_roots : 1;
}

void apple_receipt_roots(const atls_apple_policy *p, apple_roots *out)
{
    const bool has_own = p != NULL && p->n_receipt_roots > 0;
    out->own = atls_root_apple_receipt();
    out->items = has_own ? p->receipt_roots : &out->own;
    out->n = has_own ? p->n_receipt_roots : 1;
}

const atls_format *apple_format(void)
{
    static const atls_format row = {
        .name = "apple",
        .decode = decode,
        .decode_session = decode_session,
        .request = request,
        .authenticate = apple_authenticate,
        .binds_itself = true,
        .appraise = apple_appraise,
        .names_code = names_code,
        .inspect = apple_inspect,
        .put_claims = apple_put_claims,
    };
    return &row;
}
