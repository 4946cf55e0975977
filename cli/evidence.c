/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.c: atls evidence get: evidence of this machine over given bytes. What it writes, atls verify reads. */
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "files.h"
#include "places.h"
#include "values.h"

typedef enum format { FORMAT_DEFAULT = 0, FORMAT_BINARY, FORMAT_HEX, FORMAT_BASE64, FORMAT_JSON } format;

typedef struct words {
    cli_places places;
    const char *report_data, *output, *format, *key, *pcrs, *certificate, *privlevel, *event_log, *write_log;
    bool nonce, no_certificates, quiet;
    cli_list operands;
} words;

typedef struct job {
    atls_arena arena;
    atls_machine machine;
    size_t others; /* attesters that auto passed over */
    uint8_t report_data[64];
    format format;
    atls_evidence evidence;
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"attester", 'a', "NAME", "auto (default), tdx, sev-snp, dstack, nitro or tpm", .text = &w->places.attester},
        {"report-data", 0, "HEX|@FILE", "make it over these 1 to 64 bytes (padded with zeros)",
         .text = &w->report_data},
        {"nonce", 0, NULL, "make it over random bytes, which are printed (default)", .flag = &w->nonce},
        {"output", 'o', "FILE", "write to FILE instead of stdout", .text = &w->output},
        {"format", 'f', "FORMAT", "binary, hex, base64 or json (json for dstack, else binary)", .text = &w->format},
        {"write-log", 0, "FILE", "write the event log to FILE, for verify --event-log", .text = &w->write_log},
        {"device", 'd', "PATH", "the attester's device, folder or socket", .text = &w->places.device},
        {"tcti", 0, "TCTI", "tpm: how to reach it (device:/dev/tpmrm0)", .text = &w->places.tcti},
        {"socket", 0, "PATH", "dstack: the agent's socket", .text = &w->places.socket},
        {"event-log", 0, "PATH", "tdx, tpm: take this event log along; empty: none", .text = &w->event_log},
        {"key", 0, "KEY", "tpm: auto (default), ecc, rsa, 0xHANDLE or nv:0xINDEX", .text = &w->key},
        {"pcrs", 0, "LIST", "tpm: sha256:all (default), or sha256:0-7,11+sha384:0", .text = &w->pcrs},
        {"key-certificate", 0, "0xINDEX", "tpm: the key's certificate is in this NV index", .text = &w->certificate},
        {"privlevel", 0, "N", "sev-snp: report for VMPL 0 to 3", .text = &w->privlevel},
        {"no-certificates", 0, NULL, "sev-snp, by ioctl: the report alone", .flag = &w->no_certificates},
        {"timeout", 0, "SECONDS", "begin no further try after this (30)", .text = &w->places.timeout},
        {"sysroot", 0, "DIR", "look for devices below DIR instead of /", .text = &w->places.sysroot},
        {"quiet", 'q', NULL, "print nothing but errors on stderr", .flag = &w->quiet},
    };
    const cli_usage usage = {
        .verb = "evidence",
        .operands = "get",
        .summary = "Makes evidence with an attester of this machine and writes it to stdout, which may then not be a\n"
                   "terminal, or to a file. auto takes the strongest attester that is there: see atls doctor.\n"
                   "Without --report-data the evidence is over random bytes, which are printed on stderr.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .min_operands = 1,
        .max_operands = 1,
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

/* ---- words into values -------------------------------------------------------------------------------------------- */

static bool hex_number(const char *word, uint32_t *out)
{
    uint64_t n = 0;
    if (strncmp(word, "0x", 2) != 0 || strlen(word) < 3 || strlen(word) > 10) {
        return false;
    }
    for (const char *at = word + 2; *at != '\0'; at++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = strchr(digits, *at);
        if (digit == NULL) {
            return false;
        }
        const uint64_t value = (uint64_t)(digit - digits);
        n = n * 16 + (value < 16 ? value : value - 6);
    }
    *out = (uint32_t)n;
    return true;
}

static bool choose_key(const char *word, atls_tpm_options *o, atls_error *err)
{
    static const struct {
        const char *name;
        atls_tpm_key key;
    } names[] = {{"auto", ATLS_TPM_KEY_AUTO}, {"ecc", ATLS_TPM_KEY_ECC}, {"rsa", ATLS_TPM_KEY_RSA}};
    for (size_t i = 0; word != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(word, names[i].name) == 0) {
            o->key = names[i].key;
            return true;
        }
    }
    if (word == NULL) {
        return true;
    }
    const bool is_index = strncmp(word, "nv:", 3) == 0;
    o->key = is_index ? ATLS_TPM_KEY_TEMPLATE : ATLS_TPM_KEY_HANDLE;
    return hex_number(is_index ? word + 3 : word, &o->key_handle)
           || atls_fail(err, ATLS_E_USAGE, "--key", "wants auto, ecc, rsa, 0xHANDLE or nv:0xINDEX");
}

static bool fail_pcrs(atls_error *err)
{
    return atls_fail(err, ATLS_E_USAGE, "--pcrs", "wants banks as sha256:0-7,11 with + between them, or sha256:all");
}

static const char *read_pcr(const char *at, unsigned *out)
{
    unsigned n = 0;
    const char *begin = at;
    for (; *at >= '0' && *at <= '9' && at - begin < 2; at++) {
        n = n * 10 + (unsigned)(*at - '0');
    }
    *out = n;
    return at == begin || n > 23 ? NULL : at;
}

/* "0-7,11" up to the end or a plus. */
static const char *read_pcrs(const char *at, uint32_t *mask)
{
    if (strncmp(at, "all", 3) == 0) {
        *mask = 0xffffff;
        return at + 3;
    }
    for (;; at++) {
        unsigned first = 0, last = 0;
        at = read_pcr(at, &first);
        last = first;
        if (at != NULL && *at == '-') {
            at = read_pcr(at + 1, &last);
        }
        if (at == NULL || last < first) {
            return NULL;
        }
        for (unsigned i = first; i <= last; i++) {
            *mask |= 1u << i;
        }
        if (*at != ',') {
            return at;
        }
    }
}

static bool choose_pcrs(const char *at, atls_tpm_options *o, atls_error *err)
{
    static const struct {
        const char *name;
        uint16_t algorithm;
    } banks[] = {{"sha1:", 0x0004}, {"sha256:", 0x000b}, {"sha384:", 0x000c}, {"sha512:", 0x000d}};
    while (at != NULL) {
        size_t k = 0;
        while (k < sizeof banks / sizeof banks[0] && strncmp(at, banks[k].name, strlen(banks[k].name)) != 0) {
            k++;
        }
        if (k == sizeof banks / sizeof banks[0] || o->n_banks == ATLS_TPM_MAX_BANKS) {
            return fail_pcrs(err);
        }
        atls_tpm_bank *bank = &o->banks[o->n_banks++];
        bank->algorithm = banks[k].algorithm;
        at = read_pcrs(at + strlen(banks[k].name), &bank->pcrs);
        if (at == NULL || (*at != '\0' && *at != '+')) {
            return fail_pcrs(err);
        }
        at = *at == '+' ? at + 1 : NULL;
    }
    return true;
}

/* What only one attester understands is refused for the others, instead of being passed over. */
static bool fits(const words *w, atls_attester_kind kind, atls_error *err)
{
    const struct {
        const char *name;
        bool given, fits;
    } rules[] = {
        {"--key", w->key != NULL, kind == ATLS_ATTESTER_TPM},
        {"--pcrs", w->pcrs != NULL, kind == ATLS_ATTESTER_TPM},
        {"--key-certificate", w->certificate != NULL, kind == ATLS_ATTESTER_TPM},
        {"--privlevel", w->privlevel != NULL, kind == ATLS_ATTESTER_SEV_SNP},
        {"--no-certificates", w->no_certificates, kind == ATLS_ATTESTER_SEV_SNP},
        {"--event-log", w->event_log != NULL, kind == ATLS_ATTESTER_TDX || kind == ATLS_ATTESTER_TPM},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].given && !rules[i].fits && kind != ATLS_ATTESTER_AUTO) { /* auto: asked again once it is known */
            return atls_fail(err, ATLS_E_USAGE, rules[i].name, "not for the attester %s", atls_attester_name(kind));
        }
    }
    return true;
}

static bool choose_format(const words *w, job *j, atls_error *err)
{
    static const char *const names[] = {
        [FORMAT_BINARY] = "binary", [FORMAT_HEX] = "hex", [FORMAT_BASE64] = "base64", [FORMAT_JSON] = "json"};
    for (unsigned i = FORMAT_BINARY; w->format != NULL && i <= FORMAT_JSON; i++) {
        if (strcmp(w->format, names[i]) == 0) {
            j->format = (format)i;
            return true;
        }
    }
    return w->format == NULL || atls_fail(err, ATLS_E_USAGE, "--format", "wants binary, hex, base64 or json");
}

static bool choose_report_data(const words *w, job *j, atls_error *err)
{
    atls_bytes value;
    if (w->report_data != NULL && w->nonce) {
        return atls_fail(err, ATLS_E_USAGE, "--nonce", "--report-data says what it is made over");
    }
    if (w->report_data == NULL) {
        return cli_random(j->report_data, sizeof j->report_data, err);
    }
    if (!cli_hex(w->report_data, "--report-data", 1, sizeof j->report_data, &j->arena, &value, err)) {
        return false;
    }
    memcpy(j->report_data, value.ptr, value.len);
    return true;
}

static bool load(const words *w, job *j, atls_error *err)
{
    atls_machine *m = &j->machine;
    uint32_t level = 0;
    if (strcmp(w->operands.items[0], "get") != 0) {
        return atls_fail(err, ATLS_E_USAGE, w->operands.items[0], "unknown; atls evidence knows get");
    }
    if (!cli_machine(&w->places, &j->arena, m, err) || !fits(w, m->kind, err) || !choose_format(w, j, err)
        || !choose_report_data(w, j, err) || !choose_key(w->key, &m->tpm, err) || !choose_pcrs(w->pcrs, &m->tpm, err)
        || !cli_number(w->privlevel, "--privlevel", 0, 3, &level, err)) {
        return false;
    }
    if (w->certificate != NULL && !hex_number(w->certificate, &m->tpm.certificate_index)) {
        return atls_fail(err, ATLS_E_USAGE, "--key-certificate", "wants 0x and hex digits");
    }
    m->tsm.has_privlevel = w->privlevel != NULL;
    m->tsm.privlevel = m->sev_guest.vmpl = level;
    m->sev_guest.without_certificates = w->no_certificates;
    m->tsm.event_log_path = m->tpm.event_log_path = w->event_log;
    return atls_attester_choose(m, &j->arena, &m->kind, &j->others, err) && fits(w, m->kind, err);
}

/* ---- what goes out ------------------------------------------------------------------------------------------------ */

static const char *type_of(atls_attester_kind kind)
{
    static const char *const types[ATLS_N_ATTESTERS] = {
        [ATLS_ATTESTER_TDX] = "application/vnd.atls.dcap-quote",
        [ATLS_ATTESTER_SEV_SNP] = "application/vnd.atls.sev-snp-report",
        [ATLS_ATTESTER_DSTACK] = "application/vnd.atls.dcap-quote",
        [ATLS_ATTESTER_NITRO] = "application/vnd.atls.nitro-document",
        [ATLS_ATTESTER_TPM] = "application/vnd.atls.tpm2-quote+cbor",
    };
    return types[kind] != NULL ? types[kind] : "";
}

/* The bytes that a verifier is to be told: a TPM quotes the first half only. */
static atls_bytes quoted(const job *j)
{
    return atls_bytes_of(j->report_data, j->machine.kind == ATLS_ATTESTER_TPM ? 32 : 64);
}

/* As the guest agent of dstack answers, so that whoever reads that reads this: verify, and other tools. */
static bool as_json(job *j, atls_bytes *out, atls_error *err)
{
    const atls_evidence *e = &j->evidence;
    const bool is_array = e->event_log.len > 0 && e->event_log.ptr[0] == '[';
    atls_buf b;
    atls_jw w;
    atls_buf_init(&b, &j->arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_uint(&w, "schema", 1);
    atls_jw_str(&w, "attester", atls_attester_name(j->machine.kind));
    atls_jw_str(&w, "type", type_of(j->machine.kind));
    atls_jw_hex(&w, "quote", e->quote);
    atls_jw_string(&w, "event_log", is_array ? e->event_log : atls_bytes_empty());
    atls_jw_hex(&w, "event_log_raw", is_array ? atls_bytes_empty() : e->event_log);
    atls_jw_hex(&w, "report_data", quoted(j));
    atls_jw_string(&w, "vm_config", e->vm_config);
    atls_jw_close(&w, '}');
    atls_buf_str(&b, "\n");
    return atls_buf_done(&b, out);
}

static bool as_hex(job *j, atls_bytes *out, atls_error *err)
{
    const char *hex = atls_hex_text(j->evidence.quote, &j->arena, err);
    const char *line = hex == NULL ? NULL : atls_text_format(&j->arena, err, "%s\n", hex);
    *out = atls_bytes_str(line);
    return line != NULL;
}

static bool as_base64(job *j, atls_bytes *out, atls_error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const atls_bytes in = j->evidence.quote;
    const size_t len = (in.len + 2) / 3 * 4;
    uint8_t *text = atls_arena_raw(&j->arena, len + 1, err);
    if (text == NULL) {
        return false;
    }
    for (size_t i = 0, at = 0; i < in.len; i += 3, at += 4) {
        const size_t n = in.len - i < 3 ? in.len - i : 3;
        const uint32_t group = (uint32_t)in.ptr[i] << 16 | (n > 1 ? (uint32_t)in.ptr[i + 1] << 8 : 0)
                               | (n > 2 ? (uint32_t)in.ptr[i + 2] : 0);
        for (size_t k = 0; k < 4; k++) {
            text[at + k] = (uint8_t)(k > n ? '=' : digits[group >> (18 - 6 * k) & 63]);
        }
    }
    text[len] = '\n';
    *out = atls_bytes_of(text, len + 1);
    return true;
}

static bool render(job *j, atls_bytes *out, atls_error *err)
{
    switch (j->format) {
    case FORMAT_HEX:
        return as_hex(j, out, err);
    case FORMAT_BASE64:
        return as_base64(j, out, err);
    case FORMAT_JSON:
        return as_json(j, out, err);
    case FORMAT_DEFAULT:
    case FORMAT_BINARY:
        break;
    }
    *out = j->evidence.quote;
    return true;
}

static void say(const words *w, const job *j)
{
    const char *name = atls_attester_name(j->machine.kind);
    if (w->quiet) {
        return;
    }
    if (w->places.attester == NULL || strcmp(w->places.attester, "auto") == 0) {
        (void)fprintf(stderr, "attester: %s%s\n", name,
                      j->others > 0 ? ", the strongest of several; --attester takes another (atls doctor lists them)"
                                    : "");
    }
    if (w->report_data == NULL || quoted(j).len < 64) {
        (void)fprintf(stderr, "report data: ");
        cli_put_hex(stderr, quoted(j));
        (void)fputc('\n', stderr);
    }
    if (j->evidence.event_log.len > 0 && w->write_log == NULL && j->format != FORMAT_JSON) {
        (void)fprintf(stderr, "event log: %zu bytes, left out of this format (--write-log, --format json)\n",
                      j->evidence.event_log.len);
    }
}

static bool check_output(const words *w, job *j, atls_error *err)
{
    if (j->format == FORMAT_DEFAULT) {
        j->format = j->machine.kind == ATLS_ATTESTER_DSTACK ? FORMAT_JSON : FORMAT_BINARY;
    }
    return w->output != NULL || j->format != FORMAT_BINARY || isatty(STDOUT_FILENO) != 1
           || atls_fail(err, ATLS_E_USAGE, "--output", "stdout is a terminal: -o FILE, or --format hex");
}

static bool run(const words *w, job *j, atls_error *err)
{
    atls_bytes out;
    if (!atls_arena_new(&j->arena, CLI_ARENA_SIZE, err) || !load(w, j, err) || !check_output(w, j, err)
        || !atls_attest_machine(&j->machine, j->report_data, &j->arena, &j->evidence, err) || !render(j, &out, err)) {
        return false;
    }
    if (w->write_log != NULL && !cli_write_path(w->write_log, "--write-log", j->evidence.event_log, err)) {
        return false;
    }
    say(w, j);
    return cli_write_path(w->output != NULL ? w->output : "-", "--output", out, err);
}

int cli_evidence_get(int argc, char *const argv[])
{
    atls_error err = {0};
    words w = {0};
    job j = {.format = FORMAT_DEFAULT};
    cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("evidence", &err);
    }
    cli_quiet_tss();
    bool ok = run(&w, &j, &err);
    atls_arena_free(&j.arena);
    return ok ? 0 : cli_report("evidence", &err);
}
