/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_phones.c: phones prove themselves to a machine by atls/1, and the machine to them. What a phone attests is picked by
 * whoever enrols it, so that the attested key has to sign the session as well: each row is the honest phone with one lie, and dies
 * of that. Each appraisal is recorded, and replays to the same verdict. */
#include <time.h>

#include "rig.h"
#include "verify/again.h"

#include "base/cbor_write.h"
#include "sim/sim_android.h"
#include "sim/sim_apple.h"

static void check(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[700];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* ---- what a phone shows ------------------------------------------------------------------------------------------------ */

/* Parts of a proof, each with its lie. */
typedef enum lie {
    HONEST,
    /* the challenge, or client data */
    CHALLENGE_OTHER,
    CHALLENGE_HALF,
    CHALLENGE_LONGER,
    /* what is signed, and by whom */
    SIGNS_OTHER_REPORT,
    SIGNS_WITHOUT_TAG,
    SIGNS_HALF,
    SIGNS_ENROLMENT,
    SIGNED_BY_ANOTHER,
    SIGNATURE_EMPTY,
    SIGNATURE_RAW,
    COUNTER_ZERO,
    /* the wrapper */
    BARE,
    WITHOUT_SIGNATURE,
    SWAPPED,
    ONE_KEY_MORE,
    OTHER_KEY,
    KEY_TWICE,
    KEYS_TURNED,
    TRAILING_BYTE,
    OPEN_MAP,
    LONG_HEAD,
    NO_MAP,
    ONE_CERTIFICATE_MORE,
    TOO_MANY_CERTIFICATES,
    NO_CERTIFICATES,
} lie_kind;

typedef enum policy_kind { OF_PHONE, TDX_OR_PHONE, BOTH_PHONES } policy_kind;

typedef struct row {
    const char *name;
    atls_platform phone; /* TDX: a machine */
    lie_kind lie;
    const char *const *settings; /* of the phone; NULL: none */
    policy_kind policy;
    atls_platform said;    /* the type that the client says; NONE: the truth */
    atls_code code;        /* of the server; OK: the session comes about */
    const char *field;     /* same */
    sim_android_kind kind; /* of an Android phone */
} row;

#define ANDROID ATLS_PLATFORM_ANDROID
#define APPLE   ATLS_PLATFORM_APPLE
#define TDX     ATLS_PLATFORM_TDX
#define SETTINGS(...)                                                                                                  \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }
#define CHALLENGE_FIELD "keyDescription.attestationChallenge"
#define NONCE_FIELD     "attestation.x5c[0].nonce"
#define ZEROS           "0000000000000000000000000000000000000000000000000000000000000000"

static const row rows[] = {
    {"Android", ANDROID, HONEST, NULL, OF_PHONE, 0, ATLS_OK, "", 0},
    {"Android, provisioned remotely", ANDROID, HONEST, NULL, OF_PHONE, 0, ATLS_OK, "", SIM_ANDROID_REMOTE},
    {"an iPhone", APPLE, HONEST, NULL, OF_PHONE, 0, ATLS_OK, "", 0},
    {"Android, where a machine would do", ANDROID, HONEST, NULL, TDX_OR_PHONE, 0, ATLS_OK, "", 0},
    {"an iPhone, where a machine would do", APPLE, HONEST, NULL, TDX_OR_PHONE, 0, ATLS_OK, "", 0},
    {"an iPhone, where Android would do", APPLE, HONEST, NULL, BOTH_PHONES, 0, ATLS_OK, "", 0},
    {"a machine, where a phone would do", TDX, HONEST, NULL, TDX_OR_PHONE, 0, ATLS_OK, "", 0},

    {"Android: another challenge", ANDROID, CHALLENGE_OTHER, NULL, OF_PHONE, 0, ATLS_E_ANDROID_CHALLENGE,
     CHALLENGE_FIELD, 0},
    {"Android: half of the report as challenge", ANDROID, CHALLENGE_HALF, NULL, OF_PHONE, 0, ATLS_E_ANDROID_CHALLENGE,
     CHALLENGE_FIELD, 0},
    {"Android: the report and a byte as challenge", ANDROID, CHALLENGE_LONGER, NULL, OF_PHONE, 0,
     ATLS_E_ANDROID_CHALLENGE, CHALLENGE_FIELD, 0},
    {"Android: signs another report", ANDROID, SIGNS_OTHER_REPORT, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_SIGNATURE,
     "session.signature", 0},
    {"Android: signs without the tag", ANDROID, SIGNS_WITHOUT_TAG, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_SIGNATURE,
     "session.signature", 0},
    {"Android: signs half of the report", ANDROID, SIGNS_HALF, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_SIGNATURE,
     "session.signature", 0},
    {"Android: enrols for the report, and signs the request", ANDROID, SIGNS_ENROLMENT, NULL, OF_PHONE, 0,
     ATLS_E_EVIDENCE_SIGNATURE, "session.signature", 0},
    {"Android: signed by another key", ANDROID, SIGNED_BY_ANOTHER, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_SIGNATURE,
     "session.signature", 0},
    {"Android: an empty signature", ANDROID, SIGNATURE_EMPTY, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_SIGNATURE,
     "session.signature", 0},
    {"Android: a signature that is no DER", ANDROID, SIGNATURE_RAW, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_SIGNATURE,
     "session.signature", 0},
    {"Android: a signature with a bit turned", ANDROID, HONEST, SETTINGS("session.sig=bit"), OF_PHONE, 0,
     ATLS_E_EVIDENCE_SIGNATURE, "session.signature", 0},
    {"Android: a signature of zeros", ANDROID, HONEST, SETTINGS("session.sig=zero"), OF_PHONE, 0,
     ATLS_E_EVIDENCE_SIGNATURE, "session.signature", 0},
    {"Android: a key of P-384", ANDROID, HONEST, SETTINGS("cert.leaf.curve=p384"), OF_PHONE, 0,
     ATLS_E_EVIDENCE_SIGNATURE, "chain[0].key", 0},
    {"Android: a key that the attested one vouches for signs", ANDROID, SIGNED_BY_ANOTHER,
     SETTINGS("chain=extra,leaf,attestation,intermediate,root"), OF_PHONE, 0, ATLS_E_ANDROID_PATH_VALIDATION, "chain",
     0},
    {"Android: another app", ANDROID, HONEST, SETTINGS("app.package=org.example.other"), OF_PHONE, 0,
     ATLS_E_ANDROID_PACKAGE_NAME, "keyDescription.softwareEnforced.attestationApplicationId", 0},
    {"Android: the chain alone", ANDROID, BARE, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.members", 0},
    {"Android: the chain without a signature", ANDROID, WITHOUT_SIGNATURE, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT,
     "session.members", 0},
    {"Android: the values turned", ANDROID, SWAPPED, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.certificates",
     0},
    {"Android: a key 2", ANDROID, ONE_KEY_MORE, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.members", 0},
    {"Android: key 2 for key 1", ANDROID, OTHER_KEY, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.key", 0},
    {"Android: key 0 twice", ANDROID, KEY_TWICE, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.key", 0},
    {"Android: key 1 before key 0", ANDROID, KEYS_TURNED, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.key", 0},
    {"Android: a byte behind it", ANDROID, TRAILING_BYTE, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session", 0},
    {"Android: a map of open length", ANDROID, OPEN_MAP, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.members",
     0},
    {"Android: a longer head", ANDROID, LONG_HEAD, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.members", 0},
    {"Android: a list", ANDROID, NO_MAP, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.members", 0},
    {"Android: a certificate more", ANDROID, ONE_CERTIFICATE_MORE, NULL, OF_PHONE, 0, ATLS_E_ANDROID_PATH_VALIDATION,
     "chain", 0},
    {"Android: 11 certificates", ANDROID, TOO_MANY_CERTIFICATES, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT,
     "session.certificates", 0},
    {"Android: no certificates", ANDROID, NO_CERTIFICATES, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT,
     "session.certificates", 0},

    {"an iPhone: other client data", APPLE, CHALLENGE_OTHER, NULL, OF_PHONE, 0, ATLS_E_APPLE_CHALLENGE, NONCE_FIELD, 0},
    {"an iPhone: half of the report as client data", APPLE, CHALLENGE_HALF, NULL, OF_PHONE, 0, ATLS_E_APPLE_CHALLENGE,
     NONCE_FIELD, 0},
    {"an iPhone: the report and a byte as client data", APPLE, CHALLENGE_LONGER, NULL, OF_PHONE, 0,
     ATLS_E_APPLE_CHALLENGE, NONCE_FIELD, 0},
    {"an iPhone: asserts another report", APPLE, SIGNS_OTHER_REPORT, NULL, OF_PHONE, 0, ATLS_E_APPLE_ASSERTION,
     "assertion.signature", 0},
    {"an iPhone: asserts without the tag", APPLE, SIGNS_WITHOUT_TAG, NULL, OF_PHONE, 0, ATLS_E_APPLE_ASSERTION,
     "assertion.signature", 0},
    {"an iPhone: asserts half of the report", APPLE, SIGNS_HALF, NULL, OF_PHONE, 0, ATLS_E_APPLE_ASSERTION,
     "assertion.signature", 0},
    {"an iPhone: enrols for the report, and asserts the request", APPLE, SIGNS_ENROLMENT, NULL, OF_PHONE, 0,
     ATLS_E_APPLE_ASSERTION, "assertion.signature", 0},
    {"an iPhone: another key asserts", APPLE, HONEST, SETTINGS("assertion.signed_by=ca"), OF_PHONE, 0,
     ATLS_E_APPLE_ASSERTION, "assertion.signature", 0},
    {"an iPhone: an assertion with a bit turned", APPLE, HONEST, SETTINGS("assertion.sig=bit"), OF_PHONE, 0,
     ATLS_E_APPLE_ASSERTION, "assertion.signature", 0},
    {"an iPhone: counter 0", APPLE, COUNTER_ZERO, NULL, OF_PHONE, 0, ATLS_E_APPLE_ASSERTION,
     "assertion.authenticatorData.signCount", 0},
    {"an iPhone: another app asserts", APPLE, HONEST, SETTINGS("assertion.rp_id_hash=" ZEROS), OF_PHONE, 0,
     ATLS_E_APPLE_ASSERTION, "assertion.authenticatorData.rpIdHash", 0},
    {"an iPhone: another app is attested, and asserts", APPLE, HONEST,
     SETTINGS("auth.rp_id_hash=" ZEROS, "assertion.rp_id_hash=" ZEROS), OF_PHONE, 0, ATLS_E_APPLE_IDENTIFIER,
     "attestation.authData.rpIdHash", 0},
    {"an iPhone: the attestation alone", APPLE, BARE, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.members", 0},
    {"an iPhone: the attestation without an assertion", APPLE, WITHOUT_SIGNATURE, NULL, OF_PHONE, 0,
     ATLS_E_EVIDENCE_FORMAT, "session.members", 0},
    {"an iPhone: the values turned", APPLE, SWAPPED, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "attestation.fmt", 0},
    {"an iPhone: a key 2", APPLE, ONE_KEY_MORE, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.members", 0},
    {"an iPhone: key 2 for key 1", APPLE, OTHER_KEY, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.key", 0},
    {"an iPhone: key 0 twice", APPLE, KEY_TWICE, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.key", 0},
    {"an iPhone: key 1 before key 0", APPLE, KEYS_TURNED, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.key", 0},
    {"an iPhone: a byte behind it", APPLE, TRAILING_BYTE, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session", 0},
    {"an iPhone: a map of open length", APPLE, OPEN_MAP, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.members",
     0},
    {"an iPhone: a longer head", APPLE, LONG_HEAD, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.members", 0},
    {"an iPhone: a list", APPLE, NO_MAP, NULL, OF_PHONE, 0, ATLS_E_EVIDENCE_FORMAT, "session.members", 0},

    {"Android that says it is an iPhone", ANDROID, HONEST, NULL, BOTH_PHONES, APPLE, ATLS_E_TEE_TYPE_MISMATCH,
     "evidence.cmw.type", 0},
    {"an iPhone that says it is Android", APPLE, HONEST, NULL, BOTH_PHONES, ANDROID, ATLS_E_TEE_TYPE_MISMATCH,
     "evidence.cmw.type", 0},
    {"Android that says it is a machine", ANDROID, HONEST, NULL, TDX_OR_PHONE, TDX, ATLS_E_TEE_TYPE_MISMATCH,
     "evidence.cmw.type", 0},
    {"an iPhone that says it is a machine", APPLE, HONEST, NULL, TDX_OR_PHONE, TDX, ATLS_E_TEE_TYPE_MISMATCH,
     "evidence.cmw.type", 0},
    {"a machine that says it is a phone", TDX, HONEST, NULL, TDX_OR_PHONE, ANDROID, ATLS_E_TEE_TYPE_MISMATCH,
     "evidence.cmw.type", 0},
};

/* ---- proofs with one lie --------------------------------------------------------------------------------------------------- */

typedef struct scene {
    const row *row;
    rig r;
    sim_android *android;
    sim_apple *apple;
    atls_policy *policy;
    atls_verifier *verifier;
    atls_arena keep; /* of the recording */
    atls_bytes record;
    bool is_accepted; /* as the recording was handed over */
} scene;

/* What the phone attests, and what its key signs. */
typedef struct words {
    uint8_t challenge[65];
    size_t challenge_len;
    uint8_t message[ATLS_PHONE_MESSAGE_LEN];
    size_t message_len;
} words;

static words words_of(lie_kind lie, const uint8_t report[64])
{
    static const char enrolment[] = "\x30\x40 a request that the attested key signs when it enrols";
    words w = {.challenge_len = 64, .message_len = ATLS_PHONE_MESSAGE_LEN};
    uint8_t other[64];
    memcpy(other, report, sizeof other);
    other[63] ^= 1;
    memcpy(w.challenge, lie == CHALLENGE_OTHER ? other : report, 64);
    w.challenge_len = lie == CHALLENGE_HALF ? 32 : lie == CHALLENGE_LONGER ? 65 : 64;
    atls_phone_message(lie == SIGNS_OTHER_REPORT ? other : report, w.message);
    if (lie == SIGNS_WITHOUT_TAG) {
        memcpy(w.message, report, 64);
        w.message_len = 64;
    } else if (lie == SIGNS_HALF) {
        w.message_len = 10 + 32;
    } else if (lie == SIGNS_ENROLMENT) {
        memcpy(w.message, enrolment, sizeof enrolment);
        w.message_len = sizeof enrolment;
    }
    return w;
}

/* The two values of the map, whole, as CBOR. */
typedef struct parts {
    atls_bytes first;  /* under key 0 */
    atls_bytes second; /* under key 1 */
    atls_bytes bare;   /* the attestation as it is elsewhere */
} parts;

static void put_member(atls_cw *w, uint64_t key, atls_bytes value)
{
    atls_cw_uint(w, key);
    atls_buf_put(w->buf, value);
}

static void put_map(lie_kind lie, const parts *p, atls_cw *w)
{
    const bool is_swapped = lie == SWAPPED;
    if (lie == OPEN_MAP) {
        atls_buf_put(w->buf, atls_bytes_of("\xbf", 1));
    } else if (lie == LONG_HEAD) {
        atls_buf_put(w->buf, atls_bytes_of("\xb8\x02", 2));
    } else if (lie == NO_MAP) {
        atls_cw_array(w, 4);
    } else {
        atls_cw_map(w, lie == WITHOUT_SIGNATURE ? 1 : lie == ONE_KEY_MORE ? 3 : 2);
    }
    if (lie == KEYS_TURNED) {
        put_member(w, 1, p->second);
        put_member(w, 0, p->first);
        return;
    }
    put_member(w, 0, is_swapped ? p->second : p->first);
    if (lie != WITHOUT_SIGNATURE) {
        put_member(w, lie == KEY_TWICE ? 0 : lie == OTHER_KEY ? 2 : 1, is_swapped ? p->first : p->second);
    }
}

static bool write_proof(lie_kind lie, const parts *p, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_cw w;
    if (lie == BARE) {
        *out = p->bare;
        return true;
    }
    atls_buf_init(&b, a, err);
    atls_cw_init(&w, &b);
    put_map(lie, p, &w);
    if (lie == ONE_KEY_MORE) {
        put_member(&w, 2, p->second);
    } else if (lie == TRAILING_BYTE) {
        atls_cw_uint(&w, 0);
    } else if (lie == OPEN_MAP) {
        atls_buf_put(&b, atls_bytes_of("\xff", 1));
    }
    return atls_buf_done(&b, out);
}

/* Bytes as a CBOR string. */
static bool string_of(atls_bytes in, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_cw w;
    atls_buf_init(&b, a, err);
    atls_cw_init(&w, &b);
    atls_cw_bytes(&w, in);
    return atls_buf_done(&b, out);
}

static bool put_certificates(lie_kind lie, const atls_bytes *ders, size_t n, atls_arena *a, parts *p, atls_error *err)
{
    const size_t more = lie == ONE_CERTIFICATE_MORE ? 1 : lie == TOO_MANY_CERTIFICATES ? 11 - n : 0;
    atls_buf list, bare;
    atls_cw w;
    atls_buf_init(&list, a, err);
    atls_buf_init(&bare, a, err);
    atls_cw_init(&w, &list);
    atls_cw_array(&w, lie == NO_CERTIFICATES ? 0 : n + more);
    for (size_t i = 0; lie != NO_CERTIFICATES && i < n + more; i++) {
        atls_cw_bytes(&w, ders[i < n ? i : n - 1]);
        atls_buf_put(&bare, ders[i < n ? i : n - 1]);
    }
    return atls_buf_done(&list, &p->first) && (lie != BARE || atls_buf_done(&bare, &p->bare));
}

static bool attest_android(scene *s, const words *w, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const lie_kind lie = s->row->lie;
    const sim_android_request request = {.challenge = atls_bytes_of(w->challenge, w->challenge_len)};
    const sim_android_request other = {.challenge = atls_bytes_empty(), .key = "android extra"};
    atls_bytes ders[SIM_ANDROID_MAX_CHAIN];
    size_t n = 0;
    atls_bytes signature;
    parts p;
    if (!sim_android_certificates(s->android, &request, a, ders, &n, err)
        || !sim_android_sign(s->android, lie == SIGNED_BY_ANOTHER ? &other : &request,
                             atls_bytes_of(w->message, w->message_len), a, &signature, err)) {
        return false;
    }
    if (lie == SIGNATURE_EMPTY) {
        signature = atls_bytes_empty();
    } else if (lie == SIGNATURE_RAW) {
        signature = atls_bytes_of(signature.ptr + signature.len - 64, 64);
    }
    return put_certificates(lie, ders, n, a, &p, err) && string_of(signature, a, &p.second, err)
           && write_proof(lie, &p, a, out, err);
}

static bool attest_apple(scene *s, const words *w, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const lie_kind lie = s->row->lie;
    atls_bytes assertion;
    parts p;
    return sim_apple_attestation(s->apple, atls_bytes_of(w->challenge, w->challenge_len), a, &p.bare, err)
           && sim_apple_assertion(s->apple, atls_bytes_of(w->message, w->message_len), lie == COUNTER_ZERO ? 0 : 1, a,
                                  &assertion, err)
           && string_of(p.bare, a, &p.first, err) && string_of(assertion, a, &p.second, err)
           && write_proof(lie, &p, a, out, err);
}

static bool attest(void *ctx, const uint8_t report[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    scene *s = ctx;
    const words w = words_of(s->row->lie, report);
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    if (s->row->phone == TDX) {
        return sim_attest(s->r.sim, report, a, out, err);
    }
    if (s->row->lie == HONEST) { /* by the library's own writer */
        return s->row->phone == ANDROID ? sim_android_attest(s->android, report, a, out, err)
                                        : sim_apple_attest(s->apple, report, a, out, err);
    }
    return s->row->phone == ANDROID ? attest_android(s, &w, a, &out->quote, err)
                                    : attest_apple(s, &w, a, &out->quote, err);
}

/* ---- one session ------------------------------------------------------------------------------------------------------------- */

/* Whichever it asks for: the list for Android, everything for a machine, and nothing for an iPhone. */
static bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                    atls_error *err)
{
    scene *s = ctx;
    if (request->platform == APPLE) {
        *out = (atls_endorsements){0};
        return true;
    }
    return request->platform == ANDROID ? sim_android_endorse(s->android, request, a, out, err)
                                        : sim_endorse(s->r.sim, request, a, out, err);
}

static void take(void *ctx, atls_bytes record, bool is_accepted, const atls_error *why)
{
    scene *s = ctx;
    atls_error err = {0};
    assert_null(why);
    check(atls_arena_copy(&s->keep, record, &s->record, &err), &err);
    s->is_accepted = is_accepted;
}

static const char *member(scene *s, atls_bytes document)
{
    const char *text = atls_text_format(&s->r.arena, &s->r.err, "{\"attested_only\":true,%.*s", (int)document.len - 1,
                                        (const char *)document.ptr + 1);
    assert_non_null(text);
    return text;
}

static void judge_open(scene *s)
{
    rig *r = &s->r;
    atls_bytes android, apple, tdx;
    check(sim_android_policy(s->android, &r->arena, &android, &r->err), &r->err);
    check(sim_apple_policy(s->apple, &r->arena, &apple, &r->err), &r->err);
    check(sim_policy(r->sim, "tdx", &r->arena, &tdx, &r->err), &r->err);
    const char *own = member(s, s->row->phone == APPLE ? apple : android);
    const char *text = own;
    if (s->row->policy != OF_PHONE) {
        text = atls_text_format(&r->arena, &r->err, "{\"type\":\"any_of\",\"policies\":[%s,%s]}",
                                s->row->policy == TDX_OR_PHONE ? member(s, tdx) : member(s, android),
                                s->row->policy == TDX_OR_PHONE ? own : member(s, apple));
        assert_non_null(text);
    }
    check(atls_policy_parse(atls_bytes_str(text), &s->policy, &r->err), &r->err);
    check(atls_verifier_new(s->policy, &s->verifier, &r->err), &r->err);
}

static void scene_open(scene *s, const row *t)
{
    rig *r = &s->r;
    *s = (scene){.row = t, .record = atls_bytes_empty()};
    rig_open(r);
    rig_native(r);
    check(atls_arena_new(&s->keep, AGAIN_ARENA, &r->err), &r->err);
    const sim_android_options android = {.kind = t->kind, .settings = t->phone == ANDROID ? t->settings : NULL};
    const sim_apple_options apple = {.settings = t->phone == APPLE ? t->settings : NULL};
    check(sim_android_new(&android, &s->android, &r->err), &r->err);
    check(sim_apple_new(&apple, &s->apple, &r->err), &r->err);
    judge_open(s);
    r->client_options.attest = attest;
    r->client_options.attest_ctx = s;
    r->client_options.attest_platform = t->said == ATLS_PLATFORM_NONE ? t->phone : t->said;
    r->server_options.verifier = s->verifier;
    r->server_options.endorse = endorse;
    r->server_options.endorse_ctx = s;
    r->server_options.now = SIM_NOW;
    r->server_options.record = (atls_record_options){.when = ATLS_RECORD_ALWAYS, .write = take, .ctx = s};
}

static void scene_close(scene *s)
{
    rig_close(&s->r);
    sim_android_free(s->android);
    sim_apple_free(s->apple);
    atls_verifier_free(s->verifier);
    atls_policy_free(s->policy);
    atls_arena_free(&s->keep);
}

static bool has_passed(const atls_result *result, const char *id)
{
    for (size_t i = 0; i < result->n_checks; i++) {
        if (strcmp(result->checks[i].id, id) == 0) {
            return result->checks[i].verdict == ATLS_CHECK_PASS;
        }
    }
    return false;
}

static void expect_session(scene *s)
{
    const rig *r = &s->r;
    check(r->client_step == ATLS_STEP_DONE, &r->client_err);
    check(r->server_step == ATLS_STEP_DONE, &r->server_err);
    rig_expect_established(r);
    rig_say(r->client, r->server, "hello");
    rig_say(r->server, r->client, "good evening");
    const atls_result *result = atls_session_result(r->server);
    assert_int_equal(result->claims.platform, s->row->phone);
    assert_int_equal(result->grade, ATLS_GRADE_SESSION);
    assert_string_equal(result->profile, "atls/1");
    assert_int_equal(result->claims.is_session_signed, s->row->phone != TDX);
    assert_int_equal(has_passed(result, "android.session_signature"), s->row->phone == ANDROID);
    assert_int_equal(has_passed(result, "apple.session_assertion"), s->row->phone == APPLE);
    assert_true(has_passed(result, "binding"));
    assert_int_equal(atls_session_result(r->client)->claims.platform, TDX); /* the server's */
}

static void expect_refusal(scene *s)
{
    const rig *r = &s->r;
    assert_int_equal(r->server_step, ATLS_STEP_FAILED);
    if (r->server_err.code != s->row->code || strcmp(r->server_err.field, s->row->field) != 0) {
        check(false, &r->server_err);
    }
    assert_int_equal(r->client_step, ATLS_STEP_FAILED);
    assert_string_equal(atls_code_name(r->client_err.code), "PEER_REFUSED");
    const atls_result *result = atls_session_result(r->server);
    assert_non_null(result);
    assert_int_not_equal(result->verdict, ATLS_VERDICT_ACCEPTED);
    assert_int_equal(result->claims.platform, ATLS_PLATFORM_NONE);
    assert_false(result->claims.is_session_signed);
}

static void run(void **state)
{
    scene s;
    atls_replay again;
    scene_open(&s, *state);
    rig_start(&s.r, NULL);
    rig_run_to_end(&s.r);
    if (s.row->code == ATLS_OK) {
        expect_session(&s);
    } else {
        expect_refusal(&s);
    }
    assert_true(s.record.len > 0);
    assert_int_equal(s.is_accepted, s.row->code == ATLS_OK);
    again_replay(s.record, &s.keep, &again);
    assert_true(again.is_same);
    atls_replay_free(&again);
    scene_close(&s);
}

/* ---- the clock --------------------------------------------------------------------------------------------------------------- */

static int64_t system_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A key that is as old as this very millisecond. */
static bool attest_new(void *ctx, const uint8_t report[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    scene *s = ctx;
    const sim_android_request request = {.challenge = atls_bytes_of(report, 64), .created_ms = system_ms()};
    uint8_t message[ATLS_PHONE_MESSAGE_LEN];
    atls_bytes ders[SIM_ANDROID_MAX_CHAIN];
    atls_bytes signature;
    size_t n = 0;
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    atls_phone_message(report, message);
    return sim_android_certificates(s->android, &request, a, ders, &n, err)
           && sim_android_sign(s->android, &request, atls_bytes_of(message, sizeof message), a, &signature, err)
           && atls_phone_android(ders, n, signature, a, &out->quote, err);
}

/* Phones state milliseconds: to a clock of whole seconds it would come from the future. */
static void a_key_of_this_moment(void **state)
{
    static const row honest = {.name = "", .phone = ANDROID, .field = ""};
    scene s;
    (void)state;
    scene_open(&s, &honest);
    sim_android_free(s.android);
    s.android = NULL;
    const sim_android_options options = {.now = system_ms() / 1000};
    check(sim_android_new(&options, &s.android, &s.r.err), &s.r.err);
    s.r.client_options.attest = attest_new;
    s.r.server_options.now = ATLS_TIME_UNSET;
    for (int64_t ms = system_ms() % 1000; ms < 200 || ms > 700; ms = system_ms() % 1000) {
        rig_nap(50);
    }
    rig_start(&s.r, NULL);
    rig_run_to_end(&s.r);
    expect_session(&s);
    scene_close(&s);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, run, &rows[i]);
    }
    tap_add(&tests, "a key of this moment", a_key_of_this_moment, NULL);
    return tap_run("edge/native_phones", &tests);
}
