/* SPDX-License-Identifier: Apache-2.0 */
/* test_session.c: the machine: both ends of the library, what passes before and after (R12), and closing. */
#include "rig.h"

#include <openssl/err.h>

#include "atls/bytes.h"
#include "edge/tls/handshake.h"

/* ---- honest ------------------------------------------------------------------------------------------------------ */

static void test_honest(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_start(&r, NULL);
    assert_int_equal(atls_session_timeout_ms(r.client), 30000);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    const atls_result *result = atls_session_result(r.client);
    assert_int_equal(result->verdict, ATLS_VERDICT_ACCEPTED);
    assert_int_equal(result->grade, ATLS_GRADE_EXPORTER);
    assert_string_equal(result->profile, "dstack");
    assert_true(result->runtime_verified);
    assert_false(result->attested_only);
    assert_int_equal(result->time, sim_now(r.sim));
    assert_true(result->n_checks > 20);
    assert_null(atls_session_result(r.server));
    assert_int_equal(atls_session_timeout_ms(r.client), -1);
    assert_int_equal(atls_session_step(r.client, &r.err), ATLS_STEP_DONE);
    rig_say(r.client, r.server, "hello");
    rig_say(r.server, r.client, "good evening");
    rig_close(&r);
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    r.bio_size = 1;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    assert_true(r.n_steps > 10000); /* about one for every byte of evidence */
    rig_close(&r);
}

static void test_peer(void **state)
{
    (void)state;
    rig r;
    uint8_t leaf[32];
    rig_open(&r);
    rig_start(&r, NULL);
    assert_string_equal(atls_session_peer(r.client)->subject, "");
    assert_string_equal(atls_session_peer(r.client)->tls_version, "");
    rig_run_to_end(&r);
    const atls_peer *p = atls_session_peer(r.client);
    assert_string_equal(p->subject, "CN=" RIG_NAME);
    assert_true(strstr(p->issuer, "CN=") != NULL);
    assert_string_equal(p->tls_version, "TLSv1.3");
    assert_string_equal(p->cipher, "TLS_AES_256_GCM_SHA384");
    assert_string_equal(p->group, "x25519");
    assert_int_equal(p->identity, ATLS_IDENTITY_CA);
    assert_int_equal(EVP_Digest(r.tls.leaf_der.ptr, r.tls.leaf_der.len, leaf, NULL, EVP_sha256(), NULL), 1);
    assert_memory_equal(p->leaf_sha256, leaf, 32);
    assert_string_equal(atls_session_peer(r.server)->subject, "");
    assert_string_equal(atls_session_peer(r.server)->cipher, "TLS_AES_256_GCM_SHA384");
    assert_int_equal(atls_session_fd(r.client), -1);
    rig_close(&r);
}

/* A group that the first ClientHello has no share of costs a HelloRetryRequest, and nothing else. */
static void test_retry_request(void **state)
{
    (void)state;
    static const char *const groups[] = {"P-256", "P-384"};
    for (size_t i = 0; i < 2; i++) {
        rig r;
        rig_open(&r);
        assert_int_equal(SSL_CTX_set1_groups_list(r.server_ctx, groups[i]), 1);
        rig_start(&r, NULL);
        rig_run_to_end(&r);
        rig_expect_established(&r);
        assert_string_equal(atls_session_peer(r.client)->group, i == 0 ? "secp256r1" : "secp384r1");
        rig_close(&r);
    }
}

/* The exporter survives a key update; so does the session. */
static void test_key_update(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    assert_int_equal(SSL_key_update(r.client_ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    rig_say(r.client, r.server, "under new keys");
    rig_say(r.server, r.client, "under new keys, too");
    rig_close(&r);
}

/* A program clears its SSL, and it makes another handshake, with somebody who has the certificate and no evidence: none of its bytes
 * pass for those of the peer that was appraised. Nor do any go there. */
static void test_another_handshake(void **state)
{
    const bool *writes = *state;
    char buf[8];
    size_t n = 0;
    atls_error err = {0};
    atls_step step = ATLS_STEP_WANT_READ;
    rig r;
    rig_open(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    (void)SSL_shutdown(r.client_ssl);
    (void)SSL_shutdown(r.server_ssl);
    assert_int_equal(SSL_clear(r.client_ssl), 1);
    SSL *stranger = SSL_new(r.server_ctx);
    BIO *ends[2];
    assert_int_equal(BIO_new_bio_pair(&ends[0], 16384, &ends[1], 16384), 1);
    SSL_set_bio(r.client_ssl, ends[0], ends[0]);
    SSL_set_bio(stranger, ends[1], ends[1]);
    SSL_set_connect_state(r.client_ssl);
    SSL_set_accept_state(stranger);
    for (unsigned i = 0; i < 10; i++) {
        if (step == ATLS_STEP_WANT_READ) {
            step = *writes ? atls_session_write(r.client, "x", 1, &n, &err)
                           : atls_session_read(r.client, buf, sizeof buf, &n, &err);
        }
        if (SSL_do_handshake(stranger) == 1) {
            (void)SSL_write(stranger, "hello", 5);
        }
        ERR_clear_error();
    }
    assert_int_equal(step, ATLS_STEP_FAILED);
    assert_int_equal(n, 0);
    assert_int_equal(err.code, ATLS_E_USAGE);
    SSL_free(stranger);
    rig_close(&r);
}

/* The same on the way: what was looked at in the first handshake counts for nothing. */
static void test_cleared_on_the_way(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_start(&r, NULL);
    for (unsigned i = 0; i < 10 && SSL_is_init_finished(r.client_ssl) == 0; i++) {
        assert_int_equal(atls_session_step(r.client, &r.client_err), ATLS_STEP_WANT_READ);
        r.server_step = atls_session_step(r.server, &r.server_err);
    }
    assert_int_equal(SSL_is_init_finished(r.client_ssl), 1);
    assert_int_equal(SSL_clear(r.client_ssl), 1);
    r.client_step = atls_session_step(r.client, &r.client_err);
    rig_expect_client(&r, ATLS_E_USAGE, "session");
    rig_close(&r);
}

typedef struct flight {
    uint8_t record[4096];
    size_t len;
} flight;

/* The first thing that is said, as a record. */
static void keep_hello(int write_p, int version, int content_type, const void *buf, size_t len, SSL *ssl, void *arg)
{
    flight *f = arg;
    (void)version;
    (void)ssl;
    if (write_p == 0 || content_type != SSL3_RT_HANDSHAKE || f->len > 0 || len + 5 > sizeof f->record) {
        return;
    }
    const uint8_t head[5] = {SSL3_RT_HANDSHAKE, 3, 1, (uint8_t)(len >> 8), (uint8_t)len};
    memcpy(f->record, head, sizeof head);
    memcpy(f->record + sizeof head, buf, len);
    f->len = sizeof head + len;
}

/* A server's SSL, cleared: the next client says what the first one, which had proved itself, said in the clear. */
static void test_hello_said_again(void **state)
{
    static flight hello;
    uint8_t first[ATLS_HANDSHAKE_LEN];
    uint8_t now[ATLS_HANDSHAKE_LEN];
    char buf[8];
    size_t n = 0;
    atls_error err = {0};
    BIO *ends[2];
    rig r;
    (void)state;
    hello.len = 0;
    rig_open(&r);
    rig_start(&r, NULL);
    SSL_set_msg_callback(r.client_ssl, keep_hello);
    SSL_set_msg_callback_arg(r.client_ssl, &hello);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    atls_handshake_note(r.server_ssl, first);
    (void)SSL_shutdown(r.client_ssl);
    (void)SSL_shutdown(r.server_ssl);
    assert_int_equal(SSL_clear(r.server_ssl), 1);
    assert_int_equal(BIO_new_bio_pair(&ends[0], 16384, &ends[1], 16384), 1);
    SSL_set_bio(r.server_ssl, ends[0], ends[0]);
    SSL_set_accept_state(r.server_ssl);
    assert_true(hello.len > 0 && BIO_write(ends[1], hello.record, (int)hello.len) == (int)hello.len);
    assert_int_not_equal(SSL_do_handshake(r.server_ssl), 1);
    ERR_clear_error();
    atls_handshake_note(r.server_ssl, now);
    assert_memory_equal(now, first, 32); /* the client's random */
    assert_false(atls_handshake_is(r.server_ssl, first));
    assert_int_equal(atls_session_read(r.server, buf, sizeof buf, &n, &err), ATLS_STEP_FAILED);
    assert_int_equal(err.code, ATLS_E_USAGE);
    assert_int_equal(BIO_free(ends[1]), 1);
    rig_close(&r);
}

/* Which one it is, asked of an SSL that has not begun, has made one, and has been cleared. None is never the same as none. */
static void test_which_handshake(void **state)
{
    uint8_t none[ATLS_HANDSHAKE_LEN];
    uint8_t made[ATLS_HANDSHAKE_LEN];
    rig r;
    (void)state;
    rig_open(&r);
    rig_start(&r, NULL);
    atls_handshake_note(r.client_ssl, none);
    assert_true(atls_bytes_is_zero(atls_bytes_of(none, sizeof none)));
    assert_false(atls_handshake_is(r.client_ssl, none));
    rig_run_to_end(&r);
    atls_handshake_note(r.client_ssl, made);
    assert_true(atls_handshake_is(r.client_ssl, made) && atls_handshake_is(r.server_ssl, made));
    assert_false(atls_handshake_is(r.client_ssl, none));
    for (size_t i = 0; i < sizeof made; i++) {
        made[i] ^= 1;
        assert_false(atls_handshake_is(r.client_ssl, made));
        made[i] ^= 1;
    }
    assert_int_equal(SSL_clear(r.client_ssl), 1);
    assert_false(atls_handshake_is(r.client_ssl, made));
    assert_false(atls_handshake_is(r.client_ssl, none));
    rig_close(&r);
}

/* ---- R12: nothing before, nothing after -------------------------------------------------------------------------- */

static void expect_refused(atls_session *s, atls_code code)
{
    char buf[8];
    size_t n = 1;
    atls_error err = {0};
    assert_int_equal(atls_session_read(s, buf, sizeof buf, &n, &err), ATLS_STEP_FAILED);
    assert_int_equal(err.code, code);
    assert_int_equal(n, 0);
    atls_error_clear(&err);
    n = 1;
    assert_int_equal(atls_session_write(s, "x", 1, &n, &err), ATLS_STEP_FAILED);
    assert_int_equal(err.code, code);
    assert_int_equal(n, 0);
}

/* At every single step of the way. A refused call changes nothing: the session gets there. */
static void test_refused_before(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    r.bio_size = 64;
    rig_start(&r, NULL);
    atls_step client = ATLS_STEP_WANT_READ;
    atls_step server = ATLS_STEP_WANT_READ;
    for (unsigned turn = 0; turn < 5000 && (client != ATLS_STEP_DONE || server != ATLS_STEP_DONE); turn++) {
        if (client != ATLS_STEP_DONE) {
            expect_refused(r.client, ATLS_E_USAGE);
            client = atls_session_step(r.client, &r.client_err);
        }
        if (server != ATLS_STEP_DONE) {
            expect_refused(r.server, ATLS_E_USAGE);
            server = atls_session_step(r.server, &r.server_err);
        }
    }
    assert_int_equal(client, ATLS_STEP_DONE);
    assert_int_equal(server, ATLS_STEP_DONE);
    rig_say(r.client, r.server, "now");
    rig_close(&r);
}

static void test_refused_after(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    r.client_options.endorse = NULL;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(r.client_step, ATLS_STEP_FAILED);
    expect_refused(r.client, ATLS_E_ENDORSEMENTS_MISSING);
    assert_int_equal(atls_session_close(r.client, &r.err), ATLS_STEP_FAILED);
    assert_int_equal(r.err.code, ATLS_E_ENDORSEMENTS_MISSING);
    rig_close(&r);
}

/* The server, too, learns of a client that turned away: close_notify comes, and no byte before it. */
static void test_failure_closes(void **state)
{
    (void)state;
    rig r;
    char buf[8];
    size_t n = 0;
    rig_open(&r);
    r.client_options.endorse = NULL;
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(r.client_step, ATLS_STEP_FAILED);
    assert_int_equal(r.server_step, ATLS_STEP_DONE);
    assert_int_equal(atls_session_read(r.server, buf, sizeof buf, &n, &r.server_err), ATLS_STEP_CLOSED);
    assert_int_equal(n, 0);
    rig_close(&r);
}

/* A caller's error that is set already is not overwritten: the first failure wins. */
static void test_first_error_wins(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    r.client_options.endorse = NULL;
    rig_start(&r, NULL);
    (void)atls_fail(&r.client_err, ATLS_E_LIMIT, "mine", NULL);
    rig_run_to_end(&r);
    assert_int_equal(r.client_step, ATLS_STEP_FAILED);
    assert_string_equal(r.client_err.field, "mine");
    rig_close(&r);
}

/* ---- closing ----------------------------------------------------------------------------------------------------- */

static void test_close(void **state)
{
    (void)state;
    rig r;
    char buf[8];
    size_t n = 0;
    rig_open(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_say(r.client, r.server, "last words");
    assert_int_equal(atls_session_close(r.client, &r.err), ATLS_STEP_DONE);
    assert_int_equal(atls_session_close(r.client, &r.err), ATLS_STEP_DONE); /* once is enough, twice does no harm */
    assert_int_equal(atls_session_write(r.client, "x", 1, &n, &r.err), ATLS_STEP_FAILED);
    assert_int_equal(r.err.code, ATLS_E_USAGE);
    atls_error_clear(&r.err);
    assert_int_equal(atls_session_read(r.server, buf, sizeof buf, &n, &r.err), ATLS_STEP_CLOSED);
    assert_int_equal(atls_session_read(r.server, buf, sizeof buf, &n, &r.err), ATLS_STEP_CLOSED);
    rig_say(r.server, r.client, "still here"); /* one direction is closed, the other is not */
    assert_int_equal(atls_session_close(r.server, &r.err), ATLS_STEP_DONE);
    assert_int_equal(atls_session_read(r.client, buf, sizeof buf, &n, &r.err), ATLS_STEP_CLOSED);
    assert_int_equal(r.err.code, ATLS_OK);
    rig_close(&r);
}

/* An end without close_notify is truncation, and fails the session. */
static void test_truncation(void **state)
{
    (void)state;
    rig r;
    char buf[8];
    size_t n = 0;
    rig_open(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(BIO_shutdown_wr(r.server_bio), 1);
    assert_int_equal(atls_session_read(r.client, buf, sizeof buf, &n, &r.err), ATLS_STEP_FAILED);
    assert_int_equal(r.err.code, ATLS_E_IO);
    assert_string_equal(r.err.field, "session.read");
    assert_true(r.err.retry);
    expect_refused(r.client, ATLS_E_IO);
    rig_close(&r);
}

static void test_close_early(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_start(&r, NULL);
    assert_int_equal(atls_session_step(r.client, &r.err), ATLS_STEP_WANT_READ);
    assert_int_equal(atls_session_close(r.client, &r.err), ATLS_STEP_DONE);
    assert_int_equal(atls_session_step(r.client, &r.err), ATLS_STEP_FAILED);
    assert_int_equal(r.err.code, ATLS_E_USAGE);
    assert_string_equal(r.err.field, "session.close");
    rig_close(&r);
}

static void test_want_write(void **state)
{
    (void)state;
    rig r;
    static uint8_t block[64 * 1024];
    static uint8_t got[64 * 1024];
    size_t sent = 0;
    size_t received = 0;
    bool waited = false;
    rig_open(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] = (uint8_t)(i * 7);
    }
    while (received < sizeof block) {
        size_t n = 0;
        if (sent < sizeof block) {
            atls_step step = atls_session_write(r.client, block + sent, sizeof block - sent, &n, &r.err);
            assert_int_not_equal(step, ATLS_STEP_FAILED);
            waited = waited || step == ATLS_STEP_WANT_WRITE;
            assert_true(step == ATLS_STEP_DONE || n == 0);
            sent += n;
        }
        atls_step step = atls_session_read(r.server, got + received, sizeof got - received, &n, &r.err);
        assert_int_not_equal(step, ATLS_STEP_FAILED);
        received += n;
    }
    assert_true(waited);
    assert_memory_equal(block, got, sizeof block);
    rig_close(&r);
}

/* A close that the transport has no room for asks to be called again, and the peer sees it when there is. */
static void test_close_waits(void **state)
{
    (void)state;
    rig r;
    static char block[16340]; /* with 22 bytes of record around it, 22 of the transport's 16384 are left: too few */
    size_t n = 0;
    rig_open(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(atls_session_write(r.client, block, sizeof block, &n, &r.err), ATLS_STEP_DONE);
    assert_int_equal(n, sizeof block);
    assert_int_equal(atls_session_close(r.client, &r.err), ATLS_STEP_WANT_WRITE);
    assert_int_equal(atls_session_read(r.server, block, sizeof block, &n, &r.err), ATLS_STEP_DONE);
    assert_int_equal(n, sizeof block);
    assert_int_equal(atls_session_close(r.client, &r.err), ATLS_STEP_DONE);
    assert_int_equal(atls_session_read(r.server, block, sizeof block, &n, &r.err), ATLS_STEP_CLOSED);
    rig_close(&r);
}

/* In the middle of a record there is no place for a close; the write comes first. */
static void test_close_in_a_write(void **state)
{
    (void)state;
    rig r;
    static char block[10000]; /* one fits in the transport, two do not */
    size_t n = 0;
    rig_open(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(atls_session_write(r.client, block, sizeof block, &n, &r.err), ATLS_STEP_DONE);
    assert_int_equal(atls_session_write(r.client, block, sizeof block, &n, &r.err), ATLS_STEP_WANT_WRITE);
    assert_int_equal(atls_session_close(r.client, &r.err), ATLS_STEP_FAILED);
    assert_int_equal(r.err.code, ATLS_E_USAGE);
    assert_string_equal(r.err.field, "session.close");
    atls_error_clear(&r.err);
    assert_int_equal(atls_session_read(r.server, block, sizeof block, &n, &r.err), ATLS_STEP_DONE);
    assert_int_equal(atls_session_write(r.client, block, sizeof block, &n, &r.err), ATLS_STEP_DONE);
    assert_int_equal(atls_session_close(r.client, &r.err), ATLS_STEP_DONE);
    assert_int_equal(atls_session_read(r.server, block, sizeof block, &n, &r.err), ATLS_STEP_DONE);
    assert_int_equal(atls_session_read(r.server, block, sizeof block, &n, &r.err), ATLS_STEP_CLOSED);
    assert_int_equal(r.err.code, ATLS_OK);
    rig_close(&r);
}

/* Without a descriptor there is nothing to wait on. */
static void test_nothing_to_wait_on(void **state)
{
    (void)state;
    rig r;
    char byte;
    size_t n = 0;
    rig_open(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(atls_session_read_blocking(r.client, &byte, 1, &n, 10, &r.err), ATLS_STEP_FAILED);
    assert_int_equal(r.err.code, ATLS_E_USAGE);
    atls_error_clear(&r.err);
    rig_say(r.server, r.client, "still here");
    rig_close(&r);
}

static void test_empty_buffers(void **state)
{
    (void)state;
    rig r;
    char byte;
    size_t n = 9;
    rig_open(&r);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(atls_session_write(r.client, "", 0, &n, &r.err), ATLS_STEP_DONE);
    assert_int_equal(n, 0);
    assert_int_equal(atls_session_read(r.client, &byte, 0, &n, &r.err), ATLS_STEP_FAILED);
    assert_int_equal(r.err.code, ATLS_E_USAGE);
    atls_error_clear(&r.err);
    rig_say(r.server, r.client, "and goes on");
    rig_close(&r);
}

int main(void)
{
    static const bool reads = false;
    static const bool writes = true;
    tap_list l = {0};
    tap_add(&l, "two honest ends: established, and what the result says", test_honest, NULL);
    tap_add(&l, "the same through a transport that holds one byte", test_byte_by_byte, NULL);
    tap_add(&l, "what the peer is called", test_peer, NULL);
    tap_add(&l, "a HelloRetryRequest changes nothing", test_retry_request, NULL);
    tap_add(&l, "a key update changes nothing", test_key_update, NULL);
    tap_add(&l, "SSL_clear, and somebody else: nothing is read", test_another_handshake, &reads);
    tap_add(&l, "SSL_clear, and somebody else: nothing is written", test_another_handshake, &writes);
    tap_add(&l, "SSL_clear on the way", test_cleared_on_the_way, NULL);
    tap_add(&l, "a server's SSL is cleared, and hears the same hello", test_hello_said_again, NULL);
    tap_add(&l, "which handshake it is", test_which_handshake, NULL);
    tap_add(&l, "R12: no application byte at any step before", test_refused_before, NULL);
    tap_add(&l, "R12: none after a failure", test_refused_after, NULL);
    tap_add(&l, "R12: a failure closes at once", test_failure_closes, NULL);
    tap_add(&l, "the first error wins in the caller's object", test_first_error_wins, NULL);
    tap_add(&l, "close ends one direction", test_close, NULL);
    tap_add(&l, "an end without close_notify is truncation", test_truncation, NULL);
    tap_add(&l, "closed before it was established: over", test_close_early, NULL);
    tap_add(&l, "a full transport is want-write, and nothing is lost", test_want_write, NULL);
    tap_add(&l, "a close may have to wait", test_close_waits, NULL);
    tap_add(&l, "a close in the middle of a write is refused", test_close_in_a_write, NULL);
    tap_add(&l, "blocking calls want a descriptor", test_nothing_to_wait_on, NULL);
    tap_add(&l, "buffers of no bytes", test_empty_buffers, NULL);
    return tap_run("session", &l);
}
