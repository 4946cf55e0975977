/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_reload.c: a new configuration under load, a bad one, a newer list, a store that goes, and the end. */
#include "tap.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "rig.h"
#include "site.h"

#define RESTART "a change of this member needs a restart"
#define FREE    "\"challenge_per_minute\": 0, \"attest_per_minute\": 0"

static void pause_ms(unsigned ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

static const char *health(site *s, unsigned *status)
{
    client_response r;
    client_get(s->admin, "/health", &s->arena, &r);
    *status = r.status;
    return atls_text_copy(r.body, &s->arena, &s->err);
}

/* Changes the configuration: one text of it for another. */
static void replace(const site *s, const char *what, const char *with)
{
    char text[4096] = "";
    FILE *f = fopen(s->file, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    (void)fclose(f);
    char *at = strstr(text, what);
    assert_non_null(at);
    f = fopen(s->file, "w");
    assert_non_null(f);
    (void)fprintf(f, "%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
    (void)fclose(f);
}

/* ---- reload ---- */

typedef struct crowd {
    site *site;
    atomic_bool is_over;
    atomic_uint n_good;
    atomic_uint n_bad;
} crowd;

/* An iPhone that enrols again and again, on its own. */
static void *keep_enrolling(void *arg)
{
    crowd *c = arg;
    atls_arena a;
    atls_error err = {0};
    phones p;
    if (!atls_arena_new(&a, (size_t)8 * 1024 * 1024, &err) || !phones_open(&p, (atls_time)time(NULL), &err)) {
        atomic_fetch_add(&c->n_bad, 1);
        return NULL;
    }
    while (!atomic_load(&c->is_over)) {
        client_response r;
        atls_enrol_challenge challenge;
        atls_enrol_response response = {.is_success = false};
        atls_bytes csr;
        atls_arena_reset(&a);
        client_get(c->site->port, SITE_CHALLENGE, &a, &r);
        if (r.status == 200 && atls_enrol_challenge_read(r.body, &a, &challenge, &err)
            && phones_request(&p, true, challenge.nonce, NULL, &a, &csr, &err)) {
            client_post(c->site->port, SITE_ATTEST, csr, &a, &r);
        }
        const bool ok = r.status == 200 && atls_enrol_response_read(r.body, &a, &response, &err) && response.is_success;
        atomic_fetch_add(ok ? &c->n_good : &c->n_bad, 1);
    }
    phones_close(&p);
    atls_arena_free(&a);
    return NULL;
}

static void a_new_configuration_under_load(void **state)
{
    site s;
    pthread_t threads[3];
    crowd c = {.site = &s};
    unsigned status = 0;
    (void)state;
    site_open(&s, "", NULL, NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, keep_enrolling, &c), 0);
    }
    for (unsigned i = 1; i <= 10; i++) {
        char members[64];
        (void)snprintf(members, sizeof members, "\"challenge\": {\"validity_s\": %u},", 100 + i);
        site_config(&s, i % 3 == 0 ? "\"nonsense\": 1," : members, NULL, NULL);
        atls_service_reload(s.service);
        assert_true(i % 3 == 0 ? site_wait_metric(&s, "reload_failures_total", i / 3)
                               : site_wait_metric(&s, "reloads_total", i - i / 3));
        pause_ms(50);
    }
    atomic_store(&c.is_over, true);
    for (size_t i = 0; i < 3; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&c.n_bad), 0);
    assert_true(atomic_load(&c.n_good) > 10);
    assert_non_null(strstr(health(&s, &status), "\"number\":8"));
    assert_int_equal(status, 200);
    site_end(&s);
}

static const struct bad_row {
    const char *name;
    const char *what; /* of the configuration, which becomes */
    const char *with;
    const char *says;
} bad_rows[] = {
    {"an unknown member", "{", "{\"nonsense\": 1,", "nonsense: there is no such member"},
    {"a member twice", "{", "{\"workers\": 4, \"workers\": 4,", "config.json"},
    {"no JSON", "{", "{]", "config.json"},
    {"another address", "\"listen\": \"127.0.0.1:0\"", "\"listen\": \"127.0.0.2:0\"", " listen: " RESTART},
    {"one address more", "\"listen\": \"127.0.0.1:0\"", "\"listen\": [\"127.0.0.1:0\", \"127.0.0.2:0\"]",
     " listen: " RESTART},
    {"another address for admins", "\"admin_listen\": \"127.0.0.1:0\"", "\"admin_listen\": []",
     "admin_listen: " RESTART},
    {"another store", "\"memory:\"", "\"sqlite:other.db\"", "store: " RESTART},
    {"other workers", "{", "{\"workers\": 5,", "workers: " RESTART},
    {"another audit log", "\"audit.log\"", "\"other.log\"", "audit_file: " RESTART},
    {"no audit log", "\"audit_file\": \"audit.log\",", "", "audit_file: " RESTART},
    {"an audit log that is flushed", "{", "{\"audit_fsync\": true,", "audit_fsync: " RESTART},
    {"a longer queue", "\"limits\": {", "\"limits\": {\"queue\": 300,", "limits.queue: " RESTART},
    {"more memory", "\"limits\": {", "\"limits\": {\"arena_mib\": 25,", "limits.arena_mib: " RESTART},
    {"more addresses", "\"limits\": {", "\"limits\": {\"addresses\": 20000,", "limits.addresses: " RESTART},
    {"more challenges than the store was made for", "\"limits\": {", "\"limits\": {\"challenges\": 100001,",
     "limits.challenges: " RESTART},
    {"more connections than there are descriptors", "\"limits\": {", "\"limits\": {\"connections\": 1000000,",
     "limits.connections: "},
    {"a proxy", "\"file\": \"status.json\"", "\"file\": \"status.json\", \"proxy\": \"http://127.0.0.1:1\"",
     "status_list.proxy: " RESTART},
    {"no test mode", "\"insecure_test_mode\": true, \"insecure_test_ca\": \"ca\"", "\"ca\": {\"folder\": \"ca\"}",
     "insecure_test_mode"},
};

static void a_bad_configuration_changes_nothing(void **state)
{
    const struct bad_row *row = *state;
    site s;
    unsigned status = 0;
    site_open(&s, "", NULL, NULL);
    replace(&s, row->what, row->with);
    atls_service_reload(s.service);
    assert_true(site_wait_metric(&s, "reload_failures_total", 1));
    assert_true(site_said(&s, "the old one stays in force"));
    assert_true(site_said(&s, row->says));
    assert_true(site_metric(&s, "configuration_is_latest") == 0);
    const char *text = health(&s, &status);
    assert_int_equal(status, 200);
    assert_non_null(strstr(text, "reload_error"));
    site_flow(&s, false);
    site_config(&s, "", NULL, NULL);
    atls_service_reload(s.service);
    assert_true(site_wait_metric(&s, "reloads_total", 1));
    assert_true(site_metric(&s, "configuration_is_latest") == 1);
    site_end(&s);
}

static void a_new_policy_refuses_from_then_on(void **state)
{
    site s;
    char path[128];
    unsigned status = 0;
    (void)state;
    site_open(&s, "", NULL, NULL);
    site_flow(&s, true);
    const char *before = health(&s, &status);
    (void)snprintf(path, sizeof path, "%s/apple.json", s.folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs("{\"applications\":[{\"teamIdentifier\":\"ABCDEFGHIJ\",\"bundleIdentifier\":\"some.other.app\"}]}", f);
    (void)fclose(f);
    atls_service_reload(s.service);
    assert_true(site_wait_metric(&s, "reloads_total", 1));
    assert_false(site_enrol(&s, true, site_nonce(&s), NULL).is_success);
    site_flow(&s, false);
    const char *a = strstr(before, "policy_sha256");
    const char *b = strstr(health(&s, &status), "policy_sha256");
    assert_true(a != NULL && b != NULL && strncmp(a, b, 70) != 0);
    site_end(&s);
}

/* ---- the list of revoked keys ---- */

static void put_list(const site *s, const char *text)
{
    char path[128];
    char to[128];
    (void)snprintf(path, sizeof path, "%s/status.json.new", s->folder);
    (void)snprintf(to, sizeof to, "%s/status.json", s->folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
    assert_int_equal(rename(path, to), 0);
}

static void a_newer_list_is_taken(void **state)
{
    site s;
    unsigned status = 0;
    (void)state;
    site_folder(&s);
    site_config(&s, "", NULL, NULL);
    replace(&s, "\"file\": \"status.json\"", "\"poll_s\": 1, \"file\": \"status.json\"");
    site_start(&s);
    assert_true(site_metric(&s, "status_list_entries") == 0);
    put_list(&s, "{\"entries\":{\"abc\":{\"status\":\"REVOKED\"}}}");
    assert_true(site_wait_metric(&s, "status_list_entries", 1));
    site_flow(&s, false);
    put_list(&s, "{\"entries\":"); /* half a file: the good one stays */
    assert_true(site_wait_metric(&s, "list_failures_total", 1));
    assert_true(site_metric(&s, "status_list_entries") == 1);
    site_flow(&s, false);
    assert_non_null(strstr(health(&s, &status), "\"error\""));
    assert_int_equal(status, 200);
    site_end(&s);
}

/* Google, on loopback: three answers to anybody. */
static void *be_google(void *arg)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: max-age=1000\r\n"
                                 "Content-Length: 40\r\nConnection: close\r\n\r\n"
                                 "{\"entries\":{\"abc\":{\"status\":\"REVOKED\"}}}";
    const int *listener = arg;
    char request[2048];
    const int fd = accept(*listener, NULL, NULL);
    if (fd >= 0) {
        (void)recv(fd, request, sizeof request, 0);
        (void)client_say(fd, answer);
        (void)close(fd);
    }
    return NULL;
}

static void a_list_is_fetched(void **state)
{
    site s;
    pthread_t google;
    unsigned status = 0;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;
    assert_int_equal(bind(listener, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(pthread_create(&google, NULL, be_google, &listener), 0);
    site_folder(&s);
    site_config(&s, "", NULL, NULL);
    replace(&s, "\"file\": \"status.json\"",
            atls_text_format(&s.arena, &s.err, "\"poll_s\": 1, \"url\": \"http://127.0.0.1:%u/status\"",
                             (unsigned)ntohs(at.sin_port)));
    site_start(&s);
    assert_true(site_wait_metric(&s, "status_list_entries", 1));
    site_flow(&s, false);
    (void)pthread_join(google, NULL);
    (void)close(listener);
    pause_ms(1500); /* it is fresh: nobody is asked again */
    assert_true(site_metric(&s, "list_loads_total") == 1 && site_metric(&s, "list_failures_total") == 0);
    assert_non_null(strstr(health(&s, &status), "\"stale\":false"));
    site_end(&s);
}

static void without_a_list_android_fails_closed(void **state)
{
    site s;
    unsigned status = 0;
    char path[128];
    (void)state;
    site_folder(&s);
    site_config(&s, "", NULL, NULL);
    (void)snprintf(path, sizeof path, "%s/status.json", s.folder);
    assert_int_equal(unlink(path), 0);
    site_start(&s);
    const atls_enrol_response r = site_enrol(&s, false, site_nonce(&s), NULL);
    assert_false(r.is_success);
    assert_int_equal(r.kind, ATLS_CATEGORY_TRUST);
    site_flow(&s, true);
    (void)health(&s, &status);
    assert_int_equal(status, 503);
    site_end(&s);
}

static void a_list_of_last_week_fails_closed(void **state)
{
    site s;
    unsigned status = 0;
    char path[128];
    (void)state;
    site_folder(&s);
    site_config(&s, "", NULL, NULL);
    (void)snprintf(path, sizeof path, "%s/status.json", s.folder);
    const struct timespec then[2] = {{.tv_sec = time(NULL) - 7 * 86400}, {.tv_sec = time(NULL) - 7 * 86400}};
    assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
    site_start(&s);
    assert_int_equal(site_enrol(&s, false, site_nonce(&s), NULL).kind, ATLS_CATEGORY_TRUST);
    (void)health(&s, &status);
    assert_int_equal(status, 503);
    site_end(&s);
}

/* A file that was changed tomorrow is not fresh until then. */
static void a_list_of_tomorrow_is_of_now(void **state)
{
    site s;
    char path[128];
    (void)state;
    site_folder(&s);
    site_config(&s, "", NULL, NULL);
    (void)snprintf(path, sizeof path, "%s/status.json", s.folder);
    const struct timespec then[2] = {{.tv_sec = time(NULL) + 7 * 86400}, {.tv_sec = time(NULL) + 7 * 86400}};
    assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
    site_start(&s);
    site_flow(&s, false);
    assert_true(site_metric(&s, "status_list_age_seconds") >= 0);
    site_end(&s);
}

/* ---- the end ---- */

typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool is_open;
    atomic_uint n_waiting;
} gate;

static bool wait_at_gate(void *ctx, const atls_enrol_grant *grant, const atls_bytes *chain, size_t n)
{
    gate *g = ctx;
    (void)grant;
    (void)chain;
    (void)n;
    atomic_fetch_add(&g->n_waiting, 1);
    (void)pthread_mutex_lock(&g->lock);
    while (!g->is_open) {
        (void)pthread_cond_wait(&g->opened, &g->lock);
    }
    (void)pthread_mutex_unlock(&g->lock);
    return true;
}

static void open_gate(gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->is_open = true;
    (void)pthread_cond_broadcast(&g->opened);
    (void)pthread_mutex_unlock(&g->lock);
}

static int post_and_hold(site *s, gate *g)
{
    atls_bytes csr;
    assert_true(phones_request(&s->phones, true, site_nonce(s), NULL, &s->arena, &csr, &s->err));
    const int fd = client_open(s->port, 1);
    assert_true(client_send_post(fd, SITE_ATTEST, csr));
    for (unsigned i = 0; i < 500 && atomic_load(&g->n_waiting) == 0; i++) {
        pause_ms(10);
    }
    assert_int_equal(atomic_load(&g->n_waiting), 1);
    return fd;
}

static void what_has_begun_is_finished(void **state)
{
    site s;
    client_response r;
    unsigned status = 0;
    gate g = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};
    const atls_enrol_observers observers = {.ctx = &g, .attestation_success = wait_at_gate};
    (void)state;
    site_folder(&s);
    s.observers = &observers;
    site_config(&s, "", NULL, NULL);
    site_start(&s);
    const int idle = client_open(s.port, 1);
    const int fd = post_and_hold(&s, &g);
    atls_service_stop(s.service);
    assert_true(client_is_closed(idle, 3000));
    assert_int_equal(client_open(s.port, 1), -1); /* nobody new */
    assert_non_null(strstr(health(&s, &status), "draining"));
    assert_int_equal(status, 503);
    open_gate(&g);
    client_read(fd, &s.arena, &r);
    assert_int_equal(r.status, 200);
    assert_true(client_has(&r, "Connection: close"));
    assert_non_null(strstr(atls_text_copy(r.body, &s.arena, &s.err), "\"Success\""));
    (void)close(fd);
    (void)close(idle);
    (void)pthread_join(s.thread, NULL);
    s.runs = false;
    assert_true(s.ended_well);
    site_end(&s);
}

static void a_drain_has_an_end(void **state)
{
    site s;
    gate g = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};
    const atls_enrol_observers observers = {.ctx = &g, .attestation_success = wait_at_gate};
    (void)state;
    site_folder(&s);
    s.observers = &observers;
    site_config(&s, "", NULL, FREE ", \"drain_timeout_ms\": 300");
    site_start(&s);
    const int fd = post_and_hold(&s, &g);
    atls_service_stop(s.service);
    (void)pthread_join(s.thread, NULL);
    s.runs = false;
    assert_false(s.ended_well);
    open_gate(&g); /* a program would end here; a test waits, and frees */
    (void)close(fd);
    site_end(&s);
}

/* ---- what is outside fails ---- */

static void a_store_that_goes(void **state)
{
    site s;
    client_response r;
    unsigned status = 0;
    rig_redis redis;
    static const char *const forgetful[] = {"--save", "", NULL};
    (void)state;
    if (!rig_redis_start(&redis, forgetful)) {
        skip(); /* redis-server is not there */
    }
    site_open(&s, "", redis.url, NULL);
    site_flow(&s, false);
    const atls_bytes nonce = site_nonce(&s);
    rig_redis_kill(&redis);
    const atls_enrol_response answer = site_enrol(&s, false, nonce, NULL);
    assert_false(answer.is_success);
    assert_int_equal(answer.kind, ATLS_CATEGORY_INTERNAL);
    client_get(s.port, SITE_CHALLENGE, &s.arena, &r);
    assert_int_equal(r.status, 503);
    assert_true(client_has(&r, "Retry-After: 1"));
    for (unsigned i = 0; i < 100 && site_metric(&s, "store_reachable") > 0; i++) {
        pause_ms(50);
    }
    (void)health(&s, &status);
    assert_int_equal(status, 503);
    rig_redis_restart(&redis, forgetful);
    assert_true(site_wait_metric(&s, "store_reachable", 1));
    assert_int_equal(site_enrol(&s, false, nonce, NULL).kind, ATLS_CATEGORY_CONTENT); /* it knows nothing any more */
    site_flow(&s, false);
    site_end(&s);
    rig_redis_end(&redis);
}

/* What a row asks for has to be too much, wherever this runs. */
static void have_few_descriptors(void)
{
    struct rlimit r = {0};
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_max > 4096) {
        r.rlim_max = 4096;
        r.rlim_cur = r.rlim_cur < r.rlim_max ? r.rlim_cur : r.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &r);
    }
}

int main(void)
{
    tap_list l = {0};
    have_few_descriptors();
    tap_add(&l, "a new configuration, under load", a_new_configuration_under_load, NULL);
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        tap_add(&l, bad_rows[i].name, a_bad_configuration_changes_nothing, &bad_rows[i]);
    }
    tap_add(&l, "a new policy", a_new_policy_refuses_from_then_on, NULL);
    tap_add(&l, "a newer list", a_newer_list_is_taken, NULL);
    tap_add(&l, "a list that is fetched", a_list_is_fetched, NULL);
    tap_add(&l, "no list", without_a_list_android_fails_closed, NULL);
    tap_add(&l, "an old list", a_list_of_last_week_fails_closed, NULL);
    tap_add(&l, "a list of tomorrow", a_list_of_tomorrow_is_of_now, NULL);
    tap_add(&l, "the end waits for what has begun", what_has_begun_is_finished, NULL);
    tap_add(&l, "but not for ever", a_drain_has_an_end, NULL);
    tap_add(&l, "a store that goes and comes", a_store_that_goes, NULL);
    return tap_run("http_reload", &l);
}
