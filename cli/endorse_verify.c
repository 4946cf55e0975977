/* SPDX-License-Identifier: Apache-2.0 */
/* endorse_verify.c: a bundle by itself: its signature, whether it is older than the last one, and every piece in it. */
#include <string.h>

#include "base/json.h"
#include "endorse.h"
#include "files.h"
#include "inputs.h"
#include "object.h"
#include "values.h"

typedef struct words {
    const char *at;
    cli_bundle_words bundle;
    cli_list roots;
    bool json, quiet;
    cli_list operands;
} words;

typedef struct job {
    atls_arena arena;
    atls_bytes roots[CLI_MAX_ROOTS];
    size_t n_roots;
    atls_time now;
    atls_bundle bundle;
    atls_piece_finding *found;
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        CLI_BUNDLE_ROWS(&w->bundle),
        {"root", 0, "FILE", "trust this root (DER or PEM) beside the vendors'", .list = &w->roots},
        {"at", 0, "TIME", "as of YYYY-MM-DDTHH:MM:SSZ (now)", .text = &w->at},
        {"json", 0, NULL, "print one JSON object on stdout, and nothing else", .flag = &w->json},
        {"quiet", 'q', NULL, "no table; only what does not hold", .flag = &w->quiet},
    };
    const cli_usage usage = {
        .verb = "endorse verify",
        .operands = "BUNDLE",
        .summary =
            "Checks a signed bundle: who signed it, that it is not older than the last one that was used, and of\n"
            "each piece the signatures up to a vendor's root, revocation and dates. A piece whose issuer is not\n"
            "in the bundle is said to be unknown, and is no failure. This is no use of it: what is remembered\n"
            "as the last one stays.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 1,
        .max_operands = 1,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static bool load(const words *w, job *j, atls_error *err)
{
    atls_bytes file;
    return cli_time(w->at, "--at", &j->now, err) && cli_roots_load(&w->roots, &j->arena, j->roots, &j->n_roots, err)
           && cli_read(w->operands.items[0], "BUNDLE", (size_t)ATLS_BUNDLE_MAX_LEN, &j->arena, &file, err)
           && cli_bundle_open(file, "--bundle-key", &w->bundle, &j->arena, &j->bundle, err);
}

static bool check(job *j, atls_error *err)
{
    j->found = atls_arena_array(&j->arena, j->bundle.n_pieces, sizeof *j->found, err);
    return j->found != NULL && atls_bundle_check(&j->bundle, j->roots, j->n_roots, j->now, &j->arena, j->found, err);
}

static const char *word_of(const atls_piece_finding *f)
{
    static const char *const words_of_trust[] = {
        [ATLS_PIECE_UNKNOWN] = "unknown", [ATLS_PIECE_ANCHORED] = "holds", [ATLS_PIECE_UNSIGNED] = "unsigned"};
    return f->error.code != ATLS_OK ? "FAILS" : words_of_trust[f->trust];
}

static void print_piece(const atls_bundle_piece *p, const atls_piece_finding *f)
{
    const bool ok = f->error.code == ATLS_OK;
    const cli_ink ink = !ok ? CLI_BAD : f->trust == ATLS_PIECE_ANCHORED ? CLI_GOOD : CLI_WARN;
    (void)fprintf(stderr, "  %s%-8s%s %-16s ", cli_ink_on(stderr, ink), word_of(f), cli_ink_on(stderr, CLI_PLAIN),
                  p->kind);
    cli_put(stderr, p->subject);
    if (!ok) {
        char line[640];
        (void)atls_error_line(&f->error, line, sizeof line);
        (void)fputs("\n           ", stderr);
        cli_put(stderr, line);
    }
    (void)fputc('\n', stderr);
}

static void print_table(const words *w, const job *j)
{
    if (!w->quiet) {
        (void)fprintf(stderr, "signed by ");
        cli_put_hex(stderr, atls_bytes_of(j->bundle.signer, sizeof j->bundle.signer));
        (void)fprintf(stderr, ", sequence %llu, made ", (unsigned long long)j->bundle.sequence);
        cli_put_time(stderr, j->bundle.made);
        (void)fprintf(stderr, "\nas of ");
        cli_put_time(stderr, j->now);
        (void)fputc('\n', stderr);
    }
    for (size_t i = 0; i < j->bundle.n_pieces; i++) {
        if (!w->quiet || j->found[i].error.code != ATLS_OK) {
            print_piece(&j->bundle.pieces[i], &j->found[i]);
        }
    }
}

static bool print_json(job *j, const atls_error *error, atls_error *err)
{
    const atls_bundle *b = &j->bundle;
    atls_buf buf;
    atls_jw w;
    atls_buf_init(&buf, &j->arena, err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    atls_jw_uint(&w, "schema", 1);
    atls_jw_bool(&w, "holds", error->code == ATLS_OK);
    atls_jw_time(&w, "time", j->now);
    if (j->found != NULL) {
        atls_jw_uint(&w, "sequence", b->sequence);
        atls_jw_time(&w, "made", b->made);
        atls_jw_hex(&w, "signer", atls_bytes_of(b->signer, sizeof b->signer));
        atls_jw_bool(&w, "insecure_older", b->insecure_older);
    }
    atls_jw_open(&w, "pieces", '[');
    for (size_t i = 0; j->found != NULL && i < b->n_pieces; i++) {
        atls_jw_open(&w, NULL, '{');
        atls_jw_str(&w, "kind", b->pieces[i].kind);
        atls_jw_str(&w, "subject", b->pieces[i].subject);
        atls_jw_str(&w, "finding", j->found[i].error.code != ATLS_OK ? "fails" : word_of(&j->found[i]));
        cli_put_error(&w, "error", &j->found[i].error);
        atls_jw_close(&w, '}');
    }
    atls_jw_close(&w, ']');
    cli_put_error(&w, "error", error);
    atls_jw_close(&w, '}');
    return cli_print_object(&buf);
}

/* The first piece that does not hold is the error of the run. */
static void first_failure(const job *j, atls_error *err)
{
    for (size_t i = 0; i < j->bundle.n_pieces && err->code == ATLS_OK; i++) {
        *err = j->found[i].error;
    }
}

int cli_endorse_verify(int argc, char *const argv[])
{
    atls_error err = {.code = ATLS_OK};
    atls_error why = {.code = ATLS_OK};
    words w = {.at = NULL, .bundle = {.only_checks = true}};
    job j = {.now = ATLS_TIME_UNSET};
    const cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return cli_unparsed(parsed, "endorse verify", &err);
    }
    if (!atls_arena_new(&j.arena, CLI_ARENA_SIZE, &err)) {
        return cli_report("endorse verify", &err);
    }
    const bool checked = load(&w, &j, &err) && check(&j, &err);
    if (checked) {
        first_failure(&j, &err);
    }
    if (checked && !w.json) {
        print_table(&w, &j);
    }
    j.found = checked ? j.found : NULL;
    const bool shown = !w.json || print_json(&j, &err, &why);
    atls_arena_free(&j.arena);
    if (!shown) {
        return cli_report("endorse verify", &why);
    }
    return err.code == ATLS_OK ? 0 : w.json ? atls_error_exit_status(&err) : cli_report("endorse verify", &err);
}
