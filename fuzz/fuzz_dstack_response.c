/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dstack_response.c: atls_dstack_response_decode. What was taken apart, put together in the agent's form, comes
 * apart the same way. */
#include <string.h>

#include "atls/verifier.h"
#include "base/json.h"
#include "base/limits.h"
#include "fuzz.h"
#include "sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[32 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    atls_buf buf;
    atls_jw w;
    atls_bytes text;
    atls_dstack_response r;
    atls_dstack_response again;
    atls_arena_init(&a, block, sizeof block);
    if (size > 128 * 1024 || !atls_dstack_response_decode(atls_bytes_of(data, size), &a, &r, &err)) {
        FUZZ_ASSERT(size > 128 * 1024 || err.code == ATLS_E_QUOTE || err.code == ATLS_E_OTHER
                    || err.code == ATLS_E_EVENT_LOG_PARSE || err.code == ATLS_E_LIMIT);
        return 0;
    }
    FUZZ_ASSERT(r.quote.len > 0 && r.quote.len <= ATLS_MAX_QUOTE_LEN);
    atls_buf_init(&buf, &a, &err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    atls_jw_hex(&w, "quote", r.quote);
    atls_jw_string(&w, "event_log", r.event_log);
    atls_jw_string(&w, "vm_config", r.vm_config);
    atls_jw_close(&w, '}');
    FUZZ_ASSERT(atls_buf_done(&buf, &text) && atls_dstack_response_decode(text, &a, &again, &err));
    FUZZ_ASSERT(atls_bytes_equal(r.quote, again.quote) && atls_bytes_equal(r.event_log, again.event_log)
                && atls_bytes_equal(r.vm_config, again.vm_config));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const char *const settings[][2] = {{NULL}, {"response_form.event_log=array"}, {"response_form=get_quote"}};
    static const uint8_t report_data[64] = {1};
    sim_options options = {.settings = settings[index % 3]};
    sim *room;
    atls_error err = {0};
    atls_arena a;
    atls_bytes text;
    FUZZ_ASSERT(sim_new(&options, &room, &err) && atls_arena_new(&a, (size_t)4 * FUZZ_MAX_SEED, &err));
    FUZZ_ASSERT(sim_response(room, report_data, &a, &text, &err) && text.len <= cap);
    memcpy(out, text.ptr, text.len);
    atls_arena_free(&a);
    sim_free(room);
    return index < 3 ? text.len : 0;
}
