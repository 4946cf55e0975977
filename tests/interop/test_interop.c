/* SPDX-License-Identifier: Apache-2.0 */
/* test_interop.c: our end of a handshake against a peer in Go (dummy variant), both directions, mutual, and every refusal
 * with the alert that the other end sees. argv[1]: the peer's program. Source: constellation, sections 4 to 7. */
#include "pair.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509.h>

static const char *peer_program;

#define NO_CERTIFICATE (-1) /* 116, and 42 in older releases of Go */

/* Our end is hooked unless a lie, or `ordinary`, is given. */
typedef struct interop_row {
    const char *name;
    const char *peer[8]; /* arguments of the peer, its role first */
    bool issue;          /* we show a document */
    bool verify;         /* we want one */
    const pair_lie *lie; /* our certificate is wrong */
    bool ordinary;       /* client: no hook, believes anybody */
    const char *name_to; /* ordinary client: server_name */
    bool done;           /* our handshake completes */
    atls_code code;      /* of atls_hook_result; USAGE where nothing is verified */
    int alert;           /* that we receive; 0: none; NO_CERTIFICATE */
    const char *cas;     /* server that lies: acceptable CAs, "none", "two" or "utf8" */
    const char *says;    /* what the peer's report holds */
    const char *alpn;    /* wire form of what we offer or NULL */
} interop_row;

static const pair_lie honest = {0};
static const pair_lie no_certificate = {.no_certificate = true};
static const pair_lie other_nonce = {.other_nonce = true};
static const pair_lie other_key = {.other_key = true};
static const pair_lie bare = {.no_extension = true};
static const pair_lie critical = {.critical = true};
static const pair_lie client_only = {.usage = "clientAuth"};
static const pair_lie expired = {.not_before = -60, .not_after = -1};

#define V "-validate"
#define I "-issue"
/* As long as the server's flight lasts, OpenSSL's clients send alerts (42, 80) in the clear, and Go decrypts them all the
 * same. */
#define UNREADABLE      "handshake=local error: tls: bad record MAC"
#define BAD_CERTIFICATE "remote error: tls: bad certificate"
static const interop_row rows[] = {
    {"server in Go", {"server", I}, .verify = true, .done = true, .says = "data=ok"},
    {"server in Go, mutual", {"server", I, V}, .issue = true, .verify = true, .done = true, .says = "data=ok"},
    {"server in Go, only we are attested",
     {"server", V},
     .issue = true,
     .done = true,
     .code = ATLS_E_USAGE,
     .says = "data=ok"},
    {"server in Go, nobody verifies", {"server", I}, .done = true, .code = ATLS_E_USAGE, .says = "data=ok"},
    {"server in Go without a document", {"server"}, .verify = true, .code = ATLS_E_UNSUPPORTED, .says = UNREADABLE},
    {"server in Go, another nonce",
     {"server", I, "-lie", "nonce"},
     .verify = true,
     .code = ATLS_E_REPORT_DATA_MISMATCH,
     .says = UNREADABLE},
    {"server in Go, another key",
     {"server", I, "-lie", "key"},
     .verify = true,
     .code = ATLS_E_REPORT_DATA_MISMATCH,
     .says = UNREADABLE},
    {"server in Go, critical",
     {"server", I, "-lie", "critical"},
     .verify = true,
     .code = ATLS_E_UNSUPPORTED,
     .says = UNREADABLE},
    {"server in Go, for clients only",
     {"server", I, "-lie", "usage"},
     .verify = true,
     .code = ATLS_E_UNSUPPORTED,
     .says = UNREADABLE},
    {"server in Go, another variant",
     {"server", I, "-lie", "oid"},
     .verify = true,
     .code = ATLS_E_UNSUPPORTED,
     .says = UNREADABLE},
    {"server in Go, self-signature",
     {"server", I, "-lie", "signature"},
     .verify = true,
     .code = ATLS_E_IDENTITY,
     .says = UNREADABLE},
    {"server in Go refuses us without a document",
     {"server", I, V},
     .verify = true,
     .done = true,
     .alert = SSL_AD_BAD_CERTIFICATE,
     .says = "handshake=certificate does not contain compatible"},
    {"server in Go refuses our nonce",
     {"server", I, V},
     .lie = &other_nonce,
     .done = true,
     .code = ATLS_E_USAGE,
     .alert = SSL_AD_BAD_CERTIFICATE,
     .says = "handshake=invalid nonce"},
    {"server in Go refuses our key",
     {"server", I, V},
     .lie = &other_key,
     .done = true,
     .code = ATLS_E_USAGE,
     .alert = SSL_AD_BAD_CERTIFICATE,
     .says = "handshake=certificate hash"},
    {"server in Go gets no certificate",
     {"server", I, V},
     .lie = &no_certificate,
     .done = true,
     .code = ATLS_E_USAGE,
     .alert = NO_CERTIFICATE,
     .says = "handshake=tls: client didn't provide a certificate"},
    {"server in Go names no CA",
     {"server", I, V, "-cas", "none"},
     .issue = true,
     .verify = true,
     .code = ATLS_E_PROTOCOL,
     .says = UNREADABLE},
    {"server in Go names two CAs",
     {"server", I, V, "-cas", "two"},
     .issue = true,
     .verify = true,
     .code = ATLS_E_PROTOCOL,
     .says = UNREADABLE},
    {"server in Go, name that is no nonce",
     {"server", I},
     .ordinary = true,
     .name_to = "example.com",
     .code = ATLS_E_USAGE,
     .alert = SSL_AD_INTERNAL_ERROR,
     .says = "handshake=decode nonce"},
    {"server in Go answers without a nonce",
     {"server", I},
     .ordinary = true,
     .name_to = "",
     .done = true,
     .code = ATLS_E_USAGE,
     .says = "data=ok"},
    {"server in Go answers three bytes",
     {"server", I},
     .ordinary = true,
     .name_to = "abcd",
     .done = true,
     .code = ATLS_E_USAGE,
     .says = "data=ok"},
    {"server in Go, its order of protocols",
     {"server", I, "-alpn", "http/1.1,h2"},
     .verify = true,
     .done = true,
     .says = "alpn=http/1.1",
     .alpn = "\2h2\10http/1.1"},
    {"server in Go, no protocol offered",
     {"server", I, "-alpn", "http/1.1,h2"},
     .verify = true,
     .done = true,
     .says = "alpn=\n"},
    {"server in Go, no common protocol",
     {"server", I, "-alpn", "http/1.1,h2"},
     .verify = true,
     .code = ATLS_E_PEER_REFUSED,
     .alert = SSL_AD_NO_APPLICATION_PROTOCOL,
     .says = "handshake=tls: client requested unsupported",
     .alpn = "\3foo"},
    {"client in Go", {"client", V}, .issue = true, .done = true, .code = ATLS_E_USAGE, .says = "data=ok"},
    {"client in Go, mutual", {"client", I, V}, .issue = true, .verify = true, .done = true, .says = "data=ok"},
    {"client in Go, only it is attested", {"client", I}, .verify = true, .done = true, .says = "data=ok"},
    {"client in Go, nobody verifies", {"client"}, .issue = true, .done = true, .code = ATLS_E_USAGE, .says = "data=ok"},
    {"client in Go refuses no document",
     {"client", I, V},
     .verify = true,
     .code = ATLS_E_PEER_REFUSED,
     .alert = SSL_AD_BAD_CERTIFICATE,
     .says = "handshake=certificate does not contain compatible"},
    {"client in Go refuses a critical document",
     {"client", V},
     .lie = &critical,
     .code = ATLS_E_USAGE,
     .alert = SSL_AD_BAD_CERTIFICATE,
     .says = "handshake=x509: unhandled critical extension"},
    {"client in Go refuses a key for clients",
     {"client", V},
     .lie = &client_only,
     .code = ATLS_E_USAGE,
     .alert = SSL_AD_BAD_CERTIFICATE,
     .says = "handshake=x509: certificate specifies an incompatible key usage"},
    {"client in Go refuses an old certificate",
     {"client", V},
     .lie = &expired,
     .code = ATLS_E_USAGE,
     .alert = SSL_AD_BAD_CERTIFICATE,
     .says = "handshake=x509: certificate has expired"},
    {"client in Go refuses another nonce",
     {"client", V},
     .lie = &other_nonce,
     .code = ATLS_E_USAGE,
     .alert = SSL_AD_BAD_CERTIFICATE,
     .says = "handshake=invalid nonce"},
    {"client in Go refuses another key",
     {"client", V},
     .lie = &other_key,
     .code = ATLS_E_USAGE,
     .alert = SSL_AD_BAD_CERTIFICATE,
     .says = "handshake=certificate hash"},
    {"client in Go refuses a bare server",
     {"client", V},
     .lie = &bare,
     .code = ATLS_E_USAGE,
     .alert = SSL_AD_BAD_CERTIFICATE,
     .says = "handshake=certificate does not contain compatible"},
    /* Peers in Go that cannot make a certificate say nothing: only the end of the transport tells. */
    {"client in Go wants one CA, not none",
     {"client", I, V},
     .lie = &honest,
     .cas = "none",
     .code = ATLS_E_USAGE,
     .says = "handshake=unexpected acceptableCAs length: 0"},
    {"client in Go wants one CA, not two",
     {"client", I, V},
     .lie = &honest,
     .cas = "two",
     .code = ATLS_E_USAGE,
     .says = "handshake=unexpected acceptableCAs length: 2"},
    {"client in Go reads a UTF8String",
     {"client", I, V},
     .lie = &honest,
     .cas = "utf8",
     .done = true,
     .code = ATLS_E_USAGE,
     .says = "data=ok"},
    {"client in Go without a document",
     {"client", V},
     .issue = true,
     .verify = true,
     .code = ATLS_E_UNSUPPORTED,
     .says = "data=" BAD_CERTIFICATE},
    {"client in Go, another nonce",
     {"client", I, V, "-lie", "nonce"},
     .issue = true,
     .verify = true,
     .code = ATLS_E_REPORT_DATA_MISMATCH,
     .says = "data=" BAD_CERTIFICATE},
    {"client in Go, another key",
     {"client", I, V, "-lie", "key"},
     .issue = true,
     .verify = true,
     .code = ATLS_E_REPORT_DATA_MISMATCH,
     .says = "data=" BAD_CERTIFICATE},
    {"client in Go, self-signature",
     {"client", I, V, "-lie", "signature"},
     .issue = true,
     .verify = true,
     .code = ATLS_E_IDENTITY,
     .says = "data=" BAD_CERTIFICATE},
    {"client in Go names a host",
     {"client", V, "-sni", "example.com"},
     .issue = true,
     .code = ATLS_E_PROTOCOL,
     .says = "handshake=remote error: tls: unrecognized name"},
    {"client in Go names nothing",
     {"client", V, "-sni", ""},
     .issue = true,
     .code = ATLS_E_PROTOCOL,
     .says = "handshake=remote error: tls: unrecognized name"},
};

/* ---- the peer ---------------------------------------------------------------------------------------------------- */

typedef struct process {
    pid_t pid;
    int report;
    int transport;
} process;

/* The peer finds its transport as descriptor 3. */
static void become_peer(char *const *argv, int transport, int report)
{
    if (dup2(report, STDOUT_FILENO) < 0 || dup2(transport, 3) < 0) {
        _exit(120);
    }
    for (int fd = 4; fd < 256; fd++) {
        (void)close(fd);
    }
    (void)execv(argv[0], argv);
    _exit(121);
}

static process start_peer(const interop_row *row)
{
    int sockets[2];
    int report[2];
    char words[10][32];
    char *argv[10] = {NULL};
    char program[512];
    char at[32];
    struct timeval limit = {.tv_sec = 20};
    size_t n = 1;
    snprintf(program, sizeof program, "%s", peer_program);
    argv[0] = program;
    for (; row->peer[n - 1] != NULL; n++) {
        snprintf(words[n], sizeof words[0], "%s", row->peer[n - 1]);
        argv[n] = words[n];
    }
    snprintf(at, sizeof at, "-time=%lld", (long long)SIM_NOW);
    argv[n] = at;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    assert_int_equal(pipe(report), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        become_peer(argv, sockets[1], report[1]);
    }
    (void)close(sockets[1]);
    (void)close(report[1]);
    assert_int_equal(setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    return (process){pid, report[0], sockets[0]};
}

static void read_report(const process *peer, char *out, size_t size)
{
    size_t used = 0;
    int status = 0;
    for (ssize_t n; used + 1 < size && (n = read(peer->report, out + used, size - 1 - used)) > 0;) {
        used += (size_t)n;
    }
    out[used] = '\0';
    (void)close(peer->report);
    assert_int_equal(waitpid(peer->pid, &status, 0), peer->pid);
    assert_int_equal(status, 0);
}

/* ---- our end ----------------------------------------------------------------------------------------------------- */

static int believe(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

static void set_end(pair *p, pair_end *e, const interop_row *row)
{
    e->lie = row->lie;
    e->ordinary = row->ordinary;
    e->name = row->name_to;
    e->hook.issues = row->issue ? p->variant : NULL;
    e->hook.attest = pair_attest;
    e->hook.attest_ctx = p;
    e->hook.accepts[0] = p->variant;
    e->hook.n_accepts = row->verify ? 1 : 0;
    if (row->ordinary) {
        e->ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_cert_verify_callback(e->ctx, believe, NULL);
    }
}

/* A nonce as the common name; which one does not matter here. */
static void name_authorities(SSL *ssl, const char *cas)
{
    static const unsigned char nonce[] = "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8=";
    int type = strcmp(cas, "utf8") == 0 ? V_ASN1_UTF8STRING : V_ASN1_PRINTABLESTRING;
    int n = strcmp(cas, "two") == 0 ? 2 : strcmp(cas, "none") == 0 ? 0 : 1;
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    for (int i = 0; i < n; i++) {
        X509_NAME *name = X509_NAME_new();
        assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, type, nonce, -1, -1, 0), 1);
        assert_true(sk_X509_NAME_push(names, name) > 0);
    }
    SSL_set_client_CA_list(ssl, names);
    SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static void talk(pair_end *e)
{
    char byte = 'x';
    int rc = SSL_do_handshake(e->ssl);
    e->code = SSL_get_error(e->ssl, rc);
    if (rc == 1) {
        if (SSL_read(e->ssl, &byte, 1) == 1) { /* the peer writes first: what it closes on must not be unread */
            (void)SSL_write(e->ssl, &byte, 1);
        }
        (void)SSL_shutdown(e->ssl);
    }
    ERR_clear_error();
}

static void expect(const pair_end *e, const interop_row *row, const char *report)
{
    const atls_result *result;
    atls_error err = {.code = ATLS_OK};
    if (strstr(report, row->says) == NULL) {
        fail_msg("the peer says: %s", report);
    }
    assert_int_equal(e->code == SSL_ERROR_NONE, row->done);
    if (row->alert == NO_CERTIFICATE) {
        assert_true(e->alert == 116 || e->alert == SSL_AD_BAD_CERTIFICATE);
    } else {
        assert_int_equal(e->alert, row->alert);
    }
    assert_int_equal(atls_hook_result(e->ssl, &result, &err), row->code == ATLS_OK);
    assert_string_equal(atls_code_name(err.code), atls_code_name(row->code));
    if (row->alert == SSL_AD_BAD_CERTIFICATE && row->lie == NULL) {
        atls_error_clear(&err);
        assert_false(atls_hook_peer_accepted(e->ssl, &err));
        assert_int_equal(err.code, ATLS_E_PEER_REFUSED);
    }
    if (row->done && row->alert == 0 && row->lie == NULL && !row->ordinary) {
        atls_error_clear(&err);
        assert_true(atls_hook_peer_accepted(e->ssl, &err));
    }
}

static void meets_peer(void **state)
{
    const interop_row *row = *state;
    bool is_server = strcmp(row->peer[0], "client") == 0;
    char report[2048];
    pair p;
    pair_open(&p);
    pair_end *e = is_server ? &p.server : &p.client;
    process peer = start_peer(row);
    set_end(&p, e, row);
    pair_single(&p, e, is_server, peer.transport);
    if (row->cas != NULL) {
        name_authorities(e->ssl, row->cas);
    }
    if (row->alpn != NULL) {
        assert_int_equal(SSL_set_alpn_protos(e->ssl, (const unsigned char *)row->alpn, (unsigned)strlen(row->alpn)), 0);
    }
    talk(e);
    (void)shutdown(peer.transport, SHUT_WR);
    read_report(&peer, report, sizeof report);
    (void)close(peer.transport);
    expect(e, row, report);
    pair_close(&p);
}

int main(int argc, char **argv)
{
    tap_list l = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: %s PEER\n", argv[0]);
        return 1;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* of our end; peers in Go have their own ways */
    peer_program = argv[1];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, meets_peer, &rows[i]);
    }
    return tap_run("interop", &l);
}
