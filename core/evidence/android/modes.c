/* SPDX-License-Identifier: Apache-2.0 */
/* modes.c: hardware, hybrid and software: which of three answers is told (section 11, after the table), and the names. */
#include "android.h"

static bool weighs_more(atls_code code)
{
    return code == ATLS_E_ANDROID_ROOT_TIME || code == ATLS_E_ANDROID_CERTIFICATE_TIME || code == ATLS_E_ANDROID_REVOKED
           || code == ATLS_E_ANDROID_LIST_UNAVAILABLE;
}

atls_android_mode android_mode_of_error(const atls_error why[ATLS_ANDROID_N_MODES],
                                        const bool tried[ATLS_ANDROID_N_MODES])
{
    atls_android_mode last = ATLS_ANDROID_MODE_NONE;
    for (unsigned m = 0; m < ATLS_ANDROID_N_MODES; m++) {
        if (tried[m] && weighs_more(why[m].code)) {
            return (atls_android_mode)m;
        }
        last = tried[m] ? (atls_android_mode)m : last;
    }
    return last;
}

bool android_trace_copy(const atls_trace *from, atls_trace *to, atls_error *err)
{
    for (size_t i = 0; i < from->n; i++) {
        if (to->n == to->cap) {
            return atls_fail(err, ATLS_E_LIMIT, "checks", "an appraisal lists at most %zu checks", to->cap);
        }
        to->items[to->n++] = from->items[i];
    }
    return true;
}

const char *android_mode_id(atls_android_mode mode)
{
    static const char *const ids[] = {"android.mode.hardware", "android.mode.hybrid", "android.mode.software",
                                      "android.mode"};
    return ids[(unsigned)mode <= ATLS_ANDROID_MODE_NONE ? mode : ATLS_ANDROID_MODE_NONE];
}

const char *atls_android_mode_name(atls_android_mode mode)
{
    static const char *const names[] = {"hardware", "hybrid", "software", "none"};
    return names[(unsigned)mode <= ATLS_ANDROID_MODE_NONE ? mode : ATLS_ANDROID_MODE_NONE];
}

const char *atls_android_level_name(atls_android_level level)
{
    static const char *const names[] = {"SOFTWARE", "TRUSTED_ENVIRONMENT", "STRONG_BOX", "UNKNOWN"};
    return names[(unsigned)level <= ATLS_ANDROID_LEVEL_UNKNOWN ? level : ATLS_ANDROID_LEVEL_UNKNOWN];
}

const char *atls_android_provisioning_name(atls_android_provisioning p)
{
    static const char *const names[] = {"UNKNOWN", "FACTORY_PROVISIONED", "REMOTELY_PROVISIONED"};
    return names[(unsigned)p <= ATLS_ANDROID_REMOTELY_PROVISIONED ? p : ATLS_ANDROID_PROVISIONING_UNKNOWN];
}

/* ---- the words of refusals ---- */

typedef struct word {
    atls_code code;
    const char *reason;
    const char *class_name;
} word;

#define TRUST   "Certificate.Trust"
#define TIME    "Certificate.Time"
#define CONTENT "Content.Android"
static const word words[] = {
    {ATLS_E_ANDROID_CHAIN_UNPARSABLE, "CHAIN_UNPARSABLE", ""},
    {ATLS_E_ANDROID_APP_UNEXPECTED, "APP_UNEXPECTED", CONTENT},
    {ATLS_E_ANDROID_PACKAGE_NAME, "PACKAGE_NAME", CONTENT},
    {ATLS_E_ANDROID_APP_VERSION, "APP_VERSION", CONTENT},
    {ATLS_E_ANDROID_APP_SIGNER_DIGEST, "APP_SIGNER_DIGEST", CONTENT},
    {ATLS_E_ANDROID_ROOT_TIME, "InvalidRoot", TIME},
    {ATLS_E_ANDROID_OTHER_MATCHING_ROOT, "OtherMatchingRoot", TRUST},
    {ATLS_E_ANDROID_NO_MATCHING_ROOT, "NoMatchingRoot", TRUST},
    {ATLS_E_ANDROID_ROOT_INVALID, "InvalidRoot", TRUST},
    {ATLS_E_ANDROID_LIST_UNAVAILABLE, "LIST_UNAVAILABLE", TRUST},
    {ATLS_E_ANDROID_CERTIFICATE_TIME, "CertificateInvalid", TIME},
    {ATLS_E_ANDROID_CERTIFICATE_INVALID, "CertificateInvalid", TRUST},
    {ATLS_E_ANDROID_REVOKED, "REVOKED", TRUST},
    {ATLS_E_ANDROID_PATH_VALIDATION, "PathValidation", TRUST},
    {ATLS_E_ANDROID_CHALLENGE, "CHALLENGE", CONTENT},
    {ATLS_E_ANDROID_STATEMENT_TIME, "STATEMENT_TIME", CONTENT},
    {ATLS_E_ANDROID_SEC_LEVEL, "SEC_LEVEL", CONTENT},
    {ATLS_E_ANDROID_SYSTEM_INTEGRITY, "SYSTEM_INTEGRITY", CONTENT},
    {ATLS_E_ANDROID_ROLLBACK_RESISTANCE, "ROLLBACK_RESISTANCE", CONTENT},
    {ATLS_E_ANDROID_OS_VERSION, "OS_VERSION", CONTENT},
};

static const word *find_word(atls_code code)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].code == code) {
            return &words[i];
        }
    }
    return NULL;
}

const char *atls_android_reason(atls_code code)
{
    const word *found = find_word(code);
    return found == NULL ? "" : found->reason;
}

const char *atls_android_class(atls_code code)
{
    const word *found = find_word(code);
    return found == NULL ? "" : found->class_name;
}
