/* SPDX-License-Identifier: Apache-2.0 */
/* options.c: the parser of the command line, and --help. */
#include "options.h"

#include <string.h>

#define MAX_NAMES 64
#define MAX_WORD  32

/* Levenshtein's distance of two short words; more than 2 is just "far". */
static size_t distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b), row[MAX_WORD + 1];
    if (la > MAX_WORD || lb > MAX_WORD) {
        return MAX_WORD;
    }
    for (size_t j = 0; j <= lb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            size_t other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replace < other ? replace : other;
        }
    }
    return row[lb];
}

const char *cli_nearest(const char *word, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t best_distance = 3;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, names[i]);
        if (d < best_distance && d < strlen(names[i])) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}

static void print_option(const cli_option *o)
{
    char left[64];
    char letter[5] = "    ";
    if (o->letter != 0) {
        letter[0] = '-';
        letter[1] = o->letter;
        letter[2] = ',';
    }
    (void)snprintf(left, sizeof left, "  %s--%s%s%s", letter, o->name, o->value == NULL ? "" : " ",
                   o->value == NULL ? "" : o->value);
    printf("%-32s %s\n", left, o->help);
}

static void print_help(const cli_usage *u)
{
    static const cli_option help = {.name = "help", .letter = 'h', .help = "print this and exit"};
    printf("usage: atls %s [options]%s%s\n\n%s\n\noptions:\n", u->verb, u->operands[0] == 0 ? "" : " ", u->operands,
           u->summary);
    for (size_t i = 0; i < u->n_options; i++) {
        if (u->options[i].help != NULL) {
            print_option(&u->options[i]);
        }
    }
    print_option(&help);
    printf("\nmanual: atls-%s(1)\n", u->verb);
}

static bool unknown_option(const cli_usage *u, const char *word, const char *name, atls_error *err)
{
    const char *names[MAX_NAMES];
    size_t n = 0;
    for (size_t i = 0; i < u->n_options && n < MAX_NAMES; i++) {
        names[n++] = u->options[i].name;
    }
    const char *near = cli_nearest(name, names, n);
    if (near == NULL) {
        return atls_fail(err, ATLS_E_USAGE, word, "unknown option");
    }
    return atls_fail(err, ATLS_E_USAGE, word, "unknown option; did you mean --%s?", near);
}

static const cli_option *find_long(const cli_usage *u, const char *name)
{
    for (size_t i = 0; i < u->n_options; i++) {
        if (strcmp(u->options[i].name, name) == 0) {
            return &u->options[i];
        }
    }
    return NULL;
}

static const cli_option *find_letter(const cli_usage *u, char letter)
{
    for (size_t i = 0; i < u->n_options; i++) {
        if (u->options[i].letter == letter) {
            return &u->options[i];
        }
    }
    return NULL;
}

static bool add(cli_list *list, const char *item, const char *field, atls_error *err)
{
    if (list->n == CLI_MAX_LIST) {
        return atls_fail(err, ATLS_E_USAGE, field, "given more than %d times", CLI_MAX_LIST);
    }
    list->items[list->n++] = item;
    return true;
}

/* store puts a value where the option wants it; the option's name as the user wrote it is the field of errors. */
static bool store(const cli_option *o, const char *word, const char *value, atls_error *err)
{
    if (o->list != NULL) {
        return add(o->list, value, word, err);
    }
    if (*o->text != NULL) {
        return atls_fail(err, ATLS_E_USAGE, word, "given twice");
    }
    *o->text = value;
    return true;
}

typedef struct parser {
    const cli_usage *usage;
    int argc;
    char *const *argv;
    int at; /* the word being looked at */
} parser;

/* take_value handles an option that was found: `attached` is the text after '=', NULL when there is none. */
static bool take_value(parser *p, const cli_option *o, const char *word, const char *attached, atls_error *err)
{
    if (o->flag != NULL) {
        if (attached != NULL) {
            return atls_fail(err, ATLS_E_USAGE, word, "takes no value");
        }
        *o->flag = true;
        return true;
    }
    if (attached != NULL) {
        return store(o, word, attached, err);
    }
    if (p->at + 1 >= p->argc) {
        return atls_fail(err, ATLS_E_USAGE, word, "needs a value: %s", o->value);
    }
    p->at++;
    return store(o, word, p->argv[p->at], err);
}

static bool parse_long(parser *p, const char *arg, atls_error *err)
{
    char name[MAX_WORD + 1], word[MAX_WORD + 3];
    const char *equals = strchr(arg, '=');
    size_t len = equals == NULL ? strlen(arg) : (size_t)(equals - arg);
    if (len > MAX_WORD) {
        return atls_fail(err, ATLS_E_USAGE, "option", "unknown option");
    }
    memcpy(name, arg, len);
    name[len] = 0;
    (void)snprintf(word, sizeof word, "--%s", name);
    const cli_option *o = find_long(p->usage, name);
    if (o == NULL) {
        return unknown_option(p->usage, word, name, err);
    }
    return take_value(p, o, word, equals == NULL ? NULL : equals + 1, err);
}

static bool parse_short(parser *p, const char *arg, atls_error *err)
{
    char word[3] = {'-', arg[0], 0};
    const cli_option *o = find_letter(p->usage, arg[0]);
    if (o == NULL) {
        return atls_fail(err, ATLS_E_USAGE, word, "unknown option");
    }
    if (o->flag != NULL && arg[1] != 0) {
        return atls_fail(err, ATLS_E_USAGE, word, "one letter at a time, please");
    }
    return take_value(p, o, word, arg[1] == 0 ? NULL : arg + 1, err);
}

static bool parse_all(parser *p, cli_list *operands, atls_error *err)
{
    bool only_operands = false;
    for (p->at = 1; p->at < p->argc; p->at++) {
        const char *arg = p->argv[p->at];
        bool ok = true;
        if (only_operands || arg[0] != '-' || arg[1] == 0) {
            ok = add(operands, arg, "operands", err);
        } else if (strcmp(arg, "--") == 0) {
            only_operands = true;
        } else if (arg[1] == '-') {
            ok = parse_long(p, arg + 2, err);
        } else {
            ok = parse_short(p, arg + 1, err);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool wants_help(int argc, char *const argv[])
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

cli_parsed cli_parse(const cli_usage *usage, int argc, char *const argv[], cli_list *operands, atls_error *err)
{
    if (wants_help(argc, argv)) {
        print_help(usage);
        return CLI_PARSE_HELP;
    }
    parser p = {.usage = usage, .argc = argc, .argv = argv};
    if (!parse_all(&p, operands, err)) {
        return CLI_PARSE_FAILED;
    }
    if (operands->n < usage->min_operands) {
        (void)atls_fail(err, ATLS_E_USAGE, usage->operands, "missing");
        return CLI_PARSE_FAILED;
    }
    if (operands->n > usage->max_operands) {
        (void)atls_fail(err, ATLS_E_USAGE, operands->items[usage->max_operands], "one operand too many");
        return CLI_PARSE_FAILED;
    }
    return CLI_PARSE_RUN;
}
