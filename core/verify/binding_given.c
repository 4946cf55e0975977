/* SPDX-License-Identifier: Apache-2.0 */
/* binding_given.c: whether what an appraisal was given to compare can bind anything. */
#include <string.h>

#include "native_binding.h"
#include "verifier.h"

static bool is_beyond_zero(const atls_binding *b)
{
    const size_t len = b->value_len == 0 ? sizeof b->value : b->value_len;
    return !atls_bytes_is_zero(atls_bytes_of(b->value + len, sizeof b->value - len));
}

/* A challenge stands in place of the value, and only a room that compares it whole can take one. */
static bool check_challenge(const atls_binding *b, bool has_value, bool binds_itself, atls_error *err)
{
    if (b->challenge.len == 0) {
        return true;
    }
    if (b->challenge.len > ATLS_MAX_CHALLENGE_LEN || has_value || b->grade == ATLS_GRADE_NONE) {
        return atls_fail(err, ATLS_E_USAGE, "binding.challenge",
                         "a challenge has at most 65536 bytes, stands in place of a value, and has a grade");
    }
    return binds_itself
           || atls_fail(err, ATLS_E_USAGE, "binding.challenge", "only evidence of phones holds a challenge");
}

/* A value that anybody can guess binds nothing, and a value without a grade would silently not be compared. */
bool atls_binding_check(const atls_binding *b, bool binds_itself, atls_error *err)
{
    const bool no_value = atls_bytes_is_zero(atls_bytes_of(b->value, sizeof b->value));
    const bool zero = no_value && b->challenge.len == 0;
    if ((unsigned)b->grade > ATLS_GRADE_SESSION) {
        return atls_fail(err, ATLS_E_USAGE, "binding.grade", "no such grade");
    }
    if (b->grade == ATLS_GRADE_NONE && !zero) {
        return atls_fail(err, ATLS_E_USAGE, "binding.grade",
                         "a binding value is given, but no grade that it would prove");
    }
    if (b->value_len > sizeof b->value || is_beyond_zero(b)) {
        return atls_fail(err, ATLS_E_USAGE, "binding.value_len", "the value is longer than it says");
    }
    if (b->grade != ATLS_GRADE_NONE && zero) {
        return atls_fail(err, ATLS_E_USAGE, "binding.value", "a binding value of zeros binds nothing");
    }
    if (binds_itself && atls_binding_is_native(b) && (b->challenge.len > 0 || b->value_len % sizeof b->value != 0)) {
        return atls_fail(err, ATLS_E_USAGE, "binding.value", "a session of atls/1 has a value of 64 bytes");
    }
    return check_challenge(b, !no_value, binds_itself, err);
}

bool atls_binding_is_session(const atls_binding *b)
{
    return b->profile != NULL && b->profile[0] != '\0';
}

bool atls_binding_is_native(const atls_binding *b)
{
    return atls_binding_is_session(b) && strcmp(b->profile, ATLS_NATIVE_PROFILE) == 0 && b->grade == ATLS_GRADE_SESSION;
}

bool atls_binding_judge_own(const atls_binding *b, const atls_claims *claims, atls_trace *trace, atls_error *err)
{
    const bool is_native = atls_binding_is_native(b);
    const bool is_foreign = atls_binding_is_session(b) && !is_native;
    const bool ok = claims->is_bound && !is_foreign && (!is_native || claims->is_session_signed);
    return atls_trace_compare(trace, ok, "binding", is_foreign ? ATLS_E_UNSUPPORTED : ATLS_E_REPORT_DATA_MISMATCH,
                              claims->report_data_field, NULL, NULL,
                              is_foreign ? "phones prove themselves in sessions of atls/1 only" : NULL, err);
}
