/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_inspect.c: atls_inspect_json, and through it every decoder. What is shown is JSON and says first that nobody vouches for
 * it; what is not shown has a reason. */
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "sim/sim.h"

#define ARENA_SIZE ((size_t)32 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "{\"unverified\":true,\"kind\":\"";
    static uint8_t block[8 * 1024 * 1024];
    atls_arena arena;
    atls_bytes out;
    atls_error err = {0};
    const atls_json *shown = NULL;
    atls_arena_init(&arena, block, sizeof block);
    if (atls_inspect_json(atls_bytes_of(data, size), &arena, &out, &err)) {
        FUZZ_ASSERT(out.len > sizeof head && memcmp(out.ptr, head, sizeof head - 1) == 0);
        FUZZ_ASSERT(atls_json_parse(out, "shown", &arena, &shown, &err) || err.code != ATLS_E_ENCODING);
    } else {
        FUZZ_ASSERT(err.code != ATLS_OK && err.message[0] != '\0');
    }
    atls_arena_reset(&arena);
    return 0;
}

static size_t make(sim *room, size_t index, atls_arena *a, atls_bytes *out, atls_error *err)
{
    static const uint8_t report_data[64] = {1};
    atls_endorsements e;
    if (!sim_collateral(room, a, &e, err)) {
        return 0;
    }
    const atls_bytes parts[] = {e.dcap.tcb_info, e.dcap.qe_identity, e.dcap.pck_crl, e.dcap.tcb_info_issuer_chain,
                                sim_root(room)};
    const size_t n = sizeof parts / sizeof parts[0];
    *out = parts[index < n ? index : 0];
    const bool ok = index < n        ? true
                    : index == n     ? sim_quote(room, report_data, a, out, err)
                    : index == n + 1 ? atls_endorsements_to_bundle(&e, a, out, err)
                    : index == n + 2 ? sim_response(room, report_data, a, out, err)
                    : index == n + 3 ? sim_event_log(room, a, out, err)
                    : index == n + 4 ? sim_ccel(room, a, out, err)
                                     : false;
    return ok ? out->len : 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    sim *room = NULL;
    atls_arena arena = {0};
    atls_bytes file;
    atls_error err = {0};
    const sim_options options = {.kind = SIM_TDX_V4};
    FUZZ_ASSERT(atls_arena_new(&arena, ARENA_SIZE, &err) && sim_new(&options, &room, &err));
    size_t n = make(room, index, &arena, &file, &err);
    n = n <= cap ? n : 0;
    if (n > 0) {
        memcpy(out, file.ptr, n);
    }
    sim_free(room);
    atls_arena_free(&arena);
    return n;
}
