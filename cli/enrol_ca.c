/* SPDX-License-Identifier: Apache-2.0 */
/* enrol_ca.c: atls enrol ca: makes the CA of an enrolment service, once, and shows it. */
#include <inttypes.h>
#include <string.h>

#include "edge/service/ca.h"
#include "endorse.h"
#include "enrol.h"
#include "options.h"
#include "pki/cert.h"
#include "values.h"
#include "verbs.h"

/* ---- init ---- */

typedef struct init_words {
    const char *dir, *subject, *days, *issuer_days, *curve, *passphrase;
    bool without_intermediate;
    cli_list operands;
} init_words;

static cli_parsed parse_init(int argc, char *const argv[], init_words *w, atls_error *err)
{
    const cli_option options[] = {
        {"dir", 0, "DIR", "the folder of the CA, made if it is not there", .text = &w->dir},
        {"subject", 0, "NAME", "of the root, CN=...,O=... (CN=atls enrolment CA)", .text = &w->subject},
        {"days", 0, "NUMBER", "life of the root (3650)", .text = &w->days},
        {"issuer-days", 0, "NUMBER", "life of the issuer below it (1095)", .text = &w->issuer_days},
        {"curve", 0, "NAME", "of all keys: P-256 or P-384 (P-256)", .text = &w->curve},
        {"passphrase-file", 0, "FILE", "encrypt the keys with the first line of this file", .text = &w->passphrase},
        {"no-intermediate", 0, NULL, "let the root itself sign phones' certificates", .flag = &w->without_intermediate},
    };
    const cli_usage usage = {
        .verb = "enrol ca init",
        .operands = "",
        .summary =
            "Makes a root, an issuer below it, the secret of serial numbers, and a profile to begin with. Files\n"
            "that are there are never overwritten.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static bool read_curve(const char *word, atls_ca_key_kind *out, atls_error *err)
{
    *out = word != NULL && strcmp(word, "P-384") == 0 ? ATLS_CA_P384 : ATLS_CA_P256;
    return word == NULL || *out == ATLS_CA_P384 || strcmp(word, "P-256") == 0
           || atls_fail(err, ATLS_E_USAGE, "--curve", "P-256 or P-384");
}

static bool init(const init_words *w, atls_error *err)
{
    uint32_t days = 0;
    uint32_t issuer_days = 0;
    atls_ca_init_options o = {.dir = w->dir,
                              .subject = w->subject,
                              .passphrase_file = w->passphrase,
                              .without_intermediate = w->without_intermediate,
                              .now = cli_now()};
    if (w->dir == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--dir", "required: the folder of the CA");
    }
    if (!read_curve(w->curve, &o.key, err) || !cli_number(w->days, "--days", 1, 36500, &days, err)
        || !cli_number(w->issuer_days, "--issuer-days", 1, 36500, &issuer_days, err)) {
        return false;
    }
    o.days = days;
    o.issuer_days = issuer_days;
    return atls_ca_init(&o, err);
}

static int run_init(int argc, char *const argv[])
{
    atls_error err = {.code = ATLS_OK};
    init_words w = {.dir = NULL};
    const cli_parsed parsed = parse_init(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("enrol ca init", &err);
    }
    if (!init(&w, &err)) {
        return cli_report("enrol ca init", &err);
    }
    (void)fputs("made a CA in ", stderr);
    cli_put(stderr, w.dir);
    (void)fputs(w.without_intermediate ? "\n"
                                       : "; root.key.pem is needed for the next issuer only: keep it elsewhere\n",
                stderr);
    return 0;
}

/* ---- show ---- */

typedef struct show_words {
    const char *dir, *key, *passphrase, *pin, *at;
    cli_list operands;
} show_words;

static cli_parsed parse_show(int argc, char *const argv[], show_words *w, atls_error *err)
{
    const cli_option options[] = {
        {"dir", 0, "DIR", "the folder of the CA", .text = &w->dir},
        {"key", 'k', "KEY", "PEM file or pkcs11: URI (DIR/issuer.key.pem)", .text = &w->key},
        {"passphrase-file", 0, "FILE", "passphrase of the key file", .text = &w->passphrase},
        {"pin-file", 0, "FILE", "PIN of the token", .text = &w->pin},
        {"at", 0, "TIME", "look at it as of YYYY-MM-DDTHH:MM:SSZ (now)", .text = &w->at},
    };
    const cli_usage usage = {
        .verb = "enrol ca show",
        .operands = "",
        .summary = "Opens a CA as the service does, with every check, and says what it is.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static bool print_certificate(atls_bytes der, atls_time now, atls_arena *a, atls_error *err)
{
    atls_cert *c = atls_arena_alloc(a, sizeof *c, err);
    if (c == NULL || !atls_cert_decode(der, "certificate", c, err)) {
        return false;
    }
    const char *subject = atls_name_text(c->subject, a, err);
    if (subject == NULL) {
        return false;
    }
    (void)fputs("certificate  ", stdout);
    cli_put(stdout, subject);
    (void)fputs("\n  serial     ", stdout);
    cli_put_hex(stdout, c->serial);
    (void)fputs("\n  until      ", stdout);
    cli_put_time(stdout, c->not_after);
    (void)fputs(", ", stdout);
    cli_put_distance(stdout, c->not_after, now);
    (void)fputc('\n', stdout);
    return true;
}

static bool print_ca(atls_ca *ca, atls_time now, atls_arena *a, atls_error *err)
{
    atls_ca_facts f;
    atls_ca_describe(ca, now, &f);
    for (size_t i = 0; i < f.n_chain; i++) {
        if (!print_certificate(f.chain[i], now, a, err)) {
            return false;
        }
    }
    printf("key          %s\n", f.key_source);
    printf("days left    %" PRId64 "\n", f.days_left);
    (void)fputs("profile      sha256 ", stdout);
    cli_put_hex(stdout, atls_bytes_of(f.profile_sha256, sizeof f.profile_sha256));
    (void)fputc('\n', stdout);
    return true;
}

static bool show(const show_words *w, atls_error *err)
{
    atls_ca_options o = {.dir = w->dir,
                         .key = w->key,
                         .passphrase_file = w->passphrase,
                         .pin_file = w->pin,
                         .profile = atls_bytes_empty()};
    atls_arena a = {0};
    atls_ca *ca = NULL;
    if (w->dir == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--dir", "required: the folder of the CA");
    }
    const bool ok = cli_time(w->at, "--at", &o.now, err) && atls_arena_new(&a, (size_t)256 * 1024, err)
                    && atls_ca_open(&o, &ca, err) && print_ca(ca, o.now, &a, err);
    atls_ca_free(ca);
    atls_arena_free(&a);
    return ok;
}

static int run_show(int argc, char *const argv[])
{
    atls_error err = {.code = ATLS_OK};
    show_words w = {.dir = NULL};
    const cli_parsed parsed = parse_show(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("enrol ca show", &err);
    }
    return show(&w, &err) ? 0 : cli_report("enrol ca show", &err);
}

/* ---- the table ---- */

static const cli_verb verbs[] = {
    {"init", "make a CA in a folder", run_init},
    {"show", "open a CA, with every check, and say what it is", run_show},
    {"crl", "make the list of revoked certificates", cli_enrol_ca_crl},
};

int cli_enrol_ca(int argc, char *const argv[])
{
    static const cli_table table = {
        .name = "enrol ca",
        .summary = "The CA of an enrolment service signs short-lived certificates for attested keys.",
        .more = "atls enrol ca VERB --help lists its options. manual: atls-enrol(1)",
        .verbs = verbs,
        .n = sizeof verbs / sizeof verbs[0],
    };
    return cli_dispatch(&table, argc, argv);
}
