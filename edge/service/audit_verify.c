/* SPDX-License-Identifier: Apache-2.0 */
/* audit_verify.c: checks a whole audit log from its first line. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_line.h"

#define FIELD       "audit"
#define BUFFER_SIZE ((size_t)16 * ATLS_AUDIT_MAX_LINE_LEN)

typedef struct reader {
    int fd;
    uint8_t *buffer; /* BUFFER_SIZE */
    size_t len;      /* what was read, and is not a whole line yet */
    bool is_end;
} reader;

static bool fail_system(atls_error *err, const char *what, int reason)
{
    char words[96] = "";
    if (strerror_r(reason, words, sizeof words) != 0) {
        words[0] = '\0';
    }
    (void)atls_fail(err, ATLS_E_IO, FIELD, "%s: %s", what, words);
    return false;
}

static bool fill(reader *r, atls_error *err)
{
    ssize_t n = -1;
    do {
        n = read(r->fd, r->buffer + r->len, BUFFER_SIZE - r->len);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return fail_system(err, "the audit log cannot be read", errno);
    }
    r->is_end = n == 0;
    r->len += (size_t)n;
    return true;
}

/* Takes the whole lines out of the buffer. */
static bool take_lines(reader *r, atls_audit_chain *c, atls_error *err)
{
    size_t from = 0;
    const uint8_t *end = NULL;
    while ((end = memchr(r->buffer + from, '\n', r->len - from)) != NULL) {
        const size_t n = (size_t)(end - r->buffer) - from;
        if (!atls_audit_chain_add(c, atls_bytes_of(r->buffer + from, n), err)) {
            return false;
        }
        from += n + 1;
    }
    memmove(r->buffer, r->buffer + from, r->len - from);
    r->len -= from;
    if (r->len < BUFFER_SIZE) {
        return true;
    }
    c->report.bad_line = c->is_bad ? c->line : c->line + 1;
    return atls_fail(err, ATLS_E_LIMIT, FIELD, "a line has at most 4095 bytes, this one more than %zu", r->len);
}

static bool verify(reader *r, atls_audit_chain *c, atls_error *err)
{
    while (!r->is_end) {
        if (!fill(r, err) || !take_lines(r, c, err)) {
            return false;
        }
    }
    return atls_audit_chain_end(c, atls_bytes_of(r->buffer, r->len), err);
}

static bool open_reader(const char *path, reader *out, atls_error *err)
{
    struct stat st;
    *out = (reader){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (out->fd < 0) {
        return fail_system(err, "the audit log cannot be opened", errno);
    }
    if (fstat(out->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(out->fd);
        (void)atls_fail(err, ATLS_E_IO, FIELD, "the audit log is no regular file");
        return false;
    }
    out->buffer = malloc(BUFFER_SIZE);
    if (out->buffer == NULL) {
        (void)close(out->fd);
        (void)atls_fail(err, ATLS_E_MEMORY, FIELD, NULL);
        return false;
    }
    return true;
}

bool atls_audit_verify(const char *path, atls_audit_report *out, atls_error *err)
{
    return atls_audit_verify_head(path, NULL, out, err);
}

bool atls_audit_verify_head(const char *path, const uint8_t head[ATLS_AUDIT_DIGEST_LEN], atls_audit_report *out,
                            atls_error *err)
{
    reader r;
    atls_arena arena = {.base = NULL};
    atls_crypto *crypto = NULL;
    atls_audit_chain chain;
    *out = (atls_audit_report){.n_lines = 0};
    if (!open_reader(path, &r, err)) {
        return false;
    }
    bool ok = atls_arena_new(&arena, ATLS_AUDIT_READ_SIZE, err) && atls_crypto_new(&crypto, err);
    if (ok) {
        atls_audit_chain_init(&chain, crypto, &arena, false);
        chain.wanted = head;
        ok = verify(&r, &chain, err);
        *out = chain.report;
    }
    atls_crypto_free(crypto);
    atls_arena_free(&arena);
    free(r.buffer);
    (void)close(r.fd);
    return ok;
}
