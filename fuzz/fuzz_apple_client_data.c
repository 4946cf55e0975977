/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_apple_client_data.c: atls_apple_client_data_read. What is read is for the challenge that was expected, and for no other, and
 * its key is an uncompressed point; refusals are content, and leave nothing behind. */
#include "apple_seed.h"

static const char challenge[] = "expected challenge";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[4 * 1024 * 1024];
    const atls_bytes in = atls_bytes_of(data, size);
    atls_arena a;
    atls_error err = {0};
    atls_apple_client_data out;
    atls_arena_init(&a, room, sizeof room);
    if (!atls_apple_client_data_read(in, atls_bytes_str(challenge), &a, &out, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_APPLE_CHALLENGE || err.code == ATLS_E_EVIDENCE_FORMAT);
        FUZZ_ASSERT(err.category == ATLS_CATEGORY_CONTENT && strncmp(err.field, "clientDataJSON", 14) == 0);
        FUZZ_ASSERT(out.public_key[0] == 0 && out.challenge.len == 0);
        return 0;
    }
    FUZZ_ASSERT(out.public_key[0] == 0x04 && atls_bytes_equal_str(out.challenge, challenge));
    atls_arena_reset(&a);
    FUZZ_ASSERT(!atls_apple_client_data_read(in, atls_bytes_str("another challenge"), &a, &out, &err));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const char *const compressed[] = {"second.compressed=1", "client_data.more=[{}]", NULL};
    const sim_apple_options options = {.settings = index == 0 ? NULL : compressed};
    sim_apple *s = NULL;
    atls_arena a;
    atls_bytes json;
    atls_error err = {0};
    if (index > 1) {
        return 0;
    }
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)256 * 1024, &err) && sim_apple_new(&options, &s, &err));
    FUZZ_ASSERT(sim_apple_client_data(s, atls_bytes_str(challenge), &a, &json, &err));
    const size_t n = fuzz_apple_copy(json, out, cap);
    atls_arena_free(&a);
    sim_apple_free(s);
    return n;
}
