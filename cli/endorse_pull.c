/* SPDX-License-Identifier: Apache-2.0 */
/* endorse_pull.c: atls endorse pull: fetch endorsements anew, keep them in the cache, write them where -e reads them. */
#include "endorse_pull.h"

#include <string.h>

#include "base/text.h"
#include "fetch.h"
#include "files.h"
#include "inputs.h"
#include "object.h"
#include "values.h"

#define VERB "endorse pull"

typedef struct words {
    bool tdx, sgx, snp, android, vlek, force, quiet;
    const char *fmspc, *ca, *product, *chip_id, *tcb, *evidence, *at, *out;
    cli_fetch_words fetch;
    cli_list operands;
} words;

typedef struct job {
    atls_arena arena;
    atls_time at;
    atls_fetcher *fetcher;
    atls_endorsement_request request;
    bool was_asked;                 /* the evidence said what it needs */
    atls_endorsements endorsements; /* of all that was asked for */
    atls_error failure;             /* of the first that cannot be had */
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"evidence", 0, "FILE", "fetch what this evidence needs (- is stdin)", .text = &w->evidence},
        {"tdx", 0, NULL, "for a TDX platform: --fmspc, --ca", .flag = &w->tdx},
        {"sgx", 0, NULL, "for an SGX platform: --fmspc, --ca", .flag = &w->sgx},
        {"fmspc", 0, "HEX", "the platform's FMSPC, 12 digits", .text = &w->fmspc},
        {"ca", 0, "NAME", "which CA issued its PCK certificate: platform or processor (platform)", .text = &w->ca},
        {"snp", 0, NULL, "for SEV-SNP: --product, and --chip-id with --tcb for a VCEK", .flag = &w->snp},
        {"android-status", 0, NULL, "Google's list of revoked attestation keys", .flag = &w->android},
        {"product", 0, "NAME", "Milan, Genoa or Turin (each is tried)", .text = &w->product},
        {"chip-id", 0, "HEX", "of a chip, 128 digits; Turin 16", .text = &w->chip_id},
        {"tcb", 0, "QUERY", "of its VCEK: blSPL=N&teeSPL=N&snpSPL=N&ucodeSPL=N", .text = &w->tcb},
        {"vlek", 0, NULL, "chain and list of VLEKs, not VCEKs", .flag = &w->vlek},
        {"out", 'o', "PATH", "write them: Intel's and Google's to a file, AMD's to a folder", .text = &w->out},
        {"force", 'f', NULL, "the folder need not be empty", .flag = &w->force},
        CLI_FETCH_OPTIONS(&w->fetch),
        {"at", 0, "TIME", "the clock stands at YYYY-MM-DDTHH:MM:SSZ", .text = &w->at},
        {"quiet", 'q', NULL, "do not list what was fetched", .flag = &w->quiet},
    };
    const cli_usage usage = {
        .verb = VERB,
        .operands = "",
        .summary =
            "Fetches endorsements anew, whatever is remembered, from Intel, AMD and Google, or from services named\n"
            "by options alone (the vendors behind them with --fetch). They stay in the cache's folder, where --fetch "
            "of other\n"
            "verbs finds them, and are written to PATH, which --endorsements reads. Nothing is believed for that:\n"
            "every appraisal checks chains, signatures, revocation and dates.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 0,
        .max_operands = 0,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

/* ---- what to ask for --------------------------------------------------------------------------------------------------- */

static bool check_words(const words *w, atls_error *err)
{
    const bool is_intel = w->fmspc != NULL || w->ca != NULL;
    const bool is_amd = w->product != NULL || w->chip_id != NULL || w->tcb != NULL || w->vlek;
    const unsigned n =
        (unsigned)w->tdx + (unsigned)w->sgx + (unsigned)w->snp + (unsigned)w->android + (unsigned)(w->evidence != NULL);
    if (n != 1) {
        return atls_fail(err, ATLS_E_USAGE, "--evidence",
                         "give one of --evidence, --tdx, --sgx, --snp and --android-status");
    }
    if (is_intel && !w->tdx && !w->sgx) {
        return atls_fail(err, ATLS_E_USAGE, w->fmspc != NULL ? "--fmspc" : "--ca", "is for --tdx and --sgx");
    }
    if (is_amd && !w->snp) {
        return atls_fail(err, ATLS_E_USAGE, "--product", "--product, --chip-id, --tcb and --vlek are for --snp");
    }
    return (w->chip_id == NULL) == (w->tcb == NULL)
           || atls_fail(err, ATLS_E_USAGE, "--chip-id", "give --chip-id and --tcb together");
}

static bool ask_intel(const words *w, atls_endorsement_request *out, atls_error *err)
{
    out->platform = w->tdx ? ATLS_PLATFORM_TDX : ATLS_PLATFORM_SGX;
    out->is_tdx = w->tdx;
    out->pck_ca = w->ca == NULL ? "platform" : w->ca;
    if (strcmp(out->pck_ca, "platform") != 0 && strcmp(out->pck_ca, "processor") != 0) {
        return atls_fail(err, ATLS_E_USAGE, "--ca", "wants platform or processor");
    }
    return (w->fmspc != NULL && atls_hex_fixed(atls_bytes_str(w->fmspc), out->fmspc, sizeof out->fmspc))
           || atls_fail(err, ATLS_E_USAGE, "--fmspc", "wants 12 hex digits");
}

static void ask_amd(const words *w, atls_endorsement_request *out)
{
    out->platform = ATLS_PLATFORM_SEV_SNP;
    out->pck_ca = "";
    out->sev_snp = (atls_sev_snp_request){
        .product = w->product == NULL ? "" : w->product,
        .is_vlek = w->vlek,
        .needs_leaf = w->chip_id != NULL,
        .needs_chain = true,
        .chip_id = w->chip_id == NULL ? "" : w->chip_id,
        .tcb = w->tcb == NULL ? "" : w->tcb,
    };
}

/* What is asked for after the first is what hardware inside needs: the one side's certificates, or the other's collateral. */
static void gather(job *j, const atls_endorsements *e)
{
    if (e->platform != ATLS_PLATFORM_NONE) {
        j->endorsements.platform = e->platform;
        j->endorsements.dcap = e->dcap;
    }
    if (e->pile.n_certificates > 0 || e->pile.n_crls > 0) {
        j->endorsements.pile = e->pile;
    }
    if (e->android.list.len > 0) {
        j->endorsements.android = e->android;
    }
}

/* The appraisal asks for what it needs; its verdict is nobody's business here. */
static bool pull_for_evidence(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                              atls_endorsements *out, atls_error *err)
{
    job *j = ctx;
    atls_error why = {0};
    j->was_asked = true;
    if (!atls_fetcher_pull(j->fetcher, request, arena, out, &why)) {
        *err = why;
        j->failure = j->failure.code == ATLS_OK ? why : j->failure;
        return false;
    }
    gather(j, out);
    return true;
}

/* Whatever it says: it asked. */
static bool ask_by(atls_policy *policy, const cli_evidence *evidence, job *j, atls_error *why, atls_error *err)
{
    atls_verifier *v = NULL;
    atls_result result;
    if (!atls_verifier_new(policy, &v, err)) {
        return false;
    }
    const atls_appraisal in = {
        .evidence = evidence->quote,
        .event_log = evidence->event_log,
        .binding = {.profile = ""},
        .now = j->at,
        .endorse = pull_for_evidence,
        .endorse_ctx = j,
    };
    const bool ignored = atls_verifier_appraise(v, &in, &j->arena, &result, why);
    (void)ignored;
    atls_verifier_free(v);
    return true;
}

/* A TPM's evidence may hold a report of its machine's hardware, which nobody looks at whose policy does not ask for it: one asks
 * by the one kind, then by the other, and the wrong one asks for nothing. */
static bool ask_inside(const cli_evidence *evidence, job *j, atls_error *err)
{
    static const char *const policies[] = {
        "{\"type\":\"tpm\",\"insecure_accept_any_measurement\":true,\"hardware\":{\"type\":\"sev_snp\"}}",
        "{\"type\":\"tpm\",\"insecure_accept_any_measurement\":true,\"hardware\":{\"type\":\"tdx\"}}",
    };
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        atls_policy *policy = NULL;
        atls_error ignored = {0};
        const bool ok =
            atls_policy_parse(atls_bytes_str(policies[i]), &policy, err) && ask_by(policy, evidence, j, &ignored, err);
        atls_policy_free(policy);
        if (!ok) {
            return false;
        }
    }
    return true;
}

static bool pull_evidence(const words *w, job *j, atls_error *err)
{
    static const cli_list no_roots = {.n = 0};
    cli_evidence evidence;
    const char *kind = NULL;
    atls_policy *policy = NULL;
    atls_error why = {0};
    if (!cli_evidence_load(w->evidence, &j->arena, &evidence, err)
        || !atls_evidence_kind(evidence.quote, &j->arena, &kind, err)
        || !cli_policy_load(NULL, kind, &no_roots, &j->arena, &policy, err)) {
        return false;
    }
    const bool ok =
        ask_by(policy, &evidence, j, &why, err) && (strcmp(kind, "tpm") != 0 || ask_inside(&evidence, j, err));
    atls_policy_free(policy);
    if (!ok) {
        return false;
    }
    if (!j->was_asked) {
        *err = why; /* the evidence cannot even be decoded */
    } else if (j->failure.code != ATLS_OK) {
        *err = j->failure;
    }
    return err->code == ATLS_OK;
}

static bool pull(const words *w, job *j, atls_error *err)
{
    if (w->evidence != NULL) {
        return pull_evidence(w, j, err);
    }
    if (w->android) {
        j->request = (atls_endorsement_request){.platform = ATLS_PLATFORM_ANDROID, .pck_ca = ""};
    } else if (w->snp) {
        ask_amd(w, &j->request);
    } else if (!ask_intel(w, &j->request, err)) {
        return false;
    }
    return atls_fetcher_pull(j->fetcher, &j->request, &j->arena, &j->endorsements, err);
}

/* ---- where it goes ------------------------------------------------------------------------------------------------------- */

static bool write_certificates(const job *j, const cli_folder *f, atls_error *err)
{
    static const char *const leaf_first[] = {"vcek.der", "intermediate.der", "root.der"};
    const atls_certificate_pile *p = &j->endorsements.pile;
    char name[48];
    for (size_t i = 0; i < p->n_certificates; i++) {
        (void)snprintf(name, sizeof name, "certificate-%zu.der", i);
        if (!cli_write(f, p->n_certificates == 3 ? leaf_first[i] : name, 0644, p->certificates[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < p->n_crls; i++) {
        (void)snprintf(name, sizeof name, "list-%zu.crl", i);
        if (!cli_write(f, name, 0644, p->crls[i], err)) {
            return false;
        }
    }
    return true;
}

static bool write_out(const words *w, job *j, atls_error *err)
{
    atls_bytes bundle;
    cli_folder f;
    if (w->out == NULL) {
        return true;
    }
    if (j->endorsements.platform != ATLS_PLATFORM_NONE) {
        return atls_endorsements_to_bundle(&j->endorsements, &j->arena, &bundle, err)
               && cli_write_path(w->out, "--out", bundle, err);
    }
    if (j->endorsements.android.list.len > 0) {
        return cli_write_path(w->out, "--out", j->endorsements.android.list, err);
    }
    if (j->endorsements.pile.n_certificates == 0) {
        return atls_fail(err, ATLS_E_USAGE, "--out", "nothing has to be fetched for evidence of this kind");
    }
    if (!cli_folder_open(w->out, w->force, &f, err)) {
        return false;
    }
    const bool ok = write_certificates(j, &f, err);
    cli_folder_close(&f);
    return ok;
}

/* Whoever packs the list says these dates again: they are not in it. */
static void tell_status(const atls_android_status *s)
{
    char text[ATLS_TIME_TEXT_SIZE];
    atls_time_format(s->fetched, text);
    (void)fprintf(stderr, "Google's status list, fetched %s, ", text);
    atls_time_format(s->expires, text);
    (void)fprintf(stderr, "%s%s\n", s->expires == ATLS_TIME_UNSET ? "until when it is good is not said" : "good until ",
                  s->expires == ATLS_TIME_UNSET ? "" : text);
}

static void tell(job *j)
{
    const atls_fetched *items;
    size_t n = 0;
    atls_error ignored = {0};
    char until[ATLS_TIME_TEXT_SIZE];
    if (j->endorsements.android.list.len > 0) {
        tell_status(&j->endorsements.android);
        return;
    }
    if (!atls_fetcher_list(j->fetcher, &j->arena, &items, &n, &ignored)) {
        return;
    }
    for (size_t i = n; i > 0; i--) { /* oldest first: in the order of asking */
        const atls_fetched *x = &items[i - 1];
        if (x->in_memory) {
            atls_time_format(x->valid_until, until);
            (void)fprintf(stderr, "%s%s, good until %s\n", x->source, x->path, until);
        }
    }
}

/* Without a service by name, the vendors' own: that is what pulling is. */
static bool open_fetcher(words *w, job *j, atls_error *err)
{
    atls_time now = ATLS_TIME_UNSET;
    w->fetch.fetch = w->fetch.fetch || (w->fetch.pccs.n == 0 && w->fetch.kds.n == 0 && w->fetch.status_url == NULL);
    if (!cli_time(w->at, "--at", &now, err)) {
        return false;
    }
    j->at = w->at == NULL ? ATLS_TIME_UNSET : now;
    if (!cli_fetch_open(&w->fetch, &j->at, &j->fetcher, err)) {
        return false;
    }
    j->at = now; /* the clock of the appraisal; the fetcher's stands at the same instant if it stands at all */
    return true;
}

int cli_endorse_pull(int argc, char *const argv[])
{
    atls_error err = {0};
    words w = {0};
    job j = {.was_asked = false};
    const cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return cli_unparsed(parsed, VERB, &err);
    }
    if (!check_words(&w, &err) || !atls_arena_new(&j.arena, CLI_ARENA_SIZE, &err)) {
        return cli_report(VERB, &err);
    }
    const bool ok = open_fetcher(&w, &j, &err) && pull(&w, &j, &err) && write_out(&w, &j, &err);
    if (ok && !w.quiet) {
        tell(&j);
    }
    cli_fetch_close(j.fetcher, w.quiet);
    atls_arena_free(&j.arena);
    return ok ? 0 : cli_report(VERB, &err);
}
