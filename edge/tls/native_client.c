/* SPDX-License-Identifier: Apache-2.0 */
/* native_client.c: the client's order of steps in atls/1. */
#include "io.h"
#include "native.h"

enum {
    SEND_HELLO = 0,
    READ_HELLO,
    READ_EVIDENCE,
    PROVE,
    SEND_DONE,
    READ_DONE,
    REFUSING,
};

static bool begin(atls_session *s, void **state, atls_error *err)
{
    native *n = atls_arena_alloc(&s->arena, sizeof *n, err);
    *state = n;
    if (n == NULL || !native_open(s, n, err) || !native_own_protocols(n, &n->mine.protocols, err)) {
        return false;
    }
    int left = atls_session_timeout_ms(s);
    n->mine.has_wait = left > 0;
    n->mine.wait_ms = left > 0 ? (uint32_t)left : 0;
    return atls_native_write_hello(false, &n->mine, &s->arena, &n->my_hello, err) && native_send(n, n->my_hello, err);
}

/* What the server says it is, and whether the two of us can do what the other asks for. */
static bool check_hello(const native *n, atls_error *err)
{
    atls_bytes ours = atls_bytes_of(n->mine.nonce, sizeof n->mine.nonce);
    if (atls_bytes_equal(ours, atls_bytes_of(n->peers.nonce, sizeof n->peers.nonce))) {
        return atls_fail(err, ATLS_E_PROTOCOL, "server_hello.nonce", "our own nonce came back");
    }
    if (!native_names_hold(&n->mine.protocols, n->peers.protocols.items[0])) {
        return atls_fail(err, ATLS_E_PROTOCOL, "server_hello.protocols", "a protocol that was not offered");
    }
    if (n->mine.types.n == 0 && n->peers.types.n == 0) {
        return atls_fail(err, ATLS_E_PROTOCOL, "server_hello.types", "nobody asks for evidence");
    }
    if (n->peers.types.n > 0 && !native_can_prove(n)) {
        return atls_fail_values(err, ATLS_E_PROTOCOL, "server_hello.types", NULL, NULL,
                                "the server wants evidence, and this client has none of the kinds that it takes");
    }
    return true;
}

static bool take_hello(atls_session *s, native *n, atls_bytes body, atls_error *err)
{
    n->peer_hello = n->last;
    return atls_native_read_hello(true, body, &n->peers, err) && check_hello(n, err) && native_agree(n, err)
           && native_note_protocol(s, n->peers.protocols.items[0], err);
}

/* Our evidence leaves only here, behind the verdict on the server's. */
static atls_step prove(atls_session *s, native *n, atls_error *err)
{
    atls_bytes frame;
    if (n->peers.types.n > 0) {
        atls_step step = native_prove(s, n, &frame, err);
        if (step != ATLS_STEP_DONE) {
            return step;
        }
        if (!native_send(n, frame, err)) {
            return ATLS_STEP_FAILED;
        }
    }
    return native_accept(s, n, err) ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
}

static atls_step read_next(atls_session *s, native *n, atls_native_message wanted, atls_error *err)
{
    atls_bytes body;
    atls_step step = native_receive(s, n, wanted, &body, err);
    if (step != ATLS_STEP_DONE) {
        return step;
    }
    bool ok = wanted == ATLS_NATIVE_SERVER_HELLO ? take_hello(s, n, body, err)
              : wanted == ATLS_NATIVE_EVIDENCE   ? native_judge(s, n, body, err)
                                                 : native_accepted(n, body, err);
    return ok ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
}

static atls_step move(atls_session *s, native *n, atls_error *err)
{
    switch (n->state) {
    case SEND_HELLO:
    case SEND_DONE:
    case REFUSING:
        return native_flush(s, n, err);
    case READ_HELLO:
        return read_next(s, n, ATLS_NATIVE_SERVER_HELLO, err);
    case READ_EVIDENCE:
        return n->mine.types.n == 0 ? ATLS_STEP_DONE : read_next(s, n, ATLS_NATIVE_EVIDENCE, err);
    case PROVE:
        return prove(s, n, err);
    default:
        return read_next(s, n, ATLS_NATIVE_DONE, err);
    }
}

static atls_step step(atls_session *s, void *state, atls_error *err)
{
    return native_run(s, state, move, READ_DONE, REFUSING, err);
}

const atls_profile *atls_native_client(void)
{
    static const atls_profile profile = {
        .name = ATLS_NATIVE_ALPN, .grade = ATLS_GRADE_SESSION, .begin = begin, .step = step, .end = native_end};
    return &profile;
}
