/* SPDX-License-Identifier: Apache-2.0 */
/* test_dstack_appraise.c: a replayed log against the policy: certificate event (R6), boot chain, compose and image hash
 * (R5), pins and MRCONFIGID (R13), and what a policy may leave out (R14). Every row goes the whole way: the guest
 * measures, the log is printed, read, replayed and judged. */
#include "base/json.h"
#include "dstack_fixture.h"

typedef struct scene {
    fix_log log;
    atls_policy policy;
    atls_td_report *td; /* of the quote; set when measured */
    bool no_leaf;
    bool no_log;
} scene;

typedef void (*change)(scene *s);

typedef struct row {
    const char *name;
    change before; /* the guest and the policy */
    change quote;  /* the quote, after measuring */
    atls_code code;
    const char *field;
    const char *expected; /* NULL: any */
    const char *actual;
    const char *check;          /* an entry of the trace, NULL: none is looked at .. */
    atls_check_verdict verdict; /* .. and what it must say */
} row;

/* ---- the path under test ---- */

static void play(fix_bench *b, scene *s, change before, change quote, bool *ok)
{
    uint8_t rtmr[4][48];
    uint8_t leaf[32];
    dstack_log log;
    static atls_claims claims;
    fix_honest(&s->log);
    fix_policy(&s->policy);
    if (before != NULL) {
        before(s);
    }
    fix_registers(&s->log, rtmr);
    fix_td(&claims, (const uint8_t(*)[48])rtmr);
    char *text = fix_print(&s->log);
    if (!s->no_log) {
        assert_true(dstack_log_decode(atls_bytes_str(text), &b->arena, &log, &b->err));
        assert_true(dstack_log_replay(b->crypto, &log, (const uint8_t(*)[48])claims.dcap.td.rtmr, &b->arena,
                                      &claims.log, &b->trace, &b->err));
    }
    s->td = &claims.dcap.td;
    if (quote != NULL) {
        quote(s);
    }
    assert_true(atls_hex_fixed(atls_bytes_str(FIX_LEAF), leaf, sizeof leaf));
    *ok = dstack_appraise(&claims, &s->policy, s->no_leaf ? NULL : leaf, &b->arena, &b->trace, &b->err);
    free(text);
}

static void run_row(void **state)
{
    const row *r = *state;
    scene s = {0};
    fix_bench b;
    bool ok;
    fix_bench_open(&b);
    play(&b, &s, r->before, r->quote, &ok);
    assert_int_equal(ok, r->code == ATLS_OK);
    if (!ok) {
        fix_expect(&b.err, r->code, r->field, r->expected, r->actual);
    } else {
        assert_int_equal(b.err.code, ATLS_OK);
    }
    if (r->check != NULL) {
        const atls_check *c = fix_check(&b, r->check);
        assert_non_null(c);
        assert_int_equal(c->verdict, r->verdict);
        assert_true(c->verdict == ATLS_CHECK_PASS || c->why[0] != '\0');
    }
    fix_bench_close(&b);
}

/* ---- certificate event ---- */

static void cert_missing(scene *s)
{
    fix_remove(&s->log, FIX_CERT);
}

static void cert_text(scene *s, const char *text)
{
    fix_set_text(&s->log.events[FIX_CERT], text);
}

static void cert_old_last(scene *s)
{
    char other[65] = FIX_LEAF;
    other[0] = 'f';
    fix_insert(&s->log, s->log.n, fix_runtime("New TLS Certificate", other, 64));
}

static void cert_renewed(scene *s)
{
    char other[65] = FIX_LEAF;
    other[0] = 'f';
    fix_insert(&s->log, FIX_CERT, fix_runtime("New TLS Certificate", other, 64));
}

static void cert_before_ready(scene *s)
{
    fix_swap(&s->log, FIX_READY, FIX_CERT);
}

static void cert_before_and_after(scene *s)
{
    char other[65] = FIX_LEAF;
    other[63] = 'a';
    fix_insert(&s->log, FIX_READY, fix_runtime("New TLS Certificate", other, 64));
}

static void cert_no_ready(scene *s)
{
    s->log.events[FIX_READY].name = "almost-ready";
}

static void cert_upper_hex(scene *s)
{
    char upper[65] = FIX_LEAF;
    for (char *c = upper; *c != '\0'; c++) {
        *c = *c >= 'a' ? (char)(*c - 'a' + 'A') : *c;
    }
    cert_text(s, upper);
}

static void cert_binary_32(scene *s)
{
    uint8_t leaf[32];
    assert_true(atls_hex_fixed(atls_bytes_str(FIX_LEAF), leaf, sizeof leaf));
    fix_set_payload(&s->log.events[FIX_CERT], leaf, sizeof leaf);
}

static void cert_cut(scene *s)
{
    fix_set_payload(&s->log.events[FIX_CERT], FIX_LEAF, 63);
}

static void cert_longer(scene *s)
{
    cert_text(s, FIX_LEAF "0");
}

static void cert_empty(scene *s)
{
    cert_text(s, "");
}

static void cert_then_garbage(scene *s)
{
    fix_insert(&s->log, s->log.n, fix_runtime("New TLS Certificate", "x", 1));
}

static void cert_other_name(scene *s)
{
    s->log.events[FIX_CERT].name = "new TLS certificate";
}

static void cert_skipped(scene *s)
{
    cert_missing(s);
    s->policy.dstack.insecure_skip_certificate_event = true;
}

static void offline(scene *s)
{
    cert_missing(s);
    s->no_leaf = true;
}

/* ---- boot chain ---- */

static void other_mrtd(scene *s)
{
    s->td->mrtd[47] ^= 1;
}

static void other_rtmr0(scene *s)
{
    s->policy.dstack.bootchain[1][0] ^= 1;
}

static void other_rtmr1(scene *s)
{
    s->policy.dstack.bootchain[2][20] ^= 1;
}

static void other_rtmr2(scene *s)
{
    s->policy.dstack.bootchain[3][47] ^= 0x80;
}

static void no_bootchain(scene *s)
{
    s->policy.dstack.has_bootchain = false;
}

static void no_compose(scene *s)
{
    s->policy.dstack.has_compose_hash = false;
}

static void no_image(scene *s)
{
    s->policy.dstack.has_os_image_hash = false;
}

/* ---- events before system-ready ---- */

static void compose_other(scene *s)
{
    s->policy.dstack.compose_hash[31] ^= 1;
}

static void compose_missing(scene *s)
{
    fix_remove(&s->log, FIX_COMPOSE);
}

static void compose_twice(scene *s)
{
    fix_insert(&s->log, FIX_COMPOSE, s->log.events[FIX_COMPOSE]);
}

static void compose_thrice(scene *s)
{
    compose_twice(s);
    compose_twice(s);
}

static void compose_after_ready(scene *s)
{
    fix_insert(&s->log, s->log.n, fix_runtime("compose-hash", "x", 1));
}

static void compose_only_after_ready(scene *s)
{
    fix_event e = s->log.events[FIX_COMPOSE];
    fix_remove(&s->log, FIX_COMPOSE);
    fix_insert(&s->log, s->log.n, e);
}

static void compose_cut(scene *s)
{
    s->log.events[FIX_COMPOSE].payload_len = 31;
}

static void compose_as_hex_text(scene *s)
{
    char hex[65];
    fix_hex(fix_compose_hash, 32, hex);
    fix_set_text(&s->log.events[FIX_COMPOSE], hex);
}

static void boot_relabel(scene *s)
{
    compose_missing(s);
    s->log.events[FIX_BOOT0].name = "compose-hash";
    fix_set_payload(&s->log.events[FIX_BOOT0], fix_compose_hash, sizeof fix_compose_hash);
}

static void compose_unready(scene *s)
{
    s->no_leaf = true;
    fix_remove(&s->log, FIX_READY);
}

static void image_other(scene *s)
{
    s->policy.dstack.os_image_hash[0] ^= 1;
}

static void image_missing(scene *s)
{
    fix_remove(&s->log, FIX_IMAGE);
}

static void image_twice(scene *s)
{
    fix_insert(&s->log, FIX_IMAGE, s->log.events[FIX_IMAGE]);
}

/* ---- pins ---- */

static void pin_all(scene *s)
{
    s->policy.dstack.app_id = atls_bytes_of(fix_app_id, sizeof fix_app_id);
    s->policy.dstack.instance_id = atls_bytes_of(fix_instance_id, sizeof fix_instance_id);
    s->policy.dstack.key_provider_name = atls_bytes_str("kms");
    s->policy.dstack.key_provider_id = atls_bytes_str("3059301306072a86");
}

static void pin_app_other(scene *s)
{
    s->policy.dstack.app_id = atls_bytes_of(fix_instance_id, sizeof fix_instance_id);
}

static void pin_app_missing(scene *s)
{
    pin_all(s);
    fix_remove(&s->log, FIX_APP_ID);
}

static void pin_app_twice(scene *s)
{
    pin_all(s);
    fix_insert(&s->log, FIX_APP_ID, s->log.events[FIX_APP_ID]);
}

static void pin_instance_other(scene *s)
{
    s->policy.dstack.instance_id = atls_bytes_of(fix_app_id, sizeof fix_app_id);
}

static void pin_instance_blank(scene *s)
{
    pin_all(s);
    fix_set_text(&s->log.events[FIX_INSTANCE], "");
}

static void pin_provider_name(scene *s)
{
    s->policy.dstack.key_provider_name = atls_bytes_str("local-sgx");
}

static void pin_provider_id(scene *s)
{
    s->policy.dstack.key_provider_id = atls_bytes_str("3059");
}

static void provider_text(scene *s, const char *text)
{
    pin_all(s);
    fix_set_text(&s->log.events[FIX_PROVIDER], text);
}

static void provider_garbage(scene *s)
{
    provider_text(s, "kms");
}

static void provider_duplicate(scene *s)
{
    provider_text(s, "{\"name\":\"none\",\"name\":\"kms\",\"id\":\"3059301306072a86\"}");
}

static void provider_no_name(scene *s)
{
    provider_text(s, "{\"id\":\"3059301306072a86\"}");
}

static void provider_number(scene *s)
{
    provider_text(s, "{\"name\":7,\"id\":\"3059301306072a86\"}");
}

static void provider_control(scene *s)
{
    provider_text(s, "{\"name\":\"k\\u001b[31m\",\"id\":\"3059301306072a86\"}");
}

static void provider_missing(scene *s)
{
    pin_all(s);
    fix_remove(&s->log, FIX_PROVIDER);
}

static void provider_twice(scene *s)
{
    pin_all(s);
    fix_insert(&s->log, FIX_PROVIDER, s->log.events[FIX_PROVIDER]);
}

/* ---- MRCONFIGID ---- */

static void config_v1(scene *s)
{
    s->td->mrconfigid[0] = 1;
    memcpy(s->td->mrconfigid + 1, fix_compose_hash, 32);
}

static void config_v1_other(scene *s)
{
    config_v1(s);
    s->td->mrconfigid[32] ^= 1;
}

static void config_v1_tail(scene *s)
{
    config_v1(s);
    s->td->mrconfigid[47] = 1;
}

static void config_v2(scene *s)
{
    memset(s->td->mrconfigid, 2, 48);
}

/* ---- what is left out ---- */

static void disabled(scene *s)
{
    s->policy.dstack.disable_runtime_verification = true;
}

static void disabled_everything_wrong(scene *s)
{
    disabled(s);
    compose_other(s);
    image_other(s);
    other_rtmr0(s);
}

static void disabled_without_values(scene *s)
{
    disabled(s);
    no_bootchain(s);
    no_compose(s);
    no_image(s);
}

static void disabled_cert_missing(scene *s)
{
    disabled(s);
    cert_missing(s);
}

static void disabled_pinned(scene *s)
{
    disabled(s);
    pin_app_other(s);
}

static void no_log(scene *s)
{
    s->no_log = true;
}

static void no_log_disabled_offline(scene *s)
{
    disabled(s);
    s->no_log = true;
    s->no_leaf = true;
}

#define CERT        ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG
#define CERT_FIELD  "event_log.New TLS Certificate"
#define BOOT        ATLS_E_BOOTCHAIN_MISMATCH
#define COMP        ATLS_E_APP_COMPOSE_HASH_MISMATCH
#define COMP_FIELD  "event_log.compose-hash"
#define IMAGE       ATLS_E_OS_IMAGE_HASH_MISMATCH
#define IMAGE_FIELD "event_log.os-image-hash"
#define PIN         ATLS_E_MEASUREMENT_MISMATCH
#define CONF        ATLS_E_CONFIGURATION
#define NOT_FOUND   "<not found in event log>"
#define COMPOSE_HEX "c001c002c003c004c005c006c007c008c009c00ac00bc00cc00dc00ec00fc010"
#define LEAF_F      "fe4b2a7d3c5f6e8190a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f607"

/* clang-format off */
static const row rows[] = {
    /* name, before, quote, code, field, expected, actual, check, verdict */
    {"the honest guest is accepted", NULL, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.certificate_event", ATLS_CHECK_PASS},

    {"R6: cert-missing", cert_missing, NULL, CERT, CERT_FIELD, FIX_LEAF, NOT_FOUND, "dstack.certificate_event", ATLS_CHECK_FAIL},
    {"R6: cert-old-last: the last certificate is another", cert_old_last, NULL, CERT, CERT_FIELD, FIX_LEAF, LEAF_F, NULL, 0},
    {"R6: cert-renewed: earlier certificates are allowed", cert_renewed, NULL, ATLS_OK, NULL, NULL, NULL, NULL, 0},
    {"R6: cert-before-ready does not count", cert_before_ready, NULL, CERT, CERT_FIELD, FIX_LEAF, NOT_FOUND, NULL, 0},
    {"R6: one before system-ready does not disturb the one after", cert_before_and_after, NULL, ATLS_OK, NULL, NULL, NULL, NULL, 0},
    {"R6: without system-ready no certificate counts", cert_no_ready, NULL, CERT, CERT_FIELD, FIX_LEAF, NOT_FOUND, NULL, 0},
    {"R6: cert-upper-hex", cert_upper_hex, NULL, CERT, CERT_FIELD, FIX_LEAF, "<not 64 lower-case hex digits>", NULL, 0},
    {"R6: cert-binary-32", cert_binary_32, NULL, CERT, CERT_FIELD, FIX_LEAF, "<not 64 lower-case hex digits>", NULL, 0},
    {"R6: 63 digits", cert_cut, NULL, CERT, CERT_FIELD, FIX_LEAF, "<not 64 lower-case hex digits>", NULL, 0},
    {"R6: 65 digits", cert_longer, NULL, CERT, CERT_FIELD, FIX_LEAF, "<not 64 lower-case hex digits>", NULL, 0},
    {"R6: an empty payload", cert_empty, NULL, CERT, CERT_FIELD, FIX_LEAF, NULL, NULL, 0},
    {"R6: the last one counts even when it is garbage", cert_then_garbage, NULL, CERT, CERT_FIELD, FIX_LEAF, "<not 64 lower-case hex digits>", NULL, 0},
    {"R6: the name is exact", cert_other_name, NULL, CERT, CERT_FIELD, FIX_LEAF, NOT_FOUND, NULL, 0},
    {"R6: insecure_skip_certificate_event is a skipped check", cert_skipped, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.certificate_event", ATLS_CHECK_SKIPPED},
    {"R6: offline, without a leaf, it is a skipped check", offline, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.certificate_event", ATLS_CHECK_SKIPPED},

    {"boot chain: mrtd", NULL, other_mrtd, BOOT, "mrtd", NULL, NULL, "dstack.bootchain.mrtd", ATLS_CHECK_FAIL},
    {"boot chain: rtmr0", other_rtmr0, NULL, BOOT, "rtmr0", NULL, NULL, "dstack.bootchain.rtmr0", ATLS_CHECK_FAIL},
    {"boot chain: rtmr1", other_rtmr1, NULL, BOOT, "rtmr1", NULL, NULL, "dstack.bootchain.rtmr1", ATLS_CHECK_FAIL},
    {"boot chain: rtmr2", other_rtmr2, NULL, BOOT, "rtmr2", NULL, NULL, "dstack.bootchain.rtmr2", ATLS_CHECK_FAIL},

    {"compose: another application", compose_other, NULL, COMP, COMP_FIELD, NULL, COMPOSE_HEX, "dstack.compose_hash", ATLS_CHECK_FAIL},
    {"R5: compose missing", compose_missing, NULL, COMP, COMP_FIELD, COMPOSE_HEX, NOT_FOUND, NULL, 0},
    {"R5: compose-twice, the same both times", compose_twice, NULL, COMP, COMP_FIELD, COMPOSE_HEX, "<found twice>", NULL, 0},
    {"R5: compose three times", compose_thrice, NULL, COMP, COMP_FIELD, COMPOSE_HEX, "<found 3 times>", NULL, 0},
    {"R5: event-after-ready: the boot value is used", compose_after_ready, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.compose_hash", ATLS_CHECK_PASS},
    {"R5: only after system-ready is not at all", compose_only_after_ready, NULL, COMP, COMP_FIELD, COMPOSE_HEX, NOT_FOUND, NULL, 0},
    {"R5: no system-ready, no compose hash", compose_unready, NULL, COMP, COMP_FIELD, COMPOSE_HEX, NOT_FOUND, "dstack.os_image_hash", ATLS_CHECK_FAIL},
    {"compose: 31 bytes of the right hash", compose_cut, NULL, COMP, COMP_FIELD, COMPOSE_HEX, NULL, NULL, 0},
    {"compose: the right hash as text", compose_as_hex_text, NULL, COMP, COMP_FIELD, COMPOSE_HEX, NULL, NULL, 0},
    {"R3: boot-relabel: a boot event is no compose-hash", boot_relabel, NULL, COMP, COMP_FIELD, COMPOSE_HEX, NOT_FOUND, NULL, 0},
    {"image: another image", image_other, NULL, IMAGE, IMAGE_FIELD, NULL, NULL, "dstack.os_image_hash", ATLS_CHECK_FAIL},
    {"R5: image missing", image_missing, NULL, IMAGE, IMAGE_FIELD, NULL, NOT_FOUND, NULL, 0},
    {"R5: image twice", image_twice, NULL, IMAGE, IMAGE_FIELD, NULL, "<found twice>", NULL, 0},

    {"R13: all pins match", pin_all, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.key_provider_id", ATLS_CHECK_PASS},
    {"R13: another app-id", pin_app_other, NULL, PIN, "event_log.app-id", NULL, NULL, "dstack.app_id", ATLS_CHECK_FAIL},
    {"R13: no app-id", pin_app_missing, NULL, PIN, "event_log.app-id", NULL, NOT_FOUND, NULL, 0},
    {"R13: two app-ids", pin_app_twice, NULL, PIN, "event_log.app-id", NULL, "<found twice>", NULL, 0},
    {"R13: another instance-id", pin_instance_other, NULL, PIN, "event_log.instance-id", NULL, NULL, "dstack.instance_id", ATLS_CHECK_FAIL},
    {"R13: an instance-id that is blank", pin_instance_blank, NULL, PIN, "event_log.instance-id", NULL, "", NULL, 0},
    {"R13: another key provider", pin_provider_name, NULL, PIN, "event_log.key-provider.name", "local-sgx", "kms", "dstack.key_provider_name", ATLS_CHECK_FAIL},
    {"R13: another id of the key provider", pin_provider_id, NULL, PIN, "event_log.key-provider.id", "3059", "3059301306072a86", "dstack.key_provider_id", ATLS_CHECK_FAIL},
    {"R13: a key provider that is no JSON", provider_garbage, NULL, PIN, "event_log.key-provider.name", "kms", "<no such text in the event>", NULL, 0},
    {"R13: a key provider that says its name twice", provider_duplicate, NULL, PIN, "event_log.key-provider.name", "kms", "<no such text in the event>", NULL, 0},
    {"R13: a key provider without a name", provider_no_name, NULL, PIN, "event_log.key-provider.name", "kms", "<no such text in the event>", NULL, 0},
    {"R13: a key provider whose name is a number", provider_number, NULL, PIN, "event_log.key-provider.name", "kms", "<no such text in the event>", NULL, 0},
    {"R13: control characters are shown as hex", provider_control, NULL, PIN, "event_log.key-provider.name", "kms", "6b1b5b33316d", NULL, 0},
    {"R13: no key provider", provider_missing, NULL, PIN, "event_log.key-provider.name", "kms", NOT_FOUND, NULL, 0},
    {"R13: two key providers", provider_twice, NULL, PIN, "event_log.key-provider.name", "kms", "<found twice>", NULL, 0},

    {"R13: MRCONFIGID of zeros says nothing", NULL, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.mrconfigid", ATLS_CHECK_NOT_APPLICABLE},
    {"R13: MRCONFIGID version 1 with the compose hash", NULL, config_v1, ATLS_OK, NULL, NULL, NULL, "dstack.mrconfigid", ATLS_CHECK_PASS},
    {"R13: MRCONFIGID version 1 with another compose hash", NULL, config_v1_other, COMP, "mrconfigid", "01" COMPOSE_HEX "000000000000000000000000000000", NULL, "dstack.mrconfigid", ATLS_CHECK_FAIL},
    {"R13: MRCONFIGID version 1 with something after the hash", NULL, config_v1_tail, COMP, "mrconfigid", NULL, "01" COMPOSE_HEX "000000000000000000000000000001", NULL, 0},
    {"R13: MRCONFIGID version 2 does not apply", NULL, config_v2, ATLS_OK, NULL, NULL, NULL, "dstack.mrconfigid", ATLS_CHECK_NOT_APPLICABLE},

    {"R14: disabled: boot chain, compose and image are skipped", disabled_everything_wrong, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.compose_hash", ATLS_CHECK_SKIPPED},
    {"R14: disabled: nothing needs to be said", disabled_without_values, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.bootchain.rtmr2", ATLS_CHECK_SKIPPED},
    {"R14: disabled: the certificate still counts", disabled_cert_missing, NULL, CERT, CERT_FIELD, FIX_LEAF, NOT_FOUND, "dstack.os_image_hash", ATLS_CHECK_SKIPPED},
    {"R14: disabled: pins still count", disabled_pinned, NULL, PIN, "event_log.app-id", NULL, NULL, NULL, 0},
    {"R14: disabled: MRCONFIGID is part of the compose check", disabled, config_v1_other, ATLS_OK, NULL, NULL, NULL, NULL, 0},
    {"a policy without boot chain accepts nothing", no_bootchain, NULL, CONF, "expected_bootchain", NULL, NULL, NULL, 0},
    {"a policy without compose hash accepts nothing", no_compose, NULL, CONF, "app_compose", NULL, NULL, NULL, 0},
    {"a policy without image hash accepts nothing", no_image, NULL, CONF, "os_image_hash", NULL, NULL, NULL, 0},
    {"no log, no yes", no_log, NULL, ATLS_E_EVENT_LOG_PARSE, "event_log", "an event log", "none", "dstack.event_log", ATLS_CHECK_FAIL},
    {"R14: no log, no yes, whatever else is left out", no_log_disabled_offline, NULL, ATLS_E_EVENT_LOG_PARSE, "event_log", "an event log", "none", NULL, 0},
};
/* clang-format on */

/* ---- order ---- */

static void everything_wrong(scene *s)
{
    cert_missing(s);
    s->policy.dstack.bootchain[0][0] ^= 1;
    other_rtmr1(s);
    compose_other(s);
    image_other(s);
    pin_app_other(s);
    pin_provider_name(s);
}

/* Every mismatch is listed in the order of section 5, the first one is the error. */
static void order_of_checks(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        atls_check_verdict verdict;
    } wanted[] = {
        {"dstack.certificate_event", ATLS_CHECK_FAIL}, {"dstack.bootchain.mrtd", ATLS_CHECK_FAIL},
        {"dstack.bootchain.rtmr0", ATLS_CHECK_PASS},   {"dstack.bootchain.rtmr1", ATLS_CHECK_FAIL},
        {"dstack.bootchain.rtmr2", ATLS_CHECK_PASS},   {"dstack.compose_hash", ATLS_CHECK_FAIL},
        {"dstack.os_image_hash", ATLS_CHECK_FAIL},     {"dstack.app_id", ATLS_CHECK_FAIL},
        {"dstack.key_provider_name", ATLS_CHECK_FAIL}, {"dstack.mrconfigid", ATLS_CHECK_FAIL},
    };
    scene s = {0};
    fix_bench b;
    bool ok;
    fix_bench_open(&b);
    play(&b, &s, everything_wrong, config_v1_tail, &ok);
    assert_false(ok);
    fix_expect(&b.err, CERT, CERT_FIELD, FIX_LEAF, NOT_FOUND);
    size_t n = sizeof wanted / sizeof wanted[0];
    assert_int_equal(b.trace.n, 5 + n); /* after the replay's five */
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(b.trace.items[5 + i].id, wanted[i].id);
        assert_int_equal(b.trace.items[5 + i].verdict, wanted[i].verdict);
    }
    fix_bench_close(&b);
}

/* An appraisal that failed before goes on listing, and stays failed. */
static void earlier_failure(void **state)
{
    (void)state;
    scene s = {0};
    fix_bench b;
    bool ok;
    fix_bench_open(&b);
    play(&b, &s, NULL, NULL, &ok);
    assert_true(ok);
    fix_bench_clear(&b);
    atls_claims claims = {0};
    claims.log.present = true;
    (void)atls_fail(&b.err, ATLS_E_TCB_STATUS_NOT_ALLOWED, "tcb.status", "an earlier check");
    s.policy.dstack.disable_runtime_verification = true;
    assert_false(dstack_appraise(&claims, &s.policy, NULL, &b.arena, &b.trace, &b.err));
    fix_expect(&b.err, ATLS_E_TCB_STATUS_NOT_ALLOWED, "tcb.status", NULL, NULL);
    fix_bench_close(&b);
}

/* A list of checks that is full must not end in a yes. */
static void full_trace(void **state)
{
    (void)state;
    scene s = {0};
    fix_bench b;
    bool ok;
    fix_bench_open(&b);
    b.trace.cap = 9; /* the replay's five, and some */
    play(&b, &s, NULL, NULL, &ok);
    assert_false(ok);
    assert_int_equal(b.err.code, ATLS_E_LIMIT);
    fix_bench_close(&b);
}

/* ---- section 8: the real log against a complete policy ---- */

static const char *const real_values[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2"};

static void real_claims(fix_bench *b, atls_claims *claims, atls_policy *p)
{
    uint8_t rtmr[4][48];
    uint8_t mrtd[48];
    atls_dstack_response response;
    dstack_log log;
    atls_bytes file = fix_file(b, "dcap/dstack-full-log/getquote.json");
    const atls_json *expected = atls_json_find(fix_vector(b, "dstack-full-log"), "expected");
    const atls_json *fields = atls_json_find(expected, "quote_fields");
    assert_true(atls_json_member_hex(fields, "", "mrtd", mrtd, 48, &b->err));
    assert_true(atls_json_member_hex(fields, "", "rtmr3", rtmr[3], 48, &b->err));
    *p = (atls_policy){.type = ATLS_POLICY_DSTACK_TDX};
    for (size_t i = 0; i < 4; i++) {
        assert_true(atls_json_member_hex(fields, "", real_values[i], p->dstack.bootchain[i], 48, &b->err));
    }
    memcpy(rtmr, p->dstack.bootchain[1], sizeof rtmr[0] * 3);
    assert_true(atls_json_member_hex(expected, "", "compose_hash", p->dstack.compose_hash, 32, &b->err));
    p->dstack.has_bootchain = p->dstack.has_compose_hash = p->dstack.has_os_image_hash = true;
    fix_td(claims, (const uint8_t(*)[48])rtmr);
    memcpy(claims->dcap.td.mrtd, mrtd, 48);
    assert_true(atls_dstack_response_decode(file, &b->arena, &response, &b->err));
    assert_true(dstack_log_decode(response.event_log, &b->arena, &log, &b->err));
    assert_true(
        dstack_log_replay(b->crypto, &log, (const uint8_t(*)[48])rtmr, &b->arena, &claims->log, &b->trace, &b->err));
}

static void real_log(void **state)
{
    (void)state;
    fix_bench b;
    atls_claims claims;
    atls_policy p;
    uint8_t leaf[32] = {1};
    fix_bench_open(&b);
    real_claims(&b, &claims, &p);
    assert_false(dstack_appraise(&claims, &p, leaf, &b.arena, &b.trace, &b.err));
    fix_expect(&b.err, CERT, CERT_FIELD, NULL, NOT_FOUND);
    p.dstack.insecure_skip_certificate_event = true;
    atls_error_clear(&b.err);
    b.trace.n = 0;
    assert_false(dstack_appraise(&claims, &p, leaf, &b.arena, &b.trace, &b.err));
    fix_expect(&b.err, IMAGE, IMAGE_FIELD, NULL, NOT_FOUND);
    static const char *const passed[] = {"dstack.bootchain.mrtd", "dstack.bootchain.rtmr0", "dstack.bootchain.rtmr1",
                                         "dstack.bootchain.rtmr2", "dstack.compose_hash"};
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        assert_int_equal(fix_check(&b, passed[i])->verdict, ATLS_CHECK_PASS);
    }
    fix_bench_close(&b);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run_row, &rows[i]);
    }
    tap_add(&l, "every mismatch is listed in order, the first is the error", order_of_checks, NULL);
    tap_add(&l, "an appraisal that failed before stays failed", earlier_failure, NULL);
    tap_add(&l, "a full list of checks is no yes", full_trace, NULL);
    tap_add(&l, "real: dstack-full-log lacks a certificate, then an image; all else matches", real_log, NULL);
    return tap_run("dstack_appraise", &l);
}
