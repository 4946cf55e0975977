/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that record: what is asked for is recorded, and nothing else; the recording replays to what the session reports; a
 * session that fails after its evidence passed says so in the recording; and no secret of the session is in one: neither its
 * traffic secrets, nor its exporters, nor a private key, in any spelling. */
#include "pair.h"
#include "rig.h"
#include "verify/again.h"

#include <openssl/pem.h>

#define KEEP ((size_t)128 * 1024 * 1024)

/* What a session handed over. */
typedef struct tape {
    atls_arena keep;
    atls_bytes record;
    unsigned n;
    bool is_accepted;
    atls_code why; /* OK: there is a recording */
} tape;

static void tape_open(tape *t)
{
    atls_error err = {0};
    *t = (tape){.record = atls_bytes_empty()};
    assert_true(atls_arena_new(&t->keep, KEEP, &err));
}

static void tape_close(tape *t)
{
    atls_arena_free(&t->keep);
}

static void take(void *ctx, atls_bytes record, bool is_accepted, const atls_error *why)
{
    tape *t = ctx;
    atls_error err = {0};
    assert_true(atls_arena_copy(&t->keep, record, &t->record, &err));
    t->n++;
    t->is_accepted = is_accepted;
    t->why = why == NULL ? ATLS_OK : why->code;
}

static atls_record_options options_of(tape *t, atls_record_when when)
{
    return (atls_record_options){.when = when, .write = take, .ctx = t};
}

/* The recording replays to the last byte of what the session reports. */
static void expect_same(tape *t, const atls_result *result, const atls_error *err, atls_replay *again)
{
    atls_bytes json;
    atls_error unused = {0};
    again_replay(t->record, &t->keep, again);
    assert_true(again->is_same);
    if (result != NULL) {
        assert_true(atls_result_json(result, err, &t->keep, &json, &unused));
        assert_int_equal(json.len, again->replayed_json.len);
        assert_memory_equal(json.ptr, again->replayed_json.ptr, json.len);
    }
}

/* ---- dstack and atls/1 ------------------------------------------------------------------------------------------- */

typedef struct row {
    const char *name;
    bool native;
    atls_record_when when;
    const char *edit; /* of the policy */
    bool is_missing;  /* there are no endorsements */
    bool is_accepted;
    bool is_recorded;
} row;

#define OTHER_CODE "\"min_tcb_evaluation_data_number\":9999,"

static const row rows[] = {
    {"dstack, honest, never", false, ATLS_RECORD_NEVER, "", false, true, false},
    {"dstack, honest, on failure", false, ATLS_RECORD_ON_FAILURE, "", false, true, false},
    {"dstack, honest, always", false, ATLS_RECORD_ALWAYS, "", false, true, true},
    {"dstack, refused, never", false, ATLS_RECORD_NEVER, OTHER_CODE, false, false, false},
    {"dstack, refused, on failure", false, ATLS_RECORD_ON_FAILURE, OTHER_CODE, false, false, true},
    {"dstack, refused, always", false, ATLS_RECORD_ALWAYS, OTHER_CODE, false, false, true},
    {"dstack, undecided, on failure", false, ATLS_RECORD_ON_FAILURE, "", true, false, true},
    {"dstack, attested only, always", false, ATLS_RECORD_ALWAYS, "\"attested_only\":true,", false, true, true},
    {"atls/1, honest, never", true, ATLS_RECORD_NEVER, "", false, true, false},
    {"atls/1, honest, on failure", true, ATLS_RECORD_ON_FAILURE, "", false, true, false},
    {"atls/1, honest, always", true, ATLS_RECORD_ALWAYS, "", false, true, true},
    {"atls/1, refused, never", true, ATLS_RECORD_NEVER, OTHER_CODE, false, false, false},
    {"atls/1, refused, on failure", true, ATLS_RECORD_ON_FAILURE, OTHER_CODE, false, false, true},
    {"atls/1, undecided, on failure", true, ATLS_RECORD_ON_FAILURE, "", true, false, true},
    {"atls/1, attested only, always", true, ATLS_RECORD_ALWAYS, "\"attested_only\":true,", false, true, true},
};

static void test_row(void **state)
{
    const row *w = *state;
    rig r;
    tape t;
    atls_replay again = {0};
    rig_open(&r);
    tape_open(&t);
    if (w->native) {
        rig_native(&r);
    }
    rig_policy(&r, w->edit);
    if (strstr(w->edit, "attested_only") != NULL) {
        r.client_options.identity = ATLS_IDENTITY_ATTESTED_ONLY;
        r.client_options.ca_file = NULL;
    }
    r.client_options.endorse = w->is_missing ? NULL : r.client_options.endorse;
    r.client_options.record = options_of(&t, w->when);
    rig_start(&r, NULL);
    rig_run(&r);
    assert_int_equal(r.client_step == ATLS_STEP_DONE, w->is_accepted);
    assert_int_equal(t.n, w->is_recorded ? 1 : 0);
    if (w->is_recorded) {
        assert_int_equal(t.is_accepted, w->is_accepted);
        expect_same(&t, atls_session_result(r.client), &r.client_err, &again);
        assert_int_equal(again.error.code, r.client_err.code);
        assert_int_equal(again.session.code, ATLS_OK);
        atls_replay_free(&again);
    }
    tape_close(&t);
    rig_close(&r);
}

/* A server records what it made of its client. */
static void test_server(void **state)
{
    (void)state;
    for (int refused = 0; refused < 2; refused++) {
        rig r;
        tape t;
        atls_replay again = {0};
        rig_open(&r);
        tape_open(&t);
        rig_mutual(&r);
        r.server_options.endorse = refused == 1 ? NULL : r.server_options.endorse;
        r.server_options.record = options_of(&t, refused == 1 ? ATLS_RECORD_ON_FAILURE : ATLS_RECORD_ALWAYS);
        rig_start(&r, NULL);
        rig_run_to_end(&r);
        assert_int_equal(r.server_step == ATLS_STEP_DONE, refused == 0);
        assert_int_equal(t.n, 1);
        assert_int_equal(t.is_accepted, refused == 0);
        expect_same(&t, atls_session_result(r.server), &r.server_err, &again);
        assert_int_equal(again.error.code, refused == 1 ? ATLS_E_ENDORSEMENTS_MISSING : ATLS_OK);
        atls_replay_free(&again);
        tape_close(&t);
        rig_close(&r);
    }
}

/* Endorsements that the peer sent along are among what was used. */
static void test_stapled(void **state)
{
    rig r;
    tape t;
    atls_endorsements own;
    atls_replay again = {0};
    atls_record opened;
    (void)state;
    rig_open(&r);
    tape_open(&t);
    rig_native(&r);
    assert_true(sim_collateral(r.sim, &r.arena, &own, &r.err));
    r.server_options.staple = &own;
    r.client_options.want_endorsements = true;
    r.client_options.endorse = NULL;
    r.client_options.record = options_of(&t, ATLS_RECORD_ALWAYS);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    assert_int_equal(t.n, 1);
    expect_same(&t, atls_session_result(r.client), &r.client_err, &again);
    assert_true(atls_record_open(t.record, &t.keep, &opened, &r.err));
    assert_non_null(atls_record_find(&opened, "endorse[0].stapled"));
    atls_replay_free(&again);
    tape_close(&t);
    rig_close(&r);
}

/* A byte behind the response, in a record of its own: the evidence passed, and the session does not come about. The recording has both. */
static atls_bytes answer_and_more(rig *r)
{
    const atls_bytes honest = rig_answer_counted(r, rig_body(r));
    uint8_t *out = atls_arena_alloc(&r->arena, honest.len + 1, &r->err);
    assert_non_null(out);
    memcpy(out, honest.ptr, honest.len);
    out[honest.len] = '!';
    r->peer.out_record = honest.len;
    return atls_bytes_of(out, honest.len + 1);
}

static void test_failed_afterwards(void **state)
{
    rig r;
    tape t;
    atls_replay again = {0};
    (void)state;
    rig_open(&r);
    tape_open(&t);
    r.client_options.record = options_of(&t, ATLS_RECORD_ON_FAILURE);
    rig_start(&r, answer_and_more);
    rig_run(&r);
    assert_int_equal(r.client_step, ATLS_STEP_FAILED);
    assert_int_equal(t.n, 1);
    assert_false(t.is_accepted);
    expect_same(&t, NULL, NULL, &again);
    assert_int_equal(again.error.code, ATLS_OK);
    assert_int_equal(again.session.code, r.client_err.code);
    assert_string_equal(again.session.field, r.client_err.field);
    atls_replay_free(&again);
    tape_close(&t);
    rig_close(&r);
}

/* ---- constellation ----------------------------------------------------------------------------------------------- */

typedef struct hook_row {
    const char *name;
    atls_record_when when;
    pair_lie lie; /* of the server; zeroed: none */
    bool has_lie;
    bool is_recorded;
    atls_code appraisal;
    atls_code session;
} hook_row;

static const hook_row hook_rows[] = {
    {"constellation, honest, never", ATLS_RECORD_NEVER, {0}, false, false, ATLS_OK, ATLS_OK},
    {"constellation, honest, on failure", ATLS_RECORD_ON_FAILURE, {0}, false, false, ATLS_OK, ATLS_OK},
    {"constellation, honest, always", ATLS_RECORD_ALWAYS, {0}, false, true, ATLS_OK, ATLS_OK},
    {"constellation, one bit of the quote",
     ATLS_RECORD_ON_FAILURE,
     {.flip_quote = true},
     true,
     true,
     ATLS_E_QUOTE_SIGNATURE,
     ATLS_OK},
    {"constellation, another nonce",
     ATLS_RECORD_ON_FAILURE,
     {.other_nonce = true},
     true,
     true,
     ATLS_E_REPORT_DATA_MISMATCH,
     ATLS_OK},
    {"constellation, a relayed document",
     ATLS_RECORD_ON_FAILURE,
     {.other_key = true},
     true,
     true,
     ATLS_OK,
     ATLS_E_REPORT_DATA_MISMATCH},
    {"constellation, no certificate of the template",
     ATLS_RECORD_ON_FAILURE,
     {.no_extension = true},
     true,
     false,
     ATLS_OK,
     ATLS_OK},
};

static void test_hook(void **state)
{
    const hook_row *w = *state;
    pair p;
    tape t;
    atls_replay again = {0};
    const atls_result *result = NULL;
    atls_error err = {0};
    pair_open(&p);
    tape_open(&t);
    pair_tdx(&p, "\"min_grade\":\"key_fresh\",\"attested_only\":true,");
    p.server.lie = w->has_lie ? &w->lie : NULL;
    p.client.hook.record = options_of(&t, w->when);
    pair_start(&p);
    const bool ok = atls_hook_result(p.client.ssl, &result, &err);
    assert_int_equal(ok, !w->has_lie);
    assert_int_equal(t.n, w->is_recorded ? 1 : 0);
    if (w->is_recorded) {
        assert_int_equal(t.is_accepted, ok);
        expect_same(&t, result, &err, &again);
        assert_int_equal(again.error.code, w->appraisal);
        assert_int_equal(again.session.code, w->session);
        assert_true(again.result.attested_only);
        atls_replay_free(&again);
    }
    tape_close(&t);
    pair_close(&p);
}

/* ---- no secrets -------------------------------------------------------------------------------------------------- */

#define MAX_SECRETS 32

static struct {
    uint8_t items[MAX_SECRETS][64];
    size_t len[MAX_SECRETS];
    size_t n;
} secrets;

static void add_secret(const uint8_t *secret, size_t len)
{
    assert_true(secrets.n < MAX_SECRETS && len <= 64);
    memcpy(secrets.items[secrets.n], secret, len);
    secrets.len[secrets.n++] = len;
}

/* "LABEL client_random secret", in hex */
static void log_key(const SSL *ssl, const char *line)
{
    const char *hex = strrchr(line, ' ');
    uint8_t secret[64];
    (void)ssl;
    const size_t len = strlen(hex + 1) / 2;
    assert_true(len <= sizeof secret && atls_hex_fixed(atls_bytes_str(hex + 1), secret, len));
    add_secret(secret, len);
}

static bool holds(atls_bytes in, const void *what, size_t len)
{
    for (size_t i = 0; i + len <= in.len; i++) {
        if (memcmp(in.ptr + i, what, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Half of one, in bytes or in hex, is too much. */
static void expect_absent(atls_bytes record, const uint8_t *secret, size_t len)
{
    char hex[129];
    char upper[129];
    for (size_t at = 0; at < len; at += len / 2) {
        const atls_bytes half = atls_bytes_of(secret + at, len / 2);
        atls_hex_encode(half, hex);
        for (size_t i = 0; i <= half.len * 2; i++) {
            upper[i] = hex[i] >= 'a' && hex[i] <= 'f' ? (char)(hex[i] - 'a' + 'A') : hex[i];
        }
        assert_false(holds(record, half.ptr, half.len));
        assert_false(holds(record, hex, half.len * 2));
        assert_false(holds(record, upper, half.len * 2));
    }
}

static void add_private_key(atls_bytes pem)
{
    uint8_t d[32];
    BIGNUM *scalar = NULL;
    BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    assert_non_null(key);
    assert_int_equal(EVP_PKEY_get_bn_param(key, "priv", &scalar), 1);
    assert_int_equal(BN_bn2binpad(scalar, d, 32), 32);
    add_secret(d, sizeof d);
    BN_clear_free(scalar);
    EVP_PKEY_free(key);
    BIO_free(in);
}

static void add_exporters(SSL *ssl)
{
    static const char *const labels[] = {"EXPORTER-Channel-Binding", "EXPORTER-atls-1-client",
                                         "EXPORTER-atls-1-server"};
    uint8_t out[64];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(SSL_export_keying_material(ssl, out, 64, labels[i], strlen(labels[i]), NULL, 0, 0), 1);
        add_secret(out, 64);
        assert_int_equal(SSL_export_keying_material(ssl, out, 32, labels[i], strlen(labels[i]), NULL, 0, 0), 1);
        add_secret(out, 32);
    }
}

static void test_secrets(void **state)
{
    (void)state;
    for (int native = 0; native < 2; native++) {
        rig r;
        tape t;
        memset(&secrets, 0, sizeof secrets);
        rig_open(&r);
        tape_open(&t);
        if (native == 1) {
            rig_native(&r);
        }
        SSL_CTX_set_keylog_callback(r.client_ctx, log_key);
        r.client_options.record = options_of(&t, ATLS_RECORD_ALWAYS);
        rig_start(&r, NULL);
        rig_run_to_end(&r);
        rig_expect_established(&r);
        add_exporters(r.client_ssl);
        add_private_key(r.tls.key_pem);
        assert_true(secrets.n >= 5 + 6 + 1); /* traffic secrets and the exporter's own, exporters, a key */
        assert_int_equal(t.n, 1);
        for (size_t i = 0; i < secrets.n; i++) {
            expect_absent(t.record, secrets.items[i], secrets.len[i]);
        }
        /* and the search finds what is there */
        assert_true(holds(t.record, atls_session_peer(r.client)->leaf_sha256, 32));
        tape_close(&t);
        rig_close(&r);
    }
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    for (size_t i = 0; i < sizeof hook_rows / sizeof hook_rows[0]; i++) {
        tap_add(&tests, hook_rows[i].name, test_hook, &hook_rows[i]);
    }
    tap_add(&tests, "atls/1, a server about its client", test_server, NULL);
    tap_add(&tests, "atls/1, stapled endorsements", test_stapled, NULL);
    tap_add(&tests, "dstack, failed after the evidence passed", test_failed_afterwards, NULL);
    tap_add(&tests, "no secret is in a recording", test_secrets, NULL);
    return tap_run("edge/record_session", &tests);
}
