/* SPDX-License-Identifier: Apache-2.0 */
/* replay_statement.c: a debug statement of enrolment judged again. It has no digest of its own, as recordings have: where the verdict
 * does not come out again, somebody may have changed the text, and the exit status says so. */
#include "replay_statement.h"

#include "enrol/debug.h"
#include "page.h"

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

atls_bytes cli_statement_trim(atls_bytes file)
{
    size_t from = 0;
    size_t to = file.len;
    while (from < to && is_space(file.ptr[from])) {
        from++;
    }
    while (to > from && is_space(file.ptr[to - 1])) {
        to--;
    }
    return atls_bytes_of(file.ptr + from, to - from);
}

bool cli_statement_looks_like(atls_bytes file)
{
    const atls_bytes text = cli_statement_trim(file);
    return text.len > 0 && (text.ptr[0] == '{' || text.ptr[0] == 'u');
}

static atls_bytes library_of(const atls_json *tree)
{
    const atls_json *ours = atls_json_find(tree, "atls");
    const atls_json *v = ours == NULL ? NULL : atls_json_find(ours, "library");
    return v == NULL || v->type != ATLS_JSON_STRING ? atls_bytes_empty() : v->text;
}

bool cli_statement_replay(atls_bytes file, const atls_enrol_replay_options *options, atls_arena *a, cli_statement *out,
                          atls_error *err)
{
    const atls_bytes text = cli_statement_trim(file);
    atls_enrol_debug_statement read;
    *out = (cli_statement){.library = atls_bytes_empty()};
    if (!atls_enrol_debug_read(text, a, &read, err) || !atls_enrol_replay_run(text, options, a, &out->replay, err)) {
        return false;
    }
    out->at = read.now;
    out->library = library_of(read.tree);
    return true;
}

static atls_verdict verdict_of(const cli_statement *s)
{
    if (s->replay.is_accepted) {
        return ATLS_VERDICT_ACCEPTED;
    }
    return s->replay.error.category == ATLS_CATEGORY_INTERNAL ? ATLS_VERDICT_UNDECIDED : ATLS_VERDICT_REJECTED;
}

/* A yes is only ever 0 together with an error that is none. */
static int own_status(const cli_statement *s)
{
    const int status = atls_error_exit_status(&s->replay.error);
    return status != 0 || s->replay.is_accepted ? status : atls_code_exit_status(ATLS_E_INTERNAL);
}

int cli_statement_status(const cli_statement *s, bool own_verdict)
{
    const atls_enrol_replay *r = &s->replay;
    if (r->is_redacted || !r->has_recorded) {
        return own_status(s);
    }
    if (!r->is_same) {
        return atls_code_exit_status(atls_bytes_equal_str(s->library, ATLS_VERSION) ? ATLS_E_ENCODING
                                                                                    : ATLS_E_UNSUPPORTED);
    }
    return own_verdict ? own_status(s) : 0;
}

/* ---- for people ---- */

static void print_headline(const char *path, const cli_statement *s)
{
    const atls_enrol_replay *r = &s->replay;
    const char *verdict = atls_verdict_name(verdict_of(s));
    const char *on = cli_ink_on(stderr, r->is_same ? CLI_GOOD : CLI_BAD);
    const char *off = cli_ink_on(stderr, CLI_PLAIN);
    cli_put(stderr, path);
    if (r->is_redacted) {
        (void)fputs(": redacted: what is left cannot be judged again\n", stderr);
    } else if (!r->has_recorded) {
        (void)fprintf(stderr, ": judged: %s; the statement does not say what came out when it was made\n", verdict);
    } else if (r->is_same) {
        (void)fprintf(stderr, ": %sreproduced%s, byte for byte: %s\n", on, off, verdict);
    } else {
        (void)fprintf(stderr, ": %sNOT reproduced%s: now %s%s\n", on, off, verdict,
                      atls_bytes_equal_str(s->library, ATLS_VERSION) ? "; the statement is not as it was written"
                                                                     : "; another version of atls wrote it");
    }
}

static void print_json_line(const char *name, atls_bytes json)
{
    (void)fprintf(stderr, "  %-9s ", name);
    cli_put_bytes(stderr, json);
    (void)fputc('\n', stderr);
}

static void print_origin(const cli_statement *s)
{
    char at[ATLS_TIME_TEXT_SIZE];
    atls_time_format(s->at, at);
    (void)fprintf(stderr, "  statement of enrolment, method %s, of %s", s->replay.method, at);
    if (s->library.len > 0) {
        (void)fputs(", by atls ", stderr);
        cli_put_bytes(stderr, s->library);
    }
    (void)fputs("; this is atls " ATLS_VERSION "\n", stderr);
}

static void print_refusal(const cli_statement *s)
{
    const atls_result result = {.verdict = verdict_of(s), .profile = ""};
    const cli_page page = {.result = &result, .error = &s->replay.error};
    (void)fprintf(stderr, "class: %s%s%s\n", s->replay.class_name, s->replay.reason[0] == '\0' ? "" : ", ",
                  s->replay.reason);
    cli_page_refusal(stderr, &page);
}

void cli_statement_print(const char *path, const cli_statement *s, bool brief)
{
    const atls_enrol_replay *r = &s->replay;
    print_headline(path, s);
    print_origin(s);
    if (r->has_recorded && !r->is_same) {
        print_json_line("recorded", r->recorded);
        if (!r->is_redacted) {
            print_json_line("now", r->replayed);
        }
    }
    if (!brief && !r->is_accepted && !r->is_redacted) {
        print_refusal(s);
    }
}

/* ---- for programs ---- */

static void put_verdict(atls_jw *w, const char *name, atls_bytes json)
{
    if (json.len == 0) {
        atls_jw_null(w, name);
    } else {
        atls_jw_raw(w, name, json);
    }
}

void cli_statement_put(atls_jw *w, const cli_statement *s)
{
    const atls_enrol_replay *r = &s->replay;
    atls_jw_bool(w, "reproduced", r->is_same);
    atls_jw_str(w, "method", r->method);
    atls_jw_str(w, "verdict", r->is_redacted ? "redacted" : atls_verdict_name(verdict_of(s)));
    atls_jw_str(w, "class", r->class_name);
    atls_jw_str(w, "reason", r->reason);
    atls_jw_time(w, "time", s->at);
    if (s->library.len > 0) {
        atls_jw_string(w, "library", s->library);
    } else {
        atls_jw_null(w, "library");
    }
    put_verdict(w, "result", r->is_redacted ? atls_bytes_empty() : r->replayed);
    put_verdict(w, "recorded_result", r->recorded);
}
