/* SPDX-License-Identifier: Apache-2.0 */
/* Genuine DCAP quotes and collateral: every case of dcap/manifest.json is a test of that name. What is compared: the
 * verdict, the code of a refusal, the TCB status, advisories, date and evaluation number, and every field of the quote,
 * both as decoded and as claimed. */
#include "base/json.h"
#include "evidence/dcap/proof.h"
#include "vectors.h"

#define MANIFEST "dcap/manifest.json"

/* What all cases share; the manifest's tree stays in the arena of main. */
static atls_crypto *crypto;

/* One case at work. */
typedef struct run {
    const atls_json *c;
    atls_arena arena;
    atls_error err;
    atls_bytes quote;
    atls_endorsements endorsements;
    atls_anchor anchor;
    atls_policy policy;
    atls_time now;
    const void *evidence;
    atls_claims claims;
    atls_trace trace;
} run;

/* ---- reading the manifest ---- */

static const char *text_of(run *r, const atls_json *v)
{
    const char *text = v == NULL ? NULL : atls_text_copy(v->text, &r->arena, &r->err);
    assert_non_null(text);
    return text;
}

static atls_bytes read_file(run *r, const atls_json *name)
{
    char path[256];
    atls_bytes out;
    snprintf(path, sizeof path, "dcap/%s", text_of(r, name));
    assert_true(vectors_read(path, &r->arena, &out));
    return out;
}

static const atls_json *parse(run *r, atls_bytes text)
{
    const atls_json *json;
    assert_true(atls_json_parse(text, "test", &r->arena, &json, &r->err));
    return json;
}

static atls_bytes unhex(run *r, atls_bytes hex)
{
    atls_bytes out;
    assert_true(atls_hex_decode(hex, "test", &r->arena, &out, &r->err));
    return out;
}

static size_t number_of(run *r, const atls_json *v)
{
    uint64_t n;
    assert_true(atls_json_uint(v, "test", UINT32_MAX, &n, &r->err));
    return (size_t)n;
}

static const atls_json *file_of(const run *r, const char *name)
{
    return atls_json_find(atls_json_find(r->c, "files"), name);
}

static const atls_json *expected_of(const run *r, const char *name)
{
    return atls_json_find(atls_json_find(r->c, "expected"), name);
}

/* ---- mutations ---- */

static uint8_t *copy_grown(run *r, atls_bytes in, size_t more)
{
    uint8_t *out = atls_arena_raw(&r->arena, in.len + more, &r->err);
    assert_non_null(out);
    memcpy(out, in.ptr, in.len);
    return out;
}

static atls_bytes mutate_quote(run *r, const atls_json *m, atls_bytes in)
{
    const atls_json *cut = atls_json_find(m, "truncate");
    const atls_json *append = atls_json_find(m, "append_hex");
    const atls_json *set = atls_json_find(m, "set_hex");
    const atls_json *flip = atls_json_find(m, "xor");
    if (cut != NULL) {
        assert_true(number_of(r, cut) <= in.len);
        return atls_bytes_of(in.ptr, number_of(r, cut));
    }
    atls_bytes bytes =
        append == NULL && set == NULL ? atls_bytes_empty() : unhex(r, append == NULL ? set->text : append->text);
    uint8_t *out = copy_grown(r, in, bytes.len);
    if (append != NULL) {
        memcpy(out + in.len, bytes.ptr, bytes.len);
        return atls_bytes_of(out, in.len + bytes.len);
    }
    size_t offset = number_of(r, atls_json_find(m, "offset"));
    assert_true(offset + bytes.len <= in.len && offset < in.len);
    memcpy(out + offset, bytes.ptr, bytes.len);
    if (flip != NULL) {
        out[offset] = (uint8_t)(out[offset] ^ number_of(r, flip));
    }
    return atls_bytes_of(out, in.len);
}

static atls_bytes replace_first(run *r, atls_bytes in, atls_bytes from, atls_bytes to)
{
    for (size_t at = 0; at + from.len <= in.len; at++) {
        if (memcmp(in.ptr + at, from.ptr, from.len) == 0) {
            uint8_t *out = copy_grown(r, in, to.len);
            memcpy(out + at, to.ptr, to.len);
            memcpy(out + at + to.len, in.ptr + at + from.len, in.len - at - from.len);
            return atls_bytes_of(out, in.len + to.len - from.len);
        }
    }
    fail_msg("the text to be replaced is not there");
    return in;
}

static atls_bytes mutate_text(run *r, const atls_json *m, const char *target, atls_bytes in)
{
    const atls_json *set = atls_json_find(m, "set");
    const atls_json *replace = atls_json_find(m, "replace");
    const atls_json *other = atls_json_find(m, "copy_from");
    if (set != NULL) {
        return set->text;
    }
    if (replace != NULL) {
        return replace_first(r, in, replace->child->text, replace->child->next->text);
    }
    assert_non_null(other);
    const atls_json *value = atls_json_find(parse(r, read_file(r, other)), target);
    assert_non_null(value);
    return value->text;
}

/* The value of one member after all mutations that name it. */
static atls_bytes mutated(run *r, const char *target, atls_bytes value)
{
    const atls_json *list = atls_json_find(r->c, "mutations");
    for (const atls_json *m = list == NULL ? NULL : list->child; m != NULL; m = m->next) {
        if (!atls_bytes_equal_str(atls_json_find(m, "target")->text, target)) {
            continue;
        }
        value = strcmp(target, "quote") == 0 ? mutate_quote(r, m, value) : mutate_text(r, m, target, value);
    }
    return value;
}

/* ---- inputs ---- */

static void load_quote(run *r)
{
    const atls_json *member = file_of(r, "quote_member");
    r->quote = read_file(r, file_of(r, "quote"));
    if (member != NULL) {
        r->quote = unhex(r, atls_json_find(parse(r, r->quote), text_of(r, member))->text);
    }
    r->quote = mutated(r, "quote", r->quote);
}

/* The bundle is written again with its mutations and read by the reader that everybody uses. */
static void load_endorsements(run *r)
{
    atls_buf buf;
    atls_jw w;
    atls_bytes text;
    const atls_json *bundle = parse(r, read_file(r, file_of(r, "collateral")));
    atls_buf_init(&buf, &r->arena, &r->err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    for (const atls_json *m = bundle->child; m != NULL; m = m->next) {
        const char *name = atls_text_copy(m->name, &r->arena, &r->err);
        assert_non_null(name);
        atls_jw_string(&w, name, mutated(r, name, m->text));
    }
    atls_jw_close(&w, '}');
    assert_true(atls_buf_done(&buf, &text));
    assert_true(atls_endorsements_from_bundle(text, &r->arena, &r->endorsements, &r->err));
}

static void load_policy(run *r)
{
    assert_true(atls_anchor_from_der(crypto, read_file(r, file_of(r, "root")), &r->anchor, &r->err));
    r->policy.anchors = &r->anchor;
    r->policy.n_anchors = 1;
    for (size_t s = 0; s < ATLS_N_TCB_STATUSES; s++) {
        r->policy.allowed_status[s] = s != ATLS_TCB_UNKNOWN && s != ATLS_TCB_REVOKED;
    }
    assert_true(atls_time_parse(atls_json_find(r->c, "time")->text, &r->now));
}

/* ---- what must come out ---- */

static void check_hex(run *r, const char *name, const atls_json *wanted, const uint8_t *actual, size_t n)
{
    const char *hex = atls_hex_text(atls_bytes_of(actual, n), &r->arena, &r->err);
    assert_non_null(hex);
    if (!atls_bytes_equal_str(wanted->text, hex)) {
        fail_msg("%s: wanted %s, got %s", name, text_of(r, wanted), hex);
    }
}

typedef struct byte_field {
    const char *name;
    const uint8_t *bytes;
    size_t n;
} byte_field;

typedef struct number_field {
    const char *name;
    size_t value;
} number_field;

/* Everything that the manifest may say about a quote, from one of the two places where it can be read. */
typedef struct seen {
    const atls_td_report *td;
    const atls_sgx_report *sgx;
    bool is_tdx;
    const uint8_t *fmspc;
    const uint8_t *pceid;
    const uint8_t *cpusvn;
    atls_bytes serial;
    const char *ca;
    number_field numbers[9];
} seen;

#define BYTES(name, member)                                                                                            \
    {                                                                                                                  \
        name, member, sizeof(member)                                                                                   \
    }

static bool check_byte_field(run *r, const seen *s, const atls_json *wanted)
{
    const byte_field fields[] = {
        BYTES("mrtd", s->td->mrtd),
        BYTES("rtmr0", s->td->rtmr[0]),
        BYTES("rtmr1", s->td->rtmr[1]),
        BYTES("rtmr2", s->td->rtmr[2]),
        BYTES("rtmr3", s->td->rtmr[3]),
        BYTES("mrseam", s->td->mrseam),
        BYTES("mrconfigid", s->td->mrconfigid),
        BYTES("tee_tcb_svn", s->td->tee_tcb_svn),
        BYTES("tee_tcb_svn2", s->td->tee_tcb_svn2),
        BYTES("mrservicetd", s->td->mrservicetd),
        BYTES("tdattr", s->td->tdattributes),
        BYTES("xfam", s->td->xfam),
        BYTES("mrenclave", s->sgx->mrenclave),
        BYTES("mrsigner", s->sgx->mrsigner),
        {"reportdata", s->is_tdx ? s->td->reportdata : s->sgx->reportdata, 64},
        {"fmspc", s->fmspc, 6},
        {"pceid", s->pceid, 2},
        {"cpusvn", s->cpusvn, 16},
        {"pck_serial", s->serial.ptr, s->serial.len},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (atls_bytes_equal_str(wanted->name, fields[i].name)) {
            check_hex(r, fields[i].name, wanted, fields[i].bytes, fields[i].n);
            return true;
        }
    }
    return false;
}

static bool check_number_field(run *r, const seen *s, const atls_json *wanted)
{
    for (size_t i = 0; i < sizeof s->numbers / sizeof s->numbers[0] && s->numbers[i].name != NULL; i++) {
        if (atls_bytes_equal_str(wanted->name, s->numbers[i].name)) {
            assert_int_equal(s->numbers[i].value, number_of(r, wanted));
            return true;
        }
    }
    return false;
}

static void check_fields(run *r, const seen *s)
{
    const atls_json *list = expected_of(r, "quote_fields");
    for (const atls_json *f = list == NULL ? NULL : list->child; f != NULL; f = f->next) {
        bool known = atls_bytes_equal_str(f->name, "pck_ca");
        if (known) {
            assert_true(atls_bytes_equal_str(f->text, s->ca));
        }
        if (!known && !check_byte_field(r, s, f) && !check_number_field(r, s, f)) {
            fail_msg("no such field: %.*s", (int)f->name.len, (const char *)f->name.ptr);
        }
    }
}

static void check_decoded(run *r)
{
    const dcap_evidence *e = r->evidence;
    const dcap_quote *q = &e->quote;
    const dcap_chain *chain;
    dcap_pck_path path;
    dcap_pck pck = {0};
    bool is_platform;
    seen s = {.td = &q->td,
              .sgx = &q->sgx,
              .is_tdx = q->tee_type == DCAP_TEE_TDX,
              .fmspc = pck.fmspc,
              .pceid = pck.pceid,
              .cpusvn = pck.cpusvn,
              .serial = atls_bytes_empty(),
              .ca = ""};
    if (q->cert_type == 5) {
        assert_true(dcap_quote_chain(e, &chain, &r->err));
        assert_true(dcap_pck_path_find(chain, &path, &r->err));
        assert_true(dcap_pck_decode(path.leaf, &pck, &r->err));
        s.serial = path.leaf->serial;
        s.ca = dcap_pck_ca_name(path.ca, &is_platform);
    }
    const number_field numbers[] = {
        {"version", q->version},
        {"isvsvn", q->sgx.isvsvn},
        {"prodid", q->sgx.isvprodid},
        {"qe_isvsvn", q->qe.isvsvn},
        {"inner_cert_type", q->cert_type},
        {"qe_auth_data_len", q->qe_auth.len},
        {"trailing_bytes", q->trailing_len},
        {"pcesvn", pck.pcesvn},
    };
    memcpy(s.numbers, numbers, sizeof numbers);
    check_fields(r, &s);
}

static void check_claimed(run *r)
{
    const atls_dcap_claims *c = &r->claims.dcap;
    seen s = {.td = &c->td,
              .sgx = &c->sgx,
              .is_tdx = c->is_tdx,
              .fmspc = c->fmspc,
              .pceid = c->pceid,
              .cpusvn = c->cpusvn,
              .serial = c->pck_serial,
              .ca = c->pck_ca};
    const number_field numbers[] = {
        {"version", c->quote_version},
        {"isvsvn", c->sgx.isvsvn},
        {"prodid", c->sgx.isvprodid},
        {"qe_isvsvn", c->qe.isvsvn},
        {"inner_cert_type", c->certification_data_type},
        {"qe_auth_data_len", c->qe_auth_data_len},
        {"trailing_bytes", c->trailing_len},
        {"pcesvn", c->pcesvn},
    };
    memcpy(s.numbers, numbers, sizeof numbers);
    check_fields(r, &s);
    assert_memory_equal(r->claims.report_data, c->is_tdx ? c->td.reportdata : c->sgx.reportdata, 64);
    assert_memory_equal(c->root_sha256, r->anchor.sha256, 32);
    assert_true(c->earliest_issue <= c->latest_issue && c->latest_issue <= r->now);
    assert_true(c->earliest_expiration >= r->now);
}

static void check_tcb(run *r)
{
    const atls_tcb *tcb = &r->claims.dcap.tcb;
    const atls_json *wanted = expected_of(r, "advisory_ids");
    assert_string_equal(atls_tcb_status_name(tcb->status), text_of(r, expected_of(r, "tcb_status")));
    assert_int_equal(tcb->advisories.n, wanted->n);
    size_t i = 0;
    for (const atls_json *id = wanted->child; id != NULL; id = id->next, i++) {
        assert_string_equal(tcb->advisories.items[i], text_of(r, id));
    }
    wanted = expected_of(r, "tcb_date");
    if (wanted != NULL) {
        char date[ATLS_TIME_TEXT_SIZE];
        atls_time_format(tcb->date, date);
        assert_string_equal(date, text_of(r, wanted));
    }
    wanted = expected_of(r, "tcb_evaluation_data_number");
    if (wanted != NULL) {
        assert_int_equal(tcb->evaluation_data_number, number_of(r, wanted));
    }
    wanted = expected_of(r, "tdx_module_id");
    if (wanted != NULL) {
        assert_string_equal(r->claims.dcap.tdx_module_id, text_of(r, wanted));
    }
    wanted = expected_of(r, "fmspc");
    if (wanted != NULL) {
        check_hex(r, "fmspc", wanted, r->claims.dcap.fmspc, 6);
    }
}

/* The list of checks agrees with the verdict: nothing failed, or the last one did, with the error's code. */
static void check_trace(const run *r, bool accepted)
{
    for (size_t i = 0; i < r->trace.n; i++) {
        bool last = i + 1 == r->trace.n;
        assert_int_equal(r->trace.items[i].verdict == ATLS_CHECK_FAIL, !accepted && last);
    }
    assert_true(accepted || r->trace.n == 0 || r->trace.items[r->trace.n - 1].code == r->err.code);
}

static bool appraise(run *r)
{
    const atls_format *f = dcap_format();
    atls_endorsement_request request;
    const atls_authority auth = {
        .crypto = crypto, .policy = &r->policy, .endorsements = &r->endorsements, .now = r->now};
    if (!f->decode(r->quote, &r->arena, &r->evidence, &r->err)) {
        return false;
    }
    const dcap_quote *q = r->evidence;
    r->policy.type = q->tee_type == DCAP_TEE_TDX ? ATLS_POLICY_TDX : ATLS_POLICY_SGX;
    check_decoded(r);
    return f->request(r->evidence, &r->arena, &request, &r->err)
           && f->authenticate(r->evidence, &auth, &r->arena, &r->claims, &r->trace, &r->err)
           && f->appraise(&r->claims, &r->policy, r->now, &r->arena, &r->trace, &r->err);
}

static void judge_case(run *r)
{
    bool wanted = atls_bytes_equal_str(expected_of(r, "verdict")->text, "accept");
    load_quote(r);
    load_endorsements(r);
    load_policy(r);
    uint64_t before = atls_crypto_verifications(crypto);
    bool accepted = appraise(r);
    uint64_t n_verified = atls_crypto_verifications(crypto) - before;
    if (accepted != wanted
        || (!wanted && strcmp(atls_code_name(r->err.code), text_of(r, expected_of(r, "error_class"))) != 0)) {
        char line[512];
        (void)atls_error_line(&r->err, line, sizeof line);
        fail_msg("wanted %s, got %s", wanted ? "accept" : text_of(r, expected_of(r, "error_class")), line);
    }
    check_trace(r, accepted);
    if (accepted) {
        assert_int_equal(n_verified, 9); /* each signature once, the root's none */
        check_tcb(r);
        check_claimed(r);
    } else {
        assert_true(n_verified <= 9);
        assert_true(r->err.field[0] != '\0');
    }
}

static void test_case(void **state)
{
    run r = {.c = *state};
    assert_true(atls_arena_new(&r.arena, ATLS_ARENA_DEFAULT_SIZE, &r.err));
    assert_true(atls_trace_init(&r.trace, &r.arena, &r.err));
    judge_case(&r);
    atls_arena_free(&r.arena);
}

/* No collateral is at hand for this quote: only its fields are compared. */
static void test_decode_only(void **state)
{
    run r = {.c = *state};
    assert_true(atls_arena_new(&r.arena, ATLS_ARENA_DEFAULT_SIZE, &r.err));
    load_quote(&r);
    assert_true(dcap_format()->decode(r.quote, &r.arena, &r.evidence, &r.err));
    check_decoded(&r);
    atls_arena_free(&r.arena);
}

static void add_case(tap_list *l, const atls_json *c, atls_arena *a)
{
    atls_error err = {.code = ATLS_OK};
    const char *name = atls_text_copy(atls_json_find(c, "id")->text, a, &err);
    const atls_json *files = atls_json_find(c, "files");
    const atls_json *collateral = atls_json_find(files, "collateral");
    if (atls_json_find(files, "quote") == NULL) {
        return; /* not about quotes: tests of dstack */
    }
    bool decode_only = collateral == NULL || collateral->type != ATLS_JSON_STRING;
    tap_add(l, name, decode_only ? test_decode_only : test_case, c);
}

int main(void)
{
    tap_list l = {0};
    atls_arena a;
    atls_bytes text;
    const atls_json *manifest;
    atls_error err = {.code = ATLS_OK};
    if (!atls_arena_new(&a, 4u * 1024 * 1024, &err) || !atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    if (!vectors_read(MANIFEST, &a, &text)) {
        tap_add(&l, "no vectors of dcap here", vectors_absent, NULL);
    } else if (!atls_json_parse(text, "manifest", &a, &manifest, &err)) {
        return 1;
    } else {
        for (const atls_json *c = atls_json_find(manifest, "cases")->child; c != NULL; c = c->next) {
            add_case(&l, c, &a);
        }
    }
    int failed = tap_run("dcap vectors", &l);
    atls_crypto_free(crypto);
    atls_arena_free(&a);
    return failed;
}
