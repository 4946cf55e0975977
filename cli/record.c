/* SPDX-License-Identifier: Apache-2.0 */
/* record.c: recordings go into files, whole or not at all. */
#include "record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"

#define MAX_NAME_LEN 96

/* ---- the place ---- */

static bool fail_path(atls_error *err, atls_code code, const char *path, int reason)
{
    return atls_fail(err, code, "--record", "%s: %s", path, strerror(reason));
}

static bool open_folder(cli_record *r, const char *path, atls_error *err)
{
    r->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return r->dir >= 0 || fail_path(err, ATLS_E_USAGE, path, errno);
}

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* A file's folder, and its name in there. */
static bool open_file(cli_record *r, const char *path, atls_arena *arena, atls_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash == NULL   ? "."
                         : slash == path ? "/"
                                         : atls_text_copy(atls_bytes_of(path, (size_t)(slash - path)), arena, err);
    r->name = slash == NULL ? path : slash + 1;
    if (folder == NULL) {
        return false;
    }
    if (r->name[0] == '\0' || strlen(r->name) > MAX_NAME_LEN) {
        return atls_fail(err, ATLS_E_USAGE, "--record", "%s: not the name of a file", path);
    }
    return open_folder(r, folder, err);
}

bool cli_record_open(cli_record *r, atls_arena *arena, atls_error *err)
{
    r->dir = -1;
    if (r->path != NULL && r->failures != NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--record", "give one of --record and --record-failures");
    }
    if (r->failures != NULL) {
        if (mkdir(r->failures, 0700) != 0 && errno != EEXIST) {
            return fail_path(err, ATLS_E_USAGE, r->failures, errno);
        }
        return open_folder(r, r->failures, err);
    }
    if (r->path == NULL) {
        return true;
    }
    return is_folder(r->path) ? open_folder(r, r->path, err) : open_file(r, r->path, arena, err);
}

/* ---- names ---- */

static const char *verdict_of(const atls_record *record, bool is_accepted, atls_arena *arena)
{
    const atls_record_member *result = atls_record_find(record, "result");
    const atls_json *tree = NULL;
    atls_error ignored = {0};
    if (is_accepted) {
        return "accepted";
    }
    if (result == NULL || !atls_json_parse(result->bytes, "result", arena, &tree, &ignored)) {
        return "rejected";
    }
    const atls_json *verdict = atls_json_find(tree, "verdict");
    return verdict != NULL && atls_bytes_equal_str(verdict->text, "undecided") ? "undecided" : "rejected";
}

/* 20260615T120000Z-rejected-0123456789abcdef.atlsrec */
static bool name_by_content(atls_bytes file, bool is_accepted, atls_arena *arena, char out[MAX_NAME_LEN + 1],
                            atls_error *err)
{
    atls_record record;
    char at[ATLS_TIME_TEXT_SIZE];
    char compact[ATLS_TIME_TEXT_SIZE];
    char digest[17];
    size_t n = 0;
    if (!atls_record_open(file, arena, &record, err)) {
        return false;
    }
    const atls_record_member *time = atls_record_find(&record, "at");
    atls_time_format(time == NULL ? ATLS_TIME_UNSET : (atls_time)time->number, at);
    for (const char *c = at; *c != '\0'; c++) {
        if (*c != '-' && *c != ':') {
            compact[n++] = *c;
        }
    }
    compact[n] = '\0';
    atls_hex_encode(atls_bytes_of(record.sha256, 8), digest);
    (void)snprintf(out, MAX_NAME_LEN + 1, "%s-%s-%s" CLI_RECORDING_SUFFIX, compact,
                   verdict_of(&record, is_accepted, arena), digest);
    return true;
}

static bool is_recording(const char *name)
{
    const size_t len = strlen(name);
    const size_t suffix = sizeof CLI_RECORDING_SUFFIX - 1;
    return len > suffix && strcmp(name + len - suffix, CLI_RECORDING_SUFFIX) == 0;
}

static bool has_room(const cli_record *r, atls_error *err)
{
    size_t n = 0;
    const int copy = openat(r->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        const int reason = errno;
        if (copy >= 0) {
            (void)close(copy);
        }
        return fail_path(err, ATLS_E_IO, "the folder", reason);
    }
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        n += is_recording(e->d_name) ? 1 : 0;
    }
    (void)closedir(dir);
    return n < CLI_MAX_RECORDINGS
           || atls_fail(err, ATLS_E_LIMIT, "--record", "the folder holds %u recordings already: remove some",
                        CLI_MAX_RECORDINGS);
}

/* ---- writing ---- */

/* Gives 0 or an errno value. */
static int write_all(int fd, atls_bytes data)
{
    size_t done = 0;
    while (done < data.len) {
        const ssize_t n = write(fd, data.ptr + done, data.len - done);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

static bool write_file(const cli_record *r, const char *name, atls_bytes data, atls_error *err)
{
    char beside[MAX_NAME_LEN + 32];
    (void)snprintf(beside, sizeof beside, ".%s.%ld", name, (long)getpid());
    (void)unlinkat(r->dir, beside, 0); /* of a process of that number that was killed */
    const int fd = openat(r->dir, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_path(err, ATLS_E_IO, name, errno);
    }
    int reason = write_all(fd, data);
    if (close(fd) != 0 && reason == 0) {
        reason = errno;
    }
    if (reason == 0 && renameat(r->dir, beside, r->dir, name) != 0) {
        reason = errno;
    }
    if (reason != 0) {
        (void)unlinkat(r->dir, beside, 0);
        return fail_path(err, ATLS_E_IO, name, reason);
    }
    return true;
}

static bool keep(const cli_record *r, atls_bytes record, bool is_accepted, atls_arena *arena, atls_error *err)
{
    char by_content[MAX_NAME_LEN + 1];
    const char *name = r->name;
    if (name == NULL) {
        if (!has_room(r, err) || !name_by_content(record, is_accepted, arena, by_content, err)) {
            return false;
        }
        name = by_content;
    }
    if (!write_file(r, name, record, err)) {
        return false;
    }
    if (!r->quiet) {
        const char *folder = r->failures != NULL ? r->failures : r->path;
        (void)fprintf(stderr, "recorded: %s%s%s\n", folder, r->name == NULL ? "/" : "", r->name == NULL ? name : "");
    }
    return true;
}

static void take(void *ctx, atls_bytes record, bool is_accepted, const atls_error *why)
{
    cli_record *r = ctx;
    atls_arena arena = {0};
    atls_error err = {0};
    if (why != NULL) {
        err = *why;
    } else if (atls_arena_new(&arena, CLI_ARENA_SIZE, &err)) {
        (void)keep(r, record, is_accepted, &arena, &err);
    }
    atls_arena_free(&arena);
    if (err.code != ATLS_OK && r->err.code == ATLS_OK) {
        r->err = err;
    }
}

atls_record_options cli_record_options(cli_record *r)
{
    return (atls_record_options){
        .when = r->path != NULL       ? ATLS_RECORD_ALWAYS
                : r->failures != NULL ? ATLS_RECORD_ON_FAILURE
                                      : ATLS_RECORD_NEVER,
        .write = take,
        .ctx = r,
    };
}

bool cli_record_appraise(cli_record *r, const atls_verifier *v, const atls_appraisal *in, atls_arena *arena,
                         atls_result *out, atls_error *err)
{
    const atls_record_when when = cli_record_options(r).when;
    atls_recorder *recorder = NULL;
    atls_bytes record = atls_bytes_empty();
    atls_error why = {0};
    if (when == ATLS_RECORD_NEVER) {
        return atls_verifier_appraise(v, in, arena, out, err);
    }
    const bool ok = atls_recorder_new(arena, &recorder, &why) ? atls_recorder_appraise(recorder, v, in, arena, out, err)
                                                              : atls_verifier_appraise(v, in, arena, out, err);
    if (when == ATLS_RECORD_ON_FAILURE && ok) {
        return ok;
    }
    const bool recorded = recorder != NULL && atls_recorder_finish(recorder, &record, &why);
    take(r, record, ok, recorded ? NULL : &why);
    return ok;
}

int cli_record_end(cli_record *r, const char *verb, int status)
{
    if (r->dir >= 0) {
        (void)close(r->dir);
    }
    r->dir = -1;
    if (r->err.code == ATLS_OK) {
        return status;
    }
    const int ours = cli_report(verb, &r->err);
    return status == 0 ? ours : status;
}
