/* SPDX-License-Identifier: Apache-2.0 */
/* claims_json.c: authenticated claims as members of the result's "claims" object. docs/json.md lists them. */
#include "base/json.h"
#include "nitro.h"

const char *nitro_pcr_name(size_t i)
{
    static const char *const names[ATLS_NITRO_PCRS] = {
        "0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11", "12", "13", "14", "15",
        "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31",
    };
    return i < ATLS_NITRO_PCRS ? names[i] : "";
}

static void put_optional(atls_jw *w, const char *name, const atls_nitro_optional *o)
{
    if (o->present) {
        atls_jw_hex(w, name, o->value);
    } else {
        atls_jw_null(w, name);
    }
}

/* As a policy has them: an object of index and value. */
static void put_registers(atls_jw *w, const atls_nitro_claims *c)
{
    atls_jw_open(w, "pcrs", '{');
    for (size_t i = 0; i < ATLS_NITRO_PCRS; i++) {
        if ((c->pcrs >> i & 1u) != 0) {
            atls_jw_hex(w, nitro_pcr_name(i), atls_bytes_of(c->pcr[i], ATLS_NITRO_PCR_SIZE));
        }
    }
    atls_jw_close(w, '}');
}

static void put_certificates(atls_jw *w, const atls_nitro_claims *c)
{
    atls_jw_open(w, "certificate", '{');
    atls_jw_hex(w, "serial", c->leaf_serial);
    atls_jw_time(w, "not_before", c->leaf_not_before);
    atls_jw_time(w, "not_after", c->leaf_not_after);
    atls_jw_close(w, '}');
    atls_jw_time(w, "earliest_expiration", c->earliest_expiration);
    atls_jw_uint(w, "certificates", c->n_certificates);
    atls_jw_uint(w, "revocation_lists", c->n_lists);
}

void nitro_put_claims(struct atls_jw *w, const atls_claims *claims)
{
    const atls_nitro_claims *c = &claims->nitro;
    atls_jw_open(w, "nitro", '{');
    atls_jw_str(w, "document", c->is_nitrotpm ? "nitrotpm" : "enclave");
    atls_jw_bool(w, "is_nitrotpm", c->is_nitrotpm);
    atls_jw_string(w, "module_id", c->module_id);
    if (c->region.len > 0) {
        atls_jw_string(w, "region", c->region);
    } else {
        atls_jw_null(w, "region");
    }
    atls_jw_uint(w, "timestamp_ms", c->timestamp_ms);
    atls_jw_time(w, "timestamp", (atls_time)(c->timestamp_ms / 1000));
    atls_jw_bool(w, "historic", c->historic);
    atls_jw_time(w, "verified_at", c->verified);
    atls_jw_bool(w, "debug", c->is_debug);
    put_registers(w, c);
    put_optional(w, "user_data", &c->user_data);
    put_optional(w, "nonce", &c->nonce);
    put_optional(w, "public_key", &c->public_key);
    put_certificates(w, c);
    atls_jw_close(w, '}');
}
