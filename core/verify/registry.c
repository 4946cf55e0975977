/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c: the table of rooms. A new format is a new folder and one line here. */
#include "registry.h"

#include "evidence/android/android.h"
#include "evidence/apple/apple.h"
#include "evidence/dcap/dcap.h"
#include "evidence/enrolled/enrolled.h"
#include "evidence/nitro/nitro.h"
#include "evidence/sevsnp/sevsnp.h"
#include "evidence/tpm/tpm.h"

static const registry_row rows[] = {
    {ATLS_POLICY_DSTACK_TDX, ATLS_PLATFORM_TDX, dcap_format, REGISTRY_LOG_REQUIRED, true},
    {ATLS_POLICY_TDX, ATLS_PLATFORM_TDX, dcap_format, REGISTRY_LOG_OPTIONAL, false},
    {ATLS_POLICY_SGX, ATLS_PLATFORM_SGX, dcap_format, REGISTRY_LOG_NONE, false},
    {ATLS_POLICY_SEV_SNP, ATLS_PLATFORM_SEV_SNP, sevsnp_format, REGISTRY_LOG_NONE, false},
    {ATLS_POLICY_TPM, ATLS_PLATFORM_TPM, tpm_format, REGISTRY_LOG_OF_ROOM, false},
    {ATLS_POLICY_NITRO, ATLS_PLATFORM_NITRO, nitro_format, REGISTRY_LOG_NONE, false},
    {ATLS_POLICY_ANDROID_KEY, ATLS_PLATFORM_ANDROID, android_format, REGISTRY_LOG_NONE, false},
    {ATLS_POLICY_APPLE_APP_ATTEST, ATLS_PLATFORM_APPLE, apple_format, REGISTRY_LOG_NONE, false},
    {ATLS_POLICY_ENROLLED_KEY, ATLS_PLATFORM_ENROLLED, enrolled_format, REGISTRY_LOG_NONE, false},
};

const registry_row *atls_registry_find(atls_policy_type type)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].type == type) {
            return &rows[i];
        }
    }
    return NULL;
}

const atls_format *atls_registry_format(atls_platform platform)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].platform == platform) {
            return rows[i].format();
        }
    }
    return NULL;
}
