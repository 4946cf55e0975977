/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: which application of the policy it is, and the list of comparisons. The first application that fits in every respect
 * counts. When none does, the first application's failure is the error (section 9), all of its comparisons are listed, and of
 * each other application its own first failure. */
#include "apple.h"
#include "base/text.h"

bool apple_find_application(const atls_apple_claims *c, const atls_apple_policy *p, atls_arena *arena, size_t *index,
                            atls_error *err)
{
    for (*index = 0; *index < p->n_applications; (*index)++) {
        apple_rows rows;
        if (!apple_compare(c, p, *index, APPLE_ALL, arena, &rows, err)) {
            return false;
        }
        if (apple_rows_failed(&rows) == NULL) {
            return true;
        }
    }
    return true;
}

static bool list_row(const apple_row *row, const char *id, atls_trace *trace, atls_error *err)
{
    if (row->verdict == APPLE_ROW_NA) {
        return atls_trace_na(trace, id, row->field, row->why, err);
    }
    return atls_trace_compare(trace, row->verdict == APPLE_ROW_PASS, id, row->code, row->field, row->expected,
                              row->actual, row->why, err);
}

static bool list_rows(const apple_rows *rows, atls_trace *trace, atls_error *err)
{
    bool ok = true;
    for (size_t i = 0; i < rows->n; i++) {
        ok = list_row(&rows->items[i], rows->items[i].id, trace, err) && ok;
    }
    return ok;
}

/* "applications[1].apple.rp_id_hash" */
static bool list_other(const apple_rows *rows, size_t application, atls_arena *arena, atls_trace *trace,
                       atls_error *err)
{
    const apple_row *failed = apple_rows_failed(rows);
    if (failed == NULL) {
        return true;
    }
    const char *id = atls_text_format(arena, err, "applications[%zu].%s", application, failed->id);
    return id != NULL && list_row(failed, id, trace, err);
}

bool apple_list_applications(const atls_apple_claims *c, const atls_apple_policy *p, apple_stage stage,
                             atls_arena *arena, atls_trace *trace, atls_error *err)
{
    bool ok = true;
    for (size_t i = 0; i < p->n_applications; i++) {
        apple_rows rows;
        if (!apple_compare(c, p, i, stage, arena, &rows, err)) {
            return false;
        }
        if (i == 0) {
            ok = list_rows(&rows, trace, err);
        } else {
            (void)list_other(&rows, i, arena, trace, err);
        }
    }
    return ok;
}

static bool fail_unmatched(atls_trace *trace, atls_error *err)
{
    if (err->code == ATLS_OK) { /* each of them failed, so that somebody must have said how */
        (void)atls_fail(err, ATLS_E_INTERNAL, "applications", "no application fits, and nobody said why");
        return atls_trace_fail(trace, "apple.application", err);
    }
    return false;
}

bool apple_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                    atls_trace *trace, atls_error *err)
{
    const atls_apple_claims *c = &claims->apple;
    apple_rows rows;
    (void)now; /* claims->apple.verified_ms has the offsets in it, and milliseconds */
    if (!c->present || !c->is_matched) {
        (void)apple_list_applications(c, &policy->apple, APPLE_ALL, arena, trace, err);
        return fail_unmatched(trace, err);
    }
    return apple_compare(c, &policy->apple, c->application, APPLE_ALL, arena, &rows, err)
           && list_rows(&rows, trace, err)
           && atls_trace_na(
               trace, "apple.app_version", "attestation",
               "App Attest does not say which version of the app runs: every one of this App ID is accepted", err);
}
