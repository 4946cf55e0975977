/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: a decoded chain as JSON members, nothing of it verified. */
#include "android.h"
#include "base/json.h"

/* The first second of 1970 is a date like others here (Q6). */
static void put_date(atls_jw *w, const char *name, atls_time t)
{
    if (t == ATLS_TIME_UNSET) {
        atls_jw_str(w, name, "1970-01-01T00:00:00Z");
    } else {
        atls_jw_time(w, name, t);
    }
}

static bool put_certificate(atls_jw *w, const atls_cert *cert, atls_arena *arena, atls_error *err)
{
    const char *subject = atls_name_text(cert->subject, arena, err);
    const char *issuer = subject == NULL ? NULL : atls_name_text(cert->issuer, arena, err);
    if (issuer == NULL) {
        return false;
    }
    atls_jw_open(w, NULL, '{');
    atls_jw_str(w, "subject", subject);
    atls_jw_str(w, "issuer", issuer);
    atls_jw_hex(w, "serial", cert->serial);
    put_date(w, "not_before", cert->not_before);
    put_date(w, "not_after", cert->not_after);
    atls_jw_close(w, '}');
    return true;
}

bool android_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err)
{
    const android_evidence *e = evidence;
    atls_jw_str(w, "provisioning", atls_android_provisioning_name(e->provisioning));
    atls_jw_str(w, "certificate_level", atls_android_level_name(e->certificate_level));
    atls_jw_open(w, "chain", '[');
    for (size_t i = 0; i < e->n; i++) {
        if (!put_certificate(w, &e->certs[i], arena, err)) {
            return false;
        }
    }
    atls_jw_close(w, ']');
    atls_jw_hex(w, "public_key", e->certs[0].spki);
    atls_jw_uint(w, "key_descriptions", e->n_described);
    if (e->why.code == ATLS_OK) {
        atls_jw_uint(w, "described_certificate", e->described);
        android_put_description(w, "key_description", &e->description);
    } else {
        atls_jw_str(w, "problem", e->why.message);
        atls_jw_str(w, "field", e->why.field);
    }
    if (w->buf->failed) {
        return atls_fail(err, ATLS_E_MEMORY, "inspect", NULL);
    }
    return true;
}
