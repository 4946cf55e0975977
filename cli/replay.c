/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: atls replay: appraise recordings again, and say whether the same verdict came out. Debug statements of enrolment, too:
 * replay_statement.c. */
#include <string.h>

#include "base/json.h"
#include "files.h"
#include "object.h"
#include "options.h"
#include "page.h"
#include "replay_statement.h"
#include "values.h"

#define MAX_SHOWN_TEXT  64u
#define MAX_STATUS_LIST ((size_t)16 * 1024 * 1024)    /* as its reader has it */
#define MAX_FILE        ((size_t)ATLS_MAX_RECORD_LEN) /* a statement has less */

typedef struct words {
    const char *at, *status_list;
    bool json, show, verdict, quiet, verbose, ignore_proxy;
    cli_list operands;
} words;

/* One recording, and what came of it. */
typedef struct job {
    const char *path;
    atls_arena arena;
    atls_record record;
    atls_replay replay;
    bool is_statement; /* then `statement` instead of the two above */
    cli_statement statement;
    atls_error err; /* why there was no replay */
    int status;
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"verdict", 0, NULL, "exit with the verdict's own status, once it was reproduced", .flag = &w->verdict},
        {"at", 0, "TIME", "what would have been said then; this is no replay", .text = &w->at},
        {"status-list", 0, "FILE", "of Google's, for a statement of enrolment that holds none",
         .text = &w->status_list},
        {"ignore-proxy", 0, NULL, "leave httpProxy out of such a statement's configuration", .flag = &w->ignore_proxy},
        {"show", 0, NULL, "list what each recording holds", .flag = &w->show},
        {"json", 0, NULL, "print one JSON object on stdout, and nothing else", .flag = &w->json},
        {"quiet", 'q', NULL, "no page; only whether it was reproduced", .flag = &w->quiet},
        {"verbose", 'v', NULL, "list every check", .flag = &w->verbose},
    };
    const cli_usage usage = {
        .verb = "replay",
        .operands = "FILE...",
        .summary =
            "Appraises recordings again (of --record): evidence, endorsements, policy, binding and time are those of\n"
            "the recording, and no network is used. The exit status is 0 when the recorded verdict came out again,\n"
            "byte for byte, whatever it was. A recording says nothing about who made it.\n"
            "Debug statements of enrolment are judged again, too: JSON or one line (u...), ours and Warden's.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 1,
        .max_operands = CLI_MAX_LIST,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

/* ---- one recording ---- */

static int verdict_status(const job *j)
{
    const atls_error *e = j->replay.error.code != ATLS_OK ? &j->replay.error : &j->replay.session;
    return atls_error_exit_status(e);
}

/* Another library may well say something else; the same one never does. */
static int status_of(const words *w, const job *j)
{
    if (j->err.code != ATLS_OK) {
        return atls_error_exit_status(&j->err);
    }
    if (j->is_statement) {
        return cli_statement_status(&j->statement, w->verdict);
    }
    if (j->replay.is_what_if) {
        return atls_error_exit_status(&j->replay.error);
    }
    if (!j->replay.is_same) {
        return atls_code_exit_status(j->replay.same_library ? ATLS_E_INTERNAL : ATLS_E_UNSUPPORTED);
    }
    return w->verdict ? verdict_status(j) : 0;
}

static bool replay_statement(const words *w, job *j, atls_bytes file, atls_error *err)
{
    atls_enrol_replay_options options = {.ignore_proxy = w->ignore_proxy, .status_list = atls_bytes_empty()};
    if (w->at != NULL || w->show) {
        return atls_fail(err, ATLS_E_USAGE, w->at != NULL ? "--at" : "--show",
                         "%s is a statement of enrolment: this is for recordings", j->path);
    }
    return (w->status_list == NULL
            || cli_read(w->status_list, "--status-list", MAX_STATUS_LIST, &j->arena, &options.status_list, err))
           && cli_statement_replay(file, &options, &j->arena, &j->statement, err);
}

static bool replay(const words *w, job *j, atls_error *err)
{
    atls_replay_options options = {.at = ATLS_TIME_UNSET};
    atls_bytes file;
    if ((w->at != NULL && !cli_time(w->at, "--at", &options.at, err)) || !atls_arena_new(&j->arena, CLI_ARENA_SIZE, err)
        || !cli_read(j->path, "FILE", MAX_FILE, &j->arena, &file, err)) {
        return false;
    }
    j->is_statement = cli_statement_looks_like(file);
    if (j->is_statement) {
        return replay_statement(w, j, file, err);
    }
    return atls_record_open(file, &j->arena, &j->record, err)
           && atls_replay_run(&j->record, &options, &j->arena, &j->replay, err);
}

/* ---- for people ---- */

static const char *type_name(atls_record_type type)
{
    static const char *const names[] = {
        [ATLS_RECORD_NUMBER] = "number", [ATLS_RECORD_FLAG] = "flag", [ATLS_RECORD_BYTES] = "bytes",
        [ATLS_RECORD_TEXT] = "text",     [ATLS_RECORD_LIST] = "list",
    };
    return names[type];
}

static void show_content(const atls_record_member *m)
{
    const bool is_long = m->bytes.len > MAX_SHOWN_TEXT;
    const atls_bytes shown = atls_bytes_of(m->bytes.ptr, is_long ? MAX_SHOWN_TEXT : m->bytes.len);
    printf("%zu bytes  ", m->bytes.len);
    if (m->type == ATLS_RECORD_TEXT) {
        cli_put_bytes(stdout, shown);
    } else {
        cli_put_hex(stdout, shown);
    }
    printf("%s\n", is_long ? ".." : "");
}

static void show_list(const atls_record_member *m)
{
    printf("%zu entries of", m->n_items);
    for (size_t i = 0; i < m->n_items; i++) {
        printf(" %zu", m->items[i].len);
    }
    printf(" bytes\n");
}

static void show_members(const job *j)
{
    printf("%s: %s, recorded by atls ", j->path, j->record.kind);
    cli_put(stdout, j->record.library);
    printf("\n");
    for (size_t i = 0; i < j->record.n_members; i++) {
        const atls_record_member *m = &j->record.members[i];
        printf("  ");
        cli_put(stdout, m->name);
        printf("  %s  ", type_name(m->type));
        if (m->type == ATLS_RECORD_NUMBER) {
            printf("%llu\n", (unsigned long long)m->number);
        } else if (m->type == ATLS_RECORD_FLAG) {
            printf("%s\n", m->flag ? "true" : "false");
        } else if (m->type == ATLS_RECORD_LIST) {
            show_list(m);
        } else {
            show_content(m);
        }
    }
}

static void print_differences(const atls_replay *r)
{
    for (size_t i = 0; i < r->n_differences; i++) {
        const atls_replay_difference *d = &r->differences[i];
        (void)fputs("  ", stderr);
        cli_put(stderr, d->path);
        (void)fputs("\n    recorded  ", stderr);
        cli_put(stderr, d->recorded[0] == '\0' ? "(not there)" : d->recorded);
        (void)fputs("\n    now       ", stderr);
        cli_put(stderr, d->replayed[0] == '\0' ? "(not there)" : d->replayed);
        (void)fputc('\n', stderr);
    }
    if (r->n_differences == ATLS_MAX_REPLAY_DIFFERENCES) {
        (void)fputs("  (and perhaps more)\n", stderr);
    }
    if (r->n_unanswered > 0) {
        (void)fprintf(stderr, "  %zu questions of this version have no answer in the recording\n", r->n_unanswered);
    }
}

static void print_origin(const atls_replay *r)
{
    char at[ATLS_TIME_TEXT_SIZE];
    atls_time_format(r->recorded_at, at);
    (void)fprintf(stderr, "  recorded for %s by atls ", at);
    cli_put(stderr, r->library);
    (void)fputs(" with ", stderr);
    cli_put(stderr, r->crypto);
    (void)fprintf(stderr, "; this is atls " ATLS_VERSION " with %s\n", r->crypto_now);
}

static void print_headline(const job *j)
{
    const atls_replay *r = &j->replay;
    char at[ATLS_TIME_TEXT_SIZE];
    const char *verdict = atls_verdict_name(r->result.verdict);
    const char *on = cli_ink_on(stderr, r->is_same ? CLI_GOOD : CLI_BAD), *off = cli_ink_on(stderr, CLI_PLAIN);
    (void)fprintf(stderr, "%s: ", j->path);
    if (r->is_what_if) {
        atls_time_format(r->result.time, at);
        (void)fprintf(stderr, "%sWHAT IF%s it had been %s, which is not the recorded time: %s\n",
                      cli_ink_on(stderr, CLI_WARN), off, at, verdict);
    } else if (r->is_same) {
        (void)fprintf(stderr, "%sreproduced%s, byte for byte: %s\n", on, off, verdict);
    } else {
        (void)fprintf(stderr, "%sNOT reproduced%s: now %s%s\n", on, off, verdict,
                      r->same_library ? "" : "; another version of atls recorded it");
    }
    print_origin(r);
    if (r->session.code != ATLS_OK) {
        char line[640];
        (void)atls_error_line(&r->session, line, sizeof line);
        (void)fputs("  the session failed beyond its evidence: ", stderr);
        cli_put(stderr, line);
        (void)fputc('\n', stderr);
    }
}

static void print(const words *w, const job *j)
{
    if (w->show && j->record.n_members > 0) {
        show_members(j);
    }
    if (j->err.code != ATLS_OK) {
        (void)fprintf(stderr, "%s: no replay\n", j->path);
        (void)cli_report("replay", &j->err);
        return;
    }
    if (j->is_statement) {
        cli_statement_print(j->path, &j->statement, w->quiet || w->operands.n > 1);
        return;
    }
    print_headline(j);
    if (!j->replay.is_what_if && !j->replay.is_same) {
        print_differences(&j->replay);
    }
    if (w->verbose || (!w->quiet && w->operands.n == 1)) {
        const cli_page page = {
            .result = &j->replay.result,
            .error = &j->replay.error,
            .policy = j->replay.policy,
            .verbose = w->verbose,
        };
        cli_page_print(stderr, &page);
    }
}

/* ---- for programs ---- */

static void put_members(atls_jw *w, const atls_record *r)
{
    atls_jw_open(w, "members", '[');
    for (size_t i = 0; i < r->n_members; i++) {
        const atls_record_member *m = &r->members[i];
        atls_jw_open(w, NULL, '{');
        atls_jw_str(w, "name", m->name);
        atls_jw_str(w, "type", type_name(m->type));
        if (m->type == ATLS_RECORD_NUMBER) {
            atls_jw_uint(w, "value", m->number);
        } else if (m->type == ATLS_RECORD_FLAG) {
            atls_jw_bool(w, "value", m->flag);
        } else if (m->type == ATLS_RECORD_LIST) {
            atls_jw_uint(w, "entries", m->n_items);
        } else {
            atls_jw_uint(w, "length", m->bytes.len);
        }
        atls_jw_close(w, '}');
    }
    atls_jw_close(w, ']');
}

static void put_replay(atls_jw *w, const atls_replay *r)
{
    atls_jw_bool(w, "reproduced", r->is_same && !r->is_what_if);
    atls_jw_bool(w, "what_if", r->is_what_if);
    atls_jw_time(w, "time", r->recorded_at);
    atls_jw_str(w, "library", r->library);
    atls_jw_str(w, "crypto", r->crypto);
    atls_jw_str(w, "crypto_now", r->crypto_now);
    cli_put_error(w, "session_error", &r->session);
    atls_jw_raw(w, "result", r->replayed_json);
    if (!r->is_same) {
        atls_jw_raw(w, "recorded_result", r->recorded_json);
    }
    atls_jw_open(w, "differences", '[');
    for (size_t i = 0; i < r->n_differences; i++) {
        atls_jw_open(w, NULL, '{');
        atls_jw_str(w, "path", r->differences[i].path);
        atls_jw_str(w, "recorded", r->differences[i].recorded);
        atls_jw_str(w, "replayed", r->differences[i].replayed);
        atls_jw_close(w, '}');
    }
    atls_jw_close(w, ']');
    atls_jw_uint(w, "unanswered", r->n_unanswered);
}

static void put_job(atls_jw *w, const job *j, bool show)
{
    atls_jw_open(w, NULL, '{');
    atls_jw_str(w, "file", j->path);
    atls_jw_uint(w, "exit_status", (uint64_t)j->status);
    if (j->record.n_members > 0) {
        atls_jw_hex(w, "sha256", atls_bytes_of(j->record.sha256, sizeof j->record.sha256));
    }
    cli_put_error(w, "error", &j->err);
    atls_jw_str(w, "type", j->is_statement ? "statement" : "recording");
    if (j->err.code == ATLS_OK && j->is_statement) {
        cli_statement_put(w, &j->statement);
        cli_put_error(w, "refusal", &j->statement.replay.error);
        atls_jw_close(w, '}');
        return;
    }
    if (show) {
        put_members(w, &j->record);
    }
    if (j->err.code == ATLS_OK) {
        put_replay(w, &j->replay);
    }
    atls_jw_close(w, '}');
}

/* stdout gets one object, piece by piece: recordings may be many, and one is in memory at a time. */
static bool print_json(const job *j, bool show, bool is_first, atls_error *err)
{
    atls_arena arena = {0};
    atls_bytes text = atls_bytes_empty();
    atls_buf b;
    atls_jw w;
    if (!atls_arena_new(&arena, CLI_ARENA_SIZE, err)) {
        return false;
    }
    atls_buf_init(&b, &arena, err);
    atls_jw_init(&w, &b);
    put_job(&w, j, show);
    const bool ok = atls_buf_done(&b, &text);
    if (ok) {
        (void)fputs(is_first ? "{\"schema\":1,\"recordings\":[" : ",", stdout);
        (void)fwrite(text.ptr, 1, text.len, stdout);
    }
    atls_arena_free(&arena);
    return ok;
}

static int run(const words *w, const char *path, bool is_first)
{
    job j = {.path = path};
    atls_error err = {0};
    (void)replay(w, &j, &j.err);
    j.status = status_of(w, &j);
    if (!w->json) {
        print(w, &j);
    } else if (!print_json(&j, w->show, is_first, &err)) {
        j.status = cli_report("replay", &err);
    }
    atls_replay_free(&j.replay);
    atls_arena_free(&j.arena);
    return j.status;
}

int cli_replay(int argc, char *const argv[])
{
    atls_error err = {0};
    words w = {0};
    int status = 0;
    cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return cli_unparsed(parsed, "replay", &err);
    }
    for (size_t i = 0; i < w.operands.n; i++) {
        const int one = run(&w, w.operands.items[i], i == 0);
        status = status == 0 ? one : status;
    }
    if (w.json) {
        (void)fputs("]}\n", stdout);
    }
    return status;
}
