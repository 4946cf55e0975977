/* SPDX-License-Identifier: Apache-2.0 */
/* enrol_request.c: atls enrol request: a simulated phone enrols with any server of the wire format, and what came of it. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "edge/service/phone.h"
#include "enrol.h"
#include "files.h"
#include "options.h"
#include "pair.h"
#include "pki/cert.h"
#include "sim/sim_phone.h"
#include "values.h"

typedef struct words {
    const char *phone, *seed, *ca, *out, *timeout, *at, *nonce;
    cli_list settings;
    bool force, insecure_http, print_policy, print_status, print_statement, print_evidence, print_client_data, json;
    cli_list operands;
} words;

typedef struct job {
    atls_arena arena;
    sim_phone_options options;
    const char *settings[CLI_MAX_LIST + 1];
    char key[32];
    cli_pair pair;
    sim_phone *sim;
    atls_phone_outcome outcome;
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"phone", 'p', "KIND", "android or apple; required", .text = &w->phone},
        {"set", 0, "PATH=VALUE", "override a field of the phone before it is signed; repeat", .list = &w->settings},
        {"seed", 's', "TEXT", "any text; the same one gives the same roots (atls)", .text = &w->seed},
        {"ca", 0, "FILE", "trust these certificate authorities (PEM) for TLS, and no others", .text = &w->ca},
        {"out", 'o', "PREFIX", "write PREFIX-key.pem and PREFIX-chain.pem (phone)", .text = &w->out},
        {"force", 'f', NULL, "take the place of files that are there", .flag = &w->force},
        {"timeout", 't', "SECONDS", "for each of the two requests (30)", .text = &w->timeout},
        {"at", 0, "TIME", "the phone's clock says YYYY-MM-DDTHH:MM:SSZ (now)", .text = &w->at},
        {"insecure-http", 0, NULL, "let http leave this machine", .flag = &w->insecure_http},
        {"print-policy", 0, NULL, "print a policy that accepts this phone, for the server; no URL",
         .flag = &w->print_policy},
        {"print-status", 0, NULL, "print an Android phone's list of revoked certificates; no URL",
         .flag = &w->print_status},
        {"print-statement", 0, NULL, "print what the phone states of its key for --nonce, JSON; no URL",
         .flag = &w->print_statement},
        {"print-evidence", 0, NULL, "the same, Android: certificates, PEM; App Attest: hex; no URL",
         .flag = &w->print_evidence},
        {"print-client-data", 0, NULL, "print the client data that an iPhone's statement covers; no URL",
         .flag = &w->print_client_data},
        {"nonce", 0, "HEX|@FILE", "with the last three: the challenge, 1 to 128 bytes", .text = &w->nonce},
        {"json", 0, NULL, "print the outcome as one JSON object", .flag = &w->json},
    };
    const cli_usage usage = {
        .verb = "enrol request",
        .operands = "URL",
        .summary =
            "Plays a phone: fetches a challenge from URL, makes a key, attests it with simulated hardware, posts the\n"
            "request, and writes the key and the certificate chain that come of it. Nothing is trusted on account of\n"
            "simulated hardware unless the server's policy names its roots (--print-policy).\n"
            "exit status: 0 enrolled, 2 refused for TRUST, 4 CONTENT, 5 TIME, 3 INTERNAL or not reached.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 0,
        .max_operands = 1,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

/* ---- options ---- */

static bool choose_phone(const words *w, job *j, atls_error *err)
{
    const bool android = w->phone != NULL && strcmp(w->phone, "android") == 0;
    if (!android && (w->phone == NULL || strcmp(w->phone, "apple") != 0)) {
        return atls_fail(err, ATLS_E_USAGE, "--phone", "wants android or apple");
    }
    memcpy(j->settings, w->settings.items, w->settings.n * sizeof j->settings[0]);
    j->options.kind = android ? SIM_PHONE_ANDROID : SIM_PHONE_APPLE;
    j->options.seed = w->seed;
    j->options.settings = j->settings;
    return cli_time(w->at, "--at", &j->options.now, err);
}

/* Settings that cannot be used cost no challenge. */
static bool try_phone(job *j, atls_error *err)
{
    sim_phone *p = NULL;
    const bool ok = sim_phone_new(&j->options, &p, err);
    sim_phone_free(p);
    return ok;
}

static bool is_for_nonce(const words *w)
{
    return w->print_statement || w->print_evidence || w->print_client_data;
}

static bool check_words(const words *w, atls_error *err)
{
    const bool flags[] = {w->print_policy, w->print_status, w->print_statement, w->print_evidence,
                          w->print_client_data};
    size_t n = 0;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        n += flags[i] ? 1 : 0;
    }
    if ((n > 0) != (w->operands.n == 0)) {
        return atls_fail(err, ATLS_E_USAGE, "URL",
                         n > 0 ? "what is only printed asks nobody: no URL" : "where is the challenge?");
    }
    if (n > 1) {
        return atls_fail(err, ATLS_E_USAGE, "--print-policy", "print one thing at a time");
    }
    return is_for_nonce(w) == (w->nonce != NULL)
           || atls_fail(err, ATLS_E_USAGE, "--nonce",
                        "goes with --print-statement, --print-evidence or --print-client-data, and these need it");
}

static bool load(const words *w, job *j, atls_error *err)
{
    const bool prints = w->operands.n == 0;
    if (!check_words(w, err)) {
        return false;
    }
    return choose_phone(w, j, err) && try_phone(j, err) && (w->ca == NULL || cli_exists(w->ca, "--ca", err))
           && (prints || cli_pair_name(w->out == NULL ? "phone" : w->out, "--out", w->force, &j->arena, &j->pair, err));
}

/* ---- what a server needs ---- */

static bool certificates_pem(const atls_bytes *der, size_t n, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_buf_init(&b, a, err);
    for (size_t i = 0; i < n; i++) {
        atls_bytes pem;
        if (!atls_pem_encode(der[i], "CERTIFICATE", a, &pem, err)) {
            return false;
        }
        atls_buf_put(&b, pem);
    }
    return atls_buf_done(&b, out);
}

static bool hex(atls_bytes in, atls_arena *a, atls_bytes *out, atls_error *err)
{
    char *text = atls_arena_array(a, in.len + 1, 2, err);
    if (text == NULL) {
        return false;
    }
    atls_hex_encode(in, text);
    text[2 * in.len] = '\n';
    *out = atls_bytes_of((const uint8_t *)text, 2 * in.len + 1);
    return true;
}

/* What the phone states for a nonce, whole or the part that was asked for. */
static bool print_statement(const words *w, job *j, atls_error *err)
{
    atls_enrol_statement s;
    atls_bytes nonce, json, out;
    if (!cli_hex(w->nonce, "--nonce", 1, ATLS_ENROL_MAX_NONCE_LEN, &j->arena, &nonce, err)
        || !sim_phone_statement(j->sim, nonce, &j->arena, &json, err)
        || !atls_enrol_statement_read(json, &j->arena, &s, err)) {
        return false;
    }
    if (w->print_client_data && s.kind == ATLS_ENROL_ANDROID_KEY) {
        return atls_fail(err, ATLS_E_USAGE, "--print-client-data", "only App Attest has client data");
    }
    out = w->print_client_data ? s.client_data : json;
    if (w->print_evidence
        && !(s.kind == ATLS_ENROL_ANDROID_KEY ? certificates_pem(s.x5c, s.n_x5c, &j->arena, &out, err)
                                              : hex(s.attestation, &j->arena, &out, err))) {
        return false;
    }
    (void)fwrite(out.ptr, 1, out.len, stdout);
    if (w->print_statement) {
        (void)fputc('\n', stdout);
    }
    return true;
}

static bool print(const words *w, job *j, atls_error *err)
{
    atls_bytes text;
    if (!sim_phone_new(&j->options, &j->sim, err)) {
        return false;
    }
    if (is_for_nonce(w)) {
        return print_statement(w, j, err);
    }
    if (w->print_status && j->options.kind == SIM_PHONE_APPLE) {
        return atls_fail(err, ATLS_E_USAGE, "--print-status", "only Android's certificates are revoked by a list");
    }
    if (!(w->print_policy ? sim_phone_policy : sim_phone_status)(j->sim, &j->arena, &text, err)) {
        return false;
    }
    (void)fwrite(text.ptr, 1, text.len, stdout);
    (void)fputc('\n', stdout);
    return true;
}

/* ---- enrolling ---- */

/* An atls_phone_csr_fn. A new challenge is a new key, as it is on a phone. */
static bool make_csr(void *ctx, const atls_enrol_challenge *challenge, atls_arena *arena, atls_bytes *csr,
                     atls_bytes *spki, atls_error *err)
{
    job *j = ctx;
    char hex[2 * 12 + 1] = "";
    const size_t n = challenge->nonce.len < 12 ? challenge->nonce.len : 12;
    atls_hex_encode(atls_bytes_of(challenge->nonce.ptr, n), hex);
    (void)snprintf(j->key, sizeof j->key, "enrol %s", hex);
    j->options.key = j->key;
    return sim_phone_new(&j->options, &j->sim, err) && sim_phone_csr(j->sim, challenge, arena, csr, err)
           && sim_phone_spki(j->sim, arena, spki, err);
}

static bool enrol(const words *w, job *j, atls_error *err)
{
    uint32_t seconds = 30;
    if (!cli_number(w->timeout, "--timeout", 1, 3600, &seconds, err)) {
        return false;
    }
    const atls_phone phone = {
        .url = w->operands.items[0],
        .ca_file = w->ca,
        .insecure_http = w->insecure_http,
        .timeout_ms = seconds * 1000,
        .now_ms = w->at == NULL ? 0 : (int64_t)j->options.now * 1000,
        .csr = make_csr,
        .ctx = j,
    };
    return atls_phone_enrol(&phone, &j->arena, &j->outcome, err);
}

static bool keep(job *j, atls_error *err)
{
    const atls_enrol_response *r = &j->outcome.response;
    atls_bytes der;
    atls_bytes key;
    atls_bytes chain;
    return certificates_pem(r->chain, r->n_chain, &j->arena, &chain, err)
           && sim_phone_private_key(j->sim, &j->arena, &der, err)
           && atls_pem_encode(der, "EC PRIVATE KEY", &j->arena, &key, err)
           && cli_pair_write(&j->pair, "--out", key, chain, &j->arena, err);
}

/* ---- what is said ---- */

/* What a client does about it (section 5), and how a script hears it. */
static const struct {
    atls_category kind;
    int status;
    const char *name;
    const char *advice;
} kinds[] = {
    {ATLS_CATEGORY_TRUST, 2, "TRUST", "do not retry: the server does not trust this phone's hardware or key"},
    {ATLS_CATEGORY_TIME, 5, "TIME", "check the clock, then retry with a new key"},
    {ATLS_CATEGORY_CONTENT, 4, "CONTENT", "update the app or the system, else give up"},
    {ATLS_CATEGORY_INTERNAL, 3, "INTERNAL", "retry later, with a new challenge and a new key"},
};

static size_t kind_of(const atls_enrol_response *r)
{
    size_t i = 0;
    while (i + 1 < sizeof kinds / sizeof kinds[0] && kinds[i].kind != r->kind) {
        i++;
    }
    return i;
}

static bool print_json(const job *j, const atls_cert *leaf, atls_arena *a, atls_error *err)
{
    const atls_enrol_response *r = &j->outcome.response;
    atls_bytes text;
    atls_buf b;
    atls_jw w;
    atls_buf_init(&b, a, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_uint(&w, "schema", 1);
    atls_jw_bool(&w, "enrolled", r->is_success);
    if (r->is_success) {
        const char *issuer = atls_name_text(leaf->issuer, a, err);
        atls_jw_str(&w, "issuer", issuer == NULL ? "" : issuer);
        atls_jw_hex(&w, "serial", leaf->serial);
        atls_jw_time(&w, "not_before", leaf->not_before);
        atls_jw_time(&w, "not_after", leaf->not_after);
        atls_jw_str(&w, "key", j->pair.key_path);
        atls_jw_str(&w, "chain", j->pair.chain_path);
    } else {
        atls_jw_str(&w, "kind", kinds[kind_of(r)].name);
        if (r->has_explanation) {
            atls_jw_string(&w, "explanation", r->explanation);
        } else {
            atls_jw_null(&w, "explanation");
        }
    }
    atls_jw_close(&w, '}');
    if (!atls_buf_done(&b, &text)) {
        return false;
    }
    (void)fwrite(text.ptr, 1, text.len, stdout);
    (void)fputc('\n', stdout);
    return true;
}

static void say_enrolled(const job *j, const atls_cert *leaf, const char *issuer)
{
    char until[ATLS_TIME_TEXT_SIZE];
    atls_time_format(leaf->not_after, until);
    (void)fputs("SIMULATED: no hardware vouches for this key, and anybody can compute it\nenrolled by ", stderr);
    cli_put(stderr, issuer);
    (void)fprintf(stderr, ", until %s\nkey    %s\nchain  %s (%zu certificates)\n", until, j->pair.key_path,
                  j->pair.chain_path, j->outcome.response.n_chain);
}

static int say_refused(const atls_enrol_response *r)
{
    const size_t i = kind_of(r);
    (void)fprintf(stderr, "atls enrol request: refused: %s: ", kinds[i].name);
    if (r->has_explanation) {
        cli_put_bytes(stderr, r->explanation);
    } else {
        (void)fputs("the server does not explain it", stderr);
    }
    (void)fprintf(stderr, "\nadvice: %s\n", kinds[i].advice);
    return kinds[i].status;
}

static int end(const words *w, job *j, atls_error *err)
{
    const atls_enrol_response *r = &j->outcome.response;
    atls_cert leaf = {.serial = atls_bytes_empty()};
    const char *issuer = "";
    if (r->is_success) {
        if (!keep(j, err) || !atls_cert_decode(r->chain[0], "certificate", &leaf, err)
            || (issuer = atls_name_text(leaf.issuer, &j->arena, err)) == NULL) {
            return cli_report("enrol request", err);
        }
        say_enrolled(j, &leaf, issuer);
    }
    const int status = r->is_success ? 0 : say_refused(r);
    if (w->json && !print_json(j, &leaf, &j->arena, err)) {
        return cli_report("enrol request", err);
    }
    return status;
}

static int run(const words *w, job *j)
{
    atls_error err = {0};
    if (!atls_arena_new(&j->arena, CLI_ARENA_SIZE, &err) || !load(w, j, &err)) {
        return cli_report("enrol request", &err);
    }
    if (w->operands.n == 0) {
        return print(w, j, &err) ? 0 : cli_report("enrol request", &err);
    }
    if (!enrol(w, j, &err)) {
        const int status = cli_report("enrol request", &err);
        if (j->outcome.retry_after_s > 0) {
            (void)fprintf(stderr, "the server asks to be left alone for %u seconds\n",
                          (unsigned)j->outcome.retry_after_s);
        }
        return status;
    }
    return end(w, j, &err);
}

int cli_enrol_request(int argc, char *const argv[])
{
    atls_error err = {0};
    words w = {0};
    job j = {.sim = NULL};
    const cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("enrol request", &err);
    }
    const int status = run(&w, &j);
    sim_phone_free(j.sim);
    atls_arena_free(&j.arena);
    return status;
}
