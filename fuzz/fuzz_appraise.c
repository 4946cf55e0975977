/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_appraise.c: the whole appraisal of dstack evidence, signatures taken as good (stub_signature.c). A yes is never
 * given to what the policy does not name: MRTD, report data and TCB status are looked at again, by other means. */
#include <string.h>

#include "fuzz.h"
#include "sim/sim.h"

static const uint8_t bound[64] = {1};

static size_t put_len(uint8_t *out, size_t n)
{
    out[0] = (uint8_t)n;
    out[1] = (uint8_t)(n >> 8);
    out[2] = (uint8_t)(n >> 16);
    return 3;
}

/* An input is the length of the quote and of the bundle, three bytes each, then quote, bundle, event log. */
static bool split(const uint8_t *data, size_t size, atls_appraisal *in, atls_bytes *bundle)
{
    size_t quote = size < 6 ? size : data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16;
    size_t text = size < 6 ? size : data[3] | (size_t)data[4] << 8 | (size_t)data[5] << 16;
    if (size < 6 || quote > size - 6 || text > size - 6 - quote) {
        return false;
    }
    in->evidence = atls_bytes_of(data + 6, quote);
    *bundle = atls_bytes_of(data + 6 + quote, text);
    in->event_log = atls_bytes_of(data + 6 + quote + text, size - 6 - quote - text);
    return true;
}

typedef struct world {
    sim *room;
    atls_arena arena;
    atls_arena work; /* of one appraisal */
    atls_bytes policy_text;
    atls_policy *policy;
    atls_verifier *verifier;
} world;

static void open_world(world *w)
{
    atls_error err = {0};
    const sim_options options = {.kind = SIM_TDX_V4};
    FUZZ_ASSERT(atls_arena_new(&w->arena, ATLS_ARENA_DEFAULT_SIZE, &err)
                && atls_arena_new(&w->work, ATLS_ARENA_DEFAULT_SIZE, &err) && sim_new(&options, &w->room, &err)
                && sim_policy(w->room, "dstack_tdx", &w->arena, &w->policy_text, &err)
                && atls_policy_parse(w->policy_text, &w->policy, &err)
                && atls_verifier_new(w->policy, &w->verifier, &err));
}

static void close_world(world *w)
{
    atls_verifier_free(w->verifier);
    atls_policy_free(w->policy);
    sim_free(w->room);
    atls_arena_free(&w->work);
    atls_arena_free(&w->arena);
}

static bool names(atls_bytes text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (memcmp(text.ptr + i, word, len) == 0) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w; /* the policy is the same for every input, and making it costs more than judging by it */
    if (w.verifier == NULL) {
        open_world(&w);
    }
    atls_bytes bundle;
    atls_error err = {0};
    atls_result r;
    atls_appraisal in = {.now = SIM_NOW, .endorse = atls_endorsements_from_bundle_fn, .endorse_ctx = &bundle};
    in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = ""};
    memcpy(in.binding.value, bound, sizeof bound);
    if (!split(data, size, &in, &bundle)) {
        return 0;
    }
    if (atls_verifier_appraise(w.verifier, &in, &w.work, &r, &err)) {
        char mrtd[97];
        for (size_t i = 0; i < 48; i++) {
            snprintf(mrtd + 2 * i, 3, "%02x", r.claims.dcap.td.mrtd[i]);
        }
        FUZZ_ASSERT(r.verdict == ATLS_VERDICT_ACCEPTED && r.claims.dcap.is_tdx && err.code == ATLS_OK);
        FUZZ_ASSERT(memcmp(in.evidence.ptr + 568, bound, sizeof bound) == 0);
        FUZZ_ASSERT(names(w.policy_text, mrtd));
        FUZZ_ASSERT(r.claims.dcap.tcb.status == ATLS_TCB_UP_TO_DATE && r.simulated_or_test_root);
    } else {
        FUZZ_ASSERT(r.verdict != ATLS_VERDICT_ACCEPTED && err.code != ATLS_OK && r.claims.platform == 0);
    }
    atls_arena_reset(&w.work);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    world w = {0};
    atls_endorsements e;
    atls_bytes part[3];
    atls_error err = {0};
    if (index > 0) {
        return 0;
    }
    open_world(&w);
    FUZZ_ASSERT(sim_quote(w.room, bound, &w.arena, &part[0], &err) && sim_collateral(w.room, &w.arena, &e, &err)
                && atls_endorsements_to_bundle(&e, &w.arena, &part[1], &err)
                && sim_event_log(w.room, &w.arena, &part[2], &err));
    size_t n = put_len(out, part[0].len);
    n += put_len(out + n, part[1].len);
    for (size_t i = 0; i < 3; i++) {
        FUZZ_ASSERT(part[i].len <= cap - n);
        memcpy(out + n, part[i].ptr, part[i].len);
        n += part[i].len;
    }
    close_world(&w);
    return n;
}
