/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: decoded evidence as JSON members, nothing of it verified. Names are those of a result where it has them. */
#include <stdio.h>

#include "base/json.h"
#include "tpm.h"

static void put_key(atls_jw *w, const tpm_evidence *e)
{
    atls_jw_open(w, "ak", '{');
    atls_jw_str(w, "kind", e->key.kind);
    atls_jw_uint(w, "attributes", e->ak.attributes);
    atls_jw_bool(w, "restricted", (e->ak.attributes & TPM_RESTRICTED) != 0);
    atls_jw_bool(w, "fixed_tpm", (e->ak.attributes & TPM_FIXED_TPM) != 0);
    atls_jw_hex(w, "public", e->ak_pub);
    atls_jw_close(w, '}');
}

static void put_bank(atls_jw *w, const tpm_bank *b)
{
    static const char *const names[TPM_N_PCRS] = {"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",
                                                  "8",  "9",  "10", "11", "12", "13", "14", "15",
                                                  "16", "17", "18", "19", "20", "21", "22", "23"};
    atls_jw_open(w, NULL, '{');
    atls_jw_str(w, "bank", tpm_hash_of(b->alg).name);
    atls_jw_open(w, "pcrs", '{');
    for (size_t i = 0; i < TPM_N_PCRS; i++) {
        if ((b->mask >> i & 1u) != 0) {
            atls_jw_hex(w, names[i], b->values[i]);
        }
    }
    atls_jw_close(w, '}');
    atls_jw_close(w, '}');
}

static void put_quote(atls_jw *w, const tpm_quote *q)
{
    char version[24];
    snprintf(version, sizeof version, "%016llx", (unsigned long long)q->attest.firmware_version);
    atls_jw_open(w, NULL, '{');
    atls_jw_hex(w, "qualified_signer", q->attest.qualified_signer);
    atls_jw_hex(w, "extra_data", q->attest.extra_data);
    atls_jw_uint(w, "clock_ms", q->attest.clock_ms);
    atls_jw_uint(w, "reset_count", q->attest.reset_count);
    atls_jw_uint(w, "restart_count", q->attest.restart_count);
    atls_jw_bool(w, "clock_is_safe", q->attest.safe);
    atls_jw_str(w, "firmware_version", version);
    atls_jw_hex(w, "pcr_digest", q->attest.pcr_digest);
    atls_jw_str(w, "scheme",
                q->sig.scheme == TPM_ALG_ECDSA    ? "ecdsa"
                : q->sig.scheme == TPM_ALG_RSASSA ? "rsassa"
                                                  : "rsapss");
    atls_jw_str(w, "hash", tpm_hash_of(q->sig.hash).name);
    atls_jw_open(w, "banks", '[');
    for (size_t i = 0; i < q->n_banks; i++) {
        put_bank(w, &q->banks[i]);
    }
    atls_jw_close(w, ']');
    atls_jw_close(w, '}');
}

static void put_certs(atls_jw *w, const tpm_evidence *e)
{
    atls_jw_open(w, "certificates", '[');
    if (e->ak_cert.len > 0) {
        atls_jw_hex(w, NULL, e->ak_cert);
    }
    for (size_t i = 0; i < e->n_certs; i++) {
        atls_jw_hex(w, NULL, e->certs[i]);
    }
    atls_jw_close(w, ']');
}

static void put_hardware(atls_jw *w, const tpm_hardware *h)
{
    if (h->platform == ATLS_PLATFORM_NONE) {
        return;
    }
    atls_jw_open(w, "hardware", '{');
    atls_jw_str(w, "kind", h->platform == ATLS_PLATFORM_TDX ? "tdx" : "sev-snp");
    atls_jw_bool(w, "binds_key", h->names_key);
    atls_jw_hex(w, "report", h->report);
    atls_jw_string(w, "runtime_data", h->runtime_data);
    atls_jw_uint(w, "n_certificates", h->n_certs);
    atls_jw_close(w, '}');
}

/* A log that cannot be read is still worth a word. */
static void put_log(atls_jw *w, const tpm_evidence *e, atls_arena *arena)
{
    tpm_log log;
    atls_error why = {.code = ATLS_OK};
    if (e->event_log.len == 0) {
        return;
    }
    atls_jw_open(w, "event_log", '{');
    atls_jw_uint(w, "len", e->event_log.len);
    if (tpm_log_decode(e->event_log, arena, &log, &why)) {
        atls_jw_str(w, "form", log.is_agile ? "tcg2" : "sha1");
        atls_jw_open(w, "algorithms", '[');
        for (size_t i = 0; i < log.n_algs; i++) {
            atls_jw_str(w, NULL, tpm_hash_of(log.algs[i]).name);
        }
        atls_jw_close(w, ']');
        atls_jw_uint(w, "n_events", log.n_records);
    } else {
        atls_jw_str(w, "field", why.field);
        atls_jw_str(w, "why", why.message);
    }
    atls_jw_close(w, '}');
}

bool tpm_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err)
{
    static const char *const forms[] = {"", "constellation", "go-tpm-tools json", "go-tpm-tools", "tpm2-quote"};
    const tpm_evidence *e = evidence;
    atls_jw_str(w, "form", forms[e->form]);
    put_key(w, e);
    atls_jw_open(w, "quotes", '[');
    for (size_t i = 0; i < e->n_quotes; i++) {
        put_quote(w, &e->quotes[i]);
    }
    atls_jw_close(w, ']');
    put_certs(w, e);
    put_hardware(w, &e->hardware);
    put_log(w, e, arena);
    if (e->form == TPM_FORM_CONSTELLATION) {
        atls_jw_string(w, "instance_info", e->instance_info);
        atls_jw_hex(w, "user_data", e->user_data);
    }
    if (w->buf->failed) {
        return atls_fail(err, ATLS_E_MEMORY, "inspect", NULL);
    }
    return true;
}
