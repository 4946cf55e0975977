/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrol_challenge.c: challenges as read, as written, and against the phone's clock (sections 2 and 8). */
#include "base/check.h"

#include "atls/enrol.h"

#define OID      "2.25.266612578647278744056060545794611611433"
#define TIMES    "\"issuedAt\":1727740800000,\"validity\":300,"
#define NONCE    "\"nonce\":\"ysQwcICHXEGL62aOglZJ3A\","
#define ENDPOINT "\"attestationEndpoint\":\"https://ca.example/api/v1/attest\","
#define PROOF    "\"proofOID\":\"" OID "\""

/* ---- reading ---- */

typedef struct read_row {
    const char *name;
    const char *json;
    const char *field; /* NULL: it is read */
} read_row;

/* One member, the rest as it should be. */
#define WITH_TIMES(times)       "{" times NONCE ENDPOINT PROOF "}"
#define WITH_NONCE(nonce)       "{" TIMES "\"nonce\":" nonce "," ENDPOINT PROOF "}"
#define WITH_ENDPOINT(endpoint) "{" TIMES NONCE "\"attestationEndpoint\":" endpoint "," PROOF "}"
#define WITH_PROOF(oid)         "{" TIMES NONCE ENDPOINT "\"proofOID\":" oid "}"
/* 126 bytes */
#define ZEROS                                                                                                          \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                 \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const read_row read_rows[] = {
    {"as it should be", WITH_TIMES(TIMES), NULL},
    {"another order", "{" PROOF "," ENDPOINT NONCE "\"validity\":300,\"issuedAt\":1727740800000}", NULL},
    {"members that are not known", WITH_TIMES(TIMES "\"postEndpoint\":[{}],"), NULL},
    {"white space", " {" TIMES " " NONCE " " ENDPOINT " " PROOF " } ", NULL},
    {"no validity", WITH_TIMES("\"issuedAt\":1,"), NULL},
    {"validity null", WITH_TIMES("\"issuedAt\":1,\"validity\":null,"), NULL},
    {"time zone null", WITH_TIMES(TIMES "\"timeZone\":null,"), NULL},
    {"time zone by name", WITH_TIMES(TIMES "\"timeZone\":\"Europe/Vienna\","), NULL},
    {"time zone UTC", WITH_TIMES(TIMES "\"timeZone\":\"UTC\","), NULL},
    {"time zone by offset", WITH_TIMES(TIMES "\"timeZone\":\"+02:00\","), NULL},
    {"nonce with padding", WITH_NONCE("\"ysQwcICHXEGL62aOglZJ3A==\""), NULL},
    {"nonce of one byte", WITH_NONCE("\"AA\""), NULL},
    {"nonce of 128 bytes", WITH_NONCE("\"" ZEROS "AAA\""), NULL},
    {"nonce with the digits - and _", WITH_NONCE("\"-_-_\""), NULL},
    {"http", WITH_ENDPOINT("\"http://ca.example\""), NULL},
    {"no case in schemes", WITH_ENDPOINT("\"HTTPS://ca.example:8443/attest?a=b\""), NULL},
    {"an address", WITH_ENDPOINT("\"https://[2001:db8::1]:8443/attest\""), NULL},
    {"a query and no path", WITH_ENDPOINT("\"https://ca.example?x\""), NULL},
    {"a small OID", WITH_PROOF("\"1.2.3\""), NULL},

    {"nothing", "", "challenge"},
    {"cut", "{" TIMES NONCE ENDPOINT PROOF, "challenge"},
    {"no object", "[]", "challenge"},
    {"null", "null", "challenge"},
    {"trailing", WITH_TIMES(TIMES) "x", "challenge"},
    {"a member twice", WITH_TIMES(TIMES "\"validity\":300,"), "challenge"},
    {"an unknown member twice", WITH_TIMES(TIMES "\"a\":1,\"a\":1,"), "challenge"},
    {"a member twice, once in escapes", WITH_TIMES(TIMES "\"nonc\\u0065\":\"AAAA\","), "challenge"},
    {"no UTF-8", WITH_TIMES(TIMES "\"a\":\"\xff\","), "challenge"},
    {"no issuedAt", WITH_TIMES("\"validity\":300,"), "challenge.issuedAt"},
    {"issuedAt null", WITH_TIMES("\"issuedAt\":null,"), "challenge.issuedAt"},
    {"issuedAt a string", WITH_TIMES("\"issuedAt\":\"1\","), "challenge.issuedAt"},
    {"issuedAt negative", WITH_TIMES("\"issuedAt\":-1,"), "challenge.issuedAt"},
    {"issuedAt with a fraction", WITH_TIMES("\"issuedAt\":1.0,"), "challenge.issuedAt"},
    {"issuedAt with an exponent", WITH_TIMES("\"issuedAt\":1e3,"), "challenge.issuedAt"},
    {"issuedAt of 2^63", WITH_TIMES("\"issuedAt\":9223372036854775808,"), "challenge.issuedAt"},
    {"issuedAt of 2^64 + 1", WITH_TIMES("\"issuedAt\":18446744073709551617,"), "challenge.issuedAt"},
    {"validity negative", WITH_TIMES("\"issuedAt\":1,\"validity\":-1,"), "challenge.validity"},
    {"validity with a fraction", WITH_TIMES("\"issuedAt\":1,\"validity\":1.5,"), "challenge.validity"},
    {"validity of 2^63", WITH_TIMES("\"issuedAt\":1,\"validity\":9223372036854775808,"), "challenge.validity"},
    {"validity a duration", WITH_TIMES("\"issuedAt\":1,\"validity\":\"PT5M\","), "challenge.validity"},
    {"time zone a number", WITH_TIMES(TIMES "\"timeZone\":2,"), "challenge.timeZone"},
    {"time zone empty", WITH_TIMES(TIMES "\"timeZone\":\"\","), "challenge.timeZone"},
    {"time zone with a blank", WITH_TIMES(TIMES "\"timeZone\":\"Europe/New Vienna\","), "challenge.timeZone"},
    {"time zone with a NUL", WITH_TIMES(TIMES "\"timeZone\":\"UTC\\u0000\","), "challenge.timeZone"},
    {"time zone of 65 characters",
     WITH_TIMES(TIMES "\"timeZone\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","),
     "challenge.timeZone"},
    {"no nonce", "{" TIMES ENDPOINT PROOF "}", "challenge.nonce"},
    {"nonce null", WITH_NONCE("null"), "challenge.nonce"},
    {"nonce empty", WITH_NONCE("\"\""), "challenge.nonce"},
    {"nonce of 129 bytes", WITH_NONCE("\"" ZEROS "AAAA\""), "challenge.nonce"},
    {"nonce in base64", WITH_NONCE("\"+/+/\""), "challenge.nonce"},
    {"nonce with half its padding", WITH_NONCE("\"ysQwcICHXEGL62aOglZJ3A=\""), "challenge.nonce"},
    {"nonce with too much padding", WITH_NONCE("\"AAAA====\""), "challenge.nonce"},
    {"nonce of padding", WITH_NONCE("\"====\""), "challenge.nonce"},
    {"nonce with white space", WITH_NONCE("\"AAAA AAAA\""), "challenge.nonce"},
    {"nonce with a new line", WITH_NONCE("\"AAAA\\n\""), "challenge.nonce"},
    {"nonce with a digit too many", WITH_NONCE("\"AAAAA\""), "challenge.nonce"},
    {"nonce with bits left over", WITH_NONCE("\"AB\""), "challenge.nonce"},
    {"no endpoint", "{" TIMES NONCE PROOF "}", "challenge.attestationEndpoint"},
    {"endpoint empty", WITH_ENDPOINT("\"\""), "challenge.attestationEndpoint"},
    {"endpoint relative", WITH_ENDPOINT("\"/api/v1/attest\""), "challenge.attestationEndpoint"},
    {"endpoint without scheme", WITH_ENDPOINT("\"//ca.example/a\""), "challenge.attestationEndpoint"},
    {"endpoint of another scheme", WITH_ENDPOINT("\"ftp://ca.example/\""), "challenge.attestationEndpoint"},
    {"endpoint that only begins like one", WITH_ENDPOINT("\"httpsx://ca.example/\""), "challenge.attestationEndpoint"},
    {"endpoint without host", WITH_ENDPOINT("\"https:///attest\""), "challenge.attestationEndpoint"},
    {"endpoint with a port only", WITH_ENDPOINT("\"https://:443/\""), "challenge.attestationEndpoint"},
    {"endpoint with an empty port", WITH_ENDPOINT("\"https://ca.example:/\""), "challenge.attestationEndpoint"},
    {"endpoint with port 0", WITH_ENDPOINT("\"https://ca.example:0/\""), "challenge.attestationEndpoint"},
    {"endpoint with port 65536", WITH_ENDPOINT("\"https://ca.example:65536/\""), "challenge.attestationEndpoint"},
    {"endpoint with a port that is none", WITH_ENDPOINT("\"https://ca.example:4a/\""), "challenge.attestationEndpoint"},
    {"endpoint with a user", WITH_ENDPOINT("\"https://ca.example@evil.example/\""), "challenge.attestationEndpoint"},
    {"endpoint with a backslash", WITH_ENDPOINT("\"https://evil.example\\\\ca.example/\""),
     "challenge.attestationEndpoint"},
    {"endpoint with a blank", WITH_ENDPOINT("\"https://ca.example/a b\""), "challenge.attestationEndpoint"},
    {"endpoint with a line end", WITH_ENDPOINT("\"https://ca.example/a\\r\\nX: y\""), "challenge.attestationEndpoint"},
    {"endpoint with a NUL", WITH_ENDPOINT("\"https://ca.example/\\u0000\""), "challenge.attestationEndpoint"},
    {"endpoint with a fragment", WITH_ENDPOINT("\"https://ca.example/#a\""), "challenge.attestationEndpoint"},
    {"endpoint beyond ASCII", WITH_ENDPOINT("\"https://c\xc3\xa4.example/\""), "challenge.attestationEndpoint"},
    {"endpoint with half an address", WITH_ENDPOINT("\"https://[2001:db8::1/\""), "challenge.attestationEndpoint"},
    {"endpoint with an address that ends otherwise", WITH_ENDPOINT("\"https://[::1-:443/\""),
     "challenge.attestationEndpoint"},
    {"endpoint with an empty address", WITH_ENDPOINT("\"https://[]/\""), "challenge.attestationEndpoint"},
    {"no proofOID", "{" TIMES NONCE "\"attestationEndpoint\":\"https://ca.example/\"}", "challenge.proofOID"},
    {"proofOID a number", WITH_PROOF("2.25"), "challenge.proofOID"},
    {"proofOID of one arc", WITH_PROOF("\"2\""), "challenge.proofOID"},
    {"proofOID of 129 bits", WITH_PROOF("\"2.25.340282366920938463463374607431768211456\""), "challenge.proofOID"},
};

static void check_empty(const atls_enrol_challenge *c)
{
    assert_true(c->issued_ms == 0 && !c->has_validity && c->validity_s == 0 && c->time_zone.len == 0);
    assert_true(c->nonce.len == 0 && c->endpoint.len == 0 && c->proof_oid.len == 0);
}

static void test_read(void **state)
{
    const read_row *row = *state;
    atls_error err = {0};
    atls_enrol_challenge out;
    bool ok = atls_enrol_challenge_read(atls_bytes_str(row->json), check_arena(), &out, &err);
    check_error(&err, row->field == NULL ? ATLS_OK : ATLS_E_ENROL_CHALLENGE, row->field == NULL ? "" : row->field);
    assert_int_equal(ok, row->field == NULL);
    if (!ok) {
        check_empty(&out);
    }
}

static void test_values(void **state)
{
    (void)state;
    static const uint8_t nonce[] = {0xca, 0xc4, 0x30, 0x70, 0x80, 0x87, 0x5c, 0x41,
                                    0x8b, 0xeb, 0x66, 0x8e, 0x82, 0x56, 0x49, 0xdc};
    atls_error err = {0};
    atls_enrol_challenge c;
    const char *json = WITH_TIMES(TIMES "\"timeZone\":\"+02:00\",");
    assert_true(atls_enrol_challenge_read(atls_bytes_str(json), check_arena(), &c, &err));
    assert_true(c.issued_ms == 1727740800000 && c.has_validity && c.validity_s == 300);
    assert_true(atls_bytes_equal_str(c.time_zone, "+02:00"));
    assert_true(atls_bytes_equal(c.nonce, atls_bytes_of(nonce, sizeof nonce)));
    assert_true(atls_bytes_equal_str(c.endpoint, "https://ca.example/api/v1/attest"));
    assert_true(atls_bytes_equal_str(c.proof_oid, OID));
    json = WITH_TIMES("\"issuedAt\":9223372036854775807,\"validity\":null,");
    assert_true(atls_enrol_challenge_read(atls_bytes_str(json), check_arena(), &c, &err));
    assert_true(c.issued_ms == INT64_MAX && !c.has_validity && c.validity_s == 0 && c.time_zone.len == 0);
}

/* 64 KiB are read, one byte more is not, whatever stands in it. */
static void test_length(void **state)
{
    (void)state;
    static char text[ATLS_ENROL_MAX_MESSAGE_LEN + 1];
    const char *json = WITH_TIMES(TIMES);
    atls_error err = {0};
    atls_enrol_challenge out;
    memset(text, ' ', sizeof text);
    memcpy(text, json, strlen(json));
    assert_true(atls_enrol_challenge_read(atls_bytes_of(text, sizeof text - 1), check_arena(), &out, &err));
    assert_false(atls_enrol_challenge_read(atls_bytes_of(text, sizeof text), check_arena(), &out, &err));
    check_error(&err, ATLS_E_ENROL_CHALLENGE, "challenge");
    check_empty(&out);
}

/* ---- writing ---- */

static const uint8_t nonce_octets[130];

static atls_enrol_challenge challenge(void)
{
    return (atls_enrol_challenge){.issued_ms = 1727740800000,
                                  .has_validity = true,
                                  .validity_s = 300,
                                  .time_zone = atls_bytes_str("UTC"),
                                  .nonce = atls_bytes_of(nonce_octets, 32),
                                  .endpoint = atls_bytes_str("https://ca.example/api/v1/attest"),
                                  .proof_oid = atls_bytes_str(OID)};
}

/* 2 KiB of URL, and one more, to be read and to be written. */
static void test_endpoint_length(void **state)
{
    (void)state;
    static char url[2049] = "https://ca.example/";
    static char json[4096];
    memset(url + strlen(url), 'a', sizeof url - strlen(url));
    for (size_t len = sizeof url - 1; len <= sizeof url; len++) {
        const bool fits = len < sizeof url;
        const char *field = fits ? "" : "challenge.attestationEndpoint";
        atls_error err = {0};
        atls_bytes out;
        atls_enrol_challenge c;
        snprintf(json, sizeof json, WITH_ENDPOINT("\"%.*s\""), (int)len, url);
        assert_int_equal(atls_enrol_challenge_read(atls_bytes_str(json), check_arena(), &c, &err), fits);
        check_error(&err, fits ? ATLS_OK : ATLS_E_ENROL_CHALLENGE, field);
        c = challenge();
        c.endpoint = atls_bytes_of(url, len);
        err = (atls_error){0};
        assert_int_equal(atls_enrol_challenge_write(&c, check_arena(), &out, &err), fits);
        check_error(&err, fits ? ATLS_OK : ATLS_E_USAGE, field);
    }
}

static void test_write(void **state)
{
    (void)state;
    const char *wanted = "{\"issuedAt\":1727740800000,\"validity\":300,\"timeZone\":\"UTC\","
                         "\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"," ENDPOINT PROOF "}";
    atls_error err = {0};
    atls_arena *a = check_arena();
    atls_bytes json;
    atls_enrol_challenge in = challenge();
    atls_enrol_challenge back;
    assert_true(atls_enrol_challenge_write(&in, a, &json, &err));
    assert_true(atls_bytes_equal_str(json, wanted));
    assert_true(atls_enrol_challenge_read(json, a, &back, &err));
    assert_true(back.issued_ms == in.issued_ms && back.has_validity && back.validity_s == in.validity_s);
    assert_true(atls_bytes_equal(back.nonce, in.nonce) && atls_bytes_equal(back.time_zone, in.time_zone));
    /* what is not stated is left out: strict clients know no null */
    in.has_validity = false;
    in.time_zone = atls_bytes_empty();
    assert_true(atls_enrol_challenge_write(&in, a, &json, &err));
    wanted =
        "{\"issuedAt\":1727740800000,\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"," ENDPOINT PROOF "}";
    assert_true(atls_bytes_equal_str(json, wanted));
}

static void nonce_of_15(atls_enrol_challenge *c)
{
    c->nonce.len = ATLS_ENROL_MIN_NONCE_LEN - 1;
}
static void nonce_of_16(atls_enrol_challenge *c)
{
    c->nonce.len = ATLS_ENROL_MIN_NONCE_LEN;
}
static void nonce_of_128(atls_enrol_challenge *c)
{
    c->nonce.len = ATLS_ENROL_MAX_NONCE_LEN;
}
static void nonce_of_129(atls_enrol_challenge *c)
{
    c->nonce.len = ATLS_ENROL_MAX_NONCE_LEN + 1;
}
static void issued_before(atls_enrol_challenge *c)
{
    c->issued_ms = -1;
}
static void issued_at_0(atls_enrol_challenge *c)
{
    c->issued_ms = 0;
}
static void validity_negative(atls_enrol_challenge *c)
{
    c->validity_s = -1;
}
static void validity_0(atls_enrol_challenge *c)
{
    c->validity_s = 0;
}
static void odd_zone(atls_enrol_challenge *c)
{
    c->time_zone = atls_bytes_str("U\"TC");
}
static void relative(atls_enrol_challenge *c)
{
    c->endpoint = atls_bytes_str("/attest");
}
static void no_oid(atls_enrol_challenge *c)
{
    c->proof_oid = atls_bytes_str("2.25.");
}

typedef struct write_row {
    const char *name;
    void (*change)(atls_enrol_challenge *c);
    const char *field; /* NULL: it is written */
} write_row;

static const write_row write_rows[] = {
    {"written: a nonce of 16 bytes", nonce_of_16, NULL},
    {"written: a nonce of 128 bytes", nonce_of_128, NULL},
    {"written: issued at 0", issued_at_0, NULL},
    {"written: no time at all", validity_0, NULL},
    {"not written: a nonce of 15 bytes", nonce_of_15, "challenge.nonce"},
    {"not written: a nonce of 129 bytes", nonce_of_129, "challenge.nonce"},
    {"not written: before 1970", issued_before, "challenge.issuedAt"},
    {"not written: a negative validity", validity_negative, "challenge.validity"},
    {"not written: no time zone", odd_zone, "challenge.timeZone"},
    {"not written: a relative endpoint", relative, "challenge.attestationEndpoint"},
    {"not written: no OID", no_oid, "challenge.proofOID"},
};

static void test_write_limits(void **state)
{
    const write_row *row = *state;
    atls_error err = {0};
    atls_bytes json;
    atls_enrol_challenge in = challenge();
    atls_enrol_challenge back;
    row->change(&in);
    bool ok = atls_enrol_challenge_write(&in, check_arena(), &json, &err);
    check_error(&err, row->field == NULL ? ATLS_OK : ATLS_E_USAGE, row->field == NULL ? "" : row->field);
    assert_int_equal(ok, row->field == NULL);
    assert_true(ok == (json.len > 0));
    atls_arena *second = check_arena();
    assert_true(!ok || atls_enrol_challenge_write(&in, second, &json, &err));
    assert_true(!ok || atls_enrol_challenge_read(json, second, &back, &err));
}

static void test_memory(void **state)
{
    (void)state;
    static uint8_t block[4096];
    const atls_enrol_challenge in = challenge();
    size_t n_failed = 0;
    for (size_t size = 0; size < sizeof block; size += 64) {
        atls_arena a;
        atls_error err = {0};
        atls_bytes json;
        atls_enrol_challenge out;
        atls_arena_init(&a, block, size);
        if (!atls_enrol_challenge_write(&in, &a, &json, &err)) {
            assert_int_equal(err.code, ATLS_E_MEMORY);
            n_failed++;
        }
        err = (atls_error){0};
        atls_arena_reset(&a);
        if (!atls_enrol_challenge_read(atls_bytes_str(WITH_TIMES(TIMES)), &a, &out, &err)) {
            assert_int_equal(err.code, ATLS_E_MEMORY);
            check_empty(&out);
            n_failed++;
        }
    }
    assert_true(n_failed > 4 && n_failed < 100);
}

/* ---- the phone's clock ---- */

typedef struct clock_row {
    const char *name;
    int64_t issued_ms;
    int64_t validity_s; /* -1: none is stated */
    int64_t now_ms;
    atls_code code;
} clock_row;

static const clock_row clock_rows[] = {
    {"clock: issued this very moment", 1000, 5, 1000, ATLS_OK},
    {"clock: a millisecond before", 1000, 5, 999, ATLS_E_NOT_YET_VALID},
    {"clock: the last millisecond", 1000, 5, 6000, ATLS_OK},
    {"clock: a millisecond later", 1000, 5, 6001, ATLS_E_EXPIRED},
    {"clock: whole seconds later", 1000, 5, 8000, ATLS_E_EXPIRED},
    {"clock: milliseconds count", 1001, 5, 6001, ATLS_OK},
    {"clock: and one more", 1001, 5, 6002, ATLS_E_EXPIRED},
    {"clock: no validity, long ago", 1000, -1, INT64_MAX, ATLS_OK},
    {"clock: no validity, too early", 1000, -1, 999, ATLS_E_NOT_YET_VALID},
    {"clock: no time at all, equal", 1000, 0, 1000, ATLS_OK},
    {"clock: no time at all, later", 1000, 0, 1001, ATLS_E_EXPIRED},
    {"clock: a validity without end", 1000, INT64_MAX, INT64_MAX, ATLS_OK},
    {"clock: an end that cannot be computed", INT64_MAX, INT64_MAX, INT64_MAX, ATLS_OK},
    {"clock: the far future", INT64_MAX, 5, 1000, ATLS_E_NOT_YET_VALID},
    {"clock: before 1970", 1000, 5, INT64_MIN, ATLS_E_NOT_YET_VALID},
};

static void test_clock(void **state)
{
    const clock_row *row = *state;
    const atls_enrol_challenge c = {
        .issued_ms = row->issued_ms, .has_validity = row->validity_s >= 0, .validity_s = row->validity_s};
    atls_error err = {0};
    assert_int_equal(atls_enrol_challenge_check(&c, row->now_ms, &err), row->code == ATLS_OK);
    check_error(&err, row->code,
                row->code == ATLS_OK          ? ""
                : row->code == ATLS_E_EXPIRED ? "challenge.validity"
                                              : "challenge.issuedAt");
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(read_rows); i++) {
        tap_add(&tests, read_rows[i].name, test_read, &read_rows[i]);
    }
    tap_add(&tests, "what was read", test_values, NULL);
    tap_add(&tests, "64 KiB, and one more", test_length, NULL);
    tap_add(&tests, "2 KiB of URL, and one more", test_endpoint_length, NULL);
    tap_add(&tests, "there and back", test_write, NULL);
    for (size_t i = 0; i < COUNT(write_rows); i++) {
        tap_add(&tests, write_rows[i].name, test_write_limits, &write_rows[i]);
    }
    tap_add(&tests, "an arena that is too small", test_memory, NULL);
    for (size_t i = 0; i < COUNT(clock_rows); i++) {
        tap_add(&tests, clock_rows[i].name, test_clock, &clock_rows[i]);
    }
    return tap_run("enrol_challenge", &tests);
}
