/* SPDX-License-Identifier: Apache-2.0 */
/* words.c: errors in the words of the specification: classes and reasons of section 9. */
#include "apple.h"

typedef struct words {
    atls_code code;
    const char *class_name;
    const char *reason;
} words;

static const char content[] = "Content.iOS";

static const words table[] = {
    {ATLS_E_CERTIFICATE_CHAIN, "Certificate.Trust", "TRUST"},
    {ATLS_E_EXPIRED, "Certificate.Time", "TIME"},
    {ATLS_E_NOT_YET_VALID, "Certificate.Time", "TIME"},
    {ATLS_E_EVIDENCE_FORMAT, content, "APP_UNEXPECTED"},
    {ATLS_E_APPLE_APP_UNEXPECTED, content, "APP_UNEXPECTED"},
    {ATLS_E_APPLE_CHALLENGE, content, "CHALLENGE"},
    {ATLS_E_REPORT_DATA_MISMATCH, content, "CHALLENGE"}, /* the frame's word for the same */
    {ATLS_E_APPLE_IDENTIFIER, content, "IDENTIFIER"},
    {ATLS_E_APPLE_RECEIPT, content, "APP_UNEXPECTED"},
    {ATLS_E_APPLE_STATEMENT_TIME, content, "STATEMENT_TIME"},
    {ATLS_E_APPLE_OS_VERSION, content, "OS_VERSION"},
    {ATLS_E_APPLE_ASSERTION, content, "APP_UNEXPECTED"},
    {ATLS_E_APPLE_SIG_CTR, content, "SIG_CTR"},
    {ATLS_E_CONFIGURATION, "Configuration", ""},
    {ATLS_E_USAGE, "Configuration", ""},
};

static const words *find(const atls_error *err)
{
    static const words none = {ATLS_E_OK, "", ""};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].code == err->code) {
            return &table[i];
        }
    }
    return &none;
}

const char *atls_apple_error_class(const atls_error *err)
{
    return find(err)->class_name;
}

const char *atls_apple_error_reason(const atls_error *err)
{
    return find(err)->reason;
}
