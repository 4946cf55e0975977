/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_native_session.c: atls_session_step of atls/1, behind an honest TLS handshake with an ordinary peer, over whatever
 * that peer says then, in pieces, while the application tries to read and write. The first byte chooses who is attacked.
 *
 * Pieces are a length byte and so many bytes; a length of 0 is a frame's worth: 2 bytes of length, then the bytes. A
 * session never comes about, since nobody here can make evidence; no application byte passes; every end is an error in
 * words; OpenSSL's queue is left empty. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "atls/tls.h"
#include "edge/tls/native.h"
#include "fuzz.h"

#define NAME "a"

/* Made once: a key pair, two SSL_CTXs, a verifier that trusts the vendor's root only. */
typedef struct world {
    SSL_CTX *server;
    SSL_CTX *client;
    atls_verifier *verifier;
    uint8_t pin[32];
} world;

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    FUZZ_ASSERT(cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1);
    FUZZ_ASSERT(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1);
    FUZZ_ASSERT(ASN1_TIME_set_string(X509_getm_notBefore(cert), "20200101000000Z") == 1);
    FUZZ_ASSERT(ASN1_TIME_set_string(X509_getm_notAfter(cert), "20991231235959Z") == 1);
    FUZZ_ASSERT(X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void make_identity(world *w)
{
    unsigned char *spki = NULL;
    unsigned n = 0;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FUZZ_ASSERT(key != NULL);
    X509 *cert = make_certificate(key);
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
    FUZZ_ASSERT(len > 0 && EVP_Digest(spki, (size_t)len, w->pin, &n, EVP_sha256(), NULL) == 1);
    FUZZ_ASSERT(SSL_CTX_use_certificate(w->server, cert) == 1 && SSL_CTX_use_PrivateKey(w->server, key) == 1);
    OPENSSL_free(spki);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static const world *the_world(void)
{
    static const char document[] = "{\"type\":\"tdx\",\"attested_only\":true,\"mrtd\":\""
                                   "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
                                   "0000000000000000\"}";
    static world w;
    static atls_policy *policy;
    atls_error err = {0};
    if (w.verifier == NULL) {
        w.server = SSL_CTX_new(TLS_server_method());
        w.client = SSL_CTX_new(TLS_client_method());
        make_identity(&w);
        SSL_CTX_set_alpn_select_cb(w.server, atls_server_select_alpn, NULL);
        FUZZ_ASSERT(SSL_CTX_set_num_tickets(w.server, 0) == 1);
        FUZZ_ASSERT(atls_policy_parse(atls_bytes_str(document), &policy, &err));
        FUZZ_ASSERT(atls_verifier_new(policy, &w.verifier, &err));
    }
    return &w;
}

/* What the session shows: nothing that anybody could take for evidence. */
static bool attest(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err)
{
    (void)ctx;
    (void)arena;
    (void)err;
    *out = (atls_evidence){atls_bytes_of(report_data, 64), atls_bytes_empty(), atls_bytes_empty()};
    return true;
}

/* One session and its peer, over memory. */
typedef struct stage {
    SSL *own;
    SSL *peer;
    atls_session *s;
    atls_step step;
    atls_error err;
} stage;

static void open_session(stage *t, const world *w, bool is_server)
{
    const atls_client_options client = {.server_name = NAME,
                                        .verifier = w->verifier,
                                        .identity = ATLS_IDENTITY_PIN,
                                        .now = 1781524800,
                                        .profiles = ATLS_PROFILE_NATIVE,
                                        .arena_size = 4u * 1024 * 1024,
                                        .attest = attest};
    const atls_server_options server = {.verifier = w->verifier,
                                        .now = 1781524800,
                                        .profiles = ATLS_PROFILE_NATIVE,
                                        .arena_size = 4u * 1024 * 1024,
                                        .attest = attest};
    if (is_server) {
        FUZZ_ASSERT(atls_server_session_new(t->own, &server, &t->s, &t->err));
        return;
    }
    atls_client_options pinned = client;
    memcpy(pinned.pin_spki_sha256, w->pin, sizeof w->pin);
    FUZZ_ASSERT(atls_client_session_new(t->own, &pinned, &t->s, &t->err));
}

static void open_stage(stage *t, bool is_server)
{
    static const unsigned char alpn[] = "\006atls/1";
    const world *w = the_world();
    BIO *a = NULL;
    BIO *b = NULL;
    *t = (stage){.own = SSL_new(is_server ? w->server : w->client), .peer = SSL_new(is_server ? w->client : w->server)};
    t->step = ATLS_STEP_WANT_READ;
    FUZZ_ASSERT(BIO_new_bio_pair(&a, 1u << 16, &b, 1u << 16) == 1);
    SSL_set_bio(t->own, a, a);
    SSL_set_bio(t->peer, b, b);
    open_session(t, w, is_server);
    if (is_server) {
        SSL_set_connect_state(t->peer);
        FUZZ_ASSERT(SSL_set_alpn_protos(t->peer, alpn, 7) == 0);
    } else {
        SSL_set_accept_state(t->peer);
    }
}

/* The property: whatever was said so far, the application neither reads nor writes. */
static void try_application(stage *t)
{
    uint8_t byte = 0x5a;
    size_t n = 1;
    atls_error err = {0};
    FUZZ_ASSERT(atls_session_read(t->s, &byte, 1, &n, &err) == ATLS_STEP_FAILED && n == 0 && byte == 0x5a);
    atls_error_clear(&err);
    FUZZ_ASSERT(atls_session_write(t->s, &byte, 1, &n, &err) == ATLS_STEP_FAILED && n == 0);
    const atls_result *r = atls_session_result(t->s);
    FUZZ_ASSERT(r == NULL || r->verdict == ATLS_VERDICT_REJECTED);
}

static void move(stage *t)
{
    if (t->step != ATLS_STEP_FAILED) {
        t->step = atls_session_step(t->s, &t->err);
    }
    FUZZ_ASSERT(t->step == ATLS_STEP_WANT_READ || t->step == ATLS_STEP_WANT_WRITE || t->step == ATLS_STEP_FAILED);
    FUZZ_ASSERT(t->step != ATLS_STEP_FAILED || (t->err.code != ATLS_OK && t->err.message[0] != '\0'));
    FUZZ_ASSERT(ERR_peek_error() == 0);
}

/* What the session says is taken off the wire, so that it never waits for room. */
static void listen(stage *t)
{
    uint8_t buf[4096];
    while (SSL_read(t->peer, buf, sizeof buf) > 0) {
    }
    ERR_clear_error();
}

static void shake_hands(stage *t)
{
    for (unsigned i = 0; i < 8 && SSL_is_init_finished(t->peer) == 0; i++) {
        move(t);
        (void)SSL_do_handshake(t->peer);
        ERR_clear_error();
    }
    move(t);
    FUZZ_ASSERT(SSL_is_init_finished(t->own) == 1 && SSL_is_init_finished(t->peer) == 1);
    FUZZ_ASSERT(t->step == ATLS_STEP_WANT_READ);
}

/* The next piece of the input; at its end a piece of no bytes. */
static atls_bytes next_piece(atls_bytes *in)
{
    size_t len = in->len > 0 ? in->ptr[0] : 0;
    size_t head = 1;
    if (len == 0 && in->len >= 3) {
        len = (size_t)in->ptr[1] << 8 | in->ptr[2];
        head = 3;
    }
    head = head < in->len ? head : in->len;
    len = len < in->len - head ? len : in->len - head;
    const atls_bytes piece = atls_bytes_of(in->ptr + head, len);
    *in = atls_bytes_of(in->ptr + head + len, in->len - head - len);
    return piece;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    stage t;
    atls_bytes in = atls_bytes_of(size > 0 ? data + 1 : data, size > 0 ? size - 1 : 0);
    open_stage(&t, size > 0 && data[0] % 2 == 1);
    shake_hands(&t);
    try_application(&t);
    while (in.len > 0 && t.step != ATLS_STEP_FAILED) {
        const atls_bytes piece = next_piece(&in);
        if (piece.len > 0) {
            (void)SSL_write(t.peer, piece.ptr, (int)piece.len);
            ERR_clear_error();
        }
        move(&t);
        try_application(&t);
        listen(&t);
    }
    (void)SSL_shutdown(t.peer);
    ERR_clear_error();
    move(&t);
    try_application(&t);
    FUZZ_ASSERT(t.step == ATLS_STEP_FAILED);
    atls_session_free(t.s);
    SSL_free(t.own);
    SSL_free(t.peer);
    return 0;
}

/* ---- seeds: what an honest peer says, up to where it would have to prove something ---- */

static void put_frame(atls_buf *b, atls_bytes frame)
{
    const uint8_t head[3] = {0, (uint8_t)(frame.len >> 8), (uint8_t)frame.len};
    atls_buf_put(b, atls_bytes_of(head, sizeof head));
    atls_buf_put(b, frame);
}

static void put_hello(atls_buf *b, bool is_server, bool asks, atls_arena *a, atls_error *err)
{
    atls_native_hello h = {.nonce = {1}, .protocols = {{atls_bytes_str(ATLS_NATIVE_NO_PROTOCOL)}, 1}};
    atls_bytes frame;
    if (asks) {
        h.types = (atls_native_names){{atls_bytes_str(ATLS_NATIVE_TYPE_DCAP)}, 1};
    }
    FUZZ_ASSERT(atls_native_write_hello(is_server, &h, a, &frame, err));
    put_frame(b, frame);
}

static void put_evidence(atls_buf *b, atls_arena *a, atls_error *err)
{
    static const uint8_t siblings[2 * 64] = {1};
    const atls_native_evidence e = {.evidence = {atls_bytes_str(ATLS_NATIVE_TYPE_DCAP), atls_bytes_str("quote")},
                                    .has_companion = true,
                                    .companion = {atls_bytes_str(ATLS_NATIVE_TYPE_LOG), atls_bytes_str("[]")},
                                    .path = {1, 3, atls_bytes_of(siblings, sizeof siblings)}};
    atls_bytes frame;
    FUZZ_ASSERT(atls_native_write_evidence(&e, a, &frame, err));
    put_frame(b, frame);
}

static void put_done(atls_buf *b, atls_category refusal, atls_arena *a, atls_error *err)
{
    const atls_native_done done = {.refusal = refusal, .context = {1}};
    atls_bytes frame;
    FUZZ_ASSERT(atls_native_write_done(&done, a, &frame, err));
    put_frame(b, frame);
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static uint8_t block[64 * 1024];
    const bool server = index % 2 == 1; /* is attacked */
    atls_arena a;
    atls_error err = {0};
    atls_buf b;
    atls_bytes seed;
    if (index >= 12) {
        return 0;
    }
    atls_arena_init(&a, block, sizeof block);
    atls_buf_init(&b, &a, &err);
    atls_buf_put(&b, atls_bytes_of(server ? "\1" : "\0", 1));
    if (index / 2 != 4) {
        put_hello(&b, !server, index / 2 % 2 == 0, &a, &err);
    }
    if (index / 2 != 2) {
        put_evidence(&b, &a, &err);
    }
    put_done(&b, index / 2 == 3 ? ATLS_CATEGORY_TRUST : ATLS_CATEGORY_NONE, &a, &err);
    if (index / 2 == 5) {
        atls_buf_str(&b, "\003GET");
    }
    FUZZ_ASSERT(atls_buf_done(&b, &seed) && seed.len <= cap);
    memcpy(out, seed.ptr, seed.len);
    return seed.len;
}
