/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_url.c: addresses of stores, and what opening says about wrong ones and wrong options. */
#include "edge/service/store.h"
#include "edge/service/store_url.h"
#include "tap.h"

typedef struct row {
    const char *text;
    atls_store_scheme scheme; /* NONE: refused */
    const char *path;
    const char *host;
    unsigned port;
    unsigned db;
    const char *user;
    const char *password;
} row;

#define V6_PLACE "::ffff:127.0.0.1"

static const row rows[] = {
    {"memory:", ATLS_STORE_MEMORY, "", "", 0, 0, "", ""},
    {"memory:x", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"memory", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"sqlite:/var/lib/atls/c.db", ATLS_STORE_SQLITE, "/var/lib/atls/c.db", "", 0, 0, "", ""},
    {"sqlite:c.db", ATLS_STORE_SQLITE, "./c.db", "", 0, 0, "", ""},
    {"sqlite::memory:", ATLS_STORE_SQLITE, "./:memory:", "", 0, 0, "", ""}, /* a file, whatever SQLite means by it */
    {"sqlite:file:c.db?mode=memory", ATLS_STORE_SQLITE, "./file:c.db?mode=memory", "", 0, 0, "", ""},
    {"sqlite:", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"sqlite:/var/lib/", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis+unix:/run/redis.sock", ATLS_STORE_REDIS_UNIX, "/run/redis.sock", "", 0, 0, "", ""},
    {"redis+unix:", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://localhost", ATLS_STORE_REDIS, "", "localhost", 6379, 0, "", ""},
    {"redis://localhost/", ATLS_STORE_REDIS, "", "localhost", 6379, 0, "", ""},
    {"redis://10.0.0.1:1/15", ATLS_STORE_REDIS, "", "10.0.0.1", 1, 15, "", ""},
    {"redis://h:65535/1023", ATLS_STORE_REDIS, "", "h", 65535, 1023, "", ""},
    {"redis://h:65536", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://h:0", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://h:", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://h:01", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://h:1a", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://h/1024", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://h/x", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://h/1/2", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://:1", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://h?x", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis:h", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://[" V6_PLACE "]:7/2", ATLS_STORE_REDIS, "", V6_PLACE, 7, 2, "", ""},
    {"redis://[::1]", ATLS_STORE_REDIS, "", "::1", 6379, 0, "", ""},
    {"redis://[::1", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://[::1]7", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://[]", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://:secret@h", ATLS_STORE_REDIS, "", "h", 6379, 0, "", "secret"},
    {"redis://me:secret@h:1/2", ATLS_STORE_REDIS, "", "h", 1, 2, "me", "secret"},
    {"redis://me:se@cr:et@h", ATLS_STORE_REDIS, "", "h", 6379, 0, "me", "se@cr:et"},
    {"redis://m%40e:%2f%25secret@h", ATLS_STORE_REDIS, "", "h", 6379, 0, "m@e", "/%secret"},
    {"redis://:secret%0@h", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://:secret%00@h", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://:secret%zz@h", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://secret@h", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://me:@h", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://:secret@", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"redis://h h", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"rediss://:secret@h", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
    {"http://h", ATLS_STORE_NONE, "", "", 0, 0, "", ""},
};

/* What an error says must not hold a password. */
static void check_silence(const atls_error *err)
{
    char line[600];
    (void)atls_error_line(err, line, sizeof line);
    assert_null(strstr(line, "secret"));
}

static void test_row(void **state)
{
    const row *r = *state;
    atls_store_url u;
    atls_error err = {.code = ATLS_OK};
    const bool ok = atls_store_url_parse(atls_bytes_str(r->text), &u, &err);
    assert_int_equal(ok, r->scheme != ATLS_STORE_NONE);
    assert_int_equal(u.scheme, r->scheme);
    assert_string_equal(u.path, r->path);
    assert_string_equal(u.host, r->host);
    assert_int_equal(u.port, r->port);
    assert_int_equal(u.db, r->db);
    assert_string_equal(u.user, r->user);
    assert_string_equal(u.password, r->password);
    check_silence(&err);
    assert_true(ok || err.code == (strncmp(r->text, "rediss:", 7) == 0 ? ATLS_E_UNSUPPORTED : ATLS_E_CONFIGURATION));
}

/* Each part is bounded: the longest is read, and one more is refused. */
static void test_lengths(void **state)
{
    static const struct {
        const char *before;
        size_t max;
        const char *after;
    } parts[] = {
        {"sqlite:/", ATLS_STORE_PATH_SIZE - 8, ""},       {"redis+unix:/", ATLS_STORE_SOCKET_LEN - 1, ""},
        {"redis://", ATLS_STORE_HOST_SIZE - 1, ""},       {"redis://:", ATLS_STORE_SECRET_SIZE - 1, "@h"},
        {"redis://", ATLS_STORE_SECRET_SIZE - 1, ":x@h"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (size_t more = 0; more < 2; more++) {
            char text[2048] = "";
            char middle[2048];
            atls_store_url u;
            atls_error err = {.code = ATLS_OK};
            memset(middle, 'a', sizeof middle);
            middle[parts[i].max + more] = '\0';
            (void)snprintf(text, sizeof text, "%s%.1200s%s", parts[i].before, middle, parts[i].after);
            assert_int_equal(atls_store_url_parse(atls_bytes_str(text), &u, &err), more == 0);
        }
    }
}

static void test_options(void **state)
{
    static const atls_challenges_options wrong[] = {
        {.max_outstanding = ATLS_CHALLENGES_MAX_OUTSTANDING + 1},
        {.timeout_ms = 60001},
        {.keep_ms = 24u * 60 * 60 * 1000 + 1},
        {.prefix = ""},
        {.prefix = "a b"},
        {.prefix = "a{b"},
        {.prefix = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        atls_challenges *s = NULL;
        atls_error err = {.code = ATLS_OK};
        assert_false(atls_challenges_open("memory:", &wrong[i], &s, &err));
        assert_int_equal(err.code, ATLS_E_CONFIGURATION);
        assert_null(s);
    }
    atls_challenges *s = NULL;
    atls_error err = {.code = ATLS_OK};
    assert_false(atls_challenges_open(NULL, NULL, &s, &err));
    atls_error_clear(&err);
    assert_true(atls_challenges_open("memory:", NULL, &s, &err));
    atls_challenges_close(s);
    atls_challenges_close(NULL);
}

static void test_unreachable(void **state)
{
    static const char *const urls[] = {"redis://:secret@127.0.0.1:1", "redis+unix:/nowhere/secret",
                                       "sqlite:/nowhere/secret"};
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        atls_challenges *s = NULL;
        atls_error err = {.code = ATLS_OK};
        assert_false(atls_challenges_open(urls[i], NULL, &s, &err));
        assert_int_equal(err.code, ATLS_E_ENROL_STORE);
        assert_int_equal(err.category, ATLS_CATEGORY_INTERNAL);
        check_silence(&err);
        assert_null(s);
    }
}

int main(void)
{
    static char names[sizeof rows / sizeof rows[0]][128];
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s: %s", rows[i].text,
                       rows[i].scheme == ATLS_STORE_NONE ? "refused" : "read");
        for (char *c = names[i]; *c != '\0'; c++) {
            *c = *c == '#' ? '_' : *c;
        }
        tap_add(&l, names[i], test_row, &rows[i]);
    }
    tap_add(&l, "each part of an address is bounded", test_lengths, NULL);
    tap_add(&l, "options out of range are refused", test_options, NULL);
    tap_add(&l, "what cannot be reached is a failure when it is opened, and no password is repeated", test_unreachable,
            NULL);
    return tap_run("store_url", &l);
}
