/* SPDX-License-Identifier: Apache-2.0 */
/* forecast.h (core): what the steps of a forecast hand to each other. forecast.c and forecast_dates.c only. */
#ifndef ATLS_VERIFY_FORECAST_H
#define ATLS_VERIFY_FORECAST_H

#include "atls/forecast.h"

#define FORECAST_MAX_ANSWERS 16u

/* What was answered to a request. The same question is asked once, whatever the number of appraisals. */
typedef struct forecast_answer {
    atls_endorsement_request request;
    bool found;
    atls_endorsements endorsements;
    atls_error error;
} forecast_answer;

typedef struct forecast_source {
    atls_endorse_fn endorse;
    void *ctx;
    atls_arena *arena; /* that outlives the single appraisal */
    forecast_answer answers[FORECAST_MAX_ANSWERS];
    size_t n;
} forecast_source;

/* A list of dates that grows to ATLS_FORECAST_MAX_DATES, and then takes no more. */
typedef struct forecast_dates {
    atls_forecast_date *items;
    size_t n;
    atls_arena *arena;
} forecast_dates;

/* atls_forecast_gather fills in the dates of evidence and of what a source answered, in their order. What cannot be read has
 * none. Errors: MEMORY. */
ATLS_MUST_USE bool atls_forecast_gather(const forecast_source *source, atls_bytes evidence, atls_arena *arena,
                                        forecast_dates *out, atls_error *err);

/* atls_forecast_note adds one more, in its place. Errors: MEMORY. */
ATLS_MUST_USE bool atls_forecast_note(forecast_dates *d, atls_time time, const char *what, bool is_evidence,
                                      atls_error *err);

#endif
