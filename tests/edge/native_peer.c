/* SPDX-License-Identifier: Apache-2.0 */
/* native_peer.c: the honest end of atls/1 by hand, with a place for a lie before every word. */
#include "native_peer.h"

#include <openssl/err.h>

#include "edge/tls/spki.h"

#define MAX_IDLE_TURNS 8u
#define MAX_LEAVES     8u

static void check(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[700];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* ---- both ends --------------------------------------------------------------------------------------------------- */

void native_set_up(rig *r, native_victim victim)
{
    if (victim == CLIENT_ASKS || victim == SERVER_PROVES) {
        rig_native(r);
        return;
    }
    rig_mutual(r);
    if (victim == CLIENT_PROVES) {
        r->client_options.verifier = NULL;
    }
    if (victim == SERVER_ASKS) {
        r->server_options.attest = NULL;
    }
}

/* What the peer asks for, so that the session's part comes about. */
static void wish(native_peer *p, native_victim victim)
{
    memset(p->mine.nonce, 0x5a, sizeof p->mine.nonce);
    p->mine.protocols = (atls_native_names){.items = {atls_bytes_str(ATLS_NATIVE_NO_PROTOCOL)}, .n = 1};
    if (victim != CLIENT_ASKS && victim != SERVER_ASKS) {
        p->mine.types = (atls_native_names){.items = {atls_bytes_str(ATLS_NATIVE_TYPE_DCAP)}, .n = 1};
    }
}

static void start_peer(native_peer *p)
{
    static const unsigned char alpn[] = "\006atls/1";
    rig *r = p->r;
    p->ssl = p->is_server ? r->server_ssl : r->client_ssl;
    if (p->is_server) {
        SSL_set_accept_state(p->ssl);
        assert_int_equal(SSL_set_num_tickets(p->ssl, 0), 1);
        rig_client(r);
    } else {
        SSL_set_connect_state(p->ssl);
        if ((r->server_options.profiles & ATLS_PROFILE_NATIVE) != 0) {
            assert_int_equal(SSL_set_alpn_protos(p->ssl, alpn, 7), 0);
        }
        rig_server(r);
    }
}

native_peer *native_peer_open(rig *r, native_victim victim, const native_lies *lies)
{
    static const native_lies none = {0};
    native_peer *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->r = r;
    p->machine = r->sim;
    p->lies = lies == NULL ? &none : lies;
    p->is_server = victim == CLIENT_ASKS || victim == CLIENT_BOTH || victim == CLIENT_PROVES;
    p->peer_hello = p->my_hello = p->evidence = p->my_proof = atls_bytes_empty();
    check(atls_crypto_new(&p->crypto, &r->err), &r->err);
    wish(p, victim);
    rig_ssl(r);
    start_peer(p);
    r->client_step = r->server_step = ATLS_STEP_WANT_READ;
    return p;
}

void native_peer_close(native_peer *p)
{
    atls_crypto_free(p->crypto);
    free(p);
}

atls_session *native_session(const native_peer *p)
{
    return p->is_server ? p->r->client : p->r->server;
}

atls_step native_step(const native_peer *p)
{
    return p->is_server ? p->r->client_step : p->r->server_step;
}

const atls_error *native_error(const native_peer *p)
{
    return p->is_server ? &p->r->client_err : &p->r->server_err;
}

/* ---- moving ------------------------------------------------------------------------------------------------------ */

static uint64_t traffic(const rig *r)
{
    return BIO_number_read(r->client_bio) + BIO_number_written(r->client_bio) + BIO_number_read(r->server_bio)
           + BIO_number_written(r->server_bio);
}

static bool is_over(const native_peer *p)
{
    return native_step(p) == ATLS_STEP_DONE || native_step(p) == ATLS_STEP_FAILED;
}

bool native_pump(native_peer *p)
{
    atls_step *step = p->is_server ? &p->r->client_step : &p->r->server_step;
    atls_error *err = p->is_server ? &p->r->client_err : &p->r->server_err;
    const uint64_t before = traffic(p->r);
    if (is_over(p)) {
        return false;
    }
    *step = atls_session_step(native_session(p), err);
    return is_over(p) || traffic(p->r) != before;
}

/* After a call that did not succeed: is it worth another one? */
static bool try_again(native_peer *p, int rc, unsigned *idle)
{
    const int code = SSL_get_error(p->ssl, rc);
    ERR_clear_error();
    if (code != SSL_ERROR_WANT_READ && code != SSL_ERROR_WANT_WRITE) {
        p->over = true;
        return false;
    }
    *idle = native_pump(p) ? 0 : *idle + 1;
    return *idle < MAX_IDLE_TURNS;
}

bool native_peer_handshake(native_peer *p)
{
    unsigned idle = 0;
    int rc;
    do {
        ERR_clear_error();
        rc = SSL_do_handshake(p->ssl);
    } while (rc != 1 && try_again(p, rc, &idle));
    return rc == 1;
}

bool native_peer_write(native_peer *p, atls_bytes bytes)
{
    unsigned idle = 0;
    int rc = 1;
    if (p->over || bytes.len == 0) {
        return bytes.len == 0;
    }
    do {
        ERR_clear_error();
        rc = SSL_write(p->ssl, bytes.ptr, (int)bytes.len);
    } while (rc <= 0 && try_again(p, rc, &idle));
    return rc > 0;
}

static bool has_frame(const native_peer *p, size_t *len)
{
    *len = p->in_len < 4 ? 0 : 4 + ((size_t)p->in[1] << 16 | (size_t)p->in[2] << 8 | p->in[3]);
    return p->in_len >= 4 && p->in_len >= *len;
}

static bool note_refusal(native_peer *p, atls_bytes frame)
{
    atls_native_message m;
    atls_native_done done;
    atls_error ignored = {0};
    if (!atls_native_peek(native_body(frame), &m, &ignored) || m != ATLS_NATIVE_DONE
        || !atls_native_read_done(native_body(frame), &done, &ignored)) {
        return false;
    }
    p->told = done.refusal;
    p->said_yes = p->said_yes || done.refusal == ATLS_CATEGORY_NONE;
    p->accepted = done.refusal == ATLS_CATEGORY_NONE && memcmp(done.context, p->context, 32) == 0;
    return done.refusal != ATLS_CATEGORY_NONE;
}

bool native_peer_read(native_peer *p, atls_bytes *frame)
{
    unsigned idle = 0;
    size_t len;
    while (!has_frame(p, &len)) {
        ERR_clear_error();
        assert_true(p->in_len < sizeof p->in);
        int rc = p->over ? 0 : SSL_read(p->ssl, p->in + p->in_len, (int)(sizeof p->in - p->in_len));
        if (p->over || (rc <= 0 && !try_again(p, rc, &idle))) {
            return false;
        }
        p->in_len += rc > 0 ? (size_t)rc : 0;
    }
    check(atls_arena_copy(&p->r->arena, atls_bytes_of(p->in, len), frame, &p->r->err), &p->r->err);
    p->in_len -= len;
    memmove(p->in, p->in + len, p->in_len);
    return !note_refusal(p, *frame);
}

void native_peer_settle(native_peer *p)
{
    atls_bytes frame;
    while (native_peer_read(p, &frame)) { /* nobody listens any more, but for a refusal */
    }
    for (unsigned idle = 0; idle < MAX_IDLE_TURNS;) {
        idle = native_pump(p) ? 0 : idle + 1;
    }
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static void send(native_peer *p, atls_native_message m, atls_bytes honest)
{
    const atls_bytes frame = p->lies->frame == NULL ? honest : p->lies->frame(p, m, honest);
    (void)native_peer_write(p, frame);
}

static void agree(native_peer *p)
{
    if (p->my_hello.len > 0 && p->peer_hello.len > 0) {
        check(atls_native_context(p->crypto, p->is_server ? p->peer_hello : p->my_hello,
                                  p->is_server ? p->my_hello : p->peer_hello, p->context, &p->r->err),
              &p->r->err);
    }
}

void native_peer_note_hello(native_peer *p, atls_bytes frame)
{
    p->peer_hello = frame;
    check(atls_native_read_hello(!p->is_server, native_body(frame), &p->peers, &p->r->err), &p->r->err);
    agree(p);
}

void native_peer_send_hello(native_peer *p)
{
    if (p->is_server) {
        p->mine.protocols = (atls_native_names){.items = {p->peers.protocols.items[0]}, .n = 1};
    }
    if (p->lies->hello != NULL) {
        p->lies->hello(p, &p->mine);
    }
    check(atls_native_write_hello(p->is_server, &p->mine, &p->r->arena, &p->my_hello, &p->r->err), &p->r->err);
    agree(p);
    send(p, p->is_server ? ATLS_NATIVE_SERVER_HELLO : ATLS_NATIVE_CLIENT_HELLO, p->my_hello);
}

static size_t hash_key(native_peer *p, const X509 *cert, uint8_t out[32])
{
    if (cert == NULL) {
        return 0;
    }
    check(atls_spki_sha256(cert, "certificate", out, &p->r->err), &p->r->err);
    return 32;
}

/* The other leaves of a tree are other people's. */
static void plant(native_peer *p, const native_claim *c, const uint8_t leaf[64], uint8_t root[64])
{
    union { /* C17 has no way from an array to one of constants */
        uint8_t write[MAX_LEAVES][64];
        const uint8_t read[MAX_LEAVES][64];
    } leaves;
    atls_tree_path paths[MAX_LEAVES];
    assert_true(c->tree_size <= MAX_LEAVES);
    for (size_t i = 0; i < c->tree_size; i++) {
        memset(leaves.write[i], (int)(0x40 + i), 64);
    }
    memcpy(leaves.write[c->tree_index], leaf, 64);
    check(atls_tree_paths(p->crypto, leaves.read, c->tree_size, &p->r->arena, root, paths, &p->r->err), &p->r->err);
    p->path = paths[c->tree_index];
}

void native_peer_prove(native_peer *p, uint8_t report[64])
{
    uint8_t exporter[64];
    uint8_t leaf[64];
    uint8_t root[64];
    native_claim c = {.role = p->is_server ? ATLS_NATIVE_SERVER : ATLS_NATIVE_CLIENT,
                      .label = p->is_server ? ATLS_NATIVE_LABEL_SERVER : ATLS_NATIVE_LABEL_CLIENT,
                      .tree_size = 1};
    memcpy(c.context, p->context, sizeof c.context);
    memcpy(c.nonce, p->peers.nonce, sizeof c.nonce);
    c.prover_len = hash_key(p, SSL_get_certificate(p->ssl), c.prover);
    c.verifier_len = hash_key(p, SSL_get0_peer_certificate(p->ssl), c.verifier);
    if (p->lies->claim != NULL) {
        p->lies->claim(p, &c);
    }
    assert_int_equal(SSL_export_keying_material(p->ssl, exporter, sizeof exporter, c.label, strlen(c.label), c.context,
                                                c.without_context ? 0 : sizeof c.context, c.without_context ? 0 : 1),
                     1);
    const atls_native_leaf_input in = {.role = c.role,
                                       .exporter = exporter,
                                       .nonce = c.nonce,
                                       .prover_spki = atls_bytes_of(c.prover, c.prover_len),
                                       .verifier_spki = atls_bytes_of(c.verifier, c.verifier_len)};
    check(atls_native_leaf(p->crypto, &in, leaf, &p->r->err), &p->r->err);
    plant(p, &c, leaf, root);
    check(atls_native_report(p->crypto, c.said_size != 0 ? c.said_size : c.tree_size, root, report, &p->r->err),
          &p->r->err);
    if (p->lies->report != NULL) {
        p->lies->report(p, report);
    }
}

void native_peer_quote(native_peer *p, const uint8_t report[64], atls_native_evidence *out)
{
    check(sim_attest(p->machine, report, &p->r->arena, &p->quoted, &p->r->err), &p->r->err);
    *out = (atls_native_evidence){.evidence = {atls_bytes_str(ATLS_NATIVE_TYPE_DCAP), p->quoted.quote},
                                  .has_companion = true,
                                  .companion = {atls_bytes_str(ATLS_NATIVE_TYPE_LOG), p->quoted.event_log},
                                  .path = p->path};
}

void native_peer_send_evidence(native_peer *p)
{
    uint8_t report[64];
    atls_native_evidence e;
    atls_error by_writer = {0};
    native_peer_prove(p, report);
    native_peer_quote(p, report, &e);
    if (p->lies->evidence != NULL) {
        p->lies->evidence(p, &e);
    }
    if (!atls_native_write_evidence(&e, &p->r->arena, &p->my_proof, &by_writer)) {
        p->my_proof = native_by_hand(p, &e, e.path.size != 1 || e.path.siblings.len > 0);
    }
    send(p, ATLS_NATIVE_EVIDENCE, p->my_proof);
}

void native_peer_send_done(native_peer *p)
{
    atls_native_done done = {.refusal = ATLS_CATEGORY_NONE};
    atls_bytes frame;
    memcpy(done.context, p->context, sizeof done.context);
    check(atls_native_write_done(&done, &p->r->arena, &frame, &p->r->err), &p->r->err);
    send(p, ATLS_NATIVE_DONE, frame);
}

/* ---- the whole part ---------------------------------------------------------------------------------------------- */

static bool play_server(native_peer *p)
{
    atls_bytes frame;
    if (!native_peer_read(p, &frame)) {
        return false;
    }
    native_peer_note_hello(p, frame);
    native_peer_send_hello(p);
    if (p->peers.types.n > 0) {
        native_peer_send_evidence(p);
    }
    if (p->mine.types.n > 0 && !native_peer_read(p, &p->evidence)) {
        return false;
    }
    if (!native_peer_read(p, &frame)) {
        return false;
    }
    native_peer_send_done(p);
    return true;
}

static bool play_client(native_peer *p)
{
    atls_bytes frame;
    native_peer_send_hello(p);
    if (!native_peer_read(p, &frame)) {
        return false;
    }
    native_peer_note_hello(p, frame);
    if (p->mine.types.n > 0 && !native_peer_read(p, &p->evidence)) {
        return false;
    }
    if (p->peers.types.n > 0) {
        native_peer_send_evidence(p);
    }
    native_peer_send_done(p);
    return native_peer_read(p, &frame);
}

void native_peer_play(native_peer *p)
{
    bool played = native_peer_handshake(p) && (p->is_server ? play_server(p) : play_client(p));
    if (!played || native_step(p) != ATLS_STEP_DONE) {
        native_peer_settle(p);
    }
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

atls_bytes native_join(native_peer *p, atls_bytes a, atls_bytes b)
{
    atls_buf buf;
    atls_bytes out;
    atls_buf_init(&buf, &p->r->arena, &p->r->err);
    atls_buf_put(&buf, a);
    atls_buf_put(&buf, b);
    check(atls_buf_done(&buf, &out), &p->r->err);
    return out;
}

atls_bytes native_put(native_peer *p, atls_bytes in, size_t at, uint8_t byte)
{
    assert_true(at < in.len);
    const atls_bytes head = native_join(p, atls_bytes_of(in.ptr, at), atls_bytes_of(&byte, 1));
    return native_join(p, head, atls_bytes_of(in.ptr + at + 1, in.len - at - 1));
}

atls_bytes native_frame_of(native_peer *p, atls_bytes body)
{
    const uint8_t length[4] = {(uint8_t)(body.len >> 24), (uint8_t)(body.len >> 16), (uint8_t)(body.len >> 8),
                               (uint8_t)body.len};
    return native_join(p, atls_bytes_of(length, 4), body);
}

atls_bytes native_body(atls_bytes frame)
{
    return atls_bytes_of(frame.ptr + 4, frame.len - 4);
}

static void put_tree(atls_cw *w, const atls_tree_path *path)
{
    const size_t len = path->siblings.len;
    atls_cw_uint(w, 3);
    atls_cw_array(w, 3);
    atls_cw_uint(w, path->index);
    atls_cw_uint(w, path->size);
    atls_cw_array(w, (len + 63) / 64);
    for (size_t at = 0; at < len; at += 64) {
        atls_cw_bytes(w, atls_bytes_of(path->siblings.ptr + at, len - at < 64 ? len - at : 64));
    }
}

atls_bytes native_by_hand(native_peer *p, const atls_native_evidence *e, bool with_tree)
{
    atls_buf buf;
    atls_bytes body;
    atls_cw w;
    atls_buf_init(&buf, &p->r->arena, &p->r->err);
    atls_cw_init(&w, &buf);
    atls_cw_map(&w, with_tree ? 3 : 2);
    atls_cw_uint(&w, 0);
    atls_cw_uint(&w, ATLS_NATIVE_EVIDENCE);
    atls_cw_uint(&w, 1);
    if (e->has_companion) {
        atls_cw_map(&w, 2);
        atls_cw_uint(&w, 0);
    }
    atls_cmw_write(&w, ATLS_CMW_EVIDENCE, &e->evidence);
    if (e->has_companion) {
        atls_cw_uint(&w, 1);
        atls_cmw_write(&w, ATLS_CMW_EVIDENCE, &e->companion);
    }
    if (with_tree) {
        put_tree(&w, &e->path);
    }
    check(atls_buf_done(&buf, &body), &p->r->err);
    return native_frame_of(p, body);
}

/* ---- what is wanted ---------------------------------------------------------------------------------------------- */

void native_expect_sealed(atls_session *s, atls_code code)
{
    char byte = 'x';
    size_t n = 7;
    atls_error err = {0};
    const atls_result *result = atls_session_result(s);
    assert_true(result == NULL || result->verdict == ATLS_VERDICT_REJECTED);
    assert_int_equal(atls_session_read(s, &byte, 1, &n, &err), ATLS_STEP_FAILED);
    assert_string_equal(atls_code_name(err.code), atls_code_name(code));
    assert_int_equal(n, 0);
    assert_int_equal(byte, 'x');
    atls_error_clear(&err);
    assert_int_equal(atls_session_write(s, &byte, 1, &n, &err), ATLS_STEP_FAILED);
    assert_string_equal(atls_code_name(err.code), atls_code_name(code));
    assert_int_equal(n, 0);
    assert_int_equal(ERR_peek_error(), 0);
}

void native_expect_refused(const native_peer *p, atls_code code, const char *field)
{
    const atls_error *err = native_error(p);
    assert_string_equal(atls_code_name(err->code), atls_code_name(code));
    assert_string_equal(err->field, field);
    assert_int_equal(native_step(p), ATLS_STEP_FAILED);
    assert_true(err->message[0] != '\0');
    native_expect_sealed(native_session(p), code);
    assert_int_equal(atls_session_wait_fd(native_session(p)), -1); /* no ticket is left */
}

void native_expect_told(const native_peer *p)
{
    /* behind our accepting done nothing of ours follows, or the peer's application would take it for the application's */
    atls_category wanted = p->said_yes ? ATLS_CATEGORY_NONE : native_error(p)->category;
    assert_string_equal(atls_category_name(p->told), atls_category_name(wanted));
}

void native_expect_talk(native_peer *p)
{
    char buf[16] = "";
    size_t n = 0;
    atls_error err = {0};
    atls_session *s = native_session(p);
    check(native_step(p) == ATLS_STEP_DONE, native_error(p));
    assert_true(p->accepted);
    assert_int_equal(SSL_write(p->ssl, "ping", 4), 4);
    assert_int_equal(atls_session_read(s, buf, sizeof buf, &n, &err), ATLS_STEP_DONE);
    assert_int_equal(n, 4);
    assert_memory_equal(buf, "ping", 4);
    assert_int_equal(atls_session_write(s, "pong", 4, &n, &err), ATLS_STEP_DONE);
    assert_int_equal(SSL_read(p->ssl, buf, sizeof buf), 4);
    assert_memory_equal(buf, "pong", 4);
}

/* Of these the peer cannot be told, or need not be. */
static bool is_told(atls_code code)
{
    return code != ATLS_E_IO && code != ATLS_E_TIMEOUT && code != ATLS_E_PEER_REFUSED && code != ATLS_E_TLS_HANDSHAKE;
}

void native_row_run(void **state)
{
    const native_row *w = *state;
    rig r;
    rig_open(&r);
    native_set_up(&r, w->victim);
    if (w->lies.set_up != NULL) {
        w->lies.set_up(&r);
    }
    native_peer *p = native_peer_open(&r, w->victim, &w->lies);
    native_peer_play(p);
    if (w->code == ATLS_OK) {
        native_expect_talk(p);
    } else {
        native_expect_refused(p, w->code, w->field);
        if (is_told(w->code)) {
            native_expect_told(p);
        }
    }
    native_peer_close(p);
    rig_close(&r);
}
