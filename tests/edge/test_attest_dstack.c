/* SPDX-License-Identifier: Apache-2.0 */
/* test_attest_dstack.c: dstack's guest agent over a unix socket: the request byte for byte, and answers honest, broken,
 * refusing, slow, or over somebody else's data. Quotes are the simulator's. */
#include "tap.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "edge/tls/clock.h"
#include "fake_agent.h"
#include "sim/sim.h"

#define ARENA_SIZE ((size_t)16 * 1024 * 1024)

static uint8_t wanted[64];
static char folder[] = "/tmp/atls-agent-XXXXXX";
static char socket_path[96];

typedef enum lie {
    HONEST,
    OTHER_DATA, /* a quote over other report data */
    UNREADABLE, /* bytes that are no quote */
    NO_QUOTE,   /* the member is missing */
    NOT_HEX,
    NOT_JSON,
    REFUSES,      /* 500 with an error */
    REFUSES_DUMB, /* 500 with nothing */
    SURPLUS,
    CUT,        /* ends in the middle of the body */
    SILENT_END, /* ends at once */
    HTTP_1_0,
    TOO_LONG, /* more than 4 MiB announced */
    CHUNKED,
} lie;

typedef struct row {
    const char *name;
    lie lie;
    size_t piece;
    atls_code code;
    const char *field; /* NULL: it works */
    const char *message;
} row;

/* clang-format off */
static const row rows[] = {
    {"an honest agent", HONEST, 0, ATLS_OK, NULL, NULL},
    {"a byte at a time", HONEST, 1, ATLS_OK, NULL, NULL},
    {"in chunks", CHUNKED, 0, ATLS_OK, NULL, NULL},
    {"bytes that are no quote are the verifier's to refuse", UNREADABLE, 0, ATLS_OK, NULL, NULL},
    {"a quote over other data", OTHER_DATA, 0, ATLS_E_QUOTE, "attester.dstack.quote", "not over the report data"},
    {"no quote", NO_QUOTE, 0, ATLS_E_QUOTE, "attester.dstack.quote", "no quote"},
    {"a quote that is not hex", NOT_HEX, 0, ATLS_E_OTHER, "attester.dstack.quote", NULL},
    {"a body that is not JSON", NOT_JSON, 0, ATLS_E_QUOTE, "attester.dstack.response", NULL},
    {"an agent that refuses says why", REFUSES, 0, ATLS_E_IO, "attester.dstack.response.status", "the agent says: no TDX here"},
    {"an agent that refuses and says nothing", REFUSES_DUMB, 0, ATLS_E_IO, "attester.dstack.response.status", NULL},
    {"bytes behind the answer", SURPLUS, 0, ATLS_E_IO, "attester.dstack.response.end", NULL},
    {"an answer that is cut", CUT, 0, ATLS_E_IO, "attester.dstack.response.body", NULL},
    {"no answer", SILENT_END, 0, ATLS_E_IO, "attester.dstack.response.header", NULL},
    {"another HTTP", HTTP_1_0, 0, ATLS_E_IO, "attester.dstack.response.status", NULL},
    {"more than can be", TOO_LONG, 0, ATLS_E_IO, "attester.dstack.response.body", NULL},
};
/* clang-format on */

/* ---- the agent's side --------------------------------------------------------------------------------------------- */

typedef struct script {
    sim *room;
    lie lie;
} script;

static size_t body_of(script *s, const uint8_t report_data[64], char *out, size_t size)
{
    uint8_t data[64];
    atls_error err = {0};
    atls_arena a;
    atls_bytes quote;
    memcpy(data, report_data, 64);
    data[63] ^= s->lie == OTHER_DATA ? 1 : 0;
    if (!atls_arena_new(&a, ARENA_SIZE, &err) || !sim_quote(s->room, data, &a, &quote, &err)) {
        abort();
    }
    quote = s->lie == UNREADABLE ? atls_bytes_str("no quote") : quote;
    const char *hex = s->lie == NOT_HEX ? "xyz" : atls_hex_text(quote, &a, &err);
    const int n = snprintf(out, size, "{\"%s\":\"%s\",\"event_log\":\"[]\",\"vm_config\":\"{}\",\"report_data\":\"\"}",
                           s->lie == NO_QUOTE ? "quite" : "quote", hex);
    atls_arena_free(&a);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static size_t answer(void *ctx, const uint8_t report_data[64], char *out, size_t size)
{
    static char body[512 * 1024];
    script *s = ctx;
    size_t len = body_of(s, report_data, body, sizeof body);
    const char *first = s->lie == HTTP_1_0 ? "HTTP/1.0 200 OK" : "HTTP/1.1 200 OK";
    char framing[64];
    int n = 0;
    if (s->lie == SILENT_END) {
        return 0;
    }
    if (s->lie == REFUSES || s->lie == REFUSES_DUMB || s->lie == NOT_JSON) {
        first = s->lie == NOT_JSON ? first : "HTTP/1.1 500 Internal Server Error";
        len = (size_t)snprintf(body, sizeof body, "%s",
                               s->lie == REFUSES    ? "{\"error\":\"no TDX here\"}"
                               : s->lie == NOT_JSON ? "<html>"
                                                    : "");
    }
    (void)snprintf(framing, sizeof framing, "Content-Length: %zu", s->lie == TOO_LONG ? (size_t)4194305 : len);
    if (s->lie == CHUNKED) {
        n = snprintf(out, size,
                     "%s\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n0\r\n\r\n",
                     first, len, body);
    } else {
        n = snprintf(out, size, "%s\r\nContent-Type: application/json\r\n%s\r\n\r\n%s%s", first, framing, body,
                     s->lie == SURPLUS ? "x" : "");
    }
    return (size_t)n - (s->lie == CUT ? 10 : 0);
}

/* ---- ours --------------------------------------------------------------------------------------------------------- */

static void check_request(const fake_agent *agent)
{
    char hex[129], expected[512];
    atls_hex_encode(atls_bytes_of(wanted, 64), hex);
    (void)snprintf(
        expected, sizeof expected,
        "POST /GetQuote HTTP/1.1\r\nHost: dstack\r\nContent-Type: application/json\r\nContent-Length: 146\r\n\r\n"
        "{\"report_data\":\"%s\"}",
        hex);
    assert_string_equal(agent->request, expected);
}

static void check_made(const row *r, const atls_evidence *e)
{
    assert_true(atls_bytes_equal_str(e->event_log, "[]"));
    assert_true(atls_bytes_equal_str(e->vm_config, "{}"));
    assert_true(r->lie == UNREADABLE ? atls_bytes_equal_str(e->quote, "no quote") : e->quote.len > 1000);
}

static void test_row(void **state)
{
    const row *r = *state;
    atls_error err = {0};
    atls_arena a;
    atls_evidence e;
    script s = {.lie = r->lie};
    fake_agent agent = {.answer = answer, .ctx = &s, .piece = r->piece};
    atls_dstack_agent_options o = {.socket_path = socket_path, .timeout_ms = 20000};
    assert_true(sim_new(&(sim_options){0}, &s.room, &err));
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    assert_true(fake_agent_start(&agent, socket_path));
    const bool ok = atls_attest_dstack_agent(&o, wanted, &a, &e, &err);
    fake_agent_stop(&agent);
    sim_free(s.room);
    check_request(&agent);
    if (ok != (r->field == NULL) || err.code != r->code) {
        fail_msg("%s at %s: %s", atls_code_name(err.code), err.field, err.message);
    }
    if (ok) {
        check_made(r, &e);
    } else {
        assert_string_equal(err.field, r->field);
        assert_true(r->message == NULL || strstr(err.message, r->message) != NULL);
        assert_int_equal(e.quote.len, 0);
    }
    atls_arena_free(&a);
}

/* An agent that reads and says nothing: the deadline ends it. */
static void test_silence(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_arena a;
    atls_evidence e;
    fake_agent agent = {.answer = NULL};
    atls_dstack_agent_options o = {.socket_path = socket_path, .timeout_ms = 100};
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    assert_true(fake_agent_start(&agent, socket_path));
    const uint64_t before = atls_clock_ms();
    assert_false(atls_attest_dstack_agent(&o, wanted, &a, &e, &err));
    assert_true(atls_clock_ms() - before < 10000);
    fake_agent_stop(&agent);
    assert_int_equal(err.code, ATLS_E_TIMEOUT);
    assert_string_equal(err.field, "attester.dstack");
    atls_arena_free(&a);
}

static void refused(const char *path, const char *message)
{
    atls_error err = {0};
    atls_arena a;
    atls_evidence e;
    atls_dstack_agent_options o = {.socket_path = path};
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    assert_false(atls_attest_dstack_agent(&o, wanted, &a, &e, &err));
    assert_int_equal(err.code, ATLS_E_IO);
    assert_string_equal(err.field, "attester.dstack");
    if (strstr(err.message, message) == NULL) {
        fail_msg("%s", err.message);
    }
    atls_arena_free(&a);
}

static void test_sockets(void **state)
{
    (void)state;
    char path[160];
    refused("/nowhere/dstack.sock", "not mounted here");
    (void)snprintf(path, sizeof path, "%s/dead", folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
    refused(path, "nobody listens");
    (void)unlink(path);
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    refused(path, "File name too long");
}

int main(void)
{
    tap_list l = {0};
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(socket_path, sizeof socket_path, "%s/dstack.sock", folder);
    for (size_t i = 0; i < sizeof wanted; i++) {
        wanted[i] = (uint8_t)(0x10 + i);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "silence", test_silence, NULL);
    tap_add(&l, "sockets that lead nowhere", test_sockets, NULL);
    const int failed = tap_run("attest_dstack", &l);
    (void)rmdir(folder);
    return failed;
}
