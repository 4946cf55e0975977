/* SPDX-License-Identifier: Apache-2.0 */
/* The room's doors over an honest room of the simulator: the order of checks, how often a signature is checked, what a
 * failure leaves behind, little memory, what is asked for and what is shown. Lies are in the tables of test_cases_*.c.
 */
#include "base/json.h"
#include "evidence/dcap/proof.h"
#include "sim/sim.h"
#include "tests/base/check.h"

typedef struct setting {
    sim *room;
    atls_policy *policy;
    atls_crypto *crypto;
    atls_arena arena; /* of what is appraised */
    atls_bytes quote;
    atls_endorsements endorsements;
} setting;

/* What an appraisal of a setting leaves. */
typedef struct outcome {
    bool ok;
    atls_error err;
    atls_claims claims;
    atls_trace trace;
} outcome;

static void open_setting(setting *s, sim_kind kind, const char *const *settings)
{
    static const uint8_t report_data[64] = {0xab};
    const sim_options options = {.kind = kind, .settings = settings};
    atls_error err = {.code = ATLS_OK};
    atls_bytes text;
    *s = (setting){.room = NULL};
    assert_true(atls_arena_new(&s->arena, (size_t)1024 * 1024, &err));
    assert_true(atls_crypto_new(&s->crypto, &err));
    assert_true(sim_new(&options, &s->room, &err));
    assert_true(sim_policy(s->room, kind == SIM_SGX_V3 ? "sgx" : "tdx", &s->arena, &text, &err));
    assert_true(atls_policy_parse(text, &s->policy, &err));
    assert_true(sim_quote(s->room, report_data, &s->arena, &s->quote, &err));
    assert_true(sim_collateral(s->room, &s->arena, &s->endorsements, &err));
}

static void close_setting(setting *s)
{
    atls_policy_free(s->policy);
    sim_free(s->room);
    atls_crypto_free(s->crypto);
    atls_arena_free(&s->arena);
}

static bool authenticate_at(const setting *s, atls_time now, atls_arena *a, outcome *o)
{
    const atls_format *f = dcap_format();
    const atls_authority auth = {
        .crypto = s->crypto, .policy = s->policy, .endorsements = &s->endorsements, .now = now};
    const void *evidence;
    atls_endorsement_request request;
    *o = (outcome){.ok = false};
    o->ok = atls_trace_init(&o->trace, a, &o->err) && f->decode(s->quote, a, &evidence, &o->err)
            && f->request(evidence, a, &request, &o->err)
            && f->authenticate(evidence, &auth, a, &o->claims, &o->trace, &o->err);
    return o->ok;
}

static bool authenticate(const setting *s, outcome *o)
{
    return authenticate_at(s, SIM_NOW, check_arena(), o);
}

static void must(const outcome *o)
{
    if (!o->ok) {
        char line[512];
        (void)atls_error_line(&o->err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* ---- order and cost ---- */

static void test_order(void **state)
{
    static const char *const order[] = {
        "dcap.quote_format",
        "dcap.root",
        "dcap.root_crl",
        "dcap.tcb_info_chain",
        "dcap.tcb_info_signature",
        "dcap.tcb_info_dates",
        "dcap.qe_identity_chain",
        "dcap.qe_identity_signature",
        "dcap.qe_identity_dates",
        "dcap.pck_chain",
        "dcap.pck_crl",
        "dcap.pck_extension",
        "dcap.tee_consistency",
        "dcap.tdx_module",
        "dcap.qe_report_signature",
        "dcap.qe_report_data",
        "dcap.qe_identity",
        "dcap.attestation_key",
        "dcap.quote_signature",
        "dcap.tcb_level",
    };
    static const sim_kind kinds[] = {SIM_SGX_V3, SIM_TDX_V4, SIM_TDX_V5};
    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        setting s;
        outcome o;
        open_setting(&s, kinds[k], NULL);
        (void)authenticate(&s, &o);
        must(&o);
        assert_int_equal(o.trace.n, COUNT(order));
        for (size_t i = 0; i < COUNT(order); i++) {
            bool none = kinds[k] == SIM_SGX_V3 && strcmp(order[i], "dcap.tdx_module") == 0;
            assert_string_equal(o.trace.items[i].id, order[i]);
            assert_int_equal(o.trace.items[i].verdict, none ? ATLS_CHECK_NOT_APPLICABLE : ATLS_CHECK_PASS);
        }
        close_setting(&s);
    }
}

/* Signer, PCK CA, PCK leaf, two lists, two documents, QE report, quote: each once. Intel's root is a pinned fact; a
 * root that a policy names by its hash vouches for itself here, the tenth. */
#define SIGNATURES 10

static void test_verifications(void **state)
{
    setting s;
    outcome o;
    (void)state;
    open_setting(&s, SIM_TDX_V4, NULL);
    uint64_t before = atls_crypto_verifications(s.crypto);
    (void)authenticate(&s, &o);
    must(&o);
    assert_int_equal(atls_crypto_verifications(s.crypto) - before, SIGNATURES);
    close_setting(&s);
}

/* The same certificates in another text are still the same certificates. */
static void test_verifications_with_other_text(void **state)
{
    setting s;
    outcome o;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    open_setting(&s, SIM_TDX_V4, NULL);
    atls_bytes *chain = &s.endorsements.dcap.qe_identity_issuer_chain;
    uint8_t *longer = atls_arena_raw(&s.arena, chain->len + 1, &err);
    assert_non_null(longer);
    memcpy(longer, chain->ptr, chain->len);
    longer[chain->len] = '\n';
    *chain = atls_bytes_of(longer, chain->len + 1);
    uint64_t before = atls_crypto_verifications(s.crypto);
    (void)authenticate(&s, &o);
    must(&o);
    assert_int_equal(atls_crypto_verifications(s.crypto) - before, SIGNATURES);
    close_setting(&s);
}

static void test_arena(void **state)
{
    setting s;
    outcome o;
    atls_arena *a = check_arena();
    (void)state;
    open_setting(&s, SIM_TDX_V5, NULL);
    (void)authenticate_at(&s, SIM_NOW, a, &o);
    must(&o);
    assert_true(a->peak < 128u * 1024);
    close_setting(&s);
}

/* ---- failures ---- */

static void test_now_unset(void **state)
{
    setting s;
    outcome o;
    (void)state;
    open_setting(&s, SIM_TDX_V4, NULL);
    assert_false(authenticate_at(&s, ATLS_TIME_UNSET, check_arena(), &o));
    check_error(&o.err, ATLS_E_USAGE, "now");
    close_setting(&s);
}

static void test_nothing_endorsed(void **state)
{
    setting s;
    outcome o;
    (void)state;
    open_setting(&s, SIM_TDX_V4, NULL);
    s.endorsements.platform = ATLS_PLATFORM_NONE;
    assert_false(authenticate(&s, &o));
    check_error(&o.err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements");
    close_setting(&s);
}

/* A callback that fills in nothing: the root is known from the quote, the list that should be checked with it is not
 * there. */
static void test_nothing_in_endorsements(void **state)
{
    setting s;
    outcome o;
    (void)state;
    open_setting(&s, SIM_TDX_V4, NULL);
    s.endorsements = (atls_endorsements){.platform = ATLS_PLATFORM_TDX};
    assert_false(authenticate(&s, &o));
    assert_int_equal(o.err.code, ATLS_E_CRL);
    assert_string_equal(o.trace.items[o.trace.n - 1].id, "dcap.root_crl");
    close_setting(&s);
}

static void test_each_part_missing(void **state)
{
    static const struct {
        size_t offset;
        atls_code code;
        const char *id;
    } rows[] = {
        {offsetof(atls_dcap_collateral, root_ca_crl), ATLS_E_CRL, "dcap.root_crl"},
        {offsetof(atls_dcap_collateral, pck_crl), ATLS_E_CRL, "dcap.pck_crl"},
        {offsetof(atls_dcap_collateral, tcb_info_issuer_chain), ATLS_E_TCB_INFO_SIGNATURE, "dcap.tcb_info_chain"},
        {offsetof(atls_dcap_collateral, tcb_info), ATLS_E_TCB_INFO_SIGNATURE, "dcap.tcb_info_signature"},
        {offsetof(atls_dcap_collateral, tcb_info_signature), ATLS_E_COLLATERAL_FORMAT, "dcap.tcb_info_signature"},
        {offsetof(atls_dcap_collateral, qe_identity_issuer_chain), ATLS_E_QE_IDENTITY_SIGNATURE,
         "dcap.qe_identity_chain"},
        {offsetof(atls_dcap_collateral, qe_identity), ATLS_E_QE_IDENTITY_SIGNATURE, "dcap.qe_identity_signature"},
        {offsetof(atls_dcap_collateral, qe_identity_signature), ATLS_E_COLLATERAL_FORMAT, "dcap.qe_identity_signature"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        setting s;
        outcome o;
        open_setting(&s, SIM_TDX_V4, NULL);
        memset((uint8_t *)&s.endorsements.dcap + rows[i].offset, 0, sizeof(atls_bytes));
        assert_false(authenticate(&s, &o));
        assert_int_equal(o.err.code, rows[i].code);
        assert_string_equal(o.trace.items[o.trace.n - 1].id, rows[i].id);
        close_setting(&s);
    }
}

/* The last step fails: what nearly everybody vouched for is still not claimed. */
static void test_no_claims_after_failure(void **state)
{
    static const char *const settings[] = {"level.0.status=Revoked", NULL};
    static const atls_claims zero;
    setting s;
    outcome o;
    (void)state;
    open_setting(&s, SIM_TDX_V4, settings);
    assert_false(authenticate(&s, &o));
    check_error(&o.err, ATLS_E_TCB_REVOKED, "tcb.platform");
    assert_string_equal(o.trace.items[o.trace.n - 1].id, "dcap.tcb_level");
    assert_memory_equal(&o.claims, &zero, sizeof zero);
    close_setting(&s);
}

/* With less memory than it takes there is an error, never another answer. */
static void test_little_memory(void **state)
{
    static uint8_t block[256 * 1024];
    setting s;
    outcome o;
    size_t size = 0;
    (void)state;
    open_setting(&s, SIM_TDX_V4, NULL);
    do {
        atls_arena a;
        size += 509;
        atls_arena_init(&a, block, size);
        if (!authenticate_at(&s, SIM_NOW, &a, &o)) {
            assert_int_equal(o.err.code, ATLS_E_MEMORY);
        }
    } while (!o.ok && size < sizeof block);
    must(&o);
    close_setting(&s);
}

/* ---- lies about chains that only this room can tell apart ---- */

typedef struct lie {
    const char *name;
    const char *settings[4];
    atls_code code;
    const char *field;
} lie;

#define EXTERNAL "quote.cert_type=3"

static const lie lies[] = {
    {"external chain: intermediate of another name",
     {EXTERNAL, "chain.pck=pck,platform_ca,root", "cert.platform_ca.cn=Intel SGX PCK Somebody CA"},
     ATLS_E_PCK_CHAIN,
     "pck.intermediate.subject"},
    {"external chain: leaf of another name",
     {EXTERNAL, "chain.pck=pck,platform_ca,root", "cert.pck.cn=Intel SGX TCB Signing"},
     ATLS_E_PCK_CHAIN,
     "pck.leaf.subject"},
    {"external chain: two certificates", {EXTERNAL, "chain.pck=pck,platform_ca"}, ATLS_E_PCK_CHAIN, "pck"},
    {"external chain: four certificates", {EXTERNAL, "chain.pck=pck,platform_ca,root,tcb"}, ATLS_E_PCK_CHAIN, "pck"},
    {"external chain: no root among them", {EXTERNAL, "chain.pck=pck,platform_ca,tcb"}, ATLS_E_PCK_CHAIN, "pck"},
    {"external chain: two intermediates",
     {EXTERNAL, "chain.pck=processor_ca,platform_ca,root"},
     ATLS_E_PCK_CHAIN,
     "pck"},
    {"external chain: the root twice",
     {EXTERNAL, "chain.pck=pck,root,root"},
     ATLS_E_PCK_CHAIN,
     "pck.intermediate.subject"},
    {"external chain: another root of the same name",
     {EXTERNAL, "chain.pck=pck,platform_ca,root2"},
     ATLS_E_PCK_CHAIN,
     "pck.root"},
    {"root with a P-384 key", {"cert.root.curve=p384"}, ATLS_E_PCK_CHAIN, "root.key"},
    {"PCK CA with a P-384 key", {"cert.platform_ca.curve=p384"}, ATLS_E_PCK_CHAIN, "pck.intermediate.key"},
    {"TCB signer with a P-384 key",
     {"cert.tcb.curve=p384"},
     ATLS_E_TCB_INFO_SIGNATURE,
     "tcb_info_issuer_chain.leaf.key"},
    {"TCB chain: the root twice",
     {"chain.tcb=root,root"},
     ATLS_E_TCB_INFO_SIGNATURE,
     "tcb_info_issuer_chain.leaf.subject"},
    {"TCB chain: a PCK certificate",
     {"chain.tcb=pck,root"},
     ATLS_E_TCB_INFO_SIGNATURE,
     "tcb_info_issuer_chain.leaf.subject"},
    {"TCB chain: an intermediate",
     {"chain.tcb=platform_ca,root"},
     ATLS_E_TCB_INFO_SIGNATURE,
     "tcb_info_issuer_chain.leaf.subject"},
    {"QE chain: another root of the same name",
     {"chain.qe=tcb,root2"},
     ATLS_E_QE_IDENTITY_SIGNATURE,
     "qe_identity_issuer_chain.root"},
};

static void test_lie(void **state)
{
    const lie *l = *state;
    setting s;
    outcome o;
    open_setting(&s, SIM_TDX_V4, l->settings);
    assert_false(authenticate(&s, &o));
    check_error(&o.err, l->code, l->field);
    close_setting(&s);
}

/* A room whose root the policy does not name. */
static void test_stranger(void **state)
{
    setting s;
    outcome o;
    atls_policy *policy;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    open_setting(&s, SIM_TDX_V4, NULL);
    assert_true(atls_policy_parse(atls_bytes_str("{\"type\":\"tdx\"}"), &policy, &err));
    atls_policy_free(s.policy);
    s.policy = policy;
    assert_false(authenticate(&s, &o));
    check_error(&o.err, ATLS_E_PCK_CHAIN, "root");
    assert_string_equal(o.err.expected, "Intel SGX Root CA");
    assert_string_equal(o.trace.items[o.trace.n - 1].id, "dcap.root");
    close_setting(&s);
}

/* ---- the small doors ---- */

static void check_request(const char *const *settings, sim_kind kind, const char *ca, bool needs_chain)
{
    setting s;
    const void *evidence;
    atls_arena *a = check_arena();
    atls_endorsement_request r;
    atls_error err = {.code = ATLS_OK};
    open_setting(&s, kind, settings);
    assert_true(dcap_format()->decode(s.quote, a, &evidence, &err));
    assert_true(dcap_format()->request(evidence, a, &r, &err));
    assert_int_equal(r.is_tdx, kind != SIM_SGX_V3);
    assert_int_equal(r.platform, kind == SIM_SGX_V3 ? ATLS_PLATFORM_SGX : ATLS_PLATFORM_TDX);
    assert_string_equal(r.pck_ca, ca);
    assert_int_equal(r.needs_pck_chain, needs_chain);
    assert_int_equal(atls_bytes_is_zero(atls_bytes_of(r.fmspc, sizeof r.fmspc)), needs_chain);
    close_setting(&s);
}

static void test_request(void **state)
{
    static const char *const processor[] = {"pck.ca=processor", NULL};
    static const char *const platform[] = {"pck.ca=platform", NULL};
    static const char *const type_3[] = {"quote.cert_type=3", "chain.pck=pck,platform_ca,root", NULL};
    (void)state;
    check_request(platform, SIM_TDX_V4, "platform", false);
    check_request(processor, SIM_SGX_V3, "processor", false);
    check_request(type_3, SIM_TDX_V5, "", true);
}

/* The object that inspect writes; the arena is check_arena's. */
static const atls_json *inspect(setting *s)
{
    const void *evidence;
    atls_arena *a = check_arena();
    atls_error err = {.code = ATLS_OK};
    atls_buf buf;
    atls_jw w;
    atls_bytes text;
    const atls_json *shown;
    assert_true(dcap_format()->decode(s->quote, a, &evidence, &err));
    atls_buf_init(&buf, a, &err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    assert_true(dcap_format()->inspect(evidence, &w, a, &err));
    atls_jw_close(&w, '}');
    assert_true(atls_buf_done(&buf, &text) && atls_json_parse(text, "shown", a, &shown, &err));
    return shown;
}

static const atls_json *certification_data(const atls_json *shown)
{
    return atls_json_find(atls_json_find(shown, "auth"), "certification_data");
}

static void test_inspect_td(void **state)
{
    static const char *const members[] = {"header", "body_type", "td", "auth", "trailing_len"};
    setting s;
    (void)state;
    open_setting(&s, SIM_TDX_V5, NULL);
    const atls_json *shown = inspect(&s);
    for (size_t i = 0; i < COUNT(members); i++) {
        assert_non_null(atls_json_find(shown, members[i]));
    }
    assert_non_null(atls_json_find(atls_json_find(certification_data(shown), "pck"), "fmspc"));
    assert_non_null(atls_json_find(atls_json_find(shown, "td"), "mrservicetd"));
    close_setting(&s);
}

static void test_inspect_enclave(void **state)
{
    static const char *const settings[] = {"quote.cert_type=1", NULL};
    setting s;
    (void)state;
    open_setting(&s, SIM_SGX_V3, settings);
    const atls_json *shown = inspect(&s);
    assert_non_null(atls_json_find(atls_json_find(shown, "sgx"), "mrenclave"));
    assert_null(atls_json_find(shown, "td"));
    assert_non_null(atls_json_find(certification_data(shown), "data"));
    close_setting(&s);
}

/* A chain that cannot be read does not hide the rest. */
static void test_inspect_broken_chain(void **state)
{
    static const char *const settings[] = {"chain.quote.text=no PEM", NULL};
    setting s;
    (void)state;
    open_setting(&s, SIM_TDX_V4, settings);
    const atls_json *shown = inspect(&s);
    assert_int_equal(atls_json_find(certification_data(shown), "pck")->type, ATLS_JSON_NULL);
    assert_true(atls_json_find(certification_data(shown), "why")->text.len > 0);
    close_setting(&s);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "steps in the order of the specification", test_order, NULL);
    tap_add(&l, "each signature is checked once", test_verifications, NULL);
    tap_add(&l, "also where the issuer chains differ in their text", test_verifications_with_other_text, NULL);
    tap_add(&l, "memory of an appraisal", test_arena, NULL);
    tap_add(&l, "no time", test_now_unset, NULL);
    tap_add(&l, "no endorsements", test_nothing_endorsed, NULL);
    tap_add(&l, "empty endorsements", test_nothing_in_endorsements, NULL);
    tap_add(&l, "each part of the endorsements missing", test_each_part_missing, NULL);
    tap_add(&l, "no claims after a failure", test_no_claims_after_failure, NULL);
    tap_add(&l, "little memory", test_little_memory, NULL);
    tap_add(&l, "what is asked for", test_request, NULL);
    for (size_t i = 0; i < COUNT(lies); i++) {
        tap_add(&l, lies[i].name, test_lie, &lies[i]);
    }
    tap_add(&l, "a root that nobody named", test_stranger, NULL);
    tap_add(&l, "what is shown of a TD", test_inspect_td, NULL);
    tap_add(&l, "what is shown of an enclave", test_inspect_enclave, NULL);
    tap_add(&l, "what is shown of a broken chain", test_inspect_broken_chain, NULL);
    return tap_run("dcap authenticate", &l);
}
