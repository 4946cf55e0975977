/* SPDX-License-Identifier: Apache-2.0 */
/* claims_json.c: authenticated claims as members of the result's "claims" object. docs/json.md lists them. */
#include <stdio.h>

#include "apple.h"
#include "base/json.h"

static void put_text(atls_jw *w, const char *name, atls_bytes text)
{
    if (text.len > 0) {
        atls_jw_string(w, name, text);
    } else {
        atls_jw_null(w, name);
    }
}

static void put_fixed(atls_jw *w, const char *name, const uint8_t *bytes, size_t n)
{
    atls_jw_hex(w, name, atls_bytes_of(bytes, n));
}

/* "2020-11-21T22:13:02.796Z" */
static void put_ms(atls_jw *w, const char *name, int64_t t_ms)
{
    char second[ATLS_TIME_TEXT_SIZE];
    char text[ATLS_TIME_TEXT_SIZE + 8];
    const int64_t ms = (t_ms % 1000 + 1000) % 1000;
    atls_time_format((t_ms - ms) / 1000, second);
    snprintf(text, sizeof text, "%.19s.%03dZ", second, (int)ms);
    atls_jw_str(w, name, text);
}

static void put_receipt(atls_jw *w, const atls_apple_receipt *r)
{
    atls_jw_open(w, "receipt", '{');
    atls_jw_str(w, "type", r->is_renewed ? "RECEIPT" : "ATTEST");
    put_text(w, "app_id", r->app_id);
    put_text(w, "environment", r->environment);
    put_ms(w, "creation_time", r->creation_ms);
    if (r->has_not_before) {
        put_ms(w, "not_before", r->not_before_ms);
    } else {
        atls_jw_null(w, "not_before");
    }
    put_ms(w, "expiration_time", r->expiration_ms);
    put_text(w, "risk_metric", r->risk_metric);
    atls_jw_close(w, '}');
}

static void put_application(atls_jw *w, const atls_apple_claims *c)
{
    put_text(w, "app_id", c->app_id);
    put_text(w, "team_identifier", c->team_identifier);
    put_text(w, "bundle_identifier", c->bundle_identifier);
    atls_jw_uint(w, "application", c->application);
    atls_jw_str(w, "environment", c->is_sandbox ? "sandbox" : "production");
}

static void put_certificate(atls_jw *w, const atls_apple_claims *c)
{
    atls_jw_open(w, "certificate", '{');
    atls_jw_hex(w, "serial", c->leaf_serial);
    atls_jw_time(w, "not_before", c->leaf_not_before);
    atls_jw_time(w, "not_after", c->leaf_not_after);
    atls_jw_close(w, '}');
}

void apple_put_claims(struct atls_jw *w, const atls_claims *claims)
{
    const atls_apple_claims *c = &claims->apple;
    atls_jw_open(w, "apple", '{');
    put_application(w, c);
    put_fixed(w, "public_key", c->public_key, sizeof c->public_key);
    put_fixed(w, "spki_sha256", c->spki_sha256, sizeof c->spki_sha256);
    put_fixed(w, "key_id", c->key_id, sizeof c->key_id);
    put_fixed(w, "rp_id_hash", c->rp_id_hash, sizeof c->rp_id_hash);
    put_fixed(w, "aaguid", c->aaguid, sizeof c->aaguid);
    put_fixed(w, "nonce", c->nonce, sizeof c->nonce);
    atls_jw_uint(w, "sign_count", c->sign_count);
    put_text(w, "os_version", c->os_version);
    put_text(w, "os_build", c->os_build);
    put_certificate(w, c);
    put_receipt(w, &c->receipt);
    put_ms(w, "verified_at", c->verified_ms);
    atls_jw_close(w, '}');
}
