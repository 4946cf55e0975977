/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_nitro_appraise.c: the whole appraisal of Nitro documents and lists, signatures taken as good (stub_signature.c). A yes
 * is never given to what the policy does not name: kind, registers, user_data and age are looked at again, by other means. */
#include "nitro_seed.h"

typedef struct world {
    sim_nitro *room;
    atls_arena arena;
    atls_arena work; /* of one appraisal */
    atls_bytes document;
    atls_certificate_pile pile;
    atls_policy *policy;
    atls_verifier *verifier;
} world;

static void open_world(world *w)
{
    atls_error err = {0};
    atls_bytes text;
    FUZZ_ASSERT(atls_arena_new(&w->arena, (size_t)1024 * 1024, &err)
                && atls_arena_new(&w->work, (size_t)2 * 1024 * 1024, &err));
    w->room = fuzz_nitro_room(0, &w->arena, &w->document);
    FUZZ_ASSERT(sim_nitro_pile(w->room, &w->arena, &w->pile, &err) && sim_nitro_policy(w->room, &w->arena, &text, &err)
                && atls_policy_parse(text, &w->policy, &err) && atls_verifier_new(w->policy, &w->verifier, &err));
}

static void close_world(world *w)
{
    atls_verifier_free(w->verifier);
    atls_policy_free(w->policy);
    sim_nitro_free(w->room);
    atls_arena_free(&w->work);
    atls_arena_free(&w->arena);
}

/* An input is the length of the document, two bytes, the document, and one list. */
static bool split(const uint8_t *data, size_t size, atls_bytes *document, atls_bytes *list)
{
    const size_t n = size < 2 ? size : data[0] | (size_t)data[1] << 8;
    if (size < 2 || n > size - 2) {
        return false;
    }
    *document = atls_bytes_of(data + 2, n);
    *list = atls_bytes_of(data + 2 + n, size - 2 - n);
    return true;
}

static bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                    atls_error *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = (atls_endorsements){.pile = {.crls = ctx, .n_crls = 1}};
    return true;
}

static void check_yes(const world *w, atls_bytes document, const atls_result *r)
{
    const atls_nitro_claims *c = &r->claims.nitro;
    nitro_document d;
    nitro_document honest;
    atls_error err = {0};
    FUZZ_ASSERT(r->verdict == ATLS_VERDICT_ACCEPTED && c->present && !c->is_nitrotpm && !c->is_debug);
    FUZZ_ASSERT(nitro_document_decode(document, &d, &err) && nitro_document_decode(w->document, &honest, &err));
    for (size_t i = 0; i < 3; i++) {
        FUZZ_ASSERT(atls_bytes_equal(d.pcr[i], honest.pcr[i]));
    }
    FUZZ_ASSERT(atls_bytes_equal(d.user_data.value, atls_bytes_of(fuzz_nitro_bound, sizeof fuzz_nitro_bound)));
    FUZZ_ASSERT(atls_bytes_equal(d.cabundle[0], honest.cabundle[0]) && r->simulated_or_test_root);
    const int64_t made = (int64_t)(d.timestamp_ms / 1000);
    FUZZ_ASSERT(made <= SIM_NOW + 60 && made >= SIM_NOW - 300);
    FUZZ_ASSERT(c->leaf_not_before <= SIM_NOW && SIM_NOW <= c->leaf_not_after && c->earliest_expiration >= SIM_NOW);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w; /* the policy is the same for every input */
    atls_bytes list;
    atls_error err = {0};
    atls_result r;
    atls_appraisal in = {.now = SIM_NOW, .endorse = endorse, .endorse_ctx = &list};
    if (w.verifier == NULL) {
        open_world(&w);
    }
    in.event_log = atls_bytes_empty();
    in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = ""};
    memcpy(in.binding.value, fuzz_nitro_bound, sizeof fuzz_nitro_bound);
    if (!split(data, size, &in.evidence, &list)) {
        return 0;
    }
    if (atls_verifier_appraise(w.verifier, &in, &w.work, &r, &err)) {
        check_yes(&w, in.evidence, &r);
    } else {
        FUZZ_ASSERT(r.verdict != ATLS_VERDICT_ACCEPTED && err.code != ATLS_OK && !r.claims.nitro.present);
    }
    atls_arena_reset(&w.work);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    world w = {0};
    if (index > 2) {
        return 0;
    }
    open_world(&w);
    const atls_bytes list = w.pile.crls[index];
    FUZZ_ASSERT(2 + w.document.len + list.len <= cap);
    out[0] = (uint8_t)w.document.len;
    out[1] = (uint8_t)(w.document.len >> 8);
    memcpy(out + 2, w.document.ptr, w.document.len);
    memcpy(out + 2 + w.document.len, list.ptr, list.len);
    const size_t n = 2 + w.document.len + list.len;
    close_world(&w);
    return n;
}
