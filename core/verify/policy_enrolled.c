/* SPDX-License-Identifier: Apache-2.0 */
/* policy_enrolled.c: the members of "enrolled_key" documents: which enrolment authorities are believed, and what their
 * certificates must say of a key. docs/policy.md says the same in words. */
#include <string.h>

#include "base/limits.h"
#include "evidence/enrolled/enrolled.h"
#include "pki/cert.h"
#include "policy_reader.h"

#define SHA256_LEN       32u
#define MAX_APPLICATIONS 256u
#define MAX_APP_LEN      256u
#define MAX_POLICIES     64u

/* ---- roots ---- */

static bool room_for_roots(policy_reader *r, atls_enrolled_root **out)
{
    *out = atls_arena_array(&r->policy->arena, ATLS_ENROLLED_MAX_ROOTS, sizeof **out, r->err);
    return *out != NULL;
}

static bool count_root(policy_reader *r, const char *path, size_t n)
{
    return n < ATLS_ENROLLED_MAX_ROOTS
           || atls_fail(r->err, ATLS_E_CONFIGURATION, path, "more than %u roots", ATLS_ENROLLED_MAX_ROOTS);
}

static bool make_root(policy_reader *r, atls_bytes der, atls_enrolled_root *out, atls_error *err)
{
    atls_cert cert;
    const atls_crypto *crypto = atls_policy_crypto(r);
    if (crypto == NULL || !atls_arena_copy(&r->policy->arena, der, &out->der, err)
        || !atls_anchor_from_der(crypto, out->der, &out->anchor, err)
        || !atls_cert_decode(out->der, "root", &cert, err)) {
        return false;
    }
    out->subject = cert.subject;
    return cert.is_ca
           || atls_fail(err, ATLS_E_PCK_CHAIN, "trusted_roots", "a root must be a certificate authority's certificate");
}

static bool add_der(policy_reader *r, const char *path, atls_bytes der, atls_enrolled_root *roots, size_t *n)
{
    atls_error why = {0};
    if (!count_root(r, path, *n)) {
        return false;
    }
    if (!make_root(r, der, &roots[*n], &why)) {
        return atls_fail_values(r->err, ATLS_E_CONFIGURATION, path, why.expected, why.actual,
                                "not usable as a root: %s", why.message);
    }
    *n += 1;
    return true;
}

static bool read_root(policy_reader *r, const char *path, const atls_json *v, atls_enrolled_root *roots, size_t *n)
{
    const bool is_pem = v->type == ATLS_JSON_STRING && v->text.len > 0 && v->text.ptr[0] == '-';
    atls_bytes der;
    size_t n_der = 0;
    if (is_pem) {
        return atls_pem_certificates(v->text, false, ATLS_E_CONFIGURATION, path, r->scratch, &der, 1, &n_der, r->err)
               && add_der(r, path, der, roots, n);
    }
    if (!count_root(r, path, *n)) {
        return false;
    }
    roots[*n] = (atls_enrolled_root){
        .anchor = {.label = "a root of the policy"}, .der = atls_bytes_empty(), .subject = atls_bytes_empty()};
    if (!atls_policy_hex(r, path, v, roots[*n].anchor.sha256, SHA256_LEN)) {
        return false;
    }
    *n += 1;
    return true;
}

static bool read_roots(policy_reader *r, const policy_member *m, const atls_json *v)
{
    atls_enrolled_policy *p = &r->policy->enrolled;
    atls_enrolled_root *roots;
    if (!atls_policy_list(r, m->name, v, 1) || !room_for_roots(r, &roots)) {
        return false;
    }
    p->roots = roots;
    size_t i = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const char *path = atls_policy_path(r, m->name, i++);
        if (path == NULL || !read_root(r, path, item, roots, &p->n_roots)) {
            return false;
        }
    }
    return true;
}

bool atls_policy_add_enrolled_roots(policy_reader *r, const atls_bytes *given, size_t n)
{
    atls_enrolled_policy *p = &r->policy->enrolled;
    atls_enrolled_root *all;
    if (n > 0 && !room_for_roots(r, &all)) {
        return false;
    }
    for (size_t i = 0; n > 0 && i < p->n_roots; i++) {
        all[i] = p->roots[i];
    }
    for (size_t i = 0; i < n; i++) {
        if (given[i].len > POLICY_MAX_ROOT_LEN) {
            return atls_fail(r->err, ATLS_E_PCK_CHAIN, "trusted_roots", "a root of %zu bytes; at most %u", given[i].len,
                             POLICY_MAX_ROOT_LEN);
        }
        if (!add_der(r, "trusted_roots", given[i], all, &p->n_roots)) {
            return false;
        }
        p->roots = all;
    }
    return p->n_roots > 0
           || atls_fail(r->err, ATLS_E_CONFIGURATION, "trusted_roots",
                        "required: the certificate authorities of the enrolment that are believed");
}

/* ---- what the certificate must say ---- */

static bool read_applications(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (v->type != ATLS_JSON_ARRAY || v->n == 0 || v->n > MAX_APPLICATIONS) {
        return atls_policy_wrong(r, m->name, "an array of 1 to 256 names of apps", v);
    }
    atls_bytes *items = atls_arena_array(&r->policy->arena, v->n, sizeof *items, r->err);
    size_t n = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next, n++) {
        const char *path = items == NULL ? NULL : atls_policy_path(r, m->name, n);
        if (path == NULL || !atls_policy_text(r, path, item, MAX_APP_LEN, &items[n])) {
            return false;
        }
    }
    r->policy->enrolled.applications = items;
    r->policy->enrolled.n_applications = n;
    return true;
}

static bool read_platforms(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (!atls_policy_list(r, m->name, v, 1)) {
        return false;
    }
    size_t i = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const char *path = atls_policy_path(r, m->name, i++);
        const bool is_text = item->type == ATLS_JSON_STRING;
        if (path == NULL) {
            return false;
        }
        if (is_text && atls_bytes_equal_str(item->text, "android")) {
            r->policy->enrolled.platforms |= 1u << ATLS_PLATFORM_ANDROID;
        } else if (is_text && atls_bytes_equal_str(item->text, "apple")) {
            r->policy->enrolled.platforms |= 1u << ATLS_PLATFORM_APPLE;
        } else {
            return atls_policy_wrong(r, path, "android or apple", item);
        }
    }
    return true;
}

static bool read_min_level(policy_reader *r, const policy_member *m, const atls_json *v)
{
    atls_enrolled_policy *p = &r->policy->enrolled;
    const bool is_apples = v->type == ATLS_JSON_STRING && atls_bytes_equal_str(v->text, "SECURE_ENCLAVE");
    if (v->type != ATLS_JSON_STRING || is_apples || !enrolled_level(v->text, &p->min_level)) {
        return atls_policy_wrong(r, m->name, "SOFTWARE, TRUSTED_ENVIRONMENT or STRONG_BOX", v);
    }
    p->has_min_level = true;
    if (p->min_level == ATLS_KEY_LEVEL_SOFTWARE) { /* anybody can copy such a key */
        r->insecure[r->policy->insecure.n++] = m->name;
    }
    return true;
}

static bool read_policies(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (v->type != ATLS_JSON_ARRAY || v->n == 0 || v->n > MAX_POLICIES) {
        return atls_policy_wrong(r, m->name, "an array of 1 to 64 SHA-256 in hex", v);
    }
    uint8_t(*all)[SHA256_LEN] = atls_arena_array(&r->policy->arena, v->n, sizeof *all, r->err);
    size_t n = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next, n++) {
        const char *path = all == NULL ? NULL : atls_policy_path(r, m->name, n);
        if (path == NULL || !atls_policy_hex(r, path, item, all[n], SHA256_LEN)) {
            return false;
        }
    }
    r->policy->enrolled.policy_sha256 = all == NULL ? NULL : all[0];
    r->policy->enrolled.n_policies = n;
    return true;
}

const policy_member atls_policy_enrolled_members[] = {
    {"trusted_roots", KIND_KEY, read_roots, 0, 0},
    {"platforms", KIND_KEY, read_platforms, 0, 0},
    {"applications", KIND_KEY, read_applications, 0, 0},
    {"min_security_level", KIND_KEY, read_min_level, 0, 0},
    {"policy_sha256", KIND_KEY, read_policies, 0, 0},
    {"insecure_allow_no_extension", KIND_KEY, atls_policy_read_insecure_flag, 0,
     offsetof(atls_policy, enrolled.insecure_allow_no_extension)},
};
const size_t atls_policy_n_enrolled_members =
    sizeof atls_policy_enrolled_members / sizeof atls_policy_enrolled_members[0];

/* ---- rules between members ---- */

bool atls_policy_check_enrolled(policy_reader *r)
{
    atls_policy *p = r->policy;
    const atls_enrolled_policy *e = &p->enrolled;
    const bool names = e->platforms != 0 || e->n_applications > 0 || e->has_min_level || e->n_policies > 0;
    if (e->insecure_allow_no_extension && names) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "insecure_allow_no_extension",
                         "platforms, applications, min_security_level and policy_sha256 need the extension");
    }
    if (p->has_min_grade && p->min_grade > ATLS_GRADE_KEY) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "min_grade",
                         "the evidence is old: what a session proves of it is the key, and never more");
    }
    if (!p->has_min_grade) {
        p->min_grade = ATLS_GRADE_KEY;
    }
    if (!e->has_min_level) {
        p->enrolled.min_level = ATLS_KEY_LEVEL_TEE;
    }
    return true;
}
