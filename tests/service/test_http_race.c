/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_race.c: one nonce, a hundred posts at the same moment, and one certificate: with each store, with several server
 * processes on one Redis, and with that Redis killed and started again meanwhile. */
#include "tap.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "edge/service/audit.h"
#include "rig.h"
#include "site.h"

#define N_POSTS   100u
#define N_SERVERS 3u
#define N_ROUNDS  4u

/* ---- a hundred at once ---- */

typedef struct post {
    pthread_t thread;
    pthread_barrier_t *start;
    uint16_t port;
    atls_bytes csr;
    bool was_answered; /* with status 200 */
    bool is_success;
    atls_category kind;
} post;

static void *post_once(void *arg)
{
    post *p = arg;
    atls_arena a = {0};
    atls_error err = {0};
    client_response r;
    atls_enrol_response response;
    if (!atls_arena_new(&a, (size_t)4 * 1024 * 1024, &err)) {
        return NULL;
    }
    (void)pthread_barrier_wait(p->start);
    client_post(p->port, SITE_ATTEST, p->csr, &a, &r);
    p->was_answered = r.status == 200 && atls_enrol_response_read(r.body, &a, &response, &err);
    if (p->was_answered) {
        p->is_success = response.is_success;
        p->kind = response.kind;
    }
    atls_arena_free(&a);
    return NULL;
}

typedef struct tally {
    unsigned n_success;
    unsigned n_content;  /* used already, or not known any more */
    unsigned n_internal; /* the store cannot be asked */
    unsigned n_other;
} tally;

static tally post_all(atls_bytes csr, const uint16_t *ports, size_t n_ports)
{
    static post posts[N_POSTS];
    pthread_barrier_t start;
    tally t = {0};
    assert_int_equal(pthread_barrier_init(&start, NULL, N_POSTS), 0);
    for (size_t i = 0; i < N_POSTS; i++) {
        posts[i] = (post){.start = &start, .port = ports[i % n_ports], .csr = csr};
        assert_int_equal(pthread_create(&posts[i].thread, NULL, post_once, &posts[i]), 0);
    }
    for (size_t i = 0; i < N_POSTS; i++) {
        (void)pthread_join(posts[i].thread, NULL);
        const post *p = &posts[i];
        t.n_success += p->was_answered && p->is_success ? 1 : 0;
        t.n_content += p->was_answered && !p->is_success && p->kind == ATLS_CATEGORY_CONTENT ? 1 : 0;
        t.n_internal += p->was_answered && !p->is_success && p->kind == ATLS_CATEGORY_INTERNAL ? 1 : 0;
    }
    t.n_other = N_POSTS - t.n_success - t.n_content - t.n_internal;
    (void)pthread_barrier_destroy(&start);
    return t;
}

static atls_bytes request_for(site *s, atls_bytes nonce, bool is_apple)
{
    atls_bytes csr = atls_bytes_empty();
    assert_true(phones_request(&s->phones, is_apple, nonce, NULL, &s->arena, &csr, &s->err));
    return csr;
}

/* ---- one server ---- */

static const char *const stores[] = {"memory:", "sqlite:enrol.db"};

static void one_of_a_hundred(void **state)
{
    const char *const *store = *state;
    site s;
    site_open(&s, "", *store, NULL);
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        const atls_bytes csr = request_for(&s, site_nonce(&s), round % 2 == 1);
        const tally t = post_all(csr, &s.port, 1);
        assert_int_equal(t.n_success, 1);
        assert_int_equal(t.n_content, N_POSTS - 1);
    }
    assert_true(site_metric(&s, "certificates_total") == N_ROUNDS);
    site_end(&s);
}

/* ---- several, on one Redis ---- */

static const char *const forgetful[] = {"--save", "", NULL};

/* ---- servers in processes of their own ---- */

typedef struct cluster {
    site sites[N_SERVERS]; /* folders, CAs and audit logs; what is served is served by the children */
    pid_t pids[N_SERVERS];
    uint16_t ports[N_SERVERS];
    rig_redis redis;
} cluster;

static void serve(site *s, int tell)
{
    sigset_t wanted;
    int got = 0;
    (void)sigemptyset(&wanted);
    (void)sigaddset(&wanted, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &wanted, NULL);
    site_start(s);
    const bool told = write(tell, &s->port, sizeof s->port) == (ssize_t)sizeof s->port;
    (void)sigwait(&wanted, &got);
    site_stop(s);
    _exit(told && s->ended_well ? 0 : 1);
}

static void start_server(cluster *c, size_t i)
{
    int ends[2];
    site_folder(&c->sites[i]);
    site_config(&c->sites[i], "", c->redis.url, NULL);
    assert_int_equal(pipe(ends), 0);
    c->pids[i] = fork();
    assert_true(c->pids[i] >= 0);
    if (c->pids[i] == 0) {
        (void)close(ends[0]);
        serve(&c->sites[i], ends[1]);
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &c->ports[i], sizeof c->ports[i]), sizeof c->ports[i]);
    (void)close(ends[0]);
    c->sites[i].port = c->ports[i];
}

static bool cluster_open(cluster *c)
{
    memset(c, 0, sizeof *c);
    if (!rig_redis_start(&c->redis, forgetful)) {
        return false;
    }
    for (size_t i = 0; i < N_SERVERS; i++) {
        start_server(c, i);
    }
    return true;
}

/* Every server ends well, and every audit log is whole: site_close looks. */
static void cluster_close(cluster *c)
{
    for (size_t i = 0; i < N_SERVERS; i++) {
        int status = -1;
        (void)kill(c->pids[i], SIGTERM);
        assert_int_equal(waitpid(c->pids[i], &status, 0), c->pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        site_close(&c->sites[i]);
    }
    rig_redis_end(&c->redis);
}

static void one_of_a_hundred_with_three_servers(void **state)
{
    static cluster c;
    (void)state;
    if (!cluster_open(&c)) {
        skip(); /* redis-server is not there */
    }
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        site *first = &c.sites[round % N_SERVERS]; /* who issued the challenge does not matter */
        const atls_bytes csr = request_for(first, site_nonce(first), round % 2 == 1);
        const tally t = post_all(csr, c.ports, N_SERVERS);
        assert_int_equal(t.n_success, 1);
        assert_int_equal(t.n_content, N_POSTS - 1);
    }
    cluster_close(&c);
}

/* ---- and the store goes meanwhile ---- */

typedef struct posts {
    cluster *c;
    atls_bytes csr;
    tally got;
} posts;

static void *post_to_all(void *arg)
{
    posts *p = arg;
    p->got = post_all(p->csr, p->c->ports, N_SERVERS);
    return NULL;
}

static atls_bytes nonce_after_restart(site *s)
{
    client_response r = {0};
    for (unsigned i = 0; i < 200 && r.status != 200; i++) { /* 503 until the server has found the store again */
        rig_pause_ms(50);
        client_get(s->port, SITE_CHALLENGE, &s->arena, &r);
    }
    atls_enrol_challenge challenge;
    assert_int_equal(r.status, 200);
    assert_true(atls_enrol_challenge_read(r.body, &s->arena, &challenge, &s->err));
    return challenge.nonce;
}

static void a_store_that_is_killed_meanwhile(void **state)
{
    static cluster c;
    (void)state;
    if (!cluster_open(&c)) {
        skip(); /* redis-server is not there */
    }
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        site *first = &c.sites[round % N_SERVERS];
        posts during = {.c = &c, .csr = request_for(first, nonce_after_restart(first), false)};
        pthread_t poster;
        assert_int_equal(pthread_create(&poster, NULL, post_to_all, &during), 0);
        rig_pause_ms(5);
        rig_redis_kill(&c.redis);
        rig_pause_ms(30);
        rig_redis_restart(&c.redis, forgetful);
        (void)pthread_join(poster, NULL);
        const atls_bytes other = request_for(first, nonce_after_restart(first), false);
        const tally after = post_all(during.csr, c.ports, N_SERVERS);
        assert_true(during.got.n_success <= 1);
        assert_int_equal(during.got.n_other, 0);
        assert_int_equal(after.n_success, 0); /* the store that came back knows nothing of it */
        assert_int_equal(post_all(other, c.ports, N_SERVERS).n_success, 1);
    }
    cluster_close(&c);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "memory: one of a hundred posts", one_of_a_hundred, &stores[0]);
    tap_add(&l, "SQLite: one of a hundred posts", one_of_a_hundred, &stores[1]);
    tap_add(&l, "Redis, three servers: one of a hundred posts", one_of_a_hundred_with_three_servers, NULL);
    tap_add(&l, "Redis is killed and comes back meanwhile: none is issued twice", a_store_that_is_killed_meanwhile,
            NULL);
    return tap_run("http_race", &l);
}
