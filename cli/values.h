/* SPDX-License-Identifier: Apache-2.0 */
/* values.h: words of the command line turned into values. Every failure is USAGE with the option as field. */
#ifndef ATLS_CLI_VALUES_H
#define ATLS_CLI_VALUES_H

#include "cli.h"

/* cli_hex reads hex digits of either case, min to max bytes; "@FILE" takes them from a file (white space around them is
 * ignored), so that they need not stand in the list of processes. */
ATLS_MUST_USE bool cli_hex(const char *word, const char *field, size_t min, size_t max, atls_arena *a, atls_bytes *out,
                           atls_error *err);

/* cli_time reads YYYY-MM-DDTHH:MM:SSZ; NULL gives the clock's now. */
ATLS_MUST_USE bool cli_time(const char *word, const char *field, atls_time *out, atls_error *err);

/* cli_number reads a decimal number, min to max; NULL leaves *out alone. */
ATLS_MUST_USE bool cli_number(const char *word, const char *field, uint32_t min, uint32_t max, uint32_t *out,
                              atls_error *err);

/* cli_random fills out from the kernel's generator. Errors: INTERNAL. */
ATLS_MUST_USE bool cli_random(uint8_t *out, size_t n, atls_error *err);

/* cli_pin reads the SHA-256 of a SubjectPublicKeyInfo as curl writes it, "sha256//BASE64", or as 64 hex digits. */
ATLS_MUST_USE bool cli_pin(const char *word, const char *field, atls_arena *a, uint8_t out[32], atls_error *err);

/* cli_address splits HOST, HOST:PORT, [V6] and [V6]:PORT; the port is 443 when there is none. In the arena. */
typedef struct cli_address {
    const char *host; /* without brackets */
    const char *port; /* decimal, 1 to 65535 */
} cli_address;
ATLS_MUST_USE bool cli_address_parse(const char *word, atls_arena *a, cli_address *out, atls_error *err);

/* cli_alpn splits "a,b" into a NULL-terminated list of names of 1 to 255 bytes. In the arena. */
ATLS_MUST_USE bool cli_alpn(const char *word, const char *field, atls_arena *a, const char *const **out,
                            atls_error *err);

/* cli_profile reads the name of a way of proving as its ATLS_PROFILE_ bit. Errors: USAGE. */
ATLS_MUST_USE bool cli_profile(const char *text, const char *option, unsigned *out, atls_error *err);

#endif
