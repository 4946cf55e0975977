/* SPDX-License-Identifier: Apache-2.0 */
/* enrol_audit.c: atls enrol audit: whether audit logs are what the service wrote, line after line and file after file. */
#include <string.h>

#include "base/json.h"
#include "edge/service/audit.h"
#include "enrol.h"
#include "files.h"
#include "options.h"
#include "values.h"

typedef struct words {
    const char *head;
    bool json;
    cli_list operands;
} words;

typedef struct file {
    const char *path;
    atls_audit_report report;
    atls_error err;
} file;

typedef struct job {
    atls_arena arena;
    atls_bytes head; /* empty: none was given */
    file *files;
    size_t n;
    uint64_t n_lines;
    const file *found; /* the one with the head; NULL: none has it */
    atls_error err;    /* the first of all */
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"head", 0, "HEX|@FILE", "a digest that was written down elsewhere: some line must have it", .text = &w->head},
        {"json", 0, NULL, "print one JSON object on stdout, and nothing else", .flag = &w->json},
    };
    const cli_usage usage = {
        .verb = "enrol audit",
        .operands = "FILE...",
        .summary =
            "Checks audit logs: every line's digest, that each names the one before it, and that the numbers go on.\n"
            "Files that were rotated are given in their order, the oldest first. There is no key in a log: only with\n"
            "--head is it seen that lines were cut off at its end.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 1,
        .max_operands = CLI_MAX_LIST,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

/* ---- checking ---- */

static bool is_zero(const uint8_t digest[static ATLS_AUDIT_DIGEST_LEN])
{
    static const uint8_t zero[ATLS_AUDIT_DIGEST_LEN];
    return memcmp(digest, zero, sizeof zero) == 0;
}

static void check_order(const file *before, file *f)
{
    const atls_bytes wanted = atls_bytes_of(before->report.last_digest, ATLS_AUDIT_DIGEST_LEN);
    const atls_bytes named = atls_bytes_of(f->report.first_previous, ATLS_AUDIT_DIGEST_LEN);
    if (!atls_bytes_equal(wanted, named)) {
        (void)atls_fail_bytes(&f->err, ATLS_E_ENCODING, "audit.previous", wanted, named,
                              is_zero(named.ptr) ? "the file begins a chain of its own"
                                                 : "the file does not follow the one before it");
        f->report.bad_line = 1;
    } else if (f->report.first_seq != before->report.last_seq + 1) {
        (void)atls_fail(&f->err, ATLS_E_ENCODING, "audit.seq", "the lines are not counted by one from file to file");
        f->report.bad_line = 1;
    }
}

static void check_files(job *j)
{
    const uint8_t *head = j->head.len == 0 ? NULL : j->head.ptr;
    for (size_t i = 0; i < j->n; i++) {
        file *f = &j->files[i];
        /* what follows a bad file is said of that file, not of this one */
        if (atls_audit_verify_head(f->path, head, &f->report, &f->err) && i > 0
            && j->files[i - 1].err.code == ATLS_OK) {
            check_order(&j->files[i - 1], f);
        }
        j->n_lines += f->report.n_lines;
        j->found = f->report.has_head ? f : j->found;
        if (j->err.code == ATLS_OK) {
            j->err = f->err;
        }
    }
    if (j->err.code == ATLS_OK && head != NULL && j->found == NULL) {
        (void)atls_fail_bytes(&j->err, ATLS_E_ENCODING, "--head", j->head,
                              atls_bytes_of(j->files[j->n - 1].report.last_digest, ATLS_AUDIT_DIGEST_LEN),
                              "no line has this digest: lines were cut off at the end, or written anew");
    }
}

static bool load(const words *w, job *j, atls_error *err)
{
    j->head = atls_bytes_empty();
    if (!atls_arena_new(&j->arena, CLI_ARENA_SIZE, err)
        || (w->head != NULL
            && !cli_hex(w->head, "--head", ATLS_AUDIT_DIGEST_LEN, ATLS_AUDIT_DIGEST_LEN, &j->arena, &j->head, err))) {
        return false;
    }
    j->files = atls_arena_array(&j->arena, w->operands.n, sizeof *j->files, err);
    if (j->files == NULL) {
        return false;
    }
    j->n = w->operands.n;
    for (size_t i = 0; i < j->n; i++) {
        j->files[i] = (file){.path = w->operands.items[i]};
        if (!cli_exists(j->files[i].path, "FILE", err)) {
            return false;
        }
    }
    return true;
}

static const atls_audit_report *last(const job *j)
{
    return &j->files[j->n - 1].report;
}

/* ---- for people ---- */

static void print_file(const file *f)
{
    const atls_audit_report *r = &f->report;
    char line[640];
    cli_put(stdout, f->path);
    (void)printf(": %s, %llu lines", f->err.code == ATLS_OK ? "whole" : "NOT whole", (unsigned long long)r->n_lines);
    if (r->n_lines > 0) {
        (void)printf(", seq %llu to %llu", (unsigned long long)r->first_seq, (unsigned long long)r->last_seq);
    }
    if (r->n_torn > 0) {
        (void)printf(", %llu torn and sealed", (unsigned long long)r->n_torn);
    }
    if (f->err.code != ATLS_OK) {
        (void)atls_error_line(&f->err, line, sizeof line);
        (void)printf("\n  line %llu: ", (unsigned long long)r->bad_line);
        cli_put(stdout, line);
    }
    if (r->is_torn) {
        (void)fputs("\n  a service that was stopped in the middle of it, or one that writes it right now", stdout);
    }
    (void)fputc('\n', stdout);
}

static void print_value(const char *name, const char *value)
{
    (void)printf("%-7s ", name);
    cli_put(stdout, value);
    (void)fputc('\n', stdout);
}

static void print(const job *j)
{
    const atls_audit_report *first = &j->files[0].report;
    for (size_t i = 0; i < j->n; i++) {
        print_file(&j->files[i]);
    }
    if (j->n_lines == 0) {
        return;
    }
    (void)printf("lines   %llu\n", (unsigned long long)j->n_lines);
    print_value("first", first->first_time);
    print_value("last", last(j)->last_time);
    (void)fputs("head    ", stdout);
    cli_put_hex(stdout, atls_bytes_of(last(j)->last_digest, ATLS_AUDIT_DIGEST_LEN));
    (void)printf(", seq %llu\n", (unsigned long long)last(j)->last_seq);
    if (first->n_lines > 0 && !is_zero(first->first_previous)) {
        (void)fputs("before  ", stdout);
        cli_put_hex(stdout, atls_bytes_of(first->first_previous, ATLS_AUDIT_DIGEST_LEN));
        (void)fputs(", of a file that is not among these\n", stdout);
    }
    if (j->found != NULL) {
        (void)printf("--head  is seq %llu, %llu before the last\n", (unsigned long long)j->found->report.head_seq,
                     (unsigned long long)(last(j)->last_seq - j->found->report.head_seq));
    }
}

/* ---- for programs ---- */

static void put_error(atls_jw *w, const atls_error *e, uint64_t line)
{
    if (e->code == ATLS_OK) {
        atls_jw_null(w, "error");
        return;
    }
    atls_jw_open(w, "error", '{');
    if (line > 0) {
        atls_jw_uint(w, "line", line);
    }
    atls_jw_str(w, "code", atls_code_name(e->code));
    atls_jw_str(w, "field", e->field);
    atls_jw_str(w, "expected", e->expected);
    atls_jw_str(w, "actual", e->actual);
    atls_jw_str(w, "message", e->message);
    atls_jw_close(w, '}');
}

static void put_digest(atls_jw *w, const char *name, const uint8_t digest[static ATLS_AUDIT_DIGEST_LEN])
{
    atls_jw_hex(w, name, atls_bytes_of(digest, ATLS_AUDIT_DIGEST_LEN));
}

static void put_file(atls_jw *w, const file *f)
{
    const atls_audit_report *r = &f->report;
    atls_jw_open(w, NULL, '{');
    atls_jw_str(w, "file", f->path);
    atls_jw_bool(w, "whole", f->err.code == ATLS_OK);
    atls_jw_uint(w, "lines", r->n_lines);
    atls_jw_uint(w, "sealed", r->n_torn);
    atls_jw_bool(w, "torn_end", r->is_torn);
    atls_jw_uint(w, "first_seq", r->first_seq);
    atls_jw_uint(w, "last_seq", r->last_seq);
    atls_jw_str(w, "first_time", r->first_time);
    atls_jw_str(w, "last_time", r->last_time);
    put_digest(w, "previous", r->first_previous);
    put_digest(w, "head", r->last_digest);
    put_error(w, &f->err, r->bad_line);
    atls_jw_close(w, '}');
}

static bool print_json(job *j, atls_error *err)
{
    atls_bytes text;
    atls_buf b;
    atls_jw w;
    atls_buf_init(&b, &j->arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_uint(&w, "schema", 1);
    atls_jw_bool(&w, "whole", j->err.code == ATLS_OK);
    atls_jw_uint(&w, "lines", j->n_lines);
    atls_jw_str(&w, "first_time", j->files[0].report.first_time);
    atls_jw_str(&w, "last_time", last(j)->last_time);
    atls_jw_uint(&w, "seq", last(j)->last_seq);
    put_digest(&w, "head", last(j)->last_digest);
    if (j->found != NULL) {
        atls_jw_uint(&w, "found_seq", j->found->report.head_seq);
    } else {
        atls_jw_null(&w, "found_seq");
    }
    put_error(&w, &j->err, 0);
    atls_jw_open(&w, "files", '[');
    for (size_t i = 0; i < j->n; i++) {
        put_file(&w, &j->files[i]);
    }
    atls_jw_close(&w, ']');
    atls_jw_close(&w, '}');
    atls_buf_str(&b, "\n");
    if (!atls_buf_done(&b, &text)) {
        return false;
    }
    (void)fwrite(text.ptr, 1, text.len, stdout);
    return true;
}

static int run(const words *w, job *j)
{
    atls_error err = {.code = ATLS_OK};
    if (!load(w, j, &err)) {
        return cli_report("enrol audit", &err);
    }
    check_files(j);
    if (w->json) {
        return print_json(j, &err) ? atls_error_exit_status(&j->err) : cli_report("enrol audit", &err);
    }
    print(j);
    return j->err.code == ATLS_OK ? 0 : cli_report("enrol audit", &j->err);
}

int cli_enrol_audit(int argc, char *const argv[])
{
    atls_error err = {.code = ATLS_OK};
    words w = {.head = NULL};
    job j = {.n = 0};
    const cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("enrol audit", &err);
    }
    const int status = run(&w, &j);
    atls_arena_free(&j.arena);
    return status;
}
