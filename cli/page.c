/* SPDX-License-Identifier: Apache-2.0 */
/* page.c: the accepted page. Everything that came from the peer is escaped on its way out. */
#include "page.h"

#include "claims.h"

#include <string.h>

static void label(FILE *f, const char *name)
{
    (void)fprintf(f, "  %-13s ", name);
}

static void row(FILE *f, const char *name, const char *value)
{
    label(f, name);
    cli_put(f, value);
    (void)fputc('\n', f);
}

static void row_hex(FILE *f, const char *name, atls_bytes value)
{
    label(f, name);
    cli_put_hex(f, value);
    (void)fputc('\n', f);
}

static void row_time(FILE *f, const char *name, atls_time t)
{
    char text[ATLS_TIME_TEXT_SIZE];
    atls_time_format(t, text);
    row(f, name, text);
}

static void section(FILE *f, const char *name)
{
    (void)fprintf(f, "\n%s%s%s\n", cli_ink_on(f, CLI_BOLD), name, cli_ink_on(f, CLI_PLAIN));
}

/* What a policy may leave open without the page losing its first word: they narrow a set that is genuine and known
 * anyway. Whatever else is skipped (binding, code, identity, anything insecure_, and every check to come) takes it
 * away. */
static bool is_choice(const char *id)
{
    static const char *const choices[] = {"dcap.tcb_evaluation_data_number", "dcap.advisories", "dcap.machine"};
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        if (strcmp(id, choices[i]) == 0) {
            return true;
        }
    }
    return false;
}

static size_t count_skipped(const atls_result *r, bool with_choices)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_checks; i++) {
        bool skipped = r->checks[i].verdict == ATLS_CHECK_SKIPPED;
        n += skipped && (with_choices || !is_choice(r->checks[i].id)) ? 1 : 0;
    }
    return n;
}

static bool is_verified(const atls_result *r)
{
    return count_skipped(r, false) == 0 && r->grade != ATLS_GRADE_NONE && r->runtime_verified && !r->attested_only
           && !r->insecure;
}

static void headline(FILE *f, const cli_page *p)
{
    char at[ATLS_TIME_TEXT_SIZE];
    bool verified = is_verified(p->result);
    atls_time_format(p->result->time, at);
    (void)fprintf(f, "%s%s%s, policy %s, as of %s\n", cli_ink_on(f, verified ? CLI_GOOD : CLI_WARN),
                  verified ? "Verified" : "Accepted by the policy, but not everything was checked (see NOT checked)",
                  cli_ink_on(f, CLI_PLAIN), p->policy == NULL ? "" : atls_policy_kind(p->policy), at);
}

void cli_page_warnings(FILE *f, const cli_page *p)
{
    const atls_result *r = p->result;
    const char *on = cli_ink_on(f, CLI_WARN), *off = cli_ink_on(f, CLI_PLAIN);
    if (r->verdict != ATLS_VERDICT_ACCEPTED) {
        return;
    }
    if (r->simulated_or_test_root) {
        (void)fprintf(
            f, "%sWARNING: the root that vouches is not a vendor's production root: simulated or test hardware%s\n", on,
            off);
    }
    atls_text_list weak = {0};
    if (p->policy != NULL) {
        weak = atls_policy_insecure(p->policy);
    }
    for (size_t i = 0; i < weak.n; i++) {
        (void)fprintf(f, "%sWARNING: the policy weakens a check: %s%s\n", on, weak.items[i], off);
    }
}

static void print_who(FILE *f, const cli_page *p)
{
    static const char *const how[] = {
        [ATLS_IDENTITY_WEBPKI] = "the system's certificate authorities",
        [ATLS_IDENTITY_CA] = "the certificate authorities that were given (--cacert)",
        [ATLS_IDENTITY_PIN] = "the pinned public key (--pin)",
        [ATLS_IDENTITY_ATTESTED_ONLY] = "nobody: attested only, the name proves nothing",
    };
    if (p->server_name == NULL) {
        return;
    }
    section(f, "Who");
    row(f, "name", p->server_name);
    if (p->peer == NULL) {
        return;
    }
    row(f, "vouched by", how[p->peer->identity]);
    row(f, "certificate", p->peer->subject);
    row(f, "issuer", p->peer->issuer);
    row_hex(f, "SHA-256", atls_bytes_of(p->peer->leaf_sha256, sizeof p->peer->leaf_sha256));
    label(f, "session");
    (void)fprintf(f, "%s, %s, %s\n", p->peer->tls_version, p->peer->cipher, p->peer->group);
}

static void print_tcb(FILE *f, const atls_tcb *t)
{
    char date[ATLS_TIME_TEXT_SIZE];
    atls_time_format(t->date, date);
    label(f, "TCB status");
    (void)fprintf(f, "%s, of %.10s (platform %s, ", atls_tcb_status_name(t->status), date,
                  atls_tcb_status_name(t->platform));
    if (t->module != ATLS_TCB_UNKNOWN) {
        (void)fprintf(f, "module %s, ", atls_tcb_status_name(t->module));
    }
    (void)fprintf(f, "QE %s)\n", atls_tcb_status_name(t->qe));
    label(f, "advisories");
    for (size_t i = 0; i < t->advisories.n; i++) {
        (void)fputs(i == 0 ? "" : ", ", f);
        cli_put(f, t->advisories.items[i]);
    }
    (void)fputs(t->advisories.n == 0 ? "none\n" : "\n", f);
}

static void print_hardware(FILE *f, const cli_page *p)
{
    const atls_dcap_claims *d = &p->result->claims.dcap;
    char from[ATLS_TIME_TEXT_SIZE], to[ATLS_TIME_TEXT_SIZE], until[ATLS_TIME_TEXT_SIZE];
    section(f, "Hardware");
    label(f, "platform");
    (void)fprintf(f, "Intel %s, quote version %u, TCB evaluation %u\n", d->is_tdx ? "TDX" : "SGX",
                  (unsigned)d->quote_version, (unsigned)d->tcb.evaluation_data_number);
    row_hex(f, "machine PPID", atls_bytes_of(d->ppid, sizeof d->ppid));
    row_hex(f, "FMSPC", atls_bytes_of(d->fmspc, sizeof d->fmspc));
    if (d->tdx_module_id[0] != 0) {
        row(f, "TDX module", d->tdx_module_id);
    }
    print_tcb(f, &d->tcb);
    atls_time_format(d->earliest_issue, from);
    atls_time_format(d->latest_issue, to);
    atls_time_format(d->earliest_expiration, until);
    label(f, "endorsements");
    (void)fprintf(f, "issued %.10s to %.10s, good until %s\n", from, to, until);
    label(f, "root");
    cli_put_hex(f, atls_bytes_of(d->root_sha256, sizeof d->root_sha256));
    (void)fputs(p->result->simulated_or_test_root ? " (SIMULATED OR TEST)\n" : " (production)\n", f);
}

static void row_hex_if(FILE *f, const char *name, atls_bytes value)
{
    if (value.len > 0 && !atls_bytes_is_zero(value)) {
        row_hex(f, name, value);
    }
}

static void print_td(FILE *f, const atls_td_report *td)
{
    static const char *const names[4] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    row_hex(f, "mrtd", atls_bytes_of(td->mrtd, 48));
    for (size_t i = 0; i < 4; i++) {
        row_hex(f, names[i], atls_bytes_of(td->rtmr[i], 48));
    }
    row_hex(f, "mrseam", atls_bytes_of(td->mrseam, 48));
    row_hex_if(f, "mrconfigid", atls_bytes_of(td->mrconfigid, 48));
    row_hex_if(f, "mrowner", atls_bytes_of(td->mrowner, 48));
    row_hex_if(f, "mrownerconfig", atls_bytes_of(td->mrownerconfig, 48));
    row_hex(f, "tdattributes", atls_bytes_of(td->tdattributes, 8));
}

static void print_events(FILE *f, const atls_eventlog_claims *log, bool all)
{
    size_t n = 0;
    label(f, "events");
    for (size_t i = 0; i < log->n_events; i++) {
        const atls_event *e = &log->events[i];
        if (e->imr == 3 && (all || n < 16)) {
            (void)fputs(n == 0 ? "" : ", ", f);
            cli_put_bytes(f, e->name);
        }
        n += e->imr == 3 ? 1 : 0;
    }
    if (!all && n > 16) {
        (void)fprintf(f, ", and %zu more (--verbose)", n - 16);
    }
    (void)fprintf(f, "%s(%zu of boot)\n", n == 0 ? "" : " ", log->n_events - n);
}

static void print_log(FILE *f, const atls_eventlog_claims *log, bool all)
{
    if (!log->present) {
        return;
    }
    row_hex_if(f, "compose-hash", log->compose_hash);
    row_hex_if(f, "os-image-hash", log->os_image_hash);
    row_hex_if(f, "app-id", log->app_id);
    row_hex_if(f, "instance-id", log->instance_id);
    if (log->key_provider.len > 0) {
        label(f, "key-provider");
        cli_put_bytes(f, log->key_provider);
        (void)fputc('\n', f);
    }
    print_events(f, log, all);
}

/* The claim that a check compares with a reference value; NULL for checks of another kind. */
static const char *compared_claim(const char *id, const char *expected)
{
    static const char *const rooms[] = {"sevsnp.", "tpm.", "nitro.", "android.", "apple."};
    static const char *const prefixes[] = {"dcap.measurement.", "dstack.bootchain."};
    static const char *const ids[] = {
        "dstack.compose_hash", "dstack.os_image_hash",     "dstack.app_id",
        "dstack.instance_id",  "dstack.key_provider_name", "dstack.key_provider_id",
        "dcap.isvprodid",      "dcap.min_isvsvn",          "dcap.min_tee_tcb_svn",
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strncmp(id, prefixes[i], strlen(prefixes[i])) == 0) {
            return id + strlen(prefixes[i]);
        }
    }
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        if (strncmp(id, rooms[i], strlen(rooms[i])) == 0 && expected[0] != 0) {
            return id + strlen(rooms[i]);
        }
    }
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (strcmp(id, ids[i]) == 0) {
            return strchr(id, '.') + 1;
        }
    }
    return NULL;
}

/* Everything above this line is signed; only what it names was also expected. */
static void print_compared(FILE *f, const atls_result *r)
{
    size_t n = 0;
    label(f, "as expected");
    for (size_t i = 0; i < r->n_checks; i++) {
        const char *claim =
            r->checks[i].verdict == ATLS_CHECK_PASS ? compared_claim(r->checks[i].id, r->checks[i].expected) : NULL;
        if (claim != NULL) {
            (void)fprintf(f, "%s%s", n == 0 ? "" : ", ", claim);
            n++;
        }
    }
    (void)fputs(n == 0 ? "NOTHING: the policy has no reference values for the code\n" : "; nothing else was compared\n",
                f);
}

static void print_code(FILE *f, const cli_page *p)
{
    const atls_claims *c = &p->result->claims;
    section(f, "Code");
    if (c->dcap.is_tdx) {
        print_td(f, &c->dcap.td);
    } else {
        row_hex(f, "mrenclave", atls_bytes_of(c->dcap.sgx.mrenclave, 32));
        row_hex(f, "mrsigner", atls_bytes_of(c->dcap.sgx.mrsigner, 32));
        label(f, "isv");
        (void)fprintf(f, "prodid %u, svn %u\n", (unsigned)c->dcap.sgx.isvprodid, (unsigned)c->dcap.sgx.isvsvn);
        row_hex(f, "attributes", atls_bytes_of(c->dcap.sgx.attributes, 16));
    }
    print_log(f, &c->log, p->verbose);
    print_compared(f, p->result);
}

/* Kinds of evidence without lines of their own: what kind, who vouches, and every claim by its public name. */
static void print_machine(FILE *f, const cli_page *p)
{
    const atls_claims *c = &p->result->claims;
    static const char *const names[] = {
        [ATLS_PLATFORM_SEV_SNP] = "AMD SEV-SNP",   [ATLS_PLATFORM_TPM] = "TPM 2.0",
        [ATLS_PLATFORM_NITRO] = "AWS Nitro",       [ATLS_PLATFORM_APPLE] = "Apple App Attest",
        [ATLS_PLATFORM_ENROLLED] = "enrolled key",
    };
    const bool named = c->platform < sizeof names / sizeof names[0] && names[c->platform] != NULL;
    section(f, "Hardware and code");
    row(f, "platform", named ? names[c->platform] : atls_platform_name(c->platform));
    label(f, "root");
    if (atls_bytes_is_zero(atls_bytes_of(c->root_sha256, sizeof c->root_sha256))) {
        (void)fputs("none: no certificate vouches\n", f);
    } else {
        cli_put_hex(f, atls_bytes_of(c->root_sha256, sizeof c->root_sha256));
        (void)fputs(p->result->simulated_or_test_root ? " (SIMULATED OR TEST)\n" : " (production)\n", f);
    }
    cli_claims_print(f, p->result);
    print_compared(f, p->result);
}

static void print_fresh(FILE *f, const cli_page *p)
{
    static const char *const meaning[] = {
        [ATLS_GRADE_NONE] = "not bound to anything: says nothing about now, or about whom you talk to",
        [ATLS_GRADE_REPORT_DATA] = "made over the report data that was given",
        [ATLS_GRADE_KEY] = "made for this public key, at any time",
        [ATLS_GRADE_KEY_FRESH] = "made for this public key and our nonce",
        [ATLS_GRADE_EXPORTER] = "made for our nonce and the exporter of this TLS session",
        [ATLS_GRADE_SESSION] = "made for our nonce, this TLS session, and both certificates",
    };
    section(f, "Fresh");
    label(f, "grade");
    (void)fprintf(f, "%s: %s\n", atls_grade_name(p->result->grade), meaning[p->result->grade]);
    if (p->result->profile[0] != 0) {
        row(f, "profile", p->result->profile);
    }
    if (!p->stable) {
        row_hex(f, "report data", atls_bytes_of(p->result->claims.report_data, p->result->claims.report_data_len));
    }
    row_time(f, "appraised at", p->result->time);
}

static void print_skipped(FILE *f, const atls_result *r)
{
    section(f, "NOT checked");
    if (r->attested_only) {
        (void)fprintf(f, "  %sidentity%s: the policy says attested_only: nobody vouches for the server's name\n",
                      cli_ink_on(f, CLI_WARN), cli_ink_on(f, CLI_PLAIN));
    }
    for (size_t i = 0; i < r->n_checks; i++) {
        const atls_check *c = &r->checks[i];
        if (c->verdict == ATLS_CHECK_SKIPPED) {
            (void)fprintf(f, "  %s%s%s: ", cli_ink_on(f, CLI_WARN), c->id, cli_ink_on(f, CLI_PLAIN));
            cli_put(f, c->why);
            (void)fputc('\n', f);
        }
    }
    if (count_skipped(r, true) == 0) {
        (void)fputs("  nothing that this policy could have asked for\n", f);
    }
}

static void print_checks(FILE *f, const atls_result *r)
{
    section(f, "Checks");
    for (size_t i = 0; i < r->n_checks; i++) {
        const atls_check *c = &r->checks[i];
        (void)fprintf(f, "  %-14s %s", atls_check_verdict_name(c->verdict), c->id);
        if (c->field[0] != 0 && strcmp(c->field, c->id) != 0) {
            (void)fputs(" (", f);
            cli_put(f, c->field);
            (void)fputc(')', f);
        }
        (void)fputc('\n', f);
    }
}

static void print_accepted(FILE *f, const cli_page *p)
{
    headline(f, p);
    cli_page_warnings(f, p);
    print_who(f, p);
    if (p->result->claims.platform == ATLS_PLATFORM_TDX || p->result->claims.platform == ATLS_PLATFORM_SGX) {
        print_hardware(f, p);
        print_code(f, p);
    } else {
        print_machine(f, p);
    }
    print_fresh(f, p);
    print_skipped(f, p->result);
    if (p->verbose) {
        print_checks(f, p->result);
    }
    (void)fputc('\n', f);
}

void cli_page_print(FILE *f, const cli_page *p)
{
    if (p->result->verdict == ATLS_VERDICT_ACCEPTED) {
        print_accepted(f, p);
        return;
    }
    cli_page_refusal(f, p);
    if (p->verbose && p->result->n_checks > 0) {
        print_checks(f, p->result);
    }
}
