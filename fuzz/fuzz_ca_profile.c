/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ca_profile.c: atls_ca_profile_check. A refusal is CONFIGURATION and names the profile's member; what passes once passes
 * again. */
#include <string.h>

#include "edge/service/ca.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_error err = {0};
    atls_error again = {0};
    if (size > 16384) {
        return 0;
    }
    const bool ok = atls_ca_profile_check(atls_bytes_of(data, size), &err);
    FUZZ_ASSERT(ok == (err.code == ATLS_OK));
    FUZZ_ASSERT(ok || err.code == ATLS_E_MEMORY
                || (err.code == ATLS_E_CONFIGURATION
                    && (strncmp(err.field, "profile", 7) == 0 || strcmp(err.field, "ca.profile") == 0)));
    FUZZ_ASSERT(ok == atls_ca_profile_check(atls_bytes_of(data, size), &again));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("{\"subject\":[{\"type\":\"CN\",\"value\":\"{app}\"}],\"subject_from_csr\":[\"O\"],\"life_s\":3600,"
                  "\"backdate_s\":300,\"attested_key\":true,\"description\":\"d\"}"),
        FUZZ_TEXT("{\"san\":[{\"type\":\"uri\",\"value\":\"urn:{key}\"}],\"san_from_csr\":[{\"type\":\"dns\",\"value\":"
                  "\".a.example\"}],\"eku\":[\"clientAuth\",\"1.2.3\"],\"extensions_from_csr\":[\"2.25.1\"],"
                  "\"crl\":\"http://a.example/\"}"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
