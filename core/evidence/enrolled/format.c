/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: the room's row in the registry, and the doors that are too small for a file of their own. */
#include <string.h>

#include "base/json.h"
#include "enrolled.h"

static bool decode(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err)
{
    enrolled_evidence *e = atls_arena_alloc(arena, sizeof *e, err);
    if (e == NULL || !enrolled_decode(in, e, err)) {
        return false;
    }
    *evidence = e;
    return true;
}

/* The chain comes along; what may still be found is lists. */
static bool request(const void *evidence, atls_arena *arena, atls_endorsement_request *out, atls_error *err)
{
    (void)evidence;
    (void)arena;
    (void)err;
    *out = (atls_endorsement_request){.platform = ATLS_PLATFORM_ENROLLED, .pck_ca = ""};
    return true;
}

/* The value is the SHA-256 of the public key that somebody has proved to hold, no byte more or less. */
static bool bind_key(const void *evidence, const atls_crypto *crypto, const atls_binding_value *in,
                     uint8_t expected[64], size_t *len, atls_error *err)
{
    (void)evidence;
    (void)crypto;
    (void)err;
    memset(expected, 0, 64);
    memcpy(expected, in->value, in->len);
    *len = in->len;
    return true;
}

static bool names_code(const atls_policy *policy)
{
    return policy->enrolled.n_applications > 0;
}

static bool inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err)
{
    const enrolled_evidence *e = evidence;
    atls_jw_open(w, "certificates", '[');
    for (size_t i = 0; i < e->n; i++) {
        atls_cert cert;
        atls_error why = {0};
        const bool ok = atls_cert_decode(e->ders[i], "certificate", &cert, &why);
        const char *subject = ok ? atls_name_text(cert.subject, arena, err) : "";
        if (subject == NULL) {
            return false;
        }
        atls_jw_open(w, NULL, '{');
        atls_jw_str(w, ok ? "subject" : "why", ok ? subject : why.message);
        atls_jw_close(w, '}');
    }
    atls_jw_close(w, ']');
    return true;
}

const atls_format *enrolled_format(void)
{
    static const atls_format row = {
        .name = "enrolled",
        .decode = decode,
        .request = request,
        .authenticate = enrolled_authenticate,
        .bind = bind_key,
        .appraise = enrolled_appraise,
        .names_code = names_code,
        .inspect = inspect,
        .put_claims = enrolled_put_claims,
    };
    return &row;
}
