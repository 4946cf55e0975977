/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_tls.c: the service behind TLS: records of every size, requests sent ahead, a client that says that it will say no more,
 * and those who never finish what they begin. */
#include "tap.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "site.h"

#define TLS_MEMBERS "\"tls\": {\"certificate\": \"tls.pem\", \"key\": \"tls.key\"},"
#define FREE        "\"challenge_per_minute\": 0, \"attest_per_minute\": 0"
#define GET         "GET " SITE_CHALLENGE " HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* ---- a certificate for the server ---- */

static void write_pem(const site *s, EVP_PKEY *key, X509 *cert)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/tls.key", s->folder);
    FILE *f = fopen(path, "w");
    assert_true(f != NULL && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0);
    assert_int_equal(chmod(path, 0600), 0);
    (void)snprintf(path, sizeof path, "%s/tls.pem", s->folder);
    f = fopen(path, "w");
    assert_true(f != NULL && PEM_write_X509(f, cert) == 1 && fclose(f) == 0);
}

static void make_certificate(const site *s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_true(key != NULL && cert != NULL);
    X509_NAME *name = X509_get_subject_name(cert);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1, -1, 0), 1);
    assert_true(X509_set_issuer_name(cert, name) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1
                && X509_gmtime_adj(X509_getm_notBefore(cert), -60) != NULL
                && X509_gmtime_adj(X509_getm_notAfter(cert), 3600) != NULL && X509_set_pubkey(cert, key) == 1
                && X509_sign(cert, key, EVP_sha256()) > 0);
    write_pem(s, key, cert);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void open_site(site *s, const char *limits)
{
    site_folder(s);
    make_certificate(s);
    site_config(s, TLS_MEMBERS, NULL, limits);
    site_start(s);
}

/* ---- a client: what it sends is put together first, and leaves in one piece ---- */

typedef struct tls_client {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *out; /* what the SSL has written, and nobody sent yet */
} tls_client;

static void flush(tls_client *c)
{
    char *ptr = NULL;
    const long n = BIO_get_mem_data(c->out, &ptr);
    assert_true(n >= 0);
    if (n > 0) {
        assert_true(client_send(c->fd, ptr, (size_t)n));
        assert_int_equal(BIO_reset(c->out), 1);
    }
}

static bool connect_as(tls_client *c, uint16_t port, int version)
{
    c->fd = client_open(port, 1);
    assert_true(c->fd >= 0);
    c->ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(c->ctx);
    SSL_CTX_set_security_level(c->ctx, 0); /* so that old versions can be offered */
    assert_true(SSL_CTX_set_min_proto_version(c->ctx, version) == 1
                && SSL_CTX_set_max_proto_version(c->ctx, version) == 1);
    c->ssl = SSL_new(c->ctx);
    c->out = BIO_new(BIO_s_mem());
    assert_true(c->ssl != NULL && c->out != NULL && SSL_set_fd(c->ssl, c->fd) == 1);
    const bool ok = SSL_connect(c->ssl) == 1;
    SSL_set0_wbio(c->ssl, c->out);
    return ok;
}

static void disconnect(tls_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    (void)close(c->fd);
}

static void say(tls_client *c, const void *data, size_t len)
{
    if (len > 0) {
        assert_int_equal(SSL_write(c->ssl, data, (int)len), (int)len);
    }
}

/* One response: its status, 0 when there was none. */
static unsigned hear(tls_client *c, char *body, size_t size)
{
    char head[2048];
    size_t n = 0;
    head[0] = '\0';
    while (n + 1 < sizeof head && (n < 4 || strcmp(head + n - 4, "\r\n\r\n") != 0)) {
        if (SSL_read(c->ssl, head + n, 1) != 1) {
            return 0;
        }
        head[++n] = '\0';
    }
    const char *length = strstr(head, "\r\nContent-Length: ");
    const size_t len = length == NULL ? 0 : (size_t)strtoul(length + 18, NULL, 10);
    for (size_t i = 0; i < len; i++) {
        char byte = 0;
        if (SSL_read(c->ssl, &byte, 1) != 1) {
            return 0;
        }
        if (body != NULL && i + 1 < size) {
            body[i] = byte;
            body[i + 1] = '\0';
        }
    }
    return (unsigned)strtoul(head + 9, NULL, 10);
}

static size_t head_of_post(char *out, size_t size, size_t len)
{
    return (size_t)snprintf(out, size,
                            "POST " SITE_ATTEST " HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                            "application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
                            len);
}

/* ---- what works ---- */

static const struct version_row {
    const char *name;
    int version;
    bool only_1_3;
    bool works;
} version_rows[] = {
    {"TLS 1.3", TLS1_3_VERSION, false, true},
    {"TLS 1.2", TLS1_2_VERSION, false, true},
    {"TLS 1.2 where only 1.3 is spoken", TLS1_2_VERSION, true, false},
    {"TLS 1.1", TLS1_1_VERSION, false, false},
};

static void versions(void **state)
{
    const struct version_row *row = *state;
    site s;
    tls_client c;
    site_folder(&s);
    make_certificate(&s);
    site_config(&s,
                row->only_1_3 ? "\"tls\": {\"certificate\": \"tls.pem\", \"key\": \"tls.key\", \"only_1_3\": true},"
                              : TLS_MEMBERS,
                NULL, NULL);
    site_start(&s);
    assert_int_equal(connect_as(&c, s.port, row->version), row->works);
    if (row->works) {
        say(&c, GET, strlen(GET));
        flush(&c);
        assert_int_equal(hear(&c, NULL, 0), 200);
    }
    disconnect(&c);
    site_end(&s);
}

/* Sends a body of so many bytes in records of sizes that nobody would choose, all of them at once. */
static unsigned post_in_pieces(tls_client *c, size_t len, unsigned seed)
{
    static uint8_t body[200 * 1024];
    char head[256];
    uint32_t r = seed * 2654435761u + 1;
    const size_t n_head = head_of_post(head, sizeof head, len);
    say(c, head, n_head);
    for (size_t at = 0; at < len;) {
        static const uint32_t sizes[] = {16384, 1, 4096, 12288, 100, 8192, 16383, 5000};
        r = r * 1664525u + 1013904223u;
        size_t n = (r >> 8 & 1) == 0 ? sizes[r >> 16 & 7] : (r >> 12) % 16384 + 1;
        n = n < len - at ? n : len - at;
        say(c, body + at, n);
        at += n;
    }
    flush(c);
    return hear(c, NULL, 0);
}

static void records_of_every_size(void **state)
{
    site s;
    (void)state;
    open_site(&s, FREE ", \"body_timeout_ms\": 3000");
    for (unsigned seed = 0; seed < 60; seed++) {
        tls_client c;
        assert_true(connect_as(&c, s.port, seed % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION));
        const unsigned status = post_in_pieces(&c, 1000 + (size_t)seed * 3331 % (190 * 1024), seed);
        if (status != 200) {
            fail_msg("seed %u: status %u", seed, status);
        }
        disconnect(&c);
    }
    assert_true(site_metric(&s, "timeouts_total") == 0);
    site_end(&s);
}

/* Requests sent ahead are answered in order, whether they share a record or not. */
static void requests_sent_ahead(void **state)
{
    site s;
    tls_client c;
    char many[8 * sizeof GET] = "";
    (void)state;
    open_site(&s, NULL);
    assert_true(connect_as(&c, s.port, TLS1_3_VERSION));
    for (size_t i = 0; i < 5; i++) {
        memcpy(many + i * strlen(GET), GET, sizeof GET);
    }
    say(&c, many, strlen(many));
    for (size_t i = 0; i < 5; i++) {
        say(&c, GET, 7);
        say(&c, GET + 7, strlen(GET) - 7);
    }
    say(&c, "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 28);
    flush(&c);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(hear(&c, NULL, 0), 200);
    }
    assert_int_equal(hear(&c, NULL, 0), 404);
    disconnect(&c);
    site_end(&s);
}

/* A client may have said all that it will say (close_notify, FIN) before it is answered. */
static void half_closed(void **state)
{
    site s;
    const bool is_abrupt = *state != NULL;
    char body[8192] = "";
    open_site(&s, NULL);
    for (unsigned i = 0; i < 4; i++) {
        tls_client c;
        char head[256];
        atls_bytes csr;
        atls_enrol_challenge challenge;
        assert_true(connect_as(&c, s.port, i % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION));
        say(&c, GET, strlen(GET));
        flush(&c);
        assert_int_equal(hear(&c, body, sizeof body), 200);
        assert_true(atls_enrol_challenge_read(atls_bytes_str(body), &s.arena, &challenge, &s.err));
        assert_true(phones_request(&s.phones, i < 2, challenge.nonce, NULL, &s.arena, &csr, &s.err));
        say(&c, head, head_of_post(head, sizeof head, csr.len));
        say(&c, csr.ptr, csr.len);
        if (!is_abrupt) {
            (void)SSL_shutdown(c.ssl);
        }
        flush(&c);
        assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
        assert_int_equal(hear(&c, body, sizeof body), 200);
        assert_non_null(strstr(body, "\"Success\""));
        assert_true(client_is_closed(c.fd, 3000)); /* nothing more can come */
        disconnect(&c);
    }
    site_end(&s);
}

/* ---- what takes too long ---- */

static const struct slow_row {
    const char *name;
    size_t n;   /* bytes of a ClientHello that come at once */
    bool drips; /* and then one now and then */
} slow_rows[] = {
    {"a handshake that does not begin", 0, false},
    {"a handshake that stops", 20, false},
    {"a handshake that drips", 1, true},
};

static uint64_t now_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The deadline counts from the connection on, whatever comes. */
static void slow_handshakes(void **state)
{
    const struct slow_row *row = *state;
    /* the head of a record, of a ClientHello, and zeros: nothing that could be refused before all of it is there */
    static const uint8_t hello[64] = {0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc, 3, 3};
    site s;
    bool is_closed = false;
    open_site(&s, FREE ", \"head_timeout_ms\": 600, \"idle_timeout_ms\": 60000");
    const int fd = client_open(s.port, 1);
    const uint64_t begun = now_ms();
    assert_true(client_send(fd, hello, row->n));
    for (size_t i = row->n; i < sizeof hello && !is_closed; i++) {
        is_closed = client_is_closed(fd, 100);
        if (row->drips && !is_closed) {
            (void)client_send(fd, hello + i, 1);
        }
    }
    assert_true(is_closed && now_ms() - begun >= 500 && now_ms() - begun < 20000);
    assert_true(site_metric(&s, "timeouts_total") == 1);
    assert_true(site_wait_metric(&s, "connections_open", 0));
    (void)close(fd);
    site_end(&s);
}

static void slow_head(void **state)
{
    site s;
    tls_client c;
    (void)state;
    open_site(&s, FREE ", \"head_timeout_ms\": 700");
    assert_true(connect_as(&c, s.port, TLS1_3_VERSION));
    for (size_t i = 0; i < 9; i++) { /* a record for each byte */
        say(&c, &GET[i], 1);
        flush(&c);
        if (client_is_closed(c.fd, 0)) {
            break;
        }
        const struct timespec t = {.tv_nsec = 50000000};
        (void)nanosleep(&t, NULL);
    }
    assert_int_equal(hear(&c, NULL, 0), 408);
    disconnect(&c);
    site_end(&s);
}

static void no_tls_at_all(void **state)
{
    site s;
    client_response r;
    (void)state;
    open_site(&s, NULL);
    client_get(s.port, SITE_CHALLENGE, &s.arena, &r);
    assert_int_equal(r.status, 0);
    assert_true(site_metric(&s, "tls_failures_total") == 1);
    site_end(&s);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof version_rows / sizeof version_rows[0]; i++) {
        tap_add(&l, version_rows[i].name, versions, &version_rows[i]);
    }
    tap_add(&l, "records of every size", records_of_every_size, NULL);
    tap_add(&l, "requests sent ahead", requests_sent_ahead, NULL);
    tap_add(&l, "half closed, politely", half_closed, NULL);
    tap_add(&l, "half closed, without a word", half_closed, "abrupt");
    for (size_t i = 0; i < sizeof slow_rows / sizeof slow_rows[0]; i++) {
        tap_add(&l, slow_rows[i].name, slow_handshakes, &slow_rows[i]);
    }
    tap_add(&l, "a head that drips", slow_head, NULL);
    tap_add(&l, "plain HTTP", no_tls_at_all, NULL);
    return tap_run("http_tls", &l);
}
