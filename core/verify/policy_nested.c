/* SPDX-License-Identifier: Apache-2.0 */
/* policy_nested.c: policies inside policies: the alternatives of any_of, and what must vouch for a TPM's key.
 *
 * An inner policy is a whole document of its own kind, read by the same rules. What a session asks of a policy before any
 * evidence is there (least grade, whether ordinary identity is waived, how long a proof holds) is taken from all
 * alternatives together, and never more leniently than the least careful of them says. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "policy_reader.h"

static bool is_of_type(const atls_json *document, const char *type)
{
    const char *name = atls_policy_named_type(document);
    return name != NULL && strcmp(name, type) == 0;
}

/* The error of an inner document names its place in the outer one. */
static atls_policy *read_inner(policy_reader *r, const char *path, const atls_json *v)
{
    atls_policy *inner = NULL;
    atls_error why = {0};
    if (!atls_policy_read_document(r, v, &inner, &why)) {
        *r->err = why;
        (void)atls_error_relabel(r->err, why.code, path);
        return NULL;
    }
    return inner;
}

/* Whatever weakens an inner policy weakens the outer one, under the same name. */
static bool join_insecure(policy_reader *r, const char *path, const atls_policy *inner)
{
    for (size_t i = 0; i < inner->insecure.n; i++) {
        if (r->policy->insecure.n == POLICY_MAX_INSECURE) {
            return atls_fail(r->err, ATLS_E_CONFIGURATION, path, "too many members that weaken checks");
        }
        bool known = false;
        for (size_t k = 0; k < r->policy->insecure.n; k++) {
            known = known || strcmp(r->insecure[k], inner->insecure.items[i]) == 0;
        }
        if (!known) {
            r->insecure[r->policy->insecure.n++] = inner->insecure.items[i];
        }
    }
    return true;
}

/* ---- any_of ---- */

static bool read_alternative(policy_reader *r, const char *path, const atls_json *v, const atls_policy **slot)
{
    if (path == NULL) {
        return false;
    }
    /* before it is read: what is nested deeper costs nothing */
    if (is_of_type(v, "any_of")) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, path, "any_of holds no any_of");
    }
    /* a session asks for evidence or for a certificate: which, it must know before either is there */
    if (is_of_type(v, "enrolled_key")) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, path, "any_of holds no enrolled_key");
    }
    const atls_policy *inner = read_inner(r, path, v);
    if (inner == NULL) {
        return false;
    }
    *slot = inner; /* the outer policy frees it from here on */
    r->policy->n_alternatives++;
    return join_insecure(r, path, inner);
}

bool atls_policy_read_alternatives(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (v->type != ATLS_JSON_ARRAY || v->n == 0 || v->n > ATLS_MAX_ALTERNATIVES) {
        return atls_policy_wrong(r, m->name, "an array of 1 to 32 policies", v);
    }
    const atls_policy **slots = atls_arena_array(&r->policy->arena, v->n, sizeof(atls_policy *), r->err);
    if (slots == NULL) {
        return false;
    }
    r->policy->alternatives = slots;
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const size_t i = r->policy->n_alternatives;
        if (!read_alternative(r, atls_policy_path(r, m->name, i), item, &slots[i])) {
            return false;
        }
    }
    return true;
}

bool atls_policy_check_any_of(policy_reader *r)
{
    atls_policy *p = r->policy;
    if (p->n_alternatives == 0) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "policies", "required member is missing");
    }
    p->min_grade = p->alternatives[0]->min_grade;
    p->attested_only = p->alternatives[0]->attested_only;
    for (size_t i = 0; i < p->n_alternatives; i++) {
        const atls_policy *a = p->alternatives[i];
        if (a->attested_only != p->attested_only) {
            return atls_fail(r->err, ATLS_E_CONFIGURATION, "policies",
                             "attested_only must be the same in all: it is decided before the evidence is known");
        }
        p->min_grade = a->min_grade < p->min_grade ? a->min_grade : p->min_grade;
        p->has_min_grade = p->has_min_grade || a->has_min_grade;
        p->has_max_session_age = p->has_max_session_age || a->has_max_session_age;
        p->max_session_age_s =
            a->max_session_age_s < p->max_session_age_s || i == 0 ? a->max_session_age_s : p->max_session_age_s;
    }
    return true;
}

/* ---- hardware ---- */

bool atls_policy_read_hardware(policy_reader *r, const policy_member *m, const atls_json *v)
{
    const char *type = atls_policy_named_type(v);
    if (type != NULL && !is_of_type(v, "sev_snp") && !is_of_type(v, "tdx")) {
        return atls_fail_values(r->err, ATLS_E_CONFIGURATION, m->name, "a policy of type sev_snp or tdx", type,
                                "only such hardware vouches for the key of a TPM");
    }
    const atls_policy *inner = read_inner(r, m->name, v);
    if (inner == NULL) {
        return false;
    }
    r->policy->hardware = inner;
    return join_insecure(r, m->name, inner);
}
