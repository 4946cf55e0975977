/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: the machine: phases, deadline, the error that stays, and the application's reads and writes. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "atls/hooks.h"
#include "base/text.h"
#include "clock.h"
#include "dstack.h"
#include "hooked.h"
#include "identity.h"
#include "io.h"
#include "native.h"
#include "socket.h"
#include "verify/verifier_crypto.h"

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

static void empty_peer(atls_session *s)
{
    s->peer = (atls_peer){.subject = s->subject, .issuer = s->issuer, .tls_version = "", .cipher = "", .group = ""};
    s->peer.identity = s->is_server ? ATLS_IDENTITY_ATTESTED_ONLY : ATLS_IDENTITY_WEBPKI;
}

atls_session_memory atls_session_memory_of(const atls_verifier *verifier, size_t size)
{
    const size_t usual = verifier == NULL ? ATLS_SERVER_ARENA_SIZE : ATLS_ARENA_DEFAULT_SIZE;
    return (atls_session_memory){.size = size != 0 ? size : usual,
                                 .shelf = verifier == NULL ? NULL : atls_verifier_arenas(verifier)};
}

bool atls_session_make(const atls_profile *profile, bool is_server, const atls_session_memory *memory,
                       uint32_t timeout_ms, atls_session **out, atls_error *err)
{
    atls_session *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "session", "no memory for a session");
    }
    if (!atls_arena_shelf_take(memory->shelf, memory->size, &s->arena, err)) {
        free(s);
        return false;
    }
    s->shelf = memory->shelf;
    s->profile = profile;
    s->is_server = is_server;
    s->timeout_ms = timeout_ms != 0 ? timeout_ms : ATLS_DEFAULT_TIMEOUT_MS;
    s->socket.fd = -1;
    s->alpn = atls_bytes_empty();
    s->protocol = atls_bytes_empty();
    empty_peer(s);
    *out = s;
    return true;
}

static void end_profile(atls_session *s)
{
    if (s->profile_begun) {
        s->profile->end(s->profile_state);
    }
    s->profile_begun = false;
    s->profile_state = NULL;
    atls_ticket_free(s->ticket);
    s->ticket = NULL;
}

void atls_session_free(atls_session *s)
{
    if (s == NULL) {
        return;
    }
    end_profile(s);
    atls_identity_detach(s);
    atls_socket_close(&s->socket);
    if (s->owns_transport) {
        SSL_free(s->ssl);
        SSL_CTX_free(s->ctx);
        BIO_meth_free(s->bio_method);
    }
    atls_arena_shelf_give(s->shelf, &s->arena);
    atls_wipe(s, sizeof *s);
    free(s);
}

/* What atls/1 asks of the names that it negotiates inside: text, few, each once, and none of those that mean something. */
static bool check_native_names(const char *const *names, atls_error *err)
{
    size_t n = 0;
    size_t total = 0;
    for (; names != NULL && names[n] != NULL; n++) {
        total += strlen(names[n]);
        if (!atls_utf8_valid(atls_bytes_str(names[n]))) {
            return atls_fail(err, ATLS_E_CONFIGURATION, "alpn", "with atls/1 a protocol name is UTF-8");
        }
        for (size_t i = 0; i < n; i++) {
            if (strcmp(names[i], names[n]) == 0) {
                return atls_fail(err, ATLS_E_CONFIGURATION, "alpn", "a protocol stands in the list twice");
            }
        }
        if (strcmp(names[n], ATLS_NATIVE_NO_PROTOCOL) == 0) {
            return atls_fail(err, ATLS_E_CONFIGURATION, "alpn", "%s is not an application's protocol", names[n]);
        }
    }
    return (n <= ATLS_NATIVE_MAX_NAMES && total <= ATLS_NATIVE_MAX_HELLO_LEN / 2)
           || atls_fail(err, ATLS_E_CONFIGURATION, "alpn", "with atls/1 the list has at most %u names and %u bytes",
                        (unsigned)ATLS_NATIVE_MAX_NAMES, (unsigned)ATLS_NATIVE_MAX_HELLO_LEN / 2);
}

static bool measure_names(const char *const *names, size_t *total, atls_error *err)
{
    *total = 0;
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        size_t len = strlen(names[i]);
        if (len == 0 || len > 255 || *total > 4096) {
            return atls_fail(err, ATLS_E_CONFIGURATION, "alpn",
                             "a protocol name has 1 to 255 bytes, the list at most 4096");
        }
        if (strcmp(names[i], ATLS_NATIVE_ALPN) == 0) {
            return atls_fail(err, ATLS_E_CONFIGURATION, "alpn", "%s is a way of proving, not an application's protocol",
                             ATLS_NATIVE_ALPN);
        }
        *total += 1 + len;
    }
    return true;
}

static size_t put_name(uint8_t *wire, size_t at, const char *name)
{
    size_t len = strlen(name);
    wire[at] = (uint8_t)len;
    memcpy(wire + at + 1, name, len); /* NOLINT(bugprone-not-null-terminated-result): on the wire there is no NUL */
    return at + 1 + len;
}

bool atls_session_alpn_list(atls_session *s, const char *const *names, bool with_native, bool without_h2,
                            atls_error *err)
{
    size_t total;
    if (!measure_names(names, &total, err) || (with_native && !check_native_names(names, err))) {
        return false;
    }
    uint8_t *wire = atls_arena_raw(&s->arena, total + 1 + strlen(ATLS_NATIVE_ALPN), err);
    if (wire == NULL) {
        return false;
    }
    size_t used = with_native ? put_name(wire, 0, ATLS_NATIVE_ALPN) : 0;
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        if (!without_h2 || strcmp(names[i], "h2") != 0) {
            used = put_name(wire, used, names[i]);
        }
    }
    s->alpn = atls_bytes_of(wire, used);
    return true;
}

/* ---- failing ----------------------------------------------------------------------------------------------------- */

/* The first failure wins, also in the caller's object. */
static atls_step refuse(const atls_session *s, atls_error *err)
{
    if (err->code == ATLS_OK) {
        *err = s->error;
    }
    return ATLS_STEP_FAILED;
}

atls_step atls_session_fail(atls_session *s, const atls_error *why, atls_error *err)
{
    if (s->error.code == ATLS_OK) { /* else a refusal that could not be sent in time is still what it ends for */
        s->error = *why;
    }
    if (s->error.code == ATLS_OK) {
        atls_fail(&s->error, ATLS_E_INTERNAL, "session", "a step failed and did not say why");
    }
    if (s->phase != ATLS_PHASE_ESTABLISHED && s->result.verdict == ATLS_VERDICT_ACCEPTED) {
        /* evidence passed, and then the session did not come about: nobody shall take the one for the other */
        s->result = (atls_result){.verdict = ATLS_VERDICT_NONE, .profile = s->profile->name};
        s->has_result = false;
    }
    s->phase = ATLS_PHASE_FAILED;
    end_profile(s);
    atls_io_abandon(s);
    return refuse(s, err);
}

static bool not_established(const atls_session *s, atls_error *err)
{
    if (s->phase == ATLS_PHASE_ESTABLISHED) {
        return false;
    }
    if (s->phase == ATLS_PHASE_FAILED) {
        (void)refuse(s, err);
        return true;
    }
    atls_fail(err, ATLS_E_USAGE, "session", "no application bytes before the session is established");
    return true;
}

/* ---- deadline ---------------------------------------------------------------------------------------------------- */

void atls_session_start_clock(atls_session *s)
{
    if (!s->started) {
        s->started = true;
        s->deadline_ms = atls_clock_ms() + s->timeout_ms;
    }
}

int atls_session_timeout_ms(const atls_session *s)
{
    if (s->phase == ATLS_PHASE_ESTABLISHED) {
        return -1;
    }
    if (s->phase == ATLS_PHASE_FAILED) {
        return 0;
    }
    uint64_t left = s->timeout_ms;
    if (s->started) {
        uint64_t now = atls_clock_ms();
        left = now < s->deadline_ms ? s->deadline_ms - now : 0;
    }
    return left > INT32_MAX ? INT32_MAX : (int)left;
}

bool atls_session_in_time(const atls_session *s, atls_error *err)
{
    if (atls_session_timeout_ms(s) != 0) {
        return true;
    }
    const char *where = s->phase == ATLS_PHASE_HANDSHAKE ? "tls.handshake" : "session.exchange";
    return atls_fail(err, ATLS_E_TIMEOUT, where, "no result within %u ms", (unsigned)s->timeout_ms);
}

/* ---- after the handshake ----------------------------------------------------------------------------------------- */

static bool export(atls_session *s, const char *label, atls_bytes context, bool use_context, uint8_t *out, size_t len,
                   atls_error *err)
{
    /* Before both Finished messages the value would not cover the peer's authentication. */
    bool ok = SSL_is_init_finished(s->ssl) == 1
              && SSL_export_keying_material(s->ssl, out, len, label, strlen(label), context.ptr, context.len,
                                            use_context ? 1 : 0)
                     == 1;
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.exporter", "the exporter is not available");
}

bool atls_session_exporter(atls_session *s, const char *label, uint8_t *out, size_t len, atls_error *err)
{
    return export(s, label, atls_bytes_empty(), false, out, len, err);
}

bool atls_session_exporter_with(atls_session *s, const char *label, atls_bytes context, uint8_t *out, size_t len,
                                atls_error *err)
{
    return export(s, label, context, true, out, len, err);
}

bool atls_session_choose(atls_session *s, atls_error *err)
{
    bool chosen = atls_bytes_equal_str(atls_session_tls_alpn(s), ATLS_NATIVE_ALPN);
    if (chosen && (s->profiles & ATLS_PROFILE_NATIVE) != 0) {
        s->profile = s->is_server ? atls_native_server() : atls_native_client();
        return true;
    }
    if (!chosen && (s->profiles & ATLS_PROFILE_DSTACK) != 0) {
        s->profile = s->is_server ? atls_dstack_server() : atls_dstack_client();
        return true;
    }
    return atls_fail_values(err, ATLS_E_TLS_HANDSHAKE, "tls.alpn", chosen ? "another protocol" : ATLS_NATIVE_ALPN,
                            chosen ? ATLS_NATIVE_ALPN : "none of it",
                            "the peer did not agree to a way of proving that is strong enough here");
}

static void note_connection(atls_session *s)
{
    const char *group = SSL_group_to_name(s->ssl, (int)SSL_get_negotiated_group(s->ssl));
    s->peer.tls_version = SSL_get_version(s->ssl);
    s->peer.cipher = SSL_get_cipher_name(s->ssl);
    s->peer.group = group == NULL ? "" : group;
    atls_handshake_note(s->ssl, s->random);
    ERR_clear_error();
}

/* A program may clear its SSL, which then makes another handshake by itself: nobody has proved anything in that one. */
static bool is_same_handshake(const atls_session *s, atls_error *err)
{
    return atls_handshake_is(s->ssl, s->random)
           || atls_fail(err, ATLS_E_USAGE, "session", "the SSL was cleared: another handshake is another session");
}

/* R11. The settings made these impossible; a caller who changed them afterwards is found out here. */
static bool check_connection(atls_session *s, atls_error *err)
{
    if (SSL_version(s->ssl) != TLS1_3_VERSION) {
        return atls_fail_values(err, ATLS_E_TLS_HANDSHAKE, "tls.version", "TLSv1.3", SSL_get_version(s->ssl),
                                "another version of TLS was negotiated");
    }
    if (!s->is_server && SSL_get0_peer_certificate(s->ssl) == NULL) {
        return atls_fail(err, ATLS_E_MISSING_CERTIFICATE, "certificate", "the server sent no certificate");
    }
    if (SSL_session_reused(s->ssl) != 0) {
        return atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.resumption",
                         "the session was resumed, or uses an external PSK");
    }
    if (SSL_get_early_data_status(s->ssl) == SSL_EARLY_DATA_ACCEPTED) {
        return atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.early_data", "early data was accepted");
    }
    if (atls_hooked_is(s)) {
        return atls_hooked_check(s, err);
    }
    return s->is_server ? atls_server_check_handshake(s, err) : atls_client_check_handshake(s, err);
}

static bool begin_exchange(atls_session *s, atls_error *err)
{
    note_connection(s);
    if (!check_connection(s, err)) {
        return false;
    }
    s->profile_begun = true;
    if (!s->profile->begin(s, &s->profile_state, err)) {
        return false;
    }
    s->phase = ATLS_PHASE_EXCHANGE;
    return true;
}

/* A proof speaks of the moment when it was made: the session ends when that is too long ago for its verifier. */
static void start_ageing(atls_session *s)
{
    const atls_verifier *v = s->is_server ? s->server.verifier : s->client.verifier;
    bool by_default = true;
    uint32_t seconds = v == NULL ? 0 : atls_policy_max_session_age(atls_verifier_policy(v), &by_default);
    bool is_native = s->profile->grade == ATLS_GRADE_SESSION;
    s->end_ms = v != NULL && (!by_default || is_native) ? atls_clock_ms() + (uint64_t)seconds * 1000 : 0;
}

static bool is_young(const atls_session *s, atls_error *err)
{
    return s->end_ms == 0 || atls_clock_ms() < s->end_ms
           || atls_fail(err, ATLS_E_EXPIRED, "session.age",
                        "the proof is older than the policy's max_session_age: make a new session");
}

/* ---- stepping ---------------------------------------------------------------------------------------------------- */

static atls_step advance(atls_session *s, atls_error *err)
{
    if (!atls_session_in_time(s, err)) {
        return ATLS_STEP_FAILED;
    }
    if (s->phase == ATLS_PHASE_HANDSHAKE) {
        if (SSL_in_before(s->ssl) == 1 && !atls_hooked_is(s) && !atls_identity_set_time(s, err)) {
            return ATLS_STEP_FAILED;
        }
        atls_step step = atls_io_handshake(s, err);
        if (step != ATLS_STEP_DONE) {
            return step;
        }
        if (!begin_exchange(s, err)) {
            return ATLS_STEP_FAILED;
        }
    }
    if (!is_same_handshake(s, err)) {
        return ATLS_STEP_FAILED;
    }
    atls_step step = s->profile->step(s, s->profile_state, err);
    if (step == ATLS_STEP_DONE) {
        s->phase = ATLS_PHASE_ESTABLISHED;
        start_ageing(s);
        end_profile(s);
    }
    return step;
}

atls_step atls_session_step(atls_session *s, atls_error *err)
{
    if (s->phase == ATLS_PHASE_FAILED) {
        return refuse(s, err);
    }
    if (s->phase == ATLS_PHASE_ESTABLISHED) {
        return ATLS_STEP_DONE;
    }
    atls_error why = {0};
    atls_session_start_clock(s);
    atls_step step = advance(s, &why);
    if (step == ATLS_STEP_FAILED) {
        return atls_session_fail(s, &why, err);
    }
    if (step == ATLS_STEP_DONE && s->is_server && !s->has_result) {
        atls_arena_shelf_give(s->shelf, &s->arena); /* the evidence has been sent: nothing of it is needed any more */
    }
    return step;
}

/* ---- the application --------------------------------------------------------------------------------------------- */

atls_step atls_session_read(atls_session *s, void *buf, size_t size, size_t *n, atls_error *err)
{
    *n = 0;
    if (not_established(s, err)) {
        return ATLS_STEP_FAILED;
    }
    if (size == 0) {
        atls_fail(err, ATLS_E_USAGE, "session.read", "a buffer of no bytes");
        return ATLS_STEP_FAILED;
    }
    atls_error why = {0};
    if (!is_same_handshake(s, &why) || !is_young(s, &why)) {
        return atls_session_fail(s, &why, err);
    }
    atls_step step = atls_io_read(s, buf, size, n, "session.read", &why);
    if (step == ATLS_STEP_FAILED) {
        atls_hooked_explain(s, &why);
    }
    return step == ATLS_STEP_FAILED ? atls_session_fail(s, &why, err) : step;
}

atls_step atls_session_write(atls_session *s, const void *buf, size_t size, size_t *n, atls_error *err)
{
    *n = 0;
    if (not_established(s, err)) {
        return ATLS_STEP_FAILED;
    }
    if (s->close_sent) {
        atls_fail(err, ATLS_E_USAGE, "session.write", "the session has been closed for writing");
        return ATLS_STEP_FAILED;
    }
    if (size == 0) {
        return ATLS_STEP_DONE;
    }
    atls_error why = {0};
    if (!is_same_handshake(s, &why) || !is_young(s, &why)) {
        return atls_session_fail(s, &why, err);
    }
    atls_step step = atls_io_write(s, buf, size, n, "session.write", &why);
    s->write_pending = step == ATLS_STEP_WANT_READ || step == ATLS_STEP_WANT_WRITE;
    return step == ATLS_STEP_FAILED ? atls_session_fail(s, &why, err) : step;
}

atls_step atls_session_close(atls_session *s, atls_error *err)
{
    atls_error why = {0};
    if (s->phase == ATLS_PHASE_FAILED) {
        return refuse(s, err);
    }
    if (s->phase != ATLS_PHASE_ESTABLISHED) {
        /* Half a session cannot be kept: it ends here, and says so to whoever asks later. */
        atls_error later = {0};
        atls_fail(&why, ATLS_E_USAGE, "session.close", "the session was closed before it was established");
        (void)atls_session_fail(s, &why, &later);
        return ATLS_STEP_DONE;
    }
    if (s->write_pending) { /* half a record is on its way: an alert in the middle of it would be garbage */
        atls_fail(err, ATLS_E_USAGE, "session.close", "the last write has not been finished");
        return ATLS_STEP_FAILED;
    }
    atls_step step = atls_io_close(s, &why);
    return step == ATLS_STEP_FAILED ? atls_session_fail(s, &why, err) : step;
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

const atls_result *atls_session_result(const atls_session *s)
{
    /* atls/1: until the server has said yes, too, nothing is attested */
    bool too_early = s->phase == ATLS_PHASE_EXCHANGE && s->result.verdict == ATLS_VERDICT_ACCEPTED;
    return s->has_result && !too_early ? &s->result : NULL;
}

int atls_session_fd(const atls_session *s)
{
    return s->ssl == NULL ? -1 : SSL_get_rfd(s->ssl);
}

atls_bytes atls_session_tls_alpn(const atls_session *s)
{
    const unsigned char *name = NULL;
    unsigned len = 0;
    if (s->ssl != NULL) {
        SSL_get0_alpn_selected(s->ssl, &name, &len);
    }
    return name == NULL ? atls_bytes_empty() : atls_bytes_of(name, len);
}

atls_bytes atls_session_alpn(const atls_session *s)
{
    atls_bytes selected = atls_session_tls_alpn(s);
    return atls_bytes_equal_str(selected, ATLS_NATIVE_ALPN) ? s->protocol : selected;
}

bool atls_session_peer_accepted(const atls_session *s, atls_error *err)
{
    if (s->phase == ATLS_PHASE_FAILED && s->error.code == ATLS_E_PEER_REFUSED) {
        (void)refuse(s, err); /* that the session has failed is how we know */
        return false;
    }
    if (s->phase != ATLS_PHASE_ESTABLISHED) {
        return atls_fail(err, ATLS_E_USAGE, "session", "the session is not established");
    }
    return !atls_hooked_is(s) || atls_hook_peer_accepted(s->ssl, err);
}

const char *atls_session_profile(const atls_session *s)
{
    return s->profile->name;
}

int atls_session_wait_fd(const atls_session *s)
{
    atls_ticket *ticket = s->ticket;
    if (atls_hooked_is(s) && s->ssl != NULL) {
        return atls_hook_wait_fd(s->ssl);
    }
    return ticket == NULL ? -1 : atls_ticket_fd(ticket);
}

const atls_peer *atls_session_peer(const atls_session *s)
{
    return &s->peer;
}
