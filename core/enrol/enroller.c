/* SPDX-License-Identifier: Apache-2.0 */
/* enroller.c: the eight steps, in one order (section 6). Read run_steps first; each step is a function of its own, and the nonce is
 * gone before anything is done that costs. What stops a request says so once, in the words of enroller_words.c; whoever looks on
 * is told afterwards, from copies. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "debug.h"
#include "enroller.h"
#include "pki/cert.h"
#include "policy.h"

#define MAX_PROOF_OID_LEN 256u /* of its text; arcs of 128 bits have 39 digits */

struct atls_enroller {
    atls_crypto *crypto;
    atls_verifier *android; /* NULL: not configured */
    atls_verifier *apple;
    uint8_t android_sha256[32]; /* of the policy's text */
    uint8_t apple_sha256[32];
    atls_bytes proof_oid; /* content */
    atls_bytes proof_text;
    int64_t offset_s;
    atls_endorse_fn endorse;
    void *endorse_ctx;
    bool hide_codes;
    atls_arena arena; /* holds the OID */
};

/* ---- the object ---- */

static bool check_policy(const atls_policy *p, atls_policy_type type, const char *field, atls_error *err)
{
    if (p != NULL && p->n_source_roots > 0) { /* neither its digest nor a debug statement would tell of them */
        return atls_fail(err, ATLS_E_CONFIGURATION, field, "roots beside the document: they must stand in it");
    }
    if (p == NULL || (p->type == type && p->source.len > 0)) {
        return true;
    }
    return atls_fail_values(err, ATLS_E_CONFIGURATION, field,
                            type == ATLS_POLICY_ANDROID_KEY ? "android_key" : "apple_app_attest", atls_policy_kind(p),
                            "a policy of another type");
}

static bool offset_fits(int64_t offset_s, int64_t own)
{
    return offset_s >= -(int64_t)INT32_MAX && offset_s <= INT32_MAX && offset_s + own >= -(int64_t)INT32_MAX
           && offset_s + own <= INT32_MAX;
}

static bool check_options(const atls_enroller_options *o, atls_error *err)
{
    const size_t len = o->proof_oid == NULL ? 0 : strlen(o->proof_oid);
    if (o->android == NULL && o->apple == NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "policies", "no platform is configured");
    }
    if (!check_policy(o->android, ATLS_POLICY_ANDROID_KEY, "android", err)
        || !check_policy(o->apple, ATLS_POLICY_APPLE_APP_ATTEST, "apple", err)) {
        return false;
    }
    if (len == 0 || len > MAX_PROOF_OID_LEN) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "proof_oid", "an object identifier of 1 to %u characters is needed",
                         MAX_PROOF_OID_LEN);
    }
    if (!offset_fits(o->offset_s, o->android == NULL ? 0 : o->android->android.offset_s)
        || !offset_fits(o->offset_s, o->apple == NULL ? 0 : o->apple->apple.offset_s)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "offset_s", "with the policy's own it is more than 32 bits");
    }
    return true;
}

static bool read_proof_oid(atls_enroller *e, const char *text, atls_error *err)
{
    atls_error why = {0};
    if (!atls_arena_copy(&e->arena, atls_bytes_str(text), &e->proof_text, err)) {
        return false;
    }
    if (atls_enrol_oid_der(e->proof_text, "proof_oid", &e->arena, &e->proof_oid, &why)) {
        return true;
    }
    return why.code == ATLS_E_MEMORY ? atls_fail(err, why.code, why.field, NULL)
                                     : atls_fail(err, ATLS_E_CONFIGURATION, "proof_oid", "%s", why.message);
}

static bool add_platform(const atls_crypto *crypto, const atls_policy *p, atls_verifier **v, uint8_t sha256[32],
                         atls_error *err)
{
    return p == NULL || (atls_verifier_new(p, v, err) && atls_digest(crypto, ATLS_SHA256, &p->source, 1, sha256, err));
}

bool atls_enroller_new(const atls_enroller_options *options, atls_enroller **out, atls_error *err)
{
    *out = NULL;
    if (!check_options(options, err)) {
        return false;
    }
    atls_enroller *e = calloc(1, sizeof *e);
    if (e == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "enroller", NULL);
    }
    e->offset_s = options->offset_s;
    e->endorse = options->endorse;
    e->endorse_ctx = options->endorse_ctx;
    e->hide_codes = options->hide_codes;
    if (!atls_arena_new(&e->arena, (size_t)16 * 1024, err) || !read_proof_oid(e, options->proof_oid, err)
        || !atls_crypto_new(&e->crypto, err)
        || !add_platform(e->crypto, options->android, &e->android, e->android_sha256, err)
        || !add_platform(e->crypto, options->apple, &e->apple, e->apple_sha256, err)) {
        atls_enroller_free(e);
        return false;
    }
    *out = e;
    return true;
}

void atls_enroller_free(atls_enroller *e)
{
    if (e == NULL) {
        return;
    }
    atls_verifier_free(e->android);
    atls_verifier_free(e->apple);
    atls_crypto_free(e->crypto);
    atls_arena_free(&e->arena);
    free(e);
}

/* ---- one request on its way ---- */

typedef struct request {
    const atls_enroller *e;
    const atls_enrol_request *in;
    atls_arena *arena;
    atls_enrol_outcome *out;
    atls_error *err; /* the outcome's */
    atls_enrol_csr csr;
    bool has_csr;
    atls_bytes nonce;
    bool has_nonce; /* it was handed to the store */
    bool has_statement;
    atls_enrol_statement statement;
    atls_enrol_list_source list;
    atls_recorder *recorder; /* NULL: nobody wants a recording, or nothing was appraised */
    atls_error recorder_why;
    atls_enrol_judgement judgement;
    atls_enrol_grant grant;
} request;

/* A callback's failure is the step's, whatever it calls it; what it says of it is kept. */
static bool fail_as(request *r, const atls_error *why, atls_code code, const char *field)
{
    const bool is_first = r->err->code == ATLS_OK;
    (void)atls_fail(r->err, code, why->field[0] != '\0' ? why->field : field, "%s",
                    why->message[0] != '\0' ? why->message : atls_code_text(code));
    r->err->retry =
        r->err->retry || (is_first && why->retry); /* a token that is away comes back, a key that is none does not */
    return false;
}

/* ---- steps 1 to 4 ---- */

static bool decode(request *r)
{
    r->out->step = ATLS_ENROL_STEP_DECODE;
    r->has_csr = r->in->csr.len <= ATLS_ENROL_MAX_CSR_LEN
                     ? atls_enrol_csr_read(r->in->csr, &r->csr, r->err)
                     : atls_fail(r->err, ATLS_E_ENROL_CSR, "csr", "%zu bytes; at most %u", r->in->csr.len,
                                 ATLS_ENROL_MAX_CSR_LEN);
    return r->has_csr;
}

static bool extract_nonce(request *r)
{
    r->out->step = ATLS_ENROL_STEP_NONCE;
    return atls_enrol_csr_nonce(&r->csr, r->arena, &r->nonce, r->err);
}

static bool consume(request *r)
{
    atls_consumed found = ATLS_CONSUMED_UNKNOWN;
    atls_error why = {0};
    r->out->step = ATLS_ENROL_STEP_CONSUME;
    if (!atls_digest(r->e->crypto, ATLS_SHA256, &r->nonce, 1, r->out->nonce_sha256, r->err)) {
        return false;
    }
    r->has_nonce = r->out->has_nonce = true;
    if (!r->in->consume(r->in->consume_ctx, r->nonce, r->in->now * 1000 + (int64_t)r->in->now_ms, &found, &why)) {
        return fail_as(r, &why, ATLS_E_ENROL_STORE, "store");
    }
    const atls_code code = found == ATLS_CONSUMED_EXPIRED ? ATLS_E_ENROL_CHALLENGE_EXPIRED
                           : found == ATLS_CONSUMED_USED  ? ATLS_E_ENROL_CHALLENGE_USED
                                                          : ATLS_E_ENROL_CHALLENGE_UNKNOWN;
    return found == ATLS_CONSUMED_FRESH || atls_fail(r->err, code, "csr.subject", NULL);
}

/* A statement of a kind that nobody knows was found all the same: it is the appraisal that cannot be made. */
static bool extract_statement(request *r)
{
    atls_bytes text;
    r->out->step = ATLS_ENROL_STEP_STATEMENT;
    if (!atls_enrol_csr_statement(&r->csr, r->e->proof_oid, &text, r->err)) {
        return false;
    }
    r->has_statement = atls_enrol_statement_read(text, r->arena, &r->statement, r->err);
    if (r->err->code == ATLS_E_UNSUPPORTED) {
        r->out->step = ATLS_ENROL_STEP_APPRAISE;
    }
    return r->has_statement;
}

/* ---- steps 5 to 7 ---- */

static bool appraise(void *ctx, atls_platform platform, const atls_appraisal *in, atls_arena *arena, atls_result *out,
                     atls_error *err)
{
    request *r = ctx;
    atls_appraisal own = *in;
    const atls_verifier *v = platform == ATLS_PLATFORM_ANDROID ? r->e->android : r->e->apple;
    r->list = (atls_enrol_list_source){
        .endorse = r->e->endorse,
        .ctx = r->e->endorse_ctx,
        .statement = &r->statement,
        .match_decimal = !atls_verifier_policy(v)->android.ignore_decimal_serials,
    };
    if (platform == ATLS_PLATFORM_ANDROID) {
        own.endorse = atls_enrol_list_endorse;
        own.endorse_ctx = &r->list;
    }
    if (r->in->record == ATLS_RECORD_NEVER || !atls_recorder_new(arena, &r->recorder, &r->recorder_why)) {
        return atls_verifier_appraise(v, &own, arena, out, err);
    }
    return atls_recorder_appraise(r->recorder, v, &own, arena, out, err);
}

static bool hash_key(request *r)
{
    r->out->has_key = atls_digest(r->e->crypto, ATLS_SHA256, &r->judgement.spki, 1, r->out->key_sha256, r->err);
    return r->out->has_key;
}

static bool judge(request *r)
{
    const atls_enrol_judge j = {
        .has_android = r->e->android != NULL,
        .has_apple = r->e->apple != NULL,
        .appraise = appraise,
        .ctx = r,
        .nonce = r->nonce,
        .now = r->in->now,
        .now_ms = r->in->now_ms,
        .offset_s = r->e->offset_s,
    };
    const bool is_android = r->statement.kind == ATLS_ENROL_ANDROID_KEY;
    memcpy(r->out->policy_sha256, is_android ? r->e->android_sha256 : r->e->apple_sha256, 32);
    bool ok = atls_enrol_judge_statement(&j, &r->statement, r->arena, &r->judgement, r->err);
    r->out->platform = r->judgement.platform;
    memcpy(r->out->list_sha256, r->list.seen.sha256, sizeof r->out->list_sha256);
    if (ok) {
        r->out->app = r->judgement.app;
        r->out->security_level = r->judgement.security_level;
        ok = hash_key(r) && atls_enrol_judge_request(&r->csr, &r->judgement, r->err);
    }
    r->out->step = r->judgement.step;
    return ok;
}

/* ---- the debug statement ---- */

/* Of failures in steps 5 to 7, where one is wanted, and of whatever passed them, where all are. */
static bool wants_record(const request *r)
{
    const bool is_judged = r->out->step >= ATLS_ENROL_STEP_APPRAISE && r->out->step != ATLS_ENROL_STEP_ISSUE;
    return is_judged
           && (r->in->record == ATLS_RECORD_ALWAYS
               || (r->in->record == ATLS_RECORD_ON_FAILURE && r->err->code != ATLS_OK));
}

/* A record that cannot be made is a pity, and changes nothing: what it took of the arena is given back. */
static void record(request *r)
{
    if (!wants_record(r)) {
        return;
    }
    const atls_enrol_debug d = {
        .android = r->e->android == NULL ? NULL : atls_verifier_policy(r->e->android),
        .apple = r->e->apple == NULL ? NULL : atls_verifier_policy(r->e->apple),
        .statement = r->has_statement ? &r->statement : NULL,
        .csr = r->csr.der,
        .proof_oid = r->e->proof_text,
        .nonce = r->nonce,
        .now = r->in->now,
        .now_ms = r->in->now_ms,
        .offset_s = r->e->offset_s,
        .list = r->list.seen.is_there ? &r->list.seen : NULL,
        .recorder = r->recorder,
        .judgement = &r->judgement,
        .error = r->err,
        .crypto = r->e->crypto,
    };
    const size_t mark = r->arena->used;
    r->out->record_error = r->recorder_why;
    if (r->out->record_error.code != ATLS_OK
        || !atls_enrol_debug_write(&d, r->arena, &r->out->record, &r->out->record_error)) {
        r->out->record = atls_bytes_empty();
        atls_wipe(r->arena->base + mark, r->arena->used - mark);
        r->arena->used = mark;
    }
}

/* ---- step 8 ---- */

static void fill_grant(request *r)
{
    /* the appraisal saw a shortened list: the result names the one that it was made of */
    if (r->list.seen.is_there) {
        memcpy(r->judgement.result.claims.android.status_sha256, r->list.seen.sha256, sizeof r->list.seen.sha256);
    }
    r->grant = (atls_enrol_grant){
        .result = &r->judgement.result,
        .platform = r->judgement.platform,
        .app = r->judgement.app,
        .security_level = r->judgement.security_level,
        .spki = r->judgement.spki,
        .csr = &r->csr,
        .nonce_sha256 = r->out->nonce_sha256,
        .policy_sha256 = r->out->policy_sha256,
        .now = r->in->now,
    };
}

/* Whoever issues may be mistaken: the certificate is for the attested key, in the very bytes that were compared in step 6. */
static bool check_issued(request *r)
{
    static const char field[] = "issuer.certificate";
    atls_error why = {0};
    atls_cert *leaf = atls_arena_alloc(r->arena, sizeof *leaf, r->err);
    if (leaf == NULL) {
        return false;
    }
    if (!atls_cert_decode(r->out->chain[0], "certificate", leaf, &why)) {
        return atls_fail(r->err, ATLS_E_ENROL_ISSUE, field, "it cannot be read: %s: %s", why.field, why.message);
    }
    return atls_bytes_equal(leaf->spki, r->judgement.spki)
           || atls_fail(r->err, ATLS_E_ENROL_ISSUE, field, "it is for another key than the attested one");
}

static bool issue(request *r)
{
    atls_error why = {0};
    size_t n = 0;
    r->out->step = ATLS_ENROL_STEP_ISSUE;
    fill_grant(r);
    if (!r->in->issue(r->in->issue_ctx, &r->grant, r->arena, r->out->chain, &n, &why)) {
        return fail_as(r, &why, ATLS_E_ENROL_ISSUE, "issuer");
    }
    bool is_whole = n > 0 && n <= ATLS_ENROL_MAX_CERTIFICATES;
    for (size_t i = 0; is_whole && i < n; i++) {
        is_whole = r->out->chain[i].ptr != NULL && r->out->chain[i].len > 0;
    }
    if (!is_whole) {
        return atls_fail(r->err, ATLS_E_ENROL_ISSUE, "issuer", "the chain of the issued certificate is not whole");
    }
    if (!check_issued(r)) {
        return false;
    }
    r->out->n_chain = n;
    r->out->step = ATLS_ENROL_STEP_DONE;
    return true;
}

/* ---- whoever looks on ---- */

/* A text that repeats a piece of the debug statement, 48 bytes in a row, would hand it to the client. Such a piece has, wherever it
 * begins, a whole one of the text's windows, which are half as long: one walk over the statement looks for their first bytes. */
#define SHARED_RUN    ((size_t)48)
#define SHARED_WINDOW (SHARED_RUN / 2)

static size_t run_around(atls_bytes a, size_t at, atls_bytes b, size_t i)
{
    size_t before = 0;
    size_t n = 0;
    while (before < at && before < i && a.ptr[at - before - 1] == b.ptr[i - before - 1] && before < SHARED_RUN) {
        before++;
    }
    while (at + n < a.len && i + n < b.len && a.ptr[at + n] == b.ptr[i + n] && n < SHARED_RUN) {
        n++;
    }
    return before + n;
}

static bool repeats(atls_bytes text, atls_bytes record)
{
    uint8_t first[1u << 13] = {0}; /* a bit for each pair of bytes that a window begins with */
    for (size_t at = 0; at + SHARED_WINDOW <= text.len; at += SHARED_WINDOW) {
        const unsigned pair = (unsigned)text.ptr[at] << 8 | text.ptr[at + 1];
        first[pair >> 3] = (uint8_t)(first[pair >> 3] | 1u << (pair & 7));
    }
    for (size_t i = 0; i + SHARED_WINDOW <= record.len; i++) {
        const unsigned pair = (unsigned)record.ptr[i] << 8 | record.ptr[i + 1];
        const bool is_first = ((unsigned)first[pair >> 3] >> (pair & 7) & 1u) != 0;
        for (size_t at = 0; is_first && at + SHARED_WINDOW <= text.len; at += SHARED_WINDOW) {
            if (memcmp(record.ptr + i, text.ptr + at, SHARED_WINDOW) == 0
                && run_around(text, at, record, i) >= SHARED_RUN) {
                return true;
            }
        }
    }
    return false;
}

/* What an observer wrote, if it can be used. True: *out is it, empty when nothing was written. */
static bool usable(const char *text, size_t size, atls_bytes record, atls_bytes *out)
{
    const char *end = memchr(text, '\0', size);
    *out = atls_bytes_of(text, end == NULL ? 0 : (size_t)(end - text));
    return end != NULL && atls_utf8_valid(*out) && !repeats(*out, record);
}

/* Observers get copies, which are not const: whatever they write into them is lost, and no more. */
static bool tell_failure(request *r, const atls_enrol_words *w, char *text, size_t size, atls_bytes *said)
{
    const atls_enrol_observers *o = r->in->observers;
    atls_error error = *r->err;
    atls_enrol_csr csr = r->csr;
    atls_enrol_failure failure = {
        .step = r->out->step,
        .class_name = w->class_name,
        .reason = w->reason,
        .kind = w->kind,
        .platform = r->out->platform,
        .error = &error,
        .nonce = r->has_nonce ? r->nonce : atls_bytes_empty(),
        .csr = r->has_csr ? &csr : NULL,
        .record = r->out->record,
    };
    *said = atls_bytes_empty();
    const atls_enrol_failed_fn fn = o == NULL                          ? NULL
                                    : atls_enrol_is_pre_attestation(w) ? o->pre_attestation_error
                                                                       : o->attestation_error;
    if (fn == NULL) {
        return true;
    }
    memset(text, 0, size);
    if (fn(o->ctx, &failure, text, size) && usable(text, size, r->out->record, said)) {
        return true;
    }
    *said = atls_bytes_empty();
    r->out->observer_faults++;
    return false;
}

static void tell_success(request *r)
{
    const atls_enrol_observers *o = r->in->observers;
    atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES];
    if (o == NULL || o->attestation_success == NULL) {
        return;
    }
    atls_enrol_grant grant = r->grant;
    memcpy(chain, r->out->chain, sizeof chain);
    if (!o->attestation_success(o->ctx, &grant, chain, r->out->n_chain)) {
        r->out->observer_faults++;
    }
}

/* ---- the answer ---- */

static bool answer_failure(request *r, atls_error *err)
{
    char text[ATLS_ENROL_MAX_EXPLANATION_LEN + 1];
    char code[ATLS_ENROL_CODE_SIZE] = "";
    atls_bytes said;
    const atls_enrol_words w = atls_enrol_words_of(r->out->step, r->err);
    r->out->class_name = w.class_name;
    r->out->reason = w.reason;
    r->out->kind = w.kind;
    r->out->n_chain = 0;
    const bool is_sound = tell_failure(r, &w, text, sizeof text, &said);
    if (is_sound && said.len == 0 && !r->e->hide_codes) {
        atls_enrol_explanation(r->err, code);
        said = atls_bytes_str(code);
    }
    const atls_enrol_response response = {
        .kind = w.kind,
        .has_explanation = said.len > 0,
        .explanation = said,
    };
    return atls_enrol_response_write(&response, r->arena, &r->out->response, err);
}

static bool answer_success(request *r, atls_error *err)
{
    atls_enrol_response response = {.is_success = true, .n_chain = r->out->n_chain, .explanation = atls_bytes_empty()};
    memcpy(response.chain, r->out->chain, sizeof response.chain);
    if (!atls_enrol_response_write(&response, r->arena, &r->out->response, err)) {
        return false;
    }
    r->out->is_success = true;
    tell_success(r);
    return true;
}

/* ---- the order ---- */

static bool run_steps(request *r)
{
    const bool is_judged = decode(r) && extract_nonce(r) && consume(r) && extract_statement(r) && judge(r);
    if (!is_judged && r->err->code == ATLS_OK) {
        (void)atls_fail(r->err, ATLS_E_INTERNAL, "enrol", "a step failed, and nobody said why");
    }
    record(r);
    return is_judged && r->err->code == ATLS_OK && issue(r);
}

static bool makes_sense(const atls_enroller *e, const atls_enrol_request *in, atls_error *err)
{
    if (err->code != ATLS_OK) {
        return false;
    }
    if (e == NULL || in->consume == NULL || in->issue == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "request", "an enroller, a store and an issuer are needed");
    }
    if (in->now <= ATLS_TIME_UNSET || in->now > INT64_MAX / 2000 || in->now_ms > 999) {
        return atls_fail(err, ATLS_E_USAGE, "now", "a time with 0 to 999 milliseconds is needed");
    }
    return (unsigned)in->record <= ATLS_RECORD_ALWAYS
           || atls_fail(err, ATLS_E_USAGE, "record", "no such choice of debug statements");
}

bool atls_enroller_run(const atls_enroller *e, const atls_enrol_request *in, atls_arena *arena, atls_enrol_outcome *out,
                       atls_error *err)
{
    request r = {.e = e, .in = in, .arena = arena, .out = out, .err = &out->error};
    *out = (atls_enrol_outcome){.class_name = "", .reason = "", .security_level = ""};
    out->app = out->response = out->record = r.nonce = atls_bytes_empty();
    atls_enrol_judgement_init(&r.judgement);
    if (!makes_sense(e, in, err)) {
        return false;
    }
    const bool ok = run_steps(&r);
    if (ok ? answer_success(&r, err) : answer_failure(&r, err)) {
        return true;
    }
    out->is_success = false;
    out->response = atls_bytes_empty();
    return false;
}
