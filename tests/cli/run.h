/* SPDX-License-Identifier: Apache-2.0 */
/* run.h: the program as a black box: run it with a command line, look at its exit status, stdout and stderr.
 *
 * Command lines are one text, split at spaces. "{d}" is a folder of this test run, "{v}" the folder of real vectors,
 * "{p}" the port of a server that is running. */
#ifndef ATLS_TESTS_CLI_RUN_H
#define ATLS_TESTS_CLI_RUN_H

#include <sys/types.h>

#include "atls/atls.h"
#include "base/json.h"
#include "tap.h"

/* Set once by main: the program, a fresh folder, the vectors ("" when there are none). */
typedef struct run_place {
    char program[512];
    char folder[256];
    char vectors[256];
    char port[8];
} run_place;
extern run_place place;

/* run_begin takes the program from the command line of the test, or finds it beside the test in the build folder. */
bool run_begin(int argc, char *argv[]);
void run_end(void);

typedef struct run_output {
    int status; /* -1: ended by a signal */
    char *out;  /* NUL-terminated; run_free */
    char *err;
    size_t out_len;
} run_output;

/* run runs "atls <line>" with the file `input` (a name in the folder, NULL: nothing) as stdin. */
run_output run(const char *line, const char *input);
void run_free(run_output *o);

/* run_closed starts it with some of its standard descriptors closed. */
enum { RUN_STDIN = 1, RUN_STDOUT = 2, RUN_STDERR = 4 };
run_output run_closed(const char *line, int closed);

/* A row of a table: the command line, the exit status, and what stdout and stderr must hold. A text that begins with
 * '!' must not be there. out NULL: stdout is empty; "=": stdout is what stdin was. Rows with {v} are skipped without
 * vectors. */
typedef struct run_row {
    const char *name;
    const char *line;
    const char *input;
    int status;
    const char *out;
    const char *err[3];
} run_row;
void run_row_test(void **state);
void run_holds(const char *what, const char *text, const char *wanted);

/* A program that goes on in the background, with its own stdout and stderr in files <name>.out and <name>.err. */
pid_t run_start(const char *line, const char *name);
int run_wait(pid_t pid);
/* run_wait_port waits until such a program has said in the file out ("<name>.out") where it listens, and puts the port into place. */
void run_wait_port(const char *out);

/* Files of the folder. run_read's text is NUL-terminated and the caller's. */
char *run_read(const char *name, size_t *len);
void run_write(const char *name, const void *data, size_t len);

/* run_json parses stdout, which must be exactly one object and a newline; the tree lives in the arena. */
const atls_json *run_json(const run_output *o, atls_arena *a);
/* run_json_text gives a member by its path "error.code"; "" when it is no text. */
const char *run_json_text(const atls_json *tree, const char *path, atls_arena *a);

#endif
