/* SPDX-License-Identifier: Apache-2.0 */
/* forecast.c: the real appraisal, at the dates that could matter, until one refuses.
 *
 *   now        what does the verifier say, and by an early set of endorsements?
 *   gather     the dates of what was used (forecast_dates.c), and the end of the grace period
 *   walk       appraise at each date after now and one second later, and ten years from now: dates that nobody found
 *   narrow     between the last yes and the first no lies the first second of refusal */
#include <string.h>

#include "base/text.h"
#include "evidence/android/android.h"
#include "evidence/dcap/dcap.h"
#include "forecast.h"
#include "verifier.h"

#define HORIZON_S ((atls_time)10 * 366 * 24 * 60 * 60)
/* years up to 9999 are all that a time may have (time.h) */
#define LATEST ((atls_time)253402300799)

typedef struct forecast {
    const atls_forecast_question *q;
    atls_verifier *v;
    atls_arena *arena;  /* what stays */
    atls_arena scratch; /* one appraisal */
    forecast_source now;
    forecast_source early;
    forecast_dates dates;
    atls_forecast *out;
    atls_error *err;
} forecast;

/* ---- endorsements, asked for once ---- */

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static bool is_same_request(const atls_endorsement_request *a, const atls_endorsement_request *b)
{
    const atls_sev_snp_request *x = &a->sev_snp;
    const atls_sev_snp_request *y = &b->sev_snp;
    return a->platform == b->platform && a->is_tdx == b->is_tdx && memcmp(a->fmspc, b->fmspc, sizeof a->fmspc) == 0
           && is_same_text(a->pck_ca, b->pck_ca) && a->needs_pck_chain == b->needs_pck_chain
           && is_same_text(x->product, y->product) && x->is_vlek == y->is_vlek && x->needs_leaf == y->needs_leaf
           && x->needs_chain == y->needs_chain && is_same_text(x->chip_id, y->chip_id) && is_same_text(x->tcb, y->tcb)
           && memcmp(x->reported_tcb, y->reported_tcb, sizeof x->reported_tcb) == 0;
}

static bool keep_text(const char **text, atls_arena *a, atls_error *err)
{
    *text = atls_text_copy(atls_bytes_str(*text), a, err);
    return *text != NULL;
}

/* Requests live in the arena of one appraisal. */
static bool keep_request(const atls_endorsement_request *in, atls_arena *a, atls_endorsement_request *out,
                         atls_error *err)
{
    *out = *in;
    return keep_text(&out->pck_ca, a, err) && keep_text(&out->sev_snp.product, a, err)
           && keep_text(&out->sev_snp.chip_id, a, err) && keep_text(&out->sev_snp.tcb, a, err);
}

static bool answer(const forecast_answer *a, atls_endorsements *out, atls_error *err)
{
    *out = a->endorsements;
    if (!a->found) {
        *err = a->error;
    }
    return a->found;
}

static bool ask(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                atls_error *err)
{
    forecast_source *s = ctx;
    (void)arena;
    for (size_t i = 0; i < s->n; i++) {
        if (is_same_request(&s->answers[i].request, request)) {
            return answer(&s->answers[i], out, err);
        }
    }
    if (s->n == FORECAST_MAX_ANSWERS) {
        return atls_fail(err, ATLS_E_LIMIT, "endorsements", "more than %u different requests", FORECAST_MAX_ANSWERS);
    }
    forecast_answer *a = &s->answers[s->n];
    *a = (forecast_answer){.found = false};
    if (!keep_request(request, s->arena, &a->request, err)) {
        return false;
    }
    a->found = s->endorse != NULL && s->endorse(s->ctx, &a->request, s->arena, &a->endorsements, &a->error);
    if (!a->found && a->error.code == ATLS_OK) {
        (void)atls_fail(&a->error, ATLS_E_ENDORSEMENTS_MISSING, "endorsements", "none were given");
    }
    s->n++;
    return answer(a, out, err);
}

/* ---- one appraisal ---- */

static bool appraise(forecast *f, forecast_source *source, atls_time at, atls_result *r, atls_error *why)
{
    atls_appraisal in = f->q->appraisal;
    in.now = at;
    in.endorse = ask;
    in.endorse_ctx = source;
    atls_arena_reset(&f->scratch);
    atls_error_clear(why);
    f->out->n_appraisals++;
    return atls_verifier_appraise(f->v, &in, &f->scratch, r, why);
}

/* Running out of memory says nothing about the evidence. */
static bool is_ours(const atls_error *why)
{
    return why->code == ATLS_E_MEMORY || why->code == ATLS_E_INTERNAL || why->code == ATLS_E_USAGE;
}

/* ---- what TCB this is ---- */

/* The verifier that judges quotes, of a policy of several kinds the first. */
static const atls_verifier *dcap_verifier(const atls_verifier *v)
{
    if (v->format == dcap_format()) {
        return v;
    }
    for (size_t i = 0; i < v->n_alternatives; i++) {
        if (v->alternatives[i]->format == dcap_format()) {
            return v->alternatives[i];
        }
    }
    return NULL;
}

/* Levels come last in authenticate: who is refused for them, or later, is genuine. */
static bool is_authentic(verify_stage stage, bool accepted, const atls_error *why)
{
    return accepted || stage >= VERIFY_JUDGE || why->code == ATLS_E_TCB_NOT_SUPPORTED
           || why->code == ATLS_E_TCB_REVOKED;
}

static const forecast_answer *dcap_answer(const forecast_source *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const atls_platform p = s->answers[i].request.platform;
        if (s->answers[i].found && (p == ATLS_PLATFORM_TDX || p == ATLS_PLATFORM_SGX)) {
            return &s->answers[i];
        }
    }
    return NULL;
}

static bool look_at_tcb(forecast *f, forecast_source *source, atls_forecast_verdict *out)
{
    const atls_verifier *v = dcap_verifier(f->v);
    const void *evidence;
    atls_result r;
    atls_error why = {.code = ATLS_OK};
    verify_stage stage = VERIFY_BEGIN;
    if (v == NULL) {
        return true;
    }
    atls_appraisal in = f->q->appraisal;
    in.endorse = ask;
    in.endorse_ctx = source;
    atls_arena_reset(&f->scratch);
    f->out->n_appraisals++;
    const bool accepted = atls_verify_one(v, &in, &f->scratch, &r, &stage, &why);
    const forecast_answer *a = dcap_answer(source);
    if (!is_authentic(stage, accepted, &why) || a == NULL) {
        return true;
    }
    /* what is decoded stays, because components are named in it */
    return v->format->decode(in.evidence, f->arena, &evidence, f->err)
           && dcap_outlook(evidence, &a->endorsements.dcap, f->arena, out, f->err);
}

static bool judge(forecast *f, forecast_source *source, atls_forecast_verdict *out)
{
    atls_result r;
    atls_error why = {.code = ATLS_OK};
    *out = (atls_forecast_verdict){.accepted = appraise(f, source, f->q->appraisal.now, &r, &why)};
    out->error = why;
    if (!out->accepted && is_ours(&why)) {
        *f->err = why;
        return false;
    }
    return look_at_tcb(f, source, out);
}

/* ---- the grace period ---- */

static bool is_out_of_date(atls_tcb_status s)
{
    return s == ATLS_TCB_OUT_OF_DATE || s == ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

/* A status list that is stale is used for as long as the policy lets it be; of several policies nobody says which. */
static bool note_stale(forecast *f)
{
    const atls_android_policy *p = &f->v->policy->android;
    atls_result r;
    atls_error why = {.code = ATLS_OK};
    if (!f->out->now.accepted || f->v->format != android_format()
        || !appraise(f, &f->now, f->q->appraisal.now, &r, &why) || r.claims.android.status_expires == ATLS_TIME_UNSET) {
        return true;
    }
    const atls_time more = p->has_max_stale ? (atls_time)p->max_stale_s : (atls_time)ATLS_ANDROID_DEFAULT_MAX_STALE_S;
    return atls_forecast_note(&f->dates, r.claims.android.status_expires + more,
                              "end of what the policy lets a stale status list be used for", false, f->err);
}

static bool note_grace(forecast *f)
{
    const atls_verifier *v = dcap_verifier(f->v);
    atls_result r;
    atls_error why = {.code = ATLS_OK};
    if (v == NULL || !v->policy->has_grace_period || !f->out->now.accepted
        || !appraise(f, &f->now, f->q->appraisal.now, &r, &why)) {
        return true;
    }
    const atls_tcb *tcb = &r.claims.dcap.tcb;
    const int64_t grace = v->policy->grace_period_s;
    if (!is_out_of_date(tcb->status) || grace < 0 || tcb->date > LATEST - grace) {
        return true;
    }
    return atls_forecast_note(&f->dates, tcb->date + grace, "end of the policy's grace period for the TCB level", false,
                              f->err);
}

/* ---- walk and narrow ---- */

typedef struct probe {
    atls_time yes; /* the last second that is known to be accepted */
    atls_time no;  /* a second that is known to be refused */
} probe;

/* False when the question cannot be answered; *refused otherwise. */
static bool try_at(forecast *f, atls_time at, bool *refused)
{
    atls_result r;
    atls_error why = {.code = ATLS_OK};
    *refused = !appraise(f, &f->now, at, &r, &why);
    if (*refused && is_ours(&why)) {
        *f->err = why;
        return false;
    }
    if (*refused) {
        f->out->failure = why;
    }
    return true;
}

static bool step(forecast *f, atls_time at, probe *p, bool *found)
{
    if (*found || at <= p->yes || at > LATEST) {
        return true;
    }
    if (!try_at(f, at, found)) {
        return false;
    }
    *(*found ? &p->no : &p->yes) = at;
    return true;
}

static bool walk(forecast *f, probe *p, bool *found)
{
    atls_time last = p->yes + HORIZON_S;
    for (size_t i = 0; i < f->dates.n; i++) {
        const atls_time date = f->dates.items[i].time;
        last = date + 1 > last ? date + 1 : last;
        if (!step(f, date, p, found) || !step(f, date + 1, p, found)) {
            return false;
        }
    }
    return step(f, last > LATEST ? LATEST : last, p, found);
}

static bool narrow(forecast *f, probe *p)
{
    while (p->no - p->yes > 1) {
        const atls_time middle = p->yes + (p->no - p->yes) / 2;
        bool refused;
        if (!try_at(f, middle, &refused)) {
            return false;
        }
        *(refused ? &p->no : &p->yes) = middle;
    }
    bool refused; /* once more, so that the error is of that second */
    return try_at(f, p->no, &refused);
}

static bool look_ahead(forecast *f)
{
    atls_forecast *out = f->out;
    probe p = {.yes = f->q->appraisal.now};
    if (!out->now.accepted) {
        out->fails = true;
        out->first_failure = f->q->appraisal.now;
        out->failure = out->now.error;
        return true;
    }
    if (!walk(f, &p, &out->fails) || (out->fails && !narrow(f, &p))) {
        return false;
    }
    out->first_failure = out->fails ? p.no : ATLS_TIME_UNSET;
    for (size_t i = 0; out->fails && i < f->dates.n; i++) {
        if (f->dates.items[i].time == p.no - 1) {
            out->because = f->dates.items[i].what;
        }
    }
    return true;
}

/* What only a live session can show is no matter of dates. It is left out where there was none, and that is said. */
static void leave_out(atls_verifier *v, atls_forecast *out)
{
    v->looks_ahead = true;
    if (v->policy->has_min_grade && (!out->leaves_out_grade || v->policy->min_grade > out->min_grade)) {
        out->leaves_out_grade = true;
        out->min_grade = v->policy->min_grade;
    }
    for (size_t i = 0; i < v->n_alternatives; i++) {
        leave_out(v->alternatives[i], out);
    }
}

static bool run(forecast *f)
{
    atls_forecast *out = f->out;
    if (!judge(f, &f->now, &out->now)) {
        return false;
    }
    out->has_early = f->q->early != NULL;
    if (out->has_early && !judge(f, &f->early, &out->early)) {
        return false;
    }
    if (!atls_forecast_gather(&f->now, f->q->appraisal.evidence, f->arena, &f->dates, f->err) || !note_grace(f)
        || !note_stale(f) || !look_ahead(f)) {
        return false;
    }
    out->dates = f->dates.items;
    out->n_dates = f->dates.n;
    return true;
}

/* The block of the appraisals is not zeroed here: each of them does that for what it takes. */
static bool split(atls_arena *arena, atls_arena *scratch, atls_error *err)
{
    const size_t size = (arena->size - arena->used) / 3 * 2;
    void *block = atls_arena_raw(arena, size, err);
    if (block == NULL) {
        return false;
    }
    atls_arena_init(scratch, block, size);
    return true;
}

bool atls_forecast_make(const atls_forecast_question *question, atls_arena *arena, atls_forecast *out, atls_error *err)
{
    const atls_verifier_options no_cache = {.no_cache = true};
    *out = (atls_forecast){.because = ""};
    if (question->appraisal.now <= ATLS_TIME_UNSET || question->appraisal.now > LATEST) {
        return atls_fail(err, ATLS_E_USAGE, "now", "the time to look ahead from is not set");
    }
    forecast f = {
        .q = question,
        .arena = arena,
        .now = {.endorse = question->appraisal.endorse, .ctx = question->appraisal.endorse_ctx, .arena = arena},
        .early = {.endorse = question->early, .ctx = question->early_ctx, .arena = arena},
        .out = out,
        .err = err,
    };
    if (!split(arena, &f.scratch, err) || !atls_verifier_new_with_options(question->policy, &no_cache, &f.v, err)) {
        return false;
    }
    if (question->appraisal.binding.grade == ATLS_GRADE_NONE) {
        leave_out(f.v, out);
    }
    const bool ok = run(&f);
    atls_verifier_free(f.v);
    atls_arena_reset(&f.scratch);
    return ok;
}
