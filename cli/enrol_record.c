/* SPDX-License-Identifier: Apache-2.0 */
/* enrol_record.c: atls enrol record: debug statements without personal data, and in one line. */
#include <string.h>

#include "enrol.h"
#include "files.h"
#include "options.h"
#include "replay_statement.h"

static int rewrite(const cli_usage *usage, int argc, char *const argv[], cli_list *operands,
                   bool (*make)(atls_bytes, atls_arena *, atls_bytes *, atls_error *))
{
    atls_error err = {.code = ATLS_OK};
    atls_arena a = {.base = NULL};
    atls_bytes file;
    atls_bytes out;
    const cli_parsed parsed = cli_parse(usage, argc, argv, operands, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report(usage->verb, &err);
    }
    const bool ok = atls_arena_new(&a, CLI_ARENA_SIZE, &err)
                    && cli_read(operands->items[0], "FILE", CLI_MAX_STATEMENT_FILE, &a, &file, &err)
                    && make(cli_statement_trim(file), &a, &out, &err);
    if (ok) {
        (void)fwrite(out.ptr, 1, out.len, stdout);
        (void)fputc('\n', stdout);
    }
    atls_arena_free(&a);
    return ok ? 0 : cli_report(usage->verb, &err);
}

static int redact(int argc, char *const argv[])
{
    cli_list operands = {.n = 0};
    const cli_usage usage = {
        .verb = "enrol record redact",
        .operands = "FILE",
        .summary =
            "Takes personal data (IMEI, MEID, serial numbers, uniqueId) and the request out of a debug statement,\n"
            "and marks it. What is left is never accepted again.",
        .min_operands = 1,
        .max_operands = 1,
    };
    return rewrite(&usage, argc, argv, &operands, atls_enrol_record_redact);
}

static int compact(int argc, char *const argv[])
{
    cli_list operands = {.n = 0};
    const cli_usage usage = {
        .verb = "enrol record compact",
        .operands = "FILE",
        .summary = "Writes a debug statement as one line: u and base64url.",
        .min_operands = 1,
        .max_operands = 1,
    };
    return rewrite(&usage, argc, argv, &operands, atls_enrol_record_compact);
}

static const cli_verb verbs[] = {
    {"redact", "take personal data out of a debug statement", redact},
    {"compact", "write a debug statement as one line", compact},
};

#define N_VERBS (sizeof verbs / sizeof verbs[0])

static void print_help(FILE *f)
{
    (void)fprintf(f, "usage: atls enrol record VERB FILE\n\nverbs:\n");
    for (size_t i = 0; i < N_VERBS; i++) {
        (void)fprintf(f, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
    }
    (void)fprintf(f, "\natls replay judges a debug statement again. manual: atls-enrol(1)\n");
}

int cli_enrol_record(int argc, char *const argv[])
{
    const char *names[N_VERBS];
    atls_error err = {.code = ATLS_OK};
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(argc < 2 ? stderr : stdout);
        return argc < 2 ? atls_code_exit_status(ATLS_E_USAGE) : 0;
    }
    for (size_t i = 0; i < N_VERBS; i++) {
        names[i] = verbs[i].name;
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return verbs[i].run(argc - 1, argv + 1);
        }
    }
    const char *near = cli_nearest(argv[1], names, N_VERBS);
    (void)(near != NULL ? atls_fail(&err, ATLS_E_USAGE, argv[1], "unknown verb; did you mean %s?", near)
                        : atls_fail(&err, ATLS_E_USAGE, argv[1], "unknown verb"));
    return cli_report("enrol record", &err);
}
