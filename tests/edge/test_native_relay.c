/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_relay.c: a middle-man with everything but an attestation key. On one leg he is a server to an honest client,
 * on the other a client of the honest, attested machine; what one says he carries to the other. */
#include "native_peer.h"

#include <openssl/err.h>
#include <openssl/pem.h>

/* Both legs, and the middle-man's two ends of them. */
typedef struct legs {
    rig near; /* first: the script of dstack finds the rest by it */
    rig far;
    native_peer *front; /* to the client */
    native_peer *back;  /* to the machine */
    sim *own_room;      /* of the middle-man's own certificate */
} legs;

/* The middle-man's key: the machine's own, or one with a certificate for the same name, of the same authority, which the
 * machine was talked into measuring, too. */
static void give_key(legs *l, bool stolen)
{
    static const char *const settings[] = {"tls.key=middle", NULL};
    const sim_options room = {.settings = settings};
    sim_tls own;
    if (stolen) {
        return;
    }
    assert_true(sim_new(&room, &l->own_room, &l->near.err));
    assert_true(sim_tls_identity(l->own_room, RIG_NAME, &l->near.arena, &own, &l->near.err));
    assert_true(sim_measure_certificate(l->far.sim, own.leaf_der, &l->near.err));
    assert_true(sim_measure_certificate(l->near.sim, own.leaf_der, &l->near.err));
    SSL_CTX_free(l->near.server_ctx);
    l->near.server_ctx = rig_context(true, &own);
}

static void open_legs(legs *l, bool stolen)
{
    *l = (legs){.own_room = NULL};
    rig_open(&l->near);
    rig_open(&l->far);
    give_key(l, stolen);
}

static void close_legs(legs *l)
{
    native_peer_close(l->back);
    if (l->front != NULL) {
        native_peer_close(l->front);
    }
    rig_close(&l->near);
    rig_close(&l->far);
    sim_free(l->own_room);
}

/* The client's hello goes to the machine as it is, and the machine's comes back: the hellos, and so the context, of both
 * legs are the same, nonces and all. */
static void carry_hellos(legs *l)
{
    atls_bytes client_hello;
    assert_true(native_peer_handshake(l->front));
    assert_true(native_peer_handshake(l->back));
    assert_true(native_peer_read(l->front, &client_hello));
    assert_true(native_peer_write(l->back, client_hello));
    l->back->my_hello = client_hello;
    atls_bytes server_hello;
    assert_true(native_peer_read(l->back, &server_hello));
    native_peer_note_hello(l->back, server_hello);
    l->front->my_hello = server_hello;
    native_peer_note_hello(l->front, client_hello);
    assert_memory_equal(l->front->context, l->back->context, 32);
    assert_true(native_peer_write(l->front, server_hello));
}

/* ---- the machine's evidence, to a client ---------------------------------------------------------------------------- */

typedef struct relay_row {
    const char *name;
    bool stolen;
    bool attested_only;
} relay_row;

static const relay_row relay_rows[] = {
    {"relay with a valid certificate of one's own", false, false},
    {"relay with a certificate of one's own, no name asked for", false, true},
    {"relay with the server's TLS key", true, false},
    {"relay with the server's TLS key, no name asked for", true, true},
};

static void test_relay(void **state)
{
    const relay_row *w = *state;
    legs l;
    open_legs(&l, w->stolen);
    rig_native(&l.near);
    rig_native(&l.far);
    if (w->attested_only) {
        rig_policy(&l.near, "\"attested_only\":true,");
        l.near.client_options.identity = ATLS_IDENTITY_ATTESTED_ONLY;
    }
    l.front = native_peer_open(&l.near, CLIENT_ASKS, NULL);
    l.back = native_peer_open(&l.far, SERVER_PROVES, NULL);
    carry_hellos(&l);
    assert_true(native_peer_read(l.back, &l.back->evidence));
    assert_true(native_peer_write(l.front, l.back->evidence));
    native_peer_settle(l.front);
    native_expect_refused(l.front, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata");
    native_expect_told(l.front);
    native_expect_sealed(native_session(l.back), ATLS_E_USAGE); /* it waits for an acceptance that nobody can carry */
    close_legs(&l);
}

/* ---- the client's evidence, to the machine --------------------------------------------------------------------------- */

/* The middle-man has a genuine machine of his own with the accepted image, a name that the client accepts, and so the
 * client's evidence. The server's nonce is in it, and the server's hello; not this session. */
static void test_relay_to_server(void **state)
{
    const relay_row *w = *state;
    legs l;
    atls_bytes done;
    open_legs(&l, w->stolen);
    rig_mutual(&l.near);
    rig_mutual(&l.far);
    l.front = native_peer_open(&l.near, CLIENT_BOTH, NULL);
    l.back = native_peer_open(&l.far, SERVER_BOTH, NULL);
    carry_hellos(&l);
    native_peer_send_evidence(l.front);
    assert_true(native_peer_read(l.back, &l.back->evidence));
    assert_true(native_peer_read(l.front, &l.front->evidence));
    assert_true(native_peer_read(l.front, &done));
    assert_true(l.front->accepted); /* the client did accept him, and rightly */
    assert_true(native_peer_write(l.back, l.front->evidence));
    assert_true(native_peer_write(l.back, done));
    native_peer_settle(l.back);
    native_expect_refused(l.back, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata");
    native_expect_told(l.back);
    native_expect_sealed(native_session(l.front), ATLS_E_USAGE);
    close_legs(&l);
}

/* ---- replay ------------------------------------------------------------------------------------------------------------ */

static atls_bytes recorded_evidence(native_peer *p, atls_native_message m, atls_bytes honest)
{
    const atls_bytes *recorded = p->row;
    return m == ATLS_NATIVE_EVIDENCE ? *recorded : honest;
}

/* An honest session is recorded, whole; its evidence is shown in the next one, to whoever asked for it then. */
static void replay(native_victim victim)
{
    static const native_lies lies = {.frame = recorded_evidence};
    rig earlier;
    rig later;
    rig_open(&earlier);
    rig_open(&later);
    native_set_up(&earlier, victim);
    native_set_up(&later, victim);
    native_peer *a = native_peer_open(&earlier, victim, NULL);
    native_peer_play(a);
    native_expect_talk(a);
    native_peer *b = native_peer_open(&later, victim, &lies);
    b->row = &a->my_proof;
    native_peer_play(b);
    native_expect_refused(b, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata");
    native_expect_told(b);
    native_peer_close(a);
    native_peer_close(b);
    rig_close(&earlier);
    rig_close(&later);
}

static void test_replay(void **state)
{
    (void)state;
    replay(CLIENT_ASKS);
    replay(CLIENT_BOTH);
    replay(SERVER_ASKS);
    replay(SERVER_BOTH);
}

static atls_bytes own_evidence(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_EVIDENCE ? p->evidence : honest;
}

/* The server's evidence comes back as the client's. */
static void test_reflection(void **state)
{
    static const native_row row = {
        "", SERVER_BOTH, {.frame = own_evidence}, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata"};
    union {
        const void *in;
        void *out;
    } arg = {.in = &row};
    (void)state;
    native_row_run(&arg.out);
}

/* The client's evidence, from a session with the middle-man's own machine, as the server's in the next one. */
static void test_reflection_to_client(void **state)
{
    static const native_lies lies = {.frame = recorded_evidence};
    rig first;
    rig second;
    (void)state;
    rig_open(&first);
    rig_open(&second);
    rig_mutual(&first);
    rig_mutual(&second);
    native_peer *a = native_peer_open(&first, CLIENT_BOTH, NULL);
    native_peer_play(a);
    native_expect_talk(a);
    native_peer *b = native_peer_open(&second, CLIENT_BOTH, &lies);
    b->row = &a->evidence;
    native_peer_play(b);
    native_expect_refused(b, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata");
    native_peer_close(a);
    native_peer_close(b);
    rig_close(&first);
    rig_close(&second);
}

/* ---- dstack, for comparison ---------------------------------------------------------------------------------------------- */

/* Asks the honest machine what the client asked, word for word, and hands on the answer. */
static atls_bytes carry_request(rig *r)
{
    legs *l = (legs *)(void *)r;
    native_peer *p = l->back;
    assert_true(native_peer_handshake(p));
    assert_true(native_peer_write(p, atls_bytes_of(r->peer.in, r->peer.in_len)));
    for (unsigned i = 0; i < 100; i++) {
        const int rc = SSL_read(p->ssl, p->in + p->in_len, (int)(sizeof p->in - p->in_len));
        p->in_len += rc > 0 ? (size_t)rc : 0;
        ERR_clear_error();
        (void)native_pump(p);
    }
    assert_int_equal(native_step(p), ATLS_STEP_DONE); /* a server of dstack has no way to be told */
    assert_true(p->in_len > 0);
    return atls_bytes_of(p->in, p->in_len);
}

/* dstack has no key in its binding; the exporter alone tells the two legs apart, also when the TLS key is stolen. */
static void test_dstack(void **state)
{
    const relay_row *w = *state;
    legs l;
    open_legs(&l, w->stolen);
    l.back = native_peer_open(&l.far, SERVER_PROVES, NULL);
    rig_start(&l.near, carry_request);
    rig_run(&l.near);
    rig_expect_client(&l.near, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata");
    native_expect_sealed(l.near.client, ATLS_E_REPORT_DATA_MISMATCH);
    close_legs(&l);
}

/* dstack in both directions would be reflected: one label, no role. So no server can ask for it. */
static void test_dstack_mutual(void **state)
{
    rig r;
    (void)state;
    rig_open(&r);
    rig_mutual(&r);
    rig_ssl(&r);
    r.server_options.profiles = ATLS_PROFILE_DSTACK;
    assert_false(atls_server_session_new(r.server_ssl, &r.server_options, &r.server, &r.server_err));
    assert_int_equal(r.server_err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(r.server_err.field, "profiles");
    rig_close(&r);
}

int main(void)
{
    static const relay_row dstack_rows[] = {{"dstack: relay with a certificate of one's own", false, false},
                                            {"dstack: relay with the server's TLS key", true, false}};
    static const relay_row mutual_rows[] = {{"relay of a client's evidence", false, false},
                                            {"relay of a client's evidence, with the server's TLS key", true, false}};
    tap_list l = {0};
    for (size_t i = 0; i < sizeof relay_rows / sizeof relay_rows[0]; i++) {
        tap_add(&l, relay_rows[i].name, test_relay, &relay_rows[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        tap_add(&l, mutual_rows[i].name, test_relay_to_server, &mutual_rows[i]);
    }
    tap_add(&l, "replay of an earlier session's evidence", test_replay, NULL);
    tap_add(&l, "reflection of the server's evidence", test_reflection, NULL);
    tap_add(&l, "reflection of the client's evidence", test_reflection_to_client, NULL);
    for (size_t i = 0; i < 2; i++) {
        tap_add(&l, dstack_rows[i].name, test_dstack, &dstack_rows[i]);
    }
    tap_add(&l, "dstack: not in both directions", test_dstack_mutual, NULL);
    return tap_run("native_relay", &l);
}
