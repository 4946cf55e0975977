/* SPDX-License-Identifier: Apache-2.0 */
/* run.c: posix_spawn, and files for the three streams. */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS  40
#define PATH_SIZE 512

run_place place;

static void path_of(const char *name, char out[PATH_SIZE])
{
    int n = snprintf(out, PATH_SIZE, "%s/%s", place.folder, name);
    assert_true(n > 0 && n < PATH_SIZE);
}

static void find_program(int argc, char *argv[])
{
    const char *slash = strrchr(argv[0], '/');
    int dir = slash == NULL ? 1 : (int)(slash - argv[0]);
    (void)snprintf(place.program, sizeof place.program, "%.*s/../../cli/atls", dir, slash == NULL ? "." : argv[0]);
    if (argc > 1) {
        (void)snprintf(place.program, sizeof place.program, "%s", argv[1]);
    }
}

bool run_begin(int argc, char *argv[])
{
    const char *tmp = getenv("TMPDIR");
    const char *vectors = getenv("ATLS_VECTORS");
    char probe[PATH_SIZE];
    struct stat ignored;
    find_program(argc, argv);
    (void)snprintf(place.folder, sizeof place.folder, "%s/atls-test-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    (void)snprintf(place.vectors, sizeof place.vectors, "%s", vectors == NULL ? "../shared/vectors" : vectors);
    (void)snprintf(probe, sizeof probe, "%s/dcap/manifest.json", place.vectors);
    if (stat(probe, &ignored) != 0) {
        place.vectors[0] = 0;
    }
    return mkdtemp(place.folder) != NULL && access(place.program, X_OK) == 0;
}

void run_end(void)
{
    char *argv[] = {(char[]){"rm"}, (char[]){"-rf"}, place.folder, NULL};
    char *envp[] = {(char[]){"PATH=/usr/bin:/bin"}, NULL};
    pid_t pid = 0;
    if (posix_spawnp(&pid, "rm", NULL, NULL, argv, envp) == 0) {
        (void)run_wait(pid);
    }
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

static const char *placeholder(const char *at)
{
    if (strncmp(at, "{d}", 3) == 0) {
        return place.folder;
    }
    if (strncmp(at, "{v}", 3) == 0) {
        return place.vectors;
    }
    return strncmp(at, "{p}", 3) == 0 ? place.port : NULL;
}

static void expand(const char *line, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = line; *p != 0; p++) {
        const char *with = placeholder(p);
        size_t len = with == NULL ? 1 : strlen(with);
        assert_true(n + len < size);
        memcpy(out + n, with == NULL ? p : with, len);
        n += len;
        p += with == NULL ? 0 : 2;
    }
    out[n] = 0;
}

static void split(char *text, char *argv[MAX_ARGS])
{
    size_t n = 1;
    argv[0] = place.program;
    for (char *at = text; *at != 0;) {
        assert_true(n + 1 < MAX_ARGS);
        argv[n++] = at;
        at += strcspn(at, " ");
        if (*at == ' ') {
            *at++ = 0;
        }
    }
    argv[n] = NULL;
}

/* A file that is NULL: that descriptor is closed. */
static void redirect(posix_spawn_file_actions_t *files, int fd, const char *path)
{
    int flags = fd == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
    assert_int_equal(path == NULL ? posix_spawn_file_actions_addclose(files, fd)
                                  : posix_spawn_file_actions_addopen(files, fd, path, flags, 0600),
                     0);
}

static pid_t spawn(const char *line, const char *input, const char *out, const char *err)
{
    extern char **environ;
    char text[4096];
    char *argv[MAX_ARGS];
    posix_spawn_file_actions_t files;
    pid_t pid = -1;
    expand(line, text, sizeof text);
    split(text, argv);
    assert_int_equal(posix_spawn_file_actions_init(&files), 0);
    redirect(&files, 0, input);
    redirect(&files, 1, out);
    redirect(&files, 2, err);
    assert_int_equal(posix_spawn(&pid, place.program, &files, NULL, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&files);
    return pid;
}

int run_wait(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return -1;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

run_output run(const char *line, const char *input)
{
    char in[PATH_SIZE] = "/dev/null", out[PATH_SIZE], err[PATH_SIZE];
    run_output o = {.status = -1};
    if (input != NULL) {
        path_of(input, in);
    }
    path_of("run.out", out);
    path_of("run.err", err);
    o.status = run_wait(spawn(line, in, out, err));
    o.out = run_read("run.out", &o.out_len);
    o.err = run_read("run.err", NULL);
    return o;
}

run_output run_closed(const char *line, int closed)
{
    char out[PATH_SIZE], err[PATH_SIZE];
    run_output o = {.status = -1};
    path_of("run.out", out);
    path_of("run.err", err);
    run_write("run.out", "", 0);
    run_write("run.err", "", 0);
    o.status = run_wait(spawn(line, (closed & RUN_STDIN) != 0 ? NULL : "/dev/null",
                              (closed & RUN_STDOUT) != 0 ? NULL : out, (closed & RUN_STDERR) != 0 ? NULL : err));
    o.out = run_read("run.out", &o.out_len);
    o.err = run_read("run.err", NULL);
    return o;
}

void run_free(run_output *o)
{
    free(o->out);
    free(o->err);
    *o = (run_output){0};
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

void run_holds(const char *what, const char *text, const char *wanted)
{
    if (wanted == NULL) {
        return;
    }
    bool absent = wanted[0] == '!';
    if ((strstr(text, absent ? wanted + 1 : wanted) == NULL) != absent) {
        fail_msg("%s %s \"%s\":\n%s", what, absent ? "holds" : "lacks", absent ? wanted + 1 : wanted, text);
    }
}

static void check_stdout(const run_row *r, const run_output *o)
{
    if (r->out == NULL && o->out_len != 0) {
        fail_msg("stdout is data, and this is not:\n%s", o->out);
    }
    if (r->out == NULL || strcmp(r->out, "=") != 0) {
        run_holds("stdout", o->out, r->out);
        return;
    }
    size_t len = 0;
    char *sent = run_read(r->input, &len);
    assert_int_equal(o->out_len, len);
    assert_memory_equal(o->out, sent, len);
    free(sent);
}

void run_row_test(void **state)
{
    const run_row *r = *state;
    if (strstr(r->line, "{v}") != NULL && place.vectors[0] == 0) {
        skip();
    }
    run_output o = run(r->line, r->input);
    if (o.status != r->status) {
        fail_msg("exit status %d instead of %d:\n%s", o.status, r->status, o.err);
    }
    check_stdout(r, &o);
    for (size_t i = 0; i < 3; i++) {
        run_holds("stderr", o.err, r->err[i]);
    }
    run_free(&o);
}

/* ---- in the background ------------------------------------------------------------------------------------------- */

pid_t run_start(const char *line, const char *name)
{
    char out[PATH_SIZE], err[PATH_SIZE], file[64];
    (void)snprintf(file, sizeof file, "%s.out", name);
    path_of(file, out);
    (void)snprintf(file, sizeof file, "%s.err", name);
    path_of(file, err);
    return spawn(line, "/dev/null", out, err);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

char *run_read(const char *name, size_t *len)
{
    char path[PATH_SIZE];
    path_of(name, path);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t cap = 4 * 1024 * 1024, n = 0;
    char *text = malloc(cap);
    assert_non_null(text);
    n = fread(text, 1, cap - 1, f);
    assert_true(n < cap - 1);
    (void)fclose(f);
    text[n] = 0;
    if (len != NULL) {
        *len = n;
    }
    return text;
}

void run_write(const char *name, const void *data, size_t len)
{
    char path[PATH_SIZE];
    path_of(name, path);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

const atls_json *run_json(const run_output *o, atls_arena *a)
{
    atls_error err = {0};
    const atls_json *tree = NULL;
    assert_true(o->out_len > 2 && o->out[o->out_len - 1] == '\n');
    if (!atls_json_parse(atls_bytes_of(o->out, o->out_len - 1), "stdout", a, &tree, &err)) {
        fail_msg("stdout is not one JSON object: %s", err.message);
    }
    assert_int_equal(tree->type, ATLS_JSON_OBJECT);
    return tree;
}

const char *run_json_text(const atls_json *tree, const char *path, atls_arena *a)
{
    atls_error err = {0};
    char word[64];
    while (tree != NULL && path[0] != 0) {
        size_t n = strcspn(path, ".");
        assert_true(n < sizeof word);
        memcpy(word, path, n);
        word[n] = 0;
        tree = atls_json_find(tree, word);
        path += path[n] == '.' ? n + 1 : n;
    }
    if (tree == NULL) {
        return "";
    }
    const char *text = atls_text_copy(tree->type == ATLS_JSON_STRING ? tree->text : tree->raw, a, &err);
    return text == NULL ? "" : text;
}

void run_wait_port(const char *out)
{
    const struct timespec pause = {.tv_nsec = 50000000};
    for (int i = 0; i < 400; i++) {
        char *text = run_read(out, NULL);
        char *end = strchr(text, '\n');
        const bool there = end != NULL && strncmp(text, "127.0.0.1:", 10) == 0;
        if (there) {
            *end = 0;
            (void)snprintf(place.port, sizeof place.port, "%.7s", text + 10);
        }
        free(text);
        if (there) {
            return;
        }
        (void)nanosleep(&pause, NULL);
    }
    fail_msg("the server does not say where it is");
}
