/* SPDX-License-Identifier: Apache-2.0 */
/* endorse_pack.c: one signed bundle out of files and folders, and the key that signs it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "endorse.h"
#include "files.h"
#include "object.h"
#include "values.h"

#define MAX_KEY_FILE ((size_t)4096)

typedef struct words {
    const char *key, *output, *sequence, *made, *not_older, *fetched, *expires;
    cli_list endorsements, keys;
    cli_list operands;
} words;

typedef struct job {
    atls_arena arena;
    atls_bytes private_pem;
    atls_bundle_pieces pieces;
    uint64_t sequence;
    atls_time made;
    atls_bytes out;
} job;

static cli_parsed parse(int argc, char *const argv[], words *w, atls_error *err)
{
    const cli_option options[] = {
        {"endorsements", 'e', "PATH", "bundle, certificates and lists, a folder, a status list; may be given again",
         .list = &w->endorsements},
        {"key", 'k', "FILE", "private key (Ed25519, PEM) that signs", .text = &w->key},
        {"output", 'o', "FILE", "the bundle; - is stdout", .text = &w->output},
        {"sequence", 0, "NUMBER", "higher than that of every earlier bundle (seconds of --made)", .text = &w->sequence},
        {"made", 0, "TIME", "date of the bundle, YYYY-MM-DDTHH:MM:SSZ (now)", .text = &w->made},
        {"status-fetched", 0, "TIME", "when the status list was fetched (not known)", .text = &w->fetched},
        {"status-expires", 0, "TIME", "until when it may be used (an hour after that)", .text = &w->expires},
        {"not-older", 0, "FILE", "the bundle before: refuse to make one that is not newer", .text = &w->not_older},
        {"bundle-key", 0, "FILE", "public key (PEM) of signed bundles among the endorsements", .list = &w->keys},
    };
    const cli_usage usage = {
        .verb = "endorse pack",
        .operands = "",
        .summary = "Packs endorsements into one bundle and signs it. Of two pieces about one subject the one that was\n"
                   "issued later is taken. Nothing is verified: atls endorse verify does that.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static bool read_sequence(const char *word, atls_time made, uint64_t *out, atls_error *err)
{
    uint64_t value = 0;
    *out = (uint64_t)made;
    if (word == NULL) {
        return true;
    }
    for (const char *c = word; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || value > UINT64_MAX / 10 - 1) {
            return atls_fail(err, ATLS_E_USAGE, "--sequence", "wants a number, 1 to 2^53 - 1");
        }
        value = value * 10 + (uint64_t)(*c - '0');
    }
    *out = value;
    return word[0] != '\0' || atls_fail(err, ATLS_E_USAGE, "--sequence", "wants a number, 1 to 2^53 - 1");
}

static bool check_words(const words *w, atls_error *err)
{
    if (w->key == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--key", "required: atls endorse keygen makes one");
    }
    if (w->output == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "--output", "required");
    }
    return w->endorsements.n > 0 || atls_fail(err, ATLS_E_USAGE, "--endorsements", "required: what is to be packed");
}

/* The dates are of the list in a file: those of a signed bundle are in it. */
static bool date_status(const words *w, job *j, atls_error *err)
{
    atls_android_status s = {.list = atls_bytes_empty()};
    if (w->fetched == NULL && w->expires == NULL) {
        return true;
    }
    if ((w->fetched != NULL && !cli_time(w->fetched, "--status-fetched", &s.fetched, err))
        || (w->expires != NULL && !cli_time(w->expires, "--status-expires", &s.expires, err))) {
        return false;
    }
    for (size_t i = 0; i < j->pieces.n; i++) {
        if (strcmp(j->pieces.items[i].kind, "android.status") == 0 && j->pieces.items[i].n_parts == 1) {
            s.list = j->pieces.items[i].parts[0];
        }
    }
    if (s.list.len == 0) {
        return atls_fail(err, ATLS_E_USAGE, w->fetched != NULL ? "--status-fetched" : "--status-expires",
                         "there is no status list without dates among the endorsements");
    }
    const atls_endorsements e = {.android = s};
    return atls_bundle_add(&j->pieces, &e, err);
}

static bool load(const words *w, job *j, atls_error *err)
{
    if (!check_words(w, err) || !cli_time(w->made, "--made", &j->made, err)
        || !read_sequence(w->sequence, j->made, &j->sequence, err)
        || !cli_read(w->key, "--key", MAX_KEY_FILE, &j->arena, &j->private_pem, err)) {
        return false;
    }
    atls_bundle_pieces_init(&j->pieces, &j->arena);
    for (size_t i = 0; i < w->endorsements.n; i++) {
        if (!cli_pieces_add(w->endorsements.items[i], "--endorsements", &w->keys, false, &j->arena, &j->pieces, NULL,
                            err)) {
            return false;
        }
    }
    return date_status(w, j, err);
}

/* Against the bundle before, which must be of the same key: the memory of verifiers goes by keys. */
static bool is_newer(const words *w, job *j, atls_error *err)
{
    atls_bytes file;
    atls_bundle before;
    atls_bundle ours;
    atls_bundle_key key;
    if (w->not_older == NULL) {
        return true;
    }
    if (!atls_bundle_open_insecure_unsigned(j->out, &j->arena, &ours, err)
        || !cli_read(w->not_older, "--not-older", (size_t)ATLS_BUNDLE_MAX_LEN, &j->arena, &file, err)) {
        return false;
    }
    memcpy(key.raw, ours.signer, sizeof key.raw);
    if (!atls_bundle_open(file, &key, 1, &j->arena, &before, err)) {
        return false;
    }
    if (j->sequence > before.sequence && j->made >= before.made) {
        return true;
    }
    return atls_fail(err, ATLS_E_BUNDLE_OLDER, "bundle.sequence", "%s has sequence %llu, and this one would have %llu",
                     w->not_older, (unsigned long long)before.sequence, (unsigned long long)j->sequence);
}

static bool pack(const words *w, job *j, atls_error *err)
{
    if (!atls_bundle_pack(&j->pieces, j->sequence, j->made, j->private_pem, &j->out, err)) {
        return err->code == ATLS_E_USAGE && strcmp(err->field, "key") == 0 ? atls_error_relabel(err, err->code, "--key")
                                                                           : false;
    }
    return is_newer(w, j, err) && cli_write_path(w->output, "--output", j->out, err);
}

int cli_endorse_pack(int argc, char *const argv[])
{
    atls_error err = {.code = ATLS_OK};
    words w = {.key = NULL};
    job j = {.sequence = 0};
    const cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return cli_unparsed(parsed, "endorse pack", &err);
    }
    const bool ok = atls_arena_new(&j.arena, CLI_ARENA_SIZE, &err) && load(&w, &j, &err) && pack(&w, &j, &err);
    if (ok) {
        (void)fprintf(stderr, "%zu pieces, sequence %llu, made ", j.pieces.n, (unsigned long long)j.sequence);
        cli_put_time(stderr, j.made);
        (void)fputc('\n', stderr);
    }
    atls_arena_free(&j.arena); /* wipes the key's file */
    return ok ? 0 : cli_report("endorse pack", &err);
}

/* ---- keys ---- */

typedef struct key_words {
    const char *key, *public_key;
    cli_list operands;
} key_words;

static bool fail_key(const char *path, const char *field, int reason, atls_error *err)
{
    return atls_fail(err, ATLS_E_USAGE, field, "%s: %s", path, strerror(reason));
}

/* A key is never written over: bundles of the old one would be without their signer. */
static bool open_new(const char *path, const char *field, mode_t mode, int *fd, atls_error *err)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    return *fd >= 0 || fail_key(path, field, errno, err);
}

static bool fill(int fd, const char *path, const char *field, atls_bytes data, atls_error *err)
{
    size_t done = 0;
    int reason = 0;
    while (done < data.len && reason == 0) {
        const ssize_t n = write(fd, data.ptr + done, data.len - done);
        reason = n < 0 && errno != EINTR ? errno : 0;
        done += n > 0 ? (size_t)n : 0;
    }
    if (close(fd) != 0 && reason == 0) {
        reason = errno;
    }
    return reason == 0 || fail_key(path, field, reason, err);
}

/* Both halves, or neither: both names are ours before a byte is written, and half a key is taken away again. */
static bool write_pair(const key_words *w, atls_bytes private_pem, atls_bytes public_pem, atls_error *err)
{
    int key = -1;
    int public_key = -1;
    if (!open_new(w->key, "--key", 0600, &key, err)) {
        return false;
    }
    if (!open_new(w->public_key, "--public", 0644, &public_key, err)) {
        (void)close(key);
        (void)unlink(w->key);
        return false;
    }
    const bool has_key = fill(key, w->key, "--key", private_pem, err);
    const bool has_both = fill(public_key, w->public_key, "--public", public_pem, err) && has_key;
    if (!has_both) {
        (void)unlink(w->key);
        (void)unlink(w->public_key);
    }
    return has_both;
}

static bool make_key(const key_words *w, atls_arena *a, atls_error *err)
{
    uint8_t seed[32] = {0};
    atls_bytes private_pem;
    atls_bytes public_pem;
    if (w->key == NULL || w->public_key == NULL) {
        return atls_fail(err, ATLS_E_USAGE, w->key == NULL ? "--key" : "--public", "required");
    }
    const bool ok = cli_random(seed, sizeof seed, err) && atls_bundle_key_pair(seed, a, &private_pem, &public_pem, err)
                    && write_pair(w, private_pem, public_pem, err);
    atls_wipe(seed, sizeof seed);
    return ok;
}

int cli_endorse_keygen(int argc, char *const argv[])
{
    atls_error err = {.code = ATLS_OK};
    key_words w = {.key = NULL};
    atls_arena a = {0};
    const cli_option options[] = {
        {"key", 'k', "FILE", "the private key (Ed25519, PEM, mode 0600)", .text = &w.key},
        {"public", 0, "FILE", "the public key (PEM), for --bundle-key", .text = &w.public_key},
    };
    const cli_usage usage = {
        .verb = "endorse keygen",
        .operands = "",
        .summary =
            "Makes a key that signs bundles. Files that are there are not overwritten: both are made, or neither.\n"
            "openssl genpkey makes the same.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    const cli_parsed parsed = cli_parse(&usage, argc, argv, &w.operands, &err);
    if (parsed != CLI_PARSE_RUN) {
        return cli_unparsed(parsed, "endorse keygen", &err);
    }
    const bool ok = atls_arena_new(&a, (size_t)64 * 1024, &err) && make_key(&w, &a, &err);
    atls_arena_free(&a);
    return ok ? 0 : cli_report("endorse keygen", &err);
}
