/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_enrol_debug.c: atls_enrol_replay_run, atls_enrol_record_compact, atls_enrol_record_redact, signatures taken as good
 * (stub_signature.c). What is replayed is the same in its one-line form; what is redacted can be read, says so, and is never
 * accepted. */
#include <string.h>

#include "atls/atls.h"
#include "atls/enroller.h"
#include "fuzz.h"
#include "sim/sim_android.h"
#include "sim/sim_apple.h"

#define LIST "{\"entries\":{}}"

static const uint8_t nonce[16] = {1};

static void check_redacted(atls_bytes redacted, atls_arena *a)
{
    atls_error err = {0};
    atls_bytes again;
    atls_enrol_replay r;
    FUZZ_ASSERT(atls_enrol_replay_run(redacted, NULL, a, &r, &err));
    FUZZ_ASSERT(r.is_redacted && !r.is_accepted && !r.is_same);
    FUZZ_ASSERT(atls_enrol_record_redact(redacted, a, &again, &err));
    FUZZ_ASSERT(atls_enrol_replay_run(again, NULL, a, &r, &err) && r.is_redacted);
}

static void check_compact(atls_bytes in, const atls_enrol_replay *first, atls_arena *a)
{
    static const atls_enrol_replay_options options = {.ignore_proxy = true,
                                                      .status_list = {(const uint8_t *)LIST, sizeof LIST - 1}};
    atls_error err = {0};
    atls_bytes compact;
    atls_enrol_replay r;
    FUZZ_ASSERT(atls_enrol_record_compact(in, a, &compact, &err) && compact.ptr[0] == 'u');
    FUZZ_ASSERT(atls_enrol_replay_run(compact, &options, a, &r, &err));
    FUZZ_ASSERT(r.is_accepted == first->is_accepted && r.is_same == first->is_same);
    FUZZ_ASSERT(atls_bytes_equal(r.replayed, first->replayed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[64 * 1024 * 1024];
    const atls_enrol_replay_options options = {.ignore_proxy = true, .status_list = atls_bytes_str(LIST)};
    const atls_bytes in = atls_bytes_of(data, size);
    atls_arena a;
    atls_error err = {0};
    atls_error unused = {0};
    atls_enrol_replay r;
    atls_bytes redacted;
    atls_arena_init(&a, room, sizeof room);
    const bool ok = atls_enrol_replay_run(in, &options, &a, &r, &err);
    FUZZ_ASSERT(ok == (err.code == ATLS_OK) && (ok || (!r.is_accepted && r.replayed.len == 0)));
    if (ok) {
        FUZZ_ASSERT(r.is_accepted == (r.error.code == ATLS_OK) && r.replayed.len > 0 && r.method[0] != '\0');
        check_compact(in, &r, &a);
    }
    if (atls_enrol_record_redact(in, &a, &redacted, &unused)) {
        check_redacted(redacted, &a);
    } else {
        FUZZ_ASSERT(!ok && unused.code != ATLS_OK);
    }
    return 0;
}

/* ---- seeds ---- */

/* Statements of Warden's form, of a phone and an iPhone. */
static atls_bytes warden(size_t index, atls_arena *a)
{
    atls_error err = {0};
    atls_bytes policy;
    atls_bytes json;
    atls_bytes chain;
    sim_android *phone = NULL;
    sim_apple *iphone = NULL;
    sim_apple_key key;
    atls_enrol_statement s = {.kind = index == 0 ? ATLS_ENROL_ANDROID_KEY : ATLS_ENROL_IOS_APPATTEST};
    const sim_android_request request = {.challenge = atls_bytes_of(nonce, sizeof nonce)};
    FUZZ_ASSERT(sim_android_new(&(sim_android_options){.kind = SIM_ANDROID_FACTORY}, &phone, &err)
                && sim_apple_new(&(sim_apple_options){.is_sandbox = false}, &iphone, &err)
                && sim_apple_second_key(iphone, &key, &err));
    FUZZ_ASSERT(sim_android_chain(phone, &request, a, &chain, &err)
                && sim_apple_client_data(iphone, request.challenge, a, &s.client_data, &err)
                && sim_apple_attestation(iphone, s.client_data, a, &s.attestation, &err));
    while (chain.len > 4) {
        const size_t len = 4 + ((size_t)chain.ptr[2] << 8 | chain.ptr[3]);
        s.x5c[s.n_x5c++] = atls_bytes_of(chain.ptr, len);
        chain = atls_bytes_of(chain.ptr + len, chain.len - len);
    }
    FUZZ_ASSERT(
        atls_enrol_statement_write(&s, a, &json, &err)
        && (index == 0 ? sim_android_policy(phone, a, &policy, &err) : sim_apple_policy(iphone, a, &policy, &err)));
    const char *comma = memchr(policy.ptr, ',', policy.len); /* behind the type */
    const size_t skip = (size_t)(comma + 1 - (const char *)policy.ptr);
    char *text = atls_arena_alloc(a, json.len + policy.len + 512, &err);
    FUZZ_ASSERT(text != NULL && comma != NULL);
    const int n = snprintf(text, json.len + policy.len + 512,
                           "{\"method\":\"SUPREME\",\"%sAttestationConfiguration\":{%.*s,\"keyAttestation\":%.*s,"
                           "\"challenge\":\"AQAAAAAAAAAAAAAAAAAAAA\",\"verificationTime\":%lld}",
                           index == 0 ? "android" : "ios", (int)(policy.len - skip), (const char *)policy.ptr + skip,
                           (int)json.len, (const char *)json.ptr, (long long)SIM_NOW * 1000);
    sim_android_free(phone);
    sim_apple_free(iphone);
    return atls_bytes_of(text, (size_t)n);
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const char legacy[] = "{\"method\":\"KEY_ATTESTATION_LEGACY\",\"iosAttestationConfiguration\":{},"
                                 "\"genericAttestationProof\":[\"AAAA\",\"AAAA\"],\"challenge\":\"AAAA\","
                                 "\"clientData\":\"AAAA\",\"verificationTime\":1727740800000,"
                                 "\"verificationTimeOffset\":\"PT12H45M\",\"atls\":{\"version\":1,\"verdict\":{}}}";
    atls_arena a;
    atls_error err = {0};
    if (index > 2) {
        return 0;
    }
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)4 * 1024 * 1024, &err));
    const atls_bytes seed = index == 2 ? atls_bytes_str(legacy) : warden(index, &a);
    FUZZ_ASSERT(seed.len <= cap);
    memcpy(out, seed.ptr, seed.len);
    atls_arena_free(&a);
    return seed.len;
}
