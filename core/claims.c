/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c: the trace, the list of checks that an appraisal leaves behind.
 *
 * The list has room for ATLS_MAX_CHECKS entries from the start. A pass that does not fit is a failure, because a yes
 * must list everything it rests on; a fail that does not fit is only not listed, it is a no already. */
#include "claims.h"

#include <string.h>

bool atls_trace_init(atls_trace *t, atls_arena *a, atls_error *err)
{
    *t = (atls_trace){.arena = a};
    t->items = atls_arena_array(a, ATLS_MAX_CHECKS, sizeof *t->items, err);
    t->cap = t->items == NULL ? 0 : ATLS_MAX_CHECKS; /* without memory there is room for nothing, also for a no */
    return t->items != NULL;
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

static bool put(atls_trace *t, atls_check check)
{
    if (t->n >= t->cap) {
        return false;
    }
    check.id = or_empty(check.id);
    check.field = or_empty(check.field);
    check.expected = or_empty(check.expected);
    check.actual = or_empty(check.actual);
    check.why = or_empty(check.why);
    t->items[t->n++] = check;
    return true;
}

static bool put_or_fail(atls_trace *t, atls_check check, atls_error *err)
{
    if (!put(t, check)) {
        return atls_fail(err, ATLS_E_LIMIT, "checks", "an appraisal lists at most %zu checks", t->cap);
    }
    return true;
}

bool atls_trace_pass(atls_trace *t, const char *id, const char *field, const char *actual, atls_error *err)
{
    return put_or_fail(t, (atls_check){.id = id, .verdict = ATLS_CHECK_PASS, .field = field, .actual = actual}, err);
}

bool atls_trace_skip(atls_trace *t, const char *id, const char *field, const char *why, atls_error *err)
{
    return put_or_fail(t, (atls_check){.id = id, .verdict = ATLS_CHECK_SKIPPED, .field = field, .why = why}, err);
}

bool atls_trace_na(atls_trace *t, const char *id, const char *field, const char *why, atls_error *err)
{
    return put_or_fail(t, (atls_check){.id = id, .verdict = ATLS_CHECK_NOT_APPLICABLE, .field = field, .why = why},
                       err);
}

/* An atls_error is overwritten or goes out of scope; the list lives as long as the arena. Without memory the entry
 * keeps its id, verdict and code. */
static const char *keep(atls_trace *t, const char *text)
{
    atls_error ignored = {.code = ATLS_OK};
    size_t size = strlen(text) + 1;
    char *copy = (char *)atls_arena_raw(t->arena, size, &ignored);
    if (copy == NULL) {
        return "";
    }
    memcpy(copy, text, size);
    return copy;
}

bool atls_trace_fail(atls_trace *t, const char *id, const atls_error *err)
{
    (void)put(t, (atls_check){
                     .id = id,
                     .verdict = ATLS_CHECK_FAIL,
                     .code = err->code == ATLS_OK ? ATLS_E_INTERNAL : err->code,
                     .field = keep(t, err->field),
                     .expected = keep(t, err->expected),
                     .actual = keep(t, err->actual),
                     .why = keep(t, err->message),
                 });
    return false;
}

bool atls_trace_step(atls_trace *t, bool ok, const char *id, const char *field, atls_error *err)
{
    if (ok) {
        return atls_trace_pass(t, id, field, NULL, err);
    }
    if (err->code == ATLS_OK) {
        /* somebody said no and did not say why; it must not look like a yes */
        (void)atls_fail(err, ATLS_E_INTERNAL, field, "a check failed without a reason");
    }
    return atls_trace_fail(t, id, err);
}

bool atls_trace_compare(atls_trace *t, bool ok, const char *id, atls_code code, const char *field, const char *expected,
                        const char *actual, const char *why, atls_error *err)
{
    if (ok) {
        return put_or_fail(
            t,
            (atls_check){.id = id, .verdict = ATLS_CHECK_PASS, .field = field, .expected = expected, .actual = actual},
            err);
    }
    (void)put(t, (atls_check){
                     .id = id,
                     .verdict = ATLS_CHECK_FAIL,
                     .code = code == ATLS_OK ? ATLS_E_INTERNAL : code,
                     .field = field,
                     .expected = expected,
                     .actual = actual,
                     .why = why == NULL ? atls_code_text(code) : why,
                 });
    /* no format string of anybody else's: why is text */
    return atls_fail_values(err, code, field, expected, actual, "%s", why == NULL ? atls_code_text(code) : why);
}
