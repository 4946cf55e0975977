/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: the order of checks. Read this first.
 *
 *   begin          the call makes sense: a time, a binding that can bind
 *   decode         quote, then event log: bytes become structures, nothing is believed
 *   endorsements   the one callback: what vouches for the hardware
 *   hardware       evidence inside this one that vouches for its key: an appraisal of its own, by a policy of its own
 *   authenticate   who signed it; the room's work (DCAP steps 2 to 16). The first failure stops
 *   judge          the policy: status and grace, kind of TEE, binding, event log. Every mismatch is listed
 *   conclude       the verdict
 *
 * A failure up to authenticate ends the appraisal, because nothing after it could be believed. From there on every
 * comparison is made, and the first that failed is the error. docs/verify.md follows these functions one by one. */
#include <string.h>

#include "base/text.h"
#include "caches.h"
#include "evidence/dstack/dstack.h"
#include "source.h"
#include "verifier.h"

/* One appraisal on its way. */
typedef struct appraisal {
    const atls_verifier *v;
    const atls_appraisal *in;
    atls_arena *arena;
    atls_error *err;
    atls_trace trace;
    const void *evidence; /* decoded, a rumour */
    bool has_recalled;    /* so that it must settle */
    bool has_log;
    dstack_log log; /* same */
    atls_endorsements endorsements;
    bool is_vouched; /* by evidence inside this one, which passed its own policy */
    atls_vouched vouched;
    atls_claims hardware; /* of that evidence */
    atls_links links;
    atls_claims claims; /* authenticated */
} appraisal;

/* ---- begin ---- */

/* What the evidence must be made for, for rooms that compare it themselves. */
static atls_bytes challenge_of(const appraisal *a)
{
    const atls_binding *b = &a->in->binding;
    if (!a->v->format->binds_itself || b->grade == ATLS_GRADE_NONE) {
        return atls_bytes_empty();
    }
    return b->challenge.len > 0 ? b->challenge
                                : atls_bytes_of(b->value, b->value_len == 0 ? sizeof b->value : b->value_len);
}

static atls_authority authority_of(appraisal *a)
{
    return (atls_authority){
        .crypto = a->v->crypto,
        .policy = a->v->policy,
        .endorsements = &a->endorsements,
        .event_log = a->v->kind->log == REGISTRY_LOG_OF_ROOM ? a->in->event_log : atls_bytes_empty(),
        .now = a->in->now,
        .now_ms = a->in->now_ms,
        .offset_s = a->in->offset_s,
        .challenge = challenge_of(a),
        .key_id = a->in->key_id.len > 0 ? a->in->key_id : atls_bytes_empty(),
        .vouched = a->is_vouched ? &a->vouched : NULL,
        .trust_key = a->in->trust_key,
        .trust_key_ctx = a->in->trust_key_ctx,
        .caches = a->v->caches,
        .links = &a->links,
    };
}

/* In a session the certificate event must be compared (dstack R6), so whoever runs one must say which certificate it
 * met. */
static bool check_leaf_given(appraisal *a)
{
    const atls_binding *b = &a->in->binding;
    /* the grade `session` is of the keys themselves, and a client need not have a certificate */
    const bool needed = atls_binding_is_session(b) && b->grade < ATLS_GRADE_SESSION && a->v->kind->dstack
                        && !a->v->policy->dstack.insecure_skip_certificate_event;
    return !needed || b->has_leaf_sha256
           || atls_fail(a->err, ATLS_E_USAGE, "binding.leaf_sha256",
                        "a session must say which certificate its peer showed");
}

static bool begin(appraisal *a, const atls_error *earlier)
{
    if (earlier->code != ATLS_OK) {
        return atls_fail(a->err, ATLS_E_USAGE, "err", "the error object holds another failure already");
    }
    if (!atls_trace_init(&a->trace, a->arena, a->err)) {
        return false;
    }
    if (a->in->now <= ATLS_TIME_UNSET) {
        return atls_fail(a->err, ATLS_E_USAGE, "now", "the time of the appraisal is not set");
    }
    return atls_binding_check(&a->in->binding, a->v->format->binds_itself, a->err) && check_leaf_given(a);
}

/* ---- decode ---- */

static bool decode_log(appraisal *a)
{
    const registry_log rule = a->v->kind->log;
    if (rule == REGISTRY_LOG_OF_ROOM) {
        return true;
    }
    if (rule == REGISTRY_LOG_NONE) {
        return atls_trace_na(&a->trace, "event_log.decode", "event_log", "this kind of evidence has no event log",
                             a->err);
    }
    if (a->in->event_log.len > 0) {
        a->has_log = dstack_log_decode(a->in->event_log, a->arena, &a->log, a->err);
        return atls_trace_step(&a->trace, a->has_log, "event_log.decode", "event_log", a->err);
    }
    if (rule == REGISTRY_LOG_REQUIRED || a->v->policy->require_event_log) {
        (void)atls_fail_values(a->err, ATLS_E_EVENT_LOG_PARSE, "event_log", "an event log", "missing",
                               "the policy needs an event log, and none came with the evidence");
        return atls_trace_fail(&a->trace, "event_log.decode", a->err);
    }
    return atls_trace_na(&a->trace, "event_log.decode", "event_log",
                         "no event log was given, and the policy asks for none", a->err);
}

/* What earlier appraisals leave to this one, and this one to later ones. Without caches both do nothing. */
static void recall(appraisal *a)
{
    const atls_authority authority = authority_of(a);
    if (a->v->caches != NULL && a->v->format->recall != NULL) {
        a->v->format->recall(a->evidence, &authority);
        a->has_recalled = true;
    }
}

static void settle(appraisal *a, bool accepted)
{
    const atls_authority authority = authority_of(a);
    if (a->has_recalled) {
        a->v->format->settle(a->evidence, &authority, accepted);
    }
    atls_links_settle(&a->links, accepted);
    if (accepted) {
        atls_caches_note(a->v->caches, &a->claims, &a->links);
    }
}

static bool decode(appraisal *a)
{
    const atls_format *f = a->v->format;
    const bool is_own_form = f->decode_session != NULL && atls_binding_is_native(&a->in->binding);
    const bool ok = (is_own_form ? f->decode_session : f->decode)(a->in->evidence, a->arena, &a->evidence, a->err);
    if (ok) {
        recall(a);
    }
    return atls_trace_step(&a->trace, ok, "evidence.decode", "quote", a->err) && decode_log(a);
}

/* ---- endorsements ---- */

/* The room knows what it cannot do without. Where that came with the evidence, nobody needs to have found more. */
static bool ask(appraisal *a)
{
    const atls_format *f = a->v->format;
    atls_endorsement_request request = {0};
    atls_error why = {0};
    bool found = false;
    if (!f->request(a->evidence, a->arena, &request, a->err)) {
        return false;
    }
    if (!atls_source_ask(a->in->endorse, a->in->endorse_ctx, &request, a->arena, &a->endorsements, &found, &why)) {
        *a->err = why; /* perhaps it is the list that revokes that could not be had */
        return false;
    }
    if (f->complete == NULL || f->complete(a->evidence, &a->endorsements, a->err)) {
        return true;
    }
    if (!found && why.code != ATLS_OK && a->err->code == ATLS_E_ENDORSEMENTS_MISSING) {
        *a->err = why;
    }
    return false;
}

/* What the peer brought itself is authenticated like everything else; who reads the list may still want to know. */
static bool list_stapled(appraisal *a)
{
    static const char *const names[] = {"root_ca_crl", "pck_crl", "tcb_info", "qe_identity", "pck_certificate_chain"};
    const char *text = NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((a->endorsements.stapled >> i & 1u) == 0) {
            continue;
        }
        text = text == NULL ? names[i] : atls_text_format(a->arena, a->err, "%s, %s", text, names[i]);
        if (text == NULL) {
            return false;
        }
    }
    return text == NULL || atls_trace_pass(&a->trace, "endorsements.stapled", "endorsements", text, a->err);
}

static bool list_older(appraisal *a)
{
    return !a->endorsements.insecure_older
           || atls_trace_skip(
               &a->trace, "endorsements.bundle_age", "endorsements",
               "a bundle older than the one that was used before it was allowed: what was revoked or found "
               "lacking since then is not known",
               a->err);
}

static bool get_endorsements(appraisal *a)
{
    const bool ok = ask(a) && a->err->code == ATLS_OK;
    return atls_trace_step(&a->trace, ok, "endorsements", "endorsements", a->err) && list_stapled(a) && list_older(a);
}

/* ---- hardware: evidence inside evidence ---- */

static bool list_nested(appraisal *a, const atls_result *r)
{
    for (size_t i = 0; i < r->n_checks; i++) {
        atls_check check = r->checks[i];
        check.id = atls_text_format(a->arena, a->err, "hardware.%s", check.id);
        if (check.id == NULL || a->trace.n == a->trace.cap) {
            return atls_fail(a->err, ATLS_E_LIMIT, "checks", "too many checks");
        }
        a->trace.items[a->trace.n++] = check;
    }
    return true;
}

static bool appraise_nested(appraisal *a, const atls_nested *nested)
{
    atls_nested_source source = {.in = a->in, .pile = &nested->pile};
    atls_appraisal inner = {
        .evidence = nested->evidence,
        .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = ""},
        .now = a->in->now,
        .endorse = atls_nested_endorse,
        .endorse_ctx = &source,
    };
    atls_error why = {0};
    atls_result r;
    memcpy(inner.binding.value, nested->report_data, sizeof inner.binding.value);
    if (nested->platform != a->v->hardware->kind->platform) {
        (void)atls_fail_values(a->err, ATLS_E_TEE_TYPE_MISMATCH, "hardware",
                               atls_platform_name(a->v->hardware->kind->platform), atls_platform_name(nested->platform),
                               "the hardware report is of another kind than the policy's member hardware asks for");
        return atls_trace_fail(&a->trace, "hardware", a->err);
    }
    const bool ok = atls_verifier_appraise(a->v->hardware, &inner, a->arena, &r, &why);
    if (!list_nested(a, &r)) {
        return false;
    }
    if (!ok) {
        *a->err = why.code == ATLS_E_ENDORSEMENTS_MISSING && source.why.code != ATLS_OK ? source.why : why;
        why = *a->err;
        return atls_error_relabel(a->err, why.code, "hardware");
    }
    a->is_vouched = true;
    a->vouched = (atls_vouched){.platform = r.claims.platform, .root_is_production = r.claims.root_is_production};
    memcpy(a->vouched.root_sha256, r.claims.root_sha256, sizeof a->vouched.root_sha256);
    a->hardware = r.claims;
    return true;
}

static bool get_vouched(appraisal *a)
{
    atls_nested nested = {0};
    bool found = false;
    if (a->v->format->nested == NULL) {
        return true;
    }
    if (!a->v->format->nested(a->evidence, a->v->crypto, a->arena, &nested, &found, a->err)) {
        return atls_trace_fail(&a->trace, "hardware", a->err);
    }
    if (a->v->hardware != NULL && !found) {
        (void)atls_fail(a->err, ATLS_E_KEY_NOT_AUTHENTICATED, "hardware",
                        "the policy wants a hardware report that vouches for the key, and none came along");
        return atls_trace_fail(&a->trace, "hardware", a->err);
    }
    if (a->v->hardware == NULL) {
        return !found
               || atls_trace_skip(&a->trace, "hardware", "hardware",
                                  "the evidence holds a hardware report, but the policy has no member hardware: the "
                                  "report was not looked at",
                                  a->err);
    }
    return appraise_nested(a, &nested);
}

/* ---- authenticate ---- */

static bool authenticate(appraisal *a)
{
    a->claims = (atls_claims){.report_data_field = ""};
    const atls_authority authority = authority_of(a);
    if (!a->v->format->authenticate(a->evidence, &authority, a->arena, &a->claims, &a->trace, a->err)) {
        return false;
    }
    if (a->is_vouched) {
        a->claims.dcap = a->hardware.dcap;
        a->claims.sev_snp = a->hardware.sev_snp;
    }
    return true;
}

/* ---- judge: every comparison is made ---- */

static bool judge_tee_type(appraisal *a)
{
    const atls_platform wanted = a->v->kind->platform;
    return atls_trace_compare(&a->trace, a->claims.platform == wanted, "tee_type", ATLS_E_TEE_TYPE_MISMATCH,
                              "quote.header.tee_type", atls_platform_name(wanted),
                              atls_platform_name(a->claims.platform), NULL, a->err);
}

/* Without a grade of its own in the policy, a session must reach `exporter`; an appraisal outside a session is what the
 * caller makes of it, and the result says which grade that was. */
static bool judge_grade(appraisal *a)
{
    const atls_policy *p = a->v->policy;
    const atls_binding *b = &a->in->binding;
    if (a->v->looks_ahead && b->grade == ATLS_GRADE_NONE) {
        return atls_trace_skip(&a->trace, "binding.grade", "min_grade", "only a live session has a grade", a->err);
    }
    if (!p->has_min_grade && !atls_binding_is_session(b)) {
        return atls_trace_skip(&a->trace, "binding.grade", "min_grade",
                               "this is no session, and the policy names no least grade", a->err);
    }
    return atls_trace_compare(&a->trace, b->grade >= p->min_grade, "binding.grade", ATLS_E_GRADE, "min_grade",
                              atls_grade_name(p->min_grade), atls_grade_name(b->grade), NULL, a->err);
}

/* What the evidence's own field must hold. Most have 64 bytes, and hold the value as it is. */
static bool expected_of(appraisal *a, uint8_t expected[64], size_t *len)
{
    const atls_binding *b = &a->in->binding;
    const atls_binding_value in = {
        .value = b->value,
        .len = b->value_len == 0 ? sizeof b->value : b->value_len,
        .is_session = atls_binding_is_session(b),
    };
    if (a->v->format->bind != NULL) {
        return a->v->format->bind(a->evidence, a->v->crypto, &in, expected, len, a->err);
    }
    memcpy(expected, b->value, sizeof b->value); /* begin made sure of the zeros */
    *len = sizeof b->value;
    return true;
}

static bool judge_binding(appraisal *a)
{
    const atls_binding *b = &a->in->binding;
    const char *field = a->claims.report_data_field;
    if (b->grade == ATLS_GRADE_NONE) {
        return atls_trace_skip(&a->trace, "binding", field,
                               "no binding was given: this evidence may be old, or of another session, key or machine",
                               a->err);
    }
    if (a->v->format->binds_itself) {
        return atls_binding_judge_own(b, &a->claims, &a->trace, a->err);
    }
    uint8_t expected_value[64];
    size_t expected_len = sizeof expected_value;
    if (!expected_of(a, expected_value, &expected_len)) {
        return atls_trace_fail(&a->trace, "binding", a->err);
    }
    if (expected_len == 0 || expected_len > sizeof expected_value) {
        (void)atls_fail(a->err, ATLS_E_INTERNAL, "binding", "nothing to compare");
        return atls_trace_fail(&a->trace, "binding", a->err);
    }
    const atls_bytes wanted = atls_bytes_of(expected_value, expected_len);
    const atls_bytes quoted = atls_bytes_of(a->claims.report_data, a->claims.report_data_len);
    const char *expected = atls_hex_text(wanted, a->arena, a->err);
    const char *actual = atls_hex_text(quoted, a->arena, a->err);
    return expected != NULL && actual != NULL
           && atls_trace_compare(&a->trace, atls_bytes_equal(wanted, quoted), "binding", ATLS_E_REPORT_DATA_MISMATCH,
                                 field, expected, actual, NULL, a->err);
}

/* Nothing of a log is looked at before it replays to the registers of the quote (dstack R1 to R5). */
static bool judge_log(appraisal *a)
{
    if (!a->has_log || !a->claims.dcap.is_tdx) {
        return atls_trace_na(&a->trace, "event_log.replay", "event_log", "there is no event log to replay", a->err);
    }
    if (!dstack_log_replay(a->v->crypto, &a->log, a->claims.dcap.td.rtmr, a->arena, &a->claims.log, &a->trace,
                           a->err)) {
        return false;
    }
    const uint8_t *leaf = a->in->binding.has_leaf_sha256 ? a->in->binding.leaf_sha256 : NULL;
    return !a->v->kind->dstack || dstack_appraise(&a->claims, a->v->policy, leaf, a->arena, &a->trace, a->err);
}

static void keep_first(appraisal *a, const atls_error *e)
{
    if (a->err->code == ATLS_OK) {
        *a->err = *e;
    }
}

/* Reference values of a TD cannot match an enclave. There the kind of TEE is the reason, and not its measurements;
 * everything else that the room found comes before it (dstack section 5). */
static bool judge_claims(appraisal *a)
{
    atls_error found = {0};
    const bool met = a->v->format->appraise(&a->claims, a->v->policy, a->in->now, a->arena, &a->trace, &found);
    const bool is_value = found.code == ATLS_E_MEASUREMENT_MISMATCH;
    if (!is_value) {
        keep_first(a, &found);
    }
    const bool is_kind = judge_tee_type(a);
    keep_first(a, &found);
    return met && is_kind;
}

/* Only dstack policies know of certificates that the machine measured; others leave that tie out, and say so. */
static bool list_certificate(appraisal *a)
{
    return a->v->kind->dstack || !a->in->binding.has_leaf_sha256
           || atls_trace_skip(&a->trace, "dstack.certificate_event", "event_log.New TLS Certificate",
                              "a policy of this type does not ask whether the machine measured its peer's certificate",
                              a->err);
}

static bool judge(appraisal *a)
{
    bool ok = judge_claims(a);
    ok = judge_binding(a) && ok;
    ok = judge_grade(a) && ok;
    ok = judge_log(a) && ok;
    ok = list_certificate(a) && ok;
    return ok;
}

/* ---- conclude ---- */

static bool is_listed(const atls_trace *t, const char *id)
{
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->items[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* Whatever weakens this policy shows in every result, also where the weakened check had nothing to say. */
static bool list_weaknesses(appraisal *a)
{
    const atls_text_list weak = a->v->policy->insecure;
    for (size_t i = 0; i < weak.n; i++) {
        const char *id = atls_text_format(a->arena, a->err, "policy.%s", weak.items[i]);
        if (id == NULL) {
            return false;
        }
        if (!is_listed(&a->trace, id)
            && !atls_trace_skip(&a->trace, id, weak.items[i], "the policy weakens its checks by this member", a->err)) {
            return false;
        }
    }
    return true;
}

static bool list_missing_references(appraisal *a)
{
    return a->v->format->names_code(a->v->policy)
           || atls_trace_skip(&a->trace, "policy.reference_values", "policy",
                              "the policy does not say which code must run: any machine of this kind is accepted",
                              a->err);
}

/* The list of checks and the verdict must agree, whatever a room returned. */
static bool nothing_failed(appraisal *a)
{
    for (size_t i = 0; i < a->trace.n; i++) {
        if (a->trace.items[i].verdict == ATLS_CHECK_FAIL) {
            return atls_fail(a->err, ATLS_E_INTERNAL, a->trace.items[i].id, "a check failed, and nobody said so");
        }
    }
    return a->err->code == ATLS_OK;
}

static void fill(const appraisal *a, atls_result *out)
{
    out->grade = a->in->binding.grade;
    out->runtime_verified = a->v->format->names_code(a->v->policy);
    out->insecure = a->v->policy->insecure.n > 0;
    out->simulated_or_test_root = !a->claims.root_is_production;
    out->claims = a->claims;
}

/* What our own side could not do (memory, endorsements, a senseless call) says nothing about the evidence. */
static atls_verdict verdict_of_failure(const atls_error *err)
{
    return err->category == ATLS_CATEGORY_INTERNAL ? ATLS_VERDICT_UNDECIDED : ATLS_VERDICT_REJECTED;
}

static void report(const appraisal *a, atls_error *err)
{
    if (a->err->code == ATLS_OK) {
        (void)atls_fail(a->err, ATLS_E_INTERNAL, "verify", "a step failed, and nobody said why");
    }
    if (a->err->platform == ATLS_PLATFORM_NONE) {
        a->err->platform = a->v->kind->platform;
    }
    if (err->code == ATLS_OK) {
        *err = *a->err;
    }
}

/* The order of checks. */
static bool appraise(appraisal *a, const atls_error *earlier, verify_stage *stage)
{
    static bool (*const steps[])(appraisal *) = {
        [VERIFY_DECODE] = decode,        [VERIFY_ENDORSEMENTS] = get_endorsements,
        [VERIFY_HARDWARE] = get_vouched, [VERIFY_AUTHENTICATE] = authenticate,
        [VERIFY_JUDGE] = judge,
    };
    *stage = VERIFY_BEGIN;
    if (!begin(a, earlier)) {
        return false;
    }
    for (*stage = VERIFY_DECODE; *stage < VERIFY_ACCEPTED; (*stage)++) {
        if (!steps[*stage](a)) {
            return false;
        }
    }
    return true;
}

bool atls_verify_one(const atls_verifier *v, const atls_appraisal *in, atls_arena *arena, atls_result *out,
                     verify_stage *stage, atls_error *err)
{
    atls_error first = {0};
    appraisal a = {.v = v, .in = in, .arena = arena, .err = &first};
    *out = (atls_result){.profile = in->binding.profile == NULL ? "" : in->binding.profile, .time = in->now};
    atls_links_init(&a.links, v->crypto, v->caches == NULL ? NULL : v->caches->platforms, in->now);

    const bool judged = appraise(&a, err, stage);
    const bool listed = list_weaknesses(&a) && list_missing_references(&a);
    const bool accepted = judged && listed && nothing_failed(&a);
    settle(&a, accepted);
    out->checks = a.trace.items;
    out->n_checks = a.trace.n;
    if (!accepted) {
        report(&a, err);
        out->verdict = verdict_of_failure(&first);
        return false;
    }
    fill(&a, out);
    out->verdict = ATLS_VERDICT_ACCEPTED;
    return true;
}
