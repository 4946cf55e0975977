/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_enrol_request.c: atls_enroller_run: a whole request through the eight steps, signatures taken as good (stub_signature.c). A
 * certificate is only ever asked for after the nonce was used up, and for a key that an accepted statement attests and the
 * request names; there is always a response that a phone can read; and a debug statement, where there is one, replays to the
 * last byte. */
#include <string.h>

#include "atls/atls.h"
#include "atls/enroller.h"
#include "enrol/issued.h"
#include "fuzz.h"
#include "sim/sim_android.h"
#include "sim/sim_apple.h"

#define PROOF_OID "2.25.1"

static const uint8_t nonce[16] = {1};

typedef struct world {
    sim_android *phone;
    sim_apple *iphone;
    atls_arena arena;
    atls_arena work;
    atls_arena again;
    atls_policy *android;
    atls_policy *apple;
    atls_enroller *enroller;
    unsigned n_consumed;
    unsigned n_issued;
    unsigned n_told;
} world;

static bool consume(void *ctx, atls_bytes given, int64_t now_ms, atls_consumed *out, atls_error *err)
{
    world *w = ctx;
    (void)err;
    FUZZ_ASSERT(now_ms == (int64_t)SIM_NOW * 1000 && w->n_consumed == 0 && w->n_issued == 0);
    w->n_consumed++;
    *out = atls_bytes_equal(given, atls_bytes_of(nonce, sizeof nonce)) ? ATLS_CONSUMED_FRESH : ATLS_CONSUMED_UNKNOWN;
    return true;
}

static bool issue(void *ctx, const atls_enrol_grant *grant, atls_arena *arena,
                  atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES], size_t *n, atls_error *err)
{
    world *w = ctx;
    (void)err;
    FUZZ_ASSERT(w->n_consumed == 1 && w->n_issued == 0 && grant->result->verdict == ATLS_VERDICT_ACCEPTED);
    FUZZ_ASSERT(atls_bytes_equal(grant->spki, grant->csr->spki));
    FUZZ_ASSERT(grant->platform == ATLS_PLATFORM_APPLE
                || atls_bytes_equal(grant->result->claims.android.challenge, atls_bytes_of(nonce, sizeof nonce)));
    w->n_issued++;
    chain[0] = issued_certificate(grant->spki, arena);
    *n = 1;
    return true;
}

static bool failed(void *ctx, const atls_enrol_failure *failure, char *text, size_t size)
{
    world *w = ctx;
    (void)text;
    FUZZ_ASSERT(size == ATLS_ENROL_MAX_EXPLANATION_LEN + 1 && failure->error->code != ATLS_OK);
    w->n_told++;
    return true;
}

static bool succeeded(void *ctx, const atls_enrol_grant *grant, const atls_bytes *chain, size_t n)
{
    world *w = ctx;
    (void)grant;
    FUZZ_ASSERT(n == 1 && chain[0].len > 0 && w->n_issued == 1);
    w->n_told++;
    return true;
}

static void open_world(world *w)
{
    atls_error err = {0};
    atls_bytes android;
    atls_bytes apple;
    const size_t size = (size_t)16 * 1024 * 1024;
    FUZZ_ASSERT(atls_arena_new(&w->arena, size, &err) && atls_arena_new(&w->work, size, &err)
                && atls_arena_new(&w->again, size, &err));
    FUZZ_ASSERT(sim_android_new(&(sim_android_options){.kind = SIM_ANDROID_FACTORY}, &w->phone, &err)
                && sim_apple_new(&(sim_apple_options){.is_sandbox = false}, &w->iphone, &err));
    FUZZ_ASSERT(sim_android_policy(w->phone, &w->arena, &android, &err)
                && sim_apple_policy(w->iphone, &w->arena, &apple, &err) && atls_policy_parse(android, &w->android, &err)
                && atls_policy_parse(apple, &w->apple, &err));
    const atls_enroller_options options = {.android = w->android,
                                           .apple = w->apple,
                                           .proof_oid = PROOF_OID,
                                           .endorse = sim_android_endorse,
                                           .endorse_ctx = w->phone};
    FUZZ_ASSERT(atls_enroller_new(&options, &w->enroller, &err));
}

static void check_record(world *w, const atls_enrol_outcome *out)
{
    atls_enrol_replay replay;
    atls_error err = {0};
    FUZZ_ASSERT((out->record.len > 0) == (out->step >= ATLS_ENROL_STEP_APPRAISE));
    if (out->record.len > 0) {
        FUZZ_ASSERT(atls_enrol_replay_run(out->record, NULL, &w->again, &replay, &err));
        FUZZ_ASSERT(replay.is_same && replay.is_accepted == out->is_success);
    }
    atls_arena_reset(&w->again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w; /* policies are the same for every input */
    atls_error err = {0};
    atls_enrol_outcome out;
    atls_enrol_response response;
    if (w.enroller == NULL) {
        open_world(&w);
    }
    w.n_consumed = w.n_issued = w.n_told = 0;
    const atls_enrol_observers observers = {
        .ctx = &w, .pre_attestation_error = failed, .attestation_error = failed, .attestation_success = succeeded};
    const atls_enrol_request in = {
        .csr = atls_bytes_of(data, size),
        .now = SIM_NOW,
        .consume = consume,
        .consume_ctx = &w,
        .issue = issue,
        .issue_ctx = &w,
        .observers = &observers,
        .record = ATLS_RECORD_ALWAYS,
    };
    FUZZ_ASSERT(atls_enroller_run(w.enroller, &in, &w.work, &out, &err));
    FUZZ_ASSERT(out.is_success == (w.n_issued == 1) && w.n_told == 1 && out.observer_faults == 0);
    FUZZ_ASSERT(out.is_success == (out.error.code == ATLS_OK) && out.is_success == (out.step == ATLS_ENROL_STEP_DONE));
    FUZZ_ASSERT(atls_enrol_response_read(out.response, &w.work, &response, &err));
    FUZZ_ASSERT(response.is_success == out.is_success && (out.is_success || response.kind == out.kind));
    check_record(&w, &out);
    atls_arena_reset(&w.work);
    return 0;
}

/* ---- seeds ---- */

/* Any signature is good here. */
static bool sign(void *ctx, atls_bytes tbs, atls_arena *arena, atls_bytes *algorithm, atls_bytes *signature,
                 atls_error *err)
{
    static const uint8_t ecdsa[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    static const uint8_t one[] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01};
    (void)ctx;
    (void)tbs;
    (void)arena;
    (void)err;
    *algorithm = atls_bytes_of(ecdsa, sizeof ecdsa);
    *signature = atls_bytes_of(one, sizeof one);
    return true;
}

static atls_bytes spki_of(const uint8_t point[65], atls_arena *a)
{
    static const uint8_t head[26] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                     0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    atls_error err = {0};
    uint8_t *p = atls_arena_raw(a, sizeof head + 65, &err);
    FUZZ_ASSERT(p != NULL);
    memcpy(p, head, sizeof head);
    memcpy(p + sizeof head, point, 65);
    return atls_bytes_of(p, sizeof head + 65);
}

static void android_seed(world *w, atls_enrol_statement *s, atls_bytes *spki)
{
    atls_error err = {0};
    atls_bytes chain;
    atls_bytes key;
    const sim_android_request request = {.challenge = atls_bytes_of(nonce, sizeof nonce)};
    FUZZ_ASSERT(sim_android_chain(w->phone, &request, &w->arena, &chain, &err)
                && sim_android_private_key(w->phone, &request, &w->arena, &key, &err) && key.len > 65);
    s->kind = ATLS_ENROL_ANDROID_KEY;
    while (chain.len > 4) {
        const size_t len = 4 + ((size_t)chain.ptr[2] << 8 | chain.ptr[3]);
        s->x5c[s->n_x5c++] = atls_bytes_of(chain.ptr, len);
        chain = atls_bytes_of(chain.ptr + len, chain.len - len);
    }
    *spki = spki_of(key.ptr + key.len - 65, &w->arena); /* the point ends an ECPrivateKey */
}

static void apple_seed(world *w, atls_enrol_statement *s, atls_bytes *spki)
{
    atls_error err = {0};
    sim_apple_key key;
    s->kind = ATLS_ENROL_IOS_APPATTEST;
    FUZZ_ASSERT(sim_apple_client_data(w->iphone, atls_bytes_of(nonce, sizeof nonce), &w->arena, &s->client_data, &err)
                && sim_apple_attestation(w->iphone, s->client_data, &w->arena, &s->attestation, &err)
                && sim_apple_second_key(w->iphone, &key, &err));
    *spki = spki_of(key.point, &w->arena);
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const uint8_t oid[] = {0x69, 0x01};
    const atls_enrol_name names[] = {{.type = "CN", .value = atls_bytes_str("phone")}};
    world w = {.n_told = 0};
    atls_error err = {0};
    atls_bytes csr;
    atls_enrol_statement statement = {.kind = ATLS_ENROL_ANDROID_KEY};
    atls_enrol_csr_template t = {.names = names,
                                 .n_names = 1,
                                 .nonce = atls_bytes_of(nonce, sizeof nonce),
                                 .proof_oid = atls_bytes_of(oid, sizeof oid),
                                 .sign = sign};
    if (index > 2) {
        return 0;
    }
    open_world(&w);
    if (index == 1) {
        apple_seed(&w, &statement, &t.spki);
    } else {
        android_seed(&w, &statement, &t.spki);
    }
    FUZZ_ASSERT(atls_enrol_statement_write(&statement, &w.arena, &t.statement, &err));
    t.statement = index == 2 ? atls_bytes_str("{\"typ\":\"self\"}") : t.statement;
    FUZZ_ASSERT(atls_enrol_csr_write(&t, &w.arena, &csr, &err) && csr.len <= cap);
    memcpy(out, csr.ptr, csr.len);
    atls_enroller_free(w.enroller);
    atls_policy_free(w.android);
    atls_policy_free(w.apple);
    sim_android_free(w.phone);
    sim_apple_free(w.iphone);
    atls_arena_free(&w.arena);
    atls_arena_free(&w.work);
    atls_arena_free(&w.again);
    return csr.len;
}
