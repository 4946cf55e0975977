/* SPDX-License-Identifier: Apache-2.0 */
/* debug_write.c: steps 5 to 7 written down, so that they can be judged again by anybody, years later. Members that Warden knows
 * come first and are always written; what it lacks is in `atls`. */
#include <string.h>

#include "atls/atls.h"
#include "base/text.h"
#include "debug.h"
#include "message.h"
#include "policy.h"

/* ---- the verdict ---- */

static void put_words(atls_jw *w, atls_enrol_step step, const atls_error *e)
{
    const atls_enrol_words words = atls_enrol_words_of(step, e);
    atls_jw_str(w, "class", words.class_name);
    atls_jw_str(w, "reason", words.reason);
}

static void put_error(atls_jw *w, const atls_error *e)
{
    if (e->code == ATLS_OK) {
        atls_jw_null(w, "error");
        return;
    }
    atls_jw_open(w, "error", '{');
    atls_jw_str(w, "code", atls_code_name(e->code));
    atls_jw_str(w, "field", e->field);
    atls_jw_str(w, "expected", e->expected);
    atls_jw_str(w, "actual", e->actual);
    atls_jw_str(w, "message", e->message);
    atls_jw_close(w, '}');
}

/* Every failed check: of several modes or applications the verdict tells one error, and here are all (W12). */
static void put_checks(atls_jw *w, const atls_enrol_judgement *j)
{
    atls_jw_open(w, "failed", '[');
    for (size_t i = 0; j->is_appraised && i < j->result.n_checks; i++) {
        const atls_check *c = &j->result.checks[i];
        const atls_error e = {.code = c->code, .category = atls_code_category(c->code), .platform = j->platform};
        if (c->verdict != ATLS_CHECK_FAIL) {
            continue;
        }
        atls_jw_open(w, NULL, '{');
        atls_jw_str(w, "id", c->id);
        atls_jw_str(w, "code", atls_code_name(c->code));
        put_words(w, ATLS_ENROL_STEP_APPRAISE, &e);
        atls_jw_str(w, "field", c->field);
        atls_jw_str(w, "why", c->why);
        atls_jw_close(w, '}');
    }
    atls_jw_close(w, ']');
}

static bool put_key(atls_jw *w, const atls_crypto *crypto, const atls_enrol_judgement *j, atls_error *err)
{
    uint8_t sha256[32];
    if (!j->has_key) {
        atls_jw_null(w, "key_sha256");
        return true;
    }
    if (!atls_digest(crypto, ATLS_SHA256, &j->spki, 1, sha256, err)) {
        return false;
    }
    atls_jw_hex(w, "key_sha256", atls_bytes_of(sha256, sizeof sha256));
    return true;
}

bool atls_enrol_debug_verdict(const atls_crypto *crypto, const atls_enrol_judgement *j, const atls_error *error,
                              atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    const bool is_accepted = error->code == ATLS_OK;
    atls_buf_init(&b, arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_bool(&w, "accepted", is_accepted);
    atls_jw_str(&w, "step", atls_enrol_step_name(j->step));
    if (is_accepted) {
        atls_jw_str(&w, "class", "");
        atls_jw_str(&w, "reason", "");
        atls_jw_null(&w, "kind");
    } else {
        put_words(&w, j->step, error);
        atls_jw_str(&w, "kind", atls_enrol_kind_name(atls_enrol_words_of(j->step, error).kind));
    }
    atls_jw_str(&w, "platform", atls_platform_name(j->platform));
    atls_jw_string(&w, "app", j->app);
    atls_jw_str(&w, "security_level", j->security_level);
    if (!put_key(&w, crypto, j, err)) {
        return false;
    }
    put_error(&w, error);
    put_checks(&w, j);
    atls_jw_close(&w, '}');
    return atls_buf_done(&b, out);
}

/* ---- Warden's members ---- */

static bool put_configuration(atls_jw *w, const char *name, const atls_policy *p, const char *none, atls_arena *arena,
                              atls_error *err)
{
    atls_bytes json = atls_bytes_str(none);
    if (p != NULL && !atls_enrol_debug_configuration(p->source, arena, &json, err)) {
        return false;
    }
    atls_jw_raw(w, name, json);
    return true;
}

static bool put_statement(atls_jw *w, const atls_enrol_debug *d, atls_arena *arena, atls_error *err)
{
    atls_bytes json;
    if (d->statement == NULL) {
        atls_jw_null(w, "keyAttestation");
        return true;
    }
    if (!atls_enrol_statement_write(d->statement, arena, &json, err)) {
        return false;
    }
    atls_jw_raw(w, "keyAttestation", json);
    return true;
}

static bool put_members(atls_jw *w, const atls_enrol_debug *d, atls_arena *arena, atls_error *err)
{
    char duration[ATLS_ENROL_DURATION_SIZE];
    atls_jw_str(w, "method", atls_enrol_method_name(ATLS_ENROL_SUPREME));
    if (!put_configuration(w, "androidAttestationConfiguration", d->android, ATLS_ENROL_DEBUG_NO_ANDROID, arena, err)
        || !put_configuration(w, "iosAttestationConfiguration", d->apple, ATLS_ENROL_DEBUG_NO_APPLE, arena, err)) {
        return false;
    }
    atls_jw_null(w, "genericAttestationProof");
    if (!put_statement(w, d, arena, err)) {
        return false;
    }
    atls_enrol_jw_binary(w, "challenge", d->nonce);
    atls_jw_null(w, "clientData");
    atls_jw_uint(w, "verificationTime", (uint64_t)d->now * 1000 + d->now_ms);
    atls_enrol_debug_duration(d->offset_s, duration);
    atls_jw_str(w, "verificationTimeOffset", duration);
    return true;
}

/* ---- ours ---- */

static void put_serial(atls_jw *w, const atls_enrol_serial *s)
{
    atls_jw_open(w, NULL, '{');
    atls_jw_str(w, "serial", s->serial);
    atls_jw_bool(w, "listed", s->is_listed);
    atls_jw_str(w, "status", s->status);
    atls_jw_str(w, "reason", s->reason);
    atls_jw_close(w, '}');
}

bool atls_enrol_debug_list(const atls_enrol_list *list, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    atls_buf_init(&b, arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_hex(&w, "sha256", atls_bytes_of(list->sha256, sizeof list->sha256));
    atls_jw_time(&w, "fetched", list->fetched);
    atls_jw_time(&w, "expires", list->expires);
    atls_jw_open(&w, "serials", '[');
    for (size_t i = 0; i < list->n; i++) {
        put_serial(&w, &list->serials[i]);
    }
    atls_jw_close(&w, ']');
    atls_jw_close(&w, '}');
    return atls_buf_done(&b, out);
}

static bool put_own(atls_jw *w, const atls_enrol_debug *d, atls_arena *arena, atls_error *err)
{
    atls_bytes record = atls_bytes_empty();
    atls_bytes list = atls_bytes_str("null");
    atls_bytes verdict;
    if ((d->list != NULL && !atls_enrol_debug_list(d->list, arena, &list, err))
        || (d->recorder != NULL && !atls_recorder_finish(d->recorder, &record, err))
        || !atls_enrol_debug_verdict(d->crypto, d->judgement, d->error, arena, &verdict, err)) {
        return false;
    }
    atls_jw_open(w, "atls", '{');
    atls_jw_uint(w, "version", ATLS_ENROL_DEBUG_VERSION);
    atls_jw_str(w, "library", ATLS_VERSION);
    atls_jw_bool(w, "redacted", false);
    atls_jw_string(w, "proof_oid", d->proof_oid);
    atls_enrol_jw_binary(w, "csr", d->csr);
    if (record.len > 0) {
        atls_enrol_jw_binary(w, "record", record);
    } else {
        atls_jw_null(w, "record");
    }
    atls_jw_raw(w, "status_list", list);
    atls_jw_raw(w, "verdict", verdict);
    atls_jw_close(w, '}');
    return true;
}

bool atls_enrol_debug_write(const atls_enrol_debug *d, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    *out = atls_bytes_empty();
    atls_buf_init(&b, arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    if (!put_members(&w, d, arena, err) || !put_own(&w, d, arena, err)) {
        return false;
    }
    atls_jw_close(&w, '}');
    if (!atls_buf_done(&b, out)) {
        return false;
    }
    if (out->len > ATLS_ENROL_MAX_DEBUG_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "debug", "%zu bytes; at most %u", out->len, ATLS_ENROL_MAX_DEBUG_LEN);
    }
    return true;
}
