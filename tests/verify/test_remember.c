/* SPDX-License-Identifier: Apache-2.0 */
/* What a verifier remembers: that a warm yes costs one signature, that nothing which the answer depends on may change
 * without its being asked again, and that no date is passed over. */
#include "remember.h"

#define ARENA_SIZE ((size_t)64 * 1024 * 1024)

typedef struct scene {
    atls_arena keep;
    stage honest;
    atls_policy *policy;
    atls_verifier *warm;  /* remembers */
    atls_verifier *plain; /* does not */
} scene;

static void scene_open(scene *s, const char *const *settings)
{
    static const atls_verifier_options nothing = {.no_cache = true};
    atls_error err = {0};
    assert_true(atls_arena_new(&s->keep, ARENA_SIZE, &err));
    stage_open(&s->honest, SIM_TDX_V4, settings, &s->keep);
    s->policy = stage_policy(&s->honest, "tdx", &s->keep);
    s->warm = stage_verifier(s->policy, NULL);
    s->plain = stage_verifier(s->policy, &nothing);
}

static void scene_close(scene *s)
{
    atls_verifier_free(s->warm);
    atls_verifier_free(s->plain);
    atls_policy_free(s->policy);
    stage_close(&s->honest);
    atls_arena_free(&s->keep);
}

/* Both verifiers on the same call: they say the same, whatever one of them remembers. Gives what the warm one did. */
static outcome both(scene *s, atls_bytes quote, const atls_endorsements *e, atls_time now)
{
    const mix m = {.quote = quote, .endorsements = e, .now = now};
    outcome warm;
    outcome plain;
    mix_appraise(s->warm, &m, &s->keep, &warm);
    mix_appraise(s->plain, &m, &s->keep, &plain);
    outcome_assert_same(&warm, &plain);
    return warm;
}

static outcome both_of(scene *s, const stage *of)
{
    return both(s, of->quote, &of->endorsements, SIM_NOW);
}

static void assert_cost(const outcome *o, uint64_t n_verifications)
{
    assert_true(o->accepted);
    assert_int_equal(o->n_verifications, n_verifications);
}

static void warm_up(scene *s)
{
    outcome o = both_of(s, &s->honest);
    assert_cost(&o, 9);
    o = both_of(s, &s->honest);
    assert_cost(&o, 1);
}

/* ---- what it costs ---- */

#define OTHER_PLATFORM "pck.ppid=16x77", "cert.pck.key=other", "cert.pck.serial=0102030405"

static void test_costs(void **state)
{
    (void)state;
    static const char *const other[] = {OTHER_PLATFORM, NULL};
    static const char *const other_qe[] = {"quote.qe_auth=32x55", NULL};
    scene s;
    stage platform;
    stage qe;
    scene_open(&s, NULL);
    stage_open(&platform, SIM_TDX_V4, other, &s.keep);
    stage_open(&qe, SIM_TDX_V4, other_qe, &s.keep);
    warm_up(&s);
    outcome o = both_of(&s, &platform);
    assert_cost(&o, 3); /* leaf, QE report, quote: the CA belongs to the endorsements */
    o = both_of(&s, &platform);
    assert_cost(&o, 1);
    o = both_of(&s, &qe); /* a new quoting enclave of the first platform */
    assert_cost(&o, 2);
    o = both_of(&s, &qe);
    assert_cost(&o, 1);
    o = both_of(&s, &s.honest); /* the earlier one is still known */
    assert_cost(&o, 1);
    const atls_verifier_counts n = atls_verifier_count(s.warm);
    assert_int_equal(n.endorsements.entries, 1);
    assert_int_equal(n.platforms.entries, 2);
    assert_int_equal(n.stapled.entries, 0);
    stage_close(&platform);
    stage_close(&qe);
    scene_close(&s);
}

static void test_no_cache(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, NULL);
    for (size_t i = 0; i < 3; i++) {
        const mix m = {.quote = s.honest.quote, .endorsements = &s.honest.endorsements, .now = SIM_NOW};
        outcome o;
        mix_appraise(s.plain, &m, &s.keep, &o);
        assert_cost(&o, 9);
    }
    assert_int_equal(atls_verifier_count(s.plain).platforms.misses, 0);
    scene_close(&s);
}

/* One machine that shows ever new quoting enclaves forgets its own, and stays one entry. */
static void test_many_qes(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, NULL);
    warm_up(&s);
    for (size_t i = 0; i < 6; i++) {
        char text[40];
        const char *const settings[] = {text, NULL};
        stage qe;
        (void)snprintf(text, sizeof text, "quote.qe_auth=32x%02zu", i + 10);
        stage_open(&qe, SIM_TDX_V4, settings, &s.keep);
        outcome o = both_of(&s, &qe);
        assert_cost(&o, 2);
        stage_close(&qe);
    }
    assert_int_equal(atls_verifier_count(s.warm).platforms.entries, 1);
    outcome o = both_of(&s, &s.honest);
    assert_cost(&o, 2);
    scene_close(&s);
}

/* ---- only a yes of a whole appraisal ---- */

static void test_refused_is_not_remembered(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, NULL);
    for (size_t i = 0; i < 3; i++) {
        const mix m = {
            .quote = s.honest.quote, .endorsements = &s.honest.endorsements, .now = SIM_NOW, .wrong_value = true};
        outcome o;
        mix_appraise(s.warm, &m, &s.keep, &o);
        assert_false(o.accepted);
        assert_int_equal(o.err.code, ATLS_E_REPORT_DATA_MISMATCH);
        assert_int_equal(o.n_verifications, 9);
    }
    assert_int_equal(atls_verifier_count(s.warm).endorsements.entries, 0);
    assert_int_equal(atls_verifier_count(s.warm).platforms.entries, 0);
    scene_close(&s);
}

/* What a peer stapled has a place of its own: another peer's pieces push it out, and never one's own. */
static void test_stapled_is_apart(void **state)
{
    (void)state;
    scene s;
    scene_open(&s, NULL);
    warm_up(&s);
    atls_endorsements stapled = s.honest.endorsements;
    stapled.stapled = ATLS_PIECE_TCB_INFO;
    for (size_t i = 0; i < 40; i++) { /* ever new texts of the same certificates */
        static char chains[40][8192];
        const int len =
            snprintf(chains[i], sizeof chains[i], "%*s%.*s", (int)i, "", (int)stapled.dcap.tcb_info_issuer_chain.len,
                     (const char *)s.honest.endorsements.dcap.tcb_info_issuer_chain.ptr);
        stapled.dcap.tcb_info_issuer_chain = atls_bytes_of(chains[i], (size_t)len);
        outcome o = both(&s, s.honest.quote, &stapled, SIM_NOW);
        assert_true(o.accepted);
        stapled.dcap.tcb_info_issuer_chain = s.honest.endorsements.dcap.tcb_info_issuer_chain;
    }
    const atls_verifier_counts n = atls_verifier_count(s.warm);
    assert_int_equal(n.endorsements.entries, 1);
    assert_int_equal(n.stapled.entries, 16);
    assert_int_equal(n.stapled.evictions, 24);
    outcome o = both_of(&s, &s.honest);
    assert_cost(&o, 1);
    scene_close(&s);
}

/* A result outlives what was remembered when it was made. */
static void test_result_stands_alone(void **state)
{
    (void)state;
    static const char *const advised[] = {"level.0.advisories=INTEL-SA-00001,INTEL-SA-00002",
                                          "qe_level.0.advisories=INTEL-SA-00003", NULL};
    scene s;
    atls_error err = {0};
    atls_bytes json;
    scene_open(&s, advised);
    warm_up(&s);
    const outcome o = both_of(&s, &s.honest);
    atls_verifier_free(s.warm);
    s.warm = NULL;
    assert_int_equal(o.result.claims.dcap.tcb.advisories.n, 3);
    assert_string_equal(o.result.claims.dcap.tcb.qe_advisories.items[0], "INTEL-SA-00003");
    assert_true(atls_result_json(&o.result, NULL, &s.keep, &json, &err));
    assert_int_equal(json.len, o.json.len);
    assert_memory_equal(json.ptr, o.json.ptr, json.len);
    scene_close(&s);
}

/* What a warm verifier keeps is its own: callers may overwrite everything they gave. */
static void test_nothing_is_borrowed(void **state)
{
    (void)state;
    scene s;
    stage again;
    scene_open(&s, NULL);
    atls_arena copy;
    atls_error err = {0};
    assert_true(atls_arena_new(&copy, ARENA_SIZE, &err));
    stage_open(&again, SIM_TDX_V4, NULL, &copy);
    const mix m = {.quote = again.quote, .endorsements = &again.endorsements, .now = SIM_NOW};
    outcome o;
    mix_appraise(s.warm, &m, &copy, &o);
    assert_cost(&o, 9);
    stage_close(&again);
    memset(copy.base, 0xff, copy.used);
    atls_arena_free(&copy);
    o = both_of(&s, &s.honest);
    assert_cost(&o, 1);
    scene_close(&s);
}

/* ---- everything that an answer depends on ---- */

enum {
    QUOTE = 1,        /* from the changed room */
    ENDORSEMENTS = 2, /* same; else the honest one's */
    BOTH = 3,
};

typedef struct change {
    const char *name;
    const char *before[STAGE_MAX_SETTINGS]; /* another room that is accepted first; none: empty */
    const char *settings[STAGE_MAX_SETTINGS];
    unsigned from;
    bool accepted;
    atls_code code;
    sim_kind kind;
} change;

#define REFUSED(code) false, ATLS_E_##code, 0
#define ACCEPTED      true, ATLS_OK, 0

/* clang-format off */
static const change changes[] = {
    /* each piece of the endorsements: where the summary looks, and where only the comparison does */
    {"root list, in its middle",     {0}, {"raw.root_ca_crl@-90^=01"}, ENDORSEMENTS, REFUSED(CRL)},
    {"root list, at its end",        {0}, {"raw.root_ca_crl@-2^=01"}, ENDORSEMENTS, REFUSED(CRL)},
    {"PCK list, in its middle",      {0}, {"raw.pck_crl@-90^=01"}, ENDORSEMENTS, REFUSED(CRL)},
    {"PCK list, at its end",         {0}, {"raw.pck_crl@-2^=01"}, ENDORSEMENTS, REFUSED(CRL)},
    {"TCB info chain",               {0}, {"raw.tcb_info_issuer_chain@100^=03"}, ENDORSEMENTS, REFUSED(TCB_INFO_SIGNATURE)},
    {"TCB info chain, at its end",   {0}, {"raw.tcb_info_issuer_chain@-40^=03"}, ENDORSEMENTS, REFUSED(TCB_INFO_SIGNATURE)},
    {"TCB info",                     {0}, {"raw.tcb_info~\"svn\":5=\"svn\":4"}, ENDORSEMENTS, REFUSED(TCB_INFO_SIGNATURE)},
    {"TCB info, at its end",         {0}, {"raw.tcb_info@-3^=01"}, ENDORSEMENTS, REFUSED(TCB_INFO_SIGNATURE)},
    {"TCB info signature",           {0}, {"raw.tcb_info_signature@0=31", "raw.tcb_info_signature@1=32"}, ENDORSEMENTS, REFUSED(TCB_INFO_SIGNATURE)},
    {"TCB info signature, its end",  {0}, {"raw.tcb_info_signature@-2=3132"}, ENDORSEMENTS, REFUSED(TCB_INFO_SIGNATURE)},
    {"QE identity chain",            {0}, {"raw.qe_identity_issuer_chain@100^=03"}, ENDORSEMENTS, REFUSED(QE_IDENTITY_SIGNATURE)},
    {"QE identity",                  {0}, {"raw.qe_identity~\"isvsvn\":8=\"isvsvn\":7"}, ENDORSEMENTS, REFUSED(QE_IDENTITY_SIGNATURE)},
    {"QE identity signature",        {0}, {"raw.qe_identity_signature@0=3132"}, ENDORSEMENTS, REFUSED(QE_IDENTITY_SIGNATURE)},
    /* genuine endorsements that say something else */
    {"a list that revokes the leaf",     {0}, {"crl.pck.revoked=pck"}, ENDORSEMENTS, REFUSED(REVOKED)},
    {"a list that revokes the CA",       {0}, {"crl.root.revoked=platform_ca"}, ENDORSEMENTS, REFUSED(REVOKED)},
    {"a list that revokes the signer",   {0}, {"crl.root.revoked=tcb"}, ENDORSEMENTS, REFUSED(REVOKED)},
    {"a list that is known, and revokes the leaf", {"crl.pck.revoked=pck", "chain.quote=sibling,platform_ca,root", "qe.signed_by=sibling"},
                                         {"crl.pck.revoked=pck"}, ENDORSEMENTS, REFUSED(REVOKED)},
    {"a list that revokes somebody",     {0}, {"crl.pck.revoked=sibling"}, ENDORSEMENTS, ACCEPTED},
    {"the list of the other CA",         {0}, {"collateral.pck_crl=other"}, ENDORSEMENTS, REFUSED(CRL)},
    {"TCB info of another FMSPC",        {0}, {"pck.fmspc=112233445566"}, ENDORSEMENTS, REFUSED(TCB_INFO_MISMATCH)},
    {"the same, known from a platform",  {"pck.fmspc=112233445566"}, {"pck.fmspc=112233445566"}, ENDORSEMENTS, REFUSED(TCB_INFO_MISMATCH)},
    {"TCB info for SGX",                 {0}, {NULL}, ENDORSEMENTS, false, ATLS_E_TCB_INFO_MISMATCH, SIM_SGX_V3},
    {"TCB info that expired",            {0}, {"tcb_info_date.next=now-1"}, ENDORSEMENTS, REFUSED(EXPIRED)},
    {"TCB info that is not yet there",   {0}, {"tcb_info_date.issue=now+1"}, ENDORSEMENTS, REFUSED(NOT_YET_VALID)},
    {"QE identity that expired",         {0}, {"qe_identity_date.next=now-1"}, ENDORSEMENTS, REFUSED(EXPIRED)},
    {"an older list",                    {0}, {"crl.pck.this_update=now-9999999", "crl.pck.number=01"}, ENDORSEMENTS, ACCEPTED},
    {"a level that was revoked",         {0}, {"level.0.status=Revoked"}, ENDORSEMENTS, REFUSED(TCB_REVOKED)},
    {"a level that is out of date",      {0}, {"level.0.status=OutOfDate"}, ENDORSEMENTS, REFUSED(TCB_STATUS_NOT_ALLOWED)},
    {"a QE level above",                 {0}, {"qe_levels=1", "qe_level.0.isvsvn=9"}, ENDORSEMENTS, REFUSED(TCB_NOT_SUPPORTED)},
    {"newer endorsements",               {0}, {"tcb_info_date.issue=now-10", "tcb_info.tcbEvaluationDataNumber=99"}, ENDORSEMENTS, ACCEPTED},
    /* the certificates of the platform */
    {"a leaf nobody signed",             {0}, {"cert.pck.sig=bit"}, QUOTE, REFUSED(PCK_CHAIN)},
    {"a leaf of another CA",             {0}, {"cert.pck.signed_by=processor_ca"}, QUOTE, REFUSED(PCK_CHAIN)},
    {"a CA nobody signed",               {0}, {"cert.platform_ca.sig=bit"}, QUOTE, REFUSED(PCK_CHAIN)},
    {"a CA that is on the root's list",  {0}, {"cert.platform_ca.serial=0123", "crl.root.revoked=platform_ca"}, BOTH, REFUSED(REVOKED)},
    {"a CA that expired",                {0}, {"cert.platform_ca.not_after=now-1"}, QUOTE, REFUSED(EXPIRED)},
    {"a leaf that expired",              {0}, {"cert.pck.not_after=now-1"}, QUOTE, REFUSED(EXPIRED)},
    {"a root nobody trusts",             {0}, {"chain.quote=pck,platform_ca,root2"}, QUOTE, REFUSED(PCK_CHAIN)},
    {"a whole PKI nobody trusts",        {0}, {"chain.quote=pck2,platform_ca2,root2"}, QUOTE, REFUSED(PCK_CHAIN)},
    {"the CA missing",                   {0}, {"chain.quote=pck,root"}, QUOTE, REFUSED(PCK_CHAIN)},
    {"a certificate more",               {0}, {"chain.quote=pck,platform_ca,root,tcb"}, QUOTE, REFUSED(PCK_CHAIN)},
    {"the root first",                   {0}, {"chain.quote=root,platform_ca,pck"}, QUOTE, ACCEPTED},
    {"text between certificates",        {0}, {"chain.quote.pem=text_between"}, QUOTE, REFUSED(PCK_CHAIN)},
    {"a NUL at the end",                 {0}, {"chain.quote.pem=nul_tail"}, QUOTE, ACCEPTED},
    {"the other CA's platform",          {0}, {"pck.ca=processor"}, QUOTE, REFUSED(CRL)},
    {"another FMSPC",                    {0}, {"pck.fmspc=112233445566"}, QUOTE, REFUSED(TCB_INFO_MISMATCH)},
    {"another FMSPC, which is known",    {"pck.fmspc=112233445566"}, {"pck.fmspc=112233445566"}, QUOTE, REFUSED(TCB_INFO_MISMATCH)},
    {"a lower TCB in the certificate",   {0}, {"pck.pcesvn=3"}, QUOTE, REFUSED(TCB_NOT_SUPPORTED)},
    /* quoting enclave and attestation key */
    {"a QE report nobody signed",        {0}, {"qe.sig=bit"}, QUOTE, REFUSED(QE_REPORT_SIGNATURE)},
    {"a QE report of another platform",  {0}, {"qe.signed_by=sibling"}, QUOTE, REFUSED(QE_REPORT_SIGNATURE)},
    {"a known report, a known platform", {"chain.quote=sibling,platform_ca,root", "qe.signed_by=sibling"},
                                         {"chain.quote=sibling,platform_ca,root"}, QUOTE, REFUSED(QE_REPORT_SIGNATURE)},
    {"a QE report changed after signing", {0}, {"raw.quote@834^=01"}, QUOTE, REFUSED(QE_REPORT_SIGNATURE)},
    {"a QE report, one bit beside",      {0}, {"qe.reserved4=01", "qe.sig=r1s1"}, QUOTE, REFUSED(QE_REPORT_SIGNATURE)},
    {"a QE report about another key",    {0}, {"qe.hash=other"}, QUOTE, REFUSED(QE_REPORT_DATA)},
    {"a known QE report, another key",   {0}, {"raw.quote@700^=01"}, QUOTE, REFUSED(QE_REPORT_DATA)},
    {"a known QE report, other QE data", {0}, {"raw.quote@1225^=01"}, QUOTE, REFUSED(QE_REPORT_DATA)},
    {"a known QE under another identity", {"qe_levels=1", "qe_level.0.isvsvn=9", "qe.isvsvn=9", OTHER_PLATFORM},
                                         {"qe_levels=1", "qe_level.0.isvsvn=9"}, ENDORSEMENTS, REFUSED(TCB_NOT_SUPPORTED)},
    {"a QE of another signer",           {0}, {"qe.mrsigner=32x11"}, QUOTE, REFUSED(QE_IDENTITY_MISMATCH)},
    {"a QE in debug mode",               {0}, {"qe.attributes=07"}, QUOTE, REFUSED(QE_IDENTITY_MISMATCH)},
    {"an attestation key off its curve", {0}, {"quote.att_key=off_curve"}, QUOTE, REFUSED(QUOTE_FORMAT)},
    {"a quote nobody signed",            {0}, {"quote.sig=bit"}, QUOTE, REFUSED(QUOTE_SIGNATURE)},
    /* what is said about the TD */
    {"an old TDX module",                {0}, {"td.tee_tcb_svn=0401"}, QUOTE, REFUSED(TCB_STATUS_NOT_ALLOWED)},
    {"a module of another signer",       {0}, {"td.mrsignerseam=48x11"}, QUOTE, REFUSED(TDX_MODULE_MISMATCH)},
    {"a TD that can be debugged",        {0}, {"td.tdattributes=01"}, QUOTE, REFUSED(TD_ATTRIBUTES)},
    {"another TD",                       {0}, {"td.mrtd=48x11"}, QUOTE, REFUSED(MEASUREMENT_MISMATCH)},
    {"an enclave",                       {0}, {NULL}, BOTH, false, ATLS_E_TEE_TYPE_MISMATCH, SIM_SGX_V3},
    {"bytes after the quote",            {0}, {"quote.trailing=010203"}, QUOTE, ACCEPTED},
    /* a chain from outside takes the place of the quote's */
    {"a chain from outside, the same",   {0}, {"chain.pck=pck,platform_ca,root"}, ENDORSEMENTS, ACCEPTED},
    {"a chain of another platform",      {"chain.pck=pck,platform_ca,root"}, {"chain.pck=sibling,platform_ca,root"}, ENDORSEMENTS, REFUSED(QE_REPORT_SIGNATURE)},
    {"a quote without its chain",        {0}, {"quote.cert_type=1"}, BOTH, REFUSED(PCK_CHAIN)},
    {"the same, with one from outside",  {0}, {"quote.cert_type=1", "chain.pck=pck,platform_ca,root"}, BOTH, ACCEPTED},
    {"a chain from outside, cut",        {0}, {"chain.pck=pck,platform_ca"}, ENDORSEMENTS, REFUSED(PCK_CHAIN)},
};
/* clang-format on */

/* On a verifier that knows the honest room (and the one before), with parts of a changed one; and afterwards it still
 * knows the honest one, and costs no more than before. */
static void test_change(void **state)
{
    const change *c = *state;
    scene s;
    stage changed;
    scene_open(&s, NULL);
    warm_up(&s);
    if (c->before[0] != NULL) {
        stage before;
        stage_open(&before, SIM_TDX_V4, c->before, &s.keep);
        outcome o = both_of(&s, &before);
        assert_true(o.accepted);
        o = both_of(&s, &before);
        assert_cost(&o, 1);
        stage_close(&before);
    }
    stage_open(&changed, c->kind == 0 ? SIM_TDX_V4 : c->kind, c->settings, &s.keep);
    const stage mixed = {
        .quote = (c->from & QUOTE) != 0 ? changed.quote : s.honest.quote,
        .endorsements = (c->from & ENDORSEMENTS) != 0 ? changed.endorsements : s.honest.endorsements,
    };
    for (size_t i = 0; i < 3; i++) {
        const outcome o = both_of(&s, &mixed);
        assert_int_equal(o.accepted, c->accepted);
        assert_int_equal(o.err.code, c->code);
        assert_true(i == 0 || !o.accepted || o.n_verifications == 1);
    }
    const outcome o = both_of(&s, &s.honest);
    assert_cost(&o, 1);
    stage_close(&changed);
    scene_close(&s);
}

/* Two CAs with one name and one key id, each with a list of its own. A leaf of the one is no leaf of the other, although
 * the leaf is known, and so are the endorsements of the other. */
#define ONE_KEY_ID                                                                                                     \
    "cert.platform_ca.ski=20x55", "cert.platform_ca2.ski=20x55", "cert.pck.aki=20x55", "cert.pck2.aki=20x55",          \
        "crl.pck.aki=20x55", "cert.platform_ca2.issuer=root", "cert.platform_ca2.key=twin"
#define OF_THE_TWIN "crl.pck.signed_by=platform_ca2"

static void test_twin_of_a_ca(void **state)
{
    (void)state;
    static const char *const base[] = {ONE_KEY_ID, NULL};
    static const char *const twins[] = {
        ONE_KEY_ID, OF_THE_TWIN, "chain.quote=pck2,platform_ca2,root", "qe.signed_by=pck2", "cert.pck2.key=second",
        NULL};
    static const char *const mixed[] = {ONE_KEY_ID, OF_THE_TWIN, "chain.quote=pck,platform_ca2,root", NULL};
    scene s;
    stage twin;
    stage mix_of_both;
    scene_open(&s, base);
    stage_open(&twin, SIM_TDX_V4, twins, &s.keep);
    stage_open(&mix_of_both, SIM_TDX_V4, mixed, &s.keep);
    warm_up(&s);
    outcome o = both_of(&s, &twin);
    assert_cost(&o, 9);
    o = both_of(&s, &twin);
    assert_cost(&o, 1);
    o = both_of(&s, &mix_of_both);
    assert_false(o.accepted);
    assert_int_equal(o.err.code, ATLS_E_PCK_CHAIN);
    stage_close(&twin);
    stage_close(&mix_of_both);
    scene_close(&s);
}

/* ---- every date, at both ends ---- */

typedef struct date {
    const char *name;
    const char *settings[6];
    bool is_end;
    atls_code code;
    uint64_t n_cold;
} date;

/* A signer of its own for the identity, so that each of the two has dates that count. */
#define SECOND_SIGNER                                                                                                  \
    "chain.qe=sibling,root", "cert.sibling.issuer=root", "cert.sibling.cn=Intel SGX TCB Signing",                      \
        "qe_identity.signed_by=sibling"

#define BEGINS(what, path)                                                                                             \
    {                                                                                                                  \
        "begins: " what, {path "=now-1000"}, false, ATLS_E_NOT_YET_VALID, 9                                            \
    }
#define ENDS(what, path)                                                                                               \
    {                                                                                                                  \
        "ends: " what, {path "=now+1000"}, true, ATLS_E_EXPIRED, 9                                                     \
    }

static const date dates[] = {
    BEGINS("root", "cert.root.not_before"),
    ENDS("root", "cert.root.not_after"),
    BEGINS("the one signer", "cert.tcb.not_before"),
    ENDS("the one signer", "cert.tcb.not_after"),
    {"begins: TCB signer", {SECOND_SIGNER, "cert.tcb.not_before=now-1000"}, false, ATLS_E_NOT_YET_VALID, 10},
    {"ends: TCB signer", {SECOND_SIGNER, "cert.tcb.not_after=now+1000"}, true, ATLS_E_EXPIRED, 10},
    {"begins: QE signer", {SECOND_SIGNER, "cert.sibling.not_before=now-1000"}, false, ATLS_E_NOT_YET_VALID, 10},
    {"ends: QE signer", {SECOND_SIGNER, "cert.sibling.not_after=now+1000"}, true, ATLS_E_EXPIRED, 10},
    BEGINS("PCK CA", "cert.platform_ca.not_before"),
    ENDS("PCK CA", "cert.platform_ca.not_after"),
    BEGINS("PCK leaf", "cert.pck.not_before"),
    ENDS("PCK leaf", "cert.pck.not_after"),
    BEGINS("root list", "crl.root.this_update"),
    ENDS("root list", "crl.root.next_update"),
    BEGINS("PCK list", "crl.pck.this_update"),
    ENDS("PCK list", "crl.pck.next_update"),
    BEGINS("TCB info", "tcb_info_date.issue"),
    ENDS("TCB info", "tcb_info_date.next"),
    BEGINS("QE identity", "qe_identity_date.issue"),
    ENDS("QE identity", "qe_identity_date.next"),
};

static void test_date(void **state)
{
    const date *d = *state;
    const atls_time edge = d->is_end ? SIM_NOW + 1000 : SIM_NOW - 1000;
    const atls_time beyond = d->is_end ? edge + 1 : edge - 1;
    scene s;
    scene_open(&s, d->settings);
    outcome o = both_of(&s, &s.honest);
    assert_cost(&o, d->n_cold);
    o = both(&s, s.honest.quote, &s.honest.endorsements, edge);
    assert_cost(&o, 1);
    o = both(&s, s.honest.quote, &s.honest.endorsements, beyond);
    assert_false(o.accepted);
    assert_int_equal(o.err.code, d->code);
    o = both(&s, s.honest.quote, &s.honest.endorsements, SIM_NOW);
    assert_cost(&o, 1);
    scene_close(&s);
}

/* ---- an enclave: the form of its quote is asked each time, too ---- */

static void test_enclave_in_a_newer_quote(void **state)
{
    (void)state;
    static const atls_verifier_options nothing = {.no_cache = true};
    static const char *const version_4[] = {"quote.version=4", NULL};
    scene s;
    stage enclave;
    stage newer;
    scene_open(&s, NULL);
    stage_open(&enclave, SIM_SGX_V3, NULL, &s.keep);
    stage_open(&newer, SIM_SGX_V3, version_4, &s.keep);
    atls_verifier_free(s.warm);
    atls_verifier_free(s.plain);
    atls_policy_free(s.policy);
    s.policy = stage_policy(&enclave, "sgx", &s.keep);
    s.warm = stage_verifier(s.policy, NULL);
    s.plain = stage_verifier(s.policy, &nothing);
    outcome o = both_of(&s, &enclave);
    assert_cost(&o, 9);
    o = both_of(&s, &enclave);
    assert_cost(&o, 1);
    o = both_of(&s, &newer);
    assert_false(o.accepted);
    assert_int_equal(o.err.code, ATLS_E_QUOTE_FORMAT);
    stage_close(&enclave);
    stage_close(&newer);
    scene_close(&s);
}

/* What the policy asks of the certificate is asked each time, too. */
static void test_strict_cpusvn(void **state)
{
    (void)state;
    static const char *const settings[] = {"policy.strict_cpusvn=true", NULL};
    static const char *const other[] = {OTHER_PLATFORM, "pck.cpusvn=09", NULL};
    scene s;
    stage platform;
    scene_open(&s, settings);
    stage_open(&platform, SIM_TDX_V4, other, &s.keep);
    warm_up(&s);
    for (size_t i = 0; i < 2; i++) {
        const outcome o = both_of(&s, &platform);
        assert_false(o.accepted);
        assert_int_equal(o.err.code, ATLS_E_PCK_CHAIN);
    }
    stage_close(&platform);
    scene_close(&s);
}

/* ---- bounds ---- */

static void test_limits(void **state)
{
    (void)state;
    static const atls_verifier_options one = {.max_platforms = 1, .max_endorsements = 1};
    static const atls_verifier_options few_bytes = {.max_endorsements_len = 1000};
    static const char *const other[] = {OTHER_PLATFORM, "pck.fmspc=112233445566", NULL};
    scene s;
    stage platform;
    scene_open(&s, NULL);
    stage_open(&platform, SIM_TDX_V4, other, &s.keep);
    atls_verifier_free(s.warm);
    s.warm = stage_verifier(s.policy, &one);
    for (size_t i = 0; i < 3; i++) { /* each pushes out the other */
        outcome o = both_of(&s, &s.honest);
        assert_cost(&o, 9);
        o = both_of(&s, &platform);
        assert_cost(&o, 9);
    }
    assert_int_equal(atls_verifier_count(s.warm).platforms.entries, 1);
    assert_int_equal(atls_verifier_count(s.warm).endorsements.entries, 1);
    assert_int_equal(atls_verifier_count(s.warm).platforms.evictions, 5);
    atls_verifier_free(s.warm);
    s.warm = stage_verifier(s.policy, &few_bytes);
    for (size_t i = 0; i < 3; i++) { /* endorsements that do not fit; then the platform is of no use either */
        outcome o = both_of(&s, &s.honest);
        assert_cost(&o, 9);
    }
    assert_int_equal(atls_verifier_count(s.warm).endorsements.len, 0);
    stage_close(&platform);
    scene_close(&s);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "costs: cold 9, platform unseen 3, QE unseen 2, warm 1", test_costs, NULL);
    tap_add(&l, "costs: without caches 9 each time", test_no_cache, NULL);
    tap_add(&l, "one machine with many quoting enclaves", test_many_qes, NULL);
    tap_add(&l, "what was refused is not remembered", test_refused_is_not_remembered, NULL);
    tap_add(&l, "what peers staple is apart", test_stapled_is_apart, NULL);
    tap_add(&l, "a result outlives the verifier", test_result_stands_alone, NULL);
    tap_add(&l, "nothing is borrowed from callers", test_nothing_is_borrowed, NULL);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        tap_add(&l, changes[i].name, test_change, &changes[i]);
    }
    tap_add(&l, "a CA with a twin", test_twin_of_a_ca, NULL);
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        tap_add(&l, dates[i].name, test_date, &dates[i]);
    }
    tap_add(&l, "an enclave in a newer quote", test_enclave_in_a_newer_quote, NULL);
    tap_add(&l, "strict_cpusvn", test_strict_cpusvn, NULL);
    tap_add(&l, "limits", test_limits, NULL);
    return tap_run("remember", &l);
}
