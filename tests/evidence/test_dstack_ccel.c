/* SPDX-License-Identifier: Apache-2.0 */
/* test_dstack_ccel.c: raw TCG2 logs (section 2): an honest one is built here, each row changes one thing. */
#include <openssl/evp.h>

#include "base/json.h"
#include "base/limits.h"
#include "dstack_fixture.h"

#define MAX_LOG 8192

/* A log is written front to back; options say what is written otherwise. */
typedef struct ccel {
    uint8_t bytes[MAX_LOG];
    size_t len;
    size_t n_records;
    uint8_t rtmr[4][48];
    bool sha256_too; /* every record has a SHA-256 digest before its SHA-384 */
} ccel;

static void put(ccel *c, const void *in, size_t len)
{
    assert_true(len <= sizeof c->bytes - c->len);
    memcpy(c->bytes + c->len, in, len);
    c->len += len;
}

static void put_u8(ccel *c, unsigned v)
{
    uint8_t b = (uint8_t)v;
    put(c, &b, 1);
}

static void put_u16(ccel *c, unsigned v)
{
    put_u8(c, v);
    put_u8(c, v >> 8);
}

static void put_u32(ccel *c, uint32_t v)
{
    put_u16(c, v & 0xffff);
    put_u16(c, v >> 16);
}

static void put_header(ccel *c)
{
    static const uint8_t zeros[20] = {0};
    put_u32(c, 1);
    put_u32(c, 3);
    put(c, zeros, sizeof zeros);
    put_u32(c, c->sha256_too ? 37 : 33);
    put(c, "Spec ID Event03", 16);
    put_u32(c, 0);
    put(c, "\x00\x02\x00\x02", 4); /* minor, major, errata, uintn size */
    put_u32(c, c->sha256_too ? 2 : 1);
    if (c->sha256_too) {
        put_u16(c, 0x000b);
        put_u16(c, 32);
    }
    put_u16(c, 0x000c);
    put_u16(c, 48);
    put_u8(c, 0);
}

static void extend(ccel *c, uint32_t imr, const uint8_t digest[48])
{
    uint8_t both[96];
    memcpy(both, c->rtmr[imr], 48);
    memcpy(both + 48, digest, 48);
    assert_int_equal(EVP_Digest(both, sizeof both, c->rtmr[imr], NULL, EVP_sha384(), NULL), 1);
}

static void put_record(ccel *c, uint32_t index, uint32_t type, const char *data)
{
    uint8_t digest[64];
    put_u32(c, index);
    put_u32(c, type);
    put_u32(c, c->sha256_too ? 2 : 1);
    if (c->sha256_too) {
        assert_int_equal(EVP_Digest(data, strlen(data), digest, NULL, EVP_sha256(), NULL), 1);
        put_u16(c, 0x000b);
        put(c, digest, 32);
    }
    assert_int_equal(EVP_Digest(data, strlen(data), digest, NULL, EVP_sha384(), NULL), 1);
    put_u16(c, 0x000c);
    put(c, digest, 48);
    put_u32(c, (uint32_t)strlen(data));
    put(c, data, strlen(data));
    c->n_records++;
    if (index >= 1 && index <= 4 && type != 3) {
        extend(c, index - 1, digest);
    }
}

/* Offsets of the honest log without SHA-256. */
enum {
    AT_HEADER_SIZE = 28,
    AT_SIGNATURE = 32,
    AT_MAJOR = 53,
    AT_N_ALGORITHMS = 56,
    AT_ALGORITHM = 60,
    AT_DIGEST_SIZE = 62,
    AT_VENDOR_SIZE = 64,
    AT_RECORD = 65,
    AT_TYPE = AT_RECORD + 4,
    AT_COUNT = AT_RECORD + 8,
    AT_RECORD_ALGORITHM = AT_RECORD + 12,
    AT_DIGEST = AT_RECORD + 14,
    AT_SIZE = AT_RECORD + 62,
};

static void honest_records(ccel *c)
{
    put_record(c, 1, 0x8000000bu, "handoff tables");
    put_record(c, 1, 10, "ACPI");
    put_record(c, 2, 0x80000003u, "loader");
    put_record(c, 3, 6, "command line");
    put_record(c, 3, 4, "");
}

static void honest(ccel *c)
{
    *c = (ccel){0};
    put_header(c);
    honest_records(c);
    put_u32(c, 0xffffffffu);
}

typedef struct row {
    const char *name;
    void (*make)(ccel *c); /* NULL: the honest log with one byte changed */
    size_t at;
    uint8_t value;
    atls_code code;
    const char *field;
    const char *expected;
    const char *actual;
} row;

static bool replay(fix_bench *b, const ccel *c, atls_eventlog_claims *out)
{
    dstack_log log;
    return dstack_log_decode(atls_bytes_of(c->bytes, c->len), &b->arena, &log, &b->err)
           && dstack_log_replay(b->crypto, &log, (const uint8_t(*)[48])c->rtmr, &b->arena, out, &b->trace, &b->err);
}

static void run_row(void **state)
{
    const row *r = *state;
    static ccel c;
    fix_bench b;
    atls_eventlog_claims claims;
    fix_bench_open(&b);
    if (r->make != NULL) {
        r->make(&c);
    } else {
        honest(&c);
        c.bytes[r->at] = r->value;
    }
    bool ok = replay(&b, &c, &claims);
    assert_int_equal(ok, r->code == ATLS_OK);
    if (ok) {
        assert_true(claims.present && claims.is_ccel && !claims.system_ready);
        assert_int_equal(claims.compose_hash.len + claims.certificate.len, 0);
    } else {
        fix_expect(&b.err, r->code, r->field, r->expected, r->actual);
    }
    fix_bench_close(&b);
}

/* ---- logs that are fine ---- */

static void no_terminator(ccel *c)
{
    honest(c);
    c->len -= 4;
}

static void padded_ff(ccel *c)
{
    honest(c);
    for (int i = 0; i < 99; i++) {
        put_u8(c, 0xff);
    }
}

static void padded_zero(ccel *c)
{
    honest(c);
    for (int i = 0; i < 99; i++) {
        put_u8(c, 0);
    }
}

static void two_algorithms(ccel *c)
{
    *c = (ccel){.sha256_too = true};
    put_header(c);
    honest_records(c);
}

static void index_zero(ccel *c)
{
    *c = (ccel){0};
    put_header(c);
    put_record(c, 0, 0x80000008u, "firmware, in MRTD");
    honest_records(c);
}

static void no_action(ccel *c)
{
    *c = (ccel){0};
    put_header(c);
    put_record(c, 1, 3, "not extended");
    honest_records(c);
}

static void index_four(ccel *c)
{
    *c = (ccel){0};
    put_header(c);
    put_record(c, 4, 6, "RTMR3, by somebody else than dstack");
    honest_records(c);
}

static void header_index_zero(ccel *c)
{
    honest(c);
    c->bytes[0] = 0;
}

static void only_header(ccel *c)
{
    *c = (ccel){0};
    put_header(c);
}

/* ---- logs that are not ---- */

static void algorithm_twice(ccel *c)
{
    two_algorithms(c);
    c->bytes[AT_ALGORITHM] = 0x0c;
    c->bytes[AT_DIGEST_SIZE] = 48;
}

static void record_runtime(ccel *c)
{
    *c = (ccel){0};
    put_header(c);
    put_record(c, 4, DSTACK_RUNTIME_EVENT, "compose-hash");
}

static void record_algorithm_twice(ccel *c)
{
    two_algorithms(c);
    /* the first record's SHA-256 digest claims to be SHA-384, like the one after it */
    size_t at = AT_RECORD + 4 + 12;
    c->bytes[at] = 0x0c;
    c->bytes[at + 50] = 0x0c;
    c->bytes[at + 51] = 0;
}

static void record_without_sha384(ccel *c)
{
    two_algorithms(c);
    c->bytes[AT_RECORD + 4 + 8] = 1; /* one digest only, SHA-256 */
}

static void record_digest(ccel *c)
{
    honest(c);
    c->bytes[AT_DIGEST] ^= 1;
}

static void record_made_no_action(ccel *c)
{
    honest(c);
    memset(c->bytes + AT_TYPE, 0, 4);
    c->bytes[AT_TYPE] = 3;
}

static void after_end(ccel *c)
{
    honest(c);
    put_record(c, 1, 10, "hidden behind the end");
}

static void after_end_mixed(ccel *c)
{
    honest(c);
    put_u8(c, 0xff);
    put_u8(c, 0x00);
}

static void after_end_other(ccel *c)
{
    honest(c);
    put_u8(c, 0x01);
}

static void half_terminator(ccel *c)
{
    honest(c);
    c->len -= 2;
}

static void zero_tail(ccel *c)
{
    no_terminator(c);
    for (int i = 0; i < 128; i++) {
        put_u8(c, 0);
    }
}

#define PARSE ATLS_E_EVENT_LOG_PARSE
#define RTMR  ATLS_E_RTMR_MISMATCH

/* clang-format off */
static const row rows[] = {
    {"an honest CCEL replays and claims no runtime event", honest, 0, 0, ATLS_OK, NULL, NULL, NULL},
    {"the end of the bytes ends it too", no_terminator, 0, 0, ATLS_OK, NULL, NULL, NULL},
    {"padding with 0xFF after the end", padded_ff, 0, 0, ATLS_OK, NULL, NULL, NULL},
    {"padding with zeros after the end", padded_zero, 0, 0, ATLS_OK, NULL, NULL, NULL},
    {"other algorithms beside SHA-384 are passed over", two_algorithms, 0, 0, ATLS_OK, NULL, NULL, NULL},
    {"index 0 belongs to MRTD and is dropped", index_zero, 0, 0, ATLS_OK, NULL, NULL, NULL},
    {"EV_NO_ACTION is not extended", no_action, 0, 0, ATLS_OK, NULL, NULL, NULL},
    {"index 4 is RTMR3", index_four, 0, 0, ATLS_OK, NULL, NULL, NULL},
    {"a header with TCG's own index", header_index_zero, 0, 0, ATLS_OK, NULL, NULL, NULL},
    {"a header alone is an empty log", only_header, 0, 0, ATLS_OK, NULL, NULL, NULL},

    {"a header with another index", NULL, 0, 2, PARSE, "event_log.header.index", "0 or 1", "2"},
    {"a header of another type", NULL, 4, 4, PARSE, "event_log.header.type", "3", "4"},
    {"a header with a digest", NULL, 27, 1, PARSE, "event_log.header.digest", "zeros", NULL},
    {"a header event one byte short", NULL, AT_HEADER_SIZE, 32, PARSE, "event_log.header.event.vendor_info_size", "1 bytes", "0 bytes"},
    {"a header event one byte long", NULL, AT_HEADER_SIZE, 34, PARSE, "event_log.header.event", "0 bytes", "1 bytes"},
    {"a header event beyond the log", NULL, AT_HEADER_SIZE + 3, 0xff, PARSE, "event_log.header.event", NULL, NULL},
    {"another signature", NULL, AT_SIGNATURE + 14, '2', PARSE, "event_log.header.event.signature", "Spec ID Event03", NULL},
    {"a signature without its NUL", NULL, AT_SIGNATURE + 15, ' ', PARSE, "event_log.header.event.signature", "Spec ID Event03", NULL},
    {"another major version", NULL, AT_MAJOR, 3, PARSE, "event_log.header.event.spec_version_major", "2", "3"},
    {"no algorithm", NULL, AT_N_ALGORITHMS, 0, PARSE, "event_log.header.event.number_of_algorithms", "1 to 8", "0"},
    {"more algorithms than there are", NULL, AT_N_ALGORITHMS, 9, PARSE, "event_log.header.event.number_of_algorithms", "1 to 8", "9"},
    {"no SHA-384", NULL, AT_ALGORITHM, 0x0b, PARSE, "event_log.header.event.algorithm_id", "12", NULL},
    {"R7: SHA-384 of 47 bytes", NULL, AT_DIGEST_SIZE, 47, PARSE, "event_log.header.event.digest_size", "48", "47"},
    {"an algorithm listed twice", algorithm_twice, 0, 0, PARSE, "event_log.header.event.algorithm_id", NULL, "12"},
    {"vendor information that is not there", NULL, AT_VENDOR_SIZE, 1, PARSE, "event_log.header.event.vendor_info", "1 bytes", "0 bytes"},
    {"R2: index 5 is no register", NULL, AT_RECORD, 5, PARSE, "event_log[0].index", "0 to 4", "5"},
    {"R3: a runtime event in a binary log", record_runtime, 0, 0, PARSE, "event_log[0].type", "a boot event", "134217729"},
    {"a record without digests", NULL, AT_COUNT, 0, PARSE, "event_log[0].digests", NULL, "0"},
    {"a record with more digests than algorithms", NULL, AT_COUNT, 2, PARSE, "event_log[0].digests", NULL, "2"},
    {"a record with 4 billion digests", NULL, AT_COUNT + 3, 0xff, PARSE, "event_log[0].digests", NULL, NULL},
    {"an algorithm that the header does not list", NULL, AT_RECORD_ALGORITHM, 0x0d, PARSE, "event_log[0].digests", NULL, "13"},
    {"an algorithm twice in a record", record_algorithm_twice, 0, 0, PARSE, "event_log[0].digests", NULL, "12"},
    {"a record without its SHA-384", record_without_sha384, 0, 0, PARSE, "event_log[0].digests", "SHA-384", NULL},
    {"event data beyond the log", NULL, AT_SIZE + 3, 0x80, PARSE, "event_log[0].event", NULL, NULL},
    {"data after the end", after_end, 0, 0, PARSE, "event_log[5]", "0xFF or zeros", NULL},
    {"padding of two kinds", after_end_mixed, 0, 0, PARSE, "event_log[5]", "0xFF or zeros", NULL},
    {"padding of another kind", after_end_other, 0, 0, PARSE, "event_log[5]", "0xFF or zeros", NULL},
    {"half an end", half_terminator, 0, 0, PARSE, "event_log[5].index", "4 bytes", "2 bytes"},
    {"zeros without an end are no padding", zero_tail, 0, 0, PARSE, "event_log[5].digests", NULL, "0"},
    {"replay: another digest", record_digest, 0, 0, RTMR, "rtmr0", NULL, NULL},
    {"replay: a record moved to another register", NULL, AT_RECORD, 2, RTMR, "rtmr0", NULL, NULL},
    {"replay: a record hidden as EV_NO_ACTION", record_made_no_action, 0, 0, RTMR, "rtmr0", NULL, NULL},
    {"replay: a record hidden under index 0", NULL, AT_RECORD, 0, RTMR, "rtmr0", NULL, NULL},
};
/* clang-format on */

/* ---- limits ---- */

static void limits(void **state)
{
    (void)state;
    static ccel c;
    fix_bench b;
    dstack_log log;
    fix_bench_open(&b);
    c = (ccel){0};
    put_header(&c);
    size_t header_len = c.len;
    put_record(&c, 1, 10, "");
    size_t record_len = c.len - header_len;
    size_t size = header_len + (ATLS_MAX_EVENTS + 1) * record_len;
    uint8_t *many = malloc(size);
    assert_non_null(many);
    memcpy(many, c.bytes, header_len);
    for (size_t i = 0; i <= ATLS_MAX_EVENTS; i++) {
        memcpy(many + header_len + i * record_len, c.bytes + header_len, record_len);
    }
    assert_true(dstack_log_decode(atls_bytes_of(many, size - record_len), &b.arena, &log, &b.err));
    assert_int_equal(log.n_events, ATLS_MAX_EVENTS);
    assert_false(dstack_log_decode(atls_bytes_of(many, size), &b.arena, &log, &b.err));
    fix_expect(&b.err, PARSE, "event_log[4096]", NULL, NULL);
    free(many);
    fix_bench_close(&b);
}

static void payload_limit(void **state)
{
    (void)state;
    static ccel c;
    fix_bench b;
    dstack_log log;
    fix_bench_open(&b);
    c = (ccel){0};
    put_header(&c);
    put_record(&c, 1, 10, "");
    size_t len = c.len + ATLS_MAX_EVENT_PAYLOADS_LEN + 1;
    uint8_t *big = calloc(1, len);
    assert_non_null(big);
    memcpy(big, c.bytes, c.len);
    big[c.len - 2] = 0x10; /* 0x00100000 bytes of data */
    assert_true(dstack_log_decode(atls_bytes_of(big, len - 1), &b.arena, &log, &b.err));
    big[c.len - 4] = 0x01;
    assert_false(dstack_log_decode(atls_bytes_of(big, len), &b.arena, &log, &b.err));
    fix_expect(&b.err, PARSE, "event_log[0]", NULL, NULL);
    free(big);
    fix_bench_close(&b);
}

/* ---- properties ---- */

/* A cut is refused where it is read, or the registers differ; only the mark of the end may go. */
static void every_prefix(void **state)
{
    (void)state;
    static ccel c;
    fix_bench b;
    fix_bench_open(&b);
    honest(&c);
    size_t whole = c.len;
    for (c.len = 0; c.len < whole; c.len++) {
        atls_eventlog_claims claims;
        fix_bench_clear(&b);
        assert_int_equal(replay(&b, &c, &claims), c.len == whole - 4);
    }
    fix_bench_close(&b);
}

static void expect_same(const dstack_log *a, const dstack_log *b)
{
    size_t k = 0;
    for (size_t i = 0; i < a->n_events; i++, k++) {
        assert_true(k < b->n_events);
        assert_int_equal(a->events[i].imr, b->events[k].imr);
        assert_memory_equal(a->events[i].digest, b->events[k].digest, 48);
    }
    assert_int_equal(k, b->n_events);
}

/* Flips every step-th bit: refused, or the same registers and digests. */
static void flip(fix_bench *b, const uint8_t *bytes, size_t len, const uint8_t rtmr[4][48], size_t step)
{
    fix_bench right;
    dstack_log log;
    fix_bench_open(&right);
    assert_true(dstack_log_decode(atls_bytes_of(bytes, len), &right.arena, &log, &right.err));
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    for (size_t i = 0; i < 8 * len; i += step) {
        dstack_log other;
        atls_eventlog_claims claims;
        fix_bench_clear(b);
        copy[i / 8] = (uint8_t)(copy[i / 8] ^ 1u << i % 8);
        if (dstack_log_decode(atls_bytes_of(copy, len), &b->arena, &other, &b->err)
            && dstack_log_replay(b->crypto, &other, rtmr, &b->arena, &claims, &b->trace, &b->err)) {
            expect_same(&log, &other);
        }
        copy[i / 8] = bytes[i / 8];
    }
    free(copy);
    fix_bench_close(&right);
}

static void every_flip(void **state)
{
    (void)state;
    static ccel c;
    fix_bench b;
    fix_bench_open(&b);
    honest(&c);
    flip(&b, c.bytes, c.len, (const uint8_t(*)[48])c.rtmr, 1);
    fix_bench_close(&b);
}

/* ---- real evidence ---- */

static void real_values(fix_bench *b, uint8_t rtmr[4][48], uint64_t n[5])
{
    static const char *const names[] = {"rtmr0", "rtmr1", "rtmr2"};
    static const char *const imrs[] = {"1", "2", "3"};
    const atls_json *expected = atls_json_find(fix_vector(b, "ccel-gcp-cos113-replay"), "expected");
    memset(rtmr, 0, 4 * 48);
    n[0] = n[4] = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_true(atls_json_member_hex(expected, "", names[i], rtmr[i], 48, &b->err));
        assert_true(
            atls_json_member_uint(atls_json_find(expected, "events_per_imr"), "", imrs[i], 1000, &n[i + 1], &b->err));
    }
    assert_true(atls_json_member_uint(expected, "", "events_after_header", 1000, &n[0], &b->err));
}

static void real_log(void **state)
{
    (void)state;
    fix_bench b;
    dstack_log log;
    atls_eventlog_claims claims;
    uint8_t rtmr[4][48];
    uint64_t n[5];
    size_t counted[4] = {0};
    fix_bench_open(&b);
    atls_bytes file = fix_file(&b, "dcap/ccel-gcp-cos113/ccel.bin");
    real_values(&b, rtmr, n);
    assert_true(dstack_log_decode(file, &b.arena, &log, &b.err));
    assert_true(dstack_log_replay(b.crypto, &log, (const uint8_t(*)[48])rtmr, &b.arena, &claims, &b.trace, &b.err));
    assert_true(claims.is_ccel);
    assert_int_equal(claims.n_events, n[0]);
    for (size_t i = 0; i < claims.n_events; i++) {
        counted[claims.events[i].imr]++;
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(counted[i], n[i + 1]);
    }
    fix_bench_close(&b);
}

/* The file is 18 KB, so every 61st bit. */
static void real_flips(void **state)
{
    (void)state;
    fix_bench vectors;
    fix_bench b;
    uint8_t rtmr[4][48];
    uint64_t n[5];
    fix_bench_open(&vectors);
    atls_bytes file = fix_file(&vectors, "dcap/ccel-gcp-cos113/ccel.bin");
    real_values(&vectors, rtmr, n);
    fix_bench_open(&b);
    flip(&b, file.ptr, file.len, (const uint8_t(*)[48])rtmr, 61);
    fix_bench_close(&b);
    fix_bench_close(&vectors);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run_row, &rows[i]);
    }
    tap_add(&l, "R10: 4096 records are read, 4097 are not", limits, NULL);
    tap_add(&l, "R10: 1 MiB of event data is read, one byte more is not", payload_limit, NULL);
    tap_add(&l, "every proper prefix is refused, but for the mark of the end", every_prefix, NULL);
    tap_add(&l, "every single-bit flip is refused or changes no digest", every_flip, NULL);
    tap_add(&l, "real: ccel-gcp-cos113 replays, with its counts", real_log, NULL);
    tap_add(&l, "real: sampled flips of ccel-gcp-cos113", real_flips, NULL);
    return tap_run("dstack_ccel", &l);
}
