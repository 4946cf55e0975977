/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_redis.c: a Redis server that is killed, that comes back with what it once knew, that is promoted; and peers that
 * answer otherwise than Redis does. */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "edge/tls/clock.h"
#include "rig.h"
#include "tap.h"

#define T      RIG_NOW
#define MINUTE ((int64_t)60000)

static const char *const forgets[] = {"--save", "", NULL};
static const char *const snapshots[] = {"--save", "3600 1", NULL};
static const char *const appends[] = {"--save", "", "--appendonly", "yes", "--appendfsync", "no", NULL};

static void start(rig_redis *r, const char *const *arguments)
{
    if (!rig_redis_start(r, arguments)) {
        print_message("redis-server is not installed\n");
        skip();
    }
}

static atls_challenges *open_url(const char *url)
{
    const atls_challenges_options o = {.timeout_ms = 1000};
    atls_challenges *s = NULL;
    atls_error err = {.code = ATLS_OK};
    if (!atls_challenges_open(url, &o, &s, &err)) {
        rig_die(&err);
    }
    return s;
}

static bool try_insert(atls_challenges *s, uint32_t i)
{
    uint8_t room[32];
    bool is_full = false;
    atls_error err = {.code = ATLS_OK};
    const bool ok = atls_challenges_insert(s, rig_nonce(i, room), T, T + MINUTE, &is_full, &err);
    assert_true(ok || (err.code == ATLS_E_ENROL_STORE && !is_full));
    return ok;
}

static void insert(atls_challenges *s, uint32_t i)
{
    assert_true(try_insert(s, i));
}

/* -1: it failed, as a store fails */
static int consume(atls_challenges *s, uint32_t i)
{
    uint8_t room[32];
    atls_consumed found = ATLS_CONSUMED_FRESH;
    atls_error err = {.code = ATLS_OK};
    if (atls_challenges_consume(s, rig_nonce(i, room), T, &found, &err)) {
        return (int)found;
    }
    assert_int_equal(err.code, ATLS_E_ENROL_STORE);
    assert_int_equal(err.category, ATLS_CATEGORY_INTERNAL);
    assert_int_equal(found, ATLS_CONSUMED_UNKNOWN);
    return -1;
}

/* A command of the test's own; its answer's text or number. */
static void command(const rig_redis *r, const char *text, char *out, size_t size)
{
    char path[RIG_PATH_SIZE + 8];
    (void)snprintf(path, sizeof path, "%s/s", r->folder);
    redisContext *c = redisConnectUnix(path);
    assert_true(c != NULL && c->err == 0);
    redisReply *reply = redisCommand(c, text);
    assert_non_null(reply);
    if (reply->str == NULL) {
        (void)snprintf(out, size, "%lld", reply->integer);
    } else {
        (void)snprintf(out, size, "%s", reply->str);
    }
    freeReplyObject(reply);
    redisFree(c);
}

static void test_killed(void **state)
{
    rig_redis r;
    (void)state;
    start(&r, forgets);
    atls_challenges *s = open_url(r.url);
    atls_error err = {.code = ATLS_OK};
    insert(s, 1);
    insert(s, 2);
    assert_int_equal(consume(s, 1), ATLS_CONSUMED_FRESH);
    rig_redis_kill(&r);
    assert_int_equal(consume(s, 2), -1);
    assert_int_equal(consume(s, 3), -1);
    assert_false(try_insert(s, 4));
    assert_false(atls_challenges_ping(s, &err));
    rig_redis_restart(&r, forgets);
    assert_int_equal(consume(s, 1), ATLS_CONSUMED_UNKNOWN); /* at once: the connection is made anew */
    assert_int_equal(consume(s, 2), ATLS_CONSUMED_UNKNOWN);
    insert(s, 2);
    assert_int_equal(consume(s, 2), ATLS_CONSUMED_FRESH);
    assert_int_equal(consume(s, 2), ATLS_CONSUMED_USED);
    atls_challenges_close(s);
    rig_redis_end(&r);
}

/* The snapshot still has the nonce as unused: the test looks, so that it proves something. */
static void test_old_snapshot(void **state)
{
    rig_redis r;
    char text[64];
    (void)state;
    start(&r, snapshots);
    atls_challenges *s = open_url(r.url);
    insert(s, 1);
    command(&r, "SAVE", text, sizeof text);
    assert_string_equal(text, "OK");
    assert_int_equal(consume(s, 1), ATLS_CONSUMED_FRESH);
    rig_redis_kill(&r);
    rig_redis_restart(&r, snapshots);
    command(&r, "ZCARD {atls}:open", text, sizeof text);
    assert_string_equal(text, "1");
    assert_int_equal(consume(s, 1), ATLS_CONSUMED_UNKNOWN);
    insert(s, 2); /* which forgets the others */
    command(&r, "ZCARD {atls}:held", text, sizeof text);
    assert_string_equal(text, "1");
    assert_int_equal(consume(s, 1), ATLS_CONSUMED_UNKNOWN);
    assert_int_equal(consume(s, 2), ATLS_CONSUMED_FRESH);
    atls_challenges_close(s);
    rig_redis_end(&r);
}

/* ---- killed while many ask ------------------------------------------------------------------------------------------------------ */

#define N_NONCES 3000
#define N_ASKING 6

typedef struct crowd {
    atls_challenges *store;
    atomic_uint n_fresh[N_NONCES];
    atomic_uint n_failed;
    atomic_uint n_inserted;
    atomic_bool is_over;
} crowd;

/* Issues and uses up the same nonces over and over: whoever is told fresh twice for one insert is wrong. Each is inserted once. */
static void *ask_all(void *arg)
{
    crowd *c = arg;
    uint32_t at = 0;
    while (!atomic_load(&c->is_over)) {
        const unsigned n = atomic_load(&c->n_inserted);
        if (n == 0) {
            continue;
        }
        at = (at + 1) % (n < 40 ? n : 40);
        const uint32_t i = n - 1 - at; /* the latest ones: those that are not used yet */
        const int found = consume(c->store, i);
        atomic_fetch_add(&c->n_failed, found < 0 ? 1 : 0);
        if (found == ATLS_CONSUMED_FRESH) {
            atomic_fetch_add(&c->n_fresh[i], 1);
        }
    }
    return NULL;
}

static void *insert_all(void *arg)
{
    crowd *c = arg;
    for (uint32_t i = 0; i < N_NONCES && !atomic_load(&c->is_over); i++) {
        (void)try_insert(c->store, i);
        atomic_store(&c->n_inserted, i + 1);
    }
    return NULL;
}

static void test_restarts(void **state)
{
    static crowd c;
    const char *const *arguments = *state;
    rig_redis r;
    pthread_t threads[N_ASKING + 1];
    char text[64];
    unsigned n_fresh = 0;
    memset(&c, 0, sizeof c);
    start(&r, arguments);
    c.store = open_url(r.url);
    for (size_t i = 0; i < N_ASKING; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask_all, &c), 0);
    }
    assert_int_equal(pthread_create(&threads[N_ASKING], NULL, insert_all, &c), 0);
    for (unsigned i = 0; i < 6; i++) {
        rig_pause_ms(60);
        if (arguments == snapshots) {
            command(&r, "SAVE", text, sizeof text);
        }
        rig_pause_ms(20);
        rig_redis_kill(&r);
        rig_redis_restart(&r, arguments);
    }
    rig_pause_ms(60);
    atomic_store(&c.is_over, true);
    for (size_t i = 0; i <= N_ASKING; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < N_NONCES; i++) {
        assert_true(c.n_fresh[i] <= 1);
        n_fresh += c.n_fresh[i];
    }
    assert_true(n_fresh > 10 && c.n_failed > 0);
    atls_challenges_close(c.store);
    rig_redis_end(&r);
}

/* ---- a replica that is promoted -------------------------------------------------------------------------------------------------- */

static void follow(const rig_redis *replica, const rig_redis *primary)
{
    char text[128];
    char line[4096];
    (void)snprintf(text, sizeof text, "REPLICAOF 127.0.0.1 %u", primary->port);
    command(replica, text, line, sizeof line);
    for (unsigned i = 0; i < 1000; i++) {
        command(replica, "INFO replication", line, sizeof line);
        if (strstr(line, "master_link_status:up") != NULL) {
            return;
        }
        rig_pause_ms(10);
    }
    fail_msg("the replica does not follow");
}

static void test_failover(void **state)
{
    static const char *const quick[] = {"--save", "", "--repl-diskless-sync-delay", "0", NULL};
    rig_redis primary;
    rig_redis replica;
    char text[64];
    (void)state;
    start(&primary, quick);
    start(&replica, quick);
    follow(&replica, &primary);
    atls_challenges *a = open_url(primary.url);
    atls_challenges *b = NULL;
    atls_error err = {.code = ATLS_OK};
    insert(a, 1);
    insert(a, 2);
    for (unsigned i = 0; i < 500; i++) { /* until the replica has them */
        command(&replica, "ZCARD {atls}:open", text, sizeof text);
        if (strcmp(text, "2") == 0) {
            break;
        }
        rig_pause_ms(10);
    }
    assert_string_equal(text, "2");
    assert_false(atls_challenges_open(replica.url, NULL, &b, &err)); /* it could not write */
    command(&replica, "REPLICAOF NO ONE", text, sizeof text);
    assert_int_equal(consume(a, 1), ATLS_CONSUMED_FRESH); /* which the replica never hears of */
    b = open_url(replica.url);
    command(&replica, "ZCARD {atls}:open", text, sizeof text);
    assert_string_equal(text, "2");
    assert_int_equal(consume(b, 1), ATLS_CONSUMED_UNKNOWN);
    assert_int_equal(consume(b, 2), ATLS_CONSUMED_UNKNOWN);
    /* And back: the first one, the same process as ever, now has what the second one had. */
    follow(&primary, &replica);
    assert_int_equal(consume(a, 1), -1);
    command(&primary, "REPLICAOF NO ONE", text, sizeof text);
    command(&primary, "ZCARD {atls}:open", text, sizeof text);
    assert_string_equal(text, "2");
    assert_int_equal(consume(a, 1), ATLS_CONSUMED_UNKNOWN);
    insert(a, 3);
    assert_int_equal(consume(a, 3), ATLS_CONSUMED_FRESH);
    atls_challenges_close(a);
    atls_challenges_close(b);
    rig_redis_end(&replica);
    rig_redis_end(&primary);
}

/* ---- logging in -------------------------------------------------------------------------------------------------------------------- */

static void test_login(void **state)
{
    static const char *const guarded[] = {"--save", "", "--requirepass", "secret word", NULL};
    static const struct {
        const char *format;
        bool is_right;
    } rows[] = {
        {"redis://:secret%%20word@127.0.0.1:%u", true},
        {"redis://default:secret%%20word@127.0.0.1:%u/3", true},
        {"redis://localhost:%u", false},
        {"redis://:secretword@127.0.0.1:%u", false},
        {"redis://nobody:secret%%20word@127.0.0.1:%u", false},
        {"redis://:secret%%20word@127.0.0.1:%u/99", false},
    };
    rig_redis r;
    (void)state;
    start(&r, guarded);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char url[128];
        char line[600];
        char *to = url;
        atls_challenges *s = NULL;
        atls_error err = {.code = ATLS_OK};
        for (const char *from = rows[i].format; *from != '\0'; from++) { /* formats of the table's own */
            if (from[0] == '%' && from[1] == 'u') {
                to += snprintf(to, 8, "%u", r.port);
                from++;
            } else {
                from += from[0] == '%' ? 1 : 0;
                *to++ = *from;
            }
        }
        *to = '\0';
        assert_int_equal(atls_challenges_open(url, NULL, &s, &err), rows[i].is_right);
        (void)atls_error_line(&err, line, sizeof line);
        assert_null(strstr(line, "secret"));
        if (s != NULL) {
            insert(s, 1);
            assert_int_equal(consume(s, 1), ATLS_CONSUMED_FRESH);
        }
        atls_challenges_close(s);
    }
    rig_redis_end(&r);
}

/* The rights that docs/enrolment-service.md names are enough. */
static void test_rights(void **state)
{
    rig_redis r;
    char url[128];
    char text[64];
    atls_challenges_numbers n;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    start(&r, forgets);
    command(&r,
            "ACL SETUSER service on >word ~{atls}:* +eval +info +hget +hset +hdel +hexists +zadd +zrem +zcard +zcount"
            " +zrangebyscore +del +pttl +pexpire +auth +select",
            text, sizeof text);
    assert_string_equal(text, "OK");
    (void)snprintf(url, sizeof url, "redis://service:word@127.0.0.1:%u/2", r.port);
    atls_challenges *s = open_url(url);
    insert(s, 1);
    assert_int_equal(consume(s, 1), ATLS_CONSUMED_FRESH);
    assert_true(atls_challenges_count(s, T, &n, &err));
    for (uint32_t i = 2; i < 4; i++) { /* one that sweeps */
        uint8_t room[32];
        bool is_full = false;
        assert_true(atls_challenges_insert(s, rig_nonce(i, room), T + i * 60 * MINUTE, T + i * 60 * MINUTE + 1,
                                           &is_full, &err));
    }
    atls_challenges_close(s);
    rig_redis_end(&r);
}

/* ---- peers that are none ----------------------------------------------------------------------------------------------------------- */

typedef struct lie {
    const char *name;
    const char *answer; /* NULL: none, the connection stays */
    size_t len;         /* 0: of the text */
    bool is_slow;       /* a byte every 100 ms */
    int found;
} lie;

static const lie lies[] = {
    {"fresh, said properly", ":1\r\n", 0, false, ATLS_CONSUMED_FRESH},
    {"an error", "-OOM command not allowed\r\n", 0, false, -1},
    {"a number too large", ":4\r\n", 0, false, -1},
    {"a number below zero", ":-1\r\n", 0, false, -1},
    {"a status", "+1\r\n", 0, false, -1},
    {"a text", "$1\r\n1\r\n", 0, false, -1},
    {"nothing, as a value", "$-1\r\n", 0, false, -1},
    {"an array", "*2\r\n:1\r\n:1\r\n", 0, false, -1},
    {"an array of none", "*0\r\n", 0, false, -1},
    {"another protocol", "HTTP/1.1 200 OK\r\n\r\n", 0, false, -1},
    {"half an answer, and the end", ":1", 0, false, -1},
    {"the end", "", 0, false, -1},
    {"silence", NULL, 0, false, -1},
    {"one that never ends", "$60000\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0, true, -1},
};

typedef struct liar {
    int fd;
    const lie *lie;
} liar;

static void say(int fd, const lie *l)
{
    const size_t len = l->answer == NULL ? 0 : strlen(l->answer);
    for (size_t i = 0; i < len; i += l->is_slow ? 1 : len) {
        if (send(fd, l->answer + i, l->is_slow ? 1 : len, MSG_NOSIGNAL) < 0) {
            return;
        }
        if (l->is_slow) {
            rig_pause_ms(100);
        }
    }
}

/* Answers the question that every store begins with, and then lies. */
static void *run_liar(void *arg)
{
    const liar *me = arg;
    char buffer[8192];
    const int fd = accept(me->fd, NULL, NULL);
    if (fd < 0 || recv(fd, buffer, sizeof buffer, 0) <= 0 || send(fd, ":1\r\n", 4, MSG_NOSIGNAL) != 4
        || recv(fd, buffer, sizeof buffer, 0) <= 0) {
        (void)close(fd);
        return NULL;
    }
    say(fd, me->lie);
    if (me->lie->answer == NULL) {
        (void)recv(fd, buffer, sizeof buffer, 0); /* until the other side gives up */
    }
    (void)close(fd);
    return NULL;
}

static void test_lie(void **state)
{
    char folder[RIG_PATH_SIZE];
    char url[RIG_PATH_SIZE + 32];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    liar me = {.lie = *state};
    pthread_t thread;
    rig_make_folder(folder);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s/s", folder);
    (void)snprintf(url, sizeof url, "redis+unix:%s/s", folder);
    me.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(me.fd >= 0 && bind(me.fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(me.fd, 4) == 0);
    assert_int_equal(pthread_create(&thread, NULL, run_liar, &me), 0);
    atls_challenges *s = open_url(url);
    const uint64_t from = atls_clock_ms();
    assert_int_equal(consume(s, 1), me.lie->found);
    assert_true(atls_clock_ms() - from < 3000); /* the limit is one second */
    atls_challenges_close(s);
    (void)pthread_join(thread, NULL);
    (void)close(me.fd);
    rig_remove_folder(folder);
}

/* Two stores with different prefixes on one server do not know each other's. */
static void test_prefix(void **state)
{
    rig_redis r;
    const atls_challenges_options o = {.prefix = "other"};
    atls_challenges *b = NULL;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    start(&r, forgets);
    atls_challenges *a = open_url(r.url);
    assert_true(atls_challenges_open(r.url, &o, &b, &err));
    insert(a, 1);
    assert_int_equal(consume(b, 1), ATLS_CONSUMED_UNKNOWN);
    insert(b, 1);
    assert_int_equal(consume(b, 1), ATLS_CONSUMED_FRESH);
    assert_int_equal(consume(a, 1), ATLS_CONSUMED_FRESH);
    atls_challenges_close(a);
    atls_challenges_close(b);
    rig_redis_end(&r);
}

/* A nonce is nowhere in the server; and nothing stays there for ever. */
static void test_kept(void **state)
{
    rig_redis r;
    char text[64];
    (void)state;
    start(&r, forgets);
    atls_challenges *s = open_url(r.url);
    insert(s, 1);
    command(&r, "DBSIZE", text, sizeof text);
    assert_string_equal(text, "3");
    command(&r, "HLEN {atls}:challenges", text, sizeof text);
    assert_string_equal(text, "2"); /* the epoch, and one digest */
    command(&r, "PTTL {atls}:challenges", text, sizeof text);
    assert_true(strtol(text, NULL, 10) > 300000 && strtol(text, NULL, 10) <= 60000 + 300000 + 60000);
    command(&r, "PTTL {atls}:held", text, sizeof text);
    assert_true(strtol(text, NULL, 10) > 300000);
    command(&r, "PTTL {atls}:open", text, sizeof text);
    assert_true(strtol(text, NULL, 10) > 300000);
    atls_challenges_close(s);
    rig_redis_end(&r);
}

int main(void)
{
    static char names[sizeof lies / sizeof lies[0]][96];
    tap_list l = {0};
    tap_add(&l, "a server that is killed is a failure; what comes back empty knows nothing", test_killed, NULL);
    tap_add(&l, "a server that comes back with an old snapshot makes nothing fresh again", test_old_snapshot, NULL);
    tap_add(&l, "restarts while many ask: nothing is fresh twice (nothing is saved)", test_restarts, forgets);
    tap_add(&l, "restarts while many ask: nothing is fresh twice (snapshots)", test_restarts, snapshots);
    tap_add(&l, "restarts while many ask: nothing is fresh twice (log)", test_restarts, appends);
    tap_add(&l, "a replica that is promoted makes nothing fresh again, and is refused before", test_failover, NULL);
    tap_add(&l, "passwords, users and databases", test_login, NULL);
    tap_add(&l, "the rights that the documentation asks for are enough", test_rights, NULL);
    tap_add(&l, "prefixes keep stores apart", test_prefix, NULL);
    tap_add(&l, "what is kept in the server, and for how long", test_kept, NULL);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        (void)snprintf(names[i], sizeof names[i], "a peer that answers: %s", lies[i].name);
        tap_add(&l, names[i], test_lie, &lies[i]);
    }
    return tap_run("store_redis", &l);
}
