/* SPDX-License-Identifier: Apache-2.0 */
/* debug_replay.c: a debug statement judged again. Ours holds the request and a recording: everything is taken out of the request
 * anew, the recording says what the appraisal depended on, and must be of just this statement, time and policy. Warden's holds a
 * configuration, which becomes a policy; so does ours where members of `atls` were taken out of it. */
#include <string.h>

#include "base/text.h"
#include "debug_replay.h"
#include "policy.h"
#include "verify/record.h"

static bool differs(atls_enrol_again *a, const char *member)
{
    (void)atls_fail(a->err, ATLS_E_ENCODING, member, "is not what the recording in the statement is about");
    return false;
}

/* For an appraisal that could not be made: a->err says why. */
static bool no_appraisal(atls_error *err)
{
    return atls_fail(err, ATLS_E_INTERNAL, "debug", "the appraisal could not be repeated");
}

atls_enrol_judge atls_enrol_again_judge(atls_enrol_again *a, atls_enrol_appraise_fn appraise)
{
    return (atls_enrol_judge){
        .has_android = a->s.android != NULL,
        .has_apple = a->s.apple != NULL,
        .appraise = appraise,
        .ctx = a,
        .nonce = a->s.challenge,
        .now = a->s.now,
        .now_ms = a->s.now_ms,
        .offset_s = a->s.offset_s,
    };
}

static const atls_json *configuration_of(const atls_enrol_again *a, atls_platform platform)
{
    return platform == ATLS_PLATFORM_ANDROID ? a->s.android : a->s.apple;
}

static const char *type_of(atls_platform platform)
{
    return platform == ATLS_PLATFORM_ANDROID ? "android_key" : "apple_app_attest";
}

static const char *member_of(atls_platform platform)
{
    return platform == ATLS_PLATFORM_ANDROID ? "debug.androidAttestationConfiguration"
                                             : "debug.iosAttestationConfiguration";
}

/* ---- Warden's: a policy out of the configuration ---- */

/* A name may be anything: it is escaped as any text, and the policy's reader refuses what it does not know. */
static void put_name(atls_buf *b, atls_bytes name)
{
    atls_jw w;
    atls_jw_init(&w, b);
    atls_jw_string(&w, NULL, name);
    atls_buf_str(b, ":");
}

static bool make_policy(atls_enrol_again *a, atls_platform platform)
{
    atls_buf b;
    atls_bytes text;
    const bool drop_proxy = a->options != NULL && a->options->ignore_proxy;
    atls_buf_init(&b, a->arena, a->err);
    atls_buf_format(&b, "{\"type\":\"%s\"", type_of(platform));
    for (const atls_json *m = configuration_of(a, platform)->child; m != NULL; m = m->next) {
        if (drop_proxy && atls_bytes_equal_str(m->name, "httpProxy")) {
            continue;
        }
        atls_buf_str(&b, ",");
        put_name(&b, m->name);
        atls_buf_put(&b, m->raw);
    }
    atls_buf_str(&b, "}");
    if (!atls_buf_done(&b, &text)) {
        return false;
    }
    return atls_policy_parse(text, &a->policy, a->err) || atls_error_relabel(a->err, a->err->code, member_of(platform));
}

static bool given_list(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                       atls_error *err)
{
    const atls_enrol_again *a = ctx;
    (void)request;
    (void)arena;
    (void)err;
    *out = (atls_endorsements){.android = {.list = a->options->status_list}};
    return true;
}

bool atls_enrol_again_appraise(void *ctx, atls_platform platform, const atls_appraisal *in, atls_arena *arena,
                               atls_result *out, atls_error *err)
{
    static const atls_verifier_options fresh = {.no_cache = true};
    atls_enrol_again *a = ctx;
    atls_appraisal own = *in;
    if (!make_policy(a, platform) || !atls_verifier_new_with_options(a->policy, &fresh, &a->verifier, a->err)) {
        return no_appraisal(err);
    }
    if (a->options != NULL && a->options->status_list.len > 0) {
        own.endorse = given_list;
        own.endorse_ctx = a;
    }
    return atls_verifier_appraise(a->verifier, &own, arena, out, err);
}

/* ---- ours: out of the recording ---- */

/* What the statement says of the appraisal, and what the recording is of, must be the same. */
static bool check_recording(atls_enrol_again *a, const atls_recorded *r, atls_platform platform,
                            const atls_appraisal *in)
{
    atls_bytes recorded;
    atls_bytes stated;
    if (!atls_bytes_equal(r->in.evidence, in->evidence)) {
        return differs(a, "debug.keyAttestation");
    }
    if (r->in.binding.grade != in->binding.grade || !atls_bytes_equal(r->in.binding.challenge, in->binding.challenge)) {
        return differs(a, "debug.challenge");
    }
    if (r->in.now != in->now || r->in.now_ms != in->now_ms) {
        return differs(a, "debug.verificationTime");
    }
    if (r->in.offset_s != in->offset_s) {
        return differs(a, "debug.verificationTimeOffset");
    }
    if (r->n_roots > 0) { /* a configuration has its roots in itself */
        return differs(a, member_of(platform));
    }
    if (!atls_enrol_debug_configuration(r->policy, a->arena, &recorded, a->err)
        || !atls_enrol_debug_minify(configuration_of(a, platform)->raw, a->arena, &stated, a->err)) {
        return false;
    }
    return atls_bytes_equal(recorded, stated) || differs(a, member_of(platform));
}

/* What the statement says of the list is what the list in the recording says: asked again, and written again. The digest is of a
 * list that is not here, and stands for itself. */
static bool check_list(atls_enrol_again *a, const atls_recorded *r)
{
    static const char member[] = "debug.atls.status_list";
    static const atls_endorsement_request request = {.platform = ATLS_PLATFORM_ANDROID, .pck_ca = ""};
    atls_enrol_list_source *list = &a->list;
    atls_endorsements unused;
    atls_error why = {0};
    atls_bytes written;
    atls_bytes stated;
    if (a->s.status_list == NULL) {
        return true;
    }
    *list = (atls_enrol_list_source){.endorse = r->in.endorse,
                                     .ctx = r->in.endorse_ctx,
                                     .statement = &a->statement,
                                     .match_decimal = !a->recorded.policy->android.ignore_decimal_serials};
    const atls_json *sha256 = atls_json_find(a->s.status_list, "sha256");
    if (!atls_enrol_list_endorse(list, &request, a->arena, &unused, &why) || !list->seen.is_there || sha256 == NULL
        || sha256->type != ATLS_JSON_STRING
        || !atls_hex_fixed(sha256->text, list->seen.sha256, sizeof list->seen.sha256)) {
        return why.code == ATLS_E_MEMORY ? atls_fail(a->err, why.code, why.field, NULL) : differs(a, member);
    }
    if (!atls_enrol_debug_list(&list->seen, a->arena, &written, a->err)
        || !atls_enrol_debug_minify(a->s.status_list->raw, a->arena, &stated, a->err)) {
        return false;
    }
    return atls_bytes_equal(written, stated) || differs(a, member);
}

static bool from_recording(void *ctx, atls_platform platform, const atls_appraisal *in, atls_arena *arena,
                           atls_result *out, atls_error *err)
{
    atls_enrol_again *a = ctx;
    atls_record opened;
    atls_recorded r;
    a->has_recorded = true;
    if (!atls_record_open(a->s.record, arena, &opened, a->err) || !atls_recorded_read(&opened, arena, &r, a->err)
        || !check_recording(a, &r, platform, in) || !atls_replay_run(&opened, NULL, arena, &a->recorded, a->err)) {
        return no_appraisal(err);
    }
    if (strcmp(atls_policy_kind(a->recorded.policy), type_of(platform)) != 0) {
        (void)differs(a, member_of(platform));
        return no_appraisal(err);
    }
    if (!check_list(a, &r)) {
        return no_appraisal(err);
    }
    *out = a->recorded.result;
    *err = a->recorded.error;
    return err->code == ATLS_OK;
}

static bool check_statement(atls_enrol_again *a)
{
    atls_bytes written;
    atls_bytes stated;
    if (a->s.key_attestation == NULL) {
        return differs(a, "debug.keyAttestation");
    }
    if (!atls_enrol_statement_write(&a->statement, a->arena, &written, a->err)
        || !atls_enrol_debug_minify(a->s.key_attestation->raw, a->arena, &stated, a->err)) {
        return false;
    }
    return atls_bytes_equal(written, stated) || differs(a, "debug.keyAttestation");
}

/* What cannot be read in a statement is the statement's fault, whatever reads it calls it elsewhere. */
static bool malformed(atls_enrol_again *a, const char *prefix)
{
    const atls_code code = a->err->code == ATLS_E_MEMORY ? a->err->code : ATLS_E_ENCODING;
    a->err->code = code;
    a->err->category = atls_code_category(code);
    return atls_error_relabel(a->err, code, prefix);
}

static bool judge_own(atls_enrol_again *a, const atls_enrol_csr *csr)
{
    const atls_enrol_judge j = atls_enrol_again_judge(a, a->s.has_record ? from_recording : atls_enrol_again_appraise);
    if (check_statement(a) && atls_enrol_judge_statement(&j, &a->statement, a->arena, &a->judgement, &a->verdict)
        && !atls_enrol_judge_request(csr, &a->judgement, &a->verdict)) {
        return true; /* a verdict like others */
    }
    if (a->err->code == ATLS_OK && a->s.has_record && !a->has_recorded) {
        return differs(a, "debug.atls.record");
    }
    return a->err->code == ATLS_OK;
}

/* Beside a request there is nothing of the older methods: nobody would look at it. */
static bool check_members(atls_enrol_again *a)
{
    if (a->s.method != ATLS_ENROL_SUPREME) {
        return differs(a, "debug.method");
    }
    if (a->s.has_proof) {
        return differs(a, "debug.genericAttestationProof");
    }
    return !a->s.has_client_data || differs(a, "debug.clientData");
}

/* Of a statement of no known kind: nothing was appraised, and nothing stands there as if it had been. */
static bool check_nothing(atls_enrol_again *a)
{
    if (a->s.key_attestation != NULL) {
        return differs(a, "debug.keyAttestation");
    }
    if (a->s.has_record) {
        return differs(a, "debug.atls.record");
    }
    return a->s.status_list == NULL || differs(a, "debug.atls.status_list");
}

static bool run_own(atls_enrol_again *a)
{
    atls_enrol_csr csr;
    atls_bytes nonce;
    atls_bytes oid;
    atls_bytes text;
    if (!check_members(a)) {
        return false;
    }
    if (!atls_enrol_csr_read(a->s.csr, &csr, a->err) || !atls_enrol_csr_nonce(&csr, a->arena, &nonce, a->err)
        || !atls_enrol_oid_der(a->s.proof_oid, "proof_oid", a->arena, &oid, a->err)
        || !atls_enrol_csr_statement(&csr, oid, &text, a->err)) {
        return malformed(a, "debug.atls");
    }
    if (!atls_bytes_equal(nonce, a->s.challenge)) {
        return differs(a, "debug.challenge");
    }
    if (atls_enrol_statement_read(text, a->arena, &a->statement, &a->verdict)) {
        return judge_own(a, &csr);
    }
    if (a->verdict.code != ATLS_E_UNSUPPORTED) {
        *a->err = a->verdict;
        return malformed(a, "debug.atls");
    }
    return check_nothing(a);
}

/* ---- any ---- */

static bool run_warden(atls_enrol_again *a)
{
    const atls_enrol_judge j = atls_enrol_again_judge(a, atls_enrol_again_appraise);
    if (a->s.method != ATLS_ENROL_SUPREME) {
        return atls_enrol_again_legacy(a);
    }
    if (a->s.key_attestation == NULL) {
        return atls_fail(a->err, ATLS_E_ENCODING, "debug.keyAttestation", "missing from the statement");
    }
    if (!atls_enrol_statement_read(a->s.key_attestation->raw, a->arena, &a->statement, &a->verdict)) {
        if (a->verdict.code == ATLS_E_UNSUPPORTED) {
            return true;
        }
        *a->err = a->verdict;
        return malformed(a, "debug.keyAttestation");
    }
    if (atls_enrol_judge_statement(&j, &a->statement, a->arena, &a->judgement, &a->verdict)) {
        a->judgement.step = ATLS_ENROL_STEP_DONE;
    }
    return a->err->code == ATLS_OK;
}

static bool tell(atls_enrol_again *a, atls_enrol_replay *out)
{
    const atls_enrol_words w = atls_enrol_words_of(a->judgement.step, &a->verdict);
    const bool is_accepted = a->verdict.code == ATLS_OK && a->judgement.step == ATLS_ENROL_STEP_DONE;
    if (!atls_enrol_debug_verdict(a->crypto, &a->judgement, &a->verdict, a->arena, &out->replayed, a->err)) {
        return false;
    }
    out->is_accepted = is_accepted;
    out->class_name = a->verdict.code == ATLS_OK ? "" : w.class_name;
    out->reason = a->verdict.code == ATLS_OK ? "" : w.reason;
    out->error = a->verdict;
    out->is_same = out->has_recorded && atls_bytes_equal(out->recorded, out->replayed)
                   && (!a->has_recorded || a->recorded.is_same);
    return (a->verdict.code == ATLS_OK) == is_accepted
           || atls_fail(a->err, ATLS_E_INTERNAL, "debug", "a verdict and its error do not agree");
}

static bool tell_redacted(atls_enrol_replay *out)
{
    out->is_redacted = true;
    out->replayed = atls_bytes_str("{\"accepted\":false,\"redacted\":true}");
    (void)atls_fail(&out->error, ATLS_E_UNSUPPORTED, "debug.atls.redacted",
                    "personal data were taken out: what is left cannot be judged");
    return true;
}

static bool run(atls_enrol_again *a, atls_enrol_replay *out)
{
    out->method = atls_enrol_method_name(a->s.method);
    out->has_recorded = a->s.has_verdict;
    out->recorded = a->s.has_verdict ? a->s.verdict : atls_bytes_empty();
    if (a->s.is_redacted) {
        return tell_redacted(out);
    }
    if (a->s.challenge.len == 0) {
        return atls_fail(a->err, ATLS_E_ENCODING, "debug.challenge", "missing from the statement");
    }
    if (!atls_crypto_new(&a->crypto, a->err)) {
        return false;
    }
    return (a->s.has_csr ? run_own(a) : run_warden(a)) && tell(a, out);
}

static void clear(atls_enrol_replay *out)
{
    *out = (atls_enrol_replay){.method = "", .class_name = "", .reason = ""};
    out->recorded = out->replayed = atls_bytes_empty();
}

bool atls_enrol_replay_run(atls_bytes statement, const atls_enrol_replay_options *options, atls_arena *arena,
                           atls_enrol_replay *out, atls_error *err)
{
    atls_enrol_again a = {.options = options, .arena = arena, .err = err};
    clear(out);
    atls_enrol_judgement_init(&a.judgement);
    const bool ok = atls_enrol_debug_read(statement, arena, &a.s, err) && run(&a, out);
    atls_verifier_free(a.verifier);
    atls_policy_free(a.policy);
    atls_replay_free(&a.recorded);
    atls_crypto_free(a.crypto);
    if (!ok) {
        clear(out);
    }
    return ok;
}
