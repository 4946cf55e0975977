/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_policy.c: atls_policy_parse. Whatever is a policy cannot be weaker than it says: nothing that weakens goes unlisted, no
 * revoked status is allowed, somebody must vouch. Whatever is none names the member that is to blame. */
#include <string.h>

#include "base/limits.h"
#include "fuzz.h"
#include "policy.h"

static bool is_listed(const atls_policy *p, const char *name)
{
    for (size_t i = 0; i < p->insecure.n; i++) {
        if (strcmp(p->insecure.items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void check(const atls_policy *p)
{
    const atls_dstack_policy *d = &p->dstack;
    FUZZ_ASSERT(p->n_anchors >= 1 && p->anchors != NULL && atls_policy_kind(p)[0] != '\0');
    FUZZ_ASSERT(!p->allowed_status[ATLS_TCB_UNKNOWN] && !p->allowed_status[ATLS_TCB_REVOKED]);
    FUZZ_ASSERT(!p->insecure_allow_debug || is_listed(p, "insecure_allow_debug"));
    FUZZ_ASSERT(!p->insecure_allow_service_td || is_listed(p, "insecure_allow_service_td"));
    FUZZ_ASSERT(!p->insecure_allow_no_sept_ve_disable || is_listed(p, "insecure_allow_no_sept_ve_disable"));
    FUZZ_ASSERT(!p->has_insecure_td_attributes_mask || is_listed(p, "insecure_td_attributes_mask"));
    FUZZ_ASSERT(!d->insecure_skip_certificate_event || is_listed(p, "insecure_skip_certificate_event"));
    FUZZ_ASSERT(!d->disable_runtime_verification || is_listed(p, "disable_runtime_verification"));
    FUZZ_ASSERT((p->insecure_td_attributes_mask & 0xff) == 0);
    FUZZ_ASSERT(p->type != ATLS_POLICY_DSTACK_TDX || d->disable_runtime_verification
                || (d->has_bootchain && d->has_compose_hash && d->has_os_image_hash));
    for (size_t i = 0; i < p->n_references; i++) {
        const atls_reference *r = atls_policy_reference(p, p->references[i].name);
        FUZZ_ASSERT(r == &p->references[i] && r->n >= 1 && r->n <= ATLS_MAX_POLICY_LIST);
        FUZZ_ASSERT(atls_reference_matches(r, r->values + (r->n - 1) * r->width));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_policy *p = NULL;
    atls_error err = {0};
    if (atls_policy_parse(atls_bytes_of(data, size), &p, &err)) {
        FUZZ_ASSERT(p != NULL && err.code == ATLS_OK);
        check(p);
    } else {
        FUZZ_ASSERT(p == NULL && (err.code == ATLS_E_CONFIGURATION || err.code == ATLS_E_MEMORY));
        FUZZ_ASSERT(err.field[0] != '\0' && err.message[0] != '\0');
    }
    atls_policy_free(p);
    return 0;
}

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A96 A32 A32 A32

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("{\"type\":\"dstack_tdx\",\"expected_bootchain\":{\"mrtd\":\"" A96 "\",\"rtmr0\":\"" A96
                  "\",\"rtmr1\":\"" A96 "\",\"rtmr2\":\"" A96
                  "\"},\"app_compose\":{\"a\":[1,\"b\"]},\"os_image_hash\":\"" A32 A32
                  "\",\"pccs_url\":null,\"key_provider\":{\"name\":\"kms\",\"id\":\"k\"}}"),
        FUZZ_TEXT("{\"type\":\"dstack_tdx\",\"disable_runtime_verification\":true,\"app_compose_raw\":\"{}\","
                  "\"allowed_tcb_status\":[\"UpToDate\",\"OutOfDate\"],\"grace_period\":86400}"),
        FUZZ_TEXT("{\"type\":\"tdx\",\"mrtd\":[\"" A96 "\"],\"machines\":\"" A32 "\",\"min_grade\":\"session\","
                  "\"trusted_roots\":[\"" A32 A32 "\"],\"rejected_advisories\":[\"INTEL-SA-00001\"],"
                  "\"insecure_td_attributes_mask\":\"0000000000000080\"}"),
        FUZZ_TEXT("{\"type\":\"sgx\",\"mrenclave\":\"" A32 A32 "\",\"isvprodid\":1,\"min_isvsvn\":2,"
                  "\"insecure_allow_debug\":true,\"description\":\"x\",\"accepted_advisories\":[]}"),
        FUZZ_TEXT("{\"type\":\"tdx\",\"trusted_roots\":[\"-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END "
                  "CERTIFICATE-----\"]}"),
        FUZZ_TEXT("{\"type\":\"dstack_tdx\",\"expected_bootchian\":{}}"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
