/* SPDX-License-Identifier: Apache-2.0 */
/* test_dstack_pins.c: what a policy may add and leave out: pins of app, instance and key provider and MRCONFIGID (R13),
 * and what disable_runtime_verification leaves (R14). */
#include "dstack_fixture.h"

static void compose_other(fix_scene *s)
{
    s->policy.dstack.compose_hash[31] ^= 1;
}

static void image_other(fix_scene *s)
{
    s->policy.dstack.os_image_hash[0] ^= 1;
}

static void other_rtmr0(fix_scene *s)
{
    s->policy.dstack.bootchain[1][0] ^= 1;
}

static void other_rtmr1(fix_scene *s)
{
    s->policy.dstack.bootchain[2][20] ^= 1;
}

static void cert_missing(fix_scene *s)
{
    fix_remove(&s->log, FIX_CERT);
}

static void no_bootchain(fix_scene *s)
{
    s->policy.dstack.has_bootchain = false;
}

static void no_compose(fix_scene *s)
{
    s->policy.dstack.has_compose_hash = false;
}

static void no_image(fix_scene *s)
{
    s->policy.dstack.has_os_image_hash = false;
}

/* ---- pins ---- */

static void pin_all(fix_scene *s)
{
    s->policy.dstack.app_id = atls_bytes_of(fix_app_id, sizeof fix_app_id);
    s->policy.dstack.instance_id = atls_bytes_of(fix_instance_id, sizeof fix_instance_id);
    s->policy.dstack.key_provider_name = atls_bytes_str("kms");
    s->policy.dstack.key_provider_id = atls_bytes_str("3059301306072a86");
}

static void pin_app_other(fix_scene *s)
{
    s->policy.dstack.app_id = atls_bytes_of(fix_instance_id, sizeof fix_instance_id);
}

static void pin_app_missing(fix_scene *s)
{
    pin_all(s);
    fix_remove(&s->log, FIX_APP_ID);
}

static void pin_app_twice(fix_scene *s)
{
    pin_all(s);
    fix_insert(&s->log, FIX_APP_ID, s->log.events[FIX_APP_ID]);
}

static void pin_instance_other(fix_scene *s)
{
    s->policy.dstack.instance_id = atls_bytes_of(fix_app_id, sizeof fix_app_id);
}

static void pin_instance_blank(fix_scene *s)
{
    pin_all(s);
    fix_set_text(&s->log.events[FIX_INSTANCE], "");
}

static void pin_provider_name(fix_scene *s)
{
    s->policy.dstack.key_provider_name = atls_bytes_str("local-sgx");
}

static void pin_provider_id(fix_scene *s)
{
    s->policy.dstack.key_provider_id = atls_bytes_str("3059");
}

static void provider_text(fix_scene *s, const char *text)
{
    pin_all(s);
    fix_set_text(&s->log.events[FIX_PROVIDER], text);
}

static void provider_garbage(fix_scene *s)
{
    provider_text(s, "kms");
}

static void provider_duplicate(fix_scene *s)
{
    provider_text(s, "{\"name\":\"none\",\"name\":\"kms\",\"id\":\"3059301306072a86\"}");
}

static void provider_no_name(fix_scene *s)
{
    provider_text(s, "{\"id\":\"3059301306072a86\"}");
}

static void provider_number(fix_scene *s)
{
    provider_text(s, "{\"name\":7,\"id\":\"3059301306072a86\"}");
}

static void provider_control(fix_scene *s)
{
    provider_text(s, "{\"name\":\"k\\u001b[31m\",\"id\":\"3059301306072a86\"}");
}

static void provider_missing(fix_scene *s)
{
    pin_all(s);
    fix_remove(&s->log, FIX_PROVIDER);
}

static void provider_twice(fix_scene *s)
{
    pin_all(s);
    fix_insert(&s->log, FIX_PROVIDER, s->log.events[FIX_PROVIDER]);
}

/* ---- MRCONFIGID ---- */

static void config_v1(fix_scene *s)
{
    s->td->mrconfigid[0] = 1;
    memcpy(s->td->mrconfigid + 1, fix_compose_hash, 32);
}

static void config_v1_other(fix_scene *s)
{
    config_v1(s);
    s->td->mrconfigid[32] ^= 1;
}

static void config_v1_tail(fix_scene *s)
{
    config_v1(s);
    s->td->mrconfigid[47] = 1;
}

static void config_v2(fix_scene *s)
{
    memset(s->td->mrconfigid, 2, 48);
}

/* ---- what is left out ---- */

static void disabled(fix_scene *s)
{
    s->policy.dstack.disable_runtime_verification = true;
}

static void disabled_everything_wrong(fix_scene *s)
{
    disabled(s);
    compose_other(s);
    image_other(s);
    other_rtmr0(s);
}

static void disabled_without_values(fix_scene *s)
{
    disabled(s);
    no_bootchain(s);
    no_compose(s);
    no_image(s);
}

static void disabled_cert_missing(fix_scene *s)
{
    disabled(s);
    cert_missing(s);
}

static void disabled_pinned(fix_scene *s)
{
    disabled(s);
    pin_app_other(s);
}

static void no_log(fix_scene *s)
{
    s->no_log = true;
}

static void no_log_disabled_offline(fix_scene *s)
{
    disabled(s);
    s->no_log = true;
    s->no_leaf = true;
}

#define CERT          ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG
#define CERT_FIELD    "event_log.New TLS Certificate"
#define COMP          ATLS_E_APP_COMPOSE_HASH_MISMATCH
#define PIN           ATLS_E_MEASUREMENT_MISMATCH
#define CONF          ATLS_E_CONFIGURATION
#define FIX_NOT_FOUND "<not found in event log>"
#define COMPOSE_HEX   "c001c002c003c004c005c006c007c008c009c00ac00bc00cc00dc00ec00fc010"

/* clang-format off */
static const fix_row rows[] = {
    /* name, before, quote, code, field, expected, actual, check, verdict */
    {"R13: all pins match", pin_all, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.key_provider_id", ATLS_CHECK_PASS},
    {"R13: another app-id", pin_app_other, NULL, PIN, "event_log.app-id", NULL, NULL, "dstack.app_id", ATLS_CHECK_FAIL},
    {"R13: no app-id", pin_app_missing, NULL, PIN, "event_log.app-id", NULL, FIX_NOT_FOUND, NULL, 0},
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
    {"R13: no key provider", provider_missing, NULL, PIN, "event_log.key-provider.name", "kms", FIX_NOT_FOUND, NULL, 0},
    {"R13: two key providers", provider_twice, NULL, PIN, "event_log.key-provider.name", "kms", "<found twice>", NULL, 0},

    {"R13: MRCONFIGID of zeros says nothing", NULL, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.mrconfigid", ATLS_CHECK_NOT_APPLICABLE},
    {"R13: MRCONFIGID version 1 with the compose hash", NULL, config_v1, ATLS_OK, NULL, NULL, NULL, "dstack.mrconfigid", ATLS_CHECK_PASS},
    {"R13: MRCONFIGID version 1 with another compose hash", NULL, config_v1_other, COMP, "mrconfigid", "01" COMPOSE_HEX "000000000000000000000000000000", NULL, "dstack.mrconfigid", ATLS_CHECK_FAIL},
    {"R13: MRCONFIGID version 1 with something after the hash", NULL, config_v1_tail, COMP, "mrconfigid", NULL, "01" COMPOSE_HEX "000000000000000000000000000001", NULL, 0},
    {"R13: MRCONFIGID version 2 does not apply", NULL, config_v2, ATLS_OK, NULL, NULL, NULL, "dstack.mrconfigid", ATLS_CHECK_NOT_APPLICABLE},

    {"R14: disabled: boot chain, compose and image are skipped", disabled_everything_wrong, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.compose_hash", ATLS_CHECK_SKIPPED},
    {"R14: disabled: nothing needs to be said", disabled_without_values, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.bootchain.rtmr2", ATLS_CHECK_SKIPPED},
    {"R14: disabled: the certificate still counts", disabled_cert_missing, NULL, CERT, CERT_FIELD, FIX_LEAF, FIX_NOT_FOUND, "dstack.os_image_hash", ATLS_CHECK_SKIPPED},
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

static void everything_wrong(fix_scene *s)
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
    fix_scene s = {0};
    fix_bench b;
    fix_bench_open(&b);
    assert_false(fix_play(&b, &s, everything_wrong, config_v1_tail));
    fix_expect(&b.err, CERT, CERT_FIELD, FIX_LEAF, FIX_NOT_FOUND);
    size_t n = sizeof wanted / sizeof wanted[0];
    assert_int_equal(b.trace.n, 5 + n); /* after the replay's five */
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(b.trace.items[5 + i].id, wanted[i].id);
        assert_int_equal(b.trace.items[5 + i].verdict, wanted[i].verdict);
    }
    fix_bench_close(&b);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, fix_run_row, &rows[i]);
    }
    tap_add(&l, "every mismatch is listed in order, the first is the error", order_of_checks, NULL);
    return tap_run("dstack_pins", &l);
}
