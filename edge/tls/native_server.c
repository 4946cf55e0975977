/* SPDX-License-Identifier: Apache-2.0 */
/* native_server.c: the server's order of steps in atls/1. */
#include "io.h"
#include "native.h"
#include "server.h"

enum {
    READ_HELLO = 0,
    SEND_HELLO,
    PROVE,
    SEND_EVIDENCE,
    READ_EVIDENCE,
    READ_DONE,
    SEND_DONE,
    REFUSING,
};

static bool begin(atls_session *s, void **state, atls_error *err)
{
    native *n = atls_arena_alloc(&s->arena, sizeof *n, err);
    *state = n;
    return n != NULL && native_open(s, n, err);
}

/* The first of our protocols that the client offers; else none at all, if it can do without; else, if our application
 * did not name any, whatever the client likes best. */
static bool choose_protocol(native *n, atls_error *err)
{
    atls_native_names ours;
    atls_native_names *chosen = &n->mine.protocols;
    atls_bytes none = atls_bytes_str(ATLS_NATIVE_NO_PROTOCOL);
    if (!native_own_protocols(n, &ours, err)) {
        return false;
    }
    for (size_t i = 0; i < ours.n && chosen->n == 0; i++) {
        if (native_names_hold(&n->peers.protocols, ours.items[i])) {
            chosen->items[chosen->n++] = ours.items[i];
        }
    }
    if (chosen->n == 0 && native_names_hold(&n->peers.protocols, none)) {
        chosen->items[chosen->n++] = none;
    }
    if (chosen->n == 0 && n->side.protocols == NULL) {
        chosen->items[chosen->n++] = n->peers.protocols.items[0];
    }
    return chosen->n == 1
           || atls_fail(err, ATLS_E_PROTOCOL, "client_hello.protocols", "none of the protocols is spoken here");
}

static bool check_hello(const native *n, atls_error *err)
{
    atls_bytes ours = atls_bytes_of(n->mine.nonce, sizeof n->mine.nonce);
    if (atls_bytes_equal(ours, atls_bytes_of(n->peers.nonce, sizeof n->peers.nonce))) {
        return atls_fail(err, ATLS_E_PROTOCOL, "client_hello.nonce", "our own nonce came back");
    }
    if (n->mine.types.n == 0 && n->peers.types.n == 0) {
        return atls_fail(err, ATLS_E_PROTOCOL, "client_hello.types", "nobody asks for evidence");
    }
    return n->peers.types.n == 0 || native_can_prove(n)
           || atls_fail(err, ATLS_E_PROTOCOL, "client_hello.types", "this machine has no evidence of these types");
}

/* Before our hello, so that nothing is begun for a client that asks too often. */
static bool is_within_limit(atls_session *s, native *n, atls_error *err)
{
    n->own_fault = n->peers.types.n > 0 && !atls_server_take_request(s, err);
    return !n->own_fault;
}

static bool take_hello(atls_session *s, native *n, atls_bytes body, atls_error *err)
{
    n->peer_hello = n->last;
    return atls_native_read_hello(false, body, &n->peers, err) && check_hello(n, err) && native_judge_key(s, n, err)
           && choose_protocol(n, err) && is_within_limit(s, n, err)
           && atls_native_write_hello(true, &n->mine, &s->arena, &n->my_hello, err) && native_agree(n, err)
           && native_note_protocol(s, n->mine.protocols.items[0], err) && native_send(n, n->my_hello, err);
}

static atls_step prove(atls_session *s, native *n, atls_error *err)
{
    atls_bytes frame;
    if (n->peers.types.n == 0) {
        return ATLS_STEP_DONE;
    }
    atls_step step = native_prove(s, n, &frame, err);
    if (step != ATLS_STEP_DONE) {
        return step;
    }
    return native_send(n, frame, err) ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
}

/* A client that was asked for evidence, or for the certificate of an enrolled key, waits for our word; what it sends before that
 * is nobody's. */
static bool check_quiet(atls_session *s, const native *n, atls_error *err)
{
    atls_error early = {0};
    const bool is_asked = n->mine.types.n > 0 || atls_server_judges_keys(&s->server);
    return !is_asked || atls_io_is_quiet(s, "application", &early)
           || atls_fail(err, ATLS_E_PROTOCOL, "application",
                        "the client sent application bytes before it was accepted");
}

static atls_step read_next(atls_session *s, native *n, atls_native_message wanted, atls_error *err)
{
    atls_bytes body;
    atls_step step = native_receive(s, n, wanted, &body, err);
    if (step != ATLS_STEP_DONE) {
        return step;
    }
    bool ok = wanted == ATLS_NATIVE_CLIENT_HELLO ? take_hello(s, n, body, err)
              : wanted == ATLS_NATIVE_EVIDENCE
                  ? native_judge(s, n, body, err)
                  : native_accepted(n, body, err) && check_quiet(s, n, err) && native_accept(s, n, err);
    return ok ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
}

static atls_step move(atls_session *s, native *n, atls_error *err)
{
    switch (n->state) {
    case READ_HELLO:
        return read_next(s, n, ATLS_NATIVE_CLIENT_HELLO, err);
    case PROVE:
        return prove(s, n, err);
    case READ_EVIDENCE:
        return n->mine.types.n == 0 ? ATLS_STEP_DONE : read_next(s, n, ATLS_NATIVE_EVIDENCE, err);
    case READ_DONE:
        return read_next(s, n, ATLS_NATIVE_DONE, err);
    default:
        return native_flush(s, n, err);
    }
}

static atls_step step(atls_session *s, void *state, atls_error *err)
{
    return native_run(s, state, move, SEND_DONE, REFUSING, err);
}

const atls_profile *atls_native_server(void)
{
    static const atls_profile profile = {
        .name = ATLS_NATIVE_ALPN, .grade = ATLS_GRADE_SESSION, .begin = begin, .step = step, .end = native_end};
    return &profile;
}
