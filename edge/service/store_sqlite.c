/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite.c: a store in a file of SQLite's, for the processes of one machine.
 *
 * Write-ahead log with synchronous=FULL: a commit returns when the log is flushed, so what was called fresh stays used when the
 * power fails (with NORMAL, SQLite's usual advice for this mode, the last commits may be gone afterwards). A nonce is used up by
 * one UPDATE that still finds it unused, inside BEGIN IMMEDIATE; it is FRESH when COMMIT has succeeded, and not before. One
 * connection a process, one call at a time: SQLite lets one write at a time in any case. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "edge/tls/clock.h"
#include "store_kind.h"
#include "turn.h"

#define FIELD          "store"
#define APPLICATION_ID 0x61746c73 /* "atls" */
#define TEXT(x)        #x
#define TEXT_OF(x)     TEXT(x)

/* In the order of this list. */
typedef enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    FIND,
    USE,
    ADD,
    SWEEP,
    HELD,
    COUNT,
    PING,
    N_STATEMENTS,
} statement;

static const char sweep_text[] = "DELETE FROM challenge WHERE digest IN"
                                 " (SELECT digest FROM challenge WHERE expires < ?1 ORDER BY expires LIMIT ?2)";

static const char *const texts[N_STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [FIND] = "SELECT used, expires FROM challenge WHERE digest = ?1",
    [USE] = "UPDATE challenge SET used = 1 WHERE digest = ?1 AND used = 0 AND expires >= ?2",
    [ADD] = "INSERT INTO challenge (digest, expires, used) VALUES (?1, ?2, 0)",
    [SWEEP] = sweep_text,
    [HELD] = "SELECT n FROM held",
    [COUNT] = "SELECT (SELECT count(*) FROM challenge WHERE used = 0 AND expires >= ?1), n FROM held",
    [PING] = "SELECT 1 FROM held",
};

/* held.n is the number of rows, kept by triggers within each transaction: counting would read them all. */
static const char schema[] =
    "CREATE TABLE challenge (digest BLOB PRIMARY KEY, expires INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX challenge_by_expiry ON challenge (expires, used);"
    "CREATE TABLE held (n INTEGER NOT NULL);"
    "INSERT INTO held VALUES (0);"
    "CREATE TRIGGER challenge_added AFTER INSERT ON challenge BEGIN UPDATE held SET n = n + 1; END;"
    "CREATE TRIGGER challenge_gone AFTER DELETE ON challenge BEGIN UPDATE held SET n = n - 1; END;"
    "PRAGMA application_id = " TEXT_OF(APPLICATION_ID) ";"
                                                       "PRAGMA user_version = 1;";

typedef struct sqlite {
    atls_turn turn;
    sqlite3 *db;
    sqlite3_stmt *statements[N_STATEMENTS];
    uint32_t max;
    uint32_t timeout_ms;
    int64_t keep_ms;
} sqlite;

static bool fail_sqlite(sqlite3 *db, const char *what, atls_error *err)
{
    (void)atls_fail(err, ATLS_E_ENROL_STORE, FIELD, "%s: %s", what, db == NULL ? "no memory" : sqlite3_errmsg(db));
    err->retry = true;
    return false;
}

/* ---- statements ------------------------------------------------------------------------------------------------------------ */

/* Runs a statement that gives no rows; *n_changed may be NULL. */
static bool run(sqlite *s, statement which, int *n_changed, atls_error *err)
{
    sqlite3_stmt *st = s->statements[which];
    const int code = sqlite3_step(st);
    if (n_changed != NULL) {
        *n_changed = sqlite3_changes(s->db);
    }
    const bool ok = code == SQLITE_DONE || fail_sqlite(s->db, texts[which], err);
    (void)sqlite3_reset(st);
    return ok;
}

static bool bind_digest(sqlite *s, statement which, const uint8_t *digest, atls_error *err)
{
    return sqlite3_bind_blob(s->statements[which], 1, digest, (int)ATLS_CHALLENGE_DIGEST_LEN, SQLITE_TRANSIENT)
               == SQLITE_OK
           || fail_sqlite(s->db, "a statement", err);
}

static bool bind_number(sqlite *s, statement which, int place, int64_t number, atls_error *err)
{
    return sqlite3_bind_int64(s->statements[which], place, number) == SQLITE_OK
           || fail_sqlite(s->db, "a statement", err);
}

/* A row of up to two numbers; *found is false when there is none. */
static bool ask(sqlite *s, statement which, bool *found, int64_t out[static 2], atls_error *err)
{
    sqlite3_stmt *st = s->statements[which];
    const int code = sqlite3_step(st);
    *found = code == SQLITE_ROW;
    for (int i = 0; *found && i < 2 && i < sqlite3_column_count(st); i++) {
        out[i] = sqlite3_column_int64(st, i);
    }
    const bool ok = *found || code == SQLITE_DONE || fail_sqlite(s->db, texts[which], err);
    (void)sqlite3_reset(st);
    return ok;
}

/* After a failure, or a commit that did not succeed: nothing of it is left. */
static bool give_up(sqlite *s)
{
    atls_error unheard = {.code = ATLS_OK};
    if (sqlite3_get_autocommit(s->db) == 0) {
        (void)run(s, ROLLBACK, NULL, &unheard);
    }
    return false;
}

static bool enter(sqlite *s, uint32_t *slot, atls_error *err)
{
    const uint64_t deadline = atls_clock_ms() + s->timeout_ms;
    if (!atls_turn_take(&s->turn, deadline, slot, err)) {
        return false;
    }
    const uint64_t now = atls_clock_ms();
    (void)sqlite3_busy_timeout(s->db, now < deadline ? (int)(deadline - now) : 1);
    return true;
}

/* ---- the kind -------------------------------------------------------------------------------------------------------------- */

static bool sweep(sqlite *s, int64_t before_ms, atls_error *err)
{
    return bind_number(s, SWEEP, 1, before_ms, err) && bind_number(s, SWEEP, 2, ATLS_CHALLENGE_SWEEP, err)
           && run(s, SWEEP, NULL, err);
}

static bool count_held(sqlite *s, uint64_t *out, atls_error *err)
{
    bool found = false;
    int64_t row[2] = {0, 0};
    if (!ask(s, HELD, &found, row, err)) {
        return false;
    }
    *out = (uint64_t)row[0];
    return (found && row[0] >= 0) || atls_fail(err, ATLS_E_ENROL_STORE, FIELD, "the file has lost count");
}

/* Room for one more: *has_room says whether there is. */
static bool make_room(sqlite *s, int64_t now_ms, bool *has_room, atls_error *err)
{
    uint64_t held = 0;
    if (!sweep(s, now_ms - s->keep_ms, err) || !count_held(s, &held, err)) {
        return false;
    }
    if (held >= s->max && (!sweep(s, now_ms, err) || !count_held(s, &held, err))) {
        return false;
    }
    *has_room = held < s->max;
    return true;
}

static bool add(sqlite *s, const uint8_t *digest, int64_t expires_ms, atls_error *err)
{
    if (!bind_digest(s, ADD, digest, err) || !bind_number(s, ADD, 2, expires_ms, err)) {
        return false;
    }
    const int code = sqlite3_step(s->statements[ADD]);
    const bool ok = code == SQLITE_DONE || (code == SQLITE_CONSTRAINT_PRIMARYKEY && atls_challenge_twice(err))
                    || fail_sqlite(s->db, texts[ADD], err);
    (void)sqlite3_reset(s->statements[ADD]);
    return ok;
}

static bool insert(sqlite *s, const uint8_t *digest, int64_t now_ms, int64_t expires_ms, bool *is_full, atls_error *err)
{
    bool has_room = false;
    if (!run(s, BEGIN, NULL, err)) {
        return false;
    }
    if (!make_room(s, now_ms, &has_room, err) || (has_room && !add(s, digest, expires_ms, err))
        || !run(s, COMMIT, NULL, err)) {
        return give_up(s);
    }
    return has_room || atls_challenge_full(is_full, err);
}

static bool sqlite_insert(void *self, const uint8_t digest[static ATLS_CHALLENGE_DIGEST_LEN], int64_t now_ms,
                          int64_t expires_ms, bool *is_full, atls_error *err)
{
    sqlite *s = self;
    uint32_t slot = 0;
    if (!enter(s, &slot, err)) {
        return false;
    }
    const bool ok = insert(s, digest, now_ms, expires_ms, is_full, err);
    atls_turn_give(&s->turn, slot);
    return ok;
}

static bool look(sqlite *s, const uint8_t *digest, int64_t now_ms, atls_consumed *out, atls_error *err)
{
    bool found = false;
    int64_t row[2] = {1, 0};
    if (!bind_digest(s, FIND, digest, err) || !ask(s, FIND, &found, row, err)) {
        return false;
    }
    *out = ATLS_CONSUMED_FRESH;
    if (!found) {
        *out = ATLS_CONSUMED_UNKNOWN;
    } else if (row[0] != 0) {
        *out = ATLS_CONSUMED_USED;
    } else if (now_ms > row[1]) {
        *out = ATLS_CONSUMED_EXPIRED;
    }
    return true;
}

/* Inventions, replays and late ones, of which anybody can send many, only read: they cost no flush, and keep nobody from writing. */
static bool consume(sqlite *s, const uint8_t *digest, int64_t now_ms, atls_consumed *out, atls_error *err)
{
    int n_changed = 0;
    if (!look(s, digest, now_ms, out, err)) {
        return false;
    }
    if (*out != ATLS_CONSUMED_FRESH) {
        return true;
    }
    if (!run(s, BEGIN, NULL, err)) {
        return false;
    }
    if (!bind_digest(s, USE, digest, err) || !bind_number(s, USE, 2, now_ms, err) || !run(s, USE, &n_changed, err)) {
        return give_up(s);
    }
    if (n_changed != 1) { /* somebody else was quicker: what is it now? */
        (void)give_up(s);
        return look(s, digest, now_ms, out, err)
               && (*out != ATLS_CONSUMED_FRESH
                   || atls_fail(err, ATLS_E_ENROL_STORE, FIELD, "a challenge could not be used up"));
    }
    return run(s, COMMIT, NULL, err) || give_up(s);
}

static bool sqlite_consume(void *self, const uint8_t digest[static ATLS_CHALLENGE_DIGEST_LEN], int64_t now_ms,
                           atls_consumed *out, atls_error *err)
{
    sqlite *s = self;
    uint32_t slot = 0;
    if (!enter(s, &slot, err)) {
        return false;
    }
    const bool ok = consume(s, digest, now_ms, out, err);
    atls_turn_give(&s->turn, slot);
    return ok;
}

static bool sqlite_count(void *self, int64_t now_ms, atls_challenges_numbers *out, atls_error *err)
{
    sqlite *s = self;
    uint32_t slot = 0;
    bool found = false;
    int64_t row[2] = {0, 0};
    if (!enter(s, &slot, err)) {
        return false;
    }
    const bool ok = bind_number(s, COUNT, 1, now_ms, err) && ask(s, COUNT, &found, row, err);
    atls_turn_give(&s->turn, slot);
    *out = (atls_challenges_numbers){.outstanding = (uint64_t)row[0], .held = (uint64_t)row[1]};
    return ok;
}

static bool sqlite_ping(void *self, atls_error *err)
{
    sqlite *s = self;
    uint32_t slot = 0;
    bool found = false;
    int64_t row[2];
    if (!enter(s, &slot, err)) {
        return false;
    }
    const bool ok = ask(s, PING, &found, row, err);
    atls_turn_give(&s->turn, slot);
    return ok;
}

static void sqlite_shut(void *self)
{
    sqlite *s = self;
    for (size_t i = 0; i < N_STATEMENTS; i++) {
        (void)sqlite3_finalize(s->statements[i]);
    }
    (void)sqlite3_close(s->db);
    atls_turn_destroy(&s->turn);
    free(s);
}

const atls_challenge_kind atls_challenge_sqlite = {
    "sqlite", sqlite_insert, sqlite_consume, sqlite_count, sqlite_ping, sqlite_shut,
};

/* ---- opening ---------------------------------------------------------------------------------------------------------------- */

/* Made by ourselves, so that nobody else may write to it. An existing one is not opened here: to close it again would take away
 * the locks that another store of this process has on it (POSIX, fcntl). */
static bool check_file(const char *path, atls_error *err)
{
    struct stat st;
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)close(fd);
        return true;
    }
    if (errno != EEXIST || stat(path, &st) != 0) {
        char words[96] = "";
        const int reason = errno;
        (void)strerror_r(reason, words, sizeof words);
        (void)atls_fail(err, ATLS_E_ENROL_STORE, FIELD, "the file of the store cannot be opened: %s", words);
        return false;
    }
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        (void)atls_fail(err, ATLS_E_CONFIGURATION, FIELD,
                        "the file of the store is no regular file of this user's that only they may write");
        return false;
    }
    return true;
}

/* The first column of the first row, as text. */
static bool ask_text(sqlite *s, const char *text, char *out, size_t size, int *code)
{
    sqlite3_stmt *st = NULL;
    *code = sqlite3_prepare_v2(s->db, text, -1, &st, NULL);
    if (*code == SQLITE_OK) {
        *code = sqlite3_step(st);
    }
    const char *found = *code == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
    (void)snprintf(out, size, "%s", found == NULL ? "" : found);
    (void)sqlite3_finalize(st);
    return found != NULL;
}

static bool is_answer(sqlite *s, const char *text, const char *answer, int *code)
{
    char found[32];
    return ask_text(s, text, found, sizeof found, code) && strcmp(found, answer) == 0;
}

static bool make_tables(sqlite *s, int *code)
{
    *code = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (*code != SQLITE_OK) {
        return false;
    }
    if (is_answer(s, "SELECT count(*) FROM sqlite_master", "0", code)) {
        *code = sqlite3_exec(s->db, schema, NULL, NULL, NULL);
        if (*code == SQLITE_OK) {
            *code = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
        }
    }
    if (sqlite3_get_autocommit(s->db) == 0) {
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return *code == SQLITE_OK || *code == SQLITE_ROW;
}

static bool is_ours(sqlite *s, int *code)
{
    char id[32];
    (void)snprintf(id, sizeof id, "%d", APPLICATION_ID);
    return is_answer(s, "PRAGMA application_id", id, code) && is_answer(s, "PRAGMA user_version", "1", code);
}

/* Once; BUSY in *code when another process is at it as well. */
static bool set_up(sqlite *s, int *code, const char **what)
{
    *what = "it cannot be put into write-ahead mode (not on a network's file system)";
    if (!is_answer(s, "PRAGMA journal_mode = WAL", "wal", code)) {
        return false;
    }
    *what = "its commits cannot be made durable";
    *code = sqlite3_exec(s->db, "PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1;",
                         NULL, NULL, NULL);
    if (*code != SQLITE_OK || !is_answer(s, "PRAGMA synchronous", "2", code)) {
        return false;
    }
    *what = "it has no tables";
    if (!is_ours(s, code) && !make_tables(s, code)) {
        return false;
    }
    *what = "it is a database of something else's";
    return is_ours(s, code);
}

static bool is_busy(int code)
{
    return (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
}

static bool prepare(sqlite *s, atls_error *err)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    const uint64_t deadline = atls_clock_ms() + s->timeout_ms;
    int code = SQLITE_OK;
    const char *what = "";
    while (!set_up(s, &code, &what)) {
        if (!is_busy(code) || atls_clock_ms() >= deadline) {
            (void)atls_fail(err, ATLS_E_ENROL_STORE, FIELD, "the file of the store cannot be used: %s: %s", what,
                            sqlite3_errmsg(s->db));
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    for (size_t i = 0; i < N_STATEMENTS; i++) {
        if (sqlite3_prepare_v3(s->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL) != SQLITE_OK) {
            return fail_sqlite(s->db, "the file of the store cannot be used", err);
        }
    }
    return true;
}

static bool open_database(sqlite *s, const char *path, atls_error *err)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    if (!check_file(path, err)) {
        return false;
    }
    if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK) {
        return fail_sqlite(s->db, "the file of the store cannot be opened", err);
    }
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_busy_timeout(s->db, (int)s->timeout_ms);
    return prepare(s, err);
}

bool atls_challenge_sqlite_open(const atls_store_url *url, const atls_challenges_options *o, void **out,
                                atls_error *err)
{
    sqlite *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, FIELD, NULL);
        return false;
    }
    s->max = o->max_outstanding;
    s->timeout_ms = o->timeout_ms;
    s->keep_ms = o->keep_ms;
    if (sqlite3_threadsafe() == 0) {
        (void)atls_fail(err, ATLS_E_UNSUPPORTED, FIELD, "this SQLite was built without threads");
        free(s);
        return false;
    }
    if (!atls_turn_init(&s->turn, 1, err)) {
        free(s);
        return false;
    }
    if (!open_database(s, url->path, err)) {
        sqlite_shut(s);
        return false;
    }
    *out = s;
    return true;
}
