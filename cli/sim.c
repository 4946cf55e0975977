/* SPDX-License-Identifier: Apache-2.0 */
/* sim.c: atls sim: a simulated TEE, on disk and on loopback. Nothing of it is trusted unless a policy names its root.
 */
#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "inputs.h"
#include "options.h"
#include "record.h"
#include "room.h"
#include "serve.h"
#include "values.h"

typedef struct words {
    const char *kind, *seed, *report_data, *at, *server_name, *serve, *profile, *count, *seconds, *client_policy,
        *max_per_source;
    cli_list settings, client_roots, client_endorsements;
    bool force;
    cli_record record;
    cli_list operands;
} words;

typedef struct job {
    atls_arena arena;
    sim_options options;
    const char *settings[CLI_MAX_LIST + 1];
    const char *server_name;
    uint8_t report_data[64];
    uint8_t nonce[32];
    uint8_t ekm[32];
    uint32_t port;
    uint32_t count;    /* UINT32_MAX: no end */
    unsigned profiles; /* 0: atls/1 and dstack */
    uint32_t seconds;  /* 0: no end */
    cli_folder folder;
    cli_room room;
    atls_policy *client_policy; /* NULL: nothing is asked of clients */
    atls_verifier *client_verifier;
    cli_endorsements client_endorsements;
    uint32_t max_per_source; /* 0: no limit */
    atls_source_limit *source_limit;
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"kind", 'k', "KIND", "sgx-v3, tdx-v4 (default) or tdx-v5", .text = &w->kind},
        {"seed", 's', "TEXT", "any text; the same one gives the same bytes (atls)", .text = &w->seed},
        {"set", 0, "PATH=VALUE", "override a field before it is signed; repeat", .list = &w->settings},
        {"report-data", 0, "HEX|@FILE", "make the quote over this instead of the example", .text = &w->report_data},
        {"at", 0, "TIME", "lay all dates around YYYY-MM-DDTHH:MM:SSZ (now)", .text = &w->at},
        {"servername", 0, "NAME", "name in the TLS certificate (localhost)", .text = &w->server_name},
        {"force", 'f', NULL, "overwrite what is in DIR", .flag = &w->force},
        {"serve", 0, "PORT", "then serve on 127.0.0.1; 0: any port", .text = &w->serve},
        {"profile", 0, "NAME", "with --serve: atls/1, dstack or constellation only", .text = &w->profile},
        {"client-policy", 0, "FILE", "with --serve: what clients must show; of type enrolled_key, a certificate",
         .text = &w->client_policy},
        {"client-root", 0, "FILE", "with --client-policy: trust this root (DER or PEM), too; may be given again",
         .list = &w->client_roots},
        {"client-endorsements", 0, "PATH", "with --client-policy: revocation lists and the like; may be given again",
         .list = &w->client_endorsements},
        {"record", 0, "PATH", "with --client-policy: record each appraisal, for atls replay, in this file or folder",
         .text = &w->record.path},
        {"record-failures", 0, "DIR", "the same for what is not accepted, in this folder", .text = &w->record.failures},
        {"max-per-source", 0, "N", "with --serve: an address gets evidence N times at once, and N times a minute",
         .text = &w->max_per_source},
        {"count", 0, "N", "with --serve: end after N clients", .text = &w->count},
        {"seconds", 0, "N", "with --serve: end after N seconds", .text = &w->seconds},
    };
    const cli_usage usage = {
        .verb = "sim",
        .operands = "DIR",
        .summary =
            "Writes a simulated machine room to DIR: evidence, endorsements, policies that accept it, a TLS identity.\n"
            "With --serve it then proves itself to whoever connects, and echoes what it is sent; the address goes to\n"
            "stdout.\n"
            "Nothing made here is trusted by anything unless a policy names its root.\n"
            "Phones are simulated, too: atls enrol request --phone android --print-policy (atls-enrol(1)).",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 1,
        .max_operands = 1,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static bool choose_kind(const words *w, job *j, atls_error *err)
{
    static const struct {
        const char *name;
        sim_kind kind;
    } kinds[] = {{"sgx-v3", SIM_SGX_V3}, {"tdx-v4", SIM_TDX_V4}, {"tdx-v5", SIM_TDX_V5}};
    j->options.kind = SIM_TDX_V4;
    if (w->kind == NULL) {
        return true;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(w->kind, kinds[i].name) == 0) {
            j->options.kind = kinds[i].kind;
            return true;
        }
    }
    return atls_fail(err, ATLS_E_USAGE, "--kind", "wants sgx-v3, tdx-v4 or tdx-v5");
}

static bool choose_report_data(const words *w, job *j, atls_error *err)
{
    atls_bytes value;
    cli_room_example(j->nonce, j->ekm);
    if (w->report_data == NULL) {
        return atls_dstack_report_data(j->nonce, j->ekm, j->report_data, err);
    }
    if (!cli_hex(w->report_data, "--report-data", 1, sizeof j->report_data, &j->arena, &value, err)) {
        return false;
    }
    memcpy(j->report_data, value.ptr, value.len);
    return true;
}

static bool choose_profile(const words *w, job *j, atls_error *err)
{
    if (w->profile != NULL && w->serve == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--profile", "only with --serve");
    }
    return w->profile == NULL || cli_profile(w->profile, "--profile", &j->profiles, err);
}

static bool load_client_policy(const words *w, job *j, atls_error *err)
{
    if (w->client_policy == NULL && (w->record.path != NULL || w->record.failures != NULL)) {
        return atls_fail(err, ATLS_E_USAGE, "--record", "only with --client-policy");
    }
    if (w->client_policy == NULL) {
        return w->client_endorsements.n + w->client_roots.n == 0
               || atls_fail(err, ATLS_E_USAGE, w->client_roots.n > 0 ? "--client-root" : "--client-endorsements",
                            "only with --client-policy");
    }
    return cli_policy_load(w->client_policy, NULL, &w->client_roots, &j->arena, &j->client_policy, err)
           && atls_verifier_new(j->client_policy, &j->client_verifier, err)
           && cli_endorsements_load(&w->client_endorsements, &j->arena, &j->client_endorsements, err);
}

static bool choose_serve(const words *w, job *j, atls_error *err)
{
    j->count = UINT32_MAX;
    if (w->serve == NULL && (w->count != NULL || w->seconds != NULL)) {
        return atls_fail(err, ATLS_E_USAGE, w->count != NULL ? "--count" : "--seconds", "only with --serve");
    }
    if (w->serve == NULL && w->max_per_source != NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--max-per-source", "only with --serve");
    }
    if (w->serve == NULL && w->client_policy != NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--client-policy", "only with --serve");
    }
    if (w->serve != NULL && j->options.kind == SIM_SGX_V3) {
        return atls_fail(err, ATLS_E_USAGE, "--serve", "the protocol of the server is for TDX");
    }
    return choose_profile(w, j, err) && load_client_policy(w, j, err)
           && cli_number(w->serve, "--serve", 0, 65535, &j->port, err)
           && cli_number(w->count, "--count", 1, 1000000, &j->count, err)
           && cli_number(w->max_per_source, "--max-per-source", 1, 1000000, &j->max_per_source, err)
           && cli_number(w->seconds, "--seconds", 1, 86400, &j->seconds, err);
}

static bool load(const words *w, job *j, atls_error *err)
{
    if (!choose_kind(w, j, err) || !choose_serve(w, j, err) || !cli_time(w->at, "--at", &j->options.now, err)
        || !choose_report_data(w, j, err)) {
        return false;
    }
    memcpy(j->settings, w->settings.items, w->settings.n * sizeof j->settings[0]);
    j->options.settings = j->settings;
    j->options.seed = w->seed;
    j->server_name = w->server_name != NULL ? w->server_name : "localhost";
    return true;
}

static bool write_example(const words *w, job *j, atls_error *err)
{
    char hex[65];
    if (w->report_data != NULL || j->options.kind == SIM_SGX_V3) {
        return true;
    }
    atls_hex_encode(atls_bytes_of(j->nonce, sizeof j->nonce), hex);
    if (!cli_write(&j->folder, "nonce.hex", 0644, atls_bytes_str(hex), err)) {
        return false;
    }
    atls_hex_encode(atls_bytes_of(j->ekm, sizeof j->ekm), hex);
    return cli_write(&j->folder, "ekm.hex", 0644, atls_bytes_str(hex), err);
}

static bool make(const words *w, job *j, atls_error *err)
{
    /* The room first: settings that cannot be used leave no half-filled folder behind. */
    return cli_room_new(&j->options, j->server_name, &j->arena, &j->room, err)
           && cli_folder_open(w->operands.items[0], w->force, &j->folder, err)
           && cli_room_write(&j->room, j->options.kind, j->report_data, &j->folder, &j->arena, err)
           && write_example(w, j, err);
}

static void say_what_next(const words *w, const job *j)
{
    char at[ATLS_TIME_TEXT_SIZE];
    const char *d = w->operands.items[0];
    bool td = j->options.kind != SIM_SGX_V3;
    atls_time_format(j->options.now, at);
    (void)fprintf(stderr, "SIMULATED: no hardware vouches for anything in %s; all dates lie around %s\n", d, at);
    if (w->serve != NULL) {
        return;
    }
    (void)fprintf(stderr,
                  "try: atls verify %s/%s --policy %s/policy-%s.json --endorsements %s/collateral.json --at %s\n", d,
                  td ? "response.json" : "quote.bin", d, td ? "tdx" : "sgx", d, at);
}

/* One client after another; what goes wrong with one is said, and does not end the server. */
static void serve_all(const job *j, const cli_listener *l, const atls_server_options *options)
{
    int64_t deadline = j->seconds == 0 ? 0 : cli_monotonic_ms() + (int64_t)j->seconds * 1000;
    bool came = true;
    for (uint32_t served = 0; came && served < j->count; served += j->count == UINT32_MAX ? 0 : 1) {
        atls_error err = {0};
        if (!cli_serve_one(l, options, deadline, &came, &err)) {
            (void)cli_report("sim", &err);
        }
    }
}

static void say_how(const job *j, const char *d, uint16_t port, const char *at)
{
    if (j->profiles == ATLS_PROFILE_CONSTELLATION) {
        (void)fprintf(
            stderr,
            "try: atls connect 127.0.0.1:%u --profile constellation --attested-only --endorsements "
            "%s/collateral.json --at %s --policy FILE\n"
            "where FILE is %s/policy-tdx.json with \"min_grade\": \"key_fresh\" and \"attested_only\": true\n",
            (unsigned)port, d, at, d);
        return;
    }
    (void)fprintf(
        stderr,
        "try: atls connect 127.0.0.1:%u --servername %s --cacert %s/tls-ca.pem --policy %s/policy-dstack_tdx.json "
        "--endorsements %s/collateral.json --at %s\n",
        (unsigned)port, j->server_name, d, d, d, at);
}

static bool make_limit(job *j, atls_error *err)
{
    const atls_source_limit_options o = {.per_minute = j->max_per_source};
    return j->max_per_source == 0 || atls_source_limit_new(&o, &j->source_limit, err);
}

static bool serve(words *w, job *j, atls_error *err)
{
    const char *d = w->operands.items[0];
    cli_listener l = {.fd = -1};
    atls_server_options options = {
        .certificate_file = atls_text_format(&j->arena, err, "%s/tls-chain.pem", d),
        .private_key_file = atls_text_format(&j->arena, err, "%s/tls-key.pem", d),
        .attest = sim_attest,
        .attest_ctx = j->room.sim,
        .profiles = j->profiles,
        .verifier = j->client_verifier,
        .endorse = cli_endorse,
        .endorse_ctx = &j->client_endorsements,
        .now = j->options.now,
        .record = cli_record_options(&w->record),
        .source_limit = j->source_limit,
    };
    if (options.certificate_file == NULL || options.private_key_file == NULL
        || !cli_listen((uint16_t)j->port, &l, err)) {
        return false;
    }
    char at[ATLS_TIME_TEXT_SIZE];
    atls_time_format(j->options.now, at);
    printf("127.0.0.1:%u\n", (unsigned)l.port);
    (void)fflush(stdout);
    say_how(j, d, l.port, at);
    serve_all(j, &l, &options);
    cli_listener_close(&l);
    return true;
}

static bool run(words *w, job *j, atls_error *err)
{
    if (!atls_arena_new(&j->arena, CLI_ARENA_SIZE, err) || !cli_record_open(&w->record, &j->arena, err)
        || !load(w, j, err) || !make(w, j, err)) {
        return false;
    }
    say_what_next(w, j);
    return w->serve == NULL || (make_limit(j, err) && serve(w, j, err));
}

int cli_sim(int argc, char *const argv[])
{
    atls_error err = {0};
    words w = {.record.dir = -1};
    job j = {.folder = {.fd = -1}};
    cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("sim", &err);
    }
    bool ok = run(&w, &j, &err);
    cli_folder_close(&j.folder);
    cli_room_free(&j.room);
    atls_source_limit_free(j.source_limit);
    atls_verifier_free(j.client_verifier);
    atls_policy_free(j.client_policy);
    const int status = cli_record_end(&w.record, "sim", ok ? 0 : cli_report("sim", &err));
    atls_arena_free(&j.arena);
    return status;
}
