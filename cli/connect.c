/* SPDX-License-Identifier: Apache-2.0 */
/* connect.c: atls connect: prove what the server is, say so, then carry stdin and stdout. */
#include <string.h>

#include "certificates.h"
#include "fetch.h"
#include "files.h"
#include "inputs.h"
#include "page.h"
#include "pipe.h"
#include "record.h"
#include "values.h"

typedef struct words {
    const char *policy, *profile, *server_name, *cacert, *pin, *cert, *key, *alpn, *timeout, *at;
    cli_list endorsements;
    cli_record record;
    cli_bundle_words bundle;
    cli_fetch_words fetch;
    bool attested_only, showcerts, json, quiet, verbose;
    cli_list operands;
} words;

typedef struct job {
    atls_arena arena;
    atls_policy *policy;
    atls_verifier *verifier;
    cli_endorsements endorsements;
    atls_time fetch_at; /* the fetcher's clock; unset: the system's */
    cli_address address;
    atls_client_options options;
    atls_session *session;
    atls_result result;
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"policy", 'p', "FILE", "what is expected of the server (JSON); required", .text = &w->policy},
        {"endorsements", 'e', "PATH", "bundle, certificates and lists, or a folder; may be given again",
         .list = &w->endorsements},
        CLI_BUNDLE_ROWS(&w->bundle),
        CLI_FETCH_OPTIONS(&w->fetch),
        {"profile", 0, "NAME", "auto, atls/1, dstack or constellation (auto)", .text = &w->profile},
        {"servername", 0, "NAME", "name to ask for and to find in the certificate (HOST)", .text = &w->server_name},
        {"cacert", 0, "FILE", "trust these certificate authorities (PEM) only", .text = &w->cacert},
        {"pin", 0, "PIN", "sha256//BASE64 or hex of the server's public key", .text = &w->pin},
        {"pinnedpubkey", 0, "PIN", NULL, .text = &w->pin},
        {"attested-only", 0, NULL, "no ordinary identity; the policy must say so too", .flag = &w->attested_only},
        {"cert", 0, "FILE", "our own certificate chain (PEM), for a server that asks", .text = &w->cert},
        {"key", 0, "FILE", "its private key (PEM)", .text = &w->key},
        {"alpn", 0, "A,B", "protocols to offer, most wanted first", .text = &w->alpn},
        {"timeout", 't', "SECONDS", "for everything up to the verdict (30)", .text = &w->timeout},
        {"max-time", 'm', "SECONDS", NULL, .text = &w->timeout},
        {"at", 0, "TIME", "appraise as of YYYY-MM-DDTHH:MM:SSZ (now)", .text = &w->at},
        {"showcerts", 0, NULL, "print the server's certificates, and what is recognised in them",
         .flag = &w->showcerts},
        {"record", 0, "PATH", "record the appraisal, for atls replay, in this file or folder", .text = &w->record.path},
        {"record-failures", 0, "DIR", "the same for what is not accepted, in this folder", .text = &w->record.failures},
        {"json", 0, NULL, "print the verdict as one JSON object and close", .flag = &w->json},
        {"quiet", 'q', NULL, "no page; only warnings, and the refusal", .flag = &w->quiet},
        {"verbose", 'v', NULL, "list every check and every event", .flag = &w->verbose},
    };
    const cli_usage usage = {
        .verb = "connect",
        .operands = "HOST:PORT",
        .summary =
            "Connects, checks the certificate, the evidence and its tie to this session, and says on stderr who\n"
            "answered, on what hardware, with what code, how fresh, and what was NOT checked. Then stdin and stdout\n"
            "are the session's. Nothing is read from stdin before the verdict. The port is 443 if there is none.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 1,
        .max_operands = 1,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static bool choose_identity(const words *w, job *j, atls_error *err)
{
    atls_client_options *o = &j->options;
    if ((w->cacert != NULL) + (w->pin != NULL) + w->attested_only > 1) {
        return atls_fail(err, ATLS_E_USAGE, w->pin != NULL ? "--pin" : "--cacert",
                         "give one of --cacert, --pin and --attested-only");
    }
    if (w->cacert != NULL) {
        o->identity = ATLS_IDENTITY_CA;
        o->ca_file = w->cacert;
        return cli_exists(w->cacert, "--cacert", err);
    }
    if (w->attested_only) {
        o->identity = ATLS_IDENTITY_ATTESTED_ONLY;
    }
    if (w->pin != NULL) {
        o->identity = ATLS_IDENTITY_PIN;
        return cli_pin(w->pin, "--pin", &j->arena, o->pin_spki_sha256, err);
    }
    return true;
}

static bool choose_own(const words *w, job *j, atls_error *err)
{
    if ((w->cert == NULL) != (w->key == NULL)) {
        return atls_fail(err, ATLS_E_USAGE, w->cert == NULL ? "--cert" : "--key", "--cert and --key come together");
    }
    j->options.certificate_file = w->cert;
    j->options.private_key_file = w->key;
    return w->cert == NULL || (cli_exists(w->cert, "--cert", err) && cli_exists(w->key, "--key", err));
}

/* auto: whatever the policy's least grade leaves, the strongest first. */
static bool choose_profile(const words *w, job *j, atls_error *err)
{
    bool is_auto = w->profile == NULL || strcmp(w->profile, "auto") == 0;
    return is_auto || cli_profile(w->profile, "--profile", &j->options.profiles, err);
}

static bool choose_timeout(const words *w, job *j, atls_error *err)
{
    uint32_t seconds = 30;
    if (!cli_number(w->timeout, "--timeout", 1, 86400, &seconds, err)) {
        return false;
    }
    j->options.timeout_ms = seconds * 1000;
    return true;
}

static bool choose_time(const words *w, job *j, atls_error *err)
{
    /* Without --at the session reads the clock itself, when the evidence is there. */
    return w->at == NULL || cli_time(w->at, "--at", &j->options.now, err);
}

static bool load_policy(const words *w, job *j, atls_error *err)
{
    static const cli_list no_roots = {.n = 0};
    if (w->policy == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--policy", "required: it says what is expected of the server");
    }
    if (!cli_policy_load(w->policy, NULL, &no_roots, &j->arena, &j->policy, err)) {
        return false;
    }
    if (w->attested_only && !atls_policy_attested_only(j->policy)) {
        return atls_fail(err, ATLS_E_USAGE, "--attested-only", "the policy does not say \"attested_only\": true");
    }
    return true;
}

static bool load_endorsements(words *w, job *j, atls_error *err)
{
    j->fetch_at = j->options.now;
    return cli_endorsements_load_signed(&w->endorsements, &w->bundle, &j->arena, &j->endorsements, err)
           && cli_fetch_open(&w->fetch, &j->fetch_at, &j->endorsements.fetcher, err);
}

static bool load(words *w, job *j, atls_error *err)
{
    atls_client_options *o = &j->options;
    if (!cli_address_parse(w->operands.items[0], &j->arena, &j->address, err) || !choose_identity(w, j, err)
        || !choose_own(w, j, err) || !choose_profile(w, j, err) || !choose_timeout(w, j, err) || !choose_time(w, j, err)
        || !cli_alpn(w->alpn, "--alpn", &j->arena, &o->alpn, err) || !load_policy(w, j, err)
        || !load_endorsements(w, j, err) || !atls_verifier_new(j->policy, &j->verifier, err)) {
        return false;
    }
    o->server_name = w->server_name != NULL ? w->server_name : j->address.host;
    o->verifier = j->verifier;
    o->endorse = cli_endorse;
    o->endorse_ctx = &j->endorsements;
    o->record = cli_record_options(&w->record);
    o->on_certificates = w->showcerts ? cli_certificates : NULL;
    o->certificates_ctx = &j->arena;
    return true;
}

static bool establish(job *j, atls_error *err)
{
    return atls_connect(j->address.host, j->address.port, &j->options, &j->arena, &j->session, &j->result, err);
}

static cli_page page_of(const words *w, const job *j, const atls_error *err)
{
    return (cli_page){
        .result = &j->result,
        .error = err,
        .policy = j->policy,
        .peer = j->session == NULL ? NULL : atls_session_peer(j->session),
        .server_name = j->options.server_name,
        .verbose = w->verbose,
    };
}

/* carry runs the application's part; with --json there is none, because stdout has said all it may. */
static int carry(const words *w, job *j)
{
    atls_error err = {0};
    if (w->json) {
        bool said_goodbye = atls_session_close(j->session, &err) == ATLS_STEP_DONE;
        (void)said_goodbye; /* a courtesy: the verdict stands without it */
        return 0;
    }
    return cli_pipe(j->session, &err) ? 0 : cli_report("connect", &err);
}

static void release(const words *w, job *j)
{
    atls_session_free(j->session);
    cli_fetch_close(j->endorsements.fetcher, w->quiet);
    atls_verifier_free(j->verifier);
    atls_policy_free(j->policy);
    atls_arena_free(&j->arena);
}

int cli_connect(int argc, char *const argv[])
{
    atls_error err = {0};
    words w = {0};
    job j = {.result = {.profile = ""}};
    cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_page_usage("connect", argc, argv, &err);
    }
    if (!atls_arena_new(&j.arena, CLI_ARENA_SIZE, &err)) {
        return cli_report("connect", &err);
    }
    w.record.quiet = w.quiet || w.json;
    bool established = cli_record_open(&w.record, &j.arena, &err) && load(&w, &j, &err) && establish(&j, &err);
    cli_endorse_explain(&j.endorsements, &err);
    cli_page page = page_of(&w, &j, &err);
    int status = cli_page_end("connect", &page, w.json, w.quiet, &j.arena);
    if (established && status == 0) {
        status = carry(&w, &j);
    }
    release(&w, &j);
    return cli_record_end(&w.record, "connect", status);
}
