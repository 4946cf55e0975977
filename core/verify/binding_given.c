/* SPDX-License-Identifier: Apache-2.0 */
/* binding_given.c: whether what an appraisal was given to compare can bind anything. */
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
    return check_challenge(b, !no_value, binds_itself, err);
}

bool atls_binding_is_session(const atls_binding *b)
{
    return b->profile != NULL && b->profile[0] != '\0';
}
