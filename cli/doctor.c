/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c: atls doctor: which attesters this machine has, what is missing, and what its image owes. */
#include <string.h>

#include "base/json.h"
#include "places.h"
#include "values.h"

#define N_FINDINGS (ATLS_N_ATTESTERS - 1)

typedef struct words {
    cli_places places;
    bool json, quick;
    cli_list operands;
} words;

typedef struct job {
    atls_arena arena;
    atls_machine machine;
    uint8_t trial[64];
    atls_attester_finding findings[N_FINDINGS];
    size_t n_usable;
} job;

/* Specification of atls/1, "What the prover's image owes": a verifier sees only that the image was measured. */
static const char *const duties[] = {
    "TLS ends inside the measured image, and its key is made there, or reaches it only after attestation",
    "the code that owns a connection computes what is quoted for it; nothing comes from outside the image",
    "nothing else in the image has an outsider's bytes quoted unchanged: one agent quotes, and only for that code",
    "exporters, nonces and keys are not logged",
};

#define N_DUTIES (sizeof duties / sizeof duties[0])

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"attester", 'a', "NAME", "look for this one only: tdx, sev-snp, dstack, nitro or tpm",
         .text = &w->places.attester},
        {"quick", 0, NULL, "only look; make no evidence to try it out", .flag = &w->quick},
        {"json", 0, NULL, "print one JSON object on stdout, and nothing else", .flag = &w->json},
        {"device", 'd', "PATH", "with --attester: its device, folder or socket", .text = &w->places.device},
        {"tcti", 0, "TCTI", "how to reach the TPM (device:/dev/tpmrm0)", .text = &w->places.tcti},
        {"socket", 0, "PATH", "the socket of dstack's agent", .text = &w->places.socket},
        {"timeout", 0, "SECONDS", "begin no further try of one attester after this (30)", .text = &w->places.timeout},
        {"sysroot", 0, "DIR", "look for devices below DIR instead of /", .text = &w->places.sysroot},
    };
    const cli_usage usage = {
        .verb = "doctor",
        .operands = "",
        .summary =
            "Says which attesters this machine has, and what is missing, and tries out those that are there with\n"
            "evidence over random bytes, which it throws away. Exit status 0: at least one can be used; 8: none.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static bool survey(const words *w, job *j, atls_error *err)
{
    if (!atls_arena_new(&j->arena, CLI_ARENA_SIZE, err) || !cli_machine(&w->places, &j->arena, &j->machine, err)
        || !cli_random(j->trial, sizeof j->trial, err)
        || !atls_attester_survey(&j->machine, w->quick ? NULL : j->trial, &j->arena, j->findings, err)) {
        return false;
    }
    for (size_t i = 0; i < N_FINDINGS; i++) {
        const atls_attester_finding *f = &j->findings[i];
        const bool wanted = j->machine.kind == ATLS_ATTESTER_AUTO || j->machine.kind == f->kind;
        j->n_usable += wanted && f->state == ATLS_ATTESTER_AVAILABLE ? 1 : 0;
    }
    return true;
}

/* The finding, or NULL when it was not asked for. */
static const atls_attester_finding *shown(const job *j, size_t i)
{
    const atls_attester_finding *f = &j->findings[i];
    return j->machine.kind == ATLS_ATTESTER_AUTO || j->machine.kind == f->kind ? f : NULL;
}

/* ---- for people --------------------------------------------------------------------------------------------------- */

static void print_finding(const atls_attester_finding *f)
{
    const cli_ink ink = f->state == ATLS_ATTESTER_AVAILABLE  ? CLI_GOOD
                        : f->state == ATLS_ATTESTER_UNUSABLE ? CLI_BAD
                                                             : CLI_PLAIN;
    printf("%-8s %s%-9s%s  ", atls_attester_name(f->kind), cli_ink_on(stdout, ink), atls_attester_state_name(f->state),
           cli_ink_on(stdout, CLI_PLAIN));
    cli_put(stdout, f->found);
    if (f->state != ATLS_ATTESTER_ABSENT) {
        printf("\n%20sat %s", "", "");
        cli_put(stdout, f->where);
    }
    if (f->advice[0] != '\0') {
        printf("\n%20sto do: ", "");
        cli_put(stdout, f->advice);
    }
    if (f->warning[0] != '\0') {
        printf("\n%20s%sWARNING%s: ", "", cli_ink_on(stdout, CLI_WARN), cli_ink_on(stdout, CLI_PLAIN));
        cli_put(stdout, f->warning);
    }
    (void)fputc('\n', stdout);
}

static void print_page(const words *w, const job *j)
{
    const char *best = NULL;
    for (size_t i = 0; i < N_FINDINGS; i++) {
        const atls_attester_finding *f = shown(j, i);
        if (f != NULL) {
            print_finding(f);
            best = best == NULL && f->state == ATLS_ATTESTER_AVAILABLE ? atls_attester_name(f->kind) : best;
        }
    }
    if (best != NULL) {
        printf("\nauto takes %s, the strongest%s\n", best, w->quick ? "; nothing was tried out (--quick)" : "");
    }
    printf("\nWhat a measured image owes, so that its evidence means anything (docs/attesters.md):\n");
    for (size_t i = 0; i < N_DUTIES; i++) {
        printf("  %zu. %s\n", i + 1, duties[i]);
    }
}

/* ---- for scripts -------------------------------------------------------------------------------------------------- */

static void put_finding(atls_jw *w, const atls_attester_finding *f)
{
    atls_jw_open(w, NULL, '{');
    atls_jw_str(w, "attester", atls_attester_name(f->kind));
    atls_jw_str(w, "state", atls_attester_state_name(f->state));
    atls_jw_str(w, "where", f->where);
    atls_jw_str(w, "found", f->found);
    atls_jw_str(w, "advice", f->advice);
    atls_jw_str(w, "warning", f->warning);
    atls_jw_close(w, '}');
}

static bool print_json(const words *words_, job *j, atls_error *err)
{
    atls_bytes out;
    atls_buf b;
    atls_jw w;
    atls_buf_init(&b, &j->arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_uint(&w, "schema", 1);
    atls_jw_bool(&w, "usable", j->n_usable > 0);
    atls_jw_bool(&w, "tried", !words_->quick);
    atls_jw_open(&w, "attesters", '[');
    for (size_t i = 0; i < N_FINDINGS; i++) {
        if (shown(j, i) != NULL) {
            put_finding(&w, shown(j, i));
        }
    }
    atls_jw_close(&w, ']');
    atls_jw_open(&w, "duties", '[');
    for (size_t i = 0; i < N_DUTIES; i++) {
        atls_jw_str(&w, NULL, duties[i]);
    }
    atls_jw_close(&w, ']');
    atls_jw_close(&w, '}');
    atls_buf_str(&b, "\n");
    if (!atls_buf_done(&b, &out)) {
        return false;
    }
    (void)fwrite(out.ptr, 1, out.len, stdout);
    return true;
}

static bool run(const words *w, job *j, atls_error *err)
{
    if (!survey(w, j, err)) {
        return false;
    }
    if (w->json) {
        return print_json(w, j, err);
    }
    print_page(w, j);
    return true;
}

int cli_doctor(int argc, char *const argv[])
{
    atls_error err = {0};
    words w = {0};
    job j = {.n_usable = 0};
    cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("doctor", &err);
    }
    cli_quiet_tss();
    const bool ok = run(&w, &j, &err);
    atls_arena_free(&j.arena);
    if (!ok) {
        return cli_report("doctor", &err);
    }
    return j.n_usable > 0 ? 0 : atls_code_exit_status(ATLS_E_UNSUPPORTED);
}
