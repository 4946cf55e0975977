/* SPDX-License-Identifier: Apache-2.0 */
/* enrol_ca_crl.c: atls enrol ca crl: a file of serial numbers becomes a signed list. */
#include <string.h>

#include "base/text.h"
#include "edge/service/ca.h"
#include "enrol.h"
#include "files.h"
#include "options.h"
#include "pki/cert.h"
#include "values.h"

#define MAX_FILE_LEN ((size_t)4 * 1024 * 1024)
#define MAX_SERIAL   20u

typedef struct words {
    const char *dir, *key, *passphrase, *pin, *revoked, *days, *at, *output;
    cli_list operands;
} words;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"dir", 0, "DIR", "the folder of the CA", .text = &w->dir},
        {"key", 'k', "KEY", "PEM file or pkcs11: URI (DIR/issuer.key.pem)", .text = &w->key},
        {"passphrase-file", 0, "FILE", "passphrase of the key file", .text = &w->passphrase},
        {"pin-file", 0, "FILE", "PIN of the token", .text = &w->pin},
        {"revoked", 0, "FILE", "serial numbers in hex, one a line; what follows a # is a remark", .text = &w->revoked},
        {"days", 0, "NUMBER", "until the next list is due (7)", .text = &w->days},
        {"output", 'o', "FILE", "the list, PEM; - is stdout", .text = &w->output},
        {"at", 0, "TIME", "date of the list, YYYY-MM-DDTHH:MM:SSZ (now)", .text = &w->at},
    };
    const cli_usage usage = {
        .verb = "enrol ca crl",
        .operands = "",
        .summary = "Makes the list of certificates that the issuer has revoked, all of them each time.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static atls_bytes trim(atls_bytes line)
{
    const uint8_t *mark = line.len == 0 ? NULL : memchr(line.ptr, '#', line.len);
    size_t n = mark == NULL ? line.len : (size_t)(mark - line.ptr);
    size_t from = 0;
    while (from < n && (line.ptr[from] == ' ' || line.ptr[from] == '\t')) {
        from++;
    }
    while (n > from && (line.ptr[n - 1] == ' ' || line.ptr[n - 1] == '\t' || line.ptr[n - 1] == '\r')) {
        n--;
    }
    return atls_bytes_of(line.ptr + from, n - from);
}

static bool read_serials(atls_bytes text, atls_arena *a, atls_bytes *out, size_t *n, atls_error *err)
{
    *n = 0;
    for (size_t at = 0, line = 1; at < text.len; line++) {
        const uint8_t *end = memchr(text.ptr + at, '\n', text.len - at);
        const size_t len = end == NULL ? text.len - at : (size_t)(end - text.ptr) - at;
        const atls_bytes word = trim(atls_bytes_of(text.ptr + at, len));
        at += len + 1;
        if (word.len == 0) {
            continue;
        }
        atls_error why = {.code = ATLS_OK};
        if (*n == ATLS_CA_MAX_REVOKED || word.len > 2 * MAX_SERIAL
            || !atls_hex_decode(word, "serial", a, &out[*n], &why)) {
            return atls_fail(err, ATLS_E_USAGE, "--revoked",
                             "line %zu: not a serial number of 1 to 20 bytes in hex, or too many", line);
        }
        *n += 1;
    }
    return true;
}

static bool make(const words *w, atls_arena *a, atls_error *err)
{
    uint32_t days = 7;
    size_t n;
    atls_bytes text;
    atls_bytes der;
    atls_bytes pem;
    atls_ca *ca = NULL;
    atls_ca_options o = {.dir = w->dir,
                         .key = w->key,
                         .passphrase_file = w->passphrase,
                         .pin_file = w->pin,
                         .profile = atls_bytes_empty()};
    if (w->dir == NULL || w->revoked == NULL || w->output == NULL) {
        return atls_fail(err, ATLS_E_USAGE,
                         w->dir == NULL       ? "--dir"
                         : w->revoked == NULL ? "--revoked"
                                              : "--output",
                         "required");
    }
    atls_bytes *serials = atls_arena_array(a, ATLS_CA_MAX_REVOKED, sizeof *serials, err);
    const bool ok =
        serials != NULL && cli_time(w->at, "--at", &o.now, err) && cli_number(w->days, "--days", 1, 366, &days, err)
        && cli_read(w->revoked, "--revoked", MAX_FILE_LEN, a, &text, err) && read_serials(text, a, serials, &n, err)
        && atls_ca_open(&o, &ca, err) && atls_ca_crl(ca, serials, n, o.now, (int64_t)days * 86400, a, &der, err)
        && atls_pem_encode(der, "X509 CRL", a, &pem, err) && cli_write_path(w->output, "--output", pem, err);
    atls_ca_free(ca);
    return ok;
}

int cli_enrol_ca_crl(int argc, char *const argv[])
{
    atls_error err = {.code = ATLS_OK};
    words w = {.dir = NULL};
    atls_arena a = {0};
    const cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("enrol ca crl", &err);
    }
    const bool ok = atls_arena_new(&a, CLI_ARENA_SIZE, &err) && make(&w, &a, &err);
    atls_arena_free(&a);
    return ok ? 0 : cli_report("enrol ca crl", &err);
}
