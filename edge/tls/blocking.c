/* SPDX-License-Identifier: Apache-2.0 */
/* blocking.c: the calls that wait: connect, accept, and the application's reads and writes against a deadline. */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "client.h"
#include "clock.h"
#include "dial.h"
#include "hooked.h"
#include "io.h"
#include "server.h"
#include "socket.h"
#include "verify/verifier_crypto.h"

#define EVIDENCE_SLICE_MS 20

/* The peer may leave meanwhile. Without a descriptor to wait on (there are only so many) it is seen a little later. */
static bool wait_for_evidence(const atls_session *s, int fd, uint64_t until_ms, atls_error *err)
{
    int ready = atls_session_wait_fd(s);
    if (ready < 0) {
        const struct timespec slice = {.tv_nsec = EVIDENCE_SLICE_MS * 1000000};
        (void)nanosleep(&slice, NULL);
        return true;
    }
    if (atls_hooked_is(s)) { /* inside a handshake nobody reads: what the peer does would wake us for nothing */
        return atls_wait(ready, POLLIN, until_ms, err);
    }
    return atls_wait_either(fd, ready, until_ms, err);
}

/* Waits for what a step asked for. */
static bool wait_for(const atls_session *s, atls_step step, uint64_t until_ms, atls_error *err)
{
    int fd = atls_session_fd(s);
    if (fd < 0) {
        return atls_fail(err, ATLS_E_USAGE, "session", "the session's transport has no descriptor to wait on");
    }
    if (step == ATLS_STEP_WANT_EVIDENCE) {
        return wait_for_evidence(s, fd, until_ms, err);
    }
    return atls_wait(fd, step == ATLS_STEP_WANT_WRITE ? POLLOUT : POLLIN, until_ms, err);
}

/* Steps until the session is established or has failed; the step itself looks at the deadline. */
static bool drive(atls_session *s, atls_error *err)
{
    for (;;) {
        atls_step step = atls_session_step(s, err);
        if (step == ATLS_STEP_DONE) {
            return true;
        }
        if (step == ATLS_STEP_FAILED) {
            return false;
        }
        atls_error why = {0};
        if (!wait_for(s, step, s->deadline_ms, &why)) {
            (void)atls_session_fail(s, &why, err);
            return false;
        }
    }
}

/* ---- connect ----------------------------------------------------------------------------------------------------- */

static bool make_ssl(atls_session *s, atls_error *err)
{
    s->owns_transport = true;
    s->ctx = SSL_CTX_new(TLS_client_method());
    if (s->ctx != NULL && s->client.certificate_file != NULL
        && !atls_load_identity(s->ctx, s->client.certificate_file, s->client.private_key_file, err)) {
        return false;
    }
    if (s->ctx != NULL && atls_hooked_is(s) && !atls_hooked_context(s, err)) {
        return false;
    }
    SSL *ssl = s->ctx == NULL ? NULL : SSL_new(s->ctx);
    if (ssl == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "ssl", "OpenSSL could not make an SSL: %s", atls_io_reason());
    }
    if (!atls_client_configure(s, ssl, err)) {
        SSL_free(ssl);
        return false;
    }
    return true;
}

static bool copy_check(const atls_check *in, atls_check *out, atls_arena *arena, atls_error *err)
{
    *out = *in;
    out->id = atls_text_copy(atls_bytes_str(in->id), arena, err);
    out->field = atls_text_copy(atls_bytes_str(in->field), arena, err);
    out->expected = atls_text_copy(atls_bytes_str(in->expected), arena, err);
    out->actual = atls_text_copy(atls_bytes_str(in->actual), arena, err);
    out->why = atls_text_copy(atls_bytes_str(in->why), arena, err);
    return err->code == ATLS_OK;
}

/* The checks of a refused appraisal outlive the session: they move to the caller's arena. With no room there the list
 * is empty; the error itself is complete without it. */
static void keep_result(const atls_session *s, atls_arena *arena, atls_result *out)
{
    atls_error no_room = {0};
    const atls_result *r = atls_session_result(s);
    if (r == NULL) {
        return;
    }
    *out = *r;
    out->checks = NULL;
    out->n_checks = 0;
    if (arena == NULL) {
        return;
    }
    atls_check *checks = atls_arena_array(arena, r->n_checks, sizeof *checks, &no_room);
    if (checks == NULL) {
        return;
    }
    for (size_t i = 0; i < r->n_checks; i++) {
        if (!copy_check(&r->checks[i], &checks[i], arena, &no_room)) {
            return;
        }
    }
    out->checks = checks;
    out->n_checks = r->n_checks;
}

/* Everything that can be wrong with options is found before the first packet. */
static bool establish(atls_session *s, const char *host, const char *port, atls_error *err)
{
    if (host == NULL || port == NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "host", "a host and a port are required");
    }
    if (!make_ssl(s, err)) {
        return false;
    }
    atls_session_start_clock(s);
    return atls_dial(host, port, s->deadline_ms, &s->socket.fd, err) && atls_socket_attach(s, err) && drive(s, err);
}

/* One connection. */
static bool attempt(const char *host, const char *port, const atls_client_options *options, atls_arena *arena,
                    atls_session **out, atls_result *result, atls_error *err)
{
    atls_session *s;
    if (result != NULL) {
        *result = (atls_result){.profile = ""};
    }
    if (!atls_client_prepare(options, &s, err)) {
        return false;
    }
    bool ok = establish(s, host, port, err);
    if (ok) {
        *out = s;
    }
    if (result != NULL) {
        result->profile = atls_session_profile(s);
    }
    if (result != NULL && ok && atls_session_result(s) != NULL) {
        *result = *atls_session_result(s);
    } else if (result != NULL) {
        keep_result(s, arena, result);
    }
    if (!ok) {
        atls_session_free(s);
    }
    return ok;
}

/* A server of constellation answers nobody but its own clients, with an alert. Whether its grade is enough is the policy's
 * word, which an attacker who sends such an alert does not change. */
static bool may_be_constellation(const atls_client_options *o, const atls_error *why)
{
    if (o == NULL || o->profiles != 0 || o->verifier == NULL || o->identity != ATLS_IDENTITY_ATTESTED_ONLY
        || why->code != ATLS_E_TLS_HANDSHAKE) {
        return false;
    }
    const atls_policy *policy = atls_verifier_policy(o->verifier);
    return atls_policy_min_grade(policy) <= ATLS_GRADE_KEY_FRESH && atls_policy_attested_only(policy)
           && strcmp(atls_policy_kind(policy), "dstack_tdx") != 0
           && (atls_verifier_platforms(o->verifier) & (1u << ATLS_PLATFORM_TDX | 1u << ATLS_PLATFORM_TPM)) != 0;
}

bool atls_connect(const char *host, const char *port, const atls_client_options *options, atls_arena *arena,
                  atls_session **out, atls_result *result, atls_error *err)
{
    uint64_t began = atls_clock_ms();
    atls_error first = {0};
    *out = NULL;
    if (attempt(host, port, options, arena, out, result, &first)) {
        return true;
    }
    uint32_t limit = options == NULL || options->timeout_ms == 0 ? ATLS_DEFAULT_TIMEOUT_MS : options->timeout_ms;
    uint64_t spent = atls_clock_ms() - began;
    if (!may_be_constellation(options, &first) || spent >= limit) {
        *err = err->code == ATLS_OK ? first : *err;
        return false;
    }
    atls_client_options other = *options;
    other.profiles = ATLS_PROFILE_CONSTELLATION;
    other.timeout_ms = limit - (uint32_t)spent;
    return attempt(host, port, &other, arena, out, result, err);
}

/* ---- accept ------------------------------------------------------------------------------------------------------ */

static bool serve(atls_session *s, atls_error *err)
{
    s->owns_transport = true;
    atls_session_start_clock(s);
    atls_server_note_source(s, s->socket.fd);
    if (!atls_socket_prepare(s->socket.fd, err) || !atls_server_context(s, err)) {
        return false;
    }
    SSL *ssl = SSL_new(s->ctx);
    if (ssl == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "ssl", "OpenSSL could not make an SSL: %s", atls_io_reason());
    }
    if (!atls_server_configure(s, ssl, err)) {
        SSL_free(ssl);
        return false;
    }
    return atls_socket_attach(s, err) && drive(s, err);
}

bool atls_accept(int fd, const atls_server_options *options, atls_session **out, atls_error *err)
{
    atls_session *s;
    atls_socket socket = {.fd = fd};
    *out = NULL;
    if (!atls_server_prepare(options, &s, err)) {
        atls_socket_close(&socket);
        return false;
    }
    s->socket = socket;
    if (!serve(s, err)) {
        atls_session_free(s);
        return false;
    }
    *out = s;
    return true;
}

/* ---- the application --------------------------------------------------------------------------------------------- */

static uint64_t end_of(uint32_t timeout_ms)
{
    return timeout_ms == 0 ? UINT64_MAX : atls_clock_ms() + timeout_ms;
}

static bool has_passed(uint64_t until_ms)
{
    return until_ms != UINT64_MAX && atls_clock_ms() >= until_ms;
}

atls_step atls_session_read_blocking(atls_session *s, void *buf, size_t size, size_t *n, uint32_t timeout_ms,
                                     atls_error *err)
{
    uint64_t until_ms = end_of(timeout_ms);
    for (;;) {
        atls_step step = atls_session_read(s, buf, size, n, err);
        if (step != ATLS_STEP_WANT_READ && step != ATLS_STEP_WANT_WRITE) {
            return step;
        }
        if (has_passed(until_ms)) { /* nothing was lost: the session stays as it is */
            atls_fail(err, ATLS_E_TIMEOUT, "session.read", "nothing to read within %u ms", (unsigned)timeout_ms);
            return ATLS_STEP_FAILED;
        }
        if (!wait_for(s, step, until_ms, err)) {
            return ATLS_STEP_FAILED;
        }
    }
}

bool atls_session_write_all(atls_session *s, const void *buf, size_t size, uint32_t timeout_ms, atls_error *err)
{
    uint64_t until_ms = end_of(timeout_ms);
    const uint8_t *bytes = buf;
    size_t done = 0;
    atls_error why = {0};
    for (;;) {
        size_t n = 0;
        atls_step step = atls_session_write(s, bytes + done, size - done, &n, err);
        if (step == ATLS_STEP_FAILED) {
            return false;
        }
        done += n;
        if (done == size) {
            return true;
        }
        if (step == ATLS_STEP_DONE) {
            continue;
        }
        if (has_passed(until_ms)) { /* how much the peer got is unknown: the session cannot go on */
            atls_fail(&why, ATLS_E_TIMEOUT, "session.write", "%zu of %zu bytes written within %u ms", done, size,
                      (unsigned)timeout_ms);
        }
        if (why.code != ATLS_OK || !wait_for(s, step, until_ms, &why)) {
            (void)atls_session_fail(s, &why, err);
            return false;
        }
    }
}
