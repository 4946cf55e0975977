/* SPDX-License-Identifier: Apache-2.0 */
/* record.h: recordings in files: --record and --record-failures of every verb that appraises.
 *
 * A recording is written beside its place, as a file of mode 0600, and then moved there: whoever looks finds a whole one or none.
 * In a folder its name is time, verdict and the first digits of its digest, and a folder takes at most CLI_MAX_RECORDINGS:
 * a peer that fails again and again must not fill a disk. */
#ifndef ATLS_CLI_RECORD_H
#define ATLS_CLI_RECORD_H

#include "cli.h"

#define CLI_MAX_RECORDINGS   1000u
#define CLI_RECORDING_SUFFIX ".atlsrec"

/* The words of the command line, and where they lead. */
typedef struct cli_record {
    const char *path;     /* --record: a file, or a folder that is there; NULL: not given */
    const char *failures; /* --record-failures: a folder, made if it is not there; NULL: not given */
    bool quiet;           /* do not say where recordings went */
    int dir;              /* what they are written into, by cli_record_open; -1: none */
    const char *name;     /* in there; NULL: named by content */
    atls_error err;       /* the first recording that could not be written */
} cli_record;

/* cli_record_open finds the place, before anything is decided: what cannot be written to is USAGE. Nothing is asked for: it
 * does nothing. The strings are borrowed, and in the arena. */
ATLS_MUST_USE bool cli_record_open(cli_record *r, atls_arena *arena, atls_error *err);

/* cli_record_options gives what sessions are told. */
atls_record_options cli_record_options(cli_record *r);

/* cli_record_appraise is atls_verifier_appraise, recorded as asked. */
ATLS_MUST_USE bool cli_record_appraise(cli_record *r, const atls_verifier *v, const atls_appraisal *in,
                                       atls_arena *arena, atls_result *out, atls_error *err);

/* cli_record_end closes the place. A yes whose recording was asked for and could not be written is reported, and not a
 * success. Returns the exit status. */
int cli_record_end(cli_record *r, const char *verb, int status);

#endif
