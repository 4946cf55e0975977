/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: atls verify: appraise evidence from a file. */
#include <string.h>

#include "base/limits.h"
#include "fetch.h"
#include "files.h"
#include "inputs.h"
#include "page.h"
#include "record.h"
#include "values.h"

/* The command line, as words. */
typedef struct words {
    const char *policy, *kind, *event_log, *report_data, *nonce, *ekm, *client_data, *leaf, *at;
    cli_list roots, endorsements;
    cli_record record;
    cli_bundle_words bundle;
    cli_fetch_words fetch;
    bool json, quiet, verbose;
    cli_list operands;
} words;

/* The command line, as values; everything lives in the arena but the policy. */
typedef struct job {
    atls_arena arena;
    atls_policy *policy;
    cli_endorsements endorsements;
    atls_time fetch_at;     /* the fetcher's clock; unset: the system's */
    atls_bytes client_data; /* of App Attest, from a file or the statement; empty: none */
    atls_appraisal appraisal;
    atls_result result;
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"policy", 'p', "FILE", "what is expected (JSON); without it: genuine and UpToDate", .text = &w->policy},
        {"kind", 0, "NAME", "without --policy: tdx, sgx, sev_snp, tpm or nitro (what it looks like)", .text = &w->kind},
        {"endorsements", 'e', "PATH", "bundle, certificates and lists, or a folder; may be given again",
         .list = &w->endorsements},
        CLI_BUNDLE_ROWS(&w->bundle),
        CLI_FETCH_OPTIONS(&w->fetch),
        {"root", 0, "FILE", "trust this root (DER or PEM) instead of the vendor's", .list = &w->roots},
        {"event-log", 0, "FILE", "event log: dstack's JSON or raw CCEL", .text = &w->event_log},
        {"report-data", 0, "HEX|@FILE", "the evidence must be over this (with zeros up to its field's size)",
         .text = &w->report_data},
        {"nonce", 0, "HEX|@FILE", "a phone's challenge; with --ekm: the dstack binding, 32 bytes", .text = &w->nonce},
        {"ekm", 0, "HEX|@FILE", "with --nonce: the exporter value, 32 bytes", .text = &w->ekm},
        {"client-data", 0, "FILE", "of App Attest: the client data, as the app hashed them", .text = &w->client_data},
        {"leaf", 0, "FILE", "certificate of the peer (PEM or DER), for its event", .text = &w->leaf},
        {"at", 0, "TIME", "appraise as of YYYY-MM-DDTHH:MM:SSZ (now)", .text = &w->at},
        {"record", 0, "PATH", "record the appraisal, for atls replay, in this file or folder", .text = &w->record.path},
        {"record-failures", 0, "DIR", "the same for what is not accepted, in this folder", .text = &w->record.failures},
        {"json", 0, NULL, "print one JSON object on stdout, and nothing else", .flag = &w->json},
        {"quiet", 'q', NULL, "no page; only warnings, and the refusal", .flag = &w->quiet},
        {"verbose", 'v', NULL, "list every check", .flag = &w->verbose},
    };
    const cli_usage usage = {
        .verb = "verify",
        .operands = "FILE",
        .summary =
            "Appraises evidence: a quote, an SEV-SNP report, quotes of a TPM, a Nitro document (binary, hex or "
            "base64;\n"
            "TPM also as JSON), a chain of Android (PEM, DER, JSON), an attestation of App\n"
            "Attest, a phone's statement of enrolment (JSON), or a response of /tdx_quote or GetQuote; - is\n"
            "stdin.\n"
            "The page goes to stderr. Without --report-data, or --nonce (with --ekm, or of a phone), nothing says\n"
            "that the evidence is fresh, and the page says so.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 1,
        .max_operands = 1,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static bool fail_binding(const words *w, atls_error *err)
{
    return atls_fail(err, ATLS_E_USAGE, w->report_data != NULL ? "--report-data" : "--nonce",
                     "give --report-data alone, or --nonce and --ekm together; a phone's policy takes --nonce alone");
}

/* load_binding turns what the caller says the evidence was made for into the 64 bytes that it must hold. */
static bool load_binding(const words *w, job *j, atls_error *err)
{
    atls_binding *b = &j->appraisal.binding;
    atls_bytes value, nonce, ekm;
    b->profile = "";
    const bool is_dstack = w->nonce != NULL && w->ekm != NULL;
    if ((w->ekm != NULL && w->nonce == NULL) || (w->nonce != NULL && w->report_data != NULL)) {
        return fail_binding(w, err);
    }
    if (w->client_data != NULL && (w->ekm != NULL || w->report_data != NULL)) {
        return atls_fail(err, ATLS_E_USAGE, "--client-data", "goes with --nonce, or stands alone");
    }
    if (w->report_data != NULL) {
        if (!cli_hex(w->report_data, "--report-data", 1, ATLS_MAX_CHALLENGE_LEN, &j->arena, &value, err)) {
            return false;
        }
        if (value.len > sizeof b->value) { /* only the challenges of phones are longer */
            b->challenge = value;
        } else {
            memcpy(b->value, value.ptr, value.len);
            b->value_len = (uint8_t)value.len;
        }
        b->grade = ATLS_GRADE_REPORT_DATA;
    }
    if (is_dstack) {
        if (!cli_hex(w->nonce, "--nonce", 32, 32, &j->arena, &nonce, err)
            || !cli_hex(w->ekm, "--ekm", 32, 32, &j->arena, &ekm, err)
            || !atls_dstack_report_data(nonce.ptr, ekm.ptr, b->value, err)) {
            return false;
        }
        b->grade = ATLS_GRADE_EXPORTER;
        /* A session knows the certificate that its peer showed. Without it this is a value that matched, and the
         * check of the certificate's event is skipped, which the page shows. */
        b->profile = w->leaf != NULL ? "dstack" : "";
    }
    return true;
}

static bool load_leaf(const words *w, job *j, atls_error *err)
{
    if (w->leaf == NULL) {
        return true;
    }
    j->appraisal.binding.has_leaf_sha256 = true;
    return cli_leaf_sha256(w->leaf, "--leaf", &j->arena, j->appraisal.binding.leaf_sha256, err);
}

static bool load_evidence(const words *w, job *j, atls_error *err)
{
    cli_evidence evidence;
    if (!cli_evidence_load(w->operands.items[0], &j->arena, &evidence, err)) {
        return false;
    }
    j->appraisal.evidence = evidence.quote;
    j->appraisal.event_log = evidence.event_log;
    if (evidence.client_data.len > 0) {
        if (w->client_data != NULL) {
            return atls_fail(err, ATLS_E_USAGE, "--client-data", "the statement has client data already");
        }
        j->client_data = evidence.client_data;
    }
    if (w->event_log == NULL) {
        return true;
    }
    if (evidence.event_log.len > 0) {
        return atls_fail(err, ATLS_E_USAGE, "--event-log", "the response has an event log already");
    }
    return cli_read(w->event_log, "--event-log", (size_t)ATLS_MAX_EVENT_LOG_LEN, &j->arena, &j->appraisal.event_log,
                    err);
}

static bool is_guess(const words *w)
{
    return w->policy == NULL && w->kind == NULL;
}

/* Where nobody says what is expected, the evidence may as well say what it is: nothing depends on it. What it is not clear
 * about is judged as a quote, which says what is wrong with it. */
static const char *guess(job *j)
{
    const char *kind = NULL;
    atls_error ignored = {0};
    return atls_evidence_kind(j->appraisal.evidence, &j->arena, &kind, &ignored) ? kind : NULL;
}

static bool load_endorsements(const words *w, job *j, atls_error *err)
{
    j->fetch_at = w->at == NULL ? ATLS_TIME_UNSET : j->appraisal.now;
    return cli_endorsements_load_signed(&w->endorsements, &w->bundle, &j->arena, &j->endorsements, err)
           && cli_fetch_open(&w->fetch, &j->fetch_at, &j->endorsements.fetcher, err);
}

/* ---- phones ---- */

static bool load_client_data(const words *w, job *j, atls_error *err)
{
    j->client_data = atls_bytes_empty();
    if (w->client_data == NULL) {
        return true;
    }
    return cli_read(w->client_data, "--client-data", ATLS_MAX_CHALLENGE_LEN, &j->arena, &j->client_data, err)
           && (j->client_data.len > 0 || atls_fail(err, ATLS_E_USAGE, "--client-data", "the file is empty"));
}

/* What a phone's evidence must be for: of Android the nonce; of App Attest the client data, in which the nonce must be, or
 * the nonce itself where nobody has other client data. Those of a statement are the phone's own word: without a nonce they
 * say nothing about when, and bind nothing. */
static bool bind_phone(const words *w, job *j, atls_error *err)
{
    atls_binding *b = &j->appraisal.binding;
    const bool is_nonce = w->nonce != NULL && w->ekm == NULL;
    const char *kind = atls_policy_kind(j->policy);
    const bool is_android = strcmp(kind, "android_key") == 0;
    atls_apple_client_data read;
    atls_bytes nonce;
    if (!is_nonce && w->client_data == NULL) {
        return true;
    }
    if (!is_android && strcmp(kind, "apple_app_attest") != 0) {
        return is_nonce ? fail_binding(w, err)
                        : atls_fail(err, ATLS_E_USAGE, "--client-data", "only App Attest has client data");
    }
    if (is_android && w->client_data != NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--client-data", "only App Attest has client data");
    }
    b->challenge = j->client_data;
    if (is_nonce) {
        if (!cli_hex(w->nonce, "--nonce", 1, ATLS_MAX_CHALLENGE_LEN, &j->arena, &nonce, err)
            || (!is_android && j->client_data.len > 0
                && !atls_apple_client_data_read(j->client_data, nonce, &j->arena, &read, err))) {
            return false;
        }
        b->challenge = is_android || j->client_data.len == 0 ? nonce : j->client_data;
    }
    b->grade = ATLS_GRADE_REPORT_DATA;
    return true;
}

/* What the caller got wrong is said before anything is said about the evidence. */
static bool load(const words *w, job *j, atls_error *err)
{
    return cli_time(w->at, "--at", &j->appraisal.now, err) && load_binding(w, j, err) && load_leaf(w, j, err)
           && (is_guess(w) || cli_policy_load(w->policy, w->kind, &w->roots, &j->arena, &j->policy, err))
           && load_client_data(w, j, err) && load_endorsements(w, j, err) && load_evidence(w, j, err)
           && (!is_guess(w) || cli_policy_load(NULL, guess(j), &w->roots, &j->arena, &j->policy, err))
           && bind_phone(w, j, err);
}

static bool appraise(words *w, job *j, atls_error *err)
{
    atls_verifier *v = NULL;
    j->appraisal.endorse = cli_endorse;
    j->appraisal.endorse_ctx = &j->endorsements;
    if (!atls_verifier_new(j->policy, &v, err)) {
        return false;
    }
    bool ok = cli_record_appraise(&w->record, v, &j->appraisal, &j->arena, &j->result, err);
    atls_verifier_free(v);
    return ok;
}

int cli_verify(int argc, char *const argv[])
{
    atls_error err = {0};
    words w = {0};
    job j = {.result = {.profile = ""}};
    cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_page_usage("verify", argc, argv, &err);
    }
    if (!atls_arena_new(&j.arena, CLI_ARENA_SIZE, &err)) {
        return cli_report("verify", &err);
    }
    w.record.quiet = w.quiet || w.json;
    if (cli_record_open(&w.record, &j.arena, &err) && load(&w, &j, &err)) {
        (void)appraise(&w, &j, &err);
        cli_endorse_explain(&j.endorsements, &err);
    }
    cli_page page = {
        .result = &j.result,
        .error = &err,
        .policy = j.policy,
        .verbose = w.verbose,
    };
    int status = cli_record_end(&w.record, "verify", cli_page_end("verify", &page, w.json, w.quiet, &j.arena));
    cli_fetch_close(j.endorsements.fetcher, w.quiet);
    atls_policy_free(j.policy);
    atls_arena_free(&j.arena);
    return status;
}
