/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c: the claims of a result as lines of a page. What is written is the result's own JSON, taken apart again, so that
 * the page and the object can never say different things. */
#include "claims.h"

#include <string.h>

#include "base/json.h"

#define ARENA_SIZE ((size_t)16 * 1024 * 1024)
#define NAME_SIZE  96u
#define MAX_ITEMS  32u /* of a list; the object has all */

static void put_list(FILE *f, const atls_json *v);

static void put_value(FILE *f, const atls_json *v)
{
    if (v->type == ATLS_JSON_ARRAY) {
        put_list(f, v);
        return;
    }
    if (v->type == ATLS_JSON_NULL || (v->type == ATLS_JSON_STRING && v->text.len == 0)) {
        (void)fputs("none", f);
        return;
    }
    cli_put_bytes(f, v->type == ATLS_JSON_STRING ? v->text : v->raw);
}

static void put_list(FILE *f, const atls_json *v)
{
    size_t n = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next, n++) {
        if (n == MAX_ITEMS) {
            (void)fprintf(f, ", and %zu more (--json)", v->n - n);
            return;
        }
        (void)fputs(n == 0 ? "" : ", ", f);
        put_value(f, item);
    }
    (void)fputs(n == 0 ? "none" : "", f);
}

/* What is absent or zero says nothing, and would hide what does. */
static bool is_silent(const atls_json *v)
{
    if (v->type == ATLS_JSON_STRING) {
        size_t i = 0;
        while (i < v->text.len && v->text.ptr[i] == '0') {
            i++;
        }
        return i == v->text.len && i != 1;
    }
    return v->type == ATLS_JSON_NULL || (v->type == ATLS_JSON_ARRAY && v->n == 0);
}

static bool is_event(const atls_json *v)
{
    return v->type == ATLS_JSON_ARRAY && v->child != NULL && v->child->type == ATLS_JSON_OBJECT;
}

/* Members of members are named with a dot. Depth is bounded by the reader. */
static void put_members(FILE *f, const atls_json *object, const char *prefix)
{
    for (const atls_json *v = object->child; v != NULL; v = v->next) {
        char name[NAME_SIZE];
        (void)snprintf(name, sizeof name, "%s%s%.*s", prefix, prefix[0] == 0 ? "" : ".", (int)v->name.len,
                       (const char *)v->name.ptr);
        if (v->type == ATLS_JSON_OBJECT) {
            put_members(f, v, name);
            continue;
        }
        if (is_silent(v)) {
            continue;
        }
        (void)fprintf(f, "  %-13s ", name);
        if (is_event(v)) {
            (void)fprintf(f, "%zu (--json)", (size_t)v->n);
        } else {
            put_value(f, v);
        }
        (void)fputc('\n', f);
    }
}

static const atls_json *find_claims(const atls_result *r, atls_arena *a, atls_error *err)
{
    atls_bytes json;
    const atls_json *tree = NULL;
    if (!atls_result_json(r, NULL, a, &json, err) || !atls_json_parse(json, "result", a, &tree, err)) {
        return NULL;
    }
    return atls_json_find(tree, "claims");
}

void cli_claims_print(FILE *f, const atls_result *r)
{
    atls_arena a;
    atls_error err = {0};
    if (!atls_arena_new(&a, ARENA_SIZE, &err)) {
        return;
    }
    const atls_json *claims = find_claims(r, &a, &err);
    for (const atls_json *v = claims == NULL ? NULL : claims->child; v != NULL; v = v->next) {
        if (v->type == ATLS_JSON_OBJECT && !atls_bytes_equal_str(v->name, "event_log")) {
            put_members(f, v, "");
        }
    }
    if (claims == NULL) {
        (void)fputs("  (there is no room to show them)\n", f);
    }
    atls_arena_free(&a);
}
