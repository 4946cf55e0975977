/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: the claims of a replayed log, and the boot chain of its quote, against the policy, in the order of
 * section 5.
 *
 * Every mismatch is listed and the first one is the error. Whatever the policy leaves out becomes a skipped check that
 * says so; a policy that should have said something and did not is refused, never understood as "anything". */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "judge.h"
#include "log.h"

#define NOT_FOUND      "<not found in event log>"
#define HASH_LEN       ((size_t)32)
#define MAX_SHOWN_TEXT 120u /* fits into atls_error.actual */

static const char why_disabled[] =
    "the policy sets disable_runtime_verification: what runs there is unknown, only that it is some TDX machine";

static const char *hex(atls_judge *j, atls_bytes value)
{
    return atls_judge_hex(j, value.ptr, value.len);
}

/* hex of something whose length the log chose */
static const char *hex_cut(atls_judge *j, atls_bytes value)
{
    size_t len = value.len < MAX_SHOWN_TEXT / 2 ? value.len : MAX_SHOWN_TEXT / 2;
    return hex(j, atls_bytes_of(value.ptr, len));
}

/* Text of a log, for people: as it is when it is short and printable, hex otherwise. */
static const char *shown(atls_judge *j, atls_bytes value)
{
    bool plain = value.len <= MAX_SHOWN_TEXT;
    for (size_t i = 0; plain && i < value.len; i++) {
        plain = value.ptr[i] >= 0x20 && value.ptr[i] <= 0x7e;
    }
    if (!plain) {
        return hex_cut(j, value);
    }
    return atls_judge_text(j, atls_text_copy(value, j->arena, j->err));
}

/* ---- certificate event (R6) ---- */

static void check_certificate(atls_judge *j, const uint8_t *leaf_sha256)
{
    static const char id[] = "dstack.certificate_event";
    static const char field[] = "event_log.New TLS Certificate";
    if (j->policy->dstack.insecure_skip_certificate_event) {
        atls_judge_skip(j, id, field,
                        "the policy sets insecure_skip_certificate_event: nothing ties the certificate to the log");
        return;
    }
    if (leaf_sha256 == NULL) {
        atls_judge_skip(j, id, field, "no certificate of a peer is known: there was no connection, or it has none");
        return;
    }
    char leaf[2 * HASH_LEN + 1];
    atls_bytes found = j->claims->log.certificate;
    bool is_form = found.len == 2 * HASH_LEN && atls_is_lower_hex(found);
    atls_hex_encode(atls_bytes_of(leaf_sha256, HASH_LEN), leaf);
    bool same = is_form && atls_bytes_equal(found, atls_bytes_str(leaf));
    const char *actual = found.len == 0 ? NOT_FOUND : is_form ? shown(j, found) : "<not 64 lower-case hex digits>";
    atls_judge_compare(j, same, id, ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG, field, shown(j, atls_bytes_str(leaf)), actual,
                       "the last certificate event after system-ready does not name the peer's certificate");
}

/* ---- boot chain ---- */

static const struct {
    const char *id;
    const char *field;
} boot_parts[4] = {
    {"dstack.bootchain.mrtd", "mrtd"},
    {"dstack.bootchain.rtmr0", "rtmr0"},
    {"dstack.bootchain.rtmr1", "rtmr1"},
    {"dstack.bootchain.rtmr2", "rtmr2"},
};

static void check_bootchain(atls_judge *j)
{
    for (size_t i = 0; i < 4; i++) {
        const uint8_t *quoted = i == 0 ? j->claims->dcap.td.mrtd : j->claims->dcap.td.rtmr[i - 1];
        atls_bytes expected = atls_bytes_of(j->policy->dstack.bootchain[i], 48);
        atls_bytes actual = atls_bytes_of(quoted, 48);
        atls_judge_compare(j, atls_bytes_equal(expected, actual), boot_parts[i].id, ATLS_E_BOOTCHAIN_MISMATCH,
                           boot_parts[i].field, hex(j, expected), hex(j, actual), NULL);
    }
}

/* ---- events from before system-ready (R5) ---- */

typedef struct boot_claim {
    const char *id;
    const char *field;
    atls_code code;
    atls_bytes value;
    uint8_t n;
} boot_claim;

/* What stands for the value of a claim that is not there exactly once; NULL when it is. */
static const char *missing(atls_judge *j, const boot_claim *c)
{
    if (c->n == 0) {
        return NOT_FOUND;
    }
    if (c->n == 1) {
        return NULL;
    }
    if (c->n == 2) {
        return "<found twice>";
    }
    return atls_judge_text(j, atls_text_format(j->arena, j->err, "<found %u times>", (unsigned)c->n));
}

static void compare_claim(atls_judge *j, const boot_claim *c, atls_bytes expected)
{
    const char *absent = missing(j, c);
    bool same = absent == NULL && atls_bytes_equal(c->value, expected);
    const char *actual = absent != NULL ? absent : hex_cut(j, c->value);
    const char *why = j->claims->log.system_ready
                          ? "the event before system-ready is not the one that is expected"
                          : "the log has no system-ready event: nothing in it is known to be of the guest";
    atls_judge_compare(j, same, c->id, c->code, c->field, hex(j, expected), actual, why);
}

/* ---- MRCONFIGID (R13) ---- */

/* Version 1 of MRCONFIGID is the compose hash once more, set by the host and measured by the TDX module. */
static void check_mrconfigid(atls_judge *j)
{
    static const char id[] = "dstack.mrconfigid";
    static const char field[] = "mrconfigid";
    uint8_t expected[48] = {1};
    atls_bytes actual = atls_bytes_of(j->claims->dcap.td.mrconfigid, sizeof j->claims->dcap.td.mrconfigid);
    if (j->claims->dcap.td.mrconfigid[0] != 1) {
        atls_judge_na(j, id, field, "it is not of version 1, which holds a compose hash");
        return;
    }
    memcpy(expected + 1, j->policy->dstack.compose_hash, HASH_LEN);
    atls_bytes want = atls_bytes_of(expected, sizeof expected);
    atls_judge_compare(j, atls_bytes_equal(want, actual), id, ATLS_E_APP_COMPOSE_HASH_MISMATCH, field, hex(j, want),
                       hex(j, actual), "the configuration that the TDX module measured names another application");
}

/* ---- what runtime verification is (R14) ---- */

static void skip_runtime(atls_judge *j)
{
    for (size_t i = 0; i < 4; i++) {
        atls_judge_skip(j, boot_parts[i].id, boot_parts[i].field, why_disabled);
    }
    atls_judge_skip(j, "dstack.compose_hash", "event_log.compose-hash", why_disabled);
    atls_judge_skip(j, "dstack.os_image_hash", "event_log.os-image-hash", why_disabled);
}

/* The reader of policies asks for all three; one that slipped through must not accept everything. */
static bool require(atls_judge *j, bool has, const char *id, const char *field)
{
    if (!has) {
        atls_judge_compare(j, false, id, ATLS_E_CONFIGURATION, field, "a reference value", "none",
                           "the policy has no reference value and does not set disable_runtime_verification");
    }
    return has;
}

static void check_runtime(atls_judge *j)
{
    if (j->policy->dstack.disable_runtime_verification) {
        skip_runtime(j);
        return;
    }
    if (require(j, j->policy->dstack.has_bootchain, "dstack.bootchain.mrtd", "expected_bootchain")) {
        check_bootchain(j);
    }
    if (require(j, j->policy->dstack.has_compose_hash, "dstack.compose_hash", "app_compose")) {
        const boot_claim c = {"dstack.compose_hash", "event_log.compose-hash", ATLS_E_APP_COMPOSE_HASH_MISMATCH,
                              j->claims->log.compose_hash, j->claims->log.n_compose_hash};
        compare_claim(j, &c, atls_bytes_of(j->policy->dstack.compose_hash, HASH_LEN));
    }
    if (require(j, j->policy->dstack.has_os_image_hash, "dstack.os_image_hash", "os_image_hash")) {
        const boot_claim c = {"dstack.os_image_hash", "event_log.os-image-hash", ATLS_E_OS_IMAGE_HASH_MISMATCH,
                              j->claims->log.os_image_hash, j->claims->log.n_os_image_hash};
        compare_claim(j, &c, atls_bytes_of(j->policy->dstack.os_image_hash, HASH_LEN));
    }
}

/* ---- pins (R13) ---- */

static void pin_bytes(atls_judge *j, const char *id, const char *field, atls_bytes pin, atls_bytes value, uint8_t n)
{
    const boot_claim c = {id, field, ATLS_E_MEASUREMENT_MISMATCH, value, n};
    if (pin.len != 0) {
        compare_claim(j, &c, pin);
    }
}

/* The key provider's payload is JSON; nobody checked it before, so a malformed one is a mismatch like any other. */
static const atls_json *parse_provider(atls_judge *j)
{
    const atls_json *provider;
    atls_error ignored = {.code = ATLS_OK};
    if (!atls_json_parse(j->claims->log.key_provider, "event_log.key-provider", j->arena, &provider, &ignored)) {
        return NULL;
    }
    return provider;
}

static void pin_member(atls_judge *j, const char *id, const char *field, const char *member, atls_bytes pin)
{
    const boot_claim c = {id, field, ATLS_E_MEASUREMENT_MISMATCH, j->claims->log.key_provider,
                          j->claims->log.n_key_provider};
    if (pin.len == 0) {
        return;
    }
    const char *absent = missing(j, &c);
    const atls_json *value = absent == NULL ? atls_json_find(parse_provider(j), member) : NULL;
    bool is_text = value != NULL && value->type == ATLS_JSON_STRING;
    bool same = is_text && atls_bytes_equal(value->text, pin);
    const char *actual = absent != NULL ? absent : is_text ? shown(j, value->text) : "<no such text in the event>";
    atls_judge_compare(j, same, id, c.code, field, shown(j, pin), actual,
                       "the key provider is not the one that is expected");
}

static void check_pins(atls_judge *j)
{
    const atls_dstack_policy *want = &j->policy->dstack;
    pin_bytes(j, "dstack.app_id", "event_log.app-id", want->app_id, j->claims->log.app_id, j->claims->log.n_app_id);
    pin_bytes(j, "dstack.instance_id", "event_log.instance-id", want->instance_id, j->claims->log.instance_id,
              j->claims->log.n_instance_id);
    pin_member(j, "dstack.key_provider_name", "event_log.key-provider.name", "name", want->key_provider_name);
    pin_member(j, "dstack.key_provider_id", "event_log.key-provider.id", "id", want->key_provider_id);
}

bool dstack_appraise(const atls_claims *claims, const atls_policy *policy, const uint8_t *leaf_sha256, atls_arena *a,
                     atls_trace *trace, atls_error *err)
{
    atls_judge j = {.claims = claims, .policy = policy, .arena = a, .trace = trace, .err = err, .ok = true};
    if (!claims->log.present) {
        /* without a log nothing was replayed; no setting of a policy may turn that into a yes */
        atls_judge_compare(&j, false, "dstack.event_log", ATLS_E_EVENT_LOG_PARSE, "event_log", "an event log", "none",
                           "the evidence has no event log");
    }
    check_certificate(&j, leaf_sha256);
    check_runtime(&j);
    check_pins(&j);
    if (policy->dstack.has_compose_hash && !policy->dstack.disable_runtime_verification) {
        check_mrconfigid(&j);
    } else {
        atls_judge_skip(&j, "dstack.mrconfigid", "mrconfigid", "there is no expected compose hash to hold it against");
    }
    return j.ok && err->code == ATLS_OK;
}
