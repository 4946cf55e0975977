/* SPDX-License-Identifier: Apache-2.0 */
/* claims_json.c: what was authenticated, as the member "tpm" of a result's claims; docs/json.md is the schema. */
#include <stdio.h>

#include "base/json.h"
#include "tpm.h"

#define MAX_SHOWN_EVENTS 512u
#define MAX_SHOWN_DATA   256u

const char *atls_tpm_trust_name(atls_tpm_trust trust)
{
    static const char *const names[] = {
#define X(name, text) text,
        ATLS_TPM_TRUST_LIST(X)
#undef X
    };
    const unsigned index = (unsigned)trust;
    return index < sizeof names / sizeof names[0] ? names[index] : names[0];
}

static void put_gce(atls_jw *w, const atls_tpm_gce *g)
{
    char id[24];
    if (!g->present) {
        return;
    }
    atls_jw_open(w, "gce_instance", '{');
    atls_jw_string(w, "project_id", g->project);
    atls_jw_string(w, "zone", g->zone);
    atls_jw_string(w, "instance_name", g->name);
    snprintf(id, sizeof id, "%llu", (unsigned long long)g->project_number);
    atls_jw_str(w, "project_number", id);
    snprintf(id, sizeof id, "%llu", (unsigned long long)g->instance_id);
    atls_jw_str(w, "instance_id", id); /* text: such numbers are not exact in every JSON reader */
    atls_jw_bool(w, "is_production", g->is_production);
    atls_jw_close(w, '}');
}

static void put_key(atls_jw *w, const atls_tpm_claims *c)
{
    atls_jw_open(w, "ak", '{');
    atls_jw_str(w, "trust", atls_tpm_trust_name(c->trust));
    atls_jw_str(w, "trust_label", c->trust_label);
    atls_jw_str(w, "kind", c->ak_kind);
    atls_jw_hex(w, "name", c->ak_name);
    atls_jw_hex(w, "public_sha256", atls_bytes_of(c->ak_sha256, sizeof c->ak_sha256));
    atls_jw_hex(w, "spki_sha256", atls_bytes_of(c->ak_spki_sha256, sizeof c->ak_spki_sha256));
    atls_jw_uint(w, "attributes", c->ak_attributes);
    if (c->certificate.len > 0) {
        atls_jw_time(w, "certificate_not_after", c->certificate_not_after);
    }
    put_gce(w, &c->gce);
    atls_jw_close(w, '}');
}

static void put_pcrs(atls_jw *w, const atls_tpm_claims *c)
{
    /* names must be literals */
    static const char *const names[TPM_N_PCRS] = {"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",
                                                  "8",  "9",  "10", "11", "12", "13", "14", "15",
                                                  "16", "17", "18", "19", "20", "21", "22", "23"};
    atls_jw_str(w, "bank", c->bank);
    atls_jw_open(w, "pcrs", '{');
    for (size_t i = 0; i < TPM_N_PCRS; i++) {
        if ((c->pcr_mask >> i & 1u) != 0) {
            atls_jw_hex(w, names[i], c->pcr[i]);
        }
    }
    atls_jw_close(w, '}');
    atls_jw_open(w, "banks", '[');
    for (size_t i = 0; i < c->n_banks; i++) {
        atls_jw_str(w, NULL, c->banks[i]);
    }
    atls_jw_close(w, ']');
}

static void put_event(atls_jw *w, const atls_tpm_event *e)
{
    atls_jw_open(w, NULL, '{');
    atls_jw_uint(w, "pcr", e->pcr);
    atls_jw_uint(w, "type", e->type);
    atls_jw_hex(w, "digest", e->digest);
    atls_jw_bool(w, "verified", e->verified);
    atls_jw_uint(w, "data_len", e->data.len);
    if (e->data.len <= MAX_SHOWN_DATA) {
        atls_jw_hex(w, e->verified ? "data" : "unverified_data", e->data);
    }
    atls_jw_close(w, '}');
}

static void put_log(atls_jw *w, const atls_tpm_claims *c)
{
    static const char *const states[] = {"unknown", "off", "on"};
    atls_jw_open(w, "event_log", '{');
    atls_jw_bool(w, "replayed", c->log_replayed);
    atls_jw_str(w, "secure_boot", states[c->secure_boot]);
    if (c->has_gce_firmware) {
        atls_jw_uint(w, "gce_firmware_version", c->gce_firmware_version);
    }
    if (c->gce_technology[0] != '\0') {
        atls_jw_str(w, "gce_technology", c->gce_technology);
    }
    atls_jw_uint(w, "n_events", c->n_events);
    atls_jw_open(w, "events", '[');
    for (size_t i = 0; i < c->n_events && i < MAX_SHOWN_EVENTS; i++) {
        put_event(w, &c->events[i]);
    }
    atls_jw_close(w, ']');
    atls_jw_close(w, '}');
}

static void put_clock(atls_jw *w, const atls_tpm_claims *c)
{
    char version[24];
    snprintf(version, sizeof version, "%016llx", (unsigned long long)c->firmware_version);
    atls_jw_hex(w, "qualified_signer", c->qualified_signer);
    atls_jw_uint(w, "clock_ms", c->clock_ms);
    atls_jw_bool(w, "clock_is_safe", c->clock_is_safe);
    atls_jw_uint(w, "reset_count", c->reset_count);
    atls_jw_uint(w, "restart_count", c->restart_count);
    atls_jw_str(w, "firmware_version", version);
}

void tpm_put_claims(struct atls_jw *w, const atls_claims *claims)
{
    const atls_tpm_claims *c = &claims->tpm;
    if (!c->present) {
        return;
    }
    atls_jw_open(w, "tpm", '{');
    atls_jw_str(w, "form", c->form);
    put_key(w, c);
    put_pcrs(w, c);
    put_clock(w, c);
    if (c->hardware[0] != '\0') {
        atls_jw_str(w, "hardware", c->hardware);
        atls_jw_bool(w, "hardware_binds_key", c->hardware_binds_key);
    }
    if (c->variant[0] != '\0') {
        atls_jw_str(w, "variant", c->variant);
    }
    if (c->user_data.len > 0) {
        atls_jw_hex(w, "user_data", c->user_data);
    }
    if (c->has_event_log) {
        put_log(w, c);
    }
    atls_jw_close(w, '}');
}
