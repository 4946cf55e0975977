/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_android_description.c: android_description_decode. What decodes borrows from the input alone, holds only levels and
 * states that exist, and stays within the bounds of its lists; no proper prefix decodes. */
#include "android_seed.h"

#define ARENA_SIZE ((size_t)1024 * 1024)

static void check_list(const atls_android_authorizations *a, atls_bytes in)
{
    const atls_android_application_id *id = &a->attestationApplicationId;
    FUZZ_ASSERT(a->purpose.n <= ANDROID_MAX_SET && a->digest.n <= ANDROID_MAX_SET
                && (a->purpose.present || a->purpose.n == 0));
    FUZZ_ASSERT(fuzz_android_within(a->rootOfTrust.verifiedBootKey, in) && a->rootOfTrust.verifiedBootState <= 3);
    FUZZ_ASSERT(fuzz_android_within(a->attestationIdSerial.value, in) && fuzz_android_within(a->moduleHash.value, in));
    FUZZ_ASSERT(id->present || !id->intact);
    for (size_t i = 0; id->intact && i < id->n_packages; i++) {
        FUZZ_ASSERT(fuzz_android_within(id->packages[i].name, in));
    }
    for (size_t i = 0; id->intact && i < id->n_signatureDigests; i++) {
        FUZZ_ASSERT(fuzz_android_within(id->signatureDigests[i], in));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_bytes in = atls_bytes_of(data, size);
    atls_arena a;
    atls_error err = {0};
    atls_android_key_description d;
    FUZZ_ASSERT(atls_arena_new(&a, ARENA_SIZE, &err));
    if (android_description_decode(in, &a, &d, &err)) {
        FUZZ_ASSERT(d.attestationSecurityLevel <= ATLS_ANDROID_STRONG_BOX);
        FUZZ_ASSERT(d.keymasterSecurityLevel <= ATLS_ANDROID_STRONG_BOX);
        FUZZ_ASSERT(fuzz_android_within(d.attestationChallenge, in) && fuzz_android_within(d.uniqueId, in));
        check_list(&d.softwareEnforced, in);
        check_list(&d.hardwareEnforced, in);
        FUZZ_ASSERT(!android_description_decode(atls_bytes_of(data, size - 1), &a, &d, &err));
    } else {
        FUZZ_ASSERT(err.code == ATLS_E_ANDROID_APP_UNEXPECTED && strncmp(err.field, "keyDescription", 14) == 0);
    }
    atls_arena_free(&a);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_android_seed(index, true, out, cap);
}
