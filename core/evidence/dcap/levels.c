/* SPDX-License-Identifier: Apache-2.0 */
/* levels.c: TCB levels out of signed JSON, sorted as the specification's section 7 says.
 *
 * Levels are the biggest part of an appraisal's JSON, so that paths of fields are only put together when something is
 * wrong, on the way out. */
#include "levels.h"

#include <stdio.h>
#include <string.h>

#define N_COMPONENTS 16u

bool dcap_json_at(atls_error *err, const char *name, size_t i)
{
    char path[sizeof err->field];
    snprintf(path, sizeof path, "%s[%zu]", name, i);
    return atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, path);
}

dcap_shown dcap_show(atls_bytes text)
{
    dcap_shown out;
    snprintf(out.text, sizeof out.text, "%.*s", (int)(text.len < 47 ? text.len : 47), (const char *)text.ptr);
    return out;
}

bool dcap_json_time(const atls_json *obj, const char *name, atls_time *out, atls_error *err)
{
    atls_bytes text;
    if (!atls_json_member_text(obj, "", name, &text, err)) {
        return false;
    }
    if (atls_time_parse(text, out)) {
        return true;
    }
    return atls_fail_values(err, ATLS_E_ENCODING, name, "YYYY-MM-DDTHH:MM:SSZ", dcap_show(text).text,
                            "a date that cannot be read");
}

bool dcap_json_document(atls_bytes text, atls_arena *a, const atls_json **out, atls_error *err)
{
    if (text.len > ATLS_MAX_SIGNED_JSON_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "", "a signed document has at most %u bytes", ATLS_MAX_SIGNED_JSON_LEN);
    }
    if (!atls_json_parse(text, "", a, out, err)) {
        return false;
    }
    if ((*out)->type != ATLS_JSON_OBJECT) {
        return atls_fail_values(err, ATLS_E_ENCODING, "", "object", atls_json_type_name(*out), NULL);
    }
    return true;
}

static bool read_svn(const atls_json *tcb, const char *name, uint64_t max, uint16_t *out, atls_error *err)
{
    uint64_t value;
    if (!atls_json_uint(atls_json_find(tcb, name), name, max, &value, err)) {
        return false;
    }
    *out = (uint16_t)value;
    return true;
}

static bool read_components(const atls_json *tcb, const char *name, uint8_t out[N_COMPONENTS], atls_error *err)
{
    const atls_json *list;
    if (!atls_json_member(tcb, "", name, ATLS_JSON_ARRAY, &list, err)) {
        return false;
    }
    if (list->n != N_COMPONENTS) {
        char actual[24];
        snprintf(actual, sizeof actual, "%u elements", (unsigned)list->n);
        return atls_fail_values(err, ATLS_E_ENCODING, name, "16 elements", actual, NULL);
    }
    size_t i = 0;
    for (const atls_json *c = list->child; c != NULL; c = c->next, i++) {
        uint16_t svn;
        if (!read_svn(c, "svn", UINT8_MAX, &svn, err)) {
            return dcap_json_at(err, name, i);
        }
        out[i] = (uint8_t)svn;
    }
    return true;
}

static bool read_flat_components(const atls_json *tcb, uint8_t out[N_COMPONENTS], atls_error *err)
{
    static const char *const names[N_COMPONENTS] = {
        "sgxtcbcomp01svn", "sgxtcbcomp02svn", "sgxtcbcomp03svn", "sgxtcbcomp04svn",
        "sgxtcbcomp05svn", "sgxtcbcomp06svn", "sgxtcbcomp07svn", "sgxtcbcomp08svn",
        "sgxtcbcomp09svn", "sgxtcbcomp10svn", "sgxtcbcomp11svn", "sgxtcbcomp12svn",
        "sgxtcbcomp13svn", "sgxtcbcomp14svn", "sgxtcbcomp15svn", "sgxtcbcomp16svn",
    };
    for (size_t i = 0; i < N_COMPONENTS; i++) {
        uint16_t svn;
        if (!read_svn(tcb, names[i], UINT8_MAX, &svn, err)) {
            return false;
        }
        out[i] = (uint8_t)svn;
    }
    return true;
}

static bool read_tcb(const atls_json *tcb, dcap_level_kind kind, dcap_tcb_level *out, atls_error *err)
{
    switch (kind) {
    case DCAP_LEVEL_FLAT:
        return read_flat_components(tcb, out->sgx, err) && read_svn(tcb, "pcesvn", UINT16_MAX, &out->pcesvn, err);
    case DCAP_LEVEL_SGX:
        return read_components(tcb, "sgxtcbcomponents", out->sgx, err)
               && read_svn(tcb, "pcesvn", UINT16_MAX, &out->pcesvn, err);
    case DCAP_LEVEL_TDX:
        return read_components(tcb, "sgxtcbcomponents", out->sgx, err)
               && read_svn(tcb, "pcesvn", UINT16_MAX, &out->pcesvn, err)
               && read_components(tcb, "tdxtcbcomponents", out->tdx, err);
    case DCAP_LEVEL_ISV:
        return read_svn(tcb, "isvsvn", UINT16_MAX, &out->pcesvn, err);
    }
    return atls_fail(err, ATLS_E_INTERNAL, "tcb", "a kind of level that does not exist");
}

/* The two relaunch statuses are ours to derive; Intel's documents never say them. */
static bool status_fits(atls_tcb_status status, dcap_level_kind kind)
{
    switch (status) {
    case ATLS_TCB_UP_TO_DATE:
    case ATLS_TCB_OUT_OF_DATE:
    case ATLS_TCB_REVOKED:
        return true;
    case ATLS_TCB_SW_HARDENING_NEEDED:
    case ATLS_TCB_CONFIGURATION_NEEDED:
    case ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
    case ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED:
        return kind != DCAP_LEVEL_ISV;
    default:
        return false;
    }
}

static bool read_status(const atls_json *level, dcap_level_kind kind, atls_tcb_status *out, atls_error *err)
{
    atls_bytes text;
    if (!atls_json_member_text(level, "", "tcbStatus", &text, err)) {
        return false;
    }
    *out = atls_tcb_status_parse(text);
    if (status_fits(*out, kind)) {
        return true;
    }
    const char *expected = kind == DCAP_LEVEL_ISV ? "UpToDate, OutOfDate or Revoked" : "a TCB status";
    return atls_fail_values(err, ATLS_E_ENCODING, "tcbStatus", expected, dcap_show(text).text, NULL);
}

static bool read_advisories(const atls_json *level, atls_arena *a, atls_text_list *out, atls_error *err)
{
    *out = (atls_text_list){0};
    if (atls_json_find(level, "advisoryIDs") == NULL) {
        return true;
    }
    const atls_json *list;
    if (!atls_json_member(level, "", "advisoryIDs", ATLS_JSON_ARRAY, &list, err)) {
        return false;
    }
    if (list->n > ATLS_MAX_ADVISORIES) {
        return atls_fail(err, ATLS_E_LIMIT, "advisoryIDs", "at most %u advisories", ATLS_MAX_ADVISORIES);
    }
    const char **items = atls_arena_array(a, list->n, sizeof *items, err);
    if (items == NULL) {
        return false;
    }
    for (const atls_json *id = list->child; id != NULL; id = id->next) {
        if (id->type != ATLS_JSON_STRING || memchr(id->text.ptr, 0, id->text.len) != NULL) {
            return atls_fail_values(err, ATLS_E_ENCODING, "advisoryIDs", "strings without NUL", atls_json_type_name(id),
                                    NULL);
        }
        items[out->n] = atls_text_copy(id->text, a, err);
        if (items[out->n] == NULL) {
            return false;
        }
        out->n++;
    }
    out->items = items;
    return true;
}

static bool read_level(const atls_json *level, dcap_level_kind kind, atls_arena *a, dcap_tcb_level *out,
                       atls_error *err)
{
    const atls_json *tcb;
    if (!atls_json_member(level, "", "tcb", ATLS_JSON_OBJECT, &tcb, err)) {
        return false;
    }
    if (!read_tcb(tcb, kind, out, err)) {
        return atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "tcb");
    }
    return dcap_json_time(level, "tcbDate", &out->date, err) && read_status(level, kind, &out->status, err)
           && read_advisories(level, a, &out->advisories, err);
}

/* Section 7: SGX components as one number, then PCESVN (or ISVSVN), then TDX components. An order for the walk only,
 * never a match. */
static int compare_keys(const dcap_tcb_level *a, const dcap_tcb_level *b)
{
    int sgx = memcmp(a->sgx, b->sgx, sizeof a->sgx);
    if (sgx != 0) {
        return sgx;
    }
    if (a->pcesvn != b->pcesvn) {
        return a->pcesvn < b->pcesvn ? -1 : 1;
    }
    return memcmp(a->tdx, b->tdx, sizeof a->tdx);
}

/* Intel's lists are sorted already, which costs one comparison a level here. False when the key is there already. */
static bool insert_level(dcap_tcb_level *levels, size_t n, const dcap_tcb_level *new_level)
{
    size_t at = n;
    int order = -1;
    while (at > 0 && (order = compare_keys(new_level, &levels[at - 1])) > 0) {
        at--;
    }
    if (at > 0 && order == 0) {
        return false;
    }
    memmove(&levels[at + 1], &levels[at], (n - at) * sizeof *levels);
    levels[at] = *new_level;
    return true;
}

bool dcap_levels_read(const atls_json *parent, dcap_level_kind kind, atls_arena *a, const dcap_tcb_level **out,
                      size_t *n, atls_error *err)
{
    const atls_json *list;
    if (!atls_json_member(parent, "", "tcbLevels", ATLS_JSON_ARRAY, &list, err)) {
        return false;
    }
    if (list->n == 0 || list->n > ATLS_MAX_TCB_LEVELS) {
        return atls_fail(err, ATLS_E_ENCODING, "tcbLevels", "1 to %u levels are expected, there are %u",
                         ATLS_MAX_TCB_LEVELS, (unsigned)list->n);
    }
    dcap_tcb_level *levels = atls_arena_array(a, list->n, sizeof *levels, err);
    if (levels == NULL) {
        return false;
    }
    *n = 0;
    for (const atls_json *l = list->child; l != NULL; l = l->next) {
        dcap_tcb_level level = {0};
        if (!read_level(l, kind, a, &level, err)) {
            return dcap_json_at(err, "tcbLevels", *n);
        }
        if (!insert_level(levels, *n, &level)) {
            (void)atls_fail(err, ATLS_E_ENCODING, "tcb", "another level has the same SVNs");
            return dcap_json_at(err, "tcbLevels", *n);
        }
        (*n)++;
    }
    *out = levels;
    return true;
}
