/* SPDX-License-Identifier: Apache-2.0 */
/* claims.h: the vocabulary, below the formats: claims, and the list of checks that an appraisal leaves behind.
 *
 * Claims themselves are public (atls/result.h). Here are the names under which a policy addresses them, and the trace. */
#ifndef ATLS_CLAIMS_H
#define ATLS_CLAIMS_H

#include "atls/result.h"
#include "base/limits.h"

/* Byte-string claims that a policy may list reference values for: policy member, member of the struct, bytes. */
#define ATLS_TD_FIELDS(X)                                                                                              \
    X("mrtd", mrtd, 48)                                                                                                \
    X("rtmr0", rtmr[0], 48)                                                                                            \
    X("rtmr1", rtmr[1], 48)                                                                                            \
    X("rtmr2", rtmr[2], 48)                                                                                            \
    X("rtmr3", rtmr[3], 48)                                                                                            \
    X("mrseam", mrseam, 48)                                                                                            \
    X("mrsignerseam", mrsignerseam, 48)                                                                                \
    X("seamattributes", seamattributes, 8)                                                                             \
    X("tdattributes", tdattributes, 8)                                                                                 \
    X("xfam", xfam, 8)                                                                                                 \
    X("mrconfigid", mrconfigid, 48)                                                                                    \
    X("mrowner", mrowner, 48)                                                                                          \
    X("mrownerconfig", mrownerconfig, 48)                                                                              \
    X("tee_tcb_svn", tee_tcb_svn, 16)                                                                                  \
    X("reportdata", reportdata, 64)

/* Only in TD report 1.5: a policy that lists them refuses a report without them. */
#define ATLS_TD15_FIELDS(X)                                                                                            \
    X("tee_tcb_svn2", tee_tcb_svn2, 16)                                                                                \
    X("mrservicetd", mrservicetd, 48)

#define ATLS_SGX_FIELDS(X)                                                                                             \
    X("mrenclave", mrenclave, 32)                                                                                      \
    X("mrsigner", mrsigner, 32)                                                                                        \
    X("cpusvn", cpusvn, 16)                                                                                            \
    X("miscselect", miscselect, 4)                                                                                     \
    X("attributes", attributes, 16)                                                                                    \
    X("reportdata", reportdata, 64)

/* Members of atls_dcap_claims, for every DCAP policy. "machines" is the list of PPIDs. */
#define ATLS_DCAP_FIELDS(X)                                                                                            \
    X("machines", ppid, 16)                                                                                            \
    X("fmspc", fmspc, 6)                                                                                               \
    X("pceid", pceid, 2)                                                                                               \
    X("qe_vendor_id", qe_vendor_id, 16)                                                                                \
    X("platform_instance_id", platform_instance_id, 16)

/* The list of checks. A trace that is full or out of memory fails the appraisal (ATLS_E_LIMIT, ATLS_E_MEMORY). */
typedef struct atls_trace {
    atls_check *items;
    size_t n;
    size_t cap;
    atls_arena *arena;
} atls_trace;

ATLS_MUST_USE bool atls_trace_init(atls_trace *t, atls_arena *a, atls_error *err);

/* Each returns false only when err is set: pass and skip when the trace is full; fail always (after recording the check with
 * what err says). id, field and why are static text or live in the arena. actual may be NULL. */
ATLS_MUST_USE bool atls_trace_pass(atls_trace *t, const char *id, const char *field, const char *actual,
                                   atls_error *err);
ATLS_MUST_USE bool atls_trace_skip(atls_trace *t, const char *id, const char *field, const char *why, atls_error *err);
ATLS_MUST_USE bool atls_trace_na(atls_trace *t, const char *id, const char *field, const char *why, atls_error *err);
/* atls_trace_fail records err (already set) under id and returns false. */
bool atls_trace_fail(atls_trace *t, const char *id, const atls_error *err);

/* atls_trace_step is for the chain of authenticate: records a pass when ok, the failure in err otherwise; returns ok. */
ATLS_MUST_USE bool atls_trace_step(atls_trace *t, bool ok, const char *id, const char *field, atls_error *err);

/* For appraise, where every mismatch is listed and the first one is the error: record one comparison and go on. A
 * failure is recorded in the trace and, if it is the first, in err. Returns false when it failed. */
bool atls_trace_compare(atls_trace *t, bool ok, const char *id, atls_code code, const char *field, const char *expected,
                        const char *actual, const char *why, atls_error *err);

#endif
