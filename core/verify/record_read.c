/* SPDX-License-Identifier: Apache-2.0 */
/* record_read.c: from a recording back to the call that was recorded.
 *
 * Every member is taken by name, and whatever nobody took is refused: it may be what made the verdict. Callbacks answer by
 * question, so that a later version that asks in another order still gets the answer that belongs there. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "record.h"

#define MAX_VERSION_LEN 256u

typedef struct answer {
    atls_bytes question;
    bool found;
    bool is_used;
    atls_error error;
    atls_endorsements endorsements;
    const char *label; /* NULL: none was given */
} answer;

typedef struct list {
    answer items[ATLS_MAX_RECORD_ANSWERS];
    size_t n;
} list;

struct record_answers {
    list endorsements;
    list keys;
    size_t n_unanswered;
};

typedef struct reader {
    const atls_record *record;
    bool *taken; /* of each member */
    atls_arena *arena;
    atls_error *err;
} reader;

/* ---- members ---- */

static const char *type_name(atls_record_type type)
{
    static const char *const names[] = {
        [ATLS_RECORD_NUMBER] = "a number", [ATLS_RECORD_FLAG] = "true or false", [ATLS_RECORD_BYTES] = "a byte string",
        [ATLS_RECORD_TEXT] = "a text",     [ATLS_RECORD_LIST] = "a list",
    };
    return names[type];
}

/* NULL: it is not there, or (err is set) is of another type. */
static const atls_record_member *take(reader *r, const char *name, atls_record_type type)
{
    const atls_record_member *m = name == NULL ? NULL : atls_record_find(r->record, name);
    if (m == NULL) {
        return NULL;
    }
    r->taken[m - r->record->members] = true;
    if (m->type != type) {
        (void)atls_fail_values(r->err, ATLS_E_ENCODING, name, type_name(type), type_name(m->type),
                               "a member of another type");
        return NULL;
    }
    return m;
}

static const atls_record_member *need(reader *r, const char *name, atls_record_type type)
{
    const atls_record_member *m = take(r, name, type);
    if (m == NULL && name != NULL) {
        (void)atls_fail(r->err, ATLS_E_ENCODING, name, "missing from the recording");
    }
    return m;
}

static bool need_flag(reader *r, const char *name, bool *out)
{
    const atls_record_member *m = need(r, name, ATLS_RECORD_FLAG);
    *out = m != NULL && m->flag;
    return m != NULL;
}

static bool need_number(reader *r, const char *name, uint64_t max, uint64_t *out)
{
    const atls_record_member *m = need(r, name, ATLS_RECORD_NUMBER);
    if (m != NULL && m->number > max) {
        return atls_fail(r->err, ATLS_E_ENCODING, name, "a number that cannot be");
    }
    *out = m == NULL ? 0 : m->number;
    return m != NULL;
}

static bool need_content(reader *r, const char *name, atls_record_type type, atls_bytes *out)
{
    const atls_record_member *m = need(r, name, type);
    *out = m == NULL ? atls_bytes_empty() : m->bytes;
    return m != NULL;
}

/* False with err set only if it is there and wrong. */
static bool take_content(reader *r, const char *name, atls_record_type type, atls_bytes *out)
{
    const atls_record_member *m = take(r, name, type);
    *out = m == NULL ? atls_bytes_empty() : m->bytes;
    return r->err->code == ATLS_OK;
}

static bool take_list(reader *r, const char *name, const atls_bytes **items, size_t *n)
{
    const atls_record_member *m = take(r, name, ATLS_RECORD_LIST);
    *items = m == NULL ? NULL : m->items;
    *n = m == NULL ? 0 : m->n_items;
    return r->err->code == ATLS_OK;
}

/* 64 bits in two's complement; 0 when it is not there. */
static bool take_signed(reader *r, const char *name, int64_t *out)
{
    const atls_record_member *m = take(r, name, ATLS_RECORD_NUMBER);
    *out = 0;
    if (m != NULL) {
        memcpy(out, &m->number, sizeof *out);
    }
    return r->err->code == ATLS_OK;
}

static bool take_error(reader *r, const char *name, atls_error *out)
{
    const atls_record_member *m = take(r, name, ATLS_RECORD_LIST);
    *out = (atls_error){0};
    return r->err->code == ATLS_OK && (m == NULL || atls_record_get_error(m, out, r->err));
}

static bool as_text(reader *r, const char *name, atls_bytes in, size_t max, const char **out)
{
    if (in.len > max) {
        return atls_fail(r->err, ATLS_E_ENCODING, name, "longer than %zu bytes", max);
    }
    *out = atls_text_copy(in, r->arena, r->err);
    return *out != NULL;
}

static const char *name_of(reader *r, const char *group, size_t i, const char *rest)
{
    return atls_text_format(r->arena, r->err, "%s[%zu].%s", group, i, rest);
}

/* ---- answers ---- */

static bool platform_named(atls_bytes name, atls_platform *out)
{
    for (unsigned i = 0; i < ATLS_N_PLATFORMS; i++) {
        if (atls_bytes_equal_str(name, atls_platform_name((atls_platform)i))) {
            *out = (atls_platform)i;
            return true;
        }
    }
    return false;
}

static bool read_dcap(reader *r, size_t i, atls_dcap_collateral *out)
{
    for (size_t k = 0; k < ATLS_N_RECORD_PIECES; k++) {
        atls_bytes piece;
        if (!take_content(r, name_of(r, "endorse", i, atls_record_pieces[k].name), ATLS_RECORD_BYTES, &piece)) {
            return false;
        }
        memcpy((uint8_t *)out + atls_record_pieces[k].offset, &piece, sizeof piece);
    }
    return true;
}

static bool read_status(reader *r, size_t i, atls_android_status *out)
{
    return take_content(r, name_of(r, "endorse", i, "android.list"), ATLS_RECORD_BYTES, &out->list)
           && take_signed(r, name_of(r, "endorse", i, "android.fetched"), &out->fetched)
           && take_signed(r, name_of(r, "endorse", i, "android.expires"), &out->expires);
}

static bool read_endorsements(reader *r, size_t i, atls_endorsements *out)
{
    atls_bytes platform;
    const char *name = name_of(r, "endorse", i, "platform");
    if (!take_content(r, name, ATLS_RECORD_TEXT, &platform)) {
        return false;
    }
    if (platform.len > 0 && !platform_named(platform, &out->platform)) {
        return atls_fail(r->err, ATLS_E_ENCODING, name, "no platform that this version of atls knows");
    }
    const atls_record_member *stapled = take(r, name_of(r, "endorse", i, "stapled"), ATLS_RECORD_NUMBER);
    if (stapled != NULL && stapled->number > UINT32_MAX) {
        return atls_fail(r->err, ATLS_E_ENCODING, stapled->name, "a number that cannot be");
    }
    const atls_record_member *older = take(r, name_of(r, "endorse", i, "insecure_older"), ATLS_RECORD_FLAG);
    out->stapled = stapled == NULL ? 0 : (unsigned)stapled->number;
    out->insecure_older = older != NULL && older->flag;
    return r->err->code == ATLS_OK && read_dcap(r, i, &out->dcap) && read_status(r, i, &out->android)
           && take_list(r, name_of(r, "endorse", i, "certificates"), &out->pile.certificates, &out->pile.n_certificates)
           && take_list(r, name_of(r, "endorse", i, "crls"), &out->pile.crls, &out->pile.n_crls);
}

/* *more is false behind the last. */
static bool read_answer(reader *r, const char *group, size_t i, answer *a, bool *more)
{
    const char *name = name_of(r, group, i, "question");
    *more = name != NULL && atls_record_find(r->record, name) != NULL;
    return !*more
           || (need_content(r, name, ATLS_RECORD_TEXT, &a->question)
               && need_flag(r, name_of(r, group, i, "found"), &a->found)
               && take_error(r, name_of(r, group, i, "error"), &a->error));
}

static bool read_found(reader *r, list *l, size_t i)
{
    const atls_record_member *same = take(r, name_of(r, "endorse", i, "same_as"), ATLS_RECORD_NUMBER);
    if (r->err->code != ATLS_OK) {
        return false;
    }
    if (same == NULL) {
        return read_endorsements(r, i, &l->items[i].endorsements);
    }
    if (same->number >= i) {
        return atls_fail(r->err, ATLS_E_ENCODING, same->name, "an answer that is not before this one");
    }
    l->items[i].endorsements = l->items[same->number].endorsements;
    return true;
}

static bool read_label(reader *r, answer *a, size_t i)
{
    const char *name = name_of(r, "trust_key", i, "label");
    const atls_record_member *m = take(r, name, ATLS_RECORD_BYTES);
    return r->err->code == ATLS_OK && (m == NULL || as_text(r, name, m->bytes, ATLS_RECORD_MAX_LABEL_LEN, &a->label));
}

static bool read_answers(reader *r, const char *group, list *l, bool are_keys)
{
    for (bool more = true; l->n < ATLS_MAX_RECORD_ANSWERS; l->n++) {
        answer *a = &l->items[l->n];
        if (!read_answer(r, group, l->n, a, &more)) {
            return false;
        }
        if (!more) {
            break;
        }
        const bool has_more = a->found && a->error.code == ATLS_OK;
        if (are_keys ? !read_label(r, a, l->n) : has_more && !read_found(r, l, l->n)) {
            return false;
        }
    }
    return r->err->code == ATLS_OK;
}

/* ---- answering ---- */

/* The next answer to a question; one that was given already, when it is asked again. */
static answer *find_answer(list *l, atls_bytes question)
{
    answer *last = NULL;
    for (size_t i = 0; i < l->n; i++) {
        if (!atls_bytes_equal(l->items[i].question, question)) {
            continue;
        }
        last = &l->items[i];
        if (!last->is_used) {
            break;
        }
    }
    if (last != NULL) {
        last->is_used = true;
    }
    return last;
}

static bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                    atls_error *err)
{
    struct record_answers *all = ctx;
    atls_bytes question;
    if (!atls_record_question(request, arena, &question, err)) {
        return false;
    }
    const answer *a = find_answer(&all->endorsements, question);
    if (a == NULL) {
        all->n_unanswered++;
        return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "record.endorse",
                         "the recording has no endorsements for what this version of atls asks for");
    }
    *out = a->endorsements;
    *err = a->error;
    return a->found;
}

static bool trust_key(void *ctx, const atls_key_question *question, atls_arena *arena, const char **label,
                      atls_error *err)
{
    struct record_answers *all = ctx;
    atls_bytes text;
    if (!atls_record_key_question(question, arena, &text, err)) {
        return false;
    }
    const answer *a = find_answer(&all->keys, text);
    if (a == NULL) {
        all->n_unanswered++;
        return atls_fail(err, ATLS_E_KEY_NOT_AUTHENTICATED, "record.trust_key",
                         "the recording has no word on the key that this version of atls asks about");
    }
    *label = a->label;
    *err = a->error;
    return a->found;
}

size_t atls_recorded_unanswered(const atls_recorded *r)
{
    return r->answers->n_unanswered;
}

/* ---- the call ---- */

static bool read_binding(reader *r, atls_binding *b)
{
    atls_bytes text;
    atls_bytes value;
    uint64_t value_len = 0;
    if (!need_content(r, "binding.grade", ATLS_RECORD_TEXT, &text)) {
        return false;
    }
    if (!atls_grade_parse(text, &b->grade)) {
        return atls_fail(r->err, ATLS_E_ENCODING, "binding.grade", "no grade that this version of atls knows");
    }
    if (!need_content(r, "binding.profile", ATLS_RECORD_BYTES, &text)
        || !as_text(r, "binding.profile", text, ATLS_RECORD_MAX_PROFILE_LEN, &b->profile)
        || !need_content(r, "binding.value", ATLS_RECORD_BYTES, &value)
        || !take_content(r, "binding.challenge", ATLS_RECORD_BYTES, &b->challenge)
        || !need_number(r, "binding.value_len", UINT8_MAX, &value_len)) {
        return false;
    }
    const atls_record_member *leaf = take(r, "binding.leaf_sha256", ATLS_RECORD_BYTES);
    if (value.len != sizeof b->value || (leaf != NULL && leaf->bytes.len != sizeof b->leaf_sha256)) {
        return atls_fail(r->err, ATLS_E_ENCODING, "binding", "a value of another length");
    }
    memcpy(b->value, value.ptr, sizeof b->value);
    b->value_len = (uint8_t)value_len;
    b->has_leaf_sha256 = leaf != NULL;
    if (leaf != NULL) {
        memcpy(b->leaf_sha256, leaf->bytes.ptr, sizeof b->leaf_sha256);
    }
    return r->err->code == ATLS_OK;
}

static bool read_time(reader *r, atls_appraisal *in)
{
    uint64_t at = 0;
    if (!need_number(r, "at", INT64_MAX, &at)) {
        return false;
    }
    const atls_record_member *ms = take(r, "at_ms", ATLS_RECORD_NUMBER);
    if (ms != NULL && ms->number > UINT32_MAX) {
        return atls_fail(r->err, ATLS_E_ENCODING, ms->name, "a number that cannot be");
    }
    in->now = (atls_time)at;
    in->now_ms = ms == NULL ? 0 : (uint32_t)ms->number;
    return r->err->code == ATLS_OK && take_signed(r, "offset_s", &in->offset_s);
}

static bool read_call(reader *r, atls_recorded *out)
{
    bool has_endorse = false;
    bool has_key = false;
    if (!read_time(r, &out->in) || !need_flag(r, "endorse", &has_endorse) || !need_flag(r, "trust_key", &has_key)
        || !read_binding(r, &out->in.binding) || !need_content(r, "evidence", ATLS_RECORD_BYTES, &out->in.evidence)
        || !take_content(r, "event_log", ATLS_RECORD_BYTES, &out->in.event_log)
        || !take_content(r, "key_id", ATLS_RECORD_BYTES, &out->in.key_id)
        || !read_answers(r, "endorse", &out->answers->endorsements, false)
        || !read_answers(r, "trust_key", &out->answers->keys, true)) {
        return false;
    }
    out->in.endorse = has_endorse ? endorse : NULL;
    out->in.endorse_ctx = out->answers;
    out->in.trust_key = has_key ? trust_key : NULL;
    out->in.trust_key_ctx = out->answers;
    return true;
}

static bool read_rest(reader *r, atls_recorded *out)
{
    atls_bytes crypto;
    return need_content(r, "policy", ATLS_RECORD_TEXT, &out->policy)
           && take_list(r, "policy.roots", &out->roots, &out->n_roots)
           && need_content(r, "result", ATLS_RECORD_TEXT, &out->result)
           && need_flag(r, "attested_only", &out->attested_only) && take_error(r, "session.error", &out->session)
           && need_content(r, "crypto", ATLS_RECORD_TEXT, &crypto)
           && as_text(r, "crypto", crypto, MAX_VERSION_LEN, &out->crypto);
}

static bool nothing_left(const reader *r)
{
    for (size_t i = 0; i < r->record->n_members; i++) {
        if (!r->taken[i]) {
            return atls_fail_unsupported(r->err, ATLS_E_UNSUPPORTED, r->record->members[i].name, NULL, NULL,
                                         "a member that this version of atls does not know: recorded by atls %s",
                                         r->record->library);
        }
    }
    return true;
}

bool atls_recorded_read(const atls_record *record, atls_arena *arena, atls_recorded *out, atls_error *err)
{
    reader r = {.record = record, .arena = arena, .err = err};
    *out = (atls_recorded){.crypto = ""};
    if (strcmp(record->kind, ATLS_RECORD_APPRAISAL) != 0) {
        return atls_fail_unsupported(err, ATLS_E_UNSUPPORTED, "kind", ATLS_RECORD_APPRAISAL, record->kind,
                                     "a recording of another kind");
    }
    r.taken = atls_arena_array(arena, record->n_members + 1, sizeof *r.taken, err);
    out->answers = atls_arena_alloc(arena, sizeof *out->answers, err);
    return r.taken != NULL && out->answers != NULL && read_call(&r, out) && read_rest(&r, out) && nothing_left(&r);
}
