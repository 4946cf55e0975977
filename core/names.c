/* SPDX-License-Identifier: Apache-2.0 */
/* names.c: the words of a result; every table comes from the lists in result.h, so that none can drift. */
#include "atls/result.h"

#define COUNT_OF(table) (sizeof(table) / sizeof(table)[0])

static const char *const statuses[] = {
#define X(name, text) text,
    ATLS_TCB_STATUS_LIST(X)
#undef X
};

static const char *const grades[] = {
#define X(name, text) text,
    ATLS_GRADE_LIST(X)
#undef X
};

/* A number outside its list is somebody's bug: it gets the word that nobody accepts. */
static const char *pick(const char *const *table, size_t n, unsigned index, const char *otherwise)
{
    return index < n ? table[index] : otherwise;
}

const char *atls_verdict_name(atls_verdict v)
{
    static const char *const names[] = {
        [ATLS_VERDICT_NONE] = "none",
        [ATLS_VERDICT_ACCEPTED] = "accepted",
        [ATLS_VERDICT_REJECTED] = "rejected",
        [ATLS_VERDICT_UNDECIDED] = "undecided",
    };
    return pick(names, COUNT_OF(names), (unsigned)v, names[ATLS_VERDICT_NONE]);
}

const char *atls_grade_name(atls_grade g)
{
    return pick(grades, COUNT_OF(grades), (unsigned)g, grades[ATLS_GRADE_NONE]);
}

const char *atls_tcb_status_name(atls_tcb_status s)
{
    return pick(statuses, COUNT_OF(statuses), (unsigned)s, statuses[ATLS_TCB_UNKNOWN]);
}

const char *atls_check_verdict_name(atls_check_verdict v)
{
    static const char *const names[] = {
        [0] = "fail", /* a check that was never given a verdict */
        [ATLS_CHECK_PASS] = "pass",
        [ATLS_CHECK_FAIL] = "fail",
        [ATLS_CHECK_SKIPPED] = "skipped",
        [ATLS_CHECK_NOT_APPLICABLE] = "not_applicable",
    };
    return pick(names, COUNT_OF(names), (unsigned)v, names[ATLS_CHECK_FAIL]);
}

atls_tcb_status atls_tcb_status_parse(atls_bytes text)
{
    for (unsigned i = 0; i < COUNT_OF(statuses); i++) {
        if (atls_bytes_equal_str(text, statuses[i])) {
            return (atls_tcb_status)i;
        }
    }
    return ATLS_TCB_UNKNOWN;
}

bool atls_grade_parse(atls_bytes text, atls_grade *out)
{
    for (unsigned i = 0; i < COUNT_OF(grades); i++) {
        if (atls_bytes_equal_str(text, grades[i])) {
            *out = (atls_grade)i;
            return true;
        }
    }
    return false;
}
