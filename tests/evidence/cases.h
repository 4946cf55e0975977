/* SPDX-License-Identifier: Apache-2.0 */
/* cases.h: the tables of lies. A case is the honest room of the simulator plus a few settings (sim/README.md),
 * appraised through the public API, and what must come of it: a code and a field, or a TCB status.
 *
 * The policy is the room's own, and allows every status that can be allowed: so a status is seen, not refused. A
 * setting "policy.<member>" of a case changes it again. */
#ifndef ATLS_TESTS_CASES_H
#define ATLS_TESTS_CASES_H

#include "sim/sim.h"
#include "tap.h"

#define CASE_MAX_SETTINGS 24

typedef struct sim_case {
    const char *name;
    sim_kind kind;
    const char *settings[CASE_MAX_SETTINGS];
    atls_code code;                     /* ATLS_OK: accepted */
    const char *field;                  /* of the error */
    const char *status;                 /* of the result */
    const char *advisories;             /* joined by commas; NULL: not looked at */
    bool (*also)(const atls_result *r); /* more to see in an accepted result */
} sim_case;

/* How a row ends. */
#define REFUSED(error, at)            ATLS_E_##error, at, NULL, NULL, NULL
#define STATUS(text)                  ATLS_OK, NULL, text, NULL, NULL
#define STATUS_ADVISORIES(text, list) ATLS_OK, NULL, text, list, NULL
#define STATUS_ALSO(text, function)   ATLS_OK, NULL, text, NULL, function

/* case_run appraises one case and fails the test when the outcome is another one. */
void case_run(const sim_case *c);
/* case_test is case_run as a test of cmocka, *state being the case. */
void case_test(void **state);
/* cases_add appends every row of a table to the list. */
void cases_add(tap_list *l, const sim_case *table, size_t n);

/* ---- the same in pieces, for tests that need more than a row ---- */

typedef struct appraised {
    bool accepted;
    atls_error err;
    atls_result result;
    atls_arena arena; /* of everything here */
    sim *room;
    atls_policy *policy;
    atls_verifier *verifier;
    atls_grade grade; /* that the binding proves */
    uint8_t report_data[64];
    atls_bytes quote;
    atls_bytes event_log;
    atls_endorsements endorsements;
} appraised;

/* appraised_open makes a room and what is appraised of it; the test fails when that is not possible. policy_kind NULL
 * is "tdx" or "sgx". A policy that is refused leaves policy NULL and its error in err. */
void appraised_open(appraised *a, sim_kind kind, const char *const *settings, const char *policy_kind);
/* appraised_run appraises a->quote, a->event_log and a->endorsements as they are now, at the room's time. */
void appraised_run(appraised *a);
void appraised_close(appraised *a);
/* case_check compares what came of it with the row. */
void case_check(const sim_case *c, const appraised *a);

#endif
