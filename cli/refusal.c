/* SPDX-License-Identifier: Apache-2.0 */
/* refusal.c: the page of a no, and the JSON object of either verdict. A no explains itself: every mismatch is shown. */
#include <string.h>

#include "base/json.h"
#include "page.h"

typedef struct hint {
    atls_code code;
    const char *text;
} hint;

static const char *usual_hint(const atls_error *err)
{
    static const hint hints[] = {
        {ATLS_E_ENDORSEMENTS_MISSING,
         "--endorsements PATH names a bundle, certificates and lists, or a folder of them"},
        {ATLS_E_ANDROID_LIST_UNAVAILABLE,
         "--endorsements FILE names Google's status list; --fetch asks for it (of a statement: --status-list FILE)"},
        {ATLS_E_EXPIRED, "fetch new endorsements; --at TIME appraises as of another time"},
        {ATLS_E_NOT_YET_VALID, "look at the clock; --at TIME appraises as of another time"},
        {ATLS_E_IDENTITY, "--cacert FILE trusts a private authority, --pin trusts one public key"},
        {ATLS_E_GRADE,
         "the policy's min_grade asks for a binding: --report-data, --nonce with --ekm, of a phone --nonce"},
        {ATLS_E_TCB_STATUS_NOT_ALLOWED, "allowed_tcb_status in the policy lists what is tolerated"},
        {ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG, "a certificate that was just renewed does this once: connect again"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (hints[i].code == err->code) {
            return hints[i].text;
        }
    }
    return NULL;
}

static void aligned(FILE *f, const char *name, const char *value)
{
    (void)fprintf(f, "  %-9s ", name);
    cli_put(f, value);
    (void)fputc('\n', f);
}

static void three_lines(FILE *f, const char *field, const char *expected, const char *actual)
{
    aligned(f, "field", field);
    aligned(f, "expected", expected[0] == 0 ? "-" : expected);
    aligned(f, "actual", actual[0] == 0 ? "-" : actual);
}

/* Values that are new in every run would make two runs of the demo differ. */
static bool differs_in_every_run(const cli_page *p)
{
    return p->stable && p->error->code == ATLS_E_REPORT_DATA_MISMATCH;
}

static void other_failures(FILE *f, const cli_page *p)
{
    bool first = true;
    for (size_t i = 0; i < p->result->n_checks; i++) {
        const atls_check *c = &p->result->checks[i];
        if (c->verdict != ATLS_CHECK_FAIL) {
            continue;
        }
        if (!first || strcmp(c->field, p->error->field) != 0) {
            (void)fprintf(f, "also %s\n", atls_code_name(c->code));
            three_lines(f, c->field, c->expected, c->actual);
        }
        first = false;
    }
}

static void print_hint(FILE *f, const cli_page *p)
{
    const char *text = p->hint != NULL ? p->hint : usual_hint(p->error);
    if (text != NULL) {
        (void)fprintf(f, "hint: %s\n", text);
    }
}

void cli_page_refusal(FILE *f, const cli_page *p)
{
    const atls_error *e = p->error;
    const char *verdict = p->result->verdict == ATLS_VERDICT_REJECTED ? "Rejected" : "Undecided";
    (void)fprintf(f, "%s%s%s: %s: ", cli_ink_on(f, CLI_BAD), verdict, cli_ink_on(f, CLI_PLAIN),
                  atls_code_name(e->code));
    cli_put(f, e->message);
    (void)fputc('\n', f);
    if (differs_in_every_run(p)) {
        three_lines(f, e->field, "(64 bytes made from our nonce and our session's exporter; new in every run)",
                    "(64 bytes made for another session)");
    } else {
        three_lines(f, e->field, e->expected, e->actual);
        other_failures(f, p);
    }
    print_hint(f, p);
}

/* verdict_of gives a run that ended before an appraisal one of the three verdicts of the schema. */
static atls_verdict verdict_of(const cli_page *p)
{
    if (p->result->verdict != ATLS_VERDICT_NONE) {
        return p->result->verdict;
    }
    return p->error->category == ATLS_CATEGORY_INTERNAL ? ATLS_VERDICT_UNDECIDED : ATLS_VERDICT_REJECTED;
}

static const char *identity_name(atls_identity_mode mode)
{
    static const char *const names[] = {
        [ATLS_IDENTITY_WEBPKI] = "webpki",
        [ATLS_IDENTITY_CA] = "ca",
        [ATLS_IDENTITY_PIN] = "pin",
        [ATLS_IDENTITY_ATTESTED_ONLY] = "attested_only",
    };
    return names[mode];
}

static void write_peer(atls_jw *w, const cli_page *p)
{
    atls_jw_open(w, "peer", '{');
    atls_jw_str(w, "server_name", p->server_name);
    atls_jw_str(w, "identity", identity_name(p->peer->identity));
    atls_jw_str(w, "subject", p->peer->subject);
    atls_jw_str(w, "issuer", p->peer->issuer);
    atls_jw_hex(w, "leaf_sha256", atls_bytes_of(p->peer->leaf_sha256, sizeof p->peer->leaf_sha256));
    atls_jw_str(w, "tls_version", p->peer->tls_version);
    atls_jw_str(w, "cipher", p->peer->cipher);
    atls_jw_str(w, "group", p->peer->group);
    atls_jw_close(w, '}');
}

/* with_peer adds a member at the end of an object that we wrote ourselves: its last byte is the bracket. */
static bool with_peer(const cli_page *p, atls_arena *a, atls_bytes *object, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    atls_buf_init(&b, a, err);
    atls_buf_put(&b, atls_bytes_of(object->ptr, object->len - 1));
    atls_jw_init(&w, &b);
    w.comma = true;
    write_peer(&w, p);
    atls_buf_str(&b, "}");
    return atls_buf_done(&b, object);
}

bool cli_json(const cli_page *p, atls_arena *a, atls_error *err)
{
    atls_result r = *p->result;
    atls_bytes object;
    r.verdict = verdict_of(p);
    if (r.profile == NULL) {
        r.profile = "";
    }
    if (!atls_result_json(&r, p->error, a, &object, err)) {
        return false;
    }
    if (p->peer != NULL && object.len > 0 && !with_peer(p, a, &object, err)) {
        return false;
    }
    (void)fwrite(object.ptr, 1, object.len, stdout);
    (void)fputc('\n', stdout);
    return true;
}

/* A run without an accepted result never ends with 0, whatever the error says. */
static int status_of(const cli_page *p)
{
    if (p->result->verdict == ATLS_VERDICT_ACCEPTED && p->error->code == ATLS_OK) {
        return 0;
    }
    int status = atls_error_exit_status(p->error);
    return status != 0 ? status : atls_code_exit_status(ATLS_E_INTERNAL);
}

int cli_page_end(const char *verb, const cli_page *p, bool json, bool quiet, atls_arena *a)
{
    atls_error err = {0};
    int status = status_of(p);
    if (json) {
        return cli_json(p, a, &err) ? status : cli_report(verb, &err);
    }
    if (p->result->verdict == ATLS_VERDICT_NONE) {
        (void)cli_report(verb, p->error);
        print_hint(stderr, p);
    } else if (status == 0 && quiet) {
        cli_page_warnings(stderr, p);
    } else {
        cli_page_print(stderr, p);
    }
    return status;
}

static bool wants_json(int argc, char *const argv[])
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            return true;
        }
    }
    return false;
}

int cli_page_usage(const char *verb, int argc, char *const argv[], const atls_error *err)
{
    const atls_result none = {.profile = ""};
    const cli_page page = {.result = &none, .error = err};
    atls_arena a = {0};
    atls_error why = {0};
    if (!wants_json(argc, argv) || !atls_arena_new(&a, (size_t)1024 * 1024, &why)) {
        return cli_report(verb, err);
    }
    const int status = cli_page_end(verb, &page, true, false, &a);
    atls_arena_free(&a);
    return status;
}
