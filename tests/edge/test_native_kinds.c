/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_kinds.c: machines of different kinds admit each other by atls/1: an AMD SEV-SNP machine, one with a TPM, a Nitro
 * enclave and a TDX machine, each under the other's policy; and none of them passes as another. */
#include "rig.h"

#include "sim/sim_android.h"
#include "sim/sim_nitro.h"
#include "sim/sim_sevsnp.h"
#include "sim/sim_tpm.h"

static void check(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[700];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* ---- machines ---------------------------------------------------------------------------------------------------------- */

typedef struct machine {
    atls_platform platform;
    void *room;
    atls_attest_fn attest;
    atls_endorse_fn endorse;
    atls_bytes document; /* of a policy that accepts it */
    atls_time now;
} machine;

/* A session's 64 bytes; a TPM takes the first 32. */
static bool attest_tpm(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err)
{
    *out = (atls_evidence){.event_log = atls_bytes_empty(), .vm_config = atls_bytes_empty()};
    return sim_tpm_document(ctx, SIM_TPM_CBOR, atls_bytes_of(report_data, 32), arena, &out->quote, err);
}

/* settings: of the room; NULL: none. */
static void machine_open(machine *m, rig *r, atls_platform platform, const char *const *settings)
{
    *m = (machine){.platform = platform, .now = SIM_NOW};
    if (platform == ATLS_PLATFORM_SEV_SNP) {
        sim_snp *room = NULL;
        check(sim_snp_new(&(sim_snp_options){.version = 3, .settings = settings}, &room, &r->err), &r->err);
        check(sim_snp_policy(room, &r->arena, &m->document, &r->err), &r->err);
        m->room = room;
        m->attest = sim_snp_attest;
        m->endorse = sim_snp_endorse;
    } else if (platform == ATLS_PLATFORM_TPM) {
        sim_tpm *room = NULL;
        check(sim_tpm_new(&(sim_tpm_options){.settings = settings}, &room, &r->err), &r->err);
        check(sim_tpm_policy(room, "", &r->arena, &m->document, &r->err), &r->err);
        m->room = room;
        m->attest = attest_tpm;
        m->endorse = sim_tpm_endorse;
    } else if (platform == ATLS_PLATFORM_NITRO) {
        sim_nitro *room = NULL;
        check(sim_nitro_new(&(sim_nitro_options){.settings = settings}, &room, &r->err), &r->err);
        check(sim_nitro_policy(room, &r->arena, &m->document, &r->err), &r->err);
        m->room = room;
        m->attest = sim_nitro_attest;
        m->endorse = sim_nitro_endorse;
    } else {
        check(sim_policy(r->sim, "tdx", &r->arena, &m->document, &r->err), &r->err);
        m->room = r->sim;
        m->attest = sim_attest;
        m->endorse = sim_endorse;
    }
}

static void machine_close(machine *m)
{
    if (m->platform == ATLS_PLATFORM_SEV_SNP) {
        sim_snp_free(m->room);
    } else if (m->platform == ATLS_PLATFORM_TPM) {
        sim_tpm_free(m->room);
    } else if (m->platform == ATLS_PLATFORM_NITRO) {
        sim_nitro_free(m->room);
    }
}

/* A verifier of the other's machine; clients have no certificate here. */
static void judge_open(rig *r, const char *document, size_t len, atls_policy **policy, atls_verifier **verifier)
{
    const char *text = atls_text_format(&r->arena, &r->err, "{\"attested_only\":true,%.*s", (int)len - 1, document + 1);
    assert_non_null(text);
    check(atls_policy_parse(atls_bytes_str(text), policy, &r->err), &r->err);
    check(atls_verifier_new(*policy, verifier, &r->err), &r->err);
}

/* ---- two machines --------------------------------------------------------------------------------------------------------- */

typedef struct meeting {
    const char *name;
    atls_platform client;
    atls_platform server;
    atls_platform expected_by_client; /* NONE: the server's own */
    atls_platform said_by_server;     /* the type it claims; NONE: the truth */
    bool any_of;                      /* the client's policy takes TDX, too */
    bool binds_otherwise;             /* the server's evidence is over what another kind would carry */
    const char *code;                 /* of the client; NULL: the session comes about */
} meeting;

static const meeting meetings[] = {
    {"SNP calls a TPM", ATLS_PLATFORM_SEV_SNP, ATLS_PLATFORM_TPM, 0, 0, false, false, NULL},
    {"a TPM calls SNP", ATLS_PLATFORM_TPM, ATLS_PLATFORM_SEV_SNP, 0, 0, false, false, NULL},
    {"Nitro calls SNP", ATLS_PLATFORM_NITRO, ATLS_PLATFORM_SEV_SNP, 0, 0, false, false, NULL},
    {"a TPM calls Nitro", ATLS_PLATFORM_TPM, ATLS_PLATFORM_NITRO, 0, 0, false, false, NULL},
    {"TDX calls Nitro", ATLS_PLATFORM_TDX, ATLS_PLATFORM_NITRO, 0, 0, false, false, NULL},
    {"SNP calls TDX", ATLS_PLATFORM_SEV_SNP, ATLS_PLATFORM_TDX, 0, 0, false, false, NULL},
    {"any of two kinds", ATLS_PLATFORM_TPM, ATLS_PLATFORM_SEV_SNP, 0, 0, true, false, NULL},
    {"SNP where a TPM is expected", ATLS_PLATFORM_TDX, ATLS_PLATFORM_SEV_SNP, ATLS_PLATFORM_TPM, 0, false, false,
     "PEER_REFUSED"},
    {"SNP that says it is a TPM", ATLS_PLATFORM_TDX, ATLS_PLATFORM_SEV_SNP, ATLS_PLATFORM_TPM, ATLS_PLATFORM_TPM, false,
     false, "EVIDENCE_FORMAT"},
    {"a TPM that says it is Nitro", ATLS_PLATFORM_TDX, ATLS_PLATFORM_TPM, ATLS_PLATFORM_NITRO, ATLS_PLATFORM_NITRO,
     false, false, "EVIDENCE_FORMAT"},
    {"Nitro that says it is SNP", ATLS_PLATFORM_TDX, ATLS_PLATFORM_NITRO, ATLS_PLATFORM_SEV_SNP, ATLS_PLATFORM_SEV_SNP,
     false, false, "EVIDENCE_FORMAT"},
    {"SNP that says it is SGX, where both are taken", ATLS_PLATFORM_TDX, ATLS_PLATFORM_SEV_SNP, 0, ATLS_PLATFORM_SGX,
     true, false, "TEE_TYPE_MISMATCH"},
    {"SNP with the 32 bytes of a TPM", ATLS_PLATFORM_TDX, ATLS_PLATFORM_SEV_SNP, 0, 0, false, true,
     "REPORT_DATA_MISMATCH"},
    {"Nitro with the 32 bytes of a TPM", ATLS_PLATFORM_TDX, ATLS_PLATFORM_NITRO, 0, 0, false, true,
     "REPORT_DATA_MISMATCH"},
    {"TDX with the 32 bytes of a TPM", ATLS_PLATFORM_SEV_SNP, ATLS_PLATFORM_TDX, 0, 0, false, true,
     "REPORT_DATA_MISMATCH"},
    {"a TPM with the other 32 bytes", ATLS_PLATFORM_TDX, ATLS_PLATFORM_TPM, 0, 0, false, true, "REPORT_DATA_MISMATCH"},
};

/* 32 bytes of the value and zeros; to a TPM the half that it does not carry. */
static bool attest_otherwise(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                             atls_error *err)
{
    const machine *m = ctx;
    uint8_t other[64] = {0};
    memcpy(other, report_data + (m->platform == ATLS_PLATFORM_TPM ? 32 : 0), 32);
    return m->attest(m->room, other, arena, out, err);
}

static atls_bytes expectation(rig *r, const machine *m, bool any_of)
{
    const char *text = any_of ? atls_text_format(&r->arena, &r->err,
                                                 "{\"type\":\"any_of\",\"policies\":[{\"attested_only\":true,\"type\":"
                                                 "\"tdx\"},{\"attested_only\":true,%.*s]}",
                                                 (int)m->document.len - 1, (const char *)m->document.ptr + 1)
                              : atls_text_format(&r->arena, &r->err, "{\"attested_only\":true,%.*s",
                                                 (int)m->document.len - 1, (const char *)m->document.ptr + 1);
    assert_non_null(text);
    return atls_bytes_str(text);
}

static void run(void **state)
{
    const meeting *t = *state;
    rig r;
    machine client, server, expected;
    atls_policy *of_client = NULL, *of_server = NULL;
    atls_verifier *by_client = NULL, *by_server = NULL;
    rig_open(&r);
    rig_native(&r);
    machine_open(&client, &r, t->client, NULL);
    machine_open(&server, &r, t->server, NULL);
    machine_open(&expected, &r, t->expected_by_client == ATLS_PLATFORM_NONE ? t->server : t->expected_by_client, NULL);
    check(atls_policy_parse(expectation(&r, &expected, t->any_of), &of_client, &r.err), &r.err);
    check(atls_verifier_new(of_client, &by_client, &r.err), &r.err);
    judge_open(&r, (const char *)client.document.ptr, client.document.len, &of_server, &by_server);
    r.client_options.verifier = by_client;
    r.client_options.endorse = expected.endorse;
    r.client_options.endorse_ctx = expected.room;
    r.client_options.attest = client.attest;
    r.client_options.attest_ctx = client.room;
    r.client_options.attest_platform = client.platform;
    r.server_options.verifier = by_server;
    r.server_options.endorse = client.endorse;
    r.server_options.endorse_ctx = client.room;
    r.server_options.attest = t->binds_otherwise ? attest_otherwise : server.attest;
    r.server_options.attest_ctx = t->binds_otherwise ? (void *)&server : server.room;
    r.server_options.attest_platform = t->said_by_server == ATLS_PLATFORM_NONE ? server.platform : t->said_by_server;
    r.server_options.now = SIM_NOW;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    if (t->code == NULL) {
        check(r.client_step == ATLS_STEP_DONE, &r.client_err);
        check(r.server_step == ATLS_STEP_DONE, &r.server_err);
        rig_expect_established(&r);
        rig_say(r.client, r.server, "hello");
        rig_say(r.server, r.client, "good evening");
        assert_int_equal(atls_session_result(r.client)->claims.platform, server.platform);
        assert_int_equal(atls_session_result(r.server)->claims.platform, client.platform);
        assert_int_equal(atls_session_result(r.client)->grade, ATLS_GRADE_SESSION);
        assert_int_equal(atls_session_result(r.server)->grade, ATLS_GRADE_SESSION);
    } else {
        assert_int_equal(r.client_step, ATLS_STEP_FAILED);
        assert_string_equal(atls_code_name(r.client_err.code), t->code);
        assert_int_equal(r.server_step, ATLS_STEP_FAILED);
    }
    rig_close(&r);
    machine_close(&client);
    machine_close(&server);
    machine_close(&expected);
    atls_verifier_free(by_client);
    atls_verifier_free(by_server);
    atls_policy_free(of_client);
    atls_policy_free(of_server);
}

/* ---- endorsements of another kind, sent along ------------------------------------------------------------------------------ */

static const struct sent_along {
    const char *name;
    atls_platform platform;
    const char *settings[3];
    atls_code code;
    const char *field;
} sent_along[] = {
    {"SNP, all its certificates in the table", ATLS_PLATFORM_SEV_SNP, {"table=vcek,ask,ark"}, ATLS_OK, ""},
    {"SNP, and one's own list names the ASK",
     ATLS_PLATFORM_SEV_SNP,
     {"table=vcek,ask,ark", "crl.revoked=ask"},
     ATLS_E_REVOKED,
     "ask"},
    {"SNP, and one's own has the certificates", ATLS_PLATFORM_SEV_SNP, {NULL}, ATLS_OK, ""},
    {"a TPM", ATLS_PLATFORM_TPM, {NULL}, ATLS_OK, ""},
    {"a TPM, and one's own list names its key",
     ATLS_PLATFORM_TPM,
     {"crl.intermediate.revoked=3"},
     ATLS_E_REVOKED,
     "ak_cert"},
    {"Nitro", ATLS_PLATFORM_NITRO, {NULL}, ATLS_OK, ""},
    {"Nitro, and one's own list names an authority",
     ATLS_PLATFORM_NITRO,
     {"crl.root.revoked=regional"},
     ATLS_E_REVOKED,
     "document.payload.cabundle[1]"},
};

/* As the library's own sources answer: a platform is that of collateral, which these kinds have none of. */
static bool endorse_without_platform(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                                     atls_endorsements *out, atls_error *err)
{
    const machine *m = ctx;
    const bool ok = m->endorse(m->room, request, arena, out, err);
    out->platform = ATLS_PLATFORM_NONE;
    return ok;
}

/* The server sends Intel's collateral along, and is none of Intel's machines. It takes nothing from the client's own lists. */
static void lists_stay(void **state)
{
    const struct sent_along *t = *state;
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_endorsements intels;
    machine server;
    rig r;
    rig_open(&r);
    rig_native(&r);
    machine_open(&server, &r, t->platform, t->settings);
    judge_open(&r, (const char *)server.document.ptr, server.document.len, &policy, &verifier);
    check(sim_collateral(r.sim, &r.arena, &intels, &r.err), &r.err);
    r.client_options.verifier = verifier;
    r.client_options.endorse = endorse_without_platform;
    r.client_options.endorse_ctx = &server;
    r.client_options.want_endorsements = true;
    r.server_options.attest = server.attest;
    r.server_options.attest_ctx = server.room;
    r.server_options.attest_platform = server.platform;
    r.server_options.staple = &intels;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    if (t->code == ATLS_OK) {
        check(r.client_step == ATLS_STEP_DONE, &r.client_err);
        rig_expect_established(&r);
    } else {
        rig_expect_client(&r, t->code, t->field);
    }
    rig_close(&r);
    machine_close(&server);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
}

/* ---- phones ----------------------------------------------------------------------------------------------------------------- */

/* What somebody gets from an honest phone who enrols its key, and picks a challenge of his own. */
static bool attest_phone(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    const sim_android_request request = {.challenge = atls_bytes_of(report_data, 64)};
    *out = (atls_evidence){.event_log = atls_bytes_empty(), .vm_config = atls_bytes_empty()};
    return sim_android_chain(ctx, &request, a, &out->quote, err);
}

static const char phones_only[] = "{\"attested_only\":true,%.*s";
static const char machines_or_phones[] =
    "{\"type\":\"any_of\",\"policies\":[{\"attested_only\":true,\"type\":\"tdx\"},{\"attested_only\":true,%.*s]}";

static void phone_open(rig *r, const char *format, sim_android **phone, atls_policy **policy, atls_verifier **verifier)
{
    atls_bytes document;
    check(sim_android_new(&(sim_android_options){0}, phone, &r->err), &r->err);
    check(sim_android_policy(*phone, &r->arena, &document, &r->err), &r->err);
    const char *text = atls_text_format(&r->arena, &r->err, format, (int)document.len - 1, document.ptr + 1);
    assert_non_null(text);
    check(atls_policy_parse(atls_bytes_str(text), policy, &r->err), &r->err);
    check(atls_verifier_new(*policy, verifier, &r->err), &r->err);
}

static void phone_close(rig *r, sim_android *phone, atls_policy *policy, atls_verifier *verifier)
{
    rig_close(r);
    sim_android_free(phone);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
}

/* The attestation of a phone is over the very value that the session asks for, and no proof all the same: that has a form of its own,
 * which test_native_phones.c is about. */
static void a_phone_calls(void **state)
{
    sim_android *phone = NULL;
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    rig r;
    (void)state;
    rig_open(&r);
    rig_native(&r);
    phone_open(&r, machines_or_phones, &phone, &policy, &verifier);
    r.client_options.attest = attest_phone;
    r.client_options.attest_ctx = phone;
    r.server_options.verifier = verifier;
    r.server_options.endorse = sim_android_endorse;
    r.server_options.endorse_ctx = phone;
    r.server_options.now = SIM_NOW;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(r.server_step, ATLS_STEP_FAILED);
    assert_string_equal(atls_code_name(r.server_err.code), "QUOTE_FORMAT");
    assert_int_equal(r.client_step, ATLS_STEP_FAILED);
    assert_string_equal(atls_code_name(r.client_err.code), "PEER_REFUSED");
    phone_close(&r, phone, policy, verifier);
}

/* dstack carries no type: nothing but the appraisal is in the way. */
static void a_phone_answers_as_dstack(void **state)
{
    sim_android *phone = NULL;
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    rig r;
    (void)state;
    rig_open(&r);
    phone_open(&r, machines_or_phones, &phone, &policy, &verifier);
    r.client_options.verifier = verifier;
    r.client_options.endorse = sim_android_endorse;
    r.client_options.endorse_ctx = phone;
    r.server_options.attest = attest_phone;
    r.server_options.attest_ctx = phone;
    rig_start(&r, NULL);
    rig_run(&r);
    assert_int_equal(r.client_step, ATLS_STEP_FAILED);
    assert_string_equal(atls_code_name(r.client_err.code), "UNSUPPORTED");
    phone_close(&r, phone, policy, verifier);
}

/* dstack carries quotes of TDX (and SGX): what a machine of another kind makes is for atls/1, where it bears its type. */
static void another_kind_answers_as_dstack(void **state)
{
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    machine server;
    rig r;
    (void)state;
    rig_open(&r);
    machine_open(&server, &r, ATLS_PLATFORM_SEV_SNP, NULL);
    check(atls_policy_parse(expectation(&r, &server, true), &policy, &r.err), &r.err);
    check(atls_verifier_new(policy, &verifier, &r.err), &r.err);
    r.client_options.verifier = verifier;
    r.client_options.endorse = server.endorse;
    r.client_options.endorse_ctx = server.room;
    r.server_options.attest = server.attest;
    r.server_options.attest_ctx = server.room;
    rig_start(&r, NULL);
    rig_run(&r);
    assert_int_equal(r.client_step, ATLS_STEP_FAILED);
    assert_string_equal(atls_code_name(r.client_err.code), "TEE_TYPE_MISMATCH");
    assert_null(atls_session_result(r.client));
    rig_close(&r);
    machine_close(&server);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
}

/* Servers may be phones, too; what one sends along does not displace Google's list. */
static void a_phone_serves(void **state)
{
    const bool *sends_along = *state;
    atls_endorsements intels;
    sim_android *phone = NULL;
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    rig r;
    rig_open(&r);
    rig_native(&r);
    phone_open(&r, phones_only, &phone, &policy, &verifier);
    r.client_options.verifier = verifier;
    r.client_options.endorse = sim_android_endorse;
    r.client_options.endorse_ctx = phone;
    r.server_options.attest = sim_android_attest;
    r.server_options.attest_ctx = phone;
    r.server_options.attest_platform = ATLS_PLATFORM_ANDROID;
    check(sim_collateral(r.sim, &r.arena, &intels, &r.err), &r.err);
    r.client_options.want_endorsements = *sends_along;
    r.server_options.staple = *sends_along ? &intels : NULL;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    check(r.client_step == ATLS_STEP_DONE, &r.client_err);
    rig_expect_established(&r);
    assert_int_equal(atls_session_result(r.client)->claims.platform, ATLS_PLATFORM_ANDROID);
    assert_true(atls_session_result(r.client)->claims.is_session_signed);
    phone_close(&r, phone, policy, verifier);
}

/* It is told which types are asked for, and shows nothing where its own is none of them. */
static void a_phone_calls_who_asks_for_machines(void **state)
{
    sim_android *phone = NULL;
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    rig r;
    (void)state;
    rig_open(&r);
    rig_native(&r);
    phone_open(&r, phones_only, &phone, &policy, &verifier);
    rig_policy(&r, "\"attested_only\":true,");
    r.client_options.attest = sim_android_attest;
    r.client_options.attest_ctx = phone;
    r.client_options.attest_platform = ATLS_PLATFORM_ANDROID;
    r.client_options.verifier = r.verifier;
    r.client_options.identity = ATLS_IDENTITY_ATTESTED_ONLY;
    r.client_options.ca_file = NULL;
    r.server_options.verifier = r.verifier;
    r.server_options.now = SIM_NOW;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_client(&r, ATLS_E_PROTOCOL, "server_hello.types");
    phone_close(&r, phone, policy, verifier);
}

int main(void)
{
    static const bool no = false;
    static const bool yes = true;
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof sent_along / sizeof sent_along[0]; i++) {
        tap_add(&tests, sent_along[i].name, lists_stay, &sent_along[i]);
    }
    for (size_t i = 0; i < sizeof meetings / sizeof meetings[0]; i++) {
        tap_add(&tests, meetings[i].name, run, &meetings[i]);
    }
    tap_add(&tests, "a phone calls", a_phone_calls, NULL);
    tap_add(&tests, "a phone answers as dstack", a_phone_answers_as_dstack, NULL);
    tap_add(&tests, "another kind answers as dstack", another_kind_answers_as_dstack, NULL);
    tap_add(&tests, "a phone serves", a_phone_serves, &no);
    tap_add(&tests, "a phone serves, and sends Intel's collateral along", a_phone_serves, &yes);
    tap_add(&tests, "a phone calls who asks for machines", a_phone_calls_who_asks_for_machines, NULL);
    return tap_run("edge/native_kinds", &tests);
}
