/* SPDX-License-Identifier: Apache-2.0 */
/* test_cases_dstack.c: cases J: event log, binding and policy of the dstack profile, on what a server answers. The rows
 * about the transport are in tests/edge. dstack sections 1 to 6. */
#include "base/text.h"
#include "cases.h"
#include "verify/again.h"

#include <openssl/sha.h>
#include <string.h>

/* How the certificate of the connection was measured. */
typedef enum measured {
    MEASURED = 0, /* once, after system-ready */
    MISSING,      /* never */
    RENEWED,      /* another one, then this one */
    OLD_LAST,     /* this one, then another one */
    BEFORE_READY, /* only before system-ready */
    UPPER_HEX,    /* as upper-case hex */
    BINARY_32,    /* as 32 bytes instead of hex */
    WITH_NEWLINE, /* 65 bytes */
} measured;

/* Whose nonce and exporter value the relying party has. */
typedef enum binding {
    SAME = 0,
    NONCE_OTHER,
    EKM_OTHER,
} binding;

typedef struct row {
    sim_case c;
    measured measured;
    binding binding;
} row;

#define OTHER32 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
/* The room runs {}; its hash. */
#define COMPOSE      "compose={}"
#define COMPOSE_HASH "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define HEX94        "\"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\""
#define HEX98        "\"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\""
#define OUT_OF_DATE                                                                                                    \
    "level.0.status=OutOfDate", "level.0.date=now-86400", "policy.allowed_tcb_status=[\"UpToDate\",\"OutOfDate\"]"
#define J(name, settings, ...)                                                                                         \
    {                                                                                                                  \
        {name, SIM_TDX_V4, settings, __VA_ARGS__}, MEASURED, SAME                                                      \
    }
#define CERT(name, how, ...)                                                                                           \
    {                                                                                                                  \
        {name, SIM_TDX_V4, {NULL}, __VA_ARGS__}, how, SAME                                                             \
    }
#define BIND(name, how, ...)                                                                                           \
    {                                                                                                                  \
        {name, SIM_TDX_V4, {NULL}, __VA_ARGS__}, MEASURED, how                                                         \
    }
#define S(...)                                                                                                         \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

static bool runtime_verified(const atls_result *r)
{
    return r->runtime_verified && r->claims.log.present && !r->insecure;
}

static bool not_runtime_verified(const atls_result *r)
{
    return !r->runtime_verified && r->insecure;
}

/* clang-format off */
static const row table[] = {
    J("base-dstack", S(NULL), STATUS_ALSO("UpToDate", runtime_verified)),
    /* payloads and digests */
    J("payload-swap", S(COMPOSE, "log.compose-hash=" OTHER32, "event_log.@compose-hash.event_payload=\"" COMPOSE_HASH "\""),
      REFUSED(EVENT_LOG_PARSE, "event_log[18].digest")),
    J("payload-swap-digest-blank", S(COMPOSE, "log.compose-hash=" OTHER32, "log.digests=blank", "event_log.@compose-hash.event_payload=\"" COMPOSE_HASH "\""),
      REFUSED(RTMR_MISMATCH, "rtmr3")),
    J("compose-other", S("log.compose-hash=" OTHER32), REFUSED(APP_COMPOSE_HASH_MISMATCH, "event_log.compose-hash")),
    J("os-image-other", S("log.os-image-hash=" OTHER32), REFUSED(OS_IMAGE_HASH_MISMATCH, "event_log.os-image-hash")),
    J("vm-config-other", S("vm_config.os_image_hash=\"" OTHER32 "\""), STATUS("UpToDate")),
    J("digests-blank", S("log.digests=blank"), STATUS_ALSO("UpToDate", runtime_verified)),
    J("digest-short", S("event_log.@app-id.digest=" HEX94), REFUSED(EVENT_LOG_PARSE, "event_log[17].digest")),
    J("digest-long", S("event_log.@app-id.digest=" HEX98), REFUSED(EVENT_LOG_PARSE, "event_log[17].digest")),
    J("digest-blank-of-boot-event", S("event_log.0.digest=\"\""), REFUSED(EVENT_LOG_PARSE, "event_log[0].digest")),
    J("name-colon", S("log.key-provider=7b226e616d65223a2278227d", "event_log.@key-provider.event_payload=\"2278227d\"",
                      "event_log.@key-provider.event=\"key-provider:{\\\"name\\\"\""), REFUSED(EVENT_LOG_PARSE, "event_log[22].event")),
    /* registers */
    J("imr-7-entry", S("event_log.0+={\"imr\":7,\"event_type\":134217729,\"digest\":\"\",\"event\":\"compose-hash\",\"event_payload\":\"" OTHER32 "\"}"),
      REFUSED(EVENT_LOG_PARSE, "event_log[0].imr")),
    J("boot-relabel", S(COMPOSE, "log.compose-hash=" OTHER32, "event_log.0.event=\"compose-hash\"", "event_log.0.event_payload=\"" COMPOSE_HASH "\""),
      REFUSED(APP_COMPOSE_HASH_MISMATCH, "event_log.compose-hash")),
    J("boot-relabel-runtime-type", S(COMPOSE, "log.compose-hash=" OTHER32, "event_log.0.event=\"compose-hash\"",
      "event_log.0.event_payload=\"" COMPOSE_HASH "\"", "event_log.0.event_type=134217729"), REFUSED(EVENT_LOG_PARSE, "event_log[0].event_type")),
    J("order-swap", S("log.swap_shown=app-id,instance-id"), REFUSED(RTMR_MISMATCH, "rtmr3")),
    J("order-swap-boot", S("log.boot.0.digest=11", "event_log.0.digest=\"" OTHER32 "ffffffffffffffffffffffffffffffff\""), REFUSED(RTMR_MISMATCH, "rtmr0")),
    J("entry-dropped", S("-event_log.@storage-fs"), REFUSED(RTMR_MISMATCH, "rtmr3")),
    J("entry-dropped-boot", S("-event_log.13"), REFUSED(RTMR_MISMATCH, "rtmr2")),
    J("entry-duplicated", S("log.repeat_shown=storage-fs"), REFUSED(RTMR_MISMATCH, "rtmr3")),
    /* who may say what, and when */
    J("event-after-ready", S("log.after_ready=compose-hash:" OTHER32), STATUS_ALSO("UpToDate", runtime_verified)),
    J("compose-only-after-ready", S(COMPOSE, "-log.compose-hash", "log.after_ready=compose-hash:" COMPOSE_HASH), REFUSED(APP_COMPOSE_HASH_MISMATCH, "event_log.compose-hash")),
    J("compose-twice", S(COMPOSE, "log.before_ready=compose-hash:" COMPOSE_HASH), REFUSED(APP_COMPOSE_HASH_MISMATCH, "event_log.compose-hash")),
    J("compose-missing", S("-log.compose-hash"), REFUSED(APP_COMPOSE_HASH_MISMATCH, "event_log.compose-hash")),
    J("os-image-missing", S("-log.os-image-hash"), REFUSED(OS_IMAGE_HASH_MISMATCH, "event_log.os-image-hash")),
    J("system-ready-missing", S("-log.system-ready"), REFUSED(CERTIFICATE_NOT_IN_EVENT_LOG, "event_log.New TLS Certificate")),
    /* certificate */
    CERT("cert-missing", MISSING, REFUSED(CERTIFICATE_NOT_IN_EVENT_LOG, "event_log.New TLS Certificate")),
    CERT("cert-old-last", OLD_LAST, REFUSED(CERTIFICATE_NOT_IN_EVENT_LOG, "event_log.New TLS Certificate")),
    CERT("cert-before-ready", BEFORE_READY, REFUSED(CERTIFICATE_NOT_IN_EVENT_LOG, "event_log.New TLS Certificate")),
    CERT("cert-upper-hex", UPPER_HEX, REFUSED(CERTIFICATE_NOT_IN_EVENT_LOG, "event_log.New TLS Certificate")),
    CERT("cert-binary-32", BINARY_32, REFUSED(CERTIFICATE_NOT_IN_EVENT_LOG, "event_log.New TLS Certificate")),
    CERT("cert-65-bytes", WITH_NEWLINE, REFUSED(CERTIFICATE_NOT_IN_EVENT_LOG, "event_log.New TLS Certificate")),
    CERT("cert-renewed", RENEWED, STATUS("UpToDate")),
    {{"cert-missing-waived", SIM_TDX_V4, {"policy.insecure_skip_certificate_event=true"}, STATUS("UpToDate")}, MISSING, SAME},
    /* digest versions */
    J("v2-log", S("log.version=2"), STATUS_ALSO("UpToDate", runtime_verified)),
    J("v2-log-no-preimage", S("log.version=2", "log.preimage=none"), STATUS("UpToDate")),
    J("v2-log-digests-blank", S("log.version=2", "log.digests=blank"), STATUS("UpToDate")),
    J("v1-v2-mixed", S("log.compose-hash.version=2", "log.key-provider.version=2"), STATUS_ALSO("UpToDate", runtime_verified)),
    J("v2-shown-as-v1", S("log.version=2", "event_log.@app-id.version=1"), REFUSED(EVENT_LOG_PARSE, "event_log[17].digest")),
    J("v2-empty-preimage", S("log.version=2", "event_log.@app-id.preimage=\"\""), REFUSED(EVENT_LOG_PARSE, "event_log[17].preimage")),
    J("v2-bad-preimage", S("log.version=2", "event_log.@app-id.preimage=\"00\""), REFUSED(EVENT_LOG_PARSE, "event_log[17].preimage")),
    J("version-3", S("event_log.@app-id.version=3"), REFUSED(EVENT_LOG_PARSE, "event_log[17].version")),
    /* containers and limits */
    J("log-as-array", S("response_form.event_log=array"), STATUS("UpToDate")),
    J("log-as-string", S("response_form.event_log=string"), STATUS("UpToDate")),
    J("response-get-quote", S("response_form=get_quote"), STATUS("UpToDate")),
    J("response-extra-members", S("response.collateral={\"a\":1}", "response.quote.attestation=\"\""), STATUS("UpToDate")),
    J("log-5000-events", S("log.filler=5000"), REFUSED(EVENT_LOG_PARSE, "event_log")),
    J("log-4000-events", S("log.filler=4000"), STATUS("UpToDate")),
    J("log-duplicate-member", S("event_log.@app-id.+imr=3"), REFUSED(EVENT_LOG_PARSE, "event_log")),
    J("log-trailing", S("raw.event_log@-0+=5d"), REFUSED(EVENT_LOG_PARSE, "event_log")),
    J("log-empty", S("raw.event_log=[]"), REFUSED(RTMR_MISMATCH, "rtmr0")),
    J("log-missing", S("-response.quote.event_log"), REFUSED(EVENT_LOG_PARSE, "event_log")),
    /* binding */
    BIND("nonce-other", NONCE_OTHER, REFUSED(REPORT_DATA_MISMATCH, "quote.body.reportdata")),
    BIND("ekm-other", EKM_OTHER, REFUSED(REPORT_DATA_MISMATCH, "quote.body.reportdata")),
    J("report-data-zero", S("td.reportdata=64x00"), REFUSED(REPORT_DATA_MISMATCH, "quote.body.reportdata")),
    J("report-data-echo-is-ignored", S("td.reportdata=64x00", "response.quote.report_data=\"00\""), REFUSED(REPORT_DATA_MISMATCH, "quote.body.reportdata")),
    /* boot chain and pins */
    J("bootchain-mrtd", S("td.mrtd=00", "policy.expected_bootchain.mrtd=\"" OTHER32 "ffffffffffffffffffffffffffffffff\""), REFUSED(BOOTCHAIN_MISMATCH, "mrtd")),
    J("bootchain-rtmr1", S("policy.expected_bootchain.rtmr1=\"" OTHER32 "ffffffffffffffffffffffffffffffff\""), REFUSED(BOOTCHAIN_MISMATCH, "rtmr1")),
    J("mrconfigid-v1", S(COMPOSE, "td.mrconfigid=01" COMPOSE_HASH), STATUS("UpToDate")),
    J("mrconfigid-v1-other", S("td.mrconfigid=01" OTHER32), REFUSED(APP_COMPOSE_HASH_MISMATCH, "mrconfigid")),
    J("mrconfigid-v2", S("td.mrconfigid=02" OTHER32), STATUS("UpToDate")),
    J("quote-first", S("quote.sig=bit", "log.compose-hash=" OTHER32), REFUSED(QUOTE_SIGNATURE, "quote.auth.signature")),
    /* policy: refused when it is read, before anything else happens */
    J("policy-unknown-member", S("policy.expected_bootchian={}"), REFUSED(CONFIGURATION, "expected_bootchian")),
    J("policy-status-unknown", S("policy.allowed_tcb_status=[\"Splendid\"]"), REFUSED(CONFIGURATION, "allowed_tcb_status[0]")),
    J("policy-revoked", S("policy.allowed_tcb_status=[\"UpToDate\",\"Revoked\"]"), REFUSED(CONFIGURATION, "allowed_tcb_status[1]")),
    J("policy-grace-without-outofdate", S("policy.allowed_tcb_status=[\"UpToDate\"]", "policy.grace_period=86400"), REFUSED(CONFIGURATION, "grace_period")),
    J("policy-upper-hex", S("policy.os_image_hash=\"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\""), REFUSED(CONFIGURATION, "os_image_hash")),
    J("policy-short-hex", S("policy.expected_bootchain.rtmr0=\"abc\""), REFUSED(CONFIGURATION, "expected_bootchain.rtmr0")),
    J("policy-missing-bootchain", S("-policy.expected_bootchain"), REFUSED(CONFIGURATION, "expected_bootchain")),
    J("policy-missing-compose", S("-policy.app_compose"), REFUSED(CONFIGURATION, "app_compose")),
    J("policy-missing-os-image", S("-policy.os_image_hash"), REFUSED(CONFIGURATION, "os_image_hash")),
    J("policy-bootchain-incomplete", S("-policy.expected_bootchain.rtmr2"), REFUSED(CONFIGURATION, "expected_bootchain.rtmr2")),
    J("policy-compose-twice", S("policy.app_compose_hash=\"" OTHER32 "\""), REFUSED(CONFIGURATION, "app_compose_hash")),
    J("policy-compose-hash", S(COMPOSE, "-policy.app_compose", "policy.app_compose_hash=\"" COMPOSE_HASH "\""), STATUS("UpToDate")),
    J("policy-compose-raw", S(COMPOSE, "-policy.app_compose", "policy.app_compose_raw=\"{}\""), STATUS("UpToDate")),
    J("policy-runtime-disabled", S("policy.disable_runtime_verification=true", "-policy.expected_bootchain", "-policy.app_compose", "-policy.os_image_hash"),
      STATUS_ALSO("UpToDate", not_runtime_verified)),
    {{"policy-runtime-disabled-cert-still-checked", SIM_TDX_V4, {"policy.disable_runtime_verification=true"}, REFUSED(CERTIFICATE_NOT_IN_EVENT_LOG, "event_log.New TLS Certificate")}, MISSING, SAME},
    /* grace: the TCB date is a day ago */
    J("grace-exact", S(OUT_OF_DATE, "policy.grace_period=86400"), STATUS("OutOfDate")),
    J("grace-plus-1", S(OUT_OF_DATE, "policy.grace_period=86399"), REFUSED(GRACE_PERIOD_EXPIRED, "tcb.date")),
    J("grace-overflow", S(OUT_OF_DATE, "policy.grace_period=9223372036854775808"), REFUSED(CONFIGURATION, "grace_period")),
    J("grace-largest", S(OUT_OF_DATE, "policy.grace_period=253402300799"), STATUS("OutOfDate")),
    J("grace-none", S(OUT_OF_DATE), STATUS("OutOfDate")),
};
/* clang-format on */

/* ---- one row ---- */

typedef struct session {
    sim *room;
    atls_arena arena;
    atls_policy *policy;
    atls_verifier *verifier;
    sim_tls tls;
    char leaf_hex[65];
    atls_appraisal in;
    appraised outcome; /* what case_check looks at */
} session;

static void must(bool ok, const char *what, const atls_error *err)
{
    if (!ok) {
        char line[512];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s: %s", what, line);
    }
}

/* The leaf does not depend on settings, so that one of them may name its hash. */
static void open_room(session *s, const row *r)
{
    char before_ready[256];
    const char *settings[CASE_MAX_SETTINGS + 2] = {NULL};
    sim_options options = {.kind = r->c.kind};
    size_t n = 0;
    if (r->measured == BEFORE_READY) {
        char hex_of_hex[129];
        atls_hex_encode(atls_bytes_str(s->leaf_hex), hex_of_hex);
        (void)snprintf(before_ready, sizeof before_ready, "log.before_ready=New TLS Certificate:%s", hex_of_hex);
        settings[n++] = before_ready;
    }
    for (size_t i = 0; i < CASE_MAX_SETTINGS && r->c.settings[i] != NULL; i++) {
        settings[n++] = r->c.settings[i];
    }
    options.settings = settings;
    must(sim_new(&options, &s->room, &s->outcome.err), "room", &s->outcome.err);
}

static void find_leaf(session *s)
{
    sim *honest = NULL;
    sim_options options = {0};
    must(sim_new(&options, &honest, &s->outcome.err), "room", &s->outcome.err);
    must(sim_tls_identity(honest, "server.test", &s->arena, &s->tls, &s->outcome.err), "TLS", &s->outcome.err);
    (void)SHA256(s->tls.leaf_der.ptr, s->tls.leaf_der.len, s->in.binding.leaf_sha256);
    s->in.binding.has_leaf_sha256 = true;
    atls_hex_encode(atls_bytes_of(s->in.binding.leaf_sha256, 32), s->leaf_hex);
    sim_free(honest);
}

static bool emit(session *s, const char *payload, size_t len)
{
    return sim_emit(s->room, "New TLS Certificate", atls_bytes_of(payload, len), &s->outcome.err);
}

static void measure(session *s, measured how)
{
    static const char other[] = "00000000000000000000000000000000000000000000000000000000000000ff";
    char text[66];
    bool ok = true;
    (void)snprintf(text, sizeof text, "%s\n", s->leaf_hex);
    switch (how) {
    case MEASURED:
        ok = sim_measure_certificate(s->room, s->tls.leaf_der, &s->outcome.err);
        break;
    case RENEWED:
        ok = emit(s, other, 64) && emit(s, text, 64);
        break;
    case OLD_LAST:
        ok = emit(s, text, 64) && emit(s, other, 64);
        break;
    case UPPER_HEX:
        for (size_t i = 0; i < 64; i++) {
            text[i] = (char)(text[i] >= 'a' ? text[i] - 32 : text[i]);
        }
        ok = emit(s, text, 64);
        break;
    case BINARY_32:
        ok = emit(s, (const char *)s->in.binding.leaf_sha256, 32);
        break;
    case WITH_NEWLINE:
        ok = emit(s, text, 65);
        break;
    case MISSING:
    case BEFORE_READY:
        break;
    }
    must(ok, "measure", &s->outcome.err);
}

/* exchange asks the room as a client would, and takes the answer apart. */
static void exchange(session *s, binding how)
{
    uint8_t nonce[32] = {1, 2, 3};
    uint8_t ekm[32] = {4, 5, 6};
    uint8_t report_data[64];
    atls_bytes body;
    atls_dstack_response response;
    atls_error *err = &s->outcome.err;
    must(atls_dstack_report_data(nonce, ekm, report_data, err), "report data", err);
    must(sim_response(s->room, report_data, &s->arena, &body, err), "response", err);
    must(atls_dstack_response_decode(body, &s->arena, &response, err), "response", err);
    s->in.evidence = response.quote;
    s->in.event_log = response.event_log;
    nonce[31] ^= how == NONCE_OTHER ? 1 : 0;
    ekm[0] ^= how == EKM_OTHER ? 1 : 0;
    must(atls_dstack_report_data(nonce, ekm, s->in.binding.value, err), "report data", err);
    s->in.binding.grade = ATLS_GRADE_EXPORTER;
    s->in.binding.profile = "dstack";
    s->in.now = sim_now(s->room);
    s->in.endorse = sim_endorse;
    s->in.endorse_ctx = s->room;
}

static void appraise(session *s, const row *r)
{
    atls_bytes text;
    atls_error *err = &s->outcome.err;
    must(sim_policy(s->room, "dstack_tdx", &s->arena, &text, err), "policy", err);
    if (!atls_policy_parse(text, &s->policy, err)) {
        return;
    }
    must(atls_verifier_new(s->policy, &s->verifier, err), "verifier", err);
    measure(s, r->measured);
    exchange(s, r->binding);
    s->outcome.accepted = again_appraise(s->verifier, &s->in, &s->arena, &s->outcome.result, err);
}

static void row_test(void **state)
{
    const row *r = *state;
    session s = {.outcome = {.grade = ATLS_GRADE_EXPORTER}};
    must(atls_arena_new(&s.arena, 2 * ATLS_ARENA_DEFAULT_SIZE, &s.outcome.err), "arena", &s.outcome.err);
    find_leaf(&s);
    open_room(&s, r);
    appraise(&s, r);
    case_check(&r->c, &s.outcome);
    atls_verifier_free(s.verifier);
    atls_policy_free(s.policy);
    sim_free(s.room);
    atls_arena_free(&s.arena);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        tap_add(&l, table[i].c.name, row_test, &table[i]);
    }
    return tap_run("cases J: dstack", &l);
}
