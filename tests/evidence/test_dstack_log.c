/* SPDX-License-Identifier: Apache-2.0 */
/* test_dstack_log.c: JSON event logs: what is read, what replays, and every lie about it (requirements R1 to R5, R7,
 * R8, R10, R19 of the dstack specification; section J of the case list). */
#include "base/json.h"
#include "base/limits.h"
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

/* Decodes text and replays it against the registers of what was measured. */
static bool replay(fix_bench *b, const char *text, uint8_t rtmr[4][48], atls_eventlog_claims *out)
{
    dstack_log log;
    return dstack_log_decode(atls_bytes_str(text), &b->arena, &log, &b->err)
           && dstack_log_replay(b->crypto, &log, (const uint8_t(*)[48])rtmr, &b->arena, out, &b->trace, &b->err);
}

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
    bool ok = replay(&b, text, rtmr, &claims);
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
    assert_true(replay(&b, text, rtmr, &claims));
    size_t needed = b.arena.used;
    /* whatever runs out first: a failure that says so, never a half-read log */
    for (size_t size = ATLS_MAX_CHECKS * sizeof(atls_check) + 64; size < needed; size += 61) {
        fix_bench_clear(&b);
        b.arena.size = size;
        assert_false(replay(&b, text, rtmr, &claims));
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
    assert_true(replay(b, (const char *)kept.ptr, rtmr, out));
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
    assert_true(replay(&honest, copy, rtmr, &right));
    for (size_t i = 0; i < 8 * strlen(copy); i++) {
        atls_eventlog_claims claims;
        fix_bench_clear(&b);
        text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
        if (text[i / 8] != '\0' && replay(&b, text, rtmr, &claims)) {
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
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run_row, &rows[i]);
    }
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        tap_add(&l, garbage[i].name, run_garbage, &garbage[i]);
    }
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
    tap_add(&l, "every register that differs is listed, the first is the error", every_register_is_listed, NULL);
    tap_add(&l, "an earlier failure stays the error, the check shows its own", earlier_failure_stays, NULL);
    tap_add(&l, "digests of versions 1 and 2, and of no other", digest_forms, NULL);
    tap_add(&l, "R19: version 2 escapes names as RFC 8785 does", digest_escapes, NULL);
    tap_add(&l, "registers alone, with blank digests of both versions", registers_alone, NULL);
    tap_add(&l, "every proper prefix is refused", every_prefix_is_refused, NULL);
    tap_add(&l, "every single-bit flip is refused or changes no claim", every_flip_is_harmless, NULL);
    tap_add(&l, "real: dstack-full-log replays, with all its RTMR3 events", real_log, NULL);
    tap_add(&l, "inspect shows entries and registers of a log with blank digests", inspected, NULL);
    return tap_run("dstack_log", &l);
}
