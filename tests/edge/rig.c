/* SPDX-License-Identifier: Apache-2.0 */
/* rig.c: the honest rig. */
#include "rig.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#define MAX_IDLE_TURNS 20u
#define MAX_TURNS      2000000u
#define ARENA_SIZE     ((size_t)64 * 1024 * 1024)

static void check(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[700];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

unsigned rig_patience(void)
{
    return getenv("ATLS_TEST_QUICK") == NULL ? 1 : 12;
}

void rig_nap(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

void rig_file(char path[64], atls_bytes content)
{
    snprintf(path, 64, "/tmp/atls-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.ptr, content.len), (ssize_t)content.len);
    assert_int_equal(close(fd), 0);
}

static X509 *read_cert(BIO *b)
{
    return PEM_read_bio_X509(b, NULL, NULL, NULL);
}

SSL_CTX *rig_context(bool is_server, const sim_tls *tls)
{
    SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    assert_non_null(ctx);
    if (tls == NULL) {
        return ctx;
    }
    BIO *chain = BIO_new_mem_buf(tls->chain_pem.ptr, (int)tls->chain_pem.len);
    BIO *key = BIO_new_mem_buf(tls->key_pem.ptr, (int)tls->key_pem.len);
    X509 *leaf = read_cert(chain);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_certificate(ctx, leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, pkey), 1);
    for (X509 *next = read_cert(chain); next != NULL; next = read_cert(chain)) {
        assert_int_equal(SSL_CTX_add0_chain_cert(ctx, next), 1);
    }
    ERR_clear_error();
    X509_free(leaf);
    EVP_PKEY_free(pkey);
    BIO_free(chain);
    BIO_free(key);
    return ctx;
}

bool rig_attest_counted(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    rig_counted *c = ctx;
    c->n++;
    return sim_attest(c->room, report_data, a, out, err);
}

void rig_policy_of(rig *r, const char *kind, const char *edit)
{
    atls_bytes document;
    atls_verifier_free(r->verifier);
    atls_policy_free(r->policy);
    r->verifier = NULL;
    r->policy = NULL;
    check(sim_policy(r->sim, kind, &r->arena, &document, &r->err), &r->err);
    const char *edited =
        atls_text_format(&r->arena, &r->err, "{%s%.*s", edit, (int)document.len - 1, (const char *)document.ptr + 1);
    const atls_bytes root = sim_root(r->sim);
    assert_true(strlen(edit) < 200);
    if (edit != r->policy_edit) {
        (void)snprintf(r->policy_edit, sizeof r->policy_edit, "%s", edit);
    }
    assert_non_null(edited);
    check(atls_policy_parse_with_roots(atls_bytes_str(edited), &root, 1, &r->policy, &r->err), &r->err);
    check(atls_verifier_new(r->policy, &r->verifier, &r->err), &r->err);
    r->client_options.verifier = r->verifier;
}

void rig_policy(rig *r, const char *edit)
{
    rig_policy_of(r, "dstack_tdx", edit);
}

void rig_open(rig *r)
{
    rig_open_at(r, ATLS_TIME_UNSET);
}

void rig_open_at(rig *r, atls_time now)
{
    const sim_options room = {.now = now};
    *r = (rig){0};
    check(atls_arena_new(&r->arena, ARENA_SIZE, &r->err), &r->err);
    check(sim_new(&room, &r->sim, &r->err), &r->err);
    check(sim_tls_identity(r->sim, RIG_NAME, &r->arena, &r->tls, &r->err), &r->err);
    check(sim_measure_certificate(r->sim, r->tls.leaf_der, &r->err), &r->err);
    rig_policy(r, "");
    rig_file(r->ca_file, r->tls.ca_pem);
    r->client_ctx = rig_context(false, NULL);
    r->server_ctx = rig_context(true, &r->tls);
    r->client_options = (atls_client_options){
        .server_name = RIG_NAME,
        .verifier = r->verifier,
        .endorse = sim_endorse,
        .endorse_ctx = r->sim,
        .identity = ATLS_IDENTITY_CA,
        .ca_file = r->ca_file,
        .now = sim_now(r->sim),
        .profiles = ATLS_PROFILE_DSTACK,
    };
    r->server_options =
        (atls_server_options){.attest = sim_attest, .attest_ctx = r->sim, .profiles = ATLS_PROFILE_DSTACK};
}

void rig_close(rig *r)
{
    atls_session_free(r->client);
    atls_session_free(r->server);
    SSL_free(r->client_ssl);
    SSL_free(r->server_ssl);
    SSL_CTX_free(r->client_ctx);
    SSL_CTX_free(r->server_ctx);
    atls_verifier_free(r->verifier);
    atls_policy_free(r->policy);
    sim_free(r->sim);
    atls_arena_free(&r->arena);
    (void)unlink(r->ca_file);
    assert_int_equal(ERR_peek_error(), 0); /* nobody left anything in OpenSSL's queue */
}

void rig_native(rig *r)
{
    r->client_options.profiles = ATLS_PROFILE_NATIVE;
    r->server_options.profiles = ATLS_PROFILE_NATIVE;
    SSL_CTX_set_alpn_select_cb(r->server_ctx, atls_server_select_alpn, NULL);
}

void rig_mutual(rig *r)
{
    rig_native(r);
    if (strstr(r->policy_edit, "attested_only") == NULL) { /* of clients: they have no certificate */
        char edit[sizeof r->policy_edit];
        (void)snprintf(edit, sizeof edit, "\"attested_only\":true,%.200s", r->policy_edit);
        rig_policy(r, edit);
    }
    r->client_options.attest = sim_attest;
    r->client_options.attest_ctx = r->sim;
    r->server_options.verifier = r->verifier;
    r->server_options.endorse = sim_endorse;
    r->server_options.endorse_ctx = r->sim;
    r->server_options.now = sim_now(r->sim);
}

void rig_ssl(rig *r)
{
    size_t size = r->bio_size == 0 ? 16384 : r->bio_size;
    r->client_ssl = SSL_new(r->client_ctx);
    r->server_ssl = SSL_new(r->server_ctx);
    assert_non_null(r->client_ssl);
    assert_non_null(r->server_ssl);
    assert_int_equal(BIO_new_bio_pair(&r->client_bio, size, &r->server_bio, size), 1);
    SSL_set_bio(r->client_ssl, r->client_bio, r->client_bio);
    SSL_set_bio(r->server_ssl, r->server_bio, r->server_bio);
}

void rig_client(rig *r)
{
    check(atls_client_session_new(r->client_ssl, &r->client_options, &r->client, &r->err), &r->err);
}

void rig_server(rig *r)
{
    check(atls_server_session_new(r->server_ssl, &r->server_options, &r->server, &r->err), &r->err);
}

void rig_start(rig *r, rig_script script)
{
    rig_ssl(r);
    rig_client(r);
    r->script = script;
    r->peer.ssl = r->server_ssl;
    if (script == NULL) {
        rig_server(r);
    } else {
        SSL_set_accept_state(r->server_ssl);
        /* A transport of one byte cannot carry tickets one way and the request the other. */
        (void)SSL_set_num_tickets(r->server_ssl, r->bio_size == 1 ? 0 : 2);
    }
}

/* ---- the scripted peer ------------------------------------------------------------------------------------------- */

static void note(rig_peer *p, int rc)
{
    int code = SSL_get_error(p->ssl, rc);
    p->failed = p->failed || code == SSL_ERROR_SSL || code == SSL_ERROR_SYSCALL || code == SSL_ERROR_ZERO_RETURN;
    ERR_clear_error();
}

static bool has_request(const rig_peer *p)
{
    static const char end[] = "\r\n\r\n{\"nonce_hex\":\"";
    for (size_t i = 0; i + strlen(end) + 66 <= p->in_len; i++) {
        if (memcmp(p->in + i, end, strlen(end)) == 0) {
            return true;
        }
    }
    return false;
}

static void peer_say(rig *r, rig_peer *p)
{
    while (p->sent < p->out.len) {
        size_t left = p->out.len - p->sent;
        size_t n = p->out_record != 0 && p->out_record < left ? p->out_record : left;
        if (p->tickets) {
            assert_int_equal(SSL_new_session_ticket(p->ssl), 1);
        }
        int rc = SSL_write(p->ssl, p->out.ptr + p->sent, (int)n);
        if (rc <= 0) {
            note(p, rc);
            return;
        }
        p->sent += (size_t)rc;
    }
    if (p->close) {
        p->close = SSL_shutdown(p->ssl) < 0; /* again, while the transport has no room */
        ERR_clear_error();
    }
    if (p->cut) {
        p->cut = false;
        (void)BIO_shutdown_wr(r->server_bio);
    }
}

void rig_peer_step(rig *r)
{
    rig_peer *p = &r->peer;
    if (p->failed) {
        return;
    }
    ERR_clear_error();
    if (SSL_is_init_finished(p->ssl) == 0) {
        note(p, SSL_do_handshake(p->ssl));
        return;
    }
    if (p->scripted) {
        peer_say(r, p);
        return;
    }
    int rc = SSL_read(p->ssl, p->in + p->in_len, (int)(sizeof p->in - p->in_len));
    if (rc <= 0) {
        note(p, rc);
        return;
    }
    p->in_len += (size_t)rc;
    if (has_request(p)) {
        p->out = r->script(r);
        p->scripted = true;
    }
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static void step_server(rig *r)
{
    if (r->server == NULL) {
        rig_peer_step(r);
    } else if (r->server_step != ATLS_STEP_DONE) {
        r->server_step = atls_session_step(r->server, &r->server_err);
    }
}

static bool is_over(atls_step step)
{
    return step == ATLS_STEP_DONE || step == ATLS_STEP_FAILED;
}

/* Evidence is in the making in another thread: nothing moves on the wire meanwhile. */
static bool wait_for_evidence(const rig *r)
{
    const atls_session *s = r->server_step == ATLS_STEP_WANT_EVIDENCE   ? r->server
                            : r->client_step == ATLS_STEP_WANT_EVIDENCE ? r->client
                                                                        : NULL;
    struct pollfd p = {.fd = s == NULL ? -1 : atls_session_wait_fd(s), .events = POLLIN};
    return s != NULL && poll(&p, 1, 10000) == 1;
}

static void run(rig *r, bool to_end)
{
    uint64_t before = 0;
    unsigned idle = 0;
    r->client_step = ATLS_STEP_WANT_READ;
    r->server_step = ATLS_STEP_WANT_READ;
    for (unsigned turn = 0; turn < MAX_TURNS && idle < MAX_IDLE_TURNS; turn++) {
        if (!is_over(r->client_step)) {
            r->client_step = atls_session_step(r->client, &r->client_err);
            r->n_steps++;
        }
        if (is_over(r->client_step) && (!to_end || is_over(r->server_step))) {
            return;
        }
        step_server(r);
        uint64_t moved = BIO_number_read(r->client_bio) + BIO_number_written(r->client_bio)
                         + BIO_number_read(r->server_bio) + BIO_number_written(r->server_bio);
        idle = moved == before && !wait_for_evidence(r) ? idle + 1 : 0;
        before = moved;
    }
}

void rig_run(rig *r)
{
    run(r, false);
}

void rig_run_to_end(rig *r)
{
    run(r, true);
}

void rig_expect_client(const rig *r, atls_code code, const char *field)
{
    assert_string_equal(atls_code_name(r->client_err.code), atls_code_name(code));
    assert_string_equal(r->client_err.field, field);
    assert_int_equal(r->client_step, ATLS_STEP_FAILED);
    assert_true(r->client_err.message[0] != '\0');
}

void rig_expect_established(const rig *r)
{
    assert_int_equal(r->client_step, ATLS_STEP_DONE);
    assert_int_equal(r->server_step, ATLS_STEP_DONE);
    assert_int_equal(r->client_err.code, ATLS_OK);
    assert_int_equal(r->server_err.code, ATLS_OK);
}

void rig_say(atls_session *from, atls_session *to, const char *text)
{
    char got[64] = "";
    size_t n = 0;
    atls_error err = {0};
    assert_int_equal(atls_session_write(from, text, strlen(text), &n, &err), ATLS_STEP_DONE);
    assert_int_equal(n, strlen(text));
    assert_int_equal(atls_session_read(to, got, sizeof got, &n, &err), ATLS_STEP_DONE);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(got, text, n);
    assert_int_equal(atls_session_read(to, got, sizeof got, &n, &err), ATLS_STEP_WANT_READ);
    assert_int_equal(n, 0);
    assert_int_equal(err.code, ATLS_OK);
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

void rig_nonce(const rig *r, uint8_t nonce[32])
{
    const char *at = NULL;
    for (size_t i = 0; i + 66 <= r->peer.in_len && at == NULL; i++) {
        at = memcmp(r->peer.in + i, "_hex\":\"", 7) == 0 ? r->peer.in + i + 7 : NULL;
    }
    assert_non_null(at);
    assert_true(atls_hex_fixed(atls_bytes_of(at, 64), nonce, 32));
}

void rig_exporter(SSL *ssl, uint8_t ekm[32])
{
    assert_int_equal(SSL_export_keying_material(ssl, ekm, 32, "EXPORTER-Channel-Binding", 24, NULL, 0, 0), 1);
}

atls_bytes rig_body(rig *r)
{
    uint8_t nonce[32];
    uint8_t ekm[32];
    uint8_t report_data[64];
    atls_bytes body;
    rig_nonce(r, nonce);
    rig_exporter(r->server_ssl, ekm);
    check(atls_dstack_report_data(nonce, ekm, report_data, &r->err), &r->err);
    check(sim_response(r->sim, report_data, &r->arena, &body, &r->err), &r->err);
    return body;
}

atls_bytes rig_answer(rig *r, const char *headers, atls_bytes body)
{
    atls_buf b;
    atls_bytes out;
    atls_buf_init(&b, &r->arena, &r->err);
    atls_buf_str(&b, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
    atls_buf_str(&b, headers);
    atls_buf_str(&b, "\r\n");
    atls_buf_put(&b, body);
    check(atls_buf_done(&b, &out), &r->err);
    return out;
}

atls_bytes rig_answer_counted(rig *r, atls_bytes body)
{
    char length[64];
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", body.len);
    return rig_answer(r, length, body);
}
