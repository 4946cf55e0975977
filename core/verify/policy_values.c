/* SPDX-License-Identifier: Apache-2.0 */
/* policy_values.c: readers of single values, and of the members that every kind of policy shares.
 *
 * Every reader says what it wanted and what it found; the value of a policy is not a secret. */
#include <stdio.h>
#include <string.h>

#include "atls/time.h"
#include "base/limits.h"
#include "base/text.h"
#include "policy_reader.h"

/* No date is later than this one, so a grace period beyond it cannot have been meant. 9999-12-31T23:59:59Z. */
#define MAX_GRACE_PERIOD_S 253402300799u
#define MAX_ADVISORY_LEN   64u
#define MAX_SHOWN          60 /* characters of a value that an error repeats */

/* ---- single values ---- */

bool atls_policy_wrong(policy_reader *r, const char *path, const char *expected, const atls_json *v)
{
    char shown[MAX_SHOWN + 4];
    const char *actual = atls_json_type_name(v);
    if (v != NULL && (v->type == ATLS_JSON_STRING || v->type == ATLS_JSON_NUMBER)) {
        const int len = v->raw.len < MAX_SHOWN ? (int)v->raw.len : MAX_SHOWN;
        (void)snprintf(shown, sizeof shown, "%.*s%s", len, (const char *)v->raw.ptr,
                       v->raw.len > MAX_SHOWN ? ".." : "");
        actual = shown;
    }
    return atls_fail_values(r->err, ATLS_E_CONFIGURATION, path, expected, actual, "%s must be %s", path, expected);
}

const char *atls_policy_path(policy_reader *r, const char *name, size_t i)
{
    return atls_text_format(r->scratch, r->err, "%s[%zu]", name, i);
}

bool atls_policy_hex(policy_reader *r, const char *path, const atls_json *v, uint8_t *out, size_t n)
{
    const bool lower = r->policy->type == ATLS_POLICY_DSTACK_TDX;
    if (v->type == ATLS_JSON_STRING && (!lower || atls_is_lower_hex(v->text)) && atls_hex_fixed(v->text, out, n)) {
        return true;
    }
    char expected[64];
    (void)snprintf(expected, sizeof expected, "a string of %zu %shex digits", 2 * n, lower ? "lower-case " : "");
    return atls_policy_wrong(r, path, expected, v);
}

bool atls_policy_uint(policy_reader *r, const char *path, const atls_json *v, uint64_t max, uint64_t *out)
{
    atls_error unused = {0};
    if (atls_json_uint(v, path, max, out, &unused)) {
        return true;
    }
    char expected[64];
    (void)snprintf(expected, sizeof expected, "an integer from 0 to %llu", (unsigned long long)max);
    return atls_policy_wrong(r, path, expected, v);
}

bool atls_policy_flag(policy_reader *r, const char *path, const atls_json *v, bool *out)
{
    if (v->type != ATLS_JSON_TRUE && v->type != ATLS_JSON_FALSE) {
        return atls_policy_wrong(r, path, "true or false", v);
    }
    *out = v->type == ATLS_JSON_TRUE;
    return true;
}

static bool has_control(atls_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

bool atls_policy_text(policy_reader *r, const char *path, const atls_json *v, size_t max, atls_bytes *out)
{
    if (v->type != ATLS_JSON_STRING || v->text.len == 0 || v->text.len > max || has_control(v->text)) {
        char expected[64];
        (void)snprintf(expected, sizeof expected, "a string of 1 to %zu printable bytes", max);
        return atls_policy_wrong(r, path, expected, v);
    }
    return atls_arena_copy(&r->policy->arena, v->text, out, r->err);
}

bool atls_policy_list(policy_reader *r, const char *path, const atls_json *v, size_t min)
{
    if (v->type != ATLS_JSON_ARRAY || v->n < min || v->n > ATLS_MAX_POLICY_LIST) {
        char expected[64];
        (void)snprintf(expected, sizeof expected, "an array of %zu to %u entries", min, ATLS_MAX_POLICY_LIST);
        return atls_policy_wrong(r, path, expected, v);
    }
    return true;
}

static size_t index_of(atls_bytes word, const char *const *names, size_t n)
{
    size_t i = 0;
    while (i < n && !atls_bytes_equal_str(word, names[i])) {
        i++;
    }
    return i;
}

static bool unknown_in_object(policy_reader *r, const char *path, atls_bytes name, const char *const *names, size_t n)
{
    const char *field = atls_text_format(r->scratch, r->err, "%s.%.*s", path, name.len < 40 ? (int)name.len : 40,
                                         (const char *)name.ptr);
    const char *hint = atls_policy_nearest(name, names, n);
    if (field == NULL) {
        return false;
    }
    return atls_fail(r->err, ATLS_E_CONFIGURATION, field, "unknown member%s%s%s", hint == NULL ? "" : "; did you mean ",
                     hint == NULL ? "" : hint, hint == NULL ? "" : "?");
}

bool atls_policy_object(policy_reader *r, const char *path, const atls_json *v, const char *const *names, size_t n,
                        bool all, const atls_json **out)
{
    if (v->type != ATLS_JSON_OBJECT) {
        return atls_policy_wrong(r, path, "an object", v);
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = NULL;
    }
    for (const atls_json *member = v->child; member != NULL; member = member->next) {
        const size_t i = index_of(member->name, names, n);
        if (i == n) {
            return unknown_in_object(r, path, member->name, names, n);
        }
        out[i] = member;
    }
    for (size_t i = 0; all && i < n; i++) {
        if (out[i] == NULL) {
            const char *field = atls_text_format(r->scratch, r->err, "%s.%s", path, names[i]);
            return field != NULL && atls_fail(r->err, ATLS_E_CONFIGURATION, field, "required member is missing");
        }
    }
    return true;
}

/* ---- members without a value of their own ---- */

bool atls_policy_read_nothing(policy_reader *r, const policy_member *m, const atls_json *v)
{
    (void)r;
    (void)m;
    (void)v;
    return true;
}

bool atls_policy_read_description(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return v->type == ATLS_JSON_STRING || atls_policy_wrong(r, m->name, "a string", v);
}

/* ---- flags ---- */

bool atls_policy_read_flag(policy_reader *r, const policy_member *m, const atls_json *v)
{
    void *flag = (unsigned char *)r->policy + m->offset;
    return atls_policy_flag(r, m->name, v, flag);
}

bool atls_policy_read_insecure_flag(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (!atls_policy_read_flag(r, m, v)) {
        return false;
    }
    if (v->type == ATLS_JSON_TRUE) {
        r->insecure[r->policy->insecure.n++] = m->name;
    }
    return true;
}

/* DEBUG has a switch of its own and bits 1 to 7 are never acceptable, so a mask must not speak of them. */
bool atls_policy_read_attributes_mask(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint8_t bytes[8] = {0};
    if (!atls_policy_hex(r, m->name, v, bytes, sizeof bytes)) {
        return false;
    }
    if (bytes[0] != 0) {
        return atls_policy_wrong(r, m->name, "a mask without bits 0 to 7 (first byte 00)", v);
    }
    uint64_t mask = 0;
    for (size_t i = sizeof bytes; i > 0; i--) {
        mask = mask << 8 | bytes[i - 1];
    }
    r->policy->has_insecure_td_attributes_mask = true;
    r->policy->insecure_td_attributes_mask = mask;
    r->insecure[r->policy->insecure.n++] = m->name;
    return true;
}

/* ---- reference values ---- */

/* One value, or an array of values of which one must match. */
bool atls_policy_read_reference(policy_reader *r, const policy_member *m, const atls_json *v)
{
    const bool single = v->type != ATLS_JSON_ARRAY;
    if (!single && !atls_policy_list(r, m->name, v, 1)) {
        return false;
    }
    const size_t n = single ? 1 : v->n;
    uint8_t *values = atls_arena_array(&r->policy->arena, n, m->width, r->err);
    if (values == NULL) {
        return false;
    }
    const atls_json *item = single ? v : v->child;
    for (size_t i = 0; i < n; i++, item = item->next) {
        const char *path = single ? m->name : atls_policy_path(r, m->name, i);
        if (path == NULL || !atls_policy_hex(r, path, item, values + i * m->width, m->width)) {
            return false;
        }
    }
    r->references[r->policy->n_references++] =
        (atls_reference){.name = m->name, .width = m->width, .values = values, .n = n};
    return true;
}

/* ---- TCB ---- */

static bool read_status(policy_reader *r, const char *path, const atls_json *v)
{
    const atls_tcb_status status = v->type == ATLS_JSON_STRING ? atls_tcb_status_parse(v->text) : ATLS_TCB_UNKNOWN;
    if (status == ATLS_TCB_REVOKED) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, path, "Revoked cannot be allowed");
    }
    if (status == ATLS_TCB_UNKNOWN) {
        return atls_policy_wrong(r, path, "a TCB status", v);
    }
    r->policy->allowed_status[status] = true;
    return true;
}

bool atls_policy_read_statuses(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (!atls_policy_list(r, m->name, v, 1)) {
        return false;
    }
    r->policy->allowed_status[ATLS_TCB_UP_TO_DATE] = false; /* the default, which the list replaces */
    size_t i = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const char *path = atls_policy_path(r, m->name, i++);
        if (path == NULL || !read_status(r, path, item)) {
            return false;
        }
    }
    return true;
}

bool atls_policy_read_grace_period(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (v->type == ATLS_JSON_NULL && r->policy->type == ATLS_POLICY_DSTACK_TDX) {
        return true; /* null is absent there */
    }
    uint64_t seconds = 0;
    if (!atls_policy_uint(r, m->name, v, MAX_GRACE_PERIOD_S, &seconds)) {
        return false;
    }
    r->policy->has_grace_period = true;
    r->policy->grace_period_s = (int64_t)seconds;
    return true;
}

bool atls_policy_read_evaluation_number(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t number = 0;
    if (!atls_policy_uint(r, m->name, v, UINT32_MAX, &number)) {
        return false;
    }
    r->policy->has_min_tcb_evaluation_data_number = true;
    r->policy->min_tcb_evaluation_data_number = (uint32_t)number;
    return true;
}

/* INTEL-SA-00615, INTEL-DOC-10000. A name of another form never matches, so that a misspelt rejection would let through
 * what it was written against. */
static bool is_advisory(atls_bytes id)
{
    static const char vendor[] = "INTEL-";
    size_t at = sizeof vendor - 1;
    if (id.len < at || memcmp(id.ptr, vendor, at) != 0) {
        return false;
    }
    const size_t series = at;
    while (at < id.len && id.ptr[at] >= 'A' && id.ptr[at] <= 'Z') {
        at++;
    }
    if (at == series || at == id.len || id.ptr[at] != '-') {
        return false;
    }
    const size_t number = ++at;
    while (at < id.len && id.ptr[at] >= '0' && id.ptr[at] <= '9') {
        at++;
    }
    return at > number && at == id.len;
}

/* accepted_advisories may be empty: then none may apply. An empty list of rejected ones would say nothing. */
bool atls_policy_read_advisories(policy_reader *r, const policy_member *m, const atls_json *v)
{
    const bool accepted = strcmp(m->name, "accepted_advisories") == 0;
    if (!atls_policy_list(r, m->name, v, accepted ? 0 : 1)) {
        return false;
    }
    const char **items = atls_arena_array(&r->policy->arena, v->n, sizeof *items, r->err);
    size_t i = 0;
    for (const atls_json *item = v->child; items != NULL && item != NULL; item = item->next, i++) {
        const char *path = atls_policy_path(r, m->name, i);
        if (path == NULL) {
            return false;
        }
        if (item->type != ATLS_JSON_STRING || item->text.len > MAX_ADVISORY_LEN || !is_advisory(item->text)) {
            return atls_fail_values(r->err, ATLS_E_CONFIGURATION, path, "INTEL-SA- or INTEL-DOC- and a number",
                                    atls_json_type_name(item), "this is no name of an advisory");
        }
        items[i] = atls_text_copy(item->text, &r->policy->arena, r->err);
        if (items[i] == NULL) {
            return false;
        }
    }
    const atls_text_list list = {.items = items, .n = i};
    if (accepted) {
        r->policy->has_accepted_advisories = true;
        r->policy->accepted_advisories = list;
    } else {
        r->policy->rejected_advisories = list;
    }
    return items != NULL;
}

/* ---- numbers of enclaves and modules ---- */

bool atls_policy_read_isvprodid(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t number = 0;
    if (!atls_policy_uint(r, m->name, v, UINT16_MAX, &number)) {
        return false;
    }
    r->policy->has_isvprodid = true;
    r->policy->isvprodid = (uint16_t)number;
    return true;
}

bool atls_policy_read_min_isvsvn(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t number = 0;
    if (!atls_policy_uint(r, m->name, v, UINT16_MAX, &number)) {
        return false;
    }
    r->policy->has_min_isvsvn = true;
    r->policy->min_isvsvn = (uint16_t)number;
    return true;
}

bool atls_policy_read_min_tee_tcb_svn(policy_reader *r, const policy_member *m, const atls_json *v)
{
    r->policy->has_min_tee_tcb_svn = true;
    return atls_policy_hex(r, m->name, v, r->policy->min_tee_tcb_svn, sizeof r->policy->min_tee_tcb_svn);
}

bool atls_policy_read_revocation(policy_reader *r, const policy_member *m, const atls_json *v)
{
    static const char *const words[] = {
        [ATLS_REVOCATION_IF_AVAILABLE] = "if_available",
        [ATLS_REVOCATION_REQUIRE] = "require",
        [ATLS_REVOCATION_OFF] = "insecure_off",
    };
    const size_t n = sizeof words / sizeof words[0];
    const size_t i = v->type == ATLS_JSON_STRING ? index_of(v->text, words, n) : n;
    if (i == n) {
        return atls_policy_wrong(r, m->name, "require, if_available or insecure_off", v);
    }
    r->policy->revocation = (atls_revocation)i;
    if (r->policy->revocation == ATLS_REVOCATION_OFF) {
        r->insecure[r->policy->insecure.n++] = "insecure_revocation_off";
    }
    return true;
}

/* A session of no length could not carry anything. */
bool atls_policy_read_session_age(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t seconds = 0;
    if (!atls_policy_uint(r, m->name, v, UINT32_MAX, &seconds)) {
        return false;
    }
    r->policy->has_max_session_age = true;
    r->policy->max_session_age_s = (uint32_t)seconds;
    return seconds > 0 || atls_policy_wrong(r, m->name, "1 to 4294967295 seconds", v);
}

bool atls_policy_read_min_grade(policy_reader *r, const policy_member *m, const atls_json *v)
{
    r->policy->has_min_grade = true;
    return (v->type == ATLS_JSON_STRING && atls_grade_parse(v->text, &r->policy->min_grade))
           || atls_policy_wrong(r, m->name, "none, report_data, key, key_fresh, exporter or session", v);
}
