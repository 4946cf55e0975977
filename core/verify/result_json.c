/* SPDX-License-Identifier: Apache-2.0 */
/* result_json.c: a result as one JSON object; docs/json.md is its schema.
 *
 * Byte strings are lower-case hex, times are UTC text, statuses are Intel's words. Members of "td" and "sgx" are named
 * as the members of a policy, so that a value can be carried from one to the other. */
#include <string.h>

#include "atls/result.h"
#include "base/json.h"
#include "claims.h"
#include "registry.h"

static void put_list(atls_jw *w, const char *name, atls_text_list list)
{
    atls_jw_open(w, name, '[');
    for (size_t i = 0; i < list.n; i++) {
        atls_jw_str(w, NULL, list.items[i]);
    }
    atls_jw_close(w, ']');
}

static void put_bytes(atls_jw *w, const char *name, const uint8_t *bytes, size_t n)
{
    atls_jw_hex(w, name, atls_bytes_of(bytes, n));
}

/* ---- tcb ---- */

static void put_status(atls_jw *w, const char *name, atls_tcb_status status)
{
    if (status == ATLS_TCB_UNKNOWN) {
        atls_jw_null(w, name);
        return;
    }
    atls_jw_str(w, name, atls_tcb_status_name(status));
}

static void put_tcb(atls_jw *w, const atls_tcb *t)
{
    atls_jw_open(w, "tcb", '{');
    put_status(w, "status", t->status);
    put_status(w, "platform", t->platform);
    put_status(w, "sgx", t->sgx);
    put_status(w, "module", t->module);
    put_status(w, "qe", t->qe);
    atls_jw_time(w, "date", t->date);
    atls_jw_time(w, "platform_date", t->platform_date);
    atls_jw_time(w, "module_date", t->module_date);
    atls_jw_time(w, "qe_date", t->qe_date);
    put_list(w, "advisories", t->advisories);
    put_list(w, "platform_advisories", t->platform_advisories);
    put_list(w, "module_advisories", t->module_advisories);
    put_list(w, "qe_advisories", t->qe_advisories);
    atls_jw_uint(w, "tcb_evaluation_data_number", t->evaluation_data_number);
    atls_jw_uint(w, "tcb_info_evaluation_data_number", t->tcb_info_evaluation_data_number);
    atls_jw_uint(w, "qe_identity_evaluation_data_number", t->qe_identity_evaluation_data_number);
    atls_jw_close(w, '}');
}

/* ---- claims ---- */

static void put_event(atls_jw *w, const atls_event *e)
{
    atls_jw_open(w, NULL, '{');
    atls_jw_uint(w, "imr", e->imr);
    atls_jw_uint(w, "event_type", e->type);
    put_bytes(w, "digest", e->digest, sizeof e->digest);
    atls_jw_string(w, "event", e->name);
    atls_jw_hex(w, "event_payload", e->payload);
    atls_jw_uint(w, "version", e->version);
    atls_jw_close(w, '}');
}

static void put_event_log(atls_jw *w, const atls_eventlog_claims *l)
{
    if (!l->present) {
        atls_jw_null(w, "event_log");
        return;
    }
    atls_jw_open(w, "event_log", '{');
    atls_jw_str(w, "format", l->is_ccel ? "ccel" : "dstack");
    atls_jw_bool(w, "system_ready", l->system_ready);
    atls_jw_hex(w, "app_id", l->app_id);
    atls_jw_hex(w, "compose_hash", l->compose_hash);
    atls_jw_hex(w, "instance_id", l->instance_id);
    atls_jw_hex(w, "os_image_hash", l->os_image_hash);
    atls_jw_string(w, "key_provider", l->key_provider);
    atls_jw_string(w, "certificate_sha256", l->certificate);
    atls_jw_open(w, "events", '[');
    for (size_t i = 0; i < l->n_events; i++) {
        put_event(w, &l->events[i]);
    }
    atls_jw_close(w, ']');
    atls_jw_close(w, '}');
}

static void put_claims(atls_jw *w, const atls_claims *c)
{
    const atls_format *room = atls_registry_format(c->platform);
    atls_jw_open(w, "claims", '{');
    put_bytes(w, "report_data", c->report_data, c->report_data_len);
    if (room != NULL) {
        room->put_claims(w, c);
    }
    put_event_log(w, &c->log);
    atls_jw_close(w, '}');
}

/* ---- checks and error ---- */

/* The members that weaken the policy are skipped checks with ids of this form. */
static const char *weakness(const atls_check *c)
{
    static const char prefix[] = "policy.";
    const char *member = c->id + sizeof prefix - 1;
    const bool is_weak =
        c->verdict == ATLS_CHECK_SKIPPED && strncmp(c->id, prefix, sizeof prefix - 1) == 0
        && (strncmp(member, "insecure_", 9) == 0 || strcmp(member, "disable_runtime_verification") == 0);
    return is_weak ? member : NULL;
}

static void put_insecure(atls_jw *w, const atls_result *r)
{
    atls_jw_open(w, "insecure", '[');
    for (size_t i = 0; i < r->n_checks; i++) {
        const char *member = weakness(&r->checks[i]);
        if (member != NULL) {
            atls_jw_str(w, NULL, member);
        }
    }
    atls_jw_close(w, ']');
}

static void put_check(atls_jw *w, const atls_check *c)
{
    atls_jw_open(w, NULL, '{');
    atls_jw_str(w, "id", c->id);
    atls_jw_str(w, "verdict", atls_check_verdict_name(c->verdict));
    atls_jw_str(w, "field", c->field);
    atls_jw_str(w, "expected", c->expected);
    atls_jw_str(w, "actual", c->actual);
    atls_jw_str(w, "why", c->why);
    atls_jw_str(w, "code", atls_code_name(c->code));
    atls_jw_close(w, '}');
}

static void put_error(atls_jw *w, const atls_error *e)
{
    if (e == NULL || e->code == ATLS_OK) {
        atls_jw_null(w, "error");
        return;
    }
    atls_jw_open(w, "error", '{');
    atls_jw_str(w, "code", atls_code_name(e->code));
    atls_jw_str(w, "kind", atls_code_kind(e->code));
    atls_jw_str(w, "category", atls_category_name(e->category));
    atls_jw_str(w, "field", e->field);
    atls_jw_str(w, "expected", e->expected);
    atls_jw_str(w, "actual", e->actual);
    atls_jw_str(w, "message", e->message);
    atls_jw_bool(w, "retry", e->retry);
    atls_jw_bool(w, "unsupported", e->unsupported);
    atls_jw_uint(w, "exit_status", (uint64_t)atls_error_exit_status(e));
    atls_jw_close(w, '}');
}

static atls_platform platform_of(const atls_result *r, const atls_error *e)
{
    return r->claims.platform == ATLS_PLATFORM_NONE && e != NULL ? e->platform : r->claims.platform;
}

static void put_result(atls_jw *w, const atls_result *r, const atls_error *e)
{
    const bool accepted = r->verdict == ATLS_VERDICT_ACCEPTED;
    atls_jw_open(w, NULL, '{');
    atls_jw_uint(w, "schema", ATLS_RESULT_SCHEMA);
    atls_jw_str(w, "verdict", atls_verdict_name(r->verdict));
    atls_jw_str(w, "platform", atls_platform_name(platform_of(r, e)));
    atls_jw_str(w, "profile", r->profile == NULL ? "" : r->profile);
    atls_jw_str(w, "grade", atls_grade_name(r->grade));
    atls_jw_time(w, "time", r->time);
    atls_jw_bool(w, "runtime_verified", r->runtime_verified);
    atls_jw_bool(w, "attested_only", r->attested_only);
    atls_jw_bool(w, "test_root", r->simulated_or_test_root);
    put_insecure(w, r);
    if (accepted) {
        if (r->claims.dcap.quote_version != 0) {
            put_tcb(w, &r->claims.dcap.tcb);
        } else {
            atls_jw_null(w, "tcb");
        }
        put_claims(w, &r->claims);
    } else {
        atls_jw_null(w, "tcb");
        atls_jw_null(w, "claims");
    }
    atls_jw_open(w, "checks", '[');
    for (size_t i = 0; i < r->n_checks; i++) {
        put_check(w, &r->checks[i]);
    }
    atls_jw_close(w, ']');
    put_error(w, accepted ? NULL : e);
    atls_jw_close(w, '}');
}

bool atls_result_json(const atls_result *r, const atls_error *err_of_result, atls_arena *arena, atls_bytes *out,
                      atls_error *err)
{
    atls_buf buf;
    atls_jw w;
    atls_buf_init(&buf, arena, err);
    atls_jw_init(&w, &buf);
    put_result(&w, r, err_of_result);
    return atls_buf_done(&buf, out);
}
