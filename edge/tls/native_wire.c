/* SPDX-License-Identifier: Apache-2.0 */
/* native_wire.c: frames in and out: exact reads, bounded memory, one word of refusal. */
#include <string.h>

#include "io.h"
#include "native.h"

#define HEAD_LEN  4u
#define FIRST_CAP 4096u

/* ---- out --------------------------------------------------------------------------------------------------------- */

bool native_send(native *n, atls_bytes frame, atls_error *err)
{
    if (n->out.n == NATIVE_MAX_OUT) {
        return atls_fail(err, ATLS_E_INTERNAL, "session.exchange", "more frames than a flight has");
    }
    n->out.frames[n->out.n++] = frame;
    return true;
}

atls_step native_flush(atls_session *s, native *n, atls_error *err)
{
    native_out *o = &n->out;
    while (o->at < o->n) {
        atls_bytes frame = o->frames[o->at];
        size_t sent = 0;
        if (!atls_session_in_time(s, err)) {
            n->mute = true;
            return ATLS_STEP_FAILED;
        }
        atls_step step = atls_io_write(s, frame.ptr + o->sent, frame.len - o->sent, &sent, "session.exchange", err);
        if (step != ATLS_STEP_DONE) {
            n->mute = step == ATLS_STEP_FAILED;
            return step;
        }
        o->sent += sent;
        if (o->sent == frame.len) {
            o->at++;
            o->sent = 0;
        }
    }
    *o = (native_out){.n = 0};
    return ATLS_STEP_DONE;
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

static const char *name_of(atls_native_message m)
{
    switch (m) {
    case ATLS_NATIVE_CLIENT_HELLO:
        return "client_hello";
    case ATLS_NATIVE_SERVER_HELLO:
        return "server_hello";
    case ATLS_NATIVE_EVIDENCE:
        return "evidence";
    case ATLS_NATIVE_DONE:
        return "done";
    }
    return "frame";
}

static size_t announced(const native_in *in)
{
    return (size_t)in->frame[0] << 24 | (size_t)in->frame[1] << 16 | (size_t)in->frame[2] << 8 | in->frame[3];
}

/* Memory grows with the bytes that have come, not with those that were announced. */
static bool make_room(atls_session *s, native_in *in, atls_error *err)
{
    if (in->len < in->cap) {
        return true;
    }
    size_t cap = in->cap == 0 ? FIRST_CAP : 2 * in->cap;
    uint8_t *bigger = atls_arena_raw(&s->arena, cap, err);
    if (bigger == NULL) {
        return false;
    }
    if (in->len > 0) {
        memcpy(bigger, in->frame, in->len);
    }
    in->frame = bigger;
    in->cap = cap;
    return true;
}

/* Reads up to `total` bytes of the frame and not one more: what follows may be the application's. */
static atls_step read_up_to(atls_session *s, native *n, size_t total, const char *what, atls_error *err)
{
    native_in *in = &n->in;
    while (in->len < total) {
        size_t got = 0;
        if (!make_room(s, in, err)) {
            return ATLS_STEP_FAILED;
        }
        size_t room = in->cap - in->len;
        size_t left = total - in->len;
        atls_step step = atls_io_read(s, in->frame + in->len, left < room ? left : room, &got, what, err);
        if (step == ATLS_STEP_CLOSED) {
            n->mute = true;
            atls_fail(err, ATLS_E_IO, what, "the peer ended the session in place of this message");
            return ATLS_STEP_FAILED;
        }
        if (step != ATLS_STEP_DONE) {
            n->mute = step == ATLS_STEP_FAILED;
            return step;
        }
        in->len += got;
        if (in->len < total && !atls_session_in_time(s, err)) { /* a peer that drips */
            n->mute = true;
            return ATLS_STEP_FAILED;
        }
    }
    return ATLS_STEP_DONE;
}

/* A whole frame whose body has at most max bytes. */
static atls_step read_frame(atls_session *s, native *n, size_t max, const char *what, atls_error *err)
{
    atls_step step = read_up_to(s, n, HEAD_LEN, what, err);
    if (step != ATLS_STEP_DONE) {
        return step;
    }
    size_t len = announced(&n->in);
    if (len == 0 || len > max) {
        atls_fail(err, ATLS_E_PROTOCOL, what, "a frame of %zu bytes, where at most %zu are allowed", len, max);
        return ATLS_STEP_FAILED;
    }
    return read_up_to(s, n, HEAD_LEN + len, what, err);
}

static const char *refusal_text(atls_category c)
{
    switch (c) {
    case ATLS_CATEGORY_TRUST:
        return "the peer refused: it does not trust our evidence, or it is not what its policy asks for";
    case ATLS_CATEGORY_TIME:
        return "the peer refused: something is not valid now, or not fresh";
    case ATLS_CATEGORY_CONTENT:
        return "the peer refused: it cannot use what we sent or asked for";
    default:
        return "the peer refused: it could not do its part";
    }
}

/* A `done` where another message was due, or the one that was due. */
static bool take_done(native *n, atls_bytes body, atls_native_message wanted, atls_error *err)
{
    atls_native_done done;
    if (!atls_native_read_done(body, &done, err)) {
        return false;
    }
    if (done.refusal != ATLS_CATEGORY_NONE) {
        n->mute = true;
        return atls_fail_values(err, ATLS_E_PEER_REFUSED, "done", "accepted", atls_category_name(done.refusal), "%s",
                                refusal_text(done.refusal));
    }
    return wanted == ATLS_NATIVE_DONE
           || atls_fail_values(err, ATLS_E_PROTOCOL, name_of(wanted), name_of(wanted), "done",
                               "the peer accepted before its turn");
}

static bool check_turn(native *n, atls_bytes body, atls_native_message wanted, atls_error *err)
{
    atls_native_message found;
    if (!atls_native_peek(body, &found, err)) {
        return false;
    }
    if (found == ATLS_NATIVE_DONE) {
        return take_done(n, body, wanted, err);
    }
    return found == wanted
           || atls_fail_values(err, ATLS_E_PROTOCOL, name_of(wanted), name_of(wanted), name_of(found),
                               "another message than the one that is due");
}

atls_step native_receive(atls_session *s, native *n, atls_native_message wanted, atls_bytes *body, atls_error *err)
{
    if (n->in.cap == 0 && !make_room(s, &n->in, err)) {
        return ATLS_STEP_FAILED;
    }
    size_t max = atls_native_max_len(wanted);
    size_t done = atls_native_max_len(ATLS_NATIVE_DONE);
    atls_step step = read_frame(s, n, max > done ? max : done, name_of(wanted), err);
    if (step != ATLS_STEP_DONE) {
        return step;
    }
    n->last = atls_bytes_of(n->in.frame, n->in.len);
    *body = atls_bytes_of(n->in.frame + HEAD_LEN, n->in.len - HEAD_LEN);
    n->in = (native_in){.cap = 0}; /* the next frame gets memory of its own: hellos are looked at to the end */
    return check_turn(n, *body, wanted, err) ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
}

/* While our evidence is in the making the peer has nothing to say but a refusal. */
atls_step native_watch(atls_session *s, native *n, atls_error *err)
{
    atls_bytes body;
    atls_step step = native_receive(s, n, ATLS_NATIVE_DONE, &body, err);
    if (step == ATLS_STEP_WANT_READ) {
        return ATLS_STEP_DONE;
    }
    if (step == ATLS_STEP_DONE) {
        atls_fail(err, ATLS_E_PROTOCOL, "done", "the peer accepted evidence that it has not seen");
    }
    return step == ATLS_STEP_DONE ? ATLS_STEP_FAILED : step;
}

/* ---- refusing ---------------------------------------------------------------------------------------------------- */

/* Puts our `done` in the place of whatever was to be sent next, and keeps the reason as the session's error: it ends with that,
 * also when the peer does not take the `done`. False: a frame that is half sent cannot be taken back; then the end of the
 * session has to say it. */
static bool refuse(atls_session *s, native *n, const atls_error *why)
{
    atls_native_done done = {.refusal = why->category == ATLS_CATEGORY_NONE ? ATLS_CATEGORY_INTERNAL : why->category};
    atls_error no_room = {0};
    atls_bytes frame;
    s->error = *why;
    bool half_sent = n->out.at < n->out.n && n->out.sent > 0;
    if (n->own_fault) {
        done.refusal = ATLS_CATEGORY_INTERNAL;
    }
    if (half_sent || n->said_done || n->mute || s->tls_broken
        || !atls_native_write_done(&done, &s->arena, &frame, &no_room)) {
        return false;
    }
    n->out = (native_out){.n = 0};
    return native_send(n, frame, &no_room);
}

/* ---- the machine of both sides ----------------------------------------------------------------------------------- */

atls_step native_run(atls_session *s, native *n, native_move move, unsigned last, unsigned refusing, atls_error *err)
{
    for (;;) {
        atls_error why = {0};
        atls_step step = move(s, n, &why);
        if (step == ATLS_STEP_FAILED && n->state != refusing && refuse(s, n, &why)) {
            n->state = refusing;
            continue;
        }
        if (step == ATLS_STEP_FAILED || (step == ATLS_STEP_DONE && n->state == refusing)) {
            *err = s->error;
            return ATLS_STEP_FAILED;
        }
        if (step != ATLS_STEP_DONE || n->state == last) {
            return step;
        }
        n->state++;
    }
}

void native_end(void *state)
{
    native *n = state;
    if (n != NULL) {
        native_close(n);
        atls_wipe(n, sizeof *n);
    }
}
