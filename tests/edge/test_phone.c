/* SPDX-License-Identifier: Apache-2.0 */
/* test_phone.c: a phone of the simulator against a service of the test's own, which is honest or misbehaves in one way. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "atls/enrol.h"
#include "base/text.h"
#include "edge/service/phone.h"
#include "enrol/authority.h"
#include "rig.h"
#include "sim/sim_phone.h"

#define OID     "2.25.266612578647278744056060545794611611433"
#define NOW_MS  ((int64_t)AUTHORITY_NOW * 1000)
#define NONCE   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define MAX_LEN ((size_t)300 * 1024)

/* What the service does. */
typedef struct service {
    bool has_tls;
    const char *scheme; /* of attestationEndpoint; NULL: its own */
    const char *challenge;
    int64_t issued_ms;
    int challenge_status; /* 0: 200 */
    int status;           /* of the answer to the request */
    const char *answer;   /* NULL: a certificate */
    bool redirect;        /* of the challenge, to itself */
    bool for_other_key;
    bool no_root;
    bool other_issuer;
    bool expired;
    bool ca_expired;
    bool root_expired;
    const char *ca_constraints; /* NULL: as they are */
    bool ca_without;            /* none at all */
    bool leaf_alone;
    /* the service's */
    authority a;
    atls_arena arena;
    SSL_CTX *ctx;
    char ca_file[64];
    sim *room;
    int listener;
    char url[128];
    char own[64];
    pthread_t thread;
    unsigned n_challenges;
    unsigned n_requests;
    atls_error csr_error; /* what is wrong with the request */
    atls_enrol_statement_kind kind;
} service;

/* ---- the wire ---- */

typedef struct wire {
    int fd;
    SSL *ssl;
} wire;

static int get(const wire *w, void *p, size_t n)
{
    return w->ssl != NULL ? SSL_read(w->ssl, p, (int)n) : (int)recv(w->fd, p, n, 0);
}

static void put(const wire *w, const void *p, size_t n)
{
    const int sent = w->ssl != NULL ? SSL_write(w->ssl, p, (int)n) : (int)send(w->fd, p, n, MSG_NOSIGNAL);
    (void)sent; /* a client that is gone is the test's to notice */
}

static void reply(const wire *w, int status, const char *more, atls_bytes body)
{
    char head[256];
    (void)snprintf(head, sizeof head,
                   "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%sConnection: close\r\n"
                   "\r\n",
                   status, body.len, more);
    put(w, head, strlen(head));
    put(w, body.ptr, body.len);
}

static atls_bytes read_request(service *s, const wire *w, char method[8])
{
    uint8_t *all = atls_arena_alloc(&s->arena, MAX_LEN, &s->csr_error);
    size_t len = 0;
    size_t want = SIZE_MAX;
    const char *body = NULL;
    assert_non_null(all);
    while (len < MAX_LEN - 1 && len < want) {
        const int n = get(w, all + len, MAX_LEN - 1 - len);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
        all[len] = 0;
        body = strstr((const char *)all, "\r\n\r\n");
        const char *length = body == NULL ? NULL : strstr((const char *)all, "Content-Length: ");
        if (body != NULL) {
            want = (size_t)(body + 4 - (const char *)all) + (length == NULL ? 0 : strtoul(length + 16, NULL, 10));
        }
    }
    (void)snprintf(method, 8, "%.*s", (int)strcspn((const char *)all, " "), (const char *)all);
    return body == NULL ? atls_bytes_empty()
                        : atls_bytes_of((const uint8_t *)body + 4, len - (size_t)(body + 4 - (const char *)all));
}

/* ---- the service ---- */

static atls_bytes challenge_of(service *s)
{
    char text[1024];
    atls_bytes out;
    const char *scheme = s->scheme != NULL ? s->scheme : s->has_tls ? "https" : "http";
    (void)snprintf(text, sizeof text,
                   "{\"issuedAt\":%lld,\"validity\":300,\"timeZone\":\"UTC\",\"nonce\":\"" NONCE
                   "\",\"attestationEndpoint\":\"%s%s/api/v1/attest\",\"proofOID\":\"" OID "\"}",
                   (long long)s->issued_ms, scheme, s->own);
    const char *chosen = s->challenge == NULL ? text : s->challenge;
    assert_true(atls_arena_copy(&s->arena, atls_bytes_str(chosen), &out, &s->csr_error));
    return out;
}

/* Everything that a server checks before it looks at the hardware. */
static bool check_request(service *s, atls_bytes der, atls_enrol_csr *csr)
{
    atls_bytes nonce;
    atls_bytes oid;
    atls_bytes text;
    atls_enrol_statement statement;
    if (!atls_enrol_csr_read(der, csr, &s->csr_error) || !atls_enrol_csr_nonce(csr, &s->arena, &nonce, &s->csr_error)
        || !atls_enrol_oid_der(atls_bytes_str(OID), "oid", &s->arena, &oid, &s->csr_error)
        || !atls_enrol_csr_statement(csr, oid, &text, &s->csr_error)
        || !atls_enrol_statement_read(text, &s->arena, &statement, &s->csr_error)
        || !atls_enrol_csr_verify(csr, &s->csr_error)) {
        return false;
    }
    s->kind = statement.kind;
    return nonce.len == 32 && nonce.ptr[31] == 31;
}

static atls_bytes certify(service *s, const atls_enrol_csr *csr)
{
    atls_enrol_response r = {.is_success = true, .explanation = atls_bytes_empty()};
    atls_bytes out;
    const unsigned char *p = csr->spki.ptr;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)csr->spki.len);
    assert_non_null(key);
    cert_plan plan = s->a.phone;
    plan.key = s->for_other_key ? s->a.other_key : key;
    plan.signer = s->other_issuer ? s->a.other_key : s->a.ca_key;
    plan.until_s = s->expired ? -1 : plan.until_s;
    cert_plan ca = s->a.ca;
    cert_plan root = s->a.root;
    ca.until_s = s->ca_expired ? -1 : ca.until_s;
    root.until_s = s->root_expired ? -1 : root.until_s;
    ca.constraints = s->ca_without ? NULL : s->ca_constraints != NULL ? s->ca_constraints : ca.constraints;
    r.chain[r.n_chain++] = authority_cert(&plan, &s->arena);
    if (!s->leaf_alone) {
        r.chain[r.n_chain++] = authority_cert(&ca, &s->arena);
    }
    if (!s->leaf_alone && !s->no_root) {
        r.chain[r.n_chain++] = authority_cert(&root, &s->arena);
    }
    EVP_PKEY_free(key);
    assert_true(atls_enrol_response_write(&r, &s->arena, &out, &s->csr_error));
    return out;
}

static void answer(service *s, const wire *w)
{
    char method[8];
    char where[192];
    atls_enrol_csr csr;
    const atls_bytes body = read_request(s, w, method);
    if (strcmp(method, "GET") == 0) {
        s->n_challenges++;
        (void)snprintf(where, sizeof where, "Location: %s\r\n", s->url);
        reply(w,
              s->redirect                ? 302
              : s->challenge_status == 0 ? 200
                                         : s->challenge_status,
              s->redirect                  ? where
              : s->challenge_status == 429 ? "Retry-After: 17\r\n"
                                           : "",
              challenge_of(s));
        return;
    }
    if (strcmp(method, "POST") != 0) {
        return;
    }
    s->n_requests++;
    if (!check_request(s, body, &csr) && s->csr_error.code == ATLS_OK) {
        s->csr_error.code = ATLS_E_INTERNAL;
    }
    const bool is_good = s->csr_error.code == ATLS_OK;
    const atls_bytes text = s->answer != NULL ? atls_bytes_str(s->answer)
                            : is_good         ? certify(s, &csr)
                                              : atls_bytes_str("{}");
    reply(w, s->status == 0 ? 200 : s->status, "", text);
}

static void *serve(void *arg)
{
    service *s = arg;
    for (;;) {
        wire w = {.fd = accept(s->listener, NULL, NULL)};
        if (w.fd < 0) {
            return NULL;
        }
        const struct timeval patience = {.tv_sec = 10};
        (void)setsockopt(w.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        bool ready = true;
        if (s->ctx != NULL) {
            w.ssl = SSL_new(s->ctx);
            ready = w.ssl != NULL && SSL_set_fd(w.ssl, w.fd) == 1 && SSL_accept(w.ssl) == 1;
        }
        if (ready) {
            answer(s, &w);
        }
        if (w.ssl != NULL) {
            (void)(ready ? SSL_shutdown(w.ssl) : 0);
            SSL_free(w.ssl);
        }
        (void)shutdown(w.fd, SHUT_WR);
        (void)close(w.fd);
    }
}

static void start_tls(service *s)
{
    const sim_options options = {.now = AUTHORITY_NOW};
    sim_tls tls;
    if (!s->has_tls) {
        return;
    }
    /* libcurl reads the system's clock: this certificate lives now */
    sim_options today = options;
    today.now = (atls_time)time(NULL);
    assert_true(sim_new(&today, &s->room, &s->csr_error));
    assert_true(sim_tls_identity(s->room, "localhost", &s->arena, &tls, &s->csr_error));
    s->ctx = rig_context(true, &tls);
    rig_file(s->ca_file, tls.ca_pem);
}

static void service_open(service *s)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
    } address = {.in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    socklen_t len = sizeof address.in;
    *s = (service){.issued_ms = NOW_MS - 1000};
    assert_true(atls_arena_new(&s->arena, (size_t)64 * 1024 * 1024, &s->csr_error));
    authority_open(&s->a);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, &address.any, len), 0);
    assert_int_equal(listen(s->listener, 4), 0);
    assert_int_equal(getsockname(s->listener, &address.any, &len), 0);
    (void)snprintf(s->own, sizeof s->own, "://localhost:%u", (unsigned)ntohs(address.in.sin_port));
}

static void service_start(service *s)
{
    start_tls(s);
    (void)snprintf(s->url, sizeof s->url, "%s%s/api/v1/challenge", s->has_tls ? "https" : "http", s->own);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void service_close(service *s)
{
    (void)shutdown(s->listener, SHUT_RDWR);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    (void)close(s->listener);
    (void)unlink(s->ca_file);
    SSL_CTX_free(s->ctx);
    sim_free(s->room);
    authority_close(&s->a);
    atls_arena_free(&s->arena);
}

/* ---- the phone ---- */

typedef struct phone {
    sim_phone_kind kind;
    sim_phone *sim;
    unsigned n_calls;
} phone;

static bool make_csr(void *ctx, const atls_enrol_challenge *challenge, atls_arena *arena, atls_bytes *csr,
                     atls_bytes *spki, atls_error *err)
{
    phone *p = ctx;
    const sim_phone_options options = {.kind = p->kind, .key = "a key"};
    p->n_calls++;
    return sim_phone_new(&options, &p->sim, err) && sim_phone_csr(p->sim, challenge, arena, csr, err)
           && sim_phone_spki(p->sim, arena, spki, err);
}

/* ---- rows ---- */

typedef struct row {
    const char *name;
    void (*change)(service *s, atls_phone *p);
    atls_code code; /* OK: the server has answered */
    const char *field;
    unsigned n_calls; /* keys that were made */
} row;

#define CHANGE(name, statement)                                                                                        \
    static void name(service *s, atls_phone *p)                                                                        \
    {                                                                                                                  \
        (void)s;                                                                                                       \
        (void)p;                                                                                                       \
        statement;                                                                                                     \
    }
CHANGE(over_tls, s->has_tls = true)
CHANGE(unknown_authority, s->has_tls = true; p->ca_file = "none")
CHANGE(downgrade, s->has_tls = true; s->scheme = "http")
CHANGE(upgrade_that_fails, s->scheme = "https"; p->timeout_ms = 2000)
CHANGE(a_file, s->scheme = "file")
CHANGE(equal_clocks, s->issued_ms = NOW_MS)
CHANGE(server_ahead, s->issued_ms = NOW_MS + 1)
CHANGE(last_moment, s->issued_ms = NOW_MS - 300000)
CHANGE(too_late, s->issued_ms = NOW_MS - 300001)
CHANGE(garbage, s->challenge = "{}")
CHANGE(too_busy, s->challenge_status = 429)
CHANGE(gone, s->challenge_status = 404)
CHANGE(moved, s->redirect = true)
CHANGE(broken, s->status = 500)
CHANGE(no_answer, s->answer = "")
CHANGE(garbage_answer, s->answer = "{\"type\":\"Maybe\"}")
CHANGE(refused, s->answer = "{\"type\":\"Failure\",\"kind\":\"TRUST\",\"explanation\":null}")
CHANGE(other_key, s->for_other_key = true)
CHANGE(other_issuer, s->other_issuer = true)
CHANGE(no_root, s->no_root = true)
CHANGE(leaf_alone, s->leaf_alone = true)
CHANGE(expired, s->expired = true)
CHANGE(ca_expired, s->ca_expired = true)
CHANGE(root_expired, s->root_expired = true)
CHANGE(ca_is_none, s->ca_constraints = "critical,CA:FALSE")
CHANGE(ca_does_not_say, s->ca_without = true)
CHANGE(plain_http, p->url = "http://192.0.2.1/api/v1/challenge")
CHANGE(no_url, p->url = "localhost/api/v1/challenge")
CHANGE(ftp, p->url = "ftp://localhost/api/v1/challenge")

static const row rows[] = {
    {"an honest service", NULL, ATLS_OK, NULL, 1},
    {"over TLS", over_tls, ATLS_OK, NULL, 1},
    {"clocks that are equal", equal_clocks, ATLS_OK, NULL, 1},
    {"the last moment of a challenge", last_moment, ATLS_OK, NULL, 1},
    {"the service refuses", refused, ATLS_OK, NULL, 1},
    {"an authority that is not the service's", unknown_authority, ATLS_E_IO, "http", 0},
    {"an address that leaves TLS behind", downgrade, ATLS_E_ENROL_CHALLENGE, "challenge.attestationEndpoint", 0},
    {"an address that is no HTTP", a_file, ATLS_E_ENROL_CHALLENGE, "challenge.attestationEndpoint", 0},
    {"an address where nobody speaks TLS", upgrade_that_fails, ATLS_E_TIMEOUT, "http", 1},
    {"a service whose clock is ahead", server_ahead, ATLS_E_NOT_YET_VALID, "challenge.issuedAt", 0},
    {"a challenge that is over", too_late, ATLS_E_EXPIRED, "challenge.validity", 0},
    {"a challenge that is none", garbage, ATLS_E_ENROL_CHALLENGE, NULL, 0},
    {"a service that is too busy", too_busy, ATLS_E_IO, "challenge", 0},
    {"no service", gone, ATLS_E_IO, "challenge", 0},
    {"a redirect", moved, ATLS_E_IO, "challenge", 0},
    {"a service that breaks", broken, ATLS_E_IO, "attestation", 1},
    {"an empty answer", no_answer, ATLS_E_ENROL_RESPONSE, NULL, 1},
    {"an answer that is none", garbage_answer, ATLS_E_ENROL_RESPONSE, NULL, 1},
    {"a certificate for another key", other_key, ATLS_E_ENROL_RESPONSE, "response.certificateChain[0]", 1},
    {"a certificate of another issuer", other_issuer, ATLS_E_ENROL_RESPONSE, "response.certificateChain[0]", 1},
    {"a chain without its root", no_root, ATLS_E_ENROL_RESPONSE, "response.certificateChain[1]", 1},
    {"a certificate alone", leaf_alone, ATLS_E_ENROL_RESPONSE, "response.certificateChain[0]", 1},
    {"a certificate that is over", expired, ATLS_E_EXPIRED, "response.certificateChain[0].not_after", 1},
    {"an issuer that is over", ca_expired, ATLS_E_EXPIRED, "response.certificateChain[1].not_after", 1},
    {"a root that is over", root_expired, ATLS_E_EXPIRED, "response.certificateChain[2].not_after", 1},
    {"an issuer that is no authority", ca_is_none, ATLS_E_ENROL_RESPONSE, NULL, 1},
    {"an issuer that does not say whether it is one", ca_does_not_say, ATLS_E_ENROL_RESPONSE,
     "response.certificateChain[1]", 1},
    {"http to another machine", plain_http, ATLS_E_CONFIGURATION, "url", 0},
    {"an address without a scheme", no_url, ATLS_E_CONFIGURATION, "url", 0},
    {"an address of another scheme", ftp, ATLS_E_CONFIGURATION, "url", 0},
};

static void run(const row *w, sim_phone_kind kind)
{
    service s;
    phone own = {.kind = kind};
    atls_arena arena;
    atls_error err = {0};
    atls_phone_outcome out;
    service_open(&s);
    atls_phone p = {.now_ms = NOW_MS, .timeout_ms = 20000, .csr = make_csr, .ctx = &own};
    if (w->change != NULL) {
        w->change(&s, &p);
    }
    const bool no_authority = p.ca_file != NULL;
    service_start(&s);
    p.url = p.url == NULL ? s.url : p.url;
    p.ca_file = s.has_tls && !no_authority ? s.ca_file : NULL;
    assert_true(atls_arena_new(&arena, (size_t)16 * 1024 * 1024, &err));
    const bool ok = atls_phone_enrol(&p, &arena, &out, &err);
    if (ok != (w->code == ATLS_OK) || err.code != w->code
        || (w->field != NULL && strncmp(err.field, w->field, strlen(w->field)) != 0)) {
        fail_msg("%s %s: %s; request: %s", atls_code_name(err.code), err.field, err.message, s.csr_error.message);
    }
    assert_int_equal(own.n_calls, w->n_calls);
    assert_int_equal(s.csr_error.code, ATLS_OK);
    assert_true(w->change != too_busy || out.retry_after_s == 17);
    if (ok && s.answer == NULL) {
        assert_true(out.response.is_success);
        assert_int_equal(out.response.n_chain, 3);
        assert_int_equal(s.kind, kind == SIM_PHONE_ANDROID ? ATLS_ENROL_ANDROID_KEY : ATLS_ENROL_IOS_APPATTEST);
    }
    sim_phone_free(own.sim);
    atls_arena_free(&arena);
    service_close(&s);
}

static void test_row(void **state)
{
    run(*state, SIM_PHONE_ANDROID);
}

static void test_iphone(void **state)
{
    (void)state;
    run(&rows[0], SIM_PHONE_APPLE);
}

/* The same options, the same key; another label, another key; another day, the same roots. */
static void test_sim_phone(void **state)
{
    static const sim_phone_kind kinds[] = {SIM_PHONE_ANDROID, SIM_PHONE_APPLE};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const sim_phone_options options[] = {{.kind = kinds[i], .key = "one"},
                                             {.kind = kinds[i], .key = "one", .now = AUTHORITY_NOW + 86400},
                                             {.kind = kinds[i], .key = "two"}};
        atls_arena arena;
        atls_error err = {0};
        atls_bytes spki[3];
        assert_true(atls_arena_new(&arena, (size_t)1024 * 1024, &err));
        for (size_t k = 0; k < 3; k++) {
            sim_phone *p = NULL;
            assert_true(sim_phone_new(&options[k], &p, &err));
            assert_true(sim_phone_spki(p, &arena, &spki[k], &err));
            sim_phone_free(p);
        }
        assert_true(atls_bytes_equal(spki[0], spki[1]));
        assert_false(atls_bytes_equal(spki[0], spki[2]));
        atls_arena_free(&arena);
    }
}

/* The phone's own policy accepts what it states, for its challenge and for no other. */
static void test_own_policy(void **state)
{
    static const sim_phone_kind kinds[] = {SIM_PHONE_ANDROID, SIM_PHONE_APPLE};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const sim_phone_options options = {.kind = kinds[i]};
        sim_phone *p = NULL;
        atls_arena arena;
        atls_error err = {0};
        atls_bytes json;
        atls_bytes text;
        atls_policy *policy = NULL;
        atls_verifier *verifier = NULL;
        atls_enrol_statement statement;
        atls_result result;
        assert_true(atls_arena_new(&arena, ATLS_ARENA_DEFAULT_SIZE, &err));
        assert_true(sim_phone_new(&options, &p, &err));
        assert_true(sim_phone_policy(p, &arena, &json, &err));
        assert_true(atls_policy_parse(json, &policy, &err));
        assert_true(atls_verifier_new(policy, &verifier, &err));
        assert_true(sim_phone_statement(p, atls_bytes_str("0123456789abcdef"), &arena, &text, &err));
        assert_true(atls_enrol_statement_read(text, &arena, &statement, &err));
        const bool android = kinds[i] == SIM_PHONE_ANDROID;
        const atls_appraisal in = {
            .evidence = android ? statement.chain : statement.attestation,
            .event_log = atls_bytes_empty(),
            .binding = {.grade = ATLS_GRADE_KEY_FRESH,
                        .profile = "",
                        .challenge = android ? atls_bytes_str("0123456789abcdef") : statement.client_data},
            .now = sim_phone_now(p),
            .endorse = sim_phone_endorse,
            .endorse_ctx = p};
        if (!atls_verifier_appraise(verifier, &in, &arena, &result, &err)) {
            fail_msg("%s %s: %s", atls_code_name(err.code), err.field, err.message);
        }
        atls_verifier_free(verifier);
        atls_policy_free(policy);
        sim_phone_free(p);
        atls_arena_free(&arena);
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "an iPhone", test_iphone, NULL);
    tap_add(&l, "a simulated phone: keys by label", test_sim_phone, NULL);
    tap_add(&l, "a simulated phone: its policy accepts it", test_own_policy, NULL);
    return tap_run("phone", &l);
}
