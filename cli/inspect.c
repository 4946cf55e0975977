/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: atls inspect: show what a file holds. It believes nothing, and says so on its first line. */
#include "base/json.h"
#include "base/limits.h"
#include "files.h"
#include "options.h"

static void put_indent(FILE *f, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        (void)fputs("  ", f);
    }
}

static bool is_container(const atls_json *v)
{
    return v->type == ATLS_JSON_OBJECT || v->type == ATLS_JSON_ARRAY;
}

static void put_scalar(FILE *f, const atls_json *v)
{
    bool text = v->type == ATLS_JSON_STRING;
    if (text && v->text.len == 0) {
        return;
    }
    (void)fputc(' ', f);
    if (is_container(v)) {
        (void)fputs(v->type == ATLS_JSON_OBJECT ? "{}" : "[]", f);
        return;
    }
    cli_put_bytes(f, text ? v->text : v->raw);
}

/* What was found inside a certificate reads like a fact once its line has been copied elsewhere: each says that it is
 * none. "status" has the words already. */
static void put_mark(FILE *f, const atls_json *v, bool rumour)
{
    if (rumour && !atls_bytes_equal_str(v->name, "status")) {
        (void)fputs(" (not verified)", f);
    }
}

/* put_tree prints members as "name: value", elements as "- value"; what has members of its own goes one step right.
 * rumour: below "recognised". Depth is bounded by the reader (ATLS_MAX_JSON_DEPTH). */
static void put_tree(FILE *f, const atls_json *v, unsigned depth, bool rumour)
{
    for (const atls_json *c = v->child; c != NULL; c = c->next) {
        if (depth == 0 && atls_bytes_equal_str(c->name, "unverified")) {
            continue; /* the first line has said so */
        }
        put_indent(f, depth);
        if (v->type == ATLS_JSON_OBJECT) {
            cli_put_bytes(f, c->name);
            (void)fputc(':', f);
        } else {
            (void)fputc('-', f);
        }
        if (is_container(c) && c->child != NULL) {
            (void)fputc('\n', f);
            put_tree(f, c, depth + 1, rumour || atls_bytes_equal_str(c->name, "recognised"));
            continue;
        }
        put_scalar(f, c);
        put_mark(f, c, rumour);
        (void)fputc('\n', f);
    }
}

static bool print_text(atls_bytes json, atls_arena *a, atls_error *err)
{
    const atls_json *tree = NULL;
    if (!atls_json_parse(json, "inspect", a, &tree, err)) {
        return false;
    }
    printf("%sUNVERIFIED%s: nothing below has been checked; anybody could have written it\n",
           cli_ink_on(stdout, CLI_BAD), cli_ink_on(stdout, CLI_PLAIN));
    put_tree(stdout, tree, 0, false);
    return true;
}

static bool inspect(const char *path, bool json, atls_arena *a, atls_error *err)
{
    atls_bytes file, object;
    if (!cli_read(path, "FILE", (size_t)ATLS_MAX_BUNDLE_LEN, a, &file, err)
        || !atls_inspect_json(file, a, &object, err)) {
        return false;
    }
    if (!json) {
        return print_text(object, a, err);
    }
    (void)fwrite(object.ptr, 1, object.len, stdout);
    (void)fputc('\n', stdout);
    return true;
}

int cli_inspect(int argc, char *const argv[])
{
    bool json = false;
    const cli_option options[] = {
        {"json", 0, NULL, "print one JSON object (\"unverified\": true comes first)", .flag = &json},
    };
    const cli_usage usage = {
        .verb = "inspect",
        .operands = "FILE",
        .summary =
            "Shows a quote, DCAP collateral (bundle, TCB info, QE identity, CRL), a dstack response, an event log\n"
            "or certificates (PEM, DER) with their extensions and every attestation format that is recognised\n"
            "in them; which of them is guessed from the bytes; - is stdin. Nothing in it is verified.",
        .options = options,
        .n_options = 1,
        .min_operands = 1,
        .max_operands = 1,
    };
    atls_error err = {0};
    cli_list operands = {.n = 0};
    cli_parsed parsed = cli_parse(&usage, argc, argv, &operands, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("inspect", &err);
    }
    atls_arena arena = {0};
    bool ok = atls_arena_new(&arena, CLI_ARENA_SIZE, &err) && inspect(operands.items[0], json, &arena, &err);
    atls_arena_free(&arena);
    return ok ? 0 : cli_report("inspect", &err);
}
