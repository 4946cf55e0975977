/* SPDX-License-Identifier: Apache-2.0 */
/* endorse_forecast.c: when will this evidence start to be refused, and why. For people, and for cron. */
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "endorse.h"
#include "fetch.h"
#include "files.h"
#include "forecast_from.h"
#include "inputs.h"
#include "object.h"
#include "values.h"

#define DEFAULT_WITHIN "7d"
#define MAX_WITHIN_S   ((uint64_t)100 * 366 * 86400)

typedef struct words {
    const char *policy, *kind, *event_log, *within, *at;
    cli_list roots, endorsements, early;
    cli_bundle_words bundle;
    cli_fetch_words fetch;
    cli_peer_words peer;
    bool json, quiet;
    cli_list operands;
} words;

typedef struct job {
    atls_arena arena;
    atls_policy *policy;
    cli_endorsements endorsements;
    cli_endorsements early;
    atls_time within_s;
    atls_time fetch_at; /* the fetcher's clock; unset: the system's */
    atls_forecast_question question;
    atls_forecast forecast;
    atls_error refusal;    /* of a live session */
    bool has_endorsements; /* the recording's are not wanted */
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"policy", 'p', "FILE",
         "what is expected (JSON); without it: the recorded one; of evidence: genuine and UpToDate",
         .text = &w->policy},
        {"kind", 0, "NAME", "without --policy: tdx, sgx, sev_snp, tpm or nitro (what it looks like)", .text = &w->kind},
        {"endorsements", 'e', "PATH",
         "signed bundle, collateral, certificates and lists, or a folder; may be given again",
         .list = &w->endorsements},
        CLI_BUNDLE_ROWS(&w->bundle),
        CLI_FETCH_OPTIONS(&w->fetch),
        CLI_PEER_ROWS(&w->peer),
        {"early", 0, "PATH", "a second set, of the early channel: what would it say today? may be given again",
         .list = &w->early},
        {"root", 0, "FILE", "trust this root (DER or PEM) instead of the vendor's", .list = &w->roots},
        {"event-log", 0, "FILE", "event log: dstack's JSON or raw CCEL", .text = &w->event_log},
        {"within", 0, "TIME", "30d, 12h, 45m: fail if refusal comes that soon (" DEFAULT_WITHIN ")",
         .text = &w->within},
        {"at", 0, "TIME", "look ahead from YYYY-MM-DDTHH:MM:SSZ (now)", .text = &w->at},
        {"json", 0, NULL, "print one JSON object on stdout, and nothing else", .flag = &w->json},
        {"quiet", 'q', NULL, "say something only if refusal comes within the time", .flag = &w->quiet},
    };
    const cli_usage usage = {
        .verb = "endorse forecast",
        .operands = "FILE|HOST:PORT",
        .summary = "Says when evidence (a file of it, a recording, or what a peer shows now), as it is, will start to "
                   "be refused with these endorsements and this policy, and\n"
                   "why, and which versions of its TCB are short. The exit status is 0 if that is further away than\n"
                   "--within, and else that of the refusal: 5 for endorsements, 4 for the policy.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 1,
        .max_operands = 1,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static bool read_within(const char *word, atls_time *out, atls_error *err)
{
    uint64_t n = 0;
    const char *c = word == NULL ? DEFAULT_WITHIN : word;
    const char *first = c;
    for (; *c >= '0' && *c <= '9' && n <= MAX_WITHIN_S; c++) {
        n = n * 10 + (uint64_t)(*c - '0');
    }
    const uint64_t unit = *c == 'd' ? 86400 : *c == 'h' ? 3600 : *c == 'm' ? 60 : 0;
    if (c == first || unit == 0 || c[1] != '\0' || n > MAX_WITHIN_S / unit) {
        return atls_fail(err, ATLS_E_USAGE, "--within", "wants a number and d, h or m: 30d");
    }
    *out = (atls_time)(n * unit);
    return true;
}

static bool load_bytes(const words *w, job *j, atls_error *err)
{
    cli_evidence evidence;
    atls_appraisal *in = &j->question.appraisal;
    if (!cli_evidence_load(w->operands.items[0], &j->arena, &evidence, err)) {
        return false;
    }
    in->evidence = evidence.quote;
    in->event_log = evidence.event_log;
    in->binding.profile = "";
    return w->event_log == NULL
           || cli_read(w->event_log, "--event-log", (size_t)ATLS_MAX_EVENT_LOG_LEN, &j->arena, &in->event_log, err);
}

static bool has_more(const words *w)
{
    return w->endorsements.n > 0 || w->fetch.fetch || w->fetch.pccs.n > 0 || w->fetch.kds.n > 0
           || w->fetch.status_url != NULL;
}

/* The recorded endorsements, unless others are given: then the question is what those will say. */
static bool load_recording(const words *w, job *j, atls_bytes file, bool is_live, atls_error *err)
{
    static const cli_list no_roots = {.n = 0};
    if (w->kind != NULL || w->event_log != NULL || w->roots.n > 0) {
        return atls_fail(err, ATLS_E_USAGE,
                         w->kind != NULL        ? "--kind"
                         : w->event_log != NULL ? "--event-log"
                                                : "--root",
                         "is for files of evidence");
    }
    if (!is_live && w->policy != NULL && !cli_policy_load(w->policy, NULL, &no_roots, &j->arena, &j->policy, err)) {
        return false;
    }
    j->has_endorsements = !is_live && has_more(w);
    return cli_appraisal_from(file, &j->arena, &j->question.appraisal, j->policy == NULL ? &j->policy : NULL, err);
}

static bool load_peer(const words *w, job *j, atls_error *err)
{
    static const cli_list no_roots = {.n = 0};
    atls_bytes record;
    if (w->policy == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--policy", "required: it says what is expected of the peer");
    }
    return cli_policy_load(w->policy, NULL, &no_roots, &j->arena, &j->policy, err)
           && cli_peer_record(&w->peer, w->operands.items[0], j->policy, &j->endorsements,
                              w->at == NULL ? ATLS_TIME_UNSET : j->question.appraisal.now, &j->arena, &record,
                              &j->refusal, err)
           && load_recording(w, j, record, true, err);
}

static const char *kind_of(const words *w, job *j)
{
    const char *kind = NULL;
    atls_error ignored = {.code = ATLS_OK};
    if (w->policy != NULL || w->kind != NULL) {
        return w->kind;
    }
    return atls_evidence_kind(j->question.appraisal.evidence, &j->arena, &kind, &ignored) ? kind : NULL;
}

/* What the early set would say is a question: an older bundle answers it, and a newer one does not count as used. */
static bool load_early(const words *w, job *j, atls_error *err)
{
    cli_bundle_words looks = w->bundle;
    looks.only_looks = true;
    return cli_endorsements_load_signed(&w->early, &looks, &j->arena, &j->early, err);
}

static bool load_subject(const words *w, job *j, atls_error *err)
{
    const char *operand = w->operands.items[0];
    atls_bytes file;
    if (cli_is_address(operand)) {
        return load_peer(w, j, err);
    }
    if (cli_is_recording(operand)) {
        return cli_read(operand, "FILE", ATLS_MAX_RECORD_LEN, &j->arena, &file, err)
               && load_recording(w, j, file, false, err);
    }
    return load_bytes(w, j, err) && cli_policy_load(w->policy, kind_of(w, j), &w->roots, &j->arena, &j->policy, err);
}

static bool load(const words *w, job *j, atls_error *err)
{
    atls_time *now = &j->question.appraisal.now;
    if (!cli_time(w->at, "--at", now, err) || !read_within(w->within, &j->within_s, err)) {
        return false;
    }
    j->fetch_at = w->at == NULL ? ATLS_TIME_UNSET : *now;
    return cli_endorsements_load_signed(&w->endorsements, &w->bundle, &j->arena, &j->endorsements, err)
           && load_early(w, j, err) && cli_fetch_open(&w->fetch, &j->fetch_at, &j->endorsements.fetcher, err)
           && load_subject(w, j, err);
}

static bool forecast(const words *w, job *j, atls_error *err)
{
    j->question.policy = j->policy;
    if (j->question.appraisal.endorse == NULL || j->has_endorsements) {
        j->question.appraisal.endorse = cli_endorse;
        j->question.appraisal.endorse_ctx = &j->endorsements;
    }
    j->question.early = w->early.n > 0 ? cli_endorse : NULL;
    j->question.early_ctx = &j->early;
    if (!atls_forecast_make(&j->question, &j->arena, &j->forecast, err)) {
        return false;
    }
    cli_endorse_explain(&j->endorsements, &j->forecast.now.error);
    cli_endorse_explain(&j->endorsements, &j->forecast.failure);
    if (j->forecast.now.accepted && j->refusal.code != ATLS_OK) {
        *err = j->refusal; /* whoever that was, its session was not worth a forecast */
        return false;
    }
    return true;
}

static bool is_soon(const job *j)
{
    const atls_forecast *f = &j->forecast;
    return f->fails && f->first_failure - j->question.appraisal.now <= j->within_s;
}

/* ---- prose ---- */

static void print_verdict(const char *name, const atls_forecast_verdict *v)
{
    (void)fprintf(stderr, "%-14s", name);
    if (v->accepted) {
        (void)fprintf(stderr, "%saccepted%s", cli_ink_on(stderr, CLI_GOOD), cli_ink_on(stderr, CLI_PLAIN));
    } else {
        char line[640];
        (void)atls_error_line(&v->error, line, sizeof line);
        (void)fprintf(stderr, "%srefused%s: ", cli_ink_on(stderr, CLI_BAD), cli_ink_on(stderr, CLI_PLAIN));
        cli_put(stderr, line);
    }
    if (v->has_tcb) {
        (void)fprintf(stderr, "\n%-14s%s, evaluation data number %u", "", atls_tcb_status_name(v->status),
                      (unsigned)v->evaluation_data_number);
    }
    (void)fputc('\n', stderr);
    for (size_t i = 0; i < v->n_gaps; i++) {
        (void)fprintf(stderr, "%-14sshort: %s is %u, the newest level wants %u\n", "", v->gaps[i].component,
                      (unsigned)v->gaps[i].have, (unsigned)v->gaps[i].need);
    }
}

static void print_failure(const job *j)
{
    const atls_forecast *f = &j->forecast;
    char line[640];
    if (!f->fails) {
        (void)fprintf(stderr, "%-14snot in the ten years that were looked at\n", "refused from");
        return;
    }
    (void)atls_error_line(&f->failure, line, sizeof line);
    (void)fprintf(stderr, "%-14s%s", "refused from", cli_ink_on(stderr, is_soon(j) ? CLI_BAD : CLI_BOLD));
    cli_put_time(stderr, f->first_failure);
    (void)fprintf(stderr, "%s, ", cli_ink_on(stderr, CLI_PLAIN));
    cli_put_distance(stderr, f->first_failure, j->question.appraisal.now);
    if (f->because[0] != '\0') {
        (void)fprintf(stderr, "\n%-14s", "because of");
        cli_put(stderr, f->because);
    }
    (void)fprintf(stderr, "\n%-14s", "as");
    cli_put(stderr, line);
    (void)fputc('\n', stderr);
}

static void print_text(const job *j)
{
    const atls_forecast *f = &j->forecast;
    if (f->leaves_out_grade) {
        (void)fprintf(stderr, "%-14smin_grade (%s): only a live session has a grade\n", "not judged",
                      atls_grade_name(f->min_grade));
    }
    print_verdict("today", &f->now);
    if (f->has_early) {
        print_verdict("early", &f->early);
    }
    print_failure(j);
    for (size_t i = 0; i < f->n_dates; i++) {
        (void)fprintf(stderr, "%-14s", i == 0 ? "dates" : "");
        cli_put_time(stderr, f->dates[i].time);
        (void)fputs("  ", stderr);
        cli_put(stderr, f->dates[i].what);
        (void)fputc('\n', stderr);
    }
}

/* ---- JSON ---- */

static void put_verdict(atls_jw *w, const char *name, const atls_forecast_verdict *v)
{
    atls_jw_open(w, name, '{');
    atls_jw_bool(w, "accepted", v->accepted);
    cli_put_error(w, "error", &v->error);
    if (v->has_tcb) {
        atls_jw_str(w, "tcb_status", atls_tcb_status_name(v->status));
        atls_jw_uint(w, "evaluation_data_number", v->evaluation_data_number);
        atls_jw_open(w, "short", '[');
        for (size_t i = 0; i < v->n_gaps; i++) {
            atls_jw_open(w, NULL, '{');
            atls_jw_str(w, "component", v->gaps[i].component);
            atls_jw_uint(w, "have", v->gaps[i].have);
            atls_jw_uint(w, "need", v->gaps[i].need);
            atls_jw_close(w, '}');
        }
        atls_jw_close(w, ']');
    }
    atls_jw_close(w, '}');
}

static void put_dates(atls_jw *w, const atls_forecast *f)
{
    atls_jw_open(w, "dates", '[');
    for (size_t i = 0; i < f->n_dates; i++) {
        atls_jw_open(w, NULL, '{');
        atls_jw_time(w, "time", f->dates[i].time);
        atls_jw_str(w, "what", f->dates[i].what);
        atls_jw_bool(w, "of_evidence", f->dates[i].is_evidence);
        atls_jw_close(w, '}');
    }
    atls_jw_close(w, ']');
}

static bool print_json(job *j, atls_error *err)
{
    const atls_forecast *f = &j->forecast;
    atls_buf b;
    atls_jw w;
    atls_buf_init(&b, &j->arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_uint(&w, "schema", 1);
    atls_jw_time(&w, "time", j->question.appraisal.now);
    atls_jw_uint(&w, "within_s", (uint64_t)j->within_s);
    atls_jw_bool(&w, "soon", is_soon(j));
    atls_jw_time(&w, "refused_from", f->fails ? f->first_failure : ATLS_TIME_UNSET);
    cli_put_error(&w, "error", &f->failure);
    atls_jw_str(&w, "because", f->because);
    atls_jw_open(&w, "not_judged", '[');
    if (f->leaves_out_grade) {
        atls_jw_str(&w, NULL, "min_grade");
    }
    atls_jw_close(&w, ']');
    put_verdict(&w, "today", &f->now);
    if (f->has_early) {
        put_verdict(&w, "early", &f->early);
    }
    put_dates(&w, f);
    atls_jw_close(&w, '}');
    return cli_print_object(&b);
}

int cli_endorse_forecast(int argc, char *const argv[])
{
    atls_error err = {.code = ATLS_OK};
    words w = {.policy = NULL};
    job j = {.policy = NULL};
    const cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return cli_unparsed(parsed, "endorse forecast", &err);
    }
    bool ok = atls_arena_new(&j.arena, CLI_ARENA_SIZE, &err) && load(&w, &j, &err) && forecast(&w, &j, &err);
    if (ok && w.json) {
        ok = print_json(&j, &err);
    } else if (ok && (!w.quiet || is_soon(&j))) {
        print_text(&j);
    }
    const int status = !ok           ? cli_report("endorse forecast", &err)
                       : is_soon(&j) ? atls_error_exit_status(&j.forecast.failure)
                                     : 0;
    cli_fetch_close(j.endorsements.fetcher, w.quiet);
    atls_policy_free(j.policy);
    atls_arena_free(&j.arena);
    return status;
}
