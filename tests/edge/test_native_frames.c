/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_frames.c: messages that are changed, left out, repeated, swapped, padded or cut, with honest evidence. */
#include "native_peer.h"

#include <openssl/err.h>

#define OTHER_SESSION ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata"

static bool is_hello(atls_native_message m)
{
    return m == ATLS_NATIVE_CLIENT_HELLO || m == ATLS_NATIVE_SERVER_HELLO;
}

static atls_bytes text(const char *t)
{
    return atls_bytes_str(t);
}

/* ---- hellos that arrive otherwise than they were hashed ------------------------------------------------------------- */

static atls_bytes rewritten(native_peer *p, const atls_native_hello *h)
{
    atls_bytes out;
    assert_true(atls_native_write_hello(p->is_server, h, &p->r->arena, &out, &p->r->err));
    return out;
}

static atls_bytes nonce_altered(native_peer *p, atls_native_message m, atls_bytes honest)
{
    atls_native_hello h = p->mine;
    h.nonce[31] ^= 1;
    return is_hello(m) ? rewritten(p, &h) : honest;
}

static atls_bytes types_altered(native_peer *p, atls_native_message m, atls_bytes honest)
{
    atls_native_hello h = p->mine;
    h.types.items[h.types.n++] = text("application/vnd.atls.sev-snp-report");
    return is_hello(m) ? rewritten(p, &h) : honest;
}

static atls_bytes protocols_altered(native_peer *p, atls_native_message m, atls_bytes honest)
{
    atls_native_hello h = p->mine;
    if (p->is_server) {
        h.protocols.items[0] = text("http/1.1");
    } else {
        h.protocols.items[h.protocols.n++] = text("h2");
    }
    return is_hello(m) ? rewritten(p, &h) : honest;
}

static atls_bytes staple_altered(native_peer *p, atls_native_message m, atls_bytes honest)
{
    atls_native_hello h = p->mine;
    h.staple = true;
    return is_hello(m) ? rewritten(p, &h) : honest;
}

static atls_bytes wait_altered(native_peer *p, atls_native_message m, atls_bytes honest)
{
    atls_native_hello h = p->mine;
    h.has_wait = true;
    h.wait_ms = 1;
    return is_hello(m) ? rewritten(p, &h) : honest;
}

static void offer_two(rig *r)
{
    static const char *const names[] = {"h2", "http/1.1", NULL};
    r->client_options.alpn = names;
}

/* ---- hellos that say what cannot be -------------------------------------------------------------------------------- */

/* Offsets in a frame: length 4, map 1, key and value of 0 and of 1. */
static atls_bytes message_5(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? native_put(p, honest, 6, 5) : honest;
}

static atls_bytes message_3(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? native_put(p, honest, 6, 3) : honest;
}

static atls_bytes revision_1(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? native_put(p, honest, 8, 1) : honest;
}

static atls_bytes revision_3(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? native_put(p, honest, 8, 3) : honest;
}

/* One pair more: key 7. */
static atls_bytes unknown_key(native_peer *p, atls_native_message m, atls_bytes honest)
{
    const atls_bytes body = native_body(honest);
    if (!is_hello(m)) {
        return honest;
    }
    const atls_bytes longer = native_join(p, body, atls_bytes_of("\x07\xf5", 2));
    return native_frame_of(p, native_put(p, longer, 0, (uint8_t)(longer.ptr[0] + 1)));
}

/* The same number in a longer head. */
static atls_bytes long_head(native_peer *p, atls_native_message m, atls_bytes honest)
{
    const atls_bytes body = native_body(honest);
    if (!is_hello(m)) {
        return honest;
    }
    const uint8_t longer[] = {0x18, body.ptr[2]};
    const atls_bytes head = native_join(p, atls_bytes_of(body.ptr, 2), atls_bytes_of(longer, 2));
    return native_frame_of(p, native_join(p, head, atls_bytes_of(body.ptr + 3, body.len - 3)));
}

static atls_bytes echoed(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? p->peer_hello : honest;
}

static void same_nonce(native_peer *p, atls_native_hello *mine)
{
    memcpy(mine->nonce, p->peers.nonce, sizeof mine->nonce);
}

static void wrong_protocol(native_peer *p, atls_native_hello *mine)
{
    (void)p;
    mine->protocols.items[0] = text("smtp");
}

static void speak_h2_only(rig *r)
{
    static const char *const names[] = {"h2", NULL};
    r->server_options.alpn = names;
}

static void asks_nothing(native_peer *p, atls_native_hello *mine)
{
    (void)p;
    mine->types.n = 0;
}

static void asks_nitro(native_peer *p, atls_native_hello *mine)
{
    (void)p;
    mine->types.items[0] = text("application/vnd.atls.nitro-document");
    mine->types.n = 1;
}

static void asks_dcap(native_peer *p, atls_native_hello *mine)
{
    (void)p;
    mine->types.items[0] = text(ATLS_NATIVE_TYPE_DCAP);
    mine->types.n = 1;
}

/* ---- lengths --------------------------------------------------------------------------------------------------------- */

static atls_bytes with_byte(native_peer *p, atls_bytes honest)
{
    return native_frame_of(p, native_join(p, native_body(honest), atls_bytes_of("", 1)));
}

static atls_bytes hello_longer(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? with_byte(p, honest) : honest;
}

static atls_bytes evidence_longer(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_EVIDENCE ? with_byte(p, honest) : honest;
}

static atls_bytes done_longer(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? with_byte(p, honest) : honest;
}

/* The length alone: it is refused before anything else comes. */
static atls_bytes hello_of_4097(native_peer *p, atls_native_message m, atls_bytes honest)
{
    (void)p;
    return is_hello(m) ? atls_bytes_of("\0\0\x10\x01", 4) : honest;
}

static atls_bytes evidence_too_long(native_peer *p, atls_native_message m, atls_bytes honest)
{
    (void)p;
    return m == ATLS_NATIVE_EVIDENCE ? atls_bytes_of("\0\x10\0\x01", 4) : honest;
}

static atls_bytes done_of_65(native_peer *p, atls_native_message m, atls_bytes honest)
{
    (void)p;
    return m == ATLS_NATIVE_DONE ? atls_bytes_of("\0\0\0\x41", 4) : honest;
}

static atls_bytes hello_of_4_gib(native_peer *p, atls_native_message m, atls_bytes honest)
{
    (void)p;
    return is_hello(m) ? atls_bytes_of("\xff\xff\xff\xff", 4) : honest;
}

static atls_bytes hello_empty(native_peer *p, atls_native_message m, atls_bytes honest)
{
    (void)p;
    return is_hello(m) ? atls_bytes_of("\0\0\0\0", 4) : honest;
}

static atls_bytes done_empty(native_peer *p, atls_native_message m, atls_bytes honest)
{
    (void)p;
    return m == ATLS_NATIVE_DONE ? atls_bytes_of("\0\0\0\0", 4) : honest;
}

/* ---- order ----------------------------------------------------------------------------------------------------------- */

static atls_bytes twice(native_peer *p, atls_bytes honest)
{
    return native_join(p, honest, honest);
}

static atls_bytes hello_twice(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? twice(p, honest) : honest;
}

static atls_bytes evidence_twice(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_EVIDENCE ? twice(p, honest) : honest;
}

static atls_bytes done_twice(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? twice(p, honest) : honest;
}

static atls_bytes no_hello(native_peer *p, atls_native_message m, atls_bytes honest)
{
    (void)p;
    return is_hello(m) ? atls_bytes_empty() : honest;
}

static atls_bytes no_evidence(native_peer *p, atls_native_message m, atls_bytes honest)
{
    (void)p;
    return m == ATLS_NATIVE_EVIDENCE ? atls_bytes_empty() : honest;
}

/* The hello comes behind the evidence. */
static atls_bytes swapped(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? atls_bytes_empty() : m == ATLS_NATIVE_EVIDENCE ? native_join(p, honest, p->my_hello) : honest;
}

static atls_bytes done_of(native_peer *p, atls_category refusal)
{
    atls_native_done done = {.refusal = refusal};
    atls_bytes out;
    memcpy(done.context, p->context, sizeof done.context);
    assert_true(atls_native_write_done(&done, &p->r->arena, &out, &p->r->err));
    return out;
}

static atls_bytes done_for_hello(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? done_of(p, ATLS_CATEGORY_NONE) : honest;
}

static atls_bytes done_for_evidence(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_EVIDENCE ? done_of(p, ATLS_CATEGORY_NONE) : honest;
}

static atls_bytes evidence_for_done(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? p->my_proof : honest;
}

/* As short as a done: only its type is wrong. */
static atls_bytes short_for_done(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? native_put(p, honest, 6, 3) : honest;
}

/* ---- done ------------------------------------------------------------------------------------------------------------ */

static atls_bytes other_context(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? native_put(p, honest, honest.len - 1, (uint8_t)(honest.ptr[honest.len - 1] ^ 1))
                                 : honest;
}

static atls_bytes bare_done(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? native_frame_of(p, atls_bytes_of("\xa2\x00\x04\x01\x00", 5)) : honest;
}

static atls_bytes verdict_5(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? native_frame_of(p, atls_bytes_of("\xa2\x00\x04\x01\x05", 5)) : honest;
}

static atls_bytes refusal(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? done_of(p, ATLS_CATEGORY_TRUST) : honest;
}

static atls_bytes refusal_for_hello(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? done_of(p, ATLS_CATEGORY_CONTENT) : honest;
}

static atls_bytes refusal_for_evidence(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_EVIDENCE ? done_of(p, ATLS_CATEGORY_INTERNAL) : honest;
}

/* ---- the application's bytes ------------------------------------------------------------------------------------------ */

static atls_bytes bytes_for_hello(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return is_hello(m) ? native_join(p, text("GET / HTTP/1.1\r\n\r\n"), honest) : honest;
}

static atls_bytes bytes_before_evidence(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_EVIDENCE ? native_join(p, text("HTTP/1.1 200 OK\r\n\r\n"), honest) : honest;
}

static atls_bytes bytes_before_done(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? native_join(p, text("GET / HTTP/1.1\r\n\r\n"), honest) : honest;
}

static atls_bytes bytes_behind_done(native_peer *p, atls_native_message m, atls_bytes honest)
{
    return m == ATLS_NATIVE_DONE ? native_join(p, honest, text("G")) : honest;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

/* clang-format off */
#define F(function) {.frame = function}
#define H(function) {.hello = function}

static const native_row rows[] = {
    {"server hello, key 0 altered: no message", CLIENT_ASKS, F(message_5), ATLS_E_PROTOCOL, "frame.message"},
    {"server hello, key 0 altered: evidence", CLIENT_ASKS, F(message_3), ATLS_E_PROTOCOL, "server_hello"},
    {"server hello, key 1 altered: revision 1", CLIENT_ASKS, F(revision_1), ATLS_E_PROTOCOL, "server_hello.revision"},
    {"server hello, key 1 altered: revision 3", CLIENT_ASKS, F(revision_3), ATLS_E_PROTOCOL, "server_hello.revision"},
    {"server hello, key 2 altered", CLIENT_ASKS, F(nonce_altered), OTHER_SESSION},
    {"server hello, key 3 altered", CLIENT_BOTH, F(types_altered), OTHER_SESSION},
    {"server hello, key 4 altered", CLIENT_ASKS, {.set_up = offer_two, .frame = protocols_altered}, OTHER_SESSION},
    {"server hello, key 5 altered", CLIENT_ASKS, F(staple_altered), OTHER_SESSION},
    {"server hello, a key 7", CLIENT_ASKS, F(unknown_key), ATLS_E_PROTOCOL, "server_hello.key"},
    {"client hello, key 0 altered: no message", SERVER_PROVES, F(message_5), ATLS_E_PROTOCOL, "frame.message"},
    {"client hello, key 0 altered: evidence", SERVER_PROVES, F(message_3), ATLS_E_PROTOCOL, "client_hello"},
    {"client hello, key 1 altered: revision 1", SERVER_PROVES, F(revision_1), ATLS_E_PROTOCOL, "client_hello.revision"},
    {"client hello, key 1 altered: revision 3", SERVER_PROVES, F(revision_3), ATLS_E_PROTOCOL, "client_hello.revision"},
    {"client hello, key 2 altered", SERVER_PROVES, F(nonce_altered), ATLS_E_PROTOCOL, "done.context"},
    {"client hello, key 3 altered", SERVER_PROVES, F(types_altered), ATLS_E_PROTOCOL, "done.context"},
    {"client hello, key 4 altered", SERVER_PROVES, F(protocols_altered), ATLS_E_PROTOCOL, "done.context"},
    {"client hello, key 5 altered", SERVER_PROVES, F(staple_altered), ATLS_E_PROTOCOL, "done.context"},
    {"client hello, key 6 altered", SERVER_PROVES, F(wait_altered), ATLS_E_PROTOCOL, "done.context"},
    {"client hello, a key 7", SERVER_PROVES, F(unknown_key), ATLS_E_PROTOCOL, "client_hello.key"},
    {"client hello of a prover, key 2 altered", SERVER_BOTH, F(nonce_altered), OTHER_SESSION},
    {"client hello of a prover, key 3 altered", SERVER_BOTH, F(types_altered), OTHER_SESSION},
    {"client hello of a prover, key 4 altered", SERVER_BOTH, F(protocols_altered), OTHER_SESSION},
    {"client hello of a prover, key 5 altered", SERVER_BOTH, F(staple_altered), OTHER_SESSION},
    {"client hello of a prover, key 6 altered", SERVER_BOTH, F(wait_altered), OTHER_SESSION},
    {"server hello to a client that proves, key 2 altered", CLIENT_PROVES, F(nonce_altered), ATLS_E_PROTOCOL, "done.context"},

    {"server hello, a longer head", CLIENT_ASKS, F(long_head), ATLS_E_PROTOCOL, "frame.message"},
    {"client hello, a longer head", SERVER_PROVES, F(long_head), ATLS_E_PROTOCOL, "frame.message"},
    {"the client's hello comes back as the server's", CLIENT_ASKS, F(echoed), ATLS_E_PROTOCOL, "server_hello"},
    {"the client's nonce comes back", CLIENT_ASKS, H(same_nonce), ATLS_E_PROTOCOL, "server_hello.nonce"},
    {"an inner protocol that was not offered", CLIENT_ASKS, H(wrong_protocol), ATLS_E_PROTOCOL, "server_hello.protocols"},
    {"no inner protocol in common", SERVER_PROVES, {.set_up = speak_h2_only, .hello = wrong_protocol}, ATLS_E_PROTOCOL,
     "client_hello.protocols"},
    {"client: nobody asks for evidence", CLIENT_PROVES, H(asks_nothing), ATLS_E_PROTOCOL, "server_hello.types"},
    {"server: nobody asks for evidence", SERVER_PROVES, H(asks_nothing), ATLS_E_PROTOCOL, "client_hello.types"},
    {"client: it is asked for what it does not have", CLIENT_BOTH, H(asks_nitro), ATLS_E_PROTOCOL, "server_hello.types"},
    {"client: it is asked, and has nothing", CLIENT_ASKS, H(asks_dcap), ATLS_E_PROTOCOL, "server_hello.types"},
    {"server: it is asked for what it does not have", SERVER_PROVES, H(asks_nitro), ATLS_E_PROTOCOL, "client_hello.types"},
    {"server: it is asked, and has nothing", SERVER_ASKS, H(asks_dcap), ATLS_E_PROTOCOL, "client_hello.types"},

    {"server hello, a byte behind it", CLIENT_ASKS, F(hello_longer), ATLS_E_PROTOCOL, "server_hello"},
    {"server's evidence, a byte behind it", CLIENT_ASKS, F(evidence_longer), ATLS_E_PROTOCOL, "evidence"},
    {"server's done, a byte behind it", CLIENT_ASKS, F(done_longer), ATLS_E_PROTOCOL, "done"},
    {"server hello of 4097 bytes", CLIENT_ASKS, F(hello_of_4097), ATLS_E_PROTOCOL, "server_hello"},
    {"server hello of 4 GiB", CLIENT_ASKS, F(hello_of_4_gib), ATLS_E_PROTOCOL, "server_hello"},
    {"server hello of no bytes", CLIENT_ASKS, F(hello_empty), ATLS_E_PROTOCOL, "server_hello"},
    {"server's evidence of 1 MiB and a byte", CLIENT_ASKS, F(evidence_too_long), ATLS_E_PROTOCOL, "evidence"},
    {"server's done of 65 bytes", CLIENT_ASKS, F(done_of_65), ATLS_E_PROTOCOL, "done"},
    {"server's done of no bytes", CLIENT_ASKS, F(done_empty), ATLS_E_PROTOCOL, "done"},
    {"client hello, a byte behind it", SERVER_PROVES, F(hello_longer), ATLS_E_PROTOCOL, "client_hello"},
    {"client's evidence, a byte behind it", SERVER_BOTH, F(evidence_longer), ATLS_E_PROTOCOL, "evidence"},
    {"client's done, a byte behind it", SERVER_PROVES, F(done_longer), ATLS_E_PROTOCOL, "done"},
    {"client hello of 4097 bytes", SERVER_PROVES, F(hello_of_4097), ATLS_E_PROTOCOL, "client_hello"},
    {"client hello of 4 GiB", SERVER_PROVES, F(hello_of_4_gib), ATLS_E_PROTOCOL, "client_hello"},
    {"client hello of no bytes", SERVER_PROVES, F(hello_empty), ATLS_E_PROTOCOL, "client_hello"},
    {"client's evidence of 1 MiB and a byte", SERVER_BOTH, F(evidence_too_long), ATLS_E_PROTOCOL, "evidence"},
    {"client's done of 65 bytes", SERVER_PROVES, F(done_of_65), ATLS_E_PROTOCOL, "done"},
    {"client's done of no bytes", SERVER_PROVES, F(done_empty), ATLS_E_PROTOCOL, "done"},

    {"server hello twice", CLIENT_ASKS, F(hello_twice), ATLS_E_PROTOCOL, "evidence"},
    {"server hello left out", CLIENT_ASKS, F(no_hello), ATLS_E_PROTOCOL, "server_hello"},
    {"server hello and evidence swapped", CLIENT_ASKS, F(swapped), ATLS_E_PROTOCOL, "server_hello"},
    {"server's evidence twice", CLIENT_ASKS, F(evidence_twice), ATLS_E_PROTOCOL, "done"},
    {"server's evidence in the place of its done", CLIENT_ASKS, F(evidence_for_done), ATLS_E_PROTOCOL, "done"},
    {"server: something as short as a done in its place", CLIENT_ASKS, F(short_for_done), ATLS_E_PROTOCOL, "done"},
    {"client hello twice, to a server that asks", SERVER_ASKS, F(hello_twice), ATLS_E_PROTOCOL, "evidence"},
    {"client hello twice", SERVER_PROVES, F(hello_twice), ATLS_E_PROTOCOL, "done"},
    {"client's evidence left out", SERVER_BOTH, F(no_evidence), ATLS_E_PROTOCOL, "evidence"},
    {"client's evidence twice", SERVER_BOTH, F(evidence_twice), ATLS_E_PROTOCOL, "done"},
    {"client's done twice", SERVER_BOTH, F(done_twice), ATLS_E_PROTOCOL, "application"},
    {"client: something as short as a done in its place", SERVER_PROVES, F(short_for_done), ATLS_E_PROTOCOL, "done"},

    {"server's done in the place of its hello", CLIENT_ASKS, F(done_for_hello), ATLS_E_PROTOCOL, "server_hello"},
    {"server's done in the place of its evidence", CLIENT_ASKS, F(done_for_evidence), ATLS_E_PROTOCOL, "evidence"},
    {"server's done with another context", CLIENT_ASKS, F(other_context), ATLS_E_PROTOCOL, "done.context"},
    {"server's done without context", CLIENT_ASKS, F(bare_done), ATLS_E_PROTOCOL, "done.context"},
    {"server's done, verdict 5", CLIENT_ASKS, F(verdict_5), ATLS_E_PROTOCOL, "done.verdict"},
    {"server refuses after ours accepted", CLIENT_ASKS, F(refusal), ATLS_E_PEER_REFUSED, "done"},
    {"server refuses the client's evidence", CLIENT_BOTH, F(refusal), ATLS_E_PEER_REFUSED, "done"},
    {"server refuses in the place of its hello", CLIENT_ASKS, F(refusal_for_hello), ATLS_E_PEER_REFUSED, "done"},
    {"server refuses in the place of its evidence", CLIENT_ASKS, F(refusal_for_evidence), ATLS_E_PEER_REFUSED, "done"},
    {"client's done in the place of its hello", SERVER_PROVES, F(done_for_hello), ATLS_E_PROTOCOL, "client_hello"},
    {"client's done in the place of its evidence", SERVER_BOTH, F(done_for_evidence), ATLS_E_PROTOCOL, "evidence"},
    {"client's done with another context", SERVER_PROVES, F(other_context), ATLS_E_PROTOCOL, "done.context"},
    {"prover's done with another context", SERVER_BOTH, F(other_context), ATLS_E_PROTOCOL, "done.context"},
    {"client's done without context", SERVER_PROVES, F(bare_done), ATLS_E_PROTOCOL, "done.context"},
    {"client's done, verdict 5", SERVER_PROVES, F(verdict_5), ATLS_E_PROTOCOL, "done.verdict"},
    {"client refuses", SERVER_PROVES, F(refusal), ATLS_E_PEER_REFUSED, "done"},
    {"client refuses in the place of its hello", SERVER_PROVES, F(refusal_for_hello), ATLS_E_PEER_REFUSED, "done"},
    {"client refuses in the place of its evidence", SERVER_BOTH, F(refusal_for_evidence), ATLS_E_PEER_REFUSED, "done"},

    {"server's application in the place of its hello", CLIENT_ASKS, F(bytes_for_hello), ATLS_E_PROTOCOL, "server_hello"},
    {"server's application before its evidence", CLIENT_ASKS, F(bytes_before_evidence), ATLS_E_PROTOCOL, "evidence"},
    {"server's application before its done", CLIENT_ASKS, F(bytes_before_done), ATLS_E_PROTOCOL, "done"},
    {"client's application in the place of its hello", SERVER_PROVES, F(bytes_for_hello), ATLS_E_PROTOCOL, "client_hello"},
    {"client's application before its evidence", SERVER_BOTH, F(bytes_before_evidence), ATLS_E_PROTOCOL, "evidence"},
    {"client's application before its done", SERVER_PROVES, F(bytes_before_done), ATLS_E_PROTOCOL, "done"},
    {"client's application before the server's done", SERVER_BOTH, F(bytes_behind_done), ATLS_E_PROTOCOL, "application"},
    {"application of a client that only proves, too early", SERVER_ASKS, F(bytes_behind_done), ATLS_E_PROTOCOL, "application"},
};
/* clang-format on */

/* Where the server asked for nothing the client may go on behind its done; and behind the server's everything is the
 * application's, a second done as well. */
static void test_behind_done(void **state)
{
    static const native_lies lies = {.frame = bytes_behind_done};
    static const native_victim victims[] = {SERVER_PROVES, CLIENT_ASKS};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rig r;
        char buf[8] = "";
        size_t n = 0;
        rig_open(&r);
        native_set_up(&r, victims[i]);
        native_peer *p = native_peer_open(&r, victims[i], &lies);
        native_peer_play(p);
        native_peer_settle(p);
        assert_int_equal(native_step(p), ATLS_STEP_DONE);
        assert_int_equal(atls_session_read(native_session(p), buf, sizeof buf, &n, &r.err), ATLS_STEP_DONE);
        assert_int_equal(n, 1);
        assert_string_equal(buf, "G");
        native_peer_close(p);
        rig_close(&r);
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, native_row_run, &rows[i]);
    }
    tap_add(&l, "what comes behind done is the application's", test_behind_done, NULL);
    return tap_run("native_frames", &l);
}
