/* SPDX-License-Identifier: Apache-2.0 */
/* redis_link.c: sockets and deadlines. */
#include "redis_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "edge/tls/clock.h"

#define FIELD "store"

static bool fail(atls_error *err, const char *what, const char *why)
{
    (void)atls_fail(err, ATLS_E_ENROL_STORE, FIELD, "%s: %s", what, why);
    err->retry = true;
    return false;
}

static bool fail_system(atls_error *err, const char *what, int reason)
{
    char words[96] = "";
    if (strerror_r(reason, words, sizeof words) != 0) {
        words[0] = '\0';
    }
    return fail(err, what, words);
}

void atls_redis_word(atls_redis_command *c, const void *ptr, size_t len)
{
    if (c->n < ATLS_REDIS_MAX_WORDS) {
        c->words[c->n] = ptr;
        c->lens[c->n] = len;
    }
    c->n++;
}

void atls_redis_text(atls_redis_command *c, const char *text)
{
    atls_redis_word(c, text, strlen(text));
}

/* ---- waiting ---------------------------------------------------------------------------------------------------------------- */

static bool wait_for(const redisContext *c, short what, uint64_t deadline_ms, atls_error *err)
{
    for (;;) {
        const uint64_t now = atls_clock_ms();
        struct pollfd p = {.fd = c->fd, .events = what};
        const int n = now < deadline_ms ? poll(&p, 1, (int)(deadline_ms - now)) : 0;
        if (n > 0) {
            return true;
        }
        if (n == 0) {
            return fail(err, "Redis", "no answer in time");
        }
        if (errno != EINTR) {
            return fail_system(err, "Redis", errno);
        }
    }
}

static bool send_all(const redisContext *c, const char *ptr, size_t len, uint64_t deadline_ms, atls_error *err)
{
    size_t done = 0;
    while (done < len) {
        const ssize_t n = send(c->fd, ptr + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            done += (size_t)n;
        } else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
            return fail_system(err, "Redis cannot be written to", errno);
        } else if (!wait_for(c, POLLOUT, deadline_ms, err)) {
            return false;
        }
    }
    return true;
}

/* What has come goes to the reader. */
static bool receive(redisContext *c, size_t *total, uint64_t deadline_ms, atls_error *err)
{
    char buffer[4096];
    ssize_t n = -1;
    do {
        if (!wait_for(c, POLLIN, deadline_ms, err)) {
            return false;
        }
        n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    } while (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK));
    if (n < 0) {
        return fail_system(err, "Redis cannot be read from", errno);
    }
    if (n == 0) {
        return fail(err, "Redis", "it closed the connection");
    }
    *total += (size_t)n;
    if (*total > ATLS_REDIS_MAX_REPLY_LEN) {
        return fail(err, "Redis", "the answer is too long");
    }
    return redisReaderFeed(c->reader, buffer, (size_t)n) == REDIS_OK || fail(err, "Redis", "no memory");
}

/* ---- a command ---------------------------------------------------------------------------------------------------------------- */

static bool send_command(const redisContext *c, const atls_redis_command *command, uint64_t deadline_ms,
                         atls_error *err)
{
    const char *words[ATLS_REDIS_MAX_WORDS];
    char *text = NULL;
    if (command->n < 1 || command->n > ATLS_REDIS_MAX_WORDS) {
        return fail(err, "Redis", "a command has 1 to 16 words");
    }
    memcpy(words, command->words, sizeof words);
    const long long len = redisFormatCommandArgv(&text, command->n, words, command->lens);
    if (len < 0) {
        return fail(err, "Redis", "no memory");
    }
    const bool ok = send_all(c, text, (size_t)len, deadline_ms, err);
    atls_wipe(text, (size_t)len); /* of a login, too */
    redisFreeCommand(text);
    return ok;
}

static bool read_reply(redisContext *c, uint64_t deadline_ms, redisReply **out, atls_error *err)
{
    void *reply = NULL;
    size_t total = 0;
    while (reply == NULL) {
        if (!receive(c, &total, deadline_ms, err)) {
            return false;
        }
        if (redisReaderGetReply(c->reader, &reply) != REDIS_OK) {
            return fail(err, "Redis does not speak its protocol", c->reader->errstr);
        }
    }
    *out = reply;
    return true;
}

bool atls_redis_ask(redisContext *c, const atls_redis_command *command, uint64_t deadline_ms, redisReply **out,
                    atls_error *err)
{
    redisReply *reply = NULL;
    *out = NULL;
    if (!send_command(c, command, deadline_ms, err) || !read_reply(c, deadline_ms, &reply, err)) {
        return false;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        (void)fail(err, "Redis refuses", reply->str);
        freeReplyObject(reply);
        return false;
    }
    *out = reply;
    return true;
}

bool atls_redis_is_idle(const redisContext *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    return poll(&p, 1, 0) == 0;
}

/* ---- connecting --------------------------------------------------------------------------------------------------------------- */

static bool ask_ok(redisContext *c, const atls_redis_command *command, uint64_t deadline_ms, atls_error *err)
{
    redisReply *reply = NULL;
    if (!atls_redis_ask(c, command, deadline_ms, &reply, err)) {
        return false;
    }
    const bool ok = reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0;
    freeReplyObject(reply);
    return ok || fail(err, "Redis", "it does not say OK");
}

static bool log_in(redisContext *c, const atls_store_url *url, uint64_t deadline_ms, atls_error *err)
{
    atls_redis_command command = {.n = 0};
    if (url->password[0] == '\0') {
        return true;
    }
    atls_redis_text(&command, "AUTH");
    if (url->user[0] != '\0') {
        atls_redis_text(&command, url->user);
    }
    atls_redis_text(&command, url->password);
    return ask_ok(c, &command, deadline_ms, err);
}

static bool select_db(redisContext *c, const atls_store_url *url, uint64_t deadline_ms, atls_error *err)
{
    atls_redis_command command = {.n = 0};
    char number[8];
    if (url->db == 0) {
        return true;
    }
    (void)snprintf(number, sizeof number, "%u", (unsigned)url->db);
    atls_redis_text(&command, "SELECT");
    atls_redis_text(&command, number);
    return ask_ok(c, &command, deadline_ms, err);
}

bool atls_redis_connect(const atls_store_url *url, uint64_t deadline_ms, redisContext **out, atls_error *err)
{
    const uint64_t now = atls_clock_ms();
    const uint64_t left = now < deadline_ms ? deadline_ms - now : 1;
    const struct timeval wait = {.tv_sec = (time_t)(left / 1000), .tv_usec = (suseconds_t)(left % 1000 * 1000)};
    redisContext *c = url->scheme == ATLS_STORE_REDIS_UNIX ? redisConnectUnixWithTimeout(url->path, wait)
                                                           : redisConnectWithTimeout(url->host, url->port, wait);
    *out = NULL;
    if (c == NULL) {
        return fail(err, "Redis", "no memory");
    }
    if (c->err != 0) {
        (void)fail(err, "Redis cannot be reached", c->errstr);
        redisFree(c);
        return false;
    }
    if (!log_in(c, url, deadline_ms, err) || !select_db(c, url, deadline_ms, err)) {
        redisFree(c);
        return false;
    }
    *out = c;
    return true;
}
