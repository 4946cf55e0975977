/* SPDX-License-Identifier: Apache-2.0 */
/* Inspection: every file that the project knows is recognised by its bytes and shown as one JSON object that begins with
 * "unverified"; everything else is UNSUPPORTED, or the decoder's own error. */
#include "base/json.h"
#include "base/text.h"
#include "evidence/vectors.h"
#include "pki/cert.h"
#include "world.h"

static const uint8_t report_data[64] = {1, 2, 3};

typedef struct desk {
    sim *room;
    atls_arena arena;
    atls_error err;
    atls_bytes file;
    atls_bytes out;
    const atls_json *json;
} desk;

static void desk_open(desk *d, sim_kind kind)
{
    const sim_options options = {.kind = kind};
    memset(d, 0, sizeof *d);
    assert_true(atls_arena_new(&d->arena, (size_t)64 * 1024 * 1024, &d->err));
    assert_true(sim_new(&options, &d->room, &d->err));
}

static void desk_close(desk *d)
{
    sim_free(d->room);
    atls_arena_free(&d->arena);
}

static void inspect_as(desk *d, const char *kind)
{
    static const char head[] = "{\"unverified\":true,\"kind\":\"";
    if (!atls_inspect_json(d->file, &d->arena, &d->out, &d->err)) {
        char line[640];
        (void)atls_error_line(&d->err, line, sizeof line);
        fail_msg("%s", line);
    }
    assert_true(d->out.len > sizeof head);
    assert_memory_equal(d->out.ptr, head, sizeof head - 1);
    assert_true(atls_json_parse(d->out, "inspect", &d->arena, &d->json, &d->err));
    assert_true(atls_bytes_equal_str(atls_json_find(d->json, "kind")->text, kind));
}

static atls_bytes endorsement(desk *d, size_t offset)
{
    atls_endorsements *e = atls_arena_alloc(&d->arena, sizeof *e, &d->err);
    assert_non_null(e);
    assert_true(sim_collateral(d->room, &d->arena, e, &d->err));
    const void *at = (const uint8_t *)e + offset;
    return *(const atls_bytes *)at;
}
#define ENDORSEMENT(d, member) endorsement(d, offsetof(atls_endorsements, dcap.member))

static atls_bytes joined(desk *d, const char *before, atls_bytes middle, const char *after)
{
    atls_buf b;
    atls_bytes out;
    atls_buf_init(&b, &d->arena, &d->err);
    atls_buf_str(&b, before);
    atls_buf_put(&b, middle);
    atls_buf_str(&b, after);
    assert_true(atls_buf_done(&b, &out));
    return out;
}

/* ---- makers of files ------------------------------------------------------------------------------------------------- */

static void make_quote(desk *d)
{
    assert_true(sim_quote(d->room, report_data, &d->arena, &d->file, &d->err));
}

static void make_hex_quote(desk *d)
{
    make_quote(d);
    const char *hex = atls_hex_text(d->file, &d->arena, &d->err);
    assert_non_null(hex);
    d->file = joined(d, " \n", atls_bytes_str(hex), "\r\n");
}

static void make_bundle(desk *d)
{
    atls_endorsements e;
    assert_true(sim_collateral(d->room, &d->arena, &e, &d->err));
    assert_true(atls_endorsements_to_bundle(&e, &d->arena, &d->file, &d->err));
}

static void make_tcb_info(desk *d)
{
    d->file = ENDORSEMENT(d, tcb_info);
}

static void make_wrapped_tcb_info(desk *d)
{
    d->file = joined(d, "{\"tcbInfo\":", ENDORSEMENT(d, tcb_info), ",\"signature\":\"00\"}\n");
}

static void make_qe_identity(desk *d)
{
    d->file = ENDORSEMENT(d, qe_identity);
}

static void make_wrapped_qe_identity(desk *d)
{
    d->file = joined(d, "\n{\"enclaveIdentity\":", ENDORSEMENT(d, qe_identity), ",\"signature\":\"00\"}");
}

static void make_chain(desk *d)
{
    d->file = ENDORSEMENT(d, tcb_info_issuer_chain);
}

static void make_root(desk *d)
{
    d->file = sim_root(d->room);
}

static void make_crl(desk *d)
{
    d->file = ENDORSEMENT(d, pck_crl);
}

static void make_pem_crl(desk *d)
{
    assert_true(atls_pem_encode(ENDORSEMENT(d, root_ca_crl), "X509 CRL", &d->arena, &d->file, &d->err));
}

static void make_response(desk *d)
{
    assert_true(sim_response(d->room, report_data, &d->arena, &d->file, &d->err));
}

static void make_log(desk *d)
{
    assert_true(sim_event_log(d->room, &d->arena, &d->file, &d->err));
}

static void make_ccel(desk *d)
{
    assert_true(sim_ccel(d->room, &d->arena, &d->file, &d->err));
}

typedef struct row {
    const char *name;
    sim_kind room;
    void (*make)(desk *d);
    const char *kind;
    const char *member; /* that the object must have */
} row;

static const row rows[] = {
    {"quote, version 3", SIM_SGX_V3, make_quote, "quote", "header"},
    {"quote, version 4", SIM_TDX_V4, make_quote, "quote", "td"},
    {"quote, version 5", SIM_TDX_V5, make_quote, "quote", "td"},
    {"quote as hex text", SIM_TDX_V4, make_hex_quote, "quote", "td"},
    {"bundle", SIM_TDX_V4, make_bundle, "collateral_bundle", "tcb_info"},
    {"bundle of SGX", SIM_SGX_V3, make_bundle, "collateral_bundle", "qe_identity"},
    {"TCB info", SIM_TDX_V4, make_tcb_info, "tcb_info", "tcbLevels"},
    {"TCB info of SGX", SIM_SGX_V3, make_tcb_info, "tcb_info", "fmspc"},
    {"TCB info as the PCS sends it", SIM_TDX_V4, make_wrapped_tcb_info, "tcb_info", "signature"},
    {"QE identity", SIM_TDX_V4, make_qe_identity, "qe_identity", "mrsigner"},
    {"QE identity as the PCS sends it", SIM_SGX_V3, make_wrapped_qe_identity, "qe_identity", "signature"},
    {"PEM chain", SIM_TDX_V4, make_chain, "certificates", "certificates"},
    {"DER certificate", SIM_TDX_V4, make_root, "certificates", "certificates"},
    {"DER CRL", SIM_TDX_V4, make_crl, "crl", "serials"},
    {"PEM CRL", SIM_TDX_V4, make_pem_crl, "crl", "next_update"},
    {"dstack response", SIM_TDX_V4, make_response, "dstack_response", "quote"},
    {"event log", SIM_TDX_V4, make_log, "event_log", "events"},
    {"CCEL", SIM_TDX_V4, make_ccel, "event_log", "replayed_rtmrs"},
};

static void test_row(void **state)
{
    const row *r = *state;
    desk d;
    desk_open(&d, r->room);
    r->make(&d);
    inspect_as(&d, r->kind);
    assert_non_null(atls_json_find(d.json, r->member));
    desk_close(&d);
}

/* Cut at every length a file is another one or none, and the reader stays inside it. */
static void test_prefixes(void **state)
{
    const row *r = *state;
    desk d;
    desk_open(&d, r->room);
    r->make(&d);
    const size_t step = d.file.len / 97 + 1;
    for (size_t n = 0; n < d.file.len; n += step) {
        uint8_t *exact = malloc(n + 1);
        atls_arena arena;
        atls_error err = {0};
        assert_non_null(exact);
        memcpy(exact, d.file.ptr, n);
        assert_true(atls_arena_new(&arena, (size_t)32 * 1024 * 1024, &err));
        if (!atls_inspect_json(atls_bytes_of(exact, n), &arena, &d.out, &err)) {
            assert_int_not_equal(err.code, ATLS_OK);
            assert_int_not_equal(err.message[0], '\0');
        }
        atls_arena_free(&arena);
        free(exact);
    }
    desk_close(&d);
}

/* ---- what is nothing of ours ------------------------------------------------------------------------------------------ */

typedef struct refused {
    const char *name;
    const char *text;
    size_t len; /* 0: of the text */
    const char *code;
    const char *field;
} refused;

static const refused refused_rows[] = {
    {"nothing", "", 0, "UNSUPPORTED", "file"},
    {"white space", " \n\t", 0, "UNSUPPORTED", "file"},
    {"prose", "hello", 0, "UNSUPPORTED", "file"},
    {"hex of prose", "68656c6c6f", 0, "UNSUPPORTED", "file"},
    {"half a hex digit", "030002000", 0, "UNSUPPORTED", "file"},
    {"an object of nobody", "{\"a\":1}", 0, "UNSUPPORTED", "file"},
    {"an empty object", "{}", 0, "UNSUPPORTED", "file"},
    {"a number", "17", 0, "UNSUPPORTED", "file"},
    {"ambiguous: response and bundle", "{\"quote\":\"00\",\"tcb_info\":\"\"}", 0, "UNSUPPORTED", "file"},
    {"ambiguous: TCB info and QE identity", "{\"tcbLevels\":[],\"fmspc\":\"\",\"mrsigner\":\"\"}", 0, "UNSUPPORTED",
     "file"},
    {"broken JSON", "{\"quote\":", 0, "ENCODING", "file"},
    {"JSON with a repeated member", "{\"quote\":1,\"quote\":2}", 0, "ENCODING", "file"},
    {"a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0, "UNSUPPORTED", "file"},
    {"a CRL without its end", "-----BEGIN X509 CRL-----\nAAAA\n", 0, "ENCODING", "crl"},
    {"a quote of which little is left", "\x04\x00\x02\x00\x81\x00\x00\x00", 8, "QUOTE_FORMAT", "quote.header"},
    {"a quote of an unknown key type", "\x04\x00\x03\x00", 4, "QUOTE_FORMAT", "quote.header"},
    {"version 6", "\x06\x00\x02\x00", 4, "UNSUPPORTED", "file"},
    {"DER of something else", "\x30\x03\x02\x01\x00", 5, "UNSUPPORTED", "file"},
    {"an empty TCB info", "{\"tcbInfo\":{}}", 0, "COLLATERAL_FORMAT", NULL},
    {"an array of numbers", "[1]", 0, "EVENT_LOG_PARSE", NULL},
};

static void test_refused(void **state)
{
    const refused *r = *state;
    atls_arena arena;
    atls_bytes out;
    atls_error err = {0};
    assert_true(atls_arena_new(&arena, 1 << 20, &err));
    assert_false(atls_inspect_json(atls_bytes_of(r->text, r->len == 0 ? strlen(r->text) : r->len), &arena, &out, &err));
    assert_string_equal(atls_code_name(err.code), r->code);
    if (r->field != NULL) {
        assert_string_equal(err.field, r->field);
    }
    atls_arena_free(&arena);
}

static void test_too_long(void **state)
{
    (void)state;
    static const uint8_t byte = 0;
    atls_arena arena;
    atls_bytes out;
    atls_error err = {0};
    assert_true(atls_arena_new(&arena, 4096, &err));
    /* the length alone decides; nothing is read */
    assert_false(atls_inspect_json(atls_bytes_of(&byte, ATLS_MAX_BUNDLE_LEN + 1), &arena, &out, &err));
    assert_string_equal(atls_code_name(err.code), "LIMIT");
    atls_arena_free(&arena);
}

/* ---- genuine files ---------------------------------------------------------------------------------------------------- */

typedef struct vector {
    const char *name; /* path below the vectors */
    const char *kind;
} vector;

static const vector vectors[] = {
    {"dcap/tdx-v4-spr-e4/quote.bin", "quote"},
    {"dcap/tdx-v5-90c06f/quote.bin", "quote"},
    {"dcap/sgx-v3-processor/quote.bin", "quote"},
    {"dcap/intel-sample-sgx-v3-type1/quote.bin", "quote"},
    {"dcap/tdx-v4-spr-e4/collateral.json", "collateral_bundle"},
    {"dcap/tdx-v4-spr-e4/pcs/tcb.body.json", "tcb_info"},
    {"dcap/tdx-v4-spr-e4/pcs/qe_identity.body.json", "qe_identity"},
    {"dcap/tdx-v4-spr-e4/pcs/pckcrl.body.der", "crl"},
    {"dcap/tdx-v4-spr-e4/pcs/rootcacrl.body.der", "crl"},
    {"dcap/root/intel-sgx-root-ca.der", "certificates"},
    {"dcap/intel-sample-sgx-v3-type1/pck.pem", "certificates"},
    {"dcap/intel-sample-sgx-v3-type1/pck.crl.pem", "crl"},
    {"dcap/dstack-full-log/getquote.json", "dstack_response"},
    {"dcap/ccel-gcp-cos113/ccel.bin", "event_log"},
};

static void test_vector(void **state)
{
    const vector *v = *state;
    desk d;
    memset(&d, 0, sizeof d);
    assert_true(atls_arena_new(&d.arena, (size_t)64 * 1024 * 1024, &d.err));
    if (!vectors_read(v->name, &d.arena, &d.file)) {
        atls_arena_free(&d.arena);
        skip();
    }
    inspect_as(&d, v->kind);
    atls_arena_free(&d.arena);
}

int main(void)
{
    tap_list tests = {0};
    char names[sizeof rows / sizeof rows[0]][64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
        (void)snprintf(names[i], sizeof names[i], "cut anywhere: %s", rows[i].name);
        tap_add(&tests, names[i], test_prefixes, &rows[i]);
    }
    for (size_t i = 0; i < sizeof refused_rows / sizeof refused_rows[0]; i++) {
        tap_add(&tests, refused_rows[i].name, test_refused, &refused_rows[i]);
    }
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        tap_add(&tests, vectors[i].name, test_vector, &vectors[i]);
    }
    tap_add(&tests, "a file that is too long", test_too_long, NULL);
    return tap_run("verify/inspect", &tests);
}
