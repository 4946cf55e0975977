/* SPDX-License-Identifier: Apache-2.0 */
/* test_apple_beside.c: what stands beside an appraisal of App Attest: assertions, second keys, client data, receipts by
 * themselves, and the words of the specification for errors. */
#include "apple_room.h"

/* ---- assertions ---- */

typedef struct assertion_row {
    const char *name;
    const char *settings[ROOM_MAX_SETTINGS];
    uint32_t counter;
    uint32_t last;
    const char *field; /* NULL: accepted */
} assertion_row;

#define SIGNATURE "assertion.signature"
#define APP       "assertion.authenticatorData.rpIdHash"
#define COUNTER   "assertion.authenticatorData.signCount"
#define DATA      "assertion.authenticatorData"

static const assertion_row assertions[] = {
    {"the first one", {NULL}, 1, 0, NULL},
    {"a later one", {NULL}, 7, 5, NULL},
    {"the last one that there can be", {NULL}, UINT32_MAX, UINT32_MAX - 1, NULL},
    {"flags without the bit that Apple sets", {"assertion.flags=0"}, 1, 0, NULL},
    {"every flag", {"assertion.flags=0xff"}, 1, 0, NULL},
    {"the other half of the curve", {"assertion.sig=highs"}, 1, 0, NULL},
    {"an unknown member", {"assertion.map+6161=81a10102"}, 1, 0, NULL},
    {"the same counter again", {NULL}, 5, 5, COUNTER},
    {"a lower counter", {NULL}, 4, 5, COUNTER},
    {"a counter of zero", {NULL}, 0, 0, COUNTER},
    {"another app", {"assertion.rp_id_hash=00"}, 1, 0, APP},
    {"a bit of the signature", {"assertion.sig=bit"}, 1, 0, SIGNATURE},
    {"a signature of zeros", {"assertion.sig=zero"}, 1, 0, SIGNATURE},
    {"another key", {"assertion.signed_by=signer"}, 1, 0, SIGNATURE},
    {"another key and another app: the signature counts",
     {"assertion.signed_by=signer", "assertion.rp_id_hash=00"},
     1,
     0,
     SIGNATURE},
    {"another app and an old counter: the app counts", {"assertion.rp_id_hash=00"}, 1, 1, APP},
    {"a byte more in the data", {"assertion.trailing=00"}, 1, 0, DATA},
    {"data without counter",
     {"assertion.map.authenticatorData=5821"
      "0000000000000000000000000000000000000000000000"
      "00000000000000000000"},
     1,
     0,
     COUNTER},
    {"no data", {"assertion.map.authenticatorData=none"}, 1, 0, DATA},
    {"no signature", {"assertion.map.signature=none"}, 1, 0, SIGNATURE},
    {"an empty signature", {"assertion.map.signature=40"}, 1, 0, SIGNATURE},
    {"a signature that is text", {"assertion.map.signature=60"}, 1, 0, SIGNATURE},
    {"data twice", {"assertion.map+7161757468656e74696361746f7244617461=40"}, 1, 0, "assertion"},
    {"a float", {"assertion.map+6161=f93c00"}, 1, 0, "assertion"},
    {"a tag", {"assertion.map+6161=c100"}, 1, 0, "assertion"},
    {"an open map", {"raw.assertion@0=bf", "raw.assertion@-0+=ff"}, 1, 0, "assertion"},
    {"a byte after it", {"raw.assertion@-0+=00"}, 1, 0, "assertion"},
    {"nothing", {"raw.assertion@0-=*"}, 1, 0, "assertion"},
};

typedef struct phone {
    room_scene r;
    atls_apple_assertion in;
} phone;

static void phone_open(phone *p, const char *const *settings, atls_bytes client_data, uint32_t counter)
{
    sim_apple_key key;
    room_open(&p->r, false, settings);
    scene *s = &p->r.s;
    p->in = (atls_apple_assertion){.app_id = atls_bytes_str(SIM_APPLE_APP_ID), .client_data = client_data};
    scene_must(sim_apple_assertion(p->r.room, client_data, counter, &s->arena, &p->in.assertion, &s->err), &s->err,
               "assertion");
    scene_must(sim_apple_attested_key(p->r.room, &key, &s->err), &s->err, "key");
    memcpy(p->in.public_key, key.point, sizeof key.point);
}

static void phone_close(phone *p)
{
    room_close(&p->r);
}

static void expect_error(const atls_error *err, atls_code code, const char *field, const char *reason)
{
    char line[512];
    (void)atls_error_line(err, line, sizeof line);
    if (err->code != code || strcmp(err->field, field) != 0) {
        fail_msg("must be %s at %s, but is %s", atls_code_name(code), field, line);
    }
    assert_string_equal(atls_apple_error_class(err), "Content.iOS");
    assert_string_equal(atls_apple_error_reason(err), reason);
}

static void test_assertion(void **state)
{
    const assertion_row *row = *state;
    phone p;
    uint32_t counter = 99;
    phone_open(&p, row->settings, atls_bytes_str("log me in: 123"), row->counter);
    p.in.last_counter = row->last;
    const bool ok = atls_apple_assertion_verify(&p.in, &counter, &p.r.s.err);
    if (row->field == NULL) {
        scene_must(ok, &p.r.s.err, "assertion");
        assert_int_equal(counter, row->counter);
    } else {
        assert_false(ok);
        assert_int_equal(counter, 0);
        expect_error(&p.r.s.err, ATLS_E_APPLE_ASSERTION, row->field, "APP_UNEXPECTED");
    }
    phone_close(&p);
}

static void test_assertion_other_data(void **state)
{
    phone p;
    uint32_t counter;
    (void)state;
    phone_open(&p, NULL, atls_bytes_str("log me in: 123"), 1);
    p.in.client_data = atls_bytes_str("log me in: 124");
    assert_false(atls_apple_assertion_verify(&p.in, &counter, &p.r.s.err));
    expect_error(&p.r.s.err, ATLS_E_APPLE_ASSERTION, SIGNATURE, "APP_UNEXPECTED");
    phone_close(&p);
}

static void test_assertion_no_key(void **state)
{
    phone p;
    uint32_t counter;
    (void)state;
    phone_open(&p, NULL, atls_bytes_str("x"), 1);
    p.in.public_key[64] ^= 1;
    assert_false(atls_apple_assertion_verify(&p.in, &counter, &p.r.s.err));
    expect_error(&p.r.s.err, ATLS_E_APPLE_ASSERTION, "public_key", "APP_UNEXPECTED");
    phone_close(&p);
}

/* Every bit of an assertion counts, but those of the flags' meaning: even they are signed. Every shorter one is refused. */
static void test_assertion_flips(void **state)
{
    phone p;
    uint32_t counter;
    (void)state;
    phone_open(&p, NULL, atls_bytes_str("x"), 1);
    const atls_bytes whole = p.in.assertion;
    uint8_t *bytes = atls_arena_raw(&p.r.s.arena, whole.len, &p.r.s.err);
    assert_non_null(bytes);
    memcpy(bytes, whole.ptr, whole.len);
    p.in.assertion = atls_bytes_of(bytes, whole.len);
    for (size_t i = 0; i < 8 * whole.len; i++) {
        atls_error err = {0};
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_false(atls_apple_assertion_verify(&p.in, &counter, &err));
        assert_int_equal(err.code, ATLS_E_APPLE_ASSERTION);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t n = 0; n < whole.len; n++) {
        atls_error err = {0};
        p.in.assertion = atls_bytes_of(bytes, n);
        assert_false(atls_apple_assertion_verify(&p.in, &counter, &err));
    }
    phone_close(&p);
}

/* ---- a second key ---- */

typedef struct form_row {
    const char *name;
    atls_apple_key_form form;
    uint32_t counter;
    atls_code code;
} form_row;

static const form_row forms[] = {
    {"a second key as DER", ATLS_APPLE_KEY_SPKI, 1, ATLS_OK},
    {"a second key, uncompressed", ATLS_APPLE_KEY_UNCOMPRESSED, 1, ATLS_OK},
    {"a second key, compressed", ATLS_APPLE_KEY_COMPRESSED, 1, ATLS_OK},
    {"something else than the key", ATLS_APPLE_KEY_NONE, 1, ATLS_E_APPLE_ASSERTION},
    {"a second key, and something was signed before", ATLS_APPLE_KEY_SPKI, 2, ATLS_E_APPLE_SIG_CTR},
    {"a second key, and the counter does not count", ATLS_APPLE_KEY_SPKI, 0, ATLS_E_APPLE_ASSERTION},
};

static atls_bytes encode(atls_apple_key_form form, const uint8_t point[65], uint8_t out[91])
{
    static const char prefix[] = "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03"
                                 "\x01\x07\x03\x42";
    if (form == ATLS_APPLE_KEY_COMPRESSED) {
        out[0] = (uint8_t)(2 + (point[64] & 1));
        memcpy(out + 1, point + 1, 32);
        return atls_bytes_of(out, 33);
    }
    memcpy(out, prefix, 26);
    memcpy(out + 26, point, 65);
    return form == ATLS_APPLE_KEY_UNCOMPRESSED ? atls_bytes_of(out + 26, 65)
           : form == ATLS_APPLE_KEY_SPKI       ? atls_bytes_of(out, 91)
                                               : atls_bytes_of(out, 90);
}

static void test_form(void **state)
{
    const form_row *row = *state;
    phone p;
    sim_apple_key second;
    uint8_t room[91];
    atls_apple_key_form form = ATLS_APPLE_KEY_SPKI;
    phone_open(&p, NULL, atls_bytes_str("x"), 1);
    scene *s = &p.r.s;
    assert_true(sim_apple_second_key(p.r.room, &second, &s->err));
    assert_true(sim_apple_assertion(p.r.room, encode(row->form, second.point, room), row->counter, &s->arena,
                                    &p.in.assertion, &s->err));
    const bool ok = atls_apple_key_proof_verify(&p.in, second.point, &form, &s->err);
    assert_int_equal(ok, row->code == ATLS_OK);
    assert_int_equal(form, ok ? row->form : ATLS_APPLE_KEY_NONE);
    if (row->code == ATLS_E_APPLE_SIG_CTR) {
        expect_error(&s->err, row->code, COUNTER, "SIG_CTR");
    } else if (!ok) {
        expect_error(&s->err, row->code, row->counter == 0 ? COUNTER : SIGNATURE, "APP_UNEXPECTED");
    }
    phone_close(&p);
}

static void test_no_point(void **state)
{
    phone p;
    sim_apple_key second;
    atls_apple_key_form form;
    (void)state;
    phone_open(&p, NULL, atls_bytes_str("x"), 1);
    assert_true(sim_apple_second_key(p.r.room, &second, &p.r.s.err));
    second.point[64] ^= 1;
    assert_false(atls_apple_key_proof_verify(&p.in, second.point, &form, &p.r.s.err));
    expect_error(&p.r.s.err, ATLS_E_APPLE_ASSERTION, "key", "APP_UNEXPECTED");
    phone_close(&p);
}

/* ---- client data ---- */

typedef struct data_row {
    const char *name;
    const char *settings[ROOM_MAX_SETTINGS];
    atls_code code;
    const char *field;
} data_row;

#define NO_MATCH(field) ATLS_E_APPLE_CHALLENGE, "clientDataJSON" field
#define NO_KEY          ATLS_E_EVIDENCE_FORMAT, "clientDataJSON.publicKey"

static const data_row data_rows[] = {
    {"as Signum writes them", {NULL}, ATLS_OK, NULL},
    {"a compressed key", {"second.compressed=1"}, ATLS_OK, NULL},
    {"an unknown member", {"client_data.more=[1]"}, ATLS_OK, NULL},
    {"the challenge with its padding", {"client_data.challenge=\"Y2hhbGxlbmdl\""}, ATLS_OK, NULL},
    {"another challenge", {"client_data.challenge=\"Y2hhbGxlbmdm\""}, NO_MATCH(".challenge")},
    {"a longer challenge", {"client_data.challenge=\"Y2hhbGxlbmdlAA\""}, NO_MATCH(".challenge")},
    {"an empty challenge", {"client_data.challenge=\"\""}, NO_MATCH(".challenge")},
    {"a challenge in another alphabet", {"client_data.challenge=\"Y2hhbGxlbmd+\""}, NO_MATCH(".challenge")},
    {"a challenge that is a number", {"client_data.challenge=1"}, NO_MATCH(".challenge")},
    {"no challenge", {"-client_data.challenge"}, NO_MATCH(".challenge")},
    {"the challenge twice", {"client_data.+challenge=\"Y2hhbGxlbmdl\""}, NO_MATCH("")},
    {"another purpose", {"client_data.purpose=\"ios app-attest: login\""}, NO_MATCH(".purpose")},
    {"another purpose and another challenge: the purpose counts",
     {"client_data.purpose=\"\"", "client_data.challenge=\"\""},
     NO_MATCH(".purpose")},
    {"no purpose", {"-client_data.purpose"}, NO_MATCH(".purpose")},
    {"an array", {"client_data.=[]"}, NO_MATCH(".purpose")},
    {"no JSON", {"raw.client_data=x"}, NO_MATCH("")},
    {"nothing", {"raw.client_data@0-=*"}, NO_MATCH("")},
    {"bytes after it", {"raw.client_data@-0+=7d"}, NO_MATCH("")},
    {"no key", {"-client_data.publicKey"}, NO_KEY},
    {"a key that is no point", {"client_data.publicKey=\"AAAA\""}, NO_KEY},
    {"a key beside its curve", {"second.point=65x04"}, NO_KEY},
    {"the point at infinity", {"second.point=00"}, NO_KEY},
};

static void test_client_data(void **state)
{
    const data_row *row = *state;
    const atls_bytes challenge = atls_bytes_str("challenge");
    atls_bytes json;
    atls_apple_client_data out;
    sim_apple_key second;
    room_scene r;
    room_open(&r, false, row->settings);
    assert_true(sim_apple_client_data(r.room, challenge, &r.s.arena, &json, &r.s.err));
    const bool ok = atls_apple_client_data_read(json, challenge, &r.s.arena, &out, &r.s.err);
    if (row->code == ATLS_OK) {
        scene_must(ok, &r.s.err, "client data");
        assert_true(sim_apple_second_key(r.room, &second, &r.s.err));
        assert_memory_equal(out.public_key, second.point, sizeof second.point);
        assert_true(atls_bytes_equal(out.challenge, challenge));
    } else {
        assert_false(ok);
        expect_error(&r.s.err, row->code, row->field,
                     row->code == ATLS_E_APPLE_CHALLENGE ? "CHALLENGE" : "APP_UNEXPECTED");
        assert_int_equal(out.public_key[0], 0);
    }
    room_close(&r);
}

/* A server that expects nothing accepts nothing. */
static void test_no_challenge(void **state)
{
    static const char *const settings[] = {"client_data.challenge=\"\"", NULL};
    atls_bytes json;
    atls_apple_client_data out;
    room_scene r;
    (void)state;
    room_open(&r, false, settings);
    assert_true(sim_apple_client_data(r.room, atls_bytes_empty(), &r.s.arena, &json, &r.s.err));
    assert_false(atls_apple_client_data_read(json, atls_bytes_empty(), &r.s.arena, &out, &r.s.err));
    expect_error(&r.s.err, NO_MATCH(".challenge"), "CHALLENGE");
    room_close(&r);
}

/* ---- receipts by themselves ---- */

typedef struct receipt_row {
    const char *name;
    const char *settings[ROOM_MAX_SETTINGS];
    bool is_renewed;
    atls_code code;
    const char *field;
} receipt_row;

static const receipt_row receipts[] = {
    {"of an attestation", {NULL}, false, ATLS_OK, NULL},
    {"renewed", {NULL}, true, ATLS_OK, NULL},
    {"renewed, definite", {"cms.form=der"}, true, ATLS_OK, NULL},
    {"as old as is allowed", {"receipt.time.12=now-300", "receipt.fraction.12="}, true, ATLS_OK, NULL},
    {"from the future: not asked here", {"receipt.time.12=now+9"}, true, ATLS_OK, NULL},
    {"expired for renewal", {"receipt.time.21=now-9"}, true, ATLS_OK, NULL},
    {"too old",
     {"receipt.time.12=now-301", "receipt.fraction.12=.999"},
     true,
     ATLS_E_APPLE_STATEMENT_TIME,
     "receipt.creationTime"},
    {"of another app", {"receipt.text.2=other"}, true, ATLS_E_APPLE_RECEIPT, "receipt.appId"},
    {"about another key", {"receipt.certificate=signer"}, true, ATLS_E_APPLE_RECEIPT, "receipt.attestedCertificate"},
    {"not signed", {"cms.sig=bit"}, true, ATLS_E_APPLE_RECEIPT, "receipt.signerInfo.signature"},
    {"by an expired signer",
     {"cert.signer.not_after=now-1"},
     true,
     ATLS_E_APPLE_RECEIPT,
     "receipt.certificates.signer.not_after"},
    {"malformed", {"cms.signers=0"}, true, ATLS_E_APPLE_RECEIPT, "receipt.signerInfo"},
    {"of another app and too old: the app counts",
     {"receipt.text.2=other", "receipt.time.12=now-900"},
     true,
     ATLS_E_APPLE_RECEIPT,
     "receipt.appId"},
    {"too old and not signed: the age counts",
     {"receipt.time.12=now-900", "cms.sig=bit"},
     true,
     ATLS_E_APPLE_STATEMENT_TIME,
     "receipt.creationTime"},
};

static void open_receipt(room_scene *r, const receipt_row *row, atls_policy **policy, atls_apple_receipt_check *in)
{
    sim_apple_key key;
    room_open(r, false, row->settings);
    *in = (atls_apple_receipt_check){.app_id = atls_bytes_str(SIM_APPLE_APP_ID), .now = r->s.now, .max_age_s = 300};
    scene_must(atls_policy_parse(atls_bytes_str(r->policy), policy, &r->s.err), &r->s.err, "policy");
    in->policy = *policy;
    assert_true(sim_apple_receipt(r->room, r->s.client_data, row->is_renewed, &r->s.arena, &in->receipt, &r->s.err));
    assert_true(sim_apple_attested_key(r->room, &key, &r->s.err));
    memcpy(in->public_key, key.point, sizeof key.point);
}

static void test_receipt(void **state)
{
    const receipt_row *row = *state;
    room_scene r;
    atls_policy *policy;
    atls_apple_receipt_check in;
    atls_apple_receipt out;
    open_receipt(&r, row, &policy, &in);
    const bool ok = atls_apple_receipt_verify(&in, &r.s.arena, &out, &r.s.err);
    if (row->code == ATLS_OK) {
        scene_must(ok, &r.s.err, "receipt");
        assert_int_equal(out.is_renewed, row->is_renewed);
        assert_true(atls_bytes_equal_str(out.risk_metric, row->is_renewed ? "2" : ""));
    } else {
        assert_false(ok);
        expect_error(&r.s.err, row->code, row->field,
                     row->code == ATLS_E_APPLE_RECEIPT ? "APP_UNEXPECTED" : "STATEMENT_TIME");
        assert_int_equal(out.app_id.len, 0);
    }
    atls_policy_free(policy);
    room_close(&r);
}

static void test_receipt_calls(void **state)
{
    static const receipt_row row = {.settings = {NULL}};
    room_scene r;
    atls_policy *policy;
    atls_apple_receipt_check in;
    atls_apple_receipt out;
    (void)state;
    open_receipt(&r, &row, &policy, &in);
    in.policy = NULL; /* Apple's own roots */
    assert_false(atls_apple_receipt_verify(&in, &r.s.arena, &out, &r.s.err));
    expect_error(&r.s.err, ATLS_E_APPLE_RECEIPT, "receipt.certificates[2].issuer", "APP_UNEXPECTED");
    for (size_t i = 0; i < 2; i++) {
        atls_error_clear(&r.s.err);
        in.now = i == 0 ? ATLS_TIME_UNSET : r.s.now;
        in.now_ms = i == 0 ? 0 : 1000;
        assert_false(atls_apple_receipt_verify(&in, &r.s.arena, &out, &r.s.err));
        assert_int_equal(r.s.err.code, ATLS_E_USAGE);
    }
    atls_policy_free(policy);
    room_close(&r);
}

/* ---- words ---- */

static void test_words(void **state)
{
    static const struct {
        atls_code code;
        const char *class_name;
        const char *reason;
        atls_category category;
    } rows[] = {
        {ATLS_E_CERTIFICATE_CHAIN, "Certificate.Trust", "TRUST", ATLS_CATEGORY_TRUST},
        {ATLS_E_EXPIRED, "Certificate.Time", "TIME", ATLS_CATEGORY_TIME},
        {ATLS_E_NOT_YET_VALID, "Certificate.Time", "TIME", ATLS_CATEGORY_TIME},
        {ATLS_E_EVIDENCE_FORMAT, "Content.iOS", "APP_UNEXPECTED", ATLS_CATEGORY_CONTENT},
        {ATLS_E_APPLE_APP_UNEXPECTED, "Content.iOS", "APP_UNEXPECTED", ATLS_CATEGORY_CONTENT},
        {ATLS_E_APPLE_CHALLENGE, "Content.iOS", "CHALLENGE", ATLS_CATEGORY_CONTENT},
        {ATLS_E_APPLE_IDENTIFIER, "Content.iOS", "IDENTIFIER", ATLS_CATEGORY_CONTENT},
        {ATLS_E_APPLE_RECEIPT, "Content.iOS", "APP_UNEXPECTED", ATLS_CATEGORY_CONTENT},
        {ATLS_E_APPLE_STATEMENT_TIME, "Content.iOS", "STATEMENT_TIME", ATLS_CATEGORY_TIME},
        {ATLS_E_APPLE_OS_VERSION, "Content.iOS", "OS_VERSION", ATLS_CATEGORY_CONTENT},
        {ATLS_E_APPLE_ASSERTION, "Content.iOS", "APP_UNEXPECTED", ATLS_CATEGORY_CONTENT},
        {ATLS_E_APPLE_SIG_CTR, "Content.iOS", "SIG_CTR", ATLS_CATEGORY_CONTENT},
        {ATLS_E_CONFIGURATION, "Configuration", "", ATLS_CATEGORY_INTERNAL},
        {ATLS_E_MEMORY, "", "", ATLS_CATEGORY_INTERNAL},
        {ATLS_OK, "", "", ATLS_CATEGORY_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const atls_error err = {.code = rows[i].code};
        assert_string_equal(atls_apple_error_class(&err), rows[i].class_name);
        assert_string_equal(atls_apple_error_reason(&err), rows[i].reason);
        assert_int_equal(atls_code_category(rows[i].code), rows[i].category);
    }
}

#define ADD(table, fn)                                                                                                 \
    for (size_t i = 0; i < sizeof(table) / sizeof(table)[0]; i++) {                                                    \
        tap_add(&tests, (table)[i].name, fn, &(table)[i]);                                                             \
    }

int main(void)
{
    tap_list tests = {0};
    ADD(assertions, test_assertion)
    tap_add(&tests, "an assertion over other data", test_assertion_other_data, NULL);
    tap_add(&tests, "an assertion by no key", test_assertion_no_key, NULL);
    tap_add(&tests, "every bit and every byte of an assertion counts", test_assertion_flips, NULL);
    ADD(forms, test_form)
    tap_add(&tests, "a second key that is no point", test_no_point, NULL);
    ADD(data_rows, test_client_data)
    tap_add(&tests, "no challenge is no match for none", test_no_challenge, NULL);
    ADD(receipts, test_receipt)
    tap_add(&tests, "receipts: Apple's roots, times that are none", test_receipt_calls, NULL);
    tap_add(&tests, "classes, reasons and categories", test_words, NULL);
    return tap_run("apple_beside", &tests);
}
