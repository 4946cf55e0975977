/* SPDX-License-Identifier: Apache-2.0 */
/* test_dstack_claims.c: what a log that replays claims (R3, R5), limits (R10), digests of both versions, inspect, the
 * real log, and the two properties of every parser. */
#include "base/json.h"
#include "base/limits.h"
#include "dstack_fixture.h"

#define PARSE ATLS_E_EVENT_LOG_PARSE

typedef void (*change)(fix_log *l);

static void blank_digests(fix_log *l)
{
    for (size_t i = FIX_PREPARING; i < l->n; i++) {
        l->events[i].digest = "";
    }
}

static void relabel_boot(fix_log *l)
{
    l->events[FIX_BOOT0].name = "compose-hash";
    fix_set_payload(&l->events[FIX_BOOT0], fix_compose_hash, sizeof fix_compose_hash);
}

static void v1_v2_mixed(fix_log *l)
{
    l->events[FIX_APP_ID].version = 2;
    l->events[FIX_COMPOSE].version = 1;
    l->events[FIX_CERT].version = 2;
}

/* ---- limits ---- */

static bool decode_many(size_t n, size_t payload_len, fix_bench *b, dstack_log *log)
{
    static const char head[] = "{\"imr\":0,\"event_type\":1,\"event\":\"\",\"digest\":\"";
    char zeros[97];
    memset(zeros, '0', 96);
    zeros[96] = '\0';
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    fputs("[", f);
    for (size_t i = 0; i < n; i++) {
        fprintf(f, "%s%s%s\",\"event_payload\":\"", i == 0 ? "" : ",", head, zeros);
        for (size_t k = 0; k < payload_len; k++) {
            fputs("00", f);
        }
        fputs("\"}", f);
    }
    fputs("]", f);
    fclose(f);
    bool ok = dstack_log_decode(atls_bytes_of(text, len), &b->arena, log, &b->err);
    free(text);
    return ok;
}

static void limit_events(void **state)
{
    (void)state;
    fix_bench b;
    dstack_log log;
    fix_bench_open(&b);
    assert_true(decode_many(ATLS_MAX_EVENTS, 0, &b, &log));
    assert_int_equal(log.n_events, ATLS_MAX_EVENTS);
    fix_bench_clear(&b);
    assert_false(decode_many(ATLS_MAX_EVENTS + 1, 0, &b, &log));
    fix_expect(&b.err, PARSE, "event_log", NULL, NULL);
    fix_bench_clear(&b);
    assert_false(decode_many(5000, 0, &b, &log));
    fix_expect(&b.err, PARSE, "event_log", NULL, NULL);
    fix_bench_close(&b);
}

static void limit_payloads(void **state)
{
    (void)state;
    fix_bench b;
    dstack_log log;
    fix_bench_open(&b);
    assert_true(decode_many(16, 64 * 1024, &b, &log));
    fix_bench_clear(&b);
    assert_false(decode_many(17, 64 * 1024, &b, &log));
    fix_expect(&b.err, PARSE, "event_log[16].event_payload", NULL, NULL);
    fix_bench_close(&b);
}

static void limit_text(void **state)
{
    (void)state;
    fix_bench b;
    dstack_log log;
    size_t len = ATLS_MAX_EVENT_LOG_LEN + 1;
    char *text = malloc(len);
    memset(text, ' ', len);
    text[0] = '[';
    text[1] = ']';
    fix_bench_open(&b);
    assert_true(dstack_log_decode(atls_bytes_of(text, len - 1), &b.arena, &log, &b.err));
    assert_false(dstack_log_decode(atls_bytes_of(text, len), &b.arena, &log, &b.err));
    fix_expect(&b.err, PARSE, "event_log", NULL, NULL);
    free(text);
    fix_bench_close(&b);
}

static void small_arena(void **state)
{
    (void)state;
    fix_log l;
    uint8_t rtmr[4][48];
    fix_bench b;
    atls_eventlog_claims claims;
    fix_bench_open(&b);
    fix_honest(&l);
    fix_registers(&l, rtmr);
    char *text = fix_print(&l);
    assert_true(fix_replay(&b, text, rtmr, &claims));
    size_t needed = b.arena.used;
    /* whatever runs out first: a failure that says so, never a half-read log */
    for (size_t size = ATLS_MAX_CHECKS * sizeof(atls_check) + 64; size < needed; size += 61) {
        fix_bench_clear(&b);
        b.arena.size = size;
        assert_false(fix_replay(&b, text, rtmr, &claims));
        assert_int_equal(b.err.code, ATLS_E_MEMORY);
        b.arena.size = (size_t)32 * 1024 * 1024;
    }
    free(text);
    fix_bench_close(&b);
}

/* ---- what is claimed ---- */

static void expect_claim(atls_bytes value, const void *expected, size_t len)
{
    assert_int_equal(value.len, len);
    assert_memory_equal(value.ptr, expected, len);
}

static void claims_of(fix_bench *b, change emit, atls_eventlog_claims *out)
{
    fix_log l;
    uint8_t rtmr[4][48];
    fix_honest(&l);
    if (emit != NULL) {
        emit(&l);
    }
    fix_registers(&l, rtmr);
    char *text = fix_print(&l);
    atls_bytes kept;
    assert_true(atls_arena_copy(&b->arena, atls_bytes_of(text, strlen(text) + 1), &kept, &b->err));
    free(text);
    assert_true(fix_replay(b, (const char *)kept.ptr, rtmr, out));
}

static void claims_honest(void **state)
{
    (void)state;
    fix_bench b;
    atls_eventlog_claims c;
    fix_bench_open(&b);
    claims_of(&b, NULL, &c);
    assert_true(c.present && c.system_ready && !c.is_ccel);
    assert_int_equal(c.n_events, FIX_N);
    expect_claim(c.app_id, fix_app_id, sizeof fix_app_id);
    expect_claim(c.compose_hash, fix_compose_hash, sizeof fix_compose_hash);
    expect_claim(c.instance_id, fix_instance_id, sizeof fix_instance_id);
    expect_claim(c.os_image_hash, fix_image_hash, sizeof fix_image_hash);
    expect_claim(c.key_provider, fix_provider, strlen(fix_provider));
    expect_claim(c.certificate, FIX_LEAF, 64);
    assert_int_equal(c.n_app_id * c.n_compose_hash * c.n_instance_id * c.n_os_image_hash * c.n_key_provider, 1);
    static const char *const ids[] = {"dstack.event_digests", "dstack.replay.rtmr0", "dstack.replay.rtmr1",
                                      "dstack.replay.rtmr2", "dstack.replay.rtmr3"};
    assert_int_equal(b.trace.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(b.trace.items[i].id, ids[i]);
        assert_int_equal(b.trace.items[i].verdict, ATLS_CHECK_PASS);
    }
    fix_bench_close(&b);
}

static void no_ready(fix_log *l)
{
    fix_remove(l, FIX_READY);
}

static void claims_without_ready(void **state)
{
    (void)state;
    fix_bench b;
    atls_eventlog_claims c;
    fix_bench_open(&b);
    claims_of(&b, no_ready, &c);
    assert_true(c.present && !c.system_ready);
    assert_int_equal(c.app_id.len + c.compose_hash.len + c.instance_id.len + c.os_image_hash.len, 0);
    assert_int_equal(c.key_provider.len + c.certificate.len, 0);
    assert_int_equal(c.n_app_id + c.n_compose_hash + c.n_instance_id + c.n_os_image_hash + c.n_key_provider, 0);
    fix_bench_close(&b);
}

static void application_speaks(fix_log *l)
{
    fix_insert(l, l->n, fix_runtime("compose-hash", "application", 11));
    fix_insert(l, l->n, fix_runtime("system-ready", "", 0));
    fix_insert(l, l->n, fix_runtime("app-id", "application", 11));
}

static void claims_after_ready(void **state)
{
    (void)state;
    fix_bench b;
    atls_eventlog_claims c;
    fix_bench_open(&b);
    claims_of(&b, application_speaks, &c);
    expect_claim(c.compose_hash, fix_compose_hash, sizeof fix_compose_hash);
    expect_claim(c.app_id, fix_app_id, sizeof fix_app_id);
    assert_int_equal(c.n_compose_hash, 1);
    fix_bench_close(&b);
}

static void twice(fix_log *l)
{
    fix_insert(l, FIX_MR_DONE, fix_runtime("compose-hash", "another", 7));
    fix_insert(l, FIX_MR_DONE, fix_runtime("app-id", fix_app_id, sizeof fix_app_id));
    fix_insert(l, FIX_MR_DONE, fix_runtime("app-id", fix_app_id, sizeof fix_app_id));
}

static void claims_repeated(void **state)
{
    (void)state;
    fix_bench b;
    atls_eventlog_claims c;
    fix_bench_open(&b);
    claims_of(&b, twice, &c);
    assert_int_equal(c.n_compose_hash, 2);
    assert_int_equal(c.compose_hash.len, 0);
    assert_int_equal(c.n_app_id, 3);
    assert_int_equal(c.app_id.len, 0);
    fix_bench_close(&b);
}

static void instance_blank(fix_log *l)
{
    fix_set_text(&l->events[FIX_INSTANCE], "");
}

static void claims_blank_instance(void **state)
{
    (void)state;
    fix_bench b;
    atls_eventlog_claims c;
    fix_bench_open(&b);
    claims_of(&b, instance_blank, &c);
    assert_int_equal(c.n_instance_id, 1);
    assert_int_equal(c.instance_id.len, 0);
    fix_bench_close(&b);
}

static void relabelled_boot_claims(void **state)
{
    (void)state;
    fix_bench b;
    atls_eventlog_claims c;
    fix_bench_open(&b);
    claims_of(&b, relabel_boot, &c);
    assert_int_equal(c.n_compose_hash, 1); /* RTMR3's own, not the boot event's */
    expect_claim(c.compose_hash, fix_compose_hash, sizeof fix_compose_hash);
    fix_bench_close(&b);
}

/* ---- digests ---- */

static void digest_forms(void **state)
{
    (void)state;
    fix_bench b;
    uint8_t ours[48];
    uint8_t theirs[48];
    fix_bench_open(&b);
    fix_event e = fix_runtime("compose-hash", "\xab\xcd", 2);
    for (uint32_t version = 1; version <= 2; version++) {
        e.version = version;
        fix_digest(&e, theirs);
        assert_true(dstack_event_digest(b.crypto, version, atls_bytes_str(e.name),
                                        atls_bytes_of(e.payload, e.payload_len), &b.arena, ours, &b.err));
        assert_memory_equal(ours, theirs, 48);
    }
    assert_false(dstack_event_digest(b.crypto, 3, atls_bytes_str("a"), atls_bytes_empty(), &b.arena, ours, &b.err));
    fix_expect(&b.err, PARSE, "version", "1 or 2", NULL);
    assert_int_equal(atls_error_exit_status(&b.err), 8);
    fix_bench_close(&b);
}

/* A name that needs every kind of escape; the text was written by hand after RFC 8785. */
static void digest_escapes(void **state)
{
    (void)state;
    fix_bench b;
    uint8_t ours[48];
    uint8_t theirs[48];
    fix_bench_open(&b);
    fix_event e = fix_runtime("q\\\" b\\\\ \\b\\f\\n\\r\\t \\u0001\\u001f / \x7f \xc3\xa9 \xf0\x9f\xa6\x80", "", 0);
    e.version = 2;
    fix_digest(&e, theirs);
    assert_true(dstack_event_digest(b.crypto, 2,
                                    atls_bytes_str("q\" b\\ \b\f\n\r\t \x01\x1f / \x7f \xc3\xa9 \xf0\x9f\xa6\x80"),
                                    atls_bytes_empty(), &b.arena, ours, &b.err));
    assert_memory_equal(ours, theirs, 48);
    fix_bench_close(&b);
}

static void registers_alone(void **state)
{
    (void)state;
    fix_log l;
    uint8_t rtmr[4][48];
    uint8_t ours[4][48];
    fix_bench b;
    dstack_log log;
    fix_bench_open(&b);
    fix_honest(&l);
    v1_v2_mixed(&l);
    fix_registers(&l, rtmr);
    blank_digests(&l);
    char *text = fix_print(&l);
    assert_true(dstack_log_decode(atls_bytes_str(text), &b.arena, &log, &b.err));
    assert_true(dstack_log_registers(b.crypto, &log, ours, &b.arena, &b.err));
    assert_memory_equal(ours, rtmr, sizeof rtmr);
    free(text);
    fix_bench_close(&b);
}

/* ---- properties ---- */

static void every_prefix_is_refused(void **state)
{
    (void)state;
    fix_log l;
    fix_bench b;
    fix_bench_open(&b);
    fix_honest(&l);
    char *text = fix_print(&l);
    size_t len = strlen(text);
    for (size_t n = 0; n < len; n++) {
        dstack_log log;
        fix_bench_clear(&b);
        assert_false(dstack_log_decode(atls_bytes_of(text, n), &b.arena, &log, &b.err));
        assert_int_equal(b.err.code, PARSE);
    }
    free(text);
    fix_bench_close(&b);
}

static void expect_same_bytes(atls_bytes a, atls_bytes b)
{
    assert_true(atls_bytes_equal(a, b));
}

/* Everything that carries authority: not names, types and payloads of boot events. */
static void expect_same_claims(const atls_eventlog_claims *a, const atls_eventlog_claims *b)
{
    assert_int_equal(a->n_events, b->n_events);
    for (size_t i = 0; i < a->n_events; i++) {
        const atls_event *x = &a->events[i];
        const atls_event *y = &b->events[i];
        assert_int_equal(x->imr, y->imr);
        assert_memory_equal(x->digest, y->digest, 48);
        if (x->imr == 3) {
            assert_int_equal(x->type, y->type);
            expect_same_bytes(x->name, y->name);
            expect_same_bytes(x->payload, y->payload);
        }
    }
    expect_same_bytes(a->app_id, b->app_id);
    expect_same_bytes(a->compose_hash, b->compose_hash);
    expect_same_bytes(a->instance_id, b->instance_id);
    expect_same_bytes(a->os_image_hash, b->os_image_hash);
    expect_same_bytes(a->key_provider, b->key_provider);
    expect_same_bytes(a->certificate, b->certificate);
    assert_int_equal(a->system_ready, b->system_ready);
}

/* Every bit of the text: refused, or the claims are the same. */
static void every_flip_is_harmless(void **state)
{
    (void)state;
    fix_log l;
    uint8_t rtmr[4][48];
    fix_bench honest;
    fix_bench b;
    atls_eventlog_claims right;
    size_t accepted = 0;
    fix_bench_open(&honest);
    fix_bench_open(&b);
    fix_honest(&l);
    fix_registers(&l, rtmr);
    l.events[FIX_APP_ID].digest = "";
    l.events[FIX_COMPOSE].preimage = "";
    char *text = fix_print(&l);
    char *copy = fix_print(&l);
    assert_true(fix_replay(&honest, copy, rtmr, &right));
    for (size_t i = 0; i < 8 * strlen(copy); i++) {
        atls_eventlog_claims claims;
        fix_bench_clear(&b);
        text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
        if (text[i / 8] != '\0' && fix_replay(&b, text, rtmr, &claims)) {
            expect_same_claims(&right, &claims);
            accepted++;
        }
        text[i / 8] = copy[i / 8];
    }
    assert_true(accepted > 0); /* case of hex, boot payloads */
    free(text);
    free(copy);
    fix_bench_close(&b);
    fix_bench_close(&honest);
}

/* ---- real evidence ---- */

static void expect_events(const atls_json *expected, const atls_eventlog_claims *c, fix_bench *b)
{
    size_t i = 0;
    for (const atls_json *e = expected->child; e != NULL; e = e->next, i++) {
        while (i < c->n_events && c->events[i].imr != 3) {
            i++;
        }
        assert_true(i < c->n_events);
        uint8_t digest[48];
        atls_bytes payload;
        atls_bytes payload_hex;
        assert_true(atls_json_member_hex(e, "", "digest", digest, 48, &b->err));
        assert_true(atls_json_member_text(e, "", "payload", &payload_hex, &b->err));
        assert_true(atls_hex_decode(payload_hex, "payload", &b->arena, &payload, &b->err));
        assert_memory_equal(c->events[i].digest, digest, 48);
        expect_same_bytes(c->events[i].name, atls_json_find(e, "event")->text);
        expect_same_bytes(c->events[i].payload, payload);
    }
    assert_int_equal(i, c->n_events);
}

static void real_log(void **state)
{
    (void)state;
    fix_bench b;
    atls_dstack_response response;
    atls_eventlog_claims c;
    dstack_log log;
    uint8_t rtmr[4][48];
    fix_bench_open(&b);
    atls_bytes file = fix_file(&b, "dcap/dstack-full-log/getquote.json");
    const atls_json *expected = atls_json_find(fix_vector(&b, "dstack-full-log"), "expected");
    const atls_json *fields = atls_json_find(expected, "quote_fields");
    static const char *const names[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(atls_json_member_hex(fields, "", names[i], rtmr[i], 48, &b.err));
    }
    assert_true(atls_dstack_response_decode(file, &b.arena, &response, &b.err));
    assert_true(dstack_log_decode(response.event_log, &b.arena, &log, &b.err));
    assert_true(dstack_log_replay(b.crypto, &log, (const uint8_t(*)[48])rtmr, &b.arena, &c, &b.trace, &b.err));
    uint64_t count;
    uint8_t compose[32];
    assert_true(atls_json_member_uint(expected, "", "event_count", 1000, &count, &b.err));
    assert_int_equal(c.n_events, count);
    expect_events(atls_json_find(expected, "rtmr3_events"), &c, &b);
    assert_true(atls_json_member_hex(expected, "", "compose_hash", compose, 32, &b.err));
    expect_claim(c.compose_hash, compose, 32);
    assert_int_equal(c.n_os_image_hash, 0);
    assert_int_equal(c.certificate.len, 0);
    fix_bench_close(&b);
}

/* ---- inspect ---- */

static void inspected(void **state)
{
    (void)state;
    fix_log l;
    fix_bench b;
    dstack_log log;
    atls_buf buf;
    atls_jw w;
    atls_bytes out;
    const atls_json *json;
    fix_bench_open(&b);
    fix_honest(&l);
    blank_digests(&l);
    char *text = fix_print(&l);
    assert_true(dstack_log_decode(atls_bytes_str(text), &b.arena, &log, &b.err));
    atls_buf_init(&buf, &b.arena, &b.err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    assert_true(dstack_log_inspect(b.crypto, &log, &w, &b.arena, &b.err));
    atls_jw_close(&w, '}');
    assert_true(atls_buf_done(&buf, &out));
    assert_true(atls_json_parse(out, "inspect", &b.arena, &json, &b.err));
    assert_true(atls_bytes_equal_str(atls_json_find(json, "form")->text, "dstack"));
    assert_int_equal(atls_json_find(json, "replayed_rtmrs")->n, 4);
    assert_int_equal(atls_json_find(json, "events")->n, FIX_N);
    uint8_t rtmr[4][48];
    uint8_t shown[48];
    fix_registers(&l, rtmr);
    const atls_json *last = atls_json_find(json, "replayed_rtmrs")->child->next->next->next;
    assert_true(atls_hex_fixed(last->text, shown, 48));
    assert_memory_equal(shown, rtmr[3], 48);
    free(text);
    fix_bench_close(&b);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "R10: log-5000-events: 4096 entries are read, 4097 are not", limit_events, NULL);
    tap_add(&l, "R10: payloads of 1 MiB together are read, more is not", limit_payloads, NULL);
    tap_add(&l, "R10: 4 MiB of text are read, more is not", limit_text, NULL);
    tap_add(&l, "running out of memory anywhere is an error and nothing else", small_arena, NULL);
    tap_add(&l, "an honest log's claims and checks", claims_honest, NULL);
    tap_add(&l, "R5: without system-ready nothing is claimed", claims_without_ready, NULL);
    tap_add(&l, "R5: event-after-ready: what the application says does not count", claims_after_ready, NULL);
    tap_add(&l, "R5: compose-twice: what was said twice is not claimed, but counted", claims_repeated, NULL);
    tap_add(&l, "R5: an empty instance-id is there, and empty", claims_blank_instance, NULL);
    tap_add(&l, "R3: boot-relabel: a boot event makes no claim", relabelled_boot_claims, NULL);
    tap_add(&l, "digests of versions 1 and 2, and of no other", digest_forms, NULL);
    tap_add(&l, "R19: version 2 escapes names as RFC 8785 does", digest_escapes, NULL);
    tap_add(&l, "registers alone, with blank digests of both versions", registers_alone, NULL);
    tap_add(&l, "every proper prefix is refused", every_prefix_is_refused, NULL);
    tap_add(&l, "every single-bit flip is refused or changes no claim", every_flip_is_harmless, NULL);
    tap_add(&l, "real: dstack-full-log replays, with all its RTMR3 events", real_log, NULL);
    tap_add(&l, "inspect shows entries and registers of a log with blank digests", inspected, NULL);
    return tap_run("dstack_claims", &l);
}
