/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_chain.c: whatever was changed in an audit log afterwards is noticed. */
#include <fcntl.h>
#include <unistd.h>

#include "audit_rig.h"
#include "base/text.h"
#include "pki/signature.h"
#include "tap.h"

/* ---- what is noticed ------------------------------------------------------------------------------------------------------------ */

#define N_LINES 5 /* for lines; fewer where every byte is tried */

static void test_each_byte(void **state)
{
    static uint8_t bytes[MAX_FILE];
    static const uint8_t changes[] = {0x01, 0x20, 0x80};
    char path[2 * RIG_PATH_SIZE];
    atls_audit_report report;
    (void)state;
    const size_t len = make_log(path, 3, bytes);
    assert_true(verify(path, &report));
    uint64_t line = 1;
    for (size_t i = 0; i < len; i++) {
        const uint8_t change = changes[i % sizeof changes];
        bytes[i] ^= change;
        write_file(path, bytes, len);
        assert_false(verify(path, &report));
        assert_int_equal(report.bad_line, line);
        bytes[i] ^= change;
        line += bytes[i] == '\n' ? 1 : 0;
    }
}

/* Every byte taken away, and one more put in everywhere. */
static void test_lengths(void **state)
{
    static uint8_t bytes[MAX_FILE];
    static uint8_t other[MAX_FILE + 1];
    char path[2 * RIG_PATH_SIZE];
    atls_audit_report report;
    (void)state;
    const size_t len = make_log(path, 1, bytes);
    for (size_t i = 0; i < len; i++) {
        memcpy(other, bytes, i);
        memcpy(other + i, bytes + i + 1, len - i - 1);
        write_file(path, other, len - 1);
        assert_false(verify(path, &report));
        other[i] = ' ';
        memcpy(other + i + 1, bytes + i, len - i);
        write_file(path, other, len + 1);
        assert_false(verify(path, &report));
        other[i] = '\n';
        write_file(path, other, len + 1);
        assert_false(verify(path, &report));
    }
}

/* Lines as they were made, in another order or number. `order` has their numbers. */
static void test_lines(void **state)
{
    static const struct {
        const char *order;
        uint64_t bad; /* 0: fine */
    } orders[] = {
        {"12345", 0}, {"1234", 0}, /* cut off at the end: not to be seen here (audit.h says so) */
        {"2345", 1},  {"1345", 2},  {"1245", 3},  {"1235", 4}, {"13245", 2}, {"122345", 3},
        {"1123", 2},  {"12341", 5}, {"54321", 1}, {"1", 0},    {"", 1},
    };
    static uint8_t bytes[MAX_FILE];
    static uint8_t other[MAX_FILE];
    char path[2 * RIG_PATH_SIZE];
    (void)state;
    (void)make_log(path, N_LINES - 1, bytes);
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        size_t len = 0;
        for (const char *c = orders[i].order; *c != '\0'; c++) {
            const size_t from = find_line(bytes, (unsigned)(*c - '0'));
            const size_t n = find_line(bytes, (unsigned)(*c - '0') + 1) - from;
            memcpy(other + len, bytes + from, n);
            len += n;
        }
        atls_audit_report report;
        atls_error err = {.code = ATLS_OK};
        write_file(path, other, len);
        assert_int_equal(atls_audit_verify(path, &report, &err), orders[i].bad == 0);
        assert_int_equal(report.bad_line, orders[i].order[0] == '\0' ? 0 : orders[i].bad);
    }
}

/* A line of another log fits nowhere, though it is good by itself. */
static void test_other_log(void **state)
{
    static uint8_t bytes[MAX_FILE];
    static uint8_t other[MAX_FILE];
    char path[2 * RIG_PATH_SIZE];
    char second[2 * RIG_PATH_SIZE];
    atls_audit_report report;
    (void)state;
    (void)make_log(path, 3, bytes);
    name_log(second);
    atls_audit *a = open_log(second, NULL);
    atls_audit_entry e = audit_refused;
    e.request = "r-9";
    append(a, &e, 3);
    atls_audit_close(a);
    const size_t len = read_file(second, other);
    const size_t from = find_line(bytes, 3);
    assert_int_equal(from, find_line(other, 3));
    memcpy(other + from, bytes + from, find_line(bytes, 4) - from);
    write_file(second, other, len);
    assert_false(verify(second, &report));
    assert_int_equal(report.bad_line, 3);
}

static void test_no_log(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    static char big[MAX_FILE * 3];
    static const char *const files[] = {
        "\n",    "hello\n", "{}\n", "{\"v\":1,\"type\":\"request\"}\n", "hello", "{\"v\":1,\"type\":\"beginning",
        "\n\n\n"};
    (void)state;
    name_log(path);
    memset(big, 'a', sizeof big);
    for (size_t i = 0; i < sizeof files / sizeof files[0] + 2; i++) {
        const bool is_big = i >= sizeof files / sizeof files[0];
        const char *text = is_big ? big : files[i];
        const size_t len = is_big ? sizeof big - i : strlen(text);
        static uint8_t after[sizeof big];
        atls_audit *a = NULL;
        atls_audit_report report;
        atls_error err = {.code = ATLS_OK};
        write_file(path, text, len);
        assert_false(verify(path, &report));
        assert_false(atls_audit_open(path, NULL, RIG_NOW, &a, NULL, &err)); /* it is not written to */
        assert_int_equal(err.code, ATLS_E_ENCODING);
        const int fd = open(path, O_RDONLY);
        assert_int_equal(read(fd, after, sizeof after), len);
        assert_memory_equal(after, text, len);
        (void)close(fd);
    }
}

/* Lines whose digests are right, and which are wrong otherwise: what the chain's own rules are for. */
typedef struct lie {
    const char *name;
    const char *text; /* of all lines; $ stands for `"previous":"` and the digest before, at the end of each */
    uint64_t bad;
} lie;

#define BEGIN1 "{\"v\":1,\"type\":\"begin\",\"seq\":1,$\n"
#define ASK(n) "{\"v\":1,\"type\":\"request\",\"seq\":" #n ",$\n"
#define TORN(n, len, hex)                                                                                              \
    "{\"v\":1,\"type\":\"torn\",\"seq\":" #n ",\"torn_len\":" #len ",\"torn_sha256\":\"" hex "\",$\n"
#define SHA_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* of "abc" */

static const lie lies[] = {
    {"sealed well: nothing is wrong", BEGIN1 ASK(2) "abc\n" TORN(3, 3, SHA_ABC) ASK(4), 0},
    {"sealed well: a number left out", BEGIN1 ASK(3), 2},
    {"sealed well: a number twice", BEGIN1 ASK(1), 2},
    {"sealed well: another beginning", BEGIN1 "{\"v\":1,\"type\":\"begin\",\"seq\":2,$\n", 2},
    {"sealed well: no beginning", ASK(1), 1},
    {"sealed well: a type that is none", BEGIN1 "{\"v\":1,\"type\":\"reqwest\",\"seq\":2,$\n", 2},
    {"sealed well: another version", BEGIN1 "{\"v\":2,\"type\":\"request\",\"seq\":2,$\n", 2},
    {"sealed well: no version", BEGIN1 "{\"type\":\"request\",\"seq\":2,$\n", 2},
    {"sealed well: a member twice", BEGIN1 "{\"v\":1,\"type\":\"request\",\"seq\":2,\"seq\":2,$\n", 2},
    {"sealed well: no JSON", BEGIN1 "{\"v\":1,,\"type\":\"request\",\"seq\":2,$\n", 2},
    {"sealed well: torn, of another length", BEGIN1 "abc\n" TORN(2, 4, SHA_ABC), 2},
    {"sealed well: torn, of another content", BEGIN1 "abd\n" TORN(2, 3, SHA_ABC), 2},
    {"sealed well: torn, and the seal counts wrongly", BEGIN1 "abc\n" TORN(3, 3, SHA_ABC), 2},
    {"sealed well: two torn lines under one seal", BEGIN1 "abc\nabc\n" TORN(2, 3, SHA_ABC), 2},
    {"sealed well: a seal of nothing", BEGIN1 TORN(2, 3, SHA_ABC), 2},
    {"sealed well: a seal of a line that is good", BEGIN1 ASK(2) "{\"v\":1,\"type\":\"torn\",\"seq\":3,@$\n", 3},
    {"sealed well: a seal that comes later", BEGIN1 "abc\n" ASK(2) TORN(3, 3, SHA_ABC), 2},
    {"sealed well: the first line torn", "abc\n" TORN(1, 3, SHA_ABC) ASK(2), 0},
    {"sealed well: a seal first", TORN(1, 3, SHA_ABC), 1},
};

/* What a seal of the line before says, whatever that is. */
static void describe(const atls_crypto *crypto, atls_bytes last, char out[static 160])
{
    uint8_t digest[32];
    char hex[65];
    atls_error err = {.code = ATLS_OK};
    assert_true(atls_digest(crypto, ATLS_SHA256, &last, 1, digest, &err));
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), hex);
    (void)snprintf(out, 160, "\"torn_len\":%zu,\"torn_sha256\":\"%s\",", last.len, hex);
}

/* One line of a lie: its dollar becomes what goes before it, and its end its digest; an @ what a seal of the last line says. */
static size_t make_line(const atls_crypto *crypto, const char *text, size_t n, atls_bytes last,
                        char previous[static 65], char *out)
{
    const char *dollar = memchr(text, '$', n);
    const char *at = memchr(text, '@', n);
    char seal[160] = "";
    uint8_t digest[32];
    atls_error err = {.code = ATLS_OK};
    if (dollar == NULL) {
        memcpy(out, text, n);
        return n;
    }
    if (at != NULL) {
        describe(crypto, last, seal);
    }
    const int head = (int)((at == NULL ? dollar : at) - text);
    const int len = snprintf(out, 1024, "%.*s%s\"previous\":\"%s\"", head, text, seal, previous);
    const atls_bytes body = atls_bytes_of(out, (size_t)len);
    assert_true(atls_digest(crypto, ATLS_SHA256, &body, 1, digest, &err));
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), previous);
    return (size_t)len + (size_t)snprintf(out + len, 128, ",\"digest\":\"%s\"}\n", previous);
}

static void test_lie(void **state)
{
    const lie *l = *state;
    char path[2 * RIG_PATH_SIZE];
    char previous[65];
    char file[8192];
    size_t len = 0;
    size_t last = 0;
    atls_audit_report report;
    atls_crypto *crypto = NULL;
    atls_error err = {.code = ATLS_OK};
    assert_true(atls_crypto_new(&crypto, &err));
    memset(previous, '0', sizeof previous);
    previous[64] = '\0';
    for (const char *at = l->text; *at != '\0';) {
        const size_t n = strcspn(at, "\n") + 1;
        const size_t last_len = len - last;
        const size_t made = make_line(crypto, at, n, atls_bytes_of(file + last, last_len == 0 ? 0 : last_len - 1),
                                      previous, file + len);
        last = len;
        len += made;
        at += n;
    }
    name_log(path);
    write_file(path, file, len);
    assert_int_equal(verify(path, &report), l->bad == 0);
    assert_int_equal(report.bad_line, l->bad);
    atls_crypto_free(crypto);
}

int main(void)
{
    tap_list l = {0};
    audit_setup();
    tap_add(&l, "each byte that is changed is noticed, in its line", test_each_byte, NULL);
    tap_add(&l, "each byte that is missing or added is noticed", test_lengths, NULL);
    tap_add(&l, "lines that are missing, doubled or moved", test_lines, NULL);
    tap_add(&l, "a line of another log", test_other_log, NULL);
    tap_add(&l, "what is no audit log is refused, and not written to", test_no_log, NULL);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        tap_add(&l, lies[i].name, test_lie, &lies[i]);
    }
    const int failed = tap_run("audit_chain", &l);
    audit_teardown();
    return failed;
}
