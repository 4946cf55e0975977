/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: claims against the policy: which machine, which registers (sections 4 and 5). Every mismatch is listed. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tpm.h"

typedef struct judge {
    const atls_tpm_claims *c;
    const atls_tpm_policy *t;
    atls_arena *arena;
    atls_trace *trace;
    atls_error *err; /* the first failure */
    bool ok;
} judge;

static void note(judge *j, bool ok)
{
    j->ok = ok && j->ok;
}

/* ---- which machine ---- */

static const char *text_of(judge *j, atls_bytes value)
{
    atls_buf b;
    atls_bytes out;
    atls_buf_init(&b, j->arena, j->err);
    for (size_t i = 0; i < value.len && i < 120; i++) {
        const uint8_t ch = value.ptr[i] < 0x20 || value.ptr[i] > 0x7e ? '?' : value.ptr[i];
        atls_buf_put(&b, atls_bytes_of(&ch, 1));
    }
    const char *text = atls_buf_done(&b, &out) ? atls_text_copy(out, j->arena, j->err) : NULL;
    return text == NULL ? "" : text;
}

static bool is_listed(const atls_tpm_texts *list, atls_bytes value)
{
    for (size_t i = 0; i < list->n; i++) {
        if (atls_bytes_equal(list->items[i], value)) {
            return true;
        }
    }
    return false;
}

static void compare_text(judge *j, const atls_tpm_texts *list, atls_bytes value, const char *id, const char *field,
                         atls_code code)
{
    if (list->n == 0) {
        return;
    }
    const char *expected = list->n == 1 ? text_of(j, list->items[0]) : "one of the policy's list";
    note(j, atls_trace_compare(j->trace, value.len > 0 && is_listed(list, value), id, code, field, expected,
                               text_of(j, value), NULL, j->err));
}

static void judge_instance(judge *j)
{
    const atls_tpm_gce *gce = &j->c->gce;
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)gce->instance_id);
    compare_text(j, &j->t->gce_project, gce->project, "tpm.gce_project", "ak_cert.gce_instance.project_id",
                 ATLS_E_MACHINE_NOT_ALLOWED);
    compare_text(j, &j->t->gce_zone, gce->zone, "tpm.gce_zone", "ak_cert.gce_instance.zone",
                 ATLS_E_MACHINE_NOT_ALLOWED);
    compare_text(j, &j->t->gce_instance, gce->name, "tpm.gce_instance", "ak_cert.gce_instance.instance_name",
                 ATLS_E_MACHINE_NOT_ALLOWED);
    compare_text(j, &j->t->gce_instance_id, gce->present ? atls_bytes_str(id) : atls_bytes_empty(),
                 "tpm.gce_instance_id", "ak_cert.gce_instance.instance_id", ATLS_E_MACHINE_NOT_ALLOWED);
}

/* ---- the event log ---- */

static void judge_log(judge *j)
{
    if (j->t->require_event_log) {
        note(j, atls_trace_compare(j->trace, j->c->log_replayed, "tpm.event_log_required", ATLS_E_EVENT_LOG_PARSE,
                                   "event_log", "an event log that replays",
                                   !j->c->has_event_log  ? "missing"
                                   : !j->c->log_replayed ? "not replayed"
                                                         : "replayed",
                                   NULL, j->err));
    }
    if (j->t->require_secure_boot) {
        static const char *const states[] = {"unknown", "off", "on"};
        note(j, atls_trace_compare(j->trace, j->c->secure_boot == ATLS_TPM_ON, "tpm.secure_boot",
                                   ATLS_E_MEASUREMENT_MISMATCH, "event_log.SecureBoot", "on", states[j->c->secure_boot],
                                   NULL, j->err));
    }
    compare_text(j, &j->t->gce_technology, atls_bytes_str(j->c->gce_technology), "tpm.gce_technology",
                 "event_log.NonHostInfo", ATLS_E_MEASUREMENT_MISMATCH);
    if (j->t->has_min_gce_firmware) {
        char expected[32];
        char actual[32] = "unknown";
        snprintf(expected, sizeof expected, "at least %lu", (unsigned long)j->t->min_gce_firmware);
        if (j->c->has_gce_firmware) {
            snprintf(actual, sizeof actual, "%lu", (unsigned long)j->c->gce_firmware_version);
        }
        const char *shown[] = {atls_text_format(j->arena, j->err, "%s", expected),
                               atls_text_format(j->arena, j->err, "%s", actual)};
        note(j, shown[0] != NULL && shown[1] != NULL
                    && atls_trace_compare(
                        j->trace, j->c->has_gce_firmware && j->c->gce_firmware_version >= j->t->min_gce_firmware,
                        "tpm.min_gce_firmware", ATLS_E_TCB_TOO_LOW, "event_log.S_CRTM_VERSION", shown[0], shown[1],
                        NULL, j->err));
    }
}

/* ---- registers ---- */

static bool is_filled(atls_bytes value, uint8_t with)
{
    uint8_t different = 0;
    for (size_t i = 0; i < value.len; i++) {
        different |= value.ptr[i] ^ with;
    }
    return different == 0;
}

/* A value that a register has without anybody measuring anything says nothing; whoever expects it should know. */
static void warn(judge *j, size_t i, const atls_tpm_pcr_policy *wanted, const char *field)
{
    const char *why = NULL;
    for (size_t k = 0; k < wanted->n && why == NULL; k++) {
        if (atls_bytes_is_zero(wanted->values[k])) {
            why = "an expected value of zeros says that nothing was measured here";
        } else if (i >= 17 && i <= 22 && is_filled(wanted->values[k], 0xff)) {
            why = "PCRs 17 to 22 are ff without a dynamic launch: this says that there was none";
        }
    }
    const char *id = why == NULL ? NULL : atls_text_format(j->arena, j->err, "tpm.pcr_warning.%zu", i);
    if (why != NULL) {
        note(j, id != NULL && atls_trace_skip(j->trace, id, field, why, j->err));
    }
}

static bool matches(const atls_tpm_pcr_policy *wanted, atls_bytes value)
{
    for (size_t i = 0; i < wanted->n; i++) {
        if (atls_bytes_equal(wanted->values[i], value)) {
            return true;
        }
    }
    return false;
}

static void judge_pcr(judge *j, size_t i)
{
    const atls_tpm_pcr_policy *wanted = &j->t->pcrs[i];
    const bool quoted = j->c->has_bank && (j->c->pcr_mask >> i & 1u) != 0;
    const atls_bytes value = quoted ? j->c->pcr[i] : atls_bytes_empty();
    const char *id = atls_text_format(j->arena, j->err, "tpm.pcr.%zu", i);
    const char *field = atls_text_format(j->arena, j->err, "pcrs.%zu", i);
    const char *actual = quoted ? atls_hex_text(value, j->arena, j->err) : "not quoted";
    const char *expected =
        wanted->n == 1 ? atls_hex_text(wanted->values[0], j->arena, j->err) : "one of the policy's list";
    if (id == NULL || field == NULL || actual == NULL || expected == NULL) {
        note(j, false);
        return;
    }
    const bool same = quoted && matches(wanted, value);
    if (!same && wanted->warn_only) {
        const char *why =
            atls_text_format(j->arena, j->err, "warnOnly: expected %.140s, actual %.140s", expected, actual);
        note(j, why != NULL && atls_trace_skip(j->trace, id, field, why, j->err));
        return;
    }
    note(j, atls_trace_compare(j->trace, same, id, ATLS_E_MEASUREMENT_MISMATCH, field, expected, actual,
                               quoted ? NULL : "the policy names a PCR that was not quoted", j->err));
    warn(j, i, wanted, field);
}

static void judge_registers(judge *j)
{
    const char *quoted = j->c->has_bank ? j->c->bank : j->c->n_banks > 0 ? j->c->banks[0] : "none";
    note(j, atls_trace_compare(j->trace, j->c->has_bank, "tpm.bank", ATLS_E_MEASUREMENT_MISMATCH, "bank", j->c->bank,
                               quoted, "the bank that the policy looks at was not quoted", j->err));
    for (size_t i = 0; i < TPM_N_PCRS; i++) {
        if (j->t->pcrs[i].n > 0) {
            judge_pcr(j, i);
        }
    }
    if (!j->t->has_pcrs) {
        note(j, atls_trace_skip(j->trace, "tpm.pcrs", "pcrs", "the policy accepts any measurement", j->err));
    }
}

bool tpm_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                  atls_trace *trace, atls_error *err)
{
    judge j = {.c = &claims->tpm, .t = &policy->tpm, .arena = arena, .trace = trace, .err = err, .ok = true};
    (void)now;
    judge_instance(&j);
    judge_log(&j);
    judge_registers(&j);
    return j.ok && err->code == ATLS_OK;
}

/* Whether the policy says which code must run: a register that must hold something, and that something was measured into. */
bool tpm_names_code(const atls_policy *policy)
{
    for (size_t i = 0; i < TPM_N_PCRS; i++) {
        const atls_tpm_pcr_policy *p = &policy->tpm.pcrs[i];
        if (p->n == 0 || p->warn_only) {
            continue;
        }
        bool measured = true;
        for (size_t k = 0; k < p->n; k++) {
            measured = measured && !atls_bytes_is_zero(p->values[k]) && !is_filled(p->values[k], 0xff);
        }
        if (measured) {
            return true;
        }
    }
    return false;
}
