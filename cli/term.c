/* SPDX-License-Identifier: Apache-2.0 */
/* term.c: how text reaches a person: ink, escaping, the line that ends a failed run, and the clock. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

const char *cli_ink_on(FILE *f, cli_ink ink)
{
    static const char *const sequences[] = {
        [CLI_BOLD] = "\x1b[1m",    [CLI_GOOD] = "\x1b[1;32m", [CLI_BAD] = "\x1b[1;31m",
        [CLI_WARN] = "\x1b[1;33m", [CLI_PLAIN] = "\x1b[0m",
    };
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if ((no_color != NULL && no_color[0] != 0) || term == NULL || strcmp(term, "dumb") == 0) {
        return "";
    }
    return isatty(fileno(f)) == 1 ? sequences[ink] : "";
}

void cli_put_bytes(FILE *f, atls_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c >= 0x20 && c < 0x7f) {
            (void)fputc(c, f);
        } else {
            (void)fprintf(f, "\\x%02x", (unsigned)c);
        }
    }
}

void cli_put(FILE *f, const char *text)
{
    cli_put_bytes(f, atls_bytes_str(text));
}

void cli_put_hex(FILE *f, atls_bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        (void)fprintf(f, "%02x", (unsigned)value.ptr[i]);
    }
}

int cli_report(const char *verb, const atls_error *err)
{
    char line[640];
    (void)atls_error_line(err, line, sizeof line);
    (void)fprintf(stderr, "atls%s%s: ", verb[0] == 0 ? "" : " ", verb);
    cli_put(stderr, line);
    (void)fputc('\n', stderr);
    if (err->code == ATLS_E_USAGE) {
        (void)fprintf(stderr, "try: atls%s%s --help\n", verb[0] == 0 ? "" : " ", verb);
    }
    return atls_error_exit_status(err);
}

atls_time cli_now(void)
{
    return (atls_time)time(NULL);
}
