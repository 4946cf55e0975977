/* SPDX-License-Identifier: Apache-2.0 */
/* claims_json.c: authenticated claims as a member of the result's "claims" object. docs/json.md lists them. */
#include "base/json.h"
#include "enrolled.h"

static void put_extension(atls_jw *w, const atls_enrolled_claims *c)
{
    if (!c->has_extension) {
        atls_jw_null(w, "platform");
        atls_jw_null(w, "app");
        atls_jw_null(w, "security_level");
        atls_jw_null(w, "policy_sha256");
        return;
    }
    atls_jw_str(w, "platform", atls_platform_name(c->platform));
    atls_jw_string(w, "app", c->app);
    atls_jw_str(w, "security_level", c->security_level);
    atls_jw_hex(w, "policy_sha256", atls_bytes_of(c->policy_sha256, sizeof c->policy_sha256));
}

void enrolled_put_claims(struct atls_jw *w, const atls_claims *claims)
{
    const atls_enrolled_claims *c = &claims->enrolled;
    atls_jw_open(w, "enrolled", '{');
    put_extension(w, c);
    atls_jw_str(w, "subject", c->subject);
    atls_jw_str(w, "ca", c->ca);
    atls_jw_hex(w, "ca_spki_sha256", atls_bytes_of(c->ca_spki_sha256, sizeof c->ca_spki_sha256));
    atls_jw_hex(w, "serial", c->serial);
    atls_jw_time(w, "not_before", c->not_before);
    atls_jw_time(w, "not_after", c->not_after);
    atls_jw_hex(w, "spki_sha256", atls_bytes_of(c->spki_sha256, sizeof c->spki_sha256));
    atls_jw_time(w, "earliest_expiration", c->earliest_expiration);
    atls_jw_uint(w, "certificates", c->n_certificates);
    atls_jw_uint(w, "lists", c->n_lists);
    atls_jw_close(w, '}');
}
