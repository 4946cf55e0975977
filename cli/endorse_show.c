/* SPDX-License-Identifier: Apache-2.0 */
/* endorse_show.c: what is in endorsements. Nothing of it is verified, and the first line says so. */
#include <string.h>

#include "base/json.h"
#include "endorse.h"
#include "object.h"
#include "values.h"

typedef struct words {
    const char *at;
    cli_list keys;
    bool json;
    cli_list operands;
} words;

typedef struct job {
    atls_arena arena;
    atls_bundle_pieces pieces;
    atls_piece_facts *facts;
    atls_bundle bundle; /* n_pieces 0: none of the operands was one */
    atls_time now;
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"bundle-key", 0, "FILE", "public key (PEM): check the signature of a bundle, and nothing else",
         .list = &w->keys},
        {"at", 0, "TIME", "count days from YYYY-MM-DDTHH:MM:SSZ (now)", .text = &w->at},
        {"json", 0, NULL, "print one JSON object (\"unverified\": true comes first)", .flag = &w->json},
    };
    const cli_usage usage = {
        .verb = "endorse show",
        .operands = "PATH...",
        .summary =
            "Says what is in endorsements: a signed bundle, or anything that -e takes. Pieces are not verified,\n"
            "and the signature of a bundle only with --bundle-key.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 1,
        .max_operands = CLI_MAX_LIST,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static bool load(const words *w, job *j, atls_error *err)
{
    if (!cli_time(w->at, "--at", &j->now, err)) {
        return false;
    }
    atls_bundle_pieces_init(&j->pieces, &j->arena);
    for (size_t i = 0; i < w->operands.n; i++) {
        atls_bundle b;
        if (!cli_pieces_add(w->operands.items[i], "PATH", &w->keys, true, &j->arena, &j->pieces, &b, err)) {
            return false;
        }
        if (b.n_pieces > 0 && j->bundle.n_pieces > 0) {
            return atls_fail(err, ATLS_E_USAGE, "PATH", "one signed bundle at a time");
        }
        j->bundle = b.n_pieces > 0 ? b : j->bundle;
    }
    j->facts = atls_arena_array(&j->arena, j->pieces.n + 1, sizeof *j->facts, err);
    for (size_t i = 0; j->facts != NULL && i < j->pieces.n; i++) {
        if (!atls_bundle_piece_describe(&j->pieces.items[i], &j->arena, &j->facts[i], err)) {
            return atls_error_relabel(err, err->code, j->pieces.items[i].kind);
        }
    }
    return j->facts != NULL;
}

/* The piece whose date passes first, and that date: its own or its chain's. */
static size_t first_to_pass(const job *j, atls_time *at, bool *is_chain)
{
    size_t found = j->pieces.n;
    *at = INT64_MAX;
    *is_chain = false;
    for (size_t i = 0; i < j->pieces.n; i++) {
        const atls_piece_facts *f = &j->facts[i];
        if (f->until != ATLS_TIME_UNSET && f->until < *at) {
            *at = f->until;
            *is_chain = false;
            found = i;
        }
        if (f->chain_until != ATLS_TIME_UNSET && f->chain_until < *at) {
            *at = f->chain_until;
            *is_chain = true;
            found = i;
        }
    }
    return found;
}

static void print_bundle(const job *j)
{
    const atls_bundle *b = &j->bundle;
    if (b->n_pieces == 0) {
        return;
    }
    printf("signed bundle, sequence %llu, made ", (unsigned long long)b->sequence);
    cli_put_time(stdout, b->made);
    printf("\nsigner ");
    cli_put_hex(stdout, atls_bytes_of(b->signer, sizeof b->signer));
    printf(b->insecure_unsigned ? ": %ssignature not checked%s (--bundle-key FILE)\n" : ": %ssignature holds%s\n",
           cli_ink_on(stdout, b->insecure_unsigned ? CLI_WARN : CLI_GOOD), cli_ink_on(stdout, CLI_PLAIN));
}

static void print_piece(const atls_bundle_piece *p, const atls_piece_facts *f, atls_time now)
{
    printf("\n%s%s%s ", cli_ink_on(stdout, CLI_BOLD), p->kind, cli_ink_on(stdout, CLI_PLAIN));
    cli_put(stdout, p->subject);
    printf("\n  what      ");
    cli_put(stdout, f->what);
    if (f->issuer[0] != '\0') {
        printf("\n  issuer    ");
        cli_put(stdout, f->issuer);
    }
    if (f->number[0] != '\0') {
        printf("\n  number    ");
        cli_put(stdout, f->number);
    }
    if (f->from != ATLS_TIME_UNSET) {
        printf("\n  from      ");
        cli_put_time(stdout, f->from);
    }
    if (f->until != ATLS_TIME_UNSET) {
        printf("\n  until     ");
        cli_put_time(stdout, f->until);
        printf(" (%s, ", f->until_name);
        cli_put_distance(stdout, f->until, now);
        printf(")");
    }
    if (f->chain_until != ATLS_TIME_UNSET) {
        printf("\n  chain     ");
        cli_put_time(stdout, f->chain_until);
        printf(" (");
        cli_put(stdout, f->chain_until_who);
        printf(")");
    }
    printf("\n");
}

static void print_text(const job *j)
{
    atls_time at;
    bool is_chain;
    printf("%sUNVERIFIED%s: nothing below has been checked; atls endorse verify does\n", cli_ink_on(stdout, CLI_BAD),
           cli_ink_on(stdout, CLI_PLAIN));
    print_bundle(j);
    for (size_t i = 0; i < j->pieces.n; i++) {
        print_piece(&j->pieces.items[i], &j->facts[i], j->now);
    }
    const size_t first = first_to_pass(j, &at, &is_chain);
    if (first < j->pieces.n) {
        printf("\npasses first: ");
        cli_put_time(stdout, at);
        printf(" (");
        cli_put_distance(stdout, at, j->now);
        printf("): ");
        cli_put(stdout, is_chain ? j->facts[first].chain_until_who : j->facts[first].what);
        printf("\n");
    }
}

static void put_bundle(atls_jw *w, const atls_bundle *b)
{
    if (b->n_pieces == 0) {
        atls_jw_null(w, "bundle");
        return;
    }
    atls_jw_open(w, "bundle", '{');
    atls_jw_uint(w, "sequence", b->sequence);
    atls_jw_time(w, "made", b->made);
    atls_jw_hex(w, "signer", atls_bytes_of(b->signer, sizeof b->signer));
    atls_jw_str(w, "signature", b->insecure_unsigned ? "not_checked" : "holds");
    atls_jw_close(w, '}');
}

static void put_piece(atls_jw *w, const atls_bundle_piece *p, const atls_piece_facts *f)
{
    size_t len = 0;
    for (size_t i = 0; i < p->n_parts; i++) {
        len += p->parts[i].len;
    }
    atls_jw_open(w, NULL, '{');
    atls_jw_str(w, "kind", p->kind);
    atls_jw_str(w, "subject", p->subject);
    atls_jw_str(w, "what", f->what);
    atls_jw_str(w, "issuer", f->issuer);
    atls_jw_str(w, "number", f->number);
    atls_jw_time(w, "from", f->from);
    atls_jw_time(w, "until", f->until);
    atls_jw_time(w, "chain_until", f->chain_until);
    atls_jw_uint(w, "len", len);
    atls_jw_close(w, '}');
}

static bool print_json(job *j, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    atls_time at;
    bool is_chain;
    const size_t first = first_to_pass(j, &at, &is_chain);
    atls_buf_init(&b, &j->arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_bool(&w, "unverified", true);
    atls_jw_uint(&w, "schema", 1);
    put_bundle(&w, &j->bundle);
    atls_jw_open(&w, "pieces", '[');
    for (size_t i = 0; i < j->pieces.n; i++) {
        put_piece(&w, &j->pieces.items[i], &j->facts[i]);
    }
    atls_jw_close(&w, ']');
    atls_jw_open(&w, "passes_first", '{');
    atls_jw_time(&w, "time", first < j->pieces.n ? at : ATLS_TIME_UNSET);
    atls_jw_str(&w, "what",
                first == j->pieces.n ? ""
                : is_chain           ? j->facts[first].chain_until_who
                                     : j->facts[first].what);
    atls_jw_close(&w, '}');
    atls_jw_close(&w, '}');
    return cli_print_object(&b);
}

int cli_endorse_show(int argc, char *const argv[])
{
    atls_error err = {.code = ATLS_OK};
    words w = {.json = false};
    job j = {.now = ATLS_TIME_UNSET};
    const cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return cli_unparsed(parsed, "endorse show", &err);
    }
    bool ok = atls_arena_new(&j.arena, CLI_ARENA_SIZE, &err) && load(&w, &j, &err);
    if (ok && !w.json) {
        print_text(&j);
    }
    ok = ok && (!w.json || print_json(&j, &err));
    atls_arena_free(&j.arena);
    return ok ? 0 : cli_report("endorse show", &err);
}
