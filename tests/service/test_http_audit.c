/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_audit.c: what a service writes down: the audit log, also where it cannot be written, its head as others see it, and debug
 * statements. */
#include "tap.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "edge/service/audit.h"
#include "site.h"

static const char *health(site *s, unsigned *status)
{
    client_response r;
    client_get(s->admin, "/health", &s->arena, &r);
    *status = r.status;
    return atls_text_copy(r.body, &s->arena, &s->err);
}

static void a_log_names_what_happened(void **state)
{
    site s;
    atls_audit_report report;
    const phones_lie lie = {.other_key = true};
    (void)state;
    site_open(&s, "", "sqlite:enrol.db", NULL);
    site_flow(&s, false);
    (void)site_enrol(&s, true, site_nonce(&s), &lie);
    site_stop(&s);
    assert_true(atls_audit_verify(s.audit, &report, &s.err));
    assert_int_equal(report.n_lines, 3); /* the first begins the file */
    site_close(&s);
}

/* A disk that is full: no file grows any more. The most that a file may have is the process's, so nothing else may be written. */
static void no_certificate_without_its_line(void **state)
{
    site s;
    unsigned status = 0;
    struct stat st;
    struct rlimit all;
    atls_audit_report report;
    (void)state;
    site_open(&s, "", NULL, NULL);
    site_flow(&s, true);
    assert_int_equal(stat(s.audit, &st), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && getrlimit(RLIMIT_FSIZE, &all) == 0);
    const struct rlimit little = {.rlim_cur = (rlim_t)st.st_size + 100, .rlim_max = all.rlim_max};
    const atls_bytes nonce = site_nonce(&s);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    const atls_enrol_response r = site_enrol(&s, true, nonce, NULL);
    const char *text = health(&s, &status);
    const double n_failed = site_metric(&s, "audit_failures_total");
    const double n_issued = site_metric(&s, "certificates_total");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    assert_false(r.is_success);
    assert_int_equal(r.n_chain, 0);
    assert_int_equal(r.kind, ATLS_CATEGORY_INTERNAL);
    assert_int_equal(r.explanation.len, 0);
    assert_true(n_failed == 1 && n_issued == 1);
    assert_true(site_said(&s, "the audit log cannot be written"));
    assert_int_equal(status, 503);
    assert_non_null(strstr(text, "\"audit\":{\"kept\":true,\"usable\":false,\"seq\":2,"));
    assert_int_equal(site_enrol(&s, true, nonce, NULL).kind, ATLS_CATEGORY_CONTENT); /* it stays used up */
    site_flow(&s, true);                                                             /* there is room again */
    assert_non_null(strstr(health(&s, &status), "\"audit\":{\"kept\":true,\"usable\":true,\"seq\":4,"));
    assert_int_equal(status, 200);
    site_stop(&s);
    assert_true(atls_audit_verify(s.audit, &report, &s.err));
    assert_int_equal(report.n_lines, 4);
    site_close(&s);
}

/* Whoever writes the head down elsewhere misses lines that are cut off; and the service itself misses them. */
static void the_head_is_shown(void **state)
{
    site s;
    unsigned status = 0;
    char shown[128];
    char hex[65];
    atls_audit_report report;
    struct stat st;
    (void)state;
    site_open(&s, "", NULL, NULL);
    assert_int_equal(stat(s.audit, &st), 0);
    site_flow(&s, false);
    site_flow(&s, true);
    assert_true(site_metric(&s, "audit_seq") == 3 && site_metric(&s, "audit_usable") == 1);
    assert_true(atls_audit_verify(s.audit, &report, &s.err));
    atls_hex_encode(atls_bytes_of(report.last_digest, sizeof report.last_digest), hex);
    (void)snprintf(shown, sizeof shown, "\"seq\":3,\"digest\":\"%s\"}", hex);
    assert_non_null(strstr(health(&s, &status), shown));
    assert_int_equal(truncate(s.audit, st.st_size), 0);
    assert_int_equal(site_enrol(&s, true, site_nonce(&s), NULL).kind, ATLS_CATEGORY_INTERNAL);
    atls_service_reload(s.service);
    assert_true(site_wait_metric(&s, "reloads_total", 1));
    assert_true(site_said(&s, "the audit log cannot be opened again"));
    assert_int_equal(site_enrol(&s, true, site_nonce(&s), NULL).kind, ATLS_CATEGORY_INTERNAL);
    assert_true(site_metric(&s, "audit_usable") == 0);
    (void)health(&s, &status);
    assert_int_equal(status, 503);
    site_end(&s);
}

static void records_of_failures(void **state)
{
    site s;
    char command[256];
    const phones_lie lie = {.other_challenge = true};
    (void)state;
    site_open(&s, "\"records\": {\"folder\": \"records\", \"max_files\": 3, \"redact\": false},", NULL, NULL);
    site_flow(&s, false);
    for (unsigned i = 0; i < 5; i++) {
        (void)site_enrol(&s, i % 2 == 0, site_nonce(&s), &lie);
    }
    (void)snprintf(command, sizeof command,
                   "test $(ls '%s/records' | wc -l) = 3 && grep -lq '\"verdict\"' '%s'/records/*.json", s.folder,
                   s.folder);
    assert_int_equal(system(command), 0);
    assert_true(site_metric(&s, "record_failures_total") == 0);
    site_end(&s);
}

/* Not every statement looks at all that are there, and still there are never more than there may be. */
static void records_are_bounded(void **state)
{
    site s;
    char command[256];
    const phones_lie lie = {.other_challenge = true};
    (void)state;
    site_open(&s, "\"records\": {\"folder\": \"records\", \"max_files\": 32},", NULL, NULL);
    (void)snprintf(command, sizeof command, "n=$(ls '%s/records' | wc -l); test $n -le 32 && test $n -ge $WANTED",
                   s.folder);
    for (unsigned i = 1; i <= 70; i++) {
        char wanted[16];
        (void)snprintf(wanted, sizeof wanted, "%u", i < 30 ? i : 30);
        (void)site_enrol(&s, true, site_nonce(&s), &lie);
        assert_int_equal(setenv("WANTED", wanted, 1), 0);
        assert_int_equal(i % 5 == 0 ? system(command) : 0, 0);
    }
    site_end(&s);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "the audit log", a_log_names_what_happened, NULL);
    tap_add(&l, "an audit log that cannot be written", no_certificate_without_its_line, NULL);
    tap_add(&l, "the head of the audit log", the_head_is_shown, NULL);
    tap_add(&l, "debug statements", records_of_failures, NULL);
    tap_add(&l, "debug statements are bounded", records_are_bounded, NULL);
    return tap_run("http_audit", &l);
}
