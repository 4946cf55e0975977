/* SPDX-License-Identifier: Apache-2.0 */
/* io.c: calls OpenSSL and turns what comes out into steps and errors. */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "hooked.h"
#include "roots.h"
#include "socket.h"

#define REASON_SIZE 96
#define MAX_PEEKS   16u

const char *atls_io_reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return text == NULL ? "unknown error" : text;
}

/* What one call came to: OpenSSL's verdict, the system's, and the first reason of the queue. */
typedef struct outcome {
    int code; /* SSL_ERROR_... */
    int system;
    int reason; /* SSL_R_..., 0 when there is none */
    char text[REASON_SIZE];
} outcome;

/* FAILED stands for everything that has to be put into words. */
static atls_step step_of(const outcome *o)
{
    switch (o->code) {
    case SSL_ERROR_NONE:
        return ATLS_STEP_DONE;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_ACCEPT:
        return ATLS_STEP_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
    case SSL_ERROR_WANT_CONNECT:
        return ATLS_STEP_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return ATLS_STEP_CLOSED;
    default:
        return ATLS_STEP_FAILED;
    }
}

static void describe(outcome *o)
{
    unsigned long first = ERR_peek_error();
    o->reason = ERR_GET_LIB(first) == ERR_LIB_SSL ? ERR_GET_REASON(first) : 0;
    if (o->code == SSL_ERROR_SYSCALL && o->system != 0) {
        char words[REASON_SIZE] = "";
        snprintf(o->text, sizeof o->text, "%s",
                 strerror_r(o->system, words, sizeof words) == 0 ? words : "unknown error of the system");
    } else if (o->code == SSL_ERROR_SYSCALL || o->reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        snprintf(o->text, sizeof o->text, "the peer ended the connection without close_notify");
    } else if (first != 0) {
        const char *words = ERR_reason_error_string(first);
        snprintf(o->text, sizeof o->text, "%s", words == NULL ? "unknown error" : words);
    } else {
        snprintf(o->text, sizeof o->text, "a callback of the SSL suspends the session, which is not supported");
    }
}

/* system is errno as it stood right after the call. */
static outcome look_at(atls_session *s, int rc, int system)
{
    outcome o = {.code = SSL_get_error(s->ssl, rc), .system = system};
    if (o.code == SSL_ERROR_SSL || o.code == SSL_ERROR_SYSCALL) {
        s->tls_broken = true; /* OpenSSL: no further call may be made */
    }
    if (step_of(&o) == ATLS_STEP_FAILED) {
        describe(&o);
    }
    ERR_clear_error();
    return o;
}
static void prepare(void)
{
    ERR_clear_error();
    errno = 0;
}

/* ---- handshake --------------------------------------------------------------------------------------------------- */

static bool is_about_version(int reason)
{
    return reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION
           || reason == SSL_R_WRONG_SSL_VERSION || reason == SSL_R_BAD_PROTOCOL_VERSION_NUMBER
           || reason == SSL_R_NO_PROTOCOLS_AVAILABLE || reason == SSL_R_UNKNOWN_PROTOCOL
           || reason == SSL_R_INAPPROPRIATE_FALLBACK || reason == SSL_R_VERSION_TOO_LOW;
}

static atls_step handshake_failed(atls_session *s, const outcome *o, atls_error *err)
{
    if (s->identity_error.code != ATLS_OK) {
        *err = s->identity_error;
        return ATLS_STEP_FAILED;
    }
    if (is_about_version(o->reason)) {
        atls_fail_values(err, ATLS_E_TLS_HANDSHAKE, "tls.version", "TLSv1.3", NULL, "no common version of TLS: %s",
                         o->text);
        return ATLS_STEP_FAILED;
    }
    const char *what = o->code == SSL_ERROR_ZERO_RETURN ? "the peer closed the session" : o->text;
    atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.handshake", "the TLS handshake failed: %s", what);
    return ATLS_STEP_FAILED;
}

static outcome do_handshake(atls_session *s)
{
    prepare();
    int rc = SSL_do_handshake(s->ssl);
    return look_at(s, rc, errno);
}

atls_step atls_io_handshake(atls_session *s, atls_error *err)
{
    outcome o = do_handshake(s);
    while (o.code == SSL_ERROR_WANT_RETRY_VERIFY && atls_roots_resume(s)) {
        o = do_handshake(s);
    }
    atls_step step = step_of(&o);
    if (o.code == SSL_ERROR_WANT_X509_LOOKUP && atls_hooked_is(s)) {
        return ATLS_STEP_WANT_EVIDENCE;
    }
    if (step == ATLS_STEP_FAILED || step == ATLS_STEP_CLOSED) {
        step = handshake_failed(s, &o, err);
        atls_hooked_explain(s, err);
        return step;
    }
    if (step == ATLS_STEP_DONE && SSL_is_init_finished(s->ssl) != 1) {
        atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.handshake", "the handshake did not finish");
        return ATLS_STEP_FAILED;
    }
    return step;
}

/* ---- data -------------------------------------------------------------------------------------------------------- */

static atls_step transfer_failed(const char *what, const outcome *o, atls_error *err)
{
    atls_fail(err, ATLS_E_IO, what, "%s", o->text);
    return ATLS_STEP_FAILED;
}

/* What a caller has fed into memory. A socket says 0: there, poll() tells. */
static size_t bytes_at_hand(const atls_session *s)
{
    BIO *in = SSL_get_rbio(s->ssl);
    return in == NULL ? 0 : BIO_ctrl_pending(in);
}

atls_step atls_io_read(atls_session *s, void *buf, size_t size, size_t *n, const char *what, atls_error *err)
{
    outcome o;
    size_t left = bytes_at_hand(s);
    *n = 0;
    for (;;) {
        prepare();
        int rc = SSL_read_ex(s->ssl, buf, size, n);
        o = look_at(s, rc, errno);
        size_t now = bytes_at_hand(s);
        if (o.code != SSL_ERROR_WANT_READ || now == 0 || now >= left) {
            break;
        }
        left = now; /* a message of TLS itself went by, and what is behind it will not announce itself */
    }
    atls_step step = step_of(&o);
    return step == ATLS_STEP_FAILED ? transfer_failed(what, &o, err) : step;
}

atls_step atls_io_write(atls_session *s, const void *buf, size_t size, size_t *n, const char *what, atls_error *err)
{
    *n = 0;
    prepare();
    int rc = SSL_write_ex(s->ssl, buf, size, n);
    outcome o = look_at(s, rc, errno);
    atls_step step = step_of(&o);
    if (step == ATLS_STEP_FAILED || step == ATLS_STEP_CLOSED) {
        return transfer_failed(what, &o, err);
    }
    return step;
}

size_t atls_io_surplus(const atls_session *s)
{
    int n = SSL_pending(s->ssl);
    return n > 0 ? (size_t)n : 0;
}

bool atls_io_blocks(const atls_session *s)
{
    int fd = SSL_get_rfd(s->ssl);
    int flags = fd < 0 ? O_NONBLOCK : fcntl(fd, F_GETFL);
    return flags == -1 || (flags & O_NONBLOCK) == 0;
}

/* Looking ahead may read from the transport, which must not block. */
bool atls_io_may_look_ahead(const atls_session *s)
{
    int fd = SSL_get_rfd(s->ssl);
    if (fd < 0) {
        BIO *in = SSL_get_rbio(s->ssl);
        return in != NULL && BIO_ctrl_pending(in) > 0;
    }
    return !atls_io_blocks(s);
}

bool atls_io_has_news(const atls_session *s)
{
    BIO *in = SSL_get_rbio(s->ssl);
    return atls_io_may_look_ahead(s) || (SSL_get_rfd(s->ssl) < 0 && in != NULL && BIO_eof(in) == 1);
}

/* Peeks over a few messages of TLS itself (tickets, key updates): each makes OpenSSL come back without an answer. */
static outcome peek(atls_session *s)
{
    outcome o = {.code = SSL_ERROR_WANT_READ};
    BIO *in = SSL_get_rbio(s->ssl);
    for (unsigned i = 0; i < MAX_PEEKS; i++) {
        uint8_t byte = 0;
        size_t n = 0;
        uint64_t before = BIO_number_read(in);
        prepare();
        int rc = SSL_peek_ex(s->ssl, &byte, 1, &n);
        o = look_at(s, rc, errno);
        atls_wipe(&byte, 1);
        if (o.code != SSL_ERROR_WANT_READ || BIO_number_read(in) == before) {
            break;
        }
    }
    return o;
}

bool atls_io_is_quiet(atls_session *s, const char *what, atls_error *err)
{
    if (atls_io_surplus(s) == 0 && !atls_io_may_look_ahead(s)) {
        return true;
    }
    outcome o = peek(s);
    switch (step_of(&o)) {
    case ATLS_STEP_DONE:
        return atls_fail(err, ATLS_E_IO, what, "the peer sent application bytes before the session was established");
    case ATLS_STEP_FAILED:
        return atls_fail(err, ATLS_E_IO, what, "%s", o.text);
    default:
        return true;
    }
}

/* ---- end --------------------------------------------------------------------------------------------------------- */

atls_step atls_io_close(atls_session *s, atls_error *err)
{
    if (s->tls_broken || s->close_sent) {
        return ATLS_STEP_DONE;
    }
    prepare();
    int rc = SSL_shutdown(s->ssl);
    if (rc >= 0) { /* 0: sent, and the peer's is still to come, for which nobody waits here */
        s->close_sent = true;
        ERR_clear_error();
        return ATLS_STEP_DONE;
    }
    outcome o = look_at(s, rc, errno);
    atls_step step = step_of(&o);
    return step == ATLS_STEP_FAILED || step == ATLS_STEP_CLOSED ? transfer_failed("session.close", &o, err) : step;
}

void atls_io_abandon(atls_session *s)
{
    if (s->ssl != NULL && !s->tls_broken && !s->close_sent && SSL_is_init_finished(s->ssl) == 1) {
        s->close_sent = true;
        (void)SSL_shutdown(s->ssl); /* once: a failed session has nothing to wait for */
    }
    ERR_clear_error();
    atls_socket_close(&s->socket);
}
