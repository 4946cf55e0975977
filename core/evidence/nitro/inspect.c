/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: a decoded document as JSON members, nothing of it verified. Names are those of the document. */
#include "base/json.h"
#include "base/text.h"
#include "nitro.h"

static void put_optional(atls_jw *w, const char *name, const atls_nitro_optional *o)
{
    if (o->present) {
        atls_jw_hex(w, name, o->value);
    } else {
        atls_jw_null(w, name);
    }
}

/* As a policy has them: an object of index and value. */
static void put_registers(atls_jw *w, const nitro_document *d)
{
    atls_jw_open(w, d->is_nitrotpm ? "nitrotpm_pcrs" : "pcrs", '{');
    for (size_t i = 0; i < ATLS_NITRO_PCRS; i++) {
        if ((d->pcrs >> i & 1u) != 0) {
            atls_jw_hex(w, nitro_pcr_name(i), d->pcr[i]);
        }
    }
    atls_jw_close(w, '}');
}

/* A document whose certificates cannot be read is still worth showing; the reason stands where the certificate would. */
static bool put_certificate(atls_jw *w, const char *name, atls_bytes der, atls_arena *arena, atls_error *err)
{
    atls_error why = {.code = ATLS_OK};
    atls_cert *cert = atls_arena_alloc(arena, sizeof *cert, err);
    if (cert == NULL) {
        return false;
    }
    atls_jw_open(w, name, '{');
    if (!atls_cert_decode(der, "", cert, &why)) {
        atls_jw_str(w, "why", why.message);
        atls_jw_close(w, '}');
        return true;
    }
    const char *subject = atls_name_text(cert->subject, arena, err);
    const char *issuer = subject == NULL ? NULL : atls_name_text(cert->issuer, arena, err);
    if (issuer == NULL) {
        return false;
    }
    atls_jw_str(w, "subject", subject);
    atls_jw_str(w, "issuer", issuer);
    atls_jw_hex(w, "serial", cert->serial);
    atls_jw_time(w, "not_before", cert->not_before);
    atls_jw_time(w, "not_after", cert->not_after);
    atls_jw_close(w, '}');
    return true;
}

static bool put_certificates(atls_jw *w, const nitro_document *d, atls_arena *arena, atls_error *err)
{
    if (!put_certificate(w, "certificate", d->certificate, arena, err)) {
        return false;
    }
    atls_jw_open(w, "cabundle", '[');
    for (size_t i = 0; i < d->n_cabundle; i++) {
        if (!put_certificate(w, NULL, d->cabundle[i], arena, err)) {
            return false;
        }
    }
    atls_jw_close(w, ']');
    return true;
}

bool nitro_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err)
{
    const nitro_document *d = evidence;
    atls_jw_str(w, "document", d->is_nitrotpm ? "nitrotpm" : "enclave");
    atls_jw_bool(w, "tagged", d->is_tagged);
    atls_jw_hex(w, "protected", d->protected_header);
    atls_jw_string(w, "module_id", d->module_id);
    atls_jw_string(w, "digest", d->digest);
    atls_jw_uint(w, "timestamp_ms", d->timestamp_ms);
    atls_jw_time(w, "timestamp", (atls_time)(d->timestamp_ms / 1000));
    put_registers(w, d);
    put_optional(w, "public_key", &d->public_key);
    put_optional(w, "user_data", &d->user_data);
    put_optional(w, "nonce", &d->nonce);
    if (!put_certificates(w, d, arena, err)) {
        return false;
    }
    atls_jw_hex(w, "signature", d->signature);
    if (w->buf->failed) {
        return atls_fail(err, ATLS_E_MEMORY, "inspect", NULL);
    }
    return true;
}
