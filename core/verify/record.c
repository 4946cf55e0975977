/* SPDX-License-Identifier: Apache-2.0 */
/* record.c: the recorder: a verifier's appraisal, with somebody listening at the callbacks.
 *
 * Whatever could make two appraisals differ goes through `in` and the callbacks, because the core is a function of its
 * arguments. So the recorder needs to know no kind of evidence, and evidence inside evidence is recorded by itself. */
#include "record.h"

#include <string.h>

#include "atls/android.h"
#include "verifier.h"

typedef struct answer {
    atls_bytes question; /* JSON */
    bool found;
    atls_error error;
    atls_endorsements endorsements; /* only if found, without an error */
    const char *label;              /* of a word on a key */
} answer;

typedef struct answers {
    answer *items;
    size_t n;
} answers;

struct atls_recorder {
    atls_arena *arena;
    const atls_verifier *v;
    atls_appraisal in; /* as the caller had it */
    const atls_result *out;
    bool is_accepted;
    atls_error verdict; /* of the appraisal */
    atls_error session; /* beyond it */
    atls_error why;     /* the first thing that keeps this recording from being one */
    answers endorsements;
    answers keys;
};

bool atls_recorder_new(atls_arena *arena, atls_recorder **out, atls_error *err)
{
    atls_recorder *r = atls_arena_alloc(arena, sizeof *r, err);
    *out = r;
    if (r == NULL) {
        return false;
    }
    r->arena = arena;
    return true;
}

/* ---- at the callbacks ---- */

/* A place for one more answer; NULL when the recording has failed, which is no business of the appraisal. */
static answer *next(atls_recorder *r, answers *list)
{
    if (r->why.code != ATLS_OK) {
        return NULL;
    }
    if (list->items == NULL) {
        list->items = atls_arena_array(r->arena, ATLS_MAX_RECORD_ANSWERS, sizeof *list->items, &r->why);
    }
    if (list->items != NULL && list->n == ATLS_MAX_RECORD_ANSWERS) {
        (void)atls_fail(&r->why, ATLS_E_LIMIT, "record.answers", "the callbacks were asked too often");
    }
    return r->why.code == ATLS_OK ? &list->items[list->n++] : NULL;
}

static bool listen_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                           atls_endorsements *out, atls_error *err)
{
    atls_recorder *r = ctx;
    answer *a = next(r, &r->endorsements);
    if (a != NULL && !atls_record_question(request, r->arena, &a->question, &r->why)) {
        a = NULL;
    }
    const bool found = r->in.endorse(r->in.endorse_ctx, request, arena, out, err);
    if (a != NULL) {
        a->found = found;
        a->error = *err;
        a->endorsements = found && err->code == ATLS_OK ? *out : (atls_endorsements){0};
    }
    return found;
}

static bool listen_key(void *ctx, const atls_key_question *question, atls_arena *arena, const char **label,
                       atls_error *err)
{
    atls_recorder *r = ctx;
    answer *a = next(r, &r->keys);
    if (a != NULL && !atls_record_key_question(question, r->arena, &a->question, &r->why)) {
        a = NULL;
    }
    const bool found = r->in.trust_key(r->in.trust_key_ctx, question, arena, label, err);
    if (a != NULL) {
        a->found = found;
        a->error = *err;
        a->label = found && err->code == ATLS_OK ? *label : NULL;
    }
    return found;
}

bool atls_recorder_appraise(atls_recorder *r, const atls_verifier *v, const atls_appraisal *in, atls_arena *arena,
                            atls_result *out, atls_error *err)
{
    atls_appraisal heard = *in;
    if (r->v != NULL || err->code != ATLS_OK) {
        (void)atls_fail(&r->why, ATLS_E_USAGE, "record", "one recorder is for one appraisal, with an empty error");
    }
    r->v = v;
    r->in = *in;
    r->out = out;
    if (in->endorse != NULL) {
        heard.endorse = listen_endorse;
        heard.endorse_ctx = r;
    }
    if (in->trust_key != NULL) {
        heard.trust_key = listen_key;
        heard.trust_key_ctx = r;
    }
    r->is_accepted = atls_verifier_appraise(v, &heard, arena, out, err);
    r->verdict = *err;
    return r->is_accepted;
}

void atls_recorder_note(atls_recorder *r, const atls_error *why)
{
    if (why != NULL && r->session.code == ATLS_OK) {
        r->session = *why;
    }
}

/* ---- writing ---- */

static void put_dcap(atls_box *b, size_t i, const atls_dcap_collateral *c)
{
    for (size_t k = 0; k < ATLS_N_RECORD_PIECES; k++) {
        atls_bytes piece;
        memcpy(&piece, (const uint8_t *)c + atls_record_pieces[k].offset, sizeof piece);
        if (piece.len > 0) {
            atls_box_bytes(b, atls_box_name(b, "endorse", i, atls_record_pieces[k].name), piece);
        }
    }
}

/* A compiled list is written as the text that it was made of (can_be_written), which says the same. */
static void put_status(atls_box *b, size_t i, const atls_android_status *s)
{
    if (s->list.len > 0) {
        atls_box_bytes(b, atls_box_name(b, "endorse", i, "android.list"), s->list);
    }
    if (s->fetched != ATLS_TIME_UNSET) {
        atls_box_number(b, atls_box_name(b, "endorse", i, "android.fetched"), (uint64_t)s->fetched);
    }
    if (s->expires != ATLS_TIME_UNSET) {
        atls_box_number(b, atls_box_name(b, "endorse", i, "android.expires"), (uint64_t)s->expires);
    }
}

static void put_endorsements(atls_box *b, size_t i, const atls_endorsements *e)
{
    if (e->platform != ATLS_PLATFORM_NONE) {
        atls_box_text(b, atls_box_name(b, "endorse", i, "platform"), atls_bytes_str(atls_platform_name(e->platform)));
    }
    put_dcap(b, i, &e->dcap);
    if (e->pile.n_certificates > 0) {
        atls_box_list(b, atls_box_name(b, "endorse", i, "certificates"), e->pile.certificates, e->pile.n_certificates);
    }
    if (e->pile.n_crls > 0) {
        atls_box_list(b, atls_box_name(b, "endorse", i, "crls"), e->pile.crls, e->pile.n_crls);
    }
    put_status(b, i, &e->android);
    if (e->stapled != 0) {
        atls_box_number(b, atls_box_name(b, "endorse", i, "stapled"), e->stapled);
    }
    if (e->insecure_older) {
        atls_box_flag(b, atls_box_name(b, "endorse", i, "insecure_older"), true);
    }
}

static bool same_list(const atls_bytes *a, size_t m, const atls_bytes *b, size_t n)
{
    for (size_t i = 0; m == n && i < n; i++) {
        if (!atls_bytes_equal(a[i], b[i])) {
            return false;
        }
    }
    return m == n;
}

static bool same_status(const atls_android_status *x, const atls_android_status *y)
{
    return atls_bytes_equal(x->list, y->list) && x->fetched == y->fetched && x->expires == y->expires;
}

static bool same_endorsements(const atls_endorsements *x, const atls_endorsements *y)
{
    for (size_t k = 0; k < ATLS_N_RECORD_PIECES; k++) {
        atls_bytes a;
        atls_bytes b;
        memcpy(&a, (const uint8_t *)&x->dcap + atls_record_pieces[k].offset, sizeof a);
        memcpy(&b, (const uint8_t *)&y->dcap + atls_record_pieces[k].offset, sizeof b);
        if (!atls_bytes_equal(a, b)) {
            return false;
        }
    }
    return x->platform == y->platform && x->stapled == y->stapled && x->insecure_older == y->insecure_older
           && same_status(&x->android, &y->android)
           && same_list(x->pile.certificates, x->pile.n_certificates, y->pile.certificates, y->pile.n_certificates)
           && same_list(x->pile.crls, x->pile.n_crls, y->pile.crls, y->pile.n_crls);
}

/* The alternatives of any_of ask the same over and over: what was answered is written once. */
static size_t first_like(const answers *list, size_t i)
{
    size_t k = 0;
    while (k < i
           && !(list->items[k].found && list->items[k].error.code == ATLS_OK
                && same_endorsements(&list->items[k].endorsements, &list->items[i].endorsements))) {
        k++;
    }
    return k;
}

static void put_answer(atls_box *b, const char *group, size_t i, const answer *a)
{
    atls_box_text(b, atls_box_name(b, group, i, "question"), a->question);
    atls_box_flag(b, atls_box_name(b, group, i, "found"), a->found);
    if (a->error.code != ATLS_OK) {
        atls_record_put_error(b, atls_box_name(b, group, i, "error"), &a->error);
    }
}

static void put_answers(atls_box *b, const atls_recorder *r)
{
    for (size_t i = 0; i < r->endorsements.n; i++) {
        const answer *a = &r->endorsements.items[i];
        put_answer(b, "endorse", i, a);
        if (!a->found || a->error.code != ATLS_OK) {
            continue;
        }
        const size_t first = first_like(&r->endorsements, i);
        if (first < i) {
            atls_box_number(b, atls_box_name(b, "endorse", i, "same_as"), first);
        } else {
            put_endorsements(b, i, &a->endorsements);
        }
    }
    for (size_t i = 0; i < r->keys.n; i++) {
        const answer *a = &r->keys.items[i];
        put_answer(b, "trust_key", i, a);
        if (a->label != NULL) {
            atls_box_bytes(b, atls_box_name(b, "trust_key", i, "label"), atls_bytes_str(a->label));
        }
    }
}

static void put_binding(atls_box *b, const atls_binding *binding)
{
    atls_box_text(b, "binding.grade", atls_bytes_str(atls_grade_name(binding->grade)));
    atls_box_bytes(b, "binding.profile", atls_bytes_str(binding->profile));
    atls_box_bytes(b, "binding.value", atls_bytes_of(binding->value, sizeof binding->value));
    atls_box_number(b, "binding.value_len", binding->value_len);
    if (binding->challenge.len > 0) {
        atls_box_bytes(b, "binding.challenge", binding->challenge);
    }
    if (binding->has_leaf_sha256) {
        atls_box_bytes(b, "binding.leaf_sha256", atls_bytes_of(binding->leaf_sha256, sizeof binding->leaf_sha256));
    }
}

static void put_time(atls_box *b, const atls_appraisal *in)
{
    atls_box_number(b, "at", (uint64_t)in->now);
    if (in->now_ms != 0) {
        atls_box_number(b, "at_ms", in->now_ms);
    }
    if (in->offset_s != 0) {
        atls_box_number(b, "offset_s", (uint64_t)in->offset_s);
    }
}

static void put_policy(atls_box *b, const atls_policy *p)
{
    atls_box_text(b, "policy", p->source);
    if (p->n_source_roots > 0) {
        atls_box_list(b, "policy.roots", p->source_roots, p->n_source_roots);
    }
}

static bool put_versions(atls_box *b)
{
    const char *crypto = atls_crypto_version(b->arena, b->err);
    if (crypto != NULL) {
        atls_box_text(b, "crypto", atls_bytes_str(crypto));
    }
    return crypto != NULL;
}

/* What callers choose may be longer than a reader takes. */
static bool has_short_texts(const atls_recorder *r, atls_error *err)
{
    bool ok = atls_bytes_str(r->in.binding.profile).len <= ATLS_RECORD_MAX_PROFILE_LEN;
    if (!ok) {
        return atls_fail(err, ATLS_E_LIMIT, "record.binding.profile", "longer than %u bytes",
                         ATLS_RECORD_MAX_PROFILE_LEN);
    }
    for (size_t i = 0; ok && i < r->keys.n; i++) {
        ok = atls_bytes_str(r->keys.items[i].label).len <= ATLS_RECORD_MAX_LABEL_LEN;
    }
    return ok
           || atls_fail(err, ATLS_E_LIMIT, "record.trust_key.label", "longer than %u bytes", ATLS_RECORD_MAX_LABEL_LEN);
}

/* A compiled list without its text can be asked, but not written down: of two lists that differ in one entry this would make
 * one recording. */
static bool has_text(const atls_recorder *r, const atls_android_status *s, atls_error *err)
{
    uint8_t made_of[32];
    uint8_t found[32];
    if (s->compiled == NULL) {
        return true;
    }
    atls_android_list_sha256(s->compiled, made_of);
    if (!atls_digest(r->v->crypto, ATLS_SHA256, &s->list, 1, found, err)) {
        return false;
    }
    return s->list.len > 0 && atls_bytes_equal(atls_bytes_of(made_of, 32), atls_bytes_of(found, 32))
               ? true
               : atls_fail(err, ATLS_E_USAGE, "record.endorse.android.list",
                           "the status list was given compiled, without the text that it was made of");
}

static bool have_texts(const atls_recorder *r, atls_error *err)
{
    for (size_t i = 0; i < r->endorsements.n; i++) {
        if (!has_text(r, &r->endorsements.items[i].endorsements.android, err)) {
            return false;
        }
    }
    return true;
}

/* What cannot be said again must not be written down: a replay of something else would be a lie. */
static bool can_be_written(const atls_recorder *r, atls_error *err)
{
    if (r->why.code != ATLS_OK) {
        *err = r->why;
        return false;
    }
    if (r->v == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "record", "nothing was appraised");
    }
    if (r->v->policy->source.len == 0) {
        return atls_fail(err, ATLS_E_USAGE, "record.policy", "the policy was not made from a document");
    }
    if ((unsigned)r->in.binding.grade > ATLS_GRADE_SESSION || r->in.now < 0) {
        return atls_fail(err, ATLS_E_USAGE, "record", "a grade or a time that cannot be: the call made no sense");
    }
    return has_short_texts(r, err) && have_texts(r, err);
}

bool atls_recorder_finish(atls_recorder *r, atls_bytes *out, atls_error *err)
{
    atls_box b;
    atls_bytes result;
    *out = atls_bytes_empty();
    if (!can_be_written(r, err) || !atls_result_json(r->out, &r->verdict, r->arena, &result, err)) {
        return false;
    }
    atls_box_init(&b, r->arena, err);
    if (b.failed || !put_versions(&b)) {
        return false;
    }
    put_policy(&b, r->v->policy);
    put_binding(&b, &r->in.binding);
    put_answers(&b, r);
    put_time(&b, &r->in);
    if (r->in.key_id.len > 0) {
        atls_box_bytes(&b, "key_id", r->in.key_id);
    }
    atls_box_flag(&b, "attested_only", r->out->attested_only);
    atls_box_flag(&b, "endorse", r->in.endorse != NULL);
    atls_box_bytes(&b, "evidence", r->in.evidence);
    atls_box_flag(&b, "trust_key", r->in.trust_key != NULL);
    if (r->in.event_log.len > 0) {
        atls_box_bytes(&b, "event_log", r->in.event_log);
    }
    if (r->session.code != ATLS_OK) {
        atls_record_put_error(&b, "session.error", &r->session);
    }
    atls_box_text(&b, "result", result);
    return atls_box_done(&b, r->v->crypto, ATLS_RECORD_APPRAISAL, out);
}
