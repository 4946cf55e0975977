/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: a recording is appraised again by the real verifier, and the two results are compared. */
#include <string.h>

#include "atls/atls.h"
#include "base/json.h"
#include "base/text.h"
#include "record.h"

#define MAX_SHOWN_LEN 200u /* of a value in a difference */

/* ---- what differs ---- */

typedef struct comparison {
    atls_replay_difference *out;
    size_t n;
    size_t max;
    atls_arena *arena;
    atls_error *err;
} comparison;

static const char *shown(comparison *c, const atls_json *v)
{
    if (v == NULL) {
        return "";
    }
    const bool is_long = v->raw.len > MAX_SHOWN_LEN;
    return atls_text_format(c->arena, c->err, "%.*s%s", (int)(is_long ? MAX_SHOWN_LEN : v->raw.len),
                            (const char *)v->raw.ptr, is_long ? ".." : "");
}

static bool differ(comparison *c, const char *path, const atls_json *recorded, const atls_json *replayed)
{
    if (c->n == c->max) {
        return true;
    }
    const char *was = shown(c, recorded);
    const char *is = shown(c, replayed);
    if (was == NULL || is == NULL) {
        return false;
    }
    c->out[c->n++] = (atls_replay_difference){.path = path, .recorded = was, .replayed = is};
    return true;
}

static const char *text_member(const atls_json *v, const char *name, atls_bytes *out)
{
    const atls_json *m = atls_json_find(v, name);
    if (m == NULL || m->type != ATLS_JSON_STRING) {
        return NULL;
    }
    *out = m->text;
    return name;
}

/* An element's place: checks by their id, others by number. */
static const char *element_path(comparison *c, const char *path, const atls_json *v, size_t i)
{
    atls_bytes id;
    if (text_member(v, "id", &id) != NULL && id.len <= 80) {
        return atls_text_format(c->arena, c->err, "%s[%.*s]", path, (int)id.len, (const char *)id.ptr);
    }
    return atls_text_format(c->arena, c->err, "%s[%zu]", path, i);
}

static const char *member_path(comparison *c, const char *path, const atls_json *v)
{
    return atls_text_format(c->arena, c->err, "%s%s%.*s", path, path[0] == '\0' ? "" : ".", (int)v->name.len,
                            (const char *)v->name.ptr);
}

/* The element of `other` that belongs to v: the one of the same id, or in the same place. */
static const atls_json *counterpart(const atls_json *v, size_t i, const atls_json *other)
{
    atls_bytes id;
    atls_bytes its;
    const bool has_id = text_member(v, "id", &id) != NULL;
    size_t k = 0;
    for (const atls_json *o = other->child; o != NULL; o = o->next, k++) {
        if (has_id ? text_member(o, "id", &its) != NULL && atls_bytes_equal(id, its) : k == i) {
            return o;
        }
    }
    return NULL;
}

static const atls_json *named(const atls_json *object, atls_bytes name)
{
    for (const atls_json *m = object->child; m != NULL; m = m->next) {
        if (atls_bytes_equal(m->name, name)) {
            return m;
        }
    }
    return NULL;
}

static bool is_alike(const atls_json *a, const atls_json *b)
{
    return a->type == b->type && (a->type == ATLS_JSON_OBJECT || a->type == ATLS_JSON_ARRAY);
}

static bool compare(comparison *c, const char *path, const atls_json *a, const atls_json *b);

/* One side's children against the other's; `missing`: only those that the other has not. Results nest as deep as the reader of
 * JSON lets them, and that is bounded. */
static bool compare_children(comparison *c, const char *path, const atls_json *a, const atls_json *b, bool missing)
{
    size_t i = 0;
    for (const atls_json *v = a->child; v != NULL && c->n < c->max; v = v->next, i++) {
        const bool is_array = a->type == ATLS_JSON_ARRAY;
        const atls_json *o = is_array ? counterpart(v, i, b) : named(b, v->name);
        if (o != NULL && (missing || atls_bytes_equal(v->raw, o->raw))) {
            continue;
        }
        const char *at = is_array ? element_path(c, path, v, i) : member_path(c, path, v);
        if (at == NULL) {
            return false;
        }
        if (!(missing ? differ(c, at, NULL, v) : o == NULL ? differ(c, at, v, NULL) : compare(c, at, v, o))) {
            return false;
        }
    }
    return true;
}

static bool compare(comparison *c, const char *path, const atls_json *a, const atls_json *b)
{
    if (!is_alike(a, b)) {
        return atls_bytes_equal(a->raw, b->raw) || differ(c, path, a, b);
    }
    return compare_children(c, path, a, b, false) && compare_children(c, path, b, a, true);
}

bool atls_record_compare(atls_bytes recorded, atls_bytes replayed, atls_arena *arena, size_t max,
                         atls_replay_difference *out, size_t *n, atls_error *err)
{
    comparison c = {.out = out, .max = max, .arena = arena, .err = err};
    const atls_json *a = NULL;
    const atls_json *b = NULL;
    *n = 0;
    if (atls_bytes_equal(recorded, replayed)) {
        return true;
    }
    if (!atls_json_parse(recorded, "record.result", arena, &a, err)
        || !atls_json_parse(replayed, "result", arena, &b, err) || !compare(&c, "", a, b)) {
        return false;
    }
    /* The same members and values in other bytes: order, or spelling */
    if (c.n == 0 && !differ(&c, "(spelling)", a, b)) {
        return false;
    }
    *n = c.n;
    return true;
}

/* ---- again ---- */

static bool appraise(const atls_recorded *r, atls_arena *arena, atls_replay *out, atls_error *err)
{
    static const atls_verifier_options fresh = {.no_cache = true};
    atls_verifier *v = NULL;
    if (!atls_policy_parse_with_roots(r->policy, r->roots, r->n_roots, &out->policy, err)) {
        return atls_error_relabel(err, err->code, "record.policy");
    }
    if (!atls_verifier_new_with_options(out->policy, &fresh, &v, err)) {
        return false;
    }
    const bool accepted = atls_verifier_appraise(v, &r->in, arena, &out->result, &out->error);
    atls_verifier_free(v);
    out->result.attested_only = r->attested_only;
    out->n_unanswered = atls_recorded_unanswered(r);
    return accepted == (out->error.code == ATLS_OK)
           || atls_fail(err, ATLS_E_INTERNAL, "replay", "a verdict and its error do not agree");
}

static void describe(const atls_record *record, const atls_recorded *r, atls_replay *out)
{
    out->library = record->library;
    out->crypto = r->crypto;
    out->same_library = strcmp(record->library, ATLS_VERSION) == 0;
    out->recorded_at = r->in.now;
    out->recorded_json = r->result;
    out->session = r->session;
}

static bool run(const atls_record *record, const atls_replay_options *options, atls_arena *arena, atls_replay *out,
                atls_error *err)
{
    atls_recorded r;
    if (!atls_recorded_read(record, arena, &r, err)) {
        return atls_error_relabel(err, err->code, "record");
    }
    describe(record, &r, out);
    out->crypto_now = atls_crypto_version(arena, err);
    if (options != NULL && options->at != ATLS_TIME_UNSET) {
        out->is_what_if = options->at != r.in.now;
        r.in.now = options->at;
    }
    atls_replay_difference *differences =
        atls_arena_array(arena, ATLS_MAX_REPLAY_DIFFERENCES, sizeof *differences, err);
    if (out->crypto_now == NULL || differences == NULL || !appraise(&r, arena, out, err)
        || !atls_result_json(&out->result, &out->error, arena, &out->replayed_json, err)) {
        return false;
    }
    out->differences = differences;
    return atls_record_compare(out->recorded_json, out->replayed_json, arena, ATLS_MAX_REPLAY_DIFFERENCES, differences,
                               &out->n_differences, err);
}

bool atls_replay_run(const atls_record *record, const atls_replay_options *options, atls_arena *arena, atls_replay *out,
                     atls_error *err)
{
    *out = (atls_replay){.library = "", .crypto = "", .crypto_now = "", .result = {.profile = ""}};
    out->recorded_json = atls_bytes_empty();
    out->replayed_json = atls_bytes_empty();
    if (!run(record, options, arena, out, err)) {
        out->result = (atls_result){.profile = ""};
        return false;
    }
    out->is_same = atls_bytes_equal(out->recorded_json, out->replayed_json);
    return true;
}

void atls_replay_free(atls_replay *r)
{
    atls_policy_free(r->policy);
    r->policy = NULL;
    r->result = (atls_result){.profile = ""};
}
