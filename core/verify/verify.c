/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: the order of checks. Read this first.
 *
 *   begin          the call makes sense: a time, a binding that can bind
 *   decode         quote, then event log: bytes become structures, nothing is believed
 *   endorsements   the one callback: what vouches for the hardware
 *   authenticate   who signed it; the room's work (DCAP steps 2 to 16). The first failure stops
 *   judge          the policy: status and grace, kind of TEE, binding, event log. Every mismatch is listed
 *   conclude       the verdict
 *
 * A failure up to authenticate ends the appraisal, because nothing after it could be believed. From there on every
 * comparison is made, and the first that failed is the error. docs/verify.md follows these functions one by one. */
#include <stdlib.h>
#include <string.h>

#include "atls/verifier.h"
#include "base/text.h"
#include "caches.h"
#include "evidence/dstack/dstack.h"
#include "registry.h"
#include "verifier_crypto.h"

struct atls_verifier {
    const atls_policy *policy;
    const registry_row *kind;
    const atls_format *format;
    atls_crypto *crypto;
    atls_caches *caches; /* NULL: nothing is remembered. What is in there changes; nothing else does */
};

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
    atls_claims claims; /* authenticated */
} appraisal;

static atls_authority authority_of(const appraisal *a)
{
    return (atls_authority){
        .crypto = a->v->crypto,
        .policy = a->v->policy,
        .endorsements = &a->endorsements,
        .now = a->in->now,
        .caches = a->v->caches,
    };
}

/* ---- begin ---- */

/* A value that anybody can guess binds nothing, and a value without a grade would silently not be compared. */
static bool check_binding_given(appraisal *a)
{
    const atls_binding *b = &a->in->binding;
    const bool zero = atls_bytes_is_zero(atls_bytes_of(b->value, sizeof b->value));
    if ((unsigned)b->grade > ATLS_GRADE_SESSION) {
        return atls_fail(a->err, ATLS_E_USAGE, "binding.grade", "no such grade");
    }
    if (b->grade == ATLS_GRADE_NONE && !zero) {
        return atls_fail(a->err, ATLS_E_USAGE, "binding.grade",
                         "a binding value is given, but no grade that it would prove");
    }
    if (b->grade != ATLS_GRADE_NONE && zero) {
        return atls_fail(a->err, ATLS_E_USAGE, "binding.value", "a binding value of zeros binds nothing");
    }
    return true;
}

static bool is_session(const atls_binding *b)
{
    return b->profile != NULL && b->profile[0] != '\0';
}

/* In a session the certificate event must be compared (dstack R6), so whoever runs one must say which certificate it
 * met. */
static bool check_leaf_given(appraisal *a)
{
    const atls_binding *b = &a->in->binding;
    /* the grade `session` is of the keys themselves, and a client need not have a certificate */
    const bool needed = is_session(b) && b->grade < ATLS_GRADE_SESSION && a->v->kind->dstack
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
    return check_binding_given(a) && check_leaf_given(a);
}

/* ---- decode ---- */

static bool decode_log(appraisal *a)
{
    const registry_log rule = a->v->kind->log;
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
}

static bool decode(appraisal *a)
{
    const bool ok = a->v->format->decode(a->in->evidence, a->arena, &a->evidence, a->err);
    if (ok) {
        recall(a);
    }
    return atls_trace_step(&a->trace, ok, "evidence.decode", "quote", a->err) && decode_log(a);
}

/* ---- endorsements ---- */

/* A piece that is not there is no forgery: whoever fetches again may get it. Chains are not asked for here: what an
 * empty one means is the room's business. */
static bool check_complete(appraisal *a)
{
    const atls_dcap_collateral *c = &a->endorsements.dcap;
    const struct {
        const char *field;
        size_t len;
    } pieces[] = {
        {"endorsements.root_ca_crl", c->root_ca_crl.len},
        {"endorsements.pck_crl", c->pck_crl.len},
        {"endorsements.tcb_info", c->tcb_info.len},
        {"endorsements.tcb_info_signature", c->tcb_info_signature.len},
        {"endorsements.qe_identity", c->qe_identity.len},
        {"endorsements.qe_identity_signature", c->qe_identity_signature.len},
    };
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        if (pieces[i].len == 0) {
            return atls_fail(a->err, ATLS_E_ENDORSEMENTS_MISSING, pieces[i].field, NULL);
        }
    }
    return true;
}

static bool ask(appraisal *a)
{
    atls_endorsement_request request = {0};
    if (!a->v->format->request(a->evidence, a->arena, &request, a->err)) {
        return false;
    }
    const bool found = a->in->endorse != NULL
                       && a->in->endorse(a->in->endorse_ctx, &request, a->arena, &a->endorsements, a->err)
                       && a->endorsements.platform != ATLS_PLATFORM_NONE;
    if (!found) {
        return atls_fail(a->err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements", NULL);
    }
    return check_complete(a);
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

static bool get_endorsements(appraisal *a)
{
    const bool ok = ask(a) && a->err->code == ATLS_OK;
    return atls_trace_step(&a->trace, ok, "endorsements", "endorsements", a->err) && list_stapled(a);
}

/* ---- authenticate ---- */

static bool authenticate(appraisal *a)
{
    const atls_authority authority = authority_of(a);
    return a->v->format->authenticate(a->evidence, &authority, a->arena, &a->claims, &a->trace, a->err);
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
    if (!p->has_min_grade && !is_session(b)) {
        return atls_trace_skip(&a->trace, "binding.grade", "min_grade",
                               "this is no session, and the policy names no least grade", a->err);
    }
    return atls_trace_compare(&a->trace, b->grade >= p->min_grade, "binding.grade", ATLS_E_GRADE, "min_grade",
                              atls_grade_name(p->min_grade), atls_grade_name(b->grade), NULL, a->err);
}

static bool judge_binding(appraisal *a)
{
    const atls_binding *b = &a->in->binding;
    if (b->grade == ATLS_GRADE_NONE) {
        return atls_trace_skip(&a->trace, "binding", "quote.body.reportdata",
                               "no binding was given: this evidence may be old, or of another session, key or machine",
                               a->err);
    }
    const atls_bytes wanted = atls_bytes_of(b->value, sizeof b->value);
    const atls_bytes quoted = atls_bytes_of(a->claims.report_data, a->claims.report_data_len);
    const char *expected = atls_hex_text(wanted, a->arena, a->err);
    const char *actual = atls_hex_text(quoted, a->arena, a->err);
    return expected != NULL && actual != NULL
           && atls_trace_compare(&a->trace, atls_bytes_equal(wanted, quoted), "binding", ATLS_E_REPORT_DATA_MISMATCH,
                                 "quote.body.reportdata", expected, actual, NULL, a->err);
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

static bool is_any_referenced(const atls_policy *p, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (atls_policy_reference(p, names[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Whether the policy says which code must run, and not only on what hardware. */
static bool names_code(const atls_policy *p)
{
    /* RTMRs say nothing without MRTD: firmware that nobody measured extends whatever it likes. */
    static const char *const td[] = {"mrtd"};
    static const char *const enclave[] = {"mrenclave", "mrsigner"};
    switch (p->type) {
    case ATLS_POLICY_DSTACK_TDX:
        return !p->dstack.disable_runtime_verification && p->dstack.has_bootchain && p->dstack.has_compose_hash
               && p->dstack.has_os_image_hash;
    case ATLS_POLICY_TDX:
        return is_any_referenced(p, td, sizeof td / sizeof td[0]);
    case ATLS_POLICY_SGX:
        return is_any_referenced(p, enclave, sizeof enclave / sizeof enclave[0]);
    }
    return false;
}

static bool list_missing_references(appraisal *a)
{
    return names_code(a->v->policy)
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

static bool is_production_root(const atls_dcap_claims *c)
{
    return atls_bytes_equal(atls_bytes_of(c->root_sha256, sizeof c->root_sha256),
                            atls_bytes_of(atls_anchor_intel_sgx()->sha256, sizeof c->root_sha256));
}

static void fill(const appraisal *a, atls_result *out)
{
    out->grade = a->in->binding.grade;
    out->runtime_verified = names_code(a->v->policy);
    out->insecure = a->v->policy->insecure.n > 0;
    out->simulated_or_test_root = !is_production_root(&a->claims.dcap);
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

bool atls_verifier_appraise(const atls_verifier *v, const atls_appraisal *in, atls_arena *arena, atls_result *out,
                            atls_error *err)
{
    atls_error first = {0};
    appraisal a = {.v = v, .in = in, .arena = arena, .err = &first};

    *out = (atls_result){.profile = in->binding.profile == NULL ? "" : in->binding.profile, .time = in->now};

    const bool judged = begin(&a, err) && decode(&a) && get_endorsements(&a) && authenticate(&a) && judge(&a);
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

/* ---- the object ---- */

bool atls_verifier_new(const atls_policy *policy, atls_verifier **out, atls_error *err)
{
    return atls_verifier_new_with_options(policy, NULL, out, err);
}

bool atls_verifier_new_with_options(const atls_policy *policy, const atls_verifier_options *options,
                                    atls_verifier **out, atls_error *err)
{
    *out = NULL;
    const registry_row *kind = atls_registry_find(policy->type);
    if (kind == NULL) {
        return atls_fail(err, ATLS_E_INTERNAL, "policy.type", "no room judges policies of this kind");
    }
    atls_verifier *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "verifier", NULL);
    }
    v->policy = policy;
    v->kind = kind;
    v->format = kind->format();
    if (!atls_crypto_new(&v->crypto, err) || !atls_caches_new(options, &v->caches, err)) {
        atls_verifier_free(v);
        return false;
    }
    *out = v;
    return true;
}

void atls_verifier_free(atls_verifier *v)
{
    if (v != NULL) {
        atls_caches_free(v->caches);
        atls_crypto_free(v->crypto);
        free(v);
    }
}

const atls_crypto *atls_verifier_crypto(const atls_verifier *v)
{
    return v->crypto;
}

const atls_policy *atls_verifier_policy(const atls_verifier *v)
{
    return v->policy;
}

atls_verifier_counts atls_verifier_count(const atls_verifier *v)
{
    return atls_caches_count(v->caches);
}

const atls_caches *atls_verifier_caches(const atls_verifier *v)
{
    return v->caches;
}
