/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_record.c: recordings: the container, and what an appraisal is read back from. The digest of the input is made right first, so
 * that more than the digest is reached. What opens has what a recording may have; what replays never says that it is the same
 * unless the two results are the same bytes. */
#include <string.h>

#include "fuzz.h"
#include "pki/signature.h"
#include "sim/sim.h"

#define DIGEST_LEN 32u

static void check_members(const atls_record *r)
{
    FUZZ_ASSERT(r->kind[0] != '\0' && r->library[0] != '\0' && r->n_members <= ATLS_MAX_RECORD_MEMBERS);
    for (size_t i = 0; i < r->n_members; i++) {
        const atls_record_member *m = &r->members[i];
        FUZZ_ASSERT(atls_record_find(r, m->name) == m && m->n_items <= ATLS_MAX_RECORD_LIST && m->bytes.ptr != NULL);
    }
}

static void replay(atls_bytes file, atls_arena *arena)
{
    atls_record record;
    atls_replay r;
    atls_error err = {0};
    if (!atls_record_open(file, arena, &record, &err)) {
        FUZZ_ASSERT(err.code != ATLS_OK);
        return;
    }
    check_members(&record);
    if (atls_replay_run(&record, NULL, arena, &r, &err)) {
        FUZZ_ASSERT(r.is_same == (r.n_differences == 0) && err.code == ATLS_OK);
        FUZZ_ASSERT(!r.is_same || atls_bytes_equal(r.recorded_json, r.replayed_json));
        FUZZ_ASSERT((r.result.verdict == ATLS_VERDICT_ACCEPTED) == (r.error.code == ATLS_OK));
    } else {
        FUZZ_ASSERT(err.code != ATLS_OK && !r.is_same && r.result.verdict != ATLS_VERDICT_ACCEPTED);
    }
    atls_replay_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atls_arena arena;
    static atls_crypto *crypto;
    atls_error err = {0};
    if (crypto == NULL) {
        FUZZ_ASSERT(atls_arena_new(&arena, (size_t)64 * 1024 * 1024, &err) && atls_crypto_new(&crypto, &err));
    }
    replay(atls_bytes_of(data, size), &arena);
    uint8_t *sealed = size > DIGEST_LEN + 2 ? malloc(size) : NULL;
    if (sealed != NULL) {
        memcpy(sealed, data, size);
        const atls_bytes before = atls_bytes_of(sealed, size - DIGEST_LEN - 2);
        FUZZ_ASSERT(atls_digest(crypto, ATLS_SHA256, &before, 1, sealed + size - DIGEST_LEN, &err));
        replay(atls_bytes_of(sealed, size), &arena);
        free(sealed);
    }
    atls_arena_reset(&arena);
    return 0;
}

/* Of an accepted TD, and of bytes that are no quote. */
size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const uint8_t value[64] = {1};
    const sim_options options = {.kind = SIM_TDX_V4};
    sim *room = NULL;
    atls_arena arena;
    atls_bytes text, record;
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_recorder *recorder = NULL;
    atls_result result;
    atls_error err = {0}, why = {0};
    if (index > 1) {
        return 0;
    }
    atls_appraisal in = {.evidence = atls_bytes_str("no quote"), .now = SIM_NOW, .endorse = sim_endorse};
    in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = ""};
    memcpy(in.binding.value, value, sizeof value);
    FUZZ_ASSERT(atls_arena_new(&arena, ATLS_ARENA_DEFAULT_SIZE, &err) && sim_new(&options, &room, &err)
                && sim_policy(room, "tdx", &arena, &text, &err) && atls_policy_parse(text, &policy, &err)
                && atls_verifier_new(policy, &verifier, &err) && atls_recorder_new(&arena, &recorder, &err));
    FUZZ_ASSERT(index == 1 || sim_quote(room, value, &arena, &in.evidence, &err));
    in.endorse_ctx = room;
    FUZZ_ASSERT(atls_recorder_appraise(recorder, verifier, &in, &arena, &result, &why) == (index == 0));
    FUZZ_ASSERT(atls_recorder_finish(recorder, &record, &err) && record.len <= cap);
    const size_t len = record.len;
    memcpy(out, record.ptr, len);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    sim_free(room);
    atls_arena_free(&arena);
    return len;
}
