/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: a decoded attestation as JSON members, nothing of it verified. Names are those of the specification. */
#include <stdio.h>

#include "apple.h"
#include "base/json.h"
#include "base/text.h"

static void put_why(atls_jw *w, const atls_error *why)
{
    atls_jw_str(w, "field", why->field);
    atls_jw_str(w, "why", why->message);
}

static void put_text(atls_jw *w, const char *name, atls_bytes text)
{
    if (text.len > 0) {
        atls_jw_string(w, name, text);
    } else {
        atls_jw_null(w, name);
    }
}

static bool put_names(atls_jw *w, const atls_cert *cert, atls_arena *arena, atls_error *err)
{
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
    return true;
}

static void put_said(atls_jw *w, const atls_cert *cert)
{
    apple_extensions said;
    apple_extensions_read(cert, &said);
    if (said.has_nonce) {
        atls_jw_hex(w, "nonce", said.nonce);
    } else {
        atls_jw_null(w, "nonce");
    }
    put_text(w, "app_id", said.app_id);
    put_text(w, "os_version", said.os_version);
    put_text(w, "os_build", said.os_build);
}

/* A certificate that cannot be read stands as the reason why. */
static bool put_certificate(atls_jw *w, atls_bytes der, bool is_leaf, atls_arena *arena, atls_error *err)
{
    atls_error why = {0};
    atls_cert *cert = atls_arena_alloc(arena, sizeof *cert, err);
    if (cert == NULL) {
        return false;
    }
    atls_jw_open(w, NULL, '{');
    if (!atls_cert_decode(der, "certificate", cert, &why)) {
        put_why(w, &why);
        atls_jw_close(w, '}');
        return true;
    }
    if (!put_names(w, cert, arena, err)) {
        return false;
    }
    if (is_leaf) {
        put_said(w, cert);
    }
    atls_jw_close(w, '}');
    return true;
}

static void put_auth_data(atls_jw *w, const apple_attestation *a)
{
    const apple_auth_data *d = &a->auth_data;
    atls_jw_open(w, "authData", '{');
    if (!a->has_auth_data) {
        put_why(w, &a->auth_data_error);
        atls_jw_close(w, '}');
        return;
    }
    atls_jw_hex(w, "rpIdHash", d->rp_id_hash);
    atls_jw_uint(w, "flags", d->flags);
    atls_jw_uint(w, "signCount", d->sign_count);
    if (d->has_credential) {
        atls_jw_hex(w, "aaguid", d->aaguid);
        atls_jw_hex(w, "credentialId", d->credential_id);
        atls_jw_hex(w, "credentialPublicKey", atls_bytes_of(d->point, sizeof d->point));
    }
    atls_jw_close(w, '}');
}

static void put_ms(atls_jw *w, const char *name, bool is_there, int64_t t_ms)
{
    char second[ATLS_TIME_TEXT_SIZE];
    char text[ATLS_TIME_TEXT_SIZE + 8];
    if (!is_there) {
        atls_jw_null(w, name);
        return;
    }
    atls_time_format(t_ms / 1000, second);
    snprintf(text, sizeof text, "%.19s.%03dZ", second, (int)(t_ms % 1000));
    atls_jw_str(w, name, text);
}

static void put_payload(atls_jw *w, const atls_apple_receipt *r)
{
    put_text(w, "appId", r->app_id);
    atls_jw_hex(w, "clientHash", r->client_hash);
    put_text(w, "token", r->token);
    atls_jw_str(w, "type", r->is_renewed ? "RECEIPT" : "ATTEST");
    put_text(w, "environment", r->environment);
    put_ms(w, "creationTime", true, r->creation_ms);
    put_text(w, "riskMetric", r->risk_metric);
    put_ms(w, "notBefore", r->has_not_before, r->not_before_ms);
    put_ms(w, "expirationTime", true, r->expiration_ms);
}

static bool put_receipt(atls_jw *w, const apple_attestation *a, atls_arena *arena, atls_error *err)
{
    atls_jw_open(w, "receipt", '{');
    if (!a->has_receipt) {
        put_why(w, &a->receipt_error);
        atls_jw_close(w, '}');
        return true;
    }
    put_payload(w, &a->receipt.payload);
    atls_jw_open(w, "certificates", '[');
    for (size_t i = 0; i < a->receipt.cms.n_certificates; i++) {
        if (!put_certificate(w, a->receipt.cms.certificates[i], false, arena, err)) {
            return false;
        }
    }
    atls_jw_close(w, ']');
    atls_jw_close(w, '}');
    return true;
}

bool apple_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err)
{
    const apple_attestation *a = evidence;
    atls_jw_str(w, "fmt", "apple-appattest");
    put_auth_data(w, a);
    atls_jw_open(w, "x5c", '[');
    for (size_t i = 0; i < 2; i++) {
        if (!put_certificate(w, a->x5c[i], i == 0, arena, err)) {
            return false;
        }
    }
    atls_jw_close(w, ']');
    if (!put_receipt(w, a, arena, err)) {
        return false;
    }
    return !w->buf->failed || atls_fail(err, ATLS_E_MEMORY, "inspect", NULL);
}
