/* SPDX-License-Identifier: Apache-2.0 */
/* test_apple_flips.c: every proper prefix of an attestation is refused, and so is every bit that somebody turned, or nothing that
 * the result says has changed: not everything around a receipt's payload is signed. Of each byte one bit is turned, another one from
 * byte to byte; with --exhaustive all of them, which takes minutes. Of a simulated one, and of a genuine one where there are vectors. */
#include "apple_room.h"
#include "evidence/apple/apple.h"
#include "sample.h"
#include "vectors.h"

static bool exhaustive;

typedef struct subject {
    scene s;
    atls_policy *policy;
    atls_verifier *verifier;
    sim_apple *room;
    size_t step; /* bytes of which one is tried */
    atls_bytes original;
    uint8_t *copy;
    atls_bytes json; /* of the honest result */
} subject;

static atls_bytes result_json(subject *u)
{
    atls_bytes out;
    scene_must(atls_result_json(&u->s.result, NULL, &u->s.arena, &out, &u->s.err), &u->s.err, "json");
    return out;
}

static void begin(subject *u, const char *policy)
{
    scene_must(atls_policy_parse(atls_bytes_str(policy), &u->policy, &u->s.err), &u->s.err, "policy");
    scene_must(atls_verifier_new(u->policy, &u->verifier, &u->s.err), &u->s.err, "verifier");
    u->original = u->s.evidence;
    u->copy = atls_arena_raw(&u->s.arena, u->original.len, &u->s.err);
    assert_non_null(u->copy);
    memcpy(u->copy, u->original.ptr, u->original.len);
    u->s.evidence = atls_bytes_of(u->copy, u->original.len);
    scene_appraise(&u->s, u->verifier);
    scene_expect(&u->s, ATLS_OK, NULL);
    u->json = result_json(u);
}

static void open_simulated(subject *u)
{
    room_scene r;
    room_open(&r, false, NULL);
    *u = (subject){.s = r.s, .room = r.room, .step = 1};
    begin(u, r.policy);
}

static bool open_genuine(subject *u)
{
    *u = (subject){.step = 3};
    scene_open(&u->s);
    if (!vectors_read("apple/attestations/warden-signum-ios17.5.1.cbor", &u->s.arena, &u->s.evidence)
        || !vectors_read("apple/client-data/warden-signum-ios17.5.1.bin", &u->s.arena, &u->s.client_data)) {
        return false;
    }
    u->s.now = 1727786500; /* 20 seconds after the receipt was made */
    u->s.now += 20;
    begin(u, "{\"type\":\"apple_app_attest\",\"applications\":[{\"teamIdentifier\":\"9CYHJNG644\",\"bundleIdentifier\":"
             "\"at.asitplus.signumtest.iosApp\",\"sandbox\":true}]}");
    return true;
}

static void close_subject(subject *u)
{
    atls_verifier_free(u->verifier);
    atls_policy_free(u->policy);
    sim_apple_free(u->room);
    scene_close(&u->s);
}

static void check_outcome(subject *u, size_t at, size_t *survived)
{
    if (!u->s.accepted) {
        assert_int_not_equal(u->s.err.code, ATLS_OK);
        assert_int_not_equal(u->s.err.code, ATLS_E_INTERNAL);
        assert_true(atls_apple_error_reason(&u->s.err)[0] != '\0');
        return;
    }
    const atls_bytes json = result_json(u);
    if (!atls_bytes_equal(json, u->json)) {
        fail_msg("a bit of byte %zu changes the result, and nobody minds", at);
    }
    *survived += 1;
}

static void flip_all(subject *u)
{
    const size_t used = u->s.arena.used;
    size_t survived = 0;
    for (size_t i = 0; i < 8 * u->original.len; i++) {
        const size_t at = i / 8;
        if (!exhaustive && (i % 8 != at % 8 || at % (u->step * SAMPLE(1, 5)) != 0)) {
            continue;
        }
        u->copy[at] ^= (uint8_t)(1u << i % 8);
        scene_appraise(&u->s, u->verifier);
        check_outcome(u, at, &survived);
        u->copy[at] = u->original.ptr[at];
        u->s.arena.used = used;
    }
    /* what nobody signs: a copy of the root, and a few numbers and names of the CMS */
    assert_true(survived > 0 && survived * 4 < u->original.len * (exhaustive ? 8 : 1));
}

static void test_flips(void **state)
{
    subject u;
    (void)state;
    open_simulated(&u);
    flip_all(&u);
    close_subject(&u);
}

static void test_genuine_flips(void **state)
{
    subject u;
    (void)state;
    if (!open_genuine(&u)) {
        scene_close(&u.s);
        skip();
    }
    flip_all(&u);
    close_subject(&u);
}

static void test_prefixes(void **state)
{
    subject u;
    (void)state;
    open_simulated(&u);
    for (size_t n = 0; n < u.original.len; n++) {
        /* a copy, so that sanitizers see a read too far */
        const size_t used = u.s.arena.used;
        apple_attestation out;
        atls_error err = {0};
        uint8_t *copy = malloc(n == 0 ? 1 : n);
        assert_non_null(copy);
        memcpy(copy, u.original.ptr, n);
        assert_false(apple_attestation_decode(atls_bytes_of(copy, n), &u.s.arena, &out, &err));
        assert_int_equal(err.code, ATLS_E_EVIDENCE_FORMAT);
        free(copy);
        u.s.arena.used = used;
    }
    close_subject(&u);
}

/* Parsers of their own have prefixes of their own. */
static void test_inner_prefixes(void **state)
{
    subject u;
    apple_attestation whole;
    (void)state;
    open_simulated(&u);
    assert_true(apple_attestation_decode(u.original, &u.s.arena, &whole, &u.s.err));
    for (size_t n = 0; n < whole.auth_data_raw.len; n++) {
        apple_auth_data out;
        atls_error err = {0};
        assert_false(apple_auth_data_decode(atls_bytes_of(whole.auth_data_raw.ptr, n), &out, &err));
        assert_int_not_equal(err.code, ATLS_OK);
    }
    for (size_t n = 0; n < whole.receipt_der.len; n++) {
        apple_receipt out;
        atls_error err = {0};
        assert_false(apple_receipt_decode(atls_bytes_of(whole.receipt_der.ptr, n), &u.s.arena, &out, &err));
        assert_int_equal(err.code, ATLS_E_APPLE_RECEIPT);
    }
    for (size_t n = 0; n < whole.receipt.cms.content.len; n++) {
        atls_apple_receipt out;
        atls_error err = {0};
        assert_false(apple_payload_decode(atls_bytes_of(whole.receipt.cms.content.ptr, n), &u.s.arena, &out, &err));
        assert_int_not_equal(err.code, ATLS_OK);
    }
    close_subject(&u);
}

int main(int argc, char **argv)
{
    tap_list tests = {0};
    exhaustive = argc > 1 && strcmp(argv[1], "--exhaustive") == 0;
    tap_add(&tests, "prefixes: every one is refused", test_prefixes, NULL);
    tap_add(&tests, "prefixes of authenticator data, receipts and their payloads", test_inner_prefixes, NULL);
    tap_add(&tests, "bits of a simulated attestation", test_flips, NULL);
    tap_add(&tests, "bits of a genuine attestation", test_genuine_flips, NULL);
    return tap_run("apple_flips", &tests);
}
