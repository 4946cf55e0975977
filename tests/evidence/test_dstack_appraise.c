/* SPDX-License-Identifier: Apache-2.0 */
/* test_dstack_appraise.c: a replayed log against the policy: certificate event (R6), boot chain, compose and image hash
 * (R5), pins and MRCONFIGID (R13), and what a policy may leave out (R14). Every row goes the whole way: the guest
 * measures, the log is printed, read, replayed and judged. */
#include "base/json.h"
#include "dstack_fixture.h"

/* ---- certificate event ---- */

static void cert_missing(fix_scene *s)
{
    fix_remove(&s->log, FIX_CERT);
}

static void cert_text(fix_scene *s, const char *text)
{
    fix_set_text(&s->log.events[FIX_CERT], text);
}

static void cert_old_last(fix_scene *s)
{
    char other[65] = FIX_LEAF;
    other[0] = 'f';
    fix_insert(&s->log, s->log.n, fix_runtime("New TLS Certificate", other, 64));
}

static void cert_renewed(fix_scene *s)
{
    char other[65] = FIX_LEAF;
    other[0] = 'f';
    fix_insert(&s->log, FIX_CERT, fix_runtime("New TLS Certificate", other, 64));
}

static void cert_before_ready(fix_scene *s)
{
    fix_swap(&s->log, FIX_READY, FIX_CERT);
}

static void cert_before_and_after(fix_scene *s)
{
    char other[65] = FIX_LEAF;
    other[63] = 'a';
    fix_insert(&s->log, FIX_READY, fix_runtime("New TLS Certificate", other, 64));
}

static void cert_no_ready(fix_scene *s)
{
    s->log.events[FIX_READY].name = "almost-ready";
}

static void cert_upper_hex(fix_scene *s)
{
    char upper[65] = FIX_LEAF;
    for (char *c = upper; *c != '\0'; c++) {
        *c = *c >= 'a' ? (char)(*c - 'a' + 'A') : *c;
    }
    cert_text(s, upper);
}

static void cert_binary_32(fix_scene *s)
{
    uint8_t leaf[32];
    assert_true(atls_hex_fixed(atls_bytes_str(FIX_LEAF), leaf, sizeof leaf));
    fix_set_payload(&s->log.events[FIX_CERT], leaf, sizeof leaf);
}

static void cert_cut(fix_scene *s)
{
    fix_set_payload(&s->log.events[FIX_CERT], FIX_LEAF, 63);
}

static void cert_longer(fix_scene *s)
{
    cert_text(s, FIX_LEAF "0");
}

static void cert_empty(fix_scene *s)
{
    cert_text(s, "");
}

static void cert_then_garbage(fix_scene *s)
{
    fix_insert(&s->log, s->log.n, fix_runtime("New TLS Certificate", "x", 1));
}

static void cert_other_name(fix_scene *s)
{
    s->log.events[FIX_CERT].name = "new TLS certificate";
}

static void cert_skipped(fix_scene *s)
{
    cert_missing(s);
    s->policy.dstack.insecure_skip_certificate_event = true;
}

static void offline(fix_scene *s)
{
    cert_missing(s);
    s->no_leaf = true;
}

/* ---- boot chain ---- */

static void other_mrtd(fix_scene *s)
{
    s->td->mrtd[47] ^= 1;
}

static void other_rtmr0(fix_scene *s)
{
    s->policy.dstack.bootchain[1][0] ^= 1;
}

static void other_rtmr1(fix_scene *s)
{
    s->policy.dstack.bootchain[2][20] ^= 1;
}

static void other_rtmr2(fix_scene *s)
{
    s->policy.dstack.bootchain[3][47] ^= 0x80;
}

/* ---- events before system-ready ---- */

static void compose_other(fix_scene *s)
{
    s->policy.dstack.compose_hash[31] ^= 1;
}

static void compose_missing(fix_scene *s)
{
    fix_remove(&s->log, FIX_COMPOSE);
}

static void compose_twice(fix_scene *s)
{
    fix_insert(&s->log, FIX_COMPOSE, s->log.events[FIX_COMPOSE]);
}

static void compose_thrice(fix_scene *s)
{
    compose_twice(s);
    compose_twice(s);
}

static void compose_after_ready(fix_scene *s)
{
    fix_insert(&s->log, s->log.n, fix_runtime("compose-hash", "x", 1));
}

static void compose_only_after_ready(fix_scene *s)
{
    fix_event e = s->log.events[FIX_COMPOSE];
    fix_remove(&s->log, FIX_COMPOSE);
    fix_insert(&s->log, s->log.n, e);
}

static void compose_cut(fix_scene *s)
{
    s->log.events[FIX_COMPOSE].payload_len = 31;
}

static void compose_as_hex_text(fix_scene *s)
{
    char hex[65];
    fix_hex(fix_compose_hash, 32, hex);
    fix_set_text(&s->log.events[FIX_COMPOSE], hex);
}

static void boot_relabel(fix_scene *s)
{
    compose_missing(s);
    s->log.events[FIX_BOOT0].name = "compose-hash";
    fix_set_payload(&s->log.events[FIX_BOOT0], fix_compose_hash, sizeof fix_compose_hash);
}

static void compose_unready(fix_scene *s)
{
    s->no_leaf = true;
    fix_remove(&s->log, FIX_READY);
}

static void image_other(fix_scene *s)
{
    s->policy.dstack.os_image_hash[0] ^= 1;
}

static void image_missing(fix_scene *s)
{
    fix_remove(&s->log, FIX_IMAGE);
}

static void image_twice(fix_scene *s)
{
    fix_insert(&s->log, FIX_IMAGE, s->log.events[FIX_IMAGE]);
}

#define CERT          ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG
#define CERT_FIELD    "event_log.New TLS Certificate"
#define BOOT          ATLS_E_BOOTCHAIN_MISMATCH
#define COMP          ATLS_E_APP_COMPOSE_HASH_MISMATCH
#define COMP_FIELD    "event_log.compose-hash"
#define IMAGE         ATLS_E_OS_IMAGE_HASH_MISMATCH
#define IMAGE_FIELD   "event_log.os-image-hash"
#define FIX_NOT_FOUND "<not found in event log>"
#define COMPOSE_HEX   "c001c002c003c004c005c006c007c008c009c00ac00bc00cc00dc00ec00fc010"
#define LEAF_F        "fe4b2a7d3c5f6e8190a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f607"

/* clang-format off */
static const fix_row rows[] = {
    /* name, before, quote, code, field, expected, actual, check, verdict */
    {"the honest guest is accepted", NULL, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.certificate_event", ATLS_CHECK_PASS},

    {"R6: cert-missing", cert_missing, NULL, CERT, CERT_FIELD, FIX_LEAF, FIX_NOT_FOUND, "dstack.certificate_event", ATLS_CHECK_FAIL},
    {"R6: cert-old-last: the last certificate is another", cert_old_last, NULL, CERT, CERT_FIELD, FIX_LEAF, LEAF_F, NULL, 0},
    {"R6: cert-renewed: earlier certificates are allowed", cert_renewed, NULL, ATLS_OK, NULL, NULL, NULL, NULL, 0},
    {"R6: cert-before-ready does not count", cert_before_ready, NULL, CERT, CERT_FIELD, FIX_LEAF, FIX_NOT_FOUND, NULL, 0},
    {"R6: one before system-ready does not disturb the one after", cert_before_and_after, NULL, ATLS_OK, NULL, NULL, NULL, NULL, 0},
    {"R6: without system-ready no certificate counts", cert_no_ready, NULL, CERT, CERT_FIELD, FIX_LEAF, FIX_NOT_FOUND, NULL, 0},
    {"R6: cert-upper-hex", cert_upper_hex, NULL, CERT, CERT_FIELD, FIX_LEAF, "<not 64 lower-case hex digits>", NULL, 0},
    {"R6: cert-binary-32", cert_binary_32, NULL, CERT, CERT_FIELD, FIX_LEAF, "<not 64 lower-case hex digits>", NULL, 0},
    {"R6: 63 digits", cert_cut, NULL, CERT, CERT_FIELD, FIX_LEAF, "<not 64 lower-case hex digits>", NULL, 0},
    {"R6: 65 digits", cert_longer, NULL, CERT, CERT_FIELD, FIX_LEAF, "<not 64 lower-case hex digits>", NULL, 0},
    {"R6: an empty payload", cert_empty, NULL, CERT, CERT_FIELD, FIX_LEAF, NULL, NULL, 0},
    {"R6: the last one counts even when it is garbage", cert_then_garbage, NULL, CERT, CERT_FIELD, FIX_LEAF, "<not 64 lower-case hex digits>", NULL, 0},
    {"R6: the name is exact", cert_other_name, NULL, CERT, CERT_FIELD, FIX_LEAF, FIX_NOT_FOUND, NULL, 0},
    {"R6: insecure_skip_certificate_event is a skipped check", cert_skipped, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.certificate_event", ATLS_CHECK_SKIPPED},
    {"R6: offline, without a leaf, it is a skipped check", offline, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.certificate_event", ATLS_CHECK_SKIPPED},

    {"boot chain: mrtd", NULL, other_mrtd, BOOT, "mrtd", NULL, NULL, "dstack.bootchain.mrtd", ATLS_CHECK_FAIL},
    {"boot chain: rtmr0", other_rtmr0, NULL, BOOT, "rtmr0", NULL, NULL, "dstack.bootchain.rtmr0", ATLS_CHECK_FAIL},
    {"boot chain: rtmr1", other_rtmr1, NULL, BOOT, "rtmr1", NULL, NULL, "dstack.bootchain.rtmr1", ATLS_CHECK_FAIL},
    {"boot chain: rtmr2", other_rtmr2, NULL, BOOT, "rtmr2", NULL, NULL, "dstack.bootchain.rtmr2", ATLS_CHECK_FAIL},

    {"compose: another application", compose_other, NULL, COMP, COMP_FIELD, NULL, COMPOSE_HEX, "dstack.compose_hash", ATLS_CHECK_FAIL},
    {"R5: compose missing", compose_missing, NULL, COMP, COMP_FIELD, COMPOSE_HEX, FIX_NOT_FOUND, NULL, 0},
    {"R5: compose-twice, the same both times", compose_twice, NULL, COMP, COMP_FIELD, COMPOSE_HEX, "<found twice>", NULL, 0},
    {"R5: compose three times", compose_thrice, NULL, COMP, COMP_FIELD, COMPOSE_HEX, "<found 3 times>", NULL, 0},
    {"R5: event-after-ready: the boot value is used", compose_after_ready, NULL, ATLS_OK, NULL, NULL, NULL, "dstack.compose_hash", ATLS_CHECK_PASS},
    {"R5: only after system-ready is not at all", compose_only_after_ready, NULL, COMP, COMP_FIELD, COMPOSE_HEX, FIX_NOT_FOUND, NULL, 0},
    {"R5: no system-ready, no compose hash", compose_unready, NULL, COMP, COMP_FIELD, COMPOSE_HEX, FIX_NOT_FOUND, "dstack.os_image_hash", ATLS_CHECK_FAIL},
    {"compose: 31 bytes of the right hash", compose_cut, NULL, COMP, COMP_FIELD, COMPOSE_HEX, NULL, NULL, 0},
    {"compose: the right hash as text", compose_as_hex_text, NULL, COMP, COMP_FIELD, COMPOSE_HEX, NULL, NULL, 0},
    {"R3: boot-relabel: a boot event is no compose-hash", boot_relabel, NULL, COMP, COMP_FIELD, COMPOSE_HEX, FIX_NOT_FOUND, NULL, 0},
    {"image: another image", image_other, NULL, IMAGE, IMAGE_FIELD, NULL, NULL, "dstack.os_image_hash", ATLS_CHECK_FAIL},
    {"R5: image missing", image_missing, NULL, IMAGE, IMAGE_FIELD, NULL, FIX_NOT_FOUND, NULL, 0},
    {"R5: image twice", image_twice, NULL, IMAGE, IMAGE_FIELD, NULL, "<found twice>", NULL, 0},
};
/* clang-format on */

/* ---- what came before ---- */

/* An appraisal that failed before goes on listing, and stays failed. */
static void earlier_failure(void **state)
{
    (void)state;
    fix_scene s = {0};
    fix_bench b;
    fix_bench_open(&b);
    assert_true(fix_play(&b, &s, NULL, NULL));
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
    fix_scene s = {0};
    fix_bench b;
    fix_bench_open(&b);
    b.trace.cap = 9; /* the replay's five, and some */
    assert_false(fix_play(&b, &s, NULL, NULL));
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
    fix_expect(&b.err, CERT, CERT_FIELD, NULL, FIX_NOT_FOUND);
    p.dstack.insecure_skip_certificate_event = true;
    atls_error_clear(&b.err);
    b.trace.n = 0;
    assert_false(dstack_appraise(&claims, &p, leaf, &b.arena, &b.trace, &b.err));
    fix_expect(&b.err, IMAGE, IMAGE_FIELD, NULL, FIX_NOT_FOUND);
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
        tap_add(&l, rows[i].name, fix_run_row, &rows[i]);
    }
    tap_add(&l, "an appraisal that failed before stays failed", earlier_failure, NULL);
    tap_add(&l, "a full list of checks is no yes", full_trace, NULL);
    tap_add(&l, "real: dstack-full-log lacks a certificate, then an image; all else matches", real_log, NULL);
    return tap_run("dstack_appraise", &l);
}
