/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_service_config.c: svc_config_parse. What is refused says where; what is accepted is within every bound of the table. */
#include <string.h>

#include "edge/service/config.h"
#include "fuzz.h"

static uint8_t block[8 * 1024 * 1024];

static void check_member(const svc_config *c, const svc_member *m)
{
    const uint8_t *at = (const uint8_t *)c + m->offset;
    uint64_t u = 0;
    int64_t i = 0;
    const char *text = NULL;
    switch (m->kind) {
    case SVC_UINT:
        memcpy(&u, at, sizeof u);
        FUZZ_ASSERT(u >= (uint64_t)m->min && u <= (uint64_t)m->max);
        break;
    case SVC_INT:
        memcpy(&i, at, sizeof i);
        FUZZ_ASSERT(i >= m->min && i <= m->max);
        break;
    case SVC_TEXT:
    case SVC_FILE:
    case SVC_WORD:
        memcpy(&text, at, sizeof text);
        FUZZ_ASSERT(m->fallback == NULL || (text != NULL && text[0] != '\0'));
        break;
    case SVC_FLAG:
    case SVC_LIST:
    case SVC_OBJECT:
    case SVC_POLICY:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_arena arena;
    atls_error err = {0};
    svc_config c;
    if (size > 64 * 1024) {
        return 0;
    }
    atls_arena_init(&arena, block, sizeof block);
    const bool ok = svc_config_parse(atls_bytes_of(data, size), "/nowhere/at/all.json", &arena, &c, &err);
    FUZZ_ASSERT(ok == (err.code == ATLS_OK));
    FUZZ_ASSERT(ok || err.field[0] != '\0');
    for (size_t i = 0; ok && i < svc_n_members; i++) {
        check_member(&c, &svc_members[i]);
    }
    FUZZ_ASSERT(!ok || (c.listen.n > 0 && (c.android.len > 0 || c.apple.len > 0)));
    FUZZ_ASSERT(!ok || (c.test_ca == NULL) == !c.insecure_test_mode);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("{\"endpoint\":\"https://a/api/v1/"
                  "attest\",\"proof_oid\":\"2.25.1\",\"ca\":{\"folder\":\"ca\"},\"apple\":{}}"),
        FUZZ_TEXT(
            "{\"endpoint\":\"http://127.0.0.1/a\",\"proof_oid\":\"2.25.1\",\"insecure_test_mode\":true,"
            "\"insecure_test_ca\":\"x\",\"android\":{\"type\":\"android_key\"},\"status_list\":{\"url\":\"google\"},"
            "\"limits\":{\"queue\":1},\"challenge\":{\"offset_s\":0,\"validity_s\":10}}"),
        FUZZ_TEXT(
            "{\"listen\":[\"[::]:1\",\"0.0.0.0:65535\"],\"tls\":{\"certificate\":\"a\",\"key\":\"b\"},\"apple\":{},"
            "\"endpoint\":\"https://a\",\"proof_oid\":\"x\",\"ca\":{\"key\":\"pkcs11:a\"},\"store\":\"sqlite:a\","
            "\"records\":{\"folder\":\"a\",\"when\":\"always\"},\"verification_time_offset_s\":-5}"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
