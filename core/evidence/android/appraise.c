/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: the modes in their order. The first that accepts the record ends it; if none does, one of their errors is told
 * (modes.c), and all of them are listed. */
#include "android.h"
#include "base/text.h"

typedef struct verdicts {
    atls_trace traces[ATLS_ANDROID_N_MODES]; /* of those with a chain */
    atls_error why[ATLS_ANDROID_N_MODES];
    bool tried[ATLS_ANDROID_N_MODES];
} verdicts;

static bool try_mode(const atls_android_claims *claims, const atls_android_policy *policy, atls_android_mode mode,
                     atls_time now, atls_arena *arena, verdicts *v)
{
    const atls_android_attempt *a = &claims->attempts[mode];
    v->tried[mode] = a->is_enabled;
    v->why[mode] = a->why;
    return a->is_enabled && a->has_chain && atls_trace_init(&v->traces[mode], arena, &v->why[mode])
           && android_mode_judge(claims, policy, mode, now, arena, &v->traces[mode], &v->why[mode])
           && v->why[mode].code == ATLS_OK;
}

static bool list_accepted(const verdicts *v, atls_android_mode accepted, atls_arena *arena, atls_trace *trace,
                          atls_error *err)
{
    for (unsigned m = 0; m < ATLS_ANDROID_N_MODES; m++) {
        if (m == (unsigned)accepted || !v->tried[m]) {
            continue;
        }
        const char *why = atls_text_format(arena, err, "this mode refused it (%s, %s), and another one accepted it",
                                           atls_android_reason(v->why[m].code), v->why[m].field);
        if (why == NULL || !atls_trace_na(trace, android_mode_id((atls_android_mode)m), "policy", why, err)) {
            return false;
        }
    }
    return atls_trace_pass(trace, "android.mode", "policy", atls_android_mode_name(accepted), err)
           && android_trace_copy(&v->traces[accepted], trace, err);
}

/* Check by check the mode that fits the record, because that is the one worth repairing; of the others how they ended. */
static bool list_refused(const atls_android_claims *claims, const verdicts *v, atls_trace *trace, atls_error *err)
{
    const atls_android_mode told = android_mode_of_error(v->why, v->tried);
    const bool fits = claims->mode != ATLS_ANDROID_MODE_NONE && v->tried[claims->mode];
    const atls_android_mode shown = fits ? claims->mode : told;
    if (told == ATLS_ANDROID_MODE_NONE) {
        return atls_fail(err, ATLS_E_INTERNAL, "android.mode", "no mode was tried");
    }
    for (unsigned m = 0; m < ATLS_ANDROID_N_MODES; m++) {
        const bool is_shown = m == (unsigned)shown && claims->attempts[m].has_chain;
        if (v->tried[m] && !is_shown) {
            (void)atls_trace_fail(trace, android_mode_id((atls_android_mode)m), &v->why[m]);
        }
    }
    if (err->code == ATLS_OK) {
        *err = v->why[told];
    }
    if (claims->attempts[shown].has_chain && !android_trace_copy(&v->traces[shown], trace, err)) {
        return false; /* a list that is full cannot show everything; it is a no already */
    }
    return false;
}

bool android_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                      atls_trace *trace, atls_error *err)
{
    verdicts v = {.tried = {false}};
    for (unsigned m = 0; m < ATLS_ANDROID_N_MODES; m++) {
        const atls_android_mode mode = (atls_android_mode)m;
        if (try_mode(&claims->android, &policy->android, mode, now, arena, &v)) {
            /* levels leave one mode only: another one that says yes is a mistake of ours */
            return mode == claims->android.mode
                       ? list_accepted(&v, mode, arena, trace, err)
                       : atls_fail(err, ATLS_E_INTERNAL, "android.mode", "a mode accepted a record of other levels");
        }
    }
    return list_refused(&claims->android, &v, trace, err);
}

/* Which apps, and who signed them: a policy without that cannot be made. */
bool android_names_code(const atls_policy *policy)
{
    return policy->android.n_applications > 0;
}
