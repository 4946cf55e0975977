/* SPDX-License-Identifier: Apache-2.0 */
/* site.c: see site.h. */
#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "edge/service/audit.h"
#include "edge/service/ca.h"
#include "tap.h"

static void must(site *s, bool ok, const char *what)
{
    if (!ok) {
        char line[640];
        (void)atls_error_line(&s->err, line, sizeof line);
        fail_msg("%s: %s", what, line);
    }
}

static void write_file(const site *s, const char *name, atls_bytes data)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s.new", s->folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data.ptr, 1, data.len, f), data.len);
    assert_int_equal(fclose(f), 0);
    char to[128];
    (void)snprintf(to, sizeof to, "%s/%s", s->folder, name);
    assert_int_equal(rename(path, to), 0);
}

static void put_policy(site *s, bool is_apple, const char *name)
{
    atls_bytes policy;
    must(s, phones_policy(&s->phones, is_apple, &s->arena, &policy, &s->err), name);
    write_file(s, name, policy);
}

void site_folder(site *s)
{
    memset(s, 0, sizeof *s);
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)snprintf(s->folder, sizeof s->folder, "/tmp/atls-site-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    (void)snprintf(s->file, sizeof s->file, "%s/config.json", s->folder);
    (void)snprintf(s->audit, sizeof s->audit, "%s/audit.log", s->folder);
    char ca[96];
    (void)snprintf(ca, sizeof ca, "%s/ca", s->folder);
    const atls_time now = (atls_time)time(NULL);
    const atls_ca_init_options init = {.dir = ca, .now = now};
    must(s, atls_arena_new(&s->arena, (size_t)64 * 1024 * 1024, &s->err), "arena");
    must(s, phones_open(&s->phones, now, &s->err), "phones");
    must(s, atls_ca_init(&init, &s->err), "CA");
    put_policy(s, false, "android.json");
    put_policy(s, true, "apple.json");
    write_file(s, "status.json", atls_bytes_str("{\"entries\":{}}"));
}

void site_config(site *s, const char *members, const char *store, const char *limits)
{
    const char *text = atls_text_format(
        &s->arena, &s->err,
        "{%s \"listen\": \"127.0.0.1:0\", \"admin_listen\": \"127.0.0.1:0\",\n"
        " \"endpoint\": \"http://127.0.0.1/api/v1/attest\", \"proof_oid\": \"" PHONES_PROOF_OID "\",\n"
        " \"store\": \"%s\", \"insecure_test_mode\": true, \"insecure_test_ca\": \"ca\",\n"
        " \"android\": \"android.json\", \"apple\": \"apple.json\", \"status_list\": {\"file\": \"status.json\"},\n"
        " \"audit_file\": \"audit.log\", \"limits\": {%s}}\n",
        members, store == NULL ? "memory:" : store,
        limits == NULL ? "\"challenge_per_minute\": 0, \"attest_per_minute\": 0" : limits);
    assert_non_null(text);
    write_file(s, "config.json", atls_bytes_str(text));
}

static void hear(void *ctx, int level, const char *line)
{
    site *s = ctx;
    (void)level;
    (void)pthread_mutex_lock(&s->lock);
    const size_t n = strlen(line);
    if (s->log_len + n + 2 < sizeof s->log) {
        memcpy(s->log + s->log_len, line, n);
        s->log_len += n;
        s->log[s->log_len++] = '\n';
        s->log[s->log_len] = '\0';
    }
    (void)pthread_mutex_unlock(&s->lock);
}

bool site_said(site *s, const char *words)
{
    (void)pthread_mutex_lock(&s->lock);
    const bool found = strstr(s->log, words) != NULL;
    (void)pthread_mutex_unlock(&s->lock);
    return found;
}

static void *run(void *arg)
{
    site *s = arg;
    atls_error err = {0};
    s->ended_well = atls_service_run(s->service, &err);
    return NULL;
}

void site_start(site *s)
{
    const atls_service_options options = {.config_file = s->file, .log = hear, .log_ctx = s, .observers = s->observers};
    must(s, atls_service_new(&options, &s->service, &s->err), "service");
    s->port = atls_service_port(s->service, false);
    s->admin = atls_service_port(s->service, true);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
    s->runs = true;
}

void site_stop(site *s)
{
    if (s->runs) {
        atls_service_stop(s->service);
        (void)pthread_join(s->thread, NULL);
        s->runs = false;
        assert_true(s->ended_well);
    }
    atls_service_free(s->service);
    s->service = NULL;
}

/* The chain of the audit log holds, whatever happened. */
static void check_audit(site *s)
{
    atls_audit_report report;
    if (access(s->audit, F_OK) == 0) {
        must(s, atls_audit_verify(s->audit, &report, &s->err), "audit log");
    }
}

void site_close(site *s)
{
    char command[128];
    check_audit(s);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", s->folder);
    assert_int_equal(system(command), 0);
    phones_close(&s->phones);
    atls_arena_free(&s->arena);
    (void)pthread_mutex_destroy(&s->lock);
}

void site_open(site *s, const char *members, const char *store, const char *limits)
{
    site_folder(s);
    site_config(s, members, store, limits);
    site_start(s);
}

void site_end(site *s)
{
    site_stop(s);
    site_close(s);
}

/* ---- phones ---- */

atls_bytes site_nonce(site *s)
{
    client_response r;
    atls_enrol_challenge challenge;
    client_get(s->port, SITE_CHALLENGE, &s->arena, &r);
    assert_int_equal(r.status, 200);
    must(s, atls_enrol_challenge_read(r.body, &s->arena, &challenge, &s->err), "challenge");
    return challenge.nonce;
}

atls_enrol_response site_enrol(site *s, bool is_apple, atls_bytes nonce, const phones_lie *lie)
{
    client_response r;
    atls_bytes csr;
    atls_enrol_response response;
    must(s, phones_request(&s->phones, is_apple, nonce, lie, &s->arena, &csr, &s->err), "request");
    client_post(s->port, SITE_ATTEST, csr, &s->arena, &r);
    assert_int_equal(r.status, 200);
    must(s, atls_enrol_response_read(r.body, &s->arena, &response, &s->err), "response");
    return response;
}

void site_flow(site *s, bool is_apple)
{
    const atls_enrol_response r = site_enrol(s, is_apple, site_nonce(s), NULL);
    if (!r.is_success) {
        fail_msg("not issued: %.*s; %s", (int)r.explanation.len, (const char *)r.explanation.ptr, s->log);
    }
    assert_true(r.n_chain >= 2);
}

/* ---- metrics ---- */

double site_metric(site *s, const char *name)
{
    client_response r;
    char line[160];
    const size_t used = s->arena.used;
    client_get(s->admin, "/metrics", &s->arena, &r);
    const char *text = r.status == 200 ? atls_text_copy(r.body, &s->arena, &s->err) : NULL;
    (void)snprintf(line, sizeof line, "\natls_enrol_%s ", name);
    const char *at = text == NULL ? NULL : strstr(text, line);
    const double value = at == NULL ? -1 : strtod(at + strlen(line), NULL);
    s->arena.used = used;
    return value;
}

bool site_wait_metric(site *s, const char *name, double least)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    for (unsigned i = 0; i < 500; i++) {
        if (site_metric(s, name) >= least) {
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    return false;
}
