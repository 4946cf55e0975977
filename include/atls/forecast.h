/* SPDX-License-Identifier: Apache-2.0 */
/* forecast.h: when will this start to fail, and why?
 *
 * Evidence that is accepted today is refused one day: a list or a document passes its nextUpdate, a certificate its notAfter, a
 * grace period ends, evidence grows too old for its policy. A forecast does not compute that day by rules of its own. It
 * gathers the dates that could matter, and makes the real appraisal at each of them and one second later, until one refuses;
 * between that and the last that accepted it then looks for the first second at which it refuses. What it says is what the
 * verifier will say, as long as evidence, endorsements and policy stay what they are. Pure but for the callbacks. */
#ifndef ATLS_FORECAST_H
#define ATLS_FORECAST_H

#include "verifier.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_FORECAST_MAX_DATES 256u

typedef struct atls_forecast_question {
    const atls_policy *policy;
    atls_appraisal
        appraisal; /* evidence, log, endorsements, binding (perhaps none), and `now`, from which to look ahead */
    atls_endorse_fn early; /* a second set of endorsements, of Intel's "early" channel for instance; NULL: none */
    void *early_ctx;
} atls_forecast_question;

/* A date that could matter. */
typedef struct atls_forecast_date {
    atls_time time;   /* the last second at which it holds */
    const char *what; /* "nextUpdate of the TCB info", "notAfter of Intel SGX TCB Signing" */
    bool is_evidence; /* it came with the evidence: newer evidence may have a later one, whatever the endorsements */
} atls_forecast_date;

/* A version that is short of the newest level that its vendor calls up to date. */
typedef struct atls_forecast_gap {
    const char *component; /* "sgx_tcb_component[3]", "pcesvn", "tee_tcb_svn[2]", "tdx_module.isvsvn", "qe.isvsvn" */
    uint32_t have;
    uint32_t need;
} atls_forecast_gap;

/* What one set of endorsements says now. */
typedef struct atls_forecast_verdict {
    bool accepted;
    atls_error error;       /* when not */
    bool has_tcb;           /* DCAP, and authentic: the rest is there */
    atls_tcb_status status; /* the converged one; UNKNOWN: no level covers the platform, or it is revoked */
    uint32_t evaluation_data_number;
    const atls_forecast_gap *gaps; /* empty: nothing is short */
    size_t n_gaps;
} atls_forecast_verdict;

typedef struct atls_forecast {
    atls_forecast_verdict now;
    bool has_early;
    atls_forecast_verdict early;     /* "what the early TCB set would say today" */
    bool fails;                      /* it is refused now, or some day up to the last date that is known */
    atls_time first_failure;         /* the first second of refusal */
    atls_error failure;              /* what the verifier says then */
    const char *because;             /* of the dates, the one that passes at that second; "" when none does */
    const atls_forecast_date *dates; /* in their order, those before `now` too */
    size_t n_dates;
    size_t n_appraisals;   /* that were made */
    bool leaves_out_grade; /* the policy asks for a grade, which only a live session has: it was not asked for here */
    atls_grade min_grade;  /* that one, of several alternatives the highest */
} atls_forecast;

/* atls_forecast_make looks ahead. Each set of endorsements is asked for once for each different request.
 *
 * A question without a binding (grade NONE: a file, say) is about evidence without its session. What only that could show, the policy's
 * min_grade, is left out, and *out says so; what is said then is the rest of the verifier's answer. With a binding (a live peer's,
 * a recording's) everything is asked.
 *
 * arena  ATLS_ARENA_DEFAULT_SIZE or more: two thirds of what is left are for the appraisals
 * out    points into the arena and into the evidence
 *
 * Returns true when the question could be answered, whatever the answer. Errors: USAGE, MEMORY, LIMIT, INTERNAL; evidence that
 * cannot be decoded or endorsements that cannot be had are an answer (now.error), not an error. */
ATLS_MUST_USE bool atls_forecast_make(const atls_forecast_question *question, atls_arena *arena, atls_forecast *out,
                                      atls_error *err);

#ifdef __cplusplus
}
#endif
#endif
