/* SPDX-License-Identifier: Apache-2.0 */
/* test_nsm.c: the attester of Nitro enclaves against a module of our own, which reads the requests and answers with documents
 * of the simulator: as a function, and behind a socket with the real protocol. Whatever the module or the system says comes
 * out in words, and a document over other values is never handed out. */
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cbor.h"
#include "base/cbor_write.h"
#include "base/text.h"
#include "edge/attester/nsm.h"
#include "sim/sim_nitro.h"
#include "tests/base/check.h"

/* ---- the module ---- */

typedef struct module {
    sim_nitro *room;
    atls_arena arena;
    const char *error;    /* answers with it */
    const char *response; /* hex: answers with that */
    int reason;           /* the transport fails */
    bool wrong_value;     /* makes a document over other user data */
    bool drops_nonce;     /* or without the nonce */
    bool open_maps;       /* answers in maps of open length */
    unsigned asked;
} module;

static bool read_optional(atls_cur *c, atls_bytes *room, const atls_bytes **out)
{
    atls_cbor_item item;
    if (!atls_cbor_head(c, "value", &item)) {
        return false;
    }
    *room = item.bytes;
    *out = item.type == ATLS_CBOR_NULL ? NULL : room;
    return item.type == ATLS_CBOR_NULL || item.type == ATLS_CBOR_BYTES;
}

/* The module's own reader: exactly the map that the SDK writes. */
static bool read_request(atls_bytes in, sim_nitro_request *out, atls_bytes rooms[3])
{
    static const char *const names[] = {"user_data", "nonce", "public_key"};
    const atls_bytes **slots[] = {&out->user_data, &out->nonce, &out->public_key};
    atls_error err = {0};
    atls_cur c;
    uint64_t n;
    atls_bytes name;
    atls_cur_init(&c, in, "", &err);
    bool ok = atls_cbor_map(&c, "request", 1, &n) && n == 1 && atls_cbor_text(&c, "request", &name)
              && atls_bytes_equal_str(name, "Attestation") && atls_cbor_map(&c, "request", 3, &n) && n == 3;
    for (size_t i = 0; ok && i < 3; i++) {
        ok = atls_cbor_text(&c, "name", &name) && atls_bytes_equal_str(name, names[i])
             && read_optional(&c, &rooms[i], slots[i]);
    }
    return ok && atls_cur_end(&c);
}

static atls_bytes make_response(module *m, atls_bytes document)
{
    atls_error err = {0};
    atls_buf b;
    atls_cw w;
    atls_bytes out;
    atls_buf_init(&b, &m->arena, &err);
    atls_cw_init(&w, &b);
    if (m->open_maps) {
        atls_buf_put(&b, atls_bytes_of("\xbf", 1));
    } else {
        atls_cw_map(&w, 1);
    }
    atls_cw_text(&w, atls_bytes_str(m->error != NULL ? "Error" : "Attestation"));
    if (m->error != NULL) {
        atls_cw_text(&w, atls_bytes_str(m->error));
    } else {
        atls_cw_map(&w, 1);
        atls_cw_text(&w, atls_bytes_str("document"));
        atls_cw_bytes(&w, document);
    }
    if (m->open_maps) {
        atls_buf_put(&b, atls_bytes_of("\xff", 1));
    }
    assert_true(atls_buf_done(&b, &out));
    return out;
}

static atls_bytes answer(module *m, atls_bytes request)
{
    static const uint8_t other[64] = {7};
    const atls_bytes others = atls_bytes_of(other, sizeof other);
    sim_nitro_request r = {0};
    atls_bytes rooms[3];
    atls_error err = {0};
    atls_bytes document = atls_bytes_empty();
    m->asked++;
    assert_true(request.len <= ATLS_NSM_MAX_REQUEST && read_request(request, &r, rooms));
    if (m->response != NULL) {
        assert_true(atls_hex_decode(atls_bytes_str(m->response), "hex", &m->arena, &document, &err));
        return document;
    }
    r.user_data = m->wrong_value ? &others : r.user_data;
    r.nonce = m->drops_nonce ? NULL : r.nonce;
    assert_true(sim_nitro_document(m->room, &r, &m->arena, &document, &err));
    return make_response(m, document);
}

static int transport(void *ctx, atls_bytes request, uint8_t *response, size_t *response_len)
{
    module *m = ctx;
    if (m->reason != 0) {
        return m->reason;
    }
    const atls_bytes made = answer(m, request);
    assert_true(made.len <= *response_len);
    memcpy(response, made.ptr, made.len);
    *response_len = made.len;
    return 0;
}

static void module_open(module *m)
{
    const sim_nitro_options options = {.is_nitrotpm = false};
    atls_error err = {0};
    *m = (module){.room = NULL};
    assert_true(atls_arena_new(&m->arena, (size_t)8 * 1024 * 1024, &err));
    assert_true(sim_nitro_new(&options, &m->room, &err));
}

static void module_close(module *m)
{
    sim_nitro_free(m->room);
    atls_arena_free(&m->arena);
}

/* ---- tests ---- */

static const uint8_t report_data[64] = {1, 2, 3};

static bool attest(atls_nsm_options *o, atls_evidence *out, atls_error *err)
{
    *err = (atls_error){0};
    return atls_nsm_attest(o, report_data, check_arena(), out, err);
}

/* What the attester makes is what a verifier accepts, over exactly these bytes. */
static void test_round_trip(void **state)
{
    module m;
    atls_error err;
    atls_evidence e;
    atls_bytes text;
    atls_policy *policy;
    atls_verifier *verifier;
    atls_result result;
    (void)state;
    module_open(&m);
    atls_nsm_options o = {.transport = transport, .transport_ctx = &m};
    assert_true(attest(&o, &e, &err));
    assert_true(e.event_log.len == 0 && e.vm_config.len == 0 && m.asked == 1);
    assert_true(sim_nitro_policy(m.room, &m.arena, &text, &err) && atls_policy_parse(text, &policy, &err)
                && atls_verifier_new(policy, &verifier, &err));
    atls_appraisal in = {.evidence = e.quote,
                         .event_log = atls_bytes_empty(),
                         .binding = {.grade = ATLS_GRADE_SESSION, .profile = "atls/1"},
                         .now = SIM_NOW};
    memcpy(in.binding.value, report_data, sizeof report_data);
    assert_true(atls_verifier_appraise(verifier, &in, &m.arena, &result, &err));
    m.open_maps = true;
    assert_true(attest(&o, &e, &err));
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    module_close(&m);
}

static void test_values(void **state)
{
    static const uint8_t bytes[1025] = {9};
    const atls_bytes nonce = atls_bytes_of(bytes, 512);
    const atls_bytes key = atls_bytes_of(bytes, 1024);
    const atls_bytes empty = atls_bytes_empty();
    const atls_bytes long_nonce = atls_bytes_of(bytes, 513);
    const atls_bytes long_key = atls_bytes_of(bytes, 1025);
    module m;
    atls_error err;
    atls_evidence e;
    (void)state;
    module_open(&m);
    atls_nsm_options o = {.transport = transport, .transport_ctx = &m, .nonce = &nonce, .public_key = &key};
    assert_true(attest(&o, &e, &err));
    o.nonce = &empty; /* empty is not null */
    assert_true(attest(&o, &e, &err));
    o.nonce = &long_nonce;
    assert_false(attest(&o, &e, &err));
    check_error(&err, ATLS_E_CONFIGURATION, "attester.nsm.nonce");
    o.nonce = NULL;
    o.public_key = &long_key;
    assert_false(attest(&o, &e, &err));
    check_error(&err, ATLS_E_CONFIGURATION, "attester.nsm.public_key");
    assert_int_equal(m.asked, 2);
    module_close(&m);
}

static void test_other_values(void **state)
{
    const atls_bytes nonce = atls_bytes_str("nonce");
    module m;
    atls_error err;
    atls_evidence e;
    (void)state;
    module_open(&m);
    atls_nsm_options o = {.transport = transport, .transport_ctx = &m, .nonce = &nonce};
    m.wrong_value = true;
    assert_false(attest(&o, &e, &err));
    check_error(&err, ATLS_E_QUOTE, "attester.nsm.document.user_data");
    assert_int_equal(e.quote.len, 0);
    m.wrong_value = false;
    m.drops_nonce = true;
    assert_false(attest(&o, &e, &err));
    check_error(&err, ATLS_E_QUOTE, "attester.nsm.document.nonce");
    module_close(&m);
}

static const char *const words[] = {"InvalidArgument", "InvalidIndex",     "InvalidResponse",
                                    "ReadOnlyIndex",   "InvalidOperation", "BufferTooSmall",
                                    "InputTooLarge",   "InternalError",    "SomethingOfTomorrow"};

static void test_refusal(void **state)
{
    module m;
    atls_error err;
    atls_evidence e;
    (void)state;
    module_open(&m);
    atls_nsm_options o = {.transport = transport, .transport_ctx = &m};
    for (size_t i = 0; i < COUNT(words); i++) {
        m.error = words[i];
        assert_false(attest(&o, &e, &err));
        check_error(&err, ATLS_E_IO, "attester.nsm");
        assert_string_equal(err.actual, words[i]);
        assert_non_null(strstr(err.message, "the "));
    }
    module_close(&m);
}

static const struct bad_response {
    const char *name;
    const char *hex;
    const char *field;
} bad_responses[] = {
    {"nothing", "", "attester.nsm.response"},
    {"no map", "80", "attester.nsm.response"},
    {"an empty map", "a0", "attester.nsm.response"},
    {"another answer",
     "a16a476574"
     "52616e646f6da0",
     "attester.nsm.response"},
    {"no document", "a16b4174746573746174696f6ea0", "attester.nsm.response"},
    {"an empty map, and an answer behind it", "a06b4174746573746174696f6ea168646f63756d656e744100",
     "attester.nsm.response"},
    {"an empty open map, and an answer in it", "bfff6b4174746573746174696f6ea168646f63756d656e744100",
     "attester.nsm.response"},
    {"an empty error", "a1654572726f7260", "attester.nsm.response.document"},
    {"another member", "a16b4174746573746174696f6ea1616140", "attester.nsm.response.document"},
    {"an empty document", "a16b4174746573746174696f6ea168646f63756d656e7440", "attester.nsm.response.document"},
    {"a document that is none", "a16b4174746573746174696f6ea168646f63756d656e744100", "attester.nsm.document"},
    {"bytes after it", "a16b4174746573746174696f6ea168646f63756d656e74410000", "attester.nsm"},
    {"an error that is a number", "a1654572726f7201", "attester.nsm.response.error"},
};

static void test_bad_response(void **state)
{
    const struct bad_response *b = *state;
    module m;
    atls_error err;
    atls_evidence e;
    module_open(&m);
    atls_nsm_options o = {.transport = transport, .transport_ctx = &m};
    m.response = b->hex;
    assert_false(attest(&o, &e, &err));
    check_error(&err, ATLS_E_QUOTE, b->field);
    module_close(&m);
}

static void test_system(void **state)
{
    static const struct {
        int reason;
        atls_code code;
        const char *word;
    } reasons[] = {{ENOENT, ATLS_E_IO, "no Nitro enclave"},
                   {EACCES, ATLS_E_IO, "root"},
                   {ENOTTY, ATLS_E_IO, "not the Nitro security module"},
                   {EIO, ATLS_E_IO, "/dev/nsm: "},
                   {EAGAIN, ATLS_E_TIMEOUT, "/dev/nsm: "}};
    module m;
    atls_error err;
    atls_evidence e;
    (void)state;
    module_open(&m);
    atls_nsm_options o = {.transport = transport, .transport_ctx = &m};
    for (size_t i = 0; i < COUNT(reasons); i++) {
        m.reason = reasons[i].reason;
        assert_false(attest(&o, &e, &err));
        check_error(&err, reasons[i].code, "attester.nsm");
        assert_true(err.retry);
        assert_non_null(strstr(err.message, reasons[i].word));
    }
    module_close(&m);
}

/* ---- devices and sockets ---- */

static void test_no_device(void **state)
{
    atls_error err;
    atls_evidence e;
    atls_nsm_options o = {.device = "/nonexistent/nsm"};
    (void)state;
    assert_false(attest(&o, &e, &err));
    check_error(&err, ATLS_E_IO, "attester.nsm");
    o.device = "/dev/null";
    assert_false(attest(&o, &e, &err));
    check_error(&err, ATLS_E_IO, "attester.nsm");
    assert_non_null(strstr(err.message, "not the Nitro security module"));
}

typedef struct listener {
    module m;
    char path[96];
    int fd;
    int mode; /* 0 answers, 1 hangs up, 2 says nothing, 3 answers too much */
    pthread_t thread;
} listener;

static void *serve(void *ctx)
{
    static uint8_t buffer[ATLS_NSM_MAX_RESPONSE + 64];
    listener *l = ctx;
    const int fd = accept(l->fd, NULL, NULL);
    const ssize_t n = fd < 0 ? -1 : recv(fd, buffer, sizeof buffer, 0);
    if (n > 0 && l->mode == 0) {
        const atls_bytes made = answer(&l->m, atls_bytes_of(buffer, (size_t)n));
        (void)!send(fd, made.ptr, made.len, MSG_NOSIGNAL);
    } else if (n > 0 && l->mode == 3) {
        (void)!send(fd, buffer, sizeof buffer, MSG_NOSIGNAL);
    } else if (n > 0 && l->mode == 2) {
        (void)!recv(fd, buffer, sizeof buffer, 0); /* until the other end gives up */
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return NULL;
}

static void listener_open(listener *l, int mode)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    module_open(&l->m);
    l->mode = mode;
    snprintf(l->path, sizeof l->path, "/tmp/atls-nsm-%ld.sock", (long)getpid());
    snprintf(address.sun_path, sizeof address.sun_path, "%s", l->path);
    (void)unlink(l->path);
    l->fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_true(l->fd >= 0 && bind(l->fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0
                && listen(l->fd, 1) == 0);
    assert_int_equal(pthread_create(&l->thread, NULL, serve, l), 0);
}

static void listener_close(listener *l)
{
    assert_int_equal(pthread_join(l->thread, NULL), 0);
    (void)close(l->fd);
    (void)unlink(l->path);
    module_close(&l->m);
}

static void test_socket(void **state)
{
    static const struct {
        int mode;
        atls_code code;
    } modes[] = {{0, ATLS_OK}, {1, ATLS_E_IO}, {2, ATLS_E_TIMEOUT}, {3, ATLS_E_IO}};
    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        listener l;
        atls_error err;
        atls_evidence e;
        listener_open(&l, modes[i].mode);
        atls_nsm_options o = {.device = l.path, .timeout_ms = modes[i].mode == 2 ? 100 : 0};
        assert_int_equal(attest(&o, &e, &err), modes[i].code == ATLS_OK);
        check_error(&err, modes[i].code, modes[i].code == ATLS_OK ? "" : "attester.nsm");
        listener_close(&l);
    }
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "a document over these bytes, which a verifier accepts", test_round_trip, NULL);
    tap_add(&tests, "nonce and public key: null, empty, as long as may be", test_values, NULL);
    tap_add(&tests, "a document over other values is not handed out", test_other_values, NULL);
    tap_add(&tests, "what the module says, in words", test_refusal, NULL);
    for (size_t i = 0; i < COUNT(bad_responses); i++) {
        tap_add(&tests, bad_responses[i].name, test_bad_response, &bad_responses[i]);
    }
    tap_add(&tests, "what the system says, in words", test_system, NULL);
    tap_add(&tests, "no device, and another device", test_no_device, NULL);
    tap_add(&tests, "the real protocol over a socket", test_socket, NULL);
    return tap_run("nsm", &tests);
}
