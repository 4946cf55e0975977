/* SPDX-License-Identifier: Apache-2.0 */
/* replay_statement.h: debug statements of enrolment for atls replay: judged again, and what came of it, for people and programs. */
#ifndef ATLS_CLI_REPLAY_STATEMENT_H
#define ATLS_CLI_REPLAY_STATEMENT_H

#include "atls/enroller.h"
#include "base/json.h"
#include "cli.h"

/* 8 MiB of JSON, and a third more in one line; the reader has the exact limit. */
#define CLI_MAX_STATEMENT_FILE ((size_t)12 * 1024 * 1024)

typedef struct cli_statement {
    atls_enrol_replay replay;
    atls_time at;       /* verificationTime */
    atls_bytes library; /* version of atls that wrote it, as it says; empty: none (Warden's) */
} cli_statement;

/* cli_statement_trim takes white space off both ends: what a shell or an editor put there. */
atls_bytes cli_statement_trim(atls_bytes file);

/* cli_statement_looks_like tells a statement from a recording by its first byte that is no white space: '{', or the 'u' of the one-line
 * form. A recording begins with 0x86. */
bool cli_statement_looks_like(atls_bytes file);

/* cli_statement_replay judges it again. Errors: those of atls_enrol_replay_run. */
ATLS_MUST_USE bool cli_statement_replay(atls_bytes file, const atls_enrol_replay_options *options, atls_arena *a,
                                        cli_statement *out, atls_error *err);

/* cli_statement_status gives the exit status; own_verdict: of a verdict that came out again, the verdict's own. */
int cli_statement_status(const cli_statement *s, bool own_verdict);

/* cli_statement_print prints on stderr; brief: one line. cli_statement_put adds the members of a JSON object. */
void cli_statement_print(const char *path, const cli_statement *s, bool brief);
void cli_statement_put(atls_jw *w, const cli_statement *s);

#endif
