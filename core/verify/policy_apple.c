/* SPDX-License-Identifier: Apache-2.0 */
/* policy_apple.c: the members of "apple_app_attest" documents, in the names of Warden's configuration, so that recorded ones are
 * read as they are: null is the same as not being there, except where the specification says otherwise. What App Attest hashes
 * of an App ID is computed here, once. Source: App Attest specification, section 8. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "evidence/apple/apple.h"
#include "pki/cert.h"
#include "policy_reader.h"

#define TEAM_LEN       10u
#define MAX_BUNDLE_LEN 155u /* Apple's own limit */
#define MAX_TEXT_LEN   64u  /* of a version */
#define MAX_OFFSET_S   INT64_C(1000000000)

static bool is_null(const atls_json *v)
{
    return v == NULL || v->type == ATLS_JSON_NULL;
}

static bool is_word(atls_bytes text, const char *also)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c == '\0' || strchr(also, c) == NULL)) {
            return false;
        }
    }
    return text.len > 0;
}

/* "applications[1].teamIdentifier" */
static const char *join(policy_reader *r, const char *path, const char *name)
{
    return atls_text_format(r->scratch, r->err, "%s.%s", path, name);
}

/* ---- versions ---- */

static bool read_version(policy_reader *r, const char *path, const atls_json *v, atls_apple_version *out)
{
    static const char *const names[] = {"semVer", "buildNumber"};
    const atls_json *values[2];
    apple_semver semver;
    apple_build build;
    if (is_null(v)) {
        return true;
    }
    const char *semver_path = join(r, path, names[0]);
    const char *build_path = join(r, path, names[1]);
    if (semver_path == NULL || build_path == NULL || !atls_policy_object(r, path, v, names, 2, true, values)
        || !atls_policy_text(r, semver_path, values[0], MAX_TEXT_LEN, &out->semver)
        || !atls_policy_text(r, build_path, values[1], MAX_TEXT_LEN, &out->build)) {
        return false;
    }
    if (!apple_semver_parse(out->semver, &semver)) {
        return atls_policy_wrong(r, semver_path, "a version such as 17 or 17.5.1", values[0]);
    }
    if (!apple_build_parse(out->build, &build)) {
        return atls_policy_wrong(r, build_path, "a build number such as 21F90", values[1]);
    }
    out->is_set = true;
    return true;
}

static bool read_ios_version(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_version(r, m->name, v, &r->policy->apple.version);
}

/* ---- applications ---- */

static bool read_team(policy_reader *r, const char *path, const atls_json *v, atls_apple_application *out)
{
    if (v == NULL || v->type != ATLS_JSON_STRING || v->text.len != TEAM_LEN || !is_word(v->text, "")) {
        return atls_policy_wrong(r, path, "a team identifier, 10 letters and digits", v);
    }
    return atls_arena_copy(&r->policy->arena, v->text, &out->team_identifier, r->err);
}

static bool read_bundle(policy_reader *r, const char *path, const atls_json *v, atls_apple_application *out)
{
    if (v == NULL || v->type != ATLS_JSON_STRING || v->text.len > MAX_BUNDLE_LEN || !is_word(v->text, ".-_")) {
        return atls_policy_wrong(r, path, "a bundle identifier: letters, digits, dots, dashes", v);
    }
    return atls_arena_copy(&r->policy->arena, v->text, &out->bundle_identifier, r->err);
}

static bool make_app_id(policy_reader *r, atls_apple_application *out)
{
    const atls_bytes team = out->team_identifier;
    const atls_bytes bundle = out->bundle_identifier;
    const atls_crypto *crypto = atls_policy_crypto(r);
    const char *id = atls_text_format(&r->policy->arena, r->err, "%.*s.%.*s", (int)team.len, (const char *)team.ptr,
                                      (int)bundle.len, (const char *)bundle.ptr);
    if (crypto == NULL || id == NULL) {
        return false;
    }
    out->app_id = atls_bytes_str(id);
    return atls_digest(crypto, ATLS_SHA256, &out->app_id, 1, out->rp_id_hash, r->err);
}

enum { TEAM, BUNDLE, SANDBOX, OVERRIDE, N_APP_MEMBERS };

static bool read_application(policy_reader *r, const char *path, const atls_json *v, atls_apple_application *out)
{
    static const char *const names[N_APP_MEMBERS] = {
        [TEAM] = "teamIdentifier",
        [BUNDLE] = "bundleIdentifier",
        [SANDBOX] = "sandbox",
        [OVERRIDE] = "iosVersionOverride",
    };
    const atls_json *values[N_APP_MEMBERS];
    const char *paths[N_APP_MEMBERS];
    if (path == NULL || !atls_policy_object(r, path, v, names, N_APP_MEMBERS, false, values)) {
        return false;
    }
    for (size_t i = 0; i < N_APP_MEMBERS; i++) {
        paths[i] = join(r, path, names[i]);
        if (paths[i] == NULL) {
            return false;
        }
    }
    return read_team(r, paths[TEAM], values[TEAM], out) && read_bundle(r, paths[BUNDLE], values[BUNDLE], out)
           && (values[SANDBOX] == NULL || atls_policy_flag(r, paths[SANDBOX], values[SANDBOX], &out->sandbox))
           && read_version(r, paths[OVERRIDE], values[OVERRIDE], &out->version) && make_app_id(r, out);
}

static bool read_applications(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (v->type != ATLS_JSON_ARRAY || v->n == 0 || v->n > ATLS_APPLE_MAX_APPLICATIONS) {
        return atls_policy_wrong(r, m->name, "an array of 1 to 64 applications", v);
    }
    atls_apple_application *items = atls_arena_array(&r->policy->arena, v->n, sizeof *items, r->err);
    if (items == NULL) {
        return false;
    }
    size_t i = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next, i++) {
        if (!read_application(r, atls_policy_path(r, m->name, i), item, &items[i])) {
            return false;
        }
    }
    r->policy->apple.applications = items;
    r->policy->apple.n_applications = v->n;
    return true;
}

/* ---- times ---- */

static bool read_validity(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t seconds = 0;
    if (!atls_policy_uint(r, m->name, v, INT64_MAX, &seconds)) {
        return false;
    }
    r->policy->apple.validity_s = (int64_t)seconds;
    return true;
}

static bool claim_offset(policy_reader *r, const policy_member *m)
{
    if (r->policy->apple.has_offset) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, m->name, "the document has an offset already");
    }
    r->policy->apple.has_offset = true;
    return true;
}

/* Digits and the letter of their unit, when that is what follows; *text is moved on. */
static bool take_part(atls_bytes *text, char unit, int64_t seconds, int64_t *sum)
{
    int64_t n = 0;
    size_t i = 0;
    while (i < text->len && i < 12 && text->ptr[i] >= '0' && text->ptr[i] <= '9') {
        n = 10 * n + (text->ptr[i] - '0');
        i++;
    }
    if (i == 0 || i == text->len || text->ptr[i] != (uint8_t)unit || n > MAX_OFFSET_S) {
        return false;
    }
    *sum += n * seconds;
    *text = atls_bytes_of(text->ptr + i + 1, text->len - i - 1);
    return true;
}

static bool take_letter(atls_bytes *text, char letter)
{
    if (text->len == 0 || text->ptr[0] != (uint8_t)letter) {
        return false;
    }
    *text = atls_bytes_of(text->ptr + 1, text->len - 1);
    return true;
}

/* ISO 8601, as kotlin.time.Duration prints it: "PT12H45M", "-PT30S", "P1D"; whole seconds. */
static bool parse_duration(atls_bytes text, int64_t *out)
{
    int64_t sum = 0;
    const bool is_negative = take_letter(&text, '-');
    if (!take_letter(&text, 'P') || text.len == 0) {
        return false;
    }
    (void)take_part(&text, 'D', 86400, &sum);
    if (take_letter(&text, 'T')) {
        const bool hours = take_part(&text, 'H', 3600, &sum);
        const bool minutes = take_part(&text, 'M', 60, &sum);
        if (!take_part(&text, 'S', 1, &sum) && !hours && !minutes) {
            return false;
        }
    }
    *out = is_negative ? -sum : sum;
    return text.len == 0 && sum <= MAX_OFFSET_S;
}

/* Two spellings of one thing: the document has one of them. */
static bool read_offset(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (!claim_offset(r, m)) {
        return false;
    }
    if (v->type != ATLS_JSON_STRING || !parse_duration(v->text, &r->policy->apple.offset_s)) {
        return atls_policy_wrong(r, m->name, "a duration such as PT12H45M, in whole seconds", v);
    }
    return true;
}

static bool read_offset_seconds(policy_reader *r, const policy_member *m, const atls_json *v)
{
    atls_bytes text = v->raw;
    int64_t seconds = 0;
    if (!claim_offset(r, m)) {
        return false;
    }
    const bool is_negative = v->type == ATLS_JSON_NUMBER && take_letter(&text, '-');
    if (v->type != ATLS_JSON_NUMBER || text.len == 0 || text.len > TEAM_LEN) {
        return atls_policy_wrong(r, m->name, "whole seconds, within a billion", v);
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return atls_policy_wrong(r, m->name, "whole seconds, within a billion", v);
        }
        seconds = 10 * seconds + (text.ptr[i] - '0');
    }
    r->policy->apple.offset_s = is_negative ? -seconds : seconds;
    return seconds <= MAX_OFFSET_S || atls_policy_wrong(r, m->name, "whole seconds, within a billion", v);
}

/* ---- roots ---- */

/* A root that is left out of the evidence cannot be named by its hash: it must stand here. */
static bool add_root(policy_reader *r, const char *path, atls_bytes der, atls_root *roots, size_t *n)
{
    atls_error why = {0};
    atls_bytes own;
    atls_anchor *anchor = atls_arena_alloc(&r->policy->arena, sizeof *anchor, r->err);
    const atls_crypto *crypto = atls_policy_crypto(r);
    if (anchor == NULL || crypto == NULL || !atls_arena_copy(&r->policy->arena, der, &own, r->err)) {
        return false;
    }
    if (*n == ATLS_APPLE_MAX_ROOTS) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, path, "more than %u roots", ATLS_APPLE_MAX_ROOTS);
    }
    if (!atls_root_from_der(crypto, own, anchor, &roots[*n], &why)) {
        return atls_fail_values(r->err, ATLS_E_CONFIGURATION, path, why.expected, why.actual,
                                "not usable as a root: %s", why.message);
    }
    *n += 1;
    return true;
}

static bool room_for_roots(policy_reader *r, atls_root **out)
{
    *out = atls_arena_array(&r->policy->arena, ATLS_APPLE_MAX_ROOTS, sizeof **out, r->err);
    return *out != NULL;
}

static bool read_anchors(policy_reader *r, const char *name, const atls_json *v, const atls_root **out, size_t *n)
{
    atls_root *roots;
    size_t i = 0;
    if (v->type == ATLS_JSON_NULL) {
        return true;
    }
    if (!atls_policy_list(r, name, v, 1) || !room_for_roots(r, &roots)) {
        return false;
    }
    *out = roots;
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        atls_bytes der;
        size_t n_der = 0;
        const char *path = atls_policy_path(r, name, i++);
        if (path == NULL) {
            return false;
        }
        if (item->type != ATLS_JSON_STRING || item->text.len > POLICY_MAX_ROOT_LEN) {
            return atls_policy_wrong(r, path, "one certificate in PEM", item);
        }
        if (!atls_pem_certificates(item->text, false, ATLS_E_CONFIGURATION, path, r->scratch, &der, 1, &n_der, r->err)
            || !add_root(r, path, der, roots, n)) {
            return false;
        }
    }
    return true;
}

static bool read_attestation_anchors(policy_reader *r, const policy_member *m, const atls_json *v)
{
    atls_apple_policy *p = &r->policy->apple;
    return read_anchors(r, m->name, v, &p->attestation_roots, &p->n_attestation_roots);
}

static bool read_receipt_anchors(policy_reader *r, const policy_member *m, const atls_json *v)
{
    atls_apple_policy *p = &r->policy->apple;
    return read_anchors(r, m->name, v, &p->receipt_roots, &p->n_receipt_roots);
}

/* Roots next to the document vouch for attestations: the two are not interchangeable, and receipts have a member. */
bool atls_policy_add_apple_roots(policy_reader *r, const atls_bytes *roots, size_t n)
{
    atls_apple_policy *p = &r->policy->apple;
    atls_root *all;
    if (n == 0) {
        return true;
    }
    if (!room_for_roots(r, &all)) {
        return false;
    }
    for (size_t i = 0; i < p->n_attestation_roots; i++) {
        all[i] = p->attestation_roots[i];
    }
    p->attestation_roots = all;
    for (size_t i = 0; i < n; i++) {
        if (roots[i].len > POLICY_MAX_ROOT_LEN) {
            return atls_fail(r->err, ATLS_E_PCK_CHAIN, "trusted_roots", "a root of %zu bytes; at most %u", roots[i].len,
                             POLICY_MAX_ROOT_LEN);
        }
        if (!add_root(r, "trusted_roots", roots[i], all, &p->n_attestation_roots)) {
            return false;
        }
    }
    return true;
}

#define ONLY_APPLE (1u << ATLS_POLICY_APPLE_APP_ATTEST)

const policy_member atls_policy_apple_members[] = {
    {"applications", ONLY_APPLE, read_applications, 0, 0},
    {"iosVersion", ONLY_APPLE, read_ios_version, 0, 0},
    {"attestationStatementValiditySeconds", ONLY_APPLE, read_validity, 0, 0},
    {"verificationTimeOffset", ONLY_APPLE, read_offset, 0, 0},
    {"verificationTimeOffsetSeconds", ONLY_APPLE, read_offset_seconds, 0, 0},
    {"attestationTrustAnchors", ONLY_APPLE, read_attestation_anchors, 0, 0},
    {"receiptTrustAnchors", ONLY_APPLE, read_receipt_anchors, 0, 0},
};
const size_t atls_policy_n_apple_members = sizeof atls_policy_apple_members / sizeof atls_policy_apple_members[0];

/* ---- rules between members ---- */

/* An app from the sandbox runs on anybody's developer device: every result shows that such are accepted. */
static void list_sandbox(policy_reader *r)
{
    const atls_apple_policy *p = &r->policy->apple;
    bool any = false;
    for (size_t i = 0; i < p->n_applications; i++) {
        any = any || p->applications[i].sandbox;
    }
    if (any) {
        r->insecure[r->policy->insecure.n++] = "sandbox";
    }
}

bool atls_policy_check_apple(policy_reader *r)
{
    atls_apple_policy *p = &r->policy->apple;
    if (p->n_applications == 0) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "applications", "required member is missing");
    }
    list_sandbox(r);
    return true;
}
