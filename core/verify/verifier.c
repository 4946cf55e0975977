/* SPDX-License-Identifier: Apache-2.0 */
/* verifier.c: the object, and policies that hold others.
 *
 * any_of asks each of its alternatives in the order of the document. The first that accepts is the answer, and its own
 * list of checks is the result's; when none does, the refusal is that of the alternative that came furthest (the first
 * of those, where possible one for this kind of evidence), and everybody's checks are listed with "any_of[i]." before their ids. Evidence picks nothing here: an
 * alternative that it does not fit refuses it. */
#include "verifier.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

/* ---- any_of ---- */

/* What the alternatives left behind. */
typedef struct tally {
    struct refusal {
        const atls_check *checks; /* in the appraisal's arena */
        size_t n_checks;
    } refused[ATLS_MAX_ALTERNATIVES];
    size_t n;
    verify_stage furthest;
    atls_error error;
    atls_verdict verdict;
} tally;

/* Of two that came equally far, one that is about this kind of evidence has more to say than one that is not. */
static bool says_more(const tally *t, verify_stage stage, const atls_error *why)
{
    const bool other_kind = t->error.code == ATLS_E_TEE_TYPE_MISMATCH;
    return stage > t->furthest || (stage == t->furthest && other_kind && why->code != ATLS_E_TEE_TYPE_MISMATCH);
}

/* An alternative that could not find out may have been the one: then nobody knows. */
static void count_refusal(tally *t, const atls_result *r, verify_stage stage, const atls_error *why)
{
    if (r->verdict == ATLS_VERDICT_UNDECIDED) {
        t->verdict = ATLS_VERDICT_UNDECIDED;
    }
    if (t->error.code == ATLS_OK || says_more(t, stage, why)) {
        t->furthest = stage;
        t->error = *why;
    }
    t->refused[t->n++] = (struct refusal){.checks = r->checks, .n_checks = r->n_checks};
}

/* A refusal lists what each of them checked, whole. */
static bool list_all(const tally *t, atls_arena *arena, atls_result *out, atls_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        n += t->refused[i].n_checks;
    }
    atls_check *checks = atls_arena_array(arena, n + 1, sizeof *checks, err);
    for (size_t i = 0; checks != NULL && i < t->n; i++) {
        for (size_t k = 0; k < t->refused[i].n_checks; k++) {
            atls_check check = t->refused[i].checks[k];
            check.id = atls_text_format(arena, err, "any_of[%zu].%s", i, check.id);
            if (check.id == NULL) {
                return false;
            }
            checks[out->n_checks++] = check;
        }
    }
    out->checks = checks;
    return checks != NULL;
}

static bool is_listed(const atls_result *r, const char *id)
{
    for (size_t i = 0; i < r->n_checks; i++) {
        if (strcmp(r->checks[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* What weakens an alternative that was not needed would have let another machine in: it shows all the same. */
static bool list_weaknesses(const atls_policy *p, const atls_result *r, atls_arena *arena, atls_check *checks,
                            size_t *n, atls_error *err)
{
    for (size_t i = 0; i < p->insecure.n; i++) {
        const char *id = atls_text_format(arena, err, "policy.%s", p->insecure.items[i]);
        if (id == NULL) {
            return false;
        }
        if (!is_listed(r, id)) {
            checks[(*n)++] = (atls_check){.id = id,
                                          .verdict = ATLS_CHECK_SKIPPED,
                                          .field = p->insecure.items[i],
                                          .expected = "",
                                          .actual = "",
                                          .why = "another policy of the list weakens its checks by this member"};
        }
    }
    return true;
}

/* The list of who accepts begins with which alternative that was, and ends with what weakens the others. */
static bool list_chosen(const atls_policy *p, atls_result *r, size_t i, atls_arena *arena, atls_error *err)
{
    const char *name = atls_text_format(arena, err, "policies[%zu]", i);
    atls_check *checks = atls_arena_array(arena, r->n_checks + 1 + p->insecure.n, sizeof *checks, err);
    size_t n = r->n_checks + 1;
    if (name == NULL || checks == NULL) {
        return false;
    }
    checks[0] = (atls_check){
        .id = "any_of", .verdict = ATLS_CHECK_PASS, .field = "policies", .expected = "", .actual = name, .why = ""};
    memcpy(checks + 1, r->checks, r->n_checks * sizeof *checks);
    if (!list_weaknesses(p, r, arena, checks, &n, err)) {
        return false;
    }
    r->checks = checks;
    r->n_checks = n;
    r->insecure = p->insecure.n > 0;
    return true;
}

static atls_result undecided(const atls_appraisal *in)
{
    return (atls_result){.verdict = ATLS_VERDICT_UNDECIDED,
                         .profile = in->binding.profile == NULL ? "" : in->binding.profile,
                         .time = in->now};
}

static bool accept_alternative(const atls_policy *p, atls_result *out, const atls_appraisal *in, size_t i,
                               atls_arena *arena, atls_error *err)
{
    if (list_chosen(p, out, i, arena, err)) {
        return true;
    }
    *out = undecided(in);
    return false;
}

static bool any_of(const atls_verifier *v, const atls_appraisal *in, atls_arena *arena, atls_result *out,
                   atls_error *err)
{
    tally t = {.verdict = ATLS_VERDICT_REJECTED};
    for (size_t i = 0; i < v->n_alternatives; i++) {
        atls_error why = *err; /* an error that is set already is each alternative's business to refuse */
        verify_stage stage = VERIFY_BEGIN;
        atls_result r;
        if (atls_verify_one(v->alternatives[i], in, arena, &r, &stage, &why)) {
            *out = r;
            return accept_alternative(v->policy, out, in, i, arena, err);
        }
        count_refusal(&t, &r, stage, &why);
    }
    *out = undecided(in);
    if (!list_all(&t, arena, out, err)) {
        *out = undecided(in);
        return false;
    }
    out->verdict = t.verdict;
    if (err->code == ATLS_OK) {
        *err = t.error;
    }
    return false;
}

bool atls_verifier_appraise(const atls_verifier *v, const atls_appraisal *in, atls_arena *arena, atls_result *out,
                            atls_error *err)
{
    verify_stage stage = VERIFY_BEGIN;
    return v->n_alternatives > 0 ? any_of(v, in, arena, out, err) : atls_verify_one(v, in, arena, out, &stage, err);
}

/* ---- the object ---- */

/* Policies nest two deep at most: any_of holds no any_of, and hardware neither. */
static bool new_inner(atls_verifier *v, const atls_verifier_options *options, atls_error *err)
{
    const atls_policy *p = v->policy;
    if (p->hardware != NULL && !atls_verifier_new_with_options(p->hardware, options, &v->hardware, err)) {
        return false;
    }
    if (p->n_alternatives == 0) {
        return true;
    }
    v->alternatives = calloc(p->n_alternatives, sizeof(atls_verifier *));
    if (v->alternatives == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "verifier", NULL);
    }
    for (; v->n_alternatives < p->n_alternatives; v->n_alternatives++) {
        if (!atls_verifier_new_with_options(p->alternatives[v->n_alternatives], options,
                                            &v->alternatives[v->n_alternatives], err)) {
            return false;
        }
    }
    return true;
}

bool atls_verifier_new(const atls_policy *policy, atls_verifier **out, atls_error *err)
{
    return atls_verifier_new_with_options(policy, NULL, out, err);
}

bool atls_verifier_new_with_options(const atls_policy *policy, const atls_verifier_options *options,
                                    atls_verifier **out, atls_error *err)
{
    *out = NULL;
    const registry_row *kind = atls_registry_find(policy->type);
    if (kind == NULL && policy->n_alternatives == 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "policy.type", "no room judges policies of this kind");
    }
    atls_verifier *v = calloc(1, sizeof *v);
    if (v == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "verifier", NULL);
    }
    v->arenas = malloc(sizeof *v->arenas);
    if (v->arenas == NULL) {
        free(v);
        return atls_fail(err, ATLS_E_MEMORY, "verifier", NULL);
    }
    atls_arena_shelf_init(v->arenas, ATLS_ARENA_DEFAULT_SIZE);
    v->policy = policy;
    v->kind = kind;
    v->format = kind == NULL ? NULL : kind->format();
    if (!atls_crypto_new(&v->crypto, err) || !atls_caches_new(options, &v->caches, err)
        || !new_inner(v, options, err)) {
        atls_verifier_free(v);
        return false;
    }
    *out = v;
    return true;
}

void atls_verifier_free(atls_verifier *v)
{
    if (v == NULL) {
        return;
    }
    for (size_t i = 0; i < v->n_alternatives; i++) {
        atls_verifier_free(v->alternatives[i]);
    }
    free(v->alternatives);
    atls_verifier_free(v->hardware);
    atls_caches_free(v->caches);
    atls_crypto_free(v->crypto);
    atls_arena_shelf_clear(v->arenas);
    free(v->arenas);
    free(v);
}

const atls_crypto *atls_verifier_crypto(const atls_verifier *v)
{
    return v->crypto;
}

atls_arena_shelf *atls_verifier_arenas(const atls_verifier *v)
{
    return v->arenas;
}

unsigned atls_verifier_platforms(const atls_verifier *v)
{
    unsigned bits = v->kind == NULL ? 0 : 1u << v->kind->platform;
    for (size_t i = 0; i < v->n_alternatives; i++) {
        bits |= atls_verifier_platforms(v->alternatives[i]);
    }
    return bits;
}

const atls_policy *atls_verifier_policy(const atls_verifier *v)
{
    return v->policy;
}

static void add_counts(atls_cache_counts *sum, const atls_cache_counts *more)
{
    sum->hits += more->hits;
    sum->misses += more->misses;
    sum->evictions += more->evictions;
    sum->entries += more->entries;
    sum->len += more->len;
}

static void add_inner(atls_verifier_counts *sum, const atls_verifier *inner)
{
    if (inner != NULL) {
        const atls_verifier_counts more = atls_verifier_count(inner);
        add_counts(&sum->endorsements, &more.endorsements);
        add_counts(&sum->stapled, &more.stapled);
        add_counts(&sum->platforms, &more.platforms);
    }
}

atls_verifier_counts atls_verifier_count(const atls_verifier *v)
{
    atls_verifier_counts sum = atls_caches_count(v->caches);
    for (size_t i = 0; i < v->n_alternatives; i++) {
        add_inner(&sum, v->alternatives[i]);
    }
    add_inner(&sum, v->hardware);
    return sum;
}

const atls_caches *atls_verifier_caches(const atls_verifier *v)
{
    return v->caches;
}
