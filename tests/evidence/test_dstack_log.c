/* SPDX-License-Identifier: Apache-2.0 */
/* test_dstack_log.c: JSON event logs: what is read, what replays, and every lie about it (requirements R1 to R5, R7,
 * R8, R10, R19 of the dstack specification; section J of the case list). */
#include "dstack_fixture.h"

typedef void (*change)(fix_log *l);

typedef struct row {
    const char *name;
    change emit;         /* what the guest did, measured */
    change forge;        /* what the log says instead */
    const char *find;    /* first place of this text in the log .. */
    const char *replace; /* .. becomes this */
    atls_code code;      /* ATLS_OK: replays */
    const char *field;
    const char *expected; /* NULL: any */
    const char *actual;
} row;

/* ---- the path under test ---- */

static char *replace_first(char *text, const char *find, const char *replace)
{
    char *at = strstr(text, find);
    assert_non_null(at);
    size_t size = strlen(text) + strlen(replace) + 1;
    char *out = malloc(size);
    assert_non_null(out);
    snprintf(out, size, "%.*s%s%s", (int)(at - text), text, replace, at + strlen(find));
    free(text);
    return out;
}

static void run_row(void **state)
{
    const row *r = *state;
    fix_log l;
    uint8_t rtmr[4][48];
    fix_bench b;
    atls_eventlog_claims claims;
    fix_bench_open(&b);
    fix_honest(&l);
    if (r->emit != NULL) {
        r->emit(&l);
    }
    fix_registers(&l, rtmr);
    if (r->forge != NULL) {
        r->forge(&l);
    }
    char *text = fix_print(&l);
    if (r->find != NULL) {
        text = replace_first(text, r->find, r->replace);
    }
    bool ok = fix_replay(&b, text, rtmr, &claims);
    assert_int_equal(ok, r->code == ATLS_OK);
    if (!ok) {
        fix_expect(&b.err, r->code, r->field, r->expected, r->actual);
    } else {
        assert_int_equal(b.err.code, ATLS_OK);
        assert_true(claims.present);
    }
    free(text);
    fix_bench_close(&b);
}

/* ---- changes ---- */

static void blank_digests(fix_log *l)
{
    for (size_t i = FIX_PREPARING; i < l->n; i++) {
        l->events[i].digest = "";
    }
}

static void swap_payload(fix_log *l)
{
    static char digest[97];
    uint8_t right[48];
    fix_digest(&l->events[FIX_COMPOSE], right);
    fix_hex(right, sizeof right, digest);
    l->events[FIX_COMPOSE].digest = digest;
    l->events[FIX_COMPOSE].payload[0] ^= 1;
}

static void swap_payload_blank(fix_log *l)
{
    l->events[FIX_COMPOSE].payload[0] ^= 1;
    l->events[FIX_COMPOSE].digest = "";
}

static void swap_payload_digest_too(fix_log *l)
{
    l->events[FIX_COMPOSE].payload[0] ^= 1;
}

static void swap_name(fix_log *l)
{
    static char digest[97];
    uint8_t right[48];
    fix_digest(&l->events[FIX_PREPARING], right);
    fix_hex(right, sizeof right, digest);
    l->events[FIX_PREPARING].digest = digest;
    l->events[FIX_PREPARING].name = "system-ready";
}

static void insert_imr(fix_log *l, uint32_t imr)
{
    fix_event e = fix_runtime("compose-hash", "forged", 6);
    e.imr = imr;
    fix_insert(l, 0, e);
}

static void insert_imr_7(fix_log *l)
{
    insert_imr(l, 7);
}

static void insert_imr_4(fix_log *l)
{
    insert_imr(l, 4);
}

static void insert_imr_max(fix_log *l)
{
    insert_imr(l, UINT32_MAX);
}

static void insert_runtime_in_boot(fix_log *l)
{
    insert_imr(l, 0);
}

static void insert_boot_in_runtime(fix_log *l)
{
    fix_event e = l->events[FIX_BOOT2];
    e.imr = 3;
    e.name = "compose-hash";
    fix_insert(l, FIX_PREPARING, e);
}

static void relabel_boot(fix_log *l)
{
    l->events[FIX_BOOT0].name = "compose-hash";
    fix_set_payload(&l->events[FIX_BOOT0], fix_compose_hash, sizeof fix_compose_hash);
}

static void boot_name_colon(fix_log *l)
{
    l->events[FIX_BOOT0].name = "acpi:loader";
}

static void emit_colon_payload(fix_log *l)
{
    fix_insert(l, FIX_PROVIDER, fix_runtime("storage-fs", "zfs:encrypted", 13));
}

/* the same bytes are hashed, and another event appears */
static void forge_colon_name(fix_log *l)
{
    l->events[FIX_PROVIDER] = fix_runtime("storage-fs:zfs", "encrypted", 9);
}

static void emit_colon_v2(fix_log *l)
{
    fix_event e = fix_runtime("storage-fs:zfs", "encrypted", 9);
    e.version = 2;
    fix_insert(l, FIX_PROVIDER, e);
}

static void insert_nameless(fix_log *l)
{
    fix_insert(l, FIX_CERT, fix_runtime("", "payload", 7));
}

static void digest_47(fix_log *l)
{
    l->events[FIX_COMPOSE].digest = "0011223344556677889900112233445566778899001122334455667788990011223344556677889900"
                                    "1122334455";
}

static void digest_49(fix_log *l)
{
    l->events[FIX_BOOT1].digest =
        "00112233445566778899001122334455667788990011223344556677889900112233445566778899001122"
        "3344556677889900";
}

static void digest_boot_blank(fix_log *l)
{
    l->events[FIX_BOOT1].digest = "";
}

static void digest_other(fix_log *l, size_t i)
{
    static const char zeros[] =
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "00000000";
    l->events[i].digest = zeros;
}

static void digest_other_0(fix_log *l)
{
    digest_other(l, FIX_BOOT0 + 1);
}

static void digest_other_1(fix_log *l)
{
    digest_other(l, FIX_BOOT1);
}

static void digest_other_2(fix_log *l)
{
    digest_other(l, FIX_BOOT2);
}

static void digest_other_3(fix_log *l)
{
    digest_other(l, FIX_READY);
}

static void all_v2(fix_log *l)
{
    for (size_t i = FIX_PREPARING; i < l->n; i++) {
        l->events[i].version = 2;
    }
}

static void all_v2_preimage(fix_log *l)
{
    all_v2(l);
    for (size_t i = FIX_PREPARING; i < l->n; i++) {
        l->events[i].preimage = "";
    }
}

static void v1_preimage(fix_log *l)
{
    l->events[FIX_APP_ID].preimage = "";
}

static void v1_v2_mixed(fix_log *l)
{
    l->events[FIX_APP_ID].version = 2;
    l->events[FIX_COMPOSE].version = 1;
    l->events[FIX_CERT].version = 2;
}

static void bad_preimage(fix_log *l)
{
    l->events[FIX_COMPOSE].preimage = "7b7d";
}

static void odd_preimage(fix_log *l)
{
    l->events[FIX_COMPOSE].preimage = "7b7";
}

static void v2_as_v1(fix_log *l)
{
    l->events[FIX_COMPOSE].version = 0;
    l->events[FIX_COMPOSE].digest = "";
}

static void order_swap(fix_log *l)
{
    fix_swap(l, FIX_APP_ID, FIX_COMPOSE);
}

static void entry_dropped(fix_log *l)
{
    fix_remove(l, FIX_MR_DONE);
}

static void last_dropped(fix_log *l)
{
    fix_remove(l, FIX_CERT);
}

static void entry_duplicated(fix_log *l)
{
    fix_insert(l, FIX_APP_ID, l->events[FIX_APP_ID]);
}

static void lanes_interleaved(fix_log *l)
{
    fix_swap(l, FIX_BOOT0 + 1, FIX_BOOT1);
    fix_swap(l, FIX_BOOT1 + 1, FIX_BOOT2);
}

static void emit_nothing(fix_log *l)
{
    l->n = 0;
}

#define PARSE ATLS_E_EVENT_LOG_PARSE
#define RTMR  ATLS_E_RTMR_MISMATCH

/* clang-format off */
static const row rows[] = {
    /* name, emit, forge, find, replace, code, field, expected, actual */
    {"the honest log replays", NULL, NULL, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"an empty log replays to zero registers", emit_nothing, NULL, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"white space around the array is JSON", NULL, NULL, "[{", " \n\t[ {", ATLS_OK, NULL, NULL, NULL},
    {"members that nobody knows are ignored", NULL, NULL, "{\"imr\":0,", "{\"hash_input\":{\"a\":[1]},\"imr\":0,", ATLS_OK, NULL, NULL, NULL},
    {"order between registers does not matter", NULL, lanes_interleaved, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"a boot event's name is free", NULL, boot_name_colon, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"R3: a boot event may call itself anything, it replays", NULL, relabel_boot, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"R8: digests-blank: runtime digests are recomputed", NULL, blank_digests, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"R19: v2-log: version 2 digests", all_v2, NULL, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"R19: version 2 with its preimages", all_v2_preimage, NULL, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"R19: version 1 with its preimage", NULL, v1_preimage, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"R19: v1-v2-mixed: each by its own rule", v1_v2_mixed, NULL, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"R4: version 2 is not ambiguous, a colon is fine", emit_colon_v2, NULL, NULL, NULL, ATLS_OK, NULL, NULL, NULL},
    {"R4: version 1 payloads may hold colons", emit_colon_payload, NULL, NULL, NULL, ATLS_OK, NULL, NULL, NULL},

    {"R1: payload-swap: the digest of another payload", NULL, swap_payload, NULL, NULL, PARSE, "event_log[8].digest", NULL, NULL},
    {"R1: a name that the digest does not cover", NULL, swap_name, NULL, NULL, PARSE, "event_log[6].digest", NULL, NULL},
    {"R1: payload and digest forged together do not replay", NULL, swap_payload_digest_too, NULL, NULL, RTMR, "rtmr3", NULL, NULL},
    {"R1: a forged payload cannot hide behind a blank digest", NULL, swap_payload_blank, NULL, NULL, RTMR, "rtmr3", NULL, NULL},
    {"R2: imr-7-entry: an entry that no register proves", NULL, insert_imr_7, NULL, NULL, PARSE, "event_log[0].imr", "0 to 3", "7"},
    {"R2: the first imr that is no register", NULL, insert_imr_4, NULL, NULL, PARSE, "event_log[0].imr", "0 to 3", "4"},
    {"R2: imr 2^32-1 does not wrap", NULL, insert_imr_max, NULL, NULL, PARSE, "event_log[0].imr", "0 to 3", "4294967295"},
    {"R10: imr 2^32 is no u32", NULL, NULL, "\"imr\":0", "\"imr\":4294967296", PARSE, "event_log[0].imr", NULL, "4294967296"},
    {"R10: imr 2^64 is no u32", NULL, NULL, "\"imr\":0", "\"imr\":18446744073709551616", PARSE, "event_log[0].imr", NULL, NULL},
    {"R10: imr is no negative number", NULL, NULL, "\"imr\":0", "\"imr\":-1", PARSE, "event_log[0].imr", NULL, "-1"},
    {"R10: imr is no fraction", NULL, NULL, "\"imr\":0", "\"imr\":0.0", PARSE, "event_log[0].imr", NULL, "0.0"},
    {"R10: imr has no exponent", NULL, NULL, "\"imr\":0", "\"imr\":0e0", PARSE, "event_log[0].imr", NULL, "0e0"},
    {"R10: imr is no text", NULL, NULL, "\"imr\":0", "\"imr\":\"0\"", PARSE, "event_log[0].imr", "number", "string"},
    {"R10: imr is required", NULL, NULL, "\"imr\":0", "\"imr0\":0", PARSE, "event_log[0].imr", "number", "missing"},
    {"R3: a runtime event outside RTMR3", NULL, insert_runtime_in_boot, NULL, NULL, PARSE, "event_log[0].event_type", "a boot event", "134217729"},
    {"R3: a boot event in RTMR3, honestly measured", insert_boot_in_runtime, NULL, NULL, NULL, PARSE, "event_log[6].event_type", "134217729", "6"},
    {"R10: event_type 2^32 is no u32", NULL, NULL, "\"event_type\":10", "\"event_type\":4294967296", PARSE, "event_log[1].event_type", NULL, "4294967296"},
    {"R10: event_type is required", NULL, NULL, "\"event_type\":10", "\"type\":10", PARSE, "event_log[1].event_type", "number", "missing"},
    {"R4: name-colon: the same digest, split elsewhere", emit_colon_payload, forge_colon_name, NULL, NULL, PARSE, "event_log[12].event", "a name without ':'", NULL},
    {"R4: a runtime event without a name", insert_nameless, NULL, NULL, NULL, PARSE, "event_log[14].event", "a name", ""},
    {"R10: event is required", NULL, NULL, "\"event\":\"app-id\"", "\"evnt\":\"app-id\"", PARSE, "event_log[7].event", "string", "missing"},
    {"R10: event is text", NULL, NULL, "\"event\":\"app-id\"", "\"event\":null", PARSE, "event_log[7].event", "string", "null"},
    {"R7: digest-short: 47 bytes", NULL, digest_47, NULL, NULL, PARSE, "event_log[8].digest", "96 hex digits", NULL},
    {"R7: digest-long: 49 bytes", NULL, digest_49, NULL, NULL, PARSE, "event_log[2].digest", "96 hex digits", NULL},
    {"R7: only runtime events may leave the digest blank", NULL, digest_boot_blank, NULL, NULL, PARSE, "event_log[2].digest", "96 hex digits", "0 characters"},
    {"R10: digest is required", NULL, NULL, "\"digest\"", "\"digst\"", PARSE, "event_log[0].digest", "string", "missing"},
    {"R10: digest is text", NULL, blank_digests, "\"digest\":\"\"", "\"digest\":null", PARSE, "event_log[6].digest", "string", "null"},
    {"R10: payload is required", NULL, NULL, "\"event_payload\"", "\"payload\"", PARSE, "event_log[0].event_payload", "string", "missing"},
    {"R10: an odd number of payload digits", NULL, NULL, "\"event_payload\":\"\"", "\"event_payload\":\"0\"", PARSE, "event_log[1].event_payload", NULL, NULL},
    {"R10: a payload that is no hex", NULL, NULL, "\"event_payload\":\"\"", "\"event_payload\":\"0x\"", PARSE, "event_log[1].event_payload", NULL, NULL},
    {"R19: version-3: an unknown digest form", NULL, NULL, "\"event\":\"app-id\"", "\"version\":3,\"event\":\"app-id\"", PARSE, "event_log[7].version", "1 or 2", "3"},
    {"R19: version 0 is unknown too", NULL, NULL, "\"event\":\"app-id\"", "\"version\":0,\"event\":\"app-id\"", PARSE, "event_log[7].version", "1 or 2", "0"},
    {"R19: version is a number", NULL, NULL, "\"event\":\"app-id\"", "\"version\":\"2\",\"event\":\"app-id\"", PARSE, "event_log[7].version", "number", "string"},
    {"R19: an unknown version of a boot event", NULL, NULL, "\"imr\":0", "\"version\":3,\"imr\":0", PARSE, "event_log[0].version", "1 or 2", "3"},
    {"R19: a version 2 event shown as version 1", all_v2, v2_as_v1, NULL, NULL, RTMR, "rtmr3", NULL, NULL},
    {"R19: version 2 claimed of a version 1 digest", NULL, NULL, "\"event\":\"app-id\"", "\"version\":2,\"event\":\"app-id\"", PARSE, "event_log[7].digest", NULL, NULL},
    {"R19: v2-bad-preimage", all_v2_preimage, bad_preimage, NULL, NULL, PARSE, "event_log[8].preimage", NULL, "7b7d"},
    {"R19: a bad preimage of a version 1 event", NULL, bad_preimage, NULL, NULL, PARSE, "event_log[8].preimage", NULL, "7b7d"},
    {"R19: a preimage that is no hex", NULL, odd_preimage, NULL, NULL, PARSE, "event_log[8].preimage", NULL, NULL},
    {"replay: order-swap", NULL, order_swap, NULL, NULL, RTMR, "rtmr3", NULL, NULL},
    {"replay: entry-dropped", NULL, entry_dropped, NULL, NULL, RTMR, "rtmr3", NULL, NULL},
    {"replay: the last entry dropped", NULL, last_dropped, NULL, NULL, RTMR, "rtmr3", NULL, NULL},
    {"replay: entry-duplicated", NULL, entry_duplicated, NULL, NULL, RTMR, "rtmr3", NULL, NULL},
    {"replay: another digest in RTMR0", NULL, digest_other_0, NULL, NULL, RTMR, "rtmr0", NULL, NULL},
    {"replay: another digest in RTMR1", NULL, digest_other_1, NULL, NULL, RTMR, "rtmr1", NULL, NULL},
    {"replay: another digest in RTMR2", NULL, digest_other_2, NULL, NULL, RTMR, "rtmr2", NULL, NULL},
    {"R1: another digest in RTMR3", NULL, digest_other_3, NULL, NULL, PARSE, "event_log[13].digest", NULL, "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"},
    {"replay: an empty log says nothing about a TD that logged", NULL, emit_nothing, NULL, NULL, RTMR, "rtmr0", NULL, "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"},
    {"R10: log-duplicate-member", NULL, NULL, "{\"imr\":0,", "{\"imr\":0,\"imr\":0,", PARSE, "event_log", NULL, NULL},
    {"R10: a duplicate under an escape", NULL, NULL, "{\"imr\":0,", "{\"imr\":0,\"im\\u0072\":0,", PARSE, "event_log", NULL, NULL},
    {"R10: invalid UTF-8 in a name", NULL, NULL, "\"app-id\"", "\"app-id\xff\"", PARSE, "event_log", NULL, NULL},
    {"R10: depth 17", NULL, NULL, "{\"imr\":0,", "{\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]],\"imr\":0,", PARSE, "event_log", NULL, NULL},
    {"R10: an entry that is no object", NULL, NULL, "[{", "[[],{", PARSE, "event_log[0]", "object", "array"},
};

/* Texts that are no log at all. */
static const struct { const char *name; const char *text; const char *field; } garbage[] = {
    {"R10: nothing", "", "event_log.header.index"},
    {"R10: only white space", " \n", "event_log.header.index"},
    {"R10: an object", "{}", "event_log.header.index"},
    {"R10: a string that holds the array", "\"[]\"", "event_log.header.type"},
    {"R10: log-trailing: bytes after the array", "[] x", "event_log"},
    {"R10: a second array", "[][]", "event_log"},
    {"R10: a byte order mark", "\xef\xbb\xbf[]", "event_log.header.type"},
    {"R10: a comma too many", "[{\"imr\":0},]", "event_log"},
    {"R10: numbers for entries", "[1,2]", "event_log[0]"},
};
/* clang-format on */

static void run_garbage(void **state)
{
    const char *const *r = *state; /* name, text, field */
    fix_bench b;
    dstack_log log;
    fix_bench_open(&b);
    assert_false(dstack_log_decode(atls_bytes_str(r[1]), &b.arena, &log, &b.err));
    fix_expect(&b.err, PARSE, r[2], NULL, NULL);
    assert_int_equal(log.n_events, 0);
    fix_bench_close(&b);
}

/* ---- what a failure leaves ---- */

/* Every register that differs is listed, the lowest is the error; an earlier failure stays the error. */
static void every_register_is_listed(void **state)
{
    (void)state;
    fix_log l;
    uint8_t rtmr[4][48];
    fix_bench b;
    dstack_log log;
    atls_eventlog_claims c;
    fix_bench_open(&b);
    fix_honest(&l);
    fix_registers(&l, rtmr);
    char *text = fix_print(&l);
    assert_true(dstack_log_decode(atls_bytes_str(text), &b.arena, &log, &b.err));
    char actual[97];
    char expected[97];
    fix_hex(rtmr[1], 48, actual);
    rtmr[1][47] ^= 1;
    rtmr[3][0] ^= 0x80;
    fix_hex(rtmr[1], 48, expected);
    assert_false(dstack_log_replay(b.crypto, &log, (const uint8_t(*)[48])rtmr, &b.arena, &c, &b.trace, &b.err));
    fix_expect(&b.err, RTMR, "rtmr1", expected, actual);
    assert_false(c.present);
    static const atls_check_verdict verdicts[] = {ATLS_CHECK_PASS, ATLS_CHECK_PASS, ATLS_CHECK_FAIL, ATLS_CHECK_PASS,
                                                  ATLS_CHECK_FAIL};
    assert_int_equal(b.trace.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(b.trace.items[i].verdict, verdicts[i]);
    }
    free(text);
    fix_bench_close(&b);
}

static void earlier_failure_stays(void **state)
{
    (void)state;
    fix_log l;
    uint8_t rtmr[4][48];
    fix_bench b;
    dstack_log log;
    atls_eventlog_claims c;
    fix_bench_open(&b);
    fix_honest(&l);
    fix_registers(&l, rtmr);
    swap_payload(&l);
    char *text = fix_print(&l);
    assert_true(dstack_log_decode(atls_bytes_str(text), &b.arena, &log, &b.err));
    (void)atls_fail(&b.err, ATLS_E_TCB_STATUS_NOT_ALLOWED, "tcb.status", "an earlier check");
    assert_false(dstack_log_replay(b.crypto, &log, (const uint8_t(*)[48])rtmr, &b.arena, &c, &b.trace, &b.err));
    fix_expect(&b.err, ATLS_E_TCB_STATUS_NOT_ALLOWED, "tcb.status", NULL, NULL);
    const atls_check *own = fix_check(&b, "dstack.event_digests");
    assert_non_null(own);
    assert_int_equal(own->code, PARSE);
    assert_string_equal(own->field, "event_log[8].digest");
    free(text);
    fix_bench_close(&b);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run_row, &rows[i]);
    }
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        tap_add(&l, garbage[i].name, run_garbage, &garbage[i]);
    }
    tap_add(&l, "every register that differs is listed, the first is the error", every_register_is_listed, NULL);
    tap_add(&l, "an earlier failure stays the error, the check shows its own", earlier_failure_stays, NULL);
    return tap_run("dstack_log", &l);
}
